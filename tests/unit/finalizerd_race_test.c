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
 * What others do to the target before our own look at it, and in the instant
 * of our move of it.
 */

#include "finalizerd_world.h"

/* After the worker has looked, and before git compares. */
static enum forge_result
raced_land(struct worker *w, const char *target, const char *new,
    const char *old, char *err, size_t errlen)
{
	if (eng->e_lands == 0)
		set_ref("refs/heads/main", oid_t2);
	return (counted_land(w, target, new, old, err, errlen));
}

static void
work_on(const char *work, const char *stage)
{
	world_reset(oid_h_ff);
	go.work = work;
	go.stage = stage;
	go.head = go.commit = oid_h_ff;
	eng->e_pull = PULL_IS_OPEN;
}

START_TEST(what_has_landed_is_not_landed_again)
{
	work_on("edge", "deploy-staging");
	set_ref("refs/heads/main", oid_h_ff);
	ck_assert_int_eq(run_worker(), 0);
	ck_assert_int_eq(eng->e_lands, 0);
	ck_assert_int_eq(eng->e_commits, 1);
}
END_TEST

START_TEST(what_has_landed_is_not_cancelled)
{
	work_on("close", "review");
	set_ref("refs/heads/main", oid_h_ff);
	ck_assert_int_eq(run_worker(), 0);
	ck_assert_int_eq(eng->e_commits, 0);
	ck_assert_int_eq(eng->e_verdict, GATE_FAIL);
}
END_TEST

/* A person merged it before its gates, and orchd had no part in that. */
START_TEST(what_was_merged_by_hand_is_ended)
{
	static const char opt[] = "outside=1";

	work_on("close", "review");
	set_ref("refs/heads/main", oid_h_ff);
	go.options.l_data = opt;
	go.options.l_len = sizeof(opt);
	go.options.l_n = 1;
	ck_assert_int_eq(run_worker(), 0);
	ck_assert_str_eq(eng->e_to, "cancelled");
	ck_assert_str_eq(get_ref("refs/heads/main"), oid_h_ff);
	ck_assert_str_eq(get_ref("refs/heads/" BRANCH), "");
}
END_TEST

START_TEST(what_others_pushed_is_not_overwritten)
{
	char err[256];
	int yes = 0;

	work_on("edge", "deploy-staging");
	counting.f_land = raced_land;
	ck_assert_int_eq(run_worker(), 0);
	ck_assert_int_eq(git_is_ancestor(&repo, oid_t2,
	    get_ref("refs/heads/main"), &yes, err, sizeof(err)), GIT_OK);
	ck_assert_msg(yes, "the push of others is gone from the target");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("finalizerd race");
	TCase *tc = tcase_create("race");
	SRunner *sr;
	int failed;

	tcase_add_unchecked_fixture(tc, world_make, world_remove);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, what_has_landed_is_not_landed_again);
	tcase_add_test(tc, what_has_landed_is_not_cancelled);
	tcase_add_test(tc, what_was_merged_by_hand_is_ended);
	tcase_add_test(tc, what_others_pushed_is_not_overwritten);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed == 0 ? 0 : 1);
}
