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

#ifndef ORCHD_REAP_H
#define ORCHD_REAP_H

/*
 * What reaperd says of runs: it looks and asks, the engine looks
 * again at everything and acts.
 */

#include <stddef.h>

#include "peer.h"
#include "runs.h"

/* What the reaper wants of a run; the column run.reap, which only grows. */
enum reap {
	REAP_NONE,
	REAP_DEFERRED,	/* stamped; the lease's owner lives and decides */
	REAP_ASKED,	/* stamped and silent: it was asked to end */
	REAP_CEILING	/* older than reaper_max_running_s: it is killed */
};

/* LIVE_LIST: the runs that should be alive, with their ages. */
int	 on_live_list(struct peer *, uint32_t, const union orch_any *, int *);

/* DEAD: a process has ended (tier 1), or its run is overdue (2 and 3). */
int	 on_dead(struct peer *, uint32_t, const union orch_any *, int *);

/*
 * Why a run was lost: the reaper's reason where it is the reaper's doing, else
 * cause.  Returns buf or cause.
 */
const char *reap_cause(const struct run *, const char *cause, char *buf,
	    size_t len);

/*
 * The job of a lost run whose exit code was stamped: what is on record decides,
 * not the code.  1: closed, because the task has moved on or its gates
 * are green; 0: it is tried again within its budget; -1: the database failed.
 */
int	 reap_close(const struct run *, const struct job *,
	    const struct task *);

/* A lost run is closed: count it and remember it where it was reaped. */
int	 reap_done(const struct run *);

#endif
