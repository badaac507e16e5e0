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

#include <stdio.h>
#include <string.h>

#include <bsd/string.h>

#include "answer.h"
#include "esc.h"

json_t *
answer_read(const char *body, size_t len, char *err, size_t errlen)
{
	json_error_t je;
	json_t *j;

	/* A NUL in one text, which anybody may send, is no fault of others. */
	if ((j = json_loadb(body == NULL ? "" : body, len,
	    JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &je)) == NULL)
		(void)snprintf(err, errlen, "the answer is no JSON (byte "
		    "%d)", je.position);
	return (j);
}

int
answer_text(json_t *obj, const char *name, char *buf, size_t len, char *err,
    size_t errlen)
{
	json_t *v = json_object_get(obj, name);

	buf[0] = '\0';
	if (v == NULL || json_is_null(v))
		return (0);
	if (!json_is_string(v) ||
	    strlen(json_string_value(v)) != json_string_length(v)) {
		(void)snprintf(err, errlen, "\"%s\" is no text", name);
		return (-1);
	}
	if (strlcpy(buf, json_string_value(v), len) >= len) {
		(void)snprintf(err, errlen, "\"%s\" is too long", name);
		return (1);
	}
	return (0);
}

char *
answer_write(json_t *j)
{
	char *s = j == NULL ? NULL : json_dumps(j, JSON_COMPACT);

	json_decref(j);
	return (s);
}

void
answer_said(long status, const char *body, size_t len,
    const char *const *names, char *buf, size_t buflen)
{
	char text[512] = "", shown[128];
	json_t *j = NULL;

	if (len > 0)
		j = answer_read(body, len, shown, sizeof(shown));
	for (; j != NULL && text[0] == '\0' && *names != NULL; names++)
		(void)answer_text(j, *names, text, sizeof(text), shown,
		    sizeof(shown));
	json_decref(j);
	if (text[0] == '\0') {
		(void)snprintf(buf, buflen, "HTTP %ld", status);
		return;
	}
	(void)esc(shown, sizeof(shown), text);
	(void)snprintf(buf, buflen, "HTTP %ld: %s", status, shown);
}
