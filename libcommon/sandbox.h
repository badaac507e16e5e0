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

#ifndef COMMON_SANDBOX_H
#define COMMON_SANDBOX_H

#include <stddef.h>
#include <stdint.h>

/* Where things are inside the bwrap level. */
#define SANDBOX_SHIM	"/run/orchd/shim"
#define SANDBOX_PROXY	"/run/orchd/proxy.sock"
#define SANDBOX_HOME	"/home/agent"
#define SANDBOX_PROXY_URL "http://127.0.0.1:3128"

enum sandbox_level {
	SANDBOX_BWRAP,		/* namespaces, the default */
	SANDBOX_LANDLOCK,	/* weaker: paths, signals, sockets only */
	SANDBOX_NONE		/* by word only */
};

enum sandbox_net {
	SANDBOX_NET_NONE,
	SANDBOX_NET_OPEN,
	SANDBOX_NET_ALLOW	/* by a proxy to listed hosts; bwrap only */
};

/* The box of an agent or a gate (R-94).  Paths are absolute. */
struct sandbox_opts {
	enum sandbox_level	 level;
	const char		*workdir;	/* writable; becomes cwd */
	const char *const	*ro_binds;	/* or NULL */
	const char *const	*rw_binds;	/* may be NULL */
	const char		*home;		/* a writable folder to be HOME;
						 * NULL: private, in memory
						 * (landlock needs one) */
	enum sandbox_net	 net;
	const char		*proxy_sock;	/* NET_ALLOW: its path */
	uint64_t		 mem_max;	/* bytes; 0: no limit */
	uint64_t		 fsize_max;	/* bytes a file; 0: no limit */
	uint32_t		 nproc_max;	/* processes; 0: no limit */
	uint64_t		 tmp_max;	/* bytes of /tmp; 0: 512 MiB */
	const char		*shim;		/* the runner's binary */
};

/* "bwrap", "landlock" or "none"; "none", "open" or "allow". */
const char	*sandbox_level_name(enum sandbox_level);
const char	*sandbox_net_name(enum sandbox_net);

/*
 * Builds the command line that runs argv inside the box.  Environment values
 * never appear in it: give the exact environment to exec (proctree's envp);
 * only HOME, TMPDIR and the proxy variables are set by the box itself.
 *
 * The first program in the box is our shim, at every level.  Descriptor 3 of
 * the command must be one end of a stream socketpair: the shim writes "R"
 * when it stands, waits for "G", sets its limits, closes the descriptor and
 * execs argv; end of file instead of "G" ends it with status 125, before
 * anything of argv ran.  If argv[0] cannot be executed it writes one line to
 * stderr and exits with 127 (not found) or 126.
 *
 * *out is NULL terminated, to be freed by sandbox_argv_free().  Returns 0,
 * or -1 with a sentence in err (a level or net that cannot be had here).
 */
int		 sandbox_wrap(const struct sandbox_opts *,
		    const char *const *argv, char ***out, char *err,
		    size_t errlen);

/* Frees what sandbox_wrap made.  NULL is allowed. */
void		 sandbox_argv_free(char **);

/*
 * Runs `true` inside exactly this box, at most 10 s.  Returns 0 if it worked;
 * else -1, and err says in a sentence why the box cannot be made and what a
 * person can do.  The caller starts no agent then.
 */
int		 sandbox_probe(const struct sandbox_opts *, char *err,
		    size_t errlen);

/* The kernel's Landlock ABI; 0 if it has none or it is switched off. */
int		 sandbox_landlock_abi(void);

#endif
