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
 * proto: standard input is orchd-proto(7), standard output the same with its
 * table as the catalogue has it.  `make proto-table' calls it; not installed.
 */

#include <stdio.h>
#include <string.h>

#include "proto/mdoc.h"

#define BEGIN	".\\\" BEGIN messages.def\n"
#define END	".\\\" END messages.def\n"

int
main(void)
{
	char line[1024];
	int inside = 0, found = 0;

	while (fgets(line, sizeof(line), stdin) != NULL) {
		if (strcmp(line, END) == 0)
			inside = 0;
		if (!inside)
			fputs(line, stdout);
		if (strcmp(line, BEGIN) == 0) {
			orch_print_mdoc(stdout);
			inside = 1;
			found++;
		}
	}
	if (found != 1 || inside) {
		fprintf(stderr, "proto: the page needs one line %s", BEGIN);
		fprintf(stderr, "and after it one line %s", END);
		return (1);
	}
	return (fflush(stdout) == EOF);
}
