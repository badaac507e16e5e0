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

#include <sys/socket.h>

#include <bsd/string.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "libcommon/log.h"
#include "libcommon/proxy.h"
#include "libcommon/sandbox.h"
#include "runner.h"

#define BIND_MAX	72	/* run_spec.ro_binds and our own */
#define WIDE_LINE	(1U << 20)

struct box {
	struct run		*b_run;
	struct sandbox_opts	 b_opts;
	const char		*b_ro[BIND_MAX + 1];
	const char		*b_rw[3];
	struct proctree		*b_tree;
	struct event		*b_ready;	/* the shim's end */
	int			 b_sock;
	int			 b_stood;	/* the shim said R */
	uint32_t		 b_timeout_ms;
	char			 b_cmd[256];
	box_done_cb		 b_done;
	void			*b_arg;
	struct box_result	 b_res;
	struct proctree_result	 b_none;	/* when nothing was started */
	struct event		*b_fail;
	struct proxy		*b_proxy;
};

const char *
box_self(const struct run *r)
{
	return (r->r_spec->sandbox == SANDBOX_BWRAP ? SANDBOX_SHIM :
	    r->r_spec->self);
}

/* Is it there in every box? */
static int
is_system(const char *path)
{
	static const char *const sys[] = {
		"/usr/", "/bin/", "/sbin/", "/lib", "/run/orchd/"
	};
	size_t i;

	for (i = 0; i < sizeof(sys) / sizeof(sys[0]); i++)
		if (strncmp(path, sys[i], strlen(sys[i])) == 0)
			return (1);
	return (0);
}

static void
bind_ro(struct box *b, const char *path)
{
	size_t i;

	if (path[0] != '/' || access(path, F_OK) == -1)
		return;
	for (i = 0; b->b_ro[i] != NULL; i++)
		if (strcmp(b->b_ro[i], path) == 0)
			return;
	if (i < BIND_MAX)
		b->b_ro[i] = path;
	else
		log_warnx("%s: too many bindings", path);
}

/*
 * Besides what the configuration binds: the mirror, from which the clone
 * borrows, what orchd tells the agent, and the command itself where it is
 * outside of the system's folders.
 */
static void
box_binds(struct box *b, const char *cmd)
{
	const struct orch_run_spec *spec = b->b_run->r_spec;
	const char *s = NULL;

	bind_ro(b, spec->mirror);
	bind_ro(b, ws_task(b->b_run));
	bind_ro(b, ws_envfile(b->b_run));
	while ((s = orch_strs_next(&spec->ro_binds, s)) != NULL)
		bind_ro(b, s);
	if (!is_system(cmd))
		bind_ro(b, cmd);
	b->b_rw[0] = ws_out(b->b_run);
	b->b_rw[1] = ws_tmp(b->b_run);
}

static int
box_proxy(struct box *b, char *err, size_t errlen)
{
	const struct orch_run_spec *spec = b->b_run->r_spec;
	const char **hosts;

	if (b->b_opts.net != SANDBOX_NET_ALLOW)
		return (0);
	if ((hosts = orch_strs_argv(&spec->hosts)) == NULL) {
		(void)strlcpy(err, strerror(errno), errlen);
		return (-1);
	}
	b->b_proxy = proxy_start(b->b_run->r_base, ws_proxy(b->b_run), hosts,
	    err, errlen);
	free(hosts);
	b->b_opts.proxy_sock = ws_proxy(b->b_run);
	return (b->b_proxy == NULL ? -1 : 0);
}

static void
box_set(struct box *b, const struct box_opts *bo)
{
	const struct orch_run_spec *spec = b->b_run->r_spec;
	struct sandbox_opts *o = &b->b_opts;

	box_binds(b, bo->bo_argv[0]);
	o->level = (enum sandbox_level)spec->sandbox;
	o->net = (enum sandbox_net)bo->bo_net;
	o->workdir = ws_clone(b->b_run);
	o->home = ws_home(b->b_run);
	o->ro_binds = b->b_ro;
	o->rw_binds = b->b_rw;
	o->shim = spec->self;
	if (bo->bo_limits) {
		o->mem_max = spec->mem_max;
		o->nproc_max = spec->nproc_max;
	}
	b->b_timeout_ms = bo->bo_timeout_ms;
	(void)strlcpy(b->b_cmd, bo->bo_argv[0], sizeof(b->b_cmd));
}

/* Nothing of the command ran: find out why, in words. */
static void
box_no_sandbox(struct box *b, const struct proctree_result *pr)
{
	struct box_result *br = &b->b_res;
	char why[512];

	br->br_end = BOX_NOSANDBOX;
	if (sandbox_probe(&b->b_opts, why, sizeof(why)) == 0)
		(void)snprintf(why, sizeof(why), "the sandbox did not stand "
		    "(%s): %.400s", sandbox_level_name(b->b_opts.level),
		    pr->exec_failed ? strerror(pr->exec_failed) :
		    pr->tail[0] != '\0' ? pr->tail : "it said nothing");
	(void)snprintf(br->br_why, sizeof(br->br_why),
	    "%s. Nothing was started.  See runner(8), SANDBOX.", why);
}

static void
box_time(char *dst, size_t len, uint32_t ms)
{
	if (ms >= 120000)
		(void)snprintf(dst, len, "%" PRIu32 " min", ms / 60000);
	else if (ms >= 1000)
		(void)snprintf(dst, len, "%" PRIu32 " s", ms / 1000);
	else
		(void)snprintf(dst, len, "%" PRIu32 " ms", ms);
}

static void
box_flood(struct box *b, const struct proctree_result *pr)
{
	size_t n = strlen(b->b_res.br_why);

	if (pr->log_dropped == 0)
		return;
	(void)snprintf(b->b_res.br_why + n, sizeof(b->b_res.br_why) - n,
	    "%sits log reached the limit and %" PRIu64 " bytes were dropped",
	    n == 0 ? "" : "; ", pr->log_dropped);
}

/* A signal in the sandbox is seen as 128 + its number outside. */
static int
box_signal(const struct box *b, const struct proctree_result *pr)
{
	if (pr->exit_code == -1)
		return (pr->sig);
	if (b->b_opts.level == SANDBOX_BWRAP && pr->exit_code > 128 &&
	    pr->exit_code <= 128 + 64)
		return (pr->exit_code - 128);
	return (0);
}

static void
box_judge(struct box *b, const struct proctree_result *pr)
{
	struct box_result *br = &b->b_res;
	char limit[32];

	br->br_pr = pr;
	br->br_code = pr->exit_code;
	br->br_sig = box_signal(b, pr);
	if (pr->timed_out) {
		br->br_end = BOX_TIMEOUT;
		box_time(limit, sizeof(limit), b->b_timeout_ms);
		(void)snprintf(br->br_why, sizeof(br->br_why),
		    "%s ran out of its time of %s and was ended with all that "
		    "it had started", b->b_cmd, limit);
	} else if (pr->ended) {
		br->br_end = BOX_STOPPED;
		(void)snprintf(br->br_why, sizeof(br->br_why), "stopped: %s",
		    b->b_run->r_why);
	} else if (!b->b_stood) {
		box_no_sandbox(b, pr);
		return;
	} else if (pr->exit_code == 126 || pr->exit_code == 127) {
		br->br_end = BOX_NOEXEC;
		(void)snprintf(br->br_why, sizeof(br->br_why), "command "
		    "\"%s\" could not be executed (exit %d)", b->b_cmd,
		    pr->exit_code);
	} else if (br->br_sig != 0) {
		br->br_end = BOX_SIGNAL;
		(void)snprintf(br->br_why, sizeof(br->br_why),
		    "%s was ended by signal %d (%s)", b->b_cmd, br->br_sig,
		    strsignal(br->br_sig));
	} else {
		br->br_end = BOX_ENDED;
		if (pr->exit_code != 0)
			(void)snprintf(br->br_why, sizeof(br->br_why),
			    "%s ended with exit code %d", b->b_cmd,
			    pr->exit_code);
	}
	box_flood(b, pr);
}

static void
box_done(struct proctree *pt, const struct proctree_result *pr, void *arg)
{
	struct box *b = arg;

	box_judge(b, pr);
	(void)strlcpy(b->b_res.br_refused, proxy_refused(b->b_proxy),
	    sizeof(b->b_res.br_refused));
	if (pr->left > 0)
		log_warnx("%d processes of %s could not be ended", pr->left,
		    b->b_cmd);
	b->b_done(&b->b_res, b->b_arg);
}

/* The shim says R when the box stands; G lets the command begin. */
static void
box_ready_cb(evutil_socket_t fd, short what, void *arg)
{
	struct box *b = arg;
	ssize_t n;
	char c;

	do {
		n = recv(fd, &c, 1, 0);
	} while (n == -1 && errno == EINTR);
	if (n == 1 && c == 'R' && !b->b_stood) {
		if (send(fd, "G", 1, MSG_NOSIGNAL) == 1)
			b->b_stood = 1;
		return;
	}
	event_del(b->b_ready);
}

static void
box_fail_cb(evutil_socket_t fd, short what, void *arg)
{
	struct box *b = arg;

	b->b_none.exit_code = -1;
	b->b_res.br_pr = &b->b_none;
	b->b_res.br_end = BOX_NOSANDBOX;
	b->b_done(&b->b_res, b->b_arg);
}

/* It could not even be tried: say so from the loop. */
static struct box *
box_failed(struct box *b, const char *why)
{
	static const struct timeval now;

	(void)snprintf(b->b_res.br_why, sizeof(b->b_res.br_why),
	    "%s. Nothing was started.  See runner(8), SANDBOX.", why);
	if (b->b_fail == NULL || evtimer_add(b->b_fail, &now) == -1)
		fatalx("no memory for a timer");
	return (b);
}

/* The whole command line: bwrap is started by way of inside_patient(). */
static const char **
box_line(const struct box *b, char *const *argv)
{
	const char **line;
	size_t i, n = 0;

	while (argv[n] != NULL)
		n++;
	if ((line = calloc(n + 3, sizeof(*line))) == NULL)
		return (NULL);
	i = 0;
	if (b->b_opts.level == SANDBOX_BWRAP) {
		line[i++] = b->b_run->r_spec->self;
		line[i++] = "-W";
	}
	memcpy(line + i, argv, n * sizeof(*line));
	return (line);
}

static int
box_spawn(struct box *b, const struct box_opts *bo,
    const char *const *argv, int theirs, char *err, size_t errlen)
{
	struct proctree_opts po = PROCTREE_OPTS_INIT;
	struct proctree_fd pass = { theirs, 3 };
	const struct orch_run_spec *spec = b->b_run->r_spec;

	po.argv = argv;
	po.envp = bo->bo_envp;
	if (bo->bo_in_fd > 0)
		po.in_fd = bo->bo_in_fd;
	po.timeout_ms = bo->bo_timeout_ms;
	po.grace_ms = spec->grace_s > 3600 ? 3600000 : spec->grace_s * 1000;
	po.log_fd = b->b_run->r_log;
	po.log_max = spec->log_max == 0 ? RUN_LOG_MAX : spec->log_max;
	po.line_max = bo->bo_wide_lines ? WIDE_LINE : 0;
	po.pass_fds = &pass;
	po.npass_fds = 1;
	po.line_cb = bo->bo_line_cb;
	po.line_arg = bo->bo_line_arg;
	b->b_tree = proctree_start(b->b_run->r_base, &po, box_done, b, err,
	    errlen);
	return (b->b_tree == NULL ? -1 : 0);
}

struct box *
box_start(struct run *r, const struct box_opts *bo, box_done_cb done,
    void *arg)
{
	struct box *b;
	const char **line = NULL;
	char **argv = NULL, err[512] = "";
	int sv[2] = { -1, -1 }, rc = -1;

	if ((b = calloc(1, sizeof(*b))) == NULL)
		fatal("box");
	b->b_run = r;
	b->b_sock = -1;
	b->b_done = done;
	b->b_arg = arg;
	b->b_fail = evtimer_new(r->r_base, box_fail_cb, b);
	box_set(b, bo);
	if (box_proxy(b, err, sizeof(err)) == -1 ||
	    sandbox_wrap(&b->b_opts, bo->bo_argv, &argv, err,
	    sizeof(err)) == -1)
		return (box_failed(b, err));
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) == -1 ||
	    (b->b_ready = event_new(r->r_base, sv[0], EV_READ | EV_PERSIST,
	    box_ready_cb, b)) == NULL || event_add(b->b_ready, NULL) == -1)
		(void)strlcpy(err, strerror(errno), sizeof(err));
	else if ((line = box_line(b, argv)) == NULL)
		(void)strlcpy(err, strerror(errno), sizeof(err));
	else
		rc = box_spawn(b, bo, line, sv[1], err, sizeof(err));
	free(line);
	b->b_sock = sv[0];
	if (sv[1] != -1)
		close(sv[1]);
	sandbox_argv_free(argv);
	return (rc == -1 ? box_failed(b, err) : b);
}

void
box_stop(struct box *b)
{
	if (b != NULL && b->b_tree != NULL)
		proctree_end(b->b_tree);
}

void
box_free(struct box *b)
{
	if (b == NULL)
		return;
	proctree_free(b->b_tree);
	if (b->b_ready != NULL)
		event_free(b->b_ready);
	if (b->b_fail != NULL)
		event_free(b->b_fail);
	if (b->b_sock != -1)
		close(b->b_sock);
	proxy_free(b->b_proxy);
	free(b);
}
