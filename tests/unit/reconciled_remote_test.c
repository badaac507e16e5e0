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

/* A key's rate, 429, and the circuit breaker of a server. */

#include <arpa/inet.h>
#include <netinet/in.h>

#include "reconciled_world.h"

static const struct remote_kind kind = { .rk_per_minute = 45,
    .rk_burst = 10, .rk_most = 8 };

static struct remote *rm;
static unsigned int ok, refused, down;
static char why[256];

static void
count_cb(const struct remote_answer *ra, void *arg)
{
	if (ra->ra_end == REMOTE_OK)
		ok++;
	else if (ra->ra_end == REMOTE_REFUSED)
		refused++;
	else
		down++;
	snprintf(why, sizeof(why), "%s", ra->ra_why);
}

static void
ask(struct remote *who, enum remote_prio prio, const char *path)
{
	char url[128];
	struct remote_ask want = { .ask_prio = prio, .ask_method = "GET",
	    .ask_url = url };

	snprintf(url, sizeof(url), "%s%s", server_url, path);
	ck_assert_int_eq(remote_ask(who, &want, count_cb, NULL), 0);
}

static void
setup(void)
{
	world_setup();
	remote_times.rt_pause_ms = 150;
	remote_times.rt_pause_max_ms = 400;
	rm = remote_get(server_url, "X-Key: one", &kind);
	ck_assert_ptr_nonnull(rm);
	ok = refused = down = 0;
	answer("GET /", 200, "{}");
}

static void
teardown(void)
{
	remote_put(rm);
	world_teardown();
}

START_TEST(a_burst_is_all_that_goes_at_once)
{
	int i;

	for (i = 0; i < 30; i++)
		ask(rm, REMOTE_NOW, "/x");
	RUN_UNTIL(ok == 10);
	run_for(300);
	ck_assert_uint_eq(ok, 10);
	/* The next one after 60/45 seconds. */
	RUN_UNTIL(ok == 11);
}
END_TEST

START_TEST(a_poll_leaves_room_for_hints)
{
	int i;

	for (i = 0; i < 30; i++)
		ask(rm, REMOTE_LATER, "/poll");
	RUN_UNTIL(ok == 7);
	run_for(200);
	ck_assert_uint_eq(ok, 7);
	/* What is asked later overtakes. */
	ask(rm, REMOTE_NOW, "/hint");
	RUN_UNTIL(count_asked("GET /hint") == 1);
	ck_assert_uint_eq(count_asked("GET /poll"), 7);
}
END_TEST

START_TEST(hints_overtake_messages)
{
	int i;

	for (i = 0; i < 12; i++)
		ask(rm, REMOTE_NOW, "/message");
	RUN_UNTIL(ok == 10);
	ask(rm, REMOTE_FIRST, "/hint");
	RUN_UNTIL(ok == 11);
	ck_assert_uint_eq(count_asked("GET /hint"), 1);
	ck_assert_uint_eq(count_asked("GET /message"), 10);
}
END_TEST

START_TEST(a_server_that_allows_far_more_is_believed)
{
	int i;

	answer_header(answer("GET /", 200, "{}"), "X-RateLimit-Remaining",
	    "5000");
	for (i = 0; i < 60; i++)
		ask(rm, REMOTE_NOW, "/x");
	RUN_UNTIL(ok == 60);
}
END_TEST

START_TEST(another_user_of_the_key_is_counted)
{
	int i;

	answer_header(answer("GET /", 200, "{}"), "X-RateLimit-Remaining",
	    "0");
	ask(rm, REMOTE_NOW, "/x");
	RUN_UNTIL(ok == 1);
	for (i = 0; i < 5; i++)
		ask(rm, REMOTE_NOW, "/x");
	run_for(300);
	ck_assert_uint_eq(ok, 1);
}
END_TEST

START_TEST(a_429_is_waited_for_and_asked_again)
{
	struct canned *c = answer("GET /", 429, "{}");
	struct monotime begin = monotime_now();

	c->c_times = 1;
	answer_header(c, "Retry-After", "1");
	ask(rm, REMOTE_NOW, "/x");
	RUN_UNTIL(ok == 1);
	ck_assert_int_ge(monotime_sub_ms(monotime_now(), begin), 1000);
	ck_assert_uint_eq(down, 0);
	ck_assert_uint_eq(count_asked("GET /x"), 2);
	ck_assert_uint_eq(count_alerts("remote_down", 1), 0);
}
END_TEST

/* It may have acted: who asked looks first.  Another key waits too. */
START_TEST(a_503_that_says_when_to_come_back_is_left_alone_until_then)
{
	struct remote *other = remote_get(server_url, "X-Key: two", &kind);
	struct canned *c = answer("GET /", 503, "{}");
	struct monotime begin = monotime_now();

	c->c_times = 1;
	answer_header(c, "Retry-After", "2");
	ask(rm, REMOTE_NOW, "/x");
	RUN_UNTIL(down == 1);
	ask(rm, REMOTE_FIRST, "/y");
	ask(other, REMOTE_FIRST, "/z");
	RUN_UNTIL(ok == 2);
	ck_assert_int_ge(monotime_sub_ms(monotime_now(), begin), 2000);
	ck_assert_uint_eq(nasked, 3);
	ck_assert_uint_eq(count_alerts("remote_down", 1), 0);
	remote_put(other);
}
END_TEST

START_TEST(a_503_that_says_nothing_holds_up_nobody)
{
	struct monotime begin = monotime_now();

	answer("GET /", 503, "{}")->c_times = 1;
	ask(rm, REMOTE_NOW, "/x");
	RUN_UNTIL(down == 1);
	ask(rm, REMOTE_NOW, "/y");
	RUN_UNTIL(ok == 1);
	ck_assert_int_lt(monotime_sub_ms(monotime_now(), begin), 5000);
}
END_TEST

/* It is not probed before. */
START_TEST(a_circuit_stays_open_for_as_long_as_the_server_says)
{
	struct canned *c = answer("GET /", 503, "{}");
	struct monotime begin = monotime_now();
	unsigned int i;

	answer_header(c, "Retry-After", "2");
	for (i = 0; i < 5; i++)
		ask(rm, REMOTE_NOW, "/x");
	RUN_UNTIL(down == 5);
	ck_assert_uint_eq(count_alerts("remote_down", 1), 1);
	c->c_times = 0;
	while (ok == 0) {
		ask(rm, REMOTE_NOW, "/x");
		run_for(50);
		ck_assert_int_lt(monotime_sub_ms(monotime_now(), begin),
		    20000);
	}
	ck_assert_int_ge(monotime_sub_ms(monotime_now(), begin), 2000);
}
END_TEST

START_TEST(a_refusal_is_no_failure_of_the_server)
{
	int i;

	answer("GET /", 404, "{}");
	for (i = 0; i < 9; i++)
		ask(rm, REMOTE_NOW, "/x");
	RUN_UNTIL(refused == 9);
	ck_assert_str_eq(why, "HTTP 404");
	ck_assert_uint_eq(count_alerts("remote_down", 1), 0);
}
END_TEST

START_TEST(a_redirect_is_not_followed)
{
	answer_header(answer("GET /x", 302, ""), "Location", "/y");
	ask(rm, REMOTE_NOW, "/x");
	RUN_UNTIL(refused == 1);
	ck_assert_uint_eq(nasked, 1);
}
END_TEST

/* After five failures nothing is asked; one request probes, then all go. */
START_TEST(a_dead_server_is_left_alone_and_comes_back)
{
	struct canned *c = answer("GET /", 0, "");
	const struct orch_notice *m;
	size_t before;
	int i;

	for (i = 0; i < 5; i++) {
		ask(rm, REMOTE_NOW, "/x");
		RUN_UNTIL(down == (unsigned int)i + 1);
	}
	m = &sent_last(ORCH_notice)->notice;
	ck_assert_str_eq(m->kind, "remote_down");
	ck_assert_str_eq(m->subject, server_url);
	ck_assert_int_eq(m->on, 1);
	before = nasked;
	ask(rm, REMOTE_NOW, "/x");
	RUN_UNTIL(down == 6);
	ck_assert_uint_eq(nasked, before);
	/* The pause is over, and it is still dead: one probe for all. */
	run_for(200);
	for (i = 0; i < 4; i++)
		ask(rm, REMOTE_NOW, "/x");
	RUN_UNTIL(down == 10);
	ck_assert_uint_eq(nasked, before + 1);
	ck_assert_uint_eq(count_alerts("remote_down", 1), 1);
	ck_assert_uint_eq(count_alerts("remote_down", 0), 0);
	/* And now it lives. */
	c->c_times = 0;
	run_for(400);
	for (i = 0; i < 3; i++)
		ask(rm, REMOTE_NOW, "/x");
	RUN_UNTIL(ok == 3);
	ck_assert_uint_eq(count_alerts("remote_down", 0), 1);
	ck_assert_int_eq(sent_last(ORCH_notice)->notice.on, 0);
}
END_TEST

/* The breaker is the server's, the rate is the key's. */
START_TEST(keys_of_a_server_share_its_fate_alone)
{
	struct remote *other = remote_get(server_url, "X-Key: two", &kind);
	struct remote *same = remote_get(server_url, "X-Key: one", &kind);
	int i;

	ck_assert_ptr_eq(same, rm);
	ck_assert_ptr_ne(other, rm);
	for (i = 0; i < 20; i++) {
		ask(rm, REMOTE_NOW, "/one");
		ask(other, REMOTE_NOW, "/two");
	}
	RUN_UNTIL(ok == 20);
	ck_assert_uint_eq(count_asked("GET /one"), 10);
	ck_assert_ptr_nonnull(strstr(asked_last("GET /two")->a_headers,
	    "X-Key: two\n"));
	remote_put(same);
	remote_put(other);
}
END_TEST

START_TEST(no_address_is_no_server)
{
	ck_assert_ptr_null(remote_get("ftp://x/", "", &kind));
	ck_assert_ptr_null(remote_get("localhost", "", &kind));
}
END_TEST

START_TEST(the_end_is_told_to_all_who_wait)
{
	int i;

	for (i = 0; i < 20; i++)
		ask(rm, REMOTE_NOW, "/x");
	turn();
	remote_stop();
	ck_assert_uint_eq(ok + down, 20);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("reconciled remote");
	TCase *tc = tcase_create("remote");
	SRunner *sr;
	int bad;

	tcase_set_timeout(tc, 30);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_burst_is_all_that_goes_at_once);
	tcase_add_test(tc, a_poll_leaves_room_for_hints);
	tcase_add_test(tc, hints_overtake_messages);
	tcase_add_test(tc, a_server_that_allows_far_more_is_believed);
	tcase_add_test(tc, another_user_of_the_key_is_counted);
	tcase_add_test(tc, a_429_is_waited_for_and_asked_again);
	tcase_add_test(tc,
	    a_503_that_says_when_to_come_back_is_left_alone_until_then);
	tcase_add_test(tc, a_503_that_says_nothing_holds_up_nobody);
	tcase_add_test(tc,
	    a_circuit_stays_open_for_as_long_as_the_server_says);
	tcase_add_test(tc, a_refusal_is_no_failure_of_the_server);
	tcase_add_test(tc, a_redirect_is_not_followed);
	tcase_add_test(tc, a_dead_server_is_left_alone_and_comes_back);
	tcase_add_test(tc, keys_of_a_server_share_its_fate_alone);
	tcase_add_test(tc, no_address_is_no_server);
	tcase_add_test(tc, the_end_is_told_to_all_who_wait);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	bad = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (bad == 0 ? 0 : 1);
}
