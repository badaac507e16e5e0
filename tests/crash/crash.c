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

#include "crash.h"

/*
 * The driver: each transition type once without a crash, which gives the
 * start of the next and the end that every other way must have; then the same
 * with a crash at each point.
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
	int64_t	t_unreached, t_pairs, t_gone;
	int64_t	t_faults[FAULT__MAX];
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
static int		 normal, blind;	/* mutations */

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

static void
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

static void
run_case(const struct script *s, const struct shim_plan plan[CRASHES])
{
	struct scene c = { .c_script = s, .c_out = out, .c_normal = normal,
	    .c_blind = blind };
	int n, status = WORLD_DARK;

	strlcpy(c.c_dir, dir, sizeof(c.c_dir));
	set_stage(s);
	memcpy(out->o_plan, plan, sizeof(out->o_plan));
	for (n = 0; n < DARK_MAX && status == WORLD_DARK; n++) {
		status = run_world(&c);
		/* Who was asked to start something has forgotten it. */
		if (status == WORLD_DARK)
			out->o_nwanted = 0;
	}
	if (status != WORLD_END && out->o_fault == FAULT_NONE)
		blame(out, FAULT_OTHER, "the world ended with status %d",
		    status);
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
compare_end(const struct script *s)
{
	const char *want = bases[s - scripts].b_out.o_summary;
	const char *a = want, *b = out->o_summary;

	if (out->o_gone)
		add(&totals->t_gone, 1);
	if (out->o_fault != FAULT_NONE || out->o_gone || strcmp(want, b) == 0)
		return;
	while (*a != '\0' && *a == *b)
		a++, b++;
	while (a > want && a[-1] != '\n')
		a--, b--;
	blame(out, FAULT_OTHER, "another end: \"%.*s\" instead of \"%.*s\"",
	    (int)strcspn(b, "\n"), b, (int)strcspn(a, "\n"), a);
}

/* One case, if it is this lane's turn; its faults are counted and told. */
static void
try_case(const struct script *s, const struct shim_plan plan[CRASHES])
{
	unsigned int want = plan[1].p_mode == SHIM_COUNT ? 1 : 2;

	if (turn++ % nlanes != lane)
		return;
	run_case(s, plan);
	compare_end(s);
	add(want == 2 ? &totals->t_pairs : &totals->t_cases[plan[0].p_mode],
	    1);
	if (plan[0].p_mode <= SHIM_POWER && out->o_crashes == 0)
		add(&totals->t_unreached, 1);
	if (out->o_fault == FAULT_NONE)
		return;
	add(&totals->t_faults[out->o_fault], 1);
	if (normal || blind)
		return;
	printf("# %s %s %lld %llu", s->s_name, mode_names[plan[0].p_mode],
	    (long long)plan[0].p_at, (unsigned long long)plan[0].p_seed);
	if (want == 2)
		printf(" %s %lld %llu", mode_names[plan[1].p_mode],
		    (long long)plan[1].p_at,
		    (unsigned long long)plan[1].p_seed);
	printf(": %s: %.600s\n", fault_names[out->o_fault], out->o_said);
	fflush(stdout);
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

/* What is tried: every n-th point of each kind (1: all), and how often. */
struct plan {
	int64_t		 every[SHIM__MAX];
	int64_t		 seeds;		/* losses of power a point */
	int64_t		 pairs;		/* a script; -1: all */
	uint64_t	 seed;
};

static void
try_mode(size_t i, enum shim_mode mode, const struct plan *p)
{
	int64_t at = 0, n, most = bases[i].b_points;
	uint64_t seed = p->seed + i * 64 + mode;

	if (p->every[mode] == 0)
		return;
	if (mode == SHIM_NOMEM) {
		at = bases[i].b_opened;
		most = bases[i].b_allocs;
	}
	at += 1 + (int64_t)(draw(&seed) % (uint64_t)p->every[mode]);
	for (; at <= most; at += p->every[mode])
		for (n = 0; n < (mode == SHIM_POWER ? p->seeds : 1); n++)
			one_crash(&scripts[i], mode, at, draw(&seed));
}

static void
try_pair(size_t i, int64_t first, int64_t second, uint64_t *seed)
{
	struct shim_plan plan[CRASHES] = {
	    { draw(seed) % 2 ? SHIM_KILL : SHIM_POWER, first, draw(seed) },
	    { draw(seed) % 2 ? SHIM_KILL : SHIM_POWER, second, draw(seed) } };

	try_case(&scripts[i], plan);
}

static void
try_pairs(size_t i, const struct plan *p)
{
	uint64_t seed = p->seed + i, most = (uint64_t)bases[i].b_points;
	int64_t n, m;

	for (n = 0; n < p->pairs; n++)
		try_pair(i, 1 + (int64_t)(draw(&seed) % most),
		    1 + (int64_t)(draw(&seed) % most), &seed);
	for (n = 1; p->pairs == -1 && n <= (int64_t)most; n++)
		for (m = 1; m <= (int64_t)most - n + 1; m++)
			try_pair(i, n, m, &seed);
}

static void
enter_lane(int n)
{
	char path[96];

	lane = n;
	snprintf(dir, sizeof(dir), "%s/%d", top, n);
	snprintf(path, sizeof(path), "%s/result", dir);
	if (mkdir(dir, 0700) == -1 || mkdir(path, 0700) == -1)
		give_up("%s", dir);
	engine_conf(dir);
}

static void
remove_lane(int n)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/%d/result", top, n);
	clear_folder(path);
	(void)rmdir(path);
	snprintf(path, sizeof(path), "%s/%d", top, n);
	clear_folder(path);
	(void)rmdir(path);
}

static void
try_all(const struct plan *p, int only)
{
	unsigned int mode;
	size_t i;

	for (i = 0; i < NSCRIPTS; i++) {
		if (only != -1 && (size_t)only != i)
			continue;
		for (mode = SHIM_KILL; mode < SHIM__MAX; mode++)
			try_mode(i, mode, p);
		try_pairs(i, p);
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

/* All lanes work; nonzero when one of them failed by itself. */
static int
spread(const struct plan *p, int only)
{
	int n, status, bad = 0;

	fflush(stdout);
	for (n = 0; n < nlanes; n++) {
		switch (fork()) {
		case -1:
			give_up("fork");
		case 0:
			enter_lane(n);
			out = shared(sizeof(*out));
			try_all(p, only);
			fflush(stdout);
			_exit(0);
		default:
			break;
		}
	}
	for (n = 0; n < nlanes; n++)
		if (wait(&status) == -1 || status != 0)
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
	out = shared(sizeof(*out));
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

/* Each point is tried with kill; of the other ways, a sample by seed. */
static const struct plan check_plan = { .every = { [SHIM_KILL] = 1,
	[SHIM_POWER] = 5, [SHIM_IOERR] = 17, [SHIM_IOERR_STAYS] = 61,
	[SHIM_FULL] = 17, [SHIM_FULL_STAYS] = 61, [SHIM_NOMEM] = 401 },
	.seeds = 1, .pairs = 5, .seed = 1 };
static const struct plan soak_plan = { .every = { [SHIM_KILL] = 1,
	[SHIM_POWER] = 1, [SHIM_IOERR] = 1, [SHIM_IOERR_STAYS] = 1,
	[SHIM_FULL] = 1, [SHIM_FULL_STAYS] = 1, [SHIM_NOMEM] = 1 },
	.seeds = 20, .pairs = -1, .seed = 1 };
/* Losses of power only, for the mutations; of the transition that merges. */
static const struct plan mutant_plan = { .every = { [SHIM_POWER] = 1 },
	.seeds = 2, .seed = 1 };

/* Fewer points than this: somebody goes round the disk that we watch. */
#define POINTS_MIN	3700

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
	printf(", pairs %lld; hooks gone %lld\n",
	    (long long)totals->t_pairs, (long long)totals->t_gone);
}

static void
check_product(const struct plan *p, int only)
{
	unsigned int f;
	int bad = spread(p, only);

	tell();
	verdict(!bad, "every lane ended");
	/* The ways are not the same to the last write. */
	verdict(totals->t_unreached * 50 <= totals->t_cases[SHIM_KILL],
	    "%lld crashes did not come to pass",
	    (long long)totals->t_unreached);
	for (f = FAULT_LOST; f < FAULT__MAX; f++)
		verdict(totals->t_faults[f] == 0, "%lld %s",
		    (long long)totals->t_faults[f], fault_names[f]);
}

/* A proof that nothing can break proves nothing. */
static void
check_mutants(void)
{
	int merge = (int)script_of("merge");

	memset(totals, 0, sizeof(*totals));
	normal = 1;
	(void)spread(&mutant_plan, merge);
	verdict(totals->t_faults[FAULT_LOST] > 0, "with synchronous=NORMAL "
	    "%lld of %lld losses of power lose what was acknowledged",
	    (long long)totals->t_faults[FAULT_LOST],
	    (long long)totals->t_cases[SHIM_POWER]);
	memset(totals, 0, sizeof(*totals));
	normal = 0;
	blind = 1;
	(void)spread(&mutant_plan, merge);
	verdict(totals->t_faults[FAULT_REPEATED] > 0, "without a probe %lld "
	    "of %lld losses of power repeat an effect",
	    (long long)totals->t_faults[FAULT_REPEATED],
	    (long long)totals->t_cases[SHIM_POWER]);
}

/* A sample of the sample, where programs are slow. */
static void
thin_out(struct plan *p, int64_t every)
{
	unsigned int m;

	for (m = SHIM_KILL; m < SHIM__MAX; m++)
		p->every[m] *= every < 1 ? 1 : every;
	p->pairs /= every < 1 || p->pairs < 0 ? 1 : every;
}

static void
usage(void)
{
	fprintf(stderr, "usage: crash [-a] [-j lanes] [-o script] [-s seed] "
	    "[-t every]\n"
	    "       crash -r script [way point seed [way point seed]]\n");
	exit(2);
}

int
main(int argc, char *argv[])
{
	const char *tmp = getenv("TMPDIR");
	struct plan p = check_plan;
	int ch, again = 0, only = -1;
	int64_t points;

	while ((ch = getopt(argc, argv, "aj:o:rs:t:")) != -1) {
		if (ch == 'a')
			p = soak_plan;
		else if (ch == 'j')
			nlanes = (int)number(optarg);
		else if (ch == 'o')
			only = (int)script_of(optarg);
		else if (ch == 'r')
			again = 1;
		else if (ch == 's')
			p.seed = (uint64_t)number(optarg);
		else if (ch == 't')
			thin_out(&p, number(optarg));
		else
			usage();
	}
	argc -= optind;
	argv += optind;
	if (nlanes > LANES_MAX)
		nlanes = LANES_MAX;
	if (nlanes < 1 || (again && argc < 1))
		usage();
	if ((size_t)snprintf(top, sizeof(top), "%s/crash-XXXXXX", tmp == NULL ?
	    "/tmp" : tmp) >= sizeof(top) || mkdtemp(top) == NULL)
		give_up("%s", top);
	totals = shared(sizeof(*totals));
	if (again)
		return (replay(argc, argv));
	points = play_bases();
	verdict(points >= POINTS_MIN, "%lld crash points (at least %d)",
	    (long long)points, POINTS_MIN);
	check_product(&p, only);
	if (only == -1)
		check_mutants();
	remove_lane(LANES_MAX);
	(void)rmdir(top);
	printf("1..%d\n", tests);
	return (failed);
}
