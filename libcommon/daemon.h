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

#ifndef LIBCOMMON_DAEMON_H
#define LIBCOMMON_DAEMON_H

/*
 * What webhookd, reaperd, reconciled and finalizerd have in common: start-up
 * on descriptor 3, the connection to the engine, health, and the end.
 */

#include <event2/event.h>

#include "proto/proto.h"

struct daemon_ops {
	const char	*d_name;	/* for the log and usage */
	uint32_t	 d_roles;	/* FROM_* mask of roles it can have */
	/*
	 * A listening socket, now owned by the daemon; what stands in the
	 * message dies after the call.  May be NULL.
	 */
	void	(*d_listen)(const struct orch_child_listen *, int fd);
	/* A secret, before d_setup; its text dies after it.  May be NULL. */
	void	(*d_secret)(const char *name, const char *value);
	/* Everything has come: acquire the rest.  -1: cannot serve. */
	int	(*d_setup)(enum orch_role role);
	/* The engine answered HELLO (again): send what is due. */
	void	(*d_engine_up)(void);
	/* The engine is gone; a new connection will come.  May be NULL. */
	void	(*d_engine_down)(void);
	/* A message of the engine other than hello_ok, ping. */
	void	(*d_message)(const struct orch_header *,
		    const union orch_any *, int *fd);
	/* The last thing before exit.  May be NULL. */
	void	(*d_shutdown)(void);
	/*
	 * A project whose forge or tracker is remote, before d_setup; the
	 * texts die after the call.  May be NULL.
	 */
	void	(*d_project)(const struct orch_child_project *);
	/*
	 * Asked to end (SIGTERM, SIGINT): take nothing new, finish what is
	 * under way and call daemon_stop(), within 4 s.  Asked once more it
	 * ends at once.  NULL: it ends at once in any case.
	 */
	void	(*d_drain)(void);
};

/*
 * What the parent hands over.  A secret's name says what it is for:
 * "forge:PROJECT" a token, "tracker:PROJECT" a key, "notify:NAME" in one line
 * how, to whom and with what: "telegram CHAT TOKEN" or "webhook URL SECRET".
 * A project's statuses are "Name of orchd's own=Name in the tracker" for those
 * that are renamed, its options NAME=value.
 */

/*
 * Run a daemon: descriptor 3, CHILD_START ... CHILD_GO, d_setup, the sandbox
 * of its role, HELLO, child_ready, the loop.  Returns the exit status.  Ends
 * by itself when descriptor 3 does (the parent died), at SIGTERM and at
 * hello_no.
 */
int	 daemon_run(const struct daemon_ops *, int argc, char **argv);

/* The loop, for timers and sockets of the daemon's own. */
struct event_base *daemon_base(void);

/*
 * Send to the engine.  *id, when not NULL, gets the request's correlation id.
 * -1 with errno ENOTCONN while the engine is away, else as chan_send.
 */
int	 daemon_send(unsigned int type, const void *msg, uint32_t *id);

/* Answer with the id of a request of the engine. */
int	 daemon_answer(unsigned int type, uint32_t id, const void *msg);

/* Is the engine there and has it answered HELLO? */
int	 daemon_connected(void);

/* An option that the parent handed over: its text, or dflt. */
const char *daemon_option(const char *name, const char *dflt);

/* The same as a number; dflt when absent or not a number in [min, max]. */
long long daemon_option_num(const char *name, long long min, long long max,
	    long long dflt);

/* Ask the loop to end. */
void	 daemon_stop(void);

#endif
