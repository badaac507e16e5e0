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

#ifndef TESTS_STORM_H
#define TESTS_STORM_H

/* What the processes of the storm share. */

#include <sys/types.h>

#include <stdint.h>

/* In memory that the driver and its people both see. */
struct storm_shared {
	volatile int	sh_more;	/* submit more items */
	volatile int	sh_open;	/* items that are not at their end */
	volatile int	sh_late;	/* of them: past testing */
	volatile int	sh_submitted;
	volatile int	sh_rest;	/* more is 0 and nothing is open */
	volatile int	sh_retried;	/* parked items that were let go on */
	volatile int	sh_released;	/* leases that were taken by force */
};

/* Sorts of processes, as somebody outside can tell them apart. */
enum victim {
	V_PARENT, V_ENGINE, V_WORKER, V_HOOK, V_RUNNER, V_GIT, V_FINALIZERD,
	V_RECONCILED, V_REAPERD, V_INSIDE, V_ALL, V__MAX
};

/* A process below the driver. */
struct proc {
	pid_t		p_pid;
	pid_t		p_parent;
	char		p_comm[17];
	char		p_state;
	uint64_t	p_start;	/* of /proc/PID/stat, field 22 */
};

/*
 * Submit items, approve, confirm, let parked ones go on, now and then release
 * a lease by force, until killed.
 * sock: control.sock; most: items that are open at one time.
 */
void	 storm_people(struct storm_shared *, const char *sock, int most)
	    __attribute__((noreturn));

/*
 * All living processes below this one, at most max; the number of them.
 */
size_t	 storm_scan(struct proc *, size_t max);

/* Is that still the process that was scanned? */
int	 storm_same(const struct proc *);

/* The sort of process n, where orchd is the pid of the parent; -1: none. */
int	 storm_sort(const struct proc *, size_t nprocs, size_t n,
	    pid_t orchd);

#endif
