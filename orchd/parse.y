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

%define api.prefix {conf_yy}
%define api.pure full
%define api.location.type {struct conf_loc}
%define parse.error custom
%define parse.lac full
%locations
%expect 0
%param { struct parser *ps }

%code top {
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf_parse.h"

#define YYLLOC_DEFAULT(Cur, Rhs, N) do {				\
	(Cur) = (N) > 0 ? YYRHSLOC(Rhs, 1) : YYRHSLOC(Rhs, 0);		\
} while (0)
}

%union {
	char		*text;
	struct strlist	 list;
	enum option	 option;
	int		 number;
}

%code {
static int	 conf_yylex(CONF_YYSTYPE *, struct conf_loc *, struct parser *);
static void	 conf_yyerror(const struct conf_loc *, struct parser *,
		    const char *);
static void	 list_start(struct strlist *);
static void	 list_append(struct strlist *, char *);
}

%token END 0		"end of file"
%token NL		"end of line"
%token OPEN		"{"
%token CLOSE		"}"
%token EQUALS		"="
%token <text> WORD	"a word"
%token <text> QSTRING	"a text in quotes"
%token <text> MACRO	"a macro"
%token <option> OPTION	"an option"

%token ADMIN "admin" AGENT "agent" APPROVAL "approval" ARCHITECT "architect"
%token AUTHORS "authors" BIND "bind" BUILD "build" CERTIFICATE "certificate"
%token CHAT "chat" CHECK "check" CI "ci" COMMAND "command"
%token COVERAGE "coverage" DEPLOY "deploy" ENV "env" EXEC "exec"
%token FILE_ "file"
%token FORGE "forge" FROM "from" GATE "gate" GATES "gates" GITEA "gitea"
%token GRACE "reconcile_grace" HOOK "hook" IMAGE "image" IN_ "in"
%token INCLUDE "include" INTAKE "intake" KEY "key" KNOWN_INFRA "known-infra"
%token LABELS "labels" LISTEN "listen"
%token LOCAL "local" MEMORY "memory" MERGE_METHOD "merge-method"
%token NETWORK "network" NOTIFY "notify" ON_ "on" PAGE "page"
%token PLANE "plane" PORT "port"
%token PREFIX "prefix" PROCESSES "processes" PROJECT "project"
%token PROMPT "prompt" READ_ "read" RECORDS "records-branch" REPO "repo"
%token REPORT "report" REQUIRED "required" RESULT "result" REVIEW "review"
%token ROLLBACK "rollback" RUNTIME "runtime" SANDBOX "sandbox"
%token SECRET "secret" SECURITY "security" SELF "self-hosting"
%token STAGING "staging" STATE "state" STATUS "status" TARGET "target"
%token TELEGRAM "telegram" TEST "test" TIMEOUT "timeout" TLS "tls"
%token TOKEN "token" TRACKER "tracker"
%token TRANSIENT "transient" WEBHOOK "webhook" WORKSPACE "workspace"
%token WRITE_ "write" WRITES "writes"

%type <text>	text stage role
%type <list>	texts block values
%type <number>	listen_role report source command

%destructor { free($$); } <text>
%destructor { strlist_free(&$$); } <list>

%%

config	: %empty
	| config NL
	| config global
	| config error NL		{ yyerrok; }
	| config CLOSE {
		conf_fault(ps, &@2, "\"}\" without a \"{\" before it");
	}
	;

/* What a mid-rule action has consumed is set to NULL: recovery frees it. */
global	: MACRO EQUALS text {
		lex_macro_set(ps->ps_lx, $1, $3);
		free($1);
		free($3);
	}
	| INCLUDE text		{ build_include(ps, &@1, $2); }
	| STATE text {
		ps->ps_cf->cf_state_loc = @1;
		build_path(ps, &@1, "state", &ps->ps_cf->cf_state, $2);
	}
	| RUNTIME text {
		ps->ps_cf->cf_runtime_loc = @1;
		build_path(ps, &@1, "runtime", &ps->ps_cf->cf_runtime, $2);
	}
	| LISTEN listen_role ON_ text PORT text {
		build_listen(ps, &@1, (enum conf_listen_role)$2, $4, $6);
	}
	| LISTEN listen_role ON_ text PORT text TLS CERTIFICATE FILE_ text
	    KEY FILE_ text {
		build_listen(ps, &@1, (enum conf_listen_role)$2, $4, $6);
		build_tls(ps, &@1, $10, $13);
	}
	| NOTIFY text TELEGRAM CHAT text TOKEN FILE_ text {
		build_notify(ps, &@1, $2, CONF_NOTIFY_TELEGRAM, $5, $8, NULL);
	}
	| NOTIFY text WEBHOOK text SECRET FILE_ text {
		build_notify(ps, &@1, $2, CONF_NOTIFY_WEBHOOK, $4, $7, NULL);
	}
	| NOTIFY text EXEC texts {
		build_notify(ps, &@1, $2, CONF_NOTIFY_EXEC, NULL, NULL, &$4);
	}
	| WEBHOOK source SECRET FILE_ text {
		build_secret(ps, &@1, (enum conf_source)$2, $5);
	}
	| WEBHOOK source SECRET FILE_ text SECRET FILE_ text {
		build_secret(ps, &@1, (enum conf_source)$2, $5);
		build_secret(ps, &@1, (enum conf_source)$2, $8);
	}
	| ADMIN TOKEN FILE_ text {
		ps->ps_cf->cf_admin_loc = @1;
		build_path(ps, &@1, "admin token",
		    &ps->ps_cf->cf_admin_token, $4);
	}
	| READ_ TOKEN FILE_ text {
		ps->ps_cf->cf_read_loc = @1;
		build_path(ps, &@1, "read token", &ps->ps_cf->cf_read_token,
		    $4);
	}
	| PROJECT text { build_project(ps, &@1, $2); $2 = NULL; }
	    project_block {
		ps->ps_project = NULL;
	}
	| both
	;

/* What stands in a project too. */
both	: OPTION values		{ build_option(ps, &@1, $1, &$2); }
	| GRACE OPEN graces CLOSE
	| GRACE OPEN graces error CLOSE
	| AGENT role { build_agent(ps, &@1, $2); $2 = NULL; } agent_block {
		build_agent_end(ps);
	}
	;

listen_role
	: WEBHOOK		{ $$ = CONF_LISTEN_WEBHOOK; }
	| PAGE			{ $$ = CONF_LISTEN_PAGE; }
	;

source	: GITEA			{ $$ = CONF_SOURCE_GITEA; }
	| PLANE			{ $$ = CONF_SOURCE_PLANE; }
	;

text	: WORD
	| QSTRING
	;

texts	: text			{ list_start(&$$); list_append(&$$, $1); }
	| texts text		{ $$ = $1; list_append(&$$, $2); }
	;

block	: %empty		{ list_start(&$$); }
	| block NL		{ $$ = $1; }
	| block text		{ $$ = $1; list_append(&$$, $2); }
	| block error NL	{ $$ = $1; yyerrok; }
	;

values	: texts
	| OPEN block CLOSE	{ $$ = $2; }
	;

role	: text
	| ARCHITECT {
		if (($$ = strdup("architect")) == NULL)
			errx(1, "out of memory");
	}
	;

stage	: text
	| REVIEW {
		if (($$ = strdup("review")) == NULL)
			errx(1, "out of memory");
	}
	| DEPLOY {
		if (($$ = strdup("deploy")) == NULL)
			errx(1, "out of memory");
	}
	;

graces	: %empty
	| graces NL
	| graces stage text	{ build_grace(ps, &@2, $2, $3); }
	| graces error NL	{ yyerrok; }
	;

agent_block
	: OPEN agent_items CLOSE
	| OPEN agent_items error CLOSE
	;

agent_items
	: %empty
	| agent_items NL
	| agent_items agent_item
	| agent_items error NL	{ yyerrok; }
	;

agent_item
	: COMMAND texts	{ build_agent_list(ps, &@1, GIVEN_COMMAND, &$2); }
	| TIMEOUT text	{ build_agent_number(ps, &@1, GIVEN_TIMEOUT, $2); }
	| ENV OPEN { build_env_begin(ps, &@1); } envs CLOSE
	| NETWORK text	{ build_agent_network(ps, &@1, $2, NULL); }
	| NETWORK text OPEN block CLOSE {
		build_agent_network(ps, &@1, $2, &$4);
	}
	| SANDBOX text	{ build_agent_word(ps, &@1, GIVEN_SANDBOX, $2); }
	| PROMPT FILE_ text { build_agent_prompt(ps, &@1, $3); }
	| RESULT text	{ build_agent_word(ps, &@1, GIVEN_RESULT, $2); }
	| TRANSIENT values {
		build_agent_list(ps, &@1, GIVEN_TRANSIENT, &$2);
	}
	| MEMORY text	{ build_agent_number(ps, &@1, GIVEN_MEMORY, $2); }
	| PROCESSES text {
		build_agent_number(ps, &@1, GIVEN_PROCESSES, $2);
	}
	| BIND values	{ build_agent_list(ps, &@1, GIVEN_BIND, &$2); }
	;

envs	: %empty
	| envs NL
	| envs WORD		{ build_env(ps, &@2, $2, CONF_ENV_PASS, NULL); }
	| envs WORD QSTRING	{
		build_env(ps, &@2, $2, CONF_ENV_LITERAL, $3);
	}
	| envs WORD FILE_ text	{ build_env(ps, &@2, $2, CONF_ENV_FILE, $4); }
	| envs error NL		{ yyerrok; }
	;

project_block
	: OPEN project_items CLOSE
	| OPEN project_items error CLOSE
	;

project_items
	: %empty
	| project_items NL
	| project_items project_item
	| project_items both
	| project_items error NL	{ yyerrok; }
	;

project_item
	: PREFIX text {
		build_text(ps, &@1, "prefix", &ps->ps_project->cp_prefix, $2);
	}
	| FORGE LOCAL FROM text {
		build_forge(ps, &@1, CONF_FORGE_LOCAL);
		build_path(ps, &@1, NULL, &ps->ps_project->cp_forge_from, $4);
	}
	| FORGE GITEA text REPO text READ_ TOKEN FILE_ text
	    WRITE_ TOKEN FILE_ text {
		build_forge(ps, &@1, CONF_FORGE_GITEA);
		build_text(ps, &@1, NULL, &ps->ps_project->cp_forge_url, $3);
		build_text(ps, &@1, NULL, &ps->ps_project->cp_forge_repo, $5);
		build_path(ps, &@1, NULL, &ps->ps_project->cp_forge_read, $9);
		build_path(ps, &@1, NULL, &ps->ps_project->cp_forge_write,
		    $13);
	}
	| TRACKER LOCAL		{ build_tracker(ps, &@1, CONF_TRACKER_LOCAL); }
	| TRACKER PLANE text WORKSPACE text PROJECT text TOKEN FILE_ text {
		build_tracker(ps, &@1, CONF_TRACKER_PLANE);
		build_text(ps, &@1, NULL, &ps->ps_project->cp_tracker_url, $3);
		build_text(ps, &@1, NULL,
		    &ps->ps_project->cp_tracker_workspace, $5);
		build_text(ps, &@1, NULL, &ps->ps_project->cp_tracker_project,
		    $7);
		build_path(ps, &@1, NULL, &ps->ps_project->cp_tracker_token,
		    $10);
	}
	| CI FORGE		{ build_ci(ps, &@1, CONF_CI_FORGE, NULL); }
	| CI text		{ build_ci(ps, &@1, CONF_CI_NONE, $2); }
	| INTAKE AUTHORS values {
		build_list(ps, &@1, "intake authors",
		    &ps->ps_project->cp_intake_authors, &$3);
	}
	| INTAKE LABELS values {
		build_list(ps, &@1, "intake labels",
		    &ps->ps_project->cp_intake_labels, &$3);
	}
	| TARGET text {
		build_text(ps, &@1, "target", &ps->ps_project->cp_target, $2);
	}
	| SELF {
		build_flag(ps, &@1, "self-hosting",
		    &ps->ps_project->cp_self_hosting);
	}
	| command report texts {
		build_command(ps, &@1, (enum conf_cmd)$1, $2, &$3);
	}
	| STAGING NETWORK text {
		build_net(ps, &@1, "staging network",
		    &ps->ps_project->cp_staging_net, $3);
	}
	| STAGING KNOWN_INFRA OPEN block CLOSE {
		build_list(ps, &@1, "staging known-infra",
		    &ps->ps_project->cp_known_infra, &$4);
	}
	| GATES NETWORK text {
		build_net(ps, &@1, "gates network",
		    &ps->ps_project->cp_gates_net, $3);
	}
	| GATE text IN_ stage COMMAND report texts {
		build_gate(ps, &@1, $2, $4, $6, &$7);
	}
	| MERGE_METHOD text	{ build_merge(ps, &@1, $2); }
	| ARCHITECT WRITES values {
		build_list(ps, &@1, "architect writes",
		    &ps->ps_project->cp_architect_writes, &$3);
	}
	| RECORDS text {
		build_text(ps, &@1, "records-branch",
		    &ps->ps_project->cp_records_branch, $2);
	}
	| REVIEW APPROVAL REQUIRED {
		build_flag(ps, &@1, "review approval",
		    &ps->ps_project->cp_review_approval);
	}
	| STATUS OPEN block CLOSE	{ build_status(ps, &@1, &$3); }
	;

command	: TEST			{ $$ = CONF_CMD_TEST; }
	| COVERAGE		{ $$ = CONF_CMD_COVERAGE; }
	| SECURITY		{ $$ = CONF_CMD_SECURITY; }
	| IMAGE BUILD		{ $$ = CONF_CMD_IMAGE_BUILD; }
	| STAGING DEPLOY	{ $$ = CONF_CMD_STAGING_DEPLOY; }
	| STAGING CHECK		{ $$ = CONF_CMD_STAGING_CHECK; }
	| DEPLOY HOOK		{ $$ = CONF_CMD_DEPLOY_HOOK; }
	| ROLLBACK HOOK		{ $$ = CONF_CMD_ROLLBACK_HOOK; }
	;

report	: %empty		{ $$ = 0; }
	| REPORT		{ $$ = 1; }
	;

%%

static void
list_start(struct strlist *l)
{
	l->sl_v = NULL;
	l->sl_n = 0;
}

static void
list_append(struct strlist *l, char *s)
{
	strlist_add(l, s);
	free(s);
}

/* The token number of a keyword: the names of the grammar are the table. */
static int
keyword(const char *s)
{
	int	 sym;

	/* Tokens are numbered like their symbols, in order. */
	_Static_assert(WRITES - ADMIN == YYSYMBOL_WRITES - YYSYMBOL_ADMIN,
	    "keywords are declared in one row");
	for (sym = YYSYMBOL_ADMIN; sym <= YYSYMBOL_WRITES; sym++)
		if (strcmp(yysymbol_name((yysymbol_kind_t)sym), s) == 0)
			return (ADMIN + (sym - YYSYMBOL_ADMIN));
	return (-1);
}

static int
word_token(CONF_YYSTYPE *lval, char *text)
{
	enum option	 o;
	int		 kw;

	if ((kw = keyword(text)) != -1) {
		free(text);
		return (kw);
	}
	if ((o = option_lookup(text)) != OPT_MAX) {
		free(text);
		lval->option = o;
		return (OPTION);
	}
	lval->text = text;
	return (WORD);
}

static void
remember(struct parser *ps, const struct lex_token *t)
{
	static const char *const names[] = {
		[LEX_END] = "", [LEX_NEWLINE] = "", [LEX_WORD] = "",
		[LEX_QSTRING] = "", [LEX_MACRO] = "", [LEX_OPEN] = "{",
		[LEX_CLOSE] = "}", [LEX_EQUALS] = "=",
	};

	snprintf(ps->ps_prev, sizeof(ps->ps_prev), "%s", ps->ps_last);
	snprintf(ps->ps_last, sizeof(ps->ps_last), "%.60s",
	    t->lt_text != NULL ? t->lt_text : names[t->lt_kind]);
}

/* Read over a block that belongs to a line with a syntax error. */
static void
skip_block(struct parser *ps)
{
	struct lex_token	 t;
	int			 depth = 1;

	while (depth > 0) {
		lex_next(ps->ps_lx, &t);
		free(t.lt_text);
		if (t.lt_kind == LEX_END)
			return;
		if (t.lt_kind == LEX_OPEN)
			depth++;
		else if (t.lt_kind == LEX_CLOSE)
			depth--;
	}
}

static int
conf_yylex(CONF_YYSTYPE *lval, struct conf_loc *loc, struct parser *ps)
{
	struct lex_token	 t;

	lex_next(ps->ps_lx, &t);
	while (ps->ps_recover && t.lt_kind == LEX_OPEN) {
		skip_block(ps);
		lex_next(ps->ps_lx, &t);
	}
	remember(ps, &t);
	*loc = t.lt_loc;
	switch (t.lt_kind) {
	case LEX_END:
		return (END);
	case LEX_NEWLINE:
		ps->ps_recover = 0;
		return (NL);
	case LEX_WORD:
		return (word_token(lval, t.lt_text));
	case LEX_QSTRING:
		lval->text = t.lt_text;
		return (QSTRING);
	case LEX_MACRO:
		lval->text = t.lt_text;
		return (MACRO);
	case LEX_OPEN:
		return (OPEN);
	case LEX_CLOSE:
		ps->ps_recover = 0;
		return (CLOSE);
	case LEX_EQUALS:
		return (EQUALS);
	}
	return (END);
}

/* Only memory exhaustion and the like still come here. */
static void
conf_yyerror(const struct conf_loc *loc, struct parser *ps, const char *msg)
{
	conf_fault(ps, loc, "%s", msg);
}

static int
cmp_names(const void *a, const void *b)
{
	return (strcmp(*(const char *const *)a, *(const char *const *)b));
}

/* What would have been possible, in alphabetical order. */
static void
list_expected(const yysymbol_kind_t *sym, int n, char *buf, size_t len)
{
	const char	*names[YYNTOKENS];
	int		 i, nnames = 0, option = 0;
	size_t		 used = 0;

	for (i = 0; i < n; i++) {
		if (sym[i] == YYSYMBOL_NL || sym[i] == YYSYMBOL_YYEOF ||
		    sym[i] == YYSYMBOL_CLOSE || sym[i] == YYSYMBOL_MACRO)
			continue;
		if (sym[i] == YYSYMBOL_OPTION)
			option = 1;
		else
			names[nnames++] = yysymbol_name(sym[i]);
	}
	qsort(names, (size_t)nnames, sizeof(names[0]), cmp_names);
	if (option)
		names[nnames++] = "an option";
	buf[0] = '\0';
	for (i = 0; i < nnames && used < len; i++)
		used += (size_t)snprintf(buf + used, len - used, "%s%s",
		    i > 0 ? ", " : "", names[i]);
}

static size_t
min3(size_t a, size_t b, size_t c)
{
	size_t	 m = a < b ? a : b;

	return (m < c ? m : c);
}

/* Edit distance (Levenshtein, 1965) of two words of less than 64 bytes. */
static size_t
distance(const char *a, const char *b)
{
	size_t	 row[64], i, j, diag, up, la = strlen(a), lb = strlen(b);

	if (la >= 64 || lb >= 64)
		return (64);
	for (j = 0; j <= lb; j++)
		row[j] = j;
	for (i = 1; i <= la; i++) {
		diag = row[0];
		row[0] = i;
		for (j = 1; j <= lb; j++) {
			up = row[j];
			row[j] = min3(up + 1, row[j - 1] + 1,
			    diag + (a[i - 1] != b[j - 1]));
			diag = up;
		}
	}
	return (row[lb]);
}

static void
consider(const char *name, const char *word, const char **best, size_t *dist)
{
	size_t	 d = distance(name, word);

	if (d < *dist && d < strlen(word)) {
		*dist = d;
		*best = name;
	}
}

/* The nearest word that was possible, NULL when none is near. */
static const char *
nearest(const char *word, const yysymbol_kind_t *sym, int n)
{
	const char	*best = NULL;
	size_t		 dist = 4, o;
	int		 i;

	for (i = 0; i < n; i++) {
		if (sym[i] == YYSYMBOL_OPTION)
			for (o = 0; o < OPT_MAX; o++)
				consider(option_def((enum option)o)->od_name,
				    word, &best, &dist);
		else if (sym[i] >= YYSYMBOL_ADMIN)
			consider(yysymbol_name(sym[i]), word, &best, &dist);
	}
	return (best);
}

static int
has_symbol(const yysymbol_kind_t *sym, int n, yysymbol_kind_t which)
{
	int	 i;

	for (i = 0; i < n; i++)
		if (sym[i] == which)
			return (1);
	return (0);
}

static void
report_word(struct parser *ps, const struct conf_loc *loc,
    const yysymbol_kind_t *sym, int n, const char *possible)
{
	const char	*hint;
	int		 first = ps->ps_prev[0] == '\0' ||
			    strcmp(ps->ps_prev, "{") == 0 ||
			    strcmp(ps->ps_prev, "}") == 0 ||
			    has_symbol(sym, n, YYSYMBOL_OPTION);

	hint = first ? nearest(ps->ps_last, sym, n) : NULL;
	if (hint != NULL && strcmp(hint, ps->ps_last) != 0)
		conf_fault(ps, loc, "\"%s\" is not known here, did you mean "
		    "\"%s\"?", ps->ps_last, hint);
	else if (first)
		conf_fault(ps, loc, "\"%s\" is not known here (%s)",
		    ps->ps_last, possible);
	else if (n == 1)
		conf_fault(ps, loc, "after \"%s\" comes %s, not \"%s\"",
		    ps->ps_prev, possible, ps->ps_last);
	else
		conf_fault(ps, loc, "%s \"%s\" is not known (%s)",
		    ps->ps_prev, ps->ps_last, possible);
}

static int
yyreport_syntax_error(const yypcontext_t *ctx, struct parser *ps)
{
	yysymbol_kind_t		 sym[YYNTOKENS];
	yysymbol_kind_t		 got = yypcontext_token(ctx);
	const struct conf_loc	*loc = yypcontext_location(ctx);
	char			 possible[1024];
	int			 n;

	n = yypcontext_expected_tokens(ctx, sym, YYNTOKENS);
	if (n < 0)
		return (n);
	list_expected(sym, n, possible, sizeof(possible));
	ps->ps_syntax = 1;
	ps->ps_recover = got != YYSYMBOL_NL && got != YYSYMBOL_CLOSE;
	if (got == YYSYMBOL_OPEN) {
		conf_fault(ps, loc, "\"{\" is not expected here (%s)",
		    possible);
		/* The parser drops this brace; its block goes with it. */
		skip_block(ps);
	} else if (got >= YYSYMBOL_ADMIN &&
	    has_symbol(sym, n, YYSYMBOL_WORD))
		conf_fault(ps, loc, "\"%s\" is a word of the grammar; as a "
		    "value it needs quotes", ps->ps_last);
	else if (got == YYSYMBOL_NL || got == YYSYMBOL_YYEOF)
		conf_fault(ps, loc, "%s%s ends here, expected %s",
		    got == YYSYMBOL_NL ? "the line after " : "the file",
		    got == YYSYMBOL_NL ? ps->ps_prev : "",
		    possible[0] != '\0' ? possible : "\"}\"");
	else
		report_word(ps, loc, sym, n, possible);
	return (0);
}

void
conf_grammar(struct parser *ps)
{
	if (conf_yyparse(ps) != 0)
		ps->ps_syntax = 1;
}
