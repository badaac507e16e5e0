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
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "libcommon/seccomp.h"
#include "proto/roles.h"

/* Each try answers the errno of a call that a role is refused, or 0. */
typedef int (*try_fn)(void);

static int
result(long r)
{
	return (r == -1 ? errno : 0);
}

static int
try_exec(void)
{
	char	*argv[] = { NULL };

	return (result(execve("/bin/true", argv, argv)));
}

static int
try_open(void)
{
	return (result(open("/etc/passwd", O_RDONLY)));
}

static int
try_inet(void)
{
	return (result(socket(AF_INET, SOCK_STREAM, 0)));
}

static int
try_inet6(void)
{
	return (result(socket(AF_INET6, SOCK_DGRAM, 0)));
}

static int
try_vsock(void)
{
	return (result(socket(AF_VSOCK, SOCK_STREAM, 0)));
}

static int
try_unix(void)
{
	return (result(socket(AF_UNIX, SOCK_STREAM, 0)));
}

static int
try_connect(void)
{
	struct sockaddr	 sa = { .sa_family = AF_UNIX };

	return (result(connect(0, &sa, sizeof(sa))));
}

static int
try_kill(void)
{
	return (result(kill(getpid(), 0)));
}

static int
try_fork(void)
{
	pid_t	 pid = fork();

	if (pid == 0)
		_exit(0);
	return (result(pid));
}

#ifndef __SANITIZE_ADDRESS__
static int
try_ptrace(void)
{
	return (result(ptrace(PTRACE_TRACEME, 0, NULL, NULL)));
}
#endif

static int
try_mount(void)
{
	return (result(mount("x", "/nonexistent", "tmpfs", 0, NULL)));
}

static int
try_unshare(void)
{
	return (result(unshare(CLONE_NEWUSER)));
}

static int
try_clone_newuser(void)
{
	long	 r = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL,
		    NULL, NULL);

	if (r == 0)
		_exit(0);
	return (result(r));
}

static int
try_bpf(void)
{
	return (result(syscall(SYS_bpf, 0, NULL, 0)));
}

static int
try_keyctl(void)
{
	return (result(syscall(SYS_keyctl, 0, -3, 0, 0, 0)));
}

static int
try_io_uring(void)
{
	return (result(syscall(SYS_io_uring_setup, 1, NULL)));
}

static int
try_vm(void)
{
	return (result(syscall(SYS_process_vm_readv, getpid(), NULL, 0, NULL,
	    0, 0)));
}

static int
try_listen(void)
{
	return (result(listen(0, 1)));
}

/* Runs try in a process of that role; the errno is its exit status. */
static int
as_role(int role, try_fn try)
{
	char	 err[256];
	pid_t	 pid;
	int	 st;

	if ((pid = fork()) == 0) {
		if (role == ROLE_NONE ?
		    seccomp_agent(0, err, sizeof(err)) == -1 :
		    sandbox_enter((enum orch_role)role, err,
		    sizeof(err)) == -1)
			_exit(255);
		_exit(try());
	}
	ck_assert_int_ne(pid, -1);
	ck_assert_int_eq(waitpid(pid, &st, 0), pid);
	ck_assert_msg(WIFEXITED(st), "killed by %d", WTERMSIG(st));
	return (WEXITSTATUS(st));
}

static const int	 all_roles[] = { ROLE_ENGINE, ROLE_WEBHOOK, ROLE_PAGE,
	ROLE_RECONCILED, ROLE_FINALIZERD, ROLE_REAPERD, ROLE_WORKER };
#define NROLES	(sizeof(all_roles) / sizeof(all_roles[0]))

static void
refused(unsigned roles, try_fn try, int code)
{
	size_t	 i;

	for (i = 0; i < NROLES; i++)
		if (roles & 1U << all_roles[i])
			ck_assert_msg(as_role(all_roles[i], try) == code,
			    "role %d is not refused", all_roles[i]);
}

static void
allowed(unsigned roles, try_fn try)
{
	size_t	 i;

	for (i = 0; i < NROLES; i++)
		if (roles & 1U << all_roles[i])
			ck_assert_int_eq(as_role(all_roles[i], try), 0);
}

#define FACING	(FROM_WEBHOOK | FROM_PAGE)
#define ALL	(FACING | FROM_ENGINE | FROM_RECONCILED | FROM_FINALIZERD | \
		    FROM_REAPERD | FROM_WORKER)

START_TEST(roles_may_not_administer_the_machine)
{
	refused(ALL, try_mount, EPERM);
	refused(ALL, try_unshare, EPERM);
	refused(ALL, try_bpf, EPERM);
	refused(ALL, try_keyctl, EPERM);
	refused(ALL, try_io_uring, ENOSYS);
	refused(ALL, try_vm, EPERM);
#ifndef __SANITIZE_ADDRESS__
	refused(ALL, try_ptrace, EPERM);
#endif
}
END_TEST

START_TEST(only_finalizerd_and_workers_run_programs)
{
	refused(ALL & ~(FROM_FINALIZERD | FROM_WORKER), try_exec, EPERM);
	allowed(FROM_FINALIZERD | FROM_WORKER, try_exec);
}
END_TEST

START_TEST(engine_and_reaperd_have_no_network)
{
	refused(FROM_ENGINE | FROM_REAPERD, try_inet, EAFNOSUPPORT);
	refused(FROM_ENGINE | FROM_REAPERD, try_inet6, EAFNOSUPPORT);
	allowed(FROM_ENGINE | FROM_REAPERD, try_unix);
	allowed(FROM_RECONCILED | FROM_FINALIZERD, try_inet);
	refused(ALL & ~FACING, try_vsock, EAFNOSUPPORT);
}
END_TEST

START_TEST(webhook_and_page_open_connect_and_start_nothing)
{
	refused(FACING, try_open, EACCES);
	refused(FACING, try_inet, EPERM);
	refused(FACING, try_unix, EPERM);
	refused(FACING, try_connect, EPERM);
	refused(FACING, try_fork, EPERM);
	allowed(ALL & ~FACING, try_open);
}
END_TEST

START_TEST(reaperd_and_webhook_kill_nobody)
{
	refused(FACING | FROM_REAPERD, try_kill, EPERM);
	allowed(ALL & ~(FACING | FROM_REAPERD), try_kill);
}
END_TEST

START_TEST(workers_do_not_listen)
{
	refused(FROM_RECONCILED | FROM_FINALIZERD | FROM_REAPERD, try_listen,
	    EPERM);
}
END_TEST

static int
try_not_dumpable(void)
{
	struct rlimit	 rl;

	if (getrlimit(RLIMIT_CORE, &rl) == -1 || rl.rlim_max != 0)
		return (1);
	return (prctl(PR_GET_DUMPABLE) == 0 &&
	    prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : 1);
}

START_TEST(roles_leave_no_core_and_gain_no_privilege)
{
	allowed(ALL, try_not_dumpable);
}
END_TEST

static void *
nothing(void *arg)
{
	return (arg);
}

static int
try_thread(void)
{
	pthread_t	 t;

	return (pthread_create(&t, NULL, nothing, NULL) == 0 &&
	    pthread_join(t, NULL) == 0 ? 0 : 1);
}

START_TEST(a_role_without_a_filter_is_refused)
{
	ck_assert_int_eq(as_role(ROLE_RUNNER, try_thread), 255);
	ck_assert_int_eq(as_role(ROLE_PARENT, try_thread), 255);
}
END_TEST

START_TEST(threads_are_allowed_to_every_role)
{
	allowed(ALL, try_thread);
}
END_TEST

START_TEST(agent_makes_no_namespace_and_no_foreign_socket)
{
	ck_assert_int_eq(as_role(0, try_unshare), EPERM);
	ck_assert_int_eq(as_role(0, try_clone_newuser), EPERM);
	ck_assert_int_eq(as_role(0, try_mount), EPERM);
	ck_assert_int_eq(as_role(0, try_bpf), EPERM);
	ck_assert_int_eq(as_role(0, try_io_uring), ENOSYS);
	ck_assert_int_eq(as_role(0, try_vsock), EAFNOSUPPORT);
	ck_assert_int_eq(as_role(0, try_inet), 0);
	ck_assert_int_eq(as_role(0, try_unix), 0);
	ck_assert_int_eq(as_role(0, try_fork), 0);
	ck_assert_int_eq(as_role(0, try_exec), 0);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("seccomp");
	TCase	*t = tcase_create("seccomp");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_set_timeout(t, 30);
	tcase_add_test(t, roles_may_not_administer_the_machine);
	tcase_add_test(t, only_finalizerd_and_workers_run_programs);
	tcase_add_test(t, engine_and_reaperd_have_no_network);
	tcase_add_test(t, webhook_and_page_open_connect_and_start_nothing);
	tcase_add_test(t, reaperd_and_webhook_kill_nobody);
	tcase_add_test(t, workers_do_not_listen);
	tcase_add_test(t, roles_leave_no_core_and_gain_no_privilege);
	tcase_add_test(t, a_role_without_a_filter_is_refused);
	tcase_add_test(t, threads_are_allowed_to_every_role);
	tcase_add_test(t, agent_makes_no_namespace_and_no_foreign_socket);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return (failed == 0 ? 0 : 1);
}
