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

#include "orchd/pass.h"
#include "sim.h"

/* What goes wrong, by itself, at any time. */

static void
kill_some(void)
{
	struct proc *p = proc_any();

	if (p == NULL)
		return;
	if (p->p_kind == KIND_TRANSITION)
		n.worker_deaths++;
	else
		n.runner_deaths++;
	/* A hook that is killed did not end: it leaves no result. */
	n.hook_without_result += (uint64_t)p->p_hook;
	proc_die(p);
}

static void
stop_some(void)
{
	struct proc *p = proc_any();

	if (p == NULL)
		return;
	if (p->p_life == STOPPED)
		p->p_life = ALIVE;
	else if (rnd(2) == 0) {
		TRACE("[%d] is stopped", (int)p->p_pid);
		p->p_life = STOPPED;
		n.stops++;
	}
}

/* Before its commit, after it with the answers lost, or at any time. */
static void
crash_engine(void)
{
	if (!w.engine_up)
		return;
	if (engine_busy() && rnd(2) == 0) {
		n.crashes_after_commit++;
		w.drop = 1;
		pass_commit();
		w.drop = 0;
		engine_ticks();
	}
	engine_die();
	w.engine_at = w.now + rnd(2000) + rnd_delay();
}

static void
reboot(void)
{
	TRACE("the machine goes down");
	n.reboots++;
	procs_reboot();
	acts_reboot();
	conns_reboot();
	parent_die();
	(void)snprintf(w.boot, sizeof(w.boot),
	    "00000000-0000-4000-8000-%012llx",
	    (unsigned long long)(rnd64() >> 16));
	w.hidden = 0;
}

/*
 * "Started by mistake": a second job for the task of a worker that is at
 * work, which the engine has started as it starts any.
 */
static void
second_worker(void)
{
	const char *job;

	if (engine_busy() || !w.engine_up)
		return;
	job = sql_text("SELECT l.run FROM lease l JOIN run r ON r.id = l.run "
	    "JOIN job j ON j.id = r.job WHERE j.status = 'running' AND NOT "
	    "EXISTS (SELECT 1 FROM job o WHERE o.task = j.task AND o.kind = "
	    "'transition' AND o.id <> j.id AND o.status IN ('queued', "
	    "'running')) ORDER BY l.task LIMIT 1");
	if (job[0] == '\0')
		return;
	n.second_workers++;
	TRACE("beside run %s another worker is started by mistake", job);
	(void)sql_int("INSERT INTO job (task, project, kind, work, "
	    "available_at, created_at, stage_seq, commit_id) SELECT j.task, "
	    "j.project, j.kind, j.work, j.available_at, j.created_at, "
	    "j.stage_seq, j.commit_id FROM job j JOIN run r ON r.job = j.id "
	    "WHERE r.id = %s RETURNING id", job);
}

static void
other_namespace(void)
{
	if (w.pidns != 4026531836)
		w.pidns = 4026531836;
	else if (rnd(4) == 0) {
		w.pidns++;
		n.other_namespace++;
	}
}

void
chaos_act(void)
{
	struct conn *c;

	if (chaos(40))
		kill_some();
	if (chaos(25))
		stop_some();
	if (chaos(12))
		crash_engine();
	if (chaos(2) && w.parent_up)
		parent_die();
	if (chaos(1))
		reboot();
	if (chaos(6))
		daemon_die((enum owner)(OWN_REAPERD + rnd(3)));
	if (chaos(20) && (c = conn_any()) != NULL)
		conn_break(c);
	if (chaos(40))
		daemon_again();
	if (chaos(15))
		repo_push_other();
	if (chaos(20))
		second_worker();
	if (chaos(8))
		w.hidden = !w.hidden;
	if (chaos(4))
		other_namespace();
	if (chaos(30))
		webhook_act();
}

/* The worst moment: something that cannot be undone is under way. */
void
chaos_critical(struct proc *p)
{
	if (chaos(1500))
		people_on(p->p_task, "cancel", 0);
	if (chaos(600))
		people_on(p->p_task, "release", rnd(2) == 0);
	if (chaos(800))
		repo_push_other();
	if (chaos(800))
		second_worker();
	if (chaos(500))
		crash_engine();
	if (chaos(700))
		w.hidden = 1;
	if (chaos(p->p_kind == KIND_HOOK ? 1000 : 2500)) {
		n.worker_deaths++;
		proc_die(p);
	} else if (chaos(500)) {
		n.stops++;
		p->p_life = STOPPED;
	}
}

/* The world becomes fair: what is stopped goes on, what is hidden shows. */
void
chaos_end(void)
{
	size_t i;

	w.fair = 1;
	w.hidden = 0;
	w.pidns = 4026531836;
	for (i = 0; i < NPROCS; i++)
		if (procs[i].p_life == STOPPED)
			procs[i].p_life = ALIVE;
}
