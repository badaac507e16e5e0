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

#ifndef ORCHD_NOTICE_H
#define ORCHD_NOTICE_H

/* What people are told: alerts and the outbox. */

#include <stdint.h>

#include "store.h"
#include "task.h"

/* Raise an alert, or count it again while it is open. */
enum store_res	 alert_raise(const char *kind, const char *subject,
		    const char *fmt, ...)
		    __attribute__((format(printf, 3, 4)));

/* Is it open now?  For what is looked at each second and told once. */
int		 alert_is_open(const char *kind, const char *subject);

/* The reason is gone. */
enum store_res	 alert_clear(const char *kind, const char *subject);

/*
 * Store a message to the tracker, in the commit that causes it.  key
 * makes it unique: the same key twice is one message.
 */
enum store_res	 outbox_add(const char *dest, const struct task *,
		    const char *kind, const char *key, const char *text);

#endif
