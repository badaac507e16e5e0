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

#include "libcommon/chan.h"
#include "orchd/manage.h"
#include "orchd/peer.h"
#include "sim.h"

/*
 * Connections, and libcommon/chan.h over them: two queues of whole frames.
 * Within one direction of one connection order holds; everything else is the
 * scheduler's choice.  What a dead process has sent is still delivered, as by
 * a socket; what the engine had in its hands when it died is gone.
 */

struct chan {
	struct conn	*ch_conn;
	uint32_t	 ch_senders;
	int		 ch_decode;
	chan_msg_cb	 ch_on_msg;
	chan_end_cb	 ch_on_end;
	void		*ch_arg;
	uint32_t	 ch_next;
};

#define BACKLOG	64	/* of engine.sock, as listen(2) says */

static struct conn conns[NCONNS];
static size_t nused;		/* none is used at or above */
static uint32_t last;

/* --- queues ------------------------------------------------------------ */

static void
queue_init(struct queue *q)
{
	q->q_first = NULL;
	q->q_last = &q->q_first;
}

static void
queue_put(struct queue *q, uint8_t *data, size_t len, int fd, int quick)
{
	struct orch_header h;
	struct frame *f;

	if ((f = calloc(1, sizeof(*f))) == NULL ||
	    orch_header_get(data, &h) == -1)
		abort();
	f->f_data = data;
	f->f_len = len;
	f->f_fd = fd;
	f->f_type = h.h_type;
	f->f_until = w.now + (quick ? rnd_delay() / 200 : rnd_delay());
	*q->q_last = f;
	q->q_last = &f->f_next;
}

struct frame *
queue_take(struct queue *q)
{
	struct frame *f = q->q_first;

	if (f != NULL && (q->q_first = f->f_next) == NULL)
		q->q_last = &q->q_first;
	return (f);
}

void
frame_free(struct frame *f)
{
	if (f == NULL)
		return;
	free(f->f_data);
	free(f);
}

static void
queue_drop(struct queue *q)
{
	struct frame *f;

	while ((f = queue_take(q)) != NULL)
		frame_free(f);
}

/* --- the table --------------------------------------------------------- */

static void
conn_gone(struct conn *c)
{
	queue_drop(&c->c_in);
	queue_drop(&c->c_out);
	memset(c, 0, sizeof(*c));
}

/* Nobody has an end of it any more. */
static void
conn_settle(struct conn *c)
{
	if (c->c_used && c->c_far_closed && c->c_near_closed)
		conn_gone(c);
}

void
conns_reset(void)
{
	size_t i;

	for (i = 0; i < NCONNS; i++) {
		free(conns[i].c_chan);
		conn_gone(&conns[i]);
	}
	last = 0;
	nused = 0;
}

struct conn *
conn_new(enum far far, enum orch_role role, void *arg)
{
	struct conn *c;
	size_t i;

	for (i = 0; i < NCONNS && conns[i].c_used; i++)
		continue;
	if (i == NCONNS)
		broken("too many connections");
	if (i >= nused)
		nused = i + 1;
	c = &conns[i];
	c->c_used = 1;
	c->c_id = ++last;
	c->c_far = far;
	c->c_role = role;
	c->c_arg = arg;
	queue_init(&c->c_in);
	queue_init(&c->c_out);
	return (c);
}

struct conn *
conn_of_fd(int fd)
{
	if (fd < VFD || fd >= VFD + NCONNS || !conns[fd - VFD].c_used)
		return (NULL);
	return (&conns[fd - VFD]);
}

int
conn_fd(const struct conn *c)
{
	return (VFD + (int)(c - conns));
}

struct conn *
conn_any(void)
{
	size_t i, k = 0, which;

	for (i = 0; i < nused; i++)
		k += conns[i].c_used && conns[i].c_accepted &&
		    conns[i].c_far != FAR_PARENT;
	if (k == 0)
		return (NULL);
	which = rnd((unsigned int)k);
	for (i = 0; i < nused; i++)
		if (conns[i].c_used && conns[i].c_accepted &&
		    conns[i].c_far != FAR_PARENT && which-- == 0)
			return (&conns[i]);
	return (NULL);
}

/* A pair of socket ends between programs that do little else than read. */
static int
is_quick(const struct conn *c)
{
	return (c->c_far == FAR_PARENT || c->c_far == FAR_DAEMON ||
	    c->c_far == FAR_WEBHOOK);
}

/* --- the far end ------------------------------------------------------- */

void
conn_say_frame(struct conn *c, const uint8_t *data, size_t len, int fd)
{
	uint8_t *copy;

	if (c->c_near_closed)
		return;
	if ((copy = malloc(len)) == NULL)
		abort();
	memcpy(copy, data, len);
	queue_put(&c->c_in, copy, len, fd, is_quick(c));
}

uint32_t
conn_say(struct conn *c, unsigned int type, const void *msg, int fd)
{
	const char *field;
	uint8_t *data;
	size_t len;

	if (orch_encode(type, ++c->c_next, msg, &data, &len, &field) == -1)
		broken("message %u: field %s", type, field);
	if (c->c_near_closed)
		free(data);
	else
		queue_put(&c->c_in, data, len, fd, is_quick(c));
	return (c->c_next);
}

void
conn_far_close(struct conn *c)
{
	c->c_far_closed = 1;
	queue_drop(&c->c_out);
	/* Nobody will ever accept what the engine has closed. */
	conn_settle(c);
}

void	 conns_of_dead(const struct proc *);

/* Its process has died: what it sent is still there, then comes the end. */
void
conns_of_dead(const struct proc *p)
{
	size_t i;

	for (i = 0; i < nused; i++) {
		if (!conns[i].c_used || conns[i].c_far != FAR_PROC ||
		    conns[i].c_arg != p)
			continue;
		conns[i].c_pid_gone = 1;
		conns[i].c_arg = NULL;
		conn_far_close(&conns[i]);
	}
}

/* --- libcommon/chan.h -------------------------------------------------- */

struct chan *
chan_new(struct event_base *base, int sock, int prio, uint32_t senders,
    chan_msg_cb on_msg, chan_end_cb on_end, void *arg)
{
	struct conn *c = conn_of_fd(sock);
	struct chan *ch;

	if (c == NULL || (ch = calloc(1, sizeof(*ch))) == NULL)
		abort();
	ch->ch_conn = c;
	ch->ch_senders = senders;
	ch->ch_on_msg = on_msg;
	ch->ch_on_end = on_end;
	ch->ch_arg = arg;
	c->c_chan = ch;
	c->c_accepted = 1;
	return (ch);
}

void
chan_free(struct chan *ch)
{
	struct conn *c;

	if (ch == NULL)
		return;
	c = ch->ch_conn;
	c->c_chan = NULL;
	c->c_near_closed = 1;
	queue_drop(&c->c_in);
	conn_settle(c);
	free(ch);
}

void
chan_set_senders(struct chan *ch, uint32_t senders)
{
	ch->ch_senders = senders;
}

void
chan_set_lenient(struct chan *ch)
{
	ch->ch_decode = ORCH_LENIENT;
}

int
chan_fd(const struct chan *ch)
{
	return (conn_fd(ch->ch_conn));
}

int
chan_flush(struct chan *ch, int ms)
{
	return (0);
}

/* What the engine answers is counted. */
static void
count_answer(struct conn *c, unsigned int type, uint32_t id,
    const uint8_t *p)
{
	switch (type) {
	case ORCH_ack:
	case ORCH_grant:
	case ORCH_gate_answer:
	case ORCH_pull_answer:
		break;
	case ORCH_effect_answer:
		n.effects_done_before += p[0] == RES_OK && p[1] ==
		    EFFECT_DONE;
		n.effects_again += p[0] == RES_OK && p[1] == EFFECT_INTENT;
		n.effects += p[0] == RES_OK && p[1] == EFFECT_NONE;
		break;
	case ORCH_hello_ok:
		if (c->c_far == FAR_PROC && c->c_arg != NULL)
			n.adopted += ((struct proc *)c->c_arg)->p_greeted++ >
			    0;
		return;
	default:
		return;
	}
	if (p[0] == RES_OK && c->c_refuse != 0 && c->c_refuse == id)
		broken("%s", c->c_far == FAR_DAEMON ? "a run that lives is "
		    "reaped as dead" : "a worker that does not own its "
		    "task's stage any more is answered ok");
	if (c->c_far != FAR_PROC)
		return;
	if (type == ORCH_grant && p[0] == RES_OK && c->c_arg != NULL)
		check_granted(c->c_arg);
	n.fenced += p[0] == RES_FENCED;
	n.stale += p[0] == RES_STALE;
	n.duplicates += p[0] == RES_DUPLICATE;
}

int
chan_send_frame(struct chan *ch, uint8_t *frame, size_t len, int fd)
{
	struct conn *c = ch->ch_conn;
	struct orch_header h;

	if (w.drop || c->c_far_closed) {
		n.answers_lost += (uint64_t)w.drop;
		free(frame);
		return (0);
	}
	if (fd != -1)
		orch_frame_flags(frame, ORCH_WITH_FD);
	(void)orch_header_get(frame, &h);
	count_answer(c, h.h_type, h.h_id, frame + ORCH_HEADER_SIZE);
	queue_put(&c->c_out, frame, len, fd, is_quick(c));
	return (0);
}

int
chan_send(struct chan *ch, unsigned int type, uint32_t id, const void *msg,
    int fd)
{
	const char *field;
	uint8_t *frame;
	size_t len;

	if (orch_encode(type, id, msg, &frame, &len, &field) == -1)
		broken("message %u: field %s", type, field);
	return (chan_send_frame(ch, frame, len, fd));
}

/* --- what breaks ------------------------------------------------------- */

void
conns_engine_died(void)
{
	struct conn *c;
	size_t i;

	for (i = 0; i < nused; i++) {
		c = &conns[i];
		if (!c->c_used || !c->c_accepted)
			continue;
		free(c->c_chan);
		c->c_chan = NULL;
		c->c_near_closed = 1;
		queue_drop(&c->c_in);
		/* Some of what it wrote is still read. */
		if (rnd(2) == 0)
			queue_drop(&c->c_out);
		if (c->c_far == FAR_PARENT)
			c->c_far_closed = 1;
		conn_settle(c);
	}
}

/* The machine went down: nobody is at any far end. */
void
conns_reboot(void)
{
	size_t i;

	for (i = 0; i < nused; i++)
		if (conns[i].c_used && conns[i].c_far == FAR_PROC) {
			queue_drop(&conns[i].c_in);
			conns[i].c_pid_gone = 1;
			conns[i].c_arg = NULL;
			conn_far_close(&conns[i]);
		}
}

void
conns_refuse(void)
{
	size_t i;

	for (i = 0; i < nused; i++) {
		if (!conns[i].c_used || conns[i].c_accepted)
			continue;
		conns[i].c_near_closed = 1;
		queue_drop(&conns[i].c_in);
		conn_settle(&conns[i]);
	}
}

void
conn_break(struct conn *c)
{
	struct chan *ch = c->c_chan;

	if (ch == NULL)
		return;
	n.connections_lost++;
	queue_drop(&c->c_in);
	if (rnd(2) == 0)
		queue_drop(&c->c_out);
	owner = OWN_ENGINE;
	ch->ch_on_end(ch, "end of file", ch->ch_arg);
}

/* --- delivery ---------------------------------------------------------- */

static int
ready(const struct queue *q)
{
	if (q->q_first == NULL)
		return (0);
	if (q->q_first->f_until <= w.now)
		return (1);
	due_at(q->q_first->f_until);
	return (0);
}

static int
to_near_enabled(const struct conn *c)
{
	if (!c->c_accepted)
		return (!c->c_near_closed && (c->c_far == FAR_PROC ||
		    c->c_far == FAR_PERSON));
	if (c->c_near_closed)
		return (0);
	return (c->c_in.q_first == NULL ? c->c_far_closed :
	    ready(&c->c_in));
}

/* Low bit of the item's address: to the far end. */
size_t
conns_enabled(void **items, size_t max)
{
	struct conn *c;
	size_t i, k = 0;

	for (i = 0; i < nused && k + 2 < max; i++) {
		c = &conns[i];
		if (!c->c_used)
			continue;
		if (w.engine_up && to_near_enabled(c))
			items[k++] = c;
		if (c->c_far != FAR_PROC && !c->c_far_closed &&
		    (ready(&c->c_out) || (c->c_out.q_first == NULL &&
		    c->c_near_closed)))
			items[k++] = (char *)c + 1;
	}
	return (k);
}

static void
to_far(struct conn *c)
{
	struct frame *f = queue_take(&c->c_out);
	struct orch_header h;
	union orch_any any;
	const char *field;

	if (f == NULL) {
		/* Its end. */
		void *arg = c->c_arg;
		enum far far = c->c_far;

		conn_far_close(c);
		if (far == FAR_DAEMON)
			daemon_cut(arg);
		else if (far == FAR_PERSON)
			person_cut(arg);
		else if (far == FAR_WEBHOOK)
			webhook_cut();
		return;
	}
	(void)orch_header_get(f->f_data, &h);
	trace_mix(2, c->c_id << 8 | h.h_type);
	if (orch_decode(h.h_type, f->f_data + ORCH_HEADER_SIZE, f->f_len -
	    ORCH_HEADER_SIZE, 0, &any, &field) == -1)
		broken("the engine's message %u: field %s", h.h_type, field);
	switch (c->c_far) {
	case FAR_DAEMON:
		daemon_hears(c->c_arg, &h, &any);
		break;
	case FAR_PARENT:
		parent_hears(h.h_type, &any);
		break;
	case FAR_PERSON:
		person_hears(c, &any, h.h_type);
		break;
	case FAR_WEBHOOK:
		webhook_hears(&any, h.h_type);
		break;
	case FAR_PROC:
		break;
	}
	frame_free(f);
}

static void
accept_one(struct conn *c)
{
	trace_mix(3, c->c_id);
	peer_accept(conn_fd(c), c->c_far == FAR_PERSON);
	/* Refused before it had a channel. */
	if (c->c_used && !c->c_accepted) {
		c->c_near_closed = 1;
		conn_settle(c);
	}
}

/* As chan_read_cb does: decode, check who may say it, call. */
void
engine_deliver(struct conn *c, struct frame *f)
{
	struct chan *ch = c->c_chan;
	struct orch_header h;
	union orch_any any;
	const char *field;
	int fd = f->f_fd;

	(void)orch_header_get(f->f_data, &h);
	trace_mix(4, (uint64_t)c->c_id << 32 | h.h_type);
	if ((orch_msg(h.h_type)->m_from & ch->ch_senders) == 0 ||
	    orch_decode(h.h_type, f->f_data + ORCH_HEADER_SIZE, f->f_len -
	    ORCH_HEADER_SIZE, ch->ch_decode, &any, &field) == -1) {
		ch->ch_on_end(ch, "a message that breaks the rules",
		    ch->ch_arg);
		return;
	}
	if (trace_on) {
		char text[160];

		TRACE("-> engine (%s %u): %s", orch_role_name(c->c_role),
		    c->c_id, orch_print(h.h_type, &any, text, sizeof(text)));
	}
	if (c->c_far == FAR_PROC && c->c_arg != NULL)
		c->c_refuse = check_may(c->c_arg, h.h_type, &any) ? 0 :
		    h.h_id;
	/* The last word for the reaper is that it is wrong. */
	if (h.h_type == ORCH_dead)
		c->c_refuse = any.dead.tier == 1 &&
		    proc_of_ident(any.dead.ident) != NULL ? h.h_id : 0;
	n.effects_conflict += h.h_type == ORCH_effect_done &&
	    any.effect_done.state == EFFECT_CONFLICT;
	ch->ch_on_msg(ch, &h, &any, &fd, ch->ch_arg);
}

void
conn_deliver(void *item)
{
	struct conn *c;
	struct frame *f;

	if (((uintptr_t)item & 1) != 0) {
		to_far((struct conn *)((char *)item - 1));
		return;
	}
	c = item;
	owner = OWN_ENGINE;
	if (!c->c_accepted) {
		accept_one(c);
		return;
	}
	if ((f = queue_take(&c->c_in)) == NULL) {
		c->c_chan->ch_on_end(c->c_chan, "end of file",
		    c->c_chan->ch_arg);
		return;
	}
	engine_deliver(c, f);
	frame_free(f);
}

/* --- the forms that wait, for processes -------------------------------- */

/* Who waits to be accepted; nobody does when there is no parent. */
static size_t
backlog(void)
{
	size_t i, k = 0;

	for (i = 0; i < nused; i++)
		k += conns[i].c_used && conns[i].c_far == FAR_PROC &&
		    !conns[i].c_accepted && !conns[i].c_near_closed;
	return (k);
}

int
chan_connect(const char *path)
{
	struct conn *c;

	nap(0, 0);
	if (!w.parent_up || backlog() >= BACKLOG) {
		errno = w.parent_up ? EAGAIN : ECONNREFUSED;
		return (-1);
	}
	c = conn_new(FAR_PROC, ROLE_RUNNER, w.cur);
	proc_ident(w.cur, &c->c_ident);
	memset(c->c_ident.id_incarnation, 0, 16);
	w.cur->p_conn = c;
	return (conn_fd(c));
}

int
chan_write_one(int sock, unsigned int type, uint32_t id, const void *msg,
    int fd, int ms)
{
	struct conn *c = conn_of_fd(sock);
	const char *field;
	uint8_t *data;
	size_t len;

	if (c == NULL || c->c_near_closed) {
		errno = ECONNRESET;
		return (-1);
	}
	if (orch_encode(type, id, msg, &data, &len, &field) == -1)
		return (-1);
	if (fd != -1)
		orch_frame_flags(data, ORCH_WITH_FD);
	queue_put(&c->c_in, data, len, fd, is_quick(c));
	return (0);
}

/* The next frame for the current process; NULL with errno. */
static struct frame *
wait_frame(struct conn *c, int ms)
{
	int64_t until = w.now + (ms < 0 ? INT64_MAX / 2 : ms);

	for (;;) {
		if (c->c_out.q_first != NULL &&
		    c->c_out.q_first->f_until <= w.now)
			return (queue_take(&c->c_out));
		if (c->c_out.q_first == NULL && c->c_near_closed) {
			errno = ECONNRESET;
			return (NULL);
		}
		if (w.now >= until) {
			errno = ETIMEDOUT;
			return (NULL);
		}
		nap(ms < 0 ? -1 : until - w.now, 1);
	}
}

void	 parent_spec(uint8_t **frame, union orch_any *msg);

int
chan_read_flags(int sock, uint32_t senders, int flags, struct orch_header *h,
    union orch_any *msg, uint8_t **frame, int *fd, int ms)
{
	struct conn *c = conn_of_fd(sock);
	struct frame *f;
	const char *field;

	*frame = NULL;
	*fd = -1;
	if (c == NULL) {
		errno = EBADF;
		return (-1);
	}
	if ((f = wait_frame(c, ms)) == NULL)
		return (-1);
	(void)orch_header_get(f->f_data, h);
	if (orch_decode(h->h_type, f->f_data + ORCH_HEADER_SIZE, f->f_len -
	    ORCH_HEADER_SIZE, flags, msg, &field) == -1)
		broken("the engine's message %u: field %s", h->h_type, field);
	*frame = f->f_data;
	*fd = f->f_fd;
	free(f);
	return (0);
}

/* Descriptor 3 of a process that the parent has started. */
int
chan_read_one(int sock, uint32_t senders, struct orch_header *h,
    union orch_any *msg, uint8_t **frame, int *fd, int ms)
{
	memset(h, 0, sizeof(*h));
	h->h_type = ORCH_run_spec;
	*fd = -1;
	parent_spec(frame, msg);
	return (0);
}
