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

#ifndef COMMON_PROCTREE_H
#define COMMON_PROCTREE_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

struct event_base;
struct proctree;

#define PROCTREE_LINE_MAX	(64 * 1024)	/* when line_max is 0 */
#define PROCTREE_TAIL_MAX	4096

/* A descriptor of the caller and the number the command finds it under. */
#define PROCTREE_FDS_MAX	16
struct proctree_fd {
	int		 src;
	int		 dst;		/* 3 to 63 */
};

/*
 * One line of output: stream 1 is stdout, 2 is stderr.  Redacted, cut at
 * line_max, not escaped, without line end, NUL terminated (len counts NULs
 * that the command wrote).  Valid during the call only.  It must not call
 * proctree_free().
 */
typedef void (*proctree_line_cb)(void *arg, int stream, const char *line,
	    size_t len);

/*
 * The process is there but has not begun: it begins when this returns 0, and
 * never begins when this returns -1 (with errno) or the caller dies before.
 */
typedef int (*proctree_born_cb)(void *arg, pid_t pid);

struct proctree_opts {
	const char *const	*argv;	/* argv[0] is searched in envp's PATH */
	const char *const	*envp;	/* the exact environment; NULL: none */
	const char		*cwd;	/* NULL: the caller's */
	uint32_t		 timeout_ms;	/* 0: no limit */
	uint32_t		 grace_ms;	/* TERM to KILL; 0: 5000 */
	int			 log_fd;	/* -1: no log; stays open */
	uint64_t		 log_max;	/* bytes; 0: no limit */
	size_t			 line_max;	/* bytes; 0: 64 KiB */
	int			 in_fd;		/* stdin; -1: /dev/null */
	const struct proctree_fd *pass_fds;	/* besides 0, 1, 2 */
	size_t			 npass_fds;
	int			 keep_children;	/* a deploy hook, see below */
	proctree_born_cb	 born_cb;	/* may be NULL */
	void			*born_arg;
	proctree_line_cb	 line_cb;	/* may be NULL */
	void			*line_arg;
};

/* For static initialisation: no log, stdin from /dev/null. */
#define PROCTREE_OPTS_INIT	{ .log_fd = -1, .in_fd = -1 }

struct proctree_result {
	int		 exit_code;	/* -1: by a signal, or not begun */
	int		 sig;		/* the signal, else 0 */
	int		 timed_out;	/* the time limit passed */
	int		 ended;		/* proctree_end() was called */
	int		 exec_failed;	/* errno of exec or chdir, else 0 */
	int		 left;		/* processes that could not be ended */
	uint64_t	 duration_ms;
	uint64_t	 log_bytes;	/* written to log_fd */
	uint64_t	 log_dropped;	/* by log_max or a full disk */
	char		 tail[PROCTREE_TAIL_MAX]; /* last lines, escaped */
};

/* Called once, when the tree is gone and its output was read. */
typedef void (*proctree_done_cb)(struct proctree *,
	    const struct proctree_result *, void *arg);

/*
 * Runs a command as a tree of its own and waits for its end: own
 * session, /dev/null as stdin, no descriptor but those named, signals and
 * mask reset, RLIMIT_CORE 0, stdout and stderr into the log, line by line,
 * redacted and escaped, capped at line_max and log_max with flat memory.
 * At the time limit the whole tree gets TERM, after grace_ms KILL.  When the
 * leader has ended, everything it left is killed, also what daemonised;
 * output is then read until its end or for 1 s.
 *
 * keep_children (a deploy hook): what lives after the leader's own exit is
 * left alone, unless the tree is being ended.  Its output is no longer read
 * then: such a daemon must have been given an output of its own.
 *
 * Makes the caller a subreaper (PR_SET_CHILD_SUBREAPER), and takes every
 * orphan in a session other than the caller's that is no leader of a running
 * tree for a member of the tree that ends last: do not use it in a process
 * that starts sessions by other means.
 * Returns 0 when the command was tried (also when exec failed, see
 * exec_failed), -1 with errno if no process could be made.
 */
int		 proctree_run(const struct proctree_opts *,
		    struct proctree_result *);

/*
 * The same on the caller's event base.  What opts points to (argv, envp, cwd,
 * pass_fds) is needed during the call only; log_fd until the end.  NULL: it
 * could not be started, err says why.  exec's failure comes by done_cb.
 */
struct proctree	*proctree_start(struct event_base *,
		    const struct proctree_opts *, proctree_done_cb, void *arg,
		    char *err, size_t errlen);

/* Ends it: TERM to the tree, grace, KILL; done_cb follows.  Repeatable. */
void		 proctree_end(struct proctree *);

/*
 * Frees it; from done_cb or later.  Called earlier it kills the whole tree
 * first, without grace and without done_cb.  NULL is allowed.
 */
void		 proctree_free(struct proctree *);

/* The leader's pid (also its session and process group). */
pid_t		 proctree_pid(const struct proctree *);

#endif
