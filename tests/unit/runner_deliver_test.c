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

#include <sys/mman.h>

#include <check.h>
#include <string.h>
#include <unistd.h>

#include "runner/runner.h"

#define OID	"0123456789012345678901234567890123456789"

static int
head(const char *text, size_t len, char tip[41])
{
	int fd = memfd_create("bundle", MFD_CLOEXEC), rc;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, len), (ssize_t)len);
	rc = deliver_head(fd, "feature/T-1-x", tip);
	close(fd);
	return (rc);
}

static void
refused(const char *text)
{
	char tip[41];

	ck_assert_msg(head(text, strlen(text), tip) == -1, "%s", text);
}

START_TEST(head_names_the_tip)
{
	static const char text[] = "# v2 git bundle\n-" OID " base\n"
	    OID " refs/heads/feature/T-1-x\n\nPACK";
	char tip[41];

	ck_assert_int_eq(head(text, sizeof(text), tip), 0);
	ck_assert_str_eq(tip, OID);
}
END_TEST

START_TEST(other_heads_are_refused)
{
	refused("");
	refused("# v3 git bundle\n" OID " refs/heads/feature/T-1-x\n\n");
	refused("# v2 git bundle\n");
	refused("# v2 git bundle\n\nPACK");
	refused("# v2 git bundle\n" OID " refs/heads/main\n\n");
	refused("# v2 git bundle\n" OID " refs/heads/feature/T-1-xx\n\n");
	refused("# v2 git bundle\n" OID " refs/heads/feature/T-1-x");
	refused("# v2 git bundle\nZZ23456789012345678901234567890123456789 "
	    "refs/heads/feature/T-1-x\n\n");
	refused("# v2 git bundle\n012345 refs/heads/feature/T-1-x\n\n");
}
END_TEST

START_TEST(inside_reports_how_a_command_ended)
{
	char *yes[] = { (char[]){"/bin/true"}, NULL };
	char *no[] = { (char[]){"/nonexistent/x"}, NULL };
	char *sh[] = { (char[]){"/bin/sh"}, (char[]){"-c"},
	    (char[]){"kill -TERM $$"}, NULL };
	char *cat[] = { (char[]){"/bin/cat"}, NULL };
	char *nap[] = { (char[]){"/bin/sleep"}, (char[]){"30"}, NULL };
	char line[32];

	ck_assert_int_eq(inside_run(yes, 0, NULL), 0);
	ck_assert_int_eq(inside_run(no, 0, NULL), 127);
	ck_assert_int_eq(inside_run(sh, 5, NULL), 128 + 15);
	ck_assert_int_eq(inside_run(nap, 1, NULL), 124);
	ck_assert_int_eq(inside_run(cat, 5, "text\n"), 0);
	ck_assert_int_eq(inside_line(yes, line, sizeof(line)), 0);
	ck_assert_str_eq(line, "");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("runner_deliver");
	TCase *tc = tcase_create("deliver");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, head_names_the_tip);
	tcase_add_test(tc, other_heads_are_refused);
	tcase_add_test(tc, inside_reports_how_a_command_ended);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed == 0 ? 0 : 1);
}
