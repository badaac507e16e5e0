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

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/esc.h"
#include "runner.h"

#define TAIL_LINE_MAX	4096	/* of one line in the tail */
#define TEXT_FIRST	1024

struct range {
	uint32_t	lo, hi;
};

/* Code points that a person does not see, by Unicode's names of blocks. */
static const struct range invisible[] = {
	{ 0x00, 0x08 }, { 0x0b, 0x1f }, { 0x7f, 0x9f },	/* controls */
	{ 0xad, 0xad },			/* soft hyphen */
	{ 0x34f, 0x34f },		/* combining grapheme joiner */
	{ 0x61c, 0x61c },		/* arabic letter mark */
	{ 0x115f, 0x1160 },		/* hangul fillers */
	{ 0x17b4, 0x17b5 },		/* khmer inherent vowels */
	{ 0x180b, 0x180f },		/* mongolian selectors */
	{ 0x200b, 0x200f },		/* zero width, direction marks */
	{ 0x2028, 0x202e },		/* separators, embeddings */
	{ 0x2060, 0x206f },		/* joiners, isolates */
	{ 0x3164, 0x3164 }, { 0xffa0, 0xffa0 },	/* hangul fillers */
	{ 0xfe00, 0xfe0f },		/* variation selectors */
	{ 0xfeff, 0xfeff },		/* byte order mark */
	{ 0xfff0, 0xfffb },		/* annotations */
	{ 0x1d173, 0x1d17a },		/* musical formatting */
	{ 0xe0000, 0xe0fff }		/* tags, more selectors */
};

/*
 * One character of UTF-8 (RFC 3629: shortest form, no surrogates).  Its
 * length, or 0 when the bytes are none.
 */
static size_t
utf8_get(const unsigned char *p, size_t len, uint32_t *cp)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t i, n;

	n = p[0] < 0x80 ? 1 : p[0] >= 0xf0 && p[0] < 0xf5 ? 4 :
	    p[0] >= 0xe0 && p[0] < 0xf0 ? 3 :
	    p[0] >= 0xc2 && p[0] < 0xe0 ? 2 : 0;
	if (n == 0 || n > len)
		return (0);
	*cp = n == 1 ? p[0] : p[0] & (0xffU >> (n + 1));
	for (i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return (0);
		*cp = *cp << 6 | (p[i] & 0x3f);
	}
	if (*cp < least[n] || *cp > 0x10ffff ||
	    (*cp >= 0xd800 && *cp < 0xe000))
		return (0);
	return (n);
}

static int
is_invisible(uint32_t cp)
{
	size_t i;

	for (i = 0; i < sizeof(invisible) / sizeof(invisible[0]); i++)
		if (cp >= invisible[i].lo && cp <= invisible[i].hi)
			return (1);
	return (0);
}

size_t
text_clean(char *buf, size_t len)
{
	size_t i, n, out = 0;
	uint32_t cp = 0;

	for (i = 0; i < len; i += n) {
		n = utf8_get((const unsigned char *)buf + i, len - i, &cp);
		if (n == 0) {
			buf[out++] = '?';
			n = 1;
		} else if (!is_invisible(cp)) {
			memmove(buf + out, buf + i, n);
			out += n;
		}
	}
	return (out);
}

void
text_add(struct text *t, const char *s, size_t len)
{
	size_t cap = t->tx_cap == 0 ? TEXT_FIRST : t->tx_cap;
	char *p;

	if (t->tx_bad)
		return;
	while (cap - t->tx_len <= len)
		cap *= 2;
	if (cap != t->tx_cap) {
		if ((p = realloc(t->tx_buf, cap)) == NULL) {
			t->tx_bad = 1;
			return;
		}
		t->tx_buf = p;
		t->tx_cap = cap;
	}
	memcpy(t->tx_buf + t->tx_len, s, len);
	t->tx_len += len;
	t->tx_buf[t->tx_len] = '\0';
}

void
text_addf(struct text *t, const char *fmt, ...)
{
	va_list ap;
	char *s;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	if (n == -1) {
		t->tx_bad = 1;
		return;
	}
	text_add(t, s, (size_t)n);
	free(s);
}

void
text_quote(struct text *t, const void *data, size_t len)
{
	char *copy, *p, *nl;
	size_t left;

	if (len == 0)
		return;
	if ((copy = malloc(len)) == NULL) {
		t->tx_bad = 1;
		return;
	}
	memcpy(copy, data, len);
	left = text_clean(copy, len);
	for (p = copy; left > 0; p = nl) {
		nl = memchr(p, '\n', left);
		nl = nl == NULL ? p + left : nl + 1;
		text_add(t, "> ", 2);
		text_add(t, p, (size_t)(nl - p));
		left -= (size_t)(nl - p);
	}
	if (t->tx_len > 0 && t->tx_buf[t->tx_len - 1] != '\n')
		text_add(t, "\n", 1);
	free(copy);
}

/* Make room for n more bytes by dropping whole lines from the beginning. */
static void
tail_room(struct tail *t, size_t n)
{
	char *nl;
	size_t cut;

	if (t->tl_len + n <= RUN_TEXT_MAX)
		return;
	/* A good piece at a time, so that a flood does not move much. */
	cut = RUN_TEXT_MAX / 4;
	nl = memchr(t->tl_buf + cut, '\n', t->tl_len - cut);
	cut = nl == NULL ? t->tl_len : (size_t)(nl + 1 - t->tl_buf);
	memmove(t->tl_buf, t->tl_buf + cut, t->tl_len - cut);
	t->tl_len -= cut;
}

void
tail_add(struct tail *t, const char *line, size_t len)
{
	char safe[TAIL_LINE_MAX];
	size_t n;

	if (t->tl_buf == NULL && (t->tl_buf = malloc(RUN_TEXT_MAX)) == NULL)
		return;
	(void)esc_mem(safe, sizeof(safe), line, len, ESC_KEEP_TAB, &n);
	tail_room(t, n + 1);
	memcpy(t->tl_buf + t->tl_len, safe, n);
	t->tl_len += n;
	t->tl_buf[t->tl_len++] = '\n';
	t->tl_total++;
}

void
tail_free(struct tail *t)
{
	free(t->tl_buf);
	memset(t, 0, sizeof(*t));
}

/* Where the line before offset `end' begins; its newline is at end - 1. */
static size_t
line_begin(const struct tail *t, size_t end)
{
	const char *nl;

	if (end < 2)
		return (0);
	nl = memrchr(t->tl_buf, '\n', end - 1);
	return (nl == NULL ? 0 : (size_t)(nl + 1 - t->tl_buf));
}

void
tail_last(const struct tail *t, unsigned int n, char *dst, size_t dstlen)
{
	size_t begin, end = t->tl_len, from = t->tl_len, out = 0, i;

	dst[0] = '\0';
	while (n > 0 && end > 0) {
		begin = line_begin(t, end);
		if (end - begin > 1) {
			if (from != t->tl_len &&
			    t->tl_len - begin > dstlen * 2)
				break;
			from = begin;
			n--;
		}
		end = begin;
	}
	for (i = from; i < t->tl_len && out + 4 < dstlen; i++) {
		if (t->tl_buf[i] != '\n') {
			dst[out++] = t->tl_buf[i];
			continue;
		}
		while (i + 1 < t->tl_len && t->tl_buf[i + 1] == '\n')
			i++;
		if (i + 1 < t->tl_len) {
			memcpy(dst + out, " | ", 3);
			out += 3;
		}
	}
	dst[out] = '\0';
}
