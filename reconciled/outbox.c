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

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/sys/queue.h>

#include <event2/event.h>

#include "libcommon/daemon.h"
#include "libcommon/log.h"

#include "reconciled.h"

/*
 * The outbox: rows that are due come in a list, are delivered one after the
 * other and recorded one by one.  For the tracker `local' delivery is an ITEM
 * message, which the engine stores once per key.  After a failure the rest of
 * that task's rows wait for the next list: they stay in order.
 */

#define DEST		"tracker"
#define ROWS_MOST	32

struct row {
	TAILQ_ENTRY(row)	 r_entry;
	uint64_t		 r_id;
	char			*r_kind;
	char			*r_task;
	char			*r_key;
	char			*r_text;
};

enum phase {
	PHASE_IDLE,
	PHASE_LIST,		/* waits for the end of the list */
	PHASE_ITEM,		/* waits for the answer to ITEM */
	PHASE_DONE		/* waits for the answer to OUTBOX_DONE */
};

static TAILQ_HEAD(, row) rows = TAILQ_HEAD_INITIALIZER(rows);
static struct event	*tick_ev;
static enum phase	 phase;
static uint32_t		 pending;	/* the id that phase waits for */
static int		 delivered;	/* rows of this list */
static int		 failed;	/* the first row was not delivered */

static void	 outbox_next(void);

static void
row_free(struct row *r)
{
	free(r->r_kind);
	free(r->r_task);
	free(r->r_key);
	free(r->r_text);
	free(r);
}

static void
rows_clear(void)
{
	struct row *r;

	while ((r = TAILQ_FIRST(&rows)) != NULL) {
		TAILQ_REMOVE(&rows, r, r_entry);
		row_free(r);
	}
}

static void
outbox_reset(void)
{
	rows_clear();
	phase = PHASE_IDLE;
	pending = 0;
}

/* The engine forgets a request when it goes; rows are listed again. */
static int
outbox_send(unsigned int type, const void *m, enum phase next)
{
	if (daemon_send(type, m, &pending) == 0) {
		phase = next;
		return (0);
	}
	if (errno != ENOTCONN)
		log_warn("outbox: %s", orch_msg(type)->m_name);
	return (-1);
}

static void
outbox_ask(void)
{
	struct orch_outbox_next m = { .dest = DEST, .most = ROWS_MOST };

	if (phase != PHASE_IDLE || !daemon_connected())
		return;
	delivered = 0;
	(void)outbox_send(ORCH_outbox_next, &m, PHASE_LIST);
}

static void
outbox_cb(evutil_socket_t fd, short what, void *arg)
{
	outbox_ask();
}

int
outbox_start(void)
{
	struct timeval tv = { 0, 0 };

	tv.tv_sec = (time_t)daemon_option_num("poll_interval_s", 1, 3600, 1);
	tick_ev = event_new(daemon_base(), -1, EV_PERSIST, outbox_cb, NULL);
	return (tick_ev == NULL || event_add(tick_ev, &tv) == -1 ? -1 : 0);
}

void
outbox_stop(void)
{
	outbox_reset();
	if (tick_ev != NULL)
		event_free(tick_ev);
	tick_ev = NULL;
}

void
outbox_engine_up(void)
{
	outbox_reset();
	outbox_ask();
}

static struct row *
row_copy(const struct orch_outbox_row *m)
{
	struct row *r;

	if ((r = calloc(1, sizeof(*r))) == NULL)
		return (NULL);
	r->r_id = m->id;
	r->r_kind = strdup(m->kind);
	r->r_task = strdup(m->task);
	r->r_key = strdup(m->key);
	r->r_text = strdup(m->text);
	if (r->r_kind == NULL || r->r_task == NULL || r->r_key == NULL ||
	    r->r_text == NULL) {
		row_free(r);
		return (NULL);
	}
	return (r);
}

void
outbox_row(const struct orch_outbox_row *m)
{
	struct row *r;

	if (phase != PHASE_LIST)
		return;
	if (m->id != 0) {
		if ((r = row_copy(m)) == NULL)
			log_warn("outbox %" PRIu64, m->id);
		else
			TAILQ_INSERT_TAIL(&rows, r, r_entry);
	}
	if (m->last) {
		phase = PHASE_IDLE;
		outbox_next();
	}
}

/* Record how the first row went; a refused row never stops the others. */
static void
outbox_record(const struct row *r, int ok, const char *error)
{
	struct orch_outbox_done m = { .id = r->r_id, .ok = (uint8_t)ok,
	    .error = ok ? "" : error };

	if (!ok)
		log_warnx("outbox %" PRIu64 " (task %s): %s: %s", r->r_id,
		    r->r_task, r->r_kind, error);
	if (outbox_send(ORCH_outbox_done, &m, PHASE_DONE) == -1)
		outbox_reset();
}

/* Deliver the first row, or ask for more when this list gave some. */
static void
outbox_next(void)
{
	struct orch_item m;
	struct row *r;

	if ((r = TAILQ_FIRST(&rows)) == NULL) {
		phase = PHASE_IDLE;
		if (delivered > 0)
			outbox_ask();
		return;
	}
	memset(&m, 0, sizeof(m));
	m.task = r->r_task;
	m.kind = r->r_kind;
	m.key = r->r_key;
	m.text = r->r_text;
	if (outbox_send(ORCH_item, &m, PHASE_ITEM) == -1) {
		if (errno == EMSGSIZE) {
			failed = 1;
			outbox_record(r, 0, "it does not fit into a message");
		} else
			outbox_reset();
	}
}

/* The first row of the list is settled; after a failure its task waits. */
static void
outbox_settled(void)
{
	struct row *r, *next, *first = TAILQ_FIRST(&rows);

	TAILQ_REMOVE(&rows, first, r_entry);
	for (r = TAILQ_FIRST(&rows); failed && r != NULL; r = next) {
		next = TAILQ_NEXT(r, r_entry);
		if (strcmp(r->r_task, first->r_task) != 0)
			continue;
		TAILQ_REMOVE(&rows, r, r_entry);
		row_free(r);
	}
	row_free(first);
}

static void
on_item_ack(const struct orch_ack *ack)
{
	switch (ack->result) {
	case RES_OK:
	case RES_DUPLICATE:	/* delivered before, its record was lost */
		failed = 0;
		outbox_record(TAILQ_FIRST(&rows), 1, "");
		return;
	case RES_RETRY:		/* the engine cannot store now */
		outbox_reset();
		return;
	default:
		failed = 1;
		outbox_record(TAILQ_FIRST(&rows), 0, ack->text[0] != '\0' ?
		    ack->text : orch_result_name(ack->result));
	}
}

static void
on_done_ack(const struct orch_ack *ack)
{
	if (ack->result == RES_OK || ack->result == RES_DUPLICATE)
		delivered += !failed;
	else
		log_warnx("outbox %" PRIu64 ": outbox_done: %s: %s",
		    TAILQ_FIRST(&rows)->r_id, orch_result_name(ack->result),
		    ack->text);
	outbox_settled();
	outbox_next();
}

int
outbox_ack(uint32_t id, const struct orch_ack *ack)
{
	if (id != pending)
		return (0);
	switch (phase) {
	case PHASE_ITEM:
		on_item_ack(ack);
		return (1);
	case PHASE_DONE:
		on_done_ack(ack);
		return (1);
	case PHASE_LIST:	/* an ack instead of rows: refused */
		log_warnx("outbox_next: %s: %s",
		    orch_result_name(ack->result), ack->text);
		outbox_reset();
		return (1);
	case PHASE_IDLE:
		break;
	}
	return (0);
}
