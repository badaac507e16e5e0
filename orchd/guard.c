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
#include "guard.h"
#include "landing.h"
#include "verdicts.h"

/* The pull request of the task's branch, here or seen at its forge. */
struct pull_fact {
	int64_t	pf_number;
	int	pf_merged;
	int	pf_closed;
	char	pf_landed[ID_HEX];
};

static void
pull_of(const struct task *t, struct pull_fact *pf)
{
	sqlite3_stmt *q;

	memset(pf, 0, sizeof(*pf));
	if (t->t_branch[0] == '\0')
		return;
	/* One elsewhere is as it was seen there last, by whomever. */
	q = store_bind(eng.e_store, Q_PULL_SEEN, "ss", t->t_project,
	    t->t_branch);
	if (store_step(eng.e_store, q) == STORE_OK) {
		pf->pf_number = col_int(q, 0);
		pf->pf_merged = col_int(q, 1) == PULL_IS_MERGED;
		pf->pf_closed = col_int(q, 1) == PULL_IS_CLOSED;
		strlcpy(pf->pf_landed, col_text(q, 2),
		    sizeof(pf->pf_landed));
	}
	sqlite3_reset(q);
	if (pf->pf_number != 0)
		return;
	q = store_bind(eng.e_store, Q_PULL_LAST, "is", t->t_id, t->t_branch);
	if (store_step(eng.e_store, q) == STORE_OK) {
		pf->pf_number = col_int(q, 0);
		pf->pf_merged = strcmp(col_text(q, 1), "merged") == 0;
		pf->pf_closed = strcmp(col_text(q, 1), "closed") == 0;
		strlcpy(pf->pf_landed, col_text(q, 2),
		    sizeof(pf->pf_landed));
	}
	sqlite3_reset(q);
}

/* What works on the branch; the rest looks at it, or ends it. */
static int
works_on_branch(const struct guard_ask *a)
{
	switch (a->ga_kind) {
	case KIND_AGENT:
		return (1);
	case KIND_GATE:
		return (a->ga_for_run == 0);
	case KIND_TRANSITION:
		return (strcmp(a->ga_work, "publish") == 0 ||
		    strcmp(a->ga_work, "edge") == 0);
	default:
		return (0);
	}
}

/*
 * A closed request ends the rounds of its branch.  A merged one too,
 * but for the edge: its worker finds the merge in the target and adopts it.
 * Where the forge makes the commit that lands, it never is the one merged.
 */
static enum guard_answer
guard_pull(const struct task *t, const struct guard_ask *a, char *why,
    size_t len)
{
	int edge = strcmp(a->ga_work, "edge") == 0;
	struct pull_fact pf;

	pull_of(t, &pf);
	if (pf.pf_closed) {
		snprintf(why, len, "pull request %lld of %s is closed, which "
		    "ends the rounds of that branch: open it again at the "
		    "forge, and the task goes on by itself (orchctl cancel "
		    "%s ends it)", (long long)pf.pf_number, t->t_branch,
		    t->t_key);
		return (GUARD_ENDED);
	}
	if (!pf.pf_merged)
		return (GUARD_GO);
	if (!edge && t->t_stage == STAGE_DEPLOY_STAGING &&
	    a->ga_kind == KIND_AGENT) {
		snprintf(why, len, "pull request %lld is merged: the merge is "
		    "looked at next", (long long)pf.pf_number);
		return (GUARD_DONE);
	}
	if (!edge) {
		snprintf(why, len, "pull request %lld of %s is merged, which "
		    "ends the rounds of that branch, and the task has not "
		    "passed its gates: orchctl cancel %s ends it and leaves "
		    "the merge", (long long)pf.pf_number, t->t_branch,
		    t->t_key);
		return (GUARD_ENDED);
	}
	if (a->ga_effect == NULL || strcmp(a->ga_effect, "merge") != 0 ||
	    landing_is_made_there(t) || pf.pf_landed[0] == '\0' ||
	    strcmp(pf.pf_landed, a->ga_key + strlen(a->ga_key) -
	    strlen(pf.pf_landed)) == 0)
		return (GUARD_GO);
	snprintf(why, len, "pull request %lld is merged as %.12s already",
	    (long long)pf.pf_number, pf.pf_landed);
	return (GUARD_ENDED);
}

/* The role has handed in its work on this head, or owed none. */
static enum guard_answer
guard_agent(const struct task *t, const struct guard_ask *a, char *why,
    size_t len)
{
	int64_t run;

	run = store_int(eng.e_store, 0, Q_AGENT_FINISHED, "iiss", t->t_id,
	    t->t_seq, a->ga_role, t->t_head);
	if (run == 0)
		return (GUARD_GO);
	snprintf(why, len, "run %lld of %s has done this", (long long)run,
	    a->ga_role);
	return (GUARD_DONE);
}

/* An error is no result: what could not run is run again. */
static enum guard_answer
guard_gate(const struct task *t, const struct guard_ask *a, char *why,
    size_t len)
{
	enum guard_answer res = GUARD_GO;
	sqlite3_stmt *q;

	if (a->ga_for_run != 0 || (q = verdict_valid(t, a->ga_gate)) == NULL)
		return (GUARD_GO);
	if (strcmp(col_text(q, 0), "pass") == 0 ||
	    strcmp(col_text(q, 0), "fail") == 0) {
		snprintf(why, len, "%s: %s is on record", a->ga_gate,
		    col_text(q, 0));
		res = GUARD_DONE;
	}
	sqlite3_reset(q);
	return (res);
}

static enum guard_answer
guard_record(const struct task *t, const struct guard_ask *a, char *why,
    size_t len)
{
	switch (a->ga_kind) {
	case KIND_AGENT:
		return (guard_agent(t, a, why, len));
	case KIND_GATE:
		return (guard_gate(t, a, why, len));
	case KIND_MONITOR:
		if (store_int(eng.e_store, 0, Q_RECORD_EXISTS, "iis",
		    t->t_id, t->t_round, "16-post-deploy-log.md") == 0)
			return (GUARD_GO);
		snprintf(why, len, "16-post-deploy-log.md is on record");
		return (GUARD_DONE);
	case KIND_TRANSITION:
		if (strcmp(a->ga_work, "publish") != 0 ||
		    strcmp(t->t_published, t->t_head) != 0)
			return (GUARD_GO);
		snprintf(why, len, "%.12s is published", t->t_head);
		return (GUARD_DONE);
	default:
		return (GUARD_GO);
	}
}

enum guard_answer
duplicate_guard(const struct task *t, const struct guard_ask *a, char *why,
    size_t len)
{
	enum guard_answer res = GUARD_GO;

	if (works_on_branch(a))
		res = guard_pull(t, a, why, len);
	/* An effect's own record is its row in the journal. */
	if (res == GUARD_GO && a->ga_effect == NULL)
		res = guard_record(t, a, why, len);
	return (res);
}

int
guard_job(const struct job *j, const struct task *t)
{
	struct guard_ask a = { .ga_kind = j->j_kind,
	    .ga_for_run = j->j_for_run, .ga_role = j->j_role,
	    .ga_gate = j->j_gate, .ga_work = j->j_work };
	enum guard_answer res;
	enum store_res ended;
	char why[512] = "";

	if ((res = duplicate_guard(t, &a, why, sizeof(why))) == GUARD_GO)
		return (0);
	log_info("task %s: %s %s%s%s not started: %s", t->t_key,
	    orch_kind_name(j->j_kind), j->j_role, j->j_gate, j->j_work, why);
	ended = store_run_one(eng.e_store, Q_JOB_CANCEL, "isi", eng_now(),
	    why, j->j_id);
	if (ended != STORE_OK)
		return (ended == STORE_STALE ? 1 : -1);
	if (res == GUARD_ENDED && task_park(t, "needs_input", why) !=
	    STORE_OK)
		return (-1);
	if (res == GUARD_DONE && j->j_kind == KIND_AGENT &&
	    store_run_one(eng.e_store, Q_TASK_AGENT_DONE, "ii", t->t_id,
	    t->t_seq) != STORE_OK)
		return (-1);
	return (task_drive(t->t_id) == -1 ? -1 : 1);
}

const char *
guard_effect(const struct task *t, const struct run *r,
    const struct orch_effect *m)
{
	static char why[512];
	struct guard_ask a = { .ga_kind = r->r_kind, .ga_role = r->r_role,
	    .ga_gate = r->r_gate, .ga_work = r->r_work,
	    .ga_effect = m->name, .ga_key = m->key };

	return (duplicate_guard(t, &a, why, sizeof(why)) == GUARD_GO ? NULL :
	    why);
}
