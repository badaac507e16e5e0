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


#ifndef TESTS_CRASH_ACTOR_H
#define TESTS_CRASH_ACTOR_H

/*
 * Runners, workers, hooks, a person and finalizerd as small machines: each
 * has one request under way, and says it again until it is answered.
 */

#include "tests/crash/crash.h"

#define WAIT_MS	5000

enum sort { SORT_NONE, SORT_RUN, SORT_PERSON, SORT_DAEMON };

struct actor {
	enum sort	 a_sort;
	struct wanted	 a_run;
	char		 a_work[33];
	int		 a_sock;
	int		 a_known;	/* HELLO_OK came */
	int		 a_started;	/* RUN_GO came */
	int		 a_due;		/* its request shall be sent (again) */
	int		 a_stopped;
	int		 a_step;
	int		 a_effect;	/* it did what the journal names */
	uint64_t	 a_epoch, a_seq;
	uint32_t	 a_round, a_generation;
	enum gate_verdict a_verdict;
	enum orch_cause	 a_cause;
	char		 a_verb[16];
	char		 a_stage[33], a_role[33];
	char		 a_branch[257];
	char		 a_head[ID_ROOM], a_commit[ID_ROOM];
	char		 a_tree[ID_ROOM], a_base[ID_ROOM];
	char		 a_key[200];	/* of its effect */
	int		 a_role_of;	/* the daemon's */
	uint64_t	 a_hook;	/* what the daemon reports */
	char		 a_dead[192];	/* its identity, of reaperd's */
	int32_t		 a_code;
};

struct heard {
	struct orch_header	 h;
	union orch_any		 any;
	uint8_t			*frame;
	int			 fd;
};

/* The steps of each work; DONE is the last message of every run. */
enum { BEGIN, GATE, EFFECT, EFFECT_SAID, PULL, RECORD, HOOK, LANDED, COMMIT,
	END, DONE };

#define RED	8	/* the step of who ends without having done it */
#define LAST	9

struct work {
	const char	*w_name;
	const char	*w_effect;	/* what it does to the world */
	int		 w_steps[LAST + 1];
};

/* What the worker has to do; only for a transition that has heard GO. */
const struct work *work_of(const struct actor *);

/* The stage that its COMMIT asks for. */
const char *goes_to(const struct actor *);

/* What was done to the world under that key, or NULL. */
struct applied *applied_find(struct outside *, const char *key);

/* Do it to the world, once where one looks first. */
void	 apply(struct scene *, const char *name, const char *key);

/* The hook of a run, or NULL: it never started. */
struct hook *hook_of(struct outside *, uint64_t run);

/* Its process ends. */
void	 actor_end(struct actor *);

/* speak.c: 1: said; 0: it has nothing to say now. */
int	 actor_speak(struct scene *, struct actor *);

/* hear.c: a message of the engine; what it said could not be stored: 1. */
int	 actor_heard(struct scene *, struct actor *, const struct heard *);

/* The engine asks its parent for something. */
void	 parent_heard(struct scene *, const struct heard *);

#endif
