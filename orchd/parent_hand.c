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

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/log.h"

#include "parent.h"

/*
 * What a daemon is handed before it may go: listeners, secrets, projects.
 * Each gets what its work needs and nothing else.
 */

#define HAND_CERTS_MAX	15	/* of 4 KiB at most; proto/messages.def */

static void
list_option(struct strlist *l, enum option o, const struct option_value *v)
{
	char	*value, line[1024];
	size_t	 len;
	FILE	*fp;

	if ((fp = open_memstream(&value, &len)) == NULL)
		fatal("options");
	option_print_value(o, v, fp);
	fclose(fp);
	if (snprintf(line, sizeof(line), "%s=%s", option_def(o)->od_name,
	    value) < (int)sizeof(line))
		strlist_add(l, line);
	free(value);
}

void
hand_options(struct strlist *l)
{
	size_t	 i;

	for (i = 0; i < OPT_MAX; i++)
		if (option_def((enum option)i)->od_scope == OPTION_G)
			list_option(l, (enum option)i,
			    &par.p_conf->cf_options[i]);
}

void
hand_certificates(struct strlist *l)
{
	const struct conf_listen	*li;
	char				 line[PATH_MAX + 32];
	size_t				 i;

	/* Both lists are of the listen lines, in their order. */
	for (i = 0; i < par.p_nlisten && i < par.p_conf->cf_nlisten; i++) {
		li = &par.p_conf->cf_listen[i];
		if (par.p_listen[i].l_tls.ce_cert == NULL ||
		    par.p_listen[i].l_tls.ce_end == -1 ||
		    l->sl_n == HAND_CERTS_MAX || snprintf(line, sizeof(line),
		    "%lld %s", (long long)par.p_listen[i].l_tls.ce_end,
		    li->li_cert) >= (int)sizeof(line))
			continue;
		if (!strlist_has(l, line))
			strlist_add(l, line);
	}
}

static void
send_listeners(struct child *c, enum child_id id)
{
	enum conf_listen_role	 role = id == CH_WEBHOOK ?
				    CONF_LISTEN_WEBHOOK : CONF_LISTEN_PAGE;
	struct orch_child_listen m;
	const struct listener	*l;
	size_t			 i;

	for (i = 0; i < par.p_nlisten; i++) {
		l = &par.p_listen[i];
		if (l->l_role != role)
			continue;
		memset(&m, 0, sizeof(m));
		m.name = role == CONF_LISTEN_WEBHOOK ? "webhook" : "page";
		m.loopback = (uint8_t)l->l_loopback;
		m.cert.b_data = (const uint8_t *)l->l_tls.ce_cert;
		m.cert.b_len = l->l_tls.ce_certlen;
		m.key.b_data = (const uint8_t *)l->l_tls.ce_key;
		m.key.b_len = l->l_tls.ce_keylen;
		child_send(c, ORCH_child_listen, &m, l->l_fd);
	}
}

static void
send_secret(struct child *c, const char *name, const char *path)
{
	struct orch_child_secret m;
	char			 err[512], *value;

	if ((value = secret_read(path, err, sizeof(err))) == NULL) {
		log_warnx("%s: %s", child_name(c), err);
		return;
	}
	m.name = name;
	m.value = value;
	child_send(c, ORCH_child_secret, &m, -1);
	secret_free(value);
}

static void
send_webhook_secrets(struct child *c)
{
	static const char *const names[] = {
		[CONF_SOURCE_GITEA] = "gitea", [CONF_SOURCE_PLANE] = "plane",
	};
	const struct strlist	*l;
	char			 name[32];
	size_t			 i, j;

	for (i = 0; i < CONF_SOURCE_MAX; i++) {
		l = &par.p_conf->cf_secret[i];
		for (j = 0; j < l->sl_n; j++) {
			snprintf(name, sizeof(name), "%s.%zu", names[i], j);
			send_secret(c, name, l->sl_v[j]);
		}
	}
}

/* The statuses that the project calls otherwise than orchd does. */
static void
list_statuses(struct strlist *l, const struct conf_project *cp)
{
	char	 line[512];
	size_t	 i;

	for (i = 0; i < CONF_STATUS_MAX; i++)
		if (cp->cp_status[i] != NULL && snprintf(line, sizeof(line),
		    "%s=%s", conf_status_name(NULL, (enum conf_status)i),
		    cp->cp_status[i]) < (int)sizeof(line))
			strlist_add(l, line);
}

/* What a daemon asks of a project; the value in force, wherever it stands. */
static void
list_project_options(struct strlist *l, const struct conf_project *cp)
{
	char	 line[64];

	snprintf(line, sizeof(line), "forge_poll_enabled=%s",
	    conf_bool(par.p_conf, cp, OPT_FORGE_POLL_ENABLED) ? "yes" : "no");
	strlist_add(l, line);
	snprintf(line, sizeof(line), "forge_poll_interval_s=%lld", (long long)
	    conf_int(par.p_conf, cp, OPT_FORGE_POLL_INTERVAL_S));
	strlist_add(l, line);
	snprintf(line, sizeof(line), "merge_method=%s",
	    conf_merge_name(cp->cp_merge));
	strlist_add(l, line);
}

static const char *
or_empty(const char *s)
{
	return (s != NULL ? s : "");
}

static void
send_project(struct child *c, const struct conf_project *cp)
{
	struct orch_child_project m;
	static const char *const none[] = { NULL };
	struct strlist		 statuses = { NULL, 0 }, opts = { NULL, 0 };

	memset(&m, 0, sizeof(m));
	m.statuses.l_argv = none;
	list_statuses(&statuses, cp);
	list_project_options(&opts, cp);
	m.name = cp->cp_name;
	m.prefix = cp->cp_prefix;
	m.target = cp->cp_target;
	m.forge = cp->cp_forge == CONF_FORGE_GITEA ? "gitea" : "local";
	m.forge_url = or_empty(cp->cp_forge_url);
	m.forge_repo = or_empty(cp->cp_forge_repo);
	m.tracker = cp->cp_tracker == CONF_TRACKER_PLANE ? "plane" : "local";
	m.tracker_url = or_empty(cp->cp_tracker_url);
	m.workspace = or_empty(cp->cp_tracker_workspace);
	m.tracker_project = or_empty(cp->cp_tracker_project);
	if (statuses.sl_n > 0)
		m.statuses.l_argv = (const char *const *)statuses.sl_v;
	m.options.l_argv = (const char *const *)opts.sl_v;
	child_send(c, ORCH_child_project, &m, -1);
	strlist_free(&statuses);
	strlist_free(&opts);
}

/* Tokens of one project: to read for one daemon, to write for the other. */
static void
send_tokens(struct child *c, const struct conf_project *cp, int writes)
{
	char	 name[80];

	if (cp->cp_forge == CONF_FORGE_GITEA) {
		snprintf(name, sizeof(name), "forge:%s", cp->cp_name);
		send_secret(c, name, writes ? cp->cp_forge_write :
		    cp->cp_forge_read);
	}
	if (cp->cp_tracker == CONF_TRACKER_PLANE && !writes) {
		snprintf(name, sizeof(name), "tracker:%s", cp->cp_name);
		send_secret(c, name, cp->cp_tracker_token);
	}
}

static void
send_projects(struct child *c, int writes)
{
	const struct conf_project	*cp;
	size_t				 i;

	for (i = 0; i < par.p_conf->cf_nprojects; i++) {
		cp = &par.p_conf->cf_projects[i];
		if (cp->cp_forge != CONF_FORGE_GITEA &&
		    cp->cp_tracker != CONF_TRACKER_PLANE)
			continue;
		send_project(c, cp);
		send_tokens(c, cp, writes);
	}
}

/* How, to whom, and with what: one line (libcommon/daemon.h). */
static void
send_messenger(struct child *c, const struct conf_notify *cn)
{
	struct orch_child_secret m;
	char			 err[512], name[80], *value, *line;

	if ((value = secret_read(cn->cn_file, err, sizeof(err))) == NULL) {
		log_warnx("notify %s: %s", cn->cn_name, err);
		return;
	}
	if (asprintf(&line, "%s %s %s", conf_notify_name(cn->cn_kind),
	    cn->cn_to, value) == -1)
		fatalx("out of memory");
	snprintf(name, sizeof(name), "notify:%s", cn->cn_name);
	m.name = name;
	m.value = line;
	child_send(c, ORCH_child_secret, &m, -1);
	secret_free(line);
	secret_free(value);
}

void
hand_over(struct child *c, enum child_id id)
{
	size_t	 i;

	switch (id) {
	case CH_WEBHOOK:
		send_webhook_secrets(c);
		/* FALLTHROUGH */
	case CH_PAGE:
		send_listeners(c, id);
		break;
	case CH_FINALIZERD:
		send_projects(c, 1);
		break;
	case CH_RECONCILED:
		send_projects(c, 0);
		for (i = 0; i < par.p_conf->cf_nnotify; i++)
			if (par.p_conf->cf_notify[i].cn_kind !=
			    CONF_NOTIFY_EXEC)
				send_messenger(c, &par.p_conf->cf_notify[i]);
		break;
	default:
		break;
	}
}
