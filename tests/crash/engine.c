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


#include <check.h>

#include <stdio.h>
#include <unistd.h>

/* The fixture's checks without a test runner around them. */
static inline void __attribute__((noreturn))
check_failed(const char *file, int line, const char *expr, ...)
{
	fprintf(stderr, "%s:%d: %s\n", file, line, expr);
	_exit(1);
}
#undef mark_point
#undef _mark_point
#undef _ck_assert_failed
#define _mark_point(file, line)	((void)0)
#define _ck_assert_failed	check_failed

#include "tests/unit/engine_play.h"

#include <sys/wait.h>

#include "tour.h"

/* The engine of a case: the product's modules on the failing disk. */

static struct outside	*out;
static const struct scene *scene;

static int64_t
clock_of_world(void)
{
	return (out->o_ms);
}

void
engine_conf(const char *dir)
{
	strlcpy(fx.dir, dir, sizeof(fx.dir));
	/* The re-test is run and may fail; one rework is enough to park. */
	fx_conf("merge_retest_skip_when_current_enabled no\n"
	    "max_developer_retries 1", "");
}

static void
accept_one(int fd, short what, void *arg)
{
	int sock;

	while ((sock = accept4(fd, NULL, NULL, SOCK_CLOEXEC |
	    SOCK_NONBLOCK)) != -1)
		peer_accept(sock, arg != NULL);
}

static void
hear(int fd, int control)
{
	struct event *ev = event_new(eng.e_base, fd, EV_READ | EV_PERSIST,
	    accept_one, control ? &eng : NULL);

	if (ev == NULL || event_add(ev, NULL) == -1)
		_exit(1);
}

static void __attribute__((noreturn))
faulty(void)
{
	_exit(WORLD_FAULT);
}

/* What the world was told must be so. */
static void
check_facts(void)
{
	unsigned int i;

	for (i = 0; i < out->o_nfacts; i++)
		if (fx_int("%s", out->o_facts[i]) < 1) {
			blame(out, FAULT_LOST, "not so any more: %s",
			    out->o_facts[i]);
			faulty();
		}
}

static void
check_sound(void)
{
	char *text = NULL;
	size_t len = 0;
	FILE *fp = open_memstream(&text, &len);
	int bad;

	bad = store_check(eng.e_store, fp);
	fclose(fp);
	if (bad) {
		blame(out, FAULT_CORRUPT, "%s", text);
		faulty();
	}
	free(text);
}

static const char shown_sql[] = "SELECT stage, stage_seq, parked, "
    "asked_gate, asked_commit, cancel_requested_at IS NOT NULL, (SELECT "
    "count(*) FROM deploy WHERE exit_code IS NULL) FROM task WHERE key = '"
    TASK "'";
static sqlite3_stmt	*shown_q;

/* One look; -1: the allocation that fails was one of ours. */
static int
look(struct shown *s)
{
	int rc;

	if (shown_q == NULL && sqlite3_prepare_v2(store_db(eng.e_store),
	    shown_sql, -1, &shown_q, NULL) != SQLITE_OK)
		return (-1);
	if ((rc = sqlite3_step(shown_q)) == SQLITE_ROW) {
		s->s_there = 1;
		strlcpy(s->s_stage, col_text(shown_q, 0), sizeof(s->s_stage));
		s->s_seq = col_int(shown_q, 1);
		strlcpy(s->s_parked, col_text(shown_q, 2),
		    sizeof(s->s_parked));
		strlcpy(s->s_asked, col_text(shown_q, 3), sizeof(s->s_asked));
		strlcpy(s->s_asked_commit, col_text(shown_q, 4),
		    sizeof(s->s_asked_commit));
		s->s_cancel = (int)col_int(shown_q, 5);
		s->s_deploys = (int)col_int(shown_q, 6);
	}
	sqlite3_reset(shown_q);
	return (rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : -1);
}

/* What was shown stays when it cannot be read now. */
static void
show(void)
{
	if (look(&out->o_shown) == -1)
		(void)look(&out->o_shown);
}

/* Where everything ended, without what an honest repetition changes. */
static const char *const summary_sql[] = {
	/* A branch has its name when its first agent goes. */
	("SELECT key, stage, stage_seq, round, rework, parked, "
	    "CASE head WHEN '' THEN '' ELSE branch END, head, tree, "
	    " published, landed, previous, asked_gate, asked_commit, "
	    "agent_due FROM task"),
	"SELECT seq, from_stage, to_stage FROM transition ORDER BY seq",
	"SELECT name, key, state FROM effect ORDER BY key",
	"SELECT key, revision, exit_code FROM deploy ORDER BY key",
	"SELECT branch, head, state, landed FROM pull ORDER BY number",
	"SELECT gate, decision, commit_id FROM approval ORDER BY id",
	("SELECT DISTINCT round, gate, verdict, commit_id FROM gate_result "
	    "WHERE verdict <> 'error' ORDER BY 1, 2, 3, 4"),
	"SELECT status FROM item",
	"SELECT count(*) FROM lease",
	"SELECT count(*) FROM merge_lease",
	"SELECT key, text FROM outbox WHERE kind = 'comment' ORDER BY key",
};

static void
summarise(void)
{
	char *text = NULL;
	sqlite3_stmt *q;
	size_t len = 0, i;
	FILE *fp = open_memstream(&text, &len);
	int c;

	for (i = 0; i < sizeof(summary_sql) / sizeof(summary_sql[0]); i++) {
		q = NULL;
		if (sqlite3_prepare_v2(store_db(eng.e_store), summary_sql[i],
		    -1, &q, NULL) != SQLITE_OK)
			_exit(1);
		while (sqlite3_step(q) == SQLITE_ROW) {
			for (c = 0; c < sqlite3_column_count(q); c++)
				fprintf(fp, "%s|", col_text(q, c));
			fputc('\n', fp);
		}
		sqlite3_finalize(q);
	}
	for (i = 0; i < out->o_napplied; i++)
		fprintf(fp, "did %s\n", out->o_applied[i].a_key);
	fclose(fp);
	strlcpy(out->o_summary, text, sizeof(out->o_summary));
	free(text);
}

/* Each effect on record was done once, and none was done unrecorded. */
static void
check_effects(void)
{
	unsigned int i;

	for (i = 0; i < out->o_napplied; i++) {
		const struct applied *a = &out->o_applied[i];

		if (a->a_times > 1)
			blame(out, FAULT_REPEATED, "done %u times: %s",
			    a->a_times, a->a_key);
		else if (fx_int("SELECT count(*) FROM effect WHERE key = '%s'"
		    " AND state IN ('done', 'intent')", a->a_key) != 1 &&
		    strcmp(a->a_name, "hook") != 0)
			blame(out, FAULT_LOST, "done, not on record: %s",
			    a->a_key);
	}
	for (i = 0; i < out->o_nhooks; i++)
		if (fx_int("SELECT count(*) FROM deploy d JOIN run r "
		    "ON r.job = d.job WHERE r.id = %lld",
		    (long long)out->o_hooks[i].h_run) != 1)
			blame(out, FAULT_LOST, "a hook ran without a record");
	if (out->o_fault != FAULT_NONE)
		faulty();
}

static void
leave_disk(int64_t at)
{
	tour_point(scene->c_tour, scene->c_dir, at);
}

/* Is this world one that was before? */
static void
compare_database(struct scene *c)
{
	if (c->c_known != NULL && tour_known(c->c_known,
	    tour_database(store_db(eng.e_store)) ^ c->c_end))
		_exit(WORLD_SAME);
}

static void
serve(int orders)
{
	char c;

	while (read(orders, &c, 1) == 1) {
		fx_pump();
		if (c == 'h')
			shim_heal();
		if (c == 't' && engine_look(0) == -1)
			log_warnx("the database takes no writes now");
		if (c != 's')
			fx_pump();
		show();
		out->o_points = shim_points();
		out->o_allocs = shim_allocs();
		if (c == 'q') {
			shim_heal();
			pass_commit();
			check_facts();
			check_effects();
			check_sound();
			summarise();
			sqlite3_finalize(shown_q);
			store_close(eng.e_store);
		}
		if (write(orders, &c, 1) != 1 || c == 'q')
			break;
	}
	_exit(0);
}

void
engine_run(struct scene *c)
{
	static const struct shim_plan none = { SHIM_COUNT, 0, 0 };
	unsigned int n;
	char err[512];

	out = c->c_out;
	scene = c;
	eng.e_conf->cf_state = c->c_dir;
	n = out->o_engines++;
	log_init("engine", 0);
	if (shim_install(n < CRASHES ? &out->o_plan[n] : &none) == -1)
		_exit(1);
	if (c->c_tour != NULL)
		shim_tour(leave_disk);
	snprintf(fx.db, sizeof(fx.db), "%s/orchd.db", c->c_dir);
	eng.e_clock = clock_of_world;
	eng.e_world = who_lives(out);
	if ((eng.e_base = event_base_new()) == NULL ||
	    event_base_priority_init(eng.e_base, 3) == -1)
		_exit(1);
	if ((eng.e_store = store_open(fx.db, err, sizeof(err))) == NULL) {
		log_warnx("database: %s", err);
		/* A disk that answers and a database that does not open. */
		if (n >= CRASHES || out->o_plan[n].p_mode == SHIM_COUNT) {
			blame(out, FAULT_CORRUPT, "%s", err);
			faulty();
		}
		_exit(1);
	}
	out->o_opened = shim_allocs();
	compare_database(c);
	if (n > 0) {
		check_facts();
		check_effects();
		check_sound();
	}
	if (c->c_known != NULL && write(c->c_orders[1], "x", 1) != 1)
		_exit(0);
	if (pass_init() == -1)
		_exit(1);
	manage_open(c->c_parent[1]);
	hear(c->c_listen[0], 0);
	hear(c->c_listen[1], 1);
	/* As the engine does when it recovers. */
	if (engine_look(1) == -1)
		_exit(1);
	serve(c->c_orders[1]);
	_exit(0);
}
