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
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include "libcommon/git.h"
#include "libcommon/log.h"
#include "engine.h"
#include "lease.h"
#include "notice.h"
#include "reap.h"
#include "rollback.h"
#include "runs.h"
#include "tell.h"
#include "verdicts.h"

/* What a run's result means for its job and its task. */

#define AGAIN_BASE_MS		1000
#define TRANSIENT_BASE_MS	5000
#define TRANSIENT_MAX_MS	900000

static char *
text_of(const struct orch_blob *b)
{
	char *s;

	if ((s = malloc(b->b_len + 1)) == NULL)
		fatal("result");
	memcpy(s, b->b_data, b->b_len);
	s[b->b_len] = '\0';
	/* A NUL inside would end the text early: show it as a blank. */
	for (size_t i = 0; i < b->b_len; i++)
		if (s[i] == '\0')
			s[i] = ' ';
	return (s);
}

/* "developer: why": most runs say their role themselves. */
static void
role_reason(char *buf, size_t len, const char *role, const char *reason)
{
	size_t n = strlen(role);

	if (strncmp(reason, role, n) == 0 && reason[n] == ':')
		snprintf(buf, len, "%.1100s", reason);
	else
		snprintf(buf, len, "%s: %.1100s", role, reason);
}

/*
 * What was open before this run is open still: a run that handed in nothing
 * must not hide what a gate had found.  Extends why, and returns the text for
 * the next run; the caller frees it.
 */
static char *
keep_open_points(const struct task *t, char *why, size_t len,
    const char *text)
{
	const char *old = "";
	char *all = NULL;
	sqlite3_stmt *q;
	size_t n = strlen(why);

	q = store_bind(eng.e_store, Q_TASK_TEXTS, "i", t->t_id);
	if (store_step(eng.e_store, q) == STORE_OK)
		old = col_text(q, 1);
	if (strncmp(old, why, n) == 0)
		snprintf(why, len, "%.*s", (int)strcspn(old, "\n"), old);
	else if (old[0] != '\0')
		snprintf(why + n, len - n, "; open before that: %.*s",
		    (int)strcspn(old, "\n"), old);
	if (asprintf(&all, "%s%s%s", text, old[0] != '\0' ?
	    "\n\nOpen before that:\n" : "", old) == -1)
		fatal("result");
	sqlite3_reset(q);
	return (all);
}

int
task_role_failed(const struct task *t, const char *role, const char *reason,
    const char *text)
{
	enum store_res res;
	char why[2000], *all;

	role_reason(why, sizeof(why), role, reason);
	all = keep_open_points(t, why, sizeof(why), text);
	if (t->t_rework >= conf_int(eng.e_conf, eng_project(t->t_project),
	    OPT_MAX_DEVELOPER_RETRIES))
		res = task_park(t, "needs_input", why);
	else if ((res = store_run_one(eng.e_store, Q_TASK_RERUN, "iii",
	    t->t_rework + 1, t->t_id, t->t_seq)) == STORE_OK) {
		log_info("task %s: %s again: %s", t->t_key, role, reason);
		res = task_set_feedback(t->t_id, why, all);
	}
	free(all);
	return (res == STORE_OK ? 0 : -1);
}

/* A failure of the run itself: again within its budget, or a person. */
static int
agent_run_failed(const struct task *t, const struct job *j,
    const struct orch_run_done *m)
{
	const struct conf_project *cp = eng_project(t->t_project);
	/* What failed on orchd's own side, a full disk, is not its fault. */
	int transient = m->cause == CAUSE_TRANSIENT ||
	    m->cause == CAUSE_QUOTA || m->cause == CAUSE_INFRA;
	char what[1300], why[1400];

	if (transient && cp != NULL && j->j_transient < conf_int(eng.e_conf,
	    cp, OPT_TRANSIENT_MAX))
		return (job_requeue(j, 1, backoff_ms(TRANSIENT_BASE_MS,
		    j->j_transient, TRANSIENT_MAX_MS), m->reason) ==
		    STORE_OK ? 0 : -1);
	if (!transient && cp != NULL && j->j_attempt < conf_int(eng.e_conf,
	    cp, OPT_MAX_ATTEMPTS))
		return (job_requeue(j, 0, backoff_ms(AGAIN_BASE_MS,
		    j->j_attempt - 1, TRANSIENT_MAX_MS), m->reason) ==
		    STORE_OK ? 0 : -1);
	role_reason(what, sizeof(what), j->j_role, m->reason);
	if (j->j_attempt > 1)
		snprintf(why, sizeof(why), "%s (%lld tries)", what,
		    (long long)j->j_attempt);
	else
		strlcpy(why, what, sizeof(why));
	if (job_end(j->j_id, "failed", m->reason) != STORE_OK)
		return (-1);
	return (task_park(t, "blocked", why) == STORE_OK ? 0 : -1);
}

/* Ended by us: a cancelled task's job is over, a shut down one's waits. */
static int
agent_stopped(const struct task *t, const struct job *j,
    const struct orch_run_done *m)
{
	if (t->t_cancel_at != 0)
		return (job_end(j->j_id, "cancelled", m->reason) == STORE_OK
		    ? 0 : -1);
	return (job_requeue(j, 1, 0, m->reason) == STORE_OK ? 0 : -1);
}

/* An import that was started before the bundle came (again): GO. */
static int
wake_import(int64_t agent_run)
{
	struct peer *p;
	struct run r;
	int64_t id;

	id = store_int(eng.e_store, 0, Q_RUN_OF_IMPORT, "i", agent_run);
	if (id == 0 || (p = peer_of_run((uint64_t)id)) == NULL)
		return (0);
	return (run_get(id, &r) == STORE_OK ? run_send_go(p, &r) : -1);
}

/*
 * The agent's work is due to be imported: the answer waits for that.  What it
 * started from is the task's head, or for a task without one what its runner
 * found in the target; the import checks it.
 */
static int
queue_import(struct peer *p, uint32_t id, const struct run *r,
    const struct task *t, const struct job *j,
    const struct orch_run_done *m, int *fd)
{
	struct job_spec js = { .js_task = t, .js_kind = KIND_IMPORT,
	    .js_role = j->j_role, .js_commit = r->r_base[0] != '\0' ?
	    r->r_base : m->tree, .js_for_run = r->r_id };
	enum store_res res;

	bundle_put(r->r_id, p->p_id, id, *fd);
	*fd = -1;
	res = job_add(&js, NULL);
	if (res == STORE_EXISTS)
		return (wake_import(r->r_id) == -1 ? -1 : 1);
	return (res == STORE_OK && queue_kick() == 0 ? 1 : -1);
}

/* No commit: fine for a role that owes none, else a fail of the role. */
static int
agent_without_commit(const struct run *r, const struct task *t,
    const struct job *j, const struct orch_run_done *m)
{
	int due = stage_rules[t->t_stage].sr_commit_due;
	char *text;
	int ret;

	/* Done is what need not be done again. */
	if (job_end(j->j_id, due ? "failed" : "done", m->reason) != STORE_OK)
		return (-1);
	if (!due)
		return (store_run_one(eng.e_store, Q_TASK_AGENT_DONE, "ii",
		    t->t_id, t->t_seq) == STORE_OK ? 0 : -1);
	text = text_of(&m->text);
	ret = task_role_failed(t, j->j_role, m->reason, text);
	free(text);
	return (ret);
}

int
result_agent(struct peer *p, uint32_t id, const struct run *r,
    const struct orch_run_done *m, int *fd)
{
	struct task t;
	struct job j;
	int ret;

	if (task_get(r->r_task, &t) != STORE_OK ||
	    job_get(r->r_job, &j) != STORE_OK)
		return (-1);
	if (m->verdict == GATE_PASS && *fd != -1 && t.t_seq == j.j_seq)
		return (queue_import(p, id, r, &t, &j, m, fd));
	if (run_end(r, m->reason) != STORE_OK)
		return (-1);
	if (t.t_seq != j.j_seq)
		ret = job_end(j.j_id, "cancelled", "the task has left that "
		    "stage") == STORE_OK ? 0 : -1;
	else if (m->cause == CAUSE_STOPPED && r->r_reap < REAP_ASKED)
		ret = agent_stopped(&t, &j, m);
	else if (m->cause == CAUSE_NO_COMMIT || m->verdict == GATE_PASS)
		ret = agent_without_commit(r, &t, &j, m);
	else
		ret = agent_run_failed(&t, &j, m);
	return (ret == -1 ? -1 : task_drive(t.t_id));
}

/* Close the agent's run and job with the import's outcome. */
static int
close_agent(const struct run *agent, const char *status, const char *reason)
{
	if (run_end(agent, reason) != STORE_OK)
		return (-1);
	return (job_end(agent->r_job, status, reason) == STORE_OK ? 0 : -1);
}

static int
import_good(const struct run *agent, const struct task *t,
    const struct orch_run_done *m)
{
	enum store_res res;

	/* Guarded by the head that the agent started from. */
	res = store_run_one(eng.e_store, Q_TASK_HEAD, "ssiis", m->commit,
	    m->tree, t->t_id, agent->r_seq, agent->r_base);
	if (res == STORE_STALE)
		return (close_agent(agent, "cancelled",
		    "the task has moved meanwhile"));
	if (res != STORE_OK ||
	    artifacts_store(t->t_id, &m->artifacts) != STORE_OK)
		return (-1);
	return (close_agent(agent, "done", ""));
}

static int
import_bad(const struct run *agent, const struct task *t,
    const struct orch_run_done *m)
{
	char *text;
	int ret;

	if (close_agent(agent, "failed", m->reason) == -1)
		return (-1);
	if (t->t_seq != agent->r_seq)
		return (0);
	text = text_of(&m->text);
	ret = task_role_failed(t, agent->r_role, m->reason, text);
	free(text);
	return (ret);
}

int
import_gave_up(const struct run *agent, const char *why)
{
	struct task t;
	char text[1200];

	if (!run_is_live(agent))
		return (0);
	snprintf(text, sizeof(text), "the work of %s cannot be imported: "
	    "%.1000s", agent->r_role, why);
	if (task_get(agent->r_task, &t) != STORE_OK ||
	    close_agent(agent, "failed", text) == -1 ||
	    task_park(&t, "blocked", text) != STORE_OK)
		return (-1);
	bundle_settle(agent->r_id, RES_OK);
	return (task_drive(t.t_id));
}

/* The import could not run: again within its budget, or a person. */
static int
import_error(const struct job *j, const struct run *agent,
    const struct orch_run_done *m)
{
	const struct conf_project *cp = eng_project(j->j_project);

	if (bundle_fd(agent->r_id) == -1)
		return (job_end(j->j_id, "cancelled", m->reason) == STORE_OK ?
		    0 : -1);
	if (m->cause == CAUSE_STOPPED || (cp != NULL && j->j_transient <
	    conf_int(eng.e_conf, cp, OPT_TRANSIENT_MAX)))
		return (job_requeue(j, 1, backoff_ms(AGAIN_BASE_MS,
		    j->j_transient, TRANSIENT_MAX_MS), m->reason) ==
		    STORE_OK ? 0 : -1);
	if (job_end(j->j_id, "failed", m->reason) != STORE_OK)
		return (-1);
	return (import_gave_up(agent, m->reason));
}

int
result_import(struct peer *p, const struct run *r,
    const struct orch_run_done *m)
{
	struct run agent;
	struct task t;
	struct job j;
	int ret;

	if (job_get(r->r_job, &j) != STORE_OK ||
	    run_get(j.j_for_run, &agent) != STORE_OK ||
	    task_get(r->r_task, &t) != STORE_OK ||
	    run_end(r, m->reason) != STORE_OK)
		return (-1);
	/* It may be what another run of the task has waited for. */
	if (m->verdict == GATE_ERROR)
		return (import_error(&j, &agent, m) == -1 ? -1 :
		    task_drive(t.t_id));
	if (job_end(j.j_id, "done", m->reason) != STORE_OK)
		return (-1);
	/* Whoever closed the agent's run meanwhile decided already. */
	if (!run_is_live(&agent))
		return (task_drive(t.t_id));
	ret = m->verdict == GATE_PASS && strlen(m->commit) == 40 ?
	    import_good(&agent, &t, m) : import_bad(&agent, &t, m);
	if (ret == -1)
		return (-1);
	bundle_settle(agent.r_id, RES_OK);
	return (task_drive(t.t_id));
}

/* A measured percentage against the baseline. */
static void
judge_coverage(const struct task *t, const char *text, uint8_t *verdict,
    uint8_t *cause, char *reason, size_t len)
{
	const struct conf_project *cp = eng_project(t->t_project);
	double percent, base = 0;
	sqlite3_stmt *q;
	char *end;

	percent = strtod(text, &end);
	if (end == text || !(percent >= 0 && percent <= 100)) {
		*verdict = GATE_ERROR;
		*cause = CAUSE_INFRA;
		snprintf(reason, len, "the coverage command printed no "
		    "percentage");
		return;
	}
	q = store_bind(eng.e_store, Q_BASELINE, "s", t->t_project);
	if (store_step(eng.e_store, q) == STORE_OK)
		base = sqlite3_column_double(q, 0);
	sqlite3_reset(q);
	/* The baseline is kept with two decimals. */
	if (percent + 0.005 + conf_ratio(eng.e_conf, cp,
	    OPT_COVERAGE_TOLERANCE) < base) {
		*verdict = GATE_FAIL;
		*cause = CAUSE_RED;
		snprintf(reason, len, "coverage %.2f %% is below the "
		    "baseline of %.2f %%", percent, base);
	} else
		snprintf(reason, len, "coverage %.2f %%, baseline %.2f %%",
		    percent, base);
}

static int
gate_store(const struct run *r, const struct task *t, const char *commit,
    const struct orch_run_done *m, uint8_t verdict, uint8_t cause,
    const char *reason, const char *text)
{
	int64_t id;

	if (store_run(eng.e_store, Q_GATE_ADD, "iiissssisiiiss", t->t_id,
	    t->t_round, r->r_seq, r->r_gate, commit, m->tree,
	    gate_verdict_name(verdict), (int64_t)cause, reason, r->r_id,
	    r->r_started, (int64_t)m->duration_ms, text,
	    artifact_of(&m->artifacts, stage_gate_reads(t->t_stage,
	    r->r_gate))) != STORE_OK)
		return (-1);
	id = store_last_id(eng.e_store);
	if (tell_gates(t->t_id, commit) != STORE_OK || tell_verdict(t, id,
	    r->r_gate, gate_verdict_name(verdict), commit, reason, text) !=
	    STORE_OK)
		return (-1);
	/* What the artifact says that the command made or met. */
	if (!git_oid_valid(m->image_commit) || !git_oid_valid(m->image_tree))
		return (0);
	return (store_run(eng.e_store, Q_GATE_IMAGE, "ssi", m->image_commit,
	    m->image_tree, id) == STORE_OK ? 0 : -1);
}

/* Wherever a reason stands, the gate's name stands before it already. */
static void
gate_reason(char *buf, size_t len, const char *gate, const char *reason)
{
	size_t n = strlen(gate);

	if (strncmp(reason, gate, n) == 0 && strncmp(reason + n, ": ", 2) == 0)
		reason += n + 2;
	strlcpy(buf, reason, len);
}

int
result_gate(struct peer *p, const struct run *r,
    const struct orch_run_done *m)
{
	struct orch_gate_answer a = { .result = RES_OK };
	uint8_t verdict = m->verdict, cause = m->cause;
	char reason[2049], *text;
	struct task t;
	struct job j;
	int ret = -1;

	if (job_get(r->r_job, &j) != STORE_OK ||
	    task_get(r->r_task, &t) != STORE_OK)
		return (-1);
	if (run_end(r, m->reason) != STORE_OK)
		return (-1);
	if (m->cause == CAUSE_STOPPED && eng.e_quiescing)
		return (job_requeue(&j, 1, 0, m->reason) == STORE_OK ? 0 : -1);
	if (job_end(j.j_id, "done", m->reason) != STORE_OK)
		return (-1);
	text = text_of(&m->text);
	gate_reason(reason, sizeof(reason), r->r_gate, m->reason);
	if (strcmp(r->r_gate, "check_coverage") == 0 && verdict == GATE_PASS)
		judge_coverage(&t, text, &verdict, &cause, reason,
		    sizeof(reason));
	/* The verdict belongs to the commit that was asked about. */
	if (m->commit[0] != '\0' && strcmp(m->commit, j.j_commit) != 0) {
		verdict = GATE_ERROR;
		cause = CAUSE_INFRA;
		snprintf(reason, sizeof(reason), "its runner judged %.12s "
		    "instead of %.12s", m->commit, j.j_commit);
	}
	log_info("task %s: %s: %s%s%s", t.t_key, r->r_gate,
	    gate_verdict_name(verdict), reason[0] != '\0' ? ": " : "",
	    reason);
	if (gate_store(r, &t, j.j_commit, m, verdict, cause, reason,
	    text) == 0) {
		a.verdict = verdict;
		a.cause = cause;
		a.reason = reason;
		a.tree = m->tree;
		a.at_ms = (uint64_t)r->r_started + m->duration_ms;
		gate_tell_worker(j.j_for_run, r->r_gate, j.j_commit, &a);
		ret = task_drive(t.t_id);
	}
	free(text);
	return (ret);
}

/* 16-post-deploy-log.md is a row; DEGRADED is told at once. */
int
result_monitor(const struct run *r, const struct orch_run_done *m)
{
	struct task t;
	struct job j;
	char *text, why[128] = "";
	int ret;

	if (task_get(r->r_task, &t) != STORE_OK ||
	    job_get(r->r_job, &j) != STORE_OK ||
	    run_end(r, m->reason) != STORE_OK)
		return (-1);
	/* Cut short by us: its window begins again after the next start. */
	if (m->cause == CAUSE_STOPPED && eng.e_quiescing)
		return (job_requeue(&j, 1, 0, m->reason) == STORE_OK ? 0 : -1);
	if (job_end(j.j_id, "done", m->reason) != STORE_OK)
		return (-1);
	if (m->cause == CAUSE_STOPPED)
		return (0);
	text = text_of(&m->text);
	log_info("task %s: monitor: %s", t.t_key, m->reason);
	store_count(eng.e_store, m->verdict == GATE_FAIL ?
	    "post_deploy_degraded" : m->verdict == GATE_PASS ?
	    "post_deploy_healthy" : "post_deploy_inconclusive", 1);
	if (m->verdict == GATE_FAIL)
		ret = rollback_begin(&t, m->reason, text, why, sizeof(why));
	else
		ret = store_run(eng.e_store, Q_RECORD_PUT, "iissi", t.t_id,
		    t.t_round, "16-post-deploy-log.md", text, eng_now()) ==
		    STORE_OK ? 0 : -1;
	free(text);
	if (ret == 0 && m->verdict != GATE_PASS)
		ret = alert_raise("post_deploy", t.t_key, "%s%s%s. Look at "
		    "the service and at orchctl show %s", m->reason,
		    why[0] != '\0' ? "; not rolled back: " : "", why,
		    t.t_key) == STORE_OK ? 0 : -1;
	return (ret == -1 ? -1 : 0);
}
