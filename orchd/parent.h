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

#ifndef ORCHD_PARENT_H
#define ORCHD_PARENT_H

/* The parent: what its modules share. */

#include <sys/types.h>

#include <limits.h>
#include <stdint.h>

#include <event2/event.h>

#include "libcommon/chan.h"
#include "certificate.h"
#include "conf.h"

/* In the order of starting; stopped in reverse. */
enum child_id {
	CH_ENGINE,
	CH_RECONCILED,
	CH_FINALIZERD,
	CH_WEBHOOK,
	CH_PAGE,
	CH_REAPERD,
	CH_MAX
};

#define CRASH_WINDOW	5	/* crashes that are looked at together */

/* One supervised process. */
struct child {
	pid_t		 c_pid;		/* 0: not running */
	struct chan	*c_chan;
	int		 c_ready;	/* serving */
	int		 c_renew;	/* to be replaced in its turn */
	int		 c_renewing;	/* its replacement is under way */
	int		 c_stopping;	/* it ends: asked, or its channel did */
	int		 c_asked;	/* we asked it to end */
	uint64_t	 c_started_ms;
	uint32_t	 c_backoff_ms;
	uint32_t	 c_restarts;
	uint64_t	 c_crash_ms[CRASH_WINDOW];
	struct event	*c_restart;	/* timer */
	struct event	*c_kill;	/* timer: TERM was not enough */
	unsigned int	 c_pings;	/* not answered */
};

struct listener {
	enum conf_listen_role	 l_role;
	char			 l_addr[64];
	uint16_t		 l_port;
	int			 l_loopback;
	int			 l_fd;
	struct certificate	 l_tls;		/* empty: plain */
};

/* A listening socket that whoever started us has passed along. */
struct passed {
	struct sockaddr_storage	 pa_sa;
	char			 pa_name[64];	/* "" when it has none */
	char			 pa_where[80];	/* address and port */
	int			 pa_fd;
};

/* A runner or a worker, started by this parent or an earlier image of it. */
struct run_proc {
	pid_t		 rp_pid;
	uint64_t	 rp_run;
	struct chan	*rp_chan;	/* until the run has its description */
	struct run_proc	*rp_next;
};

enum parent_phase {
	PHASE_SERVE,
	PHASE_QUIESCE,		/* the engine ends agents */
	PHASE_STOP,		/* children are ended, then we are */
	PHASE_REEXEC		/* children are ended, then we begin anew */
};

struct parent {
	struct event_base	*p_base;
	struct conf		*p_conf;
	const char		*p_conf_path;
	uint32_t		 p_conf_generation;
	uint32_t		 p_next_generation;	/* of connections */
	char			**p_argv;
	int			 p_debug;
	enum parent_phase	 p_phase;
	int			 p_announced;	/* READY was said once */
	int			 p_status;	/* for exit */
	int			 p_lock;	/* in state */
	int			 p_runtime_lock;
	int			 p_engine_sock;
	int			 p_control_sock;
	struct listener		*p_listen;
	size_t			 p_nlisten;
	struct passed		*p_passed;	/* open as long as we are */
	size_t			 p_npassed;
	struct child		 p_child[CH_MAX];
	struct run_proc		*p_runs;
	struct strlist		 p_env;		/* NAME=value, from the shell */
	char			 p_self[PATH_MAX];	/* this program */
	char			 p_runner[PATH_MAX];
	char			 p_worker[PATH_MAX];	/* finalizerd */
};

extern struct parent par;

/* parent.c */

/* Serve.  argv is kept for a later exec.  The exit status. */
int	 parent_main(const char *conf_path, int debug, char **argv);

/* Milliseconds of a clock that does not jump. */
uint64_t parent_now_ms(void);

/* Begin to end everything; exec anew afterwards, or exit with status. */
void	 parent_stop(enum parent_phase, int status);

/* A message of the engine that is not about its own health. */
void	 parent_on_engine(const struct orch_header *, const union orch_any *);

/* Called when a child began to serve: says READY when all do. */
void	 parent_child_ready(void);

/* Called when no child runs any more in PHASE_STOP and PHASE_REEXEC. */
void	 parent_stopped(void);

/* The folder of the default prompts. */
void	 parent_prompts(char *, size_t);

/* parent_reload.c */

/*
 * Read the configuration again and put it into force.  On failure -1, and
 * the faults in text; then nothing has changed.
 */
int	 parent_reload(char *text, size_t len);

/*
 * What a running orchd cannot change, neither in a reload nor in a restart: it
 * would be another orchd.  -1 when its folders are not ours, with the reason.
 */
int	 parent_same_folders(const struct conf *, char *text, size_t len);

/* What the reader of configurations said, cut to fit, without a last \n. */
void	 parent_faults(char *text, size_t len, const char *said);

/* parent_exec.c */

/*
 * Start a program in a session of its own: descriptor 3 is fd3, stdin
 * /dev/null, stdout and stderr out (-1: ours), nothing else is open, default
 * signals, a short environment.  0 and the pid; or -1 with errno, also when
 * the exec itself fails.
 */
int	 parent_exec(const char *path, char *const *argv, int fd3, int out,
	    pid_t *);

/*
 * The absolute path of an installed program, or of one in a build tree.
 * -1 when there is none; buf then names where it was looked for.
 */
int	 parent_find_program(const char *self, const char *name, char *buf,
	    size_t len);

/*
 * Can this program start with this configuration?  It is run with -n, for at
 * most 10 seconds.  -1 when not, with what it said in text.
 */
int	 parent_try_image(const char *path, const char *conf, char *text,
	    size_t len);

/* parent_child.c */

/* Start what is due and possible now, in the order of enum child_id. */
void	 children_start(void);

/* A process that was reaped; 1 when it was one of the children. */
int	 children_reaped(pid_t, int status);

/* End all of them, last one first; parent_stopped() is called at the end. */
void	 children_stop(void);

/* Replace each running daemon, one after the other. */
void	 children_renew(void);

/* PING each, and end those that do not answer.  Call each 10 s. */
void	 children_ping(void);

/* What a child is called in logs. */
const char *child_name(const struct child *);

/* Send to a child; a failure is logged, its end will be noticed. */
void	 child_send(struct child *, unsigned int type, const void *msg, int fd);

/* Send to the engine; lost while it is away (it recovers by itself). */
void	 engine_send(unsigned int type, uint32_t id, const void *msg, int fd);

/* Hand the configuration to the engine as canonical text.  -1 with errno. */
int	 engine_send_conf(void);

/* Is this pid the parent's own, or one of its daemons? */
int	 children_protected(pid_t);

/* Milliseconds before the next start after a crash, given the last wait. */
uint32_t child_backoff(uint32_t last_ms, uint64_t lived_ms);

/* parent_hand.c */

/* Add "END FILE" of each certificate that is served (certwatch.h). */
void	 hand_certificates(struct strlist *);

/* Add the global options in force to a list, as NAME=value. */
void	 hand_options(struct strlist *);

/*
 * Send a daemon what it is configured with: listeners, secrets, projects.  A
 * secret that cannot be read is logged and left out.
 */
void	 hand_over(struct child *, enum child_id);

/* parent_listen.c */

/*
 * Make the folders of a configuration and lock them.  -1 after a log line
 * that says what is wrong.
 */
int	 listen_folders(const struct conf *);

/*
 * Are the locks that an older image of ours left those of these folders?  -1
 * when not, with the reason in err.
 */
int	 listen_kept(const struct conf *, char *err, size_t errlen);

/* Bind engine.sock and control.sock.  -1 after a log line. */
int	 listen_sockets(const struct conf *);

/*
 * Open the TCP listeners of a configuration into *l, taking over descriptors
 * from those we have where the address is the same.  -1 and the reason in err;
 * then nothing new stays open.
 */
int	 listen_open(const struct conf *, struct listener **l, size_t *n,
	    char *err, size_t errlen);

/* Put a list of listeners into force; those not taken over are closed. */
void	 listen_replace(struct listener *, size_t);

/* Make the mirrors that are missing; a failure is logged, others go on. */
void	 listen_mirrors(const struct conf *);

/* parent_passed.c */

/*
 * Take the sockets that a service manager passes (LISTEN_PID, LISTEN_FDS,
 * LISTEN_FDNAMES of sd_listen_fds(3)) and take the variables out of the
 * environment.  -1 after a log line: one is no listening stream socket of IPv4
 * or IPv6.
 */
int	 passed_take(void);

/*
 * Remember one, which becomes ours.  -1 with the reason in err: it is none
 * that can be listened on, and stays the caller's.
 */
int	 passed_add(int fd, const char *name, char *err, size_t errlen);

/*
 * The passed socket of each listen line, or -1, in fds (cf_nlisten of them):
 * first by address and port, then by the name "webhook" or "page" in order.
 * -1 with the reason in err when one is for no line.
 */
int	 passed_match(const struct conf *, int *fds, char *err, size_t errlen);

/* Was this descriptor passed to us?  Then it stays open. */
int	 passed_is(int fd);

/* Can a socket be reached from this machine alone? */
int	 passed_is_loopback(int fd);

/* parent_run.c */

/* SPAWN: start a run; the answer is sent. */
void	 run_spawn(uint32_t id, const struct orch_spawn *);

/* A process that was reaped; tells the engine when it was a run. */
void	 run_reaped(pid_t, int status);

/* Remember a run (after a new start of ourselves). */
void	 run_remember(pid_t, uint64_t run);

/* End stray children that carry no_new_privs: left-overs of dead runners. */
void	 run_sweep(void);

/* parent_spec.c */

struct run_plan;

/* What paths a plan needs to know. */
struct run_paths {
	const char		*pa_runner;
	const char		*pa_prompts;	/* folder of default prompts */
	const struct strlist	*pa_env;	/* NAME=value, from the shell */
};

/*
 * Make the description of a run from the configuration.  NULL when the
 * request is not one that the configuration allows, with the reason in err.
 * run_plan_free it.
 */
struct run_plan *run_plan_new(const struct conf *, const struct run_paths *,
	    const struct orch_spawn *, char *err, size_t errlen);

/* Its message; valid as long as the plan and the request. */
const struct orch_run_spec *run_plan_spec(const struct run_plan *);

/* Is it finalizerd's work (transition, monitor), not a runner's? */
int	 run_plan_is_worker(const struct run_plan *);

/* Free it; secrets in it are overwritten. */
void	 run_plan_free(struct run_plan *);

/* parent_secret.c */

/*
 * Read a secret of at most 4095 bytes from a file, without the line end, and
 * make it known to the redactor.  NULL with a reason in err; the caller wipes
 * and frees it.
 */
char	*secret_read(const char *path, char *err, size_t errlen);

/*
 * The SHA-256 in hex of the token in a file, "" when path is NULL or the file
 * cannot be read, which is logged as a fault of the token called what.
 */
void	 secret_hash(const char *path, const char *what, char hex[65]);

/* Overwrite and free; NULL is allowed. */
void	 secret_free(char *);

/* parent_kill.c */

/* KILL: signal one process whose identity is proven; the answer is sent. */
void	 parent_kill(uint32_t id, const struct orch_kill *);

/* parent_state.c */

/* What survives an exec of ourselves: a memfd that names descriptors and runs.
 * -1 with errno. */
int	 state_save(void);

/* Take it back, if there is any: 1 taken, 0 a first start, -1 unusable. */
int	 state_restore(void);

#endif
