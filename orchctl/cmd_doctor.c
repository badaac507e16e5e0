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
#include <unistd.h>

#include "orchctl.h"

static enum shade
verdict_shade(const char *verdict)
{
	return (strcmp(verdict, "ok") == 0 ? SHADE_GOOD :
	    strcmp(verdict, "warn") == 0 ? SHADE_WARN : SHADE_BAD);
}

static void
finding_row(struct table *t, const json_t *row)
{
	const char *verdict = jstr(row, "verdict");
	const char *project = jstr(row, "project");

	/* What is wrong shall be seen without colours, too. */
	table_cell(t, verdict_shade(verdict), strcmp(verdict, "fail") == 0 ?
	    "FAIL" : verdict);
	table_cell(t, SHADE_BOLD, *project == '\0' ? NULL : project);
	table_cell(t, SHADE_NONE, jstr(row, "subject"));
	table_cell(t, SHADE_NONE, jstr(row, "what"));
	table_cell(t, SHADE_NONE, jstr(row, "text"));
}

void
render_doctor(struct out *o, const json_t *doc)
{
	static const struct column cols[] = { { "", 0 }, { "PROJECT", 0 },
	    { "WHERE", 0 }, { "WHAT", 0 }, { "FOUND", COL_FLEX | COL_WRAP } };
	struct table *t = table_new(cols, 5);
	size_t i, ok = 0, warn = 0, fail = 0;
	const json_t *row;

	json_array_foreach(jlist(doc, "rows"), i, row) {
		finding_row(t, row);
		if (strcmp(jstr(row, "verdict"), "ok") == 0)
			ok++;
		else if (strcmp(jstr(row, "verdict"), "warn") == 0)
			warn++;
		else
			fail++;
	}
	if (i == 0) {
		out_put(o, SHADE_NONE, "no forge, tracker or messenger is "
		    "elsewhere: there is nothing to try");
		out_nl(o);
	} else {
		table_print(o, t, 0, 0);
		out_nl(o);
		out_put(o, fail > 0 ? SHADE_BAD : warn > 0 ? SHADE_WARN :
		    SHADE_GOOD, "%zu ok, %zu to look at, %zu failed", ok, warn,
		    fail);
		out_nl(o);
	}
	table_free(t);
}

/* "doctor remote [project]" */
enum ctl_exit
cmd_doctor(struct ctx *c, int argc, char **argv)
{
	enum ctl_exit res;
	struct answer a;
	json_t *doc;

	if (verb_getopt(c, argc, argv, "") != -1)
		return (usage_verb(c->c_verb));
	argc -= optind;
	argv += optind;
	if (argc < 1 || argc > 2 || strcmp(argv[0], "remote") != 0)
		return (usage_verb(c->c_verb));
	if ((res = ask_json(c, "doctor", argv[1], NULL, &doc, &a)) != CTL_OK)
		return (res);
	if (!jbool(doc, "ok"))
		res = CTL_REFUSED;
	if (c->c_json)
		json_write(c->c_out.o_fp, a.a_json, a.a_jsonlen);
	else if (!(c->c_quiet && res == CTL_OK))
		render_doctor(&c->c_out, doc);
	answer_free(&a);
	json_decref(doc);
	return (res);
}
