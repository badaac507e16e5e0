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

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <yaml.h>

#include "libcommon/esc.h"
#include "frontmatter.h"

#define TEXT_MAX	(64U << 10)	/* bytes of one scalar */

/* One parse.  Lines of the YAML text start at `pa_line' of the file. */
struct parse {
	yaml_parser_t	 pa_yaml;
	unsigned int	 pa_line;
	unsigned int	 pa_nodes;
	struct fm_error	*pa_fe;
};

static int fail(struct parse *, size_t, const char *, ...)
    __attribute__((format(printf, 3, 4)));
static int parse_node(struct parse *, yaml_event_t *, unsigned int,
    struct fm_node *);

static int
fail(struct parse *pa, size_t yaml_line, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	esc(pa->pa_fe->fe_text, sizeof(pa->pa_fe->fe_text), text);
	pa->pa_fe->fe_line = pa->pa_line + (unsigned int)yaml_line;
	return (-1);
}

static int
next_event(struct parse *pa, yaml_event_t *ev)
{
	const yaml_parser_t *y = &pa->pa_yaml;
	size_t line;

	if (yaml_parser_parse(&pa->pa_yaml, ev))
		return (0);
	/* Faults of single bytes have no line of their own. */
	line = y->error == YAML_READER_ERROR ? y->mark.line :
	    y->problem_mark.line;
	return (fail(pa, line, "malformed YAML: %s%s%s",
	    y->problem != NULL ? y->problem : "out of memory",
	    y->context != NULL ? " " : "",
	    y->context != NULL ? y->context : ""));
}

/* Anchors and tags are not needed and are where the surprises live. */
static int
plain_only(struct parse *pa, size_t line, const yaml_char_t *anchor,
    const yaml_char_t *tag)
{
	if (anchor != NULL)
		return (fail(pa, line, "anchor \"&%.40s\" is not allowed",
		    (const char *)anchor));
	if (tag != NULL)
		return (fail(pa, line, "tag \"%.40s\" is not allowed",
		    (const char *)tag));
	return (0);
}

static int
take_text(struct parse *pa, const yaml_event_t *ev, char **text)
{
	const char *value = (const char *)ev->data.scalar.value;
	size_t n = ev->data.scalar.length, line = ev->start_mark.line;

	if (plain_only(pa, line, ev->data.scalar.anchor,
	    ev->data.scalar.tag) == -1)
		return (-1);
	if (n > TEXT_MAX)
		return (fail(pa, line, "a value of more than %u bytes",
		    TEXT_MAX));
	if (memchr(value, '\0', n) != NULL)
		return (fail(pa, line, "a NUL byte in a value"));
	if ((*text = strndup(value, n)) == NULL)
		return (fail(pa, line, "out of memory"));
	return (0);
}

/* Room for one more child; grows by doubling at each power of two. */
static int
grow(struct fm_node *fn)
{
	struct fm_node *item;
	char **key;
	size_t n = fn->fn_n ? fn->fn_n * 2 : 1;

	if ((fn->fn_n & (fn->fn_n - 1)) != 0)
		return (0);
	item = reallocarray(fn->fn_item, n, sizeof(*item));
	if (item == NULL)
		return (-1);
	fn->fn_item = item;
	if (fn->fn_kind != FM_MAP)
		return (0);
	if ((key = reallocarray(fn->fn_key, n, sizeof(*key))) == NULL)
		return (-1);
	fn->fn_key = key;
	return (0);
}

static void
node_free(struct fm_node *fn)
{
	size_t i;

	for (i = 0; i < fn->fn_n; i++) {
		if (fn->fn_key != NULL)
			free(fn->fn_key[i]);
		node_free(&fn->fn_item[i]);
	}
	free(fn->fn_key);
	free(fn->fn_item);
	free(fn->fn_text);
	memset(fn, 0, sizeof(*fn));
}

static int
take_key(struct parse *pa, struct fm_node *fn, const yaml_event_t *ev,
    char **key)
{
	const struct fm_node *old;
	size_t line = ev->start_mark.line;

	if (ev->type != YAML_SCALAR_EVENT)
		return (fail(pa, line, "a key that is not plain text"));
	if (take_text(pa, ev, key) == -1)
		return (-1);
	if ((old = fm_map_get(fn, *key)) != NULL)
		return (fail(pa, line, "key \"%.60s\" is there twice, first "
		    "in line %u", *key, old->fn_line));
	return (0);
}

/* One child, and its key in a mapping, from its first event. */
static int
parse_child(struct parse *pa, struct fm_node *fn, yaml_event_t *ev,
    unsigned int depth)
{
	yaml_event_t value;
	char *key = NULL;
	int r = -1;

	if (grow(fn) == -1)
		return (fail(pa, ev->start_mark.line, "out of memory"));
	if (fn->fn_kind == FM_LIST) {
		r = parse_node(pa, ev, depth + 1, &fn->fn_item[fn->fn_n]);
		fn->fn_n++;
		return (r);
	}
	if (take_key(pa, fn, ev, &key) == -1 || next_event(pa, &value) == -1)
		goto done;
	fn->fn_key[fn->fn_n] = key;
	key = NULL;
	r = parse_node(pa, &value, depth + 1, &fn->fn_item[fn->fn_n]);
	/* A person looks for the key, wherever its value begins. */
	fn->fn_item[fn->fn_n].fn_line = pa->pa_line +
	    (unsigned int)ev->start_mark.line;
	fn->fn_n++;
	yaml_event_delete(&value);
done:
	free(key);
	return (r);
}

static int
parse_children(struct parse *pa, struct fm_node *fn, yaml_event_type_t end,
    unsigned int depth)
{
	yaml_event_t ev;
	int r, done;

	do {
		if (next_event(pa, &ev) == -1)
			return (-1);
		done = ev.type == end;
		r = done ? 0 : parse_child(pa, fn, &ev, depth);
		yaml_event_delete(&ev);
	} while (!done && r == 0);
	return (r);
}

static int
parse_node(struct parse *pa, yaml_event_t *ev, unsigned int depth,
    struct fm_node *fn)
{
	size_t line = ev->start_mark.line;

	memset(fn, 0, sizeof(*fn));
	fn->fn_line = pa->pa_line + (unsigned int)line;
	if (++pa->pa_nodes > FM_NODES_MAX)
		return (fail(pa, line, "more than %u values", FM_NODES_MAX));
	if (depth > FM_DEPTH_MAX)
		return (fail(pa, line, "nested deeper than %u",
		    FM_DEPTH_MAX));
	switch (ev->type) {
	case YAML_SCALAR_EVENT:
		fn->fn_kind = FM_SCALAR;
		return (take_text(pa, ev, &fn->fn_text));
	case YAML_SEQUENCE_START_EVENT:
		fn->fn_kind = FM_LIST;
		if (plain_only(pa, line, ev->data.sequence_start.anchor,
		    ev->data.sequence_start.tag) == -1)
			return (-1);
		return (parse_children(pa, fn, YAML_SEQUENCE_END_EVENT,
		    depth));
	case YAML_MAPPING_START_EVENT:
		fn->fn_kind = FM_MAP;
		if (plain_only(pa, line, ev->data.mapping_start.anchor,
		    ev->data.mapping_start.tag) == -1)
			return (-1);
		return (parse_children(pa, fn, YAML_MAPPING_END_EVENT,
		    depth));
	case YAML_ALIAS_EVENT:
		return (fail(pa, line, "alias \"*%.40s\" is not allowed",
		    (const char *)ev->data.alias.anchor));
	default:
		return (fail(pa, line, "unexpected YAML"));
	}
}

/* The next event must be of this type; it carries nothing we keep. */
static int
expect(struct parse *pa, yaml_event_type_t type, const char *what)
{
	yaml_event_t ev;
	size_t line;
	int ok;

	if (next_event(pa, &ev) == -1)
		return (-1);
	ok = ev.type == type;
	line = ev.start_mark.line;
	yaml_event_delete(&ev);
	return (ok ? 0 : fail(pa, line, "%s", what));
}

static int
parse_document(struct parse *pa, struct fm_node *root)
{
	yaml_event_t ev;
	int r;

	if (expect(pa, YAML_STREAM_START_EVENT, "no YAML") == -1 ||
	    expect(pa, YAML_DOCUMENT_START_EVENT, "it is empty") == -1 ||
	    next_event(pa, &ev) == -1)
		return (-1);
	r = parse_node(pa, &ev, 0, root);
	yaml_event_delete(&ev);
	if (r == -1 || expect(pa, YAML_DOCUMENT_END_EVENT,
	    "unexpected YAML") == -1)
		return (-1);
	return (expect(pa, YAML_STREAM_END_EVENT,
	    "more than one YAML document"));
}

/* Parse `len' bytes whose first line is line `line' of the file. */
static int
parse_text(const char *buf, size_t len, unsigned int line, struct fm *fm,
    struct fm_error *fe)
{
	struct parse pa;
	int r;

	memset(&pa, 0, sizeof(pa));
	pa.pa_line = line;
	pa.pa_fe = fe;
	if (len > FM_SIZE_MAX)
		return (fail(&pa, 0, "more than %u bytes of YAML",
		    FM_SIZE_MAX));
	if (!yaml_parser_initialize(&pa.pa_yaml))
		return (fail(&pa, 0, "out of memory"));
	yaml_parser_set_encoding(&pa.pa_yaml, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&pa.pa_yaml,
	    (const unsigned char *)buf, len);
	if ((r = parse_document(&pa, &fm->fm_root)) == -1)
		node_free(&fm->fm_root);
	yaml_parser_delete(&pa.pa_yaml);
	return (r);
}

static size_t
skip_bom(const char *buf, size_t len)
{
	return (len >= 3 && memcmp(buf, "\xef\xbb\xbf", 3) == 0 ? 3 : 0);
}

/* Is the line of `n' bytes at `p' this word, with an optional CR? */
static int
line_is(const char *p, size_t n, const char *word)
{
	if (n > 0 && p[n - 1] == '\r')
		n--;
	return (n == strlen(word) && memcmp(p, word, n) == 0);
}

/* Offset behind the line that starts at `at'; its length in `*n'. */
static size_t
next_line(const char *buf, size_t len, size_t at, size_t *n)
{
	const char *nl = memchr(buf + at, '\n', len - at);

	*n = nl != NULL ? (size_t)(nl - buf) - at : len - at;
	return (nl != NULL ? at + *n + 1 : len);
}

static int
set_error(struct fm_error *fe, unsigned int line, const char *text)
{
	fe->fe_line = line;
	strlcpy(fe->fe_text, text, sizeof(fe->fe_text));
	return (-1);
}

int
fm_parse(const char *buf, size_t len, struct fm *fm, struct fm_error *fe)
{
	size_t at, n, next, start;
	unsigned int line = 1;

	memset(fm, 0, sizeof(*fm));
	at = skip_bom(buf, len);
	next = next_line(buf, len, at, &n);
	if (!line_is(buf + at, n, "---"))
		return (set_error(fe, 1, "no front matter: the first line "
		    "must be ---"));
	for (start = at = next;; at = next) {
		line++;
		if (at >= len)
			return (set_error(fe, line, "the front matter has no "
			    "end: a line --- is missing"));
		next = next_line(buf, len, at, &n);
		if (line_is(buf + at, n, "---") ||
		    line_is(buf + at, n, "..."))
			break;
	}
	if (parse_text(buf + start, at - start, 2, fm, fe) == -1)
		return (-1);
	if (fm->fm_root.fn_kind != FM_MAP) {
		fm_free(fm);
		return (set_error(fe, 2, "the front matter must be a list of "
		    "\"key: value\" lines"));
	}
	fm->fm_body = next;
	fm->fm_body_line = line + 1;
	return (0);
}

int
fm_parse_yaml(const char *buf, size_t len, struct fm *fm,
    struct fm_error *fe)
{
	size_t bom = skip_bom(buf, len);

	memset(fm, 0, sizeof(*fm));
	fm->fm_body = len;
	return (parse_text(buf + bom, len - bom, 1, fm, fe));
}

const struct fm_node *
fm_map_get(const struct fm_node *fn, const char *key)
{
	size_t i;

	if (fn->fn_kind != FM_MAP)
		return (NULL);
	for (i = 0; i < fn->fn_n; i++)
		if (strcmp(fn->fn_key[i], key) == 0)
			return (&fn->fn_item[i]);
	return (NULL);
}

const struct fm_node *
fm_get(const struct fm *fm, const char *key)
{
	return (fm_map_get(&fm->fm_root, key));
}

const char *
fm_text(const struct fm *fm, const char *key, unsigned int *line)
{
	const struct fm_node *fn;

	if ((fn = fm_get(fm, key)) == NULL)
		return (NULL);
	if (line != NULL)
		*line = fn->fn_line;
	return (fn->fn_kind == FM_SCALAR ? fn->fn_text : NULL);
}

void
fm_free(struct fm *fm)
{
	node_free(&fm->fm_root);
}
