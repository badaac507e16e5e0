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
#include <stddef.h>
#include <string.h>
#include <time.h>

#include "isotime.h"

/* n digits at *p as a number in [min, max]; *p goes behind them.  -1: not. */
static int
digits(const char **p, size_t n, int min, int max)
{
	int v = 0;

	for (; n > 0; n--, (*p)++) {
		if (!isdigit((unsigned char)**p))
			return (-1);
		v = v * 10 + (**p - '0');
	}
	return (v < min || v > max ? -1 : v);
}

static int
expect(const char **p, const char *any)
{
	if (**p == '\0' || strchr(any, **p) == NULL)
		return (-1);
	(*p)++;
	return (0);
}

/* ".123456" or nothing, in milliseconds. */
static int
fraction(const char **p)
{
	int ms = 0, scale = 100;

	if (**p != '.')
		return (0);
	for ((*p)++; isdigit((unsigned char)**p); (*p)++, scale /= 10)
		ms += (**p - '0') * scale;
	return (ms);
}

/* 'Z' or an offset, in seconds, and then the end of the text. */
static int
zone(const char *p, int *seconds)
{
	int sign = *p == '-' ? -1 : 1, h, m;

	*seconds = 0;
	if (strcmp(p, "Z") == 0)
		return (0);
	if (expect(&p, "+-") == -1 || (h = digits(&p, 2, 0, 23)) == -1 ||
	    expect(&p, ":") == -1 || (m = digits(&p, 2, 0, 59)) == -1 ||
	    *p != '\0')
		return (-1);
	*seconds = sign * (h * 3600 + m * 60);
	return (0);
}

int
isotime_ms(const char *p, int64_t *ms)
{
	struct tm tm;
	int part, offset;
	time_t t;

	memset(&tm, 0, sizeof(tm));
	if ((tm.tm_year = digits(&p, 4, 1970, 9999) - 1900) < 0 ||
	    expect(&p, "-") == -1 ||
	    (tm.tm_mon = digits(&p, 2, 1, 12) - 1) < 0 ||
	    expect(&p, "-") == -1 ||
	    (tm.tm_mday = digits(&p, 2, 1, 31)) == -1 ||
	    expect(&p, "Tt ") == -1 ||
	    (tm.tm_hour = digits(&p, 2, 0, 23)) == -1 ||
	    expect(&p, ":") == -1 ||
	    (tm.tm_min = digits(&p, 2, 0, 59)) == -1 ||
	    expect(&p, ":") == -1 ||
	    (tm.tm_sec = digits(&p, 2, 0, 60)) == -1)
		return (-1);
	part = fraction(&p);
	if (zone(p, &offset) == -1 || (t = timegm(&tm)) - offset < 0)
		return (-1);
	*ms = ((int64_t)t - offset) * 1000 + part;
	return (0);
}
