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

/* Messages to people: Telegram and webhooks. */

#include <arpa/inet.h>
#include <netinet/in.h>

#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "reconciled_world.h"

#define TOKEN	"8123456:AAExampleExampleExampleExample"
#define SEND	"POST /bot" TOKEN "/sendMessage"
#define SECRET	"whsec_MDEyMzQ1Njc4OWFiY2RlZg=="	/* 0123456789abcdef */

static void
row(const char *dest, uint64_t id, const char *text)
{
	struct orch_outbox_row m = { .last = 1, .id = id, .dest = dest,
	    .kind = "alert", .task = "", .key = "alert:9:on", .text = text,
	    .project = "", .item = "" };

	turn();
	outbox_engine_up();
	outbox_row(outbox_list(dest), &m);
}

static void
setup(void)
{
	char chat[200], hook[200];

	world_setup();
	snprintf(chat, sizeof(chat), "telegram -1001234567890123 %s/bot"
	    TOKEN, server_url);
	snprintf(hook, sizeof(hook), "webhook %s/hook?a=b " SECRET,
	    server_url);
	project_secret("notify:ops", chat);
	project_secret("notify:hook", hook);
	project_secret("notify:bad", "pigeon roof x");
	ck_assert_int_eq(project_start(), 0);
	answer(SEND, 200, "{\"ok\":true,\"result\":{\"message_id\":5}}");
	answer("POST /hook", 204, "");
}

static json_t *
body_of(const struct asked *a)
{
	json_error_t je;
	json_t *j = json_loads(a->a_body, 0, &je);

	ck_assert_msg(j != NULL, "%s", a->a_body);
	return (j);
}

START_TEST(only_messengers_that_are_known_are_asked_for)
{
	outbox_engine_up();
	ck_assert_uint_eq(count_sent(ORCH_outbox_next), 3);
	(void)outbox_list("notify:ops");
	(void)outbox_list("notify:hook");
}
END_TEST

START_TEST(telegram_gets_plain_text)
{
	json_t *j;

	row("notify:ops", 3, "disk <low> *now*_\n\x1b[31m\xff");
	RUN_UNTIL(row_end(3) == 1);
	j = body_of(asked_last(SEND));
	ck_assert_int_eq(json_integer_value(json_object_get(j, "chat_id")),
	    -1001234567890123);
	ck_assert_str_eq(json_string_value(json_object_get(j, "text")),
	    "disk <low> *now*_\n?[31m?");
	ck_assert_uint_eq(json_object_size(j), 2);
	json_decref(j);
}
END_TEST

/* 4096 units of UTF-16, and never half a character. */
START_TEST(telegram_text_is_cut_at_its_limit)
{
	char *text = calloc(1, 5 * 4000);
	const char *got;
	json_t *j;
	int i;

	(void)strlcpy(text, "a", 5 * 4000);
	for (i = 0; i < 3000; i++)
		(void)strlcat(text, "\xf0\x9f\x98\x80", 5 * 4000);
	row("notify:ops", 3, text);
	RUN_UNTIL(row_end(3) == 1);
	j = body_of(asked_last(SEND));
	got = json_string_value(json_object_get(j, "text"));
	ck_assert_uint_eq(strlen(got), 1 + 4 * 2047);
	json_decref(j);
	free(text);
}
END_TEST

START_TEST(telegram_says_how_long_to_wait)
{
	struct monotime begin = monotime_now();

	answer(SEND, 429, "{\"ok\":false,\"error_code\":429,\"description\":"
	    "\"Too Many Requests: retry after 2\",\"parameters\":"
	    "{\"retry_after\":2}}")->c_times = 1;
	row("notify:ops", 3, "text");
	RUN_UNTIL(row_end(3) == 1);
	ck_assert_int_ge(monotime_sub_ms(monotime_now(), begin), 2000);
	ck_assert_uint_eq(count_asked(SEND), 2);
}
END_TEST

START_TEST(telegram_in_trouble_says_how_long_too)
{
	struct monotime begin = monotime_now();

	answer(SEND, 503, "{\"ok\":false,\"error_code\":503,\"description\":"
	    "\"Service Unavailable\",\"parameters\":{\"retry_after\":2}}")->
	    c_times = 1;
	row("notify:ops", 3, "text");
	RUN_UNTIL(row_end(3) == 0);
	row("notify:ops", 3, "text");
	RUN_UNTIL(row_end(3) == 1);
	ck_assert_int_ge(monotime_sub_ms(monotime_now(), begin), 2000);
}
END_TEST

START_TEST(a_webhook_says_how_long_to_wait)
{
	struct monotime begin = monotime_now();
	struct canned *c = answer("POST /hook", 503, "");

	c->c_times = 1;
	answer_header(c, "Retry-After", "1");
	row("notify:hook", 3, "text");
	RUN_UNTIL(row_end(3) == 0);
	row("notify:hook", 3, "text");
	RUN_UNTIL(row_end(3) == 1);
	ck_assert_int_ge(monotime_sub_ms(monotime_now(), begin), 1000);
}
END_TEST

/* How the last one was refused, for what it says or otherwise. */
static int
refusal(const char *dest, uint64_t id, int status, const char *said)
{
	char body[300];

	snprintf(body, sizeof(body), "{\"ok\":false,\"error_code\":%d,"
	    "\"description\":\"%s\"}", status, said);
	answer(strcmp(dest, "notify:ops") == 0 ? SEND : "POST /hook", status,
	    body)->c_times = 1;
	row(dest, id, "text");
	RUN_UNTIL(row_end(id) == 0);
	return (sent_last(ORCH_outbox_done)->outbox_done.refused);
}

START_TEST(what_a_message_says_is_refused_and_not_who_it_is_for)
{
	ck_assert_int_eq(refusal("notify:ops", 1, 400,
	    "Bad Request: message is too long"), OUTBOX_REFUSED);
	ck_assert_int_eq(refusal("notify:hook", 2, 400, ""), OUTBOX_REFUSED);
	ck_assert_int_eq(refusal("notify:hook", 3, 413, ""), OUTBOX_REFUSED);
	ck_assert_int_eq(refusal("notify:hook", 4, 422, ""), OUTBOX_REFUSED);
	/* That is another alert, which says that it is parked. */
	ck_assert_uint_eq(count_alerts("remote_refused", 1), 0);
	ck_assert_int_eq(refusal("notify:ops", 5, 400,
	    "Bad Request: chat not found"), OUTBOX_LATER);
	ck_assert_int_eq(refusal("notify:ops", 6, 400, "Bad Request: not "
	    "enough rights to send text messages to the chat"),
	    OUTBOX_LATER);
	ck_assert_int_eq(refusal("notify:ops", 7, 400,
	    "Bad Request: TOPIC_CLOSED"), OUTBOX_LATER);
	ck_assert_int_eq(refusal("notify:ops", 8, 403, "Forbidden"),
	    OUTBOX_LATER);
	ck_assert_int_eq(refusal("notify:hook", 9, 401, ""), OUTBOX_LATER);
	ck_assert_int_eq(refusal("notify:hook", 10, 404, ""), OUTBOX_LATER);
	ck_assert_int_eq(refusal("notify:hook", 11, 408, ""), OUTBOX_LATER);
	ck_assert_int_eq(refusal("notify:hook", 12, 500, ""), OUTBOX_LATER);
	ck_assert_uint_eq(count_alerts("remote_refused", 1), 2);
}
END_TEST

START_TEST(a_refusal_has_its_words_and_no_token)
{
	const char *error;

	answer(SEND, 400, "{\"ok\":false,\"error_code\":400,\"description\":"
	    "\"Bad Request: group chat was upgraded to a supergroup chat\","
	    "\"parameters\":{\"migrate_to_chat_id\":-100777}}");
	row("notify:ops", 3, "text");
	RUN_UNTIL(row_end(3) == 0);
	error = sent_last(ORCH_outbox_done)->outbox_done.error;
	ck_assert_ptr_nonnull(strstr(error, "upgraded to a supergroup"));
	ck_assert_ptr_nonnull(strstr(error, "-100777"));
	ck_assert_ptr_null(strstr(error, "8123456"));
	answer(SEND, 0, "");
	row("notify:ops", 4, "text");
	RUN_UNTIL(row_end(4) == 0);
	ck_assert_ptr_null(strstr(
	    sent_last(ORCH_outbox_done)->outbox_done.error, "8123456"));
}
END_TEST

/* Something in between that answers for Telegram has not told anybody. */
START_TEST(an_answer_that_is_not_telegrams_is_none)
{
	answer(SEND, 200, "<html>Please log in</html>");
	row("notify:ops", 3, "text");
	RUN_UNTIL(row_end(3) == 0);
	answer(SEND, 200, "{\"ok\":true,\"result\":{\"message_id\":6}}");
	row("notify:ops", 3, "text");
	RUN_UNTIL(row_end(3) == 1);
}
END_TEST

/* The next try goes where the group is now. */
START_TEST(a_chat_that_has_moved_is_followed)
{
	json_t *j;

	answer(SEND, 400, "{\"ok\":false,\"error_code\":400,\"description\":"
	    "\"Bad Request: group chat was upgraded to a supergroup chat\","
	    "\"parameters\":{\"migrate_to_chat_id\":-1009876543210987}}")->
	    c_times = 1;
	row("notify:ops", 3, "text");
	RUN_UNTIL(row_end(3) == 0);
	row("notify:ops", 3, "text");
	RUN_UNTIL(row_end(3) == 1);
	j = body_of(asked_last(SEND));
	ck_assert_int_eq(json_integer_value(json_object_get(j, "chat_id")),
	    -1009876543210987);
	json_decref(j);
}
END_TEST

START_TEST(one_who_refuses_is_an_alert_until_he_takes_something)
{
	const struct orch_notice *m;

	answer(SEND, 403, "{\"ok\":false,\"error_code\":403,\"description\":"
	    "\"Forbidden: bot was kicked from the group chat\"}")->c_times = 2;
	row("notify:ops", 3, "text");
	RUN_UNTIL(row_end(3) == 0);
	row("notify:ops", 4, "text");
	RUN_UNTIL(row_end(4) == 0);
	ck_assert_uint_eq(count_alerts("remote_refused", 1), 1);
	m = &sent_last(ORCH_notice)->notice;
	ck_assert_str_eq(m->subject, "notify:ops");
	ck_assert_ptr_nonnull(strstr(m->text, "kicked"));
	row("notify:ops", 5, "text");
	RUN_UNTIL(row_end(5) == 1);
	RUN_UNTIL(count_alerts("remote_refused", 0) == 1);
	/* That nobody is there is another alert, of the server. */
	answer("POST /hook", 503, "");
	row("notify:hook", 6, "text");
	RUN_UNTIL(row_end(6) == 0);
	ck_assert_uint_eq(count_alerts("remote_refused", 1), 1);
}
END_TEST

static void
header(const struct asked *a, const char *name, char *buf, size_t len)
{
	const char *p = strstr(a->a_headers, name);

	ck_assert_msg(p != NULL, "no %s", name);
	p += strlen(name) + 2;
	ck_assert_uint_lt(strcspn(p, "\n"), len);
	(void)strlcpy(buf, p, strcspn(p, "\n") + 1);
}

/* As a receiver checks it. */
START_TEST(webhook_is_signed_over_id_time_and_body)
{
	char id[80], when[32], sig[100], want[100] = "v1,", text[4096];
	unsigned char md[32];
	const struct asked *a;
	json_t *j;

	row("notify:hook", 3, "disk low");
	RUN_UNTIL(row_end(3) == 1);
	a = asked_last("POST /hook?a=b");
	header(a, "webhook-id", id, sizeof(id));
	header(a, "webhook-timestamp", when, sizeof(when));
	header(a, "webhook-signature", sig, sizeof(sig));
	ck_assert_str_eq(id, "alert:9:on");
	snprintf(text, sizeof(text), "%s.%s.%s", id, when, a->a_body);
	ck_assert_ptr_nonnull(HMAC(EVP_sha256(), "0123456789abcdef", 16,
	    (unsigned char *)text, strlen(text), md, NULL));
	(void)EVP_EncodeBlock((unsigned char *)want + 3, md, 32);
	ck_assert_str_eq(sig, want);
	ck_assert_ptr_nonnull(strstr(a->a_headers,
	    "Content-Type: application/json\n"));
	j = body_of(a);
	ck_assert_str_eq(json_string_value(json_object_get(j, "type")),
	    "orchd.alert");
	ck_assert_str_eq(json_string_value(json_object_get(json_object_get(j,
	    "data"), "text")), "disk low");
	json_decref(j);
}
END_TEST

START_TEST(webhook_that_is_not_taken_comes_again)
{
	answer("POST /hook", 410, "gone");
	row("notify:hook", 3, "text");
	RUN_UNTIL(row_end(3) == 0);
	answer_header(answer("POST /hook", 302, ""), "Location", "/other");
	row("notify:hook", 4, "text");
	RUN_UNTIL(row_end(4) == 0);
	ck_assert_uint_eq(count_asked("POST /other"), 0);
}
END_TEST

/* One that is dead does not hold up the other. */
START_TEST(messengers_do_not_wait_for_each_other)
{
	answer("POST /hook", 0, "");
	row("notify:hook", 3, "text");
	row("notify:ops", 4, "text");
	RUN_UNTIL(row_end(4) == 1);
	RUN_UNTIL(row_end(3) == 0);
}
END_TEST

/* Two hundred that wait for Telegram's limit are nobody else's trouble. */
START_TEST(a_slow_messenger_does_not_fill_the_table)
{
	char task[32], key[32];
	struct orch_outbox_row m = { .dest = "notify:ops", .kind = "end",
	    .task = task, .key = key, .text = "text", .project = "",
	    .item = "" };
	uint32_t list;

	turn();
	outbox_engine_up();
	list = outbox_list("notify:ops");
	for (m.id = 1; m.id <= 200; m.id++) {
		snprintf(task, sizeof(task), "WEB-%u", (unsigned int)m.id);
		snprintf(key, sizeof(key), "end:%u", (unsigned int)m.id);
		outbox_row(list, &m);
	}
	forget_sent();
	outbox_engine_up();
	(void)outbox_list("tracker");
	(void)outbox_list("notify:hook");
	row("notify:hook", 300, "text");
	RUN_UNTIL(row_end(300) == 1);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("reconciled notify");
	TCase *tc = tcase_create("notify");
	SRunner *sr;
	int bad;

	tcase_set_timeout(tc, 30);
	tcase_add_checked_fixture(tc, setup, world_teardown);
	tcase_add_test(tc, only_messengers_that_are_known_are_asked_for);
	tcase_add_test(tc, telegram_gets_plain_text);
	tcase_add_test(tc, telegram_text_is_cut_at_its_limit);
	tcase_add_test(tc, telegram_says_how_long_to_wait);
	tcase_add_test(tc, telegram_in_trouble_says_how_long_too);
	tcase_add_test(tc, a_webhook_says_how_long_to_wait);
	tcase_add_test(tc,
	    what_a_message_says_is_refused_and_not_who_it_is_for);
	tcase_add_test(tc, a_refusal_has_its_words_and_no_token);
	tcase_add_test(tc, an_answer_that_is_not_telegrams_is_none);
	tcase_add_test(tc, a_chat_that_has_moved_is_followed);
	tcase_add_test(tc,
	    one_who_refuses_is_an_alert_until_he_takes_something);
	tcase_add_test(tc, webhook_is_signed_over_id_time_and_body);
	tcase_add_test(tc, webhook_that_is_not_taken_comes_again);
	tcase_add_test(tc, messengers_do_not_wait_for_each_other);
	tcase_add_test(tc, a_slow_messenger_does_not_fill_the_table);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	bad = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (bad == 0 ? 0 : 1);
}
