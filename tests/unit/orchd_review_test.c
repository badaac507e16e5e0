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

/* Faults that a review of the engine found, each held by what it broke. */

#include "engine_play.h"

static void
setup(void)
{
	fx_open("transient_max 2", "");
}

/* The engine hears nothing of a run any more, and its process is gone. */
static void
dies(int sock, uint64_t run)
{
	char text[IDENT_TEXT_MAX];

	fx_ident(7, text);
	fx.life[7] = FX_GONE;
	fx_sql("UPDATE run SET ident = '%s' WHERE id = %llu", text,
	    (unsigned long long)run);
	close(sock);
	fx_pump();
	fx_tick(1000);
}

static int
is_open(int sock)
{
	struct pollfd pfd = { .fd = sock, .events = POLLIN };
	char c;

	fx_pump();
	return (poll(&pfd, 1, 0) == 0 ||
	    recv(sock, &c, 1, MSG_PEEK | MSG_DONTWAIT) > 0);
}

/* HELLO of a run, whatever the engine answers. */
static int
greets(const struct fx_spawn *s)
{
	char text[IDENT_TEXT_MAX];
	struct orch_hello h = { .major = ORCH_PROTO_MAJOR,
	    .minor = ORCH_PROTO_MINOR, .role = ROLE_RUNNER, .run = s->run,
	    .key = { s->key, 32 }, .ident = text };
	int sv[2];

	(void)fx_pair(sv);
	peer_accept(sv[0], 0);
	ck_assert_int_eq(ident_format(&fx.self, text, sizeof(text)), 0);
	ck_assert_int_eq(chan_write_one(sv[1], ORCH_hello, 1, &h, -1,
	    FX_WAIT), 0);
	fx_pump();
	return (sv[1]);
}

/* The next message, HELLO_OK aside, asks it to stop. */
static int
stop_came(int sock)
{
	struct fx_msg m;
	int yes;

	do {
		if (!fx_read(sock, &m))
			return (0);
		if (m.h.h_type != ORCH_hello_ok)
			break;
		fx_free(&m);
	} while (1);
	yes = m.h.h_type == ORCH_run_stop;
	fx_free(&m);
	return (yes);
}

/* The first agent of a submitted task, at its GO. */
static int
analyst(struct fx_spawn *s)
{
	struct fx_msg go;
	int sock;

	ck_assert_int_eq(fx_submit("tally", NULL), RES_OK);
	fx_expect(s, KIND_AGENT, "analyst");
	sock = fx_connect_run(s, &go);
	ck_assert_ptr_nonnull(go.frame);
	fx_free(&go);
	return (sock);
}

START_TEST(a_daemon_that_names_a_run_is_not_that_run)
{
	struct fx_spawn s;
	struct fx_msg m;
	int sock = analyst(&s), sv[2];

	(void)fx_pair(sv);
	peer_daemon(sv[0], ROLE_WEBHOOK, 1);
	fx_say_hello(sv[1], ROLE_WEBHOOK, s.run, NULL, &m);
	ck_assert_uint_eq(m.h.h_type, ORCH_hello_ok);
	fx_free(&m);
	ck_assert_msg(!fx_read(sv[1], &m), "webhookd gets %s",
	    orch_msg(m.h.h_type)->m_name);
	ck_assert(is_open(sock));
	ck_assert_ptr_nonnull(peer_of_run(s.run));
}
END_TEST

START_TEST(a_run_whose_go_was_lost_says_hello_again_and_gets_it)
{
	struct fx_spawn s;
	struct fx_msg m;
	int sock;

	ck_assert_int_eq(fx_submit("tally", NULL), RES_OK);
	fx_expect(&s, KIND_AGENT, "analyst");
	fx_sql("CREATE TRIGGER t BEFORE UPDATE OF go_at ON run "
	    "BEGIN SELECT RAISE(ABORT, 'test'); END");
	sock = greets(&s);
	ck_assert_msg(!is_open(sock), "it waits for ever");
	fx_sql("DROP TRIGGER t");
	close(sock);
	sock = fx_connect_run(&s, &m);
	ck_assert_uint_eq(m.h.h_type, ORCH_run_go);
	fx_free(&m);
}
END_TEST

START_TEST(a_task_that_cannot_be_driven_stops_no_other)
{
	fx_conf("transient_max 2\nserial_limit 2", "");
	ck_assert_int_eq(fx_submit("tally", NULL), RES_OK);
	ck_assert_int_eq(fx_submit("tally", NULL), RES_OK);
	fx_sql("UPDATE task SET drive_at = 1, waits = 'x'");
	fx_sql("CREATE TRIGGER t BEFORE UPDATE OF waits ON task WHEN "
	    "old.id = 1 BEGIN SELECT RAISE(ABORT, 'test'); END");
	ck_assert_int_eq(engine_look(0), 0);
	ck_assert_str_eq(fx_task("DEMO-1", "waits"), "x");
	ck_assert_str_eq(fx_task("DEMO-2", "waits"), "run");
	/* It is left alone for a while, not every second. */
	ck_assert_int_gt(fx_task_int("DEMO-1", "drive_at"), fx.ms + 1000);
	fx_sql("DROP TRIGGER t");
	fx.ms += 60000;
	ck_assert_int_eq(engine_look(0), 0);
	ck_assert_str_eq(fx_task("DEMO-1", "waits"), "run");
}
END_TEST

START_TEST(a_job_that_cannot_be_started_stops_no_other)
{
	struct fx_spawn s;

	fx_conf("serial_limit 2\nmax_concurrency 2", "");
	fx_sql("CREATE TRIGGER t BEFORE INSERT ON run WHEN new.task = 1 "
	    "BEGIN SELECT RAISE(ABORT, 'test'); END");
	ck_assert_int_eq(fx_submit("tally", NULL), RES_OK);
	ck_assert_int_eq(fx_submit("tally", NULL), RES_OK);
	fx_expect(&s, KIND_AGENT, "analyst");
	ck_assert_int_eq(fx_int("SELECT task FROM run"), 2);
	fx_sql("DROP TRIGGER t");
	fx_tick(31000);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM run WHERE task = 1"),
	    1);
	fx_sound();
}
END_TEST

START_TEST(a_run_that_cannot_be_looked_at_stops_no_other)
{
	fx_conf("serial_limit 2\nmax_concurrency 2", "");
	ck_assert_int_eq(fx_submit("tally", NULL), RES_OK);
	ck_assert_int_eq(fx_submit("tally", NULL), RES_OK);
	fx_sql("CREATE TRIGGER t BEFORE UPDATE ON run WHEN old.task = 1 "
	    "BEGIN SELECT RAISE(ABORT, 'test'); END");
	fx_tick(20000);
	ck_assert_str_eq(fx_str("SELECT status FROM run WHERE id = 1"),
	    "starting");
	ck_assert_str_eq(fx_str("SELECT status FROM run WHERE id = 2"),
	    "lost");
}
END_TEST

START_TEST(a_cancel_is_heard_by_a_run_that_was_away)
{
	struct fx_spawn s;
	int sock = analyst(&s);

	close(sock);
	fx_pump();
	ck_assert_int_eq(fx_act("cancel", "DEMO-1", ""), RES_OK);
	ck_assert(stop_came(greets(&s)));
}
END_TEST

START_TEST(what_begins_during_a_shutdown_is_stopped_without_go)
{
	struct fx_spawn s;
	struct fx_msg m;
	int sock;

	ck_assert_int_eq(fx_submit("tally", NULL), RES_OK);
	fx_expect(&s, KIND_AGENT, "analyst");
	eng.e_quiescing = 1;
	sock = greets(&s);
	ck_assert(stop_came(sock));
	ck_assert_msg(!fx_read(sock, &m), "and then %s",
	    orch_msg(m.h.h_type)->m_name);
	eng.e_quiescing = 0;
}
END_TEST

START_TEST(a_shutdown_still_takes_over_what_an_agent_handed_in)
{
	struct orch_run_done d = { .verdict = GATE_PASS,
	    .tree = "00000000000000000000000000000000000000b5" };
	struct fx_spawn s;
	struct fx_msg m;
	int sock = analyst(&s), fd;

	eng.e_quiescing = 1;
	d.run = s.run;
	fd = memfd_create("bundle", MFD_CLOEXEC);
	ck_assert_int_eq(chan_write_one(sock, ORCH_run_done, 9, &d, fd,
	    FX_WAIT), 0);
	close(fd);
	fx_expect(&s, KIND_IMPORT, "analyst");
	fx_play_import(&s);
	ck_assert_msg(fx_read(sock, &m), "the agent's runner stays");
	ck_assert_uint_eq(m.h.h_type, ORCH_ack);
	fx_free(&m);
	/* And nothing else begins. */
	ck_assert_msg(!fx_spawned(&s), "%s begins", orch_kind_name(s.kind));
	eng.e_quiescing = 0;
}
END_TEST

START_TEST(a_runner_that_lives_but_never_greets_is_given_up)
{
	struct orch_spawned sp = { .pid = FX_VPID + 3 };
	char text[IDENT_TEXT_MAX];
	struct fx_spawn s;

	ck_assert_int_eq(fx_submit("tally", NULL), RES_OK);
	fx_expect(&s, KIND_AGENT, "analyst");
	fx.life[3] = FX_ALIVE;
	fx_ident(3, text);
	sp.run = s.run;
	sp.ident = text;
	sp.error = "";
	on_spawned(&sp);
	fx_tick(5000);
	ck_assert_str_eq(fx_str("SELECT status FROM run WHERE id = %llu",
	    (unsigned long long)s.run), "starting");
	fx_tick(20000);
	ck_assert_str_eq(fx_str("SELECT status FROM run WHERE id = %llu",
	    (unsigned long long)s.run), "lost");
}
END_TEST

START_TEST(the_end_of_a_task_lets_the_next_one_in)
{
	ck_assert_int_eq(fx_submit("tally", NULL), RES_OK);
	ck_assert_int_eq(fx_submit("tally", NULL), RES_OK);
	ck_assert_str_eq(fx_task("DEMO-2", "stage"), "created");
	fx_play_until("DEMO-1", "done");
	ck_assert_str_eq(fx_task("DEMO-1", "stage"), "done");
	ck_assert_str_eq(fx_task("DEMO-2", "stage"), "analysis");
	fx_sound();
}
END_TEST

START_TEST(the_end_of_a_deploy_frees_the_lane_at_once)
{
	struct orch_deploy_result r = { .evidence = "file" };
	struct fx_spawn hook, s;
	int d;

	fx_conf("serial_limit 2", "");
	ck_assert_int_eq(fx_submit("tally", NULL), RES_OK);
	ck_assert_int_eq(fx_submit("tally", NULL), RES_OK);
	fx_play_until("DEMO-1", "deploy");
	fx_play_until("DEMO-2", "deploy");
	ck_assert_int_eq(fx_act("confirm", "DEMO-1", ""), RES_OK);
	fx_expect(&s, KIND_TRANSITION, "deploy");
	fx_play_spawn(&s);
	fx_expect(&hook, KIND_HOOK, "");
	ck_assert_int_eq(fx_act("confirm", "DEMO-2", ""), RES_OK);
	ck_assert_str_eq(fx_task("DEMO-2", "waits"), "capacity");
	ck_assert(!fx_spawned(&s));
	d = fx_connect(ROLE_FINALIZERD);
	r.run = hook.run;
	ck_assert_int_eq(fx_result(d, ORCH_deploy_result, &r), RES_OK);
	ck_assert_str_eq(fx_task("DEMO-2", "waits"), "run");
}
END_TEST

START_TEST(a_gate_result_belongs_to_the_commit_that_was_asked_about)
{
	struct orch_run_done d = { .verdict = GATE_PASS,
	    .commit = "00000000000000000000000000000000deadbeef",
	    .tree = "00000000000000000000000000000000000000aa" };
	struct fx_spawn s;
	struct fx_msg m;
	int sock;

	ck_assert_int_eq(fx_submit("tally", NULL), RES_OK);
	do {
		ck_assert(fx_spawned(&s));
		if (s.kind != KIND_GATE)
			fx_play_spawn(&s);
	} while (s.kind != KIND_GATE);
	sock = fx_connect_run(&s, &m);
	fx_free(&m);
	d.run = s.run;
	ck_assert_int_eq(fx_result(sock, ORCH_run_done, &d), RES_OK);
	ck_assert_str_eq(fx_str("SELECT verdict FROM gate_result"), "error");
	ck_assert_str_eq(fx_str("SELECT commit_id FROM gate_result"),
	    fx_task("DEMO-1", "head"));
	fx_sound();
}
END_TEST

START_TEST(an_import_without_its_agent_ends)
{
	struct orch_run_done d = { .verdict = GATE_PASS,
	    .tree = "00000000000000000000000000000000000000b5" };
	struct fx_spawn s, im;
	int agent = analyst(&s), import, fd;

	d.run = s.run;
	fd = memfd_create("bundle", MFD_CLOEXEC);
	ck_assert_int_eq(chan_write_one(agent, ORCH_run_done, 9, &d, fd,
	    FX_WAIT), 0);
	close(fd);
	fx_expect(&im, KIND_IMPORT, "analyst");
	/* Both the agent and its bundle are gone before the import greets. */
	dies(agent, s.run);
	import = greets(&im);
	ck_assert_msg(stop_came(import), "it waits for a bundle for ever");
	memset(&d, 0, sizeof(d));
	d.run = im.run;
	d.verdict = GATE_ERROR;
	d.cause = CAUSE_STOPPED;
	ck_assert_int_eq(fx_result(import, ORCH_run_done, &d), RES_OK);
	fx_tick(1000);
	do {
		ck_assert_msg(fx_spawned(&s), "the agent runs no more");
		if (s.kind != KIND_AGENT)
			fx_play_spawn(&s);
	} while (s.kind != KIND_AGENT);
	fx_sound();
}
END_TEST

/* An edge's worker that waits for the re-test; s is the gate's run. */
static int
edge_at_gate(struct fx_spawn *s, struct fx_spawn *gate, struct fx_msg *go,
    uint64_t *epoch)
{
	struct orch_gate g = { .gate = "check_branch_mergeable" };
	int sock;

	fx_conf("transient_max 2\n"
	    "merge_retest_skip_when_current_enabled no", "");
	sock = fx_worker_in("deploy-staging", "edge", s, go);
	*epoch = fx_begin(sock, &go->any.run_go);
	ck_assert_uint_ne(*epoch, 0);
	g.epoch = *epoch;
	g.commit = go->any.run_go.head;
	ck_assert_int_eq(chan_write_one(sock, ORCH_gate, 77, &g, -1,
	    FX_WAIT), 0);
	fx_expect(gate, KIND_GATE, "check_branch_mergeable");
	return (sock);
}

START_TEST(a_gate_that_cannot_be_run_is_answered_to_its_worker)
{
	struct orch_spawned sp = { .error = "no such program",
	    .ident = "" };
	struct fx_spawn s, gate;
	struct fx_msg go, m;
	uint64_t epoch;
	int sock = edge_at_gate(&s, &gate, &go, &epoch), i;

	for (i = 0; i < 3; i++) {
		sp.run = gate.run;
		on_spawned(&sp);
		fx_tick(5000);
		while (fx_spawned(&gate) && gate.kind != KIND_GATE)
			fx_play_spawn(&gate);
	}
	ck_assert_msg(fx_read(sock, &m), "the worker waits for ever");
	ck_assert_uint_eq(m.h.h_type, ORCH_gate_answer);
	ck_assert_uint_eq(m.any.gate_answer.verdict, GATE_ERROR);
	fx_free(&m);
	fx_free(&go);
	fx_sound();
}
END_TEST

START_TEST(a_gate_of_a_dead_worker_is_its_heirs)
{
	struct orch_gate g = { .gate = "check_branch_mergeable" };
	struct fx_spawn s, gate, more;
	struct fx_msg go, m;
	struct orch_run_done d = { .verdict = GATE_PASS };
	uint64_t epoch;
	int sock = edge_at_gate(&s, &gate, &go, &epoch), runner;

	fx_free(&go);
	runner = fx_connect_run(&gate, &go);
	fx_free(&go);
	dies(sock, s.run);
	fx_tick(1000);
	fx_expect(&s, KIND_TRANSITION, "edge");
	sock = fx_connect_run(&s, &go);
	g.epoch = fx_begin(sock, &go.any.run_go);
	ck_assert_uint_gt(g.epoch, epoch);
	g.commit = go.any.run_go.head;
	ck_assert_int_eq(chan_write_one(sock, ORCH_gate, 78, &g, -1,
	    FX_WAIT), 0);
	ck_assert_msg(!fx_spawned(&more), "the re-test runs twice at once");
	d.run = gate.run;
	ck_assert_int_eq(fx_result(runner, ORCH_run_done, &d), RES_OK);
	ck_assert_msg(fx_read(sock, &m), "the heir is not answered");
	ck_assert_uint_eq(m.any.gate_answer.verdict, GATE_PASS);
	fx_free(&m);
	fx_free(&go);
	fx_sound();
}
END_TEST

START_TEST(a_round_merges_once_and_a_closed_run_gets_no_lease)
{
	struct orch_effect e = { .name = "merge", .class = CLASS_CAS };
	struct orch_end end = { .verdict = GATE_ERROR, .cause = CAUSE_INFRA,
	    .gate = "", .reason = "test", .head = "" };
	char key[128];
	struct fx_spawn s;
	struct fx_msg go;
	int sock = fx_worker_in("deploy-staging", "edge", &s, &go);

	e.epoch = end.epoch = fx_begin(sock, &go.any.run_go);
	e.key = key;
	fx_retested("0000000000000000000000000000000000000001");
	fx_retested("0000000000000000000000000000000000000002");
	snprintf(key, sizeof(key), "merge:DEMO-1:r0:%040x", 1);
	fx_effect(sock, e.epoch, "merge", key, CLASS_CAS);
	snprintf(key, sizeof(key), "merge:DEMO-1:r0:%040x", 2);
	ck_assert_int_eq(fx_result(sock, ORCH_effect, &e), RES_REFUSED);
	snprintf(key, sizeof(key), "merge:DEMO-1:r1:%040x", 2);
	ck_assert_int_eq(fx_result(sock, ORCH_effect, &e), RES_OK);
	ck_assert_int_eq(fx_result(sock, ORCH_end, &end), RES_OK);
	ck_assert_uint_eq(fx_begin(sock, &go.any.run_go), 0);
	fx_free(&go);
	fx_sound();
}
END_TEST

START_TEST(a_worker_that_stops_by_itself_is_bounded)
{
	struct orch_end end = { .verdict = GATE_ERROR,
	    .cause = CAUSE_STOPPED, .gate = "", .reason = "test",
	    .head = "" };
	struct fx_spawn s;
	struct fx_msg go;
	int sock = fx_worker_in("deploy-staging", "edge", &s, &go);

	end.epoch = fx_begin(sock, &go.any.run_go);
	fx_free(&go);
	ck_assert_int_eq(fx_result(sock, ORCH_end, &end), RES_OK);
	ck_assert_msg(!fx_spawned(&s), "it is started again at once");
	ck_assert_str_eq(fx_task("DEMO-1", "waits"), "retry");
}
END_TEST

START_TEST(a_first_attempt_is_told_from_an_unfinished_one)
{
	struct orch_effect e = { .name = "push", .key = "push:x",
	    .class = CLASS_CAS };
	struct fx_spawn s;
	struct fx_msg go, m;
	int sock = fx_worker_in("deploy-staging", "edge", &s, &go);

	e.epoch = fx_begin(sock, &go.any.run_go);
	fx_free(&go);
	fx_ask(sock, ORCH_effect, &e, -1, &m);
	ck_assert_uint_eq(m.any.effect_answer.state, EFFECT_NONE);
	fx_free(&m);
	fx_ask(sock, ORCH_effect, &e, -1, &m);
	ck_assert_uint_eq(m.any.effect_answer.state, EFFECT_INTENT);
	fx_free(&m);
}
END_TEST

START_TEST(a_decision_without_stage_or_commit_decides_nothing)
{
	struct orch_action act = { .verb = "approve", .task = "DEMO-1" };

	ck_assert_int_eq(fx_submit("tally", NULL), RES_OK);
	while (fx_task("DEMO-1", "asked_gate")[0] == '\0')
		ck_assert_int_eq(fx_step(), 1);
	ck_assert_int_eq(fx_act_full(&act), RES_STALE);
	act.stage = "analysis";
	act.seq = (uint64_t)fx_task_int("DEMO-1", "stage_seq");
	ck_assert_int_eq(fx_act_full(&act), RES_STALE);
	act.commit = fx_task("DEMO-1", "asked_commit");
	ck_assert_int_eq(fx_act_full(&act), RES_OK);
}
END_TEST

START_TEST(a_confirmation_taken_back_starts_no_hook)
{
	struct orch_hook_start h = { .key = "deploy:DEMO-1:x" };
	struct fx_spawn s;
	struct fx_msg go;
	int sock;

	fx_task_in("deploy");
	ck_assert_int_eq(fx_act("confirm", "DEMO-1", ""), RES_OK);
	fx_expect(&s, KIND_TRANSITION, "deploy");
	sock = fx_connect_run(&s, &go);
	h.epoch = fx_begin(sock, &go.any.run_go);
	h.revision = go.any.run_go.commit;
	h.tree = go.any.run_go.tree;
	h.previous = go.any.run_go.base;
	ck_assert_int_eq(fx_act("reject", "DEMO-1", "not today"), RES_OK);
	ck_assert_int_eq(fx_result(sock, ORCH_hook_start, &h), RES_REFUSED);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM deploy"), 0);
	fx_free(&go);
}
END_TEST

START_TEST(a_deploy_that_has_begun_is_not_refused_any_more)
{
	struct fx_spawn s;

	fx_task_in("deploy");
	ck_assert_int_eq(fx_act("confirm", "DEMO-1", ""), RES_OK);
	fx_expect(&s, KIND_TRANSITION, "deploy");
	fx_play_spawn(&s);
	ck_assert_int_eq(fx_act("reject", "DEMO-1", "not today"),
	    RES_REFUSED);
	fx_play_until("DEMO-1", "done");
	ck_assert_uint_eq(fx.deploys, 1);
	fx_sound();
}
END_TEST

START_TEST(a_hook_that_never_began_is_started_again_and_no_deploy_failed)
{
	struct orch_spawned sp = { .error = "orchd is ending", .ident = "" };
	struct orch_deploy_result r = { .code = 255, .evidence = "gone" };
	struct fx_spawn s;
	int d;

	fx_task_in("deploy");
	ck_assert_int_eq(fx_act("confirm", "DEMO-1", ""), RES_OK);
	fx_expect(&s, KIND_TRANSITION, "deploy");
	fx_play_spawn(&s);
	fx_expect(&s, KIND_HOOK, "");
	sp.run = r.run = s.run;
	on_spawned(&sp);
	fx_pump();
	d = fx_connect(ROLE_FINALIZERD);
	ck_assert_int_eq(fx_result(d, ORCH_deploy_result, &r), RES_DENIED);
	fx_tick(1000);
	fx_expect(&s, KIND_HOOK, "");
	fx_play_spawn(&s);
	fx_play_until("DEMO-1", "done");
	ck_assert_str_eq(fx_task("DEMO-1", "stage"), "done");
	ck_assert_uint_eq(fx.deploys, 1);
	fx_sound();
}
END_TEST

START_TEST(the_alert_of_a_parked_task_ends_with_it)
{
	struct fx_spawn s;
	int sock = analyst(&s);
	struct orch_run_done d = { .run = s.run, .verdict = GATE_FAIL,
	    .cause = CAUSE_EXEC, .reason = "test" };

	fx_conf("max_attempts 1", "");
	ck_assert_int_eq(fx_result(sock, ORCH_run_done, &d), RES_OK);
	ck_assert_str_eq(fx_task("DEMO-1", "parked"), "blocked");
	ck_assert_int_eq(fx_act("cancel", "DEMO-1", ""), RES_OK);
	ck_assert_str_eq(fx_task("DEMO-1", "stage"), "cancelled");
	ck_assert_int_eq(fx_int("SELECT count(*) FROM alert WHERE kind = "
	    "'parked' AND cleared_at IS NULL"), 0);
}
END_TEST

int
main(void)
{
	Suite *su = suite_create("review");
	TCase *tc = tcase_create("review");

	tcase_add_checked_fixture(tc, setup, fx_close);
	tcase_add_test(tc, a_daemon_that_names_a_run_is_not_that_run);
	tcase_add_test(tc,
	    a_run_whose_go_was_lost_says_hello_again_and_gets_it);
	tcase_add_test(tc, a_task_that_cannot_be_driven_stops_no_other);
	tcase_add_test(tc, a_job_that_cannot_be_started_stops_no_other);
	tcase_add_test(tc, a_run_that_cannot_be_looked_at_stops_no_other);
	tcase_add_test(tc, a_cancel_is_heard_by_a_run_that_was_away);
	tcase_add_test(tc, what_begins_during_a_shutdown_is_stopped_without_go);
	tcase_add_test(tc,
	    a_shutdown_still_takes_over_what_an_agent_handed_in);
	tcase_add_test(tc, a_runner_that_lives_but_never_greets_is_given_up);
	tcase_add_test(tc, the_end_of_a_task_lets_the_next_one_in);
	tcase_add_test(tc, the_end_of_a_deploy_frees_the_lane_at_once);
	tcase_add_test(tc,
	    a_gate_result_belongs_to_the_commit_that_was_asked_about);
	tcase_add_test(tc, an_import_without_its_agent_ends);
	tcase_add_test(tc,
	    a_gate_that_cannot_be_run_is_answered_to_its_worker);
	tcase_add_test(tc, a_gate_of_a_dead_worker_is_its_heirs);
	tcase_add_test(tc,
	    a_round_merges_once_and_a_closed_run_gets_no_lease);
	tcase_add_test(tc, a_worker_that_stops_by_itself_is_bounded);
	tcase_add_test(tc, a_first_attempt_is_told_from_an_unfinished_one);
	tcase_add_test(tc, a_decision_without_stage_or_commit_decides_nothing);
	tcase_add_test(tc, a_confirmation_taken_back_starts_no_hook);
	tcase_add_test(tc, a_deploy_that_has_begun_is_not_refused_any_more);
	tcase_add_test(tc,
	    a_hook_that_never_began_is_started_again_and_no_deploy_failed);
	tcase_add_test(tc, the_alert_of_a_parked_task_ends_with_it);
	suite_add_tcase(su, tc);
	fx_main_exit(su);
}
