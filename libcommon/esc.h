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

#ifndef COMMON_ESC_H
#define COMMON_ESC_H

#include <stddef.h>

/* Keep a tab as it is (for log lines; in a table cell it is shown as \t). */
#define ESC_KEEP_TAB	0x01

/*
 * Copies src so that a terminal shows it and never obeys it: control bytes,
 * DEL, C1 controls, line ends and direction marks become visible escapes
 * (\n, \r, \t, \x1b, \u202e), bytes that are not valid UTF-8 become \xHH,
 * valid UTF-8 stays.  For display only: a backslash is not doubled, so that
 * text that was escaped before stays as it is.  Always terminates dst (dstlen
 * must be at least 1).  Returns 0, or -1 if dst was too small; then dst holds
 * the whole characters and escapes that fitted.
 */
int	esc(char *dst, size_t dstlen, const char *src);

/*
 * The same for srclen bytes that may hold NUL (shown as \x00), with ESC_
 * flags.  Returns the number of source bytes that were consumed, so that long
 * text can be written in pieces; *outlen (may be NULL) is the length of dst.
 */
size_t	esc_mem(char *dst, size_t dstlen, const char *src, size_t srclen,
	    int flags, size_t *outlen);

#endif
