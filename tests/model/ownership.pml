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

/*
 * One task from deploy-staging to its end, and everybody who may touch it.
 * docs/ownership.md holds the argument, the table from these steps to the
 * functions of the program, and the mutations: each macro NO_... below takes
 * one rule away, and then an assertion or a claim must fail.
 *
 * Every engine step is atomic: it is one transaction that is committed before
 * its answer leaves.  A crash of the engine loses requests and answers that
 * are under way, never a transaction.
 */

#ifndef CRASHES
#define CRASHES		2	/* of workers, engine, hook's wrapper */
#endif
#ifndef RELEASES
#define RELEASES	1	/* an operator's lease release -f */
#endif
#ifndef MOVES
#define MOVES		1	/* others who push to the target */
#endif
#ifndef SPURIOUS
#define SPURIOUS	1	/* a second worker started by mistake */
#endif
#ifndef CANCELS
#define CANCELS		1
#endif

/* stages */
#define STAGING		0
#define DEPLOY		1
#define DONE		2
#define BACK		3	/* development, the next round */
#define CANCELLED	4

/* works of a worker */
#define W_EDGE		0
#define W_DEPLOY	1
#define W_FINISH	2
#define W_CLOSE		3

/* requests */
#define NOTHING		0
#define BEGIN		1
#define EFFECT		2
#define EFFECT_DONE	3
#define HOOK_START	4
#define COMMIT		5
#define END		6
#define RED		7	/* END with a fail: back to development */
#define RUN_DONE	8

/* answers */
#define OK		1
#define ON_RECORD	2	/* the effect is done already */
#define REFUSED		3	/* fenced, denied, stale */

/* journal rows */
#define J_NONE		0
#define J_INTENT	1
#define J_DONE		2

/* where a worker is; up to P_DONE it waits for the engine's answer */
#define P_BEGIN		0
#define P_EFFECT	1
#define P_DID		2	/* EFFECT_DONE */
#define P_HOOK		3
#define P_COMMIT	4
#define P_END		5
#define P_RED		6
#define P_QUIT		7	/* RUN_DONE, when all is lost */
#define P_READ		8	/* reads the target, judges the gates */
#define P_APPLY		9	/* probes, and starts git */
#define P_GIT		10	/* waits for git */

/* the deploy's row */
#define D_NONE		0
#define D_STARTED	1
#define D_OK		2
#define D_FAILED	3

/* the hook's wrapper */
#define H_NONE		0
#define H_WAITS		1	/* for GO */
#define H_HOOK		2	/* its hook runs */
#define H_DEAD		3
#define H_ENDED		4

/* The engine's database: survives everything. */
byte stage = STAGING;
byte owner;			/* of the lease: slot + 1, or 0 */
bit released;			/* by a person: it gets it no more */
byte job;			/* 0 none, 1 queued, 2 running */
byte jwork;
byte jfrom;			/* the stage that it is for */
byte journal[2];		/* of the merge, by the target's version */
byte jdeploy;			/* of the deploy's start */
byte drow = D_NONE;
bit confirmed;
bit cancelled;			/* cancel_requested_at */
bit row[2];			/* the run's row is live */

/* The engine itself. */
bit up = 1;

/* Processes: two slots, each used again when nothing is left of it. */
bit live[2];
bit hello[2];
byte work[2];
byte from[2];			/* the stage that it was started for */
byte pc[2];
bit newest[2];			/* its epoch is that of the last grant */
byte saw[2];			/* the target's version that M is made on */
bit sent[2];
byte req[2];			/* in the socket: survives its sender */
byte ans[2];
byte git[2];			/* a child that will act: version + 1 */
bit killed[2];			/* SIGKILL is on its way */
bit extra[2];			/* started by mistake, has no job */
#ifdef PID_ONLY
bit reused[2];			/* its pid is another's; nobody else asks */
#endif

/* The world. */
byte target;			/* its version; others push new ones */
byte merges;			/* how often our commit landed */
byte merged_on;			/* the version under our commit */
byte wrapper = H_NONE;
bit hook;			/* the hook can act */
byte hooks;			/* how often it was started */
byte result;			/* the file: 1 exit 0, 2 another */
bit deployed;

/* What may still go wrong.  Under LIVE it need not, however long it waits. */
byte crashes = CRASHES;
byte releases = RELEASES;
byte moves = MOVES;
byte spurious = SPURIOUS;
byte cancels = CANCELS;

#ifdef NO_EPOCH
#define held(w)		(row[w])
#else
#define held(w)		(owner == w + 1 && newest[w])
#endif
#ifdef NO_DRAIN
#define drained(w)	true
#else
#define drained(w)	(git[w] == 0)
#endif
#ifdef NO_HOOK_DRAIN
#define hook_drained	true
#else
#define hook_drained	(hook == 0)
#endif
/* Stages only go forward here, so that a stage is its own sequence number. */
#ifdef NO_STAGE_CAS
#define current(w)	true
#else
#define current(w)	(stage == from[w])
#endif
#ifdef PID_ONLY
#define dead(w)		(live[w] == 0 && reused[w] == 0)
#else
#define dead(w)		(live[w] == 0)
#endif
#define over		(stage >= DONE)
#define dead_owner	((owner == 1 && live[0] == 0) || \
			    (owner == 2 && live[1] == 0))

/* A state that run.sh expects to be found, so that none of this is empty. */
#ifdef NEVER
#define unseen		!(NEVER)
#else
#define unseen		true
#endif

/* What must hold always; asserted wherever one of its parts changes. */
inline safe()
{
	assert(merges <= 1 && hooks <= 1);
	assert(!(stage == CANCELLED && merges > 0));
	assert(!(stage == BACK && merges > 0 && drow != D_FAILED));
	assert(!(stage == DONE && (merges == 0 || deployed == 0)));
	assert(!(drow >= D_OK && hook));
	assert(unseen)
}

/* What nobody reads any more is forgotten: fewer states, same behaviour. */
inline tidy(w)
{
	if
	:: row[w] == 0 && live[w] == 0 && req[w] == NOTHING ->
		newest[w] = 0; saw[w] = 0; work[w] = 0; from[w] = 0;
		extra[w] = 0; hello[w] = 0
	:: else
	fi
}

/* Nothing more of this run: its row closes, its lease ends with it. */
inline close_run(w)
{
	if
	:: owner == w + 1 -> owner = 0; released = 0
	:: else
	fi;
	row[w] = 0
}

/* Close it; its job is queued again unless it never had one. */
inline requeue(w)
{
	close_run(w);
	if
	:: extra[w] == 0 -> job = 1
	:: else
	fi
}

inline finish(w)
{
	close_run(w);
	if
	:: extra[w] == 0 -> job = 0; jwork = 0; jfrom = 0
	:: else -> skip
	fi
}

inline begin(w)
{
	if
	:: row[w] == 0 || !current(w) -> ans[w] = REFUSED
	:: else ->
		if
		:: owner == w + 1 && !released -> ans[w] = OK
		:: owner == w + 1 && released -> ans[w] = REFUSED
#ifdef NO_LEASE
		:: owner != w + 1 ->
#else
		:: owner != w + 1 && owner != 0 -> ans[w] = REFUSED
		:: owner == 0 ->
#endif
			owner = w + 1;
			newest[w] = 1;
			newest[1 - w] = 0;
			ans[w] = OK
		fi
	fi
}

/* Intent under the key, or what became of an earlier one. */
inline effect(w)
{
	if
	:: !held(w) -> ans[w] = REFUSED
	:: else ->
		if
		:: work[w] == W_EDGE && journal[saw[w]] == J_DONE ->
			ans[w] = ON_RECORD
		:: work[w] == W_EDGE && journal[saw[w]] == J_NONE &&
		    cancelled -> ans[w] = REFUSED
		:: work[w] == W_EDGE && journal[saw[w]] != J_DONE &&
		    !(journal[saw[w]] == J_NONE && cancelled) ->
			journal[saw[w]] = J_INTENT;
			ans[w] = OK
		:: work[w] == W_DEPLOY && jdeploy == J_DONE ->
			ans[w] = ON_RECORD
		:: work[w] == W_DEPLOY && jdeploy != J_DONE ->
			jdeploy = J_INTENT;
			ans[w] = OK
		fi
	fi
}

inline effect_done(w)
{
	if
	:: !held(w) -> ans[w] = REFUSED
	:: else ->
		if
		:: work[w] == W_EDGE -> journal[saw[w]] = J_DONE
		:: else -> jdeploy = J_DONE
		fi;
		ans[w] = OK
	fi
}

/* The start is a row before the hook runs; one row a key. */
inline hook_start(w)
{
	if
	:: !held(w) || stage != DEPLOY -> ans[w] = REFUSED
	:: else ->
		if
#ifndef NO_PROBE
		:: drow != D_NONE -> skip
		:: drow == D_NONE ->
#else
		:: true ->
#endif
			drow = D_STARTED;
			wrapper = H_WAITS
		fi;
		ans[w] = OK
	fi
}

inline commit(w)
{
	if
	:: !held(w) -> ans[w] = REFUSED
	:: else ->
		/* An old epoch never commits, nor what another has moved. */
		assert(newest[w] && owner == w + 1);
		if
		:: !current(w) -> skip
		:: current(w) ->
			assert(stage == from[w]);
			if
			:: work[w] == W_EDGE && merges > 0 -> stage = DEPLOY
			:: work[w] == W_FINISH && drow == D_OK ->
				stage = DONE
			:: work[w] == W_FINISH && drow == D_FAILED ->
				stage = BACK
			:: work[w] == W_CLOSE -> stage = CANCELLED
			fi
		fi;
		finish(w);
		ans[w] = OK
	fi;
	safe()
}

/* END of a work that moves nothing, or of an edge that is red. */
inline ended(w)
{
	if
	:: !held(w) -> ans[w] = REFUSED
	:: else ->
		if
		:: req[w] == RED && current(w) -> stage = BACK
		:: req[w] == END && work[w] == W_CLOSE -> cancelled = 0
		:: else
		fi;
		finish(w);
		ans[w] = OK
	fi;
	safe()
}

/* The engine takes one request out of a socket. */
inline serve(w)
{
	if
	:: req[w] == BEGIN -> begin(w)
	:: req[w] == EFFECT -> effect(w)
	:: req[w] == EFFECT_DONE -> effect_done(w)
	:: req[w] == HOOK_START -> hook_start(w)
	:: req[w] == COMMIT -> commit(w)
	:: req[w] == END || req[w] == RED -> ended(w)
	:: req[w] == RUN_DONE ->
		if
		:: row[w] -> requeue(w)
		:: else
		fi;
		ans[w] = OK
	fi;
	req[w] = NOTHING;
	if
	:: live[w] == 0 -> ans[w] = NOTHING
	:: else
	fi;
	tidy(w)
}

#define slot_free(w)	(live[w] == 0 && row[w] == 0 && git[w] == 0 && \
			    req[w] == NOTHING)

inline start(w, mistake)
{
	row[w] = 1;
	live[w] = 1;
	hello[w] = 0;
	pc[w] = P_BEGIN;
	newest[w] = 0;
	saw[w] = 0;
	sent[w] = 0;
	ans[w] = NOTHING;
	killed[w] = 0;
#ifdef PID_ONLY
	reused[w] = 0;
#endif
	extra[w] = mistake;
	from[w] = jfrom;
	work[w] = jwork
}

/* What is due gets a job: level-triggered, by the engine alone. */
inline drive()
{
	job = 1;
	jfrom = stage;
	if
	:: cancelled -> jwork = W_CLOSE
	:: !cancelled && stage == STAGING -> jwork = W_EDGE
	:: !cancelled && stage == DEPLOY && drow == D_NONE ->
		jwork = W_DEPLOY
	:: !cancelled && stage == DEPLOY && drow != D_NONE ->
		jwork = W_FINISH
	fi
}

/* Is there something to do for the task? */
#define due	(!over && (stage == STAGING || cancelled || \
		    (drow == D_NONE && confirmed) || drow >= D_OK))

/* A process that is no more, as the engine sees it: dead and drained. */
inline lost(w)
{
	requeue(w);
	tidy(w)
}

inline end_process(w)
{
	live[w] = 0;
	sent[w] = 0;
	ans[w] = NOTHING;
	pc[w] = P_BEGIN;
	killed[w] = 0;
	tidy(w)
}

active proctype engine()
{
end:	do
	:: d_step { up && req[0] != NOTHING -> serve(0) }
	:: d_step { up && req[1] != NOTHING -> serve(1) }
	/* A queued job gets a run and a process. */
	:: d_step { up && job == 1 && jfrom == stage && slot_free(0) ->
		start(0, 0); job = 2 }
	:: d_step { up && job == 1 && jfrom == stage && !slot_free(0) &&
		slot_free(1) -> start(1, 0); job = 2 }
	/* Work for a stage that the task has left is nobody's. */
	:: d_step { up && job == 1 && jfrom != stage -> job = 0 }
	/* GO for the hook's wrapper, once. */
	:: d_step { up && wrapper == H_WAITS ->
		wrapper = H_HOOK; hook = 1; hooks++; safe() }
	/* finalizerd: the result file, or dead without one. */
	:: d_step { up && drow == D_STARTED && result != 0 ->
		drow = (result == 1 -> D_OK : D_FAILED); safe() }
	:: d_step { up && drow == D_STARTED && result == 0 &&
		wrapper == H_DEAD && hook_drained ->
		drow = D_FAILED; safe() }
	od
}

/*
 * The engine's tick, the end of a connection, and reaperd: each only makes the
 * engine look for itself, so nothing is kept of what they saw.
 */
active proctype reaper()
{
#ifdef NO_RECHECK
	byte seen;

end:	do
	:: d_step { seen == 0 && row[0] && dead(0) -> seen = 1 }
	:: d_step { seen == 0 && row[1] && dead(1) -> seen = 2 }
	:: d_step { up && seen == 1 -> lost(0); seen = 0 }
	:: d_step { up && seen == 2 -> lost(1); seen = 0 }
	od
#else
end:	do
	:: d_step { up && row[0] && dead(0) && drained(0) -> lost(0) }
	:: d_step { up && row[1] && dead(1) && drained(1) -> lost(1) }
	od
#endif
}

/* Webhooks and reconciled: they say that something is due, no more. */
active proctype advance()
{
end:	do
	:: d_step { up && job == 0 && owner == 0 && due -> drive() }
	:: d_step { up && stage == DEPLOY && !confirmed -> confirmed = 1 }
	/* Were a second worker started by mistake, the lease holds. */
	:: d_step { up && job == 2 && spurious > 0 && !over && due &&
		slot_free(0) -> spurious--; start(0, 1) }
	:: d_step { up && job == 2 && spurious > 0 && !over && due &&
		slot_free(1) -> spurious--; start(1, 1) }
	od
}

/* A transition worker: ask, and what each answer leads to. */
inline ask(w)
{
	sent[w] = 1;
	hello[w] = 1;
	if
	:: pc[w] == P_BEGIN -> req[w] = BEGIN
	:: pc[w] == P_EFFECT -> req[w] = EFFECT
	:: pc[w] == P_DID -> req[w] = EFFECT_DONE
	:: pc[w] == P_HOOK -> req[w] = HOOK_START
	:: pc[w] == P_COMMIT -> req[w] = COMMIT
	:: pc[w] == P_END -> req[w] = END
	:: pc[w] == P_RED -> req[w] = RED
	:: pc[w] == P_QUIT -> req[w] = RUN_DONE
	fi
}

/* The next question leaves at once, unless there is no engine. */
inline go_on(w)
{
	if
	:: live[w] && up && row[w] && pc[w] <= P_QUIT && !sent[w] -> ask(w)
	:: else
	fi
}

inline answered(w)
{
	if
	:: pc[w] == P_BEGIN && ans[w] == OK ->
		if
		:: work[w] == W_DEPLOY -> pc[w] = P_EFFECT
		:: work[w] == W_FINISH -> pc[w] = P_COMMIT
		:: else -> pc[w] = P_READ
		fi
	:: pc[w] == P_EFFECT && ans[w] == OK ->
		pc[w] = (work[w] == W_EDGE -> P_APPLY : P_HOOK)
	:: pc[w] == P_EFFECT && ans[w] == ON_RECORD ->
		pc[w] = (work[w] == W_EDGE -> P_COMMIT : P_END)
	:: pc[w] == P_HOOK && ans[w] == OK -> pc[w] = P_DID
	:: pc[w] == P_DID && ans[w] == OK ->
		pc[w] = (work[w] == W_EDGE -> P_COMMIT : P_END)
	:: (pc[w] == P_COMMIT || pc[w] == P_END || pc[w] == P_RED) &&
	    ans[w] == OK -> end_process(w)
	:: pc[w] == P_QUIT -> end_process(w)
	:: pc[w] != P_QUIT && ans[w] == REFUSED ->
		/* The lease may still be ours: END says so honestly. */
		pc[w] = (pc[w] == P_EFFECT && cancelled -> P_END : P_QUIT)
	fi;
	sent[w] = 0;
	ans[w] = NOTHING;
	go_on(w)
}

/* Probe the target, then act through a child. */
inline apply(w)
{
	if
#ifndef NO_PROBE
	:: merges > 0 -> pc[w] = P_DID
	:: merges == 0 && target != saw[w] -> pc[w] = P_READ
	:: merges == 0 && target == saw[w] ->
#else
	:: true ->
#endif
		git[w] = saw[w] + 1;
		pc[w] = P_GIT
	fi
}

inline git_ended(w)
{
#ifdef NO_PROBE
	/* The exit code alone is believed: a refusal is a conflict. */
	pc[w] = (merges > 0 && target == saw[w] && merged_on == saw[w] &&
	    git[w] == 0 && journal[saw[w]] == J_INTENT && did[w] ->
	    P_DID : P_RED)
#else
	pc[w] = P_APPLY
#endif
}

#ifdef NO_PROBE
bit did[2];			/* git said that it was done */
#endif

proctype worker(byte w)
{
end:	do
	/* Ask, again after each loss of the connection. */
	:: d_step { live[w] && up && pc[w] <= P_QUIT && !sent[w] &&
		row[w] && req[w] == NOTHING -> ask(w) }
	/* Its run is closed: HELLO is refused, it ends. */
	:: d_step { live[w] && up && pc[w] <= P_QUIT && !sent[w] &&
		!row[w] -> end_process(w) }
	:: d_step { live[w] && ans[w] != NOTHING -> answered(w) }
	/* close: merged already is nothing to cancel any more. */
	:: d_step { live[w] && pc[w] == P_READ && work[w] == W_CLOSE ->
#ifdef NO_CANCEL_PROBE
		pc[w] = P_COMMIT;
#else
		pc[w] = (merges > 0 -> P_END : P_COMMIT);
#endif
		go_on(w) }
	/* edge: what has landed is adopted without a second judgement. */
	:: d_step { live[w] && pc[w] == P_READ && work[w] == W_EDGE &&
		merges > 0 -> saw[w] = merged_on; pc[w] = P_EFFECT;
		go_on(w) }
	:: d_step { live[w] && pc[w] == P_READ && work[w] == W_EDGE &&
		merges == 0 -> saw[w] = target; pc[w] = P_EFFECT;
		go_on(w) }
	:: d_step { live[w] && pc[w] == P_READ && work[w] == W_EDGE &&
		merges == 0 -> pc[w] = P_RED; go_on(w) }
	:: d_step { live[w] && pc[w] == P_APPLY -> apply(w); go_on(w) }
	:: d_step { live[w] && pc[w] == P_GIT && git[w] == 0 ->
		git_ended(w); go_on(w) }
	/* Its child acts, whether its parent lives or not. */
	:: d_step { git[w] != 0 ->
		if
#ifndef NO_CAS
		:: merges == 0 && target == git[w] - 1 ->
#else
		:: true ->
			/* Nobody else's push is overwritten. */
			assert(target == git[w] - 1);
#endif
			merges++;
			merged_on = target;
#ifdef NO_PROBE
			did[w] = 1;
		:: else -> did[w] = 0
#elif !defined(NO_CAS)
		:: else
#endif
		fi;
		git[w] = 0;
		safe() }
	od
}

/* The deploy hook and its wrapper. */
active proctype hook_process()
{
end:	do
	:: d_step { hook -> hook = 0; deployed = 1;
		if
		:: wrapper == H_HOOK -> result = 1; wrapper = H_ENDED
		:: else
		fi }
	:: d_step { hook -> hook = 0;
		if
		:: wrapper == H_HOOK -> result = 2; wrapper = H_ENDED
		:: else
		fi }
	od
}

/* Signals on their way arrive, fairly. */
active proctype kernel()
{
end:	do
	:: d_step { live[0] && killed[0] -> end_process(0) }
	:: d_step { live[1] && killed[1] -> end_process(1) }
	/* The parent starts an engine that ended. */
	:: d_step { !up -> up = 1 }
	od
}

/* A killed process leaves its request in the socket, and its child. */
active proctype chaos()
{
end:	do
	:: d_step { crashes > 0 && live[0] -> crashes--; end_process(0) }
	:: d_step { crashes > 0 && live[1] -> crashes--; end_process(1) }
	:: d_step { crashes > 0 && up -> crashes--; up = 0;
		req[0] = NOTHING; req[1] = NOTHING;
		ans[0] = NOTHING; ans[1] = NOTHING;
		sent[0] = 0; sent[1] = 0 }
	:: d_step { crashes > 0 &&
		(wrapper == H_WAITS || wrapper == H_HOOK) ->
		crashes--; wrapper = H_DEAD }
	/* It is slow to say HELLO: its run is closed. */
	:: d_step { crashes > 0 && up && row[0] && !hello[0] ->
		crashes--; requeue(0) }
	:: d_step { crashes > 0 && up && row[1] && !hello[1] ->
		crashes--; requeue(1) }
#ifdef PID_ONLY
	/* Another process gets the pid of a dead one. */
	:: d_step { !live[0] && row[0] && !reused[0] -> reused[0] = 1 }
	:: d_step { !live[1] && row[1] && !reused[1] -> reused[1] = 1 }
#endif
	:: d_step { moves > 0 && merges == 0 && !over ->
		moves--; target++ }
#ifdef LIVE
	:: break
#endif
	od
}

inline release(w)
{
	releases--;
	newest[w] = 0;
#ifdef NO_KILL
	requeue(w)
#else
	released = 1;
	killed[w] = 1
#endif
}

/*
 * lease release -f: fenced at once by a higher epoch, and killed; its row
 * stays until it is dead and drained, so that nobody replaces it before.
 */
active proctype operator()
{
end:	do
	:: d_step { up && releases > 0 && owner == 1 -> release(0) }
	:: d_step { up && releases > 0 && owner == 2 -> release(1) }
	:: d_step { up && cancels > 0 && stage == STAGING ->
		cancels--;
		cancelled = 1;
		job = (job == 1 -> 0 : job) }
#ifdef LIVE
	:: break
#endif
	od
}

init
{
	atomic { run worker(0); run worker(1) }
}

/* Nothing stays owned by the dead. */
ltl owned	{ [] (dead_owner -> <> !dead_owner) }
/* Whatever happens to it, a task ends; one that landed cannot be cancelled. */
ltl rests	{ <> over }
/* A deploy that was seen to succeed ends done. */
ltl done	{ [] (result == 1 -> <> (stage == DONE)) }
