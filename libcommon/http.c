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

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <bsd/stdlib.h>
#include <bsd/string.h>

#include "http_int.h"

#define CONNECT_MS	10000L
#define FIRST_ROOM	4096U

static size_t
body_cb(char *buf, size_t size, size_t n, void *arg)
{
	struct http_call *hc = arg;
	struct http_reply *hp = &hc->hc_reply;
	size_t len = size * n, room = hc->hc_room;
	char *more;

	if (len > hc->hc_max - hp->hp_len) {
		hp->hp_toobig = 1;
		return (0);
	}
	while (room < hp->hp_len + len + 1)
		room = room == 0 ? FIRST_ROOM : 2 * room;
	if (room != hc->hc_room) {
		if ((more = realloc(hp->hp_body, room)) == NULL)
			return (0);
		hp->hp_body = more;
		hc->hc_room = room;
	}
	memcpy(hp->hp_body + hp->hp_len, buf, len);
	hp->hp_len += len;
	hp->hp_body[hp->hp_len] = '\0';
	return (len);
}

/* The value of "Name: value" when the line has that name, trimmed. */
static int
header_is(const char *line, size_t len, const char *name, char *buf,
    size_t buflen)
{
	size_t n = strlen(name);

	if (len <= n || line[n] != ':' || strncasecmp(line, name, n) != 0)
		return (0);
	for (line += n + 1, len -= n + 1; len > 0 && (*line == ' ' ||
	    *line == '\t'); len--)
		line++;
	while (len > 0 && strchr("\r\n \t", line[len - 1]) != NULL)
		len--;
	if (len >= buflen)
		return (0);
	memcpy(buf, line, len);
	buf[len] = '\0';
	return (1);
}

/* A number of rows; anything else is -1. */
static int64_t
header_number(const char *text)
{
	const char *err;
	long long v;

	v = strtonum(text, 0, INT32_MAX, &err);
	return (err == NULL ? v : -1);
}

static int64_t
bounded(int64_t s)
{
	return (s < 1 ? 1 : s > HTTP_WAIT_MAX_S ? HTTP_WAIT_MAX_S : s);
}

/*
 * Seconds from now of Retry-After (RFC 9110): a number, or a date by the
 * server's own clock where it says what that is.  -1: neither.
 */
static int64_t
retry_after(const char *text, const char *date)
{
	time_t then, now = -1;

	if (text[0] == '\0')
		return (-1);
	if (text[strspn(text, "0123456789")] == '\0')
		return (strlen(text) > 9 ? HTTP_WAIT_MAX_S :
		    bounded(header_number(text)));
	/* All three forms of a date begin with the name of a day. */
	if (!isalpha((unsigned char)text[0]) ||
	    (then = curl_getdate(text, NULL)) == -1)
		return (-1);
	if (date[0] != '\0')
		now = curl_getdate(date, NULL);
	return (bounded((int64_t)then - (int64_t)(now == -1 ? time(NULL) :
	    now)));
}

int64_t
http_wait_s(const struct http_reply *hp, int64_t body_s)
{
	const int64_t said = hp->hp_retry_after >= 0 ? hp->hp_retry_after :
	    body_s;

	if (hp->hp_end != HTTP_ANSWERED)
		return (0);
	switch (hp->hp_status) {
	case 429:
		return (bounded(said));
	case 403:		/* the limit of a proxy, or of a forge */
	case 503:
		return (said < 0 ? 0 : bounded(said));
	default:
		return (0);
	}
}

static size_t
header_cb(char *buf, size_t size, size_t n, void *arg)
{
	struct http_call *hc = arg;
	struct http_reply *hp = &hc->hc_reply;
	size_t len = size * n;
	char value[64];

	if (header_is(buf, len, "Retry-After", value, sizeof(value)))
		(void)strlcpy(hc->hc_after, value, sizeof(hc->hc_after));
	else if (header_is(buf, len, "X-RateLimit-Remaining", value,
	    sizeof(value)))
		hp->hp_remaining = header_number(value);
	else if (header_is(buf, len, "X-Total-Count", value, sizeof(value)))
		hp->hp_total = header_number(value);
	else if (header_is(buf, len, "Date", value, sizeof(value)))
		(void)strlcpy(hp->hp_date, value, sizeof(hp->hp_date));
	return (len);
}

static int
set_headers(struct http_call *hc, const struct http_request *hr)
{
	struct curl_slist *more;
	size_t i;

	/* No "Expect: 100-continue": one round trip less, one fault less. */
	if ((hc->hc_headers = curl_slist_append(NULL, "Expect:")) == NULL)
		return (-1);
	for (i = 0; hr->hr_headers != NULL && hr->hr_headers[i] != NULL;
	    i++) {
		if (strpbrk(hr->hr_headers[i], "\r\n") != NULL ||
		    (more = curl_slist_append(hc->hc_headers,
		    hr->hr_headers[i])) == NULL)
			return (-1);
		hc->hc_headers = more;
	}
	return (curl_easy_setopt(hc->hc_curl, CURLOPT_HTTPHEADER,
	    hc->hc_headers) == CURLE_OK ? 0 : -1);
}

static int
set_body(CURL *c, const struct http_request *hr)
{
	if (curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, hr->hr_method) !=
	    CURLE_OK)
		return (-1);
	/*
	 * On a connection that was used before and ends without an answer
	 * libcurl sends the request again: it would act twice.
	 */
	if (strcmp(hr->hr_method, "GET") != 0 &&
	    curl_easy_setopt(c, CURLOPT_FRESH_CONNECT, 1L) != CURLE_OK)
		return (-1);
	if (hr->hr_body == NULL && strcmp(hr->hr_method, "POST") != 0)
		return (0);
	return (curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE,
	    (curl_off_t)hr->hr_len) != CURLE_OK ||
	    curl_easy_setopt(c, CURLOPT_COPYPOSTFIELDS, hr->hr_body == NULL ?
	    "" : hr->hr_body) != CURLE_OK ? -1 : 0);
}

static int
set_bounds(struct http_call *hc, const struct http_request *hr)
{
	CURL *c = hc->hc_curl;
	long ms = hr->hr_timeout_ms == 0 ? (long)HTTP_TIMEOUT_MS :
	    (long)hr->hr_timeout_ms;

	return (curl_easy_setopt(c, CURLOPT_URL, hr->hr_url) != CURLE_OK ||
	    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https") !=
	    CURLE_OK ||
	    curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, ms) != CURLE_OK ||
	    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS,
	    ms < CONNECT_MS ? ms : CONNECT_MS) != CURLE_OK ||
	    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) != CURLE_OK ||
	    curl_easy_setopt(c, CURLOPT_PROXY, "") != CURLE_OK ||
	    curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L) != CURLE_OK ||
	    curl_easy_setopt(c, CURLOPT_USERAGENT, "orchd") != CURLE_OK ||
	    curl_easy_setopt(c, CURLOPT_CONNECT_ONLY, hr->hr_connect ? 1L :
	    0L) != CURLE_OK ||
	    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, hc->hc_said) !=
	    CURLE_OK ? -1 : 0);
}

struct http_call *
http_call_new(const struct http_request *hr)
{
	struct http_call *hc;

	if ((hc = calloc(1, sizeof(*hc))) == NULL)
		return (NULL);
	hc->hc_max = hr->hr_max == 0 ? HTTP_BODY_MAX : hr->hr_max;
	hc->hc_reply.hp_retry_after = hc->hc_reply.hp_remaining =
	    hc->hc_reply.hp_total = -1;
	if ((hc->hc_curl = curl_easy_init()) == NULL ||
	    set_bounds(hc, hr) == -1 || set_headers(hc, hr) == -1 ||
	    set_body(hc->hc_curl, hr) == -1 ||
	    curl_easy_setopt(hc->hc_curl, CURLOPT_WRITEFUNCTION, body_cb) !=
	    CURLE_OK ||
	    curl_easy_setopt(hc->hc_curl, CURLOPT_WRITEDATA, hc) !=
	    CURLE_OK ||
	    curl_easy_setopt(hc->hc_curl, CURLOPT_HEADERFUNCTION,
	    header_cb) != CURLE_OK ||
	    curl_easy_setopt(hc->hc_curl, CURLOPT_HEADERDATA, hc) !=
	    CURLE_OK ||
	    curl_easy_setopt(hc->hc_curl, CURLOPT_PRIVATE, hc) != CURLE_OK) {
		http_call_free(hc);
		return (NULL);
	}
	return (hc);
}

/* What curl says when not one byte of the request can have been read. */
static int
not_sent(CURLcode rc)
{
	switch (rc) {
	case CURLE_FAILED_INIT:
	case CURLE_OUT_OF_MEMORY:
	case CURLE_URL_MALFORMAT:
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
		return (1);
	default:
		return (0);
	}
}

void
http_call_end(struct http_call *hc, CURLcode rc)
{
	struct http_reply *hp = &hc->hc_reply;

	(void)curl_easy_getinfo(hc->hc_curl, CURLINFO_RESPONSE_CODE,
	    &hp->hp_status);
	hp->hp_retry_after = retry_after(hc->hc_after, hp->hp_date);
	if (rc == CURLE_OK) {
		hp->hp_end = HTTP_ANSWERED;
		return;
	}
	hp->hp_end = not_sent(rc) ? HTTP_NOT_SENT : HTTP_LOST;
	if (hp->hp_toobig)
		(void)snprintf(hp->hp_err, sizeof(hp->hp_err), "the answer "
		    "is larger than %zu bytes", hc->hc_max);
	else
		(void)strlcpy(hp->hp_err, hc->hc_said[0] != '\0' ?
		    hc->hc_said : curl_easy_strerror(rc),
		    sizeof(hp->hp_err));
}

void
http_call_free(struct http_call *hc)
{
	if (hc == NULL)
		return;
	curl_easy_cleanup(hc->hc_curl);
	curl_slist_free_all(hc->hc_headers);
	free(hc);
}

int
http_do(const struct http_request *hr, struct http_reply *hp)
{
	struct http_call *hc;

	if ((hc = http_call_new(hr)) == NULL) {
		memset(hp, 0, sizeof(*hp));
		hp->hp_end = HTTP_NOT_SENT;
		(void)strlcpy(hp->hp_err, "libcurl cannot make this request",
		    sizeof(hp->hp_err));
		return (-1);
	}
	http_call_end(hc, curl_easy_perform(hc->hc_curl));
	*hp = hc->hc_reply;
	http_call_free(hc);
	return (hp->hp_end == HTTP_ANSWERED ? 0 : -1);
}

void
http_reply_free(struct http_reply *hp)
{
	free(hp->hp_body);
	hp->hp_body = NULL;
	hp->hp_len = 0;
}

int
http_escape(const char *text, char *buf, size_t len)
{
	static const char safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789-._~";
	size_t n = 0;

	if (len == 0)
		return (-1);
	for (; *text != '\0'; text++) {
		if (len - n < 4)
			return (-1);
		if (strchr(safe, *text) != NULL)
			buf[n++] = *text;
		else {
			(void)snprintf(buf + n, 4, "%%%02X",
			    (unsigned int)(unsigned char)*text);
			n += 3;
		}
	}
	buf[n] = '\0';
	return (0);
}
