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
#include <sys/epoll.h>
#include <sys/mman.h>
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
#include <openssl/rand.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "libcommon/log.h"
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

static pid_t	 parent_pid;

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

static int
try_create(void)
{
	return (result(open("/tmp/orchd-seccomp-test", O_WRONLY | O_CREAT |
	    O_EXCL, 0600)));
}

static int
try_unlink(void)
{
	return (result(unlink("/nonexistent/file")));
}

static int
try_socketpair(void)
{
	int	 sv[2];

	return (result(socketpair(AF_UNIX, SOCK_STREAM, 0, sv)));
}

/* connect(2) by another name. */
static int
try_fastopen(void)
{
	struct msghdr	 msg = { .msg_iovlen = 0 };

	return (result(sendmsg(0, &msg, MSG_NOSIGNAL | MSG_FASTOPEN)));
}

static int
try_mprotect_exec(void)
{
	char	*p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE |
		    MAP_ANONYMOUS, -1, 0);

	return (p == MAP_FAILED ? 200 :
	    result(mprotect(p, 4096, PROT_READ | PROT_EXEC)));
}

static int
try_mmap_exec(void)
{
	return (mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE |
	    MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? errno : 0);
}

static int
try_mmap_file(void)
{
	return (mmap(NULL, 4096, PROT_READ, MAP_SHARED, 0, 0) == MAP_FAILED ?
	    errno : 0);
}

#ifdef __x86_64__
/* The calls of x32, which are those of x86-64 by other numbers. */
static int
try_other_abi(void)
{
	return (result(syscall(0x40000000 | SYS_getpid)));
}
#endif

static int
try_tgkill_term(void)
{
	return (result(syscall(SYS_tgkill, getpid(), getpid(), SIGTERM)));
}

static int
try_tgkill_other(void)
{
	return (result(syscall(SYS_tgkill, parent_pid, parent_pid,
	    SIGABRT)));
}

static int
try_setown(void)
{
	return (result(fcntl(0, F_SETOWN, 1)));
}

/* On the heap, in pieces of their own, moved, and given back. */
static int
try_memory(void)
{
	char	*p[64], *q;
	size_t	 i;

	for (i = 0; i < 64; i++) {
		if ((p[i] = malloc(i * 4000 + 1)) == NULL)
			return (1);
		memset(p[i], 1, i * 4000 + 1);
	}
	if ((q = realloc(p[63], 8 << 20)) == NULL ||
	    (p[63] = realloc(q, 300000)) == NULL)
		return (1);
	for (i = 0; i < 64; i++)
		free(p[i]);
	return (0);
}

/* Made before, as webhookd's are. */
static int	 pair[2];
static int	 loop;

static int
try_bytes(void)
{
	struct epoll_event	 ev = { .events = EPOLLIN };
	int			 copy;
	char			 c;

	if (epoll_ctl(loop, EPOLL_CTL_ADD, pair[0], &ev) == -1 ||
	    epoll_wait(loop, &ev, 1, 0) != 0 ||
	    accept4(pair[0], NULL, NULL, SOCK_CLOEXEC) != -1 ||
	    errno != EINVAL)
		return (1);
	if ((copy = fcntl(pair[0], F_DUPFD_CLOEXEC, 0)) == -1 ||
	    fcntl(copy, F_SETFL, fcntl(copy, F_GETFL) | O_NONBLOCK) == -1 ||
	    write(pair[1], "x", 1) != 1 || read(copy, &c, 1) != 1 ||
	    shutdown(copy, SHUT_WR) == -1 || close(copy) == -1)
		return (errno);
	return (0);
}

static int
try_message(void)
{
	char		 c = 'x';
	struct iovec	 iov = { .iov_base = &c, .iov_len = 1 };
	struct msghdr	 msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	return (sendmsg(pair[0], &msg, MSG_NOSIGNAL) == 1 &&
	    recvmsg(pair[1], &msg, MSG_CMSG_CLOEXEC) == 1 ? 0 : errno);
}

/* Also where the kernel's page with the time is not to be had. */
static int
try_log(void)
{
	struct timespec	 ts;

	if (syscall(SYS_clock_gettime, CLOCK_BOOTTIME, &ts) == -1)
		return (errno);
	log_init("test", 0);
	log_info("a record, from inside");
	return (0);
}

/* As OpenSSL does it by itself when an hour has gone. */
static int
try_seed(void)
{
	unsigned char	 buf[32];

	return (RAND_poll() == 1 && RAND_bytes(buf, sizeof(buf)) == 1 ? 0 : 1);
}

static int
try_abort(void)
{
	abort();
}

/* Runs try in a process of that role: its errno, or less 0 the signal. */
static int
as_role(int role, try_fn try)
{
	char	 err[256];
	pid_t	 pid;
	int	 st;

	parent_pid = getpid();
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
	    pair), 0);
	ck_assert_int_ne(loop = epoll_create1(EPOLL_CLOEXEC), -1);
	if ((pid = fork()) == 0) {
		if (role == ROLE_NONE ?
		    seccomp_agent(0, err, sizeof(err)) == -1 :
		    sandbox_enter((enum orch_role)role, err,
		    sizeof(err)) == -1)
			_exit(255);
		_exit(try());
	}
	close(pair[0]);
	close(pair[1]);
	close(loop);
	ck_assert_int_ne(pid, -1);
	ck_assert_int_eq(waitpid(pid, &st, 0), pid);
	return (WIFEXITED(st) ? WEXITSTATUS(st) : -WTERMSIG(st));
}

#define NUMBERS	512	/* more than there are calls */

static const int	 all_roles[] = { ROLE_ENGINE, ROLE_WEBHOOK, ROLE_PAGE,
	ROLE_RECONCILED, ROLE_FINALIZERD, ROLE_REAPERD, ROLE_WORKER };
#define NROLES	(sizeof(all_roles) / sizeof(all_roles[0]))

static void
refused(unsigned roles, try_fn try, int code)
{
	size_t	 i;
	int	 got;

	for (i = 0; i < NROLES; i++)
		if (roles & 1U << all_roles[i]) {
			got = as_role(all_roles[i], try);
			ck_assert_msg(got == code, "role %d is not refused "
			    "so: %d, not %d", all_roles[i], got, code);
		}
}

static void
killed(unsigned roles, try_fn try)
{
	refused(roles, try, -SIGSYS);
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
#define INNER	(FROM_ENGINE | FROM_RECONCILED | FROM_FINALIZERD | \
		    FROM_REAPERD | FROM_WORKER)
#define ALL	(FACING | INNER)

START_TEST(roles_may_not_administer_the_machine)
{
	refused(INNER, try_mount, EPERM);
	refused(INNER, try_unshare, EPERM);
	refused(INNER, try_bpf, EPERM);
	refused(INNER, try_keyctl, EPERM);
	refused(INNER, try_io_uring, ENOSYS);
	refused(INNER, try_vm, EPERM);
#ifndef __SANITIZE_ADDRESS__
	refused(INNER, try_ptrace, EPERM);
#endif
	killed(FACING, try_mount);
	killed(FACING, try_unshare);
	killed(FACING, try_bpf);
	killed(FACING, try_io_uring);
	killed(FACING, try_vm);
}
END_TEST

START_TEST(only_finalizerd_and_workers_run_programs)
{
	refused(INNER & ~(FROM_FINALIZERD | FROM_WORKER), try_exec, EPERM);
	killed(FACING, try_exec);
	allowed(FROM_FINALIZERD | FROM_WORKER, try_exec);
}
END_TEST

START_TEST(engine_and_reaperd_have_no_network)
{
	refused(FROM_ENGINE | FROM_REAPERD, try_inet, EAFNOSUPPORT);
	refused(FROM_ENGINE | FROM_REAPERD, try_inet6, EAFNOSUPPORT);
	allowed(FROM_ENGINE | FROM_REAPERD, try_unix);
	allowed(FROM_RECONCILED | FROM_FINALIZERD, try_inet);
	refused(INNER, try_vsock, EAFNOSUPPORT);
}
END_TEST

START_TEST(webhook_and_page_open_connect_and_start_nothing)
{
	refused(FACING, try_open, EACCES);
	refused(FACING, try_create, EACCES);
	refused(FACING, try_inet, EACCES);
	refused(FACING, try_unix, EACCES);
	killed(FACING, try_socketpair);
	killed(FACING, try_connect);
	killed(FACING, try_fastopen);
	killed(FACING, try_listen);
	killed(FACING, try_fork);
	killed(FACING, try_thread);
	allowed(INNER, try_open);
}
END_TEST

START_TEST(webhook_and_page_make_no_code_and_look_into_nobody)
{
	killed(FACING, try_mprotect_exec);
	killed(FACING, try_mmap_exec);
	killed(FACING, try_mmap_file);
#ifndef __SANITIZE_ADDRESS__
	killed(FACING, try_ptrace);
#endif
	killed(FACING, try_unlink);
#ifdef __x86_64__
	killed(FACING, try_other_abi);
#endif
}
END_TEST

START_TEST(reaperd_and_webhook_kill_nobody)
{
	refused(FROM_REAPERD, try_kill, EPERM);
	killed(FACING, try_kill);
	killed(FACING, try_tgkill_term);
	killed(FACING, try_tgkill_other);
	killed(FACING, try_setown);
	allowed(INNER & ~FROM_REAPERD, try_kill);
}
END_TEST

START_TEST(webhook_and_page_work_on)
{
	allowed(FACING, try_memory);
	allowed(FACING, try_bytes);
	allowed(FACING, try_message);
	allowed(FACING, try_log);
	allowed(FACING, try_seed);
	refused(FACING, try_abort, -SIGABRT);
}
END_TEST

/* Nothing that a call needs is there, so none of them does anything. */
static int	 number;

static int
try_number(void)
{
	return (result(syscall(number, 0, 0, 0, 0, 0, 0)));
}

START_TEST(webhook_may_make_fewer_than_45_calls)
{
	size_t	 n = 0;
	int	 got;

	ck_assert_uint_eq(sandbox_calls(ROLE_ENGINE), 0);
	ck_assert_uint_eq(sandbox_calls(ROLE_RUNNER), 0);
	ck_assert_uint_eq(sandbox_calls(ROLE_PAGE),
	    sandbox_calls(ROLE_WEBHOOK));
#ifndef __SANITIZE_ADDRESS__
	/* webhookd(8) tells the number. */
	ck_assert_uint_eq(sandbox_calls(ROLE_WEBHOOK), 34);
	ck_assert_uint_lt(sandbox_calls(ROLE_WEBHOOK), 45);
#endif
	for (number = 0; number < NUMBERS; number++) {
		got = as_role(ROLE_WEBHOOK, try_number);
		if (got != -SIGSYS && got != EACCES)
			n++;
	}
	ck_assert_uint_gt(n, 20);
	ck_assert_uint_le(n, sandbox_calls(ROLE_WEBHOOK));
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
	allowed(INNER, try_not_dumpable);
}
END_TEST

/* Lines of /proc/PID/status, of one that may not ask for itself. */
static int
status_has(pid_t pid, const char *line)
{
	char	 path[64], buf[8192];
	ssize_t	 n;
	int	 fd;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	ck_assert_int_ne(fd = open(path, O_RDONLY), -1);
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	ck_assert_int_gt(n, 0);
	buf[n] = '\0';
	return (strstr(buf, line) != NULL);
}

START_TEST(webhook_leaves_no_core_and_gains_no_privilege)
{
	struct rlimit	 rl;
	char		 err[256], c = 'x';
	int		 sv[2], st;
	pid_t		 pid;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	if ((pid = fork()) == 0) {
		if (sandbox_enter(ROLE_WEBHOOK, err, sizeof(err)) == -1 ||
		    write(sv[1], &c, 1) != 1)
			_exit(255);
		_exit(read(sv[1], &c, 1) == 1 ? 0 : 255);
	}
	ck_assert_int_eq(read(sv[0], &c, 1), 1);
	ck_assert(status_has(pid, "\nNoNewPrivs:\t1\n"));
	ck_assert(status_has(pid, "\nSeccomp:\t2\n"));
	ck_assert_int_eq(prlimit(pid, RLIMIT_CORE, NULL, &rl), 0);
	ck_assert_uint_eq(rl.rlim_max, 0);
	ck_assert_int_eq(write(sv[0], &c, 1), 1);
	ck_assert_int_eq(waitpid(pid, &st, 0), pid);
	ck_assert_int_eq(st, 0);
	close(sv[0]);
	close(sv[1]);
}
END_TEST

START_TEST(a_role_without_a_filter_is_refused)
{
	ck_assert_int_eq(as_role(ROLE_RUNNER, try_thread), 255);
	ck_assert_int_eq(as_role(ROLE_PARENT, try_thread), 255);
}
END_TEST

START_TEST(threads_are_allowed_to_all_others)
{
	allowed(INNER, try_thread);
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

	tcase_set_timeout(t, 100);
	tcase_add_test(t, roles_may_not_administer_the_machine);
	tcase_add_test(t, only_finalizerd_and_workers_run_programs);
	tcase_add_test(t, engine_and_reaperd_have_no_network);
	tcase_add_test(t, webhook_and_page_open_connect_and_start_nothing);
	tcase_add_test(t,
	    webhook_and_page_make_no_code_and_look_into_nobody);
	tcase_add_test(t, reaperd_and_webhook_kill_nobody);
	tcase_add_test(t, webhook_and_page_work_on);
	tcase_add_test(t, webhook_may_make_fewer_than_45_calls);
	tcase_add_test(t, workers_do_not_listen);
	tcase_add_test(t, roles_leave_no_core_and_gain_no_privilege);
	tcase_add_test(t, webhook_leaves_no_core_and_gains_no_privilege);
	tcase_add_test(t, a_role_without_a_filter_is_refused);
	tcase_add_test(t, threads_are_allowed_to_all_others);
	tcase_add_test(t, agent_makes_no_namespace_and_no_foreign_socket);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return (failed == 0 ? 0 : 1);
}
