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

#include "store.h"

/*
 * What must hold in any database of orchd, at any time: each query
 * lists what breaks its rule.
 */
static const struct {
	const char	*i_rule;
	const char	*i_sql;	/* columns: what */
} invariants[] = {
	{ "a task's history is a chain that ends in its stage",
	    "SELECT t.key FROM task t WHERE t.stage <> ifnull((SELECT "
	    "h.to_stage FROM transition h WHERE h.task = t.id ORDER BY h.seq "
	    "DESC LIMIT 1), 'created') OR t.stage_seq <> 1 + (SELECT "
	    "count(*) FROM transition h WHERE h.task = t.id)" },
	{ "each move begins where the last one ended",
	    "SELECT t.key || ' seq ' || h.seq FROM transition h JOIN task t "
	    "ON t.id = h.task WHERE h.from_stage <> ifnull((SELECT "
	    "p.to_stage FROM transition p WHERE p.task = h.task AND p.seq < "
	    "h.seq ORDER BY p.seq DESC LIMIT 1), 'created')" },
	{ "nothing leaves done or cancelled",
	    "SELECT t.key FROM transition h JOIN task t ON t.id = h.task "
	    "WHERE h.from_stage IN ('done', 'cancelled')" },
	{ "epochs of a task's moves never go down",
	    "SELECT t.key || ' seq ' || h.seq FROM transition h JOIN "
	    "transition p ON p.task = h.task AND p.seq = h.seq - 1 JOIN "
	    "task t ON t.id = h.task WHERE h.epoch < p.epoch" },
	{ "a lease belongs to a live run and has the last epoch",
	    "SELECT t.key FROM lease l JOIN task t ON t.id = l.task JOIN "
	    "run r ON r.id = l.run WHERE l.epoch <> t.epoch OR r.status NOT "
	    "IN ('starting', 'running', 'exited') OR r.task <> l.task" },
	{ "a merge lane is held under its task's lease",
	    "SELECT m.project FROM merge_lease m LEFT JOIN lease l ON "
	    "l.task = m.task AND l.epoch = m.epoch WHERE l.task IS NULL" },
	{ "a round merges once",
	    "SELECT t.key || ' round ' || e.key FROM effect e JOIN task t "
	    "ON t.id = e.task JOIN effect o ON o.task = e.task AND o.id < "
	    "e.id AND o.name = 'merge' AND o.state = 'done' AND "
	    "substr(o.key, 1, length(o.key) - 40) = "
	    "substr(e.key, 1, length(e.key) - 40) "
	    "WHERE e.name = 'merge' AND e.state = 'done'" },
	{ "a commit is deployed once for a task",
	    "SELECT t.key || ' ' || d.revision FROM deploy d JOIN deploy o "
	    "ON o.task = d.task AND o.revision = d.revision AND o.id < d.id "
	    "JOIN task t ON t.id = d.task" },
	{ "what is done was merged and deployed with success",
	    "SELECT t.key FROM task t WHERE t.stage = 'done' AND (t.landed "
	    "= '' OR NOT EXISTS (SELECT 1 FROM effect e WHERE e.task = t.id "
	    "AND e.name = 'merge' AND e.state = 'done') OR NOT EXISTS "
	    "(SELECT 1 FROM deploy d WHERE d.task = t.id AND d.revision = "
	    "t.landed AND d.exit_code = 0))" },
	{ "a task never ends both rolled back and done: its last move to "
	    "done has no failed deploy of the same stage",
	    "SELECT t.key FROM task t JOIN deploy d ON d.task = t.id WHERE "
	    "t.stage = 'done' AND d.stage_seq = t.stage_seq - 1 AND "
	    "d.exit_code <> 0" },
	{ "a commit in quarantine is not deployed",
	    "SELECT t.key || ' ' || d.revision FROM quarantine q JOIN deploy "
	    "d ON d.project = q.project AND d.revision = q.commit_id AND "
	    "d.id > q.after JOIN task t ON t.id = d.task WHERE q.cleared_at "
	    "IS NULL" },
	{ "what landed and nobody has tested is not deployed",
	    "SELECT t.key || ' ' || d.revision FROM untested u JOIN deploy "
	    "d ON d.project = u.project AND d.revision = u.commit_id JOIN "
	    "task t ON t.id = d.task" },
	{ "a rollback is of a commit in quarantine, to what was before it",
	    "SELECT t.key FROM deploy d JOIN task t ON t.id = d.task LEFT "
	    "JOIN quarantine q ON q.task = d.task AND q.previous = "
	    "d.revision WHERE d.kind = 'rollback' AND q.id IS NULL" },
	{ "a running job has one live run",
	    "SELECT t.key || ' job ' || j.id FROM job j JOIN task t ON t.id "
	    "= j.task WHERE j.status = 'running' AND NOT EXISTS (SELECT 1 "
	    "FROM run r WHERE r.job = j.id AND r.status IN ('starting', "
	    "'running', 'exited'))" },
	{ "a live run belongs to a running job",
	    "SELECT t.key || ' run ' || r.id FROM run r JOIN job j ON j.id "
	    "= r.job JOIN task t ON t.id = r.task WHERE r.status IN "
	    "('starting', 'running', 'exited') AND j.status <> 'running'" },
	{ "every passed gate names the commit that it judged",
	    "SELECT t.key || ' ' || g.gate FROM gate_result g JOIN task t "
	    "ON t.id = g.task WHERE g.verdict = 'pass' AND "
	    "length(g.commit_id) <> 40" },
	{ "a confirmation names the landed commit",
	    "SELECT t.key FROM approval a JOIN task t ON t.id = a.task WHERE "
	    "a.gate = 'check_deploy_status' AND length(a.commit_id) <> 40" },
};

static int
check_one(struct store *st, size_t i, FILE *out)
{
	sqlite3_stmt *q = NULL;
	int bad = 0, rc;

	if (sqlite3_prepare_v2(store_db(st), invariants[i].i_sql, -1, &q,
	    NULL) != SQLITE_OK) {
		fprintf(out, "cannot check \"%s\": %s\n",
		    invariants[i].i_rule, sqlite3_errmsg(store_db(st)));
		return (1);
	}
	while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
		fprintf(out, "%s: broken by %s\n", invariants[i].i_rule,
		    col_text(q, 0));
		bad = 1;
	}
	if (rc != SQLITE_DONE) {
		fprintf(out, "cannot check \"%s\": %s\n",
		    invariants[i].i_rule, sqlite3_errmsg(store_db(st)));
		bad = 1;
	}
	sqlite3_finalize(q);
	return (bad);
}

/* A pragma that answers with rows of trouble, or with "ok", or with none. */
static int
check_pragma(struct store *st, const char *pragma, FILE *out)
{
	sqlite3_stmt *q = NULL;
	int bad = 0;

	if (sqlite3_prepare_v2(store_db(st), pragma, -1, &q, NULL) !=
	    SQLITE_OK) {
		fprintf(out, "%s: %s\n", pragma,
		    sqlite3_errmsg(store_db(st)));
		return (1);
	}
	while (sqlite3_step(q) == SQLITE_ROW) {
		if (strcmp(col_text(q, 0), "ok") == 0)
			continue;
		fprintf(out, "%s: %s\n", pragma, col_text(q, 0));
		bad = 1;
	}
	sqlite3_finalize(q);
	return (bad);
}

int
store_check(struct store *st, FILE *out)
{
	size_t i;
	int bad;

	bad = check_pragma(st, "PRAGMA integrity_check", out);
	bad |= check_pragma(st, "PRAGMA foreign_key_check", out);
	for (i = 0; i < sizeof(invariants) / sizeof(invariants[0]); i++)
		bad |= check_one(st, i, out);
	return (bad);
}
