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

#include <sys/types.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bsd/stdlib.h>

#include "procsweep.h"

struct proc {
	pid_t		 p_pid;
	pid_t		 p_ppid;
	pid_t		 p_pgrp;
	pid_t		 p_sid;
	uint64_t	 p_start;
	int		 p_member;
};

struct table {
	struct proc	*t_proc;
	size_t		 t_n;
	size_t		 t_size;
};

static int
read_proc(int procfd, const char *name, struct proc *p)
{
	char		 path[64], buf[2048], *s;
	ssize_t		 n;
	int		 fd;

	if (snprintf(path, sizeof(path), "%.32s/stat", name) < 0 ||
	    (fd = openat(procfd, path, O_RDONLY | O_CLOEXEC)) == -1)
		return (-1);
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	if (n <= 0)
		return (-1);
	buf[n] = '\0';
	memset(p, 0, sizeof(*p));
	/* The name in parentheses may hold anything, so start behind it. */
	if ((s = strrchr(buf, ')')) == NULL || sscanf(s, ") %*c %d %d %d"
	    " %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d"
	    " %" SCNu64, &p->p_ppid, &p->p_pgrp, &p->p_sid, &p->p_start) != 4)
		return (-1);
	p->p_pid = (pid_t)strtonum(name, 1, INT32_MAX, NULL);
	return (p->p_pid > 0 ? 0 : -1);
}

static int
table_add(struct table *t, const struct proc *p)
{
	struct proc	*np;
	size_t		 size;

	if (t->t_n == t->t_size) {
		size = t->t_size == 0 ? 256 : t->t_size * 2;
		np = reallocarray(t->t_proc, size, sizeof(*np));
		if (np == NULL)
			return (-1);
		t->t_proc = np;
		t->t_size = size;
	}
	t->t_proc[t->t_n++] = *p;
	return (0);
}

static int
by_pid(const void *a, const void *b)
{
	const struct proc	*pa = a, *pb = b;

	return ((pa->p_pid > pb->p_pid) - (pa->p_pid < pb->p_pid));
}

static int
table_read(struct table *t)
{
	struct dirent	*de;
	struct proc	 p;
	DIR		*dir;
	int		 r = 0;

	memset(t, 0, sizeof(*t));
	if ((dir = opendir("/proc")) == NULL)
		return (-1);
	while (r == 0 && (de = readdir(dir)) != NULL)
		if (de->d_name[0] >= '1' && de->d_name[0] <= '9' &&
		    read_proc(dirfd(dir), de->d_name, &p) == 0)
			r = table_add(t, &p);
	closedir(dir);
	if (t->t_n > 0)
		qsort(t->t_proc, t->t_n, sizeof(*t->t_proc), by_pid);
	return (r);
}

static int
is_other(const struct procsweep *ps, pid_t pid)
{
	size_t	 i;

	for (i = 0; i < ps->ps_nothers; i++)
		if (ps->ps_others[i] == pid)
			return (1);
	return (0);
}

/*
 * An orphan of the tree is our child (we are its subreaper).  It cannot have
 * entered our session, so a child inside it is somebody else's business.
 */
static int
is_root(const struct procsweep *ps, const struct proc *p)
{
	if (p->p_pid == ps->ps_leader || p->p_sid == ps->ps_leader ||
	    p->p_pgrp == ps->ps_leader)
		return (1);
	return (ps->ps_strays && p->p_ppid == getpid() &&
	    p->p_sid != getsid(0) && !is_other(ps, p->p_pid));
}

static void
mark(const struct procsweep *ps, struct table *t)
{
	struct proc	 key, *parent;
	size_t		 i;
	int		 more;

	for (i = 0; i < t->t_n; i++)
		t->t_proc[i].p_member = is_root(ps, &t->t_proc[i]);
	do {
		more = 0;
		for (i = 0; i < t->t_n; i++) {
			if (t->t_proc[i].p_member)
				continue;
			key.p_pid = t->t_proc[i].p_ppid;
			parent = bsearch(&key, t->t_proc, t->t_n,
			    sizeof(key), by_pid);
			if (parent == NULL || !parent->p_member)
				continue;
			t->t_proc[i].p_member = 1;
			more = 1;
		}
	} while (more);
}

static void
send_signal(int fd, int sig)
{
	if (sig == 0)
		return;
	(void)syscall(SYS_pidfd_send_signal, fd, sig, NULL, 0);
	/* A stopped process takes a signal only when it goes on. */
	if (sig != SIGKILL)
		(void)syscall(SYS_pidfd_send_signal, fd, SIGCONT, NULL, 0);
}

/* 1 if it lives on, as far as is known now. */
static int
signal_one(const struct procsweep *ps, const struct proc *p, int sig)
{
	struct pollfd	 pfd;
	struct proc	 now;
	char		 name[32];
	int		 fd, procfd, lives = 1;

	if ((fd = (int)syscall(SYS_pidfd_open, p->p_pid, 0)) == -1)
		return (errno != ESRCH);
	(void)snprintf(name, sizeof(name), "%d", (int)p->p_pid);
	procfd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pfd.fd = fd;
	pfd.events = POLLIN;
	if (procfd == -1)
		goto done;
	if (read_proc(procfd, name, &now) == -1 || now.p_start != p->p_start)
		lives = 0;		/* gone, perhaps reused */
	else if (poll(&pfd, 1, 0) == 1) {
		lives = 0;
		if (p->p_ppid == getpid() && p->p_pid != ps->ps_leader)
			(void)waitpid(p->p_pid, NULL, WNOHANG);
	} else
		send_signal(fd, sig);
done:
	if (procfd != -1)
		close(procfd);
	close(fd);
	return (lives);
}

int
procsweep_signal(const struct procsweep *ps, int sig)
{
	struct table	 t;
	size_t		 i;
	int		 n = 0, saved;

	if (table_read(&t) == -1) {
		saved = errno;
		free(t.t_proc);
		errno = saved;
		return (-1);
	}
	mark(ps, &t);
	for (i = 0; i < t.t_n; i++)
		if (t.t_proc[i].p_member && t.t_proc[i].p_pid != getpid())
			n += signal_one(ps, &t.t_proc[i], sig);
	free(t.t_proc);
	return (n);
}
