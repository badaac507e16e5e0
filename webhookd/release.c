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

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accept.h"
#include "ask.h"
#include "http.h"
#include "libcommon/monotime.h"
#include "route.h"
#include "server.h"
#include "site.h"

#define ITEM_MAX	64	/* of struct orch_action */

struct order {
	char	or_item[ITEM_MAX + 1];
	int	or_force;
};

/* Answer with {"status": text} or {"error": text}; the text may be anything. */
static void
reply(struct conn *cn, int status, const char *text, uint32_t wait_s,
    const char *why)
{
	char headers[512], *body;
	struct reply rp;
	json_t *root;
	int n;

	n = snprintf(headers, sizeof(headers), "%s%s", SITE_PAGE_HEADERS,
	    status == 401 ? "WWW-Authenticate: Bearer realm=\"orchd\"\r\n" :
	    "");
	if (wait_s > 0 && n > 0 && (size_t)n < sizeof(headers))
		(void)snprintf(headers + n, sizeof(headers) - (size_t)n,
		    "Retry-After: %u\r\n", (unsigned int)wait_s);
	memset(&rp, 0, sizeof(rp));
	root = json_pack("{s:s}", status == 200 ? "status" : "error", text);
	body = root != NULL ? json_dumps(root, JSON_COMPACT |
	    JSON_ENSURE_ASCII) : NULL;
	json_decref(root);
	rp.rp_status = status;
	rp.rp_type = "application/json";
	rp.rp_body = body;
	rp.rp_len = body != NULL ? strlen(body) : 0;
	rp.rp_headers = headers;
	rp.rp_why = why;
	server_reply(cn, &rp);
	free(body);
}

static int
is_item(struct http_slice v)
{
	size_t i;

	if (v.sl_n == 0 || v.sl_n > ITEM_MAX)
		return (0);
	for (i = 0; i < v.sl_n; i++)
		if (!((v.sl_s[i] >= 'a' && v.sl_s[i] <= 'z') ||
		    (v.sl_s[i] >= 'A' && v.sl_s[i] <= 'Z') ||
		    (v.sl_s[i] >= '0' && v.sl_s[i] <= '9') ||
		    (i > 0 && (v.sl_s[i] == '-' || v.sl_s[i] == '_'))))
			return (0);
	return (1);
}

/* One NAME=VALUE, each name at most once.  NULL, or what is wrong. */
static const char *
take_parameter(struct http_slice par, struct order *o, int *forced)
{
	struct http_slice name = par, value;
	const char *eq;

	if (par.sl_n == 0 || (eq = memchr(par.sl_s, '=', par.sl_n)) == NULL)
		return ("the query is work_item=ID, and force=1 or not");
	name.sl_n = (size_t)(eq - par.sl_s);
	value.sl_s = eq + 1;
	value.sl_n = par.sl_n - name.sl_n - 1;
	if (http_slice_is(name, "work_item")) {
		if (o->or_item[0] != '\0')
			return ("work_item comes twice");
		if (!is_item(value))
			return ("work_item is not the id of an item");
		memcpy(o->or_item, value.sl_s, value.sl_n);
		o->or_item[value.sl_n] = '\0';
		return (NULL);
	}
	if (!http_slice_is(name, "force"))
		return ("work_item and force are all that there is");
	if ((*forced)++)
		return ("force comes twice");
	o->or_force = http_slice_is(value, "1");
	return (o->or_force || http_slice_is(value, "0") ? NULL :
	    "force is 0 or 1");
}

/* What is asked, from the bytes as they are; NULL, or what is wrong. */
static const char *
read_order(struct http_slice target, struct order *o)
{
	size_t path = route_bare(target).sl_n;
	const char *amp, *why;
	struct http_slice rest, par;
	int forced = 0;

	memset(o, 0, sizeof(*o));
	rest.sl_s = target.sl_s + path + 1;
	rest.sl_n = target.sl_n > path ? target.sl_n - path - 1 : 0;
	while (rest.sl_n > 0) {
		par = rest;
		if ((amp = memchr(rest.sl_s, '&', rest.sl_n)) != NULL)
			par.sl_n = (size_t)(amp - rest.sl_s);
		if ((why = take_parameter(par, o, &forced)) != NULL)
			return (why);
		rest.sl_s += par.sl_n;
		rest.sl_n -= par.sl_n;
		if (amp != NULL) {
			rest.sl_s++;
			if (--rest.sl_n == 0)
				return ("the query ends with &");
		}
	}
	return (o->or_item[0] == '\0' ? "which item? work_item=ID says it" :
	    NULL);
}

static void
away(struct conn *cn, const struct ask_answer *aa)
{
	reply(cn, 503, aa->aa_lost ? "orchd went away before it answered: "
	    "whether the lease was released is not known; look with orchctl "
	    "lease before asking again" : "orchd does not answer and was not "
	    "asked; try again in a few seconds", 5, "the engine is away");
}

static void
released_cb(const struct ask_answer *aa, void *arg)
{
	struct wait *w = arg;
	struct throttle *th = &w->w_site->st_throttle;
	struct conn *cn = w->w_conn;
	struct addr from = w->w_addr;

	site_wait_free(w);
	if (!aa->aa_away && aa->aa_result == RES_DENIED) {
		reply(cn, 401, "the administrator's token is needed: "
		    "Authorization: Bearer TOKEN", 0, "token refused");
		return;
	}
	if (aa->aa_away || aa->aa_result == RES_RETRY)
		throttle_undo(th, &from);
	else
		throttle_right(th, &from);
	if (aa->aa_away)
		away(cn, aa);
	else if (aa->aa_result == RES_OK)
		reply(cn, 200, aa->aa_text, 0, NULL);
	else if (aa->aa_result == RES_NOTFOUND)
		reply(cn, 404, aa->aa_text, 0, "no such item or no token");
	else if (aa->aa_result == RES_REFUSED)
		reply(cn, 409, aa->aa_text, 0, "the lease is not released");
	else if (aa->aa_result == RES_RETRY)
		reply(cn, 503, "orchd cannot store it now; nothing was done",
		    5, "not stored");
	else
		reply(cn, 500, "orchd gave no answer that is known here", 0,
		    "an unknown answer");
}

/* -1: without memory, and nothing was asked. */
static int
ask(struct site *st, struct conn *cn, const struct request *rq,
    const struct order *o, const char *token)
{
	struct wait *w;

	if ((w = site_wait(cn, o->or_item, "release")) == NULL)
		return (-1);
	w->w_site = st;
	w->w_addr = *rq->rq_addr;
	throttle_try(&st->st_throttle, rq->rq_addr, monotime_now());
	w->w_ask = ask_release(st->st_asks, o->or_item, o->or_force, token,
	    rq->rq_peer, released_cb, w);
	if (w->w_ask != NULL)
		return (0);
	throttle_undo(&st->st_throttle, rq->rq_addr);
	site_wait_free(w);
	return (-1);
}

/*
 * A person takes a lease away.  Nothing that a browser adds by itself
 * counts as a permission, so that no foreign page can order it.
 */
void
release_post(struct site *st, struct conn *cn, const struct request *rq)
{
	char token[SITE_TOKEN_MAX + 1];
	const char *why;
	struct order o;
	uint32_t s;

	if ((s = throttle_wait(&st->st_throttle, rq->rq_addr,
	    monotime_now())) > 0) {
		reply(cn, 429, "too many wrong tokens from this address", s,
		    "a pause after wrong tokens");
		return;
	}
	if (!auth_same_site(&rq->rq_head)) {
		reply(cn, 403, "this comes from a page of another site", 0,
		    "another site's page");
		return;
	}
	if ((why = read_order(rq->rq_head.ht_target, &o)) != NULL) {
		reply(cn, 400, why, 0, why);
		return;
	}
	/* What is no token at all is refused, and counted, by the engine. */
	if (auth_bearer(&rq->rq_head, token, sizeof(token)) == -1)
		token[0] = '\0';
	if (ask(st, cn, rq, &o, token) == -1)
		reply(cn, 503, "out of memory", 5, "out of memory");
	explicit_bzero(token, sizeof(token));
}
