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

#ifndef ORCHD_QUERY_H
#define ORCHD_QUERY_H

/* What people and the page may read: one JSON document a question. */

#include <jansson.h>

#include "peer.h"
#include "task.h"

/* QUERY: answer one question, if its sender may ask it. */
int	 on_query(struct peer *, uint32_t, const union orch_any *, int *);

/* Send an answer; json (may be NULL) is taken over; fd (or -1) goes along. */
void	 answer(struct peer *, uint32_t id, enum orch_result,
	    const char *text, json_t *json, int fd);

/* The documents (query_*.c).  NULL: out of memory. */

/* Tasks that are not terminal (all: every one), and totals. */
json_t	*query_status(int all);

/* Everything about one task. */
json_t	*query_show(const struct task *);

/* Its moves. */
json_t	*query_history(const struct task *);

/* Jobs, counts and the blocks of the pipeline. */
json_t	*query_queue(void);

/* Who is inside a transition, and who holds a merge lane. */
json_t	*query_leases(void);

/* Effects that are not done. */
json_t	*query_effects(void);

/* Open alerts. */
json_t	*query_alerts(void);

/* Every gate result of one task. */
json_t	*query_gates(const struct task *);

/* A time in milliseconds as RFC 3339, null for 0. */
json_t	*json_time(int64_t ms);

/* Text that may hold anything, as valid UTF-8. */
json_t	*json_text(const char *);

/* Why a task stands where it stands, in one sentence (why.c, R-89). */
void	 task_why(const struct task *, char *buf, size_t len,
	    const char **waits);

/*
 * Where people find the task's pull request and item (pages.c): pages of the
 * forge and the tracker of its project, "" where there are none.
 */
void	 task_pages(const struct task *, char *pull, size_t plen, char *item,
	    size_t ilen);

/* The path of the artifact that a person is asked about, or "". */
void	 task_asked_path(const struct task *, char *buf, size_t len);

#endif
