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
#include <strings.h>

#include "plane.h"

/* What a tracker's editor writes, as a person would read it aloud. */

static const char *const blocks[] = { "p", "br", "div", "li", "h1", "h2",
	"h3", "h4", "h5", "h6", "tr", "pre", "blockquote", "ul", "ol", "table",
	"hr" };

static const struct entity {
	const char	*en_name;
	const char	*en_text;
} entities[] = {
	{ "amp", "&" }, { "lt", "<" }, { "gt", ">" }, { "quot", "\"" },
	{ "apos", "'" }, { "nbsp", " " }, { "hellip", "..." },
};

/* UTF-8 of a code point; 0 for one that text cannot have. */
static size_t
utf8(unsigned long c, char *out)
{
	if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return (0);
	if (c < 0x80) {
		out[0] = (char)c;
		return (1);
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return (2);
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return (3);
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return (4);
}

#define NAME_MAX_LEN	8	/* of an entity that is known */

/*
 * An entity that begins at p ("&...;"): its text goes to out, never longer
 * than itself.  The bytes used, 0 when it is none.  What follows is not read
 * further than a name can be long: a text of nothing but "&" has no end.
 */
static size_t
entity(const char *p, char *out, size_t *outlen)
{
	size_t i, n = 0;
	char *end;

	while (n <= NAME_MAX_LEN && p[1 + n] != '\0' && p[1 + n] != ';')
		n++;
	if (n == 0 || n > NAME_MAX_LEN || p[1 + n] != ';')
		return (0);
	if (p[1] == '#') {
		*outlen = utf8(p[2] == 'x' || p[2] == 'X' ?
		    strtoul(p + 3, &end, 16) : strtoul(p + 2, &end, 10), out);
		return (*end == ';' && *outlen > 0 ? n + 2 : 0);
	}
	for (i = 0; i < sizeof(entities) / sizeof(entities[0]); i++)
		if (strlen(entities[i].en_name) == n &&
		    strncmp(p + 1, entities[i].en_name, n) == 0) {
			*outlen = strlen(entities[i].en_text);
			memcpy(out, entities[i].en_text, *outlen);
			return (n + 2);
		}
	return (0);
}

static int
is_block(const char *tag)
{
	size_t i, n;

	if (*tag == '/')
		tag++;
	n = strcspn(tag, " \t\r\n/>");
	for (i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++)
		if (strlen(blocks[i]) == n &&
		    strncasecmp(tag, blocks[i], n) == 0)
			return (1);
	return (0);
}

char *
html_text(const char *html)
{
	size_t n = 0, used, len;
	const char *p, *end, *last = strrchr(html, '>');
	char *text;

	/* Nothing grows: an entity and a tag are longer than what they give. */
	if ((text = malloc(strlen(html) + 1)) == NULL)
		return (NULL);
	for (p = html; *p != '\0'; ) {
		/* Behind the last ">" nothing is a tag, however many "<". */
		if (*p == '<' && last != NULL && p < last &&
		    (end = strchr(p, '>')) != NULL) {
			if (is_block(p + 1) && n > 0 && text[n - 1] != '\n')
				text[n++] = '\n';
			p = end + 1;
		} else if (*p == '&' && (used = entity(p, text + n, &len)) >
		    0) {
			n += len;
			p += used;
		} else
			text[n++] = *p++;
	}
	while (n > 0 && strchr(" \n\t\r", text[n - 1]) != NULL)
		n--;
	text[n] = '\0';
	return (text);
}
