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

#include <bsd/string.h>

#include "libcommon/git_merge.h"
#include "libcommon/log.h"

#include "finalizerd.h"

/*
 * The forge compares the request's head and merges a request once; the target
 * is compared by nobody.  So the request says whether it landed and as what,
 * and the tree of that says whether it was tested.
 */

#define MERGEABLE	"check_branch_mergeable"

const char *
landing_method(const struct worker *w)
{
	const char *m = worker_option(w, "merge_method", "");

	return (m[0] == '\0' || w->w_forge->f_landed == NULL ? NULL : m);
}

int
landing_holds(struct worker *w, const char *target, const char *head)
{
	char a[GIT_OID_SIZE], b[GIT_OID_SIZE], err[256];
	int yes;

	if (git_is_ancestor(&w->w_repo, head, target, &yes, err,
	    sizeof(err)) == GIT_OK) {
		if (yes)
			return (1);
		if (git_tree_of(&w->w_repo, target, a, err, sizeof(err)) ==
		    GIT_OK && git_tree_of(&w->w_repo, head, b, err,
		    sizeof(err)) == GIT_OK)
			return (strcmp(a, b) == 0);
	}
	log_warnx("task %s: %s", w->w_go->task, err);
	return (-1);
}

/* Merged with this head: is what became of it in the target? */
static enum probe
landing_contained(struct worker *w, struct ref_effect *re, const char *head,
    const char *commit, char *ev, size_t evlen)
{
	int yes;

	if (strcmp(head, re->re_new) != 0) {
		(void)snprintf(ev, evlen, "the pull request was merged with "
		    "%.40s and not with %.40s", head, re->re_new);
		return (PROBE_CONFLICT);
	}
	if (git_is_ancestor(&w->w_repo, commit, re->re_held, &yes, ev,
	    evlen) != GIT_OK)
		return (PROBE_UNKNOWN);
	if (!yes) {
		(void)snprintf(ev, evlen, "the pull request is merged as "
		    "%.40s, but %s is %.40s and does not contain it", commit,
		    re->re_branch, re->re_held);
		return (PROBE_UNKNOWN);
	}
	(void)strlcpy(re->re_landed, commit, sizeof(re->re_landed));
	(void)snprintf(ev, evlen, "%.40s is merged as %.40s, and %s (%.40s) "
	    "contains that", head, commit, re->re_branch, re->re_held);
	return (PROBE_DONE);
}

/* Not merged: may it be, with the target as it is? */
static enum probe
landing_open(struct worker *w, struct ref_effect *re, char *ev, size_t evlen)
{
	int yes;

	if (landing_holds(w, re->re_held, re->re_new) != 0) {
		/* A merge that the server has not noted yet, or a push. */
		(void)snprintf(ev, evlen, "%s (%.40s) has what %.40s has, "
		    "but the pull request is not merged", re->re_branch,
		    re->re_held, re->re_new);
		return (PROBE_UNKNOWN);
	}
	if (git_is_ancestor(&w->w_repo, re->re_held, re->re_new, &yes, ev,
	    evlen) != GIT_OK)
		return (PROBE_UNKNOWN);
	if (!yes) {
		(void)snprintf(ev, evlen, "%s moved from %.40s to %.40s",
		    re->re_branch, re->re_old, re->re_held);
		return (PROBE_CONFLICT);
	}
	(void)strlcpy(re->re_old, re->re_held, sizeof(re->re_old));
	(void)snprintf(ev, evlen, "the pull request is not merged by %s",
	    landing_method(w));
	return (PROBE_TODO);
}

enum probe
landing_probe(struct worker *w, struct ref_effect *re, char *ev, size_t evlen)
{
	char head[GIT_OID_SIZE], commit[GIT_OID_SIZE];
	enum forge_result r;

	r = w->w_forge->f_landed(w, head, commit, ev, evlen);
	if (r != FORGE_OK && r != FORGE_NOTFOUND)
		return (PROBE_UNKNOWN);
	/* The target after the request, so that it has what is said of it. */
	switch (w->w_forge->f_head(w, re->re_branch, re->re_held, ev,
	    evlen)) {
	case FORGE_OK:
		break;
	case FORGE_NOTFOUND:
		(void)snprintf(ev, evlen, "branch %s does not exist",
		    re->re_branch);
		return (PROBE_CONFLICT);
	case FORGE_STALE:
	case FORGE_RED:
	case FORGE_CONFLICT:
	case FORGE_BLOCKED:
	case FORGE_STOPPED:
	case FORGE_UNKNOWN:
		return (PROBE_UNKNOWN);
	}
	return (r == FORGE_OK ? landing_contained(w, re, head, commit, ev,
	    evlen) : landing_open(w, re, ev, evlen));
}

enum step
landing_read(struct worker *w, char head[GIT_OID_SIZE],
    char commit[GIT_OID_SIZE])
{
	char err[256];

	switch (w->w_forge->f_landed(w, head, commit, err, sizeof(err))) {
	case FORGE_OK:
		return (STEP_NEXT);
	case FORGE_NOTFOUND:
		head[0] = commit[0] = '\0';
		return (STEP_NEXT);
	case FORGE_STALE:
	case FORGE_RED:
	case FORGE_CONFLICT:
	case FORGE_BLOCKED:
	case FORGE_STOPPED:
	case FORGE_UNKNOWN:
		break;
	}
	return (worker_end(w, GATE_ERROR, forge_cause(w), MERGEABLE, "%s%s",
	    err, forge_advice(w)));
}

void
landing_conflict(struct worker *w, const char *target, const char *head)
{
	const char *method = landing_method(w), *task = w->w_go->task;
	struct git_list files = { NULL, 0 };
	char commit[GIT_OID_SIZE], names[256], err[256];
	size_t len = sizeof(w->w_out.o_reason);

	if (method != NULL && strcmp(method, "rebase") == 0 &&
	    git_replay(&w->w_repo, target, head, commit, &files, err,
	    sizeof(err)) == GIT_CONFLICT) {
		edge_conflicts(&files, names, sizeof(names));
		/*
		 * A developer cannot cure it: what he adds comes after that
		 * commit, and nothing that is published is rewritten.
		 */
		(void)snprintf(w->w_out.o_reason, len, "nothing has landed: "
		    "by rebase commit %.7s conflicts with %s at %.7s in: %s. "
		    "All commits together do not: set merge-method squash (or "
		    "merge) for the project in orchd.conf, orchctl reload, "
		    "then orchctl retry %s", commit, w->w_go->target, target,
		    names, task);
		w->w_out.o_cause = CAUSE_INFRA;
	} else
		(void)snprintf(w->w_out.o_reason, len, "the forge says that "
		    "%s conflicts with %s, and a merge here finds no conflict; "
		    "nothing was seen to land. Look at the pull request: "
		    "merge it there by hand, or set another merge-method for "
		    "the project in orchd.conf and orchctl reload; then "
		    "orchctl retry %s", w->w_go->branch, w->w_go->target,
		    task);
	git_list_free(&files);
}

enum step
landing_retest(struct worker *w, const char *commit, const char *tree,
    const char *previous, const char *head)
{
	char said[512];
	enum step r;

	log_warnx("task %s: %.7s landed as %.7s, which has another tree: "
	    "nobody has tested that", w->w_go->task, head, commit);
	if ((r = wire_landed(w, commit, tree, previous, head, "")) !=
	    STEP_NEXT)
		return (r);
	if ((r = wire_gate(w, MERGEABLE, commit)) == STEP_NEXT &&
	    worker_option_num(w, "coverage", 0, 1, 0))
		r = wire_gate(w, "check_coverage", commit);
	if (r == STEP_NEXT)
		r = image_run(w, commit);
	if (r == STEP_END) {
		(void)strlcpy(said, w->w_out.o_reason, sizeof(said));
		(void)snprintf(w->w_out.o_reason, sizeof(w->w_out.o_reason),
		    "%s was merged as %.7s on a target that had moved: that "
		    "tree is not what was tested, and %s", w->w_go->branch,
		    commit, said);
	}
	return (r);
}
