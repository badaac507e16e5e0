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


/* The journal of irreversible effects, and what a commit needs. */

#include "orchd/lease.h"
#include "proto/effects.h"

#include "engine_play.h"

#define KEY	"push:DEMO-1:0"

static struct fx_spawn	s;
static struct fx_msg	go;
static uint64_t		epoch;
static int		sock;

static void
setup(void)
{
	fx_open("", "");
}

static void
owner(const char *stage, const char *work)
{
	sock = fx_worker_in(stage, work, &s, &go);
	epoch = fx_begin(sock, &go.any.run_go);
	ck_assert_uint_gt(epoch, 0);
}

/* Ask for an effect; its result, with state and evidence. */
static enum orch_result
intent(const char *key, enum orch_class class, enum orch_effect_state *state,
    char evidence[64])
{
	struct orch_effect e = { epoch, "push", key, (uint8_t)class };
	enum orch_result res;
	struct fx_msg m;

	fx_ask(sock, ORCH_effect, &e, -1, &m);
	ck_assert_uint_eq(m.h.h_type, ORCH_effect_answer);
	res = m.any.effect_answer.result;
	*state = m.any.effect_answer.state;
	strlcpy(evidence, m.any.effect_answer.evidence, 64);
	fx_free(&m);
	return (res);
}

static enum orch_result
done(const char *key, enum orch_effect_state state, const char *evidence)
{
	struct orch_effect_done d = { epoch, key, (uint8_t)state, evidence };

	return (fx_result(sock, ORCH_effect_done, &d));
}

/* The worker dies; its successor is at its GO with the next epoch. */
static void
successor(void)
{
	fx_free(&go);
	fx_leave(sock);
	fx_sql("UPDATE run SET ident = '' WHERE id = %llu",
	    (unsigned long long)s.run);
	fx_tick(60000);
	fx_tick(60000);
	fx_expect(&s, KIND_TRANSITION, fx_str("SELECT work FROM job ORDER BY "
	    "id DESC"));
	sock = fx_connect_run(&s, &go);
	epoch = fx_begin(sock, &go.any.run_go);
	ck_assert_uint_gt(epoch, 0);
}

START_TEST(an_intent_is_on_record_before_go_and_done_with_its_evidence)
{
	enum orch_effect_state st;
	char ev[64];

	owner("analysis", "publish");
	ck_assert_int_eq(intent(KEY, CLASS_CAS, &st, ev), RES_OK);
	ck_assert_int_eq(st, EFFECT_NONE);
	ck_assert_int_eq(fx_int("SELECT epoch FROM effect WHERE key = '" KEY
	    "' AND state = 'intent' AND class = 1"), (int64_t)epoch);
	ck_assert_int_eq(done(KEY, EFFECT_DONE, "ref = 0"), RES_OK);
	ck_assert_str_eq(fx_str("SELECT state || evidence FROM effect"),
	    "doneref = 0");
	ck_assert_int_eq(done(KEY, EFFECT_DONE, "ref = 0"), RES_DUPLICATE);
}
END_TEST

START_TEST(what_is_done_is_never_overwritten_nor_done_again)
{
	enum orch_effect_state st;
	char ev[64];

	owner("analysis", "publish");
	ck_assert_int_eq(intent(KEY, CLASS_CAS, &st, ev), RES_OK);
	ck_assert_int_eq(done(KEY, EFFECT_DONE, "first"), RES_OK);
	ck_assert_int_eq(intent(KEY, CLASS_CAS, &st, ev), RES_OK);
	ck_assert_int_eq(st, EFFECT_DONE);
	ck_assert_str_eq(ev, "first");
	ck_assert_int_eq(done(KEY, EFFECT_FAILED, "second"), RES_FENCED);
	ck_assert_int_eq(done(KEY, EFFECT_CONFLICT, "second"), RES_FENCED);
	/* The next owner is told so as well. */
	successor();
	ck_assert_int_eq(intent(KEY, CLASS_CAS, &st, ev), RES_OK);
	ck_assert_int_eq(st, EFFECT_DONE);
	ck_assert_int_eq(done(KEY, EFFECT_FAILED, "third"), RES_FENCED);
	ck_assert_str_eq(fx_str("SELECT state || evidence FROM effect"),
	    "donefirst");
}
END_TEST

START_TEST(done_without_an_intent_of_this_epoch_is_refused)
{
	enum orch_effect_state st;
	char ev[64];

	owner("analysis", "publish");
	ck_assert_int_eq(done(KEY, EFFECT_DONE, "e"), RES_FENCED);
	ck_assert_int_eq(intent(KEY, CLASS_CAS, &st, ev), RES_OK);
	ck_assert_int_eq(done(KEY, EFFECT_INTENT, "e"), RES_REFUSED);
	ck_assert_int_eq(done(KEY, EFFECT_NONE, "e"), RES_REFUSED);
	successor();
	/* The dead owner's intent is not this one's to end. */
	ck_assert_int_eq(done(KEY, EFFECT_DONE, "e"), RES_FENCED);
	ck_assert_int_eq(intent(KEY, CLASS_CAS, &st, ev), RES_OK);
	ck_assert_int_eq(st, EFFECT_INTENT);
	ck_assert_int_eq(done(KEY, EFFECT_DONE, "e"), RES_OK);
}
END_TEST

START_TEST(what_failed_or_conflicted_may_be_tried_again)
{
	enum orch_effect_state st;
	char ev[64];

	owner("analysis", "publish");
	ck_assert_int_eq(intent(KEY, CLASS_CAS, &st, ev), RES_OK);
	ck_assert_int_eq(done(KEY, _i == 0 ? EFFECT_CONFLICT : EFFECT_FAILED,
	    "moved"), RES_OK);
	ck_assert_int_eq(intent(KEY, CLASS_CAS, &st, ev), RES_OK);
	ck_assert_int_eq(st, EFFECT_NONE);
	ck_assert_str_eq(ev, "moved");
	ck_assert_int_eq(done(KEY, EFFECT_DONE, "now"), RES_OK);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM effect"), 1);
}
END_TEST

START_TEST(a_blind_effect_is_not_repeated_and_parks_its_task)
{
	struct orch_end end = { .verdict = GATE_ERROR, .cause = CAUSE_STOPPED,
	    .reason = "push refused", .gate = "" };
	enum orch_effect_state st;
	char ev[64];

	owner("analysis", "publish");
	ck_assert_int_eq(intent(KEY, CLASS_CAS, &st, ev), RES_OK);
	fx_sql("UPDATE effect SET class = %d", CLASS_BLIND);
	/* The same owner that asks again has not acted yet. */
	ck_assert_int_eq(intent(KEY, CLASS_CAS, &st, ev), RES_OK);
	ck_assert_str_eq(fx_task("DEMO-1", "parked"), "");
	successor();
	ck_assert_int_eq(intent(KEY, CLASS_CAS, &st, ev), RES_REFUSED);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM effect WHERE epoch = "
	    "%llu", (unsigned long long)epoch), 0);
	ck_assert_str_eq(fx_task("DEMO-1", "parked"), "blocked");
	ck_assert_ptr_nonnull(strstr(fx_str("SELECT text FROM alert WHERE "
	    "kind = 'effect_blind' AND subject = 'DEMO-1'"),
	    "orchctl effect settle DEMO-1 " KEY));
	/* Nobody takes the work up again by himself. */
	end.epoch = epoch;
	ck_assert_int_eq(fx_result(sock, ORCH_end, &end), RES_OK);
	fx_tick(700000);
	fx_tick(700000);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM job WHERE status IN "
	    "('queued', 'running')"), 0);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM alert WHERE kind = "
	    "'parked'"), 1);
}
END_TEST

/* What the operator says; the answer's sentence is in fx_said. */
static enum orch_result
settle(const char *key, const char *outcome, const char *reason)
{
	char k[300], o[64];
	const char *args[] = { "settle", k, o, NULL };
	struct orch_action act = { .verb = "effect", .task = "DEMO-1",
	    .text = reason, .args = { .l_argv = args } };

	snprintf(k, sizeof(k), "key=%s", key);
	snprintf(o, sizeof(o), "outcome=%s", outcome);
	return (fx_act_full(&act));
}

/* A blind push whose owner died: its task is parked, nobody is inside. */
static void
in_doubt(void)
{
	struct orch_end end = { .verdict = GATE_ERROR, .cause = CAUSE_STOPPED,
	    .reason = "push refused", .gate = "" };
	enum orch_effect_state st;
	char ev[64];

	owner("analysis", "publish");
	ck_assert_int_eq(intent(KEY, CLASS_CAS, &st, ev), RES_OK);
	fx_sql("UPDATE effect SET class = %d", CLASS_BLIND);
	successor();
	ck_assert_int_eq(intent(KEY, CLASS_CAS, &st, ev), RES_REFUSED);
	end.epoch = epoch;
	ck_assert_int_eq(fx_result(sock, ORCH_end, &end), RES_OK);
	fx_free(&go);
	fx_leave(sock);
}

/* The next worker of the task, and what the journal tells it of KEY. */
static enum orch_effect_state
next_owner(void)
{
	enum orch_effect_state st;
	char ev[64];

	fx_expect(&s, KIND_TRANSITION, "publish");
	sock = fx_connect_run(&s, &go);
	epoch = fx_begin(sock, &go.any.run_go);
	ck_assert_uint_gt(epoch, 0);
	ck_assert_int_eq(intent(KEY, CLASS_CAS, &st, ev), RES_OK);
	return (st);
}

START_TEST(nothing_is_settled_that_is_not_in_doubt)
{
	enum orch_effect_state st;
	char ev[64];

	owner("analysis", "publish");
	ck_assert_int_eq(intent(KEY, CLASS_CAS, &st, ev), RES_OK);
	fx_sql("UPDATE effect SET class = %d", CLASS_BLIND);
	/* Its owner lives, and knows better. */
	ck_assert_int_eq(settle(KEY, "done", "I saw it"), RES_DENIED);
	ck_assert_ptr_nonnull(strstr(fx_said, "run "));
	ck_assert_int_eq(fx_int("SELECT count(*) FROM effect WHERE state = "
	    "'intent'"), 1);
	fx_sql("DELETE FROM lease");
	ck_assert_int_eq(settle(KEY, "perhaps", "I saw it"), RES_REFUSED);
	ck_assert_int_eq(settle(KEY, "done", "  "), RES_REFUSED);
	ck_assert_int_eq(settle("push:DEMO-1:1", "done", "x"), RES_REFUSED);
	/* The world tells the end of any other class. */
	fx_sql("UPDATE effect SET class = %d", CLASS_PROBE);
	ck_assert_int_eq(settle(KEY, "done", "I saw it"), RES_REFUSED);
	fx_sql("UPDATE effect SET class = %d, state = 'done'", CLASS_BLIND);
	ck_assert_int_eq(settle(KEY, "failed", "I saw it"), RES_REFUSED);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM settlement"), 0);
}
END_TEST

START_TEST(what_an_operator_saw_done_is_not_done_again)
{
	in_doubt();
	ck_assert_int_eq(settle(KEY, "done", "the branch has it"), RES_OK);
	ck_assert_str_eq(fx_task("DEMO-1", "parked"), "");
	ck_assert_int_eq(fx_int("SELECT count(*) FROM alert WHERE cleared_at "
	    "IS NULL AND kind IN ('effect_blind', 'parked')"), 0);
	ck_assert_int_eq(next_owner(), EFFECT_DONE);
	ck_assert_ptr_nonnull(strstr(fx_str("SELECT evidence FROM effect"),
	    "the branch has it"));
	ck_assert_ptr_nonnull(strstr(fx_str("SELECT outcome || actor || "
	    "reason FROM settlement WHERE key = '" KEY "'"),
	    "the branch has it"));
	ck_assert_int_eq(fx_int("SELECT count(*) FROM outbox WHERE kind = "
	    "'comment' AND text LIKE '%%the branch has it'"), 1);
	ck_assert_int_eq(settle(KEY, "done", "again"), RES_DENIED);
}
END_TEST

START_TEST(what_an_operator_saw_undone_waits_or_is_tried_again)
{
	in_doubt();
	ck_assert_int_eq(settle(KEY, _i == 0 ? "failed" : "retry",
	    "no such branch"), RES_OK);
	ck_assert_str_eq(fx_str("SELECT state FROM effect"), "failed");
	if (_i == 0) {
		ck_assert_str_eq(fx_task("DEMO-1", "parked"), "blocked");
		ck_assert_int_eq(settle(KEY, "done", "x"), RES_REFUSED);
		ck_assert_int_eq(fx_act("retry", "DEMO-1", ""), RES_OK);
	}
	ck_assert_int_eq(next_owner(), EFFECT_NONE);
	ck_assert_str_eq(fx_str("SELECT state FROM effect"), "intent");
	ck_assert_int_eq(fx_int("SELECT count(*) FROM settlement"), 1);
}
END_TEST

static void
list_deploys(struct orch_deploy_row *row)
{
	struct orch_deploy_list l = { .most = 9 };
	struct fx_msg m;

	memset(row, 0, sizeof(*row));
	if (fx.finalizerd == -1)
		fx.finalizerd = fx_connect(ROLE_FINALIZERD);
	fx_ask(fx.finalizerd, ORCH_deploy_list, &l, -1, &m);
	while (!m.any.deploy_row.last) {
		row->run = m.any.deploy_row.run;
		row->hook_state = m.any.deploy_row.hook_state;
		fx_free(&m);
		ck_assert(fx_read(fx.finalizerd, &m));
	}
	fx_free(&m);
}

/* A deploy whose wrapper was killed as it started the hook; its key. */
static const char *
deploy_in_doubt(int result)
{
	char path[200];
	struct fx_spawn h;
	int fd, i;

	fx_task_in("deploy");
	while (fx_step())
		continue;
	ck_assert_int_eq(fx_act("confirm", "DEMO-1", ""), RES_OK);
	fx_expect(&s, KIND_TRANSITION, "deploy");
	fx_play_worker(&s);
	fx_expect(&h, KIND_HOOK, "");
	sock = fx_connect_run(&h, &go);
	fx_free(&go);
	snprintf(path, sizeof(path), "%s/result", eng.e_conf->cf_state);
	(void)mkdir(path, 0700);
	for (i = 0; i <= result; i++) {
		snprintf(path, sizeof(path), "%s/result/%llu%s",
		    eng.e_conf->cf_state, (unsigned long long)h.run,
		    i ? "" : ".started");
		ck_assert_int_ne(fd = open(path, O_CREAT | O_WRONLY, 0600),
		    -1);
		close(fd);
	}
	fx_leave(sock);
	fx_sql("UPDATE run SET ident = '' WHERE id = %llu",
	    (unsigned long long)h.run);
	fx_tick(30000);
	return (fx_str("SELECT key FROM deploy"));
}

START_TEST(a_deploy_that_nobody_can_prove_dead_is_told_and_settled)
{
	struct orch_deploy_row row;
	char key[300];

	strlcpy(key, deploy_in_doubt(0), sizeof(key));
	list_deploys(&row);
	list_deploys(&row);
	ck_assert_int_eq(row.hook_state, 0);
	ck_assert_int_eq(fx_int("SELECT count FROM alert WHERE kind = "
	    "'effect_blind' AND cleared_at IS NULL"), 1);
	ck_assert_ptr_nonnull(strstr(fx_task("DEMO-1", "why"),
	    "orchctl effect settle DEMO-1"));
	/* It was started: never again by itself, nor by a person. */
	ck_assert_int_eq(settle(key, "retry", "nothing happened"),
	    RES_REFUSED);
	fx_tick(60000);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM run WHERE kind = "
	    "'hook'"), 1);
	ck_assert_int_eq(settle(key, _i == 0 ? "done" : "failed",
	    "the service answers"), RES_OK);
	ck_assert_int_eq(fx_int("SELECT exit_code FROM deploy"), _i);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM alert WHERE kind = "
	    "'effect_blind' AND cleared_at IS NULL"), 0);
	fx_expect(&s, KIND_TRANSITION, "finish");
	fx_play_worker(&s);
	ck_assert_str_eq(fx_task("DEMO-1", "stage"), _i == 0 ? "done" :
	    "development");
	ck_assert_int_eq(settle(key, "failed", "no"), RES_REFUSED);
	fx_sound();
}
END_TEST

/* Past its limit it counts as failed, as before. */
START_TEST(doubt_ends_at_the_limit_of_the_deploy)
{
	struct orch_deploy_row row;

	(void)deploy_in_doubt(0);
	list_deploys(&row);
	ck_assert_int_eq(row.hook_state, 0);
	fx_tick(1000 * conf_int(eng.e_conf, eng_project("demo"),
	    OPT_DEPLOY_TIMEOUT_S));
	list_deploys(&row);
	ck_assert_int_eq(row.hook_state, 1);
}
END_TEST

/* A wrapper that could not write the identity, but the result. */
START_TEST(a_result_without_an_identity_is_no_doubt)
{
	struct orch_deploy_row row;

	(void)deploy_in_doubt(1);
	list_deploys(&row);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM deploy WHERE doubt_at "
	    "IS NOT NULL"), 0);
}
END_TEST

START_TEST(an_effect_has_the_name_and_class_of_the_table)
{
	const struct orch_effect_kind *ek = &orch_effect_kinds[_i];
	char key[64];
	struct orch_effect e = { .key = key, .name = ek->ek_name };
	struct fx_msg m;
	uint8_t class;

	owner("analysis", "publish");
	fx_retested(go.any.run_go.head);
	snprintf(key, sizeof(key), "k:%s", go.any.run_go.head);
	e.epoch = epoch;
	for (class = 0; class <= CLASS_BLIND + 1; class++) {
		e.class = class;
		fx_ask(sock, ORCH_effect, &e, -1, &m);
		ck_assert_int_eq(m.any.effect_answer.result,
		    class == ek->ek_class ? RES_OK : RES_REFUSED);
		fx_free(&m);
	}
	ck_assert_int_eq(fx_int("SELECT class FROM effect"),
	    (int64_t)ek->ek_class);
	/* The key is of this effect from now on. */
	e.name = orch_effect_kinds[(_i + 1) % (int)orch_effect_nkinds].ek_name;
	e.class = (uint8_t)orch_effect_find(e.name)->ek_class;
	fx_ask(sock, ORCH_effect, &e, -1, &m);
	ck_assert_int_eq(m.any.effect_answer.result, RES_REFUSED);
	fx_free(&m);
	e.name = "telegram";
	e.key = "other";
	fx_ask(sock, ORCH_effect, &e, -1, &m);
	ck_assert_int_eq(m.any.effect_answer.result, RES_REFUSED);
	fx_free(&m);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM effect"), 1);
}
END_TEST

START_TEST(a_key_of_another_task_and_an_unknown_class_are_refused)
{
	enum orch_effect_state st;
	char ev[64];

	owner("analysis", "publish");
	ck_assert_int_eq(fx_submit("other", NULL), RES_OK);
	fx_sql("INSERT INTO effect (task, name, key, class, state, epoch, at) "
	    "VALUES (2, 'push', 'theirs', 1, 'intent', 1, 1)");
	ck_assert_int_eq(intent("theirs", CLASS_CAS, &st, ev), RES_REFUSED);
	ck_assert_int_eq(done("theirs", EFFECT_DONE, "e"), RES_FENCED);
	ck_assert_int_eq(intent("x", 0, &st, ev), RES_REFUSED);
	ck_assert_int_eq(intent("x", CLASS_BLIND + 1, &st, ev), RES_REFUSED);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM effect"), 1);
}
END_TEST

START_TEST(a_cancel_is_heard_between_effects_and_not_inside_one)
{
	enum orch_effect_state st;
	char ev[64];

	owner("architecture", "publish");
	ck_assert_int_eq(intent(KEY, CLASS_CAS, &st, ev), RES_OK);
	ck_assert_int_eq(fx_act("cancel", "DEMO-1", ""), RES_OK);
	/* What has begun ends honestly, also after a crash. */
	successor();
	ck_assert_int_eq(intent(KEY, CLASS_CAS, &st, ev), RES_OK);
	ck_assert_int_eq(done(KEY, EFFECT_DONE, "e"), RES_OK);
	ck_assert_int_eq(intent("next", CLASS_CAS, &st, ev), RES_REFUSED);
	ck_assert_str_eq(fx_task("DEMO-1", "stage"), "architecture");
}
END_TEST

static enum orch_result
commit(const char *from, uint64_t seq, const char *to)
{
	struct orch_commit c = { epoch, from, seq, to, "why" };

	return (fx_result(sock, ORCH_commit, &c));
}

START_TEST(a_work_moves_a_task_only_along_its_own_edge)
{
	enum stage to;

	owner("analysis", "publish");
	for (to = 0; to < STAGE_MAX; to++)
		ck_assert_int_eq(commit("analysis", go.any.run_go.seq,
		    stage_name(to)), RES_REFUSED);
	ck_assert_int_eq(commit("analysis", go.any.run_go.seq, "nowhere"),
	    RES_REFUSED);
	ck_assert_str_eq(fx_task("DEMO-1", "stage"), "analysis");
	ck_assert_int_eq(fx_int("SELECT count(*) FROM lease"), 1);
}
END_TEST

START_TEST(an_edge_without_merge_pass_and_landing_moves_nothing)
{
	struct orch_landed l = { .tree =
	    "00000000000000000000000000000000000000aa", .previous =
	    "00000000000000000000000000000000000000bb", .coverage = "" };
	char key[128];
	struct orch_effect e = { .name = "merge", .key = key,
	    .class = CLASS_CAS };
	enum stage to;

	owner("deploy-staging", "edge");
	for (to = 0; to < STAGE_MAX; to++)
		ck_assert_int_eq(commit("deploy-staging", go.any.run_go.seq,
		    stage_name(to)), RES_REFUSED);
	/* A landing needs its merge on record, which needs the re-test. */
	l.epoch = epoch;
	l.commit = go.any.run_go.head;
	ck_assert_int_eq(fx_result(sock, ORCH_landed, &l), RES_REFUSED);
	snprintf(key, sizeof(key), "merge:DEMO-1:r0:%s", go.any.run_go.head);
	e.epoch = epoch;
	ck_assert_int_eq(fx_result(sock, ORCH_effect, &e), RES_REFUSED);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM effect WHERE name = "
	    "'merge'"), 0);
	fx_retested(go.any.run_go.head);
	fx_effect(sock, epoch, "merge", key, CLASS_CAS);
	fx_sql("DELETE FROM gate_result");
	ck_assert_int_eq(fx_result(sock, ORCH_landed, &l), RES_REFUSED);
	fx_retested(go.any.run_go.head);
	ck_assert_int_eq(fx_result(sock, ORCH_landed, &l), RES_OK);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM merge_lease"), 0);
	ck_assert_int_eq(commit("deploy-staging", go.any.run_go.seq,
	    "deploy"), RES_OK);
	ck_assert_str_eq(fx_task("DEMO-1", "stage"), "deploy");
	fx_sound();
}
END_TEST

START_TEST(a_lost_commit_changes_nothing_and_its_lease_ends_by_end)
{
	struct orch_end end = { .verdict = GATE_ERROR, .cause = CAUSE_MOVED,
	    .gate = "", .reason = "the stage has moved", .head = "" };
	char *before, *after;

	owner("deploy-staging", "edge");
	fx_sql("UPDATE task SET landed = '%s'", go.any.run_go.head);
	before = fx_dump();
	ck_assert_int_eq(commit("deploy-staging", go.any.run_go.seq - 1,
	    "deploy"), RES_STALE);
	after = fx_dump();
	ck_assert_str_eq(before, after);
	free(before);
	free(after);
	/* It ends honestly; what it saw is not the next stage's business. */
	fx_sql("UPDATE task SET stage_seq = stage_seq + 1");
	end.epoch = epoch;
	ck_assert_int_eq(fx_result(sock, ORCH_end, &end), RES_OK);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM lease"), 0);
	ck_assert_int_eq(fx_task_int("DEMO-1", "retries"), 0);
	ck_assert_str_eq(fx_str("SELECT status FROM job WHERE work = 'edge'"),
	    "failed");
}
END_TEST

START_TEST(a_deploy_starts_once_and_only_of_the_landed_commit)
{
	struct orch_hook_start h = { .key = "deploy:DEMO-1:x", .tree = "",
	    .previous = "", .revision =
	    "0123456789012345678901234567890123456789" };

	fx_task_in("deploy");
	while (fx_step())
		continue;
	ck_assert_int_eq(fx_act("confirm", "DEMO-1", ""), RES_OK);
	fx_expect(&s, KIND_TRANSITION, "deploy");
	sock = fx_connect_run(&s, &go);
	h.epoch = epoch = fx_begin(sock, &go.any.run_go);
	ck_assert_int_eq(fx_result(sock, ORCH_hook_start, &h), RES_REFUSED);
	h.revision = go.any.run_go.commit;
	ck_assert_int_eq(fx_result(sock, ORCH_hook_start, &h), RES_OK);
	ck_assert_int_eq(fx_result(sock, ORCH_hook_start, &h),
	    RES_DUPLICATE);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM deploy"), 1);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM run WHERE kind = "
	    "'hook'"), 1);
	/* A repeated confirmation is a no-op. */
	ck_assert_int_eq(fx_act("confirm", "DEMO-1", ""), RES_OK);
	ck_assert_ptr_nonnull(strstr(fx_said,
	    "self-deploy-already-initiated"));
	ck_assert_int_eq(fx_int("SELECT count(*) FROM approval WHERE gate = "
	    "'check_deploy_status'"), 1);
}
END_TEST

int
main(void)
{
	Suite *su = suite_create("effect");
	TCase *tc = tcase_create("effect");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, fx_close);
	tcase_add_test(tc,
	    an_intent_is_on_record_before_go_and_done_with_its_evidence);
	tcase_add_test(tc, what_is_done_is_never_overwritten_nor_done_again);
	tcase_add_test(tc, done_without_an_intent_of_this_epoch_is_refused);
	tcase_add_loop_test(tc, what_failed_or_conflicted_may_be_tried_again,
	    0, 2);
	tcase_add_test(tc, a_blind_effect_is_not_repeated_and_parks_its_task);
	tcase_add_test(tc, nothing_is_settled_that_is_not_in_doubt);
	tcase_add_test(tc, what_an_operator_saw_done_is_not_done_again);
	tcase_add_loop_test(tc,
	    what_an_operator_saw_undone_waits_or_is_tried_again, 0, 2);
	tcase_add_loop_test(tc,
	    a_deploy_that_nobody_can_prove_dead_is_told_and_settled, 0, 2);
	tcase_add_test(tc, doubt_ends_at_the_limit_of_the_deploy);
	tcase_add_test(tc, a_result_without_an_identity_is_no_doubt);
	tcase_add_loop_test(tc, an_effect_has_the_name_and_class_of_the_table,
	    0, (int)orch_effect_nkinds);
	tcase_add_test(tc,
	    a_key_of_another_task_and_an_unknown_class_are_refused);
	tcase_add_test(tc,
	    a_cancel_is_heard_between_effects_and_not_inside_one);
	tcase_add_test(tc, a_work_moves_a_task_only_along_its_own_edge);
	tcase_add_test(tc,
	    an_edge_without_merge_pass_and_landing_moves_nothing);
	tcase_add_test(tc, a_lost_commit_changes_nothing_and_its_lease_ends_by_end);
	tcase_add_test(tc,
	    a_deploy_starts_once_and_only_of_the_landed_commit);
	suite_add_tcase(su, tc);
	fx_main_exit(su);
}
