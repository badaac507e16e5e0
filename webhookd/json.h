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

#ifndef WEBHOOKD_JSON_H
#define WEBHOOKD_JSON_H

#include <jansson.h>
#include <stddef.h>

#define JSON_BODY_DEPTH_MAX	64	/* arrays and objects inside another */
#define JSON_BODY_REALS		0x01	/* let fractions pass */
#define JSON_BODY_ITEMS_MAX	65536	/* members and elements, in all */

/*
 * Read a JSON text that came from outside.  Refused, besides what RFC 8259
 * forbids: a text that is not an object, deeper nesting than
 * JSON_BODY_DEPTH_MAX, more than JSON_BODY_ITEMS_MAX values, a key twice in
 * one object, the key __proto__, a NUL in a string, and every number that does
 * not survive as an exact 64-bit integer (fractions, exponents, -0, out of
 * range), because it would otherwise pass through a double.  With
 * JSON_BODY_REALS a plain fraction (265535.0) passes: the caller reads none.
 *
 * Returns a new reference (the caller calls json_decref), or NULL with a
 * constant text in *why.
 */
json_t	*json_body_parse(const char *buf, size_t len, int flags,
	    const char **why);

#endif
