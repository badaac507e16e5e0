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

#include <event2/event.h>

#include <stdlib.h>

#include "sim.h"

/*
 * libevent with virtual time.  An event belongs to the program that made it,
 * and goes when that dies.  Only what the programs here use is there; sockets
 * have their own virtual form (conn.c).
 */

struct event {
	struct event	*e_next;
	uint32_t	 e_id;
	enum owner	 e_owner;
	short		 e_what;
	event_callback_fn e_fn;
	void		*e_arg;
	int		 e_active;	/* as soon as the loop comes to it */
	int		 e_timed;
	int		 e_once;	/* nobody has its address */
	int64_t		 e_at;
	int64_t		 e_every;
};

enum owner owner;
static struct event *events;
static uint32_t last;

struct event *
event_new(struct event_base *base, evutil_socket_t fd, short what,
    event_callback_fn fn, void *arg)
{
	struct event *e, **ep;

	if ((e = calloc(1, sizeof(*e))) == NULL)
		abort();
	e->e_id = ++last;
	e->e_owner = owner;
	e->e_what = what;
	e->e_fn = fn;
	e->e_arg = arg;
	/* At the end: the order must not depend on addresses. */
	for (ep = &events; *ep != NULL; ep = &(*ep)->e_next)
		continue;
	*ep = e;
	return (e);
}

int
event_add(struct event *e, const struct timeval *tv)
{
	if (tv == NULL)
		return (0);
	e->e_every = (int64_t)tv->tv_sec * 1000 + tv->tv_usec / 1000;
	e->e_at = w.now + e->e_every;
	e->e_timed = 1;
	return (0);
}

int
event_del(struct event *e)
{
	e->e_timed = e->e_active = 0;
	return (0);
}

void
event_free(struct event *e)
{
	struct event **ep;

	for (ep = &events; *ep != e; ep = &(*ep)->e_next)
		continue;
	*ep = e->e_next;
	free(e);
}

void
event_active(struct event *e, int what, short ncalls)
{
	e->e_active = 1;
}

int
event_pending(const struct event *e, short what, struct timeval *tv)
{
	return (e->e_active || e->e_timed);
}

int
event_base_once(struct event_base *base, evutil_socket_t fd, short what,
    event_callback_fn fn, void *arg, const struct timeval *tv)
{
	struct event *e = event_new(base, fd, what, fn, arg);

	e->e_once = 1;
	return (event_add(e, tv));
}

int
event_priority_set(struct event *e, int prio)
{
	return (0);
}

int
event_base_loopbreak(struct event_base *base)
{
	return (0);
}

int
evutil_make_socket_nonblocking(evutil_socket_t fd)
{
	return (0);
}

void
events_reset(void)
{
	enum owner o;

	for (o = 0; o < OWN__MAX; o++)
		events_forget(o);
	last = 0;
}

void
events_forget(enum owner who)
{
	struct event *e, **ep = &events;

	while ((e = *ep) != NULL) {
		if (e->e_owner != who) {
			ep = &e->e_next;
			continue;
		}
		*ep = e->e_next;
		free(e);
	}
}

size_t
events_enabled(void **items, size_t max)
{
	struct event *e;
	size_t k = 0;

	for (e = events; e != NULL && k < max; e = e->e_next) {
		if (e->e_active || (e->e_timed && e->e_at <= w.now))
			items[k++] = e;
		/* Nobody waits for what comes again and again. */
		else if (e->e_timed && (e->e_what & EV_PERSIST) == 0)
			due_at(e->e_at);
	}
	return (k);
}

void
event_fire(void *item)
{
	struct event *e = item;
	event_callback_fn fn = e->e_fn;
	void *arg = e->e_arg;

	trace_mix(1, e->e_id);
	owner = e->e_owner;
	e->e_active = 0;
	if (e->e_timed && (e->e_what & EV_PERSIST) != 0)
		e->e_at = w.now + e->e_every;
	else
		e->e_timed = 0;
	if (e->e_once)
		event_free(e);
	fn(-1, EV_TIMEOUT, arg);
}

/* engine_main() is linked, but never called. */

struct event_base *
event_base_new(void)
{
	return (NULL);
}

int
event_base_priority_init(struct event_base *base, int npriorities)
{
	return (0);
}

int
event_base_dispatch(struct event_base *base)
{
	return (0);
}
