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

#ifndef WEBHOOKD_SITE_H
#define WEBHOOKD_SITE_H

#include "addr.h"
#include "ask.h"
#include "delivery.h"
#include "proto/roles.h"
#include "server.h"
#include "throttle.h"

/* What the handlers share: who they are, whom they ask, what they know. */
struct site {
	enum orch_role		 st_role;	/* ROLE_WEBHOOK or ROLE_PAGE */
	struct asks		*st_asks;
	struct delivery_conf	 st_gitea;
	struct delivery_conf	 st_plane;
	struct throttle		 st_throttle;	/* of wrong admin tokens */
};

#define SITE_TOKEN_MAX	256	/* of struct orch_query and orch_action */

/* What every answer of a page carries, so that nothing else can use it. */
#define SITE_PAGE_HEADERS \
	"Vary: Accept, Authorization\r\nReferrer-Policy: no-referrer\r\n" \
	"Cross-Origin-Resource-Policy: same-origin\r\n"

/* A request that waits for the engine. */
struct wait {
	struct conn	*w_conn;
	struct ask	*w_ask;		/* set by who asks */
	char		*w_label;	/* for the log */
	const char	*w_verb;	/* constant */
	int		 w_html;
	struct site	*w_site;	/* release.c: for the throttle */
	struct addr	 w_addr;
};

/*
 * A server_request_cb; arg is a struct site that outlives the server.  Hands
 * the request to the handler of its route.
 */
void	 site_request(struct conn *, const struct request *, void *arg);

/*
 * Hold the connection's request for an answer of the engine.  label (copied)
 * and verb (constant) describe it.  When the connection ends first, the
 * question is cancelled and the structure freed.  NULL without memory.
 */
struct wait	*site_wait(struct conn *, const char *label, const char *verb);

/* The wait is over, its connection about to be answered: free it. */
void	 site_wait_free(struct wait *);

/*
 * Answer with a small JSON object {"status": ...} or a plain sentence; text
 * is a constant.  why is for the log, or NULL.
 */
void	 site_say(struct conn *, int status, const char *text,
	    const char *why);

/* hook.c: POST /webhook/gitea and /webhook/plane. */
void	 hook_gitea(struct site *, struct conn *, const struct request *);
void	 hook_plane(struct site *, struct conn *, const struct request *);

/* page.c: GET /health, /status and /queue. */
void	 page_get(struct site *, struct conn *, const struct request *);

/* release.c: POST /transition-lease/release. */
void	 release_post(struct site *, struct conn *, const struct request *);

#endif
