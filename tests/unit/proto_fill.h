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

#ifndef TESTS_PROTO_FILL_H
#define TESTS_PROTO_FILL_H

/*
 * An encoder of its own for tests: it writes what it is told, right or wrong,
 * and shares no line with proto/codec.c.
 */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "proto/proto.h"

/* How large the fields of a message are made. */
enum fill { FILL_EMPTY, FILL_SMALL, FILL_MAX };

/* A growing frame. */
struct raw {
	uint8_t	*r_p;
	size_t	 r_len;
	size_t	 r_size;
};

/* Room for n more bytes at the end, zeroed. */
static inline uint8_t *
raw_more(struct raw *r, size_t n)
{
	uint8_t *p;

	while (r->r_len + n > r->r_size) {
		r->r_size = r->r_size == 0 ? 4096 : r->r_size * 2;
		ck_assert_ptr_nonnull(r->r_p = realloc(r->r_p, r->r_size));
	}
	p = r->r_p + r->r_len;
	memset(p, 0, n);
	r->r_len += n;
	return (p);
}

static inline void
raw_int(struct raw *r, uint64_t v, size_t n)
{
	uint8_t *p = raw_more(r, n);
	size_t i;

	for (i = 0; i < n; i++)
		p[i] = (uint8_t)(v >> (8 * (n - 1 - i)));
}

/* len bytes that say where they are, none of them NUL. */
static inline void
raw_bytes(struct raw *r, size_t len)
{
	uint8_t *p = raw_more(r, len);
	size_t i;

	for (i = 0; i < len; i++)
		p[i] = (uint8_t)('a' + i % 26);
}

static inline void
raw_str(struct raw *r, size_t len)
{
	raw_int(r, len, 4);
	raw_bytes(r, len);
	raw_int(r, 0, 1);
}

static inline void
raw_blob(struct raw *r, size_t len)
{
	raw_int(r, len, 4);
	raw_bytes(r, len);
}

/* n texts, "abc" each; the last is made longer, to bytes in all (0: no). */
static inline void
raw_strs(struct raw *r, size_t n, size_t bytes)
{
	size_t i, each = 4, last = each;

	if (n > 0 && bytes > n * each)
		last = bytes - (n - 1) * each;
	raw_int(r, n, 4);
	raw_int(r, n == 0 ? 0 : (n - 1) * each + last, 4);
	for (i = 0; i < n; i++) {
		raw_bytes(r, (i == n - 1 ? last : each) - 1);
		raw_int(r, 0, 1);
	}
}

static inline void
raw_field(struct raw *r, const struct orch_field *f, enum fill fill)
{
	size_t n = fill == FILL_EMPTY ? 0 : fill == FILL_SMALL ? 3 : f->f_max;

	if (n > f->f_max)
		n = f->f_max;
	switch (f->f_type) {
	case FT_U8:
		raw_int(r, fill == FILL_MAX ? 0xff : n, 1);
		break;
	case FT_U32:
	case FT_I32:
		raw_int(r, fill == FILL_MAX ? 0xfedcba98 : n, 4);
		break;
	case FT_U64:
	case FT_I64:
		raw_int(r, fill == FILL_MAX ? 0xfedcba9876543210 : n, 8);
		break;
	case FT_STR:
		raw_str(r, n);
		break;
	case FT_BLOB:
		raw_blob(r, n);
		break;
	case FT_STRS:
		raw_strs(r, n, fill == FILL_MAX ? ORCH_STRS_MAX : 0);
		break;
	}
}

static inline void
raw_header(struct raw *r, unsigned int type, uint32_t id)
{
	raw_int(r, 0, 4);
	raw_int(r, type, 2);
	raw_int(r, 0, 2);
	raw_int(r, id, 4);
}

/* The frame's length, once all is written. */
static inline void
raw_end(struct raw *r)
{
	size_t len = r->r_len;

	r->r_len = 0;
	raw_int(r, len, 4);
	r->r_len = len;
}

/* A whole frame of this type. */
static inline void
raw_message(struct raw *r, unsigned int type, uint32_t id, enum fill fill)
{
	const struct orch_msg *m = orch_msg(type);
	size_t i;

	r->r_len = 0;
	raw_header(r, type, id);
	for (i = 0; m != NULL && i < m->m_nfields; i++)
		raw_field(r, &m->m_fields[i], fill);
	raw_end(r);
}

#endif
