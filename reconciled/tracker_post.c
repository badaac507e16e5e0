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
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include "libcommon/carry.h"
#include "libcommon/log.h"

#include "tracker.h"

/*
 * Statuses and comments of the outbox.  A comment carries its key, so a second
 * delivery is answered 409.  Before either the item is read: what a person has
 * set meanwhile is told before it is overwritten, and before our comment makes
 * it look newer than it is, since a comment counts as a change of its item.
 */

#define MISS_MS	10000

static void
post_free(struct post *po)
{
	free(po->po_key);
	free(po->po_text);
	free(po);
}

/* Done with it: the outbox hears how, and it is freed. */
static void
post_end(struct post *po, int ok, const char *why)
{
	outbox_settle(po->po_row, ok, why);
	post_free(po);
}

/* It was not tried. */
static void
post_later(struct post *po)
{
	outbox_later(po->po_row);
	post_free(po);
}

/* It will not be taken, as far as anybody knows. */
static void
post_never(struct post *po, enum orch_outbox_refused refused, const char *why)
{
	outbox_refuse(po->po_row, refused, why);
	post_free(po);
}

void
posts_fail(struct tracker *tk, const char *why)
{
	struct post *po;

	while ((po = TAILQ_FIRST(&tk->tk_posts)) != NULL) {
		TAILQ_REMOVE(&tk->tk_posts, po, po_entry);
		if (why != NULL)
			post_end(po, 0, why);
		else
			post_later(po);
	}
}

/* --- an item that is gone ------------------------------------------------- */

/*
 * The server does not know the item.  Nor does it know any while the project
 * is closed to the key, or something else answers in its place: it is gone
 * when the project's list comes after that.
 */
static int
is_gone(const struct post *po, const struct remote_answer *ra)
{
	return (!po->po_item_new && ra->ra_end == REMOTE_REFUSED &&
	    (ra->ra_status == 404 || ra->ra_status == 410));
}

static void
gone_row(const struct plane_item *pi, const char *wrong, void *arg)
{
}

static void
gone_cb(const struct remote_answer *ra, void *arg)
{
	struct post *po = arg;
	struct project *p = po->po_project;
	struct plane_cursor at = { .pc_next = "" };
	char err[160];

	if (p->p_gone)
		post_end(po, 0, "the project is not configured any more");
	else if (!ra->ra_asked)
		post_later(po);
	else if (ra->ra_end != REMOTE_OK)
		post_end(po, 0, ra->ra_why);
	else if (plane_items_each(ra->ra_body, ra->ra_len, &at, gone_row,
	    NULL, err, sizeof(err)) == -1)
		post_end(po, 0, err);
	else {
		/* Should it come back it is told anew. */
		tracker_forget(p->p_tracker, po->po_item);
		post_never(po, OUTBOX_GONE, po->po_status ? "the item is "
		    "gone from the tracker, or archived there" :
		    "the item is gone from the tracker");
	}
	project_unref(p);
}

static void
gone_ask(struct post *po, const char *why)
{
	struct tracker *tk = po->po_project->p_tracker;

	if (tracker_ask(tk, REMOTE_NOW, "GET", NULL, gone_cb, po,
	    "%s/?per_page=1", tk->tk_path) == -1)
		post_end(po, 0, why);
}

/* --- how it ends ---------------------------------------------------------- */

/* What an answer says when it is no success; 1 when it ended the row. */
static int
post_failed(struct post *po, const struct remote_answer *ra)
{
	if (po->po_project->p_gone) {
		post_end(po, 0, "the project is not configured any more");
		return (1);
	}
	if (ra->ra_end == REMOTE_OK)
		return (0);
	if (is_gone(po, ra))
		gone_ask(po, ra->ra_why);
	else if (ra->ra_end == REMOTE_REFUSED &&
	    carry_judge(ra->ra_status, 0) == CARRY_REFUSED)
		post_never(po, OUTBOX_REFUSED, ra->ra_why);
	else if (ra->ra_asked)
		post_end(po, 0, ra->ra_why);
	else
		post_later(po);
	return (1);
}

/* --- comments ------------------------------------------------------------- */

static void
comment_cb(const struct remote_answer *ra, void *arg)
{
	struct post *po = arg;
	struct project *p = po->po_project;
	char id[PLANE_ID], err[160];

	if (!p->p_gone && ra->ra_status == 409)
		post_end(po, 1, "");	/* it is there: an answer was lost */
	else if (post_failed(po, ra))
		;
	else if (plane_object_id(ra->ra_body, ra->ra_len, id, err,
	    sizeof(err)) == -1)
		post_end(po, 0, err);	/* a page of something in between */
	else
		post_end(po, 1, "");
	project_unref(p);
}

static void
comment_send(struct tracker *tk, struct post *po)
{
	char *body;

	if ((body = plane_comment_body(po->po_text, po->po_key)) == NULL) {
		post_end(po, 0, "no comment can be made of its text");
		return;
	}
	if (tracker_ask(tk, REMOTE_NOW, "POST", body, comment_cb, po,
	    "%s/%s/comments/", tk->tk_path, po->po_item) == -1)
		post_end(po, 0, "it cannot be asked");
	free(body);
}

/* --- new items ------------------------------------------------------------ */

/* Made now, or by a request whose answer was lost: it has its id. */
static void
item_cb(const struct remote_answer *ra, void *arg)
{
	struct post *po = arg;
	struct project *p = po->po_project;
	char id[PLANE_ID], err[160];

	if ((p->p_gone || ra->ra_status != 409) && post_failed(po, ra))
		;
	else if (plane_object_id(ra->ra_body, ra->ra_len, id, err,
	    sizeof(err)) == -1)
		post_end(po, 0, err);
	else {
		outbox_made(po->po_row, id);
		post_end(po, 1, "");
	}
	project_unref(p);
}

/* The first line is its title; it is as somebody had handed it in. */
static void
item_start(struct tracker *tk, struct post *po)
{
	size_t n = strcspn(po->po_text, "\n");
	const char *text = po->po_text + n + (po->po_text[n] == '\n');
	char *title, *name, *body = NULL;

	if ((title = strndup(po->po_text, n)) != NULL) {
		/* Its model allows 255 characters. */
		if ((name = text_cut(title, 255)) != NULL)
			body = plane_item_body(name, text, plane_state_id(
			    &tk->tk_states, tk->tk_project->p_analyse),
			    po->po_key);
		free(name);
	}
	free(title);
	if (body == NULL || tracker_ask(tk, REMOTE_NOW, "POST", body, item_cb,
	    po, "%s/", tk->tk_path) == -1)
		post_end(po, 0, "it cannot be asked");
	free(body);
}

/* --- statuses ------------------------------------------------------------- */

static void
state_cb(const struct remote_answer *ra, void *arg)
{
	struct post *po = arg;
	struct project *p = po->po_project;
	struct plane_item pi;
	char err[160];

	if (post_failed(po, ra)) {
		/* A state that is none any more. */
		if (!p->p_gone && ra->ra_status == 400)
			names_read(p->p_tracker);
		goto done;
	}
	if (plane_item_read(ra->ra_body, ra->ra_len, &pi, err, sizeof(err)) ==
	    -1) {
		post_end(po, 0, err);
		goto done;
	}
	if (strcmp(pi.pi_state, po->po_state) == 0) {
		tracker_tell(p->p_tracker, &pi, NULL);
		post_end(po, 1, "");
	} else
		post_end(po, 0, "the tracker took it and has another status");
	plane_item_free(&pi);
done:
	project_unref(p);
}

static void
state_send(struct tracker *tk, struct post *po)
{
	char *body;

	if ((body = plane_state_body(po->po_state)) == NULL || tracker_ask(
	    tk, REMOTE_NOW, "PATCH", body, state_cb, po, "%s/%s/",
	    tk->tk_path, po->po_item) == -1)
		post_end(po, 0, "it cannot be asked");
	free(body);
}

/* The item as it is before: is there anything to set? */
static void
before(struct tracker *tk, struct post *po, const struct plane_item *pi)
{
	if (((tracker_rejected(tk, pi) && !tracker_state_told(tk, pi)) ||
	    tracker_unsure(tk, pi)) &&
	    strcmp(pi->pi_state, po->po_state) != 0) {
		/* What belongs to it is read first: words, or its name. */
		tracker_look(tk->tk_project, pi->pi_id);
		post_end(po, 0, "a person has just answered it");
		return;
	}
	if (plane_state_name(&tk->tk_states, pi->pi_state) != NULL)
		tracker_tell(tk, pi, NULL);
	if (!po->po_status)
		comment_send(tk, po);
	else if (strcmp(pi->pi_state, po->po_state) == 0)
		post_end(po, 1, "");
	else
		state_send(tk, po);
}

static void
before_cb(const struct remote_answer *ra, void *arg)
{
	struct post *po = arg;
	struct project *p = po->po_project;
	struct plane_item pi;
	char err[160];

	/* One that is archived is not shown, and takes comments. */
	if (!p->p_gone && !po->po_status && ra->ra_status == 404)
		comment_send(p->p_tracker, po);
	else if (post_failed(po, ra))
		;
	else if (plane_item_read(ra->ra_body, ra->ra_len, &pi, err,
	    sizeof(err)) == -1)
		post_end(po, 0, err);
	else {
		before(p->p_tracker, po, &pi);
		plane_item_free(&pi);
	}
	project_unref(p);
}

/* Who the alert is about. */
static void
missing_subject(const struct tracker *tk, const char *name, char *buf,
    size_t len)
{
	char *cut;

	(void)snprintf(buf, len, "%s: %s", tk->tk_project->p_name, name);
	if ((cut = text_cut(buf, 128)) != NULL)
		(void)strlcpy(buf, cut, len);
	free(cut);
}

static void
missing_clear(struct tracker *tk, const char *name, const char *why)
{
	char subject[400];

	missing_subject(tk, name, subject, sizeof(subject));
	tell_notice("status_missing", subject, 0, "project %s: %s",
	    tk->tk_project->p_name, why);
}

/* 1 when it was not known to be missing. */
static int
missing_add(struct tracker *tk, const char *name)
{
	size_t i, place = MISSING_MOST;

	for (i = 0; i < MISSING_MOST; i++)
		if (tk->tk_missing[i] == NULL)
			place = i;
		else if (strcmp(tk->tk_missing[i], name) == 0)
			return (0);
	return (place < MISSING_MOST && (tk->tk_missing[place] =
	    strdup(name)) != NULL);
}

void
tracker_status_name(const struct project *p, const char *own, char *buf,
    size_t len)
{
	const char *line = p->p_renamed, *at;
	size_t n = strlen(own), k;

	buf[0] = '\0';
	for (; *line != '\0'; line += k + (line[k] == '\n')) {
		k = strcspn(line, "\n");
		at = line + n + 1;
		if (k <= n || strncmp(line, own, n) != 0 || line[n] != '=')
			continue;
		if (k - n - 1 < len)
			(void)strlcpy(buf, at, k - n);
		return;
	}
	(void)strlcpy(buf, own, len);
}

/*
 * What people set and nobody can: it is told once, since nothing is asked for
 * in vain then that anybody would see.
 */
static void
missing_people(struct tracker *tk)
{
	static const struct {
		const char *own, *so;
	} set[] = {
		{ "To Analyse", "nothing can be handed in there" },
		{ "Approved", "nothing can be approved there, only by "
		    "orchctl approve" },
		{ "Rejected", "nothing can be rejected there, only by "
		    "orchctl reject" },
		{ "Confirm Deploy", "no deploy can be confirmed there, only "
		    "by orchctl confirm" },
	};
	char name[PLANE_NAME], subject[400];
	size_t i;

	for (i = 0; i < sizeof(set) / sizeof(set[0]); i++) {
		tracker_status_name(tk->tk_project, set[i].own, name,
		    sizeof(name));
		if (name[0] == '\0' || plane_state_id(&tk->tk_states, name) !=
		    NULL || !missing_add(tk, name))
			continue;
		missing_subject(tk, name, subject, sizeof(subject));
		tell_notice("status_missing", subject, 1, "project %s: its "
		    "tracker has no status \"%s\", so %s; make one of "
		    "exactly that name, or rename it in the project's status "
		    "block", tk->tk_project->p_name, name, set[i].so);
	}
}

void
missing_check(struct tracker *tk, int end)
{
	size_t i;

	for (i = 0; !end && !tk->tk_worked && i < tk->tk_states.pt_n; i++)
		missing_clear(tk, tk->tk_states.pt_state[i].ps_name,
		    "its tracker has that status");
	for (i = 0; i < MISSING_MOST; i++) {
		if (tk->tk_missing[i] == NULL || (!end && plane_state_id(
		    &tk->tk_states, tk->tk_missing[i]) == NULL))
			continue;
		missing_clear(tk, tk->tk_missing[i], end ? "it is not "
		    "configured any more" : "its tracker has that status now");
		free(tk->tk_missing[i]);
		tk->tk_missing[i] = NULL;
	}
	if (!end)
		missing_people(tk);
}

/* No such status: it is left out, and said once. */
static void
status_missing(struct tracker *tk, struct post *po)
{
	const struct project *p = tk->tk_project;
	char subject[400];

	if (missing_add(tk, po->po_text)) {
		log_warnx("project %s: its tracker has no status \"%s\"",
		    p->p_name, po->po_text);
		missing_subject(tk, po->po_text, subject, sizeof(subject));
		tell_notice("status_missing", subject, 1, "project %s: its "
		    "tracker has no status \"%s\", so it is not set; make "
		    "one of exactly that name, or rename it in the project's "
		    "status block", p->p_name, po->po_text);
	}
	post_end(po, 1, "");
}

/* Read the item; before_cb() goes on. */
static void
before_ask(struct tracker *tk, struct post *po)
{
	if (tracker_ask(tk, REMOTE_NOW, "GET", NULL, before_cb, po, "%s/%s/",
	    tk->tk_path, po->po_item) == -1)
		post_end(po, 0, "it cannot be asked");
}

static void
status_start(struct tracker *tk, struct post *po)
{
	const char *id = plane_state_id(&tk->tk_states, po->po_text);

	if (id == NULL) {
		status_missing(tk, po);
		return;
	}
	(void)strlcpy(po->po_state, id, sizeof(po->po_state));
	before_ask(tk, po);
}

/* Names that are missing are looked for once more, unless just read. */
static int
wants_names(struct tracker *tk, struct post *po)
{
	if (!po->po_status || po->po_refreshed || names_age(tk) < MISS_MS ||
	    plane_state_id(&tk->tk_states, po->po_text) != NULL)
		return (0);
	po->po_refreshed = 1;
	return (1);
}

void
posts_run(struct tracker *tk)
{
	struct post *po, *next;
	int read = !names_ready(tk);

	for (po = read ? NULL : TAILQ_FIRST(&tk->tk_posts); po != NULL;
	    po = next) {
		next = TAILQ_NEXT(po, po_entry);
		if (wants_names(tk, po)) {
			read = 1;
			continue;
		}
		TAILQ_REMOVE(&tk->tk_posts, po, po_entry);
		if (po->po_status)
			status_start(tk, po);
		else if (po->po_item_new)
			item_start(tk, po);
		else
			before_ask(tk, po);
	}
	if (read && !TAILQ_EMPTY(&tk->tk_posts))
		names_read(tk);
}

void
tracker_deliver(struct project *p, uint64_t row, const char *kind,
    const char *item, const char *key, const char *text)
{
	struct tracker *tk = p->p_tracker;
	const int make = strcmp(kind, "item") == 0;
	struct post *po;

	if (tk == NULL || (!make && !plane_id_valid(item))) {
		outbox_settle(row, 0, tk == NULL ? "its tracker cannot be "
		    "asked" : "the task has no item at the tracker");
		return;
	}
	if ((po = calloc(1, sizeof(*po))) == NULL || (po->po_key =
	    strdup(key)) == NULL || (po->po_text = strdup(text)) == NULL) {
		if (po != NULL)
			free(po->po_key);
		free(po);
		outbox_settle(row, 0, "no memory");
		return;
	}
	po->po_project = p;
	po->po_row = row;
	po->po_status = strcmp(kind, "status") == 0;
	po->po_item_new = make;
	(void)strlcpy(po->po_item, item, sizeof(po->po_item));
	TAILQ_INSERT_TAIL(&tk->tk_posts, po, po_entry);
	posts_run(tk);
}
