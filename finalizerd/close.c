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
#include "libcommon/mutant.h"

#include "finalizerd.h"

/* What we published last: go's commit, or a merge commit on top of it. */
static void
close_expect(struct worker *w, char old[GIT_OID_SIZE])
{
	char err[256];

	if (w->w_forge->f_head(w, w->w_go->branch, old, err, sizeof(err)) ==
	    FORGE_OK && mark_is_tip(w, old, w->w_go->commit))
		return;
	(void)strlcpy(old, w->w_go->commit, GIT_OID_SIZE);
}

/*
 * What has landed cannot be cancelled.  A person may have asked while a merge
 * was under way, or in doubt; the engine takes this FAIL as the answer.
 */
static enum step
close_landed(struct worker *w)
{
	const struct orch_run_go *go = w->w_go;
	char target[GIT_OID_SIZE], tip[GIT_OID_SIZE], err[256] = "";
	char head[GIT_OID_SIZE];
	enum step r;
	int yes;

	if (go->branch[0] == '\0' || go->commit[0] == '\0')
		return (STEP_NEXT);	/* never published */
	/* Merged by hand, before its gates: it could not be ended else. */
	if (worker_option_num(w, "outside", 0, 1, 0) == 1)
		return (STEP_NEXT);
	if (landing_method(w) != NULL) {
		if ((r = landing_read(w, head, tip)) != STEP_NEXT)
			return (r);
		if (tip[0] != '\0')
			return (worker_end(w, GATE_FAIL, CAUSE_MOVED, "",
			    "%s is merged already, as %.7s: a merge cannot "
			    "be cancelled", go->branch, tip));
	}
	close_expect(w, tip);
	switch (w->w_forge->f_head(w, go->target, target, err, sizeof(err))) {
	case FORGE_OK:
		break;
	case FORGE_NOTFOUND:
		return (STEP_NEXT);
	case FORGE_STALE:
	case FORGE_RED:
	case FORGE_CONFLICT:
	case FORGE_BLOCKED:
	case FORGE_STOPPED:
	case FORGE_UNKNOWN:
		return (worker_end(w, GATE_ERROR, forge_cause(w), "", "%s%s",
		    err, forge_advice(w)));
	}
	if (git_is_ancestor(&w->w_repo, tip, target, &yes, err,
	    sizeof(err)) != GIT_OK)
		return (worker_end(w, GATE_ERROR, CAUSE_INFRA, "", "%s",
		    err));
	if (!yes)
		return (STEP_NEXT);
	return (worker_end(w, GATE_FAIL, CAUSE_MOVED, "", "%s contains %.7s "
	    "already: a merge cannot be cancelled", go->target, tip));
}

/* Delete the branch if it still is what we know; keep its state in a mark. */
static enum step
close_branch(struct worker *w, char *note, size_t notelen)
{
	const struct orch_run_go *go = w->w_go;
	struct ref_effect re = { .re_branch = go->branch, .re_new = "" };
	char key[256];
	enum step r;

	if (go->branch[0] == '\0' || go->commit[0] == '\0')
		return (STEP_NEXT);	/* never published */
	if (!git_branch_valid(go->branch) ||
	    strcmp(go->branch, go->target) == 0 ||
	    strcmp(go->branch, w->w_spec->records) == 0)
		return (worker_end(w, GATE_ERROR, CAUSE_INFRA, "",
		    "%s is not a task's branch: it is never deleted",
		    go->branch));
	close_expect(w, re.re_old);
	if ((r = mark_set(w, "keep", re.re_old)) != STEP_NEXT)
		return (r);
	(void)snprintf(key, sizeof(key), "branch-delete:%s:r%u", go->task,
	    go->round);
	r = effect_do(w, &effect_branch_delete, key, &re);
	if (r == STEP_END && w->w_out.o_cause == CAUSE_MOVED) {
		/* Somebody else works on it: it stays, the task ends. */
		(void)snprintf(note, notelen, "; branch kept: %.150s",
		    w->w_out.o_reason);
		return (STEP_NEXT);
	}
	if (r == STEP_NEXT)
		(void)snprintf(note, notelen,
		    "; branch deleted, kept as refs/orchd/keep/%s", go->task);
	return (r);
}

/* take the task's branch and pull request out of the world. */
enum step
close_run(struct worker *w)
{
	const struct orch_run_go *go = w->w_go;
	struct pull_effect pe = { .pe_head = go->head,
	    .pe_number = go->pull };
	char note[400] = "", reason[1000], key[256];
	enum step r;

	if ((!MUTANT(NO_CANCEL_PROBE) &&
	    (r = close_landed(w)) != STEP_NEXT) ||
	    (r = close_branch(w, note, sizeof(note))) != STEP_NEXT)
		return (r);
	(void)snprintf(key, sizeof(key), "pr-close:%s:r%u", go->task,
	    go->round);
	if ((r = effect_do(w, &effect_pull_close, key, &pe)) != STEP_NEXT)
		return (r);
	(void)snprintf(reason, sizeof(reason), "%.400s%s",
	    worker_option(w, "reason", "cancelled"), note);
	return (wire_commit(w, "cancelled", reason));
}
