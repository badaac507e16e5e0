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

/* HTTP as a client, against a server that answers as the path says. */

#include <sys/socket.h>
#include <sys/wait.h>

#include <netinet/in.h>

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <curl/curl.h>
#include <event2/event.h>

#include "libcommon/http.h"

static char base[64];		/* of the server */
static pid_t server;

/* Read a head and its body; the head stays in buf. */
static void
read_request(int s, char *buf, size_t len)
{
	size_t n = 0, want = 0;
	char *end, *cl;
	ssize_t r;

	while (n < len - 1 && (r = read(s, buf + n, len - 1 - n)) > 0) {
		n += (size_t)r;
		buf[n] = '\0';
		if ((end = strstr(buf, "\r\n\r\n")) == NULL)
			continue;
		if ((cl = strcasestr(buf, "Content-Length:")) != NULL)
			want = strtoul(cl + 15, NULL, 10);
		if (n >= (size_t)(end + 4 - buf) + want)
			break;
	}
}

static void
say(int s, const char *text)
{
	ck_assert_int_eq(write(s, text, strlen(text)), (int)strlen(text));
}

/* The request itself comes back as the body. */
static void
echo(int s, const char *request)
{
	char head[200];

	snprintf(head, sizeof(head), "HTTP/1.1 201 Created\r\n"
	    "retry-after: 17\r\nX-RateLimit-Remaining: 3\r\n"
	    "X-Total-Count:41\r\nDate: Sun, 22 Nov 2026 10:00:00 GMT\r\n"
	    "Content-Length: %zu\r\n\r\n", strlen(request));
	say(s, head);
	say(s, request);
}

/* A server that wants to be left alone, and what is made of it. */
static const struct wait {
	const char	*head;
	int64_t		 seconds;
} waits[] = {
	{ "Retry-After: 17", 17 },
	{ "retry-after:\t120 ", 120 },
	{ "Retry-After: 0", 1 },
	{ "Retry-After: 901", 900 },
	{ "Retry-After: 1000000000", 900 },
	{ "Retry-After: 99999999999999999999999999", 900 },
	{ "Retry-After: -1", -1 },
	{ "Retry-After: 1.5", -1 },
	{ "Retry-After: soon", -1 },
	{ "Retry-After:", -1 },
	{ "X-Nothing: 1", -1 },
	/* By the server's clock, in the three forms of RFC 9110. */
	{ "Date: Sun, 22 Nov 2026 10:00:00 GMT\r\n"
	    "Retry-After: Sun, 22 Nov 2026 10:01:40 GMT", 100 },
	{ "Retry-After: Sunday, 22-Nov-26 10:01:40 GMT\r\n"
	    "Date: Sun, 22 Nov 2026 10:00:00 GMT", 100 },
	{ "Retry-After: Sun Nov 22 10:01:40 2026\r\n"
	    "Date: Sun, 22 Nov 2026 10:00:00 GMT", 100 },
	{ "Date: Sun, 22 Nov 2026 10:00:00 GMT\r\n"
	    "Retry-After: Sun, 22 Nov 2026 09:00:00 GMT", 1 },
	{ "Date: Sun, 22 Nov 2026 10:00:00 GMT\r\n"
	    "Retry-After: Mon, 23 Nov 2026 10:00:00 GMT", 900 },
	/* And by ours. */
	{ "Retry-After: Sun, 22 Nov 1998 10:00:00 GMT", 1 },
	{ "Retry-After: Sat, 22 Nov 2098 10:00:00 GMT", 900 },
};

static void
come_back(int s, const struct wait *w)
{
	char head[300];

	snprintf(head, sizeof(head), "HTTP/1.1 503 Service Unavailable\r\n"
	    "%s\r\nContent-Length: 0\r\n\r\n", w->head);
	say(s, head);
}

static void
serve_one(int s)
{
	char buf[16384] = "", *big, *p;

	read_request(s, buf, sizeof(buf));
	if (strstr(buf, " /echo") != NULL)
		echo(s, buf);
	else if (strstr(buf, " /moved") != NULL)
		say(s, "HTTP/1.1 302 Found\r\nLocation: /echo\r\n"
		    "Content-Length: 0\r\n\r\n");
	else if (strstr(buf, " /cut") != NULL)
		say(s, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
	else if (strstr(buf, " /big") != NULL) {
		say(s, "HTTP/1.1 200 OK\r\nContent-Length: 70000\r\n\r\n");
		big = calloc(1, 70001);
		memset(big, 'x', 70000);
		say(s, big);
		free(big);
	} else if (strstr(buf, " /slow") != NULL)
		(void)sleep(30);
	else if ((p = strstr(buf, " /after")) != NULL)
		come_back(s, &waits[(size_t)(p[7] - 'a')]);
	/* "/lost": it acts, and no answer comes. */
}

static void
serve(int l)
{
	struct sigaction sa = { .sa_handler = SIG_IGN };
	int s;

	sigaction(SIGPIPE, &sa, NULL);
	sigaction(SIGCHLD, &sa, NULL);
	for (;;) {
		if ((s = accept(l, NULL, NULL)) == -1)
			continue;
		if (fork() == 0) {
			alarm(40);
			serve_one(s);
			_exit(0);
		}
		close(s);
	}
}

static void
setup(void)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(sin);
	int l = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(curl_global_init(CURL_GLOBAL_DEFAULT), 0);
	ck_assert_int_eq(bind(l, (struct sockaddr *)&sin, sizeof(sin)), 0);
	ck_assert_int_eq(listen(l, 64), 0);
	ck_assert_int_eq(getsockname(l, (struct sockaddr *)&sin, &len), 0);
	snprintf(base, sizeof(base), "http://127.0.0.1:%u",
	    ntohs(sin.sin_port));
	if ((server = fork()) == 0) {
		alarm(60);
		serve(l);
	}
	close(l);
}

static void
teardown(void)
{
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
}

static int
ask(const char *path, struct http_request *hr, struct http_reply *hp)
{
	static char url[200];

	snprintf(url, sizeof(url), "%s%s", base, path);
	hr->hr_url = url;
	if (hr->hr_method == NULL)
		hr->hr_method = "GET";
	return (http_do(hr, hp));
}

START_TEST(request_and_answer_are_whole)
{
	static const char *const headers[] = { "Authorization: token abc",
	    "Content-Type: application/json", NULL };
	struct http_request hr = { .hr_method = "PATCH",
	    .hr_headers = headers, .hr_body = "{\"a\":1}", .hr_len = 7 };
	struct http_reply hp;

	ck_assert_int_eq(ask("/echo?x=1", &hr, &hp), 0);
	ck_assert_int_eq(hp.hp_end, HTTP_ANSWERED);
	ck_assert_int_eq(hp.hp_status, 201);
	ck_assert_uint_eq(hp.hp_len, strlen(hp.hp_body));
	ck_assert_int_eq(strncmp(hp.hp_body, "PATCH /echo?x=1 HTTP/1.1\r\n",
	    26), 0);
	ck_assert_ptr_nonnull(strstr(hp.hp_body,
	    "\r\nAuthorization: token abc\r\n"));
	ck_assert_ptr_nonnull(strstr(hp.hp_body, "\r\n\r\n{\"a\":1}"));
	ck_assert_ptr_null(strstr(hp.hp_body, "Expect:"));
	ck_assert_int_eq(hp.hp_retry_after, 17);
	ck_assert_int_eq(hp.hp_remaining, 3);
	ck_assert_int_eq(hp.hp_total, 41);
	ck_assert_str_eq(hp.hp_date, "Sun, 22 Nov 2026 10:00:00 GMT");
	http_reply_free(&hp);
}
END_TEST

START_TEST(post_without_a_body_says_so)
{
	struct http_request hr = { .hr_method = "POST" };
	struct http_reply hp;

	ck_assert_int_eq(ask("/echo", &hr, &hp), 0);
	ck_assert_ptr_nonnull(strstr(hp.hp_body, "POST /echo "));
	ck_assert_ptr_nonnull(strstr(hp.hp_body, "Content-Length: 0\r\n"));
	http_reply_free(&hp);
}
END_TEST

START_TEST(redirect_is_an_answer)
{
	struct http_request hr = { .hr_method = "GET" };
	struct http_reply hp;

	ck_assert_int_eq(ask("/moved", &hr, &hp), 0);
	ck_assert_int_eq(hp.hp_status, 302);
	ck_assert_ptr_null(hp.hp_body);
}
END_TEST

START_TEST(what_never_left_differs_from_a_lost_answer)
{
	struct http_request hr = { .hr_method = "GET",
	    .hr_url = "http://127.0.0.1:1/" };
	struct http_reply hp;

	ck_assert_int_eq(http_do(&hr, &hp), -1);
	ck_assert_int_eq(hp.hp_end, HTTP_NOT_SENT);
	ck_assert_str_ne(hp.hp_err, "");
	hr.hr_url = "file:///etc/passwd";
	ck_assert_int_eq(http_do(&hr, &hp), -1);
	ck_assert_int_eq(hp.hp_end, HTTP_NOT_SENT);
	ck_assert_ptr_null(hp.hp_body);
	ck_assert_int_eq(ask("/lost", &hr, &hp), -1);
	ck_assert_int_eq(hp.hp_end, HTTP_LOST);
	ck_assert_int_eq(ask("/cut", &hr, &hp), -1);
	ck_assert_int_eq(hp.hp_end, HTTP_LOST);
	ck_assert_int_eq(hp.hp_status, 200);
	http_reply_free(&hp);
}
END_TEST

START_TEST(size_and_time_are_bounded)
{
	struct http_request hr = { .hr_method = "GET", .hr_max = 65536,
	    .hr_timeout_ms = 300 };
	struct http_reply hp;
	struct timespec a, b;

	ck_assert_int_eq(ask("/big", &hr, &hp), -1);
	ck_assert_int_eq(hp.hp_end, HTTP_LOST);
	ck_assert_ptr_nonnull(strstr(hp.hp_err, "larger than 65536"));
	http_reply_free(&hp);
	hr.hr_max = 70000;
	ck_assert_int_eq(ask("/big", &hr, &hp), 0);
	ck_assert_uint_eq(hp.hp_len, 70000);
	http_reply_free(&hp);
	clock_gettime(CLOCK_MONOTONIC, &a);
	ck_assert_int_eq(ask("/slow", &hr, &hp), -1);
	clock_gettime(CLOCK_MONOTONIC, &b);
	ck_assert_int_eq(hp.hp_end, HTTP_LOST);
	ck_assert_int_lt(b.tv_sec - a.tv_sec, 10);
}
END_TEST

START_TEST(a_time_to_come_back_is_seconds_or_a_date_and_bounded)
{
	struct http_request hr = { .hr_method = "GET" };
	struct http_reply hp;
	char path[16];
	size_t i;

	for (i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		snprintf(path, sizeof(path), "/after%c", (char)('a' + i));
		ck_assert_int_eq(ask(path, &hr, &hp), 0);
		ck_assert_msg(hp.hp_retry_after == waits[i].seconds,
		    "%s: %lld", waits[i].head, (long long)hp.hp_retry_after);
		http_reply_free(&hp);
	}
}
END_TEST

START_TEST(who_is_to_be_left_alone_says_so)
{
	static const struct {
		long	status;
		int64_t	head, body, wait_s;
	} all[] = {
		{ 429, 7, -1, 7 }, { 429, -1, -1, 1 }, { 429, -1, 9, 9 },
		{ 429, 7, 9, 7 }, { 429, -1, 1LL << 40, 900 },
		{ 503, 7, -1, 7 }, { 503, -1, -1, 0 }, { 503, -1, 9, 9 },
		{ 403, 7, -1, 7 }, { 403, -1, -1, 0 },
		{ 500, 7, -1, 0 }, { 200, 7, 9, 0 }, { 503, -1, 0, 1 },
	};
	struct http_reply hp;
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		memset(&hp, 0, sizeof(hp));
		hp.hp_end = HTTP_ANSWERED;
		hp.hp_status = all[i].status;
		hp.hp_retry_after = all[i].head;
		ck_assert_msg(http_wait_s(&hp, all[i].body) == all[i].wait_s,
		    "case %zu", i);
		hp.hp_end = HTTP_LOST;
		ck_assert_int_eq(http_wait_s(&hp, all[i].body), 0);
	}
}
END_TEST

START_TEST(header_with_a_line_end_is_refused)
{
	static const char *const bad[] = { "A: b\r\nC: d", NULL };
	struct http_request hr = { .hr_method = "GET", .hr_headers = bad };
	struct http_reply hp;

	ck_assert_int_eq(ask("/echo", &hr, &hp), -1);
	ck_assert_int_eq(hp.hp_end, HTTP_NOT_SENT);
}
END_TEST

START_TEST(the_environments_proxy_is_not_used)
{
	struct http_request hr = { .hr_method = "GET" };
	struct http_reply hp;

	ck_assert_int_eq(setenv("http_proxy", "http://127.0.0.1:1", 1), 0);
	ck_assert_int_eq(ask("/echo", &hr, &hp), 0);
	http_reply_free(&hp);
}
END_TEST

START_TEST(escape_leaves_only_unreserved)
{
	char buf[32];

	ck_assert_int_eq(http_escape("a/b c\xc3\xa9~", buf, sizeof(buf)), 0);
	ck_assert_str_eq(buf, "a%2Fb%20c%C3%A9~");
	ck_assert_int_eq(http_escape("abcdef", buf, 6), -1);
}
END_TEST

static unsigned int answered, unanswered;

static void
count_cb(const struct http_reply *hp, void *arg)
{
	if (hp->hp_end != HTTP_ANSWERED) {
		unanswered++;
		return;
	}
	answered++;
	ck_assert_int_eq(hp->hp_status, 201);
	ck_assert_ptr_nonnull(strstr(hp->hp_body, arg));
}

START_TEST(many_requests_share_the_loop)
{
	struct event_base *eb = event_base_new();
	struct http_loop *hl = http_loop_new(eb);
	struct http_request hr = { .hr_method = "GET" };
	char url[40][100], path[40][32];
	int i;

	ck_assert_ptr_nonnull(hl);
	for (i = 0; i < 40; i++) {
		snprintf(path[i], sizeof(path[i]), "GET /echo%d ", i);
		snprintf(url[i], sizeof(url[i]), "%s/echo%d", base, i);
		hr.hr_url = url[i];
		ck_assert_int_eq(http_loop_send(hl, &hr, count_cb, path[i]),
		    0);
	}
	hr.hr_url = "http://127.0.0.1:1/";
	ck_assert_int_eq(http_loop_send(hl, &hr, count_cb, NULL), 0);
	ck_assert_uint_eq(http_loop_busy(hl), 41);
	while (http_loop_busy(hl) > 0)
		(void)event_base_loop(eb, EVLOOP_ONCE);
	ck_assert_uint_eq(answered, 40);
	ck_assert_uint_eq(unanswered, 1);
	http_loop_free(hl);
	event_base_free(eb);
}
END_TEST

START_TEST(a_loop_ends_with_requests_under_way)
{
	struct event_base *eb = event_base_new();
	struct http_loop *hl = http_loop_new(eb);
	struct http_request hr = { .hr_method = "GET" };
	char url[100];

	snprintf(url, sizeof(url), "%s/slow", base);
	hr.hr_url = url;
	ck_assert_int_eq(http_loop_send(hl, &hr, count_cb, NULL), 0);
	(void)event_base_loop(eb, EVLOOP_NONBLOCK);
	http_loop_free(hl);
	event_base_free(eb);
	ck_assert_uint_eq(answered + unanswered, 0);
}
END_TEST

int
main(void)
{
	Suite *su = suite_create("http");
	TCase *tc = tcase_create("http");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 30);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, request_and_answer_are_whole);
	tcase_add_test(tc, post_without_a_body_says_so);
	tcase_add_test(tc, redirect_is_an_answer);
	tcase_add_test(tc, what_never_left_differs_from_a_lost_answer);
	tcase_add_test(tc, size_and_time_are_bounded);
	tcase_add_test(tc,
	    a_time_to_come_back_is_seconds_or_a_date_and_bounded);
	tcase_add_test(tc, who_is_to_be_left_alone_says_so);
	tcase_add_test(tc, header_with_a_line_end_is_refused);
	tcase_add_test(tc, the_environments_proxy_is_not_used);
	tcase_add_test(tc, escape_leaves_only_unreserved);
	tcase_add_test(tc, many_requests_share_the_loop);
	tcase_add_test(tc, a_loop_ends_with_requests_under_way);
	suite_add_tcase(su, tc);
	sr = srunner_create(su);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed == 0 ? 0 : 1);
}
