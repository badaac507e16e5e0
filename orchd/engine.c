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

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "libcommon/log.h"
#include "libcommon/seccomp.h"
#include "certwatch.h"
#include "doctor.h"
#include "engine.h"
#include "expire.h"
#include "lane.h"
#include "manage.h"
#include "notice.h"
#include "outbox.h"
#include "pass.h"
#include "peer.h"
#include "queue.h"
#include "runs.h"
#include "task.h"
#include "teller.h"
#include "token.h"

#define PARENT_FD	3
#define START_WAIT_MS	30000
#define TICK_MS		1000
#define ACCEPT_BATCH	16
#define TROUBLE_MS	30000	/* until a task in trouble is tried again */
#define OPEN_MAX	65536	/* tasks looked at after a start */

struct engine eng;

static int64_t
wall_clock(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ((int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

int64_t
eng_now(void)
{
	return (eng.e_clock());
}

const struct conf_project *
eng_project(const char *name)
{
	return (conf_project_by_name(eng.e_conf, name));
}

/* What the parent hands over before ENGINE_GO. */
struct start {
	int	s_engine;
	int	s_control;
};

static void
start_conf(int fd)
{
	if (conf_parse_fd(fd, "orchd.conf", CONF_QUIET,
	    &eng.e_conf, stderr) == -1)
		fatalx("the configuration of the parent does not parse");
}

/* One message of the start-up; 1 when it was the last. */
static int
start_message(const struct orch_header *h, const union orch_any *any,
    int *fd, struct start *s)
{
	switch (h->h_type) {
	case ORCH_conf:
		start_conf(*fd);
		token_take(any->conf.read_token, any->conf.admin_token);
		certwatch_take(&any->conf.certificates);
		return (0);
	case ORCH_listen:
		if (strcmp(any->listen.name, "engine.sock") == 0 ||
		    strcmp(any->listen.name, "engine") == 0)
			s->s_engine = *fd;
		else
			s->s_control = *fd;
		*fd = -1;
		return (0);
	case ORCH_engine_go:
		return (1);
	default:
		fatalx("the parent sends %s before engine_go",
		    orch_msg(h->h_type)->m_name);
	}
}

static void
start_read(struct start *s)
{
	struct orch_header h;
	union orch_any any;
	uint8_t *frame;
	int fd, last;

	s->s_engine = s->s_control = -1;
	do {
		if (chan_read_one(PARENT_FD, FROM_PARENT, &h, &any, &frame,
		    &fd, START_WAIT_MS) == -1)
			fatal("descriptor 3: no parent to serve");
		last = start_message(&h, &any, &fd, s);
		if (fd != -1)
			close(fd);
		free(frame);
	} while (!last);
	if (eng.e_conf == NULL || s->s_engine == -1 || s->s_control == -1)
		fatalx("engine_go without configuration or sockets");
}

static void
accept_cb(int fd, short what, void *arg)
{
	int control = arg != NULL, i, sock;

	for (i = 0; i < ACCEPT_BATCH; i++) {
		if ((sock = accept4(fd, NULL, NULL, SOCK_CLOEXEC |
		    SOCK_NONBLOCK)) == -1)
			break;
		peer_accept(sock, control);
	}
}

static void
listen_on(int fd, int control)
{
	struct event *ev;

	(void)evutil_make_socket_nonblocking(fd);
	if ((ev = event_new(eng.e_base, fd, EV_READ | EV_PERSIST, accept_cb,
	    control ? &eng : NULL)) == NULL ||
	    event_priority_set(ev, 1) == -1 || event_add(ev, NULL) == -1)
		fatalx("listen");
}

static int
drive_one(void *arg)
{
	return (task_drive(*(int64_t *)arg));
}

static int
kick(void *arg)
{
	return (queue_kick());
}

static int
sweep(void *arg)
{
	return (runs_sweep() == -1 || lanes_look() == -1 ? -1 : 0);
}

static int
messages(void *arg)
{
	return (daemons_look() == -1 || alerts_look() == -1 ||
	    outbox_look() == -1 || teller_look() == -1 ||
	    certwatch_look() == -1 ? -1 : 0);
}

/* One task's trouble never stops the others: it is looked at later. */
static void
drive_each(int64_t *ids, size_t n)
{
	int64_t later = eng_now() + TROUBLE_MS;
	size_t i;

	for (i = 0; i < n && !store_lost(eng.e_store); i++)
		if (pass_try(drive_one, &ids[i]) == -1 &&
		    !store_lost(eng.e_store)) {
			log_warnx("task row %lld: looking at it failed, "
			    "again in %d s", (long long)ids[i],
			    TROUBLE_MS / 1000);
			(void)store_run(eng.e_store, Q_TASK_LATER, "ii",
			    later, ids[i]);
		}
}

/* Tasks that are due to be looked at again. */
static void
drive_due(void)
{
	int64_t ids[64];
	sqlite3_stmt *q;
	size_t n = 0;

	q = store_bind(eng.e_store, Q_TASKS_DUE, "i", eng_now());
	while (n < 64 && store_step(eng.e_store, q) == STORE_OK)
		ids[n++] = col_int(q, 0);
	sqlite3_reset(q);
	drive_each(ids, n);
}

static void
drive_open(void)
{
	static int64_t ids[OPEN_MAX];
	sqlite3_stmt *q;
	size_t n = 0;

	q = store_bind(eng.e_store, Q_TASKS_OPEN, "");
	while (n < OPEN_MAX && store_step(eng.e_store, q) == STORE_OK)
		ids[n++] = col_int(q, 0);
	sqlite3_reset(q);
	drive_each(ids, n);
}

static int
forget(void *arg)
{
	return (expire());
}

int
engine_look(int all)
{
	if (pass_enter() == -1)
		return (-1);
	if (pass_try(sweep, NULL) == -1)
		log_warnx("looking at the runs failed, again later");
	if (pass_try(messages, NULL) == -1)
		log_warnx("looking at messages failed, again later");
	if (all)
		drive_open();
	else
		drive_due();
	if (pass_try(forget, NULL) == -1)
		log_warnx("forgetting what is old failed, again later");
	if (pass_try(kick, NULL) == -1)
		log_warnx("the queue cannot be served, again later");
	return (pass_leave(1));
}

static void
tick_cb(int fd, short what, void *arg)
{
	peers_tick();
	doctor_tick();
	(void)engine_look(0);
}

static void
start_tick(void)
{
	static struct timeval tv = { TICK_MS / 1000,
	    (TICK_MS % 1000) * 1000 };
	struct event *ev;

	if ((ev = event_new(eng.e_base, -1, EV_PERSIST, tick_cb, NULL)) ==
	    NULL || event_add(ev, &tv) == -1)
		fatalx("timer");
}

/*
 * Recovery: runs whose process is proven dead are closed, their leases
 * taken back when drained; the living ones will say HELLO and are adopted.
 * Then every open task is looked at.
 */
static void
recover(void)
{
	if (engine_look(1) == -1)
		fatalx("the database takes no writes: is the disk full?");
}

static void
ignore_signals(void)
{
	static const int sigs[] = { SIGPIPE, SIGINT, SIGHUP };
	struct sigaction sa = { .sa_handler = SIG_IGN };
	size_t i;

	for (i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++)
		sigaction(sigs[i], &sa, NULL);
}

static void
term_cb(int sig, short what, void *arg)
{
	pass_commit();
	event_base_loopbreak(eng.e_base);
}

/*
 * A folder with logs of runs had a database.  If that is gone, a new one
 * would begin at item 1 again, on branches that are there already.
 */
static int
database_is_lost(const char *path)
{
	char logs[1100];
	struct dirent *de;
	struct stat sb;
	DIR *d;
	int found = 0;

	/* What is no file at all is store_open()'s to refuse. */
	if (lstat(path, &sb) == 0 && (!S_ISREG(sb.st_mode) ||
	    sb.st_size > 0))
		return (0);
	snprintf(logs, sizeof(logs), "%s/log", eng.e_conf->cf_state);
	if ((d = opendir(logs)) == NULL)
		return (0);
	while (!found && (de = readdir(d)) != NULL)
		found = de->d_name[0] != '.';
	closedir(d);
	return (found);
}

static void
open_database(void)
{
	char path[1100], err[512];

	snprintf(path, sizeof(path), "%s/orchd.db", eng.e_conf->cf_state);
	if (database_is_lost(path))
		fatalx("database: %s is missing or empty, but %s holds the "
		    "logs of earlier runs; nothing was changed (restore a "
		    "backup, or move the whole folder away to begin anew)",
		    path, eng.e_conf->cf_state);
	if ((eng.e_store = store_open(path, err, sizeof(err))) == NULL)
		fatalx("database: %s", err);
}

int
engine_main(int debug)
{
	struct start s;
	struct event *term;
	char err[256];

	log_init("engine", debug);
	(void)prctl(PR_SET_DUMPABLE, 0);
	eng.e_clock = wall_clock;
	eng.e_world = &ident_world_real;
	eng.e_started_at = eng_now();
	if ((eng.e_base = event_base_new()) == NULL ||
	    event_base_priority_init(eng.e_base, 3) == -1)
		fatalx("event loop");
	ignore_signals();
	if ((term = evsignal_new(eng.e_base, SIGTERM, term_cb, NULL)) ==
	    NULL || event_add(term, NULL) == -1)
		fatalx("signals");
	start_read(&s);
	open_database();
	if (sandbox_enter(ROLE_ENGINE, err, sizeof(err)) == -1)
		fatalx("sandbox: %s", err);
	if (pass_init() == -1)
		fatalx("event loop");
	manage_open(PARENT_FD);
	listen_on(s.s_engine, 0);
	listen_on(s.s_control, 1);
	recover();
	start_tick();
	manage_ready();
	event_base_dispatch(eng.e_base);
	store_close(eng.e_store);
	return (0);
}

int
engine_check_database(const char *path, FILE *out)
{
	struct store *st;
	char err[512];
	int bad;

	if (access(path, F_OK) == -1) {
		fprintf(out, "%s: %s\n", path, strerror(errno));
		return (1);
	}
	if ((st = store_open_copy(path, err, sizeof(err))) == NULL) {
		fprintf(out, "%s\n", err);
		return (1);
	}
	bad = store_check(st, out);
	store_close(st);
	if (!bad)
		fprintf(out, "%s: sound\n", path);
	return (bad);
}
