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

#ifndef REAPERD_H
#define REAPERD_H

#include <stddef.h>
#include <stdint.h>

#include "libcommon/ident.h"
#include "libcommon/monotime.h"
#include "proto/proto.h"

/* look.c: is that process that process, and how good is the proof? */

enum look {
	LOOK_ALIVE,
	LOOK_DEAD,		/* the kernel says it: pidfd evidence */
	LOOK_GONE,		/* /proc says it: counts after some ticks */
	LOOK_UNKNOWN		/* counts as alive, and is worth an alert */
};

/* Ask the world; why gets the reason in words. */
enum look look_at(const struct ident *, const struct ident_world *,
	    char *why, size_t whylen);

/* tick.c: what is known of each run from tick to tick */

/* How one run looked; text is its identity as the engine wrote it. */
enum verdict_now {
	NOW_NOTHING,		/* say nothing */
	NOW_DEAD,		/* tell the engine that it has died */
	NOW_DOUBT,		/* raise the alert */
	NOW_SURE		/* clear the alert */
};

/* A new tick begins: every run that lives in the engine is seen once. */
void	 tick_begin(void);

/* *ticks gets the number of ticks in a row that found it gone. */
enum verdict_now tick_see(uint64_t run, const char *text, enum look,
	    uint32_t dead_ticks, uint32_t *ticks);

/*
 * How old this run is in seconds, and how long its end is stamped, when the
 * engine says so much: since it was first seen no more than the monotonic
 * clock says, so that a wall clock that jumps makes no run old.  Both are
 * changed in place.
 */
void	 tick_ages(uint64_t run, const char *text, struct monotime now,
	    uint64_t *held_s, uint64_t *stamped_s);

/*
 * The tier of R-50 that a living run is due for by its ages: 0 none, 2 its end
 * was stamped grace_s ago, 3 it is max_s old.
 */
unsigned int tick_tier(const struct orch_live *, uint64_t grace_s,
	    uint64_t max_s);

/*
 * The tick is over: forget runs that were not seen.  Calls clear for each of
 * them whose alert is still up.
 */
void	 tick_end(void (*clear)(uint64_t run));

/* Forget everything. */
void	 tick_reset(void);

#endif
