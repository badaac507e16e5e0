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

#include <sys/socket.h>
#include <sys/time.h>

#include <netinet/in.h>

#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "serve.h"
#include "version.h"

#define HEAD_MAX	4096	/* bytes of a request's head */
#define PATIENCE_S	2	/* for a peer that sends or reads nothing */

static int
open_socket(int port, struct sockaddr_in *sin)
{
	int	 fd;

	memset(sin, 0, sizeof(*sin));
	sin->sin_family = AF_INET;
	sin->sin_port = htons((in_port_t)port);
	sin->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if ((fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1)
		warn("socket");
	return (fd);
}

static void
set_patience(int fd)
{
	struct timeval	 tv = { .tv_sec = PATIENCE_S };

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
}

/* Read until end is seen or the peer stops.  buf is always terminated. */
static size_t
read_until(int fd, char *buf, size_t size, const char *end)
{
	ssize_t	 n;
	size_t	 len = 0;

	buf[0] = '\0';
	while (len + 1 < size) {
		n = read(fd, buf + len, size - 1 - len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		len += (size_t)n;
		buf[len] = '\0';
		if (end != NULL && strstr(buf, end) != NULL)
			break;
	}
	return (len);
}

static void
write_all(int fd, const char *buf, size_t len)
{
	ssize_t	 n;

	while (len > 0) {
		if ((n = write(fd, buf, len)) == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		buf += n;
		len -= (size_t)n;
	}
}

static void
reply(int fd, const char *status, const char *body)
{
	char	 buf[1024];
	int	 n;

	n = snprintf(buf, sizeof(buf), "HTTP/1.0 %s\r\n"
	    "Content-Type: application/json\r\nContent-Length: %zu\r\n"
	    "Connection: close\r\n\r\n%s", status, strlen(body), body);
	if (n > 0 && (size_t)n < sizeof(buf))
		write_all(fd, buf, (size_t)n);
}

static void
answer(int fd)
{
	char	 head[HEAD_MAX];

	(void)read_until(fd, head, sizeof(head), "\r\n\r\n");
	if (strstr(head, "\r\n\r\n") == NULL)
		reply(fd, "400 Bad Request", "{\"error\":\"bad request\"}\n");
	else if (strncmp(head, "GET ", 4) != 0)
		reply(fd, "405 Method Not Allowed",
		    "{\"error\":\"only GET\"}\n");
	else if (strncmp(head + 4, "/health HTTP/1.", 15) != 0)
		reply(fd, "404 Not Found", "{\"error\":\"not found\"}\n");
	else
		reply(fd, "200 OK", "{\"status\":\"ok\",\"version\":\""
		    TALLY_VERSION "\",\"revision\":\"" TALLY_REVISION
		    "\"}\n");
}

int
serve(int port)
{
	struct sockaddr_in	 sin;
	socklen_t		 len = sizeof(sin);
	int			 fd, peer, on = 1;

	if ((fd = open_socket(port, &sin)) == -1)
		return (-1);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&sin, sizeof(sin)) == -1 ||
	    listen(fd, 16) == -1 ||
	    getsockname(fd, (struct sockaddr *)&sin, &len) == -1) {
		warn("127.0.0.1 port %d", port);
		(void)close(fd);
		return (-1);
	}
	(void)sigaction(SIGPIPE, &(struct sigaction){ .sa_handler = SIG_IGN },
	    NULL);
	printf("listening on 127.0.0.1:%u\n", ntohs(sin.sin_port));
	(void)fflush(stdout);
	for (;;) {
		if ((peer = accept(fd, NULL, NULL)) == -1) {
			if (errno != EINTR && errno != ECONNABORTED)
				warn("accept");
			continue;
		}
		set_patience(peer);
		answer(peer);
		(void)close(peer);
	}
}

int
health(int port)
{
	static const char	 ask[] = "GET /health HTTP/1.0\r\n\r\n";
	struct sockaddr_in	 sin;
	char			 buf[HEAD_MAX];
	const char		*body;
	int			 fd;

	if ((fd = open_socket(port, &sin)) == -1)
		return (-1);
	set_patience(fd);
	if (connect(fd, (struct sockaddr *)&sin, sizeof(sin)) == -1) {
		warn("127.0.0.1 port %d", port);
		(void)close(fd);
		return (-1);
	}
	write_all(fd, ask, sizeof(ask) - 1);
	(void)read_until(fd, buf, sizeof(buf), NULL);
	(void)close(fd);
	body = strstr(buf, "\r\n\r\n");
	if (strncmp(buf, "HTTP/1.0 200 ", 13) != 0 || body == NULL) {
		warnx("127.0.0.1 port %d: not healthy: %.60s", port, buf);
		return (-1);
	}
	printf("%s", body + 4);
	return (0);
}
