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

#include "orchd/notice.h"
#include "orchd/outbox.h"

#include "engine_play.h"

/* Messages that are refused for what they say, or whose item is gone (R-64). */

#define PEOPLE								\
	"notify ops telegram chat \"@us\" token file \"/c\"\n"		\
	"notify out webhook \"http://hook.test/\" secret file \"/s\"\n"

static int seer;

static void
setup(void)
{
	fx_open("serial_limit 10\nmax_concurrency 10\n" PEOPLE, "");
	seer = fx_connect(ROLE_RECONCILED);
}

static int64_t
rows(const char *where)
{
	return (fx_int("SELECT count(*) FROM outbox WHERE %s", where));
}

static void
put(const char *dest, int64_t task, const char *kind, const char *key,
    const char *text)
{
	struct task t;

	ck_assert_int_eq(pass_enter(), 0);
	if (task != 0)
		ck_assert_int_eq(task_get(task, &t), STORE_OK);
	ck_assert_int_eq(outbox_add(dest, task == 0 ? NULL : &t, kind, key,
	    text), STORE_OK);
	(void)pass_leave(1);
	pass_commit();
}

/* The keys that are due: "key;". */
static char *
due(const char *dest)
{
	struct orch_outbox_next n = { dest, 100 };
	static char text[2048];
	struct fx_msg m;
	int last;

	text[0] = '\0';
	ck_assert_int_eq(chan_write_one(seer, ORCH_outbox_next, 8, &n, -1,
	    FX_WAIT), 0);
	do {
		ck_assert(fx_read(seer, &m));
		if (!(last = m.any.outbox_row.last)) {
			(void)strlcat(text, m.any.outbox_row.key,
			    sizeof(text));
			text[strcspn(text, "@")] = '\0';
			(void)strlcat(text, ";", sizeof(text));
		}
		fx_free(&m);
	} while (!last);
	return (text);
}

/* How a message ended; of the tracker the key is one without the time. */
static void
over(const char *key, int ok, enum orch_outbox_refused refused,
    const char *error)
{
	struct orch_outbox_done d = { .ok = (uint8_t)ok, .error = error,
	    .refused = (uint8_t)refused };

	d.id = (uint64_t)fx_int("SELECT id FROM outbox WHERE key = '%s'",
	    key);
	ck_assert_int_eq(fx_result(seer, ORCH_outbox_done, &d), RES_OK);
}

static void
refused(const char *key, unsigned int times)
{
	while (times-- > 0) {
		over(key, 0, OUTBOX_REFUSED, "HTTP 400: text is no text");
		fx.ms += 60000;
	}
}

static int64_t
alerts(const char *where)
{
	return (fx_int("SELECT count(*) FROM alert WHERE kind = "
	    "'outbox_parked' AND cleared_at IS NULL AND %s", where));
}

static enum orch_result
queue(const char *what, const char *dest)
{
	char arg[128];
	const char *args[] = { what, arg, NULL };
	struct orch_action act = { .verb = "queue",
	    .args = { .l_argv = args } };

	snprintf(arg, sizeof(arg), "dest=%s", dest);
	return (fx_act_full(&act));
}

/* --- refused -------------------------------------------------------------- */

START_TEST(what_is_refused_three_times_is_parked_and_the_next_one_goes)
{
	ck_assert_int_eq(fx_submit("tally", NULL), RES_OK);
	fx_sql("DELETE FROM outbox");
	put("tracker", 1, "comment", "a1", "first line\nsecond");
	put("tracker", 1, "comment", "a2", "other");
	refused("a1", 2);
	ck_assert_str_eq(due("tracker"), "a1;");
	ck_assert_int_eq(alerts("1"), 0);
	refused("a1", 1);
	ck_assert_str_eq(due("tracker"), "a2;");
	ck_assert_int_eq(rows("key = 'a1' AND state = 'parked' "
	    "AND attempts = 3"), 1);
	ck_assert_int_eq(alerts("subject = 'tracker' AND text LIKE "
	    "'%%comment of DEMO-1, \"first line\"%%text is no text%%orchctl "
	    "queue retry tracker;%%'"), 1);
	ck_assert_int_eq(alerts("text LIKE '%%second%%'"), 0);
}
END_TEST

START_TEST(a_failure_of_the_server_is_no_refusal)
{
	int i;

	ck_assert_int_eq(fx_submit("tally", NULL), RES_OK);
	fx_sql("DELETE FROM outbox");
	put("tracker", 1, "comment", "a1", "text");
	refused("a1", 2);
	for (i = 0; i < 5; i++) {
		over("a1", 0, OUTBOX_LATER, "HTTP 503");
		fx.ms += 3600000;
	}
	ck_assert_str_eq(due("tracker"), "a1;");
	over("a1", 0, 77, "of a later version");
	ck_assert_int_eq(rows("state = 'parked'"), 0);
	refused("a1", 1);
	ck_assert_int_eq(rows("state = 'parked'"), 1);
}
END_TEST

/* The names that it was made with may be read again meanwhile. */
START_TEST(between_two_refusals_there_is_time)
{
	put("notify:out", 0, "alert", "alert:1:1@out", "text");
	over("alert:1:1@out", 0, OUTBOX_REFUSED, "HTTP 400");
	fx.ms += 4900;
	ck_assert_str_eq(due("notify:out"), "");
	fx.ms += 2000;
	ck_assert_str_ne(due("notify:out"), "");
}
END_TEST

/* That the next one is taken says nothing of the one that was not. */
START_TEST(the_alert_stays_until_somebody_has_said_what_to_do)
{
	put("notify:out", 0, "end", "e1", "one");
	put("notify:out", 0, "end", "e2", "two");
	refused("e1", 3);
	over("e2", 1, OUTBOX_LATER, "");
	ck_assert_int_eq(alerts("subject = 'notify:out'"), 1);
	ck_assert_int_eq(queue("retry", "notify:out"), RES_OK);
	ck_assert_int_eq(rows("key = 'e1' AND state = 'pending'"), 1);
	refused("e1", 2);
	ck_assert_int_eq(rows("key = 'e1' AND state = 'pending'"), 1);
	over("e1", 1, OUTBOX_LATER, "");
	ck_assert_int_eq(alerts("1"), 0);
}
END_TEST

START_TEST(what_is_dropped_is_neither_delivered_nor_an_alert)
{
	int64_t n;

	put("notify:out", 0, "end", "e1", "one");
	refused("e1", 3);
	put("notify:ops", 0, "end", "e2", "two");
	fx_sql("UPDATE outbox SET state = 'parked' WHERE key = 'e2'");
	n = fx_int("SELECT ifnull(sum(value), 0) FROM total WHERE name = "
	    "'delivered'");
	ck_assert_int_eq(queue("drop", "notify:out"), RES_OK);
	ck_assert_str_eq(fx_said, "1 message to notify:out is dropped and "
	    "will not be delivered");
	ck_assert_int_eq(alerts("subject = 'notify:out'"), 0);
	ck_assert_int_eq(rows("key = 'e1' AND state = 'done'"), 1);
	ck_assert_int_eq(rows("key = 'e2' AND state = 'parked'"), 1);
	ck_assert_int_eq(fx_int("SELECT ifnull(sum(value), 0) FROM total "
	    "WHERE name = 'delivered'"), n);
	ck_assert_int_eq(queue("drop", "notify:out"), RES_DUPLICATE);
	ck_assert_int_eq(queue("drop", "notify:oops"), RES_NOTFOUND);
	ck_assert_int_eq(queue("lose", "notify:ops"), RES_REFUSED);
}
END_TEST

/* Else one who takes nothing would have a new alert for each that he refuses. */
START_TEST(an_alert_of_refusals_that_is_refused_makes_no_other)
{
	int64_t n;
	int i;

	fx_conf("watch_cooldown_s 0\nnotify out webhook "
	    "\"http://h.test/\" secret file \"/s\"\n", "");
	put("notify:out", 0, "end", "e1", "one");
	refused("e1", 3);
	ck_assert_int_eq(rows("text LIKE 'Alert outbox_parked%'"), 1);
	for (i = 0; i < 3; i++) {
		over(fx_str("SELECT key FROM outbox WHERE text LIKE "
		    "'Alert outbox_parked%%'"), 0, OUTBOX_REFUSED, "no");
		fx.ms += 60000;
	}
	n = rows("1");
	ck_assert_int_eq(rows("state = 'parked'"), n);
	ck_assert_int_eq(alerts("count = 1"), 1);
}
END_TEST

/* --- order ---------------------------------------------------------------- */

START_TEST(one_without_a_task_holds_up_no_other)
{
	ck_assert_int_eq(fx_submit("tally", NULL), RES_OK);
	fx_sql("DELETE FROM outbox");
	put("notify:out", 0, "alert", "alert:1:1@out", "disk");
	put("notify:out", 0, "alert", "alert:2:1@out", "load");
	put("notify:out", 1, "end", "t1", "one");
	put("notify:out", 1, "end", "t2", "two");
	/* The oldest first. */
	ck_assert_str_eq(due("notify:out"), "alert:1:1;alert:2:1;t1;");
	over("alert:1:1@out", 0, OUTBOX_LATER, "HTTP 500");
	over("t1", 0, OUTBOX_LATER, "HTTP 500");
	ck_assert_str_eq(due("notify:out"), "alert:2:1;");
	over("alert:2:1@out", 1, OUTBOX_LATER, "");
	ck_assert_str_eq(due("notify:out"), "");
	fx.ms += 3600000;
	/* Those of a task stay in order. */
	ck_assert_str_eq(due("notify:out"), "alert:1:1;t1;");
}
END_TEST

START_TEST(that_an_alert_is_over_is_not_said_before_it)
{
	put("notify:out", 0, "alert", "alert:12:1@out", "disk");
	put("notify:out", 0, "recovery", "alert:12:over@out", "disk over");
	put("notify:out", 0, "recovery", "alert:1:over@out", "load over");
	over("alert:12:1@out", 0, OUTBOX_LATER, "HTTP 500");
	ck_assert_str_eq(due("notify:out"), "alert:1:over;");
	refused("alert:12:1@out", 3);
	ck_assert_ptr_nonnull(strstr(due("notify:out"), "alert:12:over"));
}
END_TEST

/* --- an item that is gone ------------------------------------------------- */

START_TEST(a_message_for_an_item_that_is_gone_is_parked_at_once)
{
	ck_assert_int_eq(fx_submit("tally", NULL), RES_OK);
	fx_sql("DELETE FROM outbox");
	put("tracker", 1, "comment", "s1", "question");
	put("tracker", 1, "comment", "a1", "text");
	over("s1", 0, OUTBOX_GONE, "the item is gone from the tracker");
	ck_assert_int_eq(rows("key = 's1' AND state = 'parked'"), 1);
	ck_assert_str_eq(due("tracker"), "a1;");
	ck_assert_int_eq(alerts("subject = 'tracker' AND text LIKE "
	    "'%%comment of DEMO-1, \"question\"): the item is gone%%'"), 1);
	/* Nothing is lost. */
	ck_assert_int_eq(queue("retry", "tracker"), RES_OK);
	ck_assert_str_eq(due("tracker"), "s1;");
	ck_assert_int_eq(rows("dest = 'tracker' AND state = 'pending'"), 2);
}
END_TEST

/* --- what an operator may repeat ------------------------------------------ */

START_TEST(nothing_parked_is_no_error_of_a_destination_that_is_configured)
{
	static const char *const known[] = { "tracker", "notify:ops",
	    "notify:out" };
	static const char *const unknown[] = { "trakcer", "notify:nobody",
	    "forge:none", "forge:", "" };
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		ck_assert_int_eq(queue("retry", known[i]), RES_DUPLICATE);
		ck_assert_msg(strstr(fx_said, "is parked. Nothing was "
		    "changed") != NULL, "%s", fx_said);
	}
	for (i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		ck_assert_int_eq(queue("retry", unknown[i]), RES_NOTFOUND);
		ck_assert_msg(strstr(fx_said, "no such destination") != NULL,
		    "%s", fx_said);
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("orchd parked");
	TCase *tc = tcase_create("parked");
	SRunner *sr;
	int bad;

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, fx_close);
	tcase_add_test(tc,
	    what_is_refused_three_times_is_parked_and_the_next_one_goes);
	tcase_add_test(tc, a_failure_of_the_server_is_no_refusal);
	tcase_add_test(tc, between_two_refusals_there_is_time);
	tcase_add_test(tc,
	    the_alert_stays_until_somebody_has_said_what_to_do);
	tcase_add_test(tc, what_is_dropped_is_neither_delivered_nor_an_alert);
	tcase_add_test(tc, an_alert_of_refusals_that_is_refused_makes_no_other);
	tcase_add_test(tc, one_without_a_task_holds_up_no_other);
	tcase_add_test(tc, that_an_alert_is_over_is_not_said_before_it);
	tcase_add_test(tc,
	    a_message_for_an_item_that_is_gone_is_parked_at_once);
	tcase_add_test(tc,
	    nothing_parked_is_no_error_of_a_destination_that_is_configured);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	bad = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (bad == 0 ? 0 : 1);
}
