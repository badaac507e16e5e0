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

#ifndef ORCHD_LANDING_H
#define ORCHD_LANDING_H

/*
 * What landed, and whether it was tested.  With fast-forward-only the commit
 * that lands is the one that was tested; with merge, squash and rebase the
 * forge makes one of its own, and a target that moved meanwhile makes it a tree
 * that nobody has tested.
 */

#include <stddef.h>
#include <stdint.h>

#include "peer.h"
#include "task.h"

/* Does the forge make the commit that lands (any but fast-forward-only)? */
int			 landing_is_made_there(const struct task *);

/* The same, and a merge of the task's round is begun or on record. */
int			 landing_is_own(const struct task *);

/* Why a worker's "landed" is refused, or NULL. */
const char		*landing_refused(const struct task *,
			    const struct orch_landed *);

/* Does it say that nobody has tested what landed? */
int			 landing_is_untested(const struct orch_landed *);

/*
 * Freeze the project's merge lane for every other task, with an alert, and
 * answer; the worker keeps the lane and tests what landed.  0, or -1.
 */
int			 landing_freeze(struct peer *, uint32_t id,
			    const struct task *, const struct orch_landed *);

/* What the task landed is tested: the freeze that it caused has its end. */
enum store_res		 landing_tested(const struct task *);

/* Why the task may not leave its stage after landing, or NULL. */
const char		*landing_waits(const struct task *);

/*
 * Is the merge lane of the project frozen for this task?  1 with a sentence in
 * why, else 0.  What caused the freeze is let through: it ends it.
 */
int			 landing_frozen(const char *project, int64_t task,
			    char *why, size_t);

/*
 * An operator ends the freeze.  RES_OK, RES_REFUSED or RES_RETRY (the database
 * failed), with a sentence in said.
 */
enum orch_result	 landing_resume(const char *project,
			    const char *commit, const char *by,
			    const char *reason, char *said, size_t);

#endif
