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

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libcommon/log.h"
#include "libcommon/monotime.h"
#include "engine.h"
#include "pass.h"
#include "peer.h"

/* A pass is bounded: endless input would starve the lower priority. */
#define PASS_REQUESTS	64
#define PASS_MS		2
#define SAY_AGAIN_MS	60000
#define STEADY_MS	2000

struct sending {
	struct sending	*s_next;
	uint32_t	 s_peer;
	uint8_t		*s_frame;
	size_t		 s_len;
	int		 s_fd;
};

struct asked {
	uint32_t	a_peer;
	uint32_t	a_id;
	unsigned int	a_type;
};

static struct {
	struct event	*commit_ev;
	int		 open;
	int		 failed;	/* the last COMMIT or BEGIN failed */
	struct monotime	 when;		/* that was */
	struct monotime	 said;		/* when it was logged */
	sqlite3_int64	 changes;	/* rows written when it was opened */
	unsigned int	 n;
	struct monotime	 began;
	struct sending	*first, **last;
	struct sending	**mark;		/* of the request that runs */
	struct asked	 asked[PASS_REQUESTS + 1];
	unsigned int	 nasked;
	uint64_t	 number;
} pass;

static void
commit_cb(int fd, short what, void *arg)
{
	pass_commit();
}

int
pass_init(void)
{
	pass.last = &pass.first;
	if ((pass.commit_ev = event_new(eng.e_base, -1, 0, commit_cb,
	    NULL)) == NULL)
		return (-1);
	return (event_priority_set(pass.commit_ev, 2));
}

static void
sending_free(struct sending *s)
{
	if (s->s_fd != -1)
		close(s->s_fd);
	free(s->s_frame);
	free(s);
}

/* Drop what was to be sent from here to the end. */
static void
sending_drop(struct sending **from)
{
	struct sending *s, *next;

	for (s = *from; s != NULL; s = next) {
		next = s->s_next;
		sending_free(s);
	}
	*from = NULL;
	pass.last = from;
}

/*
 * Hand a frame to its channel.  One that does not take it has lost an answer
 * that somebody waits for: it is cut off, and asks again when it reconnects.
 */
static void
sending_out(struct sending *s)
{
	struct chan *c = peer_chan(s->s_peer);

	if (c == NULL)
		return;
	if (chan_send_frame(c, s->s_frame, s->s_len, s->s_fd) == -1) {
		log_warn("a message cannot be sent");
		peer_drop(s->s_peer, "it does not read");
	}
	s->s_frame = NULL;
	s->s_fd = -1;
}

static void
sending_flush(void)
{
	struct sending *s, *next;

	s = pass.first;
	pass.first = NULL;
	pass.last = &pass.first;
	for (; s != NULL; s = next) {
		next = s->s_next;
		sending_out(s);
		sending_free(s);
	}
}

void
pass_send(uint32_t peer, unsigned int type, uint32_t id, const void *msg,
    int fd)
{
	struct sending *s;
	const char *field;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		fatal("pass");
	s->s_peer = peer;
	s->s_fd = -1;
	if (orch_encode(type, id, msg, &s->s_frame, &s->s_len,
	    &field) == -1) {
		log_warn("message %s: field %s", orch_msg(type)->m_name,
		    field);
		free(s);
		return;
	}
	if (fd != -1 && (s->s_fd = fcntl(fd, F_DUPFD_CLOEXEC, 4)) == -1)
		log_warn("message %s: descriptor", orch_msg(type)->m_name);
	*pass.last = s;
	pass.last = &s->s_next;
	if (!pass.open)
		sending_flush();
}

/* The answer that each kind of request understands. */
void
pass_retry(uint32_t peer, unsigned int type, uint32_t id)
{
	union orch_any any;
	unsigned int answer = ORCH_ack;
	static const char text[] = "the database takes no writes at the "
	    "moment (disk full?); nothing was changed, try again";

	memset(&any, 0, sizeof(any));
	switch (type) {
	case ORCH_hello:
		/* Its GO was lost: it shall say HELLO again. */
		peer_drop(peer, "nothing can be stored now");
		return;
	case ORCH_begin:
		answer = ORCH_grant;
		any.grant.text = text;
		break;
	case ORCH_effect:
		answer = ORCH_effect_answer;
		any.effect_answer.text = text;
		break;
	case ORCH_gate:
		answer = ORCH_gate_answer;
		any.gate_answer.reason = text;
		break;
	case ORCH_pull:
		answer = ORCH_pull_answer;
		any.pull_answer.text = text;
		break;
	case ORCH_event:
		answer = ORCH_event_answer;
		break;
	case ORCH_query:
	case ORCH_action:
		answer = ORCH_answer;
		any.answer.text = text;
		break;
	default:
		any.ack.text = text;
	}
	any.ack.result = RES_RETRY;	/* the first field of each */
	pass_send(peer, answer, id, &any, -1);
}

uint64_t
pass_number(void)
{
	return (pass.number);
}

void
pass_asked_by(uint32_t peer, unsigned int type, uint32_t id)
{
	if (pass.nasked < PASS_REQUESTS + 1)
		pass.asked[pass.nasked++] = (struct asked){ peer, id, type };
}

/* A disk stays full for long: the log hears of it once a minute. */
static void
pass_failed(const char *why)
{
	struct monotime now = monotime_now();

	pass.when = now;
	if (pass.failed && monotime_sub_ms(now, pass.said) < SAY_AGAIN_MS)
		return;
	pass.failed = 1;
	pass.said = now;
	log_warnx("database: %s: nothing can be stored, who asks is told so; "
	    "it goes on by itself when that ends", why);
}

/* Nothing of this pass happened: say so to everyone who asked. */
static void
pass_lost(const char *why)
{
	unsigned int i, n = pass.nasked;

	pass_failed(why);
	sending_drop(&pass.first);
	pass.open = 0;
	pass.nasked = 0;
	pass.n = 0;
	event_del(pass.commit_ev);
	for (i = 0; i < n; i++)
		pass_retry(pass.asked[i].a_peer, pass.asked[i].a_type,
		    pass.asked[i].a_id);
}

int
pass_enter(void)
{
	if (!pass.open) {
		if (store_begin(eng.e_store) != STORE_OK) {
			pass_failed(sqlite3_errmsg(store_db(eng.e_store)));
			return (-1);
		}
		pass.changes = sqlite3_total_changes64(store_db(
		    eng.e_store));
		pass.open = 1;
		pass.number++;
		pass.n = 0;
		pass.nasked = 0;
		pass.began = monotime_now();
		event_active(pass.commit_ev, EV_TIMEOUT, 0);
	}
	pass.mark = pass.last;
	if (store_savepoint(eng.e_store) != STORE_OK) {
		if (store_lost(eng.e_store))
			pass_lost("a transaction was rolled back");
		return (-1);
	}
	return (0);
}

int
pass_leave(int ok)
{
	if (store_lost(eng.e_store)) {
		pass_lost("a transaction was rolled back");
		return (-1);
	}
	if (!ok) {
		sending_drop(pass.mark);
		(void)store_rollback_to(eng.e_store);
	}
	(void)store_release(eng.e_store);
	if (store_lost(eng.e_store)) {
		pass_lost("a transaction was rolled back");
		return (-1);
	}
	if (++pass.n >= PASS_REQUESTS ||
	    monotime_sub_ms(monotime_now(), pass.began) >= PASS_MS)
		pass_commit();
	return (0);
}

int
pass_try(int (*fn)(void *), void *arg)
{
	struct sending **outer = pass.mark, **mark = pass.last;
	int ret;

	if (store_savepoint(eng.e_store) != STORE_OK)
		return (-1);
	pass.mark = mark;
	ret = fn(arg);
	pass.mark = outer;
	if (store_lost(eng.e_store))
		return (-1);
	if (ret == -1) {
		sending_drop(mark);
		(void)store_rollback_to(eng.e_store);
	}
	(void)store_release(eng.e_store);
	return (store_lost(eng.e_store) ? -1 : ret);
}

/* A COMMIT of nothing needs no room, and a small one may still find some. */
static void
pass_worked(void)
{
	if (!pass.failed || sqlite3_total_changes64(store_db(eng.e_store)) ==
	    pass.changes || monotime_sub_ms(monotime_now(), pass.when) <
	    STEADY_MS)
		return;
	log_info("database: writes work again");
	pass.failed = 0;
}

/*
 * A COMMIT that fails has not happened, or it is not known whether it has: a
 * full disk rolls back by itself; after a failed fsync nothing more may be
 * believed, so the engine ends and the next one reads what is there.
 */
void
pass_commit(void)
{
	enum store_res res;

	if (!pass.open)
		return;
	if ((res = store_commit(eng.e_store)) == STORE_OK) {
		pass.open = 0;
		pass.nasked = 0;
		event_del(pass.commit_ev);
		pass_worked();
		sending_flush();
		return;
	}
	if ((sqlite3_errcode(store_db(eng.e_store)) & 0xff) != SQLITE_FULL)
		fatalx("database: COMMIT failed (%s); ending, to look at what "
		    "is on disk", sqlite3_errmsg(store_db(eng.e_store)));
	store_rollback(eng.e_store);
	pass_lost("the disk is full");
}
