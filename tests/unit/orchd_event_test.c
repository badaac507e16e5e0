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

/* Deliveries that are kept, read and looked at again. */

#include <pwd.h>

#include "engine_intake.h"
#include "orchd/notice.h"
#include "orchd/query.h"

#define BODY	"{\"evil\":\"\\u001b[31m<b>\",\"n\":1}"

/* Whoever runs the tests is the operator of them. */
static const char *
operator(void)
{
	const struct passwd *pw = getpwuid(getuid());

	ck_assert_ptr_nonnull(pw);
	return (pw->pw_name);
}

/* Deliver; the delivery's number. */
static int64_t
deliver(const char *source, const char *kind, const char *project,
    const char *object)
{
	static unsigned int n;
	char id[16], hash[65];
	struct orch_event e = { .source = source, .delivery = id,
	    .kind = kind, .sha256 = hash,
	    .body = { (const uint8_t *)BODY, strlen(BODY) },
	    .project = project, .object = object };

	snprintf(id, sizeof(id), "uuid-%u", ++n);
	snprintf(hash, sizeof(hash), "%064u", n);
	(void)fx_result(hook, ORCH_event, &e);
	return (fx_int("SELECT max(id) FROM event"));
}

/* What reconciled is told to look at, or "". */
static const char *
told(void)
{
	static char object[300];
	struct fx_msg m;

	object[0] = '\0';
	if (fx_read(seer, &m)) {
		ck_assert_uint_eq(m.h.h_type, ORCH_look);
		strlcpy(object, m.any.look.object, sizeof(object));
		fx_free(&m);
	}
	return (object);
}

static enum orch_result
replay(const char *word)
{
	char event[160];
	const char *args[] = { "replay", event, NULL };
	struct orch_action act = { .verb = "event",
	    .args = { .l_argv = args } };

	snprintf(event, sizeof(event), "event=%s", word);
	return (fx_act_full(&act));
}

static enum orch_result
replay_number(int64_t n)
{
	char word[24];

	snprintf(word, sizeof(word), "%lld", (long long)n);
	return (replay(word));
}

/* The answer to a query of role; *doc is its JSON or NULL. */
static enum orch_result
ask(enum orch_role role, const char *object, const char *const *args,
    json_t **doc)
{
	struct orch_query query = { .verb = "event", .object = object,
	    .args = { .l_argv = args }, .loopback = 1 };
	enum orch_result res;
	struct fx_msg m;
	int sock = fx_connect(role);

	fx_ask(sock, ORCH_query, &query, -1, &m);
	ck_assert_uint_eq(m.h.h_type, ORCH_answer);
	res = m.any.answer.result;
	strlcpy(fx_said, m.any.answer.text, sizeof(fx_said));
	*doc = json_loadb((const char *)m.any.answer.json.b_data,
	    m.any.answer.json.b_len, 0, NULL);
	fx_free(&m);
	close(sock);
	fx_pump();
	return (res);
}

static size_t
listed(const char *first, const char *second)
{
	const char *args[] = { first, second, NULL };
	json_t *doc;
	size_t n;

	ck_assert_int_eq(ask(ROLE_CTL, "", args, &doc), RES_OK);
	n = json_array_size(json_object_get(doc, "events"));
	json_decref(doc);
	return (n);
}

START_TEST(a_replay_acts_as_if_it_came_now)
{
	int64_t n = deliver("gitea", "push", "acme/tally", "main");

	ck_assert_str_eq(told(), "main");
	ck_assert_int_eq(replay_number(n), RES_OK);
	ck_assert_msg(strstr(fx_said, "main") != NULL, "%s", fx_said);
	ck_assert_str_eq(told(), "main");
	/* Again and again: it is a hint. */
	ck_assert_int_eq(replay(fx_str("SELECT delivery FROM event")), RES_OK);
	ck_assert_str_eq(told(), "main");
	ck_assert_int_eq(fx_int("SELECT count(*) FROM event"), 1);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM event_replay "
	    "WHERE event = %lld AND actor = '%s' AND state = 'told'",
	    (long long)n, operator()), 2);
	ck_assert_int_eq(fx_int("SELECT value FROM counter "
	    "WHERE name = 'event gitea replayed'"), 2);
	fx_sound();
}
END_TEST

/* Its project came into the configuration after it. */
START_TEST(a_replay_maps_by_the_configuration_of_now)
{
	int64_t n = deliver("gitea", "push", "acme/late", "main");

	ck_assert_str_eq(told(), "");
	ck_assert_str_eq(fx_str("SELECT state FROM event"), "ignored");
	ck_assert_int_eq(replay_number(n), RES_OK);
	ck_assert_msg(strstr(fx_said, "acme/late, which no project") != NULL,
	    "%s", fx_said);
	ck_assert_str_eq(told(), "");
	fx_sql("UPDATE event SET about = 'Acme/Tally'");
	ck_assert_int_eq(replay_number(n), RES_OK);
	ck_assert_str_eq(told(), "main");
	ck_assert_str_eq(fx_str("SELECT state || project FROM event"),
	    "toldtally");
}
END_TEST

START_TEST(without_reconciled_the_next_poll_is_named)
{
	int64_t n;

	close(seer);
	fx_pump();
	n = deliver("plane", "issue", UUID, "i-1");
	ck_assert_str_eq(fx_str("SELECT state FROM event"), "kept");
	ck_assert_int_eq(replay_number(n), RES_OK);
	ck_assert_msg(strstr(fx_said, "next poll") != NULL, "%s", fx_said);
}
END_TEST

START_TEST(what_is_not_there_is_not_replayed)
{
	struct orch_action act = { .verb = "event" };
	json_t *doc;

	(void)deliver("gitea", "push", "acme/tally", "main");
	ck_assert_int_eq(replay("77"), RES_NOTFOUND);
	ck_assert_msg(strstr(fx_said, "log_keep_days (30)") != NULL, "%s",
	    fx_said);
	ck_assert_int_eq(replay("uuid"), RES_NOTFOUND);
	ck_assert_int_eq(replay("-1"), RES_NOTFOUND);
	ck_assert_int_eq(replay(""), RES_NOTFOUND);
	ck_assert_int_eq(fx_act_full(&act), RES_REFUSED);
	ck_assert_int_eq(ask(ROLE_CTL, "77", NULL, &doc), RES_NOTFOUND);
	ck_assert_ptr_null(doc);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM event_replay"), 0);
}
END_TEST

START_TEST(deliveries_are_listed_by_source_project_and_state)
{
	static const char *const wrong[] = { "source=jira", "state=gone",
	    "project=nosuch" };
	const char *args[] = { "most=0", NULL };
	json_t *doc, *first;
	size_t i;

	(void)deliver("gitea", "push", "acme/tally", "main");
	(void)deliver("gitea", "push", "acme/none", "main");
	(void)deliver("plane", "issue", UUID, "i-1");
	(void)deliver("gitea", "ping", "", "");
	ck_assert_uint_eq(listed(NULL, NULL), 4);
	ck_assert_uint_eq(listed("source=gitea", NULL), 3);
	ck_assert_uint_eq(listed("source=gitea", "state=ignored"), 2);
	ck_assert_uint_eq(listed("project=tally", NULL), 2);
	ck_assert_uint_eq(listed("most=2", NULL), 2);
	ck_assert_uint_eq(listed("source=plane", "state=kept"), 0);
	ck_assert_int_eq(ask(ROLE_CTL, "", args, &doc), RES_REFUSED);
	/* What nothing can be is a mistake, and no empty list. */
	for (i = 0; i < 3; i++) {
		args[0] = wrong[i];
		ck_assert_int_eq(ask(ROLE_CTL, "", args, &doc), RES_REFUSED);
	}
	args[0] = "most=3";
	ck_assert_int_eq(ask(ROLE_CTL, "", args, &doc), RES_OK);
	first = json_array_get(json_object_get(doc, "events"), 0);
	ck_assert_str_eq(json_string_value(json_object_get(first, "kind")),
	    "ping");
	json_decref(doc);
}
END_TEST

START_TEST(one_is_shown_with_its_body_and_its_replays)
{
	int64_t n = deliver("gitea", "push", "acme/tally", "main");
	json_t *doc, *r;

	ck_assert_int_eq(replay_number(n), RES_OK);
	ck_assert_int_eq(ask(ROLE_CTL, "1", NULL, &doc), RES_OK);
	ck_assert_str_eq(json_string_value(json_object_get(doc, "body")),
	    BODY);
	ck_assert_int_eq(json_integer_value(json_object_get(doc, "bytes")),
	    (json_int_t)strlen(BODY));
	ck_assert_str_eq(json_string_value(json_object_get(doc, "project")),
	    "tally");
	r = json_array_get(json_object_get(doc, "replayed"), 0);
	ck_assert_str_eq(json_string_value(json_object_get(r, "actor")),
	    operator());
	json_decref(doc);
}
END_TEST

/* The task that the newest delivery is said to be about, in the list. */
static const char *
task_listed(void)
{
	static char task[80];
	json_t *doc;

	ck_assert_int_eq(ask(ROLE_CTL, "", NULL, &doc), RES_OK);
	strlcpy(task, json_string_value(json_object_get(json_array_get(
	    json_object_get(doc, "events"), 0), "task")), sizeof(task));
	json_decref(doc);
	return (task);
}

START_TEST(an_item_of_the_tracker_is_called_by_its_task)
{
	json_t *doc;
	int64_t n;

	n = deliver("plane", "issue", UUID, ITEM);
	ck_assert_str_eq(told(), ITEM);
	ck_assert_str_eq(task_listed(), "");
	ck_assert_int_eq(item("To Analyse", ""), RES_OK);
	ck_assert_str_eq(task_listed(), KEY);
	ck_assert_int_eq(ask(ROLE_CTL, "1", NULL, &doc), RES_OK);
	ck_assert_str_eq(json_string_value(json_object_get(doc, "task")),
	    KEY);
	ck_assert_str_eq(json_string_value(json_object_get(doc, "body")),
	    BODY);
	ck_assert_uint_eq(strlen(json_string_value(json_object_get(doc,
	    "sha256"))), 64);
	json_decref(doc);
	ck_assert_int_eq(replay_number(n), RES_OK);
	ck_assert_ptr_eq(strstr(fx_said, KEY ", of which delivery"), fx_said);
	/* One that was given up is still what it was about. */
	fx_sql("UPDATE task SET item_was = item, item = ''");
	ck_assert_str_eq(task_listed(), KEY);
	/* Nothing of a forge is an item of a tracker. */
	fx_sql("UPDATE event SET source = 'gitea'");
	ck_assert_str_eq(task_listed(), "");
}
END_TEST

/* A poll saw it and no webhook had told: that is what polls are for. */
START_TEST(a_change_that_no_delivery_told_of_is_counted)
{
	const char *sql = "SELECT ifnull((SELECT value FROM counter "
	    "WHERE name = 'reconcile_replayed'), 0)";

	ck_assert_int_eq(item("To Analyse", ""), RES_OK);
	ck_assert_int_eq(fx_int("%s", sql), 1);
	ck_assert_int_eq(same_again(), RES_OK);
	ck_assert_int_eq(fx_int("%s", sql), 1);
	fx.ms += 120000;
	(void)deliver("plane", "issue", UUID, ITEM);
	ck_assert_str_eq(told(), ITEM);
	ck_assert_int_eq(item("Blocked", ""), RES_OK);
	ck_assert_int_eq(fx_int("%s", sql), 1);
	fx.ms += 120000;
	ck_assert_int_eq(item("In Progress", ""), RES_OK);
	ck_assert_int_eq(fx_int("%s", sql), 2);
	/* What we set ourselves is no change by a person. */
	seven.own = 1;
	ck_assert_int_eq(item("In Review", ""), RES_OK);
	seven.own = 0;
	ck_assert_int_eq(fx_int("%s", sql), 2);
}
END_TEST

/* In the task of /status, where people find it elsewhere. */
static const char *
where(const char *key)
{
	static char page[600];
	json_t *doc, *first;
	const char *s;

	ck_assert_int_eq(pass_enter(), 0);
	doc = query_status(0);
	ck_assert_int_eq(pass_leave(1), 0);
	first = json_array_get(json_object_get(doc, "tasks"), 0);
	s = json_string_value(json_object_get(first, key));
	strlcpy(page, s == NULL ? "" : s, sizeof(page));
	json_decref(doc);
	return (page);
}

START_TEST(pages_elsewhere_are_those_of_the_configured_servers)
{
	static const char *const evil[] = { "javascript:alert(1)",
	    "http://forge.test.evil.example/x", "https://forge.test/x",
	    "http://forge.test/\"onclick=", "http://forge.test/a b",
	    "http://forge.test", "" };
	size_t i;

	asked();
	ck_assert_str_eq(where("item_page"), "http://plane.test/acme/projects/"
	    UUID "/issues/" ITEM "/");
	ck_assert_str_eq(where("pull_page"), "");
	fx_sql("INSERT INTO pull_seen SELECT project, branch, 3, 1, '', '', "
	    "'http://forge.test/Acme/Tally/pulls/3', 0 FROM task");
	ck_assert_str_eq(where("pull_page"),
	    "http://forge.test/Acme/Tally/pulls/3");
	for (i = 0; i < sizeof(evil) / sizeof(evil[0]); i++) {
		fx_sql("UPDATE pull_seen SET page = '%s'", evil[i]);
		ck_assert_str_eq(where("pull_page"), "");
	}
}
END_TEST

/* They hold what people write elsewhere. */
START_TEST(a_page_reads_no_deliveries)
{
	json_t *doc;

	(void)deliver("gitea", "push", "acme/tally", "main");
	ck_assert_int_eq(ask(ROLE_PAGE, "1", NULL, &doc), RES_DENIED);
	ck_assert_ptr_null(doc);
	ck_assert_int_eq(ask(ROLE_PAGE, "", NULL, &doc), RES_DENIED);
	ck_assert_ptr_null(doc);
}
END_TEST

START_TEST(what_is_older_than_log_keep_days_is_forgotten)
{
	int64_t day = 86400LL * 1000, n;
	int i;

	for (i = 0; i < 3; i++)
		n = deliver("gitea", "push", "acme/tally", "main");
	ck_assert_int_eq(replay_number(n), RES_OK);
	ck_assert_int_eq(pass_enter(), 0);
	ck_assert_int_eq(alert_raise("disk_low", "state", "x"), STORE_OK);
	ck_assert_int_eq(alert_raise("parked", "DEMO-1", "x"), STORE_OK);
	ck_assert_int_eq(alert_clear("disk_low", "state"), STORE_OK);
	ck_assert_int_eq(pass_leave(1), 0);
	/* One is younger. */
	fx_sql("UPDATE event SET at = at + %lld WHERE id = 2",
	    (long long)(2 * day));
	fx_tick(30 * day - 1000);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM event"), 3);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM alert"), 2);
	fx_tick(60000);
	ck_assert_int_eq(fx_int("SELECT id FROM event"), 2);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM event"), 1);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM event_replay"), 0);
	/* An open alert stays, however old it is. */
	ck_assert_str_eq(fx_str("SELECT kind FROM alert"), "parked");
	ck_assert_int_eq(fx_int("SELECT count(*) FROM alert"), 1);
	/* What was counted stays counted. */
	ck_assert_int_eq(fx_int("SELECT value FROM counter "
	    "WHERE name = 'event gitea told'"), 3);
	fx_sound();
}
END_TEST

static int
has_log(int run)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/log/%d.log", fx.dir, run);
	return (access(path, F_OK) == 0);
}

/* Up to the first that still runs: what is after it is never that old. */
START_TEST(logs_of_runs_go_after_their_days)
{
	int64_t day = 86400LL * 1000, runs;
	char path[160];
	int i;

	asked();
	runs = fx_int("SELECT max(id) FROM run");
	ck_assert_int_ge(runs, 3);
	snprintf(path, sizeof(path), "%s/log", fx.dir);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	for (i = 1; i <= runs; i++) {
		snprintf(path, sizeof(path), "%s/log/%d.log", fx.dir, i);
		close(open(path, O_CREAT | O_WRONLY, 0600));
	}
	fx_sql("UPDATE run SET ended_at = ended_at + %lld WHERE id > 2",
	    (long long)(2 * day));
	fx_tick(30 * day - 60000);
	ck_assert(has_log(1) && has_log(2));
	fx_tick(120000);
	ck_assert(!has_log(1) && !has_log(2));
	ck_assert(has_log(3));
	fx_tick(2 * day);
	ck_assert(!has_log((int)runs));
	ck_assert_int_eq(fx_int("SELECT value FROM setting "
	    "WHERE name = 'logs_expired'"), runs);
	fx_sound();
}
END_TEST

/* Of a task under way none goes: its keys are what says that it was told. */
START_TEST(delivered_messages_go_when_their_task_has_ended)
{
	int64_t day = 86400LL * 1000;

	asked();
	fx_sql("INSERT INTO outbox (dest, task, kind, key, text, state, "
	    "available_at, at) SELECT 'notify:x', nullif(value, 0), 'alert', "
	    "'k' || value || s, 'x', s, 1, (SELECT max(at) FROM outbox) "
	    "FROM json_each('[0, 1]'), (SELECT 'done' AS s UNION "
	    "SELECT 'parked')");
	fx_tick(31 * day);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM outbox "
	    "WHERE key = 'k0done'"), 0);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM outbox "
	    "WHERE key IN ('k1done', 'k0parked', 'k1parked')"), 3);
	fx_sql("UPDATE task SET stage = 'cancelled'");
	fx_tick(60000);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM outbox "
	    "WHERE state = 'done'"), 0);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM outbox "
	    "WHERE key IN ('k0parked', 'k1parked')"), 2);
}
END_TEST

/* Many are not one long stop of the engine. */
START_TEST(a_bounded_number_is_forgotten_at_a_time)
{
	fx_sql("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 "
	    "FROM n WHERE i < 250) INSERT INTO event (source, delivery, kind, "
	    "sha256, body, at) SELECT 'gitea', 'x' || i, 'push', 'h' || i, "
	    "x'7b7d', 1000 + i FROM n");
	fx_tick(1000);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM event"), 150);
	ck_assert_int_eq(fx_int("SELECT min(at) FROM event"), 1101);
	fx_tick(1000);
	fx_tick(1000);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM event"), 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("orchd_event");
	TCase *tc = tcase_create("event");

	tcase_add_checked_fixture(tc, setup, fx_close);
	tcase_add_test(tc, a_replay_acts_as_if_it_came_now);
	tcase_add_test(tc, a_replay_maps_by_the_configuration_of_now);
	tcase_add_test(tc, without_reconciled_the_next_poll_is_named);
	tcase_add_test(tc, what_is_not_there_is_not_replayed);
	tcase_add_test(tc, deliveries_are_listed_by_source_project_and_state);
	tcase_add_test(tc, one_is_shown_with_its_body_and_its_replays);
	tcase_add_test(tc, an_item_of_the_tracker_is_called_by_its_task);
	tcase_add_test(tc, a_change_that_no_delivery_told_of_is_counted);
	tcase_add_test(tc, pages_elsewhere_are_those_of_the_configured_servers);
	tcase_add_test(tc, a_page_reads_no_deliveries);
	tcase_add_test(tc, what_is_older_than_log_keep_days_is_forgotten);
	tcase_add_test(tc, logs_of_runs_go_after_their_days);
	tcase_add_test(tc, delivered_messages_go_when_their_task_has_ended);
	tcase_add_test(tc, a_bounded_number_is_forgotten_at_a_time);
	suite_add_tcase(s, tc);
	fx_main_exit(s);
}
