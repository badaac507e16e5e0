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

#include "finalizerd.h"

/*
 * Marks are the mirror's own references: no effect, nobody outside sees them,
 * and setting one twice is setting it once.
 */

static int
mark_ref(struct worker *w, const char *kind, char *ref, size_t len)
{
	int n;

	n = snprintf(ref, len, "refs/orchd/%s/%s", kind, w->w_go->task);
	return (n < 0 || (size_t)n >= len || !git_ref_valid(ref) ? -1 : 0);
}

int
mark_get(struct worker *w, const char *kind, char oid[GIT_OID_SIZE])
{
	char ref[200], err[256];

	if (mark_ref(w, kind, ref, sizeof(ref)) == -1)
		return (-1);
	return (git_read_ref(&w->w_repo, ref, oid, err, sizeof(err)) == GIT_OK
	    ? 0 : -1);
}

int
mark_is_tip(struct worker *w, const char *commit, const char *head)
{
	char tip[GIT_OID_SIZE], err[256];
	int yes;

	return (mark_get(w, "land-tip", tip) == 0 &&
	    strcmp(tip, commit) == 0 && git_is_ancestor(&w->w_repo, head,
	    tip, &yes, err, sizeof(err)) == GIT_OK && yes);
}

enum step
mark_set(struct worker *w, const char *kind, const char *oid)
{
	char ref[200], err[256], now[GIT_OID_SIZE];
	enum git_result r;

	if (mark_ref(w, kind, ref, sizeof(ref)) == -1)
		return (worker_end(w, GATE_ERROR, CAUSE_INFRA, "",
		    "work item %s makes no reference name", w->w_go->task));
	r = git_read_ref(&w->w_repo, ref, now, err, sizeof(err));
	if (r == GIT_NOTFOUND) {
		if (oid[0] == '\0')
			return (STEP_NEXT);
		r = git_update_ref(&w->w_repo, ref, oid, GIT_ZERO_OID, err,
		    sizeof(err));
	} else if (r == GIT_OK && strcmp(now, oid) != 0)
		r = oid[0] == '\0' ?
		    git_delete_ref(&w->w_repo, ref, now, err, sizeof(err)) :
		    git_update_ref(&w->w_repo, ref, oid, now, err,
		    sizeof(err));
	if (r == GIT_OK)
		return (STEP_NEXT);
	return (worker_end(w, GATE_ERROR, CAUSE_INFRA, "", "%s: %s", ref,
	    err));
}
