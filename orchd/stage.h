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

#ifndef ORCHD_STAGE_H
#define ORCHD_STAGE_H

/*
 * The rules of the pipeline, pure: facts in, decision out.  Nothing here
 * looks at a clock, a database or a process.
 */

#include <stddef.h>
#include <stdint.h>

#include "libcommon/verdict.h"
#include "proto/roles.h"

enum stage {
	STAGE_CREATED, STAGE_ANALYSIS, STAGE_ARCHITECTURE, STAGE_DEVELOPMENT,
	STAGE_REVIEW, STAGE_TESTING, STAGE_DEPLOY_STAGING, STAGE_DEPLOY,
	STAGE_DONE, STAGE_CANCELLED, STAGE_MAX
};

/* How a gate gets its result. */
enum gate_kind {
	GATE_BY_ENGINE,		/* serial_gate, task_deps */
	GATE_BY_RUN,		/* a runner of kind gate */
	GATE_BY_PERSON,		/* an approval */
	GATE_BY_FORGE,		/* what CI of the forge says */
	GATE_BY_WORKER		/* under the lease of the edge */
};

/* Where a fail sends the task. */
enum gate_back {
	BACK_NONE,
	BACK_ROLE,		/* the stage's own role again */
	BACK_DEVELOPMENT	/* a round back */
};

#define STAGE_GATES_MAX	16

struct gate_rule {
	const char	*gr_name;
	enum gate_kind	 gr_kind;
	enum gate_back	 gr_back;
	int		 gr_optional;
	const char	*gr_reads;	/* the role whose artifacts it judges:
					 * it holds for the code tree and
					 * these; "" for the tree */
};

struct stage_rule {
	const char	*sr_name;
	const char	*sr_role;	/* "" none */
	int		 sr_role_optional;
	int		 sr_commit_due;	/* the role must hand in a commit */
	enum stage	 sr_next;
	struct gate_rule sr_gates[STAGE_GATES_MAX];
};

/* The constant table of R-1. */
extern const struct stage_rule stage_rules[STAGE_MAX];

/* STAGE_MAX for an unknown name. */
enum stage	 stage_lookup(const char *name);
const char	*stage_name(enum stage);
int		 stage_is_terminal(enum stage);

/*
 * The role whose artifacts a gate judges, "" for none.  A gate of the
 * project's own before development judges those of its stage's role.
 */
const char	*stage_gate_reads(enum stage, const char *gate);

/*
 * May a task move from one stage to another at all?  Forward along the table,
 * back to development from a later stage, and to cancelled from any that is
 * not terminal.
 */
int		 stage_edge_allowed(enum stage from, enum stage to);

/* The latest valid result of one gate. */
struct gate_fact {
	const struct gate_rule *gf_rule;
	const char	*gf_name;
	int		 gf_have;
	enum gate_verdict gf_verdict;
	enum orch_cause	 gf_cause;
	unsigned int	 gf_errors;	/* in a row, in this stage */
	int		 gf_due;	/* error, wait: may be tried again */
	unsigned int	 gf_age_s;	/* a wait's, since the first answer */
	enum orch_ci	 gf_ci;		/* GATE_BY_FORGE without a result */
	char		 gf_reason[512];
};

enum deploy_fact {
	DEPLOY_NONE, DEPLOY_LANE_BUSY, DEPLOY_FROZEN, DEPLOY_STARTED,
	DEPLOY_DOUBT,	/* started, and nobody can tell who the hook is */
	DEPLOY_ENDED
};

/* Of a task that is done: what is left of its rollback. */
enum rollback_fact {
	ROLLBACK_NONE, ROLLBACK_DUE, ROLLBACK_STARTED, ROLLBACK_DOUBT,
	ROLLBACK_ENDED	/* and not yet in the records branch */
};

struct facts {
	enum stage	 f_stage;
	unsigned int	 f_rework;
	unsigned int	 f_rework_max;
	unsigned int	 f_errors_max;
	unsigned int	 f_silent_s;	/* a wait that long is alerted */
	int		 f_parked;
	int		 f_cancel;		/* requested */
	int		 f_branch_known;	/* cancel has effects to do */
	const char	*f_active;		/* what runs or is queued, "" */
	int		 f_serial_full;
	const char	*f_dep_wait;		/* "" or the task it needs */
	int		 f_dep_cancelled;
	int		 f_role_configured;
	int		 f_agent_due;
	int		 f_fetch_due;		/* before the agent starts */
	int		 f_head_known;
	int		 f_published;		/* head is in the forge */
	char		 f_withdrawn[256];	/* whose approval, or "" */
	const char	*f_unjudged;		/* a gate of review that does
						 * not hold for head, or NULL */
	struct gate_fact f_gates[STAGE_GATES_MAX];
	size_t		 f_ngates;
	int		 f_work_due;		/* back-off is over */
	char		 f_work_why[300];	/* of the last worker, or "" */
	int		 f_confirm_needed;
	int		 f_confirmed;		/* for the landed commit */
	int		 f_confirm_refused;
	enum deploy_fact f_deploy;
	int		 f_deploy_code;		/* DEPLOY_ENDED */
	const char	*f_deploy_why;		/* ..._FROZEN, ..._DOUBT */
	enum rollback_fact f_rollback;
};

enum act {
	ACT_WAIT,	/* d_waits, d_reason */
	ACT_MOVE,	/* to d_to */
	ACT_AGENT,	/* queue the stage's role */
	ACT_RERUN,	/* a fail: the role again, rework + 1, with feedback */
	ACT_GATE,	/* queue d_gate */
	ACT_ASK,	/* a person: d_gate */
	ACT_WORK,	/* queue a transition: d_work */
	ACT_PARK	/* d_park, d_reason */
};

struct decision {
	enum act	 d_act;
	enum stage	 d_to;
	int		 d_backward;	/* a round back */
	int		 d_by_person;	/* resets rework */
	const char	*d_gate;
	const char	*d_work;
	const char	*d_park;	/* needs_input, blocked */
	const char	*d_waits;	/* R-89's split */
	const char	*d_alert;	/* what it waits for is overdue; NULL */
	char		 d_reason[1024];
};

/* What to do next about a task.  Total: every combination of facts answers. */
void		 stage_decide(const struct facts *, struct decision *);

#endif
