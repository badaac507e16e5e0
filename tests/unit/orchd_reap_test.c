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
 * The reaper's tiers, the ceiling, idle merge lanes, and what a run leaves that
 * ends without a result.
 */

#include "orchd/reap.h"

#include "engine_owner.h"

static struct fx_spawn	 s;
static struct fx_msg	 go;
static int		 sock, reaper;
static uint64_t		 epoch;

static void
setup(void)
{
	fx_open("", "");
	go.fd = -1;
	reaper = fx_connect(ROLE_REAPERD);
}

static void
teardown(void)
{
	fx_free(&go);
	fx_close();
}

/* A worker inside its lease. */
static void
owner(const char *stage, const char *work)
{
	sock = fx_worker_in(stage, work, &s, &go);
	epoch = fx_begin(sock, &go.any.run_go);
	ck_assert_uint_gt(epoch, 0);
}

static int64_t
alerts(const char *kind)
{
	return (fx_int("SELECT ifnull(sum(count), 0) FROM alert WHERE kind = "
	    "'%s' AND cleared_at IS NULL", kind));
}

/* The analyst at its GO, or with its exit code stamped. */
static void
agent(int stamped, int code)
{
	struct orch_run_exit x = { .code = code };

	ck_assert_int_eq(fx_submit("tally", NULL), RES_OK);
	fx_expect(&s, KIND_AGENT, "analyst");
	sock = fx_connect_run(&s, &go);
	x.run = s.run;
	if (stamped)
		ck_assert_int_eq(fx_result(sock, ORCH_run_exit, &x), RES_OK);
}

START_TEST(an_owner_past_the_ceiling_is_killed_found_dead_and_replaced)
{
	struct orch_end end = { .verdict = GATE_PASS, .gate = "",
	    .reason = "late", .head = "" };
	char *before, *after;
	uint64_t run;

	sock = fx_worker_in("analysis", "publish", &s, &go);
	/* The ceiling counts from the grant, which came late. */
	fx.ms += 5000000;
	epoch = end.epoch = fx_begin(sock, &go.any.run_go);
	fx.ms += 7199000;
	before = fx_dump();
	ck_assert_int_eq(fx_reaper_says(reaper, s.run, 3), RES_DENIED);
	after = fx_dump();
	ck_assert_str_eq(before, after);
	free(before);
	free(after);
	ck_assert_int_eq(fx_told_to_kill(s.run), 0);
	fx.ms += 1000;
	(void)fx_reaper_says(reaper, s.run, 3);
	ck_assert_int_eq(fx_told_to_kill(s.run), 1);
	/* Fenced, but nobody gets the lease, however long it lives on. */
	ck_assert_int_eq(fx_int("SELECT run FROM lease"), (int64_t)s.run);
	ck_assert_int_eq(fx_result(sock, ORCH_end, &end), RES_FENCED);
	fx_tick(100LL * 86400 * 1000);
	ck_assert_int_eq(fx_int("SELECT run FROM lease"), (int64_t)s.run);
	/* Asked again it is killed again, and told once. */
	(void)fx_reaper_says(reaper, s.run, 3);
	ck_assert_int_eq(fx_told_to_kill(s.run), 1);
	ck_assert_int_eq(alerts("ceiling"), 1);
	ck_assert_int_eq(fx_int("SELECT value FROM counter WHERE name = "
	    "'lease_forced'"), 1);
	fx_sound();
	run = s.run;
	fx_dies(run, sock);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM lease"), 0);
	ck_assert_msg(strstr(fx_str("SELECT reason FROM run WHERE id = %llu",
	    (unsigned long long)run), "reaper_max_running_s") != NULL,
	    "no reason");
	ck_assert_str_eq(fx_str("SELECT substr(value, instr(value, ' ')) "
	    "FROM setting WHERE name = 'reaper_last'"), " requeued publish");
	ck_assert_int_eq(fx_int("SELECT value FROM counter WHERE name = "
	    "'reaped'"), 1);
	fx_tick(60000);
	fx_expect(&s, KIND_TRANSITION, "publish");
	fx_free(&go);
	sock = fx_connect_run(&s, &go);
	ck_assert_uint_gt(fx_begin(sock, &go.any.run_go), epoch + 1);
	fx_sound();
	/* The alert is over when the task has moved on. */
	ck_assert_int_eq(alerts("ceiling"), 1);
	end.verdict = GATE_PASS;
	end.head = go.any.run_go.head;
	end.epoch = (uint64_t)fx_int("SELECT epoch FROM lease");
	ck_assert_int_eq(fx_result(sock, ORCH_end, &end), RES_OK);
	fx_play_until("DEMO-1", "architecture");
	ck_assert_int_eq(alerts("ceiling"), 0);
}
END_TEST

START_TEST(a_stopped_agent_past_the_ceiling_is_killed_whatever_the_marks_say)
{
	agent(_i, 0);
	/* It is stopped: alive for the kernel, and away from the engine. */
	fx_owner_is(s.run, FX_ALIVE);
	fx_leave(sock);
	fx_tick(7199000);
	ck_assert_int_eq(fx_reaper_says(reaper, s.run, 3), RES_DENIED);
	ck_assert_int_eq(fx_told_to_kill(s.run), 0);
	fx_tick(1000);
	(void)fx_reaper_says(reaper, s.run, 3);
	ck_assert_int_eq(fx_told_to_kill(s.run), 1);
	fx.life[1] = FX_GONE;
	fx_tick(0);
	ck_assert_str_eq(fx_str("SELECT status FROM run"), "lost");
	ck_assert_str_eq(fx_str("SELECT status FROM job WHERE kind = "
	    "'agent'"), "queued");
	fx_sound();
}
END_TEST

START_TEST(a_deploy_hook_has_no_ceiling_of_the_reaper)
{
	fx_task_in("deploy");
	while (fx_step())
		continue;
	ck_assert_int_eq(fx_act("confirm", "DEMO-1", ""), RES_OK);
	do
		ck_assert_int_eq(fx_spawned(&s), 1);
	while (s.kind != KIND_HOOK && (fx_play_spawn(&s), 1));
	sock = fx_connect_run(&s, &go);
	fx_tick(1000LL * 7200 * 1000);
	ck_assert_int_eq(fx_reaper_says(reaper, s.run, 3), RES_DENIED);
	ck_assert_int_eq(fx_told_to_kill(s.run), 0);
	ck_assert_str_eq(fx_str("SELECT status FROM run WHERE id = %llu",
	    (unsigned long long)s.run), "running");
}
END_TEST

/* Nobody knows whom a signal would meet: nothing is fenced, nothing sent. */
START_TEST(one_whom_the_kernel_hides_is_not_killed_and_an_alert_says_what_to_do)
{
	int i;

	owner("analysis", "publish");
	fx_owner_is(s.run, FX_HIDDEN);
	fx_leave(sock);
	for (i = 0; i < 5; i++)
		fx_tick(7200000);
	ck_assert_int_eq(fx_reaper_says(reaper, s.run, 3), RES_DENIED);
	ck_assert_int_eq(fx_told_to_kill(s.run), 0);
	ck_assert_int_eq(fx_int("SELECT epoch FROM lease"), (int64_t)epoch);
	/* Told once, and what it is about. */
	ck_assert_int_eq(alerts("identity"), 1);
	ck_assert_msg(strstr(fx_str("SELECT text FROM alert WHERE kind = "
	    "'identity'"), "orchctl lease release -f DEMO-1") != NULL, "%s",
	    fx_str("SELECT text FROM alert WHERE kind = 'identity'"));
	ck_assert_str_eq(fx_str("SELECT subject FROM alert WHERE kind = "
	    "'identity'"), fx_str("SELECT 'run ' || run FROM lease"));
	/* Known again, and in doubt again: another alert. */
	fx.life[1] = FX_ALIVE;
	fx_tick(1000);
	ck_assert_int_eq(alerts("identity"), 0);
	fx.life[1] = FX_HIDDEN;
	fx_tick(1000);
	fx_tick(1000);
	ck_assert_int_eq(alerts("identity"), 1);
	/* It comes back by itself. */
	fx_ident(1, (char[IDENT_TEXT_MAX]){ 0 });
	fx.life[1] = FX_GONE;
	fx_tick(1000);
	ck_assert_int_eq(alerts("identity"), 0);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM lease"), 0);
}
END_TEST

START_TEST(without_the_reaper_nothing_is_ended_because_of_its_age)
{
	unsigned int tier;

	fx_conf("reaper_enabled no", "");
	agent(1, 0);
	fx_owner_is(s.run, FX_ALIVE);
	fx_tick(100000000);
	for (tier = 1; tier <= 3; tier++)
		ck_assert_int_eq(fx_reaper_says(reaper, s.run, tier),
		    RES_DENIED);
	ck_assert_int_eq(fx_told_to_stop(sock), 0);
	ck_assert_int_eq(fx_told_to_kill(s.run), 0);
	/* What the engine sees itself is no business of the switch. */
	fx_dies(s.run, sock);
	ck_assert_str_eq(fx_str("SELECT status FROM run"), "lost");
}
END_TEST

START_TEST(a_stamped_run_that_says_no_more_is_asked_to_end_and_then_killed)
{
	agent(1, 1);
	fx_owner_is(s.run, FX_ALIVE);
	fx.ms += 299000;
	ck_assert_int_eq(fx_reaper_says(reaper, s.run, 2), RES_DENIED);
	ck_assert_int_eq(fx_told_to_stop(sock), 0);
	fx.ms += 1000;
	(void)fx_reaper_says(reaper, s.run, 2);
	ck_assert_int_eq(fx_told_to_stop(sock), 1);
	/* It has its grace. */
	fx.ms += 9000;
	(void)fx_reaper_says(reaper, s.run, 2);
	ck_assert_int_eq(fx_told_to_stop(sock), 0);
	ck_assert_int_eq(fx_told_to_kill(s.run), 0);
	fx.ms += 1000;
	(void)fx_reaper_says(reaper, s.run, 2);
	ck_assert_int_eq(fx_told_to_kill(s.run), 1);
	fx_dies(s.run, sock);
	ck_assert_str_eq(fx_str("SELECT status FROM job WHERE kind = "
	    "'agent'"), "queued");
	ck_assert_msg(strstr(fx_str("SELECT reason FROM run"),
	    "reaper_finalize_grace_s") != NULL, "no reason");
	fx_sound();
}
END_TEST

/* One that ends when it is asked has failed: within its budget, no further. */
START_TEST(a_stamped_run_that_ends_when_asked_uses_an_attempt)
{
	struct orch_run_exit x = { .code = 0 };
	struct orch_run_done d = { .verdict = GATE_ERROR,
	    .cause = CAUSE_STOPPED, .reason = "stopped" };
	int i;

	agent(0, 0);
	for (i = 0; i < 2; i++) {
		ck_assert_str_eq(fx_task("DEMO-1", "parked"), "");
		x.run = d.run = s.run;
		ck_assert_int_eq(fx_result(sock, ORCH_run_exit, &x), RES_OK);
		fx.ms += 300000;
		(void)fx_reaper_says(reaper, s.run, 2);
		ck_assert_int_eq(fx_told_to_stop(sock), 1);
		ck_assert_int_eq(fx_result(sock, ORCH_run_done, &d), RES_OK);
		fx_leave(sock);
		if (i == 1)
			break;
		fx_tick(60000);
		fx_expect(&s, KIND_AGENT, "analyst");
		fx_free(&go);
		sock = fx_connect_run(&s, &go);
	}
	ck_assert_str_eq(fx_task("DEMO-1", "parked"), "blocked");
	fx_sound();
}
END_TEST

START_TEST(one_that_has_not_stamped_its_end_is_not_of_tier_2)
{
	agent(0, 0);
	fx.ms += 7000000;
	ck_assert_int_eq(fx_reaper_says(reaper, s.run, 2), RES_DENIED);
	ck_assert_int_eq(fx_told_to_stop(sock), 0);
	ck_assert_int_eq(fx_told_to_kill(s.run), 0);
}
END_TEST

START_TEST(a_runner_that_waits_for_its_import_is_left_alone)
{
	struct fx_spawn im;

	ck_assert_int_eq(fx_submit("tally", NULL), RES_OK);
	fx_expect(&s, KIND_AGENT, "analyst");
	fx_play_spawn(&s);
	fx_expect(&im, KIND_IMPORT, "analyst");
	fx.ms += 7000000;
	ck_assert_int_eq(fx_reaper_says(reaper, s.run, 2), RES_DENIED);
	ck_assert_int_eq(fx_told_to_kill(s.run), 0);
	fx_play_spawn(&im);
	ck_assert_int_eq(fx.agent, -1);
	ck_assert_str_eq(fx_str("SELECT status FROM run WHERE id = %llu",
	    (unsigned long long)s.run), "done");
}
END_TEST

/* Another owns the task's lease: put there by hand, as after a fault. */
static void
leased_by(enum fx_life life)
{
	struct fx_spawn s2;
	struct fx_msg go2;
	char ident[IDENT_TEXT_MAX];
	int sock2;

	fx_second_worker(&s2, &sock2, &go2);
	fx_free(&go2);
	fx.life[2] = FX_ALIVE;
	fx_ident(2, ident);
	fx.life[2] = life;
	fx_sql("UPDATE run SET ident = '%s' WHERE id = %llu", ident,
	    (unsigned long long)s2.run);
	fx_sql("INSERT INTO lease (task, run, epoch, work, since) VALUES (1, "
	    "%llu, 1, 'publish', 1)", (unsigned long long)s2.run);
}

static const struct {
	const char	*conf;
	enum fx_life	 life;
	int		 defers;
} owners[] = {
	{ "", FX_ALIVE, 1 },
	{ "", FX_HIDDEN, 1 },
	{ "", FX_ZOMBIE, 0 },
	{ "reaper_finalizer_liveness_enabled no", FX_ALIVE, 0 },
};

START_TEST(tier_2_waits_for_the_living_owner_of_the_lease)
{
	int i;

	fx_conf(owners[_i].conf, "");
	agent(1, 0);
	leased_by(owners[_i].life);
	for (i = 0; i < 3; i++) {
		fx.ms += 300000;
		(void)fx_reaper_says(reaper, s.run, 2);
	}
	ck_assert_int_eq(fx_told_to_stop(sock), !owners[_i].defers);
	ck_assert_int_eq(fx_int("SELECT ifnull((SELECT value FROM counter "
	    "WHERE name = 'finalizer_defers'), 0)"), owners[_i].defers);
	if (!owners[_i].defers)
		return;
	/* Its owner has gone: now it is asked. */
	fx_sql("DELETE FROM lease");
	(void)fx_reaper_says(reaper, s.run, 2);
	ck_assert_int_eq(fx_told_to_stop(sock), 1);
}
END_TEST

/* The architect has stamped this exit code, and dies before its import. */
static void
architect_dies(int code)
{
	struct orch_run_exit x = { .code = code };

	fx_task_in("architecture");
	fx_expect(&s, KIND_AGENT, "architect");
	sock = fx_connect_run(&s, &go);
	x.run = s.run;
	ck_assert_int_eq(fx_result(sock, ORCH_run_exit, &x), RES_OK);
}

/* A gate's result on record for a commit. */
static void
result_is(const char *gate, const char *commit, const char *verdict)
{
	fx_sql("INSERT INTO gate_result (task, round, stage_seq, gate, "
	    "commit_id, verdict, started_at) SELECT id, round, stage_seq, "
	    "'%s', '%s', '%s', 1 FROM task", gate, commit, verdict);
}

#define LINT	"gate \"lint\" in architecture command \"true\""

static const struct {
	const char	*how;
	int		 code;
	const char	*project;	/* more of its configuration */
	const char	*verdict;	/* "" none */
	const char	*commit;	/* NULL: the head */
	int		 green;
} ends[] = {
	{ "nothing on record", 0, "", "", NULL, 0 },
	{ "green", 0, "", "pass", NULL, 1 },
	{ "red", 0, "", "fail", NULL, 0 },
	{ "green of another commit", 0, "", "pass",
	    "000000000000000000000000000000000000beef", 0 },
	{ "green, but it failed", 1, "", "pass", NULL, 0 },
	{ "one of two is green", 0, LINT, "pass", NULL, 0 },
};

START_TEST(the_gate_decides_what_becomes_of_a_job_and_not_its_exit_code)
{
	const char *status;
	int64_t moves;

	fx_conf("", ends[_i].project);
	architect_dies(ends[_i].code);
	moves = fx_int("SELECT count(*) FROM transition");
	if (ends[_i].verdict[0] != '\0')
		result_is("check_architecture_done", ends[_i].commit == NULL ?
		    fx_task("DEMO-1", "head") : ends[_i].commit,
		    ends[_i].verdict);
	fx_dies(s.run, sock);
	status = fx_str("SELECT status FROM job WHERE role = 'architect'");
	ck_assert_msg(strcmp(status, ends[_i].green ? "done" : "queued") ==
	    0, "%s: %s", ends[_i].how, status);
	ck_assert_str_eq(fx_task("DEMO-1", "stage"), ends[_i].green ?
	    "development" : "architecture");
	/* Advanced once. */
	fx_tick(60000);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM transition"), moves +
	    ends[_i].green);
	fx_sound();
}
END_TEST

/* No gate of that stage says anything of what a deployer has done. */
START_TEST(an_agent_without_a_gate_of_its_own_is_started_again)
{
	struct orch_run_exit x = { .code = 0 };

	fx_conf("agent deployer { command \"sh\" }", "");
	fx_task_in("deploy-staging");
	fx_expect(&s, KIND_AGENT, "deployer");
	sock = fx_connect_run(&s, &go);
	x.run = s.run;
	ck_assert_int_eq(fx_result(sock, ORCH_run_exit, &x), RES_OK);
	fx_dies(s.run, sock);
	ck_assert_str_eq(fx_str("SELECT status FROM job WHERE role = "
	    "'deployer'"), "queued");
}
END_TEST

START_TEST(a_job_whose_task_has_moved_on_is_closed)
{
	architect_dies(0);
	if (_i == 0)
		fx_sql("UPDATE task SET head = "
		    "'000000000000000000000000000000000000beef', "
		    "agent_due = 0");
	else
		fx_sql("UPDATE run SET stage_seq = stage_seq - 1; "
		    "UPDATE job SET stage_seq = stage_seq - 1 WHERE role = "
		    "'architect'");
	fx_dies(s.run, sock);
	ck_assert_str_eq(fx_str("SELECT status FROM job WHERE role = "
	    "'architect' ORDER BY id"), "done");
}
END_TEST

START_TEST(an_idle_holder_of_the_merge_lane_is_asked_once_and_never_robbed)
{
	struct orch_end end = { .verdict = GATE_ERROR, .cause = CAUSE_STOPPED,
	    .gate = "", .reason = "asked", .head = "" };

	owner("deploy-staging", "edge");
	ck_assert_int_eq(fx_int("SELECT count(*) FROM merge_lease"), 1);
	fx_tick(299000);
	ck_assert_int_eq(fx_told_to_stop(sock), 0);
	fx_tick(1000);
	ck_assert_int_eq(fx_told_to_stop(sock), 1);
	ck_assert_int_eq(alerts("merge_idle"), 1);
	fx_tick(1000000);
	ck_assert_int_eq(fx_told_to_stop(sock), 0);
	ck_assert_int_eq(fx_int("SELECT run FROM lease"), (int64_t)s.run);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM merge_lease"), 1);
	/* It gives back honestly; the edge comes again. */
	end.epoch = epoch;
	ck_assert_int_eq(fx_result(sock, ORCH_end, &end), RES_OK);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM merge_lease"), 0);
	ck_assert_int_eq(alerts("merge_idle"), 0);
	fx_leave(sock);
	fx_tick(60000);
	fx_expect(&s, KIND_TRANSITION, "edge");
	fx_sound();
}
END_TEST

START_TEST(a_holder_with_an_open_gate_or_effect_is_not_asked)
{
	struct orch_gate g = { .gate = "check_staging_status" };
	struct orch_effect e = { .name = "push", .key = "push:x",
	    .class = CLASS_CAS };
	struct orch_effect_done d = { .key = "push:x", .state = EFFECT_DONE,
	    .evidence = "seen" };
	struct orch_run_done r = { .verdict = GATE_PASS };
	struct fx_spawn gate;
	struct fx_msg m;
	int test;

	owner("deploy-staging", "edge");
	g.epoch = e.epoch = d.epoch = epoch;
	g.commit = go.any.run_go.head;
	if (_i == 0) {
		ck_assert_int_eq(chan_write_one(sock, ORCH_gate, 77, &g, -1,
		    FX_WAIT), 0);
		fx_expect(&gate, KIND_GATE, g.gate);
		test = fx_connect_run(&gate, &m);
		fx_free(&m);
		fx_tick(1000000);
		r.run = gate.run;
		r.commit = go.any.run_go.head;
		ck_assert_int_eq(fx_result(test, ORCH_run_done, &r), RES_OK);
		ck_assert(fx_read(sock, &m));
		ck_assert_uint_eq(m.h.h_type, ORCH_gate_answer);
		fx_free(&m);
	} else {
		ck_assert_int_eq(fx_result(sock, ORCH_effect, &e), RES_OK);
		fx_tick(1000000);
		ck_assert_int_eq(fx_told_to_stop(sock), 0);
		ck_assert_int_eq(fx_result(sock, ORCH_effect_done, &d),
		    RES_OK);
	}
	/* Idle from its end on, and not before. */
	fx_tick(299000);
	ck_assert_int_eq(fx_told_to_stop(sock), 0);
	fx_tick(1000);
	ck_assert_int_eq(fx_told_to_stop(sock), 1);
}
END_TEST

START_TEST(a_dead_holder_of_the_merge_lane_is_replaced_at_once)
{
	owner("deploy-staging", "edge");
	fx_dies(s.run, sock);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM merge_lease"), 0);
	ck_assert_int_eq(alerts("lease_reclaimed"), 1);
	fx_tick(1000);
	fx_expect(&s, KIND_TRANSITION, "edge");
	fx_free(&go);
	sock = fx_connect_run(&s, &go);
	ck_assert_uint_gt(fx_begin(sock, &go.any.run_go), epoch);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM merge_lease"), 1);
	fx_sound();
}
END_TEST

/* One try of the work that ends in death (0) or is never born (1). */
static void
fails(int how)
{
	struct orch_spawned sp = { .error = "cannot fork", .ident = "" };

	if (how == 1) {
		sp.run = s.run;
		on_spawned(&sp);
		pass_commit();
		return;
	}
	fx_free(&go);
	sock = fx_connect_run(&s, &go);
	ck_assert_uint_gt(fx_begin(sock, &go.any.run_go), 0);
	fx_dies(s.run, sock);
}

START_TEST(a_worker_that_always_fails_is_parked_and_holds_nothing)
{
	int i;

	owner("analysis", "publish");
	fx_dies(s.run, sock);
	for (i = 1; i <= 5; i++) {
		ck_assert_str_eq(fx_task("DEMO-1", "parked"), "");
		ck_assert_int_eq(fx_int("SELECT count(*) FROM lease"), 0);
		fx_tick(40000);
		fx_expect(&s, KIND_TRANSITION, "publish");
		fails(_i);
	}
	ck_assert_str_eq(fx_task("DEMO-1", "parked"), "blocked");
	ck_assert_int_eq(fx_int("SELECT count(*) FROM lease"), 0);
	ck_assert_msg(strstr(fx_str("SELECT text FROM alert WHERE kind = "
	    "'parked'"), "6 times in a row") != NULL, "%s",
	    fx_str("SELECT text FROM alert WHERE kind = 'parked'"));
	ck_assert_msg(strstr(fx_str("SELECT text FROM alert WHERE kind = "
	    "'parked'"), "orchctl retry DEMO-1") != NULL, "no way on");
	fx_tick(86400000);
	ck_assert_int_eq(fx_spawned(&s), 0);
	fx_sound();
	/* A person says go on: it counts from the beginning. */
	ck_assert_int_eq(fx_act("retry", "DEMO-1", ""), RES_OK);
	fx_expect(&s, KIND_TRANSITION, "publish");
	fails(_i);
	ck_assert_str_eq(fx_task("DEMO-1", "parked"), "");
}
END_TEST

START_TEST(a_cancelled_task_whose_worker_always_dies_is_tried_seldom)
{
	int i;

	fx_task_in("architecture");
	while (fx_spawned(&s))
		continue;
	fx_sql("UPDATE run SET status = 'done', ended_at = 1");
	fx_sql("UPDATE job SET status = 'done', ended_at = 1");
	ck_assert_int_eq(fx_act("cancel", "DEMO-1", ""), RES_OK);
	for (i = 0; i < 6; i++) {
		fx_tick(i == 0 ? 0 : 40000);
		fx_expect(&s, KIND_TRANSITION, "close");
		fails(0);
	}
	fx_tick(500000);
	ck_assert_int_eq(fx_spawned(&s), 0);
	fx_tick(100000);
	fx_expect(&s, KIND_TRANSITION, "close");
	fx_free(&go);
	fx_play_spawn(&s);
	ck_assert_str_eq(fx_task("DEMO-1", "stage"), "cancelled");
}
END_TEST

START_TEST(one_that_waited_for_an_owner_has_not_failed)
{
	struct orch_run_done d = { .verdict = GATE_ERROR,
	    .cause = CAUSE_BUSY, .reason = "begin: another owns it" };
	struct fx_spawn s2;
	struct fx_msg go2;
	int sock2, i;

	owner("analysis", "publish");
	fx_second_worker(&s2, &sock2, &go2);
	for (i = 0; i < 9; i++) {
		ck_assert_uint_eq(fx_begin(sock2, &go2.any.run_go), 0);
		fx_free(&go2);
		d.run = s2.run;
		ck_assert_int_eq(fx_result(sock2, ORCH_run_done, &d), RES_OK);
		fx_leave(sock2);
		fx_tick(5000);
		fx_expect(&s2, KIND_TRANSITION, "publish");
		sock2 = fx_connect_run(&s2, &go2);
	}
	ck_assert_str_eq(fx_task("DEMO-1", "parked"), "");
	ck_assert_int_eq(fx_int("SELECT run FROM lease"), (int64_t)s.run);
	fx_free(&go2);
}
END_TEST

int
main(void)
{
	Suite *su = suite_create("reap");
	TCase *tc = tcase_create("reap");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc,
	    an_owner_past_the_ceiling_is_killed_found_dead_and_replaced);
	tcase_add_loop_test(tc,
	    a_stopped_agent_past_the_ceiling_is_killed_whatever_the_marks_say,
	    0, 2);
	tcase_add_test(tc, a_deploy_hook_has_no_ceiling_of_the_reaper);
	tcase_add_test(tc,
	    one_whom_the_kernel_hides_is_not_killed_and_an_alert_says_what_to_do);
	tcase_add_test(tc,
	    without_the_reaper_nothing_is_ended_because_of_its_age);
	tcase_add_test(tc,
	    a_stamped_run_that_says_no_more_is_asked_to_end_and_then_killed);
	tcase_add_test(tc,
	    a_stamped_run_that_ends_when_asked_uses_an_attempt);
	tcase_add_test(tc, one_that_has_not_stamped_its_end_is_not_of_tier_2);
	tcase_add_test(tc, a_runner_that_waits_for_its_import_is_left_alone);
	tcase_add_loop_test(tc,
	    tier_2_waits_for_the_living_owner_of_the_lease, 0,
	    (int)(sizeof(owners) / sizeof(owners[0])));
	tcase_add_loop_test(tc,
	    the_gate_decides_what_becomes_of_a_job_and_not_its_exit_code, 0,
	    (int)(sizeof(ends) / sizeof(ends[0])));
	tcase_add_test(tc,
	    an_agent_without_a_gate_of_its_own_is_started_again);
	tcase_add_loop_test(tc, a_job_whose_task_has_moved_on_is_closed, 0,
	    2);
	tcase_add_test(tc,
	    an_idle_holder_of_the_merge_lane_is_asked_once_and_never_robbed);
	tcase_add_loop_test(tc,
	    a_holder_with_an_open_gate_or_effect_is_not_asked, 0, 2);
	tcase_add_test(tc,
	    a_dead_holder_of_the_merge_lane_is_replaced_at_once);
	tcase_add_loop_test(tc,
	    a_worker_that_always_fails_is_parked_and_holds_nothing, 0, 2);
	tcase_add_test(tc,
	    a_cancelled_task_whose_worker_always_dies_is_tried_seldom);
	tcase_add_test(tc, one_that_waited_for_an_owner_has_not_failed);
	suite_add_tcase(su, tc);
	fx_main_exit(su);
}
