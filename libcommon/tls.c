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

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <limits.h>
#include <stdio.h>
#include <time.h>

#include "libcommon/tls.h"

#define CHAIN_MAX	16	/* certificates besides the first */

const char *
tls_reason(unsigned long error)
{
	const char *reason = ERR_reason_error_string(error);

	return (reason != NULL ? reason : "the peer has gone");
}

/* Why the last call failed, after what it was about. */
static int
failed(const char *what, char *err, size_t errlen)
{
	unsigned long error = ERR_peek_last_error();

	(void)snprintf(err, errlen, "%s: %s", what, error != 0 ?
	    tls_reason(error) : "OpenSSL does not say why");
	return (-1);
}

/* A key with a passphrase is refused; OpenSSL would ask on the terminal. */
static int
no_passphrase(char *buf, int size, int rwflag, void *arg)
{
	*(int *)arg = 1;
	return (-1);
}

static BIO *
reader(const void *buf, size_t len)
{
	return (len > INT_MAX ? NULL : BIO_new_mem_buf(buf, (int)len));
}

/* The rest of the file; its end is the only error that may come. */
static int
use_chain(SSL_CTX *ctx, BIO *in, char *err, size_t errlen)
{
	X509 *x;
	size_t n = 0;

	while ((x = PEM_read_bio_X509(in, NULL, NULL, NULL)) != NULL) {
		if (n++ == CHAIN_MAX) {
			X509_free(x);
			(void)snprintf(err, errlen, "the certificate file has "
			    "more than %d certificates", CHAIN_MAX + 1);
			return (-1);
		}
		if (SSL_CTX_add0_chain_cert(ctx, x) != 1) {
			X509_free(x);
			return (failed("a certificate of the chain", err,
			    errlen));
		}
	}
	if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		return (failed("a certificate of the chain", err, errlen));
	ERR_clear_error();
	return (0);
}

static int
use_cert(SSL_CTX *ctx, const void *cert, size_t len, char *err, size_t errlen)
{
	X509 *x = NULL;
	BIO *in;
	int rv = -1;

	if ((in = reader(cert, len)) == NULL ||
	    (x = PEM_read_bio_X509_AUX(in, NULL, NULL, NULL)) == NULL)
		(void)failed("the certificate file has no certificate in PEM",
		    err, errlen);
	else if (SSL_CTX_use_certificate(ctx, x) != 1)
		(void)failed("the certificate cannot be used", err, errlen);
	else
		rv = use_chain(ctx, in, err, errlen);
	X509_free(x);
	BIO_free(in);
	return (rv);
}

static int
use_key(SSL_CTX *ctx, const void *key, size_t len, char *err, size_t errlen)
{
	EVP_PKEY *pkey = NULL;
	BIO *in;
	int asked = 0, rv = -1;

	if ((in = reader(key, len)) != NULL)
		pkey = PEM_read_bio_PrivateKey(in, NULL, no_passphrase,
		    &asked);
	if (asked)
		(void)snprintf(err, errlen, "the key has a passphrase; orchd "
		    "cannot be asked for one");
	else if (pkey == NULL)
		(void)failed("the key file has no private key in PEM", err,
		    errlen);
	else if (X509_check_private_key(SSL_CTX_get0_certificate(ctx),
	    pkey) != 1)
		(void)snprintf(err, errlen, "the key is not that of the first "
		    "certificate in the file");
	else if (SSL_CTX_use_PrivateKey(ctx, pkey) != 1)
		(void)failed("the key cannot be used", err, errlen);
	else
		rv = 0;
	EVP_PKEY_free(pkey);
	BIO_free(in);
	return (rv);
}

static void
stand_alone(SSL_CTX *ctx)
{
	(void)SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION |
	    SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION |
	    SSL_OP_CIPHER_SERVER_PREFERENCE);
	(void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	(void)SSL_CTX_set_num_tickets(ctx, 0);
	/* Some 30 KiB for each connection that waits. */
	(void)SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
}

SSL_CTX *
tls_server(const void *cert, size_t certlen, const void *key, size_t keylen,
    char *err, size_t errlen)
{
	SSL_CTX *ctx;

	ERR_clear_error();
	if ((ctx = SSL_CTX_new(TLS_server_method())) == NULL ||
	    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1) {
		(void)failed("TLS", err, errlen);
		goto fail;
	}
	stand_alone(ctx);
	if (use_cert(ctx, cert, certlen, err, errlen) == -1 ||
	    use_key(ctx, key, keylen, err, errlen) == -1)
		goto fail;
	ERR_clear_error();
	return (ctx);
fail:
	SSL_CTX_free(ctx);
	ERR_clear_error();
	return (NULL);
}

int64_t
tls_end(const SSL_CTX *ctx)
{
	const X509 *x = SSL_CTX_get0_certificate(ctx);
	struct tm tm;

	if (x == NULL || ASN1_TIME_to_tm(X509_get0_notAfter(x), &tm) != 1)
		return (-1);
	return ((int64_t)timegm(&tm));
}

int
tls_days_left(const SSL_CTX *ctx)
{
	const X509 *x = SSL_CTX_get0_certificate(ctx);
	int days, seconds;

	if (x == NULL || ASN1_TIME_diff(&days, &seconds, NULL,
	    X509_get0_notAfter(x)) != 1)
		return (-1);
	return (seconds < 0 ? days - 1 : days);
}
