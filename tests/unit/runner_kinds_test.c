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

#include <poll.h>

#include "runner_engine.h"

/* --- import --- */

static const char *const author_5[] = { "author_run=5", NULL };

/* Make a bundle of a commit on branch feature/T-1-x that writes path. */
static void
open_import(struct te *te, const char *role, const char *path)
{
	struct git_file f = { path, "text\n", 5 };
	char file[128], range[64], tip[41];
	const char *argv[] = { "bundle", "create", "-q", file,
	    "refs/heads/feature/T-1-x", range, NULL };
	const char *drop[] = { "update-ref", "-d", "refs/heads/feature/T-1-x",
	    NULL };

	te_open(te, KIND_IMPORT);
	te_commit(te, "feature/T-1-x", te->head, &f, 1, tip);
	(void)snprintf(file, sizeof(file), "%s/b", te->dir);
	(void)snprintf(range, sizeof(range), "^%s", te->head);
	te_git(te->mirror, argv, NULL, 0);
	te_git(te->mirror, drop, NULL, 0);
	te->bundle = open(file, O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(te->bundle, 0);
	te->go.role = role;
	te->go.options.l_argv = author_5;
}

START_TEST(import_takes_what_the_role_may_write)
{
	struct te te;
	struct git_repo repo;
	char err[256], at[41];

	open_import(&te, "developer", "new.c");
	te_run(&te);
	ck_assert_msg(te.done.verdict == GATE_PASS, "%s", te.done.reason);
	ck_assert_uint_eq(strlen(te.done.tree), 40);
	ck_assert_int_eq(git_open(&repo, te.mirror, err, sizeof(err)), GIT_OK);
	ck_assert_int_eq(git_read_ref(&repo, "refs/orchd/in/5", at, err,
	    sizeof(err)), GIT_OK);
	ck_assert_str_eq(at, te.done.commit);
	te_close(&te);
}
END_TEST

START_TEST(import_refuses_a_forbidden_path)
{
	struct te te;
	struct git_repo repo;
	char err[256], at[41];

	open_import(&te, "reviewer", "new.c");
	te_run(&te);
	ck_assert_int_eq(te.done.verdict, GATE_FAIL);
	ck_assert_int_eq(te.done.cause, CAUSE_FORBIDDEN_PATH);
	ck_assert_ptr_nonnull(strstr(te.done.reason, "new.c"));
	ck_assert_int_eq(git_open(&repo, te.mirror, err, sizeof(err)), GIT_OK);
	ck_assert_int_eq(git_read_ref(&repo, "refs/orchd/in/5", at, err,
	    sizeof(err)), GIT_NOTFOUND);
	te_close(&te);
}
END_TEST

START_TEST(import_without_bundle_is_no_commit)
{
	struct te te;

	te_open(&te, KIND_IMPORT);
	te.go.options = (struct orch_strs)STRS_OF("author_run=5");
	te_run(&te);
	ck_assert_int_eq(te.done.verdict, GATE_FAIL);
	ck_assert_int_eq(te.done.cause, CAUSE_NO_COMMIT);
	te_close(&te);
}
END_TEST

START_TEST(import_refuses_rubbish)
{
	struct te te;
	char path[128];

	te_open(&te, KIND_IMPORT);
	te.go.options = (struct orch_strs)STRS_OF("author_run=5");
	(void)snprintf(path, sizeof(path), "%s/b", te.dir);
	te.bundle = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	ck_assert_int_eq(write(te.bundle, "rubbish\n", 8), 8);
	te_run(&te);
	ck_assert_int_eq(te.done.verdict, GATE_FAIL);
	ck_assert_int_eq(te.done.cause, CAUSE_BAD_ARTIFACT);
	te_close(&te);
}
END_TEST

START_TEST(import_needs_the_authors_run)
{
	struct te te;

	open_import(&te, "developer", "new.c");
	te.go.options = (struct orch_strs)STRS_OF("author_run=../../heads/x");
	te_run(&te);
	ck_assert_int_eq(te.done.verdict, GATE_ERROR);
	te_close(&te);
}
END_TEST

/* --- messages --- */

static const char *const about[] = { "kind=alert", "key=alert:7@page",
    "project=tally", NULL };

static void
run_message(struct te *te, const char *sh)
{
	const char *argv[] = { "sh", "-c", sh, NULL };

	te_open(te, KIND_EXEC);
	te->spec.project = te->spec.mirror = "";
	te->spec.argv.l_argv = argv;
	te->go = (struct orch_run_go){ .run = 7, .task = "T-1" };
	te->go.request.b_data = (const uint8_t *)"it is\non fire";
	te->go.request.b_len = 13;
	te->go.options.l_argv = about;
	te_run(te);
}

START_TEST(message_is_on_stdin_and_in_the_environment)
{
	struct te te;

	run_message(&te, "test \"$(cat)\" = \"it is\non fire\" && env && "
	    "test $ORCH_MESSAGE_KIND = alert && "
	    "test $ORCH_MESSAGE_KEY = alert:7@page && "
	    "test $ORCH_WORK_ITEM = T-1 && test $ORCH_PROJECT = tally");
	ck_assert_msg(te.done.verdict == GATE_PASS, "%s", te.done.reason);
	ck_assert(te_logged(&te, "ORCH_MESSAGE_KIND=alert"));
	ck_assert(!te_exists(&te, "ws/7"));
	te_close(&te);
}
END_TEST

START_TEST(message_that_its_command_refuses_is_not_delivered)
{
	struct te te;

	run_message(&te, "echo the pager is off; exit 3");
	ck_assert_int_eq(te.done.verdict, GATE_ERROR);
	ck_assert_ptr_nonnull(strstr(te.done.reason, "exit code 3"));
	ck_assert_ptr_nonnull(strstr(te.done.reason, "the pager is off"));
	te_close(&te);
}
END_TEST

/* --- clean --- */

START_TEST(clean_removes_one_workspace)
{
	struct te te;
	char path[160];

	te_open(&te, KIND_CLEAN);
	(void)snprintf(path, sizeof(path), "%s/5/clone/a", te.ws);
	ck_assert_int_eq(fs_mkdir_p(path, 0755), 0);
	(void)snprintf(path, sizeof(path), "%s/6", te.ws);
	ck_assert_int_eq(fs_mkdir_p(path, 0755), 0);
	te.go.options = (struct orch_strs)STRS_OF("dir=5");
	te_run(&te);
	ck_assert_int_eq(te.done.verdict, GATE_PASS);
	ck_assert(!te_exists(&te, "ws/5"));
	ck_assert(te_exists(&te, "ws/6"));
	te_close(&te);
}
END_TEST

START_TEST(clean_refuses_what_is_no_run)
{
	static const char *const bad[] = { "dir=..", "dir=.", "dir=",
	    "dir=5/../6", "dir=-1", "dir=05", "other=5" };
	struct te te;
	const char *argv[2] = { NULL, NULL };
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		te_open(&te, KIND_CLEAN);
		argv[0] = bad[i];
		te.go.options.l_argv = argv;
		te_run(&te);
		ck_assert_int_eq(te.done.verdict, GATE_ERROR);
		ck_assert(te_exists(&te, "ws"));
		te_close(&te);
	}
}
END_TEST

/* --- hook --- */

static char result_file[128];

static void
open_hook(struct te *te, const char *script)
{
	static const char *argv[4];

	te_open(te, KIND_HOOK);
	argv[0] = "/bin/sh";
	argv[1] = "-c";
	argv[2] = script;
	argv[3] = NULL;
	te->spec.argv.l_argv = argv;
	(void)snprintf(result_file, sizeof(result_file), "%s/result", te->dir);
	te->spec.result_file = result_file;
}

static void
result_is(const char *want)
{
	char *buf;
	size_t len;

	ck_assert_int_eq(fs_read_file(result_file, 100, &buf, &len), 0);
	ck_assert_str_eq(buf, want);
	free(buf);
}

START_TEST(hook_writes_its_exit_code)
{
	struct te te;

	open_hook(&te, "test -f $ORCH_RESULT_FILE.started && "
	    "test -d $ORCH_MIRROR && test $ORCH_EXPECTED_REVISION = abc");
	te.spec.env = (struct orch_strs)STRS_OF("ORCH_EXPECTED_REVISION=abc");
	te_run(&te);
	ck_assert_msg(te.done.verdict == GATE_PASS, "%s", te.done.reason);
	result_is("exit 0\n");
	ck_assert_int_eq(te.exit_seen, 1);
	te_close(&te);
	open_hook(&te, "echo rollback failed; exit 2");
	te_run(&te);
	ck_assert_int_eq(te.done.verdict, GATE_FAIL);
	ck_assert_int_eq(te.exit.code, 2);
	result_is("exit 2\n");
	ck_assert_ptr_nonnull(strstr(te.done.reason, "rollback failed"));
	te_close(&te);
}
END_TEST

START_TEST(hook_that_was_started_is_not_started_again)
{
	struct te te;
	char path[160], script[256] = "";

	open_hook(&te, script);
	(void)snprintf(script, sizeof(script), "touch %s/canary", te.dir);
	(void)snprintf(path, sizeof(path), "%s.started", result_file);
	ck_assert_int_eq(fs_write_atomic(AT_FDCWD, path, "run 6\n", 6, 0644),
	    0);
	te_run(&te);
	ck_assert_int_eq(te.done.verdict, GATE_ERROR);
	ck_assert(!te_exists(&te, "canary"));
	ck_assert(!te_exists(&te, "result"));
	te_close(&te);
	/* With a result the earlier end is reported. */
	open_hook(&te, script);
	(void)snprintf(script, sizeof(script), "touch %s/canary", te.dir);
	(void)snprintf(path, sizeof(path), "%s.started", result_file);
	ck_assert_int_eq(fs_write_atomic(AT_FDCWD, path, "run 6\n", 6, 0644),
	    0);
	ck_assert_int_eq(fs_write_atomic(AT_FDCWD, result_file, "exit 2\n", 7,
	    0644), 0);
	te_run(&te);
	ck_assert_int_eq(te.exit.code, 2);
	ck_assert_int_eq(te.done.verdict, GATE_FAIL);
	ck_assert(!te_exists(&te, "canary"));
	te_close(&te);
}
END_TEST

START_TEST(hook_leaves_its_server_running)
{
	struct te te;
	char *buf;
	size_t len;
	char path[160], script[256] = "";
	long pid;
	int i;

	open_hook(&te, script);
	(void)snprintf(script, sizeof(script), "setsid %s >/dev/null 2>&1 "
	    "</dev/null & echo $! >%s/pid", te_sleep(), te.dir);
	te_run(&te);
	ck_assert_int_eq(te.done.verdict, GATE_PASS);
	(void)snprintf(path, sizeof(path), "%s/pid", te.dir);
	ck_assert_int_eq(fs_read_file(path, 20, &buf, &len), 0);
	pid = strtol(buf, NULL, 10);
	free(buf);
	/* In the midst of exec(3) a process has no command line. */
	for (i = 0; i < 50 && te_sleepers() == 0; i++)
		usleep(100000);
	ck_assert_int_ge(te_sleepers(), 1);
	ck_assert_int_eq(kill((pid_t)pid, SIGKILL), 0);
	te_close(&te);
}
END_TEST

START_TEST(hook_ends_at_its_limit_with_1)
{
	struct te te;

	open_hook(&te, te_sleep());
	te.spec.timeout_s = 1;
	te_run(&te);
	ck_assert_int_eq(te.done.verdict, GATE_FAIL);
	ck_assert_int_eq(te.done.cause, CAUSE_TIMEOUT);
	result_is("exit 1\n");
	ck_assert_int_eq(te_sleepers(), 0);
	te_close(&te);
}
END_TEST

/* An effect that has begun goes on: stop and even a refusal do not end it. */
START_TEST(hook_ignores_stop_and_refusal)
{
	struct te te;
	struct orch_run_stop stop = { .reason = "shutdown" };
	struct orch_hello_no no = { .reason = "unknown" };
	struct pollfd pfd = { .events = POLLIN };
	struct orch_header hdr;
	union orch_any msg;

	open_hook(&te, "sleep 0.7; echo finished");
	te_start(&te);
	te_accept(&te, 1);
	usleep(200000);
	ck_assert_int_eq(chan_write_one(te.fd, ORCH_run_stop, 9, &stop, -1,
	    TE_WAIT), 0);
	kill(te.pid, SIGTERM);
	close(te.fd);
	while (waitpid(te.pid, NULL, WNOHANG) == 0) {
		pfd.fd = te.lfd;
		if (poll(&pfd, 1, 200) != 1)
			continue;
		te.fd = accept4(te.lfd, NULL, NULL, SOCK_CLOEXEC);
		ck_assert_uint_eq(te_read(&te, &hdr, &msg), ORCH_hello);
		(void)chan_write_one(te.fd, ORCH_hello_no, hdr.h_id, &no, -1,
		    TE_WAIT);
		close(te.fd);
		te.fd = -1;
		usleep(100000);
	}
	te.pid = 0;
	result_is("exit 0\n");
	te_close(&te);
}
END_TEST

START_TEST(hook_that_is_not_there_is_said)
{
	struct te te;

	open_hook(&te, "");
	te.spec.argv = (struct orch_strs)STRS_OF("/nonexistent/hook");
	te_run(&te);
	ck_assert_int_eq(te.done.verdict, GATE_FAIL);
	ck_assert_int_eq(te.done.cause, CAUSE_EXEC);
	result_is("exit 127\n");
	te_close(&te);
}
END_TEST

START_TEST(other_kinds_are_refused)
{
	ck_assert_ptr_null(run_kind(KIND_TRANSITION));
	ck_assert_ptr_null(run_kind(KIND_MONITOR));
	ck_assert_ptr_null(run_kind(0));
	ck_assert_ptr_null(run_kind(255));
	ck_assert_ptr_eq(run_kind(KIND_HOOK), &kind_hook);
}
END_TEST

int
main(int argc, char **argv)
{
	Suite *s;
	TCase *tc;
	SRunner *sr;
	int rc;

	if ((rc = te_inside(argc, argv)) != -1)
		return (rc);
	s = suite_create("runner_kinds");
	tc = tcase_create("kinds");
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, import_takes_what_the_role_may_write);
	tcase_add_test(tc, import_refuses_a_forbidden_path);
	tcase_add_test(tc, import_without_bundle_is_no_commit);
	tcase_add_test(tc, import_refuses_rubbish);
	tcase_add_test(tc, import_needs_the_authors_run);
	tcase_add_test(tc, message_is_on_stdin_and_in_the_environment);
	tcase_add_test(tc, message_that_its_command_refuses_is_not_delivered);
	tcase_add_test(tc, clean_removes_one_workspace);
	tcase_add_test(tc, clean_refuses_what_is_no_run);
	tcase_add_test(tc, hook_writes_its_exit_code);
	tcase_add_test(tc, hook_that_was_started_is_not_started_again);
	tcase_add_test(tc, hook_leaves_its_server_running);
	tcase_add_test(tc, hook_ends_at_its_limit_with_1);
	tcase_add_test(tc, hook_ignores_stop_and_refusal);
	tcase_add_test(tc, hook_that_is_not_there_is_said);
	tcase_add_test(tc, other_kinds_are_refused);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	rc = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (rc == 0 ? 0 : 1);
}
