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

#include "libcommon/mutant.h"

#include "finalizerd.h"

/*
 * The forge `local': the mirror is the forge, refs/heads/ its branches, and
 * every change compares the old value.  Pull requests are rows of the engine.
 */

static int
local_ref(char *ref, size_t len, const char *branch)
{
	int n;

	if (!git_branch_valid(branch))
		return (-1);
	n = snprintf(ref, len, "refs/heads/%s", branch);
	return (n < 0 || (size_t)n >= len ? -1 : 0);
}

static enum forge_result
local_result(enum git_result r)
{
	switch (r) {
	case GIT_OK:
		return (FORGE_OK);
	case GIT_NOTFOUND:
		return (FORGE_NOTFOUND);
	case GIT_STALE:
		return (FORGE_STALE);
	case GIT_CONFLICT:
	case GIT_REFUSED:
	case GIT_ERR:
		break;
	}
	return (FORGE_UNKNOWN);
}

static enum forge_result
local_head(struct worker *w, const char *branch, char oid[GIT_OID_SIZE],
    char *err, size_t errlen)
{
	char ref[300];

	if (local_ref(ref, sizeof(ref), branch) == -1) {
		(void)snprintf(err, errlen, "not a branch name");
		return (FORGE_UNKNOWN);
	}
	return (local_result(git_read_ref(&w->w_repo, ref, oid, err,
	    errlen)));
}

static enum forge_result
local_push(struct worker *w, const char *branch, const char *new,
    const char *old, char *err, size_t errlen)
{
	char ref[300];

	if (local_ref(ref, sizeof(ref), branch) == -1) {
		(void)snprintf(err, errlen, "not a branch name");
		return (FORGE_UNKNOWN);
	}
	return (local_result(git_update_ref(&w->w_repo, ref, new,
	    old[0] == '\0' ? GIT_ZERO_OID : old, err, errlen)));
}

static enum forge_result
local_delete(struct worker *w, const char *branch, const char *old,
    char *err, size_t errlen)
{
	char ref[300];

	if (local_ref(ref, sizeof(ref), branch) == -1) {
		(void)snprintf(err, errlen, "not a branch name");
		return (FORGE_UNKNOWN);
	}
	return (local_result(git_delete_ref(&w->w_repo, ref, old, err,
	    errlen)));
}

/* Landing is a fast-forward of the target from exactly what was tested on. */
static enum forge_result
local_land(struct worker *w, const char *target, const char *new,
    const char *old, char *err, size_t errlen)
{
	char now[GIT_OID_SIZE];
	int yes;

	if (git_is_ancestor(&w->w_repo, old, new, &yes, err, errlen) !=
	    GIT_OK)
		return (FORGE_UNKNOWN);
	if (!yes) {
		(void)snprintf(err, errlen, "%.40s is no fast-forward of "
		    "%.40s", new, old);
		return (FORGE_STALE);
	}
	if (MUTANT(NO_TARGET_CAS) && local_head(w, target, now, err,
	    errlen) == FORGE_OK)
		old = now;
	return (local_push(w, target, new, old, err, errlen));
}

const struct forge forge_local = {
	.f_name = "local",
	.f_head = local_head,
	.f_push = local_push,
	.f_delete = local_delete,
	.f_land = local_land,
};
