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

#ifndef COMMON_SECCOMP_H
#define COMMON_SECCOMP_H

#include <stddef.h>

#include "proto/roles.h"

/*
 * For the roles of the daemons and of workers; any other has no filter and is
 * refused.  Gives up, for good, what the role never needs: no_new_privs, no
 * core, not dumpable (no other process of the user reads its memory), and
 * calls.  Call it when everything is acquired and privileges are dropped.
 * Returns 0, or -1 with a sentence in err; the caller must not go on then.
 *
 * The webhook and page roles, which strangers talk to, have a list of the
 * calls that they make.  Another one kills the process by SIGSYS, but for a
 * few that libraries try in good faith (to open a file, to make a socket):
 * those answer EACCES.  They make no thread either.
 *
 * The other roles have a list of what they may not do.  There a refused call
 * answers EPERM, a socket family EAFNOSUPPORT.
 */
int	sandbox_enter(enum orch_role, char *err, size_t errlen);

/*
 * How many different calls the list of the role allows, with some arguments or
 * with all; 0 for a role that has a list of what it may not do.
 */
size_t	sandbox_calls(enum orch_role);

/* What agent code inside a box may not call. */
#define SECCOMP_AGENT_NO_INET	0x01	/* refuse AF_INET and AF_INET6 */
#define SECCOMP_AGENT_NO_UNIX	0x02	/* refuse AF_UNIX */

/*
 * The filter of agents and gates, loaded by the shim: no_new_privs, no kernel
 * administration, no new namespaces, no io_uring, no TIOCSTI, and of the
 * socket families only inet, unix and netlink, less those named by flags.
 * Returns 0, or -1 with a sentence in err.
 */
int	seccomp_agent(int flags, char *err, size_t errlen);

#endif
