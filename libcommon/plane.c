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
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include <jansson.h>

#include "answer.h"
#include "isotime.h"
#include "plane.h"

#define PLANE_LABELS	1000U

int
plane_id_valid(const char *id)
{
	size_t i;

	for (i = 0; i < PLANE_ID - 1; i++)
		if (i == 8 || i == 13 || i == 18 || i == 23 ? id[i] != '-' :
		    !isxdigit((unsigned char)id[i]))
			return (0);
	return (id[i] == '\0');
}

int
plane_url(char *buf, size_t len, const char *base, const char *slug,
    const char *project, const char *fmt, ...)
{
	static const char ok[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789-_";
	size_t slash = strlen(base);
	va_list ap;
	int n, m;

	if (slug[0] == '\0' || slug[strspn(slug, ok)] != '\0' ||
	    !plane_id_valid(project))
		return (-1);
	while (slash > 0 && base[slash - 1] == '/')
		slash--;
	n = snprintf(buf, len, "%.*s/api/v1/workspaces/%s/projects/%s/",
	    (int)slash, base, slug, project);
	if (n < 0 || (size_t)n >= len)
		return (-1);
	va_start(ap, fmt);
	m = vsnprintf(buf + n, len - (size_t)n, fmt, ap);
	va_end(ap);
	return (m < 0 || (size_t)m >= len - (size_t)n ? -1 : 0);
}

int
plane_me_url(char *buf, size_t len, const char *base)
{
	size_t slash = strlen(base);
	int n;

	while (slash > 0 && base[slash - 1] == '/')
		slash--;
	n = snprintf(buf, len, "%.*s/api/v1/users/me/", (int)slash, base);
	return (n < 0 || (size_t)n >= len ? -1 : 0);
}

int
plane_auth(char *buf, size_t len, const char *key)
{
	int n = snprintf(buf, len, "X-API-Key: %s", key);

	return (n < 0 || (size_t)n >= len ? -1 : 0);
}

static int
id_of(json_t *o, const char *name, char buf[PLANE_ID], char *err,
    size_t errlen)
{
	if (answer_text(o, name, buf, PLANE_ID, err, errlen) == -1)
		return (-1);
	if (buf[0] == '\0' || plane_id_valid(buf))
		return (0);
	(void)snprintf(err, errlen, "\"%s\" is no UUID", name);
	return (-1);
}

/* The rows of a page, borrowed from it, and where it goes on. */
static json_t *
page_rows(json_t *page, struct plane_cursor *pc, char *err, size_t errlen)
{
	json_t *rows = json_object_get(page, "results");
	json_t *more = json_object_get(page, "next_page_results");

	pc->pc_next[0] = '\0';
	if (!json_is_array(rows) || !json_is_boolean(more)) {
		(void)snprintf(err, errlen, "the answer is no page of a "
		    "list");
		return (NULL);
	}
	if (json_is_true(more) && (answer_text(page, "next_cursor", pc->pc_next,
	    sizeof(pc->pc_next), err, errlen) == -1 ||
	    pc->pc_next[strspn(pc->pc_next, "0123456789:-")] != '\0')) {
		(void)snprintf(err, errlen, "\"next_cursor\" is no cursor");
		return (NULL);
	}
	return (rows);
}

int
plane_object_id(const char *body, size_t len, char id[PLANE_ID], char *err,
    size_t errlen)
{
	json_t *j;
	int r;

	if ((j = answer_read(body, len, err, errlen)) == NULL)
		return (-1);
	r = id_of(j, "id", id, err, errlen);
	if (r == 0 && id[0] == '\0') {
		(void)snprintf(err, errlen, "the answer has no \"id\"");
		r = -1;
	}
	json_decref(j);
	return (r);
}

/* Something that has an id and a name. */
static int
named_read(json_t *o, struct plane_state *ps, char *err, size_t errlen)
{
	if (id_of(o, "id", ps->ps_id, err, errlen) == -1 ||
	    answer_text(o, "name", ps->ps_name, sizeof(ps->ps_name), err,
	    errlen) == -1)
		return (-1);
	if (ps->ps_id[0] == '\0' || ps->ps_name[0] == '\0') {
		(void)snprintf(err, errlen, "a row without id or name");
		return (-1);
	}
	return (0);
}

static int
state_add(struct plane_states *pt, json_t *o, char *err, size_t errlen)
{
	if (pt->pt_n == PLANE_STATES) {
		(void)snprintf(err, errlen, "more than %d states",
		    PLANE_STATES);
		return (-1);
	}
	if (named_read(o, &pt->pt_state[pt->pt_n], err, errlen) == -1 ||
	    answer_text(o, "group", pt->pt_state[pt->pt_n].ps_group,
	    sizeof(pt->pt_state[pt->pt_n].ps_group), err, errlen) == -1)
		return (-1);
	pt->pt_n++;
	return (0);
}

int
plane_states_add(struct plane_states *pt, struct plane_cursor *pc,
    const char *body, size_t len, char *err, size_t errlen)
{
	json_t *j, *rows;
	size_t i;
	int r = 0;

	if ((j = answer_read(body, len, err, errlen)) == NULL)
		return (-1);
	if ((rows = page_rows(j, pc, err, errlen)) == NULL)
		r = -1;
	for (i = 0; r == 0 && i < json_array_size(rows); i++)
		r = state_add(pt, json_array_get(rows, i), err, errlen);
	json_decref(j);
	return (r);
}

const char *
plane_state_id(const struct plane_states *pt, const char *name)
{
	size_t i;

	for (i = 0; i < pt->pt_n; i++)
		if (strcmp(pt->pt_state[i].ps_name, name) == 0)
			return (pt->pt_state[i].ps_id);
	return (NULL);
}

const char *
plane_state_name(const struct plane_states *pt, const char *id)
{
	size_t i;

	for (i = 0; i < pt->pt_n; i++)
		if (strcmp(pt->pt_state[i].ps_id, id) == 0)
			return (pt->pt_state[i].ps_name);
	return (NULL);
}

/* Room for n more labels, as far as there are to be so many. */
static size_t
labels_room(struct plane_labels *pl, size_t n)
{
	struct plane_state *more;

	if (n > PLANE_LABELS - pl->pl_n)
		n = PLANE_LABELS - pl->pl_n;
	if (n == 0 || (more = reallocarray(pl->pl_label, pl->pl_n + n,
	    sizeof(*more))) == NULL)
		return (0);
	pl->pl_label = more;
	return (n);
}

int
plane_labels_add(struct plane_labels *pl, struct plane_cursor *pc,
    const char *body, size_t len, char *err, size_t errlen)
{
	json_t *j, *rows;
	size_t i, n;
	int r = 0;

	if ((j = answer_read(body, len, err, errlen)) == NULL)
		return (-1);
	if ((rows = page_rows(j, pc, err, errlen)) == NULL)
		r = -1;
	n = r == 0 ? labels_room(pl, json_array_size(rows)) : 0;
	for (i = 0; r == 0 && i < n; i++)
		if ((r = named_read(json_array_get(rows, i),
		    &pl->pl_label[pl->pl_n], err, errlen)) == 0)
			pl->pl_n++;
	json_decref(j);
	return (r);
}

/* A row that is no member is left out: its name is only shown. */
int
plane_members_add(struct plane_labels *pl, const char *body, size_t len,
    char *err, size_t errlen)
{
	const char *name;
	json_t *j, *row;
	size_t i, n;

	if ((j = answer_read(body, len, err, errlen)) == NULL)
		return (-1);
	n = labels_room(pl, json_array_size(j));
	for (i = 0; i < n; i++) {
		struct plane_state *ps = &pl->pl_label[pl->pl_n];

		row = json_array_get(j, i);
		name = json_string_value(json_object_get(row, "display_name"));
		if (name != NULL && name[0] != '\0' && id_of(row, "id",
		    ps->ps_id, err, errlen) == 0 && ps->ps_id[0] != '\0') {
			(void)strlcpy(ps->ps_name, name, sizeof(ps->ps_name));
			pl->pl_n++;
		}
	}
	json_decref(j);
	return (0);
}

const char *
plane_label_name(const struct plane_labels *pl, const char *id)
{
	size_t i;

	for (i = 0; i < pl->pl_n; i++)
		if (strcmp(pl->pl_label[i].ps_id, id) == 0)
			return (pl->pl_label[i].ps_name);
	return (NULL);
}

void
plane_labels_free(struct plane_labels *pl)
{
	free(pl->pl_label);
	pl->pl_label = NULL;
	pl->pl_n = 0;
}

static int
labels_fill(json_t *o, struct plane_item *pi, char *err, size_t errlen)
{
	json_t *list = json_object_get(o, "labels"), *v;
	size_t i;

	for (i = 0; i < json_array_size(list) && i <
	    sizeof(pi->pi_labels) / sizeof(pi->pi_labels[0]); i++) {
		v = json_array_get(list, i);
		if (!json_is_string(v) ||
		    !plane_id_valid(json_string_value(v))) {
			(void)snprintf(err, errlen, "a label is no UUID");
			return (-1);
		}
		(void)strlcpy(pi->pi_labels[pi->pi_nlabels++],
		    json_string_value(v), PLANE_ID);
	}
	return (0);
}

static int
item_fill(json_t *o, struct plane_item *pi, char *err, size_t errlen)
{
	json_t *number = json_object_get(o, "sequence_id");
	json_t *html = json_object_get(o, "description_html");

	memset(pi, 0, sizeof(*pi));
	if (!json_is_integer(number) || json_integer_value(number) <= 0) {
		(void)snprintf(err, errlen, "an item without a number");
		return (-1);
	}
	pi->pi_number = (uint64_t)json_integer_value(number);
	if (id_of(o, "id", pi->pi_id, err, errlen) == -1 ||
	    id_of(o, "state", pi->pi_state, err, errlen) == -1 ||
	    id_of(o, "created_by", pi->pi_author, err, errlen) == -1 ||
	    id_of(o, "updated_by", pi->pi_editor, err, errlen) == -1 ||
	    answer_text(o, "name", pi->pi_name, sizeof(pi->pi_name), err,
	    errlen) == -1 ||
	    answer_text(o, "updated_at", pi->pi_changed, sizeof(pi->pi_changed),
	    err, errlen) == -1 || labels_fill(o, pi, err, errlen) == -1)
		return (-1);
	if (pi->pi_id[0] == '\0' || pi->pi_state[0] == '\0') {
		(void)snprintf(err, errlen, "an item without id or state");
		return (-1);
	}
	pi->pi_text = html_text(json_is_string(html) ?
	    json_string_value(html) : "");
	return (pi->pi_text == NULL ? -1 : 0);
}

int
plane_item_read(const char *body, size_t len, struct plane_item *pi,
    char *err, size_t errlen)
{
	json_t *j;
	int r;

	memset(pi, 0, sizeof(*pi));
	if ((j = answer_read(body, len, err, errlen)) == NULL)
		return (-1);
	r = item_fill(j, pi, err, errlen);
	json_decref(j);
	return (r);
}

void
plane_item_free(struct plane_item *pi)
{
	free(pi->pi_text);
	pi->pi_text = NULL;
}

int
plane_items_each(const char *body, size_t len, struct plane_cursor *pc,
    void (*fn)(const struct plane_item *, const char *, void *), void *arg,
    char *err, size_t errlen)
{
	struct plane_item pi;
	json_t *j, *rows;
	char wrong[128];
	size_t i;

	if ((j = answer_read(body, len, err, errlen)) == NULL)
		return (-1);
	if ((rows = page_rows(j, pc, err, errlen)) == NULL) {
		json_decref(j);
		return (-1);
	}
	for (i = 0; i < json_array_size(rows); i++) {
		if (item_fill(json_array_get(rows, i), &pi, wrong,
		    sizeof(wrong)) == 0)
			fn(&pi, NULL, arg);
		else
			fn(NULL, wrong, arg);
		plane_item_free(&pi);
	}
	json_decref(j);
	return (0);
}

/* Who wrote a comment, and when; -1: it does not say. */
static int
comment_read(json_t *o, char who[PLANE_ID], int64_t *ms)
{
	char when[40], err[64];

	return (answer_text(o, "actor", who, PLANE_ID, err, sizeof(err)) ==
	    -1 || who[0] == '\0' || answer_text(o, "created_at", when,
	    sizeof(when), err, sizeof(err)) == -1 || isotime_ms(when, ms) ==
	    -1 ? -1 : 0);
}

/* One of ours: is it a question, and newer than the newest so far? */
static void
comment_own(struct plane_words *pw, json_t *o, const char *ask, int64_t ms)
{
	const char *key = json_string_value(json_object_get(o,
	    "external_id"));

	if (key != NULL && strncmp(key, ask, strlen(ask)) == 0 &&
	    ms >= pw->pw_asked_ms && strlcpy(pw->pw_asked, key,
	    sizeof(pw->pw_asked)) < sizeof(pw->pw_asked))
		pw->pw_asked_ms = ms;
}

int
plane_words_add(struct plane_words *pw, const char *body, size_t len,
    const char *self, const char *ask, struct plane_cursor *pc, char *err,
    size_t errlen)
{
	char who[PLANE_ID];
	json_t *j, *rows, *o;
	const char *html;
	int64_t ms;
	size_t i;

	if ((j = answer_read(body, len, err, errlen)) == NULL)
		return (-1);
	if ((rows = page_rows(j, pc, err, errlen)) == NULL) {
		json_decref(j);
		return (-1);
	}
	for (i = 0; i < json_array_size(rows); i++) {
		o = json_array_get(rows, i);
		html = json_string_value(json_object_get(o, "comment_html"));
		if (html == NULL || comment_read(o, who, &ms) == -1)
			continue;
		if (strcmp(who, self) == 0)
			comment_own(pw, o, ask, ms);
		else if (ms > pw->pw_at_ms) {
			free(pw->pw_text);
			pw->pw_text = html_text(html);
			pw->pw_at_ms = ms;
		}
	}
	json_decref(j);
	return (0);
}

const char *
plane_words_said(const struct plane_words *pw)
{
	return (pw->pw_text == NULL || pw->pw_at_ms < pw->pw_asked_ms ? "" :
	    pw->pw_text);
}

void
plane_words_free(struct plane_words *pw)
{
	free(pw->pw_text);
	pw->pw_text = NULL;
}

char *
plane_state_body(const char *state)
{
	return (answer_write(json_pack("{ss}", "state", state)));
}

/* One byte as it stands in HTML. */
static const char *
html_byte(char c, char plain[2])
{
	switch (c) {
	case '<':
		return ("&lt;");
	case '>':
		return ("&gt;");
	case '&':
		return ("&amp;");
	case '"':
		return ("&quot;");
	case '\n':
		return ("<br>");
	default:
		plain[0] = c;
		plain[1] = '\0';
		return (plain);
	}
}

/* The text as HTML, lines kept; the caller frees it. */
static char *
text_html(const char *text)
{
	char *html = NULL, plain[2];
	size_t len = 0;
	FILE *fp;

	if ((fp = open_memstream(&html, &len)) == NULL)
		return (NULL);
	fputs("<p>", fp);
	for (; *text != '\0'; text++)
		fputs(html_byte(*text, plain), fp);
	fputs("</p>", fp);
	if (fclose(fp) != 0) {
		free(html);
		return (NULL);
	}
	return (html);
}

char *
plane_item_body(const char *name, const char *text, const char *state,
    const char *key)
{
	char *html, *body;

	if ((html = text_html(text)) == NULL)
		return (NULL);
	body = answer_write(json_pack("{ssssssssss*}", "name", name,
	    "description_html", html, "external_id", key, "external_source",
	    "orchd", "state", state));
	free(html);
	return (body);
}

char *
plane_comment_body(const char *text, const char *key)
{
	char *html, *body;

	if ((html = text_html(text)) == NULL)
		return (NULL);
	body = answer_write(json_pack("{ssssss}", "comment_html", html,
	    "external_id", key, "external_source", "orchd"));
	free(html);
	return (body);
}

void
plane_said(long status, const char *body, size_t len, char *buf,
    size_t buflen)
{
	static const char *const names[] = { "error", "detail",
	    "error_message", NULL };

	answer_said(status, body, len, names, buf, buflen);
}
