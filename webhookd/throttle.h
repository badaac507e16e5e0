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

#ifndef WEBHOOKD_THROTTLE_H
#define WEBHOOKD_THROTTLE_H

#include <stdint.h>

#include "addr.h"
#include "libcommon/monotime.h"

#define THROTTLE_FREE		5	/* wrong tokens without a pause */
#define THROTTLE_MAX_S		60	/* the longest pause */
#define THROTTLE_FORGET_S	600	/* without another wrong one */
#define THROTTLE_SOURCES	256	/* the longest silent one makes room */

/* Who has shown wrong tokens, and how often.  All zero: nobody has. */
struct throttle {
	struct throttle_source {
		struct addr	ts_addr;
		uint32_t	ts_wrong;	/* 0: not used */
		struct monotime	ts_last;
	}	th_source[THROTTLE_SOURCES];
};

/*
 * Seconds until this source may try again; 0: now.  After THROTTLE_FREE wrong
 * tokens each one makes the pause twice as long, from 1 s on.
 */
uint32_t throttle_wait(const struct throttle *, const struct addr *,
	    struct monotime now);

/*
 * A try begins and counts as wrong until throttle_right() says otherwise, so
 * that tries at the same time are no way around.
 */
void	 throttle_try(struct throttle *, const struct addr *,
	    struct monotime now);

/* The source has shown the token: forget what it did before. */
void	 throttle_right(struct throttle *, const struct addr *);

/* A try was not judged: take it back. */
void	 throttle_undo(struct throttle *, const struct addr *);

#endif
