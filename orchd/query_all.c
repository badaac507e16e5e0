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
#include "queue.h"

/* Documents about everything. */

#define TASKS_MAX 2000

static int64_t
counter(const char *name)
{
	return (store_int(eng.e_store, 0, Q_COUNTER, "s", name));
}

static int64_t
number(enum stmt which)
{
	return (store_int(eng.e_store, 0, which, ""));
}

static json_t *
one_task(const struct task *t)
{
	char why[2400], pull[600], item[600];
	const char *waits;

	task_why(t, why, sizeof(why), &waits);
	task_pages(t, pull, sizeof(pull), item, sizeof(item));
	return (json_pack("{s:s, s:s, s:o, s:s, s:I, s:I, s:I, s:b, s:I, "
	    "s:o, s:s, s:o, s:s*, s:s*}", "id", t->t_key, "project",
	    t->t_project, "title", json_text(t->t_title), "stage",
	    stage_name(t->t_stage), "stage_seq", (json_int_t)t->t_seq, "round",
	    (json_int_t)t->t_round, "rework", (json_int_t)t->t_rework,
	    "parked", t->t_parked[0] != '\0', "age_s",
	    (json_int_t)((eng_now() - t->t_since) / 1000), "why",
	    json_text(why), "waits", waits, "since", json_time(t->t_since),
	    "pull_page", pull[0] == '\0' ? NULL : pull, "item_page",
	    item[0] == '\0' ? NULL : item));
}

static json_t *
totals(void)
{
	int64_t now = eng_now();
	int64_t queued = store_int(eng.e_store, 0, Q_JOBS_COUNT, "s",
	    "queued");
	int64_t later = store_int(eng.e_store, 0, Q_JOBS_LATER, "i", now);

	return (json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
	    "agents_running", (json_int_t)queue_running(KIND_AGENT),
	    "agents_max", (json_int_t)conf_int(eng.e_conf, NULL,
	    OPT_MAX_CONCURRENCY), "queue_ready", (json_int_t)(queued - later),
	    "queue_later", (json_int_t)later, "leases",
	    (json_int_t)store_int(eng.e_store, 0, Q_LEASES_COUNT, ""),
	    "outbox", (json_int_t)store_int(eng.e_store, 0, Q_OUTBOX_COUNT,
	    ""), "alerts", (json_int_t)store_int(eng.e_store, 0,
	    Q_ALERTS_COUNT, "")));
}

json_t *
query_status(int all)
{
	static int64_t ids[TASKS_MAX];
	json_t *list = json_array();
	sqlite3_stmt *q;
	struct task t;
	size_t i, n = 0;

	q = store_bind(eng.e_store, all ? Q_TASKS_ALL : Q_TASKS_OPEN, "");
	while (n < TASKS_MAX && store_step(eng.e_store, q) == STORE_OK)
		ids[n++] = col_int(q, 0);
	sqlite3_reset(q);
	for (i = 0; i < n; i++)
		if (task_get(ids[i], &t) == STORE_OK)
			json_array_append_new(list, one_task(&t));
	return (json_pack("{s:i, s:o, s:o}", "schema_version", 1, "tasks",
	    list, "totals", totals()));
}

static json_t *
one_job(sqlite3_stmt *q, int recent)
{
	int64_t now = eng_now(), when = col_int(q, 8);
	json_t *j;

	j = json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:o}",
	    "id", (json_int_t)col_int(q, 0), "task", col_text(q, 1), "kind",
	    col_text(q, 2), "role", col_text(q, 3), "gate", col_text(q, 4),
	    "work", col_text(q, 5), "status", col_text(q, 6), "attempt",
	    (json_int_t)col_int(q, 7), "age_s",
	    (json_int_t)((now - col_int(q, 9)) / 1000), "reason",
	    json_text(col_text(q, 10)));
	if (recent)
		json_object_set_new(j, "ended", json_time(when));
	else
		json_object_set_new(j, "available_in_s", json_integer(
		    (json_int_t)(when > now ? (when - now + 999) / 1000 :
		    0)));
	return (j);
}

static json_t *
jobs(enum stmt which, int recent)
{
	json_t *list = json_array();
	sqlite3_stmt *q = store_bind(eng.e_store, which, "");

	while (store_step(eng.e_store, q) == STORE_OK)
		json_array_append_new(list, one_job(q, recent));
	return (list);
}

static json_t *
counts(void)
{
	static const char *const states[] = { "queued", "running", "done",
	    "failed", "cancelled" };
	json_t *o = json_object();
	size_t i;

	for (i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		json_object_set_new(o, states[i], json_integer(
		    (json_int_t)store_int(eng.e_store, 0, Q_JOBS_COUNT, "s",
		    states[i])));
	return (o);
}

static json_t *
held_leases(void)
{
	json_t *list = json_array();
	sqlite3_stmt *q = store_bind(eng.e_store, Q_LEASES, "");
	char owner[256];

	while (store_step(eng.e_store, q) == STORE_OK) {
		snprintf(owner, sizeof(owner), "run %lld (%s)",
		    (long long)col_int(q, 1), col_text(q, 5));
		json_array_append_new(list, json_pack("{s:s, s:s, s:I, s:o, "
		    "s:s, s:s}", "task", col_text(q, 0), "owner", owner,
		    "epoch", (json_int_t)col_int(q, 2), "since",
		    json_time(col_int(q, 3)), "gate", col_text(q, 4),
		    "identity", col_text(q, 6)));
	}
	return (list);
}

static json_t *
lanes(void)
{
	json_t *list = json_array();
	sqlite3_stmt *q = store_bind(eng.e_store, Q_LANES, "");

	while (store_step(eng.e_store, q) == STORE_OK)
		json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:I, "
		    "s:o}", "project", col_text(q, 0), "task", col_text(q, 1),
		    "branch", col_text(q, 2), "epoch",
		    (json_int_t)col_int(q, 3), "since",
		    json_time(col_int(q, 4))));
	return (list);
}

json_t *
query_leases(void)
{
	return (json_pack("{s:o, s:o}", "held", held_leases(), "merge",
	    lanes()));
}

static int64_t
last_run(const char *name)
{
	return (store_int(eng.e_store, 0, Q_SETTING_GET, "s", name));
}

/* "job outcome agent", as reap.c keeps it; null before the first. */
static json_t *
last_reaped(void)
{
	sqlite3_stmt *q = store_bind(eng.e_store, Q_SETTING_TEXT, "s",
	    "reaper_last");
	char outcome[16], agent[65];
	json_t *o = json_null();
	long long job;

	if (store_step(eng.e_store, q) == STORE_OK && sscanf(col_text(q, 0),
	    "%lld %15s %64s", &job, outcome, agent) == 3)
		o = json_pack("{s:I, s:s, s:s}", "job_id", (json_int_t)job,
		    "agent", agent, "outcome", outcome);
	sqlite3_reset(q);
	return (o);
}

static json_t *
block_reaper(void)
{
	return (json_pack("{s:b, s:I, s:I, s:I, s:o, s:I, s:b, s:I, s:I}",
	    "enabled", conf_bool(eng.e_conf, NULL, OPT_REAPER_ENABLED),
	    "interval", (json_int_t)conf_int(eng.e_conf, NULL,
	    OPT_REAPER_INTERVAL_S), "last_run_ts",
	    (json_int_t)last_run("reaper_last_run"), "reaped_total",
	    (json_int_t)counter("reaped"), "last_reaped", last_reaped(),
	    "lease_reclaimed_total", (json_int_t)counter("lease_reclaimed"),
	    "finalizer_liveness_enabled", conf_bool(eng.e_conf, NULL,
	    OPT_REAPER_FINALIZER_LIVENESS_ENABLED), "finalizer_defers_total",
	    (json_int_t)counter("finalizer_defers"), "finalizer_owned",
	    (json_int_t)store_int(eng.e_store, 0, Q_RUNS_DEFERRED, "")));
}

static json_t *
block_lease(void)
{
	return (json_pack("{s:b, s:o, s:I, s:I, s:I, s:I, s:I}", "enabled",
	    conf_bool(eng.e_conf, NULL, OPT_TRANSITION_LEASE_ENABLED), "held",
	    held_leases(), "granted_total",
	    (json_int_t)counter("lease_granted"), "refused_total",
	    (json_int_t)counter("lease_refused"), "reclaimed_total",
	    (json_int_t)counter("lease_reclaimed"), "forced_total",
	    (json_int_t)counter("lease_forced"), "admin_refused_total",
	    (json_int_t)counter("admin_refused")));
}

static json_t *
block_merge(void)
{
	return (json_pack("{s:b, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
	    "enabled", conf_bool(eng.e_conf, NULL, OPT_MERGE_GATE_ENABLED),
	    "held", lanes(), "waiting", (json_int_t)store_int(eng.e_store, 0,
	    Q_EDGES_WAITING, ""), "retest_total",
	    (json_int_t)counter("retest"), "skipped_total",
	    (json_int_t)counter("retest_skipped"),
	    "red_total", (json_int_t)counter("merge_red"), "conflict_total",
	    (json_int_t)counter("merge_conflict"), "timeout_total",
	    (json_int_t)counter("merge_timeout"), "infra_retry_total",
	    (json_int_t)counter("merge_infra_retry")));
}

static json_t *
block_reconcile(void)
{
	return (json_pack("{s:b, s:I, s:I, s:I, s:I, s:I}", "enabled",
	    conf_bool(eng.e_conf, NULL, OPT_RECONCILE_ENABLED), "interval",
	    (json_int_t)conf_int(eng.e_conf, NULL, OPT_RECONCILE_INTERVAL_S),
	    "last_run_ts", (json_int_t)last_run("reconcile_last_run"),
	    "advanced_total", (json_int_t)counter("reconcile_advanced"),
	    "skipped_total", (json_int_t)counter("reconcile_skipped"),
	    "replayed_total", (json_int_t)counter("reconcile_replayed")));
}

/* Commits that nobody deploys, and projects whose deploys are frozen. */
static json_t *
quarantines(void)
{
	json_t *list = json_array();
	sqlite3_stmt *q = store_bind(eng.e_store, Q_QUARANTINES, "");

	while (store_step(eng.e_store, q) == STORE_OK)
		json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:b, "
		    "s:o}", "project", col_text(q, 0), "task", col_text(q, 1),
		    "commit", col_text(q, 2), "frozen", (int)col_int(q, 3),
		    "since", json_time(col_int(q, 4))));
	return (list);
}

static json_t *
block_post_deploy(void)
{
	return (json_pack("{s:b, s:I, s:o, s:I, s:I, s:I}", "enabled",
	    conf_bool(eng.e_conf, NULL, OPT_POST_DEPLOY_ENABLED),
	    "monitoring", (json_int_t)queue_running(KIND_MONITOR),
	    "quarantine", quarantines(), "healthy_total",
	    (json_int_t)counter("post_deploy_healthy"), "degraded_total",
	    (json_int_t)counter("post_deploy_degraded"), "rolled_back_total",
	    (json_int_t)counter("rolled_back")));
}

/* What people stop. */
static json_t *
block_stop(void)
{
	return (json_pack("{s:b, s:I, s:I}", "enabled", conf_bool(eng.e_conf,
	    NULL, OPT_STOP_STATUS_ENABLED), "pending",
	    (json_int_t)number(Q_CANCELS_PENDING), "cancelled_total",
	    (json_int_t)number(Q_CANCELLED_COUNT)));
}

/* Servers that are left alone for a while, and what was tried again. */
static json_t *
block_resilience(void)
{
	return (json_pack("{s:b, s:I, s:I, s:{s:b}}", "enabled", 1,
	    "remote_down", (json_int_t)store_int(eng.e_store, 0,
	    Q_ALERTS_NUMBER, "s", "remote_down"), "transient_total",
	    (json_int_t)number(Q_TRANSIENT_COUNT), "quota_breaker",
	    "enabled", 0));
}

static json_t *
destinations(void)
{
	json_t *list = json_array();
	sqlite3_stmt *q = store_bind(eng.e_store, Q_OUTBOX_DESTS, "");
	int64_t at;

	while (store_step(eng.e_store, q) == STORE_OK) {
		at = col_int(q, 3);
		json_array_append_new(list, json_pack("{s:s, s:I, s:I, s:I, "
		    "s:o}", "dest", col_text(q, 0), "pending",
		    (json_int_t)col_int(q, 1), "parked",
		    (json_int_t)col_int(q, 2), "oldest_age_s",
		    (json_int_t)(at == 0 ? 0 : (eng_now() - at) / 1000),
		    "error", json_text(col_text(q, 4))));
	}
	return (list);
}

static json_t *
block_outbox(void)
{
	int64_t oldest = number(Q_OUTBOX_OLDEST);

	return (json_pack("{s:b, s:I, s:I, s:I, s:I, s:o}", "enabled", 1,
	    "pending", (json_int_t)number(Q_OUTBOX_COUNT), "parked",
	    (json_int_t)store_int(eng.e_store, 0, Q_OUTBOX_STATE, "s",
	    "parked"), "oldest_age_s", (json_int_t)(oldest == 0 ? 0 :
	    (eng_now() - oldest) / 1000), "delivered_total",
	    (json_int_t)number(Q_OUTBOX_DELIVERED), "destinations",
	    destinations()));
}

/* Usage is counted; nothing is stopped by it. */
static json_t *
block_budget(void)
{
	sqlite3_stmt *q = store_bind(eng.e_store, Q_USAGE, "");
	json_t *j = NULL;

	if (store_step(eng.e_store, q) == STORE_OK)
		j = json_pack("{s:b, s:I, s:I, s:I}", "enabled", 0,
		    "tokens_in_total", (json_int_t)col_int(q, 0),
		    "tokens_out_total", (json_int_t)col_int(q, 1),
		    "cost_micros_total", (json_int_t)col_int(q, 2));
	sqlite3_reset(q);
	return (j);
}

json_t *
query_queue(void)
{
	return (json_pack("{s:i, s:o, s:I, s:I, s:o, s:o, s:o, s:o, s:o, "
	    "s:o, s:o, s:o, s:o, s:o, s:o}", "schema_version", 1,
	    "counts", counts(),
	    "max_concurrency", (json_int_t)conf_int(eng.e_conf, NULL,
	    OPT_MAX_CONCURRENCY), "poll_interval",
	    (json_int_t)conf_int(eng.e_conf, NULL, OPT_POLL_INTERVAL_S),
	    "jobs", jobs(Q_JOBS_LIST, 0), "recent", jobs(Q_JOBS_RECENT, 1),
	    "reaper", block_reaper(), "transition_lease", block_lease(),
	    "merge_gate", block_merge(), "reconcile", block_reconcile(),
	    "post_deploy", block_post_deploy(),
	    "stop", block_stop(), "resilience", block_resilience(), "outbox",
	    block_outbox(), "budget", block_budget()));
}

json_t *
query_effects(void)
{
	json_t *list = json_array();
	sqlite3_stmt *q = store_bind(eng.e_store, Q_EFFECTS_OPEN, "");

	while (store_step(eng.e_store, q) == STORE_OK)
		json_array_append_new(list, json_pack("{s:I, s:s, s:s, s:s, "
		    "s:I, s:s, s:I, s:o, s:o}", "id",
		    (json_int_t)col_int(q, 0), "task", col_text(q, 1), "name",
		    col_text(q, 2), "key", col_text(q, 3), "class",
		    (json_int_t)col_int(q, 4), "state", col_text(q, 5),
		    "epoch", (json_int_t)col_int(q, 6), "evidence",
		    json_text(col_text(q, 7)), "at",
		    json_time(col_int(q, 8))));
	return (json_pack("{s:o}", "effects", list));
}

json_t *
query_alerts(void)
{
	json_t *list = json_array();
	sqlite3_stmt *q = store_bind(eng.e_store, Q_ALERTS_OPEN, "");

	while (store_step(eng.e_store, q) == STORE_OK)
		json_array_append_new(list, json_pack("{s:I, s:s, s:o, s:o, "
		    "s:o, s:I}", "id", (json_int_t)col_int(q, 0), "kind",
		    col_text(q, 1), "subject", json_text(col_text(q, 2)),
		    "text", json_text(col_text(q, 3)), "since",
		    json_time(col_int(q, 4)), "count",
		    (json_int_t)col_int(q, 5)));
	return (json_pack("{s:o}", "alerts", list));
}
