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

#include <sys/prctl.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bsd/stdlib.h>
#include <bsd/string.h>

#include "libcommon/chan.h"
#include "libcommon/daemon.h"
#include "libcommon/ident.h"
#include "libcommon/log.h"
#include "libcommon/redact.h"
#include "libcommon/seccomp.h"

#define PARENT_FD	3
#define PARENT_WAIT_MS	10000
#define PRIO_PARENT	0
#define PRIO_ENGINE	1

static struct {
	const struct daemon_ops	*ops;
	struct event_base	*base;
	struct chan		*parent;
	struct chan		*engine;
	enum orch_role		 role;
	uint32_t		 generation;
	int			 engine_fd;	/* before the loop runs */
	int			 up;		/* HELLO was answered */
	int			 told_ready;
	int			 draining;	/* asked to end */
	char			 ident[IDENT_TEXT_MAX];
	char			**options;
	size_t			 noptions;
} me;

struct event_base *
daemon_base(void)
{
	return (me.base);
}

void
daemon_stop(void)
{
	event_base_loopexit(me.base, NULL);
}

int
daemon_connected(void)
{
	return (me.up);
}

int
daemon_send(unsigned int type, const void *msg, uint32_t *id)
{
	uint32_t n;

	if (!me.up) {
		errno = ENOTCONN;
		return (-1);
	}
	n = chan_id(me.engine);
	if (id != NULL)
		*id = n;
	return (chan_send(me.engine, type, n, msg, -1));
}

int
daemon_answer(unsigned int type, uint32_t id, const void *msg)
{
	if (!me.up) {
		errno = ENOTCONN;
		return (-1);
	}
	return (chan_send(me.engine, type, id, msg, -1));
}

const char *
daemon_option(const char *name, const char *dflt)
{
	size_t i, len = strlen(name);

	for (i = 0; i < me.noptions; i++)
		if (strncmp(me.options[i], name, len) == 0 &&
		    me.options[i][len] == '=')
			return (me.options[i] + len + 1);
	return (dflt);
}

long long
daemon_option_num(const char *name, long long min, long long max,
    long long dflt)
{
	const char *text, *err;
	long long n;

	if ((text = daemon_option(name, NULL)) == NULL)
		return (dflt);
	n = strtonum(text, min, max, &err);
	return (err == NULL ? n : dflt);
}

static void
options_keep(const struct orch_strs *l)
{
	const char *s = NULL;

	if ((me.options = calloc((size_t)l->l_n + 1,
	    sizeof(*me.options))) == NULL)
		fatal("options");
	while ((s = orch_strs_next(l, s)) != NULL)
		if ((me.options[me.noptions++] = strdup(s)) == NULL)
			fatal("options");
}

/* One message of the start-up; 1 when it was the last. */
static int
start_message(const struct orch_header *h, const union orch_any *any, int *fd)
{
	switch (h->h_type) {
	case ORCH_child_start:
		if (me.engine_fd != -1 || any->child_start.role >= ROLE__MAX ||
		    (me.ops->d_roles & 1U << any->child_start.role) == 0)
			fatalx("the parent gives a role that is not its own");
		me.role = any->child_start.role;
		me.generation = any->child_start.generation;
		me.engine_fd = *fd;
		*fd = -1;
		log_setprocname(any->child_start.name);
		options_keep(&any->child_start.options);
		return (0);
	case ORCH_child_listen:
		if (me.ops->d_listen == NULL)
			fatalx("a listening socket, but it does not listen");
		me.ops->d_listen(&any->child_listen, *fd);
		*fd = -1;
		return (0);
	case ORCH_child_secret:
		(void)log_redact_add(any->child_secret.value);
		if (me.ops->d_secret != NULL)
			me.ops->d_secret(any->child_secret.name,
			    any->child_secret.value);
		return (0);
	case ORCH_child_project:
		if (me.ops->d_project != NULL)
			me.ops->d_project(&any->child_project);
		return (0);
	case ORCH_child_go:
		return (1);
	default:
		fatalx("the parent sends %s before child_go",
		    orch_msg(h->h_type)->m_name);
	}
}

/* Everything that the parent hands over, up to child_go. */
static void
start_read(void)
{
	struct orch_header h;
	union orch_any any;
	uint8_t *frame;
	int fd, last;

	me.engine_fd = -1;
	do {
		if (chan_read_one(PARENT_FD, FROM_PARENT, &h, &any, &frame,
		    &fd, PARENT_WAIT_MS) == -1)
			fatal("descriptor 3: no parent to serve");
		last = start_message(&h, &any, &fd);
		if (fd != -1)
			close(fd);
		explicit_bzero(frame, h.h_len);
		free(frame);
	} while (!last);
	if (me.engine_fd == -1)
		fatalx("child_go without child_start");
}

static void
engine_ended(struct chan *c, const char *why, void *arg)
{
	int was_up = me.up;

	log_debug("engine: %s", why);
	chan_free(c);
	me.engine = NULL;
	me.up = 0;
	if (was_up && me.ops->d_engine_down != NULL)
		me.ops->d_engine_down();
}

static void
engine_hello_ok(void)
{
	struct orch_child_ready ready = { .role = (uint8_t)me.role };

	me.up = 1;
	if (!me.told_ready && me.parent != NULL)
		(void)chan_send(me.parent, ORCH_child_ready, 0, &ready, -1);
	me.told_ready = 1;
	me.ops->d_engine_up();
}

static void
engine_message(struct chan *c, const struct orch_header *h,
    const union orch_any *any, int *fd, void *arg)
{
	switch (h->h_type) {
	case ORCH_hello_ok:
		engine_hello_ok();
		break;
	case ORCH_hello_no:
		log_warnx("the engine refuses: %s", any->hello_no.reason);
		daemon_stop();
		break;
	case ORCH_ping:
		(void)chan_send(c, ORCH_pong, h->h_id, any, -1);
		break;
	default:
		if (me.up)
			me.ops->d_message(h, any, fd);
	}
}

/* Who we are is read from /proc, which the sandbox may close. */
static void
identity_keep(void)
{
	struct ident self;

	if (ident_self(&self) == -1 ||
	    ident_format(&self, me.ident, sizeof(me.ident)) == -1)
		fatal("identity");
}

static void
engine_open(int fd)
{
	struct orch_hello hello;

	if (me.engine != NULL)
		engine_ended(me.engine, "replaced", NULL);
	if ((me.engine = chan_new(me.base, fd, PRIO_ENGINE, FROM_ENGINE,
	    engine_message, engine_ended, NULL)) == NULL)
		fatal("engine");
	memset(&hello, 0, sizeof(hello));
	hello.major = ORCH_PROTO_MAJOR;
	hello.minor = ORCH_PROTO_MINOR;
	hello.role = (uint8_t)me.role;
	hello.generation = me.generation;
	hello.ident = me.ident;
	if (chan_send(me.engine, ORCH_hello, chan_id(me.engine), &hello,
	    -1) == -1)
		fatal("hello");
}

static void
parent_ended(struct chan *c, const char *why, void *arg)
{
	log_debug("parent: %s", why);
	chan_free(c);
	me.parent = NULL;
	daemon_stop();
}

static void
parent_message(struct chan *c, const struct orch_header *h,
    const union orch_any *any, int *fd, void *arg)
{
	switch (h->h_type) {
	case ORCH_child_engine:
		me.generation = any->child_engine.generation;
		engine_open(*fd);
		*fd = -1;
		break;
	case ORCH_ping:
		(void)chan_send(c, ORCH_pong, h->h_id, any, -1);
		break;
	default:
		log_warnx("the parent sends %s, ignored",
		    orch_msg(h->h_type)->m_name);
	}
}

static void
signal_cb(int sig, short what, void *arg)
{
	if (me.ops->d_drain == NULL || me.draining) {
		daemon_stop();
		return;
	}
	me.draining = 1;
	me.ops->d_drain();
}

static void
catch_signals(void)
{
	static const int ends[] = { SIGTERM, SIGINT };
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct event *ev;
	size_t i;

	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if ((ev = evsignal_new(me.base, ends[i], signal_cb,
		    NULL)) == NULL || event_add(ev, NULL) == -1)
			fatalx("signals");
	sigaction(SIGPIPE, &ignore, NULL);
	sigaction(SIGHUP, &ignore, NULL);
}

static int
usage(const char *name)
{
	fprintf(stderr, "usage: %s [-d]\n%s is started by orchd(8).\n", name,
	    name);
	return (1);
}

static void
loop_make(void)
{
	if ((me.base = event_base_new()) == NULL ||
	    event_base_priority_init(me.base, 3) == -1)
		fatalx("event loop");
}

int
daemon_run(const struct daemon_ops *ops, int argc, char **argv)
{
	char err[256];
	int ch, debug = 0;

	me.ops = ops;
	while ((ch = getopt(argc, argv, "d")) != -1) {
		if (ch != 'd')
			return (usage(ops->d_name));
		debug = 1;
	}
	log_init(ops->d_name, debug);
	if (argc != optind || fcntl(PARENT_FD, F_GETFD) == -1)
		return (usage(ops->d_name));
	(void)prctl(PR_SET_DUMPABLE, 0);
	loop_make();
	start_read();
	catch_signals();
	if (ops->d_setup(me.role) == -1)
		return (1);
	identity_keep();
	if (sandbox_enter(me.role, err, sizeof(err)) == -1)
		fatalx("sandbox: %s", err);
	if ((me.parent = chan_new(me.base, PARENT_FD, PRIO_PARENT,
	    FROM_PARENT, parent_message, parent_ended, NULL)) == NULL)
		fatal("descriptor 3");
	engine_open(me.engine_fd);
	event_base_dispatch(me.base);
	if (ops->d_shutdown != NULL)
		ops->d_shutdown();
	return (0);
}
