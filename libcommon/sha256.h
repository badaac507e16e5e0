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

#ifndef ORCHD_SHA256_H
#define ORCHD_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_HEX_SIZE	65	/* 64 lower-case hex digits and NUL */

/* SHA-256 (FIPS 180-4) of `len' bytes, as lower-case hex.  0 or -1. */
int sha256_hex(const void *buf, size_t len, char out[SHA256_HEX_SIZE]);

/* HMAC-SHA-256 (RFC 2104), as lower-case hex.  0 or -1. */
int hmac_sha256_hex(const void *key, size_t keylen, const void *buf,
    size_t len, char out[SHA256_HEX_SIZE]);

/*
 * Compare `len' bytes in a time that does not depend on them.
 * Returns 1 when equal, else 0.
 */
int ct_equal(const void *a, const void *b, size_t len);

/* Fill `buf' from the kernel's random source.  0, or -1 with errno. */
int random_bytes(void *buf, size_t len);

/* Lower-case hex of `len' bytes; `out' takes 2 * len + 1 bytes. */
void hex_encode(const void *buf, size_t len, char *out);

/*
 * The bytes of exactly 2 * len hex digits of either case.  0, or -1 when
 * there is another digit, or more or fewer of them.
 */
int hex_decode(const char *hex, void *buf, size_t len);

#endif
