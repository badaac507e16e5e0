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

#ifndef ORCHD_TELLER_H
#define ORCHD_TELLER_H

/*
 * Messages to people by a command: notify ... exec.  For each such line of the
 * configuration one message at a time is handed to a runner of kind exec,
 * which takes no slot of anything else.  It is delivered when the command ends
 * with 0, and comes again later otherwise.  Who runs is kept in memory only: a
 * runner that a new engine does not know ends, and its message is due still.
 */

#include "peer.h"

/* Is this number one of such a run?  They are no rows of the table run. */
int		 teller_is(uint64_t run);

/* Every second: start what is due, end what hangs.  -1. */
int		 teller_look(void);

/* HELLO of such a run: NULL, or why it is refused. */
const char	*teller_hello(const struct peer *, const struct orch_hello *);

/* HELLO was taken: say GO (again). */
void		 teller_connected(const struct peer *);

/* RUN_DONE: delivered or not; answered by ack.  -1. */
int		 teller_done(struct peer *, uint32_t id,
		    const struct orch_run_done *);

/* Of the parent: it is started, or why not. */
void		 teller_spawned(const struct orch_spawned *);

/* Of the parent: its process has ended. */
void		 teller_exited(uint64_t run);

/* How many there are; the shutdown waits for them. */
unsigned int	 teller_count(void);

/* The shutdown: ask all to end; their messages stay due. */
void		 teller_stop(void);

#endif
