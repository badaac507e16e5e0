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

/* Text that is cut and cleaned for others. */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include "reconciled/reconciled.h"

static void
cut_is(const char *text, size_t max, const char *want)
{
	char *cut = text_cut(text, max);

	ck_assert_str_eq(cut, want);
	free(cut);
}

START_TEST(a_cut_ends_at_a_whole_character)
{
	cut_is("abc", 10, "abc");
	cut_is("abc", 4, "abc");
	cut_is("abc", 3, "ab");
	cut_is("a\xc3\xa4o", 3, "a");
	cut_is("a\xc3\xa4o", 4, "a\xc3\xa4");
	cut_is("\xf0\x9f\x98\x80", 4, "");
	cut_is("", 1, "");
}
END_TEST

START_TEST(what_is_no_text_becomes_a_question_mark)
{
	static const char *const rows[][2] = {
		{ "a\tb\nc", "a\tb\nc" },
		{ "\x01\x7f\r", "???" },
		{ "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80",
		    "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80" },
		{ "\xc3", "?" },
		{ "\xc0\xaf", "??" },			/* overlong */
		{ "\xed\xa0\x80", "???" },		/* a surrogate */
		{ "\xf4\x90\x80\x80", "????" },		/* beyond the end */
		{ "\xe2\x82", "??" },
	};
	char *clean;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ck_assert_ptr_nonnull(clean = text_clean(rows[i][0]));
		ck_assert_msg(strcmp(clean, rows[i][1]) == 0, "row %zu", i);
		free(clean);
	}
}
END_TEST

START_TEST(utf16_counts_two_for_what_is_beyond_the_first_plane)
{
	char text[64] = "a\xc3\xa4\xf0\x9f\x98\x80z";

	text_cut_utf16(text, 5);
	ck_assert_str_eq(text, "a\xc3\xa4\xf0\x9f\x98\x80z");
	text_cut_utf16(text, 4);
	ck_assert_str_eq(text, "a\xc3\xa4\xf0\x9f\x98\x80");
	text_cut_utf16(text, 3);
	ck_assert_str_eq(text, "a\xc3\xa4");
	text_cut_utf16(text, 0);
	ck_assert_str_eq(text, "");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("reconciled text");
	TCase *tc = tcase_create("text");
	SRunner *sr;
	int bad;

	tcase_add_test(tc, a_cut_ends_at_a_whole_character);
	tcase_add_test(tc, what_is_no_text_becomes_a_question_mark);
	tcase_add_test(tc,
	    utf16_counts_two_for_what_is_beyond_the_first_plane);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	bad = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (bad == 0 ? 0 : 1);
}
