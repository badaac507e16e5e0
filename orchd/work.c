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

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include "libcommon/log.h"
#include "deploy.h"
#include "engine.h"
#include "landing.h"
#include "lease.h"
#include "notice.h"
#include "outbox.h"
#include "pass.h"
#include "rollback.h"
#include "tell.h"
#include "verdicts.h"
#include "work.h"

/* What transition workers ask and report, each guarded by its epoch. */

#define RETRY_BASE_MS	2000
#define RETRY_MAX_MS	600000
#define WAIT_MAX_S	900	/* of what a forge asks for */

int
work_fenced(struct peer *p, uint32_t id, uint64_t epoch, struct run *r,
    struct task *t)
{
	static const struct orch_ack no = { RES_FENCED,
	    "this run holds no lease with that epoch" };

	if (run_get((int64_t)p->p_run, r) != STORE_OK ||
	    task_get(r->r_task, t) != STORE_OK)
		return (-1);
	if (lease_held(r, (int64_t)epoch))
		return (0);
	log_warnx("task %s: run %lld is fenced (epoch %llu)", t->t_key,
	    (long long)r->r_id, (unsigned long long)epoch);
	pass_send(p->p_id, ORCH_ack, id, &no, -1);
	return (1);
}

/* The run and its job are closed, the lease ends. */
static int
close_run(const struct run *r, int64_t epoch, const char *status,
    const char *reason)
{
	gate_forget_worker(r->r_id);
	return (lease_end(r->r_task, epoch) == STORE_OK &&
	    run_end(r, reason) == STORE_OK &&
	    job_end(r->r_job, status, reason) == STORE_OK ? 0 : -1);
}

static int
finish_request(struct peer *p, uint32_t id, int64_t task,
    enum orch_result result, const char *text)
{
	struct orch_ack ack = { (uint8_t)result, text };

	if (task_drive(task) == -1 || queue_kick() == -1)
		return (-1);
	pass_send(p->p_id, ORCH_ack, id, &ack, -1);
	return (0);
}

static enum orch_pull_state
pull_state(const char *name)
{
	if (strcmp(name, "open") == 0)
		return (PULL_IS_OPEN);
	return (strcmp(name, "merged") == 0 ? PULL_IS_MERGED :
	    PULL_IS_CLOSED);
}

static enum store_res
pull_do(const struct orch_pull *m, const struct task *t)
{
	const struct conf_project *cp = eng_project(t->t_project);

	switch (m->op) {
	case PULL_OPEN:
		/* KEYED: an open one of this branch is the one. */
		return (store_run(eng.e_store, Q_PULL_OPEN, "isssssi",
		    t->t_id, t->t_project, m->branch,
		    cp == NULL ? "" : cp->cp_target, m->title, m->head,
		    eng_now()));
	case PULL_UPDATE:
		return (store_run(eng.e_store, Q_PULL_UPDATE, "sis", m->head,
		    t->t_id, m->branch));
	case PULL_MERGED:
		return (store_run(eng.e_store, Q_PULL_MERGED, "sis",
		    m->landed, t->t_id, m->branch));
	case PULL_CLOSE:
		return (store_run(eng.e_store, Q_PULL_CLOSE, "is", t->t_id,
		    m->branch));
	case PULL_FIND:
		return (STORE_OK);
	default:
		return (STORE_NONE);
	}
}

/* The same of a forge elsewhere, whose number and page people know. */
static enum store_res
pull_there(const struct orch_pull *m, const struct task *t)
{
	int64_t state = m->op == PULL_MERGED ? PULL_IS_MERGED :
	    m->op == PULL_CLOSE ? PULL_IS_CLOSED : PULL_IS_OPEN;

	if (m->number > 0)
		return (store_run(eng.e_store, Q_PULL_SEEN_PUT, "ssiisssi",
		    t->t_project, m->branch, (int64_t)m->number, state,
		    m->head, m->landed, m->page, eng_now()));
	if (m->op == PULL_MERGED)
		return (store_run(eng.e_store, Q_PULL_SEEN_MERGED, "ssiss",
		    t->t_project, m->branch, state, m->head, m->landed));
	if (m->op == PULL_UPDATE)
		return (store_run(eng.e_store, Q_PULL_SEEN_HEAD, "sss",
		    t->t_project, m->branch, m->head));
	return (STORE_OK);
}

static int
is_elsewhere(const struct task *t)
{
	const struct conf_project *cp = eng_project(t->t_project);

	return (cp != NULL && cp->cp_forge != CONF_FORGE_LOCAL);
}

int
on_pull(struct peer *p, uint32_t id, const union orch_any *any, int *fd)
{
	const struct orch_pull *m = &any->pull;
	struct orch_pull_answer a = { .result = RES_OK };
	enum store_res res;
	sqlite3_stmt *q;
	struct run r;
	struct task t;

	if (run_get((int64_t)p->p_run, &r) != STORE_OK ||
	    task_get(r.r_task, &t) != STORE_OK)
		return (-1);
	if (!lease_held(&r, (int64_t)m->epoch))
		a.result = RES_FENCED;
	else if ((res = pull_do(m, &t)) == STORE_NONE)
		a.result = RES_REFUSED;
	else if (res != STORE_OK || (is_elsewhere(&t) &&
	    pull_there(m, &t) != STORE_OK))
		return (-1);
	q = store_bind(eng.e_store, Q_PULL_LAST, "is", t.t_id, m->branch);
	if (a.result == RES_OK && store_step(eng.e_store, q) == STORE_OK) {
		a.number = (uint64_t)col_int(q, 0);
		a.state = (uint8_t)pull_state(col_text(q, 1));
	}
	sqlite3_reset(q);
	pass_send(p->p_id, ORCH_pull_answer, id, &a, -1);
	return (0);
}

/* The read-back: the merge lane is free; the baseline never goes down. */
int
on_landed(struct peer *p, uint32_t id, const union orch_any *any, int *fd)
{
	const struct orch_landed *m = &any->landed;
	struct orch_ack ack = { RES_OK, "" };
	struct run r;
	struct task t;
	int f;

	if ((f = work_fenced(p, id, m->epoch, &r, &t)) != 0)
		return (f == 1 ? 0 : -1);
	if (strcmp(r.r_work, "edge") != 0 || strlen(m->commit) != 40) {
		ack.result = RES_REFUSED;
		ack.text = "only an edge lands, and with a commit";
	} else if ((ack.text = landing_refused(&t, m)) != NULL) {
		ack.result = RES_REFUSED;
	} else if (store_run_one(eng.e_store, Q_TASK_LANDED, "sssi",
	    m->commit, m->tree, m->previous, t.t_id) != STORE_OK)
		return (-1);
	else if (landing_is_untested(m))
		return (landing_freeze(p, id, &t, m));
	else if (landing_tested(&t) != STORE_OK || store_run(eng.e_store,
	    Q_LANE_END, "ii", t.t_id, (int64_t)m->epoch) != STORE_OK)
		return (-1);
	else if (m->coverage[0] != '\0' && store_run(eng.e_store,
	    Q_BASELINE_RAISE, "srsi", t.t_project, strtod(m->coverage, NULL),
	    m->commit, eng_now()) != STORE_OK)
		return (-1);
	if (ack.result == RES_OK && tell_gates(t.t_id, m->commit) != STORE_OK)
		return (-1);
	if (ack.result == RES_OK) {
		ack.text = "";
		log_info("task %s: landed %.12s", t.t_key, m->commit);
	}
	pass_send(p->p_id, ORCH_ack, id, &ack, -1);
	return (0);
}

int
on_record(struct peer *p, uint32_t id, const union orch_any *any, int *fd)
{
	const struct orch_record *m = &any->record;
	struct orch_ack ack = { RES_OK, "" };
	char text[65537];
	struct run r;
	struct task t;
	int f;

	if ((f = work_fenced(p, id, m->epoch, &r, &t)) != 0)
		return (f == 1 ? 0 : -1);
	memcpy(text, m->text.b_data, m->text.b_len);
	text[m->text.b_len] = '\0';
	if (store_run(eng.e_store, Q_RECORD_PUT, "iissi", t.t_id, t.t_round,
	    m->name, text, eng_now()) != STORE_OK || tell_record(&t, m->name,
	    text) != STORE_OK)
		return (-1);
	pass_send(p->p_id, ORCH_ack, id, &ack, -1);
	return (0);
}

/* Which moves each work may ask for, and what must be on record first. */
static const char *
commit_refused(const struct run *r, const struct task *t, enum stage to)
{
	int64_t code = store_int(eng.e_store, -1, Q_DEPLOY_CODE, "ii",
	    t->t_id, t->t_seq);

	if (strcmp(r->r_work, "edge") == 0 && to == STAGE_DEPLOY)
		return (t->t_landed[0] == '\0' ? "nothing has landed" :
		    landing_waits(t));
	if (strcmp(r->r_work, "close") == 0 && to == STAGE_CANCELLED)
		return (t->t_cancel_at != 0 ? NULL : "nobody cancelled it");
	if (strcmp(r->r_work, "finish") == 0 && to == STAGE_DONE)
		return (code == 0 ? NULL : "no deploy that succeeded is on "
		    "record");
	if (strcmp(r->r_work, "finish") == 0 && to == STAGE_DEVELOPMENT)
		return (code > 0 ? NULL : "no deploy that failed is on "
		    "record");
	return ("this work cannot ask for that move");
}

/* After done, the monitor watches production. */
static int
start_monitor(int64_t task)
{
	struct job_spec js = { .js_kind = KIND_MONITOR,
	    .js_work = "monitor" };
	const struct conf_project *cp;
	struct task t;

	if (task_get(task, &t) != STORE_OK)
		return (-1);
	cp = eng_project(t.t_project);
	if (t.t_stage != STAGE_DONE || cp == NULL ||
	    !conf_bool(eng.e_conf, cp, OPT_POST_DEPLOY_ENABLED) ||
	    conf_str(eng.e_conf, cp, OPT_POST_DEPLOY_BASE_URL)[0] == '\0')
		return (0);
	js.js_task = &t;
	js.js_commit = t.t_landed;
	return (job_add(&js, NULL) == STORE_OK ? 0 : -1);
}

int
on_commit(struct peer *p, uint32_t id, const union orch_any *any, int *fd)
{
	const struct orch_commit *m = &any->commit;
	struct transition tr;
	char actor[64];
	const char *why;
	enum store_res res;
	struct run r;
	struct task t;
	enum stage to = stage_lookup(m->to);
	int f;

	if ((f = work_fenced(p, id, m->epoch, &r, &t)) != 0)
		return (f == 1 ? 0 : -1);
	why = stage_edge_allowed(stage_lookup(m->from), to) ?
	    commit_refused(&r, &t, to) : "there is no such move";
	if (why != NULL) {
		struct orch_ack no = { RES_REFUSED, why };

		log_warnx("task %s: %s -> %s refused: %s", t.t_key, m->from,
		    m->to, why);
		pass_send(p->p_id, ORCH_ack, id, &no, -1);
		return (0);
	}
	snprintf(actor, sizeof(actor), "finalizerd (run %lld)",
	    (long long)r.r_id);
	memset(&tr, 0, sizeof(tr));
	tr.tr_task = t.t_id;
	tr.tr_from = stage_lookup(m->from);
	tr.tr_seq = (int64_t)m->seq;
	tr.tr_to = to;
	tr.tr_backward = to == STAGE_DEVELOPMENT;
	tr.tr_actor = (struct actor){ actor, (int64_t)m->epoch };
	tr.tr_reason = m->reason;
	tr.tr_feedback = to == STAGE_DEVELOPMENT ? m->reason : NULL;
	res = transition_commit(&tr);
	if (res == STORE_STALE) {
		struct orch_ack lost = { RES_STALE, "the stage has moved" };

		/* A lost race changes nothing: its lease ends by END. */
		pass_send(p->p_id, ORCH_ack, id, &lost, -1);
		return (0);
	}
	if (res != STORE_OK ||
	    close_run(&r, (int64_t)m->epoch, "done", m->reason) == -1 ||
	    start_monitor(t.t_id) == -1 ||
	    (stage_is_terminal(to) && tasks_let_in(&t) == -1))
		return (-1);
	return (finish_request(p, id, t.t_id, RES_OK, ""));
}

int
work_gave_up(const struct task *t, const char *reason)
{
	/* What is done is not parked: its rollback is due until it is. */
	if (stage_is_terminal(t->t_stage) ? rollback_stuck(t, reason) == -1 :
	    task_park(t, "blocked", reason) != STORE_OK)
		return (-1);
	return (store_run_one(eng.e_store, Q_TASK_RETRY_AT, "iii", t->t_retries,
	    eng_now() + RETRY_MAX_MS, t->t_id) == STORE_OK ? 0 : -1);
}

/* An edge or publish that could not be done: later, bounded. */
static int
retry_later(const struct task *t, const struct orch_end *m)
{
	const struct conf_project *cp = eng_project(t->t_project);
	int64_t n = t->t_retries + 1, max, ms;

	log_info("task %s: %s: %s (try %lld)", t->t_key,
	    orch_cause_name(m->cause), m->reason, (long long)n);
	/* We stopped it; a worker that stops by itself is no exception. */
	if (m->cause == CAUSE_STOPPED && (t->t_cancel_at != 0 ||
	    eng.e_quiescing))
		return (0);
	store_count(eng.e_store, m->cause == CAUSE_TIMEOUT ?
	    "merge_timeout" : "merge_infra_retry", 1);
	max = conf_int(eng.e_conf, cp, OPT_MERGE_INFRA_MAX_RETRIES);
	/* A forge that is being restarted is back in some minutes. */
	if (m->cause == CAUSE_TRANSIENT)
		max += conf_int(eng.e_conf, cp, OPT_TRANSIENT_MAX);
	if (n > max)
		return (work_gave_up(t, m->reason));
	ms = backoff_ms(RETRY_BASE_MS, n - 1, RETRY_MAX_MS);
	/* Nor sooner than a forge has asked for. */
	if (m->wait_s <= WAIT_MAX_S && ms < 1000LL * m->wait_s)
		ms = 1000LL * m->wait_s;
	return (store_run_one(eng.e_store, Q_TASK_RETRY_AT, "iii", n,
	    eng_now() + ms, t->t_id) == STORE_OK ? 0 : -1);
}

int
work_fetched(const struct run *r, const struct orch_run_done *m)
{
	struct orch_end end = { .cause = m->cause, .reason = m->reason };
	int ok = m->verdict == GATE_PASS;
	struct task t;

	if (task_get(r->r_task, &t) != STORE_OK ||
	    run_end(r, m->reason) != STORE_OK || job_end(r->r_job, ok ?
	    "done" : "failed", m->reason) != STORE_OK)
		return (-1);
	if (t.t_seq == r->r_seq && (ok ? store_run_one(eng.e_store,
	    Q_TASK_FETCHED, "ii", t.t_id, t.t_seq) != STORE_OK :
	    retry_later(&t, &end) == -1))
		return (-1);
	return (task_drive(t.t_id));
}

/* Red or conflict: back to development with the log, or to a person. */
static int
edge_failed(const struct task *t, const struct run *r,
    const struct orch_end *m)
{
	struct transition tr = { .tr_task = t->t_id, .tr_from = t->t_stage,
	    .tr_seq = t->t_seq, .tr_to = STAGE_DEVELOPMENT,
	    .tr_backward = 1 };
	char actor[64], reason[1200], text[60000];
	sqlite3_stmt *q;

	store_count(eng.e_store, m->cause == CAUSE_CONFLICT ?
	    "merge_conflict" : "merge_red", 1);
	snprintf(reason, sizeof(reason), "%s: %.1000s", m->gate, m->reason);
	if (t->t_rework >= conf_int(eng.e_conf, eng_project(t->t_project),
	    OPT_MAX_DEVELOPER_RETRIES))
		return (task_park(t, "needs_input", reason) == STORE_OK ? 0 :
		    -1);
	snprintf(actor, sizeof(actor), "finalizerd (run %lld)",
	    (long long)r->r_id);
	tr.tr_actor = (struct actor){ actor, (int64_t)m->epoch };
	tr.tr_reason = reason;
	text[0] = '\0';
	q = store_bind(eng.e_store, Q_GATE_TEXT, "is", t->t_id, m->gate);
	if (store_step(eng.e_store, q) == STORE_OK)
		strlcpy(text, col_text(q, 0), sizeof(text));
	sqlite3_reset(q);
	if (transition_commit(&tr) != STORE_OK)
		return (-1);
	return (task_set_feedback(t->t_id, m->reason, text) == STORE_OK ? 0 :
	    -1);
}

/* close found that it has landed: there is nothing to cancel any more. */
static int
cancel_dropped(const struct task *t, const struct orch_end *m)
{
	char key[160], text[1200];

	log_info("task %s: not cancelled: %s", t->t_key, m->reason);
	snprintf(key, sizeof(key), "cancel:%s:%lld", t->t_key,
	    (long long)t->t_seq);
	snprintf(text, sizeof(text), "not cancelled: %.1000s", m->reason);
	/* Who asks a second time has nothing more to drop. */
	return (store_run(eng.e_store, Q_TASK_UNCANCEL, "i", t->t_id) ==
	    STORE_OK && outbox_add("tracker", t, "comment", key, text) ==
	    STORE_OK ? 0 : -1);
}

static int
end_routed(const struct task *t, const struct run *r,
    const struct orch_end *m)
{
	int w;

	if (m->verdict == GATE_PASS) {
		if (strcmp(r->r_work, "publish") == 0 &&
		    store_run_one(eng.e_store, Q_TASK_PUBLISHED, "si",
		    m->head, t->t_id) != STORE_OK)
			return (-1);
		if (strcmp(r->r_work, "record") == 0)
			return (rollback_recorded(t));
		return (0);
	}
	if (strcmp(r->r_work, "close") == 0 && m->verdict == GATE_FAIL)
		return (cancel_dropped(t, m));
	/* What the edge has pushed is the branch's head from now on. */
	if (strcmp(r->r_work, "edge") == 0 && strlen(m->head) == 40 &&
	    strcmp(m->head, t->t_head) != 0 && (verdicts_carry(t, m) == -1 ||
	    tell_gates(t->t_id, m->head) != STORE_OK))
		return (-1);
	if (strcmp(r->r_work, "edge") == 0 && m->verdict == GATE_FAIL &&
	    m->cause != CAUSE_MOVED)
		return (edge_failed(t, r, m));
	/* Whose turn it is not waits for that: it is no try that failed. */
	if (strcmp(r->r_work, "deploy") == 0 && (w = deploy_waits(t)) != 0)
		return (w == 1 ? 0 : -1);
	return (retry_later(t, m));
}

/*
 * The lease ends.  What the outcome means for the task is asked only while it
 * is where the run began: after a lost race it is another's business.
 */
int
on_end(struct peer *p, uint32_t id, const union orch_any *any, int *fd)
{
	const struct orch_end *m = &any->end;
	struct run r;
	struct task t;
	int f;

	if ((f = work_fenced(p, id, m->epoch, &r, &t)) != 0)
		return (f == 1 ? 0 : -1);
	if (m->verdict >= GATE_VERDICT_MAX ||
	    (m->verdict == GATE_PASS && strcmp(r.r_work, "publish") == 0 &&
	    strlen(m->head) != 40))
		return (-1);
	if (close_run(&r, (int64_t)m->epoch, m->verdict == GATE_PASS ?
	    "done" : "failed", m->reason) == -1 ||
	    (t.t_seq == r.r_seq && end_routed(&t, &r, m) == -1))
		return (-1);
	return (finish_request(p, id, t.t_id, RES_OK, ""));
}

int
on_abort(struct peer *p, uint32_t id, const union orch_any *any, int *fd)
{
	const struct orch_abort *m = &any->abort;
	struct orch_end end = { .epoch = m->epoch, .cause = CAUSE_INFRA,
	    .reason = m->reason, .gate = "" };
	struct run r;
	struct task t;
	int f;

	if ((f = work_fenced(p, id, m->epoch, &r, &t)) != 0)
		return (f == 1 ? 0 : -1);
	if (close_run(&r, (int64_t)m->epoch, "failed", m->reason) == -1 ||
	    (t.t_seq == r.r_seq && retry_later(&t, &end) == -1))
		return (-1);
	return (finish_request(p, id, t.t_id, RES_OK, ""));
}
