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

#include <bsd/string.h>

#include "libcommon/git_run.h"
#include "git_writer.h"

#define ITEMS		"docs/work-items/"

/* Which numbered artifacts a role writes, and whether it writes code. */
struct writer {
	const char	*wr_role;
	int		 wr_first;
	int		 wr_last;
	int		 wr_code;
	int		 wr_prefixes;
};

static const struct writer writers[] = {
	{ "analyst",	 0,  4, 0, 0 },
	{ "architect",	 6, 10, 0, 1 },
	{ "developer",	-1, -1, 1, 0 },
	{ "reviewer",	12, 12, 0, 0 },
	{ "tester",	13, 13, 0, 0 },
	{ "deployer",	15, 15, 0, 0 },
};

static const struct writer *
writer_of(const char *role)
{
	size_t i;

	for (i = 0; i < sizeof(writers) / sizeof(writers[0]); i++)
		if (strcmp(writers[i].wr_role, role) == 0)
			return (&writers[i]);
	return (NULL);
}

/* The path inside the item's own folder, or NULL. */
static const char *
in_item(const char *path, const char *item_id)
{
	size_t n = strlen(item_id);

	if (strncmp(path, ITEMS, sizeof(ITEMS) - 1) != 0)
		return (NULL);
	path += sizeof(ITEMS) - 1;
	if (strncmp(path, item_id, n) != 0 || path[n] != '/')
		return (NULL);
	return (path + n + 1);
}

/*
 * docs/work-items itself or below: nobody's code.  In any case of letters: on
 * a disk that does not tell them apart DOCS/Work-Items is the same folder.
 */
static int
among_items(const char *path)
{
	return (strncasecmp(path, ITEMS, sizeof(ITEMS) - 1) == 0 ||
	    strcasecmp(path, "docs/work-items") == 0);
}

static int
below_prefix(const char *path, const char *const *prefixes)
{
	size_t n;

	for (; prefixes != NULL && *prefixes != NULL; prefixes++) {
		n = strlen(*prefixes);
		while (n > 0 && (*prefixes)[n - 1] == '/')
			n--;
		if (n > 0 && strncmp(path, *prefixes, n) == 0 &&
		    (path[n] == '/' || path[n] == '\0'))
			return (1);
	}
	return (0);
}

/* "NN-name" or, for 06, "06-adr/name". */
static int
artifact_number(const char *name)
{
	if (name[0] < '0' || name[0] > '9' || name[1] < '0' ||
	    name[1] > '9' || name[2] != '-')
		return (-1);
	return ((name[0] - '0') * 10 + name[1] - '0');
}

int
git_role_may_write(const char *role, const char *item_id,
    const char *const *prefixes, const char *path)
{
	const struct writer *wr = writer_of(role);
	const char *name;
	int n;

	if (wr == NULL)
		return (0);
	if ((name = in_item(path, item_id)) != NULL) {
		n = artifact_number(name);
		return (n != -1 && n >= wr->wr_first && n <= wr->wr_last);
	}
	if (among_items(path))
		return (0);
	return (wr->wr_code ||
	    (wr->wr_prefixes && below_prefix(path, prefixes)));
}

static int
same_now(const struct git_entry *a, const struct git_entry *b)
{
	return (a->ge_mode == b->ge_mode &&
	    strcmp(a->ge_oid, b->ge_oid) == 0);
}

/*
 * What the target changed between its part of `base' and its part of `tip'.
 * Empty when no merge of the target is in between.
 */
static enum git_result
target_part(const struct git_repo *repo, const char *base, const char *tip,
    const char *target, struct git_list *gl, char *err, size_t errlen)
{
	char old[GIT_OID_SIZE], new[GIT_OID_SIZE];
	enum git_result r;

	memset(gl, 0, sizeof(*gl));
	if (target == NULL)
		return (GIT_OK);
	if ((r = git_merge_base(repo, target, base, old, err,
	    errlen)) != GIT_OK ||
	    (r = git_merge_base(repo, target, tip, new, err,
	    errlen)) != GIT_OK)
		return (r == GIT_NOTFOUND ? GIT_OK : r);
	if (strcmp(old, new) == 0)
		return (GIT_OK);
	return (git_diff_paths(repo, old, new, gl, err, errlen));
}

/* A merge by a role that may not change code: its first id, or "". */
static enum git_result
find_merge(const struct git_repo *repo, const char *base, const char *tip,
    char oid[GIT_OID_SIZE], char *err, size_t errlen)
{
	char not[GIT_OID_SIZE + 1];
	const char *const argv[] = { "rev-list", "--min-parents=2",
	    "--max-count=1", tip, not, NULL };

	snprintf(not, sizeof(not), "^%s", base);
	return (git_run_line(repo->path, argv, NULL, NULL, 0, oid,
	    GIT_OID_SIZE, err, errlen) == -1 ? GIT_ERR : GIT_OK);
}

static enum git_result
offends(const char *role, const char *item_id, const struct git_entry *e,
    const char *tip, char *path, size_t pathlen, char *err, size_t errlen)
{
	char own[160];

	git_escape(path, pathlen, e->ge_path, strlen(e->ge_path));
	snprintf(own, sizeof(own), ITEMS "%s/", item_id);
	snprintf(err, errlen, "%s: the %s may not %s it (commit %.7s)%s",
	    path, role, e->ge_mode == 0 ? "remove" :
	    e->ge_old_mode == 0 ? "add" : "change", tip,
	    strncmp(e->ge_path, own, strlen(own)) == 0 ?
	    ": each artifact has one writer" :
	    strncmp(e->ge_path, ITEMS, sizeof(ITEMS) - 1) == 0 ?
	    ": it belongs to another work item" : among_items(e->ge_path) ?
	    ": " ITEMS " is nobody's code, however it is spelled" :
	    ": only the developer changes code");
	return (GIT_REFUSED);
}

static enum git_result
check_list(const char *role, const char *item_id,
    const char *const *prefixes, const struct git_list *gl,
    const struct git_list *merged, const char *tip, char *path,
    size_t pathlen, char *err, size_t errlen)
{
	const struct git_entry *e, *m;
	size_t i;

	for (i = 0; i < gl->gl_n; i++) {
		e = &gl->gl_item[i];
		if (git_role_may_write(role, item_id, prefixes, e->ge_path))
			continue;
		/* The item's own folder never comes from the target. */
		if (in_item(e->ge_path, item_id) == NULL &&
		    (m = git_list_find(merged, e->ge_path)) != NULL &&
		    same_now(e, m))
			continue;
		return (offends(role, item_id, e, tip, path, pathlen, err,
		    errlen));
	}
	return (GIT_OK);
}

enum git_result
git_changed_by_role(const struct git_repo *repo, const char *base,
    const char *tip, const char *target, const char *item_id,
    const char *role, const char *const *prefixes, char *path,
    size_t pathlen, char *err, size_t errlen)
{
	const struct writer *wr = writer_of(role);
	struct git_list gl, merged;
	char merge[GIT_OID_SIZE] = "";
	enum git_result r;

	memset(&merged, 0, sizeof(merged));
	path[0] = '\0';
	r = git_diff_paths(repo, base, tip, &gl, err, errlen);
	if (r != GIT_OK)
		goto done;
	if (wr != NULL && wr->wr_code)
		r = target_part(repo, base, tip, target, &merged, err,
		    errlen);
	else
		r = find_merge(repo, base, tip, merge, err, errlen);
	if (r != GIT_OK)
		goto done;
	r = check_list(role, item_id, prefixes, &gl, &merged, tip, path,
	    pathlen, err, errlen);
	if (r == GIT_OK && merge[0] != '\0') {
		snprintf(err, errlen, "commit %.7s is a merge: only the "
		    "developer may merge", merge);
		r = GIT_REFUSED;
	}
done:
	git_list_free(&merged);
	git_list_free(&gl);
	return (r);
}
