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

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/stdlib.h>
#include <bsd/string.h>

#include <event2/event.h>

#include "libcommon/daemon.h"
#include "libcommon/gitea.h"
#include "libcommon/log.h"

#include "forge.h"

/*
 * A project at Gitea or Forgejo: the pull requests of the branches that the
 * engine watches, their reviews, and what CI says of their heads (F-4).  A
 * round asks for all of it; the engine is told of what differs from the round
 * before.
 */

#define WATCH_MOST	1000	/* the engine lists no more */
#define SHORTER		8U	/* so many times fewer rows of long ones */
#define SOON_MS		200		/* hints that come together */
#define OWN		"orchd/"	/* contexts of orchd's own statuses */

/* Servers have no limit of their own; this is what orchd allows itself. */
static const struct remote_kind gitea = { .rk_per_minute = 600,
    .rk_burst = 50, .rk_most = 8, .rk_said = gitea_said };

static void	 pulls_ask(struct forge *);

/* --- rounds --------------------------------------------------------------- */

static void
round_in(struct forge *fg, int64_t ms)
{
	struct timeval tv;

	tv.tv_sec = (time_t)(ms / 1000);
	tv.tv_usec = (suseconds_t)(ms % 1000 * 1000);
	if (event_add(fg->fg_ev, &tv) == -1)
		fatalx("event loop");
}

static void
round_next(struct forge *fg)
{
	if (fg->fg_again) {
		fg->fg_soon = 1;
		round_in(fg, SOON_MS);
	} else if (fg->fg_project->p_forge_poll_s > 0)
		round_in(fg, poll_jitter(1000 *
		    (int64_t)fg->fg_project->p_forge_poll_s));
	fg->fg_again = 0;
}

static void
watched_clear(struct forge *fg)
{
	struct watched *wa;

	while ((wa = TAILQ_FIRST(&fg->fg_watched)) != NULL) {
		TAILQ_REMOVE(&fg->fg_watched, wa, wa_entry);
		free(wa->wa_branch);
		free(wa->wa_head);
		free(wa);
	}
}

static void
fact_drop(struct forge *fg, struct fact *fa)
{
	TAILQ_REMOVE(&fg->fg_facts, fa, fa_entry);
	free(fa->fa_key);
	free(fa->fa_value);
	free(fa);
}

/* A whole round did not see it: its task has ended. */
static void
facts_prune(struct forge *fg, int all)
{
	struct fact *fa, *next;

	for (fa = TAILQ_FIRST(&fg->fg_facts); fa != NULL; fa = next) {
		next = TAILQ_NEXT(fa, fa_entry);
		if (all || fa->fa_round != fg->fg_round)
			fact_drop(fg, fa);
	}
}

/*
 * Only a whole round ends the alert, which may also be left of a process
 * before this one: what one of its requests cannot read another can.
 */
static void
round_worked(struct forge *fg)
{
	struct project *p = fg->fg_project;

	facts_prune(fg, 0);
	if (!fg->fg_read || (fg->fg_worked && !fg->fg_refused))
		return;
	project_notice(p, "forge", 0, "%s can be read", p->p_repo);
	fg->fg_worked = 1;
	fg->fg_refused = 0;
}

static void
round_end(struct forge *fg)
{
	if (!fg->fg_failed)
		round_worked(fg);
	watched_clear(fg);
	fg->fg_busy = 0;
	fg->fg_list = 0;
	round_next(fg);
}

void
forge_asked(struct forge *fg)
{
	if (--fg->fg_open == 0)
		round_end(fg);
}

int
fact_is_new(struct forge *fg, const char *key, const char *value)
{
	struct fact *fa;
	char *copy;

	TAILQ_FOREACH(fa, &fg->fg_facts, fa_entry)
		if (strcmp(fa->fa_key, key) == 0)
			break;
	if (fa != NULL)
		fa->fa_round = fg->fg_round;
	if ((fa != NULL && strcmp(fa->fa_value, value) == 0) ||
	    (copy = strdup(value)) == NULL)
		return (0);
	if (fa == NULL) {
		if ((fa = calloc(1, sizeof(*fa))) == NULL || (fa->fa_key =
		    strdup(key)) == NULL) {
			free(fa);
			free(copy);
			return (0);
		}
		fa->fa_round = fg->fg_round;
		TAILQ_INSERT_TAIL(&fg->fg_facts, fa, fa_entry);
	}
	free(fa->fa_value);
	fa->fa_value = copy;
	return (1);
}

void
fact_forget(struct forge *fg, const char *key)
{
	struct fact *fa;

	TAILQ_FOREACH(fa, &fg->fg_facts, fa_entry)
		if (strcmp(fa->fa_key, key) == 0)
			break;
	if (fa != NULL)
		fact_drop(fg, fa);
}

void
facts_gone(struct forge *fg, const char *prefix)
{
	struct fact *fa, *next;

	for (fa = TAILQ_FIRST(&fg->fg_facts); fa != NULL; fa = next) {
		next = TAILQ_NEXT(fa, fa_entry);
		if (fa->fa_round != fg->fg_round && strncmp(fa->fa_key,
		    prefix, strlen(prefix)) == 0)
			fact_drop(fg, fa);
	}
}

/* --- asking --------------------------------------------------------------- */

int
forge_ask(struct forge *fg, remote_cb cb, void *arg, const char *tail)
{
	struct project *p = fg->fg_project;
	struct remote_ask want = { .ask_prio = REMOTE_LATER,
	    .ask_method = "GET" };
	char url[2048];

	if (gitea_url(url, sizeof(url), p->p_forge_url, p->p_repo, "%s",
	    tail) == -1) {
		log_warnx("project %s: forge: no address can be made of its "
		    "repository", p->p_name);
		return (-1);
	}
	want.ask_url = url;
	(void)project_ref(p);
	if (remote_ask(fg->fg_remote, &want, cb, arg) == -1) {
		project_unref(p);
		return (-1);
	}
	fg->fg_open++;
	return (0);
}

void
forge_not_understood(struct forge *fg, const char *what, const char *why)
{
	const struct project *p = fg->fg_project;

	fg->fg_failed = 1;
	if (fg->fg_refused) {
		log_debug("project %s: %s: %s", p->p_name, what, why);
		return;
	}
	log_warnx("project %s: %s: %s", p->p_name, what, why);
	fg->fg_refused = 1;
	project_notice(p, "forge", 1, "%s of %s at %s cannot be read: %s; "
	    "look at the address, the repository and the read token in the "
	    "configuration (orchctl doctor remote)", what, p->p_repo,
	    p->p_forge_url, why);
}

void
forge_not_read(struct forge *fg, const struct remote_answer *ra,
    const char *what)
{
	if (ra->ra_end != REMOTE_DOWN) {
		forge_not_understood(fg, what, ra->ra_why);
		return;
	}
	fg->fg_failed = 1;
	log_debug("project %s: %s: %s", fg->fg_project->p_name, what,
	    ra->ra_why);
}

struct reading *
reading_new(struct forge *fg, const char *branch)
{
	struct reading *rd;

	if ((rd = calloc(1, sizeof(*rd))) == NULL || (rd->rd_branch =
	    strdup(branch)) == NULL) {
		free(rd);
		fg->fg_failed = 1;
		return (NULL);
	}
	rd->rd_project = fg->fg_project;
	rd->rd_page = 1;
	return (rd);
}

void
reading_free(struct reading *rd)
{
	free(rd->rd_branch);
	free(rd->rd_ids);
	free(rd);
}

void
reading_cb(const struct remote_answer *ra, void *arg)
{
	struct reading *rd = arg;
	struct project *p = rd->rd_project;
	struct forge *fg = p->p_forge;

	if (p->p_gone)
		reading_free(rd);
	else {
		if (rd->rd_take(fg, rd, ra))
			rd->rd_ask(fg, rd);
		else
			reading_free(rd);
		forge_asked(fg);
	}
	project_unref(p);
}

/* --- CI ------------------------------------------------------------------- */

static void
checks_tell(struct forge *fg, struct reading *rd)
{
	static const uint8_t states[] = { [GITEA_CI_NONE] = CI_NONE,
	    [GITEA_CI_PENDING] = CI_PENDING, [GITEA_CI_GREEN] = CI_GREEN,
	    [GITEA_CI_RED] = CI_RED };
	const struct gitea_checks *gc = &rd->rd_checks;
	struct orch_ci_seen m = { .project = fg->fg_project->p_name,
	    .commit = rd->rd_commit };
	char key[80], *value;

	m.state = states[gitea_checks_state(gc)];
	m.total = gc->gc_green + gc->gc_red + gc->gc_pending;
	m.text = rd->rd_text;
	(void)snprintf(key, sizeof(key), "ci %s", rd->rd_commit);
	if (asprintf(&value, "%u %u %s", m.state, m.total, m.text) == -1)
		return;
	if (fact_is_new(fg, key, value))
		(void)tell(ORCH_ci_seen, &m);
	free(value);
}

/* 1 when another page is to be read. */
static int
checks_read(struct forge *fg, struct reading *rd,
    const struct remote_answer *ra)
{
	struct gitea_checks *gc = &rd->rd_checks;
	size_t before = gc->gc_seen;
	char err[160];

	if (ra->ra_end == REMOTE_REFUSED && ra->ra_status == 404)
		return (0);	/* it was not pushed yet, or is gone */
	if (ra->ra_end != REMOTE_OK) {
		forge_not_read(fg, ra, "the statuses of a commit");
		return (0);
	}
	if (gitea_checks_add(gc, ra->ra_body, ra->ra_len,
	    ra->ra_total, OWN, err, sizeof(err)) == -1) {
		forge_not_understood(fg, "the statuses of a commit", err);
		return (0);
	}
	gitea_checks_text(ra->ra_body, ra->ra_len, OWN, rd->rd_text,
	    sizeof(rd->rd_text));
	if (gc->gc_seen < gc->gc_total && gc->gc_seen > before &&
	    ++rd->rd_page < PAGES_MOST)
		return (1);
	checks_tell(fg, rd);
	return (0);
}

static void
checks_ask(struct forge *fg, struct reading *rd)
{
	char tail[200];

	(void)snprintf(tail, sizeof(tail), "/commits/%s/status?limit=%d"
	    "&page=%u", rd->rd_commit, GITEA_PAGE, rd->rd_page);
	if (forge_ask(fg, reading_cb, rd, tail) == -1)
		reading_free(rd);
}

static void
commit_read(struct forge *fg, const char *branch, const char *commit)
{
	struct reading *rd;

	/* The protocol's commits are SHA-1. */
	if (strlen(commit) != 40 || commit[strspn(commit,
	    "0123456789abcdef")] != '\0')
		return;
	if ((rd = reading_new(fg, branch)) == NULL)
		return;
	(void)strlcpy(rd->rd_commit, commit, sizeof(rd->rd_commit));
	rd->rd_take = checks_read;
	rd->rd_ask = checks_ask;
	checks_ask(fg, rd);
}

int
more_pages(int64_t *seen, size_t rows, size_t limit, int64_t total)
{
	*seen += (int64_t)rows;
	return (rows > 0 && (total < 0 ? rows >= limit : *seen < total));
}

/* --- pull requests -------------------------------------------------------- */

static void
pull_tell(struct forge *fg, const char *branch, const struct gitea_pull *gp)
{
	static const uint8_t states[] = { [GITEA_OPEN] = PULL_IS_OPEN,
	    [GITEA_CLOSED] = PULL_IS_CLOSED, [GITEA_MERGED] = PULL_IS_MERGED };
	struct orch_pull_seen m = { .project = fg->fg_project->p_name,
	    .branch = branch, .number = gp->gp_number,
	    .state = states[gp->gp_state],
	    .head = strlen(gp->gp_head) <= 40 ? gp->gp_head : "",
	    .landed = strlen(gp->gp_landed) <= 40 ? gp->gp_landed : "",
	    .page = gp->gp_page };
	char key[GITEA_NAME + 8], value[300];

	(void)snprintf(key, sizeof(key), "pull %s", branch);
	(void)snprintf(value, sizeof(value), "%llu %u %s %s",
	    (unsigned long long)gp->gp_number, m.state, gp->gp_head,
	    gp->gp_landed);
	if (fact_is_new(fg, key, value))
		(void)tell(ORCH_pull_seen, &m);
}

static void
pull_read(struct forge *fg, const struct watched *wa)
{
	const struct gitea_pull *gp = &wa->wa_gp;

	pull_tell(fg, wa->wa_branch, gp);
	if (gp->gp_state != GITEA_OPEN)
		return;
	commit_read(fg, wa->wa_branch, gp->gp_head);
	if (strcmp(gp->gp_head, wa->wa_head) != 0)
		commit_read(fg, wa->wa_branch, wa->wa_head);
	reviews_read(fg, wa->wa_branch, gp);
}

static struct watched *
watched_find(struct forge *fg, const char *branch)
{
	struct watched *wa;

	TAILQ_FOREACH(wa, &fg->fg_watched, wa_entry)
		if (strcmp(wa->wa_branch, branch) == 0)
			break;
	return (wa);
}

/* By its number: it is merged or closed. */
static void
number_cb(const struct remote_answer *ra, void *arg)
{
	struct reading *rd = arg;
	struct project *p = rd->rd_project;
	struct forge *fg = p->p_forge;
	struct watched *wa;
	char err[160];

	if (p->p_gone)
		goto done;
	wa = watched_find(fg, rd->rd_branch);
	if (ra->ra_end != REMOTE_OK)
		forge_not_read(fg, ra, "a pull request");
	else if (wa == NULL)
		fg->fg_failed = 1;
	else if (gitea_pull_read(ra->ra_body, ra->ra_len, &wa->wa_gp, err,
	    sizeof(err)) == -1)
		forge_not_understood(fg, "a pull request", err);
	else
		pull_read(fg, wa);
	forge_asked(fg);
done:
	reading_free(rd);
	project_unref(p);
}

static void
number_ask(struct forge *fg, const struct watched *wa)
{
	struct reading *rd;
	char tail[64];

	if ((rd = reading_new(fg, wa->wa_branch)) == NULL)
		return;
	(void)snprintf(tail, sizeof(tail), "/pulls/%llu",
	    (unsigned long long)wa->wa_pull);
	if (forge_ask(fg, number_cb, rd, tail) == -1)
		reading_free(rd);
}

/* All open ones are known: now the details of those that are watched. */
static void
details(struct forge *fg)
{
	struct watched *wa;

	TAILQ_FOREACH(wa, &fg->fg_watched, wa_entry) {
		if (wa->wa_found)
			pull_read(fg, wa);
		else {
			if (wa->wa_pull > 0)
				number_ask(fg, wa);
			commit_read(fg, wa->wa_branch, wa->wa_head);
		}
	}
}

static void
pull_row(const struct gitea_pull *gp, void *arg)
{
	struct forge *fg = arg;
	struct watched *wa;

	if (gp->gp_foreign || strcmp(gp->gp_target,
	    fg->fg_project->p_target) != 0 ||
	    (wa = watched_find(fg, gp->gp_branch)) == NULL)
		return;
	wa->wa_found = 1;
	wa->wa_gp = *gp;
}

/*
 * A page was more than is read at once: others may write what they like into
 * theirs.  Fewer rows; one that alone is too long is nobody's of ours.
 */
static void
pulls_shorter(struct forge *fg)
{
	if (fg->fg_limit > 1) {
		fg->fg_limit = fg->fg_limit > SHORTER ? fg->fg_limit /
		    SHORTER : 1;
		fg->fg_page = 1;
		fg->fg_rows = 0;
	} else {
		fg->fg_page++;
		fg->fg_rows++;
	}
	if (fg->fg_page < PAGES_MOST)
		pulls_ask(fg);
	else
		forge_not_understood(fg, "pull requests", "they are too long");
}

static void
pulls_cb(const struct remote_answer *ra, void *arg)
{
	struct project *p = arg;
	struct forge *fg = p->p_forge;
	char err[160];
	size_t rows;

	if (p->p_gone)
		goto done;
	if (ra->ra_end == REMOTE_REFUSED && ra->ra_status == 200)
		pulls_shorter(fg);
	else if (ra->ra_end != REMOTE_OK)
		forge_not_read(fg, ra, "pull requests");
	else if (gitea_pulls_each(ra->ra_body, ra->ra_len, &rows, pull_row,
	    fg, err, sizeof(err)) == -1)
		forge_not_understood(fg, "pull requests", err);
	else if (more_pages(&fg->fg_rows, rows, fg->fg_limit, ra->ra_total) &&
	    ++fg->fg_page < PAGES_MOST)
		pulls_ask(fg);
	else {
		fg->fg_read = 1;
		details(fg);
	}
	forge_asked(fg);
done:
	project_unref(p);
}

static void
pulls_ask(struct forge *fg)
{
	char tail[100];

	(void)snprintf(tail, sizeof(tail), "/pulls?state=open&limit=%u"
	    "&page=%u", fg->fg_limit, fg->fg_page);
	if (forge_ask(fg, pulls_cb, fg->fg_project, tail) == -1)
		fg->fg_failed = 1;
}

/* --- what is watched ------------------------------------------------------ */

static void
list_ask(struct forge *fg)
{
	struct orch_watch_list m = { .project = fg->fg_project->p_name,
	    .most = WATCH_MOST };

	if (daemon_send(ORCH_watch_list, &m, &fg->fg_list) == 0)
		return;
	/* It comes back, and then a round begins. */
	if (errno != ENOTCONN)
		log_warn("watch_list");
	fg->fg_list = 0;
	fg->fg_failed = 1;
	round_end(fg);
}

static struct forge *
forge_of(uint32_t id)
{
	struct project *p;

	TAILQ_FOREACH(p, &projects, p_entry)
		if (p->p_forge != NULL && p->p_forge->fg_list == id &&
		    id != 0)
			return (p->p_forge);
	return (NULL);
}

void
forge_watch(uint32_t id, const struct orch_watch *m)
{
	struct forge *fg = forge_of(id);
	struct watched *wa;

	if (fg == NULL)
		return;
	if (m->branch[0] != '\0' && watched_find(fg, m->branch) == NULL) {
		if ((wa = calloc(1, sizeof(*wa))) == NULL || (wa->wa_branch =
		    strdup(m->branch)) == NULL || (wa->wa_head =
		    strdup(m->head)) == NULL)
			fatal("watch");
		wa->wa_pull = m->pull;
		TAILQ_INSERT_TAIL(&fg->fg_watched, wa, wa_entry);
	}
	if (!m->last)
		return;
	fg->fg_list = 0;
	/* It holds the round open until the requests count. */
	fg->fg_open++;
	/*
	 * Nothing to look for, but whether it can be read at all, before a
	 * task needs it, and whether an alert is over.
	 */
	if (!TAILQ_EMPTY(&fg->fg_watched) || fg->fg_refused || !fg->fg_worked)
		pulls_ask(fg);
	forge_asked(fg);
}

int
forge_ack(uint32_t id, const struct orch_ack *ack)
{
	struct forge *fg = forge_of(id);

	if (fg == NULL)
		return (0);
	log_debug("project %s: watch_list: %s: %s", fg->fg_project->p_name,
	    orch_result_name(ack->result), ack->text);
	fg->fg_failed = 1;
	round_end(fg);
	return (1);
}

/* Who we are, once; a token without that right has to do without. */
static void
me_cb(const struct remote_answer *ra, void *arg)
{
	struct project *p = arg;
	struct forge *fg = p->p_forge;
	char err[160];

	if (p->p_gone)
		goto done;
	if (ra->ra_end == REMOTE_DOWN) {
		fg->fg_failed = 1;
		round_end(fg);
		goto done;
	}
	/* Nothing can be read by a token that the server does not know. */
	if (ra->ra_status == 401) {
		forge_not_read(fg, ra, "pull requests");
		round_end(fg);
		goto done;
	}
	fg->fg_me_known = 1;
	if (ra->ra_end == REMOTE_OK && (fg->fg_refused || !fg->fg_worked)) {
		project_notice(p, "forge", 0, "the token is known");
		fg->fg_refused = 0;
	}
	if (ra->ra_end != REMOTE_OK || gitea_me_read(ra->ra_body, ra->ra_len,
	    fg->fg_me, err, sizeof(err)) == -1)
		log_info("project %s: the forge does not say who the token "
		    "belongs to: %s", p->p_name, ra->ra_why);
	list_ask(fg);
done:
	project_unref(p);
}

static void
me_ask(struct forge *fg)
{
	struct project *p = fg->fg_project;
	struct remote_ask want = { .ask_prio = REMOTE_LATER,
	    .ask_method = "GET" };
	char url[1200];

	want.ask_url = url;
	if (gitea_me_url(url, sizeof(url), p->p_forge_url) == 0) {
		(void)project_ref(p);
		if (remote_ask(fg->fg_remote, &want, me_cb, p) == 0)
			return;
		project_unref(p);
	}
	fg->fg_failed = 1;
	round_end(fg);
}

static void
round_cb(evutil_socket_t fd, short what, void *arg)
{
	struct forge *fg = arg;

	fg->fg_soon = 0;
	if (fg->fg_busy || !daemon_connected())
		return;
	fg->fg_busy = 1;
	fg->fg_failed = fg->fg_again = fg->fg_read = 0;
	fg->fg_page = 1;
	fg->fg_rows = 0;
	fg->fg_round++;
	if (fg->fg_me_known)
		list_ask(fg);
	else
		me_ask(fg);
}

/* --- its life ------------------------------------------------------------- */

int
forge_start(struct project *p)
{
	struct forge *fg;
	char auth[4200];

	if ((fg = calloc(1, sizeof(*fg))) == NULL)
		return (-1);
	TAILQ_INIT(&fg->fg_watched);
	TAILQ_INIT(&fg->fg_facts);
	fg->fg_project = p;
	fg->fg_limit = GITEA_PAGE;
	p->p_forge = fg;
	if ((fg->fg_ev = evtimer_new(daemon_base(), round_cb, fg)) == NULL ||
	    gitea_auth(auth, sizeof(auth), p->p_token) == -1)
		goto bad;
	fg->fg_remote = remote_get(p->p_forge_url, auth, &gitea);
	explicit_bzero(auth, sizeof(auth));
	if (fg->fg_remote == NULL)
		goto bad;
	if (daemon_connected())
		forge_engine_up(p);
	return (0);
bad:
	log_warnx("project %s: its forge cannot be asked", p->p_name);
	forge_stop(p);
	return (-1);
}

void
forge_stop(struct project *p)
{
	struct forge *fg = p->p_forge;

	if (fg == NULL)
		return;
	p->p_forge = NULL;
	if (fg->fg_refused)
		project_notice(p, "forge", 0, "it is not asked any more");
	watched_clear(fg);
	facts_prune(fg, 1);
	if (fg->fg_ev != NULL)
		event_free(fg->fg_ev);
	remote_put(fg->fg_remote);
	free(fg);
}

void
forge_engine_up(struct project *p)
{
	struct forge *fg = p->p_forge;

	facts_prune(fg, 1);
	if (fg->fg_list != 0) {
		/* The list of an engine that is gone will not end. */
		fg->fg_again = 1;
		fg->fg_failed = 1;
		round_end(fg);
	} else if (fg->fg_busy)
		fg->fg_again = 1;
	else
		round_in(fg, 0);
}

void
forge_look(struct project *p)
{
	struct forge *fg = p->p_forge;

	if (fg == NULL)
		return;
	if (fg->fg_busy)
		fg->fg_again = 1;
	else if (!fg->fg_soon) {
		fg->fg_soon = 1;
		round_in(fg, SOON_MS);
	}
}
