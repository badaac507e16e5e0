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

#ifndef TESTS_ENGINE_PROCESS_H
#define TESTS_ENGINE_PROCESS_H

/*
 * The real engine in a process of its own, with the test as its parent and as
 * every peer.  The test runs without forking (CK_NOFORK): the engine knows its
 * runs by their process.
 */

#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bsd/stdlib.h>
#include <bsd/string.h>

#include "libcommon/chan.h"
#include "libcommon/fsutil.h"
#include "libcommon/ident.h"
#include "libcommon/log.h"
#include "orchd/engine.h"
#include "proto_fill.h"

#define WAIT_MS	5000
#define OID	"c0ffee0000000000000000000000000000000000"

static char dir[] = "/tmp/orchd-peer.XXXXXX";
static char log_path[64], engine_path[64], control_path[64];
static int parent = -1;		/* our end of the engine's descriptor 3 */
static int control = -1;	/* a person who asks whether it lives */
static pid_t engine;
static uint32_t generation = 1;
static off_t log_seen;
static struct raw raw;

/* A run that the engine asked us to start. */
struct started {
	uint64_t	s_run;
	unsigned int	s_kind;
	uint8_t		s_key[32];
};
static struct started agent, worker;

/* --- messages ------------------------------------------------------------- */

/* The last message; its frame lives until the next. */
static struct orch_header head;
static union orch_any got;

static inline int
hear(int sock, uint32_t senders, int ms)
{
	static uint8_t *frame;
	int fd;

	free(frame);
	if (chan_read_one(sock, senders, &head, &got, &frame, &fd, ms) == -1) {
		frame = NULL;
		return (-1);
	}
	if (fd != -1)
		close(fd);
	return ((int)head.h_type);
}

static inline void
say(int sock, unsigned int type, const void *msg, int fd)
{
	ck_assert_int_eq(chan_write_one(sock, type, 1, msg, fd, WAIT_MS), 0);
}

/* Hear until a message of this type comes. */
static inline void
expect(int sock, unsigned int type)
{
	int t;

	while ((t = hear(sock, FROM_ENGINE, WAIT_MS)) != (int)type)
		ck_assert_msg(t != -1, "no %s: %s", orch_msg(type)->m_name,
		    strerror(errno));
}

/* Does it dispatch?  0, or -1 when the connection has ended. */
static inline int
ping(int sock)
{
	static uint64_t nonce;
	struct orch_ping m = { ++nonce };
	int t;

	if (chan_write_one(sock, ORCH_ping, 1, &m, -1, WAIT_MS) == -1)
		return (-1);
	while ((t = hear(sock, FROM_ENGINE, WAIT_MS)) != -1)
		if (t == ORCH_pong && got.pong.nonce == nonce)
			return (0);
	return (-1);
}

static inline void
engine_lives(void)
{
	ck_assert_msg(ping(control) == 0, "the engine does not answer");
	ck_assert_int_eq(waitpid(engine, NULL, WNOHANG), 0);
}

/* What the engine has logged since the last call. */
static inline const char *
logged(void)
{
	static char buf[65536];
	ssize_t n;
	int fd;

	ck_assert_int_ne(fd = open(log_path, O_RDONLY), -1);
	n = pread(fd, buf, sizeof(buf) - 1, log_seen);
	close(fd);
	ck_assert_int_ge(n, 0);
	buf[n] = '\0';
	log_seen += n;
	return (buf);
}

/* --- the engine and its peers --------------------------------------------- */

static inline int
listen_at(char *path, size_t len, const char *name)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int sock;

	snprintf(path, len, "%s/%s", dir, name);
	(void)strlcpy(sun.sun_path, path, sizeof(sun.sun_path));
	ck_assert_int_ne(sock = socket(AF_UNIX, SOCK_STREAM, 0), -1);
	ck_assert_int_eq(bind(sock, (struct sockaddr *)&sun, sizeof(sun)), 0);
	ck_assert_int_eq(listen(sock, 64), 0);
	return (sock);
}

static inline int
write_conf(void)
{
	char path[64];
	FILE *fp;
	int fd;

	snprintf(path, sizeof(path), "%s/conf", dir);
	ck_assert_ptr_nonnull(fp = fopen(path, "w"));
	fprintf(fp, "max_concurrency 50\nserial_limit 50\n"
	    "state \"%s\"\nruntime \"%s/run\"\n"
	    "agent analyst { command \"/bin/true\" }\n"
	    "agent architect { command \"/bin/true\" }\n"
	    "agent developer { command \"/bin/true\" }\n"
	    "agent reviewer { command \"/bin/true\" }\n"
	    "agent tester { command \"/bin/true\" }\n"
	    "project p {\n\tprefix P\n\tforge local from \"%s\"\n"
	    "\ttracker local\n\ttest \"true\"\n"
	    "\tstaging check \"true\"\n"
	    "\tdeploy hook \"/bin/true\"\n}\n", dir, dir, dir);
	ck_assert_int_eq(fclose(fp), 0);
	ck_assert_int_ne(fd = open(path, O_RDONLY), -1);
	return (fd);
}

static inline void
run_engine(int sock)
{
	int fd;

	if (dup2(sock, 3) == -1 || (fd = open(log_path, O_WRONLY | O_CREAT |
	    O_APPEND, 0600)) == -1 || dup2(fd, 2) == -1)
		_exit(70);
	closefrom(4);
	_exit(engine_main(0));
}

static inline int
hello(int sock, const struct orch_hello *h)
{
	int t;

	say(sock, ORCH_hello, h, -1);
	/* A run is told to start; that is no answer. */
	while ((t = hear(sock, FROM_ENGINE, WAIT_MS)) == ORCH_run_go)
		continue;
	return (t);
}

/* A HELLO as it should be. */
static inline struct orch_hello
good_hello(enum orch_role role, const struct started *s)
{
	static char text[IDENT_TEXT_MAX];
	struct orch_hello h;
	struct ident self;

	ck_assert_int_eq(ident_self(&self), 0);
	ck_assert_int_eq(ident_format(&self, text, sizeof(text)), 0);
	memset(&h, 0, sizeof(h));
	h.major = ORCH_PROTO_MAJOR;
	h.minor = ORCH_PROTO_MINOR;
	h.role = (uint8_t)role;
	h.ident = text;
	h.generation = generation;
	if (s != NULL) {
		h.run = s->s_run;
		h.key = (struct orch_blob){ s->s_key, 32 };
	}
	return (h);
}

/* A connection of this role, before HELLO. */
static inline int
connect_as(enum orch_role role)
{
	struct orch_peer m;
	int sv[2], sock;

	if (role == ROLE_CTL || role == ROLE_RUNNER || role == ROLE_WORKER) {
		ck_assert_int_ne(sock = chan_connect(role == ROLE_CTL ?
		    control_path : engine_path), -1);
		return (sock);
	}
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC |
	    SOCK_NONBLOCK, 0, sv), 0);
	memset(&m, 0, sizeof(m));
	m.role = (uint8_t)role;
	m.generation = ++generation;
	m.pid = getpid();
	say(parent, ORCH_peer, &m, sv[1]);
	close(sv[1]);
	return (sv[0]);
}

static inline const struct started *
run_of(enum orch_role role)
{
	return (role == ROLE_RUNNER ? &agent : role == ROLE_WORKER ? &worker :
	    NULL);
}

/* A connection of this role that the engine has taken. */
static inline int
enter_as(enum orch_role role)
{
	int sock = connect_as(role);
	struct orch_hello h = good_hello(role, run_of(role));

	ck_assert_msg(hello(sock, &h) == ORCH_hello_ok, "%s is refused: %s",
	    orch_role_name(role), logged());
	return (sock);
}

/* The engine asks for a run; we say that it is started, as this process. */
static inline void
take_spawn(struct started *s, enum orch_kind kind)
{
	struct orch_hello h = good_hello(ROLE_RUNNER, NULL);
	struct orch_spawned m;

	do
		expect(parent, ORCH_spawn);
	while (got.spawn.kind != kind);
	s->s_run = got.spawn.run;
	s->s_kind = got.spawn.kind;
	ck_assert_uint_eq(got.spawn.key.b_len, 32);
	memcpy(s->s_key, got.spawn.key.b_data, 32);
	memset(&m, 0, sizeof(m));
	m.run = s->s_run;
	m.pid = getpid();
	m.ident = h.ident;
	say(parent, ORCH_spawned, &m, -1);
}

static inline void
submit(const char *title)
{
	char text[64];
	const char *const args[] = { text, NULL };
	struct orch_action m;

	snprintf(text, sizeof(text), "title=%s", title);
	memset(&m, 0, sizeof(m));
	m.verb = "submit";
	m.text = "Write it.";
	m.args.l_argv = args;
	say(control, ORCH_action, &m, -1);
	expect(control, ORCH_answer);
	ck_assert_msg(got.answer.result == RES_OK, "%s", got.answer.text);
}

/* Play the analyst of one task until the engine starts a worker. */
static inline void
play_to_worker(void)
{
	struct started first, import;
	struct orch_run_done m;
	struct orch_hello h;
	int fd, sock, in;

	submit("The first");
	take_spawn(&first, KIND_AGENT);
	ck_assert_int_ne(sock = chan_connect(engine_path), -1);
	h = good_hello(ROLE_RUNNER, &first);
	ck_assert_int_eq(hello(sock, &h), ORCH_hello_ok);
	expect(sock, ORCH_run_go);
	memset(&m, 0, sizeof(m));
	m.run = first.s_run;
	m.verdict = 0;
	m.commit = OID;
	m.tree = OID;
	ck_assert_int_ne(fd = open("/dev/null", O_RDONLY), -1);
	say(sock, ORCH_run_done, &m, fd);
	close(fd);
	take_spawn(&import, KIND_IMPORT);
	ck_assert_int_ne(in = chan_connect(engine_path), -1);
	h = good_hello(ROLE_RUNNER, &import);
	ck_assert_int_eq(hello(in, &h), ORCH_hello_ok);
	expect(in, ORCH_run_go);
	m.run = import.s_run;
	say(in, ORCH_run_done, &m, -1);
	expect(in, ORCH_ack);
	take_spawn(&worker, KIND_TRANSITION);
	close(in);
	close(sock);
}

static inline void
setup(void)
{
	struct orch_engine_go go = { .self_dir = "/" };
	struct orch_listen l;
	struct orch_conf c = { .generation = 1 };
	int sv[2], conf, es, cs;

	log_init("test", 0);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(log_path, sizeof(log_path), "%s/log", dir);
	conf = write_conf();
	es = listen_at(engine_path, sizeof(engine_path), "engine.sock");
	cs = listen_at(control_path, sizeof(control_path), "control.sock");
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
	    sv), 0);
	if ((engine = fork()) == 0)
		run_engine(sv[1]);
	close(sv[1]);
	parent = sv[0];
	say(parent, ORCH_conf, &c, conf);
	l.name = "engine.sock";
	say(parent, ORCH_listen, &l, es);
	l.name = "control.sock";
	say(parent, ORCH_listen, &l, cs);
	say(parent, ORCH_engine_go, &go, -1);
	close(conf);
	close(es);
	close(cs);
	expect(parent, ORCH_child_ready);
	control = enter_as(ROLE_CTL);
	play_to_worker();
	submit("The second");
	take_spawn(&agent, KIND_AGENT);
	(void)logged();
}

static inline void
teardown(void)
{
	close(control);
	close(parent);		/* the engine ends with its parent */
	(void)waitpid(engine, NULL, 0);
	(void)fs_remove_tree(AT_FDCWD, dir, NULL, 0);
	free(raw.r_p);
}

/* --- the table ------------------------------------------------------------ */

/* Who may say what to the engine, after HELLO.  Ping is everybody's. */
static const struct {
	enum orch_role	a_role;
	unsigned int	a_types[20];
} allowed[] = {
	{ ROLE_WEBHOOK, { ORCH_event, ORCH_query, ORCH_notice } },
	{ ROLE_PAGE, { ORCH_query, ORCH_action, ORCH_notice } },
	{ ROLE_RECONCILED, { ORCH_advance, ORCH_candidates, ORCH_outbox_next,
	    ORCH_outbox_done, ORCH_item, ORCH_watch_list,
	    ORCH_tracker_item, ORCH_ci_seen, ORCH_pull_seen,
	    ORCH_review_seen, ORCH_reviews_there, ORCH_doctor_row,
	    ORCH_notice } },
	{ ROLE_FINALIZERD, { ORCH_outbox_next, ORCH_outbox_done,
	    ORCH_deploy_list, ORCH_deploy_result, ORCH_doctor_row,
	    ORCH_notice } },
	{ ROLE_REAPERD, { ORCH_advance, ORCH_live_list, ORCH_dead,
	    ORCH_notice } },
	{ ROLE_RUNNER, { ORCH_run_exit, ORCH_run_done, ORCH_run_session } },
	{ ROLE_WORKER, { ORCH_run_exit, ORCH_run_done, ORCH_begin, ORCH_gate,
	    ORCH_effect, ORCH_effect_done, ORCH_pull, ORCH_landed,
	    ORCH_hook_start, ORCH_record, ORCH_commit, ORCH_end,
	    ORCH_abort } },
	{ ROLE_CTL, { ORCH_query, ORCH_action } },
};
#define NROLES	(sizeof(allowed) / sizeof(allowed[0]))

static inline void
send_raw(int sock)
{
	size_t off = 0;
	ssize_t n;

	while (off < raw.r_len) {
		n = send(sock, raw.r_p + off, raw.r_len - off, MSG_NOSIGNAL);
		ck_assert_int_gt(n, 0);
		off += (size_t)n;
	}
}

/* Does the connection end?  What is still said before is read. */
static inline int
has_ended(int sock)
{
	int t;

	while ((t = hear(sock, FROM_ENGINE, WAIT_MS)) != -1)
		continue;
	return (errno == ECONNRESET);
}

/* Run the tests of a file; the exit status. */
static inline int
engine_suite(const char *name, void (*add)(TCase *))
{
	Suite *s = suite_create(name);
	TCase *tc = tcase_create("peer");
	SRunner *sr;
	int failed;

	tcase_add_unchecked_fixture(tc, setup, teardown);
	add(tc);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_set_fork_status(sr, CK_NOFORK);
	(void)alarm(110);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed == 0 ? 0 : 1);
}

#endif
