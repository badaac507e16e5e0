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
 * The whole process, in its sandbox: a parent on descriptor 3, an engine, and
 * a server whose name has to be looked up.
 */

#include <sys/socket.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>

#include "libcommon/chan.h"
#include "libcommon/daemon.h"
#include "reconciled/reconciled.h"

#define WAIT_MS	10000
#define PID	"00000000-0000-4000-8000-0000000000aa"
#define ID	"00000000-0000-4000-8000-0000000000bb"
#define API	"/api/v1/workspaces/team/projects/" PID "/"
#define PAGE(rows) "{\"results\":[" rows "],\"next_page_results\":false,"\
	"\"next_cursor\":\"100:1:0\"}"

static int parent = -1, engine = -1;
static pid_t child, server;
static char url[64];

static struct orch_header head;
static union orch_any got;

/* --- the server: an item's title is the key that it was asked with --- */

static void
request_cb(struct evhttp_request *req, void *arg)
{
	struct evbuffer *out = evbuffer_new();
	const char *uri = evhttp_request_get_uri(req);
	const char *key = evhttp_find_header(
	    evhttp_request_get_input_headers(req), "X-API-Key");

	if (strcmp(uri, "/api/v1/users/me/") == 0)
		evbuffer_add_printf(out, "{\"id\":\"" ID "\"}");
	else if (strstr(uri, "/states/") != NULL)
		evbuffer_add_printf(out, PAGE("{\"id\":\"" ID "\","
		    "\"name\":\"To Analyse\"}"));
	else if (strstr(uri, "order_by") != NULL)
		evbuffer_add_printf(out, PAGE("{\"id\":\"" ID "\","
		    "\"sequence_id\":4,\"name\":\"%s\",\"state\":\"" ID "\","
		    "\"updated_at\":\"2026-11-22T12:00:00Z\"}"),
		    key == NULL ? "" : key);
	else
		evbuffer_add_printf(out, PAGE(""));
	evhttp_send_reply(req, 200, "OK", out);
	evbuffer_free(out);
}

static void
server_start(void)
{
	struct event_base *base = event_base_new();
	struct evhttp *http = evhttp_new(base);
	struct evhttp_bound_socket *s = evhttp_bind_socket_with_handle(http,
	    "127.0.0.1", 0);
	struct sockaddr_in sin;
	socklen_t len = sizeof(sin);

	ck_assert_ptr_nonnull(s);
	ck_assert_int_eq(getsockname(evhttp_bound_socket_get_fd(s),
	    (struct sockaddr *)&sin, &len), 0);
	(void)snprintf(url, sizeof(url), "http://localhost:%u",
	    ntohs(sin.sin_port));
	evhttp_set_gencb(http, request_cb, NULL);
	if ((server = fork()) == 0) {
		(void)alarm(60);
		(void)event_reinit(base);
		(void)event_base_dispatch(base);
		_exit(0);
	}
	evhttp_free(http);
	event_base_free(base);
}

/* --- parent and engine --- */

static void
setup(void)
{
	char name[] = "reconciled";
	char *argv[] = { name, NULL };
	int sv[2];

	server_start();
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
	    sv), 0);
	parent = sv[0];
	if ((child = fork()) == 0) {
		close(parent);
		if (dup2(sv[1], 3) == -1)
			_exit(70);
		exit(daemon_run(&reconciled_ops, 1, argv));
	}
	close(sv[1]);
}

static void
teardown(void)
{
	if (child > 0) {
		(void)kill(child, SIGKILL);
		(void)waitpid(child, NULL, 0);
	}
	(void)kill(server, SIGKILL);
	(void)waitpid(server, NULL, 0);
	close(parent);
	close(engine);
}

static void
say(int sock, unsigned int type, uint32_t id, const void *msg, int fd)
{
	ck_assert_int_eq(chan_write_one(sock, type, id, msg, fd, WAIT_MS),
	    0);
}

static int
hear(int sock)
{
	static uint8_t *frame;
	int fd;

	free(frame);
	frame = NULL;
	ck_assert_int_eq(chan_read_one(sock, FROM_RECONCILED, &head, &got,
	    &frame, &fd, WAIT_MS), 0);
	return ((int)head.h_type);
}

/* Skip and acknowledge what else it says. */
static void
hear_until(int type)
{
	struct orch_ack ok = { .result = RES_OK, .text = "" };
	struct orch_outbox_row none = { .last = 1 };

	for (;;) {
		(void)hear(engine);
		if (head.h_type == ORCH_outbox_next)
			say(engine, ORCH_outbox_row, head.h_id, &none, -1);
		else
			say(engine, ORCH_ack, head.h_id, &ok, -1);
		if ((int)head.h_type == type)
			return;
	}
}

/* Everything that the parent has for it. */
static void
hand_over(const char *key)
{
	struct orch_child_project p = { .name = "web", .prefix = "WEB",
	    .target = "main", .tracker = "plane", .tracker_url = url,
	    .workspace = "team", .tracker_project = PID };
	struct orch_child_secret s = { "tracker:web", key };
	struct orch_child_go go = { ROLE_RECONCILED };

	say(parent, ORCH_child_project, 0, &p, -1);
	say(parent, ORCH_child_secret, 0, &s, -1);
	say(parent, ORCH_child_go, 0, &go, -1);
}

static void
start_up(void)
{
	static const char *const options[] = { "poll_interval_s=1", NULL };
	struct orch_child_start start = { .role = ROLE_RECONCILED,
	    .generation = 1, .name = "reconciled" };
	struct orch_hello_ok ok = { .minor = ORCH_PROTO_MINOR };
	int sv[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
	    sv), 0);
	engine = sv[0];
	start.options.l_argv = options;
	say(parent, ORCH_child_start, 0, &start, sv[1]);
	close(sv[1]);
	hand_over("key-one");
	ck_assert_int_eq(hear(engine), ORCH_hello);
	say(engine, ORCH_hello_ok, head.h_id, &ok, -1);
	ck_assert_int_eq(hear(parent), ORCH_child_ready);
}

START_TEST(it_asks_from_inside_its_sandbox)
{
	start_up();
	hear_until(ORCH_tracker_item);
	ck_assert_str_eq(got.tracker_item.project, "web");
	ck_assert_uint_eq(got.tracker_item.number, 4);
	ck_assert_str_eq(got.tracker_item.status, "To Analyse");
	ck_assert_str_eq(got.tracker_item.title, "key-one");
}
END_TEST

START_TEST(it_ends_in_order_with_requests_under_way)
{
	int status;

	start_up();
	ck_assert_int_eq(kill(child, SIGTERM), 0);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	child = -1;
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0,
	    "status %#x", (unsigned int)status);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("reconciled process");
	TCase *tc = tcase_create("process");
	SRunner *sr;
	int bad;

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, it_asks_from_inside_its_sandbox);
	tcase_add_test(tc, it_ends_in_order_with_requests_under_way);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	bad = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (bad == 0 ? 0 : 1);
}
