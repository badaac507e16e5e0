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

#include "engine.h"
#include "query.h"
#include "runs.h"

/* Documents about one task. */

static json_t *
history(const struct task *t)
{
	json_t *list = json_array();
	sqlite3_stmt *q;

	q = store_bind(eng.e_store, Q_TRANSITIONS, "i", t->t_id);
	while (store_step(eng.e_store, q) == STORE_OK)
		json_array_append_new(list, json_pack("{s:I, s:s, s:s, s:o, "
		    "s:I, s:o, s:o}", "seq", (json_int_t)col_int(q, 0),
		    "from", col_text(q, 1), "to", col_text(q, 2), "actor",
		    json_text(col_text(q, 3)), "epoch",
		    (json_int_t)col_int(q, 4), "reason",
		    json_text(col_text(q, 5)), "at",
		    json_time(col_int(q, 6))));
	return (list);
}

json_t *
query_history(const struct task *t)
{
	return (json_pack("{s:s, s:o}", "id", t->t_key, "history",
	    history(t)));
}

static json_t *
gates(const struct task *t)
{
	json_t *list = json_array();
	sqlite3_stmt *q;

	q = store_bind(eng.e_store, Q_GATES_OF_TASK, "i", t->t_id);
	while (store_step(eng.e_store, q) == STORE_OK)
		json_array_append_new(list, json_pack("{s:s, s:s, s:o, s:s, "
		    "s:s, s:o, s:I, s:I, s:I, s:I}", "gate", col_text(q, 0),
		    "verdict", col_text(q, 1), "reason",
		    json_text(col_text(q, 2)), "commit", col_text(q, 3),
		    "tree", col_text(q, 4), "at", json_time(col_int(q, 5)),
		    "duration_ms", (json_int_t)col_int(q, 6), "run",
		    (json_int_t)col_int(q, 7), "stage_seq",
		    (json_int_t)col_int(q, 8), "round",
		    (json_int_t)col_int(q, 9)));
	return (list);
}

json_t *
query_gates(const struct task *t)
{
	return (json_pack("{s:s, s:o}", "id", t->t_key, "gates", gates(t)));
}

static json_t *
one_run(sqlite3_stmt *q)
{
	json_t *code = sqlite3_column_type(q, 6) == SQLITE_NULL ?
	    json_null() : json_integer((json_int_t)col_int(q, 6));

	return (json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:o, s:I, s:b, "
	    "s:o, s:o, s:o, s:I, s:I, s:I, s:I}", "id",
	    (json_int_t)col_int(q, 0), "kind", col_text(q, 1), "role",
	    col_text(q, 2), "gate", col_text(q, 3), "work", col_text(q, 4),
	    "status", col_text(q, 5), "exit_code", code, "signal",
	    (json_int_t)col_int(q, 7), "timed_out", (int)col_int(q, 8),
	    "started", json_time(col_int(q, 9)), "ended",
	    json_time(col_int(q, 10)), "reason", json_text(col_text(q, 11)),
	    "tokens_in", (json_int_t)col_int(q, 12), "tokens_out",
	    (json_int_t)col_int(q, 13), "cost_micros",
	    (json_int_t)col_int(q, 14), "attempt",
	    (json_int_t)col_int(q, 15)));
}

static json_t *
runs(const struct task *t)
{
	json_t *list = json_array();
	sqlite3_stmt *q;

	q = store_bind(eng.e_store, Q_RUNS_OF_TASK, "i", t->t_id);
	while (store_step(eng.e_store, q) == STORE_OK)
		json_array_append_new(list, one_run(q));
	return (list);
}

static json_t *
effects(const struct task *t)
{
	json_t *list = json_array();
	sqlite3_stmt *q;

	q = store_bind(eng.e_store, Q_EFFECTS_OF_TASK, "i", t->t_id);
	while (store_step(eng.e_store, q) == STORE_OK)
		json_array_append_new(list, json_pack("{s:I, s:s, s:s, s:I, "
		    "s:s, s:I, s:o, s:o}", "id", (json_int_t)col_int(q, 0),
		    "name", col_text(q, 1), "key", col_text(q, 2), "class",
		    (json_int_t)col_int(q, 3), "state", col_text(q, 4),
		    "epoch", (json_int_t)col_int(q, 5), "evidence",
		    json_text(col_text(q, 6)), "at",
		    json_time(col_int(q, 7))));
	return (list);
}

static json_t *
settlements(const struct task *t)
{
	json_t *list = json_array();
	sqlite3_stmt *q;

	q = store_bind(eng.e_store, Q_SETTLEMENTS_OF_TASK, "i", t->t_id);
	while (store_step(eng.e_store, q) == STORE_OK)
		json_array_append_new(list, json_pack("{s:s, s:s, s:o, s:o, "
		    "s:o}", "key", col_text(q, 0), "outcome", col_text(q, 1),
		    "actor", json_text(col_text(q, 2)), "reason",
		    json_text(col_text(q, 3)), "at",
		    json_time(col_int(q, 4))));
	return (list);
}

static json_t *
approvals(const struct task *t)
{
	json_t *list = json_array();
	sqlite3_stmt *q;

	q = store_bind(eng.e_store, Q_APPROVALS_OF_TASK, "i", t->t_id);
	while (store_step(eng.e_store, q) == STORE_OK)
		json_array_append_new(list, json_pack("{s:s, s:s, s:o, s:s, "
		    "s:o, s:o}", "gate", col_text(q, 0), "decision",
		    col_text(q, 1), "actor", json_text(col_text(q, 2)),
		    "commit", col_text(q, 3), "text",
		    json_text(col_text(q, 4)), "at",
		    json_time(col_int(q, 5))));
	return (list);
}

static json_t *
comments(const struct task *t)
{
	json_t *list = json_array();
	sqlite3_stmt *q;

	q = store_bind(eng.e_store, Q_ITEM_COMMENTS, "i", t->t_id);
	while (store_step(eng.e_store, q) == STORE_OK)
		json_array_append_new(list, json_pack("{s:o, s:o, s:o}",
		    "author", json_text(col_text(q, 0)), "text",
		    json_text(col_text(q, 1)), "at",
		    json_time(col_int(q, 2))));
	return (list);
}

static json_t *
records(const struct task *t)
{
	json_t *list = json_array();
	sqlite3_stmt *q;

	q = store_bind(eng.e_store, Q_RECORDS_OF_TASK, "i", t->t_id);
	while (store_step(eng.e_store, q) == STORE_OK)
		json_array_append_new(list, json_pack("{s:s, s:o, s:o, s:I}",
		    "name", col_text(q, 0), "text", json_text(col_text(q, 1)),
		    "at", json_time(col_int(q, 2)), "round",
		    (json_int_t)col_int(q, 3)));
	return (list);
}

static json_t *
alerts(const struct task *t)
{
	json_t *list = json_array();
	sqlite3_stmt *q;

	q = store_bind(eng.e_store, Q_ALERTS_OF_TASK, "s", t->t_key);
	while (store_step(eng.e_store, q) == STORE_OK)
		json_array_append_new(list, json_pack("{s:I, s:s, s:s, s:o, "
		    "s:o, s:I}", "id", (json_int_t)col_int(q, 0), "kind",
		    col_text(q, 1), "subject", col_text(q, 2), "text",
		    json_text(col_text(q, 3)), "since",
		    json_time(col_int(q, 4)), "count",
		    (json_int_t)col_int(q, 5)));
	return (list);
}

/* Its pull request at a forge elsewhere; NULL: none was seen. */
static json_t *
pull_there(const struct task *t)
{
	static const char *const names[] = { [PULL_NONE] = "none",
	    [PULL_IS_OPEN] = "open", [PULL_IS_MERGED] = "merged",
	    [PULL_IS_CLOSED] = "closed" };
	json_t *j = NULL;
	sqlite3_stmt *q;
	int64_t state;

	q = store_bind(eng.e_store, Q_PULL_SEEN, "ss", t->t_project,
	    t->t_branch);
	if (store_step(eng.e_store, q) == STORE_OK) {
		state = col_int(q, 1);
		j = json_pack("{s:I, s:s, s:s, s:o}", "number",
		    (json_int_t)col_int(q, 0), "state", names[state >
		    PULL_IS_CLOSED || state < 0 ? PULL_NONE : state],
		    "branch", t->t_branch, "page", json_text(col_text(q, 3)));
	}
	sqlite3_reset(q);
	return (j);
}

static json_t *
pull(const struct task *t)
{
	json_t *j = pull_there(t);
	sqlite3_stmt *q;

	if (j != NULL)
		return (j);
	j = json_null();
	q = store_bind(eng.e_store, Q_PULL_OF_TASK, "i", t->t_id);
	if (store_step(eng.e_store, q) == STORE_OK)
		j = json_pack("{s:I, s:s, s:s}", "number",
		    (json_int_t)col_int(q, 0), "state", col_text(q, 1),
		    "branch", col_text(q, 2));
	sqlite3_reset(q);
	return (j);
}

/* Seconds waited until now, by what for. */
static json_t *
waited(const struct task *t)
{
	json_t *o = json_object();
	sqlite3_stmt *q;

	q = store_bind(eng.e_store, Q_WAITED_OF_TASK, "ii", t->t_id,
	    eng_now());
	while (store_step(eng.e_store, q) == STORE_OK)
		json_object_set_new(o, col_text(q, 0), json_integer(
		    (json_int_t)(col_int(q, 1) / 1000)));
	return (o);
}

static json_t *
request(const struct task *t)
{
	json_t *j = NULL;
	sqlite3_stmt *q;

	q = store_bind(eng.e_store, Q_TASK_TEXTS, "i", t->t_id);
	if (store_step(eng.e_store, q) == STORE_OK)
		j = json_text(col_text(q, 0));
	sqlite3_reset(q);
	return (j == NULL ? json_null() : j);
}

json_t *
query_show(const struct task *t)
{
	char why[2400], path[128];
	const char *waits;
	json_t *head, *lists;

	task_why(t, why, sizeof(why), &waits);
	task_asked_path(t, path, sizeof(path));
	head = json_pack("{s:s, s:s, s:o, s:s, s:I, s:I, s:I, s:s, s:s, s:s, "
	    "s:s, s:s, s:s, s:s, s:s, s:b, s:o, s:b, s:o, s:o, s:s, s:I}",
	    "id", t->t_key, "project", t->t_project, "title",
	    json_text(t->t_title), "stage", stage_name(t->t_stage),
	    "stage_seq", (json_int_t)t->t_seq, "round",
	    (json_int_t)t->t_round, "rework", (json_int_t)t->t_rework,
	    "branch", t->t_branch, "head", t->t_head, "tree", t->t_tree,
	    "published", t->t_published, "landed", t->t_landed, "asked_gate",
	    t->t_asked_gate, "asked_commit", t->t_asked_commit, "asked_path",
	    path, "parked", t->t_parked[0] != '\0', "parked_reason",
	    json_text(t->t_parked_reason), "cancel_requested",
	    t->t_cancel_at != 0 && !stage_is_terminal(t->t_stage), "created",
	    json_time(t->t_created), "why",
	    json_text(why), "waits", waits, "epoch", (json_int_t)t->t_epoch);
	lists = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
	    "s:o, s:o, s:s, s:o}", "request", request(t), "pull",
	    pull(t), "gates", gates(t), "runs", runs(t), "history",
	    history(t), "effects", effects(t), "settlements",
	    settlements(t), "approvals",
	    approvals(t), "comments", comments(t),
	    "records", records(t), "alerts", alerts(t), "tracker_status",
	    t->t_status, "waited_s", waited(t));
	if (head != NULL && lists != NULL)
		json_object_update(head, lists);
	json_decref(lists);
	return (head);
}
