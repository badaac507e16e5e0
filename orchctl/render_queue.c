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

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "orchctl.h"

#define BLOCK	18		/* columns of a block's name */

static void
job_row(struct table *t, const json_t *job)
{
	const char *who = jwho(job);
	char buf[32];

	table_cell(t, SHADE_NONE, jshow(job, "id", buf, sizeof(buf)));
	table_cell(t, SHADE_BOLD, jstr(job, "task"));
	table_cellf(t, SHADE_NONE, "%s%s%s", jstr(job, "kind"),
	    *who == '\0' ? "" : " ", who);
	table_cell(t, strcmp(jstr(job, "status"), "running") == 0 ?
	    SHADE_GOOD : SHADE_NONE, jstr(job, "status"));
	table_cell(t, SHADE_NONE, jshow(job, "attempt", buf, sizeof(buf)));
	table_cell(t, SHADE_NONE, jint(job, "age_s", -1) < 0 ? NULL :
	    human_span(jint(job, "age_s", 0), buf, sizeof(buf)));
	table_cell(t, SHADE_NONE, jint(job, "available_in_s", 0) <= 0 ? "now" :
	    human_span(jint(job, "available_in_s", 0), buf, sizeof(buf)));
}

void
render_jobs(struct out *o, const json_t *doc)
{
	static const struct column cols[] = {
		{ "JOB", COL_RIGHT }, { "TASK", 0 }, { "WHAT", 0 },
		{ "STATUS", 0 }, { "TRY", COL_RIGHT }, { "AGE", COL_RIGHT },
		{ "DUE IN", COL_RIGHT }
	};
	struct table *t = table_new(cols, 7);
	const json_t *job;
	size_t i;

	json_array_foreach(jlist(doc, "jobs"), i, job)
		job_row(t, job);
	if (table_rows(t) == 0) {
		out_put(o, SHADE_NONE, "no jobs run or wait");
		out_nl(o);
	} else
		table_print(o, t, 0, 0);
	table_free(t);
}

/* What ended last. */
static void
render_recent(struct out *o, const json_t *doc)
{
	static const struct column cols[] = {
		{ "ENDED", 0 }, { "JOB", COL_RIGHT }, { "TASK", 0 },
		{ "WHAT", 0 }, { "STATUS", 0 },
		{ "REASON", COL_FLEX | COL_WRAP }
	};
	struct table *t = table_new(cols, 6);
	const json_t *job;
	const char *who;
	char buf[32];
	size_t i;

	json_array_foreach(jlist(doc, "recent"), i, job) {
		human_clock(o->o_now, stamp_parse(job, "ended"), buf,
		    sizeof(buf));
		table_cell(t, SHADE_DIM, buf);
		table_cell(t, SHADE_NONE, jshow(job, "id", buf, sizeof(buf)));
		table_cell(t, SHADE_BOLD, jstr(job, "task"));
		who = jwho(job);
		table_cellf(t, SHADE_NONE, "%s%s%s", jstr(job, "kind"),
		    *who == '\0' ? "" : " ", who);
		table_cell(t, strcmp(jstr(job, "status"), "failed") == 0 ?
		    SHADE_BAD : SHADE_NONE, jstr(job, "status"));
		table_cell(t, SHADE_NONE, jstr(job, "reason"));
	}
	if (table_rows(t) > 0) {
		out_nl(o);
		table_print(o, t, 0, 0);
	}
	table_free(t);
}

/* One number of a block; those of times end in _ts and are 0 for never. */
static const char *
block_value(const struct out *o, const json_t *block, const char *key,
    char *buf, size_t len)
{
	size_t n = strlen(key);

	if (n < 3 || strcmp(key + n - 3, "_ts") != 0)
		return (jshow(block, key, buf, len));
	if (jint(block, key, 0) == 0)
		return ("never");
	return (human_clock(o->o_now, stamp_parse(block, key), buf, len));
}

/* One counter where the line is at *col, or on the next line. */
static void
put_counter(struct out *o, size_t *col, const char *key, const char *value)
{
	size_t w = strlen(key) + 1 + text_width(value);

	if (*col > BLOCK && o->o_width > 0 &&
	    *col + 2 + w >= (size_t)o->o_width) {
		out_nl(o);
		out_put(o, SHADE_NONE, "%*s", BLOCK, "");
		*col = BLOCK;
	}
	out_put(o, SHADE_NONE, "%s%s %s", *col > BLOCK ? "  " : "", key,
	    value);
	*col += w + (*col > BLOCK ? 2 : 0);
}

/* Counters of a block; its lists are counted, its objects left out. */
static void
put_block(struct out *o, const char *name, json_t *block)
{
	size_t col = BLOCK;
	const char *key;
	char buf[64];
	json_t *v;

	out_put(o, SHADE_BOLD, "%-16s  ", name);
	if (json_is_false(json_object_get(block, "enabled"))) {
		out_put(o, SHADE_DIM, "off");
		col += 3;
	}
	json_object_foreach(block, key, v) {
		if (json_is_object(v) || json_is_null(v) ||
		    strcmp(key, "enabled") == 0)
			continue;
		put_counter(o, &col, key, block_value(o, block, key, buf,
		    sizeof(buf)));
	}
	out_nl(o);
}

/* Who has not taken a message yet, or will not, and why. */
static void
render_destinations(struct out *o, const json_t *doc)
{
	static const struct column cols[] = {
		{ "MESSAGES TO", 0 }, { "DUE", COL_RIGHT },
		{ "PARKED", COL_RIGHT }, { "OLDEST", COL_RIGHT },
		{ "LAST FAILURE", COL_FLEX | COL_WRAP }
	};
	const json_t *d, *block = json_object_get(doc, "outbox");
	struct table *t = table_new(cols, 5);
	char buf[32];
	size_t i;

	json_array_foreach(jlist(block, "destinations"), i, d) {
		table_cell(t, SHADE_BOLD, jstr(d, "dest"));
		table_cell(t, SHADE_NONE, jshow(d, "pending", buf,
		    sizeof(buf)));
		table_cell(t, jint(d, "parked", 0) > 0 ? SHADE_BAD :
		    SHADE_NONE, jshow(d, "parked", buf, sizeof(buf)));
		table_cell(t, SHADE_NONE, human_span(jint(d, "oldest_age_s",
		    0), buf, sizeof(buf)));
		table_cell(t, SHADE_NONE, jstr(d, "error"));
	}
	if (table_rows(t) > 0) {
		out_nl(o);
		table_print(o, t, 0, 0);
	}
	table_free(t);
}

void
render_queue(struct out *o, const json_t *doc)
{
	const char *key;
	json_t *all, *v;

	render_jobs(o, doc);
	render_recent(o, doc);
	render_destinations(o, doc);
	out_nl(o);
	/* jansson walks only what it may change: walk a copy. */
	all = json_deep_copy(doc);
	json_object_foreach(all, key, v)
		if (json_is_object(v))
			put_block(o, key, v);
	json_decref(all);
}
