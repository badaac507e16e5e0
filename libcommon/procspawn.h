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

#ifndef COMMON_PROCSPAWN_H
#define COMMON_PROCSPAWN_H

#include <sys/types.h>

#include "libcommon/proctree.h"

/* A command that was just begun, in a session of its own. */
struct procspawn {
	pid_t	 sp_pid;
	int	 sp_pidfd;
	int	 sp_out;		/* its stdout, not blocking */
	int	 sp_err;		/* its stderr, not blocking */
	int	 sp_exec_errno;		/* exec or chdir failed: it ends */
};

/*
 * fork and exec as proctree.h describes.  The caller closes the descriptors
 * and reaps the process.  Returns 0, or -1 with errno and nothing left over.
 */
int	procspawn(const struct proctree_opts *, struct procspawn *);

#endif
