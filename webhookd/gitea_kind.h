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

#ifndef WEBHOOKD_GITEA_KIND_H
#define WEBHOOKD_GITEA_KIND_H

#include <jansson.h>

#include "delivery.h"
#include "http.h"

/*
 * The kind of a delivery by the shape of its body (the list is in gitea.h), a
 * constant; "unknown" for a shape that orchd has no use for.  NULL with a
 * constant text in *why when the event headers name another kind than the
 * body has, or a known kind lacks what every delivery of it carries.
 *
 * X-Gitea-Event-Type is read first: in Gitea 1.23.0 and 1.23.1 a status
 * delivery has an empty X-Gitea-Event, and "pull_request_comment" is a review
 * as Event but a plain comment as Event-Type.
 */
const char	*gitea_kind(json_t *body, const struct http_head *head,
		    const char **why);

/*
 * What a known kind is about: the repository's full name, and a branch or a
 * commit.  0, or -1: a name is too long.
 */
int		 gitea_about(json_t *body, struct delivery *);

#endif
