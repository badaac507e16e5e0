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

#include <stdlib.h>

#include <bsd/stdlib.h>

#include "carry.h"

enum carry
carry_judge(long status, int64_t wait_s)
{
	if (status >= 200 && status < 300)
		return (CARRY_TAKEN);
	if (wait_s > 0)
		return (CARRY_LATER);
	switch (status) {
	case 400:
	case 413:
	case 422:
		return (CARRY_REFUSED);
	case 0:
	case 408:
	case 425:
	case 429:
		return (CARRY_LATER);
	default:
		return (status >= 500 ? CARRY_LATER : CARRY_DENIED);
	}
}

int64_t
carry_pause_ms(int64_t before, int64_t first, int64_t most, int64_t wait_s)
{
	int64_t ms = before <= 0 ? first : before > most / 2 ? most :
	    2 * before;

	if (ms > most)
		ms = most;
	return (ms < wait_s * 1000 ? wait_s * 1000 : ms);
}

int64_t
carry_spread_ms(int64_t ms)
{
	return (ms + (int64_t)arc4random_uniform((uint32_t)(ms / 4 + 1)));
}
