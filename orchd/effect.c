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
#include "proto/effects.h"
#include "engine.h"
#include "guard.h"
#include "lease.h"
#include "notice.h"
#include "pass.h"
#include "verdicts.h"
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

/* What the journal has under the key of an intent. */
struct entry {
	int			en_found;
	enum orch_effect_state	en_state;
	enum orch_class		en_class;
	int64_t			en_epoch;
	char			en_name[33];
	char			en_evidence[1025];
};

static void
entry_read(const char *key, const struct task *t, struct entry *en)
{
	sqlite3_stmt *q;

	memset(en, 0, sizeof(*en));
	q = store_bind(eng.e_store, Q_EFFECT_GET, "si", key, t->t_id);
	if (store_step(eng.e_store, q) == STORE_OK) {
		en->en_found = 1;
		en->en_state = effect_state(col_text(q, 0));
		strlcpy(en->en_evidence, col_text(q, 1),
		    sizeof(en->en_evidence));
		en->en_class = (enum orch_class)col_int(q, 2);
		en->en_epoch = col_int(q, 3);
		strlcpy(en->en_name, col_text(q, 4), sizeof(en->en_name));
	}
	sqlite3_reset(q);
}

/* An intent of somebody who came before and did not say how it ended. */
static int
is_blind(const struct entry *en, uint64_t epoch)
{
	return (en->en_found && en->en_state == EFFECT_INTENT &&
	    en->en_class == CLASS_BLIND && en->en_epoch != (int64_t)epoch);
}

/*
 * Nobody can tell whether it was done, so nobody does it again: the task is
 * parked until a person has looked.
 */
static int
effect_blind(const struct task *t, const struct orch_effect *m)
{
	char why[1024];

	snprintf(why, sizeof(why), "%s (%s) was begun and nobody can tell "
	    "whether it was done: look at what it acts on, then orchctl "
	    "effect settle %s %s done|failed|retry -r REASON", m->name,
	    m->key, t->t_key, m->key);
	if (strcmp(t->t_parked, "blocked") != 0 &&
	    task_park(t, "blocked", why) != STORE_OK)
		return (-1);
	return (alert_raise("effect_blind", t->t_key, "%s", why) == STORE_OK ?
	    0 : -1);
}

/*
 * One merge a round, and of a commit whose re-test is on record: a worker that
 * skipped its gate is stopped before it lands, not found out after.  So is one
 * that was started on an approval which somebody has withdrawn since.
 */
static const char *
merge_refused(const char *key, const struct task *t, const struct entry *en)
{
	const struct conf_project *cp = eng_project(t->t_project);
	const char *commit = strrchr(key, ':');
	static char why[256];

	if (store_int(eng.e_store, 0, Q_MERGE_OTHER, "is", t->t_id, key) > 0)
		return ("another merge of this round is on record: look at "
		    "orchctl show");
	if (commit == NULL || store_int(eng.e_store, 0, Q_RETEST_PASSED,
	    "iis", t->t_id, t->t_round, commit + 1) == 0)
		return ("no pass of check_branch_mergeable is on record for "
		    "that commit");
	/* One that was begun is looked at: it may have landed. */
	if ((en->en_found && en->en_state == EFFECT_INTENT) || cp == NULL)
		return (NULL);
	verdict_withdrawn(t, why, sizeof(why));
	return (why[0] != '\0' && verdict_missing(t, cp) != NULL ? why :
	    NULL);
}

/* Why this intent is refused, by itself; NULL: it is not. */
static const char *
intent_refused(const struct orch_effect *m, const struct run *r,
    const struct task *t, const struct entry *en)
{
	const struct orch_effect_kind *ek = orch_effect_find(m->name);
	const char *why;

	if (ek == NULL)
		return ("there is no effect of that name");
	if (m->class != ek->ek_class)
		return ("an effect of that name has another class");
	if (en->en_found && strcmp(en->en_name, m->name) != 0)
		return ("the key is another effect's");
	if (en->en_state == EFFECT_DONE)
		return (NULL);
	/* Between effects a cancel is heard. */
	if (t->t_cancel_at != 0 && !en->en_found &&
	    strcmp(r->r_work, "close") != 0)
		return ("the task is to be cancelled");
	if ((why = guard_effect(t, r, m)) != NULL)
		return (why);
	return (strcmp(m->name, "merge") == 0 ? merge_refused(m->key, t, en) :
	    NULL);
}

/* Put the intent on record; what it answers is in a->state. */
static enum store_res
intent_store(const struct orch_effect *m, const struct task *t,
    const struct entry *en, struct orch_effect_answer *a)
{
	/* An attempt without an end, or none that counts. */
	a->state = en->en_state == EFFECT_INTENT ? EFFECT_INTENT :
	    EFFECT_NONE;
	if (en->en_state == EFFECT_DONE) {
		a->state = EFFECT_DONE;
		return (STORE_OK);
	}
	return (store_run_one(eng.e_store, Q_EFFECT_INTENT, "issiii",
	    t->t_id, m->name, m->key, (int64_t)m->class, (int64_t)m->epoch,
	    eng_now()));
}

/*
 * Record the intent, or say what became of an earlier one.  A row that failed
 * or conflicted may be tried again: its intent is renewed under this epoch.
 */
int
on_effect(struct peer *p, uint32_t id, const union orch_any *any, int *fd)
{
	const struct orch_effect *m = &any->effect;
	struct orch_effect_answer a = { .result = RES_OK };
	const char *why;
	enum store_res res;
	struct entry en;
	struct run r;
	struct task t;

	if (run_get((int64_t)p->p_run, &r) != STORE_OK ||
	    task_get(r.r_task, &t) != STORE_OK)
		return (-1);
	if (!lease_held(&r, (int64_t)m->epoch)) {
		effect_refuse(p, id, RES_FENCED, "not the lease's epoch");
		return (0);
	}
	entry_read(m->key, &t, &en);
	if ((why = intent_refused(m, &r, &t, &en)) == NULL &&
	    is_blind(&en, m->epoch)) {
		if (effect_blind(&t, m) == -1)
			return (-1);
		why = "nobody can tell whether it was done: an operator has "
		    "to look";
	}
	if (why == NULL) {
		res = intent_store(m, &t, &en, &a);
		if (res != STORE_OK && res != STORE_STALE)
			return (-1);
		if (res == STORE_STALE)
			why = "the key is another task's";
	}
	if (why != NULL) {
		effect_refuse(p, id, RES_REFUSED, why);
		return (0);
	}
	a.evidence = en.en_evidence;
	a.text = en.en_found ? "on record" : "";
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
