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

#include <sys/socket.h>

#include <arpa/inet.h>
#include <check.h>
#include <event2/buffer.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/sha256.h"
#include "webhookd/accept.h"
#include "webhookd/addr.h"
#include "webhookd/html.h"
#include "webhookd/http.h"

static struct evbuffer *out;
static struct http_head head;
static char request[4096];

static void
setup(void)
{
	out = evbuffer_new();
	ck_assert_ptr_nonnull(out);
}

static void
teardown(void)
{
	evbuffer_free(out);
}

/* What was written since the last call, as text. */
static const char *
drawn(void)
{
	static char text[65536];
	int n;

	n = evbuffer_remove(out, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	return (text);
}

static const char *
page(const char *verb, const char *json)
{
	html_page(out, verb, json, strlen(json));
	return (drawn());
}

static void
put_head(const char *headers)
{
	(void)snprintf(request, sizeof(request), "GET / HTTP/1.1\r\n%s\r\n",
	    headers);
	ck_assert_msg(http_parse_head((const uint8_t *)request,
	    strlen(request), &head) == HTTP_DONE, "%s: %s", head.ht_why,
	    request);
}

static int
wants_html(const char *accept)
{
	char h[512];

	(void)snprintf(h, sizeof(h), "Host: h\r\nAccept: %s\r\n", accept);
	put_head(h);
	return (accept_prefers_html(&head));
}

START_TEST(html_only_where_it_is_preferred)
{
	ck_assert(wants_html("text/html"));
	ck_assert(wants_html("text/html,application/xhtml+xml,"
	    "application/xml;q=0.9,image/webp,*/*;q=0.8"));
	ck_assert(wants_html("application/json;q=0.5, text/html;q=0.9"));
	ck_assert(wants_html("TEXT/*"));
	ck_assert(!wants_html("*/*"));
	ck_assert(!wants_html("application/json"));
	ck_assert(!wants_html("text/html, application/json"));
	ck_assert(!wants_html("text/html;q=0.1, application/json;q=0.123"));
	ck_assert(!wants_html("text/html;q=0"));
	ck_assert(!wants_html("text/plain"));
	ck_assert(!wants_html(",;,;q=,"));
	put_head("Host: h\r\n");
	ck_assert(!accept_prefers_html(&head));
}
END_TEST

static int
token_of(const char *authorization, char *token, size_t len)
{
	char h[1024];

	(void)snprintf(h, sizeof(h), "Host: h\r\nAuthorization: %s\r\n",
	    authorization);
	put_head(h);
	return (auth_token(&head, token, len));
}

START_TEST(tokens_are_read_or_refused)
{
	char token[32];

	put_head("Host: h\r\n");
	ck_assert_int_eq(auth_token(&head, token, sizeof(token)), 0);
	ck_assert_str_eq(token, "");
	ck_assert_int_eq(token_of("bearer  abc", token, sizeof(token)), 0);
	ck_assert_str_eq(token, "abc");
	ck_assert_int_eq(token_of("Basic Og==", token, sizeof(token)), 0);
	ck_assert_str_eq(token, "");
	ck_assert_int_eq(token_of("Basic dTpwOnE=", token, sizeof(token)), 0);
	ck_assert_str_eq(token, "p:q");
	ck_assert_int_eq(token_of("Basic", token, sizeof(token)), -1);
	ck_assert_int_eq(token_of("Basic !!!!", token, sizeof(token)), -1);
	ck_assert_int_eq(token_of("Basic abc", token, sizeof(token)), -1);
	ck_assert_int_eq(token_of("Basic dXNlcg==", token, sizeof(token)), -1);
	ck_assert_int_eq(token_of("Basic ====", token, sizeof(token)), -1);
	ck_assert_int_eq(token_of("Bearer 0123456789012345678901234567890",
	    token, sizeof(token)), 0);
	ck_assert_int_eq(token_of("Bearer 01234567890123456789012345678901",
	    token, sizeof(token)), -1);
	ck_assert_int_eq(token_of("Negotiate abc", token, sizeof(token)), -1);
}
END_TEST

START_TEST(text_is_escaped)
{
	html_text(out, "<b a=\"'&\">\x01\x7f\xff\n");
	ck_assert_str_eq(drawn(), "&lt;b a=&quot;&#39;&amp;&quot;&gt;"
	    "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd ");
	html_text(out, "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xa7");
	ck_assert_str_eq(drawn(),
	    "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xa7");
	/* Overlong, surrogate, C1, direction mark, cut short. */
	html_text(out, "\xc0\xbc" "\xed\xa0\x80" "\xc2\x9b" "\xe2\x80\xae"
	    "\xe2\x82");
	ck_assert_ptr_null(strpbrk(drawn(), "\xc0\xed\xc2\xe2"));
}
END_TEST

START_TEST(values_from_outside_cannot_be_markup)
{
	const char *p;

#define EVIL "<script>alert(1)</script>\\\"'"
	p = page("status", "{\"tasks\":[{\"id\":\"" EVIL "\",\"project\":\""
	    EVIL "\",\"title\":\"" EVIL "\",\"stage\":\"" EVIL "\",\"why\":\""
	    EVIL "\",\"since\":\"" EVIL "\",\"age_s\":\"" EVIL "\"}],"
	    "\"totals\":{\"agents_running\":\"" EVIL "\"}}");
	ck_assert_ptr_null(strstr(p, "<script"));
	ck_assert_ptr_nonnull(strstr(p, "&lt;script&gt;alert(1)"));
	p = page("queue", "{\"" EVIL "\":{\"" EVIL "\":\"" EVIL "\"},"
	    "\"recent\":[{\"" EVIL "\":\"" EVIL "\"}],\"l\":[\"" EVIL "\"]}");
	ck_assert_ptr_null(strstr(p, "<script"));
	ck_assert_ptr_nonnull(strstr(p, "&lt;script&gt;alert(1)"));
}
END_TEST

START_TEST(status_shows_each_task)
{
	const char *p;

	p = page("status", "{\"tasks\":[{\"id\":\"ORCH-119\",\"project\":"
	    "\"orchestrator\",\"title\":\"Refuse\",\"stage\":\"development\","
	    "\"round\":2,\"age_s\":660,\"why\":\"developer runs\"},"
	    "{\"id\":\"ORCH-114\",\"stage\":\"analysis\","
	    "\"why\":\"waits for a person: approve\"}],\"totals\":"
	    "{\"agents_running\":1,\"agents_max\":2,\"queue_ready\":3,"
	    "\"queue_later\":1,\"leases\":1,\"outbox\":0,\"alerts\":1}}");
	ck_assert_ptr_nonnull(strstr(p, "<b>ORCH-119</b>"));
	ck_assert_ptr_nonnull(strstr(p, "11 min"));
	ck_assert_ptr_nonnull(strstr(p, "1 <small>of 2</small>"));
	ck_assert_ptr_nonnull(strstr(p, "<b>1</b> development"));
	ck_assert_ptr_nonnull(strstr(p, "class=\"alarm\""));
	ck_assert_ptr_nonnull(strstr(p, "<tr class=\"person\">"));
	ck_assert_ptr_nonnull(strstr(p, "</html>"));
	p = page("status", "{\"tasks\":[{\"id\":\"A-1\",\"why\":"
	    "\"A-1 runs: x\"},{\"id\":\"A-1\",\"why\":\"A-10 runs\"}]}");
	ck_assert_ptr_nonnull(strstr(p, "<td>runs: x</td>"));
	ck_assert_ptr_nonnull(strstr(p, "<td>A-10 runs</td>"));
}
END_TEST

START_TEST(links_lead_to_http_alone_and_are_escaped)
{
	const char *p;

	p = page("status", "{\"tasks\":[{\"id\":\"A-1\",\"item_page\":"
	    "\"https://plane.example/a/?x=1&y=\\\"><script>\","
	    "\"pull_page\":\"http://git.example/a/b/pulls/7\"}]}");
	ck_assert_ptr_nonnull(strstr(p, "href=\"https://plane.example/a/?x=1"
	    "&amp;y=&quot;&gt;&lt;script&gt;\">item</a>"));
	ck_assert_ptr_nonnull(strstr(p, "<a rel=\"noreferrer noopener\" "
	    "href=\"http://git.example/a/b/pulls/7\">pull request</a>"));
	p = page("status", "{\"tasks\":[{\"item_page\":"
	    "\"javascript:alert(1)\",\"pull_page\":\"//evil.example/\"},"
	    "{\"item_page\":7,\"pull_page\":\"\"}]}");
	ck_assert_ptr_null(strstr(p, "<a rel="));
	ck_assert_ptr_null(strstr(p, "javascript:"));
}
END_TEST

START_TEST(members_are_shown_with_their_unit)
{
	const char *p;

	p = page("health", "{\"started\":1795358000,\"age_s\":7200,"
	    "\"_s\":1,\"last_run_ts\":\"never\",\"b_at\":0}");
	ck_assert_ptr_nonnull(strstr(p, "<dd>2026-11-22T14:33:20Z</dd>"));
	ck_assert_ptr_nonnull(strstr(p, "<dt>age</dt><dd>2 h</dd>"));
	ck_assert_ptr_nonnull(strstr(p, "<dt>last run</dt><dd>never</dd>"));
	ck_assert_ptr_nonnull(strstr(p, "<dt>b at</dt><dd>0</dd>"));
}
END_TEST

START_TEST(what_a_job_is_about_stands_beside_its_kind)
{
	const char *p = page("queue", "{\"jobs\":["
	    "{\"id\":1,\"kind\":\"gate\",\"role\":\"\",\"gate\":\"check_x\","
	    "\"work\":\"\",\"note\":\"\",\"reason\":\"red\"},"
	    "{\"id\":2,\"kind\":\"monitor\",\"role\":\"\",\"gate\":\"\","
	    "\"work\":\"monitor\",\"note\":null}]}");

	ck_assert_ptr_nonnull(strstr(p, "<td>gate check_x</td>"
	    "<td class=\"text\">red</td>"));
	ck_assert_ptr_nonnull(strstr(p, "<td>monitor</td>"));
	ck_assert_ptr_null(strstr(p, ">gate</th>"));
	ck_assert_ptr_null(strstr(p, ">work</th>"));
	ck_assert_ptr_null(strstr(p, ">note</th>"));
}
END_TEST

START_TEST(missing_members_are_shown_as_none)
{
	const char *p;

	p = page("status", "{\"tasks\":[{}]}");
	ck_assert_ptr_nonnull(strstr(p, "<b>-</b>"));
	p = page("status", "{}");
	ck_assert_ptr_nonnull(strstr(p, "No task is on its way"));
	p = page("status", "{\"tasks\":7,\"totals\":[]}");
	ck_assert_ptr_nonnull(strstr(p, "</html>"));
	p = page("queue", "{\"recent\":[],\"a\":null,\"b\":{},\"c\":[1,{}],"
	    "\"d\":[{},1],\"e\":\"\"}");
	ck_assert_ptr_nonnull(strstr(p, "</html>"));
	p = page("status", "[]");
	ck_assert_ptr_nonnull(strstr(p, "cannot read"));
	p = page("health", "not json");
	ck_assert_ptr_nonnull(strstr(p, "cannot read"));
}
END_TEST

/* The policy names exactly the style that the page carries. */
START_TEST(policy_fits_the_style)
{
	char hex[SHA256_HEX_SIZE], want[128];
	unsigned char digest[32], b64[48];
	const char *p, *style;

	p = page("status", "{}");
	style = strstr(p, "<style>");
	ck_assert_ptr_nonnull(style);
	style += strlen("<style>");
	ck_assert_int_eq(sha256_hex(style,
	    (size_t)(strstr(style, "</style>") - style), hex), 0);
	ck_assert_int_eq(hex_decode(hex, digest, 32), 0);
	EVP_EncodeBlock(b64, digest, 32);
	(void)snprintf(want, sizeof(want), "style-src 'sha256-%s';",
	    (char *)b64);
	ck_assert_ptr_nonnull(strstr(html_policy(), want));
	ck_assert_ptr_null(strstr(p, "<script"));
	ck_assert_ptr_null(strstr(p, "style=\""));
	ck_assert_ptr_null(strstr(p, "src=\""));
}
END_TEST

START_TEST(spans_are_short)
{
	char s[32];

	html_span(s, sizeof(s), 4);
	ck_assert_str_eq(s, "4 s");
	html_span(s, sizeof(s), 3599);
	ck_assert_str_eq(s, "59 min");
	html_span(s, sizeof(s), 7200);
	ck_assert_str_eq(s, "2 h");
	html_span(s, sizeof(s), 259200);
	ck_assert_str_eq(s, "3 d");
	html_span(s, sizeof(s), -1);
	ck_assert_str_eq(s, "0 s");
}
END_TEST

static struct addr
address(const char *text)
{
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in sin = { .sin_family = AF_INET };
	struct sockaddr_storage ss;
	struct addr ad;

	memset(&ss, 0, sizeof(ss));
	if (inet_pton(AF_INET, text, &sin.sin_addr) == 1)
		memcpy(&ss, &sin, sizeof(sin));
	else {
		ck_assert_int_eq(inet_pton(AF_INET6, text, &sin6.sin6_addr), 1);
		memcpy(&ss, &sin6, sizeof(sin6));
	}
	addr_from_sockaddr(&ad, (struct sockaddr *)&ss);
	return (ad);
}

START_TEST(addresses_count_by_who_owns_them)
{
	struct addr a = address("192.0.2.1"), b = address("192.0.2.2"),
	    m = address("::ffff:192.0.2.1"), x = address("2001:db8::1"),
	    y = address("2001:db8::ffff:1"), z = address("2001:db8:0:1::1");

	ck_assert(addr_same(&a, &m));
	ck_assert_str_eq(m.ad_text, "192.0.2.1");
	ck_assert(!addr_same(&a, &b));
	ck_assert(addr_same(&x, &y));
	ck_assert(!addr_same(&x, &z));
	ck_assert_str_eq(y.ad_text, "2001:db8::ffff:1");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("webhookd_page");
	TCase *tc = tcase_create("page");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, html_only_where_it_is_preferred);
	tcase_add_test(tc, tokens_are_read_or_refused);
	tcase_add_test(tc, text_is_escaped);
	tcase_add_test(tc, values_from_outside_cannot_be_markup);
	tcase_add_test(tc, status_shows_each_task);
	tcase_add_test(tc, links_lead_to_http_alone_and_are_escaped);
	tcase_add_test(tc, members_are_shown_with_their_unit);
	tcase_add_test(tc, what_a_job_is_about_stands_beside_its_kind);
	tcase_add_test(tc, missing_members_are_shown_as_none);
	tcase_add_test(tc, policy_fits_the_style);
	tcase_add_test(tc, spans_are_short);
	tcase_add_test(tc, addresses_count_by_who_owns_them);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed != 0);
}
