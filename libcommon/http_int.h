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

#ifndef LIBCOMMON_HTTP_INT_H
#define LIBCOMMON_HTTP_INT_H

/* What http.c and http_loop.c share. */

#include <curl/curl.h>

#include "http.h"

/* One request under way. */
struct http_call {
	CURL			*hc_curl;
	struct curl_slist	*hc_headers;
	struct http_reply	 hc_reply;
	size_t			 hc_max;
	size_t			 hc_room;
	http_cb			 hc_cb;		/* http_loop.c */
	void			*hc_arg;
	struct http_call	*hc_next;
	char			 hc_said[CURL_ERROR_SIZE];
	char			 hc_after[64];	/* Retry-After, or "" */
};

/* A prepared call; NULL: out of memory or a request that cannot be. */
struct http_call *http_call_new(const struct http_request *);

/* curl is through with it: fill the reply. */
void	 http_call_end(struct http_call *, CURLcode);

/* Free all of it but the reply's body. */
void	 http_call_free(struct http_call *);

#endif
