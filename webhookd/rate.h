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

#ifndef WEBHOOKD_RATE_H
#define WEBHOOKD_RATE_H

#include "addr.h"
#include "libcommon/monotime.h"

#define RATE_BURST	100	/* requests of one source at once */
#define RATE_PER_S	10	/* and each second after that */
#define RATE_SOURCES	512	/* the longest silent one makes room */
#define RATE_LOG_S	60	/* between two lines about one source */

/*
 * How many requests each source may make that prove nothing: a bucket that
 * runs empty with each and fills with time (the "generic cell rate algorithm"
 * of ITU-T I.371, which keeps one time for each source).  All zero: nobody
 * has come yet.
 */
struct rate {
	struct rate_source {
		struct addr	rs_addr;
		struct monotime	rs_last;	/* when it came last */
		int64_t		rs_debt_ms;	/* at that time */
		struct monotime	rs_logged;
		int		rs_used;
		int		rs_was_logged;
	}	ra_source[RATE_SOURCES];
};

enum rate_res {
	RATE_OK,
	RATE_OVER,	/* refuse it */
	RATE_OVER_LOG	/* refuse it, and say so: not said for a while */
};

/* A request begins and counts, unless rate_undo() takes it back. */
enum rate_res	 rate_take(struct rate *, const struct addr *,
		    struct monotime now);

/* The request proved to be a good one: it does not count. */
void		 rate_undo(struct rate *, const struct addr *);

#endif
