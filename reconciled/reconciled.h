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

#ifndef RECONCILED_H
#define RECONCILED_H

#include "proto/proto.h"

/* drift.c: tasks whose gate turned green without an event (F-1) */

/* Start asking every reconcile_interval_s.  -1 when there is no memory. */
int	 drift_start(void);

/* Stop asking. */
void	 drift_stop(void);

/* The engine is there (again): an older list will not be ended any more. */
void	 drift_engine_up(void);

/* One row of the answer to candidates. */
void	 drift_candidate(const struct orch_candidate *);

/* An ack; 1 when it answered one of our advances, else 0. */
int	 drift_ack(uint32_t id, const struct orch_ack *);

/* outbox.c: carry messages to the tracker */

/* Start asking every poll_interval_s.  -1 when there is no memory. */
int	 outbox_start(void);

/* Stop asking; what is not delivered stays with the engine. */
void	 outbox_stop(void);

/* The engine is there (again): an older list will not be ended any more. */
void	 outbox_engine_up(void);

/* One row of the answer to outbox_next; copied. */
void	 outbox_row(const struct orch_outbox_row *);

/* An ack; 1 when it answered a delivery or its record, else 0. */
int	 outbox_ack(uint32_t id, const struct orch_ack *);

#endif
