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

#include <sys/queue.h>

#include <event2/buffer.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/log.h"
#include "proto/proto.h"
#include "proto/roles.h"

#include "ask.h"

#define ANSWER_MAX	(16U << 20)	/* bytes of JSON in all parts */

struct ask {
	TAILQ_ENTRY(ask)	 as_entry;
	struct asks		*as_asks;
	struct event		*as_timer;
	unsigned int		 as_type;
	uint32_t		 as_id;		/* 0: not asked yet */
	/* ORCH_event: the texts below.  ORCH_query: verb and token. */
	const char		*as_source;	/* constant */
	struct delivery		 as_delivery;
	char			*as_verb;
	char			*as_token;
	int			 as_loopback;
	/* ORCH_action: token above, and these. */
	char			*as_item;
	char			*as_from;
	int			 as_force;
	struct evbuffer		*as_json;	/* parts of the answer */
	ask_done_cb		 as_done;
	void			*as_arg;
};

struct asks {
	TAILQ_HEAD(, ask)	 aq_list;
	struct event_base	*aq_base;
	uint32_t		 aq_hold_ms;
	ask_send_fn		 aq_send;
};

struct asks *
asks_new(struct event_base *base, uint32_t hold_ms, ask_send_fn send)
{
	struct asks *aq;

	if ((aq = calloc(1, sizeof(*aq))) == NULL)
		return (NULL);
	TAILQ_INIT(&aq->aq_list);
	aq->aq_base = base;
	aq->aq_hold_ms = hold_ms;
	aq->aq_send = send;
	return (aq);
}

void
ask_cancel(struct ask *as)
{
	TAILQ_REMOVE(&as->as_asks->aq_list, as, as_entry);
	if (as->as_timer != NULL)
		event_free(as->as_timer);
	if (as->as_json != NULL)
		evbuffer_free(as->as_json);
	if (as->as_token != NULL)
		explicit_bzero(as->as_token, strlen(as->as_token));
	delivery_free(&as->as_delivery);
	free(as->as_verb);
	free(as->as_token);
	free(as->as_item);
	free(as->as_from);
	free(as);
}

void
asks_free(struct asks *aq)
{
	struct ask *as;

	if (aq == NULL)
		return;
	while ((as = TAILQ_FIRST(&aq->aq_list)) != NULL)
		ask_cancel(as);
	free(aq);
}

static void
ask_finish(struct ask *as, const struct ask_answer *aa)
{
	ask_done_cb done = as->as_done;
	void *arg = as->as_arg;
	struct ask_answer copy = *aa;
	struct evbuffer *json = as->as_json;

	/* The parts outlive the question: the answer points into them. */
	as->as_json = NULL;
	ask_cancel(as);
	if (json != NULL && evbuffer_get_length(json) > 0) {
		copy.aa_json_len = evbuffer_get_length(json);
		copy.aa_json = (const char *)evbuffer_pullup(json, -1);
		copy.aa_away = copy.aa_json == NULL;
	}
	done(&copy, arg);
	if (json != NULL)
		evbuffer_free(json);
}

/* No answer comes. */
static void
ask_give_up(struct ask *as)
{
	struct ask_answer away = { .aa_away = 1, .aa_text = "" };

	away.aa_lost = as->as_type == ORCH_action && as->as_id != 0;
	if (as->as_json != NULL)
		(void)evbuffer_drain(as->as_json,
		    evbuffer_get_length(as->as_json));
	ask_finish(as, &away);
}

static void
ask_timer_cb(evutil_socket_t fd, short what, void *arg)
{
	ask_give_up(arg);
}

static int
send_event(struct ask *as)
{
	const struct delivery *dl = &as->as_delivery;
	struct orch_event msg;

	memset(&msg, 0, sizeof(msg));
	msg.source = as->as_source;
	msg.delivery = dl->dl_id;
	msg.kind = dl->dl_kind;
	msg.sha256 = dl->dl_sha256;
	msg.body.b_data = (const uint8_t *)dl->dl_body;
	msg.body.b_len = dl->dl_len;
	msg.project = dl->dl_project;
	msg.object = dl->dl_object;
	return (as->as_asks->aq_send(ORCH_event, &msg, &as->as_id));
}

static int
send_query(struct ask *as)
{
	static const char *const none[] = { NULL };
	struct orch_query msg;

	memset(&msg, 0, sizeof(msg));
	msg.verb = as->as_verb;
	msg.object = "";
	msg.args.l_argv = none;
	msg.token = as->as_token;
	msg.loopback = (uint8_t)(as->as_loopback != 0);
	return (as->as_asks->aq_send(ORCH_query, &msg, &as->as_id));
}

static int
send_action(struct ask *as)
{
	const char *args[] = { "release", as->as_force ? "force" : NULL,
	    NULL };
	struct orch_action msg;

	memset(&msg, 0, sizeof(msg));
	msg.verb = as->as_verb;
	msg.task = as->as_item;
	msg.stage = msg.commit = "";
	msg.text = as->as_from;
	msg.args.l_argv = args;
	msg.token = as->as_token;
	return (as->as_asks->aq_send(ORCH_action, &msg, &as->as_id));
}

/* Ask, or leave it for the next engine. */
static void
ask_send(struct ask *as)
{
	int res;

	res = as->as_type == ORCH_event ? send_event(as) :
	    as->as_type == ORCH_action ? send_action(as) : send_query(as);
	if (res == -1) {
		log_debug("engine: not asked now");
		as->as_id = 0;
	}
	if (as->as_json != NULL)
		(void)evbuffer_drain(as->as_json,
		    evbuffer_get_length(as->as_json));
}

static struct ask *
ask_new(struct asks *aq, unsigned int type, ask_done_cb done, void *arg)
{
	struct timeval tv;
	struct ask *as;

	if ((as = calloc(1, sizeof(*as))) == NULL)
		return (NULL);
	as->as_asks = aq;
	as->as_type = type;
	as->as_done = done;
	as->as_arg = arg;
	TAILQ_INSERT_TAIL(&aq->aq_list, as, as_entry);
	tv.tv_sec = aq->aq_hold_ms / 1000;
	tv.tv_usec = (suseconds_t)(aq->aq_hold_ms % 1000) * 1000;
	if ((as->as_timer = evtimer_new(aq->aq_base, ask_timer_cb,
	    as)) == NULL || evtimer_add(as->as_timer, &tv) == -1 ||
	    (as->as_json = evbuffer_new()) == NULL) {
		ask_cancel(as);
		return (NULL);
	}
	return (as);
}

struct ask *
ask_event(struct asks *aq, const char *source, struct delivery *dl,
    ask_done_cb done, void *arg)
{
	struct ask *as;

	if ((as = ask_new(aq, ORCH_event, done, arg)) == NULL) {
		delivery_free(dl);
		return (NULL);
	}
	as->as_source = source;
	as->as_delivery = *dl;
	memset(dl, 0, sizeof(*dl));
	ask_send(as);
	return (as);
}

struct ask *
ask_query(struct asks *aq, const char *verb, const char *token, int loopback,
    ask_done_cb done, void *arg)
{
	struct ask *as;

	if ((as = ask_new(aq, ORCH_query, done, arg)) == NULL)
		return (NULL);
	as->as_loopback = loopback;
	if ((as->as_verb = strdup(verb)) == NULL ||
	    (as->as_token = strdup(token)) == NULL) {
		ask_cancel(as);
		return (NULL);
	}
	ask_send(as);
	return (as);
}

struct ask *
ask_release(struct asks *aq, const char *item, int force, const char *token,
    const char *from, ask_done_cb done, void *arg)
{
	struct ask *as;

	if ((as = ask_new(aq, ORCH_action, done, arg)) == NULL)
		return (NULL);
	as->as_force = force;
	if ((as->as_verb = strdup("lease")) == NULL ||
	    (as->as_item = strdup(item)) == NULL ||
	    (as->as_token = strdup(token)) == NULL ||
	    (as->as_from = strdup(from)) == NULL) {
		ask_cancel(as);
		return (NULL);
	}
	ask_send(as);
	return (as);
}

void
asks_engine_up(struct asks *aq)
{
	struct ask *as, *next;

	for (as = TAILQ_FIRST(&aq->aq_list); as != NULL; as = next) {
		next = TAILQ_NEXT(as, as_entry);
		if (as->as_type == ORCH_action && as->as_id != 0)
			ask_give_up(as);
		else
			ask_send(as);
	}
}

/* A part or the whole of a query's answer. */
static void
on_answer(struct ask *as, const struct orch_answer *msg)
{
	struct ask_answer aa;

	memset(&aa, 0, sizeof(aa));
	if (evbuffer_get_length(as->as_json) + msg->json.b_len > ANSWER_MAX ||
	    evbuffer_add(as->as_json, msg->json.b_data, msg->json.b_len) ==
	    -1) {
		log_warnx("engine: the answer to %s is too large", as->as_verb);
		aa.aa_away = 1;
		aa.aa_text = "";
		(void)evbuffer_drain(as->as_json,
		    evbuffer_get_length(as->as_json));
		ask_finish(as, &aa);
		return;
	}
	if (msg->more)
		return;
	aa.aa_result = msg->result;
	aa.aa_text = msg->text;
	ask_finish(as, &aa);
}

int
asks_message(struct asks *aq, const struct orch_header *h,
    const union orch_any *any)
{
	struct ask_answer aa;
	struct ask *as;

	TAILQ_FOREACH(as, &aq->aq_list, as_entry)
		if (as->as_id != 0 && as->as_id == h->h_id)
			break;
	if (as == NULL)
		return (0);
	if (as->as_type != ORCH_event && h->h_type == ORCH_answer) {
		on_answer(as, &any->answer);
		return (1);
	}
	memset(&aa, 0, sizeof(aa));
	if (as->as_type == ORCH_event && h->h_type == ORCH_event_answer) {
		aa.aa_result = any->event_answer.result;
		aa.aa_text = "";
	} else if (h->h_type == ORCH_ack) {
		aa.aa_result = any->ack.result;
		aa.aa_text = any->ack.text;
	} else
		return (0);
	ask_finish(as, &aa);
	return (1);
}
