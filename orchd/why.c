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

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "engine.h"
#include "landing.h"
#include "query.h"
#include "queue.h"
#include "verdicts.h"

#define HOLDERS_MAX	3	/* are named; of more the number is said */
#define MERGE_LONG_MS	10000

/* Times for people: 4 s, 11 min, 2 h, 3 d. */
static void
ago(int64_t ms, char *buf, size_t len)
{
	int64_t s = ms < 0 ? 0 : ms / 1000;

	if (s < 120)
		snprintf(buf, len, "%lld s", (long long)s);
	else if (s < 7200)
		snprintf(buf, len, "%lld min", (long long)(s / 60));
	else if (s < 172800)
		snprintf(buf, len, "%lld h", (long long)(s / 3600));
	else
		snprintf(buf, len, "%lld d", (long long)(s / 86400));
}

/* Append to a text, as far as there is room. */
static void __attribute__((format(printf, 3, 4)))
add(char *buf, size_t len, const char *fmt, ...)
{
	size_t n = strlen(buf);
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(buf + n, len - n, fmt, ap);
	va_end(ap);
}

/*
 * Append what one that is in the way does, from a row of HOLDER, and how it is
 * got out of the way where it does not go on by itself.
 */
static void
add_holder(sqlite3_stmt *q, char *buf, size_t len)
{
	const char *key = col_text(q, 0), *stage = col_text(q, 1);
	const char *waits = col_text(q, 4);
	char since[32];

	ago(eng_now() - col_int(q, 6), since, sizeof(since));
	if (col_int(q, 7) != 0) {
		add(buf, len, "%s is being cancelled", key);
	} else if (col_text(q, 2)[0] != '\0') {
		if (strcmp(waits, "parked") == 0 && col_int(q, 5) > 0)
			ago(eng_now() - col_int(q, 5), since, sizeof(since));
		add(buf, len, "%s is parked for %s (%.600s). To go on: "
		    "orchctl retry %s", key, since, col_text(q, 3), key);
		/* What is merged cannot be cancelled. */
		if (strcmp(stage, "deploy") != 0)
			add(buf, len, ", or orchctl cancel %s", key);
	} else {
		add(buf, len, "%s is in %s for %s", key, stage, since);
		if (strcmp(waits, "person") == 0 && col_int(q, 5) > 0) {
			ago(eng_now() - col_int(q, 5), since, sizeof(since));
			add(buf, len, " and waits for a person for %s: "
			    "orchctl why %s", since, key);
		}
	}
}

/* The same of one task by its key. */
static void
add_holder_key(const char *key, char *buf, size_t len)
{
	sqlite3_stmt *q;

	q = store_bind(eng.e_store, Q_HOLDER_GET, "s", key);
	if (store_step(eng.e_store, q) == STORE_OK)
		add_holder(q, buf, len);
	sqlite3_reset(q);
}

/* Who has the places of the project (serial_limit), the stuck ones first. */
static void
why_no_place(const struct task *t, char *buf, size_t len)
{
	const struct conf_project *cp = eng_project(t->t_project);
	long long most = cp == NULL ? 0 : (long long)conf_int(eng.e_conf, cp,
	    OPT_SERIAL_LIMIT);
	sqlite3_stmt *q;
	int n = 0;

	snprintf(buf, len, "waits for %s of %s (serial_limit %lld)",
	    most == 1 ? "the place" : "a place", t->t_project, most);
	q = store_bind(eng.e_store, Q_PLACES_TAKEN, "s", t->t_project);
	while (store_step(eng.e_store, q) == STORE_OK) {
		if (n++ < HOLDERS_MAX) {
			add(buf, len, "%s", n == 1 ? ": " : "; ");
			add_holder(q, buf, len);
		}
	}
	sqlite3_reset(q);
	if (n > HOLDERS_MAX)
		add(buf, len, "; and %d more", n - HOLDERS_MAX);
}

/* Whose deploy is under way, for those that wait for its end. */
static void
why_no_deploy(const struct task *t, char *buf, size_t len)
{
	sqlite3_stmt *q;
	char since[32];

	snprintf(buf, len, "%s", t->t_why);
	q = store_bind(eng.e_store, Q_DEPLOY_HOLDER, "s", t->t_project);
	if (store_step(eng.e_store, q) == STORE_OK) {
		ago(eng_now() - col_int(q, 2), since, sizeof(since));
		snprintf(buf, len, "waits for the %s of %s, under way for "
		    "%s%s%s", col_text(q, 1), col_text(q, 0), since,
		    col_int(q, 3) != 0 ? ", of whose hook nobody can tell "
		    "whether it still acts: orchctl effect " : "",
		    col_int(q, 3) != 0 ? col_text(q, 0) : "");
	}
	sqlite3_reset(q);
}

/* The task that has to be done before. */
static void
why_dependency(const struct task *t, char *buf, size_t len)
{
	char key[sizeof(t->t_key)] = "";
	sqlite3_stmt *q;

	snprintf(buf, len, "%s", t->t_why);
	q = store_bind(eng.e_store, Q_DEPENDENCY_OPEN, "i", t->t_id);
	if (store_step(eng.e_store, q) == STORE_OK)
		snprintf(key, sizeof(key), "%s", col_text(q, 0));
	sqlite3_reset(q);
	if (key[0] == '\0')
		return;
	snprintf(buf, len, "needs %s to be done first. ", key);
	add_holder_key(key, buf, len);
}

static const char *
limit_of(const struct task *t, const char *kind, const char *role)
{
	static char buf[48];
	const struct conf_project *cp = eng_project(t->t_project);
	const struct conf_agent *a;

	buf[0] = '\0';
	if (cp == NULL || strcmp(kind, "agent") != 0 ||
	    (a = conf_agent_for(eng.e_conf, cp,
	    conf_role_lookup(role))) == NULL)
		return (buf);
	snprintf(buf, sizeof(buf), " of at most %lld min",
	    (long long)(conf_agent_timeout(eng.e_conf, cp, a) + 59) / 60);
	return (buf);
}

/*
 * The effect that a worker is at.  A merge takes a second where the forge's
 * protection asks for nothing more; what that is stands at the pull request.
 */
static void
add_effect(const struct task *t, char *buf, size_t len)
{
	const struct conf_project *cp = eng_project(t->t_project);
	sqlite3_stmt *q;
	char since[32];
	int64_t ms;

	q = store_bind(eng.e_store, Q_EFFECT_BEGUN, "i", t->t_id);
	if (store_step(eng.e_store, q) == STORE_OK) {
		ms = eng_now() - col_int(q, 1);
		ago(ms, since, sizeof(since));
		add(buf, len, ", at %s for %s", col_text(q, 0), since);
		if (strcmp(col_text(q, 0), "merge") == 0 && cp != NULL &&
		    cp->cp_forge == CONF_FORGE_GITEA && ms >= MERGE_LONG_MS)
			add(buf, len, ": the forge has not merged yet, its "
			    "pull request says whether approvals or CI are "
			    "missing");
	}
	sqlite3_reset(q);
}

/* What runs for the task now: 1 when something does. */
static int
why_running(const struct task *t, char *buf, size_t len)
{
	const struct conf_project *cp = eng_project(t->t_project);
	const char *what;
	sqlite3_stmt *q;
	char since[32];
	int found;

	q = store_bind(eng.e_store, Q_RUN_ACTIVE_OF_TASK, "i", t->t_id);
	if ((found = store_step(eng.e_store, q) == STORE_OK)) {
		what = col_text(q, 2)[0] != '\0' ? col_text(q, 2) :
		    col_text(q, 3)[0] != '\0' ? col_text(q, 3) :
		    col_text(q, 4)[0] != '\0' ? col_text(q, 4) :
		    col_text(q, 1);
		ago(eng_now() - col_int(q, 5), since, sizeof(since));
		snprintf(buf, len, "runs: %s, rework %lld of %lld, %s%s "
		    "(run %lld)", what, (long long)t->t_rework, cp == NULL ?
		    0LL : (long long)conf_int(eng.e_conf, cp,
		    OPT_MAX_DEVELOPER_RETRIES), since,
		    limit_of(t, col_text(q, 1), col_text(q, 2)),
		    (long long)col_int(q, 0));
		if (strcmp(col_text(q, 1), "transition") == 0)
			add_effect(t, buf, len);
	}
	sqlite3_reset(q);
	return (found);
}

/* Who holds the merge lane that its edge waits for. */
static void
why_no_lane(const struct task *t, char *buf, size_t len)
{
	char key[sizeof(t->t_key)] = "", since[32] = "", frozen[512];
	sqlite3_stmt *q;

	if (landing_frozen(t->t_project, t->t_id, frozen, sizeof(frozen))) {
		snprintf(buf, len, "waits for the merge lane: %s", frozen);
		return;
	}
	q = store_bind(eng.e_store, Q_LANE_GET, "s", t->t_project);
	if (store_step(eng.e_store, q) == STORE_OK) {
		snprintf(key, sizeof(key), "%s", col_text(q, 0));
		ago(eng_now() - col_int(q, 2), since, sizeof(since));
	}
	sqlite3_reset(q);
	if (key[0] == '\0') {
		snprintf(buf, len, "waits for the merge lane of %s, or for a "
		    "free gate slot", t->t_project);
		return;
	}
	snprintf(buf, len, "waits for the merge lane of %s: %s holds it for "
	    "%s", t->t_project, strcmp(key, t->t_key) == 0 ?
	    "its own last worker" : key, since);
	if (strcmp(key, t->t_key) != 0) {
		add(buf, len, ". ");
		add_holder_key(key, buf, len);
	}
}

/* A queued job, and what it waits for: 1 when there is one. */
static int
why_queued(const struct task *t, char *buf, size_t len)
{
	sqlite3_stmt *q;
	const char *what;
	int found, edge;

	q = store_bind(eng.e_store, Q_JOB_ACTIVE, "i", t->t_id);
	found = store_step(eng.e_store, q) == STORE_OK;
	what = !found ? "" : col_text(q, 1)[0] != '\0' ? col_text(q, 1) :
	    col_text(q, 2)[0] != '\0' ? col_text(q, 2) : col_text(q, 3);
	edge = found && strcmp(col_text(q, 3), "edge") == 0;
	if (found && !edge)
		snprintf(buf, len, "waits for capacity: %s (agents %lld of "
		    "%lld, gate runs at most %lld)", what,
		    (long long)queue_running(KIND_AGENT),
		    (long long)conf_int(eng.e_conf, NULL,
		    OPT_MAX_CONCURRENCY), (long long)conf_int(eng.e_conf,
		    NULL, OPT_MAX_GATE_RUNS));
	sqlite3_reset(q);
	if (!edge)
		return (found);
	why_no_lane(t, buf, len);
	return (1);
}

/* What another task keeps it from: 1 when that is what it waits for. */
static int
why_behind(const struct task *t, char *buf, size_t len)
{
	if (t->t_stage == STAGE_CREATED &&
	    strcmp(t->t_waits, "capacity") == 0)
		why_no_place(t, buf, len);
	else if (t->t_stage == STAGE_CREATED &&
	    strcmp(t->t_waits, "dependency") == 0)
		why_dependency(t, buf, len);
	else if (t->t_stage == STAGE_DEPLOY &&
	    strcmp(t->t_waits, "capacity") == 0)
		why_no_deploy(t, buf, len);
	else
		return (0);
	return (1);
}

/* Until the merge, which it will not come to. */
static void
add_withdrawn(const struct task *t, char *buf, size_t len)
{
	const struct conf_project *cp = eng_project(t->t_project);
	char whose[256];

	if (cp == NULL || !cp->cp_review_approval ||
	    t->t_stage < STAGE_REVIEW || t->t_stage >= STAGE_DEPLOY)
		return;
	verdict_withdrawn(t, whose, sizeof(whose));
	if (whose[0] != '\0')
		add(buf, len, "; %s: it is not merged until somebody approves "
		    "again", whose);
}

void
task_why(const struct task *t, char *buf, size_t len, const char **waits)
{
	char what[2300], since[32];

	*waits = t->t_waits;
	if (stage_is_terminal(t->t_stage) && t->t_waits[0] == '\0') {
		snprintf(buf, len, "%s is %s", t->t_key,
		    stage_name(t->t_stage));
		return;
	}
	if (why_running(t, what, sizeof(what)))
		*waits = "run";
	else if (why_queued(t, what, sizeof(what)))
		*waits = "capacity";
	else if (why_behind(t, what, sizeof(what)))
		;
	else if (strcmp(t->t_waits, "person") == 0 && t->t_asked_at != 0) {
		ago(eng_now() - t->t_asked_at, since, sizeof(since));
		snprintf(what, sizeof(what), "%.2000s. Asked %s ago",
		    t->t_why, since);
	} else if (t->t_waits[0] != '\0' && strcmp(t->t_waits, "parked") &&
	    strcmp(t->t_waits, "person"))
		snprintf(what, sizeof(what), "waits (%s): %.2000s",
		    t->t_waits, t->t_why);
	else
		snprintf(what, sizeof(what), "%.2200s", t->t_why[0] != '\0' ?
		    t->t_why : "is about to be looked at");
	snprintf(buf, len, "%s %s", t->t_key, what);
	add_withdrawn(t, buf, len);
}

void
task_asked_path(const struct task *t, char *buf, size_t len)
{
	buf[0] = '\0';
	if (strcmp(t->t_asked_gate, "check_analysis_approved") == 0)
		snprintf(buf, len, "docs/work-items/%s/01-brd.md", t->t_key);
	else if (strcmp(t->t_asked_gate, "check_review_approved") == 0)
		snprintf(buf, len, "docs/work-items/%s/12-review.md",
		    t->t_key);
}
