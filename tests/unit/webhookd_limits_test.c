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

#include <sys/resource.h>
#include <sys/socket.h>

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "webhookd_serve.h"

/* One byte each 20 ms: progress does not move the end. */
static long
drip(int fd, long ms)
{
	long t0 = now_ms();
	ssize_t n = 0;

	while (now_ms() - t0 < ms) {
		(void)send(fd, "a", 1, MSG_NOSIGNAL);
		turn(20);
		n = recv(fd, got, 12, MSG_DONTWAIT);
		if (n >= 0 || errno != EAGAIN)
			break;
	}
	got[n > 0 ? n : 0] = '\0';
	return (now_ms() - t0);
}

START_TEST(limits_are_those_of_the_manual)
{
	ck_assert_uint_eq(limits.sl_conns, 1024);
	ck_assert_uint_eq(limits.sl_conns_addr, 32);
	ck_assert_uint_eq(limits.sl_body, 1024 * 1024);
	ck_assert_uint_eq(limits.sl_head_ms, 10 * 1000);
	ck_assert_uint_eq(limits.sl_whole_ms, 20 * 1000);
	ck_assert_uint_eq(limits.sl_slow_ms, 5 * 1000);
	ck_assert_uint_eq(limits.sl_rate, 1024);
	ck_assert_uint_eq(limits.sl_send_ms, 5 * 1000);
}
END_TEST

START_TEST(slow_head_ends_at_its_time)
{
	long ms;
	int fd;

	limits.sl_head_ms = 200;
	serve(ROLE_WEBHOOK, 0, 3000);
	fd = client();
	say(fd, "GET /health HTTP/1.1\r\nX: ");
	ms = drip(fd, 2000);
	ck_assert_str_eq(got, "HTTP/1.1 408");
	ck_assert_msg(ms >= 180 && ms < 1000, "%ld ms", ms);
	close(fd);
}
END_TEST

START_TEST(silent_connection_ends_without_a_word)
{
	int fd;

	limits.sl_head_ms = 100;
	serve(ROLE_WEBHOOK, 0, 3000);
	fd = client();
	ck_assert_int_eq(hear(fd, 1000), 1);
	ck_assert_uint_eq(got_len, 0);
	close(fd);
}
END_TEST

START_TEST(slow_body_ends_by_its_rate)
{
	long ms;
	int fd;

	limits.sl_slow_ms = 200;
	serve(ROLE_WEBHOOK, 0, 3000);
	fd = client();
	say(fd, "POST /webhook/gitea HTTP/1.1\r\n" HOST
	    "Content-Length: 5000\r\n\r\n");
	ms = drip(fd, 2000);
	ck_assert_str_eq(got, "HTTP/1.1 408");
	ck_assert_msg(ms >= 180 && ms < 1000, "%ld ms", ms);
	close(fd);
}
END_TEST

START_TEST(whole_request_ends_at_its_time)
{
	long ms;
	int fd;

	limits.sl_whole_ms = 300;
	limits.sl_rate = 1;
	serve(ROLE_WEBHOOK, 0, 3000);
	fd = client();
	say(fd, "POST /webhook/gitea HTTP/1.1\r\n" HOST
	    "Content-Length: 5000\r\n\r\n");
	ms = drip(fd, 2000);
	ck_assert_str_eq(got, "HTTP/1.1 408");
	ck_assert_msg(ms >= 280 && ms < 1000, "%ld ms", ms);
	close(fd);
}
END_TEST

START_TEST(silent_engine_ends_at_its_time)
{
	int fd;

	limits.sl_whole_ms = 200;
	serve(ROLE_WEBHOOK, 0, 60000);
	fd = ask_with(delivery(""));
	ck_assert_int_eq(hear(fd, 2000), 1);
	ck_assert_int_eq(status(), 503);
	ck_assert_int_eq(engine_stores(RES_OK), 0);
	close(fd);
}
END_TEST

/* A client that does not read holds its place only for the send time. */
START_TEST(slow_reader_is_dropped)
{
	char *json;
	int fd, small = 2048, i;

	limits.sl_send_ms = 200;
	serve(ROLE_PAGE, 1, 3000);
	json = malloc(ANSWER);
	ck_assert_ptr_nonnull(json);
	memset(json, ' ', ANSWER - 1);
	json[ANSWER - 1] = '\0';
	fd = client();
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	say(fd, "GET /status HTTP/1.1\r\n" HOST "\r\n");
	turn(20);
	for (i = 0; i < 12; i++)
		engine_answers(RES_OK, json, 1);
	ck_assert_int_eq(engine_answers(RES_OK, "{}", 0), 1);
	turn(100);
	ck_assert_uint_eq(server_nconns(server), 1);
	turn(300);
	ck_assert_uint_eq(server_nconns(server), 0);
	close(fd);
	free(json);
}
END_TEST

START_TEST(answer_without_end_is_not_kept)
{
	char *json;
	int fd, i;

	serve(ROLE_PAGE, 1, 3000);
	json = malloc(ANSWER);
	ck_assert_ptr_nonnull(json);
	memset(json, ' ', ANSWER - 1);
	json[ANSWER - 1] = '\0';
	fd = ask_with("GET /status HTTP/1.1\r\n" HOST "\r\n");
	for (i = 0; i < 32; i++)
		if (engine_answers(RES_OK, json, 1) == 0)
			break;
	ck_assert_int_lt(i, 20);
	ck_assert_int_eq(hear(fd, 1000), 1);
	ck_assert_int_eq(status(), 503);
	close(fd);
	free(json);
}
END_TEST

START_TEST(one_address_has_so_many_connections)
{
	int fds[33], i;

	serve(ROLE_WEBHOOK, 0, 3000);
	for (i = 0; i < 33; i++) {
		fds[i] = client();
		turn(2);
	}
	turn(20);
	ck_assert_uint_eq(server_nconns(server), 32);
	ck_assert_int_eq(hear(fds[32], 200), 1);
	ck_assert_int_eq(hear(fds[0], 10), 0);
	for (i = 0; i < 33; i++)
		close(fds[i]);
	turn(50);
	ck_assert_uint_eq(server_nconns(server), 0);
}
END_TEST

START_TEST(full_house_drops_the_slowest)
{
	int busy, slow, fd;

	limits.sl_conns = 2;
	serve(ROLE_WEBHOOK, 0, 3000);
	busy = ask_with(delivery(""));
	slow = client();
	say(slow, "GET /");
	turn(20);
	fd = client();
	turn(20);
	ck_assert_int_eq(hear(slow, 200), 1);
	ck_assert_int_eq(hear(fd, 20), 0);
	engine_stores(RES_OK);
	ck_assert_int_eq(hear(busy, 1000), 1);
	ck_assert_int_eq(status(), 200);
	close(busy);
	close(slow);
	close(fd);
}
END_TEST

START_TEST(no_descriptors_is_no_busy_loop)
{
	struct rlimit rl;
	struct timespec a, b;
	int fd, first, top, second;

	serve(ROLE_WEBHOOK, 0, 3000);
	first = client();
	turn(20);
	fd = client();		/* waits in the backlog ... */
	second = client();
	top = dup(0);
	close(top);
	getrlimit(RLIMIT_NOFILE, &rl);
	rl.rlim_cur = (rlim_t)top;
	setrlimit(RLIMIT_NOFILE, &rl);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	for (top = 0; top < 5; top++) {	/* ... and there is no descriptor */
		event_base_loop(base, EVLOOP_NONBLOCK);
		usleep(20000);
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
	ck_assert_int_lt((b.tv_sec - a.tv_sec) * 1000 +
	    (b.tv_nsec - a.tv_nsec) / 1000000, 20);
	/* The one at the head of the queue was ended, the next one waits. */
	ck_assert_int_eq(hear(fd, 50), 1);
	ck_assert_int_eq(hear(second, 50), 0);
	ck_assert_uint_eq(server_nconns(server), 1);
	rl.rlim_cur = 512;
	setrlimit(RLIMIT_NOFILE, &rl);
	turn(1200);
	ck_assert_uint_eq(server_nconns(server), 2);
	close(first);
	close(fd);
	close(second);
}
END_TEST

/* A client with an address of its own, all of them of this machine. */
static int
client_from(uint32_t n)
{
	struct sockaddr_in from = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	from.sin_addr.s_addr = htonl(0x7f000002 + n);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&from, sizeof(from)), 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&where,
	    sizeof(where)), 0);
	return (fd);
}

START_TEST(one_more_than_1024_drops_the_slowest)
{
	struct rlimit rl = { 4096, 4096 };
	uint32_t i;
	int fds[1025];

	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &rl), 0);
	serve(ROLE_WEBHOOK, 0, 3000);
	for (i = 0; i < 1024; i++) {
		fds[i] = client_from(i / 32);
		if (i % 32 == 0)
			turn(1);
	}
	turn(50);
	ck_assert_uint_eq(server_nconns(server), 1024);
	fds[1024] = client_from(40);
	turn(20);
	ck_assert_uint_eq(server_nconns(server), 1024);
	ck_assert_int_eq(hear(fds[0], 200), 1);
	ck_assert_int_eq(hear(fds[1], 10), 0);
	say(fds[1024], "GET /none HTTP/1.1\r\n" HOST "\r\n");
	ck_assert_int_eq(hear(fds[1024], 1000), 1);
	ck_assert_int_eq(status(), 404);
	for (i = 0; i <= 1024; i++)
		close(fds[i]);
}
END_TEST

/* What a source gets for a request, in so many tries. */
static int
answered(int tries, const char *text, int expected)
{
	int i, n = 0, fd;

	for (i = 0; i < tries; i++) {
		fd = client();
		say(fd, text);
		ck_assert_int_eq(hear(fd, 1000), 1);
		n += status() == expected;
		close(fd);
	}
	return (n);
}

START_TEST(requests_that_prove_nothing_are_limited)
{
	static const char bad[] = "GET /none HTTP/1.1\r\n" HOST "\r\n";
	int i, n, fds[10];

	serve(ROLE_WEBHOOK, 0, 3000);
	ck_assert_int_eq(answered(100, bad, 404), 100);
	ck_assert_int_ge(answered(30, bad, 429), 20);
	ck_assert_ptr_nonnull(strstr(got, "Retry-After: "));
	/* A signature does not help: nobody looks at it. */
	for (i = 0; i < 10; i++) {
		fds[i] = client();
		say(fds[i], delivery(""));
	}
	turn(50);
	for (i = n = 0; i < 10; i++) {
		(void)hear(fds[i], 10);
		n += status() == 429;
		close(fds[i]);
	}
	ck_assert_int_ge(n, 5);
}
END_TEST

START_TEST(signed_deliveries_are_not_limited)
{
	int i, fd;

	serve(ROLE_WEBHOOK, 0, 3000);
	for (i = 0; i < 300; i++) {
		fd = client();
		say(fd, delivery(""));
		while (engine_stores(RES_OK) == 0)
			turn(1);
		ck_assert_int_eq(hear(fd, 1000), 1);
		ck_assert_int_eq(status(), 200);
		close(fd);
	}
}
END_TEST

/* There a proxy speaks for all, and limits them itself. */
START_TEST(loopback_is_not_limited)
{
	serve(ROLE_WEBHOOK, 1, 3000);
	ck_assert_int_eq(answered(200, "GET /none HTTP/1.1\r\n" HOST
	    "\r\n", 404), 200);
}
END_TEST

static int drained;

static void
on_drained(void)
{
	drained++;
}

START_TEST(what_is_under_way_is_answered_before_the_end)
{
	int fd, late;

	serve(ROLE_WEBHOOK, 0, 3000);
	fd = ask_with(delivery(""));
	server_drain(server, on_drained);
	ck_assert_int_eq(drained, 0);
	late = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(connect(late, (struct sockaddr *)&where,
	    sizeof(where)), -1);
	engine_stores(RES_OK);
	ck_assert_int_eq(hear(fd, 1000), 1);
	ck_assert_int_eq(status(), 200);
	close(fd);
	turn(20);
	ck_assert_int_eq(drained, 1);
	close(late);
}
END_TEST

START_TEST(an_idle_server_is_drained_at_once)
{
	serve(ROLE_WEBHOOK, 0, 3000);
	server_drain(server, on_drained);
	ck_assert_int_eq(drained, 1);
}
END_TEST

static TCase *
case_limits(void)
{
	TCase *tc = tcase_create("limits");

	tcase_set_timeout(tc, 20);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, limits_are_those_of_the_manual);
	tcase_add_test(tc, slow_head_ends_at_its_time);
	tcase_add_test(tc, silent_connection_ends_without_a_word);
	tcase_add_test(tc, slow_body_ends_by_its_rate);
	tcase_add_test(tc, whole_request_ends_at_its_time);
	tcase_add_test(tc, silent_engine_ends_at_its_time);
	tcase_add_test(tc, slow_reader_is_dropped);
	tcase_add_test(tc, answer_without_end_is_not_kept);
	tcase_add_test(tc, one_address_has_so_many_connections);
	tcase_add_test(tc, full_house_drops_the_slowest);
	tcase_add_test(tc, no_descriptors_is_no_busy_loop);
	tcase_add_test(tc, one_more_than_1024_drops_the_slowest);
	tcase_add_test(tc, requests_that_prove_nothing_are_limited);
	tcase_add_test(tc, signed_deliveries_are_not_limited);
	tcase_add_test(tc, loopback_is_not_limited);
	tcase_add_test(tc, what_is_under_way_is_answered_before_the_end);
	tcase_add_test(tc, an_idle_server_is_drained_at_once);
	return (tc);
}

int
main(void)
{
	Suite *s = suite_create("webhookd_limits");
	SRunner *sr;
	int failed;

	suite_add_tcase(s, case_limits());
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed != 0);
}
