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

#include <jansson.h>
#include <stddef.h>
#include <string.h>

#include "gitea_kind.h"
#include "http.h"

#define UNKNOWN	"unknown"

/*
 * The kinds, with the Event header that goes with each.  A kind that ends in
 * an underscore here stands for all Event-Types that begin so (Forgejo's
 * action_run_success, Gitea's issue_label).
 */
static const struct kind {
	const char	*k_name;	/* what orchd calls it */
	const char	*k_type;	/* X-Gitea-Event-Type */
	const char	*k_event;	/* X-Gitea-Event */
} kinds[] = {
	{ "push", "push", "push" },
	{ "create", "create", "create" },
	{ "delete", "delete", "delete" },
	{ "pull_request", "pull_request", "pull_request" },
	{ "pull_request_sync", "pull_request_sync", "pull_request" },
	{ "pull_request_label", "pull_request_label", "pull_request" },
	{ "pull_request_assign", "pull_request_assign", "pull_request" },
	{ "pull_request_milestone", "pull_request_milestone", "pull_request" },
	{ "pull_request_review_request", "pull_request_review_request",
	    "pull_request" },
	{ "pull_request_review_approved", "pull_request_review_approved",
	    "pull_request_approved" },
	{ "pull_request_review_rejected", "pull_request_review_rejected",
	    "pull_request_rejected" },
	{ "pull_request_review_comment", "pull_request_review_comment",
	    "pull_request_comment" },
	{ "pull_request_comment", "pull_request_comment", "issue_comment" },
	{ "issue_comment", "issue_comment", "issue_comment" },
	{ "issues", "issues", "issues" },
	{ "issues", "issue_", "issues" },
	{ "status", "status", "status" },
	{ "workflow_run", "workflow_run", "workflow_run" },
	{ "workflow_job", "workflow_job", "workflow_job" },
	{ "action_run", "action_run_", "action_run_" },
};
#define NKINDS	(sizeof(kinds) / sizeof(kinds[0]))

/* The action of a pull request's delivery, and the kind that it makes. */
static const struct {
	const char	*action;
	const char	*kind;
} pull_actions[] = {
	{ "synchronized", "pull_request_sync" },
	{ "label_updated", "pull_request_label" },
	{ "label_cleared", "pull_request_label" },
	{ "assigned", "pull_request_assign" },
	{ "unassigned", "pull_request_assign" },
	{ "milestoned", "pull_request_milestone" },
	{ "demilestoned", "pull_request_milestone" },
	{ "review_requested", "pull_request_review_request" },
	{ "review_request_removed", "pull_request_review_request" },
};

static const char *
text(json_t *obj, const char *key)
{
	return (json_string_value(json_object_get(obj, key)));
}

static int
has_object(json_t *obj, const char *key)
{
	return (json_is_object(json_object_get(obj, key)));
}

/* A review names its own kind inside the signed body. */
static const char *
review_kind(json_t *body)
{
	const char *type = text(json_object_get(body, "review"), "type");
	size_t i;

	for (i = 0; type != NULL && i < NKINDS; i++)
		if (strcmp(kinds[i].k_type, type) == 0 &&
		    strncmp(type, "pull_request_review_", 20) == 0 &&
		    strcmp(type, "pull_request_review_request") != 0)
			return (kinds[i].k_name);
	return (NULL);
}

static const char *
pull_kind(json_t *body)
{
	const char *action = text(body, "action");
	size_t i;

	if (action == NULL || !json_is_integer(json_object_get(body, "number")))
		return (NULL);
	if (strcmp(action, "reviewed") == 0)
		return (review_kind(body));
	for (i = 0; i < sizeof(pull_actions) / sizeof(pull_actions[0]); i++)
		if (strcmp(pull_actions[i].action, action) == 0)
			return (pull_actions[i].kind);
	return ("pull_request");
}

static const char *
issue_kind(json_t *body)
{
	if (!has_object(body, "comment"))
		return ("issues");
	if (json_is_true(json_object_get(body, "is_pull")) ||
	    has_object(json_object_get(body, "issue"), "pull_request"))
		return ("pull_request_comment");
	return ("issue_comment");
}

/* Kinds that are told by their top-level texts alone. */
static const char *
flat_kind(json_t *body)
{
	if (text(body, "ref_type") != NULL && text(body, "ref") != NULL)
		return (json_object_get(body, "pusher_type") != NULL ?
		    "delete" : "create");
	if (text(body, "before") != NULL && text(body, "after") != NULL &&
	    text(body, "ref") != NULL)
		return ("push");
	if (text(body, "sha") != NULL && text(body, "state") != NULL &&
	    text(body, "context") != NULL)
		return ("status");
	return (UNKNOWN);
}

/* A comment and a run may bring their pull request along (Gitea). */
static const char *
body_kind(json_t *body)
{
	if (has_object(body, "issue"))
		return (issue_kind(body));
	if (has_object(body, "workflow_run"))
		return ("workflow_run");
	if (has_object(body, "workflow_job"))
		return ("workflow_job");
	if (has_object(body, "pull_request"))
		return (pull_kind(body));
	if (has_object(body, "run"))
		return ("action_run");
	return (flat_kind(body));
}

/* "owner/name"; a run of Forgejo has its repository inside.  NULL: none. */
static const char *
repo_of(json_t *body)
{
	json_t *run = json_object_get(body, "run");

	return (text(json_object_get(has_object(body, "repository") ? body :
	    run, "repository"), "full_name"));
}

static struct http_slice
header(const struct http_head *head, const char *name)
{
	const struct http_header *hh = http_header_find(head, name);
	struct http_slice none = { "", 0 };

	return (hh != NULL ? hh->hh_value : none);
}

/* Equal, or a prefix where the pattern ends in an underscore. */
static int
matches(struct http_slice value, const char *pattern)
{
	size_t n = strlen(pattern);

	if (n > 0 && pattern[n - 1] == '_' && value.sl_n > n)
		value.sl_n = n;
	return (http_slice_is(value, pattern));
}

/*
 * Does the header go with the kind?  For "unknown": is it no header of a known
 * kind?  An empty header goes with everything.
 */
static int
header_agrees(struct http_slice value, const char *kind, int is_type)
{
	const char *pattern;
	size_t i;
	int known = 0;

	if (value.sl_n == 0)
		return (1);
	for (i = 0; i < NKINDS; i++) {
		pattern = is_type ? kinds[i].k_type : kinds[i].k_event;
		if (!matches(value, pattern))
			continue;
		known = 1;
		if (strcmp(kinds[i].k_name, kind) == 0)
			return (1);
	}
	return (!known && strcmp(kind, UNKNOWN) == 0);
}

const char *
gitea_kind(json_t *body, const struct http_head *head, const char **why)
{
	struct http_slice type, event;
	const char *kind;

	type = header(head, "X-Gitea-Event-Type");
	event = header(head, "X-Gitea-Event");
	*why = "no event header";
	if (type.sl_n == 0 && event.sl_n == 0)
		return (NULL);
	*why = "body lacks the fields of its kind";
	if ((kind = body_kind(body)) == NULL)
		return (NULL);
	if (strcmp(kind, UNKNOWN) != 0 && repo_of(body) == NULL)
		return (NULL);
	*why = "event header and body disagree";
	if (!header_agrees(type, kind, 1) || !header_agrees(event, kind, 0))
		return (NULL);
	*why = NULL;
	return (kind);
}

/* "refs/heads/x" and "x" are the branch x. */
static const char *
branch_of(const char *ref)
{
	return (ref != NULL && strncmp(ref, "refs/heads/", 11) == 0 ?
	    ref + 11 : ref);
}

/* The branch of a pull request; its label keeps it when the branch is gone. */
static const char *
pull_branch(json_t *pull)
{
	json_t *head = json_object_get(pull, "head");
	const char *ref = text(head, "ref"), *label = text(head, "label");
	const char *colon;

	if (ref == NULL || strncmp(ref, "refs/pull/", 10) != 0)
		return (ref);
	colon = label == NULL ? NULL : strchr(label, ':');
	return (colon != NULL ? colon + 1 : label);
}

int
gitea_about(json_t *body, struct delivery *dl)
{
	static const char *const runs[] = { "workflow_run", "workflow_job" };
	json_t *pull = json_object_get(body, "pull_request");
	const char *object = NULL;
	size_t i;

	if (strcmp(dl->dl_kind, UNKNOWN) == 0)
		return (0);
	if (json_is_object(pull))
		object = pull_branch(pull);
	else if (strcmp(dl->dl_kind, "status") == 0)
		object = text(body, "sha");
	else if (strcmp(dl->dl_kind, "action_run") == 0)
		object = text(json_object_get(body, "run"), "commit_sha");
	else if (text(body, "ref") != NULL)
		object = branch_of(text(body, "ref"));
	for (i = 0; i < sizeof(runs) / sizeof(runs[0]); i++)
		if (strcmp(dl->dl_kind, runs[i]) == 0)
			object = text(json_object_get(body, runs[i]),
			    "head_sha");
	return (delivery_text(dl->dl_project, repo_of(body)) == -1 ||
	    delivery_text(dl->dl_object, object) == -1 ? -1 : 0);
}
