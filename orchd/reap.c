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

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "libcommon/log.h"
#include "libcommon/mutant.h"
#include "engine.h"
#include "lease.h"
#include "notice.h"
#include "pass.h"
#include "reap.h"

#define LIST_MAX	256

static int64_t
reap_option_ms(enum option o)
{
	return (1000 * conf_int(eng.e_conf, NULL, o));
}

int
on_live_list(struct peer *p, uint32_t id, const union orch_any *any,
    int *fd)
{
	struct orch_live row, end = { .last = 1 };
	int64_t now = eng_now();
	uint32_t n = 0;
	sqlite3_stmt *q;

	q = store_bind(eng.e_store, Q_RUNS_TO_WATCH, "");
	while (n++ < any->live_list.most && n < LIST_MAX &&
	    store_step(eng.e_store, q) == STORE_OK) {
		memset(&row, 0, sizeof(row));
		row.run = (uint64_t)col_int(q, 0);
		row.ident = col_text(q, 1);
		row.connected = peer_of_run(row.run) != NULL;
		row.age_s = (uint64_t)((now - col_int(q, 2)) / 1000);
		row.stamped = sqlite3_column_type(q, 3) != SQLITE_NULL;
		if (row.stamped && now > col_int(q, 3))
			row.stamped_s = (uint64_t)(now - col_int(q, 3)) /
			    1000;
		if (sqlite3_column_type(q, 4) != SQLITE_NULL &&
		    now > col_int(q, 4))
			row.held_s = (uint64_t)(now - col_int(q, 4)) / 1000;
		pass_send(p->p_id, ORCH_live, id, &row, -1);
	}
	sqlite3_reset(q);
	pass_send(p->p_id, ORCH_live, id, &end, -1);
	return (store_run(eng.e_store, Q_SETTING, "ss", "reaper_last_run",
	    "") == STORE_OK ? 0 : -1);
}

/* A higher mark than it has; 1: it is new, 0: it had it already. */
static int
reap_mark(struct run *r, enum reap what)
{
	enum store_res res;

	res = store_run_one(eng.e_store, Q_RUN_REAP, "iii", (int64_t)what,
	    eng_now(), r->r_id);
	if (res != STORE_OK)
		return (res == STORE_STALE ? 0 : -1);
	r->r_reap = what;
	r->r_reap_at = eng_now();
	return (1);
}

/* When the time of a run began: at the grant of its lease, else at its GO. */
static int64_t
reap_since(const struct run *r)
{
	return (store_int(eng.e_store, r->r_go_at != 0 ? r->r_go_at :
	    r->r_started, Q_LEASE_SINCE, "ii", r->r_task, r->r_id));
}

/*
 * Tier 3: past the ceiling the process is killed, first and whatever the marks
 * say.  Its lease is fenced and stays until it is found dead and drained.
 */
static const char *
reap_old(struct run *r)
{
	int64_t age = eng_now() - reap_since(r);
	struct task t;
	int fresh, fenced;

	if (r->r_kind == KIND_HOOK)
		return ("a hook has its own limit, deploy_timeout_s");
	if (age < reap_option_ms(OPT_REAPER_MAX_RUNNING_S))
		return ("it is younger than reaper_max_running_s");
	if (task_get(r->r_task, &t) != STORE_OK ||
	    (fresh = reap_mark(r, REAP_CEILING)) == -1)
		return (NULL);
	if (fresh && alert_raise("ceiling", t.t_key, "run %" PRId64 " (%s%s%s"
	    "%s) has run for %" PRId64 " s, which is longer than "
	    "reaper_max_running_s allows: it is killed, and its work is taken "
	    "up again when nothing of it can act. Look at orchctl log %"
	    PRId64, r->r_id, orch_kind_name(r->r_kind), r->r_role, r->r_gate,
	    r->r_work, age / 1000, r->r_id) != STORE_OK)
		return (NULL);
	if ((fenced = lease_fence(r)) == -1)
		return (NULL);
	if (!fenced)
		run_kill(r);
	return ("it is past the ceiling: being killed");
}

/* Does another, who lives or may, hold the lease of this run's task? */
static int
owner_lives(const struct run *r)
{
	struct ident id;
	struct run owner;
	int64_t run;

	run = store_int(eng.e_store, 0, Q_LEASE_GET, "i", r->r_task);
	if (run == 0 || run == r->r_id || run_get(run, &owner) != STORE_OK)
		return (0);
	return (ident_parse(owner.r_ident, &id) == -1 ||
	    ident_check(&id, eng.e_world, NULL, 0) != IDENT_DEAD);
}

/* Somebody else finishes it: noted once. */
static const char *
reap_defer(struct run *r)
{
	int fresh = reap_mark(r, REAP_DEFERRED);

	if (fresh == -1)
		return (NULL);
	if (fresh) {
		store_count(eng.e_store, "finalizer_defers", 1);
		log_info("run %" PRId64 ": its end is stamped and not "
		    "finished; the owner of its task's lease lives and is "
		    "waited for", r->r_id);
	}
	return ("a living owner holds the lease of its task");
}

/*
 * Tier 2, with a process that lives: it is asked to end, and killed when it
 * has not done so after the kill grace.
 */
static const char *
reap_silent(struct run *r)
{
	struct task t;
	int64_t grace;
	int fresh;

	if (task_get(r->r_task, &t) != STORE_OK ||
	    (fresh = reap_mark(r, REAP_ASKED)) == -1)
		return (NULL);
	if (fresh) {
		log_info("task %s: run %" PRId64 " stamped its end %" PRId64
		    " s ago and says no more: asked to end", t.t_key, r->r_id,
		    (eng_now() - r->r_exited_at) / 1000);
		(void)peer_stop_run((uint64_t)r->r_id, "its end was stamped "
		    "and not finished (reaper_finalize_grace_s)");
		return ("asked to end");
	}
	grace = 1000 * conf_int(eng.e_conf, eng_project(t.t_project),
	    OPT_KILL_GRACE_S);
	if (eng_now() - r->r_reap_at < grace)
		return ("it was asked to end a moment ago");
	log_info("task %s: run %" PRId64 " does not end: killing it", t.t_key,
	    r->r_id);
	run_kill(r);
	return ("being killed");
}

/* Tier 2: the end is stamped, and nobody has finished it for the grace. */
static const char *
reap_stamped(struct run *r)
{
	if (!r->r_exited || eng_now() - r->r_exited_at <
	    reap_option_ms(OPT_REAPER_FINALIZE_GRACE_S))
		return ("its end was not stamped reaper_finalize_grace_s "
		    "ago");
	if (store_int(eng.e_store, 0, Q_IMPORT_OPEN, "i", r->r_id) > 0)
		return ("its work is being imported");
	if (r->r_kind == KIND_HOOK && store_int(eng.e_store, 0,
	    Q_DEPLOY_OF_JOB, "i", r->r_job) > 0)
		return ("its result has not been read yet");
	if (conf_bool(eng.e_conf, NULL, OPT_REAPER_FINALIZER_LIVENESS_ENABLED)
	    && owner_lives(r))
		return (reap_defer(r));
	return (reap_silent(r));
}

/* One more, for /queue: its job, what became of that, and who it was. */
static int
reap_count(const struct run *r)
{
	char text[160];
	const char *what;
	struct job j;

	if (job_get(r->r_job, &j) != STORE_OK)
		return (-1);
	if (strcmp(j.j_status, "queued") == 0)
		what = "requeued";
	else
		what = strcmp(j.j_status, "done") == 0 ? "closed" :
		    j.j_status;
	snprintf(text, sizeof(text), "%" PRId64 " %s %s", r->r_job,
	    what, r->r_role[0] != '\0' ? r->r_role : r->r_gate[0] != '\0' ?
	    r->r_gate : r->r_work[0] != '\0' ? r->r_work :
	    orch_kind_name(r->r_kind));
	store_count(eng.e_store, "reaped", 1);
	return (store_run(eng.e_store, Q_SETTING, "ss", "reaper_last", text)
	    == STORE_OK ? 0 : -1);
}

/*
 * "This has died", or "this is overdue": the engine looks for itself before it
 * acts.  What is dead is closed whatever the tier.
 */
int
on_dead(struct peer *p, uint32_t id, const union orch_any *any, int *fd)
{
	const struct orch_dead *m = &any->dead;
	struct orch_ack ack = { RES_DENIED, "it lives, as far as the engine "
	    "sees" };
	enum ident_verdict v = IDENT_DEAD;
	struct ident known;
	struct run r;
	int gone;

	if (run_get((int64_t)m->run, &r) != STORE_OK || !run_is_live(&r) ||
	    strcmp(r.r_ident, m->ident) != 0) {
		ack.result = RES_STALE;
		ack.text = "that run is closed or another's";
	} else if (!conf_bool(eng.e_conf, NULL, OPT_REAPER_ENABLED)) {
		ack.text = "reaper_enabled is no";
	} else if (!MUTANT(NO_RECHECK) && (ident_parse(r.r_ident, &known) ==
	    -1 || (v = ident_check(&known, eng.e_world, NULL, 0)) !=
	    IDENT_DEAD)) {
		/* Whom the kernel hides cannot be killed for certain. */
		if (v == IDENT_ALIVE && m->tier >= 2 && (ack.text =
		    m->tier == 2 ? reap_stamped(&r) : reap_old(&r)) == NULL)
			return (-1);
	} else {
		if ((gone = run_lost(&r, m->evidence)) == -1 || (gone == 1 &&
		    r.r_reap < REAP_ASKED && reap_count(&r) == -1))
			return (-1);
		ack.result = gone == 1 ? RES_OK : RES_REFUSED;
		ack.text = gone == 1 ? "" : "something that it started still "
		    "lives, or a person has to release its lease";
	}
	pass_send(p->p_id, ORCH_ack, id, &ack, -1);
	return (0);
}

const char *
reap_cause(const struct run *r, const char *cause, char *buf, size_t len)
{
	switch (r->r_reap) {
	case REAP_CEILING:
		snprintf(buf, len, "it ran longer than reaper_max_running_s "
		    "(%" PRId64 " s) and was killed", conf_int(eng.e_conf,
		    NULL, OPT_REAPER_MAX_RUNNING_S));
		return (buf);
	case REAP_ASKED:
		snprintf(buf, len, "it stamped its end (exit %" PRId64 "), "
		    "said no more for reaper_finalize_grace_s and was ended",
		    r->r_exit_code);
		return (buf);
	default:
		return (cause);
	}
}

/* Does what is on record let the task go on without this agent's run? */
static int
gates_green(const struct task *t)
{
	char active[256];
	struct facts f;
	size_t i, passed = 0;

	if (task_facts(t, &f, active, sizeof(active)) == -1)
		return (-1);
	for (i = 0; i < f.f_ngates; i++) {
		if (f.f_gates[i].gf_have && f.f_gates[i].gf_verdict ==
		    GATE_PASS)
			passed += f.f_gates[i].gf_rule->gr_kind ==
			    GATE_BY_RUN;
		else if (f.f_gates[i].gf_have || f.f_gates[i].gf_rule->gr_kind
		    == GATE_BY_RUN)
			return (0);
	}
	return (passed > 0);
}

static int
close_job(const struct job *j, const char *status, const char *why)
{
	log_info("job %" PRId64 ": closed without its run's result: %s",
	    j->j_id, why);
	return (job_end(j->j_id, status, why) == STORE_OK ? 1 : -1);
}

int
reap_close(const struct run *r, const struct job *j, const struct task *t)
{
	int green;

	if (!r->r_exited)
		return (0);
	if (r->r_kind == KIND_HOOK)
		return (close_job(j, r->r_exit_code == 0 ? "done" : "failed",
		    "its exit code is on record"));
	if (r->r_kind != KIND_AGENT || r->r_exit_code != 0)
		return (0);
	if (t->t_seq != j->j_seq)
		return (close_job(j, "done", "the task has left that stage"));
	if (strcmp(t->t_head, r->r_base) != 0)
		return (close_job(j, "done", "the task's head has moved"));
	if ((green = gates_green(t)) != 1)
		return (green);
	if (store_run_one(eng.e_store, Q_TASK_AGENT_DONE, "ii", t->t_id,
	    t->t_seq) != STORE_OK)
		return (-1);
	return (close_job(j, "done", "the gates of its stage are green"));
}

int
reap_done(const struct run *r)
{
	return (r->r_reap < REAP_ASKED ? 0 : reap_count(r));
}
