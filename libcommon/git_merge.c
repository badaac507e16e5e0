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
#include <stdlib.h>
#include <string.h>

#include <bsd/stdlib.h>
#include <bsd/string.h>

#include "libcommon/git_run.h"
#include "git_merge.h"

/* "MODE OID STAGE<tab>PATH": keep the path, once. */
static int
conflict_add(struct git_list *gl, const char *record)
{
	struct git_entry *e;
	const char *path;

	if ((path = strchr(record, '\t')) == NULL)
		return (-1);
	path++;
	if (git_list_find(gl, path) != NULL)
		return (0);
	e = reallocarray(gl->gl_item, gl->gl_n + 1, sizeof(*e));
	if (e == NULL)
		return (-1);
	gl->gl_item = e;
	e += gl->gl_n;
	memset(e, 0, sizeof(*e));
	if ((e->ge_path = strdup(path)) == NULL)
		return (-1);
	gl->gl_n++;
	return (0);
}

/*
 * Records between the tree's id and an empty one are the conflicted
 * entries; behind it come messages for people, which we did not ask for.
 */
static int
take_conflicts(const struct git_out *go, struct git_list *gl)
{
	const char *p = go->go_out + GIT_OID_SIZE;
	const char *end = go->go_out + go->go_len;

	for (; p < end && *p != '\0'; p += strlen(p) + 1)
		if (conflict_add(gl, p) == -1)
			return (-1);
	return (0);
}

/* Both must be commits that are there: see git_merge_tree(). */
static enum git_result
both_there(const struct git_repo *repo, const char *a, const char *b,
    char *err, size_t errlen)
{
	char oid[GIT_OID_SIZE];
	enum git_result r;

	if (!git_oid_valid(a) || !git_oid_valid(b)) {
		snprintf(err, errlen, "merge refused: a name instead of a "
		    "commit id");
		return (GIT_REFUSED);
	}
	if ((r = git_resolve(repo, a, oid, err, errlen)) != GIT_OK)
		return (r);
	return (git_resolve(repo, b, oid, err, errlen));
}

/*
 * git merge-tree ends with 1 for a conflict and for a revision that it does
 * not know.  So both commits are resolved first, and 1 is a conflict only
 * when the answer begins with an object id.
 */
enum git_result
git_merge_tree(const struct git_repo *repo, const char *a, const char *b,
    char tree[GIT_OID_SIZE], struct git_list *conflicts, char *err,
    size_t errlen)
{
	const char *const argv[] = { "-c", "merge.conflictStyle=merge",
	    "merge-tree", "--write-tree", "-z", "--no-messages", a, b, NULL };
	struct git_out go;
	enum git_result r;

	memset(conflicts, 0, sizeof(*conflicts));
	tree[0] = '\0';
	if ((r = both_there(repo, a, b, err, errlen)) != GIT_OK)
		return (r);
	if (git_simple(repo->path, argv, NULL, NULL, 0, &go, err,
	    errlen) == -1)
		return (GIT_ERR);
	/* The answer ends its first record with NUL: it reads as a string. */
	if (go.go_len < GIT_OID_SIZE || !git_oid_valid(go.go_out) ||
	    go.go_exit > 1) {
		git_said(err, errlen, "merge-tree", &go);
		r = GIT_ERR;
	} else if (go.go_exit == 0) {
		strlcpy(tree, go.go_out, GIT_OID_SIZE);
	} else if (take_conflicts(&go, conflicts) == -1) {
		snprintf(err, errlen, "git merge-tree: an answer that cannot "
		    "be read, or no memory");
		r = GIT_ERR;
	} else {
		snprintf(err, errlen, "%.7s and %.7s conflict in %zu file%s",
		    a, b, conflicts->gl_n, conflicts->gl_n == 1 ? "" : "s");
		r = GIT_CONFLICT;
	}
	git_out_free(&go);
	return (r);
}

enum git_result
git_make_merge(const struct git_repo *repo, const char *target,
    const char *head, const char *message, char out[GIT_OID_SIZE],
    struct git_list *conflicts, char *err, size_t errlen)
{
	const char *const parents[] = { head, target, NULL };
	struct git_who who = { "orchd", "orchd@localhost", 0 };
	char tree[GIT_OID_SIZE];
	int64_t when;
	int contains;
	enum git_result r;

	memset(conflicts, 0, sizeof(*conflicts));
	out[0] = '\0';
	r = git_is_ancestor(repo, target, head, &contains, err, errlen);
	if (r != GIT_OK)
		return (r);
	if (contains) {
		strlcpy(out, head, GIT_OID_SIZE);
		return (GIT_OK);
	}
	r = git_merge_tree(repo, head, target, tree, conflicts, err, errlen);
	if (r != GIT_OK ||
	    (r = git_commit_time(repo, head, &who.gw_when, err,
	    errlen)) != GIT_OK ||
	    (r = git_commit_time(repo, target, &when, err,
	    errlen)) != GIT_OK)
		return (r);
	if (when > who.gw_when)
		who.gw_when = when;
	return (git_commit_tree(repo, tree, parents, message, &who, &who, out,
	    err, errlen));
}

/* Put one commit, of that parent, on onto, which moves on. */
static enum git_result
replay_one(const struct git_repo *repo, char onto[GIT_OID_SIZE],
    const char *commit, const char *parent, struct git_list *conflicts,
    char *err, size_t errlen)
{
	struct git_who who = { "orchd", "orchd@localhost", 0 };
	const char *const on_parent[] = { parent, NULL };
	const char *const on_onto[] = { onto, NULL };
	char made[GIT_OID_SIZE], tree[GIT_OID_SIZE];
	enum git_result r;

	if ((r = git_commit_time(repo, commit, &who.gw_when, err, errlen)) !=
	    GIT_OK || (r = git_tree_of(repo, onto, tree, err, errlen)) !=
	    GIT_OK || (r = git_commit_tree(repo, tree, on_parent, "onto",
	    &who, &who, made, err, errlen)) != GIT_OK ||
	    (r = git_merge_tree(repo, made, commit, tree, conflicts, err,
	    errlen)) != GIT_OK || (r = git_commit_tree(repo, tree, on_onto,
	    "replayed", &who, &who, made, err, errlen)) != GIT_OK)
		return (r);
	strlcpy(onto, made, GIT_OID_SIZE);
	return (GIT_OK);
}

enum git_result
git_replay(const struct git_repo *repo, const char *target,
    const char *head, char commit[GIT_OID_SIZE], struct git_list *conflicts,
    char *err, size_t errlen)
{
	char not[GIT_OID_SIZE + 1], onto[GIT_OID_SIZE], parent[GIT_OID_SIZE];
	const char *const argv[] = { "rev-list", "--reverse", "--topo-order",
	    "--no-merges", "--min-parents=1", "--parents", head, not, NULL };
	const size_t line = 2 * GIT_OID_SIZE;	/* a commit, its parent */
	enum git_result r;
	struct git_out go;
	size_t at;

	memset(conflicts, 0, sizeof(*conflicts));
	commit[0] = '\0';
	if ((r = both_there(repo, target, head, err, errlen)) != GIT_OK)
		return (r);
	(void)snprintf(not, sizeof(not), "^%.40s", target);
	strlcpy(onto, target, sizeof(onto));
	if (git_simple(repo->path, argv, NULL, NULL, 0, &go, err, errlen) ==
	    -1)
		return (GIT_ERR);
	if (go.go_exit != 0) {
		git_said(err, errlen, "rev-list", &go);
		r = GIT_ERR;
	}
	for (at = 0; r == GIT_OK && at + line <= go.go_len; at += line) {
		strlcpy(commit, go.go_out + at, GIT_OID_SIZE);
		strlcpy(parent, go.go_out + at + GIT_OID_SIZE, GIT_OID_SIZE);
		r = replay_one(repo, onto, commit, parent, conflicts, err,
		    errlen);
	}
	git_out_free(&go);
	return (r);
}
