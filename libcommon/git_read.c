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

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/stdlib.h>
#include <bsd/string.h>

#include "libcommon/git_run.h"
#include "git.h"

static enum git_result
bad_oid(const char *oid, char *err, size_t errlen)
{
	char shown[96];

	git_escape(shown, sizeof(shown), oid, strlen(oid));
	snprintf(err, errlen, "object id \"%s\" is refused", shown);
	return (GIT_REFUSED);
}

/* Run a reading command; GIT_OK means exit code 0 and output to free. */
static enum git_result
ask(const struct git_repo *repo, const char *const *argv, struct git_out *go,
    char *err, size_t errlen)
{
	if (git_simple(repo->path, argv, NULL, NULL, 0, go, err,
	    errlen) == -1)
		return (GIT_ERR);
	if (go->go_exit == 0)
		return (GIT_OK);
	git_said(err, errlen, argv[0], go);
	git_out_free(go);
	return (GIT_ERR);
}

enum git_result
git_tree_of(const struct git_repo *repo, const char *commit,
    char out[GIT_OID_SIZE], char *err, size_t errlen)
{
	char rev[GIT_OID_SIZE + 8];
	const char *const argv[] = { "rev-parse", "--verify", rev, NULL };
	struct git_out go;
	enum git_result r;

	out[0] = '\0';
	if (!git_oid_valid(commit))
		return (bad_oid(commit, err, errlen));
	snprintf(rev, sizeof(rev), "%s^{tree}", commit);
	if ((r = ask(repo, argv, &go, err, errlen)) != GIT_OK)
		return (r);
	go.go_out[strcspn(go.go_out, "\n")] = '\0';
	if (strlcpy(out, go.go_out, GIT_OID_SIZE) >= GIT_OID_SIZE ||
	    !git_oid_valid(out)) {
		snprintf(err, errlen, "git rev-parse: no tree id");
		r = GIT_ERR;
	}
	git_out_free(&go);
	return (r);
}

enum git_result
git_commit_time(const struct git_repo *repo, const char *commit,
    int64_t *when, char *err, size_t errlen)
{
	const char *const argv[] = { "show", "-s", "--no-show-signature",
	    "--format=%ct", commit, NULL };
	struct git_out go;
	const char *bad;
	enum git_result r;

	*when = 0;
	if (!git_oid_valid(commit))
		return (bad_oid(commit, err, errlen));
	if ((r = ask(repo, argv, &go, err, errlen)) != GIT_OK)
		return (r);
	go.go_out[strcspn(go.go_out, "\n")] = '\0';
	*when = strtonum(go.go_out, 0, INT64_MAX, &bad);
	if (bad != NULL) {
		snprintf(err, errlen, "commit %.7s: its time is %s", commit,
		    bad);
		r = GIT_ERR;
	}
	git_out_free(&go);
	return (r);
}

/* Room for one more, zeroed; NULL when out of memory. */
static struct git_entry *
list_add(struct git_list *gl, const char *path)
{
	struct git_entry *e;

	/* Grows by doubling at each power of two. */
	if ((gl->gl_n & (gl->gl_n - 1)) == 0) {
		e = reallocarray(gl->gl_item, gl->gl_n ? gl->gl_n * 2 : 1,
		    sizeof(*e));
		if (e == NULL)
			return (NULL);
		gl->gl_item = e;
	}
	e = &gl->gl_item[gl->gl_n];
	memset(e, 0, sizeof(*e));
	if ((e->ge_path = strdup(path)) == NULL)
		return (NULL);
	gl->gl_n++;
	return (e);
}

void
git_list_free(struct git_list *gl)
{
	size_t i;

	for (i = 0; i < gl->gl_n; i++)
		free(gl->gl_item[i].ge_path);
	free(gl->gl_item);
	gl->gl_item = NULL;
	gl->gl_n = 0;
}

const struct git_entry *
git_list_find(const struct git_list *gl, const char *path)
{
	size_t i;

	for (i = 0; i < gl->gl_n; i++)
		if (strcmp(gl->gl_item[i].ge_path, path) == 0)
			return (&gl->gl_item[i]);
	return (NULL);
}

/* Six octal digits and a space, or -1. */
static int
take_mode(const char **p, unsigned int *mode)
{
	int i;

	*mode = 0;
	for (i = 0; i < 6; i++, (*p)++) {
		if (**p < '0' || **p > '7')
			return (-1);
		*mode = *mode << 3 | (unsigned int)(**p - '0');
	}
	return (*(*p)++ == ' ' ? 0 : -1);
}

static int
take_oid(const char **p, char oid[GIT_OID_SIZE], char end)
{
	size_t i;

	for (i = 0; i < GIT_OID_SIZE - 1; i++) {
		if ((*p)[i] == '\0')
			return (-1);
		oid[i] = (*p)[i];
	}
	oid[i] = '\0';
	*p += GIT_OID_SIZE - 1;
	return (git_oid_valid(oid) && *(*p)++ == end ? 0 : -1);
}

/* "MODE TYPE OID<tab>PATH" */
static int
tree_record(const char *p, struct git_list *gl)
{
	struct git_entry tmp, *e;

	if (take_mode(&p, &tmp.ge_mode) == -1 ||
	    (p = strchr(p, ' ')) == NULL)
		return (-1);
	p++;
	if (take_oid(&p, tmp.ge_oid, '\t') == -1 ||
	    (e = list_add(gl, p)) == NULL)
		return (-1);
	e->ge_mode = tmp.ge_mode;
	memcpy(e->ge_oid, tmp.ge_oid, sizeof(e->ge_oid));
	return (0);
}

static enum git_result
ls_tree(const struct git_repo *repo, const char *commit, const char *path,
    int deep, struct git_list *gl, char *err, size_t errlen)
{
	const char *const all[] = { "ls-tree", "-r", "-z", "--full-tree",
	    commit, path, NULL };
	const char *const one[] = { "ls-tree", "-z", "--full-tree", commit,
	    path, NULL };
	struct git_out go;
	enum git_result r;
	const char *p;

	if ((r = ask(repo, deep ? all : one, &go, err, errlen)) != GIT_OK)
		return (r);
	for (p = go.go_out; p < go.go_out + go.go_len; p += strlen(p) + 1) {
		if (tree_record(p, gl) == -1) {
			snprintf(err, errlen, "git ls-tree: an answer that "
			    "cannot be read, or no memory");
			r = GIT_ERR;
			break;
		}
	}
	git_out_free(&go);
	return (r);
}

enum git_result
git_list_tree(const struct git_repo *repo, const char *commit,
    const char *dir, struct git_list *gl, char *err, size_t errlen)
{
	char path[1100];

	memset(gl, 0, sizeof(*gl));
	if (!git_oid_valid(commit))
		return (bad_oid(commit, err, errlen));
	if (dir[0] == '\0')
		return (ls_tree(repo, commit, NULL, 1, gl, err, errlen));
	if (!git_path_valid(dir)) {
		snprintf(err, errlen, "folder \"%.100s\" is refused", dir);
		return (GIT_REFUSED);
	}
	/* With the slash it lists what is below, not the folder itself. */
	snprintf(path, sizeof(path), "%s/", dir);
	return (ls_tree(repo, commit, path, 1, gl, err, errlen));
}

/* The one entry of a path that must be a regular file. */
static enum git_result
file_entry(const struct git_repo *repo, const char *commit, const char *path,
    struct git_entry *out, char *err, size_t errlen)
{
	struct git_list gl;
	const struct git_entry *e;
	enum git_result r;

	memset(&gl, 0, sizeof(gl));
	if (!git_oid_valid(commit))
		return (bad_oid(commit, err, errlen));
	if (!git_path_valid(path)) {
		snprintf(err, errlen, "path \"%.100s\" is refused", path);
		return (GIT_REFUSED);
	}
	if ((r = ls_tree(repo, commit, path, 0, &gl, err, errlen)) != GIT_OK)
		goto done;
	if ((e = git_list_find(&gl, path)) == NULL) {
		snprintf(err, errlen, "%s: not in commit %.7s", path, commit);
		r = GIT_NOTFOUND;
	} else if (e->ge_mode != 0100644 && e->ge_mode != 0100755) {
		snprintf(err, errlen, "%s: %s, not a regular file", path,
		    e->ge_mode == 0120000 ? "a symbolic link" :
		    e->ge_mode == 040000 ? "a folder" : "a submodule");
		r = GIT_REFUSED;
	} else
		*out = *e;
done:
	git_list_free(&gl);
	return (r);
}

enum git_result
git_show_file(const struct git_repo *repo, const char *commit,
    const char *path, size_t max, char **buf, size_t *len, char *err,
    size_t errlen)
{
	struct git_entry e;
	const char *const argv[] = { "cat-file", "blob", e.ge_oid, NULL };
	struct git_cmd gc;
	struct git_out go;
	enum git_result r;

	*buf = NULL;
	*len = 0;
	r = file_entry(repo, commit, path, &e, err, errlen);
	if (r != GIT_OK)
		return (r);
	memset(&gc, 0, sizeof(gc));
	gc.gc_dir = repo->path;
	gc.gc_argv = argv;
	gc.gc_outmax = max ? max : 1;
	if (git_run(&gc, &go, err, errlen) == -1) {
		if (!go.go_toobig)
			return (GIT_ERR);
		snprintf(err, errlen, "%s: longer than %zu bytes", path,
		    max);
		return (GIT_REFUSED);
	}
	if (go.go_exit != 0) {
		git_said(err, errlen, "cat-file", &go);
		git_out_free(&go);
		return (GIT_ERR);
	}
	*buf = go.go_out;
	*len = go.go_len;
	return (GIT_OK);
}

/* ":MODE MODE OID OID STATUS" NUL "PATH" NUL; -1 or the bytes eaten. */
static ssize_t
diff_record(const char *p, const char *end, struct git_list *gl)
{
	const char *path, *q = p + 1;
	struct git_entry tmp, *e;

	if ((path = memchr(p, '\0', (size_t)(end - p))) == NULL ||
	    ++path >= end || *p != ':' ||
	    take_mode(&q, &tmp.ge_old_mode) == -1 ||
	    take_mode(&q, &tmp.ge_mode) == -1 ||
	    take_oid(&q, tmp.ge_old_oid, ' ') == -1 ||
	    take_oid(&q, tmp.ge_oid, ' ') == -1 ||
	    (e = list_add(gl, path)) == NULL)
		return (-1);
	tmp.ge_path = e->ge_path;
	*e = tmp;
	return (path - p + (ssize_t)strlen(path) + 1);
}

enum git_result
git_diff_paths(const struct git_repo *repo, const char *a, const char *b,
    struct git_list *gl, char *err, size_t errlen)
{
	const char *const argv[] = { "diff-tree", "-r", "-z", "--raw",
	    "--no-renames", "--no-abbrev", "--no-ext-diff", "--no-textconv",
	    a, b, NULL };
	struct git_out go;
	enum git_result r;
	const char *p, *end;
	ssize_t n;

	memset(gl, 0, sizeof(*gl));
	if (!git_oid_valid(a) || !git_oid_valid(b))
		return (bad_oid(git_oid_valid(a) ? b : a, err, errlen));
	if ((r = ask(repo, argv, &go, err, errlen)) != GIT_OK)
		return (r);
	end = go.go_out + go.go_len;
	for (p = go.go_out; p < end; p += n) {
		if ((n = diff_record(p, end, gl)) == -1) {
			snprintf(err, errlen, "git diff-tree: an answer that "
			    "cannot be read, or no memory");
			r = GIT_ERR;
			break;
		}
	}
	git_out_free(&go);
	return (r);
}
