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

/* What staging serves is what lands, and gates that wait. */

#include "orchd/image.h"
#include "orchd/lease.h"

#include "engine_play.h"

#define BOTH	"\tstaging check \"make\"\n\timage build \"make\""
#define BUILD	"\timage build \"make\""
#define MERGE	"check_branch_mergeable"
#define STAGING	"check_staging_status"

static struct fx_spawn	s;
static struct fx_msg	go;
static uint64_t		epoch;
static int		sock;
static char		head[ID_HEX], tree[ID_HEX];
static const char	other[] = "00000000000000000000000000000000000000ee";

static void
setup(void)
{
	fx_open("", BOTH);
}

/* An edge inside its lease; the code tree of what lands is on record. */
static void
edge(void)
{
	sock = fx_worker_in("deploy-staging", "edge", &s, &go);
	epoch = fx_begin(sock, &go.any.run_go);
	ck_assert_uint_gt(epoch, 0);
	strlcpy(head, go.any.run_go.head, sizeof(head));
	strlcpy(tree, go.any.run_go.tree, sizeof(tree));
	fx_sql("INSERT INTO gate_result (task, round, stage_seq, gate, "
	    "commit_id, tree, verdict, started_at, run) VALUES (1, 0, 1, '"
	    MERGE "', '%s', '%s', 'pass', 1, 1)", head, tree);
}

/* A command was run at the head, and its artifact says this tree. */
static void
said(const char *gate, const char *image)
{
	fx_sql("INSERT INTO gate_result (task, round, stage_seq, gate, "
	    "commit_id, tree, verdict, started_at, run, image_commit, "
	    "image_tree) VALUES (1, 0, 1, '%s', '%s', '%s', 'pass', 1, 1, "
	    "'%s', '%s')", gate, head, tree, image[0] == '\0' ? "" : head,
	    image);
}

/* The answer to a gate; its result.  -1: none comes now. */
static int
gate(const char *name, enum orch_gate_look look, struct orch_gate_answer *a)
{
	struct orch_gate g = { epoch, name, head, (uint8_t)look };
	static char reason[2049];
	struct fx_msg m;

	ck_assert_int_eq(chan_write_one(sock, ORCH_gate, 7, &g, -1, FX_WAIT),
	    0);
	fx_pump();
	if (!fx_read(sock, &m))
		return (-1);
	ck_assert_uint_eq(m.h.h_type, ORCH_gate_answer);
	*a = m.any.gate_answer;
	strlcpy(reason, a->reason, sizeof(reason));
	a->reason = reason;
	fx_free(&m);
	return (a->result);
}

static int
intent(void)
{
	char key[128];
	struct orch_effect e = { epoch, IMAGE_BUILD, key, CLASS_PROBE };
	struct fx_msg m;
	int res;

	snprintf(key, sizeof(key), "image:DEMO-1:r0:%s", head);
	fx_ask(sock, ORCH_effect, &e, -1, &m);
	res = m.any.effect_answer.result;
	fx_free(&m);
	return (res);
}

START_TEST(the_artifact_must_be_built_from_the_tree_that_lands)
{
	struct orch_gate_answer a;

	edge();
	ck_assert_int_eq(gate(IMAGE_FRESH, LOOK_NO, &a), RES_OK);
	ck_assert_int_eq(a.verdict, GATE_ERROR);
	ck_assert_int_eq(a.cause, CAUSE_BAD_ARTIFACT);
	ck_assert_ptr_nonnull(strstr(a.reason, "ORCH_IMAGE_FILE"));
	said(STAGING, other);
	ck_assert_int_eq(gate(IMAGE_FRESH, LOOK_NO, &a), RES_OK);
	ck_assert_int_eq(a.verdict, GATE_FAIL);
	ck_assert_ptr_nonnull(strstr(a.reason, "staging serves"));
	/* What was built is not what staging serves until it is checked. */
	said(IMAGE_BUILD, tree);
	ck_assert_int_eq(gate(IMAGE_FRESH, LOOK_NO, &a), RES_OK);
	ck_assert_int_eq(a.verdict, GATE_FAIL);
	said(STAGING, tree);
	ck_assert_int_eq(gate(IMAGE_FRESH, LOOK_NO, &a), RES_OK);
	ck_assert_int_eq(a.verdict, GATE_PASS);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM gate_result WHERE gate "
	    "= '" IMAGE_FRESH "'"), 4);
	/* Another task's edge has put another one there since. */
	said(STAGING, other);
	ck_assert_int_eq(gate(IMAGE_FRESH, LOOK_NO, &a), RES_OK);
	ck_assert_int_eq(a.verdict, GATE_FAIL);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM run WHERE gate LIKE "
	    "'%%image%%'"), 0);
}
END_TEST

START_TEST(without_staging_the_build_itself_says_it)
{
	struct orch_gate_answer a;

	fx_conf("", BUILD);
	edge();
	said(IMAGE_BUILD, tree);
	ck_assert_int_eq(gate(IMAGE_FRESH, LOOK_NO, &a), RES_OK);
	ck_assert_int_eq(a.verdict, GATE_PASS);
	/* Not tested, without a merge gate: the head's tree is known. */
	fx_sql("DELETE FROM gate_result WHERE gate = '" MERGE "'");
	ck_assert_int_eq(gate(IMAGE_FRESH, LOOK_NO, &a), RES_OK);
	ck_assert_int_eq(a.verdict, GATE_PASS);
	fx_sql("UPDATE gate_result SET tree = ''");
	fx_sql("UPDATE task SET tree = ''");
	ck_assert_int_eq(gate(IMAGE_FRESH, LOOK_NO, &a), RES_OK);
	ck_assert_int_eq(a.verdict, GATE_ERROR);
	ck_assert_int_eq(a.cause, CAUSE_BAD_ARTIFACT);
}
END_TEST

START_TEST(a_build_wants_its_intent_and_is_looked_at_without_one)
{
	struct orch_gate_answer a;

	edge();
	ck_assert_int_eq(gate(IMAGE_BUILD, LOOK_NO, &a), RES_REFUSED);
	ck_assert_int_eq(gate(IMAGE_BUILD, LOOK_RECORD, &a), RES_NOTFOUND);
	ck_assert_int_eq(gate(IMAGE_BUILD, LOOK_WAIT, &a), RES_NOTFOUND);
	ck_assert(!fx_spawned(&s));
	ck_assert_int_eq(intent(), RES_OK);
	ck_assert_int_eq(gate(IMAGE_BUILD, LOOK_NO, &a), -1);
	/* Under way: nothing on record; its end may be waited for. */
	ck_assert_int_eq(gate(IMAGE_BUILD, LOOK_RECORD, &a), RES_NOTFOUND);
	ck_assert_int_eq(gate(IMAGE_BUILD, LOOK_WAIT, &a), -1);
	fx_expect(&s, KIND_GATE, IMAGE_BUILD);
	fx_play_spawn(&s);
	ck_assert(fx_read(sock, &go));
	ck_assert_int_eq(go.any.gate_answer.verdict, GATE_PASS);
	fx_free(&go);
	ck_assert_int_eq(gate(IMAGE_BUILD, LOOK_RECORD, &a), RES_OK);
	ck_assert_int_eq(a.verdict, GATE_PASS);
	ck_assert_int_eq(gate(IMAGE_BUILD, LOOK_NO, &a), RES_OK);
	ck_assert(!fx_spawned(&s));
}
END_TEST

START_TEST(staging_is_checked_again_after_a_build)
{
	struct orch_gate_answer a;

	edge();
	said(STAGING, other);
	ck_assert_int_eq(gate(STAGING, LOOK_NO, &a), RES_OK);
	ck_assert_int_eq(a.verdict, GATE_PASS);
	said(IMAGE_BUILD, tree);
	ck_assert_int_eq(gate(STAGING, LOOK_NO, &a), -1);
	fx_expect(&s, KIND_GATE, STAGING);
	fx_play_spawn(&s);
	ck_assert(fx_read(sock, &go));
	fx_free(&go);
	ck_assert_int_eq(gate(STAGING, LOOK_NO, &a), RES_OK);
	ck_assert(!fx_spawned(&s));
}
END_TEST

/* What a runner says of the artifact is kept when it is whole. */
START_TEST(what_the_command_says_is_kept_with_its_result)
{
	struct orch_run_done d = { .verdict = GATE_PASS,
	    .image_commit = _i == 0 ? other : "main", .image_tree = other };
	struct orch_gate_answer a;
	struct fx_msg m;
	int run;

	edge();
	ck_assert_int_eq(gate(STAGING, LOOK_NO, &a), -1);
	fx_expect(&s, KIND_GATE, STAGING);
	run = fx_connect_run(&s, &m);
	fx_free(&m);
	d.run = s.run;
	d.commit = head;
	ck_assert_int_eq(fx_result(run, ORCH_run_done, &d), RES_OK);
	ck_assert_str_eq(fx_str("SELECT image_tree FROM gate_result WHERE "
	    "gate = '" STAGING "'"), _i == 0 ? other : "");
}
END_TEST

START_TEST(a_gate_that_waits_is_asked_again)
{
	struct orch_gate_answer a;

	edge();
	fx_sql("DELETE FROM gate_result WHERE gate = '" STAGING "'");
	fx.script = (struct fx_script){ STAGING, 1, GATE_WAIT, CAUSE_NONE };
	ck_assert_int_eq(gate(STAGING, LOOK_NO, &a), -1);
	fx_expect(&s, KIND_GATE, STAGING);
	fx_play_spawn(&s);
	ck_assert(fx_read(sock, &go));
	ck_assert_int_eq(go.any.gate_answer.verdict, GATE_WAIT);
	fx_free(&go);
	ck_assert_int_eq(gate(STAGING, LOOK_NO, &a), -1);
	fx_expect(&s, KIND_GATE, STAGING);
}
END_TEST

/* Outside the edge: again and again, told once after ci_silent_s. */
START_TEST(a_wait_outside_is_alerted_once_and_ends)
{
	int i;

	fx.script = (struct fx_script){ "check_tests_local", -1, GATE_WAIT,
	    CAUSE_NONE };
	ck_assert_int_eq(fx_submit("tally", NULL), RES_OK);
	fx_play_until("DEMO-1", "development");
	while (fx_spawned(&s))
		fx_play_spawn(&s);
	ck_assert_str_eq(fx_task("DEMO-1", "waits"), "ci");
	for (i = 0; i < 100; i++) {
		fx_tick(20000);
		while (fx_spawned(&s))
			fx_play_spawn(&s);
		if (i == 30)
			ck_assert_int_eq(fx_int("SELECT count(*) FROM alert "
			    "WHERE kind = 'ci_silent'"), 0);
	}
	ck_assert_int_eq(fx_int("SELECT count FROM alert WHERE kind = "
	    "'ci_silent' AND cleared_at IS NULL"), 1);
	ck_assert_ptr_nonnull(strstr(fx_task("DEMO-1", "why"),
	    "has no answer for more than 900 s"));
	ck_assert_int_gt(fx_int("SELECT count(*) FROM gate_result WHERE "
	    "verdict = 'wait'"), 3);
	ck_assert_int_lt(fx_int("SELECT count(*) FROM gate_result WHERE "
	    "verdict = 'wait'"), 30);
	ck_assert_str_eq(fx_task("DEMO-1", "parked"), "");
	ck_assert_int_eq(fx_task_int("DEMO-1", "rework"), 0);
	fx.script.times = 0;
	for (i = 0; i < 60; i++) {
		fx_tick(20000);
		while (fx_spawned(&s))
			fx_play_spawn(&s);
	}
	ck_assert_str_ne(fx_task("DEMO-1", "stage"), "development");
	ck_assert_int_eq(fx_int("SELECT count(*) FROM alert WHERE kind = "
	    "'ci_silent' AND cleared_at IS NULL"), 0);
}
END_TEST

int
main(void)
{
	Suite *su = suite_create("image");
	TCase *tc = tcase_create("image");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, fx_close);
	tcase_add_test(tc,
	    the_artifact_must_be_built_from_the_tree_that_lands);
	tcase_add_test(tc, without_staging_the_build_itself_says_it);
	tcase_add_test(tc,
	    a_build_wants_its_intent_and_is_looked_at_without_one);
	tcase_add_test(tc, staging_is_checked_again_after_a_build);
	tcase_add_loop_test(tc,
	    what_the_command_says_is_kept_with_its_result, 0, 2);
	tcase_add_test(tc, a_gate_that_waits_is_asked_again);
	tcase_add_test(tc, a_wait_outside_is_alerted_once_and_ends);
	suite_add_tcase(su, tc);
	fx_main_exit(su);
}
