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

/* Tasks through the whole engine: rounds, parking, errors. */

#include "engine_play.h"

static void
setup(void)
{
	fx_open("transient_max 5", "");
}

static void
script(const char *name, int times, enum gate_verdict v, enum orch_cause c)
{
	strlcpy(fx.script.name, name, sizeof(fx.script.name));
	fx.script.times = times;
	fx.script.verdict = v;
	fx.script.cause = c;
}

static int64_t
results(const char *gate, const char *verdict)
{
	return (fx_int("SELECT count(*) FROM gate_result WHERE gate = '%s' "
	    "AND verdict = '%s'", gate, verdict));
}

START_TEST(a_task_travels_every_stage_in_order_and_nothing_runs_twice)
{
	fx_task_in("done");
	ck_assert_str_eq(fx_str("SELECT group_concat(to_stage, ' ') FROM "
	    "(SELECT to_stage FROM transition ORDER BY seq)"),
	    "analysis architecture development review testing "
	    "deploy-staging deploy done");
	ck_assert_uint_eq(fx.merges, 1);
	ck_assert_uint_eq(fx.deploys, 1);
	ck_assert_uint_eq(fx.agents, 5);
	/* Every gate of the table has a pass that names its commit. */
	ck_assert_int_eq(fx_int("SELECT count(DISTINCT gate) FROM gate_result"
	    " WHERE verdict = 'pass' AND length(commit_id) = 40 AND gate IN "
	    "('check_analysis_complete', 'check_architecture_done', "
	    "'check_tests_local', 'check_reviewer_verdict', "
	    "'check_tests_passed', 'check_branch_mergeable')"), 6);
	ck_assert_int_eq(fx_task_int("DEMO-1", "round"), 0);
	fx_sound();
}
END_TEST

/*
 * analysis stands for roles that fail alone; review, testing and the edge
 * go back to development.
 */
static const struct {
	const char	*gate;
	enum orch_cause	 cause;
	int		 back;		/* a round back */
	const char	*stage;
} fails[] = {
	{ "check_analysis_complete", CAUSE_BAD_ARTIFACT, 0, "analysis" },
	{ "check_architecture_done", CAUSE_BAD_ARTIFACT, 0, "architecture" },
	{ "check_tests_local", CAUSE_RED, 0, "development" },
	{ "check_reviewer_verdict", CAUSE_RED, 1, "review" },
	{ "check_reviewer_verdict", CAUSE_BAD_ARTIFACT, 0, "review" },
	{ "check_tests_passed", CAUSE_RED, 1, "testing" },
	{ "check_tests_passed", CAUSE_BAD_ARTIFACT, 0, "testing" },
	{ "check_branch_mergeable", CAUSE_RED, 1, "deploy-staging" },
	{ "check_branch_mergeable", CAUSE_CONFLICT, 1, "deploy-staging" },
};
#define NFAILS	((int)(sizeof(fails) / sizeof(fails[0])))

/* A person's decision sets rework to 0: note what is added to it before. */
static void
note_rework(void)
{
	fx_sql("CREATE TABLE added (n INTEGER)");
	fx_sql("CREATE TRIGGER adds AFTER UPDATE OF rework ON task WHEN "
	    "new.rework > old.rework BEGIN INSERT INTO added VALUES "
	    "(new.rework - old.rework); END");
}

static int64_t
reworks(void)
{
	return (fx_int("SELECT ifnull(sum(n), 0) FROM added"));
}

START_TEST(a_fail_adds_one_rework_and_only_a_backward_move_a_round)
{
	/* The re-test is not skipped, so that it can fail. */
	fx_conf("merge_retest_skip_when_current_enabled no", "");
	script(fails[_i].gate, 1, GATE_FAIL, fails[_i].cause);
	note_rework();
	fx_task_in("done");
	ck_assert_int_eq(results(fails[_i].gate, "fail"), 1);
	ck_assert_int_eq(reworks(), 1);
	ck_assert_int_eq(fx_task_int("DEMO-1", "round"), fails[_i].back);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM transition WHERE "
	    "from_stage = '%s' AND to_stage = 'development' AND seq > 4",
	    fails[_i].stage), fails[_i].back);
	fx_sound();
}
END_TEST

START_TEST(a_gate_that_fails_after_max_reworks_parks_and_a_person_resets_it)
{
	fx_conf("merge_retest_skip_when_current_enabled no", "");
	script(fails[_i].gate, -1, GATE_FAIL, fails[_i].cause);
	ck_assert_int_eq(fx_submit("tally", NULL), RES_OK);
	fx_play_until("DEMO-1", "done");
	ck_assert_str_eq(fx_task("DEMO-1", "parked"), "needs_input");
	ck_assert_str_eq(fx_task("DEMO-1", "stage"), fails[_i].stage);
	ck_assert_int_eq(fx_task_int("DEMO-1", "rework"), 3);
	ck_assert_int_eq(fx_task_int("DEMO-1", "round"), 3 * fails[_i].back);
	ck_assert_int_eq(results(fails[_i].gate, "fail"), 4);
	ck_assert_str_eq(fx_task("DEMO-1", "tracker_status"), "Needs Input");
	ck_assert_int_eq(fx_int("SELECT count(*) FROM alert WHERE kind = "
	    "'parked' AND cleared_at IS NULL"), 1);
	/* No agent runs while it is parked, however much time passes. */
	fx.agents = 0;
	fx_tick(100000000);
	ck_assert_int_eq(fx_step(), 0);
	ck_assert_uint_eq(fx.agents, 0);
	/* A person: rework 0, the round stays, and it reaches its end. */
	fx.script.times = 0;
	ck_assert_int_eq(fx_act("retry", "DEMO-1", ""), RES_OK);
	ck_assert_int_ge(fx_task_int("DEMO-1", "round"), 3 * fails[_i].back);
	ck_assert_int_le(fx_task_int("DEMO-1", "rework"), 1);
	fx_play_until("DEMO-1", "done");
	ck_assert_str_eq(fx_task("DEMO-1", "stage"), "done");
	fx_sound();
}
END_TEST

static const char *const erring[] = { "check_analysis_complete",
	"check_architecture_done", "check_tests_local",
	"check_reviewer_verdict", "check_tests_passed" };
#define NERRING	((int)(sizeof(erring) / sizeof(erring[0])))

START_TEST(an_error_never_passes_is_retried_transient_max_times_then_blocked)
{
	script(erring[_i], -1, GATE_ERROR, CAUSE_INFRA);
	ck_assert_int_eq(fx_submit("tally", NULL), RES_OK);
	fx_play_until("DEMO-1", "done");
	ck_assert_str_eq(fx_task("DEMO-1", "parked"), "blocked");
	ck_assert_str_eq(fx_task("DEMO-1", "tracker_status"), "Blocked");
	/* Once, and five times again. */
	ck_assert_int_eq(results(erring[_i], "error"), 6);
	ck_assert_int_eq(results(erring[_i], "pass"), 0);
	/* Nobody's fault: no rework, no round. */
	ck_assert_int_eq(fx_task_int("DEMO-1", "rework"), 0);
	ck_assert_int_eq(fx_task_int("DEMO-1", "round"), 0);
	fx.script.times = 0;
	ck_assert_int_eq(fx_act("retry", "DEMO-1", ""), RES_OK);
	fx_play_until("DEMO-1", "done");
	ck_assert_str_eq(fx_task("DEMO-1", "stage"), "done");
	fx_sound();
}
END_TEST

START_TEST(an_error_waits_for_its_back_off)
{
	struct fx_spawn s;

	script("check_analysis_complete", 1, GATE_ERROR, CAUSE_INFRA);
	ck_assert_int_eq(fx_submit("tally", NULL), RES_OK);
	while (fx.played[KIND_GATE] == 0)
		ck_assert_int_eq(fx_step(), 1);
	/* The first pause is 4 s at least: 2 s, doubled for one error. */
	fx_tick(1000);
	fx_tick(1000);
	ck_assert_int_eq(fx_spawned(&s), 0);
	ck_assert_str_eq(fx_task("DEMO-1", "waits"), "retry");
	fx_tick(4000);
	fx_expect(&s, KIND_GATE, "check_analysis_complete");
}
END_TEST

START_TEST(an_edge_that_could_not_run_is_retried_and_uses_no_round)
{
	fx_conf("merge_retest_skip_when_current_enabled no", "");
	script("check_branch_mergeable", -1, GATE_ERROR, CAUSE_TIMEOUT);
	ck_assert_int_eq(fx_submit("tally", NULL), RES_OK);
	fx_play_until("DEMO-1", "done");
	ck_assert_str_eq(fx_task("DEMO-1", "parked"), "blocked");
	ck_assert_str_eq(fx_task("DEMO-1", "stage"), "deploy-staging");
	ck_assert_int_eq(fx_task_int("DEMO-1", "round"), 0);
	ck_assert_int_eq(fx_task_int("DEMO-1", "rework"), 0);
	/* Once, and merge_infra_max_retries times again. */
	ck_assert_int_eq(results("check_branch_mergeable", "error"), 4);
	ck_assert_uint_eq(fx.merges, 0);
	fx.script.times = 0;
	ck_assert_int_eq(fx_act("retry", "DEMO-1", ""), RES_OK);
	fx_play_until("DEMO-1", "done");
	ck_assert_uint_eq(fx.merges, 1);
	fx_sound();
}
END_TEST

START_TEST(a_role_without_a_commit_is_a_fail_of_that_role)
{
	script("developer", 1, GATE_FAIL, CAUSE_NO_COMMIT);
	fx_task_in("review");
	ck_assert_int_eq(fx_task_int("DEMO-1", "rework"), 1);
	ck_assert_int_eq(fx_task_int("DEMO-1", "round"), 0);
	fx_sound();
}
END_TEST

START_TEST(a_forbidden_path_runs_the_role_again)
{
	script("import", 1, GATE_FAIL, CAUSE_FORBIDDEN_PATH);
	note_rework();
	fx_task_in("architecture");
	ck_assert_int_eq(reworks(), 1);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM job WHERE kind = "
	    "'agent' AND status = 'failed'"), 1);
	fx_sound();
}
END_TEST

START_TEST(a_rejected_analysis_runs_the_analyst_with_the_persons_words)
{
	struct fx_spawn s;
	struct fx_msg go;
	int sock;

	ck_assert_int_eq(fx_submit("tally", NULL), RES_OK);
	while (fx_step())
		continue;
	fx_sql("UPDATE task SET rework = 2");
	ck_assert_int_eq(fx_act("reject", "DEMO-1", "count lines too"),
	    RES_OK);
	ck_assert_int_eq(fx_task_int("DEMO-1", "rework"), 0);
	fx_expect(&s, KIND_AGENT, "analyst");
	sock = fx_connect_run(&s, &go);
	ck_assert_ptr_nonnull(memmem(go.any.run_go.feedback.b_data,
	    go.any.run_go.feedback.b_len, "count lines too", 15));
	fx_free(&go);
	fx_leave(sock);
}
END_TEST

START_TEST(a_refused_deploy_goes_back_with_the_persons_words)
{
	struct fx_spawn s;
	struct fx_msg go;
	int sock;

	fx_task_in("deploy");
	while (fx_step())
		continue;
	ck_assert_int_eq(fx_act("reject", "DEMO-1", "not on a friday"),
	    RES_OK);
	ck_assert_str_eq(fx_task("DEMO-1", "stage"), "development");
	ck_assert_int_eq(fx_task_int("DEMO-1", "round"), 1);
	ck_assert_int_eq(fx_task_int("DEMO-1", "rework"), 0);
	ck_assert_uint_eq(fx.deploys, 0);
	fx_expect(&s, KIND_AGENT, "developer");
	sock = fx_connect_run(&s, &go);
	ck_assert_ptr_nonnull(memmem(go.any.run_go.feedback.b_data,
	    go.any.run_go.feedback.b_len, "not on a friday", 15));
	/* A round after a merge has a branch of its own. */
	ck_assert_str_eq(go.any.run_go.branch,
	    "feature/DEMO-1-count-words-r1");
	fx_free(&go);
	fx_leave(sock);
	fx_sound();
}
END_TEST

START_TEST(a_failed_deploy_goes_back_a_round_and_the_next_one_is_deployed)
{
	script("hook", 1, GATE_FAIL, CAUSE_RED);
	fx_task_in("done");
	ck_assert_uint_eq(fx.deploys, 2);
	ck_assert_uint_eq(fx.merges, 2);
	ck_assert_int_eq(fx_task_int("DEMO-1", "round"), 1);
	ck_assert_int_eq(fx_int("SELECT count(DISTINCT revision) FROM deploy"),
	    2);
	fx_sound();
}
END_TEST

START_TEST(a_gate_of_ones_own_is_due_and_its_fail_skips_no_gate)
{
	static const char *const stages[] = { "analysis", "architecture",
	    "development", "review", "testing", "deploy-staging" };
	char own[128];

	snprintf(own, sizeof(own), "gate \"spell\" in %s command "
	    "\"sh\"", stages[_i]);
	fx_conf("reaper_max_running_s 20000", own);
	script("spell", 1, GATE_FAIL, CAUSE_RED);
	fx_task_in("done");
	ck_assert_int_eq(results("spell", "fail"), 1);
	ck_assert_int_ge(results("spell", "pass"), 1);
	ck_assert_int_eq(fx_int("SELECT count(DISTINCT gate) FROM gate_result"
	    " WHERE verdict = 'pass'"), 7);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM transition WHERE "
	    "from_stage = 'architecture' AND to_stage = 'development'"), 1);
	fx_sound();
}
END_TEST

START_TEST(a_terminal_task_never_moves_again)
{
	char *before, *after;

	fx_task_in("done");
	while (fx_step())
		continue;
	before = fx_dump();
	ck_assert_int_eq(fx_act("cancel", "DEMO-1", ""), RES_REFUSED);
	ck_assert_int_eq(fx_act("retry", "DEMO-1", ""), RES_REFUSED);
	ck_assert_int_eq(fx_act("approve", "DEMO-1", ""), RES_REFUSED);
	ck_assert_int_eq(fx_act("reject", "DEMO-1", "no"), RES_REFUSED);
	ck_assert_int_eq(fx_act("confirm", "DEMO-1", ""), RES_REFUSED);
	fx_tick(1000000);
	after = fx_dump();
	ck_assert_str_eq(before, after);
	free(before);
	free(after);
}
END_TEST

START_TEST(a_cancelled_task_runs_no_agent_again_when_its_runner_dies)
{
	struct fx_spawn s;
	struct fx_msg go;
	int sock;

	ck_assert_int_eq(fx_submit("tally", NULL), RES_OK);
	fx_expect(&s, KIND_AGENT, "analyst");
	sock = fx_connect_run(&s, &go);
	fx_free(&go);
	ck_assert_int_eq(fx_act("cancel", "DEMO-1", ""), RES_OK);
	ck_assert(fx_read(sock, &go));
	ck_assert_uint_eq(go.h.h_type, ORCH_run_stop);
	fx_free(&go);
	close(sock);
	fx_pump();
	fx_sql("UPDATE run SET ident = ''");
	fx_tick(60000);
	ck_assert_str_eq(fx_task("DEMO-1", "stage"), "cancelled");
	ck_assert_int_eq(fx_int("SELECT count(*) FROM job WHERE kind = "
	    "'agent' AND status = 'cancelled'"), 1);
	fx_sound();
}
END_TEST

int
main(void)
{
	Suite *su = suite_create("drive");
	TCase *tc = tcase_create("drive");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, fx_close);
	tcase_add_test(tc,
	    a_task_travels_every_stage_in_order_and_nothing_runs_twice);
	tcase_add_loop_test(tc,
	    a_fail_adds_one_rework_and_only_a_backward_move_a_round,
	    0, NFAILS);
	tcase_add_loop_test(tc,
	    a_gate_that_fails_after_max_reworks_parks_and_a_person_resets_it,
	    0, NFAILS);
	tcase_add_loop_test(tc,
	    an_error_never_passes_is_retried_transient_max_times_then_blocked,
	    0, NERRING);
	tcase_add_test(tc, an_error_waits_for_its_back_off);
	tcase_add_test(tc,
	    an_edge_that_could_not_run_is_retried_and_uses_no_round);
	tcase_add_test(tc, a_role_without_a_commit_is_a_fail_of_that_role);
	tcase_add_test(tc, a_forbidden_path_runs_the_role_again);
	tcase_add_test(tc,
	    a_rejected_analysis_runs_the_analyst_with_the_persons_words);
	tcase_add_test(tc, a_refused_deploy_goes_back_with_the_persons_words);
	tcase_add_test(tc,
	    a_failed_deploy_goes_back_a_round_and_the_next_one_is_deployed);
	tcase_add_loop_test(tc,
	    a_gate_of_ones_own_is_due_and_its_fail_skips_no_gate, 0, 6);
	tcase_add_test(tc, a_terminal_task_never_moves_again);
	tcase_add_test(tc,
	    a_cancelled_task_runs_no_agent_again_when_its_runner_dies);
	suite_add_tcase(su, tc);
	fx_main_exit(su);
}
