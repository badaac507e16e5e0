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

#include <bsd/string.h>

#include "libcommon/git.h"
#include "libcommon/log.h"
#include "action.h"
#include "engine.h"
#include "intake.h"
#include "landing.h"
#include "outbox.h"
#include "pass.h"
#include "queue.h"

/* Pull requests and reviews of a forge elsewhere. */

#define PARKED_FOR	"pull request "	/* a reason that begins so */

static void
ack(struct peer *p, uint32_t id, enum orch_result result, const char *text)
{
	struct orch_ack a = { (uint8_t)result, text };

	pass_send(p->p_id, ORCH_ack, id, &a, -1);
}

static int
has_forge(const char *project)
{
	const struct conf_project *cp = eng_project(project);

	return (cp != NULL && cp->cp_forge == CONF_FORGE_GITEA);
}

/* The open task of a branch. */
static enum store_res
task_of_branch(const char *project, const char *branch, struct task *t)
{
	int64_t id;

	if (branch[0] == '\0')
		return (STORE_NONE);
	id = store_int(eng.e_store, 0, Q_TASK_OF_BRANCH, "ss", project,
	    branch);
	return (id == 0 ? STORE_NONE : task_get(id, t));
}

/* It cannot go on with this request: no run until a person acts. */
static int
pull_ended(const struct task *t, const struct orch_pull_seen *m)
{
	char why[512];

	if (t->t_parked[0] != '\0' || t->t_cancel_at != 0)
		return (0);
	if (m->state == PULL_IS_CLOSED)
		snprintf(why, sizeof(why), PARKED_FOR "%llu of %s was closed "
		    "by hand: open it again to go on, or orchctl cancel %s",
		    (unsigned long long)m->number, t->t_branch, t->t_key);
	else
		snprintf(why, sizeof(why), PARKED_FOR "%llu of %s was merged "
		    "by hand, and the task has not passed its gates: hand in "
		    "a new item for what is left, and end this one by "
		    "orchctl cancel %s, which leaves the merge",
		    (unsigned long long)m->number, t->t_branch, t->t_key);
	return (task_park(t, "needs_input", why) == STORE_OK ? 0 : -1);
}

static int
pull_reopened(const struct task *t)
{
	struct action_said said = { RES_OK, "" };

	if (strncmp(t->t_parked_reason, PARKED_FOR, strlen(PARKED_FOR)) != 0)
		return (0);
	return (action_now("retry", t, "whoever opened it again", "", &said));
}

/*
 * Merged by hand while a worker is inside the edge.  A living owner is
 * not robbed: it is asked to end, which gives lease and lane back, and the
 * next one adopts the merge.  The worker's own merge comes by here too: that
 * one is about to end anyway.
 */
static void
owner_is_asked(const struct task *t, const struct orch_pull_seen *m)
{
	int64_t run = store_int(eng.e_store, 0, Q_LEASE_OF, "i", t->t_id);

	if (run == 0 || store_int(eng.e_store, 0, Q_MERGE_OWN, "is", t->t_id,
	    m->landed) > 0 || landing_is_own(t))
		return;
	log_info("task %s: pull request %llu was merged by hand: run %lld is "
	    "asked to give its lease back", t->t_key,
	    (unsigned long long)m->number, (long long)run);
	(void)peer_stop_run((uint64_t)run, "its pull request was merged by "
	    "hand");
}

/* What a request that is so now means for its task. */
static int
pull_act(const struct task *t, const struct orch_pull_seen *m)
{
	if (t->t_stage >= STAGE_DEPLOY)
		return (0);
	/* The edge finds the merge in the target, and adopts it. */
	if ((m->state == PULL_IS_CLOSED || (m->state == PULL_IS_MERGED &&
	    t->t_stage != STAGE_DEPLOY_STAGING)) && pull_ended(t, m) == -1)
		return (-1);
	if (m->state == PULL_IS_MERGED && t->t_stage == STAGE_DEPLOY_STAGING)
		owner_is_asked(t, m);
	if (m->state == PULL_IS_OPEN && pull_reopened(t) == -1)
		return (-1);
	return (task_drive(t->t_id) == -1 ? -1 : queue_kick());
}

int
on_pull_seen(struct peer *p, uint32_t id, const union orch_any *any, int *fd)
{
	const struct orch_pull_seen *m = &any->pull_seen;
	enum store_res res;
	struct task t;

	if (!has_forge(m->project) || m->branch[0] == '\0' ||
	    m->state == PULL_NONE || m->state > PULL_IS_CLOSED) {
		ack(p, id, RES_REFUSED, "no project has its code there");
		return (0);
	}
	if (store_run(eng.e_store, Q_PULL_SEEN_PUT, "ssiisssi", m->project,
	    m->branch, (int64_t)m->number, (int64_t)m->state, m->head,
	    m->landed, m->page, eng_now()) != STORE_OK)
		return (-1);
	res = task_of_branch(m->project, m->branch, &t);
	if (res == STORE_FAIL || (res == STORE_OK && pull_act(&t,
	    m) == -1))
		return (-1);
	ack(p, id, RES_OK, "");
	return (0);
}

/* Is what was reviewed the code that the task has now? */
static int
is_current(const struct task *t, const char *commit)
{
	sqlite3_stmt *q;
	int same;

	if (strcmp(commit, t->t_head) == 0)
		return (1);
	q = store_bind(eng.e_store, Q_TREE_OF_COMMIT, "is", t->t_id, commit);
	same = store_step(eng.e_store, q) == STORE_OK &&
	    strcmp(col_text(q, 0), t->t_tree) == 0;
	sqlite3_reset(q);
	return (same);
}

/* A round back, by a person, with what the person wrote. */
static int
review_rejects(const struct task *t, const struct orch_review_seen *m,
    const char *who)
{
	struct transition tr = { .tr_task = t->t_id, .tr_from = t->t_stage,
	    .tr_seq = t->t_seq, .tr_to = STAGE_DEVELOPMENT, .tr_backward = 1,
	    .tr_by_person = 1, .tr_actor = { who, 0 } };
	char why[256];

	snprintf(why, sizeof(why), "changes requested by %s at %.7s", who,
	    m->commit);
	tr.tr_reason = why;
	if (transition_commit(&tr) != STORE_OK ||
	    task_set_feedback(t->t_id, why, m->text) != STORE_OK ||
	    task_stop_runs(t, why) == -1)
		return (-1);
	return (0);
}

/* Not for this task now: why, or NULL. */
static const char *
review_ignored(const struct task *t, const struct orch_review_seen *m)
{
	if (t->t_cancel_at != 0)
		return ("it is being cancelled");
	if (m->approved == REVIEW_DISMISSED)
		return (t->t_stage >= STAGE_DEPLOY ? "it is merged" : NULL);
	if (t->t_stage < STAGE_DEVELOPMENT || t->t_stage >= STAGE_DEPLOY)
		return ("nothing is to be reviewed in its stage");
	if (!m->approved && t->t_stage == STAGE_DEVELOPMENT)
		return ("it is in development");
	if (!is_current(t, m->commit))
		return ("its code has changed since");
	return (NULL);
}

static enum store_res
review_add(const struct task *t, const struct orch_review_seen *m)
{
	return (store_run(eng.e_store, Q_REVIEW_ADD, "siiissi", m->project,
	    (int64_t)m->review, t->t_id, (int64_t)m->approved, m->author,
	    m->commit, eng_now()));
}

/*
 * An approval is none any more.  Its record goes, so that it counts when it is
 * there again.  An edge that is under way hears it before it merges.
 */
static int
approval_withdraw(const struct task *t, int64_t review, const char *who,
    const char *commit, const char *how)
{
	char key[160], text[512];

	if (store_run(eng.e_store, Q_REVIEW_FORGET, "sii", t->t_project,
	    review, (int64_t)REVIEW_DISMISSED) != STORE_OK ||
	    store_run(eng.e_store, Q_APPROVAL_VOID, "ii", t->t_id, review) !=
	    STORE_OK)
		return (-1);
	log_info("task %s: the approval of %s at %.12s was %s", t->t_key,
	    who, commit, how);
	snprintf(key, sizeof(key), "withdrawn:%s:%lld:%lld", t->t_key,
	    (long long)review, (long long)eng_now());
	snprintf(text, sizeof(text), "the approval of %.12s by %.160s was %s: "
	    "it is not merged until somebody approves again", commit, who,
	    how);
	return (outbox_add("tracker", t, "comment", key, text) == STORE_OK ?
	    0 : -1);
}

/*
 * Taken back: what it approved is not approved any more.  Changes that it
 * asked for have had their round.
 */
static int
review_dismiss(const struct task *t, const struct orch_review_seen *m)
{
	enum store_res res;

	if (store_int(eng.e_store, 0, Q_REVIEW_IS, "sii", m->project,
	    (int64_t)m->review, (int64_t)REVIEW_APPROVED) == 0)
		return (0);
	if ((res = review_add(t, m)) == STORE_EXISTS)
		return (0);
	if (res != STORE_OK || approval_withdraw(t, (int64_t)m->review,
	    m->author, m->commit, "dismissed") == -1)
		return (-1);
	return (task_drive(t->t_id) == -1 ? -1 : queue_kick());
}

static int
review_take(const struct task *t, const struct orch_review_seen *m)
{
	enum store_res res;
	char who[160];

	res = review_add(t, m);
	if (res == STORE_EXISTS)
		return (0);
	if (res != STORE_OK || store_run(eng.e_store, Q_REVIEW_FORGET, "sii",
	    m->project, (int64_t)m->review, (int64_t)m->approved) !=
	    STORE_OK)
		return (-1);
	snprintf(who, sizeof(who), "%s at the forge", m->author);
	log_info("task %s: %s by %s at %.12s", t->t_key, m->approved ?
	    "approved" : "changes requested", who, m->commit);
	if (store_run(eng.e_store, Q_REVIEW_APPROVAL, "issssii", t->t_id,
	    m->approved ? "approved" : "rejected", who, m->commit, m->text,
	    eng_now(), (int64_t)m->review) != STORE_OK ||
	    store_run_one(eng.e_store, Q_TASK_REWORK_NONE, "ii", t->t_id,
	    t->t_seq) != STORE_OK)
		return (-1);
	if (!m->approved && review_rejects(t, m, who) == -1)
		return (-1);
	return (task_drive(t->t_id) == -1 ? -1 : queue_kick());
}

int
on_review_seen(struct peer *p, uint32_t id, const union orch_any *any,
    int *fd)
{
	const struct orch_review_seen *m = &any->review_seen;
	const char *why;
	enum store_res res;
	struct task t;

	if (!has_forge(m->project) || m->own || !git_oid_valid(m->commit) ||
	    m->approved > REVIEW_DISMISSED) {
		ack(p, id, RES_REFUSED, m->own ? "it is our own" :
		    "no project has its code there");
		return (0);
	}
	res = task_of_branch(m->project, m->branch, &t);
	if (res == STORE_FAIL)
		return (-1);
	why = res == STORE_NONE ? "no open task is of that branch" :
	    review_ignored(&t, m);
	if (why != NULL) {
		log_debug("project %s: review %llu of %s: %s", m->project,
		    (unsigned long long)m->review, m->branch, why);
		ack(p, id, RES_DUPLICATE, why);
		return (0);
	}
	/* Who is inside an edge ends first; then it is told again. */
	if (m->approved == REVIEW_CHANGES && store_int(eng.e_store, 0,
	    Q_LEASE_OF, "i", t.t_id) != 0) {
		ack(p, id, RES_RETRY, "its transition is under way");
		return (0);
	}
	if ((m->approved == REVIEW_DISMISSED ? review_dismiss(&t, m) :
	    review_take(&t, m)) == -1)
		return (-1);
	ack(p, id, RES_OK, "");
	return (0);
}

/* Is it among those that are there? */
static int
is_there(const struct orch_reviews_there *m, int64_t review)
{
	const char *id = NULL;
	char own[24];

	snprintf(own, sizeof(own), "%lld", (long long)review);
	while ((id = orch_strs_next(&m->ids, id)) != NULL)
		if (strcmp(id, own) == 0)
			return (1);
	return (0);
}

/* An approval of the task's that is not there; its row is the review, or 0. */
static int64_t
approval_gone(const struct task *t, const struct orch_reviews_there *m,
    char who[160], char commit[ID_HEX])
{
	int64_t gone = 0;
	sqlite3_stmt *q;

	q = store_bind(eng.e_store, Q_APPROVALS_AT_FORGE, "i", t->t_id);
	while (gone == 0 && store_step(eng.e_store, q) == STORE_OK) {
		if (is_there(m, col_int(q, 0)))
			continue;
		gone = col_int(q, 0);
		strlcpy(who, col_text(q, 1), 160);
		strlcpy(commit, col_text(q, 2), ID_HEX);
	}
	sqlite3_reset(q);
	return (gone);
}

static int
approvals_compare(const struct task *t, const struct orch_reviews_there *m)
{
	char who[160], commit[ID_HEX];
	int64_t gone;
	int n = 0;

	while ((gone = approval_gone(t, m, who, commit)) != 0) {
		if (approval_withdraw(t, gone, who, commit,
		    "withdrawn") == -1)
			return (-1);
		n++;
	}
	return (n == 0 ? 0 : task_drive(t->t_id) == -1 ? -1 : queue_kick());
}

int
on_reviews_there(struct peer *p, uint32_t id, const union orch_any *any,
    int *fd)
{
	const struct orch_reviews_there *m = &any->reviews_there;
	enum store_res res;
	struct task t;

	if (!has_forge(m->project)) {
		ack(p, id, RES_REFUSED, "no project has its code there");
		return (0);
	}
	res = task_of_branch(m->project, m->branch, &t);
	if (res == STORE_FAIL)
		return (-1);
	if (res == STORE_OK && t.t_stage < STAGE_DEPLOY &&
	    approvals_compare(&t, m) == -1)
		return (-1);
	ack(p, id, RES_OK, "");
	return (0);
}
