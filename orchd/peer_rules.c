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

#include "action.h"
#include "admin.h"
#include "daemons.h"
#include "doctor.h"
#include "intake.h"
#include "lease.h"
#include "outbox.h"
#include "peer.h"
#include "query.h"
#include "reap.h"
#include "runs.h"

/*
 * The one table that says which role may send which message to the engine.
 * The catalogue's senders are the outer limit; a message that is not here for
 * its sender's role ends the connection.
 */
const struct peer_rule peer_rules[] = {
	{ ORCH_run_exit,	FROM_RUNS,		on_run_exit },
	{ ORCH_run_done,	FROM_RUNS,		on_run_done },
	{ ORCH_run_session,	FROM_RUNNER,		on_run_session },
	{ ORCH_begin,		FROM_WORKER,		on_begin },
	{ ORCH_gate,		FROM_WORKER,		on_gate },
	{ ORCH_effect,		FROM_WORKER,		on_effect },
	{ ORCH_effect_done,	FROM_WORKER,		on_effect_done },
	{ ORCH_pull,		FROM_WORKER,		on_pull },
	{ ORCH_landed,		FROM_WORKER,		on_landed },
	{ ORCH_hook_start,	FROM_WORKER,		on_hook_start },
	{ ORCH_record,		FROM_WORKER,		on_record },
	{ ORCH_commit,		FROM_WORKER,		on_commit },
	{ ORCH_end,		FROM_WORKER,		on_end },
	{ ORCH_abort,		FROM_WORKER,		on_abort },
	{ ORCH_advance,		FROM_RECONCILED | FROM_REAPERD, on_advance },
	{ ORCH_candidates,	FROM_RECONCILED,	on_candidates },
	{ ORCH_outbox_next,	FROM_RECONCILED | FROM_FINALIZERD,
	    on_outbox_next },
	{ ORCH_outbox_done,	FROM_RECONCILED | FROM_FINALIZERD,
	    on_outbox_done },
	{ ORCH_item,		FROM_RECONCILED,	on_item },
	{ ORCH_live_list,	FROM_REAPERD,		on_live_list },
	{ ORCH_dead,		FROM_REAPERD,		on_dead },
	{ ORCH_notice,		FROM_DAEMONS,		on_notice },
	{ ORCH_deploy_list,	FROM_FINALIZERD,	on_deploy_list },
	{ ORCH_deploy_result,	FROM_FINALIZERD,	on_deploy_result },
	{ ORCH_event,		FROM_WEBHOOK,		on_event },
	{ ORCH_watch_list,	FROM_RECONCILED,	on_watch_list },
	{ ORCH_tracker_item,	FROM_RECONCILED,	on_tracker_item },
	{ ORCH_ci_seen,		FROM_RECONCILED,	on_ci_seen },
	{ ORCH_pull_seen,	FROM_RECONCILED,	on_pull_seen },
	{ ORCH_review_seen,	FROM_RECONCILED,	on_review_seen },
	{ ORCH_reviews_there,	FROM_RECONCILED,	on_reviews_there },
	{ ORCH_doctor_row,	FROM_RECONCILED | FROM_FINALIZERD,
	    on_doctor_row },
	{ ORCH_query,		FROM_CTL | FROM_PAGE | FROM_WEBHOOK,
	    on_query },
	{ ORCH_action,		FROM_CTL,		on_action },
	/* Releases a lease, and refuses anything else. */
	{ ORCH_action,		FROM_PAGE,		on_page_action },
};
const size_t peer_nrules = sizeof(peer_rules) / sizeof(peer_rules[0]);
