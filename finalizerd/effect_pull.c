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

#include <inttypes.h>
#include <stdio.h>

#include "finalizerd.h"

/* Of a forge elsewhere; the engine's row is made to say what is there. */
static enum probe
pull_ask(struct worker *w, struct pull_effect *pe,
    enum orch_pull_state *state, char *ev, size_t evlen)
{
	struct forge_pull fp;

	if (w->w_forge->f_pull_find(w, &fp, ev, evlen) != FORGE_OK)
		return (PROBE_UNKNOWN);
	if (wire_pull_seen(w, pe->pe_head, &fp) != STEP_NEXT) {
		(void)snprintf(ev, evlen, "%s", w->w_out.o_reason);
		return (PROBE_UNKNOWN);
	}
	pe->pe_number = fp.fp_number;
	*state = fp.fp_state;
	return (PROBE_DONE);
}

/* The pull request of the task's branch as the forge has it. */
static enum probe
pull_find(struct worker *w, struct pull_effect *pe,
    enum orch_pull_state *state, char *ev, size_t evlen)
{
	if (w->w_forge->f_pull_find != NULL)
		return (pull_ask(w, pe, state, ev, evlen));
	if (wire_pull(w, PULL_FIND, pe->pe_head, "", &pe->pe_number, state) !=
	    STEP_NEXT) {
		(void)snprintf(ev, evlen, "%s", w->w_out.o_reason);
		return (PROBE_UNKNOWN);
	}
	return (PROBE_DONE);
}

static enum probe
pull_open_probe(struct worker *w, void *arg, char *ev, size_t evlen)
{
	struct pull_effect *pe = arg;
	enum orch_pull_state state;

	if (pull_find(w, pe, &state, ev, evlen) != PROBE_DONE)
		return (PROBE_UNKNOWN);
	(void)snprintf(ev, evlen, "pull request %" PRIu64 " of %s",
	    pe->pe_number, w->w_go->branch);
	switch (state) {
	case PULL_NONE:
		return (PROBE_TODO);
	case PULL_IS_OPEN:
		return (PROBE_DONE);
	case PULL_IS_MERGED:
	case PULL_IS_CLOSED:
		break;
	}
	(void)snprintf(ev, evlen, "pull request %" PRIu64 " of %s is %s",
	    pe->pe_number, w->w_go->branch,
	    state == PULL_IS_MERGED ? "merged" : "closed");
	return (PROBE_CONFLICT);
}

static int
pull_open_apply(struct worker *w, void *arg, char *ev, size_t evlen)
{
	struct pull_effect *pe = arg;

	if (w->w_forge->f_pull_open != NULL) {
		(void)w->w_forge->f_pull_open(w, ev, evlen);
		return (0);
	}
	(void)wire_pull(w, PULL_OPEN, pe->pe_head, "", &pe->pe_number, NULL);
	return (0);
}

static enum probe
pull_close_probe(struct worker *w, void *arg, char *ev, size_t evlen)
{
	struct pull_effect *pe = arg;
	enum orch_pull_state state;

	if (pull_find(w, pe, &state, ev, evlen) != PROBE_DONE)
		return (PROBE_UNKNOWN);
	if (state == PULL_IS_OPEN)
		return (PROBE_TODO);
	(void)snprintf(ev, evlen, "%s has no open pull request",
	    w->w_go->branch);
	return (PROBE_DONE);
}

static int
pull_close_apply(struct worker *w, void *arg, char *ev, size_t evlen)
{
	struct pull_effect *pe = arg;

	if (w->w_forge->f_pull_close != NULL) {
		(void)w->w_forge->f_pull_close(w, pe->pe_number, ev, evlen);
		return (0);
	}
	(void)wire_pull(w, PULL_CLOSE, pe->pe_head, "", NULL, NULL);
	return (0);
}

const struct effect_driver effect_pull_open = {
	"pr-open", CLASS_KEYED, pull_open_probe, pull_open_apply, NULL
};

const struct effect_driver effect_pull_close = {
	"pr-close", CLASS_KEYED, pull_close_probe, pull_close_apply, NULL
};
