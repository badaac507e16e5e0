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

#ifndef ORCHD_CONF_PARSE_H
#define ORCHD_CONF_PARSE_H

#include "conf.h"
#include "conf_lex.h"

/* Private to the reader of configurations: parse.y and conf_*.c. */

/* Settings of an agent block: the bits of ca_given. */
#define GIVEN_COMMAND	0x001
#define GIVEN_TIMEOUT	0x002
#define GIVEN_ENV	0x004
#define GIVEN_NETWORK	0x008
#define GIVEN_SANDBOX	0x010
#define GIVEN_PROMPT	0x020
#define GIVEN_RESULT	0x040
#define GIVEN_TRANSIENT	0x080
#define GIVEN_MEMORY	0x100
#define GIVEN_PROCESSES	0x200
#define GIVEN_BIND	0x400

/* A fault or a warning, kept until all are printed in order of place. */
struct fault {
	const char	*fa_file;	/* NULL: the environment */
	unsigned int	 fa_line;
	size_t		 fa_order;	/* of being found, within a line */
	char		*fa_text;
};

/* The state of one reading, from the first token to the last check. */
struct parser {
	struct conf		*ps_cf;
	struct lexer		*ps_lx;
	int			 ps_flags;	/* CONF_ENVIRON, ... */
	struct conf_project	*ps_project;	/* being read, or NULL */
	struct conf_agent	*ps_agent;	/* being read, or NULL */
	struct conf_env		*ps_env;	/* last one of ps_agent */
	struct fault		*ps_faults;
	size_t			 ps_nfaults;	/* warnings included */
	size_t			 ps_nerrors;	/* without warnings */
	int			 ps_syntax;	/* a syntax error was seen */
	int			 ps_recover;	/* skip blocks until line end */
	char			 ps_prev[80];	/* token before the last */
	char			 ps_last[80];
	struct strlist		 ps_seen;	/* "scope:setting" made */
};

/* conf_parse.c */

/*
 * Note a fault at a place, NULL for the environment; the reading goes on and
 * fails at its end.  The text, cut at 2047 bytes, follows the project and the
 * agent that are being read.
 */
void	 conf_fault(struct parser *, const struct conf_loc *, const char *, ...)
	    __attribute__((format(printf, 3, 4)));

/* The same for a warning, which fails nothing; not kept with CONF_QUIET. */
void	 conf_warning(struct parser *, const struct conf_loc *, const char *,
	    ...) __attribute__((format(printf, 3, 4)));

/* parse.y */

/*
 * Run the grammar over what the lexer has.  Faults are in the parser; ps_syntax
 * is set when one of them is of the syntax.
 */
void	 conf_grammar(struct parser *);

/*
 * conf_build.c: what the grammar does, one function for a kind of statement.
 * The location is the statement's.  Texts and the contents of lists that are
 * passed in become the callee's, except for names of settings (const char *).
 * A fault is noted, never returned.  A path that is not absolute counts from
 * the folder of the file it stands in; so does a program with a slash in its
 * name, of an agent, a hook or a notify line.
 */

/*
 * Set a text.  With the setting's name a second one in the same block is a
 * fault and the first stays; with NULL the last one counts.
 */
void	 build_text(struct parser *, const struct conf_loc *, const char *,
	    char **, char *);

/* The same for a path, which is made absolute; an empty one is a fault. */
void	 build_path(struct parser *, const struct conf_loc *, const char *,
	    char **, char *);

/*
 * Add a listener on an address (IPv4, or IPv6 with or without brackets, no
 * name) and a port from 1 to 65535.
 */
void	 build_listen(struct parser *, const struct conf_loc *,
	    enum conf_listen_role, char *, char *);

/* Give the last listener the paths of its certificate and its key. */
void	 build_tls(struct parser *, const struct conf_loc *, char *, char *);

/*
 * Add somebody to be told: name, kind, chat id or URL, path of the token or
 * secret, command.  What the kind has not is NULL.  A name may stand once.
 */
void	 build_notify(struct parser *, const struct conf_loc *, char *,
	    enum conf_notify_kind, char *, char *, struct strlist *);

/*
 * Set where the project's development gate gets its result.  NULL after `ci
 * forge'; any other word has to be "none".
 */
void	 build_ci(struct parser *, const struct conf_loc *, enum conf_ci,
	    char *);

/* Add the path of a webhook secret; a source has at most two. */
void	 build_secret(struct parser *, const struct conf_loc *,
	    enum conf_source, char *);

/*
 * Set an option from its texts, in the project being read, else globally.
 * Faults: a global option in a project, a second time, a wrong value.
 */
void	 build_option(struct parser *, const struct conf_loc *, enum option,
	    struct strlist *);

/*
 * Add a line of reconcile_grace, stage and seconds (0 to 604800), to the
 * project being read, else globally.  A stage may stand once.
 */
void	 build_grace(struct parser *, const struct conf_loc *, char *, char *);

/* Have the lexer read another file next. */
void	 build_include(struct parser *, const struct conf_loc *, char *);

/*
 * Begin an agent block with the name of its role, in the project being read,
 * else globally; it becomes ps_agent.  An unknown role, or one that has a
 * block there, is a fault, and the block is read all the same.
 */
void	 build_agent(struct parser *, const struct conf_loc *, char *);

/* End the agent block: ps_agent is NULL again. */
void	 build_agent_end(struct parser *);

/* Set a list of ps_agent: GIVEN_COMMAND, GIVEN_BIND or GIVEN_TRANSIENT. */
void	 build_agent_list(struct parser *, const struct conf_loc *,
	    unsigned int, struct strlist *);

/*
 * Set a number of ps_agent: GIVEN_TIMEOUT (0 to 604800 s), GIVEN_MEMORY (0 to
 * 16777216 MiB) or GIVEN_PROCESSES (0 to 1000000).
 */
void	 build_agent_number(struct parser *, const struct conf_loc *,
	    unsigned int, char *);

/* Set GIVEN_SANDBOX or GIVEN_RESULT of ps_agent from the name of its value. */
void	 build_agent_word(struct parser *, const struct conf_loc *,
	    unsigned int, char *);

/*
 * Set the network of ps_agent: none, open, or allow with hosts.  The list is
 * NULL when none is written.
 */
void	 build_agent_network(struct parser *, const struct conf_loc *, char *,
	    struct strlist *);

/* Set the path of the prompt of ps_agent. */
void	 build_agent_prompt(struct parser *, const struct conf_loc *, char *);

/* Begin the env block of ps_agent; a second one is a fault. */
void	 build_env_begin(struct parser *, const struct conf_loc *);

/*
 * Add a variable to ps_agent: its name, and its value, its path, or NULL for
 * CONF_ENV_PASS.  Faults: no name of a variable, ORCH_..., listed twice.
 */
void	 build_env(struct parser *, const struct conf_loc *, char *,
	    enum conf_env_kind, char *);

/* Begin a project, which becomes ps_project; a name may stand once. */
void	 build_project(struct parser *, const struct conf_loc *, char *);

/* Set the kind of the project's forge; it may be set once. */
void	 build_forge(struct parser *, const struct conf_loc *, enum conf_forge);

/* Set the kind of the project's tracker; it may be set once. */
void	 build_tracker(struct parser *, const struct conf_loc *,
	    enum conf_tracker);

/*
 * Set a command of the project.  Only test and staging check may write a
 * report.  The program of a hook is made absolute; the others run in a clone
 * and stay as they are written.
 */
void	 build_command(struct parser *, const struct conf_loc *, enum conf_cmd,
	    int, struct strlist *);

/*
 * Add a gate of the project's own: name, stage, whether it writes a report,
 * command.  A name may stand once; conf_check() looks at the stage.
 */
void	 build_gate(struct parser *, const struct conf_loc *, char *, char *,
	    int, struct strlist *);

/* Set a network of the project, by the setting's name: none or open. */
void	 build_net(struct parser *, const struct conf_loc *, const char *,
	    enum conf_net *, char *);

/* Set an empty list, by the setting's name; a second time is a fault. */
void	 build_list(struct parser *, const struct conf_loc *, const char *,
	    struct strlist *, struct strlist *);

/* Set the project's merge method from its name. */
void	 build_merge(struct parser *, const struct conf_loc *, char *);

/*
 * Rename statuses of the project: pairs of orchd's name and the tracker's.  A
 * status may be renamed once.
 */
void	 build_status(struct parser *, const struct conf_loc *,
	    struct strlist *);

/* Set a flag to 1, by the setting's name; a second time is a fault. */
void	 build_flag(struct parser *, const struct conf_loc *, const char *,
	    int *);

/* Does this name a stage?  1 or 0; created, done and cancelled count too. */
int		 conf_is_stage(const char *);

/*
 * The names of the stages from analysis to deploy, separated by commas: for
 * the text of a fault.  Static.
 */
const char	*conf_stage_names(void);

/*
 * conf_check.c: note the faults that the grammar cannot see, in a completed
 * configuration; with CONF_FILES also those of the files it names.
 */
void	 conf_check(struct parser *);

/*
 * conf_limits.c: note where a limit of the project is not above what it has
 * to cover.
 */
void	 conf_check_limits(struct parser *, const struct conf_project *);

/*
 * conf_remote.c: warn of webhooks that nobody hears, or that others can read
 * or sign: no listener, no TLS on an address that is not loopback, and, with
 * CONF_FILES, a secret of less than 16 bytes.
 */
void	 conf_check_hooks(struct parser *);

/*
 * Refuse an address of a forge that ends in the project's repository or in
 * /api/v1, at which nothing is ever found; warn of one below two folders.
 */
void	 conf_check_base(struct parser *, const struct conf_project *);

/*
 * Refuse two statuses of a project under one name of its tracker, where one of
 * them is a person's word and the other another one.
 */
void	 conf_check_statuses(struct parser *, const struct conf_project *);

#endif
