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

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "json.h"

/* Skip a string whose opening quote is at pos; its closing quote or len. */
static size_t
skip_string(const char *buf, size_t len, size_t pos)
{
	for (pos++; pos < len && buf[pos] != '"'; pos++)
		if (buf[pos] == '\\')
			pos++;
	return (pos);
}

static int
is_number_char(char c)
{
	return ((c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' ||
	    c == 'e' || c == 'E');
}

/* An integer as RFC 8259 writes it, within 64 bits with sign, and not -0. */
static int
is_exact_int(const char *s, size_t n)
{
	static const char max[] = "9223372036854775807";
	static const char min[] = "9223372036854775808";
	const char *limit = max;
	size_t i;

	if (n > 0 && *s == '-') {
		limit = min;
		s++;
		n--;
		if (n > 0 && *s == '0')
			return (0);
	}
	if (n == 0 || n > sizeof(max) - 1 || (n > 1 && *s == '0'))
		return (0);
	for (i = 0; i < n; i++)
		if (s[i] < '0' || s[i] > '9')
			return (0);
	return (n < sizeof(max) - 1 || memcmp(s, limit, n) <= 0);
}

/* Digits, a point, digits: no exponent, and of a sane length. */
static int
is_fraction(const char *s, size_t n)
{
	size_t i, points = 0;

	if (n > 0 && *s == '-') {
		s++;
		n--;
	}
	for (i = 0; i < n; i++) {
		if (s[i] == '.')
			points++;
		else if (s[i] < '0' || s[i] > '9')
			return (0);
	}
	return (points == 1 && n < 40);
}

/*
 * Bounds and numbers, before the library builds anything.  The text need not
 * be valid: what this walk misreads, the library refuses.
 */
static const char *
check_bounds(const char *buf, size_t len, int flags)
{
	size_t pos, start, depth = 0, items = 0;

	for (pos = 0; pos < len; pos++) {
		switch (buf[pos]) {
		case '"':
			pos = skip_string(buf, len, pos);
			break;
		case '{':
		case '[':
			if (++depth > JSON_BODY_DEPTH_MAX)
				return ("JSON nested too deep");
			/* FALLTHROUGH */
		case ',':
			if (++items > JSON_BODY_ITEMS_MAX)
				return ("too many values in JSON");
			break;
		case '}':
		case ']':
			if (depth-- == 0)
				return ("JSON brackets do not match");
			break;
		case '-':
		case '0': case '1': case '2': case '3': case '4':
		case '5': case '6': case '7': case '8': case '9':
			start = pos;
			while (pos + 1 < len && is_number_char(buf[pos + 1]))
				pos++;
			if (!is_exact_int(buf + start, pos + 1 - start) &&
			    (!(flags & JSON_BODY_REALS) ||
			    !is_fraction(buf + start, pos + 1 - start)))
				return ("number is not an exact integer");
			break;
		default:
			break;
		}
	}
	return (NULL);
}

/*
 * True if a member anywhere below is called __proto__: nothing to us, but the
 * text is kept and shown, and its next reader may be written in JavaScript.
 */
static int
has_proto_key(json_t *v)
{
	const char *key;
	json_t *child;
	size_t i;

	if (json_is_object(v)) {
		json_object_foreach(v, key, child)
			if (strcmp(key, "__proto__") == 0 ||
			    has_proto_key(child))
				return (1);
	} else if (json_is_array(v)) {
		json_array_foreach(v, i, child)
			if (has_proto_key(child))
				return (1);
	}
	return (0);
}

json_t *
json_body_parse(const char *buf, size_t len, int flags, const char **why)
{
	json_error_t error;
	json_t *root;

	if ((*why = check_bounds(buf, len, flags)) != NULL)
		return (NULL);
	if ((root = json_loadb(buf, len, JSON_REJECT_DUPLICATES,
	    &error)) == NULL) {
		if (json_error_code(&error) == json_error_duplicate_key)
			*why = "duplicate key in JSON";
		else
			*why = "body is not JSON";
		return (NULL);
	}
	if (!json_is_object(root))
		*why = "body is not a JSON object";
	else if (has_proto_key(root))
		*why = "forbidden key in JSON";
	if (*why != NULL) {
		json_decref(root);
		return (NULL);
	}
	return (root);
}
