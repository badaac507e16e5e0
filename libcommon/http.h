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

#ifndef LIBCOMMON_HTTP_H
#define LIBCOMMON_HTTP_H

/*
 * HTTP as a client, through libcurl: requests to forges, trackers and
 * messengers.  No redirect is followed, no proxy, cookie or .netrc of the
 * environment is used, certificates are checked, and an answer has a bound
 * in time and size.  curl_global_init() is the program's.
 */

#include <stddef.h>
#include <stdint.h>

#define HTTP_BODY_MAX	(4U << 20)	/* default bound of an answer */
#define HTTP_TIMEOUT_MS	20000U		/* default bound of a request */
#define HTTP_WAIT_MAX_S	900		/* of a Retry-After that is believed */

struct http_request {
	const char	*hr_method;	/* "GET", "POST", ... */
	const char	*hr_url;	/* http:// or https:// */
	const char *const *hr_headers;	/* "Name: value", NULL ends it */
	const char	*hr_body;	/* NULL: none */
	size_t		 hr_len;
	uint32_t	 hr_timeout_ms;	/* 0: HTTP_TIMEOUT_MS */
	size_t		 hr_max;	/* 0: HTTP_BODY_MAX */
	int		 hr_connect;	/* connect and TLS only; none is sent */
};

/* How far a request came. */
enum http_end {
	HTTP_ANSWERED,		/* a whole answer; its status is set
				 * (hr_connect: connected, status 0) */
	HTTP_NOT_SENT,		/* the other side surely saw nothing of it */
	HTTP_LOST		/* no whole answer: it may have acted */
};

struct http_reply {
	enum http_end	 hp_end;
	long		 hp_status;	/* 100 to 999, or 0 */
	char		*hp_body;	/* NUL added; NULL when empty */
	size_t		 hp_len;
	int64_t		 hp_retry_after;	/* seconds, 1 to HTTP_WAIT_MAX_S
						 * also of a date; or -1 */
	int64_t		 hp_remaining;	/* X-RateLimit-Remaining, or -1 */
	int64_t		 hp_total;	/* X-Total-Count, or -1 */
	char		 hp_date[64];	/* Date, or "" */
	int		 hp_toobig;	/* its body is larger than hr_max */
	char		 hp_err[256];	/* what went wrong; never a secret */
};

/*
 * Ask and wait.  The reply is filled in any case; http_reply_free() takes its
 * body.  Returns 0 when it was answered, -1 otherwise.
 */
int	 http_do(const struct http_request *, struct http_reply *);

/*
 * How many seconds this server wants to be left alone, 1 to HTTP_WAIT_MAX_S;
 * 0: it says nothing of that.  A 429 always wants it; 403 and 503 do with a
 * Retry-After, or where the body named body_s seconds (-1: it did not).
 */
int64_t	 http_wait_s(const struct http_reply *, int64_t body_s);

/* Free the body; may be called twice. */
void	 http_reply_free(struct http_reply *);

/*
 * Percent-encode one segment of a path or one value of a query (RFC 3986):
 * all but unreserved characters, also '/'.  0, or -1 when buf is too small.
 */
int	 http_escape(const char *text, char *buf, size_t len);

struct event_base;
struct http_loop;

/* Called once, when the request has ended; the reply dies with the return. */
typedef void (*http_cb)(const struct http_reply *, void *arg);

/* Many requests at the same time on an event loop.  NULL: out of memory. */
struct http_loop *http_loop_new(struct event_base *);

/* Requests that are under way end without a call. */
void	 http_loop_free(struct http_loop *);

/*
 * Begin a request; what it points to is copied.  The callback comes from the
 * loop, never from inside this call.  -1: it could not be begun.
 */
int	 http_loop_send(struct http_loop *, const struct http_request *,
	    http_cb, void *arg);

/* Requests under way. */
unsigned int http_loop_busy(const struct http_loop *);

#endif
