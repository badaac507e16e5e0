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
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include "sim.h"

/*
 * People, who act on what they saw some time ago, and webhooks, which come
 * late, twice, and in any order.  What was acknowledged is remembered: it must
 * not get lost.
 */

#define NPEOPLE		16
#define NACKED		512
#define TASKS_MAX	60
#define OPEN_MAX	4
#define RETRIES_FAIR	12

struct person {
	int		 p_used;
	struct conn	*p_conn;
	char		 p_verb[16];
	char		 p_task[65];
	char		 p_gate[65];
	int64_t		 p_seq;
	int		 p_force;
};

struct acked {
	char		 a_verb[16];
	char		 a_task[65];
	char		 a_gate[65];
	int64_t		 a_seq;
};

static struct person people[NPEOPLE];
static struct acked acked[NACKED];
static size_t nacked;
static unsigned int fair_retries;
static struct conn *hook_conn;
static int hook_ready;
static unsigned int delivery;

struct conn *daemon_pair(enum far, enum orch_role, void *);

void
people_reset(void)
{
	memset(people, 0, sizeof(people));
	nacked = 0;
	fair_retries = 0;
	hook_conn = NULL;
	hook_ready = 0;
	delivery = 0;
}

unsigned int
tasks_open(int with_parked)
{
	return ((unsigned int)sql_int("SELECT count(*) FROM task WHERE stage "
	    "NOT IN ('done', 'cancelled')%s", with_parked ? "" :
	    " AND parked = ''"));
}

/* --- saying something -------------------------------------------------- */

static struct person *
person_new(void)
{
	struct person *p;
	size_t i;

	for (i = 0; i < NPEOPLE && people[i].p_used; i++)
		continue;
	if (i == NPEOPLE || !w.parent_up)
		return (NULL);
	p = &people[i];
	memset(p, 0, sizeof(*p));
	p->p_used = 1;
	p->p_conn = conn_new(FAR_PERSON, ROLE_CTL, p);
	return (p);
}

static void
say(struct person *p, const struct orch_action *m)
{
	struct orch_hello hello = { .major = ORCH_PROTO_MAJOR,
	    .minor = ORCH_PROTO_MINOR, .role = ROLE_CTL };

	(void)strlcpy(p->p_verb, m->verb, sizeof(p->p_verb));
	(void)strlcpy(p->p_task, m->task == NULL ? "" : m->task,
	    sizeof(p->p_task));
	p->p_seq = (int64_t)m->seq;
	TRACE("a person: %s %s", p->p_verb, p->p_task);
	(void)conn_say(p->p_conn, ORCH_hello, &hello, -1);
	(void)conn_say(p->p_conn, ORCH_action, m, -1);
}

static void
submit(void)
{
	const char *args[] = { "project=tally", "title=Count words", NULL };
	struct orch_action m = { .verb = "submit", .text = "please",
	    .args = { .l_argv = args } };
	struct person *p = person_new();

	if (p != NULL)
		say(p, &m);
}

static void
release(const char *task, int force)
{
	const char *args[] = { "release", force ? "force" : NULL, NULL };
	struct orch_action m = { .verb = "lease", .task = task,
	    .args = { .l_argv = args } };
	struct person *p = person_new();

	if (p == NULL)
		return;
	p->p_force = force;
	say(p, &m);
}

/* Production was rolled back: a person lets deploys go on. */
static void
resume(void)
{
	const char *args[] = { "lane=deploy", "project=tally", NULL };
	struct orch_action m = { .verb = "resume", .text = "because",
	    .commit = "", .args = { .l_argv = args } };
	struct person *p = person_new();

	if (p != NULL)
		say(p, &m);
}

struct look {
	char	l_task[65];
	char	l_stage[32];
	char	l_asked[65];
	char	l_commit[OID];
	char	l_parked[16];
	int64_t	l_seq;
	int	l_lease;
	int	l_cancel;
};

static void
act_on(const struct look *l, const char *verb)
{
	struct orch_action m = { .verb = verb, .task = l->l_task,
	    .stage = l->l_stage, .seq = (uint64_t)l->l_seq,
	    .commit = l->l_commit, .text = "because" };
	struct person *p = person_new();

	if (p == NULL)
		return;
	(void)strlcpy(p->p_gate, l->l_asked, sizeof(p->p_gate));
	say(p, &m);
}

/* Some open task, as a person sees it. */
static int
look(struct look *l)
{
	sqlite3_stmt *q;
	unsigned int open = tasks_open(1);
	int found;

	if (open == 0 || sqlite3_prepare_v2(store_db(eng.e_store), "SELECT "
	    "t.key, t.stage, t.asked_gate, t.asked_commit, t.parked, "
	    "t.stage_seq, l.run IS NOT NULL, cancel_requested_at IS NOT NULL "
	    "FROM task t LEFT JOIN lease l ON l.task = t.id WHERE t.stage NOT "
	    "IN ('done', 'cancelled') ORDER BY t.id LIMIT 1 OFFSET ?", -1,
	    &q, NULL) != SQLITE_OK)
		return (0);
	sqlite3_bind_int(q, 1, (int)rnd(open));
	if ((found = sqlite3_step(q) == SQLITE_ROW)) {
		(void)strlcpy(l->l_task, col_text(q, 0), sizeof(l->l_task));
		(void)strlcpy(l->l_stage, col_text(q, 1),
		    sizeof(l->l_stage));
		(void)strlcpy(l->l_asked, col_text(q, 2),
		    sizeof(l->l_asked));
		(void)strlcpy(l->l_commit, col_text(q, 3),
		    sizeof(l->l_commit));
		(void)strlcpy(l->l_parked, col_text(q, 4),
		    sizeof(l->l_parked));
		l->l_seq = sqlite3_column_int64(q, 5);
		l->l_lease = sqlite3_column_int(q, 6);
		l->l_cancel = sqlite3_column_int(q, 7);
	}
	sqlite3_finalize(q);
	return (found);
}

void
people_act(void)
{
	struct look l;

	if (engine_busy())
		return;
	if (!w.fair && tasks_open(0) < OPEN_MAX &&
	    sql_int("SELECT count(*) FROM task") < TASKS_MAX && rnd(3) == 0) {
		if (rnd(6) == 0)
			submit();
		else
			early_task();
		return;
	}
	if (rnd(4) == 0 && sql_int("SELECT count(*) FROM quarantine WHERE "
	    "frozen = 1") > 0) {
		resume();
		return;
	}
	if (!look(&l))
		return;
	if (l.l_parked[0] != '\0') {
		/* What does not go on by itself is given up in the end. */
		if (w.fair && fair_retries++ > RETRIES_FAIR &&
		    strcmp(l.l_stage, "deploy") != 0) {
			act_on(&l, "cancel");
			return;
		}
		n.retries++;
		act_on(&l, "retry");
	} else if (chaos(120)) {
		act_on(&l, "cancel");
	} else if (l.l_lease && chaos(600)) {
		release(l.l_task, rnd(2) == 0);
	} else if (l.l_asked[0] != '\0') {
		if (chaos(500)) {
			n.rejected++;
			act_on(&l, "reject");
		} else
			act_on(&l, strcmp(l.l_stage, "deploy") == 0 ?
			    "confirm" : "approve");
	}
}

/* One who happens to act on this task, now. */
void
people_on(const char *task, const char *verb, int force)
{
	struct look l;

	memset(&l, 0, sizeof(l));
	(void)strlcpy(l.l_task, task, sizeof(l.l_task));
	if (strcmp(verb, "release") == 0)
		release(task, force);
	else
		act_on(&l, verb);
}

/* --- hearing ----------------------------------------------------------- */

static void
remember(const struct person *p, const char *task)
{
	struct acked *a;

	if (nacked == NACKED || task[0] == '\0')
		return;
	a = &acked[nacked++];
	(void)strlcpy(a->a_verb, p->p_verb, sizeof(a->a_verb));
	(void)strlcpy(a->a_task, task, sizeof(a->a_task));
	(void)strlcpy(a->a_gate, p->p_gate, sizeof(a->a_gate));
	a->a_seq = p->p_seq;
}

void
person_hears(struct conn *c, const union orch_any *any, unsigned int type)
{
	struct person *p = c->c_arg;
	const struct orch_answer *a = &any->answer;

	if (type != ORCH_answer)
		return;
	TRACE("a person hears: %s: %s", orch_result_name(a->result), a->text);
	if (a->result == RES_OK)
		remember(p, strcmp(p->p_verb, "submit") == 0 ? a->text :
		    p->p_task);
	n.cancels += a->result == RES_OK && strcmp(p->p_verb, "cancel") == 0;
	n.release_denied += a->result == RES_DENIED &&
	    strcmp(p->p_verb, "lease") == 0;
	p->p_used = 0;
	conn_far_close(c);
}

void
person_cut(void *arg)
{
	struct person *p = arg;

	p->p_used = 0;
}

/* --- webhooks ---------------------------------------------------------- */

static void
event(unsigned int k)
{
	char id[32], sum[65];
	struct orch_event m = { .source = "gitea", .delivery = id,
	    .kind = "push", .sha256 = sum,
	    .body = { (const uint8_t *)"{}", 2 } };

	(void)snprintf(id, sizeof(id), "delivery-%u", k);
	(void)snprintf(sum, sizeof(sum), "%064x", k);
	n.events++;
	(void)conn_say(hook_conn, ORCH_event, &m, -1);
}

void
webhook_act(void)
{
	if (w.parent == NULL)
		return;
	if (hook_conn == NULL) {
		hook_ready = 0;
		hook_conn = daemon_pair(FAR_WEBHOOK, ROLE_WEBHOOK, NULL);
		return;
	}
	if (!hook_ready)
		return;
	/* Mostly a new one, or one of before again. */
	event(delivery > 0 && rnd(3) == 0 ? rnd(delivery) : delivery++);
}

void
webhook_hears(const union orch_any *any, unsigned int type)
{
	hook_ready |= type == ORCH_hello_ok;
	n.event_duplicates += type == ORCH_event_answer &&
	    any->event_answer.result == RES_DUPLICATE;
}

void
webhook_cut(void)
{
	hook_conn = NULL;
	hook_ready = 0;
}

/* --- at the end -------------------------------------------------------- */

static void
check_cancel(const struct acked *a)
{
	const char *stage = sql_text("SELECT stage FROM task WHERE key = "
	    "'%s'", a->a_task);

	if (strcmp(stage, "cancelled") == 0)
		return;
	n.cancels_dropped++;
	if (!merged(a->a_task, -1))
		broken("%s: the acknowledged cancel was lost", a->a_task);
}

void
people_check(void)
{
	const struct acked *a;

	for (a = acked; a < acked + nacked; a++) {
		if (sql_int("SELECT count(*) FROM task WHERE key = '%s'",
		    a->a_task) != 1)
			broken("%s: the acknowledged task was lost",
			    a->a_task);
		if (strcmp(a->a_verb, "cancel") == 0)
			check_cancel(a);
		if (strcmp(a->a_verb, "approve") == 0 && sql_int("SELECT "
		    "count(*) FROM approval a JOIN task t ON t.id = a.task "
		    "WHERE t.key = '%s' AND a.stage_seq = %lld AND a.decision "
		    "= 'approved'", a->a_task, (long long)a->a_seq) < 1)
			broken("%s: the acknowledged approval was lost",
			    a->a_task);
	}
}
