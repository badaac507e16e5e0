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

/* What is wrong shall be seen without colours, too. */
static void
finding_row(struct table *t, const json_t *row)
{
	const char *verdict = jstr(row, "verdict");

	table_cell(t, verdict_shade(verdict), strcmp(verdict, "fail") == 0 ?
	    "FAIL" : verdict);
	table_cell(t, SHADE_NONE, jstr(row, "what"));
	table_cell(t, SHADE_NONE, jstr(row, "text"));
}

static int
is_of(const json_t *row, const json_t *first)
{
	return (strcmp(jstr(row, "project"), jstr(first, "project")) == 0 &&
	    strcmp(jstr(row, "subject"), jstr(first, "subject")) == 0);
}

/* The rows from i on that are of one place; where the next one begins. */
static size_t
render_place(struct out *o, const json_t *rows, size_t i)
{
	static const struct column cols[] = { { "", 0 }, { "", 0 },
	    { "", COL_FLEX | COL_WRAP } };
	const json_t *first = json_array_get(rows, i), *row;
	struct table *t = table_new(cols, 3);
	const char *project = jstr(first, "project");

	out_put(o, SHADE_BOLD, "%s%s%s", project, *project == '\0' ? "" :
	    ": ", jstr(first, "subject"));
	out_nl(o);
	for (; (row = json_array_get(rows, i)) != NULL && is_of(row, first);
	    i++)
		finding_row(t, row);
	table_print(o, t, 2, 0);
	table_free(t);
	return (i);
}

static size_t
count(const json_t *rows, const char *verdict)
{
	const json_t *row;
	size_t i, n = 0;

	json_array_foreach(rows, i, row)
		n += strcmp(jstr(row, "verdict"), verdict) == 0;
	return (n);
}

void
render_doctor(struct out *o, const json_t *doc)
{
	const json_t *rows = jlist(doc, "rows");
	size_t i, n = json_array_size(rows);
	size_t fail = count(rows, "fail"), warn = count(rows, "warn");

	for (i = 0; i < n; )
		i = render_place(o, rows, i);
	if (n == 0)
		out_put(o, SHADE_NONE, "no forge, tracker or messenger is "
		    "elsewhere: there is nothing to try");
	else
		out_put(o, fail > 0 ? SHADE_BAD : warn > 0 ? SHADE_WARN :
		    SHADE_GOOD, "%zu ok, %zu to look at, %zu failed", n -
		    fail - warn, warn, fail);
	out_nl(o);
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
