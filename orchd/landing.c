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

#include "libcommon/log.h"
#include "engine.h"
#include "landing.h"
#include "notice.h"
#include "pass.h"
#include "queue.h"

#define FREEZE_KIND	"lane_frozen"

int
landing_is_made_there(const struct task *t)
{
	const struct conf_project *cp = eng_project(t->t_project);

	return (cp != NULL && cp->cp_forge == CONF_FORGE_GITEA &&
	    cp->cp_merge != CONF_MERGE_FF_ONLY);
}

int
landing_is_own(const struct task *t)
{
	char prefix[128];

	if (!landing_is_made_there(t))
		return (0);
	snprintf(prefix, sizeof(prefix), "merge:%s:r%lld:", t->t_key,
	    (long long)t->t_round);
	return (store_int(eng.e_store, 0, Q_MERGE_OF_ROUND, "is", t->t_id,
	    prefix) > 0);
}

int
landing_is_untested(const struct orch_landed *m)
{
	return (m->merged[0] != '\0' && m->tested[0] == '\0');
}

/* The merge is that of the head; the re-test that of head or landed commit. */
static const char *
made_there_refused(const struct task *t, const struct orch_landed *m)
{
	if (!landing_is_made_there(t))
		return ("the project lands by fast-forward-only: the commit "
		    "that lands is the one that was tested");
	if (strlen(m->merged) != 40 || (m->tested[0] != '\0' &&
	    strcmp(m->tested, m->merged) != 0 &&
	    strcmp(m->tested, m->commit) != 0))
		return ("what was tested is the merged head or the landed "
		    "commit");
	return (NULL);
}

const char *
landing_refused(const struct task *t, const struct orch_landed *m)
{
	const char *merged = m->commit, *tested = m->commit, *why;

	if (m->merged[0] != '\0') {
		if ((why = made_there_refused(t, m)) != NULL)
			return (why);
		merged = m->merged;
		tested = m->tested[0] != '\0' ? m->tested : m->merged;
	}
	if (store_int(eng.e_store, 0, Q_MERGE_DONE, "is", t->t_id,
	    merged) == 0 || store_int(eng.e_store, 0, Q_RETEST_PASSED, "iis",
	    t->t_id, t->t_round, tested) == 0)
		return ("no merge of that commit, or no pass of "
		    "check_branch_mergeable on it, is on record");
	return (NULL);
}

int
landing_freeze(struct peer *p, uint32_t id, const struct task *t,
    const struct orch_landed *m)
{
	const struct conf_project *cp = eng_project(t->t_project);
	struct orch_ack ack = { RES_OK, "" };

	if (store_int(eng.e_store, 0, Q_UNTESTED_IS, "is", t->t_id,
	    m->commit) == 0) {
		if (store_run(eng.e_store, Q_UNTESTED_PUT, "sissi",
		    t->t_project, t->t_id, m->commit, m->merged, eng_now()) !=
		    STORE_OK || alert_raise(FREEZE_KIND, t->t_project,
		    "%s landed on %s as %.12s, a tree that nobody has tested "
		    "(tested was %.12s; the target moved meanwhile, or the "
		    "forge merged otherwise). It is tested now, and no other "
		    "task of %s lands until it has passed. If it is red, %s "
		    "goes back to development and its next landing ends this; "
		    "or repair the target and orchctl resume -p %s -r REASON "
		    "merge", t->t_key, cp->cp_target, m->commit, m->merged,
		    t->t_project, t->t_key, t->t_project) != STORE_OK)
			return (-1);
		store_count(eng.e_store, "landed_untested", 1);
	}
	log_info("task %s: landed %.12s, untested: the merge lane of %s is "
	    "frozen", t->t_key, m->commit, t->t_project);
	pass_send(p->p_id, ORCH_ack, id, &ack, -1);
	return (0);
}

/* The task that froze the lane, and what it landed; 0: it is not frozen. */
static int64_t
frozen_by(const char *project, char *key, size_t keylen, char *commit,
    size_t commitlen)
{
	int64_t task = 0;
	sqlite3_stmt *q;

	q = store_bind(eng.e_store, Q_UNTESTED_OF, "s", project);
	if (store_step(eng.e_store, q) == STORE_OK) {
		task = col_int(q, 0);
		snprintf(key, keylen, "%s", col_text(q, 1));
		snprintf(commit, commitlen, "%s", col_text(q, 2));
	}
	sqlite3_reset(q);
	return (task);
}

static enum store_res
freeze_end(const char *project)
{
	enum store_res res;

	if ((res = store_run(eng.e_store, Q_UNTESTED_END, "s", project)) !=
	    STORE_OK)
		return (res);
	return (alert_clear(FREEZE_KIND, project));
}

enum store_res
landing_tested(const struct task *t)
{
	char key[128], commit[ID_HEX];

	if (frozen_by(t->t_project, key, sizeof(key), commit,
	    sizeof(commit)) != t->t_id)
		return (STORE_OK);
	log_info("task %s: what it landed is tested: the merge lane of %s is "
	    "frozen no more", t->t_key, t->t_project);
	return (freeze_end(t->t_project));
}

const char *
landing_waits(const struct task *t)
{
	return (store_int(eng.e_store, 0, Q_UNTESTED_IS, "is", t->t_id,
	    t->t_landed) == 0 ? NULL : "nobody has tested what has landed");
}

int
landing_frozen(const char *project, int64_t task, char *why, size_t len)
{
	char key[128], commit[ID_HEX];
	int64_t by;

	by = frozen_by(project, key, sizeof(key), commit, sizeof(commit));
	if (by == 0 || by == task)
		return (0);
	snprintf(why, len, "that of %s is frozen: %s landed as %.12s and "
	    "nobody has tested that tree with success (orchctl resume -p %s "
	    "-r REASON merge)", project, key, commit, project);
	return (1);
}

enum orch_result
landing_resume(const char *project, const char *commit, const char *by,
    const char *reason, char *said, size_t len)
{
	char key[128], landed[ID_HEX];
	int64_t task;

	if (reason[strspn(reason, " \t\n")] == '\0') {
		snprintf(said, len, "say why with -r: it is kept. Nothing "
		    "was changed");
		return (RES_REFUSED);
	}
	task = frozen_by(project, key, sizeof(key), landed, sizeof(landed));
	if (task == 0 || strncmp(landed, commit, strlen(commit)) != 0) {
		snprintf(said, len, "the merges of %s are not frozen%s%.12s. "
		    "Nothing was changed", project, commit[0] != '\0' ?
		    " by " : "", commit);
		return (RES_REFUSED);
	}
	if (freeze_end(project) != STORE_OK || store_run(eng.e_store,
	    Q_SETTLEMENT_ADD, "issssi", task, "untested", "done", by, reason,
	    eng_now()) != STORE_OK || queue_kick() == -1)
		return (RES_RETRY);
	log_info("project %s: merges resumed by %s, with %.12s of %s as it "
	    "is: %s", project, by, landed, key, reason);
	snprintf(said, len, "merges of %s go on", project);
	return (RES_OK);
}
