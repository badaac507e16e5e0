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
 * The request parser on arbitrary bytes.  Oracles: what is accepted lies
 * within the input; no proper prefix of it is accepted; and a second run over
 * a copy of exactly that size gives the same.
 *
 *	clang -g -fsanitize=fuzzer,address,undefined -DFUZZER -D_GNU_SOURCE \
 *	    -I. -o http_head tests/fuzz/http_head.c webhookd/http.c
 *	./http_head tests/fuzz/http_head.corpus
 *
 * Without libFuzzer it is a program that runs the files that it is given.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "webhookd/http.h"
#include "replay.h"

static void
check_slice(const uint8_t *buf, size_t size, struct http_slice sl)
{
	const uint8_t *s = (const uint8_t *)sl.sl_s;

	if (s < buf || s > buf + size || sl.sl_n > size - (size_t)(s - buf))
		abort();
	if (memchr(s, '\r', sl.sl_n) != NULL ||
	    memchr(s, '\n', sl.sl_n) != NULL ||
	    memchr(s, '\0', sl.sl_n) != NULL)
		abort();
}

static void
check_accepted(const uint8_t *data, const struct http_head *head)
{
	struct http_head again;
	uint8_t *copy;
	size_t i;

	if (head->ht_size > HTTP_HEAD_MAX ||
	    head->ht_nheaders > HTTP_HEADERS_MAX ||
	    head->ht_length > 999999999)
		abort();
	check_slice(data, head->ht_size, head->ht_method);
	check_slice(data, head->ht_size, head->ht_target);
	for (i = 0; i < head->ht_nheaders; i++) {
		check_slice(data, head->ht_size, head->ht_headers[i].hh_name);
		check_slice(data, head->ht_size, head->ht_headers[i].hh_value);
	}
	if ((copy = malloc(head->ht_size)) == NULL)
		abort();
	memcpy(copy, data, head->ht_size);
	for (i = 0; i < head->ht_size; i++)
		if (http_parse_head(copy, i, &again) != HTTP_MORE)
			abort();
	if (http_parse_head(copy, head->ht_size, &again) != HTTP_DONE ||
	    again.ht_size != head->ht_size)
		abort();
	free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_head head;

	switch (http_parse_head(data, size, &head)) {
	case HTTP_DONE:
		check_accepted(data, &head);
		break;
	case HTTP_REFUSED:
		if (head.ht_status < 400 || head.ht_why == NULL)
			abort();
		break;
	case HTTP_MORE:
		break;
	}
	return (0);
}
