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
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "libcommon/daemon.h"
#include "libcommon/log.h"

#include "reconciled.h"

/*
 * Messages to the engine that it has to answer.  A few are under way at a
 * time, so that a thousand items never fill the connection.
 */

#define WINDOW		16U
#define AGAIN_MS	1000

struct told {
	TAILQ_ENTRY(told) to_entry;
	unsigned int	 to_type;
	uint32_t	 to_id;		/* 0: not under way */
	uint8_t		*to_frame;
	size_t		 to_len;
};

static TAILQ_HEAD(, told) queue = TAILQ_HEAD_INITIALIZER(queue);
static struct event	*again_ev;
static unsigned int	 under_way;
static size_t		 waiting;

static void	 tell_more(void);

static void
drop(struct told *to)
{
	TAILQ_REMOVE(&queue, to, to_entry);
	if (to->to_id != 0)
		under_way--;
	waiting--;
	free(to->to_frame);
	free(to);
}

/* 0: it is under way; 1: later; -1: never. */
static int
send_one(struct told *to)
{
	union orch_any any;
	const char *field;

	if (orch_decode(to->to_type, to->to_frame + ORCH_HEADER_SIZE,
	    to->to_len - ORCH_HEADER_SIZE, ORCH_EXACT, &any, &field) == -1 ||
	    daemon_send(to->to_type, &any, &to->to_id) == -1) {
		to->to_id = 0;
		if (errno == ENOTCONN || errno == ENOBUFS)
			return (1);
		log_warn("tell %s", orch_msg(to->to_type)->m_name);
		return (-1);
	}
	under_way++;
	return (0);
}

static void
tell_more(void)
{
	struct told *to, *next;
	int r;

	for (to = TAILQ_FIRST(&queue); to != NULL && under_way < WINDOW;
	    to = next) {
		next = TAILQ_NEXT(to, to_entry);
		if (to->to_id != 0)
			continue;
		if ((r = send_one(to)) == 1)
			return;
		if (r == -1)
			drop(to);
	}
}

static void
again_cb(evutil_socket_t fd, short what, void *arg)
{
	tell_more();
}

int
tell(unsigned int type, const void *msg)
{
	struct told *to;
	const char *field = "";

	if ((to = calloc(1, sizeof(*to))) == NULL || orch_encode(type, 0, msg,
	    &to->to_frame, &to->to_len, &field) == -1) {
		log_warn("tell %s: %s", orch_msg(type)->m_name, field);
		free(to);
		return (-1);
	}
	to->to_type = type;
	TAILQ_INSERT_TAIL(&queue, to, to_entry);
	waiting++;
	if (daemon_connected())
		tell_more();
	return (0);
}

void
tell_notice(const char *kind, const char *subject, int on, const char *fmt,
    ...)
{
	char text[1024], *cut, *who;
	struct orch_notice m = { .kind = kind, .on = (uint8_t)(on != 0) };
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	m.text = cut = text_cut(text, sizeof(text) - 1);
	m.subject = who = text_cut(subject, 128);
	if (cut != NULL && who != NULL)
		(void)tell(ORCH_notice, &m);
	free(cut);
	free(who);
}

size_t
tell_waiting(void)
{
	return (waiting);
}

void
tell_engine_up(void)
{
	struct told *to;

	TAILQ_FOREACH(to, &queue, to_entry)
		to->to_id = 0;
	under_way = 0;
	tell_more();
}

/* The engine cannot store now: all of it is asked for again, a bit later. */
static void
tell_later(struct told *to)
{
	struct timeval tv = { AGAIN_MS / 1000, 0 };

	to->to_id = 0;
	under_way--;
	if (again_ev == NULL)
		again_ev = evtimer_new(daemon_base(), again_cb, NULL);
	if (again_ev == NULL || event_add(again_ev, &tv) == -1)
		log_warnx("no memory for timers");
}

int
tell_ack(uint32_t id, const struct orch_ack *ack)
{
	struct told *to;

	TAILQ_FOREACH(to, &queue, to_entry)
		if (to->to_id == id && id != 0)
			break;
	if (to == NULL)
		return (0);
	if (ack->result == RES_RETRY) {
		tell_later(to);
		return (1);
	}
	if (ack->result != RES_OK && ack->result != RES_DUPLICATE)
		log_debug("%s: %s: %s", orch_msg(to->to_type)->m_name,
		    orch_result_name(ack->result), ack->text);
	drop(to);
	tell_more();
	return (1);
}

void
tell_stop(void)
{
	struct told *to;

	while ((to = TAILQ_FIRST(&queue)) != NULL)
		drop(to);
	if (again_ev != NULL)
		event_free(again_ev);
	again_ev = NULL;
}
