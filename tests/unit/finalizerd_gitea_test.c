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
 * The worker against a forge that is elsewhere: what is to happen happens
 * once, whatever is lost, late or refused.
 */

#include "libcommon/gitea.h"
#include "libcommon/seccomp.h"

#include "finalizerd_forge.h"

START_TEST(one_branch_and_one_pull_request_whatever_is_lost)
{
	static const char *const faults[] = {
		NULL,
		"{\"match\":\"POST .*/pulls\",\"kind\":\"lost\"}",
		"{\"match\":\"POST .*/pulls\",\"kind\":\"status\"}",
		"{\"match\":\"POST .*/pulls\",\"kind\":\"html\"}",
		"{\"match\":\"POST .*receive-pack.*\",\"kind\":\"lost\"}",
		"{\"match\":\"GET .*/pulls.*\",\"kind\":\"garbage\"}",
	};

	begin("0");
	if (faults[_i] != NULL)
		fs_fault(faults[_i]);
	publish();
	published();
	go.commit = oid_h_ff;
	publish();		/* again: nothing to do */
	published();
	fs_stop();
}
END_TEST

START_TEST(a_closed_pull_request_is_not_opened_again)
{
	begin("0");
	publish();
	published();
	go.commit = oid_h_ff;
	ck_assert_int_lt(fs_call("tok-boss", "PATCH", API "/pulls/1",
	    "{\"state\":\"closed\"}", NULL), 300);
	eng->e_njournal = 0;
	publish();
	ck_assert_int_eq(eng->e_verdict, GATE_ERROR);
	ck_assert_int_eq(eng->e_cause, CAUSE_MOVED);
	ck_assert_uint_eq(fs_count("/_standin/state", "\"number\""), 1);
	ck_assert_int_eq(eng->e_pull, PULL_IS_CLOSED);
	fs_stop();
}
END_TEST

START_TEST(one_merge_whatever_is_lost)
{
	static const char *const faults[] = {
		NULL,
		"{\"match\":\"" MERGE "\",\"kind\":\"slow\"}",
		"{\"match\":\"" MERGE "\",\"kind\":\"lost\"}",
		"{\"match\":\"" MERGE "\",\"kind\":\"reset\"}",
		"{\"match\":\"" MERGE "\",\"kind\":\"after\",\"status\":500}",
		"{\"match\":\"" MERGE "\",\"kind\":\"after\",\"status\":405}",
		"{\"match\":\"" MERGE "\",\"kind\":\"after\",\"status\":403}",
		"{\"match\":\"" MERGE "\",\"kind\":\"after\",\"status\":401}",
		"{\"match\":\"" MERGE "\",\"kind\":\"status\",\"status\":500,"
		"\"times\":2}",
		"{\"match\":\"" MERGE "\",\"kind\":\"status\",\"status\":405,"
		"\"times\":2,\"body\":\"{\\\"message\\\":\\\"Please try again "
		"later\\\"}\"}",
		"{\"match\":\"" MERGE "\",\"kind\":\"after\",\"status\":503,"
		"\"headers\":{\"Retry-After\":\"1\"}}",
		"{\"match\":\"" MERGE "\",\"kind\":\"html\"}",
		"{\"match\":\"" MERGE "\",\"kind\":\"redirect\",\"location\":"
		"\"http://127.0.0.1:9/\"}",
	};

	begin("0");
	publish();
	published();
	if (faults[_i] != NULL)
		fs_fault(faults[_i]);
	edge();
	landed(oid_h_ff);
	fs_stop();
}
END_TEST

/* The worker dies after the engine has stored its n-th message. */
START_TEST(one_merge_wherever_a_worker_dies)
{
	begin("0");
	publish();
	go.work = "edge";
	go.stage = "deploy-staging";
	go.head = go.commit = oid_h_ff;
	eng->e_commits = eng->e_ends = 0;
	eng->e_kill_at = (unsigned int)_i;
	eng->e_kill_after = 1;
	(void)run_worker();
	eng->e_kill_at = 0;
	if (eng->e_commits == 0)
		edge();
	landed(oid_h_ff);
	fs_stop();
}
END_TEST

START_TEST(a_check_of_the_server_is_waited_for)
{
	begin("2");
	publish();
	edge();
	landed(oid_h_ff);
	fs_stop();
}
END_TEST

START_TEST(a_branch_that_is_behind_lands_as_the_tested_merge)
{
	const char *m;
	char tree[41], err[256], tip[41];

	begin("0");
	publish();
	forge_set("main", oid_t2);
	edge();
	m = forge_get(BRANCH);
	(void)strlcpy(tip, m, sizeof(tip));
	ck_assert_str_ne(tip, oid_h_ff);
	landed(tip);
	ck_assert_int_eq(git_tree_of(&repo, tip, tree, err, sizeof(err)),
	    GIT_OK);
	ck_assert_str_eq(eng->e_tree, tree);
	fs_stop();
}
END_TEST

/* Somebody is first between the last look and the merge. */
static enum forge_result
overtaken_land(struct worker *w, const char *target, const char *new,
    const char *old, char *err, size_t errlen)
{
	static int once;

	if (once++ == 0)
		forge_set("main", oid_t2);
	return (forge_gitea.f_land(w, target, new, old, err, errlen));
}

START_TEST(a_target_that_diverged_is_tested_again)
{
	char tip[41];

	begin("0");
	publish();
	counting.f_land = overtaken_land;
	edge();
	(void)strlcpy(tip, forge_get(BRANCH), sizeof(tip));
	ck_assert_str_ne(tip, oid_h_ff);
	landed(tip);
	ck_assert_str_eq(eng->e_previous, oid_t2);
	fs_stop();
}
END_TEST

START_TEST(a_branch_that_moved_lands_nothing)
{
	begin("0");
	publish();
	forge_set(BRANCH, "");
	forge_set(BRANCH, oid_clash);
	edge();
	ck_assert_int_eq(eng->e_verdict, GATE_ERROR);
	ck_assert_int_eq(eng->e_cause, CAUSE_MOVED);
	ck_assert_str_eq(forge_get("main"), oid_t);
	go.commit = oid_h;
	go.head = oid_h_ff;
	eng->e_njournal = 0;
	publish();
	ck_assert_int_eq(eng->e_cause, CAUSE_MOVED);
	ck_assert_str_eq(forge_get(BRANCH), oid_clash);
	fs_stop();
}
END_TEST

static void
protect(void)
{
	ck_assert_int_eq(fs_call("tok-boss", "POST", API
	    "/branch_protections", "{\"rule_name\":\"main\",\"enable_push\":"
	    "true,\"enable_status_check\":true,\"status_check_contexts\":"
	    "[\"ci/test\"]}", NULL), 201);
}

static void
check_says(const char *context, const char *state)
{
	char path[128], body[128];

	(void)snprintf(path, sizeof(path), API "/statuses/%s", oid_h_ff);
	(void)snprintf(body, sizeof(body), "{\"state\":\"%s\",\"context\":"
	    "\"%s\",\"description\":\"3 failed\"}", state, context);
	ck_assert_int_eq(fs_call("tok-boss", "POST", path, body, NULL), 201);
}

static void
ci_says(const char *state)
{
	check_says("ci/test", state);
}

START_TEST(a_branch_deleted_by_hand_is_not_made_anew)
{
	begin("0");
	publish();
	forge_set(BRANCH, "");
	edge();
	ck_assert_int_eq(eng->e_verdict, GATE_ERROR);
	ck_assert_int_eq(eng->e_cause, CAUSE_MOVED);
	ck_assert_ptr_nonnull(strstr(eng->e_reason, "does not exist"));
	/* Nor by the next thing that is handed in. */
	go.commit = oid_h;
	eng->e_njournal = 0;
	publish();
	ck_assert_int_eq(eng->e_verdict, GATE_ERROR);
	ck_assert_int_eq(eng->e_cause, CAUSE_MOVED);
	ck_assert_str_eq(forge_get(BRANCH), "");
	ck_assert_str_eq(forge_get("main"), oid_t);
	fs_stop();
}
END_TEST

START_TEST(the_merge_waits_for_ci)
{
	pid_t pid;
	int status;

	begin("0");
	publish();
	protect();
	(void)fflush(NULL);
	if ((pid = fork()) == 0) {
		fs_pause(1500);
		ci_says("success");
		_exit(0);
	}
	edge();
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	landed(oid_h_ff);
	fs_stop();
}
END_TEST

START_TEST(the_wait_for_ci_has_a_deadline)
{
	begin("0");
	publish();
	protect();
	option("ci_wait_timeout_s=1");
	edge();
	ck_assert_int_eq(eng->e_verdict, GATE_ERROR);
	ck_assert_int_eq(eng->e_cause, CAUSE_TIMEOUT);
	ck_assert_str_eq(forge_get("main"), oid_t);
	/* The next worker may try again. */
	ci_says("success");
	edge();
	landed(oid_h_ff);
	fs_stop();
}
END_TEST

START_TEST(red_ci_lands_nothing)
{
	begin("0");
	publish();
	protect();
	ci_says("failure");
	edge();
	ck_assert_int_eq(eng->e_verdict, GATE_FAIL);
	ck_assert_int_eq(eng->e_cause, CAUSE_RED);
	ck_assert_ptr_nonnull(strstr(eng->e_reason, "ci/test"));
	ck_assert_str_eq(forge_get("main"), oid_t);
	fs_stop();
}
END_TEST

/* Green ones fill the first two pages, and what they say of themselves. */
START_TEST(red_ci_is_found_on_any_page)
{
	char context[32];
	int i;

	begin("0");
	publish();
	protect();
	for (i = 0; i < 2 * GITEA_PAGE; i++) {
		(void)snprintf(context, sizeof(context), "ci/a%d", i);
		check_says(context, "success");
	}
	check_says("ci/other", "pending");
	ci_says("failure");
	option("ci_wait_timeout_s=2");
	edge();
	ck_assert_msg(eng->e_verdict == GATE_FAIL, "%s", eng->e_reason);
	ck_assert_int_eq(eng->e_cause, CAUSE_RED);
	ck_assert_ptr_nonnull(strstr(eng->e_reason, "ci/test"));
	ck_assert_str_eq(forge_get("main"), oid_t);
	fs_stop();
}
END_TEST

/* Nothing has moved: what the server says is why. */
START_TEST(a_merge_that_is_refused_says_in_whose_words)
{
	begin("0");
	publish();
	ck_assert_int_lt(fs_call("tok-boss", "PATCH", API "/pulls/1",
	    "{\"title\":\"WIP: not yet\"}", NULL), 300);
	edge();
	ck_assert_int_eq(eng->e_verdict, GATE_ERROR);
	ck_assert_str_eq(forge_get("main"), oid_t);
	ck_assert_msg(strstr(eng->e_reason, "Work in progress") != NULL, "%s",
	    eng->e_reason);
	fs_stop();
}
END_TEST

START_TEST(a_cancelled_task_takes_its_branch_and_pull_request_away)
{
	begin("0");
	publish();
	published();
	go.work = "close";
	go.stage = "review";
	go.commit = oid_h_ff;
	fs_fault("{\"match\":\"PATCH .*\",\"kind\":\"lost\"}");
	fs_fault("{\"match\":\"POST .*receive-pack.*\",\"kind\":\"lost\"}");
	ck_assert_int_eq(run_worker(), 0);
	ck_assert_str_eq(eng->e_to, "cancelled");
	ck_assert_str_eq(forge_get(BRANCH), "");
	ck_assert_str_eq(get_ref("refs/heads/" BRANCH), "");
	ck_assert_str_eq(get_ref("refs/orchd/keep/" TASK), oid_h_ff);
	ck_assert_uint_eq(fs_count("/_standin/state", "\"open\""), 0);
	ck_assert_int_eq(eng->e_pull, PULL_IS_CLOSED);
	fs_stop();
}
END_TEST

START_TEST(fetch_fills_the_mirror_without_a_lease)
{
	begin("0");
	forge_set("other", oid_clash);
	set_ref("refs/heads/gone", oid_h);
	set_ref("refs/heads/main", "");
	go.work = "fetch";
	ck_assert_int_eq(run_worker(), 0);
	ck_assert_uint_eq(eng->e_epoch, 0);
	ck_assert_int_eq(eng->e_dones, 1);
	ck_assert_str_eq(get_ref("refs/heads/main"), oid_t);
	ck_assert_str_eq(get_ref("refs/heads/other"), oid_clash);
	ck_assert_str_eq(get_ref("refs/heads/gone"), "");
	set_ref("refs/heads/other", "");
	fs_stop();
}
END_TEST

START_TEST(a_forge_that_is_away_is_no_fault_of_the_work)
{
	begin("0");
	go.work = "fetch";
	fs_stop();
	ck_assert_int_eq(run_worker(), 0);
	ck_assert_int_eq(eng->e_verdict, GATE_ERROR);
	ck_assert_int_eq(eng->e_cause, CAUSE_TRANSIENT);
}
END_TEST

/* It answers, and what it says will not change by waiting. */
START_TEST(a_repository_that_is_not_there_is_named)
{
	begin("0");
	go.work = "fetch";
	fs_fault("{\"match\":\"GET .*info/refs.*\",\"kind\":\"status\","
	    "\"times\":1,\"status\":404}");
	ck_assert_int_eq(run_worker(), 0);
	ck_assert_int_eq(eng->e_verdict, GATE_ERROR);
	ck_assert_int_eq(eng->e_cause, CAUSE_INFRA);
	ck_assert_msg(strstr(eng->e_reason, "no repository " FS_REPO) !=
	    NULL, "%s", eng->e_reason);
	fs_stop();
}
END_TEST

/* Its end, with what a person has to do. */
static void
refused_at(const char *what)
{
	ck_assert_int_eq(eng->e_verdict, GATE_ERROR);
	ck_assert_msg(eng->e_cause == CAUSE_INFRA, "%s: %s", what,
	    eng->e_reason);
	ck_assert_msg(strstr(eng->e_reason, what) != NULL &&
	    strstr(eng->e_reason, "write token file in orchd.conf") != NULL,
	    "%s: %s", what, eng->e_reason);
}

/* Nine minutes of tries would not make the token a better one. */
START_TEST(a_refused_push_is_no_outage)
{
	begin("0");
	fs_fault("{\"match\":\"POST .*receive-pack.*\",\"kind\":\"status\","
	    "\"times\":-1,\"status\":403}");
	publish();
	refused_at("push is not done");
	ck_assert_str_eq(forge_get(BRANCH), "");
	fs_stop();
}
END_TEST

START_TEST(a_refused_pull_request_is_no_outage)
{
	begin("0");
	fs_fault("{\"match\":\"POST .*/pulls\",\"kind\":\"status\","
	    "\"times\":-1,\"status\":401}");
	publish();
	refused_at("pr-open is not done");
	fs_stop();
}
END_TEST

START_TEST(a_token_that_ended_is_no_outage)
{
	begin("0");
	publish();
	published();
	spec.token = "another";
	edge();
	refused_at("the server refuses the token");
	fs_stop();
}
END_TEST

/* One that is refused and merged all the same is in the case above. */
START_TEST(a_refused_merge_is_read_back_and_asked_for_once)
{
	begin("0");
	publish();
	published();
	fs_fault("{\"match\":\"" MERGE "\",\"kind\":\"status\",\"times\":-1,"
	    "\"status\":403}");
	edge();
	refused_at("merge is not done");
	ck_assert_str_eq(forge_get("main"), oid_t);
	ck_assert_uint_eq(fs_count("/_standin/log", "/merge\""), 1);
	fs_stop();
}
END_TEST

/* The user is not in the merge allowlist of the branch's protection. */
START_TEST(a_merge_that_this_user_may_not_make_is_no_outage)
{
	begin("0");
	publish();
	published();
	fs_fault("{\"match\":\"" MERGE "\",\"kind\":\"status\",\"times\":-1,"
	    "\"status\":405,\"body\":\"{\\\"message\\\":\\\"User not allowed "
	    "to merge PR\\\"}\"}");
	edge();
	refused_at("merge is not done: HTTP 405: User not allowed to merge");
	ck_assert_str_eq(forge_get("main"), oid_t);
	ck_assert_uint_eq(fs_count("/_standin/log", "/merge\""), 1);
	fs_stop();
}
END_TEST

/* A limit of a proxy ends by itself. */
START_TEST(a_403_that_says_when_to_come_back_is_an_outage)
{
	begin("0");
	fs_fault("{\"match\":\"POST .*pulls\",\"kind\":\"status\","
	    "\"times\":-1,\"status\":403,\"headers\":{\"Retry-After\":\"1\"}}");
	publish();
	ck_assert_int_eq(eng->e_verdict, GATE_ERROR);
	ck_assert_int_eq(eng->e_cause, CAUSE_TRANSIENT);
	fs_stop();
}
END_TEST

/* Nothing more is asked of it, and the engine is told how long that is. */
START_TEST(a_forge_that_wants_to_be_left_alone_is)
{
	begin("0");
	fs_fault("{\"match\":\"POST .*pulls\",\"kind\":\"status\","
	    "\"times\":-1,\"status\":503,\"headers\":"
	    "{\"Retry-After\":\"120\"}}");
	publish();
	ck_assert_int_eq(eng->e_verdict, GATE_ERROR);
	ck_assert_int_eq(eng->e_cause, CAUSE_TRANSIENT);
	ck_assert_uint_gt(eng->e_wait_s, 60);
	ck_assert_uint_le(eng->e_wait_s, 120);
	ck_assert_uint_eq(fs_count("/_standin/log", "503"), 1);
	fs_stop();
}
END_TEST

static enum forge_result
sandboxed_head(struct worker *w, const char *branch, char oid[41], char *err,
    size_t errlen)
{
	static int entered;

	if (!entered && sandbox_enter(ROLE_FINALIZERD, err, errlen) == -1)
		return (FORGE_UNKNOWN);
	entered = 1;
	return (forge_gitea.f_head(w, branch, oid, err, errlen));
}

/* What the filter of the worker forbids, git and libcurl do not need. */
START_TEST(the_sandbox_lets_it_work)
{
	begin("0");
	counting.f_head = sandboxed_head;
	publish();
	published();
	fs_stop();
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("finalizerd gitea");
	TCase *tc = tcase_create("forge");
	SRunner *sr;
	int failed;

	(void)curl_global_init(CURL_GLOBAL_DEFAULT);
	tcase_add_unchecked_fixture(tc, world_make, world_remove);
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc,
	    one_branch_and_one_pull_request_whatever_is_lost, 0, 6);
	tcase_add_test(tc, a_closed_pull_request_is_not_opened_again);
	tcase_add_loop_test(tc, one_merge_whatever_is_lost, 0, 13);
	tcase_add_loop_test(tc, one_merge_wherever_a_worker_dies, 1, 15);
	tcase_add_test(tc, a_check_of_the_server_is_waited_for);
	tcase_add_test(tc,
	    a_branch_that_is_behind_lands_as_the_tested_merge);
	tcase_add_test(tc, a_target_that_diverged_is_tested_again);
	tcase_add_test(tc, a_branch_that_moved_lands_nothing);
	tcase_add_test(tc, a_branch_deleted_by_hand_is_not_made_anew);
	tcase_add_test(tc, the_merge_waits_for_ci);
	tcase_add_test(tc, the_wait_for_ci_has_a_deadline);
	tcase_add_test(tc, red_ci_lands_nothing);
	tcase_add_test(tc, red_ci_is_found_on_any_page);
	tcase_add_test(tc, a_merge_that_is_refused_says_in_whose_words);
	tcase_add_test(tc,
	    a_cancelled_task_takes_its_branch_and_pull_request_away);
	tcase_add_test(tc, fetch_fills_the_mirror_without_a_lease);
	tcase_add_test(tc, a_forge_that_is_away_is_no_fault_of_the_work);
	tcase_add_test(tc, a_repository_that_is_not_there_is_named);
	tcase_add_test(tc, a_refused_push_is_no_outage);
	tcase_add_test(tc, a_refused_pull_request_is_no_outage);
	tcase_add_test(tc, a_token_that_ended_is_no_outage);
	tcase_add_test(tc, a_refused_merge_is_read_back_and_asked_for_once);
	tcase_add_test(tc, a_merge_that_this_user_may_not_make_is_no_outage);
	tcase_add_test(tc,
	    a_403_that_says_when_to_come_back_is_an_outage);
	tcase_add_test(tc, a_forge_that_wants_to_be_left_alone_is);
	tcase_add_test(tc, the_sandbox_lets_it_work);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed == 0 ? 0 : 1);
}
