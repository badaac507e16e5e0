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

#include <arpa/inet.h>
#include <netinet/in.h>

#include "reconciled_items.h"

/* What a tracker refuses for what it says, and items that are gone. */

/* How a row was refused, for what it says or otherwise. */
static int
refusal(uint64_t id, const char *kind, const char *text)
{
	deliver(id, "WEB-1", kind, text);
	RUN_UNTIL(row_end(id) == 0);
	return (sent_last(ORCH_outbox_done)->outbox_done.refused);
}

#define LIST1	"GET " API "work-items/?per_page=1"
#define NOWHERE	"{\"error\":\"The requested resource does not exist.\"}"

START_TEST(a_message_for_an_item_that_was_deleted_says_so)
{
	started();
	answer(ONE, 404, NOWHERE);
	answer(SAY, 404, NOWHERE);
	answer(LIST1, 200, PAGE(""));
	ck_assert_int_eq(refusal(7, "comment", "text"), OUTBOX_GONE);
	ck_assert_ptr_nonnull(strstr(
	    sent_last(ORCH_outbox_done)->outbox_done.error,
	    "the item is gone"));
	ck_assert_int_eq(refusal(8, "status", "In Review"), OUTBOX_GONE);
	answer(ONE, 200, ROW(ITEM1, "1", TOANA, ME, "01"));
	answer(SET, 410, "");
	ck_assert_int_eq(refusal(9, "status", "In Review"), OUTBOX_GONE);
	/* Should it come back it is told anew. */
	forget_sent();
	tracker_look(web(), ITEM1);
	RUN_UNTIL(count_sent(ORCH_tracker_item) == 1);
}
END_TEST

/* Where the whole project is not there, waiting or a person may help. */
START_TEST(an_item_is_not_gone_while_its_project_does_not_answer)
{
	struct canned *list;

	started();
	answer(ONE, 404, "<html>");
	answer(SAY, 404, "<html>");
	list = answer(LIST1, 404, PAGE(""));
	ck_assert_int_eq(refusal(7, "comment", "text"), OUTBOX_LATER);
	list->c_status = 403;
	ck_assert_int_eq(refusal(8, "status", "In Review"), OUTBOX_LATER);
	list->c_status = 503;
	ck_assert_int_eq(refusal(9, "status", "In Review"), OUTBOX_LATER);
	/* A page of something in between. */
	answer(LIST1, 200, "<html>");
	ck_assert_int_eq(refusal(10, "status", "In Review"), OUTBOX_LATER);
	/* What may not be looked at is not gone. */
	answer(ONE, 403, "{\"detail\":\"no\"}");
	ck_assert_int_eq(refusal(11, "comment", "text"), OUTBOX_LATER);
}
END_TEST

START_TEST(what_a_comment_says_can_be_refused)
{
	started();
	answer(SAY, 400, "{\"comment_html\":[\"too much\"]}");
	ck_assert_int_eq(refusal(7, "comment", "text"), OUTBOX_REFUSED);
	answer(SAY, 413, "");
	ck_assert_int_eq(refusal(8, "comment", "text"), OUTBOX_REFUSED);
	answer(SAY, 401, "{\"detail\":\"no\"}");
	ck_assert_int_eq(refusal(9, "comment", "text"), OUTBOX_LATER);
	answer(SAY, 500, "");
	ck_assert_int_eq(refusal(10, "comment", "text"), OUTBOX_LATER);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("reconciled refused");
	TCase *tc = tcase_create("refused");
	SRunner *sr;
	int bad;

	tcase_set_timeout(tc, 30);
	tcase_add_checked_fixture(tc, setup, world_teardown);
	tcase_add_test(tc, a_message_for_an_item_that_was_deleted_says_so);
	tcase_add_test(tc,
	    an_item_is_not_gone_while_its_project_does_not_answer);
	tcase_add_test(tc, what_a_comment_says_can_be_refused);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	bad = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (bad == 0 ? 0 : 1);
}
