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

#include "engine.h"
#include "lease.h"
#include "pass.h"
#include "work.h"

/* The start of a deploy: a row before the hook runs. */

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

	if ((f = work_fenced(p, id, m->epoch, &r, &t)) != 0)
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
