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


#ifndef ORCHD_EVENTS_H
#define ORCHD_EVENTS_H

/*
 * Deliveries that came in: each is kept for log_keep_days, can be read,
 * and can be looked at again.
 */

#include <stdint.h>

#include "peer.h"

/*
 * QUERY "event": without an object the newest ones (args source=, project=,
 * state=, most=), else the one of that number or delivery id, with its body.
 */
void	 query_event(struct peer *, uint32_t id, const struct orch_query *);

/*
 * As if the delivery of this number or id came now: its project is looked up
 * in the configuration as it is, and reconciled is told to look.  A sentence
 * for people goes to said; RES_RETRY: nothing could be stored.
 */
enum orch_result event_replay(const char *word, const char *user, char *said,
	    size_t len);

/* Count a delivery of source (for metrics, where rows do not stay). */
void	 event_count(const char *source, const char *result);

#endif
