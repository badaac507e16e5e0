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

/* One start of a hook, of the deploy or of the rollback. */
struct start_effect {
	const char	*se_name;	/* of the effect */
	const char	*se_key;
	const char	*se_revision;	/* what shall serve */
	const char	*se_previous;	/* what serves now */
	char		 se_tree[GIT_OID_SIZE];
	int		 se_started;	/* the start is on record */
};

/*
 * The start record is the engine's: it answers hook_start for a key that was
 * started before with "duplicate", so asking is the probe.  Here is known only
 * what this worker was told.
 */
static enum probe
start_probe(struct worker *w, void *arg, char *ev, size_t evlen)
{
	const struct start_effect *se = arg;

	if (!se->se_started)
		return (PROBE_TODO);
	(void)snprintf(ev, evlen, "the hook's start is on record for %.40s",
	    se->se_revision);
	return (PROBE_DONE);
}

static int
start_apply(struct worker *w, void *arg, char *ev, size_t evlen)
{
	struct start_effect *se = arg;
	struct orch_hook_start m = { .epoch = w->w_epoch, .key = se->se_key,
	    .revision = se->se_revision, .tree = se->se_tree,
	    .previous = se->se_previous };
	union orch_any any;

	if (wire_call(w, ORCH_hook_start, &m, ORCH_ack, &any) == -1) {
		(void)strlcpy(ev, link_reason(w->w_link), evlen);
		return (0);	/* it may have been started: in doubt */
	}
	if (any.ack.result == RES_OK || any.ack.result == RES_DUPLICATE) {
		se->se_started = 1;
		return (0);
	}
	(void)snprintf(ev, evlen, "the engine does not start the hook: %s",
	    any.ack.text[0] != '\0' ? any.ack.text :
	    orch_result_name(any.ack.result));
	return (-1);
}

/*
 * A predecessor acts on the world through the engine alone.  That it renews
 * the intent under our epoch proves that ours is the newest: what an older one
 * has sent, and is still on its way, is refused.
 */
static int
start_quiesce(struct worker *w, void *arg, char *ev, size_t evlen)
{
	const struct start_effect *se = arg;
	struct orch_effect m = { .epoch = w->w_epoch, .name = se->se_name,
	    .key = se->se_key, .class = CLASS_PROBE };
	union orch_any any;

	if (wire_call(w, ORCH_effect, &m, ORCH_effect_answer, &any) == -1) {
		(void)strlcpy(ev, link_reason(w->w_link), evlen);
		return (-1);
	}
	if (any.effect_answer.result == RES_OK)
		return (0);
	(void)snprintf(ev, evlen, "%s", any.effect_answer.text);
	return (-1);
}

const struct effect_driver effect_deploy_start = {
	"deploy-start", CLASS_PROBE, start_probe, start_apply, start_quiesce
};

const struct effect_driver effect_rollback = {
	"rollback", CLASS_PROBE, start_probe, start_apply, start_quiesce
};

static enum step
start(struct worker *w, const struct effect_driver *ed, const char *word,
    const char *revision, const char *previous)
{
	struct start_effect se = { .se_name = ed->ed_name,
	    .se_revision = revision, .se_previous = previous };
	char key[256], err[256];
	enum step r;

	if (git_tree_of(&w->w_repo, revision, se.se_tree, err, sizeof(err)) !=
	    GIT_OK)
		return (worker_end(w, GATE_ERROR, CAUSE_INFRA, "", "%s", err));
	(void)snprintf(key, sizeof(key), "%s:%s:%s", word, w->w_go->task,
	    w->w_go->commit);
	se.se_key = key;
	if ((r = effect_do(w, ed, key, &se)) != STEP_NEXT)
		return (r);
	return (worker_end(w, GATE_PASS, CAUSE_NONE, "", "%s to %.7s was "
	    "started", word, revision));
}

/* Phase B: have the hook started for the landed commit, exactly once. */
enum step
deploy_run(struct worker *w)
{
	if (!git_oid_valid(w->w_go->commit))
		return (worker_end(w, GATE_ERROR, CAUSE_INFRA, "",
		    "deploy without a landed commit"));
	return (start(w, &effect_deploy_start, "deploy", w->w_go->commit,
	    w->w_go->base));
}

/* Production is degraded: have what served before deployed, exactly once. */
enum step
rollback_run(struct worker *w)
{
	if (!git_oid_valid(w->w_go->commit) || !git_oid_valid(w->w_go->base))
		return (worker_end(w, GATE_ERROR, CAUSE_INFRA, "",
		    "rollback without the two commits"));
	return (start(w, &effect_rollback, "rollback", w->w_go->base,
	    w->w_go->commit));
}
