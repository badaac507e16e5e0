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

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runner/runner.h"

static struct report rp;
static char err[200];

static void
parse(const char *s)
{
	ck_assert_int_eq(report_parse(s, strlen(s), &rp, err, sizeof(err)), 0);
}

START_TEST(tap_counts_executed_tests)
{
	parse("TAP version 13\n1..5\nok 1 - a\nnot ok 2 - b\r\n"
	    "ok 3 # SKIP none\nnot ok 4 - d # TODO later\nok\n# not ok 9\n");
	ck_assert_uint_eq(rp.rp_tests, 4);
	ck_assert_uint_eq(rp.rp_failed, 1);
	ck_assert_uint_eq(rp.rp_skipped, 1);
	ck_assert_uint_eq(rp.rp_nids, 1);
	ck_assert_str_eq(rp.rp_ids[0], "b");
	report_free(&rp);
}
END_TEST

START_TEST(tap_test_without_name_has_its_number)
{
	parse("not ok 12\n");
	ck_assert_str_eq(rp.rp_ids[0], "12");
	report_free(&rp);
}
END_TEST

START_TEST(tap_bail_out_is_a_failure)
{
	parse("1..2\nok 1\nBail out! no disk\n");
	ck_assert_uint_eq(rp.rp_failed, 1);
	report_free(&rp);
}
END_TEST

START_TEST(words_that_look_alike_do_not_count)
{
	ck_assert_int_eq(report_parse("okay\nnot okay\n1..\nfailed\n", 26, &rp,
	    err, sizeof(err)), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_ptr_nonnull(strstr(err, "neither TAP"));
}
END_TEST

START_TEST(plan_alone_executes_nothing)
{
	parse("1..0 # skip all\n");
	ck_assert_uint_eq(rp.rp_tests, 0);
	report_free(&rp);
}
END_TEST

START_TEST(list_in_both_forms)
{
	parse("noise\nfailed: [a-1, \"b 2\", 'c']\n");
	ck_assert_uint_eq(rp.rp_nids, 3);
	ck_assert_str_eq(rp.rp_ids[1], "b 2");
	ck_assert_str_eq(rp.rp_ids[2], "c");
	report_free(&rp);
	parse("failed: x y, z");
	ck_assert_uint_eq(rp.rp_nids, 3);
	ck_assert_str_eq(rp.rp_ids[2], "z");
	report_free(&rp);
	parse("failed: []\n");
	ck_assert_int_eq(rp.rp_list, 1);
	ck_assert_uint_eq(rp.rp_failed, 0);
	report_free(&rp);
}
END_TEST

START_TEST(ids_are_escaped_and_bounded)
{
	char big[5000];
	size_t i;

	parse("not ok 1 - a\x1b[31m\n");
	ck_assert_str_eq(rp.rp_ids[0], "a\\x1b[31m");
	report_free(&rp);
	memset(big, 'x', sizeof(big));
	memcpy(big, "not ok 1 - ", 11);
	ck_assert_int_eq(report_parse(big, sizeof(big), &rp, err,
	    sizeof(err)), 0);
	ck_assert_uint_le(strlen(rp.rp_ids[0]), 120);
	report_free(&rp);
	for (i = 0; i + 9 < sizeof(big); i += 9)
		(void)snprintf(big + i, 10, "not ok%02zu\n", i % 100);
	(void)report_parse(big, i, &rp, err, sizeof(err));
	ck_assert_uint_le(rp.rp_nids, RUN_ITEMS_MAX);
	report_free(&rp);
}
END_TEST

static void
percent(const char *s, const char *want)
{
	char buf[16];

	if (want == NULL)
		ck_assert_int_eq(report_percent(s, buf, sizeof(buf)), -1);
	else {
		ck_assert_msg(report_percent(s, buf, sizeof(buf)) == 0, "%s",
		    s);
		ck_assert_str_eq(buf, want);
	}
}

START_TEST(percentage_is_the_last_one)
{
	percent("lines: 12.5% of 80\nTOTAL 91%\n", "91.00");
	percent("a 5 %\n", "5.00");
	percent("done\n87.25\n\n", "87.25");
	percent("100%", "100.00");
	percent("101%", NULL);
	percent("-5%", NULL);
	percent("%", NULL);
	percent("", NULL);
	percent("1.2.3%", NULL);
	percent("result 7 of 9\n", NULL);
}
END_TEST

#define C40	"0123456789abcdef0123456789abcdef01234567"
#define T40	"fedcba9876543210fedcba9876543210fedcba98"

/* What an artifact says must be whole, and said once. */
START_TEST(an_image_file_is_two_whole_lines)
{
	static const struct {
		const char	*text;
		int		 ok;
	} t[] = {
		{ "commit " C40 "\ntree " T40 "\n", 1 },
		{ "tree " T40 "\nname x:1\ncommit " C40, 1 },
		{ "commit " C40 "\n", 0 },
		{ "tree " T40 "\n", 0 },
		{ "commit " C40 "\ncommit " C40 "\ntree " T40 "\n", 0 },
		{ "commit " C40 "\ntree " T40 "\ntree " C40 "\n", 0 },
		{ "commit 0123456\ntree " T40 "\n", 0 },
		{ "commit " C40 " \ntree " T40 "\n", 0 },
		{ "commit main0000000000000000000000000000000000000\ntree "
		    T40 "\n", 0 },
		{ "", 0 },
	};
	char path[] = "/tmp/orchd-image.XXXXXX", commit[41], tree[41];
	size_t i;
	int fd = mkstemp(path);

	ck_assert_int_ne(fd, -1);
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		ck_assert_int_eq(ftruncate(fd, 0), 0);
		ck_assert_int_eq(pwrite(fd, t[i].text, strlen(t[i].text), 0),
		    (int)strlen(t[i].text));
		ck_assert_msg(image_read(path, commit, tree) ==
		    (t[i].ok ? 0 : -1), "%s", t[i].text);
		ck_assert_str_eq(commit, t[i].ok ? C40 : "");
		ck_assert_str_eq(tree, t[i].ok ? T40 : "");
	}
	close(fd);
	(void)unlink(path);
	ck_assert_int_eq(image_read(path, commit, tree), -1);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("runner_report");
	TCase *tc = tcase_create("report");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, tap_counts_executed_tests);
	tcase_add_test(tc, tap_test_without_name_has_its_number);
	tcase_add_test(tc, tap_bail_out_is_a_failure);
	tcase_add_test(tc, words_that_look_alike_do_not_count);
	tcase_add_test(tc, plan_alone_executes_nothing);
	tcase_add_test(tc, list_in_both_forms);
	tcase_add_test(tc, ids_are_escaped_and_bounded);
	tcase_add_test(tc, percentage_is_the_last_one);
	tcase_add_test(tc, an_image_file_is_two_whole_lines);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed == 0 ? 0 : 1);
}
