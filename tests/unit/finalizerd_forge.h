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

#ifndef TESTS_FINALIZERD_FORGE_H
#define TESTS_FINALIZERD_FORGE_H

/* A worker's world whose forge is the stand-in. */

#include <curl/curl.h>

#include "libcommon/git_remote.h"

#include "finalizerd_world.h"
#include "forge_standin.h"

#define API	"/api/v1/repos/" FS_REPO
#define MERGE	"POST /api/v1/.*/merge"

static struct git_remote remote;
static struct git_repo forge_repo;	/* of the stand-in itself */

/* A branch of the forge from old to new, behind everybody's back. */
FS void
forge_set(const char *branch, const char *new)
{
	char old[41], err[256];

	if (git_remote_head(&repo, &remote, branch, old, err, sizeof(err)) ==
	    GIT_OK && strcmp(old, new) == 0)
		return;
	ck_assert_msg(git_remote_push(&repo, &remote, branch, new, old, err,
	    sizeof(err)) == GIT_OK, "%s: %s", branch, err);
}

/* What a branch of the forge is, by its own repository; "": it has none. */
FS const char *
forge_get(const char *branch)
{
	static char oid[41];
	char ref[128], err[256];

	(void)snprintf(ref, sizeof(ref), "refs/heads/%s", branch);
	return (git_read_ref(&forge_repo, ref, oid, err, sizeof(err)) ==
	    GIT_OK ? oid : "");
}

/* Its first target, before anybody looks. */
FS void
forge_fill(void)
{
	char path[128], what[64], err[256];
	const char *fetch[] = { "fetch", "-q", repo.path, what, NULL };

	(void)snprintf(path, sizeof(path), "%s/root/" FS_REPO ".git", fs_dir);
	ck_assert_msg(git_open(&forge_repo, path, err, sizeof(err)) == GIT_OK,
	    "%s", err);
	(void)snprintf(what, sizeof(what), "%s:refs/heads/main", oid_t);
	git_ok(fetch, path);
}

FS void
begin(const char *check)
{
	fs_start("1.26.1", check);
	remote.gr_url = fs_git;
	remote.gr_token = FS_TOKEN;
	spec.forge = "gitea";
	spec.forge_url = fs_base;
	spec.forge_repo = FS_REPO;
	spec.token = FS_TOKEN;
	counting = forge_gitea;
	forge_fill();
	world_reset("");
}

FS void
option(const char *text)
{
	go.options.l_data = text;
	go.options.l_len = (uint32_t)strlen(text) + 1;
	go.options.l_n = 1;
}

/* The mirror knows nothing: it is filled by looking. */
FS void
publish(void)
{
	go.work = "publish";
	go.stage = "development";
	go.head = oid_h_ff;
	eng->e_commits = eng->e_ends = 0;
	ck_assert_int_eq(run_worker(), 0);
}

FS void
edge(void)
{
	go.work = "edge";
	go.stage = "deploy-staging";
	go.head = go.commit = oid_h_ff;
	eng->e_commits = eng->e_ends = 0;
	ck_assert_int_eq(run_worker(), 0);
}

FS void
published(void)
{
	ck_assert_msg(eng->e_verdict == GATE_PASS, "%s", eng->e_reason);
	ck_assert_str_eq(forge_get(BRANCH), oid_h_ff);
	ck_assert_str_eq(get_ref("refs/heads/" BRANCH), oid_h_ff);
	ck_assert_uint_eq(fs_count("/_standin/state", "\"number\""), 1);
	ck_assert_uint_eq(fs_count("/_standin/state", "\"open\""), 1);
	ck_assert_int_eq(eng->e_pull, PULL_IS_OPEN);
	ck_assert_uint_eq(eng->e_pull_there, 1);
	ck_assert_ptr_nonnull(strstr(eng->e_pull_page, "/pulls/1"));
}

/* One merge, and everybody knows of it. */
FS void
landed(const char *commit)
{
	ck_assert_msg(eng->e_commits == 1, "%s", eng->e_reason);
	ck_assert_str_eq(eng->e_to, "deploy");
	ck_assert_str_eq(forge_get("main"), commit);
	ck_assert_str_eq(get_ref("refs/heads/main"), commit);
	ck_assert_str_eq(eng->e_landed, commit);
	ck_assert_int_eq(eng->e_pull, PULL_IS_MERGED);
	ck_assert_uint_eq(fs_count("/_standin/state", "\"merged\""), 1);
	ck_assert_uint_eq(fs_count("/_standin/state", "\"number\""), 1);
}

#endif
