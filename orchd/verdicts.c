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
#include "libcommon/sha256.h"
#include "engine.h"
#include "verdicts.h"

/* The judgements of review, and whether a project asks for them. */
#define BY_REVIEWER	"check_reviewer_verdict"
#define BY_PERSON	"check_review_approved"

const char *
artifact_of(const struct orch_strs *list, const char *role)
{
	size_t n = strlen(role);
	const char *s = NULL;

	if (n == 0)
		return ("");
	while ((s = orch_strs_next(list, s)) != NULL)
		if (strncmp(s, role, n) == 0 && s[n] == '=' &&
		    strlen(s + n + 1) == SHA256_HEX_SIZE - 1)
			return (s + n + 1);
	return ("");
}

enum store_res
artifacts_store(int64_t task, const struct orch_strs *list)
{
	enum store_res res;
	const char *role;
	enum stage s;

	res = store_run(eng.e_store, Q_ARTIFACTS_FORGET, "i", task);
	for (s = 0; s < STAGE_MAX && res == STORE_OK; s++) {
		role = stage_rules[s].sr_role;
		if (artifact_of(list, role)[0] != '\0')
			res = store_run(eng.e_store, Q_ARTIFACT_PUT, "iss",
			    task, role, artifact_of(list, role));
	}
	return (res);
}

sqlite3_stmt *
verdict_valid(const struct task *t, const char *gate)
{
	sqlite3_stmt *q;

	q = store_bind(eng.e_store, Q_GATE_VALID, "iissss", t->t_id,
	    t->t_round, gate, t->t_head, t->t_tree,
	    stage_gate_reads(t->t_stage, gate));
	if (store_step(eng.e_store, q) == STORE_OK)
		return (q);
	sqlite3_reset(q);
	return (NULL);
}

sqlite3_stmt *
decision_valid(const struct task *t, const char *gate)
{
	int approved, same;
	sqlite3_stmt *q;

	q = store_bind(eng.e_store, Q_APPROVAL_LAST, "iisss", t->t_id,
	    t->t_round, gate, t->t_tree, stage_gate_reads(t->t_stage, gate));
	if (store_step(eng.e_store, q) == STORE_OK) {
		approved = strcmp(col_text(q, 0), "approved") == 0;
		same = strcmp(col_text(q, 1), t->t_head) == 0;
		if (same || (approved && col_int(q, 4)))
			return (q);
	}
	sqlite3_reset(q);
	return (NULL);
}

const char *
verdict_missing(const struct task *t, const struct conf_project *cp)
{
	const char *missing = NULL;
	sqlite3_stmt *q;

	/* After review its artifact has no writer: the code tree decides. */
	q = store_bind(eng.e_store, Q_GATE_VALID, "iissss", t->t_id,
	    t->t_round, BY_REVIEWER, t->t_head, t->t_tree, "");
	if (store_step(eng.e_store, q) != STORE_OK ||
	    strcmp(col_text(q, 0), "pass") != 0)
		missing = BY_REVIEWER;
	sqlite3_reset(q);
	if (missing != NULL || !cp->cp_review_approval)
		return (missing);
	if ((q = decision_valid(t, BY_PERSON)) == NULL)
		return (BY_PERSON);
	if (strcmp(col_text(q, 0), "approved") != 0)
		missing = BY_PERSON;
	sqlite3_reset(q);
	return (missing);
}

void
verdict_withdrawn(const struct task *t, char *buf, size_t len)
{
	sqlite3_stmt *q;

	buf[0] = '\0';
	q = store_bind(eng.e_store, Q_APPROVAL_WITHDRAWN, "ii", t->t_id,
	    t->t_round);
	if (store_step(eng.e_store, q) == STORE_OK)
		snprintf(buf, len, "the approval of %.7s by %.160s was "
		    "withdrawn", col_text(q, 1), col_text(q, 0));
	sqlite3_reset(q);
}

int
verdicts_carry(const struct task *t, const struct orch_end *m)
{
	char why[128];

	if (store_run_one(eng.e_store, Q_TASK_PUSHED, "sssi", m->head,
	    m->head, m->tree, t->t_id) != STORE_OK ||
	    artifacts_store(t->t_id, &m->artifacts) != STORE_OK)
		return (-1);
	if (strlen(m->patch) != 40 || strcmp(m->patch, m->patch_judged) != 0) {
		log_info("task %s: head is %.7s, another patch than %.7s: its "
		    "verdicts end", t->t_key, m->head, t->t_head);
		return (0);
	}
	snprintf(why, sizeof(why), "carried over from %.7s, the same patch "
	    "(%.7s)", t->t_head, m->patch);
	log_info("task %s: head is %.7s, judgements %s", t->t_key, m->head,
	    why);
	if (store_run(eng.e_store, Q_GATE_CARRY, "iisssssis", t->t_id,
	    t->t_round, BY_REVIEWER, t->t_head, t->t_tree, m->head, m->tree,
	    eng_now(), why) != STORE_OK ||
	    store_run(eng.e_store, Q_APPROVAL_CARRY, "iisssssis", t->t_id,
	    t->t_round, BY_PERSON, t->t_head, t->t_tree, m->head, m->tree,
	    eng_now(), why) != STORE_OK)
		return (-1);
	return (0);
}
