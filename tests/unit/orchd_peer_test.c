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


/*
 * The real engine in a process of its own, with this test as its parent and
 * as every peer: who may say what, and that the engine outlives all of it.
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

/* --- messages -------------------------------------------------------------- */

/* The last message; its frame lives until the next. */
static struct orch_header head;
static union orch_any got;

static int
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

static void
say(int sock, unsigned int type, const void *msg, int fd)
{
	ck_assert_int_eq(chan_write_one(sock, type, 1, msg, fd, WAIT_MS), 0);
}

/* Hear until a message of this type comes. */
static void
expect(int sock, unsigned int type)
{
	int t;

	while ((t = hear(sock, FROM_ENGINE, WAIT_MS)) != (int)type)
		ck_assert_msg(t != -1, "no %s: %s", orch_msg(type)->m_name,
		    strerror(errno));
}

/* Does it dispatch?  0, or -1 when the connection has ended. */
static int
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

static void
engine_lives(void)
{
	ck_assert_msg(ping(control) == 0, "the engine does not answer");
	ck_assert_int_eq(waitpid(engine, NULL, WNOHANG), 0);
}

/* What the engine has logged since the last call. */
static const char *
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

/* --- the engine and its peers ---------------------------------------------- */

static int
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

static int
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

static void
run_engine(int sock)
{
	int fd;

	if (dup2(sock, 3) == -1 || (fd = open(log_path, O_WRONLY | O_CREAT |
	    O_APPEND, 0600)) == -1 || dup2(fd, 2) == -1)
		_exit(70);
	closefrom(4);
	_exit(engine_main(0));
}

static int
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
static struct orch_hello
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
static int
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

static const struct started *
run_of(enum orch_role role)
{
	return (role == ROLE_RUNNER ? &agent : role == ROLE_WORKER ? &worker :
	    NULL);
}

/* A connection of this role that the engine has taken. */
static int
enter_as(enum orch_role role)
{
	int sock = connect_as(role);
	struct orch_hello h = good_hello(role, run_of(role));

	ck_assert_msg(hello(sock, &h) == ORCH_hello_ok, "%s is refused: %s",
	    orch_role_name(role), logged());
	return (sock);
}

/* The engine asks for a run; we say that it is started, as this process. */
static void
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

static void
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
static void
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

static void
setup(void)
{
	struct orch_engine_go go = { .self_dir = "/" };
	struct orch_listen l;
	struct orch_conf c = { 1 };
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

static void
teardown(void)
{
	close(control);
	close(parent);		/* the engine ends with its parent */
	(void)waitpid(engine, NULL, 0);
	(void)fs_remove_tree(AT_FDCWD, dir, NULL, 0);
	free(raw.r_p);
}

/* --- the table ------------------------------------------------------------- */

/* Who may say what to the engine, after HELLO.  Ping is everybody's. */
static const struct {
	enum orch_role	a_role;
	unsigned int	a_types[20];
} allowed[] = {
	{ ROLE_WEBHOOK, { ORCH_event, ORCH_query, ORCH_notice } },
	{ ROLE_PAGE, { ORCH_query, ORCH_notice } },
	{ ROLE_RECONCILED, { ORCH_advance, ORCH_candidates, ORCH_outbox_next,
	    ORCH_outbox_done, ORCH_item, ORCH_notice } },
	{ ROLE_FINALIZERD, { ORCH_outbox_next, ORCH_outbox_done,
	    ORCH_deploy_list, ORCH_deploy_result, ORCH_notice } },
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

static int
is_allowed(size_t row, unsigned int type)
{
	size_t i;

	if (type == ORCH_ping)
		return (1);
	for (i = 0; i < 20 && allowed[row].a_types[i] != 0; i++)
		if (allowed[row].a_types[i] == type)
			return (1);
	return (0);
}

/* An empty message of this type, delta bytes too long; 0: it has none. */
static int
make_frame(unsigned int type, int delta)
{
	raw_message(&raw, type, 1, FILL_EMPTY);
	if (delta < 0) {
		if (raw.r_len == ORCH_HEADER_SIZE)
			return (0);
		raw.r_len--;
	} else if (delta > 0)
		raw_int(&raw, 0, 1);
	raw_end(&raw);
	return (1);
}

static void
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
static int
has_ended(int sock)
{
	int t;

	while ((t = hear(sock, FROM_ENGINE, WAIT_MS)) != -1)
		continue;
	return (errno == ECONNRESET);
}

static void
must_refuse(int sock, enum orch_role role, unsigned int type, int delta)
{
	const char *log;

	(void)logged();
	send_raw(sock);
	ck_assert_msg(has_ended(sock), "%s may say %s%+d",
	    orch_role_name(role), orch_msg(type) == NULL ? "nothing" :
	    orch_msg(type)->m_name, delta);
	close(sock);
	log = logged();
	ck_assert_msg(strstr(log, orch_role_name(role)) != NULL,
	    "%s is refused message %u%+d without a line in the log",
	    orch_role_name(role), type, delta);
	engine_lives();
}

static void
walk_row(size_t row)
{
	enum orch_role role = allowed[row].a_role;
	unsigned int type;
	int delta, sock;

	for (type = 0; type < ORCH_TYPE_MAX + 2; type++) {
		for (delta = -1; delta <= 1; delta++) {
			if (orch_msg(type) == NULL && delta != 0)
				continue;
			if (!make_frame(type, delta))
				continue;
			sock = enter_as(role);
			if (delta != 0 || !is_allowed(row, type)) {
				must_refuse(sock, role, type, delta);
				continue;
			}
			send_raw(sock);
			ck_assert_msg(ping(sock) == 0, "%s may not say %s: %s",
			    orch_role_name(role), orch_msg(type)->m_name,
			    logged());
			close(sock);
		}
	}
}

START_TEST(everybody_says_only_what_is_his)
{
	walk_row((size_t)_i);
}
END_TEST

/* What one may say is nothing before HELLO was answered. */
START_TEST(nothing_counts_before_hello)
{
	size_t row, i;
	int sock;

	for (row = 0; row < NROLES; row++) {
		for (i = 0; allowed[row].a_types[i] != 0; i++) {
			sock = connect_as(allowed[row].a_role);
			(void)make_frame(allowed[row].a_types[i], 0);
			send_raw(sock);
			ck_assert_msg(has_ended(sock), "%s, %s",
			    orch_role_name(allowed[row].a_role),
			    orch_msg(allowed[row].a_types[i])->m_name);
			close(sock);
		}
	}
	engine_lives();
}
END_TEST

/* --- HELLO ----------------------------------------------------------------- */

/* Said on a fresh connection of role: refused, with this reason. */
static void
refused(enum orch_role role, const struct orch_hello *h, const char *why)
{
	int sock = connect_as(role), t;

	if ((t = hello(sock, h)) == ORCH_hello_no)
		ck_assert_msg(strstr(got.hello_no.reason, why) != NULL,
		    "%s, not: %s", got.hello_no.reason, why);
	ck_assert_msg(t == ORCH_hello_no, "%s: %d", why, t);
	ck_assert(has_ended(sock));
	close(sock);
	engine_lives();
}

START_TEST(a_wrong_key_is_refused)
{
	struct started s = agent;
	struct orch_hello h = good_hello(ROLE_RUNNER, &s);

	s.s_key[31] ^= 1;
	refused(ROLE_RUNNER, &h, "a wrong key");
	s.s_key[31] ^= 1;
	h.key.b_len = 31;
	refused(ROLE_RUNNER, &h, "no such run");
	h.key.b_len = 0;
	refused(ROLE_RUNNER, &h, "no such run");
}
END_TEST

START_TEST(a_wrong_run_is_refused)
{
	struct orch_hello h = good_hello(ROLE_RUNNER, &agent);

	h.run = 123456;
	refused(ROLE_RUNNER, &h, "no such run");
	h.run = 0;
	refused(ROLE_RUNNER, &h, "no such run");
	h.run = UINT64_MAX;
	refused(ROLE_RUNNER, &h, "no such run");
	h.run = worker.s_run;		/* one that lives, but not its key */
	refused(ROLE_RUNNER, &h, "a wrong key");
}
END_TEST

START_TEST(an_agents_run_is_no_workers)
{
	struct orch_hello h = good_hello(ROLE_WORKER, &agent);

	refused(ROLE_WORKER, &h, "another kind of run");
	h = good_hello(ROLE_RUNNER, &worker);
	refused(ROLE_RUNNER, &h, "another kind of run");
}
END_TEST

START_TEST(a_wrong_identity_is_refused)
{
	struct orch_hello h = good_hello(ROLE_RUNNER, &agent);
	char text[IDENT_TEXT_MAX];
	struct ident id;

	ck_assert_int_eq(ident_parse(h.ident, &id), 0);
	id.id_start_time++;
	ck_assert_int_eq(ident_format(&id, text, sizeof(text)), 0);
	h.ident = text;
	refused(ROLE_RUNNER, &h, "the identity is not that of the process");
	h.ident = "nonsense";
	refused(ROLE_RUNNER, &h, "the identity is not that of the process");
	h.ident = "";
	refused(ROLE_RUNNER, &h, "the identity is not that of the process");
}
END_TEST

/* The key alone does not make another process the run. */
START_TEST(another_process_with_the_key_is_refused)
{
	struct orch_hello h;
	char text[IDENT_TEXT_MAX];
	struct ident self;
	int status, sock;
	pid_t pid;

	if ((pid = fork()) == 0) {
		if ((sock = chan_connect(engine_path)) == -1 ||
		    ident_of_pid(getpid(), &self) == -1 ||
		    ident_format(&self, text, sizeof(text)) == -1)
			_exit(70);
		h = good_hello(ROLE_RUNNER, &agent);
		h.ident = text;
		if (chan_write_one(sock, ORCH_hello, 1, &h, -1, WAIT_MS) ==
		    -1 || hear(sock, FROM_ENGINE, WAIT_MS) != ORCH_hello_no)
			_exit(71);
		_exit(strcmp(got.hello_no.reason,
		    "another process owns this run") == 0 ? 0 : 72);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	engine_lives();
}
END_TEST

START_TEST(a_closed_run_is_refused)
{
	struct orch_hello h;
	struct started s;
	int sock;

	submit("To be closed");
	take_spawn(&s, KIND_AGENT);
	ck_assert_int_ne(sock = chan_connect(engine_path), -1);
	h = good_hello(ROLE_RUNNER, &s);
	ck_assert_int_eq(hello(sock, &h), ORCH_hello_ok);
	{
		struct orch_run_done m = { .run = s.s_run, .verdict = 1,
		    .cause = CAUSE_EXEC, .reason = "no such program" };

		say(sock, ORCH_run_done, &m, -1);
		expect(sock, ORCH_ack);
		ck_assert_int_eq(got.ack.result, RES_OK);
	}
	close(sock);
	refused(ROLE_RUNNER, &h, "this run is closed");
}
END_TEST

START_TEST(a_second_hello_is_refused)
{
	size_t row;
	int sock;

	for (row = 0; row < NROLES; row++) {
		enum orch_role role = allowed[row].a_role;
		struct orch_hello h = good_hello(role, run_of(role));

		sock = enter_as(role);
		h.generation = generation;
		ck_assert_int_eq(hello(sock, &h), ORCH_hello_no);
		ck_assert_str_eq(got.hello_no.reason, "a second HELLO");
		ck_assert(has_ended(sock));
		close(sock);
	}
	engine_lives();
}
END_TEST

/* Who one is, the connection says; HELLO only repeats it. */
START_TEST(nobody_is_somebody_else)
{
	struct orch_hello h;
	unsigned int said;
	size_t row;

	for (row = 0; row < NROLES; row++) {
		enum orch_role role = allowed[row].a_role;

		for (said = 0; said < ROLE__MAX + 2; said++) {
			if (said == role || (role == ROLE_WORKER &&
			    said == ROLE_RUNNER) || (role == ROLE_RUNNER &&
			    said == ROLE_WORKER))
				continue;
			h = good_hello(role, run_of(role));
			h.role = (uint8_t)said;
			h.generation = generation + 1;
			refused(role, &h, "it says to be somebody else");
		}
	}
}
END_TEST

START_TEST(an_older_generation_is_refused)
{
	struct orch_hello h = good_hello(ROLE_REAPERD, NULL);

	h.generation = generation;	/* connect_as makes the next one */
	refused(ROLE_REAPERD, &h, "an older generation");
	h.generation = generation + 2;
	refused(ROLE_REAPERD, &h, "an older generation");
}
END_TEST

START_TEST(a_newer_generation_replaces_the_older)
{
	int old = enter_as(ROLE_RECONCILED), other = enter_as(ROLE_REAPERD);
	int new = enter_as(ROLE_RECONCILED);

	ck_assert(has_ended(old));
	ck_assert_int_eq(ping(new), 0);
	ck_assert_int_eq(ping(other), 0);
	close(old);
	close(new);
	close(other);
}
END_TEST

START_TEST(a_run_has_one_connection)
{
	int old = enter_as(ROLE_RUNNER), other = enter_as(ROLE_WORKER);
	int new = enter_as(ROLE_RUNNER);

	ck_assert(has_ended(old));
	ck_assert_int_eq(ping(new), 0);
	ck_assert_int_eq(ping(other), 0);
	close(old);
	close(new);
	close(other);
}
END_TEST

/* A run's number in somebody else's HELLO means nothing. */
START_TEST(a_person_does_not_speak_for_a_run)
{
	struct orch_hello h = good_hello(ROLE_CTL, &agent);
	int run = enter_as(ROLE_RUNNER), person = connect_as(ROLE_CTL);

	ck_assert_int_eq(hello(person, &h), ORCH_hello_ok);
	ck_assert_int_eq(ping(person), 0);
	ck_assert_int_eq(ping(run), 0);
	close(run);
	close(person);
}
END_TEST

START_TEST(another_version_is_refused_by_name)
{
	struct orch_hello h = good_hello(ROLE_RUNNER, &agent);

	h.major++;
	refused(ROLE_RUNNER, &h, "version");
	h.major--;
	h.minor += 1;
	refused(ROLE_RUNNER, &h, "version");
	h = good_hello(ROLE_REAPERD, NULL);
	h.minor++;
	h.generation = generation + 1;
	refused(ROLE_REAPERD, &h, "must come from one installation");
	h = good_hello(ROLE_CTL, NULL);
	h.minor++;
	refused(ROLE_CTL, &h, "must come from one installation");
}
END_TEST

/* A newer program's HELLO may have a field that nobody here knows. */
START_TEST(a_longer_hello_is_refused_by_its_version)
{
	struct orch_hello h = good_hello(ROLE_RUNNER, &agent);
	const char *field;
	uint8_t *frame;
	size_t len;
	int sock, t;

	for (h.minor = ORCH_PROTO_MINOR + 1;; h.minor--) {
		sock = connect_as(ROLE_RUNNER);
		ck_assert_int_eq(orch_encode(ORCH_hello, 1, &h, &frame, &len,
		    &field), 0);
		raw.r_len = 0;
		memcpy(raw_more(&raw, len), frame, len);
		free(frame);
		raw_str(&raw, 7);
		raw_end(&raw);
		send_raw(sock);
		t = hear(sock, FROM_ENGINE, WAIT_MS);
		close(sock);
		if (h.minor == ORCH_PROTO_MINOR)
			break;
		ck_assert_int_eq(t, ORCH_hello_no);
		ck_assert_ptr_nonnull(strstr(got.hello_no.reason, "version"));
	}
	ck_assert_int_eq(t, -1);	/* of our own version: just wrong */
	engine_lives();
}
END_TEST

/* --- after HELLO ----------------------------------------------------------- */

START_TEST(a_run_ends_no_other_run)
{
	struct orch_run_done m = { .run = worker.s_run, .verdict = 0 };
	int sock = enter_as(ROLE_RUNNER), other;

	say(sock, ORCH_run_done, &m, -1);
	expect(sock, ORCH_ack);
	ck_assert_int_ne(got.ack.result, RES_OK);
	ck_assert_int_ne(got.ack.result, RES_DUPLICATE);
	other = enter_as(ROLE_WORKER);	/* it lives, and has its key */
	ck_assert_int_eq(ping(other), 0);
	close(other);
	close(sock);
}
END_TEST

START_TEST(a_worker_without_a_lease_is_fenced)
{
	struct orch_commit c = { .epoch = 1, .from = "analysis", .to = "done" };
	struct orch_effect e = { .epoch = 1, .name = "push", .key = "k",
	    .class = CLASS_CAS };
	int sock = enter_as(ROLE_WORKER);

	say(sock, ORCH_commit, &c, -1);
	expect(sock, ORCH_ack);
	ck_assert_int_eq(got.ack.result, RES_FENCED);
	say(sock, ORCH_effect, &e, -1);
	expect(sock, ORCH_effect_answer);
	ck_assert_int_eq(got.effect_answer.result, RES_FENCED);
	close(sock);
}
END_TEST

START_TEST(a_descriptor_that_nobody_wants_ends_it)
{
	struct orch_query q = { .verb = "status" };
	const char *field;
	uint8_t *frame;
	size_t len;
	int sock = enter_as(ROLE_CTL), fd;

	ck_assert_int_ne(fd = open("/dev/null", O_RDONLY), -1);
	ck_assert_int_eq(orch_encode(ORCH_query, 1, &q, &frame, &len, &field),
	    0);
	free(frame);
	ck_assert_int_eq(chan_write_one(sock, ORCH_query, 1, &q, fd, WAIT_MS),
	    0);
	close(fd);
	ck_assert(has_ended(sock));
	close(sock);
	ck_assert_ptr_nonnull(strstr(logged(), "with a descriptor"));
	engine_lives();
}
END_TEST

/* Bytes that are no protocol, on both sockets. */
START_TEST(noise_ends_only_who_makes_it)
{
	static const char *const noise[] = { "GET / HTTP/1.1\r\n\r\n",
	    "\n\n\n\n\n\n\n\n\n\n\n\n\n\n", "{\"jsonrpc\": \"2.0\"}" };
	uint32_t x = 2463534242;
	uint8_t junk[64];
	size_t i, k;
	int sock;

	for (i = 0; i < 200; i++) {
		sock = connect_as(i % 2 == 0 ? ROLE_CTL : ROLE_RUNNER);
		for (k = 0; k < sizeof(junk); k++) {
			x ^= x << 13;
			x ^= x >> 17;
			x ^= x << 5;
			junk[k] = (uint8_t)x;
		}
		if (i < 6)
			ck_assert_int_gt(send(sock, noise[i / 2],
			    strlen(noise[i / 2]), MSG_NOSIGNAL), 0);
		else
			ck_assert_int_gt(send(sock, junk, sizeof(junk),
			    MSG_NOSIGNAL), 0);
		(void)shutdown(sock, SHUT_WR);
		ck_assert_msg(has_ended(sock), "noise %zu", i);
		close(sock);
	}
	engine_lives();
}
END_TEST

/* Answers that nobody fetches are bounded, and others are served. */
START_TEST(who_does_not_read_is_cut_off)
{
	static char text[65000];
	const char *const args[] = { "title=Long", NULL };
	struct orch_action a = { .verb = "submit", .text = text };
	struct orch_query q = { .verb = "show", .object = "" };
	char id[64];
	int sock, i;

	memset(text, 'x', sizeof(text) - 1);
	a.args.l_argv = args;
	say(control, ORCH_action, &a, -1);
	expect(control, ORCH_answer);
	ck_assert_int_eq(got.answer.result, RES_OK);
	ck_assert_uint_lt(strlcpy(id, got.answer.text, sizeof(id)),
	    sizeof(id));
	q.object = id;
	sock = enter_as(ROLE_CTL);
	for (i = 0; i < 1000; i++)
		if (chan_write_one(sock, ORCH_query, 1, &q, -1, WAIT_MS) ==
		    -1)
			break;
	ck_assert_int_gt(i, 10);
	ck_assert_int_lt(i, 1000);
	ck_assert_ptr_nonnull(strstr(logged(), "does not read"));
	close(sock);
	engine_lives();
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, everybody_says_only_what_is_his, 0,
	    (int)NROLES);
	tcase_add_test(tc, nothing_counts_before_hello);
	tcase_add_test(tc, a_wrong_key_is_refused);
	tcase_add_test(tc, a_wrong_run_is_refused);
	tcase_add_test(tc, an_agents_run_is_no_workers);
	tcase_add_test(tc, a_wrong_identity_is_refused);
	tcase_add_test(tc, another_process_with_the_key_is_refused);
	tcase_add_test(tc, a_second_hello_is_refused);
	tcase_add_test(tc, nobody_is_somebody_else);
	tcase_add_test(tc, an_older_generation_is_refused);
	tcase_add_test(tc, a_newer_generation_replaces_the_older);
	tcase_add_test(tc, a_run_has_one_connection);
	tcase_add_test(tc, a_person_does_not_speak_for_a_run);
	tcase_add_test(tc, another_version_is_refused_by_name);
	tcase_add_test(tc, a_longer_hello_is_refused_by_its_version);
	tcase_add_test(tc, a_run_ends_no_other_run);
	tcase_add_test(tc, a_worker_without_a_lease_is_fenced);
	tcase_add_test(tc, a_descriptor_that_nobody_wants_ends_it);
	tcase_add_test(tc, noise_ends_only_who_makes_it);
	tcase_add_test(tc, who_does_not_read_is_cut_off);
	tcase_add_test(tc, a_closed_run_is_refused);
}

int
main(void)
{
	Suite *s = suite_create("orchd peer");
	TCase *tc = tcase_create("peer");
	SRunner *sr;
	int failed;

	/* One process: the engine knows its runs by their process. */
	tcase_add_unchecked_fixture(tc, setup, teardown);
	add_tests(tc);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_set_fork_status(sr, CK_NOFORK);
	(void)alarm(110);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed == 0 ? 0 : 1);
}
