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

/*
 * Pull requests of the forge that are not the task's: those of others, with
 * what they may write into them, and the task's own when somebody changed it.
 */

#include "finalizerd_forge.h"

/* Anybody may write much into one of theirs: that many megabytes. */
static void
theirs(const char *branch, size_t mb)
{
	const size_t n = mb << 20, room = n + 200;
	char *much;
	int at;

	forge_set(branch, oid_clash);
	ck_assert_ptr_nonnull(much = malloc(room));
	at = snprintf(much, room, "{\"head\":\"%s\",\"base\":\"main\","
	    "\"title\":\"t\",\"body\":\"", branch);
	memset(much + at, 'x', n);
	memcpy(much + at + n, "\"}", 3);
	ck_assert_int_eq(fs_call("tok-boss", "POST", API "/pulls", much,
	    NULL), 201);
	free(much);
}

START_TEST(long_pull_requests_of_others_are_in_nobodys_way)
{
	begin("0");
	theirs("theirs/1", 5);
	theirs("theirs/2", 5);
	publish();
	ck_assert_msg(eng->e_verdict == GATE_PASS, "%s", eng->e_reason);
	ck_assert_int_eq(eng->e_pull, PULL_IS_OPEN);
	/* Its number is known then: no list is read any more. */
	fs_fault("{\"match\":\"GET .*/pulls\",\"kind\":\"status\","
	    "\"status\":500,\"times\":100}");
	go.pull = eng->e_pull_there;
	edge();
	ck_assert_msg(eng->e_commits == 1, "%s", eng->e_reason);
	ck_assert_str_eq(get_ref("refs/heads/main"), oid_h_ff);
	ck_assert_str_eq(forge_get("main"), oid_h_ff);
	fs_stop();
}
END_TEST


/* Somebody has set another target: it is not ours to merge there. */
START_TEST(one_that_was_turned_elsewhere_lands_nothing)
{
	begin("0");
	publish();
	forge_set("dev", oid_t);
	ck_assert_int_lt(fs_call("tok-boss", "PATCH", API "/pulls/1",
	    "{\"base\":\"dev\"}", NULL), 300);
	go.pull = 1;
	edge();
	ck_assert_int_eq(eng->e_verdict, GATE_ERROR);
	ck_assert_str_eq(forge_get("main"), oid_t);
	ck_assert_str_eq(forge_get("dev"), oid_t);
	ck_assert_msg(strstr(eng->e_reason, BRANCH " has no open pull request "
	    "onto main") != NULL, "%s", eng->e_reason);
	fs_stop();
}
END_TEST

int
main(void)
{
	Suite *su = suite_create("finalizerd pull requests");
	TCase *tc = tcase_create("forge");
	SRunner *sr;
	int failed;

	(void)curl_global_init(CURL_GLOBAL_DEFAULT);
	tcase_add_unchecked_fixture(tc, world_make, world_remove);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, long_pull_requests_of_others_are_in_nobodys_way);
	tcase_add_test(tc, one_that_was_turned_elsewhere_lands_nothing);
	suite_add_tcase(su, tc);
	sr = srunner_create(su);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed == 0 ? 0 : 1);
}
