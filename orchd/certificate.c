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
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/fsutil.h"
#include "libcommon/tls.h"

#include "certificate.h"

static int
read_one(const char *what, const char *path, size_t max, char **buf,
    size_t *len, char *err, size_t errlen)
{
	char	 real[PATH_MAX];

	if (realpath(path, real) != NULL &&
	    fs_read_file(real, max, buf, len) == 0)
		return (0);
	if (errno == EFBIG)
		snprintf(err, errlen, "%s file \"%s\" is longer than %zu "
		    "bytes", what, path, max);
	else
		snprintf(err, errlen, "%s file \"%s\": %s", what, path,
		    strerror(errno));
	return (-1);
}

int
certificate_read(struct certificate *ce, const char *cert, const char *key,
    int *days, char *err, size_t errlen)
{
	SSL_CTX	*ctx;
	char	 why[256];

	memset(ce, 0, sizeof(*ce));
	if (read_one("certificate", cert, TLS_CERT_MAX, &ce->ce_cert,
	    &ce->ce_certlen, err, errlen) == -1 ||
	    read_one("key", key, TLS_KEY_MAX, &ce->ce_key, &ce->ce_keylen,
	    err, errlen) == -1) {
		certificate_free(ce);
		return (-1);
	}
	if ((ctx = tls_server(ce->ce_cert, ce->ce_certlen, ce->ce_key,
	    ce->ce_keylen, why, sizeof(why))) == NULL) {
		snprintf(err, errlen, "certificate file \"%s\" with key file "
		    "\"%s\": %s", cert, key, why);
		certificate_free(ce);
		return (-1);
	}
	if (days != NULL)
		*days = tls_days_left(ctx);
	ce->ce_end = tls_end(ctx);
	SSL_CTX_free(ctx);
	return (0);
}

void
certificate_free(struct certificate *ce)
{
	if (ce->ce_key != NULL)
		explicit_bzero(ce->ce_key, ce->ce_keylen);
	free(ce->ce_key);
	free(ce->ce_cert);
	memset(ce, 0, sizeof(*ce));
}
