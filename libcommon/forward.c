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
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <netinet/in.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bsd/string.h>

#include "forward.h"

#define BUF_MAX		(16 * 1024)

static int
write_all(int fd, const char *p, ssize_t len)
{
	ssize_t	 n;

	while (len > 0) {
		n = send(fd, p, (size_t)len, MSG_NOSIGNAL);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return (-1);
		p += n;
		len -= n;
	}
	return (0);
}

/* One direction's bytes; 0 when that direction has ended. */
static int
pass(int from, int to)
{
	char	 buf[BUF_MAX];
	ssize_t	 n;

	do {
		n = read(from, buf, sizeof(buf));
	} while (n == -1 && errno == EINTR);
	if (n > 0 && write_all(to, buf, n) == 0)
		return (1);
	(void)shutdown(to, SHUT_WR);
	return (0);
}

static void
pump(int a, int b)
{
	struct pollfd	 pfd[2] = { { .fd = a, .events = POLLIN },
			    { .fd = b, .events = POLLIN } };

	while (pfd[0].fd != -1 || pfd[1].fd != -1) {
		if (poll(pfd, 2, -1) == -1) {
			if (errno == EINTR)
				continue;
			return;
		}
		if (pfd[0].fd != -1 && pfd[0].revents != 0 && !pass(a, b))
			pfd[0].fd = -1;
		if (pfd[1].fd != -1 && pfd[1].revents != 0 && !pass(b, a))
			pfd[1].fd = -1;
	}
}

static void
serve(int conn, const char *path)
{
	struct sockaddr_un	 sun;
	int			 up;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	(void)strlcpy(sun.sun_path, path, sizeof(sun.sun_path));
	up = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (up != -1 &&
	    connect(up, (struct sockaddr *)&sun, sizeof(sun)) == 0)
		pump(conn, up);
	_exit(0);
}

/* A process a connection: the box's process limit bounds them. */
static void __attribute__((noreturn))
accept_loop(int sock, const char *path)
{
	struct sigaction	 sa;
	int			 conn;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = SIG_IGN;		/* no zombies */
	(void)sigaction(SIGCHLD, &sa, NULL);
	for (;;) {
		conn = accept4(sock, NULL, NULL, SOCK_CLOEXEC);
		if (conn == -1) {
			if (errno == EINTR || errno == ECONNABORTED)
				continue;
			(void)poll(NULL, 0, 100);
			continue;
		}
		if (fork() == 0) {
			close(sock);
			serve(conn, path);
		}
		close(conn);
	}
}

static int
listen_local(void)
{
	struct sockaddr_in	 sin;
	int			 sock, on = 1;

	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	sin.sin_port = htons(FORWARD_PORT);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (sock == -1 || setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &on,
	    sizeof(on)) == -1 ||
	    bind(sock, (struct sockaddr *)&sin, sizeof(sin)) == -1 ||
	    listen(sock, 32) == -1) {
		if (sock != -1)
			close(sock);
		return (-1);
	}
	return (sock);
}

int
forward_start(const char *path, char *err, size_t errlen)
{
	pid_t	 pid;
	int	 sock;

	if ((sock = listen_local()) == -1 || (pid = fork()) == -1) {
		(void)snprintf(err, errlen, "cannot listen on 127.0.0.1 port "
		    "%d in the box: %s", FORWARD_PORT, strerror(errno));
		return (-1);
	}
	if (pid == 0) {
		/* Twice, so that the command has no child it did not make. */
		if (fork() != 0)
			_exit(0);
		/* Nor may it hold the command's output open. */
		close(STDIN_FILENO);
		close(STDOUT_FILENO);
		close(STDERR_FILENO);
		(void)setsid();
		accept_loop(sock, path);
	}
	close(sock);
	while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
		continue;
	return (0);
}
