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

#include <sys/ioctl.h>

#include <langinfo.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "libcommon/esc.h"

#include "orchctl.h"

static const char *const sgr[SHADE__MAX] = {
	[SHADE_NONE] = "",
	[SHADE_DIM] = "\033[2m",
	[SHADE_BOLD] = "\033[1m",
	[SHADE_GOOD] = "\033[32m",
	[SHADE_WARN] = "\033[1;33m",
	[SHADE_BAD] = "\033[31m",
};

void
out_resize(struct out *o)
{
	struct winsize ws;

	o->o_width = o->o_height = 0;
	if (!o->o_tty)
		return;
	o->o_width = 80;
	o->o_height = 24;
	if (ioctl(fileno(o->o_fp), TIOCGWINSZ, &ws) == 0 && ws.ws_col > 0) {
		o->o_width = ws.ws_col;
		o->o_height = ws.ws_row;
	}
}

void
out_init(struct out *o, FILE *fp)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	memset(o, 0, sizeof(*o));
	o->o_fp = fp;
	o->o_tty = isatty(fileno(fp));
	o->o_utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	/* Titles are UTF-8 in any case: widths need a locale that knows it. */
	if (!o->o_utf8)
		setlocale(LC_CTYPE, "C.UTF-8");
	o->o_colour = o->o_tty && (no == NULL || *no == '\0') &&
	    term != NULL && strcmp(term, "dumb") != 0;
	o->o_now = time(NULL);
	out_resize(o);
}

char *
escaped(const char *s)
{
	size_t size = strlen(s) * 4 + 9;
	char *dst;

	if ((dst = malloc(size)) != NULL)
		esc(dst, size, s);
	return (dst);
}

static void
out_raw(struct out *o, enum shade shade, const char *s, size_t len)
{
	int paint = o->o_colour && shade != SHADE_NONE && len > 0;

	if (paint)
		fputs(sgr[shade], o->o_fp);
	fwrite(s, 1, len, o->o_fp);
	if (paint)
		fputs("\033[0m", o->o_fp);
}

void
out_put(struct out *o, enum shade shade, const char *fmt, ...)
{
	va_list ap;
	char *raw = NULL, *safe;

	va_start(ap, fmt);
	if (vasprintf(&raw, fmt, ap) == -1)
		raw = NULL;
	va_end(ap);
	if (raw != NULL && (safe = escaped(raw)) != NULL) {
		out_raw(o, shade, safe, strlen(safe));
		free(safe);
	}
	free(raw);
}

void
out_nl(struct out *o)
{
	fputc('\n', o->o_fp);
}

/* How many bytes of s fit a line, broken at a space where there is one. */
static size_t
wrap_take(const char *s, size_t width)
{
	size_t n = text_fit(s, width, NULL), at;

	if (s[n] == '\0' || s[n] == ' ')
		return (n);
	for (at = n; at > 0 && s[at - 1] != ' '; at--)
		continue;
	return (at > 0 ? at : n > 0 ? n : 1);
}

void
out_wrap_escaped(struct out *o, enum shade shade, size_t indent,
    const char *text)
{
	const char *p = text;
	size_t width, n, len;

	width = o->o_width > 0 && (size_t)o->o_width > indent + 20 ?
	    (size_t)o->o_width - indent : 1U << 20;
	for (;;) {
		n = wrap_take(p, width);
		for (len = n; len > 0 && p[len - 1] == ' '; len--)
			continue;
		out_raw(o, shade, p, len);
		out_nl(o);
		p += n + strspn(p + n, " ");
		if (*p == '\0')
			break;
		fprintf(o->o_fp, "%*s", (int)indent, "");
	}
}

void
out_wrap(struct out *o, enum shade shade, size_t indent, const char *text)
{
	char *safe = escaped(text);

	if (safe != NULL)
		out_wrap_escaped(o, shade, indent, safe);
	free(safe);
}

void
out_text(struct out *o, size_t indent, const char *text)
{
	const char *end;
	char *line;
	size_t len, before = 0;

	for (; *text != '\0'; before = len) {
		end = strchrnul(text, '\n');
		len = (size_t)(end - text);
		if (len > 0 && text[len - 1] == '\r')
			len--;
		if ((line = strndup(text, len)) == NULL)
			return;
		text = *end == '\n' ? end + 1 : end;
		if (len > 0)
			fprintf(o->o_fp, "%*s", (int)indent, "");
		if (len > 0 || before > 0) {
			out_put(o, SHADE_NONE, "%s", line);
			out_nl(o);
		}
		free(line);
	}
}

const char *
out_arrow(const struct out *o)
{
	return (o->o_utf8 ? "→" : "->");
}
