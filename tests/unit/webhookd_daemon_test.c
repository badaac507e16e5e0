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
 * The real program in its real sandbox: this test is its parent and its
 * engine.
 */

#include <sys/socket.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libcommon/chan.h"
#include "libcommon/fsutil.h"
#include "libcommon/sha256.h"
#include "proto/proto.h"

#define WAIT_MS	5000
#define SECRET	"a secret of this test"
#define PUSH	"{\"ref\":\"r\",\"before\":\"a\",\"after\":\"b\"," \
		"\"repository\":{\"full_name\":\"o/r\"}}"

static pid_t child = -1;
static int parent = -1, engine = -1;	/* our ends */
static struct sockaddr_in where;
static struct orch_header header;
static union orch_any any;
static uint8_t *frame;
static char got[65536];
static char *cert, *key;	/* PEM; NULL: plain */
static size_t certlen, keylen;

static const char *
program(void)
{
	static char path[1024];
	const char *build = getenv("ORCHD_BUILD");

	(void)snprintf(path, sizeof(path), "%s/webhookd/webhookd",
	    build != NULL ? build : "build");
	return (path);
}

static void
start_program(void)
{
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
	    pair), 0);
	if ((child = fork()) == 0) {
		if (pair[1] == 3)
			(void)fcntl(3, F_SETFD, 0);
		else if (dup2(pair[1], 3) == -1)
			_exit(126);
		execl(program(), "webhookd", "-d", (char *)NULL);
		perror(program());
		_exit(127);
	}
	ck_assert_int_ne(child, -1);
	close(pair[1]);
	parent = pair[0];
}

static void
tell(unsigned int type, const void *msg, int fd)
{
	ck_assert_int_eq(chan_write_one(parent, type, 0, msg, fd, WAIT_MS), 0);
}

/* The child's end of a new connection; ours becomes engine. */
static int
new_engine(void)
{
	int pair[2];

	if (engine != -1)
		close(engine);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
	    pair), 0);
	engine = pair[0];
	return (pair[1]);
}

static int
new_listener(void)
{
	socklen_t len = sizeof(where);
	int fd;

	where.sin_family = AF_INET;
	where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&where, len), 0);
	ck_assert_int_eq(listen(fd, 16), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&where, &len), 0);
	return (fd);
}

/* The next message of the program to the engine. */
static void
engine_reads(unsigned int type)
{
	int fd;

	free(frame);
	frame = NULL;
	ck_assert_int_eq(chan_read_one(engine, FROM_WEBHOOK | FROM_PAGE,
	    &header, &any, &frame, &fd, WAIT_MS), 0);
	ck_assert_uint_eq(header.h_type, type);
}

static void
engine_says(unsigned int type, const void *msg)
{
	ck_assert_int_eq(chan_write_one(engine, type, header.h_id, msg, -1,
	    WAIT_MS), 0);
}

static void
engine_welcomes(enum orch_role role)
{
	struct orch_hello_ok ok = { .minor = ORCH_PROTO_MINOR };

	engine_reads(ORCH_hello);
	ck_assert_uint_eq(any.hello.role, role);
	ck_assert_str_ne(any.hello.ident, "");
	engine_says(ORCH_hello_ok, &ok);
}

static void
serve(enum orch_role role)
{
	static const char *const options[] = { "webhook_body_max_kb=64", NULL };
	struct orch_child_start start = { .role = (uint8_t)role,
	    .generation = 1, .name = "webhookd" };
	struct orch_child_listen listener = { .name = "one", .loopback = 1 };
	struct orch_child_secret secret = { .name = "gitea.0",
	    .value = SECRET };
	struct orch_child_go go = { .role = (uint8_t)role };
	int fd;

	listener.cert.b_data = (const uint8_t *)cert;
	listener.cert.b_len = certlen;
	listener.key.b_data = (const uint8_t *)key;
	listener.key.b_len = keylen;
	start.options.l_argv = options;
	start_program();
	fd = new_engine();
	tell(ORCH_child_start, &start, fd);
	close(fd);
	fd = new_listener();
	tell(ORCH_child_listen, &listener, fd);
	close(fd);
	if (role == ROLE_WEBHOOK)
		tell(ORCH_child_secret, &secret, -1);
	tell(ORCH_child_go, &go, -1);
	engine_welcomes(role);
}

static int
client(const char *text)
{
	struct timeval tv = { .tv_sec = WAIT_MS / 1000 };
	int fd;

	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&where,
	    sizeof(where)), 0);
	ck_assert_int_eq(send(fd, text, strlen(text), 0),
	    (ssize_t)strlen(text));
	return (fd);
}

/* Read to the end and compare the status line's beginning. */
static void
hear(int fd, const char *line)
{
	size_t len = 0;
	ssize_t n;

	while ((n = recv(fd, got + len, sizeof(got) - 1 - len, 0)) > 0)
		len += (size_t)n;
	ck_assert_int_eq(n, 0);
	got[len] = '\0';
	ck_assert_msg(strncmp(got, line, strlen(line)) == 0, "%.60s", got);
	close(fd);
}

static void
answer(const char *json)
{
	struct orch_answer a = { .result = RES_OK, .text = "" };

	a.json.b_data = (const uint8_t *)json;
	a.json.b_len = strlen(json);
	engine_says(ORCH_answer, &a);
}

static int
exit_status(void)
{
	int status;

	ck_assert_int_eq(waitpid(child, &status, 0), child);
	child = -1;
	ck_assert_msg(WIFEXITED(status), "status %#x", (unsigned)status);
	return (WEXITSTATUS(status));
}

static void
teardown(void)
{
	if (child > 0) {
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
	free(frame);
	free(cert);
	free(key);
}

/* A whole signed delivery. */
static const char *
delivery(void)
{
	static char text[2048];
	char mac[SHA256_HEX_SIZE];

	ck_assert_int_eq(hmac_sha256_hex(SECRET, strlen(SECRET), PUSH,
	    strlen(PUSH), mac), 0);
	(void)snprintf(text, sizeof(text), "POST /webhook/gitea HTTP/1.1\r\n"
	    "Host: h\r\nContent-Type: application/json\r\n"
	    "X-Gitea-Event: push\r\nX-Gitea-Delivery: d-1\r\n"
	    "X-Gitea-Signature: %s\r\nContent-Length: %zu\r\n\r\n%s", mac,
	    strlen(PUSH), PUSH);
	return (text);
}

START_TEST(page_serves_inside_its_sandbox)
{
	int fd;

	serve(ROLE_PAGE);
	fd = client("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
	engine_reads(ORCH_query);
	ck_assert_str_eq(any.query.verb, "health");
	answer("{\"status\":\"ok\"}");
	hear(fd, "HTTP/1.1 200 ");
	fd = client("GET /status HTTP/1.1\r\nHost: localhost\r\n"
	    "Accept: text/html\r\n\r\n");
	engine_reads(ORCH_query);
	answer("{\"tasks\":[{\"id\":\"A-1\"}],\"totals\":{}}");
	hear(fd, "HTTP/1.1 200 ");
	ck_assert_ptr_nonnull(strstr(got, "<b>A-1</b>"));
	close(parent);
	ck_assert_int_eq(exit_status(), 0);
}
END_TEST

START_TEST(delivery_survives_the_engine)
{
	struct orch_child_engine again = { .generation = 2 };
	struct orch_event_answer stored = { .result = RES_OK };
	int fd, sock;

	serve(ROLE_WEBHOOK);
	fd = client(delivery());
	engine_reads(ORCH_event);
	ck_assert_str_eq(any.event.delivery, "d-1");
	/* The engine dies before it has answered; the next one is asked. */
	sock = new_engine();
	tell(ORCH_child_engine, &again, sock);
	close(sock);
	engine_welcomes(ROLE_WEBHOOK);
	engine_reads(ORCH_event);
	ck_assert_str_eq(any.event.delivery, "d-1");
	ck_assert_uint_eq(any.event.body.b_len, strlen(PUSH));
	engine_says(ORCH_event_answer, &stored);
	hear(fd, "HTTP/1.1 200 ");
	/* The option was taken. */
	hear(client("POST /webhook/gitea HTTP/1.1\r\nHost: h\r\n"
	    "Content-Length: 65537\r\n\r\n"), "HTTP/1.1 413 ");
}
END_TEST

static void
read_pair(const char *key_path)
{
	ck_assert_int_eq(fs_read_file("tests/conf/tls.crt", 65536, &cert,
	    &certlen), 0);
	ck_assert_int_eq(fs_read_file(key_path, 16384, &key, &keylen), 0);
}

/* All that OpenSSL needs, it has before the sandbox closes. */
START_TEST(tls_is_spoken_inside_the_sandbox)
{
	struct orch_event_answer stored = { .result = RES_OK };
	SSL_CTX *ctx;
	size_t n, i;
	SSL *ssl;
	int fd;

	read_pair("tests/conf/tls.key");
	serve(ROLE_WEBHOOK);
	ck_assert_ptr_nonnull(ctx = SSL_CTX_new(TLS_client_method()));
	for (i = 0; i < 3; i++) {
		fd = client("");
		ck_assert_ptr_nonnull(ssl = SSL_new(ctx));
		ck_assert_int_eq(SSL_set_fd(ssl, fd), 1);
		ck_assert_int_eq(SSL_connect(ssl), 1);
		ck_assert_int_gt(SSL_write(ssl, delivery(),
		    (int)strlen(delivery())), 0);
		engine_reads(ORCH_event);
		ck_assert_str_eq(any.event.delivery, "d-1");
		engine_says(ORCH_event_answer, &stored);
		ck_assert_int_eq(SSL_read_ex(ssl, got, sizeof(got), &n), 1);
		ck_assert_mem_eq(got, "HTTP/1.1 200 ", 13);
		SSL_free(ssl);
		close(fd);
	}
	SSL_CTX_free(ctx);
}
END_TEST

/* The parent has checked it; if all the same it is none, nothing is plain. */
START_TEST(without_a_usable_key_nothing_is_served_in_plain)
{
	struct sockaddr_in to;
	int fd;

	read_pair("tests/conf/tls-other.key");
	serve(ROLE_WEBHOOK);
	to = where;
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&to, sizeof(to)), -1);
	ck_assert_int_eq(errno, ECONNREFUSED);
	close(fd);
	close(parent);
	ck_assert_int_eq(exit_status(), 0);
}
END_TEST

START_TEST(a_delivery_under_way_is_answered_before_the_end)
{
	struct orch_event_answer stored = { .result = RES_OK };
	int fd;

	serve(ROLE_WEBHOOK);
	fd = client(delivery());
	engine_reads(ORCH_event);
	ck_assert_int_eq(kill(child, SIGTERM), 0);
	usleep(100000);
	ck_assert_int_eq(waitpid(child, NULL, WNOHANG), 0);
	engine_says(ORCH_event_answer, &stored);
	hear(fd, "HTTP/1.1 200 ");
	ck_assert_int_eq(exit_status(), 0);
}
END_TEST

START_TEST(who_says_nothing_does_not_keep_it_from_ending)
{
	int fd;

	serve(ROLE_WEBHOOK);
	fd = client("POST /webhook/gitea HTTP/1.1\r\n");
	ck_assert_int_eq(kill(child, SIGTERM), 0);
	ck_assert_int_eq(exit_status(), 0);
	close(fd);
}
END_TEST

START_TEST(refused_by_the_engine_ends)
{
	struct orch_hello_no no = { .reason = "not you" };
	struct orch_child_engine again = { .generation = 2 };
	int fd;

	serve(ROLE_PAGE);
	fd = new_engine();
	tell(ORCH_child_engine, &again, fd);
	close(fd);
	engine_reads(ORCH_hello);
	engine_says(ORCH_hello_no, &no);
	ck_assert_int_eq(exit_status(), 0);
}
END_TEST

START_TEST(without_a_parent_it_refuses)
{
	pid_t pid;
	int status;

	if ((pid = fork()) == 0) {
		close(3);
		execl(program(), "webhookd", (char *)NULL);
		_exit(127);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 1);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("webhookd_daemon");
	TCase *tc = tcase_create("daemon");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 30);
	tcase_add_checked_fixture(tc, NULL, teardown);
	tcase_add_test(tc, page_serves_inside_its_sandbox);
	tcase_add_test(tc, delivery_survives_the_engine);
	tcase_add_test(tc, tls_is_spoken_inside_the_sandbox);
	tcase_add_test(tc, without_a_usable_key_nothing_is_served_in_plain);
	tcase_add_test(tc, a_delivery_under_way_is_answered_before_the_end);
	tcase_add_test(tc, who_says_nothing_does_not_keep_it_from_ending);
	tcase_add_test(tc, refused_by_the_engine_ends);
	tcase_add_test(tc, without_a_parent_it_refuses);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed != 0);
}
