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

#include <sys/file.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "libcommon/log.h"
#include "git_lock.h"

#define LOOKS	10	/* at a lock before it is called old */
#define PAUSE	{ 0, 100000000 }

static ssize_t
read_at(int dirfd, const char *name, char *buf, size_t len)
{
	ssize_t n;
	int fd;

	if ((fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC)) == -1)
		return (-1);
	n = read(fd, buf, len);
	close(fd);
	return (n);
}

/* Does the text, which may hold NULs, name this folder? */
static int
names(const char *text, ssize_t len, const char *dir)
{
	return (len > 0 && memmem(text, (size_t)len, dir, strlen(dir)) !=
	    NULL);
}

/* Ticks since boot, of which /proc/PID/stat tells a process's start. */
static uint64_t
ticks_now(void)
{
	struct timespec ts;
	uint64_t hz = (uint64_t)sysconf(_SC_CLK_TCK);

	(void)clock_gettime(CLOCK_BOOTTIME, &ts);
	return ((uint64_t)ts.tv_sec * hz + (uint64_t)ts.tv_nsec * hz /
	    1000000000);
}

/* Was it started after that?  0 also when nobody can tell. */
static int
is_younger(int proc, uint64_t than)
{
	char buf[1024], *s;
	uint64_t start;
	ssize_t n;

	if ((n = read_at(proc, "stat", buf, sizeof(buf) - 1)) <= 0)
		return (0);
	buf[n] = '\0';
	/* The name in parentheses may hold anything, so start behind it. */
	return ((s = strrchr(buf, ')')) != NULL && sscanf(s, ") %*c %*d %*d "
	    "%*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d "
	    "%" SCNu64, &start) == 1 && start > than);
}

/*
 * May this process be a git in that repository?  orchd's own name it in their
 * arguments; one that somebody started by hand or by a push stands in it or
 * has it in its environment.  Where that cannot be read it may.
 */
static int
may_hold(int proc, const char *dir, uint64_t seen)
{
	char buf[16384], cwd[PATH_MAX];
	ssize_t n;

	n = read_at(proc, "comm", buf, sizeof(buf));
	if (n < 4 || strncmp(buf, "git", 3) != 0 ||
	    (buf[3] != '\n' && buf[3] != '-'))
		return (0);
	/* One that came after the lock did not make it. */
	if (is_younger(proc, seen))
		return (0);
	n = read_at(proc, "cmdline", buf, sizeof(buf));
	/* None: it has ended already, or is about to. */
	if (n == 0)
		return (0);
	if (names(buf, n, dir))
		return (1);
	if ((n = readlinkat(proc, "cwd", cwd, sizeof(cwd) - 1)) == -1)
		return (errno == EACCES || errno == EPERM);
	cwd[n] = '\0';
	if (strncmp(cwd, dir, strlen(dir)) == 0)
		return (1);
	n = read_at(proc, "environ", buf, sizeof(buf));
	return (names(buf, n, dir));
}

/* May anybody hold a lock in that repository that was there at `seen'? */
static int
is_held(const char *dir, uint64_t seen)
{
	struct dirent *de;
	int proc, held = 0;
	DIR *d;

	if ((d = opendir("/proc")) == NULL)
		return (1);
	while (!held && (de = readdir(d)) != NULL) {
		if (de->d_name[0] < '1' || de->d_name[0] > '9' ||
		    (proc = openat(dirfd(d), de->d_name, O_RDONLY |
		    O_DIRECTORY | O_CLOEXEC)) == -1)
			continue;
		held = may_hold(proc, dir, seen);
		close(proc);
	}
	closedir(d);
	return (held);
}

static int
is_same(const char *path, const struct stat *was)
{
	struct stat st;

	return (lstat(path, &st) == 0 && st.st_ino == was->st_ino &&
	    st.st_dev == was->st_dev &&
	    st.st_mtim.tv_sec == was->st_mtim.tv_sec &&
	    st.st_mtim.tv_nsec == was->st_mtim.tv_nsec);
}

/* Remove it if it is still that one; nobody else removes one meanwhile. */
static int
remove_it(const char *dir, const char *path, const struct stat *was,
    uint64_t seen)
{
	int fd, done = 0;

	if ((fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		return (0);
	if (flock(fd, LOCK_EX) == 0) {
		if (!is_same(path, was))
			done = 1;
		else if (!is_held(dir, seen) && unlink(path) == 0) {
			log_info("%s: its holder is dead, removed", path);
			done = 1;
		}
	}
	close(fd);
	return (done);
}

/* One lock file: 1 when it was there and has gone. */
static int
one_gone(const char *dir, const char *path)
{
	static const struct timespec pause = PAUSE;
	uint64_t seen;
	struct stat st;
	int i;

	if (lstat(path, &st) == -1 || !S_ISREG(st.st_mode))
		return (0);
	seen = ticks_now() + 1;
	for (i = 0; i < LOOKS; i++) {
		(void)nanosleep(&pause, NULL);
		if (!is_same(path, &st))
			return (1);
	}
	return (remove_it(dir, path, &st, seen));
}

int
git_lock_gone(const char *dir, const char *ref)
{
	/* A change of the branch that HEAD names also locks HEAD. */
	const char *const locked[] = { ref, "packed-refs", "HEAD" };
	char real[PATH_MAX], path[PATH_MAX + 300];
	int gone = 0;
	size_t i;

	if (realpath(dir, real) == NULL)
		return (0);
	for (i = 0; i < sizeof(locked) / sizeof(locked[0]); i++) {
		if (snprintf(path, sizeof(path), "%s/%.255s.lock", real,
		    locked[i]) >= (int)sizeof(path))
			continue;
		gone |= one_gone(real, path);
	}
	return (gone);
}
