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

/* The Plane receiver, over recorded and derived deliveries of both forms. */

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/fsutil.h"
#include "libcommon/sha256.h"
#include "webhookd/http.h"
#include "webhookd/plane.h"

#define DIR	"tests/fixtures/plane/"
#define SECRET	"plane_wh_0123456789abcdef0123456789abcdef"
#define ITEM	"e1c25c66-5bb8-465e-a818-92a483423443"
#define PROJECT	"4af68566-94a4-4eb3-94aa-50dc9427067b"
#define ISSUE	"{\"event\":\"issue\",\"action\":\"updated\",\"data\":{\"id\":" \
		"\"" ITEM "\",\"project\":\"" PROJECT "\",\"sort_order\":1.0}}"

static struct delivery_conf conf = { .dc_secrets = { SECRET } };
static struct delivery dl;
static struct http_head head;
static char request[8192];

static int
judge(const char *headers, const char *body, size_t len)
{
	const char *why;
	int status;

	(void)snprintf(request, sizeof(request),
	    "POST /webhook/plane HTTP/1.1\r\nHost: h\r\n"
	    "Content-Length: 1\r\n%s\r\n", headers);
	ck_assert_msg(http_parse_head((const uint8_t *)request,
	    strlen(request), &head) == HTTP_DONE, "%s: %s", head.ht_why,
	    request);
	delivery_free(&dl);
	status = plane_judge(&conf, &head, (const uint8_t *)body, len, &dl,
	    &why);
	ck_assert((status == 0) == (why == NULL));
	ck_assert(status == 0 || dl.dl_body == NULL);
	return (status);
}

/* Signed right, with these headers besides. */
static int
judge_signed(const char *body, size_t len, const char *headers)
{
	char mac[SHA256_HEX_SIZE], all[4096];

	ck_assert_int_eq(hmac_sha256_hex(SECRET, strlen(SECRET), body, len,
	    mac), 0);
	(void)snprintf(all, sizeof(all), "Content-Type: application/json\r\n"
	    "X-Plane-Signature: %s\r\n%s", mac, headers);
	return (judge(all, body, len));
}

#define SIGNED(body)	judge_signed((body), strlen(body), "")

static char *
slurp(const char *name, const char *ext, size_t *len)
{
	char path[256], *buf;

	(void)snprintf(path, sizeof(path), DIR "%s%s", name, ext);
	ck_assert_msg(fs_read_file(path, 1 << 20, &buf, len) == 0, "%s: %s",
	    path, strerror(errno));
	return (buf);
}

/* One file: its headers as sent (with its own secret), or signed by us. */
static void
fixture(const char *name, int own, const char *kind, const char *project,
    const char *object)
{
	char *body, *lines, *secret = NULL, *line, *rest, all[4096];
	size_t len, n, at = 0;
	int status;

	body = slurp(name, ".json", &len);
	lines = slurp(name, ".headers", &n);
	for (rest = lines; (line = strsep(&rest, "\r\n")) != NULL; )
		if (*line != '\0' && (own || (strncmp(line, "Content-Type",
		    12) != 0 && strncmp(line, "X-Plane-Signature", 17) != 0)))
			at += (size_t)snprintf(all + at, sizeof(all) - at,
			    "%s\r\n", line);
	if (own) {
		secret = slurp(name, ".secret", &n);
		secret[strcspn(secret, "\r\n")] = '\0';
		conf.dc_secrets[0] = secret;
		status = judge(all, body, len);
	} else
		status = judge_signed(body, len, all);
	conf.dc_secrets[0] = SECRET;
	ck_assert_msg(status == 0, "%s: %d", name, status);
	ck_assert_msg(strcmp(dl.dl_kind, kind) == 0, "%s: %s", name,
	    dl.dl_kind);
	ck_assert_msg(strcmp(dl.dl_project, project) == 0, "%s: %s", name,
	    dl.dl_project);
	ck_assert_msg(strcmp(dl.dl_object, object) == 0, "%s: %s", name,
	    dl.dl_object);
	free(secret);
	free(lines);
	free(body);
}

START_TEST(each_delivery_is_of_its_kind_and_about_its_item)
{
	static const char *const items[] = {
		"webhook-v1-issue-created--derived",
		"webhook-v1-issue-updated-description--derived",
		"webhook-v1-issue-updated-priority--derived",
		"webhook-v1-issue-updated-state-api--derived",
		"webhook-v1-issue-updated-state_id-webui--derived",
	};
	size_t i;

	for (i = 0; i < sizeof(items) / sizeof(items[0]); i++)
		fixture(items[i], 1, "issue", PROJECT, ITEM);
	fixture("webhook-v1-comment-created--derived", 1, "comment", PROJECT,
	    ITEM);
	fixture("webhook-v2-workitem-updated", 0, "issue",
	    "59e3be42-87ec-4950-99a3-ae639cf2b089",
	    "775c5716-5302-4617-bb9f-2cd843911268");
	fixture("webhook-v2-workitem-comment-created", 0, "comment", "",
	    "088a83b9-a53f-4dda-b2bc-c860cf455997");
	fixture("webhook-v0-project-update", 0, "project",
	    "22b6fc9c-1849-45da-b103-52a3e3a6b4c1", "");
}
END_TEST

START_TEST(a_recorded_comment_is_accepted)
{
	char *body, *lines, *secret, *line, *rest, all[4096];
	const char *name = "webhook-v1-comment-created--issue8527";
	size_t len, n, at = 0;

	body = slurp(name, ".json", &len);
	lines = slurp(name, ".headers", &n);
	secret = slurp(name, ".secret", &n);
	secret[strcspn(secret, "\r\n")] = '\0';
	conf.dc_secrets[0] = secret;
	for (rest = lines; (line = strsep(&rest, "\r\n")) != NULL; )
		if (*line != '\0')
			at += (size_t)snprintf(all + at, sizeof(all) - at,
			    "%s\r\n", line);
	ck_assert_int_eq(judge(all, body, len), 0);
	ck_assert_str_eq(dl.dl_kind, "comment");
	/* The other secret counts as well, while one replaces the other. */
	conf.dc_secrets[0] = "the next one";
	conf.dc_secrets[1] = secret;
	ck_assert_int_eq(judge(all, body, len), 0);
	conf.dc_secrets[1] = NULL;
	ck_assert_int_eq(judge(all, body, len), 401);
	conf.dc_secrets[0] = SECRET;
	free(body);
	free(lines);
	free(secret);
}
END_TEST

START_TEST(each_flipped_byte_is_refused)
{
	char *body, mac[SHA256_HEX_SIZE], all[512];
	size_t len, i;

	body = slurp("webhook-v1-issue-created--derived", ".json", &len);
	ck_assert_int_eq(hmac_sha256_hex(SECRET, strlen(SECRET), body, len,
	    mac), 0);
	(void)snprintf(all, sizeof(all), "Content-Type: application/json\r\n"
	    "X-Plane-Signature: %s\r\n", mac);
	ck_assert_int_eq(judge(all, body, len), 0);
	for (i = 0; i < len; i++) {
		body[i] ^= 1;
		ck_assert_int_eq(judge(all, body, len), 401);
		body[i] ^= 1;
		ck_assert_int_eq(judge(all, body, i), 401);
	}
	free(body);
}
END_TEST

/* Signed, but cut: refused as what it is, at every length. */
START_TEST(each_cut_body_is_refused)
{
	char *body;
	size_t len, i;

	body = slurp("webhook-v1-issue-created--derived", ".json", &len);
	for (i = 0; i < len; i++)
		ck_assert_int_eq(judge_signed(body, i, ""), 400);
	free(body);
}
END_TEST

START_TEST(signatures_of_another_form_are_401)
{
	static const char *const bad[] = { "", "X-Plane-Signature:\r\n",
	    "X-Plane-Signature: sha256=00\r\n",
	    "X-Gitea-Signature: 00\r\n" };
	char all[512], mac[SHA256_HEX_SIZE];
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		(void)snprintf(all, sizeof(all),
		    "Content-Type: application/json\r\n%s", bad[i]);
		ck_assert_int_eq(judge(all, ISSUE, strlen(ISSUE)), 401);
	}
	ck_assert_int_eq(hmac_sha256_hex(SECRET, strlen(SECRET), ISSUE,
	    strlen(ISSUE), mac), 0);
	for (i = 0; mac[i] != '\0'; i++)
		if (mac[i] >= 'a')
			mac[i] = (char)(mac[i] - 'a' + 'A');
	(void)snprintf(all, sizeof(all), "Content-Type: application/json\r\n"
	    "X-Plane-Signature: %s\r\n", mac);
	ck_assert_int_eq(judge(all, ISSUE, strlen(ISSUE)), 401);
}
END_TEST

START_TEST(without_a_secret_everything_is_refused)
{
	conf.dc_secrets[0] = "";
	ck_assert_int_eq(SIGNED(ISSUE), 401);
	conf.dc_secrets[0] = NULL;
	ck_assert_int_eq(SIGNED(ISSUE), 401);
	conf.dc_secrets[0] = SECRET;
	ck_assert_int_eq(SIGNED(ISSUE), 0);
}
END_TEST

START_TEST(a_body_that_lacks_its_fields_is_400)
{
	static const char *const bad[] = { "{}", "[]", "{\"event\":\"issue\"}",
	    "{\"event\":\"issue\",\"action\":\"updated\",\"data\":[]}",
	    "{\"event\":\"issue\",\"action\":\"updated\",\"data\":{\"id\":"
	    "\"../../etc\"}}",
	    "{\"event\":7,\"action\":\"updated\",\"data\":{}}",
	    "{\"version\":\"v2\",\"event\":\"x\",\"entity_type\":\"issue\","
	    "\"data\":{}}",
	    "{\"event\":\"issue\",\"event\":\"issue\"}" };
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(SIGNED(bad[i]) == 400, "%s", bad[i]);
}
END_TEST

START_TEST(what_orchd_has_no_use_for_is_unknown)
{
	ck_assert_int_eq(SIGNED("{\"event\":\"cycle\",\"action\":\"created\","
	    "\"data\":{}}"), 0);
	ck_assert_str_eq(dl.dl_kind, "unknown");
	ck_assert_int_eq(SIGNED("{\"version\":\"v2\",\"event\":\"page.made\","
	    "\"entity_type\":\"page\",\"data\":{}}"), 0);
	ck_assert_str_eq(dl.dl_kind, "unknown");
}
END_TEST

START_TEST(header_and_body_have_to_agree)
{
	ck_assert_int_eq(judge_signed(ISSUE, strlen(ISSUE),
	    "X-Plane-Event: issue\r\n"), 0);
	ck_assert_int_eq(judge_signed(ISSUE, strlen(ISSUE),
	    "X-Plane-Event: project\r\n"), 400);
	ck_assert_int_eq(judge_signed(ISSUE, strlen(ISSUE),
	    "X-Plane-Delivery: a b\r\n"), 400);
}
END_TEST

/* The id is new at each attempt; the digest is what a repetition shares. */
START_TEST(a_repetition_has_the_same_digest)
{
	char first[65];

	ck_assert_int_eq(judge_signed(ISSUE, strlen(ISSUE),
	    "X-Plane-Delivery: 8ae637ce-10f2-57c4-b08e-63ada3eb5629\r\n"),
	    0);
	ck_assert_str_eq(dl.dl_id, "8ae637ce-10f2-57c4-b08e-63ada3eb5629");
	memcpy(first, dl.dl_sha256, sizeof(first));
	ck_assert_int_eq(SIGNED(ISSUE), 0);
	ck_assert_str_eq(dl.dl_sha256, first);
	ck_assert_int_eq(strncmp(dl.dl_id, "sha256-", 7), 0);
}
END_TEST

START_TEST(only_json_is_served)
{
	ck_assert_int_eq(judge("Content-Type: text/plain\r\n", ISSUE,
	    strlen(ISSUE)), 415);
	ck_assert_int_eq(judge("Content-Type: application/x-www-form-urlenco"
	    "ded\r\n", ISSUE, strlen(ISSUE)), 415);
}
END_TEST

int
main(void)
{
	Suite *su = suite_create("plane receiver");
	TCase *tc = tcase_create("plane");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, each_delivery_is_of_its_kind_and_about_its_item);
	tcase_add_test(tc, a_recorded_comment_is_accepted);
	tcase_add_test(tc, each_flipped_byte_is_refused);
	tcase_add_test(tc, each_cut_body_is_refused);
	tcase_add_test(tc, signatures_of_another_form_are_401);
	tcase_add_test(tc, without_a_secret_everything_is_refused);
	tcase_add_test(tc, a_body_that_lacks_its_fields_is_400);
	tcase_add_test(tc, what_orchd_has_no_use_for_is_unknown);
	tcase_add_test(tc, header_and_body_have_to_agree);
	tcase_add_test(tc, a_repetition_has_the_same_digest);
	tcase_add_test(tc, only_json_is_served);
	suite_add_tcase(su, tc);
	sr = srunner_create(su);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed == 0 ? 0 : 1);
}
