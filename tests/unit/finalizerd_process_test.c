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
 * The whole process of `finalizerd -w' on real sockets: run_spec on descriptor
 * 3, an engine that goes away, that stops it, that does not know it.
 */

#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <check.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bsd/string.h>

#include "finalizerd/finalizerd.h"
#include "libcommon/chan.h"
#include "libcommon/fsutil.h"
#include "libcommon/git_run.h"

#define WAIT_MS		10000
#define BRANCH		"feature/D-1-x"

static char dir[] = "/tmp/orchd-worker.XXXXXX";
static char sock_path[64], mirror[64], log_path[64];
static char head[41];
static uint8_t run_key[32] = { 1, 2, 3 };
static int lsock = -1, conn = -1;
static pid_t child;
static const char *work;
static const char *const options[] = { "interval_s=1", "window_s=60", NULL };

/* What the engine got. */
static unsigned int neffects, nends, ndones;
static int end_verdict, end_cause;

static void
setup(void)
{
	const char *init[] = { "init", "-q", "--bare", mirror, NULL };
	struct git_who who = { "t", "t@example.org", 1700000000 };
	struct git_file file = { "a", "a\n", 2 };
	struct git_cmd cmd = { .gc_argv = init };
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct git_repo repo;
	struct git_out out;
	char err[256];

	ck_assert_ptr_nonnull(mkdtemp(dir));
	(void)snprintf(mirror, sizeof(mirror), "%s/m.git", dir);
	(void)snprintf(sock_path, sizeof(sock_path), "%s/s", dir);
	(void)snprintf(log_path, sizeof(log_path), "%s/log", dir);
	ck_assert_int_eq(git_run(&cmd, &out, err, sizeof(err)), 0);
	git_out_free(&out);
	ck_assert_int_eq(git_open(&repo, mirror, err, sizeof(err)), GIT_OK);
	ck_assert_int_eq(git_write_files_commit(&repo, NULL, &file, 1, "m\n",
	    &who, head, err, sizeof(err)), GIT_OK);
	(void)strlcpy(sun.sun_path, sock_path, sizeof(sun.sun_path));
	ck_assert_int_ne(lsock = socket(AF_UNIX, SOCK_STREAM, 0), -1);
	ck_assert_int_eq(bind(lsock, (struct sockaddr *)&sun, sizeof(sun)),
	    0);
	ck_assert_int_eq(listen(lsock, 5), 0);
}

static void
teardown(void)
{
	close(lsock);
	(void)fs_remove_tree(AT_FDCWD, dir, NULL, 0);
}

/* Start the worker as the parent does. */
static void
start(void)
{
	struct orch_run_spec spec;
	int sp[2], log;

	neffects = nends = ndones = 0;
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, sp), 0);
	ck_assert_int_ne(log = open(log_path, O_WRONLY | O_CREAT | O_APPEND,
	    0600), -1);
	if ((child = fork()) == 0) {
		close(lsock);
		if (dup2(sp[1], 3) == -1)
			_exit(70);
		_exit(worker_main());
	}
	close(sp[1]);
	memset(&spec, 0, sizeof(spec));
	spec.run = 5;
	spec.kind = KIND_TRANSITION;
	spec.key.b_data = run_key;
	spec.key.b_len = sizeof(run_key);
	spec.socket = sock_path;
	spec.mirror = mirror;
	spec.records = "orchd/records";
	spec.probe_url = "http://127.0.0.1:1/";
	ck_assert_int_eq(chan_write_one(sp[0], ORCH_run_spec, 1, &spec, log,
	    WAIT_MS), 0);
	close(log);
	close(sp[0]);		/* the parent dies: no matter */
}

static void
say(unsigned int type, uint32_t id, const void *msg)
{
	ck_assert_int_eq(chan_write_one(conn, type, id, msg, -1, WAIT_MS), 0);
}

/* Read one message; the frame lives until the next. */
static unsigned int
hear(struct orch_header *h, union orch_any *any)
{
	static uint8_t *frame;
	int fd;

	free(frame);
	frame = NULL;
	ck_assert_int_eq(chan_read_one(conn, FROM_WORKER, h, any, &frame, &fd,
	    WAIT_MS), 0);
	return (h->h_type);
}

/* Take its connection and its HELLO; ok 0 answers hello_no. */
static void
take(int ok)
{
	struct pollfd pfd = { .fd = lsock, .events = POLLIN };
	struct orch_hello_ok yes = { .minor = ORCH_PROTO_MINOR };
	struct orch_hello_no no = { .reason = "this run is closed" };
	struct orch_run_go go;
	struct orch_header h;
	union orch_any any;

	ck_assert_int_eq(poll(&pfd, 1, WAIT_MS), 1);
	ck_assert_int_ne(conn = accept(lsock, NULL, NULL), -1);
	ck_assert_uint_eq(hear(&h, &any), ORCH_hello);
	ck_assert_uint_eq(any.hello.run, 5);
	ck_assert_uint_eq(any.hello.role, ROLE_WORKER);
	ck_assert_int_eq(memcmp(any.hello.key.b_data, run_key, 32), 0);
	if (!ok) {
		say(ORCH_hello_no, h.h_id, &no);
		return;
	}
	say(ORCH_hello_ok, h.h_id, &yes);
	memset(&go, 0, sizeof(go));
	go.run = 5;
	go.task = "D-1";
	go.stage = "analysis";
	go.seq = 2;
	go.work = work;
	go.options.l_argv = options;
	go.branch = BRANCH;
	go.target = "main";
	go.head = head;
	say(ORCH_run_go, 0, &go);
}

/* Answer until run_done, or until a message of type until was read. */
static void
serve(unsigned int until)
{
	struct orch_grant grant = { .result = RES_OK, .epoch = 1 };
	struct orch_effect_answer effect = { .result = RES_OK };
	struct orch_ack ack = { .result = RES_OK };
	struct orch_header h;
	union orch_any any;

	for (;;) {
		if (hear(&h, &any) == until)
			return;
		switch (h.h_type) {
		case ORCH_begin:
			say(ORCH_grant, h.h_id, &grant);
			break;
		case ORCH_effect:
			neffects++;
			say(ORCH_effect_answer, h.h_id, &effect);
			break;
		case ORCH_end:
			nends++;
			end_verdict = any.end.verdict;
			end_cause = any.end.cause;
			say(ORCH_ack, h.h_id, &ack);
			break;
		case ORCH_run_done:
			ndones++;
			say(ORCH_ack, h.h_id, &ack);
			return;
		default:
			say(ORCH_ack, h.h_id, &ack);
		}
	}
}

static int
ended(void)
{
	int status;

	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	close(conn);
	return (WEXITSTATUS(status));
}

static int
published(void)
{
	struct git_repo repo;
	char oid[41], err[256];

	ck_assert_int_eq(git_open(&repo, mirror, err, sizeof(err)), GIT_OK);
	return (git_read_ref(&repo, "refs/heads/" BRANCH, oid, err,
	    sizeof(err)) == GIT_OK && strcmp(oid, head) == 0);
}

START_TEST(worker_outlives_parent_and_engine)
{
	work = "publish";
	start();
	take(1);
	serve(ORCH_effect);
	close(conn);		/* the engine dies before it answers */
	take(1);
	serve(0);
	ck_assert_int_eq(ended(), 0);
	ck_assert_uint_eq(neffects, 1);
	ck_assert_uint_eq(nends, 1);
	ck_assert_int_eq(end_verdict, GATE_PASS);
	ck_assert_uint_eq(ndones, 1);
	ck_assert_int_eq(published(), 1);
}
END_TEST

START_TEST(stopped_worker_says_so_and_ends)
{
	struct orch_run_stop stop = { .reason = "shutdown" };

	work = "publish";
	start();
	take(1);
	serve(ORCH_begin);
	say(ORCH_run_stop, 0, &stop);
	serve(0);		/* BEGIN again, then END and RUN_DONE */
	ck_assert_int_eq(ended(), 0);
	ck_assert_uint_eq(neffects, 0);
	ck_assert_uint_eq(nends, 1);
	ck_assert_int_eq(end_cause, CAUSE_STOPPED);
	ck_assert_uint_eq(ndones, 1);
}
END_TEST

/* It only waits, and still notices that there is a new engine. */
START_TEST(monitor_hears_a_new_engine)
{
	struct orch_run_stop stop = { .reason = "shutdown" };

	work = "monitor";
	start();
	take(1);
	close(conn);
	take(1);
	say(ORCH_run_stop, 0, &stop);
	serve(0);
	ck_assert_int_eq(ended(), 0);
	ck_assert_uint_eq(ndones, 1);
	ck_assert_uint_eq(nends, 0);
}
END_TEST

START_TEST(worker_that_is_not_known_does_nothing)
{
	start();
	take(0);
	ck_assert_int_eq(ended(), 1);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("finalizerd process");
	TCase *tc = tcase_create("process");
	SRunner *sr;
	int failed;

	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, worker_outlives_parent_and_engine);
	tcase_add_test(tc, stopped_worker_says_so_and_ends);
	tcase_add_test(tc, monitor_hears_a_new_engine);
	tcase_add_test(tc, worker_that_is_not_known_does_nothing);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed == 0 ? 0 : 1);
}
