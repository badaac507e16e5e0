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

#ifndef ORCHD_GUARD_H
#define ORCHD_GUARD_H

/* Nothing is done twice, asked before each run and each effect. */

#include <stddef.h>

#include "queue.h"
#include "runs.h"
#include "task.h"

enum guard_answer {
	GUARD_GO,
	GUARD_DONE,	/* a finished record of the same is there */
	GUARD_ENDED	/* a merged or closed pull request ended the branch */
};

/* A run that would begin, or (effect not NULL) an effect of one. */
struct guard_ask {
	enum orch_kind	 ga_kind;
	int64_t		 ga_for_run;	/* of a gate: the worker's run */
	const char	*ga_role;
	const char	*ga_gate;
	const char	*ga_work;
	const char	*ga_effect;
	const char	*ga_key;	/* of the effect */
};

/* The answer; unless GUARD_GO, why in a sentence. */
enum guard_answer	 duplicate_guard(const struct task *,
			    const struct guard_ask *, char *why, size_t);

/*
 * A queued job that is about to be claimed.  0: go on; 1: it is cancelled and
 * the task goes on without it, or is parked; -1: the database failed.
 */
int			 guard_job(const struct job *, const struct task *);

/* Why an effect without an end on record may not begin, or NULL. */
const char		*guard_effect(const struct task *, const struct run *,
			    const struct orch_effect *);

#endif
