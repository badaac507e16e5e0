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

#ifndef TESTS_ENGINE_FIXTURE_H
#define TESTS_ENGINE_FIXTURE_H

/*
 * The engine inside a test: its real modules on a real database, a clock and
 * a process table that the test moves, and the test as parent, runners,
 * workers, daemons and people at the other ends of socketpairs.
 */

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bsd/string.h>

#include "libcommon/chan.h"
#include "libcommon/fsutil.h"
#include "libcommon/ident.h"
#include "libcommon/log.h"
#include "orchd/engine.h"
#include "orchd/manage.h"
#include "orchd/pass.h"
#include "orchd/peer.h"
#include "orchd/queue.h"
#include "orchd/runs.h"
#include "orchd/task.h"

#define FX_WAIT		5000	/* ms for a message that must come */
#define FX_VPID		5000000	/* no real process has such a pid */
#define FX_VPIDS	64

/* What the virtual process table says of FX_VPID + n. */
enum fx_life { FX_GONE, FX_ALIVE, FX_ZOMBIE, FX_HIDDEN };

struct fx_msg {
	struct orch_header	 h;
	union orch_any		 any;
	uint8_t			*frame;
	int			 fd;
};

/* A request to start a run, as the parent gets it. */
struct fx_spawn {
	uint64_t	run;
	enum orch_kind	kind;
	uint8_t		key[32];
	char		gate[65];
	char		role[33];
	char		work[33];
};

/* How runs of one sort end while a test plays them. */
struct fx_script {
	char			 name[65];	/* of a gate or role; "" none */
	int			 times;
	enum gate_verdict	 verdict;
	enum orch_cause		 cause;
};

static struct {
	char			 dir[64];
	char			 db[96];
	int			 parent;
	int			 agent;		/* waits for its import */
	int			 finalizerd;
	int64_t			 ms;
	enum fx_life		 life[FX_VPIDS];
	uint64_t		 start[FX_VPIDS];
	struct ident		 self;
	unsigned int		 ids;		/* made up commit ids */
	struct fx_script	 script;
	const char *const	*artifacts;	/* ROLE=HASH of what comes in */
	char			 tree[ID_HEX];	/* its code tree; "": usual */
	unsigned int		 merges, deploys, agents;
	unsigned int		 played[KIND__MAX];
	/* the world outside, which outlives every process */
	char			 target[ID_HEX];	/* the merged head */
	char			 deployed[4][ID_HEX];
	int			 hook_code;		/* its file; -1 none */
	uint64_t		 hook_run;		/* whose file it is */
	/* a crash of everything at one message, for tests that set at */
	unsigned int		 point, at;
	jmp_buf			 crashed;
	int			 socks[64];
	size_t			 nsocks;
} fx;

static inline void
fx_crash(void);

/* Another moment at which everything may end. */
static inline void
fx_moment(void)
{
	if (++fx.point == fx.at)
		fx_crash();
}

static inline int64_t
fx_clock(void)
{
	return (fx.ms);
}

/* The virtual process table; real pids are the real world's. */
static inline int
fx_w_boot(void *arg, char id[37])
{
	strlcpy(id, fx.self.id_boot_id, 37);
	return (0);
}

static inline int
fx_w_pidns(void *arg, uint64_t *ns)
{
	*ns = fx.self.id_pidns;
	return (0);
}

static inline int
fx_w_open(void *arg, int32_t pid)
{
	if (pid < FX_VPID)
		return (ident_world_real.iw_pidfd_open(
		    ident_world_real.iw_arg, pid));
	if (fx.life[pid - FX_VPID] == FX_HIDDEN) {
		errno = EMFILE;
		return (-1);
	}
	if (fx.life[pid - FX_VPID] == FX_GONE) {
		errno = ESRCH;
		return (-1);
	}
	return (pid);
}

static inline int
fx_w_ino(void *arg, int fd, uint64_t *ino)
{
	if (fd < FX_VPID)
		return (ident_world_real.iw_pidfd_ino(
		    ident_world_real.iw_arg, fd, ino));
	*ino = 0;
	return (0);
}

static inline int
fx_w_start(void *arg, int32_t pid, uint64_t *start)
{
	if (pid < FX_VPID)
		return (ident_world_real.iw_start_time(
		    ident_world_real.iw_arg, pid, start));
	*start = fx.start[pid - FX_VPID];
	return (0);
}

static inline int
fx_w_ended(void *arg, int fd)
{
	if (fd < FX_VPID)
		return (ident_world_real.iw_pidfd_ended(
		    ident_world_real.iw_arg, fd));
	return (fx.life[fd - FX_VPID] == FX_ZOMBIE);
}

static inline void
fx_w_close(void *arg, int fd)
{
	if (fd < FX_VPID)
		ident_world_real.iw_close(ident_world_real.iw_arg, fd);
}

static const struct ident_world fx_world = { NULL, fx_w_boot, fx_w_pidns,
	fx_w_open, fx_w_ino, fx_w_start, fx_w_ended, fx_w_close,
	NULL };

/* The identity of virtual process n, in words. */
static inline void
fx_ident(unsigned int n, char text[IDENT_TEXT_MAX])
{
	struct ident id = fx.self;

	id.id_pid = (int32_t)(FX_VPID + n);
	id.id_start_time = fx.start[n];
	id.id_pidfd_ino = 0;
	memset(id.id_incarnation, 0, sizeof(id.id_incarnation));
	ck_assert_int_eq(ident_format(&id, text, IDENT_TEXT_MAX), 0);
}

/* SQL of the test itself, past the statements of orchd. */
static inline int64_t __attribute__((format(printf, 1, 2)))
fx_int(const char *fmt, ...)
{
	sqlite3_stmt *q = NULL;
	char sql[1024];
	int64_t v = -1;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(sql, sizeof(sql), fmt, ap);
	va_end(ap);
	ck_assert_msg(sqlite3_prepare_v2(store_db(eng.e_store), sql, -1, &q,
	    NULL) == SQLITE_OK, "%s: %s", sql,
	    sqlite3_errmsg(store_db(eng.e_store)));
	if (sqlite3_step(q) == SQLITE_ROW)
		v = sqlite3_column_int64(q, 0);
	sqlite3_finalize(q);
	return (v);
}

/* One of eight buffers in turn. */
static inline const char * __attribute__((format(printf, 1, 2)))
fx_str(const char *fmt, ...)
{
	static char bufs[8][4096];
	static unsigned int turn;
	char *buf = bufs[turn++ % 8], sql[1024];
	sqlite3_stmt *q = NULL;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(sql, sizeof(sql), fmt, ap);
	va_end(ap);
	buf[0] = '\0';
	ck_assert_msg(sqlite3_prepare_v2(store_db(eng.e_store), sql, -1, &q,
	    NULL) == SQLITE_OK, "%s: %s", sql,
	    sqlite3_errmsg(store_db(eng.e_store)));
	if (sqlite3_step(q) == SQLITE_ROW)
		strlcpy(buf, col_text(q, 0), sizeof(bufs[0]));
	sqlite3_finalize(q);
	return (buf);
}

static inline void __attribute__((format(printf, 1, 2)))
fx_sql(const char *fmt, ...)
{
	char sql[1024], *err = NULL;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(sql, sizeof(sql), fmt, ap);
	va_end(ap);
	ck_assert_msg(sqlite3_exec(store_db(eng.e_store), sql, NULL, NULL,
	    &err) == SQLITE_OK, "%s: %s", sql, err);
}

/* Every row of every table, as text; the caller frees it. */
static inline char *
fx_dump(void)
{
	sqlite3_stmt *names = NULL, *q;
	char sql[128], *text = NULL;
	size_t len = 0;
	FILE *fp = open_memstream(&text, &len);
	int i;

	ck_assert_int_eq(sqlite3_prepare_v2(store_db(eng.e_store),
	    "SELECT name FROM sqlite_schema WHERE type = 'table' "
	    "ORDER BY name", -1, &names, NULL), SQLITE_OK);
	while (sqlite3_step(names) == SQLITE_ROW) {
		fprintf(fp, "[%s]\n", col_text(names, 0));
		snprintf(sql, sizeof(sql), "SELECT * FROM %s ORDER BY 1",
		    col_text(names, 0));
		ck_assert_int_eq(sqlite3_prepare_v2(store_db(eng.e_store),
		    sql, -1, &q, NULL), SQLITE_OK);
		while (sqlite3_step(q) == SQLITE_ROW) {
			for (i = 0; i < sqlite3_column_count(q); i++)
				fprintf(fp, "%s|", col_text(q, i));
			fputc('\n', fp);
		}
		sqlite3_finalize(q);
	}
	sqlite3_finalize(names);
	fclose(fp);
	return (text);
}

/* No invariant of behaviour section 4 is broken. */
static inline void
fx_sound(void)
{
	char *text = NULL;
	size_t len = 0;
	FILE *fp = open_memstream(&text, &len);
	int bad = store_check(eng.e_store, fp);

	fclose(fp);
	ck_assert_msg(!bad, "%s", text);
	free(text);
}

/* Let the engine do all that it can do now. */
static inline void
fx_pump(void)
{
	int i;

	for (i = 0; i < 6; i++)
		(void)event_base_loop(eng.e_base, EVLOOP_NONBLOCK);
}

/* What the engine does every second, some milliseconds later. */
static inline void
fx_tick(int64_t ms)
{
	fx.ms += ms;
	ck_assert_int_eq(engine_look(0), 0);
	fx_pump();
}

static inline void
fx_free(struct fx_msg *m)
{
	if (m->fd != -1)
		close(m->fd);
	free(m->frame);
	m->frame = NULL;
	m->fd = -1;
}

/* The next message of the engine; 0 when there is none. */
static inline int
fx_read(int sock, struct fx_msg *m)
{
	struct pollfd pfd = { .fd = sock, .events = POLLIN };

	m->frame = NULL;
	m->fd = -1;
	fx_pump();
	if (poll(&pfd, 1, 0) != 1)
		return (0);
	return (chan_read_one(sock, FROM_ENGINE, &m->h, &m->any, &m->frame,
	    &m->fd, FX_WAIT) == 0);
}

/* Say something; its answer is in *m, which the caller frees. */
static inline void
fx_ask(int sock, unsigned int type, const void *msg, int fd, struct fx_msg *m)
{
	static uint32_t id = 100;

	ck_assert_int_eq(chan_write_one(sock, type, ++id, msg, fd, FX_WAIT),
	    0);
	ck_assert_msg(fx_read(sock, m), "%s is not answered",
	    orch_msg(type)->m_name);
	ck_assert_uint_eq(m->h.h_id, id);
}

/* The same where only the result of the answer counts. */
static inline enum orch_result
fx_result(int sock, unsigned int type, const void *msg)
{
	enum orch_result res;
	struct fx_msg m;

	fx_moment();
	fx_ask(sock, type, msg, -1, &m);
	res = m.any.ack.result;		/* the first field of each answer */
	fx_free(&m);
	/* It was heard, but the one who said it never learns that. */
	fx_moment();
	return (res);
}

static inline int
fx_pair(int sv[2])
{
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
	    sv), 0);
	if (fx.nsocks < sizeof(fx.socks) / sizeof(fx.socks[0]))
		fx.socks[fx.nsocks++] = sv[1];
	return (sv[1]);
}

static inline void
fx_say_hello(int sock, enum orch_role role, uint64_t run,
    const uint8_t *key, struct fx_msg *m)
{
	char text[IDENT_TEXT_MAX];
	struct orch_hello h = { .major = ORCH_PROTO_MAJOR,
	    .minor = ORCH_PROTO_MINOR, .role = (uint8_t)role, .run = run,
	    .key = { key, key == NULL ? 0 : 32 }, .generation = 1 };

	ck_assert_int_eq(ident_format(&fx.self, text, sizeof(text)), 0);
	h.ident = text;
	fx_ask(sock, ORCH_hello, &h, -1, m);
}

/* Connect as one who need not prove a run. */
static inline int
fx_connect(enum orch_role role)
{
	struct fx_msg m;
	int sv[2];

	(void)fx_pair(sv);
	if (role == ROLE_CTL)
		peer_accept(sv[0], 1);
	else
		peer_daemon(sv[0], role, 1);
	fx_say_hello(sv[1], role, 0, NULL, &m);
	ck_assert_uint_eq(m.h.h_type, ORCH_hello_ok);
	fx_free(&m);
	return (sv[1]);
}

/* Connect as a run; *m is what comes after HELLO_OK (none: frame NULL). */
static inline int
fx_connect_run(const struct fx_spawn *s, struct fx_msg *m)
{
	int sv[2];

	(void)fx_pair(sv);
	peer_accept(sv[0], 0);
	fx_say_hello(sv[1], s->kind == KIND_TRANSITION || s->kind ==
	    KIND_MONITOR ? ROLE_WORKER : ROLE_RUNNER, s->run, s->key, m);
	ck_assert_msg(m->h.h_type == ORCH_hello_ok, "run %llu is refused: %s",
	    (unsigned long long)s->run, m->any.hello_no.reason);
	fx_free(m);
	if (fx_read(sv[1], m))
		ck_assert_uint_eq(m->h.h_type, ORCH_run_go);
	return (sv[1]);
}

/* The next request to start something; 0 when there is none. */
static inline int
fx_spawned(struct fx_spawn *s)
{
	struct fx_msg m;

	memset(s, 0, sizeof(*s));
	if (!fx_read(fx.parent, &m))
		return (0);
	ck_assert_uint_eq(m.h.h_type, ORCH_spawn);
	s->run = m.any.spawn.run;
	s->kind = m.any.spawn.kind;
	ck_assert_uint_eq(m.any.spawn.key.b_len, 32);
	memcpy(s->key, m.any.spawn.key.b_data, 32);
	strlcpy(s->gate, m.any.spawn.gate, sizeof(s->gate));
	strlcpy(s->role, m.any.spawn.role, sizeof(s->role));
	fx_free(&m);
	strlcpy(s->work, fx_str("SELECT work FROM run WHERE id = %lld",
	    (long long)s->run), sizeof(s->work));
	return (1);
}

/* The same, of this sort and no other. */
static inline void
fx_expect(struct fx_spawn *s, enum orch_kind kind, const char *what)
{
	ck_assert_msg(fx_spawned(s), "%s %s is not started",
	    orch_kind_name(kind), what);
	ck_assert_msg(s->kind == kind && (strcmp(what, s->gate) == 0 ||
	    strcmp(what, s->role) == 0 || strcmp(what, s->work) == 0),
	    "%s %s%s%s instead of %s %s", orch_kind_name(s->kind), s->role,
	    s->gate, s->work, orch_kind_name(kind), what);
}

#define FX_AGENTS							\
	"agent analyst { command \"sh\" }\n"				\
	"agent architect { command \"sh\" }\n"				\
	"agent developer { command \"sh\" }\n"				\
	"agent reviewer { command \"sh\" }\n"				\
	"agent tester { command \"sh\" }\n"
#define FX_LOCAL "\tforge local from \".\"\n\ttracker local\n"
#ifndef FX_TALLY	/* where the code and the items of tally are */
#define FX_TALLY FX_LOCAL
#endif
#define FX_PROJECT(name, prefix, outside)				\
	"project " name " {\n\tprefix " prefix "\n" outside		\
	"\ttest \"make\"\n\tdeploy hook \"true\"\n"

/* A configuration: global lines, and lines of project tally. */
static inline void
fx_conf(const char *global, const char *project)
{
	char text[4096], *said = NULL;
	size_t len = 0;
	FILE *err = open_memstream(&said, &len);
	struct conf *cf = NULL;
	int fd = memfd_create("conf", MFD_CLOEXEC);

	snprintf(text, sizeof(text), "state \"%s\"\nruntime \"%s/run\"\n"
	    "%s\n" FX_AGENTS FX_PROJECT("tally", "DEMO", FX_TALLY) "%s\n}\n"
	    FX_PROJECT("other", "OTH", FX_LOCAL) "}\n", fx.dir, fx.dir, global,
	    project);
	ck_assert_int_eq(write(fd, text, strlen(text)), (int)strlen(text));
	(void)conf_parse_fd(fd, "t.conf", CONF_QUIET, &cf, err);
	fclose(err);
	close(fd);
	ck_assert_msg(cf != NULL, "%s", said);
	free(said);
	conf_free(eng.e_conf);
	eng.e_conf = cf;
}

static inline void
fx_open_db(void)
{
	char err[512];

	eng.e_store = store_open(fx.db, err, sizeof(err));
	ck_assert_msg(eng.e_store != NULL, "%s", err);
}

static inline void
fx_open(const char *global, const char *project)
{
	unsigned int i;
	int sv[2];

	memset(&fx, 0, sizeof(fx));
	log_init("test", 0);
	fx.agent = fx.finalizerd = fx.hook_code = -1;
	fx.ms = 1700000000000;
	for (i = 0; i < FX_VPIDS; i++)
		fx.start[i] = 1000 + i;
	ck_assert_int_eq(ident_self(&fx.self), 0);
	strlcpy(fx.dir, "/tmp/orchd-engine-XXXXXX", sizeof(fx.dir));
	ck_assert_ptr_nonnull(mkdtemp(fx.dir));
	snprintf(fx.db, sizeof(fx.db), "%s/orchd.db", fx.dir);
	eng.e_clock = fx_clock;
	eng.e_world = &fx_world;
	eng.e_base = event_base_new();
	ck_assert_int_eq(event_base_priority_init(eng.e_base, 3), 0);
	fx_conf(global, project);
	fx_open_db();
	ck_assert_int_eq(pass_init(), 0);
	fx.parent = fx_pair(sv);
	fx.nsocks = 0;
	manage_open(sv[0]);
}

/* As after a crash of the engine: everybody is cut off, the disk stays. */
static inline void
fx_reopen(void)
{
	pass_commit();
	store_close(eng.e_store);
	fx_open_db();
}

/*
 * Every process ends, and what they had in memory; the engine starts again.
 * Goes back to where the test set fx.crashed.
 */
static inline void
fx_crash(void)
{
	char ident[IDENT_TEXT_MAX];
	struct fx_spawn s;
	size_t i;

	for (i = 0; i < fx.nsocks; i++)
		close(fx.socks[i]);
	fx.nsocks = 0;
	fx.agent = fx.finalizerd = -1;
	while (fx_spawned(&s))
		continue;
	fx.life[1] = FX_GONE;
	fx_ident(1, ident);
	fx_sql("UPDATE run SET ident = CASE status WHEN 'starting' THEN '' "
	    "ELSE '%s' END WHERE ended_at IS NULL", ident);
	fx_reopen();
	fx.at = 0;
	longjmp(fx.crashed, 1);
}

static inline void
fx_close(void)
{
	char cmd[64];

	store_close(eng.e_store);
	conf_free(eng.e_conf);
	eng.e_store = NULL;
	eng.e_conf = NULL;
	strlcpy(cmd, fx.dir, sizeof(cmd));
	(void)fs_remove_tree(AT_FDCWD, cmd, NULL, 0);
}

#endif
