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
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bsd/string.h>

#include "fsutil.h"

static void
close_keep(int fd)
{
	int	 saved = errno;

	if (fd != -1)
		close(fd);
	errno = saved;
}

static int
write_all(int fd, const char *p, size_t len)
{
	ssize_t	 n;

	while (len > 0) {
		n = write(fd, p, len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0) {
			if (n == 0)
				errno = EIO;
			return (-1);
		}
		p += n;
		len -= (size_t)n;
	}
	return (0);
}

/* Opens the folder that name is in. */
static int
open_parent(int dirfd, const char *name)
{
	char		 path[PATH_MAX];
	const char	*slash = strrchr(name, '/');
	size_t		 len;

	if (slash == NULL)
		return (openat(dirfd, ".", O_RDONLY | O_DIRECTORY |
		    O_CLOEXEC));
	len = slash == name ? 1 : (size_t)(slash - name);
	if (len >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return (-1);
	}
	memcpy(path, name, len);
	path[len] = '\0';
	return (openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

static int
write_tmp(int fd, const void *data, size_t len, mode_t mode)
{
	/* fchmod: the umask must not decide who reads a secret. */
	if (write_all(fd, data, len) == -1 || fchmod(fd, mode) == -1 ||
	    fsync(fd) == -1)
		return (-1);
	return (0);
}

int
fs_write_atomic(int dirfd, const char *name, const void *data, size_t len,
    mode_t mode)
{
	const char	*base = strrchr(name, '/');
	char		 tmp[NAME_MAX + 1];
	uint64_t	 rnd;
	int		 dir, fd = -1, n, r = -1;

	base = base != NULL ? base + 1 : name;
	if (getrandom(&rnd, sizeof(rnd), 0) != sizeof(rnd))
		return (-1);
	n = snprintf(tmp, sizeof(tmp), ".%.64s.%016" PRIx64, base, rnd);
	if (*base == '\0' || n < 0 || (size_t)n >= sizeof(tmp)) {
		errno = EINVAL;
		return (-1);
	}
	if ((dir = open_parent(dirfd, name)) == -1)
		return (-1);
	fd = openat(dir, tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
	    O_CLOEXEC, 0600);
	if (fd == -1)
		goto done;
	if (write_tmp(fd, data, len, mode) == 0 &&
	    renameat(dir, tmp, dir, base) == 0)
		r = fsync(dir);
	else {
		n = errno;
		(void)unlinkat(dir, tmp, 0);
		errno = n;
	}
done:
	close_keep(fd);
	close_keep(dir);
	return (r);
}

static int
read_all(int fd, char *p, size_t len, size_t *got)
{
	ssize_t	 n;

	*got = 0;
	while (*got < len) {
		n = read(fd, p + *got, len - *got);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return (-1);
		if (n == 0)
			break;
		*got += (size_t)n;
	}
	return (0);
}

int
fs_read_file_at(int dirfd, const char *path, size_t max, char **buf,
    size_t *len)
{
	struct stat	 st;
	char		*p = NULL;
	size_t		 size;
	int		 fd, r = -1;

	/* O_NONBLOCK: a fifo in the place must not hold us. */
	fd = openat(dirfd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
	    O_NOCTTY | O_CLOEXEC);
	if (fd == -1 || fstat(fd, &st) == -1)
		goto done;
	if (!S_ISREG(st.st_mode)) {
		errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
		goto done;
	}
	if (st.st_size < 0 || (uint64_t)st.st_size > max) {
		errno = EFBIG;
		goto done;
	}
	/* One byte more than allowed shows a file that grew; /proc says 0. */
	size = st.st_size == 0 ? max + 1 : (size_t)st.st_size + 1;
	if ((p = malloc(size + 1)) == NULL ||
	    read_all(fd, p, size, len) == -1)
		goto done;
	if (*len > max) {
		errno = EFBIG;
		goto done;
	}
	p[*len] = '\0';
	*buf = p;
	p = NULL;
	r = 0;
done:
	free(p);
	close_keep(fd);
	return (r);
}

int
fs_read_file(const char *path, size_t max, char **buf, size_t *len)
{
	return (fs_read_file_at(AT_FDCWD, path, max, buf, len));
}

static int
is_dir(const char *path)
{
	struct stat	 st;

	if (stat(path, &st) == -1)
		return (-1);
	if (S_ISDIR(st.st_mode))
		return (0);
	errno = ENOTDIR;
	return (-1);
}

int
fs_mkdir_p(const char *path, mode_t mode)
{
	char	 buf[PATH_MAX], *p;

	if (*path == '\0' || strlcpy(buf, path, sizeof(buf)) >= sizeof(buf)) {
		errno = *path == '\0' ? ENOENT : ENAMETOOLONG;
		return (-1);
	}
	for (p = buf + strlen(buf) - 1; p > buf && *p == '/'; p--)
		*p = '\0';
	for (p = buf + 1; (p = strchr(p, '/')) != NULL; p++) {
		*p = '\0';
		if (mkdir(buf, 0755) == -1 && errno != EEXIST)
			return (-1);
		*p = '/';
	}
	if (mkdir(buf, mode) == 0)
		return (0);
	return (errno == EEXIST ? is_dir(buf) : -1);
}

int
fs_free_bytes(const char *path, uint64_t *bytes)
{
	struct statvfs	 vfs;

	if (statvfs(path, &vfs) == -1)
		return (-1);
	*bytes = (uint64_t)vfs.f_bavail * vfs.f_frsize;
	return (0);
}
