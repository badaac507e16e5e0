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

#include <event2/buffer.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "html.h"
#include "html_int.h"

#define DEPTH_MAX	4	/* blocks inside blocks that are drawn */
#define COLUMNS_MAX	12

static void	block(struct evbuffer *, const char *, json_t *, int);

static int
ends_in(const char *name, const char *end)
{
	size_t n = strlen(name), e = strlen(end);

	return (n > e && strcmp(name + n - e, end) == 0);
}

void
html_label(struct evbuffer *out, const char *name)
{
	char text[64];
	size_t i;

	for (i = 0; name[i] != '\0' && i < sizeof(text) - 1; i++)
		text[i] = name[i] == '_' ? ' ' : name[i];
	text[i] = '\0';
	if (ends_in(name, "_s") && i == strlen(name))
		text[i - 2] = '\0';
	else if (ends_in(name, "_ts") && i == strlen(name))
		text[i - 3] = '\0';
	html_text(out, text);
}

void
html_value(struct evbuffer *out, json_t *v)
{
	if (json_is_string(v) && *json_string_value(v) != '\0')
		html_text(out, json_string_value(v));
	else if (json_is_integer(v))
		(void)evbuffer_add_printf(out, "%lld",
		    (long long)json_integer_value(v));
	else if (json_is_real(v))
		(void)evbuffer_add_printf(out, "%.6g", json_real_value(v));
	else if (json_is_boolean(v))
		html_raw(out, json_is_true(v) ? "yes" : "no");
	else if (json_is_array(v))
		(void)evbuffer_add_printf(out, "%zu", json_array_size(v));
	else if (json_is_object(v))
		(void)evbuffer_add_printf(out, "%zu values",
		    json_object_size(v));
	else
		html_raw(out, "-");
}

/* Names of points in time, given in seconds since 1970. */
static int
is_time(const char *name)
{
	return (ends_in(name, "_ts") || ends_in(name, "_at") ||
	    strcmp(name, "since") == 0 || strcmp(name, "started") == 0);
}

void
html_member(struct evbuffer *out, const char *name, json_t *v)
{
	char text[64];
	struct tm tm;
	time_t t;

	if (json_is_integer(v) && ends_in(name, "_s")) {
		html_span(text, sizeof(text), json_integer_value(v));
		html_text(out, text);
		return;
	}
	if (json_is_integer(v) && is_time(name) && json_integer_value(v) > 0) {
		t = (time_t)json_integer_value(v);
		if (gmtime_r(&t, &tm) != NULL && strftime(text, sizeof(text),
		    "%Y-%m-%dT%H:%M:%SZ", &tm) > 0) {
			html_text(out, text);
			return;
		}
	}
	html_value(out, v);
}

/* What a job is about stands beside its kind instead of in three columns. */
static const char *const abouts[] = { "gate", "role", "work" };

static int
is_about(const char *key)
{
	size_t i;

	for (i = 0; i < sizeof(abouts) / sizeof(abouts[0]); i++)
		if (strcmp(key, abouts[i]) == 0)
			return (1);
	return (0);
}

static void
kind_cell(struct evbuffer *out, json_t *row)
{
	const char *kind = json_string_value(json_object_get(row, "kind"));
	const char *s;
	size_t i;

	html_value(out, json_object_get(row, "kind"));
	for (i = 0; i < sizeof(abouts) / sizeof(abouts[0]); i++) {
		s = json_string_value(json_object_get(row, abouts[i]));
		if (s == NULL || *s == '\0' ||
		    (kind != NULL && strcmp(s, kind) == 0))
			continue;
		html_raw(out, " ");
		html_text(out, s);
		return;
	}
}

/* Sentences may be broken over lines. */
static int
is_sentence(const char *key)
{
	return (strcmp(key, "reason") == 0 || strcmp(key, "text") == 0 ||
	    strcmp(key, "why") == 0);
}

/* Has any row something to show in that column? */
static int
column_used(json_t *list, const char *key)
{
	json_t *row, *v;
	size_t i;

	json_array_foreach(list, i, row) {
		v = json_object_get(row, key);
		if (v != NULL && !json_is_null(v) && (!json_is_string(v) ||
		    *json_string_value(v) != '\0'))
			return (1);
	}
	return (0);
}

/*
 * A list of objects: the members of the first one are the columns, without
 * those in which no row has anything.
 */
static void
table(struct evbuffer *out, json_t *list)
{
	const char *columns[COLUMNS_MAX], *key;
	json_t *first = json_array_get(list, 0), *row, *v;
	size_t i, n = 0, col;
	int job = json_object_get(first, "kind") != NULL;

	json_object_foreach(first, key, v)
		if (n < COLUMNS_MAX && !(job && is_about(key)) &&
		    column_used(list, key))
			columns[n++] = key;
	html_raw(out, "<div class=\"scroll\"><table><thead><tr>");
	for (col = 0; col < n; col++) {
		html_raw(out, "<th scope=\"col\">");
		html_label(out, columns[col]);
		html_raw(out, "</th>");
	}
	html_raw(out, "</tr></thead><tbody>\n");
	json_array_foreach(list, i, row) {
		html_raw(out, "<tr>");
		for (col = 0; col < n; col++) {
			html_raw(out, is_sentence(columns[col]) ?
			    "<td class=\"text\">" : "<td>");
			if (job && strcmp(columns[col], "kind") == 0)
				kind_cell(out, row);
			else
				html_member(out, columns[col],
				    json_object_get(row, columns[col]));
			html_raw(out, "</td>");
		}
		html_raw(out, "</tr>\n");
	}
	html_raw(out, "</tbody></table></div>\n");
}

static void
list(struct evbuffer *out, json_t *v)
{
	json_t *item;
	size_t i;

	if (json_array_size(v) == 0) {
		html_raw(out, "<p class=\"quiet\">none</p>\n");
		return;
	}
	if (json_is_object(json_array_get(v, 0))) {
		table(out, v);
		return;
	}
	html_raw(out, "<ul>");
	json_array_foreach(v, i, item) {
		html_raw(out, "<li>");
		html_value(out, item);
		html_raw(out, "</li>");
	}
	html_raw(out, "</ul>\n");
}

static int
is_block(json_t *v)
{
	return (json_is_object(v) || json_is_array(v));
}

/* The plain members of an object as names and values, then its blocks. */
static void
members(struct evbuffer *out, json_t *obj, int depth)
{
	const char *key;
	json_t *v;
	int open = 0;

	json_object_foreach(obj, key, v) {
		if (is_block(v))
			continue;
		if (!open++)
			html_raw(out, "<dl>");
		html_raw(out, "<div><dt>");
		html_label(out, key);
		html_raw(out, "</dt><dd>");
		html_member(out, key, v);
		html_raw(out, "</dd></div>");
	}
	if (open)
		html_raw(out, "</dl>\n");
	json_object_foreach(obj, key, v)
		if (is_block(v))
			block(out, key, v, depth + 1);
}

static void
block(struct evbuffer *out, const char *name, json_t *v, int depth)
{
	const char *tag = depth <= 1 ? "h2" : "h3";

	(void)evbuffer_add_printf(out, "<section class=\"block%s\"><%s>",
	    json_is_array(v) && depth <= 1 ? " wide" : "", tag);
	html_label(out, name);
	(void)evbuffer_add_printf(out, "</%s>\n", tag);
	if (depth > DEPTH_MAX)
		html_value(out, v);
	else if (json_is_array(v))
		list(out, v);
	else
		members(out, v, depth);
	html_raw(out, "</section>\n");
}

void
html_blocks(struct evbuffer *out, json_t *root)
{
	html_raw(out, "<div class=\"blocks\">\n");
	members(out, root, 0);
	html_raw(out, "</div>\n");
}
