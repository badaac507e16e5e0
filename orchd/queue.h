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

#ifndef ORCHD_QUEUE_H
#define ORCHD_QUEUE_H

/* Jobs: queueing, claiming, ending. */

#include <stdint.h>

#include "proto/roles.h"
#include "store.h"
#include "task.h"

struct job {
	int64_t		 j_id;
	int64_t		 j_task;
	char		 j_project[65];
	enum orch_kind	 j_kind;
	char		 j_role[33];
	char		 j_gate[65];
	char		 j_work[33];
	char		 j_status[16];
	int64_t		 j_attempt;
	int64_t		 j_transient;
	int64_t		 j_seq;
	char		 j_commit[ID_HEX];
	int64_t		 j_for_run;
	char		 j_args[512];
};

/* What to queue; texts may be NULL for "". */
struct job_spec {
	const struct task *js_task;
	enum orch_kind	 js_kind;
	const char	*js_role;
	const char	*js_gate;
	const char	*js_work;
	const char	*js_commit;
	int64_t		 js_for_run;
	const char	*js_args;
	int64_t		 js_delay_ms;
};

/* Queue a job.  STORE_EXISTS: an index forbids it (one is there already). */
enum store_res	 job_add(const struct job_spec *, int64_t *id);
enum store_res	 job_get(int64_t id, struct job *);

/* running -> done, failed or cancelled, guarded.  STORE_STALE: not running. */
enum store_res	 job_end(int64_t id, const char *status, const char *reason);

/*
 * running -> queued, to be claimed again after delay_ms; an agent or gate of
 * a task that is to be cancelled is cancelled instead.  transient counts
 * against transient_max and gives the attempt back; otherwise the attempt
 * stays counted.
 */
enum store_res	 job_requeue(const struct job *, int transient,
		    int64_t delay_ms, const char *reason);

/* Exponential back-off with jitter: base << n, at most max, plus up to 20 %. */
int64_t		 backoff_ms(int64_t base, int64_t n, int64_t max);

/* Claim and start what fits into the slots now. */
int		 queue_kick(void);

/* Jobs of a kind that run, for slots and people. */
int64_t		 queue_running(enum orch_kind);

#endif
