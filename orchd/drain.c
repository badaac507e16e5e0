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

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libcommon/mutant.h"
#include "drain.h"
#include "engine.h"

/* What /proc/PID/stat says of one process. */
struct seen {
	char			s_state;	/* field 3 */
	int			s_session;	/* field 6 */
	unsigned long long	s_start;	/* field 22 */
};

/* 0, or -1 with errno: ESRCH it is gone, anything else: nobody can tell. */
static int
stat_read(const char *pid, struct seen *s)
{
	char path[300], buf[512], *p;
	ssize_t n;
	int fd, saved;

	snprintf(path, sizeof(path), "/proc/%s/stat", pid);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1) {
		if (errno == ENOENT)
			errno = ESRCH;
		return (-1);
	}
	do {
		n = read(fd, buf, sizeof(buf) - 1);
	} while (n == -1 && errno == EINTR);
	saved = errno;
	close(fd);
	errno = n == -1 ? saved : EIO;
	if (n <= 0)
		return (-1);
	buf[n] = '\0';
	/* The name may hold anything, also ')': the last one counts. */
	if ((p = strrchr(buf, ')')) == NULL ||
	    sscanf(p + 1, " %c %*d %*d %d %*d %*d %*u %*u %*u %*u %*u %*u "
	    "%*u %*d %*d %*d %*d %*d %*d %llu", &s->s_state, &s->s_session,
	    &s->s_start) != 3)
		return (-1);
	return (0);
}

int
drained(const struct ident *id)
{
	struct dirent *de;
	struct ident here;
	struct seen s;
	char pid[16];
	DIR *d;
	int empty = 1;

	if (MUTANT(NO_DRAIN))
		return (1);
	if (eng.e_world != NULL && eng.e_world->iw_drained != NULL)
		return (eng.e_world->iw_drained(eng.e_world->iw_arg, id));
	/* After a reboot nothing of it is left. */
	if (ident_self(&here) == 0 && strcmp(here.id_boot_id,
	    id->id_boot_id) != 0)
		return (1);
	/*
	 * The kernel gives a number to nobody while a session bears it: where
	 * the pid is another's now, the session has ended.
	 */
	snprintf(pid, sizeof(pid), "%d", (int)id->id_pid);
	if (stat_read(pid, &s) == 0 && s.s_start != id->id_start_time)
		return (1);
	if ((d = opendir("/proc")) == NULL)
		return (0);
	/* What cannot be read (no descriptor is left) may be of it. */
	while (empty && (errno = 0, de = readdir(d)) != NULL) {
		if (!isdigit((unsigned char)de->d_name[0]))
			continue;
		if (stat_read(de->d_name, &s) == -1)
			empty = errno == ESRCH;
		else if (s.s_session == id->id_pid && s.s_state != 'Z' &&
		    s.s_state != 'X')
			empty = 0;
	}
	if (de == NULL && errno != 0)
		empty = 0;
	closedir(d);
	return (empty);
}
