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

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bsd/stdlib.h>
#include <bsd/string.h>

#include "libcommon/git_bundle_head.h"
#include "libcommon/git_run.h"
#include "libcommon/git_tmp.h"
#include "git_bundle.h"

#define MAX_BYTES	(256ULL << 20)
#define MAX_OBJECT	(64ULL << 20)
#define MAX_OBJECTS	200000U
#define MAX_COMMIT	(GIT_MSG_MAX + 8192)	/* message and headers */
#define STEP_MS		120000U
#define CPU_S		120
#define DATA_MAX	(2ULL << 30)
#define PATH_SANE	1024

/* One import. */
struct import {
	const struct git_repo		*im_repo;
	const struct git_bundle_opts	*im_opts;
	struct git_bundle_result	*im_res;
	struct git_bundle_head		 im_head;
	int				 im_fd;
	uint64_t			 im_max_bytes;
	char				 im_dir[GIT_TMP_MAX];
	char				 im_objdir[GIT_TMP_MAX + 64];
	char				 im_alt[GIT_TMP_MAX + 64];
};

static enum git_bundle_verdict refused(struct import *, const char *, ...)
    __attribute__((format(printf, 2, 3)));
static enum git_bundle_verdict failed(struct import *, const char *, ...)
    __attribute__((format(printf, 2, 3)));

static enum git_bundle_verdict
refused(struct import *im, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	snprintf(im->im_res->gb_reason, sizeof(im->im_res->gb_reason),
	    "bundle refused: %s", text);
	return (GIT_BUNDLE_REFUSED);
}

static enum git_bundle_verdict
failed(struct import *im, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	snprintf(im->im_res->gb_reason, sizeof(im->im_res->gb_reason),
	    "import failed: %s", text);
	return (GIT_BUNDLE_ERR);
}

/* Run one step inside the quarantine.  0 when git itself ran. */
static int
step(struct import *im, const char *const *argv, int with_mirror,
    const void *in, size_t inlen, struct git_out *go, char *err,
    size_t errlen)
{
	const char *const env[] = { im->im_objdir,
	    with_mirror ? im->im_alt : NULL, NULL };
	struct git_cmd gc;

	memset(&gc, 0, sizeof(gc));
	gc.gc_dir = im->im_repo->path;
	gc.gc_argv = argv;
	gc.gc_env = env;
	gc.gc_in = in;
	gc.gc_inlen = inlen;
	gc.gc_timeout_ms = im->im_opts->gb_timeout_ms ?
	    im->im_opts->gb_timeout_ms : STEP_MS;
	gc.gc_cpu_s = CPU_S;
	gc.gc_data = DATA_MAX;
	return (git_run(&gc, go, err, errlen));
}

static enum git_bundle_verdict
read_head(struct import *im)
{
	char *buf, why[256];
	struct stat st;
	ssize_t n;
	int r;

	if (fstat(im->im_fd, &st) == -1)
		return (failed(im, "bundle: %s", strerror(errno)));
	if (!S_ISREG(st.st_mode))
		return (refused(im, "it is not a regular file"));
	if ((uint64_t)st.st_size > im->im_max_bytes)
		return (refused(im, "%jd bytes, at most %" PRIu64 " are taken",
		    (intmax_t)st.st_size, im->im_max_bytes));
	if ((buf = malloc(GIT_BUNDLE_HEAD_MAX)) == NULL)
		return (failed(im, "out of memory"));
	do
		n = pread(im->im_fd, buf, GIT_BUNDLE_HEAD_MAX, 0);
	while (n == -1 && errno == EINTR);
	if (n == -1) {
		free(buf);
		return (failed(im, "bundle: %s", strerror(errno)));
	}
	r = git_bundle_head_parse(buf, (size_t)n, im->im_opts->gb_ref,
	    &im->im_head, why, sizeof(why));
	free(buf);
	if (r == -1)
		return (refused(im, "%s", why));
	if (im->im_head.bh_nobjects > (im->im_opts->gb_max_objects ?
	    im->im_opts->gb_max_objects : MAX_OBJECTS))
		return (refused(im, "%u objects are too many",
		    im->im_head.bh_nobjects));
	return (GIT_BUNDLE_OK);
}

/* All that it builds on must be commits that the mirror has. */
static enum git_bundle_verdict
check_prereqs(struct import *im)
{
	char oid[GIT_OID_SIZE], err[256];
	size_t i;

	for (i = 0; i < im->im_head.bh_nprereq; i++) {
		switch (git_resolve(im->im_repo, im->im_head.bh_prereq[i],
		    oid, err, sizeof(err))) {
		case GIT_OK:
			break;
		case GIT_ERR:
			return (failed(im, "%s", err));
		default:
			return (refused(im, "its prerequisite %s is not in "
			    "the mirror", im->im_head.bh_prereq[i]));
		}
	}
	return (GIT_BUNDLE_OK);
}

static enum git_bundle_verdict
make_quarantine(struct import *im)
{
	char path[GIT_TMP_MAX + 16], err[256];

	if (git_tmp_make(im->im_repo, im->im_dir, err, sizeof(err)) != GIT_OK)
		return (failed(im, "%s", err));
	snprintf(path, sizeof(path), "%s/pack", im->im_dir);
	if (mkdir(path, 0755) == -1)
		return (failed(im, "%s: %s", path, strerror(errno)));
	snprintf(im->im_objdir, sizeof(im->im_objdir),
	    "GIT_OBJECT_DIRECTORY=%s", im->im_dir);
	snprintf(im->im_alt, sizeof(im->im_alt),
	    "GIT_ALTERNATE_OBJECT_DIRECTORIES=\"%s/objects\"",
	    im->im_repo->path);
	return (GIT_BUNDLE_OK);
}

static enum git_bundle_verdict
index_pack(struct import *im)
{
	char max[64], err[256];
	const char *const argv[] = { "index-pack", "--stdin", "--fix-thin",
	    "--strict", "--threads=2", max, NULL };
	const char *const env[] = { im->im_objdir, im->im_alt, NULL };
	struct git_cmd gc;
	struct git_out go;
	enum git_bundle_verdict v = GIT_BUNDLE_OK;

	snprintf(max, sizeof(max), "--max-input-size=%" PRIu64,
	    im->im_max_bytes);
	if (lseek(im->im_fd, im->im_head.bh_pack, SEEK_SET) == -1)
		return (failed(im, "bundle: %s", strerror(errno)));
	memset(&gc, 0, sizeof(gc));
	gc.gc_dir = im->im_repo->path;
	gc.gc_argv = argv;
	gc.gc_env = env;
	gc.gc_usefd = 1;
	gc.gc_infd = im->im_fd;
	gc.gc_timeout_ms = im->im_opts->gb_timeout_ms ?
	    im->im_opts->gb_timeout_ms : STEP_MS;
	gc.gc_cpu_s = CPU_S;
	/* Thin packs get their bases appended: room for those. */
	gc.gc_fsize = im->im_max_bytes * 2 + MAX_OBJECT;
	gc.gc_data = DATA_MAX;
	/* A limit that was hit is the pack's fault, not ours. */
	if (git_run(&gc, &go, err, sizeof(err)) == -1)
		return (go.go_sig || go.go_timedout || go.go_toobig ?
		    refused(im, "%s", err) : failed(im, "%s", err));
	if (go.go_exit != 0 && strstr(go.go_said, "No space left") != NULL)
		v = failed(im, "%s", go.go_said);
	else if (go.go_exit != 0)
		v = refused(im, "%s", go.go_said[0] ? go.go_said :
		    "git index-pack takes no such pack");
	git_out_free(&go);
	return (v);
}

/* One line "OID TYPE SIZE" of an object that the pack brought. */
static enum git_bundle_verdict
check_object(struct import *im, char *line)
{
	char *type, *size;
	const char *bad;
	uint64_t n, max = im->im_opts->gb_max_object ?
	    im->im_opts->gb_max_object : MAX_OBJECT;

	if ((type = strchr(line, ' ')) == NULL ||
	    (size = strchr(type + 1, ' ')) == NULL)
		return (failed(im, "git cat-file: unexpected answer"));
	*type++ = '\0';
	*size++ = '\0';
	n = (uint64_t)strtonum(size, 0, INT64_MAX, &bad);
	if (bad != NULL)
		return (failed(im, "git cat-file: unexpected answer"));
	if (strcmp(type, "tag") == 0)
		return (refused(im, "object %.7s is a tag", line));
	if (n > max)
		return (refused(im, "object %.7s has %" PRIu64 " bytes, at "
		    "most %" PRIu64 " are taken", line, n, max));
	if (strcmp(type, "commit") == 0 && n > MAX_COMMIT)
		return (refused(im, "commit %.7s has a message of more than "
		    "%u bytes", line, GIT_MSG_MAX));
	return (GIT_BUNDLE_OK);
}

/* Without the mirror in sight: only what is in quarantine is listed. */
static enum git_bundle_verdict
check_objects(struct import *im)
{
	static const char *const argv[] = { "cat-file", "--batch-check="
	    "%(objectname) %(objecttype) %(objectsize)",
	    "--batch-all-objects", "--unordered", NULL };
	struct git_out go;
	char err[256], *line, *next;
	enum git_bundle_verdict v = GIT_BUNDLE_OK;

	if (step(im, argv, 0, NULL, 0, &go, err, sizeof(err)) == -1)
		return (failed(im, "%s", err));
	if (go.go_exit != 0)
		v = failed(im, "git cat-file: %s", go.go_said);
	next = go.go_out;
	while (v == GIT_BUNDLE_OK && (line = strsep(&next, "\n")) != NULL)
		if (line[0] != '\0')
			v = check_object(im, line);
	git_out_free(&go);
	return (v);
}

/* A question that git answers by its exit code; other codes refuse. */
static enum git_bundle_verdict
ask(struct import *im, const char *const *argv, const char *no)
{
	struct git_out go;
	char err[256];
	enum git_bundle_verdict v = GIT_BUNDLE_OK;

	if (step(im, argv, 1, NULL, 0, &go, err, sizeof(err)) == -1)
		return (go.go_sig || go.go_timedout ?
		    refused(im, "%s", err) : failed(im, "%s", err));
	if (go.go_exit != 0)
		v = refused(im, "%s%s%s", no, go.go_said[0] ? ": " : "",
		    go.go_said);
	git_out_free(&go);
	return (v);
}

static enum git_bundle_verdict
check_history(struct import *im)
{
	char type[GIT_OID_SIZE + 16];
	const char *const commit[] = { "cat-file", "-e", type, NULL };
	const char *const whole[] = { "rev-list", "--objects", "--quiet",
	    im->im_head.bh_tip, "--not", "--all", NULL };
	const char *const descends[] = { "merge-base", "--is-ancestor",
	    im->im_opts->gb_base, im->im_head.bh_tip, NULL };
	enum git_bundle_verdict v;

	snprintf(type, sizeof(type), "%s^{commit}", im->im_head.bh_tip);
	if ((v = ask(im, commit, "its tip is not a commit that it "
	    "brings")) != GIT_BUNDLE_OK ||
	    (v = ask(im, whole, "objects are missing")) != GIT_BUNDLE_OK)
		return (v);
	return (ask(im, descends, "its tip does not descend from the commit "
	    "that the run started from"));
}

/* ":OLDMODE NEWMODE OLD NEW STATUS" and the path. */
static enum git_bundle_verdict
check_change(struct import *im, const char *record, const char *path)
{
	static const char *const legal[] = { "000000", "100644", "100755",
	    "120000" };
	char shown[200];
	size_t i;

	git_escape(shown, sizeof(shown), path, strlen(path));
	if (strlen(record) < 14 || record[0] != ':')
		return (failed(im, "git diff-tree: unexpected answer"));
	if (strncmp(record + 8, "160000", 6) == 0)
		return (refused(im, "%s: submodules are not taken", shown));
	for (i = 0; i < sizeof(legal) / sizeof(legal[0]); i++)
		if (strncmp(record + 8, legal[i], 6) == 0)
			break;
	if (i == sizeof(legal) / sizeof(legal[0]))
		return (refused(im, "%s: file mode %.6s", shown, record + 8));
	if (strlen(path) > PATH_SANE)
		return (refused(im, "%s...: a path of more than %d bytes",
		    shown, PATH_SANE));
	return (GIT_BUNDLE_OK);
}

static enum git_bundle_verdict
check_changes(struct import *im)
{
	const char *const argv[] = { "diff-tree", "-r", "-z", "--raw",
	    "--no-renames", im->im_opts->gb_base, im->im_head.bh_tip, NULL };
	struct git_out go;
	const char *p, *path, *end;
	char err[256];
	enum git_bundle_verdict v = GIT_BUNDLE_OK;

	if (step(im, argv, 1, NULL, 0, &go, err, sizeof(err)) == -1)
		return (go.go_toobig ? refused(im, "%s", err) :
		    failed(im, "%s", err));
	if (go.go_exit != 0)
		v = failed(im, "git diff-tree: %s", go.go_said);
	end = go.go_out + go.go_len;
	for (p = go.go_out; v == GIT_BUNDLE_OK && p < end;
	    p = path + strlen(path) + 1) {
		if ((path = p + strlen(p) + 1) >= end)
			v = failed(im, "git diff-tree: unexpected answer");
		else
			v = check_change(im, p, path);
	}
	git_out_free(&go);
	return (v);
}

static int
ends_with(const char *name, const char *end)
{
	size_t n = strlen(name), e = strlen(end);

	return (n > e && strcmp(name + n - e, end) == 0);
}

/* Rename the quarantine's files of one kind into the mirror. */
static int
move_kind(struct import *im, const char *kind)
{
	char from[GIT_TMP_MAX + 300], to[GIT_TMP_MAX + 300];
	struct dirent *de;
	DIR *d;
	int r = 0;

	snprintf(from, sizeof(from), "%s/pack", im->im_dir);
	if ((d = opendir(from)) == NULL)
		return (-1);
	while (r == 0 && (de = readdir(d)) != NULL) {
		if (strncmp(de->d_name, "pack-", 5) != 0 ||
		    !ends_with(de->d_name, kind))
			continue;
		snprintf(from, sizeof(from), "%s/pack/%s", im->im_dir,
		    de->d_name);
		snprintf(to, sizeof(to), "%s/objects/pack/%s",
		    im->im_repo->path, de->d_name);
		r = rename(from, to);
	}
	closedir(d);
	return (r);
}

static int
sync_folder(const char *path)
{
	int fd, r;

	if ((fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		return (-1);
	r = fsync(fd);
	close(fd);
	return (r);
}

/* A pack counts from the moment its index is there: so that goes last. */
static enum git_bundle_verdict
move_pack(struct import *im)
{
	char path[GIT_TMP_MAX + 32];

	snprintf(path, sizeof(path), "%s/objects/pack", im->im_repo->path);
	if (move_kind(im, ".pack") == -1 || move_kind(im, ".rev") == -1 ||
	    move_kind(im, ".idx") == -1 || sync_folder(path) == -1)
		return (failed(im, "%s: %s", path, strerror(errno)));
	return (GIT_BUNDLE_OK);
}

static enum git_bundle_verdict
set_run_ref(struct import *im)
{
	char now[GIT_OID_SIZE], err[256], err2[256];
	const char *ref = im->im_opts->gb_run_ref, *tip = im->im_head.bh_tip;

	switch (git_update_ref(im->im_repo, ref, tip, GIT_ZERO_OID, err,
	    sizeof(err))) {
	case GIT_OK:
		break;
	case GIT_STALE:
		/* An import that was cut off and is repeated. */
		if (git_read_ref(im->im_repo, ref, now, err2,
		    sizeof(err2)) == GIT_OK && strcmp(now, tip) == 0)
			break;
		/* FALLTHROUGH */
	default:
		return (failed(im, "%s", err));
	}
	strlcpy(im->im_res->gb_tip, tip, sizeof(im->im_res->gb_tip));
	return (GIT_BUNDLE_OK);
}

static enum git_bundle_verdict
no_commit(struct import *im, const char *why)
{
	strlcpy(im->im_res->gb_tip, im->im_opts->gb_base,
	    sizeof(im->im_res->gb_tip));
	snprintf(im->im_res->gb_reason, sizeof(im->im_res->gb_reason),
	    "no commit was handed in: %s", why);
	return (GIT_BUNDLE_NOCOMMIT);
}

/* Everything behind the head, in the order of recipes for hostile packs. */
static enum git_bundle_verdict
take_pack(struct import *im)
{
	static enum git_bundle_verdict (*const steps[])(struct import *) = {
		check_prereqs,
		make_quarantine,
		index_pack,
		check_objects,
		check_history,
		check_changes,
		move_pack,
		set_run_ref,
	};
	enum git_bundle_verdict v = GIT_BUNDLE_OK;
	size_t i;

	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if ((v = steps[i](im)) != GIT_BUNDLE_OK)
			break;
	git_tmp_remove(im->im_dir);
	return (v);
}

enum git_bundle_verdict
git_bundle_import(const struct git_repo *repo, int fd,
    const struct git_bundle_opts *opts, struct git_bundle_result *res)
{
	struct import im;
	enum git_bundle_verdict v;

	memset(&im, 0, sizeof(im));
	memset(res, 0, sizeof(*res));
	im.im_repo = repo;
	im.im_opts = opts;
	im.im_res = res;
	im.im_fd = fd;
	im.im_max_bytes = opts->gb_max_bytes ? opts->gb_max_bytes : MAX_BYTES;
	if (!git_oid_valid(opts->gb_base) || !git_ref_valid(opts->gb_ref) ||
	    !git_ref_valid(opts->gb_run_ref) ||
	    strncmp(opts->gb_run_ref, "refs/orchd/in/", 14) != 0)
		return (failed(&im, "base, branch or run reference is not "
		    "valid"));
	if (fd == -1)
		return (no_commit(&im, "the run left no bundle"));
	if ((v = read_head(&im)) != GIT_BUNDLE_OK)
		return (v);
	if (strcmp(im.im_head.bh_tip, opts->gb_base) == 0)
		return (no_commit(&im, "its branch is where the run "
		    "started"));
	return (take_pack(&im));
}
