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
#include <string.h>

#include <curl/curl.h>
#include <event2/event.h>

#include "libcommon/checkup.h"
#include "libcommon/daemon.h"
#include "libcommon/log.h"

#include "finalizerd.h"

/*
 * The dispatcher reads what hooks left behind.  It holds no state: the
 * engine lists the deploys that have no recorded end, again and again, so a
 * result is found after any restart.
 */

#define LIST_MOST	64
#define HOOK_DEAD	1	/* deploy_row.hook_state: dead and drained */

static struct event	*poll_ev;
static int		 asked;		/* a list is under way */
static uint64_t		 complained;	/* run of the last bad file */

static void
list_ask(void)
{
	struct orch_deploy_list m = { .most = LIST_MOST };

	if (!daemon_connected() || asked)
		return;
	if (daemon_send(ORCH_deploy_list, &m, NULL) == 0)
		asked = 1;
	else if (errno != ENOTCONN)
		log_warn("deploy_list");
}

static void
poll_cb(evutil_socket_t fd, short what, void *arg)
{
	list_ask();
}

static void
result_send(const struct orch_deploy_row *row, int code, const char *why)
{
	struct orch_deploy_result m = { .run = row->run, .code = code,
	    .evidence = why };

	log_info("deploy run %" PRIu64 " (task %s): %s", row->run, row->task,
	    why);
	if (daemon_send(ORCH_deploy_result, &m, NULL) == -1 &&
	    errno != ENOTCONN)
		log_warn("deploy_result");
}

/*
 * The engine's word that the hook is dead is older than our look at the file:
 * no file now means that none will come.
 */
static void
row_look(const struct orch_deploy_row *row)
{
	char why[400];
	int code;

	switch (hook_result_read(row->result_file, &code, why, sizeof(why))) {
	case HOOK_ENDED:
		result_send(row, code, why);
		return;
	case HOOK_NONE:
		if (row->hook_state == HOOK_DEAD)
			result_send(row, 255, "the hook's wrapper is dead and "
			    "left no result file");
		return;
	case HOOK_BAD:
		break;
	}
	if (complained != row->run)
		log_warnx("deploy run %" PRIu64 " (task %s): %s", row->run,
		    row->task, why);
	complained = row->run;
	if (row->hook_state == HOOK_DEAD)
		result_send(row, 255, why);
}

static void
on_message(const struct orch_header *h, const union orch_any *m, int *fd)
{
	switch (h->h_type) {
	case ORCH_deploy_row:
		if (m->deploy_row.run != 0)
			row_look(&m->deploy_row);
		if (m->deploy_row.last)
			asked = 0;
		break;
	case ORCH_outbox_row:
		post_row(h->h_id, &m->outbox_row);
		break;
	case ORCH_doctor_ask:
		doctor_forges(h->h_id, &m->doctor_ask);
		break;
	case ORCH_ack:
		if (post_ack(h->h_id, &m->ack))
			break;
		/* It could not even list them: the next tick asks again. */
		if (m->ack.result == RES_RETRY)
			asked = 0;
		if (m->ack.result != RES_OK && m->ack.result != RES_DUPLICATE)
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

	tv.tv_sec = (time_t)daemon_option_num("deploy_poll_s", 1, 3600, 1);
	poll_ev = event_new(daemon_base(), -1, EV_PERSIST, poll_cb, NULL);
	if (poll_ev == NULL || event_add(poll_ev, &tv) == -1) {
		log_warnx("no memory for a timer");
		return (-1);
	}
	if (post_start() == -1) {
		log_warnx("no memory to ask forges");
		return (-1);
	}
	return (0);
}

static void
on_engine_up(void)
{
	asked = 0;
	list_ask();
	post_engine_up();
}

static void
on_shutdown(void)
{
	if (poll_ev != NULL)
		event_free(poll_ev);
	poll_ev = NULL;
	checkup_stop();
	post_stop();
}

int
finalizer_main(int argc, char **argv)
{
	static const struct daemon_ops ops = {
		.d_name = "finalizerd",
		.d_roles = FROM_FINALIZERD,
		.d_setup = on_setup,
		.d_engine_up = on_engine_up,
		.d_message = on_message,
		.d_shutdown = on_shutdown,
		.d_project = post_project,
		.d_secret = post_secret,
	};

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
		return (1);
	return (daemon_run(&ops, argc, argv));
}
