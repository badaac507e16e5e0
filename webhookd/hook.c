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

#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "gitea.h"
#include "http.h"
#include "libcommon/log.h"
#include "plane.h"
#include "proto/roles.h"
#include "server.h"
#include "site.h"

/* The one answer to each kind of refusal; reasons are for our own log. */
static void
refuse(struct conn *cn, int status, const char *why)
{
	site_say(cn, status, http_reason(status), why);
}

/* The engine has said what became of the delivery. */
static void
stored_cb(const struct ask_answer *aa, void *arg)
{
	struct wait *w = arg;
	struct conn *cn = w->w_conn;
	const char *word = NULL;

	if (!aa->aa_away) {
		switch (aa->aa_result) {
		case RES_OK:
			word = strcmp(w->w_verb, "unknown") == 0 ? "ignored" :
			    "stored";
			break;
		case RES_DUPLICATE:
			word = "duplicate";
			break;
		case RES_NOTFOUND:
		case RES_REFUSED:
			word = "ignored";
			break;
		default:
			break;
		}
	}
	log_info("%s: %s%s%s", w->w_label, word != NULL ? word :
	    aa->aa_away ? "the engine is away" : "not stored",
	    aa->aa_text != NULL && *aa->aa_text != '\0' ? ": " : "",
	    aa->aa_text != NULL ? aa->aa_text : "");
	site_wait_free(w);
	if (word != NULL)
		site_say(cn, 200, word, NULL);
	else
		refuse(cn, 503, "delivery not stored");
}

/* Have an authentic delivery stored; its body is the question's from here. */
static void
hook_store(struct site *st, struct conn *cn, const struct request *rq,
    const char *source, struct delivery *dl)
{
	struct wait *w;
	char label[256];

	(void)snprintf(label, sizeof(label), "%s: %s delivery %s (%s)",
	    rq->rq_peer, source, dl->dl_id, dl->dl_kind);
	if ((w = site_wait(cn, label, dl->dl_kind)) == NULL) {
		delivery_free(dl);
		refuse(cn, 503, "out of memory");
		return;
	}
	if ((w->w_ask = ask_event(st->st_asks, source, dl, stored_cb, w)) ==
	    NULL) {
		site_wait_free(w);
		refuse(cn, 503, "out of memory");
	}
}

void
hook_gitea(struct site *st, struct conn *cn, const struct request *rq)
{
	struct delivery dl;
	const char *why;
	int status;

	status = gitea_judge(&st->st_gitea, &rq->rq_head, rq->rq_body,
	    (size_t)rq->rq_head.ht_length, &dl, &why);
	if (status != 0)
		refuse(cn, status, why);
	else
		hook_store(st, cn, rq, "gitea", &dl);
}

void
hook_plane(struct site *st, struct conn *cn, const struct request *rq)
{
	struct delivery dl;
	const char *why;
	int status;

	status = plane_judge(&st->st_plane, &rq->rq_head, rq->rq_body,
	    (size_t)rq->rq_head.ht_length, &dl, &why);
	if (status != 0)
		refuse(cn, status, why);
	else
		hook_store(st, cn, rq, "plane", &dl);
}
