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

#include "runner_engine.h"

#define DOCS	"docs/work-items/T-1/"

static void
open_gate(struct te *te, const char *gate)
{
	te_open(te, KIND_GATE);
	te->go.gate = gate;
	te->go.role = "";
	te->go.branch = "";
}

static void
sh_gate(struct te *te, const char *gate, const char *script)
{
	static const char *argv[4];

	open_gate(te, gate);
	argv[0] = "/bin/sh";
	argv[1] = "-c";
	argv[2] = script;
	argv[3] = NULL;
	te->spec.argv.l_argv = argv;
}

static void
run_gate(struct te *te, const char *gate, const char *script)
{
	sh_gate(te, gate, script);
	te_run(te);
}

/* A second commit on main with one file; go names it. */
static void
with_file(struct te *te, const char *path, const char *text)
{
	static char oid[41];
	struct git_file f = { path, text, strlen(text) };

	te_commit(te, "main", te->head, &f, 1, oid);
	te->go.commit = oid;
}

START_TEST(green_command_passes_with_commit_and_tree)
{
	struct te te;

	run_gate(&te, "check_tests_local", "test -f README && "
	    "test \"$(git rev-parse HEAD)\" = $ORCH_COMMIT && echo fine");
	ck_assert_msg(te.done.verdict == GATE_PASS, "%s", te.done.reason);
	ck_assert_str_eq(te.done.commit, te.head);
	ck_assert_uint_eq(strlen(te.done.tree), 40);
	ck_assert_int_eq(te.exit_seen, 1);
	ck_assert(!te_exists(&te, "ws/7"));
	te_close(&te);
}
END_TEST

START_TEST(red_command_fails_with_its_log)
{
	struct te te;

	run_gate(&te, "check_tests_local", "echo 'boundary: expected 64'; "
	    "exit 2");
	ck_assert_int_eq(te.done.verdict, GATE_FAIL);
	ck_assert_int_eq(te.done.cause, CAUSE_RED);
	ck_assert_ptr_nonnull(strstr(te.done.reason, "exit code 2"));
	ck_assert_ptr_nonnull(memmem(te.done.text.b_data, te.done.text.b_len,
	    "expected 64", 11));
	te_close(&te);
}
END_TEST

START_TEST(command_that_could_not_run_is_error)
{
	struct te te;

	open_gate(&te, "check_tests_local");
	te.spec.argv = (struct orch_strs)STRS_OF("./not-there");
	te_run(&te);
	ck_assert_int_eq(te.done.verdict, GATE_ERROR);
	ck_assert_int_eq(te.done.cause, CAUSE_EXEC);
	te_close(&te);
	run_gate(&te, "check_tests_local", "exit 126");
	ck_assert_int_eq(te.done.verdict, GATE_ERROR);
	te_close(&te);
}
END_TEST

START_TEST(signal_is_error)
{
	struct te te;

	run_gate(&te, "check_tests_local", "kill -SEGV $$");
	ck_assert_int_eq(te.done.verdict, GATE_ERROR);
	ck_assert_int_eq(te.done.cause, CAUSE_INFRA);
	ck_assert_ptr_nonnull(strstr(te.done.reason, "signal 11"));
	te_close(&te);
}
END_TEST

START_TEST(time_limit_is_error)
{
	struct te te;

	sh_gate(&te, "check_tests_local", te_sleep());
	te.spec.timeout_s = 1;
	te_run(&te);
	ck_assert_int_eq(te.done.verdict, GATE_ERROR);
	ck_assert_int_eq(te.done.cause, CAUSE_TIMEOUT);
	ck_assert_int_eq(te_sleepers(), 0);
	te_close(&te);
}
END_TEST

START_TEST(missing_report_is_error_where_one_is_due)
{
	struct te te;

	sh_gate(&te, "check_tests_local", "true");
	te.spec.report = 1;
	te_run(&te);
	ck_assert_int_eq(te.done.verdict, GATE_ERROR);
	ck_assert_ptr_nonnull(strstr(te.done.reason, "no report"));
	te_close(&te);
}
END_TEST

START_TEST(report_without_test_is_error)
{
	struct te te;

	sh_gate(&te, "check_tests_local", "echo 1..0 >$ORCH_REPORT_FILE");
	te.spec.report = 1;
	te_run(&te);
	ck_assert_int_eq(te.done.verdict, GATE_ERROR);
	ck_assert_ptr_nonnull(strstr(te.done.reason, "no executed test"));
	te_close(&te);
}
END_TEST

START_TEST(report_names_the_failed_tests)
{
	struct te te;
	const char *id;

	sh_gate(&te, "check_tests_local", "printf '1..3\\nok 1 - a\\n"
	    "not ok 2 - empty line\\nnot ok 3 # skip no net\\n' "
	    ">$ORCH_REPORT_FILE; exit 1");
	te.spec.report = 1;
	te_run(&te);
	ck_assert_int_eq(te.done.verdict, GATE_FAIL);
	ck_assert_ptr_nonnull(strstr(te.done.reason, "1 of 2 failed"));
	id = orch_strs_next(&te.done.items, NULL);
	ck_assert_ptr_nonnull(id);
	ck_assert_str_eq(id, "empty line");
	te_close(&te);
}
END_TEST

/* Build and staging say what their artifact was made from. */
START_TEST(what_the_artifact_says_comes_with_the_result)
{
	static const char *const gates[] = { "image-build",
	    "check_staging_status" };
	struct te te;

	run_gate(&te, gates[_i], "printf 'commit %s\\ntree %s\\n' "
	    "$ORCH_COMMIT $ORCH_CODE_TREE >$ORCH_IMAGE_FILE");
	ck_assert_int_eq(te.done.verdict, GATE_PASS);
	ck_assert_uint_eq(strlen(te.done.image_tree), 40);
	ck_assert_str_eq(te.done.image_commit, te.done.commit);
	ck_assert_str_eq(te.done.image_tree, te.done.tree);
	te_close(&te);
	run_gate(&te, gates[_i], "echo commit main >$ORCH_IMAGE_FILE");
	ck_assert_int_eq(te.done.verdict, GATE_PASS);
	ck_assert_str_eq(te.done.image_tree, "");
	te_close(&te);
}
END_TEST

START_TEST(exit_0_with_a_failed_test_does_not_pass)
{
	struct te te;

	run_gate(&te, "check_tests_local", "echo 'not ok 1 - x' "
	    ">$ORCH_REPORT_FILE");
	ck_assert_int_eq(te.done.verdict, GATE_FAIL);
	te_close(&te);
}
END_TEST

START_TEST(gate_without_command_is_error)
{
	struct te te;

	open_gate(&te, "check_security");
	te_run(&te);
	ck_assert_int_eq(te.done.verdict, GATE_ERROR);
	ck_assert_ptr_nonnull(strstr(te.done.reason, "no command"));
	te_close(&te);
}
END_TEST

START_TEST(security_findings_and_broken_scanner_differ)
{
	struct te te;

	run_gate(&te, "check_security", "echo leak found; exit 1");
	ck_assert_int_eq(te.done.verdict, GATE_FAIL);
	te_close(&te);
	run_gate(&te, "check_security", "exit 2");
	ck_assert_int_eq(te.done.verdict, GATE_ERROR);
	te_close(&te);
}
END_TEST

START_TEST(coverage_is_the_last_percentage)
{
	struct te te;

	run_gate(&te, "check_coverage", "echo 'a.c 12.5%'; echo 'all 87.4 %'");
	ck_assert_int_eq(te.done.verdict, GATE_PASS);
	ck_assert_uint_eq(te.done.text.b_len, 5);
	ck_assert_mem_eq(te.done.text.b_data, "87.40", 5);
	te_close(&te);
	run_gate(&te, "check_coverage", "echo none");
	ck_assert_int_eq(te.done.verdict, GATE_ERROR);
	te_close(&te);
}
END_TEST

START_TEST(own_gate_is_a_command)
{
	struct te te;

	run_gate(&te, "licences", "exit 0");
	ck_assert_int_eq(te.done.verdict, GATE_PASS);
	te_close(&te);
}
END_TEST

/* A server of the first command lives until the second ends. */
START_TEST(staging_runs_both_in_one_box)
{
	struct te te;

	sh_gate(&te, "check_staging_status", te_script("sh -c 'SLEEP & "
	    "echo $! >server.pid; wait' & sleep 0.2"));
	te.spec.argv2 = (struct orch_strs)STRS_OF("/bin/sh", "-c",
	    "kill -0 $(cat server.pid) && echo alive");
	te.spec.timeout2_s = 10;
	te_run(&te);
	ck_assert_msg(te.done.verdict == GATE_PASS, "%s", te.done.reason);
	ck_assert(te_logged(&te, "alive"));
	ck_assert_int_eq(te_sleepers(), 0);
	te_close(&te);
}
END_TEST

START_TEST(staging_verdicts_follow_the_check)
{
	struct te te;

	sh_gate(&te, "check_staging_status", "exit 9");
	te.spec.argv2 = (struct orch_strs)STRS_OF("/bin/true");
	te_run(&te);
	ck_assert_int_eq(te.done.verdict, GATE_FAIL);
	te_close(&te);
	sh_gate(&te, "check_staging_status", "true");
	te.spec.argv2 = (struct orch_strs)STRS_OF("/bin/sh", "-c", "exit 3");
	te_run(&te);
	ck_assert_int_eq(te.done.verdict, GATE_ERROR);
	te_close(&te);
	sh_gate(&te, "check_staging_status", te_sleep());
	te.spec.argv2 = (struct orch_strs)STRS_OF("/bin/true");
	te.spec.timeout_s = 1;
	te_run(&te);
	ck_assert_int_eq(te.done.verdict, GATE_ERROR);
	ck_assert_int_eq(te.done.cause, CAUSE_TIMEOUT);
	te_close(&te);
}
END_TEST

/* Without a deploy command the check stands alone, with its own rules. */
START_TEST(staging_check_alone_keeps_its_exit_codes)
{
	struct te te;

	run_gate(&te, "check_staging_status", "exit 2");
	ck_assert_int_eq(te.done.verdict, GATE_ERROR);
	te_close(&te);
	run_gate(&te, "check_staging_status", "exit 1");
	ck_assert_int_eq(te.done.verdict, GATE_FAIL);
	te_close(&te);
	sh_gate(&te, "check_staging_status", "exit 0");
	te.spec.report = 1;
	te_run(&te);
	ck_assert_int_eq(te.done.verdict, GATE_ERROR);
	te_close(&te);
}
END_TEST

START_TEST(staging_waives_only_what_is_listed)
{
	struct te te;

	sh_gate(&te, "check_staging_status", "true");
	te.spec.argv2 = (struct orch_strs)STRS_OF("/bin/sh", "-c",
	    "echo 'failed: [dns, mail]' >$ORCH_REPORT_FILE; exit 1");
	te.spec.known_infra = (struct orch_strs)STRS_OF("mail", "dns");
	te_run(&te);
	ck_assert_msg(te.done.verdict == GATE_PASS, "%s", te.done.reason);
	ck_assert_ptr_nonnull(strstr(te.done.reason, "dns, mail"));
	te_close(&te);
	sh_gate(&te, "check_staging_status", "true");
	te.spec.argv2 = (struct orch_strs)STRS_OF("/bin/sh", "-c",
	    "echo 'failed: [dns, login]' >$ORCH_REPORT_FILE; exit 1");
	te.spec.known_infra = (struct orch_strs)STRS_OF("mail", "dns");
	te_run(&te);
	ck_assert_int_eq(te.done.verdict, GATE_FAIL);
	te_close(&te);
}
END_TEST

START_TEST(review_verdict_comes_from_front_matter)
{
	struct te te;
	char text[400];

	open_gate(&te, "check_reviewer_verdict");
	(void)snprintf(text, sizeof(text), "---\ntype: review\n"
	    "work_item_id: T-1\nverdict: REQUEST_CHANGES\nversion: 1\n"
	    "commit: %s\n---\nno test for an empty line\n", te.head);
	with_file(&te, DOCS "12-review.md", text);
	te_run(&te);
	ck_assert_msg(te.done.verdict == GATE_FAIL, "%s", te.done.reason);
	ck_assert_int_eq(te.done.cause, CAUSE_RED);
	ck_assert_ptr_nonnull(memmem(te.done.text.b_data, te.done.text.b_len,
	    "no test for an empty line", 25));
	/* And says which artifacts it has judged. */
	ck_assert_uint_eq(te.done.artifacts.l_n, GIT_ARTIFACT_ROLES);
	te_close(&te);
}
END_TEST

START_TEST(missing_review_runs_its_role_again)
{
	struct te te;

	open_gate(&te, "check_reviewer_verdict");
	te_run(&te);
	ck_assert_int_eq(te.done.verdict, GATE_FAIL);
	ck_assert_int_eq(te.done.cause, CAUSE_BAD_ARTIFACT);
	te_close(&te);
}
END_TEST

/* A report that lies cannot pass a red command, nor a command a bad report. */
START_TEST(tests_passed_needs_both)
{
	struct te te;
	char text[400];

	sh_gate(&te, "check_tests_passed", "exit 1");
	(void)snprintf(text, sizeof(text), "---\ntype: test-report\n"
	    "work_item_id: T-1\nresult: PASS\ncommit: %s\n---\nall good\n",
	    te.head);
	with_file(&te, DOCS "13-test-report.md", text);
	te_run(&te);
	ck_assert_int_eq(te.done.verdict, GATE_FAIL);
	ck_assert_int_eq(te.done.cause, CAUSE_RED);
	te_close(&te);
	sh_gate(&te, "check_tests_passed", "exit 0");
	(void)snprintf(text, sizeof(text), "---\ntype: test-report\n"
	    "work_item_id: T-1\nresult: PASS\ncommit: %s\n---\nall good\n",
	    te.head);
	with_file(&te, DOCS "13-test-report.md", text);
	te_run(&te);
	ck_assert_msg(te.done.verdict == GATE_PASS, "%s", te.done.reason);
	te_close(&te);
	run_gate(&te, "check_tests_passed", "exit 0");
	ck_assert_int_eq(te.done.verdict, GATE_FAIL);
	ck_assert_int_eq(te.done.cause, CAUSE_BAD_ARTIFACT);
	te_close(&te);
}
END_TEST

START_TEST(commit_that_is_not_there_is_error)
{
	struct te te;

	sh_gate(&te, "check_tests_local", "true");
	te.go.commit = "0123456789012345678901234567890123456789";
	te_run(&te);
	ck_assert_int_eq(te.done.verdict, GATE_ERROR);
	te_close(&te);
}
END_TEST

/* Links in the tree are links in the clone; nothing is written through. */
START_TEST(gate_cannot_write_outside_its_clone)
{
	struct te te;
	char script[256] = "";

	te_open(&te, KIND_GATE);
	te_close(&te);
	sh_gate(&te, "check_tests_local", script);
	(void)snprintf(script, sizeof(script), "ln -s %s out; "
	    "touch out/canary 2>/dev/null; touch %s/refs/heads/x 2>/dev/null;"
	    "true", te.dir, te.mirror);
	te_run(&te);
	ck_assert_msg(te.done.verdict == GATE_PASS, "%s", te.done.reason);
	ck_assert(!te_exists(&te, "canary"));
	ck_assert(!te_exists(&te, "m.git/refs/heads/x"));
	te_close(&te);
}
END_TEST

int
main(int argc, char **argv)
{
	Suite *s;
	TCase *tc;
	SRunner *sr;
	int rc;

	if ((rc = te_inside(argc, argv)) != -1)
		return (rc);
	s = suite_create("runner_gate");
	tc = tcase_create("gate");
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, green_command_passes_with_commit_and_tree);
	tcase_add_test(tc, red_command_fails_with_its_log);
	tcase_add_test(tc, command_that_could_not_run_is_error);
	tcase_add_test(tc, signal_is_error);
	tcase_add_test(tc, time_limit_is_error);
	tcase_add_test(tc, missing_report_is_error_where_one_is_due);
	tcase_add_test(tc, report_without_test_is_error);
	tcase_add_test(tc, report_names_the_failed_tests);
	tcase_add_loop_test(tc,
	    what_the_artifact_says_comes_with_the_result, 0, 2);
	tcase_add_test(tc, exit_0_with_a_failed_test_does_not_pass);
	tcase_add_test(tc, gate_without_command_is_error);
	tcase_add_test(tc, security_findings_and_broken_scanner_differ);
	tcase_add_test(tc, coverage_is_the_last_percentage);
	tcase_add_test(tc, own_gate_is_a_command);
	tcase_add_test(tc, staging_runs_both_in_one_box);
	tcase_add_test(tc, staging_verdicts_follow_the_check);
	tcase_add_test(tc, staging_check_alone_keeps_its_exit_codes);
	tcase_add_test(tc, staging_waives_only_what_is_listed);
	tcase_add_test(tc, review_verdict_comes_from_front_matter);
	tcase_add_test(tc, missing_review_runs_its_role_again);
	tcase_add_test(tc, tests_passed_needs_both);
	tcase_add_test(tc, commit_that_is_not_there_is_error);
	tcase_add_test(tc, gate_cannot_write_outside_its_clone);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	rc = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (rc == 0 ? 0 : 1);
}
