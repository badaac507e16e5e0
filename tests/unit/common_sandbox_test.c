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
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libcommon/fsutil.h"
#include "libcommon/proctree.h"
#include "libcommon/sandbox.h"
#include "libcommon/shim.h"

/* This program is its own shim, as the runner is. */
static char	 self[PATH_MAX];
static char	 dir[64];
static char	 work[96], ro[96], home[96];

static struct sandbox_opts
box(enum sandbox_level level)
{
	static const char	*ro_binds[2];
	struct sandbox_opts	 o;

	memset(&o, 0, sizeof(o));
	ro_binds[0] = ro;
	o.level = level;
	o.workdir = work;
	o.ro_binds = ro_binds;
	o.shim = self;
	if (level != SANDBOX_BWRAP)
		o.home = home;
	return (o);
}

static void
setup(void)
{
	(void)snprintf(dir, sizeof(dir), "/tmp/orchd-box-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	(void)snprintf(work, sizeof(work), "%s/work", dir);
	(void)snprintf(ro, sizeof(ro), "%s/mirror", dir);
	(void)snprintf(home, sizeof(home), "%s/home", dir);
	ck_assert_int_eq(mkdir(work, 0755), 0);
	ck_assert_int_eq(mkdir(ro, 0755), 0);
	ck_assert_int_eq(mkdir(home, 0755), 0);
}

static void
teardown(void)
{
	ck_assert_int_eq(fs_remove_tree(AT_FDCWD, dir, NULL, 0), 0);
}

static const char *const	 env[] = { "PATH=/usr/bin:/bin", "SECRET_X=1",
	"HOME=/root", NULL };

/* Runs `sh -c script` in the box; go: what the shim is told, 0 for EOF. */
static struct proctree_result
in_box(const struct sandbox_opts *so, const char *script, char go,
    char *text, size_t len)
{
	const char *const	 argv[] = { "sh", "-c", script, NULL };
	struct proctree_opts	 o = PROCTREE_OPTS_INIT;
	struct proctree_result	 res;
	struct proctree_fd	 fd;
	char			**av, err[512] = "";
	ssize_t			 n;
	int			 sv[2];

	ck_assert_msg(sandbox_wrap(so, argv, &av, err, sizeof(err)) == 0,
	    "%s", err);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
	    sv), 0);
	if (go != 0)
		ck_assert_int_eq((int)write(sv[0], &go, 1), 1);
	else
		ck_assert_int_eq(shutdown(sv[0], SHUT_WR), 0);
	fd.src = sv[1];
	fd.dst = 3;
	o.argv = (const char *const *)av;
	o.envp = env;
	o.timeout_ms = 20000;
	o.pass_fds = &fd;
	o.npass_fds = 1;
	o.log_fd = memfd_create("log", MFD_CLOEXEC);
	ck_assert_int_eq(proctree_run(&o, &res), 0);
	n = pread(o.log_fd, text, len - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	close(o.log_fd);
	close(sv[0]);
	close(sv[1]);
	sandbox_argv_free(av);
	return (res);
}

/* The script must succeed in the box. */
static void
holds(const struct sandbox_opts *o, const char *script)
{
	struct proctree_result	 res;
	char			 text[4096];

	res = in_box(o, script, 'G', text, sizeof(text));
	ck_assert_msg(res.exit_code == 0, "%s: exit %d, signal %d: %s",
	    script, res.exit_code, res.sig, text);
}

START_TEST(bwrap_probe_works)
{
	struct sandbox_opts	 o = box(SANDBOX_BWRAP);
	char			 err[512] = "";

	ck_assert_msg(sandbox_probe(&o, err, sizeof(err)) == 0, "%s", err);
}
END_TEST

START_TEST(probe_names_a_missing_folder)
{
	struct sandbox_opts	 o = box(SANDBOX_BWRAP);
	char			 err[512] = "";

	o.workdir = "/nonexistent/work";
	ck_assert_int_eq(sandbox_probe(&o, err, sizeof(err)), -1);
	ck_assert_msg(strstr(err, "/nonexistent/work") != NULL, "%s", err);
}
END_TEST

START_TEST(bwrap_writes_only_its_workspace)
{
	struct sandbox_opts	 o = box(SANDBOX_BWRAP);

	holds(&o, "pwd | grep -q /work$ && echo x >file");
	holds(&o, "! touch /usr/x 2>/dev/null && ! touch /x 2>/dev/null");
	holds(&o, "cd ../mirror && ! touch x 2>/dev/null");
	holds(&o, "touch /tmp/x && touch $HOME/x && test $HOME = /home/agent");
	ck_assert_int_eq(access("/tmp/x", F_OK), -1);
}
END_TEST

START_TEST(bwrap_sees_no_other_file_process_or_descriptor)
{
	struct sandbox_opts	 o = box(SANDBOX_BWRAP);

	holds(&o, "test ! -e /root && test ! -e /etc/shadow && "
	    "test ! -e /var/lib && test ! -e /home/root");
	holds(&o, "test $(ls /proc | grep -c '^[0-9]') -le 6");
	holds(&o, "test $(ls /proc/$$/fd | tr '\\n' ' ' | sed 's/ *$//' "
	    "| tr -d ' ' | cut -c1-3) = 012 && test ! -e /proc/$$/fd/3");
	holds(&o, "test \"$SECRET_X\" = 1");
}
END_TEST

START_TEST(bwrap_environment_is_not_on_the_command_line)
{
	static const char *const	 argv[] = { "true", NULL };
	struct sandbox_opts		 o = box(SANDBOX_BWRAP);
	char				**av, err[256];
	int				 i;

	ck_assert_int_eq(sandbox_wrap(&o, argv, &av, err, sizeof(err)), 0);
	for (i = 0; av[i] != NULL; i++)
		ck_assert_ptr_null(strstr(av[i], "SECRET"));
	sandbox_argv_free(av);
}
END_TEST

START_TEST(bwrap_without_network_reaches_nothing)
{
	struct sandbox_opts	 o = box(SANDBOX_BWRAP);

	holds(&o, "test \"$(tail -n +3 /proc/net/dev | wc -l)\" = 1");
	holds(&o, "grep -q NoNewPrivs:.*1 /proc/self/status && "
	    "grep -q CapEff:.*0000000000000000 /proc/self/status && "
	    "grep -q Seccomp:.*2 /proc/self/status");
	holds(&o, "! unshare -U true 2>/dev/null");
}
END_TEST

START_TEST(bwrap_open_network_shares_the_hosts)
{
	struct sandbox_opts	 o = box(SANDBOX_BWRAP);
	struct stat		 st;
	char			 same[160], other[192];

	ck_assert_int_eq(stat("/proc/self/ns/net", &st), 0);
	(void)snprintf(same, sizeof(same), "test $(stat -Lc %%i "
	    "/proc/self/ns/net) = %llu", (unsigned long long)st.st_ino);
	(void)snprintf(other, sizeof(other), "! %s", same);
	holds(&o, other);
	o.net = SANDBOX_NET_OPEN;
	holds(&o, same);
}
END_TEST

START_TEST(bwrap_limits_hold)
{
	struct sandbox_opts	 o = box(SANDBOX_BWRAP);

	o.mem_max = 64 * 1024 * 1024;
	o.fsize_max = 1024 * 1024;
	o.nproc_max = 50;
	o.tmp_max = 1024 * 1024;
	holds(&o, "test $(ulimit -d) = 65536 && test $(ulimit -c) = 0");
	holds(&o, "! head -c 3000000 /dev/zero >big 2>/dev/null; "
	    "test $(stat -c %s big) = 1048576");
	holds(&o, "grep -q 'Max processes *50 ' /proc/self/limits");
	o.fsize_max = 0;
	holds(&o, "! head -c 3000000 /dev/zero 2>/dev/null >/tmp/big");
	holds(&o, "! head -c 3000000 /dev/zero 2>/dev/null >/dev/shm/big");
	holds(&o, "! touch /dev/big 2>/dev/null && echo x >/dev/null");
}
END_TEST

START_TEST(bwrap_daemon_dies_with_the_box)
{
	struct sandbox_opts	 o = box(SANDBOX_BWRAP);
	struct proctree_result	 res;
	char			 text[256];

	res = in_box(&o, "setsid -f sleep 4711 & sleep 0.2; exit 6", 'G',
	    text, sizeof(text));
	ck_assert_int_eq(res.exit_code, 6);
	ck_assert_int_eq(res.left, 0);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
	ck_assert_int_eq(errno, ECHILD);
}
END_TEST

START_TEST(shim_without_go_runs_nothing)
{
	struct sandbox_opts	 o = box(SANDBOX_BWRAP);
	struct proctree_result	 res;
	char			 text[512];

	res = in_box(&o, "echo ran", 0, text, sizeof(text));
	ck_assert_int_eq(res.exit_code, 125);
	ck_assert_ptr_null(strstr(text, "ran\n"));
	ck_assert_ptr_nonnull(strstr(text, "not started"));
	res = in_box(&o, "echo ran", 'X', text, sizeof(text));
	ck_assert_int_eq(res.exit_code, 125);
}
END_TEST

START_TEST(shim_says_which_program_is_missing)
{
	static const char *const	 argv[] = { "claudee", NULL };
	struct sandbox_opts		 o = box(SANDBOX_NONE);
	struct proctree_opts		 po = PROCTREE_OPTS_INIT;
	struct proctree_result		 res;
	struct proctree_fd		 fd;
	char				**av, err[256];
	int				 sv[2];

	ck_assert_int_eq(sandbox_wrap(&o, argv, &av, err, sizeof(err)), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	ck_assert_int_eq((int)write(sv[0], "G", 1), 1);
	fd.src = sv[1];
	fd.dst = 3;
	po.argv = (const char *const *)av;
	po.envp = env;
	po.pass_fds = &fd;
	po.npass_fds = 1;
	ck_assert_int_eq(proctree_run(&po, &res), 0);
	ck_assert_int_eq(res.exit_code, 127);
	ck_assert_str_eq(res.tail,
	    "sandbox: claudee: No such file or directory\n");
	sandbox_argv_free(av);
}
END_TEST

START_TEST(landlock_holds_files_sockets_and_signals)
{
	struct sandbox_opts	 o = box(SANDBOX_LANDLOCK);
	char			 err[512] = "", script[256];

	if (sandbox_landlock_abi() < 6) {
		ck_assert_int_eq(sandbox_probe(&o, err, sizeof(err)), -1);
		ck_assert_ptr_nonnull(strstr(err, "keeps signals inside"));
		return;
	}
	ck_assert_msg(sandbox_probe(&o, err, sizeof(err)) == 0, "%s", err);
	holds(&o, "echo x >file && touch $HOME/x && true >/dev/null");
	holds(&o, "! touch ../mirror/x 2>/dev/null && ls ../mirror");
	holds(&o, "! touch /tmp/orchd-box-escape 2>/dev/null && "
	    "! ls /root 2>/dev/null && ! cat /etc/shadow 2>/dev/null");
	(void)snprintf(script, sizeof(script), "! kill -0 %d 2>/dev/null",
	    (int)getpid());
	holds(&o, script);
	holds(&o, "grep -q Seccomp:.*2 /proc/self/status");
}
END_TEST

START_TEST(landlock_refuses_allow_and_a_missing_home)
{
	static const char *const	 argv[] = { "true", NULL };
	struct sandbox_opts		 o = box(SANDBOX_LANDLOCK);
	char				**av, err[512];

	o.net = SANDBOX_NET_ALLOW;
	ck_assert_int_eq(sandbox_wrap(&o, argv, &av, err, sizeof(err)), -1);
	ck_assert_ptr_nonnull(strstr(err, "needs sandbox bwrap"));
	o = box(SANDBOX_LANDLOCK);
	o.home = NULL;
	ck_assert_int_eq(sandbox_wrap(&o, argv, &av, err, sizeof(err)), -1);
	ck_assert_ptr_nonnull(strstr(err, "home folder"));
}
END_TEST

START_TEST(allow_without_a_proxy_is_refused)
{
	static const char *const	 argv[] = { "true", NULL };
	struct sandbox_opts		 o = box(SANDBOX_BWRAP);
	char				**av, err[512];

	o.net = SANDBOX_NET_ALLOW;
	ck_assert_int_eq(sandbox_wrap(&o, argv, &av, err, sizeof(err)), -1);
	ck_assert_ptr_nonnull(strstr(err, "proxy"));
}
END_TEST

int
main(int argc, char **argv)
{
	Suite	*s = suite_create("sandbox");
	TCase	*t = tcase_create("sandbox");
	SRunner	*r;
	ssize_t	 n;
	int	 failed;

	if (argc > 1 && strcmp(argv[1], "-S") == 0)
		return (shim_main(argc, argv));
	if ((n = readlink("/proc/self/exe", self, sizeof(self) - 1)) == -1)
		return (1);
	self[n] = '\0';
	r = srunner_create(s);
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, bwrap_probe_works);
	tcase_add_test(t, probe_names_a_missing_folder);
	tcase_add_test(t, bwrap_writes_only_its_workspace);
	tcase_add_test(t, bwrap_sees_no_other_file_process_or_descriptor);
	tcase_add_test(t, bwrap_environment_is_not_on_the_command_line);
	tcase_add_test(t, bwrap_without_network_reaches_nothing);
	tcase_add_test(t, bwrap_open_network_shares_the_hosts);
	tcase_add_test(t, bwrap_limits_hold);
	tcase_add_test(t, bwrap_daemon_dies_with_the_box);
	tcase_add_test(t, shim_without_go_runs_nothing);
	tcase_add_test(t, shim_says_which_program_is_missing);
	tcase_add_test(t, landlock_holds_files_sockets_and_signals);
	tcase_add_test(t, landlock_refuses_allow_and_a_missing_home);
	tcase_add_test(t, allow_without_a_proxy_is_refused);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return (failed == 0 ? 0 : 1);
}
