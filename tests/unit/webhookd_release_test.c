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

/* POST /transition-lease/release: who may, what is asked, what is said. */

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "webhookd_serve.h"

#define TOKEN	"correct-horse-battery"
#define PATH	"/transition-lease/release"
#define RIGHT	"Authorization: Bearer " TOKEN "\r\n"

/* A release with these query and headers. */
static const char *
order(const char *query, const char *headers)
{
	static char text[2048];

	(void)snprintf(text, sizeof(text), "POST " PATH "%s HTTP/1.1\r\n"
	    HOST "%s\r\n", query, headers);
	return (text);
}

/* The engine is asked, answers so, and the client is told so. */
static void
asked(const char *text, uint8_t result, const char *said, int want)
{
	int fd = ask_with(text);

	ck_assert_int_eq(engine_says(result, said), 1);
	ck_assert_int_eq(hear(fd, 1000), 1);
	ck_assert_msg(status() == want, "%d, not %d: %s", status(), want,
	    text);
	close(fd);
}

START_TEST(the_order_reaches_the_engine_with_its_token)
{
	serve(ROLE_PAGE, 1, 3000);
	asked(order("?work_item=S-1", RIGHT), RES_OK, "S-1: \"done\"", 200);
	ck_assert_uint_eq(engine.type, ORCH_action);
	ck_assert_str_eq(engine.verb, "lease");
	ck_assert_str_eq(engine.args, " release");
	ck_assert_str_eq(engine.item, "S-1");
	ck_assert_str_eq(engine.token, TOKEN);
	ck_assert_str_eq(engine.from, "127.0.0.1");
	ck_assert_ptr_nonnull(strstr(got,
	    "\r\n\r\n{\"status\":\"S-1: \\\"done\\\"\"}"));
	ck_assert_ptr_nonnull(strstr(got, "Content-Type: application/json"));
	ck_assert_ptr_null(strstr(got, TOKEN));
	asked(order("?work_item=S-1&force=0", RIGHT), RES_OK, "", 200);
	ck_assert_str_eq(engine.args, " release");
	asked(order("?force=1&work_item=S-1", RIGHT), RES_OK, "", 200);
	ck_assert_str_eq(engine.args, " release force");
	asked(order("?work_item=S-1", RIGHT "Content-Length: 0\r\n"), RES_OK,
	    "", 200);
}
END_TEST

START_TEST(each_answer_has_its_status_and_its_sentence)
{
	static const struct { uint8_t result; int status; } rows[] = {
		{ RES_OK, 200 }, { RES_DENIED, 401 }, { RES_NOTFOUND, 404 },
		{ RES_REFUSED, 409 }, { RES_RETRY, 503 }, { RES_STALE, 500 },
		{ RES_FENCED, 500 }, { RES_DUPLICATE, 500 }, { 200, 500 },
	};
	size_t i;

	serve(ROLE_PAGE, 1, 3000);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		asked(order("?work_item=S-1", RIGHT), rows[i].result,
		    "run 7 owns it", rows[i].status);
		ck_assert_int_eq(strstr(got, "run 7 owns it") != NULL,
		    rows[i].status == 200 || rows[i].status == 404 ||
		    rows[i].status == 409);
		ck_assert_int_eq(strstr(got, "WWW-Authenticate: Bearer") !=
		    NULL, rows[i].status == 401);
		ck_assert_int_eq(strstr(got, "Retry-After:") != NULL,
		    rows[i].status == 503);
		ck_assert_ptr_null(strstr(got, "Basic"));
	}
}
END_TEST

/* A browser sends Basic by itself: it is as good as nothing here. */
START_TEST(only_a_bearer_is_a_token)
{
	static const char *const headers[] = {
		"", "Authorization: Basic dTpjb3JyZWN0\r\n",
		"Authorization: Bearer\r\n", "Authorization: " TOKEN "\r\n",
		"Cookie: token=" TOKEN "\r\n",
	};
	size_t i;

	serve(ROLE_PAGE, 1, 3000);
	for (i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		(void)snprintf(engine.token, sizeof(engine.token), "x");
		asked(order("?work_item=S-1", headers[i]), RES_DENIED, "",
		    401);
		ck_assert_str_eq(engine.token, "");
	}
}
END_TEST

START_TEST(loopback_needs_the_token_too)
{
	serve(ROLE_PAGE, 1, 3000);
	asked(order("?work_item=S-1", ""), RES_DENIED, "", 401);
	ck_assert_str_eq(engine.token, "");
}
END_TEST

START_TEST(malformed_orders_are_400)
{
	static const char *const queries[] = {
		"", "?", "?work_item", "?work_item=", "?work_item=S-1&",
		"?&work_item=S-1", "?work_item=S-1&&force=1",
		"?work_item=S-1&work_item=S-2", "?work_item=S-1;force=1",
		"?work_item=S-1&force", "?work_item=S-1&force=",
		"?work_item=S-1&force=yes", "?work_item=S-1&force=1&force=1",
		"?work_item=S-1&force=0&force=1", "?force=1",
		"?work_item=S-1&token=" TOKEN, "?Work_Item=S-1",
		"?work_item=S%2d1", "?work_item=../etc/passwd",
		"?work_item=-S", "?work_item=S-1?", "?work_item=S-1#x",
		"?work_item=S+1", "?work_item=S-1&force=11",
		"?work_item=a2345678901234567890123456789012345678901234567"
		"890123456789012345",
	};
	size_t i;

	serve(ROLE_PAGE, 1, 3000);
	for (i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
		exchange(order(queries[i], RIGHT), 400);
		ck_assert_ptr_nonnull(strstr(got, "{\"error\":\""));
	}
	exchange("POST " PATH "?work_item=S-1 HTTP/1.1\r\n" HOST RIGHT
	    "Content-Length: 1\r\n\r\nx", 400);
	ck_assert_int_eq(engine.asked, 0);
}
END_TEST

START_TEST(other_methods_are_405)
{
	static const char *const methods[] = {
		"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH",
	};
	char text[256];
	size_t i;

	serve(ROLE_PAGE, 1, 3000);
	for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		(void)snprintf(text, sizeof(text), "%s " PATH
		    "?work_item=S-1 HTTP/1.1\r\n" HOST RIGHT "\r\n",
		    methods[i]);
		exchange(text, 405);
		ck_assert_ptr_nonnull(strstr(got, "Allow: POST\r\n"));
	}
	ck_assert_int_eq(engine.asked, 0);
}
END_TEST

START_TEST(paths_beside_it_are_not_there)
{
	serve(ROLE_PAGE, 1, 3000);
	exchange("POST " PATH "/?work_item=S-1 HTTP/1.1\r\n" HOST RIGHT
	    "\r\n", 404);
	exchange("POST /x" PATH "?work_item=S-1 HTTP/1.1\r\n" HOST RIGHT
	    "\r\n", 404);
	exchange("GET /status?work_item=S-1 HTTP/1.1\r\n" HOST "\r\n", 404);
	ck_assert_int_eq(engine.asked, 0);
}
END_TEST

START_TEST(the_receiver_has_no_such_path)
{
	serve(ROLE_WEBHOOK, 1, 3000);
	exchange(order("?work_item=S-1", RIGHT), 404);
	ck_assert_int_eq(engine.asked, 0);
}
END_TEST

START_TEST(a_page_of_another_site_orders_nothing)
{
	static const char *const foreign[] = {
		"Origin: https://evil.example\r\n", "Origin: null\r\n",
		"Origin:\r\n", "Origin: localhost\r\n",
		"Origin: http://localhost:81\r\n",
		"Origin: http://localhost.evil.example\r\n",
		"Origin: http://\r\n", "Origin: file://localhost\r\n",
		"Sec-Fetch-Site: cross-site\r\n",
		"Sec-Fetch-Site: same-site\r\n",
		"Origin: http://localhost\r\nSec-Fetch-Site: cross-site\r\n",
	};
	char headers[256];
	size_t i;

	serve(ROLE_PAGE, 1, 3000);
	for (i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
		(void)snprintf(headers, sizeof(headers), RIGHT "%s",
		    foreign[i]);
		exchange(order("?work_item=S-1", headers), 403);
	}
	ck_assert_int_eq(engine.asked, 0);
	asked(order("?work_item=S-1", RIGHT "Origin: http://localhost\r\n"
	    "Sec-Fetch-Site: same-origin\r\n"), RES_OK, "", 200);
	asked(order("?work_item=S-1", RIGHT "Origin: HTTPS://LOCALHOST\r\n"
	    "Sec-Fetch-Site: none\r\n"), RES_OK, "", 200);
}
END_TEST

START_TEST(wrong_tokens_make_a_pause_for_right_ones_too)
{
	int i, before;

	serve(ROLE_PAGE, 1, 3000);
	for (i = 0; i < THROTTLE_FREE; i++)
		asked(order("?work_item=S-1", "Authorization: Bearer no\r\n"),
		    RES_DENIED, "", 401);
	before = engine.asked;
	exchange(order("?work_item=S-1", RIGHT), 429);
	ck_assert_ptr_nonnull(strstr(got, "Retry-After: 1\r\n"));
	exchange(order("?work_item=S-1", ""), 429);
	ck_assert_int_eq(engine.asked, before);
	/* Who reads is not held up. */
	(void)close(ask_with("GET /status HTTP/1.1\r\n" HOST "\r\n"));
	turn(1100);
	asked(order("?work_item=S-1", RIGHT), RES_OK, "", 200);
	asked(order("?work_item=S-1", ""), RES_DENIED, "", 401);
	asked(order("?work_item=S-1", RIGHT), RES_OK, "", 200);
}
END_TEST

/* Guesses at the same time, whose answers nobody waits for, count as well. */
START_TEST(tries_at_the_same_time_are_no_way_around)
{
	int i;

	serve(ROLE_PAGE, 1, 3000);
	for (i = 0; i < THROTTLE_FREE; i++)
		(void)close(ask_with(order("?work_item=S-1",
		    "Authorization: Bearer no\r\n")));
	exchange(order("?work_item=S-1", RIGHT), 429);
}
END_TEST

START_TEST(an_engine_that_is_away_makes_no_pause)
{
	int i;

	serve(ROLE_PAGE, 1, 20);
	engine.away = 1;
	for (i = 0; i < 2 * THROTTLE_FREE; i++) {
		exchange(order("?work_item=S-1", RIGHT), 503);
		ck_assert_ptr_nonnull(strstr(got, "was not asked"));
	}
}
END_TEST

/* Another lease may be there when the next engine is: it is asked once. */
START_TEST(an_order_is_never_repeated)
{
	int fd, before;

	serve(ROLE_PAGE, 1, 3000);
	fd = ask_with(order("?work_item=S-1&force=1", RIGHT));
	before = engine.asked;
	asks_engine_up(site.st_asks);
	ck_assert_int_eq(engine.asked, before);
	ck_assert_int_eq(hear(fd, 1000), 1);
	ck_assert_int_eq(status(), 503);
	ck_assert_ptr_nonnull(strstr(got, "is not known"));
	close(fd);
}
END_TEST

START_TEST(an_order_without_an_answer_is_not_known)
{
	int fd;

	serve(ROLE_PAGE, 1, 100);
	fd = ask_with(order("?work_item=S-1", RIGHT));
	ck_assert_int_eq(hear(fd, 2000), 1);
	ck_assert_int_eq(status(), 503);
	ck_assert_ptr_nonnull(strstr(got, "is not known"));
	close(fd);
}
END_TEST

START_TEST(an_order_that_was_not_asked_waits_for_the_next_engine)
{
	int fd;

	serve(ROLE_PAGE, 1, 3000);
	engine.away = 1;
	fd = client();
	say(fd, order("?work_item=S-1", RIGHT));
	turn(20);
	engine.away = 0;
	asks_engine_up(site.st_asks);
	ck_assert_int_eq(engine.asked, 1);
	ck_assert_int_eq(engine_says(RES_OK, ""), 1);
	ck_assert_int_eq(hear(fd, 1000), 1);
	ck_assert_int_eq(status(), 200);
	close(fd);
}
END_TEST

START_TEST(no_token_is_logged)
{
	char text[65536];
	int fd = open("/tmp", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	ssize_t n;

	ck_assert_int_ne(fd, -1);
	ck_assert_int_ne(dup2(fd, STDERR_FILENO), -1);
	serve(ROLE_PAGE, 1, 3000);
	asked(order("?work_item=S-1", RIGHT), RES_DENIED, "", 401);
	asked(order("?work_item=S-1", RIGHT), RES_REFUSED, "", 409);
	exchange(order("?work_item=S-1&token=" TOKEN, RIGHT), 400);
	exchange(order("/" TOKEN "?token=" TOKEN, "Origin: " TOKEN "\r\n"),
	    404);
	exchange(order("?" TOKEN, "Origin: " TOKEN "\r\n"), 403);
	exchange("GET /status?token=" TOKEN " HTTP/1.1\r\n" HOST "\r\n",
	    404);
	n = pread(fd, text, sizeof(text) - 1, 0);
	ck_assert_int_gt(n, 0);
	text[n] = '\0';
	ck_assert_ptr_nonnull(strstr(text, "POST " PATH ": 401"));
	ck_assert_ptr_nonnull(strstr(text, "GET /status: 404"));
	/* A path that is the token is not ours to know. */
	ck_assert_ptr_null(strstr(text, "?"));
	ck_assert_ptr_null(strstr(text, "token=" TOKEN));
	ck_assert_ptr_null(strstr(text, "Bearer"));
	close(fd);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("webhookd_release");
	TCase *tc = tcase_create("release");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, the_order_reaches_the_engine_with_its_token);
	tcase_add_test(tc, each_answer_has_its_status_and_its_sentence);
	tcase_add_test(tc, only_a_bearer_is_a_token);
	tcase_add_test(tc, loopback_needs_the_token_too);
	tcase_add_test(tc, malformed_orders_are_400);
	tcase_add_test(tc, other_methods_are_405);
	tcase_add_test(tc, paths_beside_it_are_not_there);
	tcase_add_test(tc, the_receiver_has_no_such_path);
	tcase_add_test(tc, a_page_of_another_site_orders_nothing);
	tcase_add_test(tc, wrong_tokens_make_a_pause_for_right_ones_too);
	tcase_add_test(tc, tries_at_the_same_time_are_no_way_around);
	tcase_add_test(tc, an_engine_that_is_away_makes_no_pause);
	tcase_add_test(tc, an_order_is_never_repeated);
	tcase_add_test(tc, an_order_without_an_answer_is_not_known);
	tcase_add_test(tc,
	    an_order_that_was_not_asked_waits_for_the_next_engine);
	tcase_add_test(tc, no_token_is_logged);
	suite_add_tcase(s, tc);
	return (s);
}

int
main(void)
{
	SRunner *sr = srunner_create(suite());
	int failed;

	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed != 0);
}
