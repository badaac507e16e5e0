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
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bsd/stdlib.h>

#include "libcommon/seccomp.h"
#include "forward.h"
#include "landlock.h"
#include "shim.h"

#define GO_FD		3
#define EXIT_NO_GO	125		/* nothing of the command ran */
#define EXIT_CANNOT	126
#define EXIT_NOT_FOUND	127
#define PATHS_MAX	64

/* What sandbox_wrap() put on the line. */
struct shim {
	rlim_t		 sh_data;	/* 0: no limit, as for the others */
	rlim_t		 sh_fsize;
	rlim_t		 sh_nproc;
	int		 sh_flags;	/* SECCOMP_AGENT_ */
	int		 sh_no_filter;	/* level none */
	const char	*sh_proxy;	/* Unix socket to forward to */
	int		 sh_landlock;
	int		 sh_net;
	int		 sh_pdeath;	/* no pid namespace does it for us */
	const char	*sh_home;	/* HOME and TMPDIR, if not NULL */
	const char	*sh_cwd;
	const char	*sh_ro[PATHS_MAX + 1];
	size_t		 sh_nro;
	const char	*sh_rw[PATHS_MAX + 1];
	size_t		 sh_nrw;
};

static int
complain(const char *what, const char *why)
{
	(void)fprintf(stderr, "sandbox: %s: %s\n", what, why);
	return (-1);
}

static int
take_limit(const char *arg, rlim_t *out)
{
	const char	*errstr;

	*out = (rlim_t)strtonum(arg, 1, LLONG_MAX, &errstr);
	return (errstr == NULL ? 0 : complain(arg, errstr));
}

static int
take_path(const char **list, size_t *n, const char *path)
{
	if (*n == PATHS_MAX)
		return (complain(path, "too many paths"));
	list[(*n)++] = path;
	return (0);
}

static int
take_option(struct shim *sh, int ch, const char *arg)
{
	switch (ch) {
	case 'd':
		return (take_limit(arg, &sh->sh_data));
	case 'f':
		return (take_limit(arg, &sh->sh_fsize));
	case 'p':
		return (take_limit(arg, &sh->sh_nproc));
	case 'i':
		sh->sh_flags |= SECCOMP_AGENT_NO_INET;
		return (0);
	case 'u':
		sh->sh_flags |= SECCOMP_AGENT_NO_UNIX;
		return (0);
	case 'N':
		sh->sh_no_filter = 1;
		return (0);
	case 'x':
		sh->sh_proxy = arg;
		return (0);
	case 'L':
		sh->sh_landlock = 1;
		return (0);
	case 'o':
		sh->sh_net = 1;
		return (0);
	case 'r':
		return (take_path(sh->sh_ro, &sh->sh_nro, arg));
	case 'w':
		return (take_path(sh->sh_rw, &sh->sh_nrw, arg));
	case 'k':
		sh->sh_pdeath = 1;
		return (0);
	case 'H':
		sh->sh_home = arg;
		return (0);
	case 'C':
		sh->sh_cwd = arg;
		return (0);
	case 'S':
		return (0);
	default:
		return (-1);
	}
}

/* "R", then wait for "G".  End of file: the runner is gone. */
static int
wait_for_go(void)
{
	ssize_t	 n;
	char	 c = 0;

	do {
		n = send(GO_FD, "R", 1, MSG_NOSIGNAL);
	} while (n == -1 && errno == EINTR);
	if (n != 1)
		return (-1);
	do {
		n = read(GO_FD, &c, 1);
	} while (n == -1 && errno == EINTR);
	close(GO_FD);
	return (n == 1 && c == 'G' ? 0 : -1);
}

static int
set_limit(int what, rlim_t max, const char *name)
{
	struct rlimit	 rl;

	if (max == 0)
		return (0);
	if (getrlimit((__rlimit_resource_t)what, &rl) == -1)
		return (complain(name, strerror(errno)));
	if (rl.rlim_max != RLIM_INFINITY && max > rl.rlim_max)
		max = rl.rlim_max;
	rl.rlim_cur = rl.rlim_max = max;
	if (setrlimit((__rlimit_resource_t)what, &rl) == -1)
		return (complain(name, strerror(errno)));
	return (0);
}

/*
 * RLIMIT_DATA counts the private memory that can be written, a process at a
 * time.  RLIMIT_AS would also count what language runtimes only reserve.
 */
static int
set_limits(const struct shim *sh)
{
	struct rlimit	 none = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &none) == -1)
		return (complain("RLIMIT_CORE", strerror(errno)));
	if (set_limit(RLIMIT_DATA, sh->sh_data, "RLIMIT_DATA") == -1 ||
	    set_limit(RLIMIT_FSIZE, sh->sh_fsize, "RLIMIT_FSIZE") == -1 ||
	    set_limit(RLIMIT_NPROC, sh->sh_nproc, "RLIMIT_NPROC") == -1)
		return (-1);
	return (0);
}

static int
set_place(const struct shim *sh)
{
	if (sh->sh_home != NULL &&
	    (setenv("HOME", sh->sh_home, 1) == -1 ||
	    setenv("TMPDIR", sh->sh_home, 1) == -1))
		return (complain("HOME", strerror(errno)));
	if (sh->sh_cwd != NULL && chdir(sh->sh_cwd) == -1)
		return (complain(sh->sh_cwd, strerror(errno)));
	return (0);
}

/*
 * Order: the forwarder needs what the rest takes away, and making the filter
 * needs memory.
 */
static int
close_box(const struct shim *sh)
{
	char	 err[256];

	if (sh->sh_proxy != NULL &&
	    forward_start(sh->sh_proxy, err, sizeof(err)) == -1)
		return (complain("proxy", err));
	if (set_place(sh) == -1)
		return (-1);
	if (sh->sh_landlock && landlock_enter(sh->sh_ro, sh->sh_rw,
	    sh->sh_net, err, sizeof(err)) == -1)
		return (complain("landlock", err));
	if (!sh->sh_no_filter &&
	    seccomp_agent(sh->sh_flags, err, sizeof(err)) == -1)
		return (complain("filter", err));
	return (set_limits(sh));
}

/*
 * The runner starts bwrap with SIGTERM ignored, because bwrap would die of it
 * and take the box along before the command could end by itself.  The command
 * shall get it.
 */
static void
default_term(void)
{
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = SIG_DFL;
	(void)sigaction(SIGTERM, &sa, NULL);
}

int
shim_main(int argc, char **argv)
{
	struct shim	 sh;
	int		 ch, code;

	default_term();
	memset(&sh, 0, sizeof(sh));
	/* "+": what follows belongs to the command. */
	while ((ch = getopt(argc, argv, "+Sd:f:p:iuNx:Lor:w:kH:C:")) != -1)
		if (take_option(&sh, ch, optarg) == -1)
			return (EXIT_NO_GO);
	argv += optind;
	if (*argv == NULL) {
		(void)complain("usage", "runner -S options -- command");
		return (EXIT_NO_GO);
	}
	/* Before R, so that a runner that dies later takes us along. */
	if (sh.sh_pdeath && prctl(PR_SET_PDEATHSIG, SIGKILL) == -1) {
		(void)complain("PDEATHSIG", strerror(errno));
		return (EXIT_NO_GO);
	}
	if (wait_for_go() == -1) {
		(void)complain(*argv, "the runner ended before it said go; "
		    "not started");
		return (EXIT_NO_GO);
	}
	if (close_box(&sh) == -1)
		return (EXIT_NO_GO);
	(void)execvp(*argv, argv);
	code = errno;
	(void)complain(*argv, strerror(code));
	return (code == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT);
}
