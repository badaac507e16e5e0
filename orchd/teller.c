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

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <bsd/sys/queue.h>

#include "libcommon/log.h"
#include "libcommon/sha256.h"
#include "engine.h"
#include "outbox.h"
#include "pass.h"
#include "peer.h"
#include "runs.h"
#include "teller.h"

/* Far above the numbers of the table run, and higher after each restart. */
#define FIRST_RUN	(1ULL << 52)
#define SPARE_MS	60000	/* for its start and end */

struct teller {
	TAILQ_ENTRY(teller) te_entry;
	uint64_t	 te_run;
	int64_t		 te_row;	/* of the outbox */
	int64_t		 te_until;	/* by then it has ended */
	char		 te_name[64];	/* of the notify line */
	char		 te_hash[65];	/* of its key */
	char		 te_ident[IDENT_TEXT_MAX];	/* "": not known yet */
	char		*te_kind;
	char		*te_task;
	char		*te_key;
	char		*te_text;
	char		*te_project;
};
static TAILQ_HEAD(, teller) tellers = TAILQ_HEAD_INITIALIZER(tellers);

static void
teller_free(struct teller *te)
{
	TAILQ_REMOVE(&tellers, te, te_entry);
	free(te->te_kind);
	free(te->te_task);
	free(te->te_key);
	free(te->te_text);
	free(te->te_project);
	free(te);
}

static struct teller *
teller_find(uint64_t run)
{
	struct teller *te;

	TAILQ_FOREACH(te, &tellers, te_entry)
		if (te->te_run == run)
			break;
	return (te);
}

int
teller_is(uint64_t run)
{
	return (run >= FIRST_RUN);
}

unsigned int
teller_count(void)
{
	const struct teller *te;
	unsigned int n = 0;

	TAILQ_FOREACH(te, &tellers, te_entry)
		n++;
	return (n);
}

void
teller_stop(void)
{
	struct teller *te, *next;

	for (te = TAILQ_FIRST(&tellers); te != NULL; te = next) {
		next = TAILQ_NEXT(te, te_entry);
		/* Who does not know us yet hears it at its HELLO. */
		if (!peer_stop_run(te->te_run, "orchd is shut down") &&
		    te->te_ident[0] == '\0')
			teller_free(te);
	}
}

/* --- start ---------------------------------------------------------------- */

static char *
copy(const char *s)
{
	char *p;

	if ((p = strdup(s)) == NULL)
		fatal("message");
	return (p);
}

/* What is due becomes a run; it is copied, the row dies with the call. */
static void
take(const struct outbox_due *od, void *arg)
{
	struct teller *te, **out = arg;

	if ((te = calloc(1, sizeof(*te))) == NULL)
		fatal("message");
	te->te_row = od->od_id;
	te->te_kind = copy(od->od_kind);
	te->te_task = copy(od->od_task);
	te->te_key = copy(od->od_key);
	te->te_text = copy(od->od_text);
	te->te_project = copy(od->od_project);
	TAILQ_INSERT_TAIL(&tellers, te, te_entry);
	*out = te;
}

static int
start(struct teller *te, const char *name)
{
	static uint64_t last;
	struct orch_spawn sp = { .kind = KIND_EXEC, .gate = te->te_name };
	uint8_t key[32];

	strlcpy(te->te_name, name, sizeof(te->te_name));
	te->te_run = FIRST_RUN + (uint64_t)eng_now();
	if (te->te_run <= last)
		te->te_run = last + 1;
	last = te->te_run;
	te->te_until = eng_now() + SPARE_MS + 1000 * (CONF_EXEC_LIMIT_S +
	    conf_int(eng.e_conf, NULL, OPT_KILL_GRACE_S));
	if (random_bytes(key, sizeof(key)) == -1) {
		teller_free(te);
		return (-1);
	}
	sha256_hex(key, sizeof(key), te->te_hash);
	sp.run = te->te_run;
	sp.key.b_data = key;
	sp.key.b_len = sizeof(key);
	pass_send(0, ORCH_spawn, 0, &sp, -1);
	explicit_bzero(key, sizeof(key));
	log_debug("run %llu: message %s to %s", (unsigned long long)te->te_run,
	    te->te_key, name);
	return (0);
}

/* One at a time for each line. */
static int
start_due(const struct conf_notify *cn)
{
	struct teller *te;
	char dest[64];

	TAILQ_FOREACH(te, &tellers, te_entry)
		if (strcmp(te->te_name, cn->cn_name) == 0)
			return (0);
	snprintf(dest, sizeof(dest), "notify:%s", cn->cn_name);
	te = NULL;
	outbox_due(dest, 1, take, &te);
	return (te == NULL ? 0 : start(te, cn->cn_name));
}

/* --- the end -------------------------------------------------------------- */

/* Its message comes again later. */
static int
failed(struct teller *te, const char *why)
{
	log_warnx("notify %s: message %s: %s", te->te_name, te->te_key, why);
	if (outbox_result(te->te_row, 0, OUTBOX_LATER, why) == -1)
		return (-1);
	teller_free(te);
	return (0);
}

/* It neither ends nor is ended by its runner. */
static int
end_late(struct teller *te)
{
	struct orch_kill k = { .run = te->te_run, .ident = te->te_ident,
	    .sig = SIGKILL };

	if (te->te_ident[0] != '\0')
		pass_send(0, ORCH_kill, 0, &k, -1);
	return (failed(te, "nothing was heard of its runner"));
}

int
teller_look(void)
{
	struct teller *te, *next;
	size_t i;

	for (te = TAILQ_FIRST(&tellers); te != NULL; te = next) {
		next = TAILQ_NEXT(te, te_entry);
		if (eng_now() >= te->te_until && end_late(te) == -1)
			return (-1);
	}
	if (eng.e_quiescing || eng.e_conf == NULL)
		return (0);
	for (i = 0; i < eng.e_conf->cf_nnotify; i++)
		if (eng.e_conf->cf_notify[i].cn_kind == CONF_NOTIFY_EXEC &&
		    start_due(&eng.e_conf->cf_notify[i]) == -1)
			return (-1);
	return (0);
}

/* In a request of its own. */
static void
failed_now(uint64_t run, const char *why)
{
	struct teller *te = teller_find(run);
	int ok;

	if (te == NULL || pass_enter() == -1)
		return;		/* te_until ends it */
	ok = failed(te, why) == 0;
	(void)pass_leave(ok);
}

void
teller_spawned(const struct orch_spawned *s)
{
	struct teller *te = teller_find(s->run);

	if (s->error[0] != '\0')
		failed_now(s->run, s->error);
	else if (te != NULL && te->te_ident[0] == '\0')
		strlcpy(te->te_ident, s->ident, sizeof(te->te_ident));
}

void
teller_exited(uint64_t run)
{
	struct teller *te = teller_find(run);

	if (te != NULL && eng.e_quiescing)
		teller_free(te);
	else
		failed_now(run, "its runner ended and said nothing");
}

/* --- its runner ----------------------------------------------------------- */

const char *
teller_hello(const struct peer *p, const struct orch_hello *h)
{
	struct teller *te = teller_find(h->run);
	struct ident said, known;
	char hash[65];

	if (te == NULL || h->key.b_len != 32)
		return ("no such run");
	sha256_hex(h->key.b_data, h->key.b_len, hash);
	if (!ct_equal(hash, te->te_hash, 64))
		return ("a wrong key");
	if (p->p_role != ROLE_RUNNER)
		return ("another kind of run");
	if (ident_parse(h->ident, &said) == -1 ||
	    !ident_same(&said, &p->p_ident))
		return ("the identity is not that of the process");
	if (te->te_ident[0] != '\0' && (ident_parse(te->te_ident, &known) ==
	    -1 || !ident_again(&known, &said)))
		return ("another process owns this run");
	strlcpy(te->te_ident, h->ident, sizeof(te->te_ident));
	return (NULL);
}

void
teller_connected(const struct peer *p)
{
	const struct teller *te = teller_find(p->p_run);
	char kind[64], key[160], project[96];
	const char *options[] = { kind, key, project, NULL };
	struct orch_run_go go = { .run = p->p_run };

	if (te == NULL)
		return;
	if (eng.e_quiescing) {
		(void)peer_stop_run(p->p_run, "orchd is shut down");
		return;
	}
	snprintf(kind, sizeof(kind), "kind=%s", te->te_kind);
	snprintf(key, sizeof(key), "key=%s", te->te_key);
	snprintf(project, sizeof(project), "project=%s", te->te_project);
	go.task = te->te_task;
	go.request.b_data = (const uint8_t *)te->te_text;
	go.request.b_len = strlen(te->te_text);
	go.options.l_argv = options;
	pass_send(p->p_id, ORCH_run_go, 0, &go, -1);
}

int
teller_done(struct peer *p, uint32_t id, const struct orch_run_done *m)
{
	struct teller *te = teller_find(m->run);
	struct orch_ack ack = { te == NULL ? RES_DUPLICATE : RES_OK, "" };
	int ok = m->verdict == GATE_PASS;

	if (te != NULL && m->cause == CAUSE_STOPPED)
		teller_free(te);	/* due still, and not its fault */
	else if (te != NULL && !ok) {
		if (failed(te, m->reason) == -1)
			return (-1);
	} else if (te != NULL) {
		if (outbox_result(te->te_row, 1, OUTBOX_LATER, "") == -1)
			return (-1);
		teller_free(te);
	}
	pass_send(p->p_id, ORCH_ack, id, &ack, -1);
	/* The next one of the same line. */
	return (teller_look());
}
