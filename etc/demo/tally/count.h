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

#ifndef COUNT_H
#define COUNT_H

#include <stdint.h>
#include <stdio.h>

/* What has been seen so far. */
struct count {
	uint64_t	 ct_lines;
	uint64_t	 ct_words;
	uint64_t	 ct_bytes;
	int		 ct_in_word;
};

/*
 * Add the lines, words and bytes of fp to *ct, which the caller has cleared.
 * A last line without a newline counts as a line; words are separated by
 * white space.  name is used in messages.  Returns 0, or -1 after a message.
 */
int	count_stream(FILE *fp, const char *name, struct count *ct);

#endif
