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
 * What Gitea and Forgejo answer, read from recorded answers and from the
 * shapes that differ by version.
 */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include "libcommon/fsutil.h"
#include "libcommon/gitea.h"

#define DIR	"tests/fixtures/gitea/"

static char	*body;
static size_t	 len;
static char	 err[256];

static void
load(const char *name)
{
	char path[200];

	free(body);
	snprintf(path, sizeof(path), DIR "%s.json", name);
	ck_assert_int_eq(fs_read_file(path, 1 << 20, &body, &len), 0);
}

static void
text(const char *s)
{
	free(body);
	ck_assert_ptr_nonnull(body = strdup(s));
	len = strlen(s);
}

START_TEST(pull_open_is_read)
{
	struct gitea_pull gp;

	load("api-pull-13-open");
	ck_assert_int_eq(gitea_pull_read(body, len, &gp, err, sizeof(err)),
	    0);
	ck_assert_uint_eq(gp.gp_number, 13);
	ck_assert_int_eq(gp.gp_state, GITEA_OPEN);
	ck_assert_str_eq(gp.gp_branch, "6543-patch-1");
	ck_assert_str_eq(gp.gp_target, "master");
	ck_assert_str_eq(gp.gp_landed, "");
	ck_assert_int_eq(gp.gp_foreign, 0);
	load("api-pull-open-old--goscm");
	ck_assert_int_eq(gitea_pull_read(body, len, &gp, err, sizeof(err)),
	    0);
	ck_assert_int_eq(gp.gp_state, GITEA_OPEN);
}
END_TEST

START_TEST(pull_merged_keeps_its_branch_name_when_the_branch_is_gone)
{
	struct gitea_pull gp;

	load("api-pull-12-merged");
	ck_assert_int_eq(gitea_pull_read(body, len, &gp, err, sizeof(err)),
	    0);
	ck_assert_int_eq(gp.gp_state, GITEA_MERGED);
	ck_assert_str_eq(gp.gp_branch, "Add-Dont-Touch-Note");
	ck_assert_str_eq(gp.gp_landed,
	    "827aa28a907853e5ddfa40c8f9bc52471a2685fd");
	ck_assert_int_eq(gp.gp_foreign, 1);
	load("api-pull-8-closed");
	ck_assert_int_eq(gitea_pull_read(body, len, &gp, err, sizeof(err)),
	    0);
	ck_assert_int_eq(gp.gp_state, GITEA_CLOSED);
	ck_assert_str_eq(gp.gp_landed, "");
}
END_TEST

/* A server that ignores the filter answers every open one. */
START_TEST(pull_is_found_by_what_it_is_and_not_by_what_was_asked)
{
	struct gitea_pull gp;
	size_t rows;

	load("api-pulls-list-page1-limit3");
	ck_assert_int_eq(gitea_pulls_find(body, len, "6543-patch-1",
	    "master", &gp, &rows, err, sizeof(err)), 1);
	ck_assert_uint_eq(gp.gp_number, 13);
	ck_assert_uint_eq(rows, 3);
	ck_assert_int_eq(gitea_pulls_find(body, len, "6543-patch-1",
	    "main", &gp, &rows, err, sizeof(err)), 0);
	/* One of a fork has the name, and is another's. */
	ck_assert_int_eq(gitea_pulls_find(body, len, "Add-Dont-Touch-Note",
	    "master", &gp, &rows, err, sizeof(err)), 0);
	text("[]");
	ck_assert_int_eq(gitea_pulls_find(body, len, "a", "b", &gp, &rows,
	    err, sizeof(err)), 0);
	ck_assert_uint_eq(rows, 0);
}
END_TEST

/* Whoever may open a pull request may not hide ours by it. */
START_TEST(one_that_cannot_be_read_hides_no_other)
{
#define OURS "{\"number\":8,\"state\":\"open\",\"head\":{\"ref\":\"ours\","\
	"\"repo_id\":1},\"base\":{\"ref\":\"main\",\"repo_id\":1}}"
	static const char *const odd[][2] = {
	    { "{\"number\":9,\"head\":{\"ref\":\"", "\"},\"base\":{}}" },
	    { "{\"number\":9,\"head\":null,\"base\":{}}", "" },
	    { "{\"number\":\"9\",\"head\":{},\"base\":{}}", "" },
	    { "{\"number\":9,\"body\":\"a\\u0000b\",\"head\":{\"ref\":"
	    "\"ours\\u0000\",\"repo_id\":1},\"base\":{\"ref\":\"main\","
	    "\"repo_id\":1}}", "" } };
	struct gitea_pull gp;
	char words[1000], name[301];
	size_t i, rows;

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		words[0] = '[';
		snprintf(words, sizeof(words), "[%s%s%s," OURS "]", odd[i][0],
		    i == 0 ? name : "", odd[i][1]);
		text(words);
		ck_assert_msg(gitea_pulls_find(body, len, "ours", "main", &gp,
		    &rows, err, sizeof(err)) == 1, "%s: %s", words, err);
		ck_assert_uint_eq(gp.gp_number, 8);
		ck_assert_uint_eq(rows, 2);
	}
}
END_TEST

/* Only what is surely of this repository is ours. */
START_TEST(one_of_an_unknown_repository_is_anothers)
{
	static const char *const heads[] = { "\"repo\":null", "\"repo_id\":0",
	    "\"repo_id\":\"1\"", "\"repo_id\":2", "\"repo_id\":-1" };
	struct gitea_pull gp;
	char words[300];
	size_t i;

	for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		snprintf(words, sizeof(words), "{\"number\":8,\"state\":"
		    "\"open\",\"head\":{\"ref\":\"ours\",%s},\"base\":{"
		    "\"ref\":\"main\"%s}}", heads[i], i < 3 ? "" :
		    ",\"repo_id\":1");
		ck_assert_int_eq(gitea_pull_read(words, strlen(words), &gp,
		    err, sizeof(err)), 0);
		ck_assert_msg(gp.gp_foreign, "%s", words);
	}
}
END_TEST

START_TEST(what_is_no_pull_request_is_refused)
{
	static const char *const bad[] = { "", "{", "[]", "{}", "null",
	    "{\"number\":1,\"head\":{},\"base\":[]}",
	    "{\"number\":-1,\"head\":{},\"base\":{}}",
	    "{\"number\":1.5,\"head\":{},\"base\":{}}",
	    "{\"number\":1,\"head\":{\"ref\":7},\"base\":{}}",
	    "{\"number\":1,\"number\":2,\"head\":{},\"base\":{}}" };
	struct gitea_pull gp;
	size_t i, rows;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err[0] = '\0';
		ck_assert_msg(gitea_pull_read(bad[i], strlen(bad[i]), &gp,
		    err, sizeof(err)) == -1, "%s", bad[i]);
		ck_assert_str_ne(err, "");
	}
	ck_assert_int_eq(gitea_pulls_find("{}", 2, "a", "b", &gp, &rows, err,
	    sizeof(err)), -1);
	ck_assert_int_eq(gitea_pulls_find("[1]", 3, "a", "b", &gp, &rows,
	    err, sizeof(err)), -1);
}
END_TEST

START_TEST(cut_answers_are_refused)
{
	struct gitea_pull gp;
	size_t i;

	load("api-pull-13-open");
	for (i = 0; i < len; i += 7)
		ck_assert_int_eq(gitea_pull_read(body, i, &gp, err,
		    sizeof(err)), -1);
}
END_TEST

static enum gitea_merge
merge(long status, const char *s)
{
	char said[200];
	enum gitea_merge m;

	m = gitea_merge_answer(status, s, strlen(s), said, sizeof(said));
	ck_assert_str_ne(said, "");
	return (m);
}

static enum gitea_merge
merge_file(long status, const char *name)
{
	load(name);
	return (merge(status, body));
}

START_TEST(each_answer_to_a_merge_is_known)
{
	ck_assert_int_eq(merge(200, ""), GITEA_MERGE_DONE);
	/* Up to 1.23 and in Forgejo without words. */
	ck_assert_int_eq(merge(405, "{\"message\":\"\"}"),
	    GITEA_MERGE_UNKNOWN);
	ck_assert_int_eq(merge_file(405, "api-error-merge-405-already-merged"),
	    GITEA_MERGE_UNKNOWN);
	ck_assert_int_eq(merge_file(405, "api-error-merge-405-try-later"),
	    GITEA_MERGE_LATER);
	ck_assert_int_eq(merge_file(405, "api-error-merge-405-checks"),
	    GITEA_MERGE_BLOCKED);
	ck_assert_int_eq(merge(405, "{\"message\":\"not allowed to merge "
	    "[reason: Does not have enough approvals]\"}"),
	    GITEA_MERGE_BLOCKED);
	ck_assert_int_eq(merge(405, "{\"message\":\"not allowed to merge "
	    "[reason: There are official review requests]\"}"),
	    GITEA_MERGE_BLOCKED);
	/* As the servers spell it; nothing has moved. */
	ck_assert_int_eq(merge(405, "{\"message\":\"fast-forward-only is not "
	    "allowed an allowed merge style for this repository\"}"),
	    GITEA_MERGE_NO);
	ck_assert_int_eq(merge(405, "{\"message\":\"The head branch is behind "
	    "the base branch\"}"), GITEA_MERGE_STALE);
	ck_assert_int_eq(merge(405, "{\"message\":\"User not allowed to merge "
	    "PR\"}"), GITEA_MERGE_NO);
	ck_assert_int_eq(merge_file(409,
	    "api-error-merge-409-head-out-of-date"), GITEA_MERGE_STALE);
	ck_assert_int_eq(merge_file(409, "api-error-merge-409-conflict"),
	    GITEA_MERGE_CONFLICT);
	ck_assert_int_eq(merge(409, "{\"message\":\"PushRejected\",\"Style\":"
	    "\"rebase\"}"), GITEA_MERGE_STALE);
	ck_assert_int_eq(merge(409, "busy"), GITEA_MERGE_STALE);
	ck_assert_int_eq(merge_file(404, "api-error-merge-404-closed"),
	    GITEA_MERGE_UNKNOWN);
	ck_assert_int_eq(merge(422, "{\"message\":\"Do\"}"), GITEA_MERGE_NO);
	ck_assert_int_eq(merge(403, "{}"), GITEA_MERGE_UNKNOWN);
	ck_assert_int_eq(merge(500, "<html>"), GITEA_MERGE_UNKNOWN);
	ck_assert_int_eq(merge(302, ""), GITEA_MERGE_UNKNOWN);
}
END_TEST

static enum gitea_ci
ci(const char *name)
{
	struct gitea_checks gc = { .gc_seen = 0 };

	load(name);
	ck_assert_int_eq(gitea_checks_add(&gc, body, len, -1, NULL,
	    err, sizeof(err)), 0);
	return (gitea_checks_state(&gc));
}

START_TEST(no_status_at_all_is_never_success)
{
	ck_assert_int_eq(ci("api-combined-status-empty-old"), GITEA_CI_NONE);
	ck_assert_int_eq(ci("api-combined-status-empty-new"), GITEA_CI_NONE);
	ck_assert_int_eq(ci("api-combined-status-success"), GITEA_CI_GREEN);
	ck_assert_int_eq(ci("api-combined-status-failure"), GITEA_CI_RED);
}
END_TEST

START_TEST(pages_that_are_missing_are_pending)
{
	struct gitea_checks gc = { .gc_seen = 0 };

	text("{\"total_count\":3,\"statuses\":[{\"context\":\"a\",\"status\":"
	    "\"success\"},{\"context\":\"orchd/test\",\"status\":\"failure\"}"
	    "]}");
	ck_assert_int_eq(gitea_checks_add(&gc, body, len, -1, "orchd/",
	    err, sizeof(err)), 0);
	ck_assert_int_eq(gitea_checks_state(&gc), GITEA_CI_PENDING);
	text("{\"total_count\":3,\"statuses\":[{\"context\":\"b\",\"status\":"
	    "\"skipped\"}]}");
	ck_assert_int_eq(gitea_checks_add(&gc, body, len, -1, "orchd/",
	    err, sizeof(err)), 0);
	ck_assert_int_eq(gitea_checks_state(&gc), GITEA_CI_GREEN);
	text("{\"total_count\":4,\"statuses\":[{\"context\":\"c\",\"status\":"
	    "\"warning\"}]}");
	ck_assert_int_eq(gitea_checks_add(&gc, body, len, -1, "orchd/",
	    err, sizeof(err)), 0);
	ck_assert_int_eq(gitea_checks_state(&gc), GITEA_CI_RED);
	ck_assert_str_eq(gc.gc_first_red, "c");
}
END_TEST

/* The body's total_count is the length of that page. */
START_TEST(the_header_knows_of_pages_that_the_body_does_not_count)
{
	struct gitea_checks gc = { .gc_seen = 0 };

	text("{\"total_count\":1,\"statuses\":[{\"context\":\"a\",\"status\":"
	    "\"success\"}]}");
	ck_assert_int_eq(gitea_checks_add(&gc, body, len, 2, NULL, err,
	    sizeof(err)), 0);
	ck_assert_int_eq(gitea_checks_state(&gc), GITEA_CI_PENDING);
	/* Nor does a later page make it less. */
	ck_assert_int_eq(gitea_checks_add(&gc, body, len, -1, NULL, err,
	    sizeof(err)), 0);
	ck_assert_int_eq(gitea_checks_state(&gc), GITEA_CI_GREEN);
	ck_assert_uint_eq(gc.gc_total, 2);
}
END_TEST

/* "workflow / job (event)" is as long as people name them. */
START_TEST(a_context_of_any_length_is_counted_and_told)
{
	struct gitea_checks gc = { .gc_seen = 0 };
	char name[301], words[500], buf[400] = "";

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	snprintf(words, sizeof(words), "{\"total_count\":1,\"statuses\":[{"
	    "\"context\":\"%s\",\"status\":\"failure\"}]}", name);
	text(words);
	ck_assert_int_eq(gitea_checks_add(&gc, body, len, 1, "orchd/", err,
	    sizeof(err)), 0);
	ck_assert_int_eq(gitea_checks_state(&gc), GITEA_CI_RED);
	gitea_checks_text(body, len, "orchd/", buf, sizeof(buf));
	ck_assert_int_eq(strncmp(buf, name, 300), 0);
	ck_assert_str_eq(buf + 300, ": failure\n");
}
END_TEST

START_TEST(a_single_state_is_called_status_and_an_unknown_one_waits)
{
	struct gitea_checks gc = { .gc_seen = 0 };

	text("{\"total_count\":1,\"state\":\"success\",\"statuses\":[{"
	    "\"context\":\"a\",\"state\":\"success\",\"status\":\"new\"}]}");
	ck_assert_int_eq(gitea_checks_add(&gc, body, len, -1, NULL,
	    err, sizeof(err)), 0);
	ck_assert_int_eq(gitea_checks_state(&gc), GITEA_CI_PENDING);
	text("{\"statuses\":[]}");
	ck_assert_int_eq(gitea_checks_add(&gc, body, len, -1, NULL,
	    err, sizeof(err)), -1);
	text("{\"total_count\":1,\"statuses\":{}}");
	ck_assert_int_eq(gitea_checks_add(&gc, body, len, -1, NULL,
	    err, sizeof(err)), -1);
}
END_TEST

START_TEST(addresses_are_of_that_repository_only)
{
	char url[120];

	ck_assert_int_eq(gitea_url(url, sizeof(url), "https://git.example//",
	    "admin/orch.d", "/pulls/%d", 7), 0);
	ck_assert_str_eq(url,
	    "https://git.example/api/v1/repos/admin/orch.d/pulls/7");
	ck_assert_int_eq(gitea_url(url, sizeof(url), "https://g", "a", "/x"),
	    -1);
	ck_assert_int_eq(gitea_url(url, sizeof(url), "https://g", "../a",
	    "/x"), -1);
	ck_assert_int_eq(gitea_url(url, sizeof(url), "https://g", "a/..",
	    "/x"), -1);
	ck_assert_int_eq(gitea_url(url, sizeof(url), "https://g", "a/b/c",
	    "/x"), -1);
	ck_assert_int_eq(gitea_url(url, sizeof(url), "https://g", "a/b?x",
	    "/x"), -1);
	ck_assert_int_eq(gitea_url(url, 30, "https://g", "admin/orchestrator",
	    "/x"), -1);
}
END_TEST

START_TEST(bodies_are_json_whatever_the_text)
{
	char *s = gitea_pull_body("feature/x", "main", "a \"b\"\n", "\\");

	ck_assert_str_eq(s, "{\"head\":\"feature/x\",\"base\":\"main\","
	    "\"title\":\"a \\\"b\\\"\\n\",\"body\":\"\\\\\"}");
	free(s);
	s = gitea_merge_body("fast-forward-only", "abc");
	ck_assert_str_eq(s, "{\"Do\":\"fast-forward-only\","
	    "\"head_commit_id\":\"abc\"}");
	free(s);
	s = gitea_status_body("success", "orchd/test", "42 passed", "");
	ck_assert_ptr_nonnull(strstr(s, "\"context\":\"orchd/test\""));
	free(s);
	s = gitea_comment_body("<!-- key -->");
	ck_assert_str_eq(s, "{\"body\":\"<!-- key -->\"}");
	free(s);
}
END_TEST

START_TEST(what_a_server_says_cannot_command_a_terminal)
{
	char said[200];

	text("{\"message\":\"a\\u001b[2Jb\"}");
	gitea_said(403, body, len, said, sizeof(said));
	ck_assert_str_eq(said, "HTTP 403: a\\x1b[2Jb");
	gitea_said(500, NULL, 0, said, sizeof(said));
	ck_assert_str_eq(said, "HTTP 500");
	/* A repository that was renamed, or http for https. */
	gitea_said(301, "<a href=\"/\">", 12, said, sizeof(said));
	ck_assert_ptr_nonnull(strstr(said, "no redirect is followed"));
}
END_TEST

static unsigned int seen, good, gone;
static uint64_t first;
static char who[GITEA_LOGIN];

static void
pull_seen(const struct gitea_pull *gp, void *arg)
{
	if (seen++ == 0)
		first = gp->gp_number;
	(void)strlcpy(who, gp->gp_author, sizeof(who));
}

START_TEST(each_pull_of_a_page_is_told)
{
	size_t rows;

	load("api-pulls-list-page1-limit3");
	ck_assert_int_eq(gitea_pulls_each(body, len, &rows, pull_seen, NULL,
	    err, sizeof(err)), 0);
	ck_assert_uint_eq(rows, 3);
	ck_assert_uint_eq(seen, 3);
	ck_assert_uint_gt(first, 0);
	ck_assert_str_ne(who, "");
	text("{\"message\":\"no list\"}");
	ck_assert_int_eq(gitea_pulls_each(body, len, &rows, pull_seen, NULL,
	    err, sizeof(err)), -1);
}
END_TEST

static void
review_seen(const struct gitea_review *gr, void *arg)
{
	seen++;
	good += (unsigned int)(gr->gr_approved && !gr->gr_dismissed);
	gone += (unsigned int)gr->gr_dismissed;
	first = gr->gr_id;
	ck_assert_str_eq(gr->gr_author, "boss");
	ck_assert_int_eq(gr->gr_at_ms, 1779264751000);
	ck_assert_str_eq(gr->gr_text, gr->gr_approved ? "" : "no");
}

START_TEST(only_judgements_are_reviews)
{
	size_t rows;

	load("api-reviews--jxscm");	/* a draft */
	ck_assert_int_eq(gitea_reviews_each(body, len, &rows, review_seen,
	    NULL, err, sizeof(err)), 0);
	ck_assert_uint_eq(rows, 1);
	ck_assert_uint_eq(seen, 0);
#define SAID(id, state, more) "{\"id\":" #id ",\"state\":\"" state "\"," \
	"\"user\":{\"login\":\"boss\"},\"commit_id\":\"c\"," \
	"\"submitted_at\":\"2026-05-20T08:12:31Z\"" more "}"
#define MAY	",\"official\":true"
	text("[" SAID(1, "APPROVED", ",\"dismissed\":true") ","
	    SAID(2, "COMMENT", MAY) "," SAID(3, "REQUEST_REVIEW", MAY) ","
	    SAID(4, "APPROVED", MAY) "," SAID(5, "REQUEST_CHANGES",
	    MAY ",\"body\":\"no\"") ",{},"
	    SAID(6, "APPROVED", ",\"official\":false") ","
	    SAID(7, "REQUEST_CHANGES", "") "]");
	ck_assert_int_eq(gitea_reviews_each(body, len, &rows, review_seen,
	    NULL, err, sizeof(err)), 0);
	ck_assert_uint_eq(rows, 8);
	ck_assert_uint_eq(seen, 3);
	ck_assert_uint_eq(good, 1);
	ck_assert_uint_eq(gone, 1);
	ck_assert_uint_eq(first, 5);
}
END_TEST

START_TEST(words_at_lines_are_one_line_each)
{
	char buf[64] = "In all: no";

	text("[{\"path\":\"src/a.c\",\"position\":12,\"body\":\"why\"},"
	    "{\"path\":\"b\",\"position\":0,\"original_position\":3,"
	    "\"body\":\"gone\",\"resolver\":null},"
	    "{\"path\":\"c\",\"position\":1,\"body\":\"well\","
	    "\"resolver\":{\"login\":\"boss\"}},"
	    "{\"path\":\"d\",\"position\":1,\"body\":\"this one is much too "
	    "long to have its place in the buffer of the test\"},"
	    "{\"position\":1},7,{\"path\":\"e\",\"position\":9,"
	    "\"body\":\"last\"}]");
	gitea_review_words(body, len, buf, sizeof(buf));
	ck_assert_str_eq(buf, "In all: no\nsrc/a.c:12: why\nb:3: gone\n"
	    "e:9: last");
	buf[0] = '\0';
	gitea_review_words(body, len, buf, sizeof(buf));
	ck_assert_int_eq(strncmp(buf, "src/a.c", 7), 0);
	text("{\"message\":\"no\"}");
	strlcpy(buf, "as it was", sizeof(buf));
	gitea_review_words(body, len, buf, sizeof(buf));
	ck_assert_str_eq(buf, "as it was");
}
END_TEST

START_TEST(who_the_token_belongs_to_is_read)
{
	char url[100], login[GITEA_LOGIN];

	ck_assert_int_eq(gitea_me_url(url, sizeof(url), "http://f/"), 0);
	ck_assert_str_eq(url, "http://f/api/v1/user");
	text("{\"id\":3,\"login\":\"bot\"}");
	ck_assert_int_eq(gitea_me_read(body, len, login, err, sizeof(err)),
	    0);
	ck_assert_str_eq(login, "bot");
	text("{\"id\":3}");
	ck_assert_int_eq(gitea_me_read(body, len, login, err, sizeof(err)),
	    -1);
}
END_TEST

START_TEST(red_checks_are_told_with_their_links)
{
	char buf[400] = "", small[20] = "";

	load("api-combined-status-failure");
	gitea_checks_text(body, len, NULL, buf, sizeof(buf));
	ck_assert_str_eq(buf, "ci/test: failure (https://gitea.com/anbraten/"
	    "test-repo/actions/runs/3/jobs/0)\n");
	buf[0] = '\0';
	gitea_checks_text(body, len, "ci/", buf, sizeof(buf));
	ck_assert_str_eq(buf, "");
	gitea_checks_text(body, len, NULL, small, sizeof(small));
	ck_assert_str_eq(small, "");	/* whole lines only */
	load("api-combined-status-empty-old");
	gitea_checks_text(body, len, NULL, buf, sizeof(buf));
	ck_assert_str_eq(buf, "");
}
END_TEST

int
main(void)
{
	Suite *su = suite_create("gitea");
	TCase *tc = tcase_create("gitea");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, pull_open_is_read);
	tcase_add_test(tc,
	    pull_merged_keeps_its_branch_name_when_the_branch_is_gone);
	tcase_add_test(tc,
	    pull_is_found_by_what_it_is_and_not_by_what_was_asked);
	tcase_add_test(tc, one_that_cannot_be_read_hides_no_other);
	tcase_add_test(tc, one_of_an_unknown_repository_is_anothers);
	tcase_add_test(tc, what_is_no_pull_request_is_refused);
	tcase_add_test(tc, cut_answers_are_refused);
	tcase_add_test(tc, each_answer_to_a_merge_is_known);
	tcase_add_test(tc, no_status_at_all_is_never_success);
	tcase_add_test(tc, pages_that_are_missing_are_pending);
	tcase_add_test(tc,
	    the_header_knows_of_pages_that_the_body_does_not_count);
	tcase_add_test(tc, a_context_of_any_length_is_counted_and_told);
	tcase_add_test(tc,
	    a_single_state_is_called_status_and_an_unknown_one_waits);
	tcase_add_test(tc, addresses_are_of_that_repository_only);
	tcase_add_test(tc, bodies_are_json_whatever_the_text);
	tcase_add_test(tc, what_a_server_says_cannot_command_a_terminal);
	tcase_add_test(tc, each_pull_of_a_page_is_told);
	tcase_add_test(tc, only_judgements_are_reviews);
	tcase_add_test(tc, words_at_lines_are_one_line_each);
	tcase_add_test(tc, who_the_token_belongs_to_is_read);
	tcase_add_test(tc, red_checks_are_told_with_their_links);
	suite_add_tcase(su, tc);
	sr = srunner_create(su);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed == 0 ? 0 : 1);
}
