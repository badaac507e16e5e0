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

#include <sys/queue.h>
#include <sys/socket.h>

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libcommon/log.h"
#include "libcommon/monotime.h"
#include "libcommon/tls.h"

#include "addr.h"
#include "http.h"
#include "rate.h"
#include "route.h"
#include "server.h"

#define LINGER_MS	2000	/* for the last bytes of a refused request */
#define ACCEPT_PAUSE_MS	1000	/* without descriptors */
#define TOO_MANY	"too many requests from there; not logged again " \
			"for a minute"

enum conn_state {
	CONN_HELLO,		/* TLS: shakes hands */
	CONN_HEAD,		/* reads the head */
	CONN_BODY,		/* reads the body */
	CONN_WAIT,		/* the handler has it */
	CONN_SEND,		/* the answer is on its way */
	CONN_LINGER		/* sent; reads and discards until the end */
};

struct conn {
	TAILQ_ENTRY(conn)	 cn_entry;
	struct server		*cn_server;
	struct bufferevent	*cn_bev;
	struct event		*cn_timer;	/* of the state */
	struct event		*cn_whole;	/* of the request */
	enum conn_state		 cn_state;
	SSL			*cn_ssl;	/* NULL: plain; of cn_bev */
	enum rate_res		 cn_rate;
	int			 cn_counted;	/* in the rate of its source */
	struct request		 cn_request;
	struct addr		 cn_addr;
	size_t			 cn_reserved;	/* of the bodies' memory */
	struct monotime		 cn_body_since;
	void			(*cn_gone)(void *);
	void			*cn_gone_arg;
};

struct listener {
	TAILQ_ENTRY(listener)	 ls_entry;
	struct server		*ls_server;
	struct evconnlistener	*ls_evl;
	struct event		*ls_resume;
	int			 ls_reserve;	/* given up at EMFILE */
	int			 ls_loopback;
	SSL_CTX			*ls_tls;	/* NULL: plain */
};

struct server {
	struct event_base	*sv_base;
	enum orch_role		 sv_role;
	struct server_limits	 sv_limits;
	server_request_cb	 sv_cb;
	void			*sv_arg;
	TAILQ_HEAD(, conn)	 sv_conns;	/* oldest first */
	TAILQ_HEAD(, listener)	 sv_listeners;
	size_t			 sv_nconns;
	size_t			 sv_bodies;
	struct rate		 sv_rate;
	void			(*sv_drained)(void);	/* NULL: it serves */
};

static void	 conn_timer_cb(evutil_socket_t, short, void *);
static void	 conn_advance(struct conn *);

void
server_limits_default(struct server_limits *sl)
{
	sl->sl_conns = 1024;
	sl->sl_conns_addr = 32;
	sl->sl_body = 1024 * 1024;
	sl->sl_bodies = 64 * 1024 * 1024;
	sl->sl_head_ms = 10000;
	sl->sl_whole_ms = 20000;
	sl->sl_send_ms = 5000;
	sl->sl_slow_ms = 5000;
	sl->sl_rate = 1024;
}

static void
timer_arm(struct event *ev, uint32_t ms)
{
	struct timeval tv;

	tv.tv_sec = ms / 1000;
	tv.tv_usec = (suseconds_t)(ms % 1000) * 1000;
	(void)evtimer_add(ev, &tv);
}

static void
conn_free(struct conn *cn)
{
	struct server *sv = cn->cn_server;

	if (cn->cn_gone != NULL)
		cn->cn_gone(cn->cn_gone_arg);
	TAILQ_REMOVE(&sv->sv_conns, cn, cn_entry);
	sv->sv_nconns--;
	sv->sv_bodies -= cn->cn_reserved;
	if (cn->cn_timer != NULL)
		event_free(cn->cn_timer);
	if (cn->cn_whole != NULL)
		event_free(cn->cn_whole);
	if (cn->cn_bev != NULL)
		bufferevent_free(cn->cn_bev);
	free(cn);
	if (sv->sv_drained != NULL && sv->sv_nconns == 0)
		sv->sv_drained();
}

void
server_hold(struct conn *cn, void (*gone)(void *), void *arg)
{
	cn->cn_gone = gone;
	cn->cn_gone_arg = arg;
}

/*
 * The request's words for the log, cut; nothing before they are known.  What
 * follows "?" is not for the log: people put tokens there.
 */
static void
log_reply(const struct conn *cn, int status, const char *why)
{
	const struct http_head *ht = &cn->cn_request.rq_head;
	struct http_slice path = route_bare(ht->ht_target);
	int method = 0, target = 0;

	if (ht->ht_target.sl_s != NULL) {
		method = (int)ht->ht_method.sl_n;
		target = path.sl_n > 80 ? 80 : (int)path.sl_n;
	}
	log_info("%s: %.*s%s%.*s%s%d %s", cn->cn_addr.ad_text, method,
	    method > 0 ? ht->ht_method.sl_s : "", method > 0 ? " " : "",
	    target, target > 0 ? ht->ht_target.sl_s : "",
	    target > 0 ? ": " : "", status, why);
}

void
server_reply(struct conn *cn, const struct reply *rp)
{
	struct evbuffer *out = bufferevent_get_output(cn->cn_bev);
	struct http_slice method = cn->cn_request.rq_head.ht_method;
	size_t len = rp->rp_type != NULL ? rp->rp_len : 0;

	if (rp->rp_why != NULL)
		log_reply(cn, rp->rp_status, rp->rp_why);
	/* Who has shown a signature or a token may come as it likes. */
	if (cn->cn_counted && rp->rp_status < 400 &&
	    cn->cn_request.rq_route->rt_id != ROUTE_HEALTH)
		rate_undo(&cn->cn_server->sv_rate, &cn->cn_addr);
	cn->cn_counted = 0;
	(void)evbuffer_add_printf(out, "HTTP/1.1 %d %s\r\n", rp->rp_status,
	    http_reason(rp->rp_status));
	if (rp->rp_type != NULL)
		(void)evbuffer_add_printf(out, "Content-Type: %s\r\n",
		    rp->rp_type);
	(void)evbuffer_add_printf(out, "Content-Length: %zu\r\n"
	    "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
	    "%sConnection: close\r\n\r\n", len,
	    rp->rp_headers != NULL ? rp->rp_headers : "");
	if (len > 0 && (method.sl_s == NULL || !http_slice_is(method, "HEAD")))
		(void)evbuffer_add(out, rp->rp_body, len);

	cn->cn_gone = NULL;
	cn->cn_state = CONN_SEND;
	(void)evtimer_del(cn->cn_whole);
	timer_arm(cn->cn_timer, cn->cn_server->sv_limits.sl_send_ms);
	(void)bufferevent_enable(cn->cn_bev, EV_WRITE);
}

/*
 * The head's slices point into the input buffer, which may have moved since it
 * was read: find them again where they are.
 */
static void
conn_refresh(struct conn *cn)
{
	struct evbuffer *in = bufferevent_get_input(cn->cn_bev);
	struct http_head *ht = &cn->cn_request.rq_head;
	size_t len = evbuffer_get_length(in);
	uint8_t *p = NULL;

	if (len > HTTP_HEAD_MAX)
		len = HTTP_HEAD_MAX;
	if (len > 0)
		p = evbuffer_pullup(in, (ev_ssize_t)len);
	if (p != NULL)
		(void)http_parse_head(p, len, ht);
	else
		memset(ht, 0, sizeof(*ht));
}

/* A refusal by the server itself: the reason phrase is the whole body. */
static void
refuse(struct conn *cn, int status, const char *why)
{
	struct reply rp;
	char body[80], headers[64];
	const struct route *rt;
	int n;

	if (cn->cn_state == CONN_HEAD || cn->cn_state == CONN_BODY)
		conn_refresh(cn);
	memset(&rp, 0, sizeof(rp));
	rp.rp_status = status;
	rp.rp_why = why;
	rp.rp_type = "text/plain; charset=utf-8";
	n = snprintf(body, sizeof(body), "%s\n", http_reason(status));
	rp.rp_body = body;
	rp.rp_len = n > 0 && (size_t)n < sizeof(body) ? (size_t)n : 0;
	if (status == 405 && (rt = route_path(cn->cn_server->sv_role,
	    cn->cn_request.rq_head.ht_target)) != NULL) {
		n = snprintf(headers, sizeof(headers), "Allow: %s\r\n",
		    route_allow(rt));
		if (n > 0 && (size_t)n < sizeof(headers))
			rp.rp_headers = headers;
	} else if (status == 429)
		rp.rp_headers = "Retry-After: 10\r\n";
	server_reply(cn, &rp);
}

/* The body is there: hand the request over. */
static void
conn_dispatch(struct conn *cn)
{
	struct request *rq = &cn->cn_request;
	struct evbuffer *in = bufferevent_get_input(cn->cn_bev);
	size_t head = rq->rq_head.ht_size, length = rq->rq_head.ht_length;
	uint8_t *all;

	if ((all = evbuffer_pullup(in, (ev_ssize_t)(head + length))) == NULL) {
		refuse(cn, 500, "out of memory");
		return;
	}
	/* The bytes may have moved: parse the same head where it is now. */
	if (http_parse_head(all, head, &rq->rq_head) != HTTP_DONE) {
		refuse(cn, 500, "head changed");
		return;
	}
	rq->rq_body = all + head;
	cn->cn_state = CONN_WAIT;
	(void)evtimer_del(cn->cn_timer);
	(void)bufferevent_disable(cn->cn_bev, EV_READ);
	cn->cn_server->sv_cb(cn, rq, cn->cn_server->sv_arg);
}

/* The head is acceptable: is there a route, and room for the body? */
static int
conn_admit(struct conn *cn)
{
	static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
	struct server *sv = cn->cn_server;
	struct http_head *ht = &cn->cn_request.rq_head;
	struct evbuffer *in = bufferevent_get_input(cn->cn_bev);
	int status;

	cn->cn_request.rq_route = route_find(sv->sv_role, ht, &status);
	if (cn->cn_request.rq_route == NULL) {
		refuse(cn, status, status == 404 ? "no such path" :
		    status == 405 ? "not with this method" :
		    status == 411 ? "no Content-Length" : "unwanted body");
		return (-1);
	}
	if (ht->ht_length > sv->sv_limits.sl_body) {
		refuse(cn, 413, "body too large");
		return (-1);
	}
	if (ht->ht_length > sv->sv_limits.sl_bodies - sv->sv_bodies) {
		refuse(cn, 503, "too many bodies under way");
		return (-1);
	}
	cn->cn_reserved = ht->ht_length;
	sv->sv_bodies += cn->cn_reserved;
	if (ht->ht_expect && evbuffer_get_length(in) == ht->ht_size)
		(void)bufferevent_write(cn->cn_bev, go_on, sizeof(go_on) - 1);
	return (0);
}

static void
conn_read_head(struct conn *cn)
{
	struct evbuffer *in = bufferevent_get_input(cn->cn_bev);
	struct http_head *ht = &cn->cn_request.rq_head;
	size_t len = evbuffer_get_length(in);
	enum http_result res;
	uint8_t *p;

	if (len > HTTP_HEAD_MAX)
		len = HTTP_HEAD_MAX;
	if (len == 0)
		return;
	if ((p = evbuffer_pullup(in, (ev_ssize_t)len)) == NULL) {
		refuse(cn, 500, "out of memory");
		return;
	}
	if ((res = http_parse_head(p, len, ht)) == HTTP_MORE)
		return;
	if (cn->cn_rate != RATE_OK) {
		refuse(cn, 429, cn->cn_rate == RATE_OVER_LOG ? TOO_MANY :
		    NULL);
		return;
	}
	if (res == HTTP_REFUSED) {
		refuse(cn, ht->ht_status, ht->ht_why);
		return;
	}
	if (conn_admit(cn) == -1)
		return;
	cn->cn_state = CONN_BODY;
	cn->cn_body_since = monotime_now();
	bufferevent_setwatermark(cn->cn_bev, EV_READ, 0,
	    ht->ht_size + ht->ht_length + 1);
	timer_arm(cn->cn_timer, cn->cn_server->sv_limits.sl_slow_ms);
}

/* Do what the bytes that are there allow. */
static void
conn_advance(struct conn *cn)
{
	struct evbuffer *in = bufferevent_get_input(cn->cn_bev);
	const struct http_head *ht = &cn->cn_request.rq_head;

	if (cn->cn_state == CONN_HEAD)
		conn_read_head(cn);
	if (cn->cn_state == CONN_BODY &&
	    evbuffer_get_length(in) >= ht->ht_size + ht->ht_length)
		conn_dispatch(cn);
	if (cn->cn_state == CONN_SEND || cn->cn_state == CONN_LINGER) {
		cn->cn_request.rq_head.ht_method.sl_s = NULL;
		cn->cn_request.rq_head.ht_target.sl_s = NULL;
		(void)evbuffer_drain(in, evbuffer_get_length(in));
	}
}

static void
conn_read_cb(struct bufferevent *bev, void *arg)
{
	conn_advance(arg);
}

/*
 * All is written.  An answer is followed by the end of our side; closing now
 * would reset the connection while bytes of the client are on their way, and
 * the reset could overtake the answer.
 */
static void
conn_write_cb(struct bufferevent *bev, void *arg)
{
	struct conn *cn = arg;

	if (cn->cn_state != CONN_SEND)
		return;
	cn->cn_state = CONN_LINGER;
	if (cn->cn_ssl != NULL) {
		(void)SSL_shutdown(cn->cn_ssl);	/* says that this was all */
		ERR_clear_error();
	}
	(void)shutdown(bufferevent_getfd(bev), SHUT_WR);
	timer_arm(cn->cn_timer, LINGER_MS);
	bufferevent_setwatermark(bev, EV_READ, 0, HTTP_HEAD_MAX);
	(void)bufferevent_enable(bev, EV_READ);
	conn_advance(cn);
}

/* Why there is no TLS: bytes of another protocol, versions, or it has gone. */
static void
log_handshake(struct conn *cn)
{
	unsigned long error = bufferevent_get_openssl_error(cn->cn_bev);

	if (error == 0)
		log_debug("%s: ended before TLS", cn->cn_addr.ad_text);
	else
		log_info("%s: no TLS: %s", cn->cn_addr.ad_text,
		    tls_reason(error));
	ERR_clear_error();
}

static void
conn_event_cb(struct bufferevent *bev, short what, void *arg)
{
	struct conn *cn = arg;

	if ((what & BEV_EVENT_CONNECTED) != 0) {
		cn->cn_state = CONN_HEAD;
		conn_advance(cn);	/* bytes may be there already */
		return;
	}
	if (cn->cn_state == CONN_HELLO)
		log_handshake(cn);
	/* The client may close its side once it has sent all. */
	if ((what & BEV_EVENT_EOF) != 0 &&
	    (cn->cn_state == CONN_WAIT || cn->cn_state == CONN_SEND))
		return;
	conn_free(cn);
}

/* A body that comes too slowly; the average, so that a pause may be made up. */
static int
body_is_slow(const struct conn *cn)
{
	const struct server_limits *sl = &cn->cn_server->sv_limits;
	int64_t ms = monotime_sub_ms(monotime_now(), cn->cn_body_since);
	size_t have;

	have = evbuffer_get_length(bufferevent_get_input(cn->cn_bev)) -
	    cn->cn_request.rq_head.ht_size;
	return (ms > 0 && have < (uint64_t)ms * sl->sl_rate / 1000);
}

static void
conn_timer_cb(evutil_socket_t fd, short what, void *arg)
{
	struct conn *cn = arg;

	switch (cn->cn_state) {
	case CONN_HELLO:
		conn_free(cn);
		return;
	case CONN_HEAD:
		if (evbuffer_get_length(bufferevent_get_input(
		    cn->cn_bev)) == 0)
			conn_free(cn);	/* said nothing, hears nothing */
		else
			refuse(cn, 408, "head too slow");
		return;
	case CONN_BODY:
		if (body_is_slow(cn))
			refuse(cn, 408, "body too slow");
		else
			timer_arm(cn->cn_timer, 1000);
		return;
	case CONN_WAIT:
		return;
	case CONN_SEND:
		log_info("%s: answer not taken in time",
		    cn->cn_addr.ad_text);
		/* FALLTHROUGH */
	case CONN_LINGER:
		conn_free(cn);
		return;
	}
}

static void
conn_whole_cb(evutil_socket_t fd, short what, void *arg)
{
	struct conn *cn = arg;
	void (*gone)(void *) = cn->cn_gone;

	if (cn->cn_state == CONN_HELLO)
		conn_free(cn);		/* there is no way to tell it */
	else if (cn->cn_state == CONN_WAIT) {
		cn->cn_gone = NULL;
		if (gone != NULL)
			gone(cn->cn_gone_arg);
		refuse(cn, 503, "no answer in time");
	} else
		refuse(cn, 408, "request too slow");
}

/*
 * Make room for a new connection.  -1: there is none, the new one goes.  One
 * address cannot push others out; when all places are taken, the oldest
 * request that is not whole yet goes, since it is the slowest.
 */
static int
server_make_room(struct server *sv, const struct addr *ad)
{
	struct conn *cn;
	size_t same = 0;

	TAILQ_FOREACH(cn, &sv->sv_conns, cn_entry)
		if (addr_same(&cn->cn_addr, ad))
			same++;
	if (same >= sv->sv_limits.sl_conns_addr) {
		log_info("%s: dropped: %zu connections from there",
		    ad->ad_text, same);
		return (-1);
	}
	if (sv->sv_nconns < sv->sv_limits.sl_conns)
		return (0);
	TAILQ_FOREACH(cn, &sv->sv_conns, cn_entry)
		if (cn->cn_state == CONN_HELLO || cn->cn_state == CONN_HEAD ||
		    cn->cn_state == CONN_BODY)
			break;
	if (cn == NULL) {
		log_info("%s: dropped: all %zu connections are busy",
		    ad->ad_text, sv->sv_nconns);
		return (-1);
	}
	log_info("%s: dropped: slowest of %zu connections",
	    cn->cn_addr.ad_text, sv->sv_nconns);
	conn_free(cn);
	return (0);
}

/* The bytes of a connection, plain or through TLS. */
static struct bufferevent *
conn_bytes(struct conn *cn, int fd, SSL_CTX *tls)
{
	struct event_base *base = cn->cn_server->sv_base;
	struct bufferevent *bev;

	if (tls == NULL)
		return (bufferevent_socket_new(base, fd,
		    BEV_OPT_CLOSE_ON_FREE));
	if ((cn->cn_ssl = SSL_new(tls)) == NULL)
		return (NULL);
	cn->cn_state = CONN_HELLO;
	/* Frees cn_ssl where it fails. */
	if ((bev = bufferevent_openssl_socket_new(base, fd, cn->cn_ssl,
	    BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE)) == NULL)
		return (NULL);
	/* A body has a length, so an end without a farewell cuts nothing. */
	bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
	return (bev);
}

static struct conn *
conn_new(struct server *sv, int fd, const struct addr *ad, SSL_CTX *tls)
{
	struct conn *cn;

	if ((cn = calloc(1, sizeof(*cn))) == NULL)
		return (NULL);
	cn->cn_server = sv;
	cn->cn_addr = *ad;
	cn->cn_state = CONN_HEAD;
	TAILQ_INSERT_TAIL(&sv->sv_conns, cn, cn_entry);
	sv->sv_nconns++;
	cn->cn_timer = evtimer_new(sv->sv_base, conn_timer_cb, cn);
	cn->cn_whole = evtimer_new(sv->sv_base, conn_whole_cb, cn);
	if (cn->cn_timer != NULL && cn->cn_whole != NULL)
		cn->cn_bev = conn_bytes(cn, fd, tls);
	if (cn->cn_bev == NULL) {
		conn_free(cn);
		return (NULL);
	}
	return (cn);
}

/*
 * On loopback everybody is one source, a proxy most of all: what limits there
 * is the proxy.  A shaking of hands costs more than a refusal is worth.
 */
static enum rate_res
listener_rate(struct listener *ls, const struct addr *ad)
{
	enum rate_res res;

	if (ls->ls_loopback)
		return (RATE_OK);
	res = rate_take(&ls->ls_server->sv_rate, ad, monotime_now());
	if (res == RATE_OVER_LOG && ls->ls_tls != NULL)
		log_info("%s: dropped: %s", ad->ad_text, TOO_MANY);
	return (res);
}

static void
accept_cb(struct evconnlistener *evl, evutil_socket_t fd, struct sockaddr *sa,
    int salen, void *arg)
{
	struct listener *ls = arg;
	struct server *sv = ls->ls_server;
	enum rate_res rate;
	struct conn *cn;
	struct addr ad;

	addr_from_sockaddr(&ad, sa);
	rate = listener_rate(ls, &ad);
	if ((rate != RATE_OK && ls->ls_tls != NULL) ||
	    server_make_room(sv, &ad) == -1) {
		(void)close(fd);
		return;
	}
	if ((cn = conn_new(sv, fd, &ad, ls->ls_tls)) == NULL) {
		log_warnx("%s: dropped: out of memory", ad.ad_text);
		(void)close(fd);
		return;
	}
	cn->cn_rate = rate;
	cn->cn_counted = rate == RATE_OK && !ls->ls_loopback;
	cn->cn_request.rq_loopback = ls->ls_loopback;
	cn->cn_request.rq_peer = cn->cn_addr.ad_text;
	cn->cn_request.rq_addr = &cn->cn_addr;
	bufferevent_setcb(cn->cn_bev, conn_read_cb, conn_write_cb,
	    conn_event_cb, cn);
	bufferevent_setwatermark(cn->cn_bev, EV_READ, 0, HTTP_HEAD_MAX);
	timer_arm(cn->cn_timer, sv->sv_limits.sl_head_ms);
	timer_arm(cn->cn_whole, sv->sv_limits.sl_whole_ms);
	(void)bufferevent_enable(cn->cn_bev, EV_READ | EV_WRITE);
}

/*
 * accept() failed.  Without descriptors the waiting client would wait for
 * ever and the loop would spin: give up the reserve, end that client, take the
 * reserve back, and stop accepting for a second.
 */
static void
accept_error_cb(struct evconnlistener *evl, void *arg)
{
	struct listener *ls = arg;
	int error = EVUTIL_SOCKET_ERROR(), fd;

	if (error == EMFILE || error == ENFILE) {
		if (ls->ls_reserve != -1)
			(void)close(ls->ls_reserve);
		fd = accept4(evconnlistener_get_fd(evl), NULL, NULL,
		    SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd != -1)
			(void)close(fd);
		ls->ls_reserve = fcntl(evconnlistener_get_fd(evl),
		    F_DUPFD_CLOEXEC, 0);
	}
	errno = error;
	log_warn("accept: no new connection for %d ms", ACCEPT_PAUSE_MS);
	(void)evconnlistener_disable(evl);
	timer_arm(ls->ls_resume, ACCEPT_PAUSE_MS);
}

static void
accept_resume_cb(evutil_socket_t fd, short what, void *arg)
{
	struct listener *ls = arg;

	(void)evconnlistener_enable(ls->ls_evl);
}

struct server *
server_new(struct event_base *base, enum orch_role role,
    const struct server_limits *limits, server_request_cb cb, void *arg)
{
	struct server *sv;

	if ((sv = calloc(1, sizeof(*sv))) == NULL)
		return (NULL);
	sv->sv_base = base;
	sv->sv_role = role;
	sv->sv_limits = *limits;
	sv->sv_cb = cb;
	sv->sv_arg = arg;
	TAILQ_INIT(&sv->sv_conns);
	TAILQ_INIT(&sv->sv_listeners);
	return (sv);
}

static void
listener_free(struct listener *ls)
{
	if (ls->ls_evl != NULL)
		evconnlistener_free(ls->ls_evl);
	if (ls->ls_resume != NULL)
		event_free(ls->ls_resume);
	if (ls->ls_reserve != -1)
		(void)close(ls->ls_reserve);
	SSL_CTX_free(ls->ls_tls);
	free(ls);
}

int
server_listen(struct server *sv, int fd, int loopback, SSL_CTX *tls)
{
	struct listener *ls;

	if ((ls = calloc(1, sizeof(*ls))) == NULL)
		return (-1);
	ls->ls_server = sv;
	ls->ls_loopback = loopback;
	if (tls != NULL && SSL_CTX_up_ref(tls) == 1)
		ls->ls_tls = tls;
	ls->ls_reserve = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	ls->ls_resume = evtimer_new(sv->sv_base, accept_resume_cb, ls);
	if (ls->ls_tls != tls || ls->ls_reserve == -1 ||
	    ls->ls_resume == NULL ||
	    evutil_make_socket_nonblocking(fd) == -1)
		goto fail;
	/* Backlog 0: the parent has called listen already. */
	ls->ls_evl = evconnlistener_new(sv->sv_base, accept_cb, ls,
	    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (ls->ls_evl == NULL)
		goto fail;
	evconnlistener_set_error_cb(ls->ls_evl, accept_error_cb);
	TAILQ_INSERT_TAIL(&sv->sv_listeners, ls, ls_entry);
	return (0);
fail:
	listener_free(ls);
	return (-1);
}

size_t
server_nconns(const struct server *sv)
{
	return (sv->sv_nconns);
}

static void
server_deafen(struct server *sv)
{
	struct listener *ls;

	while ((ls = TAILQ_FIRST(&sv->sv_listeners)) != NULL) {
		TAILQ_REMOVE(&sv->sv_listeners, ls, ls_entry);
		listener_free(ls);
	}
}

void
server_drain(struct server *sv, void (*drained)(void))
{
	server_deafen(sv);
	sv->sv_drained = drained;
	if (sv->sv_nconns == 0)
		drained();
}

void
server_free(struct server *sv)
{
	struct conn *cn;

	if (sv == NULL)
		return;
	sv->sv_drained = NULL;
	while ((cn = TAILQ_FIRST(&sv->sv_conns)) != NULL)
		conn_free(cn);
	server_deafen(sv);
	free(sv);
}
