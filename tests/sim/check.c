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

#include <sqlite3.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include "sim.h"

/*
 * What must hold.  The world keeps its own books of what has happened in it,
 * merges, hooks and moves, and compares them with what the engine has made of
 * it: at each act, at each commit, and at the end.
 */

#define NTASKS	256
#define NROUNDS	64

static struct book {
	char		b_task[65];
	int64_t		b_merged[NROUNDS];	/* rounds that were */
	size_t		b_nmerged;
	char		b_hooked[NROUNDS][OID];	/* commits that were */
	size_t		b_nhooked;
	struct proc	*b_owner;		/* of the lease */
	uint64_t	b_start, b_run;
	int64_t		b_dead_run;	/* a dead owner, and since when */
	int64_t		b_dead_at;
	unsigned int	b_dead_ticks, b_dead_looks;
} books[NTASKS];
static size_t nbooks;
static int64_t last_move;
static sqlite3_stmt *moves, *stage_of, *open_deploy, *lease_of, *leases;

static struct book *
book_of(const char *task)
{
	size_t i;

	for (i = 0; i < nbooks; i++)
		if (strcmp(books[i].b_task, task) == 0)
			return (&books[i]);
	if (nbooks == NTASKS)
		broken("too many tasks");
	memset(&books[nbooks], 0, sizeof(books[0]));
	(void)strlcpy(books[nbooks].b_task, task, sizeof(books[0].b_task));
	return (&books[nbooks++]);
}

static sqlite3_stmt *
prepare(const char *sql)
{
	sqlite3_stmt *q;

	if (sqlite3_prepare_v3(store_db(eng.e_store), sql, -1,
	    SQLITE_PREPARE_PERSISTENT, &q, NULL) != SQLITE_OK)
		broken("%s: %s", sql, sqlite3_errmsg(store_db(eng.e_store)));
	return (q);
}

void
check_close(void)
{
	sqlite3_finalize(moves);
	sqlite3_finalize(stage_of);
	sqlite3_finalize(open_deploy);
	sqlite3_finalize(lease_of);
	sqlite3_finalize(leases);
	moves = stage_of = open_deploy = lease_of = leases = NULL;
}

void
check_reset(void)
{
	nbooks = 0;
	last_move = 0;
}

static void
check_open(void)
{
	if (moves != NULL)
		return;
	moves = prepare("SELECT h.id, t.key, h.from_stage, h.to_stage, "
	    "h.seq, (SELECT count(*) FROM transition b WHERE b.task = h.task "
	    "AND b.to_stage = 'development' AND b.from_stage <> "
	    "'architecture' AND b.seq < h.seq), h.reason, h.epoch "
	    "FROM transition h JOIN task t ON t.id = h.task WHERE h.id > ? "
	    "ORDER BY h.id");
	stage_of = prepare("SELECT stage, (SELECT count(*) FROM transition b "
	    "WHERE b.task = t.id AND b.to_stage = 'development' AND "
	    "b.from_stage <> 'architecture'), stage_seq FROM task t WHERE "
	    "key = ?");
	open_deploy = prepare("SELECT count(*) FROM deploy d JOIN task t ON "
	    "t.id = d.task WHERE t.key = ?1 AND (d.revision = ?2 OR d.kind = "
	    "?2) AND d.exit_code IS NULL");
	lease_of = prepare("SELECT t.stage, t.stage_seq, l.run, l.epoch, "
	    "l.released FROM task t LEFT JOIN lease l ON l.task = t.id WHERE "
	    "t.key = ?");
	leases = prepare("SELECT t.key, l.run, r.ident FROM lease l JOIN run "
	    "r ON r.id = l.run JOIN task t ON t.id = l.task");
}

/* --- SQL of the world's own -------------------------------------------- */

static sqlite3_stmt * __attribute__((format(printf, 1, 0)))
sql_step(const char *fmt, va_list ap)
{
	char sql[1024];
	sqlite3_stmt *q;

	(void)vsnprintf(sql, sizeof(sql), fmt, ap);
	q = prepare(sql);
	if (sqlite3_step(q) == SQLITE_ROW)
		return (q);
	sqlite3_finalize(q);
	return (NULL);
}

int64_t
sql_int(const char *fmt, ...)
{
	sqlite3_stmt *q;
	int64_t v = -1;
	va_list ap;

	va_start(ap, fmt);
	q = sql_step(fmt, ap);
	va_end(ap);
	if (q != NULL)
		v = sqlite3_column_int64(q, 0);
	sqlite3_finalize(q);
	return (v);
}

const char *
sql_text(const char *fmt, ...)
{
	static char buf[4][1024];
	static unsigned int turn;
	char *text = buf[turn++ % 4];
	sqlite3_stmt *q;
	va_list ap;

	va_start(ap, fmt);
	q = sql_step(fmt, ap);
	va_end(ap);
	text[0] = '\0';
	if (q != NULL)
		(void)strlcpy(text, col_text(q, 0), sizeof(buf[0]));
	sqlite3_finalize(q);
	return (text);
}

/* --- at each act ------------------------------------------------------- */

int
merged(const char *task, int64_t round)
{
	const struct book *b = book_of(task);
	size_t i;

	for (i = 0; i < b->b_nmerged; i++)
		if (round == -1 || b->b_merged[i] == round)
			return (1);
	return (0);
}

/* A child moves the target from old to new. */
void
check_landed(const struct proc *p, const char *old, const char *new)
{
	struct book *b;
	int64_t round;

	if (!repo_has(new, old))
		broken("the target goes from %.12s to %.12s, which does not "
		    "contain it: somebody's push is overwritten", old, new);
	if (p == NULL)
		broken("the child of a process that is gone altogether lands");
	check_open();
	b = book_of(p->p_task);
	sqlite3_bind_text(stage_of, 1, p->p_task, -1, SQLITE_STATIC);
	if (sqlite3_step(stage_of) != SQLITE_ROW)
		broken("%s lands and does not exist", p->p_task);
	round = sqlite3_column_int64(stage_of, 1);
	if (strcmp(col_text(stage_of, 0), "deploy-staging") != 0)
		broken("%s lands %.12s while it is in stage %s", p->p_task,
		    new, col_text(stage_of, 0));
	sqlite3_reset(stage_of);
	if (merged(p->p_task, round))
		broken("%s lands twice in round %lld", p->p_task,
		    (long long)round);
	if (b->b_nmerged == NROUNDS)
		broken("%s: too many rounds", p->p_task);
	b->b_merged[b->b_nmerged++] = round;
	trace_mix(8, (uint64_t)round);
}

/* --- who is inside a transition ---------------------------------------- */

/* A grant leaves the engine: is nobody else inside? */
void
check_granted(struct proc *p)
{
	struct book *b = book_of(p->p_task);
	struct proc *o = b->b_owner;

	if (o != NULL && o != p && o->p_start == b->b_start &&
	    o->p_run == b->b_run && o->p_inside &&
	    (o->p_life == ALIVE || o->p_life == STOPPED || o->p_kids > 0))
		broken("%s: run %llu is granted the lease while run %llu is "
		    "inside%s", p->p_task, (unsigned long long)p->p_run,
		    (unsigned long long)o->p_run, o->p_life == ALIVE ||
		    o->p_life == STOPPED ? "" : " (its child acts)");
	b->b_owner = p;
	b->b_start = p->p_start;
	b->b_run = p->p_run;
	p->p_inside = 1;
}

static int
is_current(const char *stage, uint64_t seq)
{
	return (strcmp(stage, col_text(lease_of, 0)) == 0 &&
	    seq == (uint64_t)sqlite3_column_int64(lease_of, 1));
}

static int
is_owner(const struct proc *p, uint64_t epoch)
{
	return (sqlite3_column_type(lease_of, 2) != SQLITE_NULL &&
	    (uint64_t)sqlite3_column_int64(lease_of, 2) == p->p_run &&
	    (uint64_t)sqlite3_column_int64(lease_of, 3) == epoch &&
	    sqlite3_column_int(lease_of, 4) == 0);
}

/* May this request of a worker succeed, as things are now? */
int
check_may(const struct proc *p, unsigned int type, const union orch_any *any)
{
	int may = 1;

	if (type == ORCH_run_done)
		((struct proc *)(uintptr_t)p)->p_inside = 0;
	if (type < ORCH_begin || type > ORCH_abort || p->p_task[0] == '\0')
		return (1);
	check_open();
	sqlite3_bind_text(lease_of, 1, p->p_task, -1, SQLITE_STATIC);
	if (sqlite3_step(lease_of) != SQLITE_ROW)
		may = 0;
	else if (type == ORCH_begin)
		may = is_current(any->begin.stage, any->begin.seq);
	else {
		/* Each of them begins with its epoch. */
		may = is_owner(p, any->end.epoch) && (type != ORCH_commit ||
		    is_current(any->commit.from, any->commit.seq));
	}
	sqlite3_reset(lease_of);
	if (type == ORCH_end || type == ORCH_abort || type == ORCH_commit)
		((struct proc *)(uintptr_t)p)->p_inside = 0;
	return (may);
}

/* Does somebody dead own this for long, though all could be seen? */
static void
check_owner(const char *task, int64_t run, const char *ident)
{
	struct book *b = book_of(task);
	struct ident id;

	if (ident_parse(ident, &id) == -1 || w.hidden || !w.engine_up ||
	    w.pidns != id.id_pidns || proc_may_act(id.id_pid,
	    id.id_start_time, id.id_boot_id)) {
		b->b_dead_run = 0;
		return;
	}
	if (b->b_dead_run != run) {
		b->b_dead_run = run;
		b->b_dead_at = w.now;
		b->b_dead_ticks = w.ticks;
		b->b_dead_looks = w.looks;
	} else if (w.now - b->b_dead_at > 300000 && w.ticks -
	    b->b_dead_ticks > 40 && w.looks - b->b_dead_looks > 12)
		broken("%s: run %lld is dead and keeps the lease", task,
		    (long long)run);
}

void
check_owned(void)
{
	if (engine_busy())
		return;
	check_open();
	while (sqlite3_step(leases) == SQLITE_ROW)
		check_owner(col_text(leases, 0), sqlite3_column_int64(leases,
		    1), col_text(leases, 2));
	sqlite3_reset(leases);
}

/* A task is done once, and is rolled back at most once. */
static int
is_rollback(const struct proc *p)
{
	return (strcmp(p->p_gate, "rollback") == 0);
}

void
check_hook_start(const struct proc *p, const char *revision)
{
	struct book *b = book_of(p->p_task);
	char commit[OID];
	size_t i;

	(void)strlcpy(commit, is_rollback(p) ? "rollback" : revision, OID);
	n.rollbacks += (uint64_t)is_rollback(p);

	for (i = 0; i < b->b_nhooked; i++)
		if (strcmp(b->b_hooked[i], commit) == 0)
			broken("%s: the hook is started twice for %.12s",
			    p->p_task, commit);
	if (b->b_nhooked == NROUNDS)
		broken("%s: too many deploys", p->p_task);
	(void)strlcpy(b->b_hooked[b->b_nhooked++], commit, OID);
	n.hooks++;
	n.hooks_in_trouble += !w.fair;
}

void
check_hook_act(const struct proc *p)
{
	int64_t open;

	check_open();
	sqlite3_bind_text(open_deploy, 1, p->p_task, -1, SQLITE_STATIC);
	sqlite3_bind_text(open_deploy, 2, is_rollback(p) ? "rollback" :
	    p->p_commit, -1, SQLITE_STATIC);
	(void)sqlite3_step(open_deploy);
	open = sqlite3_column_int64(open_deploy, 0);
	sqlite3_reset(open_deploy);
	if (open != 1)
		broken("%s: the hook acts after its deploy got its verdict",
		    p->p_task);
}

/* --- at each commit ---------------------------------------------------- */

static void
check_move(const char *task, const char *from, const char *to,
    int64_t round)
{
	int was = merged(task, round);

	if (strcmp(to, "done") == 0) {
		n.done++;
		if (!was)
			broken("%s is done and was not merged in round %lld",
			    task, (long long)round);
	} else if (strcmp(to, "cancelled") == 0) {
		n.cancelled++;
		if (was)
			broken("%s is cancelled and was merged", task);
	} else if (strcmp(from, "deploy-staging") == 0) {
		if (strcmp(to, "development") == 0 && was)
			broken("%s goes back to development and was merged "
			    "in that round (%lld)", task, (long long)round);
		if (strcmp(to, "deploy") == 0 && !was)
			broken("%s goes to deploy and was not merged in "
			    "round %lld", task, (long long)round);
	}
	n.back_to_development += strcmp(to, "development") == 0 &&
	    strcmp(from, "architecture") != 0;
}

void
check_commit(void)
{
	check_open();
	sqlite3_bind_int64(moves, 1, last_move);
	while (sqlite3_step(moves) == SQLITE_ROW) {
		last_move = sqlite3_column_int64(moves, 0);
		trace_mix(9, (uint64_t)sqlite3_column_int64(moves, 4) << 32 ^
		    (uint64_t)sqlite3_column_int64(moves, 7));
		check_move(col_text(moves, 1), col_text(moves, 2),
		    col_text(moves, 3), sqlite3_column_int64(moves, 5));
	}
	sqlite3_reset(moves);
}

/* --- now and then, and at the end -------------------------------------- */

void
check_all(void)
{
	char *text = NULL;
	size_t len = 0;
	FILE *fp = open_memstream(&text, &len);
	int bad;

	if (fp == NULL)
		abort();
	bad = store_check(eng.e_store, fp);
	(void)fclose(fp);
	if (bad) {
		text[strcspn(text, "\n")] = '\0';
		broken("%s", text);
	}
	free(text);
}

/* The world has been fair for long. */
void
check_end(void)
{
	const char *who;

	check_all();
	who = sql_text("SELECT key || ' in ' || stage || ': ' || why FROM "
	    "task WHERE stage NOT IN ('done', 'cancelled') AND (parked = '' "
	    "OR parked_reason = '') LIMIT 1");
	if (who[0] != '\0')
		broken("not ended: %s", who);
	if (sql_int("SELECT count(*) FROM lease") != 0 ||
	    sql_int("SELECT count(*) FROM merge_lease") != 0)
		broken("something is owned by nobody: %s", sql_text("SELECT "
		    "t.key || ' run ' || l.run FROM lease l JOIN task t ON "
		    "t.id = l.task"));
	if (sql_int("SELECT count(*) FROM job WHERE status IN ('queued', "
	    "'running')") != 0)
		broken("a job has not ended: %s", sql_text("SELECT kind || "
		    "' ' || work || gate || ' of ' || t.key FROM job j JOIN "
		    "task t ON t.id = j.task WHERE j.status IN ('queued', "
		    "'running')"));
	n.tasks += (uint64_t)sql_int("SELECT count(*) FROM task");
	n.parked += (uint64_t)sql_int("SELECT count(*) FROM task WHERE "
	    "stage NOT IN ('done', 'cancelled')");
#define COUNT(member, name) do {					\
	int64_t v = sql_int("SELECT ifnull((SELECT value FROM counter "	\
	    "WHERE name = '" name "'), 0)");				\
	n.member += (uint64_t)v;					\
} while (0)
	COUNT(reclaimed, "lease_reclaimed");
	COUNT(forced, "lease_forced");
	COUNT(begin_denied, "lease_refused");
	COUNT(reaped, "reaped");
	COUNT(deferred, "finalizer_defers");
	n.ceilings += (uint64_t)sql_int("SELECT count(*) FROM run WHERE reap "
	    "= 3");
}
