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

/*
 * fs_remove_tree(): what an agent left may be nested deeper than a path or a
 * stack can be.  So the tree is made flat as it goes: every folder found
 * inside a folder is renamed up to the top of the tree, and is an entry like
 * any other there.  Two descriptors and one name are all it ever holds.
 */

#include <sys/types.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "esc.h"
#include "fsutil.h"

struct removal {
	int		 rm_top;	/* the tree's own folder */
	dev_t		 rm_dev;
	uint64_t	 rm_seq;	/* for names at the top */
	uint64_t	 rm_gone;	/* entries removed or moved up */
	int		 rm_errno;	/* of the first that stayed */
	char		*rm_err;
	size_t		 rm_errlen;
};

static void
stays(struct removal *rm, const char *name)
{
	char	 shown[256];
	int	 code = errno;

	if (rm->rm_errno != 0)
		return;
	rm->rm_errno = code;
	if (rm->rm_err == NULL)
		return;
	(void)esc(shown, sizeof(shown), name);
	(void)snprintf(rm->rm_err, rm->rm_errlen, "cannot remove %s: %s",
	    shown, strerror(code));
}

/*
 * Opens a folder for emptying, never through a symbolic link.  Where its mode
 * denies that, the mode is changed through the descriptor's own /proc entry,
 * which cannot lead elsewhere; fchmodat(2) follows links.
 */
static int
open_folder(int dir, const char *name)
{
	char		 proc[64];
	struct stat	 st;
	int		 fd, path, saved;

	path = openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW |
	    O_CLOEXEC);
	if (path == -1)
		return (-1);
	(void)snprintf(proc, sizeof(proc), "/proc/self/fd/%d", path);
	if (fstat(path, &st) == 0 && (st.st_mode & 0700) != 0700)
		(void)chmod(proc, 0700);
	fd = openat(path, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	saved = errno;
	close(path);
	errno = saved;
	return (fd);
}

/* Gives the folder a new name at the top of the tree. */
static int
move_up(struct removal *rm, int dir, const char *name)
{
	char	 up[40];
	int	 fd;

	/* To move it its ".." is written, so it must be writable itself. */
	if ((fd = open_folder(dir, name)) != -1)
		close(fd);
	do {
		(void)snprintf(up, sizeof(up), ".orchd-rm-%" PRIu64,
		    rm->rm_seq++);
		if (renameat2(dir, name, rm->rm_top, up,
		    RENAME_NOREPLACE) == 0)
			return (0);
	} while (errno == EEXIST);
	return (-1);
}

static int
is_dots(const char *name)
{
	return (strcmp(name, ".") == 0 || strcmp(name, "..") == 0);
}

/* Removes what is no folder, or an empty one.  0, or -1 with errno. */
static int
remove_simple(int dir, const char *name)
{
	struct stat	 st;

	if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
		return (0);
	if (errno != EISDIR && errno != EPERM)
		return (-1);
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return (errno == ENOENT ? 0 : -1);
	if (!S_ISDIR(st.st_mode)) {
		errno = EPERM;
		return (-1);
	}
	return (unlinkat(dir, name, AT_REMOVEDIR));
}

/* Empties a folder of the top: files go, folders move to the top. */
static void
empty_folder(struct removal *rm, const char *name)
{
	struct dirent	*de;
	struct stat	 st;
	DIR		*d;
	int		 fd;

	if ((fd = open_folder(rm->rm_top, name)) == -1 ||
	    fstat(fd, &st) == -1 || (d = fdopendir(fd)) == NULL) {
		stays(rm, name);
		if (fd != -1)
			close(fd);
		return;
	}
	while (st.st_dev == rm->rm_dev && (de = readdir(d)) != NULL) {
		if (is_dots(de->d_name))
			continue;
		if (remove_simple(fd, de->d_name) == 0 ||
		    ((errno == ENOTEMPTY || errno == EEXIST) &&
		    move_up(rm, fd, de->d_name) == 0))
			rm->rm_gone++;
		else
			stays(rm, de->d_name);
	}
	if (st.st_dev != rm->rm_dev) {
		errno = EXDEV;		/* something is mounted here */
		stays(rm, name);
	}
	closedir(d);
}

/* One pass over the top; names that passes add are for the next. */
static void
remove_pass(struct removal *rm, DIR *d)
{
	struct dirent	*de;

	rewinddir(d);
	while ((de = readdir(d)) != NULL) {
		if (is_dots(de->d_name))
			continue;
		if (remove_simple(rm->rm_top, de->d_name) == 0) {
			rm->rm_gone++;
			continue;
		}
		if (errno != ENOTEMPTY && errno != EEXIST) {
			stays(rm, de->d_name);
			continue;
		}
		empty_folder(rm, de->d_name);
		if (unlinkat(rm->rm_top, de->d_name, AT_REMOVEDIR) == 0)
			rm->rm_gone++;
	}
}

/* Passes until one changes nothing; then the folder is empty or stays. */
static int
remove_folder(struct removal *rm, int dirfd, const char *name)
{
	struct stat	 st;
	uint64_t	 before;
	DIR		*d;

	if (fstat(rm->rm_top, &st) == -1 ||
	    (d = fdopendir(rm->rm_top)) == NULL) {
		stays(rm, name);
		close(rm->rm_top);
		errno = rm->rm_errno;
		return (-1);
	}
	rm->rm_dev = st.st_dev;
	do {
		before = rm->rm_gone;
		rm->rm_errno = 0;
		remove_pass(rm, d);
	} while (rm->rm_gone != before);
	closedir(d);
	if (unlinkat(dirfd, name, AT_REMOVEDIR) == 0)
		return (0);
	stays(rm, name);
	errno = rm->rm_errno;
	return (-1);
}

int
fs_remove_tree(int dirfd, const char *name, char *err, size_t errlen)
{
	struct removal	 rm;

	memset(&rm, 0, sizeof(rm));
	rm.rm_err = errlen > 0 ? err : NULL;
	rm.rm_errlen = errlen;
	if (remove_simple(dirfd, name) == 0)
		return (0);
	if ((errno != ENOTEMPTY && errno != EEXIST) ||
	    (rm.rm_top = open_folder(dirfd, name)) == -1) {
		stays(&rm, name);
		errno = rm.rm_errno;
		return (-1);
	}
	return (remove_folder(&rm, dirfd, name));
}
