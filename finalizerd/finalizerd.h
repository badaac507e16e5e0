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

#ifndef FINALIZERD_H
#define FINALIZERD_H

#include <stddef.h>
#include <stdint.h>

#include "libcommon/git.h"
#include "libcommon/git_tree.h"
#include "libcommon/link.h"
#include "libcommon/monotime.h"
#include "libcommon/verdict.h"
#include "proto/proto.h"

/*
 * One transition worker: a process that owns a task's lease while it acts on
 * the world.  Every step may be the last one: another worker with the same
 * work finds by probing what is done.
 */

struct forge;
struct http_loop;

/* A head of the branch that the gates have not judged themselves. */
struct judged {
	char	jd_commit[GIT_OID_SIZE];	/* "": nothing is known */
	char	jd_tree[GIT_OID_SIZE];		/* its code tree */
	char	jd_patch_judged[GIT_OID_SIZE];	/* of the head judged */
	char	jd_patch[GIT_OID_SIZE];		/* of this one */
	struct git_artifacts jd_artifacts;
};

/* How the work ended, for END and RUN_DONE. */
struct outcome {
	enum gate_verdict	 o_verdict;
	enum orch_cause		 o_cause;
	char			 o_gate[64];
	char			 o_reason[1024];
	char			 o_head[GIT_OID_SIZE];	/* branch head now */
	struct judged		 o_judged;	/* where that is a new one */
	char			*o_text;	/* RUN_DONE's text, or NULL */
};

/* The worker of this process and what it knows of its task. */
struct worker {
	struct link		*w_link;
	const struct orch_run_spec *w_spec;
	const struct orch_run_go *w_go;
	const struct forge	*w_forge;
	struct git_repo		 w_repo;	/* the project's mirror */
	uint64_t		 w_epoch;
	int			 w_stopped;	/* run_stop came */
	int			 w_denied;	/* see forge_answered() */
	struct monotime		 w_alone;	/* until then the forge wants
						 * to be left alone */
	char			 w_coverage[16]; /* per cent of M, or "" */
	char			 w_gate_reason[512]; /* of the last gate */
	uint64_t		 w_gate_ms;	/* when it was measured */
	struct outcome		 w_out;
};

/* What a step of the work says to the next one. */
enum step {
	STEP_NEXT,	/* go on */
	STEP_AGAIN,	/* the target moved: start from reading it */
	STEP_END,	/* send END with w_out */
	STEP_LEFT,	/* COMMIT moved the task: the lease has ended */
	STEP_LOST	/* fenced or refused: nothing more may be done */
};

/* worker.c */

/*
 * The process of `finalizerd -w': run_spec on descriptor 3, HELLO, run_go,
 * the work, RUN_DONE.  Returns the exit status.
 */
int	 worker_main(void);

/*
 * Do what w_go says and send RUN_DONE.  0, or -1 when RUN_DONE had no answer:
 * the engine wants no more of this run.
 */
int	 worker_run(struct worker *);

/*
 * Fill w_out and return STEP_END.  gate may be ""; a long reason is cut to
 * o_reason.
 */
enum step worker_end(struct worker *, enum gate_verdict, enum orch_cause,
	    const char *gate, const char *fmt, ...)
	    __attribute__((format(printf, 5, 6)));

/*
 * Fill w_out with GATE_ERROR and why nothing more may be done, and return
 * STEP_LOST.
 */
enum step worker_lost(struct worker *, enum orch_cause, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));

/* An option of run_go ("NAME=value"): its text, as long as w_go; or dflt. */
const char *worker_option(const struct worker *, const char *name,
	    const char *dflt);

/*
 * The same as a number; dflt when it is absent, or, with a warning, not one in
 * [min, max].
 */
long long worker_option_num(const struct worker *, const char *name,
	    long long min, long long max, long long dflt);

/* Sleep, whatever the engine says meanwhile. */
void	 worker_pause(unsigned int ms);

/*
 * wire.c: the messages of one transition.  Where nothing else is said, a step
 * is STEP_NEXT when the engine did it, and else what wire_refused() says of its
 * answer; when there is no answer, STEP_END after a run_stop and STEP_LOST
 * without one.
 */

/*
 * BEGIN: take the lease of w_go's task at its stage.  STEP_NEXT with w_epoch
 * set; STEP_LOST when there is none for us.
 */
enum step wire_begin(struct worker *);

/*
 * GATE: have a gate evaluated at a commit.  STEP_NEXT when it passes, with
 * w_gate_reason and w_gate_ms set; STEP_END with the engine's verdict when not.
 * One that waits is asked again for ci_wait_timeout_s.
 */
enum step wire_gate(struct worker *, const char *gate, const char *commit);

/* RECORD: keep the text of an artifact of this name (16-...) in the engine. */
enum step wire_record(struct worker *, const char *name, const char *text);

/*
 * LANDED: the target contains this commit of this tree; previous is what it
 * held before, or "".  What coverage measured goes along.  merged: "", or the
 * head of which the forge made commit; tested: whose test holds for its tree,
 * head or commit, or "" when none does.
 */
enum step wire_landed(struct worker *, const char *commit, const char *tree,
	    const char *previous, const char *merged, const char *tested);

/*
 * COMMIT: move the task from w_go's stage to another one.  STEP_LEFT when it
 * has moved, with the reason and GATE_PASS in w_out.
 */
enum step wire_commit(struct worker *, const char *to, const char *reason);

/* END: give the lease back with w_out.  A failure is logged. */
void	 wire_end(struct worker *);

/* RUN_DONE with w_out.  0, or -1 after a log line when there is no answer. */
int	 wire_done(struct worker *);

/*
 * PULL: send a request of the pull request's row; head and landed are commits
 * or "".  number and state get what the row has then and may be NULL.
 * STEP_NEXT also when there is none (number 0, state PULL_NONE).
 */
enum step wire_pull(struct worker *, enum orch_pull_op, const char *head,
	    const char *landed, uint64_t *number, enum orch_pull_state *);

struct forge_pull;

/* Make the engine's row say what a forge elsewhere says of the request. */
enum step wire_pull_seen(struct worker *, const char *head,
	    const struct forge_pull *);

/*
 * Send a request and wait for its answer, again and again while the engine
 * is away or could not store it.  A run_stop is noted in w_stopped and the
 * request repeated, unless it is a gate.  -1: the engine wants no more of
 * this run, or stopped a gate (ECANCELED); or the message is too long
 * (EMSGSIZE).  The answer lives until the next call.
 */
int	 wire_call(struct worker *, unsigned int type, const void *msg,
	    unsigned int want, union orch_any *answer);

/*
 * What a result means for the work: STEP_NEXT for RES_OK and RES_DUPLICATE,
 * STEP_LOST for RES_FENCED and RES_DENIED, else STEP_END, with w_out filled.
 * what names the request; text may be "".
 */
enum step wire_refused(struct worker *, const char *what, unsigned int result,
	    const char *text);

/* effect.c: irreversible actions */

/* What a probe found. */
enum probe {
	PROBE_TODO,		/* not done, and may be done */
	PROBE_DONE,		/* the world shows it */
	PROBE_CONFLICT,		/* the world went another way */
	PROBE_UNKNOWN		/* the world did not answer */
};

/*
 * One kind of effect.  Each function leaves a sentence in ev: the evidence of
 * done or conflict, or why.
 */
struct effect_driver {
	const char	*ed_name;
	enum orch_class	 ed_class;
	enum probe (*ed_probe)(struct worker *, void *arg, char *ev, size_t);
	/* Try it.  0: tried, the probe will tell; -1: it can never work. */
	int	(*ed_apply)(struct worker *, void *arg, char *ev, size_t);
	/*
	 * Wait until nothing that a dead predecessor began can still act; 0,
	 * or -1 when that cannot be proven.  NULL only where the other side
	 * compares (CAS) or looks the key up (KEYED).
	 */
	int	(*ed_quiesce)(struct worker *, void *arg, char *ev, size_t);
};

/*
 * Probe, record the intent, apply, probe, record what is so.  STEP_NEXT: it is
 * done (now, or by a predecessor).  STEP_END: conflict (w_out's cause is
 * CAUSE_MOVED), failed or in doubt.
 */
enum step effect_do(struct worker *, const struct effect_driver *,
	    const char *key, void *arg);

/* effect_table.c: the driver of each effect of proto/effects.def */
extern const struct effect_driver *const effect_drivers[];
extern const size_t effect_ndrivers;

/* forge_local.c: a forge as its driver shows it */

/* How a request to a forge ended. */
enum forge_result {
	FORGE_OK,
	FORGE_NOTFOUND,
	FORGE_STALE,		/* somebody else was first; nothing changed */
	FORGE_RED,		/* CI says no to it; nothing changed */
	FORGE_CONFLICT,		/* it says so: not that nothing changed */
	FORGE_BLOCKED,		/* waited for CI as long as it may */
	FORGE_STOPPED,		/* asked to end while it waited for CI */
	FORGE_UNKNOWN		/* no answer: it may or may not have happened */
};

/* The pull request of the task's branch onto its target, over there. */
struct forge_pull {
	uint64_t	fp_number;	/* the forge's own; 0: there is none */
	enum orch_pull_state fp_state;
	char		fp_landed[GIT_OID_SIZE];	/* or "" */
	char		fp_head[GIT_OID_SIZE];		/* or "" */
	char		fp_page[512];			/* for people, or "" */
};

/* effect_ref.c: effects on branches */

/* The argument of the three effects below. */
struct ref_effect {
	const char	*re_branch;
	const char	*re_new;	/* what it shall hold */
	char		 re_old[GIT_OID_SIZE];	/* what it holds; "" nothing */
	char		 re_held[GIT_OID_SIZE];	/* what the last probe saw */
	enum forge_result re_tried;	/* what the last attempt was told */
	char		 re_landed[GIT_OID_SIZE]; /* the forge's merge of new */
};

extern const struct effect_driver effect_push;		/* old to new */
extern const struct effect_driver effect_merge;		/* target has new */
extern const struct effect_driver effect_branch_delete;	/* old -> gone */

/* effect_pull.c: effects on the pull request */

/* The argument of the two effects below. */
struct pull_effect {
	const char	*pe_head;	/* the branch's head, for the row */
	uint64_t	 pe_number;	/* set by a probe; 0: there is none */
};

extern const struct effect_driver effect_pull_open;	/* one is open */
extern const struct effect_driver effect_pull_close;	/* none is open */

/* effect_image.c: the artifact that staging serves */
extern const struct effect_driver effect_image_build;

/*
 * The last gate before the merge: what staging serves was built from the code
 * tree of this commit; a stale one is built and checked again once.
 */
enum step image_run(struct worker *, const char *commit);

/*
 * A forge.  Whatever is not FORGE_OK leaves a sentence in err; an answer is no
 * proof of what was done, a look at the branch or the request is.
 */
struct forge {
	const char	*f_name;
	/* What a branch holds, in oid. */
	enum forge_result (*f_head)(struct worker *, const char *branch,
	    char oid[GIT_OID_SIZE], char *err, size_t);
	/* Move a branch from old ("": it does not exist) to new. */
	enum forge_result (*f_push)(struct worker *, const char *branch,
	    const char *new, const char *old, char *err, size_t);
	/* Delete a branch that holds old. */
	enum forge_result (*f_delete)(struct worker *, const char *branch,
	    const char *old, char *err, size_t);
	/* Land new on the target that holds old; never forced. */
	enum forge_result (*f_land)(struct worker *, const char *target,
	    const char *new, const char *old, char *err, size_t);
	/*
	 * Find the open pull request, or what became of it (PULL_NONE: there
	 * never was one), open it, close it.  NULL: the engine's rows are the
	 * pull requests.  Its head follows the branch by itself.
	 */
	enum forge_result (*f_pull_find)(struct worker *, struct forge_pull *,
	    char *err, size_t);
	enum forge_result (*f_pull_open)(struct worker *, char *err, size_t);
	enum forge_result (*f_pull_close)(struct worker *, uint64_t number,
	    char *err, size_t);
	/*
	 * What the forge made of the pull request's head: FORGE_OK with head
	 * and the commit that landed, FORGE_NOTFOUND: it is not merged.  NULL:
	 * what lands there is always the head itself.
	 */
	enum forge_result (*f_landed)(struct worker *,
	    char head[GIT_OID_SIZE], char commit[GIT_OID_SIZE], char *err,
	    size_t);
};

extern const struct forge forge_local;

/* forge_gitea.c: Gitea and Forgejo; the mirror follows the forge */
extern const struct forge forge_gitea;

/* Is the forge a server elsewhere, and not the mirror itself? */
int		 forge_elsewhere(const struct worker *);

/*
 * Note what kind of answer the forge has just given, for forge_cause(): 1 when
 * it refuses the token or has no such repository, which no waiting changes, 0
 * when it gave none or had a fault.  It says nothing of what was done.
 */
void		 forge_answered(struct worker *, int denied);

/*
 * Why something could not be done or told at the forge: CAUSE_TRANSIENT for a
 * server elsewhere, which may be away for a while; CAUSE_INFRA when it has
 * refused us, and for the mirror itself.
 */
enum orch_cause	 forge_cause(const struct worker *);

/*
 * What a person has to do about forge_cause(), to be added to a sentence: ""
 * unless the forge has refused us.
 */
const char	*forge_advice(const struct worker *);

/*
 * Fetch all branches of a forge elsewhere into the mirror; RUN_DONE names the
 * target's head.
 */
enum step fetch_run(struct worker *);

/*
 * gitea_rest.c: the REST part of it, with the token of run_spec.  What is not
 * FORGE_OK leaves a sentence in err.
 */

/*
 * Find the open request of the task's branch onto the target, else one that is
 * not open any more.  FORGE_OK also when there is none (PULL_NONE), else
 * FORGE_UNKNOWN.
 */
enum forge_result rest_pull_find(struct worker *, struct forge_pull *,
	    char *err, size_t);

/* Open it: FORGE_OK when the server says so, else FORGE_UNKNOWN. */
enum forge_result rest_pull_open(struct worker *, char *err, size_t);

/* Close that of this number: FORGE_OK when the server says so, as above. */
enum forge_result rest_pull_close(struct worker *, uint64_t number,
	    char *err, size_t);

/*
 * How long the forge still wants to be left alone, in milliseconds, as its last
 * answer said; 0: not at all.  Requests wait for a short time themselves, and
 * fail at once when it is long.
 */
int64_t	 rest_alone_ms(const struct worker *);

/* As f_landed: FORGE_OK, FORGE_NOTFOUND or FORGE_UNKNOWN. */
enum forge_result rest_landed(struct worker *, char head[GIT_OID_SIZE],
	    char commit[GIT_OID_SIZE], char *err, size_t);

/*
 * Have the server land new on the target, by its pull request and the method
 * of landing.c, as a fast-forward when none is given; waits while a check of
 * the server runs, and for CI as long as ci_wait_timeout_s.  Never
 * FORGE_NOTFOUND.
 */
enum forge_result rest_land(struct worker *, const char *new, char *err,
	    size_t);

/*
 * mark.c: set the mirror's own mark refs/orchd/<kind>/<task>; oid "" removes
 * it.  END with ERROR when git fails.
 */
enum step mark_set(struct worker *, const char *kind, const char *oid);

/* Read a mark: 0 and its commit, or -1 when there is none or git fails. */
int	 mark_get(struct worker *, const char *kind, char oid[GIT_OID_SIZE]);

/*
 * Is commit the merge commit that a worker of this task pushed on top of
 * head?  1 or 0.
 */
int	 mark_is_tip(struct worker *, const char *commit, const char *head);

/*
 * Push what was imported and open the pull request, from the stage development
 * on (R-44, publish.c).
 */
enum step publish_run(struct worker *);

/* The first gate of the edge: staging at H, with its record. */
enum step staging_run(struct worker *);

/* The edge deploy-staging to deploy: gates, merge, read-back (edge.c). */
enum step edge_run(struct worker *);

/* The names of files that conflict, as far as they fit (edge.c). */
void	 edge_conflicts(const struct git_list *, char *buf, size_t);

/*
 * landing.c: a landing whose commit the forge makes itself, by merge, squash
 * or rebase, from the pull request and a target that nobody compares
 */

/* The method that the run names, or NULL: what lands is what was tested. */
const char *landing_method(const struct worker *);

/*
 * Does the target hold the head, or its very tree?  1 or 0; -1: git could not
 * say.  With an open request that is a merge which the forge has not noted, or
 * somebody's push.
 */
int	 landing_holds(struct worker *, const char *target, const char *head);

/*
 * The probe of effect_merge then.  Done when the request is merged with
 * exactly this head and the target contains what became of it (re_landed).
 */
enum probe landing_probe(struct worker *, struct ref_effect *, char *ev,
	    size_t);

/*
 * Is the branch's pull request merged?  STEP_NEXT with both commits, or both
 * "" when it is not; else END.
 */
enum step landing_read(struct worker *, char head[GIT_OID_SIZE],
	    char commit[GIT_OID_SIZE]);

/*
 * The forge calls it a conflict, nothing was seen to land, and the target did
 * not move: say in the reason of the end which commit conflicts with which
 * files, if that is so here too, and what to do next.
 */
void	 landing_conflict(struct worker *, const char *target,
	    const char *head);

/*
 * The landed commit has another tree than the head that was tested: freeze the
 * project's merge lane, then test what landed.  STEP_NEXT when it has passed.
 */
enum step landing_retest(struct worker *, const char *commit,
	    const char *tree, const char *previous, const char *head);

/* judged.c */

/* Compare a new head of the branch with go's; END with ERROR when git fails. */
enum step judged_read(struct worker *, const char *target,
	    const char *commit, struct judged *);

/* Set the branch's head for END; jd NULL: it is the one that was judged. */
void	 judged_say(struct worker *, const char *commit,
	    const struct judged *jd);

/* END with FAIL when the merge with target is not the patch that was judged. */
enum step judged_keeps(struct worker *, const char *target,
	    const struct judged *);

/* deploy.c: a hook's start, once a landed commit */
extern const struct effect_driver effect_deploy_start;
extern const struct effect_driver effect_rollback;

/* Have the deploy hook started for the landed commit, once. */
enum step deploy_run(struct worker *);

/* Have the rollback hook started for what served before, once. */
enum step rollback_run(struct worker *);

/* Commit 16 with the rollback to the records branch (finish.c). */
enum step record_run(struct worker *);

/* The hook has ended: record it, then done or back (finish.c). */
enum step finish_run(struct worker *);

/*
 * A cancelled task: delete its branch, close its request, move it.  END
 * with FAIL when the target contains it already (close.c).
 */
enum step close_run(struct worker *);

/*
 * Probe what was deployed for a while, and commit 16; holds no lease.  END with
 * PASS healthy, FAIL degraded, WAIT neither (R-34, monitor.c).
 */
enum step monitor_run(struct worker *);

/* records.c */
extern const struct effect_driver effect_records;

/*
 * Commit an artifact of the task to the records branch unless the same text
 * is there already, by compare-and-swap.  0, 1 when the branch moved (try
 * again), or -1; err says why.  commit gets the branch's head.
 */
int	 records_write(struct worker *, const char *name, const char *text,
	    char commit[GIT_OID_SIZE], char *err, size_t);

/*
 * The same as an effect under the lease, with its row; number ("14") is the
 * artifact's, for the key.
 */
enum step records_effect(struct worker *, const char *name,
	    const char *number, const char *text);

/* probe.c: one HTTP probe of a deployed service */

/* What it showed. */
enum http_probe {
	HTTP_GOOD,		/* 2xx or 3xx */
	HTTP_BAD,		/* another answer, or none */
	HTTP_NOT_MADE		/* our own side could not ask */
};

/*
 * Ask with GET for at most timeout_ms, without following a redirect; why gets
 * "200", or what went wrong.
 */
enum http_probe http_probe(const char *url, long timeout_ms, char *why,
	    size_t);

/*
 * monitor.c, for its tests: the verdict of.  GATE_WAIT when not
 * even three probes (or all, of fewer planned), or less than half of those
 * planned, could be made; GATE_FAIL when more than fail_ratio (0 to 1) of those
 * made failed; else GATE_PASS.
 */
enum gate_verdict monitor_judge(uint32_t planned, uint32_t made,
	    uint32_t failed, double fail_ratio);

/* result.c: what the hook's wrapper left */

/* What a look at its file found. */
enum hook_result {
	HOOK_ENDED,		/* *code is set */
	HOOK_NONE,		/* no file (yet) */
	HOOK_BAD		/* a file that nobody of ours wrote */
};

/* Read it; code is 0 to 255, and why gets a sentence in any case. */
enum hook_result hook_result_read(const char *path, int *code, char *why,
	    size_t);

/*
 * post.c: comments and statuses of the outbox to forges that are elsewhere
 * (R-64)
 */

/*
 * A project of the parent is given, copied; one whose forge is not elsewhere is
 * ignored.
 */
void	 post_project(const struct orch_child_project *);

/* A secret of the parent is given, copied: the token of "forge:PROJECT". */
void	 post_secret(const char *name, const char *value);

struct checkup_of;

/* Call fn for each forge that is configured, with the words of a trial. */
void	 post_each(void (*fn)(const struct checkup_of *, void *arg),
	    void *arg);

/* Start asking every poll_interval_s.  -1 when there is no memory. */
int	 post_start(void);

/* Stop asking; what is not delivered stays with the engine. */
void	 post_stop(void);

/* The engine is there (again): an older list will not be ended any more. */
void	 post_engine_up(void);

/* One row of the answer with this id to outbox_next; copied. */
void	 post_row(uint32_t id, const struct orch_outbox_row *);

/* An ack; 1 when it answered one of these, else 0. */
int	 post_ack(uint32_t id, const struct orch_ack *);

/* What a test may shorten: the first pause of a forge that fails. */
extern int64_t post_pause_ms;

/* post_send.c: the requests of one row */

/* How the requests of a row ended. */
enum post_end {
	POST_DONE,
	POST_REFUSED,		/* the forge works and says no */
	POST_NEVER,		/* the same, to what this message says */
	POST_DENIED,		/* the same, to the token: 401 or 403 */
	POST_DOWN		/* no answer, 5xx or too many requests */
};

/* What is to be said where; copied as far as needed. */
struct post_job {
	const char	*pj_url;
	const char	*pj_repo;
	const char	*pj_token;
	const char	*pj_kind;	/* "comment" or "status" */
	const char	*pj_key;
	const char	*pj_text;
	const char	*pj_commit;	/* of a status */
	uint64_t	 pj_pull;	/* of a comment */
};

/*
 * Called once, from the loop: how it ended and why.  wait: seconds that the
 * server asks to be left alone, or 0.
 */
typedef void (*post_cb)(enum post_end, const char *why, int64_t wait,
	    void *arg);

/*
 * Say it once: before a comment is made those that are there are looked
 * through for the marker of its key.  A status is "STATE CONTEXT" in the first
 * line of the text and its description in the others.  -1 with err: it can
 * never be said; then there is no call.
 */
int	 post_send(struct http_loop *, const struct post_job *, post_cb, void *,
	    char *err, size_t errlen);

/* Forget what is under way, without a call; its loop is freed before. */
void	 post_forget(void);

/* doctor.c: what orchd needs elsewhere, tried (orchctl doctor remote) */

/*
 * Try every right at forges to write, with the token that workers have; the
 * rows go to the engine with that id.
 */
void	 doctor_forges(uint32_t id, const struct orch_doctor_ask *);

/* daemon.c: the dispatcher, which reads what hooks left.  The exit status. */
int	 finalizer_main(int argc, char **argv);

#endif
