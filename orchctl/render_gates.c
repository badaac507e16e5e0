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
#include <string.h>

#include "orchctl.h"

static enum shade
verdict_shade(const char *verdict)
{
	if (strcmp(verdict, "pass") == 0)
		return (SHADE_GOOD);
	if (strcmp(verdict, "wait") == 0)
		return (SHADE_WARN);
	return (SHADE_BAD);
}

void
render_gates(struct out *o, const json_t *doc)
{
	static const struct column cols[] = {
		{ "WHEN", 0 }, { "GATE", 0 }, { "VERDICT", 0 },
		{ "COMMIT", 0 }, { "TREE", 0 }, { "TOOK", COL_RIGHT },
		{ "RUN", COL_RIGHT }, { "REASON", COL_FLEX | COL_WRAP }
	};
	struct table *t = table_new(cols, 8);
	const json_t *g;
	char buf[32];
	size_t i;

	json_array_foreach(jlist(doc, "gates"), i, g) {
		human_clock(o->o_now, stamp_parse(g, "at"), buf, sizeof(buf));
		table_cell(t, SHADE_DIM, buf);
		table_cell(t, SHADE_NONE, jstr(g, "gate"));
		table_cell(t, verdict_shade(jstr(g, "verdict")),
		    jstr(g, "verdict"));
		table_cell(t, SHADE_NONE, short_id(jstr(g, "commit")));
		table_cell(t, SHADE_NONE, short_id(jstr(g, "tree")));
		table_cell(t, SHADE_NONE, jint(g, "duration_ms", -1) < 0 ?
		    NULL : human_ms(jint(g, "duration_ms", 0), buf,
		    sizeof(buf)));
		table_cell(t, SHADE_NONE, jshow(g, "run", buf, sizeof(buf)));
		table_cell(t, SHADE_NONE, jstr(g, "reason"));
	}
	if (table_rows(t) == 0) {
		out_put(o, SHADE_NONE, "no gate results yet");
		out_nl(o);
	} else
		table_print(o, t, 0, 0);
	table_free(t);
}
