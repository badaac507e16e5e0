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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runner/runner.h"

static void
cleans(const char *in, const char *want)
{
	char buf[256];
	size_t n;

	ck_assert_uint_lt(strlen(in), sizeof(buf));
	memcpy(buf, in, strlen(in) + 1);
	n = text_clean(buf, strlen(in));
	buf[n] = '\0';
	ck_assert_str_eq(buf, want);
}

START_TEST(clean_keeps_what_is_seen)
{
	cleans("plain\ttext\n", "plain\ttext\n");
	cleans("gr\xc3\xbc\xc3\x9f \xe6\x97\xa5 \xf0\x9f\x98\x80",
	    "gr\xc3\xbc\xc3\x9f \xe6\x97\xa5 \xf0\x9f\x98\x80");
}
END_TEST

START_TEST(clean_removes_what_is_not_seen)
{
	cleans("a\xe2\x80\x8b" "b", "ab");		/* zero width space */
	cleans("a\xe2\x80\xae" "b", "ab");		/* direction override */
	cleans("a\xe2\x81\xa6" "b", "ab");		/* isolate */
	cleans("\xef\xbb\xbf" "a", "a");		/* byte order mark */
	cleans("a\xc2\xad" "b", "ab");			/* soft hyphen */
	cleans("a\xf3\xa0\x81\x81" "b", "ab");		/* tag letter */
	cleans("a\xef\xb8\x8f" "b", "ab");		/* selector */
	cleans("a\x1b[31mb\r\x7f\x08", "a[31mb");
	cleans("a\xc2\x9b" "b", "ab");			/* C1 */
}
END_TEST

START_TEST(clean_marks_bytes_that_are_no_utf8)
{
	cleans("a\xff" "b", "a?b");
	cleans("\xc0\xaf", "??");			/* overlong */
	cleans("\xed\xa0\x80", "???");			/* surrogate */
	cleans("\xe2\x80", "??");			/* cut */
	cleans("\xf5\x80\x80\x80", "????");
}
END_TEST

START_TEST(quote_marks_every_line)
{
	struct text t = { 0 };

	text_quote(&t, "a\n## b\n\nc", 9);
	ck_assert_str_eq(t.tx_buf, "> a\n> ## b\n> \n> c\n");
	free(t.tx_buf);
}
END_TEST

START_TEST(tail_keeps_the_last_lines_in_bounds)
{
	struct tail t = { 0 };
	char line[64], last[200];
	int i;

	for (i = 0; i < 20000; i++) {
		(void)snprintf(line, sizeof(line), "line %d", i);
		tail_add(&t, line, strlen(line));
		ck_assert_uint_le(t.tl_len, RUN_TEXT_MAX);
	}
	ck_assert_uint_gt(t.tl_len, RUN_TEXT_MAX / 2);
	ck_assert_mem_eq(t.tl_buf, "line ", 5);
	tail_last(&t, 2, last, sizeof(last));
	ck_assert_str_eq(last, "line 19998 | line 19999");
	tail_free(&t);
	tail_last(&t, 2, last, sizeof(last));
	ck_assert_str_eq(last, "");
}
END_TEST

START_TEST(tail_is_safe_for_a_terminal)
{
	struct tail t = { 0 };
	char last[200];

	tail_add(&t, "a\x1b[2Jb", 6);
	tail_add(&t, "", 0);
	tail_last(&t, 3, last, sizeof(last));
	ck_assert_str_eq(last, "a\\x1b[2Jb");
	tail_free(&t);
}
END_TEST

START_TEST(tail_takes_one_endless_line)
{
	struct tail t = { 0 };
	char *big = malloc(200000), last[100];
	int i;

	ck_assert_ptr_nonnull(big);
	memset(big, 'x', 200000);
	for (i = 0; i < 40; i++)
		tail_add(&t, big, 200000);
	ck_assert_uint_le(t.tl_len, RUN_TEXT_MAX);
	tail_last(&t, 3, last, sizeof(last));
	ck_assert_uint_lt(strlen(last), sizeof(last));
	ck_assert_mem_eq(last, "xxxx", 4);
	free(big);
	tail_free(&t);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("runner_text");
	TCase *tc = tcase_create("text");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, clean_keeps_what_is_seen);
	tcase_add_test(tc, clean_removes_what_is_not_seen);
	tcase_add_test(tc, clean_marks_bytes_that_are_no_utf8);
	tcase_add_test(tc, quote_marks_every_line);
	tcase_add_test(tc, tail_keeps_the_last_lines_in_bounds);
	tcase_add_test(tc, tail_is_safe_for_a_terminal);
	tcase_add_test(tc, tail_takes_one_endless_line);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed == 0 ? 0 : 1);
}
