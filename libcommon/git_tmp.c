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
#include <sys/types.h>

#include <errno.h>
#include <fts.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "libcommon/git.h"
#include "libcommon/sha256.h"
#include "git_tmp.h"

#define TMP_FOLDER	"orchd-tmp"

enum git_result
git_tmp_make(const struct git_repo *repo, char *path, char *err,
    size_t errlen)
{
	uint8_t rnd[8];
	char hex[17];
	int n;

	if (random_bytes(rnd, sizeof(rnd)) == -1)
		goto fail;
	hex_encode(rnd, sizeof(rnd), hex);
	n = snprintf(path, GIT_TMP_MAX, "%s/" TMP_FOLDER, repo->path);
	if (mkdir(path, 0700) == -1 && errno != EEXIST)
		goto fail;
	snprintf(path + n, (size_t)(GIT_TMP_MAX - n), "/%s", hex);
	if (mkdir(path, 0700) == -1)
		goto fail;
	return (GIT_OK);
fail:
	snprintf(err, errlen, "%s: temporary folder: %s", repo->path,
	    strerror(errno));
	path[0] = '\0';
	return (GIT_ERR);
}

static FTS *
walk(const char *path)
{
	char *const list[] = { (char *)(uintptr_t)path, NULL };

	return (fts_open(list, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL));
}

void
git_tmp_remove(const char *path)
{
	FTS *fts;
	FTSENT *e;

	if (path[0] == '\0' || (fts = walk(path)) == NULL)
		return;
	while ((e = fts_read(fts)) != NULL) {
		if (e->fts_info == FTS_D)
			continue;
		/* What cannot go now goes with the next sweep. */
		if (e->fts_info == FTS_DP)
			(void)rmdir(e->fts_accpath);
		else
			(void)unlink(e->fts_accpath);
	}
	fts_close(fts);
}

static int
older(const struct stat *st, time_t limit)
{
	return (st->st_mtime < limit && st->st_ctime < limit);
}

static void
sweep_tmp(const struct git_repo *repo, time_t limit)
{
	char dir[GIT_TMP_MAX];
	FTS *fts;
	FTSENT *e;

	snprintf(dir, sizeof(dir), "%s/" TMP_FOLDER, repo->path);
	if ((fts = walk(dir)) == NULL)
		return;
	while ((e = fts_read(fts)) != NULL) {
		if (e->fts_info != FTS_D || e->fts_level != 1)
			continue;
		(void)fts_set(fts, e, FTS_SKIP);
		if (older(e->fts_statp, limit))
			git_tmp_remove(e->fts_accpath);
	}
	fts_close(fts);
}

static void
sweep_lock_file(const struct git_repo *repo, const char *name, time_t limit)
{
	char path[GIT_TMP_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", repo->path, name);
	if (lstat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	    older(&st, limit))
		(void)unlink(path);
}

static int
is_lock(const char *name)
{
	size_t n = strlen(name);

	return (n > 5 && strcmp(name + n - 5, ".lock") == 0);
}

enum git_result
git_sweep(const struct git_repo *repo, unsigned int age_s, char *err,
    size_t errlen)
{
	char dir[GIT_TMP_MAX];
	time_t limit = time(NULL) - (time_t)age_s;
	FTS *fts;
	FTSENT *e;

	sweep_tmp(repo, limit);
	sweep_lock_file(repo, "packed-refs.lock", limit);
	sweep_lock_file(repo, "HEAD.lock", limit);
	snprintf(dir, sizeof(dir), "%s/refs", repo->path);
	if ((fts = walk(dir)) == NULL) {
		snprintf(err, errlen, "%s: %s", dir, strerror(errno));
		return (GIT_ERR);
	}
	while ((e = fts_read(fts)) != NULL) {
		if (e->fts_info == FTS_F && is_lock(e->fts_name) &&
		    older(e->fts_statp, limit))
			(void)unlink(e->fts_accpath);
	}
	fts_close(fts);
	return (GIT_OK);
}
