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

/* What the branch holds, in re_held ("": it does not exist). */
static enum probe
ref_read(struct worker *w, struct ref_effect *re, char *ev, size_t evlen)
{
	switch (w->w_forge->f_head(w, re->re_branch, re->re_held, ev, evlen)) {
	case FORGE_OK:
		return (PROBE_DONE);
	case FORGE_NOTFOUND:
		re->re_held[0] = '\0';
		return (PROBE_DONE);
	case FORGE_STALE:
	case FORGE_RED:
	case FORGE_CONFLICT:
	case FORGE_BLOCKED:
	case FORGE_STOPPED:
	case FORGE_UNKNOWN:
		break;
	}
	return (PROBE_UNKNOWN);
}

static const char *
shown(const char *oid)
{
	return (oid[0] == '\0' ? "absent" : oid);
}

static enum probe
push_probe(struct worker *w, void *arg, char *ev, size_t evlen)
{
	struct ref_effect *re = arg;

	if (ref_read(w, re, ev, evlen) != PROBE_DONE)
		return (PROBE_UNKNOWN);
	(void)snprintf(ev, evlen, "%s is %.40s", re->re_branch,
	    shown(re->re_held));
	if (strcmp(re->re_held, re->re_new) == 0)
		return (PROBE_DONE);
	if (strcmp(re->re_held, re->re_old) == 0)
		return (PROBE_TODO);
	(void)snprintf(ev, evlen, "%s is %.40s, neither %.40s nor %.40s: "
	    "somebody else moved it", re->re_branch, shown(re->re_held),
	    shown(re->re_old), re->re_new);
	return (PROBE_CONFLICT);
}

static int
push_apply(struct worker *w, void *arg, char *ev, size_t evlen)
{
	struct ref_effect *re = arg;
	int yes = 1;

	if (re->re_old[0] != '\0' && git_is_ancestor(&w->w_repo, re->re_old,
	    re->re_new, &yes, ev, evlen) != GIT_OK)
		return (0);	/* git could not say: in doubt */
	if (!yes) {
		(void)snprintf(ev, evlen, "%.40s does not contain %.40s: %s "
		    "is never force-pushed", re->re_new, re->re_old,
		    re->re_branch);
		return (-1);
	}
	(void)w->w_forge->f_push(w, re->re_branch, re->re_new, re->re_old,
	    ev, evlen);
	return (0);
}

/*
 * Done when the target contains the tested commit, whoever brought it there.
 * A target that moved but that the tested commit still contains is no
 * conflict: what lands is what was tested.
 */
static enum probe
merge_probe(struct worker *w, void *arg, char *ev, size_t evlen)
{
	struct ref_effect *re = arg;
	int yes;

	if (landing_method(w) != NULL)
		return (landing_probe(w, re, ev, evlen));
	if (ref_read(w, re, ev, evlen) != PROBE_DONE)
		return (PROBE_UNKNOWN);
	if (re->re_held[0] == '\0') {
		(void)snprintf(ev, evlen, "branch %s does not exist",
		    re->re_branch);
		return (PROBE_CONFLICT);
	}
	if (git_is_ancestor(&w->w_repo, re->re_new, re->re_held, &yes, ev,
	    evlen) != GIT_OK)
		return (PROBE_UNKNOWN);
	if (yes) {
		(void)snprintf(ev, evlen, "%s is %.40s and contains %.40s",
		    re->re_branch, re->re_held, re->re_new);
		return (PROBE_DONE);
	}
	if (git_is_ancestor(&w->w_repo, re->re_held, re->re_new, &yes, ev,
	    evlen) != GIT_OK)
		return (PROBE_UNKNOWN);
	if (yes) {
		(void)strlcpy(re->re_old, re->re_held, sizeof(re->re_old));
		return (PROBE_TODO);
	}
	(void)snprintf(ev, evlen, "%s moved from %.40s to %.40s",
	    re->re_branch, re->re_old, re->re_held);
	return (PROBE_CONFLICT);
}

static int
merge_apply(struct worker *w, void *arg, char *ev, size_t evlen)
{
	struct ref_effect *re = arg;

	re->re_tried = w->w_forge->f_land(w, re->re_branch, re->re_new,
	    re->re_old, ev, evlen);
	/* Nothing of it was done, and waiting longer is not for us. */
	return (re->re_tried == FORGE_RED || re->re_tried == FORGE_BLOCKED ||
	    re->re_tried == FORGE_STOPPED ? -1 : 0);
}

static enum probe
delete_probe(struct worker *w, void *arg, char *ev, size_t evlen)
{
	struct ref_effect *re = arg;

	if (ref_read(w, re, ev, evlen) != PROBE_DONE)
		return (PROBE_UNKNOWN);
	(void)snprintf(ev, evlen, "%s is %.40s", re->re_branch,
	    shown(re->re_held));
	if (re->re_held[0] == '\0')
		return (PROBE_DONE);
	if (strcmp(re->re_held, re->re_old) == 0)
		return (PROBE_TODO);
	(void)snprintf(ev, evlen, "%s is %.40s and not %.40s: somebody else "
	    "moved it", re->re_branch, re->re_held, shown(re->re_old));
	return (PROBE_CONFLICT);
}

static int
delete_apply(struct worker *w, void *arg, char *ev, size_t evlen)
{
	struct ref_effect *re = arg;

	(void)w->w_forge->f_delete(w, re->re_branch, re->re_old, ev, evlen);
	return (0);
}

const struct effect_driver effect_push = {
	"push", CLASS_CAS, push_probe, push_apply, NULL
};

const struct effect_driver effect_merge = {
	"merge", CLASS_CAS, merge_probe, merge_apply, NULL
};

const struct effect_driver effect_branch_delete = {
	"branch-delete", CLASS_CAS, delete_probe, delete_apply, NULL
};
