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

#ifndef ORCHD_LEASE_H
#define ORCHD_LEASE_H

/* Transition leases, merge leases and the effect journal (behaviour 4). */

#include <stdint.h>

#include "peer.h"
#include "runs.h"

/*
 * Take a lease for a run: refused while another living owner holds it, with
 * the owner in who.  The same run gets its lease again, with the same epoch.
 */
enum store_res	 lease_take(const struct run *, const struct task *,
		    int64_t *epoch, char *who, size_t wholen);

/* The lease and merge lease of a task end, guarded by epoch. */
enum store_res	 lease_end(int64_t task, int64_t epoch);

/* A dead and drained run's leases are taken back, with a log line. */
int		 lease_reclaim(const struct run *, const char *why);

/*
 * An operator takes a lease away: at once from an owner that is dead
 * and drained; from any other only by force, which fences it by a higher epoch
 * and kills it.  said gets the sentence for the operator.
 */
enum orch_result lease_release(const struct task *, int force,
		    const char *by, char *said, size_t len);

/*
 * Is the owner of a lease or lane out of the way?  1: it was proven dead and
 * drained and was taken back; 0: it counts as alive; -1: the database failed.
 * who gets its name.
 */
int		 lease_owner_gone(int64_t run, char *who, size_t wholen);

/*
 * Fence a living owner and have it killed.  The row stays until the owner is
 * dead and drained: what it has begun may still land until then, and
 * nobody may begin beside it.  1: done; 0: it has no lease, or is fenced
 * already; -1: the database failed.
 */
int		 lease_fence(const struct run *);

/*
 * Does the lease of this dead run wait for an operator, because
 * lease_reclaim_enabled is no?  Then there is an alert that says so.
 */
int		 lease_waits_for_person(const struct run *);

/*
 * Does this run hold its task's lease with this epoch?  When it does, it is
 * noted as heard of now.
 */
int		 lease_held(const struct run *, int64_t epoch);

/*
 * Handlers of the workers' messages (lease.c, workgate.c, effect.c, deploy.c,
 * work.c).  Each answers the peer; -1 takes back what it did.
 */

/* BEGIN: grant the lease, or say who has it. */
int	 on_begin(struct peer *, uint32_t, const union orch_any *, int *);

/* GATE: answer from the record, or have it evaluated. */
int	 on_gate(struct peer *, uint32_t, const union orch_any *, int *);

/* EFFECT: record the intent, or say that it is done. */
int	 on_effect(struct peer *, uint32_t, const union orch_any *, int *);

/* EFFECT_DONE: record the outcome, under the same epoch. */
int	 on_effect_done(struct peer *, uint32_t, const union orch_any *, int *);

/* PULL: the pull requests of the local forge. */
int	 on_pull(struct peer *, uint32_t, const union orch_any *, int *);

/* LANDED: the read-back; ends the merge lease. */
int	 on_landed(struct peer *, uint32_t, const union orch_any *, int *);

/* HOOK_START: put the start on record, then have it started. */
int	 on_hook_start(struct peer *, uint32_t, const union orch_any *, int *);

/* RECORD: the row of artifact 14, 15 or 16. */
int	 on_record(struct peer *, uint32_t, const union orch_any *, int *);

/* COMMIT: move the task and end lease, run and job. */
int	 on_commit(struct peer *, uint32_t, const union orch_any *, int *);

/* END: end lease, run and job; the outcome decides the route. */
int	 on_end(struct peer *, uint32_t, const union orch_any *, int *);

/* ABORT: end lease, run and job; the work is tried later. */
int	 on_abort(struct peer *, uint32_t, const union orch_any *, int *);

/* The worker of this run has gone: it waits for no gate (workgate.c). */
void	 gate_forget_worker(int64_t worker_run);

/* A gate that a worker asked for has its result: tell it (workgate.c). */
void	 gate_tell_worker(int64_t worker_run, const char *gate,
	    const char *commit, const struct orch_gate_answer *);

#endif
