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

#include "proto/proto.h"

/* The rows of the catalogue, from proto/messages.def. */
#define FIELD(m, f, t, max) \
	{ #f, t, offsetof(struct orch_##m, f), max },
#define U8(m, f)	FIELD(m, f, FT_U8, 1)
#define U32(m, f)	FIELD(m, f, FT_U32, 4)
#define U64(m, f)	FIELD(m, f, FT_U64, 8)
#define I32(m, f)	FIELD(m, f, FT_I32, 4)
#define I64(m, f)	FIELD(m, f, FT_I64, 8)
#define STR(m, f, max)	FIELD(m, f, FT_STR, max)
#define BLOB(m, f, max)	FIELD(m, f, FT_BLOB, max)
#define STRS(m, f, max)	FIELD(m, f, FT_STRS, max)

#define MSG(n, num, from, fd, fields, doc) \
	static const struct orch_field fields_##n[] = { fields };
#include "proto/messages.def"
#undef MSG

static const struct orch_msg catalogue[ORCH_TYPE_MAX] = {
#define MSG(n, num, from, fd, fields, doc) [num] = { #n, doc, fields_##n, \
	sizeof(fields_##n) / sizeof(fields_##n[0]), sizeof(struct orch_##n), \
	from, fd, num },
#include "proto/messages.def"
#undef MSG
};

const struct orch_msg *
orch_msg(unsigned int type)
{
	if (type >= ORCH_TYPE_MAX || catalogue[type].m_name == NULL)
		return (NULL);
	return (&catalogue[type]);
}

static void
put_be(uint8_t *p, uint64_t v, size_t n)
{
	while (n-- > 0) {
		p[n] = (uint8_t)(v & 0xff);
		v >>= 8;
	}
}

static uint64_t
get_be(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	while (n-- > 0)
		v = v << 8 | *p++;
	return (v);
}

int
orch_minor_spoken(uint32_t ours, uint32_t theirs)
{
	return (theirs <= ours && ours - theirs <= ORCH_MINORS_BACK);
}

int
orch_header_get(const uint8_t p[ORCH_HEADER_SIZE], struct orch_header *h)
{
	h->h_len = (uint32_t)get_be(p, 4);
	h->h_type = (uint16_t)get_be(p + 4, 2);
	h->h_flags = (uint16_t)get_be(p + 6, 2);
	h->h_id = (uint32_t)get_be(p + 8, 4);
	if (h->h_len < ORCH_HEADER_SIZE || h->h_len > ORCH_FRAME_MAX ||
	    (h->h_flags & ~ORCH_WITH_FD) != 0)
		return (-1);
	return (0);
}

void
orch_frame_flags(uint8_t *frame, uint16_t flags)
{
	put_be(frame + 6, flags, 2);
}

/* Writing: with w_p NULL only the length is counted. */
struct writer {
	uint8_t	*w_p;
	size_t	 w_len;
};

static void
put_bytes(struct writer *w, const void *data, size_t len)
{
	if (w->w_p != NULL && len > 0)
		memcpy(w->w_p + w->w_len, data, len);
	w->w_len += len;
}

static void
put_int(struct writer *w, uint64_t v, size_t n)
{
	uint8_t b[8];

	put_be(b, v, n);
	put_bytes(w, b, n);
}

static int
put_str(struct writer *w, const char *s, size_t max)
{
	size_t len;

	if (s == NULL)
		s = "";
	if ((len = strlen(s)) > max)
		return (-1);
	put_int(w, len, 4);
	put_bytes(w, s, len + 1);
	return (0);
}

/* A list: number of texts, bytes, then each text with its NUL. */
static int
put_strs(struct writer *w, const struct orch_strs *l, size_t max)
{
	const char *s;
	size_t bytes = 0, n = 0, i;

	if (l->l_argv == NULL) {
		if (l->l_n > max || l->l_len > ORCH_STRS_MAX)
			return (-1);
		put_int(w, l->l_n, 4);
		put_int(w, l->l_len, 4);
		put_bytes(w, l->l_data, l->l_len);
		return (0);
	}
	for (; (s = l->l_argv[n]) != NULL; n++)
		bytes += strlen(s) + 1;
	if (n > max || bytes > ORCH_STRS_MAX)
		return (-1);
	put_int(w, n, 4);
	put_int(w, bytes, 4);
	for (i = 0; i < n; i++)
		put_bytes(w, l->l_argv[i], strlen(l->l_argv[i]) + 1);
	return (0);
}

static int
put_field(struct writer *w, const struct orch_field *f, const void *msg)
{
	const void *p = (const uint8_t *)msg + f->f_off;
	const struct orch_blob *b = p;

	switch (f->f_type) {
	case FT_U8:
		put_int(w, *(const uint8_t *)p, 1);
		return (0);
	case FT_U32:
	case FT_I32:
		put_int(w, *(const uint32_t *)p, 4);
		return (0);
	case FT_U64:
	case FT_I64:
		put_int(w, *(const uint64_t *)p, 8);
		return (0);
	case FT_STR:
		return (put_str(w, *(const char *const *)p, f->f_max));
	case FT_BLOB:
		if (b->b_len > f->f_max)
			return (-1);
		put_int(w, b->b_len, 4);
		put_bytes(w, b->b_data, b->b_len);
		return (0);
	case FT_STRS:
		return (put_strs(w, p, f->f_max));
	}
	return (-1);
}

static int
put_fields(struct writer *w, const struct orch_msg *m, const void *msg,
    const char **field)
{
	size_t i;

	for (i = 0; i < m->m_nfields; i++) {
		if (put_field(w, &m->m_fields[i], msg) == -1) {
			*field = m->m_fields[i].f_name;
			return (-1);
		}
	}
	return (0);
}

int
orch_encode(unsigned int type, uint32_t id, const void *msg, uint8_t **frame,
    size_t *len, const char **field)
{
	const struct orch_msg *m;
	struct writer w = { NULL, ORCH_HEADER_SIZE };

	*frame = NULL;
	*field = "type";
	if ((m = orch_msg(type)) == NULL) {
		errno = EINVAL;
		return (-1);
	}
	if (put_fields(&w, m, msg, field) == -1 || w.w_len > ORCH_FRAME_MAX) {
		errno = EMSGSIZE;
		return (-1);
	}
	if ((w.w_p = malloc(w.w_len)) == NULL)
		return (-1);
	put_be(w.w_p, w.w_len, 4);
	put_be(w.w_p + 4, type, 2);
	put_be(w.w_p + 6, 0, 2);
	put_be(w.w_p + 8, id, 4);
	w.w_len = ORCH_HEADER_SIZE;
	(void)put_fields(&w, m, msg, field);
	*frame = w.w_p;
	*len = w.w_len;
	return (0);
}

/* Reading: a cursor that never passes its end. */
struct reader {
	const uint8_t	*r_p;
	size_t		 r_left;
};

static int
get_int(struct reader *r, size_t n, uint64_t *v)
{
	if (r->r_left < n)
		return (-1);
	*v = get_be(r->r_p, n);
	r->r_p += n;
	r->r_left -= n;
	return (0);
}

static const uint8_t *
get_bytes(struct reader *r, size_t n)
{
	const uint8_t *p = r->r_p;

	if (r->r_left < n)
		return (NULL);
	r->r_p += n;
	r->r_left -= n;
	return (p);
}

static const char *
get_str(struct reader *r, size_t max)
{
	const uint8_t *p;
	uint64_t len;

	if (get_int(r, 4, &len) == -1 || len > max ||
	    (p = get_bytes(r, (size_t)len + 1)) == NULL ||
	    memchr(p, '\0', (size_t)len + 1) != p + len)
		return (NULL);
	return ((const char *)p);
}

static int
get_strs(struct reader *r, struct orch_strs *l, size_t max)
{
	const uint8_t *p;
	uint64_t n, bytes;
	size_t i, nuls = 0;

	if (get_int(r, 4, &n) == -1 || n > max ||
	    get_int(r, 4, &bytes) == -1 || bytes > ORCH_STRS_MAX ||
	    (p = get_bytes(r, (size_t)bytes)) == NULL)
		return (-1);
	for (i = 0; i < bytes; i++)
		nuls += p[i] == '\0';
	if (nuls != n || (bytes > 0 && p[bytes - 1] != '\0'))
		return (-1);
	l->l_argv = NULL;
	l->l_data = (const char *)p;
	l->l_len = (size_t)bytes;
	l->l_n = (uint32_t)n;
	return (0);
}

static int
get_field(struct reader *r, const struct orch_field *f, void *msg)
{
	void *p = (uint8_t *)msg + f->f_off;
	struct orch_blob *b = p;
	const char *s;
	uint64_t v;

	switch (f->f_type) {
	case FT_U8:
		if (get_int(r, 1, &v) == -1)
			return (-1);
		*(uint8_t *)p = (uint8_t)v;
		return (0);
	case FT_U32:
	case FT_I32:
		if (get_int(r, 4, &v) == -1)
			return (-1);
		*(uint32_t *)p = (uint32_t)v;
		return (0);
	case FT_U64:
	case FT_I64:
		if (get_int(r, 8, &v) == -1)
			return (-1);
		*(uint64_t *)p = v;
		return (0);
	case FT_STR:
		if ((s = get_str(r, f->f_max)) == NULL)
			return (-1);
		*(const char **)p = s;
		return (0);
	case FT_BLOB:
		if (get_int(r, 4, &v) == -1 || v > f->f_max ||
		    (b->b_data = get_bytes(r, (size_t)v)) == NULL)
			return (-1);
		b->b_len = (size_t)v;
		return (0);
	case FT_STRS:
		return (get_strs(r, p, f->f_max));
	}
	return (-1);
}

/* A field that an older minor does not send. */
static void
default_field(const struct orch_field *f, void *msg)
{
	if (f->f_type == FT_STR)
		*(const char **)(void *)((uint8_t *)msg + f->f_off) = "";
}

int
orch_decode(unsigned int type, const uint8_t *payload, size_t len, int flags,
    void *msg, const char **field)
{
	const struct orch_msg *m;
	struct reader r = { payload, len };
	size_t i;

	*field = "type";
	if ((m = orch_msg(type)) == NULL)
		goto bad;
	memset(msg, 0, m->m_size);
	for (i = 0; i < m->m_nfields; i++) {
		*field = m->m_fields[i].f_name;
		if (r.r_left == 0 && (flags & ORCH_LENIENT)) {
			default_field(&m->m_fields[i], msg);
			continue;
		}
		if (get_field(&r, &m->m_fields[i], msg) == -1)
			goto bad;
	}
	*field = "end";
	if (r.r_left == 0 || (flags & ORCH_LENIENT))
		return (0);
bad:
	errno = EBADMSG;
	return (-1);
}

const char *
orch_strs_next(const struct orch_strs *l, const char *cur)
{
	if (l->l_len == 0)
		return (NULL);
	cur = cur == NULL ? l->l_data : cur + strlen(cur) + 1;
	return (cur < l->l_data + l->l_len ? cur : NULL);
}

const char **
orch_strs_argv(const struct orch_strs *l)
{
	const char **argv, *s = NULL;
	size_t i = 0;

	if ((argv = calloc((size_t)l->l_n + 1, sizeof(*argv))) == NULL)
		return (NULL);
	while ((s = orch_strs_next(l, s)) != NULL)
		argv[i++] = s;
	return (argv);
}
