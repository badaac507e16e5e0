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

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/log.h"
#include "runner.h"

#define DEPLOY_FAILED	1
#define LIMIT_S		2000000

/*
 * Both commands run in one sandbox, because its end ends a server that
 * the first one started.  This is the program inside.
 */
static int
staging_step(const char *name, char *const *argv, unsigned int limit)
{
	int code;

	fprintf(stderr, "staging %s: %s\n", name, argv[0]);
	code = inside_run(argv, limit, NULL);
	if (code == 124)
		fprintf(stderr, "staging %s ran out of its time of %u s\n",
		    name, limit);
	else if (code != 0)
		fprintf(stderr, "staging %s ended with exit code %d\n", name,
		    code);
	return (code);
}

int
staging_inside(int argc, char **argv)
{
	const char *bad1 = NULL, *bad2 = NULL, *bad3 = NULL;
	char *first[129];
	unsigned int t1, t2;
	int code, i, n;

	if (argc < 5)
		return (126);
	t1 = (unsigned int)strtonum(argv[1], 0, LIMIT_S, &bad1);
	t2 = (unsigned int)strtonum(argv[2], 0, LIMIT_S, &bad2);
	n = (int)strtonum(argv[3], 0, 128, &bad3);
	if (bad1 != NULL || bad2 != NULL || bad3 != NULL || 4 + n > argc)
		return (126);
	for (i = 0; i < n; i++)
		first[i] = argv[4 + i];
	first[n] = NULL;
	if (n > 0 && (code = staging_step("deploy", first, t1)) != 0)
		return (code < 124 ? DEPLOY_FAILED : code);
	if (argv[4 + n] == NULL)
		return (0);
	return (staging_step("check", argv + 4 + n, t2));
}

static int
is_waived(const struct run *r, const char *id)
{
	const char *s = NULL;

	while ((s = orch_strs_next(&r->r_spec->known_infra, s)) != NULL)
		if (strcmp(s, id) == 0)
			return (1);
	return (0);
}

/* Are all failed checks on the list of known infrastructure trouble? */
static int
all_waived(const struct run *r, const struct report *rp)
{
	const char *off = run_option(r, "infra_tolerance");
	size_t i;

	if (rp->rp_nids == 0 || rp->rp_nids < rp->rp_failed ||
	    (off != NULL && strcmp(off, "0") == 0))
		return (0);
	for (i = 0; i < rp->rp_nids; i++)
		if (!is_waived(r, rp->rp_ids[i]))
			return (0);
	return (1);
}

static void
staging_green(struct run *r)
{
	run_result(r, GATE_PASS, CAUSE_NONE, "%s", "staging SUCCESS");
	gate_staging_log(r);
}

/* 1 is a failure, unless it is all known; another code measured nothing. */
static void
staging_red(struct run *r, int code)
{
	const struct report *rp = gate_command_report();
	char ids[600] = "", last[600];
	size_t i;

	if (code == 1 && all_waived(r, rp)) {
		for (i = 0; i < rp->rp_nids; i++) {
			run_item(r, rp->rp_ids[i]);
			(void)strlcat(ids, i == 0 ? "" : ", ", sizeof(ids));
			(void)strlcat(ids, rp->rp_ids[i], sizeof(ids));
		}
		run_result(r, GATE_PASS, CAUSE_NONE, "staging SUCCESS, waived "
		    "as known infrastructure trouble: %s", ids);
		gate_staging_log(r);
		return;
	}
	if (code == 1) {
		gate_command_red(r, code);
		return;
	}
	tail_last(gate_command_tail(), 3, last, sizeof(last));
	gate_fail(r, GATE_ERROR, code == 124 ? CAUSE_TIMEOUT : CAUSE_INFRA,
	    "check_staging_status: staging ended with exit code %d: %s", code,
	    last);
}

/* Our own program with both limits, the first argv's length, both argvs. */
static int
staging_argv(struct run *r, const char **argv, size_t max, char num[3][16])
{
	const struct orch_run_spec *spec = r->r_spec;
	const char *s = NULL;
	size_t n = 0;
	/* A check alone stands in argv, with its limit. */
	int alone = spec->argv2.l_n == 0;
	uint32_t t2 = alone ? spec->timeout_s : spec->timeout2_s;

	(void)snprintf(num[0], 16, "%u", spec->timeout_s > LIMIT_S ? LIMIT_S :
	    spec->timeout_s);
	(void)snprintf(num[1], 16, "%u", t2 > LIMIT_S ? LIMIT_S : t2);
	(void)snprintf(num[2], 16, "%u", alone ? 0 : spec->argv.l_n);
	argv[n++] = box_self(r);
	argv[n++] = "-G";
	argv[n++] = num[0];
	argv[n++] = num[1];
	argv[n++] = num[2];
	while ((s = orch_strs_next(&spec->argv, s)) != NULL && n + 1 < max)
		argv[n++] = s;
	while ((s = orch_strs_next(&spec->argv2, s)) != NULL && n + 1 < max)
		argv[n++] = s;
	argv[n] = NULL;
	return (n + 1 < max ? 0 : -1);
}

void
gate_staging(struct run *r)
{
	const struct orch_run_spec *spec = r->r_spec;
	struct command cm = { 0 };
	static char num[3][16];		/* the box is started later */
	const char *argv[264];

	if (spec->argv.l_n == 0 && spec->argv2.l_n == 0) {
		gate_fail(r, GATE_ERROR, CAUSE_INFRA, "%s: the configuration "
		    "of project %s has no staging command", r->r_go.gate,
		    spec->project);
		return;
	}
	if (staging_argv(r, argv, sizeof(argv) / sizeof(argv[0]), num) == -1) {
		gate_fail(r, GATE_ERROR, CAUSE_INFRA, "%s: too many words",
		    r->r_go.gate);
		return;
	}
	cm.cm_argv = argv;
	/* Both have limits of their own; this is for the two together. */
	if (spec->timeout_s != 0 && (spec->timeout2_s != 0 ||
	    spec->argv2.l_n == 0))
		cm.cm_timeout_s = spec->timeout_s > LIMIT_S ||
		    spec->timeout2_s > LIMIT_S ? 0 :
		    spec->timeout_s + spec->timeout2_s + 5;
	cm.cm_what = "check_staging_status";
	cm.cm_report = spec->report;
	cm.cm_green = staging_green;
	cm.cm_red = staging_red;
	gate_command(r, &cm);
}
