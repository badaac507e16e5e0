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

#include <stdio.h>
#include <string.h>

#include <bsd/string.h>

#include "libcommon/log.h"
#include "libcommon/mutant.h"

#include "finalizerd.h"

#define TRIES		5	/* of a probe or an attempt in doubt */
#define TRY_PAUSE_MS	100U
#define EV_SIZE		512

/* What the journal says to an intent. */
enum intent {
	INTENT_FIRST,		/* go: nobody tried before */
	INTENT_AGAIN,		/* go: an attempt of before has no end */
	INTENT_DONE,		/* it is done already */
	INTENT_NO		/* *r says what follows */
};

static enum probe
effect_probe(struct worker *w, const struct effect_driver *ed, void *arg,
    char *ev, size_t evlen)
{
	enum probe p = PROBE_UNKNOWN;
	unsigned int i;

	for (i = 0; i < TRIES; i++) {
		if (i > 0)
			worker_pause(TRY_PAUSE_MS << i);
		ev[0] = '\0';
		p = ed->ed_probe(w, arg, ev, evlen);
		if (p != PROBE_UNKNOWN)
			break;
		log_warnx("task %s: %s: probe: %s", w->w_go->task,
		    ed->ed_name, ev);
	}
	return (p);
}

static enum intent
effect_intent(struct worker *w, const struct effect_driver *ed,
    const char *key, char *ev, size_t evlen, enum step *r)
{
	struct orch_effect m = { .epoch = w->w_epoch, .name = ed->ed_name,
	    .key = key, .class = (uint8_t)ed->ed_class };
	union orch_any any;

	if (wire_call(w, ORCH_effect, &m, ORCH_effect_answer, &any) == -1) {
		*r = worker_lost(w, CAUSE_STOPPED, "%s: %s", ed->ed_name,
		    link_reason(w->w_link));
		return (INTENT_NO);
	}
	*r = wire_refused(w, ed->ed_name, any.effect_answer.result,
	    any.effect_answer.text);
	if (*r != STEP_NEXT) {
		/* A person wants the task to end: nothing has failed. */
		if (*r == STEP_END)
			w->w_out.o_cause = CAUSE_STOPPED;
		return (INTENT_NO);
	}
	if (any.effect_answer.state == EFFECT_DONE) {
		(void)strlcpy(ev, any.effect_answer.evidence, evlen);
		return (INTENT_DONE);
	}
	return (any.effect_answer.state == EFFECT_INTENT ? INTENT_AGAIN :
	    INTENT_FIRST);
}

/* Record how it ended; an effect that is done stays done whatever follows. */
static enum step
effect_record(struct worker *w, const struct effect_driver *ed,
    const char *key, enum orch_effect_state state, const char *ev)
{
	struct orch_effect_done m = { .epoch = w->w_epoch, .key = key,
	    .state = (uint8_t)state, .evidence = ev };
	union orch_any any;

	log_info("task %s: %s %s: %s", w->w_go->task, ed->ed_name,
	    orch_effect_name(state), ev);
	if (wire_call(w, ORCH_effect_done, &m, ORCH_ack, &any) == -1)
		return (worker_lost(w, CAUSE_STOPPED, "%s: %s", ed->ed_name,
		    link_reason(w->w_link)));
	return (wire_refused(w, ed->ed_name, any.ack.result, any.ack.text));
}

static enum step
effect_conflict(struct worker *w, const struct effect_driver *ed,
    const char *ev)
{
	return (worker_end(w, GATE_ERROR, CAUSE_MOVED, "", "%s: %s",
	    ed->ed_name, ev));
}

/* What the last attempt was answered goes before what was found then. */
static void
effect_said(const char *said, char *ev, size_t evlen)
{
	char found[EV_SIZE / 2 - 8];

	if (said[0] == '\0')
		return;
	(void)strlcpy(found, ev, sizeof(found));
	(void)snprintf(ev, evlen, "%s%s%s", said, found[0] != '\0' ? "; " :
	    "", found);
}

/*
 * Try until the probe sees an end.  Where the other side neither compares nor
 * knows our key, a second attempt needs a quiesce in between.
 */
static enum probe
effect_apply(struct worker *w, const struct effect_driver *ed, void *arg,
    enum probe p, int *refused, char *ev, size_t evlen)
{
	char said[EV_SIZE / 2] = "";
	unsigned int i;

	for (i = 0; p == PROBE_TODO && i < TRIES; i++) {
		if (i > 0) {
			worker_pause(TRY_PAUSE_MS << i);
			if (ed->ed_class == CLASS_BLIND ||
			    (ed->ed_class == CLASS_PROBE &&
			    (ed->ed_quiesce == NULL ||
			    ed->ed_quiesce(w, arg, ev, evlen) == -1)))
				break;
		}
		ev[0] = '\0';
		forge_answered(w, 0);
		if (ed->ed_apply(w, arg, ev, evlen) == -1) {
			*refused = 1;
			return (PROBE_TODO);
		}
		(void)strlcpy(said, ev, sizeof(said));
		p = MUTANT(NO_PROBE) ? PROBE_DONE :
		    effect_probe(w, ed, arg, ev, evlen);
		/* It was looked at, and the next try is answered alike. */
		if (w->w_denied)
			break;
	}
	if (p == PROBE_TODO || p == PROBE_UNKNOWN)
		effect_said(said, ev, evlen);
	return (p);
}

/* The journal said go: make it so and record it. */
static enum step
effect_go(struct worker *w, const struct effect_driver *ed, const char *key,
    void *arg, int again)
{
	char ev[EV_SIZE] = "";
	int refused = 0;
	enum probe p;
	enum step r;

	if (again && ed->ed_quiesce != NULL &&
	    ed->ed_quiesce(w, arg, ev, sizeof(ev)) == -1)
		return (worker_end(w, GATE_ERROR, CAUSE_INFRA, "",
		    "%s: an earlier attempt may still act: %s", ed->ed_name,
		    ev));
	/* The intent is on record: what was probed before may be old. */
	p = MUTANT(NO_PROBE) ? PROBE_TODO :
	    effect_probe(w, ed, arg, ev, sizeof(ev));
	p = effect_apply(w, ed, arg, p, &refused, ev, sizeof(ev));
	switch (p) {
	case PROBE_DONE:
		return (effect_record(w, ed, key, EFFECT_DONE, ev));
	case PROBE_CONFLICT:
		r = effect_record(w, ed, key, EFFECT_CONFLICT, ev);
		return (r == STEP_NEXT ? effect_conflict(w, ed, ev) : r);
	case PROBE_TODO:
		if (refused) {
			r = effect_record(w, ed, key, EFFECT_FAILED, ev);
			if (r != STEP_NEXT)
				return (r);
		}
		break;
	case PROBE_UNKNOWN:
		break;
	}
	if (refused)
		return (worker_end(w, GATE_ERROR, CAUSE_INFRA, "",
		    "%s failed: %s", ed->ed_name, ev));
	return (worker_end(w, GATE_ERROR, forge_cause(w), "",
	    "%s is %s: %s%s", ed->ed_name, p == PROBE_TODO && w->w_denied ?
	    "not done" : "in doubt", ev, forge_advice(w)));
}

enum step
effect_do(struct worker *w, const struct effect_driver *ed, const char *key,
    void *arg)
{
	char ev[EV_SIZE], recorded[EV_SIZE];
	enum step r = STEP_NEXT;
	enum intent in;
	enum probe p;

	if (w->w_stopped)
		return (worker_end(w, GATE_ERROR, CAUSE_STOPPED, "",
		    "stopped before %s: %s", ed->ed_name,
		    link_reason(w->w_link)));
	p = effect_probe(w, ed, arg, ev, sizeof(ev));
	if (p == PROBE_UNKNOWN)
		return (worker_end(w, GATE_ERROR, forge_cause(w), "",
		    "%s: cannot tell whether it is done: %s%s", ed->ed_name,
		    ev, forge_advice(w)));
	in = effect_intent(w, ed, key, recorded, sizeof(recorded), &r);
	switch (in) {
	case INTENT_NO:
		return (r);
	case INTENT_DONE:
		log_info("task %s: %s: done already: %s", w->w_go->task,
		    ed->ed_name, recorded);
		/* On record, but the world has gone back behind it. */
		if (ed->ed_class == CLASS_CAS && p != PROBE_DONE)
			return (effect_conflict(w, ed, ev[0] != '\0' ? ev :
			    "on record as done, but it is not so any more"));
		return (STEP_NEXT);
	case INTENT_FIRST:
	case INTENT_AGAIN:
		break;
	}
	return (effect_go(w, ed, key, arg, in == INTENT_AGAIN));
}
