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

#include <openssl/evp.h>

#include "libcommon/git_run.h"
#include "git_remote.h"

#define HEAD_MS		30000U
#define PUSH_MS		120000U
#define FETCH_MS	600000U
#define TOKEN_MAX	1024	/* bytes of a token */
#define URL_MAX		1024
#define REF_MAX		300
#define HEADER		"Authorization: Basic "
#define PASSWORD	":x-oauth-basic"

/*
 * The configuration of one command, given by variables: what stands in an
 * argument anybody of this host can read.
 */
struct remote_env {
	char		 count[24];
	char		 key[4][URL_MAX + 64];
	char		 value[4][TOKEN_MAX * 2 + 64];
	const char	*env[12];
};

static int
env_config(struct remote_env *re, size_t i, const char *key,
    const char *value)
{
	int k, v;

	k = snprintf(re->key[i], sizeof(re->key[i]), "GIT_CONFIG_KEY_%zu=%s",
	    i, key);
	v = snprintf(re->value[i], sizeof(re->value[i]),
	    "GIT_CONFIG_VALUE_%zu=%s", i, value);
	return (k < 0 || (size_t)k >= sizeof(re->key[i]) || v < 0 ||
	    (size_t)v >= sizeof(re->value[i]) ? -1 : 0);
}

int
git_remote_header(const char *token, char *buf, size_t len)
{
	unsigned char plain[TOKEN_MAX + sizeof(PASSWORD)];
	char code[TOKEN_MAX * 2];
	int n, r;

	n = snprintf((char *)plain, sizeof(plain), "%s%s", token, PASSWORD);
	if (n < 0 || (size_t)n >= sizeof(plain))
		return (-1);
	(void)EVP_EncodeBlock((unsigned char *)code, plain, n);
	r = snprintf(buf, len, HEADER "%s", code);
	explicit_bzero(plain, sizeof(plain));
	explicit_bzero(code, sizeof(code));
	return (r < 0 || (size_t)r >= len ? -1 : 0);
}

static int
url_valid(const char *url)
{
	const char *host;
	size_t i;

	if (strncmp(url, "http://", 7) == 0)
		host = url + 7;
	else if (strncmp(url, "https://", 8) == 0)
		host = url + 8;
	else
		return (0);
	for (i = 0; url[i] != '\0'; i++)
		if ((unsigned char)url[i] <= ' ' || url[i] == 0x7f)
			return (0);
	/* A user in it would be a secret in an argument. */
	return (i < URL_MAX && host[strcspn(host, "/@")] != '@');
}

/* -1 with err when the address or the token cannot be used. */
static int
env_fill(struct remote_env *re, const struct git_remote *gr, char *err,
    size_t errlen)
{
	char key[URL_MAX + 32], header[TOKEN_MAX * 2 + 32];
	size_t i, n = 2, at = 0;
	int bad = 0;

	if (!url_valid(gr->gr_url)) {
		(void)snprintf(err, errlen, "not an http(s) address without "
		    "a user: it is not asked");
		return (-1);
	}
	bad |= env_config(re, 0, "http.followRedirects", "false");
	/* A server that stops talking is given up before the limit. */
	bad |= env_config(re, 1, "http.lowSpeedTime", "60");
	bad |= env_config(re, n++, "http.lowSpeedLimit", "1");
	if (gr->gr_token[0] != '\0') {
		(void)snprintf(key, sizeof(key), "http.%s.extraHeader",
		    gr->gr_url);
		bad |= strpbrk(gr->gr_token, "\r\n:") != NULL ||
		    git_remote_header(gr->gr_token, header,
		    sizeof(header)) == -1 ||
		    env_config(re, n++, key, header) == -1;
		explicit_bzero(header, sizeof(header));
	}
	if (bad) {
		(void)snprintf(err, errlen, "the token is too long, or not "
		    "in one line");
		return (-1);
	}
	(void)snprintf(re->count, sizeof(re->count), "GIT_CONFIG_COUNT=%zu",
	    n);
	re->env[at++] = re->count;
	re->env[at++] = "GIT_ALLOW_PROTOCOL=http:https";
	for (i = 0; i < n; i++) {
		re->env[at++] = re->key[i];
		re->env[at++] = re->value[i];
	}
	re->env[at] = NULL;
	return (0);
}

static int
remote_run(const struct git_repo *repo, const struct git_remote *gr,
    const char *const *argv, uint32_t timeout_ms, struct git_out *out,
    char *err, size_t errlen)
{
	struct remote_env re;
	struct git_cmd gc;
	int r;

	memset(out, 0, sizeof(*out));
	if (env_fill(&re, gr, err, errlen) == -1) {
		explicit_bzero(&re, sizeof(re));
		return (-1);
	}
	memset(&gc, 0, sizeof(gc));
	gc.gc_dir = repo->path;
	gc.gc_argv = argv;
	gc.gc_env = re.env;
	gc.gc_timeout_ms = gr->gr_timeout_ms != 0 ? gr->gr_timeout_ms :
	    timeout_ms;
	r = git_run(&gc, out, err, errlen);
	explicit_bzero(&re, sizeof(re));
	return (r);
}

static enum git_result
remote_ref(const char *branch, char ref[REF_MAX], char *err, size_t errlen)
{
	int n;

	n = git_branch_valid(branch) ? snprintf(ref, REF_MAX,
	    "refs/heads/%s", branch) : -1;
	if (n > 0 && n < REF_MAX)
		return (GIT_OK);
	(void)snprintf(err, errlen, "not a branch name");
	return (GIT_REFUSED);
}

/* "OID<tab>REF" lines: ls-remote also gives names that end alike. */
static enum git_result
head_read(const char *out, const char *ref, char oid[GIT_OID_SIZE], char *err,
    size_t errlen)
{
	const char *p, *end;
	size_t n;

	for (p = out; *p != '\0'; p = *end == '\0' ? end : end + 1) {
		end = p + strcspn(p, "\n");
		n = strcspn(p, "\t\n");
		if (p[n] != '\t' || (size_t)(end - p) - n - 1 != strlen(ref) ||
		    strncmp(p + n + 1, ref, strlen(ref)) != 0)
			continue;
		(void)snprintf(oid, GIT_OID_SIZE, "%.*s", (int)(n <
		    GIT_OID_SIZE ? n : 0), p);
		if (git_oid_valid(oid))
			return (GIT_OK);
		oid[0] = '\0';
		(void)snprintf(err, errlen, "git ls-remote: no object id");
		return (GIT_ERR);
	}
	(void)snprintf(err, errlen, "%s does not exist", ref);
	return (GIT_NOTFOUND);
}

/* It asks for another password where the token is refused: say that. */
static void
remote_said(char *err, size_t errlen, const char *what,
    const struct git_out *out)
{
	if (strstr(out->go_said, "read askpass response") != NULL)
		(void)snprintf(err, errlen, "git %s: the server refuses the "
		    "token", what);
	else
		git_said(err, errlen, what, out);
}

/* Not found, not allowed, moved: an answer, which the next try gets again. */
static int
answered_no(const char *said)
{
	static const char *const no[] = { "returned error: 30",
	    "returned error: 401",
	    "returned error: 403", "returned error: 404",
	    "Authentication failed", "could not read Username",
	    "read askpass response" };
	const char *p = strstr(said, "fatal: repository '");
	size_t i;

	if (p != NULL && strstr(p, "' not found") != NULL)
		return (1);
	for (i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		if (strstr(said, no[i]) != NULL)
			return (1);
	return (0);
}

enum git_result
git_remote_head(const struct git_repo *repo, const struct git_remote *gr,
    const char *branch, char oid[GIT_OID_SIZE], char *err, size_t errlen)
{
	char ref[REF_MAX];
	const char *const argv[] = { "ls-remote", "--quiet", "--",
	    gr->gr_url, ref, NULL };
	struct git_out out;
	enum git_result r;

	oid[0] = '\0';
	if ((r = remote_ref(branch, ref, err, errlen)) != GIT_OK)
		return (r);
	if (remote_run(repo, gr, argv, HEAD_MS, &out, err, errlen) == -1)
		return (GIT_ERR);
	if (out.go_exit == 0)
		r = head_read(out.go_out, ref, oid, err, errlen);
	else {
		remote_said(err, errlen, "ls-remote", &out);
		r = answered_no(out.go_said) ? GIT_REFUSED : GIT_ERR;
	}
	git_out_free(&out);
	return (r);
}

enum git_result
git_remote_fetch(const struct git_repo *repo, const struct git_remote *gr,
    const char *branch, char *err, size_t errlen)
{
	char ref[REF_MAX], spec[REF_MAX * 2 + 2] =
	    "+refs/heads/*:refs/heads/*";
	const char *const argv[] = { "fetch", "--quiet", "--no-tags",
	    "--no-write-fetch-head", "--no-auto-maintenance",
	    "--no-recurse-submodules", branch == NULL ? "--prune" :
	    "--no-prune", "--", gr->gr_url, spec, NULL };
	struct git_out out;
	enum git_result r;

	if (branch != NULL) {
		if ((r = remote_ref(branch, ref, err, errlen)) != GIT_OK)
			return (r);
		(void)snprintf(spec, sizeof(spec), "+%s:%s", ref, ref);
	}
	if (remote_run(repo, gr, argv, FETCH_MS, &out, err, errlen) == -1)
		return (GIT_ERR);
	r = GIT_OK;
	if (out.go_exit != 0) {
		remote_said(err, errlen, "fetch", &out);
		r = strstr(out.go_said, "couldn't find remote ref") != NULL ?
		    GIT_NOTFOUND : answered_no(out.go_said) ? GIT_REFUSED :
		    GIT_ERR;
	}
	git_out_free(&out);
	return (r);
}

/* The line of --porcelain: "FLAG<tab>FROM:TO<tab>[rejected] (stale info)". */
static enum git_result
push_read(const struct git_out *out, char *err, size_t errlen)
{
	const char *p = out->go_out, *bad, *tab;

	if (out->go_exit == 0)
		return (GIT_OK);
	bad = strncmp(p, "!\t", 2) == 0 ? p : strstr(p, "\n!\t");
	if (bad == NULL) {
		remote_said(err, errlen, "push", out);
		return (answered_no(out->go_said) ? GIT_REFUSED : GIT_ERR);
	}
	bad += *bad == '\n';
	if ((tab = strchr(bad + 2, '\t')) == NULL)
		tab = bad + 1;
	git_escape(err, errlen, tab + 1, strlen(tab + 1));
	if (strncmp(tab + 1, "[rejected]", 10) == 0)
		return (GIT_STALE);
	/* "remote rejected" is also how a lost race looks. */
	return (strstr(err, "declined") != NULL ? GIT_REFUSED : GIT_ERR);
}

enum git_result
git_remote_push(const struct git_repo *repo, const struct git_remote *gr,
    const char *branch, const char *new, const char *old, char *err,
    size_t errlen)
{
	char ref[REF_MAX], lease[REF_MAX + 80], spec[REF_MAX + 48];
	const char *const argv[] = { "push", "--porcelain", "--no-verify",
	    "--no-follow-tags", "--recurse-submodules=no", lease, "--",
	    gr->gr_url, spec, NULL };
	struct git_out out;
	enum git_result r;

	if ((r = remote_ref(branch, ref, err, errlen)) != GIT_OK)
		return (r);
	if ((new[0] != '\0' && !git_oid_valid(new)) ||
	    (old[0] != '\0' && !git_oid_valid(old)) ||
	    (new[0] == '\0' && old[0] == '\0')) {
		(void)snprintf(err, errlen, "push refused: no object id");
		return (GIT_REFUSED);
	}
	(void)snprintf(lease, sizeof(lease), "--force-with-lease=%s:%s", ref,
	    old);
	(void)snprintf(spec, sizeof(spec), "%s:%s", new, ref);
	if (remote_run(repo, gr, argv, PUSH_MS, &out, err, errlen) == -1)
		return (GIT_ERR);
	r = push_read(&out, err, errlen);
	git_out_free(&out);
	return (r);
}
