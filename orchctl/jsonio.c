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

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "orchctl.h"

const char *
jstr(const json_t *obj, const char *key)
{
	const char *s = json_string_value(json_object_get(obj, key));

	return (s == NULL ? "" : s);
}

int64_t
jint(const json_t *obj, const char *key, int64_t def)
{
	const json_t *v = json_object_get(obj, key);

	if (json_is_integer(v))
		return ((int64_t)json_integer_value(v));
	if (json_is_real(v) && json_real_value(v) > -9e15 &&
	    json_real_value(v) < 9e15)
		return ((int64_t)json_real_value(v));
	return (def);
}

int
jbool(const json_t *obj, const char *key)
{
	const json_t *v = json_object_get(obj, key);

	return (json_is_true(v) ||
	    (json_is_integer(v) && json_integer_value(v) != 0));
}

json_t *
jlist(const json_t *obj, const char *key)
{
	json_t *v = json_object_get(obj, key);

	return (json_is_array(v) ? v : NULL);
}

const char *
jshow(const json_t *obj, const char *key, char *buf, size_t len)
{
	const json_t *v = json_object_get(obj, key);

	if (json_is_string(v) && *json_string_value(v) != '\0')
		return (json_string_value(v));
	if (json_is_integer(v))
		snprintf(buf, len, "%" PRId64, (int64_t)json_integer_value(v));
	else if (json_is_real(v))
		snprintf(buf, len, "%g", json_real_value(v));
	else if (json_is_boolean(v))
		snprintf(buf, len, "%s", json_is_true(v) ? "yes" : "no");
	else if (json_is_array(v))
		snprintf(buf, len, "%zu", json_array_size(v));
	else
		snprintf(buf, len, "-");
	return (buf);
}

const char *
jwho(const json_t *obj)
{
	const char *who = jstr(obj, "gate");

	if (*who == '\0')
		who = jstr(obj, "role");
	if (*who == '\0')
		who = jstr(obj, "work");
	return (strcmp(who, jstr(obj, "kind")) == 0 ? "" : who);
}

/* A character that a terminal may obey or that hides the order of a text. */
static int
is_hostile(uint32_t c)
{
	return ((c < 0x20 && c != '\n') || (c >= 0x7f && c <= 0x9f) ||
	    c == 0x61c || c == 0x200e || c == 0x200f ||
	    (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069));
}

/* One character of UTF-8 of at most three bytes that we may have to escape. */
static size_t
take_char(const uint8_t *p, size_t len, uint32_t *c)
{
	if (len >= 2 && (p[0] & 0xe0) == 0xc0 && (p[1] & 0xc0) == 0x80) {
		*c = (uint32_t)(p[0] & 0x1f) << 6 | (p[1] & 0x3f);
		return (2);
	}
	if (len >= 3 && (p[0] & 0xf0) == 0xe0 && (p[1] & 0xc0) == 0x80 &&
	    (p[2] & 0xc0) == 0x80) {
		*c = (uint32_t)(p[0] & 0x0f) << 12 |
		    (uint32_t)(p[1] & 0x3f) << 6 | (p[2] & 0x3f);
		return (3);
	}
	if (len >= 4 && (p[0] & 0xf8) == 0xf0 && (p[1] & 0xc0) == 0x80 &&
	    (p[2] & 0xc0) == 0x80 && (p[3] & 0xc0) == 0x80) {
		*c = 0x10000;
		return (4);
	}
	*c = p[0] < 0x80 ? p[0] : 0xfffd;
	return (1);
}

void
json_write(FILE *fp, const char *json, size_t len)
{
	const uint8_t *p = (const uint8_t *)json;
	uint32_t c = 0;
	size_t n;

	for (; len > 0; p += n, len -= n) {
		n = take_char(p, len, &c);
		if (c == '\t' || c == '\r')	/* only white space of JSON */
			fputc(' ', fp);
		else if (is_hostile(c) || c == 0xfffd)
			fprintf(fp, "\\u%04" PRIx32, c);
		else
			fwrite(p, 1, n, fp);
	}
	if (p == (const uint8_t *)json || p[-1] != '\n')
		fputc('\n', fp);
}
