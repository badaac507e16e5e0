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

#include <ctype.h>
#include <err.h>

#include "count.h"

/* A line has ended, by its newline or by the end of the input. */
static void
end_line(struct count *ct)
{
	ct->ct_lines++;
}

/* Take one byte of input. */
static void
take_byte(struct count *ct, int c)
{
	ct->ct_bytes++;
	if (isspace(c))
		ct->ct_in_word = 0;
	else if (!ct->ct_in_word) {
		ct->ct_in_word = 1;
		ct->ct_words++;
	}
	if (c == '\n')
		end_line(ct);
}

int
count_stream(FILE *fp, const char *name, struct count *ct)
{
	int	 c, last = '\n';

	while ((c = getc(fp)) != EOF) {
		take_byte(ct, c);
		last = c;
	}
	if (ferror(fp)) {
		warn("%s", name);
		return (-1);
	}
	if (last != '\n')
		end_line(ct);
	return (0);
}
