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

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include <jansson.h>

#include "answer.h"
#include "gitea.h"
#include "isotime.h"

static int
repo_valid(const char *repo)
{
	static const char ok[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789-._";
	size_t n = strspn(repo, ok), m;

	if (n == 0 || repo[n] != '/')
		return (0);
	m = strspn(repo + n + 1, ok);
	return (m > 0 && repo[n + 1 + m] == '\0' && repo[0] != '.' &&
	    repo[n + 1] != '.');
}

int
gitea_url(char *buf, size_t len, const char *base, const char *repo,
    const char *fmt, ...)
{
	size_t slash = strlen(base);
	va_list ap;
	int n, m;

	if (!repo_valid(repo))
		return (-1);
	while (slash > 0 && base[slash - 1] == '/')
		slash--;
	n = snprintf(buf, len, "%.*s/api/v1/repos/%s", (int)slash, base,
	    repo);
	if (n < 0 || (size_t)n >= len)
		return (-1);
	va_start(ap, fmt);
	m = vsnprintf(buf + n, len - (size_t)n, fmt, ap);
	va_end(ap);
	return (m < 0 || (size_t)m >= len - (size_t)n ? -1 : 0);
}

int
gitea_auth(char *buf, size_t len, const char *token)
{
	int n = snprintf(buf, len, "Authorization: token %s", token);

	return (n < 0 || (size_t)n >= len ? -1 : 0);
}

/* What does not fit is no name of ours: refused like what is no text. */
static int
text_of(json_t *o, const char *name, char *buf, size_t len, char *err,
    size_t errlen)
{
	return (answer_text(o, name, buf, len, err, errlen) == 0 ? 0 : -1);
}

/* "owner:branch" or "branch". */
static const char *
label_branch(const char *label)
{
	const char *colon = strchr(label, ':');

	return (colon == NULL ? label : colon + 1);
}

static int
head_read(json_t *head, struct gitea_pull *gp, char *err, size_t errlen)
{
	char label[GITEA_NAME];

	if (text_of(head, "ref", gp->gp_branch, sizeof(gp->gp_branch), err,
	    errlen) == -1 || text_of(head, "sha", gp->gp_head,
	    sizeof(gp->gp_head), err, errlen) == -1 || text_of(head, "label",
	    label, sizeof(label), err, errlen) == -1)
		return (-1);
	/* The branch is gone: only the label keeps its name. */
	if (strncmp(gp->gp_branch, "refs/pull/", 10) == 0)
		(void)strlcpy(gp->gp_branch, label_branch(label),
		    sizeof(gp->gp_branch));
	return (0);
}

/* What is no number, as when a fork was deleted, is no repository of ours. */
static int
same_repo(json_t *head, json_t *base)
{
	json_int_t id = json_integer_value(json_object_get(head, "repo_id"));

	return (id > 0 && id == json_integer_value(json_object_get(base,
	    "repo_id")));
}

static int
pull_fill(json_t *o, struct gitea_pull *gp, char *err, size_t errlen)
{
	json_t *head = json_object_get(o, "head");
	json_t *base = json_object_get(o, "base");
	json_t *number = json_object_get(o, "number");
	char state[16];

	memset(gp, 0, sizeof(*gp));
	if (!json_is_object(head) || !json_is_object(base) ||
	    !json_is_integer(number) || json_integer_value(number) <= 0) {
		(void)snprintf(err, errlen, "the answer is no pull request");
		return (-1);
	}
	gp->gp_number = (uint64_t)json_integer_value(number);
	if (head_read(head, gp, err, errlen) == -1 ||
	    text_of(base, "ref", gp->gp_target, sizeof(gp->gp_target), err,
	    errlen) == -1 ||
	    text_of(o, "state", state, sizeof(state), err, errlen) == -1 ||
	    text_of(o, "merge_commit_sha", gp->gp_landed,
	    sizeof(gp->gp_landed), err, errlen) == -1 ||
	    text_of(o, "html_url", gp->gp_page, sizeof(gp->gp_page), err,
	    errlen) == -1)
		return (-1);
	if (text_of(json_object_get(o, "user"), "login", gp->gp_author,
	    sizeof(gp->gp_author), err, errlen) == -1)
		return (-1);
	gp->gp_foreign = !same_repo(head, base);
	gp->gp_state = json_is_true(json_object_get(o, "merged")) ?
	    GITEA_MERGED : strcmp(state, "open") == 0 ? GITEA_OPEN :
	    GITEA_CLOSED;
	if (gp->gp_state != GITEA_MERGED)
		gp->gp_landed[0] = '\0';
	return (0);
}

int
gitea_pull_read(const char *body, size_t len, struct gitea_pull *gp,
    char *err, size_t errlen)
{
	json_t *j;
	int r;

	if ((j = answer_read(body, len, err, errlen)) == NULL)
		return (-1);
	r = pull_fill(j, gp, err, errlen);
	json_decref(j);
	return (r);
}

/* The rows of a list; NULL, with j freed, when it is none. */
static json_t *
load_list(const char *body, size_t len, size_t *rows, char *err,
    size_t errlen)
{
	json_t *j;

	*rows = 0;
	if ((j = answer_read(body, len, err, errlen)) == NULL)
		return (NULL);
	if (!json_is_array(j)) {
		(void)snprintf(err, errlen, "the answer is no list");
		json_decref(j);
		return (NULL);
	}
	*rows = json_array_size(j);
	return (j);
}

int
gitea_pulls_find(const char *body, size_t len, const char *branch,
    const char *target, struct gitea_pull *gp, size_t *rows, char *err,
    size_t errlen)
{
	json_t *j, *o;
	size_t i;
	int r = 0;

	if ((j = load_list(body, len, rows, err, errlen)) == NULL)
		return (-1);
	for (i = 0; r == 0 && i < *rows; i++) {
		o = json_array_get(j, i);
		if (!json_is_object(o)) {
			(void)snprintf(err, errlen, "the answer is no list "
			    "of pull requests");
			r = -1;
		} else
			r = pull_fill(o, gp, err, errlen) == 0 &&
			    !gp->gp_foreign &&
			    strcmp(gp->gp_branch, branch) == 0 &&
			    strcmp(gp->gp_target, target) == 0;
	}
	json_decref(j);
	return (r);
}

int
gitea_pulls_each(const char *body, size_t len, size_t *rows,
    void (*fn)(const struct gitea_pull *, void *), void *arg, char *err,
    size_t errlen)
{
	struct gitea_pull gp;
	char wrong[128];
	json_t *j;
	size_t i;

	if ((j = load_list(body, len, rows, err, errlen)) == NULL)
		return (-1);
	for (i = 0; i < *rows; i++)
		if (pull_fill(json_array_get(j, i), &gp, wrong,
		    sizeof(wrong)) == 0)
			fn(&gp, arg);
	json_decref(j);
	return (0);
}

static int
server_url(char *buf, size_t len, const char *base, const char *what)
{
	size_t slash = strlen(base);
	int n;

	while (slash > 0 && base[slash - 1] == '/')
		slash--;
	n = snprintf(buf, len, "%.*s/api/v1/%s", (int)slash, base, what);
	return (n < 0 || (size_t)n >= len ? -1 : 0);
}

int
gitea_me_url(char *buf, size_t len, const char *base)
{
	return (server_url(buf, len, base, "user"));
}

int
gitea_version_url(char *buf, size_t len, const char *base)
{
	return (server_url(buf, len, base, "version"));
}

int
gitea_me_read(const char *body, size_t len, char login[GITEA_LOGIN],
    char *err, size_t errlen)
{
	json_t *j;
	int r;

	if ((j = answer_read(body, len, err, errlen)) == NULL)
		return (-1);
	r = text_of(j, "login", login, GITEA_LOGIN, err, errlen);
	if (r == 0 && login[0] == '\0') {
		(void)snprintf(err, errlen, "the answer is no user");
		r = -1;
	}
	json_decref(j);
	return (r);
}

/*
 * 1 when it is a judgement of somebody who may judge, or one taken back.  A
 * later review of the same person takes the earlier one back.
 */
static int
review_fill(json_t *o, struct gitea_review *gr)
{
	char state[32], when[40], err[64];
	const char *text = json_string_value(json_object_get(o, "body"));
	json_t *id = json_object_get(o, "id");

	memset(gr, 0, sizeof(*gr));
	if (!json_is_integer(id) || json_integer_value(id) <= 0 ||
	    text_of(o, "state", state, sizeof(state), err, sizeof(err)) ==
	    -1 || text_of(json_object_get(o, "user"), "login", gr->gr_author,
	    sizeof(gr->gr_author), err, sizeof(err)) == -1 ||
	    text_of(o, "commit_id", gr->gr_commit, sizeof(gr->gr_commit),
	    err, sizeof(err)) == -1 ||
	    text_of(o, "submitted_at", when, sizeof(when), err,
	    sizeof(err)) == -1)
		return (0);
	gr->gr_id = (uint64_t)json_integer_value(id);
	gr->gr_text = text == NULL ? "" : text;
	if (json_integer_value(json_object_get(o, "comments_count")) > 0)
		gr->gr_comments = (unsigned int)json_integer_value(
		    json_object_get(o, "comments_count"));
	gr->gr_approved = strcmp(state, "APPROVED") == 0;
	gr->gr_dismissed = json_is_true(json_object_get(o, "dismissed"));
	(void)isotime_ms(when, &gr->gr_at_ms);
	if (!gr->gr_dismissed && !json_is_true(json_object_get(o,
	    "official")))
		return (0);
	return (gr->gr_approved || strcmp(state, "REQUEST_CHANGES") == 0);
}

int
gitea_reviews_each(const char *body, size_t len, size_t *rows,
    void (*fn)(const struct gitea_review *, void *), void *arg, char *err,
    size_t errlen)
{
	struct gitea_review gr;
	json_t *j;
	size_t i;

	if ((j = load_list(body, len, rows, err, errlen)) == NULL)
		return (-1);
	for (i = 0; i < *rows; i++)
		if (review_fill(json_array_get(j, i), &gr))
			fn(&gr, arg);
	json_decref(j);
	return (0);
}

void
gitea_review_words(const char *body, size_t len, char *buf, size_t buflen)
{
	const char *path, *words;
	json_int_t line;
	json_t *j, *o;
	char *one, err[64];
	size_t i, n;

	if ((j = load_list(body, len, &n, err, sizeof(err))) == NULL)
		return;
	for (i = 0; i < n; i++) {
		o = json_array_get(j, i);
		path = json_string_value(json_object_get(o, "path"));
		words = json_string_value(json_object_get(o, "body"));
		if (path == NULL || words == NULL || json_is_object(
		    json_object_get(o, "resolver")))
			continue;
		/* A line that is gone has a number in the old file only. */
		if ((line = json_integer_value(json_object_get(o,
		    "position"))) <= 0)
			line = json_integer_value(json_object_get(o,
			    "original_position"));
		if (asprintf(&one, "%s%s:%lld: %s", buf[0] == '\0' ? "" : "\n",
		    path, (long long)line, words) == -1)
			break;
		if (strlen(buf) + strlen(one) < buflen)
			(void)strlcat(buf, one, buflen);
		free(one);
	}
	json_decref(j);
}

char *
gitea_pull_body(const char *branch, const char *target, const char *title,
    const char *text)
{
	return (answer_write(json_pack("{ssssssss}", "head", branch, "base",
	    target, "title", title, "body", text)));
}

/* The spelling that every version understands. */
char *
gitea_merge_body(const char *method, const char *head)
{
	return (answer_write(json_pack("{ssss}", "Do", method, "head_commit_id",
	    head)));
}

char *
gitea_status_body(const char *state, const char *context,
    const char *description, const char *page)
{
	return (answer_write(json_pack("{ssssssss}", "state", state, "context",
	    context, "description", description, "target_url", page)));
}

int
gitea_comments_have(const char *body, size_t len, const char *text, char *err,
    size_t errlen)
{
	const char *said;
	json_t *j;
	size_t i, rows;
	int r = 0;

	if ((j = load_list(body, len, &rows, err, errlen)) == NULL)
		return (-1);
	for (i = 0; r == 0 && i < rows; i++) {
		said = json_string_value(json_object_get(json_array_get(j, i),
		    "body"));
		r = said != NULL && strstr(said, text) != NULL;
	}
	json_decref(j);
	return (r);
}

char *
gitea_comment_body(const char *text)
{
	return (answer_write(json_pack("{ss}", "body", text)));
}

void
gitea_said(long status, const char *body, size_t len, char *buf,
    size_t buflen)
{
	static const char *const names[] = { "message", NULL };

	if (status >= 300 && status < 400)
		(void)snprintf(buf, buflen, "HTTP %ld: it has moved, and no "
		    "redirect is followed", status);
	else
		answer_said(status, body, len, names, buf, buflen);
}

static int
has(const char *text, const char *words)
{
	return (strcasestr(text, words) != NULL);
}

/* 405: merged already, not ready, protected, or never. */
static enum gitea_merge
merge_405(const char *said)
{
	/* Up to 1.23 and in Forgejo "merged already" has no words. */
	if (strcmp(said, "HTTP 405") == 0 || has(said, "already merged"))
		return (GITEA_MERGE_UNKNOWN);
	if (has(said, "try again later"))
		return (GITEA_MERGE_LATER);
	if (has(said, "required status checks") || has(said, "approvals") ||
	    has(said, "requested changes") || has(said, "reviews") ||
	    has(said, "review requests"))
		return (GITEA_MERGE_BLOCKED);
	/* It names the style, "fast-forward-only" among them. */
	if (has(said, "merge style"))
		return (GITEA_MERGE_NO);
	if (has(said, "behind the base") || has(said, "fast-forward") ||
	    has(said, "diverg"))
		return (GITEA_MERGE_STALE);
	return (GITEA_MERGE_NO);
}

/*
 * A conflict of the server's own git has no "message": it names the style and
 * what git said, which may be long and is the server's to show.
 */
static int
merge_conflicts(const char *body, size_t len, char *said, size_t saidlen)
{
	char err[64], style[32];
	json_t *j;
	int r;

	if ((j = answer_read(body, len, err, sizeof(err))) == NULL)
		return (0);
	r = json_object_get(j, "message") == NULL && text_of(j, "Style",
	    style, sizeof(style), err, sizeof(err)) == 0;
	json_decref(j);
	if (r)
		(void)strlcpy(said, "the forge finds a conflict", saidlen);
	return (r);
}

enum gitea_merge
gitea_merge_answer(long status, const char *body, size_t len, char *said,
    size_t saidlen)
{
	gitea_said(status, body, len, said, saidlen);
	switch (status) {
	case 200:
		return (GITEA_MERGE_DONE);
	case 405:
		return (merge_405(said));
	case 409:
		/* Head or base moved, a hook refused, or a conflict. */
		return (merge_conflicts(body, len, said, saidlen) ?
		    GITEA_MERGE_CONFLICT : GITEA_MERGE_STALE);
	case 401:
	case 422:
	case 423:
		return (GITEA_MERGE_NO);
	default:
		/* 403, 404 and 500 may be a branch that was not deleted. */
		return (GITEA_MERGE_UNKNOWN);
	}
}

static int
is_red(const char *state)
{
	return (strcmp(state, "failure") == 0 || strcmp(state, "error") == 0 ||
	    strcmp(state, "warning") == 0);
}

/* A text of any length; "" when it is not there, NULL when it is no text. */
static const char *
any_text(json_t *o, const char *name)
{
	json_t *v = json_object_get(o, name);

	return (v == NULL || json_is_null(v) ? "" : json_string_value(v));
}

/* One line for people; left out when it does not fit. */
static void
check_line(json_t *o, const char *own, char *buf, size_t len)
{
	const char *context = any_text(o, "context");
	const char *state = any_text(o, "status");
	char what[256], link[512], err[64];
	size_t n = strlen(buf);
	int m;

	if (context == NULL || state == NULL || !is_red(state) ||
	    (own != NULL && strncmp(context, own, strlen(own)) == 0))
		return;
	if (text_of(o, "description", what, sizeof(what), err,
	    sizeof(err)) == -1 || what[0] == '\0')
		(void)strlcpy(what, state, sizeof(what));
	if (text_of(o, "target_url", link, sizeof(link), err, sizeof(err)) ==
	    -1)
		link[0] = '\0';
	m = link[0] != '\0' ? snprintf(buf + n, len - n, "%s: %s (%s)\n",
	    context, what, link) : snprintf(buf + n, len - n, "%s: %s\n",
	    context, what);
	if (m < 0 || (size_t)m >= len - n)
		buf[n] = '\0';
}

void
gitea_checks_text(const char *body, size_t len, const char *own, char *buf,
    size_t buflen)
{
	char err[64];
	json_t *j, *list;
	size_t i;

	if ((j = answer_read(body, len, err, sizeof(err))) == NULL)
		return;
	list = json_object_get(j, "statuses");
	for (i = 0; i < json_array_size(list); i++)
		check_line(json_array_get(list, i), own, buf, buflen);
	json_decref(j);
}

/* One status of one context, whose name a workflow may make very long. */
static int
check_add(struct gitea_checks *gc, json_t *o, const char *own, char *err,
    size_t errlen)
{
	const char *context = any_text(o, "context");
	const char *state = any_text(o, "status");

	if (context == NULL || state == NULL) {
		(void)snprintf(err, errlen, "a status without words");
		return (-1);
	}
	gc->gc_seen++;
	if (own != NULL && strncmp(context, own, strlen(own)) == 0)
		return (0);
	if (strcmp(state, "success") == 0 || strcmp(state, "skipped") == 0)
		gc->gc_green++;
	else if (is_red(state)) {
		if (gc->gc_red++ == 0)
			(void)strlcpy(gc->gc_first_red, context,
			    sizeof(gc->gc_first_red));
	} else
		gc->gc_pending++;
	return (0);
}

int
gitea_checks_add(struct gitea_checks *gc, const char *body, size_t len,
    int64_t all, const char *own, char *err, size_t errlen)
{
	json_t *j, *total, *list;
	size_t i;
	int r = 0;

	if ((j = answer_read(body, len, err, errlen)) == NULL)
		return (-1);
	total = json_object_get(j, "total_count");
	list = json_object_get(j, "statuses");
	if (!json_is_integer(total) || json_integer_value(total) < 0 ||
	    (list != NULL && !json_is_null(list) && !json_is_array(list))) {
		(void)snprintf(err, errlen, "the answer is no status of a "
		    "commit");
		r = -1;
	} else {
		if (all < json_integer_value(total))
			all = json_integer_value(total);
		if (gc->gc_total < (size_t)all)
			gc->gc_total = (size_t)all;
	}
	for (i = 0; r == 0 && i < json_array_size(list); i++)
		r = check_add(gc, json_array_get(list, i), own, err, errlen);
	json_decref(j);
	return (r);
}

enum gitea_ci
gitea_checks_state(const struct gitea_checks *gc)
{
	if (gc->gc_red > 0)
		return (GITEA_CI_RED);
	if (gc->gc_seen < gc->gc_total || gc->gc_pending > 0)
		return (GITEA_CI_PENDING);
	return (gc->gc_green > 0 ? GITEA_CI_GREEN : GITEA_CI_NONE);
}
