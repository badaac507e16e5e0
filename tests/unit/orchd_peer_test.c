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

/* Who may say what to the engine, and that it outlives all that is said. */

#include "engine_process.h"

static int
is_allowed(size_t row, unsigned int type)
{
	size_t i;

	if (type == ORCH_ping)
		return (1);
	for (i = 0; i < 20 && allowed[row].a_types[i] != 0; i++)
		if (allowed[row].a_types[i] == type)
			return (1);
	return (0);
}

/* An empty message of this type, delta bytes too long; 0: it has none. */
static int
make_frame(unsigned int type, int delta)
{
	raw_message(&raw, type, 1, FILL_EMPTY);
	if (delta < 0) {
		if (raw.r_len == ORCH_HEADER_SIZE)
			return (0);
		raw.r_len--;
	} else if (delta > 0)
		raw_int(&raw, 0, 1);
	raw_end(&raw);
	return (1);
}

static void
must_refuse(int sock, enum orch_role role, unsigned int type, int delta)
{
	const char *log;

	(void)logged();
	send_raw(sock);
	ck_assert_msg(has_ended(sock), "%s may say %s%+d",
	    orch_role_name(role), orch_msg(type) == NULL ? "nothing" :
	    orch_msg(type)->m_name, delta);
	close(sock);
	log = logged();
	ck_assert_msg(strstr(log, orch_role_name(role)) != NULL,
	    "%s is refused message %u%+d without a line in the log",
	    orch_role_name(role), type, delta);
	engine_lives();
}

static void
walk_row(size_t row)
{
	enum orch_role role = allowed[row].a_role;
	unsigned int type;
	int delta, sock;

	for (type = 0; type < ORCH_TYPE_MAX + 2; type++) {
		for (delta = -1; delta <= 1; delta++) {
			if (orch_msg(type) == NULL && delta != 0)
				continue;
			if (!make_frame(type, delta))
				continue;
			sock = enter_as(role);
			if (delta != 0 || !is_allowed(row, type)) {
				must_refuse(sock, role, type, delta);
				continue;
			}
			send_raw(sock);
			ck_assert_msg(ping(sock) == 0, "%s may not say %s: %s",
			    orch_role_name(role), orch_msg(type)->m_name,
			    logged());
			close(sock);
		}
	}
}

START_TEST(everybody_says_only_what_is_his)
{
	walk_row((size_t)_i);
}
END_TEST

/* What one may say is nothing before HELLO was answered. */
START_TEST(nothing_counts_before_hello)
{
	size_t row, i;
	int sock;

	for (row = 0; row < NROLES; row++) {
		for (i = 0; allowed[row].a_types[i] != 0; i++) {
			sock = connect_as(allowed[row].a_role);
			(void)make_frame(allowed[row].a_types[i], 0);
			send_raw(sock);
			ck_assert_msg(has_ended(sock), "%s, %s",
			    orch_role_name(allowed[row].a_role),
			    orch_msg(allowed[row].a_types[i])->m_name);
			close(sock);
		}
	}
	engine_lives();
}
END_TEST

/* --- after HELLO ---------------------------------------------------------- */

START_TEST(a_run_ends_no_other_run)
{
	struct orch_run_done m = { .run = worker.s_run, .verdict = 0 };
	int sock = enter_as(ROLE_RUNNER), other;

	say(sock, ORCH_run_done, &m, -1);
	expect(sock, ORCH_ack);
	ck_assert_int_eq(got.ack.result, RES_REFUSED);
	other = enter_as(ROLE_WORKER);	/* it lives, and has its key */
	ck_assert_int_eq(ping(other), 0);
	close(other);
	close(sock);
}
END_TEST

/* It is refused at once: asking again would not make it true. */
START_TEST(a_verdict_that_does_not_exist_is_refused)
{
	struct orch_run_done m = { .run = agent.s_run, .verdict = 200 };
	int sock = enter_as(ROLE_RUNNER);

	say(sock, ORCH_run_done, &m, -1);
	expect(sock, ORCH_ack);
	ck_assert_int_eq(got.ack.result, RES_REFUSED);
	m.verdict = 0;
	m.cause = 200;
	say(sock, ORCH_run_done, &m, -1);
	expect(sock, ORCH_ack);
	ck_assert_int_eq(got.ack.result, RES_REFUSED);
	close(sock);
	sock = enter_as(ROLE_RUNNER);	/* it is not over by that */
	ck_assert_int_eq(ping(sock), 0);
	close(sock);
}
END_TEST

START_TEST(a_worker_without_a_lease_is_fenced)
{
	struct orch_commit c = { .epoch = 1, .from = "analysis", .to = "done" };
	struct orch_effect e = { .epoch = 1, .name = "push", .key = "k",
	    .class = CLASS_CAS };
	int sock = enter_as(ROLE_WORKER);

	say(sock, ORCH_commit, &c, -1);
	expect(sock, ORCH_ack);
	ck_assert_int_eq(got.ack.result, RES_FENCED);
	say(sock, ORCH_effect, &e, -1);
	expect(sock, ORCH_effect_answer);
	ck_assert_int_eq(got.effect_answer.result, RES_FENCED);
	close(sock);
}
END_TEST

START_TEST(a_descriptor_that_nobody_wants_ends_it)
{
	struct orch_query q = { .verb = "status" };
	const char *field;
	uint8_t *frame;
	size_t len;
	int sock = enter_as(ROLE_CTL), fd;

	ck_assert_int_ne(fd = open("/dev/null", O_RDONLY), -1);
	ck_assert_int_eq(orch_encode(ORCH_query, 1, &q, &frame, &len, &field),
	    0);
	free(frame);
	ck_assert_int_eq(chan_write_one(sock, ORCH_query, 1, &q, fd, WAIT_MS),
	    0);
	close(fd);
	ck_assert(has_ended(sock));
	close(sock);
	ck_assert_ptr_nonnull(strstr(logged(), "with a descriptor"));
	engine_lives();
}
END_TEST

/* Bytes that are no protocol, on both sockets. */
START_TEST(noise_ends_only_who_makes_it)
{
	static const char *const noise[] = { "GET / HTTP/1.1\r\n\r\n",
	    "\n\n\n\n\n\n\n\n\n\n\n\n\n\n", "{\"jsonrpc\": \"2.0\"}" };
	uint32_t x = 2463534242;
	uint8_t junk[64];
	size_t i, k;
	int sock;

	for (i = 0; i < 200; i++) {
		sock = connect_as(i % 2 == 0 ? ROLE_CTL : ROLE_RUNNER);
		for (k = 0; k < sizeof(junk); k++) {
			x ^= x << 13;
			x ^= x >> 17;
			x ^= x << 5;
			junk[k] = (uint8_t)x;
		}
		if (i < 6)
			ck_assert_int_gt(send(sock, noise[i / 2],
			    strlen(noise[i / 2]), MSG_NOSIGNAL), 0);
		else
			ck_assert_int_gt(send(sock, junk, sizeof(junk),
			    MSG_NOSIGNAL), 0);
		(void)shutdown(sock, SHUT_WR);
		ck_assert_msg(has_ended(sock), "noise %zu", i);
		close(sock);
	}
	engine_lives();
}
END_TEST

/* Answers that nobody fetches are bounded, and others are served. */
START_TEST(who_does_not_read_is_cut_off)
{
	static char text[65000];
	const char *const args[] = { "title=Long", NULL };
	struct orch_action a = { .verb = "submit", .text = text };
	struct orch_query q = { .verb = "show", .object = "" };
	char id[64];
	int sock, i;

	memset(text, 'x', sizeof(text) - 1);
	a.args.l_argv = args;
	say(control, ORCH_action, &a, -1);
	expect(control, ORCH_answer);
	ck_assert_int_eq(got.answer.result, RES_OK);
	ck_assert_uint_lt(strlcpy(id, got.answer.text, sizeof(id)),
	    sizeof(id));
	q.object = id;
	sock = enter_as(ROLE_CTL);
	for (i = 0; i < 1000; i++)
		if (chan_write_one(sock, ORCH_query, 1, &q, -1, WAIT_MS) ==
		    -1)
			break;
	ck_assert_int_gt(i, 10);
	ck_assert_int_lt(i, 1000);
	ck_assert_ptr_nonnull(strstr(logged(), "does not read"));
	close(sock);
	engine_lives();
}
END_TEST

/* What each request is answered with, under its own correlation id. */
static const struct {
	enum orch_role	q_role;
	unsigned int	q_type;
	unsigned int	q_answer;
} requests[] = {
	{ ROLE_RUNNER, ORCH_run_exit, ORCH_ack },
	{ ROLE_RUNNER, ORCH_run_done, ORCH_ack },
	{ ROLE_RUNNER, ORCH_run_session, ORCH_ack },
	{ ROLE_WORKER, ORCH_begin, ORCH_grant },
	{ ROLE_WORKER, ORCH_gate, ORCH_gate_answer },
	{ ROLE_WORKER, ORCH_effect, ORCH_effect_answer },
	{ ROLE_WORKER, ORCH_effect_done, ORCH_ack },
	{ ROLE_WORKER, ORCH_pull, ORCH_pull_answer },
	{ ROLE_WORKER, ORCH_landed, ORCH_ack },
	{ ROLE_WORKER, ORCH_hook_start, ORCH_ack },
	{ ROLE_WORKER, ORCH_record, ORCH_ack },
	{ ROLE_WORKER, ORCH_commit, ORCH_ack },
	{ ROLE_WORKER, ORCH_end, ORCH_ack },
	{ ROLE_WORKER, ORCH_abort, ORCH_ack },
	{ ROLE_RECONCILED, ORCH_advance, ORCH_ack },
	{ ROLE_RECONCILED, ORCH_candidates, ORCH_candidate },
	{ ROLE_RECONCILED, ORCH_outbox_next, ORCH_outbox_row },
	{ ROLE_RECONCILED, ORCH_outbox_done, ORCH_ack },
	{ ROLE_RECONCILED, ORCH_item, ORCH_ack },
	{ ROLE_RECONCILED, ORCH_watch_list, ORCH_watch },
	{ ROLE_RECONCILED, ORCH_tracker_item, ORCH_ack },
	{ ROLE_RECONCILED, ORCH_ci_seen, ORCH_ack },
	{ ROLE_RECONCILED, ORCH_pull_seen, ORCH_ack },
	{ ROLE_RECONCILED, ORCH_review_seen, ORCH_ack },
	{ ROLE_RECONCILED, ORCH_reviews_there, ORCH_ack },
	{ ROLE_REAPERD, ORCH_live_list, ORCH_live },
	{ ROLE_REAPERD, ORCH_dead, ORCH_ack },
	{ ROLE_REAPERD, ORCH_notice, ORCH_ack },
	{ ROLE_FINALIZERD, ORCH_deploy_list, ORCH_deploy_row },
	{ ROLE_FINALIZERD, ORCH_deploy_result, ORCH_ack },
	{ ROLE_WEBHOOK, ORCH_event, ORCH_event_answer },
	{ ROLE_WEBHOOK, ORCH_query, ORCH_answer },
	{ ROLE_PAGE, ORCH_query, ORCH_answer },
	{ ROLE_PAGE, ORCH_action, ORCH_answer },
	{ ROLE_CTL, ORCH_query, ORCH_answer },
	{ ROLE_CTL, ORCH_action, ORCH_answer },
};

/* Empty requests, which mean nothing: whoever asks waits for an answer. */
START_TEST(each_request_gets_an_answer_of_its_type)
{
	size_t i;
	int sock, t;

	for (i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		sock = enter_as(requests[i].q_role);
		raw_message(&raw, requests[i].q_type, 4711, FILL_EMPTY);
		send_raw(sock);
		while ((t = hear(sock, FROM_ENGINE, WAIT_MS)) != -1)
			if (head.h_id == 4711)
				break;
		ck_assert_msg(t == (int)requests[i].q_answer,
		    "%s is answered with %s", orch_msg(requests[i].q_type)->
		    m_name, t == -1 ? "nothing" : orch_msg((unsigned int)t)->
		    m_name);
		close(sock);
	}
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, everybody_says_only_what_is_his, 0,
	    (int)NROLES);
	tcase_add_test(tc, nothing_counts_before_hello);
	tcase_add_test(tc, each_request_gets_an_answer_of_its_type);
	tcase_add_test(tc, a_run_ends_no_other_run);
	tcase_add_test(tc, a_verdict_that_does_not_exist_is_refused);
	tcase_add_test(tc, a_worker_without_a_lease_is_fenced);
	tcase_add_test(tc, a_descriptor_that_nobody_wants_ends_it);
	tcase_add_test(tc, noise_ends_only_who_makes_it);
	tcase_add_test(tc, who_does_not_read_is_cut_off);
}

int
main(void)
{
	return (engine_suite("orchd peer", add_tests));
}
