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

#include <sys/types.h>

#include <stdint.h>
#include <time.h>

#include "libcommon/log.h"
#include "monotime.h"

#define NS_PER_SEC	1000000000LL
#define NS_PER_MS	1000000LL

struct monotime
monotime_now(void)
{
	struct timespec	 ts;
	struct monotime	 mt;

	if (clock_gettime(CLOCK_BOOTTIME, &ts) == -1)
		fatal("clock_gettime");
	mt.mt_ns = (int64_t)ts.tv_sec * NS_PER_SEC + ts.tv_nsec;
	return (mt);
}

int64_t
monotime_sub_ms(struct monotime a, struct monotime b)
{
	int64_t	 diff;

	if (__builtin_sub_overflow(a.mt_ns, b.mt_ns, &diff))
		diff = a.mt_ns < b.mt_ns ? INT64_MIN : INT64_MAX;
	return (diff / NS_PER_MS);
}

struct monotime
monotime_add_ms(struct monotime t, int64_t ms)
{
	int64_t	 ns;

	if (__builtin_mul_overflow(ms, NS_PER_MS, &ns) ||
	    __builtin_add_overflow(t.mt_ns, ns, &t.mt_ns))
		t.mt_ns = ms < 0 ? INT64_MIN : INT64_MAX;
	return (t);
}

int
monotime_cmp(struct monotime a, struct monotime b)
{
	return ((a.mt_ns > b.mt_ns) - (a.mt_ns < b.mt_ns));
}
