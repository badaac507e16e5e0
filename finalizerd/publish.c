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

#include "finalizerd.h"

/* Pull requests are for stages in which there is code to look at. */
static int
wants_pull(const char *stage)
{
	return (strcmp(stage, "created") != 0 &&
	    strcmp(stage, "analysis") != 0 &&
	    strcmp(stage, "architecture") != 0);
}

/* Refuse what must never be pushed to, whatever the engine says. */
static enum step
publish_check(struct worker *w)
{
	const struct orch_run_go *go = w->w_go;

	if (!git_branch_valid(go->branch) || !git_oid_valid(go->head))
		return (worker_end(w, GATE_ERROR, CAUSE_INFRA, "",
		    "publish without a branch and its head"));
	if (strcmp(go->branch, go->target) == 0 ||
	    strcmp(go->branch, w->w_spec->records) == 0)
		return (worker_end(w, GATE_ERROR, CAUSE_INFRA, "",
		    "%s is not a task's branch: it is never pushed to",
		    go->branch));
	return (STEP_NEXT);
}

static enum step
publish_push(struct worker *w)
{
	const struct orch_run_go *go = w->w_go;
	struct ref_effect re = { .re_branch = go->branch,
	    .re_new = go->head };
	char key[256];

	(void)strlcpy(re.re_old, go->commit, sizeof(re.re_old));
	(void)snprintf(key, sizeof(key), "push:%s:r%u:%s", go->task,
	    go->round, go->head);
	return (effect_do(w, &effect_push, key, &re));
}

/* Open the pull request unless it is known, and tell it its new head. */
static enum step
publish_pull(struct worker *w)
{
	const struct orch_run_go *go = w->w_go;
	struct pull_effect pe = { .pe_head = go->head };
	char key[256];
	enum step r;

	if (!wants_pull(go->stage))
		return (STEP_NEXT);
	(void)snprintf(key, sizeof(key), "pr:%s:r%u", go->task, go->round);
	if (go->pull == 0 && (r = effect_do(w, &effect_pull_open, key,
	    &pe)) != STEP_NEXT)
		return (r);
	return (wire_pull(w, PULL_UPDATE, go->head, "", NULL, NULL));
}

/*
 * Bring what was imported to the forge: branch, the head that gates read, and
 * the pull request.  Moves no task.
 */
enum step
publish_run(struct worker *w)
{
	enum step r;

	if ((r = publish_check(w)) != STEP_NEXT ||
	    (r = publish_push(w)) != STEP_NEXT ||
	    (r = mark_set(w, "task", w->w_go->head)) != STEP_NEXT)
		return (r);
	(void)strlcpy(w->w_out.o_head, w->w_go->head,
	    sizeof(w->w_out.o_head));
	if ((r = publish_pull(w)) != STEP_NEXT)
		return (r);
	return (worker_end(w, GATE_PASS, CAUSE_NONE, "", "%s is %.7s",
	    w->w_go->branch, w->w_go->head));
}
