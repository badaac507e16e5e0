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

#include <stdio.h>
#include <string.h>

#include "finalizerd.h"

/*
 * Two programs in one file: the dispatcher, and with -w the worker of one
 * transition.  Both are started by orchd with a socket as descriptor 3.
 */
int
main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "-w") == 0)
		return (worker_main());
	if (argc == 2 && strcmp(argv[1], "-d") != 0) {
		fprintf(stderr, "usage: finalizerd [-d]\n"
		    "       finalizerd -w\n");
		return (1);
	}
	return (finalizer_main(argc, argv));
}
