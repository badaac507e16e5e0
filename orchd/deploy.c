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
#include "daemons.h"
#include "deploy.h"
#include "engine.h"
#include "hookstate.h"
#include "lease.h"
#include "notice.h"
#include "pass.h"
#include "rollback.h"
#include "work.h"

/* A deploy: its start, a row before the hook runs, and its end. */

#define LIST_MAX	256

/*
 * NULL, or why not: a person may have thought better of it since the worker
 * was queued, or a rollback was first.
 */
static const char *
deploy_refused(const struct task *t)
{
	char active[256];
	struct facts f;

	if (task_facts(t, &f, active, sizeof(active)) == -1)
		return ("nobody can tell now whether it may be");
	switch (f.f_deploy) {
	case DEPLOY_STARTED:
	case DEPLOY_DOUBT:
	case DEPLOY_ENDED:
		return (NULL);	/* the start record answers */
	case DEPLOY_LANE_BUSY:
		return ("another deploy of the project is under way");
	case DEPLOY_FROZEN:
		return (f.f_deploy_why);
	case DEPLOY_NONE:
		break;
	}
	return (!f.f_confirm_refused && t->t_cancel_at == 0 &&
	    (!f.f_confirm_needed || f.f_confirmed) ? NULL :
	    "nobody confirms this deploy any more");
}

int
deploy_waits(const struct task *t)
{
	char active[256];
	struct facts f;

	if (task_facts(t, &f, active, sizeof(active)) == -1)
		return (-1);
	return (f.f_deploy == DEPLOY_LANE_BUSY || f.f_deploy == DEPLOY_FROZEN);
}

/* NULL, or why the hook of this work is not to be started. */
static const char *
start_refused(const struct run *r, const struct task *t,
    const struct orch_hook_start *m)
{
	if (strcmp(r->r_work, "rollback") == 0)
		return (rollback_refused(t, m->revision, m->previous));
	if (strcmp(r->r_work, "deploy") != 0 || t->t_stage != STAGE_DEPLOY ||
	    strcmp(m->revision, t->t_landed) != 0)
		return ("what is deployed is the landed commit");
	return (deploy_refused(t));
}

/*
 * What production serves when a deploy begins, and what a rollback of it goes
 * back to: what was last deployed, or rolled back to, with success.  Only for
 * the first deploy that is what the target was before.
 */
static int
note_serving(const struct task *t, const char *target, char previous[ID_HEX])
{
	sqlite3_stmt *q;

	strlcpy(previous, target, ID_HEX);
	q = store_bind(eng.e_store, Q_SERVING, "s", t->t_project);
	if (store_step(eng.e_store, q) == STORE_OK)
		strlcpy(previous, col_text(q, 0), ID_HEX);
	sqlite3_reset(q);
	return (store_run_one(eng.e_store, Q_TASK_PREVIOUS, "si", previous,
	    t->t_id) == STORE_OK ? 0 : -1);
}

/* One row a key, and its job: gate says which hook (orchd/parent_spec.c). */
static int
start_store(const struct run *r, const struct task *t,
    const struct orch_hook_start *m)
{
	int back = strcmp(r->r_work, "rollback") == 0;
	struct job_spec js = { .js_task = t, .js_kind = KIND_HOOK,
	    .js_gate = back ? "rollback" : "", .js_commit = m->revision };
	char args[192], previous[ID_HEX];
	int64_t job;

	strlcpy(previous, m->previous, sizeof(previous));
	if (!back && note_serving(t, m->previous, previous) == -1)
		return (-1);
	snprintf(args, sizeof(args), "revision=%s tree=%s previous=%s",
	    m->revision, m->tree, previous);
	js.js_args = args;
	return (job_add(&js, &job) == STORE_OK && store_run(eng.e_store,
	    Q_DEPLOY_ADD, "isisisssis", t->t_id, t->t_project, t->t_seq,
	    m->key, job, m->revision, m->tree, previous, eng_now(),
	    back ? "rollback" : "deploy") == STORE_OK ? queue_kick() : -1);
}

/* The start is on record before the hook runs: one row a key. */
int
on_hook_start(struct peer *p, uint32_t id, const union orch_any *any,
    int *fd)
{
	const struct orch_hook_start *m = &any->hook_start;
	struct orch_ack ack = { RES_OK, "" };
	const char *why;
	struct run r;
	struct task t;
	int f;

	if ((f = work_fenced(p, id, m->epoch, &r, &t)) != 0)
		return (f == 1 ? 0 : -1);
	if ((why = start_refused(&r, &t, m)) != NULL) {
		ack.result = RES_REFUSED;
		ack.text = why;
	} else if (store_int(eng.e_store, 0, Q_DEPLOY_KEY, "si", m->key,
	    t.t_id) > 0) {
		ack.result = RES_DUPLICATE;
		ack.text = "its start is on record";
	} else if (start_store(&r, &t, m) == -1)
		return (-1);
	pass_send(p->p_id, ORCH_ack, id, &ack, -1);
	return (0);
}

/* A deploy without a recorded end. */
struct open_deploy {
	int64_t	od_id;
	int64_t	od_run;
	int64_t	od_task;
	int64_t	od_seq;
	int64_t	od_started;
	int64_t	od_doubt;	/* since then; 0: none */
	char	od_key[257];
};

static size_t
open_deploys(struct open_deploy *od, size_t most)
{
	sqlite3_stmt *q;
	size_t n = 0;

	q = store_bind(eng.e_store, Q_DEPLOYS_OPEN, "");
	while (n < most && store_step(eng.e_store, q) == STORE_OK) {
		od[n].od_id = col_int(q, 0);
		od[n].od_run = col_int(q, 1);
		od[n].od_task = col_int(q, 2);
		od[n].od_seq = col_int(q, 3);
		od[n].od_started = col_int(q, 4);
		od[n].od_doubt = col_int(q, 5);
		strlcpy(od[n].od_key, col_text(q, 6), sizeof(od[n].od_key));
		n++;
	}
	sqlite3_reset(q);
	return (n);
}

/*
 * Nobody can prove its hook dead: said at once, and once.  The effect is one
 * that only a person can tell the end of.
 */
static int
deploy_doubt(const struct open_deploy *od, const struct task *t)
{
	if (store_run_one(eng.e_store, Q_DEPLOY_DOUBT, "ii", eng_now(),
	    od->od_id) != STORE_OK || store_run(eng.e_store, Q_EFFECT_BLIND,
	    "si", od->od_key, t->t_id) != STORE_OK)
		return (-1);
	if (alert_raise("effect_blind", t->t_key, "the wrapper of its hook "
	    "(run %lld) was killed before it wrote down who the hook is: "
	    "nobody can tell whether the hook still acts. Look at the "
	    "service, then orchctl effect settle %s %s done|failed -r REASON",
	    (long long)od->od_run, t->t_key, od->od_key) != STORE_OK)
		return (-1);
	return (task_drive(t->t_id));
}

static int
deploy_row(struct peer *p, uint32_t id, const struct open_deploy *od)
{
	struct orch_deploy_row row;
	char path[1024];
	struct task t;

	if (od->od_run == 0)
		return (0);
	if (task_get(od->od_task, &t) != STORE_OK)
		return (-1);
	if (od->od_doubt == 0 && hook_in_doubt(od->od_run) &&
	    deploy_doubt(od, &t) == -1)
		return (-1);
	snprintf(path, sizeof(path), "%s/result/%lld", eng.e_conf->cf_state,
	    (long long)od->od_run);
	memset(&row, 0, sizeof(row));
	row.run = (uint64_t)od->od_run;
	row.task = t.t_key;
	row.seq = (uint64_t)od->od_seq;
	row.result_file = path;
	row.age_s = (uint64_t)((eng_now() - od->od_started) / 1000);
	row.hook_state = hook_is_over(od->od_run) != 0;
	pass_send(p->p_id, ORCH_deploy_row, id, &row, -1);
	return (0);
}

int
on_deploy_list(struct peer *p, uint32_t id, const union orch_any *any,
    int *fd)
{
	static struct open_deploy od[LIST_MAX];
	struct orch_deploy_row end = { .last = 1 };
	size_t i, n, most = any->deploy_list.most;

	n = open_deploys(od, most < LIST_MAX ? most : LIST_MAX);
	for (i = 0; i < n; i++)
		if (deploy_row(p, id, &od[i]) == -1)
			return (-1);
	pass_send(p->p_id, ORCH_deploy_row, id, &end, -1);
	return (0);
}

int
deploy_ended(int64_t task, int code)
{
	struct task t;

	if (task_get(task, &t) != STORE_OK ||
	    alert_clear("effect_blind", t.t_key) != STORE_OK)
		return (-1);
	if (t.t_stage == STAGE_DONE)
		return (rollback_ended(&t, code) == -1 ||
		    task_drive(task) == -1 ? -1 : queue_kick());
	if ((code == 2 && alert_raise("deploy", "rollback", "the deploy "
	    "failed and so did its rollback: look at production now") !=
	    STORE_OK))
		return (-1);
	/* The deploy lane is free. */
	if (task_drive(task) == -1 || task_get(task, &t) != STORE_OK ||
	    tasks_let_in(&t) == -1)
		return (-1);
	return (queue_kick());
}

/*
 * The end of a deploy: the row is written once.  255 stands for "proven dead
 * without a result"; it is believed only when the engine sees it so as well.
 */
int
on_deploy_result(struct peer *p, uint32_t id, const union orch_any *any,
    int *fd)
{
	const struct orch_deploy_result *m = &any->deploy_result;
	struct orch_ack ack = { RES_OK, "" };
	enum store_res res;
	int64_t task;

	task = store_int(eng.e_store, 0, Q_DEPLOY_RUN_TASK, "i",
	    (int64_t)m->run);
	if (task == 0 || m->code < 0 || m->code > 255) {
		ack.result = RES_STALE;
		ack.text = "no open deploy of that run";
	} else if (m->code == 255 && !hook_is_over((int64_t)m->run)) {
		ack.result = RES_DENIED;
		ack.text = "the hook may still act";
	} else {
		res = store_run_one(eng.e_store, Q_DEPLOY_END, "isii",
		    (int64_t)m->code, m->evidence, eng_now(),
		    (int64_t)m->run);
		if (res == STORE_STALE) {
			ack.result = RES_STALE;
			ack.text = "it has ended already";
		} else if (res != STORE_OK || deploy_ended(task, m->code) ==
		    -1)
			return (-1);
	}
	pass_send(p->p_id, ORCH_ack, id, &ack, -1);
	return (0);
}
