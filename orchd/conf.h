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

#ifndef ORCHD_CONF_H
#define ORCHD_CONF_H

#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>

#include "options.h"

/*
 * What orchd.conf(5) says, in memory.  A configuration is read by the parent,
 * checked, printed in its canonical form into a memfd and read again by the
 * engine; the order of projects and agents is the same in both, so an index
 * names a command between the two.
 */

/* Where something stands; cl_file belongs to the configuration. */
struct conf_loc {
	const char	*cl_file;
	unsigned int	 cl_line;
};

/* The roles that an agent can have, in the order of the pipeline. */
enum conf_role {
	CONF_ROLE_ANALYST,
	CONF_ROLE_ARCHITECT,
	CONF_ROLE_DEVELOPER,
	CONF_ROLE_REVIEWER,
	CONF_ROLE_TESTER,
	CONF_ROLE_DEPLOYER,
	CONF_ROLE_MAX
};

/* What an import may take, in seconds; no option changes it. */
#define CONF_IMPORT_LIMIT_S	600
/* What the command of a notify line may take. */
#define CONF_EXEC_LIMIT_S	60

/* What a command reaches of the network. */
enum conf_net {
	CONF_NET_NONE,
	CONF_NET_OPEN,
	CONF_NET_ALLOW		/* agents only: hosts by name */
};

/* What an agent is shut in. */
enum conf_sandbox {
	CONF_SANDBOX_BWRAP,
	CONF_SANDBOX_LANDLOCK,
	CONF_SANDBOX_NONE
};

/* Whose result format an agent prints (usage, cost, session). */
enum conf_result {
	CONF_RESULT_NONE,
	CONF_RESULT_CLAUDE,
	CONF_RESULT_CODEX,
	CONF_RESULT_GEMINI,
	CONF_RESULT_OPENCODE
};

/* Where the value of a variable comes from. */
enum conf_env_kind {
	CONF_ENV_FILE,		/* ce_value is an absolute path */
	CONF_ENV_LITERAL,	/* ce_value is the value */
	CONF_ENV_PASS		/* from the starting shell; no value */
};

/* A variable of an agent's environment. */
struct conf_env {
	char			*ce_name;
	enum conf_env_kind	 ce_kind;
	char			*ce_value;
};

/*
 * One agent definition.  A project's block inherits every setting that it does
 * not make from the global block of the same role; what stands here is the
 * result.
 */
struct conf_agent {
	unsigned int		 ca_index;	/* in cf_agents */
	int			 ca_project;	/* -1: global */
	enum conf_role		 ca_role;
	struct strlist		 ca_command;	/* argv, at least one */
	int64_t			 ca_timeout_s;	/* 0: agent_timeout_s */
	struct conf_env		*ca_env;
	size_t			 ca_nenv;
	enum conf_net		 ca_net;
	struct strlist		 ca_hosts;	/* CONF_NET_ALLOW */
	enum conf_sandbox	 ca_sandbox;
	char			*ca_prompt;	/* absolute path or NULL */
	enum conf_result	 ca_result;
	struct strlist		 ca_transient;	/* patterns, extended regex */
	int64_t			 ca_memory_mb;	/* 0: no limit */
	int64_t			 ca_processes;	/* 0: no limit */
	struct strlist		 ca_bind;	/* read-only, absolute */
	unsigned int		 ca_given;	/* set in this block */
	struct conf_loc		 ca_loc;
};

/* What is served on a listener. */
enum conf_listen_role {
	CONF_LISTEN_WEBHOOK,
	CONF_LISTEN_PAGE,
	CONF_LISTEN_MAX
};

/* A TCP listener. */
struct conf_listen {
	enum conf_listen_role	 li_role;
	struct sockaddr_storage	 li_sa;
	socklen_t		 li_salen;
	char			*li_addr;	/* as written, no brackets */
	uint16_t		 li_port;
	int			 li_loopback;
	char			*li_cert;	/* file, or NULL: plain */
	char			*li_key;
	struct conf_loc		 li_loc;
};

/* Whose webhooks are taken. */
enum conf_source {
	CONF_SOURCE_GITEA,
	CONF_SOURCE_PLANE,
	CONF_SOURCE_MAX
};

/* What holds the project's repository and pull requests. */
enum conf_forge {
	CONF_FORGE_UNSET,
	CONF_FORGE_LOCAL,
	CONF_FORGE_GITEA
};

/* What holds the project's work items. */
enum conf_tracker {
	CONF_TRACKER_UNSET,
	CONF_TRACKER_LOCAL,
	CONF_TRACKER_PLANE
};

/* Where the result of the gate of development comes from. */
enum conf_ci {
	CONF_CI_UNSET,		/* forge gitea: forge; local: none */
	CONF_CI_FORGE,		/* check_ci_green */
	CONF_CI_NONE		/* check_tests_local */
};

/* By what way people are told of alerts and questions. */
enum conf_notify_kind {
	CONF_NOTIFY_TELEGRAM,
	CONF_NOTIFY_WEBHOOK,
	CONF_NOTIFY_EXEC
};

/* One who is told. */
struct conf_notify {
	char			*cn_name;
	enum conf_notify_kind	 cn_kind;
	char			*cn_to;		/* chat id, URL */
	char			*cn_file;	/* of its token or secret */
	struct strlist		 cn_argv;	/* exec */
	struct conf_loc		 cn_loc;
};

/* Commands of a project; the name table is conf_cmd_name(). */
enum conf_cmd {
	CONF_CMD_TEST,
	CONF_CMD_COVERAGE,
	CONF_CMD_SECURITY,
	CONF_CMD_IMAGE_BUILD,
	CONF_CMD_STAGING_DEPLOY,
	CONF_CMD_STAGING_CHECK,
	CONF_CMD_DEPLOY_HOOK,
	CONF_CMD_ROLLBACK_HOOK,
	CONF_CMD_MAX
};

/* A command of a project, run without a shell. */
struct conf_command {
	struct strlist	 cc_argv;	/* empty: not configured */
	int		 cc_report;	/* R-5's rules on reports apply */
	struct conf_loc	 cc_loc;
};

/* A gate command of the project's own, run after the built-in gates. */
struct conf_gate {
	char			*cg_name;
	char			*cg_stage;	/* a stage's name */
	struct conf_command	 cg_cmd;
};

/* How a task's branch comes onto the target. */
enum conf_merge {
	CONF_MERGE_FF_ONLY,
	CONF_MERGE_MERGE,
	CONF_MERGE_SQUASH,
	CONF_MERGE_REBASE
};

/* Statuses that orchd sets, then those that people set. */
enum conf_status {
	CONF_STATUS_IN_PROGRESS,
	CONF_STATUS_IN_REVIEW,
	CONF_STATUS_NEEDS_INPUT,
	CONF_STATUS_BLOCKED,
	CONF_STATUS_DONE,
	CONF_STATUS_CANCELLED,
	CONF_STATUS_TO_ANALYSE,
	CONF_STATUS_APPROVED,
	CONF_STATUS_REJECTED,
	CONF_STATUS_CONFIRM_DEPLOY,
	CONF_STATUS_STOP,
	CONF_STATUS_MAX
};

/* A line of reconcile_grace: the grace of one stage, 0 to 604800 s. */
struct conf_grace {
	char	*gr_stage;
	int64_t	 gr_seconds;
};

/* A project; what it does not set is empty, or has the default named here. */
struct conf_project {
	unsigned int		 cp_index;	/* in cf_projects */
	char			*cp_name;
	char			*cp_prefix;
	enum conf_forge		 cp_forge;
	char			*cp_forge_from;	/* local: absolute path */
	char			*cp_forge_url;	/* gitea */
	char			*cp_forge_repo;
	char			*cp_forge_read;	/* token files */
	char			*cp_forge_write;
	enum conf_tracker	 cp_tracker;
	char			*cp_tracker_url;	/* plane */
	char			*cp_tracker_workspace;
	char			*cp_tracker_project;
	char			*cp_tracker_token;
	enum conf_ci		 cp_ci;
	struct strlist		 cp_intake_authors;	/* empty: anybody */
	struct strlist		 cp_intake_labels;	/* empty: any */
	char			*cp_target;	/* "main" */
	int			 cp_self_hosting;
	struct conf_command	 cp_cmd[CONF_CMD_MAX];
	enum conf_net		 cp_staging_net;
	enum conf_net		 cp_gates_net;
	struct strlist		 cp_known_infra;
	enum conf_merge		 cp_merge;
	struct strlist		 cp_architect_writes;
	char			*cp_records_branch;	/* "orchd/records" */
	int			 cp_review_approval;	/* required */
	struct conf_gate	*cp_gates;
	size_t			 cp_ngates;
	char			*cp_status[CONF_STATUS_MAX];	/* or NULL */
	struct conf_grace	*cp_grace;
	size_t			 cp_ngrace;
	struct conf_agent	*cp_agents;	/* own blocks only */
	size_t			 cp_nagents;
	struct option_value	 cp_options[OPT_MAX];
	struct conf_loc		 cp_loc;
};

/* The whole configuration, which owns all that it points to. */
struct conf {
	char			*cf_path;	/* the file, as named */
	char			*cf_state;	/* absolute */
	struct conf_loc		 cf_state_loc;
	char			*cf_runtime;	/* absolute */
	struct conf_loc		 cf_runtime_loc;
	struct conf_listen	*cf_listen;
	size_t			 cf_nlisten;
	struct strlist		 cf_secret[CONF_SOURCE_MAX];	/* files */
	struct conf_loc		 cf_secret_loc[CONF_SOURCE_MAX];
	char			*cf_admin_token;	/* file or NULL */
	struct conf_loc		 cf_admin_loc;
	char			*cf_read_token;		/* file or NULL */
	struct conf_loc		 cf_read_loc;
	struct conf_notify	*cf_notify;
	size_t			 cf_nnotify;
	struct conf_agent	*cf_global_agents;
	size_t			 cf_nglobal_agents;
	struct conf_project	*cf_projects;
	size_t			 cf_nprojects;
	struct conf_agent	**cf_agents;	/* all, global ones first */
	size_t			 cf_nagents;
	struct conf_grace	*cf_grace;
	size_t			 cf_ngrace;
	struct option_value	 cf_options[OPT_MAX];
	struct strlist		 cf_files;	/* names that locations use */
};

/* What a reader of configurations is to do. */
#define CONF_ENVIRON	0x1	/* ORCH_... of the environment counts */
#define CONF_FILES	0x2	/* look at the files that are named */
#define CONF_QUIET	0x4	/* no warnings, faults only */

/*
 * Read, complete and check the configuration in the file of this name, with
 * CONF_ flags.  All faults of one run go to the stream, one a line, `file:line:
 * reason`, and so do warnings.  0 and *out (conf_free it), or -1 and NULL.  The
 * file must be a regular one, of at most 1 MiB, without NUL bytes; with
 * CONF_FILES its owner and its mode are looked at, too.  Relative paths in it
 * count from its folder.  Without memory the process ends.
 */
int	 conf_parse_file(const char *, int, struct conf **, FILE *);

/*
 * The same from an open descriptor, read from its start; it stays open.  The
 * name is for messages and for relative paths.  Its owner and its mode are not
 * looked at.
 */
int	 conf_parse_fd(int, const char *, int, struct conf **, FILE *);

/*
 * Write the canonical form: every setting, no macro, no include, absolute
 * paths.  It parses again to the same.  -1 with errno when a write failed.
 */
int	 conf_print(const struct conf *, FILE *);

/* Free a configuration; NULL is allowed. */
void	 conf_free(struct conf *);

/*
 * The value of a number, or of a switch as 0 or 1, for a project, or with NULL
 * the global one: project over environment over file over default.  Here and
 * in the four below, asking with the wrong type is a programming error and
 * ends the process.
 */
int64_t	 conf_int(const struct conf *, const struct conf_project *,
	    enum option);

/* The same for a switch: 0 or 1. */
int	 conf_bool(const struct conf *, const struct conf_project *,
	    enum option);

/* The same for a ratio. */
double	 conf_ratio(const struct conf *, const struct conf_project *,
	    enum option);

/* The same for a text; it belongs to the configuration. */
const char *conf_str(const struct conf *, const struct conf_project *,
	    enum option);

/* The same for a list, which may be empty; it belongs to the configuration. */
const struct strlist *conf_list(const struct conf *,
	    const struct conf_project *, enum option);

/* The project with this name; NULL when there is none. */
const struct conf_project *conf_project_by_name(const struct conf *,
	    const char *);

/* The project whose tasks have this prefix; NULL when there is none. */
const struct conf_project *conf_project_by_prefix(const struct conf *,
	    const char *);

/*
 * The agent of a role for a project: its own block, else the global one; NULL
 * when there is neither (only for the optional deployer in a checked file).
 * The project NULL: the global one alone.
 */
const struct conf_agent *conf_agent_for(const struct conf *,
	    const struct conf_project *, enum conf_role);

/*
 * The time limit in seconds of an agent's run for a project: the agent's own,
 * else agent_timeout_s.
 */
int64_t	 conf_agent_timeout(const struct conf *, const struct conf_project *,
	    const struct conf_agent *);

/*
 * The reconciler's grace in seconds for a stage: the project's for this stage,
 * the project's for all, the global one for this stage, the global one for
 * all.  The project may be NULL.
 */
int64_t	 conf_grace_s(const struct conf *, const struct conf_project *,
	    const char *);

/*
 * The tracker's name of a status, orchd's own where the project does not rename
 * it.  The project may be NULL.  It belongs to the configuration, or is static.
 */
const char *conf_status_name(const struct conf_project *, enum conf_status);

/* Does CI of the forge judge development (else the project's test)? */
int	 conf_ci_of_forge(const struct conf_project *);

/*
 * Are transition leases on for a project: the global switch, and its list of
 * projects names this one or is empty?
 */
int	 conf_transition_lease_on(const struct conf *,
	    const struct conf_project *);

/* The same for the merge gate. */
int	 conf_merge_gate_on(const struct conf *, const struct conf_project *);

/*
 * The name of a role as it is written.  This and the names below are static;
 * the value has to be one of the enum, not its MAX.
 */
const char	*conf_role_name(enum conf_role);

/* The role of this name, CONF_ROLE_MAX when there is none. */
enum conf_role	 conf_role_lookup(const char *);

/* The words of a command, such as "staging check". */
const char	*conf_cmd_name(enum conf_cmd);

/* none, open or allow. */
const char	*conf_net_name(enum conf_net);

/* bwrap, landlock or none. */
const char	*conf_sandbox_name(enum conf_sandbox);

/* none, claude, codex or gemini. */
const char	*conf_result_name(enum conf_result);

/* fast-forward-only, merge, squash or rebase. */
const char	*conf_merge_name(enum conf_merge);

/* telegram, webhook or exec. */
const char	*conf_notify_name(enum conf_notify_kind);

#endif
