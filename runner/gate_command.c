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

#include <bsd/string.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/log.h"
#include "runner.h"

/* One run evaluates one gate. */
static struct {
	struct command		 cm;
	const char		**argv;
	struct env		 env;
	struct box		*box;
	struct tail		 tail;
	struct box_result	 end;
	struct proctree_result	 pr;
	struct report		 report;
	char			 what[200];
	char			 report_file[RUN_PATH_MAX];
	char			 image_file[RUN_PATH_MAX];
} gc;

const struct tail *
gate_command_tail(void)
{
	return (&gc.tail);
}

const struct report *
gate_command_report(void)
{
	return (&gc.report);
}

static void
gate_items(struct run *r, char *dst, size_t dstlen)
{
	size_t i;

	dst[0] = '\0';
	for (i = 0; i < gc.report.rp_nids; i++) {
		run_item(r, gc.report.rp_ids[i]);
		if (i < 5) {
			(void)strlcat(dst, i == 0 ? ": " : ", ", dstlen);
			(void)strlcat(dst, gc.report.rp_ids[i], dstlen);
		}
	}
	if (i > 5)
		(void)strlcat(dst, ", ...", dstlen);
}

void
gate_command_red(struct run *r, int code)
{
	char ids[600], last[600];

	gate_items(r, ids, sizeof(ids));
	tail_last(&gc.tail, 3, last, sizeof(last));
	if (gc.report.rp_failed > 0)
		gate_fail(r, GATE_FAIL, CAUSE_RED, "%s: %u of %u failed%s "
		    "(exit %d)", gc.what, gc.report.rp_failed,
		    gc.report.rp_tests, ids, code);
	else
		gate_fail(r, GATE_FAIL, CAUSE_RED, "%s ended with exit code "
		    "%d%s%s%s", gc.what, code, last[0] == '\0' ? "" : " (",
		    last, last[0] == '\0' ? "" : ")");
}

/* a report is due, and must speak of at least one executed test. */
static int
gate_report_due(struct run *r)
{
	char err[256];

	if (report_read(gc.report_file, &gc.report, err, sizeof(err)) == -1) {
		if (!gc.cm.cm_report && errno == ENOENT)
			return (0);
		gate_fail(r, GATE_ERROR, CAUSE_INFRA, "%s (exit %d): %s",
		    gc.what, gc.end.br_code, err);
		return (-1);
	}
	if (gc.cm.cm_report && !gc.report.rp_list &&
	    gc.report.rp_tests == 0) {
		gate_fail(r, GATE_ERROR, CAUSE_INFRA, "%s reports no executed "
		    "test (exit %d)", gc.what, gc.end.br_code);
		return (-1);
	}
	return (0);
}

static void
gate_green(struct run *r)
{
	if (gc.report.rp_tests > 0)
		run_result(r, GATE_PASS, CAUSE_NONE, "%u test%s passed, "
		    "%u skipped", gc.report.rp_tests, gc.report.rp_tests ==
		    1 ? "" : "s", gc.report.rp_skipped);
	else
		run_result(r, GATE_PASS, CAUSE_NONE, "%s", "exit code 0");
	run_finish(r);
}

static void
gate_ended(struct run *r)
{
	int code = gc.end.br_code;

	(void)image_read(gc.image_file, r->r_res.rs_image_commit,
	    r->r_res.rs_image_tree);
	if (gate_report_due(r) == -1)
		return;
	if (code == 0 && gc.report.rp_failed > 0)
		gate_command_red(r, 0);
	else if (code == 0 && gc.cm.cm_green != NULL)
		gc.cm.cm_green(r);
	else if (code == 0)
		gate_green(r);
	else if (gc.cm.cm_red != NULL)
		gc.cm.cm_red(r, code);
	else
		gate_command_red(r, code);
}

static void
gate_judge(struct run *r)
{
	const char *why = gc.end.br_why;

	run_text(r, gc.tail.tl_buf == NULL ? "" : gc.tail.tl_buf,
	    gc.tail.tl_len);
	switch (gc.end.br_end) {
	case BOX_ENDED:
		gate_ended(r);
		break;
	case BOX_TIMEOUT:
		gate_fail(r, GATE_ERROR, CAUSE_TIMEOUT, "%s: %s", gc.what,
		    why);
		break;
	case BOX_STOPPED:
		gate_fail(r, GATE_ERROR, CAUSE_STOPPED, "%s", why);
		break;
	case BOX_SIGNAL:
		gate_fail(r, GATE_ERROR, CAUSE_INFRA, "%s: %s", gc.what, why);
		break;
	case BOX_NOEXEC:
		gate_fail(r, GATE_ERROR, CAUSE_EXEC, "%s: %s", gc.what, why);
		break;
	case BOX_NOSANDBOX:
		gate_fail(r, GATE_ERROR, CAUSE_SANDBOX, "%s", why);
		break;
	}
}

static void
gate_done(const struct box_result *br, void *arg)
{
	struct run *r = arg;

	gc.end = *br;
	gc.pr = *br->br_pr;
	gc.end.br_pr = &gc.pr;
	box_free(gc.box);
	gc.box = NULL;
	if (gc.end.br_end == BOX_NOSANDBOX)
		gate_judge(r);
	else
		run_stamp(r, &gc.pr, gate_judge);
}

static void
gate_line(void *arg, int stream, const char *line, size_t len)
{
	tail_add(&gc.tail, line, len);
}

static void
gate_run(struct run *r, enum orch_cause cause, const char *why)
{
	struct box_opts bo = { 0 };

	if (r->r_stopping || cause != CAUSE_NONE) {
		gate_fail(r, GATE_ERROR, r->r_stopping ? CAUSE_STOPPED : cause,
		    "%s: %s", gc.what, r->r_stopping ? r->r_why : why);
		return;
	}
	bo.bo_argv = gc.argv;
	bo.bo_envp = (const char *const *)gc.env.e_v;
	bo.bo_timeout_ms = gc.cm.cm_timeout_s > 4000000 ? 4000000000U :
	    gc.cm.cm_timeout_s * 1000;
	bo.bo_net = r->r_spec->net;
	bo.bo_limits = 1;
	bo.bo_line_cb = gate_line;
	bo.bo_line_arg = r;
	gc.box = box_start(r, &bo, gate_done, r);
}

static int
gate_env(struct run *r)
{
	struct env *e = &gc.env;

	if (env_base(e) == -1 || env_orch(e, r) == -1 ||
	    env_set(e, "ORCH_COMMIT", r->r_res.rs_commit) == -1 ||
	    env_set(e, "ORCH_CODE_TREE", r->r_res.rs_tree) == -1 ||
	    env_set(e, "ORCH_REPORT_FILE", gc.report_file) == -1 ||
	    env_set(e, "ORCH_IMAGE_FILE", gc.image_file) == -1)
		return (-1);
	return (env_spec(e, r));
}

/* Copy argv: the texts live until the box is started. */
static const char **
gate_argv(const char *const *argv)
{
	const char **v;
	size_t n = 0;

	while (argv[n] != NULL)
		n++;
	if ((v = calloc(n + 1, sizeof(*v))) != NULL)
		memcpy(v, argv, n * sizeof(*v));
	return (v);
}

void
gate_command(struct run *r, const struct command *cm)
{
	char err[512];

	gc.cm = *cm;
	gc.cm.cm_argv = NULL;
	(void)strlcpy(gc.what, cm->cm_what, sizeof(gc.what));
	if (snprintf(gc.report_file, sizeof(gc.report_file), "%s/report",
	    ws_out(r)) >= (int)sizeof(gc.report_file) ||
	    snprintf(gc.image_file, sizeof(gc.image_file), "%s/image",
	    ws_out(r)) >= (int)sizeof(gc.image_file))
		errno = ENAMETOOLONG;
	else if ((gc.argv = gate_argv(cm->cm_argv)) != NULL &&
	    gate_env(r) == 0) {
		if (ws_make(r, err, sizeof(err)) == -1)
			gate_fail(r, GATE_ERROR, CAUSE_INFRA, "%s", err);
		else
			ws_checkout(r, NULL, r->r_res.rs_commit, gate_run);
		return;
	}
	gate_fail(r, GATE_ERROR, CAUSE_INFRA, "%s: %s", gc.what,
	    strerror(errno));
}

void
gate_command_stop(struct run *r)
{
	ws_checkout_stop(r);
	box_stop(gc.box);
}

void
gate_command_end(void)
{
	box_free(gc.box);
	env_free(&gc.env);
	tail_free(&gc.tail);
	report_free(&gc.report);
	free(gc.argv);
	memset(&gc, 0, sizeof(gc));
}

/* The configuration's command as one line, for reasons. */
static void
command_words(const struct orch_strs *argv, char *dst, size_t len)
{
	const char *s = NULL;

	dst[0] = '\0';
	while ((s = orch_strs_next(argv, s)) != NULL) {
		if (dst[0] != '\0')
			(void)strlcat(dst, " ", len);
		if (strlcat(dst, s, len) >= len)
			break;
	}
}

static void
gate_configured(struct run *r, int report, void (*green)(struct run *),
    void (*red)(struct run *, int))
{
	struct command cm = { 0 };
	const char **argv;
	char words[120], what[200];

	if (r->r_spec->argv.l_n == 0 ||
	    (argv = orch_strs_argv(&r->r_spec->argv)) == NULL) {
		gate_fail(r, GATE_ERROR, CAUSE_INFRA, "%s: the configuration "
		    "of project %s has no command for it", r->r_go.gate,
		    r->r_spec->project);
		return;
	}
	command_words(&r->r_spec->argv, words, sizeof(words));
	(void)snprintf(what, sizeof(what), "%s: \"%s\"", r->r_go.gate, words);
	cm.cm_argv = argv;
	cm.cm_timeout_s = r->r_spec->timeout_s;
	cm.cm_what = what;
	cm.cm_report = report;
	cm.cm_green = green;
	cm.cm_red = red;
	gate_command(r, &cm);
	free(argv);
}

void
gate_plain(struct run *r)
{
	gate_configured(r, r->r_spec->report, NULL, NULL);
}

/* 1 means findings; what is neither 0 nor 1 measured nothing. */
static void
security_red(struct run *r, int code)
{
	char last[600];

	if (code == 1) {
		gate_command_red(r, code);
		return;
	}
	tail_last(&gc.tail, 3, last, sizeof(last));
	gate_fail(r, GATE_ERROR, CAUSE_INFRA, "%s: the scanner ended with "
	    "exit code %d: %s", gc.what, code, last);
}

void
gate_security(struct run *r)
{
	gate_configured(r, 0, NULL, security_red);
}

/* the percentage is the result; the engine knows the baseline. */
static void
coverage_green(struct run *r)
{
	char percent[16], *text = NULL;
	int rc = -1;

	if (gc.tail.tl_buf != NULL &&
	    (text = strndup(gc.tail.tl_buf, gc.tail.tl_len)) != NULL)
		rc = report_percent(text, percent, sizeof(percent));
	free(text);
	if (rc == -1) {
		gate_fail(r, GATE_ERROR, CAUSE_INFRA, "%s printed no "
		    "percentage", gc.what);
		return;
	}
	run_text(r, percent, strlen(percent));
	run_result(r, GATE_PASS, CAUSE_NONE, "coverage %s %%", percent);
	run_finish(r);
}

void
gate_coverage(struct run *r)
{
	gate_configured(r, 0, coverage_green, NULL);
}
