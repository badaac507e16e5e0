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

#include "libcommon/log.h"

#include "tracker.h"

/*
 * How things are called at the tracker: what items are called in addresses
 * (it depends on the version), who we are, the states and labels by name.
 */

static void	 step_ask(struct tracker *);

int
names_ready(const struct tracker *tk)
{
	return (tk->tk_named.mt_ns != 0);
}

int64_t
names_age(const struct tracker *tk)
{
	return (monotime_sub_ms(monotime_now(), tk->tk_named));
}

int64_t
names_asked_age(const struct tracker *tk)
{
	return (monotime_sub_ms(monotime_now(), tk->tk_asked));
}

/* Something is wrong that waiting does not cure: keys, rights, addresses. */
void
names_refused(struct tracker *tk, const char *why)
{
	const struct project *p = tk->tk_project;

	if (tk->tk_refused)
		return;
	tk->tk_refused = 1;
	log_warnx("project %s: tracker: %s", p->p_name, why);
	project_notice(p, "tracker", 1, "%s refuses what orchd asks: %s; look "
	    "at its key, workspace and project in the configuration",
	    p->p_tracker_url, why);
}

static void
names_end(struct tracker *tk, const char *why)
{
	const struct project *p = tk->tk_project;

	tk->tk_step = STEP_NONE;
	if (why == NULL) {
		tk->tk_states = tk->tk_states_new;
		plane_labels_free(&tk->tk_labels);
		tk->tk_labels = tk->tk_labels_new;
		memset(&tk->tk_labels_new, 0, sizeof(tk->tk_labels_new));
		tk->tk_named = monotime_now();
		/* An alert may be left of a process before this one. */
		if ((tk->tk_refused && tk->tk_unlisted < UNLISTED) ||
		    !tk->tk_worked) {
			project_notice(p, "tracker", 0, "%s answers as it "
			    "should", p->p_tracker_url);
			tk->tk_refused = 0;
		}
		missing_check(tk, 0);
		tk->tk_worked = 1;
	}
	tracker_named(tk, why);
}

/* The answer to one step.  0: it is through; 1: it has a page more; -1. */
static int
step_read(struct tracker *tk, const struct remote_answer *ra, char *err,
    size_t len)
{
	int r = -1;

	switch (tk->tk_step) {
	case STEP_ME:
		return (plane_object_id(ra->ra_body, ra->ra_len, tk->tk_me,
		    err, len));
	case STEP_STATES:
		r = plane_states_add(&tk->tk_states_new, &tk->tk_names_at,
		    ra->ra_body, ra->ra_len, err, len);
		break;
	case STEP_LABELS:
		r = plane_labels_add(&tk->tk_labels_new, &tk->tk_names_at,
		    ra->ra_body, ra->ra_len, err, len);
		break;
	case STEP_MEMBERS:
		plane_labels_free(&tk->tk_members);
		return (plane_members_add(&tk->tk_members, ra->ra_body,
		    ra->ra_len, err, len));
	case STEP_PATH:
	case STEP_NONE:
		return (0);
	}
	return (r == -1 ? -1 : tk->tk_names_at.pc_next[0] != '\0');
}

static void
step_begin(struct tracker *tk, enum step step)
{
	tk->tk_step = step;
	tk->tk_names_at.pc_next[0] = '\0';
	if (step == STEP_STATES)
		tk->tk_states_new.pt_n = 0;
	if (step == STEP_LABELS)
		plane_labels_free(&tk->tk_labels_new);
	step_ask(tk);
}

static void
step_cb(const struct remote_answer *ra, void *arg)
{
	struct project *p = arg;
	struct tracker *tk = p->p_tracker;
	char err[160];
	int r;

	if (p->p_gone)
		goto done;
	/* Names of people are only shown: without them ids are. */
	if (tk->tk_step == STEP_MEMBERS && ra->ra_end != REMOTE_OK) {
		names_end(tk, NULL);
		goto done;
	}
	/* Versions before 1.1 call them issues, and later ones too. */
	if (tk->tk_step == STEP_PATH && ra->ra_status == 404)
		tk->tk_path = "issues";
	else if (ra->ra_end != REMOTE_OK) {
		if (ra->ra_end == REMOTE_REFUSED)
			names_refused(tk, ra->ra_why);
		else
			posts_fail(tk, NULL);
		names_end(tk, ra->ra_why);
		goto done;
	} else if (tk->tk_step == STEP_PATH)
		tk->tk_path = "work-items";
	if (tk->tk_step == STEP_PATH)
		tk->tk_repath = 0;
	if ((r = step_read(tk, ra, err, sizeof(err))) == -1 &&
	    tk->tk_step != STEP_MEMBERS) {
		names_refused(tk, err);
		names_end(tk, err);
	} else if (r == 1)
		step_ask(tk);
	else if (tk->tk_step == STEP_MEMBERS)
		names_end(tk, NULL);
	else
		step_begin(tk, tk->tk_step + 1);
done:
	project_unref(p);
}

static void
step_ask(struct tracker *tk)
{
	static const char *const lists[] = { [STEP_STATES] = "states",
	    [STEP_LABELS] = "labels" };
	struct remote_ask want = { .ask_prio = REMOTE_FIRST,
	    .ask_method = "GET" };
	char url[1400];
	int r;

	switch (tk->tk_step) {
	case STEP_MEMBERS:
		r = tracker_ask(tk, REMOTE_FIRST, "GET", NULL, step_cb,
		    tk->tk_project, "members/");
		break;
	case STEP_PATH:
		r = tracker_ask(tk, REMOTE_FIRST, "GET", NULL, step_cb,
		    tk->tk_project, "work-items/?per_page=1");
		break;
	case STEP_ME:
		want.ask_url = url;
		r = plane_me_url(url, sizeof(url),
		    tk->tk_project->p_tracker_url);
		if (r == 0 && (r = remote_ask(tk->tk_remote, &want, step_cb,
		    project_ref(tk->tk_project))) == -1)
			project_unref(tk->tk_project);
		break;
	default:
		r = tracker_ask(tk, REMOTE_FIRST, "GET", NULL, step_cb,
		    tk->tk_project, "%s/?per_page=%d%s%s",
		    lists[tk->tk_step], PLANE_PAGE,
		    tk->tk_names_at.pc_next[0] != '\0' ? "&cursor=" : "",
		    tk->tk_names_at.pc_next);
	}
	if (r == -1)
		names_end(tk, "it cannot be asked");
}

void
names_read(struct tracker *tk)
{
	if (tk->tk_step != STEP_NONE)
		return;
	tk->tk_asked = monotime_now();
	step_begin(tk, tk->tk_path == NULL || tk->tk_repath ? STEP_PATH :
	    tk->tk_me[0] == '\0' ? STEP_ME : STEP_STATES);
}
