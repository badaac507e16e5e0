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

#ifndef RECONCILED_WORLD_H
#define RECONCILED_WORLD_H

/*
 * The world of reconciled in one process: an engine that notes what it is
 * told and answers it, and a server on the same loop that answers as the test
 * says and notes what it was asked.
 */

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include <curl/curl.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>

#include "libcommon/daemon.h"
#include "libcommon/monotime.h"
#include "reconciled/reconciled.h"

#define SENT_MAX	400
#define ASKED_MAX	400
#define CANNED_MAX	64

/* What the engine was sent. */
static struct sent {
	unsigned int	 s_type;
	uint32_t	 s_id;
	int		 s_acked;
	uint8_t		*s_frame;
	union orch_any	 s_any;
} sent[SENT_MAX];
static size_t nsent;

/* What the server was asked. */
static struct asked {
	char	a_line[600];	/* "METHOD /path?query" */
	char	a_headers[800];	/* "Name: value" lines */
	char	*a_body;
} asked[ASKED_MAX];
static size_t nasked;

/* What it answers; of two that match the later one. */
static struct canned {
	char	 c_match[300];	/* a beginning of the line */
	int	 c_status;	/* 0: the connection ends without an answer */
	int	 c_times;	/* -1: always */
	char	*c_body;
	char	 c_header[64], c_value[64];
} canned[CANNED_MAX];
static size_t ncanned;

static struct event_base *base;
static struct evhttp *server;
static char server_url[64];
static uint32_t last_id;
static int away, hold;	/* the engine is; it does not answer */
static enum orch_result result;	/* that it answers */
static int generous;	/* the server allows far more than 60 a minute */
static char *(*made)(const char *);	/* answers of its own, or NULL */

/* --- the daemon, replaced --- */

struct event_base *
daemon_base(void)
{
	return (base);
}

int
daemon_connected(void)
{
	return (!away);
}

int
daemon_send(unsigned int type, const void *msg, uint32_t *id)
{
	const char *field;
	struct sent *s;
	size_t len;

	if (away) {
		errno = ENOTCONN;
		return (-1);
	}
	ck_assert_uint_lt(nsent, SENT_MAX);
	s = &sent[nsent];
	memset(s, 0, sizeof(*s));
	if (orch_encode(type, 1, msg, &s->s_frame, &len, &field) == -1)
		return (-1);
	ck_assert_int_eq(orch_decode(type, s->s_frame + ORCH_HEADER_SIZE,
	    len - ORCH_HEADER_SIZE, ORCH_EXACT, &s->s_any, &field), 0);
	s->s_type = type;
	s->s_id = ++last_id;
	if (id != NULL)
		*id = last_id;
	nsent++;
	return (0);
}

const char *
daemon_option(const char *name, const char *dflt)
{
	return (dflt);
}

long long
daemon_option_num(const char *name, long long min, long long max,
    long long dflt)
{
	return (3600);	/* no timer fires here */
}

int
daemon_run(const struct daemon_ops *ops, int argc, char **argv)
{
	return (1);
}

/* --- the server --- */

static void
note_request(struct evhttp_request *req)
{
	static const char *const names[] = { [EVHTTP_REQ_GET] = "GET",
	    [EVHTTP_REQ_POST] = "POST", [EVHTTP_REQ_PATCH] = "PATCH" };
	struct evbuffer *in = evhttp_request_get_input_buffer(req);
	struct asked *a = &asked[nasked++];
	struct evkeyval *kv;
	size_t n;

	ck_assert_uint_le(nasked, ASKED_MAX);
	snprintf(a->a_line, sizeof(a->a_line), "%s %s",
	    names[evhttp_request_get_command(req)],
	    evhttp_request_get_uri(req));
	a->a_headers[0] = '\0';
	for (kv = evhttp_request_get_input_headers(req)->tqh_first;
	    kv != NULL; kv = kv->next.tqe_next) {
		(void)strlcat(a->a_headers, kv->key, sizeof(a->a_headers));
		(void)strlcat(a->a_headers, ": ", sizeof(a->a_headers));
		(void)strlcat(a->a_headers, kv->value, sizeof(a->a_headers));
		(void)strlcat(a->a_headers, "\n", sizeof(a->a_headers));
	}
	n = evbuffer_get_length(in);
	a->a_body = calloc(1, n + 1);
	(void)evbuffer_remove(in, a->a_body, n);
}

static struct canned *
canned_for(const char *line)
{
	size_t i;

	for (i = ncanned; i > 0; i--)
		if (canned[i - 1].c_times != 0 && strncmp(line,
		    canned[i - 1].c_match, strlen(canned[i - 1].c_match)) ==
		    0)
			return (&canned[i - 1]);
	return (NULL);
}

static void
request_cb(struct evhttp_request *req, void *arg)
{
	struct evbuffer *out = evbuffer_new();
	struct canned *c;
	char *body;

	note_request(req);
	if (generous)
		evhttp_add_header(evhttp_request_get_output_headers(req),
		    "X-RateLimit-Remaining", "5000");
	if (made != NULL && (body = made(asked[nasked - 1].a_line)) != NULL) {
		evbuffer_add(out, body, strlen(body));
		evhttp_send_reply(req, 200, "OK", out);
		evbuffer_free(out);
		free(body);
		return;
	}
	if ((c = canned_for(asked[nasked - 1].a_line)) == NULL) {
		evhttp_send_reply(req, 404, "Not Found", NULL);
		evbuffer_free(out);
		return;
	}
	if (c->c_times > 0)
		c->c_times--;
	if (c->c_status == 0) {
		evbuffer_free(out);
		evhttp_connection_free(evhttp_request_get_connection(req));
		return;
	}
	if (c->c_header[0] != '\0')
		evhttp_add_header(evhttp_request_get_output_headers(req),
		    c->c_header, c->c_value);
	evbuffer_add(out, c->c_body, strlen(c->c_body));
	evhttp_send_reply(req, c->c_status, "As said", out);
	evbuffer_free(out);
}

static struct canned *
answer(const char *match, int status, const char *body)
{
	struct canned *c = &canned[ncanned++];

	ck_assert_uint_le(ncanned, CANNED_MAX);
	memset(c, 0, sizeof(*c));
	(void)strlcpy(c->c_match, match, sizeof(c->c_match));
	c->c_status = status;
	c->c_times = -1;
	c->c_body = strdup(body);
	return (c);
}

__attribute__((unused)) static void
answer_header(struct canned *c, const char *name, const char *value)
{
	(void)strlcpy(c->c_header, name, sizeof(c->c_header));
	(void)strlcpy(c->c_value, value, sizeof(c->c_value));
}

/* How often the server was asked what begins so. */
__attribute__((unused)) static size_t
count_asked(const char *match)
{
	size_t i, n = 0;

	for (i = 0; i < nasked; i++)
		n += strncmp(asked[i].a_line, match, strlen(match)) == 0;
	return (n);
}

__attribute__((unused)) static const struct asked *
asked_last(const char *match)
{
	size_t i;

	for (i = nasked; i > 0; i--)
		if (strncmp(asked[i - 1].a_line, match, strlen(match)) == 0)
			return (&asked[i - 1]);
	ck_abort_msg("nobody asked %s", match);
}

/* As if it had come from the parent. */
__attribute__((unused)) static void
give_project(const struct orch_child_project *m)
{
	union orch_any any;
	const char *field;
	uint8_t *frame;
	size_t len;

	ck_assert_int_eq(orch_encode(ORCH_child_project, 0, m, &frame, &len,
	    &field), 0);
	ck_assert_int_eq(orch_decode(ORCH_child_project, frame +
	    ORCH_HEADER_SIZE, len - ORCH_HEADER_SIZE, ORCH_EXACT, &any,
	    &field), 0);
	project_given(&any.child_project);
	free(frame);
}

/* --- the engine --- */

static int
world_ack(uint32_t id, const struct orch_ack *m)
{
	return (outbox_ack(id, m) || tell_ack(id, m) || forge_ack(id, m));
}

/* Answer what it was told; lists are the test's. */
static void
engine_answers(void)
{
	struct orch_ack m = { .result = (uint8_t)result, .text = "" };
	size_t i;

	for (i = 0; !hold && !away && i < nsent; i++)
		if (!sent[i].s_acked && sent[i].s_type != ORCH_outbox_next &&
		    sent[i].s_type != ORCH_watch_list) {
			sent[i].s_acked = 1;
			(void)world_ack(sent[i].s_id, &m);
		}
}

__attribute__((unused)) static size_t
count_sent(unsigned int type)
{
	size_t i, n = 0;

	for (i = 0; i < nsent; i++)
		n += sent[i].s_type == type;
	return (n);
}

/* Alerts of a kind that were raised, or cleared. */
__attribute__((unused)) static size_t
count_alerts(const char *kind, int on)
{
	size_t i, n = 0;

	for (i = 0; i < nsent; i++)
		n += sent[i].s_type == ORCH_notice &&
		    sent[i].s_any.notice.on == on &&
		    strcmp(sent[i].s_any.notice.kind, kind) == 0;
	return (n);
}

/* The last message of a type. */
__attribute__((unused)) static const union orch_any *
sent_last(unsigned int type)
{
	size_t i;

	for (i = nsent; i > 0; i--)
		if (sent[i - 1].s_type == type)
			return (&sent[i - 1].s_any);
	ck_abort_msg("the engine was not sent %u", type);
}

static void
forget_sent(void)
{
	size_t i;

	for (i = 0; i < nsent; i++)
		free(sent[i].s_frame);
	nsent = 0;
}

static void
forget_asked(void)
{
	while (nasked > 0)
		free(asked[--nasked].a_body);
}

/* Let it run until nothing more happens for a while, or until cond. */
static void
turn(void)
{
	struct timeval tv = { 0, 5000 };

	(void)event_base_loopexit(base, &tv);
	(void)event_base_dispatch(base);
	engine_answers();
}

#define RUN_UNTIL(cond) do {						\
	struct monotime end_ = monotime_add_ms(monotime_now(), 8000);	\
									\
	while (!(cond)) {						\
		ck_assert_msg(monotime_cmp(monotime_now(), end_) < 0,	\
		    "waited for %s", #cond);				\
		turn();							\
	}								\
} while (0)

__attribute__((unused)) static void
run_for(int64_t ms)
{
	struct monotime end = monotime_add_ms(monotime_now(), ms);

	while (monotime_cmp(monotime_now(), end) < 0)
		turn();
}

/* Until nobody has asked or said anything for a while, on a slow machine too. */
__attribute__((unused)) static void
quiet(void)
{
	size_t before, still;

	for (still = 0; still < 12; still++) {
		before = nasked + nsent;
		turn();
		if (nasked + nsent != before)
			still = 0;
	}
}

/* The last list of the outbox that was asked for a destination. */
__attribute__((unused)) static uint32_t
outbox_list(const char *dest)
{
	size_t i;

	for (i = nsent; i > 0; i--)
		if (sent[i - 1].s_type == ORCH_outbox_next && strcmp(
		    sent[i - 1].s_any.outbox_next.dest, dest) == 0)
			return (sent[i - 1].s_id);
	ck_abort_msg("no list of %s", dest);
}

/* How the row ended: 1, 0, or -1 while it has not. */
__attribute__((unused)) static int
row_end(uint64_t id)
{
	size_t i;

	for (i = nsent; i > 0; i--)
		if (sent[i - 1].s_type == ORCH_outbox_done &&
		    sent[i - 1].s_any.outbox_done.id == id)
			return (sent[i - 1].s_any.outbox_done.ok);
	return (-1);
}

/* --- its life --- */

static void
world_setup(void)
{
	struct evhttp_bound_socket *s;
	struct sockaddr_in sin;
	socklen_t len = sizeof(sin);

	ck_assert_int_eq(curl_global_init(CURL_GLOBAL_DEFAULT), 0);
	base = event_base_new();
	server = evhttp_new(base);
	evhttp_set_allowed_methods(server, EVHTTP_REQ_GET | EVHTTP_REQ_POST |
	    EVHTTP_REQ_PATCH);
	s = evhttp_bind_socket_with_handle(server, "127.0.0.1", 0);
	ck_assert_ptr_nonnull(s);
	ck_assert_int_eq(getsockname(evhttp_bound_socket_get_fd(s),
	    (struct sockaddr *)&sin, &len), 0);
	snprintf(server_url, sizeof(server_url), "http://127.0.0.1:%u",
	    ntohs(sin.sin_port));
	evhttp_set_gencb(server, request_cb, NULL);
	nsent = nasked = ncanned = 0;
	away = hold = 0;
	made = NULL;
	result = RES_OK;
	ck_assert_int_eq(remote_start(), 0);
	ck_assert_int_eq(outbox_start(), 0);
}

__attribute__((unused)) static void
engine_up(void)
{
	struct project *p;

	tell_engine_up();
	outbox_engine_up();
	TAILQ_FOREACH(p, &projects, p_entry) {
		if (p->p_tracker != NULL)
			tracker_engine_up(p);
		if (p->p_forge != NULL)
			forge_engine_up(p);
	}
}

static void
world_teardown(void)
{
	size_t i;

	away = 1;
	project_stop();
	remote_stop();
	outbox_stop();
	tell_stop();
	evhttp_free(server);
	event_base_free(base);
	curl_global_cleanup();
	forget_sent();
	forget_asked();
	for (i = 0; i < ncanned; i++)
		free(canned[i].c_body);
}

#endif
