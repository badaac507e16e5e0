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

#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>

#include "engine.h"
#include "metrics.h"
#include "peer.h"
#include "query.h"

#define LABELS_MAX	3

enum type { GAUGE, COUNTER };

/* A family that one statement counts: its labels, and last the value. */
static const struct family {
	const char	*f_name;
	enum type	 f_type;
	double		 f_scale;		/* to the unit of the name */
	enum stmt	 f_stmt;
	const char	*f_labels[LABELS_MAX];	/* NULL ends them */
	const char	*f_help;
} families[] = {
	{ "orchd_tasks", GAUGE, 1,
	    Q_M_TASKS, { "project", "stage" },
	    "Tasks of each project by stage." },
	{ "orchd_stage_oldest_timestamp_seconds", GAUGE, 1e-3,
	    Q_M_STAGE_SINCE, { "project", "stage" },
	    "When the task entered its stage that is there longest." },
	{ "orchd_tasks_parked", GAUGE, 1,
	    Q_M_PARKED, { "project", "parked" },
	    "Tasks that wait for an operator." },
	{ "orchd_tasks_waiting", GAUGE, 1,
	    Q_M_WAITING, { "project", "waits" },
	    "Tasks by what they wait for (run: for a run of theirs)." },
	{ "orchd_task_waited_seconds_total", COUNTER, 1e-3,
	    Q_M_WAITED, { "project", "waits" },
	    "Time that tasks have waited, by what they waited for." },
	{ "orchd_transitions_total", COUNTER, 1,
	    Q_M_TRANSITIONS, { "project", "from", "to" },
	    "Moves from stage to stage." },
	{ "orchd_jobs", GAUGE, 1,
	    Q_M_JOBS, { "kind", "status" },
	    "Jobs that are queued or running." },
	{ "orchd_jobs_ended_total", COUNTER, 1,
	    Q_M_JOBS_ENDED, { "kind", "status" },
	    "Jobs that have ended." },
	{ "orchd_runs", GAUGE, 1,
	    Q_M_RUNS, { "kind", "role", "status" },
	    "Runs that live or are to be finished." },
	{ "orchd_runs_ended_total", COUNTER, 1,
	    Q_M_RUNS_ENDED, { "kind", "role", "status" },
	    "Runs that have ended." },
	{ "orchd_run_seconds_total", COUNTER, 1e-3,
	    Q_M_RUN_TIME, { "kind", "role" },
	    "Time that ended runs have taken." },
	{ "orchd_agent_tokens_total", COUNTER, 1,
	    Q_M_TOKENS, { "project", "role", "direction" },
	    "Tokens that agents say they have used." },
	{ "orchd_agent_cost_dollars_total", COUNTER, 1e-6,
	    Q_M_COST, { "project", "role" },
	    "Cost in US dollars, as agents say it." },
	{ "orchd_gate_results_total", COUNTER, 1,
	    Q_M_GATES, { "project", "gate", "verdict" },
	    "Gate results by verdict." },
	{ "orchd_transition_lease_oldest_timestamp_seconds", GAUGE, 1e-3,
	    Q_M_LEASE_SINCE, { "work" },
	    "Since when the oldest lease of each work is held." },
	{ "orchd_merge_gate_held", GAUGE, 1,
	    Q_M_LANES, { "project" },
	    "Projects whose merge lane is held." },
	{ "orchd_effects", GAUGE, 1,
	    Q_M_EFFECTS, { "effect", "class", "state" },
	    "Irreversible effects in the journal." },
	{ "orchd_outbox_messages", GAUGE, 1,
	    Q_M_OUTBOX, { "dest", "state" },
	    "Messages that are not delivered." },
	{ "orchd_outbox_oldest_timestamp_seconds", GAUGE, 1e-3,
	    Q_M_OUTBOX_SINCE, { "dest" },
	    "Since when the oldest pending message waits." },
	{ "orchd_outbox_delivered_total", COUNTER, 1,
	    Q_M_OUTBOX_DONE, { "dest" },
	    "Messages that were delivered." },
	{ "orchd_events_total", COUNTER, 1,
	    Q_M_EVENTS, { "source", "result" },
	    "Deliveries of webhooks by what came of them." },
	{ "orchd_event_last_timestamp_seconds", GAUGE, 1e-3,
	    Q_M_EVENT_LAST, { "source" },
	    "When the last delivery came in." },
	{ "orchd_deploys_total", COUNTER, 1,
	    Q_M_DEPLOYS, { "project", "kind", "outcome" },
	    "Deploys and rollbacks that have ended." },
	{ "orchd_deploys_running", GAUGE, 1,
	    Q_M_DEPLOYS_OPEN, { "project", "kind" },
	    "Deploys and rollbacks without an end." },
	{ "orchd_deploys_frozen", GAUGE, 1,
	    Q_M_FROZEN, { "project" },
	    "Rollbacks that freeze a project's deploys." },
	{ "orchd_alerts", GAUGE, 1,
	    Q_M_ALERTS, { "alert" },
	    "Alerts that are raised." },
	{ "orchd_daemon_connections_total", COUNTER, 1,
	    Q_M_RESTARTS, { "daemon" },
	    "Starts of daemons, and what they saw of the engine's." },
};

/* The totals of the blocks of /queue, under their names there. */
static const struct total {
	const char	*c_name;
	const char	*c_help;
	const char	*c_counter;
} totals[] = {
	{ "orchd_reaper_reaped_total", "Runs that were found dead.",
	    "reaped" },
	{ "orchd_reaper_finalizer_defers_total",
	    "Runs that were left to the owner of a lease.",
	    "finalizer_defers" },
	{ "orchd_transition_lease_granted_total", "Leases granted.",
	    "lease_granted" },
	{ "orchd_transition_lease_refused_total",
	    "Leases refused for a live owner.", "lease_refused" },
	{ "orchd_transition_lease_reclaimed_total",
	    "Leases taken back from dead owners.", "lease_reclaimed" },
	{ "orchd_transition_lease_forced_total",
	    "Leases taken from live owners by a person or at the ceiling.",
	    "lease_forced" },
	{ "orchd_transition_lease_admin_refused_total",
	    "Releases over HTTP with a wrong token.", "admin_refused" },
	{ "orchd_merge_gate_retest_total", "Tests on a merge commit.",
	    "retest" },
	{ "orchd_merge_gate_skipped_total",
	    "Tests on a merge commit that had passed already.",
	    "retest_skipped" },
	{ "orchd_merge_gate_red_total", "Merges refused by a red test.",
	    "merge_red" },
	{ "orchd_merge_gate_conflict_total", "Merges refused by a conflict.",
	    "merge_conflict" },
	{ "orchd_merge_gate_timeout_total",
	    "Tests on a merge commit that ran out of time.",
	    "merge_timeout" },
	{ "orchd_merge_gate_infra_retry_total",
	    "Tests on a merge commit that could not run.",
	    "merge_infra_retry" },
	{ "orchd_reconcile_advanced_total", "Tasks moved by the reconciler.",
	    "reconcile_advanced" },
	{ "orchd_reconcile_skipped_total",
	    "Tasks that the reconciler left where they were.",
	    "reconcile_skipped" },
	{ "orchd_reconcile_replayed_total",
	    "Changes in a tracker that no webhook had told of.",
	    "reconcile_replayed" },
	{ "orchd_post_deploy_healthy_total", "Deploys found healthy.",
	    "post_deploy_healthy" },
	{ "orchd_post_deploy_degraded_total", "Deploys found degraded.",
	    "post_deploy_degraded" },
	{ "orchd_post_deploy_rolled_back_total", "Deploys rolled back.",
	    "rolled_back" },
};

static void
head(FILE *f, const char *name, const char *help, enum type type)
{
	fprintf(f, "# HELP %s %s\n# TYPE %s %s\n", name, help, name,
	    type == COUNTER ? "counter" : "gauge");
}

static void
label(FILE *f, int first, const char *name, const char *value)
{
	fprintf(f, "%s%s=\"", first ? "{" : ",", name);
	for (; *value != '\0'; value++)
		if (*value == '\n')
			fputs("\\n", f);
		else {
			if (*value == '\\' || *value == '"')
				fputc('\\', f);
			fputc(*value, f);
		}
	fputc('"', f);
}

static void
family(FILE *f, const struct family *fa)
{
	sqlite3_stmt *q;
	int i;

	head(f, fa->f_name, fa->f_help, fa->f_type);
	q = fa->f_stmt == Q_M_WAITED ?
	    store_bind(eng.e_store, fa->f_stmt, "i", eng_now()) :
	    store_bind(eng.e_store, fa->f_stmt, "");
	while (store_step(eng.e_store, q) == STORE_OK) {
		fputs(fa->f_name, f);
		for (i = 0; i < LABELS_MAX && fa->f_labels[i] != NULL; i++)
			label(f, i == 0, fa->f_labels[i], col_text(q, i));
		fprintf(f, "} %.15g\n", (double)col_int(q, i) *
		    fa->f_scale);
	}
}

/* A family with one sample, without labels. */
static void
scalar(FILE *f, const char *name, enum type type, double value,
    const char *help)
{
	head(f, name, help, type);
	fprintf(f, "%s %.15g\n", name, value);
}

static double
setting(const char *name)
{
	return ((double)store_int(eng.e_store, 0, Q_SETTING_GET, "s", name));
}

static double
counted(enum stmt which)
{
	return ((double)store_int(eng.e_store, 0, which, ""));
}

/* With what is in the write-ahead log; the main file alone lags behind. */
static double
database_size(void)
{
	char path[1200];
	struct stat sb;
	double size;

	size = (double)store_int(eng.e_store, 0, Q_DATABASE_SIZE, "");
	snprintf(path, sizeof(path), "%s/orchd.db-wal", eng.e_conf->cf_state);
	if (stat(path, &sb) == 0)
		size += (double)sb.st_size;
	return (size);
}

static void
scalars(FILE *f)
{
	head(f, "orchd_build_info", "The version that runs.", GAUGE);
	fprintf(f, "orchd_build_info{protocol=\"%d.%d\",database=\"%d\"} 1\n",
	    ORCH_PROTO_MAJOR, ORCH_PROTO_MINOR, STORE_VERSION);
	scalar(f, "orchd_start_time_seconds", GAUGE,
	    (double)eng.e_started_at * 1e-3, "When the engine was started.");
	scalar(f, "orchd_database_size_bytes", GAUGE, database_size(),
	    "Database and its write-ahead log.");
	scalar(f, "orchd_max_concurrency", GAUGE,
	    (double)conf_int(eng.e_conf, NULL, OPT_MAX_CONCURRENCY),
	    "Agents that may run at once.");
	scalar(f, "orchd_max_gate_runs", GAUGE,
	    (double)conf_int(eng.e_conf, NULL, OPT_MAX_GATE_RUNS),
	    "Gate commands that may run at once.");
	scalar(f, "orchd_queue_later", GAUGE, (double)store_int(eng.e_store,
	    0, Q_JOBS_LATER, "i", eng_now()),
	    "Queued jobs whose time has not come.");
	scalar(f, "orchd_transition_lease_held", GAUGE, counted(Q_LEASES_COUNT),
	    "Leases that are held.");
	scalar(f, "orchd_merge_gate_waiting", GAUGE, counted(Q_EDGES_WAITING),
	    "Edges that wait for a merge lane.");
	scalar(f, "orchd_reaper_last_run_timestamp_seconds", GAUGE,
	    setting("reaper_last_run"), "The reaper's last tick.");
	scalar(f, "orchd_reaper_finalizer_owned", GAUGE,
	    counted(Q_RUNS_DEFERRED),
	    "Ended runs whose task's lease somebody else holds.");
	scalar(f, "orchd_stop_pending", GAUGE, counted(Q_CANCELS_PENDING),
	    "Tasks that are being cancelled.");
	scalar(f, "orchd_stop_cancelled_total", COUNTER,
	    counted(Q_CANCELLED_COUNT), "Tasks that were cancelled.");
	scalar(f, "orchd_resilience_transient_total", COUNTER,
	    counted(Q_TRANSIENT_COUNT),
	    "Jobs tried again after a failure of network, model or machine.");
	scalar(f, "orchd_reconcile_last_run_timestamp_seconds", GAUGE,
	    setting("reconcile_last_run"), "The reconciler's last tick.");
}

static void
daemons(FILE *f)
{
	static const enum orch_role roles[] = { ROLE_WEBHOOK, ROLE_PAGE,
	    ROLE_RECONCILED, ROLE_FINALIZERD, ROLE_REAPERD };
	size_t i;

	head(f, "orchd_daemon_up", "Is the daemon connected?", GAUGE);
	for (i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		fputs("orchd_daemon_up", f);
		label(f, 1, "daemon", orch_role_name(roles[i]));
		fprintf(f, "} %d\n", peer_of_role(roles[i]) != NULL);
	}
}

json_t *
metrics_document(void)
{
	char *text = NULL;
	size_t i, len = 0;
	json_t *doc;
	FILE *f;

	if ((f = open_memstream(&text, &len)) == NULL)
		return (NULL);
	scalars(f);
	daemons(f);
	for (i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		family(f, &families[i]);
	for (i = 0; i < sizeof(totals) / sizeof(totals[0]); i++)
		scalar(f, totals[i].c_name, COUNTER, (double)store_int(
		    eng.e_store, 0, Q_COUNTER, "s", totals[i].c_counter),
		    totals[i].c_help);
	if (fclose(f) == EOF) {
		free(text);
		return (NULL);
	}
	doc = json_pack("{s:o}", "text", json_text(text));
	free(text);
	return (doc);
}
