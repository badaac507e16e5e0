/*
 * Copyright (c) 2026 The orchd authors
 *
 * Permission to use, copy, modify, and distribute this software for any
 * purpose with or without fee is hereby granted, provided that the above
 * copyright notice and this permission notice appear in all copies.
 *
 * THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES
 * WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF
 * MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR
 * ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES
 * WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN
 * ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF
 * OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.
 */

/* Certificates that are served come to their end: people hear of it before. */

#include "engine_play.h"
#include "orchd/certwatch.h"

#define PEOPLE	"notify ops telegram chat \"@us\" token file \"/c\"\n"
#define DAY	86400LL
#define FILE_A	"/etc/orchd/tls.pem"

static void
setup(void)
{
	fx_open(PEOPLE, "");
}

/* A configuration comes, with a certificate that ends so many seconds on. */
static void
served(const char *file, int64_t seconds)
{
	char data[1200];
	struct orch_strs l = { .l_data = data, .l_n = 1 };
	int n;

	n = snprintf(data, sizeof(data), "%lld %s",
	    (long long)(fx.ms / 1000 + seconds), file);
	l.l_len = (size_t)n + 1;
	certwatch_take(&l);
	fx_tick(1000);
}

static int64_t
alerts(const char *where)
{
	return (fx_int("SELECT count(*) FROM alert WHERE kind = "
	    "'certificate' AND cleared_at IS NULL AND %s", where));
}

static int64_t
told(const char *kind)
{
	return (fx_int("SELECT count(*) FROM outbox WHERE kind = '%s' "
	    "AND text LIKE '%%" FILE_A "%%'", kind));
}

START_TEST(a_certificate_that_ends_soon_is_an_alert_until_it_is_renewed)
{
	served(FILE_A, 15 * DAY);
	ck_assert_int_eq(alerts("1"), 0);
	/* Nobody does anything, and a day and a bit go by. */
	fx_tick(86400 * 1000 + 7200 * 1000);
	ck_assert_int_eq(alerts("subject = '" FILE_A "' AND text LIKE "
	    "'the certificate in " FILE_A ", which is served, ends on 20%%"
	    " UTC, 13 days from now%%orchctl reload'"), 1);
	ck_assert_int_eq(told("alert"), 1);
	/* The same second and the same day say nothing more. */
	fx_tick(1000);
	ck_assert_int_eq(alerts("count = 1"), 1);
	served(FILE_A, 90 * DAY);
	ck_assert_int_eq(alerts("1"), 0);
	ck_assert_int_eq(told("recovery"), 1);
}
END_TEST

START_TEST(one_that_is_over_is_said_to_be_and_again_each_day)
{
	served(FILE_A, DAY + 3600);
	ck_assert_int_eq(alerts("text LIKE '%% 1 day from now%%'"), 1);
	fx_tick(86400 * 1000 + 1000);
	fx_tick(86400 * 1000 + 1000);
	ck_assert_int_eq(alerts("text LIKE '%%is over since 20%%deliver "
	    "nothing%%' AND count = 3"), 1);
}
END_TEST

START_TEST(one_that_is_served_no_longer_is_nobodys)
{
	struct orch_strs none = { .l_data = "" };

	served(FILE_A, DAY);
	ck_assert_int_eq(alerts("1"), 1);
	served("/etc/orchd/other.pem", DAY);
	ck_assert_int_eq(alerts("subject = '/etc/orchd/other.pem'"), 1);
	ck_assert_int_eq(alerts("1"), 1);
	certwatch_take(&none);
	fx_tick(1000);
	ck_assert_int_eq(alerts("1"), 0);
}
END_TEST

START_TEST(a_long_path_held_back_by_the_cool_down_is_told_later)
{
	char path[1001];

	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	path[0] = '/';
	served(path, DAY);
	served(path, 90 * DAY);
	served(path, DAY);
	ck_assert_int_eq(alerts("told_at IS NULL"), 1);
	fx_tick(6 * 3600 * 1000);
	fx_tick(1000);
	ck_assert_int_eq(alerts("told_at IS NULL"), 0);
}
END_TEST

int
main(void)
{
	Suite *su = suite_create("certwatch");
	TCase *tc = tcase_create("certwatch");

	tcase_add_checked_fixture(tc, setup, fx_close);
	tcase_add_test(tc,
	    a_certificate_that_ends_soon_is_an_alert_until_it_is_renewed);
	tcase_add_test(tc, one_that_is_over_is_said_to_be_and_again_each_day);
	tcase_add_test(tc, one_that_is_served_no_longer_is_nobodys);
	tcase_add_test(tc,
	    a_long_path_held_back_by_the_cool_down_is_told_later);
	suite_add_tcase(su, tc);
	fx_main_exit(su);
}
