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

/*
 * Real repositories in a folder of their own, for tests only.  A case calls
 * fx_open() first and fx_close() last.
 */
#ifndef GIT_FIXTURE_H
#define GIT_FIXTURE_H

#include <sys/stat.h>
#include <sys/wait.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libcommon/git.h"
#include "libcommon/git_tmp.h"

#define FX	static __attribute__((unused))

static char fx_dir[64];			/* the folder */
static char fx_src[128];		/* a repository with a work tree */
static char fx_bare[128];		/* the mirror of it */
static struct git_repo fx_repo;
static char fx_err[512];

/* Run a program in `cwd'; stdin from `in', stdout into `out' (files). */
FX int
fx_exec(const char *cwd, const char *in, const char *out,
    const char *const *argv)
{
	int status, fd;
	pid_t pid;

	if ((pid = fork()) == 0) {
		fd = open(in != NULL ? in : "/dev/null", O_RDONLY);
		dup2(fd, 0);
		if (out != NULL) {
			fd = open(out, O_WRONLY | O_CREAT | O_TRUNC, 0644);
			dup2(fd, 1);
		}
		if (chdir(cwd) == -1)
			_exit(126);
		execvp(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	ck_assert_int_ne(pid, -1);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return (WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

#define fx_git_io(in, out, ...) ck_assert_int_eq(fx_exec(fx_src, in, out, \
	(const char *const[]){ "git", __VA_ARGS__, NULL }), 0)
#define fx_git(...) fx_git_io(NULL, NULL, __VA_ARGS__)

/* A name inside the folder, valid until the fourth next call. */
FX const char *
fx_path(const char *name)
{
	static char buf[4][256];
	static int n;

	n = (n + 1) % 4;
	snprintf(buf[n], sizeof(buf[n]), "%s/%s", fx_dir, name);
	return (buf[n]);
}

FX void
fx_put(const char *path, const void *data, size_t len)
{
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(data, 1, len, f), len);
	ck_assert_int_eq(fclose(f), 0);
}

FX size_t
fx_get(const char *path, char *buf, size_t size)
{
	FILE *f = fopen(path, "r");
	size_t n;

	ck_assert_ptr_nonnull(f);
	n = fread(buf, 1, size - 1, f);
	buf[n] = '\0';
	fclose(f);
	return (n);
}

/* The first line of a command's output. */
#define fx_line(buf, ...) do {						\
	char fx_lbuf[4096];						\
	fx_git_io(NULL, fx_path("line"), __VA_ARGS__);			\
	fx_get(fx_path("line"), fx_lbuf, sizeof(fx_lbuf));		\
	fx_lbuf[strcspn(fx_lbuf, "\n")] = '\0';				\
	ck_assert_uint_lt((size_t)snprintf(buf, sizeof(buf), "%s",	\
	    fx_lbuf), sizeof(buf));					\
} while (0)

/* Write a file of the work tree, with the folders above it. */
FX void
fx_file(const char *name, const char *text)
{
	char path[512], *p;

	snprintf(path, sizeof(path), "%s/%s", fx_src, name);
	for (p = path + strlen(fx_src) + 1; (p = strchr(p, '/')) != NULL;
	    p++) {
		*p = '\0';
		(void)mkdir(path, 0755);
		*p = '/';
	}
	fx_put(path, text, strlen(text));
}

/* Commit all of the work tree. */
FX void
fx_commit(const char *message, char oid[GIT_OID_SIZE])
{
	char head[64];

	fx_git("add", "-A");
	fx_git("commit", "-q", "--allow-empty", "-m", message);
	fx_line(head, "rev-parse", "HEAD");
	memcpy(oid, head, GIT_OID_SIZE);
}

FX void
fx_open(void)
{
	char first[GIT_OID_SIZE];

	snprintf(fx_dir, sizeof(fx_dir), "/tmp/orchd-unit-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(fx_dir));
	snprintf(fx_src, sizeof(fx_src), "%s/src", fx_dir);
	snprintf(fx_bare, sizeof(fx_bare), "%s/mirror.git", fx_dir);
	ck_assert_int_eq(mkdir(fx_src, 0755), 0);
	setenv("GIT_CONFIG_GLOBAL", "/dev/null", 1);
	setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
	setenv("GIT_AUTHOR_NAME", "A Developer", 1);
	setenv("GIT_AUTHOR_EMAIL", "dev@example.org", 1);
	setenv("GIT_COMMITTER_NAME", "A Developer", 1);
	setenv("GIT_COMMITTER_EMAIL", "dev@example.org", 1);
	fx_git("init", "-q", "-b", "main");
	fx_file("README", "one\ntwo\nthree\n");
	fx_file("src/a.c", "int a;\n");
	fx_commit("First", first);
	ck_assert_int_eq(git_init_mirror(fx_bare, fx_src, fx_err,
	    sizeof(fx_err)), GIT_OK);
	ck_assert_int_eq(git_open(&fx_repo, fx_bare, fx_err,
	    sizeof(fx_err)), GIT_OK);
}

FX void
fx_close(void)
{
	git_tmp_remove(fx_dir);
}

/* Push HEAD of the work tree to a branch of the mirror. */
FX void
fx_push(const char *branch)
{
	char spec[256];

	snprintf(spec, sizeof(spec), "+HEAD:refs/heads/%s", branch);
	fx_git("push", "-q", fx_bare, spec);
}

/* All references of the mirror as one text. */
FX void
fx_refs(char *buf, size_t size)
{
	ck_assert_int_eq(fx_exec(fx_bare, NULL, fx_path("refs"),
	    (const char *const[]){ "git", "for-each-ref", NULL }), 0);
	fx_get(fx_path("refs"), buf, size);
}

/* Files below a folder of the mirror, or 0 when there is none. */
FX size_t
fx_count(const char *sub)
{
	char path[256];
	char *list[] = { path, NULL };
	size_t n = 0;
	FTSENT *e;
	FTS *fts;

	snprintf(path, sizeof(path), "%s/%s", fx_bare, sub);
	ck_assert_ptr_nonnull(fts = fts_open(list, FTS_PHYSICAL, NULL));
	while ((e = fts_read(fts)) != NULL)
		n += e->fts_info == FTS_F || e->fts_info == FTS_SL;
	fts_close(fts);
	return (n);
}

/* The usual main(): one suite, Check's own exit code. */
FX int
fx_main(const char *name, const TTest *const *tests, size_t ntests)
{
	Suite *s = suite_create(name);
	TCase *tc = tcase_create(name);
	SRunner *sr;
	size_t i;
	int failed;

	tcase_set_timeout(tc, 60);
	for (i = 0; i < ntests; i++)
		tcase_add_test(tc, tests[i]);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed ? EXIT_FAILURE : EXIT_SUCCESS);
}

#define FX_MAIN(name, ...)						\
int									\
main(void)								\
{									\
	const TTest *const tests[] = { __VA_ARGS__ };			\
									\
	return (fx_main(name, tests, sizeof(tests) / sizeof(tests[0])));\
}

#endif
