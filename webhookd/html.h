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

#ifndef WEBHOOKD_HTML_H
#define WEBHOOKD_HTML_H

#include <event2/buffer.h>
#include <stddef.h>

/*
 * Pages for browsers, made from the JSON that programs get.  Everything that
 * comes from the JSON is escaped; a member that is missing or of another type
 * is shown as "-".  No script, nothing from another place; links lead to pages
 * of the forge and the tracker where the JSON has them.
 */

/* Append the page of verb ("status", "queue", "health") to out. */
void	 html_page(struct evbuffer *out, const char *verb, const char *json,
	    size_t len);

/* Append a page that says what is wrong. */
void	 html_error(struct evbuffer *out, const char *verb, int status,
	    const char *text);

/*
 * The Content-Security-Policy of these pages: nothing but their own style,
 * named by its hash.  Constant after the first call.
 */
const char	*html_policy(void);

/*
 * Append text as HTML: & < > " ' as references, control characters and bytes
 * that are not valid UTF-8 as U+FFFD.
 */
void	 html_text(struct evbuffer *out, const char *text);

/* A time span as people say it: 4 s, 11 min, 2 h, 3 d. */
void	 html_span(char *buf, size_t len, long long seconds);

#endif
