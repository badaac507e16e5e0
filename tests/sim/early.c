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

#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include "sim.h"

/*
 * Tasks that came as far as deploy-staging before anybody looked: rows and
 * references as the engine and its workers leave them there.  The way to that
 * stage takes some hundred steps, and what is dangerous comes after it.
 */

static void
run_sql(const char *sql)
{
	char *err = NULL;

	if (sqlite3_exec(store_db(eng.e_store), sql, NULL, NULL, &err) !=
	    SQLITE_OK)
		broken("%s: %s", sql, err);
}

void
early_task(void)
{
	static const char *const stages[] = { "created", "analysis",
	    "architecture", "development", "review", "testing",
	    "deploy-staging" };
	char sql[1600], head[OID], target[OID], branch[64], key[32];
	long long k = sql_int("SELECT count(*) + 1 FROM task"), id = k;
	size_t i;

	(void)snprintf(key, sizeof(key), "DEMO-%lld", k);
	(void)snprintf(branch, sizeof(branch), "feature/%s-early", key);
	repo_target(target);
	repo_commit(target, "", "", head);
	repo_branch(branch, key, head);
	run_sql("BEGIN");
	(void)snprintf(sql, sizeof(sql), "INSERT INTO task (id, key, project, "
	    "title, request, stage, stage_seq, stage_since, epoch, branch, "
	    "head, tree, published, drive_at, created_at) VALUES (%lld, "
	    "'%s', 'tally', 'Early', 'please', 'deploy-staging', 7, %lld, 6, "
	    "'%s', '%s', '%s', '%s', %lld, %lld)", id, key,
	    (long long)w.now, branch, head, repo_tree(head), head,
	    (long long)w.now, (long long)w.now);
	run_sql(sql);
	for (i = 1; i < sizeof(stages) / sizeof(stages[0]); i++) {
		(void)snprintf(sql, sizeof(sql), "INSERT INTO transition "
		    "(task, seq, from_stage, to_stage, actor, epoch, reason, "
		    "at) VALUES (%lld, %zu, '%s', '%s', 'before', %zu, '', "
		    "%lld)", id, i + 1, stages[i - 1], stages[i], i,
		    (long long)w.now);
		run_sql(sql);
	}
	(void)snprintf(sql, sizeof(sql), "INSERT INTO gate_result (task, "
	    "round, stage_seq, gate, commit_id, tree, verdict, started_at) "
	    "VALUES (%lld, 0, 5, 'check_reviewer_verdict', '%s', '%s', "
	    "'pass', %lld)", id, head, repo_tree(head), (long long)w.now);
	run_sql(sql);
	(void)snprintf(sql, sizeof(sql), "INSERT INTO pull (task, project, "
	    "branch, target, title, head, state, at) VALUES (%lld, 'tally', "
	    "'%s', 'main', 'Early', '%s', 'open', %lld); COMMIT", id, branch,
	    head, (long long)w.now);
	run_sql(sql);
	n.early++;
	TRACE("%s has come to deploy-staging", key);
}
