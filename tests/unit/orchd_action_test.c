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


/* What people may do, and what they are told (R-4, R-64, R-80, R-89). */

#include <jansson.h>

#include "orchd/notice.h"
#include "orchd/outbox.h"
#include "orchd/query.h"

#include "engine_play.h"

static void
setup(void)
{
	fx_open("serial_limit 10\nmax_concurrency 10", "");
}

static void
submit(const char *more)
{
	ck_assert_msg(fx_submit("tally", more) == RES_OK, "%s", fx_said);
}

/* Nothing is written by this action, which answers so. */
static void
refused(const struct orch_action *act, enum orch_result want,
    const char *words)
{
	char *before = fx_dump(), *after;

	ck_assert_msg(fx_act_full(act) == want, "%s", fx_said);
	ck_assert_msg(strstr(fx_said, words) != NULL, "not said: %s\nbut: %s",
	    words, fx_said);
	after = fx_dump();
	ck_assert_str_eq(before, after);
	free(before);
	free(after);
}

static enum orch_result
depend(const char *key, const char *on, const char *also)
{
	char one[80], two[80];
	const char *args[] = { one, also == NULL ? NULL : two, NULL };
	struct orch_action act = { .verb = "depend", .task = key,
	    .args = { .l_argv = args } };

	snprintf(one, sizeof(one), "depends=%s", on);
	snprintf(two, sizeof(two), "depends=%s", also == NULL ? "" : also);
	return (fx_act_full(&act));
}

/* Submitted, but kept in `created` by a task that is not done. */
static void
chain(int n)
{
	fx_conf("serial_limit 1\nmax_concurrency 1", "");
	while (n-- > 0)
		submit(NULL);
}

START_TEST(a_dependency_makes_a_task_wait_until_it_is_done)
{
	submit(NULL);
	submit("depends=DEMO-1");
	ck_assert_str_eq(fx_task("DEMO-2", "stage"), "created");
	ck_assert_str_eq(fx_task("DEMO-2", "waits"), "dependency");
	ck_assert_ptr_nonnull(strstr(fx_task("DEMO-2", "why"), "DEMO-1"));
	fx_play_until("DEMO-1", "deploy");
	ck_assert_str_eq(fx_task("DEMO-2", "stage"), "created");
	fx_play_until("DEMO-1", "done");
	ck_assert_str_eq(fx_task("DEMO-2", "stage"), "analysis");
}
END_TEST

START_TEST(a_cancelled_dependency_keeps_it_waiting_with_one_alert)
{
	int i;

	submit(NULL);
	submit("depends=DEMO-1");
	fx_sql("UPDATE run SET status = 'done'");
	fx_sql("UPDATE job SET status = 'done'");
	ck_assert_int_eq(fx_act("cancel", "DEMO-1", ""), RES_OK);
	ck_assert_str_eq(fx_task("DEMO-1", "stage"), "cancelled");
	for (i = 0; i < 5; i++) {
		ck_assert_int_eq(engine_look(1), 0);
		fx_tick(60000);
	}
	ck_assert_str_eq(fx_task("DEMO-2", "stage"), "created");
	ck_assert_str_eq(fx_task("DEMO-2", "waits"), "person");
	ck_assert_int_eq(fx_int("SELECT count FROM alert WHERE kind = "
	    "'dependency' AND subject = 'DEMO-2'"), 1);
}
END_TEST

START_TEST(a_circle_of_dependencies_is_refused)
{
	char *before, *after;

	chain(5);
	ck_assert_int_eq(depend("DEMO-3", "DEMO-2", NULL), RES_OK);
	ck_assert_int_eq(depend("DEMO-4", "DEMO-3", NULL), RES_OK);
	before = fx_dump();
	ck_assert_int_eq(depend("DEMO-2", "DEMO-2", NULL), RES_REFUSED);
	ck_assert_int_eq(depend("DEMO-2", "DEMO-3", NULL), RES_REFUSED);
	ck_assert_int_eq(depend("DEMO-2", "DEMO-4", NULL), RES_REFUSED);
	ck_assert_ptr_nonnull(strstr(fx_said, "circle"));
	/* One good and one bad: neither. */
	ck_assert_int_eq(depend("DEMO-2", "DEMO-5", "DEMO-4"), RES_REFUSED);
	ck_assert_int_eq(depend("DEMO-2", "DEMO-9", NULL), RES_REFUSED);
	after = fx_dump();
	ck_assert_str_eq(before, after);
	free(before);
	free(after);
	ck_assert_int_eq(depend("DEMO-2", "DEMO-5", "DEMO-5"), RES_OK);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM dependency WHERE task ="
	    " 2"), 1);
}
END_TEST

START_TEST(a_submission_with_a_wrong_word_stores_nothing)
{
	const char *args[] = { "project=tally", "title=x", "depends=DEMO-7",
	    NULL };
	struct orch_action act = { .verb = "submit", .text = "please",
	    .args = { .l_argv = args } };

	refused(&act, RES_REFUSED, "no task DEMO-7");
	args[2] = "priority=high";
	refused(&act, RES_REFUSED, "priority");
	args[2] = "priority=1001";
	refused(&act, RES_REFUSED, "priority");
	args[1] = "title=  ";
	refused(&act, RES_REFUSED, "title");
	args[1] = "title=x";
	args[2] = NULL;
	args[0] = "project=nobody";
	refused(&act, RES_REFUSED, "no project nobody");
}
END_TEST

/* The action as a person would send it who saw this task as it is now. */
static struct orch_action
as_seen(const char *verb, const char *text)
{
	return ((struct orch_action){ .verb = verb, .task = "DEMO-1",
	    .text = text, .stage = fx_task("DEMO-1", "stage"),
	    .seq = (uint64_t)fx_task_int("DEMO-1", "stage_seq"),
	    .commit = fx_task("DEMO-1", "asked_commit") });
}

START_TEST(a_decision_on_another_commit_stage_or_sequence_is_refused)
{
	struct orch_action act;

	submit(NULL);
	while (fx_step())
		continue;
	ck_assert_str_eq(fx_task("DEMO-1", "asked_gate"),
	    "check_analysis_approved");
	act = as_seen(_i == 0 ? "approve" : "reject", "because");
	act.commit = "0123456789012345678901234567890123456789";
	refused(&act, RES_STALE, "not 012345678901");
	act = as_seen(act.verb, "because");
	act.seq++;
	refused(&act, RES_STALE, "moved");
	act.seq--;
	act.stage = "review";
	refused(&act, RES_STALE, "moved");
	act.stage = "analysis";
	act.verb = "confirm";
	refused(&act, RES_REFUSED, "confirm is for stage deploy");
	act.verb = "reject";
	act.text = " \n";
	refused(&act, RES_REFUSED, "say why");
}
END_TEST

START_TEST(an_approval_does_not_hold_for_a_later_commit)
{
	submit(NULL);
	while (fx_step())
		continue;
	/* The head moves while the person decides: the approval is void. */
	fx_sql("INSERT INTO approval (task, stage_seq, gate, decision, actor, "
	    "commit_id, at) SELECT id, stage_seq, asked_gate, 'approved', "
	    "'me', asked_commit, 1 FROM task");
	fx_sql("UPDATE task SET head = "
	    "'0123456789012345678901234567890123456789', published = "
	    "'0123456789012345678901234567890123456789', drive_at = 1");
	fx_sql("UPDATE gate_result SET commit_id = "
	    "'0123456789012345678901234567890123456789'");
	fx_tick(1);
	ck_assert_str_eq(fx_task("DEMO-1", "stage"), "analysis");
	ck_assert_str_eq(fx_task("DEMO-1", "asked_commit"),
	    "0123456789012345678901234567890123456789");
}
END_TEST

START_TEST(a_pass_holds_for_the_same_code_tree_and_for_no_other)
{
	const char *head = "0123456789012345678901234567890123456789";
	int64_t passes;

	/* The reviewer's and the tester's commits keep the code tree. */
	fx_task_in("deploy-staging");
	passes = fx_int("SELECT count(*) FROM gate_result WHERE gate = "
	    "'check_tests_local' AND verdict = 'pass'");
	ck_assert_int_eq(passes, 1);
	ck_assert_int_eq(fx_int("SELECT count(DISTINCT commit_id) FROM "
	    "gate_result WHERE gate IN ('check_tests_local', "
	    "'check_tests_passed')"), 2);
	/* A change of the code tree voids it. */
	fx_sql("UPDATE run SET status = 'done'");
	fx_sql("UPDATE job SET status = 'done'");
	fx_sql("DELETE FROM lease");
	fx_sql("UPDATE task SET stage = 'development', head = '%s', published "
	    "= '%s', tree = '%s', drive_at = 1", head, head, head);
	fx_tick(1);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM job WHERE gate = "
	    "'check_tests_local' AND commit_id = '%s'", head), 1);
}
END_TEST

START_TEST(approve_in_deploy_is_a_no_op_that_says_so)
{
	struct orch_action act;

	fx_task_in("deploy");
	while (fx_step())
		continue;
	act = as_seen("approve", "");
	refused(&act, RES_REFUSED, "approved-on-deploy-noop");
	act = as_seen("cancel", "");
	refused(&act, RES_REFUSED, "cannot be cancelled");
}
END_TEST

START_TEST(what_nobody_asks_for_is_refused)
{
	struct orch_action act = { .verb = "approve", .task = "DEMO-1" };

	submit(NULL);
	/* Without the stage and sequence that were seen: nothing. */
	refused(&act, RES_STALE, "Nothing was changed");
	act = as_seen("approve", "");
	refused(&act, RES_REFUSED, "asks nobody");
	act.verb = "retry";
	refused(&act, RES_REFUSED, "not parked");
	act.verb = "cancle";
	refused(&act, RES_REFUSED, "does not know");
	act.verb = "approve";
	act.task = "DEMO-77";
	refused(&act, RES_NOTFOUND, "no task DEMO-77");
	act.task = "'; DROP TABLE task; --";
	refused(&act, RES_NOTFOUND, "no task");
}
END_TEST

/* Due rows of the tracker as reconciled gets them: "id key;" for each. */
static char *
due(int sock)
{
	struct orch_outbox_next n = { "tracker", 100 };
	static char text[8192];
	struct fx_msg m;
	int last;

	text[0] = '\0';
	ck_assert_int_eq(chan_write_one(sock, ORCH_outbox_next, 8, &n, -1,
	    FX_WAIT), 0);
	do {
		ck_assert(fx_read(sock, &m));
		if (!(last = m.any.outbox_row.last)) {
			const char *key = m.any.outbox_row.key;
			size_t len = strlen(text);

			snprintf(text + len, sizeof(text) - len, "%llu %.*s;",
			    (unsigned long long)m.any.outbox_row.id,
			    (int)strcspn(key, "@"), key);
		}
		fx_free(&m);
	} while (!last);
	return (text);
}

static void
post(int64_t task, const char *key)
{
	struct task t;

	ck_assert_int_eq(pass_enter(), 0);
	ck_assert_int_eq(task_get(task, &t), STORE_OK);
	ck_assert_int_eq(outbox_add("tracker", &t, "comment", key, "hello"),
	    STORE_OK);
	(void)pass_leave(1);
	pass_commit();
}

START_TEST(messages_go_out_in_order_per_task_and_one_task_blocks_no_other)
{
	struct orch_outbox_done d = { .ok = 0, .error = "tracker is down" };
	int rec = fx_connect(ROLE_RECONCILED);

	chain(2);
	fx_sql("DELETE FROM outbox");
	post(1, "a1");
	post(1, "a2");
	post(2, "b1");
	ck_assert_str_eq(due(rec), "1 a1;3 b1;");
	/* a1 fails: a2 stays behind it, b1 does not care. */
	d.id = 1;
	ck_assert_int_eq(fx_result(rec, ORCH_outbox_done, &d), RES_OK);
	ck_assert_str_eq(due(rec), "3 b1;");
	d.id = 3;
	d.ok = 1;
	ck_assert_int_eq(fx_result(rec, ORCH_outbox_done, &d), RES_OK);
	ck_assert_str_eq(due(rec), "");
	fx.ms += 3600000;
	ck_assert_str_eq(due(rec), "1 a1;");
	d.id = 1;
	ck_assert_int_eq(fx_result(rec, ORCH_outbox_done, &d), RES_OK);
	ck_assert_str_eq(due(rec), "2 a2;");
}
END_TEST

/* The key of the only row that is due, as reconciled gets it. */
static void
key_due(int sock, char *buf, size_t len)
{
	struct orch_outbox_next n = { "tracker", 100 };
	struct fx_msg m;

	fx_ask(sock, ORCH_outbox_next, &n, -1, &m);
	ck_assert_int_eq(m.any.outbox_row.last, 0);
	(void)strlcpy(buf, m.any.outbox_row.key, len);
	fx_free(&m);
	ck_assert(fx_read(sock, &m));
	ck_assert_int_eq(m.any.outbox_row.last, 1);
	fx_free(&m);
}

/* As after a backup was put back: the number comes again, not the message. */
START_TEST(a_key_that_comes_again_is_another_at_the_tracker)
{
	int rec = fx_connect(ROLE_RECONCILED);
	char one[200], again[200], two[200], longest[128];

	chain(1);
	fx_sql("DELETE FROM outbox");
	post(1, "verdict:7");
	key_due(rec, one, sizeof(one));
	fx.ms += 1000;
	key_due(rec, again, sizeof(again));
	ck_assert_str_eq(again, one);
	fx_sql("DELETE FROM outbox");
	post(1, "verdict:7");
	key_due(rec, two, sizeof(two));
	ck_assert_str_ne(two, one);
	/* One that fits only without the time is sent all the same. */
	fx_sql("DELETE FROM outbox");
	memset(longest, 'k', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	post(1, longest);
	key_due(rec, two, sizeof(two));
	ck_assert_uint_eq(strlen(two), 66);
}
END_TEST

START_TEST(a_message_has_one_row_a_key_and_survives_a_restart)
{
	int rec;

	chain(1);
	fx_sql("DELETE FROM outbox");
	post(1, "a1");
	post(1, "a1");
	fx_reopen();
	rec = fx_connect(ROLE_RECONCILED);
	ck_assert_str_eq(due(rec), "1 a1;");
	ck_assert_int_eq(fx_int("SELECT count(*) FROM outbox"), 1);
}
END_TEST

START_TEST(a_tracker_that_is_down_for_a_day_loses_nothing)
{
	struct orch_outbox_done d = { .id = 1, .error = "down" };
	int rec = fx_connect(ROLE_RECONCILED), i;

	chain(1);
	fx_sql("DELETE FROM outbox");
	post(1, "a1");
	for (i = 0; i < 96; i++) {
		d.ok = 0;
		if (due(rec)[0] != '\0')
			ck_assert_int_eq(fx_result(rec, ORCH_outbox_done, &d),
			    RES_OK);
		fx.ms += 900000;
	}
	fx.ms += 1200000;
	ck_assert_str_eq(due(rec), "1 a1;");
}
END_TEST

START_TEST(an_item_of_the_local_tracker_is_set_once_a_key)
{
	struct orch_item it = { "DEMO-1", "comment", "k1", "hello" };
	int rec = fx_connect(ROLE_RECONCILED);

	chain(1);
	ck_assert_int_eq(fx_result(rec, ORCH_item, &it), RES_OK);
	ck_assert_int_eq(fx_result(rec, ORCH_item, &it), RES_OK);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM item_comment"), 1);
	it.kind = "status";
	it.text = "In Review";
	ck_assert_int_eq(fx_result(rec, ORCH_item, &it), RES_OK);
	ck_assert_str_eq(fx_str("SELECT status FROM item"), "In Review");
	it.task = "DEMO-9";
	ck_assert_int_eq(fx_result(rec, ORCH_item, &it), RES_NOTFOUND);
	it.task = "DEMO-1";
	it.kind = "vote";
	ck_assert_int_eq(fx_result(rec, ORCH_item, &it), RES_REFUSED);
}
END_TEST

START_TEST(advance_names_the_stage_it_saw_and_an_owner_stops_it)
{
	struct orch_advance a = { "DEMO-1", "analysis", 0, "drift" };
	int rec = fx_connect(ROLE_RECONCILED), sock;
	struct fx_spawn s;
	struct fx_msg go;
	char *before, *after;

	sock = fx_worker_in("architecture", "publish", &s, &go);
	before = fx_dump();
	a.seq = go.any.run_go.seq;
	ck_assert_int_eq(fx_result(rec, ORCH_advance, &a), RES_STALE);
	a.stage = "architecture";
	a.seq--;
	ck_assert_int_eq(fx_result(rec, ORCH_advance, &a), RES_STALE);
	after = fx_dump();
	ck_assert_str_eq(before, after);
	free(before);
	free(after);
	a.seq++;
	ck_assert_uint_gt(fx_begin(sock, &go.any.run_go), 0);
	ck_assert_int_eq(fx_result(rec, ORCH_advance, &a), RES_DENIED);
	fx_free(&go);
}
END_TEST

static char *
why(const char *key)
{
	static char text[2600];
	const char *waits;
	struct task t;

	ck_assert_int_eq(task_by_key(key, &t), STORE_OK);
	task_why(&t, text, sizeof(text), &waits);
	return (text);
}

START_TEST(why_says_who_and_how_long_in_one_sentence)
{
	chain(2);
	fx.ms += 120000;
	ck_assert_msg(strstr(why("DEMO-1"), "analyst") != NULL &&
	    strstr(why("DEMO-1"), "2 min") != NULL, "%s", why("DEMO-1"));
	ck_assert_msg(strstr(why("DEMO-2"), "serial_limit") != NULL, "%s",
	    why("DEMO-2"));
	while (fx_step())
		continue;
	fx.ms += 3 * 86400000LL;
	ck_assert_msg(strstr(why("DEMO-1"), "orchctl approve DEMO-1") != NULL
	    && strstr(why("DEMO-1"), "3 d") != NULL, "%s", why("DEMO-1"));
	fx_play_until("DEMO-1", "done");
	ck_assert_str_eq(why("DEMO-1"), "DEMO-1 is done");
}
END_TEST

/* A task that does not go on by itself, for a day. */
static void
stuck(const char *key)
{
	struct task t;

	ck_assert_int_eq(pass_enter(), 0);
	ck_assert_int_eq(task_by_key(key, &t), STORE_OK);
	ck_assert_int_eq(task_park(&t, "blocked", "its gate could not run"),
	    STORE_OK);
	ck_assert_int_eq(task_drive(t.t_id), 0);
	ck_assert_int_eq(pass_leave(1), 0);
	fx.ms += 2 * 86400000LL;
}

static void
why_has(const char *key, const char *part)
{
	ck_assert_msg(strstr(why(key), part) != NULL, "no \"%s\" in \"%s\"",
	    part, why(key));
}

START_TEST(why_names_the_parked_task_that_holds_the_place)
{
	chain(2);
	while (fx_step())
		continue;
	why_has("DEMO-2", "serial_limit 1): DEMO-1 is in analysis for");
	why_has("DEMO-2", "waits for a person for 0 s: orchctl why DEMO-1");
	stuck("DEMO-1");
	why_has("DEMO-2", "DEMO-1 is parked for 2 d (its gate could not "
	    "run). To go on: orchctl retry DEMO-1, or orchctl cancel DEMO-1");
	ck_assert_int_eq(fx_act("cancel", "DEMO-1", ""), RES_OK);
	why_has("DEMO-2", "DEMO-1 is being cancelled");
}
END_TEST

START_TEST(why_names_those_that_are_stuck_before_those_that_go_on)
{
	int i;

	fx_conf("serial_limit 4\nmax_concurrency 1", "");
	for (i = 0; i < 5; i++)
		submit(NULL);
	while (fx_step())
		continue;
	stuck("DEMO-4");
	why_has("DEMO-5", "a place of tally (serial_limit 4): DEMO-4 is "
	    "parked");
	why_has("DEMO-5", "; and 1 more");
}
END_TEST

START_TEST(why_names_who_holds_the_merge_lane)
{
	submit(NULL);
	submit(NULL);
	fx_sql("UPDATE job SET status = 'cancelled'");
	fx_sql("UPDATE run SET status = 'done'");
	stuck("DEMO-1");
	fx_sql("INSERT INTO job (task, project, kind, work, available_at, "
	    "created_at, stage_seq) SELECT id, project, 'transition', 'edge', "
	    "1, 1, stage_seq FROM task WHERE key = 'DEMO-2'");
	why_has("DEMO-2", "waits for the merge lane of tally, or for a free "
	    "gate slot");
	fx_sql("INSERT INTO lease (task, run, epoch, work, since, active_at) "
	    "SELECT t.id, r.id, 9, 'edge', 1, 1 FROM task t JOIN run r "
	    "ON r.task = t.id WHERE t.key = 'DEMO-1' LIMIT 1");
	fx_sql("INSERT INTO merge_lease (project, task, epoch, since) "
	    "SELECT project, id, 9, %lld FROM task WHERE key = 'DEMO-1'",
	    (long long)fx.ms - 300000);
	why_has("DEMO-2", "waits for the merge lane of tally: DEMO-1 holds it "
	    "for 5 min. DEMO-1 is parked for 2 d (");
}
END_TEST

START_TEST(why_names_whose_deploy_is_under_way)
{
	submit(NULL);
	submit(NULL);
	fx_sql("UPDATE job SET status = 'cancelled'");
	fx_sql("UPDATE run SET status = 'done'");
	fx_sql("UPDATE task SET stage = 'deploy', waits = 'capacity', why = "
	    "'another deploy is under way' WHERE key = 'DEMO-2'");
	why_has("DEMO-2", "another deploy is under way");
	fx_sql("INSERT INTO deploy (task, project, stage_seq, key, job, "
	    "revision, tree, previous, started_at, kind) SELECT t.id, "
	    "t.project, 1, 'k', j.id, 'a', 'b', '', %lld, 'deploy' FROM "
	    "task t JOIN job j ON j.task = t.id WHERE t.key = 'DEMO-1'",
	    (long long)fx.ms - 60000);
	why_has("DEMO-2", "waits for the deploy of DEMO-1, under way for "
	    "60 s");
	fx_sql("UPDATE deploy SET doubt_at = 1");
	why_has("DEMO-2", "orchctl effect DEMO-1");
}
END_TEST

START_TEST(why_says_that_what_it_depends_on_is_parked)
{
	submit(NULL);
	submit("depends=DEMO-1");
	while (fx_step())
		continue;
	stuck("DEMO-1");
	why_has("DEMO-2", "needs DEMO-1 to be done first. DEMO-1 is parked "
	    "for 2 d");
}
END_TEST

int
main(void)
{
	Suite *su = suite_create("action");
	TCase *tc = tcase_create("action");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, fx_close);
	tcase_add_test(tc, a_dependency_makes_a_task_wait_until_it_is_done);
	tcase_add_test(tc,
	    a_cancelled_dependency_keeps_it_waiting_with_one_alert);
	tcase_add_test(tc, a_circle_of_dependencies_is_refused);
	tcase_add_test(tc, a_submission_with_a_wrong_word_stores_nothing);
	tcase_add_loop_test(tc,
	    a_decision_on_another_commit_stage_or_sequence_is_refused, 0, 2);
	tcase_add_test(tc, an_approval_does_not_hold_for_a_later_commit);
	tcase_add_test(tc,
	    a_pass_holds_for_the_same_code_tree_and_for_no_other);
	tcase_add_test(tc, approve_in_deploy_is_a_no_op_that_says_so);
	tcase_add_test(tc, what_nobody_asks_for_is_refused);
	tcase_add_test(tc,
	    messages_go_out_in_order_per_task_and_one_task_blocks_no_other);
	tcase_add_test(tc, a_key_that_comes_again_is_another_at_the_tracker);
	tcase_add_test(tc,
	    a_message_has_one_row_a_key_and_survives_a_restart);
	tcase_add_test(tc, a_tracker_that_is_down_for_a_day_loses_nothing);
	tcase_add_test(tc, an_item_of_the_local_tracker_is_set_once_a_key);
	tcase_add_test(tc,
	    advance_names_the_stage_it_saw_and_an_owner_stops_it);
	tcase_add_test(tc, why_says_who_and_how_long_in_one_sentence);
	tcase_add_test(tc, why_names_the_parked_task_that_holds_the_place);
	tcase_add_test(tc,
	    why_names_those_that_are_stuck_before_those_that_go_on);
	tcase_add_test(tc, why_names_who_holds_the_merge_lane);
	tcase_add_test(tc, why_names_whose_deploy_is_under_way);
	tcase_add_test(tc, why_says_that_what_it_depends_on_is_parked);
	suite_add_tcase(su, tc);
	fx_main_exit(su);
}
