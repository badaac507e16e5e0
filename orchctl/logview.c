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

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "libcommon/esc.h"

#include "orchctl.h"

/* Bytes at the end that may go on in the next piece: a cut character, a CR. */
static size_t
unfinished(const uint8_t *p, size_t len)
{
	size_t n, need;

	if (len > 0 && p[len - 1] == '\r')
		return (1);
	for (n = 1; n <= 3 && n <= len; n++) {
		uint8_t b = p[len - n];

		if ((b & 0xc0) == 0x80)
			continue;
		need = b >= 0xf0 ? 4 : b >= 0xe0 ? 3 : b >= 0xc0 ? 2 : 1;
		return (need > n ? n : 0);
	}
	return (0);
}

static void
put_safe(FILE *fp, const char *p, size_t len)
{
	char dst[4096];
	size_t n, outlen;

	for (; len > 0; p += n, len -= n) {
		n = esc_mem(dst, sizeof(dst), p, len, ESC_KEEP_TAB, &outlen);
		if (n == 0)
			break;
		fwrite(dst, 1, outlen, fp);
	}
}

/* Lines, each escaped; the CR of CRLF goes. */
static void
put_lines(FILE *fp, const uint8_t *p, size_t len)
{
	const uint8_t *nl;
	size_t n;

	while (len > 0) {
		nl = memchr(p, '\n', len);
		n = nl == NULL ? len : (size_t)(nl - p);
		if (nl != NULL && n > 0 && p[n - 1] == '\r')
			put_safe(fp, (const char *)p, n - 1);
		else
			put_safe(fp, (const char *)p, n);
		if (nl == NULL)
			break;
		fputc('\n', fp);
		p += n + 1;
		len -= n + 1;
	}
}

int
logview_copy(struct logview *lv, int fd, FILE *fp)
{
	uint8_t buf[sizeof(lv->lv_carry) + 16384];
	ssize_t n;
	size_t len, keep;

	for (;;) {
		memcpy(buf, lv->lv_carry, lv->lv_ncarry);
		n = pread(fd, buf + lv->lv_ncarry, 16384, lv->lv_off);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0 || ferror(fp))
			return (n == -1 ? -1 : 0);
		lv->lv_off += n;
		len = lv->lv_ncarry + (size_t)n;
		keep = unfinished(buf, len);
		put_lines(fp, buf, len - keep);
		memcpy(lv->lv_carry, buf + len - keep, keep);
		lv->lv_ncarry = keep;
	}
}

void
logview_end(struct logview *lv, FILE *fp)
{
	put_safe(fp, (const char *)lv->lv_carry, lv->lv_ncarry);
	lv->lv_ncarry = 0;
}
