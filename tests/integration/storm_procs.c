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

/* Which processes there are below the driver, and what each of them is. */

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bsd/stdlib.h>
#include <bsd/string.h>

#include "storm.h"

static ssize_t
read_proc(pid_t pid, const char *name, char *buf, size_t len)
{
	char path[64];
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return (-1);
	n = read(fd, buf, len - 1);
	close(fd);
	if (n >= 0)
		buf[n] = '\0';
	return (n);
}

/* One line "pid (comm) state ppid ..."; the name may hold anything. */
static int
parse_stat(pid_t pid, struct proc *p)
{
	char buf[1024], *open, *end, *s;
	const char *bad;
	int field;

	if (read_proc(pid, "stat", buf, sizeof(buf)) <= 0 ||
	    (open = strchr(buf, '(')) == NULL ||
	    (end = strrchr(buf, ')')) == NULL || end[1] == '\0')
		return (-1);
	*end = '\0';
	strlcpy(p->p_comm, open + 1, sizeof(p->p_comm));
	p->p_pid = pid;
	p->p_state = end[2];
	s = end + 4;
	p->p_parent = (pid_t)strtol(s, NULL, 10);
	for (field = 4; field < 22 && (s = strchr(s, ' ')) != NULL; field++)
		s++;
	if (s == NULL)
		return (-1);
	s[strcspn(s, " \n")] = '\0';
	p->p_start = (uint64_t)strtonum(s, 0, INT64_MAX, &bad);
	return (bad == NULL ? 0 : -1);
}

static const struct proc *
find(const struct proc *p, size_t n, pid_t pid)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (p[i].p_pid == pid)
			return (&p[i]);
	return (NULL);
}

static int
is_below(const struct proc *p, size_t n, const struct proc *one, pid_t top)
{
	size_t depth;

	for (depth = 0; one != NULL && depth < 64; depth++) {
		if (one->p_parent == top)
			return (1);
		one = find(p, n, one->p_parent);
	}
	return (0);
}

size_t
storm_scan(struct proc *out, size_t max)
{
	static struct proc all[8192];
	struct dirent *de;
	const char *bad;
	size_t i, n = 0, k = 0;
	pid_t pid;
	DIR *dir;

	if ((dir = opendir("/proc")) == NULL)
		return (0);
	while (n < 8192 && (de = readdir(dir)) != NULL) {
		if (!isdigit((unsigned char)de->d_name[0]))
			continue;
		pid = (pid_t)strtonum(de->d_name, 1, INT32_MAX, &bad);
		if (bad == NULL && parse_stat(pid, &all[n]) == 0)
			n++;
	}
	closedir(dir);
	for (i = 0; i < n && k < max; i++)
		if (all[i].p_state != 'Z' && all[i].p_state != 'X' &&
		    is_below(all, n, &all[i], getpid()))
			out[k++] = all[i];
	return (k);
}

int
storm_same(const struct proc *p)
{
	struct proc now;

	return (parse_stat(p->p_pid, &now) == 0 &&
	    now.p_start == p->p_start);
}

/* A runner whose child is the deploy hook. */
static int
is_hook(const struct proc *p, size_t n, pid_t runner)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (p[i].p_parent == runner &&
		    strcmp(p[i].p_comm, "deploy") == 0)
			return (1);
	return (0);
}

/* What a worker runs: it may act while its worker is dead. */
static int
is_git_of_worker(const struct proc *p, size_t n, const struct proc *one)
{
	const struct proc *parent = find(p, n, one->p_parent);

	return (strcmp(one->p_comm, "git") == 0 && parent != NULL &&
	    strcmp(parent->p_comm, "finalizerd") == 0);
}

/* Children of orchd, or ours since an orchd has died. */
static int
sort_of_child(const struct proc *p, size_t n, const struct proc *one)
{
	char cmd[512];

	if (strcmp(one->p_comm, "orchd") == 0)
		return (V_ENGINE);
	if (strcmp(one->p_comm, "reconciled") == 0)
		return (V_RECONCILED);
	if (strcmp(one->p_comm, "reaperd") == 0)
		return (V_REAPERD);
	if (strcmp(one->p_comm, "runner") == 0)
		return (is_hook(p, n, one->p_pid) ? V_HOOK : V_RUNNER);
	if (strcmp(one->p_comm, "finalizerd") != 0)
		return (-1);
	if (read_proc(one->p_pid, "cmdline", cmd, sizeof(cmd)) <= 0)
		return (-1);
	return (strstr(cmd, ": run ") != NULL ? V_WORKER : V_FINALIZERD);
}

int
storm_sort(const struct proc *p, size_t n, size_t i, pid_t orchd)
{
	const struct proc *one = &p[i];
	int sort;

	if (one->p_pid == orchd)
		return (V_PARENT);
	if ((one->p_parent == orchd || one->p_parent == getpid()) &&
	    (sort = sort_of_child(p, n, one)) != -1)
		return (sort);
	if (strcmp(one->p_comm, "storm") == 0)
		return (-1);
	return (is_git_of_worker(p, n, one) ? V_GIT : V_INSIDE);
}
