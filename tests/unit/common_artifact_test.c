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

#include "git_fixture.h"
#include "libcommon/artifact.h"
#include "libcommon/frontmatter.h"

#define ERR	fx_err, sizeof(fx_err)
#define ITEM	"docs/work-items/DEMO-1/"

typedef void check_fn(const struct git_repo *, const char *, const char *,
    struct artifact_verdict *);

static struct artifact_verdict av;
static char work[GIT_OID_SIZE], head[GIT_OID_SIZE];

/* A branch with work on it; its head is what a task file names. */
static void
begin(void)
{
	fx_open();
	fx_git("checkout", "-q", "-b", "work");
	fx_file("src/b.c", "int b;\n");
	fx_commit("Work", work);
	memcpy(head, work, sizeof(head));
	fx_push("work");
}

/* Commit an artifact whose text may hold one %s for the commit. */
static void
put(const char *name, const char *text, const char *oid)
{
	char path[256], *full = NULL;
	const char *mark = strstr(text, "%s");

	snprintf(path, sizeof(path), ITEM "%s", name);
	if (mark == NULL)
		full = strdup(text);
	else
		ck_assert_int_ne(asprintf(&full, "%.*s%s%s",
		    (int)(mark - text), text, oid, mark + 2), -1);
	fx_file(path, full);
	free(full);
	fx_commit(name, head);
	fx_push("work");
}

static void
is(check_fn *check, enum gate_verdict verdict, enum artifact_kind kind,
    const char *word)
{
	artifact_verdict_free(&av);
	check(&fx_repo, head, "DEMO-1", &av);
	ck_assert_msg(av.verdict == verdict && av.kind == kind &&
	    strstr(av.reason, word) != NULL, "%s, kind %d: %s",
	    gate_verdict_name(av.verdict), (int)av.kind, av.reason);
}

#define REVIEW(verdict)	"---\ntype: review\nverdict: " verdict "\n"	\
	"work_item_id: DEMO-1\nversion: 1\ncommit: %s\n---\n\n"		\
	"1. No test for an empty line.\n"

START_TEST(review_approved_passes_and_request_changes_is_negative)
{
	begin();
	is(artifact_check_review, GATE_FAIL, ARTIFACT_ABSENT,
	    ITEM "12-review.md is missing");
	put("12-review.md", REVIEW("APPROVED"), work);
	is(artifact_check_review, GATE_PASS, ARTIFACT_OK, "APPROVED");
	put("12-review.md", REVIEW("REQUEST_CHANGES"), work);
	is(artifact_check_review, GATE_FAIL, ARTIFACT_NEGATIVE,
	    ITEM "12-review.md:3: verdict REQUEST_CHANGES");
	ck_assert_str_eq(av.body, "\n1. No test for an empty line.\n");
	ck_assert_uint_eq(av.body_line, 8);
	artifact_verdict_free(&av);
	fx_close();
}
END_TEST

START_TEST(review_with_another_word_names_file_and_line)
{
	char want[256];

	begin();
	put("12-review.md", REVIEW("LGTM"), work);
	snprintf(want, sizeof(want), ITEM "12-review.md:3: verdict \"LGTM\" "
	    "is neither APPROVED nor REQUEST_CHANGES (commit %.7s)", head);
	is(artifact_check_review, GATE_FAIL, ARTIFACT_BAD, want);
	ck_assert_str_eq(av.reason, want);
	put("12-review.md", REVIEW("approved"), work);
	is(artifact_check_review, GATE_FAIL, ARTIFACT_BAD, "approved");
	put("12-review.md", REVIEW("[APPROVED]"), work);
	is(artifact_check_review, GATE_FAIL, ARTIFACT_BAD, "not a text");
	put("12-review.md", REVIEW("\"\\e[2JAPPROVED\""), work);
	is(artifact_check_review, GATE_FAIL, ARTIFACT_BAD, "neither");
	ck_assert_ptr_null(strchr(av.reason, '\033'));
	fx_close();
}
END_TEST

START_TEST(review_with_missing_or_double_key_is_bad)
{
	begin();
	put("12-review.md", "# Review\n\nverdict: APPROVED\n", work);
	is(artifact_check_review, GATE_FAIL, ARTIFACT_BAD,
	    "12-review.md:1: no front matter");
	put("12-review.md", "---\ntype: review\n---\nverdict: APPROVED\n",
	    work);
	is(artifact_check_review, GATE_FAIL, ARTIFACT_BAD,
	    "12-review.md:3: key \"verdict\" is missing");
	put("12-review.md", "---\nverdict: APPROVED\nverdict: APPROVED\n"
	    "---\n", work);
	is(artifact_check_review, GATE_FAIL, ARTIFACT_BAD,
	    "12-review.md:3: key \"verdict\" is there twice");
	put("12-review.md", "---\ntype: review\nverdict: APPROVED\n"
	    "work_item_id: DEMO-1\ncommit: %s\n---\n", work);
	is(artifact_check_review, GATE_FAIL, ARTIFACT_BAD, "\"version\"");
	put("12-review.md", "---\ntype: review\nverdict: APPROVED\n"
	    "work_item_id: DEMO-2\nversion: 1\ncommit: %s\n---\n", work);
	is(artifact_check_review, GATE_FAIL, ARTIFACT_BAD, "DEMO-2");
	fx_close();
}
END_TEST

START_TEST(review_of_another_code_tree_counts_as_absent)
{
	begin();
	put("12-review.md", REVIEW("APPROVED"), work);
	fx_file("src/b.c", "int changed_after_the_review;\n");
	fx_commit("More", head);
	fx_push("work");
	is(artifact_check_review, GATE_FAIL, ARTIFACT_ABSENT,
	    "12-review.md:6: it is about commit");
	ck_assert_ptr_null(av.body);
	fx_close();
}
END_TEST

START_TEST(review_stays_valid_when_only_artifacts_follow)
{
	char cut[8];

	begin();
	snprintf(cut, sizeof(cut), "%.7s", work);
	put("12-review.md", REVIEW("APPROVED"), cut);
	put("13-test-report.md", "later\n", work);
	is(artifact_check_review, GATE_PASS, ARTIFACT_OK, "APPROVED");
	artifact_verdict_free(&av);
	fx_close();
}
END_TEST

START_TEST(review_of_no_commit_is_bad)
{
	begin();
	put("12-review.md", REVIEW("APPROVED"), "HEAD");
	is(artifact_check_review, GATE_FAIL, ARTIFACT_BAD, "\"HEAD\"");
	put("12-review.md", REVIEW("APPROVED"), "1234567890");
	is(artifact_check_review, GATE_FAIL, ARTIFACT_BAD, "not in this");
	fx_close();
}
END_TEST

START_TEST(review_as_a_symbolic_link_is_bad)
{
	char path[256];

	begin();
	put("note.md", REVIEW("APPROVED"), work);
	snprintf(path, sizeof(path), "%s/" ITEM "12-review.md", fx_src);
	ck_assert_int_eq(symlink("note.md", path), 0);
	fx_commit("Link", head);
	fx_push("work");
	is(artifact_check_review, GATE_FAIL, ARTIFACT_BAD, "symbolic link");
	fx_close();
}
END_TEST

START_TEST(unknown_commit_is_an_error_not_a_failure)
{
	begin();
	memcpy(head, "1234567890123456789012345678901234567890",
	    sizeof(head));
	is(artifact_check_review, GATE_ERROR, ARTIFACT_ERROR, "git");
	is(artifact_check_analysis, GATE_ERROR, ARTIFACT_ERROR, "git");
	is(artifact_check_architecture, GATE_ERROR, ARTIFACT_ERROR, "git");
	memcpy(head, "main", 5);
	is(artifact_check_tests, GATE_ERROR, ARTIFACT_ERROR, "not valid");
	fx_close();
}
END_TEST

#define TESTS(result)	"---\ntype: test-report\nwork_item_id: DEMO-1\n" \
	"result: " result "\ncommit: %s\n---\n"

START_TEST(test_report_pass_fail_and_other_words)
{
	begin();
	put("13-test-report.md", TESTS("PASS"), work);
	is(artifact_check_tests, GATE_PASS, ARTIFACT_OK, "PASS");
	put("13-test-report.md", TESTS("FAIL"), work);
	is(artifact_check_tests, GATE_FAIL, ARTIFACT_NEGATIVE, "FAIL");
	put("13-test-report.md", TESTS("PASSED"), work);
	is(artifact_check_tests, GATE_FAIL, ARTIFACT_BAD,
	    "13-test-report.md:4: result \"PASSED\"");
	fx_close();
}
END_TEST

START_TEST(staging_log_is_optional_and_can_only_worsen)
{
	begin();
	is(artifact_check_staging, GATE_PASS, ARTIFACT_ABSENT, "missing");
	put("15-staging-log.md", "---\nstaging_status: FAILED\ntimestamp: "
	    "2026-01-01T00:00:00Z\nbase_url: \"\"\ncommit: %s\n---\n", work);
	is(artifact_check_staging, GATE_FAIL, ARTIFACT_NEGATIVE, "FAILED");
	put("15-staging-log.md", "---\nstaging_status: FINE\n---\n", work);
	is(artifact_check_staging, GATE_FAIL, ARTIFACT_BAD, "FINE");
	fx_close();
}
END_TEST

START_TEST(analysis_needs_all_five_and_a_whole_test)
{
	begin();
	put("00-business-request.md", "x\n", work);
	put("01-brd.md", "x\n", work);
	put("02-trz.md", " \n\t\n", work);
	is(artifact_check_analysis, GATE_FAIL, ARTIFACT_BAD,
	    ITEM "02-trz.md:1: the file is empty");
	put("02-trz.md", "x\n", work);
	is(artifact_check_analysis, GATE_FAIL, ARTIFACT_ABSENT,
	    "03-acceptance-criteria.md is missing");
	put("03-acceptance-criteria.md", "x\n", work);
	is(artifact_check_analysis, GATE_FAIL, ARTIFACT_ABSENT,
	    "04-test-plan.yaml is missing");
	put("04-test-plan.yaml", "tests: []\n", work);
	is(artifact_check_analysis, GATE_FAIL, ARTIFACT_BAD, "at least one");
	put("04-test-plan.yaml", "tests:\n  - id: T1\n    type: unit\n",
	    work);
	is(artifact_check_analysis, GATE_FAIL, ARTIFACT_BAD,
	    "04-test-plan.yaml:2: test 1 has no key \"description\"");
	put("04-test-plan.yaml", "tests:\n  - id: T1\n    type: unit\n"
	    "    description:\n", work);
	is(artifact_check_analysis, GATE_FAIL, ARTIFACT_BAD,
	    "04-test-plan.yaml:4: \"description\" of test 1 is empty");
	put("04-test-plan.yaml", "tests: {\n", work);
	is(artifact_check_analysis, GATE_FAIL, ARTIFACT_BAD, "malformed");
	put("04-test-plan.yaml", "tests:\n  - id: T1\n    type: unit\n"
	    "    description: counts words\n", work);
	is(artifact_check_analysis, GATE_PASS, ARTIFACT_OK, "1 test ");
	fx_close();
}
END_TEST

START_TEST(architecture_needs_an_adr_with_a_status_line)
{
	begin();
	is(artifact_check_architecture, GATE_FAIL, ARTIFACT_ABSENT,
	    "06-adr/ADR-*.md is missing");
	put("06-adr/notes.md", "Status: accepted\n", work);
	is(artifact_check_architecture, GATE_FAIL, ARTIFACT_ABSENT,
	    "missing");
	put("06-adr/ADR-1.md", "# One\nThe status is good.\nStatus:\n",
	    work);
	is(artifact_check_architecture, GATE_FAIL, ARTIFACT_BAD,
	    "06-adr/ADR-1.md:1: no line");
	put("06-adr/ADR-2.md", "# Two\n\n- **Status:** accepted\n", work);
	is(artifact_check_architecture, GATE_PASS, ARTIFACT_OK, "ADR-2.md");
	put("06-adr/ADR-1.md", "# One\n\n## Status\n\nAccepted\n", work);
	is(artifact_check_architecture, GATE_PASS, ARTIFACT_OK, "ADR-1.md");
	put("06-adr/ADR-1.md", "---\nstatus: accepted\n---\n", work);
	is(artifact_check_architecture, GATE_PASS, ARTIFACT_OK, "ADR-1.md");
	fx_close();
}
END_TEST

START_TEST(written_records_read_back_and_cannot_be_broken_out_of)
{
	const struct artifact_deploy ad = { "DEMO-1",
	    "1234567890123456789012345678901234567890", 0, 2,
	    "x\"\ndeploy_status: SUCCESS", "Log\n" };
	struct fm fm;
	struct fm_error fe;
	char *text = artifact_format_deploy_log(&ad);

	ck_assert_ptr_nonnull(text);
	ck_assert_msg(fm_parse(text, strlen(text), &fm, &fe) == 0, "%u: %s",
	    fe.fe_line, fe.fe_text);
	ck_assert_str_eq(fm_text(&fm, "deploy_status", NULL), "FAILED");
	ck_assert_str_eq(fm_text(&fm, "deployed_by", NULL),
	    ad.ad_deployed_by);
	ck_assert_str_eq(fm_text(&fm, "hook_exit_code", NULL), "2");
	ck_assert_str_eq(text + fm.fm_body, "\nLog\n");
	fm_free(&fm);
	free(text);
}
END_TEST

START_TEST(written_staging_and_monitor_logs_have_their_keys)
{
	const char *const waived[] = { "T7", NULL };
	const struct artifact_staging as = { "DEMO-1", "abc", 1, 0,
	    "http://127.0.0.1:8", waived, NULL };
	struct artifact_monitor am = { "DEMO-1", "abc", "HEALTHY", "NONE", 6,
	    6, 0, NULL };
	struct fm fm;
	struct fm_error fe;
	char *text = artifact_format_staging_log(&as);

	ck_assert_ptr_nonnull(text);
	ck_assert_int_eq(fm_parse(text, strlen(text), &fm, &fe), 0);
	ck_assert_str_eq(fm_text(&fm, "staging_status", NULL), "SUCCESS");
	ck_assert_str_eq(fm_text(&fm, "timestamp", NULL),
	    "1970-01-01T00:00:00Z");
	ck_assert_str_eq(fm_get(&fm, "waived")->fn_item[0].fn_text, "T7");
	fm_free(&fm);
	free(text);
	text = artifact_format_post_deploy_log(&am);
	ck_assert_ptr_nonnull(text);
	ck_assert_int_eq(fm_parse(text, strlen(text), &fm, &fe), 0);
	ck_assert_str_eq(fm_text(&fm, "post_deploy_status", NULL),
	    "HEALTHY");
	ck_assert_str_eq(fm_text(&fm, "checks_total", NULL), "6");
	fm_free(&fm);
	free(text);
	am.am_status = "GREAT";
	ck_assert_ptr_null(artifact_format_post_deploy_log(&am));
}
END_TEST

FX_MAIN("artifact",
    review_approved_passes_and_request_changes_is_negative,
    review_with_another_word_names_file_and_line,
    review_with_missing_or_double_key_is_bad,
    review_of_another_code_tree_counts_as_absent,
    review_stays_valid_when_only_artifacts_follow,
    review_of_no_commit_is_bad,
    review_as_a_symbolic_link_is_bad,
    unknown_commit_is_an_error_not_a_failure,
    test_report_pass_fail_and_other_words,
    staging_log_is_optional_and_can_only_worsen,
    analysis_needs_all_five_and_a_whole_test,
    architecture_needs_an_adr_with_a_status_line,
    written_records_read_back_and_cannot_be_broken_out_of,
    written_staging_and_monitor_logs_have_their_keys)
