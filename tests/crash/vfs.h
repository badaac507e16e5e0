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


#ifndef TESTS_CRASH_VFS_H
#define TESTS_CRASH_VFS_H

/*
 * A disk that fails on request: a SQLite VFS over the default one.  Each
 * write, truncation and deletion of a named file is a point, and each sync is
 * two, before and after it; at one of them the plan happens.  Nothing is
 * really synced: what a sync would have made durable is known here, and the
 * rest is what a loss of power may take.
 */

#include <stdint.h>

enum shim_mode {
	SHIM_COUNT,		/* only count */
	SHIM_KILL,		/* the process ends before the point */
	SHIM_POWER,		/* the same, and unsynced writes are at risk */
	SHIM_IOERR,		/* the call fails once */
	SHIM_IOERR_STAYS,	/* and every one after it */
	SHIM_FULL,		/* a write finds no room, once */
	SHIM_FULL_STAYS,
	SHIM_NOMEM,		/* one allocation of SQLite fails */
	SHIM__MAX
};

struct shim_plan {
	enum shim_mode	 p_mode;
	int64_t		 p_at;		/* which point; the first is 1 */
	uint64_t	 p_seed;	/* of what a loss of power leaves */
};

#define SHIM_DEAD	77	/* exit status of a process that the shim ends */

/*
 * Make the shim SQLite's default VFS in this process, with this plan.  Before
 * the first use of SQLite.  0, or -1.
 */
int	 shim_install(const struct shim_plan *);

/* Call that at each point, with its number; the run goes on. */
void	 shim_tour(void (*)(int64_t));

/*
 * What the disk would hold if the process ended now (SHIM_KILL), or the power
 * did (SHIM_POWER): a key, which two different disks of one process have only
 * by an accident of 64 bits.
 */
uint64_t shim_imagine(enum shim_mode, uint64_t seed);

/* Write it to files: `stem' in the place of the database's path. */
void	 shim_keep(enum shim_mode, uint64_t seed, const char *stem);

/* The disk works again. */
void	 shim_heal(void);

/* How many points have gone by, and how many allocations. */
int64_t	 shim_points(void);
int64_t	 shim_allocs(void);

#endif
