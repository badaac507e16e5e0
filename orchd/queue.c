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

#include <stdlib.h>
#include <string.h>

#include <bsd/stdlib.h>
#include <bsd/string.h>

#include "libcommon/log.h"
#include "engine.h"
#include "guard.h"
#include "landing.h"
#include "notice.h"
#include "pass.h"
#include "queue.h"
#include "runs.h"
#include "tell.h"

/* Until a job that could not be started is tried again. */
#define TROUBLE_MS	30000

enum store_res
job_add(const struct job_spec *js, int64_t *id)
{
	enum store_res res;
	int64_t now = eng_now();

	res = store_run(eng.e_store, Q_JOB_ADD, "isssssiiiisis",
	    js->js_task->t_id, js->js_task->t_project,
	    orch_kind_name(js->js_kind), js->js_role, js->js_gate,
	    js->js_work, js->js_task->t_priority, now + js->js_delay_ms, now,
	    js->js_task->t_seq, js->js_commit, js->js_for_run, js->js_args);
	if (res == STORE_OK && id != NULL)
		*id = store_last_id(eng.e_store);
	return (res);
}

static void
job_fill(struct job *j, sqlite3_stmt *q)
{
	j->j_id = col_int(q, 0);
	j->j_task = col_int(q, 1);
	strlcpy(j->j_project, col_text(q, 2), sizeof(j->j_project));
	j->j_kind = orch_kind_lookup(col_text(q, 3));
	strlcpy(j->j_role, col_text(q, 4), sizeof(j->j_role));
	strlcpy(j->j_gate, col_text(q, 5), sizeof(j->j_gate));
	strlcpy(j->j_work, col_text(q, 6), sizeof(j->j_work));
	strlcpy(j->j_status, col_text(q, 7), sizeof(j->j_status));
	j->j_attempt = col_int(q, 8);
	j->j_transient = col_int(q, 9);
	j->j_seq = col_int(q, 10);
	strlcpy(j->j_commit, col_text(q, 11), sizeof(j->j_commit));
	j->j_for_run = col_int(q, 12);
	strlcpy(j->j_args, col_text(q, 13), sizeof(j->j_args));
}

enum store_res
job_get(int64_t id, struct job *j)
{
	sqlite3_stmt *q = store_bind(eng.e_store, Q_JOB_GET, "i", id);
	enum store_res res;

	if ((res = store_step(eng.e_store, q)) == STORE_OK)
		job_fill(j, q);
	sqlite3_reset(q);
	return (res);
}

enum store_res
job_end(int64_t id, const char *status, const char *reason)
{
	return (store_run_one(eng.e_store, Q_JOB_END, "sisi", status,
	    eng_now(), reason, id));
}

int64_t
backoff_ms(int64_t base, int64_t n, int64_t max)
{
	int64_t ms = base;

	while (n-- > 0 && ms < max)
		ms *= 2;
	if (ms > max)
		ms = max;
	return (ms + (int64_t)arc4random_uniform((uint32_t)(ms / 5 + 1)));
}

/* What a cancelled task does not need any more. */
static int
is_cancelled(const struct job *j)
{
	struct task t;

	return ((j->j_kind == KIND_AGENT || (j->j_kind == KIND_GATE &&
	    j->j_for_run == 0)) && task_get(j->j_task, &t) == STORE_OK &&
	    t.t_cancel_at != 0);
}

enum store_res
job_requeue(const struct job *j, int transient, int64_t delay_ms,
    const char *reason)
{
	if (is_cancelled(j))
		return (job_end(j->j_id, "cancelled", reason));
	return (store_run_one(eng.e_store, Q_JOB_REQUEUE, "iiisi",
	    eng_now() + delay_ms, (int64_t)(transient ? -1 : 0),
	    (int64_t)(transient ? 1 : 0), reason, j->j_id));
}

int64_t
queue_running(enum orch_kind kind)
{
	return (store_int(eng.e_store, 0, Q_JOBS_RUNNING, "s",
	    orch_kind_name(kind)));
}

/* Free slots, counted once a kick and taken as jobs are claimed. */
struct slots {
	int64_t	agents;
	int64_t	gates;
};

static int
is_edge(const struct job *j)
{
	return (strcmp(j->j_work, "edge") == 0);
}

/* Does it need a merge lane?  Without a merge gate there is none. */
static int
takes_lane(const struct job *j)
{
	return (is_edge(j) && conf_merge_gate_on(eng.e_conf,
	    eng_project(j->j_project)));
}

/*
 * Does the job fit?  Imports, cleaning, publishing, hooks, monitors and gate
 * runs inside an edge take no slot; an edge takes a gate slot and its
 * project's merge lane for its whole length.
 */
static int
fits(const struct job *j, const struct slots *s)
{
	char why[512];

	/* Of what is left at a shutdown, the work of ended agents comes in. */
	if (eng.e_quiescing && j->j_kind != KIND_IMPORT)
		return (0);
	if (j->j_kind == KIND_AGENT)
		return (s->agents > 0);
	if (j->j_kind == KIND_GATE)
		return (j->j_for_run != 0 || s->gates > 0);
	if (is_edge(j))
		return (s->gates > 0 && (!takes_lane(j) ||
		    (store_int(eng.e_store, 0, Q_EDGE_BUSY, "s",
		    j->j_project) == 0 && !landing_frozen(j->j_project,
		    j->j_task, why, sizeof(why)))));
	return (1);
}

static void
take(const struct job *j, struct slots *s)
{
	if (j->j_kind == KIND_AGENT)
		s->agents--;
	else if ((j->j_kind == KIND_GATE && j->j_for_run == 0) || is_edge(j))
		s->gates--;
}

static int
waits_for_slot(const struct job *j)
{
	return (j->j_kind == KIND_AGENT || is_edge(j) ||
	    (j->j_kind == KIND_GATE && j->j_for_run == 0));
}

/* queued -> running with the attempt counted, and its run. */
static int
claim(void *arg)
{
	struct job *j = arg;
	struct task t;
	enum store_res res;
	int ended;

	if (task_get(j->j_task, &t) != STORE_OK)
		return (-1);
	/* Work for a stage that the task has left is nobody's. */
	if (t.t_seq != j->j_seq && j->j_kind != KIND_CLEAN &&
	    j->j_kind != KIND_MONITOR && j->j_kind != KIND_IMPORT)
		return (store_run_one(eng.e_store, Q_JOB_CANCEL, "isi",
		    eng_now(), "the task has left that stage", j->j_id) ==
		    STORE_OK ? task_drive(t.t_id) : -1);
	if ((ended = guard_job(j, &t)) != 0)
		return (ended == 1 ? 0 : -1);
	res = store_run_one(eng.e_store, Q_JOB_CLAIM, "ii", j->j_id,
	    eng_now());
	if (res == STORE_STALE)
		return (0);
	if (res != STORE_OK)
		return (-1);
	if (waits_for_slot(j) && store_run(eng.e_store, Q_JOB_WAITED, "ii",
	    j->j_id, eng_now()) != STORE_OK)
		return (-1);
	/* What it is about to start on is old when the next one starts. */
	if (j->j_kind == KIND_AGENT && store_run(eng.e_store, Q_TASK_FETCH,
	    "i", t.t_id) != STORE_OK)
		return (-1);
	if (j->j_kind == KIND_GATE && tell_gate_runs(&t, j->j_gate,
	    j->j_commit, j->j_id) != STORE_OK)
		return (-1);
	j->j_attempt++;
	return (run_start(j, &t));
}

static void
count_slots(struct slots *s)
{
	s->agents = conf_int(eng.e_conf, NULL, OPT_MAX_CONCURRENCY) -
	    queue_running(KIND_AGENT);
	s->gates = conf_int(eng.e_conf, NULL, OPT_MAX_GATE_RUNS) -
	    store_int(eng.e_store, 0, Q_GATE_SLOTS_TAKEN, "");
}

/* Is the last of these an edge, with another one of its project before it? */
static int
lane_is_taken(const struct job *ready, size_t last)
{
	size_t i;

	for (i = 0; takes_lane(&ready[last]) && i < last; i++)
		if (is_edge(&ready[i]) && strcmp(ready[i].j_project,
		    ready[last].j_project) == 0)
			return (1);
	return (0);
}

int
queue_kick(void)
{
	struct job ready[64];
	struct slots s;
	sqlite3_stmt *q;
	size_t i, n = 0;

	if (eng.e_conf == NULL)
		return (0);
	count_slots(&s);
	q = store_bind(eng.e_store, Q_JOBS_READY, "i", eng_now());
	while (n < 64 && store_step(eng.e_store, q) == STORE_OK) {
		job_fill(&ready[n], q);
		/* What is gone or full never blocks what comes after it. */
		if (eng_project(ready[n].j_project) == NULL ||
		    !fits(&ready[n], &s) || lane_is_taken(ready, n))
			continue;
		take(&ready[n++], &s);
	}
	sqlite3_reset(q);
	/* A job that cannot be started stops no other: it comes again. */
	for (i = 0; i < n && !store_lost(eng.e_store); i++)
		if (pass_try(claim, &ready[i]) == -1 &&
		    !store_lost(eng.e_store)) {
			log_warnx("job %lld: starting it failed, again in "
			    "%d s", (long long)ready[i].j_id,
			    TROUBLE_MS / 1000);
			(void)store_run(eng.e_store, Q_JOB_LATER, "ii",
			    eng_now() + TROUBLE_MS, ready[i].j_id);
		}
	return (store_lost(eng.e_store) ? -1 : 0);
}
