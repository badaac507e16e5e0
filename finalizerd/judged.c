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

#include "libcommon/log.h"

#include "finalizerd.h"

/*
 * A head of the branch that is not the one which was judged: a merge commit of
 * ours.  What people and the reviewer said holds for it when target..branch
 * is still the same patch.
 */

enum step
judged_read(struct worker *w, const char *target, const char *commit,
    struct judged *jd)
{
	const struct orch_run_go *go = w->w_go;
	struct git_repo *repo = &w->w_repo;
	char err[256];

	memset(jd, 0, sizeof(*jd));
	if (git_patch_id(repo, target, go->head, jd->jd_patch_judged, err,
	    sizeof(err)) == GIT_OK && git_patch_id(repo, target, commit,
	    jd->jd_patch, err, sizeof(err)) == GIT_OK &&
	    git_code_tree(repo, commit, go->task, jd->jd_tree, err,
	    sizeof(err)) == GIT_OK && git_artifact_hashes(repo, commit,
	    go->task, &jd->jd_artifacts, err, sizeof(err)) == GIT_OK) {
		(void)strlcpy(jd->jd_commit, commit, sizeof(jd->jd_commit));
		return (STEP_NEXT);
	}
	return (worker_end(w, GATE_ERROR, CAUSE_INFRA,
	    "check_branch_mergeable", "%s", err));
}

void
judged_say(struct worker *w, const char *commit, const struct judged *jd)
{
	(void)strlcpy(w->w_out.o_head, commit, sizeof(w->w_out.o_head));
	if (jd != NULL)
		w->w_out.o_judged = *jd;
	else
		memset(&w->w_out.o_judged, 0, sizeof(w->w_out.o_judged));
}

enum step
judged_keeps(struct worker *w, const char *target, const struct judged *jd)
{
	const struct orch_run_go *go = w->w_go;

	if (strcmp(jd->jd_patch, jd->jd_patch_judged) == 0) {
		log_info("task %s: %.7s is the same patch as %.7s (%.7s): it "
		    "stays judged", go->task, jd->jd_commit, go->head,
		    jd->jd_patch);
		return (STEP_NEXT);
	}
	return (worker_end(w, GATE_FAIL, CAUSE_CONFLICT,
	    "check_branch_mergeable", "%s at %.7s has changed what the "
	    "branch changes too: merged with it, %.7s is another patch than "
	    "the one that was reviewed. Merge %s into the branch and hand "
	    "the result in", go->target, target, go->head, go->target));
}
