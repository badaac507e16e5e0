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

#ifndef ORCHD_LANE_H
#define ORCHD_LANE_H

/* Merge lanes: one landing a repository at a time. */

#include <stdint.h>

#include "runs.h"

/*
 * Take the merge lane of the task's project under this epoch, where the work
 * is an edge and the merge gate is on.  STORE_EXISTS: another task has it (in
 * who) and its owner counts as alive, or has frozen it (landing.h); one that is
 * dead and drained is replaced.
 */
enum store_res	 lane_take(const struct run *, const struct task *,
		    int64_t epoch, char *who, size_t wholen);

/*
 * Ask holders that have had no open gate run or effect for
 * merge_lock_timeout_s to give their lane back, once: it is theirs until
 * they do.  0, or -1: the database failed.
 */
int		 lanes_look(void);

#endif
