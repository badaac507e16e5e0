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

#include <bsd/string.h>
#include <bsd/sys/queue.h>

#include <event2/event.h>

#include "libcommon/daemon.h"
#include "libcommon/log.h"
#include "libcommon/plane.h"

#include "reconciled.h"

/*
 * The outbox: rows that are due come in lists, one list a destination, are
 * delivered side by side and recorded one by one.  The engine lists only the
 * oldest pending row of a task, and another row of a task that is at hand is
 * left for a later list: they stay in order.  For the tracker `local'
 * delivery is an ITEM message, which the engine stores once per key.
 */

#define TRACKER		"tracker"
#define ROWS_MORE	32U		/* listed beyond those at hand */
#define ROWS_MOST	200U		/* at hand of one destination */

enum phase {
	PHASE_ITEM,		/* waits for the answer to ITEM */
	PHASE_OUT,		/* at a remote tracker or messenger */
	PHASE_DONE		/* waits for the answer to OUTBOX_DONE */
};

struct list;

struct row {
	TAILQ_ENTRY(row)	 r_entry;
	struct list		*r_list;
	enum phase		 r_phase;
	uint32_t		 r_pending;	/* the id that it waits for */
	int			 r_ok;
	enum orch_outbox_refused r_refused;
	char			*r_error;
	uint64_t		 r_id;
	char			*r_kind;
	char			*r_task;
	char			*r_key;
	char			*r_text;
	char			*r_project;
	char			*r_item;
	char			 r_made[64];	/* the id of a new item */
};

/* A destination. */
struct list {
	TAILQ_ENTRY(list)	 l_entry;
	char			*l_dest;
	unsigned int		 l_rows;	/* at hand */
	uint32_t		 l_asked;	/* the id of a list under way */
	int			 l_got;		/* rows of it */
	int			 l_delivered;	/* since it was asked */
};

static TAILQ_HEAD(, row)	 rows = TAILQ_HEAD_INITIALIZER(rows);
static TAILQ_HEAD(, list)	 lists = TAILQ_HEAD_INITIALIZER(lists);
static struct event		*tick_ev;

/* --- rows ----------------------------------------------------------------- */

static void
row_free(struct row *r)
{
	free(r->r_kind);
	free(r->r_task);
	free(r->r_key);
	free(r->r_text);
	free(r->r_project);
	free(r->r_item);
	free(r->r_error);
	free(r);
}

static void
row_drop(struct row *r)
{
	TAILQ_REMOVE(&rows, r, r_entry);
	r->r_list->l_rows--;
	row_free(r);
}

static struct row *
row_copy(struct list *l, const struct orch_outbox_row *m)
{
	struct row *r;

	if ((r = calloc(1, sizeof(*r))) == NULL)
		return (NULL);
	r->r_list = l;
	r->r_id = m->id;
	r->r_kind = strdup(m->kind);
	r->r_task = strdup(m->task);
	r->r_key = strdup(m->key);
	r->r_text = text_clean(m->text);
	r->r_project = strdup(m->project);
	r->r_item = strdup(m->item);
	if (r->r_kind == NULL || r->r_task == NULL || r->r_key == NULL ||
	    r->r_text == NULL || r->r_project == NULL || r->r_item == NULL) {
		row_free(r);
		return (NULL);
	}
	return (r);
}

static struct row *
row_pending(uint32_t id)
{
	struct row *r;

	TAILQ_FOREACH(r, &rows, r_entry)
		if (r->r_pending == id && id != 0)
			break;
	return (r);
}

/* The row itself, or another of the same task to the same destination. */
static int
at_hand(const struct list *l, const struct orch_outbox_row *m)
{
	struct row *r;

	TAILQ_FOREACH(r, &rows, r_entry)
		if (r->r_id == m->id || (r->r_list == l &&
		    m->task[0] != '\0' && strcmp(r->r_task, m->task) == 0))
			return (1);
	return (0);
}

/* --- lists ---------------------------------------------------------------- */

static void
list_ask(struct list *l)
{
	struct orch_outbox_next m = { .dest = l->l_dest,
	    .most = l->l_rows + ROWS_MORE };

	/* One that is slow does not keep the others from being asked for. */
	if (l->l_asked != 0 || l->l_rows >= ROWS_MOST || !daemon_connected())
		return;
	l->l_got = l->l_delivered = 0;
	if (daemon_send(ORCH_outbox_next, &m, &l->l_asked) == 0)
		return;
	l->l_asked = 0;
	if (errno != ENOTCONN)
		log_warn("outbox_next");
}

static struct list *
list_find(const char *dest)
{
	struct list *l;

	TAILQ_FOREACH(l, &lists, l_entry)
		if (strcmp(l->l_dest, dest) == 0)
			break;
	return (l);
}

static int
list_add(const char *dest)
{
	struct list *l;

	if (list_find(dest) != NULL)
		return (0);
	if ((l = calloc(1, sizeof(*l))) == NULL || (l->l_dest =
	    strdup(dest)) == NULL) {
		free(l);
		return (-1);
	}
	TAILQ_INSERT_TAIL(&lists, l, l_entry);
	return (0);
}

static void
ask_all(void)
{
	struct messenger *me;
	struct list *l;

	/* They are known only after outbox_start(). */
	TAILQ_FOREACH(me, &messengers, me_entry)
		if (list_add(me->me_dest) == -1)
			log_warn("outbox");
	TAILQ_FOREACH(l, &lists, l_entry)
		list_ask(l);
}

static void
tick_cb(evutil_socket_t fd, short what, void *arg)
{
	ask_all();
}

int
outbox_start(void)
{
	struct timeval tv = { 0, 0 };

	if (list_add(TRACKER) == -1)
		return (-1);
	tv.tv_sec = (time_t)daemon_option_num("poll_interval_s", 1, 3600, 1);
	tick_ev = event_new(daemon_base(), -1, EV_PERSIST, tick_cb, NULL);
	return (tick_ev == NULL || event_add(tick_ev, &tv) == -1 ? -1 : 0);
}

void
outbox_stop(void)
{
	struct list *l;
	struct row *r;

	while ((r = TAILQ_FIRST(&rows)) != NULL)
		row_drop(r);
	while ((l = TAILQ_FIRST(&lists)) != NULL) {
		TAILQ_REMOVE(&lists, l, l_entry);
		free(l->l_dest);
		free(l);
	}
	if (tick_ev != NULL)
		event_free(tick_ev);
	tick_ev = NULL;
}

/* --- delivery ------------------------------------------------------------- */

/* Record how it went; without an engine that waits until there is one. */
static void
row_record(struct row *r)
{
	struct orch_outbox_done m = { .id = r->r_id, .ok = (uint8_t)r->r_ok,
	    .refused = (uint8_t)r->r_refused };
	char *cut = NULL;

	if (!r->r_ok && (cut = text_cut(r->r_error, 512)) == NULL)
		return;
	m.error = r->r_ok ? "" : cut;
	m.item = r->r_made;
	r->r_phase = PHASE_DONE;
	r->r_pending = 0;
	if (daemon_send(ORCH_outbox_done, &m, &r->r_pending) == -1) {
		r->r_pending = 0;
		if (errno != ENOTCONN) {
			log_warn("outbox_done");
			row_drop(r);
		}
	}
	free(cut);
}

static void
row_settled(struct row *r, int ok, const char *error)
{
	if (!ok)
		log_warnx("outbox %" PRIu64 " (task %s): %s: %s", r->r_id,
		    r->r_task, r->r_kind, error);
	r->r_ok = ok;
	if (!ok && (r->r_error = strdup(error)) == NULL) {
		row_drop(r);
		return;
	}
	row_record(r);
}

void
outbox_settle(uint64_t id, int ok, const char *error)
{
	struct row *r;

	TAILQ_FOREACH(r, &rows, r_entry)
		if (r->r_id == id && r->r_phase == PHASE_OUT) {
			row_settled(r, ok, error);
			return;
		}
}

void
outbox_refuse(uint64_t id, enum orch_outbox_refused refused, const char *error)
{
	struct row *r;

	TAILQ_FOREACH(r, &rows, r_entry)
		if (r->r_id == id && r->r_phase == PHASE_OUT) {
			r->r_refused = refused;
			row_settled(r, 0, error);
			return;
		}
}

void
outbox_made(uint64_t id, const char *item)
{
	struct row *r;

	TAILQ_FOREACH(r, &rows, r_entry)
		if (r->r_id == id && r->r_phase == PHASE_OUT) {
			(void)strlcpy(r->r_made, item, sizeof(r->r_made));
			row_settled(r, 1, "");
			return;
		}
}

void
outbox_later(uint64_t id)
{
	struct row *r;

	TAILQ_FOREACH(r, &rows, r_entry)
		if (r->r_id == id && r->r_phase == PHASE_OUT) {
			row_drop(r);
			return;
		}
}

static void
item_send(struct row *r)
{
	struct orch_item m = { .task = r->r_task, .kind = r->r_kind,
	    .key = r->r_key, .text = r->r_text };

	r->r_phase = PHASE_ITEM;
	if (daemon_send(ORCH_item, &m, &r->r_pending) == 0)
		return;
	r->r_pending = 0;
	if (errno == EMSGSIZE) {
		r->r_refused = OUTBOX_REFUSED;
		row_settled(r, 0, "it does not fit into a message");
	} else {
		if (errno != ENOTCONN)
			log_warn("item");
		row_drop(r);
	}
}

static void
row_deliver(struct row *r)
{
	const char *dest = r->r_list->l_dest;
	struct messenger *me;
	struct project *p;

	if (strcmp(dest, TRACKER) != 0) {
		r->r_phase = PHASE_OUT;
		if ((me = messenger_find(dest)) == NULL)
			row_drop(r);
		else
			notify_deliver(me, r->r_id, r->r_kind, r->r_task,
			    r->r_key, r->r_text);
		return;
	}
	p = project_find(r->r_project);
	/* Of a project that is not there, a UUID tells a remote tracker. */
	if (p == NULL ? !plane_id_valid(r->r_item) &&
	    strcmp(r->r_kind, "item") != 0 :
	    p->p_tracker_url[0] == '\0') {
		item_send(r);
		return;
	}
	r->r_phase = PHASE_OUT;
	if (p == NULL)
		row_settled(r, 0, "its project has no tracker configured");
	else
		tracker_deliver(p, r->r_id, r->r_kind, r->r_item, r->r_key,
		    r->r_text);
}

void
outbox_row(uint32_t id, const struct orch_outbox_row *m)
{
	struct list *l;
	struct row *r;

	TAILQ_FOREACH(l, &lists, l_entry)
		if (l->l_asked == id && id != 0)
			break;
	if (l == NULL)
		return;
	if (m->last)
		l->l_asked = 0;
	if (m->id == 0 || at_hand(l, m))
		return;
	if ((r = row_copy(l, m)) == NULL) {
		log_warn("outbox %" PRIu64, m->id);
		return;
	}
	TAILQ_INSERT_TAIL(&rows, r, r_entry);
	l->l_rows++;
	row_deliver(r);
}

/* --- the engine's answers ------------------------------------------------- */

void
outbox_engine_up(void)
{
	struct row *r, *next;
	struct list *l;

	TAILQ_FOREACH(l, &lists, l_entry)
		l->l_asked = 0;
	for (r = TAILQ_FIRST(&rows); r != NULL; r = next) {
		next = TAILQ_NEXT(r, r_entry);
		if (r->r_phase == PHASE_ITEM)
			row_drop(r);	/* it is listed again */
		else if (r->r_phase == PHASE_DONE)
			row_record(r);
	}
	ask_all();
}

static void
on_item_ack(struct row *r, const struct orch_ack *ack)
{
	switch (ack->result) {
	case RES_OK:
	case RES_DUPLICATE:	/* delivered before, its record was lost */
		row_settled(r, 1, "");
		return;
	case RES_RETRY:		/* the engine cannot store now */
		row_drop(r);
		return;
	default:
		row_settled(r, 0, ack->text[0] != '\0' ? ack->text :
		    orch_result_name(ack->result));
	}
}

/* Is nothing of this list at hand any more, and did it give something? */
static void
ask_more(struct list *l)
{
	struct row *r;

	TAILQ_FOREACH(r, &rows, r_entry)
		if (r->r_list == l && r->r_phase != PHASE_OUT)
			return;
	if (l->l_delivered > 0)
		list_ask(l);
}

static void
on_done_ack(struct row *r, const struct orch_ack *ack)
{
	struct list *l = r->r_list;

	if (ack->result == RES_OK || ack->result == RES_DUPLICATE)
		l->l_delivered += r->r_ok;
	else
		log_warnx("outbox %" PRIu64 ": outbox_done: %s: %s", r->r_id,
		    orch_result_name(ack->result), ack->text);
	row_drop(r);
	ask_more(l);
}

/* An ack in place of rows: refused. */
static int
on_list_ack(uint32_t id, const struct orch_ack *ack)
{
	struct list *l;

	TAILQ_FOREACH(l, &lists, l_entry)
		if (l->l_asked == id && id != 0) {
			log_warnx("outbox_next: %s: %s",
			    orch_result_name(ack->result), ack->text);
			l->l_asked = 0;
			return (1);
		}
	return (0);
}

int
outbox_ack(uint32_t id, const struct orch_ack *ack)
{
	struct row *r;

	if ((r = row_pending(id)) == NULL)
		return (on_list_ack(id, ack));
	r->r_pending = 0;
	if (r->r_phase == PHASE_ITEM)
		on_item_ack(r, ack);
	else
		on_done_ack(r, ack);
	return (1);
}
