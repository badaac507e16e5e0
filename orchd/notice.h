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

/*
 * Alerts.  Each has an identity, its kind and subject: raised again while it
 * is open it is counted.  People are told when it is raised, but not more often
 * than watch_cooldown_s, and once when it is over, if they were told of it.
 */

#include <stdint.h>

#include "store.h"
#include "task.h"

/*
 * Raise an alert, or count it again while it is open.  The text says where,
 * why, and what to do.
 */
enum store_res	 alert_raise(const char *kind, const char *subject,
		    const char *fmt, ...)
		    __attribute__((format(printf, 3, 4)));

/* Is it open now?  For what is looked at each second and told once. */
int		 alert_is_open(const char *kind, const char *subject);

/* The reason is gone. */
enum store_res	 alert_clear(const char *kind, const char *subject);

/* Every second: tell of what is open and was held back by a cool-down.  -1. */
int		 alerts_look(void);

#endif
