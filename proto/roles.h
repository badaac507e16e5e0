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

#ifndef PROTO_ROLES_H
#define PROTO_ROLES_H

#include <stdint.h>

/* Who speaks.  The order is the wire value: never renumber. */
enum orch_role {
	ROLE_NONE, ROLE_PARENT, ROLE_ENGINE, ROLE_WEBHOOK, ROLE_PAGE,
	ROLE_RECONCILED, ROLE_FINALIZERD, ROLE_REAPERD, ROLE_RUNNER,
	ROLE_WORKER, ROLE_CTL, ROLE__MAX
};

#define FROM_PARENT	(1U << ROLE_PARENT)
#define FROM_ENGINE	(1U << ROLE_ENGINE)
#define FROM_WEBHOOK	(1U << ROLE_WEBHOOK)
#define FROM_PAGE	(1U << ROLE_PAGE)
#define FROM_RECONCILED	(1U << ROLE_RECONCILED)
#define FROM_FINALIZERD	(1U << ROLE_FINALIZERD)
#define FROM_REAPERD	(1U << ROLE_REAPERD)
#define FROM_RUNNER	(1U << ROLE_RUNNER)
#define FROM_WORKER	(1U << ROLE_WORKER)
#define FROM_CTL	(1U << ROLE_CTL)
#define FROM_DAEMONS	(FROM_WEBHOOK | FROM_PAGE | FROM_RECONCILED | \
			    FROM_FINALIZERD | FROM_REAPERD)
#define FROM_RUNS	(FROM_RUNNER | FROM_WORKER)
#define FROM_PEERS	(FROM_DAEMONS | FROM_RUNS | FROM_CTL)
#define FROM_ALL	(FROM_PARENT | FROM_ENGINE | FROM_PEERS)

/* Does a descriptor come along? */
enum orch_fd { FD_NONE, FD_ONE, FD_MAY };

/* What a run is for (the job's kind). */
enum orch_kind {
	KIND_NONE, KIND_AGENT, KIND_GATE, KIND_IMPORT, KIND_CLEAN,
	KIND_TRANSITION, KIND_HOOK, KIND_MONITOR, KIND_EXEC, KIND__MAX
};

/* ack.result, grant.result, ... */
enum orch_result {
	RES_OK,		/* done, accepted, granted */
	RES_STALE,	/* another came first: the stage moved */
	RES_DENIED,	/* somebody else owns it; the text names him */
	RES_FENCED,	/* an older epoch, or no lease */
	RES_REFUSED,	/* not now, not so; the text says why */
	RES_NOTFOUND,
	RES_DUPLICATE,	/* already done or stored */
	RES_RETRY,	/* not stored (disk full, busy): ask again */
	RES__MAX
};

/* Effect classes of R-15, and states of a journal row. */
enum orch_class { CLASS_CAS = 1, CLASS_KEYED, CLASS_PROBE, CLASS_BLIND };
enum orch_effect_state {
	EFFECT_NONE, EFFECT_INTENT, EFFECT_DONE, EFFECT_CONFLICT,
	EFFECT_FAILED
};

/* gate.look: what a worker wants of a gate. */
enum orch_gate_look {
	LOOK_NO,	/* its result; it is evaluated where there is none */
	LOOK_RECORD,	/* only what is on record; else RES_NOTFOUND */
	LOOK_WAIT	/* the end of an evaluation under way; else the same */
};

/* outbox_done.refused: may a message that was not taken be taken later? */
enum orch_outbox_refused {
	OUTBOX_LATER,	/* it may, or nobody can tell */
	OUTBOX_REFUSED,	/* what it says is refused: it is tried a few times */
	OUTBOX_GONE	/* what it is for is there no more */
};

/* Why a result is not a pass (run_done.cause, end.cause; ). */
enum orch_cause {
	CAUSE_NONE, CAUSE_RED, CAUSE_CONFLICT, CAUSE_TIMEOUT, CAUSE_BUSY,
	CAUSE_INFRA, CAUSE_NO_COMMIT, CAUSE_BAD_ARTIFACT, CAUSE_TRANSIENT,
	CAUSE_SANDBOX, CAUSE_EXEC, CAUSE_STOPPED, CAUSE_FORBIDDEN_PATH,
	CAUSE_MOVED, CAUSE_QUOTA, CAUSE__MAX
};

enum orch_manage_verb { MANAGE_RELOAD = 1, MANAGE_RESTART, MANAGE_SHUTDOWN };

enum orch_pull_op {
	PULL_OPEN = 1, PULL_FIND, PULL_UPDATE, PULL_MERGED, PULL_CLOSE
};
enum orch_pull_state { PULL_NONE, PULL_IS_OPEN, PULL_IS_MERGED,
	PULL_IS_CLOSED };

/* What a hint is about (look.what). */
enum orch_look_what {
	LOOK_ITEM = 1,		/* an item of the tracker, by its id */
	LOOK_BRANCH,		/* a branch and its pull request */
	LOOK_COMMIT,		/* what CI says of a commit */
	LOOK_ALL		/* everything of the project */
};

/* What a review says (review_seen.approved). */
enum orch_review { REVIEW_CHANGES, REVIEW_APPROVED, REVIEW_DISMISSED };

/* What CI says (ci_seen.state). */
enum orch_ci { CI_NONE, CI_PENDING, CI_GREEN, CI_RED };

/* What a trial of the doctor found (doctor_row.verdict). */
enum orch_finding { FOUND_OK, FOUND_WARN, FOUND_FAIL };

#endif
