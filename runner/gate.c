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

#include "libcommon/git.h"
#include "libcommon/git_tree.h"
#include "libcommon/log.h"
#include "runner.h"

/*
 * A gate is judged on committed content at a named commit.  Names that
 * are not in the table are gate commands of the project's own.
 */
static const struct {
	const char	*name;
	void		(*eval)(struct run *);
} gates[] = {
	{ "check_analysis_complete", gate_analysis },
	{ "check_architecture_done", gate_architecture },
	{ "check_reviewer_verdict", gate_review },
	{ "check_tests_local", gate_plain },
	{ "check_tests_passed", gate_tests },
	{ "check_staging_status", gate_staging },
	{ "check_security", gate_security },
	{ "check_branch_mergeable", gate_plain },
	{ "check_coverage", gate_coverage },
	{ "image-build", gate_plain }
};

void
gate_fail(struct run *r, enum gate_verdict verdict, enum orch_cause cause,
    const char *fmt, ...)
{
	char why[RUN_REASON_MAX - 64];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	run_result(r, verdict, cause, "%s at %.12s", why, r->r_res.rs_commit);
	run_finish(r);
}

/* Commit, code tree and artifacts: what the verdict belongs to. */
static int
gate_names(struct run *r)
{
	const char *commit = GIVEN(r->r_go.commit) ? r->r_go.commit :
	    r->r_go.head;
	struct git_repo repo;
	char err[512];

	if (!git_oid_valid(commit) || !item_id_valid(r->r_go.task)) {
		run_result(r, GATE_ERROR, CAUSE_INFRA, "%s: go names no "
		    "usable task and commit (\"%s\" at \"%s\")", r->r_go.gate,
		    r->r_go.task, commit);
		return (-1);
	}
	memcpy(r->r_res.rs_commit, commit, GIT_OID_SIZE);
	if (git_open(&repo, r->r_spec->mirror, err, sizeof(err)) == GIT_OK &&
	    git_code_tree(&repo, commit, r->r_go.task, r->r_res.rs_tree, err,
	    sizeof(err)) == GIT_OK && git_artifact_hashes(&repo, commit,
	    r->r_go.task, &r->r_res.rs_artifacts, err, sizeof(err)) == GIT_OK)
		return (0);
	r->r_res.rs_tree[0] = '\0';
	run_result(r, GATE_ERROR, CAUSE_INFRA, "%s: %s", r->r_go.gate, err);
	return (-1);
}

static void
gate_start(struct run *r)
{
	size_t i;

	if (gate_names(r) == -1) {
		run_finish(r);
		return;
	}
	for (i = 0; i < sizeof(gates) / sizeof(gates[0]); i++)
		if (strcmp(gates[i].name, r->r_go.gate) == 0) {
			gates[i].eval(r);
			return;
		}
	gate_plain(r);
}

static void
gate_end(struct run *r)
{
	gate_command_end();
}

const struct kind kind_gate = {
	.k_kind = KIND_GATE,
	.k_name = "gate",
	.k_start = gate_start,
	.k_stop = gate_command_stop,
	.k_end = gate_end,
	.k_workspace = 1
};
