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

#include <string.h>

#include "libcommon/sha256.h"

#include "token.h"

static struct {
	char	read[SHA256_HEX_SIZE];		/* "": there is none */
	char	admin[SHA256_HEX_SIZE];
} hash;

static void
take(char *to, const char *from)
{
	size_t len = strlen(from);

	if (len == SHA256_HEX_SIZE - 1)
		memcpy(to, from, len + 1);
	else
		to[0] = '\0';
}

void
token_take(const char *read, const char *admin)
{
	take(hash.read, read);
	take(hash.admin, admin);
}

static int
is_token(const char *token, const char *want)
{
	char got[SHA256_HEX_SIZE];

	if (want[0] == '\0' || token[0] == '\0' ||
	    sha256_hex(token, strlen(token), got) == -1)
		return (0);
	return (ct_equal(got, want, SHA256_HEX_SIZE - 1));
}

int
token_reads(const char *token)
{
	return (is_token(token, hash.read));
}

int
token_admin_exists(void)
{
	return (hash.admin[0] != '\0');
}

int
token_administers(const char *token)
{
	return (is_token(token, hash.admin));
}
