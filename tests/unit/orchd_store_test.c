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


/* The database: what it refuses to open, and what its statements may do. */

#include <sys/wait.h>

#include <glob.h>

#include "engine_play.h"

static char path[96];

static const struct {
	const char	*name;
	const char	*sql;
} stmts[Q__MAX] = {
#define STMT(n, text) [Q_##n] = { #n, text },
#include "orchd/statements.def"
#undef STMT
};

static void
setup(void)
{
	fx_open("", "");
	snprintf(path, sizeof(path), "%s/x.db", fx.dir);
}

/* A database with one task in it, closed. */
static void
make(void)
{
	char err[512];
	struct store *st = store_open(path, err, sizeof(err));

	ck_assert_msg(st != NULL, "%s", err);
	ck_assert_int_eq(sqlite3_exec(store_db(st), "INSERT INTO task (key, "
	    "project, title, request, stage, stage_since, created_at) VALUES "
	    "('DEMO-1', 'tally', 't', 'r', 'created', 1, 1)", NULL, NULL,
	    NULL), SQLITE_OK);
	store_close(st);
}

/* It is not opened, these words are said, and the file's bytes stay. */
static void
refused_as(const char *file, const char *words)
{
	char *before = NULL, *after = NULL, err[512] = "";
	size_t blen = 0, alen = 0;
	struct store *st;

	ck_assert_int_eq(fs_read_file(file, 1 << 24, &before, &blen), 0);
	st = store_open(path, err, sizeof(err));
	ck_assert_msg(st == NULL, "it is opened");
	ck_assert_msg(strstr(err, words) != NULL, "not said: %s\nbut: %s",
	    words, err);
	ck_assert_int_eq(fs_read_file(file, 1 << 24, &after, &alen), 0);
	ck_assert_uint_eq(blen, alen);
	ck_assert_mem_eq(before, after, blen);
	free(before);
	free(after);
}

static void
refused(const char *words)
{
	refused_as(path, words);
}

static void
change(const char *sql)
{
	sqlite3 *db;

	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

static void
overwrite(off_t at, const char *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	ck_assert_int_eq(pwrite(fd, bytes, len, at), (int)len);
	close(fd);
}

/* A database as the first version of orchd left it, with one task. */
static void
make_first(void)
{
	char *schema;
	size_t len;

	ck_assert_int_eq(fs_read_file("orchd/schema.sql", 1 << 20, &schema,
	    &len), 0);
	change(schema);
	free(schema);
	change("INSERT INTO task (key, project, title, request, stage, "
	    "stage_since, created_at) VALUES ('DEMO-1', 'tally', 't', 'r', "
	    "'created', 1, 1); PRAGMA application_id = 1869767528; "
	    "PRAGMA user_version = 1");
	ck_assert_int_eq(chmod(path, 0600), 0);
}

/* One number out of a closed database. */
static int64_t
number(const char *file, const char *sql)
{
	sqlite3_stmt *q = NULL;
	sqlite3 *db;
	int64_t v = -1;

	ck_assert_int_eq(sqlite3_open(file, &db), SQLITE_OK);
	ck_assert_msg(sqlite3_prepare_v2(db, sql, -1, &q, NULL) == SQLITE_OK,
	    "%s: %s", sql, sqlite3_errmsg(db));
	if (sqlite3_step(q) == SQLITE_ROW)
		v = sqlite3_column_int64(q, 0);
	sqlite3_finalize(q);
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
	return (v);
}

START_TEST(an_older_version_is_kept_and_brought_up_to_date)
{
	static const char tables[] = "SELECT count(*) FROM sqlite_schema",
	    columns[] = "SELECT count(*) FROM sqlite_schema AS t, "
	    "pragma_table_info(t.name)";
	char old[128], err[512] = "";
	struct store *st;

	make_first();
	/* Half a copy, of a crash. */
	snprintf(old, sizeof(old), "%s.v1", path);
	close(open(old, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	st = store_open(path, err, sizeof(err));
	ck_assert_msg(st != NULL, "%s", err);
	store_close(st);
	ck_assert_int_eq(number(path, "PRAGMA user_version"), STORE_VERSION);
	ck_assert_int_eq(number(path, "SELECT count(*) FROM task"), 1);
	ck_assert_int_eq(number(path, tables), fx_int("%s", tables));
	ck_assert_int_eq(number(path, columns), fx_int("%s", columns));
	ck_assert_int_eq(number(old, "PRAGMA user_version"), 1);
	ck_assert_int_eq(number(old, "SELECT count(*) FROM task"), 1);
	ck_assert_int_eq(number(old, "PRAGMA application_id"), STORE_APP_ID);
}
END_TEST

START_TEST(a_decision_of_an_older_version_gets_its_round_and_code_tree)
{
	char err[512] = "";
	struct store *st;

	make_first();
	change("UPDATE task SET round = 2");
	change("INSERT INTO gate_result (task, round, stage_seq, gate, "
	    "commit_id, tree, verdict, started_at) VALUES (1, 1, 5, "
	    "'check_reviewer_verdict', 'c1', 't1', 'pass', 1), (1, 2, 9, "
	    "'check_reviewer_verdict', 'c2', 't2', 'pass', 1)");
	change("INSERT INTO approval (task, stage_seq, gate, decision, actor, "
	    "commit_id, at) VALUES (1, 5, 'check_review_approved', "
	    "'approved', 'me', 'c1', 1), (1, 12, 'check_deploy_status', "
	    "'approved', 'me', 'm', 1)");
	st = store_open(path, err, sizeof(err));
	ck_assert_msg(st != NULL, "%s", err);
	store_close(st);
	ck_assert_int_eq(number(path, "SELECT count(*) FROM approval WHERE "
	    "round = 1 AND tree = 't1' AND artifacts = ''"), 1);
	ck_assert_int_eq(number(path, "SELECT count(*) FROM approval WHERE "
	    "round = 2 AND tree = ''"), 1);
}
END_TEST

START_TEST(an_older_version_that_cannot_be_kept_stays)
{
	char old[128];

	make_first();
	snprintf(old, sizeof(old), "%s.v1", path);
	ck_assert_int_eq(mkdir(old, 0700), 0);
	refused("nothing was changed");
}
END_TEST

START_TEST(a_check_changes_nothing_whatever_the_version)
{
	char *before, *after, err[512] = "";
	size_t blen, alen;
	struct store *st;

	make_first();
	change("PRAGMA journal_mode = WAL");
	ck_assert_int_eq(fs_read_file(path, 1 << 24, &before, &blen), 0);
	st = store_open_copy(path, err, sizeof(err));
	ck_assert_msg(st != NULL, "%s", err);
	store_close(st);
	ck_assert_int_eq(fs_read_file(path, 1 << 24, &after, &alen), 0);
	ck_assert_uint_eq(blen, alen);
	ck_assert_mem_eq(before, after, blen);
	free(before);
	free(after);
	ck_assert_int_eq(unlink(path), 0);
	close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	ck_assert_ptr_null(store_open_copy(path, err, sizeof(err)));
	ck_assert_ptr_nonnull(strstr(err, "is empty"));
}
END_TEST

START_TEST(a_newer_version_is_refused)
{
	make();
	change("PRAGMA user_version = 99");
	refused("start the newer orchd");
}
END_TEST

START_TEST(a_database_of_something_else_is_refused)
{
	change("CREATE TABLE notes (text TEXT)");
	ck_assert_int_eq(chmod(path, 0600), 0);
	refused("something else than orchd");
}
END_TEST

START_TEST(a_file_that_is_no_database_is_refused)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, "dear diary, this is not a database, it "
	    "is a text of some length that nobody wants to lose\n", 90), 90);
	close(fd);
	refused("nothing was changed");
}
END_TEST

START_TEST(a_symbolic_link_is_refused)
{
	char target[128];

	make();
	snprintf(target, sizeof(target), "%s.real", path);
	ck_assert_int_eq(rename(path, target), 0);
	ck_assert_int_eq(symlink(target, path), 0);
	refused_as(target, "not a regular file");
}
END_TEST

START_TEST(a_file_that_others_may_write_is_refused)
{
	make();
	ck_assert_int_eq(chmod(path, 0620), 0);
	refused("can be written by others");
	ck_assert_int_eq(chmod(path, 0602), 0);
	refused("can be written by others");
}
END_TEST

START_TEST(a_truncated_database_is_refused)
{
	struct stat sb;

	make();
	ck_assert_int_eq(stat(path, &sb), 0);
	ck_assert_int_eq(truncate(path, sb.st_size * (_i + 1) / 4), 0);
	refused("nothing was changed");
}
END_TEST

START_TEST(damaged_pages_are_refused)
{
	char junk[2048];

	make();
	memset(junk, 0xa5, sizeof(junk));
	/* The schema's page, or one of a table. */
	overwrite(_i == 0 ? 100 : 4096 * 3, junk, sizeof(junk));
	refused("nothing was changed");
}
END_TEST

START_TEST(a_second_process_does_not_get_in)
{
	char err[512] = "";
	int status;
	pid_t pid;

	ck_assert_int_ne(pid = fork(), -1);
	if (pid == 0)
		_exit(store_open(fx.db, err, sizeof(err)) == NULL &&
		    strstr(err, "in use by another process") != NULL ? 0 : 1);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(durability_is_full_and_the_file_is_ours_alone)
{
	struct stat sb;

	ck_assert_str_eq(fx_str("PRAGMA journal_mode"), "wal");
	ck_assert_int_eq(fx_int("PRAGMA synchronous"), 2);
	ck_assert_int_eq(fx_int("PRAGMA foreign_keys"), 1);
	ck_assert_str_eq(fx_str("PRAGMA locking_mode"), "exclusive");
	ck_assert_int_eq(stat(fx.db, &sb), 0);
	ck_assert_int_eq(sb.st_mode & 07777, 0600);
}
END_TEST

/* The process ends as by kill -9, with one commit and one open pass. */
static void
die_in_a_pass(void)
{
	char err[512];
	struct store *st = store_open(path, err, sizeof(err));

	if (st == NULL || store_begin(st) != STORE_OK ||
	    store_run(st, Q_SETTING, "ss", "kept", "7") != STORE_OK ||
	    store_commit(st) != STORE_OK || store_begin(st) != STORE_OK ||
	    store_run(st, Q_SETTING, "ss", "lost", "8") != STORE_OK)
		_exit(1);
	_exit(0);
}

START_TEST(what_was_committed_survives_the_process_and_the_rest_does_not)
{
	char err[512];
	struct store *st;
	int status;
	pid_t pid;

	make();
	ck_assert_int_ne(pid = fork(), -1);
	if (pid == 0)
		die_in_a_pass();
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	st = store_open(path, err, sizeof(err));
	ck_assert_msg(st != NULL, "%s", err);
	ck_assert_int_eq(store_int(st, 0, Q_SETTING_GET, "s", "kept"), 7);
	ck_assert_int_eq(store_int(st, 0, Q_SETTING_GET, "s", "lost"), 0);
	store_close(st);
}
END_TEST

START_TEST(a_write_outside_a_transaction_is_refused)
{
	ck_assert_int_eq(store_run(eng.e_store, Q_SETTING, "ss", "a", "1"),
	    STORE_LOST);
	ck_assert_int_eq(store_run_one(eng.e_store, Q_JOB_CLAIM, "ii",
	    (int64_t)1, (int64_t)1), STORE_LOST);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM setting"), 0);
	/* Reading is free. */
	ck_assert_int_eq(store_int(eng.e_store, 5, Q_SETTING_GET, "s", "a"),
	    5);
}
END_TEST

START_TEST(history_is_append_only_and_has_one_move_per_sequence)
{
	char *err = NULL;

	fx_task_in("analysis");
	ck_assert_int_eq(sqlite3_exec(store_db(eng.e_store), "UPDATE "
	    "transition SET reason = 'nicer'", NULL, NULL, &err),
	    SQLITE_CONSTRAINT_TRIGGER);
	ck_assert_str_eq(err, "history is append-only");
	ck_assert_int_eq(sqlite3_exec(store_db(eng.e_store), "DELETE FROM "
	    "transition", NULL, NULL, NULL), SQLITE_CONSTRAINT_TRIGGER);
	ck_assert_int_eq(sqlite3_exec(store_db(eng.e_store), "INSERT INTO "
	    "transition SELECT NULL, task, seq, from_stage, to_stage, actor, "
	    "epoch, reason, at FROM transition", NULL, NULL, NULL),
	    SQLITE_CONSTRAINT_UNIQUE);
	sqlite3_free(err);
}
END_TEST

/* The statement that is prepared writes this, says SQLite. */
static struct {
	int	stage, task_row, history, lost_history;
} writes;

static int
authorize(void *arg, int op, const char *table, const char *column,
    const char *db, const char *trigger)
{
	if (table == NULL)
		return (SQLITE_OK);
	if (op == SQLITE_UPDATE && strcmp(table, "task") == 0 &&
	    (strcmp(column, "stage") == 0 ||
	    strcmp(column, "stage_seq") == 0 || strcmp(column, "round") == 0))
		writes.stage = 1;
	if ((op == SQLITE_INSERT || op == SQLITE_DELETE) &&
	    strcmp(table, "task") == 0)
		writes.task_row = 1;
	if (op == SQLITE_INSERT && strcmp(table, "transition") == 0)
		writes.history = 1;
	if ((op == SQLITE_UPDATE || op == SQLITE_DELETE) &&
	    strcmp(table, "transition") == 0)
		writes.lost_history = 1;
	return (SQLITE_OK);
}

/* How often the sources name a statement. */
static int
uses(const char *name, const char *only)
{
	char *text, *p, word[64];
	size_t len, i, n;
	int found = 0;
	glob_t g;

	n = (size_t)snprintf(word, sizeof(word), "Q_%s", name);
	ck_assert_int_eq(glob("orchd/*.c", 0, NULL, &g), 0);
	for (i = 0; i < g.gl_pathc; i++) {
		if (only != NULL && strcmp(g.gl_pathv[i], only) != 0)
			continue;
		ck_assert_int_eq(fs_read_file(g.gl_pathv[i], 1 << 20, &text,
		    &len), 0);
		for (p = text; (p = strstr(p, word)) != NULL; p += n)
			found += strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ_",
			    p[n]) == NULL;
		free(text);
	}
	globfree(&g);
	return (found);
}

START_TEST(no_other_statement_than_the_commit_paths_writes_a_stage)
{
	sqlite3_stmt *q;
	int i;

	sqlite3_set_authorizer(store_db(eng.e_store), authorize, NULL);
	for (i = 0; i < Q__MAX; i++) {
		memset(&writes, 0, sizeof(writes));
		ck_assert_int_eq(sqlite3_prepare_v2(store_db(eng.e_store),
		    stmts[i].sql, -1, &q, NULL), SQLITE_OK);
		sqlite3_finalize(q);
		ck_assert_msg(writes.stage == (i == Q_TASK_MOVE), "%s",
		    stmts[i].name);
		ck_assert_msg(writes.task_row == (i == Q_TASK_ADD), "%s",
		    stmts[i].name);
		ck_assert_msg(writes.history == (i == Q_TRANSITION_ADD),
		    "%s", stmts[i].name);
		ck_assert_msg(!writes.lost_history, "%s", stmts[i].name);
	}
	sqlite3_set_authorizer(store_db(eng.e_store), NULL, NULL);
	/* And nobody but transition.c runs those two. */
	ck_assert_int_eq(uses("TASK_MOVE", NULL), 1);
	ck_assert_int_eq(uses("TASK_MOVE", "orchd/transition.c"), 1);
	ck_assert_int_eq(uses("TRANSITION_ADD", NULL), 1);
	ck_assert_int_eq(uses("TRANSITION_ADD", "orchd/transition.c"), 1);
}
END_TEST

/* Q_NAME, "format" in a source: its parameters are as many as the letters. */
static int
check_formats(const char *file)
{
	char *text, *p, name[64], fmt[64];
	int i, n, found = 0, params;
	sqlite3_stmt *q;
	size_t len;

	ck_assert_int_eq(fs_read_file(file, 1 << 20, &text, &len), 0);
	for (p = text; (p = strstr(p, "Q_")) != NULL; p++) {
		fmt[0] = '\0';
		n = 0;
		if (sscanf(p, "Q_%63[A-Z0-9_], \"%n", name, &n) != 1 || n == 0)
			continue;
		(void)sscanf(p + n, "%63[a-zA-Z]", fmt);
		for (i = 0; i < Q__MAX; i++)
			if (strcmp(stmts[i].name, name) == 0)
				break;
		ck_assert_msg(i < Q__MAX, "%s: Q_%s", file, name);
		ck_assert_int_eq(sqlite3_prepare_v2(store_db(eng.e_store),
		    stmts[i].sql, -1, &q, NULL), SQLITE_OK);
		params = sqlite3_bind_parameter_count(q);
		sqlite3_finalize(q);
		ck_assert_msg(params == (int)strlen(fmt) &&
		    strspn(fmt, "szinrbI") == strlen(fmt), "%s: Q_%s has %d "
		    "parameters, not \"%s\"", file, name, params, fmt);
		found++;
	}
	free(text);
	return (found);
}

START_TEST(every_statement_is_bound_with_as_many_values_as_it_takes)
{
	int i, found = 0;
	glob_t g;
	size_t n;

	ck_assert_int_eq(glob("orchd/*.c", 0, NULL, &g), 0);
	for (n = 0; n < g.gl_pathc; n++)
		found += check_formats(g.gl_pathv[n]);
	globfree(&g);
	ck_assert_int_gt(found, 150);
	/* What nobody uses is not kept. */
	for (i = 0; i < Q__MAX; i++)
		ck_assert_msg(uses(stmts[i].name, NULL) > 0, "Q_%s is unused",
		    stmts[i].name);
}
END_TEST

int
main(void)
{
	Suite *su = suite_create("store");
	TCase *tc = tcase_create("store");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, fx_close);
	tcase_add_test(tc, an_older_version_is_kept_and_brought_up_to_date);
	tcase_add_test(tc,
	    a_decision_of_an_older_version_gets_its_round_and_code_tree);
	tcase_add_test(tc, an_older_version_that_cannot_be_kept_stays);
	tcase_add_test(tc, a_check_changes_nothing_whatever_the_version);
	tcase_add_test(tc, a_newer_version_is_refused);
	tcase_add_test(tc, a_database_of_something_else_is_refused);
	tcase_add_test(tc, a_file_that_is_no_database_is_refused);
	tcase_add_test(tc, a_symbolic_link_is_refused);
	tcase_add_test(tc, a_file_that_others_may_write_is_refused);
	tcase_add_loop_test(tc, a_truncated_database_is_refused, 0, 3);
	tcase_add_loop_test(tc, damaged_pages_are_refused, 0, 2);
	tcase_add_test(tc, a_second_process_does_not_get_in);
	tcase_add_test(tc, durability_is_full_and_the_file_is_ours_alone);
	tcase_add_test(tc,
	    what_was_committed_survives_the_process_and_the_rest_does_not);
	tcase_add_test(tc, a_write_outside_a_transaction_is_refused);
	tcase_add_test(tc,
	    history_is_append_only_and_has_one_move_per_sequence);
	tcase_add_test(tc,
	    no_other_statement_than_the_commit_paths_writes_a_stage);
	tcase_add_test(tc,
	    every_statement_is_bound_with_as_many_values_as_it_takes);
	suite_add_tcase(su, tc);
	fx_main_exit(su);
}
