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
			word = "stored";
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

void
hook_gitea(struct site *st, struct conn *cn, const struct request *rq)
{
	struct gitea_event ev;
	struct wait *w;
	const char *why;
	char label[256];
	int status;

	status = gitea_judge(&st->st_gitea, &rq->rq_head, rq->rq_body,
	    (size_t)rq->rq_head.ht_length, &ev, &why);
	if (status != 0) {
		refuse(cn, status, why);
		return;
	}
	(void)snprintf(label, sizeof(label), "%s: gitea delivery %s (%s)",
	    rq->rq_peer, ev.ge_delivery, ev.ge_kind);
	if ((w = site_wait(cn, label, ev.ge_kind)) == NULL) {
		gitea_event_free(&ev);
		refuse(cn, 503, "out of memory");
		return;
	}
	/* The body is the question's from here on. */
	w->w_ask = ask_event(st->st_asks, "gitea", ev.ge_delivery, ev.ge_kind,
	    ev.ge_sha256, ev.ge_body, ev.ge_len, stored_cb, w);
	if (w->w_ask == NULL) {
		site_wait_free(w);
		refuse(cn, 503, "out of memory");
	}
}
