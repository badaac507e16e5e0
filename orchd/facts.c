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

#include "engine.h"
#include "queue.h"
#include "rollback.h"
#include "task.h"
#include "verdicts.h"

/* What is known about a task, collected for the rules. */

/* Pauses between tries of a gate that could not run, and of an edge. */
#define RETRY_BASE_MS	2000
#define RETRY_MAX_MS	600000

static int
cmd_configured(const struct conf_project *cp, const char *gate)
{
	static const struct {
		const char	*gate;
		enum conf_cmd	 cmd;
	} table[] = {
		{ "check_staging_status", CONF_CMD_STAGING_CHECK },
		{ "check_security", CONF_CMD_SECURITY },
		{ "check_coverage", CONF_CMD_COVERAGE },
		{ "check_staging_image_fresh", CONF_CMD_IMAGE_BUILD },
	};
	size_t i;

	if (strcmp(gate, "check_review_approved") == 0)
		return (cp->cp_review_approval);
	if (strcmp(gate, "check_ci_green") == 0)
		return (conf_ci_of_forge(cp));
	if (strcmp(gate, "check_tests_local") == 0)
		return (!conf_ci_of_forge(cp));
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (strcmp(table[i].gate, gate) == 0)
			return (cp->cp_cmd[table[i].cmd].cc_argv.sl_n > 0);
	return (0);
}

/* Since when a gate waits; it is asked again, more and more seldom. */
static void
gate_wait_fact(const struct task *t, struct gate_fact *g, int64_t at)
{
	int64_t n = 1, since = eng_now();
	sqlite3_stmt *q;

	q = store_bind(eng.e_store, Q_GATE_WAITS, "iis", t->t_id, t->t_seq,
	    g->gf_name);
	if (store_step(eng.e_store, q) == STORE_OK && col_int(q, 0) > 0) {
		n = col_int(q, 0);
		since = col_int(q, 1);
	}
	sqlite3_reset(q);
	g->gf_age_s = since >= eng_now() ? 0 :
	    (unsigned int)((eng_now() - since) / 1000);
	g->gf_due = eng_now() >= at + backoff_ms(RETRY_BASE_MS, n,
	    RETRY_MAX_MS);
}

/* The latest result that is valid for what is judged now. */
static void
gate_result_fact(const struct task *t, struct gate_fact *g)
{
	sqlite3_stmt *q;
	int64_t at = 0;

	if ((q = verdict_valid(t, g->gf_name)) != NULL) {
		g->gf_have = 1;
		(void)gate_verdict_parse(col_text(q, 0), &g->gf_verdict);
		g->gf_cause = (enum orch_cause)col_int(q, 1);
		strlcpy(g->gf_reason, col_text(q, 2), sizeof(g->gf_reason));
		at = col_int(q, 3);
		sqlite3_reset(q);
	}
	if (g->gf_have && g->gf_verdict == GATE_WAIT)
		gate_wait_fact(t, g, at);
	if (!g->gf_have || g->gf_verdict != GATE_ERROR)
		return;
	g->gf_errors = (unsigned int)store_int(eng.e_store, 0, Q_GATE_ERRORS,
	    "iis", t->t_id, t->t_seq, g->gf_name);
	/* Errors before a person said "go on" do not count. */
	if (g->gf_errors == 0)
		g->gf_have = 0;
	g->gf_due = eng_now() >= at + backoff_ms(RETRY_BASE_MS,
	    g->gf_errors, RETRY_MAX_MS);
}

static void
approval_fact(const struct task *t, struct gate_fact *g)
{
	sqlite3_stmt *q;

	if ((q = decision_valid(t, g->gf_name)) == NULL)
		return;
	g->gf_have = 1;
	g->gf_verdict = strcmp(col_text(q, 0), "approved") == 0 ? GATE_PASS :
	    GATE_FAIL;
	snprintf(g->gf_reason, sizeof(g->gf_reason), "%s by %s at %.7s%s%s",
	    col_text(q, 0), col_text(q, 2), col_text(q, 1),
	    col_text(q, 3)[0] != '\0' ? ": " : "", col_text(q, 3));
	sqlite3_reset(q);
}

/*
 * What CI said of the head last.  A result on record stands until CI says the
 * opposite of the same commit, as after a job that was started once more.
 */
static void
ci_fact(const struct task *t, struct gate_fact *g)
{
	int64_t since, said = 0;
	sqlite3_stmt *q;

	q = store_bind(eng.e_store, Q_CI_GET, "ss", t->t_project, t->t_head);
	if (store_step(eng.e_store, q) == STORE_OK) {
		g->gf_ci = (enum orch_ci)col_int(q, 0);
		said = col_int(q, 2);
	}
	sqlite3_reset(q);
	if (g->gf_have && ((g->gf_verdict == GATE_FAIL && g->gf_ci ==
	    CI_GREEN) || (g->gf_verdict == GATE_PASS && g->gf_ci == CI_RED)))
		g->gf_have = 0;
	if (g->gf_have)
		return;
	since = store_int(eng.e_store, 0, Q_PUBLISHED_AT, "i", t->t_id);
	if (since < t->t_since)
		since = t->t_since;
	/* What has begun is silent only when nothing more is heard of it. */
	if (g->gf_ci == CI_PENDING && since < said)
		since = said;
	g->gf_age_s = since >= eng_now() ? 0 :
	    (unsigned int)((eng_now() - since) / 1000);
	snprintf(g->gf_reason, sizeof(g->gf_reason), g->gf_ci == CI_PENDING ?
	    "CI of %.7s is not through" : "CI has said nothing of %.7s yet; "
	    "a project without CI needs the line \"ci none\"", t->t_head);
}

static void
add_gate(const struct task *t, struct facts *f, const struct gate_rule *r,
    const char *name)
{
	struct gate_fact *g;

	if (f->f_ngates >= STAGE_GATES_MAX)
		return;
	g = &f->f_gates[f->f_ngates++];
	g->gf_rule = r;
	g->gf_name = name;
	if (r->gr_kind == GATE_BY_PERSON)
		approval_fact(t, g);
	else
		gate_result_fact(t, g);
	if (r->gr_kind == GATE_BY_FORGE)
		ci_fact(t, g);
}

static void
gate_facts(const struct task *t, const struct conf_project *cp,
    struct facts *f)
{
	static const struct gate_rule own = { NULL, GATE_BY_RUN,
	    BACK_DEVELOPMENT, 0, "" };
	static const struct gate_rule early = { NULL, GATE_BY_RUN,
	    BACK_ROLE, 0, "" };
	const struct gate_rule *r;
	size_t i;

	for (r = stage_rules[t->t_stage].sr_gates; r->gr_name != NULL; r++) {
		if (r->gr_kind == GATE_BY_ENGINE ||
		    r->gr_kind == GATE_BY_WORKER)
			continue;
		if (!r->gr_optional || cmd_configured(cp, r->gr_name))
			add_gate(t, f, r, r->gr_name);
	}
	for (i = 0; i < cp->cp_ngates; i++)
		if (strcmp(cp->cp_gates[i].cg_stage,
		    stage_name(t->t_stage)) == 0)
			add_gate(t, f, t->t_stage < STAGE_DEVELOPMENT ?
			    &early : &own, cp->cp_gates[i].cg_name);
}

/* Why a hook that was started may still act, or never did. */
static const char *
doubt_text(const struct task *t, const char *key)
{
	static char why[512];

	snprintf(why, sizeof(why), "nobody can tell whether its deploy hook "
	    "still acts; it counts as failed after deploy_timeout_s, or when "
	    "an operator says so: orchctl effect settle %s %s done|failed -r "
	    "REASON", t->t_key, key);
	return (why);
}

static void
deploy_facts(const struct task *t, struct facts *f)
{
	const char *why;
	sqlite3_stmt *q;

	q = store_bind(eng.e_store, Q_DEPLOY_OF_TASK, "ii", t->t_id,
	    t->t_seq);
	if (store_step(eng.e_store, q) == STORE_OK) {
		f->f_deploy = sqlite3_column_type(q, 0) != SQLITE_NULL ?
		    DEPLOY_ENDED : sqlite3_column_type(q, 1) != SQLITE_NULL ?
		    DEPLOY_DOUBT : DEPLOY_STARTED;
		f->f_deploy_code = (int)col_int(q, 0);
		if (f->f_deploy == DEPLOY_DOUBT)
			f->f_deploy_why = doubt_text(t, col_text(q, 2));
	} else if ((why = deploy_frozen(t->t_project, t->t_landed)) !=
	    NULL) {
		f->f_deploy = DEPLOY_FROZEN;
		f->f_deploy_why = why;
	} else if (store_int(eng.e_store, 0, Q_DEPLOY_BUSY, "s",
	    t->t_project) > 0 || store_int(eng.e_store, 0, Q_DEPLOY_QUEUED,
	    "si", t->t_project, t->t_id) > 0)
		f->f_deploy = DEPLOY_LANE_BUSY;
	sqlite3_reset(q);
	/* A confirmation names the landed commit. */
	q = store_bind(eng.e_store, Q_CONFIRMATION, "ii", t->t_id, t->t_seq);
	if (store_step(eng.e_store, q) == STORE_OK &&
	    strcmp(col_text(q, 1), t->t_landed) == 0) {
		f->f_confirmed = strcmp(col_text(q, 0), "approved") == 0;
		f->f_confirm_refused = !f->f_confirmed;
	}
	sqlite3_reset(q);
}

/* What already runs or is queued for the task, in words. */
static void
active_fact(const struct task *t, char *active, size_t len)
{
	sqlite3_stmt *q;
	const char *what;

	active[0] = '\0';
	q = store_bind(eng.e_store, Q_JOB_ACTIVE, "i", t->t_id);
	if (store_step(eng.e_store, q) == STORE_OK) {
		what = col_text(q, 1)[0] != '\0' ? col_text(q, 1) :
		    col_text(q, 2)[0] != '\0' ? col_text(q, 2) :
		    col_text(q, 3)[0] != '\0' ? col_text(q, 3) :
		    col_text(q, 0);
		if (strcmp(col_text(q, 4), "running") == 0)
			snprintf(active, len, "%s runs", what);
		else
			snprintf(active, len, "%s waits for a free slot",
			    what);
	}
	sqlite3_reset(q);
}

static void
created_facts(const struct task *t, const struct conf_project *cp,
    struct facts *f)
{
	static char needs[65];
	sqlite3_stmt *q;

	f->f_serial_full = store_int(eng.e_store, 0, Q_TASKS_UNDER_WAY, "s",
	    t->t_project) >= conf_int(eng.e_conf, cp, OPT_SERIAL_LIMIT);
	f->f_dep_wait = "";
	q = store_bind(eng.e_store, Q_DEPENDENCY_OPEN, "i", t->t_id);
	if (store_step(eng.e_store, q) == STORE_OK) {
		strlcpy(needs, col_text(q, 0), sizeof(needs));
		f->f_dep_wait = needs;
		f->f_dep_cancelled = strcmp(col_text(q, 1), "cancelled") == 0;
	}
	sqlite3_reset(q);
}

/* Between two tries the last worker's reason is what the task waits for. */
static void
work_fact(const struct task *t, struct facts *f)
{
	sqlite3_stmt *q;

	/* Who waits for another to end is looked at then, and now and then. */
	f->f_work_due = t->t_drive_at <= eng_now() ||
	    strcmp(t->t_waits, "capacity") == 0;
	if (f->f_work_due || t->t_retries == 0)
		return;
	q = store_bind(eng.e_store, Q_RUN_WORK_WHY, "i", t->t_id);
	if (store_step(eng.e_store, q) == STORE_OK)
		(void)strlcpy(f->f_work_why, col_text(q, 0),
		    sizeof(f->f_work_why));
	sqlite3_reset(q);
}

int
task_facts(const struct task *t, struct facts *f, char *active, size_t len)
{
	const struct conf_project *cp = eng_project(t->t_project);
	const char *role = stage_rules[t->t_stage].sr_role;

	memset(f, 0, sizeof(*f));
	f->f_stage = t->t_stage;
	f->f_active = active;
	f->f_dep_wait = f->f_deploy_why = "";
	active_fact(t, active, len);
	f->f_rework = (unsigned int)t->t_rework;
	f->f_parked = t->t_parked[0] != '\0';
	f->f_cancel = t->t_cancel_at != 0;
	f->f_branch_known = t->t_published[0] != '\0';
	if (cp == NULL)
		return (0);
	f->f_rework_max = (unsigned int)conf_int(eng.e_conf, cp,
	    OPT_MAX_DEVELOPER_RETRIES);
	f->f_errors_max = (unsigned int)conf_int(eng.e_conf, cp,
	    OPT_TRANSIENT_MAX);
	f->f_silent_s = (unsigned int)conf_int(eng.e_conf, cp,
	    OPT_CI_SILENT_S);
	f->f_role_configured = role[0] != '\0' && conf_agent_for(eng.e_conf,
	    cp, conf_role_lookup(role)) != NULL;
	f->f_agent_due = t->t_agent_due;
	f->f_fetch_due = cp->cp_forge == CONF_FORGE_GITEA && !t->t_fetched;
	f->f_head_known = t->t_head[0] != '\0';
	f->f_published = strcmp(t->t_published, t->t_head) == 0;
	work_fact(t, f);
	f->f_confirm_needed = conf_bool(eng.e_conf, cp,
	    OPT_DEPLOY_REQUIRE_MANUAL_APPROVE);
	if (t->t_stage == STAGE_CREATED)
		created_facts(t, cp, f);
	else if (t->t_stage == STAGE_DEPLOY)
		deploy_facts(t, f);
	else if (t->t_stage == STAGE_DONE)
		f->f_rollback = rollback_state(t, &f->f_deploy_why);
	else if (!stage_is_terminal(t->t_stage))
		gate_facts(t, cp, f);
	if (t->t_stage == STAGE_DEPLOY_STAGING &&
	    (f->f_unjudged = verdict_missing(t, cp)) != NULL)
		verdict_withdrawn(t, f->f_withdrawn, sizeof(f->f_withdrawn));
	return (0);
}
