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

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "proto/roles.h"

#include "http.h"
#include "route.h"

static const struct route routes[] = {
	{ "/webhook/gitea", ROUTE_HOOK_GITEA, FROM_WEBHOOK, 1, 1, 0 },
	{ "/webhook/plane", ROUTE_HOOK_PLANE, FROM_WEBHOOK, 1, 1, 0 },
	{ "/health", ROUTE_HEALTH, FROM_WEBHOOK | FROM_PAGE, 0, 0, 0 },
	{ "/", ROUTE_STATUS, FROM_PAGE, 0, 0, 0 },
	{ "/status", ROUTE_STATUS, FROM_PAGE, 0, 0, 0 },
	{ "/queue", ROUTE_QUEUE, FROM_PAGE, 0, 0, 0 },
	{ "/metrics", ROUTE_METRICS, FROM_PAGE, 0, 0, 0 },
	{ "/transition-lease/release", ROUTE_RELEASE, FROM_PAGE, 1, 0, 1 },
};

struct http_slice
route_bare(struct http_slice target)
{
	const char *mark;

	if (target.sl_n > 0 &&
	    (mark = memchr(target.sl_s, '?', target.sl_n)) != NULL)
		target.sl_n = (size_t)(mark - target.sl_s);
	return (target);
}

const struct route *
route_path(enum orch_role role, struct http_slice target)
{
	struct http_slice path = route_bare(target);
	size_t i;

	for (i = 0; i < sizeof(routes) / sizeof(routes[0]); i++)
		if ((routes[i].rt_roles & (1U << role)) != 0 &&
		    http_slice_is(routes[i].rt_query ? path : target,
		    routes[i].rt_path))
			return (&routes[i]);
	return (NULL);
}

static int
method_fits(const struct route *rt, struct http_slice method)
{
	if (rt->rt_post)
		return (http_slice_is(method, "POST"));
	return (http_slice_is(method, "GET") || http_slice_is(method, "HEAD"));
}

const struct route *
route_find(enum orch_role role, const struct http_head *head, int *status)
{
	const struct route *rt;

	if ((rt = route_path(role, head->ht_target)) == NULL) {
		*status = 404;
		return (NULL);
	}
	if (!method_fits(rt, head->ht_method)) {
		*status = 405;
		return (NULL);
	}
	if (rt->rt_body ? head->ht_unsized : head->ht_length != 0) {
		*status = rt->rt_body ? 411 : 400;
		return (NULL);
	}
	return (rt);
}

const char *
route_allow(const struct route *rt)
{
	return (rt->rt_post ? "POST" : "GET, HEAD");
}
