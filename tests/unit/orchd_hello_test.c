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

/* Whom the engine takes, and whom it refuses. */

#include "engine_process.h"

/* Said on a fresh connection of role: refused, with this reason. */
static void
refused(enum orch_role role, const struct orch_hello *h, const char *why)
{
	int sock = connect_as(role), t;

	if ((t = hello(sock, h)) == ORCH_hello_no)
		ck_assert_msg(strstr(got.hello_no.reason, why) != NULL,
		    "%s, not: %s", got.hello_no.reason, why);
	ck_assert_msg(t == ORCH_hello_no, "%s: %d", why, t);
	ck_assert(has_ended(sock));
	close(sock);
	engine_lives();
}

START_TEST(a_wrong_key_is_refused)
{
	struct started s = agent;
	struct orch_hello h = good_hello(ROLE_RUNNER, &s);

	s.s_key[31] ^= 1;
	refused(ROLE_RUNNER, &h, "a wrong key");
	s.s_key[31] ^= 1;
	h.key.b_len = 31;
	refused(ROLE_RUNNER, &h, "no such run");
	h.key.b_len = 0;
	refused(ROLE_RUNNER, &h, "no such run");
}
END_TEST

START_TEST(a_wrong_run_is_refused)
{
	struct orch_hello h = good_hello(ROLE_RUNNER, &agent);

	h.run = 123456;
	refused(ROLE_RUNNER, &h, "no such run");
	h.run = 0;
	refused(ROLE_RUNNER, &h, "no such run");
	h.run = UINT64_MAX;
	refused(ROLE_RUNNER, &h, "no such run");
	h.run = worker.s_run;		/* one that lives, but not its key */
	refused(ROLE_RUNNER, &h, "a wrong key");
}
END_TEST

START_TEST(an_agents_run_is_no_workers)
{
	struct orch_hello h = good_hello(ROLE_WORKER, &agent);

	refused(ROLE_WORKER, &h, "another kind of run");
	h = good_hello(ROLE_RUNNER, &worker);
	refused(ROLE_RUNNER, &h, "another kind of run");
}
END_TEST

START_TEST(a_wrong_identity_is_refused)
{
	struct orch_hello h = good_hello(ROLE_RUNNER, &agent);
	char text[IDENT_TEXT_MAX];
	struct ident id;

	ck_assert_int_eq(ident_parse(h.ident, &id), 0);
	id.id_start_time++;
	ck_assert_int_eq(ident_format(&id, text, sizeof(text)), 0);
	h.ident = text;
	refused(ROLE_RUNNER, &h, "the identity is not that of the process");
	h.ident = "nonsense";
	refused(ROLE_RUNNER, &h, "the identity is not that of the process");
	h.ident = "";
	refused(ROLE_RUNNER, &h, "the identity is not that of the process");
}
END_TEST

/* The key alone does not make another process the run. */
START_TEST(another_process_with_the_key_is_refused)
{
	struct orch_hello h;
	char text[IDENT_TEXT_MAX];
	struct ident self;
	int status, sock;
	pid_t pid;

	if ((pid = fork()) == 0) {
		if ((sock = chan_connect(engine_path)) == -1 ||
		    ident_of_pid(getpid(), &self) == -1 ||
		    ident_format(&self, text, sizeof(text)) == -1)
			_exit(70);
		h = good_hello(ROLE_RUNNER, &agent);
		h.ident = text;
		if (chan_write_one(sock, ORCH_hello, 1, &h, -1, WAIT_MS) ==
		    -1 || hear(sock, FROM_ENGINE, WAIT_MS) != ORCH_hello_no)
			_exit(71);
		_exit(strcmp(got.hello_no.reason,
		    "another process owns this run") == 0 ? 0 : 72);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	engine_lives();
}
END_TEST

START_TEST(a_closed_run_is_refused)
{
	struct orch_hello h;
	struct started s;
	int sock;

	submit("To be closed");
	take_spawn(&s, KIND_AGENT);
	ck_assert_int_ne(sock = chan_connect(engine_path), -1);
	h = good_hello(ROLE_RUNNER, &s);
	ck_assert_int_eq(hello(sock, &h), ORCH_hello_ok);
	{
		struct orch_run_done m = { .run = s.s_run, .verdict = 1,
		    .cause = CAUSE_EXEC, .reason = "no such program" };

		say(sock, ORCH_run_done, &m, -1);
		expect(sock, ORCH_ack);
		ck_assert_int_eq(got.ack.result, RES_OK);
	}
	close(sock);
	refused(ROLE_RUNNER, &h, "this run is closed");
}
END_TEST

START_TEST(a_second_hello_is_refused)
{
	size_t row;
	int sock;

	for (row = 0; row < NROLES; row++) {
		enum orch_role role = allowed[row].a_role;
		struct orch_hello h = good_hello(role, run_of(role));

		sock = enter_as(role);
		h.generation = generation;
		ck_assert_int_eq(hello(sock, &h), ORCH_hello_no);
		ck_assert_str_eq(got.hello_no.reason, "a second HELLO");
		ck_assert(has_ended(sock));
		close(sock);
	}
	engine_lives();
}
END_TEST

/* Who one is, the connection says; HELLO only repeats it. */
START_TEST(nobody_is_somebody_else)
{
	struct orch_hello h;
	unsigned int said;
	size_t row;

	for (row = 0; row < NROLES; row++) {
		enum orch_role role = allowed[row].a_role;

		for (said = 0; said < ROLE__MAX + 2; said++) {
			if (said == role || (role == ROLE_WORKER &&
			    said == ROLE_RUNNER) || (role == ROLE_RUNNER &&
			    said == ROLE_WORKER))
				continue;
			h = good_hello(role, run_of(role));
			h.role = (uint8_t)said;
			h.generation = generation + 1;
			refused(role, &h, "it says to be somebody else");
		}
	}
}
END_TEST

START_TEST(an_older_generation_is_refused)
{
	struct orch_hello h = good_hello(ROLE_REAPERD, NULL);

	h.generation = generation;	/* connect_as makes the next one */
	refused(ROLE_REAPERD, &h, "an older generation");
	h.generation = generation + 2;
	refused(ROLE_REAPERD, &h, "an older generation");
}
END_TEST

START_TEST(a_newer_generation_replaces_the_older)
{
	int old = enter_as(ROLE_RECONCILED), other = enter_as(ROLE_REAPERD);
	int new = enter_as(ROLE_RECONCILED);

	ck_assert(has_ended(old));
	ck_assert_int_eq(ping(new), 0);
	ck_assert_int_eq(ping(other), 0);
	close(old);
	close(new);
	close(other);
}
END_TEST

START_TEST(a_run_has_one_connection)
{
	int old = enter_as(ROLE_RUNNER), other = enter_as(ROLE_WORKER);
	int new = enter_as(ROLE_RUNNER);

	ck_assert(has_ended(old));
	ck_assert_int_eq(ping(new), 0);
	ck_assert_int_eq(ping(other), 0);
	close(old);
	close(new);
	close(other);
}
END_TEST

/* A run's number in somebody else's HELLO means nothing. */
START_TEST(a_person_does_not_speak_for_a_run)
{
	struct orch_hello h = good_hello(ROLE_CTL, &agent);
	int run = enter_as(ROLE_RUNNER), person = connect_as(ROLE_CTL);

	ck_assert_int_eq(hello(person, &h), ORCH_hello_ok);
	ck_assert_int_eq(ping(person), 0);
	ck_assert_int_eq(ping(run), 0);
	close(run);
	close(person);
}
END_TEST

START_TEST(another_version_is_refused_by_name)
{
	struct orch_hello h = good_hello(ROLE_RUNNER, &agent);

	h.major++;
	refused(ROLE_RUNNER, &h, "version");
	h.major--;
	h.minor += 1;
	refused(ROLE_RUNNER, &h, "version");
	h = good_hello(ROLE_REAPERD, NULL);
	h.minor++;
	h.generation = generation + 1;
	refused(ROLE_REAPERD, &h, "must come from one installation");
	h = good_hello(ROLE_CTL, NULL);
	h.minor++;
	refused(ROLE_CTL, &h, "must come from one installation");
}
END_TEST

/* A run that outlived an upgrade says what it always said. */
START_TEST(a_run_of_the_last_minors_is_taken_and_heard)
{
	struct orch_run_session m = { .run = agent.s_run, .session = "s1" };
	struct orch_hello h = good_hello(ROLE_RUNNER, &agent);
	int sock, taken = 0;

	for (h.minor = 0; h.minor <= ORCH_PROTO_MINOR + 2; h.minor++) {
		if (!orch_minor_spoken(ORCH_PROTO_MINOR, h.minor)) {
			refused(ROLE_RUNNER, &h, "version");
			continue;
		}
		sock = connect_as(ROLE_RUNNER);
		ck_assert_int_eq(hello(sock, &h), ORCH_hello_ok);
		ck_assert_uint_eq(got.hello_ok.minor, ORCH_PROTO_MINOR);
		say(sock, ORCH_run_session, &m, -1);
		ck_assert_int_eq(ping(sock), 0);
		close(sock);
		taken++;
	}
	ck_assert_int_eq(taken, ORCH_PROTO_MINOR < 2 ?
	    ORCH_PROTO_MINOR + 1 : 3);
	engine_lives();
}
END_TEST

/* Daemons and people come from one installation: no other minor at all. */
START_TEST(a_daemon_of_each_other_minor_is_refused)
{
	struct orch_hello h;
	size_t row;
	int sock;

	for (row = 0; row < NROLES; row++) {
		enum orch_role role = allowed[row].a_role;

		if (role == ROLE_RUNNER || role == ROLE_WORKER)
			continue;
		h = good_hello(role, NULL);
		for (h.minor = 0; h.minor < ORCH_PROTO_MINOR + 3; h.minor++) {
			h.generation = generation + 1;
			if (h.minor != ORCH_PROTO_MINOR) {
				refused(role, &h, "one installation");
				continue;
			}
			sock = connect_as(role);
			ck_assert_int_eq(hello(sock, &h), ORCH_hello_ok);
			close(sock);
		}
	}
}
END_TEST

/* The same pid at the same time, but another program: it drew a new number. */
START_TEST(another_incarnation_of_the_process_is_refused)
{
	struct orch_hello h = good_hello(ROLE_RUNNER, &agent);
	char text[IDENT_TEXT_MAX];
	struct ident id;

	ck_assert_int_eq(ident_parse(h.ident, &id), 0);
	id.id_incarnation[15] ^= 1;
	ck_assert_int_eq(ident_format(&id, text, sizeof(text)), 0);
	h.ident = text;
	refused(ROLE_RUNNER, &h, "another process owns this run");
	/* Nor one that keeps its number to itself. */
	memset(id.id_incarnation, 0, sizeof(id.id_incarnation));
	ck_assert_int_eq(ident_format(&id, text, sizeof(text)), 0);
	refused(ROLE_RUNNER, &h, "another process owns this run");
}
END_TEST

/* A newer program's HELLO may have a field that nobody here knows. */
START_TEST(a_longer_hello_is_refused_by_its_version)
{
	struct orch_hello h = good_hello(ROLE_RUNNER, &agent);
	const char *field;
	uint8_t *frame;
	size_t len;
	int sock, t;

	for (h.minor = ORCH_PROTO_MINOR + 1;; h.minor--) {
		sock = connect_as(ROLE_RUNNER);
		ck_assert_int_eq(orch_encode(ORCH_hello, 1, &h, &frame, &len,
		    &field), 0);
		raw.r_len = 0;
		memcpy(raw_more(&raw, len), frame, len);
		free(frame);
		raw_str(&raw, 7);
		raw_end(&raw);
		send_raw(sock);
		t = hear(sock, FROM_ENGINE, WAIT_MS);
		close(sock);
		if (h.minor == ORCH_PROTO_MINOR)
			break;
		ck_assert_int_eq(t, ORCH_hello_no);
		ck_assert_ptr_nonnull(strstr(got.hello_no.reason, "version"));
	}
	ck_assert_int_eq(t, -1);	/* of our own version: just wrong */
	engine_lives();
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, a_wrong_key_is_refused);
	tcase_add_test(tc, a_wrong_run_is_refused);
	tcase_add_test(tc, an_agents_run_is_no_workers);
	tcase_add_test(tc, a_wrong_identity_is_refused);
	tcase_add_test(tc, another_process_with_the_key_is_refused);
	tcase_add_test(tc, a_second_hello_is_refused);
	tcase_add_test(tc, nobody_is_somebody_else);
	tcase_add_test(tc, an_older_generation_is_refused);
	tcase_add_test(tc, a_newer_generation_replaces_the_older);
	tcase_add_test(tc, a_run_has_one_connection);
	tcase_add_test(tc, a_person_does_not_speak_for_a_run);
	tcase_add_test(tc, another_version_is_refused_by_name);
	tcase_add_test(tc, a_run_of_the_last_minors_is_taken_and_heard);
	tcase_add_test(tc, a_daemon_of_each_other_minor_is_refused);
	tcase_add_test(tc, another_incarnation_of_the_process_is_refused);
	tcase_add_test(tc, a_longer_hello_is_refused_by_its_version);
	tcase_add_test(tc, a_closed_run_is_refused);
}

int
main(void)
{
	return (engine_suite("orchd hello", add_tests));
}
