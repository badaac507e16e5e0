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
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libcommon/fsutil.h"
#include "libcommon/redact.h"
#include "runner/runner.h"

START_TEST(set_replaces_and_needs_a_name)
{
	struct env e = { 0 };

	ck_assert_int_eq(env_set(&e, "A", "1"), 0);
	ck_assert_int_eq(env_set(&e, "AB", "2"), 0);
	ck_assert_int_eq(env_put(&e, "A=3=4"), 0);
	ck_assert_uint_eq(e.e_n, 2);
	ck_assert_str_eq(env_get(&e, "A"), "3=4");
	ck_assert_str_eq(env_get(&e, "AB"), "2");
	ck_assert_ptr_null(env_get(&e, "B"));
	ck_assert_int_eq(env_put(&e, "=x"), -1);
	ck_assert_int_eq(env_put(&e, "x"), -1);
	ck_assert_ptr_null(e.e_v[2]);
	env_free(&e);
}
END_TEST

START_TEST(base_has_nothing_of_the_caller)
{
	struct env e = { 0 };

	ck_assert_int_eq(setenv("LEAK", "x", 1), 0);
	ck_assert_int_eq(setenv("PATH", "/evil", 1), 0);
	ck_assert_int_eq(env_base(&e), 0);
	ck_assert_uint_eq(e.e_n, 5);
	ck_assert_ptr_null(env_get(&e, "LEAK"));
	ck_assert_str_eq(env_get(&e, "PATH"),
	    "/usr/local/bin:/usr/bin:/bin");
	ck_assert_str_eq(env_get(&e, "LANG"), "C.UTF-8");
	env_free(&e);
}
END_TEST

START_TEST(file_has_quoted_orch_variables_only)
{
	struct env e = { 0 };
	char path[] = "/tmp/orchd-env-XXXXXX", *buf;
	size_t len;

	close(mkstemp(path));
	ck_assert_int_eq(env_set(&e, "ORCH_X", "it's; rm -rf"), 0);
	ck_assert_int_eq(env_set(&e, "API_KEY", "secret"), 0);
	ck_assert_int_eq(env_write(&e, path), 0);
	ck_assert_int_eq(fs_read_file(path, 1000, &buf, &len), 0);
	ck_assert_str_eq(buf, "ORCH_X='it'\\''s; rm -rf'\n");
	free(buf);
	env_free(&e);
	unlink(path);
}
END_TEST

static int
hidden(const char *pair, const char *value)
{
	struct orch_run_spec spec;
	const char *const list[] = { pair, NULL };
	uint8_t *frame;
	const char *field = "";
	union orch_any msg;
	size_t len;
	char *copy;
	int rc;

	memset(&spec, 0, sizeof(spec));
	spec.env.l_argv = list;
	ck_assert_int_eq(orch_encode(ORCH_run_spec, 1, &spec, &frame, &len,
	    &field), 0);
	ck_assert_int_eq(orch_decode(ORCH_run_spec, frame + ORCH_HEADER_SIZE,
	    len - ORCH_HEADER_SIZE, ORCH_EXACT, &msg, &field), 0);
	env_redact(&msg.run_spec);
	ck_assert_ptr_nonnull(copy = redact_dup(value));
	rc = strcmp(copy, value) != 0;
	free(copy);
	free(frame);
	log_redact_clear();
	return (rc);
}

START_TEST(secrets_are_hidden_and_paths_are_not)
{
	ck_assert(hidden("API_KEY=abcdef123", "abcdef123"));
	ck_assert(hidden("MY_TOKEN=/abcdef123", "/abcdef123"));
	ck_assert(hidden("ANYTHING=abcdef123", "abcdef123"));
	ck_assert(!hidden("TOOLS=/opt/tools", "/opt/tools"));
	ck_assert(!hidden("BASE_URL=https://x.example", "https://x.example"));
	ck_assert(!hidden("ORCH_EXPECTED_REVISION=abcdef123", "abcdef123"));
	ck_assert(!hidden("N=1", "1"));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("runner_env");
	TCase *tc = tcase_create("env");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, set_replaces_and_needs_a_name);
	tcase_add_test(tc, base_has_nothing_of_the_caller);
	tcase_add_test(tc, file_has_quoted_orch_variables_only);
	tcase_add_test(tc, secrets_are_hidden_and_paths_are_not);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed == 0 ? 0 : 1);
}
