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

#include <bsd/string.h>

#include "libcommon/git_run.h"
#include "libcommon/git_tmp.h"
#include "libcommon/git_writer.h"
#include "git_tree.h"

static enum git_result
refuse(const char *commit, const char *item_id, char *err, size_t errlen)
{
	char c[64], i[96];

	git_escape(c, sizeof(c), commit, strlen(commit));
	git_escape(i, sizeof(i), item_id, strlen(item_id));
	snprintf(err, errlen, "commit \"%s\" or work item \"%s\" is refused",
	    c, i);
	return (GIT_REFUSED);
}

enum git_result
git_code_tree(const struct git_repo *repo, const char *commit,
    const char *item_id, char out[GIT_OID_SIZE], char *err, size_t errlen)
{
	char dir[GIT_TMP_MAX], index[GIT_TMP_MAX + 32], path[128];
	const char *const env[] = { index, NULL };
	const char *const read[] = { "read-tree", commit, NULL };
	const char *const drop[] = { "rm", "-r", "-q", "-f", "--cached",
	    "--ignore-unmatch", "--", path, NULL };
	static const char *const write[] = { "write-tree", NULL };
	enum git_result r;

	out[0] = '\0';
	if (!git_oid_valid(commit) || !item_id_valid(item_id))
		return (refuse(commit, item_id, err, errlen));
	snprintf(path, sizeof(path), "docs/work-items/%s", item_id);
	if ((r = git_tmp_make(repo, dir, err, errlen)) != GIT_OK)
		return (r);
	snprintf(index, sizeof(index), "GIT_INDEX_FILE=%s/index", dir);
	if (git_run_ok(repo->path, read, env, NULL, 0, err, errlen) == -1 ||
	    git_run_ok(repo->path, drop, env, NULL, 0, err, errlen) == -1 ||
	    git_run_line(repo->path, write, env, NULL, 0, out, GIT_OID_SIZE,
	    err, errlen) == -1)
		r = GIT_ERR;
	git_tmp_remove(dir);
	return (r);
}

enum git_result
git_patch_id(const struct git_repo *repo, const char *target,
    const char *branch, char out[GIT_OID_SIZE], char *err, size_t errlen)
{
	char base[GIT_OID_SIZE], line[2 * GIT_OID_SIZE + 2];
	const char *const diff[] = { "diff-tree", "-r", "-p", "--full-index",
	    "--binary", "--no-renames", "--no-color", "--no-ext-diff",
	    "--no-textconv", base, branch, NULL };
	static const char *const id[] = { "patch-id", "--stable", NULL };
	struct git_out go;
	enum git_result r;

	out[0] = '\0';
	r = git_merge_base(repo, target, branch, base, err, errlen);
	if (r != GIT_OK)
		return (r);
	if (git_simple(repo->path, diff, NULL, NULL, 0, &go, err,
	    errlen) == -1)
		return (GIT_ERR);
	if (go.go_exit != 0) {
		git_said(err, errlen, "diff-tree", &go);
		r = GIT_ERR;
	} else if (git_run_line(repo->path, id, NULL, go.go_out, go.go_len,
	    line, sizeof(line), err, errlen) == -1)
		r = GIT_ERR;
	git_out_free(&go);
	if (r != GIT_OK)
		return (r);
	/* "PATCH-ID COMMIT", or nothing when nothing differs. */
	line[strcspn(line, " ")] = '\0';
	strlcpy(out, line[0] != '\0' ? line : GIT_ZERO_OID, GIT_OID_SIZE);
	if (git_oid_valid(out))
		return (GIT_OK);
	snprintf(err, errlen, "git patch-id: no patch id");
	return (GIT_ERR);
}

enum git_result
git_artifact_hash(const struct git_repo *repo, const char *commit,
    const char *item_id, const char *role, char out[SHA256_HEX_SIZE],
    char *err, size_t errlen)
{
	struct git_list gl;
	char dir[128], *text = NULL;
	size_t i, len = 0;
	FILE *f;
	enum git_result r;

	out[0] = '\0';
	if (!git_oid_valid(commit) || !item_id_valid(item_id))
		return (refuse(commit, item_id, err, errlen));
	snprintf(dir, sizeof(dir), "docs/work-items/%s", item_id);
	r = git_list_tree(repo, commit, dir, &gl, err, errlen);
	if (r != GIT_OK)
		goto done;
	r = GIT_ERR;
	snprintf(err, errlen, "hash of the %s's artifacts: no memory", role);
	if ((f = open_memstream(&text, &len)) == NULL)
		goto done;
	for (i = 0; i < gl.gl_n; i++)
		if (git_role_may_write(role, item_id, NULL,
		    gl.gl_item[i].ge_path))
			fprintf(f, "%o %s %s%c", gl.gl_item[i].ge_mode,
			    gl.gl_item[i].ge_oid, gl.gl_item[i].ge_path,
			    '\0');
	if (fclose(f) == 0 && sha256_hex(text, len, out) == 0)
		r = GIT_OK;
done:
	free(text);
	git_list_free(&gl);
	return (r);
}

enum git_result
git_artifact_hashes(const struct git_repo *repo, const char *commit,
    const char *item_id, struct git_artifacts *ga, char *err, size_t errlen)
{
	static const char *const roles[GIT_ARTIFACT_ROLES] = { "analyst",
	    "architect", "reviewer", "tester", "deployer" };
	char hash[SHA256_HEX_SIZE];
	enum git_result r;
	size_t i;

	memset(ga, 0, sizeof(*ga));
	for (i = 0; i < GIT_ARTIFACT_ROLES; i++) {
		r = git_artifact_hash(repo, commit, item_id, roles[i], hash,
		    err, errlen);
		if (r != GIT_OK) {
			ga->ga_list[0] = NULL;
			return (r);
		}
		snprintf(ga->ga_text[i], sizeof(ga->ga_text[i]), "%s=%s",
		    roles[i], hash);
		ga->ga_list[i] = ga->ga_text[i];
	}
	return (GIT_OK);
}
