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
#include <ctype.h>
#include <errno.h>
#include <glob.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/fsutil.h"
#include "libcommon/sha256.h"
#include "webhookd/gitea.h"
#include "webhookd/http.h"

#define DIR	"tests/fixtures/gitea/"
#define SECRET	"a secret of this test"

/* A push with all that is asked of one. */
#define PUSH	"{\"ref\":\"refs/heads/main\",\"before\":\"a\",\"after\":" \
		"\"b\",\"repository\":{\"full_name\":\"o/r\"}}"

#define SHA	"d555a5dd07f4d0148a58d4686ec381502ae6a2d4"

static struct delivery_conf conf;
static struct delivery ev;
static struct http_head head;
static char request[65536];

static char *
slurp(const char *name, const char *ext, size_t *len)
{
	char path[256], *buf;
	FILE *fp;

	(void)snprintf(path, sizeof(path), DIR "%s%s", name, ext);
	fp = fopen(path, "r");
	ck_assert_msg(fp != NULL, "%s: %s", path, strerror(errno));
	buf = calloc(1, 65536);
	ck_assert_ptr_nonnull(buf);
	*len = fread(buf, 1, 65535, fp);
	fclose(fp);
	return (buf);
}

static void
put_head(const char *headers)
{
	(void)snprintf(request, sizeof(request),
	    "POST /webhook/gitea HTTP/1.1\r\nHost: h\r\n"
	    "Content-Length: 1\r\n%s\r\n", headers);
	ck_assert_msg(http_parse_head((const uint8_t *)request,
	    strlen(request), &head) == HTTP_DONE, "%s: %s", head.ht_why,
	    request);
}

static int
judge(const char *body, size_t len)
{
	const char *why;
	int status;

	delivery_free(&ev);
	status = gitea_judge(&conf, &head, (const uint8_t *)body, len, &ev,
	    &why);
	ck_assert((status == 0) == (why == NULL));
	ck_assert(status == 0 || ev.dl_body == NULL);
	return (status);
}

/* Judge a JSON body that is signed right, with these headers besides. */
static int
judge_signed(const char *body, const char *headers)
{
	char mac[SHA256_HEX_SIZE], all[4096];

	ck_assert_int_eq(hmac_sha256_hex(SECRET, strlen(SECRET), body,
	    strlen(body), mac), 0);
	(void)snprintf(all, sizeof(all), "Content-Type: application/json\r\n"
	    "X-Gitea-Signature: %s\r\n%s", mac, headers);
	put_head(all);
	return (judge(body, strlen(body)));
}

/* Judge PUSH with this signature header, or several. */
static int
judge_with(const char *signature)
{
	char all[4096];

	(void)snprintf(all, sizeof(all), "Content-Type: application/json\r\n"
	    "X-Gitea-Event: push\r\n%s", signature);
	put_head(all);
	return (judge(PUSH, strlen(PUSH)));
}

static void
setup(void)
{
	memset(&conf, 0, sizeof(conf));
	conf.dc_secrets[0] = SECRET;
}

static void
teardown(void)
{
	delivery_free(&ev);
}

/* A recording: its event headers, signed by us or by its own secret. */
static void
fixture(const char *name, const char *kind, int own_secret)
{
	char *body, *lines, *secret = NULL, *line, *rest, mac[SHA256_HEX_SIZE];
	char all[8192];
	size_t len, n, at;

	body = slurp(name, ".json", &len);
	lines = slurp(name, ".headers", &n);
	if (own_secret) {
		secret = slurp(name, ".secret", &n);
		conf.dc_secrets[0] = secret;
		at = 0;
	} else {
		conf.dc_secrets[0] = SECRET;
		ck_assert_int_eq(hmac_sha256_hex(SECRET, strlen(SECRET), body,
		    len, mac), 0);
		at = (size_t)snprintf(all, sizeof(all),
		    "X-Gitea-Signature: %s\r\n", mac);
	}
	for (rest = lines; (line = strsep(&rest, "\r\n")) != NULL; )
		if (*line != '\0')
			at += (size_t)snprintf(all + at, sizeof(all) - at,
			    "%s\r\n", line);
	put_head(all);
	ck_assert_msg(judge(body, len) == 0, "%s", name);
	ck_assert_msg(strcmp(ev.dl_kind, kind) == 0, "%s: %s", name,
	    ev.dl_kind);
	ck_assert_uint_eq(ev.dl_len, len);
	ck_assert_mem_eq(ev.dl_body, body, len);
	free(body);
	free(lines);
	free(secret);
}

START_TEST(recorded_signatures_are_accepted)
{
	fixture("webhook-push-signed--buildbot", "push", 1);
	fixture("webhook-pr-opened-signed--buildbot", "pull_request", 1);
	fixture("webhook-pr-edited-signed--goscm", "pull_request", 1);
}
END_TEST

START_TEST(kinds_come_from_the_body)
{
	fixture("webhook-create-branch--goscm", "create", 0);
	fixture("webhook-delete-branch--goscm", "delete", 0);
	fixture("webhook-issue-comment-created--goscm", "issue_comment", 0);
	fixture("webhook-pr-comment-created--goscm", "pull_request_comment", 0);
	fixture("webhook-pr-closed-merged--woodpecker", "pull_request", 0);
	fixture("webhook-pr-synchronized--woodpecker", "pull_request_sync", 0);
	fixture("webhook-pr-label-added--woodpecker", "pull_request_label", 0);
	fixture("webhook-pr-review-requested--woodpecker",
	    "pull_request_review_request", 0);
	fixture("webhook-pr-review-approved--woodpecker",
	    "pull_request_review_approved", 0);
	fixture("webhook-pr-review-comment--woodpecker",
	    "pull_request_review_comment", 0);
	fixture("webhook-status-success--derived", "status", 0);
	fixture("webhook-workflow-run-push-success--derived", "workflow_run",
	    0);
	fixture("webhook-workflow-job-success--derived", "workflow_job", 0);
	fixture("webhook-release-published--woodpecker", "unknown", 0);
}
END_TEST

/* Of which repository, and about which branch or commit. */
START_TEST(each_kind_says_what_it_is_about)
{
	static const struct {
		const char *name, *kind, *project, *object;
	} rows[] = {
		{ "webhook-push--goscm", "push", "gogits/hello-world",
		    "master" },
		{ "webhook-create-branch--goscm", "create",
		    "gogits/hello-world", "feature" },
		{ "webhook-delete-branch--goscm", "delete",
		    "gogits/hello-world", "feature" },
		{ "webhook-pr-closed-merged--woodpecker", "pull_request",
		    "anbraten/test-repo", "anbraten-patch-1" },
		{ "webhook-pr-opened-minimal--woodpecker", "pull_request",
		    "gordon/hello-world", "feature/changes" },
		{ "webhook-pr-review-approved--woodpecker",
		    "pull_request_review_approved",
		    "a_nice_user/hello_world_ci", "jony-patch-1" },
		{ "webhook-status-success--derived", "status",
		    "anbraten/test-repo",
		    "d555a5dd07f4d0148a58d4686ec381502ae6a2d4" },
		{ "webhook-workflow-run-push-success--derived",
		    "workflow_run", "anbraten/test-repo",
		    "d555a5dd07f4d0148a58d4686ec381502ae6a2d4" },
		{ "webhook-workflow-job-queued--derived", "workflow_job",
		    "anbraten/test-repo",
		    "d555a5dd07f4d0148a58d4686ec381502ae6a2d4" },
		{ "webhook-release-published--woodpecker", "unknown", "",
		    "" },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fixture(rows[i].name, rows[i].kind, 0);
		ck_assert_str_eq(ev.dl_object, rows[i].object);
		ck_assert_str_eq(ev.dl_project, rows[i].project);
	}
	ck_assert_int_eq(judge_signed("{\"pull_request\":{\"head\":{\"ref\":"
	    "\"refs/pull/7/head\",\"label\":\"me:feature/x\"}},\"number\":7,"
	    "\"action\":\"closed\",\"repository\":{\"full_name\":\"o/r\"}}",
	    "X-Gitea-Event: pull_request\r\n"), 0);
	ck_assert_str_eq(ev.dl_object, "feature/x");
	ck_assert_str_eq(ev.dl_project, "o/r");
}
END_TEST

/* Every recording: accepted as it is; changed or cut, never. */
START_TEST(every_recording_is_accepted_whole_and_only_so)
{
	char *body, all[512], mac[SHA256_HEX_SIZE];
	size_t len, i, n, step;
	const char *name;
	glob_t g;

	ck_assert_int_eq(glob(DIR "webhook-*.json", 0, NULL, &g), 0);
	ck_assert_uint_gt(g.gl_pathc, 35);
	for (n = 0; n < g.gl_pathc; n++) {
		name = g.gl_pathv[n];
		ck_assert_int_eq(fs_read_file(name, 65535, &body, &len), 0);
		ck_assert_int_eq(hmac_sha256_hex(SECRET, strlen(SECRET),
		    body, len, mac), 0);
		(void)snprintf(all, sizeof(all), "Content-Type: application/"
		    "json\r\nX-Gitea-Event: x\r\nX-Gitea-Event-Type:\r\n"
		    "X-Gitea-Signature: %s\r\n", mac);
		put_head(all);
		/* The made up event goes with unknown kinds alone. */
		ck_assert_msg(judge(body, len) == (strstr(name, "release") !=
		    NULL ? 0 : 400), "%s", name);
		step = len / 97 + 1;
		for (i = 0; i < len; i += step) {
			body[i] ^= 1;
			ck_assert_int_eq(judge(body, len), 401);
			body[i] ^= 1;
			ck_assert_int_eq(judge(body, i), 401);
		}
		for (i = 1; i < len - 2; i += step) {
			body[len - i - 1] = '\0';
			ck_assert_int_eq(judge_signed(body,
			    "X-Gitea-Event: push\r\n"), 400);
		}
		free(body);
	}
	globfree(&g);
}
END_TEST

/* Gitea 1.23.0 and 1.23.1 send a status with an empty X-Gitea-Event. */
START_TEST(empty_event_of_a_status_is_accepted)
{
	ck_assert_int_eq(judge_signed("{\"sha\":\"a\",\"state\":\"success\","
	    "\"context\":\"ci\",\"repository\":{\"full_name\":\"o/r\"}}",
	    "X-Gitea-Event:\r\nX-Gitea-Event-Type: status\r\n"), 0);
	ck_assert_str_eq(ev.dl_kind, "status");
}
END_TEST

START_TEST(changed_event_header_is_400)
{
	ck_assert_int_eq(judge_signed(PUSH, "X-Gitea-Event: push\r\n"), 0);
	ck_assert_int_eq(judge_signed(PUSH, "X-Gitea-Event: repository\r\n"),
	    400);
	ck_assert_int_eq(judge_signed(PUSH, "X-Gitea-Event: pull_request\r\n"),
	    400);
	ck_assert_int_eq(judge_signed(PUSH, "X-Gitea-Event: push\r\n"
	    "X-Gitea-Event-Type: status\r\n"), 400);
	ck_assert_int_eq(judge_signed("{\"repository\":{}}",
	    "X-Gitea-Event: push\r\n"), 400);
	ck_assert_int_eq(judge_signed(PUSH, ""), 400);
}
END_TEST

/* A comment cannot be passed off as an approval by its headers. */
START_TEST(review_kind_is_the_signed_one)
{
#define REVIEW(t) "{\"action\":\"reviewed\",\"number\":1,\"pull_request\":{}," \
	"\"review\":{\"type\":\"" t "\"}," \
	"\"repository\":{\"full_name\":\"o/r\"}}"
	ck_assert_int_eq(judge_signed(REVIEW("pull_request_review_comment"),
	    "X-Gitea-Event: pull_request_approved\r\n"
	    "X-Gitea-Event-Type: pull_request_review_approved\r\n"), 400);
	ck_assert_int_eq(judge_signed(REVIEW("pull_request_review_approved"),
	    "X-Gitea-Event: pull_request_approved\r\n"
	    "X-Gitea-Event-Type: pull_request_review_approved\r\n"), 0);
	ck_assert_int_eq(judge_signed(REVIEW("push"),
	    "X-Gitea-Event: push\r\n"), 400);
	ck_assert_int_eq(judge_signed(REVIEW("pull_request_review_request"),
	    "X-Gitea-Event-Type: pull_request_review_request\r\n"), 400);
}
END_TEST

START_TEST(forgejo_runs_are_one_kind)
{
	ck_assert_int_eq(judge_signed("{\"action\":\"success\",\"run\":{},"
	    "\"repository\":{\"full_name\":\"o/r\"}}",
	    "X-Gitea-Event: action_run_success\r\n"
	    "X-Gitea-Event-Type: action_run_success\r\n"), 0);
	ck_assert_str_eq(ev.dl_kind, "action_run");
}
END_TEST

/* Forgejo's say which repository inside the run alone. */
START_TEST(forgejo_runs_know_their_repository)
{
	ck_assert_int_eq(judge_signed("{\"action\":\"failure\",\"run\":{"
	    "\"commit_sha\":\"" SHA "\",\"repository\":{\"full_name\":"
	    "\"o/r\"}},\"prior_status\":\"running\"}",
	    "X-Gitea-Event: action_run_failure\r\n"
	    "X-Gitea-Event-Type: action_run_failure\r\n"), 0);
	ck_assert_str_eq(ev.dl_kind, "action_run");
	ck_assert_str_eq(ev.dl_project, "o/r");
	ck_assert_str_eq(ev.dl_object, SHA);
}
END_TEST

/* Newer servers send the pull request along. */
START_TEST(a_comment_or_a_run_with_its_pull_request_is_no_pull_request)
{
#define WITH_PULL "\"pull_request\":{\"number\":7,\"head\":{\"ref\":\"b\","\
	"\"label\":\"b\"}},\"repository\":{\"full_name\":\"o/r\"}}"
	ck_assert_int_eq(judge_signed("{\"action\":\"created\",\"issue\":{"
	    "\"number\":7},\"comment\":{\"id\":1},\"is_pull\":true,"
	    WITH_PULL, "X-Gitea-Event: issue_comment\r\n"
	    "X-Gitea-Event-Type: pull_request_comment\r\n"), 0);
	ck_assert_str_eq(ev.dl_kind, "pull_request_comment");
	ck_assert_str_eq(ev.dl_object, "b");
	ck_assert_int_eq(judge_signed("{\"action\":\"completed\","
	    "\"workflow_run\":{\"head_sha\":\"" SHA "\"}," WITH_PULL,
	    "X-Gitea-Event: workflow_run\r\n"
	    "X-Gitea-Event-Type: workflow_run\r\n"), 0);
	ck_assert_str_eq(ev.dl_kind, "workflow_run");
	ck_assert_str_eq(ev.dl_object, SHA);
}
END_TEST

START_TEST(known_kind_without_repository_is_400)
{
	ck_assert_int_eq(judge_signed("{\"ref\":\"r\",\"before\":\"a\","
	    "\"after\":\"b\"}", "X-Gitea-Event: push\r\n"), 400);
	ck_assert_int_eq(judge_signed("{\"ref\":\"r\",\"before\":\"a\","
	    "\"after\":\"b\",\"repository\":{\"full_name\":1}}",
	    "X-Gitea-Event: push\r\n"), 400);
}
END_TEST

START_TEST(bad_signatures_are_401)
{
	char mac[SHA256_HEX_SIZE], h[1024];
	size_t i;

	ck_assert_int_eq(hmac_sha256_hex(SECRET, strlen(SECRET), PUSH,
	    strlen(PUSH), mac), 0);
	(void)snprintf(h, sizeof(h), "X-Gitea-Signature: %s\r\n", mac);
	ck_assert_int_eq(judge_with(h), 0);

	ck_assert_int_eq(judge_with(""), 401);
	ck_assert_int_eq(judge_with("X-Gitea-Signature:\r\n"), 401);
	(void)snprintf(h, sizeof(h), "X-Gitea-Signature: %s\r\n"
	    "X-Gitea-Signature: %s\r\n", mac, mac);
	ck_assert_int_eq(judge_with(h), 401);
	(void)snprintf(h, sizeof(h), "X-Gitea-Signature: sha256=%s\r\n", mac);
	ck_assert_int_eq(judge_with(h), 401);
	(void)snprintf(h, sizeof(h), "X-Gitea-Signature: %.63s\r\n", mac);
	ck_assert_int_eq(judge_with(h), 401);
	(void)snprintf(h, sizeof(h), "X-Gitea-Signature: %s0\r\n", mac);
	ck_assert_int_eq(judge_with(h), 401);
	(void)snprintf(h, sizeof(h), "X-Gitea-Signature: %s, %s\r\n", mac, mac);
	ck_assert_int_eq(judge_with(h), 401);
	/* Other headers that carry the same digest are not read. */
	(void)snprintf(h, sizeof(h), "X-Hub-Signature-256: sha256=%s\r\n"
	    "X-Gogs-Signature: %s\r\n", mac, mac);
	ck_assert_int_eq(judge_with(h), 401);
	(void)snprintf(h, sizeof(h), "X-Gitea-Signature: %s\r\n", mac);
	for (i = 19; i < 19 + 64; i++)
		h[i] = (char)toupper((unsigned char)h[i]);
	ck_assert_int_eq(judge_with(h), 401);
}
END_TEST

START_TEST(each_changed_nibble_is_401)
{
	char mac[SHA256_HEX_SIZE], h[1024];
	size_t i;

	ck_assert_int_eq(hmac_sha256_hex(SECRET, strlen(SECRET), PUSH,
	    strlen(PUSH), mac), 0);
	for (i = 0; i < 64; i++) {
		(void)snprintf(h, sizeof(h), "X-Gitea-Signature: %s\r\n", mac);
		h[19 + i] = h[19 + i] == '0' ? '1' : '0';
		ck_assert_int_eq(judge_with(h), 401);
		h[19 + i] = 'g';
		ck_assert_int_eq(judge_with(h), 401);
	}
}
END_TEST

START_TEST(reserialised_body_is_401)
{
	char mac[SHA256_HEX_SIZE], h[1024];

	ck_assert_int_eq(hmac_sha256_hex(SECRET, strlen(SECRET), PUSH " ",
	    strlen(PUSH) + 1, mac), 0);
	(void)snprintf(h, sizeof(h), "X-Gitea-Signature: %s\r\n", mac);
	ck_assert_int_eq(judge_with(h), 401);
}
END_TEST

START_TEST(both_secrets_count_and_no_other)
{
	conf.dc_secrets[0] = "the new one";
	ck_assert_int_eq(judge_signed(PUSH, "X-Gitea-Event: push\r\n"), 401);
	conf.dc_secrets[1] = SECRET;
	ck_assert_int_eq(judge_signed(PUSH, "X-Gitea-Event: push\r\n"), 0);
	conf.dc_secrets[0] = SECRET;
	conf.dc_secrets[1] = "the one before";
	ck_assert_int_eq(judge_signed(PUSH, "X-Gitea-Event: push\r\n"), 0);
	conf.dc_secrets[0] = "the new one";
	conf.dc_secrets[1] = "";
	ck_assert_int_eq(judge_signed(PUSH, "X-Gitea-Event: push\r\n"), 401);
}
END_TEST

/* Gitea without a secret sends an HMAC of nothing; never accept the like. */
START_TEST(without_a_secret_everything_is_401)
{
	char mac[SHA256_HEX_SIZE], h[1024];

	conf.dc_secrets[0] = NULL;
	ck_assert_int_eq(hmac_sha256_hex("", 0, PUSH, strlen(PUSH), mac), 0);
	(void)snprintf(h, sizeof(h), "X-Gitea-Signature: %s\r\n", mac);
	ck_assert_int_eq(judge_with(h), 401);
	conf.dc_secrets[0] = "";
	ck_assert_int_eq(judge_with(h), 401);
	ck_assert_int_eq(judge_with("X-Gitea-Signature:\r\n"), 401);
}
END_TEST

START_TEST(signature_is_checked_before_the_body_is_read)
{
	put_head("Content-Type: application/json\r\nX-Gitea-Event: push\r\n");
	ck_assert_int_eq(judge("{", 1), 401);
	ck_assert_int_eq(judge_signed("{", "X-Gitea-Event: push\r\n"), 400);
	ck_assert_int_eq(judge_signed("{\"a\":1,\"a\":1}",
	    "X-Gitea-Event: push\r\n"), 400);
}
END_TEST

START_TEST(other_content_types_are_415)
{
	put_head("");
	ck_assert_int_eq(judge(PUSH, strlen(PUSH)), 415);
	put_head("Content-Type: text/plain\r\n");
	ck_assert_int_eq(judge(PUSH, strlen(PUSH)), 415);
	put_head("Content-Type: multipart/form-data; boundary=x\r\n");
	ck_assert_int_eq(judge(PUSH, strlen(PUSH)), 415);
	put_head("Content-Type: application/x-www-form-urlencoded\r\n");
	ck_assert_int_eq(judge("payload=%7B%7D", 14), 415);
	put_head("Content-Type: Application/JSON ; charset=utf-8\r\n");
	ck_assert_int_eq(judge(PUSH, strlen(PUSH)), 401);
}
END_TEST

START_TEST(form_signature_is_over_the_decoded_payload)
{
	static const char json[] = "{\"ref\":\"a b+c\",\"before\":\"&\","
	    "\"after\":\"b\",\"repository\":{\"full_name\":\"o/r\"}}";
	static const char form[] = "payload=%7b\"ref\":\"a+b%2Bc\","
	    "\"before\":\"%26\",\"after\":\"b\","
	    "\"repository\":{\"full_name\":\"o/r\"}%7D";
	char mac[SHA256_HEX_SIZE], h[1024];

	conf.dc_form = 1;
	ck_assert_int_eq(hmac_sha256_hex(SECRET, strlen(SECRET), json,
	    strlen(json), mac), 0);
	(void)snprintf(h, sizeof(h), "X-Gitea-Event: push\r\n"
	    "Content-Type: application/x-www-form-urlencoded\r\n"
	    "X-Gitea-Signature: %s\r\n", mac);
	put_head(h);
	ck_assert_int_eq(judge(form, strlen(form)), 0);
	ck_assert_str_eq(ev.dl_body, json);
	/* Over the raw form it does not count. */
	ck_assert_int_eq(hmac_sha256_hex(SECRET, strlen(SECRET), form,
	    strlen(form), mac), 0);
	(void)snprintf(h, sizeof(h), "X-Gitea-Event: push\r\n"
	    "Content-Type: application/x-www-form-urlencoded\r\n"
	    "X-Gitea-Signature: %s\r\n", mac);
	put_head(h);
	ck_assert_int_eq(judge(form, strlen(form)), 401);
}
END_TEST

START_TEST(odd_forms_are_refused)
{
	static const char *const forms[] = {
		"", "payload", "Payload=1", "x=1&payload=1", "payload=1&x=2",
		"payload=1&payload=2", "payload=%", "payload=%4",
		"payload=%4g", "payload=%00", "payload=a=b"
	};
	size_t i, len;
	char *out;

	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		errno = 0;
		out = gitea_form_payload((const uint8_t *)forms[i],
		    strlen(forms[i]), &len);
		ck_assert_msg(out == NULL && errno == EINVAL, "%s", forms[i]);
	}
	out = gitea_form_payload((const uint8_t *)"payload=", 8, &len);
	ck_assert_ptr_nonnull(out);
	ck_assert_uint_eq(len, 0);
	free(out);
}
END_TEST

START_TEST(delivery_ids_are_plain)
{
	char h[1024];

	ck_assert_int_eq(judge_signed(PUSH, "X-Gitea-Event: push\r\n"
	    "X-Gitea-Delivery: f6266f16-1bf3-46a5-9ea4-602e06ead473\r\n"), 0);
	ck_assert_str_eq(ev.dl_id,
	    "f6266f16-1bf3-46a5-9ea4-602e06ead473");
	ck_assert_int_eq(judge_signed(PUSH, "X-Gitea-Event: push\r\n"
	    "X-Gitea-Delivery:\r\n"), 400);
	ck_assert_int_eq(judge_signed(PUSH, "X-Gitea-Event: push\r\n"
	    "X-Gitea-Delivery: a b\r\n"), 400);
	ck_assert_int_eq(judge_signed(PUSH, "X-Gitea-Event: push\r\n"
	    "X-Gitea-Delivery: ../a\r\n"), 400);
	(void)snprintf(h, sizeof(h), "X-Gitea-Event: push\r\n"
	    "X-Gitea-Delivery: %0129d\r\n", 0);
	ck_assert_int_eq(judge_signed(PUSH, h), 400);
	ck_assert_int_eq(judge_signed(PUSH, "X-Gitea-Event: push\r\n"), 0);
	ck_assert_msg(strncmp(ev.dl_id, "sha256-", 7) == 0 &&
	    strcmp(ev.dl_id + 7, ev.dl_sha256) == 0, "%s",
	    ev.dl_id);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("webhookd_gitea");
	TCase *tc = tcase_create("gitea");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, recorded_signatures_are_accepted);
	tcase_add_test(tc, kinds_come_from_the_body);
	tcase_add_test(tc, each_kind_says_what_it_is_about);
	tcase_add_test(tc, every_recording_is_accepted_whole_and_only_so);
	tcase_add_test(tc, empty_event_of_a_status_is_accepted);
	tcase_add_test(tc, changed_event_header_is_400);
	tcase_add_test(tc, review_kind_is_the_signed_one);
	tcase_add_test(tc, forgejo_runs_are_one_kind);
	tcase_add_test(tc, forgejo_runs_know_their_repository);
	tcase_add_test(tc,
	    a_comment_or_a_run_with_its_pull_request_is_no_pull_request);
	tcase_add_test(tc, known_kind_without_repository_is_400);
	tcase_add_test(tc, bad_signatures_are_401);
	tcase_add_test(tc, each_changed_nibble_is_401);
	tcase_add_test(tc, reserialised_body_is_401);
	tcase_add_test(tc, both_secrets_count_and_no_other);
	tcase_add_test(tc, without_a_secret_everything_is_401);
	tcase_add_test(tc, signature_is_checked_before_the_body_is_read);
	tcase_add_test(tc, other_content_types_are_415);
	tcase_add_test(tc, form_signature_is_over_the_decoded_payload);
	tcase_add_test(tc, odd_forms_are_refused);
	tcase_add_test(tc, delivery_ids_are_plain);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed != 0);
}
