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
#include <string.h>
#include <time.h>
#include <wchar.h>

#include "orchctl.h"

char *
human_span(int64_t s, char *buf, size_t len)
{
	const char *unit = "s";

	if (s < 0)
		s = 0;
	if (s >= 48 * 3600) {
		s /= 86400;
		unit = "d";
	} else if (s >= 90 * 60) {
		s /= 3600;
		unit = "h";
	} else if (s >= 60) {
		s /= 60;
		unit = "min";
	}
	snprintf(buf, len, "%" PRId64 " %s", s, unit);
	return (buf);
}

char *
human_ms(int64_t ms, char *buf, size_t len)
{
	if (ms < 0 || ms >= 10000)
		return (human_span(ms / 1000, buf, len));
	snprintf(buf, len, "%" PRId64 ".%" PRId64 " s", ms / 1000,
	    ms % 1000 / 100);
	return (buf);
}

char *
human_cost(int64_t micros, char *buf, size_t len)
{
	int64_t cents;

	if (micros < 0)
		micros = 0;
	cents = micros / 10000 + (micros % 10000 >= 5000);
	snprintf(buf, len, "%" PRId64 ".%02" PRId64 " USD", cents / 100,
	    cents % 100);
	return (buf);
}

/* The offset at the end of a time: "Z" or "+02:00"; -1 when it is neither. */
static int
zone_parse(const char *p, long *offset)
{
	int h, m;
	char sign, end;

	*offset = 0;
	if (p[0] == 'Z' && p[1] == '\0')
		return (0);
	if (sscanf(p, "%c%2d:%2d%c", &sign, &h, &m, &end) != 3 ||
	    (sign != '+' && sign != '-') || h < 0 || h > 23 || m < 0 || m > 59)
		return (-1);
	*offset = (h * 60L + m) * 60L * (sign == '-' ? -1 : 1);
	return (0);
}

time_t
stamp_parse(const json_t *obj, const char *key)
{
	const json_t *v = json_object_get(obj, key);
	const char *p;
	struct tm tm;
	long offset;

	if (json_is_integer(v)) {
		json_int_t n = json_integer_value(v);

		/* Seconds reach this number in the year 5138. */
		return ((time_t)(n > 100000000000LL ? n / 1000 : n));
	}
	memset(&tm, 0, sizeof(tm));
	if (!json_is_string(v) || (p = strptime(json_string_value(v),
	    "%Y-%m-%dT%H:%M:%S", &tm)) == NULL)
		return (-1);
	if (*p == '.')
		p += 1 + strspn(p + 1, "0123456789");
	if (zone_parse(p, &offset) == -1)
		return (-1);
	return (timegm(&tm) - offset);
}

char *
human_clock(time_t now, time_t t, char *buf, size_t len)
{
	struct tm tm, today;

	if (t == -1 || localtime_r(&t, &tm) == NULL ||
	    localtime_r(&now, &today) == NULL)
		snprintf(buf, len, "-");
	else if (tm.tm_year == today.tm_year && tm.tm_yday == today.tm_yday)
		strftime(buf, len, "%H:%M:%S", &tm);
	else if (tm.tm_year == today.tm_year)
		strftime(buf, len, "%m-%d %H:%M", &tm);
	else
		strftime(buf, len, "%Y-%m-%d", &tm);
	return (buf);
}

char *
human_since(time_t now, const json_t *obj, const char *key, char *buf,
    size_t len)
{
	time_t t = stamp_parse(obj, key);

	if (t == -1)
		snprintf(buf, len, "-");
	else
		human_span((int64_t)(now - t), buf, len);
	return (buf);
}

size_t
text_fit(const char *s, size_t width, size_t *used)
{
	mbstate_t st;
	size_t n, off = 0, cols = 0, left = strlen(s);
	wchar_t wc;
	int w;

	memset(&st, 0, sizeof(st));
	while (left > 0) {
		n = mbrtowc(&wc, s + off, left, &st);
		if (n == (size_t)-1 || n == (size_t)-2 || n == 0) {
			memset(&st, 0, sizeof(st));
			n = 1;
			w = 1;
		} else if ((w = wcwidth(wc)) < 0)
			w = 1;
		if (cols + (size_t)w > width)
			break;
		cols += (size_t)w;
		off += n;
		left -= n;
	}
	if (used != NULL)
		*used = cols;
	return (off);
}

size_t
text_width(const char *s)
{
	size_t used;

	text_fit(s, SIZE_MAX / 2, &used);
	return (used);
}

char *
human_ids(const char *text, char *buf, size_t len)
{
	size_t n, keep, off = 0;

	while (*text != '\0' && off + 1 < len) {
		n = strspn(text, "0123456789abcdef");
		keep = n == 40 || n == 64 ? 7 : n > 0 ? n : 1;
		if (n == 0)
			n = 1;
		if (keep > len - off - 1)
			keep = len - off - 1;
		memcpy(buf + off, text, keep);
		off += keep;
		text += n;
	}
	buf[off] = '\0';
	return (buf);
}

const char *
short_id(const char *commit)
{
	static char bufs[8][8];
	static unsigned int next;
	char *b = bufs[next++ % 8];

	if (commit == NULL || *commit == '\0')
		return ("-");
	snprintf(b, sizeof(bufs[0]), "%.7s", commit);
	return (b);
}
