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

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/git_run.h"
#include "libcommon/git_tmp.h"
#include "git.h"

#define PARENTS_MAX	8

/* The six variables that decide a commit's identity. */
struct who_env {
	char		 text[6][256];
	const char	*env[7];
};

static int
who_valid(const struct git_who *w)
{
	return (w->gw_when >= 0 && w->gw_name[0] != '\0' &&
	    strpbrk(w->gw_name, "<>\n") == NULL &&
	    strpbrk(w->gw_email, "<>\n ") == NULL);
}

static int
who_set(struct who_env *we, size_t at, const char *role,
    const struct git_who *w)
{
	int n[3];

	n[0] = snprintf(we->text[at], sizeof(we->text[0]), "GIT_%s_NAME=%s",
	    role, w->gw_name);
	n[1] = snprintf(we->text[at + 1], sizeof(we->text[0]),
	    "GIT_%s_EMAIL=%s", role, w->gw_email);
	n[2] = snprintf(we->text[at + 2], sizeof(we->text[0]),
	    "GIT_%s_DATE=@%" PRId64 " +0000", role, w->gw_when);
	return ((size_t)n[0] < sizeof(we->text[0]) &&
	    (size_t)n[1] < sizeof(we->text[0]) &&
	    (size_t)n[2] < sizeof(we->text[0]) ? 0 : -1);
}

static int
who_fill(struct who_env *we, const struct git_who *author,
    const struct git_who *committer)
{
	size_t i;

	if (!who_valid(author) || !who_valid(committer) ||
	    who_set(we, 0, "AUTHOR", author) == -1 ||
	    who_set(we, 3, "COMMITTER", committer) == -1)
		return (-1);
	for (i = 0; i < 6; i++)
		we->env[i] = we->text[i];
	we->env[6] = NULL;
	return (0);
}

/* Run a command whose whole answer is one object id. */
static enum git_result
oid_of(const struct git_repo *repo, const char *const *argv,
    const char *const *env, const void *in, size_t inlen,
    char out[GIT_OID_SIZE], char *err, size_t errlen)
{
	if (git_run_line(repo->path, argv, env, in, inlen, out, GIT_OID_SIZE,
	    err, errlen) == -1)
		return (GIT_ERR);
	if (git_oid_valid(out))
		return (GIT_OK);
	snprintf(err, errlen, "git %s: no object id", argv[0]);
	return (GIT_ERR);
}

enum git_result
git_commit_tree(const struct git_repo *repo, const char *tree,
    const char *const *parents, const char *message,
    const struct git_who *author, const struct git_who *committer,
    char out[GIT_OID_SIZE], char *err, size_t errlen)
{
	const char *argv[5 + 2 * PARENTS_MAX] = { "commit-tree", tree, "-F",
	    "-" };
	struct who_env we;
	size_t i, n = 4;

	out[0] = '\0';
	if (!git_oid_valid(tree) || message[0] == '\0' ||
	    strlen(message) > GIT_MSG_MAX ||
	    who_fill(&we, author, committer) == -1) {
		snprintf(err, errlen, "commit refused: its tree id, message "
		    "(1 to %u bytes) or identity is not valid", GIT_MSG_MAX);
		return (GIT_REFUSED);
	}
	for (i = 0; parents[i] != NULL; i++) {
		if (i >= PARENTS_MAX || !git_oid_valid(parents[i])) {
			snprintf(err, errlen, "commit refused: parent %zu",
			    i + 1);
			return (GIT_REFUSED);
		}
		argv[n++] = "-p";
		argv[n++] = parents[i];
	}
	argv[n] = NULL;
	return (oid_of(repo, argv, we.env, message, strlen(message), out, err,
	    errlen));
}

/* Feed one file's lines of update-index --index-info. */
static enum git_result
index_line(const struct git_repo *repo, const struct git_file *f, FILE *info,
    char *err, size_t errlen)
{
	static const char *const argv[] = { "hash-object", "-w", "--stdin",
	    NULL };
	char oid[GIT_OID_SIZE] = GIT_ZERO_OID;
	enum git_result r;

	if (!git_path_valid(f->gf_path)) {
		snprintf(err, errlen, "path \"%.100s\" is refused",
		    f->gf_path);
		return (GIT_REFUSED);
	}
	if (f->gf_data != NULL && (r = oid_of(repo, argv, NULL, f->gf_data,
	    f->gf_len, oid, err, errlen)) != GIT_OK)
		return (r);
	fprintf(info, "%s %s\t%s%c", f->gf_data != NULL ? "100644" : "0", oid,
	    f->gf_path, '\0');
	return (GIT_OK);
}

/* All files as one text for update-index; the caller frees it. */
static enum git_result
index_text(const struct git_repo *repo, const struct git_file *files,
    size_t nfiles, char **text, size_t *len, char *err, size_t errlen)
{
	FILE *info;
	size_t i;
	enum git_result r = GIT_OK;

	if ((info = open_memstream(text, len)) == NULL) {
		snprintf(err, errlen, "out of memory");
		return (GIT_ERR);
	}
	for (i = 0; i < nfiles && r == GIT_OK; i++)
		r = index_line(repo, &files[i], info, err, errlen);
	if (fclose(info) != 0 && r == GIT_OK) {
		snprintf(err, errlen, "out of memory");
		r = GIT_ERR;
	}
	return (r);
}

/* The tree of `parent' with the files changed, through an index in `dir'. */
static enum git_result
tree_with(const struct git_repo *repo, const char *dir, const char *parent,
    const char *text, size_t len, char tree[GIT_OID_SIZE], char *err,
    size_t errlen)
{
	char index[GIT_TMP_MAX + 32];
	const char *const env[] = { index, NULL };
	const char *const read[] = { "read-tree",
	    parent != NULL ? parent : "--empty", NULL };
	static const char *const update[] = { "update-index", "-z",
	    "--index-info", NULL };
	static const char *const write[] = { "write-tree", NULL };

	snprintf(index, sizeof(index), "GIT_INDEX_FILE=%s/index", dir);
	if (git_run_ok(repo->path, read, env, NULL, 0, err, errlen) == -1 ||
	    git_run_ok(repo->path, update, env, text, len, err,
	    errlen) == -1)
		return (GIT_ERR);
	return (oid_of(repo, write, env, NULL, 0, tree, err, errlen));
}

enum git_result
git_write_files_commit(const struct git_repo *repo, const char *parent,
    const struct git_file *files, size_t nfiles, const char *message,
    const struct git_who *who, char out[GIT_OID_SIZE], char *err,
    size_t errlen)
{
	const char *const parents[] = { parent, NULL };
	char dir[GIT_TMP_MAX], tree[GIT_OID_SIZE], *text = NULL;
	size_t len = 0;
	enum git_result r;

	out[0] = '\0';
	if (parent != NULL && !git_oid_valid(parent)) {
		snprintf(err, errlen, "commit refused: its parent id");
		return (GIT_REFUSED);
	}
	r = index_text(repo, files, nfiles, &text, &len, err, errlen);
	if (r != GIT_OK)
		goto done;
	if ((r = git_tmp_make(repo, dir, err, errlen)) != GIT_OK)
		goto done;
	r = tree_with(repo, dir, parent, text, len, tree, err, errlen);
	git_tmp_remove(dir);
	if (r == GIT_OK)
		r = git_commit_tree(repo, tree, parents, message, who, who,
		    out, err, errlen);
done:
	free(text);
	return (r);
}
