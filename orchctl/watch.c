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
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "libcommon/monotime.h"

#include "orchctl.h"
#include "watch.h"

#define AWAY_MS		60000		/* how long orchd may be away */
#define ANSWER_MS	5000

static const char *const no_ids[] = { NULL };

/* One document of the engine, quietly: the view tells what went wrong. */
static enum ctl_exit
fetch(struct watch *w, const char *verb, const char *object,
    const char *const *args, json_t **doc, struct answer *keep)
{
	struct client *cl = &w->w_ctx->c_client;
	struct answer a;
	enum ctl_exit res;

	*doc = NULL;
	if (cl->cl_fd == -1 &&
	    (res = client_open(cl, w->w_ctx->c_socket)) != CTL_OK)
		return (res);
	if ((res = client_query(cl, verb, object, args, &a)) != CTL_OK)
		return (res);
	if (a.a_result != RES_OK) {
		complain("%s", a.a_text);
		res = CTL_REFUSED;
	} else if ((*doc = ask_parse(&a, verb)) == NULL)
		res = CTL_REFUSED;
	if (keep != NULL && res == CTL_OK)
		*keep = a;
	else
		answer_free(&a);
	return (res);
}

/* What happened: "DEMO-1  review -> development (round 1)  the reason". */
void
watch_put_move(struct out *o, const json_t *task, const json_t *row)
{
	const char *from = jstr(row, "from"), *to = jstr(row, "to");
	const char *reason = jstr(row, "reason"), *id = jstr(task, "id");
	enum shade shade = SHADE_NONE;
	char round[32] = "";
	size_t col;

	if (strcmp(to, "done") == 0)
		shade = SHADE_GOOD;
	else if (strcmp(to, "cancelled") == 0 ||
	    (strcmp(to, "development") == 0 &&
	    strcmp(from, "architecture") != 0))
		shade = SHADE_WARN;
	if (shade == SHADE_WARN && strcmp(to, "development") == 0 &&
	    jint(task, "round", 0) > 0)
		snprintf(round, sizeof(round), " (round %lld)",
		    (long long)jint(task, "round", 0));
	out_put(o, SHADE_BOLD, "%s", id);
	out_put(o, SHADE_NONE, "  %s %s ", from, out_arrow(o));
	out_put(o, shade, "%s", to);
	out_put(o, SHADE_NONE, "%s%s", round, *reason == '\0' ? "" : "  ");
	col = text_width(id) + text_width(from) + text_width(out_arrow(o)) +
	    text_width(to) + strlen(round) + 6;
	out_wrap(o, SHADE_NONE, col, reason);
}

static void
put_first(struct out *o, const json_t *task)
{
	out_put(o, SHADE_BOLD, "%s", jstr(task, "id"));
	out_put(o, SHADE_NONE, "  %s", jstr(task, "title"));
	out_put(o, SHADE_DIM, "  %s", jstr(task, "stage"));
	out_nl(o);
}

static void
on_moved(const json_t *task, size_t *rows, void *arg)
{
	struct watch *w = arg;
	const json_t *list, *row;
	json_t *doc;
	size_t i;

	if (*rows == SIZE_MAX)
		put_first(&w->w_events, task);
	if (fetch(w, "history", jstr(task, "id"), NULL, &doc, NULL) !=
	    CTL_OK) {
		/* The way there comes with the next move, if there is one. */
		out_put(&w->w_events, SHADE_BOLD, "%s", jstr(task, "id"));
		out_put(&w->w_events, SHADE_NONE, "  %s %s", out_arrow(
		    &w->w_events), jstr(task, "stage"));
		out_nl(&w->w_events);
		return;
	}
	list = jlist(doc, "history");
	if (*rows != SIZE_MAX)
		json_array_foreach(list, i, row)
			if (i >= *rows)
				watch_put_move(&w->w_events, task, row);
	*rows = json_array_size(list);
	json_decref(doc);
}

/* What makes a person act is told; who runs is in the table. */
static void
on_waits(const json_t *task, void *arg)
{
	struct watch *w = arg;
	const char *waits = jstr(task, "waits");

	if (!jbool(task, "parked") && (strcmp(waits, "run") == 0 ||
	    strcmp(waits, "capacity") == 0))
		return;
	out_put(&w->w_events, SHADE_BOLD, "%s  ", jstr(task, "id"));
	out_wrap(&w->w_events, status_shade(task),
	    text_width(jstr(task, "id")) + 2, status_what(task));
}

/* Nobody answers: go on for a while, an engine may be on its way. */
static enum ctl_exit
on_away(struct watch *w, enum ctl_exit res)
{
	struct monotime now = monotime_now();

	if (res == CTL_REFUSED || w->w_status == NULL ||
	    (w->w_away.mt_ns != 0 &&
	    monotime_sub_ms(now, w->w_away) > AWAY_MS)) {
		if (*w->w_ctx->c_client.cl_err != '\0')
			complain("%s", w->w_ctx->c_client.cl_err);
		return (res);
	}
	if (w->w_away.mt_ns == 0) {
		w->w_away = now;
		out_put(&w->w_events, SHADE_WARN,
		    "orchd does not answer, trying again");
		out_nl(&w->w_events);
	}
	return (CTL_OK);
}

/* Compare one status document; with all, tasks that have ended are in it. */
static enum ctl_exit
compare(struct watch *w, int all)
{
	static const char *const args[] = { "all", NULL };
	static const struct change_ops ops = { on_moved, on_waits };
	struct answer a;
	json_t *doc;
	enum ctl_exit res;
	size_t calls;

	res = fetch(w, "status", NULL, all ? args : NULL, &doc, &a);
	if (res != CTL_OK)
		return (res);
	if (w->w_away.mt_ns != 0) {
		w->w_away.mt_ns = 0;
		out_put(&w->w_events, SHADE_GOOD, "orchd answers again");
		out_nl(&w->w_events);
	}
	calls = changes_feed(w->w_changes, doc, all, w->w_ids, &ops, w);
	if (w->w_ctx->c_json && (calls > 0 || w->w_status == NULL))
		json_write(w->w_ctx->c_out.o_fp, a.a_json, a.a_jsonlen);
	answer_free(&a);
	json_decref(w->w_status);
	w->w_status = doc;
	return (CTL_OK);
}

/*
 * Look once: what changed goes to w_events.  All tasks, which may be many,
 * are asked for only where one that is watched may have ended.
 */
static enum ctl_exit
look(struct watch *w)
{
	enum ctl_exit res;

	res = compare(w, w->w_status == NULL && w->w_ids[0] != NULL);
	if (res == CTL_OK && changes_missing(w->w_changes))
		res = compare(w, 1);
	return (res == CTL_OK ? res : on_away(w, res));
}

/* Each task that was named has to be there. */
static enum ctl_exit
check_ids(const struct watch *w)
{
	const json_t *task;
	size_t i, n;
	int found;

	for (i = 0; w->w_ids[i] != NULL; i++) {
		found = 0;
		for (n = 0; (task = changes_task(w->w_changes, n)) != NULL; n++)
			found |= same_task(jstr(task, "id"), w->w_ids[i]);
		if (!found) {
			complain("there is no task %s", w->w_ids[i]);
			return (CTL_REFUSED);
		}
	}
	return (CTL_OK);
}

/* Look, draw, wait; until the end that was asked for. */
static enum ctl_exit
watch_loop(struct watch *w)
{
	enum ctl_exit res = CTL_OK;
	int cancelled = 0, over = 0, first;
	char *text = NULL;
	size_t len = 0;
	FILE *fp;

	while (!over && res == CTL_OK) {
		if ((fp = open_memstream(&text, &len)) == NULL)
			return (CTL_REFUSED);
		w->w_events = w->w_ctx->c_out;
		w->w_events.o_fp = fp;
		w->w_events.o_now = w->w_ctx->c_out.o_now = time(NULL);
		first = w->w_status == NULL;
		res = look(w);
		if (res == CTL_OK && first)
			res = check_ids(w);
		fclose(fp);
		over = res == CTL_OK && w->w_until &&
		    w->w_away.mt_ns == 0 &&
		    changes_finished(w->w_changes, &cancelled);
		screen_draw(w, text, len);
		free(text);
		text = NULL;
		if (!over && res == CTL_OK && ferror(w->w_ctx->c_out.o_fp))
			res = CTL_REFUSED;
		if (!over && res == CTL_OK && screen_wait(w))
			break;
	}
	return (res == CTL_OK && cancelled ? CTL_REFUSED : res);
}

enum ctl_exit
cmd_watch(struct ctx *c, int argc, char **argv)
{
	struct watch w;
	enum ctl_exit res;
	int ch;

	memset(&w, 0, sizeof(w));
	w.w_ctx = c;
	/* Ctrl-C is seen between two questions: none may take long. */
	c->c_client.cl_ms = ANSWER_MS;
	while ((ch = verb_getopt(c, argc, argv, "x")) != -1) {
		if (ch != 'x')
			return (usage_verb(c->c_verb));
		w.w_until = 1;
	}
	w.w_ids = optind < argc ? (const char *const *)&argv[optind] : no_ids;
	if ((w.w_changes = changes_new()) == NULL)
		return (CTL_REFUSED);
	screen_start(&w);
	res = watch_loop(&w);
	screen_end(&w);
	changes_free(w.w_changes);
	json_decref(w.w_status);
	return (res);
}
