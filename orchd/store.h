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

#ifndef ORCHD_STORE_H
#define ORCHD_STORE_H

/*
 * The database: one connection, one thread, FULL durability.  Every statement
 * is a constant of statements.def.  Writes happen only inside a pass (pass.h).
 */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <sqlite3.h>

enum store_res {
	STORE_OK,
	STORE_NONE,	/* no row */
	STORE_STALE,	/* a guarded write changed no row: another was first */
	STORE_EXISTS,	/* a constraint: such a row is there already */
	STORE_LOST,	/* SQLite rolled the whole transaction back */
	STORE_FAIL	/* logged */
};

enum stmt {
#define STMT(name, sql) Q_##name,
#include "statements.def"
#undef STMT
	Q__MAX
};

struct store;

#define STORE_VERSION	2
#define STORE_APP_ID	0x6f726368	/* "orch" */

/*
 * Open (or make) the database at path: refuses a symbolic link, a file of
 * another owner or one that others may write, a newer version, a file that is
 * not orchd's or is damaged.  One of an older version is kept as PATH.vN and
 * brought to STORE_VERSION.  The sentence for people goes to err.  NULL: not
 * opened, and nothing was changed.
 */
struct store *store_open(const char *path, char *err, size_t errlen);

/*
 * A copy in memory of the database at path, of any version up to this one:
 * for a check that changes nothing.
 */
struct store *store_open_copy(const char *path, char *err, size_t errlen);

/* Close; NULL is allowed. */
void	 store_close(struct store *);

/*
 * The prepared statement with its parameters bound by fmt: 's' text (NULL is
 * ''), 'i' int64_t, 'z' text or SQL NULL when empty, 'n' NULL, 'r' double,
 * 'b' const void * and size_t, 'I' const int64_t * or NULL.  Texts must live
 * until the statement was stepped.
 */
sqlite3_stmt *store_bind(struct store *, enum stmt, const char *fmt, ...);

/* Bind and run to the end.  STORE_OK, STORE_EXISTS, STORE_LOST, STORE_FAIL. */
enum store_res store_run(struct store *, enum stmt, const char *fmt, ...);

/* The same for a guarded write: exactly one row must change (STORE_STALE). */
enum store_res store_run_one(struct store *, enum stmt, const char *fmt, ...);

/* Step a bound statement: STORE_OK a row, STORE_NONE the end (it is reset). */
enum store_res store_step(struct store *, sqlite3_stmt *);

/* Bind, step once for one integer; dflt when there is no row. */
int64_t	 store_int(struct store *, int64_t dflt, enum stmt, const char *fmt,
	    ...);

/* A number of the row. */
int64_t	 col_int(sqlite3_stmt *, int col);

/* A text of the row, never NULL; it lives until the next step. */
const char *col_text(sqlite3_stmt *, int col);

/* The row id of the last insert. */
int64_t	 store_last_id(struct store *);

/* BEGIN IMMEDIATE.  This one and the five below are for pass.c only. */
enum store_res store_begin(struct store *);

/* COMMIT; durable when it returns STORE_OK. */
enum store_res store_commit(struct store *);

/* ROLLBACK, unless SQLite has done so by itself. */
void	 store_rollback(struct store *);

/* A savepoint: one request of the pass. */
enum store_res store_savepoint(struct store *);

/* The request counts. */
enum store_res store_release(struct store *);

/* The request is taken back; the savepoint stays open. */
enum store_res store_rollback_to(struct store *);

/* Has SQLite ended the transaction by itself (full disk, I/O error)? */
int	 store_lost(struct store *);

/* A named counter that survives restarts; grows by n. */
void	 store_count(struct store *, const char *name, int64_t n);

/* quick_check and every invariant of invariants.c; problems go to out. */
int	 store_check(struct store *, FILE *out);

/* The connection, for the backup and the checks of this folder only. */
sqlite3	*store_db(struct store *);

#endif
