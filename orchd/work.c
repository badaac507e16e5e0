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
#include "engine.h"
#include "lease.h"
#include "notice.h"
#include "pass.h"

/* What transition workers ask and report, each guarded by its epoch. */

#define RETRY_BASE_MS	2000
#define RETRY_MAX_MS	600000

/* Read run and task of a worker; is it inside its lease?  Else it is told. */
static int
fenced(struct peer *p, uint32_t id, uint64_t epoch, struct run *r,
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

/*
 * Workers that wait for a gate's result, one question a worker.  An answered
 * one stays until the next: the pass that answers may yet be taken back.
 */
struct waiter {
	struct waiter	*w_next;
	int64_t		 w_run;
	uint32_t	 w_peer;
	uint32_t	 w_id;
	char		 w_gate[65];
	char		 w_commit[ID_HEX];
};
static struct waiter *waiters;

static struct waiter *
waiter_of(int64_t run)
{
	struct waiter *w;

	for (w = waiters; w != NULL; w = w->w_next)
		if (w->w_run == run)
			break;
	return (w);
}

static int
waiter_add(struct peer *p, uint32_t id, const struct orch_gate *m)
{
	struct waiter *w;

	if ((w = waiter_of((int64_t)p->p_run)) == NULL) {
		if ((w = calloc(1, sizeof(*w))) == NULL)
			return (-1);
		w->w_run = (int64_t)p->p_run;
		w->w_next = waiters;
		waiters = w;
	}
	w->w_peer = p->p_id;
	w->w_id = id;
	strlcpy(w->w_gate, m->gate, sizeof(w->w_gate));
	strlcpy(w->w_commit, m->commit, sizeof(w->w_commit));
	return (0);
}

void
gate_forget_worker(int64_t run)
{
	struct waiter **wp, *w;

	for (wp = &waiters; (w = *wp) != NULL; wp = &w->w_next) {
		if (w->w_run != run)
			continue;
		*wp = w->w_next;
		free(w);
		return;
	}
}

void
gate_tell_worker(int64_t run, const char *gate, const char *commit,
    const struct orch_gate_answer *a)
{
	struct waiter *w = waiter_of(run);

	(void)store_run(eng.e_store, Q_LEASE_GATE, "si", "", run);
	if (w != NULL && strcmp(w->w_gate, gate) == 0 &&
	    strcmp(w->w_commit, commit) == 0)
		pass_send(w->w_peer, ORCH_gate_answer, w->w_id, a, -1);
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

/* A result on record that answers the question; 1: answered. */
static int
gate_on_record(struct peer *p, uint32_t id, const struct task *t,
    const struct orch_gate *m)
{
	struct orch_gate_answer a = { .result = RES_OK };
	enum gate_verdict v;
	sqlite3_stmt *q;
	int found;

	q = store_bind(eng.e_store, Q_GATE_FOR_RUN, "iss", (int64_t)p->p_run,
	    m->gate, m->commit);
	if (!(found = store_step(eng.e_store, q) == STORE_OK)) {
		q = store_bind(eng.e_store, Q_GATE_PASSED, "iisss", t->t_id,
		    t->t_round, m->gate, m->commit,
		    strcmp(m->commit, t->t_head) == 0 ? t->t_tree : "-");
		found = store_step(eng.e_store, q) == STORE_OK;
	}
	if (found && gate_verdict_parse(col_text(q, 0), &v) == 0) {
		a.verdict = (uint8_t)v;
		a.cause = (uint8_t)col_int(q, 1);
		a.reason = col_text(q, 2);
		a.tree = col_text(q, 3);
		a.at_ms = (uint64_t)col_int(q, 4);
		pass_send(p->p_id, ORCH_gate_answer, id, &a, -1);
	}
	sqlite3_reset(q);
	return (found);
}

/*
 * The re-test is skipped when exactly this code tree has passed the same
 * command in this round; it is recorded as a result of its own.
 */
static int
retest_skipped(struct peer *p, uint32_t id, const struct task *t,
    const struct orch_gate *m)
{
	struct orch_gate_answer a = { .result = RES_OK,
	    .verdict = GATE_PASS, .tree = t->t_tree };
	char reason[256];
	int64_t run;

	if (strcmp(m->gate, "check_branch_mergeable") != 0 ||
	    strcmp(m->commit, t->t_head) != 0 || t->t_tree[0] == '\0' ||
	    !conf_bool(eng.e_conf,
	    eng_project(t->t_project),
	    OPT_MERGE_RETEST_SKIP_WHEN_CURRENT_ENABLED))
		return (0);
	run = store_int(eng.e_store, 0, Q_TREE_TESTED, "iis", t->t_id,
	    t->t_round, t->t_tree);
	if (run == 0)
		return (0);
	snprintf(reason, sizeof(reason), "not repeated: run %lld tested this "
	    "code tree", (long long)run);
	a.reason = reason;
	if (store_run(eng.e_store, Q_GATE_ADD, "iiissssisiiis", t->t_id,
	    t->t_round, t->t_seq, m->gate, m->commit, t->t_tree, "pass",
	    (int64_t)CAUSE_NONE, reason, run, eng_now(), (int64_t)0,
	    "") != STORE_OK)
		return (-1);
	store_count(eng.e_store, "retest_skipped", 1);
	pass_send(p->p_id, ORCH_gate_answer, id, &a, -1);
	return (1);
}

int
on_gate(struct peer *p, uint32_t id, const union orch_any *any, int *fd)
{
	const struct orch_gate *m = &any->gate;
	struct orch_gate_answer no = { .result = RES_FENCED,
	    .verdict = GATE_ERROR, .reason = "not the lease's epoch" };
	struct orch_gate_answer stopped = { .result = RES_OK,
	    .verdict = GATE_ERROR, .cause = CAUSE_STOPPED,
	    .reason = "the task is to be cancelled" };
	struct job_spec js = { .js_kind = KIND_GATE, .js_gate = m->gate,
	    .js_commit = m->commit, .js_for_run = (int64_t)p->p_run };
	struct run r;
	struct task t;
	int skipped;

	if (run_get((int64_t)p->p_run, &r) != STORE_OK ||
	    task_get(r.r_task, &t) != STORE_OK)
		return (-1);
	if (!lease_held(&r, (int64_t)m->epoch)) {
		pass_send(p->p_id, ORCH_gate_answer, id, &no, -1);
		return (0);
	}
	if (gate_on_record(p, id, &t, m))
		return (0);
	if ((skipped = retest_skipped(p, id, &t, m)) != 0)
		return (skipped == 1 ? 0 : -1);
	/* Nothing heavy is begun for a task that is to be cancelled. */
	if (t.t_cancel_at != 0) {
		pass_send(p->p_id, ORCH_gate_answer, id, &stopped, -1);
		return (0);
	}
	if (waiter_add(p, id, m) == -1 || store_run(eng.e_store,
	    Q_LEASE_GATE, "si", m->gate, r.r_id) != STORE_OK)
		return (-1);
	if (store_run(eng.e_store, Q_GATE_ADOPT, "iiss", r.r_id, t.t_id,
	    m->gate, m->commit) != STORE_OK)
		return (-1);
	if (store_int(eng.e_store, 0, Q_GATE_ASKED, "iss", r.r_id, m->gate,
	    m->commit) > 0)
		return (0);
	js.js_task = &t;
	return (job_add(&js, NULL) == STORE_OK ? queue_kick() : -1);
}

static void
effect_refuse(struct peer *p, uint32_t id, enum orch_result res,
    const char *text)
{
	struct orch_effect_answer a = { .result = (uint8_t)res,
	    .text = text };

	pass_send(p->p_id, ORCH_effect_answer, id, &a, -1);
}

static enum orch_effect_state
effect_state(const char *name)
{
	unsigned int s;

	for (s = EFFECT_INTENT; s <= EFFECT_FAILED; s++)
		if (strcmp(orch_effect_name(s), name) == 0)
			return ((enum orch_effect_state)s);
	return (EFFECT_NONE);
}

/*
 * Record the intent, or say what became of an earlier one.  A row that failed
 * or conflicted may be tried again: its intent is renewed under this epoch.
 */
int
on_effect(struct peer *p, uint32_t id, const union orch_any *any, int *fd)
{
	const struct orch_effect *m = &any->effect;
	struct orch_effect_answer a = { .result = RES_OK,
	    .state = EFFECT_INTENT };
	char evidence[1025] = "";
	enum store_res res;
	sqlite3_stmt *q;
	struct run r;
	struct task t;

	if (run_get((int64_t)p->p_run, &r) != STORE_OK ||
	    task_get(r.r_task, &t) != STORE_OK)
		return (-1);
	if (!lease_held(&r, (int64_t)m->epoch)) {
		effect_refuse(p, id, RES_FENCED, "not the lease's epoch");
		return (0);
	}
	if (m->class < CLASS_CAS || m->class > CLASS_BLIND) {
		effect_refuse(p, id, RES_REFUSED, "no such effect class");
		return (0);
	}
	q = store_bind(eng.e_store, Q_EFFECT_GET, "si", m->key, t.t_id);
	if (store_step(eng.e_store, q) == STORE_OK) {
		a.state = (uint8_t)effect_state(col_text(q, 0));
		strlcpy(evidence, col_text(q, 1), sizeof(evidence));
		a.text = "on record";
	}
	sqlite3_reset(q);
	a.evidence = evidence;
	if (a.state != EFFECT_DONE) {
		/* Between effects a cancel is heard. */
		if (t.t_cancel_at != 0 && a.text == NULL &&
		    strcmp(r.r_work, "close") != 0) {
			effect_refuse(p, id, RES_REFUSED,
			    "the task is to be cancelled");
			return (0);
		}
		if (a.state == EFFECT_INTENT && a.text != NULL &&
		    m->class == CLASS_BLIND) {
			effect_refuse(p, id, RES_REFUSED, "nobody can tell "
			    "whether it was done: an operator has to look");
			return (0);
		}
		if (strcmp(m->name, "merge") == 0 && store_int(eng.e_store,
		    0, Q_MERGE_OTHER, "is", t.t_id, m->key) > 0) {
			effect_refuse(p, id, RES_REFUSED, "another merge of "
			    "this round is on record: look at orchctl show");
			return (0);
		}
		res = store_run_one(eng.e_store, Q_EFFECT_INTENT, "issiii",
		    t.t_id, m->name, m->key, (int64_t)m->class,
		    (int64_t)m->epoch, eng_now());
		if (res == STORE_STALE) {
			effect_refuse(p, id, RES_REFUSED,
			    "the key is another task's");
			return (0);
		}
		if (res != STORE_OK)
			return (-1);
		/* An attempt without an end, or none that counts. */
		if (a.text == NULL || a.state != EFFECT_INTENT)
			a.state = EFFECT_NONE;
	}
	pass_send(p->p_id, ORCH_effect_answer, id, &a, -1);
	return (0);
}

int
on_effect_done(struct peer *p, uint32_t id, const union orch_any *any,
    int *fd)
{
	const struct orch_effect_done *m = &any->effect_done;
	struct orch_ack ack = { RES_OK, "" };
	enum store_res res;
	struct run r;
	struct task t;
	int f;

	if ((f = fenced(p, id, m->epoch, &r, &t)) != 0)
		return (f == 1 ? 0 : -1);
	if (m->state < EFFECT_DONE || m->state > EFFECT_FAILED) {
		ack.result = RES_REFUSED;
		ack.text = "no such effect state";
	} else {
		res = store_run_one(eng.e_store, Q_EFFECT_DONE, "ssisii",
		    orch_effect_name(m->state), m->evidence, eng_now(),
		    m->key, t.t_id, (int64_t)m->epoch);
		if (res == STORE_STALE && store_int(eng.e_store, 0,
		    Q_EFFECT_IS, "siis", m->key, t.t_id, (int64_t)m->epoch,
		    orch_effect_name(m->state)) > 0)
			ack.result = RES_DUPLICATE;
		else if (res == STORE_STALE) {
			ack.result = RES_FENCED;
			ack.text = "no intent of this epoch under that key";
		} else if (res != STORE_OK)
			return (-1);
		if (ack.result == RES_OK)
			log_info("task %s: effect %s: %s: %s", t.t_key, m->key,
		    orch_effect_name(m->state), m->evidence);
	}
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
	else if (res != STORE_OK)
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

	if ((f = fenced(p, id, m->epoch, &r, &t)) != 0)
		return (f == 1 ? 0 : -1);
	if (strcmp(r.r_work, "edge") != 0 || strlen(m->commit) != 40) {
		ack.result = RES_REFUSED;
		ack.text = "only an edge lands, and with a commit";
	} else if (store_int(eng.e_store, 0, Q_MERGE_DONE, "is", t.t_id,
	    m->commit) == 0 || store_int(eng.e_store, 0, Q_RETEST_PASSED,
	    "iis", t.t_id, t.t_round, m->commit) == 0) {
		ack.result = RES_REFUSED;
		ack.text = "no merge of that commit, or no pass of "
		    "check_branch_mergeable on it, is on record";
	} else if (store_run_one(eng.e_store, Q_TASK_LANDED, "sssi",
	    m->commit, m->tree, m->previous, t.t_id) != STORE_OK ||
	    store_run(eng.e_store, Q_LANE_END, "ii", t.t_id,
	    (int64_t)m->epoch) != STORE_OK)
		return (-1);
	else if (m->coverage[0] != '\0' && store_run(eng.e_store,
	    Q_BASELINE_RAISE, "srsi", t.t_project, strtod(m->coverage, NULL),
	    m->commit, eng_now()) != STORE_OK)
		return (-1);
	if (ack.result == RES_OK)
		log_info("task %s: landed %.12s", t.t_key, m->commit);
	pass_send(p->p_id, ORCH_ack, id, &ack, -1);
	return (0);
}

/* A person may have thought better of it since the worker was queued. */
static int
deploy_allowed(const struct task *t)
{
	char active[256];
	struct facts f;

	if (task_facts(t, &f, active, sizeof(active)) == -1)
		return (-1);
	if (f.f_deploy == DEPLOY_STARTED || f.f_deploy == DEPLOY_ENDED)
		return (1);	/* the start record answers */
	return (f.f_deploy == DEPLOY_NONE && !f.f_confirm_refused &&
	    (!f.f_confirm_needed || f.f_confirmed) && t->t_cancel_at == 0);
}

/* The start is on record before the hook runs: one row a key. */
int
on_hook_start(struct peer *p, uint32_t id, const union orch_any *any,
    int *fd)
{
	const struct orch_hook_start *m = &any->hook_start;
	struct orch_ack ack = { RES_OK, "" };
	struct job_spec js = { .js_kind = KIND_HOOK,
	    .js_commit = m->revision };
	char args[192];
	struct run r;
	struct task t;
	int64_t job;
	int f;

	if ((f = fenced(p, id, m->epoch, &r, &t)) != 0)
		return (f == 1 ? 0 : -1);
	if (strcmp(r.r_work, "deploy") != 0 || t.t_stage != STAGE_DEPLOY ||
	    strcmp(m->revision, t.t_landed) != 0) {
		ack.result = RES_REFUSED;
		ack.text = "what is deployed is the landed commit";
	} else if ((f = deploy_allowed(&t)) != 1) {
		if (f == -1)
			return (-1);
		ack.result = RES_REFUSED;
		ack.text = "nobody confirms this deploy any more, or "
		    "another one of the project is under way";
	} else if (store_int(eng.e_store, 0, Q_DEPLOY_KEY, "si", m->key,
	    t.t_id) > 0) {
		ack.result = RES_DUPLICATE;
		ack.text = "its start is on record";
	} else {
		snprintf(args, sizeof(args), "revision=%s tree=%s "
		    "previous=%s", m->revision, m->tree, m->previous);
		js.js_task = &t;
		js.js_args = args;
		if (job_add(&js, &job) != STORE_OK || store_run(eng.e_store,
		    Q_DEPLOY_ADD, "isisisssi", t.t_id, t.t_project, t.t_seq,
		    m->key, job, m->revision, m->tree, m->previous,
		    eng_now()) != STORE_OK || queue_kick() == -1)
			return (-1);
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

	if ((f = fenced(p, id, m->epoch, &r, &t)) != 0)
		return (f == 1 ? 0 : -1);
	memcpy(text, m->text.b_data, m->text.b_len);
	text[m->text.b_len] = '\0';
	if (store_run(eng.e_store, Q_RECORD_PUT, "iissi", t.t_id, t.t_round,
	    m->name, text, eng_now()) != STORE_OK)
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
		return (t->t_landed[0] != '\0' ? NULL :
		    "nothing has landed");
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

	if ((f = fenced(p, id, m->epoch, &r, &t)) != 0)
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
	if (res != STORE_OK && res != STORE_STALE)
		return (-1);
	if (close_run(&r, (int64_t)m->epoch, "done", m->reason) == -1 ||
	    (res == STORE_OK && (start_monitor(t.t_id) == -1 ||
	    (stage_is_terminal(to) && tasks_let_in(&t) == -1))))
		return (-1);
	return (finish_request(p, id, t.t_id, res == STORE_OK ? RES_OK :
	    RES_STALE, res == STORE_OK ? "" : "the stage has moved"));
}

/* An edge or publish that could not be done: later, bounded. */
static int
retry_later(const struct task *t, const struct orch_end *m)
{
	int64_t n = t->t_retries + 1;

	log_info("task %s: %s: %s (try %lld)", t->t_key,
	    orch_cause_name(m->cause), m->reason, (long long)n);
	/* We stopped it; a worker that stops by itself is no exception. */
	if (m->cause == CAUSE_STOPPED && (t->t_cancel_at != 0 ||
	    eng.e_quiescing))
		return (0);
	store_count(eng.e_store, m->cause == CAUSE_TIMEOUT ?
	    "merge_timeout" : "merge_infra_retry", 1);
	if (n > conf_int(eng.e_conf, eng_project(t->t_project),
	    OPT_MERGE_INFRA_MAX_RETRIES)) {
		if (task_park(t, "blocked", m->reason) != STORE_OK)
			return (-1);
		/* A cancelled one is not left parked: again, but seldom. */
		n = t->t_retries;
		return (store_run_one(eng.e_store, Q_TASK_RETRY_AT, "iii", n,
		    eng_now() + RETRY_MAX_MS, t->t_id) == STORE_OK ? 0 : -1);
	}
	return (store_run_one(eng.e_store, Q_TASK_RETRY_AT, "iii", n,
	    eng_now() + backoff_ms(RETRY_BASE_MS, n - 1, RETRY_MAX_MS),
	    t->t_id) == STORE_OK ? 0 : -1);
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
	return (store_run_one(eng.e_store, Q_TASK_UNCANCEL, "i", t->t_id) ==
	    STORE_OK && outbox_add("tracker", t, "comment", key, text) ==
	    STORE_OK ? 0 : -1);
}

static int
end_routed(const struct task *t, const struct run *r,
    const struct orch_end *m)
{
	if (m->verdict == GATE_PASS) {
		if (strcmp(r->r_work, "publish") == 0 &&
		    store_run_one(eng.e_store, Q_TASK_PUBLISHED, "si",
		    m->head, t->t_id) != STORE_OK)
			return (-1);
		return (0);
	}
	if (strcmp(r->r_work, "close") == 0 && m->verdict == GATE_FAIL)
		return (cancel_dropped(t, m));
	/* What the edge has pushed is the branch's head from now on. */
	if (strcmp(r->r_work, "edge") == 0 && strlen(m->head) == 40 &&
	    strcmp(m->head, t->t_head) != 0 && store_run_one(eng.e_store,
	    Q_TASK_PUSHED, "ssi", m->head, m->head, t->t_id) != STORE_OK)
		return (-1);
	if (strcmp(r->r_work, "edge") == 0 && m->verdict == GATE_FAIL &&
	    m->cause != CAUSE_MOVED)
		return (edge_failed(t, r, m));
	return (retry_later(t, m));
}

int
on_end(struct peer *p, uint32_t id, const union orch_any *any, int *fd)
{
	const struct orch_end *m = &any->end;
	struct run r;
	struct task t;
	int f;

	if ((f = fenced(p, id, m->epoch, &r, &t)) != 0)
		return (f == 1 ? 0 : -1);
	if (m->verdict >= GATE_VERDICT_MAX ||
	    (m->verdict == GATE_PASS && strcmp(r.r_work, "publish") == 0 &&
	    strlen(m->head) != 40))
		return (-1);
	if (close_run(&r, (int64_t)m->epoch, m->verdict == GATE_PASS ?
	    "done" : "failed", m->reason) == -1 ||
	    end_routed(&t, &r, m) == -1)
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

	if ((f = fenced(p, id, m->epoch, &r, &t)) != 0)
		return (f == 1 ? 0 : -1);
	if (close_run(&r, (int64_t)m->epoch, "failed", m->reason) == -1 ||
	    retry_later(&t, &end) == -1)
		return (-1);
	return (finish_request(p, id, t.t_id, RES_OK, ""));
}
