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
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ident.h"
#include "mutant.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD	77		/* Linux 6.5 */
#endif
#define PIDFS_MAGIC	0x50494446	/* Linux 6.9: "PIDF" */

/* Behave as before Linux 6.5, so that this main path can be tested. */
static int
pidfd_hidden(void)
{
#ifdef IDENT_NO_PIDFD_INODE
	return (1);
#else
	return (secure_getenv("ORCHD_NO_PIDFD_INODE") != NULL);
#endif
}

/* Reads a small file of /proc into buf, NUL terminated. */
static int
read_small(const char *path, char *buf, size_t len)
{
	ssize_t	 n;
	int	 fd, saved;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return (-1);
	do {
		n = read(fd, buf, len - 1);
	} while (n == -1 && errno == EINTR);
	saved = errno;
	close(fd);
	errno = saved;
	if (n <= 0) {
		if (n == 0)
			errno = EIO;
		return (-1);
	}
	buf[n] = '\0';
	return (0);
}

static int
real_boot_id(void *arg, char id[37])
{
	char	 buf[64];

	if (read_small("/proc/sys/kernel/random/boot_id", buf,
	    sizeof(buf)) == -1)
		return (-1);
	if (strspn(buf, "0123456789abcdef-") != 36) {
		errno = EIO;
		return (-1);
	}
	memcpy(id, buf, 36);
	id[36] = '\0';
	return (0);
}

static int
real_pidns(void *arg, uint64_t *ino)
{
	struct stat	 st;

	if (stat("/proc/self/ns/pid", &st) == -1)
		return (-1);
	*ino = st.st_ino;
	return (0);
}

static int
real_pidfd_open(void *arg, int32_t pid)
{
	return ((int)syscall(SYS_pidfd_open, pid, 0));
}

static int
real_pidfd_ino(void *arg, int fd, uint64_t *ino)
{
	struct statfs	 fs;
	struct stat	 st;

	*ino = 0;
	if (pidfd_hidden())
		return (0);
	if (fstatfs(fd, &fs) == -1 || fstat(fd, &st) == -1)
		return (-1);
	if (fs.f_type == PIDFS_MAGIC)
		*ino = st.st_ino;
	return (0);
}

/* Field 22; the name before it may hold blanks and parentheses. */
static int
parse_start_time(const char *stat, uint64_t *start)
{
	const char	*p;
	char		*end;
	int		 field;

	p = strrchr(stat, ')');
	for (field = 2; field < 22 && p != NULL; field++)
		if ((p = strchr(p, ' ')) != NULL)
			p++;
	if (p == NULL || !isdigit((unsigned char)*p))
		goto bad;
	errno = 0;
	*start = strtoull(p, &end, 10);
	if (errno == 0 && *end == ' ')
		return (0);
bad:
	errno = EIO;
	return (-1);
}

static int
real_start_time(void *arg, int32_t pid, uint64_t *start)
{
	char	 path[64], buf[2048];

	if (snprintf(path, sizeof(path), "/proc/%" PRId32 "/stat", pid) < 0)
		return (-1);
	if (read_small(path, buf, sizeof(buf)) == -1)
		return (-1);
	return (parse_start_time(buf, start));
}

/* Readable means ended, also while it is a zombie. */
static int
real_pidfd_ended(void *arg, int fd)
{
	struct pollfd	 pfd = { .fd = fd, .events = POLLIN };
	int		 n;

	do {
		n = poll(&pfd, 1, 0);
	} while (n == -1 && errno == EINTR);
	if (n == -1)
		return (-1);
	if (n == 1 && (pfd.revents & POLLNVAL)) {
		errno = EBADF;
		return (-1);
	}
	return (n == 1);
}

static void
real_close(void *arg, int fd)
{
	int	 saved = errno;

	close(fd);
	errno = saved;
}

const struct ident_world ident_world_real = {
	.iw_boot_id = real_boot_id,
	.iw_pidns = real_pidns,
	.iw_pidfd_open = real_pidfd_open,
	.iw_pidfd_ino = real_pidfd_ino,
	.iw_start_time = real_start_time,
	.iw_pidfd_ended = real_pidfd_ended,
	.iw_close = real_close
};

const char *
ident_verdict_name(enum ident_verdict v)
{
	switch (v) {
	case IDENT_DEAD:
		return ("dead");
	case IDENT_ALIVE:
		return ("alive");
	case IDENT_UNKNOWN:
		break;
	}
	return ("unknown");
}

/*
 * Fills id for the process behind a pidfd.  The descriptor still unreadable
 * after the start time was read proves that the pid was not reused between.
 */
static int
ident_of_pidfd(int fd, pid_t pid, struct ident *id)
{
	const struct ident_world	*w = &ident_world_real;
	int				 ended;

	memset(id, 0, sizeof(*id));
	id->id_pid = (int32_t)pid;
	if (w->iw_boot_id(NULL, id->id_boot_id) == -1 ||
	    w->iw_pidns(NULL, &id->id_pidns) == -1 ||
	    w->iw_pidfd_ino(NULL, fd, &id->id_pidfd_ino) == -1)
		return (-1);
	if (w->iw_start_time(NULL, id->id_pid, &id->id_start_time) == -1) {
		if (errno == ENOENT)
			errno = ESRCH;
		return (-1);
	}
	if ((ended = w->iw_pidfd_ended(NULL, fd)) == 0)
		return (0);
	if (ended == 1)
		errno = ESRCH;
	return (-1);
}

int
ident_of_pid(pid_t pid, struct ident *id)
{
	int	 fd, r;

	if (pid <= 0) {
		errno = ESRCH;
		return (-1);
	}
	if ((fd = real_pidfd_open(NULL, (int32_t)pid)) == -1)
		return (-1);
	r = ident_of_pidfd(fd, pid, id);
	real_close(NULL, fd);
	return (r);
}

int
ident_self(struct ident *id)
{
	static uint8_t	 incarnation[16];
	static pid_t	 drawn_by;

	if (ident_of_pid(getpid(), id) == -1)
		return (-1);
	if (drawn_by != getpid()) {
		if (getrandom(incarnation, sizeof(incarnation), 0) !=
		    sizeof(incarnation))
			return (-1);
		drawn_by = getpid();
	}
	memcpy(id->id_incarnation, incarnation, sizeof(incarnation));
	return (0);
}

/*
 * Without SO_PEERPIDFD the pid may have been given to another process since
 * connect(2): a start time read before the pidfd was opened must still stand
 * when it is open.  A reuse before the first reading is not seen here; the
 * token or run key that HELLO carries is.
 */
static int
peer_pidfd_old(pid_t pid)
{
	uint64_t	 before, after;
	int		 fd;

	if (real_start_time(NULL, (int32_t)pid, &before) == -1) {
		if (errno == ENOENT)
			errno = ESRCH;
		return (-1);
	}
	if ((fd = real_pidfd_open(NULL, (int32_t)pid)) == -1)
		return (-1);
	if (real_start_time(NULL, (int32_t)pid, &after) == -1 ||
	    before != after) {
		close(fd);
		errno = ESRCH;
		return (-1);
	}
	return (fd);
}

static int
peer_pidfd(int sock, pid_t pid)
{
	socklen_t	 len;
	int		 fd = -1;

	len = sizeof(fd);
	if (!pidfd_hidden()) {
		if (getsockopt(sock, SOL_SOCKET, SO_PEERPIDFD, &fd,
		    &len) == 0) {
			(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
			return (fd);
		}
		if (errno != ENOPROTOOPT)
			return (-1);
	}
	return (peer_pidfd_old(pid));
}

int
ident_of_peer(int sock, struct ident *id, int *pidfd)
{
	struct ucred	 cred;
	socklen_t	 len = sizeof(cred);
	int		 fd;

	if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &cred, &len) == -1)
		return (-1);
	if (cred.pid <= 0) {		/* of a pid namespace we do not see */
		errno = ESRCH;
		return (-1);
	}
	if ((fd = peer_pidfd(sock, cred.pid)) == -1)
		return (-1);
	if (ident_of_pidfd(fd, cred.pid, id) == -1) {
		real_close(NULL, fd);
		return (-1);
	}
	if (pidfd != NULL)
		*pidfd = fd;
	else
		close(fd);
	return (0);
}

static void __attribute__((format(printf, 3, 4)))
say(char *why, size_t len, const char *fmt, ...)
{
	va_list	 ap;

	if (why == NULL || len == 0)
		return;
	va_start(ap, fmt);
	if (vsnprintf(why, len, fmt, ap) < 0)
		why[0] = '\0';
	va_end(ap);
}

/* What can be said without looking at the pid; ALIVE means: look at it. */
static enum ident_verdict
check_place(const struct ident *id, const struct ident_world *w, char *why,
    size_t len)
{
	char		 boot[37];
	uint64_t	 ns;

	if (id->id_pid <= 0) {
		say(why, len, "no pid is known");
		return (IDENT_UNKNOWN);
	}
	if (w->iw_boot_id(w->iw_arg, boot) == -1) {
		say(why, len, "cannot read the boot id: %s", strerror(errno));
		return (IDENT_UNKNOWN);
	}
	if (!MUTANT(NO_IDENTITY) && strcmp(boot, id->id_boot_id) != 0) {
		say(why, len, "it ran before the last boot");
		return (IDENT_DEAD);
	}
	if (w->iw_pidns(w->iw_arg, &ns) == -1) {
		say(why, len, "cannot read the pid namespace: %s",
		    strerror(errno));
		return (IDENT_UNKNOWN);
	}
	if (ns != id->id_pidns) {
		say(why, len, "it is in another pid namespace");
		return (IDENT_UNKNOWN);
	}
	return (IDENT_ALIVE);
}

/* The pidfd could not be opened: is that the answer, or hiding it? */
static enum ident_verdict
check_unopened(const struct ident *id, const struct ident_world *w, int code,
    char *why, size_t len)
{
	uint64_t	 start;

	if (code == ESRCH) {
		say(why, len, "there is no process %" PRId32, id->id_pid);
		return (IDENT_DEAD);
	}
	/* The number names a thread now, or so the kernel says. */
	if (code == EINVAL || code == ENOENT) {
		if (w->iw_start_time(w->iw_arg, id->id_pid, &start) == 0 &&
		    start != id->id_start_time) {
			say(why, len, "pid %" PRId32 " is another's now",
			    id->id_pid);
			return (IDENT_DEAD);
		}
	}
	say(why, len, "cannot open process %" PRId32 ": %s", id->id_pid,
	    strerror(code));
	return (IDENT_UNKNOWN);
}

static enum ident_verdict
check_ended(const struct ident *id, const struct ident_world *w, int fd,
    char *why, size_t len)
{
	int	 ended = w->iw_pidfd_ended(w->iw_arg, fd);

	if (ended == 1) {
		say(why, len, "process %" PRId32 " has ended", id->id_pid);
		return (IDENT_DEAD);
	}
	if (ended != 0) {
		say(why, len, "cannot ask for the end of process %" PRId32
		    ": %s", id->id_pid, strerror(errno));
		return (IDENT_UNKNOWN);
	}
	return (IDENT_ALIVE);
}

/*
 * The order matters: whatever is read between opening the pidfd and finding
 * it not ended belongs to the process of the pidfd.
 */
static enum ident_verdict
check_opened(const struct ident *id, const struct ident_world *w, int fd,
    char *why, size_t len)
{
	enum ident_verdict	 v;
	uint64_t		 start, ino;
	int			 code = 0, icode = 0;

	if (w->iw_start_time(w->iw_arg, id->id_pid, &start) == -1)
		code = errno;
	if (w->iw_pidfd_ino(w->iw_arg, fd, &ino) == -1)
		icode = errno;
	if ((v = check_ended(id, w, fd, why, len)) != IDENT_ALIVE)
		return (v);
	if (code != 0 || icode != 0) {
		say(why, len, "cannot read about process %" PRId32 ": %s",
		    id->id_pid, strerror(code != 0 ? code : icode));
		return (IDENT_UNKNOWN);
	}
	if (!MUTANT(NO_IDENTITY) && ino != 0 && ino == id->id_pidfd_ino &&
	    start != id->id_start_time) {
		say(why, len, "process %" PRId32 " has its pidfd's inode, but "
		    "started at another time: is /proc of another time "
		    "namespace?", id->id_pid);
		return (IDENT_UNKNOWN);
	}
	if (!MUTANT(NO_IDENTITY) && (start != id->id_start_time ||
	    (ino != 0 && id->id_pidfd_ino != 0 && ino != id->id_pidfd_ino))) {
		say(why, len, "pid %" PRId32 " is another's now", id->id_pid);
		return (IDENT_DEAD);
	}
	say(why, len, "process %" PRId32 " is there", id->id_pid);
	return (IDENT_ALIVE);
}

/* As ident_check; where the answer is ALIVE *fd stays open for the caller. */
static enum ident_verdict
check_open(const struct ident *id, const struct ident_world *w, char *why,
    size_t len, int *fd)
{
	enum ident_verdict	 v;

	*fd = -1;
	if ((v = check_place(id, w, why, len)) != IDENT_ALIVE)
		return (v);
	if ((*fd = w->iw_pidfd_open(w->iw_arg, id->id_pid)) == -1)
		return (check_unopened(id, w, errno, why, len));
	v = check_opened(id, w, *fd, why, len);
	if (v != IDENT_ALIVE) {
		w->iw_close(w->iw_arg, *fd);
		*fd = -1;
	}
	return (v);
}

enum ident_verdict
ident_check(const struct ident *id, const struct ident_world *w, char *why,
    size_t whylen)
{
	enum ident_verdict	 v;
	int			 fd;

	v = check_open(id, w, why, whylen, &fd);
	if (fd != -1)
		w->iw_close(w->iw_arg, fd);
	return (v);
}

static int
is_zero(const uint8_t *p, size_t len)
{
	while (len-- > 0)
		if (*p++ != 0)
			return (0);
	return (1);
}

int
ident_same(const struct ident *a, const struct ident *b)
{
	const size_t	 n = sizeof(a->id_incarnation);

	if (a->id_pid != b->id_pid || a->id_start_time != b->id_start_time ||
	    a->id_pidns != b->id_pidns ||
	    strcmp(a->id_boot_id, b->id_boot_id) != 0)
		return (0);
	if (a->id_pidfd_ino != 0 && b->id_pidfd_ino != 0 &&
	    a->id_pidfd_ino != b->id_pidfd_ino)
		return (0);
	return (is_zero(a->id_incarnation, n) ||
	    is_zero(b->id_incarnation, n) ||
	    memcmp(a->id_incarnation, b->id_incarnation, n) == 0);
}

int
ident_again(const struct ident *known, const struct ident *said)
{
	return (ident_same(known, said) && (!is_zero(said->id_incarnation,
	    sizeof(said->id_incarnation)) || is_zero(known->id_incarnation,
	    sizeof(known->id_incarnation))));
}

int
ident_kill(const struct ident *id, int sig)
{
	int	 fd, r;

	switch (check_open(id, &ident_world_real, NULL, 0, &fd)) {
	case IDENT_DEAD:
		errno = ESRCH;
		return (-1);
	case IDENT_UNKNOWN:
		errno = EAGAIN;
		return (-1);
	case IDENT_ALIVE:
		break;
	}
	r = (int)syscall(SYS_pidfd_send_signal, fd, sig, NULL, 0);
	real_close(NULL, fd);
	return (r);
}

int
ident_format(const struct ident *id, char *buf, size_t len)
{
	char	 hex[33];
	size_t	 i;
	int	 n;

	for (i = 0; i < sizeof(id->id_incarnation); i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", id->id_incarnation[i]);
	n = snprintf(buf, len, "boot=%s ns=%" PRIu64 " pid=%" PRId32
	    " start=%" PRIu64 " ino=%" PRIu64 " inc=%s", id->id_boot_id,
	    id->id_pidns, id->id_pid, id->id_start_time, id->id_pidfd_ino,
	    hex);
	if (n < 0 || (size_t)n >= len) {
		errno = ENOSPC;
		return (-1);
	}
	return (0);
}

/* Takes word and a decimal number off *p; what follows must be `end`. */
static int
take_number(const char **p, const char *word, uint64_t max, char end,
    uint64_t *out)
{
	size_t	 n = strlen(word);
	char	*e;

	if (strncmp(*p, word, n) != 0 || !isdigit((unsigned char)(*p)[n]))
		return (-1);
	errno = 0;
	*out = strtoull(*p + n, &e, 10);
	if (errno != 0 || *out > max || *e != end)
		return (-1);
	*p = e + 1;
	return (0);
}

static int
take_hex(const char *p, uint8_t *out, size_t nbytes)
{
	static const char	 digits[] = "0123456789abcdef";
	const char		*hi, *lo;
	size_t			 i;

	if (strlen(p) != nbytes * 2)
		return (-1);
	for (i = 0; i < nbytes; i++) {
		hi = strchr(digits, p[2 * i]);
		lo = strchr(digits, p[2 * i + 1]);
		if (hi == NULL || lo == NULL)
			return (-1);
		out[i] = (uint8_t)((hi - digits) << 4 | (lo - digits));
	}
	return (0);
}

int
ident_parse(const char *s, struct ident *id)
{
	struct ident	 t;
	uint64_t	 pid;

	memset(&t, 0, sizeof(t));
	if (strncmp(s, "boot=", 5) != 0 ||
	    strspn(s + 5, "0123456789abcdef-") != 36 || s[41] != ' ')
		goto bad;
	memcpy(t.id_boot_id, s + 5, 36);
	s += 42;
	if (take_number(&s, "ns=", UINT64_MAX, ' ', &t.id_pidns) == -1 ||
	    take_number(&s, "pid=", INT32_MAX, ' ', &pid) == -1 ||
	    take_number(&s, "start=", UINT64_MAX, ' ',
	    &t.id_start_time) == -1 ||
	    take_number(&s, "ino=", UINT64_MAX, ' ', &t.id_pidfd_ino) == -1)
		goto bad;
	t.id_pid = (int32_t)pid;
	if (strncmp(s, "inc=", 4) != 0 ||
	    take_hex(s + 4, t.id_incarnation, sizeof(t.id_incarnation)) == -1)
		goto bad;
	*id = t;
	return (0);
bad:
	errno = EINVAL;
	return (-1);
}
