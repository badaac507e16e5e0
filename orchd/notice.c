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

#include "libcommon/log.h"
#include "engine.h"
#include "notice.h"

enum store_res
alert_raise(const char *kind, const char *subject, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_warnx("alert %s: %s: %s", kind, subject, text);
	return (store_run(eng.e_store, Q_ALERT_RAISE, "sssi", kind, subject,
	    text, eng_now()));
}

int
alert_is_open(const char *kind, const char *subject)
{
	return (store_int(eng.e_store, 0, Q_ALERT_IS_OPEN, "ss", kind,
	    subject) > 0);
}

enum store_res
alert_clear(const char *kind, const char *subject)
{
	return (store_run(eng.e_store, Q_ALERT_CLEAR, "iss", eng_now(), kind,
	    subject));
}

enum store_res
outbox_add(const char *dest, const struct task *t, const char *kind,
    const char *key, const char *text)
{
	return (store_run(eng.e_store, Q_OUTBOX_ADD, "sisssii", dest, t->t_id,
	    kind, key, text, eng_now(), eng_now()));
}
