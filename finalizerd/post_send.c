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

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <bsd/sys/queue.h>

#include "libcommon/carry.h"
#include "libcommon/gitea.h"
#include "libcommon/http.h"

#include "finalizerd.h"

/*
 * One row of the outbox at Gitea or Forgejo.  A comment ends with a marker that
 * people do not see; a second delivery finds it.  A second status of the same
 * context takes the place of the first.
 */

#define COMMENTS_MAX	(32U << 20)	/* all of a pull request */
#define CONTEXT_MAX	200
#define DESCRIPTION_MAX	255

struct post {
	LIST_ENTRY(post) po_entry;
	struct http_loop *po_loop;
	char		*po_body;
	char		 po_url[2048];
	char		 po_auth[4200];
	char		 po_marker[200];	/* "": it is no comment */
	post_cb		 po_cb;
	void		*po_arg;
};

static LIST_HEAD(, post) posts = LIST_HEAD_INITIALIZER(posts);

static void	 post_made_cb(const struct http_reply *, void *);

static void
post_free(struct post *po)
{
	LIST_REMOVE(po, po_entry);
	free(po->po_body);
	freezero(po, sizeof(*po));
}

void
post_forget(void)
{
	struct post *po;

	while ((po = LIST_FIRST(&posts)) != NULL)
		post_free(po);
}

static void
post_over(struct post *po, enum post_end end, const char *why, int64_t wait)
{
	post_cb cb = po->po_cb;
	void *arg = po->po_arg;

	post_free(po);
	cb(end, why, wait, arg);
}

static int
post_http(struct post *po, const char *method, http_cb cb)
{
	const char *const headers[] = { po->po_auth,
	    "Content-Type: application/json", NULL };
	const int get = strcmp(method, "GET") == 0;
	struct http_request hr = { .hr_method = method, .hr_url = po->po_url,
	    .hr_headers = headers, .hr_body = get ? NULL : po->po_body,
	    .hr_len = get ? 0 : strlen(po->po_body), .hr_max = COMMENTS_MAX };

	return (http_loop_send(po->po_loop, &hr, cb, po));
}

/* What an answer that is not the one wanted means. */
static enum post_end
post_judge(long status, int64_t wait)
{
	switch (carry_judge(status, wait)) {
	case CARRY_LATER:
		return (POST_DOWN);
	case CARRY_REFUSED:
		return (POST_NEVER);
	case CARRY_DENIED:
		if (status == 401 || status == 403)
			return (POST_DENIED);
		break;
	case CARRY_TAKEN:
		break;
	}
	return (POST_REFUSED);
}

/* 1 when the answer is want; else the row has ended. */
static int
post_answered(struct post *po, const struct http_reply *hp, long want)
{
	char said[256];
	int64_t wait;

	if (hp->hp_end != HTTP_ANSWERED) {
		(void)strlcpy(said, hp->hp_err, sizeof(said));
		post_over(po, POST_DOWN, said, 0);
		return (0);
	}
	if (hp->hp_status == want)
		return (1);
	gitea_said(hp->hp_status, hp->hp_body == NULL ? "" : hp->hp_body,
	    hp->hp_len, said, sizeof(said));
	wait = http_wait_s(hp, -1);
	/* A commit that it does not have is an error of the server, it says. */
	if (hp->hp_status == 500 && po->po_marker[0] == '\0')
		post_over(po, POST_REFUSED, said, 0);
	else
		post_over(po, post_judge(hp->hp_status, wait), said, wait);
	return (0);
}

static void
post_looked_cb(const struct http_reply *hp, void *arg)
{
	struct post *po = arg;
	char err[128];

	if (!post_answered(po, hp, 200))
		return;
	switch (gitea_comments_have(hp->hp_body == NULL ? "" : hp->hp_body,
	    hp->hp_len, po->po_marker, err, sizeof(err))) {
	case 1:
		post_over(po, POST_DONE, "it is there already", 0);
		return;
	case 0:
		if (post_http(po, "POST", post_made_cb) == -1)
			post_over(po, POST_DOWN, "no memory", 0);
		return;
	default:
		post_over(po, POST_DOWN, err, 0);
	}
}

static void
post_made_cb(const struct http_reply *hp, void *arg)
{
	struct post *po = arg;

	if (post_answered(po, hp, 201))
		post_over(po, POST_DONE, "", 0);
}

/* --- what to say ---------------------------------------------------------- */

static int
comment_make(struct post *po, const struct post_job *pj, char *err,
    size_t errlen)
{
	char *text = NULL;
	int n;

	if (pj->pj_pull == 0) {
		(void)snprintf(err, errlen, "its pull request is not known "
		    "yet");
		return (-1);
	}
	n = snprintf(po->po_marker, sizeof(po->po_marker),
	    "<!-- orchd:%s -->", pj->pj_key);
	if (n < 0 || (size_t)n >= sizeof(po->po_marker) ||
	    gitea_url(po->po_url, sizeof(po->po_url), pj->pj_url,
	    pj->pj_repo, "/issues/%" PRIu64 "/comments", pj->pj_pull) == -1) {
		(void)snprintf(err, errlen, "no address can be made of it");
		return (-1);
	}
	if (asprintf(&text, "%s\n\n%s\n", pj->pj_text, po->po_marker) == -1)
		text = NULL;
	if (text != NULL)
		po->po_body = gitea_comment_body(text);
	free(text);
	if (po->po_body != NULL)
		return (0);
	(void)snprintf(err, errlen, "no comment can be made of its text");
	return (-1);
}

static int
status_make(struct post *po, const struct post_job *pj, char *err,
    size_t errlen)
{
	char state[16], context[CONTEXT_MAX], what[DESCRIPTION_MAX + 1];
	const char *nl = strchr(pj->pj_text, '\n');

	if (!git_oid_valid(pj->pj_commit) || sscanf(pj->pj_text,
	    "%15s %199s", state, context) != 2 ||
	    gitea_url(po->po_url, sizeof(po->po_url), pj->pj_url,
	    pj->pj_repo, "/statuses/%s", pj->pj_commit) == -1) {
		(void)snprintf(err, errlen, "it names no commit, state and "
		    "context");
		return (-1);
	}
	(void)strlcpy(what, nl == NULL ? "" : nl + 1, sizeof(what));
	/* A character that was cut in the middle. */
	while (what[0] != '\0' && strlen(what) == sizeof(what) - 1 &&
	    (what[strlen(what) - 1] & 0x80) != 0)
		what[strlen(what) - 1] = '\0';
	po->po_body = gitea_status_body(state, context, what, "");
	if (po->po_body != NULL)
		return (0);
	(void)snprintf(err, errlen, "no status can be made of its text");
	return (-1);
}

int
post_send(struct http_loop *loop, const struct post_job *pj, post_cb cb,
    void *arg, char *err, size_t errlen)
{
	const int comment = strcmp(pj->pj_kind, "comment") == 0;
	struct post *po;
	int r;

	if (!comment && strcmp(pj->pj_kind, "status") != 0) {
		(void)snprintf(err, errlen, "a forge takes no \"%.32s\"",
		    pj->pj_kind);
		return (-1);
	}
	if ((po = calloc(1, sizeof(*po))) == NULL) {
		(void)snprintf(err, errlen, "no memory");
		return (-1);
	}
	LIST_INSERT_HEAD(&posts, po, po_entry);
	po->po_loop = loop;
	po->po_cb = cb;
	po->po_arg = arg;
	r = comment ? comment_make(po, pj, err, errlen) :
	    status_make(po, pj, err, errlen);
	if (r == 0 && (r = gitea_auth(po->po_auth, sizeof(po->po_auth),
	    pj->pj_token)) == -1)
		(void)snprintf(err, errlen, "its token is too long");
	if (r == 0 && (r = comment ? post_http(po, "GET", post_looked_cb) :
	    post_http(po, "POST", post_made_cb)) == -1)
		(void)snprintf(err, errlen, "the request cannot be made");
	if (r == -1)
		post_free(po);
	return (r);
}
