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

#ifndef COMMON_LANDLOCK_H
#define COMMON_LANDLOCK_H

#include <stddef.h>

/* The least ABI whose rules keep signals inside (Linux 6.12). */
#define LANDLOCK_ABI_MIN	6

/* The kernel's Landlock ABI; 0 if it has none or it is switched off. */
int	landlock_abi(void);

/*
 * From now on this process and what it starts can read and execute only below
 * the paths of ro, change only what is below those of rw, connect to nothing
 * by TCP unless net is not 0, and signal nobody outside.  Lists are NULL
 * terminated; a path that does not exist is passed over.  Returns 0, or -1
 * with a sentence in err.
 */
int	landlock_enter(const char *const *ro, const char *const *rw, int net,
	    char *err, size_t errlen);

#endif
