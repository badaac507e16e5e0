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

#ifndef ORCHD_GIT_TREE_H
#define ORCHD_GIT_TREE_H

#include <stddef.h>

#include "libcommon/git.h"
#include "libcommon/sha256.h"

/*
 * The code tree of a commit: its tree without docs/work-items/<ID>/, made
 * in the repository with a temporary index.  Verdicts belong to it.
 */
enum git_result git_code_tree(const struct git_repo *, const char *commit,
    const char *item_id, char out[GIT_OID_SIZE], char *err, size_t);

/*
 * The stable patch id (git-patch-id(1)) of what `branch' adds to its merge
 * base with `target'.  All zeros when it adds nothing.
 */
enum git_result git_patch_id(const struct git_repo *, const char *target,
    const char *branch, char out[GIT_OID_SIZE], char *err, size_t);

/*
 * A hash over paths and blobs of one role's artifacts ("analyst",
 * "architect") at a commit; a person's approval is bound to it.
 */
enum git_result git_artifact_hash(const struct git_repo *,
    const char *commit, const char *item_id, const char *role,
    char out[SHA256_HEX_SIZE], char *err, size_t);

/* The roles that write artifacts. */
#define GIT_ARTIFACT_ROLES	5

/* "ROLE=HASH" of each of them; ga_list points into it, NULL at its end. */
struct git_artifacts {
	char		 ga_text[GIT_ARTIFACT_ROLES][16 + SHA256_HEX_SIZE];
	const char	*ga_list[GIT_ARTIFACT_ROLES + 1];
};

/* git_artifact_hash() of every role, as runs and workers report it. */
enum git_result git_artifact_hashes(const struct git_repo *,
    const char *commit, const char *item_id, struct git_artifacts *,
    char *err, size_t);

#endif
