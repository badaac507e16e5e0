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

#ifndef ORCHD_PEER_H
#define ORCHD_PEER_H

/* Who is connected to the engine, and what each may say. */

#include <stdint.h>

#include "libcommon/chan.h"
#include "libcommon/ident.h"

struct peer {
	struct peer	*p_next;
	uint32_t	 p_id;		/* never used again */
	struct chan	*p_chan;
	enum orch_role	 p_role;	/* expected: set by how it came */
	int		 p_hello;	/* HELLO was taken */
	unsigned int	 p_ticks;	/* seconds without HELLO */
	uint32_t	 p_generation;
	uint32_t	 p_reloads;	/* there had been, when it came */
	uint64_t	 p_run;
	struct ident	 p_ident;
	char		 p_user[32];	/* of a control connection */
};

/* The channel of a peer id; 0 is the parent.  NULL when it is gone. */
struct chan	*peer_chan(uint32_t id);

/* The connection of a run, or NULL. */
struct peer	*peer_of_run(uint64_t run);

/* The connection of a daemon's role, or NULL. */
struct peer	*peer_of_role(enum orch_role);

/* A connection accepted on engine.sock (runs) or control.sock (people). */
void	 peer_accept(int sock, int control);

/* The engine's end of a daemon's connection, from the parent. */
void	 peer_daemon(int sock, enum orch_role, uint32_t generation);

/* End a peer's connection, when it is still there. */
void	 peer_drop(uint32_t id, const char *why);

/* Every second: who connects says HELLO soon, or goes. */
void	 peers_tick(void);

/* Number of connected peers of a role. */
unsigned int peer_count(enum orch_role);

/* Tell a run to end gracefully; 0 when it is not connected. */
int	 peer_stop_run(uint64_t run, const char *reason);

/*
 * A handler: what a message of a peer does, inside the pass.  -1 takes back
 * what it did and answers RES_RETRY.
 */
typedef int (*peer_handler)(struct peer *, uint32_t id,
    const union orch_any *, int *fd);

/* A row of the table that says who may send what (peer_rules.c). */
struct peer_rule {
	unsigned int	 pr_type;
	uint32_t	 pr_from;	/* narrower than the catalogue's */
	peer_handler	 pr_handler;
};
extern const struct peer_rule peer_rules[];
extern const size_t peer_nrules;

#endif
