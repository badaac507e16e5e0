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
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "webhookd/json.h"

static int flags;

static int
good(const char *s, size_t len)
{
	const char *why;
	json_t *root;

	root = json_body_parse(s, len, flags, &why);
	ck_assert((root == NULL) == (why != NULL));
	json_decref(root);
	return (root != NULL);
}

#define GOOD(s)	ck_assert_msg(good((s), sizeof(s) - 1), "refused: %s", s)
#define BAD(s)	ck_assert_msg(!good((s), sizeof(s) - 1), "accepted: %s", s)

START_TEST(good_texts_pass)
{
	const char *why;
	json_t *root;

	GOOD("{}");
	GOOD(" {\"a\": [1, -1, null, true, \"1e400 -0 ]]\"]} \n");
	GOOD("{\"a\":9223372036854775807,\"b\":-9223372036854775808}");
	GOOD("{\"a\":\"\\\"{\\\\\",\"b\":0}");
	root = json_body_parse("{\"a\":9007199254740993}", 22, 0, &why);
	ck_assert(json_integer_value(json_object_get(root, "a")) ==
	    9007199254740993LL);
	json_decref(root);
}
END_TEST

START_TEST(plain_fractions_pass_where_they_are_let)
{
	flags = JSON_BODY_REALS;
	GOOD("{\"sort_order\":265535.0,\"a\":-0.5}");
	BAD("{\"a\":1e400}");
	BAD("{\"a\":1.5e3}");
	BAD("{\"a\":1.2.3}");
	BAD("{\"a\":-0}");
	BAD("{\"a\":9223372036854775808}");
	BAD("{\"a\":0.00000000000000000000000000000000000000000000001}");
	flags = 0;
}
END_TEST

START_TEST(inexact_numbers_are_refused)
{
	BAD("{\"a\":1e400}");
	BAD("{\"a\":1e2}");
	BAD("{\"a\":1.0}");
	BAD("{\"a\":-0}");
	BAD("{\"a\":01}");
	BAD("{\"a\":+1}");
	BAD("{\"a\":9223372036854775808}");
	BAD("{\"a\":-9223372036854775809}");
	BAD("{\"a\":99999999999999999999}");
	BAD("{\"a\":NaN}");
	BAD("{\"a\":-}");
	BAD("{\"a\":Infinity}");
}
END_TEST

START_TEST(double_keys_are_refused)
{
	BAD("{\"a\":1,\"a\":1}");
	BAD("{\"b\":{\"a\":1,\"\\u0061\":2}}");
	BAD("{\"__proto__\":1}");
	BAD("{\"a\":[{\"__proto__\":{}}]}");
}
END_TEST

START_TEST(no_object_is_refused)
{
	BAD("");
	BAD("[]");
	BAD("1");
	BAD("\"a\"");
	BAD("null");
	BAD("{");
	BAD("}");
	BAD("]{");
	BAD("{}{}");
	BAD("{\"a\":1,}");
	BAD("{\"a\":\"\\u0000\"}");
	BAD("{\"a\":\"\xff\"}");
	BAD("{\"a\":\"\0\"}");
	BAD("{\"a");
	BAD("{\"a\\");
}
END_TEST

/* {"a":[[[ ... ]]]}: n arrays inside the object. */
static int
nested(size_t n)
{
	char *s = malloc(2 * n + 16);
	int res;

	ck_assert_ptr_nonnull(s);
	memcpy(s, "{\"a\":", 5);
	memset(s + 5, '[', n);
	memset(s + 5 + n, ']', n);
	s[5 + 2 * n] = '}';
	res = good(s, 6 + 2 * n);
	free(s);
	return (res);
}

START_TEST(depth_is_bounded)
{
	ck_assert(nested(JSON_BODY_DEPTH_MAX - 1));
	ck_assert(!nested(JSON_BODY_DEPTH_MAX));
	ck_assert(!nested(10000));
	ck_assert(!nested(500000));
}
END_TEST

START_TEST(many_keys_are_refused)
{
	size_t n = 100000, at = 1, i;
	char *s = malloc(n * 12 + 16);

	ck_assert_ptr_nonnull(s);
	s[0] = '{';
	for (i = 0; i < n; i++)
		at += (size_t)snprintf(s + at, 12, "\"%zu\":0,", i);
	s[at - 1] = '}';
	ck_assert(!good(s, at));
	free(s);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("webhookd_json");
	TCase *tc = tcase_create("json");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, good_texts_pass);
	tcase_add_test(tc, plain_fractions_pass_where_they_are_let);
	tcase_add_test(tc, inexact_numbers_are_refused);
	tcase_add_test(tc, double_keys_are_refused);
	tcase_add_test(tc, no_object_is_refused);
	tcase_add_test(tc, depth_is_bounded);
	tcase_add_test(tc, many_keys_are_refused);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed != 0);
}
