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

#include "engine.h"
#include "image.h"
#include "lease.h"
#include "pass.h"

/* Gates that a transition worker asks for, and waits for. */

#define MERGEABLE	"check_branch_mergeable"

static int
merge_gate_is_on(const struct task *t)
{
	const struct conf_project *cp = eng_project(t->t_project);

	return (cp == NULL || conf_merge_gate_on(eng.e_conf, cp));
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

	(void)store_run(eng.e_store, Q_LEASE_GATE, "sii", "", eng_now(), run);
	if (w != NULL && strcmp(w->w_gate, gate) == 0 &&
	    strcmp(w->w_commit, commit) == 0)
		pass_send(w->w_peer, ORCH_gate_answer, w->w_id, a, -1);
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
		q = store_bind(eng.e_store, Q_GATE_PASSED, "iissss", t->t_id,
		    t->t_round, m->gate, m->commit,
		    strcmp(m->commit, t->t_head) == 0 ? t->t_tree : "-",
		    stage_gate_reads(t->t_stage, m->gate));
		found = store_step(eng.e_store, q) == STORE_OK;
		/* What was let through untested counts while that is so. */
		if (found && col_int(q, 5) == 0 && merge_gate_is_on(t) &&
		    strcmp(m->gate, MERGEABLE) == 0)
			found = 0;
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

/* A pass of the re-test without a run of its own; 1: answered. */
static int
retest_answer(struct peer *p, uint32_t id, const struct task *t,
    const struct orch_gate *m, int64_t run, const char *reason)
{
	struct orch_gate_answer a = { .result = RES_OK,
	    .verdict = GATE_PASS, .tree = run == 0 ? "" : t->t_tree,
	    .reason = reason };

	if (store_run(eng.e_store, Q_GATE_ADD, "iiissssisiiiss", t->t_id,
	    t->t_round, t->t_seq, m->gate, m->commit, a.tree, "pass",
	    (int64_t)CAUSE_NONE, reason, run, eng_now(), (int64_t)0,
	    "", "") != STORE_OK)
		return (-1);
	store_count(eng.e_store, "retest_skipped", 1);
	pass_send(p->p_id, ORCH_gate_answer, id, &a, -1);
	return (1);
}

/*
 * The re-test is skipped where the project has no merge gate, or when exactly
 * this code tree has passed the same command in this round; it is
 * recorded as a result of its own.
 */
static int
retest_skipped(struct peer *p, uint32_t id, const struct task *t,
    const struct orch_gate *m)
{
	char reason[256];
	int64_t run;

	if (strcmp(m->gate, MERGEABLE) != 0)
		return (0);
	if (!merge_gate_is_on(t))
		return (retest_answer(p, id, t, m, 0, "not tested: there is "
		    "no merge gate (merge_gate_enabled, merge_gate_repos)"));
	if (strcmp(m->commit, t->t_head) != 0 || t->t_tree[0] == '\0' ||
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
	return (retest_answer(p, id, t, m, run, reason));
}

/*
 * Only a look: no result is on record.  One that is under way may be waited
 * for, as one's own.
 */
static int
gate_look(struct peer *p, uint32_t id, const struct run *r,
    const struct task *t, const struct orch_gate *m)
{
	struct orch_gate_answer none = { .result = RES_NOTFOUND,
	    .verdict = GATE_ERROR, .reason = "no result is on record" };

	if (m->look == LOOK_WAIT && (store_run(eng.e_store, Q_GATE_ADOPT,
	    "iiss", r->r_id, t->t_id, m->gate, m->commit) != STORE_OK ||
	    waiter_add(p, id, m) == -1))
		return (-1);
	if (m->look == LOOK_WAIT && store_int(eng.e_store, 0, Q_GATE_ASKED,
	    "iss", r->r_id, m->gate, m->commit) > 0)
		return (0);
	pass_send(p->p_id, ORCH_gate_answer, id, &none, -1);
	return (0);
}

int
on_gate(struct peer *p, uint32_t id, const union orch_any *any, int *fd)
{
	const struct orch_gate *m = &any->gate;
	struct orch_gate_answer no = { .result = RES_FENCED,
	    .verdict = GATE_ERROR, .reason = "not the lease's epoch" };
	struct orch_gate_answer fresh = { .result = RES_OK };
	struct orch_gate_answer unasked = { .result = RES_REFUSED,
	    .verdict = GATE_ERROR, .reason = "no intent to build is on "
	    "record" };
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
	if (strcmp(m->gate, IMAGE_FRESH) == 0) {
		if (image_fresh(&t, m->commit, &fresh) == -1)
			return (-1);
		pass_send(p->p_id, ORCH_gate_answer, id, &fresh, -1);
		return (0);
	}
	if (gate_on_record(p, id, &t, m))
		return (0);
	if (m->look != LOOK_NO)
		return (gate_look(p, id, &r, &t, m));
	if (strcmp(m->gate, IMAGE_BUILD) == 0 &&
	    !image_intended(&t, m->commit, m->epoch)) {
		pass_send(p->p_id, ORCH_gate_answer, id, &unasked, -1);
		return (0);
	}
	if ((skipped = retest_skipped(p, id, &t, m)) != 0)
		return (skipped == 1 ? 0 : -1);
	/* Nothing heavy is begun for a task that is to be cancelled. */
	if (t.t_cancel_at != 0) {
		pass_send(p->p_id, ORCH_gate_answer, id, &stopped, -1);
		return (0);
	}
	if (waiter_add(p, id, m) == -1 || store_run(eng.e_store,
	    Q_LEASE_GATE, "sii", m->gate, eng_now(), r.r_id) != STORE_OK)
		return (-1);
	if (store_run(eng.e_store, Q_GATE_ADOPT, "iiss", r.r_id, t.t_id,
	    m->gate, m->commit) != STORE_OK)
		return (-1);
	if (store_int(eng.e_store, 0, Q_GATE_ASKED, "iss", r.r_id, m->gate,
	    m->commit) > 0)
		return (0);
	js.js_task = &t;
	if (strcmp(m->gate, MERGEABLE) == 0)
		store_count(eng.e_store, "retest", 1);
	return (job_add(&js, NULL) == STORE_OK ? queue_kick() : -1);
}
