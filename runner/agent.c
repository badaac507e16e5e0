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

#include <bsd/string.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/git.h"
#include "libcommon/log.h"
#include "libcommon/sha256.h"
#include "runner.h"

struct agent {
	struct env		 ag_env;
	struct text		 ag_task;
	struct box		*ag_box;
	struct usage		*ag_usage;
	struct tail		 ag_tail;
	struct box_result	 ag_end;
	struct proctree_result	 ag_pr;
	struct usage_verdict	 ag_uv;
	char			 ag_session[129];
	char			 ag_base[GIT_OID_SIZE];
};

static struct agent agent;

/* A random UUID (version 4), for `--session-id {session}'. */
static int
agent_uuid(char *dst, size_t len)
{
	uint8_t b[16];

	if (random_bytes(b, sizeof(b)) == -1)
		return (-1);
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	return (snprintf(dst, len, "%02x%02x%02x%02x-%02x%02x-%02x%02x-"
	    "%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2], b[3], b[4],
	    b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
	    b[15]) < (int)len ? 0 : -1);
}

/* An agent's end in words: who, what, and what it said last. */
static void
agent_fail(struct run *r, enum gate_verdict verdict, enum orch_cause cause,
    const char *why)
{
	const char *refused = agent.ag_uv.uv_ok || verdict != GATE_FAIL ? "" :
	    agent.ag_end.br_refused;
	char last[600] = "";

	if (agent.ag_usage != NULL)
		usage_last(agent.ag_usage, last, sizeof(last));
	if (strstr(why, last) != NULL)
		last[0] = '\0';
	/* Many an agent program waits, and does not say for what. */
	run_result(r, verdict, cause, "%s: %s%s%s%s%s%s%s", r->r_go.role, why,
	    last[0] == '\0' ? "" : " (last output: ", last,
	    last[0] == '\0' ? "" : ")", refused[0] == '\0' ? "" :
	    " (not in its network line and refused: ", refused,
	    refused[0] == '\0' ? "" : ")");
	run_finish(r);
}

static void
agent_delivered(struct run *r, enum deliver_state state, int fd,
    const char *tip, const char *why)
{
	struct result *rs = &r->r_res;

	switch (state) {
	case DELIVERED:
		run_result(r, GATE_PASS, CAUSE_NONE, "%s",
		    agent.ag_uv.uv_reason);
		(void)strlcpy(rs->rs_commit, tip, sizeof(rs->rs_commit));
		rs->rs_fd = fd;
		run_finish(r);
		break;
	case DELIVERED_NOTHING:
		(void)strlcpy(rs->rs_commit, r->r_go.head,
		    sizeof(rs->rs_commit));
		if (strcmp(r->r_go.role, "deployer") == 0) {
			run_result(r, GATE_PASS, CAUSE_NONE,
			    "nothing to commit");
			run_finish(r);
		} else
			agent_fail(r, GATE_FAIL, CAUSE_NO_COMMIT,
			    GIVEN(agent.ag_uv.uv_reason) ?
			    agent.ag_uv.uv_reason :
			    "ended with exit code 0 and left no commit");
		break;
	case DELIVERY_FAILED:
		agent_fail(r, r->r_stopping ? GATE_ERROR : GATE_FAIL,
		    r->r_stopping ? CAUSE_STOPPED : CAUSE_RED, why);
		break;
	}
}

static void
agent_usage(struct run *r)
{
	struct usage_verdict *uv = &agent.ag_uv;

	usage_judge(agent.ag_usage, agent.ag_pr.exit_code, uv);
	r->r_res.rs_tokens_in = uv->uv_tokens_in;
	r->r_res.rs_tokens_out = uv->uv_tokens_out;
	r->r_res.rs_cost_micros = uv->uv_cost_micros;
	run_text(r, agent.ag_tail.tl_buf == NULL ? "" : agent.ag_tail.tl_buf,
	    agent.ag_tail.tl_len);
}

/* The exit code is on record: what became of it? */
static void
agent_judge(struct run *r)
{
	const struct box_result *br = &agent.ag_end;
	const struct usage_verdict *uv = &agent.ag_uv;

	agent_usage(r);
	switch (br->br_end) {
	case BOX_STOPPED:
		agent_fail(r, GATE_ERROR, CAUSE_STOPPED, br->br_why);
		break;
	case BOX_TIMEOUT:
		agent_fail(r, GATE_FAIL, CAUSE_TIMEOUT, br->br_why);
		break;
	case BOX_NOEXEC:
		agent_fail(r, GATE_FAIL, CAUSE_EXEC, br->br_why);
		break;
	case BOX_NOSANDBOX:
		agent_fail(r, GATE_FAIL, CAUSE_SANDBOX, br->br_why);
		break;
	case BOX_SIGNAL:
	case BOX_ENDED:
		if (!uv->uv_ok)
			agent_fail(r, GATE_FAIL, uv->uv_cause,
			    GIVEN(uv->uv_reason) ? uv->uv_reason : br->br_why);
		else if (r->r_stopping)
			agent_fail(r, GATE_ERROR, CAUSE_STOPPED, r->r_why);
		else
			deliver_start(r, r->r_go.branch, r->r_go.head,
			    agent_delivered);
		break;
	}
}

static void
agent_done(const struct box_result *br, void *arg)
{
	struct run *r = arg;

	agent.ag_end = *br;
	agent.ag_pr = *br->br_pr;
	agent.ag_end.br_pr = &agent.ag_pr;
	box_free(agent.ag_box);
	agent.ag_box = NULL;
	if (agent.ag_end.br_end != BOX_ENDED)
		log_info("%s", agent.ag_end.br_why);
	if (agent.ag_end.br_end == BOX_NOSANDBOX)
		agent_judge(r);		/* nothing ran: no exit code */
	else
		run_stamp(r, &agent.ag_pr, agent_judge);
}

static void
agent_line(void *arg, int stream, const char *line, size_t len)
{
	struct run *r = arg;
	const char *id;

	tail_add(&agent.ag_tail, line, len);
	usage_line(agent.ag_usage, stream, line, len);
	id = usage_session(agent.ag_usage);
	if (id[0] != '\0' && strcmp(id, agent.ag_session) != 0) {
		(void)strlcpy(agent.ag_session, id, sizeof(agent.ag_session));
		run_session_known(r, agent.ag_session);
	}
}

/* A session of our own choice is only known to the agent if it is named. */
static int
agent_session(struct run *r)
{
	const char *s = NULL;

	if (GIVEN(r->r_go.session)) {
		(void)strlcpy(agent.ag_session, r->r_go.session,
		    sizeof(agent.ag_session));
		return (0);
	}
	while ((s = orch_strs_next(&r->r_spec->argv, s)) != NULL)
		if (strcmp(s, "{session}") == 0) {
			if (agent_uuid(agent.ag_session,
			    sizeof(agent.ag_session)) == -1)
				return (-1);
			run_session_known(r, agent.ag_session);
			return (0);
		}
	return (0);
}

static void
agent_run(struct run *r, enum orch_cause cause, const char *why)
{
	struct box_opts bo = { 0 };
	const char **argv;
	char *prompt;

	if (r->r_stopping || cause != CAUSE_NONE) {
		if (r->r_stopping)
			agent_fail(r, GATE_ERROR, CAUSE_STOPPED, r->r_why);
		else
			agent_fail(r, cause == CAUSE_SANDBOX ? GATE_FAIL :
			    GATE_ERROR, cause, why);
		return;
	}
	if (agent_session(r) == -1 || (argv = task_argv(r, &agent.ag_task,
	    agent.ag_session, &prompt)) == NULL) {
		agent_fail(r, GATE_ERROR, CAUSE_INFRA, strerror(errno));
		return;
	}
	bo.bo_argv = argv;
	bo.bo_envp = (const char *const *)agent.ag_env.e_v;
	bo.bo_timeout_ms = r->r_spec->timeout_s > 4000000 ? 4000000000U :
	    r->r_spec->timeout_s * 1000;
	bo.bo_net = r->r_spec->net;
	bo.bo_limits = 1;
	bo.bo_wide_lines = r->r_spec->result != FORMAT_NONE;
	bo.bo_line_cb = agent_line;
	bo.bo_line_arg = r;
	agent.ag_box = box_start(r, &bo, agent_done, r);
	free(argv);
	free(prompt);
}

/*
 * A task without commits starts from the target's head, which the engine does
 * not know: it reads no repository.  The result says which commit it was.
 */
static int
agent_base(struct run *r, char *err, size_t errlen)
{
	struct git_repo repo;
	char ref[300];

	if (!GIVEN(r->r_go.head)) {
		(void)snprintf(ref, sizeof(ref), "refs/heads/%s",
		    r->r_go.target);
		if (git_open(&repo, r->r_spec->mirror, err, errlen) !=
		    GIT_OK || git_read_ref(&repo, ref, agent.ag_base, err,
		    errlen) != GIT_OK)
			return (-1);
		r->r_go.head = r->r_go.base = agent.ag_base;
	}
	(void)strlcpy(r->r_res.rs_tree, r->r_go.head,
	    sizeof(r->r_res.rs_tree));
	return (0);
}

static int
agent_prepare(struct run *r, char *err, size_t errlen)
{
	const struct orch_run_go *go = &r->r_go;

	if (agent_base(r, err, errlen) == -1)
		return (-1);
	if (!git_branch_valid(go->branch) || !git_oid_valid(go->head)) {
		(void)snprintf(err, errlen, "go names no usable branch and "
		    "head (\"%s\" at \"%s\")", go->branch, go->head);
		return (-1);
	}
	if (r->r_spec->argv.l_n == 0) {
		(void)snprintf(err, errlen, "no command is configured");
		return (-1);
	}
	if (ws_make(r, err, errlen) == -1)
		return (-1);
	task_format(r, &agent.ag_task);
	if (env_base(&agent.ag_env) == -1 || env_orch(&agent.ag_env, r) == -1 ||
	    env_set(&agent.ag_env, "ORCH_TASK_FILE", ws_task(r)) == -1 ||
	    env_set(&agent.ag_env, "ORCH_ENV_FILE", ws_envfile(r)) == -1 ||
	    env_spec(&agent.ag_env, r) == -1 ||
	    (agent.ag_usage = usage_new((enum agent_format)r->r_spec->result,
	    &r->r_spec->transient)) == NULL ||
	    task_write(r, &agent.ag_task) == -1 ||
	    env_write(&agent.ag_env, ws_envfile(r)) == -1) {
		(void)snprintf(err, errlen, "workspace %s: %s",
		    r->r_spec->workroot, strerror(errno));
		return (-1);
	}
	return (0);
}

static void
agent_start(struct run *r)
{
	char err[512];

	if (agent_prepare(r, err, sizeof(err)) == -1)
		agent_fail(r, GATE_ERROR, CAUSE_INFRA, err);
	else
		ws_checkout(r, r->r_go.branch, r->r_go.head, agent_run);
}

static void
agent_stop(struct run *r)
{
	ws_checkout_stop(r);
	box_stop(agent.ag_box);
	deliver_stop(r);
}

/* Whatever still runs ends here, also when the engine refused the run. */
static void
agent_end(struct run *r)
{
	box_free(agent.ag_box);
	env_free(&agent.ag_env);
	free(agent.ag_task.tx_buf);
	usage_free(agent.ag_usage);
	tail_free(&agent.ag_tail);
	memset(&agent, 0, sizeof(agent));
}

const struct kind kind_agent = {
	.k_kind = KIND_AGENT,
	.k_name = "agent",
	.k_start = agent_start,
	.k_stop = agent_stop,
	.k_end = agent_end,
	.k_workspace = 1
};
