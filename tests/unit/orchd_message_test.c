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

/* What is told to forges, trackers and people, and when. */

#define UUID	"9d7b2d6e-0d0b-4a0e-9c64-9c1a41a7c001"
#define FX_TALLY							\
	"\tforge gitea \"http://forge.test\" repo \"Acme/Tally\""	\
	" read token file \"/r\" write token file \"/w\"\n\tci none\n"	\
	"\ttracker plane \"http://plane.test\" workspace \"acme\""	\
	" project \"" UUID "\" token file \"/t\"\n"
#define PEOPLE								\
	"notify ops telegram chat \"@us\" token file \"/c\"\n"		\
	"notify out webhook \"http://hook.test/\" secret file \"/s\"\n"
#define PAGE	"http://forge.test/Acme/Tally/pulls/4"

#include "orchd/notice.h"
#include "orchd/outbox.h"
#include "orchd/query.h"

#include "engine_play.h"

static int seer;

static void
setup(void)
{
	fx_open("serial_limit 10\nmax_concurrency 10\n" PEOPLE, "");
	seer = fx_connect(ROLE_RECONCILED);
}

/* A task of the tracker elsewhere. */
static void
begin(void)
{
	struct orch_tracker_item it = { .project = "tally", .item = "i-1",
	    .number = 1, .title = "Count words", .text = "please",
	    .author = "ann", .editor = "ann", .status = "To Analyse",
	    .changed_ms = 1699999999000 };

	ck_assert_int_eq(fx_result(seer, ORCH_tracker_item, &it), RES_OK);
}

/* Its pull request is seen at the forge. */
static void
see_pull(void)
{
	struct orch_pull_seen m = { .project = "tally",
	    .branch = fx_task("DEMO-1", "branch"), .number = 4,
	    .state = PULL_IS_OPEN, .head = fx_task("DEMO-1", "head"),
	    .landed = "", .page = PAGE };

	ck_assert_int_eq(fx_result(seer, ORCH_pull_seen, &m), RES_OK);
}

static void
until(const char *stage)
{
	begin();
	fx_play_until("DEMO-1", stage);
	ck_assert_str_eq(fx_task("DEMO-1", "stage"), stage);
}

static int64_t
rows(const char *where)
{
	return (fx_int("SELECT count(*) FROM outbox WHERE %s", where));
}

/* What is due for a destination: "kind|task|pull|commit|project|item;". */
static char *
due(const char *dest)
{
	struct orch_outbox_next n = { dest, 100 };
	static char text[8192];
	struct fx_msg m;
	size_t len;
	int last;

	text[0] = '\0';
	ck_assert_int_eq(chan_write_one(seer, ORCH_outbox_next, 8, &n, -1,
	    FX_WAIT), 0);
	do {
		const struct orch_outbox_row *r = &m.any.outbox_row;

		ck_assert(fx_read(seer, &m));
		if (!(last = r->last)) {
			len = strlen(text);
			snprintf(text + len, sizeof(text) - len,
			    "%s|%s|%llu|%.4s|%s|%s;", r->kind, r->task,
			    (unsigned long long)r->pull, r->commit,
			    r->project, r->item);
		}
		fx_free(&m);
	} while (!last);
	return (text);
}

static void
delivered(const char *where)
{
	struct orch_outbox_done d = { .ok = 1 };

	d.id = (uint64_t)fx_int("SELECT min(id) FROM outbox WHERE state = "
	    "'pending' AND %s", where);
	ck_assert_int_eq(fx_result(seer, ORCH_outbox_done, &d), RES_OK);
}

/* --- the forge ------------------------------------------------------------ */

START_TEST(a_gate_is_a_status_of_the_commit_that_it_judged)
{
	const char *head;

	until("review");
	head = fx_task("DEMO-1", "head");
	ck_assert_str_eq(fx_str("SELECT text FROM outbox WHERE dest = "
	    "'forge:tally' AND kind = 'status' AND commit_id = '%s' AND key "
	    "LIKE 'gate-job:%%'", head),
	    "pending orchd/check_tests_local\nbeing evaluated");
	ck_assert_str_eq(fx_str("SELECT substr(text, 1, 31) FROM outbox "
	    "WHERE kind = 'status' AND commit_id = '%s' AND key = 'gate:' || "
	    "(SELECT id FROM gate_result WHERE gate = 'check_tests_local')",
	    head), "success orchd/check_tests_local");
	/* Not one without the commit that its result names. */
	ck_assert_int_eq(rows("kind = 'status' AND dest = 'forge:tally' AND "
	    "key LIKE 'gate:%' AND NOT EXISTS (SELECT 1 FROM gate_result g "
	    "WHERE 'gate:' || g.id = key AND g.commit_id = "
	    "outbox.commit_id)"), 0);
}
END_TEST

START_TEST(a_red_gate_says_failure_and_why)
{
	begin();
	fx.script = (struct fx_script){ "check_tests_local", 1, GATE_FAIL,
	    CAUSE_RED };
	fx_play_until("DEMO-1", "review");
	ck_assert_str_eq(fx_str("SELECT text FROM outbox WHERE text LIKE "
	    "'failure %%'"), "failure orchd/check_tests_local\n"
	    "as the test says");
	ck_assert_ptr_nonnull(strstr(fx_str("SELECT text FROM outbox WHERE "
	    "dest = 'forge:tally' AND kind = 'comment' AND key LIKE "
	    "'findings:%%'"), "    the log's end"));
}
END_TEST

/* The forge has never heard of the merge that the edge judges. */
START_TEST(a_commit_that_is_not_at_the_forge_gets_its_statuses_when_it_is)
{
	char m[ID_HEX] = "00000000000000000000000000000000000000ee";
	const char *key = "merge:DEMO-1:r0:"
	    "00000000000000000000000000000000000000ee";
	struct orch_effect_done d = { 0, key, EFFECT_DONE, "seen" };
	struct orch_effect e = { 0, "merge", key, CLASS_CAS };
	struct orch_gate g = { 0, "check_branch_mergeable", m, LOOK_NO };
	struct orch_landed l = { 0, m, "aa", "bb", "", "", "" };
	struct fx_spawn s;
	struct fx_msg go, a;
	int sock = -1;

	begin();
	fx_play_until("DEMO-1", "deploy-staging");
	while (fx_spawned(&s)) {
		if (strcmp(s.work, "edge") == 0) {
			sock = fx_connect_run(&s, &go);
			break;
		}
		fx_play_spawn(&s);
	}
	ck_assert_int_ne(sock, -1);
	g.epoch = e.epoch = d.epoch = l.epoch = fx_begin(sock,
	    &go.any.run_go);
	fx_free(&go);
	ck_assert_int_eq(chan_write_one(sock, ORCH_gate, 77, &g, -1,
	    FX_WAIT), 0);
	fx_expect(&s, KIND_GATE, "check_branch_mergeable");
	fx_play_spawn(&s);
	ck_assert(fx_read(sock, &a));
	fx_free(&a);
	ck_assert_int_eq(rows("commit_id LIKE '%ee'"), 0);
	ck_assert_int_eq(fx_result(sock, ORCH_effect, &e), RES_OK);
	ck_assert_int_eq(fx_result(sock, ORCH_effect_done, &d), RES_OK);
	ck_assert_int_eq(fx_result(sock, ORCH_landed, &l), RES_OK);
	ck_assert_int_eq(rows("commit_id LIKE '%ee' AND text LIKE "
	    "'success orchd/check_branch_mergeable%'"), 1);
}
END_TEST

START_TEST(a_comment_waits_for_its_pull_request_and_statuses_do_not)
{
	begin();
	fx.script = (struct fx_script){ "check_tests_local", 1, GATE_FAIL,
	    CAUSE_RED };
	fx_play_until("DEMO-1", "review");
	ck_assert_ptr_nonnull(strstr(due("forge:tally"), "status|DEMO-1|0|"));
	ck_assert_ptr_null(strstr(due("forge:tally"), "comment"));
	see_pull();
	ck_assert_ptr_nonnull(strstr(due("forge:tally"),
	    "comment|DEMO-1|4||tally|i-1;"));
	/* One of each kind: in order. */
	ck_assert_ptr_null(strstr(strchr(due("forge:tally"), ';') + 1,
	    "status"));
}
END_TEST

START_TEST(the_pull_request_hears_of_the_merge_the_deploy_and_a_park)
{
	struct task t;

	until("development");
	fx_play_until("DEMO-1", "testing");
	see_pull();
	ck_assert_int_eq(pass_enter(), 0);
	ck_assert_int_eq(task_by_key("DEMO-1", &t), STORE_OK);
	ck_assert_int_eq(task_park(&t, "blocked", "the <!-- disk --> is full"),
	    STORE_OK);
	(void)pass_leave(1);
	pass_commit();
	ck_assert_str_eq(fx_str("SELECT text FROM outbox WHERE key LIKE "
	    "'parked:%%' AND dest = 'forge:tally'"), "**DEMO-1** is parked, "
	    "a person has to look:\n\n    the <! -- disk --> is full\n");
	/* The tracker shows no more than a status of it. */
	ck_assert_str_eq(fx_str("SELECT text FROM outbox WHERE key LIKE "
	    "'parked:%%' AND dest = 'tracker'"), "is parked: the <!-- disk "
	    "--> is full. To go on: status \"In Progress\", or orchctl retry "
	    "DEMO-1");
	fx_sql("UPDATE task SET parked = '', drive_at = 1");
	fx_play_until("DEMO-1", "done");
	ck_assert_ptr_nonnull(strstr(fx_str("SELECT text FROM outbox WHERE "
	    "kind = 'comment' AND text LIKE '%%is merged as%%'"),
	    fx_task("DEMO-1", "landed")));
	ck_assert_int_eq(rows("dest = 'forge:tally' AND text LIKE "
	    "'%is deployed:%'"), 1);
	/* Not one for each move. */
	ck_assert_int_eq(rows("dest = 'forge:tally' AND kind = 'comment'"),
	    3);
}
END_TEST

/* A project's own names are those that its people can set. */
START_TEST(what_is_asked_names_the_statuses_as_the_project_does)
{
	char reason[2001];
	struct task t;

	fx_conf(PEOPLE, "status { \"Rejected\" \"Send Back\" \"Approved\" "
	    "\"Fine\" \"In Progress\" \"Doing\" }");
	begin();
	while (fx_step())
		continue;
	ck_assert_ptr_nonnull(strstr(fx_task("DEMO-1", "why"), "status "
	    "\"Fine\" (or \"Send Back\", with a comment), or orchctl approve "
	    "DEMO-1"));
	memset(reason, 'x', sizeof(reason) - 1);
	reason[sizeof(reason) - 1] = '\0';
	ck_assert_int_eq(pass_enter(), 0);
	ck_assert_int_eq(task_by_key("DEMO-1", &t), STORE_OK);
	ck_assert_int_eq(task_park(&t, "blocked", reason), STORE_OK);
	(void)pass_leave(1);
	pass_commit();
	/* However long a reason is, what to do stands after it. */
	ck_assert_int_eq(fx_int("SELECT count(*) FROM alert WHERE kind = "
	    "'parked' AND text LIKE '%%x. To go on: status \"Doing\", or "
	    "orchctl retry DEMO-1'"), 1);
}
END_TEST

/* Approvals that the forge wants are waited for inside of the merge. */
START_TEST(why_says_that_the_forge_has_not_merged_yet)
{
	struct task t;
	struct fx_spawn s;
	struct fx_msg go;
	char why[2400];
	const char *waits;
	int sock = -1;

	begin();
	fx_play_until("DEMO-1", "deploy-staging");
	while (sock == -1) {
		ck_assert(fx_spawned(&s));
		if (strcmp(s.work, "edge") == 0)
			sock = fx_connect_run(&s, &go);
		else
			fx_play_spawn(&s);
	}
	fx_sql("INSERT INTO effect (task, name, key, class, state, epoch, at) "
	    "VALUES (1, 'merge', 'm', 1, 'intent', 1, %lld)",
	    (long long)eng_now() - 30000);
	ck_assert_int_eq(task_by_key("DEMO-1", &t), STORE_OK);
	task_why(&t, why, sizeof(why), &waits);
	ck_assert_msg(strstr(why, ", at merge for 30 s: the forge has not "
	    "merged yet") != NULL, "%s", why);
	fx_free(&go);
	fx_leave(sock);
}
END_TEST

START_TEST(what_an_agent_wrote_mentions_nobody_and_is_cut)
{
	char *text = malloc(20001);
	const char *said;
	int64_t i, n;

	memset(text, 'x', 20000);
	for (i = 99; i < 20000; i += 100)
		text[i] = '\n';
	memcpy(text, "@all\r see\n<!-- orchd:k -->\n", 27);
	text[20000] = '\0';
	until("development");
	fx_play_until("DEMO-1", "review");
	ck_assert_int_eq(pass_enter(), 0);
	ck_assert_int_eq(task_set_feedback(1, "red", text), STORE_OK);
	(void)pass_leave(1);
	pass_commit();
	free(text);
	said = fx_str("SELECT text FROM outbox WHERE key LIKE 'findings:%%'");
	ck_assert_ptr_nonnull(strstr(said, "\n    @all see\n"
	    "    <! -- orchd:k -->\n"));
	ck_assert_ptr_nonnull(strstr(said, "bytes are left out]\n"));
	n = fx_int("SELECT length(text) FROM outbox WHERE key LIKE "
	    "'findings:%%'");
	ck_assert_int_lt(n, 5000);
	ck_assert_int_gt(n, 3000);
}
END_TEST

/* A lost race changes nothing, and says nothing. */
START_TEST(a_move_that_is_lost_says_nothing)
{
	struct transition tr = { .tr_task = 1, .tr_from = STAGE_ANALYSIS,
	    .tr_to = STAGE_ARCHITECTURE, .tr_actor = { "test", 0 },
	    .tr_reason = "twice" };
	char *before, *after;

	until("analysis");
	tr.tr_seq = fx_task_int("DEMO-1", "stage_seq");
	before = fx_dump();
	/* Taken back as a whole. */
	ck_assert_int_eq(pass_enter(), 0);
	ck_assert_int_eq(transition_commit(&tr), STORE_OK);
	(void)pass_leave(0);
	pass_commit();
	/* And lost. */
	ck_assert_int_eq(pass_enter(), 0);
	tr.tr_seq--;
	ck_assert_int_eq(transition_commit(&tr), STORE_STALE);
	(void)pass_leave(1);
	pass_commit();
	after = fx_dump();
	ck_assert_str_eq(before, after);
	free(before);
	free(after);
	ck_assert_int_eq(pass_enter(), 0);
	tr.tr_seq++;
	ck_assert_int_eq(transition_commit(&tr), STORE_OK);
	(void)pass_leave(1);
	pass_commit();
	ck_assert_int_eq(rows("text LIKE '%twice%'"), 1);
}
END_TEST

/* --- the tracker ---------------------------------------------------------- */

START_TEST(the_tracker_gets_links_state_and_verdicts)
{
	until("development");
	fx_play_until("DEMO-1", "review");
	see_pull();
	fx_play_until("DEMO-1", "done");
	ck_assert_ptr_nonnull(strstr(fx_str("SELECT text FROM outbox WHERE "
	    "dest = 'tracker' AND text LIKE 'review -> testing%%'"),
	    "\nstage testing, round 0, commit "));
	ck_assert_ptr_nonnull(strstr(fx_str("SELECT text FROM outbox WHERE "
	    "dest = 'tracker' AND text LIKE 'review -> testing%%'"),
	    "\n" PAGE));
	ck_assert_ptr_nonnull(strstr(fx_str("SELECT text FROM outbox WHERE "
	    "dest = 'tracker' AND text LIKE 'check_reviewer_verdict: pass "
	    "at%%'"), "\n\nthe log's end"));
	ck_assert_int_eq(rows("key LIKE 'verdict:%'"), 2);
	ck_assert_ptr_nonnull(strstr(fx_str("SELECT text FROM outbox WHERE "
	    "dest = 'tracker' AND text LIKE '%%confirm the deploy%%'"),
	    "\n" PAGE));
	/* Before there is a pull request: what the question is about. */
	ck_assert_int_eq(rows("text LIKE '%approve the analysis%/src/commit/"
	    "%/docs/work-items/DEMO-1%'"), 3);
}
END_TEST

/* As the project calls it, and once. */
START_TEST(what_is_cancelled_shows_so_under_the_projects_name)
{
	fx_conf(PEOPLE, "status { \"Cancelled\" \"Dropped\" }");
	until("analysis");
	while (fx_step())
		continue;
	ck_assert_int_eq(fx_act("cancel", "DEMO-1", ""), RES_OK);
	while (strcmp(fx_task("DEMO-1", "stage"), "cancelled") != 0)
		ck_assert(fx_step());
	ck_assert_str_eq(fx_str("SELECT text FROM outbox WHERE dest = "
	    "'tracker' AND kind = 'status' ORDER BY id DESC"), "Dropped");
	ck_assert_int_eq(rows("kind = 'status' AND text = 'Dropped'"), 1);
	ck_assert_int_eq(rows("kind = 'end' AND text LIKE "
	    "'DEMO-1 is cancelled%'"), 2);
}
END_TEST

/* --- people --------------------------------------------------------------- */

static void
raise(const char *subject, const char *text)
{
	ck_assert_int_eq(pass_enter(), 0);
	ck_assert_int_eq(alert_raise("disk_low", subject, "%s", text),
	    STORE_OK);
	(void)pass_leave(1);
	pass_commit();
}

static void
clear(const char *subject)
{
	ck_assert_int_eq(pass_enter(), 0);
	ck_assert_int_eq(alert_clear("disk_low", subject), STORE_OK);
	(void)pass_leave(1);
	pass_commit();
}

START_TEST(an_alert_is_one_message_to_each_until_the_cool_down_is_over)
{
	raise("/var", "/var is 91 % full. Remove something");
	raise("/var", "/var is 92 % full. Remove something");
	ck_assert_int_eq(rows("kind = 'alert'"), 2);
	ck_assert_str_eq(fx_str("SELECT text FROM outbox WHERE dest = "
	    "'notify:ops'"), "Alert disk_low, /var: /var is 91 % full. "
	    "Remove something");
	ck_assert_int_eq(rows("dest = 'notify:out' AND task IS NULL"), 1);
	ck_assert_str_eq(due("notify:ops"), "alert||0|||;");
	/* Another identity is another alert. */
	raise("/home", "full");
	ck_assert_int_eq(rows("kind = 'alert'"), 4);
	fx.ms += 1800 * 1000;
	raise("/var", "/var is 97 % full. Remove something");
	ck_assert_int_eq(rows("kind = 'alert'"), 6);
}
END_TEST

START_TEST(a_recovery_is_told_once_and_only_to_who_was_told)
{
	raise("/var", "full");
	clear("/var");
	clear("/var");
	ck_assert_int_eq(rows("kind = 'recovery'"), 2);
	ck_assert_str_eq(fx_str("SELECT text FROM outbox WHERE kind = "
	    "'recovery'"), "Over: alert disk_low, /var. It said: full");
	/* Within the cool-down it comes and goes unheard. */
	raise("/var", "full again");
	clear("/var");
	ck_assert_int_eq(rows("kind IN ('alert', 'recovery')"), 4);
	/* What stays is told when the cool-down is over. */
	raise("/var", "full for good");
	fx_tick(60000);
	ck_assert_int_eq(rows("kind = 'alert'"), 2);
	fx_tick(1800 * 1000);
	ck_assert_int_eq(rows("kind = 'alert' AND text LIKE '%for good'"), 2);
	fx_tick(1800 * 1000);
	ck_assert_int_eq(rows("kind = 'alert'"), 4);
}
END_TEST

START_TEST(a_daemon_that_goes_on_ends_its_alert)
{
	struct orch_daemon_down m = { "reconciled", 3, 2000 };
	int i;

	for (i = 0; i < 3; i++) {
		ck_assert_int_eq(chan_write_one(fx.parent, ORCH_daemon_down,
		    1, &m, -1, FX_WAIT), 0);
		fx_pump();
		fx_tick(60000);
	}
	ck_assert_int_eq(rows("kind = 'alert'"), 2);
	ck_assert_int_eq(rows("kind = 'recovery'"), 0);
	fx_tick(60000);
	ck_assert_int_eq(rows("kind = 'recovery'"), 2);
	/* One that an earlier engine raised, too. */
	fx_sql("INSERT INTO alert (kind, subject, text, since) VALUES "
	    "('daemon', 'webhookd', 'it ended', 1)");
	eng.e_started_at = fx.ms;
	fx_tick(119000);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM alert WHERE cleared_at "
	    "IS NULL"), 1);
	fx_tick(1000);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM alert WHERE cleared_at "
	    "IS NULL"), 0);
}
END_TEST

START_TEST(people_are_asked_to_confirm_and_told_what_does_not)
{
	const char *said;

	until("deploy");
	while (fx_step())
		continue;
	said = fx_str("SELECT text FROM outbox WHERE dest = 'notify:ops' AND "
	    "kind = 'question' ORDER BY id DESC");
	ck_assert_ptr_nonnull(strstr(said, "\"Confirm Deploy\""));
	ck_assert_ptr_nonnull(strstr(said, "\"Approved\" does not deploy"));
	ck_assert_ptr_nonnull(strstr(said, "DEMO-1: Count words"));
	ck_assert_int_eq(rows("kind = 'end'"), 0);
	fx_play_until("DEMO-1", "done");
	ck_assert_int_eq(rows("kind = 'end' AND text LIKE "
	    "'DEMO-1 is done: deployed%'"), 2);
}
END_TEST

START_TEST(nobody_is_told_where_nobody_is_configured)
{
	fx_conf("", "");
	raise("/var", "full");
	clear("/var");
	ck_assert_int_eq(rows("dest LIKE 'notify:%'"), 0);
	/* Who is added hears of what is open. */
	raise("/home", "full");
	fx_conf(PEOPLE, "");
	fx_tick(1000);
	ck_assert_int_eq(rows("dest LIKE 'notify:%'"), 2);
}
END_TEST

START_TEST(a_token_in_a_message_is_hidden)
{
	raise("/var", "ghp_0123456789abcdefghijABCDEFGHIJ012345 is no token");
	ck_assert_int_eq(rows("text LIKE '%ghp_%'"), 0);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM alert WHERE text LIKE "
	    "'%%ghp_%%'"), 0);
}
END_TEST

/* --- destinations --------------------------------------------------------- */

START_TEST(a_dead_destination_delays_no_other_and_no_task)
{
	struct orch_outbox_done d = { .error = "down" };
	int64_t seq;

	begin();
	raise("/var", "full");
	raise("/home", "full");
	d.id = (uint64_t)fx_int("SELECT id FROM outbox WHERE dest = "
	    "'notify:ops'");
	ck_assert_int_eq(fx_result(seer, ORCH_outbox_done, &d), RES_OK);
	/* What is about nothing of it goes on there too. */
	ck_assert_str_eq(due("notify:ops"), "alert||0|||;");
	delivered("dest = 'notify:ops' AND text LIKE '%/home%'");
	ck_assert_str_eq(due("notify:ops"), "");
	/* As at the other one, and tasks go on. */
	ck_assert_str_eq(due("notify:out"), "alert||0|||;alert||0|||;");
	delivered("dest = 'notify:out'");
	ck_assert_str_eq(due("notify:out"), "alert||0|||;");
	seq = fx_task_int("DEMO-1", "stage_seq");
	fx_play_until("DEMO-1", "development");
	ck_assert_int_gt(fx_task_int("DEMO-1", "stage_seq"), seq);
	fx.ms += 3600000;
	ck_assert_ptr_nonnull(strstr(due("notify:ops"), "alert||0|||;"));
}
END_TEST

START_TEST(what_cannot_be_delivered_for_a_week_is_parked_with_one_alert)
{
	struct orch_outbox_done d = { .error = "HTTP 401" };
	int i;

	raise("/var", "full");
	raise("/home", "full");
	d.id = 1;
	fx.ms += 3600000;
	fx_tick(1000);
	for (i = 0; i < 8; i++) {
		(void)fx_result(seer, ORCH_outbox_done, &d);
		fx_tick(86400LL * 1000);
	}
	ck_assert_str_eq(fx_str("SELECT state FROM outbox WHERE id = 1"),
	    "parked");
	ck_assert_int_eq(fx_int("SELECT count(*) FROM alert WHERE kind = "
	    "'outbox_parked' AND subject = 'notify:ops' AND text LIKE "
	    "'%%HTTP 401%%' AND cleared_at IS NULL"), 1);
	/* Nobody has ever asked for the other ones: they are parked too. */
	ck_assert_int_eq(rows("state = 'parked' AND id <= 4"), 4);
	/* A later one gets through: it is over. */
	raise("/tmp", "full");
	delivered("dest = 'notify:ops' AND text LIKE '%/tmp%'");
	ck_assert_int_eq(fx_int("SELECT count(*) FROM alert WHERE kind = "
	    "'outbox_parked' AND subject = 'notify:ops' AND cleared_at IS "
	    "NULL"), 0);
}
END_TEST

/* An operator's word about what is parked for a destination. */
static enum orch_result
retry(const char *dest)
{
	char arg[128];
	const char *args[] = { "retry", arg, NULL };
	struct orch_action act = { .verb = "queue",
	    .args = { .l_argv = args } };

	snprintf(arg, sizeof(arg), "dest=%s", dest);
	return (fx_act_full(&act));
}

START_TEST(what_is_parked_is_tried_again_by_an_operator_for_another_week)
{
	struct orch_outbox_done d = { .error = "HTTP 401" };
	int i;

	raise("/var", "full");
	fx.ms += 3600000;
	fx_tick(1000);
	d.id = (uint64_t)fx_int("SELECT id FROM outbox WHERE dest = "
	    "'notify:ops'");
	for (i = 0; i < 8; i++) {
		(void)fx_result(seer, ORCH_outbox_done, &d);
		fx_tick(86400LL * 1000);
	}
	ck_assert_int_eq(rows("dest = 'notify:ops' AND state = 'parked'"), 1);
	ck_assert_int_gt(fx_int("SELECT count(*) FROM alert WHERE kind = "
	    "'outbox_parked' AND text LIKE '%%orchctl queue retry "
	    "notify:ops' AND cleared_at IS NULL"), 0);
	ck_assert_int_eq(retry("notify:ops"), RES_OK);
	ck_assert_str_eq(fx_said, "1 message to notify:ops is tried again");
	/* Not parked again by the next look, and again is nothing more. */
	fx_tick(86400LL * 1000);
	ck_assert_int_gt(rows("dest = 'notify:ops' AND state = 'pending'"),
	    0);
	ck_assert_int_eq(rows("dest = 'notify:ops' AND state = 'parked'"), 0);
	ck_assert_int_eq(retry("notify:ops"), RES_DUPLICATE);
	delivered("dest = 'notify:ops' AND text LIKE '%/var%'");
	ck_assert_int_eq(fx_int("SELECT count(*) FROM alert WHERE kind = "
	    "'outbox_parked' AND subject = 'notify:ops' AND cleared_at IS "
	    "NULL"), 0);
}
END_TEST

START_TEST(nothing_is_tried_again_of_a_destination_that_is_none)
{
	raise("/var", "full");
	fx_sql("UPDATE outbox SET state = 'parked'");
	ck_assert_int_eq(retry("notify:opps"), RES_NOTFOUND);
	ck_assert_msg(strstr(fx_said, "some to notify:ops, notify:out") !=
	    NULL, "%s", fx_said);
	fx_conf("notify out webhook \"http://h.test/\" secret file \"/s\"\n",
	    "");
	ck_assert_int_eq(retry("notify:ops"), RES_REFUSED);
	ck_assert_int_eq(rows("state = 'pending'"), 0);
	ck_assert_int_eq(retry("notify:out"), RES_OK);
	ck_assert_int_eq(rows("state = 'pending'"), 1);
}
END_TEST

START_TEST(a_status_that_a_later_one_has_replaced_is_not_sent_late)
{
	until("review");
	fx_sql("UPDATE outbox SET state = CASE WHEN id = (SELECT max(id) "
	    "FROM outbox WHERE dest = 'tracker' AND kind = 'status') THEN "
	    "'done' ELSE 'parked' END WHERE dest = 'tracker'");
	ck_assert_int_gt(rows("dest = 'tracker' AND kind = 'status' "
	    "AND state = 'parked'"), 0);
	ck_assert_int_eq(retry("tracker"), RES_OK);
	ck_assert_int_eq(rows("dest = 'tracker' AND kind = 'status' "
	    "AND state <> 'done'"), 0);
	ck_assert_int_gt(rows("dest = 'tracker' AND kind = 'comment' "
	    "AND state = 'pending'"), 0);
	/* At the forge each gate of each commit has one of its own. */
	fx_sql("UPDATE outbox SET state = 'parked' WHERE dest = "
	    "'forge:tally'");
	ck_assert_int_gt(rows("text LIKE 'pending orchd/%' AND state = "
	    "'parked'"), 0);
	ck_assert_int_eq(retry("forge:tally"), RES_OK);
	ck_assert_int_eq(rows("text LIKE 'pending orchd/%' AND EXISTS "
	    "(SELECT 1 FROM outbox o WHERE o.text LIKE 'success' || "
	    "substr(outbox.text, 8, 30) || '%' AND o.commit_id = "
	    "outbox.commit_id)"), 0);
	ck_assert_int_gt(rows("text LIKE 'success orchd/%' AND state = "
	    "'pending'"), 0);
}
END_TEST

START_TEST(a_name_of_the_longest_kind_is_a_destination)
{
	fx_conf("notify a123456789012345678901234567890123456789 telegram "
	    "chat \"1\" token file \"/c\"\n", "");
	raise("/var", "full");
	ck_assert_str_eq(due("notify:a123456789012345678901234567890123456789"),
	    "alert||0|||;");
}
END_TEST

/* --- a command ------------------------------------------------------------ */

#define PAGER	"notify pager exec \"/bin/page\" \"-x\"\n"

/* Two alerts, and the command of the first is started. */
static int
paged(struct fx_spawn *s, struct fx_msg *go)
{
	fx_conf("max_concurrency 1\n" PAGER, "");
	raise("/var", "full");
	raise("/home", "full");
	fx_tick(1000);
	ck_assert(fx_spawned(s));
	ck_assert_uint_eq(s->kind, KIND_EXEC);
	ck_assert_str_eq(s->gate, "pager");
	return (fx_connect_run(s, go));
}

static enum orch_result
done(int sock, uint64_t run, enum gate_verdict verdict)
{
	struct orch_run_done d = { .run = run, .verdict = (uint8_t)verdict,
	    .cause = verdict == GATE_PASS ? CAUSE_NONE : CAUSE_EXEC,
	    .reason = "exit code 3" };

	return (fx_result(sock, ORCH_run_done, &d));
}

START_TEST(a_command_gets_one_message_after_the_other)
{
	struct fx_spawn s, s2;
	struct fx_msg go;
	int sock = paged(&s, &go);

	ck_assert_str_eq((const char *)fx_str("SELECT '%.*s'",
	    (int)go.any.run_go.request.b_len,
	    (const char *)go.any.run_go.request.b_data),
	    "Alert disk_low, /var: full");
	fx_free(&go);
	/* One at a time, and in order. */
	fx_tick(1000);
	ck_assert(!fx_spawned(&s2));
	ck_assert_int_eq(done(sock, s.run, GATE_PASS), RES_OK);
	ck_assert_int_eq(rows("state = 'done'"), 1);
	ck_assert(fx_spawned(&s2));
	ck_assert_uint_ne(s2.run, s.run);
	sock = fx_connect_run(&s2, &go);
	fx_free(&go);
	ck_assert_int_eq(done(sock, s2.run, GATE_PASS), RES_OK);
	ck_assert_int_eq(rows("state = 'pending'"), 0);
	fx_tick(1000);
	ck_assert(!fx_spawned(&s));
}
END_TEST

START_TEST(a_command_that_fails_is_tried_again_later)
{
	struct fx_spawn s;
	struct fx_msg go;
	int sock = paged(&s, &go);

	fx_free(&go);
	ck_assert_int_eq(done(sock, s.run, GATE_ERROR), RES_OK);
	ck_assert_str_eq(fx_str("SELECT error FROM outbox WHERE id = 1"),
	    "exit code 3");
	/* The other alert does not wait for it. */
	ck_assert(fx_spawned(&s));
	sock = fx_connect_run(&s, &go);
	fx_free(&go);
	ck_assert_int_eq(done(sock, s.run, GATE_PASS), RES_OK);
	ck_assert(!fx_spawned(&s));
	fx_tick(5000);
	ck_assert(fx_spawned(&s));
	ck_assert_int_eq(rows("attempts = 1 AND id = 1"), 1);
}
END_TEST

START_TEST(a_command_takes_no_slot_and_holds_up_nobody)
{
	struct fx_spawn s;
	struct fx_msg go;

	(void)paged(&s, &go);
	fx_free(&go);
	begin();
	fx_expect(&s, KIND_TRANSITION, "fetch");
	fx_play_spawn(&s);
	fx_expect(&s, KIND_AGENT, "analyst");
}
END_TEST

START_TEST(a_runner_of_an_earlier_engine_or_without_the_key_is_refused)
{
	struct fx_spawn s;
	struct fx_msg m;
	int sv[2];

	(void)paged(&s, &m);
	fx_free(&m);
	s.key[0] ^= 1;
	(void)fx_pair(sv);
	peer_accept(sv[0], 0);
	fx_say_hello(sv[1], ROLE_RUNNER, s.run, s.key, &m);
	ck_assert_uint_eq(m.h.h_type, ORCH_hello_no);
	fx_free(&m);
	(void)fx_pair(sv);
	peer_accept(sv[0], 0);
	fx_say_hello(sv[1], ROLE_RUNNER, s.run - 1, s.key, &m);
	ck_assert_uint_eq(m.h.h_type, ORCH_hello_no);
	fx_free(&m);
}
END_TEST

START_TEST(a_command_that_cannot_be_started_or_hangs_is_tried_again)
{
	struct orch_spawned no = { .error = "no such file" };
	struct fx_spawn s;
	struct fx_msg go;

	(void)paged(&s, &go);
	fx_free(&go);
	no.run = s.run;
	ck_assert_int_eq(chan_write_one(fx.parent, ORCH_spawned, 1, &no, -1,
	    FX_WAIT), 0);
	fx_pump();
	ck_assert_str_eq(fx_str("SELECT error FROM outbox WHERE id = 1"),
	    "no such file");
	fx_tick(5000);
	ck_assert(fx_spawned(&s));
	/* Nobody ever says anything of this one. */
	fx_tick(100000);
	ck_assert(!fx_spawned(&s));
	fx_tick(100000);
	ck_assert_int_eq(rows("attempts = 2"), 1);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("orchd_message");
	TCase *tc = tcase_create("messages");

	tcase_add_checked_fixture(tc, setup, fx_close);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_gate_is_a_status_of_the_commit_that_it_judged);
	tcase_add_test(tc, a_red_gate_says_failure_and_why);
	tcase_add_test(tc,
	    a_commit_that_is_not_at_the_forge_gets_its_statuses_when_it_is);
	tcase_add_test(tc,
	    a_comment_waits_for_its_pull_request_and_statuses_do_not);
	tcase_add_test(tc,
	    the_pull_request_hears_of_the_merge_the_deploy_and_a_park);
	tcase_add_test(tc, what_is_asked_names_the_statuses_as_the_project_does);
	tcase_add_test(tc, why_says_that_the_forge_has_not_merged_yet);
	tcase_add_test(tc, what_an_agent_wrote_mentions_nobody_and_is_cut);
	tcase_add_test(tc, a_move_that_is_lost_says_nothing);
	tcase_add_test(tc, the_tracker_gets_links_state_and_verdicts);
	tcase_add_test(tc, what_is_cancelled_shows_so_under_the_projects_name);
	tcase_add_test(tc,
	    an_alert_is_one_message_to_each_until_the_cool_down_is_over);
	tcase_add_test(tc, a_recovery_is_told_once_and_only_to_who_was_told);
	tcase_add_test(tc, a_daemon_that_goes_on_ends_its_alert);
	tcase_add_test(tc, people_are_asked_to_confirm_and_told_what_does_not);
	tcase_add_test(tc, nobody_is_told_where_nobody_is_configured);
	tcase_add_test(tc, a_token_in_a_message_is_hidden);
	tcase_add_test(tc, a_dead_destination_delays_no_other_and_no_task);
	tcase_add_test(tc,
	    what_cannot_be_delivered_for_a_week_is_parked_with_one_alert);
	tcase_add_test(tc,
	    what_is_parked_is_tried_again_by_an_operator_for_another_week);
	tcase_add_test(tc,
	    nothing_is_tried_again_of_a_destination_that_is_none);
	tcase_add_test(tc,
	    a_status_that_a_later_one_has_replaced_is_not_sent_late);
	tcase_add_test(tc, a_name_of_the_longest_kind_is_a_destination);
	tcase_add_test(tc, a_command_gets_one_message_after_the_other);
	tcase_add_test(tc, a_command_that_fails_is_tried_again_later);
	tcase_add_test(tc, a_command_takes_no_slot_and_holds_up_nobody);
	tcase_add_test(tc,
	    a_runner_of_an_earlier_engine_or_without_the_key_is_refused);
	tcase_add_test(tc,
	    a_command_that_cannot_be_started_or_hangs_is_tried_again);
	suite_add_tcase(s, tc);
	fx_main_exit(s);
	return (1);
}
