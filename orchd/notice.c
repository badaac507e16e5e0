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
#include <string.h>

#include <bsd/string.h>

#include "libcommon/log.h"
#include "libcommon/redact.h"
#include "engine.h"
#include "notice.h"
#include "tell.h"

static int64_t
cooldown_ms(void)
{
	return (1000 * conf_int(eng.e_conf, NULL, OPT_WATCH_COOLDOWN_S));
}

/* An open alert. */
struct alert {
	int64_t	al_id;
	int64_t	al_count;
	int64_t	al_told;	/* when; 0: nobody was */
	char	al_text[1024];
};

static enum store_res
alert_get(const char *kind, const char *subject, struct alert *al)
{
	enum store_res res;
	sqlite3_stmt *q;

	q = store_bind(eng.e_store, Q_ALERT_GET, "ss", kind, subject);
	if ((res = store_step(eng.e_store, q)) == STORE_OK) {
		al->al_id = col_int(q, 0);
		strlcpy(al->al_text, col_text(q, 1), sizeof(al->al_text));
		al->al_count = col_int(q, 2);
		al->al_told = col_int(q, 3);
	}
	sqlite3_reset(q);
	return (res);
}

/* The task that an alert is about; NULL: it is about something else. */
static const struct task *
task_of(const char *subject)
{
	static struct task t;

	return (task_by_key(subject, &t) == STORE_OK ? &t : NULL);
}

/* Tell people, unless they were told of the same within the cool-down. */
static enum store_res
alert_tell(const char *kind, const char *subject)
{
	char key[64], words[1400];
	struct alert al;
	enum store_res res;
	int64_t last;

	if (!tell_anybody())
		return (STORE_OK);
	last = store_int(eng.e_store, 0, Q_ALERT_TOLD_LAST, "ss", kind,
	    subject);
	if (last != 0 && eng_now() - last < cooldown_ms())
		return (STORE_OK);
	if ((res = alert_get(kind, subject, &al)) != STORE_OK)
		return (res);
	snprintf(key, sizeof(key), "alert:%lld:%lld", (long long)al.al_id,
	    (long long)al.al_count);
	snprintf(words, sizeof(words), "Alert %s, %s: %s", kind, subject,
	    al.al_text);
	if ((res = tell_people(task_of(subject), "alert", key, words)) !=
	    STORE_OK)
		return (res);
	return (store_run(eng.e_store, Q_ALERT_TOLD, "ii", eng_now(),
	    al.al_id));
}

enum store_res
alert_raise(const char *kind, const char *subject, const char *fmt, ...)
{
	char text[1024];
	enum store_res res;
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	n = redact_cut(text, strlen(text));
	text[n] = '\0';
	log_warnx("alert %s: %s: %s", kind, subject, text);
	res = store_run(eng.e_store, Q_ALERT_RAISE, "sssi", kind, subject,
	    text, eng_now());
	return (res == STORE_OK ? alert_tell(kind, subject) : res);
}

int
alert_is_open(const char *kind, const char *subject)
{
	return (store_int(eng.e_store, 0, Q_ALERT_IS_OPEN, "ss", kind,
	    subject) > 0);
}

/* Who was told that it is there is told once that it is over. */
static enum store_res
alert_over(const char *kind, const char *subject)
{
	char key[64], words[1400];
	enum store_res res;
	struct alert al;

	if ((res = alert_get(kind, subject, &al)) == STORE_NONE)
		return (STORE_OK);
	if (res != STORE_OK || al.al_told == 0)
		return (res);
	snprintf(key, sizeof(key), "alert:%lld:over", (long long)al.al_id);
	snprintf(words, sizeof(words), "Over: alert %s, %s. It said: %s",
	    kind, subject, al.al_text);
	return (tell_people(task_of(subject), "recovery", key, words));
}

enum store_res
alert_clear(const char *kind, const char *subject)
{
	enum store_res res;

	if ((res = alert_over(kind, subject)) != STORE_OK)
		return (res);
	return (store_run(eng.e_store, Q_ALERT_CLEAR, "iss", eng_now(), kind,
	    subject));
}

int
alerts_look(void)
{
	char kinds[32][40], subjects[32][1100];	/* a path */
	sqlite3_stmt *q;
	size_t i, n = 0;

	if (!tell_anybody())
		return (0);
	q = store_bind(eng.e_store, Q_ALERTS_UNTOLD, "i", eng_now() -
	    cooldown_ms());
	while (n < 32 && store_step(eng.e_store, q) == STORE_OK) {
		strlcpy(kinds[n], col_text(q, 0), sizeof(kinds[n]));
		strlcpy(subjects[n], col_text(q, 1), sizeof(subjects[n]));
		n++;
	}
	sqlite3_reset(q);
	for (i = 0; i < n; i++)
		if (alert_tell(kinds[i], subjects[i]) != STORE_OK)
			return (-1);
	return (0);
}
