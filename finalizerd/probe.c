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

#include <curl/curl.h>

#include "finalizerd.h"

/* The body is not looked at, and an endless one ends the probe early. */
static size_t
discard_cb(char *buf, size_t size, size_t n, void *arg)
{
	size_t *seen = arg;

	*seen += size * n;
	return (*seen > (1U << 20) ? 0 : size * n);
}

static int
probe_setup(CURL *c, const char *url, long timeout_ms, size_t *seen)
{
	return (curl_easy_setopt(c, CURLOPT_URL, url) != CURLE_OK ||
	    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https") !=
	    CURLE_OK ||
	    curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, timeout_ms) != CURLE_OK ||
	    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) != CURLE_OK ||
	    curl_easy_setopt(c, CURLOPT_PROXY, "") != CURLE_OK ||
	    curl_easy_setopt(c, CURLOPT_USERAGENT, "orchd-monitor") !=
	    CURLE_OK ||
	    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, discard_cb) !=
	    CURLE_OK ||
	    curl_easy_setopt(c, CURLOPT_WRITEDATA, seen) != CURLE_OK ? -1 :
	    0);
}

/* What curl says when it never came to ask the service. */
static int
not_made(CURLcode rc)
{
	switch (rc) {
	case CURLE_FAILED_INIT:
	case CURLE_OUT_OF_MEMORY:
	case CURLE_URL_MALFORMAT:
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_INTERFACE_FAILED:
		return (1);
	default:
		return (0);
	}
}

enum http_probe
http_probe(const char *url, long timeout_ms, char *why, size_t len)
{
	size_t seen = 0;
	long status = 0;
	CURLcode rc;
	CURL *c;

	if ((c = curl_easy_init()) == NULL ||
	    probe_setup(c, url, timeout_ms, &seen) == -1) {
		curl_easy_cleanup(c);
		(void)snprintf(why, len, "libcurl could not be set up");
		return (HTTP_NOT_MADE);
	}
	rc = curl_easy_perform(c);
	(void)curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_cleanup(c);
	if (rc == CURLE_WRITE_ERROR && seen > (1U << 20))
		rc = CURLE_OK;		/* enough of it */
	if (rc != CURLE_OK) {
		(void)snprintf(why, len, "%s", curl_easy_strerror(rc));
		return (not_made(rc) ? HTTP_NOT_MADE : HTTP_BAD);
	}
	(void)snprintf(why, len, "%ld", status);
	return (status >= 200 && status < 400 ? HTTP_GOOD : HTTP_BAD);
}
