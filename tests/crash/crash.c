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


#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bsd/stdlib.h>
#include <bsd/string.h>

#include "tour.h"

/*
 * The driver: each transition type once without a crash, which gives the
 * start of the next and the end that every other way must have; then a tour
 * of it (tour.h) for ends of the process and of the power, and a run of its
 * own for each failure that the process survives.
 */

#define DARK_MAX	4	/* losses of power in one case */
#define LANES_MAX	8

static const struct script scripts[] = {
	{ .s_name = "submit", .s_goal = "analysis" },
	{ .s_name = "analysis", .s_from = "submit",
	    .s_goal = "architecture" },
	{ .s_name = "architecture", .s_from = "analysis",
	    .s_goal = "development" },
	{ .s_name = "development", .s_from = "architecture",
	    .s_goal = "review" },
	{ .s_name = "review", .s_from = "development",
	    .s_goal = "testing" },
	{ .s_name = "testing", .s_from = "review",
	    .s_goal = "deploy-staging" },
	{ .s_name = "merge", .s_from = "testing", .s_goal = "deploy" },
	{ .s_name = "deploy", .s_from = "merge", .s_goal = "done" },
	{ .s_name = "analysis-refused", .s_from = "submit",
	    .s_goal = "architecture", .s_reject = 1 },
	{ .s_name = "analysis-error", .s_from = "submit",
	    .s_goal = "architecture", .s_fails = "check_analysis_complete",
	    .s_verdict = GATE_ERROR, .s_rounds = 1 },
	{ .s_name = "review-red", .s_from = "development",
	    .s_goal = "development", .s_fails = "check_reviewer_verdict",
	    .s_verdict = GATE_FAIL, .s_rounds = 1 },
	{ .s_name = "testing-red", .s_from = "review",
	    .s_goal = "development", .s_fails = "check_tests_passed",
	    .s_verdict = GATE_FAIL, .s_rounds = 1 },
	{ .s_name = "merge-red", .s_from = "testing",
	    .s_goal = "development", .s_fails = "check_branch_mergeable",
	    .s_verdict = GATE_FAIL, .s_rounds = 1 },
	{ .s_name = "merge-stale", .s_from = "testing",
	    .s_goal = "deploy", .s_stale = 1 },
	{ .s_name = "release", .s_from = "testing", .s_goal = "deploy",
	    .s_hangs = "edge", .s_ends = "person" },
	{ .s_name = "ceiling", .s_from = "testing", .s_goal = "deploy",
	    .s_hangs = "edge", .s_ends = "reaper" },
	{ .s_name = "deploy-refused", .s_from = "merge",
	    .s_goal = "development", .s_reject = 1 },
	{ .s_name = "deploy-failed", .s_from = "merge",
	    .s_goal = "development", .s_fails = "hook",
	    .s_verdict = GATE_FAIL, .s_rounds = 1 },
	{ .s_name = "park", .s_from = "architecture", .s_goal = "parked",
	    .s_fails = "check_tests_local", .s_verdict = GATE_FAIL,
	    .s_rounds = 99 },
	{ .s_name = "retry", .s_from = "park", .s_goal = "review",
	    .s_retry = 1 },
	{ .s_name = "cancel-early", .s_from = "submit",
	    .s_goal = "cancelled", .s_cancel = 1 },
	{ .s_name = "cancel-branch", .s_from = "architecture",
	    .s_goal = "cancelled", .s_cancel = 1 },
};
#define NSCRIPTS	(sizeof(scripts) / sizeof(scripts[0]))

/* What a script leaves when nothing goes wrong. */
struct base {
	struct outside	 b_out;		/* at its end */
	char		*b_db;		/* the database then */
	size_t		 b_len;
	int64_t		 b_points, b_allocs, b_opened;
};

struct totals {
	int64_t	t_cases[SHIM__MAX];
	int64_t	t_pairs, t_gone;
	int64_t	t_opened, t_played;	/* worlds after a crash, see tour.h */
	int64_t	t_faults[FAULT__MAX];
	size_t	t_next;		/* script that no lane has toured yet */
};

static const char *const mode_names[SHIM__MAX] = { "none", "kill", "power",
	"ioerr", "ioerr-stays", "full", "full-stays", "nomem" };
static const char *const fault_names[FAULT__MAX] = { "none", "lost",
	"repeated", "corrupt", "other" };

static struct base	 bases[NSCRIPTS];
static struct totals	*totals;
static struct outside	*out;		/* of this lane */
static char		 top[56];	/* folder of all lanes */
static char		 dir[72];	/* of this lane */
static int		 lane, nlanes = 2;
static int64_t		 turn;		/* cases so far, over all lanes */
static int		 blind;		/* a mutation */
static struct tour	*tours[CRASHES];
static struct outside	*outs[CRASHES + 1];	/* [0] is out */

static void __attribute__((noreturn, format(printf, 1, 2)))
give_up(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vprintf(fmt, ap);
	va_end(ap);
	printf(": %s\n", strerror(errno));
	exit(2);
}

static size_t
script_of(const char *name)
{
	size_t i;

	for (i = 0; i < NSCRIPTS; i++)
		if (strcmp(scripts[i].s_name, name) == 0)
			return (i);
	give_up("no script %s", name);
}

void
clear_folder(const char *path)
{
	struct dirent *de;
	DIR *d = opendir(path);

	while (d != NULL && (de = readdir(d)) != NULL)
		if (de->d_name[0] != '.')
			(void)unlinkat(dirfd(d), de->d_name, 0);
	if (d != NULL)
		closedir(d);
}

static void
db_path(char *path, size_t len)
{
	snprintf(path, len, "%s/orchd.db", dir);
}

/* The start of a script: the end of the one before it. */
static void
set_stage(const struct script *s)
{
	const struct base *b;
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/result", dir);
	clear_folder(path);
	clear_folder(dir);
	memset(out, 0, sizeof(*out));
	out->o_ms = 1700000000000;
	if (s->s_from == NULL)
		return;
	b = &bases[script_of(s->s_from)];
	*out = b->b_out;
	out->o_nfacts = out->o_nhooks = out->o_engines = out->o_crashes = 0;
	out->o_asked[0] = '\0';
	out->o_erred = out->o_healed = 0;
	out->o_hangs = 0;
	out->o_nkilled = 0;
	out->o_from = out->o_shown.s_seq;
	db_path(path, sizeof(path));
	if ((fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
	    0600)) == -1 || write(fd, b->b_db, b->b_len) !=
	    (ssize_t)b->b_len)
		give_up("%s", path);
	close(fd);
}

/* The database of a finished script, in memory. */
static void
keep_base(struct base *b)
{
	char path[128];
	struct stat sb;
	int fd;

	b->b_out = *out;
	db_path(path, sizeof(path));
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1 ||
	    fstat(fd, &sb) == -1 ||
	    (b->b_db = malloc((size_t)sb.st_size)) == NULL ||
	    read(fd, b->b_db, (size_t)sb.st_size) != sb.st_size)
		give_up("%s", path);
	b->b_len = (size_t)sb.st_size;
	close(fd);
}

/* A world in a process of its own; its exit status. */
static int
run_world(struct scene *c)
{
	char path[128];
	int status, fd;
	pid_t pid;

	if ((pid = fork()) == -1)
		give_up("fork");
	if (pid == 0) {
		snprintf(path, sizeof(path), "%s/log", dir);
		if ((fd = open(path, O_WRONLY | O_CREAT | O_APPEND |
		    O_CLOEXEC, 0600)) != -1)
			(void)dup2(fd, STDERR_FILENO);
		world_run(c);
	}
	if (waitpid(pid, &status, 0) == -1 || !WIFEXITED(status))
		return (WORLD_FAULT);
	return (WEXITSTATUS(status));
}

static void told(struct scene *, struct outside *, int);

static void
set_scene(struct scene *c, const struct script *s)
{
	memset(c, 0, sizeof(*c));
	c->c_script = s;
	c->c_out = out;
	c->c_blind = blind;
	c->c_told = told;
	memcpy(c->c_tours, tours, sizeof(tours));
	memcpy(c->c_outs, outs, sizeof(outs));
	strlcpy(c->c_dir, dir, sizeof(c->c_dir));
	set_stage(s);
}

static void
blame_end(struct outside *o, int status)
{
	if (status != WORLD_END)
		blame(o, FAULT_OTHER, "the world ended with status %d",
		    status);
}

static void
run_case(const struct script *s, const struct shim_plan plan[CRASHES])
{
	struct scene c;
	int n, status = WORLD_DARK;

	set_scene(&c, s);
	memcpy(out->o_plan, plan, sizeof(out->o_plan));
	for (n = 0; n < DARK_MAX && status == WORLD_DARK; n++) {
		status = run_world(&c);
		/* Who was asked to start something has forgotten it. */
		if (status == WORLD_DARK) {
			out->o_nwanted = 0;
			out->o_boot++;
			out->o_hangs = 0;
		}
	}
	blame_end(out, status);
}

static void
add(int64_t *p, int64_t n)
{
	(void)__atomic_add_fetch(p, n, __ATOMIC_RELAXED);
}

/*
 * Is the end the expected one?  Where a hook had its GO and was gone without
 * a result, the deploy has failed (R-33) and another round follows.
 */
static void
compare_end(const struct script *s, struct outside *o)
{
	const char *want = bases[s - scripts].b_out.o_summary;
	const char *a = want, *b = o->o_summary;

	if (o->o_gone)
		add(&totals->t_gone, 1);
	if (o->o_fault != FAULT_NONE || o->o_gone || strcmp(want, b) == 0)
		return;
	while (*a != '\0' && *a == *b)
		a++, b++;
	while (a > want && a[-1] != '\n')
		a--, b--;
	blame(o, FAULT_OTHER, "another end: \"%.*s\" instead of \"%.*s\"",
	    (int)strcspn(b, "\n"), b, (int)strcspn(a, "\n"), a);
}

/* How a case ended: a fault is counted, and told so that -r takes it. */
static void
judge(const struct script *s, struct outside *o)
{
	const struct shim_plan *p = o->o_plan;
	size_t i;

	compare_end(s, o);
	if (o->o_fault == FAULT_NONE)
		return;
	add(&totals->t_faults[o->o_fault], 1);
	if (blind)
		return;
	printf("# %s", s->s_name);
	for (i = 0; i < CRASHES && p[i].p_mode != SHIM_COUNT; i++)
		printf(" %s %lld %llu", mode_names[p[i].p_mode],
		    (long long)p[i].p_at, (unsigned long long)p[i].p_seed);
	printf(": %s: %.600s\n", fault_names[o->o_fault], o->o_said);
	fflush(stdout);
}

/* A world of a tour has ended. */
static void
told(struct scene *c, struct outside *o, int status)
{
	blame_end(o, status);
	judge(c->c_script, o);
}

/* One case, if it is this lane's turn. */
static void
try_case(const struct script *s, const struct shim_plan plan[CRASHES])
{
	if (turn++ % nlanes != lane)
		return;
	run_case(s, plan);
	judge(s, out);
	add(&totals->t_cases[plan[0].p_mode], 1);
}

static void
one_crash(const struct script *s, enum shim_mode mode, int64_t at,
    uint64_t seed)
{
	struct shim_plan plan[CRASHES] = { { mode, at, seed } };

	try_case(s, plan);
}

/* The same in each lane, so that all lanes agree about whose turn it is. */
static uint64_t
draw(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005 + 1442695040888963407;
	return (*seed >> 33);
}

/*
 * What is tried: of the points and allocations every n-th (1: all, 0: none);
 * of the disks that crashes leave, every n-th for crashes of its recovery.
 */
struct plan {
	int64_t		 every[SHIM__MAX];	/* POWER is KILL's */
	int64_t		 seeds;		/* losses of power a point */
	int64_t		 pairs, pair_seeds;
	int		 engine;	/* opens each disk, not only SQLite */
	uint64_t	 seed;
};

static void
try_mode(size_t i, enum shim_mode mode, const struct plan *p)
{
	int64_t at = 0, most = bases[i].b_points;
	uint64_t seed = p->seed + i * 64 + mode;

	if (p->every[mode] == 0)
		return;
	if (mode == SHIM_NOMEM) {
		at = bases[i].b_opened;
		most = bases[i].b_allocs;
	}
	at += 1 + (int64_t)(draw(&seed) % (uint64_t)p->every[mode]);
	for (; at <= most; at += p->every[mode])
		one_crash(&scripts[i], mode, at, draw(&seed));
}

/* A script, and every way to leave it. */
static void
tour_script(size_t i, const struct plan *p)
{
	static const struct shim_plan none[CRASHES];
	struct scene c;
	unsigned int m, d;

	set_scene(&c, &scripts[i]);
	memcpy(out->o_plan, none, sizeof(out->o_plan));
	for (d = 0; d < CRASHES; d++) {
		memset(tours[d], 0, sizeof(*tours[d]));
		tours[d]->t_every = d == 0 ? p->every[SHIM_KILL] : 1;
		tours[d]->t_seeds = d == 0 ? p->seeds : p->pair_seeds;
		tours[d]->t_seed = p->seed + i;
		tours[d]->t_next = d == 0 ? p->pairs : 0;
		tours[d]->t_engine = p->engine;
	}
	c.c_tour = tours[0];
	blame_end(out, run_world(&c));
	judge(&scripts[i], out);
	for (d = 0; d < CRASHES; d++) {
		for (m = SHIM_KILL; m <= SHIM_POWER; m++)
			add(d == 0 ? &totals->t_cases[m] : &totals->t_pairs,
			    tours[d]->t_cases[m]);
		add(&totals->t_opened, tours[d]->t_opened);
		add(&totals->t_played, tours[d]->t_played);
	}
}

static void *
shared(size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED |
	    MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		give_up("memory");
	return (p);
}

/* The folder of a world of that lane; `part' of it. */
static void
lane_path(char path[96], int n, int depth, const char *part)
{
	snprintf(path, 96, "%s/%d%.*s%s", top, n, 2 * depth, "/x/x/x/x",
	    part);
}

static void
enter_lane(int n)
{
	char path[96];
	int i;

	lane = n;
	for (i = 0; i <= CRASHES; i++) {
		lane_path(path, n, i, "");
		if (mkdir(path, 0700) == -1)
			give_up("%s", path);
		lane_path(path, n, i, "/result");
		if (mkdir(path, 0700) == -1)
			give_up("%s", path);
		outs[i] = shared(sizeof(*outs[i]));
		if (i < CRASHES)
			tours[i] = shared(sizeof(*tours[i]));
	}
	out = outs[0];
	lane_path(path, n, 0, "");
	strlcpy(dir, path, sizeof(dir));
	engine_conf(dir);
}

static void
remove_lane(int n)
{
	char path[96];
	int i;

	for (i = CRASHES; i >= 0; i--) {
		lane_path(path, n, i, "/result");
		clear_folder(path);
		(void)rmdir(path);
		lane_path(path, n, i, "");
		clear_folder(path);
		(void)rmdir(path);
	}
}

static void
try_all(const struct plan *p, int only)
{
	unsigned int mode;
	size_t i;

	while ((i = __atomic_fetch_add(&totals->t_next, 1,
	    __ATOMIC_RELAXED)) < NSCRIPTS)
		if (only == -1 || (size_t)only == i)
			tour_script(i, p);
	for (i = 0; i < NSCRIPTS; i++)
		for (mode = SHIM_IOERR; mode < SHIM__MAX; mode++)
			if (only == -1 || (size_t)only == i)
				try_mode(i, mode, p);
}

/* All lanes work; nonzero when one of them failed by itself. */
static int
spread(const struct plan *p, int only)
{
	pid_t lanes[LANES_MAX];
	int n, status, bad = 0;

	fflush(stdout);
	for (n = 0; n < nlanes; n++) {
		switch (lanes[n] = fork()) {
		case -1:
			give_up("fork");
		case 0:
			enter_lane(n);
			try_all(p, only);
			fflush(stdout);
			_exit(0);
		default:
			break;
		}
	}
	for (n = 0; n < nlanes; n++)
		if (waitpid(lanes[n], &status, 0) == -1 || status != 0)
			bad = 1;
	for (n = 0; n < nlanes; n++)
		remove_lane(n);
	return (bad);
}

/* Each script without a crash. */
static int64_t
play_bases(void)
{
	static const struct shim_plan none[CRASHES];
	int64_t points = 0;
	size_t i;

	enter_lane(LANES_MAX);
	for (i = 0; i < NSCRIPTS; i++) {
		run_case(&scripts[i], none);
		if (out->o_fault != FAULT_NONE) {
			printf("not ok %s: %s\n", scripts[i].s_name,
			    out->o_said);
			exit(1);
		}
		bases[i].b_points = out->o_points;
		bases[i].b_allocs = out->o_allocs;
		bases[i].b_opened = out->o_opened;
		keep_base(&bases[i]);
		points += out->o_points;
		printf("# %-16s %4lld points, %5lld allocations\n",
		    scripts[i].s_name, (long long)out->o_points,
		    (long long)(out->o_allocs - out->o_opened));
	}
	return (points);
}

/*
 * Of each point all that the disk can be after it; of what the process
 * survives, and of crashes in a recovery, a sample by seed.
 */
static const struct plan check_plan = { .every = { [SHIM_KILL] = 1,
	[SHIM_IOERR] = 1, [SHIM_IOERR_STAYS] = 1, [SHIM_FULL] = 17,
	[SHIM_FULL_STAYS] = 61, [SHIM_NOMEM] = 25 },
	.seeds = 20, .pairs = 32, .pair_seeds = 1, .seed = 1 };
static const struct plan soak_plan = { .every = { [SHIM_KILL] = 1,
	[SHIM_IOERR] = 1, [SHIM_IOERR_STAYS] = 1, [SHIM_FULL] = 1,
	[SHIM_FULL_STAYS] = 1, [SHIM_NOMEM] = 1 },
	.seeds = 20, .pairs = 1, .pair_seeds = 2, .engine = 1, .seed = 1 };
/* For the mutation, of the transition that merges. */
static const struct plan mutant_plan = { .every = { [SHIM_KILL] = 1 },
	.seeds = 2, .seed = 1 };

/* Fewer points than this: somebody goes round the disk that we watch. */
#define POINTS_MIN	4200

/* So many cases are tried; fewer, and the proof has shrunk. */
struct least {
	int64_t		 l_cases[SHIM__MAX];
	int64_t		 l_pairs;
};
static const struct least check_least = { .l_cases = {
	[SHIM_KILL] = 5000, [SHIM_POWER] = 100000, [SHIM_IOERR] = 4200,
	[SHIM_IOERR_STAYS] = 4200, [SHIM_FULL] = 240, [SHIM_FULL_STAYS] = 60,
	[SHIM_NOMEM] = 2500 }, .l_pairs = 12000 };
static const struct least soak_least = { .l_cases = {
	[SHIM_KILL] = 5000, [SHIM_POWER] = 100000, [SHIM_IOERR] = 4200,
	[SHIM_IOERR_STAYS] = 4200, [SHIM_FULL] = 4200,
	[SHIM_FULL_STAYS] = 4200, [SHIM_NOMEM] = 60000 },
	.l_pairs = 200000 };

static int	tests, failed;

static void __attribute__((format(printf, 2, 3)))
verdict(int ok, const char *fmt, ...)
{
	va_list ap;

	printf("%s %d - ", ok ? "ok" : "not ok", ++tests);
	va_start(ap, fmt);
	(void)vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
	failed |= !ok;
}

static int64_t
number(const char *text)
{
	const char *bad;
	int64_t n = strtonum(text, 0, 1LL << 40, &bad);

	if (bad != NULL)
		give_up("%s is %s", text, bad);
	return (n);
}

static void
read_plan(struct shim_plan *p, char *argv[])
{
	for (p->p_mode = SHIM_KILL; p->p_mode < SHIM__MAX; p->p_mode++)
		if (strcmp(mode_names[p->p_mode], argv[0]) == 0)
			break;
	if (p->p_mode == SHIM__MAX)
		give_up("no way to crash is called %s", argv[0]);
	p->p_at = number(argv[1]);
	p->p_seed = (uint64_t)number(argv[2]);
}

/* One case by name, as its "#" line has it; its log is kept. */
static int
replay(int argc, char *argv[])
{
	struct shim_plan plan[CRASHES] = { { SHIM_COUNT, 0, 0 } };

	nlanes = 1;
	if (argc >= 4)
		read_plan(&plan[0], argv + 1);
	if (argc >= 7)
		read_plan(&plan[1], argv + 4);
	(void)play_bases();
	lane = 0;
	turn = 0;
	try_case(&scripts[script_of(argv[0])], plan);
	printf("%s: %s\n%s", fault_names[out->o_fault], out->o_said,
	    out->o_summary);
	printf("%u crashes; look at %s/log\n", out->o_crashes, dir);
	return (out->o_fault == FAULT_NONE ? 0 : 1);
}

static void
tell(void)
{
	unsigned int m;

	printf("# cases:");
	for (m = SHIM_KILL; m < SHIM__MAX; m++)
		printf(" %s %lld", mode_names[m],
		    (long long)totals->t_cases[m]);
	printf(", pairs %lld; hooks gone %lld\n# disks that crashes left "
	    "%lld, worlds that went on from them %lld\n",
	    (long long)totals->t_pairs, (long long)totals->t_gone,
	    (long long)totals->t_opened, (long long)totals->t_played);
}

static void
check_product(const struct plan *p, int only)
{
	unsigned int f;
	int bad = spread(p, only);

	tell();
	verdict(!bad, "every lane ended");
	for (f = FAULT_LOST; f < FAULT__MAX; f++)
		verdict(totals->t_faults[f] == 0, "%lld %s",
		    (long long)totals->t_faults[f], fault_names[f]);
}

static void
check_size(const struct least *l)
{
	unsigned int m;

	for (m = SHIM_KILL; m < SHIM__MAX; m++)
		verdict(totals->t_cases[m] >= l->l_cases[m], "%lld cases of "
		    "%s (at least %lld)", (long long)totals->t_cases[m],
		    mode_names[m], (long long)l->l_cases[m]);
	verdict(totals->t_pairs >= l->l_pairs, "%lld crashes in a recovery "
	    "(at least %lld)", (long long)totals->t_pairs,
	    (long long)l->l_pairs);
}

/* A proof that nothing can break proves nothing. */
static void
check_mutant(void)
{
	memset(totals, 0, sizeof(*totals));
	blind = 1;
	(void)spread(&mutant_plan, (int)script_of("merge"));
	verdict(totals->t_faults[FAULT_REPEATED] > 0, "without a probe %lld "
	    "of %lld worlds repeat an effect",
	    (long long)totals->t_faults[FAULT_REPEATED],
	    (long long)totals->t_played);
}

/* A sample of the sample, where programs are slow. */
static void
thin_out(struct plan *p, int64_t every)
{
	unsigned int m;

	for (m = SHIM_KILL; m < SHIM__MAX; m++)
		p->every[m] *= every;
	p->pairs *= every;
}

static void
crashes_only(struct plan *p)
{
	unsigned int m;

	for (m = SHIM_IOERR; m < SHIM__MAX; m++)
		p->every[m] = 0;
	p->pairs = 0;
}

static void
remove_top(void)
{
	int n;

	for (n = 0; n <= LANES_MAX; n++)
		remove_lane(n);
	(void)rmdir(top);
}

/*
 * A folder in memory, where there is one.  Nobody else would remove it when
 * we are killed: a process that ends after the last of us does.
 */
static void
make_top(int keep)
{
	const char *tmp = getenv("TMPDIR");
	int p[2];
	char c;

	strlcpy(top, "/dev/shm/orchd-crash-XXXXXX", sizeof(top));
	if (mkdtemp(top) == NULL && ((size_t)snprintf(top, sizeof(top),
	    "%s/crash-XXXXXX", tmp == NULL ? "/tmp" : tmp) >= sizeof(top) ||
	    mkdtemp(top) == NULL))
		give_up("%s", top);
	if (keep)
		return;
	if (pipe(p) == -1)
		give_up("pipe");
	switch (fork()) {
	case -1:
		give_up("fork");
	case 0:
		(void)setsid();
		close(p[1]);
		close(STDOUT_FILENO);
		close(STDERR_FILENO);
		(void)!read(p[0], &c, 1);
		remove_top();
		_exit(0);
	default:
		close(p[0]);
	}
}

static void
usage(void)
{
	fprintf(stderr, "usage: crash [-ak] [-j lanes] [-o script] [-p every] "
	    "[-s seed] [-t every]\n"
	    "       crash -r script [way point seed [way point seed]]\n");
	exit(2);
}

int
main(int argc, char *argv[])
{
	struct plan p = check_plan;
	const struct least *least = &check_least;
	int ch, again = 0, only = -1;
	int64_t points, every = 1;

	while ((ch = getopt(argc, argv, "aj:ko:p:rs:t:")) != -1) {
		if (ch == 'a') {
			p = soak_plan;
			least = &soak_least;
		} else if (ch == 'j')
			nlanes = (int)number(optarg);
		else if (ch == 'k')
			crashes_only(&p);
		else if (ch == 'o')
			only = (int)script_of(optarg);
		else if (ch == 'p')
			p.pairs = number(optarg);
		else if (ch == 'r')
			again = 1;
		else if (ch == 's')
			p.seed = (uint64_t)number(optarg);
		else if (ch == 't' && (every = number(optarg)) > 1)
			thin_out(&p, every);
		else if (ch == 't')
			continue;
		else
			usage();
	}
	argc -= optind;
	argv += optind;
	if (nlanes > LANES_MAX)
		nlanes = LANES_MAX;
	if (nlanes < 1 || (again && argc < 1))
		usage();
	make_top(again);
	totals = shared(sizeof(*totals));
	if (again)
		return (replay(argc, argv));
	points = play_bases();
	verdict(points >= POINTS_MIN, "%lld crash points (at least %d)",
	    (long long)points, POINTS_MIN);
	check_product(&p, only);
	if (only == -1) {
		if (every == 1 && p.pairs > 0)
			check_size(least);
		check_mutant();
	}
	printf("1..%d\n", tests);
	return (failed);
}
