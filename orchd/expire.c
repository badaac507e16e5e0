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


#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "libcommon/log.h"
#include "engine.h"
#include "expire.h"

#define DAY_MS	(86400LL * 1000)

static int
expire_events(int64_t before)
{
	if (store_int(eng.e_store, 0, Q_EVENTS_OLD, "i", before) == 0)
		return (0);
	return (store_run(eng.e_store, Q_REPLAYS_FORGET, "i", before) ==
	    STORE_OK && store_run(eng.e_store, Q_EVENTS_FORGET, "i",
	    before) == STORE_OK ? 0 : -1);
}

static int
expire_alerts(int64_t before)
{
	if (store_int(eng.e_store, 0, Q_ALERTS_OLD, "i", before) == 0)
		return (0);
	return (store_run(eng.e_store, Q_ALERTS_FORGET, "i", before) ==
	    STORE_OK ? 0 : -1);
}

/* What was told of a task that has ended, or of none; parked rows stay. */
static int
expire_messages(int64_t before)
{
	if (store_int(eng.e_store, 0, Q_DELIVERED_OLD, "i", before) == 0)
		return (0);
	return (store_run(eng.e_store, Q_DELIVERED_FORGET, "i", before) ==
	    STORE_OK ? 0 : -1);
}

static void
remove_log(int64_t run)
{
	char path[1200];

	snprintf(path, sizeof(path), "%s/log/%" PRId64 ".log",
	    eng.e_conf->cf_state, run);
	if (unlink(path) == -1 && errno != ENOENT)
		log_warn("%s", path);
}

/*
 * In the order of their numbers, up to the first that has not ended or is
 * younger; how far is kept, so that nobody looks at them all each time.
 */
static int
expire_logs(int64_t before)
{
	int64_t from = store_int(eng.e_store, 0, Q_SETTING_GET, "s",
	    "logs_expired"), last = from, ended;
	char number[24];
	sqlite3_stmt *q;

	q = store_bind(eng.e_store, Q_RUNS_NEXT, "i", from);
	while (store_step(eng.e_store, q) == STORE_OK) {
		ended = col_int(q, 1);
		if (ended == 0 || ended >= before)
			break;
		last = col_int(q, 0);
		remove_log(last);
	}
	sqlite3_reset(q);
	if (last == from)
		return (0);
	snprintf(number, sizeof(number), "%" PRId64, last);
	return (store_run(eng.e_store, Q_SETTING, "ss", "logs_expired",
	    number) == STORE_OK ? 0 : -1);
}

int
expire(void)
{
	int64_t before = eng_now() - DAY_MS * conf_int(eng.e_conf, NULL,
	    OPT_LOG_KEEP_DAYS);

	return (expire_events(before) == -1 || expire_alerts(before) == -1 ||
	    expire_messages(before) == -1 || expire_logs(before) == -1 ? -1 :
	    0);
}
