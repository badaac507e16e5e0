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
#include <inttypes.h>
#include <string.h>

#include "conf.h"

/*
 * The canonical form.  Whatever the grammar can say is written here, one
 * setting a line, so that reading it again gives the same configuration.
 */

static void
print_texts(const char *head, const struct strlist *l, FILE *fp)
{
	size_t	 i;

	fputs(head, fp);
	for (i = 0; i < l->sl_n; i++) {
		fputc(' ', fp);
		option_print_quoted(l->sl_v[i], fp);
	}
	fputc('\n', fp);
}

static void
print_block(const char *head, const struct strlist *l, FILE *fp)
{
	size_t	 i;

	fprintf(fp, "%s {", head);
	for (i = 0; i < l->sl_n; i++) {
		fputc(' ', fp);
		option_print_quoted(l->sl_v[i], fp);
	}
	fputs(" }\n", fp);
}

static void
print_text(const char *head, const char *text, FILE *fp)
{
	if (text == NULL)
		return;
	fprintf(fp, "%s ", head);
	option_print_quoted(text, fp);
	fputc('\n', fp);
}

static void
print_options(const struct option_value *v, const char *indent, int all,
    FILE *fp)
{
	size_t	 i;

	for (i = 0; i < OPT_MAX; i++) {
		if (!all && !v[i].ov_set)
			continue;
		fprintf(fp, "%s%s ", indent,
		    option_def((enum option)i)->od_name);
		option_print_value((enum option)i, &v[i], fp);
		fputc('\n', fp);
	}
}

static void
print_grace(const struct conf_grace *gr, size_t n, const char *indent,
    FILE *fp)
{
	size_t	 i;

	if (n == 0)
		return;
	fprintf(fp, "%sreconcile_grace {", indent);
	for (i = 0; i < n; i++)
		fprintf(fp, " %s %" PRId64, gr[i].gr_stage, gr[i].gr_seconds);
	fprintf(fp, " }\n");
}

static void
print_env(const struct conf_agent *ca, const char *in, FILE *fp)
{
	const struct conf_env	*ce;
	size_t			 i;

	fprintf(fp, "%s\tenv {\n", in);
	for (i = 0; i < ca->ca_nenv; i++) {
		ce = &ca->ca_env[i];
		fprintf(fp, "%s\t\t%s", in, ce->ce_name);
		if (ce->ce_kind == CONF_ENV_FILE)
			fputs(" file", fp);
		if (ce->ce_value != NULL) {
			fputc(' ', fp);
			option_print_quoted(ce->ce_value, fp);
		}
		fputc('\n', fp);
	}
	fprintf(fp, "%s\t}\n", in);
}

static void
print_agent(const struct conf_agent *ca, const char *in, FILE *fp)
{
	fprintf(fp, "%sagent %s {\n%s", in, conf_role_name(ca->ca_role), in);
	if (ca->ca_command.sl_n > 0) {
		print_texts("\tcommand", &ca->ca_command, fp);
		fputs(in, fp);
	}
	fprintf(fp, "\ttimeout %" PRId64 "\n", ca->ca_timeout_s);
	print_env(ca, in, fp);
	fprintf(fp, "%s\tnetwork %s", in, conf_net_name(ca->ca_net));
	if (ca->ca_net == CONF_NET_ALLOW)
		print_block("", &ca->ca_hosts, fp);
	else
		fputc('\n', fp);
	fprintf(fp, "%s\tsandbox %s\n", in, conf_sandbox_name(ca->ca_sandbox));
	if (ca->ca_prompt != NULL) {
		fputs(in, fp);
		print_text("\tprompt file", ca->ca_prompt, fp);
	}
	fprintf(fp, "%s\tresult %s\n%s", in, conf_result_name(ca->ca_result),
	    in);
	print_block("\ttransient", &ca->ca_transient, fp);
	fprintf(fp, "%s\tmemory %" PRId64 "\n", in, ca->ca_memory_mb);
	fprintf(fp, "%s\tprocesses %" PRId64 "\n%s", in, ca->ca_processes, in);
	print_block("\tbind", &ca->ca_bind, fp);
	fprintf(fp, "%s}\n", in);
}

static void
print_forge(const struct conf_project *cp, FILE *fp)
{
	switch (cp->cp_forge) {
	case CONF_FORGE_UNSET:
		break;
	case CONF_FORGE_LOCAL:
		print_text("\tforge local from", cp->cp_forge_from, fp);
		break;
	case CONF_FORGE_GITEA:
		fputs("\tforge gitea ", fp);
		option_print_quoted(cp->cp_forge_url, fp);
		fputs(" repo ", fp);
		option_print_quoted(cp->cp_forge_repo, fp);
		fputs(" read token file ", fp);
		option_print_quoted(cp->cp_forge_read, fp);
		print_text(" write token file", cp->cp_forge_write, fp);
		break;
	}
}

static void
print_tracker(const struct conf_project *cp, FILE *fp)
{
	switch (cp->cp_tracker) {
	case CONF_TRACKER_UNSET:
		break;
	case CONF_TRACKER_LOCAL:
		fputs("\ttracker local\n", fp);
		break;
	case CONF_TRACKER_PLANE:
		fputs("\ttracker plane ", fp);
		option_print_quoted(cp->cp_tracker_url, fp);
		fputs(" workspace ", fp);
		option_print_quoted(cp->cp_tracker_workspace, fp);
		fputs(" project ", fp);
		option_print_quoted(cp->cp_tracker_project, fp);
		print_text(" token file", cp->cp_tracker_token, fp);
		break;
	}
}

static void
print_commands(const struct conf_project *cp, FILE *fp)
{
	const struct conf_command	*cc;
	const struct conf_gate		*cg;
	char				 head[64];
	size_t				 i;

	for (i = 0; i < CONF_CMD_MAX; i++) {
		cc = &cp->cp_cmd[i];
		if (cc->cc_argv.sl_n == 0)
			continue;
		snprintf(head, sizeof(head), "\t%s%s",
		    conf_cmd_name((enum conf_cmd)i),
		    cc->cc_report ? " report" : "");
		print_texts(head, &cc->cc_argv, fp);
	}
	for (i = 0; i < cp->cp_ngates; i++) {
		cg = &cp->cp_gates[i];
		fputs("\tgate ", fp);
		option_print_quoted(cg->cg_name, fp);
		fprintf(fp, " in %s command%s", cg->cg_stage,
		    cg->cg_cmd.cc_report ? " report" : "");
		print_texts("", &cg->cg_cmd.cc_argv, fp);
	}
}

static void
print_status(const struct conf_project *cp, FILE *fp)
{
	size_t	 i;

	for (i = 0; i < CONF_STATUS_MAX; i++) {
		if (cp->cp_status[i] == NULL)
			continue;
		fputs("\tstatus { ", fp);
		option_print_quoted(conf_status_name(NULL,
		    (enum conf_status)i), fp);
		fputc(' ', fp);
		option_print_quoted(cp->cp_status[i], fp);
		fputs(" }\n", fp);
	}
}

static void
print_project(const struct conf_project *cp, FILE *fp)
{
	size_t	 i;

	fputs("\nproject ", fp);
	option_print_quoted(cp->cp_name, fp);
	fputs(" {\n", fp);
	print_text("\tprefix", cp->cp_prefix, fp);
	print_forge(cp, fp);
	print_tracker(cp, fp);
	if (cp->cp_ci != CONF_CI_UNSET)
		fprintf(fp, "\tci %s\n", cp->cp_ci == CONF_CI_FORGE ?
		    "forge" : "none");
	print_block("\tintake authors", &cp->cp_intake_authors, fp);
	print_block("\tintake labels", &cp->cp_intake_labels, fp);
	print_text("\ttarget", cp->cp_target, fp);
	if (cp->cp_self_hosting)
		fputs("\tself-hosting\n", fp);
	print_commands(cp, fp);
	fprintf(fp, "\tstaging network %s\n",
	    conf_net_name(cp->cp_staging_net));
	print_block("\tstaging known-infra", &cp->cp_known_infra, fp);
	fprintf(fp, "\tgates network %s\n", conf_net_name(cp->cp_gates_net));
	fprintf(fp, "\tmerge-method %s\n", conf_merge_name(cp->cp_merge));
	print_block("\tarchitect writes", &cp->cp_architect_writes, fp);
	print_text("\trecords-branch", cp->cp_records_branch, fp);
	if (cp->cp_review_approval)
		fputs("\treview approval required\n", fp);
	print_status(cp, fp);
	print_grace(cp->cp_grace, cp->cp_ngrace, "\t", fp);
	print_options(cp->cp_options, "\t", 0, fp);
	for (i = 0; i < cp->cp_nagents; i++)
		print_agent(&cp->cp_agents[i], "\t", fp);
	fputs("}\n", fp);
}

static void
print_intake(const struct conf *cf, FILE *fp)
{
	static const char *const roles[] = {
		[CONF_LISTEN_WEBHOOK] = "webhook", [CONF_LISTEN_PAGE] = "page",
	};
	static const char *const sources[] = {
		[CONF_SOURCE_GITEA] = "gitea", [CONF_SOURCE_PLANE] = "plane",
	};
	const struct conf_listen	*li;
	size_t				 i, j;

	for (i = 0; i < cf->cf_nlisten; i++) {
		li = &cf->cf_listen[i];
		fprintf(fp, strchr(li->li_addr, ':') != NULL ?
		    "listen %s on \"[%s]\" port %u" :
		    "listen %s on \"%s\" port %u", roles[li->li_role],
		    li->li_addr, (unsigned int)li->li_port);
		if (li->li_cert != NULL) {
			fputs(" tls certificate file ", fp);
			option_print_quoted(li->li_cert, fp);
			fputs(" key file ", fp);
			option_print_quoted(li->li_key, fp);
		}
		fputc('\n', fp);
	}
	for (i = 0; i < CONF_SOURCE_MAX; i++)
		for (j = 0; j < cf->cf_secret[i].sl_n; j++) {
			fprintf(fp, "webhook %s", sources[i]);
			print_text(" secret file", cf->cf_secret[i].sl_v[j],
			    fp);
		}
	print_text("admin token file", cf->cf_admin_token, fp);
	print_text("read token file", cf->cf_read_token, fp);
}

static void
print_notify(const struct conf_notify *cn, FILE *fp)
{
	fputs("notify ", fp);
	option_print_quoted(cn->cn_name, fp);
	switch (cn->cn_kind) {
	case CONF_NOTIFY_TELEGRAM:
		fputs(" telegram chat ", fp);
		option_print_quoted(cn->cn_to, fp);
		print_text(" token file", cn->cn_file, fp);
		break;
	case CONF_NOTIFY_WEBHOOK:
		fputs(" webhook ", fp);
		option_print_quoted(cn->cn_to, fp);
		print_text(" secret file", cn->cn_file, fp);
		break;
	case CONF_NOTIFY_EXEC:
		print_texts(" exec", &cn->cn_argv, fp);
		break;
	}
}

int
conf_print(const struct conf *cf, FILE *fp)
{
	size_t	 i;

	print_text("state", cf->cf_state, fp);
	print_text("runtime", cf->cf_runtime, fp);
	print_intake(cf, fp);
	for (i = 0; i < cf->cf_nnotify; i++)
		print_notify(&cf->cf_notify[i], fp);
	fputc('\n', fp);
	print_options(cf->cf_options, "", 1, fp);
	print_grace(cf->cf_grace, cf->cf_ngrace, "", fp);
	for (i = 0; i < cf->cf_nglobal_agents; i++) {
		fputc('\n', fp);
		print_agent(&cf->cf_global_agents[i], "", fp);
	}
	for (i = 0; i < cf->cf_nprojects; i++)
		print_project(&cf->cf_projects[i], fp);
	if (fflush(fp) == EOF || ferror(fp)) {
		if (errno == 0)
			errno = EIO;
		return (-1);
	}
	return (0);
}
