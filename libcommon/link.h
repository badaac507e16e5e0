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

#ifndef LIBCOMMON_LINK_H
#define LIBCOMMON_LINK_H

/*
 * A blocking connection of a transition worker to the engine that survives
 * the engine: it reconnects, says HELLO again and repeats the request that was
 * not answered.  Requests of workers are made so that a repetition finds the
 * first one's result.
 */

#include "proto/proto.h"

struct link;

/*
 * Prepare (no connection yet).  path: engine.sock; key: 32 bytes, the run's
 * key; role: ROLE_WORKER or ROLE_RUNNER.  NULL with errno.
 */
struct link *link_new(const char *path, enum orch_role role, uint64_t run,
	    const uint8_t key[32]);

void	 link_free(struct link *);

/*
 * Connect, HELLO, and wait for run_go.  *go's texts live as long as the link;
 * *fd gets the descriptor that came along or -1.  -1 with errno ECANCELED when
 * the engine said hello_no or run_stop (the reason: link_reason).  Waits for
 * ever for an engine.
 */
int	 link_wait_go(struct link *, struct orch_run_go *go, int *fd);

/*
 * Send a request and wait for the answer of type want with its correlation id.
 * Answers live until the next call.  fd (or -1) goes along each time.
 * Reconnects for ever.  -1 with errno ECANCELED (hello_no or run_stop
 * meanwhile), EMSGSIZE.
 */
int	 link_call(struct link *, unsigned int type, const void *msg, int fd,
	    unsigned int want, union orch_any *answer);

/*
 * Did the engine ask for a graceful end (run_stop)?  Does not wait for a
 * message; when the engine was replaced it says HELLO to the new one.
 */
int	 link_stopped(struct link *);

/*
 * Go on asking after a run_stop, to end honestly: what was begun is recorded,
 * then run_done.  -1 with errno ECANCELED when the engine said hello_no.
 */
int	 link_resume(struct link *);

/* Why the last call was cancelled, for people. */
const char *link_reason(const struct link *);

#endif
