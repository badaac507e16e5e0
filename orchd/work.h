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

#ifndef ORCHD_WORK_H
#define ORCHD_WORK_H

#include <stdint.h>

#include "peer.h"
#include "runs.h"

/*
 * Read run and task of a worker that sent a message with this epoch.  0: it is
 * inside its lease.  1: it is not, and was told so (ack, RES_FENCED).  -1: the
 * database failed.
 */
int	 work_fenced(struct peer *, uint32_t id, uint64_t epoch, struct run *,
	    struct task *);

/*
 * A task whose work was tried often enough is parked as Blocked, with reason.
 * One that is to be cancelled is not left so: again, but seldom.  0 or -1.
 */
int	 work_gave_up(const struct task *, const char *reason);

/*
 * A worker that takes no lease has fetched the forge's branches, or has not:
 * then again, later.  0 or -1.
 */
int	 work_fetched(const struct run *, const struct orch_run_done *);

#endif
