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

/*
 * One frame of arbitrary bytes: header, payload, printer.  Oracles: texts and
 * lists of what is accepted lie inside the payload and end there; what is
 * accepted exactly encodes to the same bytes; the printer ends its buffer.
 *
 *	make fuzz
 *
 * builds it with libFuzzer and runs it for a minute over frame.corpus.
 * Without libFuzzer it is a program that runs the files that it is given.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/proto.h"
#include "replay.h"

static void
check_inside(const uint8_t *data, size_t size, const void *p, size_t len)
{
	const uint8_t *b = p;

	if (len > 0 && (b < data || len > size ||
	    (size_t)(b - data) > size - len))
		abort();
}

static void
check_list(const uint8_t *data, size_t size, const struct orch_strs *l)
{
	const char *s = NULL, **argv;
	uint32_t n = 0;

	while ((s = orch_strs_next(l, s)) != NULL) {
		check_inside(data, size, s, strlen(s) + 1);
		n++;
	}
	if (n != l->l_n)
		abort();
	if ((argv = orch_strs_argv(l)) == NULL || argv[n] != NULL)
		abort();
	free(argv);
}

static void
check_fields(const struct orch_msg *m, const uint8_t *data, size_t size,
    const void *msg)
{
	const struct orch_field *f;
	const struct orch_blob *b;
	const char *s;
	size_t i;

	for (i = 0; i < m->m_nfields; i++) {
		f = &m->m_fields[i];
		b = (const void *)((const uint8_t *)msg + f->f_off);
		if (f->f_type == FT_STR) {
			s = *(const char *const *)(const void *)b;
			if (strlen(s) > f->f_max)
				abort();
			if (*s != '\0')
				check_inside(data, size, s, strlen(s) + 1);
		} else if (f->f_type == FT_BLOB) {
			if (b->b_len > f->f_max)
				abort();
			check_inside(data, size, b->b_data, b->b_len);
		} else if (f->f_type == FT_STRS)
			check_list(data, size, (const void *)b);
	}
}

/* What was accepted exactly is encoded to the same bytes. */
static void
check_again(const struct orch_header *h, const uint8_t *data, size_t size,
    const void *msg)
{
	const char *field;
	uint8_t *frame;
	size_t len;

	if (orch_encode(h->h_type, h->h_id, msg, &frame, &len, &field) == -1 ||
	    len != size + ORCH_HEADER_SIZE ||
	    memcmp(frame + ORCH_HEADER_SIZE, data, size) != 0)
		abort();
	free(frame);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct orch_header h;
	union orch_any any;
	const char *field;
	char buf[300];
	int flags;

	if (size < ORCH_HEADER_SIZE || orch_header_get(data, &h) == -1)
		return (0);
	if (h.h_len < ORCH_HEADER_SIZE || h.h_len > ORCH_FRAME_MAX)
		abort();
	/* The length may lie: what is there is what is decoded. */
	data += ORCH_HEADER_SIZE;
	size -= ORCH_HEADER_SIZE;
	for (flags = ORCH_EXACT; flags <= ORCH_LENIENT; flags++) {
		if (orch_decode(h.h_type, data, size, flags, &any,
		    &field) == -1)
			continue;
		check_fields(orch_msg(h.h_type), data, size, &any);
		if (flags == ORCH_EXACT)
			check_again(&h, data, size, &any);
		orch_print(h.h_type, &any, buf, 1 + h.h_id % sizeof(buf));
		if (memchr(buf, '\0', sizeof(buf)) == NULL)
			abort();
	}
	return (0);
}
