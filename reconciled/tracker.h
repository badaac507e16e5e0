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

#ifndef TRACKER_H
#define TRACKER_H

/* What tracker.c, tracker_names.c, tracker_look.c and tracker_post.c share. */

#include <bsd/sys/tree.h>

#include "libcommon/monotime.h"
#include "libcommon/plane.h"

#include "reconciled.h"

/* An item as the engine was told of it last. */
struct seen {
	RB_ENTRY(seen)	 se_entry;
	char		 se_id[PLANE_ID];
	char		 se_state[PLANE_ID];
	char		 se_changed[40];
	char		 se_words[65];	/* hash of the comment told along */
	unsigned int	 se_scan;	/* the last whole poll that had it */
};
RB_HEAD(seen_tree, seen);

struct look {
	TAILQ_ENTRY(look) lo_entry;
	char		 lo_item[PLANE_ID];
	int		 lo_busy;	/* a request is under way */
	int		 lo_again;	/* asked for once more meanwhile */
	int		 lo_later;	/* a poll wants it: others first */
};

/* A row of the outbox. */
struct post {
	TAILQ_ENTRY(post) po_entry;
	struct project	*po_project;
	uint64_t	 po_row;
	int		 po_status;	/* else a comment */
	int		 po_item_new;	/* or a new item */
	int		 po_refreshed;	/* names were read again for it */
	char		 po_item[PLANE_ID];
	char		 po_state[PLANE_ID];	/* that it sets */
	char		*po_key;
	char		*po_text;
};

#define UNLISTED	2	/* polls that are refused until it is told */
#define MISSING_MOST	12	/* as many as there are statuses */

/* What is read before anything else, in this order. */
enum step { STEP_NONE, STEP_PATH, STEP_ME, STEP_STATES, STEP_LABELS,
	STEP_MEMBERS };

struct tracker {
	struct project	*tk_project;
	struct remote	*tk_remote;
	struct event	*tk_ev;		/* the next poll, or page of it */

	/* tracker_names.c */
	enum step	 tk_step;
	const char	*tk_path;	/* what items are called, or NULL */
	char		 tk_me[PLANE_ID];
	struct plane_states tk_states, tk_states_new;
	struct plane_labels tk_labels, tk_labels_new;
	struct plane_labels tk_members;	/* to show; may be empty */
	struct plane_cursor tk_names_at;
	struct monotime	 tk_named;	/* when; all zero: never */
	struct monotime	 tk_asked;	/* when they were last asked for */
	int		 tk_refused;	/* the alert is raised */
	int		 tk_unlisted;	/* polls in a row that were refused */
	int		 tk_repath;	/* ask again what items are called */
	int		 tk_worked;	/* names were read once */
	char		*tk_missing[MISSING_MOST];	/* status_missing is */

	/* tracker.c */
	struct seen_tree tk_seen;
	int		 tk_polling;
	int		 tk_due;	/* a poll waits for names */
	int		 tk_again;	/* and another one after it */
	int		 tk_whole;	/* this one goes to the end */
	int		 tk_page;	/* rows that are asked for at once */
	int		 tk_differs;	/* rows of this page */
	int		 tk_disorder;
	int		 tk_unknown;	/* states without a name */
	unsigned int	 tk_scan;
	struct monotime	 tk_whole_at;
	int64_t		 tk_last_ms;	/* change of the row before */
	struct plane_cursor tk_at;

	TAILQ_HEAD(, look) tk_looks;
	TAILQ_HEAD(, post) tk_posts;	/* that wait for names */
};

/*
 * Ask the tracker for what fmt says below the project; the project is kept
 * until the callback.  -1: it cannot be asked (logged).
 */
int	 tracker_ask(struct tracker *, enum remote_prio, const char *method,
	    const char *body, remote_cb, void *arg, const char *fmt, ...)
	    __attribute__((format(printf, 7, 8)));

/* tracker_names.c: user, states, labels */

/* Are names known? */
int	 names_ready(const struct tracker *);

/*
 * It refuses what orchd asks for good: the alert remote_refused, until names
 * are read and polls are not refused.
 */
void	 names_refused(struct tracker *, const char *why);

/* Milliseconds since they were read. */
int64_t	 names_age(const struct tracker *);

/* The same since they were asked for, whatever was answered. */
int64_t	 names_asked_age(const struct tracker *);

/* Read them (again); tracker_named() is called at the end. */
void	 names_read(struct tracker *);

/* tracker.c */

/* Names are known, or why not: go on with what waits. */
void	 tracker_named(struct tracker *, const char *why);

/*
 * Would it be told anew that it is Approved or Confirm Deploy, by names that
 * may be others now?  What a state is called is read again first.
 */
int	 tracker_unsure(struct tracker *, const struct plane_item *);

/*
 * How a project calls one of orchd's statuses; "" when that does not fit.  Of
 * tracker_post.c.
 */
void	 tracker_status_name(const struct project *, const char *own,
	    char *buf, size_t len);

/* Is it Rejected, which wants a comment along? */
int	 tracker_rejected(const struct tracker *, const struct plane_item *);

/* Is it as the engine was told? */
int	 tracker_is_told(struct tracker *, const struct plane_item *);

/* Was the engine told that it has this state, whatever else was changed? */
int	 tracker_state_told(struct tracker *, const struct plane_item *);

/*
 * Tell the engine of an item, with a person's words if they were read, when it
 * differs from what was told.
 */
void	 tracker_tell(struct tracker *, const struct plane_item *,
	    const struct plane_words *);

/* An item is gone. */
void	 tracker_forget(struct tracker *, const char *item);

/* Wait so long for the next poll. */
void	 tracker_poll_in(struct tracker *, int64_t ms);

/* tracker_look.c: read one item now */
void	 looks_run(struct tracker *);

/* A poll has found one to be read: hints and messages go before it. */
void	 tracker_look_later(struct tracker *, const char *item);

void	 looks_free(struct tracker *);

/* tracker_post.c: statuses and comments */

/*
 * Names were read: clear the alerts of those that are there now; the first
 * time also what an earlier process raised; raise those of statuses that
 * people need and cannot set.  end: clear all.
 */
void	 missing_check(struct tracker *, int end);

/* Set the statuses that waited for names. */
void	 posts_run(struct tracker *);

/* They cannot be set, and why; NULL: not now, which is no failure of theirs. */
void	 posts_fail(struct tracker *, const char *why);

#endif
