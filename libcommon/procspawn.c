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
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "procspawn.h"

#define LIBC_SIGNAL_FIRST 32		/* SIGCANCEL, SIGSETXID */
#define LIBC_SIGNAL_LAST 33
#define HIGH_FD		64		/* above every dst of pass_fds */

/* All that the child needs; made before the fork. */
struct child {
	const struct proctree_opts	*c_opts;
	char				 c_path[PATH_MAX];
	int				 c_path_errno;
	int				 c_out;
	int				 c_err;
	int				 c_report;
	int				 c_go[2];	/* -1: begins at once */
};

static const char *
env_path(const char *const *envp)
{
	for (; envp != NULL && *envp != NULL; envp++)
		if (strncmp(*envp, "PATH=", 5) == 0)
			return (*envp + 5);
	return ("/usr/local/bin:/usr/bin:/bin");
}

/* As execvp(3) would, but with the PATH that the command will have. */
static int
find_program(const struct proctree_opts *o, char *buf, size_t len)
{
	const char	*name = o->argv[0], *p = env_path(o->envp);
	struct stat	 st;
	size_t		 n;
	int		 code = ENOENT, w;

	if (strchr(name, '/') != NULL) {
		w = snprintf(buf, len, "%s", name);
		return (w >= 0 && (size_t)w < len ? 0 : ENAMETOOLONG);
	}
	for (; *name != '\0'; p += n + 1) {
		n = strcspn(p, ":");
		w = snprintf(buf, len, "%.*s/%s", (int)n, p, name);
		if (n > 0 && w >= 0 && (size_t)w < len &&
		    stat(buf, &st) == 0 && S_ISREG(st.st_mode)) {
			if (faccessat(AT_FDCWD, buf, X_OK, AT_EACCESS) == 0)
				return (0);
			code = errno;
		}
		if (p[n] == '\0')
			break;
	}
	return (code);
}

static void
child_signals(void)
{
	static const uint64_t	 kernel_default[8];
	struct sigaction	 sa;
	sigset_t		 none;
	int			 i;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = SIG_DFL;
	for (i = 1; i < NSIG; i++)
		(void)sigaction(i, &sa, NULL);
	/*
	 * glibc's posix_spawn leaves the two signals that it keeps to itself
	 * ignored, and its sigaction does not touch them: whoever was started
	 * by make(1) would pass that on.  All zero is SIG_DFL.
	 */
	for (i = LIBC_SIGNAL_FIRST; i <= LIBC_SIGNAL_LAST; i++)
		(void)syscall(SYS_rt_sigaction, i, kernel_default, NULL,
		    (size_t)8);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* First everything out of the way, then to its number; see close_range(2). */
static int
child_fds(struct child *c)
{
	const struct proctree_opts	*o = c->c_opts;
	int				 high[PROCTREE_FDS_MAX], in;
	size_t				 i;

	in = o->in_fd != -1 ? o->in_fd : open("/dev/null", O_RDONLY);
	if (in == -1 ||
	    (in = fcntl(in, F_DUPFD_CLOEXEC, HIGH_FD)) == -1 ||
	    (c->c_out = fcntl(c->c_out, F_DUPFD_CLOEXEC, HIGH_FD)) == -1 ||
	    (c->c_err = fcntl(c->c_err, F_DUPFD_CLOEXEC, HIGH_FD)) == -1)
		return (-1);
	for (i = 0; i < o->npass_fds; i++)
		if ((high[i] = fcntl(o->pass_fds[i].src, F_DUPFD_CLOEXEC,
		    HIGH_FD)) == -1)
			return (-1);
	if (dup2(in, 0) == -1 || dup2(c->c_out, 1) == -1 ||
	    dup2(c->c_err, 2) == -1 ||
	    syscall(SYS_close_range, 3U, HIGH_FD - 1U, 0U) == -1 ||
	    syscall(SYS_close_range, (unsigned)HIGH_FD, ~0U,
	    (unsigned)CLOSE_RANGE_CLOEXEC) == -1)
		return (-1);
	for (i = 0; i < o->npass_fds; i++)
		if (dup2(high[i], o->pass_fds[i].dst) == -1)
			return (-1);
	return (0);
}

/* exec(3)'s arguments are not const for historical reasons only. */
static char *const *
unconst(const char *const *v)
{
	return ((char *const *)(uintptr_t)v);
}

/* Without the byte the caller has died, or does not want it to begin. */
static int
child_may_go(int fd)
{
	char	 byte;
	ssize_t	 n;

	if (fd == -1)
		return (1);
	while ((n = read(fd, &byte, 1)) == -1 && errno == EINTR)
		continue;
	return (n == 1);
}

static void __attribute__((noreturn))
child_run(struct child *c)
{
	static const char *const	 empty[] = { NULL };
	const struct proctree_opts	*o = c->c_opts;
	struct rlimit			 none = { 0, 0 };
	int				 code, fd, go = -1;

	child_signals();
	if (c->c_go[0] != -1) {
		/* The end of file must come when the caller ends. */
		close(c->c_go[1]);
		if ((go = fcntl(c->c_go[0], F_DUPFD_CLOEXEC, HIGH_FD)) == -1)
			_exit(126);
	}
	(void)setrlimit(RLIMIT_CORE, &none);
	/* Out of child_fds' way, which closes the low numbers. */
	fd = fcntl(c->c_report, F_DUPFD_CLOEXEC, HIGH_FD);
	if (fd == -1 || setsid() == -1 || child_fds(c) == -1)
		goto fail;
	if (o->cwd != NULL && chdir(o->cwd) == -1)
		goto fail;
	if ((errno = c->c_path_errno) != 0)
		goto fail;
	if (!child_may_go(go))
		_exit(125);
	(void)execve(c->c_path, unconst(o->argv),
	    unconst(o->envp != NULL ? o->envp : empty));
fail:
	code = errno;
	if (fd == -1 || write(fd, &code, sizeof(code)) != sizeof(code))
		_exit(126);
	_exit(127);
}

static int
opts_valid(const struct proctree_opts *o)
{
	size_t	 i;

	if (o->argv == NULL || o->argv[0] == NULL ||
	    o->npass_fds > PROCTREE_FDS_MAX)
		return (0);
	for (i = 0; i < o->npass_fds; i++)
		if (o->pass_fds[i].dst < 3 || o->pass_fds[i].dst >= HIGH_FD)
			return (0);
	return (1);
}

static void
close_pair(int p[2])
{
	int	 i, saved = errno;

	for (i = 0; i < 2; i++)
		if (p[i] != -1)
			close(p[i]);
	errno = saved;
}

/* No handler of ours may run in the child before it has reset them. */
static pid_t
fork_masked(struct child *c)
{
	sigset_t	 all, old;
	pid_t		 pid;
	int		 saved;

	sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, &old);
	if ((pid = fork()) == 0)
		child_run(c);
	saved = errno;
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	errno = saved;
	return (pid);
}

/* End of file: exec succeeded, for the other end is CLOEXEC. */
static int
read_report(int fd)
{
	ssize_t	 n;
	int	 code;

	do {
		n = read(fd, &code, sizeof(code));
	} while (n == -1 && errno == EINTR);
	return (n == sizeof(code) ? code : 0);
}

static int
open_pidfd(struct procspawn *sp)
{
	int	 saved;

	if ((sp->sp_pidfd = (int)syscall(SYS_pidfd_open, sp->sp_pid, 0)) != -1)
		return (0);
	saved = errno;
	(void)kill(sp->sp_pid, SIGKILL);	/* our child, not reaped yet */
	while (waitpid(sp->sp_pid, NULL, 0) == -1 && errno == EINTR)
		continue;
	errno = saved;
	return (-1);
}

/* The caller's part of a held start; -1: it does not begin, and is gone. */
static int
let_go(const struct proctree_opts *o, struct procspawn *sp, int fd)
{
	int	 saved;

	if (fd == -1 || (o->born_cb(o->born_arg, sp->sp_pid) == 0 &&
	    write(fd, "", 1) == 1))
		return (0);
	saved = errno;
	(void)kill(sp->sp_pid, SIGKILL);	/* our child, not reaped yet */
	while (waitpid(sp->sp_pid, NULL, 0) == -1 && errno == EINTR)
		continue;
	close(sp->sp_pidfd);
	errno = saved;
	return (-1);
}

int
procspawn(const struct proctree_opts *o, struct procspawn *sp)
{
	struct child	 c;
	int		 out[2] = { -1, -1 }, err[2] = { -1, -1 };
	int		 report[2] = { -1, -1 };

	if (!opts_valid(o)) {
		errno = EINVAL;
		return (-1);
	}
	memset(&c, 0, sizeof(c));
	c.c_opts = o;
	c.c_go[0] = c.c_go[1] = -1;
	c.c_path_errno = find_program(o, c.c_path, sizeof(c.c_path));
	if (pipe2(out, O_CLOEXEC) == -1 || pipe2(err, O_CLOEXEC) == -1 ||
	    pipe2(report, O_CLOEXEC) == -1 ||
	    (o->born_cb != NULL && pipe2(c.c_go, O_CLOEXEC) == -1))
		goto fail;
	c.c_out = out[1];
	c.c_err = err[1];
	c.c_report = report[1];
	if (fcntl(out[0], F_SETFL, O_NONBLOCK) == -1 ||
	    fcntl(err[0], F_SETFL, O_NONBLOCK) == -1 ||
	    (sp->sp_pid = fork_masked(&c)) == -1 || open_pidfd(sp) == -1 ||
	    let_go(o, sp, c.c_go[1]) == -1)
		goto fail;
	close_pair(c.c_go);
	close(report[1]);
	report[1] = -1;
	sp->sp_exec_errno = read_report(report[0]);
	close(report[0]);
	close(out[1]);
	close(err[1]);
	sp->sp_out = out[0];
	sp->sp_err = err[0];
	return (0);
fail:
	close_pair(out);
	close_pair(err);
	close_pair(report);
	close_pair(c.c_go);
	return (-1);
}
