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

#include <sys/socket.h>

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "webhookd_serve.h"

START_TEST(delivery_is_answered_only_when_stored)
{
	int fd;

	serve(ROLE_WEBHOOK, 0, 3000);
	fd = ask_with(delivery(""));
	ck_assert_int_eq(hear(fd, 50), 0);
	ck_assert_uint_eq(got_len, 0);
	ck_assert_uint_eq(engine.type, ORCH_event);
	ck_assert_str_eq(engine.delivery, "d-1");
	ck_assert_str_eq(engine.kind, "push");
	ck_assert_str_eq(engine.body, PUSH);
	ck_assert_uint_eq(strlen(engine.sha256), 64);
	ck_assert_int_eq(engine_stores(RES_OK), 1);
	ck_assert_int_eq(hear(fd, 1000), 1);
	ck_assert_int_eq(status(), 200);
	ck_assert_ptr_nonnull(strstr(got, "Connection: close"));
	close(fd);
	turn(20);
	ck_assert_uint_eq(server_nconns(server), 0);
}
END_TEST

START_TEST(duplicate_and_ignored_are_200_unstored_is_503)
{
	static const struct { uint8_t result; int status; } rows[] = {
		{ RES_DUPLICATE, 200 }, { RES_NOTFOUND, 200 },
		{ RES_REFUSED, 200 }, { RES_RETRY, 503 }, { RES_STALE, 503 },
		{ 200, 503 }
	};
	size_t i;
	int fd;

	serve(ROLE_WEBHOOK, 0, 3000);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fd = ask_with(delivery(""));
		engine_stores(rows[i].result);
		ck_assert_int_eq(hear(fd, 1000), 1);
		ck_assert_int_eq(status(), rows[i].status);
		close(fd);
	}
}
END_TEST

#define ZEROES	"00000000000000000000000000000000"

START_TEST(bad_signatures_all_get_the_same_answer)
{
	static const char *const sigs[] = {
		"", "X-Gitea-Signature:\r\n", "X-Gitea-Signature: abc\r\n",
		"X-Gitea-Signature: a\r\nX-Gitea-Signature: a\r\n",
		"X-Gitea-Signature: " ZEROES ZEROES "\r\n"
	};
	char text[1024], *first = NULL;
	size_t i;

	serve(ROLE_WEBHOOK, 0, 3000);
	for (i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++) {
		(void)snprintf(text, sizeof(text), "POST /webhook/gitea "
		    "HTTP/1.1\r\n" HOST "Content-Type: application/json\r\n"
		    "X-Gitea-Event: push\r\nContent-Length: 2\r\n%s\r\n{}",
		    sigs[i]);
		exchange(text, 401);
		if (first == NULL)
			ck_assert_ptr_nonnull(first = strdup(got));
		ck_assert_str_eq(got, first);
	}
	free(first);
	ck_assert_int_eq(engine.asked, 0);
}
END_TEST

START_TEST(engine_away_is_held_then_503)
{
	long t0;
	int fd;

	serve(ROLE_WEBHOOK, 0, 300);
	engine.away = 1;
	fd = client();
	say(fd, delivery(""));
	t0 = now_ms();
	ck_assert_int_eq(hear(fd, 150), 0);
	ck_assert_uint_eq(got_len, 0);
	ck_assert_int_eq(hear(fd, 2000), 1);
	ck_assert_int_eq(status(), 503);
	ck_assert_ptr_nonnull(strstr(got, "Retry-After:"));
	ck_assert_int_ge(now_ms() - t0, 250);
	close(fd);
}
END_TEST

START_TEST(held_request_reaches_the_next_engine)
{
	int fd;

	serve(ROLE_WEBHOOK, 0, 1000);
	engine.away = 1;
	fd = client();
	say(fd, delivery(""));
	turn(50);
	engine.away = 0;
	asks_engine_up(site.st_asks);
	ck_assert_int_eq(engine.asked, 1);
	engine_stores(RES_OK);
	ck_assert_int_eq(hear(fd, 1000), 1);
	ck_assert_int_eq(status(), 200);
	close(fd);
}
END_TEST

START_TEST(lost_answer_is_asked_again)
{
	uint32_t first;
	int fd;

	serve(ROLE_WEBHOOK, 0, 1000);
	fd = ask_with(delivery(""));
	first = engine.id;
	/* Its id means nothing to the next engine. */
	engine.away = 1;
	asks_engine_up(site.st_asks);
	ck_assert_int_eq(engine_stores(RES_OK), 0);
	engine.away = 0;
	engine.id = 100;
	asks_engine_up(site.st_asks);
	ck_assert_int_eq(engine.asked, 2);
	ck_assert_uint_ne(engine.id, first);
	engine_stores(RES_DUPLICATE);
	ck_assert_int_eq(hear(fd, 1000), 1);
	ck_assert_int_eq(status(), 200);
	close(fd);
}
END_TEST

START_TEST(client_gone_takes_its_question_along)
{
	struct linger hard = { .l_onoff = 1, .l_linger = 0 };
	int fd;

	limits.sl_whole_ms = 100;
	serve(ROLE_WEBHOOK, 0, 3000);
	fd = ask_with(delivery(""));
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	close(fd);
	turn(200);
	ck_assert_int_eq(engine_stores(RES_OK), 0);
	turn(50);
	ck_assert_uint_eq(server_nconns(server), 0);
}
END_TEST

START_TEST(half_closed_client_gets_its_answer)
{
	int fd;

	serve(ROLE_WEBHOOK, 0, 3000);
	fd = ask_with(delivery(""));
	shutdown(fd, SHUT_WR);
	turn(20);
	engine_stores(RES_OK);
	ck_assert_int_eq(hear(fd, 1000), 1);
	ck_assert_int_eq(status(), 200);
	close(fd);
}
END_TEST

START_TEST(second_request_is_never_answered)
{
	const char *second;

	serve(ROLE_PAGE, 1, 3000);
	exchange("GET /no HTTP/1.1\r\n" HOST "\r\n"
	    "GET /no HTTP/1.1\r\n" HOST "\r\n", 404);
	second = strstr(got + 1, "HTTP/1.1 ");
	ck_assert_ptr_null(second);
	exchange("GET /no HTTP/1.1\r\n" HOST "X: \x01\r\n\r\n"
	    "GET /no HTTP/1.1\r\n" HOST "\r\n", 400);
	second = strstr(got + 1, "HTTP/1.1 ");
	ck_assert_ptr_null(second);
}
END_TEST

START_TEST(paths_are_exact)
{
	static const char *const paths[] = {
		"/Status", "/status/", "//status", "/status%00", "/%73tatus",
		"/..%2fstatus", "/status%0d%0a", "/status?x", "/status#x",
		"/%c0%afstatus", "/\\status", "/webhook/gitea", "/./status"
	};
	char text[256];
	size_t i;

	serve(ROLE_PAGE, 1, 3000);
	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		(void)snprintf(text, sizeof(text),
		    "GET %s HTTP/1.1\r\n" HOST "\r\n", paths[i]);
		exchange(text, 404);
	}
	exchange("GET /\xc0\xaf HTTP/1.1\r\n" HOST "\r\n", 400);
}
END_TEST

START_TEST(webhook_role_shows_no_page)
{
	serve(ROLE_WEBHOOK, 1, 3000);
	exchange("GET /status HTTP/1.1\r\n" HOST "\r\n", 404);
	exchange("GET /queue HTTP/1.1\r\n" HOST "\r\n", 404);
	exchange("GET / HTTP/1.1\r\n" HOST "\r\n", 404);
}
END_TEST

START_TEST(other_methods_on_the_hook_are_405)
{
	static const char *const methods[] = {
		"GET", "PUT", "TRACE", "CONNECT", "OPTIONS", "DELETE", "HEAD"
	};
	char text[256];
	size_t i;

	serve(ROLE_WEBHOOK, 0, 3000);
	for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		(void)snprintf(text, sizeof(text),
		    "%s /webhook/gitea HTTP/1.1\r\n" HOST "\r\n", methods[i]);
		exchange(text, 405);
		ck_assert_ptr_nonnull(strstr(got, "Allow: POST\r\n"));
	}
	exchange("POST /health HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n",
	    405);
}
END_TEST

START_TEST(delivery_without_a_length_is_411)
{
	serve(ROLE_WEBHOOK, 0, 3000);
	exchange("POST /webhook/gitea HTTP/1.1\r\n" HOST "\r\n", 411);
	ck_assert_int_eq(engine.asked, 0);
}
END_TEST

START_TEST(too_large_is_413_from_the_head)
{
	serve(ROLE_WEBHOOK, 0, 3000);
	exchange("POST /webhook/gitea HTTP/1.1\r\n" HOST
	    "Content-Length: 999999999\r\n\r\n", 413);
	exchange("POST /webhook/gitea HTTP/1.1\r\n" HOST
	    "Content-Length: 1048577\r\n\r\n", 413);
	exchange("GET /health HTTP/1.1\r\n" HOST
	    "Content-Length: 1\r\n\r\n", 400);
}
END_TEST

/*
 * A sender with more on its way reads why it was refused, and then the end,
 * not a reset.
 */
START_TEST(refusal_is_not_lost_in_a_reset)
{
	static char junk[65536];
	int fd;

	serve(ROLE_WEBHOOK, 0, 3000);
	fd = client();
	say(fd, "POST /webhook/gitea HTTP/1.1\r\n" HOST
	    "Content-Length: 999999999\r\n\r\n");
	(void)send(fd, junk, sizeof(junk), MSG_NOSIGNAL | MSG_DONTWAIT);
	ck_assert_int_eq(hear(fd, 1000), 1);
	ck_assert_int_eq(status(), 413);
	close(fd);
}
END_TEST

START_TEST(bodies_together_are_bounded)
{
	int fd;

	limits.sl_bodies = 1500;
	serve(ROLE_WEBHOOK, 0, 3000);
	fd = client();
	say(fd, "POST /webhook/gitea HTTP/1.1\r\n" HOST
	    "Content-Length: 1000\r\n\r\n");
	turn(20);
	exchange("POST /webhook/gitea HTTP/1.1\r\n" HOST
	    "Content-Length: 1000\r\n\r\n", 503);
	close(fd);
	turn(20);
	fd = client();
	say(fd, "POST /webhook/gitea HTTP/1.1\r\n" HOST
	    "Content-Length: 1000\r\n\r\n");
	ck_assert_int_eq(hear(fd, 50), 0);
	close(fd);
}
END_TEST

START_TEST(expectation_is_answered_before_the_body)
{
	char text[4096], *body;
	int fd;

	serve(ROLE_WEBHOOK, 0, 3000);
	(void)snprintf(text, sizeof(text), "%s",
	    delivery("Expect: 100-continue\r\n"));
	body = strstr(text, "\r\n\r\n") + 4;
	fd = client();
	ck_assert_int_eq(send(fd, text, (size_t)(body - text), 0),
	    body - text);
	ck_assert_int_eq(hear(fd, 50), 0);
	ck_assert_str_eq(got, "HTTP/1.1 100 Continue\r\n\r\n");
	say(fd, body);
	turn(20);
	engine_stores(RES_OK);
	ck_assert_int_eq(hear(fd, 1000), 1);
	ck_assert_int_eq(status(), 200);
	close(fd);
	/* Who does not wait is not told. */
	fd = ask_with(delivery("Expect: 100-continue\r\n"));
	engine_stores(RES_OK);
	ck_assert_int_eq(hear(fd, 1000), 1);
	ck_assert_int_eq(status(), 200);
	close(fd);
	exchange("POST /webhook/gitea HTTP/1.1\r\n" HOST
	    "Content-Length: 2000000\r\nExpect: 100-continue\r\n\r\n", 413);
}
END_TEST

START_TEST(health_needs_no_token)
{
	int fd;

	serve(ROLE_PAGE, 0, 3000);
	fd = ask_with("GET /health HTTP/1.1\r\nHost: example.org\r\n\r\n");
	ck_assert_str_eq(engine.verb, "health");
	engine_answers(RES_OK, "{\"status\":\"ok\"}", 0);
	ck_assert_int_eq(hear(fd, 1000), 1);
	ck_assert_int_eq(status(), 200);
	ck_assert_ptr_nonnull(strstr(got, "\r\n\r\n{\"status\":\"ok\"}"));
	close(fd);
	fd = ask_with("HEAD /health HTTP/1.1\r\nHost: example.org\r\n\r\n");
	engine_answers(RES_OK, "{\"status\":\"ok\"}", 0);
	ck_assert_int_eq(hear(fd, 1000), 1);
	ck_assert_int_eq(status(), 200);
	ck_assert_ptr_nonnull(strstr(got, "Content-Length: 15\r\n"));
	ck_assert_str_eq(strstr(got, "\r\n\r\n"), "\r\n\r\n");
	close(fd);
}
END_TEST

START_TEST(reads_from_afar_need_a_token)
{
	int fd;

	serve(ROLE_PAGE, 0, 3000);
	exchange("GET /status HTTP/1.1\r\n" HOST "\r\n", 401);
	ck_assert_ptr_nonnull(strstr(got, "WWW-Authenticate: Bearer"));
	exchange("GET /status HTTP/1.1\r\n" HOST
	    "Authorization: Bearer\r\n\r\n", 401);
	exchange("GET /status HTTP/1.1\r\n" HOST
	    "Authorization: Digest abc\r\n\r\n", 401);
	ck_assert_int_eq(engine.asked, 0);
	fd = ask_with("GET /status HTTP/1.1\r\n" HOST
	    "Authorization: Bearer s3cret\r\n\r\n");
	ck_assert_str_eq(engine.token, "s3cret");
	ck_assert_int_eq(engine.loopback, 0);
	engine_answers(RES_DENIED, "", 0);
	ck_assert_int_eq(hear(fd, 1000), 1);
	ck_assert_int_eq(status(), 401);
	close(fd);
	/* As a browser sends it: user "x", password "s3cret". */
	fd = ask_with("GET /queue HTTP/1.1\r\n" HOST
	    "Authorization: Basic eDpzM2NyZXQ=\r\n\r\n");
	ck_assert_str_eq(engine.token, "s3cret");
	ck_assert_str_eq(engine.verb, "queue");
	engine_answers(RES_OK, "{\"a\":", 1);
	engine_answers(RES_OK, "1}", 0);
	ck_assert_int_eq(hear(fd, 1000), 1);
	ck_assert_int_eq(status(), 200);
	ck_assert_ptr_nonnull(strstr(got, "\r\n\r\n{\"a\":1}"));
	close(fd);
}
END_TEST

/* A foreign page must not read us through a name that points to loopback. */
START_TEST(loopback_is_free_only_by_its_own_name)
{
	int fd;

	serve(ROLE_PAGE, 1, 3000);
	exchange("GET /status HTTP/1.1\r\nHost: evil.example\r\n\r\n", 401);
	exchange("GET /status HTTP/1.1\r\nHost: localhost.evil\r\n\r\n", 401);
	exchange("GET /status HTTP/1.1\r\n" HOST
	    "X-Forwarded-For: 192.0.2.1\r\n\r\n", 401);
	ck_assert_int_eq(engine.asked, 0);
	fd = ask_with("GET /status HTTP/1.1\r\nHost: 127.0.0.1:8480\r\n\r\n");
	ck_assert_int_eq(engine.loopback, 1);
	close(fd);
	fd = ask_with("GET / HTTP/1.1\r\nHost: [::1]:8480\r\n\r\n");
	ck_assert_str_eq(engine.verb, "status");
	close(fd);
}
END_TEST

START_TEST(browser_gets_a_page_and_a_program_gets_json)
{
	int fd;

	serve(ROLE_PAGE, 1, 3000);
	fd = ask_with("GET /status HTTP/1.1\r\n" HOST "Accept: text/html,"
	    "application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n\r\n");
	engine_answers(RES_OK, "{\"tasks\":[]}", 0);
	ck_assert_int_eq(hear(fd, 1000), 1);
	ck_assert_ptr_nonnull(strstr(got, "Content-Type: text/html"));
	ck_assert_ptr_nonnull(strstr(got, "Content-Security-Policy: "
	    "default-src 'none'; style-src 'sha256-"));
	close(fd);
	fd = ask_with("GET /status HTTP/1.1\r\n" HOST "Accept: */*\r\n\r\n");
	engine_answers(RES_OK, "{\"tasks\":[]}", 0);
	ck_assert_int_eq(hear(fd, 1000), 1);
	ck_assert_ptr_nonnull(strstr(got, "Content-Type: application/json"));
	close(fd);
}
END_TEST

static TCase *
case_requests(void)
{
	TCase *tc = tcase_create("requests");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, delivery_is_answered_only_when_stored);
	tcase_add_test(tc, duplicate_and_ignored_are_200_unstored_is_503);
	tcase_add_test(tc, bad_signatures_all_get_the_same_answer);
	tcase_add_test(tc, engine_away_is_held_then_503);
	tcase_add_test(tc, held_request_reaches_the_next_engine);
	tcase_add_test(tc, lost_answer_is_asked_again);
	tcase_add_test(tc, client_gone_takes_its_question_along);
	tcase_add_test(tc, half_closed_client_gets_its_answer);
	tcase_add_test(tc, second_request_is_never_answered);
	tcase_add_test(tc, paths_are_exact);
	tcase_add_test(tc, webhook_role_shows_no_page);
	tcase_add_test(tc, other_methods_on_the_hook_are_405);
	tcase_add_test(tc, delivery_without_a_length_is_411);
	tcase_add_test(tc, too_large_is_413_from_the_head);
	tcase_add_test(tc, refusal_is_not_lost_in_a_reset);
	tcase_add_test(tc, bodies_together_are_bounded);
	tcase_add_test(tc, expectation_is_answered_before_the_body);
	tcase_add_test(tc, health_needs_no_token);
	tcase_add_test(tc, reads_from_afar_need_a_token);
	tcase_add_test(tc, loopback_is_free_only_by_its_own_name);
	tcase_add_test(tc, browser_gets_a_page_and_a_program_gets_json);
	return (tc);
}

int
main(void)
{
	Suite *s = suite_create("webhookd_server");
	SRunner *sr;
	int failed;

	suite_add_tcase(s, case_requests());
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed != 0);
}
