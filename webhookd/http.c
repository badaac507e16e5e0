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

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "http.h"

/* Where the parser stands: a buffer, a position and the head it fills. */
struct cursor {
	const uint8_t		*cu_buf;
	size_t			 cu_len;
	size_t			 cu_pos;
	struct http_head	*cu_head;
};

/* Headers whose repetition is judged by their reader, not here. */
static const char *const repeat_judged_later[] = {
	"X-Gitea-Signature", "X-Plane-Signature"
};
#define NLATER	(sizeof(repeat_judged_later) / sizeof(repeat_judged_later[0]))

static enum http_result
refuse(struct http_head *head, int status, const char *why)
{
	head->ht_status = status;
	head->ht_why = why;
	return (HTTP_REFUSED);
}

/* The bytes ran out: more may come unless the head is at its limit. */
static enum http_result
more(const struct cursor *cu, int status_if_full, const char *why)
{
	if (cu->cu_len >= HTTP_HEAD_MAX)
		return (refuse(cu->cu_head, status_if_full, why));
	return (HTTP_MORE);
}

/* RFC 9110, section 5.6.2. */
static int
is_token_char(uint8_t c)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9'))
		return (1);
	return (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static int
is_value_char(uint8_t c)
{
	return (c == '\t' || (c >= 0x20 && c != 0x7f));
}

static struct http_slice
slice(const struct cursor *cu, size_t from, size_t to)
{
	struct http_slice sl;

	sl.sl_s = (const char *)cu->cu_buf + from;
	sl.sl_n = to - from;
	return (sl);
}

int
http_slice_is(struct http_slice sl, const char *str)
{
	return (sl.sl_n == strlen(str) && memcmp(sl.sl_s, str, sl.sl_n) == 0);
}

int
http_slice_caseis(struct http_slice sl, const char *str)
{
	return (sl.sl_n == strlen(str) &&
	    strncasecmp(sl.sl_s, str, sl.sl_n) == 0);
}

static enum http_result
parse_method(struct cursor *cu)
{
	struct http_head *head = cu->cu_head;
	uint8_t c;

	for (; cu->cu_pos < cu->cu_len; cu->cu_pos++) {
		c = cu->cu_buf[cu->cu_pos];
		if (c == ' ' && cu->cu_pos > 0) {
			head->ht_method = slice(cu, 0, cu->cu_pos++);
			return (HTTP_DONE);
		}
		if (c < 'A' || c > 'Z')
			return (refuse(head, 400, "method is not letters"));
		if (cu->cu_pos >= HTTP_METHOD_MAX)
			return (refuse(head, 400, "method too long"));
	}
	return (more(cu, 400, "method too long"));
}

static enum http_result
parse_target(struct cursor *cu)
{
	struct http_head *head = cu->cu_head;
	size_t start = cu->cu_pos;
	uint8_t c;

	for (; cu->cu_pos < cu->cu_len; cu->cu_pos++) {
		c = cu->cu_buf[cu->cu_pos];
		if (cu->cu_pos == start && c != '/')
			return (refuse(head, 400, "target is not a path"));
		if (c == ' ') {
			head->ht_target = slice(cu, start, cu->cu_pos++);
			return (HTTP_DONE);
		}
		if (c < 0x21 || c > 0x7e)
			return (refuse(head, 400, "bad byte in target"));
		if (cu->cu_pos - start >= HTTP_TARGET_MAX)
			return (refuse(head, 414, "target too long"));
	}
	return (more(cu, 414, "target too long"));
}

/* "HTTP/1.0" or "HTTP/1.1", then CR LF.  Another d.d is 505, the rest 400. */
static enum http_result
parse_version(struct cursor *cu)
{
	static const char want[] = "HTTP/d.d\r\n";
	struct http_head *head = cu->cu_head;
	const uint8_t *p = cu->cu_buf + cu->cu_pos;
	size_t i;

	for (i = 0; i < sizeof(want) - 1; i++) {
		if (cu->cu_pos + i >= cu->cu_len)
			return (more(cu, 414, "request line too long"));
		if (want[i] == 'd' ? p[i] < '0' || p[i] > '9' :
		    p[i] != (uint8_t)want[i])
			return (refuse(head, 400, "bad version or line end"));
	}
	if (p[5] != '1' || (p[7] != '0' && p[7] != '1'))
		return (refuse(head, 505, "version not served"));
	head->ht_minor = p[7] - '0';
	cu->cu_pos += i;
	return (HTTP_DONE);
}

static enum http_result
parse_name(struct cursor *cu, struct http_header *hh)
{
	struct http_head *head = cu->cu_head;
	size_t start = cu->cu_pos;
	uint8_t c;

	for (; cu->cu_pos < cu->cu_len; cu->cu_pos++) {
		c = cu->cu_buf[cu->cu_pos];
		if (c == ':' && cu->cu_pos > start) {
			hh->hh_name = slice(cu, start, cu->cu_pos++);
			return (HTTP_DONE);
		}
		if (!is_token_char(c))
			return (refuse(head, 400, "bad header name"));
		if (cu->cu_pos - start >= HTTP_NAME_MAX)
			return (refuse(head, 431, "header name too long"));
	}
	return (more(cu, 431, "head too long"));
}

static struct http_slice
trim(struct http_slice sl)
{
	while (sl.sl_n > 0 && (*sl.sl_s == ' ' || *sl.sl_s == '\t')) {
		sl.sl_s++;
		sl.sl_n--;
	}
	while (sl.sl_n > 0 && (sl.sl_s[sl.sl_n - 1] == ' ' ||
	    sl.sl_s[sl.sl_n - 1] == '\t'))
		sl.sl_n--;
	return (sl);
}

static enum http_result
parse_value(struct cursor *cu, struct http_header *hh)
{
	struct http_head *head = cu->cu_head;
	size_t start = cu->cu_pos;

	while (cu->cu_pos < cu->cu_len && is_value_char(cu->cu_buf[cu->cu_pos]))
		cu->cu_pos++;
	if (cu->cu_pos < cu->cu_len && cu->cu_buf[cu->cu_pos] != '\r')
		return (refuse(head, 400, "bad byte in header value"));
	if (cu->cu_pos + 1 >= cu->cu_len)
		return (more(cu, 431, "head too long"));
	if (cu->cu_buf[cu->cu_pos + 1] != '\n')
		return (refuse(head, 400, "CR without LF"));
	hh->hh_value = trim(slice(cu, start, cu->cu_pos));
	cu->cu_pos += 2;
	return (HTTP_DONE);
}

static int
may_repeat(struct http_slice name)
{
	size_t i;

	for (i = 0; i < NLATER; i++)
		if (http_slice_caseis(name, repeat_judged_later[i]))
			return (1);
	return (0);
}

/* Take the header into the table, or refuse it as one too many or a double. */
static enum http_result
keep_header(struct http_head *head, const struct http_header *hh)
{
	struct http_header *old;
	size_t i;

	for (i = 0; i < head->ht_nheaders; i++) {
		old = &head->ht_headers[i];
		if (old->hh_name.sl_n != hh->hh_name.sl_n ||
		    strncasecmp(old->hh_name.sl_s, hh->hh_name.sl_s,
		    hh->hh_name.sl_n) != 0)
			continue;
		if (!may_repeat(hh->hh_name))
			return (refuse(head, 400, "header twice"));
		old->hh_repeated = 1;
		return (HTTP_DONE);
	}
	if (head->ht_nheaders == HTTP_HEADERS_MAX)
		return (refuse(head, 431, "too many headers"));
	head->ht_headers[head->ht_nheaders++] = *hh;
	return (HTTP_DONE);
}

/* One header line, or the empty line, after which *last is set. */
static enum http_result
parse_line(struct cursor *cu, int *last)
{
	struct http_header hh;
	enum http_result res;

	if (cu->cu_pos >= cu->cu_len)
		return (more(cu, 431, "head too long"));
	if (cu->cu_buf[cu->cu_pos] == '\r') {
		if (cu->cu_pos + 1 >= cu->cu_len)
			return (more(cu, 431, "head too long"));
		if (cu->cu_buf[cu->cu_pos + 1] != '\n')
			return (refuse(cu->cu_head, 400, "CR without LF"));
		cu->cu_pos += 2;
		*last = 1;
		return (HTTP_DONE);
	}
	memset(&hh, 0, sizeof(hh));
	if ((res = parse_name(cu, &hh)) != HTTP_DONE ||
	    (res = parse_value(cu, &hh)) != HTTP_DONE)
		return (res);
	return (keep_header(cu->cu_head, &hh));
}

const struct http_header *
http_header_find(const struct http_head *head, const char *name)
{
	size_t i;

	for (i = 0; i < head->ht_nheaders; i++)
		if (http_slice_caseis(head->ht_headers[i].hh_name, name))
			return (&head->ht_headers[i]);
	return (NULL);
}

/* 0 or up to nine digits without a leading zero. */
static enum http_result
check_length(struct http_head *head, struct http_slice v)
{
	uint64_t n = 0;
	size_t i;

	if (v.sl_n == 0 || (v.sl_n > 1 && v.sl_s[0] == '0'))
		return (refuse(head, 400, "bad Content-Length"));
	for (i = 0; i < v.sl_n; i++)
		if (v.sl_s[i] < '0' || v.sl_s[i] > '9')
			return (refuse(head, 400, "bad Content-Length"));
	if (v.sl_n > 9)
		return (refuse(head, 413, "Content-Length too large"));
	for (i = 0; i < v.sl_n; i++)
		n = n * 10 + (uint64_t)(v.sl_s[i] - '0');
	head->ht_length = n;
	return (HTTP_DONE);
}

static enum http_result
check_body_headers(struct http_head *head)
{
	const struct http_header *len, *te;

	len = http_header_find(head, "Content-Length");
	te = http_header_find(head, "Transfer-Encoding");
	if (te != NULL && len != NULL)
		return (refuse(head, 400,
		    "Content-Length with Transfer-Encoding"));
	if (te != NULL)
		return (refuse(head, 501, "Transfer-Encoding not served"));
	if (http_header_find(head, "Content-Encoding") != NULL)
		return (refuse(head, 415, "Content-Encoding not served"));
	if (len == NULL) {
		head->ht_unsized = 1;
		return (HTTP_DONE);
	}
	return (check_length(head, len->hh_value));
}

/* What may stand in a Host value: name or address, and a port. */
static int
host_is_sane(struct http_slice v)
{
	size_t i;

	if (v.sl_n == 0 || v.sl_n > 255)
		return (0);
	for (i = 0; i < v.sl_n; i++)
		if (!is_token_char((uint8_t)v.sl_s[i]) &&
		    strchr(":[]", v.sl_s[i]) == NULL)
			return (0);
	return (1);
}

static enum http_result
check_headers(struct http_head *head)
{
	const struct http_header *hh;
	enum http_result res;

	if ((hh = http_header_find(head, "Host")) == NULL) {
		if (head->ht_minor == 1)
			return (refuse(head, 400, "no Host"));
	} else if (!host_is_sane(hh->hh_value))
		return (refuse(head, 400, "bad Host"));
	if ((res = check_body_headers(head)) != HTTP_DONE)
		return (res);
	if (http_header_find(head, "Upgrade") != NULL)
		return (refuse(head, 415, "Upgrade not served"));
	if ((hh = http_header_find(head, "Expect")) != NULL) {
		if (!http_slice_caseis(hh->hh_value, "100-continue"))
			return (refuse(head, 417, "unknown Expect"));
		/* A 1.0 client does not know the interim answer. */
		head->ht_expect = head->ht_minor == 1;
	}
	return (HTTP_DONE);
}

enum http_result
http_parse_head(const uint8_t *buf, size_t len, struct http_head *head)
{
	struct cursor cu;
	enum http_result res;
	int last = 0;

	memset(head, 0, sizeof(*head));
	cu.cu_buf = buf;
	cu.cu_len = len > HTTP_HEAD_MAX ? HTTP_HEAD_MAX : len;
	cu.cu_pos = 0;
	cu.cu_head = head;

	if ((res = parse_method(&cu)) != HTTP_DONE ||
	    (res = parse_target(&cu)) != HTTP_DONE ||
	    (res = parse_version(&cu)) != HTTP_DONE)
		return (res);
	while (!last)
		if ((res = parse_line(&cu, &last)) != HTTP_DONE)
			return (res);
	head->ht_size = cu.cu_pos;
	return (check_headers(head));
}

const char *
http_reason(int status)
{
	static const struct {
		int		 status;
		const char	*reason;
	} reasons[] = {
		{ 200, "OK" },
		{ 202, "Accepted" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 408, "Request Timeout" },
		{ 409, "Conflict" },
		{ 411, "Length Required" },
		{ 413, "Content Too Large" },
		{ 414, "URI Too Long" },
		{ 415, "Unsupported Media Type" },
		{ 417, "Expectation Failed" },
		{ 429, "Too Many Requests" },
		{ 431, "Request Header Fields Too Large" },
		{ 500, "Internal Server Error" },
		{ 501, "Not Implemented" },
		{ 502, "Bad Gateway" },
		{ 503, "Service Unavailable" },
		{ 505, "HTTP Version Not Supported" },
	};
	size_t i;

	for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].status == status)
			return (reasons[i].reason);
	return ("Error");
}
