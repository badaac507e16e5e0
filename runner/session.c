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
#include <unistd.h>

#include <event2/event.h>

#include "libcommon/chan.h"
#include "libcommon/ident.h"
#include "libcommon/log.h"
#include "runner.h"

#define RETRY_FIRST_MS	50
#define RETRY_MOST_MS	250
#define AGAIN_MS	1000	/* the engine said RES_RETRY */

enum session_state { SESSION_AWAY, SESSION_HELLO, SESSION_UP };

struct session {
	struct event_base	*s_base;
	const struct orch_run_spec *s_spec;
	const struct session_ops *s_ops;
	void			*s_arg;
	struct chan		*s_chan;
	struct event		*s_timer;
	enum session_state	 s_state;
	unsigned int		 s_wait_ms;
	int			 s_going;	/* s_go was called */
	char			 s_ident[IDENT_TEXT_MAX];
	/* the request that waits for its ack */
	unsigned int		 s_req;		/* 0: none */
	uint32_t		 s_req_id;
	const void		*s_req_msg;
	int			 s_req_fd;
	void			(*s_req_cb)(void *);
	/* what is said again after each reconnection */
	unsigned int		 s_tell;
	const void		*s_tell_msg;
};

static void	session_connect(struct session *);

static void
session_after(struct session *s, unsigned int ms)
{
	struct timeval tv = { ms / 1000, (suseconds_t)(ms % 1000) * 1000 };

	evtimer_add(s->s_timer, &tv);
}

static void
session_lost(struct session *s)
{
	chan_free(s->s_chan);
	s->s_chan = NULL;
	s->s_state = SESSION_AWAY;
	session_after(s, s->s_wait_ms);
	s->s_wait_ms *= 2;
	if (s->s_wait_ms > RETRY_MOST_MS)
		s->s_wait_ms = RETRY_MOST_MS;
}

static void
session_send_request(struct session *s)
{
	s->s_req_id = chan_id(s->s_chan);
	if (chan_send(s->s_chan, s->s_req, s->s_req_id, s->s_req_msg,
	    s->s_req_fd) == -1) {
		/* Not our limits: they were checked when it was made. */
		log_warn("send");
		session_lost(s);
	}
}

static void
session_up(struct session *s)
{
	s->s_state = SESSION_UP;
	s->s_wait_ms = RETRY_FIRST_MS;
	if (s->s_tell != 0 &&
	    chan_send(s->s_chan, s->s_tell, 0, s->s_tell_msg, -1) == -1)
		log_warn("send");
	if (s->s_req != 0)
		session_send_request(s);
}

static void
session_acked(struct session *s, const struct orch_ack *ack)
{
	void (*cb)(void *) = s->s_req_cb;

	if (ack->result == RES_RETRY) {
		log_warnx("the engine cannot store it now: %s", ack->text);
		s->s_req_id = 0;
		session_after(s, AGAIN_MS);
		return;
	}
	if (ack->result != RES_OK && ack->result != RES_DUPLICATE)
		log_info("the engine answers %s: %s",
		    orch_result_name(ack->result), ack->text);
	s->s_req = 0;
	s->s_req_msg = NULL;
	s->s_req_fd = -1;
	cb(s->s_arg);
}

static void
session_pong(struct session *s, uint32_t id, const struct orch_ping *ping)
{
	struct orch_pong pong = { .nonce = ping->nonce };

	(void)chan_send(s->s_chan, ORCH_pong, id, &pong, -1);
}

/* The engine may say go again after it was replaced; the first one counts. */
static void
session_go(struct session *s, const struct orch_run_go *go, int *fd)
{
	if (go->run != s->s_spec->run) {
		log_warnx("go for run %llu came to run %llu",
		    (unsigned long long)go->run,
		    (unsigned long long)s->s_spec->run);
		return;
	}
	if (s->s_going)
		return;
	s->s_going = 1;
	s->s_ops->s_go(s->s_arg, go, fd);
}

static void
session_msg_cb(struct chan *c, const struct orch_header *hdr,
    const union orch_any *msg, int *fd, void *arg)
{
	struct session *s = arg;

	switch (hdr->h_type) {
	case ORCH_hello_ok:
		session_up(s);
		break;
	case ORCH_hello_no:
		s->s_ops->s_refused(s->s_arg, msg->hello_no.reason);
		break;
	case ORCH_run_go:
		session_go(s, &msg->run_go, fd);
		break;
	case ORCH_run_stop:
		s->s_ops->s_stop(s->s_arg, msg->run_stop.reason);
		break;
	case ORCH_ping:
		session_pong(s, hdr->h_id, &msg->ping);
		break;
	case ORCH_ack:
		if (s->s_req != 0 && s->s_req_id != 0 &&
		    hdr->h_id == s->s_req_id)
			session_acked(s, &msg->ack);
		break;
	default:
		log_warnx("unexpected message %u of the engine", hdr->h_type);
		break;
	}
}

static void
session_end_cb(struct chan *c, const char *why, void *arg)
{
	struct session *s = arg;

	if (s->s_state != SESSION_AWAY)
		log_info("the engine is gone (%s), waiting for the next", why);
	session_lost(s);
}

static void
session_hello(struct session *s)
{
	struct orch_hello h;

	memset(&h, 0, sizeof(h));
	h.major = ORCH_PROTO_MAJOR;
	h.minor = ORCH_PROTO_MINOR;
	h.role = ROLE_RUNNER;
	h.run = s->s_spec->run;
	h.key = s->s_spec->key;
	h.ident = s->s_ident;
	if (chan_send(s->s_chan, ORCH_hello, chan_id(s->s_chan), &h,
	    -1) == -1) {
		log_warn("hello");
		session_lost(s);
	}
}

static void
session_connect(struct session *s)
{
	int sock;

	if ((sock = chan_connect(s->s_spec->socket)) == -1 ||
	    (s->s_chan = chan_new(s->s_base, sock, 0, FROM_ENGINE,
	    session_msg_cb, session_end_cb, s)) == NULL) {
		log_debug("no engine yet");
		if (sock != -1)
			close(sock);
		session_lost(s);
		return;
	}
	chan_set_lenient(s->s_chan);
	s->s_state = SESSION_HELLO;
	session_hello(s);
}

static void
session_timer_cb(evutil_socket_t fd, short what, void *arg)
{
	struct session *s = arg;

	if (s->s_state == SESSION_AWAY)
		session_connect(s);
	else if (s->s_state == SESSION_UP && s->s_req != 0 &&
	    s->s_req_id == 0)
		session_send_request(s);
}

struct session *
session_new(struct event_base *base, const struct orch_run_spec *spec,
    const struct session_ops *ops, void *arg)
{
	struct session *s;
	struct ident id;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		return (NULL);
	s->s_base = base;
	s->s_spec = spec;
	s->s_ops = ops;
	s->s_arg = arg;
	s->s_req_fd = -1;
	s->s_wait_ms = RETRY_FIRST_MS;
	if (ident_self(&id) == -1 ||
	    ident_format(&id, s->s_ident, sizeof(s->s_ident)) == -1 ||
	    (s->s_timer = evtimer_new(base, session_timer_cb, s)) == NULL) {
		free(s);
		return (NULL);
	}
	session_connect(s);
	return (s);
}

void
session_free(struct session *s)
{
	if (s == NULL)
		return;
	chan_free(s->s_chan);
	event_free(s->s_timer);
	free(s);
}

void
session_request(struct session *s, unsigned int type, const void *msg, int fd,
    void (*cb)(void *))
{
	s->s_req = type;
	s->s_req_msg = msg;
	s->s_req_fd = fd;
	s->s_req_cb = cb;
	s->s_req_id = 0;
	if (s->s_state == SESSION_UP)
		session_send_request(s);
}

void
session_tell(struct session *s, unsigned int type, const void *msg)
{
	s->s_tell = type;
	s->s_tell_msg = msg;
	if (s->s_state == SESSION_UP &&
	    chan_send(s->s_chan, type, 0, msg, -1) == -1)
		log_warn("send");
}
