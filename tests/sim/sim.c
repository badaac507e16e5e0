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

#include <sys/wait.h>

#include <err.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bsd/stdlib.h>

#include "sim.h"
#include "lane.h"

/*
 * The simulator.  One process holds a small world: the engine, reaperd,
 * reconciled, finalizerd and any number of transition workers are the real
 * ones, object by object as they are shipped; what they ask the machine for
 * is answered here (tests/sim/sim.mk names the functions).
 *
 *   time		virtual, in ms; it passes when nothing can happen, and
 *			now and then when something can (rand.c, step())
 *   processes		a table with few pids that are used again, zombies,
 *			stopped ones, sessions, another boot or pid namespace,
 *			descriptors that cannot be opened (proc.c)
 *   programs		the engine and daemons run in callbacks; a worker or
 *			runner is a coroutine on a stack of its own (co.c); its
 *			death is that it never runs again.  A program's
 *			memory is a section that its death restores (engine.c)
 *   messages		two queues a connection, in order, each message late by
 *			nothing or by hours; what a dead process has sent is
 *			delivered, what the engine had not committed or written
 *			is lost (conn.c)
 *   database		SQLite in memory; what was committed stays
 *   repository		commits and references with compare-and-swap; a write is
 *			a child that lands later, also when its worker is dead
 *			or hears of an error (repo.c)
 *   parent, runners,	modelled: start late, never, twice; agents, imports,
 *   hook, people,	gates, the wrapper with its records (parent.c, runs.c);
 *   webhooks		actions on what was seen long ago (people.c)
 *
 * A step is one thing that can happen, drawn among all that can.  For the
 * first steps of a seed everything goes wrong at some rate (chaos.c), most of
 * all in the moments in which something cannot be undone: kill, stop, hide,
 * crash, cancel, release, another's push, a second worker.  Then the world is
 * fair, and every task must come to an end.  Most tasks begin in deploy-staging
 * (early.c).
 *
 * The world keeps books of its own (check.c): who was granted a lease, what
 * landed, which hook acted.  At each act, answer and commit these must hold:
 * one owner inside, and none before the last one's children have ended; only
 * the owner's epoch and the task's stage succeed; one merge a round, nobody
 * else's push gone, no task back or cancelled that was merged; one hook a
 * commit, acting before its deploy is judged; nothing owned by the dead for
 * long; no living run reaped as dead; nothing acknowledged is lost; and the
 * invariants of `orchctl check'.
 *
 * What this world leaves out: a wrapper killed between its hook's start and
 * the record of who the hook is (finalizerd(8) parks that for a person), a
 * forge that does not compare, disk faults (tests/crash), a second project.
 * The index that forbids a second transition of a task is dropped, so that one
 * can be started by mistake.
 *
 * `sim -s SEED' runs one seed again, to the same last event; -v shows it,
 * -d FILE keeps the database of one that fails.  -e ends it all after so many
 * failed seeds.
 */

#define ITEMS		1024
#define START		1700000000000	/* ms since 1970 */
#define FAIR_STEPS	60000
#define CHECK_EVERY	2500

struct world w;
struct lane lane;
struct counts n;

static int64_t next_due;
static const char *dump;	/* where a failed seed's database goes */

void
due_at(int64_t at)
{
	if (at < next_due)
		next_due = at;
}

/* --- one step ---------------------------------------------------------- */

static void
look_after_engine(void)
{
	if (!w.parent_up) {
		if (w.parent_at <= w.now)
			parent_start();
		else
			due_at(w.parent_at);
	}
	if (w.parent_up && !w.engine_up) {
		if (w.engine_at <= w.now)
			engine_start();
		else
			due_at(w.engine_at);
	}
	daemons_tick();
}

/* To the next thing that somebody waits for, or a while. */
static void
time_passes(void)
{
	int64_t far = w.now + 1000 + rnd(60000);

	w.now = next_due < far ? next_due : far;
}

enum { FROM_CONNS, FROM_EVENTS, FROM_PROCS, FROM_SPAWNS, FROM_ACTS,
	FROM__MAX };

static void
step(void)
{
	static size_t (*const enabled[FROM__MAX])(void **, size_t) = {
		conns_enabled, events_enabled, procs_enabled,
		spawns_enabled, acts_enabled };
	static void (*const go[FROM__MAX])(void *) = { conn_deliver,
		event_fire, proc_go, spawn_go, act_go };
	void *items[ITEMS];
	size_t upto[FROM__MAX], k = 0, which;
	int i;

	w.step++;
	n.steps++;
	if (!w.fair)
		chaos_act();
	next_due = INT64_MAX;
	look_after_engine();
	if (rnd(40) == 0)
		people_act();
	for (i = 0; i < FROM__MAX; i++) {
		k += enabled[i](items + k, ITEMS - k);
		upto[i] = k;
	}
	if (k == 0 || rnd(50) == 0) {
		time_passes();
		return;
	}
	which = rnd((unsigned int)k);
	for (i = 0; which >= upto[i]; i++)
		continue;
	w.critical = NULL;
	go[i](items[which]);
	engine_ticks();
	if (w.critical != NULL)
		chaos_critical(w.critical);
	if (w.step % 64 == 0)
		check_owned();
}

/* --- one seed ---------------------------------------------------------- */

static void
seed_begin(uint64_t seed)
{
	rnd_seed(seed);
	memset(&w, 0, sizeof(w));
	w.now = START;
	(void)snprintf(w.boot, sizeof(w.boot),
	    "00000000-0000-4000-8000-000000000001");
	w.pidns = 4026531836;
	w.inodes = rnd(4) != 0;
	w.parent_up = 1;
	owner = OWN_ENGINE;
	events_reset();
	conns_reset();
	procs_reset();
	repo_reset();
	files_reset();
	parent_reset();
	daemons_reset();
	people_reset();
	memory_fresh(OWN_ENGINE);
	engine_first();
}

/* Nothing is under way any more. */
static int
at_rest(void)
{
	return (!engine_busy() && w.engine_up && tasks_open(0) == 0 &&
	    sql_int("SELECT count(*) FROM job WHERE status IN ('queued', "
	    "'running')") == 0 && (tasks_open(1) == 0 || w.step % 5000 == 0));
}

static void
run_seed(unsigned int steps)
{
	unsigned int most;

	while (w.step < steps) {
		step();
		if (w.step % CHECK_EVERY == 0 && !engine_busy())
			check_all();
	}
	TRACE("the world becomes fair");
	chaos_end();
	for (most = w.step + FAIR_STEPS; w.step < most || engine_busy(); ) {
		step();
		if (w.step % 100 == 0 && at_rest())
			break;
	}
	check_end();
	people_check();
}

/* For whoever looks at a failed seed. */
static void
dump_database(void)
{
	sqlite3_backup *b;
	sqlite3 *to = NULL;

	(void)sqlite3_exec(store_db(eng.e_store), "COMMIT", NULL, NULL, NULL);
	if (sqlite3_open(dump, &to) == SQLITE_OK && (b =
	    sqlite3_backup_init(to, "main", store_db(eng.e_store), "main")) !=
	    NULL) {
		(void)sqlite3_backup_step(b, -1);
		(void)sqlite3_backup_finish(b);
	}
	(void)sqlite3_close(to);
}

/* 0, or 1 when it failed. */
static int
try_seed(uint64_t seed, unsigned int steps, uint64_t *hash)
{
	volatile int failed = 0;

	trace_reset(trace_on == 2);
	if (setjmp(lane.failed) == 0) {
		seed_begin(seed);
		run_seed(steps);
	} else {
		w.cur = NULL;
		failed = 1;
	}
	*hash = trace_hash();
	check_close();
	if (failed && trace_on == 2 && dump != NULL)
		dump_database();
	engine_end();
	return (failed);
}

/* A seed that failed says why, and what came before. */
static int
one_seed(uint64_t seed, unsigned int steps)
{
	uint64_t first, again;

	if (!try_seed(seed, steps, &first))
		return (0);
	trace_on = 1;
	(void)try_seed(seed, steps, &again);
	trace_on = 0;
	printf("not ok - seed %llu, step %u: %s\n", (unsigned long long)seed,
	    w.step, lane.why);
	trace_tail(stdout);
	printf("    again: sim -s %llu -k %u -v%s\n",
	    (unsigned long long)seed, steps, first == again ? "" :
	    " (and it did not happen twice in the same way)");
	(void)fflush(stdout);
	return (1);
}

/* --- lanes ------------------------------------------------------------- */

#define LANES_MAX	16
#define CHUNK		200	/* seeds of one process: its leaks go with it */
#define FAILURES_MAX	10	/* failed seeds are enough */
#define STEPS		10000

struct job {
	unsigned long long	j_first;
	unsigned long long	j_seeds;
	unsigned int		j_steps;
	unsigned int		j_lanes;
	unsigned int		j_enough;
};

/* What a lane's process has to say when it has ended. */
struct said {
	unsigned int	sd_failed;
	struct counts	sd_counts;
};

static void
add_counts(const struct counts *from)
{
#define X(name, must) n.name += from->name;
	COUNTERS(X)
#undef X
}

static void
chunk_run(const struct job *j, unsigned long long from, int out)
{
	struct said said;
	unsigned long long i;

	memset(&said, 0, sizeof(said));
	memset(&n, 0, sizeof(n));
	for (i = 0; from + i < j->j_seeds && said.sd_failed < j->j_enough;
	    i++)
		said.sd_failed += (unsigned int)one_seed(j->j_first + from +
		    i, j->j_steps);
	said.sd_counts = n;
	(void)fflush(stdout);
	if (write(out, &said, sizeof(said)) != (ssize_t)sizeof(said))
		_exit(2);
	_exit(0);
}

static pid_t
chunk_start(const struct job *j, unsigned long long from, int *in)
{
	int fds[2];
	pid_t pid;

	(void)fflush(stdout);
	if (pipe(fds) == -1 || (pid = fork()) == -1)
		err(2, "lane");
	if (pid == 0)
		chunk_run(j, from, fds[1]);
	(void)close(fds[1]);
	*in = fds[0];
	return (pid);
}

/* A process that died counts as a failed seed. */
static unsigned int
chunk_end(int in, int status)
{
	struct said said;

	memset(&said, 0, sizeof(said));
	if (read(in, &said, sizeof(said)) != (ssize_t)sizeof(said) ||
	    status != 0) {
		printf("not ok - a lane ended with status %d\n", status);
		said.sd_failed = 1;
	}
	(void)close(in);
	add_counts(&said.sd_counts);
	return (said.sd_failed);
}

/* All seeds, in as many processes at a time as there are lanes. */
static unsigned int
all_seeds(const struct job *j)
{
	unsigned long long next = 0, tick = 0;
	unsigned int failed = 0, running = 0, i;
	pid_t pids[LANES_MAX] = { 0 }, pid;
	int in[LANES_MAX], status;
	/* Few seeds are spread over the lanes all the same. */
	unsigned long long size = j->j_seeds / j->j_lanes / 16 + 1;

	if (size > CHUNK)
		size = CHUNK;
	for (;;) {
		for (i = 0; i < j->j_lanes && next < j->j_seeds && failed <
		    j->j_enough; i++) {
			struct job part = *j;

			if (pids[i] != 0)
				continue;
			part.j_seeds = next + size < j->j_seeds ? next +
			    size : j->j_seeds;
			pids[i] = chunk_start(&part, next, &in[i]);
			next += size;
			running++;
		}
		if (running == 0)
			return (failed);
		if ((pid = wait(&status)) == -1)
			err(2, "wait");
		for (i = 0; pids[i] != pid; i++)
			continue;
		failed += chunk_end(in[i], status);
		pids[i] = 0;
		running--;
		if (next / 10000 != tick && next < j->j_seeds) {
			tick = next / 10000;
			printf("# %llu seeds, %llu steps, %u failed\n", next,
			    (unsigned long long)n.steps, failed);
			(void)fflush(stdout);
		}
	}
}

/* --- what is said of it all -------------------------------------------- */

/* One seed twice is the same history, to the last event. */
static unsigned int
same_twice(const struct job *j)
{
	uint64_t a = 0, b = 1;
	unsigned int bad;

	bad = (unsigned int)(try_seed(j->j_first, j->j_steps, &a) |
	    try_seed(j->j_first, j->j_steps, &b));
	bad = bad || a != b;
	printf("%s - seed %llu run twice leaves the same trace (%016llx)\n",
	    bad ? "not ok" : "ok", j->j_first, (unsigned long long)a);
	return (bad);
}

/* Is there anything that was meant to happen and never did? */
static unsigned int
all_happened(int enough)
{
	unsigned int never = 0;

#define X(name, must) do {						\
	printf("# %-22s %llu\n", #name, (unsigned long long)n.name);	\
	never += (must) && n.name == 0;					\
} while (0);
	COUNTERS(X)
#undef X
	if (!enough)
		return (0);
	printf("%s - everything that can happen has happened\n",
	    never != 0 ? "not ok" : "ok");
	return (never);
}

static void __attribute__((noreturn))
usage(void)
{
	(void)fprintf(stderr, "usage: sim [-e enough] [-f first] [-j lanes] "
	    "[-k steps] [-n seeds]\n       sim -s seed [-k steps] [-d database] "
	    "[-v]\n");
	exit(2);
}

static unsigned long long
number(const char *text, unsigned long long max)
{
	const char *bad;
	long long v = strtonum(text, 1, (long long)max, &bad);

	if (bad != NULL)
		errx(2, "%s is %s", text, bad);
	return ((unsigned long long)v);
}

static int
replay(unsigned long long seed, unsigned int steps)
{
	uint64_t hash;
	int failed = try_seed(seed, steps, &hash);

	printf("seed %llu: %s (%016llx)\n", seed, failed ? lane.why : "ok",
	    (unsigned long long)hash);
	return (failed);
}

int
main(int argc, char **argv)
{
	struct job j = { 1, 500, STEPS, 1, FAILURES_MAX };
	unsigned long long seed = 0;
	unsigned int bad;
	int opt;

	while ((opt = getopt(argc, argv, "d:e:f:j:k:n:s:v")) != -1) {
		switch (opt) {
		case 'd':
			dump = optarg;
			break;
		case 'e':
			j.j_enough = (unsigned int)number(optarg, 1000000);
			break;
		case 'f':
			j.j_first = number(optarg, 1ULL << 60);
			break;
		case 'j':
			j.j_lanes = (unsigned int)number(optarg, LANES_MAX);
			break;
		case 'k':
			j.j_steps = (unsigned int)number(optarg, 100000000);
			break;
		case 'n':
			j.j_seeds = number(optarg, 1ULL << 60);
			break;
		case 's':
			seed = number(optarg, 1ULL << 60);
			break;
		case 'v':
			trace_on = 2;
			break;
		default:
			usage();
		}
	}
	engine_image();
	if (seed != 0)
		return (replay(seed, j.j_steps));
	bad = same_twice(&j);
	memset(&n, 0, sizeof(n));
	if ((opt = (int)all_seeds(&j)) == 0)
		printf("ok - %llu seeds of %u steps and a fair end\n",
		    j.j_seeds, j.j_steps);
	bad += (unsigned int)opt;
	bad += all_happened(j.j_seeds >= 500 && j.j_steps >= STEPS);
	return (bad != 0);
}
