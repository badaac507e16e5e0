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

#ifndef LIBCOMMON_CARRY_H
#define LIBCOMMON_CARRY_H

/* What those who carry messages to servers of others have in common. */

#include <stdint.h>

/* What an answer means for the message that was sent. */
enum carry {
	CARRY_TAKEN,		/* 2xx */
	CARRY_LATER,		/* the server is in trouble, or busy */
	CARRY_DENIED,		/* who asks, or where, is refused: another
				 * message would be too */
	CARRY_REFUSED		/* this message is, and always will be */
};

/*
 * Judge the status of an answer (0: there was none); wait is that of
 * http_wait_s().  Only 400, 413 and 422 speak of the message itself: 401, 403,
 * 404 and all others may be the fault of a key, an address or a proxy, which
 * a person puts right.
 */
enum carry carry_judge(long status, int64_t wait_s);

/*
 * How long a server that failed several times in a row is left alone: first,
 * then twice the pause before (0: there was none), at most most; never less
 * than it has asked for itself.  Milliseconds, but wait_s.
 */
int64_t	 carry_pause_ms(int64_t before, int64_t first, int64_t most,
	    int64_t wait_s);

/*
 * The same time or up to a quarter more, so that not all of those who wait for
 * one server come back at the same moment.
 */
int64_t	 carry_spread_ms(int64_t);

#endif
