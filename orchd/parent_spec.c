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

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include "libcommon/fsutil.h"
#include "libcommon/git.h"
#include "libcommon/log.h"
#include "libcommon/sandbox.h"

#include "parent.h"

/*
 * RUN_SPEC: what the configuration says of one run.  The engine names a
 * project, a role, a gate; argv, secrets and limits come from here alone.
 */

#define LOG_MAX		(32ULL << 20)
#define PROMPT_MAX	65535

struct run_plan {
	struct orch_run_spec	 rl_spec;
	struct strlist		 rl_env;	/* NAME=value, with secrets */
	struct strlist		 rl_hook;	/* ORCH_... of a hook */
	char			*rl_prompt;
	char			*rl_socket;
	char			*rl_mirror;
	char			*rl_workroot;
	char			*rl_result;
	char			*rl_token;	/* writes to the forge */
	int			 rl_worker;
};

/* Where a gate's command, limit and network come from. */
struct gate_row {
	const char	*gr_name;
	enum conf_cmd	 gr_cmd;
	enum option	 gr_limit;
};

static const struct gate_row gates[] = {
	{ "check_tests_local", CONF_CMD_TEST, OPT_TEST_TIMEOUT_S },
	{ "check_tests_passed", CONF_CMD_TEST, OPT_TEST_TIMEOUT_S },
	{ "check_branch_mergeable", CONF_CMD_TEST,
	    OPT_MERGE_RETEST_TIMEOUT_S },
	{ "check_coverage", CONF_CMD_COVERAGE, OPT_COVERAGE_RUN_TIMEOUT_S },
	{ "check_security", CONF_CMD_SECURITY, OPT_SECURITY_TIMEOUT_S },
	{ "check_staging_status", CONF_CMD_STAGING_CHECK,
	    OPT_STAGING_CHECK_TIMEOUT_S },
	{ "image-build", CONF_CMD_IMAGE_BUILD, OPT_IMAGE_BUILD_TIMEOUT_S },
};

/* Gates that read artifacts and facts: they have no command. */
static const char *const artifact_gates[] = {
	"check_analysis_complete", "check_analysis_approved",
	"check_architecture_done", "check_reviewer_verdict",
	"check_review_approved", "check_deploy_status", "check_ci_green",
};

static void
set_argv(struct orch_strs *s, const struct strlist *l)
{
	static const char *const none[] = { NULL };

	memset(s, 0, sizeof(*s));
	s->l_argv = l->sl_n > 0 ? (const char *const *)l->sl_v : none;
}

static char *
text(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static char *
text(const char *fmt, ...)
{
	va_list	 ap;
	char	*s;
	int	 n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	if (n == -1)
		fatalx("out of memory");
	return (s);
}

static void
env_add(struct strlist *l, const char *name, const char *value)
{
	char	*s = text("%s=%s", name, value);

	strlist_add(l, s);
	secret_free(s);
}

/* The value of a variable that came from the starting shell, or NULL. */
static const char *
env_passed(const struct strlist *env, const char *name)
{
	size_t	 i, len = strlen(name);

	for (i = 0; i < env->sl_n; i++)
		if (strncmp(env->sl_v[i], name, len) == 0 &&
		    env->sl_v[i][len] == '=')
			return (env->sl_v[i] + len + 1);
	return (NULL);
}

static int
agent_env(struct run_plan *rl, const struct conf_agent *ca,
    const struct run_paths *pa, char *err, size_t errlen)
{
	const struct conf_env	*ce;
	const char		*value;
	char			*secret;
	size_t			 i;

	for (i = 0; i < ca->ca_nenv; i++) {
		ce = &ca->ca_env[i];
		if (ce->ce_kind == CONF_ENV_LITERAL) {
			env_add(&rl->rl_env, ce->ce_name, ce->ce_value);
			continue;
		}
		if (ce->ce_kind == CONF_ENV_FILE) {
			if ((secret = secret_read(ce->ce_value, err,
			    errlen)) == NULL)
				return (-1);
			env_add(&rl->rl_env, ce->ce_name, secret);
			secret_free(secret);
			continue;
		}
		value = env_passed(pa->pa_env, ce->ce_name);
		if (value == NULL) {
			snprintf(err, errlen, "agent %s: env %s: orchd was "
			    "started without this variable",
			    conf_role_name(ca->ca_role), ce->ce_name);
			return (-1);
		}
		env_add(&rl->rl_env, ce->ce_name, value);
	}
	return (0);
}

static int
agent_prompt(struct run_plan *rl, const struct conf_agent *ca,
    const struct run_paths *pa, char *err, size_t errlen)
{
	char	*path, *buf;
	size_t	 len;
	int	 rv;

	path = ca->ca_prompt != NULL ? text("%s", ca->ca_prompt) :
	    text("%s/%s.md", pa->pa_prompts, conf_role_name(ca->ca_role));
	rv = fs_read_file(path, PROMPT_MAX, &buf, &len);
	if (rv == 0 && memchr(buf, '\0', len) == NULL)
		rl->rl_prompt = buf;
	else if (rv == 0) {
		snprintf(err, errlen, "prompt \"%s\" has a NUL byte", path);
		free(buf);
		rv = -1;
	} else if (ca->ca_prompt == NULL)
		rv = 0;		/* an agent may know what to do without one */
	else
		snprintf(err, errlen, "prompt \"%s\": %s", path,
		    strerror(errno));
	free(path);
	return (rv);
}

static void
box(struct orch_run_spec *sp, const struct conf_agent *ca)
{
	static const uint8_t levels[] = {
		[CONF_SANDBOX_BWRAP] = SANDBOX_BWRAP,
		[CONF_SANDBOX_LANDLOCK] = SANDBOX_LANDLOCK,
		[CONF_SANDBOX_NONE] = SANDBOX_NONE,
	};

	sp->sandbox = levels[ca->ca_sandbox];
	set_argv(&sp->ro_binds, &ca->ca_bind);
}

static uint8_t
net_wire(enum conf_net net)
{
	static const uint8_t nets[] = {
		[CONF_NET_NONE] = SANDBOX_NET_NONE,
		[CONF_NET_OPEN] = SANDBOX_NET_OPEN,
		[CONF_NET_ALLOW] = SANDBOX_NET_ALLOW,
	};

	return (nets[net]);
}

static int
plan_agent(struct run_plan *rl, const struct conf *cf,
    const struct conf_project *cp, const struct run_paths *pa,
    const struct orch_spawn *rq, char *err, size_t errlen)
{
	struct orch_run_spec	*sp = &rl->rl_spec;
	const struct conf_agent	*ca;
	enum conf_role		 role = conf_role_lookup(rq->role);

	ca = role == CONF_ROLE_MAX ? NULL : conf_agent_for(cf, cp, role);
	if (ca == NULL) {
		snprintf(err, errlen, "project %s has no agent \"%.40s\"",
		    cp->cp_name, rq->role);
		return (-1);
	}
	if (agent_env(rl, ca, pa, err, errlen) == -1 ||
	    agent_prompt(rl, ca, pa, err, errlen) == -1)
		return (-1);
	set_argv(&sp->argv, &ca->ca_command);
	set_argv(&sp->hosts, &ca->ca_hosts);
	set_argv(&sp->transient, &ca->ca_transient);
	sp->timeout_s = (uint32_t)conf_agent_timeout(cf, cp, ca);
	sp->net = net_wire(ca->ca_net);
	sp->mem_max = (uint64_t)ca->ca_memory_mb << 20;
	sp->nproc_max = (uint32_t)ca->ca_processes;
	sp->result = (uint8_t)ca->ca_result;
	box(sp, ca);
	return (0);
}

static void
plan_command(struct orch_run_spec *sp, const struct conf_command *cc,
    int64_t limit)
{
	set_argv(&sp->argv, &cc->cc_argv);
	sp->report = (uint8_t)cc->cc_report;
	sp->timeout_s = (uint32_t)limit;
}

/* Deploy and check share one limit: half of it each. */
static void
plan_staging(struct orch_run_spec *sp, const struct conf_project *cp,
    int64_t limit)
{
	const struct conf_command	*deploy, *check;

	deploy = &cp->cp_cmd[CONF_CMD_STAGING_DEPLOY];
	check = &cp->cp_cmd[CONF_CMD_STAGING_CHECK];
	sp->net = net_wire(cp->cp_staging_net);
	set_argv(&sp->known_infra, &cp->cp_known_infra);
	if (deploy->cc_argv.sl_n == 0)
		return;
	plan_command(sp, deploy, limit - limit / 2);
	set_argv(&sp->argv2, &check->cc_argv);
	sp->report = (uint8_t)check->cc_report;
	sp->timeout2_s = (uint32_t)(limit / 2 > 0 ? limit / 2 : 1);
}

/* A built-in gate with a command: 0, or -1 when the name is none of them. */
static int
plan_own(struct orch_run_spec *sp, const struct conf *cf,
    const struct conf_project *cp, const char *name)
{
	int64_t	 limit;
	size_t	 i;

	for (i = 0; i < sizeof(gates) / sizeof(gates[0]); i++) {
		if (strcmp(gates[i].gr_name, name) != 0)
			continue;
		limit = conf_int(cf, cp, gates[i].gr_limit);
		plan_command(sp, &cp->cp_cmd[gates[i].gr_cmd], limit);
		if (gates[i].gr_cmd == CONF_CMD_STAGING_CHECK)
			plan_staging(sp, cp, limit);
		return (0);
	}
	for (i = 0; i < cp->cp_ngates; i++) {
		if (strcmp(cp->cp_gates[i].cg_name, name) != 0)
			continue;
		plan_command(sp, &cp->cp_gates[i].cg_cmd,
		    conf_int(cf, cp, OPT_TEST_TIMEOUT_S));
		return (0);
	}
	return (-1);
}

static int
plan_gate(struct run_plan *rl, const struct conf *cf,
    const struct conf_project *cp, const struct orch_spawn *rq, char *err,
    size_t errlen)
{
	struct orch_run_spec	*sp = &rl->rl_spec;
	const struct conf_agent	*ca;
	size_t			 i;

	sp->net = net_wire(cp->cp_gates_net);
	/* It runs what the developer wrote: in the developer's kind of box. */
	if ((ca = conf_agent_for(cf, cp, CONF_ROLE_DEVELOPER)) != NULL)
		box(sp, ca);
	for (i = 0; i < sizeof(artifact_gates) / sizeof(artifact_gates[0]);
	    i++)
		if (strcmp(artifact_gates[i], rq->gate) == 0) {
			sp->timeout_s = CONF_IMPORT_LIMIT_S;
			return (0);
		}
	if (plan_own(sp, cf, cp, rq->gate) == -1) {
		snprintf(err, errlen, "project %s has no gate \"%.64s\"",
		    cp->cp_name, rq->gate);
		return (-1);
	}
	return (0);
}

/* A hexadecimal object name, or nothing. */
static int
hex_or_empty(const char *s)
{
	return (s[0] == '\0' || git_oid_valid(s));
}

static int
image_ok(const char *s)
{
	return (s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuv"
	    "wxyz0123456789._/:@+-")] == '\0' && s[0] != '-');
}

static int
plan_hook(struct run_plan *rl, const struct conf *cf,
    const struct conf_project *cp, const struct orch_spawn *rq, char *err,
    size_t errlen)
{
	struct orch_run_spec	*sp = &rl->rl_spec;
	const struct conf_command *cc;
	struct strlist		*env = &rl->rl_hook;

	cc = &cp->cp_cmd[strcmp(rq->gate, "rollback") == 0 ?
	    CONF_CMD_ROLLBACK_HOOK : CONF_CMD_DEPLOY_HOOK];
	if (cc->cc_argv.sl_n == 0) {
		snprintf(err, errlen, "project %s has no %s", cp->cp_name,
		    conf_cmd_name(cc == &cp->cp_cmd[CONF_CMD_DEPLOY_HOOK] ?
		    CONF_CMD_DEPLOY_HOOK : CONF_CMD_ROLLBACK_HOOK));
		return (-1);
	}
	plan_command(sp, cc, conf_int(cf, cp, OPT_DEPLOY_TIMEOUT_S));
	sp->sandbox = SANDBOX_NONE;
	sp->net = SANDBOX_NET_OPEN;
	env_add(env, "ORCH_WORK_ITEM", rq->work_item);
	env_add(env, "ORCH_EXPECTED_REVISION", rq->revision);
	env_add(env, "ORCH_EXPECTED_TREE", rq->tree);
	env_add(env, "ORCH_PREVIOUS_REVISION", rq->previous);
	env_add(env, "ORCH_SOURCE_IMAGE", rq->image);
	env_add(env, "ORCH_MIRROR", rl->rl_mirror);
	env_add(env, "ORCH_RESULT_FILE", rl->rl_result);
	set_argv(&sp->env, env);
	return (0);
}

/* A worker acts on the forge, so it alone gets the token that writes. */
static int
plan_worker(struct run_plan *rl, const struct conf *cf,
    const struct conf_project *cp, char *err, size_t errlen)
{
	struct orch_run_spec	*sp = &rl->rl_spec;

	rl->rl_worker = 1;
	sp->probe_url = conf_str(cf, cp, OPT_POST_DEPLOY_BASE_URL);
	sp->timeout_s = (uint32_t)conf_int(cf, NULL,
	    OPT_REAPER_MAX_RUNNING_S);
	if (cp->cp_forge != CONF_FORGE_GITEA)
		return (0);
	if ((rl->rl_token = secret_read(cp->cp_forge_write, err,
	    errlen)) == NULL)
		return (-1);
	sp->forge = "gitea";
	sp->forge_url = cp->cp_forge_url;
	sp->forge_repo = cp->cp_forge_repo;
	sp->token = rl->rl_token;
	return (0);
}

/*
 * A message to people: in the box of the developer of all projects, with the
 * network, which most of them need.  It sees no project and no secret.
 */
static int
plan_exec(struct run_plan *rl, const struct conf *cf,
    const struct orch_spawn *rq, char *err, size_t errlen)
{
	struct orch_run_spec	*sp = &rl->rl_spec;
	const struct conf_notify *cn = NULL;
	size_t			 i;

	for (i = 0; i < cf->cf_nnotify; i++)
		if (cf->cf_notify[i].cn_kind == CONF_NOTIFY_EXEC &&
		    strcmp(cf->cf_notify[i].cn_name, rq->gate) == 0)
			cn = &cf->cf_notify[i];
	if (cn == NULL) {
		snprintf(err, errlen, "no notify exec line is called "
		    "\"%.64s\"", rq->gate);
		return (-1);
	}
	for (i = 0; i < cf->cf_nglobal_agents; i++)
		if (cf->cf_global_agents[i].ca_role == CONF_ROLE_DEVELOPER)
			box(sp, &cf->cf_global_agents[i]);
	set_argv(&sp->argv, &cn->cn_argv);
	sp->net = SANDBOX_NET_OPEN;
	sp->timeout_s = CONF_EXEC_LIMIT_S;
	return (0);
}

static int
plan_kind(struct run_plan *rl, const struct conf *cf,
    const struct conf_project *cp, const struct run_paths *pa,
    const struct orch_spawn *rq, char *err, size_t errlen)
{
	struct orch_run_spec	*sp = &rl->rl_spec;

	switch (rq->kind) {
	case KIND_AGENT:
		if (plan_agent(rl, cf, cp, pa, rq, err, errlen) == -1)
			return (-1);
		set_argv(&sp->env, &rl->rl_env);
		return (0);
	case KIND_GATE:
		return (plan_gate(rl, cf, cp, rq, err, errlen));
	case KIND_HOOK:
		return (plan_hook(rl, cf, cp, rq, err, errlen));
	case KIND_IMPORT:
	case KIND_CLEAN:
		set_argv(&sp->writes, &cp->cp_architect_writes);
		sp->sandbox = SANDBOX_NONE;
		sp->timeout_s = CONF_IMPORT_LIMIT_S;
		return (0);
	case KIND_EXEC:
		return (plan_exec(rl, cf, rq, err, errlen));
	case KIND_TRANSITION:
	case KIND_MONITOR:
		return (plan_worker(rl, cf, cp, err, errlen));
	default:
		snprintf(err, errlen, "runs of kind %s cannot be started",
		    orch_kind_name(rq->kind));
		return (-1);
	}
}

/* Every text of the request is checked before anything is made of it. */
static int
request_ok(const struct orch_spawn *rq, char *err, size_t errlen)
{
	const char	*bad = NULL;

	if (rq->run == 0 || rq->run > INT64_MAX)
		bad = "run";
	else if (rq->key.b_len != 32)
		bad = "key";
	else if (rq->work_item[0] != '\0' && !item_id_valid(rq->work_item))
		bad = "work item";
	else if (!hex_or_empty(rq->revision))
		bad = "revision";
	else if (!hex_or_empty(rq->tree))
		bad = "tree";
	else if (!hex_or_empty(rq->previous))
		bad = "previous revision";
	else if (!image_ok(rq->image))
		bad = "image";
	else if (rq->kind == KIND_HOOK && (rq->work_item[0] == '\0' ||
	    rq->revision[0] == '\0'))
		bad = "hook without work item or revision";
	if (bad != NULL)
		snprintf(err, errlen, "the request is malformed: %s", bad);
	return (bad == NULL ? 0 : -1);
}

static void
plan_common(struct run_plan *rl, const struct conf *cf,
    const struct conf_project *cp, const struct run_paths *pa,
    const struct orch_spawn *rq)
{
	static const struct strlist	 none;
	struct orch_run_spec		*sp = &rl->rl_spec;
	unsigned long long		 run = (unsigned long long)rq->run;

	rl->rl_socket = text("%s/engine.sock", cf->cf_runtime);
	rl->rl_mirror = cp == NULL ? text("%s", "") :
	    text("%s/mirror/%s.git", cf->cf_state, cp->cp_name);
	rl->rl_workroot = text("%s/ws/%llu", cf->cf_state, run);
	rl->rl_result = text("%s/result/%llu", cf->cf_state, run);
	sp->run = rq->run;
	sp->kind = rq->kind;
	sp->key = rq->key;
	sp->socket = rl->rl_socket;
	sp->project = cp == NULL ? "" : cp->cp_name;
	sp->mirror = rl->rl_mirror;
	sp->workroot = rl->rl_workroot;
	sp->result_file = rl->rl_result;
	sp->self = pa->pa_runner;
	sp->records = cp == NULL ? "" : cp->cp_records_branch;
	sp->grace_s = (uint32_t)conf_int(cf, cp, OPT_KILL_GRACE_S);
	sp->log_max = LOG_MAX;
	set_argv(&sp->argv, &none);
	set_argv(&sp->argv2, &none);
	set_argv(&sp->env, &none);
	set_argv(&sp->hosts, &none);
	set_argv(&sp->ro_binds, &none);
	set_argv(&sp->transient, &none);
	set_argv(&sp->known_infra, &none);
	set_argv(&sp->writes, &none);
}

struct run_plan *
run_plan_new(const struct conf *cf, const struct run_paths *pa,
    const struct orch_spawn *rq, char *err, size_t errlen)
{
	const struct conf_project	*cp = NULL;
	struct run_plan			*rl;

	if (request_ok(rq, err, errlen) == -1)
		return (NULL);
	/* A message to people is about no project. */
	if (rq->kind != KIND_EXEC &&
	    (cp = conf_project_by_name(cf, rq->project)) == NULL) {
		snprintf(err, errlen, "project \"%.64s\" is not in the "
		    "configuration", rq->project);
		return (NULL);
	}
	if ((rl = calloc(1, sizeof(*rl))) == NULL)
		fatalx("out of memory");
	plan_common(rl, cf, cp, pa, rq);
	if (plan_kind(rl, cf, cp, pa, rq, err, errlen) == -1) {
		run_plan_free(rl);
		return (NULL);
	}
	rl->rl_spec.prompt = rl->rl_prompt;
	return (rl);
}

const struct orch_run_spec *
run_plan_spec(const struct run_plan *rl)
{
	return (&rl->rl_spec);
}

int
run_plan_is_worker(const struct run_plan *rl)
{
	return (rl->rl_worker);
}

void
run_plan_free(struct run_plan *rl)
{
	size_t	 i;

	if (rl == NULL)
		return;
	for (i = 0; i < rl->rl_env.sl_n; i++)
		explicit_bzero(rl->rl_env.sl_v[i],
		    strlen(rl->rl_env.sl_v[i]));
	strlist_free(&rl->rl_env);
	strlist_free(&rl->rl_hook);
	free(rl->rl_prompt);
	free(rl->rl_socket);
	free(rl->rl_mirror);
	free(rl->rl_workroot);
	free(rl->rl_result);
	secret_free(rl->rl_token);
	free(rl);
}
