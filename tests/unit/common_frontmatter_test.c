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

#include "git_fixture.h"
#include "libcommon/frontmatter.h"

static struct fm fm;
static struct fm_error fe;

#define PARSE(s)	fm_parse(s, sizeof(s) - 1, &fm, &fe)
#define YAML(s)		fm_parse_yaml(s, sizeof(s) - 1, &fm, &fe)

/* Refused in this line with this word. */
static void
is_bad(int r, unsigned int line, const char *word)
{
	ck_assert_int_eq(r, -1);
	ck_assert_msg(fe.fe_line == line && strstr(fe.fe_text, word) != NULL,
	    "line %u: %s", fe.fe_line, fe.fe_text);
}

START_TEST(scalars_stay_text_and_know_their_line)
{
	static const char text[] = "---\ntype: review\nverdict: APPROVED\n"
	    "version: 1.10\nyes: no\noct: 010\nwhen: 2026-01-01\n"
	    "list: [a, b]\n---\nBody\n";
	unsigned int line = 0;

	ck_assert_int_eq(PARSE(text), 0);
	ck_assert_str_eq(fm_text(&fm, "verdict", &line), "APPROVED");
	ck_assert_uint_eq(line, 3);
	ck_assert_str_eq(fm_text(&fm, "version", NULL), "1.10");
	ck_assert_str_eq(fm_text(&fm, "yes", NULL), "no");
	ck_assert_str_eq(fm_text(&fm, "oct", NULL), "010");
	ck_assert_str_eq(fm_text(&fm, "when", NULL), "2026-01-01");
	ck_assert_uint_eq(fm_get(&fm, "list")->fn_n, 2);
	ck_assert_ptr_null(fm_text(&fm, "list", NULL));
	ck_assert_ptr_null(fm_text(&fm, "none", NULL));
	ck_assert_str_eq(text + fm.fm_body, "Body\n");
	ck_assert_uint_eq(fm.fm_body_line, 10);
	fm_free(&fm);
}
END_TEST

START_TEST(mark_cr_lf_and_dots_are_tolerated)
{
	ck_assert_int_eq(PARSE("\xef\xbb\xbf---\r\nverdict: A\r\n...\r\nx"),
	    0);
	ck_assert_str_eq(fm_text(&fm, "verdict", NULL), "A");
	fm_free(&fm);
	ck_assert_int_eq(PARSE("---\nverdict: A\n---"), 0);
	fm_free(&fm);
}
END_TEST

START_TEST(verdict_in_prose_does_not_count)
{
	is_bad(PARSE("Review\n---\nverdict: APPROVED\n---\n"), 1,
	    "no front matter");
	is_bad(PARSE(""), 1, "no front matter");
	is_bad(PARSE(" ---\nverdict: A\n---\n"), 1, "no front matter");
	is_bad(PARSE("----\nverdict: A\n----\n"), 1, "no front matter");
	ck_assert_int_eq(PARSE("---\na: b\n---\nverdict: APPROVED\n"), 0);
	ck_assert_ptr_null(fm_get(&fm, "verdict"));
	fm_free(&fm);
}
END_TEST

START_TEST(missing_end_is_refused)
{
	is_bad(PARSE("---\nverdict: A\n"), 3, "no end");
	is_bad(PARSE("---"), 2, "no end");
}
END_TEST

START_TEST(duplicate_key_is_refused_with_both_lines)
{
	is_bad(PARSE("---\nverdict: A\nx: y\nverdict: B\n---\n"), 4,
	    "in line 2");
	is_bad(PARSE("---\na:\n  b: 1\n  b: 2\n---\n"), 4, "twice");
}
END_TEST

START_TEST(malformed_yaml_is_refused_with_its_line)
{
	is_bad(PARSE("---\na: b\nc: \"open\n---\n"), 4, "malformed");
	is_bad(PARSE("---\na: b\n\tc: d\n---\n"), 3, "malformed");
	is_bad(PARSE("---\na: \033[2J\n---\n"), 2, "malformed");
	is_bad(PARSE("---\na: \xff\n---\n"), 2, "malformed");
}
END_TEST

START_TEST(root_that_is_no_mapping_is_refused)
{
	is_bad(PARSE("---\n- a\n---\n"), 2, "key: value");
	is_bad(PARSE("---\njust text\n---\n"), 2, "key: value");
	is_bad(PARSE("---\n---\n"), 2, "empty");
}
END_TEST

START_TEST(alias_bomb_anchor_and_tag_are_refused)
{
	is_bad(PARSE("---\na: &x [l, l]\nb: [*x, *x]\n---\n"), 2, "anchor");
	is_bad(PARSE("---\na: *x\n---\n"), 2, "alias");
	is_bad(PARSE("---\na: !!python/object x\n---\n"), 2, "tag");
	is_bad(PARSE("---\n<<: {a: b}\n? [x]\n: y\n---\n"), 3, "plain text");
}
END_TEST

START_TEST(depth_size_and_count_are_bounded)
{
	char *big = malloc(FM_SIZE_MAX + 100);
	size_t i;

	is_bad(PARSE("---\na: [[[[[[[[[[[]]]]]]]]]]]\n---\n"), 2, "nested");
	ck_assert_ptr_nonnull(big);
	memcpy(big, "---\na: ", 7);
	memset(big + 7, '[', FM_SIZE_MAX);
	memcpy(big + 7 + FM_SIZE_MAX, "\n---\n", 5);
	is_bad(fm_parse(big, FM_SIZE_MAX + 12, &fm, &fe), 2, "more than");
	memset(big, '[', 100000);
	is_bad(fm_parse_yaml(big, 100000, &fm, &fe), 1, "nested");
	for (i = 0; i < 12000; i++)
		memcpy(big + i * 4, "- a\n", 4);
	is_bad(fm_parse_yaml(big, 48000, &fm, &fe), 10000, "more than");
	free(big);
}
END_TEST

START_TEST(nul_byte_in_a_value_is_refused)
{
	is_bad(PARSE("---\na: \"x\\0y\"\n---\n"), 2, "NUL");
	is_bad(PARSE("---\na: x\0y\n---\n"), 2, "malformed");
}
END_TEST

START_TEST(whole_file_may_have_any_root_but_one_document)
{
	ck_assert_int_eq(YAML("tests:\n  - id: T1\n    type: unit\n"), 0);
	ck_assert_uint_eq(fm_get(&fm, "tests")->fn_item[0].fn_n, 2);
	ck_assert_uint_eq(fm_get(&fm, "tests")->fn_item[0].fn_line, 2);
	fm_free(&fm);
	ck_assert_int_eq(YAML("---\n- a\n"), 0);
	fm_free(&fm);
	is_bad(YAML("a: b\n---\nc: d\n"), 2, "more than one");
	is_bad(YAML(""), 1, "empty");
}
END_TEST

FX_MAIN("frontmatter",
    scalars_stay_text_and_know_their_line,
    mark_cr_lf_and_dots_are_tolerated,
    verdict_in_prose_does_not_count,
    missing_end_is_refused,
    duplicate_key_is_refused_with_both_lines,
    malformed_yaml_is_refused_with_its_line,
    root_that_is_no_mapping_is_refused,
    alias_bomb_anchor_and_tag_are_refused,
    depth_size_and_count_are_bounded,
    nul_byte_in_a_value_is_refused,
    whole_file_may_have_any_root_but_one_document)
