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

#ifndef ORCHD_CERTIFICATE_H
#define ORCHD_CERTIFICATE_H

#include <stddef.h>
#include <stdint.h>

/* Days before its end from which on a certificate is to be renewed. */
#define CERTIFICATE_SOON_DAYS	14

/* A certificate chain and its key, as they stood in their files. */
struct certificate {
	char	*ce_cert;	/* PEM; NULL: none */
	size_t	 ce_certlen;
	char	*ce_key;	/* PEM, a secret */
	size_t	 ce_keylen;
	int64_t	 ce_end;	/* good until, seconds since 1970; -1 unknown */
};

/*
 * Read both files and prove that TLS can be spoken with them.  The paths may
 * be symbolic links, as those of certbot are.  0; or -1 with the reason in
 * err, and nothing to free.  *days, which may be NULL, gets the days that the
 * certificate is still good for, negative when it is over.
 */
int	 certificate_read(struct certificate *, const char *cert,
	    const char *key, int *days, char *err, size_t errlen);

/* Overwrite the key and free both; safe on a zeroed structure. */
void	 certificate_free(struct certificate *);

#endif
