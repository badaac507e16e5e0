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

/* Nothing is done twice: before each run and before each effect. */

#include "engine_play.h"

static void
setup(void)
{
	fx_open("", "");
}

static void
pull(const char *state)
{
	fx_sql("INSERT INTO pull (task, project, branch, target, title, head, "
	    "landed, state, at) SELECT id, project, branch, 'main', title, "
	    "head, CASE '%s' WHEN 'merged' THEN head ELSE '' END, '%s', 1 "
	    "FROM task", state, state);
}

static int64_t
runs(const char *what)
{
	return (fx_int("SELECT count(*) FROM run WHERE role = '%s' OR gate = "
	    "'%s' OR work = '%s'", what, what, what));
}

/* Play until a run of this sort is asked for, which is not begun. */
static void
until(const char *what, struct fx_spawn *s)
{
	ck_assert_int_eq(fx_submit("tally", NULL), RES_OK);
	for (;;) {
		if (!fx_spawned(s)) {
			ck_assert_int_eq(fx_act("approve", "DEMO-1", ""),
			    RES_OK);
			continue;
		}
		if (strcmp(s->role, what) == 0 || strcmp(s->gate, what) == 0 ||
		    strcmp(s->work, what) == 0)
			return;
		fx_play_spawn(s);
	}
}

/* The run of this spawn never was; the engine looks at the task anew. */
static void
never_was(const struct fx_spawn *s)
{
	fx_sql("UPDATE job SET status = 'cancelled' WHERE id = (SELECT job "
	    "FROM run WHERE id = %llu)", (unsigned long long)s->run);
	fx_sql("UPDATE run SET status = 'lost' WHERE id = %llu",
	    (unsigned long long)s->run);
	fx_sql("UPDATE task SET drive_at = 1");
}

START_TEST(a_role_is_not_run_again_for_what_it_has_handed_in)
{
	struct fx_spawn s;
	char base[ID_HEX];

	until("check_architecture_done", &s);
	never_was(&s);
	strlcpy(base, fx_str("SELECT base FROM run WHERE role = 'architect' "
	    "AND kind = 'agent'"), sizeof(base));
	ck_assert_uint_eq(strlen(base), 40);
	/* As if it were due once more, where it began. */
	fx_sql("UPDATE task SET agent_due = 1, head = '%s', published = "
	    "'%s'", base, base);
	fx_tick(1);
	fx_tick(1000);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM run WHERE kind = "
	    "'agent' AND role = 'architect'"), 1);
	ck_assert_int_eq(fx_task_int("DEMO-1", "agent_due"), 0);
	ck_assert_ptr_nonnull(strstr(fx_str("SELECT reason FROM job WHERE "
	    "kind = 'agent' AND status = 'cancelled'"), "has done this"));
	fx_expect(&s, KIND_GATE, "check_architecture_done");
	fx_sound();
}
END_TEST

START_TEST(a_role_that_handed_in_nothing_is_run_again_on_the_same_head)
{
	strlcpy(fx.script.name, "architect", sizeof(fx.script.name));
	fx.script.times = 1;
	fx.script.verdict = GATE_FAIL;
	fx.script.cause = CAUSE_NO_COMMIT;
	fx_task_in("development");
	ck_assert_int_eq(fx_int("SELECT count(*) FROM run WHERE kind = "
	    "'agent' AND role = 'architect'"), 2);
	ck_assert_int_eq(fx_int("SELECT count(DISTINCT base) FROM run WHERE "
	    "kind = 'agent' AND role = 'architect'"), 1);
	fx_sound();
}
END_TEST

START_TEST(a_gate_whose_result_is_on_record_is_not_run_again)
{
	struct fx_spawn s;

	until("publish", &s);
	fx_play_spawn(&s);
	fx_expect(&s, KIND_GATE, "check_analysis_complete");
	fx_play_spawn(&s);
	fx_sql("INSERT INTO job (task, project, kind, gate, available_at, "
	    "created_at, stage_seq, commit_id) SELECT id, project, 'gate', "
	    "'check_analysis_complete', 1, 1, stage_seq, head FROM task");
	fx_tick(1000);
	ck_assert_int_eq(runs("check_analysis_complete"), 1);
	ck_assert_str_eq(fx_str("SELECT reason FROM job WHERE kind = 'gate' "
	    "AND status = 'cancelled'"),
	    "check_analysis_complete: pass is on record");
	ck_assert_int_eq(fx_int("SELECT count(*) FROM job WHERE status = "
	    "'queued'"), 0);
}
END_TEST

START_TEST(a_gate_that_could_not_run_is_run_again)
{
	strlcpy(fx.script.name, "check_architecture_done",
	    sizeof(fx.script.name));
	fx.script.times = 1;
	fx.script.verdict = GATE_ERROR;
	fx_task_in("development");
	ck_assert_int_eq(runs("check_architecture_done"), 2);
}
END_TEST

START_TEST(what_is_published_is_not_published_again)
{
	struct fx_spawn s;

	until("check_analysis_complete", &s);
	never_was(&s);
	fx_sql("INSERT INTO job (task, project, kind, work, available_at, "
	    "created_at, stage_seq) SELECT id, project, 'transition', "
	    "'publish', 1, 1, stage_seq FROM task");
	fx_tick(1);
	ck_assert_int_eq(runs("publish"), 1);
	ck_assert_ptr_nonnull(strstr(fx_str("SELECT reason FROM job WHERE "
	    "work = 'publish' AND status = 'cancelled'"), "is published"));
	fx_tick(1000);
	fx_expect(&s, KIND_GATE, "check_analysis_complete");
}
END_TEST

START_TEST(what_the_monitor_has_written_is_not_measured_again)
{
	fx_conf("", "\tpost_deploy_base_url \"http://127.0.0.1:1/\"\n");
	fx_task_in("done");
	fx_sql("INSERT INTO record (task, round, name, text, at) SELECT id, "
	    "round, '16-post-deploy-log.md', 'x', 1 FROM task");
	fx_sql("UPDATE job SET status = 'queued', available_at = 1 WHERE kind "
	    "= 'monitor'");
	fx_sql("UPDATE run SET status = 'lost' WHERE kind = 'monitor'");
	fx_tick(1000);
	ck_assert_str_eq(fx_str("SELECT status || ': ' || reason FROM job "
	    "WHERE kind = 'monitor'"),
	    "cancelled: 16-post-deploy-log.md is on record");
}
END_TEST

/* What works on a task's branch, in the stages where there is a request. */
static const char *const on_branch[] = { "developer", "publish",
	"check_tests_local", "reviewer", "check_reviewer_verdict", "tester",
	"edge" };
#define NWORKS	(sizeof(on_branch) / sizeof(on_branch[0]))

static void
comes_again(const char *what, const char *state)
{
	struct fx_spawn s;

	until(strcmp(what, "publish") == 0 ? "developer" : what, &s);
	if (strcmp(what, "publish") == 0) {
		fx_play_spawn(&s);
		ck_assert_int_eq(fx_step(), 1);
		fx_expect(&s, KIND_TRANSITION, "publish");
	}
	never_was(&s);
	pull(state);
	fx_tick(1);
	fx_tick(1000);
}

START_TEST(a_closed_pull_request_ends_the_rounds_of_its_branch)
{
	struct fx_spawn s;

	comes_again(on_branch[_i], "closed");
	ck_assert_msg(!fx_spawned(&s), "%s is started", on_branch[_i]);
	ck_assert_str_eq(fx_task("DEMO-1", "parked"), "needs_input");
	ck_assert_ptr_nonnull(strstr(fx_task("DEMO-1", "parked_reason"),
	    "is closed, which ends the rounds of that branch: open it again "
	    "at the forge, and the task goes on by itself (orchctl cancel"));
	/* Nothing but cancel gets on. */
	ck_assert_int_eq(fx_act("retry", "DEMO-1", ""), RES_OK);
	fx_tick(1000);
	ck_assert(!fx_spawned(&s));
	ck_assert_int_eq(fx_act("cancel", "DEMO-1", ""), RES_OK);
	fx_tick(1000);
	fx_expect(&s, KIND_TRANSITION, "close");
	fx_play_spawn(&s);
	ck_assert_str_eq(fx_task("DEMO-1", "stage"), "cancelled");
	fx_sound();
}
END_TEST

START_TEST(a_merged_pull_request_is_adopted_by_the_edge_alone)
{
	struct fx_spawn s;

	comes_again(on_branch[_i], "merged");
	if (strcmp(on_branch[_i], "edge") == 0) {
		fx_expect(&s, KIND_TRANSITION, "edge");
		return;
	}
	ck_assert_msg(!fx_spawned(&s), "%s is started", on_branch[_i]);
	ck_assert_str_eq(fx_task("DEMO-1", "parked"), "needs_input");
	ck_assert_ptr_nonnull(strstr(fx_task("DEMO-1", "parked_reason"),
	    "is merged, which ends the rounds"));
	ck_assert_int_eq(fx.merges, 0);
}
END_TEST

START_TEST(an_open_pull_request_ends_nothing)
{
	struct fx_spawn s;

	comes_again(on_branch[_i], "open");
	ck_assert_msg(fx_spawned(&s), "%s is not started", on_branch[_i]);
	ck_assert_str_eq(fx_task("DEMO-1", "parked"), "");
}
END_TEST

/* An effect of a worker in this work, with the request in this state. */
static enum orch_result
effect(const char *work, const char *name, enum orch_class class,
    const char *state)
{
	struct orch_effect e = { .name = name, .class = (uint8_t)class };
	struct fx_spawn s;
	struct fx_msg go, m;
	enum orch_result res;
	char key[128];
	int sock;

	until("developer", &s);
	do {
		fx_play_spawn(&s);
		ck_assert(fx_spawned(&s));
	} while (strcmp(s.work, work) != 0);
	sock = fx_connect_run(&s, &go);
	e.epoch = fx_begin(sock, &go.any.run_go);
	snprintf(key, sizeof(key), "%s:DEMO-1:r0:%s", name,
	    go.any.run_go.head);
	e.key = key;
	fx_retested(go.any.run_go.head);
	pull(state);
	fx_sql("UPDATE pull SET landed = '' WHERE state = 'closed'");
	fx_ask(sock, ORCH_effect, &e, -1, &m);
	res = m.any.effect_answer.result;
	strlcpy(fx_said, m.any.effect_answer.text, sizeof(fx_said));
	fx_free(&m);
	fx_free(&go);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM effect WHERE key = "
	    "'%s'", key), res == RES_OK);
	return (res);
}

START_TEST(no_effect_begins_on_a_closed_pull_request)
{
	static const struct {
		const char	*work, *name;
		enum orch_class	 class;
	} all[] = {
		{ "publish", "push", CLASS_CAS },
		{ "publish", "pr-open", CLASS_KEYED },
		{ "edge", "push", CLASS_CAS },
		{ "edge", "merge", CLASS_CAS },
	};

	ck_assert_int_eq(effect(all[_i].work, all[_i].name, all[_i].class,
	    "closed"), RES_REFUSED);
	ck_assert_ptr_nonnull(strstr(fx_said, "is closed"));
}
END_TEST

START_TEST(a_pull_request_merged_as_another_commit_is_not_merged_again)
{
	if (_i == 0) {
		ck_assert_int_eq(effect("edge", "merge", CLASS_CAS,
		    "merged"), RES_OK);
		return;
	}
	fx_sql("CREATE TRIGGER t AFTER INSERT ON pull BEGIN UPDATE pull SET "
	    "landed = '2222222222222222222222222222222222222222'; END");
	ck_assert_int_eq(effect("edge", "merge", CLASS_CAS, "merged"),
	    RES_REFUSED);
	ck_assert_ptr_nonnull(strstr(fx_said, "merged as 222222222222"));
}
END_TEST

int
main(void)
{
	Suite *su = suite_create("guard");
	TCase *tc = tcase_create("guard");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, fx_close);
	tcase_add_test(tc, a_role_is_not_run_again_for_what_it_has_handed_in);
	tcase_add_test(tc,
	    a_role_that_handed_in_nothing_is_run_again_on_the_same_head);
	tcase_add_test(tc, a_gate_whose_result_is_on_record_is_not_run_again);
	tcase_add_test(tc, a_gate_that_could_not_run_is_run_again);
	tcase_add_test(tc, what_is_published_is_not_published_again);
	tcase_add_test(tc, what_the_monitor_has_written_is_not_measured_again);
	tcase_add_loop_test(tc,
	    a_closed_pull_request_ends_the_rounds_of_its_branch, 0, NWORKS);
	tcase_add_loop_test(tc,
	    a_merged_pull_request_is_adopted_by_the_edge_alone, 0, NWORKS);
	tcase_add_loop_test(tc, an_open_pull_request_ends_nothing, 0, NWORKS);
	tcase_add_loop_test(tc, no_effect_begins_on_a_closed_pull_request, 0,
	    4);
	tcase_add_loop_test(tc,
	    a_pull_request_merged_as_another_commit_is_not_merged_again, 0,
	    2);
	suite_add_tcase(su, tc);
	fx_main_exit(su);
	return (1);
}
