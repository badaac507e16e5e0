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

#ifndef ORCHD_VERDICTS_H
#define ORCHD_VERDICTS_H

/*
 * What a verdict belongs to: the round, the commit, its code tree, and
 * the artifacts that it judged.
 */

#include "proto/proto.h"
#include "stage.h"
#include "store.h"
#include "task.h"

/* The hash of one role in a list of ROLE=HASH, or "" when it is not said. */
const char	*artifact_of(const struct orch_strs *, const char *role);

/* The task's head has these artifacts now; what is not said is not known. */
enum store_res	 artifacts_store(int64_t task, const struct orch_strs *);

/*
 * The latest result of a gate that is valid for the task's head: judged at
 * that commit, or at one with its code tree and the artifacts that the gate
 * reads.  A row of GATE_VALID at the caller's, which resets it; NULL: none.
 */
sqlite3_stmt	*verdict_valid(const struct task *, const char *gate);

/*
 * The last decision of a person on a gate in this round, if it is valid for
 * the head.  An approval is like any verdict; a rejection is for the commit
 * that was shown, since what comes after it is to be asked about again.  A
 * row of APPROVAL_LAST, which the caller resets; NULL: none.
 */
sqlite3_stmt	*decision_valid(const struct task *, const char *gate);

/*
 * The gate of review whose judgement does not hold for the task's head, or
 * NULL: nothing is merged without.
 */
const char	*verdict_missing(const struct task *,
		    const struct conf_project *);

/*
 * Whose approval of this round was taken back at the forge, in a sentence
 * without a full stop; "" when nobody's was, or somebody approved since.
 */
void		 verdict_withdrawn(const struct task *, char *buf, size_t);

/*
 * A worker has made a merge commit the branch's head.  Judgements of people
 * and of the reviewer go with it when its patch is theirs; what was measured
 * does not.  -1: the database failed.
 */
int		 verdicts_carry(const struct task *, const struct orch_end *);

#endif
