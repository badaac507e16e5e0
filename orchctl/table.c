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

#include <bsd/stdlib.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "orchctl.h"

#define COLS_MAX	8
#define FLEX_GOOD	24		/* a flexible column keeps this */
#define FLEX_LEAST	8		/* unless the line is very short */
#define WRAP_LEAST	32		/* less is no room for sentences */
#define WRAP_BELOW	4		/* their indent below the row */

struct cell {
	char		*ce_text;
	enum shade	 ce_shade;
};

struct table {
	const struct column *t_cols;
	size_t		 t_ncols;
	struct cell	*t_cells;
	size_t		 t_n;
	size_t		 t_cap;
};

/* How a table stands on the line. */
struct layout {
	size_t		 la_width[COLS_MAX];
	size_t		 la_indent;
	size_t		 la_ncols;	/* of a row's first line */
	int		 la_wrap;	/* the last column is broken */
	int		 la_below;	/* on lines of its own */
};

struct table *
table_new(const struct column *cols, size_t ncols)
{
	struct table *t;

	if (ncols == 0 || ncols > COLS_MAX ||
	    (t = calloc(1, sizeof(*t))) == NULL)
		return (NULL);
	t->t_cols = cols;
	t->t_ncols = ncols;
	return (t);
}

void
table_cell(struct table *t, enum shade shade, const char *text)
{
	struct cell *c;

	if (t == NULL)
		return;
	if (t->t_n == t->t_cap) {
		size_t cap = t->t_cap == 0 ? 64 : t->t_cap * 2;

		c = reallocarray(t->t_cells, cap, sizeof(*c));
		if (c == NULL)
			return;
		t->t_cells = c;
		t->t_cap = cap;
	}
	c = &t->t_cells[t->t_n++];
	c->ce_shade = shade;
	c->ce_text = escaped(text == NULL || *text == '\0' ? "-" : text);
}

void
table_cellf(struct table *t, enum shade shade, const char *fmt, ...)
{
	va_list ap;
	char *s = NULL;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) == -1)
		s = NULL;
	va_end(ap);
	table_cell(t, shade, s);
	free(s);
}

size_t
table_rows(const struct table *t)
{
	return (t == NULL ? 0 : t->t_n / t->t_ncols);
}

static const char *
cell_text(const struct cell *c)
{
	return (c->ce_text == NULL ? "-" : c->ce_text);
}

static int
has_heading(const struct table *t, size_t ncols)
{
	size_t i;

	for (i = 0; i < ncols; i++)
		if (*t->t_cols[i].co_title != '\0')
			return (1);
	return (0);
}

/* Let flexible columns give way by over columns, not below least. */
static size_t
squeeze(const struct table *t, struct layout *la, size_t over, size_t least)
{
	size_t i, give, *width = la->la_width;

	for (i = 0; i < la->la_ncols && over > 0; i++) {
		if (!(t->t_cols[i].co_flags & COL_FLEX) || width[i] <= least)
			continue;
		give = width[i] - least < over ? width[i] - least : over;
		width[i] -= give;
		over -= give;
	}
	return (over);
}

/* Natural widths; then flexible columns, first to last, fit the line. */
static void
measure(const struct out *o, const struct table *t, struct layout *la,
    size_t rows)
{
	size_t i, w, total = la->la_indent, limit, *width = la->la_width;

	for (i = 0; i < t->t_ncols; i++)
		width[i] = text_width(t->t_cols[i].co_title);
	for (i = 0; i < rows * t->t_ncols; i++) {
		w = text_width(cell_text(&t->t_cells[i]));
		if (w > width[i % t->t_ncols])
			width[i % t->t_ncols] = w;
	}
	for (i = 0; i < la->la_ncols; i++)
		total += width[i] + (i > 0 ? 2 : 0);
	/* One column stays free: a full line would wrap on some terminals. */
	limit = o->o_width > 1 ? (size_t)o->o_width - 1 : total;
	if (total > limit)
		squeeze(t, la, squeeze(t, la, total - limit, FLEX_GOOD),
		    FLEX_LEAST);
}

/* Decide where the sentences of the last column go. */
static void
lay_out(const struct out *o, const struct table *t, struct layout *la,
    size_t rows, int cut)
{
	size_t last = t->t_ncols - 1, natural;
	struct layout whole = *la;
	struct out endless = *o;

	la->la_ncols = whole.la_ncols = t->t_ncols;
	measure(o, t, la, rows);
	la->la_wrap = !cut && (t->t_cols[last].co_flags & COL_WRAP) != 0;
	if (!la->la_wrap)
		return;
	endless.o_width = 0;
	measure(&endless, t, &whole, rows);
	natural = whole.la_width[last];
	la->la_below = la->la_width[last] < natural &&
	    la->la_width[last] < WRAP_LEAST;
	if (la->la_below) {
		la->la_ncols = last;
		measure(o, t, la, rows);
	}
}

/* One cell in its width: cut with an ellipsis, padded except at the end. */
static void
put_cell(struct out *o, enum shade shade, const char *text, size_t width,
    int right, int last)
{
	const char *dots = o->o_utf8 ? "…" : "~";
	size_t used, n, pad;

	n = text_fit(text, width, &used);
	if (text[n] != '\0' && width > 1) {
		n = text_fit(text, width - 1, &used);
		used++;
	} else
		dots = "";
	pad = width > used ? width - used : 0;
	if (right)
		fprintf(o->o_fp, "%*s", (int)pad, "");
	out_put(o, shade, "%.*s%s", (int)n, text, dots);
	if (!right && !last)
		fprintf(o->o_fp, "%*s", (int)pad, "");
}

static void
put_heading(struct out *o, const struct table *t, const struct layout *la)
{
	size_t i;

	fprintf(o->o_fp, "%*s", (int)la->la_indent, "");
	for (i = 0; i < la->la_ncols; i++) {
		if (i > 0)
			fputs("  ", o->o_fp);
		put_cell(o, SHADE_DIM, t->t_cols[i].co_title,
		    la->la_width[i], t->t_cols[i].co_flags & COL_RIGHT,
		    i == la->la_ncols - 1);
	}
	out_nl(o);
}

static void
put_row(struct out *o, const struct table *t, const struct layout *la,
    const struct cell *c)
{
	size_t i, last = t->t_ncols - 1, at = la->la_indent;

	fprintf(o->o_fp, "%*s", (int)at, "");
	for (i = 0; i < la->la_ncols; i++) {
		if (i > 0)
			fputs("  ", o->o_fp);
		if (la->la_wrap && i == last) {
			out_wrap_escaped(o, c[i].ce_shade, at,
			    cell_text(&c[i]));
			return;
		}
		put_cell(o, c[i].ce_shade, cell_text(&c[i]), la->la_width[i],
		    t->t_cols[i].co_flags & COL_RIGHT,
		    i == la->la_ncols - 1);
		at += la->la_width[i] + 2;
	}
	out_nl(o);
	if (!la->la_below || strcmp(cell_text(&c[last]), "-") == 0)
		return;
	at = la->la_indent + WRAP_BELOW;
	fprintf(o->o_fp, "%*s", (int)at, "");
	out_wrap_escaped(o, c[last].ce_shade, at, cell_text(&c[last]));
}

void
table_print(struct out *o, const struct table *t, size_t indent,
    size_t maxrows)
{
	struct layout la = { .la_indent = indent };
	size_t i, rows = table_rows(t), shown;

	if (t == NULL)
		return;
	shown = maxrows > 0 && rows > maxrows ? maxrows : rows;
	lay_out(o, t, &la, shown, maxrows > 0);
	if (has_heading(t, la.la_ncols))
		put_heading(o, t, &la);
	for (i = 0; i < shown; i++)
		put_row(o, t, &la, &t->t_cells[i * t->t_ncols]);
	if (shown < rows) {
		out_put(o, SHADE_DIM, "and %zu more", rows - shown);
		out_nl(o);
	}
}

void
table_free(struct table *t)
{
	size_t i;

	if (t == NULL)
		return;
	for (i = 0; i < t->t_n; i++)
		free(t->t_cells[i].ce_text);
	free(t->t_cells);
	free(t);
}
