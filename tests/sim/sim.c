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

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bsd/stdlib.h>

#include "sim.h"
#include "lane.h"

#define ITEMS		1024
#define START		1700000000000	/* ms since 1970 */
#define FAIR_STEPS	60000
#define CHECK_EVERY	2500

struct world w;
struct lane lane;
struct counts n;

static int64_t next_due;

void
due_at(int64_t at)
{
	if (at < next_due)
		next_due = at;
}

/* --- one step ------------------------------------------------------------------ */

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
	go[i](items[which]);
	engine_ticks();
}

/* --- one seed -------------------------------------------------------------------- */

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
	for (most = w.step + FAIR_STEPS; w.step < most; ) {
		step();
		if (w.step % 100 == 0 && at_rest())
			break;
	}
	check_end();
	people_check();
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

int
main(int argc, char **argv)
{
	unsigned long long seed = 0, first = 1, seeds = 500, i;
	unsigned int steps = 10000, failed = 0;
	uint64_t hash;
	int opt;

	while ((opt = getopt(argc, argv, "s:n:k:f:v")) != -1) {
		switch (opt) {
		case 's':
			seed = strtoull(optarg, NULL, 10);
			break;
		case 'n':
			seeds = strtoull(optarg, NULL, 10);
			break;
		case 'k':
			steps = (unsigned int)strtoul(optarg, NULL, 10);
			break;
		case 'f':
			first = strtoull(optarg, NULL, 10);
			break;
		case 'v':
			trace_on = 2;
			break;
		}
	}
	engine_image();
	if (seed != 0) {
		failed = (unsigned int)try_seed(seed, steps, &hash);
		printf("%s\n%016llx\n", failed ? lane.why : "fine",
		    (unsigned long long)hash);
		return ((int)failed);
	}
	for (i = 0; i < seeds && failed < 10; i++)
		failed += (unsigned int)one_seed(first + i, steps);
#define X(name, must) printf("%20s %llu\n", #name, (unsigned long long)n.name);
	COUNTERS(X)
#undef X
	return (failed != 0);
}
