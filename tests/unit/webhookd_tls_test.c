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

/* Requests through TLS, with a client of OpenSSL's on the same loop. */

#include <check.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libcommon/fsutil.h"
#include "libcommon/tls.h"
#include "webhookd_serve.h"

#define DIR	"tests/conf/"
#define HEALTH	"GET /health HTTP/1.1\r\n" HOST "\r\n"

static SSL_CTX *mine;		/* the client's */
static SSL *ssl;
static int sock = -1;

static void
tls_setup(void)
{
	char *cert, *key, why[256];
	size_t clen, klen;

	setup();
	ck_assert_int_eq(fs_read_file(DIR "tls.crt", TLS_CERT_MAX, &cert,
	    &clen), 0);
	ck_assert_int_eq(fs_read_file(DIR "tls.key", TLS_KEY_MAX, &key,
	    &klen), 0);
	tls = tls_server(cert, clen, key, klen, why, sizeof(why));
	ck_assert_msg(tls != NULL, "%s", why);
	free(cert);
	free(key);
	ck_assert_ptr_nonnull(mine = SSL_CTX_new(TLS_client_method()));
	SSL_CTX_set_security_level(mine, 0);
	ck_assert_int_eq(SSL_CTX_load_verify_locations(mine, DIR "tls.crt",
	    NULL), 1);
	SSL_CTX_set_verify(mine, SSL_VERIFY_PEER, NULL);
}

static void
tls_teardown(void)
{
	SSL_free(ssl);
	if (sock != -1)
		close(sock);
	SSL_CTX_free(mine);
	teardown();
	SSL_CTX_free(tls);
}

/* Call it until it is done or has failed: 1, or what SSL_get_error() says. */
static int
until_done(int (*call)(SSL *), long ms)
{
	long end = now_ms() + ms;
	int n, error;

	do {
		ERR_clear_error();
		if ((n = call(ssl)) == 1)
			return (1);
		error = SSL_get_error(ssl, n);
		if (error != SSL_ERROR_WANT_READ &&
		    error != SSL_ERROR_WANT_WRITE)
			return (-error);
		turn(1);
	} while (now_ms() < end);
	return (0);
}

/* Connect and shake hands: 1, 0 when nothing comes of it, or a failure. */
static int
shake(void)
{
	int on = 1;

	SSL_free(ssl);
	if (sock != -1)
		close(sock);
	sock = client();
	ck_assert_int_eq(fcntl(sock, F_SETFL, O_NONBLOCK), 0);
	/* What follows the handshake would wait for its acknowledgement. */
	ck_assert_int_eq(setsockopt(sock, IPPROTO_TCP, TCP_NODELAY, &on,
	    sizeof(on)), 0);
	ck_assert_ptr_nonnull(ssl = SSL_new(mine));
	ck_assert_int_eq(SSL_set1_host(ssl, "hooks.example.org"), 1);
	ck_assert_int_eq(SSL_set_fd(ssl, sock), 1);
	return (until_done(SSL_connect, 1000));
}

static void
tell(const char *text, size_t len)
{
	long end = now_ms() + 5000;
	size_t n, at = 0;

	while (at < len && now_ms() < end) {
		if (SSL_write_ex(ssl, text + at, len - at, &n) == 1)
			at += n;
		turn(1);
	}
	ck_assert_uint_eq(at, len);
}

/* Read to the end: 1 with a farewell, -1 without, 0 when it stays open. */
static int
listen_to(long ms)
{
	long end = now_ms() + ms;
	int error;
	size_t n;

	got_len = 0;
	for (;;) {
		turn(1);
		ERR_clear_error();
		if (SSL_read_ex(ssl, got + got_len, sizeof(got) - 1 - got_len,
		    &n) == 1) {
			got_len += n;
			continue;
		}
		got[got_len] = '\0';
		error = SSL_get_error(ssl, 0);
		if (error == SSL_ERROR_ZERO_RETURN)
			return (1);
		if (error != SSL_ERROR_WANT_READ)
			return (-1);
		if (now_ms() > end)
			return (0);
	}
}

/* A delivery, and what becomes of it. */
static void
deliver(void)
{
	const char *text = delivery("");
	int before = engine.asked;

	ck_assert_int_eq(shake(), 1);
	tell(text, strlen(text));
	turn(20);
	ck_assert_int_eq(engine.asked, before + 1);
	ck_assert_str_eq(engine.body, PUSH);
	ck_assert_int_eq(engine_stores(RES_OK), 1);
	ck_assert_int_eq(listen_to(1000), 1);
	ck_assert_int_eq(status(), 200);
}

START_TEST(a_delivery_is_stored_and_answered_to_its_end)
{
	serve(ROLE_WEBHOOK, 0, 3000);
	deliver();
	ck_assert_str_eq(SSL_get_version(ssl), "TLSv1.3");
	close(sock);
	sock = -1;
	turn(20);
	ck_assert_uint_eq(server_nconns(server), 0);
}
END_TEST

START_TEST(old_versions_are_refused_and_1_2_is_not)
{
	serve(ROLE_WEBHOOK, 0, 3000);
	ck_assert_int_eq(SSL_CTX_set_max_proto_version(mine,
	    TLS1_1_VERSION), 1);
	ck_assert_int_lt(shake(), 0);
	turn(20);
	ck_assert_uint_eq(server_nconns(server), 0);
	ck_assert_int_eq(SSL_CTX_set_max_proto_version(mine,
	    TLS1_2_VERSION), 1);
	deliver();
	ck_assert_str_eq(SSL_get_version(ssl), "TLSv1.2");
}
END_TEST

START_TEST(nothing_is_renegotiated_or_resumed)
{
	serve(ROLE_WEBHOOK, 0, 3000);
	ck_assert_int_eq(SSL_CTX_set_max_proto_version(mine,
	    TLS1_2_VERSION), 1);
	ck_assert_int_eq(shake(), 1);
	ck_assert_int_eq(SSL_SESSION_has_ticket(SSL_get0_session(ssl)), 0);
	ck_assert_int_eq(SSL_renegotiate(ssl), 1);
	ck_assert_int_lt(until_done(SSL_do_handshake, 1000), 1);
}
END_TEST

/* Neither an answer in plain nor a place that stays taken. */
START_TEST(plain_bytes_get_no_answer)
{
	int fd;

	serve(ROLE_WEBHOOK, 0, 3000);
	fd = client();
	say(fd, HEALTH);
	ck_assert_int_ne(hear(fd, 1000), 0);
	ck_assert_ptr_null(strstr(got, "HTTP"));
	ck_assert_uint_eq(server_nconns(server), 0);
	ck_assert_int_eq(engine.asked, 0);
	close(fd);
}
END_TEST

START_TEST(a_hello_on_a_plain_port_is_400)
{
	SSL_CTX *keep = tls;
	int fd;

	tls = NULL;
	serve(ROLE_WEBHOOK, 0, 3000);
	tls = keep;
	ck_assert_int_lt(shake(), 0);
	fd = client();
	say(fd, "\x16\x03\x01\x02");
	ck_assert_int_eq(hear(fd, 1000), 1);
	ck_assert_int_eq(status(), 400);
	close(fd);
}
END_TEST

START_TEST(a_slow_handshake_ends_with_the_time_of_the_head)
{
	long t0;
	int fd;

	limits.sl_head_ms = 200;
	serve(ROLE_WEBHOOK, 0, 3000);
	fd = client();
	ck_assert_int_eq(send(fd, "\x16\x03\x01\x02\x00\x01", 6,
	    MSG_NOSIGNAL), 6);
	t0 = now_ms();
	ck_assert_int_ne(hear(fd, 2000), 0);
	ck_assert_uint_eq(got_len, 0);
	ck_assert_int_ge(now_ms() - t0, 150);
	ck_assert_int_lt(now_ms() - t0, 1000);
	ck_assert_uint_eq(server_nconns(server), 0);
	close(fd);
}
END_TEST

START_TEST(a_handshake_counts_in_the_time_of_the_whole)
{
	limits.sl_head_ms = 60000;
	limits.sl_whole_ms = 200;
	serve(ROLE_WEBHOOK, 0, 3000);
	sock = client();
	turn(300);
	ck_assert_uint_eq(server_nconns(server), 0);
}
END_TEST

START_TEST(bytes_may_come_one_by_one)
{
	const char *text = delivery("");
	size_t i;

	serve(ROLE_WEBHOOK, 0, 3000);
	ck_assert_int_eq(shake(), 1);
	for (i = 0; text[i] != '\0'; i++)
		tell(text + i, 1);
	turn(20);
	ck_assert_int_eq(engine_stores(RES_OK), 1);
	ck_assert_int_eq(listen_to(1000), 1);
	ck_assert_int_eq(status(), 200);
}
END_TEST

/* Larger than any buffer of TLS: what waits there must not be forgotten. */
START_TEST(a_large_body_comes_whole)
{
	char head[512], mac[SHA256_HEX_SIZE], *body;
	size_t len = 1000000;

	serve(ROLE_WEBHOOK, 0, 3000);
	ck_assert_ptr_nonnull(body = malloc(len + 1));
	memset(body, ' ', len);
	memcpy(body, PUSH, strlen(PUSH));
	body[len] = '\0';
	ck_assert_int_eq(hmac_sha256_hex(SECRET, strlen(SECRET), body, len,
	    mac), 0);
	(void)snprintf(head, sizeof(head), "POST /webhook/gitea HTTP/1.1\r\n"
	    HOST "Content-Type: application/json\r\nX-Gitea-Event: push\r\n"
	    "Content-Length: %zu\r\nX-Gitea-Signature: %s\r\n\r\n", len, mac);
	ck_assert_int_eq(shake(), 1);
	tell(head, strlen(head));
	tell(body, len);
	turn(50);
	ck_assert_int_eq(engine.asked, 1);
	ck_assert_int_eq(engine_stores(RES_OK), 1);
	ck_assert_int_eq(listen_to(1000), 1);
	ck_assert_int_eq(status(), 200);
	free(body);
}
END_TEST

START_TEST(a_client_that_has_said_all_may_say_so)
{
	const char *text = delivery("");

	serve(ROLE_WEBHOOK, 0, 3000);
	ck_assert_int_eq(shake(), 1);
	tell(text, strlen(text));
	(void)SSL_shutdown(ssl);
	turn(20);
	ck_assert_int_eq(engine_stores(RES_OK), 1);
	ck_assert_int_eq(listen_to(1000), 1);
	ck_assert_int_eq(status(), 200);
}
END_TEST

START_TEST(a_client_that_goes_away_is_forgotten)
{
	const char *text = delivery("");

	serve(ROLE_WEBHOOK, 0, 3000);
	ck_assert_int_eq(shake(), 1);
	tell(text, 20);
	close(sock);
	sock = -1;
	turn(20);
	ck_assert_uint_eq(server_nconns(server), 0);
	sock = client();
	close(sock);
	sock = -1;
	turn(20);
	ck_assert_uint_eq(server_nconns(server), 0);
}
END_TEST

START_TEST(a_refusal_reaches_its_client)
{
	static const char large[] = "POST /webhook/gitea HTTP/1.1\r\n" HOST
	    "Content-Length: 99999999\r\n\r\nabcdefghijklmnopqrstuvwxyz";

	serve(ROLE_WEBHOOK, 0, 3000);
	ck_assert_int_eq(shake(), 1);
	tell(large, sizeof(large) - 1);
	ck_assert_int_eq(listen_to(1000), 1);
	ck_assert_int_eq(status(), 413);
}
END_TEST

START_TEST(a_slow_reader_is_dropped)
{
	char *json;
	int small = 2048, i;

	limits.sl_send_ms = 200;
	serve(ROLE_PAGE, 1, 3000);
	ck_assert_ptr_nonnull(json = malloc(ANSWER));
	memset(json, ' ', ANSWER - 1);
	json[ANSWER - 1] = '\0';
	ck_assert_int_eq(shake(), 1);
	setsockopt(sock, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	tell("GET /status HTTP/1.1\r\n" HOST "\r\n", 24 + strlen(HOST));
	turn(20);
	for (i = 0; i < 12; i++)
		engine_answers(RES_OK, json, 1);
	ck_assert_int_eq(engine_answers(RES_OK, "{}", 0), 1);
	turn(100);
	ck_assert_uint_eq(server_nconns(server), 1);
	turn(300);
	ck_assert_uint_eq(server_nconns(server), 0);
	free(json);
}
END_TEST

/* Who proves nothing too often does not even get a handshake. */
START_TEST(over_the_rate_no_hand_is_shaken)
{
	int i;

	serve(ROLE_WEBHOOK, 0, 3000);
	for (i = 0; i < 100; i++) {
		ck_assert_int_eq(shake(), 1);
		tell("BAD\r\n", 5);
		ck_assert_int_eq(listen_to(1000), 1);
		ck_assert_int_eq(status(), 400);
	}
	for (i = 0; i < 100 && shake() == 1; i++) {
		tell("BAD\r\n", 5);
		(void)listen_to(1000);
	}
	ck_assert_int_lt(i, 100);
	turn(300);	/* time for one or two more */
	deliver();
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("webhookd_tls");
	TCase *tc = tcase_create("tls");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 30);
	tcase_add_checked_fixture(tc, tls_setup, tls_teardown);
	tcase_add_test(tc, a_delivery_is_stored_and_answered_to_its_end);
	tcase_add_test(tc, old_versions_are_refused_and_1_2_is_not);
	tcase_add_test(tc, nothing_is_renegotiated_or_resumed);
	tcase_add_test(tc, plain_bytes_get_no_answer);
	tcase_add_test(tc, a_hello_on_a_plain_port_is_400);
	tcase_add_test(tc, a_slow_handshake_ends_with_the_time_of_the_head);
	tcase_add_test(tc, a_handshake_counts_in_the_time_of_the_whole);
	tcase_add_test(tc, bytes_may_come_one_by_one);
	tcase_add_test(tc, a_large_body_comes_whole);
	tcase_add_test(tc, a_client_that_has_said_all_may_say_so);
	tcase_add_test(tc, a_client_that_goes_away_is_forgotten);
	tcase_add_test(tc, a_refusal_reaches_its_client);
	tcase_add_test(tc, a_slow_reader_is_dropped);
	tcase_add_test(tc, over_the_rate_no_hand_is_shaken);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed != 0);
}
