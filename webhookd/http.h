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

#ifndef WEBHOOKD_HTTP_H
#define WEBHOOKD_HTTP_H

#include <stddef.h>
#include <stdint.h>

#define HTTP_HEAD_MAX		8192	/* bytes of request line and headers */
#define HTTP_HEADERS_MAX	64
#define HTTP_METHOD_MAX		16
#define HTTP_TARGET_MAX		1024
#define HTTP_NAME_MAX		128

/* A run of bytes inside the caller's buffer; not terminated by NUL. */
struct http_slice {
	const char	*sl_s;
	size_t		 sl_n;
};

struct http_header {
	struct http_slice	hh_name;
	struct http_slice	hh_value;	/* outer blanks removed */
	int			hh_repeated;	/* see http_parse_head() */
};

struct http_head {
	struct http_slice	ht_method;
	struct http_slice	ht_target;
	int			ht_minor;	/* HTTP/1.x */
	struct http_header	ht_headers[HTTP_HEADERS_MAX];
	size_t			ht_nheaders;
	size_t			ht_size;	/* head with its empty line */
	uint64_t		ht_length;	/* of the body; 0: none */
	int			ht_unsized;	/* no Content-Length */
	int			ht_expect;	/* waits for 100 Continue */
	int			ht_status;	/* HTTP_REFUSED: the answer */
	const char		*ht_why;	/* HTTP_REFUSED: for the log */
};

enum http_result {
	HTTP_DONE,		/* the head is whole and acceptable */
	HTTP_MORE,		/* acceptable so far, more bytes needed */
	HTTP_REFUSED		/* ht_status and ht_why say why */
};

/*
 * Parse the head of an HTTP/1.x request that starts at buf.  A pure function:
 * it keeps no state and allocates nothing; slices in *head point into buf and
 * live as long as it does.  Call it again with the longer buffer after
 * HTTP_MORE; a head that cannot become acceptable is refused at once.  No
 * proper prefix of an accepted head is accepted.
 *
 * Stricter than RFC 9112 on purpose: CR LF only, no folding, no header name
 * twice, no transfer coding, no content coding, no upgrade.  One exception: a
 * second X-Gitea-Signature or X-Plane-Signature is not refused here but marked
 * hh_repeated, because a delivery that carries two must get the same 401 as
 * any other bad signature.
 */
enum http_result	 http_parse_head(const uint8_t *buf, size_t len,
			    struct http_head *head);

/*
 * The header with that name (case is ignored), or NULL.  The name of a
 * repeated header is found once, with hh_repeated set.
 */
const struct http_header *http_header_find(const struct http_head *head,
			    const char *name);

/* True if the slice is exactly the string str, byte for byte. */
int			 http_slice_is(struct http_slice sl, const char *str);

/* The same without regard to the case of ASCII letters. */
int			 http_slice_caseis(struct http_slice sl,
			    const char *str);

/* The reason phrase of a status that webhookd sends; "Error" if unknown. */
const char		*http_reason(int status);

#endif
