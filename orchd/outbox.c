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
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include "libcommon/log.h"
#include "libcommon/redact.h"
#include "libcommon/sha256.h"
#include "engine.h"
#include "intake.h"
#include "notice.h"
#include "outbox.h"
#include "pass.h"
#include "queue.h"

#define LIST_MAX	256
#define KEY_MAX		128	/* of outbox_row.key */
#define TEXT_MAX	16000	/* bytes; a page of what there is to say */
#define BASE_MS		1000
#define MAX_MS		900000
#define REFUSED_MS	5000	/* what has changed meanwhile was read again */
#define REFUSALS	3	/* of one message until it is parked */
#define PARK_MS		(7LL * 86400 * 1000)
#define SETTLE_MS	3600000	/* after a start, until nobody has asked */
#define LOOK_MS		60000
#define DESTS_MAX	32	/* looked at in one go */

/* A copy of at most TEXT_MAX bytes that ends at a whole character. */
static char *
text_of(const char *text)
{
	char *s;
	size_t n;

	if ((s = redact_dup(text)) == NULL)
		fatal("outbox");
	if ((n = strlen(s)) <= TEXT_MAX)
		return (s);
	for (n = TEXT_MAX; n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80;)
		n--;
	s[n] = '\0';
	return (s);
}

/* How a text begins: of its first line what fits in whole characters. */
static void
head_of(const char *text, char *buf, size_t len)
{
	size_t n = strcspn(text, "\n");

	if (n >= len)
		for (n = len - 1; n > 0 && ((unsigned char)text[n] & 0xc0) ==
		    0x80;)
			n--;
	memcpy(buf, text, n);
	buf[n] = '\0';
}

/* A key that is too long for a message is its hash. */
static void
key_of(const char *key, char *buf, size_t len)
{
	char hash[65];

	if (strlcpy(buf, key, len) < len)
		return;
	sha256_hex(key, strlen(key), hash);
	snprintf(buf, len, "h:%s", hash);
}

enum store_res
outbox_put(const struct outbox_msg *om)
{
	const struct task *t = om->om_task;
	enum store_res res;
	char key[KEY_MAX], *text;

	text = text_of(om->om_text == NULL ? "" : om->om_text);
	key_of(om->om_key, key, sizeof(key));
	res = store_run(eng.e_store, Q_OUTBOX_ADD, "sissssssi", om->om_dest,
	    t == NULL ? (int64_t)0 : t->t_id, om->om_kind, key, text,
	    t == NULL ? "" : t->t_project, om->om_branch, om->om_commit,
	    eng_now());
	free(text);
	return (res);
}

enum store_res
outbox_add(const char *dest, const struct task *t, const char *kind,
    const char *key, const char *text)
{
	struct outbox_msg om = { .om_dest = dest, .om_task = t,
	    .om_kind = kind, .om_key = key, .om_text = text };

	return (outbox_put(&om));
}

void
outbox_due(const char *dest, uint32_t most,
    void (*fn)(const struct outbox_due *, void *), void *arg)
{
	struct outbox_due od;
	uint32_t n = 0;
	sqlite3_stmt *q;

	q = store_bind(eng.e_store, Q_OUTBOX_DUE, "si", dest, eng_now());
	while (n++ < most && store_step(eng.e_store, q) == STORE_OK) {
		od.od_id = col_int(q, 0);
		od.od_kind = col_text(q, 1);
		od.od_task = col_text(q, 2);
		od.od_key = col_text(q, 3);
		od.od_text = col_text(q, 4);
		od.od_project = col_text(q, 5);
		od.od_item = col_text(q, 6);
		od.od_pull = col_int(q, 7);
		od.od_commit = col_text(q, 8);
		od.od_at = col_int(q, 9);
		fn(&od, arg);
	}
	sqlite3_reset(q);
}

/* Who is told of what is due, under which id. */
struct asker {
	struct peer	*a_peer;
	uint32_t	 a_id;
	const char	*a_dest;
};

/*
 * A tracker keeps keys for ever.  One of another database, or of this one as
 * it went on after the backup that was put back, must not be taken for ours:
 * numbers begin again there, the time does not.
 */
static void
tracker_key(const struct outbox_due *od, char *buf, size_t len)
{
	char key[2 * KEY_MAX];

	snprintf(key, sizeof(key), "%s@%lld", od->od_key,
	    (long long)od->od_at);
	key_of(key, buf, len);
}

static void
send_row(const struct outbox_due *od, void *arg)
{
	const struct asker *a = arg;
	char key[KEY_MAX];
	struct orch_outbox_row row = { .id = (uint64_t)od->od_id,
	    .dest = a->a_dest, .kind = od->od_kind, .task = od->od_task,
	    .key = key, .text = od->od_text,
	    .project = od->od_project, .item = od->od_item,
	    .pull = (uint64_t)od->od_pull, .commit = od->od_commit };

	if (strcmp(a->a_dest, "tracker") == 0)
		tracker_key(od, key, sizeof(key));
	else
		strlcpy(key, od->od_key, sizeof(key));
	pass_send(a->a_peer->p_id, ORCH_outbox_row, a->a_id, &row, -1);
}

int
on_outbox_next(struct peer *p, uint32_t id, const union orch_any *any,
    int *fd)
{
	const struct orch_outbox_next *m = &any->outbox_next;
	struct asker a = { p, id, m->dest };
	struct orch_outbox_row end = { .last = 1 };

	outbox_due(m->dest, m->most < LIST_MAX ? m->most : LIST_MAX, send_row,
	    &a);
	pass_send(p->p_id, ORCH_outbox_row, id, &end, -1);
	return (0);
}

/* A message that was not taken. */
struct failed {
	int64_t	f_id;
	char	f_dest[96];
	int64_t	f_tries;
	int64_t	f_refused;	/* before this time */
	char	f_kind[33];
	char	f_task[65];
	char	f_text[80];	/* how it begins */
	int	f_alert;	/* it tells of messages that are parked */
};

/* STORE_NONE: it was settled before. */
static enum store_res
failed_get(int64_t id, struct failed *f)
{
	enum store_res res;
	sqlite3_stmt *q;
	const char *text;

	q = store_bind(eng.e_store, Q_OUTBOX_GET, "i", id);
	if ((res = store_step(eng.e_store, q)) == STORE_OK) {
		f->f_id = id;
		strlcpy(f->f_dest, col_text(q, 0), sizeof(f->f_dest));
		f->f_tries = col_int(q, 1);
		f->f_refused = col_int(q, 2);
		strlcpy(f->f_kind, col_text(q, 3), sizeof(f->f_kind));
		strlcpy(f->f_task, col_text(q, 4), sizeof(f->f_task));
		text = col_text(q, 5);
		head_of(text, f->f_text, sizeof(f->f_text));
		f->f_alert = strncmp(text, "Alert outbox_parked,", 20) == 0 ||
		    strncmp(text, "Over: alert outbox_parked,", 26) == 0;
	}
	sqlite3_reset(q);
	return (res);
}

/* It will not be taken: say what it was, and who may try it again. */
static int
failed_parked(const struct failed *f, int gone, const char *error)
{
	char times[64] = "", why[300];

	head_of(error, why, sizeof(why));
	store_count(eng.e_store, "outbox_parked", 1);
	/* Messages about these are no news that needs another one. */
	if (f->f_alert && alert_is_open("outbox_parked", f->f_dest))
		return (0);
	if (!gone)
		snprintf(times, sizeof(times), ", %d times", REFUSALS);
	return (alert_raise("outbox_parked", f->f_dest, "%s does not take a "
	    "message (%s%s%s, \"%s\")%s: %s. It is not tried any more, "
	    "what comes after it is. Have it tried again: orchctl queue "
	    "retry %s; or forget it: orchctl queue drop %s", f->f_dest,
	    f->f_kind, f->f_task[0] != '\0' ? " of " : "", f->f_task,
	    f->f_text, times, why, f->f_dest, f->f_dest) == STORE_OK ? 0 :
	    -1);
}

static int
failed_store(const struct failed *f, enum orch_outbox_refused refused,
    const char *error)
{
	int64_t n = f->f_refused, ms = backoff_ms(BASE_MS, f->f_tries, MAX_MS);
	int parked;

	if (refused == OUTBOX_REFUSED)
		ms = backoff_ms(REFUSED_MS, n++, MAX_MS);
	if (refused == OUTBOX_GONE)
		n = REFUSALS;
	parked = refused != OUTBOX_LATER && n >= REFUSALS;
	if (store_run_one(eng.e_store, Q_OUTBOX_FAILED, "siisi", error,
	    eng_now() + ms, n, parked ? "parked" : "pending", f->f_id) !=
	    STORE_OK)
		return (-1);
	return (parked ? failed_parked(f, refused == OUTBOX_GONE, error) : 0);
}

/* Does it have what it refused, and nobody has said what is to become of it? */
static int
has_refused(const char *dest)
{
	return (store_int(eng.e_store, 0, Q_OUTBOX_REFUSED, "si", dest,
	    (int64_t)REFUSALS) > 0);
}

int
outbox_result(int64_t id, int ok, enum orch_outbox_refused refused,
    const char *error)
{
	enum store_res res;
	struct failed f;

	if ((res = failed_get(id, &f)) != STORE_OK)
		/* It was settled before: that it is again changes nothing. */
		return (res == STORE_NONE ? 0 : -1);
	store_count(eng.e_store, ok ? "outbox_delivered" : "outbox_failed",
	    1);
	if (!ok)
		return (failed_store(&f, refused, error));
	if (store_run_one(eng.e_store, Q_OUTBOX_DONE, "i", id) != STORE_OK)
		return (-1);
	return (has_refused(f.f_dest) || alert_clear("outbox_parked",
	    f.f_dest) == STORE_OK ? 0 : -1);
}

int
on_outbox_done(struct peer *p, uint32_t id, const union orch_any *any,
    int *fd)
{
	const struct orch_outbox_done *m = &any->outbox_done;
	struct orch_ack ack = { RES_OK, "" };

	if ((m->ok && m->item[0] != '\0' && item_made((int64_t)m->id,
	    m->item) == -1) || outbox_result((int64_t)m->id, m->ok,
	    (enum orch_outbox_refused)m->refused, m->error) == -1)
		return (-1);
	pass_send(p->p_id, ORCH_ack, id, &ack, -1);
	return (0);
}

/* --- what nobody takes ---------------------------------------------------- */

struct old {
	char	o_dest[96];
	int64_t	o_n;
	char	o_error[300];
};

static int
park(const struct old *o, int64_t before, int64_t unasked)
{
	store_count(eng.e_store, "outbox_parked", o->o_n);
	log_warnx("outbox: %lld messages to %s are parked", (long long)o->o_n,
	    o->o_dest);
	if (store_run(eng.e_store, Q_OUTBOX_PARK, "iis", before, unasked,
	    o->o_dest) != STORE_OK)
		return (-1);
	return (alert_raise("outbox_parked", o->o_dest, "%lld messages to %s "
	    "could not be delivered for %d days and are not tried any more: "
	    "%s. Look at that server and at its lines in orchd.conf; what "
	    "comes later is tried, these after: orchctl queue retry %s",
	    (long long)o->o_n, o->o_dest, (int)(PARK_MS / 86400000),
	    o->o_error[0] != '\0' ? o->o_error :
	    "nobody has asked for them", o->o_dest) == STORE_OK ? 0 : -1);
}

int
outbox_look(void)
{
	static int64_t looked;
	struct old old[DESTS_MAX];
	int64_t now = eng_now(), before = now - PARK_MS, unasked;
	sqlite3_stmt *q;
	size_t i, n = 0;

	if (looked <= now && now - looked < LOOK_MS)
		return (0);
	looked = now;
	/* Not what waited while orchd itself was away. */
	unasked = now - eng.e_started_at > SETTLE_MS;
	q = store_bind(eng.e_store, Q_OUTBOX_OLD, "ii", before, unasked);
	while (n < DESTS_MAX && store_step(eng.e_store, q) == STORE_OK) {
		strlcpy(old[n].o_dest, col_text(q, 0), sizeof(old[n].o_dest));
		old[n].o_n = col_int(q, 1);
		strlcpy(old[n].o_error, col_text(q, 2),
		    sizeof(old[n].o_error));
		n++;
	}
	sqlite3_reset(q);
	for (i = 0; i < n; i++)
		if (park(&old[i], before, unasked) == -1)
			return (-1);
	return (0);
}

/* --- and what an operator wants tried again ------------------------------- */

/* Is there anybody to carry them, by the configuration of now? */
static int
has_carrier(const char *dest)
{
	const struct conf_project *cp;
	size_t i;

	if (strncmp(dest, "forge:", 6) == 0)
		return ((cp = eng_project(dest + 6)) != NULL &&
		    cp->cp_forge == CONF_FORGE_GITEA);
	if (strncmp(dest, "notify:", 7) != 0)
		return (strcmp(dest, "tracker") == 0);
	for (i = 0; i < eng.e_conf->cf_nnotify; i++)
		if (strcmp(eng.e_conf->cf_notify[i].cn_name, dest + 7) == 0)
			return (1);
	return (0);
}

static int64_t
count_of(const char *state, const char *dest)
{
	return (store_int(eng.e_store, 0, Q_OUTBOX_OF_DEST, "ss", state,
	    dest));
}

/* Nothing is parked for it: perhaps it was meant to be another one. */
static enum orch_result
none_parked(const char *dest, char *said, size_t len)
{
	char list[1024] = "";
	sqlite3_stmt *q;
	int known;

	q = store_bind(eng.e_store, Q_OUTBOX_PARKED_DESTS, "");
	while (store_step(eng.e_store, q) == STORE_OK) {
		(void)strlcat(list, list[0] == '\0' ? "" : ", ",
		    sizeof(list));
		(void)strlcat(list, col_text(q, 0), sizeof(list));
	}
	sqlite3_reset(q);
	known = has_carrier(dest) || count_of("pending", dest) > 0 ||
	    count_of("done", dest) > 0;
	snprintf(said, len, "no message to %.96s is parked%s%s%s. Nothing was "
	    "changed", dest, known ? "" : ", and orchd.conf has no such "
	    "destination", list[0] == '\0' ? "" : ", but some to ", list);
	return (known ? RES_DUPLICATE : RES_NOTFOUND);
}

enum orch_result
outbox_retry(const char *dest, const char *user, char *said, size_t len)
{
	int64_t n = count_of("parked", dest), left;

	if (n == 0)
		return (none_parked(dest, said, len));
	if (!has_carrier(dest)) {
		snprintf(said, len, "%s is not in orchd.conf any more, nobody "
		    "would take its messages. Nothing was changed", dest);
		return (RES_REFUSED);
	}
	if (store_run(eng.e_store, Q_OUTBOX_SURPASSED, "s", dest) !=
	    STORE_OK)
		return (RES_RETRY);
	left = count_of("parked", dest);
	if (store_run(eng.e_store, Q_OUTBOX_RETRY, "is", eng_now(), dest) !=
	    STORE_OK)
		return (RES_RETRY);
	/* With nothing left to deliver nothing would end it. */
	if (count_of("pending", dest) == 0 &&
	    alert_clear("outbox_parked", dest) != STORE_OK)
		return (RES_RETRY);
	store_count(eng.e_store, "outbox_retried", left);
	log_info("outbox: %lld parked messages to %s are tried again, %lld "
	    "are out of date, by %s", (long long)left, dest,
	    (long long)(n - left), user);
	snprintf(said, len, "%lld %s to %s %s tried again%s", (long long)left,
	    left == 1 ? "message" : "messages", dest, left == 1 ? "is" :
	    "are", left == n ? "" : "; statuses that a later one has taken "
	    "the place of are forgotten");
	return (RES_OK);
}

enum orch_result
outbox_drop(const char *dest, const char *user, char *said, size_t len)
{
	int64_t n = count_of("parked", dest);
	char why[128];

	if (n == 0)
		return (none_parked(dest, said, len));
	snprintf(why, sizeof(why), "dropped by %.96s", user);
	if (store_run(eng.e_store, Q_OUTBOX_DROP, "ss", why, dest) !=
	    STORE_OK || alert_clear("outbox_parked", dest) != STORE_OK)
		return (RES_RETRY);
	store_count(eng.e_store, "outbox_dropped", n);
	log_info("outbox: %lld parked messages to %s are dropped, by %s",
	    (long long)n, dest, user);
	snprintf(said, len, "%lld %s to %s %s dropped and will not be "
	    "delivered", (long long)n, n == 1 ? "message" : "messages", dest,
	    n == 1 ? "is" : "are");
	return (RES_OK);
}
