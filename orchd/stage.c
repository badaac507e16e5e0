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

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "stage.h"

const struct stage_rule stage_rules[STAGE_MAX] = {
	[STAGE_CREATED] = {
		"created", "", 0, 0, STAGE_ANALYSIS, {
		{ "serial_gate", GATE_BY_ENGINE, BACK_NONE, 0, "" },
		{ "task_deps", GATE_BY_ENGINE, BACK_NONE, 0, "" },
	} },
	[STAGE_ANALYSIS] = {
		"analysis", "analyst", 0, 1, STAGE_ARCHITECTURE, {
		{ "check_analysis_complete", GATE_BY_RUN, BACK_ROLE,
		    0, "analyst" },
		{ "check_analysis_approved", GATE_BY_PERSON, BACK_ROLE,
		    0, "analyst" },
	} },
	[STAGE_ARCHITECTURE] = {
		"architecture", "architect", 0, 1, STAGE_DEVELOPMENT, {
		{ "check_architecture_done", GATE_BY_RUN, BACK_ROLE,
		    0, "architect" },
	} },
	[STAGE_DEVELOPMENT] = {
		"development", "developer", 0, 1, STAGE_REVIEW, {
		{ "check_tests_local", GATE_BY_RUN, BACK_ROLE, 1, "" },
		{ "check_ci_green", GATE_BY_FORGE, BACK_ROLE, 1, "" },
	} },
	[STAGE_REVIEW] = {
		"review", "reviewer", 0, 1, STAGE_TESTING, {
		{ "check_reviewer_verdict", GATE_BY_RUN, BACK_DEVELOPMENT,
		    0, "reviewer" },
		{ "check_review_approved", GATE_BY_PERSON, BACK_DEVELOPMENT,
		    1, "" },
	} },
	[STAGE_TESTING] = {
		"testing", "tester", 0, 1, STAGE_DEPLOY_STAGING, {
		{ "check_tests_passed", GATE_BY_RUN, BACK_DEVELOPMENT,
		    0, "tester" },
	} },
	[STAGE_DEPLOY_STAGING] = {
		"deploy-staging", "deployer", 1, 0, STAGE_DEPLOY, {
		{ "check_staging_status", GATE_BY_WORKER, BACK_DEVELOPMENT,
		    1, "deployer" },
		{ "check_security", GATE_BY_WORKER, BACK_DEVELOPMENT, 1, "" },
		{ "check_branch_mergeable", GATE_BY_WORKER, BACK_DEVELOPMENT,
		    0, "" },
		{ "check_coverage", GATE_BY_WORKER, BACK_DEVELOPMENT, 1, "" },
		{ "check_staging_image_fresh", GATE_BY_WORKER, BACK_DEVELOPMENT,
		    1, "" },
	} },
	[STAGE_DEPLOY] = {
		"deploy", "", 0, 0, STAGE_DONE, {
		{ "check_deploy_status", GATE_BY_WORKER, BACK_DEVELOPMENT,
		    0, "" },
	} },
	[STAGE_DONE] = { "done", "", 0, 0, STAGE_MAX,
	    { { NULL, 0, 0, 0, "" } } },
	[STAGE_CANCELLED] = { "cancelled", "", 0, 0, STAGE_MAX,
	    { { NULL, 0, 0, 0, "" } } },
};

const char *
stage_name(enum stage s)
{
	return (s < STAGE_MAX ? stage_rules[s].sr_name : "?");
}

enum stage
stage_lookup(const char *name)
{
	enum stage s;

	for (s = 0; s < STAGE_MAX; s++)
		if (strcmp(stage_rules[s].sr_name, name) == 0)
			return (s);
	return (STAGE_MAX);
}

int
stage_is_terminal(enum stage s)
{
	return (s == STAGE_DONE || s == STAGE_CANCELLED);
}

const char *
stage_gate_reads(enum stage s, const char *gate)
{
	const struct gate_rule *r;
	enum stage i;

	for (i = 0; i < STAGE_MAX; i++)
		for (r = stage_rules[i].sr_gates; r->gr_name != NULL; r++)
			if (strcmp(r->gr_name, gate) == 0)
				return (r->gr_reads);
	return (s < STAGE_DEVELOPMENT ? stage_rules[s].sr_role : "");
}

int
stage_edge_allowed(enum stage from, enum stage to)
{
	if (from >= STAGE_MAX || to >= STAGE_MAX || stage_is_terminal(from))
		return (0);
	if (to == STAGE_CANCELLED || stage_rules[from].sr_next == to)
		return (1);
	return (to == STAGE_DEVELOPMENT && from > STAGE_DEVELOPMENT);
}

static void __attribute__((format(printf, 2, 3)))
because(struct decision *d, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(d->d_reason, sizeof(d->d_reason), fmt, ap);
	va_end(ap);
}

static void
wait_for(struct decision *d, const char *waits)
{
	d->d_act = ACT_WAIT;
	d->d_waits = waits;
}

static void
park(struct decision *d, const char *how)
{
	d->d_act = ACT_PARK;
	d->d_park = how;
	d->d_waits = "parked";
}

static void
move(struct decision *d, enum stage to)
{
	d->d_act = ACT_MOVE;
	d->d_to = to;
}

static void
decide_created(const struct facts *f, struct decision *d)
{
	if (f->f_dep_cancelled) {
		wait_for(d, "person");
		because(d, "needs %s, which was cancelled", f->f_dep_wait);
	} else if (f->f_dep_wait[0] != '\0') {
		wait_for(d, "dependency");
		because(d, "needs %s to be done first", f->f_dep_wait);
	} else if (f->f_serial_full) {
		wait_for(d, "capacity");
		because(d, "other tasks of the project are under way "
		    "(serial_limit)");
	} else {
		move(d, STAGE_ANALYSIS);
		because(d, "serial_gate and task_deps passed");
	}
}

/* A fail: back, or the person when it has gone round too often. */
static void
decide_fail(const struct facts *f, const struct gate_fact *g,
    struct decision *d)
{
	int person = g->gf_rule->gr_kind == GATE_BY_PERSON;
	enum gate_back back = g->gf_rule->gr_back;

	/*
	 * A missing or bad artifact is its own role's fault, and up to
	 * development there is nothing behind to go back to.
	 */
	if (g->gf_cause == CAUSE_BAD_ARTIFACT ||
	    f->f_stage <= STAGE_DEVELOPMENT)
		back = BACK_ROLE;
	d->d_gate = g->gf_name;
	if (!person && f->f_rework >= f->f_rework_max) {
		park(d, "needs_input");
		because(d, "%s failed, rework %u of %u is used: %s",
		    g->gf_name, f->f_rework, f->f_rework_max, g->gf_reason);
		return;
	}
	d->d_by_person = person;
	because(d, "%s: %s", g->gf_name, g->gf_reason);
	/* Before review nothing lies behind: the stage's own role again. */
	if ((back == BACK_ROLE && f->f_role_configured) ||
	    f->f_stage <= STAGE_DEVELOPMENT) {
		d->d_act = ACT_RERUN;
	} else {
		move(d, STAGE_DEVELOPMENT);
		d->d_backward = 1;
	}
}

/* Something outside has not answered: told when it is overdue. */
static void
decide_silence(const struct facts *f, const struct gate_fact *g,
    struct decision *d)
{
	wait_for(d, "ci");
	if (g->gf_age_s < f->f_silent_s) {
		because(d, "%s: %s", g->gf_name, g->gf_reason);
		return;
	}
	d->d_alert = "ci_silent";
	because(d, "%s has no answer for more than %u s: %s", g->gf_name,
	    f->f_silent_s, g->gf_reason);
}

/* The same, of what can be asked again. */
static void
decide_wait(const struct facts *f, const struct gate_fact *g,
    struct decision *d)
{
	if (!g->gf_due) {
		decide_silence(f, g, d);
		return;
	}
	d->d_act = ACT_GATE;
	d->d_waits = "run";
	because(d, "%s is asked again", g->gf_name);
}

/* What CI says is a result once it is green or red; nobody has to run. */
static void
decide_ci(const struct facts *f, const struct gate_fact *g,
    struct decision *d)
{
	if (g->gf_ci != CI_GREEN && g->gf_ci != CI_RED) {
		decide_silence(f, g, d);
		return;
	}
	d->d_act = ACT_GATE;
	d->d_waits = "run";
	because(d, "%s: CI has answered", g->gf_name);
}

static void
decide_gate(const struct facts *f, const struct gate_fact *g,
    struct decision *d)
{
	d->d_gate = g->gf_name;
	if (!g->gf_have && g->gf_rule->gr_kind == GATE_BY_FORGE) {
		decide_ci(f, g, d);
		return;
	}
	if (!g->gf_have) {
		d->d_act = g->gf_rule->gr_kind == GATE_BY_PERSON ? ACT_ASK :
		    ACT_GATE;
		d->d_waits = d->d_act == ACT_ASK ? "person" : "run";
		because(d, "%s is due", g->gf_name);
		return;
	}
	switch (g->gf_verdict) {
	case GATE_FAIL:
		decide_fail(f, g, d);
		return;
	case GATE_WAIT:
		decide_wait(f, g, d);
		return;
	case GATE_ERROR:
		if (g->gf_errors > f->f_errors_max) {
			park(d, "blocked");
			because(d, "%s could not run %u times: %s",
			    g->gf_name, g->gf_errors, g->gf_reason);
		} else if (g->gf_due) {
			d->d_act = ACT_GATE;
			d->d_waits = "run";
			because(d, "%s is tried again", g->gf_name);
		} else {
			wait_for(d, "retry");
			because(d, "%s could not run, %u of %u retries "
			    "follow: %s", g->gf_name, f->f_errors_max + 1 -
			    g->gf_errors, f->f_errors_max, g->gf_reason);
		}
		return;
	case GATE_PASS:
	case GATE_VERDICT_MAX:
		break;
	}
	d->d_gate = NULL;
}

/* The first gate that does not pass decides; 0 when all passed. */
static int
decide_gates(const struct facts *f, struct decision *d)
{
	size_t i;

	for (i = 0; i < f->f_ngates; i++) {
		const struct gate_fact *g = &f->f_gates[i];

		if (g->gf_have && g->gf_verdict == GATE_PASS)
			continue;
		decide_gate(f, g, d);
		return (1);
	}
	return (0);
}

/*
 * What is merged was judged: a head that is neither the commit nor the
 * code tree of the verdict, nor its patch carried over, goes back.
 */
static void
decide_unjudged(const struct facts *f, struct decision *d)
{
	d->d_gate = f->f_unjudged;
	if (f->f_rework >= f->f_rework_max) {
		park(d, "needs_input");
		because(d, "%s does not hold for the branch's head any more, "
		    "rework %u of %u is used", f->f_unjudged, f->f_rework,
		    f->f_rework_max);
		return;
	}
	move(d, STAGE_DEVELOPMENT);
	d->d_backward = 1;
	if (f->f_withdrawn[0] != '\0') {
		because(d, "%s does not hold any more: %s. Look at the pull "
		    "request and hand it in again", f->f_unjudged,
		    f->f_withdrawn);
		return;
	}
	because(d, "%s does not hold for the branch's head any more: its code "
	    "is not what was judged. Look at it and hand it in again",
	    f->f_unjudged);
}

/* A transition worker, unless the last one failed a moment ago. */
static void
work(const struct facts *f, struct decision *d, const char *name)
{
	if (!f->f_work_due) {
		wait_for(d, "retry");
		because(d, "%s is tried again by itself%s%s", name,
		    f->f_work_why[0] != '\0' ? ": " : "", f->f_work_why);
		return;
	}
	d->d_act = ACT_WORK;
	d->d_work = name;
	d->d_waits = "run";
	because(d, "%s is due", name);
}

static void
decide_deploy(const struct facts *f, struct decision *d)
{
	switch (f->f_deploy) {
	case DEPLOY_ENDED:
		work(f, d, "finish");
		return;
	case DEPLOY_STARTED:
		wait_for(d, "run");
		because(d, "the deploy hook runs");
		return;
	case DEPLOY_DOUBT:
		wait_for(d, "run");
		because(d, "%s", f->f_deploy_why);
		return;
	case DEPLOY_NONE:
	case DEPLOY_LANE_BUSY:
	case DEPLOY_FROZEN:
		break;
	}
	if (f->f_confirm_refused) {
		move(d, STAGE_DEVELOPMENT);
		d->d_backward = 1;
		d->d_by_person = 1;
		d->d_gate = "check_deploy_status";
		because(d, "the deploy was refused by a person");
	} else if (f->f_confirm_needed && !f->f_confirmed) {
		d->d_act = ACT_ASK;
		d->d_gate = "check_deploy_status";
		d->d_waits = "person";
		because(d, "Confirm Deploy");
	} else if (f->f_deploy == DEPLOY_FROZEN) {
		wait_for(d, "freeze");
		because(d, "%s", f->f_deploy_why);
	} else if (f->f_deploy == DEPLOY_LANE_BUSY) {
		wait_for(d, "capacity");
		because(d, "another deploy of the project is under way");
	} else {
		work(f, d, "deploy");
	}
}

/* Nothing leads out of done: what follows is about production. */
static void
decide_done(const struct facts *f, struct decision *d)
{
	switch (f->f_rollback) {
	case ROLLBACK_NONE:
		wait_for(d, "");
		because(d, "%s", stage_name(f->f_stage));
		return;
	case ROLLBACK_DUE:
		work(f, d, "rollback");
		return;
	case ROLLBACK_STARTED:
		wait_for(d, "run");
		because(d, "the rollback hook runs");
		return;
	case ROLLBACK_DOUBT:
		wait_for(d, "run");
		because(d, "%s", f->f_deploy_why);
		return;
	case ROLLBACK_ENDED:
		work(f, d, "record");
		return;
	}
}

/* All gates passed: the history names the person who let it through. */
static void
decide_forward(const struct facts *f, struct decision *d)
{
	size_t i;

	move(d, stage_rules[f->f_stage].sr_next);
	for (i = 0; i < f->f_ngates; i++)
		if (f->f_gates[i].gf_rule->gr_kind == GATE_BY_PERSON) {
			because(d, "all gates passed, %s",
			    f->f_gates[i].gf_reason);
			return;
		}
	because(d, "all gates passed: %s", f->f_ngates == 0 ? "none" :
	    f->f_gates[f->f_ngates - 1].gf_reason);
}

void
stage_decide(const struct facts *f, struct decision *d)
{
	memset(d, 0, sizeof(*d));
	d->d_to = STAGE_MAX;
	d->d_waits = "";
	if (stage_is_terminal(f->f_stage) && (f->f_active[0] == '\0' ||
	    f->f_rollback == ROLLBACK_NONE)) {
		decide_done(f, d);
	} else if (f->f_active[0] != '\0') {
		wait_for(d, "run");
		because(d, "%s", f->f_active);
	} else if (f->f_cancel) {
		if (f->f_branch_known)
			work(f, d, "close");
		else {
			move(d, STAGE_CANCELLED);
			because(d, "cancelled by a person");
		}
	} else if (f->f_parked) {
		wait_for(d, "parked");
	} else if (f->f_stage == STAGE_CREATED) {
		decide_created(f, d);
	} else if (f->f_agent_due && f->f_role_configured && f->f_fetch_due) {
		work(f, d, "fetch");
	} else if (f->f_agent_due && f->f_role_configured) {
		d->d_act = ACT_AGENT;
		d->d_waits = "capacity";
		because(d, "%s is due", stage_rules[f->f_stage].sr_role);
	} else if (f->f_head_known && !f->f_published) {
		work(f, d, "publish");
	} else if (decide_gates(f, d)) {
		return;
	} else if (f->f_stage == STAGE_DEPLOY_STAGING &&
	    f->f_unjudged != NULL) {
		decide_unjudged(f, d);
	} else if (f->f_stage == STAGE_DEPLOY_STAGING) {
		work(f, d, "edge");
	} else if (f->f_stage == STAGE_DEPLOY) {
		decide_deploy(f, d);
	} else {
		decide_forward(f, d);
	}
}
