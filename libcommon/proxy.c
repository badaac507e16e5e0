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
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/dns.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bsd/stdlib.h>
#include <bsd/string.h>

#include "libcommon/esc.h"
#include "libcommon/log.h"
#include "proxy.h"

#define CONNS_MAX	64
#define HEAD_MAX	4096
#define HEAD_S		10		/* for the request and the connect */
#define IDLE_S		3600
#define BEHIND_MAX	(256 * 1024)	/* waiting for a slow reader */
#define HOST_MAX	254
#define PORT_DEFAULT	443

struct allowed {
	char			 al_host[HOST_MAX];	/* lower case */
	int			 al_sub;		/* "*." was before it */
	int			 al_port;
};

/* One client, and what it was connected to. */
struct conn {
	TAILQ_ENTRY(conn)	 co_entry;
	struct proxy		*co_proxy;
	struct bufferevent	*co_in;
	struct bufferevent	*co_out;
	int			 co_open;	/* the tunnel stands */
	int			 co_closing;	/* when all is written */
	char			 co_target[HOST_MAX];
};

struct proxy {
	struct event_base	*px_base;
	struct evconnlistener	*px_listener;
	struct evdns_base	*px_dns;
	char			*px_path;
	struct allowed		*px_allowed;
	size_t			 px_nallowed;
	size_t			 px_nconns;
	char			 px_refused[256];	/* "host:port, ..." */
	TAILQ_HEAD(, conn)	 px_conns;
};

/* Lower-cases host into out; a port behind it is taken off. */
static int
parse_target(const char *s, char *out, size_t len, int *port, int need_port)
{
	const char	*errstr, *colon = strrchr(s, ':');
	size_t		 i, n = colon != NULL ? (size_t)(colon - s) :
			    strlen(s);

	*port = PORT_DEFAULT;
	if (colon == NULL && need_port)
		return (-1);
	if (colon != NULL) {
		*port = (int)strtonum(colon + 1, 1, 65535, &errstr);
		if (errstr != NULL)
			return (-1);
	}
	if (n == 0 || n >= len || strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789.-") < n)
		return (-1);
	for (i = 0; i < n; i++)
		out[i] = (char)(s[i] >= 'A' && s[i] <= 'Z' ? s[i] + 32 : s[i]);
	out[n] = '\0';
	return (0);
}

static int
is_allowed(const struct proxy *px, const char *host, int port)
{
	const struct allowed	*al;
	size_t			 i, n = strlen(host), m;

	for (i = 0; i < px->px_nallowed; i++) {
		al = &px->px_allowed[i];
		m = strlen(al->al_host);
		if (al->al_port != port)
			continue;
		if (!al->al_sub && strcmp(host, al->al_host) == 0)
			return (1);
		if (al->al_sub && n > m + 1 && host[n - m - 1] == '.' &&
		    strcmp(host + n - m, al->al_host) == 0)
			return (1);
	}
	return (0);
}

static void
conn_free(struct conn *co)
{
	TAILQ_REMOVE(&co->co_proxy->px_conns, co, co_entry);
	co->co_proxy->px_nconns--;
	if (co->co_in != NULL)
		bufferevent_free(co->co_in);
	if (co->co_out != NULL)
		bufferevent_free(co->co_out);
	free(co);
}

static void
set_timeouts(struct bufferevent *bev, int seconds)
{
	struct timeval	 tv = { seconds, 0 };

	(void)bufferevent_set_timeouts(bev, &tv, &tv);
}

static void __attribute__((format(printf, 3, 4)))
answer(struct conn *co, const char *status, const char *fmt, ...)
{
	struct evbuffer	*out = bufferevent_get_output(co->co_in);
	char		 body[512];
	va_list		 ap;
	int		 n;

	va_start(ap, fmt);
	n = vsnprintf(body, sizeof(body), fmt, ap);
	va_end(ap);
	if (n < 0)
		body[0] = '\0';
	(void)evbuffer_add_printf(out, "HTTP/1.1 %s\r\nContent-Type: "
	    "text/plain\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
	    status, strlen(body), body);
	co->co_closing = 1;
	(void)bufferevent_disable(co->co_in, EV_READ);
	set_timeouts(co->co_in, HEAD_S);
}

/* Bytes of one side to the other, which may be slower. */
static void
move(struct bufferevent *from, struct bufferevent *to)
{
	(void)bufferevent_write_buffer(to, bufferevent_get_input(from));
	if (evbuffer_get_length(bufferevent_get_output(to)) > BEHIND_MAX)
		(void)bufferevent_disable(from, EV_READ);
}

static void
out_read_cb(struct bufferevent *bev, void *arg)
{
	struct conn	*co = arg;

	move(co->co_out, co->co_in);
}

/* Called when an output ran empty: go on, or it was the last. */
static void
write_cb(struct bufferevent *bev, void *arg)
{
	struct conn	*co = arg;

	if (co->co_closing)
		conn_free(co);
	else if (co->co_open)
		(void)bufferevent_enable(bev == co->co_in ? co->co_out :
		    co->co_in, EV_READ);
}

/* One side has ended: the other gets what is left, then the end. */
static void
finish(struct conn *co, struct bufferevent *ended)
{
	struct bufferevent	*other;

	other = ended == co->co_in ? co->co_out : co->co_in;
	if (!co->co_open || co->co_closing || other == NULL) {
		conn_free(co);
		return;
	}
	(void)bufferevent_write_buffer(other, bufferevent_get_input(ended));
	if (evbuffer_get_length(bufferevent_get_output(other)) == 0) {
		conn_free(co);
		return;
	}
	co->co_closing = 1;
	(void)bufferevent_disable(ended, EV_READ | EV_WRITE);
	(void)bufferevent_disable(other, EV_READ);
	set_timeouts(other, HEAD_S);
}

static void
in_event_cb(struct bufferevent *bev, short what, void *arg)
{
	finish(arg, bev);
}

static void
out_event_cb(struct bufferevent *bev, short what, void *arg)
{
	static const char	 ok[] = "HTTP/1.1 200 Connection established"
	    "\r\n\r\n";
	struct conn		*co = arg;
	int			 code;

	if (co->co_open) {
		finish(co, bev);
		return;
	}
	if (what & BEV_EVENT_CONNECTED) {
		co->co_open = 1;
		set_timeouts(co->co_in, IDLE_S);
		set_timeouts(co->co_out, IDLE_S);
		(void)bufferevent_write(co->co_in, ok, sizeof(ok) - 1);
		(void)bufferevent_enable(co->co_out, EV_READ);
		(void)bufferevent_enable(co->co_in, EV_READ);
		move(co->co_in, co->co_out);
		return;
	}
	code = bufferevent_socket_get_dns_error(bev);
	answer(co, "502 Bad Gateway", "cannot connect to %s: %s\n",
	    co->co_target, code != 0 ? evutil_gai_strerror(code) :
	    what & BEV_EVENT_TIMEOUT ? "timed out" : strerror(errno));
}

static void
conn_connect(struct conn *co, const char *host, int port)
{
	struct proxy	*px = co->co_proxy;

	(void)strlcpy(co->co_target, host, sizeof(co->co_target));
	co->co_out = bufferevent_socket_new(px->px_base, -1,
	    BEV_OPT_CLOSE_ON_FREE);
	if (co->co_out == NULL) {
		answer(co, "503 Service Unavailable", "out of memory\n");
		return;
	}
	/* Nothing is read from the client until the tunnel stands. */
	(void)bufferevent_disable(co->co_in, EV_READ);
	bufferevent_setcb(co->co_out, out_read_cb, write_cb, out_event_cb, co);
	set_timeouts(co->co_out, HEAD_S);
	if (bufferevent_socket_connect_hostname(co->co_out, px->px_dns,
	    AF_UNSPEC, host, port) == -1 && !co->co_closing)
		answer(co, "502 Bad Gateway", "cannot connect to %s\n", host);
}

/* Keep what was refused, each once, while there is room. */
static void
keep_refused(struct proxy *px, const char *host, int port)
{
	char	 one[HOST_MAX + 8], *all = px->px_refused, *p = all;
	size_t	 n = strlen(all);

	(void)snprintf(one, sizeof(one), "%s:%d", host, port);
	while ((p = strstr(p, one)) != NULL && p != all && p[-1] != ' ')
		p++;
	if (p != NULL || n + strlen(one) + 3 > sizeof(px->px_refused))
		return;
	(void)strlcat(all, n == 0 ? "" : ", ", sizeof(px->px_refused));
	(void)strlcat(all, one, sizeof(px->px_refused));
}

const char *
proxy_refused(const struct proxy *px)
{
	return (px == NULL ? "" : px->px_refused);
}

/* line: the request line, without its end. */
static void
on_request(struct conn *co, char *line)
{
	char	 host[HOST_MAX], shown[300], *target, *version;
	int	 port;

	(void)esc(shown, sizeof(shown), line);
	target = strchr(line, ' ');
	version = target != NULL ? strchr(target + 1, ' ') : NULL;
	if (version == NULL || strncmp(version + 1, "HTTP/1.", 7) != 0) {
		answer(co, "400 Bad Request", "not an HTTP request\n");
		return;
	}
	*target++ = '\0';
	*version = '\0';
	if (strcmp(line, "CONNECT") != 0 || parse_target(target, host,
	    sizeof(host), &port, 1) == -1)
		host[0] = '\0';
	if (host[0] == '\0' || !is_allowed(co->co_proxy, host, port)) {
		if (host[0] != '\0')
			keep_refused(co->co_proxy, host, port);
		log_info("proxy: refused: %s", shown);
		answer(co, "403 Forbidden", "the sandbox of this agent lets "
		    "through CONNECT to listed hosts only; refused: %s\n",
		    shown);
		return;
	}
	log_debug("proxy: %s port %d", host, port);
	conn_connect(co, host, port);
}

static void
in_read_cb(struct bufferevent *bev, void *arg)
{
	struct evbuffer		*in = bufferevent_get_input(bev);
	struct evbuffer_ptr	 end;
	struct conn		*co = arg;
	char			*line;
	size_t			 n;

	if (co->co_open) {
		move(co->co_in, co->co_out);
		return;
	}
	if (co->co_out != NULL || co->co_closing)
		return;
	end = evbuffer_search(in, "\r\n\r\n", 4, NULL);
	if (end.pos == -1) {
		if (evbuffer_get_length(in) >= HEAD_MAX)
			answer(co, "431 Request Header Fields Too Large",
			    "the request's head is too long\n");
		return;
	}
	line = evbuffer_readln(in, &n, EVBUFFER_EOL_CRLF_STRICT);
	if (line == NULL) {
		conn_free(co);
		return;
	}
	/* The first line is off with its end; the rest of the head goes. */
	(void)evbuffer_drain(in, (size_t)end.pos + 4 - (n + 2));
	if (strlen(line) != n)
		line[0] = '\0';		/* a NUL in it: no request */
	on_request(co, line);
	free(line);
}

static void
accept_cb(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *sa,
    int len, void *arg)
{
	struct proxy	*px = arg;
	struct conn	*co;

	if (px->px_nconns >= CONNS_MAX ||
	    (co = calloc(1, sizeof(*co))) == NULL) {
		close(fd);
		return;
	}
	co->co_in = bufferevent_socket_new(px->px_base, fd,
	    BEV_OPT_CLOSE_ON_FREE);
	if (co->co_in == NULL) {
		close(fd);
		free(co);
		return;
	}
	co->co_proxy = px;
	TAILQ_INSERT_TAIL(&px->px_conns, co, co_entry);
	px->px_nconns++;
	bufferevent_setcb(co->co_in, in_read_cb, write_cb, in_event_cb, co);
	set_timeouts(co->co_in, HEAD_S);
	(void)bufferevent_enable(co->co_in, EV_READ | EV_WRITE);
}

static int
load_hosts(struct proxy *px, const char *const *hosts, char *err, size_t len)
{
	struct allowed	*al;
	size_t		 n = 0;

	while (hosts != NULL && hosts[n] != NULL)
		n++;
	if ((px->px_allowed = calloc(n + 1, sizeof(*al))) == NULL) {
		(void)snprintf(err, len, "proxy: %s", strerror(errno));
		return (-1);
	}
	for (; px->px_nallowed < n; px->px_nallowed++) {
		al = &px->px_allowed[px->px_nallowed];
		al->al_sub = strncmp(hosts[px->px_nallowed], "*.", 2) == 0;
		if (parse_target(hosts[px->px_nallowed] +
		    (al->al_sub ? 2 : 0), al->al_host, sizeof(al->al_host),
		    &al->al_port, 0) == 0)
			continue;
		(void)snprintf(err, len, "proxy: \"%s\" is no host name "
		    "(example.org, example.org:8443, *.example.org)",
		    hosts[px->px_nallowed]);
		return (-1);
	}
	return (0);
}

static int
start_listening(struct proxy *px, char *err, size_t len)
{
	struct sockaddr_un	 sun;
	mode_t			 old;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	if (strlcpy(sun.sun_path, px->px_path, sizeof(sun.sun_path)) >=
	    sizeof(sun.sun_path)) {
		(void)snprintf(err, len, "proxy: %s: the path is too long for "
		    "a socket", px->px_path);
		return (-1);
	}
	(void)unlink(px->px_path);
	old = umask(0177);
	px->px_listener = evconnlistener_new_bind(px->px_base, accept_cb, px,
	    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 32,
	    (struct sockaddr *)&sun, (int)sizeof(sun));
	(void)umask(old);
	if (px->px_listener == NULL) {
		(void)snprintf(err, len, "proxy: cannot listen on %s: %s",
		    px->px_path, strerror(errno));
		return (-1);
	}
	return (0);
}

struct proxy *
proxy_start(struct event_base *base, const char *path,
    const char *const *hosts, char *err, size_t errlen)
{
	struct proxy	*px;

	if ((px = calloc(1, sizeof(*px))) == NULL ||
	    (px->px_path = strdup(path)) == NULL) {
		(void)snprintf(err, errlen, "proxy: %s", strerror(errno));
		free(px);
		return (NULL);
	}
	TAILQ_INIT(&px->px_conns);
	px->px_base = base;
	if (load_hosts(px, hosts, err, errlen) == -1 ||
	    start_listening(px, err, errlen) == -1)
		goto fail;
	px->px_dns = evdns_base_new(base, EVDNS_BASE_INITIALIZE_NAMESERVERS |
	    EVDNS_BASE_DISABLE_WHEN_INACTIVE);
	if (px->px_dns != NULL)
		return (px);
	(void)snprintf(err, errlen, "proxy: cannot read the name servers of "
	    "/etc/resolv.conf");
fail:
	proxy_free(px);
	return (NULL);
}

void
proxy_free(struct proxy *px)
{
	struct conn	*co;

	if (px == NULL)
		return;
	while ((co = TAILQ_FIRST(&px->px_conns)) != NULL)
		conn_free(co);
	if (px->px_listener != NULL) {
		evconnlistener_free(px->px_listener);
		(void)unlink(px->px_path);
	}
	if (px->px_dns != NULL)
		evdns_base_free(px->px_dns, 1);
	free(px->px_allowed);
	free(px->px_path);
	free(px);
}
