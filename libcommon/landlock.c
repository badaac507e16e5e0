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
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "libcommon/landlock.h"

/* The kernel's numbers, since Debian 12's header ends at ABI 2. */
#define LL_EXECUTE		(1ULL << 0)
#define LL_WRITE_FILE		(1ULL << 1)
#define LL_READ_FILE		(1ULL << 2)
#define LL_READ_DIR		(1ULL << 3)
#define LL_TRUNCATE		(1ULL << 14)
#define LL_IOCTL_DEV		(1ULL << 15)
#define LL_ALL			((1ULL << 16) - 1)	/* ABI 5 and later */
#define LL_NET_BIND_TCP		(1ULL << 0)
#define LL_NET_CONNECT_TCP	(1ULL << 1)
#define LL_SCOPE_ABSTRACT	(1ULL << 0)
#define LL_SCOPE_SIGNAL		(1ULL << 1)

#define LL_READ		(LL_EXECUTE | LL_READ_FILE | LL_READ_DIR)
#define LL_OF_FILE	(LL_EXECUTE | LL_WRITE_FILE | LL_READ_FILE | \
			    LL_TRUNCATE | LL_IOCTL_DEV)

/* struct landlock_ruleset_attr of ABI 6. */
struct ruleset_attr {
	uint64_t	 handled_access_fs;
	uint64_t	 handled_access_net;
	uint64_t	 scoped;
};

int
landlock_abi(void)
{
	long	 abi;

	abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);
	return (abi > 0 ? (int)abi : 0);
}

static int
allow_path(int ruleset, const char *path, uint64_t access)
{
	struct landlock_path_beneath_attr	 pb;
	struct stat				 st;
	int					 fd, r = -1;

	if ((fd = open(path, O_PATH | O_CLOEXEC)) == -1)
		return (errno == ENOENT ? 0 : -1);
	if (fstat(fd, &st) == -1)
		goto done;
	if (!S_ISDIR(st.st_mode))
		access &= LL_OF_FILE;
	memset(&pb, 0, sizeof(pb));
	pb.allowed_access = access;
	pb.parent_fd = fd;
	r = (int)syscall(SYS_landlock_add_rule, ruleset,
	    LANDLOCK_RULE_PATH_BENEATH, &pb, 0);
done:
	close(fd);
	return (r);
}

static int
allow_all(int ruleset, const char *const *paths, uint64_t access,
    const char **failed)
{
	for (; *paths != NULL; paths++)
		if (allow_path(ruleset, *paths, access) == -1) {
			*failed = *paths;
			return (-1);
		}
	return (0);
}

int
landlock_enter(const char *const *ro, const char *const *rw, int net,
    char *err, size_t errlen)
{
	struct ruleset_attr	 attr;
	const char		*failed = "rules";
	int			 fd, abi, r = -1;

	if ((abi = landlock_abi()) < LANDLOCK_ABI_MIN) {
		(void)snprintf(err, errlen, "this kernel's Landlock has ABI "
		    "%d, and %d is needed to keep signals inside", abi,
		    LANDLOCK_ABI_MIN);
		return (-1);
	}
	memset(&attr, 0, sizeof(attr));
	attr.handled_access_fs = LL_ALL;
	attr.handled_access_net = net ? 0 :
	    LL_NET_BIND_TCP | LL_NET_CONNECT_TCP;
	attr.scoped = LL_SCOPE_ABSTRACT | LL_SCOPE_SIGNAL;
	fd = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (fd == -1)
		goto done;
	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	if (allow_all(fd, ro, LL_READ, &failed) == -1 ||
	    allow_all(fd, rw, LL_ALL, &failed) == -1)
		goto done;
	failed = "restriction";
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		goto done;
	r = (int)syscall(SYS_landlock_restrict_self, fd, 0);
done:
	if (r == -1)
		(void)snprintf(err, errlen, "cannot set up Landlock: %s: %s",
		    failed, strerror(errno));
	if (fd != -1)
		close(fd);
	return (r);
}
