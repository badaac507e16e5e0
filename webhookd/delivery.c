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
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include "libcommon/sha256.h"

#include "delivery.h"

#define SIG_LEN		64

enum body_type
delivery_type(const struct http_head *head)
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

/*
 * Take the header's value if it has the one form that is allowed, else a
 * filler of the same length, so that what follows costs the same.
 */
static int
signature_take(const struct http_head *head, const char *header,
    char sig[SIG_LEN + 1])
{
	const struct http_header *hh;
	size_t i;
	int ok = 1;

	memset(sig, 'x', SIG_LEN);
	sig[SIG_LEN] = '\0';
	hh = http_header_find(head, header);
	if (hh == NULL || hh->hh_repeated || hh->hh_value.sl_n != SIG_LEN)
		return (0);
	memcpy(sig, hh->hh_value.sl_s, SIG_LEN);
	for (i = 0; i < SIG_LEN; i++)
		ok &= (sig[i] >= '0' && sig[i] <= '9') ||
		    (sig[i] >= 'a' && sig[i] <= 'f');
	return (ok);
}

int
delivery_signed(const struct delivery_conf *conf,
    const struct http_head *head, const char *header, const char *body,
    size_t len)
{
	char sig[SIG_LEN + 1], mac[SIG_LEN + 1];
	const char *secret;
	int ok, i, match = 0;

	ok = signature_take(head, header, sig);
	for (i = 0; i < DELIVERY_SECRETS_MAX; i++) {
		secret = conf->dc_secrets[i];
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

int
delivery_name(const struct http_head *head, const char *header,
    struct delivery *dl)
{
	const struct http_header *hh;
	size_t i, n;
	char c;

	if (sha256_hex(dl->dl_body, dl->dl_len, dl->dl_sha256) == -1)
		return (-1);
	if ((hh = http_header_find(head, header)) == NULL) {
		(void)snprintf(dl->dl_id, sizeof(dl->dl_id), "sha256-%s",
		    dl->dl_sha256);
		return (0);
	}
	n = hh->hh_value.sl_n;
	if (n == 0 || n > DELIVERY_ID_MAX)
		return (-1);
	for (i = 0; i < n; i++) {
		c = hh->hh_value.sl_s[i];
		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
		    (c >= 'A' && c <= 'Z') || c == '-' || c == '_' ||
		    c == '.'))
			return (-1);
		dl->dl_id[i] = c;
	}
	dl->dl_id[n] = '\0';
	return (0);
}

int
delivery_text(char buf[DELIVERY_NAME_MAX + 1], const char *text)
{
	return (strlcpy(buf, text == NULL ? "" : text, DELIVERY_NAME_MAX +
	    1) > DELIVERY_NAME_MAX ? -1 : 0);
}

void
delivery_free(struct delivery *dl)
{
	free(dl->dl_body);
	memset(dl, 0, sizeof(*dl));
}
