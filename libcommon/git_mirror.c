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
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libcommon/git_run.h"
#include "libcommon/git_tmp.h"
#include "libcommon/sha256.h"
#include "git.h"

/* What a mirror's own configuration says; workspaces borrow from it. */
static const char *const settings[][2] = {
	{ "core.logAllRefUpdates", "false" },
	{ "core.hooksPath", "/dev/null" },
	/* A reference that says "merged" must survive a power cut. */
	{ "core.fsync", "committed,reference" },
	{ "gc.auto", "0" },
	{ "gc.pruneExpire", "never" },
	{ "maintenance.auto", "false" },
	{ "receive.autogc", "false" },
	{ "receive.fsckObjects", "true" },
	{ "receive.denyNonFastForwards", "true" },
	{ "receive.denyDeletes", "true" },
	{ "receive.denyCurrentBranch", "refuse" },
	{ "receive.advertisePushOptions", "false" },
	{ "transfer.fsckObjects", "true" },
	{ "merge.renames", "true" },
};

/*
 * The source was named by the operator but may be another user's: git
 * wants that said, and takes it from no other place than this file.
 */
static int
write_trust(const char *file, const char *from)
{
	FILE *f;
	int fd, bad;

	if ((fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
	    0600)) == -1)
		return (-1);
	if ((f = fdopen(fd, "w")) == NULL) {
		close(fd);
		return (-1);
	}
	fprintf(f, "[safe]\n\tdirectory = \"%s\"\n"
	    "\tdirectory = \"%s/.git\"\n", from, from);
	bad = ferror(f);
	return (fclose(f) != 0 || bad ? -1 : 0);
}

static int
configure(const char *dir, char *err, size_t errlen)
{
	const char *argv[] = { "config", NULL, NULL, NULL };
	size_t i;

	for (i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		argv[1] = settings[i][0];
		argv[2] = settings[i][1];
		if (git_run_ok(dir, argv, NULL, NULL, 0, err, errlen) == -1)
			return (-1);
	}
	return (0);
}

/* HEAD on the source's branch, when that is a branch we took. */
static int
set_head(const char *dir, const char *from, const char *const *env,
    char *err, size_t errlen)
{
	const char *const ask[] = { "ls-remote", "--symref", from, "HEAD",
	    NULL };
	char answer[4096];
	const char *const set[] = { "symbolic-ref", "HEAD", answer + 5,
	    NULL };

	if (git_run_line(dir, ask, env, NULL, 0, answer, sizeof(answer), err,
	    errlen) == -1)
		return (-1);
	if (strncmp(answer, "ref: refs/heads/", 16) != 0)
		return (0);
	answer[strcspn(answer, "\t")] = '\0';
	return (git_run_ok(dir, set, NULL, NULL, 0, err, errlen));
}

/* An empty bare repository with our settings. */
static int
make_empty(const char *dir, char *err, size_t errlen)
{
	const char *const init[] = { "init", "-q", "--bare", "--template=",
	    dir, NULL };

	if (git_run_ok(NULL, init, NULL, NULL, 0, err, errlen) == -1)
		return (-1);
	return (configure(dir, err, errlen));
}

static int
fill(const char *dir, const char *from, char *err, size_t errlen)
{
	const char *const fetch[] = { "fetch", "-q", "--no-tags",
	    "--no-write-fetch-head", from, "+refs/heads/*:refs/heads/*",
	    NULL };
	const char *const list[] = { "for-each-ref", "--count=1",
	    "refs/heads/", NULL };
	char trust[GIT_TMP_MAX + 16], env0[GIT_TMP_MAX + 48], any[512];
	const char *const env[] = { env0, NULL };

	snprintf(trust, sizeof(trust), "%s/trust.conf", dir);
	snprintf(env0, sizeof(env0), "GIT_CONFIG_GLOBAL=%s", trust);
	if (write_trust(trust, from) == -1) {
		snprintf(err, errlen, "%s: %s", trust, strerror(errno));
		return (-1);
	}
	if (git_run_ok(dir, fetch, env, NULL, 0, err, errlen) == -1 ||
	    set_head(dir, from, env, err, errlen) == -1 ||
	    git_run_line(dir, list, NULL, NULL, 0, any, sizeof(any), err,
	    errlen) == -1)
		return (-1);
	if (any[0] == '\0') {
		snprintf(err, errlen, "%s has no commit on any branch: "
		    "make a first commit there", from);
		return (-1);
	}
	return (unlink(trust));
}

/* A source's path that can stand quoted in a configuration file. */
static int
source_path(const char *from, char *real, char *err, size_t errlen)
{
	if (from[0] != '/') {
		snprintf(err, errlen, "source repository \"%.100s\" must be "
		    "an absolute path", from);
		return (-1);
	}
	if (realpath(from, real) == NULL) {
		snprintf(err, errlen, "source repository %.100s: %s", from,
		    strerror(errno));
		return (-1);
	}
	if (strpbrk(real, "\"\\\n\t") != NULL ||
	    strlen(real) >= GIT_REPO_MAX - 8) {
		snprintf(err, errlen, "source repository: its path is too "
		    "long or has a quote, backslash or line end");
		return (-1);
	}
	return (0);
}

enum git_result
git_init_mirror(const char *path, const char *from, char *err, size_t errlen)
{
	char real[PATH_MAX], tmp[GIT_TMP_MAX], hex[17];
	uint8_t rnd[8];
	struct stat st;

	if (path[0] != '/' || strlen(path) >= GIT_REPO_MAX - 32) {
		snprintf(err, errlen, "mirror path \"%.100s\" is refused: it "
		    "is too long or not absolute", path);
		return (GIT_REFUSED);
	}
	if (lstat(path, &st) == 0) {
		snprintf(err, errlen, "mirror %s exists already", path);
		return (GIT_REFUSED);
	}
	if (from != NULL && source_path(from, real, err, errlen) == -1)
		return (GIT_REFUSED);
	if (random_bytes(rnd, sizeof(rnd)) == -1) {
		snprintf(err, errlen, "random bytes: %s", strerror(errno));
		return (GIT_ERR);
	}
	hex_encode(rnd, sizeof(rnd), hex);
	snprintf(tmp, sizeof(tmp), "%s.new-%s", path, hex);
	if (make_empty(tmp, err, errlen) == -1 ||
	    (from != NULL && fill(tmp, real, err, errlen) == -1))
		goto fail;
	/* Fails when another one was first: a folder with content. */
	if (rename(tmp, path) == -1) {
		snprintf(err, errlen, "mirror %s: %s", path, strerror(errno));
		goto fail;
	}
	return (GIT_OK);
fail:
	git_tmp_remove(tmp);
	return (GIT_ERR);
}
