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
#include <stdio.h>
#include <string.h>

#include <bsd/string.h>

#include "libcommon/log.h"
#include "engine.h"
#include "notice.h"
#include "outbox.h"
#include "task.h"
#include "tell.h"

static void
copy(char *dst, size_t len, sqlite3_stmt *q, int col)
{
	(void)strlcpy(dst, col_text(q, col), len);
}

#define COPY(field, col) copy(t->field, sizeof(t->field), q, col)

/* The columns of TASK_COLUMNS in statements.def, in their order. */
static void
task_fill(struct task *t, sqlite3_stmt *q)
{
	t->t_id = col_int(q, 0);
	COPY(t_key, 1);
	COPY(t_project, 2);
	COPY(t_title, 3);
	t->t_priority = col_int(q, 4);
	t->t_stage = stage_lookup(col_text(q, 5));
	t->t_seq = col_int(q, 6);
	t->t_since = col_int(q, 7);
	t->t_round = col_int(q, 8);
	t->t_rework = col_int(q, 9);
	t->t_epoch = col_int(q, 10);
	COPY(t_branch, 11);
	COPY(t_head, 12);
	COPY(t_tree, 13);
	COPY(t_published, 14);
	COPY(t_landed, 15);
	COPY(t_landed_tree, 16);
	COPY(t_previous, 17);
	t->t_agent_due = (int)col_int(q, 18);
	COPY(t_parked, 19);
	COPY(t_parked_reason, 20);
	t->t_cancel_at = col_int(q, 21);
	COPY(t_asked_gate, 22);
	COPY(t_asked_commit, 23);
	t->t_asked_at = col_int(q, 24);
	COPY(t_waits, 25);
	COPY(t_why, 26);
	t->t_drive_at = col_int(q, 27);
	t->t_retries = col_int(q, 28);
	COPY(t_status, 29);
	t->t_created = col_int(q, 30);
	t->t_fetched = (int)col_int(q, 31);
}

static enum store_res
task_read(sqlite3_stmt *q, struct task *t)
{
	enum store_res res;

	if ((res = store_step(eng.e_store, q)) == STORE_OK)
		task_fill(t, q);
	sqlite3_reset(q);
	return (res);
}

enum store_res
task_get(int64_t id, struct task *t)
{
	return (task_read(store_bind(eng.e_store, Q_TASK_GET, "i", id), t));
}

enum store_res
task_by_key(const char *key, struct task *t)
{
	return (task_read(store_bind(eng.e_store, Q_TASK_BY_KEY, "s", key),
	    t));
}

enum store_res
task_resolve(const char *name, struct task *t)
{
	sqlite3_stmt *q;
	enum store_res res;
	size_t i;

	if ((res = task_by_key(name, t)) != STORE_NONE)
		return (res);
	for (i = 0; name[i] != '\0'; i++)
		if (!isdigit((unsigned char)name[i]))
			return (STORE_NONE);
	q = store_bind(eng.e_store, Q_TASK_BY_NUMBER, "s", name);
	if ((res = store_step(eng.e_store, q)) != STORE_OK)
		return (res);
	task_fill(t, q);
	res = store_step(eng.e_store, q) == STORE_OK ? STORE_EXISTS :
	    STORE_OK;
	sqlite3_reset(q);
	return (res);
}

/* Words of the title that are safe in a branch name, at most 40 bytes. */
static void
slug(const char *title, char *buf, size_t len)
{
	size_t n = 0, i;

	for (i = 0; title[i] != '\0' && n + 1 < len && n < 40; i++) {
		unsigned char c = (unsigned char)title[i];

		if (c < 0x80 && isalnum(c))
			buf[n++] = (char)tolower(c);
		else if (n > 0 && buf[n - 1] != '-')
			buf[n++] = '-';
	}
	while (n > 0 && buf[n - 1] == '-')
		n--;
	buf[n] = '\0';
}

void
task_branch(const struct task *t, int64_t round, char *buf, size_t len)
{
	char words[64], tail[24] = "";

	slug(t->t_title, words, sizeof(words));
	if (round > 0)
		snprintf(tail, sizeof(tail), "-r%lld", (long long)round);
	snprintf(buf, len, "feature/%s%s%s%s", t->t_key,
	    words[0] != '\0' ? "-" : "", words, tail);
}

enum store_res
task_set_feedback(int64_t task, const char *reason, const char *text)
{
	static char buf[65536];
	enum store_res res;
	size_t len = text == NULL ? 0 : strlen(text);

	/* The end of a log says most. */
	if (len > sizeof(buf) - 4096)
		text += len - (sizeof(buf) - 4096);
	snprintf(buf, sizeof(buf), "%s\n\n%s", reason,
	    text == NULL ? "" : text);
	if ((res = store_run_one(eng.e_store, Q_TASK_FEEDBACK, "si", buf,
	    task)) != STORE_OK)
		return (res);
	return (tell_findings(task, reason, text));
}

enum store_res
task_park(const struct task *t, const char *how, const char *reason)
{
	char words[1000];	/* what an alert holds */
	enum store_res res;

	log_info("task %s: parked (%s): %s", t->t_key, how, reason);
	if ((res = store_run_one(eng.e_store, Q_TASK_PARK, "ssii", how,
	    reason, t->t_id, t->t_seq)) != STORE_OK ||
	    (res = tell_parked(t, reason)) != STORE_OK)
		return (res);
	tell_way_on(t, reason, words, sizeof(words));
	return (alert_raise("parked", t->t_key, "%s", words));
}

/* What the tracker shows for what a task waits for. */
static enum conf_status
status_of(const struct task *t, const char *waits)
{
	if (t->t_stage == STAGE_DONE)
		return (CONF_STATUS_DONE);
	if (t->t_stage == STAGE_CANCELLED)
		return (CONF_STATUS_CANCELLED);
	if (strcmp(t->t_parked, "needs_input") == 0)
		return (CONF_STATUS_NEEDS_INPUT);
	if (t->t_parked[0] != '\0')
		return (CONF_STATUS_BLOCKED);
	if (strcmp(waits, "person") == 0)
		return (CONF_STATUS_IN_REVIEW);
	return (CONF_STATUS_IN_PROGRESS);
}

static enum store_res
note_status(const struct task *t, const char *waits)
{
	enum conf_status status = status_of(t, waits);
	const char *name;
	char key[128];
	enum store_res res;

	if (t->t_stage == STAGE_CREATED)
		return (STORE_OK);
	name = conf_status_name(eng_project(t->t_project), status);
	if (strcmp(name, t->t_status) == 0)
		return (STORE_OK);
	if ((res = store_run_one(eng.e_store, Q_TASK_STATUS, "si", name,
	    t->t_id)) != STORE_OK)
		return (res);
	/* Two changes within one millisecond are two messages. */
	snprintf(key, sizeof(key), "status:%s:%lld:%lld:%d", t->t_key,
	    (long long)t->t_seq, (long long)eng_now(), (int)status);
	return (outbox_add("tracker", t, "status", key, name));
}

enum store_res
task_note(const struct task *t, const char *waits, const char *why,
    int64_t drive_at)
{
	enum store_res res;

	if (strcmp(t->t_waits, waits) != 0 || strcmp(t->t_why, why) != 0 ||
	    t->t_drive_at != drive_at) {
		res = store_run_one(eng.e_store, Q_TASK_NOTE, "ssIii", waits,
		    why, drive_at == 0 ? NULL : &drive_at, t->t_id,
		    eng_now());
		if (res != STORE_OK)
			return (res);
	}
	return (note_status(t, waits));
}
