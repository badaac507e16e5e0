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

#ifndef WEBHOOKD_ASK_H
#define WEBHOOKD_ASK_H

#include <event2/event.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/proto.h"

#include "delivery.h"

/*
 * Questions to the engine.  A question is asked at once, asked again of the
 * next engine when this one goes away, and given up after a time.  Deliveries
 * have an id and a digest, so that the engine recognises a repetition.  An
 * action has none and is never repeated.
 */

struct asks;
struct ask;

/* Sends to the engine; the form and the errors of daemon_send(). */
typedef int	(*ask_send_fn)(unsigned int type, const void *msg,
		    uint32_t *id);

struct ask_answer {
	int		 aa_away;	/* no answer in time, nothing else */
	int		 aa_lost;	/* away, and an action may be done */
	uint8_t		 aa_result;	/* enum orch_result */
	const char	*aa_text;	/* may be "" */
	const char	*aa_json;	/* not terminated; may be NULL */
	size_t		 aa_json_len;
};

/* Called once, with an answer that lives until it returns. */
typedef void	(*ask_done_cb)(const struct ask_answer *, void *arg);

/*
 * A table of open questions.  Each is given up hold_ms after it was asked.
 * asks_free() drops what is open without calling anybody back.
 */
struct asks	*asks_new(struct event_base *base, uint32_t hold_ms,
		    ask_send_fn send);
void		 asks_free(struct asks *);

/*
 * Ask whether a delivery is stored (ORCH_event).  source is a constant; the
 * delivery becomes the table's in every case.  NULL without memory.
 */
struct ask	*ask_event(struct asks *, const char *source,
		    struct delivery *, ask_done_cb, void *arg);

/*
 * Ask for something to read (ORCH_query).  token is "" for none; loopback says
 * whether the asker may read without one.  All texts are copied.
 */
struct ask	*ask_query(struct asks *, const char *verb, const char *token,
		    int loopback, ask_done_cb, void *arg);

/*
 * Ask for the release of an item's lease (ORCH_action), as who shows token;
 * from is for the log.  All texts are copied.  Unlike the others it is asked
 * once: when the engine goes away after that, the answer is aa_lost, since
 * another lease may be there by then.
 */
struct ask	*ask_release(struct asks *, const char *item, int force,
		    const char *token, const char *from, ask_done_cb,
		    void *arg);

/* Nobody wants the answer any more. */
void		 ask_cancel(struct ask *);

/* The engine is there (again): ask everything that is open. */
void		 asks_engine_up(struct asks *);

/* A message of the engine: 1 if it was an answer to an open question. */
int		 asks_message(struct asks *, const struct orch_header *,
		    const union orch_any *);

#endif
