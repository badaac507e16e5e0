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

#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bsd/string.h>

#include "crash.h"
#include "libcommon/ident.h"

/*
 * The world's processes as the engine sees them: each run is one, with a pid
 * of this boot, so that a world can be forked and each stays who he is.
 */

#define RUNS	1000
#define BOOT	"01234567-89ab-cdef-0123-456789abcdef"

static struct outside	*out;

static int32_t
pid_of(const struct outside *o, uint64_t run)
{
	return (RUNS * (o->o_boot + 1) + (int32_t)(run % RUNS));
}

static int
lives(const struct outside *o, int32_t pid)
{
	size_t i;

	for (i = 0; i < o->o_nkilled; i++)
		if (o->o_killed[i] == pid)
			return (0);
	return (pid / RUNS == o->o_boot + 1);
}

static void
identity(struct ident *id, int32_t pid)
{
	memset(id, 0, sizeof(*id));
	strlcpy(id->id_boot_id, BOOT, sizeof(id->id_boot_id));
	id->id_pidns = 1;
	id->id_pid = pid;
	id->id_start_time = 1;
}

void
who_is(const struct outside *o, uint64_t run, struct ident *id)
{
	identity(id, pid_of(o, run));
}

int
who_dies(struct outside *o, const char *ident)
{
	struct ident id;

	if (ident_parse(ident, &id) == -1 || !lives(o, id.id_pid))
		return (0);
	if (o->o_nkilled == KILLED)
		_exit(WORLD_FAULT);
	o->o_killed[o->o_nkilled++] = id.id_pid;
	return (1);
}

/* The kernel tells who connected; here the name of the socket does. */
int
who_connects(const struct outside *o, uint64_t run, const char *path)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	static unsigned int times;
	int sock, n;

	strlcpy(to.sun_path, path, sizeof(to.sun_path));
	n = snprintf(name.sun_path + 1, sizeof(name.sun_path) - 1,
	    "%d.%d.%u", (int)pid_of(o, run), (int)getpid(), times++);
	if ((sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC |
	    SOCK_NONBLOCK, 0)) == -1 || bind(sock, (void *)&name,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
	    (size_t)n)) == -1 || connect(sock, (void *)&to,
	    sizeof(to)) == -1)
		_exit(WORLD_FAULT);
	return (sock);
}

static int
boot_id(void *arg, char boot[37])
{
	strlcpy(boot, BOOT, 37);
	return (0);
}

static int
pidns(void *arg, uint64_t *ns)
{
	*ns = 1;
	return (0);
}

static int
pidfd_open(void *arg, int32_t pid)
{
	if (lives(out, pid))
		return (0);
	errno = ESRCH;
	return (-1);
}

static int
pidfd_ino(void *arg, int fd, uint64_t *ino)
{
	*ino = 0;
	return (0);
}

static int
start_time(void *arg, int32_t pid, uint64_t *start)
{
	*start = 1;
	return (0);
}

static int
pidfd_ended(void *arg, int fd)
{
	return (0);
}

static void
pidfd_close(void *arg, int fd)
{
}

static int
session_ended(void *arg, const struct ident *id)
{
	return (!lives(out, id->id_pid));
}

const struct ident_world *
who_lives(struct outside *o)
{
	static const struct ident_world world = { NULL, boot_id, pidns,
	    pidfd_open, pidfd_ino, start_time, pidfd_ended, pidfd_close,
	    session_ended };

	out = o;
	return (&world);
}

/* Whoever is connected (the Makefile has this called for the real one). */
int	 __wrap_ident_of_peer(int, struct ident *, int *);

int
__wrap_ident_of_peer(int sock, struct ident *id, int *pidfd)
{
	struct sockaddr_un name;
	socklen_t len = sizeof(name);

	memset(&name, 0, sizeof(name));
	if (getpeername(sock, (void *)&name, &len) == -1)
		return (-1);
	/* The number that the name begins with. */
	identity(id, (int32_t)strtol(name.sun_path + 1, NULL, 10));
	if (pidfd != NULL)
		*pidfd = -1;
	return (0);
}
