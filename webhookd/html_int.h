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

#ifndef WEBHOOKD_HTML_INT_H
#define WEBHOOKD_HTML_INT_H

#include <event2/buffer.h>
#include <jansson.h>

/* style.c: the style sheet, byte for byte what its hash in the policy names. */
extern const char	html_style[];

/* html_status.c: the body of /status. */
void	 html_status(struct evbuffer *out, json_t *root);

/* html_value.c: the body of /queue and /health, whatever members it has. */
void	 html_blocks(struct evbuffer *out, json_t *root);

/* html_value.c: one value as text: "-" for none, yes and no, a count. */
void	 html_value(struct evbuffer *out, json_t *value);

/*
 * html_value.c: the same for a member whose name says what it is: seconds
 * ("..._s") as a span, points in time ("..._ts", "..._at", "since",
 * "started") as a date.
 */
void	 html_member(struct evbuffer *out, const char *name, json_t *value);

/* html_value.c: a member's name with blanks for underscores, no unit. */
void	 html_label(struct evbuffer *out, const char *name);

/* html.c: a string that the program itself wrote; not escaped. */
void	 html_raw(struct evbuffer *out, const char *markup);

#endif
