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

#include <bsd/string.h>

#include "libcommon/log.h"
#include "engine.h"
#include "lease.h"
#include "pass.h"
#include "work.h"

/* The journal of irreversible effects. */

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

	if ((f = work_fenced(p, id, m->epoch, &r, &t)) != 0)
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
