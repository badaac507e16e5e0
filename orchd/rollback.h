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


#ifndef ORCHD_ROLLBACK_H
#define ORCHD_ROLLBACK_H

#include <stddef.h>
#include <stdint.h>

#include "proto/roles.h"
#include "stage.h"
#include "task.h"

/*
 * The monitor found what this task deployed DEGRADED.  1: it is rolled
 * back: the commit is in quarantine, the project's deploys are frozen, the
 * follow-up item is open, and the rollback is due.  0: it is not, and
 * why says so.  -1: the database failed.  log is 16-post-deploy-log.md, which
 * is stored with what is done.
 */
int		 rollback_begin(const struct task *, const char *measured,
		    const char *log, char *why, size_t whylen);

/* What is left to do of a task's rollback, and why it waits. */
enum rollback_fact rollback_state(const struct task *, const char **why);

/* NULL, or why this rollback is not to be started. */
const char	*rollback_refused(const struct task *, const char *revision,
		    const char *from);

/* The rollback hook has ended: it goes into 16.  -1: the database failed. */
int		 rollback_ended(const struct task *, int code);

/* 16 with the rollback is in the records branch: nothing is left to do. */
int		 rollback_recorded(const struct task *);

/* It cannot be started now; told once more.  -1: the database failed. */
int		 rollback_stuck(const struct task *, const char *why);

/*
 * Why nothing of the project, or not this commit, may be deployed; NULL: it
 * may.  Valid until the next call.
 */
const char	*deploy_frozen(const char *project, const char *commit);

/*
 * An operator lets the deploys of a project go on, and with a commit (at
 * least seven digits) that one too.  said gets the sentence for the operator;
 * RES_RETRY: the database failed.
 */
enum orch_result rollback_resume(const char *project, const char *commit,
		    const char *by, const char *reason, char *said,
		    size_t len);

#endif
