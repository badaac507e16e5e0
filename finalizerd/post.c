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
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <bsd/sys/queue.h>

#include <event2/event.h>

#include "libcommon/carry.h"
#include "libcommon/checkup.h"
#include "libcommon/daemon.h"
#include "libcommon/http.h"
#include "libcommon/log.h"
#include "libcommon/monotime.h"

#include "finalizerd.h"

/*
 * The outbox of the forges: for each project rows that are due come in a list
 * and are carried one after the other, so they stay in order.  The engine
 * knows what is delivered and when a refused row comes again.  A forge that
 * fails several times in a row is left alone for a while, longer each time;
 * its rows stay due meanwhile.
 */

#define ROWS_MOST	16U
#define FAILURES	5U
#define DENIALS		3U	/* of 403, which one closed talk gives too */
#define PAUSE_MAX_MS	30000
#define DEST_SIZE	80

struct row {
	TAILQ_ENTRY(row) r_entry;
	uint64_t	 r_id;
	uint64_t	 r_pull;
	char		*r_kind;
	char		*r_task;
	char		*r_key;
	char		*r_text;
	char		*r_commit;
	int		 r_out;		/* at the forge */
	int		 r_over;	/* it has ended, *r_error says how */
	int		 r_never;	/* what it says is refused */
	char		 r_error[300];	/* "": delivered */
	uint32_t	 r_pending;	/* the id of outbox_done */
};

/* What people are told of a forge. */
enum { TALE_DOWN, TALE_REFUSED, TALE_MAX };

static const char *const tales[TALE_MAX] = {
	[TALE_DOWN] = "remote_down",
	[TALE_REFUSED] = "remote_refused",
};

struct tale {
	int		 t_told;	/* the alert: 1 on, 0 off, -1 unknown */
	int		 t_on;		/* and as it should be */
	char		 t_why[480];
};

/* The forge of a project. */
struct dest {
	TAILQ_ENTRY(dest) d_entry;
	char		 d_name[DEST_SIZE];	/* "forge:PROJECT" */
	char		*d_url;		/* "": it is not configured any more */
	char		*d_repo;
	char		*d_target;	/* branch */
	char		*d_method;	/* of merges */
	char		*d_token;
	uint32_t	 d_asked;	/* the id of the list under way */
	TAILQ_HEAD(, row) d_rows;
	unsigned int	 d_failed;	/* in a row */
	int64_t		 d_pause_ms;	/* 0: it is not left alone */
	struct monotime	 d_until;
	unsigned int	 d_denied;	/* since the last that was taken */
	struct tale	 d_tale[TALE_MAX];
};

int64_t post_pause_ms = 5000;

static TAILQ_HEAD(, dest) dests = TAILQ_HEAD_INITIALIZER(dests);
static struct http_loop	*loop;
static struct event	*tick_ev;

static void	 dest_run(struct dest *);

/* --- destinations --------------------------------------------------------- */

static struct dest *
dest_find(const char *name)
{
	struct dest *d;

	TAILQ_FOREACH(d, &dests, d_entry)
		if (strcmp(d->d_name, name) == 0)
			return (d);
	return (NULL);
}

static struct dest *
dest_get(const char *name)
{
	struct dest *d;
	size_t i;

	if ((d = dest_find(name)) != NULL)
		return (d);
	if ((d = calloc(1, sizeof(*d))) == NULL || (d->d_url = strdup("")) ==
	    NULL || (d->d_repo = strdup("")) == NULL || (d->d_target =
	    strdup("")) == NULL || (d->d_token = strdup("")) == NULL ||
	    (d->d_method = strdup("")) == NULL)
		fatal("forge");
	(void)strlcpy(d->d_name, name, sizeof(d->d_name));
	for (i = 0; i < TALE_MAX; i++)
		d->d_tale[i].t_told = -1;
	TAILQ_INIT(&d->d_rows);
	TAILQ_INSERT_TAIL(&dests, d, d_entry);
	return (d);
}

static void
set(char **to, const char *value)
{
	freezero(*to, strlen(*to));
	if ((*to = strdup(value)) == NULL)
		fatal("forge");
}

void
post_project(const struct orch_child_project *m)
{
	const char *o = NULL;
	char name[DEST_SIZE];
	struct dest *d;

	if (strcmp(m->forge, forge_gitea.f_name) != 0)
		return;
	(void)snprintf(name, sizeof(name), "forge:%s", m->name);
	d = dest_get(name);
	set(&d->d_url, m->forge_url);
	set(&d->d_repo, m->forge_repo);
	set(&d->d_target, m->target);
	set(&d->d_method, "");
	while ((o = orch_strs_next(&m->options, o)) != NULL)
		if (strncmp(o, "merge_method=", 13) == 0)
			set(&d->d_method, o + 13);
}

void
post_secret(const char *name, const char *value)
{
	if (strncmp(name, "forge:", 6) == 0 && strlen(name) < DEST_SIZE)
		set(&dest_get(name)->d_token, value);
}

void
post_each(void (*fn)(const struct checkup_of *, void *arg), void *arg)
{
	struct dest *d;

	TAILQ_FOREACH(d, &dests, d_entry) {
		struct checkup_of co = { .co_project = d->d_name + 6,
		    .co_subject = "forge, to write", .co_url = d->d_url,
		    .co_token = d->d_token, .co_place = d->d_repo,
		    .co_part = d->d_target, .co_method = d->d_method };

		if (d->d_url[0] != '\0')
			fn(&co, arg);
	}
}

/* The alert, until the engine has it. */
static void
dest_tell(struct dest *d, size_t which)
{
	struct tale *t = &d->d_tale[which];
	struct orch_notice m = { .kind = tales[which],
	    .subject = d->d_name, .on = (uint8_t)t->t_on,
	    .text = t->t_why };

	if (t->t_told == t->t_on || !daemon_connected())
		return;
	if (daemon_send(ORCH_notice, &m, NULL) == 0)
		t->t_told = t->t_on;
	else if (errno != ENOTCONN)
		log_warn("notice");
}

/* Whoever may not write is told of now, and not when a message is parked. */
static void
dest_denies(struct dest *d, const char *why)
{
	struct tale *t = &d->d_tale[TALE_REFUSED];

	d->d_denied++;
	if (t->t_on || (d->d_denied < DENIALS &&
	    strncmp(why, "HTTP 401", 8) != 0))
		return;
	t->t_on = 1;
	(void)snprintf(t->t_why, sizeof(t->t_why), "%s refuses what orchd "
	    "writes there: %.150s; look at write token file of forge gitea in "
	    "orchd.conf and at what its user may do (orchctl doctor remote). "
	    "Messages to it are tried again", d->d_name, why);
	dest_tell(d, TALE_REFUSED);
}

static void
dest_takes(struct dest *d)
{
	struct tale *t = &d->d_tale[TALE_REFUSED];

	d->d_denied = 0;
	t->t_on = 0;
	(void)snprintf(t->t_why, sizeof(t->t_why), "%s takes what orchd "
	    "writes", d->d_name);
	dest_tell(d, TALE_REFUSED);
}

static void
dest_works(struct dest *d)
{
	struct tale *t = &d->d_tale[TALE_DOWN];

	if (d->d_pause_ms != 0)
		log_info("%s: it answers again", d->d_name);
	d->d_failed = 0;
	d->d_pause_ms = 0;
	t->t_on = 0;
	(void)snprintf(t->t_why, sizeof(t->t_why), "%s answers", d->d_name);
	dest_tell(d, TALE_DOWN);
}

static void
dest_leave(struct dest *d, int64_t ms)
{
	d->d_until = monotime_add_ms(monotime_now(), carry_spread_ms(ms));
}

static void
dest_fails(struct dest *d, const char *why, int64_t wait)
{
	struct tale *t = &d->d_tale[TALE_DOWN];

	d->d_failed++;
	if (d->d_failed < FAILURES) {
		dest_leave(d, wait > 0 ? wait * 1000 : 1000);
		return;
	}
	d->d_pause_ms = carry_pause_ms(d->d_pause_ms, post_pause_ms,
	    PAUSE_MAX_MS, wait);
	dest_leave(d, d->d_pause_ms);
	if (!t->t_on)
		log_warnx("%s: %s; it is left alone for %" PRId64 " s",
		    d->d_name, why, d->d_pause_ms / 1000);
	t->t_on = 1;
	(void)snprintf(t->t_why, sizeof(t->t_why), "%s failed %u times in a "
	    "row: %.150s; messages to it wait and it is tried again by "
	    "itself", d->d_name, d->d_failed, why);
	dest_tell(d, TALE_DOWN);
}

/* --- rows ----------------------------------------------------------------- */

static void
row_free(struct row *r)
{
	free(r->r_kind);
	free(r->r_task);
	free(r->r_key);
	free(r->r_text);
	free(r->r_commit);
	free(r);
}

static void
row_drop(struct dest *d, struct row *r)
{
	TAILQ_REMOVE(&d->d_rows, r, r_entry);
	row_free(r);
}

static struct row *
row_copy(const struct orch_outbox_row *m)
{
	struct row *r;

	if ((r = calloc(1, sizeof(*r))) == NULL)
		return (NULL);
	r->r_id = m->id;
	r->r_pull = m->pull;
	if ((r->r_kind = strdup(m->kind)) == NULL ||
	    (r->r_task = strdup(m->task)) == NULL ||
	    (r->r_key = strdup(m->key)) == NULL ||
	    (r->r_text = strdup(m->text)) == NULL ||
	    (r->r_commit = strdup(m->commit)) == NULL) {
		row_free(r);
		return (NULL);
	}
	return (r);
}

/* Record how it went; without an engine that waits until there is one. */
static void
row_record(struct row *r)
{
	struct orch_outbox_done m = { .id = r->r_id,
	    .ok = r->r_error[0] == '\0', .error = r->r_error,
	    .refused = r->r_never ? OUTBOX_REFUSED : OUTBOX_LATER };

	r->r_pending = 0;
	if (daemon_send(ORCH_outbox_done, &m, &r->r_pending) == 0)
		return;
	r->r_pending = 0;
	if (errno != ENOTCONN)
		log_warn("outbox_done");
}

static void
row_over(struct row *r, const char *error)
{
	if (error[0] != '\0')
		log_warnx("outbox %" PRIu64 " (task %s): %s: %s", r->r_id,
		    r->r_task, r->r_kind, error);
	r->r_over = 1;
	(void)strlcpy(r->r_error, error, sizeof(r->r_error));
	row_record(r);
}

/* What is not at hand any more is listed again. */
static void
rows_drop(struct dest *d)
{
	struct row *r, *next;

	for (r = TAILQ_FIRST(&d->d_rows); r != NULL; r = next) {
		next = TAILQ_NEXT(r, r_entry);
		if (!r->r_out && !r->r_over)
			row_drop(d, r);
	}
}

static void
row_cb(enum post_end end, const char *why, int64_t wait, void *arg)
{
	struct dest *d = arg;
	struct row *r;

	TAILQ_FOREACH(r, &d->d_rows, r_entry)
		if (r->r_out)
			break;
	if (r == NULL)
		return;
	r->r_out = 0;
	if (end == POST_DOWN) {
		dest_fails(d, why, wait);
		rows_drop(d);
		return;
	}
	dest_works(d);
	if (end == POST_DENIED)
		dest_denies(d, why);
	else if (end == POST_DONE)
		dest_takes(d);
	r->r_never = end == POST_NEVER;
	row_over(r, end == POST_DONE ? "" : why[0] == '\0' ? "refused" : why);
}

/* Carry the first one; it is recorded before the next one goes. */
static void
dest_run(struct dest *d)
{
	struct row *r = TAILQ_FIRST(&d->d_rows);
	struct post_job pj;
	char err[200];

	if (r == NULL || r->r_out || r->r_over)
		return;
	if (d->d_url[0] == '\0') {
		row_over(r, "its project has no forge configured");
		return;
	}
	pj = (struct post_job){ d->d_url, d->d_repo, d->d_token, r->r_kind,
	    r->r_key, r->r_text, r->r_commit, r->r_pull };
	r->r_out = 1;
	if (post_send(loop, &pj, row_cb, d, err, sizeof(err)) == 0)
		return;
	r->r_out = 0;
	row_over(r, err);
}

/* --- lists ---------------------------------------------------------------- */

static void
dest_ask(struct dest *d)
{
	struct orch_outbox_next m = { .dest = d->d_name, .most = ROWS_MOST };

	if (d->d_asked != 0 || !TAILQ_EMPTY(&d->d_rows) ||
	    d->d_url[0] == '\0' || !daemon_connected() ||
	    monotime_cmp(monotime_now(), d->d_until) < 0)
		return;
	if (daemon_send(ORCH_outbox_next, &m, &d->d_asked) == 0)
		return;
	d->d_asked = 0;
	if (errno != ENOTCONN)
		log_warn("outbox_next");
}

static void
tick_cb(evutil_socket_t fd, short what, void *arg)
{
	struct dest *d;
	size_t i;

	TAILQ_FOREACH(d, &dests, d_entry) {
		for (i = 0; i < TALE_MAX; i++)
			if (d->d_tale[i].t_told != -1 || d->d_tale[i].t_on)
				dest_tell(d, i);
		dest_ask(d);
	}
}

int
post_start(void)
{
	struct timeval tv = { 0, 0 };

	if ((loop = http_loop_new(daemon_base())) == NULL)
		return (-1);
	tv.tv_sec = (time_t)daemon_option_num("poll_interval_s", 1, 3600, 1);
	tick_ev = event_new(daemon_base(), -1, EV_PERSIST, tick_cb, NULL);
	return (tick_ev == NULL || event_add(tick_ev, &tv) == -1 ? -1 : 0);
}

void
post_stop(void)
{
	struct dest *d;
	struct row *r;

	if (loop != NULL)
		http_loop_free(loop);
	loop = NULL;
	post_forget();
	while ((d = TAILQ_FIRST(&dests)) != NULL) {
		while ((r = TAILQ_FIRST(&d->d_rows)) != NULL)
			row_drop(d, r);
		TAILQ_REMOVE(&dests, d, d_entry);
		freezero(d->d_token, strlen(d->d_token));
		free(d->d_url);
		free(d->d_repo);
		free(d->d_target);
		free(d->d_method);
		free(d);
	}
	if (tick_ev != NULL)
		event_free(tick_ev);
	tick_ev = NULL;
}

void
post_engine_up(void)
{
	struct dest *d;
	struct row *r;
	size_t i;

	TAILQ_FOREACH(d, &dests, d_entry) {
		d->d_asked = 0;
		/* What was sent last may have been lost. */
		for (i = 0; i < TALE_MAX; i++)
			if (d->d_tale[i].t_told == d->d_tale[i].t_on)
				d->d_tale[i].t_told = -1;
		rows_drop(d);
		TAILQ_FOREACH(r, &d->d_rows, r_entry)
			if (r->r_over)
				row_record(r);
	}
	tick_cb(-1, 0, NULL);
}

void
post_row(uint32_t id, const struct orch_outbox_row *m)
{
	struct dest *d = NULL;
	struct row *r;

	TAILQ_FOREACH(d, &dests, d_entry)
		if (d->d_asked == id && id != 0)
			break;
	if (d == NULL)
		return;
	if (m->last)
		d->d_asked = 0;
	TAILQ_FOREACH(r, &d->d_rows, r_entry)
		if (r->r_id == m->id)
			return;
	if (m->id == 0)
		return;
	if ((r = row_copy(m)) == NULL) {
		log_warn("outbox %" PRIu64, m->id);
		return;
	}
	TAILQ_INSERT_TAIL(&d->d_rows, r, r_entry);
	dest_run(d);
}

/* The engine has it on record. */
static void
row_acked(struct dest *d, struct row *r, const struct orch_ack *ack)
{
	int ok = ack->result == RES_OK || ack->result == RES_DUPLICATE;

	if (!ok)
		log_warnx("outbox %" PRIu64 ": outbox_done: %s: %s", r->r_id,
		    orch_result_name(ack->result), ack->text);
	row_drop(d, r);
	dest_run(d);
	if (ok)
		dest_ask(d);	/* the next one of the task */
}

int
post_ack(uint32_t id, const struct orch_ack *ack)
{
	struct dest *d;
	struct row *r;

	TAILQ_FOREACH(d, &dests, d_entry) {
		if (d->d_asked == id && id != 0) {
			log_warnx("outbox_next: %s: %s",
			    orch_result_name(ack->result), ack->text);
			d->d_asked = 0;
			return (1);
		}
		TAILQ_FOREACH(r, &d->d_rows, r_entry)
			if (r->r_pending == id && id != 0) {
				row_acked(d, r, ack);
				return (1);
			}
	}
	return (0);
}
