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

#ifndef ORCHD_INTAKE_H
#define ORCHD_INTAKE_H

/*
 * What comes in from forges and trackers.  A delivery is a hint: it is stored
 * and has reconciled look.  What reconciled then has seen decides, by its
 * state and not by its order, so that a hint that is lost, doubled or late
 * changes nothing but the time.
 */

#include "peer.h"
#include "task.h"

/*
 * Store an inbound delivery, once, and have its object looked at.  One of a
 * repository or tracker project that no project is of is stored too, and
 * answered RES_REFUSED.
 */
int	 on_event(struct peer *, uint32_t, const union orch_any *, int *);

/*
 * Have what a delivery is about looked at; *project is the project's name, or
 * "".  "told", "kept" (nobody there to look: the next poll does) or "ignored".
 */
const char *event_look(const struct orch_event *, const char **project);

/* List the open tasks of a project, for a poll. */
int	 on_watch_list(struct peer *, uint32_t, const union orch_any *, int *);

/* An item of a tracker elsewhere: what people have set in it. */
int	 on_tracker_item(struct peer *, uint32_t, const union orch_any *,
	    int *);

/*
 * A message of the outbox has made an item for its task.  -1: the database
 * failed.
 */
int	 item_made(int64_t row, const char *item);

/* What CI says of a commit. */
int	 on_ci_seen(struct peer *, uint32_t, const union orch_any *, int *);

/* CI is green or red at the task's head: a result of check_ci_green.  -1. */
int	 ci_record(const struct task *);

/* A pull request as the forge has it: merged, closed, opened again by hand. */
int	 on_pull_seen(struct peer *, uint32_t, const union orch_any *, int *);

/* A review of a pull request by a person. */
int	 on_review_seen(struct peer *, uint32_t, const union orch_any *, int *);

/*
 * All approvals that a pull request has: one of the task that is not among
 * them was deleted, or its author has said something else since.
 */
int	 on_reviews_there(struct peer *, uint32_t, const union orch_any *,
	    int *);

#endif
