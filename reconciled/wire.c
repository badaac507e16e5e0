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

#include <curl/curl.h>

#include "libcommon/checkup.h"
#include "libcommon/daemon.h"
#include "libcommon/log.h"

#include "reconciled.h"

static int
on_setup(enum orch_role role)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
	    remote_start() == -1) {
		log_warnx("libcurl cannot start");
		return (-1);
	}
	if (drift_start() == -1 || outbox_start() == -1) {
		log_warnx("no memory for timers");
		return (-1);
	}
	/* One that cannot be asked was logged; the others work. */
	(void)project_start();
	return (0);
}

static void
on_engine_up(void)
{
	struct project *p;

	drift_engine_up();
	tell_engine_up();
	outbox_engine_up();
	TAILQ_FOREACH(p, &projects, p_entry) {
		if (p->p_tracker != NULL)
			tracker_engine_up(p);
		if (p->p_forge != NULL)
			forge_engine_up(p);
	}
}

/* A hint: something of this may have changed. */
static void
on_look(const struct orch_look *m)
{
	struct project *p = project_find(m->project);

	if (p == NULL) {
		log_debug("look: project %s has nothing remote", m->project);
		return;
	}
	switch (m->what) {
	case LOOK_ITEM:
		tracker_look(p, m->object[0] != '\0' ? m->object : NULL);
		break;
	case LOOK_BRANCH:
	case LOOK_COMMIT:
		forge_look(p);
		break;
	case LOOK_ALL:
		tracker_look(p, NULL);
		forge_look(p);
		break;
	default:
		log_debug("look: %u is not known", m->what);
	}
}

static void
on_ack(uint32_t id, const struct orch_ack *ack)
{
	if (!outbox_ack(id, ack) && !tell_ack(id, ack) && !forge_ack(id, ack))
		(void)drift_ack(id, ack);
}

static void
on_message(const struct orch_header *h, const union orch_any *m, int *fd)
{
	switch (h->h_type) {
	case ORCH_candidate:
		drift_candidate(&m->candidate);
		break;
	case ORCH_outbox_row:
		outbox_row(h->h_id, &m->outbox_row);
		break;
	case ORCH_watch:
		forge_watch(h->h_id, &m->watch);
		break;
	case ORCH_look:
		on_look(&m->look);
		break;
	case ORCH_doctor_ask:
		doctor_remotes(h->h_id, &m->doctor_ask);
		break;
	case ORCH_ack:
		on_ack(h->h_id, &m->ack);
		break;
	default:
		log_debug("engine: message %u is not for us", h->h_type);
	}
}

static void
on_shutdown(void)
{
	checkup_stop();
	project_stop();
	remote_stop();
	drift_stop();
	outbox_stop();
	tell_stop();
	curl_global_cleanup();
}

const struct daemon_ops reconciled_ops = {
	.d_name = "reconciled",
	.d_roles = FROM_RECONCILED,
	.d_secret = project_secret,
	.d_project = project_given,
	.d_setup = on_setup,
	.d_engine_up = on_engine_up,
	.d_message = on_message,
	.d_shutdown = on_shutdown,
};
