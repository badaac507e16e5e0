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

#include "libcommon/git_remote.h"
#include "libcommon/log.h"

#include "finalizerd.h"

/*
 * The forge `gitea' (also Forgejo): branches through git, pull requests and
 * the merge through REST.  refs/heads/ of the mirror is what the forge had
 * when it was looked at last.
 */

#define URL_MAX		1400

static int
remote_of(struct worker *w, struct git_remote *gr, char url[URL_MAX],
    char *err, size_t errlen)
{
	const struct orch_run_spec *rs = w->w_spec;
	size_t len = strlen(rs->forge_url);
	int n;

	while (len > 0 && rs->forge_url[len - 1] == '/')
		len--;
	n = snprintf(url, URL_MAX, "%.*s/%s.git", (int)len, rs->forge_url,
	    rs->forge_repo);
	if (len == 0 || rs->forge_repo[0] == '\0' || n < 0 || n >= URL_MAX) {
		(void)snprintf(err, errlen, "the run names no repository of "
		    "the forge");
		return (-1);
	}
	memset(gr, 0, sizeof(*gr));
	gr->gr_url = url;
	gr->gr_token = rs->token;
	return (0);
}

static enum forge_result
remote_result(struct worker *w, enum git_result r)
{
	if (r == GIT_REFUSED || r == GIT_ERR)
		forge_answered(w, r == GIT_REFUSED);
	switch (r) {
	case GIT_OK:
		return (FORGE_OK);
	case GIT_NOTFOUND:
		return (FORGE_NOTFOUND);
	case GIT_STALE:
		return (FORGE_STALE);
	case GIT_CONFLICT:
	case GIT_REFUSED:
	case GIT_ERR:
		break;
	}
	return (FORGE_UNKNOWN);
}

/* refs/heads/ of the mirror; oid "" removes it.  It only follows. */
static void
mirror_set(struct worker *w, const char *branch, const char *oid)
{
	char ref[300], now[GIT_OID_SIZE], err[256];
	enum git_result r;

	(void)snprintf(ref, sizeof(ref), "refs/heads/%s", branch);
	r = git_read_ref(&w->w_repo, ref, now, err, sizeof(err));
	if (r == GIT_NOTFOUND)
		(void)strlcpy(now, GIT_ZERO_OID, sizeof(now));
	else if (r != GIT_OK || strcmp(now, oid) == 0)
		return;
	if (oid[0] != '\0')
		r = git_update_ref(&w->w_repo, ref, oid, now, err,
		    sizeof(err));
	else if (r == GIT_OK)
		r = git_delete_ref(&w->w_repo, ref, now, err, sizeof(err));
	if (r != GIT_OK && r != GIT_NOTFOUND)
		log_debug("%s: %s", ref, err);
}

/* What the forge has, with its objects in the mirror. */
static enum forge_result
gitea_head(struct worker *w, const char *branch, char oid[GIT_OID_SIZE],
    char *err, size_t errlen)
{
	char url[URL_MAX], ref[300], now[GIT_OID_SIZE];
	struct git_remote gr;
	enum git_result r;

	if (remote_of(w, &gr, url, err, errlen) == -1)
		return (FORGE_UNKNOWN);
	r = git_remote_head(&w->w_repo, &gr, branch, oid, err, errlen);
	if (r == GIT_NOTFOUND)
		mirror_set(w, branch, "");
	if (r != GIT_OK)
		return (remote_result(w, r));
	(void)snprintf(ref, sizeof(ref), "refs/heads/%s", branch);
	if (git_read_ref(&w->w_repo, ref, now, err, errlen) == GIT_OK &&
	    strcmp(now, oid) == 0)
		return (FORGE_OK);
	/* It may move meanwhile: the mirror has what was fetched. */
	r = git_remote_fetch(&w->w_repo, &gr, branch, err, errlen);
	if (r == GIT_OK)
		r = git_read_ref(&w->w_repo, ref, oid, err, errlen);
	else
		(void)remote_result(w, r);
	return (r == GIT_OK ? FORGE_OK : FORGE_UNKNOWN);
}

static enum forge_result
gitea_move(struct worker *w, const char *branch, const char *new,
    const char *old, char *err, size_t errlen)
{
	char url[URL_MAX];
	struct git_remote gr;
	enum git_result r;

	if (remote_of(w, &gr, url, err, errlen) == -1)
		return (FORGE_UNKNOWN);
	r = git_remote_push(&w->w_repo, &gr, branch, new, old, err, errlen);
	if (r == GIT_OK)
		mirror_set(w, branch, new);
	else
		log_warnx("task %s: push %s: %s", w->w_go->task, branch, err);
	return (remote_result(w, r));
}

/* The lease allows a force, so what is no descendant is refused here. */
static enum forge_result
gitea_push(struct worker *w, const char *branch, const char *new,
    const char *old, char *err, size_t errlen)
{
	int yes = 1;

	if (old[0] != '\0' && git_is_ancestor(&w->w_repo, old, new, &yes,
	    err, errlen) != GIT_OK)
		return (FORGE_UNKNOWN);
	if (!yes) {
		(void)snprintf(err, errlen, "%.40s does not contain %.40s: "
		    "nothing is forced", new, old);
		return (FORGE_STALE);
	}
	return (gitea_move(w, branch, new, old, err, errlen));
}

static enum forge_result
gitea_delete(struct worker *w, const char *branch, const char *old, char *err,
    size_t errlen)
{
	return (gitea_move(w, branch, "", old, err, errlen));
}

/* The server moves the target: protection and CI have their word. */
static enum forge_result
gitea_land(struct worker *w, const char *target, const char *new,
    const char *old, char *err, size_t errlen)
{
	int yes;

	if (git_is_ancestor(&w->w_repo, old, new, &yes, err, errlen) !=
	    GIT_OK)
		return (FORGE_UNKNOWN);
	if (yes && strcmp(target, w->w_go->target) == 0)
		return (rest_land(w, new, err, errlen));
	(void)snprintf(err, errlen, "%.40s is no fast-forward of %.40s", new,
	    old);
	return (FORGE_STALE);
}

int
forge_elsewhere(const struct worker *w)
{
	return (w->w_forge->f_pull_find != NULL);
}

void
forge_answered(struct worker *w, int denied)
{
	w->w_denied = denied;
}

enum orch_cause
forge_cause(const struct worker *w)
{
	return (forge_elsewhere(w) && !w->w_denied ? CAUSE_TRANSIENT :
	    CAUSE_INFRA);
}

const char *
forge_advice(const struct worker *w)
{
	return (w->w_denied ? "; waiting does not change that: look at forge "
	    "gitea and its write token file in orchd.conf, and at what that "
	    "user may do there (orchctl doctor remote)" : "");
}

enum step
fetch_run(struct worker *w)
{
	char url[URL_MAX], head[GIT_OID_SIZE], err[256] = "";
	struct git_remote gr;
	enum git_result r = GIT_OK;
	enum forge_result fr;

	if (forge_elsewhere(w)) {
		if (remote_of(w, &gr, url, err, sizeof(err)) == -1)
			return (worker_end(w, GATE_ERROR, CAUSE_INFRA, "",
			    "%s", err));
		r = git_remote_fetch(&w->w_repo, &gr, NULL, err, sizeof(err));
	}
	if (r == GIT_REFUSED)
		return (worker_end(w, GATE_ERROR, CAUSE_INFRA, "", "no "
		    "repository %s for this token (forge gitea and write "
		    "token file in orchd.conf): %s", w->w_spec->forge_repo,
		    err));
	if (r != GIT_OK)
		return (worker_end(w, GATE_ERROR, r == GIT_ERR ?
		    forge_cause(w) : CAUSE_INFRA, "", "%s", err));
	fr = w->w_forge->f_head(w, w->w_go->target, head, err, sizeof(err));
	if (fr != FORGE_OK)
		return (worker_end(w, GATE_ERROR, fr == FORGE_UNKNOWN ?
		    forge_cause(w) : CAUSE_INFRA, "", "fetch: %s: %s%s",
		    w->w_go->target, err, forge_advice(w)));
	(void)strlcpy(w->w_out.o_head, head, sizeof(w->w_out.o_head));
	return (worker_end(w, GATE_PASS, CAUSE_NONE, "", "fetched, %s is "
	    "%.7s", w->w_go->target, head));
}

const struct forge forge_gitea = {
	.f_name = "gitea",
	.f_head = gitea_head,
	.f_push = gitea_push,
	.f_delete = gitea_delete,
	.f_land = gitea_land,
	.f_pull_find = rest_pull_find,
	.f_pull_open = rest_pull_open,
	.f_pull_close = rest_pull_close,
	.f_landed = rest_landed,
};
