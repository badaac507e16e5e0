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

#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "conf.h"

static const char *const role_names[CONF_ROLE_MAX] = {
	[CONF_ROLE_ANALYST] = "analyst",
	[CONF_ROLE_ARCHITECT] = "architect",
	[CONF_ROLE_DEVELOPER] = "developer",
	[CONF_ROLE_REVIEWER] = "reviewer",
	[CONF_ROLE_TESTER] = "tester",
	[CONF_ROLE_DEPLOYER] = "deployer",
};

static const char *const cmd_names[CONF_CMD_MAX] = {
	[CONF_CMD_TEST] = "test",
	[CONF_CMD_COVERAGE] = "coverage",
	[CONF_CMD_SECURITY] = "security",
	[CONF_CMD_IMAGE_BUILD] = "image build",
	[CONF_CMD_STAGING_DEPLOY] = "staging deploy",
	[CONF_CMD_STAGING_CHECK] = "staging check",
	[CONF_CMD_DEPLOY_HOOK] = "deploy hook",
	[CONF_CMD_ROLLBACK_HOOK] = "rollback hook",
};

static const char *const net_names[] = {
	[CONF_NET_NONE] = "none",
	[CONF_NET_OPEN] = "open",
	[CONF_NET_ALLOW] = "allow",
};

static const char *const sandbox_names[] = {
	[CONF_SANDBOX_BWRAP] = "bwrap",
	[CONF_SANDBOX_LANDLOCK] = "landlock",
	[CONF_SANDBOX_NONE] = "none",
};

static const char *const result_names[] = {
	[CONF_RESULT_NONE] = "none",
	[CONF_RESULT_CLAUDE] = "claude",
	[CONF_RESULT_CODEX] = "codex",
	[CONF_RESULT_GEMINI] = "gemini",
	[CONF_RESULT_OPENCODE] = "opencode",
};

static const char *const merge_names[] = {
	[CONF_MERGE_FF_ONLY] = "fast-forward-only",
	[CONF_MERGE_MERGE] = "merge",
	[CONF_MERGE_SQUASH] = "squash",
	[CONF_MERGE_REBASE] = "rebase",
};

static const char *const status_names[CONF_STATUS_MAX] = {
	[CONF_STATUS_IN_PROGRESS] = "In Progress",
	[CONF_STATUS_IN_REVIEW] = "In Review",
	[CONF_STATUS_NEEDS_INPUT] = "Needs Input",
	[CONF_STATUS_BLOCKED] = "Blocked",
	[CONF_STATUS_DONE] = "Done",
	[CONF_STATUS_CANCELLED] = "Cancelled",
	[CONF_STATUS_TO_ANALYSE] = "To Analyse",
	[CONF_STATUS_APPROVED] = "Approved",
	[CONF_STATUS_REJECTED] = "Rejected",
	[CONF_STATUS_CONFIRM_DEPLOY] = "Confirm Deploy",
	[CONF_STATUS_STOP] = "Stop",
};

static const struct option_value *
option_of(const struct conf *cf, const struct conf_project *cp, enum option o,
    enum option_type type)
{
	const struct option_def	*d = option_def(o);

	if (d->od_type != type && !(d->od_type == OPTION_BOOL &&
	    type == OPTION_INT))
		errx(1, "option %s asked for with the wrong type", d->od_name);
	if (cp != NULL && cp->cp_options[o].ov_set)
		return (&cp->cp_options[o]);
	return (&cf->cf_options[o]);
}

int64_t
conf_int(const struct conf *cf, const struct conf_project *cp, enum option o)
{
	return (option_of(cf, cp, o, OPTION_INT)->ov_int);
}

int
conf_bool(const struct conf *cf, const struct conf_project *cp, enum option o)
{
	return (option_of(cf, cp, o, OPTION_BOOL)->ov_int != 0);
}

double
conf_ratio(const struct conf *cf, const struct conf_project *cp, enum option o)
{
	return (option_of(cf, cp, o, OPTION_RATIO)->ov_ratio);
}

const char *
conf_str(const struct conf *cf, const struct conf_project *cp, enum option o)
{
	return (option_of(cf, cp, o, OPTION_STRING)->ov_str);
}

const struct strlist *
conf_list(const struct conf *cf, const struct conf_project *cp, enum option o)
{
	return (&option_of(cf, cp, o, OPTION_LIST)->ov_list);
}

const struct conf_project *
conf_project_by_name(const struct conf *cf, const char *name)
{
	size_t	 i;

	for (i = 0; i < cf->cf_nprojects; i++)
		if (strcmp(cf->cf_projects[i].cp_name, name) == 0)
			return (&cf->cf_projects[i]);
	return (NULL);
}

const struct conf_project *
conf_project_by_prefix(const struct conf *cf, const char *prefix)
{
	const char	*p;
	size_t		 i;

	for (i = 0; i < cf->cf_nprojects; i++) {
		p = cf->cf_projects[i].cp_prefix;
		if (p != NULL && strcmp(p, prefix) == 0)
			return (&cf->cf_projects[i]);
	}
	return (NULL);
}

const struct conf_agent *
conf_agent_for(const struct conf *cf, const struct conf_project *cp,
    enum conf_role role)
{
	size_t	 i;

	for (i = 0; cp != NULL && i < cp->cp_nagents; i++)
		if (cp->cp_agents[i].ca_role == role)
			return (&cp->cp_agents[i]);
	for (i = 0; i < cf->cf_nglobal_agents; i++)
		if (cf->cf_global_agents[i].ca_role == role)
			return (&cf->cf_global_agents[i]);
	return (NULL);
}

int64_t
conf_agent_timeout(const struct conf *cf, const struct conf_project *cp,
    const struct conf_agent *ca)
{
	if (ca->ca_timeout_s > 0)
		return (ca->ca_timeout_s);
	return (conf_int(cf, cp, OPT_AGENT_TIMEOUT_S));
}

static const struct conf_grace *
grace_find(const struct conf_grace *gr, size_t n, const char *stage)
{
	size_t	 i;

	for (i = 0; i < n; i++)
		if (strcmp(gr[i].gr_stage, stage) == 0)
			return (&gr[i]);
	return (NULL);
}

int64_t
conf_grace_s(const struct conf *cf, const struct conf_project *cp,
    const char *stage)
{
	const struct conf_grace	*gr = NULL;

	if (cp != NULL) {
		gr = grace_find(cp->cp_grace, cp->cp_ngrace, stage);
		/* A project's own general value is nearer than a global one. */
		if (gr == NULL && cp->cp_options[OPT_RECONCILE_GRACE_S].ov_set)
			return (conf_int(cf, cp, OPT_RECONCILE_GRACE_S));
	}
	if (gr == NULL)
		gr = grace_find(cf->cf_grace, cf->cf_ngrace, stage);
	if (gr != NULL)
		return (gr->gr_seconds);
	return (conf_int(cf, cp, OPT_RECONCILE_GRACE_S));
}

int
conf_ci_of_forge(const struct conf_project *cp)
{
	return (cp->cp_ci == CONF_CI_FORGE || (cp->cp_ci == CONF_CI_UNSET &&
	    cp->cp_forge == CONF_FORGE_GITEA));
}

const char *
conf_status_name(const struct conf_project *cp, enum conf_status s)
{
	if (cp != NULL && cp->cp_status[s] != NULL)
		return (cp->cp_status[s]);
	return (status_names[s]);
}

static int
switched_on(const struct conf *cf, const struct conf_project *cp,
    enum option on, enum option repos)
{
	const struct strlist	*l = conf_list(cf, NULL, repos);

	return (conf_bool(cf, NULL, on) &&
	    (l->sl_n == 0 || strlist_has(l, cp->cp_name)));
}

int
conf_transition_lease_on(const struct conf *cf, const struct conf_project *cp)
{
	return (switched_on(cf, cp, OPT_TRANSITION_LEASE_ENABLED,
	    OPT_TRANSITION_LEASE_REPOS));
}

int
conf_merge_gate_on(const struct conf *cf, const struct conf_project *cp)
{
	return (switched_on(cf, cp, OPT_MERGE_GATE_ENABLED,
	    OPT_MERGE_GATE_REPOS));
}

const char *
conf_role_name(enum conf_role role)
{
	return (role_names[role]);
}

enum conf_role
conf_role_lookup(const char *name)
{
	size_t	 i;

	for (i = 0; i < CONF_ROLE_MAX; i++)
		if (strcmp(role_names[i], name) == 0)
			return ((enum conf_role)i);
	return (CONF_ROLE_MAX);
}

const char *
conf_cmd_name(enum conf_cmd cmd)
{
	return (cmd_names[cmd]);
}

const char *
conf_net_name(enum conf_net net)
{
	return (net_names[net]);
}

const char *
conf_sandbox_name(enum conf_sandbox sb)
{
	return (sandbox_names[sb]);
}

const char *
conf_result_name(enum conf_result res)
{
	return (result_names[res]);
}

const char *
conf_notify_name(enum conf_notify_kind kind)
{
	static const char *const names[] = {
		[CONF_NOTIFY_TELEGRAM] = "telegram",
		[CONF_NOTIFY_WEBHOOK] = "webhook",
		[CONF_NOTIFY_EXEC] = "exec",
	};

	return (names[kind]);
}

const char *
conf_merge_name(enum conf_merge m)
{
	return (merge_names[m]);
}

static void
agent_free(struct conf_agent *ca)
{
	size_t	 i;

	strlist_free(&ca->ca_command);
	for (i = 0; i < ca->ca_nenv; i++) {
		free(ca->ca_env[i].ce_name);
		free(ca->ca_env[i].ce_value);
	}
	free(ca->ca_env);
	strlist_free(&ca->ca_hosts);
	free(ca->ca_prompt);
	strlist_free(&ca->ca_transient);
	strlist_free(&ca->ca_bind);
}

static void
grace_free(struct conf_grace *gr, size_t n)
{
	size_t	 i;

	for (i = 0; i < n; i++)
		free(gr[i].gr_stage);
	free(gr);
}

static void
project_free_texts(struct conf_project *cp)
{
	free(cp->cp_name);
	free(cp->cp_prefix);
	free(cp->cp_forge_from);
	free(cp->cp_forge_url);
	free(cp->cp_forge_repo);
	free(cp->cp_forge_read);
	free(cp->cp_forge_write);
	free(cp->cp_tracker_url);
	free(cp->cp_tracker_workspace);
	free(cp->cp_tracker_project);
	free(cp->cp_tracker_token);
	free(cp->cp_target);
	free(cp->cp_records_branch);
}

static void
project_free(struct conf_project *cp)
{
	size_t	 i;

	project_free_texts(cp);
	for (i = 0; i < CONF_CMD_MAX; i++)
		strlist_free(&cp->cp_cmd[i].cc_argv);
	strlist_free(&cp->cp_known_infra);
	strlist_free(&cp->cp_architect_writes);
	for (i = 0; i < cp->cp_ngates; i++) {
		free(cp->cp_gates[i].cg_name);
		free(cp->cp_gates[i].cg_stage);
		strlist_free(&cp->cp_gates[i].cg_cmd.cc_argv);
	}
	free(cp->cp_gates);
	strlist_free(&cp->cp_intake_authors);
	strlist_free(&cp->cp_intake_labels);
	for (i = 0; i < CONF_STATUS_MAX; i++)
		free(cp->cp_status[i]);
	grace_free(cp->cp_grace, cp->cp_ngrace);
	for (i = 0; i < cp->cp_nagents; i++)
		agent_free(&cp->cp_agents[i]);
	free(cp->cp_agents);
	for (i = 0; i < OPT_MAX; i++)
		option_clear(&cp->cp_options[i]);
}

static void
notify_free(struct conf_notify *cn)
{
	free(cn->cn_name);
	free(cn->cn_to);
	free(cn->cn_file);
	strlist_free(&cn->cn_argv);
}

void
conf_free(struct conf *cf)
{
	size_t	 i;

	if (cf == NULL)
		return;
	free(cf->cf_path);
	free(cf->cf_state);
	free(cf->cf_runtime);
	for (i = 0; i < cf->cf_nlisten; i++) {
		free(cf->cf_listen[i].li_addr);
		free(cf->cf_listen[i].li_cert);
		free(cf->cf_listen[i].li_key);
	}
	for (i = 0; i < cf->cf_nnotify; i++)
		notify_free(&cf->cf_notify[i]);
	free(cf->cf_notify);
	free(cf->cf_listen);
	for (i = 0; i < CONF_SOURCE_MAX; i++)
		strlist_free(&cf->cf_secret[i]);
	free(cf->cf_admin_token);
	free(cf->cf_read_token);
	for (i = 0; i < cf->cf_nglobal_agents; i++)
		agent_free(&cf->cf_global_agents[i]);
	free(cf->cf_global_agents);
	for (i = 0; i < cf->cf_nprojects; i++)
		project_free(&cf->cf_projects[i]);
	free(cf->cf_projects);
	free(cf->cf_agents);
	grace_free(cf->cf_grace, cf->cf_ngrace);
	for (i = 0; i < OPT_MAX; i++)
		option_clear(&cf->cf_options[i]);
	strlist_free(&cf->cf_files);
	free(cf);
}
