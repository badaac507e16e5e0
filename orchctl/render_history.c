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

#include "orchctl.h"

void
render_history(struct out *o, const json_t *list, size_t indent)
{
	static const struct column cols[] = {
		{ "WHEN", 0 }, { "MOVE", 0 }, { "EPOCH", COL_RIGHT },
		{ "BY", COL_FLEX }, { "REASON", COL_FLEX | COL_WRAP }
	};
	struct table *t = table_new(cols, 5);
	const json_t *row;
	const char *from;
	char buf[32];
	size_t i;

	json_array_foreach(list, i, row) {
		human_clock(o->o_now, stamp_parse(row, "at"), buf,
		    sizeof(buf));
		from = jstr(row, "from");
		table_cell(t, SHADE_DIM, buf);
		table_cellf(t, SHADE_BOLD, "%s%s%s %s", from,
		    *from == '\0' ? "" : " ", out_arrow(o), jstr(row, "to"));
		table_cell(t, SHADE_NONE, jshow(row, "epoch", buf,
		    sizeof(buf)));
		table_cell(t, SHADE_NONE, jstr(row, "actor"));
		table_cell(t, SHADE_NONE, jstr(row, "reason"));
	}
	if (table_rows(t) == 0) {
		out_put(o, SHADE_NONE, "%*sno moves yet", (int)indent, "");
		out_nl(o);
	} else
		table_print(o, t, indent, 0);
	table_free(t);
}
