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

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <bsd/string.h>

#include "sim.h"

/*
 * The process table.  Pids are few and used again; a pid is not given away
 * while a session bears it, as the kernel does.  A process that ended is a
 * zombie until its parent, or init, has fetched it.
 */

#define PID_FIRST	100
#define PIDS		72

struct proc procs[NPROCS];
static size_t nused;
static int32_t last_pid, last_freed;
static uint64_t last_start;
static uint8_t pid_seen[PIDS];

void
procs_reset(void)
{
	size_t i;

	for (i = 0; i < nused; i++)
		if (procs[i].p_co != NULL)
			co_free(procs[i].p_co);
	memset(procs, 0, sizeof(procs));
	memset(pid_seen, 0, sizeof(pid_seen));
	nused = 0;
	last_pid = PID_FIRST;
	last_freed = 0;
	last_start = 1000;
}

/* Is the number a process's, or a session's? */
static struct proc *
pid_bearer(int32_t pid)
{
	size_t i;

	for (i = 0; i < nused; i++)
		if (procs[i].p_pid == pid && (procs[i].p_life != GONE ||
		    procs[i].p_kids > 0))
			return (&procs[i]);
	return (NULL);
}

static struct proc *
pid_find(int32_t pid)
{
	struct proc *p = pid_bearer(pid);

	return (p != NULL && p->p_life != GONE ? p : NULL);
}

/* One that nobody bears; often the one that became free last. */
static int32_t
pid_draw(void)
{
	if (last_freed != 0 && rnd(3) == 0 && pid_bearer(last_freed) == NULL)
		return (last_freed);
	do {
		if (++last_pid == PID_FIRST + PIDS)
			last_pid = PID_FIRST;
	} while (pid_bearer(last_pid) != NULL);
	return (last_pid);
}

struct proc *
proc_new(void)
{
	struct proc *p;
	size_t i;

	for (i = 0; i < NPROCS && (procs[i].p_life != GONE ||
	    procs[i].p_kids > 0); i++)
		continue;
	if (i == NPROCS)
		broken("too many processes");
	if (i >= nused)
		nused = i + 1;
	p = &procs[i];
	memset(p, 0, sizeof(*p));
	p->p_pid = pid_draw();
	n.pid_reuses += pid_seen[p->p_pid - PID_FIRST];
	pid_seen[p->p_pid - PID_FIRST] = 1;
	p->p_life = ALIVE;
	p->p_start = last_start += 1 + rnd(5);
	p->p_ino = last_start + 70000;
	memcpy(p->p_boot, w.boot, sizeof(p->p_boot));
	for (i = 0; i < sizeof(p->p_inc); i++)
		p->p_inc[i] = (uint8_t)rnd64();
	return (p);
}

void
proc_ident(const struct proc *p, struct ident *id)
{
	memset(id, 0, sizeof(*id));
	memcpy(id->id_boot_id, p->p_boot, sizeof(id->id_boot_id));
	id->id_pidns = 4026531836;
	id->id_pid = p->p_pid;
	id->id_start_time = p->p_start;
	id->id_pidfd_ino = w.inodes ? p->p_ino : 0;
	memcpy(id->id_incarnation, p->p_inc, sizeof(p->p_inc));
}

void	 conns_of_dead(const struct proc *);

void
proc_die(struct proc *p)
{
	if (p->p_life == GONE || p->p_life == ZOMBIE)
		return;
	TRACE("run %llu [%d] dies%s", (unsigned long long)p->p_run,
	    (int)p->p_pid, p->p_kids > 0 ? ", its child goes on" : "");
	if (p->p_co != NULL)
		co_free(p->p_co);
	p->p_co = NULL;
	p->p_life = ZOMBIE;
	p->p_until = w.now + rnd_delay() / 8;
	if (p->p_hook)
		hook_gone(p->p_run);
	conns_of_dead(p);
}

struct proc *
proc_of_ident(const char *text)
{
	struct ident id, other;
	size_t i;

	if (ident_parse(text, &id) == -1)
		return (NULL);
	for (i = 0; i < nused; i++) {
		if (procs[i].p_life != ALIVE && procs[i].p_life != STOPPED)
			continue;
		proc_ident(&procs[i], &other);
		if (ident_same(&id, &other))
			return (&procs[i]);
	}
	return (NULL);
}

int
proc_may_act(int32_t pid, uint64_t start, const char *boot)
{
	const struct proc *p = pid_bearer(pid);

	return (p != NULL && p->p_start == start &&
	    strcmp(p->p_boot, boot) == 0 && (p->p_life == ALIVE ||
	    p->p_life == STOPPED || p->p_kids > 0));
}

struct proc *
proc_any(void)
{
	size_t i, k = 0, which;

	for (i = 0; i < nused; i++)
		k += procs[i].p_life == ALIVE || procs[i].p_life == STOPPED;
	if (k == 0)
		return (NULL);
	which = rnd((unsigned int)k);
	for (i = 0; i < nused; i++)
		if ((procs[i].p_life == ALIVE || procs[i].p_life ==
		    STOPPED) && which-- == 0)
			return (&procs[i]);
	return (NULL);
}

void
procs_reboot(void)
{
	size_t i;

	for (i = 0; i < nused; i++) {
		if (procs[i].p_life == GONE && procs[i].p_kids == 0)
			continue;
		if (procs[i].p_co != NULL)
			co_free(procs[i].p_co);
		procs[i].p_co = NULL;
		procs[i].p_life = GONE;
		procs[i].p_kids = 0;
	}
	last_start = 1000;
}

/* --- what a process waits for ------------------------------------------ */

static int
can_go(struct proc *p)
{
	const struct frame *f;

	if (p->p_life == ZOMBIE)
		goto timed;
	if (p->p_life != ALIVE || p->p_co == NULL || p->p_acting)
		return (0);
	if (p->p_reading && p->p_conn != NULL) {
		f = p->p_conn->c_out.q_first;
		if (f == NULL ? p->p_conn->c_near_closed :
		    f->f_until <= w.now)
			return (1);
		if (f != NULL)
			due_at(f->f_until);
	}
timed:
	if (p->p_until <= w.now)
		return (1);
	due_at(p->p_until);
	return (0);
}

size_t
procs_enabled(void **items, size_t max)
{
	size_t i, k = 0;

	for (i = 0; i < nused && k < max; i++)
		if (procs[i].p_life != GONE && can_go(&procs[i]))
			items[k++] = &procs[i];
	return (k);
}

void
proc_go(void *item)
{
	struct proc *p = item;
	int ended;

	trace_mix(5, (uint64_t)p->p_pid << 32 | p->p_run);
	if (p->p_life == ZOMBIE) {
		p->p_life = GONE;
		last_freed = p->p_pid;
		parent_exited(p);
		return;
	}
	w.cur = p;
	ended = co_run(p->p_co);
	w.cur = NULL;
	if (ended)
		proc_die(p);
}

void
nap(int64_t ms, int reading)
{
	struct proc *p = w.cur;

	p->p_until = ms < 0 ? INT64_MAX / 2 : w.now + ms;
	p->p_reading = reading;
	/* Sometimes it does not get to run for a long time. */
	if (!reading && chaos(30))
		p->p_until += rnd_delay();
	co_yield();
	p->p_reading = 0;
}

/* --- the table as the engine and the reaper see it --------------------- */

static int
see_boot(void *arg, char id[37])
{
	memcpy(id, w.boot, 37);
	return (0);
}

static int
see_pidns(void *arg, uint64_t *ns)
{
	*ns = w.pidns;
	return (0);
}

static int
see_open(void *arg, int32_t pid)
{
	if (w.hidden) {
		n.unknown++;
		errno = EMFILE;
		return (-1);
	}
	if (pid_find(pid) == NULL) {
		errno = ESRCH;
		return (-1);
	}
	return (pid);
}

static int
see_ino(void *arg, int fd, uint64_t *ino)
{
	const struct proc *p = pid_find(fd);

	*ino = w.inodes && p != NULL ? p->p_ino : 0;
	return (0);
}

static int
see_start(void *arg, int32_t pid, uint64_t *start)
{
	const struct proc *p = pid_find(pid);

	if (p == NULL) {
		errno = ENOENT;
		return (-1);
	}
	*start = p->p_start;
	return (0);
}

static int
see_ended(void *arg, int fd)
{
	const struct proc *p = pid_find(fd);

	return (p == NULL || p->p_life == ZOMBIE);
}

static void
see_close(void *arg, int fd)
{
}

static int
see_drained(void *arg, const struct ident *id)
{
	const struct proc *p;

	if (strcmp(id->id_boot_id, w.boot) != 0 ||
	    (p = pid_bearer(id->id_pid)) == NULL ||
	    p->p_start != id->id_start_time)
		return (1);
	n.undrained += p->p_kids > 0;
	return (p->p_life != ALIVE && p->p_life != STOPPED &&
	    p->p_kids == 0);
}

const struct ident_world sim_world = {
	.iw_boot_id = see_boot,
	.iw_pidns = see_pidns,
	.iw_pidfd_open = see_open,
	.iw_pidfd_ino = see_ino,
	.iw_start_time = see_start,
	.iw_pidfd_ended = see_ended,
	.iw_close = see_close,
	.iw_drained = see_drained,
};

/* What reaperd sees is not always so; the engine looks for itself. */
static int
see_open_wrong(void *arg, int32_t pid)
{
	if (chaos(100)) {
		errno = ESRCH;
		return (-1);
	}
	return (see_open(arg, pid));
}

/* reaperd asks this machine by name. */
extern const struct ident_world __wrap_ident_world_real;
const struct ident_world __wrap_ident_world_real = {
	.iw_boot_id = see_boot,
	.iw_pidns = see_pidns,
	.iw_pidfd_open = see_open_wrong,
	.iw_pidfd_ino = see_ino,
	.iw_start_time = see_start,
	.iw_pidfd_ended = see_ended,
	.iw_close = see_close,
	.iw_drained = see_drained,
};

int	 __wrap_ident_self(struct ident *);
int	 __wrap_ident_of_peer(int, struct ident *, int *);
int	 __wrap_nanosleep(const struct timespec *, struct timespec *);
int	 __wrap_poll(struct pollfd *, nfds_t, int);

int
__wrap_ident_self(struct ident *id)
{
	if (w.cur == NULL)
		broken("ident_self outside a process");
	proc_ident(w.cur, id);
	return (0);
}

int
__wrap_ident_of_peer(int sock, struct ident *id, int *pidfd)
{
	const struct conn *c = conn_of_fd(sock);

	if (c == NULL || c->c_pid_gone) {
		errno = ESRCH;
		return (-1);
	}
	*id = c->c_ident;
	return (0);
}

int
__wrap_nanosleep(const struct timespec *ts, struct timespec *left)
{
	nap((int64_t)ts->tv_sec * 1000 + ts->tv_nsec / 1000000, 0);
	return (0);
}

/* Of one descriptor, and without waiting. */
int
__wrap_poll(struct pollfd *p, nfds_t nfds, int ms)
{
	const struct conn *c = conn_of_fd(p->fd);

	return (c != NULL && (c->c_out.q_first == NULL ? c->c_near_closed :
	    c->c_out.q_first->f_until <= w.now));
}
