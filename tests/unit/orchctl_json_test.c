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

#include "tests/unit/orchctl_fake.h"

static char *
written(const char *json, size_t len)
{
	char *text = NULL;
	size_t n = 0;
	FILE *fp = open_memstream(&text, &n);

	json_write(fp, json, len);
	fclose(fp);
	return (text);
}

static void
expect(const char *in, const char *want)
{
	char *got = written(in, strlen(in));

	ck_assert_str_eq(got, want);
	free(got);
}

START_TEST(json_is_written_as_it_is_with_one_line_end)
{
	expect("{\"a\":\"grün 日 \\u001b\"}",
	    "{\"a\":\"grün 日 \\u001b\"}\n");
	expect("{}\n", "{}\n");
	expect("", "\n");
}
END_TEST

START_TEST(json_cannot_drive_a_terminal)
{
	expect("\"\x7f\"", "\"\\u007f\"\n");
	expect("\"\xc2\x9b" "2J\"", "\"\\u009b2J\"\n");
	expect("\"\xe2\x80\xae\"", "\"\\u202e\"\n");
	expect("\"\xff\"", "\"\\ufffd\"\n");
	expect("\"\033[2J\"", "\"\\u001b[2J\"\n");
	expect("\"\xf0\x9f\x98\x80\"", "\"\xf0\x9f\x98\x80\"\n");
	expect("\"\xe2\x82", "\"\\ufffd\\ufffd\n");
}
END_TEST

START_TEST(json_stays_the_same_document)
{
	const char *in = "{\"t\":\"\xc2\x9b\x7f\",\n\t\"u\":1}";
	json_t *a = parse(in), *b;
	char *got = written(in, strlen(in));

	b = parse(got);
	ck_assert(json_equal(a, b));
	json_decref(a);
	json_decref(b);
	free(got);
}
END_TEST

START_TEST(missing_and_wrong_members_have_defaults)
{
	json_t *d = parse("{\"s\":5,\"n\":null,\"i\":\"x\",\"l\":{},"
	    "\"b\":true,\"r\":1.5,\"a\":[1,2]}");
	char b[32];

	ck_assert_str_eq(jstr(d, "s"), "");
	ck_assert_str_eq(jstr(d, "n"), "");
	ck_assert_str_eq(jstr(NULL, "n"), "");
	ck_assert_int_eq(jint(d, "i", -7), -7);
	ck_assert_int_eq(jint(d, "r", -7), 1);
	ck_assert_ptr_null(jlist(d, "l"));
	ck_assert_int_eq(jbool(d, "b"), 1);
	ck_assert_int_eq(jbool(d, "missing"), 0);
	ck_assert_str_eq(jshow(d, "s", b, sizeof(b)), "5");
	ck_assert_str_eq(jshow(d, "n", b, sizeof(b)), "-");
	ck_assert_str_eq(jshow(d, "b", b, sizeof(b)), "yes");
	ck_assert_str_eq(jshow(d, "a", b, sizeof(b)), "2");
	json_decref(d);
}
END_TEST

static void
fill(TCase *t)
{
	tcase_add_test(t, json_is_written_as_it_is_with_one_line_end);
	tcase_add_test(t, json_cannot_drive_a_terminal);
	tcase_add_test(t, json_stays_the_same_document);
	tcase_add_test(t, missing_and_wrong_members_have_defaults);
}

int
main(void)
{
	return (run_suite("orchctl_json", fill));
}
