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

#ifndef ORCHD_GIT_H
#define ORCHD_GIT_H

#include <stddef.h>
#include <stdint.h>

/*
 * Git through its command line, in trusted bare repositories only: never
 * call these on a folder that an agent could write.
 *
 * Object ids are 40 lower-case hex digits.  Every function that takes
 * `err' leaves there, on any other result than GIT_OK, a sentence with what
 * git said: first line only, escaped.
 */

#define GIT_OID_SIZE	41		/* 40 hex digits and NUL */
#define GIT_ZERO_OID	"0000000000000000000000000000000000000000"
#define GIT_MSG_MAX	(64U << 10)	/* bytes of a commit message */
#define GIT_REPO_MAX	1024		/* bytes of a repository's path */

enum git_result {
	GIT_OK,
	GIT_NOTFOUND,		/* no such revision, reference or path */
	GIT_STALE,		/* compare-and-swap lost: not an error */
	GIT_CONFLICT,		/* the merge has conflicts: not an error */
	GIT_REFUSED,		/* input that our own rules refuse */
	GIT_ERR			/* git could not do it */
};

struct git_repo {
	char	path[GIT_REPO_MAX];	/* absolute path of the bare one */
};

/* A file below a tree, or one side-by-side change of it. */
struct git_entry {
	char		*ge_path;	/* bytes as in the tree */
	unsigned int	 ge_mode;	/* octal 0100644 ..., 0: not there */
	char		 ge_oid[GIT_OID_SIZE];
	unsigned int	 ge_old_mode;	/* diffs only; 0: was not there */
	char		 ge_old_oid[GIT_OID_SIZE];
};

struct git_list {
	struct git_entry *gl_item;
	size_t		  gl_n;
};

/* Who made a commit, and when (seconds since 1970). */
struct git_who {
	const char	*gw_name;	/* no < > NUL newline */
	const char	*gw_email;
	int64_t		 gw_when;
};

/* A file to write; gf_data NULL removes the path. */
struct git_file {
	const char	*gf_path;
	const void	*gf_data;
	size_t		 gf_len;
};

/* --- names (git.c) --- */

/*
 * Our own rule for branch names, stricter than git's: 1 to 200 bytes of
 * [A-Za-z0-9._/-]; no "..", "//", leading or trailing "/", leading "-",
 * part that begins with "." or ends with "." or ".lock", nothing that
 * begins with "refs/", no HEAD and nothing that looks like an object id.
 * 1 when valid, else 0.
 */
int git_branch_valid(const char *);

/* refs/heads/ and refs/orchd/ followed by a valid branch name: 1, else 0. */
int git_ref_valid(const char *);

/* Exactly 40 lower-case hex digits: 1, else 0. */
int git_oid_valid(const char *);

/* ^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$, every byte: 1, else 0. */
int item_id_valid(const char *);

/* Relative, no empty, "." or ".." part, at most 1024 bytes: 1, else 0. */
int git_path_valid(const char *);

/* --- repositories and references (git.c) --- */

/*
 * Use the bare repository at an absolute path.  GIT_NOTFOUND when nothing
 * is there, GIT_REFUSED when it is not a bare repository.
 */
enum git_result git_open(struct git_repo *, const char *path, char *err,
    size_t);

/*
 * Make a bare mirror at `path' (which must not exist) with the branches of
 * the local repository `from', HEAD on the same branch as there, or with NULL
 * an empty one (its branches are fetched later); gc off, no hooks, safe
 * receive.* settings.  A mirror appears whole or not at all.
 */
enum git_result git_init_mirror(const char *path, const char *from, char *err,
    size_t);

/*
 * Remove what a git that was killed left behind: our temporary folders and
 * reference locks that are older than `age_s' seconds.  Call it at start
 * and when a dead worker is drained.  Take more than GIT_TIMEOUT_MS: no
 * command of ours that still runs can then own such a lock.
 */
enum git_result git_sweep(const struct git_repo *, unsigned int age_s,
    char *err, size_t);

/*
 * The commit that a revision names: a branch, a reference, a commit id or
 * at least 7 digits of one.  GIT_REFUSED for any other syntax.
 */
enum git_result git_resolve(const struct git_repo *, const char *rev,
    char out[GIT_OID_SIZE], char *err, size_t);

/* What a full reference name (refs/...) holds now, or GIT_NOTFOUND. */
enum git_result git_read_ref(const struct git_repo *, const char *ref,
    char out[GIT_OID_SIZE], char *err, size_t);

/*
 * Move a reference to `new' if it still is `old'; `old' as GIT_ZERO_OID
 * means that it must not exist yet.  GIT_STALE: someone else was first,
 * nothing was changed, `err' names what is there now.
 */
enum git_result git_update_ref(const struct git_repo *, const char *ref,
    const char *new, const char *old, char *err, size_t);

/* Delete a reference if it still is `old'; GIT_STALE otherwise. */
enum git_result git_delete_ref(const struct git_repo *, const char *ref,
    const char *old, char *err, size_t);

/* `*yes' = 1 when `a' is `b' or one of its ancestors, else 0. */
enum git_result git_is_ancestor(const struct git_repo *, const char *a,
    const char *b, int *yes, char *err, size_t);

/* The best common ancestor, or GIT_NOTFOUND. */
enum git_result git_merge_base(const struct git_repo *, const char *a,
    const char *b, char out[GIT_OID_SIZE], char *err, size_t);

/* Commits that `to' has and `from' (NULL: nothing) has not. */
enum git_result git_rev_count(const struct git_repo *, const char *from,
    const char *to, uint64_t *n, char *err, size_t);

/* --- reading (git_read.c) --- */

/* The tree id of a commit. */
enum git_result git_tree_of(const struct git_repo *, const char *commit,
    char out[GIT_OID_SIZE], char *err, size_t);

/* The committer's time of a commit; what it says, true or not. */
enum git_result git_commit_time(const struct git_repo *, const char *commit,
    int64_t *when, char *err, size_t);

/*
 * A regular file's content at a commit, NUL added behind it; the caller
 * frees `*buf'.  GIT_NOTFOUND: no such path.  GIT_REFUSED: longer than
 * `max' bytes, or not a regular file (a symbolic link, a folder).
 */
enum git_result git_show_file(const struct git_repo *, const char *commit,
    const char *path, size_t max, char **buf, size_t *len, char *err,
    size_t);

/*
 * All files below folder `dir' ("" for the whole tree) of a commit, sorted
 * as git sorts them; none is GIT_OK with an empty list.  The caller frees
 * the list with git_list_free(), also after an error.
 */
enum git_result git_list_tree(const struct git_repo *, const char *commit,
    const char *dir, struct git_list *, char *err, size_t);

/*
 * The paths that differ between two commits, renames as removal and
 * addition.  The caller frees the list, also after an error.
 */
enum git_result git_diff_paths(const struct git_repo *, const char *a,
    const char *b, struct git_list *, char *err, size_t);

/* The entry of a path, or NULL. */
const struct git_entry *git_list_find(const struct git_list *,
    const char *path);

/* Free what a list holds; the list is empty afterwards. */
void git_list_free(struct git_list *);

/* --- writing (git_write.c) --- */

/*
 * A commit of `tree'; `parents' ends with NULL.  The message (at most
 * GIT_MSG_MAX, no NUL) goes by stdin.  The same input makes the same id.
 */
enum git_result git_commit_tree(const struct git_repo *, const char *tree,
    const char *const *parents, const char *message,
    const struct git_who *author, const struct git_who *committer,
    char out[GIT_OID_SIZE], char *err, size_t);

/*
 * A commit with `parent' (NULL: none) as its parent and the files written
 * or removed, made with a temporary index; moves no reference.
 */
enum git_result git_write_files_commit(const struct git_repo *,
    const char *parent, const struct git_file *files, size_t nfiles,
    const char *message, const struct git_who *who, char out[GIT_OID_SIZE],
    char *err, size_t);

#endif
