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

#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bsd/string.h>

#include "libcommon/log.h"

#include "parent.h"

#define CHILD_FD	3
#define ERROR_FD	4
#define HIGH_FD		16	/* above what is moved about in the child */
#define ENV_MAX		64
#define TRY_MS		10000

/* What our programs may see of our environment. */
static const char *const passed[] = {
	"PATH=", "HOME=", "LANG=", "LC_ALL=", "TZ=", "TMPDIR=", "USER=",
	"JOURNAL_STREAM=", "ORCHD_", "ASAN_OPTIONS=", "UBSAN_OPTIONS=",
	"LSAN_OPTIONS=", NULL
};

static size_t
short_env(char **env)
{
	extern char	**environ;
	size_t		 i, j, n = 0;

	for (i = 0; environ[i] != NULL && n < ENV_MAX - 1; i++)
		for (j = 0; passed[j] != NULL; j++)
			if (strncmp(environ[i], passed[j],
			    strlen(passed[j])) == 0) {
				env[n++] = environ[i];
				break;
			}
	env[n] = NULL;
	return (n);
}

static void
default_signals(void)
{
	struct sigaction	 sa = { .sa_handler = SIG_DFL };
	sigset_t		 none;
	int			 sig;

	for (sig = 1; sig < NSIG; sig++)
		(void)sigaction(sig, &sa, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* In the child, after fork: only calls that are safe there. */
static void child_run(const char *, char *const *, char **, int, int, int,
    int) __attribute__((noreturn));

static void
child_run(const char *path, char *const *argv, char **env, int null, int fd3,
    int out, int errfd)
{
	int	 e;

	setsid();
	umask(022);
	if (dup2(null, 0) == -1 ||
	    (out != -1 && (dup2(out, 1) == -1 || dup2(out, 2) == -1)) ||
	    dup2(fd3, CHILD_FD) == -1 || dup2(errfd, ERROR_FD) == -1 ||
	    fcntl(ERROR_FD, F_SETFD, FD_CLOEXEC) == -1 ||
	    close_range(ERROR_FD + 1, ~0U, 0) == -1)
		goto fail;
	default_signals();
	execve(path, argv, env);
fail:
	e = errno;
	if (write(ERROR_FD, &e, sizeof(e)) == -1)
		_exit(126);
	_exit(127);
}

/* 0 when the exec has happened, else its errno. */
static int
exec_result(int fd)
{
	ssize_t	 n;
	int	 e = 0;

	while ((n = read(fd, &e, sizeof(e))) == -1 && errno == EINTR)
		;
	if (n == 0)
		return (0);
	return (n == (ssize_t)sizeof(e) && e != 0 ? e : EIO);
}

int
parent_exec(const char *path, char *const *argv, int fd3, int out, pid_t *pid)
{
	char	*env[ENV_MAX];
	int	 pfd[2] = { -1, -1 }, null = -1, fd = -1, wfd = -1, e = 0;

	*pid = -1;
	short_env(env);
	if ((null = open("/dev/null", O_RDONLY | O_CLOEXEC)) == -1 ||
	    pipe2(pfd, O_CLOEXEC) == -1 ||
	    (fd = fcntl(fd3, F_DUPFD_CLOEXEC, HIGH_FD)) == -1 ||
	    (wfd = fcntl(pfd[1], F_DUPFD_CLOEXEC, HIGH_FD)) == -1 ||
	    (*pid = fork()) == -1) {
		e = errno;
		goto done;
	}
	if (*pid == 0)
		child_run(path, argv, env, null, fd, out, wfd);
	close(wfd);
	close(pfd[1]);
	wfd = pfd[1] = -1;
	/* The child that could not exec is reaped like any other. */
	e = exec_result(pfd[0]);
done:
	if (null != -1)
		close(null);
	if (pfd[0] != -1)
		close(pfd[0]);
	if (pfd[1] != -1)
		close(pfd[1]);
	if (fd != -1)
		close(fd);
	if (wfd != -1)
		close(wfd);
	errno = e;
	return (e == 0 ? 0 : -1);
}

/* What a program says until its end, the beginning in text; -1: too long. */
static int
hear_out(int fd, char *text, size_t len, int ms)
{
	struct pollfd	 pfd = { .fd = fd, .events = POLLIN };
	uint64_t	 until = parent_now_ms() + (uint64_t)ms, now;
	char		 buf[512];
	size_t		 off = 0, take;
	ssize_t		 n;

	while ((now = parent_now_ms()) < until) {
		if (poll(&pfd, 1, (int)(until - now)) <= 0)
			continue;
		if ((n = read(fd, buf, sizeof(buf))) == 0)
			return (0);
		if (n < 0)
			continue;
		take = (size_t)n < len - 1 - off ? (size_t)n : len - 1 - off;
		memcpy(text + off, buf, take);
		off += take;
		text[off] = '\0';
	}
	return (-1);
}

/* In the child, with our whole environment: it holds options too. */
static void try_run(const char *, const char *, int) __attribute__((noreturn));

static void
try_run(const char *path, const char *conf, int out)
{
	char	*const argv[] = { (char *)(uintptr_t)path,
		    (char *)(uintptr_t)"-n", (char *)(uintptr_t)"-f",
		    (char *)(uintptr_t)conf, NULL };

	if (setsid() != -1 && dup2(out, 1) != -1 && dup2(out, 2) != -1 &&
	    close_range(CHILD_FD, ~0U, 0) != -1) {
		default_signals();
		execv(path, argv);
	}
	_exit(127);
}

int
parent_try_image(const char *path, const char *conf, char *text, size_t len)
{
	int	 pfd[2], late, status = -1;
	pid_t	 pid;

	text[0] = '\0';
	if (pipe2(pfd, O_CLOEXEC) == -1 || (pid = fork()) == -1) {
		snprintf(text, len, "%.500s cannot be tried: %s", path,
		    strerror(errno));
		return (-1);
	}
	if (pid == 0)
		try_run(path, conf, pfd[1]);
	close(pfd[1]);
	if ((late = hear_out(pfd[0], text, len, TRY_MS)) == -1)
		(void)kill(pid, SIGKILL);
	close(pfd[0]);
	if (waitpid(pid, &status, 0) == pid && late == 0 && status == 0)
		return (0);
	if (late == -1 || text[0] == '\0')
		snprintf(text, len, "%.500s -n -f %.500s %s", path, conf,
		    late == -1 ? "takes too long" : "fails");
	text[strcspn(text, "\n")] = '\0';
	return (-1);
}

static int
try_program(char *buf, size_t len, const char *dir, const char *sub,
    const char *name)
{
	char	*real;
	int	 n = snprintf(buf, len, "%s/%s%s", dir, sub, name);

	if (n < 0 || (size_t)n >= len || access(buf, X_OK) == -1 ||
	    (real = realpath(buf, NULL)) == NULL)
		return (-1);
	n = strlcpy(buf, real, len) < len ? 0 : -1;
	free(real);
	return (n);
}

int
parent_find_program(const char *self, const char *name, char *buf, size_t len)
{
	const char	*env = getenv("ORCHD_LIBEXEC");
	char		 dir[PATH_MAX], sub[64];

	snprintf(dir, sizeof(dir), "%s", self);
	if (strrchr(dir, '/') != NULL)
		*strrchr(dir, '/') = '\0';
	/* A build tree has a folder for each program. */
	snprintf(sub, sizeof(sub), "../%.40s/", name);
	if ((env != NULL && env[0] != '\0' &&
	    try_program(buf, len, env, "", name) == 0) ||
	    try_program(buf, len, dir, sub, name) == 0 ||
	    try_program(buf, len, dir, "../libexec/orchd/", name) == 0 ||
	    try_program(buf, len, dir, "", name) == 0)
		return (0);
	snprintf(buf, len, "%s/../libexec/orchd/%s", dir, name);
	return (-1);
}
