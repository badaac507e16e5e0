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
 * The incident that orchd was written for: the live worker of an edge is slow
 * beyond the reaper's grace, and reaper, reconciler, webhook, people and a
 * second worker all come in.  One merge, one deploy, no way back; everybody
 * else is refused with the owner's name.
 */

#include "orchd/lease.h"

#include "engine_play.h"

#define EDGE_GATE "check_branch_mergeable"

/* The slow one, in its re-test, and the one that comes in. */
static struct fx_spawn	 slow, second, gate;
static struct fx_msg	 go, go2;
static int		 sock, sock2, test;
static uint64_t		 epoch;

static void
setup(void)
{
	fx_open("reaper_finalize_grace_s 5\nmax_concurrency 4\n"
	    "max_gate_runs 4\nmerge_retest_skip_when_current_enabled no", "");
	go.fd = go2.fd = -1;
}

static void
teardown(void)
{
	fx_free(&go);
	fx_free(&go2);
	fx_close();
}

/* A worker at its edge, whose re-test does not come to an end. */
static void
slow_worker(void)
{
	struct orch_gate g = { 0, EDGE_GATE, NULL, LOOK_NO };
	struct fx_msg m;

	sock = fx_worker_in("deploy-staging", "edge", &slow, &go);
	epoch = fx_begin(sock, &go.any.run_go);
	ck_assert_uint_gt(epoch, 0);
	g.epoch = epoch;
	g.commit = go.any.run_go.head;
	ck_assert_int_eq(chan_write_one(sock, ORCH_gate, 77, &g, -1,
	    FX_WAIT), 0);
	fx_expect(&gate, KIND_GATE, EDGE_GATE);
	test = fx_connect_run(&gate, &m);
	fx_free(&m);
	fx_tick(60000);
	fx_tick(60000);
}

/*
 * A second worker of the same edge: a fault, because the index on jobs allows
 * none; so it is put there by hand.
 */
static void
second_worker(void)
{
	struct job j;
	struct task t;

	fx_sql("DROP INDEX job_one_transition");
	fx_sql("INSERT INTO job (task, project, kind, work, status, "
	    "available_at, created_at, stage_seq) SELECT id, project, "
	    "'transition', 'edge', 'running', 1, 1, stage_seq FROM task");
	ck_assert_int_eq(pass_enter(), 0);
	ck_assert_int_eq(job_get(fx_int("SELECT max(id) FROM job"), &j),
	    STORE_OK);
	ck_assert_int_eq(task_get(1, &t), STORE_OK);
	ck_assert_int_eq(run_start(&j, &t), 0);
	(void)pass_leave(1);
	pass_commit();
	while (fx_spawned(&second) && second.kind != KIND_TRANSITION)
		fx_play_spawn(&second);
	ck_assert_str_eq(second.work, "edge");
	sock2 = fx_connect_run(&second, &go2);
}

/* Refused, it ends; its job is queued again. */
static void
second_dies(void)
{
	char ident[IDENT_TEXT_MAX];

	fx.life[2] = FX_GONE;
	fx_ident(2, ident);
	fx_sql("UPDATE run SET ident = '%s' WHERE id = %llu", ident,
	    (unsigned long long)second.run);
	fx_free(&go2);
	fx_leave(sock2);
	fx_tick(1000);
	ck_assert_str_eq(fx_str("SELECT status FROM run WHERE id = %llu",
	    (unsigned long long)second.run), "lost");
}

/* Its re-test finds the first one's port in use: red, and so it says. */
static void
second_goes_red(uint64_t epoch2)
{
	struct orch_end end = { .epoch = epoch2, .verdict = GATE_FAIL,
	    .cause = CAUSE_RED, .gate = EDGE_GATE, .reason = "port in use" };

	(void)fx_result(sock2, ORCH_end, &end);
}

static void
ck_owner_is_named(void)
{
	char owner[32];

	snprintf(owner, sizeof(owner), "run %llu",
	    (unsigned long long)slow.run);
	ck_assert_msg(strstr(fx_said, owner) != NULL, "refused, but not "
	    "with the owner's name: %s", fx_said);
}

/* An answer of type ACK; its sentence goes to fx_said. */
static enum orch_result
ack_of(int s, unsigned int type, const void *msg)
{
	enum orch_result res;
	struct fx_msg m;

	fx_ask(s, type, msg, -1, &m);
	ck_assert_uint_eq(m.h.h_type, ORCH_ack);
	res = m.any.ack.result;
	strlcpy(fx_said, m.any.ack.text, sizeof(fx_said));
	fx_free(&m);
	return (res);
}

static void
reaper_comes(unsigned int tier)
{
	char ident[IDENT_TEXT_MAX];
	struct orch_dead d = { .run = slow.run, .ident = ident,
	    .verdict = IDENT_DEAD, .tier = (uint8_t)tier, .ticks = 9,
	    .evidence = "it is silent for longer than the grace" };
	int s = fx_connect(ROLE_REAPERD);

	strlcpy(ident, fx_str("SELECT ident FROM run WHERE id = %llu",
	    (unsigned long long)slow.run), sizeof(ident));
	ck_assert_int_ne(ack_of(s, ORCH_dead, &d), RES_OK);
	fx_leave(s);
}

static void
reconciler_comes(void)
{
	struct orch_candidates c = { 100 };
	struct orch_advance a = { "DEMO-1", "deploy-staging",
	    go.any.run_go.seq, "it has not moved for a long time" };
	int s = fx_connect(ROLE_RECONCILED);
	struct fx_msg m;

	fx_ask(s, ORCH_candidates, &c, -1, &m);
	ck_assert_uint_eq(m.h.h_type, ORCH_candidate);
	ck_assert_msg(m.any.candidate.last && m.any.candidate.task[0] == '\0',
	    "%s is called idle", m.any.candidate.task);
	fx_free(&m);
	ck_assert_int_eq(ack_of(s, ORCH_advance, &a), RES_DENIED);
	ck_owner_is_named();
	fx_leave(s);
}

static void
webhook_comes(void)
{
	static const uint8_t body[] = "{\"ref\":\"refs/heads/main\"}";
	struct orch_event e = { .source = "gitea", .delivery = "d-1",
	    .kind = "push", .sha256 =
	    "0123456789012345678901234567890123456789012345678901234567890123",
	    .body = { body, sizeof(body) - 1 } };
	int s = fx_connect(ROLE_WEBHOOK);
	struct fx_msg m;

	fx_ask(s, ORCH_event, &e, -1, &m);
	ck_assert_uint_eq(m.h.h_type, ORCH_event_answer);
	fx_free(&m);
	fx_leave(s);
}

static void
people_come(void)
{
	(void)fx_act("approve", "DEMO-1", "");
	(void)fx_act("confirm", "DEMO-1", "");
	(void)fx_act("retry", "DEMO-1", "");
	(void)fx_act("reject", "DEMO-1", "why so slow?");
}

static void
ck_unmoved(void)
{
	ck_assert_str_eq(fx_task("DEMO-1", "stage"), "deploy-staging");
	ck_assert_int_eq(fx_int("SELECT run FROM lease"), (int64_t)slow.run);
	ck_assert_int_eq(fx_int("SELECT epoch FROM lease"), (int64_t)epoch);
	ck_assert_int_eq(fx_int("SELECT epoch FROM merge_lease"),
	    (int64_t)epoch);
}

/* The re-test ends green; the owner lands and moves the task. */
static void
slow_one_finishes(void)
{
	struct orch_landed l = { epoch, go.any.run_go.head,
	    "00000000000000000000000000000000000000aa",
	    "00000000000000000000000000000000000000bb", "", "", "" };
	struct orch_commit c = { epoch, go.any.run_go.stage,
	    go.any.run_go.seq, "deploy", "merged" };
	struct orch_run_done d = { .verdict = GATE_PASS };
	char key[128];
	struct fx_msg m;

	d.run = gate.run;
	d.commit = go.any.run_go.head;
	d.tree = go.any.run_go.tree;
	ck_assert_int_eq(fx_result(test, ORCH_run_done, &d), RES_OK);
	fx_leave(test);
	ck_assert_msg(fx_read(sock, &m), "the owner gets no answer");
	ck_assert_uint_eq(m.h.h_type, ORCH_gate_answer);
	ck_assert_uint_eq(m.any.gate_answer.verdict, GATE_PASS);
	fx_free(&m);
	snprintf(key, sizeof(key), "merge:%s:r%u:%s", go.any.run_go.task,
	    go.any.run_go.round, go.any.run_go.head);
	fx_effect(sock, epoch, "merge", key, CLASS_CAS);
	fx.merges++;
	ck_assert_int_eq(fx_result(sock, ORCH_landed, &l), RES_OK);
	ck_assert_int_eq(fx_result(sock, ORCH_commit, &c), RES_OK);
	fx_leave(sock);
}

/* One merge, one deploy, no way back. */
static void
ck_end(void)
{
	fx_play_until("DEMO-1", "done");
	ck_assert_str_eq(fx_task("DEMO-1", "stage"), "done");
	ck_assert_int_eq(fx_int("SELECT count(*) FROM transition WHERE "
	    "to_stage = 'development' AND from_stage <> 'architecture'"), 0);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM transition WHERE "
	    "to_stage = 'deploy'"), 1);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM effect WHERE "
	    "name = 'merge' AND state = 'done'"), 1);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM deploy"), 1);
	ck_assert_uint_eq(fx.merges, 1);
	ck_assert_uint_eq(fx.deploys, 1);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM gate_result WHERE "
	    "gate = '" EDGE_GATE "'"), 1);
	fx_sound();
}

START_TEST(a_slow_edge_is_left_to_its_owner_whoever_comes)
{
	uint64_t epoch2;

	slow_worker();
	reaper_comes(1);
	reaper_comes(2);
	reconciler_comes();
	webhook_comes();
	people_come();
	ck_unmoved();
	second_worker();
	if ((epoch2 = fx_begin(sock2, &go2.any.run_go)) != 0)
		second_goes_red(epoch2);
	ck_assert_str_eq(fx_task("DEMO-1", "stage"), "deploy-staging");
	ck_assert_uint_eq(epoch2, 0);
	ck_owner_is_named();
	ck_assert_int_ge(fx_int("SELECT value FROM counter WHERE "
	    "name = 'lease_refused'"), 1);
	ck_unmoved();
	second_dies();
	reconciler_comes();
	reaper_comes(1);
	ck_unmoved();
	slow_one_finishes();
	ck_end();
}
END_TEST

START_TEST(a_second_worker_that_is_late_for_the_edge_moves_nothing)
{
	uint64_t epoch2;

	slow_worker();
	second_worker();
	slow_one_finishes();
	ck_assert_str_eq(fx_task("DEMO-1", "stage"), "deploy");
	if ((epoch2 = fx_begin(sock2, &go2.any.run_go)) != 0)
		second_goes_red(epoch2);
	ck_assert_str_eq(fx_task("DEMO-1", "stage"), "deploy");
	ck_assert_uint_eq(epoch2, 0);
	ck_assert_msg(strstr(fx_said, "stage deploy") != NULL, "%s", fx_said);
	second_dies();
	ck_end();
}
END_TEST

/* The owner is proven dead, its successor is at work; then its words come. */
START_TEST(what_a_dead_owner_said_too_late_does_not_count)
{
	struct orch_commit c = { .from = "deploy-staging", .to = "deploy",
	    .reason = "merged" };
	struct orch_end red = { .verdict = GATE_FAIL, .cause = CAUSE_RED,
	    .gate = EDGE_GATE, .reason = "port in use" };
	char ident[IDENT_TEXT_MAX];
	uint64_t epoch2;

	slow_worker();
	second_worker();
	fx.life[1] = FX_GONE;
	fx_ident(1, ident);
	fx_sql("UPDATE run SET ident = '%s' WHERE id = %llu", ident,
	    (unsigned long long)slow.run);
	epoch2 = fx_begin(sock2, &go2.any.run_go);
	ck_assert_uint_gt(epoch2, epoch);
	c.epoch = red.epoch = epoch;
	c.seq = go.any.run_go.seq;
	ck_assert_int_eq(fx_result(sock, ORCH_end, &red), RES_FENCED);
	ck_assert_int_eq(fx_result(sock, ORCH_commit, &c), RES_FENCED);
	ck_assert_str_eq(fx_task("DEMO-1", "stage"), "deploy-staging");
	fx_sound();
}
END_TEST

START_TEST(no_second_worker_of_a_task_can_be_queued)
{
	slow_worker();
	ck_assert_int_eq(sqlite3_exec(store_db(eng.e_store), "INSERT INTO "
	    "job (task, project, kind, work, available_at, created_at, "
	    "stage_seq) VALUES (1, 'tally', 'transition', 'edge', 1, 1, 1)",
	    NULL, NULL, NULL) & 0xff, SQLITE_CONSTRAINT);
}
END_TEST

int
main(void)
{
	Suite *su = suite_create("incident");
	TCase *tc = tcase_create("incident");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_slow_edge_is_left_to_its_owner_whoever_comes);
	tcase_add_test(tc,
	    a_second_worker_that_is_late_for_the_edge_moves_nothing);
	tcase_add_test(tc, what_a_dead_owner_said_too_late_does_not_count);
	tcase_add_test(tc, no_second_worker_of_a_task_can_be_queued);
	suite_add_tcase(su, tc);
	fx_main_exit(su);
}
