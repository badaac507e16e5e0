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

#include <sys/types.h>

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "esc.h"

/*
 * The length of the valid UTF-8 sequence at s, its code point in *cp; 0 if
 * there is none.  Overlong forms, surrogates and what lies beyond U+10FFFF
 * are not valid (RFC 3629).
 */
static size_t
utf8_seq(const unsigned char *s, size_t len, uint32_t *cp)
{
	static const uint32_t	 least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t			 i, n;

	if (s[0] < 0x80)
		n = 1;
	else if (s[0] >= 0xc2 && s[0] <= 0xdf)
		n = 2;
	else if (s[0] >= 0xe0 && s[0] <= 0xef)
		n = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		n = 4;
	else
		return (0);
	if (n > len)
		return (0);
	*cp = n == 1 ? s[0] : s[0] & (0x7fU >> n);
	for (i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return (0);
		*cp = *cp << 6 | (s[i] & 0x3fU);
	}
	if (n > 1 && (*cp < least[n] || *cp > 0x10ffff ||
	    (*cp >= 0xd800 && *cp <= 0xdfff)))
		return (0);
	return (n);
}

/* Marks that change the direction or the lines of the text around them. */
static int
is_mark(uint32_t cp)
{
	return (cp == 0x061c || cp == 0x200e || cp == 0x200f ||
	    (cp >= 0x2028 && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069) ||
	    cp == 0xfeff);
}

/* One character of src as it is to be shown; returns source bytes used. */
static size_t
esc_one(char out[12], const unsigned char *s, size_t len, int flags)
{
	uint32_t	 cp = 0;
	size_t		 n;

	n = utf8_seq(s, len, &cp);
	if (n == 0) {
		(void)snprintf(out, 12, "\\x%02x", s[0]);
		return (1);
	}
	if (cp == '\n' || cp == '\r')
		(void)snprintf(out, 12, "\\%c", cp == '\n' ? 'n' : 'r');
	else if (cp == '\t' && (flags & ESC_KEEP_TAB) == 0)
		(void)snprintf(out, 12, "\\t");
	else if ((cp < 0x20 && cp != '\t') || cp == 0x7f)
		(void)snprintf(out, 12, "\\x%02x", cp);
	else if ((cp >= 0x80 && cp < 0xa0) || is_mark(cp))
		(void)snprintf(out, 12, "\\u%04x", cp);
	else {
		memcpy(out, s, n);
		out[n] = '\0';
	}
	return (n);
}

size_t
esc_mem(char *dst, size_t dstlen, const char *src, size_t srclen, int flags,
    size_t *outlen)
{
	char	 one[12];
	size_t	 used = 0, o = 0, n, l;

	while (used < srclen) {
		n = esc_one(one, (const unsigned char *)src + used,
		    srclen - used, flags);
		l = strlen(one);
		if (o + l >= dstlen)
			break;
		memcpy(dst + o, one, l);
		o += l;
		used += n;
	}
	if (dstlen > 0)
		dst[o] = '\0';
	if (outlen != NULL)
		*outlen = o;
	return (used);
}

int
esc(char *dst, size_t dstlen, const char *src)
{
	size_t	 len = strlen(src);

	return (esc_mem(dst, dstlen, src, len, 0, NULL) == len ? 0 : -1);
}
