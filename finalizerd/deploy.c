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

struct deploy_effect {
	const char	*de_key;
	char		 de_tree[GIT_OID_SIZE];
	int		 de_started;	/* the start is on record */
};

/*
 * The start record is the engine's: it answers hook_start for a key that was
 * started before with "duplicate", so asking is the probe.  Here is known only
 * what this worker was told.
 */
static enum probe
start_probe(struct worker *w, void *arg, char *ev, size_t evlen)
{
	const struct deploy_effect *de = arg;

	if (!de->de_started)
		return (PROBE_TODO);
	(void)snprintf(ev, evlen, "the hook's start is on record for %.40s",
	    w->w_go->commit);
	return (PROBE_DONE);
}

static int
start_apply(struct worker *w, void *arg, char *ev, size_t evlen)
{
	struct deploy_effect *de = arg;
	struct orch_hook_start m = { .epoch = w->w_epoch, .key = de->de_key,
	    .revision = w->w_go->commit, .tree = de->de_tree,
	    .previous = w->w_go->base };
	union orch_any any;

	if (wire_call(w, ORCH_hook_start, &m, ORCH_ack, &any) == -1) {
		(void)strlcpy(ev, link_reason(w->w_link), evlen);
		return (0);	/* it may have been started: in doubt */
	}
	if (any.ack.result == RES_OK || any.ack.result == RES_DUPLICATE) {
		de->de_started = 1;
		return (0);
	}
	(void)snprintf(ev, evlen, "the engine does not start the hook: %s",
	    any.ack.text[0] != '\0' ? any.ack.text :
	    orch_result_name(any.ack.result));
	return (-1);
}

static const struct effect_driver effect_deploy_start = {
	"deploy-start", CLASS_PROBE, start_probe, start_apply, NULL
};

/* Phase B: have the hook started for the landed commit, exactly once. */
enum step
deploy_run(struct worker *w)
{
	const struct orch_run_go *go = w->w_go;
	struct deploy_effect de = { .de_started = 0 };
	char key[256], err[256];
	enum step r;

	if (!git_oid_valid(go->commit))
		return (worker_end(w, GATE_ERROR, CAUSE_INFRA, "",
		    "deploy without a landed commit"));
	(void)strlcpy(de.de_tree, go->tree, sizeof(de.de_tree));
	if (de.de_tree[0] == '\0' && git_tree_of(&w->w_repo, go->commit,
	    de.de_tree, err, sizeof(err)) != GIT_OK)
		return (worker_end(w, GATE_ERROR, CAUSE_INFRA, "", "%s", err));
	(void)snprintf(key, sizeof(key), "deploy:%s:%s", go->task,
	    go->commit);
	de.de_key = key;
	if ((r = effect_do(w, &effect_deploy_start, key, &de)) != STEP_NEXT)
		return (r);
	return (worker_end(w, GATE_PASS, CAUSE_NONE, "",
	    "deploy of %.7s was started", go->commit));
}
