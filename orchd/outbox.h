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

#ifndef ORCHD_OUTBOX_H
#define ORCHD_OUTBOX_H

/*
 * The outbox: messages to trackers, forges and people.  Each is stored in the
 * commit that causes it, delivered at least once and in order per task and
 * destination.  Who delivers asks for what is due; a destination that
 * is dead delays no other.
 */

#include <stdint.h>

#include "peer.h"
#include "store.h"
#include "task.h"

/* A message; texts may be NULL for "". */
struct outbox_msg {
	const char		*om_dest;	/* "tracker", "forge:NAME",
						 * "notify:NAME" */
	const struct task	*om_task;	/* or NULL */
	const char		*om_kind;
	const char		*om_key;	/* the same key twice is one */
	const char		*om_text;	/* redacted and cut here */
	const char		*om_branch;	/* whose pull request */
	const char		*om_commit;	/* of a status */
};

/* A message that is due; the texts die with the next row. */
struct outbox_due {
	int64_t		 od_id;
	const char	*od_kind;
	const char	*od_task;
	const char	*od_key;
	const char	*od_text;
	const char	*od_project;
	const char	*od_item;
	int64_t		 od_pull;
	const char	*od_commit;
	int64_t		 od_at;		/* when it was stored */
};

/* Store a message, once a key, in the transaction under way. */
enum store_res	 outbox_put(const struct outbox_msg *);

/* The same where it is about a task and nothing else. */
enum store_res	 outbox_add(const char *dest, const struct task *,
		    const char *kind, const char *key, const char *text);

/*
 * The oldest messages that are due for a destination, one a task: at most so
 * many are passed to fn.
 */
void		 outbox_due(const char *dest, uint32_t most,
		    void (*fn)(const struct outbox_due *, void *), void *arg);

/*
 * It was delivered, or why not: then it comes again later.  What is refused as
 * it is, three times, or is for something that is gone, is parked, with an
 * alert that says what it was.  -1.
 */
int		 outbox_result(int64_t id, int ok, enum orch_outbox_refused,
		    const char *error);

/*
 * Now and then: what could not be delivered for a week is parked, with one
 * alert a destination.  -1.
 */
int		 outbox_look(void);

/*
 * By an operator's word: try what is parked for a destination again.  What a
 * later status has taken the place of is forgotten.  said is what to answer;
 * RES_RETRY is a failure, for the caller to answer.
 */
enum orch_result outbox_retry(const char *dest, const char *user, char *said,
		    size_t saidlen);

/*
 * By an operator's word: what is parked for a destination is never delivered.
 * As above.
 */
enum orch_result outbox_drop(const char *dest, const char *user, char *said,
		    size_t saidlen);

/* List messages that are due, in order per task. */
int	 on_outbox_next(struct peer *, uint32_t, const union orch_any *, int *);

/* A message was delivered, or comes again later. */
int	 on_outbox_done(struct peer *, uint32_t, const union orch_any *, int *);

#endif
