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
#include "libcommon/mutant.h"
#include "engine.h"
#include "lane.h"
#include "lease.h"
#include "notice.h"
#include "pass.h"

/* The lease's row of a task. */
struct held {
	int64_t	h_run;
	int64_t	h_epoch;
	int	h_released;
};

static enum store_res
held_get(int64_t task, struct held *h)
{
	sqlite3_stmt *q = store_bind(eng.e_store, Q_LEASE_GET, "i", task);
	enum store_res res;

	if ((res = store_step(eng.e_store, q)) == STORE_OK) {
		h->h_run = col_int(q, 0);
		h->h_epoch = col_int(q, 1);
		h->h_released = (int)col_int(q, 2);
	}
	sqlite3_reset(q);
	return (res);
}

/*
 * Somebody else's row is in the way: 1 when its owner is proven dead and
 * drained and was taken back, 0 when it counts as alive.
 */
static int
owner_gone(int64_t owner, int released, char *who, size_t wholen)
{
	struct ident id;
	struct run r;
	char why[256];

	if (run_get(owner, &r) != STORE_OK)
		return (-1);
	snprintf(who, wholen, "run %lld (%s, process %s)",
	    (long long)owner, r.r_work, r.r_ident);
	if (r.r_ident[0] == '\0' || ident_parse(r.r_ident, &id) == -1 ||
	    ident_check(&id, eng.e_world, why, sizeof(why)) != IDENT_DEAD)
		return (0);
	return (released ? run_lost_released(&r, why) : run_lost(&r, why));
}

int
lease_owner_gone(int64_t owner, char *who, size_t wholen)
{
	return (owner_gone(owner, 0, who, wholen));
}

/*
 * Without transition leases nobody is refused: who comes takes over with a
 * higher epoch, which fences the other.  Not while an effect is open: its end
 * may still land, and no switch turns that off.  1: taken over.
 */
static int
lease_taken_over(const struct run *r, const struct task *t,
    const struct held *h)
{
	const struct conf_project *cp = eng_project(t->t_project);

	if (cp == NULL || conf_transition_lease_on(eng.e_conf, cp) ||
	    h->h_released || store_int(eng.e_store, 0, Q_EFFECT_OPEN, "i",
	    t->t_id) > 0)
		return (0);
	log_info("task %s: run %lld takes over from run %lld "
	    "(transition_lease_enabled)", t->t_key, (long long)r->r_id,
	    (long long)h->h_run);
	return (lease_end(t->t_id, h->h_epoch) == STORE_OK ? 1 : -1);
}

enum store_res
lease_take(const struct run *r, const struct task *t, int64_t *epoch,
    char *who, size_t wholen)
{
	enum store_res res;
	struct held h;
	int gone;

	if ((res = held_get(t->t_id, &h)) == STORE_OK) {
		if (h.h_run == r->r_id && h.h_released) {
			snprintf(who, wholen, "an operator released the "
			    "lease of this run: it is over");
			return (STORE_EXISTS);
		}
		if (h.h_run == r->r_id) {
			*epoch = h.h_epoch;
			return (STORE_OK);
		}
		gone = MUTANT(NO_LEASE) ? lease_end(t->t_id, h.h_epoch) ==
		    STORE_OK : owner_gone(h.h_run, 0, who, wholen);
		if (gone == 0)
			gone = lease_taken_over(r, t, &h);
		if (gone != 1) {
			store_count(eng.e_store, "lease_refused", 1);
			return (gone == 0 ? STORE_EXISTS : STORE_FAIL);
		}
	} else if (res != STORE_NONE)
		return (res);
	*epoch = t->t_epoch + 1;
	if ((res = lane_take(r, t, *epoch, who, wholen)) != STORE_OK)
		return (res);
	if ((res = store_run_one(eng.e_store, Q_TASK_EPOCH, "iii", *epoch,
	    t->t_id, t->t_epoch)) != STORE_OK ||
	    (res = store_run(eng.e_store, Q_LEASE_ADD, "iiisi", t->t_id,
	    r->r_id, *epoch, r->r_work, eng_now())) != STORE_OK)
		return (res);
	store_count(eng.e_store, "lease_granted", 1);
	return (STORE_OK);
}

enum store_res
lease_end(int64_t task, int64_t epoch)
{
	enum store_res res;
	struct held h;
	struct task t;

	if (MUTANT(NO_EPOCH) && held_get(task, &h) == STORE_OK)
		epoch = h.h_epoch;
	if ((res = store_run_one(eng.e_store, Q_LEASE_END, "ii", task,
	    epoch)) != STORE_OK)
		return (res);
	if ((res = store_run(eng.e_store, Q_LANE_END, "ii", task, epoch)) !=
	    STORE_OK || task_get(task, &t) != STORE_OK)
		return (res);
	if ((res = alert_clear("merge_idle", t.t_key)) == STORE_OK)
		res = alert_clear("lease_orphan", t.t_key);
	return (res);
}

int
lease_reclaim(const struct run *r, const char *why)
{
	struct held h;
	struct task t;
	enum store_res res;

	res = held_get(r->r_task, &h);
	if (res == STORE_NONE || (res == STORE_OK && h.h_run != r->r_id))
		return (0);
	if (res != STORE_OK || task_get(r->r_task, &t) != STORE_OK ||
	    lease_end(r->r_task, h.h_epoch) != STORE_OK)
		return (-1);
	log_info("task %s: lease of run %lld (epoch %lld) taken back: %s",
	    t.t_key, (long long)r->r_id, (long long)h.h_epoch, why);
	store_count(eng.e_store, "lease_reclaimed", 1);
	return (alert_raise("lease_reclaimed", t.t_key, "the owner of its "
	    "lease (run %lld, %s) died: %s. Its work is taken up again from "
	    "the journal", (long long)r->r_id, r->r_work, why) == STORE_OK ?
	    0 : -1);
}

int
lease_held(const struct run *r, int64_t epoch)
{
	struct held h;

	if (held_get(r->r_task, &h) != STORE_OK || h.h_run != r->r_id ||
	    !(MUTANT(NO_EPOCH) || (h.h_epoch == epoch && !h.h_released)))
		return (0);
	/* Whoever speaks under its lease is not idle. */
	(void)store_run(eng.e_store, Q_LEASE_ACTIVE, "ii", eng_now(),
	    r->r_task);
	return (1);
}

int
lease_waits_for_person(const struct run *r)
{
	struct held h;
	struct task t;

	if (conf_bool(eng.e_conf, NULL, OPT_LEASE_RECLAIM_ENABLED) ||
	    held_get(r->r_task, &h) != STORE_OK || h.h_run != r->r_id ||
	    h.h_released || task_get(r->r_task, &t) != STORE_OK)
		return (0);
	if (!alert_is_open("lease_orphan", t.t_key))
		(void)alert_raise("lease_orphan", t.t_key, "run %lld (%s), "
		    "which owns the lease of %s, is dead, and "
		    "lease_reclaim_enabled is no: the task waits until "
		    "somebody says orchctl lease release %s",
		    (long long)r->r_id, r->r_work, t.t_key, t.t_key);
	return (1);
}

int
lease_fence(const struct run *r)
{
	struct held h;
	struct task t;
	int64_t epoch;

	if (held_get(r->r_task, &h) != STORE_OK || h.h_run != r->r_id ||
	    h.h_released)
		return (0);
	if (task_get(r->r_task, &t) != STORE_OK)
		return (-1);
	epoch = t.t_epoch + 1;
	if (store_run_one(eng.e_store, Q_TASK_EPOCH, "iii", epoch, t.t_id,
	    t.t_epoch) != STORE_OK)
		return (-1);
	if (MUTANT(NO_KILL))
		return (lease_end(t.t_id, h.h_epoch) == STORE_OK ? 0 : -1);
	if (store_run_one(eng.e_store, Q_LEASE_RELEASE, "iii", epoch,
	    t.t_id, h.h_epoch) != STORE_OK || store_run(eng.e_store,
	    Q_LANE_RELEASE, "iii", epoch, t.t_id, h.h_epoch) != STORE_OK)
		return (-1);
	store_count(eng.e_store, "lease_forced", 1);
	run_kill(r);
	return (1);
}

enum orch_result
lease_release(const struct task *t, int force, const char *by, char *said,
    size_t len)
{
	struct held h;
	struct run r;
	char who[512];
	int gone;

	if (held_get(t->t_id, &h) != STORE_OK) {
		snprintf(said, len, "%s has no lease: nobody is inside a "
		    "transition of it", t->t_key);
		return (RES_REFUSED);
	}
	if (run_get(h.h_run, &r) != STORE_OK ||
	    (gone = owner_gone(h.h_run, 1, who, sizeof(who))) == -1)
		return (RES_RETRY);
	if (gone == 1) {
		snprintf(said, len, "%s: its owner was dead; the lease is "
		    "taken back", t->t_key);
		return (RES_OK);
	}
	if (!force) {
		snprintf(said, len, "%s: run %lld (%s) owns the lease and is "
		    "alive, or nobody can tell. Nothing was changed; "
		    "orchctl lease release -f %s ends it", t->t_key,
		    (long long)h.h_run, r.r_work, t->t_key);
		return (RES_DENIED);
	}
	/* Of an engine that died the order to kill may have been lost. */
	if (h.h_released)
		run_kill(&r);
	else if (lease_fence(&r) == -1)
		return (RES_RETRY);
	log_info("task %s: lease of run %lld released by %s", t->t_key,
	    (long long)h.h_run, by);
	snprintf(said, len, "%s: run %lld is fenced and is being ended; its "
	    "work is taken up when nothing of it can act", t->t_key,
	    (long long)h.h_run);
	return (RES_OK);
}

int
on_begin(struct peer *p, uint32_t id, const union orch_any *any, int *fd)
{
	const struct orch_begin *m = &any->begin;
	struct orch_grant g = { RES_OK, 0, "" };
	enum store_res res;
	struct run r;
	struct task t;
	int64_t epoch = 0;
	char who[512] = "";

	if (run_get((int64_t)p->p_run, &r) != STORE_OK ||
	    task_get(r.r_task, &t) != STORE_OK)
		return (-1);
	if (r.r_kind != KIND_TRANSITION || !run_is_live(&r)) {
		g.result = RES_REFUSED;
		strlcpy(who, "only a transition that runs takes a lease",
		    sizeof(who));
	} else if (strcmp(m->task, t.t_key) != 0 ||
	    (!MUTANT(NO_STAGE_CAS) && ((int64_t)m->seq != t.t_seq ||
	    stage_lookup(m->stage) != t.t_stage))) {
		g.result = RES_STALE;
		snprintf(who, sizeof(who), "%s is in stage %s, sequence %lld",
		    t.t_key, stage_name(t.t_stage), (long long)t.t_seq);
	} else if ((res = lease_take(&r, &t, &epoch, who, sizeof(who))) ==
	    STORE_EXISTS)
		g.result = RES_DENIED;
	else if (res != STORE_OK)
		return (-1);
	g.epoch = (uint64_t)epoch;
	g.text = who;
	if (g.result != RES_OK)
		log_info("task %s: run %lld does not get the lease: %s",
		    t.t_key, (long long)r.r_id, who);
	pass_send(p->p_id, ORCH_grant, id, &g, -1);
	return (0);
}
