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
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <check.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libcommon/ident.h"

/* A child that waits for its end. */
static pid_t
sleeper(void)
{
	pid_t	 pid = fork();

	ck_assert_int_ne(pid, -1);
	if (pid == 0)
		for (;;)
			(void)pause();
	return (pid);
}

static void
reap(pid_t pid)
{
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

static enum ident_verdict
ask(const struct ident *id)
{
	char	 why[128] = "";

	return (ident_check(id, &ident_world_real, why, sizeof(why)));
}

START_TEST(self_is_alive_and_stable)
{
	struct ident	 a, b;

	ck_assert_int_eq(ident_self(&a), 0);
	ck_assert_int_eq(ident_self(&b), 0);
	ck_assert_int_eq(memcmp(&a, &b, sizeof(a)), 0);
	ck_assert_int_eq(ask(&a), IDENT_ALIVE);
	ck_assert_int_eq(a.id_pid, getpid());
}
END_TEST

START_TEST(zombie_and_reaped_are_dead)
{
	struct ident	 id;
	siginfo_t	 si;
	pid_t		 pid = sleeper();

	ck_assert_int_eq(ident_of_pid(pid, &id), 0);
	ck_assert_int_eq(ask(&id), IDENT_ALIVE);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT), 0);
	ck_assert_int_eq(kill(pid, 0), 0);	/* the trap */
	ck_assert_int_eq(ask(&id), IDENT_DEAD);
	ck_assert_int_eq(ident_of_pid(pid, &id), -1);
	ck_assert_int_eq(errno, ESRCH);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert_int_eq(ask(&id), IDENT_DEAD);
}
END_TEST

START_TEST(stopped_is_alive)
{
	struct ident	 id;
	pid_t		 pid = sleeper();
	int		 st;

	ck_assert_int_eq(ident_of_pid(pid, &id), 0);
	ck_assert_int_eq(kill(pid, SIGSTOP), 0);
	ck_assert_int_eq(waitpid(pid, &st, WUNTRACED), pid);
	ck_assert_int_eq(ask(&id), IDENT_ALIVE);
	reap(pid);
}
END_TEST

START_TEST(kill_needs_the_same_process)
{
	struct ident	 id, other;
	pid_t		 pid = sleeper();
	int		 st;

	ck_assert_int_eq(ident_of_pid(pid, &id), 0);
	other = id;
	other.id_start_time++;
	other.id_pidfd_ino = 0;
	ck_assert_int_eq(ident_kill(&other, SIGKILL), -1);
	ck_assert_int_eq(errno, ESRCH);
	other = id;
	other.id_pidns++;
	ck_assert_int_eq(ident_kill(&other, SIGKILL), -1);
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_int_eq(kill(pid, 0), 0);
	ck_assert_int_eq(ident_kill(&id, SIGUSR1), 0);
	ck_assert_int_eq(waitpid(pid, &st, 0), pid);
	ck_assert_int_eq(WTERMSIG(st), SIGUSR1);
	ck_assert_int_eq(ident_kill(&id, SIGUSR1), -1);
	ck_assert_int_eq(errno, ESRCH);
}
END_TEST

/* Who connected to a listening socket, with the connection's own socket. */
static void
peer(struct ident *id, pid_t *pid, int *pidfd)
{
	struct sockaddr_un	 sun = { .sun_family = AF_UNIX };
	socklen_t		 len = sizeof(sun);
	int			 l, c;

	/* Autobind: an abstract name that the kernel picks. */
	l = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(l, (struct sockaddr *)&sun,
	    sizeof(sun.sun_family)), 0);
	ck_assert_int_eq(listen(l, 1), 0);
	ck_assert_int_eq(getsockname(l, (struct sockaddr *)&sun, &len), 0);
	if ((*pid = fork()) == 0) {
		c = socket(AF_UNIX, SOCK_STREAM, 0);
		if (connect(c, (struct sockaddr *)&sun, len) == -1)
			_exit(1);
		for (;;)
			(void)pause();
	}
	c = accept(l, NULL, NULL);
	ck_assert_int_ne(c, -1);
	ck_assert_int_eq(ident_of_peer(c, id, pidfd), 0);
	close(c);
	close(l);
}

static void
check_peer(void)
{
	struct pollfd	 pfd;
	struct ident	 id, again;
	pid_t		 pid;

	peer(&id, &pid, &pfd.fd);
	ck_assert_int_eq(id.id_pid, pid);
	ck_assert_int_eq(ident_of_pid(pid, &again), 0);
	ck_assert_int_eq(ident_same(&id, &again), 1);
	pfd.events = POLLIN;
	ck_assert_int_eq(poll(&pfd, 1, 0), 0);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(poll(&pfd, 1, 5000), 1);
	ck_assert_int_eq(ask(&id), IDENT_DEAD);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	close(pfd.fd);
}

START_TEST(peer_is_who_connected)
{
	check_peer();
}
END_TEST

START_TEST(peer_is_who_connected_on_an_old_kernel)
{
	struct ident	 id;

	ck_assert_int_eq(setenv("ORCHD_NO_PIDFD_INODE", "1", 1), 0);
	check_peer();
	ck_assert_int_eq(ident_self(&id), 0);
	ck_assert(id.id_pidfd_ino == 0);
	ck_assert_int_eq(ask(&id), IDENT_ALIVE);
}
END_TEST

START_TEST(text_form_comes_back)
{
	struct ident	 a, b;
	char		 text[IDENT_TEXT_MAX], bad[IDENT_TEXT_MAX + 8];

	ck_assert_int_eq(ident_self(&a), 0);
	ck_assert_int_eq(ident_format(&a, text, sizeof(text)), 0);
	ck_assert_int_eq(ident_parse(text, &b), 0);
	ck_assert_int_eq(memcmp(&a, &b, sizeof(a)), 0);
	ck_assert_int_eq(ident_format(&a, bad, 20), -1);
	ck_assert_int_eq(errno, ENOSPC);
	(void)snprintf(bad, sizeof(bad), "%s0", text);
	ck_assert_int_eq(ident_parse(bad, &b), -1);
	(void)snprintf(bad, sizeof(bad), " %s", text);
	ck_assert_int_eq(ident_parse(bad, &b), -1);
	(void)snprintf(bad, sizeof(bad), "%.60s", text);
	ck_assert_int_eq(ident_parse(bad, &b), -1);
	ck_assert_int_eq(ident_parse("", &b), -1);
	ck_assert_int_eq(errno, EINVAL);
}
END_TEST

START_TEST(same_compares_what_both_know)
{
	struct ident	 a, b;

	ck_assert_int_eq(ident_self(&a), 0);
	b = a;
	b.id_pidfd_ino = 0;
	memset(b.id_incarnation, 0, sizeof(b.id_incarnation));
	ck_assert_int_eq(ident_same(&a, &b), 1);
	b = a;
	b.id_incarnation[3] ^= 1;
	ck_assert_int_eq(ident_same(&a, &b), 0);
	b = a;
	b.id_boot_id[0] = b.id_boot_id[0] == 'a' ? 'b' : 'a';
	ck_assert_int_eq(ident_same(&a, &b), 0);
}
END_TEST

START_TEST(again_needs_the_number_that_is_known)
{
	struct ident	 known, said;

	ck_assert_int_eq(ident_self(&known), 0);
	said = known;
	ck_assert_int_eq(ident_again(&known, &said), 1);
	memset(said.id_incarnation, 0, sizeof(said.id_incarnation));
	ck_assert_int_eq(ident_again(&known, &said), 0);
	ck_assert_int_eq(ident_again(&said, &known), 1);
	ck_assert_int_eq(ident_again(&said, &said), 1);
	said = known;
	said.id_incarnation[0] ^= 1;
	ck_assert_int_eq(ident_again(&known, &said), 0);
}
END_TEST

START_TEST(a_child_is_another_incarnation)
{
	struct ident	 a, b;
	int		 fd[2], st;
	pid_t		 pid;

	ck_assert_int_eq(ident_self(&a), 0);
	ck_assert_int_eq(pipe(fd), 0);
	if ((pid = fork()) == 0)
		_exit(ident_self(&b) == 0 &&
		    write(fd[1], &b, sizeof(b)) == sizeof(b) ? 0 : 1);
	ck_assert_int_eq(read(fd[0], &b, sizeof(b)), sizeof(b));
	ck_assert_int_eq(waitpid(pid, &st, 0), pid);
	ck_assert_int_eq(st, 0);
	ck_assert_int_eq(b.id_pid, pid);
	ck_assert_int_ne(memcmp(a.id_incarnation, b.id_incarnation,
	    sizeof(a.id_incarnation)), 0);
	ck_assert_int_eq(ident_same(&a, &b), 0);
}
END_TEST

/* Who has connected and is gone is nobody, whoever has his number now. */
static void
check_gone_peer(void)
{
	struct sockaddr_un	 sun = { .sun_family = AF_UNIX };
	socklen_t		 len = sizeof(sun);
	struct ident		 id;
	siginfo_t		 si;
	int			 l, c, fd = -1;
	pid_t			 pid;

	l = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(l, (struct sockaddr *)&sun,
	    sizeof(sun.sun_family)), 0);
	ck_assert_int_eq(listen(l, 1), 0);
	ck_assert_int_eq(getsockname(l, (struct sockaddr *)&sun, &len), 0);
	if ((pid = fork()) == 0) {
		c = socket(AF_UNIX, SOCK_STREAM, 0);
		_exit(connect(c, (struct sockaddr *)&sun, len) == -1);
	}
	ck_assert_int_ne(c = accept(l, NULL, NULL), -1);
	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT), 0);
	ck_assert_int_eq(ident_of_peer(c, &id, &fd), -1);	/* a zombie */
	ck_assert_int_eq(errno, ESRCH);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert_int_eq(ident_of_peer(c, &id, &fd), -1);	/* reaped */
	ck_assert_int_eq(errno, ESRCH);
	ck_assert_int_eq(fd, -1);
	close(c);
	close(l);
}

START_TEST(a_peer_that_has_ended_is_nobody)
{
	check_gone_peer();
	ck_assert_int_eq(setenv("ORCHD_NO_PIDFD_INODE", "1", 1), 0);
	check_gone_peer();
}
END_TEST

/* Without a descriptor to spare nobody is declared dead, and none is killed. */
START_TEST(without_descriptors_the_living_are_unknown)
{
	struct rlimit	 rl;
	struct ident	 id;
	pid_t		 pid = sleeper();
	int		 fd;

	ck_assert_int_eq(ident_of_pid(pid, &id), 0);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &rl), 0);
	ck_assert_int_ne(fd = dup(0), -1);
	close(fd);
	rl.rlim_cur = (rlim_t)fd;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &rl), 0);
	ck_assert_int_eq(ask(&id), IDENT_UNKNOWN);
	ck_assert_int_eq(ident_kill(&id, SIGKILL), -1);
	ck_assert_int_eq(errno, EAGAIN);
	/* One is enough for /proc, not for the pidfd at the same time. */
	rl.rlim_cur = (rlim_t)fd + 1;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &rl), 0);
	ck_assert_int_eq(ask(&id), IDENT_UNKNOWN);
	rl.rlim_cur = (rlim_t)fd + 2;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &rl), 0);
	ck_assert_int_eq(ask(&id), IDENT_ALIVE);
	reap(pid);
	ck_assert_int_eq(ask(&id), IDENT_DEAD);
}
END_TEST

/* From another pid namespace nobody can tell, and the number is another's. */
START_TEST(from_another_pid_namespace_nobody_can_tell)
{
	struct ident	 id, gone;
	pid_t		 pid = sleeper(), child;
	int		 st;

	ck_assert_int_eq(ident_of_pid(pid, &id), 0);
	gone = id;
	gone.id_pid = 4190000;
	if ((child = fork()) == 0) {
		if (unshare(CLONE_NEWUSER | CLONE_NEWPID) == -1)
			_exit(77);	/* not allowed here */
		if ((child = fork()) == 0)
			_exit(ask(&id) == IDENT_UNKNOWN &&
			    ask(&gone) == IDENT_UNKNOWN &&
			    ident_kill(&id, SIGKILL) == -1 &&
			    errno == EAGAIN ? 0 : 1);
		_exit(waitpid(child, &st, 0) == child && st == 0 ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(child, &st, 0), child);
	ck_assert_msg(st == 0 || (WIFEXITED(st) && WEXITSTATUS(st) == 77),
	    "status %d", st);
	ck_assert_int_eq(kill(pid, 0), 0);
	reap(pid);
}
END_TEST

/* A world of one process, each answer of which can be made to fail. */
struct toy {
	const char	*boot;
	uint64_t	 ns, start, ino;
	int		 ended;
	int		 e_boot, e_ns, e_open, e_ino, e_start, e_ended;
	int		 open;		/* descriptors not closed */
};

static int
toy_errno(int code)
{
	errno = code;
	return (code != 0 ? -1 : 0);
}

static int
toy_boot(void *arg, char id[37])
{
	struct toy	*t = arg;

	(void)snprintf(id, 37, "%s", t->boot);
	return (toy_errno(t->e_boot));
}

static int
toy_ns(void *arg, uint64_t *ns)
{
	struct toy	*t = arg;

	*ns = t->ns;
	return (toy_errno(t->e_ns));
}

static int
toy_open(void *arg, int32_t pid)
{
	struct toy	*t = arg;

	if (toy_errno(t->e_open) == -1)
		return (-1);
	t->open++;
	return (100);
}

static int
toy_ino(void *arg, int fd, uint64_t *ino)
{
	struct toy	*t = arg;

	*ino = t->ino;
	return (toy_errno(t->e_ino));
}

static int
toy_start(void *arg, int32_t pid, uint64_t *start)
{
	struct toy	*t = arg;

	*start = t->start;
	return (toy_errno(t->e_start));
}

static int
toy_ended(void *arg, int fd)
{
	struct toy	*t = arg;

	return (toy_errno(t->e_ended) == -1 ? -1 : t->ended);
}

static void
toy_close(void *arg, int fd)
{
	((struct toy *)arg)->open--;
}

#define BOOT	"01234567-89ab-cdef-0123-456789abcdef"

static enum ident_verdict
toy_check(struct toy t)
{
	struct ident_world	 w = { &t, toy_boot, toy_ns, toy_open,
	    toy_ino, toy_start, toy_ended, toy_close, NULL };
	struct ident		 id = { BOOT, 7, 42, 1000, 55, { 1 } };
	enum ident_verdict	 v;
	char			 why[128] = "";

	v = ident_check(&id, &w, why, sizeof(why));
	ck_assert_int_eq(t.open, 0);
	ck_assert_str_ne(why, "");
	return (v);
}

#define TOY(...)	toy_check((struct toy){ .boot = BOOT, .ns = 7, \
			    .start = 1000, .ino = 55, __VA_ARGS__ })

START_TEST(verdict_alive)
{
	ck_assert_int_eq(TOY(.open = 0), IDENT_ALIVE);
	ck_assert_int_eq(toy_check((struct toy){ .boot = BOOT, .ns = 7,
	    .start = 1000, .ino = 0 }), IDENT_ALIVE);
}
END_TEST

START_TEST(verdict_dead)
{
	ck_assert_int_eq(toy_check((struct toy){ .boot =
	    "11234567-89ab-cdef-0123-456789abcdef", .ns = 8 }), IDENT_DEAD);
	ck_assert_int_eq(TOY(.e_open = ESRCH), IDENT_DEAD);
	ck_assert_int_eq(TOY(.ended = 1), IDENT_DEAD);
	ck_assert_int_eq(TOY(.ended = 1, .e_start = ENOENT), IDENT_DEAD);
	ck_assert_int_eq(toy_check((struct toy){ .boot = BOOT, .ns = 7,
	    .start = 1001, .ino = 0 }), IDENT_DEAD);
	ck_assert_int_eq(toy_check((struct toy){ .boot = BOOT, .ns = 7,
	    .start = 1001, .ino = 56 }), IDENT_DEAD);
	ck_assert_int_eq(toy_check((struct toy){ .boot = BOOT, .ns = 7,
	    .start = 1000, .ino = 56 }), IDENT_DEAD);
	/* The number is a thread's now. */
	ck_assert_int_eq(toy_check((struct toy){ .boot = BOOT, .ns = 7,
	    .start = 2000, .e_open = EINVAL }), IDENT_DEAD);
}
END_TEST

START_TEST(verdict_unknown)
{
	static const int	 codes[] = { EPERM, EMFILE, ENFILE, ENOMEM,
	    EACCES, EIO, ENOENT };
	size_t			 i;

	ck_assert_int_eq(toy_check((struct toy){ .boot = BOOT, .ns = 8 }),
	    IDENT_UNKNOWN);
	/* The same process, but its time is counted from elsewhere. */
	ck_assert_int_eq(toy_check((struct toy){ .boot = BOOT, .ns = 7,
	    .start = 1001, .ino = 55 }), IDENT_UNKNOWN);
	for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		ck_assert_int_eq(TOY(.e_boot = codes[i]), IDENT_UNKNOWN);
		ck_assert_int_eq(TOY(.e_ns = codes[i]), IDENT_UNKNOWN);
		ck_assert_int_eq(TOY(.e_open = codes[i]), IDENT_UNKNOWN);
		ck_assert_int_eq(TOY(.e_ino = codes[i]), IDENT_UNKNOWN);
		ck_assert_int_eq(TOY(.e_start = codes[i]), IDENT_UNKNOWN);
		ck_assert_int_eq(TOY(.e_ended = codes[i]), IDENT_UNKNOWN);
	}
	ck_assert_int_eq(TOY(.e_open = ENOSYS), IDENT_UNKNOWN);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("ident");
	TCase	*t = tcase_create("ident");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_set_timeout(t, 20);
	tcase_add_test(t, self_is_alive_and_stable);
	tcase_add_test(t, zombie_and_reaped_are_dead);
	tcase_add_test(t, stopped_is_alive);
	tcase_add_test(t, kill_needs_the_same_process);
	tcase_add_test(t, peer_is_who_connected);
	tcase_add_test(t, peer_is_who_connected_on_an_old_kernel);
	tcase_add_test(t, text_form_comes_back);
	tcase_add_test(t, same_compares_what_both_know);
	tcase_add_test(t, again_needs_the_number_that_is_known);
	tcase_add_test(t, a_child_is_another_incarnation);
	tcase_add_test(t, a_peer_that_has_ended_is_nobody);
	tcase_add_test(t, without_descriptors_the_living_are_unknown);
	tcase_add_test(t, from_another_pid_namespace_nobody_can_tell);
	tcase_add_test(t, verdict_alive);
	tcase_add_test(t, verdict_dead);
	tcase_add_test(t, verdict_unknown);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return (failed == 0 ? 0 : 1);
}
