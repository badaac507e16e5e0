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

#include <sys/types.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <check.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libcommon/proctree.h"
#include "libcommon/redact.h"

static const char *const	 env[] = { "PATH=/usr/bin:/bin", "X=1", NULL };

/* Runs `sh -c script`, its log in a memfd whose text goes to text. */
static struct proctree_result
sh(const char *script, struct proctree_opts o, char *text, size_t len)
{
	const char *const	 argv[] = { "sh", "-c", script, NULL };
	struct proctree_result	 res;
	ssize_t			 n;

	o.argv = argv;
	o.envp = env;
	o.log_fd = memfd_create("log", 0);
	ck_assert_int_ne(o.log_fd, -1);
	ck_assert_int_eq(proctree_run(&o, &res), 0);
	n = pread(o.log_fd, text, len - 1, 0);
	ck_assert_int_ge(n, 0);
	text[n] = '\0';
	close(o.log_fd);
	return (res);
}

/* The pid that a script left in its log as "pid N". */
static pid_t
logged_pid(const char *text)
{
	const char	*p = strstr(text, "pid ");

	ck_assert_ptr_nonnull(p);
	return ((pid_t)strtol(p + 4, NULL, 10));
}

static const struct proctree_opts	 init = PROCTREE_OPTS_INIT;

START_TEST(proctree_reports_exit_code_and_output)
{
	struct proctree_result	 res;
	char			 text[4096];

	res = sh("echo out; echo err >&2; echo $X; exit 7", init, text,
	    sizeof(text));
	ck_assert_int_eq(res.exit_code, 7);
	ck_assert_int_eq(res.sig, 0);
	ck_assert_ptr_nonnull(strstr(text, "out\n"));
	ck_assert_ptr_nonnull(strstr(text, "err\n"));
	ck_assert_ptr_nonnull(strstr(text, "1\n"));
	ck_assert_ptr_nonnull(strstr(res.tail, "out\n"));
	ck_assert_int_eq((int)res.log_bytes, (int)strlen(text));
}
END_TEST

START_TEST(proctree_reports_signal)
{
	struct proctree_result	 res;
	char			 text[4096];

	res = sh("kill -9 $$", init, text, sizeof(text));
	ck_assert_int_eq(res.exit_code, -1);
	ck_assert_int_eq(res.sig, SIGKILL);
	ck_assert_int_eq(res.timed_out, 0);
}
END_TEST

START_TEST(proctree_missing_program_is_exec_failed)
{
	const char *const	 argv[] = { "claudee", NULL };
	struct proctree_opts	 o = PROCTREE_OPTS_INIT;
	struct proctree_result	 res;

	o.argv = argv;
	o.envp = env;
	ck_assert_int_eq(proctree_run(&o, &res), 0);
	ck_assert_int_eq(res.exec_failed, ENOENT);
	ck_assert_int_eq(res.exit_code, -1);
}
END_TEST

START_TEST(proctree_missing_folder_is_exec_failed)
{
	struct proctree_opts	 o = PROCTREE_OPTS_INIT;
	char			 text[64];

	o.cwd = "/nonexistent";
	ck_assert_int_eq(sh("true", o, text, sizeof(text)).exec_failed,
	    ENOENT);
}
END_TEST

static int
ignore_sigpipe(void)
{
	struct sigaction	 sa = { .sa_handler = SIG_IGN };

	return (sigaction(SIGPIPE, &sa, NULL));
}

START_TEST(proctree_gives_no_descriptor_signal_or_core)
{
	struct proctree_opts	 o = PROCTREE_OPTS_INIT;
	char			 text[4096];
	int			 fd;

	fd = open("/etc/passwd", O_RDONLY);	/* not CLOEXEC on purpose */
	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(ignore_sigpipe(), 0);
	(void)sh("ls /proc/self/fd | wc -l; ulimit -c; ls -l /proc/self/fd/0;"
	    "grep SigIgn /proc/$$/status; ps -o sid= -p $$; echo $$",
	    o, text, sizeof(text));
	/* 0, 1, 2 and the folder that ls reads. */
	ck_assert_msg(strncmp(text, "4\n0\n", 4) == 0, "%s", text);
	ck_assert_ptr_nonnull(strstr(text, "/dev/null"));
	ck_assert_msg(strstr(text, "SigIgn:\t0000000000000000") != NULL, "%s",
	    text);
	close(fd);
}
END_TEST

START_TEST(proctree_passes_named_descriptor)
{
	struct proctree_opts	 o = PROCTREE_OPTS_INIT;
	struct proctree_fd	 fds[2];
	char			 text[4096];
	int			 a[2], b[2];

	ck_assert_int_eq(pipe2(a, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(b, O_CLOEXEC), 0);
	ck_assert_int_eq((int)write(a[1], "A\n", 2), 2);
	ck_assert_int_eq((int)write(b[1], "B\n", 2), 2);
	/* Crossed, so that a careless dup2 would lose one. */
	fds[0].src = a[0];
	fds[0].dst = b[0];
	fds[1].src = b[0];
	fds[1].dst = a[0];
	o.pass_fds = fds;
	o.npass_fds = 2;
	ck_assert_int_lt(b[0], 10);
	{
		char	 script[64];

		(void)snprintf(script, sizeof(script),
		    "read x <&%d; read y <&%d; echo $x$y", b[0], a[0]);
		(void)sh(script, o, text, sizeof(text));
	}
	ck_assert_str_eq(text, "AB\n");
}
END_TEST

START_TEST(proctree_time_limit_ends_the_whole_tree)
{
	struct proctree_opts	 o = PROCTREE_OPTS_INIT;
	struct proctree_result	 res;
	char			 text[4096];

	o.timeout_ms = 300;
	o.grace_ms = 100;
	res = sh("trap '' TERM; sh -c 'trap \"\" TERM; echo pid $$;"
	    " while :; do sleep 1; done' & wait; sleep 60", o, text,
	    sizeof(text));
	ck_assert_int_eq(res.timed_out, 1);
	ck_assert_int_eq(res.sig, SIGKILL);
	ck_assert_int_eq(res.left, 0);
	ck_assert_int_lt((int)res.duration_ms, 5000);
	ck_assert_int_eq(kill(logged_pid(text), 0), -1);
}
END_TEST

START_TEST(proctree_time_limit_lets_term_be_handled)
{
	struct proctree_opts	 o = PROCTREE_OPTS_INIT;
	struct proctree_result	 res;
	char			 text[4096];

	o.timeout_ms = 200;
	o.grace_ms = 5000;
	res = sh("trap 'echo bye; exit 3' TERM; while :; do sleep 0.05; done",
	    o, text, sizeof(text));
	ck_assert_int_eq(res.timed_out, 1);
	ck_assert_int_eq(res.exit_code, 3);
	ck_assert_ptr_nonnull(strstr(text, "bye\n"));
	ck_assert_int_lt((int)res.duration_ms, 3000);
}
END_TEST

START_TEST(proctree_stopped_command_is_ended)
{
	struct proctree_opts	 o = PROCTREE_OPTS_INIT;
	struct proctree_result	 res;
	char			 text[64];

	o.timeout_ms = 200;
	o.grace_ms = 200;
	res = sh("kill -STOP $$; sleep 60", o, text, sizeof(text));
	ck_assert_int_eq(res.timed_out, 1);
	ck_assert_int_eq(res.left, 0);
}
END_TEST

START_TEST(proctree_kills_what_holds_stdout)
{
	struct proctree_result	 res;
	char			 text[4096];

	res = sh("sleep 60 & echo pid $!; exit 0", init, text, sizeof(text));
	ck_assert_int_eq(res.exit_code, 0);
	ck_assert_int_lt((int)res.duration_ms, 2000);
	ck_assert_int_eq(kill(logged_pid(text), 0), -1);
}
END_TEST

START_TEST(proctree_kills_a_daemon_in_its_own_session)
{
	struct proctree_result	 res;
	char			 text[4096];

	res = sh("setsid -f sh -c 'echo pid $$; exec sleep 60';"
	    " setsid -f sh -c 'setsid -f sleep 61'; sleep 0.3", init, text,
	    sizeof(text));
	ck_assert_int_eq(res.exit_code, 0);
	ck_assert_int_eq(res.left, 0);
	ck_assert_int_eq(kill(logged_pid(text), 0), -1);
	ck_assert_int_eq(errno, ESRCH);
}
END_TEST

static char	 mark[64];

/* Not begun yet: what the command does first has not been done. */
static int
born(void *arg, pid_t pid)
{
	usleep(100000);
	ck_assert_int_eq(access(mark, F_OK), -1);
	ck_assert_int_eq(kill(pid, 0), 0);
	if (*(int *)arg == 2)
		(void)kill(getpid(), SIGKILL);
	errno = ENOSPC;
	return (*(int *)arg == 0 ? 0 : -1);
}

/* _i 0: it may begin; 1: the caller does not want it; 2: the caller dies. */
START_TEST(proctree_held_command_begins_when_it_may)
{
	struct proctree_opts	 o = init;
	struct proctree_result	 res;
	const char *const	 argv[] = { "touch", mark, NULL };
	int			 how = _i, status;
	pid_t			 pid;

	snprintf(mark, sizeof(mark), "/tmp/orchd-held-%d-%d", getpid(), _i);
	o.argv = argv;
	o.envp = env;
	o.born_cb = born;
	o.born_arg = &how;
	if ((pid = fork()) == 0)
		_exit(proctree_run(&o, &res) == 0 ? 0 : errno);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	usleep(100000);
	if (_i == 2)
		ck_assert(WIFSIGNALED(status));
	else
		ck_assert_int_eq(WEXITSTATUS(status), _i == 0 ? 0 : ENOSPC);
	ck_assert_int_eq(access(mark, F_OK), _i == 0 ? 0 : -1);
	(void)unlink(mark);
}
END_TEST

START_TEST(proctree_hook_leaves_its_deployment)
{
	struct proctree_opts	 o = PROCTREE_OPTS_INIT;
	struct proctree_result	 res;
	char			 text[4096];
	pid_t			 pid;

	o.keep_children = 1;
	res = sh("setsid sleep 60 >/dev/null 2>&1 & echo pid $!", o, text,
	    sizeof(text));
	ck_assert_int_eq(res.exit_code, 0);
	pid = logged_pid(text);
	ck_assert_int_eq(kill(pid, 0), 0);
	/* Nor does a later command of the same process end it. */
	(void)sh("true", init, text, sizeof(text));
	ck_assert_int_eq(kill(pid, 0), 0);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
}
END_TEST

START_TEST(proctree_hook_past_its_time_is_ended_with_all)
{
	struct proctree_opts	 o = PROCTREE_OPTS_INIT;
	char			 text[4096];

	o.keep_children = 1;
	o.timeout_ms = 300;
	o.grace_ms = 100;
	ck_assert_int_eq(sh("setsid sleep 60 & echo pid $!; sleep 60", o,
	    text, sizeof(text)).timed_out, 1);
	ck_assert_int_eq(kill(logged_pid(text), 0), -1);
}
END_TEST

START_TEST(proctree_caps_a_line)
{
	struct proctree_opts	 o = PROCTREE_OPTS_INIT;
	char			 text[8192];

	o.line_max = 1000;
	(void)sh("head -c 3000000 /dev/zero | tr '\\0' x; echo; echo next",
	    o, text, sizeof(text));
	ck_assert_ptr_nonnull(strstr(text,
	    "x [line cut, 2999000 bytes dropped]\nnext\n"));
}
END_TEST

START_TEST(proctree_caps_the_log)
{
	struct proctree_opts	 o = PROCTREE_OPTS_INIT;
	struct proctree_result	 res;
	char			 text[8192];

	o.log_max = 2000;
	res = sh("yes flood | head -n 100000; echo last", o, text,
	    sizeof(text));
	ck_assert_int_eq(res.exit_code, 0);
	ck_assert_int_le((int)strlen(text), 2000);
	ck_assert_ptr_nonnull(strstr(text, "[log limit reached, "));
	ck_assert(res.log_dropped > 500000);
	ck_assert_ptr_nonnull(strstr(res.tail, "flood\nlast\n"));
}
END_TEST

START_TEST(proctree_full_disk_loses_the_log_only)
{
	const char *const	 argv[] = { "sh", "-c", "echo a; exit 4",
				    NULL };
	struct proctree_opts	 o = PROCTREE_OPTS_INIT;
	struct proctree_result	 res;

	o.argv = argv;
	o.envp = env;
	o.log_fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	ck_assert_int_eq(proctree_run(&o, &res), 0);
	ck_assert_int_eq(res.exit_code, 4);
	ck_assert(res.log_dropped >= 2);
	ck_assert_int_eq((int)res.log_bytes, 0);
}
END_TEST

START_TEST(proctree_redacts_a_secret_split_over_two_writes)
{
	char	 text[4096];

	ck_assert_int_eq(log_redact_add("hunter2hunter2"), 0);
	(void)sh("printf 'key hunter2'; sleep 0.2; printf 'hunter2 end\\n'",
	    init, text, sizeof(text));
	ck_assert_str_eq(text, "key [redacted] end\n");
	log_redact_clear();
}
END_TEST

START_TEST(proctree_escapes_what_a_terminal_would_obey)
{
	char	 text[4096];

	(void)sh("printf '\\033[2Jx\\007\\r\\n\\302\\2335\\n'", init, text,
	    sizeof(text));
	ck_assert_str_eq(text, "\\x1b[2Jx\\x07\n\\u009b5\n");
}
END_TEST

struct lines {
	char	 text[256];
};

static void
on_line(void *arg, int stream, const char *line, size_t len)
{
	struct lines	*l = arg;
	size_t		 n = strlen(l->text);

	(void)snprintf(l->text + n, sizeof(l->text) - n, "%d%s/", stream,
	    line);
}

START_TEST(proctree_line_callback_tells_the_stream)
{
	struct proctree_opts	 o = PROCTREE_OPTS_INIT;
	struct lines		 l = { "" };
	char			 text[64];

	o.line_cb = on_line;
	o.line_arg = &l;
	(void)sh("echo a; sleep 0.1; echo b >&2; sleep 0.1; printf c", o,
	    text, sizeof(text));
	ck_assert_str_eq(l.text, "1a/2b/1c/");
}
END_TEST

static void
on_done(struct proctree *pt, const struct proctree_result *res, void *arg)
{
	*(struct proctree_result *)arg = *res;
	proctree_free(pt);
}

START_TEST(proctree_two_at_once_end_apart)
{
	static const char *const	 one[] = { "sh", "-c",
	    "setsid -f sleep 60; exit 1", NULL };
	static const char *const	 two[] = { "sh", "-c",
	    "sleep 0.4; exit 2", NULL };
	struct proctree_opts		 o = PROCTREE_OPTS_INIT;
	struct proctree_result		 r1, r2;
	struct event_base		*base = event_base_new();

	o.envp = env;
	o.argv = one;
	ck_assert_ptr_nonnull(proctree_start(base, &o, on_done, &r1, NULL,
	    0));
	o.argv = two;
	ck_assert_ptr_nonnull(proctree_start(base, &o, on_done, &r2, NULL,
	    0));
	ck_assert_int_eq(event_base_dispatch(base), 1);
	ck_assert_int_eq(r1.exit_code, 1);
	ck_assert_int_eq(r2.exit_code, 2);
	event_base_free(base);
	/* The orphan of the first went with the last. */
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
	ck_assert_int_eq(errno, ECHILD);
}
END_TEST

static void
end_cb(int fd, short what, void *arg)
{
	proctree_end(arg);
}

START_TEST(proctree_end_is_graceful)
{
	static const char *const	 argv[] = { "sh", "-c",
	    "trap 'exit 5' TERM; while :; do sleep 0.05; done", NULL };
	struct proctree_opts		 o = PROCTREE_OPTS_INIT;
	struct timeval			 tv = { 0, 200000 };
	struct proctree_result		 res;
	struct event_base		*base = event_base_new();
	struct proctree			*pt;

	o.argv = argv;
	o.envp = env;
	pt = proctree_start(base, &o, on_done, &res, NULL, 0);
	ck_assert_ptr_nonnull(pt);
	ck_assert_int_eq(event_base_once(base, -1, EV_TIMEOUT, end_cb, pt,
	    &tv), 0);
	(void)event_base_dispatch(base);
	ck_assert_int_eq(res.ended, 1);
	ck_assert_int_eq(res.timed_out, 0);
	ck_assert_int_eq(res.exit_code, 5);
	event_base_free(base);
}
END_TEST

START_TEST(proctree_free_leaves_nothing_alive)
{
	static const char *const	 argv[] = { "sleep", "60", NULL };
	struct proctree_opts		 o = PROCTREE_OPTS_INIT;
	struct event_base		*base = event_base_new();
	struct proctree			*pt;
	pid_t				 pid;

	o.argv = argv;
	o.envp = env;
	pt = proctree_start(base, &o, on_done, NULL, NULL, 0);
	ck_assert_ptr_nonnull(pt);
	pid = proctree_pid(pt);
	proctree_free(pt);
	ck_assert_int_eq(kill(pid, 0), -1);
	event_base_free(base);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("proctree");
	TCase	*t = tcase_create("proctree");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_set_timeout(t, 30);
	tcase_add_test(t, proctree_reports_exit_code_and_output);
	tcase_add_test(t, proctree_reports_signal);
	tcase_add_test(t, proctree_missing_program_is_exec_failed);
	tcase_add_test(t, proctree_missing_folder_is_exec_failed);
	tcase_add_test(t, proctree_gives_no_descriptor_signal_or_core);
	tcase_add_test(t, proctree_passes_named_descriptor);
	tcase_add_test(t, proctree_time_limit_ends_the_whole_tree);
	tcase_add_test(t, proctree_time_limit_lets_term_be_handled);
	tcase_add_test(t, proctree_stopped_command_is_ended);
	tcase_add_test(t, proctree_kills_what_holds_stdout);
	tcase_add_test(t, proctree_kills_a_daemon_in_its_own_session);
	tcase_add_loop_test(t, proctree_held_command_begins_when_it_may, 0,
	    3);
	tcase_add_test(t, proctree_hook_leaves_its_deployment);
	tcase_add_test(t, proctree_hook_past_its_time_is_ended_with_all);
	tcase_add_test(t, proctree_caps_a_line);
	tcase_add_test(t, proctree_caps_the_log);
	tcase_add_test(t, proctree_full_disk_loses_the_log_only);
	tcase_add_test(t, proctree_redacts_a_secret_split_over_two_writes);
	tcase_add_test(t, proctree_escapes_what_a_terminal_would_obey);
	tcase_add_test(t, proctree_line_callback_tells_the_stream);
	tcase_add_test(t, proctree_two_at_once_end_apart);
	tcase_add_test(t, proctree_end_is_graceful);
	tcase_add_test(t, proctree_free_leaves_nothing_alive);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return (failed == 0 ? 0 : 1);
}
