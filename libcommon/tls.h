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

#ifndef LIBCOMMON_TLS_H
#define LIBCOMMON_TLS_H

#include <openssl/ssl.h>

#include <stddef.h>
#include <stdint.h>

#define TLS_CERT_MAX	65536	/* bytes of a chain in PEM */
#define TLS_KEY_MAX	16384	/* bytes of a key in PEM */

/*
 * What a server needs to speak TLS 1.2 and 1.3 with this certificate (its own
 * first, then the chain, PEM) and key (PEM, without a passphrase; nobody is
 * ever asked for one).  No renegotiation, no resumption: each connection
 * stands alone.  Reads no file but OpenSSL's configuration, and nothing later.
 *
 * NULL with the reason in err: no PEM, not each other's, too weak.  The caller
 * frees it with SSL_CTX_free().
 */
SSL_CTX	*tls_server(const void *cert, size_t certlen, const void *key,
	    size_t keylen, char *err, size_t errlen);

/*
 * Days that the certificate of a context is still good for: negative when it
 * is over, 0 on its last day.  One that is not good yet is good until its end.
 */
int	 tls_days_left(const SSL_CTX *);

/*
 * Until when that certificate is good, in seconds since 1970; -1 where that
 * cannot be said.
 */
int64_t	 tls_end(const SSL_CTX *);

/* What OpenSSL calls an error, for the log; a constant. */
const char *tls_reason(unsigned long error);

#endif
