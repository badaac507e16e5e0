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

#include "runner_engine.h"

/* The real program, found beside this one in the build folder. */
static void
program(char *path, size_t len)
{
	char self[PATH_MAX], *p;
	int i;

	ck_assert(realpath("/proc/self/exe", self) != NULL);
	for (i = 0; i < 3; i++) {
		p = strrchr(self, '/');
		ck_assert_ptr_nonnull(p);
		*p = '\0';
	}
	ck_assert_int_lt(snprintf(path, len, "%s/runner/runner", self),
	    (int)len);
	ck_assert_msg(access(path, X_OK) == 0, "%s is not built", path);
}

/* Start it with sock (or -1) as descriptor 3. */
static pid_t
start(const char *path, int sock, const char *log)
{
	pid_t pid = fork();
	int fd;

	if (pid != 0)
		return (pid);
	fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	(void)dup2(fd, STDERR_FILENO);
	if (sock == -1)
		close(3);
	else if (sock != 3)
		(void)dup2(sock, 3);
	else
		(void)fcntl(3, F_SETFD, 0);
	(void)close_range(4, ~0U, 0);
	execl(path, "runner", (char *)NULL);
	_exit(99);
}

static int
status_of(pid_t pid)
{
	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return (WIFEXITED(status) ? WEXITSTATUS(status) : 128);
}

START_TEST(program_without_parent_says_how_it_is_started)
{
	struct te te;
	char path[PATH_MAX + 32];

	program(path, sizeof(path));
	te_open(&te, KIND_GATE);
	ck_assert_int_eq(status_of(start(path, -1, te.log)), 1);
	ck_assert(te_logged(&te, "usage: runner"));
	te_close(&te);
}
END_TEST

START_TEST(program_refuses_rubbish_and_other_messages)
{
	struct te te;
	struct orch_child_go go = { .role = 1 };
	char path[PATH_MAX + 32];
	int sv[2];
	pid_t pid;

	program(path, sizeof(path));
	te_open(&te, KIND_GATE);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
	    sv), 0);
	ck_assert_int_eq(write(sv[0], "GET / HTTP/1.1\r\n\r\n", 18), 18);
	pid = start(path, sv[1], te.log);
	close(sv[1]);
	ck_assert_int_eq(status_of(pid), 1);
	close(sv[0]);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
	    sv), 0);
	ck_assert_int_eq(chan_write_one(sv[0], ORCH_child_go, 1, &go, -1,
	    TE_WAIT), 0);
	pid = start(path, sv[1], te.log);
	close(sv[1]);
	ck_assert_int_eq(status_of(pid), 1);
	ck_assert(te_logged(&te, "instead of run_spec"));
	close(sv[0]);
	te_close(&te);
}
END_TEST

START_TEST(program_runs_a_job_and_outlives_its_parent)
{
	struct te te;
	char path[PATH_MAX + 32];
	int log, sv[2];

	program(path, sizeof(path));
	te_open(&te, KIND_GATE);
	te.spec.self = path;
	te.spec.argv = (struct orch_strs)STRS_OF("/bin/sh", "-c",
	    "ls -l /proc/self/fd | grep -c socket; echo seen");
	te.go.gate = "check_tests_local";
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
	    sv), 0);
	log = open(te.log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	te.pid = start(path, sv[1], te.log);
	close(sv[1]);
	ck_assert_int_eq(chan_write_one(sv[0], ORCH_run_spec, 1, &te.spec,
	    log, TE_WAIT), 0);
	te_accept(&te, 0);
	close(sv[0]);		/* the parent dies */
	ck_assert_int_eq(chan_write_one(te.fd, ORCH_run_go, 5, &te.go, -1,
	    TE_WAIT), 0);
	te_results(&te);
	ck_assert_msg(te.done.verdict == GATE_PASS, "%s", te.done.reason);
	ck_assert_int_eq(te_wait(&te), 0);
	ck_assert(te_logged(&te, "seen"));
	ck_assert(te_logged(&te, "gate of T-1 begins: check_tests_local"));
	close(log);
	te_close(&te);
}
END_TEST

int
main(int argc, char **argv)
{
	Suite *s = suite_create("runner_main");
	TCase *tc = tcase_create("main");
	SRunner *sr;
	int rc;

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, program_without_parent_says_how_it_is_started);
	tcase_add_test(tc, program_refuses_rubbish_and_other_messages);
	tcase_add_test(tc, program_runs_a_job_and_outlives_its_parent);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	rc = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (rc == 0 ? 0 : 1);
}
