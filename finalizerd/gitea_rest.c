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

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include "libcommon/gitea.h"
#include "libcommon/http.h"
#include "libcommon/log.h"
#include "libcommon/monotime.h"

#include "finalizerd.h"

/*
 * The worker's requests to Gitea or Forgejo, one after the other.  An answer
 * is never proof of what was done: the caller looks.
 */

#define PAGES_MAX	100
#define ANSWER_MAX	(8U << 20)	/* else fewer rows are asked for */
#define SHORTER		8U	/* so many times fewer rows of long ones */
#define LATER_TRIES	6	/* while a check of the server runs */
#define LATER_MS	250U	/* doubled each time */
#define BLOCKED_MIN_MS	1000
#define BLOCKED_MAX_MS	15000
#define WAIT_SLICE_MS	100
#define ALONE_MS	10000	/* so long a lease is held for a forge */

static int	 rest_pause(struct worker *, int64_t);

/*
 * A token that is refused is so next time too.  A 403 with a time to come back
 * is a limit of a proxy.
 */
static void
rest_noted(struct worker *w, const struct http_reply *hp, int r)
{
	const long status = r == -1 ? 0 : hp->hp_status;
	const int64_t wait_s = http_wait_s(hp, -1);

	if (wait_s > 0)
		w->w_alone = monotime_add_ms(monotime_now(), wait_s * 1000);
	if (status == 401 || (status == 403 && hp->hp_retry_after < 0))
		forge_answered(w, 1);
	else if (status == 0 || status == 403 || status == 429 ||
	    status >= 500)
		forge_answered(w, 0);
}

int64_t
rest_alone_ms(const struct worker *w)
{
	int64_t ms = monotime_sub_ms(w->w_alone, monotime_now());

	return (w->w_alone.mt_ns == 0 || ms < 0 ? 0 : ms);
}

/* What it asks for is waited for, or left to the next worker.  0 or -1. */
static int
rest_leave(struct worker *w, const char *what, char *err, size_t errlen)
{
	const int64_t ms = rest_alone_ms(w);

	if (ms == 0 || (ms <= ALONE_MS && rest_pause(w, ms) == 0))
		return (0);
	(void)snprintf(err, errlen, "%s: the forge wants to be left alone "
	    "for %lld s", what, (long long)(ms / 1000 + 1));
	return (-1);
}

/* Ask; body NULL: none.  0 when it was answered, -1 with err. */
static int
rest_do(struct worker *w, const char *method, const char *tail,
    const char *body, struct http_reply *hp, char *err, size_t errlen)
{
	char url[2048], auth[4200];
	const char *const headers[] = { auth,
	    "Content-Type: application/json", NULL };
	struct http_request hr = { .hr_method = method, .hr_url = url,
	    .hr_headers = headers, .hr_body = body,
	    .hr_len = body == NULL ? 0 : strlen(body), .hr_max = ANSWER_MAX };
	int r;

	memset(hp, 0, sizeof(*hp));
	hp->hp_end = HTTP_NOT_SENT;
	if (rest_leave(w, tail, err, errlen) == -1)
		return (-1);
	if (gitea_url(url, sizeof(url), w->w_spec->forge_url,
	    w->w_spec->forge_repo, "%s", tail) == -1 ||
	    gitea_auth(auth, sizeof(auth), w->w_spec->token) == -1) {
		(void)snprintf(err, errlen, "no address or no token of the "
		    "forge");
		return (-1);
	}
	r = http_do(&hr, hp);
	explicit_bzero(auth, sizeof(auth));
	rest_noted(w, hp, r);
	if (r == -1)
		(void)snprintf(err, errlen, "%s %s: %s", method, tail,
		    hp->hp_err);
	return (r);
}

static const char *
rest_body(const struct http_reply *hp)
{
	return (hp->hp_body == NULL ? "" : hp->hp_body);
}

/* Say what a server said instead of doing it. */
static enum forge_result
rest_said(const struct http_reply *hp, const char *what, char *err,
    size_t errlen)
{
	char said[256];

	gitea_said(hp->hp_status, rest_body(hp), hp->hp_len, said,
	    sizeof(said));
	(void)snprintf(err, errlen, "%s: %ld: %s", what, hp->hp_status, said);
	return (FORGE_UNKNOWN);
}

/* --- pull requests -------------------------------------------------------- */

/* Where a list is read. */
struct listing {
	unsigned int	li_page;	/* from 1 */
	unsigned int	li_limit;	/* rows of a page */
	size_t		li_seen;
	int		li_more;
};

/*
 * A page is more than is read at once: fewer rows.  One that alone is too long
 * is passed by: it is an outsider's.
 */
static void
rest_shorter(struct listing *li, int64_t total)
{
	if (li->li_limit == 1) {
		li->li_page++;
		li->li_seen++;
		li->li_more = total < 0 || li->li_seen < (size_t)total;
		return;
	}
	li->li_limit = li->li_limit > SHORTER ? li->li_limit / SHORTER : 1;
	li->li_page = 1;
	li->li_seen = 0;
}

/* One page of the open ones: 1 found, 0 not here, -1 with err. */
static int
rest_page(struct worker *w, struct listing *li, struct gitea_pull *gp,
    char *err, size_t errlen)
{
	struct http_reply hp;
	char tail[64];
	size_t rows = 0;
	int r = -1;

	(void)snprintf(tail, sizeof(tail), "/pulls?state=open&limit=%u&page="
	    "%u", li->li_limit, li->li_page);
	if (rest_do(w, "GET", tail, NULL, &hp, err, errlen) == -1) {
		if (hp.hp_toobig) {
			rest_shorter(li, hp.hp_total);
			r = 0;
		}
	} else if (hp.hp_status != 200)
		(void)rest_said(&hp, "pull requests", err, errlen);
	else {
		r = gitea_pulls_find(rest_body(&hp), hp.hp_len,
		    w->w_go->branch, w->w_go->target, gp, &rows, err, errlen);
		li->li_page++;
		li->li_seen += rows;
		/* Its pages may be shorter than asked for. */
		li->li_more = rows > 0 && (hp.hp_total < 0 ||
		    li->li_seen < (size_t)hp.hp_total);
	}
	http_reply_free(&hp);
	return (r);
}

/* The one that is known: 1 it is still open and ours, 0 look for another. */
static int
rest_known_one(struct worker *w, struct gitea_pull *gp)
{
	struct http_reply hp;
	char tail[64], why[256];
	int r = 0;

	if (w->w_go->pull == 0)
		return (0);
	(void)snprintf(tail, sizeof(tail), "/pulls/%" PRIu64, w->w_go->pull);
	if (rest_do(w, "GET", tail, NULL, &hp, why, sizeof(why)) == 0 &&
	    hp.hp_status == 200 && gitea_pull_read(rest_body(&hp), hp.hp_len,
	    gp, why, sizeof(why)) == 0)
		r = gp->gp_state == GITEA_OPEN && !gp->gp_foreign &&
		    strcmp(gp->gp_branch, w->w_go->branch) == 0 &&
		    strcmp(gp->gp_target, w->w_go->target) == 0;
	http_reply_free(&hp);
	return (r);
}

/* The list has all that others wrote into theirs: it is read if need be. */
static int
rest_open_one(struct worker *w, struct gitea_pull *gp, char *err,
    size_t errlen)
{
	struct listing li = { 1, GITEA_PAGE, 0, 1 };
	int r = rest_known_one(w, gp);

	while (li.li_more && r == 0) {
		if (li.li_page > PAGES_MAX) {
			(void)snprintf(err, errlen, "too many pull requests "
			    "are open");
			return (-1);
		}
		r = rest_page(w, &li, gp, err, errlen);
	}
	return (r);
}

/*
 * One that is open no more.  The server gives the oldest of the two branches;
 * a task's branch has its name for itself.
 */
static int
rest_old_one(struct worker *w, struct gitea_pull *gp, char *err,
    size_t errlen)
{
	char base[800], tail[1200];
	struct http_reply hp;
	int r = -1;

	if (http_escape(w->w_go->target, base, sizeof(base)) == -1 ||
	    (size_t)snprintf(tail, sizeof(tail), "/pulls/%s/%s", base,
	    w->w_go->branch) >= sizeof(tail)) {
		(void)snprintf(err, errlen, "a branch's name is too long");
		return (-1);
	}
	if (rest_do(w, "GET", tail, NULL, &hp, err, errlen) == 0) {
		if (hp.hp_status == 404)
			r = 0;
		else if (hp.hp_status != 200)
			(void)rest_said(&hp, "pull request", err, errlen);
		else if (gitea_pull_read(rest_body(&hp), hp.hp_len, gp, err,
		    errlen) == 0)
			r = 1;
	}
	http_reply_free(&hp);
	return (r);
}

enum forge_result
rest_pull_find(struct worker *w, struct forge_pull *fp, char *err,
    size_t errlen)
{
	struct gitea_pull gp;
	int r;

	memset(fp, 0, sizeof(*fp));
	memset(&gp, 0, sizeof(gp));
	if (!git_branch_valid(w->w_go->branch) ||
	    !git_branch_valid(w->w_go->target)) {
		(void)snprintf(err, errlen, "not a branch name");
		return (FORGE_UNKNOWN);
	}
	if ((r = rest_open_one(w, &gp, err, errlen)) == 0)
		r = rest_old_one(w, &gp, err, errlen);
	if (r == -1)
		return (FORGE_UNKNOWN);
	fp->fp_state = PULL_NONE;
	if (r == 0)
		return (FORGE_OK);
	fp->fp_number = gp.gp_number;
	fp->fp_state = gp.gp_state == GITEA_OPEN ? PULL_IS_OPEN :
	    gp.gp_state == GITEA_MERGED ? PULL_IS_MERGED : PULL_IS_CLOSED;
	(void)strlcpy(fp->fp_page, gp.gp_page, sizeof(fp->fp_page));
	if (git_oid_valid(gp.gp_landed))
		(void)strlcpy(fp->fp_landed, gp.gp_landed,
		    sizeof(fp->fp_landed));
	if (git_oid_valid(gp.gp_head))
		(void)strlcpy(fp->fp_head, gp.gp_head, sizeof(fp->fp_head));
	return (FORGE_OK);
}

enum forge_result
rest_pull_open(struct worker *w, char *err, size_t errlen)
{
	const struct orch_run_go *go = w->w_go;
	enum forge_result r = FORGE_UNKNOWN;
	char title[600], text[200], *body;
	struct http_reply hp;

	(void)snprintf(title, sizeof(title), "%s: %s", go->task, go->title);
	(void)snprintf(text, sizeof(text), "Work-Item: %s\n", go->task);
	body = gitea_pull_body(go->branch, go->target, title, text);
	if (body == NULL) {
		(void)snprintf(err, errlen, "no memory, or a title that is "
		    "not UTF-8");
		return (FORGE_UNKNOWN);
	}
	if (rest_do(w, "POST", "/pulls", body, &hp, err, errlen) == 0) {
		if (hp.hp_status == 201)
			r = FORGE_OK;
		else
			(void)rest_said(&hp, "pull request", err, errlen);
	}
	if (r != FORGE_OK)
		log_warnx("task %s: %s", go->task, err);
	http_reply_free(&hp);
	free(body);
	return (r);
}

enum forge_result
rest_pull_close(struct worker *w, uint64_t number, char *err, size_t errlen)
{
	enum forge_result r = FORGE_UNKNOWN;
	struct http_reply hp;
	char tail[64];

	(void)snprintf(tail, sizeof(tail), "/pulls/%" PRIu64, number);
	if (rest_do(w, "PATCH", tail, "{\"state\":\"closed\"}", &hp, err,
	    errlen) == 0) {
		if (hp.hp_status == 200 || hp.hp_status == 201)
			r = FORGE_OK;
		else
			(void)rest_said(&hp, "pull request", err, errlen);
	}
	http_reply_free(&hp);
	return (r);
}

/* --- the merge ------------------------------------------------------------ */

/* One attempt; err gets the server's sentence. */
static enum gitea_merge
rest_merge(struct worker *w, uint64_t number, const char *new, char *err,
    size_t errlen)
{
	enum gitea_merge r = GITEA_MERGE_UNKNOWN;
	const char *method = landing_method(w);
	struct http_reply hp;
	char tail[64], *body;

	(void)snprintf(tail, sizeof(tail), "/pulls/%" PRIu64 "/merge", number);
	if (method == NULL)
		method = "fast-forward-only";
	if ((body = gitea_merge_body(method, new)) == NULL) {
		(void)snprintf(err, errlen, "no memory");
		return (GITEA_MERGE_UNKNOWN);
	}
	if (rest_do(w, "POST", tail, body, &hp, err, errlen) == 0)
		r = gitea_merge_answer(hp.hp_status, rest_body(&hp),
		    hp.hp_len, err, errlen);
	/* An allowlist: the token is good, and asking again does not help. */
	if (r == GITEA_MERGE_NO && strstr(err, "User not allowed") != NULL)
		forge_answered(w, 1);
	http_reply_free(&hp);
	free(body);
	return (r);
}

/* A page of what CI says of a commit; 1 when there may be another. */
static int
rest_checks(struct worker *w, const char *commit, unsigned int page,
    struct gitea_checks *gc, char *text, size_t textlen)
{
	const size_t before = gc->gc_seen;
	struct http_reply hp;
	char tail[128], why[256];
	int more = 0;

	(void)snprintf(tail, sizeof(tail), "/commits/%s/status?limit=%d"
	    "&page=%u", commit, GITEA_PAGE, page);
	if (rest_do(w, "GET", tail, NULL, &hp, why, sizeof(why)) == 0 &&
	    hp.hp_status == 200 && gitea_checks_add(gc, rest_body(&hp),
	    hp.hp_len, hp.hp_total, "orchd/", why, sizeof(why)) == 0) {
		gitea_checks_text(rest_body(&hp), hp.hp_len, "orchd/", text,
		    textlen);
		more = gc->gc_seen > before && gc->gc_seen < gc->gc_total;
	}
	http_reply_free(&hp);
	return (more);
}

/* Has CI said no to this commit?  err then gets what failed. */
static int
rest_is_red(struct worker *w, const char *commit, char *err, size_t errlen)
{
	struct gitea_checks gc;
	char text[400] = "";
	unsigned int page = 1;

	memset(&gc, 0, sizeof(gc));
	while (rest_checks(w, commit, page, &gc, text, sizeof(text)) &&
	    gitea_checks_state(&gc) != GITEA_CI_RED && page < PAGES_MAX)
		page++;
	if (gitea_checks_state(&gc) != GITEA_CI_RED)
		return (0);
	(void)snprintf(err, errlen, "CI of %.7s: %s", commit,
	    text[0] != '\0' ? text : gc.gc_first_red);
	return (1);
}

/* Wait; -1 when the engine asked for the end meanwhile. */
static int
rest_pause(struct worker *w, int64_t ms)
{
	for (; ms > 0 && !link_stopped(w->w_link); ms -= WAIT_SLICE_MS)
		worker_pause(ms < WAIT_SLICE_MS ? (unsigned int)ms :
		    WAIT_SLICE_MS);
	return (link_stopped(w->w_link) ? -1 : 0);
}

/* Attempts until the server says something else than later or blocked. */
static enum forge_result
rest_merge_wait(struct worker *w, uint64_t number, const char *new,
    char *err, size_t errlen)
{
	long long limit = worker_option_num(w, "ci_wait_timeout_s", 0, 604800,
	    1200);
	struct monotime until = monotime_add_ms(monotime_now(), limit * 1000);
	int64_t pause = BLOCKED_MIN_MS, left;
	unsigned int later = 0;
	enum gitea_merge m;

	for (;;) {
		m = rest_merge(w, number, new, err, errlen);
		if (m == GITEA_MERGE_LATER && later < LATER_TRIES) {
			if (rest_pause(w, LATER_MS << later++) == -1)
				return (FORGE_STOPPED);
			continue;
		}
		if (m != GITEA_MERGE_BLOCKED)
			break;
		if (rest_is_red(w, new, err, errlen))
			return (FORGE_RED);
		if (pause == BLOCKED_MIN_MS)
			log_info("task %s: merge of pull request %" PRIu64
			    " waits: %s", w->w_go->task, number, err);
		left = monotime_sub_ms(until, monotime_now());
		if (left <= 0)
			return (FORGE_BLOCKED);
		if (rest_pause(w, pause < left ? pause : left) == -1)
			return (FORGE_STOPPED);
		if ((pause *= 2) > BLOCKED_MAX_MS)
			pause = BLOCKED_MAX_MS;
	}
	log_info("task %s: merge of pull request %" PRIu64 ": %s",
	    w->w_go->task, number, m == GITEA_MERGE_DONE ? "done" : err);
	return (m == GITEA_MERGE_DONE ? FORGE_OK : m == GITEA_MERGE_STALE ?
	    FORGE_STALE : m == GITEA_MERGE_CONFLICT ? FORGE_CONFLICT :
	    FORGE_UNKNOWN);
}

enum forge_result
rest_land(struct worker *w, const char *new, char *err, size_t errlen)
{
	struct forge_pull fp;
	enum forge_result r;

	if ((r = rest_pull_find(w, &fp, err, errlen)) != FORGE_OK)
		return (r);
	if (fp.fp_state != PULL_IS_OPEN) {
		(void)snprintf(err, errlen, "%s has no open pull request onto "
		    "%s", w->w_go->branch, w->w_go->target);
		return (FORGE_UNKNOWN);
	}
	return (rest_merge_wait(w, fp.fp_number, new, err, errlen));
}

enum forge_result
rest_landed(struct worker *w, char head[GIT_OID_SIZE],
    char commit[GIT_OID_SIZE], char *err, size_t errlen)
{
	struct forge_pull fp;
	enum forge_result r;

	head[0] = commit[0] = '\0';
	if ((r = rest_pull_find(w, &fp, err, errlen)) != FORGE_OK)
		return (r);
	if (fp.fp_state != PULL_IS_MERGED) {
		(void)snprintf(err, errlen, "pull request %" PRIu64 " is not "
		    "merged", fp.fp_number);
		return (FORGE_NOTFOUND);
	}
	if (fp.fp_head[0] == '\0' || fp.fp_landed[0] == '\0') {
		(void)snprintf(err, errlen, "pull request %" PRIu64 " is "
		    "merged, and the forge does not say as which commit",
		    fp.fp_number);
		return (FORGE_UNKNOWN);
	}
	(void)strlcpy(head, fp.fp_head, GIT_OID_SIZE);
	(void)strlcpy(commit, fp.fp_landed, GIT_OID_SIZE);
	return (FORGE_OK);
}
