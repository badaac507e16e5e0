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

#ifndef ORCHD_TASK_H
#define ORCHD_TASK_H

/* Tasks: reading them, asking the rules, moving them. */

#include <stddef.h>
#include <stdint.h>

#include "stage.h"
#include "store.h"

#define ID_HEX	41

struct task {
	int64_t		 t_id;
	char		 t_key[65];
	char		 t_project[65];
	char		 t_title[513];
	int64_t		 t_priority;
	enum stage	 t_stage;
	int64_t		 t_seq;
	int64_t		 t_since;
	int64_t		 t_round;
	int64_t		 t_rework;
	int64_t		 t_epoch;
	char		 t_branch[257];
	char		 t_head[ID_HEX];
	char		 t_tree[ID_HEX];
	char		 t_published[ID_HEX];
	char		 t_landed[ID_HEX];
	char		 t_landed_tree[ID_HEX];
	char		 t_previous[ID_HEX];
	int		 t_agent_due;
	char		 t_parked[16];
	char		 t_parked_reason[2048];
	int64_t		 t_cancel_at;		/* 0: not requested */
	char		 t_asked_gate[65];
	char		 t_asked_commit[ID_HEX];
	int64_t		 t_asked_at;
	char		 t_waits[32];
	char		 t_why[2048];
	int64_t		 t_drive_at;		/* 0: no time set */
	int64_t		 t_retries;
	char		 t_status[64];
	int64_t		 t_created;
	int		 t_fetched;
};

/* Read a task by its row id or its key.  STORE_OK, STORE_NONE, STORE_FAIL. */
enum store_res	 task_get(int64_t id, struct task *);
enum store_res	 task_by_key(const char *key, struct task *);

/*
 * Read a task as a person names it: DEMO-1, or 1 where only one task ends so.
 * STORE_NONE: none; STORE_EXISTS: more than one.
 */
enum store_res	 task_resolve(const char *name, struct task *);

/* Who moves a task, and under which lease. */
struct actor {
	const char	*ac_name;	/* "engine", "finalizerd (run 12)" */
	int64_t		 ac_epoch;	/* 0: the engine takes the next one */
};

/*
 * The only function that writes a stage: compare-and-swap on
 * stage and sequence, the history row, what the new stage begins with, and the
 * tracker's message, in the caller's pass.  from and seq are what the actor
 * believes; a different truth is STORE_STALE and changes nothing.
 */
struct transition {
	int64_t		 tr_task;
	enum stage	 tr_from;
	int64_t		 tr_seq;
	enum stage	 tr_to;
	int		 tr_backward;		/* round + 1, rework + 1 */
	int		 tr_by_person;		/* rework to 0 */
	struct actor	 tr_actor;
	const char	*tr_reason;
	const char	*tr_feedback;		/* for the next run, or NULL */
};
enum store_res	 transition_commit(const struct transition *);

/* The branch of a task, made from key, title and round (R-33's -r<N>). */
void		 task_branch(const struct task *, int64_t branch_round,
		    char *buf, size_t len);

/*
 * Look at a task and do what the rules say: queue the next job, move, park,
 * ask, or note what it waits for.  Safe to call at any time; called after
 * everything that may have changed a fact.  -1: the database failed.
 */
int		 task_drive(int64_t task);

/*
 * A task has ended, or its deploy has: look at those that wait for that, in
 * created (serial_limit, dependencies) or in deploy (one at a time).
 */
int		 tasks_let_in(const struct task *);

/* The facts that stage_decide wants (facts.c).  -1: the database failed. */
int		 task_facts(const struct task *, struct facts *, char *active,
		    size_t activelen);

/* Park a task: no run until a person acts.  how: needs_input or blocked. */
enum store_res	 task_park(const struct task *, const char *how,
		    const char *reason);

/* A role handed in nothing, or something bad: again with feedback, or park. */
int		 task_role_failed(const struct task *, const char *role,
		    const char *reason, const char *text);

/* The task's feedback for the next run, bounded. */
enum store_res	 task_set_feedback(int64_t task, const char *reason,
		    const char *text);

/* Note what it waits for, for people, and the tracker's status. */
enum store_res	 task_note(const struct task *, const char *waits,
		    const char *why, int64_t drive_at);

#endif
