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


/* The queue, and what the end of a run means. */

#include "engine_play.h"

static void
setup(void)
{
	fx_open("serial_limit 100\nmax_concurrency 2\nmax_gate_runs 1", "");
}

static void
submit(const char *project, const char *more)
{
	ck_assert_msg(fx_submit(project, more) == RES_OK, "%s", fx_said);
}

static int64_t
count(const char *kind, const char *status)
{
	return (fx_int("SELECT count(*) FROM job WHERE kind = '%s' AND "
	    "status = '%s'", kind, status));
}

START_TEST(no_more_agents_run_than_there_are_slots)
{
	int i;

	for (i = 0; i < 5; i++)
		submit("tally", NULL);
	ck_assert_int_eq(count("agent", "running"), 2);
	ck_assert_int_eq(count("agent", "queued"), 3);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM run"), 2);
}
END_TEST

START_TEST(priority_goes_before_age_and_age_before_the_rest)
{
	struct fx_spawn s;
	int i;

	submit("tally", NULL);
	submit("tally", NULL);
	/* Both slots are taken: these wait. */
	submit("tally", "priority=0");
	fx.ms++;
	submit("tally", "priority=-5");
	fx.ms++;
	submit("tally", "priority=7");
	fx.ms++;
	submit("tally", "priority=7");
	fx_conf("serial_limit 100\nmax_concurrency 6", "");
	fx_tick(1);
	for (i = 0; i < 6; i++)
		ck_assert_int_eq(fx_spawned(&s), 1);
	ck_assert_str_eq(fx_str("SELECT group_concat(task) FROM (SELECT task "
	    "FROM run ORDER BY id)"), "1,2,5,6,3,4");
}
END_TEST

START_TEST(a_job_is_claimed_once_and_the_attempt_is_counted_then)
{
	struct job j;

	submit("tally", NULL);
	ck_assert_int_eq(fx_int("SELECT attempt FROM job"), 1);
	ck_assert_int_eq(pass_enter(), 0);
	ck_assert_int_eq(store_run_one(eng.e_store, Q_JOB_CLAIM, "ii",
	    (int64_t)1, eng_now()), STORE_STALE);
	ck_assert_int_eq(job_get(1, &j), STORE_OK);
	ck_assert_int_eq(j.j_attempt, 1);
	/* A second live run of one job is against the schema. */
	ck_assert_int_eq(run_start(&j, &(struct task){ .t_id = 1 }), -1);
	(void)pass_leave(0);
	pass_commit();
	ck_assert_int_eq(queue_running(KIND_AGENT), 1);
}
END_TEST

START_TEST(what_is_not_due_yet_is_not_claimed)
{
	submit("tally", NULL);
	fx_sql("UPDATE run SET status = 'lost'");
	fx_sql("UPDATE job SET status = 'queued', available_at = %lld",
	    (long long)fx.ms + 5000);
	fx_tick(4000);
	ck_assert_int_eq(count("agent", "queued"), 1);
	fx_tick(1000);
	ck_assert_int_eq(count("agent", "running"), 1);
}
END_TEST

START_TEST(a_hundred_waiting_agents_do_not_block_an_import)
{
	struct fx_spawn s, first;
	int i;

	for (i = 0; i < 100; i++)
		submit("tally", NULL);
	ck_assert_int_eq(count("agent", "queued"), 98);
	fx_expect(&first, KIND_AGENT, "analyst");
	fx_expect(&s, KIND_AGENT, "analyst");
	fx_play_spawn(&first);
	fx_expect(&s, KIND_IMPORT, "analyst");
}
END_TEST

START_TEST(one_full_project_does_not_block_another)
{
	int i;

	fx_conf("serial_limit 1\nmax_concurrency 2", "");
	for (i = 0; i < 80; i++)
		submit("tally", NULL);
	submit("other", NULL);
	ck_assert_str_eq(fx_task("OTH-1", "stage"), "analysis");
	ck_assert_int_eq(fx_int("SELECT count(*) FROM task WHERE project = "
	    "'tally' AND stage = 'analysis'"), 1);
}
END_TEST

START_TEST(the_serial_gate_lets_the_next_one_in_when_one_has_ended)
{
	int i;

	fx_conf("serial_limit 1\nmax_concurrency 2", "");
	/* A queue of another project that is longer than any list. */
	for (i = 0; i < 70; i++)
		submit("other", NULL);
	submit("tally", NULL);
	submit("tally", NULL);
	ck_assert_str_eq(fx_task("DEMO-1", "stage"), "analysis");
	ck_assert_str_eq(fx_task("DEMO-2", "stage"), "created");
	ck_assert_str_eq(fx_task("DEMO-2", "waits"), "capacity");
	fx_sql("UPDATE run SET status = 'done' WHERE task = (SELECT id FROM "
	    "task WHERE key = 'DEMO-1')");
	fx_sql("UPDATE job SET status = 'done' WHERE task = (SELECT id FROM "
	    "task WHERE key = 'DEMO-1')");
	ck_assert_int_eq(fx_act("cancel", "DEMO-1", ""), RES_OK);
	ck_assert_str_eq(fx_task("DEMO-1", "stage"), "cancelled");
	ck_assert_str_eq(fx_task("DEMO-2", "stage"), "analysis");
}
END_TEST

START_TEST(gates_have_slots_of_their_own)
{
	struct fx_spawn s;

	submit("tally", NULL);
	submit("tally", NULL);
	fx_sql("INSERT INTO job (task, project, kind, gate, available_at, "
	    "created_at, stage_seq) SELECT id, project, 'gate', 'g', 1, 1, "
	    "stage_seq FROM task");
	while (fx_spawned(&s))
		continue;
	fx_tick(1);
	/* One slot, one gate, though both agents' slots are taken. */
	ck_assert_int_eq(count("gate", "running"), 1);
	ck_assert_int_eq(count("gate", "queued"), 1);
}
END_TEST

START_TEST(a_job_of_a_stage_that_is_left_is_cancelled_and_never_starts)
{
	submit("tally", NULL);
	fx_sql("UPDATE run SET status = 'lost'");
	fx_sql("UPDATE job SET status = 'queued', stage_seq = 1");
	fx_tick(1);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM job WHERE id = 1 AND "
	    "status = 'cancelled'"), 1);
	/* What the task needs now is queued instead. */
	fx_tick(1);
	ck_assert_int_eq(count("agent", "running"), 1);
}
END_TEST

START_TEST(the_pause_doubles_and_has_a_limit)
{
	int64_t n, ms;

	for (n = 0; n < 80; n++) {
		ms = backoff_ms(1000, n, 60000);
		ck_assert_int_ge(ms, n < 6 ? 1000 << n : 60000);
		ck_assert_int_le(ms, (n < 6 ? 1000 << n : 60000) * 12 / 10);
	}
}
END_TEST

/* The analyst fails like this as often as it is started. */
static int64_t
fail_for_ever(enum orch_cause cause)
{
	fx_conf("max_attempts 2\ntransient_max 5", "");
	strlcpy(fx.script.name, "analyst", sizeof(fx.script.name));
	fx.script.times = -1;
	fx.script.verdict = GATE_FAIL;
	fx.script.cause = cause;
	submit("tally", NULL);
	fx_play_until("DEMO-1", "done");
	ck_assert_str_eq(fx_task("DEMO-1", "parked"), "blocked");
	ck_assert_int_eq(fx_task_int("DEMO-1", "rework"), 0);
	ck_assert_str_eq(fx_str("SELECT status FROM job"), "failed");
	ck_assert_int_eq(fx_int("SELECT count(*) FROM alert WHERE kind = "
	    "'parked'"), 1);
	return (fx.agents);
}

START_TEST(a_permanent_failure_is_tried_max_attempts_times)
{
	ck_assert_int_eq(fail_for_ever(CAUSE_EXEC), 2);
	ck_assert_int_eq(fx_int("SELECT attempt FROM job"), 2);
}
END_TEST

START_TEST(a_transient_failure_is_retried_transient_max_times)
{
	ck_assert_int_eq(fail_for_ever(CAUSE_TRANSIENT), 6);
	ck_assert_int_eq(fx_int("SELECT transient FROM job"), 5);
}
END_TEST

/* The analyst at its GO. */
static int
agent(struct fx_spawn *s)
{
	struct fx_msg m;
	int sock;

	submit("tally", NULL);
	fx_expect(s, KIND_AGENT, "analyst");
	sock = fx_connect_run(s, &m);
	ck_assert_uint_eq(m.h.h_type, ORCH_run_go);
	fx_free(&m);
	return (sock);
}

START_TEST(the_exit_code_is_stamped_first_and_once)
{
	struct orch_run_exit x = { .code = 3 };
	struct fx_spawn s;
	int sock = agent(&s);

	x.run = s.run;
	ck_assert_int_eq(fx_result(sock, ORCH_run_exit, &x), RES_OK);
	ck_assert_str_eq(fx_str("SELECT status || exit_code FROM run"),
	    "exited3");
	ck_assert_str_eq(fx_str("SELECT status FROM job"), "running");
	x.code = 0;
	ck_assert_int_eq(fx_result(sock, ORCH_run_exit, &x), RES_DUPLICATE);
	ck_assert_int_eq(fx_int("SELECT exit_code FROM run"), 3);
}
END_TEST

START_TEST(a_run_speaks_for_itself_alone)
{
	struct orch_run_exit x = { .run = 999 };
	struct orch_run_done d = { .run = 999 };
	struct fx_spawn s;
	int sock = agent(&s);
	char *before = fx_dump(), *after;

	ck_assert_int_ne(fx_result(sock, ORCH_run_exit, &x), RES_OK);
	ck_assert_int_ne(fx_result(sock, ORCH_run_done, &d), RES_OK);
	d.run = s.run;
	d.verdict = GATE_VERDICT_MAX;
	ck_assert_int_ne(fx_result(sock, ORCH_run_done, &d), RES_OK);
	after = fx_dump();
	ck_assert_str_eq(before, after);
	free(before);
	free(after);
}
END_TEST

START_TEST(the_work_of_an_agent_is_answered_when_it_is_imported)
{
	struct fx_spawn s;
	struct fx_msg m;

	submit("tally", NULL);
	fx_expect(&s, KIND_AGENT, "analyst");
	fx_play_spawn(&s);
	ck_assert_int_eq(fx_read(fx.agent, &m), 0);
	ck_assert_str_eq(fx_task("DEMO-1", "head"), "");
	fx_expect(&s, KIND_IMPORT, "analyst");
	fx_play_spawn(&s);
	ck_assert_int_eq(fx.agent, -1);
	ck_assert_str_ne(fx_task("DEMO-1", "head"), "");
	fx_sound();
}
END_TEST

START_TEST(an_import_that_never_works_ends_with_a_person)
{
	strlcpy(fx.script.name, "import", sizeof(fx.script.name));
	fx.script.times = -1;
	fx.script.verdict = GATE_ERROR;
	fx.script.cause = CAUSE_INFRA;
	submit("tally", NULL);
	fx_play_until("DEMO-1", "done");
	ck_assert_str_eq(fx_task("DEMO-1", "parked"), "blocked");
	ck_assert_uint_eq(fx.played[KIND_IMPORT], 6);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM run WHERE status NOT IN"
	    " ('done', 'lost')"), 0);
	fx_sound();
}
END_TEST

START_TEST(a_bundle_that_is_not_wanted_any_more_is_answered_too)
{
	struct orch_run_done d = { .verdict = GATE_FAIL, .cause =
	    CAUSE_TIMEOUT, .reason = "too slow" };
	int fd = memfd_create("bundle", MFD_CLOEXEC);
	struct fx_spawn s;
	struct fx_msg m;
	int sock = agent(&s);

	d.run = s.run;
	fx_ask(sock, ORCH_run_done, &d, fd, &m);
	ck_assert_uint_eq(m.h.h_type, ORCH_ack);
	ck_assert_uint_eq(m.any.ack.result, RES_OK);
	fx_free(&m);
	close(fd);
	ck_assert_int_eq(count("import", "queued") +
	    count("import", "running"), 0);
}
END_TEST

/* The run's process is virtual process 1 from now on. */
static void
is_process_one(uint64_t run)
{
	char ident[IDENT_TEXT_MAX];

	fx.life[1] = FX_ALIVE;
	fx_ident(1, ident);
	fx_sql("UPDATE run SET ident = '%s' WHERE id = %llu", ident,
	    (unsigned long long)run);
}

START_TEST(a_dead_run_is_closed_and_its_job_queued_again_once)
{
	struct orch_dead d = { .verdict = IDENT_DEAD, .tier = 1,
	    .evidence = "test" };
	char ident[IDENT_TEXT_MAX];
	int reaper = fx_connect(ROLE_REAPERD);
	struct fx_spawn s;
	int sock = agent(&s);

	fx_leave(sock);
	is_process_one(s.run);
	fx_ident(1, ident);
	d.run = s.run;
	d.ident = ident;
	/* The engine looks itself: it lives, whatever is said. */
	ck_assert_int_eq(fx_result(reaper, ORCH_dead, &d), RES_DENIED);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM run WHERE status = "
	    "'lost'"), 0);
	fx.life[1] = FX_GONE;
	d.ident = "somebody else";
	ck_assert_int_eq(fx_result(reaper, ORCH_dead, &d), RES_STALE);
	d.ident = ident;
	ck_assert_int_eq(fx_result(reaper, ORCH_dead, &d), RES_OK);
	ck_assert_int_eq(fx_result(reaper, ORCH_dead, &d), RES_STALE);
	ck_assert_int_eq(count("agent", "queued"), 1);
	/* It was nobody's attempt. */
	ck_assert_int_eq(fx_int("SELECT attempt FROM job WHERE kind = "
	    "'agent'"), 0);
	fx_tick(60000);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM run WHERE kind = "
	    "'agent'"), 2);
	fx_sound();
}
END_TEST

START_TEST(a_late_message_of_a_lost_run_changes_nothing)
{
	struct orch_run_exit x = { .code = 0 };
	struct orch_run_done d = { .verdict = GATE_PASS };
	char *before, *after;
	struct fx_spawn s;
	int sock = agent(&s);

	d.run = x.run = s.run;
	fx_sql("UPDATE run SET status = 'lost' WHERE id = %llu",
	    (unsigned long long)s.run);
	fx_sql("UPDATE job SET status = 'failed'");
	before = fx_dump();
	ck_assert_int_eq(fx_result(sock, ORCH_run_exit, &x), RES_DUPLICATE);
	ck_assert_int_eq(fx_result(sock, ORCH_run_done, &d), RES_DUPLICATE);
	after = fx_dump();
	ck_assert_str_eq(before, after);
	free(before);
	free(after);
}
END_TEST

START_TEST(an_import_after_its_agent_was_given_up_decides_nothing)
{
	struct orch_run_done d = { .verdict = GATE_PASS, .commit =
	    "0123456789012345678901234567890123456789", .tree = "" };
	struct fx_spawn s, im;
	struct fx_msg m;
	int sock;

	submit("tally", NULL);
	fx_expect(&s, KIND_AGENT, "analyst");
	fx_play_spawn(&s);
	fx_expect(&im, KIND_IMPORT, "analyst");
	sock = fx_connect_run(&im, &m);
	fx_free(&m);
	fx_sql("UPDATE run SET status = 'lost' WHERE id = %llu",
	    (unsigned long long)s.run);
	fx_sql("UPDATE job SET status = 'queued', available_at = 0 WHERE kind "
	    "= 'agent'");
	d.run = im.run;
	ck_assert_int_eq(fx_result(sock, ORCH_run_done, &d), RES_OK);
	ck_assert_str_eq(fx_task("DEMO-1", "head"), "");
	fx_tick(1);
	ck_assert_int_eq(count("agent", "running"), 1);
	fx_sound();
}
END_TEST

START_TEST(a_run_that_never_said_hello_is_voided_and_started_again)
{
	struct orch_spawned sp = { .error = "", .ident = "" };
	struct fx_spawn s;

	submit("tally", NULL);
	fx_expect(&s, KIND_AGENT, "analyst");
	fx_tick(14000);
	ck_assert_int_eq(fx_spawned(&s), 0);
	fx_tick(2000);
	/* What it may have left on disk is removed. */
	fx_expect(&s, KIND_CLEAN, "");
	fx_tick(2000);
	fx_expect(&s, KIND_AGENT, "analyst");
	/* The parent could not start it: the same, at once. */
	sp.run = s.run;
	sp.error = "no such program";
	on_spawned(&sp);
	pass_commit();
	ck_assert_int_eq(fx_int("SELECT count(*) FROM run WHERE status = "
	    "'lost'"), 2);
	ck_assert_str_eq(fx_str("SELECT reason FROM run WHERE kind = "
	    "'agent' ORDER BY id DESC"),
	    "no such program");
}
END_TEST

/*
 * The engine was killed: the next one finds what is on disk.  The living are
 * adopted with their lease, the dead give it back, and each job goes on once.
 */
START_TEST(recovery_adopts_the_living_and_takes_up_the_work_of_the_dead)
{
	struct fx_spawn s, other;
	struct fx_msg go;
	uint64_t epoch;
	int sock;

	sock = fx_worker_in("architecture", "publish", &s, &go);
	epoch = fx_begin(sock, &go.any.run_go);
	ck_assert_uint_gt(epoch, 0);
	fx_free(&go);
	close(sock);
	fx_pump();
	if (_i == 0)
		is_process_one(s.run);
	fx_reopen();
	if (_i == 0)
		fx.life[1] = FX_GONE;
	ck_assert_int_eq(engine_look(1), 0);
	fx_pump();
	if (_i == 0) {
		ck_assert_int_eq(fx_int("SELECT count(*) FROM lease"), 0);
		fx_tick(60000);
		fx_expect(&s, KIND_TRANSITION, "publish");
	} else {
		ck_assert_int_eq(fx_int("SELECT epoch FROM lease"),
		    (int64_t)epoch);
		ck_assert_int_eq(fx_spawned(&other), 0);
	}
	sock = fx_connect_run(&s, &go);
	ck_assert_uint_eq(go.h.h_type, ORCH_run_go);
	if (_i == 0)
		ck_assert_uint_gt(fx_begin(sock, &go.any.run_go), epoch);
	else
		ck_assert_uint_eq(fx_begin(sock, &go.any.run_go), epoch);
	fx_free(&go);
	fx_sound();
}
END_TEST

int
main(void)
{
	Suite *su = suite_create("queue");
	TCase *tc = tcase_create("queue");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, fx_close);
	tcase_add_test(tc, no_more_agents_run_than_there_are_slots);
	tcase_add_test(tc, priority_goes_before_age_and_age_before_the_rest);
	tcase_add_test(tc,
	    a_job_is_claimed_once_and_the_attempt_is_counted_then);
	tcase_add_test(tc, what_is_not_due_yet_is_not_claimed);
	tcase_add_test(tc, a_hundred_waiting_agents_do_not_block_an_import);
	tcase_add_test(tc, one_full_project_does_not_block_another);
	tcase_add_test(tc,
	    the_serial_gate_lets_the_next_one_in_when_one_has_ended);
	tcase_add_test(tc, gates_have_slots_of_their_own);
	tcase_add_test(tc,
	    a_job_of_a_stage_that_is_left_is_cancelled_and_never_starts);
	tcase_add_test(tc, the_pause_doubles_and_has_a_limit);
	tcase_add_test(tc, a_permanent_failure_is_tried_max_attempts_times);
	tcase_add_test(tc, a_transient_failure_is_retried_transient_max_times);
	tcase_add_test(tc, the_exit_code_is_stamped_first_and_once);
	tcase_add_test(tc, a_run_speaks_for_itself_alone);
	tcase_add_test(tc,
	    the_work_of_an_agent_is_answered_when_it_is_imported);
	tcase_add_test(tc, an_import_that_never_works_ends_with_a_person);
	tcase_add_test(tc,
	    a_bundle_that_is_not_wanted_any_more_is_answered_too);
	tcase_add_test(tc,
	    a_dead_run_is_closed_and_its_job_queued_again_once);
	tcase_add_test(tc, a_late_message_of_a_lost_run_changes_nothing);
	tcase_add_test(tc,
	    an_import_after_its_agent_was_given_up_decides_nothing);
	tcase_add_test(tc,
	    a_run_that_never_said_hello_is_voided_and_started_again);
	tcase_add_loop_test(tc,
	    recovery_adopts_the_living_and_takes_up_the_work_of_the_dead, 0,
	    2);
	suite_add_tcase(su, tc);
	fx_main_exit(su);
}
