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
#include <string.h>

#include "libcommon/log.h"
#include "daemons.h"
#include "engine.h"
#include "notice.h"
#include "outbox.h"
#include "pass.h"
#include "queue.h"
#include "runs.h"

#define LIST_MAX	256

static void
ack(struct peer *p, uint32_t id, enum orch_result result, const char *text)
{
	struct orch_ack a = { (uint8_t)result, text };

	pass_send(p->p_id, ORCH_ack, id, &a, -1);
}

/* Somebody has set Blocked or Needs Input there, and we nothing since. */
static int
is_blocked_there(const struct task *t, const struct conf_project *cp)
{
	sqlite3_stmt *q;
	int blocked;

	if (!conf_bool(eng.e_conf, cp, OPT_RECONCILE_SKIP_BLOCKED_ENABLED) ||
	    store_int(eng.e_store, 0, Q_ITEM_STATUS_DUE, "i", t->t_id) > 0)
		return (0);
	q = store_bind(eng.e_store, Q_ITEM_SHOWS, "i", t->t_id);
	blocked = store_step(eng.e_store, q) == STORE_OK &&
	    (strcmp(col_text(q, 0), conf_status_name(cp,
	    CONF_STATUS_BLOCKED)) == 0 || strcmp(col_text(q, 0),
	    conf_status_name(cp, CONF_STATUS_NEEDS_INPUT)) == 0);
	sqlite3_reset(q);
	return (blocked);
}

/* Never what a person is to decide, nor what is parked. */
static int
may_drift(const struct task *t)
{
	const struct conf_project *cp = eng_project(t->t_project);

	return (cp != NULL && t->t_parked[0] == '\0' &&
	    t->t_stage != STAGE_ANALYSIS && t->t_stage != STAGE_CREATED &&
	    !stage_is_terminal(t->t_stage) && !is_blocked_there(t, cp));
}

/* What stood still goes on, and nothing that a person did: say so. */
static int
advanced(const struct task *t, const struct orch_advance *m)
{
	char key[160], text[700];

	store_count(eng.e_store, "reconcile_advanced", 1);
	if (!conf_bool(eng.e_conf, eng_project(t->t_project),
	    OPT_RECONCILE_NOTIFY_UNBLOCK))
		return (0);
	snprintf(key, sizeof(key), "unblock:%s:%lld", t->t_key,
	    (long long)t->t_seq);
	snprintf(text, sizeof(text), "It stood still in %s and goes on now. "
	    "%s", stage_name(t->t_stage), m->reason);
	return (outbox_add("tracker", t, "comment", key, text) == STORE_OK ?
	    0 : -1);
}

/*
 * "This has drifted": the engine looks at the task itself.  The sender names
 * the stage that it saw, so that a late message moves nothing.
 */
int
on_advance(struct peer *p, uint32_t id, const union orch_any *any, int *fd)
{
	const struct orch_advance *m = &any->advance;
	struct task before, after;
	char who[128];
	sqlite3_stmt *q;
	int busy;

	if (task_by_key(m->task, &before) != STORE_OK ||
	    (int64_t)m->seq != before.t_seq ||
	    stage_lookup(m->stage) != before.t_stage) {
		ack(p, id, RES_STALE, "the stage has moved");
		return (0);
	}
	q = store_bind(eng.e_store, Q_LEASE_GET, "i", before.t_id);
	if (store_step(eng.e_store, q) == STORE_OK) {
		snprintf(who, sizeof(who), "run %lld owns its lease",
		    (long long)col_int(q, 0));
		sqlite3_reset(q);
		ack(p, id, RES_DENIED, who);
		return (0);
	}
	if (p->p_role == ROLE_RECONCILED && !may_drift(&before)) {
		store_count(eng.e_store, "reconcile_skipped", 1);
		ack(p, id, RES_REFUSED, "it waits for a person");
		return (0);
	}
	if (task_drive(before.t_id) == -1 || queue_kick() == -1 ||
	    task_get(before.t_id, &after) != STORE_OK)
		return (-1);
	if (after.t_seq != before.t_seq) {
		if (advanced(&before, m) == -1)
			return (-1);
		log_info("task %s: moved by %s: %s", m->task,
		    orch_role_name(p->p_role), m->reason);
		ack(p, id, RES_OK, "");
		return (0);
	}
	store_count(eng.e_store, "reconcile_skipped", 1);
	q = store_bind(eng.e_store, Q_JOB_ACTIVE, "i", after.t_id);
	busy = store_step(eng.e_store, q) == STORE_OK;
	sqlite3_reset(q);
	ack(p, id, busy ? RES_OK : RES_DUPLICATE, busy ? "" : after.t_why);
	return (0);
}

static int
is_candidate(const struct task *t)
{
	return (may_drift(t) && eng_now() - t->t_since >= 1000 *
	    conf_grace_s(eng.e_conf, eng_project(t->t_project),
	    stage_name(t->t_stage)));
}

int
on_candidates(struct peer *p, uint32_t id, const union orch_any *any,
    int *fd)
{
	struct orch_candidate c = { .last = 1 };
	int64_t ids[LIST_MAX];
	struct task t;
	sqlite3_stmt *q;
	size_t i, n = 0;

	q = store_bind(eng.e_store, Q_TASKS_IDLE, "");
	while (n < LIST_MAX && n < any->candidates.most &&
	    store_step(eng.e_store, q) == STORE_OK)
		ids[n++] = col_int(q, 0);
	sqlite3_reset(q);
	for (i = 0; i < n; i++) {
		if (task_get(ids[i], &t) != STORE_OK || !is_candidate(&t))
			continue;
		struct orch_candidate one = { 0, t.t_key,
		    stage_name(t.t_stage), (uint64_t)t.t_seq,
		    (uint64_t)((eng_now() - t.t_since) / 1000) };
		pass_send(p->p_id, ORCH_candidate, id, &one, -1);
	}
	pass_send(p->p_id, ORCH_candidate, id, &c, -1);
	return (store_run(eng.e_store, Q_SETTING, "ss", "reconcile_last_run",
	    "") == STORE_OK ? 0 : -1);
}

/* The local tracker: a status is idempotent, a comment has its key. */
int
on_item(struct peer *p, uint32_t id, const union orch_any *any, int *fd)
{
	const struct orch_item *m = &any->item;
	enum store_res res;
	struct task t;

	if (task_by_key(m->task, &t) != STORE_OK) {
		ack(p, id, RES_NOTFOUND, "no such item");
		return (0);
	}
	if (strcmp(m->kind, "status") == 0)
		res = store_run(eng.e_store, Q_ITEM_STATUS, "isi", t.t_id,
		    m->text, eng_now());
	else if (strcmp(m->kind, "comment") == 0)
		res = store_run(eng.e_store, Q_ITEM_COMMENT, "isssi", t.t_id,
		    m->key, "orchd", m->text, eng_now());
	else {
		ack(p, id, RES_REFUSED, "no such kind of message");
		return (0);
	}
	if (res != STORE_OK)
		return (-1);
	ack(p, id, RES_OK, "");
	return (0);
}

int
on_notice(struct peer *p, uint32_t id, const union orch_any *any, int *fd)
{
	const struct orch_notice *m = &any->notice;
	enum store_res res;

	res = m->on ? alert_raise(m->kind, m->subject, "%s", m->text) :
	    alert_clear(m->kind, m->subject);
	if (res != STORE_OK)
		return (-1);
	ack(p, id, RES_OK, "");
	return (0);
}
