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
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include "libcommon/log.h"
#include "engine.h"
#include "intake.h"
#include "notice.h"
#include "pass.h"
#include "queue.h"
#include "task.h"
#include "tell.h"

/* A task that is looked at again and again in one pass has a rule that does
 * not settle: end the loop, say so, look again later. */
#define DRIVE_STEPS	8
#define RETRY_LOOK_MS	1000
#define CI_LOOK_MS	10000

static int
add_job(const struct task *t, enum orch_kind kind, const char *role,
    const char *gate, const char *work, const char *commit)
{
	struct job_spec js = { .js_task = t, .js_kind = kind,
	    .js_role = role, .js_gate = gate, .js_work = work,
	    .js_commit = commit };
	enum store_res res;

	res = job_add(&js, NULL);
	return (res == STORE_OK || res == STORE_EXISTS ? 0 : -1);
}

/* The last log of the failing gate, for the feedback packet. */
static int
feedback_from_gate(const struct task *t, const struct decision *d)
{
	enum store_res res;
	char text[60000];
	sqlite3_stmt *q;

	text[0] = '\0';
	q = store_bind(eng.e_store, Q_GATE_TEXT, "is", t->t_id, d->d_gate);
	if (store_step(eng.e_store, q) == STORE_OK)
		strlcpy(text, col_text(q, 0), sizeof(text));
	sqlite3_reset(q);
	res = task_set_feedback(t->t_id, d->d_reason, text);
	return (res == STORE_OK ? 0 : -1);
}

static int
do_move(const struct task *t, const struct decision *d)
{
	struct transition tr = { .tr_task = t->t_id, .tr_from = t->t_stage,
	    .tr_seq = t->t_seq, .tr_to = d->d_to,
	    .tr_backward = d->d_backward, .tr_by_person = d->d_by_person,
	    .tr_actor = { "engine", 0 }, .tr_reason = d->d_reason };

	if (transition_commit(&tr) != STORE_OK || (t->t_stage ==
	    STAGE_CREATED && alert_clear("dependency", t->t_key) !=
	    STORE_OK))
		return (-1);
	if (d->d_backward && d->d_gate != NULL)
		return (feedback_from_gate(t, d));
	return (0);
}

/* What a gate waited for has answered, or the task has gone elsewhere. */
static int
end_silence(const struct task *t, const struct decision *d)
{
	if (d->d_act == ACT_WAIT || d->d_act == ACT_GATE)
		return (0);
	return (alert_clear("ci_silent", t->t_key) == STORE_OK ? 0 : -1);
}

static int
do_rerun(const struct task *t, const struct decision *d)
{
	if (store_run_one(eng.e_store, Q_TASK_RERUN, "iii",
	    (int64_t)(d->d_by_person ? 0 : t->t_rework + 1), t->t_id,
	    t->t_seq) != STORE_OK)
		return (-1);
	log_info("task %s: %s again: %s", t->t_key,
	    stage_rules[t->t_stage].sr_role, d->d_reason);
	return (feedback_from_gate(t, d));
}

static void
what_is_asked(const struct task *t, const struct decision *d, char *buf,
    size_t len)
{
	char how[400];

	if (t->t_stage == STAGE_DEPLOY) {
		tell_how(t, "confirm", CONF_STATUS_CONFIRM_DEPLOY, how,
		    sizeof(how));
		snprintf(buf, len, "waits for a person: confirm the deploy of "
		    "%.7s (%s). \"%s\" does not deploy", t->t_landed, how,
		    conf_status_name(eng_project(t->t_project),
		    CONF_STATUS_APPROVED));
		return;
	}
	tell_how(t, "approve", CONF_STATUS_APPROVED, how, sizeof(how));
	if (t->t_stage == STAGE_ANALYSIS)
		snprintf(buf, len, "waits for a person: approve the analysis "
		    "(docs/work-items/%s/01-brd.md at %.7s; %s)", t->t_key,
		    t->t_head, how);
	else
		snprintf(buf, len, "waits for a person: %s at %.7s (%s)",
		    d->d_gate, t->t_head, how);
}

static int
do_ask(struct task *t, const struct decision *d)
{
	const char *commit = t->t_stage == STAGE_DEPLOY ? t->t_landed :
	    t->t_head;
	char why[1024];

	what_is_asked(t, d, why, sizeof(why));
	if (strcmp(t->t_asked_gate, d->d_gate) != 0 ||
	    strcmp(t->t_asked_commit, commit) != 0) {
		if (store_run_one(eng.e_store, Q_TASK_ASK, "ssii", d->d_gate,
		    commit, eng_now(), t->t_id) != STORE_OK)
			return (-1);
		if (tell_question(t, commit, why) != STORE_OK)
			return (-1);
		log_info("task %s: %s", t->t_key, why);
	}
	return (task_note(t, "person", why, 0) == STORE_OK ? 0 : -1);
}

static int
do_wait(const struct task *t, const struct decision *d)
{
	int64_t at = 0;

	/* Who deploys before may never start: its end is told, that is not. */
	if (strcmp(d->d_waits, "ci") == 0 ||
	    (strcmp(d->d_waits, "capacity") == 0 &&
	    t->t_stage == STAGE_DEPLOY))
		at = eng_now() + CI_LOOK_MS;
	if (d->d_alert != NULL && !alert_is_open(d->d_alert, t->t_key) &&
	    alert_raise(d->d_alert, t->t_key, "%s", d->d_reason) != STORE_OK)
		return (-1);
	if (strcmp(d->d_waits, "retry") == 0)
		at = t->t_drive_at > eng_now() ? t->t_drive_at :
		    eng_now() + RETRY_LOOK_MS;
	if (t->t_parked[0] != '\0' && strcmp(d->d_waits, "parked") == 0) {
		char words[2300], why[2400];

		tell_way_on(t, t->t_parked_reason, words, sizeof(words));
		snprintf(why, sizeof(why), "is parked: %s", words);
		return (task_note(t, "parked", why, 0) == STORE_OK ? 0 : -1);
	}
	/* A cancelled dependency is told, once. */
	if (t->t_stage == STAGE_CREATED && strcmp(d->d_waits, "person") ==
	    0 && strcmp(t->t_why, d->d_reason) != 0 &&
	    alert_raise("dependency", t->t_key, "%s: cancel it too, or submit "
	    "it again without", d->d_reason) != STORE_OK)
		return (-1);
	return (task_note(t, d->d_waits, d->d_reason, at) == STORE_OK ? 0 :
	    -1);
}

/* 1: something changed, look again; 0: settled; -1: failed. */
static int
obey(struct task *t, const struct decision *d)
{
	switch (d->d_act) {
	case ACT_WAIT:
		return (do_wait(t, d));
	case ACT_ASK:
		return (do_ask(t, d));
	case ACT_MOVE:
		return (do_move(t, d) == -1 ? -1 : 1);
	case ACT_RERUN:
		return (do_rerun(t, d) == -1 ? -1 : 1);
	case ACT_AGENT:
		return (add_job(t, KIND_AGENT,
		    stage_rules[t->t_stage].sr_role, NULL, NULL,
		    t->t_head) == -1 ? -1 : 1);
	case ACT_GATE:
		if (strcmp(d->d_gate, "check_ci_green") == 0)
			return (ci_record(t) == -1 ? -1 : 1);
		return (add_job(t, KIND_GATE, NULL, d->d_gate, NULL,
		    t->t_head) == -1 ? -1 : 1);
	case ACT_WORK:
		return (add_job(t, KIND_TRANSITION, NULL, NULL, d->d_work,
		    t->t_head) == -1 ? -1 : 1);
	case ACT_PARK:
		return (task_park(t, d->d_park, d->d_reason) != STORE_OK ?
		    -1 : 1);
	}
	return (-1);
}

static int
drive_one(void *arg)
{
	return (task_drive(*(int64_t *)arg));
}

int
tasks_let_in(const struct task *t)
{
	int64_t *ids = NULL, *more;
	sqlite3_stmt *q;
	size_t i, n = 0, room = 0;

	q = store_bind(eng.e_store, Q_TASKS_WAITING, "is", t->t_id,
	    t->t_project);
	while (store_step(eng.e_store, q) == STORE_OK) {
		if (n == room) {
			room = room == 0 ? 64 : 2 * room;
			if ((more = reallocarray(ids, room,
			    sizeof(*ids))) == NULL)
				fatal("tasks");
			ids = more;
		}
		ids[n++] = col_int(q, 0);
	}
	sqlite3_reset(q);
	/* Another task's trouble is not this one's. */
	for (i = 0; i < n && !store_lost(eng.e_store); i++)
		if (pass_try(drive_one, &ids[i]) == -1)
			log_warnx("task row %lld: looking at it failed",
			    (long long)ids[i]);
	free(ids);
	return (store_lost(eng.e_store) ? -1 : 0);
}

int
task_drive(int64_t id)
{
	char active[256];
	struct facts f;
	struct decision d;
	struct task t;
	int i, again = 1;

	for (i = 0; again == 1 && i < DRIVE_STEPS; i++) {
		if (task_get(id, &t) != STORE_OK ||
		    task_facts(&t, &f, active, sizeof(active)) == -1)
			return (-1);
		if (eng_project(t.t_project) == NULL)
			return (task_note(&t, "person", "its project is not "
			    "in the configuration any more", 0) == STORE_OK ?
			    0 : -1);
		stage_decide(&f, &d);
		if (end_silence(&t, &d) == -1 ||
		    (again = obey(&t, &d)) == -1)
			return (-1);
		if (d.d_act == ACT_MOVE && stage_is_terminal(d.d_to) &&
		    tasks_let_in(&t) == -1)
			return (-1);
	}
	if (again == 1) {
		log_warnx("task %s: does not settle in stage %s", t.t_key,
		    stage_name(t.t_stage));
		return (task_note(&t, "retry", d.d_reason, eng_now() +
		    RETRY_LOOK_MS) == STORE_OK ? 0 : -1);
	}
	return (0);
}
