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

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "route.h"
#include "server.h"
#include "site.h"

static void
wait_gone(void *arg)
{
	struct wait *w = arg;

	if (w->w_ask != NULL)
		ask_cancel(w->w_ask);
	site_wait_free(w);
}

struct wait *
site_wait(struct conn *cn, const char *label, const char *verb)
{
	struct wait *w;

	if ((w = calloc(1, sizeof(*w))) == NULL)
		return (NULL);
	if ((w->w_label = strdup(label)) == NULL) {
		free(w);
		return (NULL);
	}
	w->w_conn = cn;
	w->w_verb = verb;
	server_hold(cn, wait_gone, w);
	return (w);
}

void
site_wait_free(struct wait *w)
{
	free(w->w_label);
	free(w);
}

void
site_say(struct conn *cn, int status, const char *text, const char *why)
{
	struct reply rp;
	char body[160];
	int n;

	memset(&rp, 0, sizeof(rp));
	n = snprintf(body, sizeof(body), "{\"status\":\"%s\"}\n", text);
	rp.rp_status = status;
	rp.rp_type = "application/json";
	rp.rp_body = body;
	rp.rp_len = n > 0 && (size_t)n < sizeof(body) ? (size_t)n : 0;
	rp.rp_headers = status == 503 ? "Retry-After: 5\r\n" : NULL;
	rp.rp_why = why;
	server_reply(cn, &rp);
}

void
site_request(struct conn *cn, const struct request *rq, void *arg)
{
	struct site *st = arg;

	switch (rq->rq_route->rt_id) {
	case ROUTE_HOOK_GITEA:
		hook_gitea(st, cn, rq);
		break;
	case ROUTE_HOOK_PLANE:
		hook_plane(st, cn, rq);
		break;
	case ROUTE_HEALTH:
	case ROUTE_STATUS:
	case ROUTE_QUEUE:
	case ROUTE_METRICS:
		page_get(st, cn, rq);
		break;
	case ROUTE_RELEASE:
		release_post(st, cn, rq);
		break;
	}
}
