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

/* The contract of the deploy hook's exit code. */
static void
finish_reason(const struct orch_run_go *go, long long code, char *buf,
    size_t len)
{
	switch (code) {
	case 0:
		(void)snprintf(buf, len, "deployed %.7s, hook exit 0",
		    go->commit);
		break;
	case 1:
		(void)snprintf(buf, len, "deploy of %.7s FAILED, hook exit "
		    "1: the previous version serves", go->commit);
		break;
	case 2:
		(void)snprintf(buf, len, "deploy of %.7s FAILED, hook exit "
		    "2: the rollback failed too, look at the service now",
		    go->commit);
		break;
	case 255:
		(void)snprintf(buf, len, "deploy of %.7s FAILED: the hook "
		    "ended without leaving a result", go->commit);
		break;
	default:
		(void)snprintf(buf, len, "deploy of %.7s FAILED, hook exit "
		    "%lld, which is not in its contract (0, 1, 2)",
		    go->commit, code);
		break;
	}
}

/* The log of the monitor as the engine keeps it, with its rollback. */
enum step
record_run(struct worker *w)
{
	const struct orch_blob *b = &w->w_go->feedback;
	char *text;
	enum step r;

	if (b->b_len == 0)
		return (worker_end(w, GATE_ERROR, CAUSE_INFRA, "",
		    "record without its text"));
	if ((text = strndup((const char *)b->b_data, b->b_len)) == NULL)
		return (worker_end(w, GATE_ERROR, CAUSE_INFRA, "",
		    "out of memory"));
	r = records_effect(w, "16-post-deploy-log.md", "16", text);
	free(text);
	if (r != STEP_NEXT)
		return (r);
	return (worker_end(w, GATE_PASS, CAUSE_NONE, "", "the rollback of "
	    "%.7s is on record", w->w_go->commit));
}

/*
 * Phase C: the hook has ended.  Write 14-deploy-log.md as a row and to the
 * records branch, then go to done or back to development.
 */
enum step
finish_run(struct worker *w)
{
	const struct orch_run_go *go = w->w_go;
	struct artifact_deploy ad;
	char reason[256], body[300];
	long long code;
	char *text;
	enum step r;

	if ((code = worker_option_num(w, "exit", -1, 65535, -1)) == -1)
		return (worker_end(w, GATE_ERROR, CAUSE_INFRA, "",
		    "finish without the hook's exit code"));
	finish_reason(go, code, reason, sizeof(reason));
	(void)snprintf(body, sizeof(body), "\n%s.\n", reason);
	memset(&ad, 0, sizeof(ad));
	ad.ad_item = go->task;
	ad.ad_commit = go->commit;
	ad.ad_success = code == 0;
	ad.ad_hook_exit = (int)code;
	ad.ad_deployed_by = go->author[0] != '\0' ? go->author : "orchd";
	ad.ad_body = body;
	if ((text = artifact_format_deploy_log(&ad)) == NULL)
		return (worker_end(w, GATE_ERROR, CAUSE_INFRA, "",
		    "out of memory"));
	r = records_effect(w, "14-deploy-log.md", "14", text);
	free(text);
	if (r != STEP_NEXT)
		return (r);
	return (wire_commit(w, code == 0 ? "done" : "development", reason));
}
