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

#include <bsd/string.h>

#include "libcommon/log.h"

#include "finalizerd.h"

/*
 * Staging serves what lands.  The engine compares what the artifact
 * says with the code tree that was tested; a stale one is built again, once.
 */

#define FRESH	"check_staging_image_fresh"
#define BUILD	"image-build"

struct image_effect {
	const char		*ie_commit;
	enum gate_verdict	 ie_verdict;	/* of a build that failed */
	enum orch_cause		 ie_cause;
	char			 ie_reason[512];
};

/*
 * What the engine has of the build.  1: it passed; 0: not, or there is none;
 * -1: no answer.
 */
static int
image_look(struct worker *w, struct image_effect *ie, enum orch_gate_look look,
    char *ev, size_t evlen)
{
	struct orch_gate m = { .epoch = w->w_epoch, .gate = BUILD,
	    .commit = ie->ie_commit, .look = (uint8_t)look };
	const struct orch_gate_answer *a;
	union orch_any any;

	if (wire_call(w, ORCH_gate, &m, ORCH_gate_answer, &any) == -1) {
		(void)strlcpy(ev, link_reason(w->w_link), evlen);
		return (-1);
	}
	a = &any.gate_answer;
	(void)strlcpy(ev, a->reason, evlen);
	if (a->result == RES_NOTFOUND)
		return (0);
	if (a->result != RES_OK)
		return (-1);
	ie->ie_verdict = a->verdict >= GATE_VERDICT_MAX ? GATE_ERROR :
	    (enum gate_verdict)a->verdict;
	ie->ie_cause = (enum orch_cause)a->cause;
	(void)strlcpy(ie->ie_reason, a->reason, sizeof(ie->ie_reason));
	return (ie->ie_verdict == GATE_PASS);
}

static enum probe
image_probe(struct worker *w, void *arg, char *ev, size_t evlen)
{
	switch (image_look(w, arg, LOOK_RECORD, ev, evlen)) {
	case 1:
		return (PROBE_DONE);
	case 0:
		return (PROBE_TODO);
	default:
		return (PROBE_UNKNOWN);
	}
}

/* A build that has failed is not tried again by this worker. */
static int
image_apply(struct worker *w, void *arg, char *ev, size_t evlen)
{
	return (image_look(w, arg, LOOK_NO, ev, evlen) == 0 ? -1 : 0);
}

/* A build that a predecessor began has ended, with everything in its box. */
static int
image_quiesce(struct worker *w, void *arg, char *ev, size_t evlen)
{
	return (image_look(w, arg, LOOK_WAIT, ev, evlen) == -1 ? -1 : 0);
}

const struct effect_driver effect_image_build = {
	BUILD, CLASS_PROBE, image_probe, image_apply, image_quiesce
};

static enum step
image_build(struct worker *w, const char *commit)
{
	struct image_effect ie = { .ie_commit = commit,
	    .ie_verdict = GATE_PASS };
	char key[256];
	enum step r;

	(void)snprintf(key, sizeof(key), "image:%s:r%u:%s", w->w_go->task,
	    w->w_go->round, commit);
	r = effect_do(w, &effect_image_build, key, &ie);
	if (r == STEP_END && ie.ie_verdict != GATE_PASS)
		return (worker_end(w, ie.ie_verdict, ie.ie_cause, FRESH,
		    "image build: %s", ie.ie_reason));
	return (r);
}

/* Stale, or nobody says what it is. */
static int
is_stale(const struct worker *w)
{
	return (w->w_out.o_verdict == GATE_FAIL ||
	    w->w_out.o_cause == CAUSE_BAD_ARTIFACT);
}

enum step
image_run(struct worker *w, const char *commit)
{
	enum step r;

	if (!worker_option_num(w, "image", 0, 1, 0))
		return (STEP_NEXT);
	r = wire_gate(w, FRESH, commit);
	if (r != STEP_END || !is_stale(w))
		return (r);
	log_info("task %s: %s: building it again", w->w_go->task,
	    w->w_out.o_reason);
	if ((r = image_build(w, commit)) != STEP_NEXT)
		return (r);
	if (worker_option_num(w, "staging", 0, 1, 1) &&
	    (r = wire_gate(w, "check_staging_status", commit)) != STEP_NEXT)
		return (r);
	return (wire_gate(w, FRESH, commit));
}
