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
 * What a receiver refuses, each through a connection as a sender makes it:
 * bodies in chunks, signatures at the wrong place, JSON that is a trap.
 */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "webhookd_serve.h"

#define PLANE_SECRET	"the secret of the other endpoint"
#define ISSUE	"{\"event\":\"issue\",\"action\":\"updated\",\"data\":{\"id\":" \
		"\"e1c25c66-5bb8-465e-a818-92a483423443\",\"project\":" \
		"\"4af68566-94a4-4eb3-94aa-50dc9427067b\"}}"

static void
receive(void)
{
	serve(ROLE_WEBHOOK, 1, 3000);
	site.st_plane.dc_secrets[0] = PLANE_SECRET;
}

/* A body signed with that secret, under that header; the answer's status. */
static int
post(const char *path, const char *header, const char *secret,
    const char *more, const char *body, size_t len)
{
	char head[1024], mac[SHA256_HEX_SIZE];
	size_t at, n;
	ssize_t sent;
	int fd;

	ck_assert_int_eq(hmac_sha256_hex(secret, strlen(secret), body, len,
	    mac), 0);
	n = (size_t)snprintf(head, sizeof(head), "POST %s HTTP/1.1\r\n" HOST
	    "Content-Type: application/json\r\nContent-Length: %zu\r\n"
	    "%s: %s\r\n%s\r\n", path, len, header, mac, more);
	fd = client();
	ck_assert_int_eq(send(fd, head, n, MSG_NOSIGNAL), (ssize_t)n);
	for (at = 0; at < len; at += (size_t)sent) {
		sent = send(fd, body + at, len - at, MSG_NOSIGNAL |
		    MSG_DONTWAIT);
		if (sent == -1 && errno != EAGAIN)
			break;
		sent = sent == -1 ? 0 : sent;
		turn(1);
	}
	turn(5);
	if (engine_stores(RES_OK) == 1)
		turn(1);
	ck_assert_int_eq(hear(fd, 3000), 1);
	close(fd);
	return (status());
}

static int
to_gitea(const char *body, size_t len)
{
	return (post("/webhook/gitea", "X-Gitea-Signature", SECRET,
	    "X-Gitea-Event: push\r\n", body, len));
}

static int
to_plane(const char *body, size_t len)
{
	return (post("/webhook/plane", "X-Plane-Signature", PLANE_SECRET, "",
	    body, len));
}

/* Whatever is wrong in the chunks: none of them is looked at. */
START_TEST(bodies_in_chunks_are_never_read)
{
	static const char *const bodies[] = {
		"5\r\nhello\r\n0\r\n\r\n", "5\nhello\r\n0\r\n\r\n",
		"5\rhello\r\n0\r\n\r\n", "5;\r\nhello\r\n0\r\n\r\n",
		"ffffffffffffffffff\r\n", "-1\r\n\r\n", "5\r\nhelloworld\r\n",
		"5\r\nhello0\r\n\r\n", "0x5\r\nhello\r\n0\r\n\r\n", ""
	};
	char text[512];
	size_t i;

	receive();
	for (i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		(void)snprintf(text, sizeof(text), "POST /webhook/gitea "
		    "HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
		    "%s", bodies[i]);
		exchange(text, 501);
		ck_assert_ptr_null(strstr(got + 1, "HTTP/1.1 "));
		(void)snprintf(text, sizeof(text), "POST /webhook/gitea "
		    "HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n"
		    "Content-Length: 5\r\n\r\n%s", bodies[i]);
		exchange(text, 400);
		ck_assert_ptr_null(strstr(got + 1, "HTTP/1.1 "));
	}
	ck_assert_int_eq(engine.asked, 0);
}
END_TEST

/* A million chunks of one byte: refused at the head, the rest discarded. */
START_TEST(a_million_chunks_cost_nothing)
{
	static char chunks[6 * 10000];
	int fd, i, n = 0;

	receive();
	for (i = 0; i < 10000; i++)
		memcpy(chunks + 6 * i, "1\r\na\r\n", 6);
	fd = client();
	say(fd, "POST /webhook/gitea HTTP/1.1\r\n" HOST
	    "Transfer-Encoding: chunked\r\n\r\n");
	for (i = 0; i < 100 && n != -1; i++) {
		n = (int)send(fd, chunks, sizeof(chunks), MSG_NOSIGNAL |
		    MSG_DONTWAIT);
		if (n == -1 && errno == EAGAIN)
			n = 0;
		turn(1);
	}
	(void)hear(fd, 3000);
	ck_assert_int_eq(status(), 501);
	close(fd);
	turn(20);
	ck_assert_uint_eq(server_nconns(server), 0);
}
END_TEST

START_TEST(a_signature_counts_at_its_own_endpoint)
{
	size_t p = strlen(PUSH), i = strlen(ISSUE);

	receive();
	ck_assert_int_eq(to_gitea(PUSH, p), 200);
	ck_assert_int_eq(to_plane(ISSUE, i), 200);
	/* The other one's secret, under either header. */
	ck_assert_int_eq(post("/webhook/plane", "X-Plane-Signature", SECRET,
	    "", ISSUE, i), 401);
	ck_assert_int_eq(post("/webhook/gitea", "X-Gitea-Signature",
	    PLANE_SECRET, "X-Gitea-Event: push\r\n", PUSH, p), 401);
	/* The right secret under the other one's header. */
	ck_assert_int_eq(post("/webhook/plane", "X-Gitea-Signature",
	    PLANE_SECRET, "", ISSUE, i), 401);
	ck_assert_int_eq(post("/webhook/gitea", "X-Plane-Signature", SECRET,
	    "X-Gitea-Event: push\r\n", PUSH, p), 401);
	/* And what others call theirs. */
	ck_assert_int_eq(post("/webhook/gitea", "X-Hub-Signature-256",
	    SECRET, "X-Gitea-Event: push\r\n", PUSH, p), 401);
	ck_assert_int_eq(post("/webhook/gitea", "X-Gogs-Signature", SECRET,
	    "X-Gitea-Event: push\r\n", PUSH, p), 401);
	ck_assert_int_eq(post("/webhook/plane", "webhook-signature",
	    PLANE_SECRET, "webhook-id: a\r\nwebhook-timestamp: 1\r\n", ISSUE,
	    i), 401);
}
END_TEST

#define ZEROES	"00000000000000000000000000000000"

START_TEST(each_fault_of_a_signature_gets_the_same_answer_everywhere)
{
	static const char *const values[] = { "", "%s:\r\n", "%s: abc\r\n",
	    "%s: a\r\n%s: a\r\n", "%s: " ZEROES ZEROES "\r\n",
	    "%s: sha256=" ZEROES ZEROES "\r\n", "%s: " ZEROES ZEROES "0\r\n",
	    "%s: ABCDEF" ZEROES ZEROES "\r\n", "%s: " ZEROES ZEROES "\r\n"
	    "%s: " ZEROES ZEROES "\r\n" };
	static const char *const names[] = { "X-Gitea-Signature",
	    "X-Plane-Signature" };
	static const char *const paths[] = { "/webhook/gitea",
	    "/webhook/plane" };
	char text[2048], sig[512], *first = NULL;
	size_t i, j;

	receive();
	for (i = 0; i < 2; i++)
		for (j = 0; j < sizeof(values) / sizeof(values[0]); j++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
			(void)snprintf(sig, sizeof(sig), values[j], names[i],
			    names[i]);
#pragma GCC diagnostic pop
			(void)snprintf(text, sizeof(text), "POST %s HTTP/1.1"
			    "\r\n" HOST "Content-Type: application/json\r\n"
			    "X-Gitea-Event: push\r\nContent-Length: 2\r\n%s"
			    "\r\n{}", paths[i], sig);
			exchange(text, 401);
			if (first == NULL)
				ck_assert_ptr_nonnull(first = strdup(got));
			ck_assert_str_eq(got, first);
		}
	free(first);
	ck_assert_int_eq(engine.asked, 0);
}
END_TEST

/* Signed right, so that it is the JSON that is refused. */
static void
bad_json(const char *body, size_t len)
{
	ck_assert_msg(to_gitea(body, len) == 400, "gitea: %.60s", body);
	ck_assert_msg(to_plane(body, len) == 400, "plane: %.60s", body);
}

START_TEST(json_that_is_a_trap_is_400)
{
	static const char *const bad[] = {
		"{\"a\":1,\"a\":2}", "{\"__proto__\":{}}", "{\"a\":1e400}",
		"{\"a\":-0}", "{\"a\":9223372036854775808}",
		"{\"a\":NaN}", "{\"a\":007}", "[]", "nul", "{\"a\":1}x",
		"\xef\xbb\xbf{}", "{\"a\":\"\\ud800\"}"
	};
	size_t i, len = 1 << 20;
	char *s;

	receive();
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		bad_json(bad[i], strlen(bad[i]));
	ck_assert_ptr_nonnull(s = malloc(len + 32));
	memset(s, '[', len);
	bad_json(s, len);
	bad_json(s, 10000);
	memcpy(s, "{\"a\":", 5);	/* 10,000 deep, and whole */
	memset(s + 5 + 10000, ']', 10000);
	s[5 + 20000] = '}';
	bad_json(s, 5 + 20001);
	for (i = 0, len = 1; i < 100000; i++)
		len += (size_t)snprintf(s + len, 24, "\"%05zx\":0,", i);
	s[len - 1] = '}';
	ck_assert_uint_lt(len, 1 << 20);
	bad_json(s, len);
	free(s);
	ck_assert_int_eq(engine.asked, 0);
}
END_TEST

/* Of a body the engine is told whose it is and which branch; no address. */
START_TEST(names_and_addresses_in_a_body_mean_nothing)
{
	static const char body[] = "{\"ref\":\"refs/heads/main\",\"before\":"
	    "\"a\",\"after\":\"b\",\"pusher\":{\"login\":\"admin\"},"
	    "\"sender\":{\"login\":\"admin\",\"is_admin\":true},"
	    "\"repository\":{\"full_name\":\"o/r\",\"clone_url\":"
	    "\"http://169.254.169.254/\",\"html_url\":\"file:///etc/passwd\","
	    "\"ssh_url\":\"ext::sh -c id\"}}";

	receive();
	ck_assert_int_eq(to_gitea(body, sizeof(body) - 1), 200);
	ck_assert_int_eq(engine.asked, 1);
	ck_assert_str_eq(engine.kind, "push");
	ck_assert_str_eq(engine.body, body);
	ck_assert_str_eq(engine.project, "o/r");
	ck_assert_str_eq(engine.object, "main");
}
END_TEST

/* Kept, as everything that is signed, and of no use. */
START_TEST(an_event_of_no_use_is_ignored_aloud)
{
	static const char body[] = "{\"action\":\"published\",\"release\":{},"
	    "\"repository\":{\"full_name\":\"o/r\"}}";

	receive();
	ck_assert_int_eq(post("/webhook/gitea", "X-Gitea-Signature", SECRET,
	    "X-Gitea-Event: release\r\n", body, sizeof(body) - 1), 200);
	ck_assert_int_eq(engine.asked, 1);
	ck_assert_str_eq(engine.kind, "unknown");
	ck_assert_str_eq(engine.project, "");
	ck_assert_ptr_nonnull(strstr(got, "{\"status\":\"ignored\"}"));
	ck_assert_int_eq(to_gitea(PUSH, strlen(PUSH)), 200);
	ck_assert_ptr_nonnull(strstr(got, "{\"status\":\"stored\"}"));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("webhookd_refusals");
	TCase *tc = tcase_create("refusals");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 30);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, bodies_in_chunks_are_never_read);
	tcase_add_test(tc, a_million_chunks_cost_nothing);
	tcase_add_test(tc, a_signature_counts_at_its_own_endpoint);
	tcase_add_test(tc,
	    each_fault_of_a_signature_gets_the_same_answer_everywhere);
	tcase_add_test(tc, json_that_is_a_trap_is_400);
	tcase_add_test(tc, names_and_addresses_in_a_body_mean_nothing);
	tcase_add_test(tc, an_event_of_no_use_is_ignored_aloud);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed != 0);
}
