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
 * What a forge makes of a merge itself: it lands under the merge and the
 * test of its head, and untested it freezes the lane.
 */

#include "engine_intake.h"

#define MADE	"00000000000000000000000000000000000000cc"

static struct fx_msg	 go;
static uint64_t		 epoch;
static int		 sock;

static void
teardown(void)
{
	fx_free(&go);
	fx_close();
}

static void
by_method(const char *method)
{
	char project[128];

	snprintf(project, sizeof(project), "ci none\n\tmerge-method %s",
	    method);
	fx_conf("serial_limit 10", project);
}

/* Item 7 is in its last stage, and its edge wants to run. */
static void
staged(void)
{
	asked();
	ck_assert_int_eq(item("Approved", ""), RES_OK);
	fx_play_until(KEY, "deploy-staging");
}

/* A worker inside that edge. */
static void
inside(void)
{
	struct fx_spawn s;

	do {
		ck_assert(fx_spawned(&s));
		if (strcmp(s.work, "edge") != 0)
			fx_play_spawn(&s);
	} while (strcmp(s.work, "edge") != 0);
	sock = fx_connect_run(&s, &go);
	epoch = fx_begin(sock, &go.any.run_go);
	ck_assert_uint_ne(epoch, 0);
}

static enum orch_result
landed(const char *commit, const char *merged, const char *tested)
{
	struct orch_landed l = { .epoch = epoch, .commit = commit, .tree =
	    "00000000000000000000000000000000000000aa", .previous = "",
	    .coverage = "", .merged = merged, .tested = tested };

	return (fx_result(sock, ORCH_landed, &l));
}

static enum orch_result
moved(void)
{
	struct orch_commit c = { epoch, "deploy-staging",
	    go.any.run_go.seq, "deploy", "merged" };

	return (fx_result(sock, ORCH_commit, &c));
}

/* check_branch_mergeable has passed on it in this round. */
static void
retested(const char *commit)
{
	fx_sql("INSERT INTO gate_result (task, round, stage_seq, gate, "
	    "commit_id, verdict, started_at) SELECT id, round, stage_seq, "
	    "'check_branch_mergeable', '%s', 'pass', 1 FROM task WHERE key "
	    "= '" KEY "'", commit);
}

static const char *
head(void)
{
	return (go.any.run_go.head);
}

/* The merge of the head is on record, as done or as begun. */
static void
merged(int done)
{
	char key[128];
	struct orch_effect e = { .epoch = epoch, .name = "merge", .key = key,
	    .class = CLASS_CAS };

	snprintf(key, sizeof(key), "merge:" KEY ":r%u:%s",
	    go.any.run_go.round, head());
	retested(head());
	if (done)
		fx_effect(sock, epoch, "merge", key, CLASS_CAS);
	else
		ck_assert_int_eq(fx_result(sock, ORCH_effect, &e), RES_OK);
}

static enum orch_result
seen_merged(void)
{
	struct orch_pull_seen m = { .project = "tally", .number = 3,
	    .branch = fx_task(KEY, "branch"), .state = PULL_IS_MERGED,
	    .landed = MADE };

	return (fx_result(seer, ORCH_pull_seen, &m));
}

static int64_t
frozen(void)
{
	int64_t n = fx_int("SELECT count(*) FROM untested");

	ck_assert_int_eq(fx_int("SELECT count(*) FROM alert WHERE kind = "
	    "'lane_frozen' AND subject = 'tally' AND cleared_at IS NULL"), n);
	return (n);
}

START_TEST(what_the_forge_made_lands_under_merge_and_test_of_its_head)
{
	by_method("squash");
	staged();
	inside();
	ck_assert_ptr_nonnull(memmem(go.any.run_go.options.l_data,
	    go.any.run_go.options.l_len, "merge_method=squash", 19));
	ck_assert_int_eq(landed(MADE, head(), head()), RES_REFUSED);
	retested(head());
	ck_assert_int_eq(landed(MADE, head(), head()), RES_REFUSED);
	merged(1);
	/* Neither a third commit's test, nor a merge of what landed. */
	ck_assert_int_eq(landed(MADE, head(), go.any.run_go.tree),
	    RES_REFUSED);
	ck_assert_int_eq(landed(MADE, "", ""), RES_REFUSED);
	ck_assert_int_eq(landed(MADE, MADE, MADE), RES_REFUSED);
	ck_assert_int_eq(landed(MADE, head(), MADE), RES_REFUSED);
	ck_assert_int_eq(moved(), RES_REFUSED);
	ck_assert_int_eq(landed(MADE, head(), head()), RES_OK);
	ck_assert_int_eq(frozen(), 0);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM merge_lease"), 0);
	ck_assert_int_eq(moved(), RES_OK);
	ck_assert_str_eq(fx_task(KEY, "landed"), MADE);
	ck_assert_str_eq(fx_task(KEY, "stage"), "deploy");
	fx_sound();
}
END_TEST

START_TEST(by_fast_forward_nothing_else_lands_than_what_was_tested)
{
	by_method("fast-forward-only");
	staged();
	inside();
	ck_assert_ptr_null(memmem(go.any.run_go.options.l_data,
	    go.any.run_go.options.l_len, "merge_method", 12));
	merged(1);
	ck_assert_int_eq(landed(MADE, head(), head()), RES_REFUSED);
	ck_assert_int_eq(landed(MADE, head(), ""), RES_REFUSED);
	ck_assert_int_eq(frozen(), 0);
	ck_assert_int_eq(landed(head(), "", ""), RES_OK);
	fx_sound();
}
END_TEST

START_TEST(an_untested_tree_freezes_the_lane_until_it_is_tested)
{
	by_method("merge");
	staged();
	inside();
	merged(1);
	ck_assert_int_eq(landed(MADE, head(), ""), RES_OK);
	ck_assert_int_eq(frozen(), 1);
	ck_assert_ptr_nonnull(strstr(fx_str("SELECT text FROM alert WHERE "
	    "kind = 'lane_frozen'"), "orchctl resume -p tally"));
	ck_assert_int_eq(fx_int("SELECT count(*) FROM merge_lease"), 1);
	ck_assert_int_eq(moved(), RES_REFUSED);
	/* Said again by the next worker, it is told once. */
	ck_assert_int_eq(landed(MADE, head(), ""), RES_OK);
	ck_assert_int_eq(frozen(), 1);
	ck_assert_int_eq(landed(MADE, head(), MADE), RES_REFUSED);
	retested(MADE);
	ck_assert_int_eq(landed(MADE, head(), MADE), RES_OK);
	ck_assert_int_eq(frozen(), 0);
	ck_assert_int_eq(moved(), RES_OK);
	fx_sound();
}
END_TEST

/* The next round has its own branch, from a target that has what is red. */
START_TEST(an_untested_tree_that_is_red_goes_back_and_the_lane_stays_frozen)
{
	struct orch_end end = { .verdict = GATE_FAIL, .cause = CAUSE_RED,
	    .gate = "check_branch_mergeable", .reason = "2 failed",
	    .head = "" };

	by_method("merge");
	staged();
	inside();
	merged(1);
	ck_assert_int_eq(landed(MADE, head(), ""), RES_OK);
	end.epoch = epoch;
	ck_assert_int_eq(fx_result(sock, ORCH_end, &end), RES_OK);
	ck_assert_str_eq(fx_task(KEY, "stage"), "development");
	ck_assert_str_eq(fx_task(KEY, "landed"), "");
	ck_assert_int_eq(frozen(), 1);
	fx_free(&go);
	fx_leave(sock);
	/* Its own next landing is not kept out, and ends it. */
	fx_play_until(KEY, "deploy-staging");
	inside();
	merged(1);
	ck_assert_int_eq(landed(MADE, head(), head()), RES_OK);
	ck_assert_int_eq(frozen(), 0);
	ck_assert_int_eq(moved(), RES_OK);
	fx_sound();
}
END_TEST

static enum orch_result
resume(const char *commit, const char *why)
{
	static const char *const args[] = { "lane=merge", "project=tally",
	    NULL };
	struct orch_action act = { .verb = "resume", .commit = commit,
	    .text = why, .args = { .l_argv = args } };

	return (fx_act_full(&act));
}

START_TEST(a_frozen_lane_lets_nobody_else_in_until_a_person_says_so)
{
	struct fx_spawn s;

	by_method("merge");
	ck_assert_int_eq(resume("", "looked"), RES_REFUSED);
	/* Another task's: as if item 8 had landed so. */
	fx_sql("INSERT INTO task (key, project, title, request, stage, "
	    "stage_since, parked, created_at) VALUES ('DEMO-8', 'tally', "
	    "'x', '', 'development', 1, 'blocked', 1)");
	fx_sql("INSERT INTO untested SELECT 'tally', id, '" MADE "', '" MADE
	    "', 1 FROM task WHERE key = 'DEMO-8'");
	staged();
	fx_tick(1000);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM job WHERE work = "
	    "'edge' AND status = 'queued'"), 1);
	ck_assert(!fx_spawned(&s));
	ck_assert_int_eq(resume("", " "), RES_REFUSED);
	ck_assert_int_eq(resume("dddddddd", "looked"), RES_REFUSED);
	ck_assert_int_eq(resume("", "looked"), RES_OK);
	ck_assert_int_eq(frozen(), 0);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM settlement WHERE "
	    "key = 'untested' AND reason = 'looked'"), 1);
	inside();
}
END_TEST

/* The webhook of the worker's own merge names a commit that it never pushed. */
START_TEST(its_own_merge_neither_stops_a_worker_nor_the_next_one)
{
	struct orch_end end = { .verdict = GATE_ERROR,
	    .cause = CAUSE_TRANSIENT, .reason = "away", .gate = "",
	    .head = "" };
	struct fx_msg m;

	by_method("squash");
	staged();
	inside();
	merged(0);
	ck_assert_int_eq(seen_merged(), RES_OK);
	ck_assert_int_eq(fx_read(sock, &m), 0);
	end.epoch = epoch;
	ck_assert_int_eq(fx_result(sock, ORCH_end, &end), RES_OK);
	fx_free(&go);
	fx_leave(sock);
	fx_tick(60000);
	inside();
	merged(1);
	ck_assert_int_eq(landed(MADE, head(), head()), RES_OK);
}
END_TEST

/* Sooner than a forge has asked for, no other worker is started. */
START_TEST(a_forge_that_wants_to_be_left_alone_is_for_so_long)
{
	static const struct { uint32_t s; int64_t least, most; } all[] = {
		{ 0, 0, 10000 }, { 300, 300000, 300000 },
		{ 900, 900000, 900000 }, { 4000000000U, 0, 10000 },
	};
	struct orch_end end = { .verdict = GATE_ERROR,
	    .cause = CAUSE_TRANSIENT, .reason = "HTTP 503", .gate = "",
	    .head = "", .wait_s = all[_i].s };
	int64_t at;

	by_method("merge");
	staged();
	inside();
	end.epoch = epoch;
	ck_assert_int_eq(fx_result(sock, ORCH_end, &end), RES_OK);
	at = fx_task_int(KEY, "drive_at") - fx.ms;
	ck_assert_int_ge(at, all[_i].least);
	ck_assert_int_le(at, all[_i].most);
	fx_free(&go);
	fx_leave(sock);
}
END_TEST

/* Before its own has begun, somebody was first. */
START_TEST(a_merge_by_hand_still_asks_the_owner_to_end)
{
	struct fx_msg m;

	by_method("squash");
	staged();
	inside();
	ck_assert_int_eq(seen_merged(), RES_OK);
	ck_assert(fx_read(sock, &m));
	ck_assert_uint_eq(m.h.h_type, ORCH_run_stop);
	fx_free(&m);
}
END_TEST

int
main(void)
{
	Suite *su = suite_create("landing");
	TCase *tc = tcase_create("made by the forge");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc,
	    what_the_forge_made_lands_under_merge_and_test_of_its_head);
	tcase_add_test(tc,
	    by_fast_forward_nothing_else_lands_than_what_was_tested);
	tcase_add_test(tc,
	    an_untested_tree_freezes_the_lane_until_it_is_tested);
	tcase_add_test(tc,
	    an_untested_tree_that_is_red_goes_back_and_the_lane_stays_frozen);
	tcase_add_test(tc,
	    a_frozen_lane_lets_nobody_else_in_until_a_person_says_so);
	tcase_add_test(tc,
	    its_own_merge_neither_stops_a_worker_nor_the_next_one);
	tcase_add_loop_test(tc,
	    a_forge_that_wants_to_be_left_alone_is_for_so_long, 0, 4);
	tcase_add_test(tc, a_merge_by_hand_still_asks_the_owner_to_end);
	suite_add_tcase(su, tc);
	fx_main_exit(su);
}
