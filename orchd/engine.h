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

#ifndef ORCHD_ENGINE_H
#define ORCHD_ENGINE_H

/* The engine: what its modules share. */

#include <stdint.h>
#include <stdio.h>

#include <event2/event.h>

#include "libcommon/chan.h"
#include "libcommon/ident.h"
#include "conf.h"
#include "store.h"

struct engine {
	struct event_base	*e_base;
	struct store		*e_store;
	struct conf		*e_conf;
	uint32_t		 e_reloads;	/* of e_conf */
	struct chan		*e_parent;
	const struct ident_world *e_world;
	int64_t			(*e_clock)(void);	/* ms since 1970 */
	int			 e_quiescing;	/* shutdown: start nothing */
	int64_t			 e_started_at;
};

extern struct engine eng;

/* Milliseconds since 1970, by the engine's clock. */
int64_t	 eng_now(void);

/* The project of a task; NULL when the configuration has it no more. */
const struct conf_project *eng_project(const char *name);

/*
 * What the engine does by itself: look at runs that are not connected, drive
 * the tasks that are due (with all, every open one), serve the queue.  Each
 * item stands alone.  -1: nothing could be stored.
 */
int	 engine_look(int all);

/* `orchd -E`: serve until descriptor 3 ends.  The exit status. */
int	 engine_main(int debug);

/* `orchd -C FILE`: check any database.  0 sound, 1 problems (on out). */
int	 engine_check_database(const char *path, FILE *out);

#endif
