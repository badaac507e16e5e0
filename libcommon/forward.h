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

#ifndef COMMON_FORWARD_H
#define COMMON_FORWARD_H

#include <stddef.h>

/* Where the box's programs find their proxy. */
#define FORWARD_PORT	3128

/*
 * Starts a process of its own that accepts on 127.0.0.1 port FORWARD_PORT of
 * this network namespace and passes bytes to and from the Unix socket path.
 * It is nobody's child here and ends with the pid namespace.  Returns 0 when
 * it listens, or -1 with a sentence in err.
 */
int	forward_start(const char *path, char *err, size_t errlen);

#endif
