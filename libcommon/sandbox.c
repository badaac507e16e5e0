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

#include <sys/types.h>
#include <sys/socket.h>

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bsd/stdlib.h>

#include "fsutil.h"
#include "landlock.h"
#include "proctree.h"
#include "sandbox.h"

#define TMP_BYTES		(512ULL * 1024 * 1024)
#define PROBE_MS	10000

/* A command line that grows. */
struct args {
	char	**a_v;
	size_t	  a_n;
	int	  a_failed;
};

/* What programs look for in /etc; nothing of it is a secret. */
static const char *const etc_files[] = {
	"/etc/alternatives", "/etc/ca-certificates", "/etc/ssl", "/etc/pki",
	"/etc/passwd", "/etc/group", "/etc/nsswitch.conf", "/etc/hosts",
	"/etc/host.conf", "/etc/resolv.conf", "/etc/gai.conf",
	"/etc/protocols", "/etc/services", "/etc/ld.so.cache",
	"/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/localtime",
	"/etc/timezone", "/etc/mime.types", "/etc/terminfo", "/etc/fonts",
	"/etc/os-release", NULL
};

static const char *const system_dirs[] = {
	"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", NULL
};

static const char *const bwrap_paths[] = {
	"/usr/bin/bwrap", "/usr/local/bin/bwrap", "/bin/bwrap", NULL
};

const char *
sandbox_level_name(enum sandbox_level level)
{
	switch (level) {
	case SANDBOX_BWRAP:
		return ("bwrap");
	case SANDBOX_LANDLOCK:
		return ("landlock");
	case SANDBOX_NONE:
		break;
	}
	return ("none");
}

const char *
sandbox_net_name(enum sandbox_net net)
{
	switch (net) {
	case SANDBOX_NET_OPEN:
		return ("open");
	case SANDBOX_NET_ALLOW:
		return ("allow");
	case SANDBOX_NET_NONE:
		break;
	}
	return ("none");
}

int
sandbox_landlock_abi(void)
{
	return (landlock_abi());
}

static int __attribute__((format(printf, 3, 4)))
refuse(char *err, size_t errlen, const char *fmt, ...)
{
	va_list	 ap;

	va_start(ap, fmt);
	if (vsnprintf(err, errlen, fmt, ap) < 0 && errlen > 0)
		err[0] = '\0';
	va_end(ap);
	return (-1);
}

static void
add(struct args *a, const char *s)
{
	char	**v;

	if (a->a_failed)
		return;
	v = reallocarray(a->a_v, a->a_n + 2, sizeof(*v));
	if (v == NULL) {
		a->a_failed = 1;
		return;
	}
	a->a_v = v;
	v[a->a_n + 1] = NULL;
	if ((v[a->a_n] = strdup(s)) == NULL)
		a->a_failed = 1;
	else
		a->a_n++;
}

/* Words up to NULL. */
static void __attribute__((sentinel))
add_words(struct args *a, const char *s, ...)
{
	va_list	 ap;

	va_start(ap, s);
	for (; s != NULL; s = va_arg(ap, const char *))
		add(a, s);
	va_end(ap);
}

static void
add_number(struct args *a, const char *option, uint64_t n)
{
	char	 buf[32];

	(void)snprintf(buf, sizeof(buf), "%" PRIu64, n);
	add_words(a, option, buf, NULL);
}

static void
add_list(struct args *a, const char *option, int twice,
    const char *const *list)
{
	for (; list != NULL && *list != NULL; list++) {
		add_words(a, option, *list, NULL);
		if (twice)
			add(a, *list);
	}
}

/* /bin and its like are links into /usr on merged systems, else folders. */
static void
add_system(struct args *a)
{
	const char *const	*p;
	char			 target[256];
	ssize_t			 n;

	add_words(a, "--ro-bind", "/usr", "/usr", NULL);
	for (p = system_dirs; *p != NULL; p++) {
		n = readlink(*p, target, sizeof(target) - 1);
		if (n > 0) {
			target[n] = '\0';
			add_words(a, "--symlink", target, *p, NULL);
		} else
			add_words(a, "--ro-bind-try", *p, *p, NULL);
	}
	add_list(a, "--ro-bind-try", 1, etc_files);
}

static void
add_proxy(struct args *a, const struct sandbox_opts *o)
{
	static const char *const	 names[] = { "HTTPS_PROXY",
	    "https_proxy", "HTTP_PROXY", "http_proxy" };
	size_t				 i;

	if (o->net != SANDBOX_NET_ALLOW)
		return;
	add_words(a, "--bind", o->proxy_sock, SANDBOX_PROXY, NULL);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		add_words(a, "--setenv", names[i], SANDBOX_PROXY_URL, NULL);
	add_words(a, "--setenv", "NO_PROXY", "127.0.0.1,localhost",
	    "--setenv", "no_proxy", "127.0.0.1,localhost", NULL);
}

/*
 * The order is that of the mounts: what may lie inside another comes after
 * it.  Last the root itself becomes read-only.
 */
static void
add_bwrap(struct args *a, const struct sandbox_opts *o, const char *bwrap)
{
	const char	*home = o->home != NULL ? o->home : SANDBOX_HOME;

	add_words(a, bwrap, "--unshare-all", "--unshare-user",
	    "--disable-userns", "--die-with-parent", "--new-session",
	    "--cap-drop", "ALL", "--hostname", "sandbox", NULL);
	if (o->net == SANDBOX_NET_OPEN)
		add(a, "--share-net");
	add_system(a);
	add_words(a, "--proc", "/proc", "--dev", "/dev", NULL);
	add_number(a, "--size", o->tmp_max != 0 ? o->tmp_max : TMP_BYTES);
	add_words(a, "--tmpfs", "/tmp", "--dir", "/var/tmp", "--dir", "/run",
	    NULL);
	/* /dev is memory too: half of the machine's, if nobody says less. */
	add_number(a, "--size", o->tmp_max != 0 ? o->tmp_max : TMP_BYTES);
	add_words(a, "--tmpfs", "/dev/shm", "--remount-ro", "/dev", NULL);
	if (o->home == NULL) {
		add_number(a, "--size",
		    o->tmp_max != 0 ? o->tmp_max : TMP_BYTES);
		add_words(a, "--tmpfs", SANDBOX_HOME, NULL);
	} else
		add_words(a, "--bind", o->home, o->home, NULL);
	add_words(a, "--ro-bind", o->shim, SANDBOX_SHIM, NULL);
	add_list(a, "--ro-bind", 1, o->ro_binds);
	add_words(a, "--bind", o->workdir, o->workdir, NULL);
	add_list(a, "--bind", 1, o->rw_binds);
	add_words(a, "--setenv", "HOME", home, "--setenv", "TMPDIR", "/tmp",
	    NULL);
	add_proxy(a, o);
	add_words(a, "--chdir", o->workdir, "--remount-ro", "/", "--",
	    SANDBOX_SHIM, "-S", NULL);
	if (o->net == SANDBOX_NET_ALLOW)
		add_words(a, "-x", SANDBOX_PROXY, NULL);
}

static void
add_landlock(struct args *a, const struct sandbox_opts *o)
{
	static const char *const	 devices[] = { "/dev/null", "/dev/zero",
	    "/dev/full", "/dev/random", "/dev/urandom", NULL };

	/* AF_UNIX always: a path's socket is beyond Landlock's rules. */
	add_words(a, o->shim, "-S", "-k", "-L", "-u", "-C", o->workdir, "-H",
	    o->home, "-r", "/usr", "-r", "/proc", NULL);
	add(a, o->net == SANDBOX_NET_OPEN ? "-o" : "-i");
	add_list(a, "-r", 0, system_dirs);
	add_list(a, "-r", 0, etc_files);
	add_list(a, "-r", 0, o->ro_binds);
	add_words(a, "-w", o->workdir, "-w", o->home, NULL);
	add_list(a, "-w", 0, o->rw_binds);
	add_list(a, "-w", 0, devices);
}

static void
add_none(struct args *a, const struct sandbox_opts *o)
{
	add_words(a, o->shim, "-S", "-k", "-N", "-C", o->workdir, NULL);
	if (o->home != NULL)
		add_words(a, "-H", o->home, NULL);
}

static int
check_opts(const struct sandbox_opts *o, char *err, size_t errlen)
{
	if (o->workdir == NULL || o->workdir[0] != '/' || o->shim == NULL ||
	    o->shim[0] != '/')
		return (refuse(err, errlen, "the sandbox needs the absolute "
		    "paths of a workspace and of the runner's program"));
	if (o->net == SANDBOX_NET_ALLOW && o->level != SANDBOX_BWRAP)
		return (refuse(err, errlen, "network allow needs sandbox "
		    "bwrap; sandbox %s knows only none and open",
		    sandbox_level_name(o->level)));
	if (o->net == SANDBOX_NET_ALLOW && o->proxy_sock == NULL)
		return (refuse(err, errlen, "network allow needs its proxy, "
		    "and none runs"));
	if (o->level != SANDBOX_LANDLOCK)
		return (0);
	if (o->home == NULL)
		return (refuse(err, errlen, "sandbox landlock needs a home "
		    "folder of its own"));
	if (landlock_abi() < LANDLOCK_ABI_MIN)
		return (refuse(err, errlen, "sandbox landlock is refused: "
		    "this kernel has Landlock ABI %d, and %d (Linux 6.12) is "
		    "the first that keeps signals inside; use sandbox bwrap",
		    landlock_abi(), LANDLOCK_ABI_MIN));
	return (0);
}

static const char *
find_bwrap(void)
{
	const char *const	*p;

	for (p = bwrap_paths; *p != NULL; p++)
		if (access(*p, X_OK) == 0)
			return (*p);
	return (NULL);
}

int
sandbox_wrap(const struct sandbox_opts *o, const char *const *argv,
    char ***out, char *err, size_t errlen)
{
	struct args	 a;
	const char	*bwrap;

	memset(&a, 0, sizeof(a));
	if (check_opts(o, err, errlen) == -1)
		return (-1);
	if (o->level == SANDBOX_BWRAP) {
		if ((bwrap = find_bwrap()) == NULL)
			return (refuse(err, errlen, "bubblewrap is not "
			    "installed (no /usr/bin/bwrap); install the "
			    "package bubblewrap"));
		add_bwrap(&a, o, bwrap);
	} else if (o->level == SANDBOX_LANDLOCK)
		add_landlock(&a, o);
	else
		add_none(&a, o);
	if (o->mem_max != 0)
		add_number(&a, "-d", o->mem_max);
	if (o->fsize_max != 0)
		add_number(&a, "-f", o->fsize_max);
	if (o->nproc_max != 0)
		add_number(&a, "-p", o->nproc_max);
	add(&a, "--");
	for (; *argv != NULL; argv++)
		add(&a, *argv);
	if (a.a_failed) {
		sandbox_argv_free(a.a_v);
		return (refuse(err, errlen, "sandbox: out of memory"));
	}
	*out = a.a_v;
	return (0);
}

void
sandbox_argv_free(char **v)
{
	size_t	 i;

	for (i = 0; v != NULL && v[i] != NULL; i++)
		free(v[i]);
	free(v);
}

/* What the kernel says about user namespaces, for the sentence. */
static const char *
userns_cause(void)
{
	static const struct {
		const char	*path;
		const char	*off;
		const char	*text;
	} knobs[] = {
		{ "/proc/sys/kernel/unprivileged_userns_clone", "0\n",
		    "kernel.unprivileged_userns_clone is 0" },
		{ "/proc/sys/user/max_user_namespaces", "0\n",
		    "user.max_user_namespaces is 0" },
		{ "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
		    "1\n",
		    "kernel.apparmor_restrict_unprivileged_userns is 1" }
	};
	size_t	 i, len;
	char	*buf;
	int	 hit;

	for (i = 0; i < sizeof(knobs) / sizeof(knobs[0]); i++) {
		if (fs_read_file(knobs[i].path, 32, &buf, &len) == -1)
			continue;
		hit = strcmp(buf, knobs[i].off) == 0;
		free(buf);
		if (hit)
			return (knobs[i].text);
	}
	return ("the kernel, a container or a system call filter forbids it");
}

static int
explain_bwrap(const char *said, char *err, size_t errlen)
{
	if (strstr(said, "No permissions to create") != NULL ||
	    strstr(said, "namespace failed: Operation not permitted") != NULL ||
	    strstr(said, "uid map: Operation not permitted") != NULL)
		return (refuse(err, errlen, "bubblewrap could not make a user "
		    "namespace (%s)", userns_cause()));
	if (strstr(said, "ENOSPC") != NULL ||
	    strstr(said, "namespace failed: No space left") != NULL)
		return (refuse(err, errlen, "bubblewrap could not make a user "
		    "namespace: user.max_user_namespaces is 0, or namespaces "
		    "are nested too deep"));
	if (strstr(said, "mount proc") != NULL)
		return (refuse(err, errlen, "bubblewrap could not mount /proc:"
		    " part of it is covered here, by a container, another "
		    "sandbox, or a unit with ProtectKernelTunables, "
		    "ProtectKernelLogs, ProtectProc or ProcSubset"));
	if (strstr(said, "overflowuid") != NULL)
		return (refuse(err, errlen, "bubblewrap needs /proc, and it "
		    "is not mounted"));
	return (0);
}

static int
explain(const struct sandbox_opts *o, const struct proctree_result *res,
    char *err, size_t errlen)
{
	char	 said[256];
	size_t	 n = strcspn(res->tail, "\n");

	(void)snprintf(said, sizeof(said), "%.*s", (int)n, res->tail);
	if (res->exec_failed != 0)
		return (refuse(err, errlen, "sandbox %s: cannot execute %s: "
		    "%s", sandbox_level_name(o->level),
		    o->level == SANDBOX_BWRAP ? "bwrap" : o->shim,
		    strerror(res->exec_failed)));
	if (res->timed_out)
		return (refuse(err, errlen, "sandbox %s: `true` did not end "
		    "within %d s", sandbox_level_name(o->level),
		    PROBE_MS / 1000));
	if (explain_bwrap(res->tail, err, errlen) == -1)
		return (-1);
	if (res->sig != 0)
		return (refuse(err, errlen, "sandbox %s: ended by signal %d: "
		    "%s", sandbox_level_name(o->level), res->sig, said));
	return (refuse(err, errlen, "sandbox %s: %s (status %d)",
	    sandbox_level_name(o->level), said[0] != '\0' ? said :
	    "no reason was given", res->exit_code));
}

static int
run_probe(char *const *argv, struct proctree_result *res)
{
	static const char *const	 env[] = {
	    "PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C", NULL };
	struct proctree_opts		 po = PROCTREE_OPTS_INIT;
	struct proctree_fd		 go;
	int				 sv[2], r = -1, saved;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) == -1)
		return (-1);
	go.src = sv[1];
	go.dst = 3;
	po.argv = (const char *const *)argv;
	po.envp = env;
	po.cwd = "/";
	po.timeout_ms = PROBE_MS;
	po.pass_fds = &go;
	po.npass_fds = 1;
	/* The answer waits in the socket for the question. */
	if (write(sv[0], "G", 1) == 1)
		r = proctree_run(&po, res);
	saved = errno;
	close(sv[0]);
	close(sv[1]);
	errno = saved;
	return (r);
}

int
sandbox_probe(const struct sandbox_opts *o, char *err, size_t errlen)
{
	static const char *const	 command[] = { "true", NULL };
	struct proctree_result		 res;
	char				**argv;
	int				 r;

	if (sandbox_wrap(o, command, &argv, err, errlen) == -1)
		return (-1);
	r = run_probe(argv, &res);
	sandbox_argv_free(argv);
	if (r == -1)
		return (refuse(err, errlen, "sandbox: cannot start the probe: "
		    "%s", strerror(errno)));
	if (res.exec_failed == 0 && res.exit_code == 0)
		return (0);
	return (explain(o, &res, err, errlen));
}
