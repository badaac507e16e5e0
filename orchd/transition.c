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
#include "libcommon/mutant.h"
#include "engine.h"
#include "notice.h"
#include "task.h"
#include "tell.h"

/*
 * The commit path.  Everything that a move changes is in the pass of the
 * caller: the compare-and-swap comes first, and where it changes no row
 * nothing else is written.
 */

static int
role_is_due(const struct conf_project *cp, enum stage to)
{
	const char *role = stage_rules[to].sr_role;

	if (role[0] == '\0')
		return (0);
	/* A project that is away may come back: then its agent is due. */
	if (cp == NULL)
		return (1);
	return (conf_agent_for(eng.e_conf, cp, conf_role_lookup(role)) !=
	    NULL);
}

/*
 * A round after a merge has its own branch: what was landed stays as
 * it is, the work starts again from the target.
 */
static enum store_res
leave_merged_branch(const struct task *t)
{
	if (t->t_landed[0] == '\0')
		return (STORE_OK);
	return (store_run_one(eng.e_store, Q_TASK_NEW_BRANCH, "i", t->t_id));
}

static enum store_res
write_history(const struct transition *tr, const struct task *t,
    int64_t epoch)
{
	log_info("task %s: %s -> %s, reason: %s (%s, epoch %lld)", t->t_key,
	    stage_name(tr->tr_from), stage_name(tr->tr_to), tr->tr_reason,
	    tr->tr_actor.ac_name, (long long)epoch);
	return (store_run(eng.e_store, Q_TRANSITION_ADD, "iisssisi", t->t_id,
	    tr->tr_seq + 1, stage_name(tr->tr_from), stage_name(tr->tr_to),
	    tr->tr_actor.ac_name, epoch, tr->tr_reason, eng_now()));
}

enum store_res
transition_commit(const struct transition *tr)
{
	struct task t;
	enum store_res res;
	int64_t epoch, rework;
	int due;

	if (!stage_edge_allowed(tr->tr_from, tr->tr_to)) {
		log_warnx("task row %lld: no edge from %s to %s",
		    (long long)tr->tr_task, stage_name(tr->tr_from),
		    stage_name(tr->tr_to));
		return (STORE_FAIL);
	}
	if ((res = task_get(tr->tr_task, &t)) != STORE_OK)
		return (res);
	due = role_is_due(eng_project(t.t_project), tr->tr_to);
	epoch = tr->tr_actor.ac_epoch != 0 && !MUTANT(NO_EPOCH) ?
	    tr->tr_actor.ac_epoch : t.t_epoch + 1;
	rework = tr->tr_by_person ? 0 : t.t_rework + tr->tr_backward;
	res = store_run_one(eng.e_store, Q_TASK_MOVE, "siiiiisisi",
	    stage_name(tr->tr_to), eng_now(), (int64_t)tr->tr_backward,
	    rework, epoch, (int64_t)due, tr->tr_feedback,
	    tr->tr_task, stage_name(MUTANT(NO_STAGE_CAS) ? t.t_stage :
	    tr->tr_from), MUTANT(NO_STAGE_CAS) ? t.t_seq : tr->tr_seq);
	if (res != STORE_OK)
		return (res);
	/* Whatever kept it in its stage is over. */
	if ((t.t_parked[0] != '\0' &&
	    (res = alert_clear("parked", t.t_key)) != STORE_OK) ||
	    (res = alert_clear("ceiling", t.t_key)) != STORE_OK)
		return (res);
	if (tr->tr_backward &&
	    (res = leave_merged_branch(&t)) != STORE_OK)
		return (res);
	if ((res = write_history(tr, &t, epoch)) != STORE_OK ||
	    (res = tell_move(tr, &t)) != STORE_OK)
		return (res);
	return (STORE_OK);
}
