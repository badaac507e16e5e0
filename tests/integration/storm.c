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
 * storm: the service manager of an orchd whose processes get signals at
 * random moments, while people drive items through it.
 *
 *   storm -f orchd.conf -o orchd -r control.sock -l log [-n signals]
 *	[-s seed] [-i items] [-g gap_ms] [-w seconds]
 *
 * Sends SIGKILL, or SIGSTOP and later SIGCONT, to processes that it chooses by
 * sort, with the seed; starts orchd again whenever that died; then lets all
 * items come to their end, stops orchd and looks for what is left over.  As it
 * is the subreaper, no process can get away from it.
 *
 * Exit status: 0, or the sum of 2 (items are not at their end in time), 4
 * (processes are left over), 8 (orchd ended by itself or badly), 16 (too few
 * signals found a process); 1 for trouble of its own.
 */

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bsd/stdlib.h>

#include "storm.h"

#define PROCS_MAX	2048
#define STOPS_MAX	4	/* stopped at one time */
#define LONG_STOP_MS	3500	/* beyond the reaper's grace of the test */
#define WARM_MS		20000
#define END_MS		60000	/* for orchd to stop */

#define NOT_AT_END	2
#define LEFT_OVER	4
#define ENDED_BADLY	8
#define TOO_FEW		16

/* The weight of each sort, where there is one, and what may happen to it. */
static const struct {
	const char	*s_name;
	unsigned int	 s_weight;
	int		 s_kill;
	int		 s_long;	/* may be stopped for long */
} sorts[V__MAX] = {
	[V_PARENT] = { "parent", 2, 1, 0 },
	[V_ENGINE] = { "engine", 14, 1, 0 },
	[V_WORKER] = { "worker", 90, 1, 1 },
	[V_HOOK] = { "hook", 90, 1, 1 },
	[V_RUNNER] = { "runner", 26, 1, 1 },
	[V_GIT] = { "git", 70, 1, 1 },
	[V_FINALIZERD] = { "finalizerd", 4, 1, 1 },
	[V_RECONCILED] = { "reconciled", 4, 1, 1 },
	[V_REAPERD] = { "reaperd", 5, 1, 1 },
	[V_INSIDE] = { "inside", 14, 0, 0 },
	[V_ALL] = { "everything", 1, 1, 0 },
};

/* A signal, and whom it will meet. */
struct choice {
	enum victim	c_sort;
	int		c_signal;
	int64_t		c_stop_ms;
};

/* All; those who do what cannot be taken back; the hook's wrapper. */
enum aim { AIM_ANY, AIM_INSIDE, AIM_HOOK };

struct stop {
	int	st_fd;		/* pidfd; 0 is free */
	int64_t	st_until;
};

static struct {
	const char	*o_orchd;
	const char	*o_conf;
	const char	*o_socket;
	const char	*o_log;
	long long	 o_signals;
	uint64_t	 o_seed;
	int		 o_items;
	int64_t		 o_gap_ms;
	int64_t		 o_wait_s;
} opt = { .o_signals = 300, .o_seed = 1, .o_items = 8, .o_gap_ms = 180,
	.o_wait_s = 120 };

static struct storm_shared *sh;
static struct stop	 stops[STOPS_MAX];
static unsigned long	 killed[V__MAX], stopped[V__MAX], continued;
static unsigned long	 missed, starts;
static pid_t		 orchd, people;
static int		 orchd_killed, problems;

static int64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

static void
pause_ms(long ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	(void)nanosleep(&ts, NULL);
}

/* splitmix64 of Steele, Lea and Flood, 2014. */
static uint64_t
draw(uint64_t below)
{
	uint64_t z = opt.o_seed += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return ((z ^ z >> 31) % below);
}

static unsigned long
sum(const unsigned long *n)
{
	unsigned long all = 0;
	int i;

	for (i = 0; i < V__MAX; i++)
		all += n[i];
	return (all);
}

static void
start_orchd(void)
{
	int fd;

	starts++;
	orchd_killed = 0;
	if ((orchd = fork()) == -1)
		err(1, "fork");
	if (orchd != 0)
		return;
	if ((fd = open(opt.o_log, O_WRONLY | O_CREAT | O_APPEND, 0644)) ==
	    -1 || dup2(fd, 1) == -1 || dup2(fd, 2) == -1 ||
	    (fd = open("/dev/null", O_RDONLY)) == -1 || dup2(fd, 0) == -1)
		_exit(126);
	(void)closefrom(3);
	(void)execl(opt.o_orchd, "orchd", "-f", opt.o_conf, (char *)NULL);
	_exit(127);
}

static void
start_people(void)
{
	pid_t driver = getpid();

	if ((people = fork()) == -1)
		err(1, "fork");
	if (people != 0)
		return;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != driver)
		_exit(1);
	storm_people(sh, opt.o_socket, opt.o_items);
}

/* Whoever ended, orphans too; -1 when orchd was among them. */
static int
reap(int *status)
{
	int st, rv = 0;
	pid_t pid;

	while ((pid = waitpid(-1, &st, WNOHANG)) > 0) {
		if (pid == people)
			errx(1, "the people ended, status 0x%x", st);
		if (pid != orchd)
			continue;
		orchd = 0;
		*status = st;
		rv = -1;
	}
	return (rv);
}

/* The service manager: what died is started again. */
static void
look_after_orchd(void)
{
	int st;

	if (reap(&st) == 0)
		return;
	if (!orchd_killed) {
		printf("# orchd ended by itself, status 0x%x\n", st);
		problems |= ENDED_BADLY;
		pause_ms(500);
	}
	start_orchd();
}

static int
signal_fd(int fd, int sig)
{
	return ((int)syscall(SYS_pidfd_send_signal, fd, sig, NULL, 0));
}

/* Let go on what has been stopped long enough; with all, everything. */
static void
go_on(int all)
{
	size_t i;

	for (i = 0; i < STOPS_MAX; i++) {
		if (stops[i].st_fd == 0 ||
		    (!all && now_ms() < stops[i].st_until))
			continue;
		continued += signal_fd(stops[i].st_fd, SIGCONT) == 0;
		close(stops[i].st_fd);
		stops[i].st_fd = 0;
	}
}

static struct stop *
free_stop(void)
{
	size_t i;

	for (i = 0; i < STOPS_MAX; i++)
		if (stops[i].st_fd == 0)
			return (&stops[i]);
	return (NULL);
}

static int
is_aim(int sort, enum aim aim)
{
	return (aim == AIM_ANY || sort == V_HOOK || (aim == AIM_INSIDE &&
	    (sort == V_WORKER || sort == V_GIT)));
}

/*
 * One of the sorts that there are, by weight, and what happens to it.  -1:
 * there is none now.
 */
static int
choose(struct choice *c, const struct proc *p, size_t n, enum aim aim)
{
	unsigned int have[V__MAX] = { [V_ALL] = aim == AIM_ANY ?
	    sorts[V_ALL].s_weight : 0 };
	uint64_t w, all = have[V_ALL];
	size_t i;
	int s;

	for (i = 0; i < n; i++)
		if ((s = storm_sort(p, n, i, orchd)) != -1 && have[s] == 0 &&
		    is_aim(s, aim))
			all += have[s] = sorts[s].s_weight;
	if (all == 0)
		return (-1);
	w = draw(all);
	for (s = 0; s < V__MAX - 1 && w >= have[s]; s++)
		w -= have[s];
	c->c_sort = (enum victim)s;
	c->c_signal = !sorts[s].s_kill || (s != V_ALL && draw(100) < 35) ?
	    SIGSTOP : SIGKILL;
	c->c_stop_ms = sorts[s].s_long && draw(100) < 10 ? LONG_STOP_MS :
	    (int64_t)(20 + draw(400));
	return (0);
}

/* Everything at once, as when the machine goes down; the disk stays. */
static void
strike_all(void)
{
	static struct proc p[PROCS_MAX];
	size_t i, n, tries;

	orchd_killed = 1;
	killed[V_ALL]++;
	(void)kill(orchd, SIGKILL);
	for (tries = 0; tries < 3; tries++) {
		n = storm_scan(p, PROCS_MAX);
		for (i = 0; i < n; i++)
			if (p[i].p_pid != people && storm_same(&p[i]))
				(void)kill(p[i].p_pid, SIGKILL);
	}
}

/* One of that sort, chosen; -1: there is none now. */
static int
pick(const struct choice *c, const struct proc *p, size_t n)
{
	size_t i, k = 0;

	for (i = 0; i < n; i++)
		k += storm_sort(p, n, i, orchd) == (int)c->c_sort;
	if (k == 0)
		return (-1);
	k = draw(k);
	for (i = 0; i < n; i++)
		if (storm_sort(p, n, i, orchd) == (int)c->c_sort && k-- == 0)
			return ((int)i);
	return (-1);
}

/* Send it through a pidfd: never to whoever got the number meanwhile. */
static int
strike(const struct choice *c, const struct proc *p)
{
	struct stop *st = free_stop();
	int fd;

	if (c->c_signal == SIGSTOP && st == NULL)
		return (-1);
	if ((fd = (int)syscall(SYS_pidfd_open, p->p_pid, 0)) == -1)
		return (-1);
	if (!storm_same(p) || signal_fd(fd, c->c_signal) == -1) {
		close(fd);
		return (-1);
	}
	if (c->c_signal == SIGSTOP) {
		stopped[c->c_sort]++;
		st->st_fd = fd;
		st->st_until = now_ms() + c->c_stop_ms;
		return (0);
	}
	killed[c->c_sort]++;
	if (c->c_sort == V_PARENT)
		orchd_killed = 1;
	close(fd);
	return (0);
}

static void
progress(void)
{
	static int64_t from;
	unsigned long n = sum(killed) + sum(stopped);

	if (from == 0)
		from = now_ms();
	if (n == 0 || n % 500 != 0)
		return;
	printf("# %lu signals, %d items, %d open, %lu starts, %lld s\n", n,
	    sh->sh_submitted, sh->sh_open, starts,
	    (long long)(now_ms() - from) / 1000);
	(void)fflush(stdout);
}

/* One signal; 0 when it has met somebody. */
static int
blow(enum aim aim)
{
	static struct proc p[PROCS_MAX];
	struct choice c;
	size_t n;
	int i;

	n = storm_scan(p, PROCS_MAX);
	if (choose(&c, p, n, aim) == -1)
		return (-1);
	if (c.c_sort == V_ALL)
		strike_all();
	else if ((i = pick(&c, p, n)) == -1 || strike(&c, &p[i]) == -1) {
		missed++;
		return (-1);
	}
	progress();
	return (0);
}

/* Let the first items come to where it matters most. */
static void
wait_for_work(void)
{
	int64_t until = now_ms() + WARM_MS;

	while (sh->sh_late < (opt.o_items + 3) / 4 && now_ms() < until) {
		look_after_orchd();
		pause_ms(10);
	}
	printf("# %d of %d items are past testing when it begins\n",
	    sh->sh_late, sh->sh_open);
}

static long long
left(void)
{
	return (opt.o_signals - (long long)(sum(killed) + sum(stopped)));
}

/* Signals until no more than that are left; with an aim, or all are at rest. */
static void
storm(long long until, enum aim aim)
{
	int64_t due = now_ms();

	while (left() > until && (aim == AIM_ANY || !sh->sh_rest)) {
		look_after_orchd();
		go_on(0);
		/* Who had gone when the signal came is soon replaced. */
		if (now_ms() >= due)
			due = now_ms() + (blow(aim) == -1 ? 10 :
			    (int64_t)draw((uint64_t)(2 * opt.o_gap_ms + 1)));
		pause_ms(5);
		/* More misses than signals: nothing lives any more. */
		if (missed > 200 + 4 * (unsigned long)opt.o_signals) {
			problems |= TOO_FEW;
			break;
		}
	}
}

/* All items come to their end. */
static void
calm(void)
{
	int64_t from = now_ms();

	while (!sh->sh_rest) {
		look_after_orchd();
		pause_ms(5);
		if (now_ms() - from > opt.o_wait_s * 1000) {
			printf("# %d items are not at their end after "
			    "%lld s\n", sh->sh_open,
			    (long long)opt.o_wait_s);
			problems |= NOT_AT_END;
			break;
		}
	}
	printf("# at rest after %lld ms\n", (long long)(now_ms() - from));
	(void)kill(people, SIGKILL);
	(void)waitpid(people, NULL, 0);
}

static void
end_orchd(void)
{
	int64_t until = now_ms() + END_MS;
	int st = 0;

	(void)kill(orchd, SIGTERM);
	while (reap(&st) == 0 && now_ms() < until)
		pause_ms(5);
	if (orchd != 0) {
		printf("# orchd does not end in %d s\n", END_MS / 1000);
		(void)kill(orchd, SIGKILL);
		problems |= ENDED_BADLY;
	} else if (!WIFEXITED(st) || WEXITSTATUS(st) != 0) {
		printf("# orchd ended with status 0x%x\n", st);
		problems |= ENDED_BADLY;
	}
}

static void
count_orphans(void)
{
	static struct proc p[PROCS_MAX];
	int64_t until = now_ms() + 2000;
	size_t i, n;
	int st;

	do {
		pause_ms(20);
		(void)reap(&st);
		n = storm_scan(p, PROCS_MAX);
	} while (n > 0 && now_ms() < until);
	for (i = 0; i < n; i++) {
		printf("# left over: %d (%s) of %d, state %c\n",
		    (int)p[i].p_pid, p[i].p_comm, (int)p[i].p_parent,
		    p[i].p_state);
		(void)kill(p[i].p_pid, SIGKILL);
		problems |= LEFT_OVER;
	}
}

static void
report(void)
{
	int i;

	printf("# %lu signals found a process: %lu SIGKILL, %lu SIGSTOP "
	    "(%lu SIGCONT); %lu came too late\n", sum(killed) + sum(stopped),
	    sum(killed), sum(stopped), continued, missed);
	for (i = 0; i < V__MAX; i++)
		printf("#   %-10s %4lu killed %4lu stopped\n",
		    sorts[i].s_name, killed[i], stopped[i]);
	printf("# %d items submitted, %d times one was parked and let go on, "
	    "%d leases released by force, orchd was started %lu times\n",
	    sh->sh_submitted, sh->sh_retried, sh->sh_released, starts);
}

static long long
number(const char *text, long long most)
{
	const char *bad;
	long long v = strtonum(text, 0, most, &bad);

	if (bad != NULL)
		errx(1, "%s: %s", text, bad);
	return (v);
}

static void
options(int argc, char **argv)
{
	int ch;

	while ((ch = getopt(argc, argv, "f:g:i:l:n:o:r:s:w:")) != -1)
		switch (ch) {
		case 'f': opt.o_conf = optarg; break;
		case 'g': opt.o_gap_ms = number(optarg, 60000); break;
		case 'i': opt.o_items = (int)number(optarg, 100); break;
		case 'l': opt.o_log = optarg; break;
		case 'n': opt.o_signals = number(optarg, 1000000); break;
		case 'o': opt.o_orchd = optarg; break;
		case 'r': opt.o_socket = optarg; break;
		case 's': opt.o_seed = (uint64_t)number(optarg, INT64_MAX);
			break;
		case 'w': opt.o_wait_s = number(optarg, 86400); break;
		default: errx(1, "see the head of storm.c");
		}
	if (opt.o_conf == NULL || opt.o_orchd == NULL ||
	    opt.o_socket == NULL || opt.o_log == NULL)
		errx(1, "-f, -l, -o and -r are needed");
}

int
main(int argc, char *argv[])
{
	options(argc, argv);
	sh = mmap(NULL, sizeof(*sh), PROT_READ | PROT_WRITE, MAP_SHARED |
	    MAP_ANONYMOUS, -1, 0);
	if (sh == MAP_FAILED || prctl(PR_SET_CHILD_SUBREAPER, 1) == -1)
		err(1, "storm");
	sh->sh_more = 1;
	start_orchd();
	start_people();
	wait_for_work();
	progress();
	/* The last ones are for those that act when nothing more comes in. */
	storm(opt.o_signals < 300 ? opt.o_signals / 6 : 50, AIM_ANY);
	sh->sh_more = 0;
	storm(opt.o_signals < 300 ? opt.o_signals / 25 : 12, AIM_INSIDE);
	storm(0, AIM_HOOK);
	storm(0, AIM_ANY);
	go_on(1);
	calm();
	end_orchd();
	count_orphans();
	report();
	return (problems);
}
