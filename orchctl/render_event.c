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


#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "orchctl.h"

static enum shade
state_shade(const char *state)
{
	if (strcmp(state, "told") == 0)
		return (SHADE_GOOD);
	return (strcmp(state, "kept") == 0 ? SHADE_WARN : SHADE_DIM);
}

/*
 * What it is about: of a commit its first characters, of an item whose task is
 * known that one's key before the id that its tracker has for it.
 */
static const char *
object_of(const json_t *e, char *buf, size_t len)
{
	const char *object = jstr(e, "object"), *task = jstr(e, "task");
	char about[256];

	if (task[0] != '\0') {
		(void)snprintf(buf, len, "%s (%s)", task, object);
		return (buf);
	}
	/* A branch says nothing of a repository that no project is. */
	if (object[0] != '\0' && jstr(e, "project")[0] == '\0' &&
	    jstr(e, "about")[0] != '\0') {
		(void)snprintf(buf, len, "%s (%s)", jshow(e, "about", about,
		    sizeof(about)), object);
		return (buf);
	}
	return (object[0] == '\0' ? jshow(e, "about", buf, len) :
	    human_ids(object, buf, len));
}

void
render_events(struct out *o, const json_t *doc)
{
	static const struct column cols[] = {
		{ "WHEN", 0 }, { "ID", COL_RIGHT }, { "SOURCE", 0 },
		{ "KIND", 0 }, { "STATE", 0 }, { "PROJECT", 0 },
		{ "REPLAYS", COL_RIGHT }, { "ABOUT", COL_FLEX }
	};
	struct table *t = table_new(cols, 8);
	const json_t *e;
	char buf[300];
	size_t i;

	json_array_foreach(jlist(doc, "events"), i, e) {
		table_cell(t, SHADE_DIM, human_clock(o->o_now,
		    stamp_parse(e, "at"), buf, sizeof(buf)));
		table_cell(t, SHADE_BOLD, jshow(e, "id", buf, sizeof(buf)));
		table_cell(t, SHADE_NONE, jstr(e, "source"));
		table_cell(t, SHADE_NONE, jstr(e, "kind"));
		table_cell(t, state_shade(jstr(e, "state")),
		    jstr(e, "state"));
		table_cell(t, SHADE_NONE, jshow(e, "project", buf,
		    sizeof(buf)));
		table_cell(t, SHADE_NONE, jint(e, "replays", 0) == 0 ? "-" :
		    jshow(e, "replays", buf, sizeof(buf)));
		table_cell(t, SHADE_NONE, object_of(e, buf, sizeof(buf)));
	}
	if (table_rows(t) == 0) {
		out_put(o, SHADE_NONE, "no such deliveries");
		out_nl(o);
	} else
		table_print(o, t, 0, 0);
	table_free(t);
}

static void
line(struct out *o, const json_t *e, const char *title, const char *key)
{
	char buf[300];

	out_put(o, SHADE_DIM, "%-9s ", title);
	out_put(o, SHADE_NONE, "%s", jshow(e, key, buf, sizeof(buf)));
	out_nl(o);
}

/* JSON laid out for reading; every escape of it stays to be seen. */
static void
render_body(struct out *o, const char *body)
{
	json_t *j = json_loads(body, JSON_DECODE_ANY, NULL);
	char *text = j == NULL ? NULL : json_dumps(j, JSON_INDENT(2) |
	    JSON_ENCODE_ANY | JSON_REAL_PRECISION(17));

	out_text(o, 2, text == NULL ? body : text);
	free(text);
	json_decref(j);
}

void
render_event(struct out *o, const json_t *e)
{
	const json_t *r;
	char buf[32];
	size_t i;

	line(o, e, "delivery", "delivery");
	line(o, e, "number", "id");
	line(o, e, "source", "source");
	line(o, e, "kind", "kind");
	line(o, e, "came", "at");
	line(o, e, "about", "about");
	line(o, e, "object", "object");
	if (jstr(e, "task")[0] != '\0')
		line(o, e, "task", "task");
	line(o, e, "project", "project");
	line(o, e, "state", "state");
	line(o, e, "sha256", "sha256");
	json_array_foreach(jlist(e, "replayed"), i, r) {
		out_put(o, SHADE_DIM, "%-9s ", "replayed");
		out_put(o, SHADE_NONE, "%s by %s: %s", human_clock(o->o_now,
		    stamp_parse(r, "at"), buf, sizeof(buf)),
		    jstr(r, "actor"), jstr(r, "state"));
		out_nl(o);
	}
	out_put(o, SHADE_DIM, "body, %s bytes", jshow(e, "bytes", buf,
	    sizeof(buf)));
	out_nl(o);
	render_body(o, jstr(e, "body"));
}
