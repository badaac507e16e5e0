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

#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include "libcommon/log.h"

#include "tracker.h"

/*
 * Items that a hint named are read one by one; hints of the same item are put
 * together.  What cannot be read now stays until the next poll.
 */

#define COMMENT_PAGES	10	/* of a rejection's comments */
#define QUESTION	"ask:"	/* keys of the engine's questions */
#define MISS_MS		5000
#define LOOKS_MOST	1000	/* that polls found; the next has the rest */
#define HINTS_MOST	20	/* at once: a poll reads a hundred in one go */

/* An item and the comments that it is told with. */
struct reading {
	struct project	*rd_project;
	char		 rd_item[PLANE_ID];
	struct plane_item rd_pi;
	struct plane_cursor rd_at;
	enum remote_prio rd_prio;
	struct plane_words rd_words;
	unsigned int	 rd_pages;
};

static struct look *
look_find(struct tracker *tk, const char *item)
{
	struct look *lo;

	TAILQ_FOREACH(lo, &tk->tk_looks, lo_entry)
		if (strcmp(lo->lo_item, item) == 0)
			break;
	return (lo);
}

static void
reading_free(struct reading *rd)
{
	plane_item_free(&rd->rd_pi);
	plane_words_free(&rd->rd_words);
	free(rd);
}

/* Through with it, or (later) to be read with the next poll. */
static void
look_end(struct tracker *tk, struct reading *rd, int later)
{
	struct look *lo = look_find(tk, rd->rd_item);

	reading_free(rd);
	if (lo == NULL)
		return;
	lo->lo_busy = 0;
	if (later)
		return;
	if (lo->lo_again) {
		lo->lo_again = 0;
		looks_run(tk);
		return;
	}
	TAILQ_REMOVE(&tk->tk_looks, lo, lo_entry);
	free(lo);
}

static void	 comments_ask(struct tracker *, struct reading *);

static void
comments_cb(const struct remote_answer *ra, void *arg)
{
	struct reading *rd = arg;
	struct project *p = rd->rd_project;
	struct tracker *tk = p->p_tracker;
	char err[160];

	if (p->p_gone) {
		reading_free(rd);
	} else if (ra->ra_end == REMOTE_DOWN) {
		look_end(tk, rd, 1);
	} else if (ra->ra_end == REMOTE_REFUSED || plane_words_add(
	    &rd->rd_words, ra->ra_body, ra->ra_len, tk->tk_me, QUESTION,
	    &rd->rd_at, err, sizeof(err)) == -1) {
		log_warnx("project %s: comments of item %s: %s", p->p_name,
		    rd->rd_item, ra->ra_end == REMOTE_OK ? err : ra->ra_why);
		tracker_tell(tk, &rd->rd_pi, NULL);
		look_end(tk, rd, 0);
	} else if (rd->rd_at.pc_next[0] != '\0' && ++rd->rd_pages <
	    COMMENT_PAGES) {
		comments_ask(tk, rd);
	} else {
		tracker_tell(tk, &rd->rd_pi, &rd->rd_words);
		look_end(tk, rd, 0);
	}
	project_unref(p);
}

static void
comments_ask(struct tracker *tk, struct reading *rd)
{
	if (tracker_ask(tk, rd->rd_prio, "GET", NULL, comments_cb, rd,
	    "%s/%s/comments/?per_page=%d%s%s", tk->tk_path, rd->rd_item,
	    PLANE_PAGE, rd->rd_at.pc_next[0] != '\0' ? "&cursor=" : "",
	    rd->rd_at.pc_next) == -1)
		look_end(tk, rd, 1);
}

static void
item_seen(struct tracker *tk, struct reading *rd)
{
	if (plane_state_name(&tk->tk_states, rd->rd_pi.pi_state) == NULL ||
	    tracker_unsure(tk, &rd->rd_pi)) {
		/*
		 * A state that was made meanwhile, one without a name, or one
		 * that may have got another.  Names that do not come are not
		 * asked for again and again; the next poll is.
		 */
		if (names_age(tk) > MISS_MS && names_asked_age(tk) > MISS_MS) {
			look_end(tk, rd, 1);
			names_read(tk);
		} else
			look_end(tk, rd, tk->tk_step != STEP_NONE);
	} else if (tracker_rejected(tk, &rd->rd_pi))
		comments_ask(tk, rd);
	else {
		tracker_tell(tk, &rd->rd_pi, NULL);
		look_end(tk, rd, 0);
	}
}

static void
item_cb(const struct remote_answer *ra, void *arg)
{
	struct reading *rd = arg;
	struct project *p = rd->rd_project;
	struct tracker *tk = p->p_tracker;
	char err[160];

	if (p->p_gone)
		reading_free(rd);
	else if (ra->ra_end == REMOTE_DOWN)
		look_end(tk, rd, 1);
	else if (ra->ra_end == REMOTE_REFUSED) {
		log_info("project %s: item %s: %s", p->p_name, rd->rd_item,
		    ra->ra_why);
		if (ra->ra_status == 404)
			tracker_forget(tk, rd->rd_item);
		look_end(tk, rd, 0);
	} else if (plane_item_read(ra->ra_body, ra->ra_len, &rd->rd_pi, err,
	    sizeof(err)) == -1) {
		log_warnx("project %s: item %s: %s", p->p_name, rd->rd_item,
		    err);
		look_end(tk, rd, 0);
	} else
		item_seen(tk, rd);
	project_unref(p);
}

static void
look_ask(struct tracker *tk, struct look *lo)
{
	struct reading *rd;

	if ((rd = calloc(1, sizeof(*rd))) == NULL)
		return;
	rd->rd_project = tk->tk_project;
	rd->rd_prio = lo->lo_later ? REMOTE_LATER : REMOTE_FIRST;
	(void)strlcpy(rd->rd_item, lo->lo_item, sizeof(rd->rd_item));
	lo->lo_busy = 1;
	if (tracker_ask(tk, rd->rd_prio, "GET", NULL, item_cb, rd, "%s/%s/",
	    tk->tk_path, rd->rd_item) == -1)
		look_end(tk, rd, 1);
}

void
looks_run(struct tracker *tk)
{
	struct look *lo;

	if (TAILQ_EMPTY(&tk->tk_looks))
		return;
	if (!names_ready(tk)) {
		names_read(tk);
		return;
	}
	TAILQ_FOREACH(lo, &tk->tk_looks, lo_entry)
		if (!lo->lo_busy)
			look_ask(tk, lo);
}

void
looks_free(struct tracker *tk)
{
	struct look *lo;

	while ((lo = TAILQ_FIRST(&tk->tk_looks)) != NULL) {
		TAILQ_REMOVE(&tk->tk_looks, lo, lo_entry);
		free(lo);
	}
}

/* -1 when there are too many already. */
static int
look_add(struct tracker *tk, const char *item, int later)
{
	struct look *lo;
	size_t n = 0;

	if ((lo = look_find(tk, item)) != NULL) {
		lo->lo_again |= lo->lo_busy && !later;
		lo->lo_later &= later;
		looks_run(tk);
		return (0);
	}
	TAILQ_FOREACH(lo, &tk->tk_looks, lo_entry)
		n += lo->lo_later == later;
	if (n >= (later ? LOOKS_MOST : HINTS_MOST))
		return (-1);
	if ((lo = calloc(1, sizeof(*lo))) == NULL)
		return (0);
	(void)strlcpy(lo->lo_item, item, sizeof(lo->lo_item));
	lo->lo_later = later;
	TAILQ_INSERT_TAIL(&tk->tk_looks, lo, lo_entry);
	looks_run(tk);
	return (0);
}

void
tracker_look_later(struct tracker *tk, const char *item)
{
	(void)look_add(tk, item, 1);
}

void
tracker_look(struct project *p, const char *item)
{
	struct tracker *tk = p->p_tracker;

	if (tk == NULL || (item != NULL && !plane_id_valid(item)))
		return;
	if (item != NULL && look_add(tk, item, 0) == 0)
		return;
	if (tk->tk_polling)
		tk->tk_again = 1;
	else
		tracker_poll_in(tk, 0);
}
