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

#ifndef ORCHD_DAEMONS_H
#define ORCHD_DAEMONS_H

/* Handlers of what reconciled, reaperd, finalizerd and webhookd send. */

#include "peer.h"

/* Look at a task that has drifted, if it still is where it was seen. */
int	 on_advance(struct peer *, uint32_t, const union orch_any *, int *);

/* List tasks without job or lease, older than their grace. */
int	 on_candidates(struct peer *, uint32_t, const union orch_any *, int *);

/* Set a status or add a comment in the local tracker. */
int	 on_item(struct peer *, uint32_t, const union orch_any *, int *);

/* Raise or clear an alert. */
int	 on_notice(struct peer *, uint32_t, const union orch_any *, int *);

/* List deploys without a recorded end. */
int	 on_deploy_list(struct peer *, uint32_t, const union orch_any *, int *);

/* Record the end of a deploy, once. */
int	 on_deploy_result(struct peer *, uint32_t, const union orch_any *,
	    int *);

#endif
