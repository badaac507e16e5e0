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

#ifndef ORCHD_GIT_RUN_H
#define ORCHD_GIT_RUN_H

#include <stddef.h>
#include <stdint.h>

#define GIT_OUT_MAX	(64U << 20)	/* default bound of captured output */
#define GIT_TIMEOUT_MS	60000U		/* default time limit of one command */

/*
 * One git command in a trusted bare repository.  The environment is exact:
 * no user's or system's configuration, no prompt, no hook, no replace
 * object.  The command gets a process group of its own but stays in the
 * caller's session, so that whoever ends a worker's session ends it too.
 */
struct git_cmd {
	const char	*gc_dir;	/* --git-dir, or NULL for none */
	const char *const *gc_argv;	/* after "git ...", NULL ends it */
	const char *const *gc_env;	/* more NAME=value (win), or NULL */
	const void	*gc_in;		/* bytes for stdin, or NULL */
	size_t		 gc_inlen;
	int		 gc_infd;	/* used as stdin when gc_usefd is set */
	int		 gc_usefd;
	size_t		 gc_outmax;	/* 0: GIT_OUT_MAX */
	uint32_t	 gc_timeout_ms;	/* 0: GIT_TIMEOUT_MS */
	uint64_t	 gc_cpu_s;	/* RLIMIT_CPU, 0: none */
	uint64_t	 gc_fsize;	/* RLIMIT_FSIZE in bytes, 0: none */
	uint64_t	 gc_data;	/* RLIMIT_DATA in bytes, 0: none */
};

struct git_out {
	char	*go_out;		/* stdout, NUL added; free() it */
	size_t	 go_len;
	int	 go_exit;		/* exit code, -1: see the flags */
	int	 go_sig;		/* the signal that ended it, or 0 */
	int	 go_timedout;
	int	 go_toobig;		/* more output than gc_outmax */
	char	 go_said[256];		/* first line of stderr, escaped */
};

/*
 * Run it and wait.  0 when it ran, whatever its exit code was; -1 when it
 * was not started, ended by a signal, out of time or too talkative, with a
 * sentence in `err'.  After 0 the caller calls git_out_free(); after -1
 * there is nothing to free, but the flags and go_said stay readable.
 */
int git_run(const struct git_cmd *, struct git_out *, char *err, size_t);

/*
 * The usual case of git_run(): in repository `dir', with more environment
 * `env' or NULL, and `in' or NULL for stdin.
 */
int git_simple(const char *dir, const char *const *argv,
    const char *const *env, const void *in, size_t inlen, struct git_out *,
    char *err, size_t);

/*
 * Write "git WHAT: what it said", or its exit code when it said nothing,
 * into `err'.
 */
void git_said(char *err, size_t, const char *what, const struct git_out *);

/* git_simple() that must end with exit code 0; its output is dropped. */
int git_run_ok(const char *dir, const char *const *argv,
    const char *const *env, const void *in, size_t inlen, char *err, size_t);

/*
 * git_simple() that must answer with one line, of at most `outlen' bytes
 * with the NUL that takes the line end's place.
 */
int git_run_line(const char *dir, const char *const *argv,
    const char *const *env, const void *in, size_t inlen, char *out,
    size_t outlen, char *err, size_t);

/* Free what git_run() left; may be called twice. */
void git_out_free(struct git_out *);

/*
 * Copy the first line of outside text so that a terminal shows it and
 * never obeys it.
 */
void git_escape(char *dst, size_t dstlen, const char *src, size_t srclen);

#endif
