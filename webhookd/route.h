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

#ifndef WEBHOOKD_ROUTE_H
#define WEBHOOKD_ROUTE_H

#include "http.h"
#include "proto/roles.h"

enum route_id {
	ROUTE_HOOK_GITEA,
	ROUTE_HOOK_PLANE,
	ROUTE_HEALTH,
	ROUTE_STATUS,
	ROUTE_QUEUE,
	ROUTE_METRICS,
	ROUTE_RELEASE
};

struct route {
	const char	*rt_path;
	enum route_id	 rt_id;
	uint32_t	 rt_roles;	/* FROM_WEBHOOK, FROM_PAGE */
	int		 rt_post;	/* POST, else GET and HEAD */
	int		 rt_body;	/* a body belongs to it */
	int		 rt_query;	/* "?" and what follows is not path */
};

/*
 * The route of a request for this role.  The target is compared byte by byte
 * with a fixed list: nothing is decoded, joined or cut off first, so that an
 * escape is simply another path, and so is a query string where the route has
 * none.  Returns NULL with *status 404 (no such path in this role), 405 (not
 * this method), 400 (a body where none belongs) or 411 (no length of a body).
 */
const struct route	*route_find(enum orch_role role,
			    const struct http_head *head, int *status);

/* A target without "?" and what follows. */
struct http_slice	 route_bare(struct http_slice target);

/* The Allow header's value for a route. */
const char		*route_allow(const struct route *rt);

/* The route of a path, whatever the method, or NULL. */
const struct route	*route_path(enum orch_role role,
			    struct http_slice target);

#endif
