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


#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bsd/string.h>

#include "actor.h"
#include "libcommon/chan.h"

/* The list of actors, and what the world keeps of their doings. */

#define ACTORS	24

static struct actor	actors[ACTORS];
static unsigned int	refused;

static const struct work works[] = {
	{ "publish", "push", { BEGIN, EFFECT, EFFECT_SAID, PULL, END, DONE,
	    [LAST] = DONE } },
	{ "edge", "merge", { BEGIN, GATE, EFFECT, EFFECT_SAID, PULL, LANDED,
	    COMMIT, DONE, [RED] = END, [LAST] = DONE } },
	{ "deploy", "deploy-start", { BEGIN, EFFECT, HOOK, EFFECT_SAID, END,
	    DONE, [LAST] = DONE } },
	{ "finish", "records", { BEGIN, RECORD, EFFECT, EFFECT_SAID, COMMIT,
	    DONE, [LAST] = DONE } },
	{ "close", "branch-delete", { BEGIN, EFFECT, EFFECT_SAID, PULL, COMMIT,
	    DONE, [LAST] = DONE } },
};


const struct work *
work_of(const struct actor *a)
{
	size_t i;

	for (i = 0; i < sizeof(works) / sizeof(works[0]); i++)
		if (strcmp(works[i].w_name, a->a_work) == 0)
			return (&works[i]);
	_exit(WORLD_FAULT);
}

const char *
goes_to(const struct actor *a)
{
	if (strcmp(a->a_work, "edge") == 0)
		return ("deploy");
	if (strcmp(a->a_work, "close") == 0)
		return ("cancelled");
	return (a->a_code == 0 ? "done" : "development");
}

static struct actor *
actor_new(enum sort sort)
{
	size_t i;

	for (i = 0; i < ACTORS; i++)
		if (actors[i].a_sort == SORT_NONE) {
			memset(&actors[i], 0, sizeof(actors[i]));
			actors[i].a_sort = sort;
			actors[i].a_sock = -1;
			return (&actors[i]);
		}
	_exit(WORLD_FAULT);
}

void
actor_end(struct actor *a)
{
	if (a->a_sock != -1)
		close(a->a_sock);
	a->a_sort = SORT_NONE;
}

void
actors_cut(void)
{
	size_t i;

	for (i = 0; i < ACTORS; i++) {
		if (actors[i].a_sort == SORT_NONE)
			continue;
		if (actors[i].a_sock != -1)
			close(actors[i].a_sock);
		actors[i].a_sock = -1;
		actors[i].a_known = 0;
		actors[i].a_due = 1;
		/* They look how things are before they ask again. */
		if (actors[i].a_sort != SORT_RUN)
			actors[i].a_sort = SORT_NONE;
	}
}

void
actors_forget(void)
{
	size_t i;

	for (i = 0; i < ACTORS; i++)
		if (actors[i].a_sort != SORT_NONE)
			actor_end(&actors[i]);
}

int
actors_busy(void)
{
	size_t i;

	for (i = 0; i < ACTORS; i++)
		if (actors[i].a_sort != SORT_NONE)
			return (1);
	return (0);
}

int
actor_is_there(int kind_of)
{
	enum sort sort = kind_of == 'p' ? SORT_PERSON : SORT_DAEMON;
	size_t i;

	for (i = 0; i < ACTORS; i++)
		if (actors[i].a_sort == sort)
			return (1);
	return (0);
}

unsigned int
actors_refused(void)
{
	unsigned int n = refused;

	refused = 0;
	return (n);
}

void
actor_run(struct scene *c, const struct wanted *w)
{
	struct actor *a = actor_new(SORT_RUN);

	a->a_run = *w;
}

void
actor_person(struct scene *c, const char *verb)
{
	struct actor *a = actor_new(SORT_PERSON);

	strlcpy(a->a_verb, verb, sizeof(a->a_verb));
	a->a_due = 1;
}

void
actor_daemon(struct scene *c, int role)
{
	struct actor *a = actor_new(SORT_DAEMON);
	static uint32_t generation;
	struct orch_peer p = { .role = (uint8_t)role };
	int sv[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) == -1)
		_exit(WORLD_FAULT);
	p.generation = a->a_generation = ++generation;
	/* An engine that is gone hears nothing: tried again by the next. */
	if (chan_write_one(c->c_parent[0], ORCH_peer, 0, &p, sv[1],
	    WAIT_MS) == -1) {
		close(sv[0]);
		actor_end(a);
	} else
		a->a_sock = sv[0];
	close(sv[1]);
	a->a_role_of = role;
	a->a_due = 1;
}

void
actor_dies(struct scene *c, uint64_t run)
{
	size_t i;

	for (i = 0; i < ACTORS; i++)
		if (actors[i].a_sort == SORT_RUN &&
		    actors[i].a_run.w_run == run)
			actor_end(&actors[i]);
}

struct applied *
applied_find(struct outside *o, const char *key)
{
	unsigned int i;

	for (i = 0; i < o->o_napplied; i++)
		if (strcmp(o->o_applied[i].a_key, key) == 0)
			return (&o->o_applied[i]);
	return (NULL);
}

/* Do it to the world, once where one looks first. */
void
apply(struct scene *c, const char *name, const char *key)
{
	struct outside *o = c->c_out;
	struct applied *p = applied_find(o, key);

	if (p != NULL) {
		if (c->c_blind)
			p->a_times++;
		return;
	}
	if (o->o_napplied == APPLIED)
		_exit(WORLD_FAULT);
	p = &o->o_applied[o->o_napplied];
	strlcpy(p->a_name, name, sizeof(p->a_name));
	strlcpy(p->a_key, key, sizeof(p->a_key));
	p->a_times = 1;
	o->o_napplied++;
}

struct hook *
hook_of(struct outside *o, uint64_t run)
{
	unsigned int i;

	for (i = 0; i < o->o_nhooks; i++)
		if (o->o_hooks[i].h_run == run)
			return (&o->o_hooks[i]);
	return (NULL);
}

int
actors_speak(struct scene *c)
{
	size_t i;
	int n = 0;

	for (i = 0; i < ACTORS; i++)
		n += actor_speak(c, &actors[i]);
	return (n);
}

/* 1: a message; 0: none; -1: the other side is gone. */
static int
read_one(int sock, struct heard *m)
{
	struct pollfd pfd = { .fd = sock, .events = POLLIN };

	m->frame = NULL;
	m->fd = -1;
	if (poll(&pfd, 1, 0) != 1)
		return (0);
	return (chan_read_one(sock, FROM_ENGINE, &m->h, &m->any, &m->frame,
	    &m->fd, WAIT_MS) == 0 ? 1 : -1);
}

static void
heard_free(struct heard *m)
{
	if (m->fd != -1)
		close(m->fd);
	free(m->frame);
}

static int
actor_listen(struct scene *c, struct actor *a)
{
	struct heard m;
	int n = 0, ret;

	while (a->a_sort != SORT_NONE && a->a_sock != -1 &&
	    (ret = read_one(a->a_sock, &m)) != 0) {
		if (ret == -1) {
			/* Cut off by a living engine: HELLO again. */
			close(a->a_sock);
			a->a_sock = -1;
			a->a_known = 0;
			refused++;
			if (a->a_sort != SORT_RUN)
				actor_end(a);
		} else
			refused += (unsigned int)actor_heard(c, a, &m);
		heard_free(&m);
		n++;
	}
	return (n);
}

int
actors_listen(struct scene *c)
{
	struct heard m;
	int n = 0;
	size_t i;

	while (read_one(c->c_parent[0], &m) == 1) {
		parent_heard(c, &m);
		heard_free(&m);
		n++;
	}
	for (i = 0; i < ACTORS; i++)
		n += actor_listen(c, &actors[i]);
	return (n);
}
