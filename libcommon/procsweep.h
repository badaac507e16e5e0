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

#ifndef COMMON_PROCSWEEP_H
#define COMMON_PROCSWEEP_H

#include <sys/types.h>

#include <stddef.h>

/* What belongs to a tree, and what of this process's children does not. */
struct procsweep {
	pid_t		 ps_leader;	/* also its session and group */
	const pid_t	*ps_others;	/* leaders of other trees */
	size_t		 ps_nothers;
	int		 ps_strays;	/* orphans in foreign sessions too */
};

/*
 * Looks at all of /proc once and sends sig (0: nothing) to each living member
 * of the tree, through a pidfd whose start time was compared: members of the
 * leader's session and process group, its descendants and, with ps_strays,
 * this process's children in other sessions, with their descendants.  Reaps
 * members that are zombies of this process, except the leader, which must not
 * have been reaped, so that its number stays its own.  Returns the number of
 * members that still live (a killed one may need a moment), or -1 with errno
 * if /proc cannot be read.
 */
int	procsweep_signal(const struct procsweep *, int sig);

#endif
