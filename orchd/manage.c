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
#include <unistd.h>

#include <bsd/string.h>

#include "libcommon/log.h"
#include "certwatch.h"
#include "engine.h"
#include "manage.h"
#include "notice.h"
#include "pass.h"
#include "peer.h"
#include "query.h"
#include "queue.h"
#include "runs.h"
#include "teller.h"
#include "token.h"

#define QUIESCE_LOOK_MS	100
#define DAEMONS		16
#define STEADY_MS	120000	/* a daemon that has not ended for so long */

/* One person at a time waits for the parent. */
static struct {
	uint32_t	peer;
	uint32_t	id;
	uint32_t	asked;
} waiting;

void
manage_ask(enum orch_manage_verb verb, uint32_t peer, uint32_t id)
{
	struct orch_manage m = { .verb = (uint8_t)verb };

	waiting.peer = peer;
	waiting.id = id;
	waiting.asked++;
	pass_send(0, ORCH_manage, waiting.asked, &m, -1);
}

static void
on_managed(uint32_t id, const struct orch_managed *m)
{
	struct orch_answer a = { .result = m->result, .text = m->text };
	struct chan *c;

	if (waiting.peer == 0 || id != waiting.asked)
		return;
	if ((c = peer_chan(waiting.peer)) != NULL) {
		(void)chan_send(c, ORCH_answer, waiting.id, &a, -1);
		(void)chan_flush(c, 500);
	}
	waiting.peer = 0;
}

void
manage_ready(void)
{
	struct orch_child_ready m = { .role = ROLE_ENGINE };

	(void)chan_send(eng.e_parent, ORCH_child_ready, 0, &m, -1);
}

/* A configuration that the parent has checked; a bad one changes nothing. */
static void
conf_take(int fd, const struct orch_conf *m)
{
	struct conf *conf = NULL;

	if (conf_parse_fd(fd, "orchd.conf", CONF_QUIET, &conf,
	    stderr) == -1) {
		log_warnx("the configuration of the parent does not parse");
		return;
	}
	conf_free(eng.e_conf);
	eng.e_conf = conf;
	eng.e_reloads++;
	token_take(m->read_token, m->admin_token);
	certwatch_take(&m->certificates);
}

/* When nothing is left that runs the parent, who waits to stop us, is told. */
static void
quiesced_cb(int fd, short what, void *arg)
{
	static struct timeval again = { 0, QUIESCE_LOOK_MS * 1000 };
	struct orch_quiesced m;

	m.left = (uint32_t)store_int(eng.e_store, 0, Q_RUNS_LIVE_COUNT, "") +
	    teller_count();
	if (eng.e_parent == NULL)
		return;
	if (m.left == 0)
		(void)chan_send(eng.e_parent, ORCH_quiesced, 0, &m, -1);
	else
		(void)event_base_once(eng.e_base, -1, EV_TIMEOUT, quiesced_cb,
		    NULL, &again);
}

/* Shutdown: start nothing, ask every run to end; the jobs are queued again. */
static void
on_quiesce(void)
{
	sqlite3_stmt *q;
	int64_t ids[128];
	size_t i, n = 0;

	eng.e_quiescing = 1;
	log_info("shutdown: asking what runs to end");
	q = store_bind(eng.e_store, Q_RUNS_LIVE, "");
	while (n < 128 && store_step(eng.e_store, q) == STORE_OK)
		if (strcmp(col_text(q, 3), "hook") != 0)
			ids[n++] = col_int(q, 0);
	sqlite3_reset(q);
	for (i = 0; i < n; i++)
		(void)peer_stop_run((uint64_t)ids[i], "orchd is shut down");
	teller_stop();
	quiesced_cb(-1, 0, NULL);
}

/* A daemon was started, or has this engine after another (metrics.c). */
static void
count_daemon(enum orch_role role)
{
	char name[64];

	if (pass_enter() == -1)
		return;
	snprintf(name, sizeof(name), "daemon %s", orch_role_name(role));
	store_count(eng.e_store, name, 1);
	(void)pass_leave(1);
}

/* When each daemon ended last; who ended before this engine: at its start. */
static struct {
	char	name[33];
	int64_t	at;
} downs[DAEMONS];

static int64_t
down_at(const char *name)
{
	size_t i;

	for (i = 0; i < DAEMONS; i++)
		if (strcmp(downs[i].name, name) == 0)
			return (downs[i].at);
	return (eng.e_started_at);
}

static void
down_note(const char *name)
{
	size_t i;

	for (i = 0; i + 1 < DAEMONS && downs[i].name[0] != '\0'; i++)
		if (strcmp(downs[i].name, name) == 0)
			break;
	strlcpy(downs[i].name, name, sizeof(downs[i].name));
	downs[i].at = eng_now();
}

int
daemons_look(void)
{
	char steady[DAEMONS][33];
	sqlite3_stmt *q;
	size_t i, n = 0;

	q = store_bind(eng.e_store, Q_ALERTS_OF_KIND, "s", "daemon");
	while (n < DAEMONS && store_step(eng.e_store, q) == STORE_OK)
		if (eng_now() - down_at(col_text(q, 0)) >= STEADY_MS)
			strlcpy(steady[n++], col_text(q, 0),
			    sizeof(steady[0]));
	sqlite3_reset(q);
	for (i = 0; i < n; i++)
		if (alert_clear("daemon", steady[i]) != STORE_OK)
			return (-1);
	return (0);
}

static void
on_daemon_down(const struct orch_daemon_down *m)
{
	int ok;

	if (pass_enter() == -1)
		return;
	down_note(m->name);
	ok = alert_raise("daemon", m->name, "%s ended by itself, %u times "
	    "until now; it is started again in %u ms. Its last words are in "
	    "orchd's log", m->name, m->restarts, m->retry_ms) == STORE_OK;
	(void)pass_leave(ok);
}

static void
on_exited(const struct orch_exited *m)
{
	if (teller_is(m->run)) {
		teller_exited(m->run);
		return;
	}
	/* A hint: whoever it was, look at the runs soon. */
	run_disconnected(m->run);
}

static void
parent_message(struct chan *c, const struct orch_header *h,
    const union orch_any *any, int *fd, void *arg)
{
	switch (h->h_type) {
	case ORCH_conf:
		conf_take(*fd, &any->conf);
		(void)engine_look(1);
		break;
	case ORCH_peer:
		count_daemon(any->peer.role);
		peer_daemon(*fd, any->peer.role, any->peer.generation);
		*fd = -1;
		break;
	case ORCH_spawned:
		on_spawned(&any->spawned);
		break;
	case ORCH_exited:
		on_exited(&any->exited);
		break;
	case ORCH_managed:
		on_managed(h->h_id, &any->managed);
		break;
	case ORCH_quiesce:
		on_quiesce();
		break;
	case ORCH_daemon_down:
		on_daemon_down(&any->daemon_down);
		break;
	case ORCH_ping:
		(void)chan_send(c, ORCH_pong, h->h_id, any, -1);
		break;
	case ORCH_killed:
		break;
	default:
		log_warnx("the parent sends %s, ignored",
		    orch_msg(h->h_type)->m_name);
	}
}

/* Without its parent the engine has nobody to start anything for it. */
static void
parent_ended(struct chan *c, const char *why, void *arg)
{
	log_info("descriptor 3: %s; ending", why);
	pass_commit();
	eng.e_parent = NULL;
	chan_free(c);
	event_base_loopbreak(eng.e_base);
}

void
manage_open(int fd)
{
	if ((eng.e_parent = chan_new(eng.e_base, fd, 0, FROM_PARENT,
	    parent_message, parent_ended, NULL)) == NULL)
		fatal("descriptor 3");
}
