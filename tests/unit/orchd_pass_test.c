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


/* Group commit: what is answered is stored, what is not stored is said. */

#include "engine_play.h"

#define NEVENTS	12

static int	hook;		/* webhookd's connection */
static char	body[9000];	/* all of them fit into a socket */

static void
setup(void)
{
	fx_open("", "");
	memset(body, 'x', sizeof(body));
	hook = fx_connect(ROLE_WEBHOOK);
}

/* A delivery, sent and not yet read by the engine. */
static void
send_event(unsigned int n)
{
	char delivery[16], hash[65];
	struct orch_event e = { .source = "gitea", .delivery = delivery,
	    .kind = "push", .sha256 = hash,
	    .body = { (const uint8_t *)body, sizeof(body) } };

	snprintf(delivery, sizeof(delivery), "d%u", n);
	snprintf(hash, sizeof(hash), "%064u", n);
	ck_assert_int_eq(chan_write_one(hook, ORCH_event, 1000 + n, &e, -1,
	    FX_WAIT), 0);
}

/* The answers to those that were sent; results by number. */
static void
read_answers(unsigned int n, enum orch_result *res)
{
	struct fx_msg m;
	unsigned int i;

	for (i = 0; i < n; i++) {
		ck_assert_msg(fx_read(hook, &m), "%u of %u answered", i, n);
		ck_assert_uint_eq(m.h.h_type, ORCH_event_answer);
		res[m.h.h_id - 1000] = m.any.event_answer.result;
		fx_free(&m);
	}
	ck_assert_int_eq(fx_read(hook, &m), 0);
}

/* Let the disk be full after so many more pages. */
static void
room(int pages)
{
	fx_sql("PRAGMA max_page_count = %lld",
	    (long long)fx_int("PRAGMA page_count") + pages);
}

static int
readable(int sock)
{
	struct pollfd pfd = { .fd = sock, .events = POLLIN };

	return (poll(&pfd, 1, 0) == 1);
}

static void
say(const char *text)
{
	struct orch_ack a = { RES_OK, text };

	pass_send(peer_of_role(ROLE_WEBHOOK)->p_id, ORCH_ack, 7, &a, -1);
}

START_TEST(nothing_is_sent_before_the_commit)
{
	ck_assert_int_eq(pass_enter(), 0);
	say("stored");
	ck_assert_int_eq(store_run(eng.e_store, Q_SETTING, "ss", "a", "1"),
	    STORE_OK);
	ck_assert(!readable(hook));
	(void)pass_leave(1);
	pass_commit();
	fx_pump();
	ck_assert(readable(hook));
}
END_TEST

START_TEST(a_request_that_fails_takes_back_itself_alone)
{
	struct fx_msg m;

	ck_assert_int_eq(pass_enter(), 0);
	ck_assert_int_eq(store_run(eng.e_store, Q_SETTING, "ss", "a", "1"),
	    STORE_OK);
	say("first");
	ck_assert_int_eq(pass_leave(1), 0);
	ck_assert_int_eq(pass_enter(), 0);
	ck_assert_int_eq(store_run(eng.e_store, Q_SETTING, "ss", "b", "2"),
	    STORE_OK);
	say("second");
	ck_assert_int_eq(pass_leave(0), 0);
	pass_commit();
	ck_assert_str_eq(fx_str("SELECT group_concat(name) FROM setting"),
	    "a");
	ck_assert(fx_read(hook, &m));
	ck_assert_str_eq(m.any.ack.text, "first");
	fx_free(&m);
	ck_assert_int_eq(fx_read(hook, &m), 0);
}
END_TEST

static int commits;

static int
count_commit(void *arg)
{
	commits++;
	return (0);
}

START_TEST(a_pass_is_bounded_and_every_request_of_it_is_answered)
{
	enum orch_result res[200];
	unsigned int i;

	sqlite3_commit_hook(store_db(eng.e_store), count_commit, NULL);
	for (i = 0; i < 200; i++) {
		body[0] = (char)('a' + i % 26);
		send_event(i);
		if (i % 5 == 4)
			fx_pump();
	}
	read_answers(200, res);
	for (i = 0; i < 200; i++)
		ck_assert_int_eq(res[i], RES_OK);
	ck_assert_int_ge(commits, 4);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM event"), 200);
}
END_TEST

START_TEST(on_a_full_disk_each_answer_is_true_and_later_it_goes_on)
{
	enum orch_result res[NEVENTS];
	unsigned int i, ok = 0;

	room(_i);
	for (i = 0; i < NEVENTS; i++)
		send_event(i);
	read_answers(NEVENTS, res);
	for (i = 0; i < NEVENTS; i++) {
		ck_assert(res[i] == RES_OK || res[i] == RES_RETRY);
		ck_assert_int_eq(fx_int("SELECT count(*) FROM event WHERE "
		    "delivery = 'd%u'", i), res[i] == RES_OK);
		ok += res[i] == RES_OK;
	}
	ck_assert_uint_lt(ok, NEVENTS);
	ck_assert_str_eq(fx_str("PRAGMA integrity_check"), "ok");
	/* Somebody made room. */
	room(10000);
	for (i = 0; i < NEVENTS; i++)
		send_event(i);
	read_answers(NEVENTS, res);
	for (i = 0; i < NEVENTS; i++)
		ck_assert(res[i] == RES_OK || res[i] == RES_DUPLICATE);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM event"), NEVENTS);
}
END_TEST

/* A submission is all there, or the database is as before. */
START_TEST(on_a_full_disk_an_action_happens_wholly_or_not_at_all)
{
	const char *args[] = { "project=other", "title=Count words", NULL };
	struct orch_action act = { .verb = "submit", .text = body,
	    .args = { .l_argv = args } };
	char *before, *after;
	enum orch_result res;
	int i, refused = 0;

	body[sizeof(body) - 1] = '\0';
	for (i = 0; i < 40; i++) {
		room(i % 4);
		before = fx_dump();
		res = fx_act_full(&act);
		after = fx_dump();
		if (res == RES_RETRY) {
			ck_assert_str_eq(before, after);
			refused++;
		} else
			ck_assert_int_eq(res, RES_OK);
		free(before);
		free(after);
	}
	ck_assert_int_gt(refused, 0);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM task"), 40 - refused);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM item"), 40 - refused);
	fx_sound();
	room(10000);
	ck_assert_int_eq(fx_submit("other", NULL), RES_OK);
}
END_TEST

START_TEST(a_task_goes_on_where_a_full_disk_stopped_it)
{
	ck_assert_int_eq(fx_submit("tally", NULL), RES_OK);
	room(0);
	fx.ms += 1000;
	(void)engine_look(0);
	fx_pump();
	room(10000);
	fx_play_until("DEMO-1", "done");
	ck_assert_str_eq(fx_task("DEMO-1", "stage"), "done");
	fx_sound();
}
END_TEST

START_TEST(every_request_has_an_answer_that_says_try_again)
{
	static const struct {
		unsigned int	request, answer;
	} special[] = {
		{ ORCH_begin, ORCH_grant }, { ORCH_gate, ORCH_gate_answer },
		{ ORCH_effect, ORCH_effect_answer },
		{ ORCH_pull, ORCH_pull_answer },
		{ ORCH_event, ORCH_event_answer },
		{ ORCH_query, ORCH_answer }, { ORCH_action, ORCH_answer },
	};
	uint32_t peer = peer_of_role(ROLE_WEBHOOK)->p_id;
	unsigned int answer;
	struct fx_msg m;
	size_t i, k;

	for (i = 0; i < peer_nrules; i++) {
		/* Lists are asked again by their daemons. */
		answer = ORCH_ack;
		for (k = 0; k < sizeof(special) / sizeof(special[0]); k++)
			if (special[k].request == peer_rules[i].pr_type)
				answer = special[k].answer;
		pass_retry(peer, peer_rules[i].pr_type, 5);
		ck_assert(fx_read(hook, &m));
		ck_assert_uint_eq(m.h.h_type, answer);
		ck_assert_uint_eq(m.h.h_id, 5);
		ck_assert_uint_eq(m.any.ack.result, RES_RETRY);
		fx_free(&m);
	}
}
END_TEST

int
main(void)
{
	Suite *su = suite_create("pass");
	TCase *tc = tcase_create("pass");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, fx_close);
	tcase_add_test(tc, nothing_is_sent_before_the_commit);
	tcase_add_test(tc, a_request_that_fails_takes_back_itself_alone);
	tcase_add_test(tc,
	    a_pass_is_bounded_and_every_request_of_it_is_answered);
	tcase_add_loop_test(tc,
	    on_a_full_disk_each_answer_is_true_and_later_it_goes_on, 0, 26);
	tcase_add_test(tc,
	    on_a_full_disk_an_action_happens_wholly_or_not_at_all);
	tcase_add_test(tc, a_task_goes_on_where_a_full_disk_stopped_it);
	tcase_add_test(tc,
	    every_request_has_an_answer_that_says_try_again);
	suite_add_tcase(su, tc);
	fx_main_exit(su);
}
