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

#ifndef TESTS_WEBHOOKD_SERVE_H
#define TESTS_WEBHOOKD_SERVE_H

/*
 * A webhookd inside the test: a server on loopback, an engine that answers
 * when it is told to, and a client, all on one loop.
 */

#include <sys/socket.h>

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "libcommon/sha256.h"
#include "webhookd/ask.h"
#include "webhookd/server.h"
#include "webhookd/site.h"

#define SECRET	"a secret of this test"
#define PUSH	"{\"ref\":\"refs/heads/main\",\"before\":\"a\",\"after\":" \
		"\"b\",\"repository\":{\"full_name\":\"o/r\"}}"
#define HOST	"Host: localhost\r\n"
#define ANSWER	(1 << 20)

static struct event_base *base;
static struct server *server;
static struct server_limits limits;
static struct site site;
static struct sockaddr_in where;
static SSL_CTX *tls;		/* NULL: plain */
static char got[ANSWER];	/* what the client was told */
static size_t got_len;

/* The engine of these tests: what it was asked, and whether it is there. */
static struct {
	int		away;
	uint32_t	id;
	int		asked;
	unsigned int	type;
	char		verb[64], token[64], delivery[200], kind[64];
	char		body[1024], sha256[80], project[64], object[64];
	int		loopback;
	char		item[80], from[80], args[80];
} engine;

/* An action's words, its arguments with a blank before each. */
static inline void
engine_action(const struct orch_action *m)
{
	const char *const *s;

	(void)snprintf(engine.verb, sizeof(engine.verb), "%s", m->verb);
	(void)snprintf(engine.token, sizeof(engine.token), "%s", m->token);
	(void)snprintf(engine.item, sizeof(engine.item), "%s", m->task);
	(void)snprintf(engine.from, sizeof(engine.from), "%s", m->text);
	engine.args[0] = '\0';
	for (s = m->args.l_argv; *s != NULL; s++)
		(void)snprintf(engine.args + strlen(engine.args),
		    sizeof(engine.args) - strlen(engine.args), " %s", *s);
}

static inline int
engine_send(unsigned int type, const void *msg, uint32_t *id)
{
	const struct orch_query *query = msg;
	const struct orch_event *event = msg;

	if (engine.away) {
		errno = ENOTCONN;
		return (-1);
	}
	engine.asked++;
	engine.type = type;
	*id = ++engine.id;
	if (type == ORCH_action) {
		engine_action(msg);
		return (0);
	}
	if (type == ORCH_query) {
		(void)snprintf(engine.verb, sizeof(engine.verb), "%s",
		    query->verb);
		(void)snprintf(engine.token, sizeof(engine.token), "%s",
		    query->token);
		engine.loopback = query->loopback;
		return (0);
	}
	(void)snprintf(engine.delivery, sizeof(engine.delivery), "%s",
	    event->delivery);
	(void)snprintf(engine.kind, sizeof(engine.kind), "%s", event->kind);
	(void)snprintf(engine.sha256, sizeof(engine.sha256), "%s",
	    event->sha256);
	(void)snprintf(engine.project, sizeof(engine.project), "%s",
	    event->project);
	(void)snprintf(engine.object, sizeof(engine.object), "%s",
	    event->object);
	(void)snprintf(engine.body, sizeof(engine.body), "%.*s",
	    (int)event->body.b_len, (const char *)event->body.b_data);
	return (0);
}

static inline int
engine_stores(uint8_t result)
{
	struct orch_header h = { .h_type = ORCH_event_answer,
	    .h_id = engine.id };
	union orch_any any = { .event_answer = { .result = result } };

	return (asks_message(site.st_asks, &h, &any));
}

/* What became of an action. */
static inline int
engine_says(uint8_t result, const char *text)
{
	struct orch_header h = { .h_type = ORCH_answer, .h_id = engine.id };
	union orch_any any;

	memset(&any, 0, sizeof(any));
	any.answer.result = result;
	any.answer.text = text;
	return (asks_message(site.st_asks, &h, &any));
}

static inline int
engine_answers(uint8_t result, const char *json, int more)
{
	struct orch_header h = { .h_type = ORCH_answer, .h_id = engine.id };
	union orch_any any;

	memset(&any, 0, sizeof(any));
	any.answer.result = result;
	any.answer.more = (uint8_t)more;
	any.answer.text = "";
	any.answer.json.b_data = (const uint8_t *)json;
	any.answer.json.b_len = strlen(json);
	return (asks_message(site.st_asks, &h, &any));
}

static inline long
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

static inline void
turn(long ms)
{
	long end = now_ms() + ms;

	do {
		event_base_loop(base, EVLOOP_NONBLOCK);
		usleep(500);
	} while (now_ms() < end);
}

static inline int
client(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&where,
	    sizeof(where)), 0);
	return (fd);
}

static inline void
say(int fd, const char *text)
{
	ck_assert_int_eq(send(fd, text, strlen(text), MSG_NOSIGNAL),
	    (ssize_t)strlen(text));
}

/*
 * Read until the other side ends, for at most ms.  1 at the end, 0 when it is
 * still open, -1 when it was reset.
 */
static inline int
hear(int fd, long ms)
{
	long end = now_ms() + ms;
	ssize_t n;

	got_len = 0;
	for (;;) {
		turn(1);
		n = recv(fd, got + got_len, sizeof(got) - 1 - got_len,
		    MSG_DONTWAIT);
		if (n > 0)
			got_len += (size_t)n;
		got[got_len] = '\0';
		if (n == 0)
			return (1);
		if (n == -1 && errno != EAGAIN)
			return (-1);
		if (n == -1 && now_ms() > end)
			return (0);
	}
}

static inline int
status(void)
{
	int n = 0;

	if (sscanf(got, "HTTP/1.1 %d ", &n) != 1)
		return (-1);
	return (n);
}

/* Send, and expect an answer with this status and then the end. */
static inline void
exchange(const char *text, int expected)
{
	int fd = client();

	say(fd, text);
	ck_assert_msg(hear(fd, 1000) == 1, "not closed: %s", text);
	ck_assert_msg(status() == expected, "%d, not %d: %s", status(),
	    expected, text);
	close(fd);
}

/* Send, and turn the loop until the engine was asked. */
static inline int
ask_with(const char *text)
{
	int fd = client(), before = engine.asked;

	say(fd, text);
	turn(20);
	ck_assert_int_eq(engine.asked, before + 1);
	return (fd);
}

static inline void
serve(enum orch_role role, int loopback, uint32_t hold_ms)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	socklen_t len = sizeof(where);
	int fd;

	ck_assert_int_eq(sigaction(SIGPIPE, &ignore, NULL), 0);
	base = event_base_new();
	memset(&where, 0, sizeof(where));
	where.sin_family = AF_INET;
	where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&where, len), 0);
	ck_assert_int_eq(listen(fd, 128), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&where, &len), 0);
	site.st_role = role;
	site.st_gitea.dc_secrets[0] = SECRET;
	site.st_asks = asks_new(base, hold_ms, engine_send);
	server = server_new(base, role, &limits, site_request, &site);
	ck_assert_ptr_nonnull(server);
	ck_assert_int_eq(server_listen(server, fd, loopback, tls), 0);
}

static inline void
setup(void)
{
	memset(&engine, 0, sizeof(engine));
	memset(&site, 0, sizeof(site));
	server_limits_default(&limits);
}

static inline void
teardown(void)
{
	server_free(server);
	asks_free(site.st_asks);
	if (base != NULL)
		event_base_free(base);
}

/* A signed delivery, whole. */
static inline const char *
delivery(const char *more_headers)
{
	static char text[4096];
	char mac[SHA256_HEX_SIZE];

	ck_assert_int_eq(hmac_sha256_hex(SECRET, strlen(SECRET), PUSH,
	    strlen(PUSH), mac), 0);
	(void)snprintf(text, sizeof(text), "POST /webhook/gitea HTTP/1.1\r\n"
	    HOST "Content-Type: application/json\r\nX-Gitea-Event: push\r\n"
	    "X-Gitea-Delivery: d-1\r\nContent-Length: %zu\r\n"
	    "X-Gitea-Signature: %s\r\n%s\r\n%s", strlen(PUSH), mac,
	    more_headers, PUSH);
	return (text);
}

#endif
