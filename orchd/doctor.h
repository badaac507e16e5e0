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

#ifndef ORCHD_DOCTOR_H
#define ORCHD_DOCTOR_H

/*
 * orchctl doctor remote: the engine has no token and opens no connection, so
 * it asks those who do and collects what they found.
 */

#include "peer.h"

/* A daemon that does not end within so long is found to be without answer. */
#define DOCTOR_LIMIT_MS	20000

/*
 * Begin: the answer to the query with that id goes out when all daemons have
 * ended, or at the limit.  project "": all of them.
 */
void	 doctor_begin(struct peer *, uint32_t id, const char *project);

/* What one trial found. */
int	 on_doctor_row(struct peer *, uint32_t, const union orch_any *, int *);

/* Every second: who is late? */
void	 doctor_tick(void);

#endif
