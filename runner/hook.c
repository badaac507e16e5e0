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

#include <bsd/stdlib.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libcommon/fsutil.h"
#include "libcommon/ident.h"
#include "libcommon/log.h"
#include "runner.h"

/*
 * The wrapper of a deploy hook.  The order matters: the start is on
 * record before the hook is started, the exit code is in the result file
 * before anybody is told; so that who comes after a crash can tell.
 */

#define CODE_LIMIT	1	/* the hook ran out of its time */

struct hook {
	struct proctree		*hk_tree;
	struct proctree_result	 hk_pr;
	struct tail		 hk_tail;
	struct env		 hk_env;
};

static struct hook hook;

static int
hook_started_path(const struct run *r, char *path, size_t len)
{
	if (r->r_spec->result_file[0] != '/' ||
	    snprintf(path, len, "%s.started", r->r_spec->result_file) >=
	    (int)len)
		return (-1);
	return (0);
}

/*
 * Who the hook is, for whoever comes after a wrapper that was killed: as long
 * as a process of this session lives, the deployment is not over.  The hook
 * begins after that is on record, and not at all when this wrapper has died.
 */
static int
hook_session(void *arg, pid_t pid)
{
	const struct run *r = arg;
	char path[RUN_PATH_MAX], text[IDENT_TEXT_MAX];
	struct ident id;

	if (snprintf(path, sizeof(path), "%s.session",
	    r->r_spec->result_file) >= (int)sizeof(path) ||
	    ident_of_pid(pid, &id) == -1 ||
	    ident_format(&id, text, sizeof(text)) == -1 ||
	    fs_write_atomic(AT_FDCWD, path, text, strlen(text), 0644) == -1) {
		log_warn("deploy hook: its session is not on record");
		return (-1);
	}
	return (0);
}

static void
hook_error(struct run *r, const char *why)
{
	run_result(r, GATE_ERROR, CAUSE_INFRA, "deploy hook: %s", why);
	run_finish(r);
}

static void
hook_report(struct run *r)
{
	const struct proctree_result *pr = &hook.hk_pr;
	char last[600];

	tail_last(&hook.hk_tail, 3, last, sizeof(last));
	if (pr->timed_out)
		run_result(r, GATE_FAIL, CAUSE_TIMEOUT, "the deploy hook ran "
		    "out of its time of %u s and was ended: %s",
		    r->r_spec->timeout_s, last);
	else if (pr->exec_failed)
		run_result(r, GATE_FAIL, CAUSE_EXEC, "the deploy hook could "
		    "not be executed: %s", strerror(pr->exec_failed));
	else if (pr->exit_code != 0)
		run_result(r, GATE_FAIL, CAUSE_RED, "the deploy hook ended "
		    "with %s %d: %s", pr->exit_code == -1 ? "signal" :
		    "exit code", pr->exit_code == -1 ? pr->sig :
		    pr->exit_code, last);
	else
		run_result(r, GATE_PASS, CAUSE_NONE, "%s",
		    "the deploy hook ended with exit code 0");
	run_text(r, hook.hk_tail.tl_buf == NULL ? "" : hook.hk_tail.tl_buf,
	    hook.hk_tail.tl_len);
	run_finish(r);
}

/* What stands in the result file, for each way to end. */
static int
hook_code(const struct proctree_result *pr)
{
	if (pr->timed_out)
		return (CODE_LIMIT);
	if (pr->exec_failed)
		return (pr->exec_failed == ENOENT ? 127 : 126);
	return (pr->exit_code == -1 ? 128 + pr->sig : pr->exit_code);
}

static void
hook_done(struct proctree *pt, const struct proctree_result *pr, void *arg)
{
	struct run *r = arg;
	char line[32];
	int code = hook_code(pr), n;

	r->r_hold = 0;
	hook.hk_pr = *pr;
	hook.hk_pr.exit_code = pr->exit_code == -1 && pr->sig == 0 ? code :
	    pr->exit_code;
	n = snprintf(line, sizeof(line), "exit %d\n", code);
	if (fs_write_atomic(AT_FDCWD, r->r_spec->result_file, line, (size_t)n,
	    0644) == -1)
		log_warn("result file %s: exit %d is not on record",
		    r->r_spec->result_file, code);
	run_stamp(r, &hook.hk_pr, hook_report);
}

static void
hook_line(void *arg, int stream, const char *line, size_t len)
{
	tail_add(&hook.hk_tail, line, len);
}

static int
hook_env(struct run *r)
{
	struct env *e = &hook.hk_env;

	if (env_base(e) == -1 || env_orch(e, r) == -1 ||
	    env_set(e, "ORCH_MIRROR", r->r_spec->mirror) == -1 ||
	    env_set(e, "ORCH_RESULT_FILE", r->r_spec->result_file) == -1)
		return (-1);
	return (env_spec(e, r));
}

static int
hook_spawn(struct run *r, char *err, size_t errlen)
{
	struct proctree_opts po = PROCTREE_OPTS_INIT;
	const struct orch_run_spec *spec = r->r_spec;
	const char **argv;

	if ((argv = orch_strs_argv(&spec->argv)) == NULL ||
	    hook_env(r) == -1) {
		(void)snprintf(err, errlen, "%s", strerror(errno));
		free(argv);
		return (-1);
	}
	po.argv = argv;
	po.envp = (const char *const *)hook.hk_env.e_v;
	po.cwd = "/";
	po.timeout_ms = spec->timeout_s > 4000000 ? 4000000000U :
	    spec->timeout_s * 1000;
	po.grace_ms = spec->grace_s > 3600 ? 3600000 : spec->grace_s * 1000;
	po.log_fd = r->r_log;
	po.log_max = spec->log_max == 0 ? RUN_LOG_MAX : spec->log_max;
	po.keep_children = 1;
	po.born_cb = hook_session;
	po.born_arg = r;
	po.line_cb = hook_line;
	hook.hk_tree = proctree_start(r->r_base, &po, hook_done, r, err,
	    errlen);
	free(argv);
	if (hook.hk_tree == NULL)
		return (-1);
	r->r_hold = 1;
	return (0);
}

/* Somebody started this hook before: report what is known, start nothing. */
static void
hook_again(struct run *r)
{
	char *buf = NULL;
	const char *bad = NULL;
	size_t len;
	long long code = -1;

	if (fs_read_file(r->r_spec->result_file, 64, &buf, &len) == 0 &&
	    strncmp(buf, "exit ", 5) == 0) {
		buf[strcspn(buf, "\n")] = '\0';
		code = strtonum(buf + 5, 0, 255, &bad);
	}
	free(buf);
	if (code == -1 || bad != NULL) {
		hook_error(r, "it was started before and left no result; it "
		    "is not started again");
		return;
	}
	hook.hk_pr.exit_code = (int)code;
	run_stamp(r, &hook.hk_pr, hook_report);
}

static void
hook_start(struct run *r)
{
	char path[RUN_PATH_MAX], line[64], err[512];
	int n;

	if (r->r_spec->argv.l_n == 0 ||
	    hook_started_path(r, path, sizeof(path)) == -1) {
		hook_error(r, r->r_spec->argv.l_n == 0 ? "none is configured" :
		    "no usable path for its result");
		return;
	}
	if (access(path, F_OK) == 0) {
		hook_again(r);
		return;
	}
	n = snprintf(line, sizeof(line), "run %llu held\n",
	    (unsigned long long)r->r_spec->run);
	if (fs_write_atomic(AT_FDCWD, path, line, (size_t)n, 0644) == -1) {
		(void)snprintf(err, sizeof(err), "%.400s: %s", path,
		    strerror(errno));
		hook_error(r, err);
	} else if (hook_spawn(r, err, sizeof(err)) == -1) {
		/* Nothing ran, so the start record is taken back. */
		(void)unlink(path);
		hook_error(r, err);
	}
}

/* It cannot be taken back: only its time limit ends it. */
static void
hook_stop(struct run *r)
{
	log_info("the deploy hook goes on to its end");
	r->r_stopping = 0;
}

static void
hook_end(struct run *r)
{
	proctree_free(hook.hk_tree);
	hook.hk_tree = NULL;
	env_free(&hook.hk_env);
	tail_free(&hook.hk_tail);
}

const struct kind kind_hook = {
	.k_kind = KIND_HOOK,
	.k_name = "deploy hook",
	.k_start = hook_start,
	.k_stop = hook_stop,
	.k_end = hook_end
};
