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

#ifndef ORCHCTL_WATCH_H
#define ORCHCTL_WATCH_H

#include <termios.h>

#include "libcommon/monotime.h"

#include "orchctl.h"

/* The live view: what it looks at (watch.c) and where it draws (screen.c). */
struct watch {
	struct ctx	*w_ctx;
	const char *const *w_ids;
	int		 w_until;	/* -x: end when all are terminal */
	struct changes	*w_changes;	/* the tasks that are watched */
	json_t		*w_status;	/* the last document, or NULL */
	struct out	 w_events;	/* lines of this look */
	struct monotime	 w_away;	/* since then nobody answers */
	int		 w_live;	/* drawn in place */
	int		 w_raw;		/* terminal modes are changed */
	struct termios	 w_modes;
	size_t		 w_lines;	/* of the picture on the screen */
};

/* A line that says how a task moved: a row of its history. */
void	 watch_put_move(struct out *, const json_t *task, const json_t *row);

/* screen.c */

/* Prepare the terminal and the signals. */
void	 screen_start(struct watch *);
void	 screen_end(struct watch *);
/*
 * Print lines of events, which stay, and below them, on a terminal, the
 * picture, which the next call draws over.
 */
void	 screen_draw(struct watch *, const char *events, size_t len);
/* Wait for the next look: 1 when the person has seen enough. */
int	 screen_wait(struct watch *);
/* The picture itself. */
void	 screen_picture(struct out *, const struct watch *);
/* A stage's place in the pipeline, as marks: 4 done of 8. */
void	 stage_marks(const struct out *, const json_t *task, char *buf,
	    size_t len);

#endif
