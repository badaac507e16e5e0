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
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include "libcommon/log.h"
#include "engine.h"
#include "notice.h"
#include "outbox.h"
#include "queue.h"
#include "rollback.h"

/* A deploy that the monitor found degraded, taken back. */

#define LOG_NAME	"16-post-deploy-log.md"
#define FREEZE_KIND	"deploy_frozen"
#define PREFIX_MIN	7

/* NULL: it is to be rolled back; else why not. */
static const char *
not_rolled_back(const struct task *t, const struct conf_project *cp)
{
	if (cp == NULL)
		return ("its project is not in the configuration any more");
	if (!conf_bool(eng.e_conf, cp, OPT_POST_DEPLOY_AUTO_ROLLBACK))
		return ("post_deploy_auto_rollback is off");
	if (cp->cp_self_hosting)
		return ("a self-hosting project is not rolled back by itself");
	if (cp->cp_cmd[CONF_CMD_ROLLBACK_HOOK].cc_argv.sl_n == 0)
		return ("the project has no rollback hook");
	if (strlen(t->t_previous) != 40)
		return ("what was served before is not known");
	if (store_int(eng.e_store, 1, Q_QUARANTINED, "ss", t->t_project,
	    t->t_previous) > 0)
		return ("what was served before is in quarantine itself");
	if (store_int(eng.e_store, 0, Q_DEPLOY_LATER, "si", t->t_project,
	    t->t_id) > 0)
		return ("something else has been deployed since");
	return (NULL);
}

/* The log with what is done instead of ALERT_ONLY, and a line more. */
static int
log_store(const struct task *t, const char *log, const char *line)
{
	static const char alone[] = "action_taken: ALERT_ONLY";
	const char *at = strstr(log, alone);
	char *text;
	int ret;

	if (asprintf(&text, "%.*s%s%s%s\n", at == NULL ? (int)strlen(log) :
	    (int)(at - log), log, at == NULL ? "" : "action_taken: ROLLBACK",
	    at == NULL ? "" : at + strlen(alone), line) == -1)
		fatal("rollback");
	ret = store_run(eng.e_store, Q_RECORD_PUT, "iissi", t->t_id,
	    t->t_round, LOG_NAME, text, eng_now()) == STORE_OK ? 0 : -1;
	free(text);
	return (ret);
}

/*
 * Its item: here, or to be made where the others are.  The task's messages to
 * the tracker come after this one, so they find it made.
 */
static int
follow_up_item(const struct task *f, const char *request)
{
	const struct conf_project *cp = eng_project(f->t_project);
	char key[128], *text;
	enum store_res res;

	if (cp == NULL || cp->cp_tracker == CONF_TRACKER_LOCAL)
		return (store_run(eng.e_store, Q_ITEM_STATUS, "isi", f->t_id,
		    "To Analyse", eng_now()) == STORE_OK ? 0 : -1);
	snprintf(key, sizeof(key), "item:%s", f->t_key);
	if (asprintf(&text, "%s (%s)\n%s", f->t_title, f->t_key, request) ==
	    -1)
		fatal("rollback");
	res = outbox_add("tracker", f, "item", key, text);
	free(text);
	return (res == STORE_OK ? 0 : -1);
}

/* <ID>-f1, with the measurements: a task that is done stays done. */
static int
follow_up(const struct task *t, const char *measured)
{
	char key[80], title[512], request[2048];
	int64_t now = eng_now();
	enum store_res res;
	struct task f;

	snprintf(key, sizeof(key), "%s-f1", t->t_key);
	snprintf(title, sizeof(title), "Follow up %s: %.400s", t->t_key,
	    t->t_title);
	snprintf(request, sizeof(request), "%s was merged as %s and deployed, "
	    "and production was found degraded:\n\n%.1200s\n\nProduction "
	    "was rolled back to %s.  The branch still has %s: find out why it "
	    "fails in production and correct it, or take it out.\n", t->t_key,
	    t->t_landed, measured, t->t_previous, t->t_landed);
	res = store_run(eng.e_store, Q_TASK_ADD, "sssssiiis", key,
	    t->t_project, title, request, "orchd", t->t_priority, now, now,
	    "");
	if (res == STORE_EXISTS)
		return (0);
	if (res != STORE_OK || task_by_key(key, &f) != STORE_OK ||
	    follow_up_item(&f, request) == -1)
		return (-1);
	log_info("task %s: submitted by orchd", key);
	return (task_drive(f.t_id));
}

static int
say(const struct task *t, const char *what, const char *text)
{
	char key[160];

	snprintf(key, sizeof(key), "%s:%s", what, t->t_key);
	return (alert_raise("rollback", t->t_key, "%s", text) == STORE_OK &&
	    outbox_add("tracker", t, "comment", key, text) == STORE_OK ? 0 :
	    -1);
}

int
rollback_begin(const struct task *t, const char *measured, const char *log,
    char *why, size_t whylen)
{
	const char *no = not_rolled_back(t, eng_project(t->t_project));
	char text[1024];

	if (no != NULL) {
		strlcpy(why, no, whylen);
		return (store_run(eng.e_store, Q_RECORD_PUT, "iissi", t->t_id,
		    t->t_round, LOG_NAME, log, eng_now()) == STORE_OK ? 0 :
		    -1);
	}
	snprintf(text, sizeof(text), "%.500s. %.7s is rolled back to %.7s",
	    measured, t->t_landed, t->t_previous);
	if (store_run(eng.e_store, Q_QUARANTINE_ADD, "issssi", t->t_id,
	    t->t_project, t->t_landed, t->t_previous, measured, eng_now()) !=
	    STORE_OK || log_store(t, log, "") == -1 ||
	    say(t, "rollback", text) == -1)
		return (-1);
	if (alert_raise(FREEZE_KIND, t->t_project, "%.12s of %s was found "
	    "degraded and is in quarantine: no deploys until orchctl resume "
	    "-p %s -r REASON deploy", t->t_landed, t->t_key, t->t_project) !=
	    STORE_OK || store_run(eng.e_store, Q_TASK_LATER, "ii", eng_now(),
	    t->t_id) != STORE_OK)
		return (-1);
	store_count(eng.e_store, "rolled_back", 1);
	log_info("task %s: %s", t->t_key, text);
	/* The rollback is queued before what its follow-up begins with. */
	return (task_drive(t->t_id) == -1 || follow_up(t, measured) == -1 ?
	    -1 : 1);
}

enum rollback_fact
rollback_state(const struct task *t, const char **why)
{
	static char text[512];
	enum rollback_fact f = ROLLBACK_NONE;
	sqlite3_stmt *q;

	q = store_bind(eng.e_store, Q_ROLLBACK_OF_TASK, "i", t->t_id);
	if (store_step(eng.e_store, q) == STORE_OK) {
		/* state, key, exit code, doubt of its deploy row */
		if (strcmp(col_text(q, 0), "ended") == 0)
			f = ROLLBACK_ENDED;
		else if (strcmp(col_text(q, 0), "recorded") == 0)
			f = ROLLBACK_NONE;
		else if (sqlite3_column_type(q, 1) == SQLITE_NULL)
			f = ROLLBACK_DUE;
		else
			f = sqlite3_column_type(q, 2) == SQLITE_NULL ?
			    ROLLBACK_STARTED : ROLLBACK_DOUBT;
		if (f == ROLLBACK_DOUBT)
			snprintf(text, sizeof(text), "nobody can tell whether "
			    "its rollback hook still acts; it counts as "
			    "failed after deploy_timeout_s, or when an "
			    "operator says so: orchctl effect settle %s %s "
			    "done|failed -r REASON", t->t_key,
			    col_text(q, 1));
	}
	sqlite3_reset(q);
	*why = f == ROLLBACK_DOUBT ? text : "";
	return (f);
}

const char *
rollback_refused(const struct task *t, const char *revision,
    const char *from)
{
	const char *why;

	if (t->t_stage != STAGE_DONE || strcmp(revision, t->t_previous) ||
	    strcmp(from, t->t_landed))
		return ("what is rolled back is the landed commit, to what "
		    "was there before it");
	if (rollback_state(t, &why) == ROLLBACK_NONE)
		return ("no rollback of it is due");
	if (rollback_state(t, &why) == ROLLBACK_DUE && store_int(eng.e_store,
	    0, Q_DEPLOY_BUSY, "s", t->t_project) > 0)
		return ("a deploy of the project is under way");
	return (NULL);
}

/* The contract of the hook's exit code. */
static void
ended_text(const struct task *t, int code, char *buf, size_t len)
{
	static const char *const end[] = {
		"is done", "FAILED, hook exit 1: what was served before it is "
		"served still, look at the service", "FAILED, hook exit 2: "
		"look at production NOW"
	};

	if (code == 255)
		snprintf(buf, len, "The rollback to %.12s FAILED: the hook "
		    "ended without leaving a result", t->t_previous);
	else if (code > 2)
		snprintf(buf, len, "The rollback to %.12s FAILED, hook exit "
		    "%d, which is not in its contract (0, 1, 2)",
		    t->t_previous, code);
	else
		snprintf(buf, len, "The rollback to %.12s %s", t->t_previous,
		    end[code]);
}

int
rollback_ended(const struct task *t, int code)
{
	char text[256], line[300], *log = NULL;
	sqlite3_stmt *q;
	int ret = -1;

	ended_text(t, code, text, sizeof(text));
	snprintf(line, sizeof(line), "%s.", text);
	q = store_bind(eng.e_store, Q_RECORD_TEXT, "iis", t->t_id, t->t_round,
	    LOG_NAME);
	if (store_step(eng.e_store, q) == STORE_OK)
		log = strdup(col_text(q, 0));
	sqlite3_reset(q);
	if (log != NULL && log_store(t, log, line) == 0 &&
	    store_run_one(eng.e_store, Q_QUARANTINE_STATE, "sis", "ended",
	    t->t_id, "due") == STORE_OK && store_run(eng.e_store,
	    Q_TASK_LATER, "ii", eng_now(), t->t_id) == STORE_OK)
		ret = say(t, "rolled-back", text);
	free(log);
	return (ret);
}

int
rollback_recorded(const struct task *t)
{
	/* Recorded already: who comes second has nothing more to say. */
	return (store_run(eng.e_store, Q_QUARANTINE_STATE, "sis",
	    "recorded", t->t_id, "ended") == STORE_OK ? 0 : -1);
}

int
rollback_stuck(const struct task *t, const char *why)
{
	return (alert_raise("rollback", t->t_key, "it could not be rolled "
	    "back or recorded until now: %s. It is tried again; look at "
	    "production", why) == STORE_OK ? 0 : -1);
}

const char *
deploy_frozen(const char *project, const char *commit)
{
	static char why[512];
	sqlite3_stmt *q;
	int found;

	q = store_bind(eng.e_store, Q_QUARANTINE_BLOCKS, "ss", project,
	    commit);
	if ((found = store_step(eng.e_store, q) == STORE_OK)) {
		if (col_int(q, 2))
			snprintf(why, sizeof(why), "the deploys of %s are "
			    "frozen since %s was rolled back: orchctl resume "
			    "-p %s -r REASON deploy", project, col_text(q, 0),
			    project);
		else
			snprintf(why, sizeof(why), "%.12s is in quarantine "
			    "since %s was rolled back: orchctl resume -p %s "
			    "-c %.12s -r REASON deploy", col_text(q, 1),
			    col_text(q, 0), project, col_text(q, 1));
	}
	sqlite3_reset(q);
	return (found ? why : NULL);
}

/* Which rollback an operator means; 0: there is none, and said says so. */
static int64_t
resumed_task(const char *project, const char *commit, char *said, size_t len)
{
	int64_t task;

	if (commit[0] != '\0' && strlen(commit) < PREFIX_MIN) {
		snprintf(said, len, "name at least %d digits of the commit. "
		    "Nothing was changed", PREFIX_MIN);
		return (0);
	}
	task = store_int(eng.e_store, 0, Q_QUARANTINE_FIND, "ss", project,
	    commit);
	if (task == 0 && commit[0] != '\0')
		snprintf(said, len, "%.12s is not in quarantine for %s. "
		    "Nothing was changed", commit, project);
	else if (task == 0)
		snprintf(said, len, "the deploys of %s are not frozen. "
		    "Nothing was changed", project);
	return (task);
}

/* A rollback that is under way has its end first. */
static int
is_under_way(const struct task *t)
{
	const char *why;
	enum rollback_fact f = rollback_state(t, &why);

	return (f == ROLLBACK_STARTED || f == ROLLBACK_DOUBT ||
	    store_int(eng.e_store, 0, Q_LEASE_OF, "i", t->t_id) != 0);
}

static int
resume_store(const struct task *t, const char *project, const char *commit,
    const char *by, const char *reason)
{
	char key[64];

	snprintf(key, sizeof(key), "%s:%s", commit[0] != '\0' ?
	    "quarantine" : "freeze", t->t_landed);
	if (store_run(eng.e_store, Q_FREEZE_END, "sss", by, reason, project)
	    != STORE_OK || (commit[0] != '\0' && store_run(eng.e_store,
	    Q_QUARANTINE_CLEAR, "iss", eng_now(), project, commit) !=
	    STORE_OK))
		return (-1);
	/* One that could not be started is given up with the freeze. */
	if (store_run(eng.e_store, Q_QUARANTINE_STATE, "sis", "recorded",
	    t->t_id, "due") != STORE_OK || store_run(eng.e_store,
	    Q_SETTLEMENT_ADD, "issssi", t->t_id, key, "done", by, reason,
	    eng_now()) != STORE_OK)
		return (-1);
	if (alert_clear(FREEZE_KIND, project) != STORE_OK ||
	    alert_clear("rollback", t->t_key) != STORE_OK ||
	    task_drive(t->t_id) == -1 || tasks_let_in(t) == -1)
		return (-1);
	return (queue_kick());
}

enum orch_result
rollback_resume(const char *project, const char *commit, const char *by,
    const char *reason, char *said, size_t len)
{
	struct task t;
	int64_t task;

	if (reason[strspn(reason, " \t\n")] == '\0') {
		snprintf(said, len, "say why with -r: it is kept. Nothing "
		    "was changed");
		return (RES_REFUSED);
	}
	if ((task = resumed_task(project, commit, said, len)) == 0)
		return (RES_REFUSED);
	if (task_get(task, &t) != STORE_OK)
		return (RES_RETRY);
	if (is_under_way(&t)) {
		snprintf(said, len, "the rollback of %s is under way. Nothing "
		    "was changed", t.t_key);
		return (RES_DENIED);
	}
	if (resume_store(&t, project, commit, by, reason) == -1)
		return (RES_RETRY);
	log_info("project %s: deploys resumed by %s%s%s: %s", project, by,
	    commit[0] != '\0' ? ", with " : "", commit, reason);
	snprintf(said, len, "deploys of %s go on%s%.12s%s", project,
	    commit[0] != '\0' ? "; " : "", commit, commit[0] != '\0' ?
	    " may be deployed again" : "");
	return (RES_OK);
}
