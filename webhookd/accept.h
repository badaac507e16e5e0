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

#ifndef WEBHOOKD_ACCEPT_H
#define WEBHOOKD_ACCEPT_H

#include "http.h"

/*
 * True if the Accept header (RFC 9110, section 12.5.1) asks for text/html more
 * than for application/json.  Without the header, with a tie, or with a header
 * that cannot be read: no.
 */
int	accept_prefers_html(const struct http_head *head);

/*
 * The token of an Authorization header: "Bearer TOKEN", or the password of
 * "Basic", which a browser can send.  Writes "" to token when there is none
 * and returns 0; returns -1 when there is one that cannot be read or is longer
 * than len - 1.
 */
int	auth_token(const struct http_head *head, char *token, size_t len);

/*
 * The same for "Bearer TOKEN" alone, which a browser sends only when a script
 * of this very site makes it: what Basic says it sends by itself, for whoever
 * made the form.
 */
int	auth_bearer(const struct http_head *head, char *token, size_t len);

/*
 * True unless the request says itself that a page of another site made it:
 * an Origin other than http or https and our Host, or Sec-Fetch-Site.
 */
int	auth_same_site(const struct http_head *head);

/*
 * True if the request came straight from this machine as far as its headers
 * show: its Host is a loopback name, so that no foreign page reached us by a
 * name of its own, and no proxy has added itself.
 */
int	auth_is_local(const struct http_head *head);

#endif
