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

#include <bsd/string.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libcommon/fsutil.h"
#include "libcommon/git_run.h"
#include "libcommon/log.h"
#include "libcommon/sandbox.h"
#include "runner.h"

#define CLONE_MS	300000U
#define CHECKOUT_MS	300000U

/* A path below the workroot; each caller has a buffer of its own. */
#define WS_PATH(fn, name)						\
const char *								\
fn(const struct run *r)							\
{									\
	static char path[RUN_PATH_MAX];					\
									\
	(void)snprintf(path, sizeof(path), "%s/%s",			\
	    r->r_spec->workroot, name);					\
	return (path);							\
}

WS_PATH(ws_clone, "clone")
WS_PATH(ws_home, "home")
WS_PATH(ws_tmp, "tmp")
WS_PATH(ws_out, "out")
WS_PATH(ws_task, "task.md")
WS_PATH(ws_envfile, "env")
WS_PATH(ws_proxy, "proxy")

struct checkout {
	struct box	*co_box;
	struct env	 co_env;
	void		(*co_next)(struct run *, enum orch_cause, const char *);
	struct run	*co_run;
};

/* One run has one workspace, so one checkout at a time. */
static struct checkout checkout;

static int
ws_folders(struct run *r, char *err, size_t errlen)
{
	const char *const dir[] = { ws_home(r), ws_tmp(r), ws_out(r) };
	size_t i;

	if (fs_remove_tree(AT_FDCWD, r->r_spec->workroot, err, errlen) == -1)
		return (-1);
	if (fs_mkdir_p(r->r_spec->workroot, 0700) == -1) {
		(void)snprintf(err, errlen, "workspace %s: %s",
		    r->r_spec->workroot, strerror(errno));
		return (-1);
	}
	for (i = 0; i < sizeof(dir) / sizeof(dir[0]); i++)
		if (mkdir(dir[i], 0700) == -1) {
			(void)snprintf(err, errlen, "workspace %s: %s",
			    dir[i], strerror(errno));
			return (-1);
		}
	return (0);
}

/*
 * A clone without files: no content of the repository is looked at out here.
 * What comes later from inside the sandbox finds a name to commit with.
 */
static int
ws_git_clone(struct run *r, char *err, size_t errlen)
{
	const char *role = GIVEN(r->r_go.role) ? r->r_go.role : "gate";
	char name[64], email[96], why[256];
	const char *const argv[] = {
		"clone", "-q", "--shared", "--no-checkout", "--no-tags",
		"--template=", "-c", name, "-c", email, "-c", "gc.auto=0",
		"-c", "checkout.workers=4",
		"-c", "checkout.thresholdForParallelism=100",
		"--", r->r_spec->mirror, ws_clone(r), NULL
	};
	struct git_cmd gc = { .gc_argv = argv, .gc_timeout_ms = CLONE_MS };
	struct git_out go;
	int code;

	(void)snprintf(name, sizeof(name), "user.name=%s", role);
	(void)snprintf(email, sizeof(email), "user.email=%s@orchd.invalid",
	    role);
	if (git_run(&gc, &go, why, sizeof(why)) == -1) {
		(void)snprintf(err, errlen, "clone of %s: %s",
		    r->r_spec->mirror, why);
		return (-1);
	}
	if ((code = go.go_exit) != 0)
		(void)snprintf(err, errlen, "clone of %s: %s",
		    r->r_spec->mirror, go.go_said);
	git_out_free(&go);
	return (code == 0 ? 0 : -1);
}

static int
ws_usable(const struct run *r, char *err, size_t errlen)
{
	char stray[RUN_PATH_MAX];

	if (r->r_spec->workroot[0] != '/' ||
	    snprintf(stray, sizeof(stray), "%s/clone/.git",
	    r->r_spec->workroot) >= (int)sizeof(stray)) {
		(void)snprintf(err, errlen, "workspace \"%s\" is no usable "
		    "path", r->r_spec->workroot);
		return (-1);
	}
	return (0);
}

int
ws_make(struct run *r, char *err, size_t errlen)
{
	if (ws_usable(r, err, errlen) == -1 ||
	    ws_folders(r, err, errlen) == -1)
		return (-1);
	return (ws_git_clone(r, err, errlen));
}

int
ws_make_bare(struct run *r, char *err, size_t errlen)
{
	if (ws_usable(r, err, errlen) == -1 ||
	    ws_folders(r, err, errlen) == -1)
		return (-1);
	if (mkdir(ws_clone(r), 0700) == 0)
		return (0);
	(void)snprintf(err, errlen, "workspace %s: %s", ws_clone(r),
	    strerror(errno));
	return (-1);
}

static void
checkout_done(const struct box_result *br, void *arg)
{
	struct checkout *co = arg;
	enum orch_cause cause = CAUSE_INFRA;
	char why[1024] = "";

	if (br->br_end == BOX_NOSANDBOX)
		cause = CAUSE_SANDBOX;
	else if (br->br_end == BOX_STOPPED)
		cause = CAUSE_STOPPED;
	if (br->br_end == BOX_ENDED && br->br_code == 0)
		cause = CAUSE_NONE;
	else if (br->br_end == BOX_ENDED)
		(void)snprintf(why, sizeof(why), "checkout: %.900s",
		    br->br_pr->tail);
	else
		(void)strlcpy(why, br->br_why, sizeof(why));
	box_free(co->co_box);
	co->co_box = NULL;
	env_free(&co->co_env);
	co->co_next(co->co_run, cause, why);
}

void
ws_checkout(struct run *r, const char *branch, const char *commit,
    void (*next)(struct run *, enum orch_cause, const char *))
{
	const char *const on[] = { "git", "checkout", "-q", "-B", branch,
	    commit, "--", NULL };
	const char *const detached[] = { "git", "checkout", "-q", "--detach",
	    commit, "--", NULL };
	struct checkout *co = &checkout;
	struct box_opts bo;

	memset(co, 0, sizeof(*co));
	memset(&bo, 0, sizeof(bo));
	co->co_run = r;
	co->co_next = next;
	if (env_base(&co->co_env) == -1 ||
	    env_set(&co->co_env, "GIT_CONFIG_NOSYSTEM", "1") == -1)
		fatal("environment");
	bo.bo_argv = branch == NULL ? detached : on;
	bo.bo_envp = (const char *const *)co->co_env.e_v;
	bo.bo_timeout_ms = CHECKOUT_MS;
	bo.bo_net = SANDBOX_NET_NONE;
	co->co_box = box_start(r, &bo, checkout_done, co);
}

void
ws_checkout_stop(struct run *r)
{
	box_stop(checkout.co_box);
}

void
ws_checkout_end(void)
{
	box_free(checkout.co_box);
	checkout.co_box = NULL;
	env_free(&checkout.co_env);
}

void
ws_remove(struct run *r)
{
	char err[256];

	if (r->r_spec->workroot[0] == '/' && fs_remove_tree(AT_FDCWD,
	    r->r_spec->workroot, err, sizeof(err)) == -1)
		log_warnx("the workspace stays for a clean run: %s", err);
}
