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

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libcommon/fsutil.h"
#include "libcommon/ident.h"
#include "orchd/parent.h"
#include "orchd/sdnotify.h"

/* The engine's side of the parent's channel. */
static int	 engine = -1;

static void
no_message(struct chan *c, const struct orch_header *h,
    const union orch_any *any, int *fd, void *arg)
{
}

static void
no_end(struct chan *c, const char *why, void *arg)
{
	chan_free(c);
}

static void
setup(void)
{
	int	 sv[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
	    sv), 0);
	ck_assert_ptr_nonnull(par.p_base = event_base_new());
	engine = sv[1];
	par.p_child[CH_ENGINE].c_chan = chan_new(par.p_base, sv[0], 0,
	    FROM_ENGINE, no_message, no_end, NULL);
	ck_assert_ptr_nonnull(par.p_child[CH_ENGINE].c_chan);
	par.p_lock = par.p_runtime_lock = -1;
	par.p_engine_sock = par.p_control_sock = -1;
}

static void
teardown(void)
{
	chan_free(par.p_child[CH_ENGINE].c_chan);
	event_base_free(par.p_base);
	close(engine);
}

/* Ask for a signal; the answer's errno. */
static int
ask_kill(const char *ident, int sig)
{
	struct orch_kill	 k = { .run = 7, .ident = ident, .sig = sig };
	struct orch_header	 h;
	union orch_any		 any;
	uint8_t			*frame;
	int			 fd, e;

	parent_kill(3, &k);
	(void)chan_flush(par.p_child[CH_ENGINE].c_chan, 1000);
	ck_assert_int_eq(chan_read_one(engine, FROM_PARENT, &h, &any, &frame,
	    &fd, 1000), 0);
	ck_assert_uint_eq(h.h_type, ORCH_killed);
	ck_assert_uint_eq(h.h_id, 3);
	ck_assert_uint_eq(any.killed.run, 7);
	e = any.killed.error;
	free(frame);
	return (e);
}

static pid_t
sleeper(char *ident, struct ident *id)
{
	pid_t	 pid;
	int	 fds[2];
	char	 c;

	ck_assert_int_eq(pipe(fds), 0);
	if ((pid = fork()) == 0) {
		struct sigaction	 sa = { .sa_handler = SIG_DFL };

		/* Check's own handler would end the whole group. */
		sigaction(SIGTERM, &sa, NULL);
		ck_assert_int_eq(write(fds[1], "r", 1), 1);
		pause();
		_exit(0);
	}
	ck_assert_int_eq(read(fds[0], &c, 1), 1);
	ck_assert_int_eq(ident_of_pid(pid, id), 0);
	ck_assert_int_eq(ident_format(id, ident, IDENT_TEXT_MAX), 0);
	return (pid);
}

START_TEST(kill_reaches_the_process_that_is_named)
{
	char		 text[IDENT_TEXT_MAX];
	struct ident	 id;
	pid_t		 pid = sleeper(text, &id);
	int		 status;

	ck_assert_int_eq(ask_kill(text, SIGTERM), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(WTERMSIG(status), SIGTERM);
	ck_assert_int_eq(ask_kill(text, SIGTERM), ESRCH);
}
END_TEST

START_TEST(kill_of_a_reused_pid_is_refused)
{
	char		 text[IDENT_TEXT_MAX];
	struct ident	 id;
	pid_t		 pid = sleeper(text, &id);

	id.id_start_time++;
	id.id_pidfd_ino = 0;
	ck_assert_int_eq(ident_format(&id, text, sizeof(text)), 0);
	ck_assert_int_eq(ask_kill(text, SIGKILL), ESRCH);
	ck_assert_int_eq(kill(pid, 0), 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}
END_TEST

START_TEST(kill_of_ourselves_a_daemon_or_with_an_odd_signal_is_refused)
{
	char		 text[IDENT_TEXT_MAX];
	struct ident	 id;
	pid_t		 pid = sleeper(text, &id);

	ck_assert_int_eq(ask_kill(text, SIGUSR1), EINVAL);
	ck_assert_int_eq(ask_kill("1234", SIGTERM), EINVAL);
	par.p_child[CH_REAPERD].c_pid = pid;
	ck_assert_int_eq(ask_kill(text, SIGKILL), EPERM);
	par.p_child[CH_REAPERD].c_pid = 0;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	ck_assert_int_eq(ident_of_pid(getpid(), &id), 0);
	ck_assert_int_eq(ident_format(&id, text, sizeof(text)), 0);
	ck_assert_int_eq(ask_kill(text, SIGKILL), EPERM);
}
END_TEST

START_TEST(backoff_doubles_to_a_minute_and_a_long_life_resets_it)
{
	uint32_t	 ms = child_backoff(0, 5);
	int		 i;

	ck_assert_uint_eq(ms, 100);
	ck_assert_uint_eq(child_backoff(ms, 5), 200);
	for (i = 0; i < 30; i++)
		ms = child_backoff(ms, 59999);
	ck_assert_uint_eq(ms, 60000);
	ck_assert_uint_eq(child_backoff(ms, 60000), 100);
}
END_TEST

START_TEST(a_child_that_answers_no_ping_for_a_minute_is_killed)
{
	struct child	*c = &par.p_child[CH_REAPERD];
	char		 text[IDENT_TEXT_MAX];
	struct ident	 id;
	int		 i, sv[2], status;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	c->c_pid = sleeper(text, &id);
	c->c_chan = chan_new(par.p_base, sv[0], 0, FROM_REAPERD, no_message,
	    no_end, NULL);
	ck_assert_int_eq(kill(c->c_pid, SIGSTOP), 0);
	for (i = 0; i < 6; i++)
		children_ping();
	ck_assert_int_eq(waitpid(c->c_pid, &status, WNOHANG), 0);
	children_ping();
	ck_assert_int_eq(waitpid(c->c_pid, &status, 0), c->c_pid);
	ck_assert_int_eq(WTERMSIG(status), SIGKILL);
	chan_free(c->c_chan);
	close(sv[1]);
	memset(c, 0, sizeof(*c));
}
END_TEST

START_TEST(an_exec_that_fails_gives_its_errno)
{
	char	*argv[] = { NULL, NULL };
	char	 name[] = "nothing";
	pid_t	 pid;
	int	 sv[2];

	argv[0] = name;
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	ck_assert_int_eq(parent_exec("/nonexistent", argv, sv[1], -1, &pid),
	    -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(parent_exec("/etc/passwd", argv, sv[1], -1, &pid),
	    -1);
	ck_assert_int_eq(errno, EACCES);
}
END_TEST

START_TEST(a_child_has_four_descriptors_a_session_and_no_stranger_variable)
{
	char	 sh[] = "sh", c[] = "-c", script[] = "exec >&3; ls -m "
	    "/proc/$$/fd; env | grep -c STRANGER; "
	    "ps -o sid= -p $$ | grep -qw $$ && echo session";
	char	*argv[] = { sh, c, script, NULL }, buf[512];
	size_t	 len = 0;
	ssize_t	 n;
	pid_t	 pid;
	int	 sv[2];

	setenv("STRANGER", "1", 1);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	ck_assert_int_ge(open("/dev/null", O_RDONLY), 0);
	ck_assert_int_eq(parent_exec("/bin/sh", argv, sv[1], -1, &pid), 0);
	close(sv[1]);
	while ((n = read(sv[0], buf + len, sizeof(buf) - 1 - len)) > 0)
		len += (size_t)n;
	buf[len] = '\0';
	waitpid(pid, NULL, 0);
	ck_assert_str_eq(buf, "0, 1, 2, 3\n0\nsession\n");
}
END_TEST

START_TEST(folders_of_others_and_links_are_refused_and_a_lock_holds)
{
	char		 dir[] = "/tmp/orchd-parent-XXXXXX", a[80], b[80];
	char		 c[80], err[1024];
	struct conf	 cf, old;
	struct stat	 sb;
	int		 status;
	pid_t		 pid;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(a, sizeof(a), "%s/state", dir);
	snprintf(b, sizeof(b), "%s/run", dir);
	memset(&cf, 0, sizeof(cf));
	cf.cf_state = a;
	cf.cf_runtime = b;
	old = cf;
	ck_assert_int_eq(symlink("/tmp", a), 0);
	ck_assert_int_eq(listen_folders(&cf), -1);
	unlink(a);
	ck_assert_int_eq(listen_folders(&cf), 0);
	ck_assert_int_eq(stat(a, &sb), 0);
	ck_assert_uint_eq(sb.st_mode & 07777, 0700);
	ck_assert_int_eq(stat(b, &sb), 0);
	ck_assert_uint_eq(sb.st_mode & 07777, 0711);
	if ((pid = fork()) == 0) {
		par.p_lock = par.p_runtime_lock = -1;
		_exit(listen_folders(&cf) == -1 ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	ck_assert_int_eq(status, 0);
	/* After a restart in place the lock is there; it is of this folder. */
	ck_assert_int_eq(listen_folders(&cf), 0);
	snprintf(c, sizeof(c), "%s/other", dir);
	cf.cf_state = c;
	ck_assert_int_eq(listen_folders(&cf), -1);
	/* Nor is it, if somebody else's lock is there. */
	snprintf(c, sizeof(c), "%s/other/lock", dir);
	ck_assert_int_ne(status = open(c, O_CREAT | O_WRONLY, 0600), -1);
	close(status);
	snprintf(c, sizeof(c), "%s/other", dir);
	ck_assert_int_eq(listen_kept(&cf, err, sizeof(err)), -1);
	ck_assert_ptr_nonnull(strstr(err, c));
	par.p_conf = &old;
	ck_assert_int_eq(parent_same_folders(&cf, err, sizeof(err)), -1);
	ck_assert_ptr_nonnull(strstr(err, "state and runtime cannot change"));
	cf.cf_state = a;
	ck_assert_int_eq(parent_same_folders(&cf, err, sizeof(err)), 0);
	par.p_conf = NULL;
	ck_assert_int_eq(listen_sockets(&cf), 0);
	snprintf(a, sizeof(a), "%s/run/engine.sock", dir);
	ck_assert_int_eq(stat(a, &sb), 0);
	ck_assert_uint_eq(sb.st_mode & 0777, 0600);
	ck_assert_int_eq(fs_remove_tree(AT_FDCWD, dir, NULL, 0), 0);
}
END_TEST

START_TEST(the_service_manager_hears_what_is_said)
{
	struct sockaddr_un	 sun = { .sun_family = AF_UNIX };
	char			 buf[128] = "", name[64], last = 0;
	int			 fd = socket(AF_UNIX, SOCK_DGRAM, 0), n;
	long long		 usec = 0;

	unsetenv("NOTIFY_SOCKET");
	ck_assert_int_eq(sd_tell("READY=1"), 0);
	n = snprintf(name, sizeof(name), "@orchd-test-%d", (int)getpid());
	memcpy(sun.sun_path + 1, name + 1, (size_t)n - 1);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sun, (socklen_t)
	    (offsetof(struct sockaddr_un, sun_path) + (size_t)n)), 0);
	setenv("NOTIFY_SOCKET", name, 1);
	ck_assert_int_eq(sd_tell("READY=1"), 0);
	ck_assert_int_eq(recv(fd, buf, sizeof(buf), MSG_DONTWAIT), 7);
	ck_assert_str_eq(buf, "READY=1");
	ck_assert_int_eq(sd_tell_reloading("restarting"), 0);
	memset(buf, 0, sizeof(buf));
	ck_assert_int_gt(recv(fd, buf, sizeof(buf) - 1, MSG_DONTWAIT), 0);
	ck_assert_int_eq(sscanf(buf, "RELOADING=1\nMONOTONIC_USEC=%lld\n"
	    "STATUS=restartin%c", &usec, &last), 2);
	ck_assert_int_gt(usec, 0);
	ck_assert_int_eq(last, 'g');
	setenv("NOTIFY_SOCKET", "relative", 1);
	ck_assert_int_eq(sd_tell("READY=1"), -1);
	setenv("WATCHDOG_USEC", "3000000", 1);
	unsetenv("WATCHDOG_PID");
	ck_assert_uint_eq(sd_watchdog_ms(), 1500);
	setenv("WATCHDOG_PID", "1", 1);
	ck_assert_uint_eq(sd_watchdog_ms(), 0);
}
END_TEST

static void
script(const char *path, const char *text)
{
	FILE *fp = fopen(path, "w");

	ck_assert_ptr_nonnull(fp);
	fprintf(fp, "#!/bin/sh\n%s\n", text);
	ck_assert_int_eq(fclose(fp), 0);
	ck_assert_int_eq(chmod(path, 0700), 0);
}

/* Else the old one would give way to one that ends. */
START_TEST(a_new_program_that_cannot_start_is_named_with_what_it_says)
{
	char	 dir[] = "/tmp/orchd-image.XXXXXX", path[64], text[256];

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/orchd", dir);
	ck_assert_int_eq(parent_try_image(path, "c", text, sizeof(text)), -1);
	ck_assert_ptr_nonnull(strstr(text, path));
	script(path, "[ \"$*\" = '-n -f c' ] && echo fine");
	ck_assert_int_eq(parent_try_image(path, "c", text, sizeof(text)), 0);
	script(path, "echo 'c:7: no such option' >&2\necho more\nexit 1");
	ck_assert_int_eq(parent_try_image(path, "c", text, sizeof(text)), -1);
	ck_assert_str_eq(text, "c:7: no such option");
	script(path, "kill -SEGV $$");
	ck_assert_int_eq(parent_try_image(path, "c", text, sizeof(text)), -1);
	ck_assert_ptr_nonnull(strstr(text, "-n -f c fails"));
	script(path, "yes | head -c 100000 >&2; exit 2");
	ck_assert_int_eq(parent_try_image(path, "c", text, sizeof(text)), -1);
	ck_assert_str_eq(text, "y");
	ck_assert_int_eq(fs_remove_tree(AT_FDCWD, dir, NULL, 0), 0);
}
END_TEST

/* Restores what fmt says, which has the descriptors in it. */
static void
restore_text(const char *fmt, const int *fds, int want)
{
	char	 text[128], num[16];
	int	 fd, n;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	n = snprintf(text, sizeof(text), fmt, fds[0], fds[1], fds[2], fds[3]);
#pragma GCC diagnostic pop
	ck_assert_int_ne(fd = memfd_create("text", 0), -1);
	ck_assert_int_eq(write(fd, text, (size_t)n), n);
	snprintf(num, sizeof(num), "%d", fd);
	setenv("ORCHD_STATE_FD", num, 1);
	ck_assert_msg(state_restore() == want, "%s", text);
}

START_TEST(what_survives_a_restart_is_restored)
{
	static const char	*name = "ORCHD_STATE_FD";
	int			 i, fds[5];

	for (i = 0; i < 5; i++)
		fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	par.p_lock = fds[0];
	par.p_runtime_lock = fds[1];
	par.p_engine_sock = fds[2];
	par.p_control_sock = fds[3];
	par.p_next_generation = 17;
	par.p_conf_generation = 3;
	par.p_listen = calloc(1, sizeof(struct listener));
	ck_assert_ptr_nonnull(par.p_listen);
	par.p_nlisten = 1;
	par.p_listen[0].l_role = CONF_LISTEN_PAGE;
	par.p_listen[0].l_port = 80;
	par.p_listen[0].l_fd = fds[4];
	snprintf(par.p_listen[0].l_addr, sizeof(par.p_listen[0].l_addr),
	    "::1");
	run_remember(77, 1234567890123ULL);
	strlist_add(&par.p_env, "A=b c");
	ck_assert_int_eq(state_save(), 0);
	ck_assert_int_eq(fcntl(fds[2], F_GETFD), 0);
	free(par.p_listen);
	par.p_listen = NULL;
	par.p_nlisten = 0;
	free(par.p_runs);
	par.p_runs = NULL;
	strlist_free(&par.p_env);
	par.p_lock = -1;
	par.p_next_generation = 0;
	ck_assert_int_eq(state_restore(), 1);
	ck_assert_ptr_null(getenv(name));
	ck_assert_int_eq(par.p_lock, fds[0]);
	ck_assert_int_eq(fcntl(fds[2], F_GETFD), FD_CLOEXEC);
	ck_assert_uint_eq(par.p_nlisten, 1);
	ck_assert_str_eq(par.p_listen[0].l_addr, "::1");
	ck_assert_int_eq(par.p_listen[0].l_fd, fds[4]);
	ck_assert_uint_eq(par.p_runs->rp_run, 1234567890123ULL);
	ck_assert_str_eq(par.p_env.sl_v[0], "A=b c");
	ck_assert_uint_eq(par.p_next_generation, 17);
	/* A fact of another version is left alone, a broken one is not. */
	par.p_lock = fds[0];
	restore_text("fds %d %d %d %d\nnews 1 2 3\n", fds, 1);
	restore_text("fds %d %d %d\nfds\n", fds, -1);
	restore_text("fds %d %d %d %d\nrun 5\n", fds, -1);
	restore_text("fds %d %d %d %d\nlisten 5\n", fds, -1);
	/* Rubbish in the variable is not believed. */
	setenv(name, "9999", 1);
	ck_assert_int_eq(state_restore(), -1);
	free(par.p_listen);
	free(par.p_runs);
	strlist_free(&par.p_env);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("parent");
	TCase	*tc = tcase_create("parent");
	SRunner	*sr;
	int	 failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, kill_reaches_the_process_that_is_named);
	tcase_add_test(tc, kill_of_a_reused_pid_is_refused);
	tcase_add_test(tc,
	    kill_of_ourselves_a_daemon_or_with_an_odd_signal_is_refused);
	tcase_add_test(tc,
	    backoff_doubles_to_a_minute_and_a_long_life_resets_it);
	tcase_add_test(tc, a_child_that_answers_no_ping_for_a_minute_is_killed);
	tcase_add_test(tc, an_exec_that_fails_gives_its_errno);
	tcase_add_test(tc,
	    a_child_has_four_descriptors_a_session_and_no_stranger_variable);
	tcase_add_test(tc,
	    folders_of_others_and_links_are_refused_and_a_lock_holds);
	tcase_add_test(tc, the_service_manager_hears_what_is_said);
	tcase_add_test(tc,
	    a_new_program_that_cannot_start_is_named_with_what_it_says);
	tcase_add_test(tc, what_survives_a_restart_is_restored);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed > 0);
}
