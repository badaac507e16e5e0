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

#ifndef ORCHD_RUNS_H
#define ORCHD_RUNS_H

/* Runs: the executions of jobs, from the request to start to the result. */

#include <stdint.h>

#include "libcommon/ident.h"
#include "peer.h"
#include "queue.h"

struct run {
	int64_t		 r_id;
	int64_t		 r_job;
	int64_t		 r_task;
	enum orch_kind	 r_kind;
	char		 r_role[33];
	char		 r_gate[65];
	char		 r_work[33];
	char		 r_status[16];
	char		 r_key_hash[65];
	char		 r_ident[IDENT_TEXT_MAX];
	int64_t		 r_attempt;
	int64_t		 r_seq;
	char		 r_base[ID_HEX];
	int64_t		 r_started;
	int64_t		 r_go_at;
	int		 r_exited;	/* the exit code is stamped */
	int64_t		 r_exited_at;
	int64_t		 r_exit_code;
	int64_t		 r_reap;	/* enum reap of reap.h */
	int64_t		 r_reap_at;	/* since when */
};

/* STORE_OK or STORE_NONE. */
enum store_res	 run_get(int64_t id, struct run *);

/* Is it one of starting, running, exited? */
int		 run_is_live(const struct run *);

/* Make the run of a job just claimed, and ask the parent to start it. */
int		 run_start(const struct job *, const struct task *);

/* HELLO of a run: NULL, or why it is refused. */
const char	*run_hello(struct peer *, const struct orch_hello *);

/* HELLO was taken: say GO (again). */
void		 run_connected(struct peer *);

/* Its connection ended: look whether it lives, soon and again. */
void		 run_disconnected(uint64_t run);

/* The composition of RUN_GO (go.c). */
int		 run_send_go(struct peer *, const struct run *);

/* live -> done, guarded. */
enum store_res	 run_end(const struct run *, const char *reason);

/*
 * The process of a run is proven dead (or never came): close the run, take
 * back its lease when drained, and queue its job again or fail it.
 * 1: done; 0: not yet (something that it started may still act); -1: failed.
 */
int		 run_lost(const struct run *, const char *why);

/*
 * The same when a person has released its lease, which lease_reclaim_enabled
 * may have kept for that.
 */
int		 run_lost_released(const struct run *, const char *why);

/* Have the parent kill the process of a run; it looks at its identity. */
void		 run_kill(const struct run *);

/* Look at all live runs that are not connected. */
int		 runs_sweep(void);

/* Handlers (runs.c, results.c). */
/* RUN_EXIT: stamp the exit code, before anything else. */
int	 on_run_exit(struct peer *, uint32_t, const union orch_any *, int *);

/* RUN_DONE: close the run and act on its result. */
int	 on_run_done(struct peer *, uint32_t, const union orch_any *, int *);

/* RUN_SESSION: keep the agent's resumable session. */
int	 on_run_session(struct peer *, uint32_t, const union orch_any *, int *);

/* Of the parent. */
void	 on_spawned(const struct orch_spawned *);

/*
 * What each kind's result means (results.c).  0, or -1: the database failed;
 * result_agent also 1: the answer waits for the import.
 */
/* An agent: its bundle is imported, or its failure is counted. */
int	 result_agent(struct peer *, uint32_t, const struct run *,
	    const struct orch_run_done *, int *fd);

/* An import: the task's head moves, or the role failed. */
int	 result_import(struct peer *, const struct run *,
	    const struct orch_run_done *);

/* A gate: store the verdict, tell a waiting worker, look again. */
int	 result_gate(struct peer *, const struct run *,
	    const struct orch_run_done *);

/* A monitor: store artifact 16, alert unless HEALTHY. */
int	 result_monitor(const struct run *, const struct orch_run_done *);

/* An agent's bundle cannot be imported: a person looks. */
int	 import_gave_up(const struct run *agent, const char *why);

/* An agent's bundle, while its import is under way (bundles.c). */
/* Keep a bundle and whom to answer when it is settled; owns fd. */
void	 bundle_put(int64_t agent_run, uint32_t peer, uint32_t id, int fd);

/* Its descriptor; -1 when it is not here (yet). */
int	 bundle_fd(int64_t agent_run);

/* The import is over: answer the agent's runner and drop the bundle. */
void	 bundle_settle(int64_t agent_run, enum orch_result);	/* ack */
/* Close and forget it. */
void	 bundle_drop(int64_t agent_run);

#endif
