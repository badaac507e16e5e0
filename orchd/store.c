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

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libcommon/log.h"
#include "libcommon/mutant.h"
#include "store.h"

#define OPEN_WAIT_MS	5000

struct store {
	sqlite3		*st_db;
	sqlite3_stmt	*st_q[Q__MAX];
};

static const char *const sql[Q__MAX] = {
#define STMT(name, text) [Q_##name] = text,
#include "statements.def"
#undef STMT
};

static const char schema_sql[] =
#include "orchd/schema_sql.h"
;
static const char schema_2_sql[] =
#include "orchd/schema_2_sql.h"
;

/* How a database of each version becomes one of the next. */
static const char *const migrations[STORE_VERSION] = {
	[0] = schema_sql,
	[1] = schema_2_sql,
};

static const char settings_sql[] =
    "PRAGMA journal_mode=WAL;"
    "PRAGMA synchronous=" MUTANT_OR(NO_FULL, "NORMAL", "FULL") ";"
    "PRAGMA foreign_keys=ON;"
    "PRAGMA trusted_schema=OFF;"
    "PRAGMA journal_size_limit=67108864;"
    "PRAGMA wal_autocheckpoint=256;";

sqlite3 *
store_db(struct store *st)
{
	return (st->st_db);
}

static int
exec(struct store *st, const char *text)
{
	return (sqlite3_exec(st->st_db, text, NULL, NULL, NULL));
}

static int
pragma_int(struct store *st, const char *text, int64_t *v)
{
	sqlite3_stmt *q = NULL;
	int rc;

	rc = sqlite3_prepare_v2(st->st_db, text, -1, &q, NULL);
	if (rc == SQLITE_OK && (rc = sqlite3_step(q)) == SQLITE_ROW) {
		*v = sqlite3_column_int64(q, 0);
		rc = SQLITE_OK;
	}
	sqlite3_finalize(q);
	return (rc == SQLITE_OK ? 0 : -1);
}

/* Who may have put this file here?  ENOENT is fine: it is made. */
static int
file_is_safe(const char *path, char *err, size_t errlen)
{
	struct stat sb;

	if (lstat(path, &sb) == -1) {
		if (errno == ENOENT)
			return (0);
		snprintf(err, errlen, "%s: %s", path, strerror(errno));
		return (-1);
	}
	if (!S_ISREG(sb.st_mode))
		snprintf(err, errlen, "%s is not a regular file", path);
	else if (sb.st_uid != geteuid())
		snprintf(err, errlen, "%s belongs to uid %u, not to %u", path,
		    sb.st_uid, geteuid());
	else if (sb.st_mode & (S_IWGRP | S_IWOTH))
		snprintf(err, errlen, "%s can be written by others (mode "
		    "%04o); chmod 600 it", path, sb.st_mode & 07777);
	else if (access(path, R_OK | W_OK) == -1)
		snprintf(err, errlen, "%s (mode %04o): %s; chmod 600 it",
		    path, sb.st_mode & 07777, strerror(errno));
	else
		return (0);
	return (-1);
}

/*
 * A copy of a database of an older version, PATH.vN, as it was.  One that a
 * crash left half written is made again, because the version is still the
 * old one.
 */
static int
keep_old(struct store *st, const char *path, int64_t version, char *err,
    size_t errlen)
{
	char copy[1200], *text;
	int fd = -1, ok;

	if (version == 0 || version == STORE_VERSION)
		return (0);
	snprintf(copy, sizeof(copy), "%s.v%lld", path, (long long)version);
	(void)unlink(copy);
	if ((text = sqlite3_mprintf("VACUUM INTO %Q", copy)) == NULL)
		fatalx("out of memory");
	ok = exec(st, text) == SQLITE_OK &&
	    (fd = open(copy, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)) != -1 &&
	    fchmod(fd, 0600) == 0 && fsync(fd) == 0;
	if (ok)
		log_info("%s: version %lld, kept as %s", path,
		    (long long)version, copy);
	else
		snprintf(err, errlen, "%s: a copy of version %lld cannot be "
		    "kept as %s (%s); nothing was changed", path,
		    (long long)version, copy, sqlite3_errmsg(st->st_db));
	if (fd != -1)
		close(fd);
	sqlite3_free(text);
	return (ok ? 0 : -1);
}

/* One transaction a step, so that a crash leaves a whole version. */
static int
migrate(struct store *st, int64_t from, char *err, size_t errlen)
{
	char set[64];
	int64_t v;

	for (v = from; v < STORE_VERSION; v++) {
		snprintf(set, sizeof(set), "PRAGMA user_version=%d;",
		    (int)v + 1);
		if (exec(st, "BEGIN IMMEDIATE") != SQLITE_OK ||
		    exec(st, migrations[v]) != SQLITE_OK ||
		    exec(st, "PRAGMA application_id=1869767528;") !=
		    SQLITE_OK || exec(st, set) != SQLITE_OK ||
		    exec(st, "COMMIT") != SQLITE_OK) {
			snprintf(err, errlen, "making version %d: %s",
			    (int)v + 1, sqlite3_errmsg(st->st_db));
			(void)exec(st, "ROLLBACK");
			return (-1);
		}
	}
	return (0);
}

static int
check_version(struct store *st, const char *path, int64_t *version,
    char *err, size_t errlen)
{
	int64_t app, tables;

	if (pragma_int(st, "PRAGMA application_id", &app) == -1 ||
	    pragma_int(st, "PRAGMA user_version", version) == -1 ||
	    pragma_int(st, "SELECT count(*) FROM sqlite_schema",
	    &tables) == -1) {
		if ((sqlite3_errcode(st->st_db) & 0xff) == SQLITE_BUSY)
			snprintf(err, errlen, "%s is in use by another "
			    "process; nothing was changed", path);
		else
			snprintf(err, errlen, "%s: %s; nothing was changed "
			    "(restore a backup, see orchd(8))", path,
			    sqlite3_errmsg(st->st_db));
	} else if ((app != 0 || tables != 0) && app != STORE_APP_ID)
		snprintf(err, errlen, "%s is a database of something else "
		    "than orchd; nothing was changed", path);
	else if (*version > STORE_VERSION)
		snprintf(err, errlen, "%s has version %lld, this orchd knows "
		    "up to %d: start the newer orchd; nothing was changed",
		    path, (long long)*version, STORE_VERSION);
	else
		return (0);
	return (-1);
}

/* Statements as the schema allows them: a damaged schema is found here. */
static int
prepare_all(struct store *st, const char *path, char *err, size_t errlen)
{
	int i;

	for (i = 0; i < Q__MAX; i++) {
		if (sqlite3_prepare_v3(st->st_db, sql[i], -1,
		    SQLITE_PREPARE_PERSISTENT, &st->st_q[i], NULL) ==
		    SQLITE_OK)
			continue;
		snprintf(err, errlen, "%s: statement %d: %s", path, i,
		    sqlite3_errmsg(st->st_db));
		return (-1);
	}
	return (0);
}

/* Reads all pages' structure; what is wrong is said before anything else. */
static int
quick_check(struct store *st, const char *path, char *err, size_t errlen)
{
	sqlite3_stmt *q = NULL;
	const char *said = NULL;
	int ok = 0;

	if (sqlite3_prepare_v2(st->st_db, "PRAGMA quick_check(1)", -1, &q,
	    NULL) == SQLITE_OK && sqlite3_step(q) == SQLITE_ROW) {
		said = (const char *)sqlite3_column_text(q, 0);
		ok = said != NULL && strcmp(said, "ok") == 0;
		/* Below the line "*** in database main ***". */
		if (said != NULL && strncmp(said, "***", 3) == 0 &&
		    strchr(said, '\n') != NULL)
			said = strchr(said, '\n') + 1;
	}
	if (!ok)
		snprintf(err, errlen, "%s is damaged (%s); nothing was "
		    "changed (restore a backup, see orchd(8))", path,
		    said != NULL ? said : sqlite3_errmsg(st->st_db));
	sqlite3_finalize(q);
	return (ok ? 0 : -1);
}

static int
configure(struct store *st, const char *path, char *err, size_t errlen)
{
	if (exec(st, settings_sql) != SQLITE_OK) {
		snprintf(err, errlen, "%s: %s; nothing was changed", path,
		    sqlite3_errmsg(st->st_db));
		return (-1);
	}
	sqlite3_limit(st->st_db, SQLITE_LIMIT_LENGTH, 4 << 20);
	sqlite3_limit(st->st_db, SQLITE_LIMIT_ATTACHED, 0);
	return (0);
}

/* A connection without anything yet; NULL: it is said in err. */
static struct store *
connect_to(const char *path, int flags, char *err, size_t errlen)
{
	struct store *st;

	if ((st = calloc(1, sizeof(*st))) == NULL) {
		snprintf(err, errlen, "out of memory");
		return (NULL);
	}
	if (sqlite3_open_v2(path, &st->st_db, flags | SQLITE_OPEN_NOFOLLOW |
	    SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
		snprintf(err, errlen, "%s: %s", path,
		    sqlite3_errmsg(st->st_db));
		store_close(st);
		return (NULL);
	}
	(void)sqlite3_extended_result_codes(st->st_db, 1);
	/* The engine of a parent that was killed may still be closing it. */
	(void)sqlite3_busy_timeout(st->st_db, OPEN_WAIT_MS);
	/* Before the first access: then no -shm, no second process. */
	(void)exec(st, "PRAGMA locking_mode=EXCLUSIVE");
	return (st);
}

struct store *
store_open(const char *path, char *err, size_t errlen)
{
	struct store *st;
	int64_t version = 0;

	if (file_is_safe(path, err, errlen) == -1 ||
	    (st = connect_to(path, SQLITE_OPEN_READWRITE |
	    SQLITE_OPEN_CREATE, err, errlen)) == NULL)
		return (NULL);
	if (check_version(st, path, &version, err, errlen) == -1 ||
	    quick_check(st, path, err, errlen) == -1 ||
	    keep_old(st, path, version, err, errlen) == -1 ||
	    configure(st, path, err, errlen) == -1 ||
	    migrate(st, version, err, errlen) == -1 ||
	    prepare_all(st, path, err, errlen) == -1) {
		store_close(st);
		return (NULL);
	}
	(void)chmod(path, 0600);
	(void)sqlite3_busy_timeout(st->st_db, 0);
	return (st);
}

/* Every page of a file into a store in memory. */
static int
copy_pages(struct store *st, const char *path, char *err, size_t errlen)
{
	struct store *from;
	sqlite3_backup *b;
	int rc = SQLITE_ERROR;

	/* A WAL cannot be read without a right to write; it stays as it is. */
	if ((from = connect_to(path, SQLITE_OPEN_READWRITE, err,
	    errlen)) == NULL)
		return (-1);
	(void)sqlite3_db_config(from->st_db,
	    SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	if ((b = sqlite3_backup_init(st->st_db, "main", from->st_db,
	    "main")) != NULL) {
		rc = sqlite3_backup_step(b, -1);
		(void)sqlite3_backup_finish(b);
	}
	if ((rc & 0xff) == SQLITE_BUSY)
		snprintf(err, errlen, "%s is in use by another process "
		    "(orchctl check asks a running orchd)", path);
	else if (rc != SQLITE_DONE)
		snprintf(err, errlen, "%s: %s", path, sqlite3_errstr(rc));
	store_close(from);
	return (rc == SQLITE_DONE ? 0 : -1);
}

struct store *
store_open_copy(const char *path, char *err, size_t errlen)
{
	struct stat sb;
	struct store *st;
	int64_t version = 0;

	/* A pipe would wait for ever. */
	if (stat(path, &sb) == -1 || !S_ISREG(sb.st_mode) ||
	    access(path, R_OK | W_OK) == -1) {
		snprintf(err, errlen, "%s is not a regular file that may be "
		    "read and written", path);
		return (NULL);
	}
	if ((st = connect_to(":memory:", SQLITE_OPEN_READWRITE, err,
	    errlen)) == NULL)
		return (NULL);
	if (copy_pages(st, path, err, errlen) == -1 ||
	    check_version(st, path, &version, err, errlen) == -1)
		goto fail;
	if (version == 0) {
		snprintf(err, errlen, "%s is empty: no database of orchd",
		    path);
		goto fail;
	}
	if (quick_check(st, path, err, errlen) == -1 ||
	    configure(st, path, err, errlen) == -1 ||
	    migrate(st, version, err, errlen) == -1 ||
	    prepare_all(st, path, err, errlen) == -1)
		goto fail;
	return (st);
fail:
	store_close(st);
	return (NULL);
}

void
store_close(struct store *st)
{
	int i;

	if (st == NULL)
		return;
	for (i = 0; i < Q__MAX; i++)
		sqlite3_finalize(st->st_q[i]);
	if (sqlite3_close(st->st_db) != SQLITE_OK)
		log_warnx("database: %s", sqlite3_errmsg(st->st_db));
	free(st);
}

static void
bind_text(sqlite3_stmt *q, int i, const char *s)
{
	sqlite3_bind_text(q, i, s, -1, SQLITE_STATIC);
}

static sqlite3_stmt *
vbind(struct store *st, enum stmt id, const char *fmt, va_list ap)
{
	sqlite3_stmt *q = st->st_q[id];
	const int64_t *ip;
	const void *p;
	const char *s;
	int i = 1;

	sqlite3_reset(q);
	sqlite3_clear_bindings(q);
	for (; *fmt != '\0'; fmt++, i++) {
		switch (*fmt) {
		case 's':
			s = va_arg(ap, const char *);
			bind_text(q, i, s == NULL ? "" : s);
			break;
		case 'z':
			s = va_arg(ap, const char *);
			if (s != NULL && s[0] != '\0')
				bind_text(q, i, s);
			break;
		case 'i':
			sqlite3_bind_int64(q, i, va_arg(ap, int64_t));
			break;
		case 'I':
			if ((ip = va_arg(ap, const int64_t *)) != NULL)
				sqlite3_bind_int64(q, i, *ip);
			break;
		case 'r':
			sqlite3_bind_double(q, i, va_arg(ap, double));
			break;
		case 'b':
			p = va_arg(ap, const void *);
			sqlite3_bind_blob64(q, i, p == NULL ? "" : p,
			    va_arg(ap, size_t), SQLITE_STATIC);
			break;
		case 'n':
			break;
		default:
			fatalx("statement %d: bad format", id);
		}
	}
	if (i - 1 != sqlite3_bind_parameter_count(q))
		fatalx("statement %d: %d parameters, %d bound", id,
		    sqlite3_bind_parameter_count(q), i - 1);
	return (q);
}

sqlite3_stmt *
store_bind(struct store *st, enum stmt id, const char *fmt, ...)
{
	sqlite3_stmt *q;
	va_list ap;

	va_start(ap, fmt);
	q = vbind(st, id, fmt, ap);
	va_end(ap);
	return (q);
}

/*
 * Outside a transaction a write would count by itself: after SQLite has taken
 * a pass back, the rest of the request that ran must not be stored alone.
 */
static int
is_stray_write(struct store *st, sqlite3_stmt *q)
{
	return (!sqlite3_stmt_readonly(q) && q != st->st_q[Q_BEGIN] &&
	    store_lost(st));
}

enum store_res
store_step(struct store *st, sqlite3_stmt *q)
{
	int rc;

	if (is_stray_write(st, q)) {
		log_warnx("database: write outside a transaction refused: %s",
		    sqlite3_sql(q));
		sqlite3_reset(q);
		return (STORE_LOST);
	}
	rc = sqlite3_step(q);
	if (rc == SQLITE_ROW)
		return (STORE_OK);
	if (rc == SQLITE_DONE) {
		sqlite3_reset(q);
		return (STORE_NONE);
	}
	if ((rc & 0xff) == SQLITE_CONSTRAINT) {
		log_debug("database: %s: %s", sqlite3_sql(q),
		    sqlite3_errmsg(st->st_db));
		sqlite3_reset(q);
		return (STORE_EXISTS);
	}
	/* A full disk is said by who opened the transaction, not each time. */
	if ((rc & 0xff) == SQLITE_FULL)
		log_debug("database: %s: full", sqlite3_sql(q));
	else
		log_warnx("database: %s: %s", sqlite3_sql(q),
		    sqlite3_errmsg(st->st_db));
	sqlite3_reset(q);
	return (store_lost(st) ? STORE_LOST : STORE_FAIL);
}

static enum store_res
run_to_end(struct store *st, sqlite3_stmt *q)
{
	enum store_res res;

	while ((res = store_step(st, q)) == STORE_OK)
		continue;
	return (res == STORE_NONE ? STORE_OK : res);
}

enum store_res
store_run(struct store *st, enum stmt id, const char *fmt, ...)
{
	sqlite3_stmt *q;
	va_list ap;

	va_start(ap, fmt);
	q = vbind(st, id, fmt, ap);
	va_end(ap);
	return (run_to_end(st, q));
}

enum store_res
store_run_one(struct store *st, enum stmt id, const char *fmt, ...)
{
	enum store_res res;
	sqlite3_stmt *q;
	va_list ap;

	va_start(ap, fmt);
	q = vbind(st, id, fmt, ap);
	va_end(ap);
	if ((res = run_to_end(st, q)) != STORE_OK)
		return (res);
	return (sqlite3_changes(st->st_db) == 1 ? STORE_OK : STORE_STALE);
}

int64_t
store_int(struct store *st, int64_t dflt, enum stmt id, const char *fmt, ...)
{
	sqlite3_stmt *q;
	va_list ap;

	va_start(ap, fmt);
	q = vbind(st, id, fmt, ap);
	va_end(ap);
	if (store_step(st, q) == STORE_OK &&
	    sqlite3_column_type(q, 0) != SQLITE_NULL)
		dflt = sqlite3_column_int64(q, 0);
	sqlite3_reset(q);
	return (dflt);
}

int64_t
col_int(sqlite3_stmt *q, int col)
{
	return (sqlite3_column_int64(q, col));
}

const char *
col_text(sqlite3_stmt *q, int col)
{
	const char *s = (const char *)sqlite3_column_text(q, col);

	return (s == NULL ? "" : s);
}

int64_t
store_last_id(struct store *st)
{
	return (sqlite3_last_insert_rowid(st->st_db));
}

enum store_res
store_begin(struct store *st)
{
	return (store_run(st, Q_BEGIN, ""));
}

enum store_res
store_commit(struct store *st)
{
	return (store_run(st, Q_COMMIT, ""));
}

void
store_rollback(struct store *st)
{
	if (!store_lost(st))
		(void)store_run(st, Q_ROLLBACK, "");
}

enum store_res
store_savepoint(struct store *st)
{
	return (store_run(st, Q_SAVEPOINT, ""));
}

enum store_res
store_release(struct store *st)
{
	return (store_run(st, Q_RELEASE, ""));
}

enum store_res
store_rollback_to(struct store *st)
{
	return (store_run(st, Q_ROLLBACK_TO, ""));
}

int
store_lost(struct store *st)
{
	return (sqlite3_get_autocommit(st->st_db) != 0);
}

void
store_count(struct store *st, const char *name, int64_t n)
{
	(void)store_run(st, Q_COUNT, "sii", name, n, n);
}
