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

#ifndef WEBHOOKD_SERVER_H
#define WEBHOOKD_SERVER_H

#include <event2/event.h>
#include <openssl/ssl.h>
#include <stddef.h>
#include <stdint.h>

#include "addr.h"
#include "http.h"
#include "proto/roles.h"
#include "route.h"

struct server;
struct conn;

/* Limits; server_limits_default() fills in those of webhookd(8). */
struct server_limits {
	size_t		sl_conns;	/* open connections, all listeners */
	size_t		sl_conns_addr;	/* of one IPv4 address or IPv6 /64 */
	size_t		sl_body;	/* bytes of one body */
	size_t		sl_bodies;	/* bytes of all bodies under way */
	uint32_t	sl_head_ms;	/* from accept, TLS too, to a head */
	uint32_t	sl_whole_ms;	/* from accept to the answer */
	uint32_t	sl_send_ms;	/* for the answer to be taken */
	uint32_t	sl_slow_ms;	/* body older than this must have ... */
	uint32_t	sl_rate;	/* ... this many bytes a second */
};

/* A whole request.  Slices and body live until the request is answered. */
struct request {
	struct http_head	 rq_head;
	const struct route	*rq_route;
	const uint8_t		*rq_body;
	int			 rq_loopback;	/* of the listener */
	const char		*rq_peer;	/* address, for the log */
	const struct addr	*rq_addr;	/* whose limits it counts to */
};

struct reply {
	int		 rp_status;
	const char	*rp_type;	/* Content-Type, NULL: no body */
	const void	*rp_body;
	size_t		 rp_len;
	const char	*rp_headers;	/* more lines with CR LF; or NULL */
	const char	*rp_why;	/* one line for the log, or NULL */
};

/*
 * A request has come whole.  The callback answers it once, now or later, with
 * server_reply(); if later, it calls server_hold() first.
 */
typedef void	(*server_request_cb)(struct conn *, const struct request *,
		    void *arg);

void		 server_limits_default(struct server_limits *);

/*
 * A server for the routes of role on base.  Returns NULL without memory.
 * server_free() closes all listeners and connections and calls the gone
 * callback of each request that is held.
 */
struct server	*server_new(struct event_base *base, enum orch_role role,
		    const struct server_limits *limits, server_request_cb cb,
		    void *arg);
void		 server_free(struct server *);

/*
 * Serve a listening stream socket, which the server then owns.  loopback says
 * that nobody from another machine reaches it; where somebody does, requests
 * that prove nothing are limited for each source (rate.h).  With tls (NULL:
 * plain), of which it takes a reference, it speaks TLS alone.  0, or -1 (the
 * socket is still the caller's).
 */
int		 server_listen(struct server *, int fd, int loopback,
		    SSL_CTX *tls);

/*
 * Take no new connection, and call drained once no old one is left; at once
 * when there is none.  Limits of time hold as before.
 */
void		 server_drain(struct server *, void (*drained)(void));

/* Open connections, for tests and the log. */
size_t		 server_nconns(const struct server *);

/*
 * The request will be answered later.  If its connection ends first, gone is
 * called with arg, and the conn is no longer there.
 */
void		 server_hold(struct conn *, void (*gone)(void *), void *arg);

/*
 * Answer and, once the answer is sent, close.  Copies all of *reply.  The conn
 * and its request must not be used afterwards.
 */
void		 server_reply(struct conn *, const struct reply *reply);

#endif
