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

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "orchctl.h"

int
same_task(const char *id, const char *word)
{
	const char *dash = strrchr(id, '-');

	if (strcasecmp(id, word) == 0)
		return (1);
	return (*word != '\0' && dash != NULL &&
	    strspn(word, "0123456789") == strlen(word) &&
	    strcmp(dash + 1, word) == 0);
}

int
stage_terminal(const char *stage)
{
	return (strcmp(stage, "done") == 0 || strcmp(stage, "cancelled") == 0);
}

const char *
status_what(const json_t *task)
{
	const char *id = jstr(task, "id"), *why = jstr(task, "why");
	size_t n = strlen(id);

	if (n > 0 && strncmp(why, id, n) == 0) {
		why += n;
		why += strspn(why, ": ");
	}
	if (*why == '\0' && jbool(task, "parked"))
		return ("is parked");
	return (why);
}

enum shade
status_shade(const json_t *task)
{
	const char *waits = jstr(task, "waits"), *stage = jstr(task, "stage");

	if (strcmp(stage, "done") == 0)
		return (SHADE_GOOD);
	if (strcmp(stage, "cancelled") == 0)
		return (SHADE_DIM);
	if (jbool(task, "parked") || strcmp(waits, "parked") == 0)
		return (SHADE_BAD);
	if (strcmp(waits, "person") == 0)
		return (SHADE_WARN);
	return (SHADE_NONE);
}

static void
task_age(const struct out *o, const json_t *task, char *buf, size_t len)
{
	int64_t age = jint(task, "age_s", -1);

	if (age >= 0)
		human_span(age, buf, len);
	else
		human_since(o->o_now, task, "since", buf, len);
}

/* Gauges that are there; an engine may leave some out. */
static void
gauge(struct out *o, const json_t *totals, const char *key, const char *name,
    enum shade shade)
{
	int64_t n = jint(totals, key, -1);

	if (n >= 0)
		out_put(o, n > 0 ? shade : SHADE_NONE, "   %s %" PRId64,
		    name, n);
}

void
render_totals(struct out *o, const json_t *doc)
{
	const json_t *t = json_object_get(doc, "totals");

	if (!json_is_object(t))
		return;
	out_put(o, SHADE_NONE, "agents %" PRId64, jint(t, "agents_running",
	    0));
	if (jint(t, "agents_max", -1) >= 0)
		out_put(o, SHADE_NONE, " of %" PRId64,
		    jint(t, "agents_max", 0));
	out_put(o, SHADE_NONE, "   queue %" PRId64 " ready",
	    jint(t, "queue_ready", 0));
	if (jint(t, "queue_later", 0) > 0)
		out_put(o, SHADE_NONE, ", %" PRId64 " later",
		    jint(t, "queue_later", 0));
	gauge(o, t, "leases", "leases", SHADE_NONE);
	gauge(o, t, "outbox", "outbox", SHADE_NONE);
	gauge(o, t, "alerts", "alerts", SHADE_BAD);
	out_nl(o);
}

void
render_status(struct out *o, const json_t *doc)
{
	static const struct column cols[] = {
		{ "TASK", 0 }, { "STAGE", 0 }, { "AGE", COL_RIGHT },
		{ "TITLE", COL_FLEX }, { "WHAT", COL_FLEX | COL_WRAP }
	};
	struct table *t = table_new(cols, 5);
	const json_t *task;
	char buf[32];
	size_t i;

	json_array_foreach(jlist(doc, "tasks"), i, task) {
		enum shade shade = status_shade(task);

		task_age(o, task, buf, sizeof(buf));
		table_cell(t, SHADE_BOLD, jstr(task, "id"));
		table_cell(t, SHADE_NONE, jstr(task, "stage"));
		table_cell(t, SHADE_NONE, buf);
		table_cell(t, SHADE_DIM, jstr(task, "title"));
		table_cell(t, shade, status_what(task));
	}
	if (table_rows(t) == 0) {
		out_put(o, SHADE_NONE, "no tasks");
		out_nl(o);
	} else
		table_print(o, t, 0, 0);
	table_free(t);
	out_nl(o);
	render_totals(o, doc);
}

void
render_why(struct out *o, const json_t *doc)
{
	const char *why = jstr(doc, "why");

	if (*why == '\0') {
		out_put(o, SHADE_NONE, "%s waits for nothing that orchd "
		    "knows of", jstr(doc, "id"));
		out_nl(o);
		return;
	}
	out_wrap(o, SHADE_NONE, 0, why);
}
