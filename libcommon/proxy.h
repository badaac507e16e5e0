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

#ifndef COMMON_PROXY_H
#define COMMON_PROXY_H

#include <stddef.h>

struct event_base;
struct proxy;

/*
 * An HTTP CONNECT proxy on a Unix socket, for boxes whose network is
 * SANDBOX_NET_ALLOW: CONNECT to a listed host passes, all else gets 403.
 * hosts: NULL terminated, "example.org", "example.org:8443" or
 * "*.example.org"; without a port 443 is meant.  Names are resolved here, by
 * the side outside of the box.  path: where the socket is made (mode 0600;
 * an old socket there is removed).  hosts is copied.
 * Returns NULL with a sentence in err.
 */
struct proxy	*proxy_start(struct event_base *, const char *path,
		    const char *const *hosts, char *err, size_t errlen);

/*
 * The hosts and ports that were asked for and are not listed, each once, as
 * "host:port, host:port"; the first ones, when they are many.  "" for none and
 * for NULL.  Lives as long as the proxy.
 */
const char	*proxy_refused(const struct proxy *);

/* Closes all connections, removes the socket, frees.  NULL is allowed. */
void		 proxy_free(struct proxy *);

#endif
