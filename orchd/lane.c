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

#include "libcommon/log.h"
#include "engine.h"
#include "landing.h"
#include "lane.h"
#include "lease.h"
#include "notice.h"
#include "pass.h"
#include "peer.h"

#define LANES_MAX	64

/* 1: nobody who may live is in the way; 0: somebody; -1: failed. */
static int
lane_free(const char *project, char *who, size_t wholen)
{
	int64_t owner;
	int gone;

	owner = store_int(eng.e_store, 0, Q_LANE_OWNER, "s", project);
	if (owner == 0)
		return (1);
	if ((gone = lease_owner_gone(owner, who, wholen)) == 1)
		log_info("project %s: merge lane taken back from run %lld",
		    project, (long long)owner);
	return (gone);
}

enum store_res
lane_take(const struct run *r, const struct task *t, int64_t epoch,
    char *who, size_t wholen)
{
	const struct conf_project *cp = eng_project(t->t_project);
	char owner[512];
	sqlite3_stmt *q;
	int is_free;

	if (strcmp(r->r_work, "edge") != 0 || cp == NULL ||
	    !conf_merge_gate_on(eng.e_conf, cp))
		return (STORE_OK);
	if (landing_frozen(t->t_project, t->t_id, who, wholen))
		return (STORE_EXISTS);
	if ((is_free = lane_free(t->t_project, owner, sizeof(owner))) == -1)
		return (STORE_FAIL);
	if (!is_free) {
		q = store_bind(eng.e_store, Q_LANE_GET, "s", t->t_project);
		(void)store_step(eng.e_store, q);
		snprintf(who, wholen, "%s holds the merge lane of %s",
		    col_text(q, 0), t->t_project);
		sqlite3_reset(q);
		return (STORE_EXISTS);
	}
	return (store_run(eng.e_store, Q_LANE_ADD, "siii", t->t_project,
	    t->t_id, epoch, eng_now()));
}

/* A holder without an open gate run or effect. */
struct idle {
	char	i_project[65];
	char	i_task[65];
	char	i_branch[257];
	int64_t	i_run;
	int64_t	i_since;
};

/* A living holder is never robbed: it ends between two effects, by END. */
static int
ask_back(void *arg)
{
	const struct idle *i = arg;
	int64_t s = (eng_now() - i->i_since) / 1000;
	struct run r;
	char why[256];

	if (run_get(i->i_run, &r) != STORE_OK)
		return (-1);
	snprintf(why, sizeof(why), "the merge lane of %s was idle for %lld s "
	    "(merge_lock_timeout_s)", i->i_project, (long long)s);
	/* One that is away is looked at again when it is back. */
	if (!peer_stop_run((uint64_t)i->i_run, why))
		return (0);
	log_info("task %s: run %lld is asked to give the merge lane of %s "
	    "back: nothing is open since %lld s", i->i_task,
	    (long long)i->i_run, i->i_project, (long long)s);
	if (store_run_one(eng.e_store, Q_LEASE_ASKED, "iii", eng_now(),
	    r.r_task, i->i_run) != STORE_OK)
		return (-1);
	return (alert_raise("merge_idle", i->i_task, "run %lld holds the "
	    "merge lane of %s (branch %s) and has had no gate run or effect "
	    "open for %lld s: it is asked to give it back, and killed when "
	    "its lease is reaper_max_running_s old. To end it now: orchctl "
	    "lease release -f %s", (long long)i->i_run, i->i_project,
	    i->i_branch, (long long)s, i->i_task) == STORE_OK ? 0 : -1);
}

int
lanes_look(void)
{
	struct idle idle[LANES_MAX], *i;
	const struct conf_project *cp;
	sqlite3_stmt *q;
	size_t k, n = 0;

	q = store_bind(eng.e_store, Q_LANES_IDLE, "");
	while (n < LANES_MAX && store_step(eng.e_store, q) == STORE_OK) {
		i = &idle[n];
		strlcpy(i->i_project, col_text(q, 0), sizeof(i->i_project));
		strlcpy(i->i_task, col_text(q, 1), sizeof(i->i_task));
		i->i_run = col_int(q, 2);
		i->i_since = col_int(q, 3);
		strlcpy(i->i_branch, col_text(q, 4), sizeof(i->i_branch));
		if ((cp = eng_project(i->i_project)) != NULL && eng_now() -
		    i->i_since >= 1000 * conf_int(eng.e_conf, cp,
		    OPT_MERGE_LOCK_TIMEOUT_S))
			n++;
	}
	sqlite3_reset(q);
	for (k = 0; k < n && !store_lost(eng.e_store); k++)
		if (pass_try(ask_back, &idle[k]) == -1)
			log_warnx("task %s: asking for its merge lane failed, "
			    "again later", idle[k].i_task);
	return (store_lost(eng.e_store) ? -1 : 0);
}
