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

/* Deliveries, and what comes in from a tracker elsewhere (R-55, R-61). */

#include "engine_intake.h"

/* --- deliveries ----------------------------------------------------------- */

/* Deliver; the answer. */
static enum orch_result
deliver(const char *source, const char *kind, const char *project,
    const char *object)
{
	static unsigned int n;
	char id[16], hash[65];
	struct orch_event e = { .source = source, .delivery = id,
	    .kind = kind, .sha256 = hash, .body = { (const uint8_t *)"{}", 2 },
	    .project = project, .object = object };

	snprintf(id, sizeof(id), "d%u", ++n);
	snprintf(hash, sizeof(hash), "%064u", n);
	return (fx_result(hook, ORCH_event, &e));
}

/* reconciled is told to look at this, and at nothing else. */
static void
looks(enum orch_look_what what, const char *object)
{
	struct fx_msg m;

	ck_assert_msg(fx_read(seer, &m), "nobody looks at %s", object);
	ck_assert_uint_eq(m.h.h_type, ORCH_look);
	ck_assert_str_eq(m.any.look.project, "tally");
	ck_assert_uint_eq(m.any.look.what, what);
	ck_assert_str_eq(m.any.look.object, object);
	fx_free(&m);
	ck_assert_int_eq(fx_read(seer, &m), 0);
}

START_TEST(a_delivery_has_its_object_looked_at)
{
	ck_assert_int_eq(deliver("gitea", "push", "acme/tally", "main"),
	    RES_OK);
	looks(LOOK_BRANCH, "main");
	ck_assert_int_eq(deliver("gitea", "status", "Acme/Tally", "abc"),
	    RES_OK);
	looks(LOOK_COMMIT, "abc");
	ck_assert_int_eq(deliver("gitea", "action_run", "acme/tally", "def"),
	    RES_OK);
	looks(LOOK_COMMIT, "def");
	ck_assert_int_eq(deliver("gitea", "workflow_run", "Acme/Tally", ""),
	    RES_OK);
	looks(LOOK_BRANCH, "");
	ck_assert_int_eq(deliver("plane", "issue", UUID, "i-1"), RES_OK);
	looks(LOOK_ITEM, "i-1");
}
END_TEST

START_TEST(a_delivery_of_no_project_is_stored_and_ignored)
{
	struct fx_msg m;

	ck_assert_int_eq(deliver("gitea", "push", "acme/other", "main"),
	    RES_REFUSED);
	ck_assert_int_eq(deliver("plane", "issue",
	    "00000000-0000-4000-8000-000000000000", "i"), RES_REFUSED);
	/* What one source calls it is no name of the other. */
	ck_assert_int_eq(deliver("plane", "issue", "Acme/Tally", "i"),
	    RES_REFUSED);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM event"), 3);
	ck_assert_int_eq(fx_read(seer, &m), 0);
}
END_TEST

/* Five deliveries at once; how many looks came of them. */
static unsigned int
looks_of_five(unsigned int turn)
{
	struct orch_event e = { .source = "plane", .kind = "issue",
	    .body = { (const uint8_t *)"{}", 2 }, .project = UUID,
	    .object = "i-1" };
	char id[32], hash[65];
	unsigned int i, n = 0;
	struct fx_msg m;

	for (i = 0; i < 5; i++) {
		snprintf(id, sizeof(id), "p%u-%u", turn, i);
		snprintf(hash, sizeof(hash), "%062x%u%u", turn, i, i);
		e.delivery = id;
		e.sha256 = hash;
		ck_assert_int_eq(chan_write_one(hook, ORCH_event, 500 + i, &e,
		    -1, FX_WAIT), 0);
	}
	while (fx_read(seer, &m)) {
		ck_assert_uint_eq(m.h.h_type, ORCH_look);
		ck_assert_str_eq(m.any.look.object, "i-1");
		n++;
		fx_free(&m);
	}
	return (n);
}

/* On a busy machine a pass may end by its time; then they are of several. */
START_TEST(hints_about_the_same_in_one_pass_are_one)
{
	unsigned int turn = 0, n;

	do
		n = looks_of_five(turn);
	while (++turn < 20 && n > 1);
	ck_assert_uint_eq(n, 1);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM event"), 5 * turn);
}
END_TEST

START_TEST(without_reconciled_a_delivery_is_stored)
{
	close(seer);
	fx_pump();
	ck_assert_int_eq(deliver("plane", "issue", UUID, "i-1"), RES_OK);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM event"), 1);
}
END_TEST

/* --- items ---------------------------------------------------------------- */

START_TEST(to_analyse_makes_a_task_once_with_the_items_number)
{
	struct orch_watch_list wl = { "tally", 10 };
	struct fx_msg m;

	CHANGES_NOTHING(item("Backlog", ""));
	ck_assert_int_eq(item("To Analyse", ""), RES_OK);
	ck_assert_str_eq(fx_task(KEY, "stage"), "analysis");
	ck_assert_str_eq(fx_task(KEY, "item"), ITEM);
	ck_assert_str_eq(fx_task(KEY, "author"), "ann");
	CHANGES_NOTHING(same_again());
	fx_ask(seer, ORCH_watch_list, &wl, -1, &m);
	ck_assert_str_eq(m.any.watch.task, KEY);
	ck_assert_str_eq(m.any.watch.item, ITEM);
	fx_free(&m);
	ck_assert(fx_read(seer, &m));
	ck_assert_int_eq(m.any.watch.last, 1);
	fx_free(&m);
}
END_TEST

START_TEST(a_title_is_made_one_plain_line)
{
	seven.item = NULL;
	(void)item("Backlog", "");
	seven.title = "\x1b[2J  Z\xc3\xa4hle\nW\xff\xf6rter \xe2\x80\xae!\t";
	ck_assert_int_eq(item("To Analyse", ""), RES_OK);
	ck_assert_str_eq(fx_task(KEY, "title"), "[2J Z\xc3\xa4hle W rter !");
	seven.item = NULL;
}
END_TEST

START_TEST(only_listed_authors_or_labels_start_work)
{
	static const char *const labels[] = { "ui", "orchd", NULL };

	fx_conf("serial_limit 10", "intake authors { \"eve\" }\n"
	    "intake labels { \"orchd\" }");
	CHANGES_NOTHING(item("To Analyse", ""));
	seven.labels.l_argv = labels;
	ck_assert_int_eq(item("To Analyse", ""), RES_OK);
	ck_assert_str_eq(fx_task(KEY, "stage"), "analysis");
	seven.item = NULL;
}
END_TEST

START_TEST(submit_is_for_projects_whose_items_are_here)
{
	ck_assert_int_eq(fx_submit("tally", NULL), RES_REFUSED);
	ck_assert_ptr_nonnull(strstr(fx_said, "\"To Analyse\""));
	ck_assert_int_eq(fx_int("SELECT count(*) FROM task"), 0);
	ck_assert_int_eq(fx_submit("other", NULL), RES_OK);
}
END_TEST

START_TEST(an_item_of_a_number_that_is_taken_is_told)
{
	ck_assert_int_eq(item("To Analyse", ""), RES_OK);
	seven.item = "11111111-4a52-4b0c-9c0b-6a8a2d1f0007";
	ck_assert_int_eq(item("To Analyse", ""), RES_OK);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM task"), 1);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM alert WHERE kind = "
	    "'intake' AND subject = '" KEY "' AND cleared_at IS NULL"), 1);
	ck_assert_int_eq(item("Backlog", ""), RES_OK);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM alert WHERE kind = "
	    "'intake' AND cleared_at IS NULL"), 0);
	seven.item = NULL;
}
END_TEST

START_TEST(approved_and_rejected_are_decisions_about_what_is_asked)
{
	int64_t n;

	asked();
	ck_assert_int_eq(item("Rejected", "too long"), RES_OK);
	ck_assert_str_eq(fx_str("SELECT decision || actor || text FROM "
	    "approval"), "rejectedbob in the trackertoo long");
	ck_assert_ptr_nonnull(strstr(fx_task(KEY, "feedback"), "too long"));
	n = fx_int("SELECT count(*) FROM approval");
	CHANGES_NOTHING(same_again());
	play();
	/* The same status for another reason: our own is not there yet. */
	ignored("Rejected");
	fx_sql("UPDATE outbox SET state = 'done'");
	ck_assert_int_eq(item("Approved", ""), RES_OK);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM approval"), n + 1);
	ck_assert_str_eq(fx_task(KEY, "stage"), "architecture");
}
END_TEST

/* Whatever somebody calls himself: the id is told too. */
START_TEST(a_person_has_a_name_and_the_beginning_of_an_id)
{
	asked();
	seven.editor = "78e51061-7311-48a3-82ce-6f447ed4d57b";
	seven.editor_name = "anna\x1b[2J\norchd";
	ck_assert_int_eq(item("Rejected", "too long"), RES_OK);
	ck_assert_str_eq(fx_str("SELECT actor FROM approval"),
	    "anna [2J orchd (78e51061) in the tracker");
}
END_TEST

START_TEST(a_status_that_is_older_than_the_question_answers_nothing)
{
	ck_assert_int_eq(item("To Analyse", ""), RES_OK);
	fx.ms += 5000;
	play();
	fx.ms -= 4000;
	ignored("Approved");
	fx.ms += 4000;
	/* Somebody edits its words: that is no decision. */
	ignored("Approved");
	ours("In Review");
	ck_assert_int_eq(item("Approved", ""), RES_OK);
	ck_assert_str_eq(fx_task(KEY, "stage"), "architecture");
}
END_TEST

START_TEST(a_tracker_whose_clock_is_behind_is_understood)
{
	asked();
	fx_sql("UPDATE task SET asked_at = asked_at + 60000");
	/* Our own status for the question is not there yet. */
	ignored("Approved");
	fx_sql("UPDATE task SET item_status = 'In Review'");
	ignored("Approved");
	fx_sql("UPDATE outbox SET state = 'done'");
	ours("In Review");
	ck_assert_int_eq(item("Approved", ""), RES_OK);
	ck_assert_str_eq(fx_task(KEY, "stage"), "architecture");
}
END_TEST

START_TEST(an_edit_is_no_change_of_the_status)
{
	asked();
	ours("In Progress");
	fx_sql("UPDATE task SET parked = 'needs_input', parked_reason = 'x'");
	/* Our "Needs Input" is not there yet, and somebody sets a label. */
	ignored("In Progress");
	ours("Needs Input");
	ck_assert_int_eq(item("In Progress", ""), RES_OK);
	ck_assert_str_eq(fx_task(KEY, "parked"), "");
}
END_TEST

/* A person with our key is told why nothing comes of it. */
START_TEST(a_decision_by_the_user_of_our_key_is_answered)
{
	static const char count[] = "SELECT count(*) FROM outbox "
	    "WHERE dest = 'tracker' AND substr(key, 1, 4) = 'own:'";

	asked();
	seven.own = 1;
	ck_assert_int_eq(item("In Progress", ""), RES_OK);
	ck_assert_int_eq(fx_int(count), 0);
	ck_assert_int_eq(item("Approved", ""), RES_OK);
	ck_assert_int_eq(fx_int(count), 1);
	ck_assert_str_eq(fx_task(KEY, "stage"), "analysis");
	/* Its comment is a change of the item too. */
	ck_assert_int_eq(item("Approved", ""), RES_OK);
	ck_assert_int_eq(fx_int(count), 1);
	seven.own = 0;
}
END_TEST

START_TEST(what_we_set_ourselves_is_no_decision)
{
	asked();
	seven.own = 1;
	ignored("In Progress");
	ignored("Blocked");
	ck_assert_int_eq(item("Stop", ""), RES_OK);
	ck_assert_str_eq(fx_task(KEY, "stage"), "analysis");
	ck_assert_int_eq(fx_int("SELECT count(cancel_requested_at) FROM task"), 0);
	seven.own = 0;
	ck_assert_int_eq(item("Approved", ""), RES_OK);
	ck_assert_str_eq(fx_task(KEY, "stage"), "architecture");
	/* An older reading that comes late. */
	seven.status = "Stop";
	seven.changed_ms -= 500;
	CHANGES_NOTHING(same_again());
}
END_TEST

/* The tracker's project was made anew: its numbers begin again. */
START_TEST(an_item_of_a_number_that_another_one_had_is_told)
{
	ck_assert_int_eq(item("To Analyse", ""), RES_OK);
	seven.item = "0f6f3c1e-4a52-4b0c-9c0b-6a8a2d1f0008";
	(void)item("To Analyse", "");
	ck_assert_int_eq(fx_int("SELECT count(*) FROM task"), 1);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM alert WHERE kind = "
	    "'intake' AND subject = '" KEY "' AND text LIKE '%%give it "
	    "another prefix%%'"), 1);
	seven.item = NULL;
}
END_TEST

START_TEST(blocked_parks_and_in_progress_goes_on)
{
	ck_assert_int_eq(item("To Analyse", ""), RES_OK);
	ck_assert_int_eq(item("Blocked", ""), RES_OK);
	ck_assert_str_eq(fx_task(KEY, "parked"), "blocked");
	ck_assert_str_eq(fx_task(KEY, "parked_reason"),
	    "set to \"Blocked\" by bob in the tracker");
	ignored("Needs Input");
	ck_assert_int_eq(item("In Progress", ""), RES_OK);
	ck_assert_str_eq(fx_task(KEY, "parked"), "");
	ignored("In Progress");
	ck_assert_int_eq(item("Needs Input", ""), RES_OK);
	ck_assert_str_eq(fx_task(KEY, "parked"), "needs_input");
	ck_assert_int_eq(item("To Analyse", ""), RES_OK);
	ck_assert_str_eq(fx_task(KEY, "parked"), "");
}
END_TEST

START_TEST(stop_cancels_unless_it_is_switched_off)
{
	fx_conf("", "stop_status_enabled no");
	ck_assert_int_eq(item("To Analyse", ""), RES_OK);
	ignored("Stop");
	fx_conf("", "");
	ours("In Progress");
	ck_assert_int_eq(item("Stop", ""), RES_OK);
	ck_assert_int_ne(fx_int("SELECT cancel_requested_at FROM task"), 0);
}
END_TEST

START_TEST(to_analyse_runs_the_analyst_again_in_analysis_only)
{
	unsigned int n;
	struct fx_spawn s;

	asked();
	n = fx.agents;
	seven.text = "another text";
	ours("In Review");
	asked();
	ck_assert_uint_eq(fx.agents, n + 1);
	ck_assert_str_eq(fx_task(KEY, "request"), "another text");
	ck_assert_int_eq(item("Approved", ""), RES_OK);
	while (fx_spawned(&s))
		fx_play_spawn(&s);
	ignored("To Analyse");
	seven.item = NULL;
}
END_TEST

/* Item 7 is cancelled, as its status Stop has it. */
static void
stopped(void)
{
	struct fx_spawn s;

	asked();
	ck_assert_int_eq(item("Stop", ""), RES_OK);
	while (strcmp(fx_task(KEY, "stage"), "cancelled") != 0 &&
	    fx_spawned(&s))
		fx_play_spawn(&s);
	ck_assert_str_eq(fx_task(KEY, "stage"), "cancelled");
}

START_TEST(to_analyse_begins_a_cancelled_item_afresh)
{
	int64_t kept;

	stopped();
	kept = fx_int("SELECT count(*) FROM effect");
	ck_assert_int_eq(item("To Analyse", ""), RES_OK);
	ck_assert_str_eq(fx_task(KEY "-t2", "stage"), "analysis");
	ck_assert_str_eq(fx_task(KEY "-t2", "item"), ITEM);
	ck_assert_int_eq(fx_task_int(KEY "-t2", "round"), 0);
	/* The first one is found as it was. */
	ck_assert_str_eq(fx_task(KEY, "stage"), "cancelled");
	ck_assert_str_eq(fx_task(KEY, "item_was"), ITEM);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM outbox o JOIN task t "
	    "ON t.id = o.task WHERE t.key = '" KEY "' AND o.kind = 'status' "
	    "AND o.dest = 'tracker' AND o.state = 'pending'"), 0);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM outbox WHERE text LIKE "
	    "'begins again as " KEY "-t2;%%'"), 1);
	CHANGES_NOTHING(same_again());
	while (fx_task(KEY "-t2", "asked_gate")[0] == '\0' && fx_step())
		;
	ck_assert_str_eq(fx_task(KEY "-t2", "asked_gate"),
	    "check_analysis_approved");
	ck_assert_int_ne(fx_int("SELECT t.branch <> u.branch FROM task t, "
	    "task u WHERE t.key = '" KEY "' AND u.key = '" KEY "-t2'"), 0);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM effect WHERE "
	    "key NOT LIKE '%%:" KEY "-t2:%%'"), kept);
	/* Its number is the last one's. */
	ck_assert_int_eq(fx_act("cancel", "7", ""), RES_OK);
	ck_assert_int_ne(fx_task_int(KEY "-t2", "cancel_requested_at"), 0);
	fx_sound();
}
END_TEST

START_TEST(to_analyse_while_it_is_cancelled_waits_for_the_end)
{
	struct fx_spawn s;

	asked();
	ck_assert_int_eq(item("Stop", ""), RES_OK);
	ck_assert_str_eq(fx_task(KEY, "stage"), "analysis");
	ck_assert_int_eq(item("To Analyse", ""), RES_RETRY);
	ck_assert_int_eq(same_again(), RES_RETRY);
	while (strcmp(fx_task(KEY, "stage"), "cancelled") != 0 &&
	    fx_spawned(&s))
		fx_play_spawn(&s);
	ck_assert_int_eq(same_again(), RES_OK);
	ck_assert_str_eq(fx_task(KEY "-t2", "stage"), "analysis");
}
END_TEST

START_TEST(a_cancelled_item_begins_afresh_for_the_trusted_only)
{
	stopped();
	fx_conf("serial_limit 10", "intake authors { \"eve\" }");
	ck_assert_int_eq(item("To Analyse", ""), RES_OK);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM task"), 1);
	ck_assert_str_eq(fx_task(KEY, "item"), ITEM);
}
END_TEST

START_TEST(what_is_done_stays_done_and_says_so_once)
{
	asked();
	fx_conf("serial_limit 10", "ci none");
	ck_assert_int_eq(item("Approved", ""), RES_OK);
	fx_play_until(KEY, "deploy");
	ck_assert_int_eq(item("Stop", ""), RES_OK);
	ck_assert_int_eq(fx_task_int(KEY, "ifnull(cancel_requested_at, 0)"),
	    0);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM outbox WHERE text LIKE "
	    "'%%a merge cannot be cancelled%%'"), 1);
	ck_assert_int_eq(item("Confirm Deploy", ""), RES_OK);
	fx_play_until(KEY, "done");
	ignored("To Analyse");
	ck_assert_int_eq(fx_int("SELECT count(*) FROM task"), 1);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM outbox WHERE kind = "
	    "'comment' AND text LIKE '%%open a new item%%'"), 1);
	CHANGES_NOTHING(same_again());
	ignored("Approved");
	ignored("Confirm Deploy");
	ignored("In Progress");
	ignored("Blocked");
}
END_TEST

START_TEST(only_confirm_deploy_deploys)
{
	struct fx_spawn s;

	asked();
	fx_conf("serial_limit 10", "ci none");
	/* Before there is anything to deploy. */
	ignored("Confirm Deploy");
	fx_sql("UPDATE outbox SET state = 'done'");
	ck_assert_int_eq(item("Approved", ""), RES_OK);
	ignored("Confirm Deploy");
	fx_play_until(KEY, "deploy");
	ck_assert_str_eq(fx_task(KEY, "asked_gate"), "check_deploy_status");
	ignored("Approved");
	ck_assert_int_eq(fx_int("SELECT count(*) FROM job WHERE work = "
	    "'deploy'"), 0);
	ck_assert_int_eq(item("Confirm Deploy", ""), RES_OK);
	ck_assert_str_eq(fx_str("SELECT decision || gate FROM approval "
	    "ORDER BY id DESC"), "approvedcheck_deploy_status");
	/* Once more, before and after the hook has begun. */
	fx_sql("UPDATE outbox SET state = 'done'");
	ignored("Confirm Deploy");
	fx_expect(&s, KIND_TRANSITION, "deploy");
	fx_play_spawn(&s);
	fx_sql("UPDATE outbox SET state = 'done'");
	ignored("Confirm Deploy");
	/* It has begun: nobody refuses it any more. */
	ignored("Rejected");
	fx_play_until(KEY, "done");
	ck_assert_uint_eq(fx.deploys, 1);
}
END_TEST

START_TEST(a_rejection_without_words_says_so)
{
	asked();
	ck_assert_int_eq(item("Rejected", " \n"), RES_OK);
	ck_assert_ptr_nonnull(strstr(fx_task(KEY, "feedback"),
	    "without words"));
	ck_assert_int_eq(fx_int("SELECT count(*) FROM outbox WHERE key LIKE "
	    "'words:" KEY ":%%' AND text LIKE '%%orchctl reject -m TEXT " KEY
	    "%%'"), 1);
}
END_TEST

/* By our clock, since the tracker does not have the question yet. */
START_TEST(words_from_before_the_question_reject_nothing)
{
	asked();
	fx.ms += 5000;
	ck_assert_int_eq(item("Backlog", ""), RES_OK);
	seven.status = "Rejected";
	seven.comment = "as I said of the title";
	seven.changed_ms = (uint64_t)(fx.ms += 1000);
	seven.comment_ms = (uint64_t)fx_int("SELECT asked_at - 1 FROM task");
	ck_assert_int_eq(same_again(), RES_OK);
	ck_assert_str_eq(fx_str("SELECT decision || (text LIKE '%%title%%') "
	    "FROM approval"), "rejected0");
	ck_assert_ptr_null(strstr(fx_task(KEY, "feedback"), "title"));
	ck_assert_ptr_nonnull(strstr(fx_task(KEY, "feedback"),
	    "without words"));
}
END_TEST

/* Its clock is an hour behind: it has stamped question and words both. */
START_TEST(words_after_the_question_count_by_the_trackers_clock)
{
	static char key[256];
	int other = _i;

	asked();
	strlcpy(key, fx_str("SELECT key || '@' || at FROM outbox "
	    "WHERE dest = 'tracker' AND key LIKE 'ask:%%'"), sizeof(key));
	if (other)	/* the question of another commit */
		key[strlen("ask:" KEY ":")]++;
	fx_sql("UPDATE outbox SET state = 'done'");
	ours("In Review");
	seven.status = "Rejected";
	seven.comment = "too long";
	seven.changed_ms += 1000;
	seven.comment_ms = seven.changed_ms - 3600000;
	seven.asked = key;
	ck_assert_int_eq(same_again(), RES_OK);
	ck_assert_str_eq(fx_str("SELECT decision || (text = 'too long') FROM "
	    "approval"), other ? "rejected0" : "rejected1");
}
END_TEST

/* --- a follow-up ---------------------------------------------------------- */

#define ITEM_F1	"2f6f3c1e-4a52-4b0c-9c0b-6a8a2d1f0043"

START_TEST(a_follow_up_gets_an_item_of_its_own_in_the_tracker)
{
	struct orch_outbox_done d = { .ok = 1, .item = ITEM_F1 };
	struct orch_outbox_next next = { "tracker", 100 };
	struct fx_msg m;
	int made = 0;

	fx_conf("serial_limit 10", "ci none\nrollback hook \"true\"\n"
	    "post_deploy_auto_rollback yes\n"
	    "post_deploy_base_url \"http://127.0.0.1:1/\"");
	fx.script = (struct fx_script){ "monitor", 1, GATE_FAIL, CAUSE_RED };
	asked();
	ck_assert_int_eq(item("Approved", ""), RES_OK);
	fx_play_until(KEY, "deploy");
	ck_assert_int_eq(item("Confirm Deploy", ""), RES_OK);
	fx_play_until(KEY, "done");
	while (fx_int("SELECT count(*) FROM task") < 2 && fx_step())
		;
	ck_assert_str_eq(fx_task(KEY "-f1", "item"), "");
	/* Before it is made, nothing else of that task goes out. */
	fx_ask(seer, ORCH_outbox_next, &next, -1, &m);
	while (!m.any.outbox_row.last) {
		if (strcmp(m.any.outbox_row.task, KEY "-f1") == 0) {
			ck_assert_str_eq(m.any.outbox_row.kind, "item");
			ck_assert_ptr_eq(strstr(m.any.outbox_row.key, "item:"
			    KEY "-f1@"), m.any.outbox_row.key);
			ck_assert_ptr_nonnull(strstr(m.any.outbox_row.text,
			    "was found degraded"));
			d.id = m.any.outbox_row.id;
			made++;
		}
		fx_free(&m);
		ck_assert(fx_read(seer, &m));
	}
	fx_free(&m);
	ck_assert_int_eq(made, 1);
	ck_assert_int_eq(fx_result(seer, ORCH_outbox_done, &d), RES_OK);
	ck_assert_str_eq(fx_task(KEY "-f1", "item"), ITEM_F1);
	/* Told a second time, as after a lost answer: nothing changes. */
	d.item = ITEM;
	ck_assert_int_eq(fx_result(seer, ORCH_outbox_done, &d), RES_OK);
	ck_assert_str_eq(fx_task(KEY "-f1", "item"), ITEM_F1);
	/* It is that task's from now on. */
	seven.item = ITEM_F1;
	seven.number = 43;
	ck_assert_int_eq(item("Stop", ""), RES_OK);
	ck_assert_int_ne(fx_task_int(KEY "-f1", "cancel_requested_at"), 0);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM task"), 2);
	seven.item = NULL;
}
END_TEST

/* --- what an agent starts on ---------------------------------------------- */

START_TEST(the_forge_is_fetched_before_each_agent)
{
	struct fx_spawn s;
	char work[8][33];
	size_t i, n = 0;

	ck_assert_int_eq(item("To Analyse", ""), RES_OK);
	while (fx_task(KEY, "asked_gate")[0] == '\0' && fx_spawned(&s)) {
		if (n < 8 && s.gate[0] == '\0' && s.kind != KIND_IMPORT)
			strlcpy(work[n++], s.work[0] != '\0' ? s.work :
			    s.role, sizeof(work[0]));
		fx_play_spawn(&s);
	}
	for (i = 0; i < n; i++)
		if (strcmp(work[i], "analyst") == 0)
			ck_assert(i > 0 && strcmp(work[i - 1], "fetch") == 0);
	ck_assert_uint_eq(fx.agents, 1);
	ck_assert_int_eq(item("Rejected", "no"), RES_OK);
	fx_expect(&s, KIND_TRANSITION, "fetch");
	fx_play_spawn(&s);
	fx_expect(&s, KIND_AGENT, "analyst");
	/* Nothing of it is an effect, and no lease was taken. */
	ck_assert_int_eq(fx_int("SELECT count(*) FROM effect WHERE name <> "
	    "'push'"), 0);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM lease"), 0);
}
END_TEST

START_TEST(a_fetch_that_fails_is_tried_again_and_no_agent_starts)
{
	int i;

	fx_conf("merge_infra_max_retries 2", "");
	fx.script = (struct fx_script){ "fetch", -1, GATE_ERROR,
	    CAUSE_INFRA };
	ck_assert_int_eq(item("To Analyse", ""), RES_OK);
	for (i = 0; i < 20 && fx_task(KEY, "parked")[0] == '\0'; i++)
		(void)fx_step();
	ck_assert_str_eq(fx_task(KEY, "parked"), "blocked");
	ck_assert_int_eq(fx_int("SELECT count(*) FROM run WHERE work = "
	    "'fetch'"), 3);
	ck_assert_uint_eq(fx.agents, 0);
	fx.script.times = 0;
	ck_assert_int_eq(item("In Progress", ""), RES_OK);
	for (i = 0; i < 20 && fx.agents == 0; i++)
		(void)fx_step();
	ck_assert_uint_eq(fx.agents, 1);
}
END_TEST

START_TEST(a_forge_that_is_away_is_waited_for_longer_and_why_says_it)
{
	const char *why = "";
	int i, said = 0;

	fx_conf("merge_infra_max_retries 2\ntransient_max 4", "");
	fx.script = (struct fx_script){ "fetch", -1, GATE_ERROR,
	    CAUSE_TRANSIENT };
	ck_assert_int_eq(item("To Analyse", ""), RES_OK);
	for (i = 0; i < 40 && fx_task(KEY, "parked")[0] == '\0'; i++) {
		(void)fx_step();
		why = fx_task(KEY, "why");
		said += strcmp(why, "fetch is tried again by itself: as the "
		    "test says") == 0;
	}
	ck_assert_str_eq(fx_task(KEY, "parked"), "blocked");
	ck_assert_int_eq(fx_int("SELECT count(*) FROM run WHERE work = "
	    "'fetch'"), 7);
	ck_assert_int_gt(said, 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("intake");
	TCase *tc = tcase_create("intake");

	tcase_add_checked_fixture(tc, setup, fx_close);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_delivery_has_its_object_looked_at);
	tcase_add_test(tc, a_delivery_of_no_project_is_stored_and_ignored);
	tcase_add_test(tc, hints_about_the_same_in_one_pass_are_one);
	tcase_add_test(tc, without_reconciled_a_delivery_is_stored);
	tcase_add_test(tc, to_analyse_makes_a_task_once_with_the_items_number);
	tcase_add_test(tc, a_title_is_made_one_plain_line);
	tcase_add_test(tc, only_listed_authors_or_labels_start_work);
	tcase_add_test(tc, submit_is_for_projects_whose_items_are_here);
	tcase_add_test(tc,
	    approved_and_rejected_are_decisions_about_what_is_asked);
	tcase_add_test(tc, a_person_has_a_name_and_the_beginning_of_an_id);
	tcase_add_test(tc,
	    a_status_that_is_older_than_the_question_answers_nothing);
	tcase_add_test(tc, a_tracker_whose_clock_is_behind_is_understood);
	tcase_add_test(tc, an_edit_is_no_change_of_the_status);
	tcase_add_test(tc, a_decision_by_the_user_of_our_key_is_answered);
	tcase_add_test(tc, what_we_set_ourselves_is_no_decision);
	tcase_add_test(tc, an_item_of_a_number_that_another_one_had_is_told);
	tcase_add_test(tc, blocked_parks_and_in_progress_goes_on);
	tcase_add_test(tc, stop_cancels_unless_it_is_switched_off);
	tcase_add_test(tc, to_analyse_runs_the_analyst_again_in_analysis_only);
	tcase_add_test(tc, to_analyse_begins_a_cancelled_item_afresh);
	tcase_add_test(tc, to_analyse_while_it_is_cancelled_waits_for_the_end);
	tcase_add_test(tc, a_cancelled_item_begins_afresh_for_the_trusted_only);
	tcase_add_test(tc, what_is_done_stays_done_and_says_so_once);
	tcase_add_test(tc, only_confirm_deploy_deploys);
	tcase_add_test(tc, a_rejection_without_words_says_so);
	tcase_add_test(tc, words_from_before_the_question_reject_nothing);
	tcase_add_loop_test(tc,
	    words_after_the_question_count_by_the_trackers_clock, 0, 2);
	tcase_add_test(tc,
	    a_follow_up_gets_an_item_of_its_own_in_the_tracker);
	tcase_add_test(tc, the_forge_is_fetched_before_each_agent);
	tcase_add_test(tc, a_fetch_that_fails_is_tried_again_and_no_agent_starts);
	tcase_add_test(tc,
	    a_forge_that_is_away_is_waited_for_longer_and_why_says_it);
	tcase_add_test(tc, an_item_of_a_number_that_is_taken_is_told);
	suite_add_tcase(s, tc);
	fx_main_exit(s);
}
