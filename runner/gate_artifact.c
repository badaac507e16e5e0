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

#include "libcommon/artifact.h"
#include "libcommon/git.h"
#include "runner.h"

typedef void (*artifact_check)(const struct git_repo *, const char *,
    const char *, struct artifact_verdict *);

/*
 * The cause decides the route: a valid negative verdict sends the task back
 * to development, a missing or bad artifact runs its own role again.
 */
static enum orch_cause
artifact_cause(const struct artifact_verdict *av)
{
	switch (av->kind) {
	case ARTIFACT_OK:
		return (CAUSE_NONE);
	case ARTIFACT_NEGATIVE:
		return (CAUSE_RED);
	case ARTIFACT_ABSENT:
	case ARTIFACT_BAD:
		return (CAUSE_BAD_ARTIFACT);
	case ARTIFACT_ERROR:
		break;
	}
	return (CAUSE_INFRA);
}

/* Run a check; what it says becomes the result.  Returns its verdict. */
static enum gate_verdict
artifact_eval(struct run *r, artifact_check check)
{
	struct artifact_verdict av;
	enum gate_verdict verdict;
	struct git_repo repo;
	char err[512];

	if (git_open(&repo, r->r_spec->mirror, err, sizeof(err)) != GIT_OK) {
		run_result(r, GATE_ERROR, CAUSE_INFRA, "%s: %s", r->r_go.gate,
		    err);
		return (GATE_ERROR);
	}
	memset(&av, 0, sizeof(av));
	check(&repo, r->r_res.rs_commit, r->r_go.task, &av);
	verdict = av.verdict;
	run_result(r, verdict, verdict == GATE_PASS ? CAUSE_NONE :
	    artifact_cause(&av), "%s", av.reason);
	if (av.body != NULL)
		run_text(r, av.body, strlen(av.body));
	artifact_verdict_free(&av);
	return (verdict);
}

void
gate_analysis(struct run *r)
{
	(void)artifact_eval(r, artifact_check_analysis);
	run_finish(r);
}

void
gate_architecture(struct run *r)
{
	(void)artifact_eval(r, artifact_check_architecture);
	run_finish(r);
}

void
gate_review(struct run *r)
{
	(void)artifact_eval(r, artifact_check_review);
	run_finish(r);
}

/* The report is read first, it is cheap; but only the command can pass. */
void
gate_tests(struct run *r)
{
	if (artifact_eval(r, artifact_check_tests) == GATE_PASS)
		gate_plain(r);
	else
		run_finish(r);
}

void
gate_staging_log(struct run *r)
{
	struct result *rs = &r->r_res;
	char *text = rs->rs_text;
	size_t len = rs->rs_textlen;
	char measured[RUN_REASON_MAX];

	(void)snprintf(measured, sizeof(measured), "%s", rs->rs_reason);
	rs->rs_text = NULL;
	rs->rs_textlen = 0;
	if (artifact_eval(r, artifact_check_staging) == GATE_PASS) {
		run_result(r, GATE_PASS, CAUSE_NONE, "%s", measured);
		free(rs->rs_text);
		rs->rs_text = text;
		rs->rs_textlen = len;
	} else
		free(text);
	run_finish(r);
}
