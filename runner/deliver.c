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
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libcommon/fsutil.h"
#include "libcommon/git.h"
#include "libcommon/log.h"
#include "libcommon/sandbox.h"
#include "runner.h"

#define DELIVER_MS	300000U
#define BUNDLE_MAGIC	"# v2 git bundle\n"
#define HEAD_MAX	8192	/* of a bundle's text head that is read */

/* One run has one delivery. */
struct delivery {
	struct run	*de_run;
	struct box	*de_box;
	char		 de_branch[257];
	void		(*de_next)(struct run *, enum deliver_state, int,
			    const char *, const char *);
};
static struct delivery delivery;

/*
 * Inside the sandbox.  The clone's configuration, hooks and attributes are
 * the agent's: whatever they start has the agent's rights and ends with this
 * box.  Hooks are off so that a project's own ones do not get in the way.
 */
#define GIT_QUIET	"git", "-c", "core.hooksPath=/dev/null", \
	"-c", "core.fsmonitor=false", "-c", "commit.gpgSign=false", \
	"-c", "core.safecrlf=false"

#define WORD(s)		((char *)(uintptr_t)(s))

/* Run git with our options and up to seven words. */
static int
git_inside(const char *input, char *line, size_t len, const char *const *words)
{
	static const char *const first[] = { GIT_QUIET };
	char *argv[20];
	size_t i, n = 0;

	for (i = 0; i < sizeof(first) / sizeof(first[0]); i++)
		argv[n++] = WORD(first[i]);
	for (i = 0; words[i] != NULL && n < 19; i++)
		argv[n++] = WORD(words[i]);
	argv[n] = NULL;
	if (line != NULL)
		return (inside_line(argv, line, len));
	return (inside_run(argv, 0, input));
}

/* A git that was ended with the agent leaves these; nothing runs now. */
static void
drop_locks(const char *ref)
{
	char path[RUN_PATH_MAX];

	(void)unlink(".git/index.lock");
	(void)unlink(".git/HEAD.lock");
	if (snprintf(path, sizeof(path), ".git/%s.lock", ref) <
	    (int)sizeof(path))
		(void)unlink(path);
}

/* The path that a worktree's file "gitdir" names, from here; NULL: not here. */
static const char *
worktree_path(const char *name, char *line, size_t len)
{
	char path[RUN_PATH_MAX], here[RUN_PATH_MAX], *end;
	size_t n;
	FILE *fp;

	if (snprintf(path, sizeof(path), ".git/worktrees/%s/gitdir", name) >=
	    (int)sizeof(path) || getcwd(here, sizeof(here)) == NULL ||
	    (fp = fopen(path, "re")) == NULL)
		return (NULL);
	if (fgets(line, (int)len, fp) == NULL)
		line[0] = '\0';
	fclose(fp);
	n = strlen(here);
	if (strncmp(line, here, n) != 0 || line[n] != '/' ||
	    (end = strstr(line, "/.git\n")) == NULL || end <= line + n)
		return (NULL);
	*end = '\0';
	return (line + n + 1);
}

/*
 * Claude Code makes worktrees below .claude/worktrees.  git add takes such a
 * folder for a submodule, for which the whole work would be refused; what
 * counts is the branch.
 */
static void
leave_worktrees(void)
{
	char line[RUN_PATH_MAX];
	const char *path;
	struct dirent *de;
	DIR *dir;
	FILE *fp;

	if ((dir = opendir(".git/worktrees")) == NULL)
		return;
	(void)mkdir(".git/info", 0700);
	if ((fp = fopen(".git/info/exclude", "ae")) != NULL) {
		while ((de = readdir(dir)) != NULL)
			if (de->d_name[0] != '.' && (path = worktree_path(
			    de->d_name, line, sizeof(line))) != NULL)
				fprintf(fp, "\n/%s/\n", path);
		fclose(fp);
	}
	closedir(dir);
}

/* Commit what the agent left.  0, or -1 when git could not. */
static int
commit_rest(const char *role, const char *run)
{
	const char *const add[] = { "add", "-A", NULL };
	const char *const diff[] = { "diff", "--cached", "--quiet", NULL };
	const char *const commit[] = { "commit", "-q", "--no-verify",
	    "-F", "-", NULL };
	char msg[512];

	leave_worktrees();
	if (git_inside(NULL, NULL, 0, add) != 0)
		return (-1);
	if (git_inside(NULL, NULL, 0, diff) == 0)
		return (0);
	(void)snprintf(msg, sizeof(msg), "Commit what the %s left\n\n"
	    "Run-Id: %s\n", role, run);
	return (git_inside(msg, NULL, 0, commit) == 0 ? 0 : -1);
}

static int
make_bundle(const char *ref, const char *start, const char *file)
{
	char tip[64], peel[300], without[64];
	const char *const parse[] = { "rev-parse", "-q", "--verify", peel,
	    NULL };
	const char *const bundle[] = { "bundle", "create", "-q", "--version=2",
	    file, ref, without, NULL };

	(void)snprintf(peel, sizeof(peel), "%s^{commit}", ref);
	(void)snprintf(without, sizeof(without), "^%s", start);
	if (git_inside(NULL, tip, sizeof(tip), parse) != 0)
		return (DELIVER_NOBRANCH);
	if (strcmp(tip, start) == 0)
		return (DELIVER_NOCOMMIT);
	return (git_inside(NULL, NULL, 0, bundle) == 0 ? DELIVER_OK :
	    DELIVER_GIT);
}

int
deliver_inside(int argc, char **argv)
{
	const char *const symref[] = { "symbolic-ref", "-q", "HEAD", NULL };
	char ref[280], head[300];

	if (argc != 6 || snprintf(ref, sizeof(ref), "refs/heads/%s",
	    argv[1]) >= (int)sizeof(ref))
		return (DELIVER_GIT);
	drop_locks(ref);
	if (git_inside(NULL, head, sizeof(head), symref) == 0 &&
	    strcmp(head, ref) == 0) {
		if (commit_rest(argv[3], argv[4]) == -1)
			return (DELIVER_GIT);
	} else
		fprintf(stderr, "HEAD is not on %s: what is uncommitted stays "
		    "behind\n", argv[1]);
	return (make_bundle(ref, argv[2], argv[5]));
}

/* Outside: only the bundle's bytes count, and import checks those. */

/* The line "<oid> refs/heads/<branch>" at p, if it is one. */
static int
head_line(const char *p, const char *nl, const char *branch, char tip[41])
{
	char want[280];
	size_t len = (size_t)(nl - p);
	int n;

	n = snprintf(want, sizeof(want), " refs/heads/%s", branch);
	if (n >= (int)sizeof(want) || len != 40 + (size_t)n ||
	    memcmp(p + 40, want, (size_t)n) != 0)
		return (-1);
	memcpy(tip, p, 40);
	tip[40] = '\0';
	return (git_oid_valid(tip) ? 0 : -1);
}

int
deliver_head(int fd, const char *branch, char tip[41])
{
	char buf[HEAD_MAX + 1], *p, *nl;
	ssize_t n;

	if ((n = pread(fd, buf, HEAD_MAX, 0)) <= 0)
		return (-1);
	buf[n] = '\0';
	if (strncmp(buf, BUNDLE_MAGIC, strlen(BUNDLE_MAGIC)) != 0)
		return (-1);
	for (p = buf + strlen(BUNDLE_MAGIC); *p != '\0' && *p != '\n';
	    p = nl + 1) {
		if ((nl = strchr(p, '\n')) == NULL)
			return (-1);
		if (*p != '-')
			return (head_line(p, nl, branch, tip));
	}
	return (-1);
}

static int
bundle_path(const struct run *r, char *dst, size_t len)
{
	return (snprintf(dst, len, "%s/bundle", ws_out(r)) < (int)len ? 0 :
	    -1);
}

/* The agent's side wrote it: it must be a plain file. */
static int
bundle_open(struct run *r, char tip[41])
{
	char path[RUN_PATH_MAX];
	struct stat st;
	int fd;

	if (bundle_path(r, path, sizeof(path)) == -1 || (fd = open(path,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)) == -1)
		return (-1);
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) ||
	    deliver_head(fd, delivery.de_branch, tip) == -1) {
		close(fd);
		return (-1);
	}
	return (fd);
}

static void
deliver_tell(struct delivery *de, const struct box_result *br)
{
	char tip[41] = "", why[900];
	int fd;

	if (br->br_end != BOX_ENDED)
		(void)snprintf(why, sizeof(why), "the clone's commits could "
		    "not be bundled: %s", br->br_why);
	else if (br->br_code == DELIVER_NOCOMMIT) {
		de->de_next(de->de_run, DELIVERED_NOTHING, -1, "", "");
		return;
	} else if (br->br_code == DELIVER_NOBRANCH)
		(void)snprintf(why, sizeof(why), "branch %s is gone from the "
		    "clone, or its repository is unusable", de->de_branch);
	else if (br->br_code != DELIVER_OK)
		(void)snprintf(why, sizeof(why), "git could not commit or "
		    "bundle what is in the clone: %.600s", br->br_pr->tail);
	else if ((fd = bundle_open(de->de_run, tip)) == -1)
		(void)snprintf(why, sizeof(why), "the bundle is missing or "
		    "is not one of branch %s", de->de_branch);
	else {
		de->de_next(de->de_run, DELIVERED, fd, tip, "");
		return;
	}
	de->de_next(de->de_run, DELIVERY_FAILED, -1, "", why);
}

static void
deliver_done(const struct box_result *br, void *arg)
{
	struct delivery *de = arg;
	struct box *b = de->de_box;

	de->de_box = NULL;
	deliver_tell(de, br);
	box_free(b);
}

/* What git is told about itself; the folder HOME is the agent's. */
static int
deliver_env(struct env *e, const char *role)
{
	char mail[96];

	(void)snprintf(mail, sizeof(mail), "%s@orchd.invalid", role);
	if (env_base(e) == -1 ||
	    env_set(e, "GIT_CONFIG_NOSYSTEM", "1") == -1 ||
	    env_set(e, "GIT_CONFIG_GLOBAL", "/dev/null") == -1 ||
	    env_set(e, "GIT_TERMINAL_PROMPT", "0") == -1 ||
	    env_set(e, "GIT_AUTHOR_NAME", role) == -1 ||
	    env_set(e, "GIT_AUTHOR_EMAIL", mail) == -1 ||
	    env_set(e, "GIT_COMMITTER_NAME", role) == -1 ||
	    env_set(e, "GIT_COMMITTER_EMAIL", mail) == -1)
		return (-1);
	return (0);
}

/* A fresh folder, so that nothing of the agent lies where the bundle goes. */
static int
deliver_out(struct run *r, char *err, size_t errlen)
{
	if (fs_remove_tree(AT_FDCWD, ws_out(r), err, errlen) == -1)
		return (-1);
	if (mkdir(ws_out(r), 0700) == -1) {
		(void)snprintf(err, errlen, "%s: %s", ws_out(r),
		    strerror(errno));
		return (-1);
	}
	return (0);
}

void
deliver_start(struct run *r, const char *branch, const char *start,
    void (*next)(struct run *, enum deliver_state, int, const char *,
    const char *))
{
	const char *role = GIVEN(r->r_go.role) ? r->r_go.role : "agent";
	char file[RUN_PATH_MAX], run[24], err[256];
	const char *const argv[] = { box_self(r), "-D", branch, start, role,
	    run, file, NULL };
	struct delivery *de = &delivery;
	struct env env = { 0 };
	struct box_opts bo = { 0 };

	de->de_run = r;
	de->de_next = next;
	(void)strlcpy(de->de_branch, branch, sizeof(de->de_branch));
	(void)snprintf(run, sizeof(run), "%llu",
	    (unsigned long long)r->r_spec->run);
	(void)strlcpy(err, "the bundle's path is too long", sizeof(err));
	if (bundle_path(r, file, sizeof(file)) == -1 ||
	    deliver_out(r, err, sizeof(err)) == -1) {
		next(r, DELIVERY_FAILED, -1, "", err);
		return;
	}
	if (deliver_env(&env, role) == -1)
		fatal("environment");
	bo.bo_argv = argv;
	bo.bo_envp = (const char *const *)env.e_v;
	bo.bo_timeout_ms = DELIVER_MS;
	bo.bo_net = SANDBOX_NET_NONE;
	de->de_box = box_start(r, &bo, deliver_done, de);
	env_free(&env);
}

void
deliver_stop(struct run *r)
{
	box_stop(delivery.de_box);
}

void
deliver_end(void)
{
	box_free(delivery.de_box);
	delivery.de_box = NULL;
}
