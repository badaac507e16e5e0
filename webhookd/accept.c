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

#include <openssl/evp.h>
#include <string.h>
#include <strings.h>

#include "accept.h"
#include "http.h"

#define CREDENTIALS_MAX	512

/* The next part of *rest up to a separator, without blanks around it. */
static struct http_slice
next_part(struct http_slice *rest, char sep)
{
	struct http_slice part = *rest;
	const char *end;

	if ((end = memchr(rest->sl_s, sep, rest->sl_n)) != NULL) {
		part.sl_n = (size_t)(end - rest->sl_s);
		rest->sl_s = end + 1;
		rest->sl_n -= part.sl_n + 1;
	} else {
		rest->sl_s += rest->sl_n;
		rest->sl_n = 0;
	}
	while (part.sl_n > 0 && (*part.sl_s == ' ' || *part.sl_s == '\t')) {
		part.sl_s++;
		part.sl_n--;
	}
	while (part.sl_n > 0 && (part.sl_s[part.sl_n - 1] == ' ' ||
	    part.sl_s[part.sl_n - 1] == '\t'))
		part.sl_n--;
	return (part);
}

/* A weight "q=0.NNN" in thousandths; -1 for a parameter that is no weight. */
static int
weight(struct http_slice param)
{
	int q = 0, digit = 1000;
	size_t i;

	if (param.sl_n < 3 || strncasecmp(param.sl_s, "q=", 2) != 0)
		return (-1);
	for (i = 2; i < param.sl_n && digit > 0; i++) {
		if (i == 3) {
			if (param.sl_s[i] != '.')
				return (-1);
			continue;
		}
		if (param.sl_s[i] < '0' || param.sl_s[i] > '9')
			return (-1);
		q += (param.sl_s[i] - '0') * digit;
		digit /= 10;
	}
	return (q > 1000 ? 1000 : q);
}

/* How exactly a media range names type/subtype: 0 not, 1 any, 2 type, 3. */
static int
range_names(struct http_slice range, const char *full, const char *any)
{
	if (http_slice_caseis(range, full))
		return (3);
	if (http_slice_caseis(range, any))
		return (2);
	return (http_slice_is(range, "*/*") ? 1 : 0);
}

/* What the header says of one type: the weight of its most exact range. */
static int
accept_weight(struct http_slice value, const char *full, const char *any)
{
	struct http_slice item, part;
	int best = 0, found = 0, names, q, w;

	while (value.sl_n > 0) {
		item = next_part(&value, ',');
		part = next_part(&item, ';');
		names = range_names(part, full, any);
		for (q = 1000; item.sl_n > 0; )
			if ((w = weight(next_part(&item, ';'))) != -1)
				q = w;
		if (names > best) {
			best = names;
			found = q;
		}
	}
	return (found);
}

int
accept_prefers_html(const struct http_head *head)
{
	const struct http_header *hh;

	if ((hh = http_header_find(head, "Accept")) == NULL)
		return (0);
	return (accept_weight(hh->hh_value, "text/html", "text/*") >
	    accept_weight(hh->hh_value, "application/json", "application/*"));
}

/* The password in base64 "user:password". */
static int
basic_password(struct http_slice v, char *token, size_t len)
{
	unsigned char in[CREDENTIALS_MAX + 1], out[CREDENTIALS_MAX];
	const char *colon;
	size_t n;
	int res = -1, total;

	if (v.sl_n == 0 || v.sl_n > CREDENTIALS_MAX || v.sl_n % 4 != 0)
		return (-1);
	memcpy(in, v.sl_s, v.sl_n);
	if ((total = EVP_DecodeBlock(out, in, (int)v.sl_n)) <= 0)
		goto done;
	/* The function counts the padding as bytes. */
	total -= in[v.sl_n - 1] == '=';
	total -= in[v.sl_n - 2] == '=';
	if (memchr(out, '\0', (size_t)total) != NULL ||
	    (colon = memchr(out, ':', (size_t)total)) == NULL)
		goto done;
	n = (size_t)total - (size_t)(colon + 1 - (const char *)out);
	if (n >= len)
		goto done;
	memcpy(token, colon + 1, n);
	token[n] = '\0';
	res = 0;
done:
	explicit_bzero(in, sizeof(in));
	explicit_bzero(out, sizeof(out));
	return (res);
}

static int
read_token(const struct http_head *head, int basic, char *token, size_t len)
{
	const struct http_header *hh;
	struct http_slice rest, scheme;

	token[0] = '\0';
	if ((hh = http_header_find(head, "Authorization")) == NULL)
		return (0);
	rest = hh->hh_value;
	scheme = next_part(&rest, ' ');
	rest = next_part(&rest, '\n');	/* no such byte: trims the rest */
	if (basic && http_slice_caseis(scheme, "Basic"))
		return (basic_password(rest, token, len));
	if (!http_slice_caseis(scheme, "Bearer") || rest.sl_n == 0 ||
	    rest.sl_n >= len)
		return (-1);
	memcpy(token, rest.sl_s, rest.sl_n);
	token[rest.sl_n] = '\0';
	return (0);
}

int
auth_token(const struct http_head *head, char *token, size_t len)
{
	return (read_token(head, 1, token, len));
}

int
auth_bearer(const struct http_head *head, char *token, size_t len)
{
	return (read_token(head, 0, token, len));
}

int
auth_same_site(const struct http_head *head)
{
	const struct http_header *origin, *host, *fetch;
	struct http_slice site;
	size_t n;

	fetch = http_header_find(head, "Sec-Fetch-Site");
	if (fetch != NULL && !http_slice_is(fetch->hh_value, "same-origin") &&
	    !http_slice_is(fetch->hh_value, "none"))
		return (0);
	if ((origin = http_header_find(head, "Origin")) == NULL)
		return (1);
	site = origin->hh_value;
	if ((host = http_header_find(head, "Host")) == NULL)
		return (0);
	if (site.sl_n > 7 && strncasecmp(site.sl_s, "http://", 7) == 0)
		n = 7;
	else if (site.sl_n > 8 && strncasecmp(site.sl_s, "https://", 8) == 0)
		n = 8;
	else
		return (0);
	return (site.sl_n - n == host->hh_value.sl_n && strncasecmp(
	    site.sl_s + n, host->hh_value.sl_s, site.sl_n - n) == 0);
}

int
auth_is_local(const struct http_head *head)
{
	static const char *const names[] = {
		"localhost", "127.0.0.1", "[::1]"
	};
	static const char *const proxied[] = {
		"Forwarded", "X-Forwarded-For", "X-Forwarded-Host",
		"X-Real-IP", "Via"
	};
	const struct http_header *hh;
	struct http_slice host;
	size_t i, n;

	for (i = 0; i < sizeof(proxied) / sizeof(proxied[0]); i++)
		if (http_header_find(head, proxied[i]) != NULL)
			return (0);
	/* Only a 1.0 client may leave it out, and browsers are not that. */
	if ((hh = http_header_find(head, "Host")) == NULL)
		return (1);
	host = hh->hh_value;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		n = strlen(names[i]);
		if (host.sl_n >= n &&
		    strncasecmp(host.sl_s, names[i], n) == 0 &&
		    (host.sl_n == n || host.sl_s[n] == ':'))
			return (1);
	}
	return (0);
}
