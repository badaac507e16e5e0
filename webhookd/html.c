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

#include <event2/buffer.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "libcommon/sha256.h"

#include "html.h"
#include "html_int.h"
#include "http.h"

#define REFRESH_S	5

void
html_raw(struct evbuffer *out, const char *markup)
{
	(void)evbuffer_add(out, markup, strlen(markup));
}

/*
 * The length of the UTF-8 sequence at s, without overlong forms, surrogates
 * and C1 controls; 0 if there is none.
 */
static size_t
utf8_len(const uint8_t *s)
{
	size_t i, n;

	if (s[0] < 0x80)
		return (1);
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		n = 2;
	else if ((s[0] & 0xf0) == 0xe0)
		n = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		n = 4;
	else
		return (0);
	for (i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return (0);
	if ((s[0] == 0xc2 && s[1] < 0xa0) || (s[0] == 0xe0 && s[1] < 0xa0) ||
	    (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) ||
	    (s[0] == 0xf4 && s[1] > 0x8f))
		return (0);
	return (n);
}

/* Marks that turn the reading direction: U+202A-202E and U+2066-2069. */
static int
is_direction_mark(const uint8_t *s)
{
	return (s[0] == 0xe2 &&
	    ((s[1] == 0x80 && s[2] >= 0xaa && s[2] <= 0xae) ||
	    (s[1] == 0x81 && s[2] >= 0xa6 && s[2] <= 0xa9)));
}

static const char *
reference(uint8_t c)
{
	switch (c) {
	case '&':
		return ("&amp;");
	case '<':
		return ("&lt;");
	case '>':
		return ("&gt;");
	case '"':
		return ("&quot;");
	case '\'':
		return ("&#39;");
	case '\t':
	case '\n':
		return (" ");
	default:
		return (c < 0x20 || c == 0x7f ? "\xef\xbf\xbd" : NULL);
	}
}

void
html_text(struct evbuffer *out, const char *text)
{
	const uint8_t *s = (const uint8_t *)text;
	const char *ref;
	size_t n;

	while (*s != '\0') {
		n = utf8_len(s);
		ref = n == 1 ? reference(*s) : NULL;
		if (n == 0 || (n == 3 && is_direction_mark(s)))
			ref = "\xef\xbf\xbd";
		if (ref != NULL)
			html_raw(out, ref);
		else
			(void)evbuffer_add(out, s, n);
		s += n > 0 ? n : 1;
	}
}

void
html_span(char *buf, size_t len, long long s)
{
	if (s < 0)
		s = 0;
	if (s < 60)
		(void)snprintf(buf, len, "%lld s", s);
	else if (s < 3600)
		(void)snprintf(buf, len, "%lld min", s / 60);
	else if (s < 172800)
		(void)snprintf(buf, len, "%lld h", s / 3600);
	else
		(void)snprintf(buf, len, "%lld d", s / 86400);
}

const char *
html_policy(void)
{
	static char policy[256];
	unsigned char digest[32], b64[48];
	char hex[SHA256_HEX_SIZE];

	if (policy[0] != '\0')
		return (policy);
	b64[0] = '\0';
	if (sha256_hex(html_style, strlen(html_style), hex) == 0 &&
	    hex_decode(hex, digest, sizeof(digest)) == 0)
		(void)EVP_EncodeBlock(b64, digest, (int)sizeof(digest));
	(void)snprintf(policy, sizeof(policy),
	    "default-src 'none'; style-src 'sha256-%s'; img-src data:; "
	    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	    (char *)b64);
	return (policy);
}

static void
nav_link(struct evbuffer *out, const char *verb, const char *current,
    const char *label)
{
	(void)evbuffer_add_printf(out, "<a href=\"/%s\"%s>%s</a>", verb,
	    strcmp(verb, current) == 0 ? " aria-current=\"page\"" : "", label);
}

static void
page_begin(struct evbuffer *out, const char *verb, const char *title)
{
	(void)evbuffer_add_printf(out, "<!DOCTYPE html>\n"
	    "<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	    "<meta name=\"viewport\" "
	    "content=\"width=device-width, initial-scale=1\">\n"
	    "<meta name=\"color-scheme\" content=\"light dark\">\n"
	    "<meta http-equiv=\"refresh\" content=\"%d\">\n"
	    "<link rel=\"icon\" href=\"data:image/svg+xml,"
	    "%%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'%%3E"
	    "%%3Ccircle cx='4' cy='4' r='3' fill='%%233b6ea8'/%%3E"
	    "%%3C/svg%%3E\">\n"
	    "<title>%s \xc2\xb7 orchd</title>\n<style>", REFRESH_S, title);
	html_raw(out, html_style);
	html_raw(out, "</style>\n</head>\n<body>\n<header>"
	    "<span class=\"brand\">orchd</span><nav aria-label=\"Pages\">");
	nav_link(out, "status", verb, "Status");
	nav_link(out, "queue", verb, "Queue");
	nav_link(out, "health", verb, "Health");
	(void)evbuffer_add_printf(out, "</nav>"
	    "<span class=\"quiet\">updates every %d s</span></header>\n<main>\n"
	    "<h1>%s</h1>\n", REFRESH_S, title);
}

static void
page_end(struct evbuffer *out, const char *verb)
{
	html_raw(out, "</main>\n<footer>Programs get this page as JSON: "
	    "<code>Accept: application/json</code>.");
	if (strcmp(verb, "health") != 0)
		(void)evbuffer_add_printf(out,
		    " On a terminal: <code>orchctl %s</code>.", verb);
	html_raw(out, "</footer>\n</body>\n</html>\n");
}

static const char *
title_of(const char *verb)
{
	if (strcmp(verb, "queue") == 0)
		return ("Queue");
	return (strcmp(verb, "status") == 0 ? "Status" : "Health");
}

void
html_page(struct evbuffer *out, const char *verb, const char *json, size_t len)
{
	json_t *root;

	root = json_loadb(json, len, 0, NULL);
	page_begin(out, verb, title_of(verb));
	if (!json_is_object(root))
		html_raw(out, "<p class=\"empty\">orchd gave an answer that "
		    "this page cannot read.</p>\n");
	else if (strcmp(verb, "status") == 0)
		html_status(out, root);
	else
		html_blocks(out, root);
	page_end(out, verb);
	json_decref(root);
}

void
html_error(struct evbuffer *out, const char *verb, int status,
    const char *text)
{
	page_begin(out, verb, http_reason(status));
	html_raw(out, "<p class=\"empty\">");
	html_text(out, text);
	html_raw(out, "</p>\n");
	page_end(out, verb);
}
