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
 * A worker's link against an engine that goes away, repeats itself, refuses
 * and stops.  The engine is this test; the worker is a child of it.
 */

#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bsd/string.h>

#include "libcommon/chan.h"
#include "libcommon/ident.h"
#include "libcommon/link.h"
#include "libcommon/log.h"
#include "proto_fill.h"

#define WAIT_MS	5000

static char dir[] = "/tmp/orchd-link.XXXXXX";
static char path[64];
static const uint8_t key[32] = { 9, 8, 7 };
static int lsock = -1, conn = -1;
static pid_t child;

static void
engine_up(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	(void)strlcpy(sun.sun_path, path, sizeof(sun.sun_path));
	(void)unlink(path);
	ck_assert_int_ne(lsock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC,
	    0), -1);
	ck_assert_int_eq(bind(lsock, (struct sockaddr *)&sun, sizeof(sun)),
	    0);
	ck_assert_int_eq(listen(lsock, 5), 0);
}

static void
engine_down(void)
{
	if (conn != -1)
		close(conn);
	if (lsock != -1)
		close(lsock);
	conn = lsock = -1;
	(void)unlink(path);
}

static void
setup(void)
{
	(void)strlcpy(dir, "/tmp/orchd-link.XXXXXX", sizeof(dir));
	ck_assert_ptr_nonnull(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/s", dir);
	log_init("link", 0);
	engine_up();
}

static void
teardown(void)
{
	engine_down();
	(void)rmdir(dir);
}

/* --- the engine's side ---------------------------------------------------- */

/* The last message; its frame lives until the next. */
static struct orch_header head;
static union orch_any got;

static int
hear(void)
{
	static uint8_t *frame;
	int fd;

	free(frame);
	if (chan_read_one(conn, FROM_RUNS, &head, &got, &frame, &fd,
	    WAIT_MS) == -1) {
		frame = NULL;
		return (-1);
	}
	if (fd != -1)
		close(fd);
	return ((int)head.h_type);
}

static void
say(unsigned int type, uint32_t id, const void *msg)
{
	ck_assert_int_eq(chan_write_one(conn, type, id, msg, -1, WAIT_MS), 0);
}

/* Wait for its connection and its HELLO. */
static void
take_hello(void)
{
	struct pollfd pfd = { .fd = lsock, .events = POLLIN };

	if (conn != -1)
		close(conn);
	ck_assert_int_eq(poll(&pfd, 1, WAIT_MS), 1);
	ck_assert_int_ne(conn = accept4(lsock, NULL, NULL, SOCK_CLOEXEC |
	    SOCK_NONBLOCK), -1);
	ck_assert_int_eq(hear(), ORCH_hello);
	ck_assert_uint_eq(got.hello.run, 77);
	ck_assert_uint_eq(got.hello.role, ROLE_WORKER);
	ck_assert_uint_eq(got.hello.key.b_len, 32);
	ck_assert_int_eq(memcmp(got.hello.key.b_data, key, 32), 0);
}

static void
welcome(void)
{
	struct orch_hello_ok ok = { .minor = ORCH_PROTO_MINOR };

	take_hello();
	say(ORCH_hello_ok, head.h_id, &ok);
}

static void
go(const char *task)
{
	struct orch_run_go m;

	memset(&m, 0, sizeof(m));
	m.run = 77;
	m.task = task;
	say(ORCH_run_go, 0, &m);
}

static void
grant(uint64_t epoch, enum orch_result result)
{
	struct orch_grant m = { (uint8_t)result, epoch, "text" };

	say(ORCH_grant, head.h_id, &m);
}

/* --- the worker's side ---------------------------------------------------- */

/* What a worker does; its exit status is what it found. */
static void
start(int (*work)(struct link *))
{
	struct link *l;
	int ret;

	if ((child = fork()) != 0) {
		ck_assert_int_ne(child, -1);
		return;
	}
	close(lsock);
	if ((l = link_new(path, ROLE_WORKER, 77, key)) == NULL)
		_exit(70);
	ret = work(l);
	link_free(l);
	_exit(ret);
}

static int
ended(void)
{
	int status;

	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	return (WEXITSTATUS(status));
}

static int
begin(struct link *l, union orch_any *any)
{
	struct orch_begin m = { .run = 77, .task = "T-1", .stage = "s",
	    .seq = 3 };

	return (link_call(l, ORCH_begin, &m, -1, ORCH_grant, any));
}

/* GO, then BEGIN: the epoch that was granted, 100 + errno when not. */
static int
go_and_begin(struct link *l)
{
	struct orch_run_go m;
	union orch_any any;
	int fd;

	if (link_wait_go(l, &m, &fd) == -1 || strcmp(m.task, "T-1") != 0 ||
	    fd != -1)
		return (90);
	if (begin(l, &any) == -1)
		return (errno == ECANCELED ? 91 : 92);
	/* The texts of GO live on. */
	if (strcmp(m.task, "T-1") != 0 ||
	    strcmp(any.grant.text, "text") != 0)
		return (93);
	return ((int)any.grant.epoch);
}

START_TEST(a_request_gets_its_answer)
{
	struct orch_grant other = { RES_OK, 66, "another's" };

	start(go_and_begin);
	welcome();
	go("T-1");
	ck_assert_int_eq(hear(), ORCH_begin);
	ck_assert_uint_eq(got.begin.seq, 3);
	say(ORCH_grant, head.h_id + 1, &other);
	grant(7, RES_OK);
	ck_assert_int_eq(ended(), 7);
}
END_TEST

START_TEST(it_waits_for_an_engine_that_is_not_there)
{
	engine_down();
	start(go_and_begin);
	usleep(300000);
	engine_up();
	welcome();
	go("T-1");
	ck_assert_int_eq(hear(), ORCH_begin);
	grant(7, RES_OK);
	ck_assert_int_eq(ended(), 7);
}
END_TEST

/* The engine dies between question and answer, twice. */
START_TEST(what_was_not_answered_is_asked_again)
{
	start(go_and_begin);
	welcome();
	go("T-1");
	ck_assert_int_eq(hear(), ORCH_begin);
	welcome();
	ck_assert_int_eq(hear(), ORCH_begin);
	engine_down();
	engine_up();
	welcome();
	go("T-2");		/* it has begun: a second GO is not heard */
	ck_assert_int_eq(hear(), ORCH_begin);
	ck_assert_str_eq(got.begin.task, "T-1");
	grant(8, RES_OK);
	ck_assert_int_eq(ended(), 8);
}
END_TEST

/* Half an answer is none. */
START_TEST(half_an_answer_is_asked_for_again)
{
	struct raw raw = { NULL, 0, 0 };

	start(go_and_begin);
	welcome();
	go("T-1");
	ck_assert_int_eq(hear(), ORCH_begin);
	raw_message(&raw, ORCH_grant, head.h_id, FILL_SMALL);
	ck_assert_int_eq(write(conn, raw.r_p, raw.r_len - 1),
	    (ssize_t)raw.r_len - 1);
	free(raw.r_p);
	welcome();
	ck_assert_int_eq(hear(), ORCH_begin);
	grant(9, RES_OK);
	ck_assert_int_eq(ended(), 9);
}
END_TEST

START_TEST(retry_is_asked_again_on_the_same_connection)
{
	start(go_and_begin);
	welcome();
	go("T-1");
	ck_assert_int_eq(hear(), ORCH_begin);
	grant(0, RES_RETRY);
	ck_assert_int_eq(hear(), ORCH_begin);
	grant(10, RES_OK);
	ck_assert_int_eq(ended(), 10);
}
END_TEST

START_TEST(ping_is_answered_while_it_waits)
{
	struct orch_ping ping = { 0x1234 };
	uint32_t id;

	start(go_and_begin);
	welcome();
	go("T-1");
	ck_assert_int_eq(hear(), ORCH_begin);
	id = head.h_id;
	say(ORCH_ping, 55, &ping);
	ck_assert_int_eq(hear(), ORCH_pong);
	ck_assert_uint_eq(head.h_id, 55);
	ck_assert_uint_eq(got.pong.nonce, 0x1234);
	head.h_id = id;
	grant(11, RES_OK);
	ck_assert_int_eq(ended(), 11);
}
END_TEST

START_TEST(hello_no_cancels_for_good)
{
	struct orch_hello_no no = { "this run is closed" };

	start(go_and_begin);
	take_hello();
	say(ORCH_hello_no, head.h_id, &no);
	ck_assert_int_eq(ended(), 90);
}
END_TEST

static int
refused_later(struct link *l)
{
	int ret = go_and_begin(l);

	if (strcmp(link_reason(l), "another owns it") != 0)
		return (80);
	/* Nothing brings it back. */
	if (link_resume(l) != -1 || errno != ECANCELED)
		return (81);
	return (ret);
}

START_TEST(hello_no_of_the_next_engine_cancels_the_request)
{
	struct orch_hello_no no = { "another owns it" };

	start(refused_later);
	welcome();
	go("T-1");
	ck_assert_int_eq(hear(), ORCH_begin);
	take_hello();
	say(ORCH_hello_no, head.h_id, &no);
	ck_assert_int_eq(ended(), 91);
}
END_TEST

/* Stopped while it asks; then it still says how it ended. */
static int
stopped_then_resumed(struct link *l)
{
	struct orch_end m = { .epoch = 1, .reason = "stopped" };
	union orch_any any;

	if (go_and_begin(l) != 91 ||
	    strcmp(link_reason(l), "shutdown") != 0 || !link_stopped(l))
		return (80);
	if (begin(l, &any) != -1 || errno != ECANCELED)
		return (81);
	if (link_resume(l) == -1 || link_call(l, ORCH_end, &m, -1, ORCH_ack,
	    &any) == -1)
		return (82);
	return (any.ack.result == RES_DUPLICATE ? 12 : 83);
}

START_TEST(run_stop_cancels_and_resume_goes_on)
{
	struct orch_run_stop stop = { "shutdown" };
	struct orch_ack ack = { RES_DUPLICATE, "" };

	start(stopped_then_resumed);
	welcome();
	go("T-1");
	ck_assert_int_eq(hear(), ORCH_begin);
	say(ORCH_run_stop, 0, &stop);
	ck_assert_int_eq(hear(), ORCH_end);
	say(ORCH_ack, head.h_id, &ack);
	ck_assert_int_eq(ended(), 12);
}
END_TEST

/*
 * A request that a stop cut off is asked again and gets two answers: the late
 * one must not be taken for the answer to what comes next.
 */
static int
asks_after_a_stop(struct link *l)
{
	struct orch_end m = { .epoch = 1, .reason = "stopped" };
	union orch_any any;

	if (go_and_begin(l) != 91 || link_resume(l) == -1 ||
	    link_call(l, ORCH_end, &m, -1, ORCH_ack, &any) == -1)
		return (80);
	return (any.ack.result);
}

START_TEST(a_late_answer_is_not_the_next_ones)
{
	struct orch_run_stop stop = { "shutdown" };
	struct orch_ack late = { RES_OK, "" }, right = { RES_FENCED, "" };
	uint32_t first;

	start(asks_after_a_stop);
	welcome();
	go("T-1");
	ck_assert_int_eq(hear(), ORCH_begin);
	first = head.h_id;
	say(ORCH_run_stop, 0, &stop);
	ck_assert_int_eq(hear(), ORCH_end);
	ck_assert_uint_ne(head.h_id, first);
	say(ORCH_ack, first, &late);
	say(ORCH_ack, head.h_id, &right);
	ck_assert_int_eq(ended(), RES_FENCED);
}
END_TEST

static int
stopped_at_go(struct link *l)
{
	struct orch_run_go m;
	int fd;

	if (link_wait_go(l, &m, &fd) != -1 || errno != ECANCELED)
		return (80);
	return (strcmp(link_reason(l), "shutdown") == 0 ? 13 : 81);
}

START_TEST(run_stop_before_go_cancels)
{
	struct orch_run_stop stop = { "shutdown" };

	start(stopped_at_go);
	welcome();
	say(ORCH_run_stop, 0, &stop);
	ck_assert_int_eq(ended(), 13);
}
END_TEST

/* It does not wait when there is nothing, and finds the next engine. */
static int
polls(struct link *l)
{
	struct orch_run_go m;
	int fd, i;

	if (link_wait_go(l, &m, &fd) == -1 || link_stopped(l))
		return (80);
	for (i = 0; i < 100; i++) {
		if (link_stopped(l))
			return (14);
		usleep(50000);
	}
	return (81);
}

START_TEST(a_stop_is_heard_without_asking)
{
	struct orch_run_stop stop = { "shutdown" };

	start(polls);
	welcome();
	go("T-1");
	welcome();		/* a new engine */
	go("T-1");
	say(ORCH_run_stop, 0, &stop);
	ck_assert_int_eq(ended(), 14);
}
END_TEST

static int
too_long(struct link *l)
{
	static char task[66];
	struct orch_begin m = { .run = 77, .task = task };
	struct orch_run_go g;
	union orch_any any;
	int fd;

	memset(task, 'x', sizeof(task) - 1);
	if (link_wait_go(l, &g, &fd) == -1)
		return (80);
	return (link_call(l, ORCH_begin, &m, -1, ORCH_grant, &any) == -1 &&
	    errno == EMSGSIZE ? 15 : 81);
}

START_TEST(a_request_that_is_too_long_is_not_repeated)
{
	start(too_long);
	welcome();
	go("T-1");
	ck_assert_int_eq(ended(), 15);
}
END_TEST

/* An engine that takes us and drops us again is not stormed. */
START_TEST(being_dropped_does_not_make_a_storm)
{
	struct timespec a, b;
	long ms;
	int i;

	start(go_and_begin);
	welcome();
	go("T-1");
	ck_assert_int_eq(hear(), ORCH_begin);
	clock_gettime(CLOCK_MONOTONIC, &a);
	for (i = 0; i < 10; i++) {
		welcome();
		ck_assert_int_eq(hear(), ORCH_begin);
	}
	clock_gettime(CLOCK_MONOTONIC, &b);
	ms = (b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000;
	ck_assert_msg(ms >= 450, "10 connections in %ld ms", ms);
	grant(16, RES_OK);
	ck_assert_int_eq(ended(), 16);
}
END_TEST

/* A message with a field more than this version knows. */
static void
say_longer(unsigned int type, const void *msg, uint32_t id)
{
	struct raw raw = { NULL, 0, 0 };
	const char *field;
	uint8_t *frame;
	size_t len;

	ck_assert_int_eq(orch_encode(type, id, msg, &frame, &len, &field), 0);
	memcpy(raw_more(&raw, len), frame, len);
	raw_str(&raw, 9);
	raw_end(&raw);
	ck_assert_int_eq(write(conn, raw.r_p, raw.r_len),
	    (ssize_t)raw.r_len);
	free(frame);
	free(raw.r_p);
}

/* After an upgrade the new engine may say more than this worker knows. */
START_TEST(the_next_engine_may_be_newer)
{
	struct orch_hello_ok ok = { .minor = ORCH_PROTO_MINOR + 1 };
	struct orch_grant g = { RES_OK, 17, "text" };

	start(go_and_begin);
	welcome();
	go("T-1");
	ck_assert_int_eq(hear(), ORCH_begin);
	take_hello();
	say_longer(ORCH_hello_ok, &ok, head.h_id);
	ck_assert_int_eq(hear(), ORCH_begin);
	say_longer(ORCH_grant, &g, head.h_id);
	ck_assert_int_eq(ended(), 17);
}
END_TEST

START_TEST(a_descriptor_goes_along_each_time)
{
	struct orch_header h;
	union orch_any any;
	uint8_t *frame;
	int fd, i, file;

	ck_assert_int_ne(file = open("/dev/null", O_RDONLY), -1);
	if ((child = fork()) == 0) {
		struct link *l = link_new(path, ROLE_WORKER, 77, key);
		struct orch_run_done m = { .run = 77, .reason = "" };

		_exit(l != NULL && link_call(l, ORCH_run_done, &m, file,
		    ORCH_ack, &any) == 0 && fcntl(file, F_GETFD) != -1 ? 18 :
		    80);
	}
	close(file);
	for (i = 0; i < 2; i++) {
		welcome();
		ck_assert_int_eq(chan_read_one(conn, FROM_RUNS, &h, &any,
		    &frame, &fd, WAIT_MS), 0);
		ck_assert_uint_eq(h.h_type, ORCH_run_done);
		ck_assert_int_ne(fd, -1);
		close(fd);
		free(frame);
	}
	{
		struct orch_ack ack = { RES_OK, "" };

		say(ORCH_ack, h.h_id, &ack);
	}
	ck_assert_int_eq(ended(), 18);
}
END_TEST

START_TEST(a_path_that_is_too_long_is_refused)
{
	char text[200];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	ck_assert_ptr_null(link_new(text, ROLE_WORKER, 1, key));
	ck_assert_int_eq(errno, ENAMETOOLONG);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, a_request_gets_its_answer);
	tcase_add_test(tc, it_waits_for_an_engine_that_is_not_there);
	tcase_add_test(tc, what_was_not_answered_is_asked_again);
	tcase_add_test(tc, half_an_answer_is_asked_for_again);
	tcase_add_test(tc, retry_is_asked_again_on_the_same_connection);
	tcase_add_test(tc, ping_is_answered_while_it_waits);
	tcase_add_test(tc, hello_no_cancels_for_good);
	tcase_add_test(tc, hello_no_of_the_next_engine_cancels_the_request);
	tcase_add_test(tc, run_stop_cancels_and_resume_goes_on);
	tcase_add_test(tc, a_late_answer_is_not_the_next_ones);
	tcase_add_test(tc, run_stop_before_go_cancels);
	tcase_add_test(tc, a_stop_is_heard_without_asking);
	tcase_add_test(tc, a_request_that_is_too_long_is_not_repeated);
	tcase_add_test(tc, being_dropped_does_not_make_a_storm);
	tcase_add_test(tc, the_next_engine_may_be_newer);
	tcase_add_test(tc, a_descriptor_goes_along_each_time);
	tcase_add_test(tc, a_path_that_is_too_long_is_refused);
}

int
main(void)
{
	Suite *s = suite_create("common link");
	TCase *tc = tcase_create("link");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 20);
	add_tests(tc);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed == 0 ? 0 : 1);
}
