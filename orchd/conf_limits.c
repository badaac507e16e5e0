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

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "conf_parse.h"

/*
 * The arithmetic of limits: nothing that keeps within its own limit may
 * ever meet the ceiling, and no single command the watch.  Every number that
 * takes part is named, with the place where it was set.
 */

/* " (orchd.conf:3)" of an option, of the project or global; "" a default. */
static const char *
where(const struct conf *cf, const struct conf_project *cp, enum option o,
    char *buf, size_t len)
{
	const struct option_value	*v = &cp->cp_options[o];

	if (!v->ov_set)
		v = &cf->cf_options[o];
	buf[0] = '\0';
	if (v->ov_file != NULL)
		snprintf(buf, len, " (%s:%u)", v->ov_file, v->ov_line);
	return (buf);
}

/* The sum that terms spell out, and the grace, have to be below the ceiling. */
static void
below_ceiling(struct parser *ps, const struct conf_project *cp, int64_t sum,
    const char *terms)
{
	const struct conf	*cf = ps->ps_cf;
	int64_t			 max, grace;
	char			 at[300];

	max = conf_int(cf, NULL, OPT_REAPER_MAX_RUNNING_S);
	grace = conf_int(cf, NULL, OPT_REAPER_FINALIZE_GRACE_S);
	if (max <= sum + grace)
		conf_fault(ps, &cp->cp_loc, "reaper_max_running_s %" PRId64
		    "%s has to be greater than %" PRId64 ": %s + "
		    "reaper_finalize_grace_s %" PRId64, max, where(cf, cp,
		    OPT_REAPER_MAX_RUNNING_S, at, sizeof(at)), sum + grace,
		    terms, grace);
}

/* Adds "2 x name 900 (file:3)" to terms; returns what it counts. */
static int64_t
term(const struct conf *cf, const struct conf_project *cp, enum option o,
    int64_t times, const char *what, char *terms, size_t len)
{
	int64_t	 v = conf_int(cf, cp, o);
	char	 at[300], factor[64] = "";
	size_t	 used = strlen(terms);

	if (times != 1 || what[0] != '\0')
		snprintf(factor, sizeof(factor), "%" PRId64 "%s x ", times,
		    what);
	snprintf(terms + used, len - used, "%s%s%s %" PRId64 "%s",
	    used > 0 ? " + " : "", factor, option_def(o)->od_name, v,
	    where(cf, cp, o, at, sizeof(at)));
	return (times * v);
}

/* What one lease has to cover on the edge deploy-staging to deploy. */
static void
limit_edge(struct parser *ps, const struct conf_project *cp)
{
	static const struct {
		enum option	 opt;
		int		 times;
	} terms[] = {
		{ OPT_SECURITY_TIMEOUT_S, 1 },
		{ OPT_MERGE_RETEST_TIMEOUT_S, 2 },
		{ OPT_COVERAGE_RUN_TIMEOUT_S, 1 },
		{ OPT_IMAGE_BUILD_TIMEOUT_S, 1 },
		{ OPT_STAGING_CHECK_TIMEOUT_S, 2 },
		{ OPT_CI_WAIT_TIMEOUT_S, 1 },
	};
	int64_t	 sum = 0, own = 0;
	char	 text[2048] = "";
	size_t	 i;

	for (i = 0; i < sizeof(terms) / sizeof(terms[0]); i++)
		sum += term(ps->ps_cf, cp, terms[i].opt, terms[i].times, "",
		    text, sizeof(text));
	for (i = 0; i < cp->cp_ngates; i++)
		own += strcmp(cp->cp_gates[i].cg_stage, "deploy-staging") ==
		    0;
	if (own > 0)
		sum += term(ps->ps_cf, cp, OPT_TEST_TIMEOUT_S, own,
		    " own gates", text, sizeof(text));
	below_ceiling(ps, cp, sum, text);
}

/* What is one process alone: tests and own gates, the deploy, the monitor. */
static void
limit_alone(struct parser *ps, const struct conf_project *cp)
{
	static const enum option	 alone[] = {
		OPT_TEST_TIMEOUT_S, OPT_DEPLOY_TIMEOUT_S,
		OPT_POST_DEPLOY_WINDOW_S,
	};
	const struct conf		*cf = ps->ps_cf;
	char				 text[512];
	int64_t				 v;
	size_t				 i;

	for (i = 0; i < sizeof(alone) / sizeof(alone[0]); i++) {
		if (alone[i] == OPT_POST_DEPLOY_WINDOW_S && (!conf_bool(cf,
		    cp, OPT_POST_DEPLOY_ENABLED) || conf_str(cf, cp,
		    OPT_POST_DEPLOY_BASE_URL)[0] == '\0'))
			continue;
		text[0] = '\0';
		v = term(cf, cp, alone[i], 1, "", text, sizeof(text));
		below_ceiling(ps, cp, v, text);
	}
	snprintf(text, sizeof(text), "%d of an import", CONF_IMPORT_LIMIT_S);
	below_ceiling(ps, cp, CONF_IMPORT_LIMIT_S, text);
}

static void
limit_agents(struct parser *ps, const struct conf_project *cp)
{
	const struct conf		*cf = ps->ps_cf;
	const struct conf_agent		*ca;
	char				 text[400], at[300];
	int64_t				 watch, v;
	int				 role;

	watch = conf_int(cf, NULL, OPT_WATCH_PROC_AGE_S);
	for (role = 0; role < CONF_ROLE_MAX; role++) {
		ca = conf_agent_for(cf, cp, (enum conf_role)role);
		if (ca == NULL)
			continue;
		v = conf_agent_timeout(cf, cp, ca);
		snprintf(text, sizeof(text), "timeout %" PRId64 " of agent %s "
		    "(%s:%u)", v, conf_role_name(ca->ca_role),
		    ca->ca_loc.cl_file, ca->ca_loc.cl_line);
		below_ceiling(ps, cp, v, text);
		if (watch <= v)
			conf_fault(ps, &cp->cp_loc, "watch_proc_age_s "
			    "%" PRId64 "%s has to be greater than %s", watch,
			    where(cf, cp, OPT_WATCH_PROC_AGE_S, at,
			    sizeof(at)), text);
	}
}

static void
limit_commands(struct parser *ps, const struct conf_project *cp)
{
	static const enum option	 limits[] = {
		OPT_TEST_TIMEOUT_S, OPT_MERGE_RETEST_TIMEOUT_S,
		OPT_SECURITY_TIMEOUT_S, OPT_COVERAGE_RUN_TIMEOUT_S,
		OPT_IMAGE_BUILD_TIMEOUT_S, OPT_STAGING_CHECK_TIMEOUT_S,
		OPT_DEPLOY_TIMEOUT_S,
	};
	const struct conf		*cf = ps->ps_cf;
	int64_t				 watch, v;
	char				 text[400], at[300];
	size_t				 i;

	watch = conf_int(cf, NULL, OPT_WATCH_PROC_AGE_S);
	for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		text[0] = '\0';
		v = term(cf, cp, limits[i], 1, "", text, sizeof(text));
		if (watch <= v)
			conf_fault(ps, &cp->cp_loc, "watch_proc_age_s "
			    "%" PRId64 "%s has to be greater than %s", watch,
			    where(cf, cp, OPT_WATCH_PROC_AGE_S, at,
			    sizeof(at)), text);
	}
}

void
conf_check_limits(struct parser *ps, const struct conf_project *cp)
{
	limit_edge(ps, cp);
	limit_alone(ps, cp);
	limit_agents(ps, cp);
	limit_commands(ps, cp);
}
