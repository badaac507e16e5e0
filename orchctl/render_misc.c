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
#include <string.h>

#include "orchctl.h"

static void
merge_leases(struct out *o, const json_t *doc)
{
	static const struct column cols[] = {
		{ "PROJECT", 0 }, { "TASK", 0 }, { "BRANCH", COL_FLEX },
		{ "SINCE", COL_RIGHT }, { "OWNER", COL_FLEX }
	};
	const json_t *list = jlist(doc, "merge"), *l;
	struct table *t;
	char buf[32];
	size_t i;

	if (json_array_size(list) == 0)
		return;
	out_nl(o);
	out_put(o, SHADE_BOLD, "merge lanes");
	out_nl(o);
	t = table_new(cols, 5);
	json_array_foreach(list, i, l) {
		table_cell(t, SHADE_NONE, jstr(l, "project"));
		table_cell(t, SHADE_BOLD, jstr(l, "task"));
		table_cell(t, SHADE_NONE, jstr(l, "branch"));
		table_cell(t, SHADE_NONE, human_since(o->o_now, l, "since",
		    buf, sizeof(buf)));
		table_cell(t, SHADE_NONE, jstr(l, "owner"));
	}
	table_print(o, t, 0, 0);
	table_free(t);
}

void
render_leases(struct out *o, const json_t *doc)
{
	static const struct column cols[] = {
		{ "TASK", 0 }, { "EPOCH", COL_RIGHT }, { "SINCE", COL_RIGHT },
		{ "GATE", 0 }, { "OWNER", COL_FLEX }
	};
	struct table *t = table_new(cols, 5);
	const json_t *l;
	char buf[32];
	size_t i;

	json_array_foreach(jlist(doc, "held"), i, l) {
		table_cell(t, SHADE_BOLD, jstr(l, "task"));
		table_cell(t, SHADE_NONE, jshow(l, "epoch", buf,
		    sizeof(buf)));
		table_cell(t, SHADE_NONE, human_since(o->o_now, l, "since",
		    buf, sizeof(buf)));
		table_cell(t, SHADE_NONE, jstr(l, "gate"));
		table_cell(t, SHADE_NONE, jstr(l, "owner"));
	}
	if (table_rows(t) == 0) {
		out_put(o, SHADE_NONE, "nobody holds a transition lease");
		out_nl(o);
	} else
		table_print(o, t, 0, 0);
	table_free(t);
	merge_leases(o, doc);
}

/* The class of R-15, which the engine sends as its number. */
static const char *
effect_class(const json_t *e, char *buf, size_t len)
{
	static const char *const names[] = {
		[CLASS_CAS] = "CAS", [CLASS_KEYED] = "KEYED",
		[CLASS_PROBE] = "PROBE-ONLY", [CLASS_BLIND] = "BLIND"
	};
	int64_t n = jint(e, "class", -1);

	if (n < CLASS_CAS || n > CLASS_BLIND)
		return (jshow(e, "class", buf, len));
	return (names[n]);
}

static void
effect_row(struct out *o, struct table *t, const json_t *e)
{
	const char *state = jstr(e, "state");
	char buf[32];

	human_clock(o->o_now, stamp_parse(e, "at"), buf, sizeof(buf));
	table_cell(t, SHADE_DIM, buf);
	table_cell(t, SHADE_NONE, jshow(e, "id", buf, sizeof(buf)));
	table_cell(t, SHADE_BOLD, jstr(e, "name"));
	table_cell(t, strcmp(state, "done") == 0 ? SHADE_GOOD :
	    strcmp(state, "intent") == 0 ? SHADE_WARN : SHADE_BAD, state);
	table_cell(t, SHADE_NONE, effect_class(e, buf, sizeof(buf)));
	table_cell(t, SHADE_NONE, jshow(e, "epoch", buf, sizeof(buf)));
	table_cell(t, SHADE_NONE, jstr(e, "key"));
	table_cell(t, SHADE_NONE, jstr(e, "evidence"));
}

void
render_effects(struct out *o, const json_t *doc)
{
	static const struct column cols[] = {
		{ "WHEN", 0 }, { "ID", COL_RIGHT }, { "EFFECT", 0 },
		{ "STATE", 0 }, { "CLASS", 0 }, { "EPOCH", COL_RIGHT },
		{ "KEY", COL_FLEX }, { "EVIDENCE", COL_FLEX | COL_WRAP }
	};
	struct table *t = table_new(cols, 8);
	const json_t *list = json_is_array(doc) ? doc : jlist(doc, "effects");
	const json_t *e;
	size_t i;

	if (list == NULL && json_object_get(doc, "state") != NULL)
		effect_row(o, t, doc);
	json_array_foreach(list, i, e)
		effect_row(o, t, e);
	if (table_rows(t) == 0) {
		out_put(o, SHADE_NONE, "no effects on record");
		out_nl(o);
	} else
		table_print(o, t, 0, 0);
	table_free(t);
}

void
render_alerts(struct out *o, const json_t *doc)
{
	static const struct column cols[] = {
		{ "SINCE", COL_RIGHT }, { "ALERT", 0 }, { "SUBJECT", 0 },
		{ "TIMES", COL_RIGHT }, { "WHAT", COL_FLEX | COL_WRAP }
	};
	struct table *t = table_new(cols, 5);
	const json_t *a;
	char buf[32];
	size_t i;

	json_array_foreach(jlist(doc, "alerts"), i, a) {
		table_cell(t, SHADE_NONE, human_since(o->o_now, a, "since",
		    buf, sizeof(buf)));
		table_cell(t, SHADE_BAD, jstr(a, "kind"));
		table_cell(t, SHADE_BOLD, jstr(a, "subject"));
		table_cell(t, SHADE_NONE, jshow(a, "count", buf,
		    sizeof(buf)));
		table_cell(t, SHADE_NONE, jstr(a, "text"));
	}
	if (table_rows(t) == 0) {
		out_put(o, SHADE_NONE, "no alerts");
		out_nl(o);
	} else
		table_print(o, t, 0, 0);
	table_free(t);
}

void
render_check(struct out *o, const json_t *doc)
{
	const json_t *p;
	char buf[64];
	size_t i;

	json_array_foreach(jlist(doc, "problems"), i, p) {
		out_wrap(o, SHADE_BAD, 2, json_is_string(p) ?
		    json_string_value(p) : *jstr(p, "text") != '\0' ?
		    jstr(p, "text") : jshow(p, "kind", buf, sizeof(buf)));
	}
	out_put(o, jbool(doc, "ok") ? SHADE_GOOD : SHADE_BAD,
	    jbool(doc, "ok") ? "the database and every invariant on it are in "
	    "order" : "%zu problems found. Keep a copy of the state folder "
	    "before you change anything", json_array_size(jlist(doc,
	    "problems")));
	out_nl(o);
}
