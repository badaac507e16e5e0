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
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "orchctl.h"
#include "watch.h"

#define LOOK_NS		500000000L	/* between two looks */

static volatile sig_atomic_t got_end, got_resize;

static void
on_end(int sig)
{
	got_end = 1;
}

static void
on_resize(int sig)
{
	got_resize = 1;
}

static const char *const stages[] = { "created", "analysis", "architecture",
	"development", "review", "testing", "deploy-staging", "deploy",
	"done" };

#define NSTAGES	(sizeof(stages) / sizeof(stages[0]))

void
stage_marks(const struct out *o, const json_t *task, char *buf, size_t len)
{
	const char *stage = jstr(task, "stage"), *mark;
	const char *const wide[] = { "●", "◐", "○" };
	const char *const plain[] = { "#", ">", "." };
	const char *const *set = o->o_utf8 ? wide : plain;
	size_t i, at = NSTAGES, off = 0;
	int n;

	for (i = 0; i < NSTAGES; i++)
		if (strcmp(stage, stages[i]) == 0)
			at = i;
	buf[0] = '\0';
	if (at == NSTAGES)		/* cancelled, or of a newer orchd */
		return;
	for (i = 1; i < NSTAGES && off < len; i++) {
		mark = i < at || at == NSTAGES - 1 ? set[0] :
		    i == at ? set[1] : set[2];
		n = snprintf(buf + off, len - off, "%s", mark);
		if (n < 0)
			return;
		off += (size_t)n;
	}
}

void
screen_picture(struct out *o, const struct watch *w)
{
	static const struct column cols[] = {
		{ "TASK", 0 }, { "", 0 }, { "STAGE", 0 }, { "AGE", COL_RIGHT },
		{ "TITLE", COL_FLEX }, { "WHAT", COL_FLEX }
	};
	struct table *t = table_new(cols, 6);
	const json_t *task;
	char buf[64];
	size_t i, most;

	for (i = 0; (task = changes_task(w->w_changes, i)) != NULL; i++) {
		table_cell(t, SHADE_BOLD, jstr(task, "id"));
		stage_marks(o, task, buf, sizeof(buf));
		table_cell(t, SHADE_NONE, *buf == '\0' ? " " : buf);
		table_cell(t, SHADE_NONE, jstr(task, "stage"));
		table_cell(t, SHADE_NONE, jint(task, "age_s", -1) < 0 ? NULL :
		    human_span(jint(task, "age_s", 0), buf, sizeof(buf)));
		table_cell(t, SHADE_DIM, jstr(task, "title"));
		table_cell(t, status_shade(task), status_what(task));
	}
	/* A blank line, heading, "and more", blank, totals, last line. */
	most = o->o_height > 8 ? (size_t)o->o_height - 6 : 2;
	out_nl(o);
	if (table_rows(t) == 0) {
		out_put(o, SHADE_DIM, "no task is on its way");
		out_nl(o);
	} else
		table_print(o, t, 0, most);
	table_free(t);
	out_nl(o);
	if (w->w_away.mt_ns != 0) {
		out_put(o, SHADE_WARN, "orchd does not answer, trying again");
		out_nl(o);
	} else
		render_totals(o, w->w_status);
}

void
screen_start(struct watch *w)
{
	struct sigaction sa = { .sa_handler = on_end };
	struct termios raw;
	sigset_t mask;

	w->w_live = w->w_ctx->c_out.o_tty && !w->w_ctx->c_json;
	got_end = got_resize = 0;
	/* Signals come in during the wait only, so that none is missed. */
	sigemptyset(&mask);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGHUP);
	sigaddset(&mask, SIGWINCH);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
	sa.sa_handler = on_resize;
	sigaction(SIGWINCH, &sa, NULL);
	/* In the background a change of modes would stop us. */
	if (!w->w_live || tcgetpgrp(STDIN_FILENO) != getpgrp() ||
	    tcgetattr(STDIN_FILENO, &w->w_modes) == -1)
		return;
	raw = w->w_modes;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_cc[VMIN] = 0;
	raw.c_cc[VTIME] = 0;
	w->w_raw = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

void
screen_end(struct watch *w)
{
	sigset_t none;

	if (w->w_raw)
		tcsetattr(STDIN_FILENO, TCSANOW, &w->w_modes);
	w->w_raw = 0;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static size_t
count_lines(const char *s)
{
	size_t n = 0;

	for (; (s = strchr(s, '\n')) != NULL; s++)
		n++;
	return (n);
}

/* The picture as text, drawn without wrapping, so that its height is known. */
static void
draw_picture(struct watch *w)
{
	struct out o = w->w_ctx->c_out;
	char *text = NULL;
	size_t len = 0;

	if ((o.o_fp = open_memstream(&text, &len)) == NULL)
		return;
	screen_picture(&o, w);
	fclose(o.o_fp);
	fputs("\033[?7l", w->w_ctx->c_out.o_fp);
	fwrite(text, 1, len, w->w_ctx->c_out.o_fp);
	fputs("\033[?7h", w->w_ctx->c_out.o_fp);
	w->w_lines = count_lines(text);
	free(text);
}

void
screen_draw(struct watch *w, const char *events, size_t len)
{
	FILE *fp = w->w_ctx->c_out.o_fp;

	if (w->w_ctx->c_json) {
		fflush(fp);
		return;
	}
	if (w->w_live && w->w_lines > 0)
		fprintf(fp, "\033[%zuA\r\033[J", w->w_lines);
	fwrite(events, 1, len, fp);
	w->w_lines = 0;
	if (w->w_live && w->w_status != NULL)
		draw_picture(w);
	fflush(fp);
}

/* After a change of size the old picture's height is not known any more. */
static void
resize(struct watch *w)
{
	got_resize = 0;
	out_resize(&w->w_ctx->c_out);
	if (w->w_live) {
		fputs("\033[H\033[2J", w->w_ctx->c_out.o_fp);
		w->w_lines = 0;
	}
}

int
screen_wait(struct watch *w)
{
	struct timespec limit = { .tv_nsec = LOOK_NS };
	struct pollfd pfd = { .fd = w->w_raw ? STDIN_FILENO : -1,
	    .events = POLLIN };
	sigset_t open;
	char key;

	sigemptyset(&open);
	if (ppoll(&pfd, 1, &limit, &open) > 0) {
		if (read(STDIN_FILENO, &key, 1) != 1 || key == 'q' ||
		    key == 'Q')
			return (1);
	}
	if (got_resize)
		resize(w);
	return (got_end);
}
