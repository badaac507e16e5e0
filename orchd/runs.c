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

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bsd/stdlib.h>
#include <bsd/string.h>

#include "libcommon/log.h"
#include "libcommon/sha256.h"
#include "drain.h"
#include "engine.h"
#include "lease.h"
#include "notice.h"
#include "pass.h"
#include "reap.h"
#include "runs.h"
#include "teller.h"
#include "work.h"

/* A run that nobody has heard of this long after its start never came. */
#define HELLO_LIMIT_MS	15000
#define SWEEP_SOON_MS	20
#define LOST_BASE_MS	200
#define LOST_MAX_MS	30000
#define BUSY_MS		5000	/* an owner in the way is asked about again */

static void
run_fill(struct run *r, sqlite3_stmt *q)
{
	memset(r, 0, sizeof(*r));
	r->r_id = col_int(q, 0);
	r->r_job = col_int(q, 1);
	r->r_task = col_int(q, 2);
	r->r_kind = orch_kind_lookup(col_text(q, 3));
	strlcpy(r->r_role, col_text(q, 4), sizeof(r->r_role));
	strlcpy(r->r_gate, col_text(q, 5), sizeof(r->r_gate));
	strlcpy(r->r_work, col_text(q, 6), sizeof(r->r_work));
	strlcpy(r->r_status, col_text(q, 7), sizeof(r->r_status));
	strlcpy(r->r_key_hash, col_text(q, 8), sizeof(r->r_key_hash));
	strlcpy(r->r_ident, col_text(q, 9), sizeof(r->r_ident));
	r->r_attempt = col_int(q, 10);
	r->r_seq = col_int(q, 11);
	strlcpy(r->r_base, col_text(q, 12), sizeof(r->r_base));
	r->r_started = col_int(q, 13);
	r->r_go_at = col_int(q, 14);
	r->r_exited = sqlite3_column_type(q, 15) != SQLITE_NULL;
	r->r_exited_at = col_int(q, 15);
	r->r_exit_code = col_int(q, 16);
	r->r_reap = col_int(q, 17);
	r->r_reap_at = col_int(q, 18);
}

enum store_res
run_get(int64_t id, struct run *r)
{
	sqlite3_stmt *q = store_bind(eng.e_store, Q_RUN_GET, "i", id);
	enum store_res res;

	if ((res = store_step(eng.e_store, q)) == STORE_OK)
		run_fill(r, q);
	sqlite3_reset(q);
	return (res);
}

int
run_is_live(const struct run *r)
{
	return (strcmp(r->r_status, "starting") == 0 ||
	    strcmp(r->r_status, "running") == 0 ||
	    strcmp(r->r_status, "exited") == 0);
}

/* The value of NAME in a job's "NAME=value NAME=value". */
static void
arg_get(const char *args, const char *name, char *buf, size_t len)
{
	size_t n = strlen(name);
	const char *p = args;

	buf[0] = '\0';
	while (p != NULL && *p != '\0') {
		if (strncmp(p, name, n) == 0 && p[n] == '=') {
			snprintf(buf, len, "%.*s",
			    (int)strcspn(p + n + 1, " "), p + n + 1);
			return;
		}
		if ((p = strchr(p, ' ')) != NULL)
			p++;
	}
}

/* The request to the parent: names of the configuration, never a command. */
static void
ask_parent(int64_t run, const struct job *j, const struct task *t,
    const uint8_t key[32])
{
	char revision[ID_HEX], tree[ID_HEX], previous[ID_HEX];
	struct orch_spawn sp;

	arg_get(j->j_args, "revision", revision, sizeof(revision));
	arg_get(j->j_args, "tree", tree, sizeof(tree));
	arg_get(j->j_args, "previous", previous, sizeof(previous));
	memset(&sp, 0, sizeof(sp));
	sp.run = (uint64_t)run;
	sp.kind = (uint8_t)j->j_kind;
	sp.project = t->t_project;
	sp.role = j->j_role;
	sp.gate = j->j_gate;
	sp.key.b_data = key;
	sp.key.b_len = 32;
	sp.work_item = t->t_key;
	sp.revision = revision;
	sp.tree = tree;
	sp.previous = previous;
	pass_send(0, ORCH_spawn, (uint32_t)run, &sp, -1);
}

int
run_start(const struct job *j, const struct task *t)
{
	uint8_t key[32];
	char hash[65];
	int64_t id;

	if (random_bytes(key, sizeof(key)) == -1)
		return (-1);
	sha256_hex(key, sizeof(key), hash);
	if (store_run(eng.e_store, Q_RUN_ADD, "iissssiissi", j->j_id,
	    j->j_task, orch_kind_name(j->j_kind), j->j_role, j->j_gate,
	    j->j_work, j->j_attempt, j->j_seq, hash,
	    j->j_kind == KIND_AGENT ? t->t_head : j->j_commit,
	    eng_now()) != STORE_OK)
		return (-1);
	id = store_last_id(eng.e_store);
	log_debug("run %lld: %s %s%s%s for %s", (long long)id,
	    orch_kind_name(j->j_kind), j->j_role, j->j_gate, j->j_work,
	    t->t_key);
	ask_parent(id, j, t, key);
	explicit_bzero(key, sizeof(key));
	return (0);
}

void
on_spawned(const struct orch_spawned *s)
{
	struct run r;
	int ok;

	if (teller_is(s->run)) {
		teller_spawned(s);
		return;
	}
	if (pass_enter() == -1)
		return;
	ok = 1;
	if (run_get((int64_t)s->run, &r) == STORE_OK && run_is_live(&r)) {
		if (s->error[0] != '\0')
			ok = run_lost(&r, s->error) != -1;
		else if (r.r_ident[0] == '\0')
			ok = store_run_one(eng.e_store, Q_RUN_IDENT, "ssi",
			    s->ident, "starting", r.r_id) == STORE_OK;
	}
	(void)pass_leave(ok);
}

static int
project_is_gone(const struct run *r)
{
	struct task t;

	return (task_get(r->r_task, &t) == STORE_OK &&
	    eng_project(t.t_project) == NULL);
}

const char *
run_hello(struct peer *p, const struct orch_hello *h)
{
	struct ident said, known;
	struct run r;
	char hash[65];

	if (teller_is(h->run))
		return (teller_hello(p, h));
	if (h->key.b_len != 32 || run_get((int64_t)h->run, &r) != STORE_OK)
		return ("no such run");
	sha256_hex(h->key.b_data, h->key.b_len, hash);
	if (!ct_equal(hash, r.r_key_hash, 64))
		return ("a wrong key");
	if (!run_is_live(&r))
		return ("this run is closed");
	if (r.r_go_at == 0 && project_is_gone(&r))
		return ("its project is not in the configuration any more");
	if ((p->p_role == ROLE_WORKER) != (r.r_kind == KIND_TRANSITION ||
	    r.r_kind == KIND_MONITOR))
		return ("another kind of run");
	if (ident_parse(h->ident, &said) == -1 ||
	    !ident_same(&said, &p->p_ident))
		return ("the identity is not that of the process");
	if (r.r_ident[0] != '\0' && (ident_parse(r.r_ident, &known) == -1 ||
	    !ident_again(&known, &said)))
		return ("another process owns this run");
	/* What the kernel says of it stays; its number it alone knows. */
	memcpy(p->p_ident.id_incarnation, said.id_incarnation,
	    sizeof(said.id_incarnation));
	return (NULL);
}

/*
 * Is the run asked to end as soon as it says HELLO?  The request may have come
 * while it was away.  A worker of a cancelled task hears of it at its next
 * effect, so that one that it has begun ends honestly.
 */
static const char *
stop_wanted(const struct run *r)
{
	struct run agent;
	struct task t;
	struct job j;

	if (r->r_kind == KIND_HOOK)
		return (NULL);
	if (eng.e_quiescing && r->r_kind != KIND_IMPORT)
		return ("orchd is shut down");
	if (r->r_kind == KIND_IMPORT && job_get(r->r_job, &j) == STORE_OK &&
	    run_get(j.j_for_run, &agent) == STORE_OK && !run_is_live(&agent))
		return ("the agent's run is closed");
	if (r->r_kind != KIND_AGENT && r->r_kind != KIND_GATE)
		return (NULL);
	if (task_get(r->r_task, &t) != STORE_OK || t.t_cancel_at == 0)
		return (NULL);
	return ("the task is cancelled");
}

/*
 * A run of which nobody can tell whether it lives counts as alive: an alert
 * says so once, and its end is told when somebody can tell again.
 */
static int
identity_told(const struct run *r, enum ident_verdict verdict,
    const char *why)
{
	char subject[32];
	struct task t;
	int told;

	snprintf(subject, sizeof(subject), "run %lld", (long long)r->r_id);
	told = alert_is_open("identity", subject);
	if (verdict != IDENT_UNKNOWN && told) {
		log_info("%s: it can be told again whether it lives: it is "
		    "%s", subject, ident_verdict_name(verdict));
		return (alert_clear("identity", subject) == STORE_OK ? 0 :
		    -1);
	}
	if (verdict != IDENT_UNKNOWN || told)
		return (0);
	if (task_get(r->r_task, &t) != STORE_OK)
		return (-1);
	return (alert_raise("identity", subject, "%s: cannot tell whether "
	    "run %lld (%s%s%s%s) lives: %s. It counts as alive%s%s",
	    t.t_key, (long long)r->r_id, orch_kind_name(r->r_kind),
	    r->r_role, r->r_gate, r->r_work, why,
	    r->r_kind != KIND_TRANSITION ? "" : " and keeps its lease; when "
	    "you know that it is gone, or must go: orchctl lease release -f ",
	    r->r_kind != KIND_TRANSITION ? "" : t.t_key) == STORE_OK ? 0 :
	    -1);
}

/* GO, or at once the request to end; -1: neither is on record. */
static int
run_greet(struct peer *p, struct run *r)
{
	char text[IDENT_TEXT_MAX];
	const char *stop = stop_wanted(r);

	if (ident_format(&p->p_ident, text, sizeof(text)) == -1 ||
	    store_run_one(eng.e_store, Q_RUN_IDENT, "ssi", text,
	    strcmp(r->r_status, "starting") == 0 ? "running" : r->r_status,
	    r->r_id) != STORE_OK)
		return (-1);
	if (identity_told(r, IDENT_ALIVE, "") == -1)
		return (-1);
	if (stop != NULL)
		(void)peer_stop_run((uint64_t)r->r_id, stop);
	/* What never began need not begin now. */
	return (stop != NULL && r->r_go_at == 0 ? 0 : run_send_go(p, r));
}

void
run_connected(struct peer *p)
{
	uint32_t peer = p->p_id;
	struct run r;
	int ok;

	if (teller_is(p->p_run)) {
		teller_connected(p);
		return;
	}
	if (pass_enter() == -1) {
		peer_drop(peer, "nothing can be stored now");
		return;
	}
	pass_asked_by(peer, ORCH_hello, 0);
	ok = run_get((int64_t)p->p_run, &r) == STORE_OK &&
	    run_greet(p, &r) == 0;
	/* Without GO it waits for ever: it shall say HELLO again. */
	if (pass_leave(ok) == 0 && !ok)
		peer_drop(peer, "GO failed");
}

static void
sweep_cb(int fd, short what, void *arg)
{
	int ok;

	if (pass_enter() == -1)
		return;
	ok = runs_sweep() != -1;
	(void)pass_leave(ok);
}

void
run_disconnected(uint64_t run)
{
	struct timeval soon = { 0, SWEEP_SOON_MS * 1000 };

	bundle_drop((int64_t)run);
	(void)event_base_once(eng.e_base, -1, EV_TIMEOUT, sweep_cb, NULL,
	    &soon);
}

enum store_res
run_end(const struct run *r, const char *reason)
{
	return (store_run_one(eng.e_store, Q_RUN_END, "sisi", "done",
	    eng_now(), reason, r->r_id));
}

/* What a dead run leaves on disk goes by a run of kind clean. */
static int
clean_after(const struct run *r)
{
	struct job_spec js = { .js_kind = KIND_CLEAN };
	struct task t;
	char args[64];

	if (r->r_kind != KIND_AGENT && r->r_kind != KIND_GATE)
		return (0);
	if (task_get(r->r_task, &t) != STORE_OK)
		return (-1);
	snprintf(args, sizeof(args), "dir=%lld", (long long)r->r_id);
	js.js_task = &t;
	js.js_args = args;
	return (job_add(&js, NULL) == STORE_OK ? 0 : -1);
}

void
run_kill(const struct run *r)
{
	struct orch_kill k = { .run = (uint64_t)r->r_id,
	    .ident = r->r_ident, .sig = SIGKILL };

	pass_send(0, ORCH_kill, (uint32_t)r->r_id, &k, -1);
}

/* The worker that asked for it decides what follows. */
static void
gate_lost(const struct job *j, const char *why)
{
	struct orch_gate_answer a = { .result = RES_OK,
	    .verdict = GATE_ERROR, .cause = CAUSE_INFRA, .reason = why };

	gate_tell_worker(j->j_for_run, j->j_gate, j->j_commit, &a);
}

/* Without the agent's run nobody sends the bundle that its import wants. */
static int
import_orphaned(const struct run *agent)
{
	static const char why[] = "the agent's run is closed";
	int64_t id;

	if (agent->r_kind != KIND_AGENT)
		return (0);
	id = store_int(eng.e_store, 0, Q_RUN_OF_IMPORT, "i", agent->r_id);
	if (id != 0)
		(void)peer_stop_run((uint64_t)id, why);
	return (store_run(eng.e_store, Q_IMPORT_CANCEL, "isi", eng_now(), why,
	    agent->r_id) == STORE_OK ? 0 : -1);
}

/* No more tries: whoever waits for it is told, or a person is. */
static int
gave_up(const struct run *r, const struct job *j, const struct task *t,
    const char *why)
{
	char text[1400];
	struct run agent;

	if (job_end(j->j_id, "failed", why) != STORE_OK)
		return (-1);
	switch (r->r_kind) {
	case KIND_IMPORT:
		return (run_get(j->j_for_run, &agent) == STORE_OK ?
		    import_gave_up(&agent, why) : -1);
	case KIND_TRANSITION:
		snprintf(text, sizeof(text), "%s could not be brought to an "
		    "end, %lld times in a row: %.1000s. Look at orchctl log "
		    "%lld and at the machine (memory, disk, limits)",
		    r->r_work, (long long)j->j_transient + 1, why,
		    (long long)r->r_id);
		return (work_gave_up(t, text));
	case KIND_GATE:
		if (j->j_for_run != 0) {
			gate_lost(j, why);
			return (0);
		}
		/* FALLTHROUGH */
	case KIND_AGENT:
		return (task_park(t, "blocked", why) == STORE_OK ? 0 : -1);
	default:
		return (0);
	}
}

/*
 * A transition is tried again with longer and longer pauses: its cause is the
 * machine's.  One that an owner in its way made wait is no failure.
 */
static int
requeue(const struct run *r, const struct job *j, const char *why, int counts)
{
	int64_t n = r->r_kind == KIND_TRANSITION ? 2 * j->j_transient :
	    j->j_transient;

	if (counts)
		return (job_requeue(j, 1, backoff_ms(LOST_BASE_MS, n,
		    LOST_MAX_MS), why) == STORE_OK ? 0 : -1);
	return (store_run_one(eng.e_store, Q_JOB_REQUEUE, "iiisi",
	    eng_now() + BUSY_MS, (int64_t)-1, (int64_t)0, why, j->j_id) ==
	    STORE_OK ? 0 : -1);
}

/* The job of a lost run: once more, or it has failed for good. */
static int
requeue_lost(const struct run *r, const char *why, int counts)
{
	const struct conf_project *cp;
	struct task t;
	struct job j;
	int closed;

	if (job_get(r->r_job, &j) != STORE_OK ||
	    task_get(r->r_task, &t) != STORE_OK)
		return (-1);
	if (strcmp(j.j_status, "running") != 0)
		return (0);
	if ((closed = reap_close(r, &j, &t)) != 0)
		return (closed == 1 ? 0 : -1);
	/* A hook may have acted once it got its GO; without, it never did. */
	if (r->r_kind == KIND_HOOK && r->r_go_at != 0)
		return (job_end(j.j_id, "failed", why) == STORE_OK ? 0 : -1);
	/* An import without its bundle waits for the agent's runner. */
	if (r->r_kind == KIND_IMPORT && bundle_fd(j.j_for_run) == -1)
		return (job_end(j.j_id, "cancelled", why) == STORE_OK ? 0 :
		    -1);
	cp = eng_project(t.t_project);
	if (counts && (cp == NULL || j.j_transient >= conf_int(eng.e_conf,
	    cp, OPT_TRANSIENT_MAX)))
		return (gave_up(r, &j, &t, why));
	return (requeue(r, &j, why, counts));
}

/*
 * Owner dead is not effect dead: until nothing that it started acts nobody
 * follows.  Without transition leases nobody waits for who died outside an
 * effect.
 */
static int
may_still_act(const struct run *r)
{
	const struct conf_project *cp;
	struct ident id;
	struct task t;

	if (r->r_kind != KIND_TRANSITION || r->r_go_at == 0 ||
	    r->r_ident[0] == '\0' || ident_parse(r->r_ident, &id) == -1 ||
	    drained(&id))
		return (0);
	if (task_get(r->r_task, &t) != STORE_OK ||
	    (cp = eng_project(t.t_project)) == NULL)
		return (1);
	return (conf_transition_lease_on(eng.e_conf, cp) ||
	    store_int(eng.e_store, 0, Q_EFFECT_OPEN, "i", t.t_id) > 0);
}

static int
lost(const struct run *r, const char *cause, int released)
{
	char text[400];
	const char *why = reap_cause(r, cause, text, sizeof(text));

	if (may_still_act(r) || (r->r_kind == KIND_TRANSITION && !released &&
	    lease_waits_for_person(r)))
		return (0);
	if (store_run_one(eng.e_store, Q_RUN_END, "sisi", "lost", eng_now(),
	    why, r->r_id) != STORE_OK)
		return (-1);
	log_info("run %lld (%s%s%s%s): lost: %s", (long long)r->r_id,
	    orch_kind_name((unsigned int)r->r_kind), r->r_role, r->r_gate,
	    r->r_work, why);
	bundle_drop(r->r_id);
	gate_forget_worker(r->r_id);
	if (r->r_kind == KIND_TRANSITION && lease_reclaim(r, why) == -1)
		return (-1);
	if (import_orphaned(r) == -1 || requeue_lost(r, why, 1) == -1 ||
	    clean_after(r) == -1 || reap_done(r) == -1 ||
	    task_drive(r->r_task) == -1 || queue_kick() == -1)
		return (-1);
	return (1);
}

int
run_lost(const struct run *r, const char *why)
{
	return (lost(r, why, 0));
}

int
run_lost_released(const struct run *r, const char *why)
{
	return (lost(r, why, 1));
}

/*
 * A request to start that was lost is known by nothing but time, also when
 * engines come and go.  One that lives had nobody to greet before this one.
 */
static int
hello_is_late(const struct run *r)
{
	int64_t since = r->r_started;

	if (r->r_ident[0] != '\0' && since < eng.e_started_at)
		since = eng.e_started_at;
	return (eng_now() - since >= HELLO_LIMIT_MS);
}

/* One live run that is not connected. */
static int
sweep_one(void *arg)
{
	const struct run *r = arg;
	int late = hello_is_late(r);
	enum ident_verdict verdict;
	struct ident id;
	char why[256];

	if (r->r_ident[0] == '\0' || ident_parse(r->r_ident, &id) == -1)
		return (late ? run_lost(r, "it never said HELLO") : 0);
	verdict = ident_check(&id, eng.e_world, why, sizeof(why));
	if (identity_told(r, verdict, why) == -1)
		return (-1);
	switch (verdict) {
	case IDENT_DEAD:
		return (run_lost(r, why));
	case IDENT_UNKNOWN:
		return (0);
	case IDENT_ALIVE:
		break;
	}
	/* Without GO it has not begun, and its HELLO comes too late now. */
	return (late && strcmp(r->r_status, "starting") == 0 ?
	    run_lost(r, "it lives, but never said HELLO") : 0);
}

int
runs_sweep(void)
{
	struct run live[128];
	sqlite3_stmt *q;
	size_t i, n = 0;

	q = store_bind(eng.e_store, Q_RUNS_LIVE, "");
	while (n < 128 && store_step(eng.e_store, q) == STORE_OK) {
		run_fill(&live[n], q);
		if (peer_of_run((uint64_t)live[n].r_id) == NULL)
			n++;
	}
	sqlite3_reset(q);
	/* One run's trouble never stops the others. */
	for (i = 0; i < n && !store_lost(eng.e_store); i++)
		if (pass_try(sweep_one, &live[i]) == -1)
			log_warnx("run %lld: looking at it failed, again "
			    "later", (long long)live[i].r_id);
	return (store_lost(eng.e_store) ? -1 : 0);
}

/* What would be wrong each time that it is asked: not to come again. */
static int
refuse(struct peer *p, uint32_t id, const char *text)
{
	struct orch_ack ack = { RES_REFUSED, text };

	log_warnx("%s (run %llu): refused: %s", orch_role_name(p->p_role),
	    (unsigned long long)p->p_run, text);
	pass_send(p->p_id, ORCH_ack, id, &ack, -1);
	return (0);
}

int
on_run_exit(struct peer *p, uint32_t id, const union orch_any *any, int *fd)
{
	const struct orch_run_exit *m = &any->run_exit;
	struct orch_ack ack = { RES_OK, "" };
	enum store_res res;

	if (m->run != p->p_run)
		return (refuse(p, id, "that is another's run"));
	res = store_run_one(eng.e_store, Q_RUN_EXIT, "iiiii",
	    (int64_t)m->code, (int64_t)m->sig, (int64_t)m->timed_out,
	    eng_now(), (int64_t)m->run);
	if (res == STORE_STALE)
		ack.result = RES_DUPLICATE;
	else if (res != STORE_OK)
		return (-1);
	pass_send(p->p_id, ORCH_ack, id, &ack, -1);
	return (0);
}

int
on_run_session(struct peer *p, uint32_t id, const union orch_any *any,
    int *fd)
{
	struct orch_ack ack = { RES_OK, "" };

	if (store_run(eng.e_store, Q_RUN_SESSION, "si",
	    any->run_session.session, (int64_t)p->p_run) != STORE_OK)
		return (-1);
	pass_send(p->p_id, ORCH_ack, id, &ack, -1);
	return (0);
}

static int
store_usage(const struct run *r, const struct orch_run_done *m)
{
	return (store_run(eng.e_store, Q_RUN_USAGE, "iiisi",
	    (int64_t)m->tokens_in, (int64_t)m->tokens_out,
	    (int64_t)m->cost_micros, m->session, r->r_id) == STORE_OK ? 0 :
	    -1);
}

int
on_run_done(struct peer *p, uint32_t id, const union orch_any *any, int *fd)
{
	const struct orch_run_done *m = &any->run_done;
	struct orch_ack ack = { RES_OK, "" };
	struct run r;
	int ret = -1;

	if (m->run != p->p_run)
		return (refuse(p, id, "that is another's run"));
	if (m->verdict >= GATE_VERDICT_MAX || m->cause >= CAUSE__MAX)
		return (refuse(p, id, "no such verdict or cause"));
	if (teller_is(m->run))
		return (teller_done(p, id, m));
	if (run_get((int64_t)m->run, &r) != STORE_OK)
		return (-1);
	if (!run_is_live(&r)) {
		ack.result = RES_DUPLICATE;
		pass_send(p->p_id, ORCH_ack, id, &ack, -1);
		return (0);
	}
	if (store_usage(&r, m) == -1)
		return (-1);
	switch (r.r_kind) {
	case KIND_AGENT:
		/* One whose work is imported is answered after that. */
		if ((ret = result_agent(p, id, &r, m, fd)) == 1)
			return (0);
		break;
	case KIND_IMPORT:
		ret = result_import(p, &r, m);
		break;
	case KIND_GATE:
		ret = result_gate(p, &r, m);
		break;
	case KIND_MONITOR:
		ret = result_monitor(&r, m);
		break;
	case KIND_CLEAN:
	case KIND_HOOK:
		ret = run_end(&r, m->reason) == STORE_OK && job_end(r.r_job,
		    m->verdict == GATE_PASS ? "done" : "failed",
		    m->reason) == STORE_OK ? task_drive(r.r_task) : -1;
		break;
	case KIND_TRANSITION:
		if (strcmp(r.r_work, "fetch") == 0) {
			ret = work_fetched(&r, m);
			break;
		}
		/* END, COMMIT or ABORT should have closed it. */
		ret = lease_reclaim(&r, m->reason) == -1 || run_end(&r,
		    m->reason) != STORE_OK ? -1 : requeue_lost(&r, m->reason,
		    m->cause != CAUSE_BUSY && !eng.e_quiescing);
		break;
	case KIND_EXEC:
	case KIND_NONE:
	case KIND__MAX:
		break;
	}
	if (ret == -1 || queue_kick() == -1)
		return (-1);
	pass_send(p->p_id, ORCH_ack, id, &ack, -1);
	return (0);
}
