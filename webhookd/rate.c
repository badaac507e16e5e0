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
#include <string.h>

#include "rate.h"

#define COST_MS	(1000 / RATE_PER_S)	/* until one request is forgotten */
#define FULL_MS	(COST_MS * RATE_BURST)

/* The place of a source; else a free one, else that of the longest silent. */
static struct rate_source *
place(struct rate *ra, const struct addr *ad)
{
	struct rate_source *rs, *best = &ra->ra_source[0];
	size_t i;

	for (i = 0; i < RATE_SOURCES; i++) {
		rs = &ra->ra_source[i];
		if (rs->rs_used && addr_same(&rs->rs_addr, ad))
			return (rs);
		if (best->rs_used && (!rs->rs_used ||
		    monotime_cmp(rs->rs_last, best->rs_last) < 0))
			best = rs;
	}
	memset(best, 0, sizeof(*best));
	return (best);
}

enum rate_res
rate_take(struct rate *ra, const struct addr *ad, struct monotime now)
{
	struct rate_source *rs = place(ra, ad);
	int64_t debt;

	debt = rs->rs_used ? rs->rs_debt_ms -
	    monotime_sub_ms(now, rs->rs_last) : 0;
	rs->rs_used = 1;
	rs->rs_addr = *ad;
	rs->rs_last = now;
	rs->rs_debt_ms = debt < 0 ? 0 : debt;
	if (rs->rs_debt_ms + COST_MS <= FULL_MS) {
		rs->rs_debt_ms += COST_MS;
		return (RATE_OK);
	}
	if (rs->rs_was_logged &&
	    monotime_sub_ms(now, rs->rs_logged) < 1000 * RATE_LOG_S)
		return (RATE_OVER);
	rs->rs_was_logged = 1;
	rs->rs_logged = now;
	return (RATE_OVER_LOG);
}

void
rate_undo(struct rate *ra, const struct addr *ad)
{
	struct rate_source *rs;
	size_t i;

	for (i = 0; i < RATE_SOURCES; i++) {
		rs = &ra->ra_source[i];
		if (!rs->rs_used || !addr_same(&rs->rs_addr, ad))
			continue;
		rs->rs_debt_ms -= COST_MS;
		if (rs->rs_debt_ms < 0)
			rs->rs_debt_ms = 0;
		return;
	}
}
