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

#ifndef TESTS_ENGINE_PLAY_H
#define TESTS_ENGINE_PLAY_H

/*
 * The players of engine_fixture.h: runners, workers, the hook and people, each
 * doing what the real program does when nothing goes wrong.
 */

#include "engine_fixture.h"

static inline void
fx_new_id(char id[ID_HEX])
{
	snprintf(id, ID_HEX, "%040x", ++fx.ids + 0xa0000);
}

/* A task's columns, by key. */
#define fx_task(key, column)						\
	fx_str("SELECT " column " FROM task WHERE key = '%s'", key)
#define fx_task_int(key, column)					\
	fx_int("SELECT " column " FROM task WHERE key = '%s'", key)

/* A person's action; the sentence of the answer is in fx_said. */
static char fx_said[4097];

static inline enum orch_result
fx_act_full(const struct orch_action *act)
{
	enum orch_result res;
	struct fx_msg m;
	int ctl = fx_connect(ROLE_CTL);

	fx_ask(ctl, ORCH_action, act, -1, &m);
	ck_assert_uint_eq(m.h.h_type, ORCH_answer);
	res = m.any.answer.result;
	strlcpy(fx_said, m.any.answer.text, sizeof(fx_said));
	fx_free(&m);
	close(ctl);
	fx_pump();
	return (res);
}

static inline enum orch_result
fx_act(const char *verb, const char *key, const char *text)
{
	struct orch_action act = { .verb = verb, .task = key, .text = text,
	    .stage = fx_task(key, "stage"),
	    .seq = (uint64_t)fx_task_int(key, "stage_seq"),
	    .commit = fx_task(key, "asked_commit") };

	return (fx_act_full(&act));
}

/* Submit with further NAME=value arguments, NULL-terminated. */
static inline enum orch_result
fx_submit(const char *project, const char *more)
{
	char which[80];
	const char *args[] = { which, "title=Count words", more, NULL };
	struct orch_action act = { .verb = "submit", .text = "please",
	    .args = { .l_argv = args } };

	snprintf(which, sizeof(which), "project=%s", project);
	return (fx_act_full(&act));
}

/* How the script says that this one ends; 1 when it says something. */
static inline int
fx_scripted(const char *name, struct orch_run_done *d)
{
	if (strcmp(fx.script.name, name) != 0 || fx.script.times == 0)
		return (0);
	if (fx.script.times > 0)
		fx.script.times--;
	d->verdict = (uint8_t)fx.script.verdict;
	d->cause = (uint8_t)fx.script.cause;
	d->reason = "as the test says";
	return (1);
}

/* The process of a run leaves; the engine sees the connection end. */
static inline void
fx_leave(int sock)
{
	size_t i;

	for (i = 0; i < fx.nsocks; i++)
		if (fx.socks[i] == sock)
			fx.socks[i] = fx.socks[--fx.nsocks];
	close(sock);
	fx_pump();
}

/* What the two halves of one agent run hand over. */
static inline void
fx_play_agent(const struct fx_spawn *s)
{
	struct orch_run_exit x = { .run = s->run };
	struct orch_run_done d = { .run = s->run, .verdict = GATE_PASS };
	struct fx_msg m;
	int sock = fx_connect_run(s, &m), fd;

	fx_free(&m);
	fx.agents++;
	if (fx_scripted(s->role, &d)) {
		x.code = d.verdict == GATE_PASS ? 0 : 1;
		ck_assert_int_eq(fx_result(sock, ORCH_run_exit, &x), RES_OK);
		ck_assert_int_eq(fx_result(sock, ORCH_run_done, &d), RES_OK);
		fx_leave(sock);
		return;
	}
	ck_assert_int_eq(fx_result(sock, ORCH_run_exit, &x), RES_OK);
	fd = memfd_create("bundle", MFD_CLOEXEC);
	d.tree = "00000000000000000000000000000000000000b5";
	ck_assert_int_eq(chan_write_one(sock, ORCH_run_done, 9, &d, fd,
	    FX_WAIT), 0);
	close(fd);
	fx_pump();
	fx.agent = sock;
	fx_moment();
}

static inline void
fx_play_import(const struct fx_spawn *s)
{
	struct orch_run_done d = { .run = s->run, .verdict = GATE_PASS };
	char commit[ID_HEX], tree[ID_HEX];
	struct fx_msg m;
	int sock = fx_connect_run(s, &m);

	ck_assert_msg(m.fd != -1, "the import has no bundle");
	fx_free(&m);
	fx_new_id(commit);
	/* Only the developer changes the code tree. */
	strlcpy(tree, fx_str("SELECT tree FROM task WHERE id = (SELECT task "
	    "FROM run WHERE id = %lld)", (long long)s->run), sizeof(tree));
	if (tree[0] == '\0' || strcmp(s->role, "developer") == 0)
		fx_new_id(tree);
	if (fx.tree[0] != '\0')
		strlcpy(tree, fx.tree, sizeof(tree));
	d.commit = commit;
	d.tree = tree;
	d.artifacts.l_argv = fx.artifacts;
	(void)fx_scripted("import", &d);
	ck_assert_int_eq(fx_result(sock, ORCH_run_done, &d), RES_OK);
	fx_leave(sock);
	if (fx.agent != -1 && d.verdict != GATE_ERROR) {
		ck_assert_msg(fx_read(fx.agent, &m), "no answer to the agent");
		ck_assert_uint_eq(m.h.h_type, ORCH_ack);
		fx_free(&m);
		fx_leave(fx.agent);
		fx.agent = -1;
	}
}

static inline void
fx_play_gate(const struct fx_spawn *s)
{
	struct orch_run_done d = { .run = s->run, .verdict = GATE_PASS };
	char commit[ID_HEX], tree[ID_HEX];
	struct fx_msg m;
	int sock = fx_connect_run(s, &m);

	strlcpy(commit, m.any.run_go.commit, sizeof(commit));
	strlcpy(tree, m.any.run_go.tree, sizeof(tree));
	fx_free(&m);
	d.commit = commit;
	d.tree = tree;
	d.artifacts.l_argv = fx.artifacts;
	d.text.b_data = (const uint8_t *)"the log's end";
	d.text.b_len = 13;
	(void)fx_scripted(s->gate, &d);
	ck_assert_int_eq(fx_result(sock, ORCH_run_done, &d), RES_OK);
	fx_leave(sock);
}

/* BEGIN as a worker's GO says; the epoch, 0 when it is refused. */
static inline uint64_t
fx_begin(int sock, const struct orch_run_go *go)
{
	struct orch_begin b = { .run = go->run, .task = go->task,
	    .stage = go->stage, .seq = go->seq };
	struct fx_msg m;
	uint64_t epoch;

	fx_ask(sock, ORCH_begin, &b, -1, &m);
	ck_assert_uint_eq(m.h.h_type, ORCH_grant);
	epoch = m.any.grant.result == RES_OK ? m.any.grant.epoch : 0;
	strlcpy(fx_said, m.any.grant.text, sizeof(fx_said));
	fx_free(&m);
	return (epoch);
}

/* The first task's re-test of a commit has passed in this round. */
static inline void
fx_retested(const char *commit)
{
	fx_sql("INSERT INTO gate_result (task, round, stage_seq, gate, "
	    "commit_id, verdict, started_at) VALUES (1, 0, 1, "
	    "'check_branch_mergeable', '%s', 'pass', 1)", commit);
}

/* One effect, intent and done. */
static inline void
fx_effect(int sock, uint64_t epoch, const char *name, const char *key,
    enum orch_class class)
{
	struct orch_effect e = { epoch, name, key, (uint8_t)class };
	struct orch_effect_done d = { epoch, key, EFFECT_DONE, "seen" };

	ck_assert_int_eq(fx_result(sock, ORCH_effect, &e), RES_OK);
	/* Fenced: a predecessor has done it. */
	(void)fx_result(sock, ORCH_effect_done, &d);
}

static inline void
fx_play_spawn(const struct fx_spawn *);

static inline void
fx_worker_edge(int sock, uint64_t epoch, const struct orch_run_go *go)
{
	struct orch_gate g = { epoch, "check_branch_mergeable", go->head,
	    LOOK_NO };
	struct orch_end end = { .epoch = epoch, .verdict = GATE_FAIL,
	    .cause = CAUSE_RED, .gate = g.gate, .reason = "red" };
	struct orch_landed l = { epoch, go->head,
	    "00000000000000000000000000000000000000aa",
	    "00000000000000000000000000000000000000bb", "", "", "" };
	struct orch_commit c = { epoch, go->stage, go->seq, "deploy",
	    "merged" };
	char key[128];
	struct orch_effect e = { epoch, "merge", key, CLASS_CAS };
	struct orch_effect_done d = { epoch, key, EFFECT_DONE, "seen" };
	struct fx_spawn s;
	struct fx_msg m;

	ck_assert_int_eq(chan_write_one(sock, ORCH_gate, 77, &g, -1,
	    FX_WAIT), 0);
	if (!fx_read(sock, &m)) {
		fx_expect(&s, KIND_GATE, "check_branch_mergeable");
		fx_play_spawn(&s);
		ck_assert(fx_read(sock, &m));
	}
	ck_assert_uint_eq(m.h.h_type, ORCH_gate_answer);
	if (m.any.gate_answer.verdict != GATE_PASS) {
		end.verdict = m.any.gate_answer.verdict;
		end.cause = m.any.gate_answer.cause;
		fx_free(&m);
		ck_assert_int_eq(fx_result(sock, ORCH_end, &end), RES_OK);
		return;
	}
	fx_free(&m);
	snprintf(key, sizeof(key), "merge:%s:r%u:%s", go->task, go->round,
	    go->head);
	ck_assert_int_eq(fx_result(sock, ORCH_effect, &e), RES_OK);
	/* The probe: what the target has is not merged again. */
	if (strcmp(fx.target, go->head) != 0) {
		strlcpy(fx.target, go->head, sizeof(fx.target));
		fx.merges++;
	}
	(void)fx_result(sock, ORCH_effect_done, &d);
	ck_assert_int_eq(fx_result(sock, ORCH_landed, &l), RES_OK);
	ck_assert_int_eq(fx_result(sock, ORCH_commit, &c), RES_OK);
}

/* The log of the monitor, with the rollback, for the records branch. */
static inline void
fx_worker_record(int sock, uint64_t epoch, const struct orch_run_go *go)
{
	struct orch_end end = { .epoch = epoch, .verdict = GATE_PASS };
	struct orch_record rec = { epoch, "16-post-deploy-log.md",
	    go->feedback };
	char key[128];

	ck_assert_uint_gt(go->feedback.b_len, 0);
	ck_assert_int_eq(fx_result(sock, ORCH_record, &rec), RES_OK);
	snprintf(key, sizeof(key), "records:%s:16:r%u", go->task, go->round);
	fx_effect(sock, epoch, "records", key, CLASS_CAS);
	ck_assert_int_eq(fx_result(sock, ORCH_end, &end), RES_OK);
}

/* A hook's start: of the landed commit, or back to what was before it. */
static inline void
fx_worker_deploy(int sock, uint64_t epoch, const struct orch_run_go *go)
{
	int back = strcmp(go->work, "rollback") == 0;
	struct orch_end end = { .epoch = epoch, .verdict = GATE_PASS };
	char key[128];
	struct orch_effect e = { epoch, back ? "rollback" : "deploy-start",
	    key, CLASS_PROBE };
	struct orch_effect_done d = { epoch, key, EFFECT_DONE, "started" };
	struct orch_hook_start h = { epoch, key, back ? go->base :
	    go->commit, back ? "" : go->tree, back ? go->commit : go->base };

	snprintf(key, sizeof(key), "%s:%s:%s", back ? "rollback" : "deploy",
	    go->task, go->commit);
	ck_assert_int_eq(fx_result(sock, ORCH_effect, &e), RES_OK);
	(void)fx_result(sock, ORCH_hook_start, &h);
	(void)fx_result(sock, ORCH_effect_done, &d);
	ck_assert_int_eq(fx_result(sock, ORCH_end, &end), RES_OK);
}

/* Fetched: no lease, no effect. */
static inline void
fx_play_fetch(const struct fx_spawn *s)
{
	struct orch_run_done d = { .run = s->run, .verdict = GATE_PASS };
	struct fx_msg go;
	int sock = fx_connect_run(s, &go);

	(void)fx_scripted(s->work, &d);
	ck_assert_int_eq(fx_result(sock, ORCH_run_done, &d), RES_OK);
	fx_free(&go);
	fx_leave(sock);
}

static inline void
fx_play_worker(const struct fx_spawn *s)
{
	struct orch_end end = { .verdict = GATE_PASS };
	struct orch_commit c = { .to = "done", .reason = "deployed" };
	struct fx_msg go;
	uint64_t epoch;
	char key[128];
	int sock = fx_connect_run(s, &go);

	epoch = fx_begin(sock, &go.any.run_go);
	ck_assert_msg(epoch != 0, "%s is denied: %s", s->work, fx_said);
	end.epoch = c.epoch = epoch;
	c.from = go.any.run_go.stage;
	c.seq = go.any.run_go.seq;
	if (strcmp(s->work, "publish") == 0) {
		snprintf(key, sizeof(key), "push:%s:%s", go.any.run_go.task,
		    go.any.run_go.head);
		fx_effect(sock, epoch, "push", key, CLASS_CAS);
		end.head = go.any.run_go.head;
		ck_assert_int_eq(fx_result(sock, ORCH_end, &end), RES_OK);
	} else if (strcmp(s->work, "edge") == 0) {
		fx_worker_edge(sock, epoch, &go.any.run_go);
	} else if (strcmp(s->work, "deploy") == 0 ||
	    strcmp(s->work, "rollback") == 0) {
		fx_worker_deploy(sock, epoch, &go.any.run_go);
	} else if (strcmp(s->work, "record") == 0) {
		fx_worker_record(sock, epoch, &go.any.run_go);
	} else {
		if (strcmp(s->work, "close") == 0)
			c.to = "cancelled";
		else if (fx_int("SELECT exit_code FROM deploy WHERE task = "
		    "(SELECT task FROM run WHERE id = %lld) ORDER BY id DESC",
		    (long long)s->run) != 0)
			c.to = "development";
		ck_assert_int_eq(fx_result(sock, ORCH_commit, &c), RES_OK);
	}
	fx_free(&go);
	fx_leave(sock);
}

/* What finalizerd says of a deploy: the file's code, or a proven death. */
static inline int
fx_deploy_result(void)
{
	struct orch_deploy_result r = { .evidence = "file" };
	enum orch_result res;

	r.run = (uint64_t)fx_int("SELECT ifnull((SELECT max(r.id) FROM run r "
	    "JOIN deploy d ON d.job = r.job WHERE d.exit_code IS NULL), 0)");
	if (r.run != 0 && r.run != fx.hook_run)
		fx.hook_code = -1;
	if (r.run == 0 || (fx.hook_code == -1 && fx_int("SELECT count(*) FROM "
	    "run WHERE id = %llu AND ended_at IS NULL",
	    (unsigned long long)r.run) > 0))
		return (0);
	r.code = fx.hook_code == -1 ? 255 : fx.hook_code;
	if (fx.finalizerd == -1)
		fx.finalizerd = fx_connect(ROLE_FINALIZERD);
	/* Denied: its wrapper was not told to go, and is started again. */
	res = fx_result(fx.finalizerd, ORCH_deploy_result, &r);
	ck_assert(res == RES_OK || (res == RES_DENIED && r.code == 255));
	return (res == RES_OK);
}

static inline void
fx_play_hook(const struct fx_spawn *s)
{
	struct orch_run_exit x = { .run = s->run };
	struct orch_run_done d = { .run = s->run, .verdict = GATE_PASS };
	struct fx_msg m;
	int sock = fx_connect_run(s, &m);
	unsigned int i;

	/* The hook acts: never twice for one commit. */
	for (i = 0; i < fx.deploys; i++)
		ck_assert_str_ne(fx.deployed[i], m.any.run_go.commit);
	ck_assert_uint_lt(i, 4);
	strlcpy(fx.deployed[fx.deploys++], m.any.run_go.commit, ID_HEX);
	fx_free(&m);
	fx.hook_code = -1;
	fx.hook_run = s->run;
	fx_moment();
	(void)fx_scripted("hook", &d);
	x.code = fx.hook_code = d.verdict == GATE_PASS ? 0 : 1;
	ck_assert_int_eq(fx_result(sock, ORCH_run_exit, &x), RES_OK);
	ck_assert_int_eq(fx_result(sock, ORCH_run_done, &d), RES_OK);
	fx_leave(sock);
	(void)fx_deploy_result();
}

#define FX_DEGRADED							\
	"---\npost_deploy_status: DEGRADED\naction_taken: ALERT_ONLY\n"	\
	"---\n\n1 of 6 probes ok.\n"

static inline void
fx_play_other(const struct fx_spawn *s)
{
	struct orch_run_done d = { .run = s->run, .verdict = GATE_PASS };
	struct fx_msg m;
	int sock = fx_connect_run(s, &m);

	fx_free(&m);
	if (s->kind == KIND_MONITOR && fx_scripted("monitor", &d)) {
		d.text.b_data = (const uint8_t *)FX_DEGRADED;
		d.text.b_len = strlen(FX_DEGRADED);
	}
	ck_assert_int_eq(fx_result(sock, ORCH_run_done, &d), RES_OK);
	fx_leave(sock);
}

/* Play one run from HELLO to its end. */
static inline void
fx_play_spawn(const struct fx_spawn *s)
{
	fx.played[s->kind]++;
	switch (s->kind) {
	case KIND_AGENT:
		fx_play_agent(s);
		break;
	case KIND_IMPORT:
		fx_play_import(s);
		break;
	case KIND_GATE:
		fx_play_gate(s);
		break;
	case KIND_TRANSITION:
		if (strcmp(s->work, "fetch") == 0)
			fx_play_fetch(s);
		else
			fx_play_worker(s);
		break;
	case KIND_HOOK:
		fx_play_hook(s);
		break;
	default:
		fx_play_other(s);
		break;
	}
}

/* Play one run when one is asked for; else let time pass for what is due. */
static inline int
fx_step(void)
{
	struct fx_spawn s;

	if (!fx_spawned(&s)) {
		if (fx_deploy_result())
			return (1);
		if (fx_int("SELECT count(*) FROM job WHERE status = 'queued'")
		    == 0 && fx_int("SELECT count(*) FROM task WHERE drive_at "
		    "IS NOT NULL AND stage NOT IN ('done', 'cancelled')") == 0)
			return (0);
		fx_tick(1000000);
		if (!fx_spawned(&s))
			return (0);
	}
	fx_play_spawn(&s);
	return (1);
}

/*
 * Play everything, a person's gates included, until the task enters a stage,
 * is parked, or nothing moves any more.
 */
static inline void
fx_play_until(const char *key, const char *stage)
{
	int i;

	for (i = 0; i < 400; i++) {
		if (strcmp(fx_task(key, "stage"), stage) == 0 ||
		    fx_task(key, "parked")[0] != '\0')
			return;
		if (fx_step())
			continue;
		if (fx_task(key, "asked_gate")[0] == '\0')
			return;
		ck_assert_msg(fx_act(strcmp(fx_task(key, "stage"),
		    "deploy") == 0 ? "confirm" : "approve", key, "") ==
		    RES_OK, "%s", fx_said);
	}
	ck_abort_msg("%s does not reach %s", key, stage);
}

/* A task in a stage. */
static inline void
fx_task_in(const char *stage)
{
	ck_assert_int_eq(fx_submit("tally", NULL), RES_OK);
	fx_play_until("DEMO-1", stage);
	ck_assert_str_eq(fx_task("DEMO-1", "stage"), stage);
}

/* A task in a stage, and the worker that is started there, at its GO. */
static inline int
fx_worker_in(const char *stage, const char *work, struct fx_spawn *s,
    struct fx_msg *go)
{
	fx_task_in(stage);
	while (fx_spawned(s)) {
		if (strcmp(s->work, work) == 0)
			return (fx_connect_run(s, go));
		fx_play_spawn(s);
	}
	ck_abort_msg("%s does not start in %s", work, stage);
	return (-1);
}

static inline void
fx_main_exit(Suite *su)
{
	SRunner *sr = srunner_create(su);
	int failed;

	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	exit(failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}

#endif
