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

/* Branches of a repository behind http, and a token that nobody sees. */

#include <dirent.h>
#include <unistd.h>

#include <bsd/string.h>

#include <curl/curl.h>
#include <openssl/evp.h>

#include "libcommon/git_remote.h"

#include "forge_standin.h"
#include "git_fixture.h"

static struct git_remote remote;
static char first[41], second[41];

static void
setup(void)
{
	fx_open();
	fs_start("1.26.1", "0");
	remote.gr_url = fs_git;
	remote.gr_token = FS_TOKEN;
	remote.gr_timeout_ms = 0;
	fx_line(first, "rev-parse", "HEAD");
	fx_file("b", "two\n");
	fx_commit("Second", second);
	fx_push("main");
}

static void
teardown(void)
{
	fs_stop();
	fx_close();
}

static enum git_result
push(const char *branch, const char *new, const char *old)
{
	return (git_remote_push(&fx_repo, &remote, branch, new, old, fx_err,
	    sizeof(fx_err)));
}

static enum git_result
head(const char *branch, char oid[41])
{
	return (git_remote_head(&fx_repo, &remote, branch, oid, fx_err,
	    sizeof(fx_err)));
}

#define ok(r)	ck_assert_msg((r) == GIT_OK, "%s", fx_err)

START_TEST(a_branch_is_made_moved_and_deleted)
{
	char oid[41];

	setup();
	ck_assert_int_eq(head("main", oid), GIT_NOTFOUND);
	ok(push("main", first, ""));
	ok(head("main", oid));
	ck_assert_str_eq(oid, first);
	ok(push("main", second, first));
	ok(head("main", oid));
	ck_assert_str_eq(oid, second);
	ok(push("x/main", first, ""));
	ck_assert_int_eq(head("x", oid), GIT_NOTFOUND);
	ok(push("x/main", "", first));
	ck_assert_int_eq(head("x/main", oid), GIT_NOTFOUND);
	teardown();
}
END_TEST

START_TEST(nothing_is_overwritten_that_was_not_seen)
{
	char oid[41];

	setup();
	ok(push("main", first, ""));
	ck_assert_int_eq(push("main", second, ""), GIT_STALE);
	ok(push("f", second, ""));
	ck_assert_int_eq(push("f", first, first), GIT_STALE);
	ck_assert_int_eq(push("f", "", first), GIT_STALE);
	ok(head("f", oid));
	ck_assert_str_eq(oid, second);
	/* A second try of what is done. */
	ok(push("f", second, first));
	teardown();
}
END_TEST

START_TEST(the_mirror_follows_all_branches)
{
	char oid[41];

	setup();
	ok(push("main", second, ""));
	ok(push("f", first, ""));
	fx_push("gone");
	ok(git_delete_ref(&fx_repo, "refs/heads/main", second, fx_err,
	    sizeof(fx_err)));
	ok(git_remote_fetch(&fx_repo, &remote, "main", fx_err,
	    sizeof(fx_err)));
	ok(git_read_ref(&fx_repo, "refs/heads/main", oid, fx_err,
	    sizeof(fx_err)));
	ck_assert_str_eq(oid, second);
	ok(git_read_ref(&fx_repo, "refs/heads/gone", oid, fx_err,
	    sizeof(fx_err)));
	ck_assert_int_eq(git_remote_fetch(&fx_repo, &remote, "no", fx_err,
	    sizeof(fx_err)), GIT_NOTFOUND);
	ok(git_remote_fetch(&fx_repo, &remote, NULL, fx_err,
	    sizeof(fx_err)));
	ok(git_read_ref(&fx_repo, "refs/heads/f", oid, fx_err,
	    sizeof(fx_err)));
	ck_assert_str_eq(oid, first);
	ck_assert_int_eq(git_read_ref(&fx_repo, "refs/heads/gone", oid,
	    fx_err, sizeof(fx_err)), GIT_NOTFOUND);
	teardown();
}
END_TEST

START_TEST(no_answer_is_in_doubt)
{
	char oid[41];

	setup();
	fs_fault("{\"match\":\"GET .*info/refs.*\",\"kind\":\"status\"}");
	ck_assert_int_eq(head("main", oid), GIT_ERR);
	/* Acted on, and the answer lost. */
	fs_fault("{\"match\":\"POST .*receive-pack.*\",\"kind\":\"lost\"}");
	ck_assert_int_eq(push("main", first, ""), GIT_ERR);
	ok(head("main", oid));
	ck_assert_str_eq(oid, first);
	remote.gr_timeout_ms = 300;
	fs_fault("{\"match\":\"GET .*info/refs.*\",\"kind\":\"slow\","
	    "\"seconds\":2}");
	ck_assert_int_eq(head("main", oid), GIT_ERR);
	remote.gr_timeout_ms = 0;
	remote.gr_token = "another";
	ck_assert_int_eq(head("main", oid), GIT_REFUSED);
	ck_assert_int_eq(push("main", second, first), GIT_REFUSED);
	teardown();
}
END_TEST

static void
meet(const char *what, int status)
{
	char fault[128];

	snprintf(fault, sizeof(fault), "{\"match\":\"%s\",\"kind\":"
	    "\"status\",\"times\":1,\"status\":%d}", what, status);
	fs_fault(fault);
}

static enum git_result
fetch_met(int status)
{
	meet(".*", status);
	return (git_remote_fetch(&fx_repo, &remote, NULL, fx_err,
	    sizeof(fx_err)));
}

START_TEST(a_no_is_an_answer_and_a_fault_is_none)
{
	setup();
	ck_assert_int_eq(fetch_met(404), GIT_REFUSED);
	ck_assert_int_eq(fetch_met(403), GIT_REFUSED);
	ck_assert_msg(fetch_met(401) == GIT_REFUSED, "%s", fx_err);
	ck_assert_int_eq(fetch_met(502), GIT_ERR);
	ck_assert_int_eq(fetch_met(429), GIT_ERR);
	meet(".*", 404);
	ck_assert_int_eq(push("main", first, ""), GIT_REFUSED);
	/* Refused in the middle: what was sent is not taken. */
	meet("POST .*receive-pack.*", 403);
	ck_assert_msg(push("main", first, "") == GIT_REFUSED, "%s", fx_err);
	meet("POST .*receive-pack.*", 502);
	ck_assert_int_eq(push("main", first, ""), GIT_ERR);
	teardown();
}
END_TEST

START_TEST(no_redirect_is_followed)
{
	char oid[41], fault[512];

	setup();
	ok(push("main", first, ""));
	(void)snprintf(fault, sizeof(fault), "{\"match\":"
	    "\"GET /acme/demo.git/info/refs.*\",\"kind\":\"redirect\","
	    "\"times\":1,\"location\":\"%s/info/refs?service="
	    "git-upload-pack\"}", fs_git);
	fs_fault(fault);
	ck_assert_int_eq(head("main", oid), GIT_REFUSED);
	ok(head("main", oid));
	/* A repository that was renamed does not come back by waiting. */
	fs_fault(fault);
	ck_assert_msg(git_remote_fetch(&fx_repo, &remote, NULL, fx_err,
	    sizeof(fx_err)) == GIT_REFUSED, "%s", fx_err);
	teardown();
}
END_TEST

START_TEST(only_http_without_a_user_is_asked)
{
	static const char *const urls[] = { "/tmp/x.git", "file:///tmp/x",
	    "ext::sh -c id", "ssh://h/x", "http://u:p@h/x", "http://u@h/x",
	    "https://h/x y", "http://h/x\n", "-u", "" };
	char oid[41];
	size_t i;

	fx_open();
	remote.gr_token = FS_TOKEN;
	for (i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		remote.gr_url = urls[i];
		ck_assert_int_eq(head("main", oid), GIT_ERR);
		ck_assert_ptr_nonnull(strstr(fx_err, "it is not asked"));
	}
	remote.gr_url = "http://127.0.0.1:9/x";
	remote.gr_token = "two\nlines";
	ck_assert_int_eq(head("main", oid), GIT_ERR);
	ck_assert_ptr_nonnull(strstr(fx_err, "the token"));
	ck_assert_int_eq(head("-x", oid), GIT_REFUSED);
	ck_assert_int_eq(push("x", "--all", ""), GIT_REFUSED);
	fx_close();
}
END_TEST

/* --- the token ------------------------------------------------------------ */

static char secret[2][64];	/* the token, and as the header has it */
static unsigned int seen;	/* git processes at the forge */

static void
secret_fill(void)
{
	unsigned char plain[64];
	int n;

	n = snprintf((char *)plain, sizeof(plain), "%s:", FS_TOKEN);
	(void)strlcpy(secret[0], FS_TOKEN, sizeof(secret[0]));
	/* Three bytes make four: what follows does not change these. */
	EVP_EncodeBlock((unsigned char *)secret[1], plain, n - n % 3);
}

static void
process_look(const char *pid)
{
	char path[300], buf[65536];
	size_t i, j, n;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%s/cmdline", pid);
	if ((f = fopen(path, "r")) == NULL)
		return;
	n = fread(buf, 1, sizeof(buf) - 1, f);
	fclose(f);
	buf[n] = '\0';
	for (i = 0; i < n; i++)
		if (buf[i] == '\0')
			buf[i] = ' ';
	/* The forge itself was given it, and so was what it forks. */
	if (strstr(buf, "standin/forge.py") != NULL)
		return;
	seen += strstr(buf, "git") != NULL && strstr(buf, fs_git) != NULL;
	for (j = 0; j < 2; j++)
		ck_assert_msg(strstr(buf, secret[j]) == NULL, "%s: %s", path,
		    buf);
}

static void
processes_look(void)
{
	struct dirent *de;
	DIR *d;

	ck_assert_ptr_nonnull(d = opendir("/proc"));
	while ((de = readdir(d)) != NULL)
		if (de->d_name[0] >= '1' && de->d_name[0] <= '9')
			process_look(de->d_name);
	closedir(d);
}

/* No file of the mirror holds it. */
static void
files_look(void)
{
	char *list[] = { fx_bare, NULL };
	static char buf[1 << 20];
	size_t n;
	FTSENT *e;
	FTS *fts;
	FILE *f;

	ck_assert_ptr_nonnull(fts = fts_open(list, FTS_PHYSICAL, NULL));
	while ((e = fts_read(fts)) != NULL) {
		if (e->fts_info != FTS_F)
			continue;
		ck_assert_ptr_nonnull(f = fopen(e->fts_path, "r"));
		n = fread(buf, 1, sizeof(buf), f);
		fclose(f);
		ck_assert_msg(memmem(buf, n, secret[0], strlen(secret[0])) ==
		    NULL && memmem(buf, n, secret[1], strlen(secret[1])) ==
		    NULL, "%s", e->fts_path);
	}
	fts_close(fts);
}

static void
commands_run(void)
{
	char oid[41];

	if (push("main", second, first) != GIT_OK ||
	    head("main", oid) != GIT_OK || git_remote_fetch(&fx_repo, &remote,
	    NULL, fx_err, sizeof(fx_err)) != GIT_OK)
		_exit(1);
	_exit(0);
}

START_TEST(the_token_is_in_no_argument_and_no_file)
{
	int status;
	pid_t pid;

	setup();
	secret_fill();
	ok(push("main", first, ""));
	fs_fault("{\"match\":\".*acme/demo.git.*\",\"kind\":\"slow\","
	    "\"times\":-1,\"seconds\":0.3}");
	(void)fflush(NULL);
	if ((pid = fork()) == 0)
		commands_run();
	ck_assert_int_ne(pid, -1);
	while (waitpid(pid, &status, WNOHANG) == 0) {
		processes_look();
		fs_pause(5);
	}
	ck_assert_int_eq(status, 0);
	ck_assert_uint_gt(seen, 3);
	files_look();
	teardown();
}
END_TEST

START_TEST(no_sentence_has_the_token)
{
	char oid[41];

	setup();
	secret_fill();
	fs_fault("{\"match\":\".*acme/demo.git.*\",\"kind\":\"status\","
	    "\"times\":-1,\"status\":403}");
	ck_assert_int_eq(head("main", oid), GIT_REFUSED);
	ck_assert_ptr_null(strstr(fx_err, secret[0]));
	ck_assert_ptr_null(strstr(fx_err, secret[1]));
	ck_assert_int_eq(push("main", first, ""), GIT_REFUSED);
	ck_assert_ptr_null(strstr(fx_err, secret[0]));
	ck_assert_ptr_null(strstr(fx_err, secret[1]));
	teardown();
}
END_TEST

FX_MAIN("git remote", a_branch_is_made_moved_and_deleted,
    nothing_is_overwritten_that_was_not_seen, the_mirror_follows_all_branches,
    no_answer_is_in_doubt,
    a_no_is_an_answer_and_a_fault_is_none, no_redirect_is_followed,
    only_http_without_a_user_is_asked,
    the_token_is_in_no_argument_and_no_file, no_sentence_has_the_token)
