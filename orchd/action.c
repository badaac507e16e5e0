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
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <bsd/stdlib.h>
#include <bsd/string.h>

#include "libcommon/esc.h"
#include "libcommon/log.h"
#include "action.h"
#include "engine.h"
#include "events.h"
#include "landing.h"
#include "lease.h"
#include "manage.h"
#include "notice.h"
#include "outbox.h"
#include "pass.h"
#include "query.h"
#include "queue.h"
#include "rollback.h"
#include "runs.h"
#include "settle.h"

#define TITLE_MAX	500

/* One action of a person, and where its answer goes. */
struct request {
	struct peer		*a_peer;	/* NULL: a_said */
	uint32_t		 a_id;
	const char		*a_user;
	struct action_said	*a_said;
	const struct orch_action *a_msg;
	struct task		 a_task;	/* where the verb has one */
};

/* Answer with a sentence; always 0, so that handlers end with it. */
static int __attribute__((format(printf, 3, 4)))
say(const struct request *a, enum orch_result res, const char *fmt, ...)
{
	char text[2048];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (a->a_said != NULL) {
		a->a_said->as_result = res;
		strlcpy(a->a_said->as_text, text, sizeof(a->a_said->as_text));
	} else
		answer(a->a_peer, a->a_id, res, text, NULL, -1);
	return (0);
}

/* The value of NAME=value among the arguments, or NULL. */
static const char *
arg(const struct request *a, const char *name, const char *after)
{
	size_t n = strlen(name);
	const char *s = after;

	while ((s = orch_strs_next(&a->a_msg->args, s)) != NULL)
		if (strncmp(s, name, n) == 0 && s[n] == '=')
			return (s);
	return (NULL);
}

static const char *
arg_value(const struct request *a, const char *name)
{
	const char *s = arg(a, name, NULL);

	return (s == NULL ? "" : s + strlen(name) + 1);
}

static const struct conf_project *
submit_project(const struct request *a)
{
	const char *name = arg_value(a, "project");
	const struct conf_project *cp;

	if (name[0] == '\0')
		return (eng.e_conf->cf_nprojects == 1 ?
		    &eng.e_conf->cf_projects[0] : NULL);
	if ((cp = conf_project_by_name(eng.e_conf, name)) == NULL)
		cp = conf_project_by_prefix(eng.e_conf, name);
	return (cp);
}

static int
is_blank(const char *s)
{
	while (isspace((unsigned char)*s))
		s++;
	return (*s == '\0');
}

/* May t (id 0: a task to be made) need that one?  NULL, or why not. */
static const char *
depend_refused(const struct task *t, const char *name)
{
	static char why[256];
	struct task n;
	enum store_res res;

	if ((res = task_resolve(name, &n)) != STORE_OK) {
		snprintf(why, sizeof(why), res == STORE_EXISTS ?
		    "more than one task is called %.64s: say its prefix too" :
		    "there is no task %.64s", name);
		return (why);
	}
	/* A cycle: t is among what n already needs, or n is t. */
	if (t->t_id != 0 && store_int(eng.e_store, 0, Q_DEPENDENCY_CYCLE,
	    "ii", n.t_id, t->t_id) > 0) {
		snprintf(why, sizeof(why), "%s already waits for %s: that "
		    "would be a circle", n.t_key, t->t_key);
		return (why);
	}
	return (NULL);
}

/* All of them, before the first is stored: a refusal changes nothing. */
static const char *
depend_all_refused(const struct request *a, const struct task *t)
{
	const char *s = NULL, *why;

	while ((s = arg(a, "depends", s)) != NULL)
		if ((why = depend_refused(t, strchr(s, '=') + 1)) != NULL)
			return (why);
	return (NULL);
}

static int
depend_store(const struct request *a, const struct task *t)
{
	const char *s = NULL;
	enum store_res res;
	struct task n;

	while ((s = arg(a, "depends", s)) != NULL) {
		if (task_resolve(strchr(s, '=') + 1, &n) != STORE_OK)
			return (-1);
		/* The same one twice is one. */
		res = store_run(eng.e_store, Q_DEPENDENCY_ADD, "ii", t->t_id,
		    n.t_id);
		if (res != STORE_OK && res != STORE_EXISTS)
			return (-1);
	}
	return (0);
}

/* One line that a terminal can show as it is. */
static int
is_plain(const char *s)
{
	char shown[4 * TITLE_MAX + 1];

	return (esc(shown, sizeof(shown), s) == 0 && strcmp(shown, s) == 0);
}

static int
say_projects(const struct request *a)
{
	const char *name = arg_value(a, "project");
	char list[1024] = "";
	size_t i;

	for (i = 0; i < eng.e_conf->cf_nprojects; i++) {
		(void)strlcat(list, i > 0 ? ", " : "", sizeof(list));
		(void)strlcat(list, eng.e_conf->cf_projects[i].cp_name,
		    sizeof(list));
	}
	if (name[0] == '\0')
		return (say(a, RES_REFUSED, "which project? Say one with -p: "
		    "%s", list));
	return (say(a, RES_REFUSED, "there is no project %.64s in the "
	    "configuration, but %s", name, list));
}

int
task_submit(const struct task_new *n, struct task *t)
{
	char key[65], tries[24] = "";
	int64_t number = n->tn_number, now = eng_now();
	enum store_res res;

	if (number == 0)
		number = store_int(eng.e_store, 1, Q_TASK_NEXT_NUMBER, "s",
		    n->tn_project->cp_prefix);
	if (n->tn_try > 1)
		snprintf(tries, sizeof(tries), "-t%lld",
		    (long long)n->tn_try);
	snprintf(key, sizeof(key), "%s-%lld%s", n->tn_project->cp_prefix,
	    (long long)number, tries);
	if (number == n->tn_number && task_by_key(key, t) == STORE_OK)
		return (1);
	if (store_run(eng.e_store, Q_TASK_ADD, "sssssiiis", key,
	    n->tn_project->cp_name, n->tn_title, n->tn_text, n->tn_user,
	    n->tn_priority, now, now, n->tn_item) != STORE_OK ||
	    task_by_key(key, t) != STORE_OK)
		return (-1);
	res = n->tn_item[0] != '\0' ? STORE_OK : store_run(eng.e_store,
	    Q_ITEM_STATUS, "isi", t->t_id, "To Analyse", now);
	return (res == STORE_OK ? 0 : -1);
}

static int
act_submit(struct request *a)
{
	const struct conf_project *cp = submit_project(a);
	const char *title = arg_value(a, "title"), *why, *bad = NULL;
	const char *prio = arg_value(a, "priority");
	struct task_new n = { .tn_project = cp, .tn_title = title,
	    .tn_text = a->a_msg->text, .tn_user = a->a_user, .tn_item = "" };

	if (cp == NULL)
		return (say_projects(a));
	if (cp->cp_tracker != CONF_TRACKER_LOCAL)
		return (say(a, RES_REFUSED, "the items of project %s come "
		    "from its tracker (%s): set one to \"%s\" there. Nothing "
		    "was submitted", cp->cp_name, cp->cp_tracker_url,
		    conf_status_name(cp, CONF_STATUS_TO_ANALYSE)));
	if (is_blank(title) || strlen(title) > TITLE_MAX)
		return (say(a, RES_REFUSED, "a title is needed, of at most %d "
		    "bytes", TITLE_MAX));
	if (!is_plain(title))
		return (say(a, RES_REFUSED, "a title is one line of plain "
		    "text in UTF-8; this one holds something else"));
	if (prio[0] != '\0')
		n.tn_priority = strtonum(prio, -1000, 1000, &bad);
	if (bad != NULL)
		return (say(a, RES_REFUSED, "priority %.32s is %s (-1000 to "
		    "1000)", prio, bad));
	if ((why = depend_all_refused(a, &a->a_task)) != NULL)
		return (say(a, RES_REFUSED, "%s. Nothing was submitted",
		    why));
	if (task_submit(&n, &a->a_task) == -1 ||
	    depend_store(a, &a->a_task) == -1)
		return (-1);
	log_info("task %s: submitted by %s", a->a_task.t_key,
	    a->a_user);
	if (task_drive(a->a_task.t_id) == -1 || queue_kick() == -1)
		return (-1);
	answer(a->a_peer, a->a_id, RES_OK, a->a_task.t_key,
	    json_pack("{s:s}", "id", a->a_task.t_key), -1);
	return (0);
}

static int
act_depend(struct request *a)
{
	const char *why;

	if (a->a_task.t_stage != STAGE_CREATED)
		return (say(a, RES_REFUSED, "%s is in stage %s: a dependency "
		    "counts before analysis only", a->a_task.t_key,
		    stage_name(a->a_task.t_stage)));
	if ((why = depend_all_refused(a, &a->a_task)) != NULL)
		return (say(a, RES_REFUSED, "%s. Nothing was changed", why));
	if (depend_store(a, &a->a_task) == -1 ||
	    task_drive(a->a_task.t_id) == -1)
		return (-1);
	return (say(a, RES_OK, "%s waits for them", a->a_task.t_key));
}

/*
 * Is this what is asked now?  The person's stage, sequence and commit must be
 * the engine's.  1: yes; else the refusal is said.
 */
static int
is_asked(struct request *a, const char *wanted)
{
	const struct orch_action *m = a->a_msg;
	const struct task *t = &a->a_task;

	if ((int64_t)m->seq != t->t_seq ||
	    strcmp(m->stage, stage_name(t->t_stage)) != 0)
		(void)say(a, RES_STALE, "%s has moved to stage %s meanwhile. "
		    "Nothing was changed", t->t_key, stage_name(t->t_stage));
	else if (t->t_asked_gate[0] == '\0')
		(void)say(a, RES_REFUSED, "%s is in stage %s and asks nobody "
		    "for anything. Nothing was changed", t->t_key,
		    stage_name(t->t_stage));
	else if (strcmp(wanted, "confirm") == 0 &&
	    t->t_stage != STAGE_DEPLOY)
		(void)say(a, RES_REFUSED, "%s is in stage %s; confirm is for "
		    "stage deploy. Nothing was changed", t->t_key,
		    stage_name(t->t_stage));
	else if (strcmp(wanted, "approve") == 0 &&
	    t->t_stage == STAGE_DEPLOY)
		(void)say(a, RES_REFUSED, "%s is in stage deploy, where "
		    "\"approve\" does nothing (approved-on-deploy-noop): use "
		    "orchctl confirm %s", t->t_key, t->t_key);
	else if (strcmp(m->commit, t->t_asked_commit) != 0)
		(void)say(a, RES_STALE, "%s asks about commit %.12s, not "
		    "%.12s. Nothing was changed", t->t_key,
		    t->t_asked_commit, m->commit);
	else
		return (1);
	return (0);
}

static int
decide(struct request *a, const char *decision)
{
	const struct task *t = &a->a_task;

	if (store_run(eng.e_store, Q_APPROVAL_ADD, "iisssssis", t->t_id,
	    t->t_seq, t->t_asked_gate, decision, a->a_user,
	    t->t_asked_commit, a->a_msg->text, eng_now(),
	    stage_gate_reads(t->t_stage, t->t_asked_gate)) != STORE_OK)
		return (-1);
	/* Whatever it is, a person has looked. */
	if (store_run_one(eng.e_store, Q_TASK_REWORK_NONE, "ii", t->t_id,
	    t->t_seq) != STORE_OK)
		return (-1);
	log_info("task %s: %s %s at %.12s by %s", t->t_key, t->t_asked_gate,
	    decision, t->t_asked_commit, a->a_user);
	/* A rejection's words are the next run's feedback. */
	if (strcmp(decision, "rejected") == 0 &&
	    store_run(eng.e_store, Q_GATE_ADD, "iiissssisiiiss", t->t_id,
	    t->t_round, t->t_seq, t->t_asked_gate, t->t_asked_commit, "",
	    "fail", (int64_t)CAUSE_RED, "rejected by a person", (int64_t)0,
	    eng_now(), (int64_t)0, a->a_msg->text, "") != STORE_OK)
		return (-1);
	if (task_drive(t->t_id) == -1 || queue_kick() == -1)
		return (-1);
	return (say(a, RES_OK, "%s: %s at %.7s", t->t_key, decision,
	    t->t_asked_commit));
}

static int
act_approve(struct request *a)
{
	return (is_asked(a, "approve") ? decide(a, "approved") : 0);
}

static int
deploy_has_begun(const struct task *t)
{
	return (t->t_stage == STAGE_DEPLOY && store_int(eng.e_store, 0,
	    Q_DEPLOY_EXISTS, "ii", t->t_id, t->t_seq) != 0);
}

static int
act_reject(struct request *a)
{
	if (is_blank(a->a_msg->text))
		return (say(a, RES_REFUSED, "say why with -m: the agent reads "
		    "it. Nothing was changed"));
	/* What has begun cannot be refused any more. */
	if (deploy_has_begun(&a->a_task))
		return (say(a, RES_REFUSED, "%s: its deploy is under way "
		    "already. Nothing was changed", a->a_task.t_key));
	return (is_asked(a, "reject") ? decide(a, "rejected") : 0);
}

/* Has somebody confirmed the landed commit, with its deploy yet to begin? */
static int
is_confirmed(const struct task *t)
{
	sqlite3_stmt *q;
	int yes;

	if (t->t_stage != STAGE_DEPLOY)
		return (0);
	q = store_bind(eng.e_store, Q_CONFIRMATION, "ii", t->t_id, t->t_seq);
	yes = store_step(eng.e_store, q) == STORE_OK &&
	    strcmp(col_text(q, 0), "approved") == 0 &&
	    strcmp(col_text(q, 1), t->t_landed) == 0;
	sqlite3_reset(q);
	return (yes);
}

static int
act_confirm(struct request *a)
{
	const struct task *t = &a->a_task;

	/* A repeated confirmation is a no-op, one of another commit
	 * is none. */
	if (deploy_has_begun(t) || is_confirmed(t)) {
		if (a->a_msg->commit[0] != '\0' &&
		    strcmp(a->a_msg->commit, t->t_landed) != 0)
			return (say(a, RES_STALE, "%s deploys commit %.12s, "
			    "not %.12s. Nothing was changed", t->t_key,
			    t->t_landed, a->a_msg->commit));
		return (say(a, RES_OK, "%s: its deploy is under way already "
		    "(self-deploy-already-initiated)", t->t_key));
	}
	return (is_asked(a, "confirm") ? decide(a, "approved") : 0);
}

/* Resume a parked task, in its stage, with the rework counter at 0. */
static int
act_retry(struct request *a)
{
	struct task *t = &a->a_task;

	if (stage_is_terminal(t->t_stage))
		return (say(a, RES_REFUSED, "%s is %s: open a new item",
		    t->t_key, stage_name(t->t_stage)));
	if (t->t_parked[0] == '\0')
		return (say(a, RES_REFUSED, "%s is not parked: %s. Nothing "
		    "was changed", t->t_key, t->t_why[0] != '\0' ? t->t_why :
		    "it goes on by itself"));
	if (store_run_one(eng.e_store, Q_TASK_UNPARK, "ii", t->t_id,
	    t->t_seq) != STORE_OK ||
	    alert_clear("parked", t->t_key) != STORE_OK)
		return (-1);
	log_info("task %s: resumed by %s", t->t_key, a->a_user);
	if (task_drive(t->t_id) == -1 || queue_kick() == -1)
		return (-1);
	return (say(a, RES_OK, "%s goes on in stage %s", t->t_key,
	    stage_name(t->t_stage)));
}

int
task_stop_runs(const struct task *t, const char *why)
{
	int64_t ids[16];
	sqlite3_stmt *q;
	size_t i, n = 0;

	q = store_bind(eng.e_store, Q_RUNS_LIVE_OF_TASK, "i", t->t_id);
	while (n < 16 && store_step(eng.e_store, q) == STORE_OK)
		ids[n++] = col_int(q, 0);
	sqlite3_reset(q);
	for (i = 0; i < n; i++)
		(void)peer_stop_run((uint64_t)ids[i], why);
	return (0);
}

/* The request is a row that survives restarts. */
static int
act_cancel(struct request *a)
{
	struct task *t = &a->a_task;
	enum store_res res;

	if (stage_is_terminal(t->t_stage))
		return (say(a, RES_REFUSED, "%s is %s already", t->t_key,
		    stage_name(t->t_stage)));
	if (t->t_stage == STAGE_DEPLOY)
		return (say(a, RES_REFUSED, "%s is merged and in stage "
		    "deploy: a merge cannot be cancelled; orchctl reject %s "
		    "-m REASON refuses the deploy", t->t_key, t->t_key));
	res = store_run_one(eng.e_store, Q_TASK_CANCEL, "ii", eng_now(),
	    t->t_id);
	if (res == STORE_STALE)
		return (say(a, RES_DUPLICATE, "%s is being cancelled",
		    t->t_key));
	if (res != STORE_OK || store_run(eng.e_store, Q_JOBS_CANCEL, "isi",
	    eng_now(), "the task is cancelled", t->t_id) != STORE_OK)
		return (-1);
	log_info("task %s: cancel requested by %s", t->t_key,
	    a->a_user);
	if (task_stop_runs(t, "the task is cancelled") == -1 ||
	    task_drive(t->t_id) == -1 || queue_kick() == -1 ||
	    task_get(t->t_id, t) != STORE_OK)
		return (-1);
	return (say(a, RES_OK, t->t_stage == STAGE_CANCELLED ?
	    "%s is cancelled" : "%s will be cancelled when what runs has "
	    "ended", t->t_key));
}

/* lease release: the orders of an operator, not of a program. */
static int
act_lease(struct request *a)
{
	const char *s = NULL;
	char said[512] = "";
	enum orch_result res;
	int force = 0, release = 0;

	while ((s = orch_strs_next(&a->a_msg->args, s)) != NULL) {
		release |= strcmp(s, "release") == 0;
		force |= strcmp(s, "force") == 0;
	}
	if (!release)
		return (say(a, RES_REFUSED, "release is what can be done "
		    "with a lease"));
	res = lease_release(&a->a_task, force, a->a_user, said,
	    sizeof(said));
	return (res == RES_RETRY ? -1 : say(a, res, "%s", said));
}

/* effect settle: how an effect in doubt ended. */
static int
act_effect(struct request *a)
{
	const char *s = NULL;
	char said[1024] = "";
	enum orch_result res;
	int settle = 0;

	while ((s = orch_strs_next(&a->a_msg->args, s)) != NULL)
		settle |= strcmp(s, "settle") == 0;
	if (!settle)
		return (say(a, RES_REFUSED, "settle is what can be done with "
		    "an effect"));
	res = effect_settle(&a->a_task, arg_value(a, "key"),
	    arg_value(a, "outcome"), a->a_user, a->a_msg->text, said,
	    sizeof(said));
	return (res == RES_RETRY ? -1 : say(a, res, "%s", said));
}

/* event replay: as if a delivery came now. */
static int
act_event(struct request *a)
{
	const char *s = NULL;
	char said[1024] = "";
	enum orch_result res;
	int replay = 0;

	while ((s = orch_strs_next(&a->a_msg->args, s)) != NULL)
		replay |= strcmp(s, "replay") == 0;
	if (!replay)
		return (say(a, RES_REFUSED, "replay is what can be done with "
		    "a delivery"));
	res = event_replay(arg_value(a, "event"), a->a_user, said,
	    sizeof(said));
	return (res == RES_RETRY ? -1 : say(a, res, "%s", said));
}

/* queue retry, queue drop: messages that are parked. */
static int
act_queue(struct request *a)
{
	const char *s = NULL, *dest = arg_value(a, "dest");
	char said[1400] = "";
	enum orch_result res;
	int retry = 0, drop = 0;

	while ((s = orch_strs_next(&a->a_msg->args, s)) != NULL) {
		retry |= strcmp(s, "retry") == 0;
		drop |= strcmp(s, "drop") == 0;
	}
	if (retry == drop)
		return (say(a, RES_REFUSED, "retry and drop are what can be "
		    "done with messages"));
	res = retry ? outbox_retry(dest, a->a_user, said, sizeof(said)) :
	    outbox_drop(dest, a->a_user, said, sizeof(said));
	return (res == RES_RETRY ? -1 : say(a, res, "%s", said));
}

/* Deploys go on after a rollback, landings after a freeze. */
static int
act_resume(struct request *a)
{
	const struct conf_project *cp = submit_project(a);
	char said[1024] = "";
	enum orch_result res;

	if (strcmp(arg_value(a, "lane"), "deploy") != 0 &&
	    strcmp(arg_value(a, "lane"), "merge") != 0)
		return (say(a, RES_REFUSED, "deploy and merge are what can "
		    "be resumed"));
	if (cp == NULL)
		return (say_projects(a));
	if (strcmp(arg_value(a, "lane"), "merge") == 0) {
		res = landing_resume(cp->cp_name, a->a_msg->commit, a->a_user,
		    a->a_msg->text, said, sizeof(said));
		return (res == RES_RETRY ? -1 : say(a, res, "%s", said));
	}
	res = rollback_resume(cp->cp_name, a->a_msg->commit,
	    a->a_user, a->a_msg->text, said, sizeof(said));
	return (res == RES_RETRY ? -1 : say(a, res, "%s", said));
}

static int
act_manage(struct request *a)
{
	static const char *const verbs[] = { [MANAGE_RELOAD] = "reload",
	    [MANAGE_RESTART] = "restart", [MANAGE_SHUTDOWN] = "shutdown" };
	unsigned int v;

	for (v = MANAGE_RELOAD; v <= MANAGE_SHUTDOWN; v++)
		if (strcmp(verbs[v], a->a_msg->verb) == 0)
			manage_ask((enum orch_manage_verb)v, a->a_peer->p_id,
			    a->a_id);
	return (0);
}

static const struct verb {
	const char	*v_name;
	int		 v_task;	/* it is about one task */
	int		(*v_do)(struct request *);
} verbs[] = {
	{ "submit",	0, act_submit },
	{ "depend",	1, act_depend },
	{ "approve",	1, act_approve },
	{ "reject",	1, act_reject },
	{ "confirm",	1, act_confirm },
	{ "retry",	1, act_retry },
	{ "cancel",	1, act_cancel },
	{ "lease",	1, act_lease },
	{ "effect",	1, act_effect },
	{ "event",	0, act_event },
	{ "queue",	0, act_queue },
	{ "resume",	0, act_resume },
	{ "reload",	0, act_manage },
	{ "restart",	0, act_manage },
	{ "shutdown",	0, act_manage },
};

int
on_action(struct peer *p, uint32_t id, const union orch_any *any, int *fd)
{
	struct request a = { .a_peer = p, .a_id = id, .a_user = p->p_user,
	    .a_msg = &any->action };
	enum store_res res;
	size_t i;

	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(verbs[i].v_name, any->action.verb) != 0)
			continue;
		if (!verbs[i].v_task)
			return (verbs[i].v_do(&a));
		res = task_resolve(any->action.task, &a.a_task);
		if (res == STORE_OK)
			return (verbs[i].v_do(&a));
		return (say(&a, RES_NOTFOUND, res == STORE_EXISTS ?
		    "more than one task is called %s: say its prefix too" :
		    any->action.task[0] == '\0' ? "which task?%s" :
		    "there is no task %s", any->action.task));
	}
	return (say(&a, RES_REFUSED, "this engine does not know \"%s\"",
	    any->action.verb));
}

int
action_now(const char *verb, const struct task *t, const char *user,
    const char *text, struct action_said *said)
{
	struct orch_action m = { .verb = verb, .task = t->t_key,
	    .stage = stage_name(t->t_stage), .seq = (uint64_t)t->t_seq,
	    .commit = t->t_asked_commit, .text = text };
	struct request a = { .a_user = user, .a_said = said, .a_msg = &m,
	    .a_task = *t };
	size_t i;

	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (verbs[i].v_task && strcmp(verbs[i].v_name, verb) == 0)
			return (verbs[i].v_do(&a));
	return (-1);
}
