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
#include "libcommon/git_run.h"
#include "libcommon/log.h"

#include "finalizerd.h"

/*
 * The side-effectful edge deploy-staging -> deploy in the order of R-29.  Two
 * marks in the mirror let a second worker continue what a dead one began:
 * land-tip is the commit that passed all gates and was about to land,
 * land-from what the target held then.
 */

#define MERGEABLE	"check_branch_mergeable"

struct edge {
	char	e_target[GIT_OID_SIZE];		/* T: the target's head */
	char	e_branch[GIT_OID_SIZE];		/* H: the branch's head */
	char	e_merge[GIT_OID_SIZE];		/* M: what is tested, lands */
	char	e_previous[GIT_OID_SIZE];	/* T before the landing */
	char	e_commit[GIT_OID_SIZE];		/* what landed; "": M itself */
	char	e_tree[GIT_OID_SIZE];		/* its tree */
	struct judged e_judged;			/* M, when it is not H */
	int	e_landed;	/* the target contains H already */
	int	e_tested;	/* and it was M with all gates passed */
	int	e_after;	/* what landed was tested after that */
};

static enum step
edge_infra(struct worker *w, const char *err)
{
	return (worker_end(w, GATE_ERROR, CAUSE_INFRA, MERGEABLE, "%s", err));
}

/* 1 or 0; -1: git could not say, which is neither. */
static int
edge_contains(struct worker *w, const char *whole, const char *part)
{
	char err[256];
	int yes;

	if (git_is_ancestor(&w->w_repo, part, whole, &yes, err,
	    sizeof(err)) == GIT_OK)
		return (yes);
	log_warnx("task %s: %s", w->w_go->task, err);
	return (-1);
}

static enum step
edge_head(struct worker *w, const char *branch, char oid[GIT_OID_SIZE])
{
	char err[256];

	switch (w->w_forge->f_head(w, branch, oid, err, sizeof(err))) {
	case FORGE_OK:
		return (STEP_NEXT);
	case FORGE_NOTFOUND:
		return (worker_end(w, GATE_ERROR, CAUSE_MOVED, MERGEABLE,
		    "branch %s does not exist", branch));
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

/*
 * The target contains the branch, or what the forge made of it: by us (the
 * marks say it) or by hand.
 */
static void
edge_adopt(struct worker *w, struct edge *e)
{
	char tip[GIT_OID_SIZE], from[GIT_OID_SIZE];

	e->e_landed = 1;
	(void)strlcpy(e->e_merge, e->e_branch, sizeof(e->e_merge));
	if (mark_get(w, "land-tip", tip) == -1 ||
	    !mark_is_tip(w, tip, w->w_go->head) ||
	    (e->e_commit[0] != '\0' ? strcmp(tip, e->e_branch) != 0 :
	    edge_contains(w, e->e_target, tip) != 1))
		return;
	e->e_tested = 1;
	(void)strlcpy(e->e_merge, tip, sizeof(e->e_merge));
	if (mark_get(w, "land-from", from) == 0 &&
	    edge_contains(w, tip, from) == 1)
		(void)strlcpy(e->e_previous, from, sizeof(e->e_previous));
}

/*
 * The target contains the branch, and its request is open: the server has not
 * noted its merge yet, or somebody pushed.  As what it landed it has to say.
 */
static enum step
edge_unmerged(struct worker *w)
{
	return (worker_end(w, GATE_ERROR, forge_cause(w), MERGEABLE,
	    "%s has what %s has already, but the forge does not call its pull "
	    "request merged: mark it there as merged by hand",
	    w->w_go->target, w->w_go->branch));
}

/*
 * Read T and H.  H is the head that the gates judged, or the merge commit that
 * a predecessor pushed as its fast-forward.
 */
static enum step
edge_read(struct worker *w, struct edge *e)
{
	const struct orch_run_go *go = w->w_go;
	struct judged jd;
	enum step r;

	memset(e, 0, sizeof(*e));
	if (landing_method(w) != NULL && (r = landing_read(w, e->e_branch,
	    e->e_commit)) != STEP_NEXT)
		return (r);
	if ((r = edge_head(w, go->target, e->e_target)) != STEP_NEXT ||
	    (e->e_commit[0] == '\0' && (r = edge_head(w, go->branch,
	    e->e_branch)) != STEP_NEXT))
		return (r);
	if (strcmp(e->e_branch, go->head) != 0 &&
	    !mark_is_tip(w, e->e_branch, go->head))
		return (worker_end(w, GATE_ERROR, CAUSE_MOVED, MERGEABLE,
		    "%s is %.40s and not %.40s, which the gates judged",
		    go->branch, e->e_branch, go->head));
	if (strcmp(e->e_branch, go->head) == 0)
		judged_say(w, e->e_branch, NULL);
	else if ((r = judged_read(w, e->e_target, e->e_branch, &jd)) !=
	    STEP_NEXT)
		return (r);
	else
		judged_say(w, e->e_branch, &jd);
	if (e->e_commit[0] != '\0') {
		edge_adopt(w, e);
		return (STEP_NEXT);
	}
	/* In doubt nothing is merged that may have been merged before. */
	switch (landing_method(w) != NULL ? landing_holds(w, e->e_target,
	    e->e_branch) : edge_contains(w, e->e_target, e->e_branch)) {
	case 1:
		if (landing_method(w) != NULL)
			return (edge_unmerged(w));
		edge_adopt(w, e);
		return (STEP_NEXT);
	case 0:
		return (STEP_NEXT);
	default:
		return (edge_infra(w, "git cannot say whether the target "
		    "contains the branch"));
	}
}

/* Staging and security judge H, before the heavy part. */
static enum step
edge_gates_head(struct worker *w)
{
	const char *head = w->w_go->head;
	enum step r;

	if (worker_option_num(w, "staging", 0, 1, 1) &&
	    (r = staging_run(w)) != STEP_NEXT)
		return (r);
	if (worker_option_num(w, "security", 0, 1, 0))
		return (wire_gate(w, "check_security", head));
	return (STEP_NEXT);
}

void
edge_conflicts(const struct git_list *list, char *buf, size_t len)
{
	char name[160];
	size_t i;

	buf[0] = '\0';
	for (i = 0; i < list->gl_n; i++) {
		git_escape(name, sizeof(name), list->gl_item[i].ge_path,
		    strlen(list->gl_item[i].ge_path));
		if (strlcat(buf, i == 0 ? "" : ", ", len) >= len ||
		    strlcat(buf, name, len) >= len)
			return;		/* the first ones say enough */
	}
}

/* Make M of T and H; a conflict is for the developer, with the file list. */
static enum step
edge_make(struct worker *w, struct edge *e)
{
	const struct orch_run_go *go = w->w_go;
	struct git_list list = { NULL, 0 };
	char msg[256], err[256], files[800];
	enum git_result r;

	(void)snprintf(msg, sizeof(msg), "Merge %s into %s\n\n"
	    "Work-Item: %s\n", go->target, go->branch, go->task);
	r = git_make_merge(&w->w_repo, e->e_target, e->e_branch, msg,
	    e->e_merge, &list, err, sizeof(err));
	edge_conflicts(&list, files, sizeof(files));
	git_list_free(&list);
	if (r == GIT_CONFLICT)
		return (worker_end(w, GATE_FAIL, CAUSE_CONFLICT, MERGEABLE,
		    "conflict with %s at %.7s in: %s", go->target,
		    e->e_target, files));
	if (r != GIT_OK)
		return (edge_infra(w, err));
	if (strcmp(e->e_merge, e->e_branch) != 0)
		log_info("task %s: behind %s: merge commit %.7s of %.7s and "
		    "%.7s", go->task, go->target, e->e_merge, e->e_branch,
		    e->e_target);
	return (STEP_NEXT);
}

/* What was judged is what would land, or the developer merges himself. */
static enum step
edge_judged(struct worker *w, struct edge *e)
{
	enum step r;

	if (strcmp(e->e_merge, w->w_go->head) == 0)
		return (STEP_NEXT);
	if ((r = judged_read(w, e->e_target, e->e_merge, &e->e_judged)) !=
	    STEP_NEXT)
		return (r);
	return (judged_keeps(w, e->e_target, &e->e_judged));
}

/* Remember what lands, and on what, before the first effect on it. */
static enum step
edge_mark(struct worker *w, struct edge *e)
{
	enum step r;

	if ((r = mark_set(w, "land-tip", e->e_merge)) != STEP_NEXT)
		return (r);
	return (mark_set(w, "land-from", e->e_target));
}

/* The merge commit becomes the branch's head: a fast-forward of H. */
static enum step
edge_push(struct worker *w, struct edge *e)
{
	const struct orch_run_go *go = w->w_go;
	struct ref_effect re = { .re_branch = go->branch,
	    .re_new = e->e_merge };
	char key[256];
	enum step r;

	if (strcmp(e->e_merge, go->head) == 0)
		return (STEP_NEXT);
	if (strcmp(e->e_judged.jd_commit, e->e_merge) != 0 &&
	    (r = judged_read(w, e->e_target, e->e_merge, &e->e_judged)) !=
	    STEP_NEXT)
		return (r);
	(void)strlcpy(re.re_old, e->e_branch, sizeof(re.re_old));
	(void)snprintf(key, sizeof(key), "push:%s:r%u:%s", go->task,
	    go->round, e->e_merge);
	if ((r = effect_do(w, &effect_push, key, &re)) != STEP_NEXT ||
	    (r = mark_set(w, "task", e->e_merge)) != STEP_NEXT)
		return (r);
	judged_say(w, e->e_merge, &e->e_judged);
	return (wire_pull(w, PULL_UPDATE, e->e_merge, "", NULL, NULL));
}

/* The forge lands nothing before CI has judged it, nor what conflicts. */
static void
edge_unlanded(struct worker *w, const struct edge *e,
    enum forge_result tried)
{
	if (tried == FORGE_CONFLICT)
		landing_conflict(w, e->e_target, e->e_merge);
	else if (tried == FORGE_RED) {
		w->w_out.o_verdict = GATE_FAIL;
		w->w_out.o_cause = CAUSE_RED;
		(void)strlcpy(w->w_out.o_gate, MERGEABLE,
		    sizeof(w->w_out.o_gate));
	} else if (tried == FORGE_BLOCKED)
		w->w_out.o_cause = CAUSE_TIMEOUT;
	else if (tried == FORGE_STOPPED)
		w->w_out.o_cause = CAUSE_STOPPED;
}

static enum step
edge_land(struct worker *w, struct edge *e)
{
	const struct orch_run_go *go = w->w_go;
	struct ref_effect re = { .re_branch = go->target,
	    .re_new = e->e_merge };
	char key[256];
	enum step r;

	(void)strlcpy(re.re_old, e->e_target, sizeof(re.re_old));
	(void)snprintf(key, sizeof(key), "merge:%s:r%u:%s", go->task,
	    go->round, e->e_merge);
	r = effect_do(w, &effect_merge, key, &re);
	if (r == STEP_END && w->w_out.o_cause == CAUSE_MOVED)
		return (STEP_AGAIN);
	if (r == STEP_END)
		edge_unlanded(w, e, re.re_tried);
	(void)strlcpy(e->e_commit, re.re_landed, sizeof(e->e_commit));
	if (e->e_previous[0] == '\0' && !e->e_landed)
		(void)strlcpy(e->e_previous, re.re_old,
		    sizeof(e->e_previous));
	return (r);
}

/* One pass of R-20: make M, judge it, push it, land it. */
static enum step
edge_attempt(struct worker *w, struct edge *e)
{
	enum step r;

	if ((r = edge_make(w, e)) != STEP_NEXT ||
	    (r = edge_judged(w, e)) != STEP_NEXT ||
	    (r = wire_gate(w, MERGEABLE, e->e_merge)) != STEP_NEXT)
		return (r);
	if (worker_option_num(w, "coverage", 0, 1, 0) &&
	    (r = wire_gate(w, "check_coverage", e->e_merge)) != STEP_NEXT)
		return (r);
	if ((r = edge_mark(w, e)) != STEP_NEXT ||
	    (r = edge_push(w, e)) != STEP_NEXT)
		return (r);
	if ((r = image_run(w, e->e_merge)) != STEP_NEXT)
		return (r);
	return (edge_land(w, e));
}

/* A target that moves meanwhile starts the pass again, bounded. */
static enum step
edge_merge(struct worker *w, struct edge *e)
{
	long long most, i;
	enum step r;

	most = worker_option_num(w, "merge_infra_max_retries", 0, 100, 3);
	for (i = 0; (r = edge_attempt(w, e)) == STEP_AGAIN; i++) {
		if (i == most) {
			w->w_out.o_verdict = GATE_ERROR;
			return (STEP_END);
		}
		log_info("task %s: %s moved during the re-test, again",
		    w->w_go->task, w->w_go->target);
		if ((r = edge_read(w, e)) != STEP_NEXT)
			return (r);
		if (e->e_landed)
			return (STEP_AGAIN);
	}
	return (r);
}

/*
 * The branch is in the target before this worker merged.  With the marks all
 * gates have passed and the journal gets its end; without them somebody merged
 * by hand, and the tree needs a pass like any other.
 */
static enum step
edge_landed(struct worker *w, struct edge *e)
{
	enum step r;

	log_info("task %s: %s contains %.7s already%s", w->w_go->task,
	    w->w_go->target, e->e_merge,
	    e->e_tested ? "" : ", merged by somebody else");
	if (!e->e_tested &&
	    (r = wire_gate(w, MERGEABLE, e->e_merge)) != STEP_NEXT)
		return (r);
	/* A pass on record is answered at once; only its number counts. */
	if (worker_option_num(w, "coverage", 0, 1, 0))
		(void)wire_gate(w, "check_coverage", e->e_merge);
	/* A request that is merged had its branch; it may be gone by now. */
	if (e->e_commit[0] == '\0' && (r = edge_push(w, e)) != STEP_NEXT)
		return (r);
	return (edge_land(w, e));
}

/* the target, read again, contains what landed, of the tested tree. */
static enum step
edge_readback(struct worker *w, struct edge *e)
{
	const char *landed = e->e_commit[0] != '\0' ? e->e_commit :
	    e->e_merge;
	char now[GIT_OID_SIZE], tested[GIT_OID_SIZE], err[256];
	enum step r;

	if ((r = edge_head(w, w->w_go->target, now)) != STEP_NEXT)
		return (r);
	if (edge_contains(w, now, landed) != 1)
		return (worker_end(w, GATE_ERROR, CAUSE_INFRA, MERGEABLE,
		    "read back: %s is %.40s and does not contain %.40s",
		    w->w_go->target, now, landed));
	if (git_tree_of(&w->w_repo, landed, e->e_tree, err,
	    sizeof(err)) != GIT_OK || git_tree_of(&w->w_repo, e->e_merge,
	    tested, err, sizeof(err)) != GIT_OK)
		return (edge_infra(w, err));
	if (strcmp(e->e_tree, tested) == 0)
		return (STEP_NEXT);
	e->e_after = 1;
	return (landing_retest(w, landed, e->e_tree, e->e_previous,
	    e->e_merge));
}

/* Tell the engine that it landed, then move the task. */
static enum step
edge_move(struct worker *w, struct edge *e)
{
	const struct orch_run_go *go = w->w_go;
	int made = e->e_commit[0] != '\0';
	const char *landed = made ? e->e_commit : e->e_merge;
	char why[200];
	enum step r;

	if ((r = wire_pull(w, PULL_MERGED, e->e_branch, landed, NULL,
	    NULL)) != STEP_NEXT ||
	    (r = wire_landed(w, landed, e->e_tree, e->e_previous,
	    made ? e->e_merge : "", !made ? "" : e->e_after ? landed :
	    e->e_merge)) != STEP_NEXT)
		return (r);
	(void)snprintf(why, sizeof(why),
	    "merged %.7s into %.80s%s%.7s, %s", e->e_merge, go->target,
	    made ? " as " : "", made ? landed : "",
	    !worker_option_num(w, "retest", 0, 1, 1) ?
	    "not tested: no merge gate" : e->e_after ?
	    "landed tree tested after that" : "tested tree = landed tree");
	if ((r = wire_commit(w, "deploy", why)) != STEP_LEFT)
		return (r);
	/* Left behind they would do no harm: they are compared with H. */
	(void)mark_set(w, "land-tip", "");
	(void)mark_set(w, "land-from", "");
	w->w_out.o_verdict = GATE_PASS;
	return (STEP_LEFT);
}

enum step
edge_run(struct worker *w)
{
	struct edge e;
	enum step r;

	if (!git_branch_valid(w->w_go->branch) ||
	    !git_branch_valid(w->w_go->target) ||
	    !git_oid_valid(w->w_go->head))
		return (edge_infra(w, "edge without branch, target and head"));
	if ((r = edge_read(w, &e)) != STEP_NEXT)
		return (r);
	if (!e.e_landed) {
		if ((r = edge_gates_head(w)) != STEP_NEXT)
			return (r);
		r = edge_merge(w, &e);
	}
	if (e.e_landed)
		r = edge_landed(w, &e);
	if (r != STEP_NEXT)
		return (r);
	if ((r = edge_readback(w, &e)) != STEP_NEXT)
		return (r);
	return (edge_move(w, &e));
}
