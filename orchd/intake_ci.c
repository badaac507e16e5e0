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

#include "libcommon/git.h"
#include "libcommon/log.h"
#include "engine.h"
#include "intake.h"
#include "pass.h"
#include "queue.h"

/* What CI of a forge elsewhere says (F-3, F-4). */

#define TASKS_MAX	16	/* with one head: more than one is odd */

static int
drive_one(void *arg)
{
	return (task_drive(*(int64_t *)arg));
}

/* It may be what a task waits for. */
static int
drive_at(const char *project, const char *commit)
{
	int64_t ids[TASKS_MAX];
	sqlite3_stmt *q;
	size_t i, n = 0;

	q = store_bind(eng.e_store, Q_TASKS_AT_COMMIT, "ss", project, commit);
	while (n < TASKS_MAX && store_step(eng.e_store, q) == STORE_OK)
		ids[n++] = col_int(q, 0);
	sqlite3_reset(q);
	for (i = 0; i < n && !store_lost(eng.e_store); i++)
		if (pass_try(drive_one, &ids[i]) == -1)
			log_warnx("task row %lld: looking at it failed",
			    (long long)ids[i]);
	return (store_lost(eng.e_store) ? -1 : queue_kick());
}

int
on_ci_seen(struct peer *p, uint32_t id, const union orch_any *any, int *fd)
{
	const struct orch_ci_seen *m = &any->ci_seen;
	const struct conf_project *cp = eng_project(m->project);
	struct orch_ack ack = { RES_OK, "" };

	if (cp == NULL || cp->cp_forge != CONF_FORGE_GITEA ||
	    !git_oid_valid(m->commit) || m->state > CI_RED) {
		ack.result = RES_REFUSED;
		ack.text = "no project has its code there";
	} else if (store_run(eng.e_store, Q_CI_PUT, "ssisi", m->project,
	    m->commit, (int64_t)m->state, m->text, eng_now()) != STORE_OK ||
	    drive_at(m->project, m->commit) == -1)
		return (-1);
	pass_send(p->p_id, ORCH_ack, id, &ack, -1);
	return (0);
}

int
ci_record(const struct task *t)
{
	enum store_res res;
	char *text, reason[64];
	sqlite3_stmt *q;
	int green;

	q = store_bind(eng.e_store, Q_CI_GET, "ss", t->t_project, t->t_head);
	if (store_step(eng.e_store, q) != STORE_OK) {
		sqlite3_reset(q);
		return (-1);
	}
	green = col_int(q, 0) == CI_GREEN;
	if ((text = strdup(col_text(q, 1))) == NULL)
		fatal("ci");
	sqlite3_reset(q);
	snprintf(reason, sizeof(reason), "CI is %s at %.7s",
	    green ? "green" : "red", t->t_head);
	log_info("task %s: check_ci_green: %s", t->t_key, reason);
	res = store_run(eng.e_store, Q_GATE_ADD, "iiissssisiiiss", t->t_id,
	    t->t_round, t->t_seq, "check_ci_green", t->t_head, t->t_tree,
	    gate_verdict_name(green ? GATE_PASS : GATE_FAIL),
	    (int64_t)(green ? CAUSE_NONE : CAUSE_RED), reason, (int64_t)0,
	    eng_now(), (int64_t)0, text, "");
	free(text);
	return (res == STORE_OK ? 0 : -1);
}
