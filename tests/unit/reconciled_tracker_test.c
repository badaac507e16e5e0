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

/* A project at Plane: what is told of it, and what is carried to it. */

#include <arpa/inet.h>
#include <netinet/in.h>

#include "reconciled_items.h"

/* --- F-2 --- */

START_TEST(each_item_is_told_once)
{
	const struct orch_tracker_item *m;

	RUN_UNTIL(count_sent(ORCH_tracker_item) == 2);
	ck_assert_ptr_nonnull(strstr(asked[0].a_headers,
	    "X-API-Key: key-one\n"));
	m = &sent_last(ORCH_tracker_item)->tracker_item;
	ck_assert_str_eq(m->project, "web");
	ck_assert_str_eq(m->item, ITEM1);
	ck_assert_uint_eq(m->number, 1);
	ck_assert_str_eq(m->title, "An item");
	ck_assert_str_eq(m->text, "Do & be");
	ck_assert_str_eq(m->author, BOSS);
	ck_assert_str_eq(m->status, "To Analyse");
	ck_assert_str_eq(m->editor, ME);
	ck_assert_str_eq(m->editor_name, "robot");
	ck_assert_str_eq(m->comment, "");
	ck_assert_uint_eq(m->changed_ms, 1795341601500);
	ck_assert_int_eq(m->own, 1);
	ck_assert_uint_eq(m->labels.l_n, 1);
	ck_assert_str_eq(orch_strs_next(&m->labels, NULL), "ai");
	tracker_look(web(), NULL);
	RUN_UNTIL(count_asked(ITEMS) == 2);
	quiet();
	ck_assert_uint_eq(count_sent(ORCH_tracker_item), 2);
	/* And what has changed, again. */
	answer(ITEMS, 200, PAGE(ROW(ITEM1, "1", LATER, BOSS, "05") ","
	    ROW(ITEM2, "2", LATER, BOSS, "02")));
	tracker_look(web(), NULL);
	RUN_UNTIL(count_sent(ORCH_tracker_item) == 3);
	m = &sent_last(ORCH_tracker_item)->tracker_item;
	ck_assert_str_eq(m->status, "Todo");
	ck_assert_int_eq(m->own, 0);
}
END_TEST

/* next_cursor is always set; next_page_results ends the list. */
START_TEST(all_pages_are_read_and_no_more)
{
	answer(ITEMS, 200, PAGE(ROW(ITEM1, "1", LATER, BOSS, "01")));
	answer(ITEMS "=-updated_at&per_page=100", 200,
	    "{\"results\":[" ROW(ITEM2, "2", LATER, BOSS, "02") "],"
	    "\"next_page_results\":true,\"next_cursor\":\"100:1:0\"}");
	answer(ITEMS "=-updated_at&per_page=100&cursor=100:1:0", 200,
	    PAGE(ROW(ITEM1, "1", LATER, BOSS, "01")));
	RUN_UNTIL(count_sent(ORCH_tracker_item) == 2);
	quiet();
	ck_assert_uint_eq(count_asked(ITEMS), 2);
	/* Nothing new on the first page: the second is not asked for. */
	tracker_look(web(), NULL);
	RUN_UNTIL(count_asked(ITEMS) == 3);
	quiet();
	ck_assert_uint_eq(count_asked(ITEMS), 3);
}
END_TEST

/* --- a day of silence --- */

#define MANY	10000

static const char *many_are;	/* their state */

/* A page of many items, a hundred each, by its cursor. */
static char *
many(const char *line)
{
	const char *at = strstr(line, "cursor=100:");
	long page = at == NULL ? 0 : strtol(at + 11, NULL, 10), i;
	struct evbuffer *out;
	char *body;
	size_t len;

	if (strncmp(line, ITEMS, strlen(ITEMS)) != 0)
		return (NULL);
	out = evbuffer_new();
	evbuffer_add_printf(out, "{\"results\":[");
	for (i = 100 * page; i < 100 * page + 100; i++)
		evbuffer_add_printf(out, "%s{\"id\":\"00000000-0000-4000-8000-"
		    "%012ld\",\"sequence_id\":%ld,\"name\":\"x\",\"state\":"
		    "\"%s\",\"created_by\":\"" BOSS "\","
		    "\"updated_by\":\"" BOSS "\",\"labels\":[],"
		    "\"updated_at\":\"2026-11-22T%02ld:%02ld:%02ldZ\"}",
		    i % 100 == 0 ? "" : ",", i, i + 1, many_are, 23 - i / 3600,
		    59 - i / 60 % 60, 59 - i % 60);
	evbuffer_add_printf(out, "],\"next_page_results\":%s,"
	    "\"next_cursor\":\"100:%ld:0\"}", page < MANY / 100 - 1 ? "true" :
	    "false", page + 1);
	len = evbuffer_get_length(out);
	body = calloc(1, len + 1);
	(void)evbuffer_remove(out, body, len);
	evbuffer_free(out);
	return (body);
}

/* Run; how many items the engine was told of, and pages were asked for. */
static void
count_for(int64_t ms, size_t *items, size_t *pages)
{
	struct monotime end = monotime_add_ms(monotime_now(), ms);
	size_t i;

	while (monotime_cmp(monotime_now(), end) < 0 && *items < MANY) {
		turn();
		*items += count_sent(ORCH_tracker_item);
		*pages += count_asked(ITEMS);
		if (hold)
			continue;
		for (i = 0; i < nsent; i++)
			ck_assert(sent[i].s_acked || sent[i].s_type ==
			    ORCH_outbox_next);
		forget_sent();
		forget_asked();
	}
}

START_TEST(a_day_of_silence_is_made_up_for_without_a_storm)
{
	struct monotime from = monotime_now();
	size_t items = 0, pages = 0;
	int64_t ms;

	generous = 0;
	made = many;
	many_are = LATER;
	/* An engine that is busy: one page is as far as it goes. */
	hold = 1;
	run_for(500);
	ck_assert_uint_eq(count_asked(ITEMS), 1);
	ck_assert_uint_le(nsent, 16 + count_sent(ORCH_outbox_next));
	/* A burst, and then what a key may. */
	hold = 0;
	count_for(1500, &items, &pages);
	ms = monotime_sub_ms(monotime_now(), from);
	ck_assert_uint_ge(pages, 2);
	ck_assert_uint_le(pages, (size_t)(10 + 1 + 45 * ms / 60000));
	ck_assert_uint_ge(items, 100 * (pages - 1));
	/* What people are told does not wait for the end of it. */
	answer(SAY, 201, "{\"id\":\"" ITEM2 "\"}");
	deliver(7, "WEB-1", "comment", "text");
	RUN_UNTIL(row_end(7) == 1);
	items += count_sent(ORCH_tracker_item);
	pages += count_asked(ITEMS);
	forget_sent();
	forget_asked();
	/* A server that allows far more: each page once, each item once. */
	generous = 1;
	count_for(30000, &items, &pages);
	quiet();
	ck_assert_uint_eq(items + count_sent(ORCH_tracker_item), MANY);
	ck_assert_uint_eq(pages + count_asked(ITEMS), MANY / 100);
}
END_TEST

START_TEST(hints_and_messages_go_before_what_a_poll_has_found)
{
	generous = 0;
	made = many;
	many_are = REJECT;
	answer(ONE, 200, ROW(ITEM1, "1", TOANA, BOSS, "01"));
	answer(SAY, 201, "{\"id\":\"" ITEM2 "\"}");
	/* A hundred are to be read with their words, two requests each. */
	RUN_UNTIL(count_asked(ITEMS) == 1);
	run_for(300);
	ck_assert_uint_lt(count_asked("GET " API "work-items/"), 10);
	tracker_look(web(), ITEM1);
	deliver(7, "WEB-1", "comment", "text");
	RUN_UNTIL(row_end(7) == 1 && count_sent(ORCH_tracker_item) > 0);
	ck_assert_str_eq(sent_last(ORCH_tracker_item)->tracker_item.item,
	    ITEM1);
	ck_assert_uint_lt(count_asked("GET " API "work-items/"), 16);
}
END_TEST

/* Ten of the longest texts are more than is read at once. */
static char *
made_long(const char *line)
{
	const size_t n = 33U << 20;
	char *body;

	if (strncmp(line, ITEMS, strlen(ITEMS)) != 0)
		return (NULL);
	if (strstr(line, "per_page=6") == NULL) {
		body = malloc(n + 1);
		memset(body, ' ', n);
		body[n] = '\0';
		return (body);
	}
	return (strdup(PAGE(ROW(ITEM2, "2", LATER, BOSS, "02") ","
	    ROW(ITEM1, "1", TOANA, ME, "01"))));
}

START_TEST(long_texts_are_read_in_shorter_pages)
{
	made = made_long;
	RUN_UNTIL(count_sent(ORCH_tracker_item) == 2);
	ck_assert_uint_eq(count_asked(ITEMS), 3);
	ck_assert_uint_eq(count_alerts("remote_down", 1), 0);
	ck_assert_uint_eq(count_alerts("remote_refused", 1), 0);
}
END_TEST

START_TEST(an_older_server_calls_them_issues)
{
	answer("GET " API "work-items/", 404, "{\"error\":\"no page\"}");
	answer("GET " API "issues/?order_by", 200, PAGE(ROW(ITEM1, "1", LATER,
	    BOSS, "01")));
	RUN_UNTIL(count_sent(ORCH_tracker_item) == 1);
}
END_TEST

START_TEST(a_refused_key_is_an_alert_until_it_works)
{
	struct canned *c = answer("GET " API, 403,
	    "{\"detail\":\"Given API token is not valid\"}");
	const struct orch_notice *m;

	RUN_UNTIL(count_alerts("remote_refused", 1) == 1);
	m = &sent_last(ORCH_notice)->notice;
	ck_assert_str_eq(m->kind, "remote_refused");
	ck_assert_str_eq(m->subject, "web: tracker");
	ck_assert_int_eq(m->on, 1);
	ck_assert_ptr_nonnull(strstr(m->text, "Given API token"));
	tracker_look(web(), NULL);
	quiet();
	ck_assert_uint_eq(count_alerts("remote_refused", 1), 1);
	ck_assert_uint_eq(count_alerts("remote_refused", 0), 0);
	c->c_times = 0;
	tracker_look(web(), NULL);
	RUN_UNTIL(count_sent(ORCH_tracker_item) == 2);
	ck_assert_uint_eq(count_alerts("remote_refused", 0), 1);
	/* And when it stops working later. */
	forget_sent();
	c->c_times = -1;
	tracker_look(web(), NULL);
	quiet();
	tracker_look(web(), NULL);
	RUN_UNTIL(count_alerts("remote_refused", 1) == 1);
}
END_TEST

/* The names are there; with them alone it would be asked in vain for ever. */
START_TEST(a_list_that_is_refused_is_an_alert_until_it_comes)
{
	started();
	answer(ITEMS, 400, "{\"error\":\"no such order\"}");
	tracker_look(web(), NULL);
	RUN_UNTIL(count_asked(ITEMS) == 1);
	quiet();
	ck_assert_uint_eq(count_alerts("remote_refused", 1), 0);
	tracker_look(web(), NULL);
	RUN_UNTIL(count_alerts("remote_refused", 1) == 1);
	ck_assert_ptr_nonnull(strstr(sent_last(ORCH_notice)->notice.text,
	    "no such order"));
	tracker_look(web(), NULL);
	RUN_UNTIL(count_asked(ITEMS) == 3);
	quiet();
	ck_assert_uint_eq(count_alerts("remote_refused", 1), 1);
	ck_assert_uint_eq(count_alerts("remote_refused", 0), 0);
	answer(ITEMS, 200, PAGE(ROW(ITEM1, "1", TOANA, ME, "01")));
	tracker_look(web(), NULL);
	RUN_UNTIL(count_alerts("remote_refused", 0) == 1);
}
END_TEST

/* It was brought up to date, and has no "issues" any more. */
START_TEST(a_newer_server_is_asked_again_what_items_are_called)
{
	answer("GET " API "work-items/", 404, "");
	answer("GET " API "issues/?order_by", 200, PAGE(ROW(ITEM1, "1", TOANA,
	    BOSS, "01")));
	RUN_UNTIL(count_sent(ORCH_tracker_item) == 1);
	quiet();
	forget_asked();
	answer("GET " API "issues/", 404, "");
	answer("GET " API "work-items/", 200, PAGE(ROW(ITEM2, "2", TOANA,
	    BOSS, "01")));
	tracker_look(web(), NULL);
	RUN_UNTIL(count_asked("GET " API "issues/") == 1);
	quiet();
	tracker_look(web(), NULL);
	RUN_UNTIL(count_sent(ORCH_tracker_item) == 2);
}
END_TEST

START_TEST(a_new_engine_is_told_everything_again)
{
	started();
	engine_up();
	RUN_UNTIL(count_sent(ORCH_tracker_item) == 2);
}
END_TEST

START_TEST(what_the_engine_cannot_store_is_told_again)
{
	started();
	answer(ONE, 200, ROW(ITEM1, "1", LATER, BOSS, "09"));
	result = RES_RETRY;
	tracker_look(web(), ITEM1);
	RUN_UNTIL(count_sent(ORCH_tracker_item) == 1);
	turn();
	result = RES_OK;
	RUN_UNTIL(count_sent(ORCH_tracker_item) == 2);
	quiet();
	ck_assert_uint_eq(tell_waiting(), 0);
}
END_TEST

/* --- hints --- */

START_TEST(hints_of_an_item_are_put_together)
{
	int i;

	started();
	answer(ONE, 200, ROW(ITEM1, "1", LATER, BOSS, "09"));
	for (i = 0; i < 50; i++)
		tracker_look(web(), ITEM1);
	RUN_UNTIL(count_sent(ORCH_tracker_item) == 1);
	quiet();
	/* One, and one for what came while it was under way. */
	ck_assert_uint_le(count_asked(ONE), 2);
	ck_assert_uint_eq(count_sent(ORCH_tracker_item), 1);
	tracker_look(web(), "../../users");
	quiet();
	ck_assert_uint_le(nasked, 2);
}
END_TEST

/* Somebody has changed a hundred: one page, not a hundred requests. */
START_TEST(a_flood_of_hints_is_a_poll)
{
	char item[PLANE_ID];
	int i;

	started();
	for (i = 0; i < 100; i++) {
		snprintf(item, sizeof(item), "00000000-0000-4000-8000-"
		    "%012d", i);
		tracker_look(web(), item);
	}
	RUN_UNTIL(count_asked(ITEMS) == 1);
	quiet();
	ck_assert_uint_le(count_asked("GET " API "work-items/0"), 20);
}
END_TEST

START_TEST(a_deleted_item_is_no_trouble)
{
	started();
	answer(ONE, 404, "{\"error\":\"The requested resource does not "
	    "exist.\"}");
	tracker_look(web(), ITEM1);
	RUN_UNTIL(count_asked(ONE) == 1);
	quiet();
	ck_assert_uint_eq(nsent, 0);
}
END_TEST

static const char words[] =
    "{\"results\":[{\"actor\":\"" ME "\",\"comment_html\":\"<p>ours</p>\","
    "\"created_at\":\"2026-11-22T12:09:00Z\"},{\"actor\":\"" BOSS "\","
    "\"comment_html\":\"<p>too slow</p>\",\"created_at\":"
    "\"2026-11-22T12:08:00Z\"},{\"actor\":\"" BOSS "\",\"comment_html\":"
    "\"<p>older</p>\",\"created_at\":\"2026-11-22T12:01:00Z\"}],"
    "\"next_page_results\":false,\"next_cursor\":\"100:1:0\"}";

/* The tracker's own times: 12:08:30 is after the last comment. */
START_TEST(a_rejection_without_words_since_the_question_has_none)
{
	const struct orch_tracker_item *m;

	started();
	answer(ONE, 200, ROW(ITEM1, "1", REJECT, BOSS, "09"));
	answer(ONE "comments/", 200,
	    "{\"results\":[{\"actor\":\"" ME "\",\"comment_html\":"
	    "\"<p>?</p>\",\"external_id\":\"ask:WEB-1:2:abc@7\","
	    "\"created_at\":\"2026-11-22T12:08:30Z\"},{\"actor\":\"" BOSS
	    "\",\"comment_html\":\"<p>too slow</p>\",\"created_at\":"
	    "\"2026-11-22T12:08:00Z\"}],\"next_page_results\":false,"
	    "\"next_cursor\":\"100:1:0\"}");
	tracker_look(web(), ITEM1);
	RUN_UNTIL(count_sent(ORCH_tracker_item) == 1);
	m = &sent_last(ORCH_tracker_item)->tracker_item;
	ck_assert_str_eq(m->status, "Nein");
	ck_assert_str_eq(m->comment, "");
	ck_assert_str_eq(m->asked, "ask:WEB-1:2:abc@7");
}
END_TEST

START_TEST(a_rejection_comes_with_the_persons_last_words)
{
	const struct orch_tracker_item *m;

	started();
	answer(ITEMS, 200, PAGE(ROW(ITEM1, "1", REJECT, BOSS, "09") ","
	    ROW(ITEM2, "2", LATER, BOSS, "02")));
	answer(ONE, 200, ROW(ITEM1, "1", REJECT, BOSS, "09"));
	answer(ONE "comments/", 200, words);
	tracker_look(web(), NULL);
	RUN_UNTIL(count_sent(ORCH_tracker_item) == 1);
	m = &sent_last(ORCH_tracker_item)->tracker_item;
	ck_assert_str_eq(m->status, "Nein");
	ck_assert_str_eq(m->comment, "too slow");
	ck_assert_uint_eq(m->comment_ms, 1795349280000);
	/* The same look tells nothing new. */
	tracker_look(web(), ITEM1);
	RUN_UNTIL(count_asked(ONE "comments/") == 2);
	quiet();
	ck_assert_uint_eq(count_sent(ORCH_tracker_item), 1);
}
END_TEST

/* The names are this old. */
static void
aged(int64_t ms)
{
	web()->p_tracker->tk_named = monotime_add_ms(monotime_now(), -ms);
	web()->p_tracker->tk_asked = web()->p_tracker->tk_named;
}

/* Somebody gives the status that deploys another name, and it is set. */
START_TEST(a_status_that_was_renamed_deploys_nothing)
{
	started();
	aged(60000);
	answer("GET " API "states/", 200, PAGE(STATE(LATER, "Todo") ","
	    STATE(REVIEW, "In Review") "," STATE(ITEM2, "Shipped long ago")));
	answer(ONE, 200, ROW(ITEM1, "1", ITEM2, BOSS, "15"));
	tracker_look(web(), ITEM1);
	RUN_UNTIL(count_sent(ORCH_tracker_item) == 1);
	ck_assert_str_eq(sent_last(ORCH_tracker_item)->tracker_item.status,
	    "Shipped long ago");
	ck_assert_uint_eq(count_asked("GET " API "states/"), 1);
}
END_TEST

/* Found by a poll, and by who is about to set another status. */
START_TEST(an_approval_is_told_by_names_of_now)
{
	started();
	aged(60000);
	answer(ITEMS, 200, PAGE(ROW(ITEM1, "1", ITEM1, BOSS, "15") ","
	    ROW(ITEM2, "2", LATER, BOSS, "02")));
	answer(ONE, 200, ROW(ITEM1, "1", ITEM1, BOSS, "15"));
	tracker_look(web(), NULL);
	RUN_UNTIL(count_sent(ORCH_tracker_item) == 1);
	ck_assert_str_eq(sent_last(ORCH_tracker_item)->tracker_item.status,
	    "Approved");
	ck_assert_uint_eq(count_asked("GET " API "states/"), 1);
	aged(60000);
	forget_sent();
	answer(ONE, 200, ROW(ITEM1, "1", ITEM2, BOSS, "25"));
	deliver(7, "WEB-1", "status", "In Review");
	RUN_UNTIL(row_end(7) == 0);
	RUN_UNTIL(count_sent(ORCH_tracker_item) == 1);
	ck_assert_uint_eq(count_asked("GET " API "states/"), 2);
	ck_assert_uint_eq(count_asked(SET), 0);
}
END_TEST

/* Names that do not come are asked for once, and nothing is approved. */
START_TEST(an_approval_whose_name_cannot_be_read_waits_for_a_poll)
{
	started();
	aged(60000);
	answer("GET " API "states/", 403, "{\"detail\":\"no\"}");
	answer(ONE, 200, ROW(ITEM1, "1", ITEM1, BOSS, "15"));
	tracker_look(web(), ITEM1);
	RUN_UNTIL(count_asked(ONE) == 2);
	quiet();
	ck_assert_uint_eq(count_asked("GET " API "states/"), 1);
	ck_assert_uint_eq(count_asked(ONE), 2);
	ck_assert_uint_eq(count_sent(ORCH_tracker_item), 0);
}
END_TEST

/* --- the outbox --- */

START_TEST(a_comment_is_carried_with_its_key)
{
	const struct asked *a;

	started();
	answer(SAY, 201, "{\"id\":\"" ITEM2 "\"}");
	deliver(7, "WEB-1", "comment", "a < b\nc");
	RUN_UNTIL(row_end(7) == 1);
	a = asked_last(SAY);
	ck_assert_ptr_nonnull(strstr(a->a_body, "<p>a &lt; b<br>c</p>"));
	ck_assert_ptr_nonnull(strstr(a->a_body,
	    "\"external_id\":\"key:1\""));
	/* It is there already: an answer was lost. */
	answer(SAY, 409, "{\"error\":\"same external id\",\"id\":\"" ITEM2
	    "\"}");
	deliver(8, "WEB-1", "comment", "text");
	RUN_UNTIL(row_end(8) == 1);
}
END_TEST

START_TEST(an_item_is_made_once_and_its_id_is_told)
{
	const struct asked *a;

	started();
	answer("POST " API "work-items/", 201, ROW(ITEM2, "3", TOANA, ME,
	    "05"));
	deliver(7, "WEB-1-f1", "item", "Follow up\nfirst\nsecond <b>");
	RUN_UNTIL(row_end(7) == 1);
	ck_assert_str_eq(sent_last(ORCH_outbox_done)->outbox_done.item,
	    ITEM2);
	a = asked_last("POST");
	ck_assert_str_eq(a->a_line, "POST " API "work-items/");
	ck_assert_ptr_nonnull(strstr(a->a_body, "\"name\":\"Follow up\""));
	ck_assert_ptr_nonnull(strstr(a->a_body,
	    "<p>first<br>second &lt;b&gt;</p>"));
	ck_assert_ptr_nonnull(strstr(a->a_body, "\"state\":\"" TOANA
	    "\""));
	ck_assert_ptr_nonnull(strstr(a->a_body,
	    "\"external_id\":\"key:1\""));
	/* It is there already: an answer was lost. */
	answer("POST " API "work-items/", 409, "{\"error\":\"same external "
	    "id\",\"id\":\"" ITEM1 "\"}");
	deliver(8, "WEB-1-f1", "item", "Follow up");
	RUN_UNTIL(row_end(8) == 1);
	ck_assert_str_eq(sent_last(ORCH_outbox_done)->outbox_done.item,
	    ITEM1);
	answer("POST " API "work-items/", 200, "<html>log in</html>");
	deliver(9, "WEB-1-f1", "item", "Follow up");
	RUN_UNTIL(row_end(9) == 0);
	answer("POST " API "work-items/", 400, "{\"error\":\"no\"}");
	deliver(10, "WEB-1-f1", "item", "Follow up");
	RUN_UNTIL(row_end(10) == 0);
	ck_assert_str_eq(sent_last(ORCH_outbox_done)->outbox_done.item, "");
}
END_TEST

START_TEST(an_answer_that_is_none_is_a_failure)
{
	started();
	answer(SAY, 200, "<html>log in</html>");
	deliver(7, "WEB-1", "comment", "text");
	RUN_UNTIL(row_end(7) == 0);
	answer(SAY, 500, "{\"error\":\"Something went wrong\"}");
	deliver(8, "WEB-1", "comment", "text");
	RUN_UNTIL(row_end(8) == 0);
	ck_assert_ptr_nonnull(strstr(
	    sent_last(ORCH_outbox_done)->outbox_done.error,
	    "HTTP 500: Something went wrong"));
	answer(ONE, 200, ROW(ITEM1, "1", TOANA, ME, "01"));
	answer(SET, 200, "<html>log in</html>");
	deliver(9, "WEB-1", "status", "In Review");
	RUN_UNTIL(row_end(9) == 0);
	answer(SET, 200, ROW(ITEM1, "1", TOANA, ME, "01"));
	deliver(10, "WEB-1", "status", "In Review");
	RUN_UNTIL(row_end(10) == 0);
}
END_TEST

START_TEST(a_status_is_set_by_its_id_once)
{
	const struct orch_tracker_item *m;

	started();
	answer(ONE, 200, ROW(ITEM1, "1", TOANA, ME, "01"));
	answer(SET, 200, ROW(ITEM1, "1", REVIEW, ME, "20"));
	deliver(7, "WEB-1", "status", "In Review");
	RUN_UNTIL(row_end(7) == 1);
	ck_assert_str_eq(asked_last(SET)->a_body,
	    "{\"state\":\"" REVIEW "\"}");
	m = &sent_last(ORCH_tracker_item)->tracker_item;
	ck_assert_str_eq(m->status, "In Review");
	ck_assert_int_eq(m->own, 1);
	ck_assert_uint_eq(count_sent(ORCH_tracker_item), 1);
	answer(ONE, 200, ROW(ITEM1, "1", REVIEW, ME, "20"));
	deliver(8, "WEB-1", "status", "In Review");
	RUN_UNTIL(row_end(8) == 1);
	ck_assert_uint_eq(count_asked(SET), 1);
	ck_assert_uint_eq(count_sent(ORCH_tracker_item), 1);
}
END_TEST

START_TEST(what_a_person_set_is_told_before_it_is_overwritten)
{
	const struct orch_tracker_item *m;

	started();
	answer(ONE, 200, ROW(ITEM1, "1", LATER, BOSS, "15"));
	answer(SET, 200, ROW(ITEM1, "1", REVIEW, ME, "20"));
	deliver(7, "WEB-1", "status", "In Review");
	RUN_UNTIL(row_end(7) == 1);
	ck_assert_uint_eq(sent[1].s_type, ORCH_tracker_item);
	m = &sent[1].s_any.tracker_item;
	ck_assert_str_eq(m->status, "Todo");
	ck_assert_int_eq(m->own, 0);
	/* A rejection waits for its words. */
	forget_sent();
	answer(ONE, 200, ROW(ITEM1, "1", REJECT, BOSS, "25"));
	answer(ONE "comments/", 200, words);
	deliver(8, "WEB-1", "status", "In Review");
	RUN_UNTIL(row_end(8) == 0);
	RUN_UNTIL(count_sent(ORCH_tracker_item) == 1);
	ck_assert_str_eq(sent_last(ORCH_tracker_item)->tracker_item.comment,
	    "too slow");
	ck_assert_uint_eq(count_asked(SET), 1);
	/* Now it may. */
	deliver(8, "WEB-1", "status", "In Review");
	RUN_UNTIL(count_asked(SET) == 2);
}
END_TEST

/* When somebody set a status: after our comment nobody can tell any more. */
START_TEST(what_a_person_set_is_told_before_a_comment_makes_it_newer)
{
	const struct orch_tracker_item *m;

	started();
	answer(ONE, 200, ROW(ITEM1, "1", ITEM1, BOSS, "15"));
	answer(SAY, 0, "");
	deliver(7, "WEB-1", "comment", "text");
	RUN_UNTIL(row_end(7) == 0);
	ck_assert_uint_eq(count_asked(SAY), 1);
	ck_assert_uint_eq(count_sent(ORCH_tracker_item), 1);
	m = &sent_last(ORCH_tracker_item)->tracker_item;
	ck_assert_str_eq(m->status, "Approved");
	ck_assert_uint_eq(m->changed_ms, 1795341615500);
	/* A rejection waits for its words, once. */
	forget_sent();
	answer(ONE, 200, ROW(ITEM1, "1", REJECT, BOSS, "25"));
	answer(ONE "comments/", 200, words);
	deliver(8, "WEB-1", "comment", "text");
	RUN_UNTIL(row_end(8) == 0);
	RUN_UNTIL(count_sent(ORCH_tracker_item) == 1);
	ck_assert_str_eq(sent_last(ORCH_tracker_item)->tracker_item.comment,
	    "too slow");
	ck_assert_uint_eq(count_asked(SAY), 1);
	answer(ONE, 200, ROW(ITEM1, "1", REJECT, BOSS, "26"));
	answer(SAY, 201, "{\"id\":\"" ITEM2 "\"}");
	deliver(8, "WEB-1", "comment", "text");
	RUN_UNTIL(row_end(8) == 1);
}
END_TEST

START_TEST(a_missing_status_is_left_out_and_said_once)
{
	const struct orch_notice *m;

	started();
	deliver(7, "WEB-1", "status", "Needs Input");
	RUN_UNTIL(row_end(7) == 1);
	RUN_UNTIL(count_alerts("status_missing", 1) == 1);
	m = &sent_last(ORCH_notice)->notice;
	ck_assert_str_eq(m->kind, "status_missing");
	ck_assert_str_eq(m->subject, "web: Needs Input");
	ck_assert_int_eq(m->on, 1);
	ck_assert_uint_eq(count_asked(SET), 0);
	deliver(8, "WEB-1", "status", "Needs Input");
	RUN_UNTIL(row_end(8) == 1);
	quiet();
	ck_assert_uint_eq(count_alerts("status_missing", 1), 1);
}
END_TEST

/* What a process before this one raised does not stay for ever. */
START_TEST(a_status_that_people_need_and_that_is_missing_is_said_once)
{
	const struct orch_notice *m = NULL;
	size_t i;

	/* "Nein", as it is called here, is gone too. */
	answer("GET " API "states/", 200, PAGE(STATE(LATER, "Todo") ","
	    STATE(TOANA, "To Analyse") "," STATE(ITEM1, "Approved") ","
	    STATE(ITEM2, "confirm deploy")));
	RUN_UNTIL(count_sent(ORCH_tracker_item) == 2);
	quiet();
	ck_assert_uint_eq(count_alerts("status_missing", 1), 2);
	for (i = 0; i < nsent; i++)
		if (sent[i].s_type == ORCH_notice && sent[i].s_any.notice.on)
			m = &sent[i].s_any.notice;
	ck_assert_str_eq(m->subject, "web: Confirm Deploy");
	ck_assert_ptr_nonnull(strstr(m->text, "orchctl confirm"));
	forget_sent();
	answer("GET " API "states/", 200, PAGE(STATE(TOANA, "To Analyse") ","
	    STATE(REJECT, "Nein") "," STATE(ITEM1, "Approved") ","
	    STATE(ITEM2, "Confirm Deploy")));
	names_read(web()->p_tracker);
	RUN_UNTIL(count_alerts("status_missing", 0) == 2);
	quiet();
	ck_assert_uint_eq(count_alerts("status_missing", 1), 0);
}
END_TEST

START_TEST(old_alerts_are_cleared_at_the_start)
{
	RUN_UNTIL(count_sent(ORCH_tracker_item) == 2);
	ck_assert_uint_eq(count_alerts("status_missing", 0), 6);
	ck_assert_uint_eq(count_alerts("remote_refused", 0), 1);
	ck_assert_uint_eq(count_alerts("remote_down", 0), 1);
	ck_assert_uint_eq(count_alerts("remote_down", 1), 0);
}
END_TEST

/* Its rows come back and fail at once; a local project's are stored. */
START_TEST(a_dead_tracker_stops_no_other_project)
{
	struct orch_outbox_row m = { .id = 90, .dest = "tracker", .kind =
	    "comment", .task = "DEMO-1", .key = "k", .text = "local",
	    .project = "demo", .item = "" };
	struct canned *c;
	char task[16];
	unsigned int failed = 0;
	uint64_t i;

	started();
	remote_times.rt_pause_ms = 200;
	c = answer("", 0, "");
	for (i = 1; i <= 12; i++) {
		snprintf(task, sizeof(task), "WEB-%u", (unsigned int)i);
		deliver(i, task, "comment", "text");
	}
	outbox_engine_up();
	outbox_row(outbox_list("tracker"), &m);
	RUN_UNTIL(row_end(90) == 1);
	ck_assert_str_eq(sent_last(ORCH_item)->item.text, "local");
	RUN_UNTIL(count_alerts("remote_down", 1) == 1);
	run_for(50);
	/* Those that were asked have failed; the others are put back. */
	for (i = 1; i <= 12; i++)
		failed += row_end(i) == 0;
	ck_assert_uint_ge(failed, 5);
	ck_assert_uint_lt(failed, 12);
	c->c_times = 0;
	answer(SAY, 201, "{\"id\":\"" ITEM2 "\"}");
	run_for(300);
	deliver(1, "WEB-1", "comment", "text");
	RUN_UNTIL(row_end(1) == 1);
	ck_assert_uint_eq(count_alerts("remote_down", 0), 1);
}
END_TEST

START_TEST(a_row_outlives_the_engine)
{
	started();
	answer(SAY, 201, "{\"id\":\"" ITEM2 "\"}");
	deliver(7, "WEB-1", "comment", "text");
	away = 1;
	RUN_UNTIL(count_asked(SAY) == 1);
	quiet();
	ck_assert_int_eq(row_end(7), -1);
	away = 0;
	deliver(7, "WEB-1", "comment", "text");
	ck_assert_int_eq(row_end(7), 1);
	quiet();
	ck_assert_uint_eq(count_asked(SAY), 1);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("reconciled tracker");
	TCase *tc = tcase_create("tracker");
	SRunner *sr;
	int bad;

	tcase_set_timeout(tc, 30);
	tcase_add_checked_fixture(tc, setup, world_teardown);
	tcase_add_test(tc, each_item_is_told_once);
	tcase_add_test(tc, all_pages_are_read_and_no_more);
	tcase_add_test(tc, a_day_of_silence_is_made_up_for_without_a_storm);
	tcase_add_test(tc,
	    hints_and_messages_go_before_what_a_poll_has_found);
	tcase_add_test(tc, long_texts_are_read_in_shorter_pages);
	tcase_add_test(tc, an_older_server_calls_them_issues);
	tcase_add_test(tc, a_refused_key_is_an_alert_until_it_works);
	tcase_add_test(tc, a_list_that_is_refused_is_an_alert_until_it_comes);
	tcase_add_test(tc,
	    a_newer_server_is_asked_again_what_items_are_called);
	tcase_add_test(tc, a_new_engine_is_told_everything_again);
	tcase_add_test(tc, what_the_engine_cannot_store_is_told_again);
	tcase_add_test(tc, hints_of_an_item_are_put_together);
	tcase_add_test(tc, a_flood_of_hints_is_a_poll);
	tcase_add_test(tc, a_deleted_item_is_no_trouble);
	tcase_add_test(tc, a_rejection_comes_with_the_persons_last_words);
	tcase_add_test(tc, a_status_that_was_renamed_deploys_nothing);
	tcase_add_test(tc, an_approval_is_told_by_names_of_now);
	tcase_add_test(tc,
	    an_approval_whose_name_cannot_be_read_waits_for_a_poll);
	tcase_add_test(tc,
	    a_rejection_without_words_since_the_question_has_none);
	tcase_add_test(tc, a_comment_is_carried_with_its_key);
	tcase_add_test(tc, an_item_is_made_once_and_its_id_is_told);
	tcase_add_test(tc, an_answer_that_is_none_is_a_failure);
	tcase_add_test(tc, a_status_is_set_by_its_id_once);
	tcase_add_test(tc,
	    what_a_person_set_is_told_before_it_is_overwritten);
	tcase_add_test(tc,
	    what_a_person_set_is_told_before_a_comment_makes_it_newer);
	tcase_add_test(tc, a_missing_status_is_left_out_and_said_once);
	tcase_add_test(tc,
	    a_status_that_people_need_and_that_is_missing_is_said_once);
	tcase_add_test(tc, old_alerts_are_cleared_at_the_start);
	tcase_add_test(tc, a_dead_tracker_stops_no_other_project);
	tcase_add_test(tc, a_row_outlives_the_engine);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	bad = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (bad == 0 ? 0 : 1);
}
