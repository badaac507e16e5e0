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

#include <sys/mman.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runner.h"

/*
 * A message to people by a command of the configuration: the text is its
 * standard input, the rest is in its environment.  Exit 0 is delivered.
 */

static struct {
	struct box	*box;
	struct env	 env;
	struct tail	 tail;
	int		 in;
} ex = { .in = -1 };

static void
exec_error(struct run *r, enum orch_cause cause, const char *why)
{
	run_result(r, GATE_ERROR, cause, "%s", why);
	run_finish(r);
}

static void
exec_done(const struct box_result *br, void *arg)
{
	struct run *r = arg;
	char last[600];

	tail_last(&ex.tail, 3, last, sizeof(last));
	if (br->br_end == BOX_ENDED && br->br_code == 0)
		run_result(r, GATE_PASS, CAUSE_NONE, "%s", "delivered");
	else if (br->br_end == BOX_STOPPED)
		run_result(r, GATE_ERROR, CAUSE_STOPPED, "%s", br->br_why);
	else
		run_result(r, GATE_ERROR, br->br_end == BOX_NOSANDBOX ?
		    CAUSE_SANDBOX : CAUSE_EXEC, "%s%s%s%s", br->br_why,
		    last[0] == '\0' ? "" : " (", last, last[0] == '\0' ? "" :
		    ")");
	box_free(ex.box);
	ex.box = NULL;
	run_finish(r);
}

static void
exec_line(void *arg, int stream, const char *line, size_t len)
{
	tail_add(&ex.tail, line, len);
}

static int
set_option(struct run *r, const char *variable, const char *option)
{
	const char *value = run_option(r, option);

	return (value == NULL || !GIVEN(value) ? 0 : env_set(&ex.env,
	    variable, value));
}

static int
exec_env(struct run *r)
{
	return (env_base(&ex.env) == -1 || (GIVEN(r->r_go.task) &&
	    env_set(&ex.env, "ORCH_WORK_ITEM", r->r_go.task) == -1) ||
	    set_option(r, "ORCH_MESSAGE_KIND", "kind") == -1 ||
	    set_option(r, "ORCH_MESSAGE_KEY", "key") == -1 ||
	    set_option(r, "ORCH_PROJECT", "project") == -1 ? -1 : 0);
}

/* The text, and the end of its last line. */
static int
exec_input(const struct run *r)
{
	const uint8_t *p = r->r_go.request.b_data;
	size_t n = r->r_go.request.b_len;
	ssize_t w;

	if ((ex.in = memfd_create("message", MFD_CLOEXEC)) == -1)
		return (-1);
	for (; n > 0; p += w, n -= (size_t)w)
		if ((w = write(ex.in, p, n)) == -1)
			return (-1);
	return (write(ex.in, "\n", 1) == 1 && lseek(ex.in, 0, SEEK_SET) == 0 ?
	    0 : -1);
}

static void
exec_start(struct run *r)
{
	struct box_opts bo = { .bo_net = r->r_spec->net, .bo_limits = 1,
	    .bo_timeout_ms = r->r_spec->timeout_s * 1000,
	    .bo_line_cb = exec_line };
	const char **argv = NULL;
	char err[512];

	if (r->r_spec->argv.l_n == 0)
		exec_error(r, CAUSE_INFRA, "no command is configured");
	else if (ws_make_bare(r, err, sizeof(err)) == -1)
		exec_error(r, CAUSE_INFRA, err);
	else if ((argv = orch_strs_argv(&r->r_spec->argv)) == NULL ||
	    exec_env(r) == -1 || exec_input(r) == -1)
		exec_error(r, CAUSE_INFRA, strerror(errno));
	else {
		bo.bo_argv = argv;
		bo.bo_envp = (const char *const *)ex.env.e_v;
		bo.bo_in_fd = ex.in;
		ex.box = box_start(r, &bo, exec_done, r);
	}
	free(argv);
}

static void
exec_stop(struct run *r)
{
	box_stop(ex.box);
}

static void
exec_end(struct run *r)
{
	box_free(ex.box);
	ex.box = NULL;
	env_free(&ex.env);
	tail_free(&ex.tail);
	if (ex.in != -1)
		close(ex.in);
	ex.in = -1;
}

const struct kind kind_exec = {
	.k_kind = KIND_EXEC,
	.k_name = "message",
	.k_start = exec_start,
	.k_stop = exec_stop,
	.k_end = exec_end,
	.k_workspace = 1
};
