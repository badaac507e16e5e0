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
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bsd/string.h>

#include "actor.h"

/* What each actor hears, what that promises, and what it does then. */

/* It cannot go on; the engine decides what becomes of the work. */
static void
give_up(struct actor *a)
{
	a->a_verdict = GATE_ERROR;
	a->a_cause = CAUSE_INFRA;
	a->a_step = LAST;
	a->a_due = 1;
}

static int
shall_fail(const struct scene *c, const struct actor *a)
{
	const struct script *s = c->c_script;
	const char *what = a->a_run.w_kind == KIND_HOOK ? "hook" :
	    a->a_run.w_gate;

	if (s->s_fails == NULL || strcmp(s->s_fails, what) != 0 ||
	    a->a_round >= s->s_rounds || c->c_out->o_healed)
		return (0);
	return (s->s_verdict != GATE_ERROR || !c->c_out->o_erred);
}

static void
take_go(struct scene *c, struct actor *a, const struct orch_run_go *go)
{
	const char *opt = NULL;

	fact(c->c_out, "SELECT go_at IS NOT NULL FROM run WHERE id = %llu",
	    (unsigned long long)go->run);
	a->a_due = 1;
	if (a->a_started)
		return;
	a->a_started = 1;
	a->a_seq = go->seq;
	a->a_round = go->round;
	strlcpy(a->a_work, go->work, sizeof(a->a_work));
	strlcpy(a->a_stage, go->stage, sizeof(a->a_stage));
	strlcpy(a->a_role, go->role, sizeof(a->a_role));
	strlcpy(a->a_branch, go->branch, sizeof(a->a_branch));
	strlcpy(a->a_head, go->head, sizeof(a->a_head));
	strlcpy(a->a_commit, go->commit, sizeof(a->a_commit));
	strlcpy(a->a_tree, go->tree, sizeof(a->a_tree));
	strlcpy(a->a_base, go->base, sizeof(a->a_base));
	while ((opt = orch_strs_next(&go->options, opt)) != NULL)
		if (strncmp(opt, "exit=", 5) == 0)
			a->a_code = (int32_t)strtol(opt + 5, NULL, 10);
	a->a_verdict = GATE_PASS;
	if (shall_fail(c, a)) {
		a->a_verdict = c->c_script->s_verdict;
		a->a_cause = a->a_verdict == GATE_ERROR ? CAUSE_INFRA :
		    CAUSE_RED;
	}
}

static void
next(struct actor *a)
{
	a->a_step++;
	a->a_due = 1;
}

/* The effect is on record as intended, or as done by who came before. */
static void
heard_effect(struct scene *c, struct actor *a,
    const struct orch_effect_answer *m)
{
	const int *steps = work_of(a)->w_steps;

	if (m->result != RES_OK) {
		give_up(a);
		return;
	}
	fact(c->c_out, "SELECT count(*) FROM effect WHERE key = '%s'",
	    a->a_key);
	next(a);
	if (m->state == EFFECT_DONE) {
		while (steps[a->a_step - 1] != EFFECT_SAID)
			a->a_step++;
		if (strcmp(a->a_work, "deploy") != 0 &&
		    applied_find(c->c_out, a->a_key) == NULL)
			blame(c->c_out, FAULT_LOST, "called done, never "
			    "done: %s", a->a_key);
	} else if (strcmp(a->a_work, "deploy") != 0)
		apply(c, work_of(a)->w_effect, a->a_key);
}

static void
heard_gate(struct scene *c, struct actor *a,
    const struct orch_gate_answer *m)
{
	if (m->result != RES_OK) {
		give_up(a);
		return;
	}
	fact(c->c_out, "SELECT count(*) FROM gate_result WHERE gate = "
	    "'check_branch_mergeable' AND commit_id = '%s'", a->a_head);
	next(a);
	a->a_verdict = m->verdict;
	a->a_cause = m->cause;
	if (a->a_verdict != GATE_PASS)
		a->a_step = RED;
}

/* What an acknowledged step of a worker promises. */
static void
promise(struct outside *o, const struct actor *a, int step)
{
	switch (step) {
	case EFFECT_SAID:
		fact(o, "SELECT count(*) FROM effect WHERE key = '%s' AND "
		    "state = 'done'", a->a_key);
		break;
	case PULL:
		fact(o, "SELECT count(*) FROM pull WHERE branch = '%s'%s",
		    a->a_branch, strcmp(a->a_work, "publish") == 0 ? "" :
		    " AND state <> 'open'");
		break;
	case RECORD:
		fact(o, "SELECT count(*) FROM record WHERE round = %u",
		    a->a_round);
		break;
	case HOOK:
		fact(o, "SELECT count(*) FROM deploy WHERE key = '%s'",
		    a->a_key);
		break;
	case LANDED:
		fact(o, "SELECT count(*) FROM task WHERE landed = '%s' OR "
		    "round > %u", a->a_head, a->a_round);
		break;
	case COMMIT:
		fact(o, "SELECT count(*) FROM transition WHERE seq = %llu "
		    "AND to_stage = '%s'", (unsigned long long)a->a_seq + 1,
		    goes_to(a));
		break;
	case END:
		fact(o, "SELECT count(*) = 0 FROM lease WHERE epoch = %llu",
		    (unsigned long long)a->a_epoch);
		break;
	default:
		break;
	}
}

static void
heard_work(struct scene *c, struct actor *a, const struct heard *m)
{
	int step = work_of(a)->w_steps[a->a_step];
	unsigned int res = m->any.ack.result;

	switch (step) {
	case BEGIN:
		if (res != RES_OK) {
			give_up(a);
			return;
		}
		a->a_epoch = m->any.grant.epoch;
		fact(c->c_out, "SELECT epoch >= %llu FROM task",
		    (unsigned long long)a->a_epoch);
		next(a);
		return;
	case GATE:
		heard_gate(c, a, &m->any.gate_answer);
		return;
	case EFFECT:
		heard_effect(c, a, &m->any.effect_answer);
		return;
	case DONE:
		actor_end(a);
		return;
	default:
		break;
	}
	if (res != RES_OK && res != RES_DUPLICATE) {
		c->c_out->o_erred |= step == COMMIT && res == RES_STALE;
		give_up(a);
		return;
	}
	promise(c->c_out, a, step);
	next(a);
}

static void
heard_run(struct scene *c, struct actor *a, const struct heard *m)
{
	unsigned long long run = a->a_run.w_run;
	unsigned int res = m->any.ack.result;

	if (a->a_run.w_kind == KIND_TRANSITION) {
		heard_work(c, a, m);
		return;
	}
	if (a->a_step == 0 && (a->a_run.w_kind == KIND_AGENT ||
	    a->a_run.w_kind == KIND_HOOK)) {
		fact(c->c_out, "SELECT exited_at IS NOT NULL FROM run WHERE "
		    "id = %llu", run);
		next(a);
		return;
	}
	fact(c->c_out, "SELECT status NOT IN ('starting', 'running', "
	    "'exited') FROM run WHERE id = %llu", run);
	if (a->a_run.w_kind == KIND_GATE && a->a_verdict == GATE_ERROR)
		c->c_out->o_erred = 1;
	else if (a->a_run.w_kind == KIND_GATE && res == RES_OK)
		fact(c->c_out, "SELECT count(*) FROM gate_result WHERE run = "
		    "%llu", run);
	actor_end(a);
}

static void
heard_person(struct scene *c, struct actor *a, const struct heard *m)
{
	struct outside *o = c->c_out;

	if (m->any.answer.result == RES_OK) {
		if (strcmp(a->a_verb, "submit") == 0)
			fact(o, "SELECT count(*) FROM task");
		else if (strcmp(a->a_verb, "cancel") == 0)
			fact(o, "SELECT cancel_requested_at IS NOT NULL FROM "
			    "task");
		else if (strcmp(a->a_verb, "lease") == 0)
			fact(o, "SELECT count(*) = 0 FROM lease WHERE run = "
			    "%llu AND NOT released",
			    (unsigned long long)o->o_hangs);
		else if (strcmp(a->a_verb, "retry") == 0)
			fact(o, "SELECT count(*) FROM alert WHERE kind = "
			    "'parked' AND cleared_at IS NOT NULL");
		else
			fact(o, "SELECT count(*) FROM approval WHERE "
			    "commit_id = '%s'", a->a_commit);
	}
	actor_end(a);
}

/* What reaperd does with a list of runs, as far as one of them goes. */
static void
heard_reaperd(struct scene *c, struct actor *a, const struct heard *m)
{
	const struct orch_live *row = &m->any.live;

	if (a->a_step == 1)
		actor_end(a);
	else if (!row->last && row->run == c->c_out->o_hangs) {
		a->a_hook = row->run;
		strlcpy(a->a_dead, row->ident, sizeof(a->a_dead));
	} else if (row->last && a->a_hook != 0)
		next(a);
	else if (row->last)
		actor_end(a);
}

static void
heard_daemon(struct scene *c, struct actor *a, const struct heard *m)
{
	const struct orch_deploy_row *row = &m->any.deploy_row;
	const struct hook *h;

	if (a->a_step == 1) {
		if (m->any.ack.result == RES_OK)
			fact(c->c_out, "SELECT count(*) FROM deploy WHERE "
			    "exit_code = %d", a->a_code);
		actor_end(a);
	} else if (row->last) {
		if (a->a_hook == 0)
			actor_end(a);
		else
			next(a);
	} else if ((h = hook_of(c->c_out, row->run)) != NULL && h->h_ended) {
		a->a_hook = row->run;
		a->a_code = h->h_code;
	} else if (row->hook_state) {
		/* It never began, or nobody will ever know how it ended. */
		c->c_out->o_gone = 1;
		a->a_hook = row->run;
		a->a_code = 255;
	}
}

int
actor_heard(struct scene *c, struct actor *a, const struct heard *m)
{
	switch (m->h.h_type) {
	case ORCH_hello_ok:
		a->a_known = 1;
		a->a_due = 1;
		return (0);
	case ORCH_hello_no:
		actor_end(a);
		return (0);
	case ORCH_run_go:
		take_go(c, a, &m->any.run_go);
		return (0);
	case ORCH_run_stop:
		a->a_stopped = a->a_due = 1;
		return (0);
	case ORCH_deploy_row:
		heard_daemon(c, a, m);
		return (0);
	case ORCH_live:
		heard_reaperd(c, a, m);
		return (0);
	default:
		break;
	}
	if (m->any.ack.result == RES_RETRY) {
		a->a_due = 1;
		return (1);
	}
	if (a->a_sort == SORT_RUN)
		heard_run(c, a, m);
	else if (a->a_sort == SORT_PERSON)
		heard_person(c, a, m);
	else if (a->a_role_of == ROLE_REAPERD)
		heard_reaperd(c, a, m);
	else
		heard_daemon(c, a, m);
	return (0);
}

/* The engine asks its parent for something. */
void
parent_heard(struct scene *c, const struct heard *m)
{
	struct outside *o = c->c_out;
	struct wanted *w;

	if (m->h.h_type == ORCH_kill && who_dies(o, m->any.kill.ident))
		actor_dies(c, m->any.kill.run);
	if (m->h.h_type != ORCH_spawn)
		return;
	if (o->o_nwanted == WANTED || m->any.spawn.key.b_len != 32)
		_exit(WORLD_FAULT);
	w = &o->o_wanted[o->o_nwanted++];
	memset(w, 0, sizeof(*w));
	w->w_run = m->any.spawn.run;
	w->w_kind = m->any.spawn.kind;
	memcpy(w->w_key, m->any.spawn.key.b_data, 32);
	strlcpy(w->w_gate, m->any.spawn.gate, sizeof(w->w_gate));
	strlcpy(w->w_role, m->any.spawn.role, sizeof(w->w_role));
	fact(o, "SELECT count(*) FROM run WHERE id = %llu",
	    (unsigned long long)w->w_run);
}

