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
#include "deploy.h"
#include "engine.h"
#include "notice.h"
#include "outbox.h"
#include "queue.h"
#include "settle.h"

/* What an operator decides about effects in doubt. */

struct settle {
	const struct task *se_task;
	const char	*se_key;
	const char	*se_outcome;
	const char	*se_by;
	const char	*se_reason;
	char		*se_said;
	size_t		 se_len;
	char		 se_evidence[512];
};

static int
is(const struct settle *se, const char *outcome)
{
	return (strcmp(se->se_outcome, outcome) == 0);
}

static int
is_blank(const char *s)
{
	while (isspace((unsigned char)*s))
		s++;
	return (*s == '\0');
}

/* The decision is history, and told where people talk about the task. */
static int
settle_note(const struct settle *se)
{
	const struct task *t = se->se_task;
	int64_t now = eng_now();
	char key[160], text[1024];

	log_info("task %s: effect %s settled: %s", t->t_key, se->se_key,
	    se->se_evidence);
	snprintf(key, sizeof(key), "settle:%s:%lld", t->t_key,
	    (long long)now);
	snprintf(text, sizeof(text), "%s: %s", se->se_key, se->se_evidence);
	return (store_run(eng.e_store, Q_SETTLEMENT_ADD, "issssi", t->t_id,
	    se->se_key, se->se_outcome, se->se_by, se->se_reason, now) ==
	    STORE_OK && outbox_add("tracker", t, "comment", key, text) ==
	    STORE_OK ? 0 : -1);
}

/* A hook that nobody can prove dead: its deploy gets the exit code. */
static enum orch_result
settle_deploy(const struct settle *se, int64_t deploy)
{
	int code = is(se, "done") ? 0 : 1;

	if (is(se, "retry")) {
		snprintf(se->se_said, se->se_len, "%s: what was started is "
		    "never started again: say done or failed. Nothing was "
		    "changed", se->se_key);
		return (RES_REFUSED);
	}
	if (store_run_one(eng.e_store, Q_DEPLOY_SETTLE, "isii",
	    (int64_t)code, se->se_evidence, eng_now(), deploy) != STORE_OK ||
	    settle_note(se) == -1 ||
	    deploy_ended(se->se_task->t_id, code) == -1)
		return (RES_RETRY);
	snprintf(se->se_said, se->se_len, "%s counts as %s", se->se_key,
	    code == 0 ? "done (exit 0)" : "failed (exit 1)");
	return (RES_OK);
}

/* The task goes on, unless it is parked for something else. */
static int
settle_unpark(const struct task *t)
{
	if (alert_clear("effect_blind", t->t_key) != STORE_OK)
		return (-1);
	if (strcmp(t->t_parked, "blocked") != 0)
		return (0);
	return (store_run_one(eng.e_store, Q_TASK_UNPARK, "ii", t->t_id,
	    t->t_seq) == STORE_OK && alert_clear("parked", t->t_key) ==
	    STORE_OK ? 0 : -1);
}

static enum orch_result
settle_effect(const struct settle *se)
{
	const struct task *t = se->se_task;
	enum store_res res;

	res = store_run_one(eng.e_store, Q_EFFECT_SETTLE, "ssisi",
	    is(se, "done") ? "done" : "failed", se->se_evidence, eng_now(),
	    se->se_key, t->t_id);
	if (res == STORE_STALE) {
		snprintf(se->se_said, se->se_len, "%s of %s is not in doubt: "
		    "look at orchctl effect %s. Nothing was changed",
		    se->se_key, t->t_key, t->t_key);
		return (RES_REFUSED);
	}
	if (res != STORE_OK || settle_note(se) == -1 ||
	    (!is(se, "failed") && settle_unpark(t) == -1) ||
	    task_drive(t->t_id) == -1 || queue_kick() == -1)
		return (RES_RETRY);
	if (is(se, "failed"))
		snprintf(se->se_said, se->se_len, "%s is on record as "
		    "failed; %s stays parked: orchctl retry %s tries it "
		    "again", se->se_key, t->t_key, t->t_key);
	else
		snprintf(se->se_said, se->se_len, "%s is on record as %s; %s "
		    "goes on", se->se_key, is(se, "done") ? "done" :
		    "failed, and is tried again", t->t_key);
	return (RES_OK);
}

/* Why nothing is decided at all; 0 when there is no reason. */
static int
settle_refused(const struct settle *se, enum orch_result *res)
{
	const struct task *t = se->se_task;
	sqlite3_stmt *q;

	*res = RES_REFUSED;
	if (!is(se, "done") && !is(se, "failed") && !is(se, "retry")) {
		snprintf(se->se_said, se->se_len, "\"%.32s\" is no outcome: "
		    "say done, failed or retry", se->se_outcome);
		return (1);
	}
	if (is_blank(se->se_reason)) {
		snprintf(se->se_said, se->se_len, "say with -r what you saw: "
		    "it is kept as the evidence. Nothing was changed");
		return (1);
	}
	q = store_bind(eng.e_store, Q_LEASE_GET, "i", t->t_id);
	if (store_step(eng.e_store, q) == STORE_OK) {
		*res = RES_DENIED;
		snprintf(se->se_said, se->se_len, "%s: run %lld is inside "
		    "its transition and may still act. Nothing was changed",
		    t->t_key, (long long)col_int(q, 0));
		sqlite3_reset(q);
		return (1);
	}
	sqlite3_reset(q);
	return (0);
}

enum orch_result
effect_settle(const struct task *t, const char *key, const char *outcome,
    const char *by, const char *reason, char *said, size_t len)
{
	struct settle se = { .se_task = t, .se_key = key,
	    .se_outcome = outcome, .se_by = by, .se_reason = reason,
	    .se_said = said, .se_len = len };
	enum orch_result res;
	int64_t deploy;

	if (settle_refused(&se, &res))
		return (res);
	/* A long reason loses its end here, not in the settlement's row. */
	(void)snprintf(se.se_evidence, sizeof(se.se_evidence),
	    "%s, says %s: %s", outcome, by, reason);
	deploy = store_int(eng.e_store, 0, Q_DEPLOY_DOUBTED, "si", key,
	    t->t_id);
	return (deploy != 0 ? settle_deploy(&se, deploy) :
	    settle_effect(&se));
}
