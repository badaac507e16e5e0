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

#ifndef COMMON_FSUTIL_H
#define COMMON_FSUTIL_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

/*
 * Writes a whole file so that a reader, and the machine after a power cut,
 * sees the old or the new one: temporary beside it, fsync, rename, fsync of
 * the folder.  name is relative to dirfd (or AT_FDCWD).  Returns 0, or -1
 * with errno; the temporary is then removed.
 */
int	fs_write_atomic(int dirfd, const char *name, const void *data,
	    size_t len, mode_t mode);

/*
 * Removes a file or a whole tree.  Never follows a symbolic link, never
 * leaves the file system it began on, needs no path of the tree's depth and
 * no memory that grows with it; opens folders that deny it by chmod.  What
 * cannot be removed is left, everything else goes.  A name that does not
 * exist is success.  Returns 0, or -1 with errno and in err (may be NULL) the
 * first name that stayed, escaped, and why.  dirfd: AT_FDCWD is allowed.
 */
int	fs_remove_tree(int dirfd, const char *name, char *err, size_t errlen);

/*
 * Reads a regular file of at most max bytes into a new buffer that the caller
 * frees; a NUL follows the *len bytes.  A symbolic link as last component,
 * a fifo or a device is refused (ELOOP, EINVAL), a longer file is EFBIG.
 * Returns 0, or -1 with errno.
 */
int	fs_read_file(const char *path, size_t max, char **buf, size_t *len);

/* The same, relative to a folder's descriptor. */
int	fs_read_file_at(int dirfd, const char *path, size_t max, char **buf,
	    size_t *len);

/*
 * Makes a folder and its missing parents (these with mode 0755 less umask).
 * One that exists is success, a file in its place ENOTDIR.  Returns 0 or -1.
 */
int	fs_mkdir_p(const char *path, mode_t mode);

/*
 * Bytes that this user may still write on the file system of path.  Returns
 * 0, or -1 with errno.
 */
int	fs_free_bytes(const char *path, uint64_t *bytes);

#endif
