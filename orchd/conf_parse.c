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
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "conf_parse.h"

static const char *
agent_name(const struct conf_agent *ca)
{
	return (ca->ca_role < CONF_ROLE_MAX ? conf_role_name(ca->ca_role) :
	    "(unknown)");
}

static void add_fault(struct parser *, const struct conf_loc *, int,
    const char *, va_list) __attribute__((format(printf, 4, 0)));

static void
add_fault(struct parser *ps, const struct conf_loc *loc, int warning,
    const char *fmt, va_list ap)
{
	struct fault	*fa;
	char		 text[2048], where[160] = "";

	if (loc != NULL && ps->ps_project != NULL && ps->ps_agent != NULL)
		snprintf(where, sizeof(where), "project \"%.60s\": agent "
		    "\"%s\": ", ps->ps_project->cp_name,
		    agent_name(ps->ps_agent));
	else if (loc != NULL && ps->ps_project != NULL)
		snprintf(where, sizeof(where), "project \"%.60s\": ",
		    ps->ps_project->cp_name);
	else if (loc != NULL && ps->ps_agent != NULL)
		snprintf(where, sizeof(where), "agent \"%s\": ",
		    agent_name(ps->ps_agent));
	vsnprintf(text, sizeof(text), fmt, ap);
	ps->ps_faults = reallocarray(ps->ps_faults, ps->ps_nfaults + 1,
	    sizeof(*fa));
	if (ps->ps_faults == NULL)
		errx(1, "out of memory");
	fa = &ps->ps_faults[ps->ps_nfaults];
	fa->fa_file = loc != NULL ? loc->cl_file : NULL;
	fa->fa_line = loc != NULL ? loc->cl_line : 0;
	fa->fa_order = ps->ps_nfaults++;
	if (asprintf(&fa->fa_text, "%s%s%s", warning ? "warning: " : "",
	    where, text) == -1)
		errx(1, "out of memory");
	if (!warning)
		ps->ps_nerrors++;
}

void
conf_fault(struct parser *ps, const struct conf_loc *loc, const char *fmt, ...)
{
	va_list	 ap;

	va_start(ap, fmt);
	add_fault(ps, loc, 0, fmt, ap);
	va_end(ap);
}

void
conf_warning(struct parser *ps, const struct conf_loc *loc, const char *fmt,
    ...)
{
	va_list	 ap;

	if (ps->ps_flags & CONF_QUIET)
		return;
	va_start(ap, fmt);
	add_fault(ps, loc, 1, fmt, ap);
	va_end(ap);
}

static void
lexer_fault(void *arg, const struct conf_loc *loc, const char *text)
{
	conf_fault(arg, loc, "%s", text);
}

static int
cmp_faults(const void *va, const void *vb)
{
	const struct fault	*a = va, *b = vb;
	int			 c;

	if (a->fa_file != b->fa_file) {
		if (a->fa_file == NULL || b->fa_file == NULL)
			return (a->fa_file == NULL ? 1 : -1);
		if ((c = strcmp(a->fa_file, b->fa_file)) != 0)
			return (c);
	}
	if (a->fa_line != b->fa_line)
		return (a->fa_line < b->fa_line ? -1 : 1);
	return (a->fa_order < b->fa_order ? -1 : 1);
}

/* One fault a line, whatever was in the text. */
static void
print_line(const char *s, FILE *fp)
{
	for (; *s != '\0'; s++) {
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			fprintf(fp, "\\x%02x", (unsigned int)*s);
		else
			fputc(*s, fp);
	}
	fputc('\n', fp);
}

static void
print_faults(struct parser *ps, FILE *fp)
{
	const struct fault	*fa;
	size_t			 i;

	if (ps->ps_nfaults == 0)
		return;
	qsort(ps->ps_faults, ps->ps_nfaults, sizeof(*fa), cmp_faults);
	for (i = 0; i < ps->ps_nfaults; i++) {
		fa = &ps->ps_faults[i];
		if (fa->fa_file == NULL)
			fprintf(fp, "environment: ");
		else
			fprintf(fp, "%s:%u: ", fa->fa_file, fa->fa_line);
		print_line(fa->fa_text, fp);
	}
}

static void
free_parser(struct parser *ps)
{
	size_t	 i;

	for (i = 0; i < ps->ps_nfaults; i++)
		free(ps->ps_faults[i].fa_text);
	free(ps->ps_faults);
	strlist_free(&ps->ps_seen);
	lex_free(ps->ps_lx);
}

/* Environment over file over default. */
static void
finish_options(struct parser *ps)
{
	struct option_value	*v;
	const char		*text;
	char			 why[200];
	size_t			 i;

	for (i = 0; i < OPT_MAX; i++) {
		v = &ps->ps_cf->cf_options[i];
		text = ps->ps_flags & CONF_ENVIRON ?
		    getenv(option_def((enum option)i)->od_env) : NULL;
		if (text != NULL) {
			if (option_set_env((enum option)i, v, text, why,
			    sizeof(why)) == -1)
				conf_fault(ps, NULL, "%s: %s",
				    option_def((enum option)i)->od_env, why);
			v->ov_file = NULL;
			v->ov_line = 0;
		}
		if (!v->ov_set)
			option_set_default((enum option)i, v);
	}
}

static char *
copy(const char *s)
{
	char	*p;

	if ((p = strdup(s)) == NULL)
		errx(1, "out of memory");
	return (p);
}

static void
default_text(char **s, const char *text)
{
	if (*s == NULL)
		*s = copy(text);
}

static void
inherit_list(struct strlist *dst, const struct strlist *src)
{
	size_t	 i;

	for (i = 0; i < src->sl_n; i++)
		strlist_add(dst, src->sl_v[i]);
}

static void
inherit_env(struct conf_agent *ca, const struct conf_agent *from)
{
	size_t	 i;

	ca->ca_env = calloc(from->ca_nenv + 1, sizeof(*ca->ca_env));
	if (ca->ca_env == NULL)
		errx(1, "out of memory");
	for (i = 0; i < from->ca_nenv; i++) {
		ca->ca_env[i].ce_name = copy(from->ca_env[i].ce_name);
		ca->ca_env[i].ce_kind = from->ca_env[i].ce_kind;
		if (from->ca_env[i].ce_value != NULL)
			ca->ca_env[i].ce_value =
			    copy(from->ca_env[i].ce_value);
	}
	ca->ca_nenv = from->ca_nenv;
}

/* Take from the global block what the project's block does not say. */
static void
inherit(struct conf_agent *ca, const struct conf_agent *from)
{
	unsigned int	 missing = from->ca_given & ~ca->ca_given;

	if (missing & GIVEN_COMMAND)
		inherit_list(&ca->ca_command, &from->ca_command);
	if (missing & GIVEN_TIMEOUT)
		ca->ca_timeout_s = from->ca_timeout_s;
	if (missing & GIVEN_ENV)
		inherit_env(ca, from);
	if (missing & GIVEN_NETWORK) {
		ca->ca_net = from->ca_net;
		inherit_list(&ca->ca_hosts, &from->ca_hosts);
	}
	if (missing & GIVEN_SANDBOX)
		ca->ca_sandbox = from->ca_sandbox;
	if ((missing & GIVEN_PROMPT) && from->ca_prompt != NULL)
		ca->ca_prompt = copy(from->ca_prompt);
	if (missing & GIVEN_RESULT)
		ca->ca_result = from->ca_result;
	if (missing & GIVEN_TRANSIENT)
		inherit_list(&ca->ca_transient, &from->ca_transient);
	if (missing & GIVEN_MEMORY)
		ca->ca_memory_mb = from->ca_memory_mb;
	if (missing & GIVEN_PROCESSES)
		ca->ca_processes = from->ca_processes;
	if (missing & GIVEN_BIND)
		inherit_list(&ca->ca_bind, &from->ca_bind);
	ca->ca_given |= missing;
}

static void
index_agent(struct conf *cf, struct conf_agent *ca)
{
	ca->ca_index = (unsigned int)cf->cf_nagents;
	cf->cf_agents[cf->cf_nagents++] = ca;
}

/* Number the agents: global ones first, then each project's own. */
static void
finish_agents(struct conf *cf)
{
	struct conf_project	*cp;
	const struct conf_agent	*from;
	size_t			 i, j, n = cf->cf_nglobal_agents;

	for (i = 0; i < cf->cf_nprojects; i++)
		n += cf->cf_projects[i].cp_nagents;
	if ((cf->cf_agents = calloc(n + 1, sizeof(*cf->cf_agents))) == NULL)
		errx(1, "out of memory");
	for (i = 0; i < cf->cf_nglobal_agents; i++)
		index_agent(cf, &cf->cf_global_agents[i]);
	for (i = 0; i < cf->cf_nprojects; i++) {
		cp = &cf->cf_projects[i];
		for (j = 0; j < cp->cp_nagents; j++) {
			from = conf_agent_for(cf, NULL,
			    cp->cp_agents[j].ca_role);
			if (from != NULL)
				inherit(&cp->cp_agents[j], from);
			index_agent(cf, &cp->cp_agents[j]);
		}
	}
}

static void
finish(struct parser *ps)
{
	struct conf	*cf = ps->ps_cf;
	size_t		 i;

	finish_options(ps);
	finish_agents(cf);
	default_text(&cf->cf_state, "/var/lib/orchd");
	default_text(&cf->cf_runtime, "/run/orchd");
	for (i = 0; i < cf->cf_nprojects; i++) {
		default_text(&cf->cf_projects[i].cp_target, "main");
		default_text(&cf->cf_projects[i].cp_records_branch,
		    "orchd/records");
	}
}

/* fd -1: open the name. */
static int
parse(int fd, const char *name, int flags, struct conf **out, FILE *errfp)
{
	struct parser	 ps;
	char		 why[160];
	int		 rv, secure = flags & CONF_FILES;

	*out = NULL;
	memset(&ps, 0, sizeof(ps));
	ps.ps_flags = flags;
	if ((ps.ps_cf = calloc(1, sizeof(*ps.ps_cf))) == NULL)
		errx(1, "out of memory");
	ps.ps_cf->cf_path = copy(name);
	ps.ps_lx = lex_new(&ps.ps_cf->cf_files, lexer_fault, &ps);
	rv = fd == -1 ?
	    lex_push_file(ps.ps_lx, name, secure, why, sizeof(why)) :
	    lex_push_fd(ps.ps_lx, fd, name, 0, why, sizeof(why));
	if (rv == -1)
		fprintf(errfp, "%s: %s\n", name, why);
	else {
		conf_grammar(&ps);
		ps.ps_project = NULL;
		ps.ps_agent = NULL;
		finish(&ps);
		conf_check(&ps);
		print_faults(&ps, errfp);
		rv = ps.ps_nerrors > 0 ? -1 : 0;
	}
	if (rv == 0)
		*out = ps.ps_cf;
	else
		conf_free(ps.ps_cf);
	free_parser(&ps);
	return (rv);
}

int
conf_parse_file(const char *path, int flags, struct conf **out, FILE *errfp)
{
	return (parse(-1, path, flags, out, errfp));
}

int
conf_parse_fd(int fd, const char *name, int flags, struct conf **out,
    FILE *errfp)
{
	return (parse(fd, name, flags, out, errfp));
}
