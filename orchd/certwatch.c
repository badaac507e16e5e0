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
#include <string.h>
#include <time.h>

#include <bsd/stdlib.h>
#include <bsd/string.h>

#include "certificate.h"
#include "certwatch.h"
#include "engine.h"
#include "notice.h"

#define KIND		"certificate"
#define DAY_MS		86400000LL
#define CLEAR_MAX	32	/* in one go */

static struct {
	struct strlist	w_certs;	/* "END FILE" */
	int64_t		w_looked;	/* 0: look now */
} watch;

/* When it ends, in milliseconds; *file is its file.  -1: it is no such line. */
static int64_t
end_of(const char *line, const char **file)
{
	const char *space = strchr(line, ' '), *bad;
	char number[24];
	int64_t s;

	if (space == NULL || (size_t)(space - line) >= sizeof(number))
		return (-1);
	(void)strlcpy(number, line, (size_t)(space - line) + 1);
	s = strtonum(number, 0, INT64_MAX / 1000, &bad);
	*file = space + 1;
	return (bad != NULL ? -1 : s * 1000);
}

void
certwatch_take(const struct orch_strs *certs)
{
	const char *s = NULL;

	strlist_free(&watch.w_certs);
	while ((s = orch_strs_next(certs, s)) != NULL)
		strlist_add(&watch.w_certs, s);
	watch.w_looked = 0;
}

static int
is_soon(int64_t end)
{
	return (end - eng_now() < CERTIFICATE_SOON_DAYS * DAY_MS);
}

static enum store_res
say_end(const char *file, int64_t end)
{
	time_t t = (time_t)(end / 1000);
	int64_t left = end - eng_now();
	char date[40] = "", when[80];
	struct tm tm;

	if (gmtime_r(&t, &tm) != NULL)
		(void)strftime(date, sizeof(date), "%Y-%m-%d %H:%M UTC",
		    &tm);
	if (left < 0)
		snprintf(when, sizeof(when), "is over since %s", date);
	else
		snprintf(when, sizeof(when), "ends on %s, %lld %s from now",
		    date, (long long)(left / DAY_MS),
		    left / DAY_MS == 1 ? "day" : "days");
	return (alert_raise(KIND, file, "the certificate in %.700s, which is "
	    "served, %s%s. Renew it there, then: orchctl reload", file, when,
	    left < 0 ? ": senders refuse it and deliver nothing" :
	    "; after that senders refuse it"));
}

/* Is a file's certificate, as it is served, one that ends soon? */
static int
is_told(const char *subject)
{
	const char *file;
	int64_t end;
	size_t i;

	for (i = 0; i < watch.w_certs.sl_n; i++)
		if ((end = end_of(watch.w_certs.sl_v[i], &file)) != -1 &&
		    strcmp(file, subject) == 0 && is_soon(end))
			return (1);
	return (0);
}

/* Those that were renewed, or that no listener has any more. */
static int
clear_renewed(void)
{
	struct strlist over = { NULL, 0 };
	sqlite3_stmt *q;
	size_t i;
	int rv = 0;

	q = store_bind(eng.e_store, Q_ALERTS_OF_KIND, "s", KIND);
	while (over.sl_n < CLEAR_MAX && store_step(eng.e_store, q) == STORE_OK)
		if (!is_told(col_text(q, 0)))
			strlist_add(&over, col_text(q, 0));
	sqlite3_reset(q);
	for (i = 0; i < over.sl_n && rv == 0; i++)
		if (alert_clear(KIND, over.sl_v[i]) != STORE_OK)
			rv = -1;
	strlist_free(&over);
	return (rv);
}

int
certwatch_look(void)
{
	int64_t now = eng_now(), end;
	const char *file;
	size_t i;

	if (watch.w_looked != 0 && watch.w_looked <= now &&
	    now - watch.w_looked < DAY_MS)
		return (0);
	if (clear_renewed() == -1)
		return (-1);
	for (i = 0; i < watch.w_certs.sl_n; i++) {
		end = end_of(watch.w_certs.sl_v[i], &file);
		if (end != -1 && is_soon(end) && say_end(file, end) !=
		    STORE_OK)
			return (-1);
	}
	watch.w_looked = now;
	return (0);
}
