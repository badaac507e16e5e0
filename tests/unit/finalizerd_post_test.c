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
 * Comments and statuses that go to a forge, with an engine that lists them
 * until it has them on record.
 */

#include <check.h>
#include <errno.h>

#include <bsd/string.h>

#include <curl/curl.h>
#include <event2/event.h>

#include "finalizerd/finalizerd.h"
#include "libcommon/daemon.h"
#include "libcommon/git_remote.h"
#include "libcommon/monotime.h"

#include "forge_standin.h"
#include "git_fixture.h"

#define API	"/api/v1/repos/" FS_REPO
#define ROWS	8

/* The engine's rows: pending until they are done. */
static struct orch_outbox_row rows[ROWS];
static size_t nrows;
static int done[ROWS], failed[ROWS], never[ROWS];
static char error[512];
static unsigned int lists, notices;
static int alert;
static int refused = -1, refusals;	/* the alert, and how often */
static char refusal[480];

static struct event_base *base;
static uint32_t last_id;
static int away;

/* What the engine answers, from the loop. */
struct answer {
	unsigned int	a_type;
	uint32_t	a_id;
};

struct event_base *
daemon_base(void)
{
	return (base);
}

int
daemon_connected(void)
{
	return (!away);
}

const char *
daemon_option(const char *name, const char *dflt)
{
	return (dflt);
}

long long
daemon_option_num(const char *name, long long min, long long max,
    long long dflt)
{
	return (dflt);
}

int
daemon_run(const struct daemon_ops *ops, int argc, char **argv)
{
	return (1);
}

/* The oldest of each task that is not done. */
static void
list_answer(uint32_t id)
{
	struct orch_outbox_row end = { .last = 1 };
	size_t i, j;

	for (i = 0; i < nrows; i++) {
		for (j = 0; j < i; j++)
			if (!done[j] && strcmp(rows[j].task, rows[i].task) ==
			    0)
				break;
		if (!done[i] && j == i)
			post_row(id, &rows[i]);
	}
	end.dest = end.kind = end.task = end.key = end.text = end.project =
	    end.item = end.commit = "";
	post_row(id, &end);
}

static void
answer_cb(evutil_socket_t fd, short what, void *arg)
{
	struct orch_ack ack = { RES_OK, "" };
	struct answer *a = arg;

	if (a->a_type == ORCH_outbox_next)
		list_answer(a->a_id);
	else
		ck_assert_int_eq(post_ack(a->a_id, &ack), a->a_type ==
		    ORCH_outbox_done);
}

static void
note(unsigned int type, const void *msg)
{
	const struct orch_outbox_done *od = msg;
	const struct orch_notice *n = msg;
	size_t i;

	if (type == ORCH_outbox_next)
		lists++;
	else if (type == ORCH_notice) {
		ck_assert_str_eq(n->subject, "forge:demo");
		if (strcmp(n->kind, "remote_refused") == 0) {
			refused = n->on;
			refusals += n->on;
			(void)strlcpy(refusal, n->text, sizeof(refusal));
			return;
		}
		ck_assert_str_eq(n->kind, "remote_down");
		alert = n->on;
		notices++;
	} else
		for (i = 0; i < nrows; i++)
			if (rows[i].id == od->id) {
				done[i] += od->ok;
				failed[i] += !od->ok;
				never[i] += od->refused == OUTBOX_REFUSED;
				(void)strlcpy(error, od->error,
				    sizeof(error));
			}
}

int
daemon_send(unsigned int type, const void *msg, uint32_t *id)
{
	static const struct timeval soon = { 0, 1000 };
	static struct answer answers[65536];
	struct answer *a;

	if (away) {
		errno = ENOTCONN;
		return (-1);
	}
	note(type, msg);
	ck_assert_uint_lt(++last_id, sizeof(answers) / sizeof(answers[0]));
	a = &answers[last_id];
	a->a_type = type;
	a->a_id = last_id;
	if (id != NULL)
		*id = last_id;
	ck_assert_int_eq(event_base_once(base, -1, EV_TIMEOUT, answer_cb, a,
	    &soon), 0);
	return (0);
}

/* --- the world ------------------------------------------------------------ */

static void
row(const char *task, const char *kind, const char *text, const char *commit)
{
	static char keys[ROWS][32];
	struct orch_outbox_row *r = &rows[nrows];

	(void)snprintf(keys[nrows], sizeof(keys[0]), "%s:%s:%zu", task, kind,
	    nrows);
	memset(r, 0, sizeof(*r));
	r->id = nrows + 1;
	r->dest = "forge:demo";
	r->kind = kind;
	r->task = task;
	r->key = keys[nrows++];
	r->text = text;
	r->project = "demo";
	r->item = "";
	r->pull = 1;
	r->commit = commit;
}

static void
project(const char *forge)
{
	struct orch_child_project m;

	memset(&m, 0, sizeof(m));
	m.name = "demo";
	m.target = "main";
	m.forge = forge;
	m.forge_url = fs_base;
	m.forge_repo = FS_REPO;
	post_project(&m);
	post_secret("forge:demo", FS_TOKEN);
	post_secret("tracker:demo", "of no use");
}

/* Let the loop run until *what is at least n, or for some seconds. */
static void
run_until(const int *what, int n, unsigned int seconds)
{
	struct monotime end = monotime_add_ms(monotime_now(),
	    (int64_t)seconds * 1000);

	while (*what < n && monotime_cmp(monotime_now(), end) < 0) {
		(void)event_base_loop(base, EVLOOP_NONBLOCK);
		fs_pause(2);
	}
}

static char head[41];

static void
setup(void)
{
	struct git_remote gr = { .gr_token = FS_TOKEN };
	char first[41];

	fx_open();
	fs_start("1.26.1", "0");
	gr.gr_url = fs_git;
	fx_line(first, "rev-parse", "HEAD");
	fx_file("b", "two\n");
	fx_commit("Second", head);
	fx_push("main");
	ck_assert_int_eq(git_remote_push(&fx_repo, &gr, "main", first, "",
	    fx_err, sizeof(fx_err)), GIT_OK);
	ck_assert_int_eq(git_remote_push(&fx_repo, &gr, "f", head, "", fx_err,
	    sizeof(fx_err)), GIT_OK);
	ck_assert_int_eq(fs_call(FS_TOKEN, "POST", API "/pulls",
	    "{\"head\":\"f\",\"base\":\"main\",\"title\":\"t\"}", NULL), 201);
	ck_assert_ptr_nonnull(base = event_base_new());
	post_pause_ms = 1500;
	ck_assert_int_eq(post_start(), 0);
	project("gitea");
}

static void
teardown(void)
{
	post_stop();
	event_base_free(base);
	fs_stop();
	fx_close();
}

START_TEST(a_comment_is_made_once_whatever_is_lost)
{
	static const char *const faults[] = {
		"{\"match\":\"GET .*/nothing\",\"kind\":\"lost\"}",
		"{\"match\":\"POST .*/comments\",\"kind\":\"lost\"}",
		"{\"match\":\"POST .*/comments\",\"kind\":\"after\","
		"\"status\":500}",
		"{\"match\":\"POST .*/comments\",\"kind\":\"status\"}",
		"{\"match\":\"GET .*/comments.*\",\"kind\":\"html\"}",
		"{\"match\":\"POST .*/comments\",\"kind\":\"status\","
		"\"status\":429,\"headers\":{\"Retry-After\":\"1\"}}",
		"{\"match\":\"POST .*/comments\",\"kind\":\"after\","
		"\"status\":503,\"headers\":{\"Retry-After\":\"1\"}}",
	};

	setup();
	fs_fault(faults[_i]);
	row("DEMO-1", "comment", "Parked: <b>why</b>", "");
	post_engine_up();
	run_until(&done[0], 1, 20);
	ck_assert_int_eq(done[0], 1);
	ck_assert_int_eq(failed[0], 0);
	ck_assert_uint_eq(fs_count("/_standin/state",
	    "<!-- orchd:DEMO-1:comment:0 -->"), 1);
	ck_assert_int_eq(alert, 0);
	teardown();
}
END_TEST

START_TEST(a_status_is_set_on_its_commit)
{
	setup();
	row("DEMO-1", "status", "success orchd/check_tests_local\n3 tests",
	    head);
	row("DEMO-1", "status", "success orchd/x", "");
	post_engine_up();
	run_until(&done[0], 1, 10);
	run_until(&failed[1], 1, 10);
	ck_assert_uint_eq(fs_count("/_standin/state",
	    "orchd/check_tests_local"), 1);
	ck_assert_int_eq(done[1], 0);
	ck_assert_ptr_nonnull(strstr(error, "no commit"));
	teardown();
}
END_TEST

/* Gitea answers 500 to that; it is no reason to leave the forge alone. */
START_TEST(a_status_of_a_commit_that_is_not_there_stops_nobody_else)
{
	setup();
	row("DEMO-1", "status", "success orchd/x\n",
	    "00000000000000000000000000000000000000ee");
	row("DEMO-2", "status", "success orchd/y\n", head);
	post_engine_up();
	run_until(&failed[0], 6, 15);
	ck_assert_int_ge(failed[0], 1);
	run_until(&done[1], 1, 10);
	ck_assert_int_eq(done[1], 1);
	ck_assert_int_eq(alert, 0);
	teardown();
}
END_TEST

START_TEST(messages_of_a_task_keep_their_order)
{
	const char *text, *a, *b;

	setup();
	row("DEMO-1", "comment", "first", "");
	row("DEMO-1", "comment", "second", "");
	fs_fault("{\"match\":\"POST .*/comments\",\"kind\":\"status\"}");
	post_engine_up();
	run_until(&done[1], 1, 20);
	ck_assert_int_eq(done[0] + done[1], 2);
	ck_assert_int_eq(fs_call("tok-boss", "GET", "/_standin/state", NULL,
	    &text), 200);
	a = strstr(text, "first");
	b = strstr(text, "second");
	ck_assert(a != NULL && b != NULL && a < b);
	teardown();
}
END_TEST

START_TEST(a_forge_that_is_down_is_left_alone_and_found_again)
{
	unsigned int asked;

	setup();
	row("DEMO-1", "comment", "text", "");
	fs_fault("{\"match\":\".*/comments.*\",\"kind\":\"status\","
	    "\"times\":5}");
	post_engine_up();
	run_until(&alert, 1, 30);
	ck_assert_int_eq(alert, 1);
	asked = lists;
	run_until(&done[0], 1, 1);
	ck_assert_uint_eq(lists, asked);	/* left alone */
	ck_assert_int_eq(failed[0], 0);
	run_until(&done[0], 1, 20);
	ck_assert_int_eq(done[0], 1);
	ck_assert_int_eq(alert, 0);
	ck_assert_uint_eq(notices, 2);
	teardown();
}
END_TEST

START_TEST(what_the_forge_refuses_is_said)
{
	setup();
	row("DEMO-1", "comment", "text", "");
	rows[0].pull = 99;
	row("DEMO-2", "comment", "text", "");
	rows[1].pull = 0;
	row("DEMO-3", "telegram", "text", "");
	post_engine_up();
	run_until(&failed[0], 1, 10);
	run_until(&failed[1], 1, 10);
	run_until(&failed[2], 1, 10);
	ck_assert_int_ge(failed[0], 1);
	ck_assert_int_ge(failed[1], 1);
	ck_assert_int_ge(failed[2], 1);
	ck_assert_int_eq(alert, 0);
	teardown();
}
END_TEST

static void
denied(int status, const char *more)
{
	char fault[200];

	(void)snprintf(fault, sizeof(fault), "{\"match\":"
	    "\"POST .*/comments\",\"kind\":\"status\",\"times\":1,"
	    "\"status\":%d%s}", status, more);
	fs_fault(fault);
}

/* It is kept, tried again, and a person hears of it at once. */
START_TEST(a_token_that_may_not_write_is_an_alert)
{
	setup();
	row("DEMO-1", "comment", "text", "");
	denied(401, "");
	post_engine_up();
	run_until(&done[0], 1, 20);
	ck_assert_int_eq(failed[0], 1);
	ck_assert_int_eq(done[0], 1);
	ck_assert_int_eq(refusals, 1);
	ck_assert_msg(strstr(refusal, "forge:demo takes") != NULL, "%s",
	    refusal);
	ck_assert_int_eq(refused, 0);
	ck_assert_int_eq(alert, 0);
	teardown();
}
END_TEST

START_TEST(a_forge_that_says_when_to_come_back_is_left_alone_until_then)
{
	struct monotime begin;

	setup();
	row("DEMO-1", "comment", "text", "");
	denied(503, ",\"headers\":{\"Retry-After\":\"3\"}");
	begin = monotime_now();
	post_engine_up();
	run_until(&done[0], 1, 20);
	ck_assert_int_eq(done[0], 1);
	ck_assert_int_ge(monotime_sub_ms(monotime_now(), begin), 3000);
	ck_assert_int_eq(failed[0], 0);
	teardown();
}
END_TEST

START_TEST(what_a_message_says_is_refused_and_not_who_asks)
{
	static const int status[] = { 400, 413, 422, 401, 403, 404, 409 };
	size_t i;

	setup();
	post_engine_up();
	for (i = 0; i < sizeof(status) / sizeof(status[0]); i++) {
		denied(status[i], "");
		row("DEMO-1", "comment", "text", "");
		run_until(&done[i], 1, 20);
		ck_assert_int_eq(done[i], 1);
		ck_assert_int_eq(failed[i], 1);
		ck_assert_int_eq(never[i], i < 3);
	}
	teardown();
}
END_TEST

/* One closed talk is no refusal of all, and a limit ends by itself. */
START_TEST(a_403_is_an_alert_when_nothing_else_comes)
{
	setup();
	row("DEMO-1", "comment", "text", "");
	denied(403, "");
	denied(403, "");
	denied(403, ",\"headers\":{\"Retry-After\":\"1\"}");
	post_engine_up();
	run_until(&done[0], 1, 20);
	ck_assert_int_eq(failed[0], 2);
	ck_assert_int_eq(done[0], 1);
	ck_assert_int_eq(refusals, 0);
	row("DEMO-2", "comment", "text", "");
	denied(403, "");
	denied(403, "");
	denied(403, "");
	denied(403, "");
	run_until(&refusals, 1, 20);
	ck_assert_int_eq(failed[1], 3);
	ck_assert_msg(strstr(refusal, "write token file") != NULL &&
	    strstr(refusal, "HTTP 403") != NULL, "%s", refusal);
	run_until(&done[1], 1, 20);
	ck_assert_int_eq(refusals, 1);
	ck_assert_int_eq(refused, 0);
	teardown();
}
END_TEST

START_TEST(an_engine_that_was_away_is_told)
{
	setup();
	row("DEMO-1", "comment", "text", "");
	fs_fault("{\"match\":\"POST .*/comments\",\"kind\":\"slow\","
	    "\"seconds\":0.5}");
	post_engine_up();
	run_until(&done[0], 1, 1);
	while (fs_count("/_standin/state", "orchd:DEMO-1") == 0)
		run_until(&done[0], 1, 1);
	if (!done[0]) {
		away = 1;
		run_until(&done[0], 1, 2);
		away = 0;
	}
	post_engine_up();
	run_until(&done[0], 1, 10);
	ck_assert_int_ge(done[0], 1);
	ck_assert_uint_eq(fs_count("/_standin/state", "orchd:DEMO-1"), 1);
	teardown();
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("finalizerd post");
	TCase *tc = tcase_create("forge");
	SRunner *sr;
	int bad;

	(void)curl_global_init(CURL_GLOBAL_DEFAULT);
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, a_comment_is_made_once_whatever_is_lost, 0, 7);
	tcase_add_test(tc, a_status_is_set_on_its_commit);
	tcase_add_test(tc,
	    a_status_of_a_commit_that_is_not_there_stops_nobody_else);
	tcase_add_test(tc, messages_of_a_task_keep_their_order);
	tcase_add_test(tc,
	    a_forge_that_is_down_is_left_alone_and_found_again);
	tcase_add_test(tc, what_the_forge_refuses_is_said);
	tcase_add_test(tc, a_token_that_may_not_write_is_an_alert);
	tcase_add_test(tc,
	    a_forge_that_says_when_to_come_back_is_left_alone_until_then);
	tcase_add_test(tc, what_a_message_says_is_refused_and_not_who_asks);
	tcase_add_test(tc, a_403_is_an_alert_when_nothing_else_comes);
	tcase_add_test(tc, an_engine_that_was_away_is_told);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	bad = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (bad == 0 ? 0 : 1);
}
