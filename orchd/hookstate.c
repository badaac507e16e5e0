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

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libcommon/fsutil.h"
#include "libcommon/ident.h"
#include "libcommon/log.h"
#include "libcommon/mutant.h"
#include "drain.h"
#include "engine.h"
#include "hookstate.h"
#include "notice.h"
#include "pass.h"
#include "runs.h"

/* What the wrapper left on record beside the result file. */
enum record {
	RECORD_NONE,		/* nothing was started that acts */
	RECORD_STARTED,		/* it was about to start; who, is not known */
	RECORD_SESSION		/* the hook's identity */
};

static enum record
record_read(int64_t run, struct ident *id)
{
	char path[1200], *text = NULL;
	size_t len;
	int ok;

	snprintf(path, sizeof(path), "%s/result/%lld.session",
	    eng.e_conf->cf_state, (long long)run);
	if (fs_read_file(path, IDENT_TEXT_MAX, &text, &len) == 0) {
		ok = ident_parse(text, id) == 0;
		free(text);
		return (ok ? RECORD_SESSION : RECORD_STARTED);
	}
	snprintf(path, sizeof(path), "%s/result/%lld.started",
	    eng.e_conf->cf_state, (long long)run);
	if (fs_read_file(path, 64, &text, &len) == -1)
		return (access(path, F_OK) == 0 ? RECORD_STARTED :
		    RECORD_NONE);
	/* A hook that is held begins when its identity is on record. */
	ok = strstr(text, " held\n") != NULL;
	free(text);
	return (ok ? RECORD_NONE : RECORD_STARTED);
}

static int
wrapper_is_over(int64_t run)
{
	struct ident id;
	struct run r;
	struct job j;

	if (run == 0 || run_get(run, &r) != STORE_OK || run_is_live(&r))
		return (0);
	/* One that never got its GO is started again. */
	if (job_get(r.r_job, &j) != STORE_OK ||
	    strcmp(j.j_status, "queued") == 0 ||
	    strcmp(j.j_status, "running") == 0)
		return (0);
	return (r.r_ident[0] == '\0' ||
	    (ident_parse(r.r_ident, &id) == 0 && drained(&id)));
}

static int
past_limit(int64_t run)
{
	struct run r;
	struct task t;

	return (run_get(run, &r) == STORE_OK &&
	    task_get(r.r_task, &t) == STORE_OK &&
	    eng_project(t.t_project) != NULL && eng_now() - r.r_started >
	    1000 * conf_int(eng.e_conf, eng_project(t.t_project),
	    OPT_DEPLOY_TIMEOUT_S));
}

static void
end_hook(int64_t run, const struct ident *id)
{
	char text[IDENT_TEXT_MAX];
	struct orch_kill k = { .run = (uint64_t)run, .ident = text,
	    .sig = SIGKILL };

	if (ident_format(id, text, sizeof(text)) == -1)
		return;
	log_warnx("run %lld: the deploy hook is past its time: killing it",
	    (long long)run);
	pass_send(0, ORCH_kill, (uint32_t)run, &k, -1);
}

int
hook_in_doubt(int64_t run)
{
	char path[1200];
	struct ident id;

	if (!wrapper_is_over(run) || record_read(run, &id) != RECORD_STARTED)
		return (0);
	/* What has left a result has ended, whoever it was. */
	snprintf(path, sizeof(path), "%s/result/%lld", eng.e_conf->cf_state,
	    (long long)run);
	return (access(path, F_OK) == -1);
}

int
hook_is_over(int64_t run)
{
	char why[256];
	struct ident id;

	if (!wrapper_is_over(run))
		return (0);
	switch (record_read(run, &id)) {
	case RECORD_NONE:
		return (1);
	case RECORD_STARTED:
		/* Killed in the instant of starting: only time can tell. */
		return (past_limit(run));
	case RECORD_SESSION:
		break;
	}
	/* What lives on after the hook itself is the deployment. */
	if (MUTANT(NO_HOOK_DRAIN) || ident_check(&id, eng.e_world, why,
	    sizeof(why)) == IDENT_DEAD)
		return (1);
	if (past_limit(run))
		end_hook(run, &id);
	return (0);
}
