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

#include <bsd/stdlib.h>
#include <bsd/string.h>

#include <event2/event.h>

#include "libcommon/daemon.h"
#include "libcommon/isotime.h"
#include "libcommon/log.h"
#include "libcommon/sha256.h"

#include "tracker.h"

/*
 * A project at Plane: its items are read newest change first until a page has
 * nothing new, from time to time to the end, and the engine is told of those
 * that are not as it was told last (F-2).
 */

#define NAMES_MS	600000		/* states and labels are read again */
#define WHOLE_MS	600000		/* a poll goes through all pages */
#define SURE_MS		30000		/* names that let things happen */
#define MISS_MS		10000		/* not more often for a missing name */
#define AHEAD		64U		/* told and not answered: wait */
#define AHEAD_MS	20
#define AGAIN_MS	1000
#define SHRINK		4	/* a page that is too long */

/* A key may ask 60 times a minute: what orchd takes of that. */
static const struct remote_kind plane = { .rk_per_minute = 45,
    .rk_burst = 10, .rk_most = 8, .rk_said = plane_said };

static int
seen_cmp(struct seen *a, struct seen *b)
{
	return (strcmp(a->se_id, b->se_id));
}

RB_PROTOTYPE(seen_tree, seen, se_entry, seen_cmp)
RB_GENERATE(seen_tree, seen, se_entry, seen_cmp)

static void	 poll_page(struct tracker *);

/* --- asking --------------------------------------------------------------- */

int
tracker_ask(struct tracker *tk, enum remote_prio prio, const char *method,
    const char *body, remote_cb cb, void *arg, const char *fmt, ...)
{
	struct project *p = tk->tk_project;
	struct remote_ask want = { .ask_prio = prio, .ask_method = method,
	    .ask_body = body };
	char url[2048], tail[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(tail, sizeof(tail), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(tail) || plane_url(url, sizeof(url),
	    p->p_tracker_url, p->p_workspace, p->p_tracker_id, "%s", tail) ==
	    -1) {
		log_warnx("project %s: tracker: no address can be made of its "
		    "workspace and project", p->p_name);
		return (-1);
	}
	want.ask_url = url;
	(void)project_ref(p);
	if (remote_ask(tk->tk_remote, &want, cb, arg) == 0)
		return (0);
	project_unref(p);
	return (-1);
}

/* --- what the engine knows ------------------------------------------------ */

static struct seen *
seen_find(struct tracker *tk, const char *id)
{
	struct seen key;

	(void)strlcpy(key.se_id, id, sizeof(key.se_id));
	return (RB_FIND(seen_tree, &tk->tk_seen, &key));
}

static struct seen *
seen_make(struct tracker *tk, const char *id)
{
	struct seen *se = seen_find(tk, id);

	if (se != NULL || (se = calloc(1, sizeof(*se))) == NULL)
		return (se);
	(void)strlcpy(se->se_id, id, sizeof(se->se_id));
	RB_INSERT(seen_tree, &tk->tk_seen, se);
	return (se);
}

static void
seen_drop(struct tracker *tk, struct seen *se)
{
	RB_REMOVE(seen_tree, &tk->tk_seen, se);
	free(se);
}

void
tracker_forget(struct tracker *tk, const char *item)
{
	struct seen *se = seen_find(tk, item);

	if (se != NULL)
		seen_drop(tk, se);
}

static void
seen_clear(struct tracker *tk)
{
	struct seen *se;

	while ((se = RB_MIN(seen_tree, &tk->tk_seen)) != NULL)
		seen_drop(tk, se);
}

int
tracker_state_told(struct tracker *tk, const struct plane_item *pi)
{
	const struct seen *se = seen_find(tk, pi->pi_id);

	return (se != NULL && strcmp(se->se_state, pi->pi_state) == 0);
}

int
tracker_is_told(struct tracker *tk, const struct plane_item *pi)
{
	const struct seen *se = seen_find(tk, pi->pi_id);

	return (tracker_state_told(tk, pi) &&
	    strcmp(se->se_changed, pi->pi_changed) == 0);
}

int
tracker_unsure(struct tracker *tk, const struct plane_item *pi)
{
	static const char *const lets[] = { "Approved", "Confirm Deploy" };
	const char *name = plane_state_name(&tk->tk_states, pi->pi_state);
	char own[257];
	size_t i;

	if (name == NULL || names_age(tk) < SURE_MS ||
	    tracker_state_told(tk, pi))
		return (0);
	for (i = 0; i < sizeof(lets) / sizeof(lets[0]); i++) {
		tracker_status_name(tk->tk_project, lets[i], own,
		    sizeof(own));
		if (strcmp(name, own) == 0)
			return (1);
	}
	return (0);
}

int
tracker_rejected(const struct tracker *tk, const struct plane_item *pi)
{
	const char *name = plane_state_name(&tk->tk_states, pi->pi_state);

	return (name != NULL && strcmp(name, tk->tk_project->p_rejected) ==
	    0);
}

static void
item_tell(struct tracker *tk, const struct plane_item *pi,
    const struct plane_words *pw)
{
	const char *labels[17], *name, *last;
	char *title, *text, *comment, *shown;
	struct orch_tracker_item m;
	int64_t ms = 0;
	size_t i;

	memset(&m, 0, sizeof(m));
	for (i = 0; i < pi->pi_nlabels && i < 16; i++) {
		name = plane_label_name(&tk->tk_labels, pi->pi_labels[i]);
		labels[i] = name != NULL ? name : pi->pi_labels[i];
	}
	labels[i] = NULL;
	/* Never edited: its author was the last who changed it. */
	last = pi->pi_editor[0] != '\0' ? pi->pi_editor : pi->pi_author;
	m.project = tk->tk_project->p_name;
	m.item = pi->pi_id;
	m.number = pi->pi_number;
	m.title = title = text_cut(pi->pi_name, 512);
	m.text = text = text_cut(pi->pi_text == NULL ? "" : pi->pi_text,
	    65536);
	m.author = pi->pi_author;
	m.labels.l_argv = labels;
	m.status = plane_state_name(&tk->tk_states, pi->pi_state);
	m.editor = last;
	name = plane_label_name(&tk->tk_members, last);
	m.editor_name = shown = text_cut(name != NULL ? name : "", 128);
	(void)isotime_ms(pi->pi_changed, &ms);
	m.changed_ms = (uint64_t)ms;
	m.own = strcmp(last, tk->tk_me) == 0;
	m.comment = comment = text_cut(pw == NULL ? "" : plane_words_said(pw),
	    65536);
	m.comment_ms = pw == NULL ? 0 : (uint64_t)pw->pw_at_ms;
	m.asked = pw == NULL ? "" : pw->pw_asked;
	if (title != NULL && text != NULL && comment != NULL && shown != NULL)
		(void)tell(ORCH_tracker_item, &m);
	free(title);
	free(text);
	free(comment);
	free(shown);
}

void
tracker_tell(struct tracker *tk, const struct plane_item *pi,
    const struct plane_words *pw)
{
	const char *words = pw == NULL ? "" : plane_words_said(pw);
	char hash[65] = "";
	struct seen *se;

	if (words[0] != '\0' && sha256_hex(words, strlen(words), hash) == -1)
		return;
	if (tracker_is_told(tk, pi) && (se = seen_find(tk, pi->pi_id)) !=
	    NULL && strcmp(se->se_words, hash) == 0)
		return;
	if ((se = seen_make(tk, pi->pi_id)) == NULL)
		return;
	(void)strlcpy(se->se_state, pi->pi_state, sizeof(se->se_state));
	(void)strlcpy(se->se_changed, pi->pi_changed,
	    sizeof(se->se_changed));
	(void)strlcpy(se->se_words, hash, sizeof(se->se_words));
	se->se_scan = tk->tk_scan;
	item_tell(tk, pi, pw);
}

/* --- the poll ------------------------------------------------------------- */

void
tracker_poll_in(struct tracker *tk, int64_t ms)
{
	struct timeval tv;

	tv.tv_sec = (time_t)(ms / 1000);
	tv.tv_usec = (suseconds_t)(ms % 1000 * 1000);
	if (event_add(tk->tk_ev, &tv) == -1)
		fatalx("event loop");
}

static int
poll_enabled(void)
{
	return (strcmp(daemon_option("reconcile_enabled", "yes"), "no") != 0);
}

static void
poll_next(struct tracker *tk)
{
	if (poll_enabled())
		tracker_poll_in(tk, poll_jitter(1000 * daemon_option_num(
		    "reconcile_interval_s", 1, 86400, 60)));
}

/* Items that a whole poll did not show any more. */
static void
forget_gone(struct tracker *tk)
{
	struct seen *se, *next;

	RB_FOREACH_SAFE(se, seen_tree, &tk->tk_seen, next)
		if (se->se_scan != tk->tk_scan)
			seen_drop(tk, se);
}

static void
poll_end(struct tracker *tk, int ok)
{
	tk->tk_polling = tk->tk_due = 0;
	if (ok && tk->tk_whole) {
		forget_gone(tk);
		tk->tk_whole_at = monotime_now();
		/* What was too long then may be gone. */
		if (tk->tk_page < PLANE_PAGE / SHRINK)
			tk->tk_page *= SHRINK;
		else
			tk->tk_page = PLANE_PAGE;
	}
	/* A state that was made meanwhile. */
	if (ok && tk->tk_unknown) {
		tk->tk_named.mt_ns = 0;
		tk->tk_again = 1;
	}
	if (ok && tk->tk_again)
		tracker_poll_in(tk, AGAIN_MS);
	else
		poll_next(tk);
	tk->tk_again = 0;
}

/* Its state is none of the list: a new one, or one that lists leave out. */
static void
unnamed(struct tracker *tk, const struct plane_item *pi)
{
	struct seen *se;

	if (names_age(tk) > MISS_MS) {
		tk->tk_unknown = 1;
		return;
	}
	if ((se = seen_make(tk, pi->pi_id)) == NULL)
		return;
	(void)strlcpy(se->se_state, pi->pi_state, sizeof(se->se_state));
	(void)strlcpy(se->se_changed, pi->pi_changed,
	    sizeof(se->se_changed));
	se->se_scan = tk->tk_scan;
}

static void
poll_row(const struct plane_item *pi, const char *wrong, void *arg)
{
	struct tracker *tk = arg;
	struct seen *se;
	int64_t ms;

	if (pi == NULL) {
		log_debug("project %s: an item is left out: %s",
		    tk->tk_project->p_name, wrong);
		return;
	}
	if (isotime_ms(pi->pi_changed, &ms) == -1 || ms > tk->tk_last_ms)
		tk->tk_disorder = 1;
	tk->tk_last_ms = ms;
	if ((se = seen_find(tk, pi->pi_id)) != NULL)
		se->se_scan = tk->tk_scan;
	if (tracker_is_told(tk, pi))
		return;
	tk->tk_differs++;
	if (plane_state_name(&tk->tk_states, pi->pi_state) == NULL)
		unnamed(tk, pi);
	else if (tracker_rejected(tk, pi) || tracker_unsure(tk, pi))
		tracker_look_later(tk, pi->pi_id);
	else
		tracker_tell(tk, pi, NULL);
}

/* Some texts are so long that a page of them does not fit: less at once. */
static void
page_shrink(struct tracker *tk)
{
	tk->tk_page = tk->tk_page > SHRINK ? tk->tk_page / SHRINK : 1;
	log_info("project %s: its items are long: %d are read at once",
	    tk->tk_project->p_name, tk->tk_page);
	poll_end(tk, 0);
	tracker_poll_in(tk, AGAIN_MS);
}

/*
 * A key that lost its rights: reading names says so.  A server that is newer
 * now: it may call items otherwise.  Else the next refusal is told.
 */
static void
page_refused(struct tracker *tk, const struct remote_answer *ra)
{
	tk->tk_named.mt_ns = 0;
	tk->tk_repath |= ra->ra_status == 404;
	if (tk->tk_unlisted < UNLISTED && ++tk->tk_unlisted == UNLISTED)
		names_refused(tk, ra->ra_why);
}

/* A page has come. */
static void
page_listed(struct tracker *tk)
{
	if (tk->tk_unlisted == UNLISTED && tk->tk_refused) {
		project_notice(tk->tk_project, "tracker", 0, "%s answers as "
		    "it should", tk->tk_project->p_tracker_url);
		tk->tk_refused = 0;
	}
	tk->tk_unlisted = 0;
}

static void
page_cb(const struct remote_answer *ra, void *arg)
{
	struct project *p = arg;
	struct tracker *tk = p->p_tracker;
	char err[160];

	if (p->p_gone)
		goto done;
	tk->tk_differs = 0;
	if (ra->ra_end == REMOTE_REFUSED && ra->ra_status / 100 == 2 &&
	    tk->tk_page > 1)
		page_shrink(tk);
	else if (ra->ra_end != REMOTE_OK) {
		log_debug("project %s: poll of the tracker: %s", p->p_name,
		    ra->ra_why);
		if (ra->ra_end == REMOTE_REFUSED)
			page_refused(tk, ra);
		poll_end(tk, 0);
	} else if (plane_items_each(ra->ra_body, ra->ra_len, &tk->tk_at,
	    poll_row, tk, err, sizeof(err)) == -1) {
		log_warnx("project %s: poll of the tracker: %s", p->p_name,
		    err);
		poll_end(tk, 0);
	} else {
		page_listed(tk);
		if (tk->tk_at.pc_next[0] == '\0' || (!tk->tk_whole &&
		    tk->tk_differs == 0 && !tk->tk_disorder))
			poll_end(tk, 1);
		else
			poll_page(tk);
	}
done:
	project_unref(p);
}

static void
poll_page(struct tracker *tk)
{
	/* The engine is busy with what it was told. */
	if (tell_waiting() > AHEAD) {
		tracker_poll_in(tk, AHEAD_MS);
		return;
	}
	if (tracker_ask(tk, REMOTE_LATER, "GET", NULL, page_cb,
	    tk->tk_project, "%s/?order_by=-updated_at&per_page=%d%s%s",
	    tk->tk_path, tk->tk_page, tk->tk_at.pc_next[0] != '\0' ?
	    "&cursor=" : "", tk->tk_at.pc_next) == -1)
		poll_end(tk, 0);
}

static void
poll_begin(struct tracker *tk)
{
	tk->tk_polling = 1;
	tk->tk_due = tk->tk_unknown = tk->tk_disorder = 0;
	tk->tk_last_ms = INT64_MAX;
	tk->tk_at.pc_next[0] = '\0';
	tk->tk_whole = tk->tk_whole_at.mt_ns == 0 || monotime_sub_ms(
	    monotime_now(), tk->tk_whole_at) > WHOLE_MS;
	tk->tk_scan += (unsigned int)tk->tk_whole;
	poll_page(tk);
}

static void
poll_cb(evutil_socket_t fd, short what, void *arg)
{
	struct tracker *tk = arg;

	if (tk->tk_polling)
		poll_page(tk);		/* it waited for the engine */
	else if (!names_ready(tk) || names_age(tk) > NAMES_MS) {
		tk->tk_due = 1;
		names_read(tk);
	} else {
		poll_begin(tk);
		looks_run(tk);
	}
}

void
tracker_named(struct tracker *tk, const char *why)
{
	if (why != NULL)
		posts_fail(tk, why);
	if (!names_ready(tk)) {
		if (tk->tk_due)
			poll_end(tk, 0);
		return;
	}
	posts_run(tk);
	looks_run(tk);
	if (tk->tk_due)
		poll_begin(tk);
}

/* --- its life ------------------------------------------------------------- */

int
tracker_start(struct project *p)
{
	struct tracker *tk;
	char auth[4200];

	if ((tk = calloc(1, sizeof(*tk))) == NULL)
		return (-1);
	TAILQ_INIT(&tk->tk_looks);
	TAILQ_INIT(&tk->tk_posts);
	RB_INIT(&tk->tk_seen);
	tk->tk_project = p;
	tk->tk_page = PLANE_PAGE;
	p->p_tracker = tk;
	if ((tk->tk_ev = evtimer_new(daemon_base(), poll_cb, tk)) == NULL ||
	    plane_auth(auth, sizeof(auth), p->p_key) == -1)
		goto bad;
	tk->tk_remote = remote_get(p->p_tracker_url, auth, &plane);
	explicit_bzero(auth, sizeof(auth));
	if (tk->tk_remote == NULL)
		goto bad;
	if (daemon_connected())
		tracker_engine_up(p);
	return (0);
bad:
	log_warnx("project %s: its tracker cannot be asked", p->p_name);
	tracker_stop(p);
	return (-1);
}

void
tracker_stop(struct project *p)
{
	struct tracker *tk = p->p_tracker;

	if (tk == NULL)
		return;
	p->p_tracker = NULL;
	posts_fail(tk, "the project is not configured any more");
	missing_check(tk, 1);
	looks_free(tk);
	seen_clear(tk);
	plane_labels_free(&tk->tk_labels);
	plane_labels_free(&tk->tk_labels_new);
	plane_labels_free(&tk->tk_members);
	if (tk->tk_refused)
		project_notice(p, "tracker", 0, "it is not asked any more");
	if (tk->tk_ev != NULL)
		event_free(tk->tk_ev);
	remote_put(tk->tk_remote);
	free(tk);
}

void
tracker_engine_up(struct project *p)
{
	struct tracker *tk = p->p_tracker;

	seen_clear(tk);
	tk->tk_whole_at.mt_ns = 0;
	if (tk->tk_polling)
		tk->tk_again = 1;
	else if (poll_enabled())
		tracker_poll_in(tk, 0);
}
