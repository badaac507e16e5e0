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


#ifndef TESTS_CRASH_CRASH_H
#define TESTS_CRASH_CRASH_H

/*
 * Crash points of the commit path.  Three processes play one case: the engine
 * on the failing disk of vfs.h, the world that it serves (parent, runners,
 * workers, hooks, people), and the driver, which outlives both.  What lasts
 * beyond a loss of power is struct outside, in memory that all three share.
 */

#include <stdint.h>

#include "libcommon/verdict.h"
#include "proto/proto.h"
#include "tests/crash/vfs.h"

#define CRASHES	2	/* in one case: in the run, and in the recovery */
#define ID_ROOM	41
#define TASK	"DEMO-1"

enum fault {
	FAULT_NONE,
	FAULT_LOST,		/* what was acknowledged is gone */
	FAULT_REPEATED,		/* an effect happened twice */
	FAULT_CORRUPT,		/* orchd's own check finds a contradiction */
	FAULT_OTHER,		/* it ends elsewhere, or not at all */
	FAULT__MAX
};

/* A request to start a run that no process has taken up yet. */
struct wanted {
	uint64_t	w_run;
	enum orch_kind	w_kind;
	uint8_t		w_key[32];
	char		w_gate[65];
	char		w_role[33];
};

/* One irreversible thing that was done to the world. */
struct applied {
	char		a_name[33];
	char		a_key[200];
	unsigned int	a_times;
};

struct hook {
	uint64_t	h_run;
	char		h_revision[ID_ROOM];
	int		h_ended;
	int		h_code;
};

/* What the engine shows after each turn. */
struct shown {
	int		s_there;
	char		s_stage[20];
	int64_t		s_seq;
	char		s_parked[16];
	char		s_asked[40];
	char		s_asked_commit[ID_ROOM];
	int		s_cancel;
	int		s_deploys;	/* without an end */
};

#define APPLIED	48
#define HOOKS	8
#define WANTED	16
#define FACTS	400
#define KILLED	16

struct outside {
	int64_t		 o_ms;		/* the time */
	struct applied	 o_applied[APPLIED];
	struct hook	 o_hooks[HOOKS];
	struct wanted	 o_wanted[WANTED];
	/* SQL that must say 1 from now on: it was acknowledged. */
	char		 o_facts[FACTS][240];
	unsigned int	 o_napplied, o_nhooks, o_nwanted, o_nfacts;
	char		 o_asked[ID_ROOM];	/* what was asked first */
	int		 o_healed;	/* what failed fails no more */
	int		 o_gone;	/* a hook is dead without a result */
	int		 o_erred;	/* what fails once has failed */
	struct shown	 o_shown;
	int64_t		 o_from;	/* stage_seq at the start */
	int		 o_boot;	/* losses of power so far */
	int32_t		 o_killed[KILLED];	/* pids */
	unsigned int	 o_nkilled;
	uint64_t	 o_hangs;	/* the run that hangs, or 0 */
	/* of this case */
	struct shim_plan o_plan[CRASHES];
	unsigned int	 o_engines;	/* started so far */
	unsigned int	 o_crashes;	/* that ended by the plan */
	/* of the last engine; o_opened: allocations until it was open */
	int64_t		 o_points, o_allocs, o_opened;
	enum fault	 o_fault;
	char		 o_said[1024];
	char		 o_summary[8192];
};

/* How the world behaves while one transition happens. */
struct script {
	const char	*s_name;
	const char	*s_from;	/* script whose end is the start */
	const char	*s_goal;	/* stage, or "parked" */
	const char	*s_fails;	/* gate or "hook" that fails ... */
	enum gate_verdict s_verdict;
	unsigned int	 s_rounds;	/* ... in rounds below this one */
	int		 s_reject;	/* a person refuses what comes first */
	int		 s_cancel;	/* a person cancels */
	int		 s_retry;	/* a person resumes */
	int		 s_stale;	/* a worker commits a stage too late */
	const char	*s_hangs;	/* work that hangs until it is killed */
	const char	*s_ends;	/* who ends it: "person" or "reaper" */
};

struct tour;

/* One case as its world and its engine see it. */
struct scene {
	const struct script *c_script;
	struct outside	*c_out;
	char		 c_dir[80];
	int		 c_blind;	/* mutation: effects without a probe */
	/* tour.h: of this run, by depth, and who hears of each end */
	struct tour	*c_tour;
	int		 c_depth;
	struct tour	*c_tours[CRASHES];
	struct outside	*c_outs[CRASHES + 1];
	void		(*c_told)(struct scene *, struct outside *, int);
	/* where the first engine looks whether it is one too many */
	uint64_t	*c_known;
	enum shim_mode	 c_end;		/* what came before it */
	/* ends of the world and of the engine */
	int		 c_listen[2];	/* engine.sock, control.sock */
	int		 c_parent[2];
	int		 c_orders[2];
};

#define WORLD_END	0	/* exit status of a world: all is done */
#define WORLD_DARK	70	/* the power is gone */
#define WORLD_FAULT	71
#define WORLD_SAME	72	/* another world goes on from that database */

/* scene.c: play one case in a process of its own; does not return */
void	 world_run(struct scene *) __attribute__((noreturn));

/*
 * The same from another disk in c_dir, after the process (SHIM_KILL) or the
 * power (SHIM_POWER) has ended.  It ends at once if `known', which may be NULL,
 * has the database.
 */
void	 world_again(struct scene *, uint64_t *known, enum shim_mode)
	    __attribute__((noreturn));

/* who.c: who the world's processes are, and whether they live */
struct ident;
struct ident_world;

void	 who_is(const struct outside *, uint64_t run, struct ident *);
/* A socket of that run, connected; a run of 0 is a person or a daemon. */
int	 who_connects(const struct outside *, uint64_t run, const char *path);
/* 1: that was a living process, and it is dead now. */
int	 who_dies(struct outside *, const char *ident);
const struct ident_world *who_lives(struct outside *);

/* engine.c: the engine, until it is told to end; does not return */
void	 engine_run(struct scene *) __attribute__((noreturn));

/* Parse the configuration that all cases share; once, before they start. */
void	 engine_conf(const char *dir);

/* Remove the files of a folder, but not its folders. */
void	 clear_folder(const char *path);

/* The first fault of a case counts. */
void	 blame(struct outside *, enum fault, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));

/* From now on this SQL must say 1. */
void	 fact(struct outside *, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));

/* world.c: whoever is connected to the engine */

struct actor;

/* Everybody is cut off: connect and say the unanswered again. */
void	 actors_cut(void);

/* Everybody is dead. */
void	 actors_forget(void);

/* Say what is due; how many messages that were. */
int	 actors_speak(struct scene *);

/* Hear what has come; how many messages that were. */
int	 actors_listen(struct scene *);

/* Is anybody there? */
int	 actors_busy(void);

/* Take up a run, or the request of a person, or the daemon's look. */
void	 actor_run(struct scene *, const struct wanted *);
void	 actor_person(struct scene *, const char *verb);
void	 actor_dies(struct scene *, uint64_t run);
void	 actor_daemon(struct scene *, int role);
int	 actor_is_there(int kind_of);	/* 'p' person, 'd' daemon */

/* Answers that could not be stored since the last call. */
unsigned int actors_refused(void);

#endif
