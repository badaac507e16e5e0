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

#ifndef ORCHD_ADMIN_H
#define ORCHD_ADMIN_H

#include "peer.h"

/*
 * ACTION of the page: the one thing that may be done over HTTP, the release
 * of a lease.  The answer is RES_DENIED for a wrong token,
 * RES_NOTFOUND for an unknown item or when no token is configured, RES_REFUSED
 * when the lease is not released, with the reason; any other action is
 * refused whatever its token.
 */
int	 on_page_action(struct peer *, uint32_t, const union orch_any *,
	    int *);

#endif
