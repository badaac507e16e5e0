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
 * The worker against an engine in shared memory: each crash point of each work
 * once, then the work again, and what must have happened has happened once.
 */

#include "finalizerd_world.h"

struct work_case {
	void	(*wc_reset)(void);
	void	(*wc_check)(void);
};

/*
 * Another worker takes up the work, if any is left: the engine closes a run
 * that said COMMIT or END.  kill_at 0: it may come to its end.
 */
static int
run_again(unsigned int kill_at, int after)
{
	if (eng->e_commits + eng->e_ends != 0)
		return (0);
	eng->e_kill_at = kill_at;
	eng->e_kill_after = after;
	return (run_worker());
}

/* Crash points are odd before and even after the engine stored message n/2. */
static void
crash_at(const struct work_case *wc, unsigned int one, unsigned int two)
{
	wc->wc_reset();
	ck_assert_int_eq(run_again((one + 1) / 2, one % 2 == 0), KILLED);
	if (two == 0 || run_again((two + 1) / 2, two % 2 == 0) == KILLED)
		ck_assert_int_eq(run_again(0, 0), 0);
	wc->wc_check();
}

/*
 * Kill it at each message, before and after the engine stored it; with
 * ORCH_TEST_PAIRS in the environment also its successor at each.
 */
static void
crash_everywhere(const struct work_case *wc)
{
	unsigned int n, one, two, pairs;

	wc->wc_reset();
	ck_assert_int_eq(run_again(0, 0), 0);
	wc->wc_check();
	n = eng->e_calls * 2;
	ck_assert_uint_ge(n, 8);
	pairs = getenv("ORCH_TEST_PAIRS") != NULL ? n : 0;
	for (one = 1; one <= n; one++)
		for (two = 0; two <= pairs; two++)
			crash_at(wc, one, two);
}

/* --- publish --- */

static void
publish_reset(void)
{
	world_reset("");
	go.work = "publish";
	go.stage = "development";
	go.head = oid_h;
}

static void
publish_check(void)
{
	ck_assert_str_eq(get_ref("refs/heads/" BRANCH), oid_h);
	ck_assert_str_eq(get_ref("refs/orchd/task/" TASK), oid_h);
	ck_assert_int_eq(eng->e_pull_opens, 1);
	ck_assert_str_eq(eng->e_pull_head, oid_h);
	ck_assert_int_eq(eng->e_ends, 1);
	ck_assert_int_eq(eng->e_verdict, GATE_PASS);
	ck_assert_str_eq(eng->e_end_head, oid_h);
}

START_TEST(publish_survives_a_crash_anywhere)
{
	static const struct work_case wc = { publish_reset, publish_check };

	crash_everywhere(&wc);
}
END_TEST

START_TEST(publish_refuses_a_branch_that_moved)
{
	publish_reset();
	set_ref("refs/heads/" BRANCH, oid_clash);
	ck_assert_int_eq(run_worker(), 0);
	ck_assert_int_eq(eng->e_verdict, GATE_ERROR);
	ck_assert_int_eq(eng->e_cause, CAUSE_MOVED);
	ck_assert_str_eq(get_ref("refs/heads/" BRANCH), oid_clash);
	ck_assert_int_eq(eng->e_journal[0].j_state, EFFECT_CONFLICT);
}
END_TEST

START_TEST(publish_never_forces)
{
	publish_reset();
	set_ref("refs/heads/" BRANCH, oid_clash);
	go.commit = oid_clash;	/* what we published; not in the new head */
	ck_assert_int_eq(run_worker(), 0);
	ck_assert_int_eq(eng->e_verdict, GATE_ERROR);
	ck_assert_str_eq(get_ref("refs/heads/" BRANCH), oid_clash);
	ck_assert_int_eq(eng->e_journal[0].j_state, EFFECT_FAILED);
}
END_TEST

START_TEST(publish_refuses_the_target)
{
	publish_reset();
	go.branch = "main";
	ck_assert_int_eq(run_worker(), 0);
	ck_assert_int_eq(eng->e_verdict, GATE_ERROR);
	ck_assert_str_eq(get_ref("refs/heads/main"), oid_t);
	ck_assert_uint_eq(eng->e_njournal, 0);
}
END_TEST

START_TEST(publish_before_development_opens_no_pull)
{
	publish_reset();
	go.stage = "analysis";
	ck_assert_int_eq(run_worker(), 0);
	ck_assert_int_eq(eng->e_verdict, GATE_PASS);
	ck_assert_int_eq(eng->e_pull_opens, 0);
}
END_TEST

/* --- edge --- */

static void
edge_set(const char *head)
{
	world_reset(head);
	go.work = "edge";
	go.stage = "deploy-staging";
	go.head = go.commit = head;
	eng->e_pull = PULL_IS_OPEN;
}

static void
edge_ff_reset(void)
{
	edge_set(oid_h_ff);
}

static void
edge_ff_check(void)
{
	ck_assert_str_eq(get_ref("refs/heads/main"), oid_h_ff);
	ck_assert_int_eq(eng->e_lands, 1);
	ck_assert_int_eq(eng->e_commits, 1);
	ck_assert_str_eq(eng->e_to, "deploy");
	ck_assert_str_eq(eng->e_landed, oid_h_ff);
	ck_assert_str_eq(eng->e_previous, oid_t);
	ck_assert_int_eq(eng->e_pull, PULL_IS_MERGED);
}

START_TEST(edge_fast_forward_lands_once)
{
	static const struct work_case wc = { edge_ff_reset, edge_ff_check };

	crash_everywhere(&wc);
}
END_TEST

static void
edge_behind_reset(void)
{
	edge_set(oid_h);
}

static void
edge_behind_check(void)
{
	char err[256];
	uint64_t n;

	/* The feature's commit and one merge commit: no second merge. */
	ck_assert_int_eq(git_rev_count(&repo, oid_t,
	    get_ref("refs/heads/main"), &n, err,
	    sizeof(err)), GIT_OK);
	ck_assert_uint_eq(n, 2);
	ck_assert_int_eq(eng->e_lands, 1);
	ck_assert_int_eq(eng->e_commits, 1);
	ck_assert_str_eq(eng->e_to, "deploy");
	ck_assert_str_eq(eng->e_landed, get_ref("refs/heads/main"));
	ck_assert_str_eq(eng->e_landed, get_ref("refs/heads/" BRANCH));
	ck_assert_str_eq(eng->e_previous, oid_t);
}

START_TEST(edge_behind_merges_once)
{
	static const struct work_case wc = { edge_behind_reset,
	    edge_behind_check };

	crash_everywhere(&wc);
}
END_TEST

START_TEST(a_commit_that_lost_its_race_gives_the_lease_back)
{
	edge_set(oid_h);
	eng->e_stale = 1;
	ck_assert_int_eq(run_worker(), 0);
	ck_assert_int_eq(eng->e_commits, 1);
	ck_assert_int_eq(eng->e_ends, 1);
	ck_assert_int_eq(eng->e_verdict, GATE_ERROR);
	ck_assert_int_eq(eng->e_cause, CAUSE_MOVED);
}
END_TEST

START_TEST(edge_conflict_names_the_files)
{
	edge_set(oid_clash);
	ck_assert_int_eq(run_worker(), 0);
	ck_assert_int_eq(eng->e_verdict, GATE_FAIL);
	ck_assert_int_eq(eng->e_cause, CAUSE_CONFLICT);
	ck_assert_ptr_nonnull(strstr(eng->e_reason, "in: b"));
	ck_assert_str_eq(get_ref("refs/heads/main"), oid_t);
	ck_assert_int_eq(eng->e_lands, 0);
}
END_TEST

START_TEST(edge_that_ends_with_a_pushed_merge_says_whose_patch_it_is)
{
	int crash;

	/* By the worker that pushed it, and by the successor of a dead one. */
	for (crash = 0; crash < 2; crash++) {
		edge_set(oid_h);
		go.options.l_data = "image=1";
		go.options.l_len = 8;
		go.options.l_n = 1;
		(void)strlcpy(eng->e_red_gate, "check_staging_image_fresh",
		    sizeof(eng->e_red_gate));
		eng->e_red_verdict = GATE_ERROR;
		while (crash && strcmp(get_ref("refs/heads/" BRANCH), oid_h) ==
		    0)
			ck_assert_int_eq(run_again(++eng->e_kill_at, 1),
			    KILLED);
		if (crash)
			(void)strlcpy(eng->e_red_gate, "check_staging_status",
			    sizeof(eng->e_red_gate));
		ck_assert_int_eq(run_again(0, 0), 0);
		ck_assert_int_eq(eng->e_verdict, GATE_ERROR);
		ck_assert_str_eq(eng->e_end_head,
		    get_ref("refs/heads/" BRANCH));
		ck_assert_str_ne(eng->e_end_head, oid_h);
		ck_assert_uint_eq(strlen(eng->e_end_tree), 40);
		ck_assert_uint_eq(strlen(eng->e_patch), 40);
		ck_assert_str_eq(eng->e_patch, eng->e_patch_judged);
		ck_assert_uint_eq(eng->e_artifacts, GIT_ARTIFACT_ROLES);
	}
}
END_TEST

START_TEST(edge_whose_merge_is_another_patch_lands_nothing_unjudged)
{
	edge_set(oid_near_h);
	set_ref("refs/heads/main", oid_near_t);
	ck_assert_int_eq(run_worker(), 0);
	ck_assert_int_eq(eng->e_verdict, GATE_FAIL);
	ck_assert_int_eq(eng->e_cause, CAUSE_CONFLICT);
	ck_assert_msg(strstr(eng->e_reason, "another patch") != NULL, "%s",
	    eng->e_reason);
	/* Before the re-test, and nothing is pushed. */
	ck_assert_int_eq(eng->e_gates, 1);
	ck_assert_str_eq(get_ref("refs/heads/" BRANCH), oid_near_h);
	ck_assert_str_eq(get_ref("refs/heads/main"), oid_near_t);
	ck_assert_str_eq(eng->e_end_head, oid_near_h);
	ck_assert_str_eq(eng->e_patch, "");
}
END_TEST

/* A file of the item in the records branch. */
static const char *
record_text(const char *name)
{
	static char text[4096];
	char path[300], err[256], *buf;
	size_t len;

	snprintf(path, sizeof(path), "docs/work-items/" TASK "/%s", name);
	ck_assert_int_eq(git_show_file(&repo,
	    get_ref("refs/heads/orchd/records"), path, sizeof(text) - 1, &buf,
	    &len, err, sizeof(err)), GIT_OK);
	strlcpy(text, buf, sizeof(text));
	free(buf);
	return (text);
}

START_TEST(edge_red_gate_lands_nothing)
{
	static const char *const gates[] = { "check_staging_status",
	    "check_branch_mergeable" };
	size_t i;

	for (i = 0; i < 2; i++) {
		edge_set(oid_h);
		(void)strlcpy(eng->e_red_gate, gates[i],
		    sizeof(eng->e_red_gate));
		eng->e_red_verdict = GATE_FAIL;
		ck_assert_int_eq(run_worker(), 0);
		ck_assert_int_eq(eng->e_verdict, GATE_FAIL);
		ck_assert_int_eq(eng->e_cause, CAUSE_RED);
		ck_assert_str_eq(get_ref("refs/heads/main"), oid_t);
		ck_assert_str_eq(get_ref("refs/heads/" BRANCH), oid_h);
		/* Nothing but what staging measured is on record. */
		ck_assert_uint_eq(eng->e_njournal, 1);
		ck_assert_int_eq(strncmp(eng->e_journal[0].j_key,
		    "records:" TASK ":15:", strlen("records:" TASK ":15:")),
		    0);
		ck_assert_ptr_nonnull(strstr(record_text("15-staging-log.md"),
		    i == 0 ? "FAILED" : "SUCCESS"));
	}
}
END_TEST

START_TEST(edge_staging_measured_again_is_recorded_again)
{
	edge_set(oid_h);
	(void)strlcpy(eng->e_red_gate, "check_branch_mergeable",
	    sizeof(eng->e_red_gate));
	eng->e_red_verdict = GATE_ERROR;
	eng->e_gate_ms = 1700000000000;
	ck_assert_int_eq(run_worker(), 0);
	ck_assert_int_eq(eng->e_verdict, GATE_ERROR);
	ck_assert_ptr_nonnull(strstr(record_text("15-staging-log.md"),
	    "2023-11-14T22:13:20Z"));
	eng->e_red_gate[0] = '\0';
	eng->e_ends = 0;
	eng->e_gate_ms += 60000;
	ck_assert_int_eq(run_worker(), 0);
	ck_assert_int_eq(eng->e_commits, 1);
	ck_assert_ptr_nonnull(strstr(record_text("15-staging-log.md"),
	    "2023-11-14T22:14:20Z"));
}
END_TEST

START_TEST(edge_target_moved_is_tested_again)
{
	edge_set(oid_h);
	eng->e_move_target = 1;
	(void)strlcpy(eng->e_moved_to, oid_t2, sizeof(eng->e_moved_to));
	ck_assert_int_eq(run_worker(), 0);
	ck_assert_int_eq(eng->e_commits, 1);
	ck_assert_int_eq(eng->e_lands, 1);
	ck_assert_int_eq(eng->e_gates, 3);	/* staging, M, M again */
	ck_assert_str_eq(eng->e_previous, oid_t2);
	ck_assert_str_eq(eng->e_landed, get_ref("refs/heads/main"));
}
END_TEST

START_TEST(edge_target_moving_for_ever_is_bounded)
{
	static const char opt[] = "merge_infra_max_retries=0";

	edge_set(oid_h);
	go.options.l_data = opt;
	go.options.l_len = sizeof(opt);
	go.options.l_n = 1;
	eng->e_move_target = 5;
	(void)strlcpy(eng->e_moved_to, oid_t2, sizeof(eng->e_moved_to));
	ck_assert_int_eq(run_worker(), 0);
	ck_assert_int_eq(eng->e_ends, 1);
	ck_assert_int_eq(eng->e_verdict, GATE_ERROR);
	ck_assert_int_eq(eng->e_cause, CAUSE_MOVED);
	ck_assert_int_eq(eng->e_lands, 0);
}
END_TEST

START_TEST(edge_other_head_is_refused)
{
	edge_set(oid_h);
	set_ref("refs/heads/" BRANCH, oid_clash);
	ck_assert_int_eq(run_worker(), 0);
	ck_assert_int_eq(eng->e_verdict, GATE_ERROR);
	ck_assert_int_eq(eng->e_cause, CAUSE_MOVED);
	ck_assert_int_eq(eng->e_lands, 0);
}
END_TEST

START_TEST(edge_merged_by_hand_needs_a_pass)
{
	edge_set(oid_h_ff);
	set_ref("refs/heads/main", oid_h_ff);
	(void)strlcpy(eng->e_red_gate, "check_branch_mergeable",
	    sizeof(eng->e_red_gate));
	eng->e_red_verdict = GATE_FAIL;
	ck_assert_int_eq(run_worker(), 0);
	ck_assert_int_eq(eng->e_commits, 0);
	edge_set(oid_h_ff);
	set_ref("refs/heads/main", oid_h_ff);
	ck_assert_int_eq(run_worker(), 0);
	ck_assert_int_eq(eng->e_commits, 1);
	ck_assert_int_eq(eng->e_lands, 0);	/* it was there already */
}
END_TEST

START_TEST(edge_stop_takes_effect_between_effects)
{
	int k;

	for (k = 2; k <= 14; k++) {
		edge_set(oid_h);
		eng->e_stop_at = k;
		ck_assert_int_eq(run_worker(), 0);
		ck_assert_int_eq(eng->e_dones, 1);
		ck_assert_int_eq(eng->e_commits + eng->e_ends, 1);
		/* What was begun has an end on record. */
		if (eng->e_njournal > 0)
			ck_assert_int_eq(
			    eng->e_journal[eng->e_njournal - 1].j_state,
			    EFFECT_DONE);
		if (eng->e_ends)
			ck_assert_int_eq(eng->e_cause, CAUSE_STOPPED);
		/* Before the merge's intent (call 10) nothing more begins. */
		ck_assert_int_eq(eng->e_lands, k < 10 ? 0 : 1);
	}
}
END_TEST

START_TEST(fenced_worker_does_nothing)
{
	edge_set(oid_h_ff);
	eng->e_fence = 1;
	ck_assert_int_eq(run_worker(), 0);
	ck_assert_int_eq(eng->e_lands, 0);
	ck_assert_int_eq(eng->e_ends, 0);
	ck_assert_int_eq(eng->e_commits, 0);
	ck_assert_int_eq(eng->e_dones, 1);
	ck_assert_str_eq(get_ref("refs/heads/main"), oid_t);
}
END_TEST

/* --- deploy, finish, close --- */

static void
deploy_reset(void)
{
	world_reset(oid_h_ff);
	go.work = "deploy";
	go.stage = "deploy";
	go.commit = oid_h_ff;
	go.base = oid_t;
}

static void
deploy_check(void)
{
	ck_assert_int_eq(eng->e_hooks, 1);
	ck_assert_int_eq(eng->e_ends, 1);
	ck_assert_int_eq(eng->e_verdict, GATE_PASS);
	ck_assert_int_eq(eng->e_journal[0].j_state, EFFECT_DONE);
}

START_TEST(deploy_starts_the_hook_once)
{
	static const struct work_case wc = { deploy_reset, deploy_check };

	crash_everywhere(&wc);
}
END_TEST

static void
rollback_reset(void)
{
	world_reset(oid_h_ff);
	go.work = "rollback";
	go.stage = "done";
	go.commit = oid_h_ff;
	go.base = oid_t;
}

static void
rollback_check(void)
{
	char key[256];

	(void)snprintf(key, sizeof(key), "rollback:%s:%s", TASK, oid_h_ff);
	ck_assert_str_eq(eng->e_hook_key, key);
	ck_assert_str_eq(eng->e_landed, oid_t);	/* what it deploys */
	ck_assert_int_eq(eng->e_hooks, 1);
	ck_assert_int_eq(eng->e_ends, 1);
	ck_assert_int_eq(eng->e_verdict, GATE_PASS);
	ck_assert_int_eq(eng->e_commits, 0);
	ck_assert_int_eq(eng->e_journal[0].j_state, EFFECT_DONE);
	ck_assert_str_eq(eng->e_journal[0].j_name, "rollback");
}

START_TEST(rollback_starts_the_hook_once_for_what_served_before)
{
	static const struct work_case wc = { rollback_reset,
	    rollback_check };

	crash_everywhere(&wc);
}
END_TEST

#define ROLLED	"---\npost_deploy_status: DEGRADED\n" \
	"action_taken: ROLLBACK\n---\n"

static void
record_reset(void)
{
	rollback_reset();
	go.work = "record";
	go.feedback.b_data = (const uint8_t *)ROLLED;
	go.feedback.b_len = strlen(ROLLED);
}

static void
record_check(void)
{
	ck_assert_str_eq(record_text("16-post-deploy-log.md"), ROLLED);
	ck_assert_int_ge(eng->e_records, 1);
	ck_assert_int_eq(eng->e_ends, 1);
	ck_assert_int_eq(eng->e_verdict, GATE_PASS);
	ck_assert_uint_eq(eng->e_njournal, 1);
}

START_TEST(a_rollback_is_recorded_once)
{
	static const struct work_case wc = { record_reset, record_check };

	crash_everywhere(&wc);
}
END_TEST

static void
finish_reset(void)
{
	static const char opt[] = "exit=0";

	world_reset(oid_h_ff);
	go.work = "finish";
	go.stage = "deploy";
	go.commit = oid_h_ff;
	go.author = "operator";
	go.options.l_data = opt;
	go.options.l_len = sizeof(opt);
	go.options.l_n = 1;
}

static void
finish_check(void)
{
	char err[256], *buf;
	uint64_t n;
	size_t len;

	ck_assert_int_eq(git_rev_count(&repo, NULL,
	    get_ref("refs/heads/orchd/records"), &n, err,
	    sizeof(err)), GIT_OK);
	ck_assert_uint_eq(n, 1);
	ck_assert_int_eq(git_show_file(&repo,
	    get_ref("refs/heads/orchd/records"),
	    "docs/work-items/" TASK "/14-deploy-log.md", 65536, &buf, &len,
	    err, sizeof(err)), GIT_OK);
	ck_assert_ptr_nonnull(strstr(buf, "SUCCESS"));
	free(buf);
	ck_assert_int_eq(eng->e_commits, 1);
	ck_assert_str_eq(eng->e_to, "done");
	ck_assert_int_ge(eng->e_records, 1);
	ck_assert_str_eq(get_ref("refs/heads/main"), oid_t);
}

START_TEST(finish_records_once)
{
	static const struct work_case wc = { finish_reset, finish_check };

	crash_everywhere(&wc);
}
END_TEST

START_TEST(failed_deploy_goes_back)
{
	static const char opt[] = "exit=1";

	finish_reset();
	go.options.l_data = opt;
	ck_assert_int_eq(run_worker(), 0);
	ck_assert_str_eq(eng->e_to, "development");
	ck_assert_ptr_nonnull(strstr(eng->e_reason, "FAILED"));
}
END_TEST

static void
close_reset(void)
{
	world_reset(oid_h);
	go.work = "close";
	go.stage = "review";
	go.head = go.commit = oid_h;
	eng->e_pull = PULL_IS_OPEN;
}

static void
close_check(void)
{
	ck_assert_str_eq(get_ref("refs/heads/" BRANCH), "");
	ck_assert_str_eq(get_ref("refs/orchd/keep/" TASK), oid_h);
	ck_assert_int_eq(eng->e_deletes, 1);
	ck_assert_int_eq(eng->e_pull, PULL_IS_CLOSED);
	ck_assert_int_eq(eng->e_commits, 1);
	ck_assert_str_eq(eng->e_to, "cancelled");
}

START_TEST(close_deletes_once_and_keeps_the_state)
{
	static const struct work_case wc = { close_reset, close_check };

	crash_everywhere(&wc);
}
END_TEST

START_TEST(close_leaves_a_branch_that_moved)
{
	close_reset();
	set_ref("refs/heads/" BRANCH, oid_clash);
	ck_assert_int_eq(run_worker(), 0);
	ck_assert_str_eq(get_ref("refs/heads/" BRANCH), oid_clash);
	ck_assert_str_eq(eng->e_to, "cancelled");
	ck_assert_ptr_nonnull(strstr(eng->e_reason, "branch kept"));
}
END_TEST

/* Asked for during the merge, or while that was in doubt. */
START_TEST(close_cancels_nothing_that_has_landed)
{
	close_reset();
	set_ref("refs/heads/main", oid_h);
	ck_assert_int_eq(run_worker(), 0);
	ck_assert_int_eq(eng->e_commits, 0);
	ck_assert_int_eq(eng->e_ends, 1);
	ck_assert_int_eq(eng->e_verdict, GATE_FAIL);
	ck_assert_ptr_nonnull(strstr(eng->e_reason, "cannot be cancelled"));
	ck_assert_str_eq(get_ref("refs/heads/" BRANCH), oid_h);
	ck_assert_int_eq(eng->e_pull, PULL_IS_OPEN);
}
END_TEST

/* A merge commit of ours is ours to delete. */
START_TEST(close_takes_our_merge_commit_too)
{
	close_reset();
	set_ref("refs/heads/" BRANCH, oid_t2);
	set_ref("refs/orchd/land-tip/" TASK, oid_t2);
	go.commit = oid_t;
	ck_assert_int_eq(run_worker(), 0);
	ck_assert_str_eq(get_ref("refs/heads/" BRANCH), "");
	ck_assert_str_eq(get_ref("refs/orchd/keep/" TASK), oid_t2);
}
END_TEST

/* The engine refuses the intent: a person cancelled meanwhile. */
START_TEST(cancel_between_effects_is_no_failure)
{
	edge_set(oid_h);
	eng->e_refuse = 1;
	ck_assert_int_eq(run_worker(), 0);
	ck_assert_int_eq(eng->e_verdict, GATE_ERROR);
	ck_assert_int_eq(eng->e_cause, CAUSE_STOPPED);
	ck_assert_int_eq(eng->e_lands, 0);
}
END_TEST

START_TEST(coverage_of_the_merge_commit_is_reported)
{
	static const char opt[] = "coverage=1";

	edge_set(oid_h);
	go.options.l_data = opt;
	go.options.l_len = sizeof(opt);
	go.options.l_n = 1;
	ck_assert_int_eq(run_worker(), 0);
	ck_assert_int_eq(eng->e_commits, 1);
	ck_assert_str_eq(eng->e_coverage, "83.2");
}
END_TEST

/* Options of the edge, one after the other. */
static void
edge_options(const char *opts, size_t len, uint32_t n)
{
	go.options.l_data = opts;
	go.options.l_len = len;
	go.options.l_n = n;
}

static void
image_reset(void)
{
	static const char opt[] = "image=1";

	edge_set(oid_h);	/* behind: staging serves H, M lands */
	edge_options(opt, sizeof(opt), 1);
}

static void
image_check(void)
{
	edge_behind_check();
	ck_assert_int_eq(eng->e_builds, 1);
	ck_assert_str_eq(eng->e_built, eng->e_landed);
	ck_assert_str_eq(eng->e_staged, eng->e_landed);
}

START_TEST(a_stale_image_is_built_and_checked_again_once)
{
	static const struct work_case wc = { image_reset, image_check };

	crash_everywhere(&wc);
}
END_TEST

START_TEST(a_fresh_image_is_not_built)
{
	static const char opt[] = "image=1";

	edge_set(oid_h_ff);	/* what staging serves is what lands */
	edge_options(opt, sizeof(opt), 1);
	ck_assert_int_eq(run_worker(), 0);
	ck_assert_int_eq(eng->e_commits, 1);
	ck_assert_int_eq(eng->e_builds, 0);
}
END_TEST

START_TEST(an_image_that_stays_stale_lands_nothing)
{
	image_reset();
	eng->e_staging_lies = 1;
	ck_assert_int_eq(run_worker(), 0);
	ck_assert_int_eq(eng->e_builds, 1);
	ck_assert_int_eq(eng->e_verdict, GATE_FAIL);
	ck_assert_int_eq(eng->e_lands, 0);
	ck_assert_str_eq(get_ref("refs/heads/main"), oid_t);
}
END_TEST

START_TEST(a_build_that_fails_is_red_and_not_repeated)
{
	size_t last;

	image_reset();
	eng->e_build_verdict = GATE_FAIL;
	ck_assert_int_eq(run_worker(), 0);
	ck_assert_int_eq(eng->e_builds, 1);
	ck_assert_int_eq(eng->e_verdict, GATE_FAIL);
	ck_assert_int_eq(eng->e_cause, CAUSE_RED);
	ck_assert_ptr_nonnull(strstr(eng->e_reason, "exit code 7"));
	ck_assert_int_eq(eng->e_lands, 0);
	last = eng->e_njournal - 1;
	ck_assert_str_eq(eng->e_journal[last].j_name, "image-build");
	ck_assert_int_eq(eng->e_journal[last].j_state, EFFECT_FAILED);
}
END_TEST

START_TEST(a_gate_that_waits_is_asked_again_until_it_answers)
{
	edge_set(oid_h_ff);
	(void)strlcpy(eng->e_red_gate, "check_branch_mergeable",
	    sizeof(eng->e_red_gate));
	eng->e_red_verdict = GATE_WAIT;
	eng->e_waits = 2;
	ck_assert_int_eq(run_worker(), 0);
	ck_assert_int_eq(eng->e_commits, 1);
	ck_assert_int_eq(eng->e_lands, 1);
}
END_TEST

START_TEST(a_gate_that_waits_for_ever_has_a_deadline)
{
	static const char opt[] = "ci_wait_timeout_s=1";

	edge_set(oid_h_ff);
	edge_options(opt, sizeof(opt), 1);
	(void)strlcpy(eng->e_red_gate, "check_branch_mergeable",
	    sizeof(eng->e_red_gate));
	eng->e_red_verdict = GATE_WAIT;
	eng->e_waits = -1;
	ck_assert_int_eq(run_worker(), 0);
	ck_assert_int_eq(eng->e_verdict, GATE_ERROR);
	ck_assert_int_eq(eng->e_cause, CAUSE_TIMEOUT);
	ck_assert_ptr_nonnull(strstr(eng->e_reason, "ci_wait_timeout_s"));
	ck_assert_int_eq(eng->e_lands, 0);
}
END_TEST

START_TEST(edge_without_staging_commands_lands)
{
	static const char opt[] = "staging=0";

	/* The gate is red when it is asked for: nobody may ask. */
	edge_set(oid_h);
	(void)strlcpy(eng->e_red_gate, "check_staging_status",
	    sizeof(eng->e_red_gate));
	eng->e_red_verdict = GATE_ERROR;
	go.options.l_data = opt;
	go.options.l_len = sizeof(opt);
	go.options.l_n = 1;
	ck_assert_int_eq(run_worker(), 0);
	ck_assert_int_eq(eng->e_commits, 1);
	ck_assert_int_eq(eng->e_lands, 1);
}
END_TEST

START_TEST(unknown_work_takes_no_lease)
{
	world_reset(oid_h);
	go.work = "dance";
	go.stage = "review";
	ck_assert_int_eq(run_worker(), 0);
	ck_assert_uint_eq(eng->e_epoch, 0);
	ck_assert_int_eq(eng->e_dones, 1);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("finalizerd worker");
	TCase *tc = tcase_create("work");
	SRunner *sr;
	int failed;

	tcase_add_unchecked_fixture(tc, world_make, world_remove);
	tcase_set_timeout(tc, getenv("ORCH_TEST_PAIRS") != NULL ? 1800 :
	    120);
	tcase_add_test(tc, publish_survives_a_crash_anywhere);
	tcase_add_test(tc, publish_refuses_a_branch_that_moved);
	tcase_add_test(tc, publish_never_forces);
	tcase_add_test(tc, publish_refuses_the_target);
	tcase_add_test(tc, publish_before_development_opens_no_pull);
	tcase_add_test(tc, edge_fast_forward_lands_once);
	tcase_add_test(tc, edge_behind_merges_once);
	tcase_add_test(tc,
	    a_commit_that_lost_its_race_gives_the_lease_back);
	tcase_add_test(tc, edge_conflict_names_the_files);
	tcase_add_test(tc,
	    edge_that_ends_with_a_pushed_merge_says_whose_patch_it_is);
	tcase_add_test(tc,
	    edge_whose_merge_is_another_patch_lands_nothing_unjudged);
	tcase_add_test(tc, edge_red_gate_lands_nothing);
	tcase_add_test(tc, edge_staging_measured_again_is_recorded_again);
	tcase_add_test(tc, edge_target_moved_is_tested_again);
	tcase_add_test(tc, edge_target_moving_for_ever_is_bounded);
	tcase_add_test(tc, edge_other_head_is_refused);
	tcase_add_test(tc, edge_merged_by_hand_needs_a_pass);
	tcase_add_test(tc, edge_stop_takes_effect_between_effects);
	tcase_add_test(tc, fenced_worker_does_nothing);
	tcase_add_test(tc, deploy_starts_the_hook_once);
	tcase_add_test(tc,
	    rollback_starts_the_hook_once_for_what_served_before);
	tcase_add_test(tc, a_rollback_is_recorded_once);
	tcase_add_test(tc, a_stale_image_is_built_and_checked_again_once);
	tcase_add_test(tc, a_fresh_image_is_not_built);
	tcase_add_test(tc, an_image_that_stays_stale_lands_nothing);
	tcase_add_test(tc, a_build_that_fails_is_red_and_not_repeated);
	tcase_add_test(tc, a_gate_that_waits_is_asked_again_until_it_answers);
	tcase_add_test(tc, a_gate_that_waits_for_ever_has_a_deadline);
	tcase_add_test(tc, finish_records_once);
	tcase_add_test(tc, failed_deploy_goes_back);
	tcase_add_test(tc, close_deletes_once_and_keeps_the_state);
	tcase_add_test(tc, close_leaves_a_branch_that_moved);
	tcase_add_test(tc, close_cancels_nothing_that_has_landed);
	tcase_add_test(tc, close_takes_our_merge_commit_too);
	tcase_add_test(tc, cancel_between_effects_is_no_failure);
	tcase_add_test(tc, coverage_of_the_merge_commit_is_reported);
	tcase_add_test(tc, edge_without_staging_commands_lands);
	tcase_add_test(tc, unknown_work_takes_no_lease);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed == 0 ? 0 : 1);
}
