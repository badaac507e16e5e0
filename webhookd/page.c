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

#include <event2/buffer.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "accept.h"
#include "ask.h"
#include "html.h"
#include "http.h"
#include "proto/roles.h"
#include "route.h"
#include "server.h"
#include "site.h"

/* Prometheus, exposition formats: version 0.0.4 of the text format. */
#define METRICS_TYPE	"text/plain; version=0.0.4; charset=utf-8"

static const char *
status_text(int status)
{
	switch (status) {
	case 401:
		return ("a token is needed: Authorization: Bearer TOKEN");
	case 404:
		return ("there is nothing by that name");
	case 503:
		return ("orchd does not answer; try again in a few seconds");
	default:
		return (http_reason(status));
	}
}

static int
status_of(const struct ask_answer *aa)
{
	if (aa->aa_away)
		return (503);
	switch (aa->aa_result) {
	case RES_OK:
		return (200);
	case RES_DENIED:
	case RES_FENCED:
		return (401);
	case RES_NOTFOUND:
		return (404);
	case RES_RETRY:
		return (503);
	default:
		return (500);
	}
}

/* The headers that go with a status and a form; "" when they do not fit. */
static void
compose_headers(char *buf, size_t len, int status, int html)
{
	const char *more = "";
	int n;

	if (status == 401)
		more = html ?
		    "WWW-Authenticate: Basic realm=\"orchd\", "
		    "charset=\"UTF-8\"\r\n" :
		    "WWW-Authenticate: Bearer realm=\"orchd\"\r\n";
	else if (status == 503)
		more = "Retry-After: 5\r\n";
	n = snprintf(buf, len, "%s%s%s%s%s", SITE_PAGE_HEADERS, more,
	    html ? "Content-Security-Policy: " : "",
	    html ? html_policy() : "", html ? "\r\n" : "");
	if (n < 0 || (size_t)n >= len)
		buf[0] = '\0';
}

static int
is_metrics(const char *verb)
{
	return (strcmp(verb, "metrics") == 0);
}

/* The text of {"text": ...}, which is the whole answer. */
static int
add_text(struct evbuffer *out, const char *json, size_t len)
{
	json_t *doc = json_loadb(json, len, JSON_REJECT_DUPLICATES, NULL);
	const char *text = json_string_value(json_object_get(doc, "text"));
	int bad;

	bad = text == NULL || evbuffer_add(out, text, strlen(text)) == -1;
	json_decref(doc);
	return (bad ? -1 : 0);
}

static void
compose(struct evbuffer *out, const char *verb, int html, int status,
    const char *json, size_t len)
{
	if (html && json != NULL)
		html_page(out, verb, json, len);
	else if (html)
		html_error(out, verb, status, status_text(status));
	else if (json != NULL)
		(void)evbuffer_add(out, json, len);
	else
		(void)evbuffer_add_printf(out, "{\"error\":\"%s\"}\n",
		    status_text(status));
}

/* Answer with the page or the JSON text; json is NULL unless status is 200. */
static void
answer(struct conn *cn, const char *verb, int html, int status,
    const char *json, size_t len, const char *why)
{
	int plain = json != NULL && is_metrics(verb);
	struct evbuffer *out;
	struct reply rp;
	char headers[768];

	if ((out = evbuffer_new()) == NULL) {
		site_say(cn, 503, "out of memory", "out of memory");
		return;
	}
	memset(&rp, 0, sizeof(rp));
	if (plain && add_text(out, json, len) == -1) {
		evbuffer_free(out);
		site_say(cn, 500, "no metrics", "no text of metrics");
		return;
	}
	if (!plain)
		compose(out, verb, html, status, json, len);
	compose_headers(headers, sizeof(headers), status, html);
	rp.rp_status = status;
	rp.rp_type = plain ? METRICS_TYPE : html ?
	    "text/html; charset=utf-8" : "application/json";
	rp.rp_headers = headers;
	rp.rp_why = why;
	rp.rp_len = evbuffer_get_length(out);
	if ((rp.rp_body = evbuffer_pullup(out, -1)) == NULL)
		rp.rp_len = 0;
	server_reply(cn, &rp);
	evbuffer_free(out);
}

static void
answered_cb(const struct ask_answer *aa, void *arg)
{
	struct wait *w = arg;
	struct conn *cn = w->w_conn;
	const char *verb = w->w_verb, *why = NULL;
	int html = w->w_html, status = status_of(aa);

	site_wait_free(w);
	if (status == 200 && aa->aa_json == NULL)
		status = 500;
	if (status != 200)
		why = aa->aa_away ? "the engine is away" :
		    status == 401 ? "token refused" : "the engine refuses";
	answer(cn, verb, html, status, status == 200 ? aa->aa_json : NULL,
	    aa->aa_json_len, why);
}

static const char *
verb_of(const struct route *rt)
{
	switch (rt->rt_id) {
	case ROUTE_QUEUE:
		return ("queue");
	case ROUTE_STATUS:
		return ("status");
	case ROUTE_METRICS:
		return ("metrics");
	case ROUTE_HEALTH:
	case ROUTE_HOOK_GITEA:
	case ROUTE_HOOK_PLANE:
	case ROUTE_RELEASE:
		break;
	}
	return ("health");
}

void
page_get(struct site *st, struct conn *cn, const struct request *rq)
{
	const char *verb = verb_of(rq->rq_route);
	char token[SITE_TOKEN_MAX + 1];
	int html, free_to_read, bad;
	struct wait *w;

	html = st->st_role == ROLE_PAGE && !is_metrics(verb) &&
	    accept_prefers_html(&rq->rq_head);
	/* Everybody may ask for health; it says nothing about the work. */
	free_to_read = strcmp(verb, "health") == 0 ||
	    (rq->rq_loopback && auth_is_local(&rq->rq_head));
	bad = auth_token(&rq->rq_head, token, sizeof(token));
	if (!free_to_read && (bad == -1 || token[0] == '\0')) {
		answer(cn, verb, html, 401, NULL, 0, "no token");
		return;
	}
	if ((w = site_wait(cn, verb, verb)) == NULL) {
		site_say(cn, 503, "out of memory", "out of memory");
		return;
	}
	w->w_html = html;
	w->w_ask = ask_query(st->st_asks, verb, free_to_read ? "" : token,
	    free_to_read, answered_cb, w);
	explicit_bzero(token, sizeof(token));
	if (w->w_ask == NULL) {
		site_wait_free(w);
		site_say(cn, 503, "out of memory", "out of memory");
	}
}
