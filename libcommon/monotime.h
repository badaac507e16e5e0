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

#ifndef COMMON_MONOTIME_H
#define COMMON_MONOTIME_H

#include <stdint.h>

/*
 * A point on CLOCK_BOOTTIME: it cannot jump and it counts suspended time.  A
 * struct, so that it never mixes with wall clock numbers.  All zero is "not
 * set"; the kernel never gives that value.
 */
struct monotime {
	int64_t		 mt_ns;
};

/* Now.  Ends the process if the clock cannot be read (it always can). */
struct monotime	 monotime_now(void);

/* a - b in milliseconds, rounded towards zero; negative if a is earlier. */
int64_t		 monotime_sub_ms(struct monotime a, struct monotime b);

/* t plus ms milliseconds (may be negative); stops at the ends of the type. */
struct monotime	 monotime_add_ms(struct monotime t, int64_t ms);

/* -1, 0 or 1 as a is before, at or after b. */
int		 monotime_cmp(struct monotime a, struct monotime b);

#endif
