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

#ifndef TESTS_SIM_H
#define TESTS_SIM_H

/*
 * The simulator of orchd: what its files share.  The header comment of sim.c
 * describes the model of the world.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "libcommon/ident.h"
#include "libcommon/verdict.h"
#include "orchd/conf.h"
#include "orchd/engine.h"
#include "proto/proto.h"

#define OID		41	/* 40 hex digits and NUL */
#define NPROCS		256
#define NCONNS		512
#define VFD		900000	/* virtual descriptors: VFD + connection */
#define VFD_BUNDLE	899999	/* an agent's bundle */

/* --- rand.c: the one source of chance ---------------------------------- */

void	 rnd_seed(uint64_t seed);
uint64_t rnd64(void);

/* 0 to n - 1. */
unsigned int rnd(unsigned int n);

/* 1 with a probability of n in 10,000, and never when the world is fair. */
int	 chaos(unsigned int n);

/* How long something takes, in ms: mostly nothing, seldom hours. */
int64_t	 rnd_delay(void);

/* --- log.c: the trace -------------------------------------------------- */

/* Lines are kept only when somebody wants to read them. */
extern int trace_on;

#define TRACE(...) do { if (trace_on) trace_line(__VA_ARGS__); } while (0)
void	 trace_line(const char *fmt, ...)
	    __attribute__((format(printf, 1, 2)));

/* Something that happened becomes part of the seed's fingerprint. */
void	 trace_mix(uint64_t a, uint64_t b);

/* Forget all lines, or print the last ones. */
void	 trace_reset(int live);
void	 trace_tail(FILE *);

/* A rule is broken: the seed has failed.  Does not return. */
void	 broken(const char *fmt, ...)
	    __attribute__((noreturn, format(printf, 1, 2)));

/* --- what is counted --------------------------------------------------- */

#define COUNTERS(X)							\
	X(steps, 1) X(tasks, 1) X(early, 1) X(done, 1)			\
	X(cancelled, 1) X(parked, 1) X(merges, 1)			\
	X(merges_in_trouble, 1) X(merge_commits, 1)			\
	X(pushes_by_others, 1) X(stale_landings, 1) X(hooks, 1)		\
	X(hooks_in_trouble, 1) X(hook_failed, 1)			\
	X(hook_without_result, 1) X(back_to_development, 1)		\
	X(engine_crashes, 1) X(crashes_before_commit, 1)		\
	X(crashes_after_commit, 1) X(parent_deaths, 1)			\
	X(reboots, 1) X(worker_deaths, 1) X(runner_deaths, 1)		\
	X(daemon_deaths, 1) X(stops, 1) X(pid_reuses, 1)		\
	X(unknown, 1) X(other_namespace, 1)				\
	X(connections_lost, 1) X(adopted, 1) X(spawns_lost, 1)		\
	X(second_processes, 1) X(second_refused, 1)			\
	X(second_workers, 1) X(begin_denied, 1) X(fenced, 1)		\
	X(stale, 1) X(duplicates, 1) X(late_children, 1)		\
	X(undrained, 1) X(acts_lost, 1) X(answers_lost, 1)		\
	X(reclaimed, 1) X(forced, 1) X(release_denied, 1)		\
	X(kills, 1) X(ceilings, 1) X(reaped, 1) X(advances, 1)		\
	X(events, 1) X(event_duplicates, 1) X(doubled, 1)		\
	X(cancels, 1) X(cancels_dropped, 1) X(rejected, 1)		\
	X(retries, 1) X(slow, 1) X(effects, 1)				\
	X(effects_done_before, 1) X(effects_again, 1)			\
	X(effects_conflict, 1) X(rollbacks, 1) X(deferred, 0)

struct counts {
#define X(name, must) uint64_t name;
	COUNTERS(X)
#undef X
};
extern struct counts n;

/* --- sim.c ------------------------------------------------------------- */

struct proc;
struct conn;

struct world {
	int64_t		 now;		/* ms since 1970 */
	unsigned int	 step;
	int		 fair;		/* nothing goes wrong any more */
	char		 boot[37];
	uint64_t	 pidns;
	int		 hidden;	/* pidfds cannot be opened now */
	int		 inodes;	/* this kernel has pidfd inodes */
	int		 engine_up;
	int		 parent_up;
	int64_t		 engine_at;	/* when the parent starts the next */
	int64_t		 parent_at;	/* when somebody starts orchd */
	struct conn	*parent;	/* descriptor 3 of the engine */
	struct proc	*cur;		/* whose coroutine runs */
	int		 drop;		/* frames sent now are lost */
	struct proc	*critical;	/* it does what cannot be undone */
	unsigned int	 looks;		/* of the reaper */
	unsigned int	 ticks;		/* of the engine */
};
extern struct world w;

/* Who may be asked whether something is due: the earliest time not passed. */
void	 due_at(int64_t at);

/* --- event.c: libevent with virtual time ------------------------------- */

enum owner { OWN_ENGINE, OWN_REAPERD, OWN_RECONCILED, OWN_FINALIZERD,
	OWN__MAX };
extern enum owner owner;	/* in whose memory the program runs */

void	 events_reset(void);

/* The events of a process that has died. */
void	 events_forget(enum owner);

/* Collect what can happen now. */
size_t	 events_enabled(void **items, size_t max);

/* Let one of them happen. */
void	 event_fire(void *);

/* --- conn.c: connections, and chan.h over them ------------------------- */

enum far { FAR_PROC, FAR_DAEMON, FAR_PERSON, FAR_PARENT, FAR_WEBHOOK };

struct frame {
	struct frame	*f_next;
	uint8_t		*f_data;
	size_t		 f_len;
	unsigned int	 f_type;
	int		 f_fd;
	int64_t		 f_until;	/* not delivered before that */
};

struct queue {
	struct frame	*q_first, **q_last;
};

struct conn {
	int		 c_used;
	uint32_t	 c_id;		/* in the order of their making */
	struct chan	*c_chan;	/* the engine's end, once accepted */
	enum far	 c_far;
	enum orch_role	 c_role;
	void		*c_arg;		/* of the far end */
	struct ident	 c_ident;	/* of the process that connected */
	int		 c_pid_gone;	/* it died before it was accepted */
	int		 c_accepted;
	int		 c_far_closed;	/* end of file after c_in */
	int		 c_near_closed;	/* end of file after c_out */
	struct queue	 c_in;		/* to the engine */
	struct queue	 c_out;		/* to the far end */
	uint32_t	 c_next;	/* correlation ids of the far end */
	uint32_t	 c_refuse;	/* the request that must not succeed */
};

void	 conns_reset(void);
struct conn *conn_new(enum far, enum orch_role, void *arg);
struct conn *conn_of_fd(int fd);
int	 conn_fd(const struct conn *);

/* The far end says something, or goes away. */
uint32_t conn_say(struct conn *, unsigned int type, const void *msg, int fd);
void	 conn_say_frame(struct conn *, const uint8_t *, size_t, int fd);
void	 conn_far_close(struct conn *);

/* The engine's memory is gone, with its ends of all connections. */
void	 conns_engine_died(void);

/* Nothing is listening any more: who waits to be accepted is refused. */
void	 conns_refuse(void);

/* The machine went down. */
void	 conns_reboot(void);

/* A connection breaks although both sides live. */
void	 conn_break(struct conn *);

struct frame *queue_take(struct queue *);
void	 frame_free(struct frame *);

/* What can be delivered now: to the engine, or to far ends but processes. */
size_t	 conns_enabled(void **items, size_t max);
void	 conn_deliver(void *);

/* A live connection at random, or NULL. */
struct conn *conn_any(void);

/* --- proc.c: the process table ----------------------------------------- */

enum life { GONE, ALIVE, STOPPED, ZOMBIE };

struct proc {
	enum life	 p_life;
	int32_t		 p_pid;
	uint64_t	 p_start;
	uint64_t	 p_ino;
	char		 p_boot[37];
	uint8_t		 p_inc[16];
	unsigned int	 p_kids;	/* of its session, at work */
	int		 p_hook;	/* the deploy hook itself */
	uint64_t	 p_run;
	enum orch_kind	 p_kind;
	char		 p_task[65];
	char		 p_gate[65];
	char		 p_role[33];
	uint8_t		 p_key[32];
	char		 p_commit[OID]; /* of a hook */
	int		 p_second;	/* started by mistake */
	struct co	*p_co;
	struct conn	*p_conn;	/* the last that it made */
	int64_t		 p_until;	/* its coroutine sleeps */
	int		 p_inside;	/* it was granted a lease */
	int		 p_reading;	/* or waits for a message */
	int		 p_acting;	/* or for its child */
	unsigned int	 p_greeted;	/* engines that took it */
	int64_t		 p_killed_at;
};
extern struct proc procs[NPROCS];

extern const struct ident_world sim_world;

void	 procs_reset(void);
struct proc *proc_new(void);
void	 proc_ident(const struct proc *, struct ident *);

/* It dies; its children go on. */
void	 proc_die(struct proc *);

/* The process with that identity, alive or stopped; or NULL. */
struct proc *proc_of_ident(const char *text);

/* Can it, or a child of it, still act? */
int	 proc_may_act(int32_t pid, uint64_t start, const char *boot);

/* A living one at random, or NULL. */
struct proc *proc_any(void);

/* The machine goes down and comes up again. */
void	 procs_reboot(void);

size_t	 procs_enabled(void **items, size_t max);
void	 proc_go(void *);

/* --- co.c: coroutines -------------------------------------------------- */

struct co;

struct co *co_new(void (*fn)(void *), void *arg);

/* Let it go on until it yields; 1 when it has ended. */
int	 co_run(struct co *);
void	 co_yield(void);
void	 co_free(struct co *);

/* Of the current process: sleep, until a message comes when that is asked. */
void	 nap(int64_t ms, int reading);

/* --- repo.c: the outside world, a repository --------------------------- */

void	 repo_reset(void);

/* A commit on top of another; tree "" is a new one. */
void	 repo_commit(const char *parent, const char *parent2,
	    const char *tree, char out[OID]);
void	 repo_target(char out[OID]);

/* A task's branch, with the mark of its head. */
void	 repo_branch(const char *branch, const char *task,
	    const char *head);
const char *repo_tree(const char *commit);
int	 repo_has(const char *whole, const char *part);

/* Somebody else pushes to the target. */
void	 repo_push_other(void);

/* Children of workers: what is begun and not ended. */
size_t	 acts_enabled(void **items, size_t max);
void	 act_go(void *);
void	 acts_reboot(void);

/* --- files.c: the files of hooks --------------------------------------- */

void	 files_reset(void);
void	 file_put(const char *path, const char *text);
const char *file_get(const char *path);

/* --- engine.c ---------------------------------------------------------- */

void	 engine_image(void);	/* keep the memory of programs at start */
void	 memory_fresh(enum owner);

void	 engine_first(void);	/* with a new database */
void	 engine_start(void);
void	 engine_die(void);
void	 engine_end(void);	/* and the database with it */
void	 engine_ticks(void);

/* A handler of the engine, or the loop, is to run: catch its end. */
void	 engine_deliver(struct conn *, struct frame *);

/* Is a transaction open? */
int	 engine_busy(void);

/* --- parent.c ---------------------------------------------------------- */

void	 parent_reset(void);
void	 parent_hears(unsigned int type, const union orch_any *);
void	 parent_die(void);
void	 parent_start(void);
void	 parent_exited(const struct proc *);
size_t	 spawns_enabled(void **items, size_t max);
void	 spawn_go(void *);

/* --- daemons.c --------------------------------------------------------- */

void	 daemons_reset(void);
void	 daemons_connect(void);	/* the engine is new */
void	 daemon_die(enum owner);
void	 daemons_tick(void);	/* start those that are due */
void	 daemon_hears(void *, const struct orch_header *,
	    const union orch_any *);
void	 daemon_cut(void *);	/* its connection has ended */
void	 daemon_again(void);	/* something that was said is said again */

/* --- runs.c ------------------------------------------------------------ */

/* The body of a process that runs something. */
void	 run_body(void *proc);

/* A hook has ended, one way or another. */
void	 hook_gone(uint64_t run);

/* --- people.c ---------------------------------------------------------- */

void	 people_reset(void);
void	 people_act(void);
void	 people_on(const char *task, const char *verb, int force);
void	 person_hears(struct conn *, const union orch_any *,
	    unsigned int type);
void	 webhook_act(void);
void	 webhook_hears(const union orch_any *, unsigned int type);
void	 person_cut(void *);
void	 webhook_cut(void);
void	 people_check(void);
unsigned int tasks_open(int with_parked);

/* --- early.c: a task that begins in deploy-staging --------------------- */

void	 early_task(void);

/* --- chaos.c ----------------------------------------------------------- */

void	 chaos_act(void);
void	 chaos_critical(struct proc *);
void	 chaos_end(void);

/* --- check.c ----------------------------------------------------------- */

void	 check_reset(void);
void	 check_commit(void);	/* a transaction was committed */
void	 check_all(void);	/* every invariant there is */
void	 check_landed(const struct proc *, const char *old,
	    const char *new);
void	 check_granted(struct proc *);
int	 check_may(const struct proc *, unsigned int type,
	    const union orch_any *);
void	 check_owned(void);
void	 check_hook_start(const struct proc *, const char *commit);
void	 check_hook_act(const struct proc *);
void	 check_end(void);
void	 check_close(void);
int	 merged(const char *task, int64_t round);

/* SQL of the world's own. */
int64_t	 sql_int(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
const char *sql_text(const char *fmt, ...)
	    __attribute__((format(printf, 1, 2)));

#endif
