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

#include "libcommon/daemon.h"
#include "libcommon/log.h"

#include "reconciled.h"

static int
on_setup(enum orch_role role)
{
	if (drift_start() == -1 || outbox_start() == -1) {
		log_warnx("no memory for timers");
		return (-1);
	}
	return (0);
}

static void
on_engine_up(void)
{
	drift_engine_up();
	outbox_engine_up();
}

static void
on_message(const struct orch_header *h, const union orch_any *m, int *fd)
{
	switch (h->h_type) {
	case ORCH_candidate:
		drift_candidate(&m->candidate);
		break;
	case ORCH_outbox_row:
		outbox_row(&m->outbox_row);
		break;
	case ORCH_ack:
		if (!outbox_ack(h->h_id, &m->ack))
			(void)drift_ack(h->h_id, &m->ack);
		break;
	default:
		log_debug("engine: message %u is not for us", h->h_type);
	}
}

static void
on_shutdown(void)
{
	drift_stop();
	outbox_stop();
}

int
main(int argc, char **argv)
{
	static const struct daemon_ops ops = {
		.d_name = "reconciled",
		.d_roles = FROM_RECONCILED,
		.d_setup = on_setup,
		.d_engine_up = on_engine_up,
		.d_message = on_message,
		.d_shutdown = on_shutdown,
	};

	return (daemon_run(&ops, argc, argv));
}
