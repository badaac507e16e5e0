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


/* A degraded deploy is rolled back once, and quarantined. */

#include "orchd/lease.h"
#include "orchd/query.h"

#include "engine_play.h"

#define ON	"\trollback hook \"true\"\n"				\
		"\tpost_deploy_auto_rollback yes\n"			\
		"\tpost_deploy_base_url \"http://127.0.0.1:1/\""

static struct fx_spawn	s;
static struct fx_msg	go;

static void
setup(void)
{
	fx_open("serial_limit 9", ON);
}

/* Time has passed: a run that nobody greeted meanwhile is closed. */
static int
is_closed(void)
{
	return (fx_int("SELECT count(*) FROM run WHERE id = %llu AND status "
	    "= 'lost'", (unsigned long long)s.run) > 0);
}

/* The next run of this sort; what else is started meanwhile is played. */
static void
until(enum orch_kind kind, const char *what)
{
	for (;;) {
		ck_assert_msg(fx_spawned(&s), "no %s", what);
		if (s.kind == kind && (strcmp(s.work, what) == 0 ||
		    strcmp(s.gate, what) == 0))
			return;
		if (!is_closed())
			fx_play_spawn(&s);
	}
}

/* The task is done, and its monitor finds production degraded. */
static void
degraded(void)
{
	fx.script = (struct fx_script){ "monitor", 1, GATE_FAIL, CAUSE_RED };
	fx_task_in("done");
	until(KIND_MONITOR, "monitor");
	fx_play_spawn(&s);
}

static void
play_all(void)
{
	do {
		while (fx_spawned(&s))
			if (!is_closed())
				fx_play_spawn(&s);
	} while (fx_step());
}

static enum orch_result
resume(const char *commit, const char *reason)
{
	const char *args[] = { "lane=deploy", "project=tally", NULL };
	struct orch_action act = { .verb = "resume", .text = reason,
	    .commit = commit, .args = { .l_argv = args } };

	return (fx_act_full(&act));
}

START_TEST(a_degraded_deploy_is_rolled_back_once_and_the_task_stays_done)
{
	degraded();
	until(KIND_TRANSITION, "rollback");
	fx_play_spawn(&s);
	until(KIND_HOOK, "rollback");
	ck_assert_ptr_nonnull(strstr(fx_str("SELECT args FROM job WHERE gate "
	    "= 'rollback'"), fx_task("DEMO-1", "previous")));
	fx_play_spawn(&s);
	until(KIND_TRANSITION, "record");
	fx_play_spawn(&s);
	play_all();
	ck_assert_str_eq(fx_task("DEMO-1", "stage"), "done");
	ck_assert_uint_eq(fx.deploys, 2);
	ck_assert_str_eq(fx_str("SELECT revision FROM deploy WHERE kind = "
	    "'rollback' AND exit_code = 0"), fx_task("DEMO-1", "previous"));
	ck_assert_int_eq(fx_int("SELECT count(*) FROM record WHERE name = "
	    "'16-post-deploy-log.md' AND text LIKE '%%action_taken: "
	    "ROLLBACK%%is done.%%' AND text NOT LIKE '%%ALERT_ONLY%%'"), 1);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM effect WHERE name = "
	    "'rollback' AND state = 'done'"), 1);
	ck_assert_str_eq(fx_str("SELECT state FROM quarantine"), "recorded");
	fx_sound();
}
END_TEST

START_TEST(its_follow_up_is_opened_with_the_measurements)
{
	degraded();
	ck_assert_int_eq(fx_int("SELECT count(*) FROM task WHERE key = "
	    "'DEMO-1-f1' AND author = 'orchd' AND request LIKE "
	    "'%%as the test says%%' AND request LIKE '%%' || (SELECT landed "
	    "FROM task WHERE key = 'DEMO-1') || '%%'"), 1);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM item WHERE status = "
	    "'To Analyse' AND task = (SELECT id FROM task WHERE key = "
	    "'DEMO-1-f1')"), 1);
	/* The next item's number is the next one still. */
	ck_assert_int_eq(fx_submit("tally", NULL), RES_OK);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM task WHERE key = "
	    "'DEMO-2'"), 1);
}
END_TEST

/* Each of these is told, with the reason, and nothing is rolled back. */
START_TEST(who_is_not_rolled_back)
{
	static const struct {
		const char	*conf;
		const char	*sql;
		const char	*why;
	} t[] = {
		{ "\trollback hook \"true\"\n\tpost_deploy_base_url "
		    "\"http://127.0.0.1:1/\"", NULL,
		    "post_deploy_auto_rollback is off" },
		{ ON "\n\tself-hosting", NULL, "self-hosting" },
		{ "\tpost_deploy_auto_rollback yes\n\tpost_deploy_base_url "
		    "\"http://127.0.0.1:1/\"", NULL, "no rollback hook" },
		{ ON, "UPDATE task SET previous = ''", "is not known" },
		{ ON, "INSERT INTO deploy (task, project, stage_seq, key, "
		    "job, revision, tree, previous, started_at, exit_code) "
		    "SELECT task, project, 77, 'later', job, 'r', '', '', 1, "
		    "0 FROM deploy; UPDATE deploy SET task = (SELECT max(id) "
		    "FROM task) WHERE key = 'later'", "deployed since" },
		{ ON, "INSERT INTO quarantine (task, project, commit_id, "
		    "previous, reason, after, at) SELECT id, project, "
		    "previous, '', 'x', 0, 1 FROM task WHERE key = 'DEMO-1'",
		    "is in quarantine itself" },
	};

	fx_conf("serial_limit 9", t[_i].conf);
	fx.script = (struct fx_script){ "monitor", 1, GATE_FAIL, CAUSE_RED };
	fx_task_in("done");
	ck_assert_int_eq(fx_submit("other", NULL), RES_OK);
	if (t[_i].sql != NULL)
		fx_sql("%s", t[_i].sql);
	until(KIND_MONITOR, "monitor");
	fx_play_spawn(&s);
	ck_assert_ptr_nonnull(strstr(fx_str("SELECT text FROM alert WHERE "
	    "kind = 'post_deploy'"), t[_i].why));
	ck_assert_int_eq(fx_int("SELECT count(*) FROM quarantine q JOIN task "
	    "t ON t.landed = q.commit_id"), 0);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM job WHERE work = "
	    "'rollback'"), 0);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM task WHERE key LIKE "
	    "'%%-f1'"), 0);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM record WHERE text LIKE "
	    "'%%action_taken: ALERT_ONLY%%'"), 1);
}
END_TEST

/* The project's next deploy waits, confirmed or not, until it is resumed. */
START_TEST(the_lane_is_frozen_until_an_operator_resumes_it)
{
	degraded();
	play_all();
	ck_assert_int_eq(fx_int("SELECT count(*) FROM alert WHERE kind = "
	    "'deploy_frozen' AND subject = 'tally' AND cleared_at IS NULL"),
	    1);
	ck_assert_int_eq(fx_submit("tally", NULL), RES_OK);
	fx_play_until("DEMO-2", "deploy");
	play_all();
	ck_assert_int_eq(fx_act("confirm", "DEMO-2", ""), RES_OK);
	play_all();
	ck_assert_str_eq(fx_task("DEMO-2", "waits"), "freeze");
	ck_assert_ptr_nonnull(strstr(fx_task("DEMO-2", "why"),
	    "DEMO-1 was rolled back: orchctl resume"));
	ck_assert_uint_eq(fx.deploys, 2);
	ck_assert_int_eq(resume("", "  "), RES_REFUSED);
	ck_assert_int_eq(resume("0123456", "x"), RES_REFUSED);
	ck_assert_int_eq(resume("", "the fix is in DEMO-2"), RES_OK);
	play_all();
	ck_assert_str_eq(fx_task("DEMO-2", "stage"), "done");
	ck_assert_uint_eq(fx.deploys, 3);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM alert WHERE kind IN "
	    "('deploy_frozen', 'rollback') AND cleared_at IS NULL"), 0);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM settlement WHERE "
	    "reason = 'the fix is in DEMO-2'"), 1);
	ck_assert_int_eq(resume("", "again"), RES_REFUSED);
	fx_sound();
}
END_TEST

/* One after the other, and who waits has tried nothing meanwhile. */
START_TEST(deploys_that_are_confirmed_together_take_turns)
{
	int i;
	char key[16];

	for (i = 1; i <= 3; i++) {
		snprintf(key, sizeof(key), "DEMO-%d", i);
		ck_assert_int_eq(fx_submit("tally", NULL), RES_OK);
		fx_play_until(key, "deploy");
	}
	play_all();
	for (i = 1; i <= 3; i++) {
		snprintf(key, sizeof(key), "DEMO-%d", i);
		ck_assert_int_eq(fx_act("confirm", key, ""), RES_OK);
	}
	ck_assert_int_eq(fx_int("SELECT count(*) FROM job WHERE work = "
	    "'deploy'"), 1);
	ck_assert_str_eq(fx_task("DEMO-2", "waits"), "capacity");
	ck_assert_str_eq(fx_task("DEMO-3", "waits"), "capacity");
	play_all();
	ck_assert_uint_eq(fx.deploys, 3);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM task WHERE stage = "
	    "'done' AND parked = ''"), 3);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM job WHERE work = "
	    "'deploy'"), 3);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM effect WHERE name = "
	    "'deploy-start' AND state <> 'done'"), 0);
	fx_sound();
}
END_TEST

/*
 * What the target was before has been rolled back: production serves what
 * that rollback went to, and so does the next one.
 */
START_TEST(the_next_rollback_goes_to_what_was_served)
{
	char served[ID_HEX];

	degraded();
	play_all();
	strlcpy(served, fx_task("DEMO-1", "previous"), sizeof(served));
	ck_assert_int_eq(resume("", "other work may go on"), RES_OK);
	ck_assert_int_eq(fx_submit("tally", NULL), RES_OK);
	fx_play_until("DEMO-2", "deploy");
	play_all();
	fx_sql("UPDATE task SET previous = (SELECT landed FROM task WHERE "
	    "key = 'DEMO-1') WHERE key = 'DEMO-2'");
	fx.script = (struct fx_script){ "monitor", 1, GATE_FAIL, CAUSE_RED };
	ck_assert_int_eq(fx_act("confirm", "DEMO-2", ""), RES_OK);
	until(KIND_MONITOR, "monitor");
	ck_assert_int_eq(fx_int("SELECT count(*) FROM deploy WHERE kind = "
	    "'deploy' AND previous = '%s'", served), 2);
	fx_play_spawn(&s);
	until(KIND_TRANSITION, "rollback");
	fx_play_spawn(&s);
	until(KIND_HOOK, "rollback");
	ck_assert_int_eq(fx_int("SELECT count(*) FROM deploy WHERE kind = "
	    "'rollback' AND revision = '%s'", served), 2);
	fx_sound();
}
END_TEST

/* Another task with the very commit: also when the lane is open again. */
START_TEST(the_commit_itself_stays_in_quarantine)
{
	char bad[ID_HEX];

	degraded();
	play_all();
	strlcpy(bad, fx_task("DEMO-1", "landed"), sizeof(bad));
	ck_assert_int_eq(resume("", "other work may go on"), RES_OK);
	ck_assert_int_eq(fx_submit("tally", NULL), RES_OK);
	fx_play_until("DEMO-2", "deploy");
	play_all();
	fx_sql("UPDATE task SET landed = '%s', asked_commit = '%s' WHERE key "
	    "= 'DEMO-2'", bad, bad);
	ck_assert_int_eq(fx_act("confirm", "DEMO-2", ""), RES_OK);
	play_all();
	ck_assert_str_eq(fx_task("DEMO-2", "waits"), "freeze");
	ck_assert_ptr_nonnull(strstr(fx_task("DEMO-2", "why"),
	    "is in quarantine"));
	bad[6] = '\0';
	ck_assert_int_eq(resume(bad, "too short"), RES_REFUSED);
	strlcpy(bad, fx_task("DEMO-1", "landed"), sizeof(bad));
	bad[39] = '\0';
	ck_assert_int_eq(resume(bad, "it was the disk"), RES_OK);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM quarantine WHERE "
	    "cleared_at IS NULL"), 0);
	until(KIND_TRANSITION, "deploy");
	fx_sound();
}
END_TEST

/* What the document of the queue says of the monitor; quarantines. */
static size_t
block(const char *counter, json_int_t want)
{
	json_t *doc = query_queue(), *b = json_object_get(doc, "post_deploy");
	size_t n = json_array_size(json_object_get(b, "quarantine"));

	ck_assert_int_eq(json_integer_value(json_object_get(b, counter)),
	    want);
	json_decref(doc);
	return (n);
}

START_TEST(operators_see_what_is_in_quarantine)
{
	char bad[ID_HEX];

	ck_assert_uint_eq(block("rolled_back_total", 0), 0);
	degraded();
	play_all();
	ck_assert_uint_eq(block("rolled_back_total", 1), 1);
	ck_assert_uint_eq(block("degraded_total", 1), 1);
	ck_assert_int_eq(resume("", "go on"), RES_OK);
	ck_assert_uint_eq(block("healthy_total", 0), 1);
	strlcpy(bad, fx_task("DEMO-1", "landed"), sizeof(bad));
	ck_assert_int_eq(resume(bad, "mended"), RES_OK);
	ck_assert_uint_eq(block("monitoring", 0), 0);
}
END_TEST

/* The hook's exit codes mean what they do for a deploy. */
START_TEST(a_rollback_that_fails_says_so_and_is_not_repeated)
{
	struct orch_deploy_result r = { .evidence = "file" };
	static const int code[] = { 1, 2, 3, 255 };
	static const char *const said[] = { "hook exit 1", "production NOW",
	    "not in its contract", "without leaving a result" };

	degraded();
	until(KIND_TRANSITION, "rollback");
	fx_play_spawn(&s);
	until(KIND_HOOK, "rollback");
	/* Its wrapper is lost with its hook. */
	fx_leave(fx_connect_run(&s, &go));
	fx_free(&go);
	fx_sql("UPDATE run SET ident = '' WHERE id = %llu",
	    (unsigned long long)s.run);
	fx_tick(30000);
	ck_assert_int_eq(resume("", "under way"), RES_DENIED);
	if (fx.finalizerd == -1)
		fx.finalizerd = fx_connect(ROLE_FINALIZERD);
	r.run = s.run;
	r.code = code[_i];
	ck_assert_int_eq(fx_result(fx.finalizerd, ORCH_deploy_result, &r),
	    RES_OK);
	ck_assert_int_eq(fx_result(fx.finalizerd, ORCH_deploy_result, &r),
	    RES_STALE);
	play_all();
	ck_assert_ptr_nonnull(strstr(fx_str("SELECT text FROM alert WHERE "
	    "kind = 'rollback' AND cleared_at IS NULL"), said[_i]));
	ck_assert_ptr_nonnull(strstr(fx_str("SELECT text FROM record WHERE "
	    "name = '16-post-deploy-log.md'"), said[_i]));
	ck_assert_int_eq(fx_int("SELECT count(*) FROM run WHERE kind = "
	    "'hook'"), 2);
	ck_assert_str_eq(fx_task("DEMO-1", "stage"), "done");
	fx_sound();
}
END_TEST

/* What a worker may ask for is only what is due, and only once. */
START_TEST(a_rollback_is_started_only_when_it_is_due)
{
	struct orch_hook_start h = { .key = "rollback:DEMO-1:x", .tree = "" };
	char landed[ID_HEX], previous[ID_HEX];
	int sock;

	degraded();
	strlcpy(landed, fx_task("DEMO-1", "landed"), sizeof(landed));
	strlcpy(previous, fx_task("DEMO-1", "previous"), sizeof(previous));
	until(KIND_TRANSITION, "rollback");
	sock = fx_connect_run(&s, &go);
	h.epoch = fx_begin(sock, &go.any.run_go);
	h.revision = landed;
	h.previous = previous;
	ck_assert_int_eq(fx_result(sock, ORCH_hook_start, &h), RES_REFUSED);
	h.revision = previous;
	h.previous = landed;
	fx_sql("UPDATE quarantine SET state = 'recorded'");
	ck_assert_int_eq(fx_result(sock, ORCH_hook_start, &h), RES_REFUSED);
	fx_sql("UPDATE quarantine SET state = 'due'");
	ck_assert_int_eq(fx_result(sock, ORCH_hook_start, &h), RES_OK);
	ck_assert_int_eq(fx_result(sock, ORCH_hook_start, &h),
	    RES_DUPLICATE);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM deploy WHERE kind = "
	    "'rollback'"), 1);
	fx_free(&go);
}
END_TEST

/* Its worker cannot do it: again and again, told, and never parked. */
START_TEST(a_rollback_that_cannot_start_is_tried_again_and_can_be_given_up)
{
	struct orch_end end = { .verdict = GATE_ERROR, .cause = CAUSE_INFRA,
	    .reason = "no git", .gate = "" };
	int i, sock;

	degraded();
	for (i = 0; i < 6; i++) {
		until(KIND_TRANSITION, "rollback");
		sock = fx_connect_run(&s, &go);
		end.epoch = fx_begin(sock, &go.any.run_go);
		ck_assert_int_eq(fx_result(sock, ORCH_end, &end), RES_OK);
		fx_free(&go);
		fx_leave(sock);
		fx_tick(1000000);
	}
	ck_assert_str_eq(fx_task("DEMO-1", "parked"), "");
	ck_assert_ptr_nonnull(strstr(fx_str("SELECT text FROM alert WHERE "
	    "kind = 'rollback'"), "no git"));
	until(KIND_TRANSITION, "rollback");
	ck_assert_int_eq(resume("", "done by hand"), RES_OK);
	ck_assert_str_eq(fx_str("SELECT state FROM quarantine"), "recorded");
	fx_play_until("DEMO-1", "done");
}
END_TEST

int
main(void)
{
	Suite *su = suite_create("rollback");
	TCase *tc = tcase_create("rollback");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, fx_close);
	tcase_add_test(tc,
	    a_degraded_deploy_is_rolled_back_once_and_the_task_stays_done);
	tcase_add_test(tc, its_follow_up_is_opened_with_the_measurements);
	tcase_add_loop_test(tc, who_is_not_rolled_back, 0, 6);
	tcase_add_test(tc, the_lane_is_frozen_until_an_operator_resumes_it);
	tcase_add_test(tc, the_commit_itself_stays_in_quarantine);
	tcase_add_test(tc, deploys_that_are_confirmed_together_take_turns);
	tcase_add_test(tc, the_next_rollback_goes_to_what_was_served);
	tcase_add_test(tc, operators_see_what_is_in_quarantine);
	tcase_add_loop_test(tc,
	    a_rollback_that_fails_says_so_and_is_not_repeated, 0, 4);
	tcase_add_test(tc, a_rollback_is_started_only_when_it_is_due);
	tcase_add_test(tc,
	    a_rollback_that_cannot_start_is_tried_again_and_can_be_given_up);
	suite_add_tcase(su, tc);
	fx_main_exit(su);
}
