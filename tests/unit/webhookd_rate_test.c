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

/* How many requests a source may make that prove nothing. */

#include <sys/socket.h>

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <string.h>

#include "webhookd/rate.h"

static struct rate rate;

static struct monotime
at(int64_t ms)
{
	struct monotime t = { .mt_ns = 1000000000000LL };

	return (monotime_add_ms(t, ms));
}

static struct addr
source(uint32_t n)
{
	struct sockaddr_in sin;
	struct addr ad;

	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	sin.sin_addr.s_addr = htonl(0x0a000000 + n);
	addr_from_sockaddr(&ad, (const struct sockaddr *)&sin);
	return (ad);
}

/* How many of n requests at that time are let through. */
static int
through(uint32_t who, int n, int64_t ms)
{
	struct addr ad = source(who);
	int i, good = 0;

	for (i = 0; i < n; i++)
		good += rate_take(&rate, &ad, at(ms)) == RATE_OK;
	return (good);
}

static void
setup(void)
{
	memset(&rate, 0, sizeof(rate));
}

START_TEST(a_burst_passes_and_then_so_many_a_second)
{
	ck_assert_int_eq(through(1, 500, 0), RATE_BURST);
	ck_assert_int_eq(through(1, 500, 999), RATE_PER_S - 1);
	ck_assert_int_eq(through(1, 500, 1000), 1);
	ck_assert_int_eq(through(1, 500, 3000), 2 * RATE_PER_S);
}
END_TEST

START_TEST(time_gives_back_a_burst_and_no_more)
{
	ck_assert_int_eq(through(1, 500, 0), RATE_BURST);
	ck_assert_int_eq(through(1, 500, 3600 * 1000), RATE_BURST);
}
END_TEST

START_TEST(each_source_has_its_own)
{
	ck_assert_int_eq(through(1, 500, 0), RATE_BURST);
	ck_assert_int_eq(through(2, 500, 0), RATE_BURST);
	ck_assert_int_eq(through(1, 500, 0), 0);
}
END_TEST

START_TEST(what_is_taken_back_does_not_count)
{
	struct addr ad = source(1);
	int i;

	for (i = 0; i < 10 * RATE_BURST; i++) {
		ck_assert_int_eq(rate_take(&rate, &ad, at(0)), RATE_OK);
		rate_undo(&rate, &ad);
	}
	ck_assert_int_eq(through(1, 500, 0), RATE_BURST);
	/* Nothing is owed to anybody. */
	for (i = 0; i < 2 * RATE_BURST; i++)
		rate_undo(&rate, &ad);
	ck_assert_int_eq(through(1, 500, 0), RATE_BURST);
	ad = source(99);
	rate_undo(&rate, &ad);
}
END_TEST

START_TEST(one_line_a_minute_is_logged)
{
	struct addr ad = source(1);
	int64_t ms;
	int lines = 0;

	(void)through(1, RATE_BURST, 0);
	for (ms = 0; ms < 130 * 1000; ms += 10)
		lines += rate_take(&rate, &ad, at(ms)) == RATE_OVER_LOG;
	ck_assert_int_eq(lines, 3);
}
END_TEST

START_TEST(a_full_table_forgets_the_longest_silent)
{
	uint32_t n;

	(void)through(1, RATE_BURST, 0);
	(void)through(2, RATE_BURST, 1);
	for (n = 3; n <= RATE_SOURCES; n++)
		(void)through(n, 1, 2);
	ck_assert_int_eq(through(1, 1, 3), 0);	/* it is heard again */
	(void)through(9999, 1, 4);
	ck_assert_int_eq(through(1, 1, 4), 0);
	ck_assert_int_eq(through(2, 500, 4), RATE_BURST);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("webhookd_rate");
	TCase *tc = tcase_create("rate");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, a_burst_passes_and_then_so_many_a_second);
	tcase_add_test(tc, time_gives_back_a_burst_and_no_more);
	tcase_add_test(tc, each_source_has_its_own);
	tcase_add_test(tc, what_is_taken_back_does_not_count);
	tcase_add_test(tc, one_line_a_minute_is_logged);
	tcase_add_test(tc, a_full_table_forgets_the_longest_silent);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed != 0);
}
