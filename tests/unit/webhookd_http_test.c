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

#include <check.h>
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FUZZER			/* no main() */
#include "tests/fuzz/http_head.c"
#include "webhookd/http.h"

#define CORPUS	"tests/fuzz/http_head.corpus"

#define HOST	"Host: h\r\n"
#define POST	"POST /webhook/gitea HTTP/1.1\r\n" HOST

static struct http_head head;

static enum http_result
parse(const char *s, size_t n)
{
	return (http_parse_head((const uint8_t *)s, n, &head));
}

static void
refused(const char *s, size_t n, int status)
{
	enum http_result res = parse(s, n);

	ck_assert_msg(res == HTTP_REFUSED, "not refused: %s", s);
	ck_assert_msg(head.ht_status == status, "%d (%s), not %d: %s",
	    head.ht_status, head.ht_why, status, s);
}

#define REFUSED(s, status)	refused((s), sizeof(s) - 1, (status))

static void
accepted(const char *s)
{
	enum http_result res = parse(s, strlen(s));

	ck_assert_msg(res == HTTP_DONE, "%d %s: %s", res,
	    res == HTTP_REFUSED ? head.ht_why : "more", s);
}

/* A request with a long run of a in the middle. */
static void
refused_long(const char *before, const char *after, int status)
{
	size_t b = strlen(before), a = strlen(after), n = 100 * 1024;
	char *s = malloc(b + n + a + 1);

	ck_assert_ptr_nonnull(s);
	memcpy(s, before, b);
	memset(s + b, 'A', n);
	memcpy(s + b + n, after, a + 1);
	refused(s, b + n + a, status);
	free(s);
}

START_TEST(good_requests_pass)
{
	accepted("GET /status HTTP/1.1\r\nHost: 127.0.0.1:8480\r\n\r\n");
	accepted("GET / HTTP/1.0\r\n\r\n");
	accepted("GET / HTTP/1.1\r\nHost: [::1]:8480\r\n\r\n");
	accepted(POST "Content-Length: 5\r\n\r\nhello");
	ck_assert_uint_eq(head.ht_length, 5);
	accepted(POST "Content-Length: \t 5 \t\r\n\r\n");
	ck_assert_uint_eq(head.ht_length, 5);
	accepted(POST "X-Empty:\r\nContent-Length: 0\r\n\r\n");
	accepted(POST "content-length: 1\r\nX: \xc3\xa9\r\n\r\n");
	accepted(POST "Content-Length:1\r\nTransfer_Encoding: chunked\r\n\r\n");
	ck_assert_uint_eq(head.ht_length, 1);
	accepted(POST "Content-Length: 1\r\nExpect: 100-continue\r\n\r\n");
	ck_assert_int_eq(head.ht_expect, 1);
	accepted("POST / HTTP/1.0\r\nContent-Length: 1\r\n"
	    "Expect: 100-continue\r\n\r\n");
	ck_assert_int_eq(head.ht_expect, 0);
}
END_TEST

START_TEST(slices_are_the_bytes_sent)
{
	const struct http_header *hh;

	accepted("GET /a%2fb HTTP/1.1\r\nHost:\th:1 \r\nX-Y: a  b\r\n\r\nrest");
	ck_assert(http_slice_is(head.ht_method, "GET"));
	ck_assert(http_slice_is(head.ht_target, "/a%2fb"));
	ck_assert_int_eq(head.ht_minor, 1);
	hh = http_header_find(&head, "x-y");
	ck_assert_ptr_nonnull(hh);
	ck_assert(http_slice_is(hh->hh_value, "a  b"));
	hh = http_header_find(&head, "HOST");
	ck_assert(http_slice_is(hh->hh_value, "h:1"));
	ck_assert_ptr_null(http_header_find(&head, "x-"));
	ck_assert_uint_eq(head.ht_size, strlen("GET /a%2fb HTTP/1.1\r\n"
	    "Host:\th:1 \r\nX-Y: a  b\r\n\r\n"));
}
END_TEST

START_TEST(length_with_transfer_encoding_is_400)
{
	REFUSED(POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
	    400);
	REFUSED(POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
	    400);
	REFUSED(POST "Transfer-Encoding: \x0b" "chunked\r\n"
	    "Content-Length: 5\r\n\r\n", 400);
}
END_TEST

START_TEST(two_lengths_are_400)
{
	REFUSED(POST "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", 400);
	REFUSED(POST "Content-Length: 5\r\ncontent-length: 5\r\n\r\n", 400);
	REFUSED(POST "Content-Length: 5, 5\r\n\r\n", 400);
}
END_TEST

START_TEST(odd_lengths_are_refused)
{
	REFUSED(POST "Content-Length: 9223372036854775808\r\n\r\n", 413);
	REFUSED(POST "Content-Length: 18446744073709551616\r\n\r\n", 413);
	REFUSED(POST "Content-Length: 18446744073709551621\r\n\r\n", 413);
	REFUSED(POST "Content-Length: "
	    "1234567890123456789012345678901234567890\r\n\r\n", 413);
	REFUSED(POST "Content-Length: 05\r\n\r\n", 400);
	REFUSED(POST "Content-Length: +5\r\n\r\n", 400);
	REFUSED(POST "Content-Length: -5\r\n\r\n", 400);
	REFUSED(POST "Content-Length: 0x5\r\n\r\n", 400);
	REFUSED(POST "Content-Length: 5 5\r\n\r\n", 400);
	REFUSED(POST "Content-Length: 5;\r\n\r\n", 400);
	REFUSED(POST "Content-Length:\r\n\r\n", 400);
}
END_TEST

START_TEST(transfer_encodings_are_refused)
{
	REFUSED(POST "Transfer-Encoding: chunked\r\n\r\n", 501);
	REFUSED(POST "Transfer-Encoding: chunked \r\n\r\n", 501);
	REFUSED(POST "Transfer-Encoding: identity\r\n\r\n", 501);
	REFUSED(POST "Transfer-Encoding:\r\n\r\n", 501);
	REFUSED(POST "Transfer-Encoding: \x0b" "chunked\r\n\r\n", 400);
	REFUSED(POST "Transfer-Encoding: \x0c" "chunked\r\n\r\n", 400);
	REFUSED(POST "Transfer-Encoding: chu\0nked\r\n\r\n", 400);
	REFUSED(POST "Transfer-Encoding : chunked\r\n\r\n", 400);
	REFUSED(POST "Transfer-Encoding:\r\n chunked\r\n\r\n", 400);
	REFUSED(POST "X: a\r\n\tTransfer-Encoding: chunked\r\n\r\n", 400);
}
END_TEST

START_TEST(line_ends_other_than_crlf_are_400)
{
	REFUSED(POST "X: a\rb\r\n\r\n", 400);
	REFUSED(POST "X: a\nY: b\r\n\r\n", 400);
	REFUSED(POST "X: a\r\n\n", 400);
	REFUSED("GET / HTTP/1.1\nHost: h\n\n", 400);
	REFUSED("GET / HTTP/1.1\r\r\n", 400);
	REFUSED("\r\nGET / HTTP/1.1\r\n" HOST "\r\n", 400);
	REFUSED(POST "X: a\0b\r\n\r\n", 400);
	REFUSED("GET /\0 HTTP/1.1\r\n" HOST "\r\n", 400);
	REFUSED(POST "X: \x7f\r\n\r\n", 400);
}
END_TEST

START_TEST(bad_names_are_400)
{
	REFUSED(POST ": v\r\n\r\n", 400);
	REFUSED(POST "X Y: v\r\n\r\n", 400);
	REFUSED(POST "X(: v\r\n\r\n", 400);
	REFUSED(POST "X\r\n\r\n", 400);
	REFUSED(POST "X\xc3\xa9: v\r\n\r\n", 400);
}
END_TEST

START_TEST(no_name_comes_twice)
{
	REFUSED("GET / HTTP/1.1\r\n" HOST "hOST: h\r\n\r\n", 400);
	REFUSED(POST "X-A: 1\r\nX-B: 1\r\nx-a: 1\r\n\r\n", 400);
}
END_TEST

/* Judged with the other faults of a signature, so that all look the same. */
START_TEST(second_signature_is_marked)
{
	const struct http_header *hh;

	accepted(POST "X-Gitea-Signature: a\r\nContent-Length: 0\r\n"
	    "x-gitea-signature: b\r\nX-Plane-Signature: c\r\n\r\n");
	hh = http_header_find(&head, "X-Gitea-Signature");
	ck_assert_ptr_nonnull(hh);
	ck_assert_int_eq(hh->hh_repeated, 1);
	hh = http_header_find(&head, "X-Plane-Signature");
	ck_assert_int_eq(hh->hh_repeated, 0);
	accepted(POST "X-Plane-Signature: a\r\nContent-Length: 0\r\n"
	    "X-PLANE-Signature: a\r\n\r\n");
	hh = http_header_find(&head, "X-Plane-Signature");
	ck_assert_int_eq(hh->hh_repeated, 1);
}
END_TEST

START_TEST(other_versions_are_refused)
{
	REFUSED("GET /\r\n", 400);
	REFUSED("GET / HTTP/1.10\r\n" HOST "\r\n", 400);
	REFUSED("GET / HTTP/01.1\r\n" HOST "\r\n", 400);
	REFUSED("GET / http/1.1\r\n" HOST "\r\n", 400);
	REFUSED("GET / HTTP/1.2\r\n" HOST "\r\n", 505);
	REFUSED("GET / HTTP/0.9\r\n" HOST "\r\n", 505);
	REFUSED("GET / HTTP/2.0\r\n" HOST "\r\n", 505);
	REFUSED("GET / HTTP/1.1 \r\n" HOST "\r\n", 400);
	REFUSED("GET  / HTTP/1.1\r\n" HOST "\r\n", 400);
	REFUSED("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400);
}
END_TEST

START_TEST(what_is_no_http_is_refused_by_its_first_byte)
{
	REFUSED("\x16\x03\x01", 400);
	REFUSED("\x00", 400);
	REFUSED("get / HTTP/1.1\r\n", 400);
	REFUSED(" GET / HTTP/1.1\r\n", 400);
	REFUSED("GET http://h/ HTTP/1.1\r\n" HOST "\r\n", 400);
	REFUSED("CONNECT h:443 HTTP/1.1\r\n" HOST "\r\n", 400);
	REFUSED("OPTIONS * HTTP/1.1\r\n" HOST "\r\n", 400);
}
END_TEST

START_TEST(host_is_exactly_one)
{
	REFUSED("GET / HTTP/1.1\r\n\r\n", 400);
	REFUSED("GET / HTTP/1.1\r\nHost:\r\n\r\n", 400);
	REFUSED("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400);
	REFUSED("GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", 400);
	REFUSED("GET / HTTP/1.1\r\nHost: u@h\r\n\r\n", 400);
	REFUSED("GET / HTTP/1.0\r\nHost: a/b\r\n\r\n", 400);
}
END_TEST

START_TEST(codings_upgrades_expectations_are_refused)
{
	REFUSED(POST "Content-Length: 1\r\nContent-Encoding: gzip\r\n\r\n",
	    415);
	REFUSED("GET / HTTP/1.1\r\n" HOST "Upgrade: h2c\r\n\r\n", 415);
	REFUSED(POST "Content-Length: 1\r\nExpect: foo\r\n\r\n", 417);
	REFUSED(POST "Content-Length: 1\r\nExpect:\r\n\r\n", 417);
}
END_TEST

START_TEST(long_parts_are_bounded)
{
	refused_long("", " / HTTP/1.1\r\n\r\n", 400);
	refused_long("GET /", " HTTP/1.1\r\n\r\n", 414);
	refused_long("GET / HTTP/1.1\r\n", ": v\r\n\r\n", 431);
	refused_long("GET / HTTP/1.1\r\nX: ", "\r\n\r\n", 431);
}
END_TEST

/* n headers and a Host. */
static void
many_headers(size_t n, char *buf, size_t len)
{
	size_t i, at;

	at = (size_t)snprintf(buf, len, "GET / HTTP/1.1\r\n%s", HOST);
	for (i = 0; i < n; i++)
		at += (size_t)snprintf(buf + at, len - at, "a%zu:\r\n", i);
	(void)snprintf(buf + at, len - at, "\r\n");
}

START_TEST(many_headers_are_431)
{
	static char buf[200 * 1024];

	many_headers(HTTP_HEADERS_MAX - 1, buf, sizeof(buf));
	accepted(buf);
	many_headers(HTTP_HEADERS_MAX, buf, sizeof(buf));
	refused(buf, strlen(buf), 431);
	many_headers(101, buf, sizeof(buf));
	refused(buf, strlen(buf), 431);
	many_headers(10000, buf, sizeof(buf));
	refused(buf, strlen(buf), 431);
}
END_TEST

START_TEST(no_prefix_of_a_good_head_is_accepted)
{
	static const char s[] = POST "Content-Length: 5\r\nX-A: b\r\n"
	    "Expect: 100-continue\r\nAccept: */*\r\n\r\n";
	size_t n;

	for (n = 0; n < sizeof(s) - 1; n++)
		ck_assert_msg(parse(s, n) == HTTP_MORE, "%zu bytes: %s", n,
		    head.ht_why != NULL ? head.ht_why : "done");
	accepted(s);
}
END_TEST

START_TEST(unfinished_head_is_refused_as_soon_as_it_is_bad)
{
	REFUSED("GET / HTTP/1.1\r\nHost: h\r\nX: \x01", 400);
	REFUSED("GET / HTTP/1.1\r\nHost: h\r\nX: a\n", 400);
	REFUSED("GET / HTTP/1.1\r\nHost: h\r\n X", 400);
	REFUSED("GET /\t", 400);
}
END_TEST

/* Each byte of a good head replaced by each other byte: never out of bounds. */
START_TEST(changed_bytes_never_confuse)
{
	static const char s[] = POST "Content-Length: 5\r\n\r\n";
	char copy[sizeof(s)];
	size_t i;
	int c;

	for (i = 0; i < sizeof(s) - 1; i++)
		for (c = 0; c < 256; c++) {
			memcpy(copy, s, sizeof(s));
			copy[i] = (char)c;
			if (parse(copy, sizeof(s) - 1) != HTTP_DONE)
				continue;
			ck_assert_uint_eq(head.ht_size, sizeof(s) - 1);
			if (s[i] == '\r' || s[i] == '\n')
				ck_assert_int_eq(c, s[i]);
			else
				ck_assert(c >= ' ' || c == '\t');
		}
}
END_TEST

START_TEST(seed_corpus_keeps_the_oracle)
{
	static uint8_t data[HTTP_HEAD_MAX + 1];
	struct dirent *de;
	char path[512];
	int n = 0;
	FILE *fp;
	DIR *dir;

	ck_assert_ptr_nonnull(dir = opendir(CORPUS));
	while ((de = readdir(dir)) != NULL) {
		if (de->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), CORPUS "/%s", de->d_name);
		ck_assert_ptr_nonnull(fp = fopen(path, "rb"));
		(void)LLVMFuzzerTestOneInput(data, fread(data, 1,
		    sizeof(data), fp));
		fclose(fp);
		n++;
	}
	closedir(dir);
	ck_assert_int_ge(n, 8);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("webhookd_http");
	TCase *tc = tcase_create("head");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, good_requests_pass);
	tcase_add_test(tc, slices_are_the_bytes_sent);
	tcase_add_test(tc, length_with_transfer_encoding_is_400);
	tcase_add_test(tc, two_lengths_are_400);
	tcase_add_test(tc, odd_lengths_are_refused);
	tcase_add_test(tc, transfer_encodings_are_refused);
	tcase_add_test(tc, line_ends_other_than_crlf_are_400);
	tcase_add_test(tc, bad_names_are_400);
	tcase_add_test(tc, no_name_comes_twice);
	tcase_add_test(tc, second_signature_is_marked);
	tcase_add_test(tc, other_versions_are_refused);
	tcase_add_test(tc, what_is_no_http_is_refused_by_its_first_byte);
	tcase_add_test(tc, host_is_exactly_one);
	tcase_add_test(tc, codings_upgrades_expectations_are_refused);
	tcase_add_test(tc, long_parts_are_bounded);
	tcase_add_test(tc, many_headers_are_431);
	tcase_add_test(tc, no_prefix_of_a_good_head_is_accepted);
	tcase_add_test(tc, unfinished_head_is_refused_as_soon_as_it_is_bad);
	tcase_add_test(tc, changed_bytes_never_confuse);
	tcase_add_test(tc, seed_corpus_keeps_the_oracle);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed != 0);
}
