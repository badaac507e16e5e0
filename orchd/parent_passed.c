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

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bsd/stdlib.h>
#include <bsd/string.h>

#include "libcommon/log.h"

#include "parent.h"

/*
 * Sockets that a service manager opened for us, so that a port below 1024
 * needs no privilege and connections wait while we are away.
 */

#define FIRST_FD	3
#define PASSED_MAX	32

static const char *const role_name[CONF_LISTEN_MAX] = {
	[CONF_LISTEN_WEBHOOK] = "webhook", [CONF_LISTEN_PAGE] = "page",
};

/* Address and port of a socket address, for people. */
static void
say_where(const struct sockaddr_storage *ss, char *buf, size_t len)
{
	const struct sockaddr_in	*sin = (const void *)ss;
	const struct sockaddr_in6	*sin6 = (const void *)ss;
	char				 addr[INET6_ADDRSTRLEN] = "?";
	uint16_t			 port;

	if (ss->ss_family == AF_INET) {
		(void)inet_ntop(AF_INET, &sin->sin_addr, addr, sizeof(addr));
		port = ntohs(sin->sin_port);
	} else {
		(void)inet_ntop(AF_INET6, &sin6->sin6_addr, addr,
		    sizeof(addr));
		port = ntohs(sin6->sin6_port);
	}
	snprintf(buf, len, "%s port %u", addr, (unsigned int)port);
}

static int
int_option(int fd, int option)
{
	socklen_t	 len = sizeof(int);
	int		 n;

	return (getsockopt(fd, SOL_SOCKET, option, &n, &len) == -1 ? -1 : n);
}

int
passed_add(int fd, const char *name, char *err, size_t errlen)
{
	struct passed	*pa, p;
	socklen_t	 len = sizeof(p.pa_sa);

	memset(&p, 0, sizeof(p));
	if (int_option(fd, SO_TYPE) != SOCK_STREAM ||
	    int_option(fd, SO_ACCEPTCONN) != 1 ||
	    getsockname(fd, (struct sockaddr *)&p.pa_sa, &len) == -1 ||
	    (p.pa_sa.ss_family != AF_INET &&
	    p.pa_sa.ss_family != AF_INET6)) {
		snprintf(err, errlen, "descriptor %d (%.60s) was passed to "
		    "orchd and is no listening TCP socket", fd, name);
		return (-1);
	}
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) == -1) {
		snprintf(err, errlen, "descriptor %d: %s", fd,
		    strerror(errno));
		return (-1);
	}
	p.pa_fd = fd;
	strlcpy(p.pa_name, name, sizeof(p.pa_name));
	say_where(&p.pa_sa, p.pa_where, sizeof(p.pa_where));
	pa = reallocarray(par.p_passed, par.p_npassed + 1, sizeof(*pa));
	if (pa == NULL)
		fatalx("out of memory");
	pa[par.p_npassed++] = p;
	par.p_passed = pa;
	return (0);
}

/* How many there are for this process, from the environment; -1: nonsense. */
static int
passed_count(void)
{
	const char	*pid = getenv("LISTEN_PID"), *n = getenv("LISTEN_FDS");
	const char	*errstr, *errstr2;
	long long	 count;

	if (pid == NULL || n == NULL)
		return (0);
	/* Whoever started us was meant, and did not take them out. */
	if (strtonum(pid, 1, INT32_MAX, &errstr) != getpid() &&
	    errstr == NULL)
		return (0);
	count = strtonum(n, 0, PASSED_MAX, &errstr2);
	if (errstr == NULL && errstr2 == NULL)
		return ((int)count);
	log_warnx("LISTEN_PID=%s, LISTEN_FDS=%s: sockets were passed in a way "
	    "that is not known", pid, n);
	return (-1);
}

int
passed_take(void)
{
	static const char *const vars[] = { "LISTEN_PID", "LISTEN_FDS",
	    "LISTEN_FDNAMES", "LISTEN_PIDFDID" };
	const char		*names = getenv("LISTEN_FDNAMES");
	char			*copy, *rest, *name, err[256];
	int			 i, n = passed_count(), rv = n == -1 ? -1 : 0;
	size_t			 v;

	if ((copy = rest = strdup(names != NULL ? names : "")) == NULL)
		fatalx("out of memory");
	for (i = 0; i < n; i++) {
		name = strsep(&rest, ":");
		if (passed_add(FIRST_FD + i, name != NULL ? name : "", err,
		    sizeof(err)) == -1) {
			log_warnx("%s", err);
			rv = -1;
		}
	}
	free(copy);
	for (v = 0; v < sizeof(vars) / sizeof(vars[0]); v++)
		(void)unsetenv(vars[v]);
	return (rv);
}

int
passed_is(int fd)
{
	size_t	 i;

	for (i = 0; i < par.p_npassed; i++)
		if (par.p_passed[i].pa_fd == fd)
			return (1);
	return (0);
}

int
passed_is_loopback(int fd)
{
	struct sockaddr_storage		 ss;
	const struct sockaddr_in	*sin = (const void *)&ss;
	const struct sockaddr_in6	*sin6 = (const void *)&ss;
	socklen_t			 len = sizeof(ss);

	memset(&ss, 0, sizeof(ss));
	if (getsockname(fd, (struct sockaddr *)&ss, &len) == -1)
		return (0);
	if (ss.ss_family == AF_INET)
		return (ntohl(sin->sin_addr.s_addr) >> 24 == 127);
	return (ss.ss_family == AF_INET6 &&
	    IN6_IS_ADDR_LOOPBACK(&sin6->sin6_addr));
}

static int
same_place(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	const struct sockaddr_in	*a4 = (const void *)a;
	const struct sockaddr_in	*b4 = (const void *)b;
	const struct sockaddr_in6	*a6 = (const void *)a;
	const struct sockaddr_in6	*b6 = (const void *)b;

	if (a->ss_family != b->ss_family)
		return (0);
	if (a->ss_family == AF_INET)
		return (a4->sin_port == b4->sin_port &&
		    a4->sin_addr.s_addr == b4->sin_addr.s_addr);
	return (a6->sin6_port == b6->sin6_port &&
	    memcmp(&a6->sin6_addr, &b6->sin6_addr, 16) == 0);
}

/* The line that a passed socket is for: its place, else its name in order. */
static size_t
line_of(const struct conf *cf, const struct passed *pa, const int *fds)
{
	size_t	 i;

	for (i = 0; i < cf->cf_nlisten; i++)
		if (fds[i] == -1 &&
		    same_place(&cf->cf_listen[i].li_sa, &pa->pa_sa))
			return (i);
	return (cf->cf_nlisten);
}

static size_t
line_named(const struct conf *cf, const char *name, const int *fds)
{
	size_t	 i;

	for (i = 0; i < cf->cf_nlisten; i++)
		if (fds[i] == -1 &&
		    strcmp(role_name[cf->cf_listen[i].li_role], name) == 0)
			return (i);
	return (cf->cf_nlisten);
}

/* The name, where it says a role, has to be that of the line. */
static int
name_contradicts(const char *name, enum conf_listen_role role)
{
	size_t	 i;

	for (i = 0; i < CONF_LISTEN_MAX; i++)
		if (strcmp(name, role_name[i]) == 0)
			return (i != (size_t)role);
	return (0);
}

static int
match_places(const struct conf *cf, int *fds, int *taken, char *err,
    size_t errlen)
{
	const struct conf_listen	*li;
	const struct passed		*pa;
	size_t				 i, j;

	for (j = 0; j < par.p_npassed; j++) {
		pa = &par.p_passed[j];
		if ((i = line_of(cf, pa, fds)) == cf->cf_nlisten)
			continue;
		li = &cf->cf_listen[i];
		if (name_contradicts(pa->pa_name, li->li_role)) {
			snprintf(err, errlen, "%s:%u: the socket that was "
			    "passed for %s is named %s, and the line says %s",
			    li->li_loc.cl_file, li->li_loc.cl_line,
			    pa->pa_where, pa->pa_name,
			    role_name[li->li_role]);
			return (-1);
		}
		fds[i] = pa->pa_fd;
		taken[j] = 1;
	}
	return (0);
}

int
passed_match(const struct conf *cf, int *fds, char *err, size_t errlen)
{
	const struct passed	*pa;
	int			 taken[PASSED_MAX] = { 0 };
	size_t			 i, j;

	for (i = 0; i < cf->cf_nlisten; i++)
		fds[i] = -1;
	if (match_places(cf, fds, taken, err, errlen) == -1)
		return (-1);
	for (j = 0; j < par.p_npassed; j++) {
		pa = &par.p_passed[j];
		if (taken[j])
			continue;
		if ((i = line_named(cf, pa->pa_name, fds)) == cf->cf_nlisten) {
			snprintf(err, errlen, "%s: a socket on %s (named "
			    "\"%s\") was passed to orchd, and no listen line "
			    "is for it: write one, or take it out of the "
			    "socket unit", cf->cf_path, pa->pa_where,
			    pa->pa_name);
			return (-1);
		}
		fds[i] = pa->pa_fd;
	}
	return (0);
}
