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
 * Every recorded delivery of both kinds of sender: read as what it is, or
 * ignored as its kind deserves; changed, cut or signed by somebody else, never.
 */

#include <check.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/fsutil.h"
#include "libcommon/sha256.h"
#include "webhookd/gitea.h"
#include "webhookd/http.h"
#include "webhookd/plane.h"

#define FUZZER
#include "tests/fuzz/delivery.c"

#define CORPUS	"tests/fuzz/delivery.corpus/*"
#define DIR	"tests/fixtures/"
#define SECRET	"a secret of this test"

/* What each is; "unknown" is stored and ignored. */
static const struct {
	const char	*name;
	const char	*kind;
} recordings[] = {
	{ "gitea/webhook-create-branch--goscm", "create" },
	{ "gitea/webhook-create-tag-short--woodpecker", "create" },
	{ "gitea/webhook-delete-branch--goscm", "delete" },
	{ "gitea/webhook-issue-comment-created--goscm", "issue_comment" },
	{ "gitea/webhook-issue-comment-deleted--goscm", "issue_comment" },
	{ "gitea/webhook-issue-opened--goscm", "issues" },
	{ "gitea/webhook-pr-assigned--woodpecker-forgejo",
	    "pull_request_assign" },
	{ "gitea/webhook-pr-assigned--woodpecker", "pull_request_assign" },
	{ "gitea/webhook-pr-closed-merged--goscm", "pull_request" },
	{ "gitea/webhook-pr-closed-merged--woodpecker", "pull_request" },
	{ "gitea/webhook-pr-closed-unmerged--goscm", "pull_request" },
	{ "gitea/webhook-pr-closed-unmerged--woodpecker", "pull_request" },
	{ "gitea/webhook-pr-comment-created--goscm", "pull_request_comment" },
	{ "gitea/webhook-pr-comment-deleted--goscm", "pull_request_comment" },
	{ "gitea/webhook-pr-demilestoned--woodpecker",
	    "pull_request_milestone" },
	{ "gitea/webhook-pr-edited-signed--goscm", "pull_request" },
	{ "gitea/webhook-pr-edited-title--woodpecker", "pull_request" },
	{ "gitea/webhook-pr-label-added--woodpecker", "pull_request_label" },
	{ "gitea/webhook-pr-label-cleared--woodpecker", "pull_request_label" },
	{ "gitea/webhook-pr-milestoned--woodpecker", "pull_request_milestone" },
	{ "gitea/webhook-pr-opened-fork--buildbot", "pull_request" },
	{ "gitea/webhook-pr-opened-minimal--woodpecker", "pull_request" },
	{ "gitea/webhook-pr-opened-signed--buildbot", "pull_request" },
	{ "gitea/webhook-pr-reopened--goscm", "pull_request" },
	{ "gitea/webhook-pr-reopened--woodpecker", "pull_request" },
	{ "gitea/webhook-pr-review-approved--woodpecker",
	    "pull_request_review_approved" },
	{ "gitea/webhook-pr-review-comment--woodpecker",
	    "pull_request_review_comment" },
	{ "gitea/webhook-pr-review-requested--woodpecker",
	    "pull_request_review_request" },
	{ "gitea/webhook-pr-synchronized--woodpecker", "pull_request_sync" },
	{ "gitea/webhook-push--goscm", "push" },
	{ "gitea/webhook-push-empty-files--buildbot", "push" },
	{ "gitea/webhook-push-minimal--woodpecker", "push" },
	{ "gitea/webhook-push-multi--woodpecker", "push" },
	{ "gitea/webhook-push-signed--buildbot", "push" },
	{ "gitea/webhook-release-published--woodpecker", "unknown" },
	{ "gitea/webhook-status-pending--derived", "status" },
	{ "gitea/webhook-status-success--derived", "status" },
	{ "gitea/webhook-workflow-job-queued--derived", "workflow_job" },
	{ "gitea/webhook-workflow-job-success--derived", "workflow_job" },
	{ "gitea/webhook-workflow-run-pull_request-requested--derived",
	    "workflow_run" },
	{ "gitea/webhook-workflow-run-pull_request-success--derived",
	    "workflow_run" },
	{ "gitea/webhook-workflow-run-push-success--derived", "workflow_run" },
	{ "plane/webhook-v0-project-update", "project" },
	{ "plane/webhook-v1-comment-created--derived", "comment" },
	{ "plane/webhook-v1-comment-created--issue8527", "comment" },
	{ "plane/webhook-v1-issue-created--derived", "issue" },
	{ "plane/webhook-v1-issue-updated-description--derived", "issue" },
	{ "plane/webhook-v1-issue-updated-priority--derived", "issue" },
	{ "plane/webhook-v1-issue-updated-state-api--derived", "issue" },
	{ "plane/webhook-v1-issue-updated-state_id-webui--derived", "issue" },
	{ "plane/webhook-v1-project-deleted--derived", "project" },
	{ "plane/webhook-v2-workitem-comment-created", "comment" },
	{ "plane/webhook-v2-workitem-updated", "issue" },
};
#define NRECORDINGS	(sizeof(recordings) / sizeof(recordings[0]))

static struct delivery_conf conf = { .dc_secrets = { SECRET } };
static struct delivery dl;
static struct http_head head;
static char request[16384], lines[8192], *body;
static size_t len;
static int plane;

/* Read a recording: its body, and its headers without a signature. */
static void
take(const char *name)
{
	char path[256], *text, *rest, *line;
	size_t n, at = 0;

	plane = strncmp(name, "plane/", 6) == 0;
	free(body);
	(void)snprintf(path, sizeof(path), DIR "%s.json", name);
	ck_assert_msg(fs_read_file(path, 1 << 20, &body, &len) == 0, "%s",
	    path);
	(void)snprintf(path, sizeof(path), DIR "%s.headers", name);
	ck_assert_msg(fs_read_file(path, 8000, &text, &n) == 0, "%s", path);
	for (rest = text; (line = strsep(&rest, "\r\n")) != NULL; )
		if (*line != '\0' && strstr(line, "-Signature") == NULL)
			at += (size_t)snprintf(lines + at, sizeof(lines) - at,
			    "%s\r\n", line);
	free(text);
}

/* Judge these bytes with that signature. */
static int
judge(const char *buf, size_t n, const char *sig)
{
	const char *why;
	int status;

	(void)snprintf(request, sizeof(request), "POST / HTTP/1.1\r\nHost: h"
	    "\r\nContent-Length: 1\r\nX-%s-Signature: %s\r\n%s\r\n",
	    plane ? "Plane" : "Gitea", sig, lines);
	ck_assert_msg(http_parse_head((const uint8_t *)request,
	    strlen(request), &head) == HTTP_DONE, "%s", head.ht_why);
	delivery_free(&dl);
	status = plane ? plane_judge(&conf, &head, (const uint8_t *)buf, n,
	    &dl, &why) : gitea_judge(&conf, &head, (const uint8_t *)buf, n,
	    &dl, &why);
	ck_assert((status == 0) == (why == NULL));
	return (status);
}

static const char *
sign(const char *secret, const char *buf, size_t n)
{
	static char mac[SHA256_HEX_SIZE];

	ck_assert_int_eq(hmac_sha256_hex(secret, strlen(secret), buf, n,
	    mac), 0);
	return (mac);
}

static void
teardown(void)
{
	delivery_free(&dl);
	free(body);
	body = NULL;
}

START_TEST(each_is_of_its_kind)
{
	const char *name = recordings[_i].name;

	take(name);
	ck_assert_msg(judge(body, len, sign(SECRET, body, len)) == 0, "%s",
	    name);
	ck_assert_msg(strcmp(dl.dl_kind, recordings[_i].kind) == 0,
	    "%s: %s", name, dl.dl_kind);
	ck_assert_uint_eq(dl.dl_len, len);
	ck_assert_mem_eq(dl.dl_body, body, len);
	/* What is acted on says where to look. */
	ck_assert(strcmp(dl.dl_kind, "unknown") == 0 ||
	    dl.dl_project[0] != '\0' || dl.dl_object[0] != '\0');
}
END_TEST

START_TEST(nobody_elses_signature_is_taken)
{
	char sig[SHA256_HEX_SIZE];
	size_t i;

	take(recordings[_i].name);
	ck_assert_int_eq(judge(body, len, sign("another", body, len)), 401);
	ck_assert_int_eq(judge(body, len, ""), 401);
	(void)snprintf(sig, sizeof(sig), "%s", sign(SECRET, body, len));
	for (i = 0; i < sizeof(sig) - 1; i++) {
		sig[i] = sig[i] == '0' ? '1' : '0';
		ck_assert_int_eq(judge(body, len, sig), 401);
		(void)snprintf(sig, sizeof(sig), "%s",
		    sign(SECRET, body, len));
	}
}
END_TEST

/* Each byte changed, and the end cut off at each length. */
START_TEST(changed_or_cut_none_is_taken)
{
	char sig[SHA256_HEX_SIZE];
	size_t i;

	take(recordings[_i].name);
	(void)snprintf(sig, sizeof(sig), "%s", sign(SECRET, body, len));
	for (i = 0; i < len; i++) {
		body[i] = (char)(body[i] ^ (1 << i % 8));
		ck_assert_int_eq(judge(body, len, sig), 401);
		body[i] = (char)(body[i] ^ (1 << i % 8));
		ck_assert_int_eq(judge(body, i, sig), 401);
	}
	ck_assert_int_eq(judge(body, len, sig), 0);
}
END_TEST

/* The same by who knows the secret: read or refused, and nothing worse. */
START_TEST(cut_by_who_may_sign_none_is_whole)
{
	size_t i, end = len, step;
	int status;

	take(recordings[_i].name);
	for (end = len; end > 0 && body[end - 1] != '}'; )
		end--;
	step = len / 211 + 1;
	for (i = 0; i < end; i += step) {
		ck_assert_int_eq(judge(body, i, sign(SECRET, body, i)), 400);
		body[i] = (char)(body[i] ^ (1 << i % 8));
		status = judge(body, len, sign(SECRET, body, len));
		ck_assert_msg(status == 0 || status == 400, "%d", status);
		body[i] = (char)(body[i] ^ (1 << i % 8));
	}
	ck_assert_int_eq(judge(body, end - 1, sign(SECRET, body, end - 1)),
	    400);
}
END_TEST

/* The oracles of tests/fuzz/delivery.c, with each byte of a seed changed. */
START_TEST(seeds_keep_the_oracles_of_the_fuzzer)
{
	char *seed;
	size_t n, i, j;
	glob_t g;

	ck_assert_int_eq(glob(CORPUS, 0, NULL, &g), 0);
	ck_assert_uint_ge(g.gl_pathc, 8);
	for (i = 0; i < g.gl_pathc; i++) {
		ck_assert_int_eq(fs_read_file(g.gl_pathv[i], 65536, &seed,
		    &n), 0);
		for (j = 0; j < 8 * n; j++) {
			seed[j / 8] = (char)(seed[j / 8] ^ (1 << j % 8));
			(void)LLVMFuzzerTestOneInput((uint8_t *)seed, n);
			seed[j / 8] = (char)(seed[j / 8] ^ (1 << j % 8));
			(void)LLVMFuzzerTestOneInput((uint8_t *)seed, j / 8);
		}
		free(seed);
	}
	globfree(&g);
}
END_TEST

/* A recording that is added to the folder is added here. */
START_TEST(none_is_left_out)
{
	static const char *const globs[] = { DIR "gitea/webhook-*.json",
	    DIR "plane/webhook-*.json" };
	size_t i, j, k, n = 0;
	char path[256];
	glob_t g;

	for (i = 0; i < 2; i++) {
		ck_assert_int_eq(glob(globs[i], 0, NULL, &g), 0);
		for (j = 0; j < g.gl_pathc; j++, n++) {
			for (k = 0; k < NRECORDINGS; k++) {
				(void)snprintf(path, sizeof(path), DIR
				    "%s.json", recordings[k].name);
				if (strcmp(path, g.gl_pathv[j]) == 0)
					break;
			}
			ck_assert_msg(k < NRECORDINGS, "%s",
			    g.gl_pathv[j]);
		}
		globfree(&g);
	}
	ck_assert_uint_eq(n, NRECORDINGS);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("webhookd_fixtures");
	TCase *tc = tcase_create("fixtures");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, NULL, teardown);
	tcase_add_loop_test(tc, each_is_of_its_kind, 0, NRECORDINGS);
	tcase_add_loop_test(tc, nobody_elses_signature_is_taken, 0,
	    NRECORDINGS);
	tcase_add_loop_test(tc, changed_or_cut_none_is_taken, 0, NRECORDINGS);
	tcase_add_loop_test(tc, cut_by_who_may_sign_none_is_whole, 0,
	    NRECORDINGS);
	tcase_add_test(tc, none_is_left_out);
	tcase_add_test(tc, seeds_keep_the_oracles_of_the_fuzzer);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed != 0);
}
