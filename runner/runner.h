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

#ifndef RUNNER_RUNNER_H
#define RUNNER_RUNNER_H

/*
 * The runner's one private header: one process, one job.  Prototypes are
 * grouped by file.
 */

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

#include "libcommon/git_tree.h"
#include "libcommon/proctree.h"
#include "libcommon/verdict.h"
#include "proto/proto.h"

struct event_base;
struct box;
struct run;
struct session;

/* Limits; those of run_done are the protocol's. */
#define RUN_REASON_MAX	2048	/* run_done.reason and its NUL */
#define RUN_TEXT_MAX	65536U	/* run_done.text */
#define RUN_ITEMS_MAX	256	/* run_done.items */
#define RUN_LOG_MAX	(64ULL << 20)	/* when the configuration says 0 */
#define RUN_PATH_MAX	1200	/* of a path that we make, and its NUL */

/* What becomes RUN_DONE. */
struct result {
	enum gate_verdict	 rs_verdict;
	enum orch_cause		 rs_cause;
	char			 rs_reason[RUN_REASON_MAX];
	char			 rs_commit[41];
	struct git_artifacts	 rs_artifacts;	/* of rs_commit */
	char			 rs_tree[41];	/* code tree; of an agent: the
						 * commit it started from */
	char			 rs_image_commit[41];	/* ORCH_IMAGE_FILE */
	char			 rs_image_tree[41];
	uint64_t		 rs_duration_ms;
	uint64_t		 rs_tokens_in;
	uint64_t		 rs_tokens_out;
	uint64_t		 rs_cost_micros;
	char			 rs_session[129];
	char			*rs_text;	/* allocated or NULL */
	size_t			 rs_textlen;
	char			*rs_items[RUN_ITEMS_MAX + 1];
	size_t			 rs_nitems;
	int			 rs_fd;		/* an agent's bundle, or -1 */
};

/*
 * The last bytes of a command's output, whole lines, safe for a terminal:
 * what becomes a feedback packet.  Memory is bounded by RUN_TEXT_MAX.
 */
struct tail {
	char	*tl_buf;
	size_t	 tl_len;
	size_t	 tl_total;	/* lines seen */
};

/* What a kind of run does.  Each function ends in run_finish(), in time. */
struct kind {
	enum orch_kind	 k_kind;
	const char	*k_name;
	void		(*k_start)(struct run *);	/* the engine said go */
	void		(*k_stop)(struct run *); /* end gracefully; may be
						  * NULL: it is short */
	void		(*k_end)(struct run *);	/* kill and free what is left;
						 * may be NULL */
	int		 k_workspace;	/* has one to be removed at the end */
};

/* The run of this process, from RUN_SPEC to the acknowledged RUN_DONE. */
struct run {
	struct event_base	*r_base;
	const struct orch_run_spec *r_spec;
	struct orch_run_go	 r_go;
	uint8_t			*r_go_frame;	/* its texts */
	int			 r_go_fd;
	int			 r_log;
	int			 r_going;	/* GO has come */
	int			 r_stopping;
	int			 r_hold;	/* an effect goes on, which not
						 * even a refusal ends */
	int			 r_finished;	/* RUN_DONE is on its way */
	int			 r_status;	/* exit status of the runner */
	char			 r_why[256];	/* why it is stopped */
	const struct kind	*r_kind;
	void			*r_data;	/* of the kind */
	struct session		*r_session;
	struct orch_run_exit	 r_exit;
	struct orch_run_done	 r_done;
	struct result		 r_res;
	void			(*r_stamped)(struct run *);
};

/* Small helper: is this text not empty? */
#define GIVEN(s)	((s)[0] != '\0')

/* run.c */

/* The kind of a run_spec.kind, static; NULL for one that is not ours. */
const struct kind *run_kind(unsigned int);

/*
 * Serve one run from RUN_SPEC to the acknowledged RUN_DONE.  log is the run's
 * log (-1: none).  What is left is killed and the workspace removed at the
 * end.  Returns the exit status, 0 only when the engine has RUN_DONE.
 */
int	 run_serve(const struct orch_run_spec *, int log);

/*
 * Set verdict, cause and a reason in words, which is redacted and cut to
 * RUN_REASON_MAX; a later call replaces it.
 */
void	 run_result(struct run *, enum gate_verdict, enum orch_cause,
	    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/*
 * Stamp the exit code: RUN_EXIT goes out, and next is called when the engine
 * has it on record.  It sets the result's duration, too.
 */
void	 run_stamp(struct run *, const struct proctree_result *,
	    void (*next)(struct run *));

/*
 * Report r_res; the process ends when the engine has it.  After the first call
 * it does nothing.
 */
void	 run_finish(struct run *);

/*
 * Tell the engine of a resumable session as soon as it is known, and put its
 * id in the result.  An id of more than 128 bytes is dropped.
 */
void	 run_session_known(struct run *, const char *id);

/*
 * Copy text into the result, redacted: at most its last RUN_TEXT_MAX bytes.  It
 * replaces an earlier one; without memory that one stays.
 */
void	 run_text(struct run *, const char *, size_t);

/*
 * Add a copy of a word, cut at 200 bytes, to run_done.items; more than
 * RUN_ITEMS_MAX are dropped.
 */
void	 run_item(struct run *, const char *);

/* The value of "name=value" in run_go.options, as long as the run; or NULL. */
const char *run_option(const struct run *, const char *name);

/* session.c */

/* What the engine wants of a run; called from the loop with arg. */
struct session_ops {
	/* The engine said go; called once.  *fd as in chan_msg_cb. */
	void	(*s_go)(void *, const struct orch_run_go *, int *fd);
	/* It asks for a graceful end; may come more than once. */
	void	(*s_stop)(void *, const char *reason);
	/* It refuses this run: end everything. */
	void	(*s_refused)(void *, const char *reason);
};

/*
 * Keep a connection to the engine: connect, HELLO, again after each loss, for
 * ever, after 50 ms doubling to 250 ms.  NULL with errno.
 */
struct session *session_new(struct event_base *, const struct orch_run_spec *,
	    const struct session_ops *, void *arg);

/* Close the connection; a request that waits ends without cb.  NULL: none. */
void	 session_free(struct session *);

/*
 * Send a request and repeat it after each loss of the connection, and 1 s
 * after an answer of RES_RETRY, until it has another answer, whichever; then
 * cb.  One at a time.  msg and fd (or -1) stay the caller's and must live
 * until then.
 */
void	 session_request(struct session *, unsigned int type, const void *msg,
	    int fd, void (*cb)(void *arg));

/*
 * Say something now and after each reconnection; no answer is awaited.  msg
 * stays the caller's and must live as long as the session; a later call
 * replaces it.
 */
void	 session_tell(struct session *, unsigned int type, const void *msg);

/* box.c */

/* A command for the box. */
struct box_opts {
	const char *const *bo_argv;
	const char *const *bo_envp;	/* the exact environment */
	uint32_t	 bo_timeout_ms;	/* 0: no limit */
	uint8_t		 bo_net;	/* enum sandbox_net */
	int		 bo_limits;	/* the memory and process limits of the
					 * configuration hold */
	int		 bo_wide_lines;	/* lines up to 1 MiB (JSON results) */
	int		 bo_in_fd;	/* its standard input; 0: nothing */
	proctree_line_cb bo_line_cb;
	void		*bo_line_arg;
};

/* How a command in the box ended. */
enum box_end {
	BOX_ENDED,	/* it ran: see pr */
	BOX_TIMEOUT,
	BOX_STOPPED,	/* by box_stop() */
	BOX_SIGNAL,	/* ended by a signal */
	BOX_NOEXEC,	/* 126 or 127: it could not be executed */
	BOX_NOSANDBOX	/* the sandbox could not be made, nothing ran */
};

/* The end of a command; br_pr lives until box_free(). */
struct box_result {
	enum box_end	 br_end;
	int		 br_code;	/* BOX_ENDED: the exit code */
	int		 br_sig;	/* BOX_SIGNAL */
	const struct proctree_result *br_pr;
	char		 br_why[768];	/* a sentence, when not BOX_ENDED 0 */
	char		 br_refused[256]; /* what its proxy refused, or "" */
};

/* Called once with the end; it may call box_free(). */
typedef void (*box_done_cb)(const struct box_result *, void *arg);

/*
 * Run a command in the run's sandbox with its clone as the working folder.
 * done comes exactly once, later (never from inside this call), also when
 * nothing could be started.  argv and envp are needed for the call only, but
 * the text of argv[0] until box_free().  Never NULL.
 */
struct box *box_start(struct run *, const struct box_opts *, box_done_cb,
	    void *arg);

/* End it: TERM, grace, KILL; done follows.  NULL is allowed. */
void	 box_stop(struct box *);

/* Free it, from done or later; earlier it kills at once, without done. */
void	 box_free(struct box *);

/*
 * The path of this program inside the sandbox, for the commands that it runs
 * there itself (deliver_inside, staging_inside).  Not the caller's to free.
 */
const char *box_self(const struct run *);

/*
 * workspace.c: the folders of a run, `workroot' of RUN_SPEC.  Each of these
 * paths below it stands in static storage of its own.
 */

/* The clone, which is the working folder in the box. */
const char *ws_clone(const struct run *);

/* The folder that is HOME in the box. */
const char *ws_home(const struct run *);

/* A folder for temporary files that the box may write, too. */
const char *ws_tmp(const struct run *);

/* The folder where a command leaves its report, image or bundle. */
const char *ws_out(const struct run *);

/* The task file, which the box may read. */
const char *ws_task(const struct run *);

/* The file of env_write(), which the box may read. */
const char *ws_envfile(const struct run *);

/* The socket of the proxy for the network `allow'. */
const char *ws_proxy(const struct run *);

/*
 * Make the folders, empty, and a clone without files that borrows the mirror's
 * objects.  Nothing of a repository's content is looked at.  0, or -1 with a
 * sentence.
 */
int	 ws_make(struct run *, char *err, size_t errlen);

/* The same with an empty folder in place of a clone. */
int	 ws_make_bare(struct run *, char *err, size_t errlen);

/*
 * Write the clone's files from inside the sandbox: branch (NULL: none) at
 * commit; then next, from the loop, with CAUSE_NONE or the cause and a
 * sentence.  One at a time, for at most 5 min.
 */
void	 ws_checkout(struct run *, const char *branch, const char *commit,
	    void (*next)(struct run *, enum orch_cause, const char *why));

/* End a checkout, if one runs; next follows, with CAUSE_STOPPED. */
void	 ws_checkout_stop(struct run *);

/* Kill a checkout, if one runs, without next. */
void	 ws_checkout_end(void);

/* Remove the workroot.  A failure is logged, and left to a clean run. */
void	 ws_remove(struct run *);

/* env.c */

/* An environment for a command; all zero is an empty one. */
struct env {
	char	**e_v;		/* NULL-terminated */
	size_t	  e_n;
};

/* Set NAME to a copy of value, replacing it.  0, or -1 with errno. */
int	 env_set(struct env *, const char *name, const char *value);

/* The same with "NAME=value"; -1 with EINVAL when it has no name. */
int	 env_put(struct env *, const char *pair);

/* The value of NAME, until it is set again; NULL when it is not there. */
const char *env_get(const struct env *, const char *name);

/* Overwrite and free all; it is empty afterwards. */
void	 env_free(struct env *);

/*
 * Set PATH, HOME, TMPDIR, LANG, USER and nothing else.  HOME and USER are those
 * of our own user.  0, or -1 with errno.
 */
int	 env_base(struct env *);

/*
 * Set what run_go.env lists, then what the configuration lists (run_spec.env):
 * called last, these win.  0, or -1 with errno, EINVAL for one without a name.
 */
int	 env_spec(struct env *, const struct run *);

/* Set the ORCH_ variables of a run that have a value.  0, or -1 with errno. */
int	 env_orch(struct env *, const struct run *);

/*
 * Write the ORCH_ variables as a file that sh can read, mode 0600, in one step.
 * 0, or -1 with errno.
 */
int	 env_write(const struct env *, const char *path);

/*
 * Make the values of run_spec.env that look secret known to redact().  One that
 * cannot be kept is logged, not its value.
 */
void	 env_redact(const struct orch_run_spec *);

/* text.c */

/*
 * Remove what a person does not see: control bytes, zero-width and direction
 * characters, tags, variation selectors, bytes that are not UTF-8 (those
 * become `?').  Tab and newline stay.  In place; returns the new length.
 */
size_t	 text_clean(char *, size_t);

/*
 * A growing text, all zero at its begin, with a NUL behind it once something
 * was added.  tx_bad is set when memory ran out; then it grows no more.  tx_buf
 * is the caller's to free.
 */
struct text {
	char	*tx_buf;
	size_t	 tx_len;
	size_t	 tx_cap;
	int	 tx_bad;
};

/* Add bytes as they are. */
void	 text_add(struct text *, const char *, size_t);

/* Add formatted text. */
void	 text_addf(struct text *, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));

/* Add bytes by text_clean(), each line behind "> ", the last one ended. */
void	 text_quote(struct text *, const void *, size_t);

/*
 * Add a line of output, without its end: escaped, cut at 4 KiB.  Old lines make
 * room.  Without memory it is dropped.
 */
void	 tail_add(struct tail *, const char *line, size_t len);

/* Free it; it is empty afterwards. */
void	 tail_free(struct tail *);

/*
 * The last non-empty lines (at most n) joined by " | " in dst, cut to dstlen
 * bytes (at least 1), the NUL included; "" when there are none.
 */
void	 tail_last(const struct tail *, unsigned int n, char *dst,
	    size_t dstlen);

/* taskfile.c */

/*
 * Add the text of the task file: front matter, prompt, request, earlier
 * findings.  The caller frees tx_buf.
 */
void	 task_format(const struct run *, struct text *);

/* Write it to ws_task(), mode 0400, in one step.  0, or -1 with errno. */
int	 task_write(const struct run *, const struct text *);

/*
 * The agent's argv of run_spec, with `{task}', `{prompt}' and `{session}' as
 * whole words replaced.  The prompt begins with a sentence that names the task
 * file, since a first "-" makes it an option, and is cut at 120 KiB.  The
 * caller frees the array, and then *keep, which holds the prompt (or is NULL);
 * the other texts are not copied.  NULL with errno.
 */
const char **task_argv(const struct run *, const struct text *,
	    const char *session, char **keep);

/*
 * What run_kind() finds, each in a file of its name: an agent with its
 * delivery, a gate, an import of commits into the mirror, the removal of a left
 * workspace, a deploy or rollback hook, a message by a command.
 */
extern const struct kind kind_agent, kind_gate, kind_import, kind_clean,
	    kind_hook, kind_exec;

/* usage.c: what an agent's own result says */

/* Whose format the agent's result has. */
enum agent_format {	/* run_spec.result */
	FORMAT_NONE, FORMAT_CLAUDE, FORMAT_CODEX, FORMAT_GEMINI,
	FORMAT_OPENCODE, FORMAT__MAX
};

struct usage;

/* What came out of it, and what it took. */
struct usage_verdict {
	int		 uv_ok;		/* the agent did its work, it says */
	enum orch_cause	 uv_cause;	/* else: why */
	char		 uv_reason[512];
	uint64_t	 uv_tokens_in;
	uint64_t	 uv_tokens_out;
	uint64_t	 uv_cost_micros;	/* millionths of a dollar */
	char		 uv_session[129];
};

/*
 * Begin to read an agent's output.  transient: extended regular expressions of
 * the configuration (or NULL); a bad one, or one after the 64th, is skipped
 * with a warning.  NULL with ENOMEM.
 */
struct usage *usage_new(enum agent_format, const struct orch_strs *transient);

/* Free it; NULL is allowed. */
void	 usage_free(struct usage *);

/* Take a line of the agent's output (stream 1 stdout, 2 stderr). */
void	 usage_line(struct usage *, int stream, const char *, size_t);

/*
 * The session's id as soon as the agent has printed it, else "".  It lives as
 * long as the usage.
 */
const char *usage_session(const struct usage *);

/*
 * Judge, at the end: code is the exit code (-1: signal).  Exit code 0 is a
 * success only with a result that says so, where the format has one.
 */
void	 usage_judge(struct usage *, int code, struct usage_verdict *);

/*
 * After usage_judge(): what the agent said last, in a line for a person who
 * reads why it failed: its error, or its last message, or the line that names
 * an error, or the last three.  len: at least 1.
 */
void	 usage_last(const struct usage *, char *dst, size_t len);

/* deliver.c: an agent's commits leave as a bundle */

/*
 * Inside the sandbox: commit what was left, if HEAD is on branch, and bundle
 * branch from start on.  argv: "-D" branch start role run file.  Returns the
 * exit status, enum deliver_exit.
 */
int	 deliver_inside(int argc, char **argv);

/* How deliver_inside() ended. */
enum deliver_exit {
	DELIVER_OK = 0,
	DELIVER_NOCOMMIT = 3,	/* the branch is where it began */
	DELIVER_NOBRANCH = 4,	/* the branch is gone */
	DELIVER_GIT = 5		/* git could not do it; it said why */
};

/* What became of an agent's commits. */
enum deliver_state {
	DELIVERED,		/* bundle and tip are there */
	DELIVERED_NOTHING,	/* no commit */
	DELIVERY_FAILED
};

/*
 * Start it in the sandbox, network off, for at most 5 min.  next gets the
 * state, the open bundle (owned by next, else -1), the tip as the bundle's head
 * says it, and for DELIVERY_FAILED a sentence.  Where ws_out() cannot be made
 * anew, next comes from inside this call.
 */
void	 deliver_start(struct run *, const char *branch, const char *start,
	    void (*next)(struct run *, enum deliver_state, int fd,
	    const char *tip, const char *why));

/* End it, if it runs; next follows. */
void	 deliver_stop(struct run *);

/* Kill it, if it runs, without next. */
void	 deliver_end(void);

/*
 * The tip that a bundle's text head (gitformat-bundle(5), version 2) names for
 * refs/heads/branch as its first reference.  0, or -1 when it names no such
 * thing.  Moves no file offset.
 */
int	 deliver_head(int fd, const char *branch, char tip[41]);

/* inside.c: for what runs inside the sandbox as this program */

/*
 * Run a command with our stdio and wait.  timeout_s 0: no limit; at the limit
 * its process group is killed.  With input (or NULL), this text is its stdin.
 * Exit code, 128 + signal, 124 at the limit, 127 or 126 when it cannot be
 * executed.
 */
int	 inside_run(char *const *argv, unsigned int timeout_s,
	    const char *input);

/*
 * Outside, before bwrap: exec argv with SIGTERM ignored, so that a graceful
 * end reaches what is inside and not bwrap, whose death is the box's end.  The
 * shim puts SIGTERM back.  Comes back only when it cannot be executed, with 127
 * or 126.
 */
int	 inside_patient(char *const *argv);

/*
 * The same as inside_run, without limit and input, with the first line of its
 * stdout in line, without its end, cut at len - 1 bytes.
 */
int	 inside_line(char *const *argv, char *line, size_t len);

/* gate.c */

/*
 * End the run with verdict, cause and a reason, to which the gate's commit is
 * added in short.
 */
void	 gate_fail(struct run *, enum gate_verdict, enum orch_cause,
	    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* gate_command.c */

/* A measured command: what to run, and what its end means. */
struct command {
	const char *const *cm_argv;	/* its texts live until the end */
	uint32_t	 cm_timeout_s;
	const char	*cm_what;	/* for reasons: the command in words */
	int		 cm_report;	/* the rules on reports hold */
	/* Judge exit 0 (may be NULL: pass) and another code (NULL: red). */
	void		(*cm_green)(struct run *);
	void		(*cm_red)(struct run *, int code);
};

/*
 * Run a command at the gate's commit in a fresh clone, inside the sandbox;
 * judge it by R-5.  Ends in run_finish(), where cm_green and cm_red have to end
 * too.  What is passed is copied, but for the texts of cm_argv.  One in a
 * process.
 */
void	 gate_command(struct run *, const struct command *);

/* End its checkout or the command, whichever runs; the run is finished then. */
void	 gate_command_stop(struct run *);

/* Kill it, if it runs, and free what it left, tail and report included. */
void	 gate_command_end(void);

/* What the command printed last, until gate_command_end(). */
const struct tail *gate_command_tail(void);

/* The report that it wrote, all zero when there is none; as long. */
const struct report *gate_command_report(void);

/*
 * Red: fail with the failed ids, which become items, or with the exit code and
 * the last lines.
 */
void	 gate_command_red(struct run *, int code);

/* A gate that is a command of the configuration, judged by R-5. */
void	 gate_plain(struct run *);

/* The scanner: 0 passes, 1 means findings, another measured nothing. */
void	 gate_security(struct run *);

/* The coverage: the percentage that it prints last is the text. */
void	 gate_coverage(struct run *);

/* gate_artifact.c: what a role committed, read from the mirror */

/* The analyst's artifacts. */
void	 gate_analysis(struct run *);

/* The architect's decision. */
void	 gate_architecture(struct run *);

/* The reviewer's verdict. */
void	 gate_review(struct run *);

/* The tester's report, 13, first; when it passes, the command decides. */
void	 gate_tests(struct run *);

/* A measured staging pass: 15 as a deployer wrote it may worsen it. */
void	 gate_staging_log(struct run *);

/* gate_staging.c */

/*
 * The staging commands: deploy and then check, or a check alone.  Failed
 * with code 1 they pass when the report names what failed, all of it is on the
 * list known-infra and infra_tolerance is not 0.
 */
void	 gate_staging(struct run *);

/*
 * Inside the sandbox: both staging commands, one after the other, so that a
 * server of the first lives until the second ends.  argv: "-G" seconds
 * seconds count argv... argv2..., count being the words of the first (0 to 128,
 * 0: none) and 0 seconds no limit.  Returns 1 when the first failed with a code
 * below 124, else the code of inside_run(), 126 for a wrong argv.
 */
int	 staging_inside(int argc, char **argv);

/* gate_report.c */

/* What a report of tests says; freed by report_free(). */
struct report {
	unsigned int	 rp_tests;	/* that were executed */
	unsigned int	 rp_failed;
	unsigned int	 rp_skipped;
	int		 rp_list;	/* a `failed:' list, no TAP */
	char		*rp_ids[RUN_ITEMS_MAX + 1];	/* of failed tests */
	size_t		 rp_nids;
};

/*
 * Read a report: TAP (Test Anything Protocol), or a line `failed: [id, ...]' or
 * `failed: id id'.  A skipped test is not executed, a failed one marked todo
 * has not failed, and "Bail out!" is a failed test.  0, or -1 with EINVAL and a
 * sentence when it is neither.
 */
int	 report_parse(const char *, size_t, struct report *, char *err,
	    size_t errlen);

/* Free the ids; it is empty afterwards. */
void	 report_free(struct report *);

/*
 * The same as report_parse for a file of at most 4 MiB.  -1 with errno ENOENT
 * when there is none or it is empty, with another one when it cannot be read.
 */
int	 report_read(const char *path, struct report *, char *err,
	    size_t errlen);

/*
 * What an artifact says it was built from: the lines "commit HEX" and
 * "tree HEX" of a file of at most 4 KiB, once each and whole.  0, or -1 when
 * there are none; then both are "".
 */
int	 image_read(const char *path, char commit[41], char tree[41]);

/*
 * The last percentage from 0 to 100 that a text prints, as "87.50"; without
 * any, a last line that is a number alone.  0, or -1 when there is none or dst
 * is too small.
 */
int	 report_percent(const char *, char *dst, size_t dstlen);

#endif
