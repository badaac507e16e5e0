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
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bsd/string.h>

#include "libcommon/esc.h"
#include "git_run.h"

#define ARGV_MAX	64
#define SAID_MAX	4096	/* bytes kept of stderr */

/*
 * Exact: nothing of the caller's environment reaches git, so neither a
 * variable of an operator's shell nor a secret can.
 */
static const char *const base_env[] = {
	"PATH=/usr/local/bin:/usr/bin:/bin",
	"HOME=/nonexistent",
	"LC_ALL=C",
	"TZ=UTC",
	"GIT_CONFIG_NOSYSTEM=1",
	"GIT_CONFIG_GLOBAL=/dev/null",
	"GIT_ATTR_NOSYSTEM=1",
	"GIT_TERMINAL_PROMPT=0",
	"GIT_ASKPASS=/bin/false",
	"GIT_SSH_COMMAND=/bin/false",
	"GIT_EDITOR=/bin/false",
	"GIT_PAGER=cat",
	"GIT_ALLOW_PROTOCOL=file",
	"GIT_NO_REPLACE_OBJECTS=1",
	"GIT_LITERAL_PATHSPECS=1",
	"GIT_OPTIONAL_LOCKS=0",
	"GIT_ADVICE=0",
};

static const char *const base_args[] = {
	"git",
	"--no-pager",
	"-c", "core.hooksPath=/dev/null",
	"-c", "core.attributesFile=/dev/null",
	"-c", "core.packedGitLimit=512m",
	"-c", "gc.auto=0",
	"-c", "maintenance.auto=false",
	"-c", "advice.detachedHead=false",
};

struct pipes {
	int	in, out[2], err[2];
};

/* What grows while the command talks. */
struct capture {
	char	*buf;
	size_t	 len, size, max;
	char	 said[SAID_MAX];
	size_t	 nsaid;
	int	 toobig;
};

void
git_escape(char *dst, size_t dstlen, const char *src, size_t srclen)
{
	const char *nl;

	if (srclen > 0 && (nl = memchr(src, '\n', srclen)) != NULL)
		srclen = (size_t)(nl - src);
	(void)esc_mem(dst, dstlen, src, srclen, 0, NULL);
}

static uint64_t
now_ms(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1)
		abort();
	return ((uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000);
}

static void
close_fd(int *fd)
{
	if (*fd != -1)
		close(*fd);
	*fd = -1;
}

/*
 * Input goes through an anonymous file, not a pipe: git can then die early
 * without a SIGPIPE or a deadlock for us.
 */
static int
input_open(const struct git_cmd *gc)
{
	const char *p = gc->gc_in;
	size_t left = gc->gc_inlen;
	ssize_t n;
	int fd;

	if (gc->gc_usefd)
		return (fcntl(gc->gc_infd, F_DUPFD_CLOEXEC, 3));
	if (p == NULL)
		return (open("/dev/null", O_RDONLY | O_CLOEXEC));
	if ((fd = memfd_create("git-in", MFD_CLOEXEC)) == -1)
		return (-1);
	while (left > 0) {
		if ((n = write(fd, p, left)) == -1) {
			if (errno == EINTR)
				continue;
			close(fd);
			return (-1);
		}
		p += n;
		left -= (size_t)n;
	}
	if (lseek(fd, 0, SEEK_SET) == -1)
		close_fd(&fd);
	return (fd);
}

static int
pipes_open(const struct git_cmd *gc, struct pipes *p)
{
	p->in = p->out[0] = p->out[1] = p->err[0] = p->err[1] = -1;
	if ((p->in = input_open(gc)) == -1 ||
	    pipe2(p->out, O_CLOEXEC) == -1 || pipe2(p->err, O_CLOEXEC) == -1)
		return (-1);
	if (fcntl(p->out[0], F_SETFL, O_NONBLOCK) == -1 ||
	    fcntl(p->err[0], F_SETFL, O_NONBLOCK) == -1)
		return (-1);
	return (0);
}

static void
pipes_close(struct pipes *p)
{
	close_fd(&p->in);
	close_fd(&p->out[0]);
	close_fd(&p->out[1]);
	close_fd(&p->err[0]);
	close_fd(&p->err[1]);
}

/* Append pointers to a NULL-ended vector; -1 when it is full. */
static int
vec_add(const char **vec, size_t *n, const char *const *add, size_t nadd)
{
	size_t i;

	for (i = 0; i < nadd; i++) {
		if (add[i] == NULL)
			break;
		if (*n + 1 >= ARGV_MAX)
			return (-1);
		vec[(*n)++] = add[i];
	}
	vec[*n] = NULL;
	return (0);
}

static int
env_has(const char *const *env, size_t n, const char *var)
{
	size_t i, len = strcspn(var, "=") + 1;

	for (i = 0; i < n; i++)
		if (strncmp(env[i], var, len) == 0)
			return (1);
	return (0);
}

/*
 * The caller's variables, then ours.  No name twice: git takes the first,
 * and hands the last on to its own children.
 */
static int
env_fill(const char **envp, const char *const *extra)
{
	size_t i, n = 0;

	envp[0] = NULL;
	if (extra != NULL && vec_add(envp, &n, extra, ARGV_MAX) == -1)
		return (-1);
	for (i = 0; i < sizeof(base_env) / sizeof(base_env[0]); i++)
		if (!env_has(envp, n, base_env[i]) &&
		    vec_add(envp, &n, &base_env[i], 1) == -1)
			return (-1);
	return (0);
}

static int
spawn_attr(posix_spawnattr_t *at)
{
	sigset_t none, all;

	sigemptyset(&none);
	sigfillset(&all);
	if (posix_spawnattr_setflags(at, POSIX_SPAWN_SETPGROUP |
	    POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF) != 0 ||
	    posix_spawnattr_setpgroup(at, 0) != 0 ||
	    posix_spawnattr_setsigmask(at, &none) != 0 ||
	    posix_spawnattr_setsigdefault(at, &all) != 0)
		return (-1);
	return (0);
}

/* An errno, 0 when the child runs. */
static int
spawn_git(const char *const *argv, const char *const *envp,
    const struct pipes *p, pid_t *pid)
{
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t at;
	const char *prog = "/usr/bin/git";
	int e;

	if (access(prog, X_OK) == -1)
		prog = "/usr/local/bin/git";
	if ((e = posix_spawn_file_actions_init(&fa)) != 0)
		return (e);
	if ((e = posix_spawnattr_init(&at)) != 0)
		goto done;
	if (spawn_attr(&at) == -1 ||
	    posix_spawn_file_actions_adddup2(&fa, p->in, 0) != 0 ||
	    posix_spawn_file_actions_adddup2(&fa, p->out[1], 1) != 0 ||
	    posix_spawn_file_actions_adddup2(&fa, p->err[1], 2) != 0 ||
	    posix_spawn_file_actions_addclosefrom_np(&fa, 3) != 0)
		e = ENOMEM;
	else
		/* posix_spawn() promises not to write through these. */
		e = posix_spawn(pid, prog, &fa, &at,
		    (char *const *)(uintptr_t)argv,
		    (char *const *)(uintptr_t)envp);
	posix_spawnattr_destroy(&at);
done:
	posix_spawn_file_actions_destroy(&fa);
	return (e);
}

static int
start(const struct git_cmd *gc, const struct pipes *p, pid_t *pid)
{
	const char *argv[ARGV_MAX], *envp[ARGV_MAX];
	char gitdir[1100];
	const char *const dirarg[] = { gitdir, NULL };
	size_t na = 0;

	if (vec_add(argv, &na, base_args,
	    sizeof(base_args) / sizeof(base_args[0])) == -1)
		return (E2BIG);
	if (gc->gc_dir != NULL) {
		if ((size_t)snprintf(gitdir, sizeof(gitdir), "--git-dir=%s",
		    gc->gc_dir) >= sizeof(gitdir))
			return (ENAMETOOLONG);
		if (vec_add(argv, &na, dirarg, 1) == -1)
			return (E2BIG);
	}
	if (vec_add(argv, &na, gc->gc_argv, ARGV_MAX) == -1 ||
	    env_fill(envp, gc->gc_env) == -1)
		return (E2BIG);
	return (spawn_git(argv, envp, p, pid));
}

static void
limit(pid_t pid, enum __rlimit_resource what, uint64_t value)
{
	struct rlimit rl;

	rl.rlim_cur = rl.rlim_max = (rlim_t)value;
	/* Gone already is no fault; a limit that fails leaves the others. */
	(void)prlimit(pid, what, &rl, NULL);
}

static int
capture_add(struct capture *c, const char *buf, size_t n)
{
	char *p;
	size_t want;

	if (n > c->max - c->len) {
		c->toobig = 1;
		return (-1);
	}
	if (c->len + n + 1 > c->size) {
		want = (c->len + n + 1) * 2;
		if ((p = realloc(c->buf, want)) == NULL)
			return (-1);
		c->buf = p;
		c->size = want;
	}
	memcpy(c->buf + c->len, buf, n);
	c->len += n;
	c->buf[c->len] = '\0';
	return (0);
}

/* Read what is there.  1: end of file, 0: more may come, -1: give up. */
static int
drain(int fd, struct capture *c, int is_err)
{
	char buf[16384];
	size_t room;
	ssize_t n;

	for (;;) {
		if ((n = read(fd, buf, sizeof(buf))) == 0)
			return (1);
		if (n == -1) {
			if (errno == EINTR)
				continue;
			return (errno == EAGAIN ? 0 : -1);
		}
		if (!is_err) {
			if (capture_add(c, buf, (size_t)n) == -1)
				return (-1);
			continue;
		}
		room = sizeof(c->said) - c->nsaid;
		room = room < (size_t)n ? room : (size_t)n;
		memcpy(c->said + c->nsaid, buf, room);
		c->nsaid += room;
	}
}

/* 0: ended by itself.  ETIMEDOUT, EFBIG or another errno: it must be. */
static int
serve(struct pipes *p, int pidfd, uint64_t deadline, struct capture *c)
{
	struct pollfd pfd[3];
	uint64_t now;
	int r;

	for (;;) {
		pfd[0] = (struct pollfd){ pidfd, POLLIN, 0 };
		pfd[1] = (struct pollfd){ p->out[0], POLLIN, 0 };
		pfd[2] = (struct pollfd){ p->err[0], POLLIN, 0 };
		if ((now = now_ms()) >= deadline)
			return (ETIMEDOUT);
		if (poll(pfd, 3, (int)(deadline - now)) == -1 &&
		    errno != EINTR)
			return (errno);
		/* Asked before the pipes: what it wrote last is there. */
		if (p->out[0] != -1) {
			if ((r = drain(p->out[0], c, 0)) == -1)
				return (c->toobig ? EFBIG : ENOMEM);
			if (r == 1)
				close_fd(&p->out[0]);
		}
		if (p->err[0] != -1 && drain(p->err[0], c, 1) != 0)
			close_fd(&p->err[0]);
		if (pfd[0].revents != 0)
			return (0);
	}
}

static int
reap(pid_t pid, int *status)
{
	while (waitpid(pid, status, 0) == -1)
		if (errno != EINTR)
			return (-1);
	return (0);
}

static const char *
name_of(const struct git_cmd *gc)
{
	size_t i;

	for (i = 0; gc->gc_argv[i] != NULL; i++) {
		if (strcmp(gc->gc_argv[i], "-c") == 0) {
			if (gc->gc_argv[++i] == NULL)
				break;
		} else if (gc->gc_argv[i][0] != '-')
			return (gc->gc_argv[i]);
	}
	return ("git");
}

/* Turn how it ended into the result; -1 with a sentence when badly. */
static int
judge(const struct git_cmd *gc, struct git_out *go, struct capture *c,
    int e, int status, char *err, size_t errlen)
{
	const char *name = name_of(gc);

	git_escape(go->go_said, sizeof(go->go_said), c->said, c->nsaid);
	go->go_timedout = e == ETIMEDOUT;
	go->go_toobig = e == EFBIG;
	if (e == ETIMEDOUT)
		snprintf(err, errlen, "git %s: not done after %u ms, ended",
		    name, gc->gc_timeout_ms ? gc->gc_timeout_ms :
		    GIT_TIMEOUT_MS);
	else if (e == EFBIG)
		snprintf(err, errlen, "git %s: more than %zu bytes of output",
		    name, c->max);
	else if (e != 0)
		snprintf(err, errlen, "git %s: %s", name, strerror(e));
	else if (WIFSIGNALED(status)) {
		go->go_sig = WTERMSIG(status);
		snprintf(err, errlen, "git %s: ended by signal %d (%s)", name,
		    go->go_sig, strsignal(go->go_sig));
	} else {
		go->go_exit = WEXITSTATUS(status);
		go->go_out = c->buf;
		go->go_len = c->len;
		return (0);
	}
	free(c->buf);
	return (-1);
}

static int
watch_child(const struct git_cmd *gc, struct pipes *p, pid_t pid,
    struct git_out *go, char *err, size_t errlen)
{
	struct capture c;
	int e, pidfd, status = 0;

	memset(&c, 0, sizeof(c));
	c.max = gc->gc_outmax ? gc->gc_outmax : GIT_OUT_MAX;
	if (gc->gc_cpu_s != 0)
		limit(pid, RLIMIT_CPU, gc->gc_cpu_s);
	if (gc->gc_fsize != 0)
		limit(pid, RLIMIT_FSIZE, gc->gc_fsize);
	if (gc->gc_data != 0)
		limit(pid, RLIMIT_DATA, gc->gc_data);
	limit(pid, RLIMIT_CORE, 0);
	if ((pidfd = (int)syscall(SYS_pidfd_open, pid, 0)) == -1)
		e = errno;
	else if (capture_add(&c, "", 0) == -1)
		e = ENOMEM;
	else
		e = serve(p, pidfd, now_ms() + (gc->gc_timeout_ms ?
		    gc->gc_timeout_ms : GIT_TIMEOUT_MS), &c);
	/* Helpers of git too; before the wait, so the group is still ours. */
	kill(-pid, SIGKILL);
	if (reap(pid, &status) == -1 && e == 0)
		e = errno;
	close_fd(&pidfd);
	return (judge(gc, go, &c, e, status, err, errlen));
}

int
git_run(const struct git_cmd *gc, struct git_out *go, char *err,
    size_t errlen)
{
	struct pipes p;
	pid_t pid;
	int e, r = -1;

	memset(go, 0, sizeof(*go));
	go->go_exit = -1;
	if (pipes_open(gc, &p) == -1) {
		snprintf(err, errlen, "git %s: %s", name_of(gc),
		    strerror(errno));
		goto done;
	}
	if ((e = start(gc, &p, &pid)) != 0) {
		snprintf(err, errlen, "git %s: cannot be started: %s%s",
		    name_of(gc), strerror(e),
		    e == ENOENT ? " (is git installed?)" : "");
		goto done;
	}
	close_fd(&p.in);
	close_fd(&p.out[1]);
	close_fd(&p.err[1]);
	r = watch_child(gc, &p, pid, go, err, errlen);
done:
	pipes_close(&p);
	return (r);
}

void
git_out_free(struct git_out *go)
{
	free(go->go_out);
	go->go_out = NULL;
	go->go_len = 0;
}

int
git_simple(const char *dir, const char *const *argv, const char *const *env,
    const void *in, size_t inlen, struct git_out *go, char *err,
    size_t errlen)
{
	struct git_cmd gc;

	memset(&gc, 0, sizeof(gc));
	gc.gc_dir = dir;
	gc.gc_argv = argv;
	gc.gc_env = env;
	gc.gc_in = in;
	gc.gc_inlen = inlen;
	return (git_run(&gc, go, err, errlen));
}

void
git_said(char *err, size_t errlen, const char *what, const struct git_out *go)
{
	if (go->go_said[0] != '\0')
		snprintf(err, errlen, "git %s: %s", what, go->go_said);
	else
		snprintf(err, errlen, "git %s: ended with exit code %d", what,
		    go->go_exit);
}

int
git_run_line(const char *dir, const char *const *argv,
    const char *const *env, const void *in, size_t inlen, char *out,
    size_t outlen, char *err, size_t errlen)
{
	struct git_out go;
	int r = -1;

	if (outlen > 0)
		out[0] = '\0';
	if (git_simple(dir, argv, env, in, inlen, &go, err, errlen) == -1)
		return (-1);
	if (go.go_exit != 0)
		git_said(err, errlen, argv[0], &go);
	else {
		go.go_out[strcspn(go.go_out, "\n")] = '\0';
		if (outlen == 0 || strlcpy(out, go.go_out, outlen) < outlen)
			r = 0;
		else
			snprintf(err, errlen, "git %s: its answer is longer "
			    "than %zu bytes", argv[0], outlen - 1);
	}
	git_out_free(&go);
	return (r);
}

int
git_run_ok(const char *dir, const char *const *argv,
    const char *const *env, const void *in, size_t inlen, char *err,
    size_t errlen)
{
	return (git_run_line(dir, argv, env, in, inlen, NULL, 0, err,
	    errlen));
}
