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


/*
 * The common frame of the daemons, in a process of its own: the test is its
 * parent on descriptor 3 and its engine.
 */

#include <sys/socket.h>
#include <sys/wait.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libcommon/chan.h"
#include "libcommon/daemon.h"
#include "libcommon/ident.h"
#include "libcommon/log.h"

#define WAIT_MS	5000

static int parent = -1, engine = -1;	/* our ends */
static pid_t child;

/* --- the daemon ----------------------------------------------------------- */

static char secret[32];
static int listener;

/* Tell the engine, in a notice, what happened. */
static void
tell(const char *kind, const char *text)
{
	struct orch_notice m = { kind, "daemon", 1, text };
	uint32_t id = 0;

	if (daemon_send(ORCH_notice, &m, &id) == -1 || id == 0)
		_exit(60);
}

static void
on_listen(const struct orch_child_listen *m, int fd)
{
	listener = fcntl(fd, F_GETFD) != -1 && strcmp(m->name, "page") == 0 &&
	    m->loopback == 1 && m->cert.b_len == 4 &&
	    memcmp(m->cert.b_data, "cert", 4) == 0 && m->key.b_len == 0;
	close(fd);
}

static void
on_secret(const char *name, const char *value)
{
	if (strcmp(name, "token") == 0)
		snprintf(secret, sizeof(secret), "%s", value);
}

static int
on_setup(enum orch_role role)
{
	struct orch_notice m = { "early", "", 1, "" };

	if (role != ROLE_REAPERD || daemon_connected() ||
	    daemon_send(ORCH_notice, &m, NULL) != -1 || errno != ENOTCONN)
		_exit(61);
	return (strcmp(daemon_option("fail", "no"), "yes") == 0 ? -1 : 0);
}

static char projects[64];

static void
on_up(void)
{
	char text[200];

	snprintf(text, sizeof(text), "%s %s %lld %lld %lld %s %d%s",
	    daemon_option("a", "none"), daemon_option("b", "none"),
	    daemon_option_num("n", 1, 100, 5),
	    daemon_option_num("big", 1, 100, 5),
	    daemon_option_num("word", 1, 100, 5), secret, listener,
	    projects);
	tell("up", text);
}

static int went_down;

static void
on_down(void)
{
	struct orch_notice m = { "down", "", 1, "" };

	went_down = 1;
	if (daemon_connected() || daemon_send(ORCH_notice, &m, NULL) != -1)
		_exit(62);
}

static void
on_message(const struct orch_header *h, const union orch_any *any, int *fd)
{
	if (h->h_type == ORCH_ack)
		tell(went_down ? "after" : "message", any->ack.text);
}

static void
on_shutdown(void)
{
	_exit(7);
}

static void
on_project(const struct orch_child_project *m)
{
	size_t n = strlen(projects);

	snprintf(projects + n, sizeof(projects) - n, " %s", m->name);
}

/* It has something to finish, and never does. */
static void
on_drain(void)
{
	tell("drain", "");
}

static const struct daemon_ops ops = { "testd", FROM_REAPERD, on_listen,
	on_secret, on_setup, on_up, on_down, on_message, on_shutdown,
	on_project, on_drain };

static void
start_with(int sock, char *arg)
{
	char name[] = "testd";
	char *argv[] = { name, arg, NULL };

	ck_assert_int_ne(child = fork(), -1);
	if (child != 0)
		return;
	if (parent != -1)
		close(parent);
	if (freopen("/dev/null", "w", stderr) == NULL)
		_exit(71);
	if (sock != -1 && dup2(sock, 3) == -1)
		_exit(70);
	if (sock == -1)
		close(3);
	_exit(daemon_run(&ops, arg == NULL ? 1 : 2, argv));
}

/* --- parent and engine ---------------------------------------------------- */

static void
setup(void)
{
	int sv[2];

	log_init("test", 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
	    sv), 0);
	parent = sv[0];
	start_with(sv[1], NULL);
	close(sv[1]);
}

static void
teardown(void)
{
	if (child > 0) {
		(void)kill(child, SIGKILL);
		(void)waitpid(child, NULL, 0);
	}
	if (parent != -1)
		close(parent);
	if (engine != -1)
		close(engine);
}

static int
ended(void)
{
	int status;

	ck_assert_int_eq(waitpid(child, &status, 0), child);
	child = -1;
	ck_assert_msg(WIFEXITED(status), "status %#x", status);
	return (WEXITSTATUS(status));
}

static struct orch_header head;
static union orch_any got;

static int
hear(int sock, uint32_t senders)
{
	static uint8_t *frame;
	int fd;

	free(frame);
	if (chan_read_one(sock, senders, &head, &got, &frame, &fd, WAIT_MS) ==
	    -1) {
		frame = NULL;
		return (-1);
	}
	if (fd != -1)
		close(fd);
	return ((int)head.h_type);
}

static void
say(int sock, unsigned int type, const void *msg, int fd)
{
	ck_assert_int_eq(chan_write_one(sock, type, 9, msg, fd, WAIT_MS), 0);
}

/* A new pair: our end is the engine, the other is handed over. */
static int
new_engine(void)
{
	int sv[2];

	if (engine != -1)
		close(engine);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
	    sv), 0);
	engine = sv[0];
	return (sv[1]);
}

static void
child_start(enum orch_role role)
{
	static const char *const options[] = { "a=first", "ab=other", "n=50",
	    "big=101", "word=x", NULL };
	struct orch_child_start m;
	int fd = new_engine();

	memset(&m, 0, sizeof(m));
	m.role = (uint8_t)role;
	m.generation = 4;
	m.name = "testd";
	m.options.l_argv = options;
	say(parent, ORCH_child_start, &m, fd);
	close(fd);
}

static void
child_go(void)
{
	struct orch_child_go m = { ROLE_REAPERD };

	say(parent, ORCH_child_go, &m, -1);
}

/* Its HELLO, and our welcome. */
static void
welcome(uint32_t generation)
{
	struct orch_hello_ok ok = { .minor = ORCH_PROTO_MINOR };
	struct ident id;

	ck_assert_int_eq(hear(engine, FROM_REAPERD), ORCH_hello);
	ck_assert_uint_eq(got.hello.role, ROLE_REAPERD);
	ck_assert_uint_eq(got.hello.generation, generation);
	ck_assert_uint_eq(got.hello.major, ORCH_PROTO_MAJOR);
	ck_assert_uint_eq(got.hello.minor, ORCH_PROTO_MINOR);
	ck_assert_uint_eq(got.hello.run, 0);
	ck_assert_int_eq(ident_parse(got.hello.ident, &id), 0);
	ck_assert_int_eq(id.id_pid, child);
	ck_assert_int_eq(chan_write_one(engine, ORCH_hello_ok, head.h_id, &ok,
	    -1, WAIT_MS), 0);
}

static void
expect_notice(const char *kind, const char *text)
{
	ck_assert_int_eq(hear(engine, FROM_REAPERD), ORCH_notice);
	ck_assert_str_eq(got.notice.kind, kind);
	ck_assert_str_eq(got.notice.text, text);
}

static void
start_up(void)
{
	child_start(ROLE_REAPERD);
	child_go();
	welcome(4);
	ck_assert_int_eq(hear(parent, FROM_REAPERD), ORCH_child_ready);
	ck_assert_uint_eq(got.child_ready.role, ROLE_REAPERD);
	expect_notice("up", "first none 50 5 5  0");
}

START_TEST(it_starts_with_what_it_is_given)
{
	struct orch_child_secret s = { "token", "s3cret-value" };
	struct orch_child_listen l = { .name = "page", .loopback = 1,
	    .cert = { (const uint8_t *)"cert", 4 } };
	int fd;

	child_start(ROLE_REAPERD);
	say(parent, ORCH_child_secret, &s, -1);
	ck_assert_int_ne(fd = open("/dev/null", O_RDONLY | O_CLOEXEC), -1);
	say(parent, ORCH_child_listen, &l, fd);
	close(fd);
	child_go();
	welcome(4);
	ck_assert_int_eq(hear(parent, FROM_REAPERD), ORCH_child_ready);
	expect_notice("up", "first none 50 5 5 s3cret-value 1");
}
END_TEST

START_TEST(it_is_ready_only_when_the_engine_took_it)
{
	struct orch_ping ping = { 3 };

	child_start(ROLE_REAPERD);
	child_go();
	ck_assert_int_eq(hear(engine, FROM_REAPERD), ORCH_hello);
	say(parent, ORCH_ping, &ping, -1);
	/* The answer to ping comes first: it was not ready before. */
	ck_assert_int_eq(hear(parent, FROM_REAPERD), ORCH_pong);
}
END_TEST

START_TEST(messages_go_both_ways)
{
	struct orch_ack ack = { RES_OK, "hello there" };
	struct orch_ping ping = { 5 };

	start_up();
	say(engine, ORCH_ack, &ack, -1);
	expect_notice("message", "hello there");
	say(engine, ORCH_ping, &ping, -1);
	ck_assert_int_eq(hear(engine, FROM_REAPERD), ORCH_pong);
	ck_assert_uint_eq(got.pong.nonce, 5);
	ck_assert_uint_eq(head.h_id, 9);
}
END_TEST

/* A new engine gets a new HELLO, and the parent no second child_ready. */
START_TEST(it_outlives_its_engine)
{
	struct orch_child_engine m = { 5 };
	struct orch_ack ack = { RES_OK, "again" };
	struct orch_ping ping = { 6 };
	int fd;

	start_up();
	fd = new_engine();
	say(parent, ORCH_child_engine, &m, fd);
	close(fd);
	welcome(5);
	expect_notice("up", "first none 50 5 5  0");
	say(engine, ORCH_ack, &ack, -1);
	expect_notice("after", "again");
	say(parent, ORCH_ping, &ping, -1);
	ck_assert_int_eq(hear(parent, FROM_REAPERD), ORCH_pong);
}
END_TEST

/* The old connection may still be there when the new one comes. */
START_TEST(a_new_connection_replaces_the_old_one)
{
	struct orch_child_engine m = { 6 };
	int fd, old;

	start_up();
	old = engine;
	engine = -1;
	fd = new_engine();
	say(parent, ORCH_child_engine, &m, fd);
	close(fd);
	welcome(6);
	expect_notice("up", "first none 50 5 5  0");
	ck_assert_int_eq(hear(old, FROM_REAPERD), -1);
	ck_assert_int_eq(errno, ECONNRESET);
	close(old);
}
END_TEST

/* What only a peer may say does not come from an engine. */
START_TEST(a_false_engine_is_dropped_and_a_true_one_taken)
{
	struct orch_child_engine m = { 5 };
	struct orch_candidates c = { 1 };
	int fd;

	start_up();
	say(engine, ORCH_candidates, &c, -1);
	ck_assert_int_eq(hear(engine, FROM_REAPERD), -1);
	fd = new_engine();
	say(parent, ORCH_child_engine, &m, fd);
	close(fd);
	welcome(5);
	expect_notice("up", "first none 50 5 5  0");
}
END_TEST

START_TEST(projects_come_at_the_start_and_no_more_after_it)
{
	struct orch_child_project p = { .name = "one" };
	struct orch_child_engine m = { 5 };
	int fd;

	child_start(ROLE_REAPERD);
	say(parent, ORCH_child_project, &p, -1);
	child_go();
	welcome(4);
	ck_assert_int_eq(hear(parent, FROM_REAPERD), ORCH_child_ready);
	expect_notice("up", "first none 50 5 5  0 one");
	p.name = "two";
	say(parent, ORCH_child_project, &p, -1);
	fd = new_engine();
	say(parent, ORCH_child_engine, &m, fd);
	close(fd);
	welcome(5);
	expect_notice("up", "first none 50 5 5  0 one");
}
END_TEST

START_TEST(it_ends_with_its_parent)
{
	start_up();
	close(parent);
	parent = -1;
	ck_assert_int_eq(ended(), 7);
}
END_TEST

START_TEST(a_signal_lets_it_finish_and_the_next_one_ends_it)
{
	struct orch_ack m = { RES_OK, "late" };

	start_up();
	ck_assert_int_eq(kill(child, SIGTERM), 0);
	expect_notice("drain", "");
	say(engine, ORCH_ack, &m, -1);
	expect_notice("message", "late");
	ck_assert_int_eq(kill(child, SIGTERM), 0);
	ck_assert_int_eq(ended(), 7);
}
END_TEST

START_TEST(hello_no_ends_it)
{
	struct orch_hello_no no = { "an older generation" };

	child_start(ROLE_REAPERD);
	child_go();
	ck_assert_int_eq(hear(engine, FROM_REAPERD), ORCH_hello);
	say(engine, ORCH_hello_no, &no, -1);
	ck_assert_int_eq(ended(), 7);
}
END_TEST

START_TEST(another_role_than_its_own_is_refused)
{
	child_start(ROLE_FINALIZERD);
	ck_assert_int_eq(ended(), 1);
}
END_TEST

START_TEST(a_role_that_does_not_exist_is_refused)
{
	child_start((enum orch_role)200);
	ck_assert_int_eq(ended(), 1);
}
END_TEST

START_TEST(go_before_start_is_refused)
{
	child_go();
	ck_assert_int_eq(ended(), 1);
}
END_TEST

START_TEST(a_second_start_is_refused)
{
	child_start(ROLE_REAPERD);
	child_start(ROLE_REAPERD);
	ck_assert_int_eq(ended(), 1);
}
END_TEST

START_TEST(another_message_before_go_is_refused)
{
	struct orch_quiesce q = { 1 };

	say(parent, ORCH_quiesce, &q, -1);
	ck_assert_int_eq(ended(), 1);
}
END_TEST

START_TEST(what_the_parent_does_not_send_is_refused)
{
	struct orch_run_stop m = { "as if" };

	say(parent, ORCH_run_stop, &m, -1);
	ck_assert_int_eq(ended(), 1);
}
END_TEST

START_TEST(a_parent_that_dies_before_go_ends_it)
{
	child_start(ROLE_REAPERD);
	close(parent);
	parent = -1;
	ck_assert_int_eq(ended(), 1);
}
END_TEST

START_TEST(without_a_parent_it_says_how_it_is_used)
{
	char unknown[] = "-Z";

	start_with(-1, NULL);
	ck_assert_int_eq(ended(), 1);
	start_with(-1, unknown);
	ck_assert_int_eq(ended(), 1);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, it_starts_with_what_it_is_given);
	tcase_add_test(tc, it_is_ready_only_when_the_engine_took_it);
	tcase_add_test(tc, messages_go_both_ways);
	tcase_add_test(tc, it_outlives_its_engine);
	tcase_add_test(tc, a_new_connection_replaces_the_old_one);
	tcase_add_test(tc, a_false_engine_is_dropped_and_a_true_one_taken);
	tcase_add_test(tc, projects_come_at_the_start_and_no_more_after_it);
	tcase_add_test(tc, it_ends_with_its_parent);
	tcase_add_test(tc,
	    a_signal_lets_it_finish_and_the_next_one_ends_it);
	tcase_add_test(tc, hello_no_ends_it);
	tcase_add_test(tc, another_role_than_its_own_is_refused);
	tcase_add_test(tc, a_role_that_does_not_exist_is_refused);
	tcase_add_test(tc, go_before_start_is_refused);
	tcase_add_test(tc, a_second_start_is_refused);
	tcase_add_test(tc, another_message_before_go_is_refused);
	tcase_add_test(tc, what_the_parent_does_not_send_is_refused);
	tcase_add_test(tc, a_parent_that_dies_before_go_ends_it);
}

int
main(void)
{
	Suite *s = suite_create("common daemon");
	TCase *tc = tcase_create("daemon"), *alone = tcase_create("alone");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 20);
	add_tests(tc);
	tcase_add_test(alone, without_a_parent_it_says_how_it_is_used);
	suite_add_tcase(s, tc);
	suite_add_tcase(s, alone);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed == 0 ? 0 : 1);
}
