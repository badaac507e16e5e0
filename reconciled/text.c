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

#include <stdlib.h>
#include <string.h>

#include "reconciled.h"

char *
text_cut(const char *text, size_t max)
{
	size_t n = strnlen(text, max - 1);
	char *cut;

	/* Not in the middle of a character: back to its first byte. */
	while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
		n--;
	if ((cut = malloc(n + 1)) == NULL)
		return (NULL);
	memcpy(cut, text, n);
	cut[n] = '\0';
	return (cut);
}

/* The length of the well-formed character at p, or 0 (RFC 3629). */
static size_t
utf8_length(const unsigned char *p)
{
	size_t i, n = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 :
	    p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;

	for (i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return (0);
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
	    (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return (0);
	return (n);
}

char *
text_clean(const char *text)
{
	unsigned char *copy, *p;
	size_t n;

	if ((copy = (unsigned char *)strdup(text)) == NULL)
		return (NULL);
	for (p = copy; *p != '\0'; p += n)
		if ((n = utf8_length(p)) == 0 || (n == 1 && *p != '\n' &&
		    *p != '\t' && (*p < 0x20 || *p == 0x7f))) {
			*p = '?';
			n = 1;
		}
	return ((char *)copy);
}

void
text_cut_utf16(char *text, size_t units)
{
	unsigned char *p = (unsigned char *)text;
	size_t n, wide;

	for (; *p != '\0'; p += n, units -= wide) {
		if ((n = utf8_length(p)) == 0)
			n = 1;
		wide = n == 4 ? 2 : 1;
		if (units < wide) {
			*p = '\0';
			return;
		}
	}
}
