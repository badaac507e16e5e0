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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/stdlib.h>

#include "libcommon/fsutil.h"

#include "finalizerd.h"

#define RESULT_MAX	256

/* The wrapper writes exactly one line, "exit N". */
static int
result_parse(char *buf, size_t len, int *code)
{
	const char *err;
	long long n;

	if (len < 7 || strlen(buf) != len || buf[len - 1] != '\n' ||
	    strncmp(buf, "exit ", 5) != 0)
		return (-1);
	buf[len - 1] = '\0';
	if (buf[5] < '0' || buf[5] > '9')
		return (-1);
	n = strtonum(buf + 5, 0, 255, &err);
	if (err != NULL)
		return (-1);
	*code = (int)n;
	return (0);
}

enum hook_result
hook_result_read(const char *path, int *code, char *why, size_t whylen)
{
	enum hook_result r = HOOK_ENDED;
	char *buf;
	size_t len;

	if (fs_read_file(path, RESULT_MAX, &buf, &len) == -1) {
		(void)snprintf(why, whylen, "%s: %s", path, strerror(errno));
		return (errno == ENOENT ? HOOK_NONE : HOOK_BAD);
	}
	if (result_parse(buf, len, code) == -1) {
		(void)snprintf(why, whylen, "%s: not \"exit N\"", path);
		r = HOOK_BAD;
	} else
		(void)snprintf(why, whylen, "%s: exit %d", path, *code);
	free(buf);
	return (r);
}
