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
#include <string.h>

#include <bsd/string.h>

#include <event2/event.h>

#include "libcommon/daemon.h"
#include "libcommon/log.h"

#include "reconciled.h"

/*
 * F-1: ask the engine which tasks stand still although nobody works on them,
 * and ask it to have a look at each.  The guards (analysis, parked, Blocked,
 * deploy without confirmation) are the engine's, which answers "refused".
 */

#define CANDIDATES_MOST	100

static struct event	*tick_ev;
static int		 asked;		/* a list is under way */

/* Advances without an answer, to name the task when it comes. */
static struct {
	uint32_t	id;
	char		task[65];
} waiting[CANDIDATES_MOST];

static void
drift_tick(void)
{
	struct orch_candidates m = { .most = CANDIDATES_MOST };

	if (!daemon_connected() || asked)
		return;
	if (daemon_send(ORCH_candidates, &m, NULL) == 0)
		asked = 1;
	else if (errno != ENOTCONN)
		log_warn("candidates");
}

static void
drift_cb(evutil_socket_t fd, short what, void *arg)
{
	drift_tick();
}

int
drift_start(void)
{
	struct timeval tv = { 0, 0 };

	if (strcmp(daemon_option("reconcile_enabled", "yes"), "no") == 0) {
		log_info("reconcile_enabled is no: tasks are not looked for");
		return (0);
	}
	tv.tv_sec = (time_t)daemon_option_num("reconcile_interval_s", 1,
	    86400, 60);
	tick_ev = event_new(daemon_base(), -1, EV_PERSIST, drift_cb, NULL);
	return (tick_ev == NULL || event_add(tick_ev, &tv) == -1 ? -1 : 0);
}

void
drift_stop(void)
{
	if (tick_ev != NULL)
		event_free(tick_ev);
	tick_ev = NULL;
}

void
drift_engine_up(void)
{
	memset(waiting, 0, sizeof(waiting));
	asked = 0;
}

static void
drift_remember(uint32_t id, const char *task)
{
	size_t i;

	for (i = 0; i < CANDIDATES_MOST; i++)
		if (waiting[i].id == 0) {
			waiting[i].id = id;
			(void)strlcpy(waiting[i].task, task,
			    sizeof(waiting[i].task));
			return;
		}
}

/* One task's trouble never stops the others: each is asked for by itself. */
void
drift_candidate(const struct orch_candidate *c)
{
	char reason[128];
	struct orch_advance m = { .task = c->task, .stage = c->stage,
	    .seq = c->seq, .reason = reason };
	uint32_t id;

	if (c->last)
		asked = 0;
	if (c->task[0] == '\0')
		return;
	(void)snprintf(reason, sizeof(reason), "F-1: nothing moved it for %"
	    PRIu64 " s", c->age_s);
	if (daemon_send(ORCH_advance, &m, &id) == -1) {
		if (errno != ENOTCONN)
			log_warn("task %s: advance", c->task);
		return;
	}
	drift_remember(id, c->task);
}

int
drift_ack(uint32_t id, const struct orch_ack *ack)
{
	size_t i;

	for (i = 0; i < CANDIDATES_MOST; i++)
		if (waiting[i].id == id && id != 0)
			break;
	if (i == CANDIDATES_MOST) {
		/* No list came: the next tick asks again. */
		if (ack->result == RES_RETRY)
			asked = 0;
		return (0);
	}
	waiting[i].id = 0;
	switch (ack->result) {
	case RES_OK:
		log_info("task %s: stood still, its gate is looked at again",
		    waiting[i].task);
		break;
	case RES_STALE:		/* moved meanwhile: what we wanted */
	case RES_DUPLICATE:
	case RES_DENIED:
	case RES_REFUSED:
		log_debug("task %s: advance: %s: %s", waiting[i].task,
		    orch_result_name(ack->result), ack->text);
		break;
	default:
		log_warnx("task %s: advance: %s: %s", waiting[i].task,
		    orch_result_name(ack->result), ack->text);
		break;
	}
	return (1);
}
