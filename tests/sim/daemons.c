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
#include <stdlib.h>
#include <string.h>

#include "libcommon/daemon.h"
#include "libcommon/log.h"
#include "sim.h"

/*
 * reaperd, reconciled and finalizerd as they are, over libcommon/daemon.h as
 * it is here: a virtual connection instead of a socket.  A daemon that dies
 * loses its memory and is started again by the parent.
 */

int	 reaperd_main(int, char **);
int	 reconciled_main(int, char **);

int	 finalizer_main(int, char **);

struct daemon {
	enum owner		 d_owner;
	enum orch_role		 d_role;
	int			(*d_main)(int, char **);
	const struct daemon_ops	*d_ops;
	struct conn		*d_conn;
	int			 d_up;
	int			 d_connected;
	int64_t			 d_at;		/* start it then */
	/* the last thing that it said, to be said again */
	unsigned int		 d_type;
	uint8_t			*d_said;
	size_t			 d_saidlen;
};

static struct daemon daemons[] = {
	{ .d_owner = OWN_REAPERD, .d_role = ROLE_REAPERD,
	    .d_main = reaperd_main },
	{ .d_owner = OWN_RECONCILED, .d_role = ROLE_RECONCILED,
	    .d_main = reconciled_main },
	{ .d_owner = OWN_FINALIZERD, .d_role = ROLE_FINALIZERD,
	    .d_main = finalizer_main },
};
#define NDAEMONS	(sizeof(daemons) / sizeof(daemons[0]))

static struct daemon *cur;
static uint32_t generation;

static struct daemon *
daemon_of(enum owner who)
{
	size_t i;

	for (i = 0; i < NDAEMONS; i++)
		if (daemons[i].d_owner == who)
			return (&daemons[i]);
	return (NULL);
}

static void
enter(struct daemon *d)
{
	cur = d;
	owner = d->d_owner;
}

void
daemons_reset(void)
{
	struct daemon *d;

	for (d = daemons; d < daemons + NDAEMONS; d++) {
		memory_fresh(d->d_owner);
		free(d->d_said);
		d->d_said = NULL;
		d->d_conn = NULL;
		d->d_up = d->d_connected = 0;
		d->d_at = 0;
	}
	generation = 0;
}

/* The parent makes a pair and gives the engine its end. */
struct conn *daemon_pair(enum far, enum orch_role, void *);

struct conn *
daemon_pair(enum far far, enum orch_role role, void *arg)
{
	struct orch_peer m = { .role = (uint8_t)role,
	    .generation = ++generation };
	struct orch_hello hello = { .major = ORCH_PROTO_MAJOR,
	    .minor = ORCH_PROTO_MINOR, .role = (uint8_t)role,
	    .generation = generation };
	struct conn *c = conn_new(far, role, arg);

	(void)conn_say(w.parent, ORCH_peer, &m, conn_fd(c));
	(void)conn_say(c, ORCH_hello, &hello, -1);
	return (c);
}

static void
connect_one(struct daemon *d)
{
	if (d->d_conn != NULL)
		conn_far_close(d->d_conn);
	d->d_connected = 0;
	d->d_conn = daemon_pair(FAR_DAEMON, d->d_role, d);
}

void
daemons_connect(void)
{
	struct daemon *d;

	for (d = daemons; d < daemons + NDAEMONS; d++)
		if (d->d_up)
			connect_one(d);
}

void
daemons_tick(void)
{
	struct daemon *d;

	for (d = daemons; d < daemons + NDAEMONS; d++) {
		if (d->d_up || !w.parent_up || w.parent == NULL)
			continue;
		if (d->d_at > w.now) {
			due_at(d->d_at);
			continue;
		}
		d->d_up = 1;
		memory_fresh(d->d_owner);
		enter(d);
		(void)d->d_main(0, NULL);
		if (d->d_ops->d_setup(d->d_role) == -1)
			broken("a daemon cannot serve");
		connect_one(d);
	}
}

void
daemon_die(enum owner who)
{
	struct daemon *d = daemon_of(who);

	if (!d->d_up)
		return;
	n.daemon_deaths++;
	memory_fresh(who);
	if (d->d_conn != NULL)
		conn_far_close(d->d_conn);
	d->d_conn = NULL;
	d->d_up = d->d_connected = 0;
	d->d_at = w.now + rnd_delay();
}

void
daemon_cut(void *arg)
{
	struct daemon *d = arg;

	enter(d);
	d->d_conn = NULL;
	d->d_connected = 0;
	if (d->d_ops->d_engine_down != NULL)
		d->d_ops->d_engine_down();
	/* The parent sees to it, when the engine is there. */
	if (w.engine_up && w.parent != NULL)
		connect_one(d);
}

void
daemon_hears(void *arg, const struct orch_header *h,
    const union orch_any *any)
{
	struct daemon *d = arg;
	int fd = -1;

	enter(d);
	switch (h->h_type) {
	case ORCH_hello_ok:
		d->d_connected = 1;
		d->d_ops->d_engine_up();
		break;
	case ORCH_hello_no:
		daemon_die(d->d_owner);
		break;
	case ORCH_ping:
		break;
	default:
		d->d_ops->d_message(h, any, &fd);
	}
}

/* The world repeats, late, what a daemon has said before. */
void
daemon_again(void)
{
	struct daemon *d = &daemons[rnd(NDAEMONS)];

	if (!d->d_connected || d->d_said == NULL)
		return;
	n.doubled++;
	TRACE("%s is said again", orch_msg(d->d_type)->m_name);
	conn_say_frame(d->d_conn, d->d_said, d->d_saidlen, -1);
}

/* --- libcommon/daemon.h ------------------------------------------------ */

int
daemon_run(const struct daemon_ops *ops, int argc, char **argv)
{
	cur->d_ops = ops;
	return (0);
}

struct event_base *
daemon_base(void)
{
	return ((struct event_base *)(void *)&daemons);
}

static void
keep(unsigned int type, const void *msg)
{
	const char *field;

	if (type != ORCH_advance && type != ORCH_dead &&
	    type != ORCH_deploy_result)
		return;
	n.advances += type == ORCH_advance;
	if (rnd(4) != 0)
		return;
	free(cur->d_said);
	cur->d_type = type;
	if (orch_encode(type, 0x7fffffff, msg, &cur->d_said,
	    &cur->d_saidlen, &field) == -1)
		cur->d_said = NULL;
}

int
daemon_send(unsigned int type, const void *msg, uint32_t *id)
{
	struct daemon *d = daemon_of(owner);
	uint32_t k;

	cur = d;
	if (!d->d_connected) {
		errno = ENOTCONN;
		return (-1);
	}
	w.looks += type == ORCH_live_list;
	keep(type, msg);
	k = conn_say(d->d_conn, type, msg, -1);
	if (id != NULL)
		*id = k;
	return (0);
}

/* What is answered by an id is asked by people alone: a doctor. */
int
daemon_answer(unsigned int type, uint32_t id, const void *msg)
{
	broken("message %u answers %u", type, id);
	return (-1);
}

int
daemon_connected(void)
{
	return (daemon_of(owner)->d_connected);
}

static const struct {
	const char	*o_name;
	long long	 o_value;
} options[] = {
	{ "reaper_interval_s", 20 },
	{ "reaper_dead_ticks", 2 },
	{ "reconcile_interval_s", 60 },
	{ "poll_interval_s", 120 },
	{ "deploy_poll_s", 10 },
};

const char *
daemon_option(const char *name, const char *dflt)
{
	return (dflt);
}

long long
daemon_option_num(const char *name, long long min, long long max,
    long long dflt)
{
	size_t i;

	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (strcmp(options[i].o_name, name) == 0)
			return (options[i].o_value);
	return (dflt);
}
