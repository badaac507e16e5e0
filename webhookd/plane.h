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

#ifndef WEBHOOKD_PLANE_H
#define WEBHOOKD_PLANE_H

#include "delivery.h"

/*
 * Judge a POST to the Plane receiver.  Returns 0 and fills *dl, whose body the
 * caller frees with delivery_free(); or the status to answer (415 content
 * type, 401 signature, 400 the rest, 500 no memory) with a constant text for
 * the log in *why.
 *
 * X-Plane-Signature is HMAC-SHA256 in lower-case hex over the raw body.
 * X-Plane-Delivery is new at each attempt of the same delivery: what makes
 * one known again is the digest of its body.
 *
 * Both forms are read: "v1" of the community releases (event, action, data),
 * and "v2" (entity_type, data with flat ids).  The kind is issue, comment,
 * project, or unknown; the project is its UUID where the body has it, the
 * object the UUID of the work item.  Field names and values of the change are
 * not read: the item is looked at where it lives.
 */
int	 plane_judge(const struct delivery_conf *, const struct http_head *,
	    const uint8_t *body, size_t len, struct delivery *dl,
	    const char **why);

#endif
