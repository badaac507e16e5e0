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

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <bsd/string.h>

#include "libcommon/log.h"
#include "libcommon/monotime.h"

#include "finalizerd.h"

#define RETRY_MIN_MS	100
#define RETRY_MAX_MS	2000
#define WAIT_MIN_MS	1000	/* until a gate that waits is asked again */
#define WAIT_MAX_MS	30000
#define WAIT_SLICE_MS	100

int
wire_call(struct worker *w, unsigned int type, const void *msg,
    unsigned int want, union orch_any *answer)
{
	unsigned int wait = RETRY_MIN_MS;

	for (;;) {
		if (link_call(w->w_link, type, msg, -1, want, answer) == 0) {
			/* Each answer begins with its result. */
			if (answer->ack.result != RES_RETRY)
				return (0);
			worker_pause(wait);
			if ((wait *= 2) > RETRY_MAX_MS)
				wait = RETRY_MAX_MS;
			continue;
		}
		if (errno != ECANCELED || link_resume(w->w_link) == -1)
			return (-1);
		if (!w->w_stopped)
			log_info("task %s: asked to stop: %s", w->w_go->task,
			    link_reason(w->w_link));
		w->w_stopped = 1;
		if (type == ORCH_gate) {
			errno = ECANCELED;
			return (-1);
		}
	}
}

/* The call failed: the run was stopped, or the engine knows it no more. */
static enum step
wire_gone(struct worker *w, const char *what)
{
	if (w->w_stopped)
		return (worker_end(w, GATE_ERROR, CAUSE_STOPPED, "",
		    "stopped at %s: %s", what, link_reason(w->w_link)));
	return (worker_lost(w, CAUSE_STOPPED, "%s: %s", what,
	    errno == EMSGSIZE ? "the message is too long" :
	    link_reason(w->w_link)));
}

enum step
wire_refused(struct worker *w, const char *what, unsigned int result,
    const char *text)
{
	if (text[0] == '\0')
		text = orch_result_name(result);
	switch (result) {
	case RES_OK:
	case RES_DUPLICATE:
		return (STEP_NEXT);
	case RES_STALE:
		/* A lost race: the lease is still ours, and ends by END. */
		return (worker_end(w, GATE_ERROR, CAUSE_MOVED, "", "%s: %s",
		    what, text));
	case RES_FENCED:
		return (worker_lost(w, CAUSE_STOPPED, "%s: fenced: %s", what,
		    text));
	case RES_DENIED:
		return (worker_lost(w, CAUSE_BUSY, "%s: %s", what, text));
	default:
		return (worker_end(w, GATE_ERROR, CAUSE_INFRA, "",
		    "%s refused: %s", what, text));
	}
}

/* A request that is answered by ack. */
static enum step
wire_acked(struct worker *w, const char *what, unsigned int type,
    const void *msg)
{
	union orch_any any;

	if (wire_call(w, type, msg, ORCH_ack, &any) == -1)
		return (wire_gone(w, what));
	return (wire_refused(w, what, any.ack.result, any.ack.text));
}

enum step
wire_begin(struct worker *w)
{
	struct orch_begin m;
	union orch_any any;

	memset(&m, 0, sizeof(m));
	m.run = w->w_go->run;
	m.task = w->w_go->task;
	m.stage = w->w_go->stage;
	m.seq = w->w_go->seq;
	if (wire_call(w, ORCH_begin, &m, ORCH_grant, &any) == -1)
		return (worker_lost(w, CAUSE_STOPPED, "begin: %s",
		    link_reason(w->w_link)));
	if (any.grant.result != RES_OK && any.grant.result != RES_DUPLICATE) {
		(void)wire_refused(w, "begin", any.grant.result,
		    any.grant.text);
		return (STEP_LOST);	/* there is no lease to end */
	}
	w->w_epoch = any.grant.epoch;
	log_info("task %s: lease granted, epoch %" PRIu64, w->w_go->task,
	    w->w_epoch);
	return (STEP_NEXT);
}

/* What coverage measured, for the baseline that LANDED may raise. */
static void
wire_coverage(struct worker *w, const char *gate, const char *reason)
{
	if (strcmp(gate, "check_coverage") != 0 ||
	    sscanf(reason, "coverage %15[0-9.] %%", w->w_coverage) != 1)
		return;
	log_debug("task %s: coverage %s", w->w_go->task, w->w_coverage);
}

/* The engine's word on a gate, once. */
static enum step
gate_once(struct worker *w, const char *gate, const char *commit)
{
	struct orch_gate m = { .epoch = w->w_epoch, .gate = gate,
	    .commit = commit };
	union orch_any any;
	enum step r;

	if (w->w_stopped)
		return (worker_end(w, GATE_ERROR, CAUSE_STOPPED, gate,
		    "stopped before %s", gate));
	if (wire_call(w, ORCH_gate, &m, ORCH_gate_answer, &any) == -1)
		return (wire_gone(w, gate));
	if ((r = wire_refused(w, gate, any.gate_answer.result,
	    any.gate_answer.reason)) != STEP_NEXT)
		return (r);
	(void)strlcpy(w->w_gate_reason, any.gate_answer.reason,
	    sizeof(w->w_gate_reason));
	w->w_gate_ms = any.gate_answer.at_ms;
	if (any.gate_answer.verdict == GATE_PASS) {
		log_info("task %s: %s at %.7s: pass", w->w_go->task, gate,
		    commit);
		wire_coverage(w, gate, any.gate_answer.reason);
		return (STEP_NEXT);
	}
	if (any.gate_answer.verdict >= GATE_VERDICT_MAX)
		return (worker_end(w, GATE_ERROR, CAUSE_INFRA, gate,
		    "%s: the engine sent verdict %u", gate,
		    any.gate_answer.verdict));
	return (worker_end(w, (enum gate_verdict)any.gate_answer.verdict,
	    (enum orch_cause)any.gate_answer.cause, gate, "%s",
	    any.gate_answer.reason));
}

/* Wait for ms, or less when the engine asks for the end. */
static void
gate_pause(struct worker *w, int64_t ms)
{
	for (; ms > 0 && !link_stopped(w->w_link); ms -= WAIT_SLICE_MS)
		worker_pause(ms < WAIT_SLICE_MS ? (unsigned int)ms :
		    WAIT_SLICE_MS);
}

/* One that waits is asked again, for ci_wait_timeout_s. */
enum step
wire_gate(struct worker *w, const char *gate, const char *commit)
{
	long long limit = worker_option_num(w, "ci_wait_timeout_s", 0,
	    604800, 1200);
	struct monotime until = monotime_add_ms(monotime_now(), limit * 1000);
	int64_t pause = WAIT_MIN_MS, left;
	enum step r;

	while ((r = gate_once(w, gate, commit)) == STEP_END &&
	    w->w_out.o_verdict == GATE_WAIT) {
		left = monotime_sub_ms(until, monotime_now());
		if (left <= 0)
			return (worker_end(w, GATE_ERROR, CAUSE_TIMEOUT, gate,
			    "no answer within %lld s (ci_wait_timeout_s): "
			    "%s", limit, w->w_gate_reason));
		gate_pause(w, pause < left ? pause : left);
		if ((pause *= 2) > WAIT_MAX_MS)
			pause = WAIT_MAX_MS;
	}
	return (r);
}

enum step
wire_record(struct worker *w, const char *name, const char *text)
{
	struct orch_record m;

	memset(&m, 0, sizeof(m));
	m.epoch = w->w_epoch;
	m.name = name;
	m.text.b_data = (const uint8_t *)text;
	m.text.b_len = strlen(text);
	return (wire_acked(w, name, ORCH_record, &m));
}

enum step
wire_landed(struct worker *w, const char *commit, const char *tree,
    const char *previous, const char *merged, const char *tested)
{
	struct orch_landed m = { .epoch = w->w_epoch, .commit = commit,
	    .tree = tree, .previous = previous, .coverage = w->w_coverage,
	    .merged = merged, .tested = tested };

	return (wire_acked(w, "landed", ORCH_landed, &m));
}

static enum step
pull_call(struct worker *w, const struct orch_pull *m, uint64_t *number,
    enum orch_pull_state *state)
{
	union orch_any any;
	enum step r;

	if (wire_call(w, ORCH_pull, m, ORCH_pull_answer, &any) == -1)
		return (wire_gone(w, "pull request"));
	if (any.pull_answer.result == RES_NOTFOUND) {
		any.pull_answer.state = PULL_NONE;
		any.pull_answer.number = 0;
	} else if ((r = wire_refused(w, "pull request",
	    any.pull_answer.result, any.pull_answer.text)) != STEP_NEXT)
		return (r);
	if (number != NULL)
		*number = any.pull_answer.number;
	if (state != NULL)
		*state = (enum orch_pull_state)any.pull_answer.state;
	return (STEP_NEXT);
}

enum step
wire_pull(struct worker *w, enum orch_pull_op op, const char *head,
    const char *landed, uint64_t *number, enum orch_pull_state *state)
{
	struct orch_pull m = { .epoch = w->w_epoch, .op = (uint8_t)op,
	    .branch = w->w_go->branch, .head = head, .landed = landed,
	    .title = w->w_go->title, .page = "" };

	return (pull_call(w, &m, number, state));
}

enum step
wire_pull_seen(struct worker *w, const char *head,
    const struct forge_pull *fp)
{
	struct orch_pull m = { .epoch = w->w_epoch, .op = PULL_CLOSE,
	    .branch = w->w_go->branch, .head = head, .landed = fp->fp_landed,
	    .title = w->w_go->title, .number = fp->fp_number,
	    .page = fp->fp_page };

	if (fp->fp_state == PULL_IS_OPEN)
		m.op = PULL_OPEN;
	else if (fp->fp_state == PULL_IS_MERGED)
		m.op = PULL_MERGED;
	return (pull_call(w, &m, NULL, NULL));
}

enum step
wire_commit(struct worker *w, const char *to, const char *reason)
{
	struct orch_commit m = { .epoch = w->w_epoch, .from = w->w_go->stage,
	    .seq = w->w_go->seq, .to = to, .reason = reason };
	enum step r;

	if ((r = wire_acked(w, "commit", ORCH_commit, &m)) != STEP_NEXT)
		return (r);
	log_info("task %s: %s -> %s, reason: %s", w->w_go->task,
	    w->w_go->stage, to, reason);
	w->w_out.o_verdict = GATE_PASS;
	w->w_out.o_cause = CAUSE_NONE;
	(void)snprintf(w->w_out.o_reason, sizeof(w->w_out.o_reason), "%s",
	    reason);
	return (STEP_LEFT);
}

void
wire_end(struct worker *w)
{
	const char *artifacts[GIT_ARTIFACT_ROLES + 1] = { NULL };
	const struct judged *jd = &w->w_out.o_judged;
	size_t i;
	struct orch_end m = { .epoch = w->w_epoch,
	    .verdict = (uint8_t)w->w_out.o_verdict,
	    .cause = (uint8_t)w->w_out.o_cause, .gate = w->w_out.o_gate,
	    .reason = w->w_out.o_reason, .head = w->w_out.o_head,
	    .tree = jd->jd_tree, .patch_judged = jd->jd_patch_judged,
	    .patch = jd->jd_patch,
	    .wait_s = (uint32_t)((rest_alone_ms(w) + 999) / 1000) };
	union orch_any any;

	for (i = 0; i < GIT_ARTIFACT_ROLES && jd->jd_commit[0] != '\0'; i++)
		artifacts[i] = jd->jd_artifacts.ga_text[i];
	m.artifacts.l_argv = artifacts;
	if (wire_call(w, ORCH_end, &m, ORCH_ack, &any) == -1)
		log_warnx("task %s: end: %s", w->w_go->task,
		    link_reason(w->w_link));
	else if (any.ack.result != RES_OK && any.ack.result != RES_DUPLICATE)
		log_warnx("task %s: end: %s: %s", w->w_go->task,
		    orch_result_name(any.ack.result), any.ack.text);
}

int
wire_done(struct worker *w)
{
	struct orch_run_done m;
	union orch_any any;

	memset(&m, 0, sizeof(m));
	m.run = w->w_go->run;
	m.verdict = (uint8_t)w->w_out.o_verdict;
	m.cause = (uint8_t)w->w_out.o_cause;
	m.reason = w->w_out.o_reason;
	m.commit = w->w_out.o_head;
	m.text.b_data = (const uint8_t *)w->w_out.o_text;
	m.text.b_len = w->w_out.o_text == NULL ? 0 : strlen(w->w_out.o_text);
	if (wire_call(w, ORCH_run_done, &m, ORCH_ack, &any) == -1) {
		log_warnx("run %" PRIu64 ": run_done: %s", w->w_go->run,
		    link_reason(w->w_link));
		return (-1);
	}
	return (0);
}
