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
#include <sys/pidfd.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runner.h"

#define EXIT_TIMEOUT	124

/* Only these programs inside the sandbox use stderr directly: it is the log. */
static pid_t
inside_spawn(char *const *argv, int in, int out)
{
	pid_t pid;

	if ((pid = fork()) != 0)
		return (pid);
	(void)setpgid(0, 0);
	if ((in != -1 && dup2(in, STDIN_FILENO) == -1) ||
	    (out != -1 && dup2(out, STDOUT_FILENO) == -1))
		_exit(126);
	(void)close_range(3, ~0U, 0);
	execvp(argv[0], argv);
	dprintf(STDERR_FILENO, "%s: %s\n", argv[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

static int
inside_code(int status)
{
	if (WIFSIGNALED(status))
		return (128 + WTERMSIG(status));
	return (WEXITSTATUS(status));
}

/* 0 when it ended, 1 at the limit. */
static int
inside_limit(pid_t pid, unsigned int timeout_s)
{
	struct pollfd pfd = { .events = POLLIN };
	int n;

	if (timeout_s == 0)
		return (0);
	if (timeout_s > 2000000)
		timeout_s = 2000000;
	if ((pfd.fd = pidfd_open(pid, 0)) == -1)
		return (0);
	do {
		n = poll(&pfd, 1, (int)timeout_s * 1000);
	} while (n == -1 && errno == EINTR);
	close(pfd.fd);
	return (n == 0);
}

static int
inside_wait(pid_t pid, unsigned int timeout_s)
{
	int late, status;

	if ((late = inside_limit(pid, timeout_s)))
		(void)kill(-pid, SIGKILL);
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return (126);
	return (late ? EXIT_TIMEOUT : inside_code(status));
}

static int
inside_input(const char *input)
{
	int fd;

	if ((fd = memfd_create("input", MFD_CLOEXEC)) == -1)
		return (-1);
	if (write(fd, input, strlen(input)) != (ssize_t)strlen(input) ||
	    lseek(fd, 0, SEEK_SET) == -1) {
		close(fd);
		return (-1);
	}
	return (fd);
}

int
inside_run(char *const *argv, unsigned int timeout_s, const char *input)
{
	pid_t pid;
	int in = -1;

	if (input != NULL && (in = inside_input(input)) == -1)
		return (126);
	pid = inside_spawn(argv, in, -1);
	if (in != -1)
		close(in);
	if (pid == -1) {
		perror("fork");
		return (126);
	}
	return (inside_wait(pid, timeout_s));
}

int
inside_line(char *const *argv, char *line, size_t len)
{
	size_t n = 0;
	ssize_t got;
	pid_t pid;
	int p[2];

	line[0] = '\0';
	if (pipe2(p, O_CLOEXEC) == -1)
		return (126);
	pid = inside_spawn(argv, -1, p[1]);
	close(p[1]);
	while (pid != -1 && n + 1 < len &&
	    ((got = read(p[0], line + n, len - 1 - n)) > 0 ||
	    (got == -1 && errno == EINTR)))
		n += got > 0 ? (size_t)got : 0;
	close(p[0]);
	line[n] = '\0';
	line[strcspn(line, "\n")] = '\0';
	return (pid == -1 ? 126 : inside_wait(pid, 0));
}

int
inside_patient(char *const *argv)
{
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = SIG_IGN;
	if (argv[0] == NULL || sigaction(SIGTERM, &sa, NULL) == -1)
		return (126);
	execvp(argv[0], argv);
	dprintf(STDERR_FILENO, "%s: %s\n", argv[0], strerror(errno));
	return (errno == ENOENT ? 127 : 126);
}
