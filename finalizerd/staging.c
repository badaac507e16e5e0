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

#include "finalizerd.h"

/*
 * 15-staging-log.md is what staging measured, good or bad: a row
 * and a file of the records branch, once a round.
 */
static enum step
staging_record(struct worker *w, int success)
{
	const struct orch_run_go *go = w->w_go;
	struct artifact_staging as;
	char body[600];
	enum step r;
	char *text;

	memset(&as, 0, sizeof(as));
	as.as_item = go->task;
	as.as_commit = go->head;
	as.as_success = success;
	as.as_base_url = "";
	/* When it was measured: the same for each worker that comes here. */
	as.as_when = (int64_t)(w->w_gate_ms / 1000);
	(void)snprintf(body, sizeof(body), "\n%s.\n", w->w_gate_reason);
	as.as_body = body;
	if ((text = artifact_format_staging_log(&as)) == NULL)
		return (worker_end(w, GATE_ERROR, CAUSE_INFRA, "",
		    "out of memory"));
	r = records_effect(w, "15-staging-log.md", "15", text);
	free(text);
	return (r);
}

enum step
staging_run(struct worker *w)
{
	struct outcome failed;
	enum step r;

	if ((r = wire_gate(w, "check_staging_status", w->w_go->head)) ==
	    STEP_NEXT)
		return (staging_record(w, 1));
	if (r != STEP_END || w->w_out.o_verdict != GATE_FAIL)
		return (r);
	/* Its record must not change where a failure sends the task. */
	failed = w->w_out;
	if (staging_record(w, 0) == STEP_LOST)
		return (STEP_LOST);
	w->w_out = failed;
	return (r);
}
