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

#include <arpa/inet.h>

#include <err.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bsd/stdlib.h>

#include "conf_parse.h"
#include "stage.h"

int
conf_is_stage(const char *name)
{
	return (stage_lookup(name) != STAGE_MAX);
}

const char *
conf_stage_names(void)
{
	return ("analysis, architecture, development, review, testing, "
	    "deploy-staging, deploy");
}

static void *
grow(void *v, size_t n, size_t size)
{
	char	*p;

	if ((p = reallocarray(v, n + 1, size)) == NULL)
		errx(1, "out of memory");
	memset(p + n * size, 0, size);
	return (p);
}

/* A setting may be made once in its block; say where it was made before. */
static int
seen_before(struct parser *ps, const struct conf_loc *loc, const char *what)
{
	char		 key[512];
	const char	*was;
	size_t		 i, len;

	snprintf(key, sizeof(key), "%d/%d/%s=",
	    ps->ps_project != NULL ? (int)ps->ps_cf->cf_nprojects : 0,
	    ps->ps_agent != NULL ? (int)ps->ps_agent->ca_role + 1 : 0, what);
	len = strlen(key);
	for (i = 0; i < ps->ps_seen.sl_n; i++) {
		was = ps->ps_seen.sl_v[i];
		if (strncmp(was, key, len) == 0) {
			conf_fault(ps, loc, "%s is set already, at %s", what,
			    was + len);
			return (1);
		}
	}
	snprintf(key + len, sizeof(key) - len, "%s:%u", loc->cl_file,
	    loc->cl_line);
	strlist_add(&ps->ps_seen, key);
	return (0);
}

void
build_text(struct parser *ps, const struct conf_loc *loc, const char *what,
    char **dst, char *s)
{
	if (what != NULL && seen_before(ps, loc, what)) {
		free(s);
		return;
	}
	free(*dst);
	*dst = s;
}

/* Make a path absolute: it counts from the folder of the file it is in. */
static char *
absolute(const struct conf_loc *loc, char *s)
{
	const char	*slash = strrchr(loc->cl_file, '/'), *rest = s;
	char		*cwd = NULL, *out;
	size_t		 dirlen = slash != NULL ?
			    (size_t)(slash - loc->cl_file) : 0;

	if (s[0] == '/' || s[0] == '\0')
		return (s);
	while (strncmp(rest, "./", 2) == 0)
		rest += 2;
	if (loc->cl_file[0] != '/' &&
	    (cwd = getcwd(NULL, 0)) == NULL)
		err(1, "current folder");
	if (asprintf(&out, "%s%s%.*s/%s", cwd != NULL ? cwd : "",
	    cwd != NULL && dirlen > 0 ? "/" : "", (int)dirlen, loc->cl_file,
	    rest) == -1)
		errx(1, "out of memory");
	free(cwd);
	free(s);
	return (out);
}

void
build_path(struct parser *ps, const struct conf_loc *loc, const char *what,
    char **dst, char *s)
{
	if (s[0] == '\0') {
		conf_fault(ps, loc, "the path is empty");
		free(s);
		return;
	}
	build_text(ps, loc, what, dst, absolute(loc, s));
}

static int
number(struct parser *ps, const struct conf_loc *loc, const char *what,
    const char *s, int64_t min, int64_t max, int64_t *out)
{
	const char	*errstr = NULL;
	int64_t		 v;

	if (s[0] == '\0' || s[strspn(s, "0123456789")] != '\0')
		errstr = "not a number";
	else
		v = strtonum(s, min, max, &errstr);
	if (errstr != NULL) {
		conf_fault(ps, loc, "%s \"%s\" is not a whole number from %lld "
		    "to %lld", what, s, (long long)min, (long long)max);
		return (-1);
	}
	*out = v;
	return (0);
}

static int
set_address(struct conf_listen *li)
{
	struct sockaddr_in	*sin = (struct sockaddr_in *)&li->li_sa;
	struct sockaddr_in6	*sin6 = (struct sockaddr_in6 *)&li->li_sa;

	if (inet_pton(AF_INET, li->li_addr, &sin->sin_addr) == 1) {
		sin->sin_family = AF_INET;
		sin->sin_port = htons(li->li_port);
		li->li_salen = sizeof(*sin);
		li->li_loopback = ntohl(sin->sin_addr.s_addr) >> 24 == 127;
		return (0);
	}
	if (inet_pton(AF_INET6, li->li_addr, &sin6->sin6_addr) == 1) {
		sin6->sin6_family = AF_INET6;
		sin6->sin6_port = htons(li->li_port);
		li->li_salen = sizeof(*sin6);
		li->li_loopback = IN6_IS_ADDR_LOOPBACK(&sin6->sin6_addr);
		return (0);
	}
	return (-1);
}

void
build_listen(struct parser *ps, const struct conf_loc *loc,
    enum conf_listen_role role, char *addr, char *port)
{
	struct conf		*cf = ps->ps_cf;
	struct conf_listen	*li;
	int64_t			 v = 0;
	size_t			 len = strlen(addr);

	cf->cf_listen = grow(cf->cf_listen, cf->cf_nlisten, sizeof(*li));
	li = &cf->cf_listen[cf->cf_nlisten++];
	li->li_role = role;
	li->li_loc = *loc;
	number(ps, loc, "port", port, 1, 65535, &v);
	li->li_port = (uint16_t)v;
	free(port);
	if (len > 2 && addr[0] == '[' && addr[len - 1] == ']') {
		memmove(addr, addr + 1, len - 2);
		addr[len - 2] = '\0';
	}
	li->li_addr = addr;
	if (set_address(li) == -1)
		conf_fault(ps, loc, "\"%s\" is not an address (127.0.0.1 or "
		    "[::1]); names are not looked up", addr);
}

void
build_secret(struct parser *ps, const struct conf_loc *loc,
    enum conf_source src, char *s)
{
	struct strlist	*l = &ps->ps_cf->cf_secret[src];
	char		*path = absolute(loc, s);

	if (l->sl_n == 2)
		conf_fault(ps, loc, "a webhook has at most two secrets, the "
		    "present and the next");
	else
		strlist_add(l, path);
	ps->ps_cf->cf_secret_loc[src] = *loc;
	free(path);
}

void
build_option(struct parser *ps, const struct conf_loc *loc, enum option o,
    struct strlist *values)
{
	const struct option_def	*d = option_def(o);
	struct option_value	*v;
	char			 why[200];

	if (ps->ps_project != NULL && d->od_scope == OPTION_G)
		conf_fault(ps, loc, "%s is global, it cannot be set for one "
		    "project", d->od_name);
	else if (!seen_before(ps, loc, d->od_name)) {
		v = ps->ps_project != NULL ? &ps->ps_project->cp_options[o] :
		    &ps->ps_cf->cf_options[o];
		if (option_set(o, v, values->sl_v, values->sl_n, why,
		    sizeof(why)) == -1)
			conf_fault(ps, loc, "%s: %s", d->od_name, why);
		v->ov_file = loc->cl_file;
		v->ov_line = loc->cl_line;
	}
	strlist_free(values);
}

void
build_grace(struct parser *ps, const struct conf_loc *loc, char *stage,
    char *seconds)
{
	struct conf_grace	**v = &ps->ps_cf->cf_grace, *gr;
	size_t			 *n = &ps->ps_cf->cf_ngrace;
	char			  what[80];
	int64_t			  s = 0;

	if (ps->ps_project != NULL) {
		v = &ps->ps_project->cp_grace;
		n = &ps->ps_project->cp_ngrace;
	}
	snprintf(what, sizeof(what), "reconcile_grace %.40s", stage);
	if (!conf_is_stage(stage))
		conf_fault(ps, loc, "stage \"%s\" is not known (%s)", stage,
		    conf_stage_names());
	else if (!seen_before(ps, loc, what) &&
	    number(ps, loc, what, seconds, 0, 604800, &s) == 0) {
		*v = grow(*v, *n, sizeof(**v));
		gr = &(*v)[(*n)++];
		gr->gr_stage = stage;
		gr->gr_seconds = s;
		stage = NULL;
	}
	free(stage);
	free(seconds);
}

void
build_include(struct parser *ps, const struct conf_loc *loc, char *s)
{
	char	*path = absolute(loc, s);
	char	 why[160];

	if (lex_push_file(ps->ps_lx, path, ps->ps_flags & CONF_FILES, why,
	    sizeof(why)) == -1)
		conf_fault(ps, loc, "include \"%s\": %s", path, why);
	free(path);
}

static int
agent_exists(struct parser *ps, const struct conf_loc *loc,
    const struct conf_agent *v, size_t n, enum conf_role role)
{
	size_t	 i;

	for (i = 0; i < n; i++)
		if (v[i].ca_role == role) {
			conf_fault(ps, loc, "agent \"%s\" is defined already, "
			    "at %s:%u", conf_role_name(role),
			    v[i].ca_loc.cl_file, v[i].ca_loc.cl_line);
			return (1);
		}
	return (0);
}

void
build_agent(struct parser *ps, const struct conf_loc *loc, char *name)
{
	struct conf_agent	**v = &ps->ps_cf->cf_global_agents;
	size_t			 *n = &ps->ps_cf->cf_nglobal_agents;
	enum conf_role		  role = conf_role_lookup(name);

	if (ps->ps_project != NULL) {
		v = &ps->ps_project->cp_agents;
		n = &ps->ps_project->cp_nagents;
	}
	if (role == CONF_ROLE_MAX) {
		conf_fault(ps, loc, "agent \"%s\" is not a role (analyst, "
		    "architect, developer, reviewer, tester, deployer)",
		    name);
	} else
		agent_exists(ps, loc, *v, *n, role);
	free(name);
	/* A faulty block is kept too: its own faults are reported. */
	*v = grow(*v, *n, sizeof(**v));
	ps->ps_agent = &(*v)[(*n)++];
	ps->ps_agent->ca_role = role;
	ps->ps_agent->ca_loc = *loc;
	ps->ps_agent->ca_project = ps->ps_project != NULL ?
	    (int)ps->ps_project->cp_index : -1;
}

void
build_agent_end(struct parser *ps)
{
	ps->ps_agent = NULL;
}

/* Note that a setting of an agent is made; 0 when it was made before. */
static int
give(struct parser *ps, const struct conf_loc *loc, unsigned int bit,
    const char *what)
{
	if (ps->ps_agent->ca_given & bit) {
		conf_fault(ps, loc, "%s is set already in this block", what);
		return (0);
	}
	ps->ps_agent->ca_given |= bit;
	return (1);
}

/* A program with a slash in its name counts from the file's folder. */
static void
program_path(const struct conf_loc *loc, struct strlist *argv)
{
	if (argv->sl_n > 0 && strchr(argv->sl_v[0], '/') != NULL)
		argv->sl_v[0] = absolute(loc, argv->sl_v[0]);
}

void
build_agent_list(struct parser *ps, const struct conf_loc *loc,
    unsigned int bit, struct strlist *l)
{
	struct conf_agent	*ca = ps->ps_agent;
	struct strlist		*dst = &ca->ca_transient;
	const char		*what = "transient";
	size_t			 i;

	if (bit == GIVEN_COMMAND) {
		dst = &ca->ca_command;
		what = "command";
		program_path(loc, l);
	} else if (bit == GIVEN_BIND) {
		dst = &ca->ca_bind;
		what = "bind";
		for (i = 0; i < l->sl_n; i++)
			l->sl_v[i] = absolute(loc, l->sl_v[i]);
	}
	if (give(ps, loc, bit, what))
		*dst = *l;
	else
		strlist_free(l);
}

void
build_agent_number(struct parser *ps, const struct conf_loc *loc,
    unsigned int bit, char *s)
{
	struct conf_agent	*ca = ps->ps_agent;

	if (bit == GIVEN_TIMEOUT && give(ps, loc, bit, "timeout"))
		number(ps, loc, "timeout", s, 0, 604800, &ca->ca_timeout_s);
	else if (bit == GIVEN_MEMORY && give(ps, loc, bit, "memory"))
		number(ps, loc, "memory", s, 0, 16777216, &ca->ca_memory_mb);
	else if (bit == GIVEN_PROCESSES && give(ps, loc, bit, "processes"))
		number(ps, loc, "processes", s, 0, 1000000,
		    &ca->ca_processes);
	free(s);
}

void
build_agent_word(struct parser *ps, const struct conf_loc *loc,
    unsigned int bit, char *s)
{
	struct conf_agent	*ca = ps->ps_agent;
	int			 i, n = bit == GIVEN_SANDBOX ?
				    CONF_SANDBOX_NONE : CONF_RESULT_OPENCODE;

	for (i = 0; i <= n; i++)
		if (strcmp(s, bit == GIVEN_SANDBOX ?
		    conf_sandbox_name((enum conf_sandbox)i) :
		    conf_result_name((enum conf_result)i)) == 0)
			break;
	if (bit == GIVEN_SANDBOX && give(ps, loc, bit, "sandbox")) {
		if (i > n)
			conf_fault(ps, loc, "sandbox \"%s\" is not known "
			    "(bwrap, landlock, none)", s);
		ca->ca_sandbox = (enum conf_sandbox)(i > n ? 0 : i);
	} else if (bit == GIVEN_RESULT && give(ps, loc, bit, "result")) {
		if (i > n)
			conf_fault(ps, loc, "result \"%s\" is not known "
			    "(claude, codex, gemini, opencode, none)", s);
		ca->ca_result = (enum conf_result)(i > n ? 0 : i);
	}
	free(s);
}

void
build_agent_network(struct parser *ps, const struct conf_loc *loc, char *s,
    struct strlist *hosts)
{
	struct conf_agent	*ca = ps->ps_agent;
	int			 i;

	for (i = CONF_NET_NONE; i <= CONF_NET_ALLOW; i++)
		if (strcmp(s, conf_net_name((enum conf_net)i)) == 0)
			break;
	if (i > CONF_NET_ALLOW)
		conf_fault(ps, loc, "network \"%s\" is not known (none, open, "
		    "allow)", s);
	else if (i == CONF_NET_ALLOW && (hosts == NULL || hosts->sl_n == 0))
		conf_fault(ps, loc, "network allow needs the hosts: allow "
		    "{ \"api.example.org\" }");
	else if (i != CONF_NET_ALLOW && hosts != NULL)
		conf_fault(ps, loc, "network %s takes no list of hosts", s);
	if (give(ps, loc, GIVEN_NETWORK, "network")) {
		ca->ca_net = (enum conf_net)(i > CONF_NET_ALLOW ? 0 : i);
		if (hosts != NULL)
			ca->ca_hosts = *hosts;
	} else if (hosts != NULL)
		strlist_free(hosts);
	free(s);
}

void
build_agent_prompt(struct parser *ps, const struct conf_loc *loc, char *s)
{
	if (give(ps, loc, GIVEN_PROMPT, "prompt"))
		ps->ps_agent->ca_prompt = absolute(loc, s);
	else
		free(s);
}

void
build_env_begin(struct parser *ps, const struct conf_loc *loc)
{
	give(ps, loc, GIVEN_ENV, "env");
}

static int
env_name_ok(const char *s)
{
	return (s[0] != '\0' && strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(s) &&
	    (s[0] < '0' || s[0] > '9'));
}

void
build_env(struct parser *ps, const struct conf_loc *loc, char *name,
    enum conf_env_kind kind, char *value)
{
	struct conf_agent	*ca = ps->ps_agent;
	struct conf_env		*ce;
	size_t			 i;

	if (!env_name_ok(name))
		conf_fault(ps, loc, "env \"%s\" is not a variable's name",
		    name);
	for (i = 0; i < ca->ca_nenv; i++)
		if (strcmp(ca->ca_env[i].ce_name, name) == 0)
			conf_fault(ps, loc, "env %s is listed twice", name);
	if (strncmp(name, "ORCH_", 5) == 0)
		conf_fault(ps, loc, "env %s: names that begin with ORCH_ are "
		    "set by orchd", name);
	ca->ca_env = grow(ca->ca_env, ca->ca_nenv, sizeof(*ce));
	ce = &ca->ca_env[ca->ca_nenv++];
	ce->ce_name = name;
	ce->ce_kind = kind;
	ce->ce_value = kind == CONF_ENV_FILE ? absolute(loc, value) : value;
}

void
build_project(struct parser *ps, const struct conf_loc *loc, char *name)
{
	struct conf			*cf = ps->ps_cf;
	const struct conf_project	*old;
	struct conf_project		*cp;

	if ((old = conf_project_by_name(cf, name)) != NULL)
		conf_fault(ps, loc, "project \"%s\" is defined already, at "
		    "%s:%u", name, old->cp_loc.cl_file, old->cp_loc.cl_line);
	cf->cf_projects = grow(cf->cf_projects, cf->cf_nprojects, sizeof(*cp));
	cp = &cf->cf_projects[cf->cf_nprojects];
	cp->cp_index = (unsigned int)cf->cf_nprojects++;
	cp->cp_name = name;
	cp->cp_loc = *loc;
	ps->ps_project = cp;
}

void
build_forge(struct parser *ps, const struct conf_loc *loc,
    enum conf_forge forge)
{
	if (!seen_before(ps, loc, "forge"))
		ps->ps_project->cp_forge = forge;
}

void
build_tracker(struct parser *ps, const struct conf_loc *loc,
    enum conf_tracker tracker)
{
	if (!seen_before(ps, loc, "tracker"))
		ps->ps_project->cp_tracker = tracker;
}

void
build_command(struct parser *ps, const struct conf_loc *loc, enum conf_cmd cmd,
    int report, struct strlist *argv)
{
	struct conf_command	*cc = &ps->ps_project->cp_cmd[cmd];

	if (seen_before(ps, loc, conf_cmd_name(cmd))) {
		strlist_free(argv);
		return;
	}
	if (report && cmd != CONF_CMD_TEST && cmd != CONF_CMD_STAGING_CHECK)
		conf_fault(ps, loc, "%s writes no report (test, staging check "
		    "and gates may)", conf_cmd_name(cmd));
	/* Hooks run outside any clone; the other commands run inside one. */
	if (cmd == CONF_CMD_DEPLOY_HOOK || cmd == CONF_CMD_ROLLBACK_HOOK)
		program_path(loc, argv);
	cc->cc_argv = *argv;
	cc->cc_report = report;
	cc->cc_loc = *loc;
}

void
build_gate(struct parser *ps, const struct conf_loc *loc, char *name,
    char *stage, int report, struct strlist *argv)
{
	struct conf_project	*cp = ps->ps_project;
	struct conf_gate	*cg;
	size_t			 i;

	for (i = 0; i < cp->cp_ngates; i++)
		if (strcmp(cp->cp_gates[i].cg_name, name) == 0)
			conf_fault(ps, loc, "gate \"%s\" is defined already, "
			    "at %s:%u", name,
			    cp->cp_gates[i].cg_cmd.cc_loc.cl_file,
			    cp->cp_gates[i].cg_cmd.cc_loc.cl_line);
	cp->cp_gates = grow(cp->cp_gates, cp->cp_ngates, sizeof(*cg));
	cg = &cp->cp_gates[cp->cp_ngates++];
	cg->cg_name = name;
	cg->cg_stage = stage;
	cg->cg_cmd.cc_argv = *argv;
	cg->cg_cmd.cc_report = report;
	cg->cg_cmd.cc_loc = *loc;
}

void
build_net(struct parser *ps, const struct conf_loc *loc, const char *what,
    enum conf_net *dst, char *s)
{
	if (seen_before(ps, loc, what))
		;
	else if (strcmp(s, "none") == 0)
		*dst = CONF_NET_NONE;
	else if (strcmp(s, "open") == 0)
		*dst = CONF_NET_OPEN;
	else
		conf_fault(ps, loc, "%s \"%s\" is not known (none, open)",
		    what, s);
	free(s);
}

void
build_list(struct parser *ps, const struct conf_loc *loc, const char *what,
    struct strlist *dst, struct strlist *l)
{
	if (seen_before(ps, loc, what))
		strlist_free(l);
	else
		*dst = *l;
}

void
build_merge(struct parser *ps, const struct conf_loc *loc, char *s)
{
	int	 i;

	for (i = CONF_MERGE_FF_ONLY; i <= CONF_MERGE_REBASE; i++)
		if (strcmp(s, conf_merge_name((enum conf_merge)i)) == 0)
			break;
	if (i > CONF_MERGE_REBASE)
		conf_fault(ps, loc, "merge-method \"%s\" is not known "
		    "(fast-forward-only, merge, squash, rebase)", s);
	else if (!seen_before(ps, loc, "merge-method"))
		ps->ps_project->cp_merge = (enum conf_merge)i;
	free(s);
}

static enum conf_status
status_lookup(const char *name)
{
	int	 i;

	for (i = 0; i < CONF_STATUS_MAX; i++)
		if (strcmp(conf_status_name(NULL, (enum conf_status)i),
		    name) == 0)
			break;
	return ((enum conf_status)i);
}

void
build_status(struct parser *ps, const struct conf_loc *loc, struct strlist *l)
{
	char			**dst;
	enum conf_status	  st;
	size_t			  i;

	if (l->sl_n % 2 != 0)
		conf_fault(ps, loc, "status takes pairs: \"In Review\" "
		    "\"Waiting\"");
	for (i = 0; i + 1 < l->sl_n; i += 2) {
		st = status_lookup(l->sl_v[i]);
		if (st == CONF_STATUS_MAX) {
			conf_fault(ps, loc, "status \"%s\" is not one that "
			    "orchd sets or knows (In Progress, In Review, "
			    "Needs Input, Blocked, Done, Cancelled, To "
			    "Analyse, Approved, Rejected, Confirm Deploy, "
			    "Stop)", l->sl_v[i]);
			continue;
		}
		dst = &ps->ps_project->cp_status[st];
		if (*dst != NULL)
			conf_fault(ps, loc, "status \"%s\" is renamed twice",
			    l->sl_v[i]);
		free(*dst);
		if ((*dst = strdup(l->sl_v[i + 1])) == NULL)
			errx(1, "out of memory");
	}
	strlist_free(l);
}

void
build_flag(struct parser *ps, const struct conf_loc *loc, const char *what,
    int *flag)
{
	if (!seen_before(ps, loc, what))
		*flag = 1;
}

/* Of the listen line that was just read. */
void
build_tls(struct parser *ps, const struct conf_loc *loc, char *cert,
    char *key)
{
	struct conf_listen	*li;

	li = &ps->ps_cf->cf_listen[ps->ps_cf->cf_nlisten - 1];
	li->li_cert = absolute(loc, cert);
	li->li_key = absolute(loc, key);
}

void
build_notify(struct parser *ps, const struct conf_loc *loc, char *name,
    enum conf_notify_kind kind, char *to, char *file, struct strlist *argv)
{
	struct conf		*cf = ps->ps_cf;
	struct conf_notify	*cn;
	size_t			 i;

	for (i = 0; i < cf->cf_nnotify; i++)
		if (strcmp(cf->cf_notify[i].cn_name, name) == 0)
			conf_fault(ps, loc, "notify \"%s\" is defined "
			    "already, at %s:%u", name,
			    cf->cf_notify[i].cn_loc.cl_file,
			    cf->cf_notify[i].cn_loc.cl_line);
	cf->cf_notify = grow(cf->cf_notify, cf->cf_nnotify, sizeof(*cn));
	cn = &cf->cf_notify[cf->cf_nnotify++];
	cn->cn_name = name;
	cn->cn_kind = kind;
	cn->cn_to = to;
	cn->cn_file = file == NULL ? NULL : absolute(loc, file);
	if (argv != NULL) {
		program_path(loc, argv);
		cn->cn_argv = *argv;
	}
	cn->cn_loc = *loc;
}

/* `ci forge', or a word that has to be none. */
void
build_ci(struct parser *ps, const struct conf_loc *loc, enum conf_ci ci,
    char *word)
{
	if (word != NULL && strcmp(word, "none") != 0)
		conf_fault(ps, loc, "ci \"%s\" is not known (forge, none)",
		    word);
	else if (!seen_before(ps, loc, "ci"))
		ps->ps_project->cp_ci = ci;
	free(word);
}
