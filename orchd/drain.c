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
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "drain.h"

/* Fields 3 (state) and 6 (session) of /proc/PID/stat; -1: it is gone. */
static int
stat_session(const char *pid, char *state, int *session)
{
	char path[300], buf[512], *p;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%s/stat", pid);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return (-1);
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	if (n <= 0)
		return (-1);
	buf[n] = '\0';
	/* The name may hold anything, also ')': the last one counts. */
	if ((p = strrchr(buf, ')')) == NULL ||
	    sscanf(p + 1, " %c %*d %*d %d", state, session) != 2)
		return (-1);
	return (0);
}

int
drained(const struct ident *id)
{
	struct dirent *de;
	struct ident here;
	char state;
	DIR *d;
	int session, empty = 1;

	/* After a reboot nothing of it is left. */
	if (ident_self(&here) == 0 && strcmp(here.id_boot_id,
	    id->id_boot_id) != 0)
		return (1);
	if ((d = opendir("/proc")) == NULL)
		return (0);
	while (empty && (de = readdir(d)) != NULL) {
		if (!isdigit((unsigned char)de->d_name[0]) ||
		    stat_session(de->d_name, &state, &session) == -1)
			continue;
		if (session == id->id_pid && state != 'Z' && state != 'X')
			empty = 0;
	}
	closedir(d);
	return (empty);
}
