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

#ifndef TESTS_CRASH_TOUR_H
#define TESTS_CRASH_TOUR_H

/*
 * A tour: one run of a script, in which each point is left in every way that
 * the disk allows, and the run goes on.  At the end of an order (crash.h) the
 * world, of which nothing has changed since its start, goes on once from each
 * disk that was left.  Two ends that leave the same bytes are one; and where
 * SQLite's recovery makes the same database of two of them, page by page, the
 * engine is started and the world played to its end from the first only: it
 * would know nothing but that database.
 */

#include "tests/crash/crash.h"

#define IMAGES	4096
#define KNOWN	8192

struct tour {
	/* what is tried */
	int64_t		 t_every;	/* point */
	int64_t		 t_seeds;	/* losses of power at each of them */
	uint64_t	 t_seed;
	int64_t		 t_next;	/* every n-th disk's world is toured */
	int		 t_engine;	/* opens each disk, not only SQLite */
	/* of the order that is carried out */
	unsigned int	 t_n;
	struct shim_plan t_images[IMAGES];
	uint64_t	 t_bytes[KNOWN], t_databases[KNOWN];
	/* so far */
	int64_t		 t_cases[SHIM__MAX];
	int64_t		 t_opened;	/* disks that differ, all recovered */
	int64_t		 t_played;	/* databases that differ, or worlds */
};

struct sqlite3;

/* A key of all pages of a database, as they are after its recovery. */
uint64_t tour_database(struct sqlite3 *);

/* Whether that key is in the table; from now on it is. */
int	 tour_known(uint64_t table[KNOWN], uint64_t key);

/* In the engine: leave the disk at this point, in each way. */
void	 tour_point(struct tour *, const char *dir, int64_t at);

/*
 * In the world, after an order: go on from each disk, with what was so before
 * it.  Each end is told to c_told.
 */
void	 tour_go_on(struct scene *, const struct outside *before);

#endif
