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

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "libcommon/git.h"
#include "libcommon/gitea.h"
#include "libcommon/plane.h"

#include "certificate.h"
#include "conf_parse.h"

/* The longest path of a Unix socket, without its NUL (unix(7)). */
#define SOCKET_PATH_MAX	107

/* Limits of one run's description (run_spec of proto/messages.def). */
#define ARGV_MAX	128
#define ENV_MAX		96
#define HOSTS_MAX	256
#define TEXTS_MAX	64
#define INFRA_MAX	256

#define ONE_LINE	2	/* a secret that is sent as it is */

static struct conf_loc
first_line(const struct parser *ps)
{
	struct conf_loc	 loc;

	loc.cl_file = ps->ps_cf->cf_files.sl_v[0];
	loc.cl_line = 1;
	return (loc);
}

/* A second line would become part of the token, and nobody would take it. */
static int
has_more_lines(const char *path)
{
	char	 buf[4097], *nl;
	ssize_t	 n;
	int	 fd;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)) == -1)
		return (0);
	n = read(fd, buf, sizeof(buf));
	nl = n > 0 ? memchr(buf, '\n', (size_t)n) : NULL;
	n = nl == NULL ? 0 : n - (nl + 1 - buf);
	explicit_bzero(buf, sizeof(buf));
	close(fd);
	return (n > 0);
}

static void
check_readable(struct parser *ps, const struct conf_loc *loc,
    const char *what, const char *path, int secret)
{
	struct stat	 sb;

	if (path == NULL || !(ps->ps_flags & CONF_FILES))
		return;
	if (stat(path, &sb) == -1)
		conf_fault(ps, loc, "%s \"%s\": %s", what, path,
		    strerror(errno));
	else if (!S_ISREG(sb.st_mode))
		conf_fault(ps, loc, "%s \"%s\" is not a regular file", what,
		    path);
	else if (access(path, R_OK) == -1)
		conf_fault(ps, loc, "%s \"%s\": %s", what, path,
		    strerror(errno));
	else if (!secret)
		return;
	else if (sb.st_mode & (S_IWGRP | S_IWOTH))
		conf_fault(ps, loc, "%s \"%s\" can be written by others "
		    "(mode %04o): chmod 600", what, path, sb.st_mode & 07777);
	else if (sb.st_size == 0)
		conf_fault(ps, loc, "%s \"%s\" is empty", what, path);
	else if (secret == ONE_LINE && has_more_lines(path))
		conf_fault(ps, loc, "%s \"%s\" has more than one line", what,
		    path);
	else if (sb.st_mode & S_IROTH)
		conf_warning(ps, loc, "%s \"%s\" can be read by everybody "
		    "(mode %04o): chmod 600", what, path, sb.st_mode & 07777);
}

static void
check_program(struct parser *ps, const struct conf_loc *loc, const char *what,
    const char *path)
{
	struct stat	 sb;

	if (!(ps->ps_flags & CONF_FILES) || path[0] != '/')
		return;
	if (stat(path, &sb) == -1)
		conf_fault(ps, loc, "%s \"%s\": %s", what, path,
		    strerror(errno));
	else if (!S_ISREG(sb.st_mode) || !(sb.st_mode & 0111))
		conf_fault(ps, loc, "%s \"%s\" is not an executable file",
		    what, path);
}

/* Does every sandbox show it, or a bind of this agent? */
static int
is_shown(const struct conf_agent *ca, const char *path)
{
	static const char *const	 sys[] = {
		"/usr/", "/bin/", "/sbin/", "/lib"
	};
	size_t				 i, n;

	for (i = 0; i < sizeof(sys) / sizeof(sys[0]); i++)
		if (strncmp(path, sys[i], strlen(sys[i])) == 0)
			return (1);
	for (i = 0; ca != NULL && i < ca->ca_bind.sl_n; i++) {
		n = strlen(ca->ca_bind.sl_v[i]);
		while (n > 1 && (ca->ca_bind.sl_v[i][n - 1] == '/' ||
		    strcmp(ca->ca_bind.sl_v[i] + n - 2, "/.") == 0))
			n--;
		if (strncmp(path, ca->ca_bind.sl_v[i], n) == 0 &&
		    path[n] == '/')
			return (1);
	}
	return (0);
}

/* Its first line says that Node.js runs it. */
static int
is_node_script(const char *path)
{
	char	 line[128] = "";
	FILE	*fp = fopen(path, "re");

	if (fp == NULL)
		return (0);
	if (fgets(line, sizeof(line), fp) == NULL)
		line[0] = '\0';
	fclose(fp);
	return (strncmp(line, "#!", 2) == 0 && strstr(line, "node") != NULL);
}

/*
 * Of a command outside of the system's folders the sandbox shows that file
 * alone; a link from inside them leads nowhere there.
 */
static void
check_shown(struct parser *ps, const struct conf_loc *loc,
    const struct conf_agent *ca, const char *path)
{
	char	 real[PATH_MAX], *end;

	if (ca->ca_sandbox != CONF_SANDBOX_BWRAP ||
	    realpath(path, real) == NULL ||
	    (is_shown(ca, real) && is_shown(ca, path)))
		return;
	if (!is_shown(NULL, path) && !is_node_script(real))
		return;
	if ((end = strstr(real, "/node_modules/")) != NULL)
		end += strlen("/node_modules");
	else
		end = strrchr(real, '/');
	if (is_shown(NULL, path))
		conf_warning(ps, loc, "command \"%s\" is a link to %s, which "
		    "the sandbox does not show: bind \"%.*s\"", path, real,
		    (int)(end - real), real);
	else
		conf_warning(ps, loc, "command \"%s\" is a program of Node.js, "
		    "and the sandbox shows that file alone: name it as %s, "
		    "with bind \"%.*s\"", path, real, (int)(end - real),
		    real);
}

/* A bare name is looked for where an agent's shell would look. */
static void
check_command(struct parser *ps, const struct conf_loc *loc,
    const struct conf_agent *ca)
{
	static const char *const	 dirs[] = {
		"/usr/local/bin", "/usr/bin", "/bin"
	};
	const char			*name = ca->ca_command.sl_v[0];
	char				 path[PATH_MAX];
	size_t				 i;

	if (!(ps->ps_flags & CONF_FILES))
		return;
	if (strchr(name, '/') != NULL) {
		check_program(ps, loc, "command", name);
		check_shown(ps, loc, ca, name);
		return;
	}
	for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		if (snprintf(path, sizeof(path), "%s/%s", dirs[i], name) <
		    (int)sizeof(path) && access(path, X_OK) == 0) {
			check_shown(ps, loc, ca, path);
			return;
		}
	conf_warning(ps, loc, "command \"%s\" is in none of /usr/local/bin, "
	    "/usr/bin and /bin: its runs will fail until it is", name);
}

static void
check_count(struct parser *ps, const struct conf_loc *loc, const char *what,
    size_t n, size_t max)
{
	if (n > max)
		conf_fault(ps, loc, "%s has %zu entries, at most %zu are "
		    "possible", what, n, max);
}

static int
name_ok(const char *s, size_t max, const char *more)
{
	size_t	 i;

	for (i = 0; s[i] != '\0'; i++)
		if (!((s[i] >= 'a' && s[i] <= 'z') ||
		    (s[i] >= 'A' && s[i] <= 'Z') ||
		    (i > 0 && s[i] >= '0' && s[i] <= '9') ||
		    (i > 0 && strchr(more, s[i]) != NULL)))
			return (0);
	return (i > 0 && i <= max);
}

/* http:// or https://, a host, perhaps a port and a path; nothing else. */
static void
check_url(struct parser *ps, const struct conf_loc *loc, const char *what,
    const char *url)
{
	static const char	 ok[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz0123456789"
				    "-._~/:[]%";
	const char		*host;

	if (strncmp(url, "https://", 8) == 0)
		host = url + 8;
	else if (strncmp(url, "http://", 7) == 0)
		host = url + 7;
	else
		host = "";
	if (host[0] == '\0' || host[0] == '/' || strlen(url) > 1000 ||
	    host[strspn(host, ok)] != '\0')
		conf_fault(ps, loc, "%s \"%s\" is no address: "
		    "https://HOST, perhaps with :PORT and /PATH, without "
		    "user, query or spaces", what, url);
	else if (host == url + 7 && strncmp(host, "127.", 4) != 0 &&
	    strncmp(host, "[::1]", 5) != 0 &&
	    strncmp(host, "localhost", 9) != 0)
		conf_warning(ps, loc, "%s \"%s\": a token goes there in "
		    "plain text; https is for other machines", what, url);
}

static void
check_notify(struct parser *ps, const struct conf_notify *cn)
{
	const char	*p = cn->cn_to;

	if (!name_ok(cn->cn_name, 40, "-_."))
		conf_fault(ps, &cn->cn_loc, "notify \"%s\": the name has to "
		    "be a letter, then letters, digits, \"-\", \"_\" or "
		    "\".\", at most 40", cn->cn_name);
	switch (cn->cn_kind) {
	case CONF_NOTIFY_TELEGRAM:
		p += *p == '-';
		if (*p == '@' ? p[1] == '\0' : *p == '\0' ||
		    strlen(p) > 18 || p[strspn(p, "0123456789")] != '\0')
			conf_fault(ps, &cn->cn_loc, "chat \"%s\" is neither "
			    "a number nor a @name", cn->cn_to);
		check_readable(ps, &cn->cn_loc, "token file", cn->cn_file,
		    ONE_LINE);
		break;
	case CONF_NOTIFY_WEBHOOK:
		check_url(ps, &cn->cn_loc, "notify webhook", cn->cn_to);
		check_readable(ps, &cn->cn_loc, "secret file", cn->cn_file,
		    ONE_LINE);
		break;
	case CONF_NOTIFY_EXEC:
		check_program(ps, &cn->cn_loc, "notify exec",
		    cn->cn_argv.sl_v[0]);
		check_count(ps, &cn->cn_loc, "notify exec", cn->cn_argv.sl_n,
		    ARGV_MAX);
		break;
	}
}

/* With this certificate and key, TLS can be spoken. */
static void
check_tls(struct parser *ps, const struct conf_listen *li)
{
	struct certificate	 ce;
	char			 err[1024];
	size_t			 errors = ps->ps_nerrors;
	int			 days;

	check_readable(ps, &li->li_loc, "certificate file", li->li_cert, 0);
	check_readable(ps, &li->li_loc, "key file", li->li_key, 1);
	if (li->li_cert == NULL || !(ps->ps_flags & CONF_FILES) ||
	    ps->ps_nerrors != errors)
		return;
	if (certificate_read(&ce, li->li_cert, li->li_key, &days, err,
	    sizeof(err)) == -1) {
		conf_fault(ps, &li->li_loc, "%s", err);
		return;
	}
	certificate_free(&ce);
	if (days < 0)
		conf_warning(ps, &li->li_loc, "certificate file \"%s\": the "
		    "certificate is over; senders refuse it", li->li_cert);
	else if (days < CERTIFICATE_SOON_DAYS)
		conf_warning(ps, &li->li_loc, "certificate file \"%s\": the "
		    "certificate is over in %d days", li->li_cert, days);
}

/* Who knows the secret of one sender would sign for the other. */
static void
check_shared_secret(struct parser *ps)
{
	const struct strlist	*gitea, *plane;
	size_t			 i;

	gitea = &ps->ps_cf->cf_secret[CONF_SOURCE_GITEA];
	plane = &ps->ps_cf->cf_secret[CONF_SOURCE_PLANE];
	for (i = 0; i < plane->sl_n; i++)
		if (strlist_has(gitea, plane->sl_v[i]))
			conf_fault(ps, &ps->ps_cf->cf_secret_loc[
			    CONF_SOURCE_PLANE], "secret file \"%s\" is that "
			    "of webhook gitea too: each sender needs a secret "
			    "of its own", plane->sl_v[i]);
}

static void
check_intake(struct parser *ps)
{
	struct conf			*cf = ps->ps_cf;
	const struct conf_listen	*li;
	size_t				 i, j;

	for (i = 0; i < cf->cf_nlisten; i++) {
		li = &cf->cf_listen[i];
		for (j = 0; j < i; j++)
			if (li->li_port == cf->cf_listen[j].li_port &&
			    strcmp(li->li_addr, cf->cf_listen[j].li_addr) == 0)
				conf_fault(ps, &li->li_loc, "%s port %u is "
				    "taken already, at %s:%u", li->li_addr,
				    (unsigned int)li->li_port,
				    cf->cf_listen[j].li_loc.cl_file,
				    cf->cf_listen[j].li_loc.cl_line);
		if (li->li_role == CONF_LISTEN_PAGE && !li->li_loopback &&
		    cf->cf_read_token == NULL)
			conf_fault(ps, &li->li_loc, "the page listens on %s, "
			    "which others can reach: it needs a line \"read "
			    "token file\"", li->li_addr);
	}
	for (i = 0; i < cf->cf_nlisten; i++)
		check_tls(ps, &cf->cf_listen[i]);
	for (i = 0; i < cf->cf_nnotify; i++)
		check_notify(ps, &cf->cf_notify[i]);
	check_shared_secret(ps);
	conf_check_hooks(ps);
	for (i = 0; i < CONF_SOURCE_MAX; i++)
		for (j = 0; j < cf->cf_secret[i].sl_n; j++)
			check_readable(ps, &cf->cf_secret_loc[i],
			    "secret file", cf->cf_secret[i].sl_v[j], ONE_LINE);
	check_readable(ps, &cf->cf_admin_loc, "admin token file",
	    cf->cf_admin_token, ONE_LINE);
	check_readable(ps, &cf->cf_read_loc, "read token file",
	    cf->cf_read_token, ONE_LINE);
}

/* Where a setting stands; a default stands at the file's first line. */
static struct conf_loc
or_first(const struct parser *ps, const struct conf_loc *loc)
{
	return (loc->cl_file != NULL ? *loc : first_line(ps));
}

static void
check_folders(struct parser *ps)
{
	struct conf	*cf = ps->ps_cf;
	struct conf_loc	 rloc = or_first(ps, &cf->cf_runtime_loc);
	struct conf_loc	 sloc = or_first(ps, &cf->cf_state_loc);
	size_t		 len = strlen(cf->cf_runtime) +
			    strlen("/control.sock");

	if (len > SOCKET_PATH_MAX)
		conf_fault(ps, &rloc, "runtime \"%s\": the path of "
		    "control.sock in it has %zu bytes, a socket's may have "
		    "%d", cf->cf_runtime, len, SOCKET_PATH_MAX);
	if (strlen(cf->cf_state) > 512)
		conf_fault(ps, &sloc, "state: the path is longer than 512 "
		    "bytes");
	if (strcmp(cf->cf_state, cf->cf_runtime) == 0)
		conf_fault(ps, &rloc, "state and runtime are the same folder");
}

static void
check_agent(struct parser *ps, const struct conf_agent *ca)
{
	const struct conf_loc	*loc = &ca->ca_loc;
	size_t			 i;

	if (ca->ca_command.sl_n == 0 && !ps->ps_syntax)
		conf_fault(ps, loc, "it has no command");
	if (ca->ca_command.sl_n > 0)
		check_command(ps, loc, ca);
	if (ca->ca_result != CONF_RESULT_NONE && ca->ca_net == CONF_NET_NONE)
		conf_warning(ps, loc, "result %s with network none: it reaches "
		    "no provider", conf_result_name(ca->ca_result));
	check_count(ps, loc, "command", ca->ca_command.sl_n, ARGV_MAX);
	check_count(ps, loc, "env", ca->ca_nenv, ENV_MAX);
	check_count(ps, loc, "network allow", ca->ca_hosts.sl_n, HOSTS_MAX);
	check_count(ps, loc, "transient", ca->ca_transient.sl_n, TEXTS_MAX);
	check_count(ps, loc, "bind", ca->ca_bind.sl_n, TEXTS_MAX);
	check_readable(ps, loc, "prompt file", ca->ca_prompt, 0);
	for (i = 0; i < ca->ca_nenv; i++) {
		if (ca->ca_env[i].ce_kind == CONF_ENV_FILE)
			check_readable(ps, loc, "env file",
			    ca->ca_env[i].ce_value, 1);
		else if (ca->ca_env[i].ce_kind == CONF_ENV_PASS &&
		    geteuid() == 0 && (ps->ps_flags & CONF_FILES))
			conf_fault(ps, loc, "env %s without a file passes a "
			    "variable of a person's shell; started as root, "
			    "orchd needs %s file \"...\"",
			    ca->ca_env[i].ce_name, ca->ca_env[i].ce_name);
	}
	if (ca->ca_sandbox == CONF_SANDBOX_NONE)
		conf_warning(ps, loc, "sandbox none: it can read and change "
		    "all that its user can");
	else if (ca->ca_sandbox == CONF_SANDBOX_LANDLOCK)
		conf_warning(ps, loc, "sandbox landlock is weaker than bwrap");
}

static void
check_agents(struct parser *ps)
{
	struct conf	*cf = ps->ps_cf;
	size_t		 i;

	for (i = 0; i < cf->cf_nagents; i++) {
		ps->ps_agent = cf->cf_agents[i];
		if (cf->cf_agents[i]->ca_project >= 0)
			ps->ps_project =
			    &cf->cf_projects[cf->cf_agents[i]->ca_project];
		check_agent(ps, cf->cf_agents[i]);
	}
	ps->ps_agent = NULL;
	ps->ps_project = NULL;
}

static void
check_names(struct parser *ps, const struct conf_project *cp)
{
	const struct conf_project	*other;

	if (!name_ok(cp->cp_name, 40, "-_."))
		conf_fault(ps, &cp->cp_loc, "the name has to be a letter, "
		    "then letters, digits, \"-\", \"_\" or \".\", at most 40");
	if (cp->cp_prefix == NULL) {
		if (!ps->ps_syntax)
			conf_fault(ps, &cp->cp_loc, "it has no prefix (prefix "
			    "DEMO makes DEMO-1)");
		return;
	}
	if (!name_ok(cp->cp_prefix, 16, "_"))
		conf_fault(ps, &cp->cp_loc, "prefix \"%s\" has to be a "
		    "letter, then letters, digits or \"_\", at most 16",
		    cp->cp_prefix);
	other = conf_project_by_prefix(ps->ps_cf, cp->cp_prefix);
	if (other != cp)
		conf_fault(ps, &cp->cp_loc, "prefix \"%s\" belongs to project "
		    "\"%s\" already, at %s:%u", cp->cp_prefix, other->cp_name,
		    other->cp_loc.cl_file, other->cp_loc.cl_line);
}

static void
check_from(struct parser *ps, const struct conf_project *cp)
{
	struct stat	 sb;

	if (!(ps->ps_flags & CONF_FILES) || cp->cp_forge_from == NULL)
		return;
	if (stat(cp->cp_forge_from, &sb) == -1)
		conf_fault(ps, &cp->cp_loc, "forge local from \"%s\": %s",
		    cp->cp_forge_from, strerror(errno));
	else if (!S_ISDIR(sb.st_mode))
		conf_fault(ps, &cp->cp_loc, "forge local from \"%s\" is not a "
		    "folder", cp->cp_forge_from);
}

static void
check_gitea(struct parser *ps, const struct conf_project *cp)
{
	const struct conf_loc	*loc = &cp->cp_loc;
	char			 url[1200];

	check_url(ps, loc, "forge gitea", cp->cp_forge_url);
	conf_check_base(ps, cp);
	if (gitea_url(url, sizeof(url), "", cp->cp_forge_repo, "%s", "") ==
	    -1)
		conf_fault(ps, loc, "repo \"%s\" has to be OWNER/NAME",
		    cp->cp_forge_repo);
	check_readable(ps, loc, "read token file", cp->cp_forge_read,
	    ONE_LINE);
	check_readable(ps, loc, "write token file", cp->cp_forge_write,
	    ONE_LINE);
	if (strcmp(cp->cp_forge_read, cp->cp_forge_write) == 0)
		conf_warning(ps, loc, "read token and write token are the "
		    "same file: what only reads the forge could write it too");
}

static void
check_plane(struct parser *ps, const struct conf_project *cp)
{
	const struct conf_loc	*loc = &cp->cp_loc;
	char			 url[1200];

	check_url(ps, loc, "tracker plane", cp->cp_tracker_url);
	if (plane_url(url, sizeof(url), "", cp->cp_tracker_workspace,
	    cp->cp_tracker_project, "%s", "") == -1)
		conf_fault(ps, loc, "workspace \"%s\" has to be the slug of "
		    "the address bar (letters, digits, \"-\", \"_\") and "
		    "project \"%s\" a UUID", cp->cp_tracker_workspace,
		    cp->cp_tracker_project);
	check_readable(ps, loc, "tracker token file", cp->cp_tracker_token,
	    ONE_LINE);
}

/* Two projects on one repository, or on one of the tracker, are a mistake. */
static void
check_twice(struct parser *ps, const struct conf_project *cp)
{
	const struct conf_project	*o;
	size_t				 i;

	for (i = 0; i < cp->cp_index; i++) {
		o = &ps->ps_cf->cf_projects[i];
		if (cp->cp_forge == CONF_FORGE_GITEA &&
		    o->cp_forge == CONF_FORGE_GITEA &&
		    strcasecmp(cp->cp_forge_repo, o->cp_forge_repo) == 0 &&
		    strcmp(cp->cp_forge_url, o->cp_forge_url) == 0)
			conf_fault(ps, &cp->cp_loc, "repo \"%s\" is that of "
			    "project \"%s\" already", cp->cp_forge_repo,
			    o->cp_name);
		if (cp->cp_tracker == CONF_TRACKER_PLANE &&
		    o->cp_tracker == CONF_TRACKER_PLANE &&
		    strcasecmp(cp->cp_tracker_project,
		    o->cp_tracker_project) == 0)
			conf_fault(ps, &cp->cp_loc, "the tracker's project is "
			    "that of \"%s\" already", o->cp_name);
	}
}

static void
check_outside(struct parser *ps, const struct conf_project *cp)
{
	const struct conf_loc	*loc = &cp->cp_loc;

	if (cp->cp_forge == CONF_FORGE_UNSET && !ps->ps_syntax)
		conf_fault(ps, loc, "it has no forge (forge local from "
		    "\"PATH\", or forge gitea)");
	if (cp->cp_tracker == CONF_TRACKER_UNSET && !ps->ps_syntax)
		conf_fault(ps, loc, "it has no tracker (tracker local)");
	if (cp->cp_forge == CONF_FORGE_GITEA)
		check_gitea(ps, cp);
	if (cp->cp_tracker == CONF_TRACKER_PLANE) {
		check_plane(ps, cp);
		conf_check_statuses(ps, cp);
	}
	check_twice(ps, cp);
	if (cp->cp_ci == CONF_CI_FORGE && cp->cp_forge == CONF_FORGE_LOCAL)
		conf_fault(ps, loc, "ci forge: forge local has no CI; the "
		    "project's test is the gate");
	check_count(ps, loc, "intake authors", cp->cp_intake_authors.sl_n,
	    TEXTS_MAX);
	check_count(ps, loc, "intake labels", cp->cp_intake_labels.sl_n,
	    TEXTS_MAX);
	check_from(ps, cp);
	if (cp->cp_merge != CONF_MERGE_FF_ONLY &&
	    cp->cp_forge == CONF_FORGE_LOCAL)
		conf_fault(ps, loc, "merge-method %s: forge local lands by "
		    "fast-forward-only", conf_merge_name(cp->cp_merge));
	if (!git_branch_valid(cp->cp_target))
		conf_fault(ps, loc, "target \"%s\" is not a branch name "
		    "(letters, digits, \".\", \"_\", \"/\", \"-\")",
		    cp->cp_target);
	if (!git_branch_valid(cp->cp_records_branch))
		conf_fault(ps, loc, "records-branch \"%s\" is not a branch "
		    "name (letters, digits, \".\", \"_\", \"/\", \"-\")",
		    cp->cp_records_branch);
	else if (strcmp(cp->cp_records_branch, cp->cp_target) == 0)
		conf_fault(ps, loc, "records-branch and target are the same "
		    "branch");
}

static void
check_commands(struct parser *ps, const struct conf_project *cp)
{
	static const enum conf_cmd	 needed[] = {
		CONF_CMD_TEST, CONF_CMD_DEPLOY_HOOK,
	};
	const struct conf_command	*cc;
	size_t				 i;

	for (i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (cp->cp_cmd[needed[i]].cc_argv.sl_n == 0 && !ps->ps_syntax)
			conf_fault(ps, &cp->cp_loc, "it has no line \"%s\", "
			    "and its pipeline needs one",
			    conf_cmd_name(needed[i]));
	if (cp->cp_cmd[CONF_CMD_STAGING_DEPLOY].cc_argv.sl_n > 0 &&
	    cp->cp_cmd[CONF_CMD_STAGING_CHECK].cc_argv.sl_n == 0)
		conf_fault(ps, &cp->cp_cmd[CONF_CMD_STAGING_DEPLOY].cc_loc,
		    "staging deploy needs a staging check: the verdict comes "
		    "from it");
	for (i = 0; i < CONF_CMD_MAX; i++) {
		cc = &cp->cp_cmd[i];
		check_count(ps, &cc->cc_loc, conf_cmd_name((enum conf_cmd)i),
		    cc->cc_argv.sl_n, ARGV_MAX);
		if (cc->cc_argv.sl_n > 0 && (i == CONF_CMD_DEPLOY_HOOK ||
		    i == CONF_CMD_ROLLBACK_HOOK))
			check_program(ps, &cc->cc_loc,
			    conf_cmd_name((enum conf_cmd)i),
			    cc->cc_argv.sl_v[0]);
	}
	check_count(ps, &cp->cp_loc, "staging known-infra",
	    cp->cp_known_infra.sl_n, INFRA_MAX);
	check_count(ps, &cp->cp_loc, "architect writes",
	    cp->cp_architect_writes.sl_n, TEXTS_MAX);
}

/* Not deploy: what is there has landed, and only its hook judges it. */
static int
takes_gate(const char *stage)
{
	return (conf_is_stage(stage) && strcmp(stage, "created") != 0 &&
	    strcmp(stage, "deploy") != 0 && strcmp(stage, "done") != 0 &&
	    strcmp(stage, "cancelled") != 0);
}

static void
check_gates(struct parser *ps, const struct conf_project *cp)
{
	const struct conf_gate	*cg;
	size_t			 i;

	for (i = 0; i < cp->cp_ngates; i++) {
		cg = &cp->cp_gates[i];
		if (!name_ok(cg->cg_name, 40, "-_."))
			conf_fault(ps, &cg->cg_cmd.cc_loc, "gate \"%s\": the "
			    "name has to be a letter, then letters, digits, "
			    "\"-\", \"_\" or \".\", at most 40", cg->cg_name);
		if (strncmp(cg->cg_name, "check_", 6) == 0)
			conf_fault(ps, &cg->cg_cmd.cc_loc, "gate \"%s\": "
			    "names that begin with check_ are orchd's own",
			    cg->cg_name);
		if (!takes_gate(cg->cg_stage))
			conf_fault(ps, &cg->cg_cmd.cc_loc, "gate \"%s\": "
			    "stage \"%s\" takes no gate (analysis, "
			    "architecture, development, review, testing, "
			    "deploy-staging)", cg->cg_name, cg->cg_stage);
		check_count(ps, &cg->cg_cmd.cc_loc, "the gate's command",
		    cg->cg_cmd.cc_argv.sl_n, ARGV_MAX);
	}
}

static void
check_roles(struct parser *ps, const struct conf_project *cp)
{
	int	 role;

	for (role = 0; role < CONF_ROLE_MAX; role++)
		if (role != CONF_ROLE_DEPLOYER && !ps->ps_syntax &&
		    conf_agent_for(ps->ps_cf, cp, (enum conf_role)role) ==
		    NULL)
			conf_fault(ps, &cp->cp_loc, "there is no agent %s, "
			    "neither here nor globally",
			    conf_role_name((enum conf_role)role));
}

static void
check_repos(struct parser *ps, enum option o)
{
	struct conf			*cf = ps->ps_cf;
	const struct strlist		*l = conf_list(cf, NULL, o);
	const struct option_value	*v = &cf->cf_options[o];
	struct conf_loc			 loc = first_line(ps);
	size_t				 i;

	if (v->ov_file != NULL) {
		loc.cl_file = v->ov_file;
		loc.cl_line = v->ov_line;
	}
	for (i = 0; i < l->sl_n; i++)
		if (conf_project_by_name(cf, l->sl_v[i]) == NULL)
			conf_fault(ps, v->ov_set && v->ov_file == NULL ? NULL :
			    &loc, "%s: there is no project \"%s\"",
			    option_def(o)->od_name, l->sl_v[i]);
}

void
conf_check(struct parser *ps)
{
	struct conf	*cf = ps->ps_cf;
	struct conf_loc	 loc = first_line(ps);
	size_t		 i;

	check_folders(ps);
	check_intake(ps);
	check_agents(ps);
	check_repos(ps, OPT_TRANSITION_LEASE_REPOS);
	check_repos(ps, OPT_MERGE_GATE_REPOS);
	if (cf->cf_nprojects == 0 && !ps->ps_syntax)
		conf_fault(ps, &loc, "there is no project");
	for (i = 0; i < cf->cf_nprojects; i++) {
		ps->ps_project = &cf->cf_projects[i];
		check_names(ps, ps->ps_project);
		check_outside(ps, ps->ps_project);
		check_commands(ps, ps->ps_project);
		check_gates(ps, ps->ps_project);
		check_roles(ps, ps->ps_project);
		conf_check_limits(ps, ps->ps_project);
	}
	ps->ps_project = NULL;
}
