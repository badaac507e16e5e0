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

#include <bsd/string.h>

#include "libcommon/fsutil.h"
#include "libcommon/log.h"
#include "libcommon/redact.h"
#include "libcommon/sha256.h"

#include "parent.h"

#define SECRET_MAX	4095
#define SHOWN_MAX	256	/* of struct orch_query and orch_action */
#define GUESS_MIN	16

char *
secret_read(const char *path, char *err, size_t errlen)
{
	char	*buf;
	size_t	 len;

	if (fs_read_file(path, SECRET_MAX + 2, &buf, &len) == -1) {
		snprintf(err, errlen, "secret file \"%s\": %s", path,
		    errno == EFBIG ? "it is longer than 4095 bytes" :
		    errno == ELOOP ? "it is a symbolic link" :
		    strerror(errno));
		return (NULL);
	}
	if (memchr(buf, '\0', len) != NULL) {
		snprintf(err, errlen, "secret file \"%s\" has a NUL byte",
		    path);
		goto bad;
	}
	if (len > 0 && buf[len - 1] == '\n')
		buf[--len] = '\0';
	if (len > 0 && buf[len - 1] == '\r')
		buf[--len] = '\0';
	if (len == 0 || len > SECRET_MAX) {
		snprintf(err, errlen, "secret file \"%s\" is %s", path,
		    len == 0 ? "empty" : "longer than 4095 bytes");
		goto bad;
	}
	/* Too short to be redacted is too short to be guessed from a log. */
	(void)log_redact_add(buf);
	return (buf);
bad:
	secret_free(buf);
	return (NULL);
}

void
secret_hash(const char *path, const char *what, char hex[65])
{
	char	 err[512], *value;

	hex[0] = '\0';
	if (path == NULL)
		return;
	if ((value = secret_read(path, err, sizeof(err))) == NULL) {
		log_warnx("%s token: %s; nobody is let in by it", what, err);
		return;
	}
	if (strlen(value) > SHOWN_MAX)
		log_warnx("%s token: it is longer than %d bytes; nobody can "
		    "show it", what, SHOWN_MAX);
	else if (strlen(value) < GUESS_MIN)
		log_warnx("%s token: it is shorter than %d bytes and may be "
		    "guessed", what, GUESS_MIN);
	if (sha256_hex(value, strlen(value), hex) == -1)
		hex[0] = '\0';
	secret_free(value);
}

void
secret_free(char *s)
{
	if (s == NULL)
		return;
	explicit_bzero(s, strlen(s));
	free(s);
}
