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


/* The rules alone: every combination of facts answers, and skips no gate. */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "orchd/stage.h"

static const struct {
	const char	*name, *role, *gates, *next;
} table[STAGE_MAX] = {
	{ "created", "", "serial_gate task_deps", "analysis" },
	{ "analysis", "analyst",
	    "check_analysis_complete check_analysis_approved",
	    "architecture" },
	{ "architecture", "architect", "check_architecture_done",
	    "development" },
	{ "development", "developer", "check_tests_local check_ci_green",
	    "review" },
	{ "review", "reviewer", "check_reviewer_verdict check_review_approved",
	    "testing" },
	{ "testing", "tester", "check_tests_passed", "deploy-staging" },
	{ "deploy-staging", "deployer", "check_staging_status check_security "
	    "check_branch_mergeable check_coverage check_staging_image_fresh",
	    "deploy" },
	{ "deploy", "", "check_deploy_status", "done" },
	{ "done", "", "", NULL },
	{ "cancelled", "", "", NULL },
};

START_TEST(the_table_is_that_of_the_pipeline)
{
	const struct stage_rule *r;
	const struct gate_rule *g;
	char gates[512];
	enum stage s;

	for (s = 0; s < STAGE_MAX; s++) {
		r = &stage_rules[s];
		ck_assert_str_eq(r->sr_name, table[s].name);
		ck_assert_str_eq(r->sr_role, table[s].role);
		gates[0] = '\0';
		for (g = r->sr_gates; g->gr_name != NULL; g++) {
			size_t n = strlen(gates);

			snprintf(gates + n, sizeof(gates) - n, "%s%s",
			    n > 0 ? " " : "", g->gr_name);
		}
		ck_assert_str_eq(gates, table[s].gates);
		if (table[s].next == NULL)
			ck_assert_int_eq(r->sr_next, STAGE_MAX);
		else
			ck_assert_str_eq(stage_name(r->sr_next),
			    table[s].next);
		ck_assert_int_eq(stage_lookup(table[s].name), s);
	}
	ck_assert_int_eq(stage_lookup("Done"), STAGE_MAX);
	ck_assert_int_eq(stage_lookup(""), STAGE_MAX);
	ck_assert_str_eq(stage_name(STAGE_MAX), "?");
}
END_TEST

START_TEST(terminal_is_done_or_cancelled_and_has_no_way_out)
{
	enum stage from, to;

	for (from = 0; from < STAGE_MAX; from++) {
		ck_assert_int_eq(stage_is_terminal(from),
		    from == STAGE_DONE || from == STAGE_CANCELLED);
		for (to = 0; to < STAGE_MAX; to++)
			if (stage_is_terminal(from))
				ck_assert(!stage_edge_allowed(from, to));
	}
}
END_TEST

START_TEST(only_the_tables_edges_exist)
{
	int from, to, want, edges = 0;

	for (from = 0; from <= STAGE_MAX; from++)
		for (to = 0; to <= STAGE_MAX; to++) {
			want = from < STAGE_DONE && (to == from + 1 ||
			    to == STAGE_CANCELLED ||
			    (to == STAGE_DEVELOPMENT &&
			    from > STAGE_DEVELOPMENT));
			ck_assert_msg(!stage_edge_allowed((enum stage)from,
			    (enum stage)to) == !want, "%d -> %d", from, to);
			edges += want;
		}
	ck_assert_int_eq(edges, 8 + 8 + 4);
}
END_TEST

/* What one gate may say: GATE_SAYS of them. */
#define GATE_SAYS	10
#define ERRORS_MAX	5
#define REWORK_MAX	3

static void
gate_says(struct gate_fact *g, int what)
{
	static const struct {
		enum gate_verdict v;
		enum orch_cause	  cause;
		unsigned int	  errors;
		int		  due;
	} say[GATE_SAYS - 1] = {
		{ GATE_PASS, CAUSE_NONE, 0, 0 },
		{ GATE_FAIL, CAUSE_RED, 0, 0 },
		{ GATE_FAIL, CAUSE_BAD_ARTIFACT, 0, 0 },
		{ GATE_WAIT, CAUSE_NONE, 0, 0 },
		{ GATE_WAIT, CAUSE_NONE, 0, 1 },
		{ GATE_ERROR, CAUSE_INFRA, 1, 0 },
		{ GATE_ERROR, CAUSE_INFRA, 1, 1 },
		{ GATE_ERROR, CAUSE_TIMEOUT, ERRORS_MAX, 1 },
		{ GATE_ERROR, CAUSE_TIMEOUT, ERRORS_MAX + 1, 1 },
	};

	g->gf_have = what > 0;
	if (what == 0)
		return;
	g->gf_verdict = say[what - 1].v;
	g->gf_cause = say[what - 1].cause;
	g->gf_errors = say[what - 1].errors;
	g->gf_due = say[what - 1].due;
}

/* The gates that the facts of a stage hold, with one of the project's own. */
static void
gates_of(enum stage s, struct facts *f)
{
	static const struct gate_rule own = { NULL, GATE_BY_RUN,
	    BACK_DEVELOPMENT, 0, "" };
	const struct gate_rule *r;

	for (r = stage_rules[s].sr_gates; r->gr_name != NULL; r++) {
		if (r->gr_kind == GATE_BY_ENGINE ||
		    r->gr_kind == GATE_BY_WORKER)
			continue;
		f->f_gates[f->f_ngates].gf_rule = r;
		f->f_gates[f->f_ngates++].gf_name = r->gr_name;
	}
	if (s == STAGE_CREATED || s == STAGE_DEPLOY || stage_is_terminal(s))
		return;
	f->f_gates[f->f_ngates].gf_rule = &own;
	f->f_gates[f->f_ngates++].gf_name = "own";
}

static const struct gate_fact *
first_open(const struct facts *f)
{
	size_t i;

	for (i = 0; i < f->f_ngates; i++)
		if (!f->f_gates[i].gf_have ||
		    f->f_gates[i].gf_verdict != GATE_PASS)
			return (&f->f_gates[i]);
	return (NULL);
}

/* Millions of times: Check's own assertions write a byte each. */
#define MUST(cond) do {							\
	if (!(cond))							\
		ck_abort_msg("%s", #cond);				\
} while (0)

static void
judge_move(const struct facts *f, const struct decision *d)
{
	const struct gate_fact *g = first_open(f);

	MUST(stage_edge_allowed(f->f_stage, d->d_to));
	if (d->d_to == STAGE_CANCELLED) {
		MUST(f->f_cancel && !f->f_branch_known);
		return;
	}
	MUST(!f->f_cancel && !f->f_parked);
	if (d->d_backward) {
		MUST(d->d_to == STAGE_DEVELOPMENT &&
		    f->f_stage > STAGE_DEVELOPMENT);
		MUST(f->f_stage == STAGE_DEPLOY ? f->f_confirm_refused :
		    g != NULL && g->gf_have && g->gf_verdict == GATE_FAIL &&
		    (g->gf_cause != CAUSE_BAD_ARTIFACT ||
		    !f->f_role_configured));
		MUST(d->d_by_person || f->f_rework < REWORK_MAX);
		return;
	}
	/* Forward: nothing is open, nothing is due, nothing is unpublished. */
	MUST(g == NULL);
	MUST(d->d_to == f->f_stage + 1);
	MUST(f->f_stage != STAGE_DEPLOY_STAGING &&
	    f->f_stage != STAGE_DEPLOY);
	if (f->f_stage == STAGE_CREATED) {
		MUST(!f->f_serial_full && f->f_dep_wait[0] == '\0' &&
		    !f->f_dep_cancelled);
		return;
	}
	MUST(!(f->f_agent_due && f->f_role_configured));
	MUST(!f->f_head_known || f->f_published);
}

static void
judge_park(const struct facts *f, const struct decision *d)
{
	const struct gate_fact *g = first_open(f);

	MUST(g != NULL);
	MUST(d->d_park != NULL);
	if (g->gf_verdict == GATE_FAIL) {
		MUST(strcmp(d->d_park, "needs_input") == 0);
		MUST(f->f_rework >= REWORK_MAX);
	} else {
		MUST(g->gf_verdict == GATE_ERROR);
		MUST(strcmp(d->d_park, "blocked") == 0);
		MUST(g->gf_errors > ERRORS_MAX);
	}
}

static void
judge_gate(const struct facts *f, const struct decision *d)
{
	const struct gate_fact *g = first_open(f);

	if (f->f_stage == STAGE_DEPLOY) {
		MUST(d->d_act == ACT_ASK);
		MUST(strcmp(d->d_gate, "check_deploy_status") == 0);
		MUST(f->f_confirm_needed && !f->f_confirmed);
		return;
	}
	MUST(g != NULL);
	MUST(strcmp(d->d_gate, g->gf_name) == 0);
	MUST((d->d_act == ACT_ASK) ==
	    (g->gf_rule->gr_kind == GATE_BY_PERSON));
	/* Nobody runs what the forge has to say. */
	MUST(g->gf_have || g->gf_rule->gr_kind != GATE_BY_FORGE ||
	    g->gf_ci == CI_GREEN || g->gf_ci == CI_RED);
	MUST(!g->gf_have || (g->gf_due && (g->gf_verdict == GATE_WAIT ||
	    (g->gf_verdict == GATE_ERROR && g->gf_errors <= ERRORS_MAX))));
}

static void
judge_work(const struct facts *f, const struct decision *d)
{
	MUST(f->f_work_due);
	if (strcmp(d->d_work, "close") == 0) {
		MUST(f->f_cancel && f->f_branch_known);
	} else if (strcmp(d->d_work, "fetch") == 0) {
		MUST(f->f_fetch_due && f->f_agent_due);
	} else if (strcmp(d->d_work, "publish") == 0) {
		MUST(f->f_head_known && !f->f_published);
	} else if (strcmp(d->d_work, "edge") == 0) {
		MUST(f->f_stage == STAGE_DEPLOY_STAGING);
		MUST(first_open(f) == NULL);
	} else if (strcmp(d->d_work, "deploy") == 0) {
		MUST(f->f_stage == STAGE_DEPLOY &&
		    f->f_deploy == DEPLOY_NONE && !f->f_confirm_refused);
		MUST(f->f_confirmed || !f->f_confirm_needed);
	} else {
		MUST(strcmp(d->d_work, "finish") == 0);
		MUST(f->f_deploy == DEPLOY_ENDED);
	}
}

static void
judge(const struct facts *f)
{
	const struct gate_fact *g = first_open(f);
	struct decision d;

	stage_decide(f, &d);
	MUST(d.d_waits != NULL);
	MUST(d.d_reason[0] != '\0' || (f->f_parked &&
	    d.d_act == ACT_WAIT));
	/* Nothing begins while something runs, or on a task that ended. */
	if (stage_is_terminal(f->f_stage) || f->f_active[0] != '\0' ||
	    (f->f_parked && !f->f_cancel))
		MUST(d.d_act == ACT_WAIT);
	switch (d.d_act) {
	case ACT_WAIT:
		break;
	case ACT_MOVE:
		judge_move(f, &d);
		break;
	case ACT_AGENT:
		MUST(!f->f_fetch_due);
		MUST(f->f_agent_due && f->f_role_configured &&
		    stage_rules[f->f_stage].sr_role[0] != '\0');
		break;
	case ACT_RERUN:
		MUST(g != NULL && g->gf_verdict == GATE_FAIL);
		MUST(d.d_by_person || f->f_rework < REWORK_MAX);
		break;
	case ACT_ASK:
	case ACT_GATE:
		judge_gate(f, &d);
		break;
	case ACT_WORK:
		judge_work(f, &d);
		break;
	case ACT_PARK:
		judge_park(f, &d);
		break;
	default:
		ck_abort_msg("act %d", d.d_act);
	}
	/* An error is never a pass and never anybody's fault. */
	if (g != NULL && g->gf_have && g->gf_verdict == GATE_ERROR &&
	    !f->f_cancel)
		MUST(d.d_act != ACT_RERUN && d.d_act != ACT_MOVE);
}

#define BIT(n)	((bits >> (n)) & 1)

/* All that is not a gate's result, and in deploy the deploy's facts. */
static void
walk_bits(struct facts *f)
{
	unsigned int bits, deploy, ndeploy = f->f_stage == STAGE_DEPLOY ?
	    6 * 8 : 1, ncreated = f->f_stage == STAGE_CREATED ? 2 : 0;

	for (bits = 0; bits < 1U << (10 + ncreated); bits++) {
		f->f_parked = BIT(0);
		f->f_cancel = BIT(1);
		f->f_branch_known = BIT(2);
		f->f_active = BIT(3) ? "developer runs" : "";
		f->f_role_configured = BIT(4) &&
		    stage_rules[f->f_stage].sr_role[0] != '\0';
		f->f_agent_due = BIT(5);
		f->f_fetch_due = BIT(9);
		f->f_head_known = BIT(6);
		f->f_published = BIT(7);
		f->f_work_due = BIT(8);
		f->f_rework = BIT(9) ? REWORK_MAX : REWORK_MAX - 1;
		f->f_serial_full = BIT(10);
		f->f_dep_wait = BIT(11) ? "DEMO-7" : "";
		f->f_dep_cancelled = BIT(11) && BIT(10);
		for (deploy = 0; deploy < ndeploy; deploy++) {
			f->f_deploy = (enum deploy_fact)(deploy >> 3);
			f->f_confirm_needed = deploy & 1;
			f->f_confirmed = (deploy >> 1) & 1;
			f->f_confirm_refused = (deploy >> 2) & 1;
			judge(f);
		}
	}
}

START_TEST(every_combination_of_facts_answers_and_skips_no_gate)
{
	struct facts f = { .f_stage = (enum stage)_i, .f_rework_max =
	    REWORK_MAX, .f_errors_max = ERRORS_MAX, .f_dep_wait = "",
	    .f_deploy_why = "why" };
	int combo, n, rest;
	size_t i;

	gates_of(f.f_stage, &f);
	for (n = 1, i = 0; i < f.f_ngates; i++)
		n *= GATE_SAYS;
	for (combo = 0; combo < n; combo++) {
		for (rest = combo, i = 0; i < f.f_ngates; i++) {
			/* A person says nothing, yes or no. */
			gate_says(&f.f_gates[i], rest % (f.f_gates[i].gf_rule
			    ->gr_kind == GATE_BY_PERSON ? 3 : GATE_SAYS));
			rest /= GATE_SAYS;
		}
		walk_bits(&f);
	}
}
END_TEST

/* A task in review with one gate, for single facts. */
static void
review(struct facts *f, int says)
{
	memset(f, 0, sizeof(*f));
	f->f_stage = STAGE_REVIEW;
	f->f_active = f->f_dep_wait = "";
	f->f_role_configured = f->f_head_known = f->f_published = 1;
	f->f_work_due = 1;
	f->f_rework_max = REWORK_MAX;
	f->f_errors_max = ERRORS_MAX;
	f->f_ngates = 1;
	f->f_gates[0].gf_rule = &stage_rules[STAGE_REVIEW].sr_gates[0];
	f->f_gates[0].gf_name = "check_reviewer_verdict";
	gate_says(&f->f_gates[0], says);
}

START_TEST(a_red_review_goes_back_and_a_bad_artifact_to_the_reviewer)
{
	struct decision d;
	struct facts f;

	review(&f, 2);
	stage_decide(&f, &d);
	ck_assert_int_eq(d.d_act, ACT_MOVE);
	ck_assert_int_eq(d.d_to, STAGE_DEVELOPMENT);
	ck_assert_int_eq(d.d_backward, 1);
	review(&f, 3);
	stage_decide(&f, &d);
	ck_assert_int_eq(d.d_act, ACT_RERUN);
}
END_TEST

START_TEST(a_persons_rejection_is_heard_however_often_it_went_round)
{
	struct decision d;
	struct facts f;

	review(&f, 1);
	f.f_ngates = 2;
	f.f_gates[1].gf_rule = &stage_rules[STAGE_REVIEW].sr_gates[1];
	f.f_gates[1].gf_name = "check_review_approved";
	gate_says(&f.f_gates[1], 2);
	f.f_rework = 1000;
	stage_decide(&f, &d);
	ck_assert_int_eq(d.d_act, ACT_MOVE);
	ck_assert_int_eq(d.d_by_person, 1);
}
END_TEST

START_TEST(the_first_open_gate_is_the_one_that_is_asked)
{
	struct decision d;
	struct facts f;

	review(&f, 0);
	f.f_ngates = 2;
	f.f_gates[1].gf_rule = &stage_rules[STAGE_REVIEW].sr_gates[1];
	f.f_gates[1].gf_name = "check_review_approved";
	gate_says(&f.f_gates[1], 1);
	stage_decide(&f, &d);
	ck_assert_int_eq(d.d_act, ACT_GATE);
	ck_assert_str_eq(d.d_gate, "check_reviewer_verdict");
}
END_TEST

/* Every wait has a deadline, an alert and a sentence. */
START_TEST(a_wait_is_asked_again_and_told_when_overdue)
{
	struct decision d;
	struct facts f;

	review(&f, 4);
	f.f_silent_s = 900;
	f.f_gates[0].gf_age_s = 899;
	stage_decide(&f, &d);
	ck_assert_int_eq(d.d_act, ACT_WAIT);
	ck_assert_str_eq(d.d_waits, "ci");
	ck_assert_ptr_null(d.d_alert);
	f.f_gates[0].gf_age_s = 900;
	stage_decide(&f, &d);
	ck_assert_int_eq(d.d_act, ACT_WAIT);
	ck_assert_str_eq(d.d_alert, "ci_silent");
	ck_assert_ptr_nonnull(strstr(d.d_reason, "900 s"));
	f.f_gates[0].gf_due = 1;
	stage_decide(&f, &d);
	ck_assert_int_eq(d.d_act, ACT_GATE);
	ck_assert_str_eq(d.d_gate, "check_reviewer_verdict");
}
END_TEST

START_TEST(what_is_done_has_its_rollback_and_nothing_else)
{
	static const struct {
		enum rollback_fact	 fact;
		const char		*work;
		const char		*waits;
	} t[] = {
		{ ROLLBACK_NONE, NULL, "" },
		{ ROLLBACK_DUE, "rollback", "run" },
		{ ROLLBACK_STARTED, NULL, "run" },
		{ ROLLBACK_DOUBT, NULL, "run" },
		{ ROLLBACK_ENDED, "record", "run" },
	};
	struct facts f = { .f_stage = STAGE_DONE, .f_active = "",
	    .f_dep_wait = "", .f_deploy_why = "doubt", .f_work_due = 1,
	    .f_cancel = 1, .f_branch_known = 1, .f_agent_due = 1,
	    .f_role_configured = 1, .f_rollback = t[_i].fact };
	struct decision d;

	stage_decide(&f, &d);
	ck_assert_int_eq(d.d_act, t[_i].work == NULL ? ACT_WAIT : ACT_WORK);
	if (t[_i].work != NULL)
		ck_assert_str_eq(d.d_work, t[_i].work);
	ck_assert_str_eq(d.d_waits, t[_i].waits);
	f.f_active = "rollback runs";
	stage_decide(&f, &d);
	ck_assert_int_eq(d.d_act, ACT_WAIT);
}
END_TEST

/* Confirmed or not, nothing is deployed into a frozen lane. */
START_TEST(a_frozen_lane_waits_and_says_why)
{
	struct facts f = { .f_stage = STAGE_DEPLOY, .f_active = "",
	    .f_dep_wait = "", .f_deploy = DEPLOY_FROZEN, .f_work_due = 1,
	    .f_deploy_why = "rolled back", .f_confirm_needed = _i,
	    .f_confirmed = 1, .f_head_known = 1, .f_published = 1 };
	struct decision d;

	stage_decide(&f, &d);
	ck_assert_int_eq(d.d_act, ACT_WAIT);
	ck_assert_str_eq(d.d_waits, "freeze");
	ck_assert_str_eq(d.d_reason, "rolled back");
	f.f_deploy = DEPLOY_DOUBT;
	stage_decide(&f, &d);
	ck_assert_str_eq(d.d_waits, "run");
	ck_assert_str_eq(d.d_reason, "rolled back");
}
END_TEST

START_TEST(a_cancelled_dependency_waits_for_a_person)
{
	struct facts f = { .f_stage = STAGE_CREATED, .f_active = "",
	    .f_dep_wait = "DEMO-3", .f_dep_cancelled = 1 };
	struct decision d;

	stage_decide(&f, &d);
	ck_assert_int_eq(d.d_act, ACT_WAIT);
	ck_assert_str_eq(d.d_waits, "person");
	ck_assert_ptr_nonnull(strstr(d.d_reason, "DEMO-3"));
}
END_TEST

int
main(void)
{
	Suite *su = suite_create("stage");
	TCase *tc = tcase_create("stage");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, the_table_is_that_of_the_pipeline);
	tcase_add_test(tc, terminal_is_done_or_cancelled_and_has_no_way_out);
	tcase_add_test(tc, only_the_tables_edges_exist);
	tcase_add_loop_test(tc,
	    every_combination_of_facts_answers_and_skips_no_gate, 0,
	    STAGE_MAX);
	tcase_add_test(tc,
	    a_red_review_goes_back_and_a_bad_artifact_to_the_reviewer);
	tcase_add_test(tc,
	    a_persons_rejection_is_heard_however_often_it_went_round);
	tcase_add_test(tc, the_first_open_gate_is_the_one_that_is_asked);
	tcase_add_test(tc, a_cancelled_dependency_waits_for_a_person);
	tcase_add_test(tc, a_wait_is_asked_again_and_told_when_overdue);
	tcase_add_loop_test(tc, what_is_done_has_its_rollback_and_nothing_else,
	    0, 5);
	tcase_add_loop_test(tc, a_frozen_lane_waits_and_says_why, 0, 2);
	suite_add_tcase(su, tc);
	sr = srunner_create(su);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}
