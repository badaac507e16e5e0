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

/* Settings of an agent block, for ca_given. */
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

struct fault {
	const char	*fa_file;	/* NULL: the environment */
	unsigned int	 fa_line;
	size_t		 fa_order;
	char		*fa_text;
};

struct parser {
	struct conf		*ps_cf;
	struct lexer		*ps_lx;
	int			 ps_flags;
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

/* Note a fault, or a warning, at a place; NULL is the environment. */
void	 conf_fault(struct parser *, const struct conf_loc *, const char *, ...)
	    __attribute__((format(printf, 3, 4)));
void	 conf_warning(struct parser *, const struct conf_loc *, const char *,
	    ...) __attribute__((format(printf, 3, 4)));

/* parse.y */

/* Run the grammar over what the lexer has; faults are in the parser. */
void	 conf_grammar(struct parser *);

/*
 * conf_build.c: what the grammar does.  Texts and lists that are passed in
 * become the callee's; a fault is noted, never returned.
 */
void	 build_text(struct parser *, const struct conf_loc *, const char *,
	    char **, char *);
void	 build_path(struct parser *, const struct conf_loc *, const char *,
	    char **, char *);
void	 build_listen(struct parser *, const struct conf_loc *,
	    enum conf_listen_role, char *, char *);
void	 build_tls(struct parser *, const struct conf_loc *, char *, char *);
void	 build_notify(struct parser *, const struct conf_loc *, char *,
	    enum conf_notify_kind, char *, char *, struct strlist *);
void	 build_ci(struct parser *, const struct conf_loc *, enum conf_ci,
	    char *);
void	 build_secret(struct parser *, const struct conf_loc *,
	    enum conf_source, char *);
void	 build_option(struct parser *, const struct conf_loc *, enum option,
	    struct strlist *);
void	 build_grace(struct parser *, const struct conf_loc *, char *, char *);
void	 build_include(struct parser *, const struct conf_loc *, char *);
void	 build_agent(struct parser *, const struct conf_loc *, char *);
void	 build_agent_end(struct parser *);
void	 build_agent_list(struct parser *, const struct conf_loc *,
	    unsigned int, struct strlist *);
void	 build_agent_number(struct parser *, const struct conf_loc *,
	    unsigned int, char *);
void	 build_agent_word(struct parser *, const struct conf_loc *,
	    unsigned int, char *);
void	 build_agent_network(struct parser *, const struct conf_loc *, char *,
	    struct strlist *);
void	 build_agent_prompt(struct parser *, const struct conf_loc *, char *);
void	 build_env_begin(struct parser *, const struct conf_loc *);
void	 build_env(struct parser *, const struct conf_loc *, char *,
	    enum conf_env_kind, char *);
void	 build_project(struct parser *, const struct conf_loc *, char *);
void	 build_forge(struct parser *, const struct conf_loc *, enum conf_forge);
void	 build_tracker(struct parser *, const struct conf_loc *,
	    enum conf_tracker);
void	 build_command(struct parser *, const struct conf_loc *, enum conf_cmd,
	    int, struct strlist *);
void	 build_gate(struct parser *, const struct conf_loc *, char *, char *,
	    int, struct strlist *);
void	 build_net(struct parser *, const struct conf_loc *, const char *,
	    enum conf_net *, char *);
void	 build_list(struct parser *, const struct conf_loc *, const char *,
	    struct strlist *, struct strlist *);
void	 build_merge(struct parser *, const struct conf_loc *, char *);
void	 build_status(struct parser *, const struct conf_loc *,
	    struct strlist *);
void	 build_flag(struct parser *, const struct conf_loc *, const char *,
	    int *);

/* Whether this names a stage; all names, separated by commas, for faults. */
int		 conf_is_stage(const char *);
const char	*conf_stage_names(void);

/* conf_check.c: all that the grammar cannot see. */
void	 conf_check(struct parser *);

/* conf_limits.c: limits that have to be above others. */
void	 conf_check_limits(struct parser *, const struct conf_project *);

#endif
