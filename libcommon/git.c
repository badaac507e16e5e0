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

#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bsd/stdlib.h>
#include <bsd/string.h>

#include "libcommon/git_lock.h"
#include "libcommon/git_run.h"
#include "git.h"

static enum git_result
refuse(char *err, size_t errlen, const char *what, const char *name)
{
	char shown[128];

	git_escape(shown, sizeof(shown), name, strlen(name));
	snprintf(err, errlen, "%s \"%s\" is refused", what, shown);
	return (GIT_REFUSED);
}

/* Copy the first 40 digits of an answer; -1 when they are none. */
static int
take_oid(const struct git_out *go, char out[GIT_OID_SIZE])
{
	if (go->go_len < GIT_OID_SIZE - 1)
		return (-1);
	memcpy(out, go->go_out, GIT_OID_SIZE - 1);
	out[GIT_OID_SIZE - 1] = '\0';
	return (git_oid_valid(out) ? 0 : -1);
}

enum git_result
git_open(struct git_repo *repo, const char *path, char *err, size_t errlen)
{
	static const char *const argv[] = { "rev-parse",
	    "--is-bare-repository", NULL };
	struct git_out go;
	struct stat st;
	enum git_result r = GIT_OK;

	/* Quoted into a list of object folders: see git_bundle.c. */
	if (path[0] != '/' || strpbrk(path, "\"\\\n") != NULL ||
	    strlcpy(repo->path, path, sizeof(repo->path)) >=
	    sizeof(repo->path))
		return (refuse(err, errlen, "repository path", path));
	if (stat(path, &st) == -1) {
		snprintf(err, errlen, "repository %s: %s", path,
		    strerror(errno));
		return (errno == ENOENT ? GIT_NOTFOUND : GIT_ERR);
	}
	if (git_simple(path, argv, NULL, NULL, 0, &go, err, errlen) == -1)
		return (GIT_ERR);
	if (go.go_exit != 0 || strcmp(go.go_out, "true\n") != 0) {
		snprintf(err, errlen, "%s is not a bare git repository%s%s",
		    path, go.go_said[0] ? ": " : "", go.go_said);
		r = GIT_REFUSED;
	}
	git_out_free(&go);
	return (r);
}

static size_t
hex_run(const char *s)
{
	return (strspn(s, "0123456789abcdef"));
}

enum git_result
git_resolve(const struct git_repo *repo, const char *rev,
    char out[GIT_OID_SIZE], char *err, size_t errlen)
{
	char full[GIT_REPO_MAX];
	const char *const argv[] = { "rev-parse", "--verify", "-q",
	    "--end-of-options", full, NULL };
	struct git_out go;
	enum git_result r = GIT_OK;
	size_t n = strlen(rev);
	int hex = n >= 7 && n <= 40 && hex_run(rev) == n;

	out[0] = '\0';
	if (!hex && !git_ref_valid(rev) && !git_branch_valid(rev))
		return (refuse(err, errlen, "revision", rev));
	snprintf(full, sizeof(full), "%s%s^{commit}",
	    hex || git_ref_valid(rev) ? "" : "refs/heads/", rev);
	if (git_simple(repo->path, argv, NULL, NULL, 0, &go, err,
	    errlen) == -1)
		return (GIT_ERR);
	/* A reference of that name must not answer for an object id. */
	if (go.go_exit != 0 || take_oid(&go, out) == -1 ||
	    (hex && strncmp(out, rev, n) != 0)) {
		out[0] = '\0';
		snprintf(err, errlen, "no commit %s in %s%s%s", rev,
		    repo->path, go.go_said[0] ? ": " : "", go.go_said);
		r = GIT_NOTFOUND;
	}
	git_out_free(&go);
	return (r);
}

enum git_result
git_read_ref(const struct git_repo *repo, const char *ref,
    char out[GIT_OID_SIZE], char *err, size_t errlen)
{
	const char *const argv[] = { "for-each-ref", "--count=1",
	    "--format=%(objectname) %(refname)", ref, NULL };
	struct git_out go;
	enum git_result r = GIT_OK;

	out[0] = '\0';
	if (!git_ref_valid(ref))
		return (refuse(err, errlen, "reference", ref));
	if (git_simple(repo->path, argv, NULL, NULL, 0, &go, err,
	    errlen) == -1)
		return (GIT_ERR);
	if (go.go_exit != 0) {
		git_said(err, errlen, "for-each-ref", &go);
		r = GIT_ERR;
	} else if (take_oid(&go, out) == -1 || go.go_len < GIT_OID_SIZE + 1 ||
	    strncmp(go.go_out + GIT_OID_SIZE, ref, strlen(ref)) != 0 ||
	    go.go_out[GIT_OID_SIZE + strlen(ref)] != '\n') {
		/* It also answers with what lies below the name. */
		out[0] = '\0';
		snprintf(err, errlen, "no reference %s in %s", ref,
		    repo->path);
		r = GIT_NOTFOUND;
	}
	git_out_free(&go);
	return (r);
}

/*
 * git's exit code does not tell a lost race from a fault: look at what is
 * there now.
 */
static enum git_result
why_not(const struct git_repo *repo, const char *ref, const char *old,
    const char *what, const struct git_out *go, char *err, size_t errlen)
{
	char now[GIT_OID_SIZE], text[256];
	enum git_result r;

	r = git_read_ref(repo, ref, now, text, sizeof(text));
	if (r == GIT_NOTFOUND)
		strlcpy(now, GIT_ZERO_OID, sizeof(now));
	if ((r == GIT_OK || r == GIT_NOTFOUND) && strcmp(now, old) != 0) {
		snprintf(err, errlen, "%s is at %.7s, not at %.7s", ref, now,
		    old);
		return (GIT_STALE);
	}
	git_said(err, errlen, what, go);
	return (GIT_ERR);
}

static enum git_result
ref_try(const struct git_repo *repo, const char *const *argv,
    const char *ref, const char *old, char *err, size_t errlen)
{
	struct git_out go;
	enum git_result r = GIT_OK;

	if (git_simple(repo->path, argv, NULL, NULL, 0, &go, err,
	    errlen) == -1)
		return (GIT_ERR);
	if (go.go_exit != 0)
		r = why_not(repo, ref, old, "update-ref", &go, err, errlen);
	git_out_free(&go);
	return (r);
}

/* A lock that a killed git left behind is no reason to fail for ever. */
static enum git_result
ref_change(const struct git_repo *repo, const char *const *argv,
    const char *ref, const char *old, char *err, size_t errlen)
{
	enum git_result r;

	r = ref_try(repo, argv, ref, old, err, errlen);
	if (r == GIT_ERR && git_lock_gone(repo->path, ref))
		r = ref_try(repo, argv, ref, old, err, errlen);
	return (r);
}

enum git_result
git_update_ref(const struct git_repo *repo, const char *ref, const char *new,
    const char *old, char *err, size_t errlen)
{
	const char *const argv[] = { "update-ref", "--no-deref", ref, new,
	    old, NULL };

	if (!git_ref_valid(ref))
		return (refuse(err, errlen, "reference", ref));
	/* Forty zeros as the new value would delete. */
	if (!git_oid_valid(new) || strcmp(new, GIT_ZERO_OID) == 0)
		return (refuse(err, errlen, "new object id", new));
	if (!git_oid_valid(old))
		return (refuse(err, errlen, "old object id", old));
	return (ref_change(repo, argv, ref, old, err, errlen));
}

enum git_result
git_delete_ref(const struct git_repo *repo, const char *ref, const char *old,
    char *err, size_t errlen)
{
	const char *const argv[] = { "update-ref", "--no-deref", "-d", ref,
	    old, NULL };

	if (!git_ref_valid(ref))
		return (refuse(err, errlen, "reference", ref));
	if (!git_oid_valid(old) || strcmp(old, GIT_ZERO_OID) == 0)
		return (refuse(err, errlen, "old object id", old));
	return (ref_change(repo, argv, ref, old, err, errlen));
}

enum git_result
git_is_ancestor(const struct git_repo *repo, const char *a, const char *b,
    int *yes, char *err, size_t errlen)
{
	const char *const argv[] = { "merge-base", "--is-ancestor", a, b,
	    NULL };
	struct git_out go;
	enum git_result r = GIT_OK;

	*yes = 0;
	if (!git_oid_valid(a) || !git_oid_valid(b))
		return (refuse(err, errlen, "object id",
		    git_oid_valid(a) ? b : a));
	if (git_simple(repo->path, argv, NULL, NULL, 0, &go, err,
	    errlen) == -1)
		return (GIT_ERR);
	if (go.go_exit > 1) {
		git_said(err, errlen, "merge-base", &go);
		r = GIT_ERR;
	} else
		*yes = go.go_exit == 0;
	git_out_free(&go);
	return (r);
}

enum git_result
git_merge_base(const struct git_repo *repo, const char *a, const char *b,
    char out[GIT_OID_SIZE], char *err, size_t errlen)
{
	const char *const argv[] = { "merge-base", a, b, NULL };
	struct git_out go;
	enum git_result r = GIT_OK;

	out[0] = '\0';
	if (!git_oid_valid(a) || !git_oid_valid(b))
		return (refuse(err, errlen, "object id",
		    git_oid_valid(a) ? b : a));
	if (git_simple(repo->path, argv, NULL, NULL, 0, &go, err,
	    errlen) == -1)
		return (GIT_ERR);
	if (go.go_exit == 1) {
		snprintf(err, errlen, "%.7s and %.7s have no common commit",
		    a, b);
		r = GIT_NOTFOUND;
	} else if (go.go_exit != 0 || take_oid(&go, out) == -1) {
		git_said(err, errlen, "merge-base", &go);
		r = GIT_ERR;
	}
	git_out_free(&go);
	return (r);
}

enum git_result
git_rev_count(const struct git_repo *repo, const char *from, const char *to,
    uint64_t *n, char *err, size_t errlen)
{
	char not[GIT_OID_SIZE + 1];
	const char *const argv[] = { "rev-list", "--count", to,
	    from != NULL ? not : NULL, NULL };
	struct git_out go;
	const char *bad;
	enum git_result r = GIT_OK;

	*n = 0;
	if (!git_oid_valid(to) || (from != NULL && !git_oid_valid(from)))
		return (refuse(err, errlen, "object id",
		    git_oid_valid(to) ? from : to));
	if (from != NULL)
		snprintf(not, sizeof(not), "^%s", from);
	if (git_simple(repo->path, argv, NULL, NULL, 0, &go, err,
	    errlen) == -1)
		return (GIT_ERR);
	go.go_out[strcspn(go.go_out, "\n")] = '\0';
	*n = (uint64_t)strtonum(go.go_out, 0, INT64_MAX, &bad);
	if (go.go_exit != 0 || bad != NULL) {
		git_said(err, errlen, "rev-list", &go);
		r = GIT_ERR;
	}
	git_out_free(&go);
	return (r);
}
