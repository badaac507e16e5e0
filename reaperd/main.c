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

#include <event2/event.h>

#include "libcommon/daemon.h"
#include "libcommon/log.h"

#include "reaperd.h"

/*
 * The three tiers of R-50: is the process of each run that should live still
 * there, is one whose end is stamped not finished, is one too old?  The reaper
 * says what it saw; the engine looks again and acts.
 */

#define LIST_MOST	4096
#define TICK_GIVE_UP	3	/* intervals without the end of a list */

static struct event	*tick_ev;
static int		 asked;		/* intervals since the list was asked */
static uint32_t		 dead_ticks;
static uint64_t		 grace_s;	/* of a stamped end */
static uint64_t		 max_s;		/* the ceiling */

static void
reaper_tick(void)
{
	struct orch_live_list m = { .most = LIST_MOST };

	if (!daemon_connected())
		return;
	if (asked != 0 && asked++ < TICK_GIVE_UP)
		return;
	if (daemon_send(ORCH_live_list, &m, NULL) == -1) {
		if (errno != ENOTCONN)
			log_warn("live_list");
		return;
	}
	tick_begin();
	asked = 1;
}

static void
tick_cb(evutil_socket_t fd, short what, void *arg)
{
	reaper_tick();
}

static void
tell_dead(const struct orch_live *l, uint32_t ticks, const char *why)
{
	struct orch_dead m = { .run = l->run, .ident = l->ident,
	    .verdict = IDENT_DEAD, .tier = 1, .ticks = ticks,
	    .evidence = why };

	log_info("run %" PRIu64 ": dead (tick %" PRIu32 "): %s", l->run, ticks,
	    why);
	if (daemon_send(ORCH_dead, &m, NULL) == -1 && errno != ENOTCONN)
		log_warn("run %" PRIu64 ": dead", l->run);
}

/* Said each tick for as long as it is so; the engine logs what it does. */
static void
tell_overdue(const struct orch_live *l, unsigned int tier)
{
	struct orch_dead m = { .run = l->run, .ident = l->ident,
	    .verdict = IDENT_ALIVE, .tier = (uint8_t)tier };
	char why[160];

	(void)snprintf(why, sizeof(why), tier == 2 ?
	    "its end was stamped %" PRIu64 " s ago and is not finished" :
	    "it has run for %" PRIu64 " s", tier == 2 ? l->stamped_s :
	    l->held_s);
	m.evidence = why;
	log_debug("run %" PRIu64 ": overdue (tier %u): %s", l->run, tier,
	    why);
	if (daemon_send(ORCH_dead, &m, NULL) == -1 && errno != ENOTCONN)
		log_warn("run %" PRIu64 ": overdue", l->run);
}

static void
tell_doubt(uint64_t run, int on, const char *why)
{
	char subject[32];
	struct orch_notice m = { .kind = "ident_unknown", .subject = subject,
	    .on = (uint8_t)on, .text = why };

	(void)snprintf(subject, sizeof(subject), "run %" PRIu64, run);
	if (on)
		log_warnx("%s: cannot tell whether it lives: %s", subject,
		    why);
	if (daemon_send(ORCH_notice, &m, NULL) == -1 && errno != ENOTCONN)
		log_warn("%s: notice", subject);
}

static void
clear_cb(uint64_t run)
{
	tell_doubt(run, 0, "the run has ended");
}

static void
look_overdue(const struct orch_live *l)
{
	struct orch_live own = *l;
	unsigned int tier;

	tick_ages(l->run, l->ident, monotime_now(), &own.held_s,
	    &own.stamped_s);
	if ((tier = tick_tier(&own, grace_s, max_s)) != 0)
		tell_overdue(&own, tier);
}

/* A run without identity was asked for a moment ago and has not begun. */
static void
look_one(const struct orch_live *l)
{
	struct ident id;
	enum look look;
	char why[256] = "";
	uint32_t ticks;

	if (l->run == 0 || ident_parse(l->ident, &id) == -1)
		return;
	look = look_at(&id, &ident_world_real, why, sizeof(why));
	if (look == LOOK_ALIVE)
		look_overdue(l);
	/* The engine itself tells of the doubt in one that is not connected. */
	if (look == LOOK_UNKNOWN && !l->connected)
		look = LOOK_ALIVE;
	switch (tick_see(l->run, l->ident, look, dead_ticks, &ticks)) {
	case NOW_DEAD:
		tell_dead(l, ticks, why);
		break;
	case NOW_DOUBT:
		tell_doubt(l->run, 1, why);
		break;
	case NOW_SURE:
		tell_doubt(l->run, 0, why);
		break;
	case NOW_NOTHING:
		break;
	}
}

static void
on_live(const struct orch_live *l)
{
	look_one(l);
	if (l->last) {
		tick_end(clear_cb);
		asked = 0;
	}
}

static void
on_message(const struct orch_header *h, const union orch_any *m, int *fd)
{
	switch (h->h_type) {
	case ORCH_live:
		on_live(&m->live);
		break;
	case ORCH_ack:
		if (m->ack.result != RES_OK)
			log_debug("engine: %s: %s",
			    orch_result_name(m->ack.result), m->ack.text);
		break;
	default:
		log_debug("engine: message %u is not for us", h->h_type);
	}
}

static int
on_setup(enum orch_role role)
{
	struct timeval tv = { 0, 0 };

	dead_ticks = (uint32_t)daemon_option_num("reaper_dead_ticks", 1, 100,
	    2);
	grace_s = (uint64_t)daemon_option_num("reaper_finalize_grace_s", 0,
	    86400, 300);
	max_s = (uint64_t)daemon_option_num("reaper_max_running_s", 1,
	    2592000, 7200);
	if (strcmp(daemon_option("reaper_enabled", "yes"), "no") == 0) {
		log_info("reaper_enabled is no: nothing is looked at");
		return (0);
	}
	tv.tv_sec = (time_t)daemon_option_num("reaper_interval_s", 1, 86400,
	    60);
	tick_ev = event_new(daemon_base(), -1, EV_PERSIST, tick_cb, NULL);
	if (tick_ev == NULL || event_add(tick_ev, &tv) == -1) {
		log_warnx("no memory for a timer");
		return (-1);
	}
	return (0);
}

/* Ticks count anew: the engine has looked at every run when it started. */
static void
on_engine_up(void)
{
	tick_reset();
	asked = 0;
	if (tick_ev != NULL)
		reaper_tick();
}

static void
on_shutdown(void)
{
	tick_reset();
	if (tick_ev != NULL)
		event_free(tick_ev);
	tick_ev = NULL;
}

int
main(int argc, char **argv)
{
	static const struct daemon_ops ops = {
		.d_name = "reaperd",
		.d_roles = FROM_REAPERD,
		.d_setup = on_setup,
		.d_engine_up = on_engine_up,
		.d_message = on_message,
		.d_shutdown = on_shutdown,
	};

	return (daemon_run(&ops, argc, argv));
}
