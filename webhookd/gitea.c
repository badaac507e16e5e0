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

#include <bsd/string.h>
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

#define SIG_LEN		64

enum body_type { BODY_JSON, BODY_FORM, BODY_OTHER };

/* The media type of a Content-Type value, without its parameters. */
static enum body_type
body_type(const struct http_head *head)
{
	const struct http_header *hh;
	struct http_slice v;
	const char *semicolon;

	if ((hh = http_header_find(head, "Content-Type")) == NULL)
		return (BODY_OTHER);
	v = hh->hh_value;
	if ((semicolon = memchr(v.sl_s, ';', v.sl_n)) != NULL)
		v.sl_n = (size_t)(semicolon - v.sl_s);
	while (v.sl_n > 0 && v.sl_s[v.sl_n - 1] == ' ')
		v.sl_n--;
	if (http_slice_caseis(v, "application/json"))
		return (BODY_JSON);
	if (http_slice_caseis(v, "application/x-www-form-urlencoded"))
		return (BODY_FORM);
	return (BODY_OTHER);
}

static int
hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return (c - '0');
	if (c >= 'a' && c <= 'f')
		return (c - 'a' + 10);
	if (c >= 'A' && c <= 'F')
		return (c - 'A' + 10);
	return (-1);
}

/* One decoded byte from *p, which moves on; -1 for what must not be there. */
static int
form_byte(const uint8_t **p, const uint8_t *end)
{
	const uint8_t *s = *p;
	int hi, lo;

	*p = s + 1;
	if (*s == '+')
		return (' ');
	if (*s != '%')
		return (*s == '&' || *s == '=' || *s == '\0' ? -1 : *s);
	if (end - s < 3 || (hi = hex_digit(s[1])) == -1 ||
	    (lo = hex_digit(s[2])) == -1 || (hi == 0 && lo == 0))
		return (-1);
	*p = s + 3;
	return (hi << 4 | lo);
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

/*
 * Take the header's value if it has the one form that is allowed, else a
 * filler of the same length, so that what follows costs the same.
 */
static int
signature_take(const struct http_head *head, char sig[SIG_LEN + 1])
{
	const struct http_header *hh;
	size_t i;
	int ok = 1;

	memset(sig, 'x', SIG_LEN);
	sig[SIG_LEN] = '\0';
	hh = http_header_find(head, "X-Gitea-Signature");
	if (hh == NULL || hh->hh_repeated || hh->hh_value.sl_n != SIG_LEN)
		return (0);
	memcpy(sig, hh->hh_value.sl_s, SIG_LEN);
	for (i = 0; i < SIG_LEN; i++)
		ok &= (sig[i] >= '0' && sig[i] <= '9') ||
		    (sig[i] >= 'a' && sig[i] <= 'f');
	return (ok);
}

/* 1 if one of the secrets made this signature.  All of them are tried. */
static int
signature_fits(const struct gitea_conf *conf, const struct http_head *head,
    const char *body, size_t len)
{
	char sig[SIG_LEN + 1], mac[SIG_LEN + 1];
	const char *secret;
	int ok, i, match = 0;

	ok = signature_take(head, sig);
	for (i = 0; i < GITEA_SECRETS_MAX; i++) {
		secret = conf->gc_secrets[i];
		if (secret == NULL || *secret == '\0')
			continue;
		if (hmac_sha256_hex(secret, strlen(secret), body, len,
		    mac) == -1)
			continue;
		match |= ct_equal(mac, sig, SIG_LEN);
	}
	explicit_bzero(mac, sizeof(mac));
	return (ok & match);
}

/* The delivery id, if it is one; ids are compared and shown, never trusted. */
static int
delivery_take(const struct http_head *head, struct gitea_event *ev)
{
	const struct http_header *hh;
	size_t i, n;
	char c;

	if ((hh = http_header_find(head, "X-Gitea-Delivery")) == NULL) {
		(void)snprintf(ev->ge_delivery, sizeof(ev->ge_delivery),
		    "sha256-%s", ev->ge_sha256);
		return (0);
	}
	n = hh->hh_value.sl_n;
	if (n == 0 || n > GITEA_DELIVERY_MAX)
		return (-1);
	for (i = 0; i < n; i++) {
		c = hh->hh_value.sl_s[i];
		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
		    (c >= 'A' && c <= 'Z') || c == '-' || c == '_' ||
		    c == '.'))
			return (-1);
		ev->ge_delivery[i] = c;
	}
	ev->ge_delivery[n] = '\0';
	return (0);
}

/* The JSON that was signed, as an allocation of its own. */
static int
body_take(const struct gitea_conf *conf, const struct http_head *head,
    const uint8_t *body, size_t len, struct gitea_event *ev, const char **why)
{
	switch (body_type(head)) {
	case BODY_JSON:
		if ((ev->ge_body = malloc(len + 1)) != NULL) {
			memcpy(ev->ge_body, body, len);
			ev->ge_body[len] = '\0';
			ev->ge_len = len;
		}
		break;
	case BODY_FORM:
		if (!conf->gc_form) {
			*why = "form deliveries are not configured";
			return (415);
		}
		ev->ge_body = gitea_form_payload(body, len, &ev->ge_len);
		if (ev->ge_body == NULL && errno == EINVAL) {
			*why = "form has not exactly the field payload";
			return (400);
		}
		break;
	case BODY_OTHER:
		*why = "content type not served";
		return (415);
	}
	if (ev->ge_body == NULL) {
		*why = "out of memory";
		return (500);
	}
	return (0);
}

int
gitea_judge(const struct gitea_conf *conf, const struct http_head *head,
    const uint8_t *body, size_t len, struct gitea_event *ev, const char **why)
{
	json_t *root = NULL;
	int status;

	memset(ev, 0, sizeof(*ev));
	if ((status = body_take(conf, head, body, len, ev, why)) != 0)
		return (status);

	status = 401;
	*why = "bad signature";
	if (!signature_fits(conf, head, ev->ge_body, ev->ge_len))
		goto done;

	status = 400;
	if ((root = json_body_parse(ev->ge_body, ev->ge_len, why)) == NULL)
		goto done;
	if ((ev->ge_kind = gitea_kind(root, head, why)) == NULL)
		goto done;
	*why = "bad delivery id";
	if (sha256_hex(ev->ge_body, ev->ge_len, ev->ge_sha256) == -1 ||
	    delivery_take(head, ev) == -1)
		goto done;
	status = 0;
	*why = NULL;
done:
	if (root != NULL)
		json_decref(root);
	if (status != 0)
		gitea_event_free(ev);
	return (status);
}

void
gitea_event_free(struct gitea_event *ev)
{
	free(ev->ge_body);
	memset(ev, 0, sizeof(*ev));
}
