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


/* A project's own gate that fails: where the task goes from each stage. */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "orchd/stage.h"

static const struct gate_rule own = { NULL, GATE_BY_RUN, BACK_DEVELOPMENT, 0,
    "" };

/* The stage's role is there and published its commit; the gate is red. */
static void
decide(enum stage s, struct decision *d)
{
	struct facts	 f;

	memset(&f, 0, sizeof(f));
	f.f_stage = s;
	f.f_rework_max = 3;
	f.f_errors_max = 5;
	f.f_active = "";
	f.f_dep_wait = "";
	f.f_role_configured = 1;
	f.f_head_known = f.f_published = 1;
	f.f_work_due = 1;
	f.f_ngates = 1;
	f.f_gates[0].gf_rule = &own;
	f.f_gates[0].gf_name = "lint";
	f.f_gates[0].gf_have = 1;
	f.f_gates[0].gf_verdict = GATE_FAIL;
	f.f_gates[0].gf_cause = CAUSE_RED;
	stage_decide(&f, d);
}

START_TEST(own_gate_red_before_review_runs_the_role_again)
{
	struct decision	 d;

	decide((enum stage)_i, &d);
	ck_assert_int_eq(d.d_act, ACT_RERUN);
	ck_assert_str_eq(d.d_gate, "lint");
}
END_TEST

START_TEST(own_gate_red_after_development_goes_back_to_it)
{
	struct decision	 d;

	decide((enum stage)_i, &d);
	ck_assert_int_eq(d.d_act, ACT_MOVE);
	ck_assert_int_eq(d.d_to, STAGE_DEVELOPMENT);
	ck_assert_int_eq(d.d_backward, 1);
	ck_assert_int_eq(stage_edge_allowed((enum stage)_i, d.d_to), 1);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("own gates");
	TCase	*tc = tcase_create("red");
	SRunner	*sr;
	int	 failed;

	tcase_add_loop_test(tc, own_gate_red_before_review_runs_the_role_again,
	    STAGE_ANALYSIS, STAGE_REVIEW);
	tcase_add_loop_test(tc, own_gate_red_after_development_goes_back_to_it,
	    STAGE_REVIEW, STAGE_DEPLOY);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}
