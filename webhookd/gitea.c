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

#include <errno.h>
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/sha256.h"

#include "gitea.h"
#include "gitea_kind.h"
#include "http.h"
#include "json.h"

/* One decoded byte from *p, which moves on; -1 for what must not be there. */
static int
form_byte(const uint8_t **p, const uint8_t *end)
{
	const uint8_t *s = *p;
	char hex[3];
	uint8_t c;

	*p = s + 1;
	if (*s == '+')
		return (' ');
	if (*s != '%')
		return (*s == '&' || *s == '=' || *s == '\0' ? -1 : *s);
	if (end - s < 3)
		return (-1);
	hex[0] = (char)s[1];
	hex[1] = (char)s[2];
	hex[2] = '\0';
	if (hex_decode(hex, &c, 1) == -1 || c == '\0')
		return (-1);
	*p = s + 3;
	return (c);
}

char *
gitea_form_payload(const uint8_t *body, size_t len, size_t *outlen)
{
	static const char key[] = "payload=";
	const uint8_t *p, *end = body + len;
	char *out;
	size_t n = 0;
	int c;

	if (len < sizeof(key) - 1 || memcmp(body, key, sizeof(key) - 1) != 0) {
		errno = EINVAL;
		return (NULL);
	}
	if ((out = malloc(len)) == NULL)
		return (NULL);
	for (p = body + sizeof(key) - 1; p < end; ) {
		if ((c = form_byte(&p, end)) == -1) {
			free(out);
			errno = EINVAL;
			return (NULL);
		}
		out[n++] = (char)c;
	}
	out[n] = '\0';
	*outlen = n;
	return (out);
}

/* The JSON that was signed, as an allocation of its own. */
static int
body_take(const struct delivery_conf *conf, const struct http_head *head,
    const uint8_t *body, size_t len, struct delivery *dl, const char **why)
{
	switch (delivery_type(head)) {
	case BODY_JSON:
		if ((dl->dl_body = malloc(len + 1)) != NULL) {
			memcpy(dl->dl_body, body, len);
			dl->dl_body[len] = '\0';
			dl->dl_len = len;
		}
		break;
	case BODY_FORM:
		if (!conf->dc_form) {
			*why = "form deliveries are not configured";
			return (415);
		}
		dl->dl_body = gitea_form_payload(body, len, &dl->dl_len);
		if (dl->dl_body == NULL && errno == EINVAL) {
			*why = "form has not exactly the field payload";
			return (400);
		}
		break;
	case BODY_OTHER:
		*why = "content type not served";
		return (415);
	}
	if (dl->dl_body == NULL) {
		*why = "out of memory";
		return (500);
	}
	return (0);
}

int
gitea_judge(const struct delivery_conf *conf, const struct http_head *head,
    const uint8_t *body, size_t len, struct delivery *dl, const char **why)
{
	json_t *root = NULL;
	int status;

	memset(dl, 0, sizeof(*dl));
	if ((status = body_take(conf, head, body, len, dl, why)) != 0)
		return (status);

	status = 401;
	*why = "bad signature";
	if (!delivery_signed(conf, head, "X-Gitea-Signature", dl->dl_body,
	    dl->dl_len))
		goto done;

	status = 400;
	if ((root = json_body_parse(dl->dl_body, dl->dl_len, 0, why)) ==
	    NULL || (dl->dl_kind = gitea_kind(root, head, why)) == NULL)
		goto done;
	*why = "a name is too long";
	if (gitea_about(root, dl) == -1)
		goto done;
	*why = "bad delivery id";
	if (delivery_name(head, "X-Gitea-Delivery", dl) == -1)
		goto done;
	status = 0;
	*why = NULL;
done:
	if (root != NULL)
		json_decref(root);
	if (status != 0)
		delivery_free(dl);
	return (status);
}
