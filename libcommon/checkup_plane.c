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
#include <strings.h>

#include <bsd/string.h>

#include <jansson.h>

#include "answer.h"
#include "checkup.h"
#include "plane.h"

/*
 * The rights at Plane.  Writing is tried by a change of nothing to an item
 * that cannot be: Plane looks at the role first (ProjectEntityPermission), so
 * 404 says that the right is there and 403 that it is not.
 */

#define NO_ITEM		"00000000-0000-0000-0000-000000000000"
#define RATE_LOW	15	/* of 60 a minute that are left */
#define SEE_CONF	"see \"tracker plane\" in orchd.conf"

const struct checkup_status checkup_statuses[] = {
	{ "To Analyse", "unstarted", "no item can be handed to orchd" },
	{ "In Progress", "started", "the status is left out" },
	{ "In Review", "started", "nobody sees that a person is asked" },
	{ "Needs Input", "started", "nobody sees that a question is open" },
	{ "Blocked", "started", "nobody sees that a task is stuck" },
	{ "Approved", "started", "nothing can be approved in Plane" },
	{ "Rejected", "started", "nothing can be rejected in Plane" },
	{ "Confirm Deploy", "started", "nothing is deployed from Plane" },
	{ "Done", "completed", "the status is left out" },
	{ "Cancelled", "cancelled", "the status is left out" },
	{ "Stop", "cancelled", "nothing can be stopped in Plane" },
	{ NULL, NULL, NULL }
};

/* How a status is called in this project. */
static const char *
called(const struct checkup *ck, const char *name, char *buf, size_t len)
{
	const char *line = ck->ck_renamed;
	size_t n = strlen(name), m;

	for (; *line != '\0'; line += m + (line[m] == '\n')) {
		m = strcspn(line, "\n");
		if (m > n && strncmp(line, name, n) == 0 && line[n] == '=') {
			(void)snprintf(buf, len, "%.*s", (int)(m - n - 1),
			    line + n + 1);
			return (buf);
		}
	}
	(void)strlcpy(buf, name, len);
	return (buf);
}

/* --- requests ------------------------------------------------------------- */

static enum checkup_next
with_key(const struct checkup *ck, struct checkup_request *cr, int bad)
{
	/* What does not fit makes no request. */
	if (bad || plane_auth(cr->cr_header, sizeof(cr->cr_header),
	    ck->ck_token) == -1)
		cr->cr_url[0] = '\0';
	return (CHECKUP_ON);
}

static enum checkup_next
make_me(struct checkup *ck, struct checkup_request *cr)
{
	return (with_key(ck, cr, plane_me_url(cr->cr_url, sizeof(cr->cr_url),
	    ck->ck_url) == -1));
}

static enum checkup_next
below(const struct checkup *ck, struct checkup_request *cr, const char *tail)
{
	return (with_key(ck, cr, plane_url(cr->cr_url, sizeof(cr->cr_url),
	    ck->ck_url, ck->ck_place, ck->ck_part, "%s", tail) == -1));
}

static enum checkup_next
make_project(struct checkup *ck, struct checkup_request *cr)
{
	return (below(ck, cr, ""));
}

static enum checkup_next
make_states(struct checkup *ck, struct checkup_request *cr)
{
	return (below(ck, cr, "states/?per_page=100"));
}

static enum checkup_next
make_labels(struct checkup *ck, struct checkup_request *cr)
{
	return (below(ck, cr, "labels/?per_page=1"));
}

/* Later versions call them work items and know this name, too. */
static enum checkup_next
make_items(struct checkup *ck, struct checkup_request *cr)
{
	return (below(ck, cr, "issues/?per_page=1"));
}

static enum checkup_next
make_write(struct checkup *ck, struct checkup_request *cr)
{
	cr->cr_method = "PATCH";
	cr->cr_body = "{}";
	return (below(ck, cr, "issues/" NO_ITEM "/"));
}

/* --- answers -------------------------------------------------------------- */

static enum checkup_next
judge_me(struct checkup *ck, const struct http_reply *hp)
{
	char id[PLANE_ID], name[100] = "", err[160];
	json_t *j;

	if (hp->hp_status == 401 || hp->hp_status == 403)
		return (checkup_odd(ck, "key", hp, "Plane does not know this "
		    "key: make one as the bot user (Settings, Personal "
		    "Access Tokens) and put it into the file that orchd.conf "
		    "names"));
	if (hp->hp_status != 200)
		return (checkup_odd(ck, "key", hp, "is this the address of "
		    "Plane, without /api/v1?"));
	if (plane_object_id(hp->hp_body, hp->hp_len, id, err, sizeof(err)) ==
	    -1) {
		checkup_say(ck, FOUND_FAIL, "key", "HTTP 200, but %s: is %s "
		    "the address of Plane itself?", err, ck->ck_url);
		return (CHECKUP_END);
	}
	/* It was an object a moment ago. */
	if ((j = answer_read(hp->hp_body, hp->hp_len, err, sizeof(err))) !=
	    NULL)
		(void)answer_text(j, "display_name", name, sizeof(name), err,
		    sizeof(err));
	json_decref(j);
	checkup_say(ck, FOUND_OK, "key", "it is of the user %s", name[0] !=
	    '\0' ? name : id);
	if (hp->hp_remaining >= 0 && hp->hp_remaining < RATE_LOW)
		checkup_say(ck, FOUND_WARN, "rate", "only %lld requests of "
		    "this key are left in this minute: who else uses it?  "
		    "API_KEY_RATE_LIMIT raises the limit",
		    (long long)hp->hp_remaining);
	return (CHECKUP_ON);
}

/* What a page of Plane needs a member of the project for. */
static enum checkup_next
not_seen(const struct checkup *ck, const char *what,
    const struct http_reply *hp)
{
	return (checkup_odd(ck, what, hp, "add the bot user to the project "
	    "as a Member (Project settings, Members), and " SEE_CONF ": "
	    "workspace is the slug and project the UUID of its address"));
}

static enum checkup_next
judge_project(struct checkup *ck, const struct http_reply *hp)
{
	char err[160], name[100] = "";
	json_t *j;

	if (hp->hp_status != 200)
		return (not_seen(ck, "project", hp));
	if ((j = answer_read(hp->hp_len > 0 ? hp->hp_body : "", hp->hp_len,
	    err, sizeof(err))) == NULL) {
		checkup_say(ck, FOUND_FAIL, "project", "its answer: %s", err);
		return (CHECKUP_END);
	}
	(void)answer_text(j, "identifier", name, sizeof(name), err,
	    sizeof(err));
	checkup_say(ck, FOUND_OK, "project", "%s in the workspace %s", name,
	    ck->ck_place);
	json_decref(j);
	return (CHECKUP_ON);
}

/* A name that differs by case or blanks alone is a slip. */
static const char *
near(const struct plane_states *pt, const char *name)
{
	size_t i;

	for (i = 0; i < pt->pt_n; i++)
		if (strcasecmp(pt->pt_state[i].ps_name, name) == 0)
			return (pt->pt_state[i].ps_name);
	return (NULL);
}

static const struct plane_state *
state_named(const struct plane_states *pt, const char *name)
{
	size_t i;

	for (i = 0; i < pt->pt_n; i++)
		if (strcmp(pt->pt_state[i].ps_name, name) == 0)
			return (&pt->pt_state[i]);
	return (NULL);
}

static void
status_judge(const struct checkup *ck, const struct checkup_status *st)
{
	char name[PLANE_NAME], what[64];
	const struct plane_state *ps;
	const char *like;

	(void)snprintf(what, sizeof(what), "status %s", st->st_name);
	(void)called(ck, st->st_name, name, sizeof(name));
	if ((ps = state_named(&ck->ck_states, name)) == NULL) {
		like = near(&ck->ck_states, name);
		checkup_say(ck, FOUND_FAIL, what, "%s%s%s\"%s\" is missing, "
		    "so %s: %s (Project settings, States)", like == NULL ? "" :
		    "there is \"", like == NULL ? "" : like, like == NULL ? "" :
		    "\", but ", name, st->st_use, like == NULL ?
		    "add a state of exactly this name" :
		    "rename it, upper and lower case count");
		return;
	}
	/* What Plane counts as open or closed; orchd goes by the name. */
	if ((strcmp(st->st_group, "completed") == 0 ||
	    strcmp(st->st_group, "cancelled") == 0 ||
	    strcmp(ps->ps_group, "completed") == 0 ||
	    strcmp(ps->ps_group, "cancelled") == 0) &&
	    strcmp(ps->ps_group, st->st_group) != 0)
		checkup_say(ck, FOUND_WARN, what, "it is in the group %s; "
		    "Plane counts its items right in the group %s",
		    ps->ps_group, st->st_group);
	else
		checkup_say(ck, FOUND_OK, what, "%s (%s)", name,
		    ps->ps_group);
}

static enum checkup_next
judge_states(struct checkup *ck, const struct http_reply *hp)
{
	const struct checkup_status *st;
	char err[160];

	if (hp->hp_status != 200)
		return (not_seen(ck, "statuses", hp));
	if (plane_states_add(&ck->ck_states, &ck->ck_cursor, hp->hp_body,
	    hp->hp_len, err, sizeof(err)) == -1) {
		checkup_say(ck, FOUND_FAIL, "statuses", "they cannot be read: "
		    "%s", err);
		return (CHECKUP_ON);
	}
	for (st = checkup_statuses; st->st_name != NULL; st++)
		status_judge(ck, st);
	return (CHECKUP_ON);
}

static enum checkup_next
judge_list(struct checkup *ck, const struct http_reply *hp)
{
	const char *what = ck->ck_step->cs_what;

	if (hp->hp_status != 200)
		return (not_seen(ck, what, hp));
	checkup_say(ck, FOUND_OK, what, "they can be read");
	return (CHECKUP_ON);
}

static enum checkup_next
judge_write(struct checkup *ck, const struct http_reply *hp)
{
	if (hp->hp_status == 404)
		checkup_say(ck, FOUND_OK, "changes", "the key may set "
		    "statuses and comment");
	else if (hp->hp_status == 401 || hp->hp_status == 403)
		(void)checkup_odd(ck, "changes", hp, "the bot user is a Guest "
		    "of the project: make it a Member (Project settings, "
		    "Members)");
	else
		(void)checkup_odd(ck, "changes", hp, "404 would say that the "
		    "key may change items");
	return (CHECKUP_ON);
}

const struct checkup_step checkup_tracker[] = {
	{ "key", make_me, judge_me },
	{ "project", make_project, judge_project },
	{ "statuses", make_states, judge_states },
	{ "labels", make_labels, judge_list },
	{ "items", make_items, judge_list },
	{ "changes", make_write, judge_write },
	{ NULL, NULL, NULL }
};
