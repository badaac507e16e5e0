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

#ifndef ORCHD_GIT_MERGE_H
#define ORCHD_GIT_MERGE_H

#include <stddef.h>

#include "libcommon/git.h"

/*
 * The tree of a merge of commits `a' and `b', without a work tree.
 * GIT_CONFLICT: `conflicts' holds each conflicted path once.  The caller
 * frees the list in every case.
 */
enum git_result git_merge_tree(const struct git_repo *, const char *a,
    const char *b, char tree[GIT_OID_SIZE], struct git_list *conflicts,
    char *err, size_t);

/*
 * The commit that is tested and landed: branch head `head' itself when it
 * contains `target', else a merge commit with parents `head' and `target'.
 * Identity is orchd's own and the date is the later one of the parents', so
 * that a repeated attempt makes the same commit.  Moves no reference.
 */
enum git_result git_make_merge(const struct git_repo *, const char *target,
    const char *head, const char *message, char out[GIT_OID_SIZE],
    struct git_list *conflicts, char *err, size_t);

/*
 * Put the commits that `head' has and `target' has not on `target', one by one
 * and without merges, as a rebase does; made-up commits give merge-tree the
 * right base.  GIT_CONFLICT: `commit' is the first that does not fit, and
 * `conflicts' holds its paths; the caller frees the list in every case.
 */
enum git_result git_replay(const struct git_repo *, const char *target,
    const char *head, char commit[GIT_OID_SIZE], struct git_list *conflicts,
    char *err, size_t);

#endif
