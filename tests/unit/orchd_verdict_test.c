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

/* What a verdict belongs to: round, commit, code tree, artifacts. */

#include "engine_play.h"

#define A32 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HASH_A A32 A32
#define B32 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define HASH_B B32 B32
#define HEAD2 "2222222222222222222222222222222222222222"
#define TREE2 "3333333333333333333333333333333333333333"
#define PATCH "4444444444444444444444444444444444444444"
#define OTHER "5555555555555555555555555555555555555555"

static const char *const all_a[] = { "analyst=" HASH_A, "architect=" HASH_A,
	"reviewer=" HASH_A, "tester=" HASH_A, "deployer=" HASH_A, NULL };
static const char *const all_b[] = { "analyst=" HASH_B, "architect=" HASH_B,
	"reviewer=" HASH_B, "tester=" HASH_B, "deployer=" HASH_B, NULL };

static void
setup(void)
{
	fx_open("merge_retest_skip_when_current_enabled no",
	    "\tgate \"lint\" in analysis command \"x\"\n"
	    "\tgate \"style\" in review command \"x\"\n"
	    "\treview approval required\n");
	fx.artifacts = all_a;
}

static void
teardown(void)
{
	eng.e_quiescing = 0;
	fx_close();
}

/* Gate runs so far. */
static int64_t
judged(const char *gate)
{
	return (fx_int("SELECT count(*) FROM gate_result WHERE gate = '%s' "
	    "AND run <> 0", gate));
}

static int64_t
asked(void)
{
	return (fx_int("SELECT count(*) FROM outbox WHERE key LIKE 'ask:%%'"));
}

/* Play until a person is asked. */
static void
until_asked(const char *gate)
{
	while (fx_step())
		continue;
	ck_assert_str_eq(fx_task("DEMO-1", "asked_gate"), gate);
}

/* Another commit is the head, with this code tree, "" for the same. */
static void
new_head(const char *tree)
{
	fx_sql("UPDATE task SET head = '" HEAD2 "', published = '" HEAD2 "', "
	    "tree = CASE '%s' WHEN '' THEN tree ELSE '%s' END", tree, tree);
}

/* A gate of the stage that runs while the head moves. */
static struct {
	int		 sock;
	uint64_t	 run;
	char		 commit[ID_HEX], tree[ID_HEX];
} late;

/* A task that was approved, while the stage's last gate still runs. */
static void
approved_in(const char *stage)
{
	struct fx_spawn gate;
	struct fx_msg go;

	ck_assert_int_eq(fx_submit("tally", NULL), RES_OK);
	fx_play_until("DEMO-1", stage);
	until_asked(strcmp(stage, "review") == 0 ? "check_review_approved" :
	    "check_analysis_approved");
	ck_assert_int_eq(fx_act("approve", "DEMO-1", ""), RES_OK);
	fx_expect(&gate, KIND_GATE, strcmp(stage, "review") == 0 ? "style" :
	    "lint");
	late.sock = fx_connect_run(&gate, &go);
	late.run = gate.run;
	strlcpy(late.commit, go.any.run_go.commit, ID_HEX);
	strlcpy(late.tree, go.any.run_go.tree, ID_HEX);
	fx_free(&go);
}

/* It passes, at the commit that it was asked about. */
static void
late_pass(void)
{
	struct orch_run_done d = { .run = late.run, .verdict = GATE_PASS,
	    .commit = late.commit, .tree = late.tree,
	    .artifacts = { .l_argv = all_a } };

	ck_assert_int_eq(fx_result(late.sock, ORCH_run_done, &d), RES_OK);
	fx_leave(late.sock);
}

START_TEST(a_commit_that_only_hands_in_an_artifact_voids_nothing)
{
	int64_t n;

	approved_in("review");
	n = asked();
	new_head("");
	late_pass();
	/* The reviewer's verdict, the approval and the gate hold for it. */
	ck_assert_str_eq(fx_task("DEMO-1", "stage"), "testing");
	ck_assert_int_eq(asked(), n);
	ck_assert_int_eq(judged("check_reviewer_verdict"), 1);
	ck_assert_int_eq(judged("style"), 1);
	fx_sound();
}
END_TEST

START_TEST(a_commit_that_changes_the_code_tree_voids_all)
{
	struct fx_spawn gate;
	int64_t n;

	approved_in("review");
	n = asked();
	new_head(TREE2);
	late_pass();
	ck_assert_str_eq(fx_task("DEMO-1", "stage"), "review");
	until_asked("check_review_approved");
	ck_assert_int_eq(judged("check_reviewer_verdict"), 2);
	ck_assert_int_eq(asked(), n + 1);
	ck_assert_str_eq(fx_task("DEMO-1", "asked_commit"), HEAD2);
	ck_assert_int_eq(fx_act("approve", "DEMO-1", ""), RES_OK);
	fx_expect(&gate, KIND_GATE, "style");
}
END_TEST

START_TEST(an_approval_of_the_analysis_is_bound_to_its_artifacts)
{
	int64_t n;

	approved_in("analysis");
	n = asked();
	new_head("");
	if (_i == 1) {
		fx_sql("UPDATE artifact SET hash = '" HASH_B "' "
		    "WHERE role = 'analyst'");
		fx.artifacts = all_b;
	}
	late_pass();
	while (fx_step())
		continue;
	/* The code tree is the same each time; the blobs decide. */
	ck_assert_int_eq(strcmp(fx_task("DEMO-1", "stage"), "analysis") == 0,
	    _i == 1);
	ck_assert_int_eq(judged("check_analysis_complete"), 1 + _i);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM outbox WHERE key LIKE "
	    "'ask:%%:2:%%'"), n + _i);
}
END_TEST

START_TEST(artifacts_that_nobody_names_are_not_the_same)
{
	/* Runners of an older version say nothing of them. */
	fx.artifacts = NULL;
	approved_in("analysis");
	ck_assert_int_eq(fx_int("SELECT count(*) FROM artifact"), 0);
	new_head("");
	late_pass();
	until_asked("check_analysis_approved");
	ck_assert_int_eq(judged("check_analysis_complete"), 2);
}
END_TEST

START_TEST(a_fail_ends_when_the_role_hands_in_another_artifact)
{
	strlcpy(fx.script.name, "check_reviewer_verdict",
	    sizeof(fx.script.name));
	fx.script.times = 1;
	fx.script.verdict = GATE_FAIL;
	fx.script.cause = CAUSE_BAD_ARTIFACT;
	ck_assert_int_eq(fx_submit("tally", NULL), RES_OK);
	fx_play_until("DEMO-1", "review");
	while (fx.script.times > 0)
		ck_assert_int_eq(fx_step(), 1);
	fx.artifacts = all_b;
	until_asked("check_review_approved");
	ck_assert_int_eq(judged("check_reviewer_verdict"), 2);
	ck_assert_int_eq(fx_task_int("DEMO-1", "rework"), 1);
	ck_assert_str_eq(fx_str("SELECT group_concat(artifacts, ' ') FROM "
	    "gate_result WHERE gate = 'check_reviewer_verdict'"),
	    HASH_A " " HASH_B);
	ck_assert_str_eq(fx_str("SELECT hash FROM artifact WHERE role = "
	    "'reviewer'"), HASH_B);
}
END_TEST

START_TEST(the_same_bad_artifact_again_is_not_judged_again)
{
	strlcpy(fx.script.name, "check_reviewer_verdict",
	    sizeof(fx.script.name));
	fx.script.times = 1;
	fx.script.verdict = GATE_FAIL;
	fx.script.cause = CAUSE_BAD_ARTIFACT;
	ck_assert_int_eq(fx_submit("tally", NULL), RES_OK);
	fx_play_until("DEMO-1", "cancelled");
	/* Its fail stands, the role has its reworks, then a person looks. */
	ck_assert_str_eq(fx_task("DEMO-1", "stage"), "review");
	ck_assert_str_eq(fx_task("DEMO-1", "parked"), "needs_input");
	ck_assert_int_eq(judged("check_reviewer_verdict"), 1);
}
END_TEST

START_TEST(a_rejection_is_for_the_commit_that_was_shown)
{
	ck_assert_int_eq(fx_submit("tally", NULL), RES_OK);
	until_asked("check_analysis_approved");
	ck_assert_int_eq(fx_act("reject", "DEMO-1", "more words"), RES_OK);
	/* The analyst hands in the same again: the person is asked again. */
	until_asked("check_analysis_approved");
	ck_assert_int_eq(asked(), 2);
	ck_assert_int_eq(judged("check_analysis_complete"), 1);
	ck_assert_int_eq(fx_act("approve", "DEMO-1", ""), RES_OK);
	fx_play_until("DEMO-1", "architecture");
	ck_assert_str_eq(fx_task("DEMO-1", "stage"), "architecture");
}
END_TEST

START_TEST(a_verdict_of_an_earlier_round_counts_no_more)
{
	strlcpy(fx.tree, TREE2, sizeof(fx.tree));
	ck_assert_int_eq(fx_submit("tally", NULL), RES_OK);
	fx_play_until("DEMO-1", "review");
	until_asked("check_review_approved");
	ck_assert_int_eq(fx_act("reject", "DEMO-1", "no"), RES_OK);
	ck_assert_int_eq(fx_task_int("DEMO-1", "round"), 1);
	/* The same code again: tested, reviewed and asked about anew. */
	until_asked("check_review_approved");
	ck_assert_str_eq(fx_task("DEMO-1", "stage"), "review");
	ck_assert_str_eq(fx_task("DEMO-1", "tree"), TREE2);
	ck_assert_int_eq(judged("check_tests_local"), 2);
	ck_assert_int_eq(judged("check_reviewer_verdict"), 2);
	ck_assert_int_eq(fx_act("approve", "DEMO-1", ""), RES_OK);
	fx_play_until("DEMO-1", "deploy-staging");
	ck_assert_str_eq(fx_task("DEMO-1", "stage"), "deploy-staging");
}
END_TEST

/* The edge's worker ends with ERROR after it pushed a merge commit. */
static void
ends_with_merge(const char *patch_judged, const char *patch)
{
	struct orch_end end = { .verdict = GATE_ERROR, .cause = CAUSE_INFRA,
	    .gate = "check_staging_image_fresh", .reason = "no image",
	    .head = HEAD2, .tree = TREE2, .patch_judged = patch_judged,
	    .patch = patch, .artifacts = { .l_argv = all_a } };
	struct fx_spawn s;
	struct fx_msg go;
	int sock;

	sock = fx_worker_in("deploy-staging", "edge", &s, &go);
	end.epoch = fx_begin(sock, &go.any.run_go);
	fx_free(&go);
	ck_assert_int_eq(fx_result(sock, ORCH_end, &end), RES_OK);
	fx_leave(sock);
	ck_assert_str_eq(fx_task("DEMO-1", "head"), HEAD2);
}

START_TEST(judgements_go_over_to_a_merge_with_the_same_patch)
{
	struct orch_gate g = { .gate = "check_staging_status",
	    .commit = HEAD2 };
	struct fx_spawn s;
	struct fx_msg go;
	int sock;

	ends_with_merge(PATCH, PATCH);
	ck_assert_str_eq(fx_task("DEMO-1", "stage"), "deploy-staging");
	ck_assert_str_eq(fx_task("DEMO-1", "tree"), TREE2);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM gate_result WHERE "
	    "commit_id = '" HEAD2 "'"), 1);
	ck_assert_str_eq(fx_str("SELECT gate || tree || verdict FROM "
	    "gate_result WHERE commit_id = '" HEAD2 "'"),
	    "check_reviewer_verdict" TREE2 "pass");
	ck_assert_str_eq(fx_str("SELECT gate || decision FROM approval WHERE "
	    "commit_id = '" HEAD2 "' AND tree = '" TREE2 "'"),
	    "check_review_approvedapproved");
	ck_assert_ptr_nonnull(strstr(fx_str("SELECT text FROM approval WHERE "
	    "commit_id = '" HEAD2 "'"), "same patch"));
	/* What is measured is measured again. */
	fx_tick(1000000);
	fx_expect(&s, KIND_TRANSITION, "edge");
	sock = fx_connect_run(&s, &go);
	ck_assert_str_eq(go.any.run_go.head, HEAD2);
	g.epoch = fx_begin(sock, &go.any.run_go);
	fx_free(&go);
	ck_assert_int_eq(chan_write_one(sock, ORCH_gate, 77, &g, -1,
	    FX_WAIT), 0);
	fx_expect(&s, KIND_GATE, "check_staging_status");
	fx_sound();
}
END_TEST

START_TEST(a_merge_with_another_patch_is_judged_again)
{
	/* Another patch, or a worker that says nothing of patches. */
	ends_with_merge(_i == 0 ? PATCH : "", _i == 0 ? OTHER : "");
	ck_assert_str_eq(fx_task("DEMO-1", "stage"), "development");
	ck_assert_int_eq(fx_task_int("DEMO-1", "round"), 1);
	ck_assert_ptr_nonnull(strstr(fx_task("DEMO-1", "feedback"),
	    "is not what was judged"));
	ck_assert_int_eq(fx_int("SELECT count(*) FROM gate_result WHERE "
	    "commit_id = '" HEAD2 "'"), 0);
	ck_assert_int_eq(fx.merges, 0);
	fx_sound();
}
END_TEST

START_TEST(nothing_is_merged_on_an_approval_of_other_code)
{
	fx_task_in("deploy-staging");
	fx_sql("UPDATE approval SET tree = '" TREE2 "', commit_id = '" OTHER
	    "' WHERE gate = 'check_review_approved'");
	fx_sql("UPDATE job SET status = 'cancelled' WHERE work = 'edge'");
	fx_sql("UPDATE run SET status = 'lost' WHERE work = 'edge'");
	fx_sql("UPDATE task SET drive_at = 1");
	fx_tick(1);
	ck_assert_str_eq(fx_task("DEMO-1", "stage"), "development");
	ck_assert_ptr_nonnull(strstr(fx_task("DEMO-1", "feedback"),
	    "check_review_approved"));
}
END_TEST

START_TEST(a_confirmation_depends_on_no_branch)
{
	struct fx_spawn s;

	fx_task_in("deploy");
	until_asked("check_deploy_status");
	ck_assert_str_eq(fx_task("DEMO-1", "asked_commit"),
	    fx_task("DEMO-1", "landed"));
	ck_assert_int_eq(fx_act("confirm", "DEMO-1", ""), RES_OK);
	/* The branch goes on, or is gone: what landed is confirmed. */
	fx_sql("UPDATE task SET head = '" HEAD2 "', tree = '" TREE2 "', "
	    "published = '" HEAD2 "', branch = ''");
	fx_tick(1);
	fx_expect(&s, KIND_TRANSITION, "deploy");
	ck_assert_str_eq(fx_task("DEMO-1", "asked_gate"),
	    "check_deploy_status");
}
END_TEST

/* Each decision that a person can be asked for. */
static const struct {
	const char	*verb, *stage, *gate;
} decisions[] = {
	{ "approve", "analysis", "check_analysis_approved" },
	{ "reject", "analysis", "check_analysis_approved" },
	{ "approve", "review", "check_review_approved" },
	{ "reject", "review", "check_review_approved" },
	{ "confirm", "deploy", "check_deploy_status" },
	{ "reject", "deploy", "check_deploy_status" },
};
#define NDECISIONS	(sizeof(decisions) / sizeof(decisions[0]))

static void
stale(const struct orch_action *good, const char *stage, int64_t seq,
    const char *commit)
{
	struct orch_action act = *good;
	char *before = fx_dump(), *after;

	act.stage = stage;
	act.seq = (uint64_t)((int64_t)good->seq + seq);
	act.commit = commit;
	ck_assert_int_eq(fx_act_full(&act), RES_STALE);
	after = fx_dump();
	ck_assert_str_eq(before, after);
	free(before);
	free(after);
}

START_TEST(a_decision_on_what_is_not_asked_now_is_refused)
{
	struct orch_action act = { .verb = decisions[_i].verb,
	    .task = "DEMO-1", .text = "because" };
	char stage[32], commit[ID_HEX];

	ck_assert_int_eq(fx_submit("tally", NULL), RES_OK);
	fx_play_until("DEMO-1", decisions[_i].stage);
	until_asked(decisions[_i].gate);
	strlcpy(stage, decisions[_i].stage, sizeof(stage));
	strlcpy(commit, fx_task("DEMO-1", "asked_commit"), sizeof(commit));
	act.seq = (uint64_t)fx_task_int("DEMO-1", "stage_seq");
	stale(&act, stage, 0, OTHER);
	stale(&act, stage, 0, "");
	commit[39] ^= 1;
	stale(&act, stage, 0, commit);
	commit[39] ^= 1;
	stale(&act, stage, 1, commit);
	stale(&act, stage, -1, commit);
	stale(&act, "testing", 0, commit);
	/* A new head: what was asked about before is not asked any more. */
	if (strcmp(stage, "deploy") != 0) {
		fx_sql("UPDATE task SET head = '" HEAD2 "', published = '"
		    HEAD2 "', drive_at = 1");
		fx_tick(1);
		stale(&act, stage, 0, commit);
		strlcpy(commit, HEAD2, sizeof(commit));
	}
	act.stage = stage;
	act.commit = commit;
	ck_assert_int_eq(fx_act_full(&act), RES_OK);
	ck_assert_str_eq(fx_str("SELECT commit_id FROM approval ORDER BY id "
	    "DESC"), commit);
	ck_assert_int_eq(fx_int("SELECT round FROM approval ORDER BY id DESC"),
	    0);
}
END_TEST

START_TEST(a_repeated_confirmation_of_another_commit_is_none)
{
	struct orch_action act = { .verb = "confirm", .task = "DEMO-1",
	    .stage = "deploy" };
	char commit[ID_HEX];

	fx_task_in("deploy");
	until_asked("check_deploy_status");
	strlcpy(commit, fx_task("DEMO-1", "asked_commit"), sizeof(commit));
	act.seq = (uint64_t)fx_task_int("DEMO-1", "stage_seq");
	act.commit = commit;
	ck_assert_int_eq(fx_act_full(&act), RES_OK);
	ck_assert_int_eq(fx_act_full(&act), RES_OK);
	ck_assert_ptr_nonnull(strstr(fx_said, "already-initiated"));
	stale(&act, "deploy", 0, OTHER);
	ck_assert_ptr_nonnull(strstr(fx_said, "not 555555555555"));
	ck_assert_int_eq(fx_int("SELECT count(*) FROM approval WHERE gate = "
	    "'check_deploy_status'"), 1);
}
END_TEST

START_TEST(any_decision_of_a_person_sets_rework_to_0)
{
	ck_assert_int_eq(fx_submit("tally", NULL), RES_OK);
	fx_play_until("DEMO-1", decisions[_i].stage);
	until_asked(decisions[_i].gate);
	fx_sql("UPDATE task SET rework = 2");
	ck_assert_int_eq(fx_act(decisions[_i].verb, "DEMO-1", "because"),
	    RES_OK);
	ck_assert_int_eq(fx_task_int("DEMO-1", "rework"), 0);
	ck_assert_int_eq(fx_task_int("DEMO-1", "round"),
	    strcmp(decisions[_i].verb, "reject") == 0 && _i > 1);
}
END_TEST

int
main(void)
{
	Suite *su = suite_create("verdict");
	TCase *tc = tcase_create("verdict");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc,
	    a_commit_that_only_hands_in_an_artifact_voids_nothing);
	tcase_add_test(tc, a_commit_that_changes_the_code_tree_voids_all);
	tcase_add_loop_test(tc,
	    an_approval_of_the_analysis_is_bound_to_its_artifacts, 0, 2);
	tcase_add_test(tc, artifacts_that_nobody_names_are_not_the_same);
	tcase_add_test(tc, a_fail_ends_when_the_role_hands_in_another_artifact);
	tcase_add_test(tc, the_same_bad_artifact_again_is_not_judged_again);
	tcase_add_test(tc, a_rejection_is_for_the_commit_that_was_shown);
	tcase_add_test(tc, a_verdict_of_an_earlier_round_counts_no_more);
	tcase_add_test(tc, judgements_go_over_to_a_merge_with_the_same_patch);
	tcase_add_loop_test(tc, a_merge_with_another_patch_is_judged_again, 0,
	    2);
	tcase_add_test(tc, nothing_is_merged_on_an_approval_of_other_code);
	tcase_add_test(tc, a_confirmation_depends_on_no_branch);
	tcase_add_loop_test(tc, a_decision_on_what_is_not_asked_now_is_refused,
	    0, NDECISIONS);
	tcase_add_test(tc, a_repeated_confirmation_of_another_commit_is_none);
	tcase_add_loop_test(tc, any_decision_of_a_person_sets_rework_to_0, 0,
	    NDECISIONS);
	suite_add_tcase(su, tc);
	fx_main_exit(su);
	return (1);
}
