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

#include <stddef.h>

#include "throttle.h"

static size_t
find(const struct throttle *th, const struct addr *ad)
{
	size_t i;

	for (i = 0; i < THROTTLE_SOURCES; i++)
		if (th->th_source[i].ts_wrong != 0 &&
		    addr_same(&th->th_source[i].ts_addr, ad))
			break;
	return (i);
}

/* A place that is free, else the one whose source was silent longest. */
static size_t
room(const struct throttle *th)
{
	size_t i, old = 0;

	for (i = 0; i < THROTTLE_SOURCES; i++) {
		if (th->th_source[i].ts_wrong == 0)
			return (i);
		if (monotime_cmp(th->th_source[i].ts_last,
		    th->th_source[old].ts_last) < 0)
			old = i;
	}
	return (old);
}

static int64_t
pause_ms(uint32_t wrong)
{
	uint32_t doubled = wrong < THROTTLE_FREE ? 0 : wrong - THROTTLE_FREE;

	if (wrong < THROTTLE_FREE)
		return (0);
	return (1000 * (doubled >= 6 ? THROTTLE_MAX_S : 1 << doubled));
}

uint32_t
throttle_wait(const struct throttle *th, const struct addr *ad,
    struct monotime now)
{
	size_t i = find(th, ad);
	int64_t past, left;

	if (i == THROTTLE_SOURCES)
		return (0);
	past = monotime_sub_ms(now, th->th_source[i].ts_last);
	left = pause_ms(th->th_source[i].ts_wrong) - past;
	return (left <= 0 ? 0 : (uint32_t)((left + 999) / 1000));
}

void
throttle_try(struct throttle *th, const struct addr *ad, struct monotime now)
{
	size_t i = find(th, ad);
	struct throttle_source *ts;

	ts = &th->th_source[i == THROTTLE_SOURCES ? room(th) : i];
	if (i == THROTTLE_SOURCES || monotime_sub_ms(now, ts->ts_last) >
	    1000 * THROTTLE_FORGET_S)
		ts->ts_wrong = 0;
	ts->ts_addr = *ad;
	ts->ts_last = now;
	if (ts->ts_wrong < UINT32_MAX)
		ts->ts_wrong++;
}

void
throttle_right(struct throttle *th, const struct addr *ad)
{
	size_t i = find(th, ad);

	if (i < THROTTLE_SOURCES)
		th->th_source[i].ts_wrong = 0;
}

void
throttle_undo(struct throttle *th, const struct addr *ad)
{
	size_t i = find(th, ad);

	if (i < THROTTLE_SOURCES)
		th->th_source[i].ts_wrong--;
}
