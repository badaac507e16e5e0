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

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bsd/string.h>

#include "libcommon/fsutil.h"
#include "libcommon/seccomp.h"
#include "sim.h"

/*
 * The few files that programs leave for each other (of the deploy hook), which
 * outlive everything; and the system calls that would ask the machine.
 */

#define NFILES	256

static struct file {
	char	f_path[80];
	char	f_text[200];
} files[NFILES];
static size_t nfiles;

void
files_reset(void)
{
	nfiles = 0;
}

const char *
file_get(const char *path)
{
	size_t i;

	for (i = nfiles; i-- > 0; )
		if (strcmp(files[i].f_path, path) == 0)
			return (files[i].f_text);
	return (NULL);
}

/* Old ones are of deploys that are over long ago. */
void
file_put(const char *path, const char *text)
{
	struct file *f;

	if (nfiles == NFILES) {
		memmove(files, files + NFILES / 2, sizeof(files) / 2);
		nfiles /= 2;
	}
	f = &files[nfiles++];
	(void)strlcpy(f->f_path, path, sizeof(f->f_path));
	(void)strlcpy(f->f_text, text, sizeof(f->f_text));
}

int	 __wrap_fs_read_file(const char *, size_t, char **, size_t *);
int	 __wrap_access(const char *, int);
int	 __wrap_close(int);
int	 __wrap_fcntl(int, int, ...);
int	 __wrap_dup2(int, int);
int	 __wrap_getsockopt(int, int, int, void *, socklen_t *);
int	 __wrap_sigaction(int, const struct sigaction *, struct sigaction *);
int	 __wrap_sandbox_enter(enum orch_role, char *, size_t);
struct passwd *__wrap_getpwuid(uid_t);
int	 __real_close(int);
int	 __real_fcntl(int, int, ...);
int	 __real_access(const char *, int);

int
__wrap_fs_read_file(const char *path, size_t max, char **buf, size_t *len)
{
	const char *text = file_get(path);

	if (text == NULL) {
		errno = ENOENT;
		return (-1);
	}
	if ((*buf = strdup(text)) == NULL)
		abort();
	*len = strlen(text);
	return (0);
}

int
__wrap_access(const char *path, int mode)
{
	if (strncmp(path, "/sim/", 5) != 0)
		return (__real_access(path, mode));
	if (file_get(path) != NULL)
		return (0);
	errno = ENOENT;
	return (-1);
}

int
__wrap_close(int fd)
{
	struct conn *c = conn_of_fd(fd);

	if (c != NULL && w.cur != NULL) {
		if (w.cur->p_conn == c)
			w.cur->p_conn = NULL;
		conn_far_close(c);
		return (0);
	}
	if (c != NULL) {
		c->c_near_closed = 1;
		return (0);
	}
	return (w.cur != NULL || fd >= VFD_BUNDLE ? 0 : __real_close(fd));
}

int
__wrap_fcntl(int fd, int cmd, ...)
{
	va_list ap;
	long arg;

	if (fd >= VFD_BUNDLE)
		return (fd);
	va_start(ap, cmd);
	arg = va_arg(ap, long);
	va_end(ap);
	return (__real_fcntl(fd, cmd, arg));
}

int
__wrap_dup2(int a, int b)
{
	return (b);
}

int
__wrap_getsockopt(int fd, int level, int what, void *buf, socklen_t *len)
{
	struct ucred *cred = buf;

	cred->pid = 1;
	cred->uid = geteuid();
	cred->gid = getegid();
	return (0);
}

int
__wrap_sigaction(int sig, const struct sigaction *sa, struct sigaction *old)
{
	return (0);
}

int
__wrap_sandbox_enter(enum orch_role role, char *err, size_t len)
{
	return (0);
}

struct passwd *
__wrap_getpwuid(uid_t uid)
{
	static char name[] = "op";
	static struct passwd pw = { .pw_name = name };

	return (&pw);
}
