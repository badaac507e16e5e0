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
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bsd/string.h>

#include "libcommon/fsutil.h"
#include "libcommon/git.h"
#include "libcommon/log.h"

#include "parent.h"

#define UNIX_BACKLOG	128
#define TCP_BACKLOG	512

/* A folder of ours: no symbolic link, not somebody else's. */
static int
folder(const char *path, mode_t mode)
{
	struct stat	 sb;
	int		 fd;

	if (fs_mkdir_p(path, mode) == -1) {
		log_warn("folder %s", path);
		return (-1);
	}
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1 && (errno == ELOOP || errno == ENOTDIR)) {
		log_warnx("folder %s is a symbolic link: name the folder that "
		    "it leads to", path);
		return (-1);
	}
	if (fd == -1 || fstat(fd, &sb) == -1) {
		log_warn("folder %s", path);
		if (fd != -1)
			close(fd);
		return (-1);
	}
	if (sb.st_uid != geteuid()) {
		log_warnx("folder %s belongs to user %u, and orchd runs as "
		    "user %u", path, (unsigned int)sb.st_uid,
		    (unsigned int)geteuid());
		close(fd);
		return (-1);
	}
	/* Who took away his own right to write has had a reason. */
	if ((sb.st_mode & S_IRWXU) != S_IRWXU) {
		log_warnx("folder %s cannot be written (mode %04o); if that "
		    "is not meant, chmod u=rwx it", path,
		    (unsigned int)sb.st_mode & 07777);
		close(fd);
		return (-1);
	}
	if ((sb.st_mode & 07777) != mode && fchmod(fd, mode) == -1) {
		log_warn("folder %s: mode %04o", path, (unsigned int)mode);
		close(fd);
		return (-1);
	}
	close(fd);
	return (0);
}

static void
lock_refused(const char *path, int fd)
{
	char	 buf[32];
	ssize_t	 n;

	if (errno != EWOULDBLOCK) {
		log_warn("lock %s", path);
		return;
	}
	if ((n = pread(fd, buf, sizeof(buf) - 1, 0)) < 0)
		n = 0;
	buf[n] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	log_warnx("another orchd%s%s holds %s; two on the same folder are "
	    "refused", buf[0] != '\0' ? ", pid " : "", buf, path);
}

/* Lock a folder for this process; the descriptor, or -1. */
static int
lock_folder(const char *dir)
{
	char	 path[PATH_MAX], pid[32];
	int	 fd, n;

	snprintf(path, sizeof(path), "%s/lock", dir);
	fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1) {
		log_warn("lock %s", path);
		return (-1);
	}
	if (flock(fd, LOCK_EX | LOCK_NB) == -1) {
		lock_refused(path, fd);
		close(fd);
		return (-1);
	}
	n = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
	if (ftruncate(fd, 0) == -1 || pwrite(fd, pid, (size_t)n, 0) != n) {
		log_warn("lock %s", path);
		close(fd);
		return (-1);
	}
	return (fd);
}

static int
lock_kept(const char *dir, int fd, char *err, size_t errlen)
{
	struct stat	 have, is;
	char		 path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/lock", dir);
	if (fstat(fd, &have) == 0 && lstat(path, &is) == 0 &&
	    have.st_dev == is.st_dev && have.st_ino == is.st_ino)
		return (0);
	snprintf(err, errlen, "%.800s is not the lock that this orchd holds: "
	    "stop orchd and start it again", path);
	return (-1);
}

int
listen_kept(const struct conf *cf, char *err, size_t errlen)
{
	return (lock_kept(cf->cf_state, par.p_lock, err, errlen) == -1 ||
	    lock_kept(cf->cf_runtime, par.p_runtime_lock, err,
	    errlen) == -1 ? -1 : 0);
}

int
listen_folders(const struct conf *cf)
{
	static const char *const subs[] = { "mirror", "ws", "log", "result" };
	char			 path[PATH_MAX], err[1024];
	size_t			 i;

	if (folder(cf->cf_state, 0700) == -1 ||
	    folder(cf->cf_runtime, 0711) == -1)
		return (-1);
	if (par.p_lock != -1) {
		if (listen_kept(cf, err, sizeof(err)) == -1) {
			log_warnx("restart: %s", err);
			return (-1);
		}
	} else if ((par.p_lock = lock_folder(cf->cf_state)) == -1 ||
	    (par.p_runtime_lock = lock_folder(cf->cf_runtime)) == -1)
		return (-1);
	for (i = 0; i < sizeof(subs) / sizeof(subs[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", cf->cf_state, subs[i]);
		if (folder(path, 0700) == -1)
			return (-1);
	}
	return (0);
}

static int
bind_unix(const char *dir, const char *name, mode_t mode)
{
	struct sockaddr_un	 sun = { .sun_family = AF_UNIX };
	int			 fd, n;

	n = snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/%s", dir, name);
	if (n < 0 || (size_t)n >= sizeof(sun.sun_path)) {
		log_warnx("socket %s/%s: the path is too long", dir, name);
		return (-1);
	}
	/* The lock is ours: what is there is left over. */
	if (unlink(sun.sun_path) == -1 && errno != ENOENT) {
		log_warn("socket %s", sun.sun_path);
		return (-1);
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1 ||
	    bind(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1 ||
	    chmod(sun.sun_path, mode) == -1 || listen(fd, UNIX_BACKLOG) == -1) {
		log_warn("socket %s", sun.sun_path);
		if (fd != -1)
			close(fd);
		return (-1);
	}
	return (fd);
}

int
listen_sockets(const struct conf *cf)
{
	if (par.p_engine_sock == -1 && (par.p_engine_sock =
	    bind_unix(cf->cf_runtime, "engine.sock", 0600)) == -1)
		return (-1);
	if (par.p_control_sock == -1 && (par.p_control_sock =
	    bind_unix(cf->cf_runtime, "control.sock", 0660)) == -1)
		return (-1);
	return (0);
}

static int
bind_tcp(const struct conf_listen *li)
{
	int	 fd, on = 1, e;

	fd = socket(li->li_sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC |
	    SOCK_NONBLOCK, 0);
	if (fd == -1)
		return (-1);
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1 ||
	    (li->li_sa.ss_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6,
	    IPV6_V6ONLY, &on, sizeof(on)) == -1) ||
	    bind(fd, (const struct sockaddr *)&li->li_sa,
	    li->li_salen) == -1 || listen(fd, TCP_BACKLOG) == -1) {
		e = errno;
		close(fd);
		errno = e;
		return (-1);
	}
	return (fd);
}

/* The descriptor that we have for an address, or -1. */
static int
listener_fd(const struct conf_listen *li)
{
	size_t	 i;

	for (i = 0; i < par.p_nlisten; i++)
		if (!passed_is(par.p_listen[i].l_fd) &&
		    par.p_listen[i].l_port == li->li_port &&
		    strcmp(par.p_listen[i].l_addr, li->li_addr) == 0)
			return (par.p_listen[i].l_fd);
	return (-1);
}

static int
listener_is_ours(int fd)
{
	size_t	 i;

	if (passed_is(fd))
		return (1);
	for (i = 0; i < par.p_nlisten; i++)
		if (par.p_listen[i].l_fd == fd)
			return (1);
	return (0);
}

/* One listen line: its socket, passed, kept or new, and its certificate. */
static int
listener_open(struct listener *l, const struct conf_listen *li, int passed,
    char *err, size_t errlen)
{
	char	 why[1024];

	l->l_role = li->li_role;
	l->l_port = li->li_port;
	strlcpy(l->l_addr, li->li_addr, sizeof(l->l_addr));
	l->l_fd = -1;
	if (li->li_cert != NULL && certificate_read(&l->l_tls, li->li_cert,
	    li->li_key, NULL, why, sizeof(why)) == -1) {
		snprintf(err, errlen, "%s:%u: %s", li->li_loc.cl_file,
		    li->li_loc.cl_line, why);
		return (-1);
	}
	if ((l->l_fd = passed) == -1 && (l->l_fd = listener_fd(li)) == -1 &&
	    (l->l_fd = bind_tcp(li)) == -1) {
		snprintf(err, errlen, "%s:%u: listen on %s port %u: %s",
		    li->li_loc.cl_file, li->li_loc.cl_line, li->li_addr,
		    (unsigned int)li->li_port, strerror(errno));
		certificate_free(&l->l_tls);
		return (-1);
	}
	/* By its name alone a socket can be one of another address. */
	l->l_loopback = li->li_loopback && passed_is_loopback(l->l_fd);
	return (0);
}

int
listen_open(const struct conf *cf, struct listener **out, size_t *n,
    char *err, size_t errlen)
{
	struct listener	*l;
	int		*fds;
	size_t		 i = 0;

	l = calloc(cf->cf_nlisten + 1, sizeof(*l));
	fds = calloc(cf->cf_nlisten + 1, sizeof(*fds));
	if (l == NULL || fds == NULL)
		fatalx("out of memory");
	if (passed_match(cf, fds, err, errlen) == -1)
		goto fail;
	for (; i < cf->cf_nlisten; i++)
		if (listener_open(&l[i], &cf->cf_listen[i], fds[i], err,
		    errlen) == -1)
			goto fail;
	free(fds);
	*out = l;
	*n = cf->cf_nlisten;
	return (0);
fail:
	while (i-- > 0) {
		if (!listener_is_ours(l[i].l_fd))
			close(l[i].l_fd);
		certificate_free(&l[i].l_tls);
	}
	free(fds);
	free(l);
	return (-1);
}

void
listen_replace(struct listener *l, size_t n)
{
	size_t	 i, j;

	for (i = 0; i < par.p_nlisten; i++) {
		for (j = 0; j < n; j++)
			if (l[j].l_fd == par.p_listen[i].l_fd)
				break;
		if (j == n && !passed_is(par.p_listen[i].l_fd))
			close(par.p_listen[i].l_fd);
		certificate_free(&par.p_listen[i].l_tls);
	}
	free(par.p_listen);
	par.p_listen = l;
	par.p_nlisten = n;
}

void
listen_mirrors(const struct conf *cf)
{
	const struct conf_project	*cp;
	struct stat			 sb;
	const char			*from;
	char				 path[PATH_MAX], err[512];
	size_t				 i;

	for (i = 0; i < cf->cf_nprojects; i++) {
		cp = &cf->cf_projects[i];
		snprintf(path, sizeof(path), "%s/mirror/%s.git", cf->cf_state,
		    cp->cp_name);
		if (lstat(path, &sb) == 0)
			continue;
		from = cp->cp_forge == CONF_FORGE_GITEA ? cp->cp_forge_repo :
		    cp->cp_forge_from;
		if (git_init_mirror(path, cp->cp_forge_from, err,
		    sizeof(err)) != GIT_OK)
			log_warnx("project %s: no mirror of %s: %s",
			    cp->cp_name, from, err);
		else
			log_info("project %s: mirror made %s %s", cp->cp_name,
			    cp->cp_forge_from != NULL ? "from" : "for", from);
	}
}
