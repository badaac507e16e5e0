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
 * The worker where the forge makes the commit that lands: one merge whatever
 * is lost and wherever it dies, and a tree that nobody has tested is found out.
 */

#include "finalizerd_forge.h"

#define MERGEABLE	"check_branch_mergeable"

static const char *const methods[] = { "merge", "squash", "rebase" };

#define NMETHODS	3
#define FAULTS		10
#define DEATHS		16	/* messages of an edge, about */

static const char *method;

/* With SLOW set everything by each method, else some of it by one of them. */
static int slow;

static int
few(int all, int some)
{
	return (slow ? all : some);
}

static void
begin_by(int i)
{
	static char text[64];

	method = methods[i % NMETHODS];
	begin("0");
	(void)snprintf(text, sizeof(text), "merge_method=%s", method);
	publish();
	published();
	option(text);
}

static const char *
tree(const char *commit)
{
	static char oid[41];
	char err[256];

	ck_assert_msg(git_tree_of(&repo, commit, oid, err, sizeof(err)) ==
	    GIT_OK, "%s", err);
	return (oid);
}

static uint64_t
commits(const char *from, const char *to)
{
	char err[256];
	uint64_t n;

	ck_assert_msg(git_rev_count(&repo, from, to, &n, err, sizeof(err)) ==
	    GIT_OK, "%s", err);
	return (n);
}

/* The forge's commit of that head landed, once, and everybody knows of it. */
static void
landed_as(const char *from, const char *head, const char *tested)
{
	char now[41];

	(void)strlcpy(now, forge_get("main"), sizeof(now));
	landed(now);
	ck_assert_str_eq(eng->e_merged, head);
	ck_assert_str_eq(eng->e_tested, tested != NULL ? tested : now);
	ck_assert_str_eq(eng->e_tree, tree(now));
	if (strcmp(method, "merge") == 0) {
		/* It, the head and what the head has that the target had not. */
		ck_assert_uint_eq(commits(head, now) - commits(head, from), 1);
	} else {
		ck_assert_uint_eq(commits(from, now), 1);
	}
}

START_TEST(one_merge_whatever_is_lost)
{
	static const char *const faults[FAULTS] = {
		NULL,
		"{\"match\":\"" MERGE "\",\"kind\":\"slow\"}",
		"{\"match\":\"" MERGE "\",\"kind\":\"lost\"}",
		"{\"match\":\"" MERGE "\",\"kind\":\"reset\"}",
		"{\"match\":\"" MERGE "\",\"kind\":\"after\",\"status\":500}",
		"{\"match\":\"" MERGE "\",\"kind\":\"after\",\"status\":405}",
		"{\"match\":\"" MERGE "\",\"kind\":\"after\",\"status\":409}",
		"{\"match\":\"" MERGE "\",\"kind\":\"status\",\"status\":500,"
		"\"times\":2}",
		"{\"match\":\"" MERGE "\",\"kind\":\"html\"}",
		"{\"match\":\"GET .*/pulls.*\",\"kind\":\"garbage\"}",
	};

	begin_by(_i);
	if (faults[_i % FAULTS] != NULL)
		fs_fault(faults[_i % FAULTS]);
	edge();
	/* One before the merge ends the work before it begins. */
	if (eng->e_commits == 0)
		edge();
	landed_as(oid_t, oid_h_ff, oid_h_ff);
	ck_assert_int_eq(eng->e_untested, 0);
	fs_stop();
}
END_TEST

/* The worker dies before or after the engine has stored its n-th message. */
START_TEST(one_merge_wherever_a_worker_dies)
{
	int n = few(_i, 4 * _i + _i % 2);

	begin_by(_i);
	go.work = "edge";
	go.stage = "deploy-staging";
	go.head = go.commit = oid_h_ff;
	eng->e_commits = eng->e_ends = 0;
	eng->e_kill_at = (unsigned int)(n / 2 + 1);
	eng->e_kill_after = n % 2;
	(void)run_worker();
	eng->e_kill_at = 0;
	if (eng->e_commits == 0)
		edge();
	landed_as(oid_t, oid_h_ff, oid_h_ff);
	ck_assert_int_eq(eng->e_untested, 0);
	fs_stop();
}
END_TEST

START_TEST(a_branch_that_is_behind_lands_with_the_tested_tree)
{
	char tip[41], want[41];

	begin_by(_i);
	forge_set("main", oid_t2);
	edge();
	(void)strlcpy(tip, forge_get(BRANCH), sizeof(tip));
	ck_assert_str_ne(tip, oid_h_ff);
	landed_as(oid_t2, tip, tip);
	(void)strlcpy(want, tree(tip), sizeof(want));
	ck_assert_str_eq(eng->e_tree, want);
	ck_assert_str_eq(eng->e_previous, oid_t2);
	ck_assert_int_eq(eng->e_untested, 0);
	fs_stop();
}
END_TEST

static int red_after;

/* Somebody is first between the last look and the merge. */
static enum forge_result
overtaken_land(struct worker *w, const char *target, const char *new,
    const char *old, char *err, size_t errlen)
{
	static int once;

	if (once++ == 0) {
		forge_set("main", oid_t2);
		if (red_after) {
			(void)strlcpy(eng->e_red_gate, MERGEABLE,
			    sizeof(eng->e_red_gate));
			eng->e_red_verdict = GATE_FAIL;
		}
	}
	return (forge_gitea.f_land(w, target, new, old, err, errlen));
}

START_TEST(a_tree_that_nobody_tested_is_told_and_tested)
{
	int gates;

	begin_by(_i);
	gates = eng->e_gates;
	counting.f_land = overtaken_land;
	edge();
	landed_as(oid_t2, oid_h_ff, NULL);
	ck_assert_int_eq(eng->e_untested, 1);
	ck_assert_int_eq(eng->e_gates, gates + 3);
	ck_assert_ptr_nonnull(strstr(eng->e_reason, "tested after that"));
	fs_stop();
}
END_TEST

/* It goes back; who tries again adopts it, and no second merge is made. */
START_TEST(a_tree_that_nobody_tested_and_is_red_goes_no_further)
{
	char now[41];

	begin_by(_i);
	counting.f_land = overtaken_land;
	red_after = 1;
	edge();
	red_after = 0;
	ck_assert_int_eq(eng->e_commits, 0);
	ck_assert_int_eq(eng->e_verdict, GATE_FAIL);
	ck_assert_int_eq(eng->e_cause, CAUSE_RED);
	ck_assert_ptr_nonnull(strstr(eng->e_reason, "not what was tested"));
	ck_assert_int_eq(eng->e_untested, 1);
	ck_assert_str_eq(eng->e_tested, "");
	(void)strlcpy(now, forge_get("main"), sizeof(now));
	ck_assert_str_eq(eng->e_landed, now);
	eng->e_red_gate[0] = '\0';
	edge();
	ck_assert_str_eq(forge_get("main"), now);
	landed_as(oid_t2, oid_h_ff, NULL);
	ck_assert_int_eq(eng->e_untested, 2);
	fs_stop();
}
END_TEST

/* Wherever it dies: never is it moved on what was not tested. */
START_TEST(an_untested_tree_is_found_out_wherever_a_worker_dies)
{
	begin_by(_i);
	counting.f_land = overtaken_land;
	go.work = "edge";
	go.stage = "deploy-staging";
	go.head = go.commit = oid_h_ff;
	eng->e_commits = eng->e_ends = 0;
	eng->e_kill_at = (unsigned int)(few(_i, 3 * _i) + 4);
	eng->e_kill_after = 1;
	(void)run_worker();
	eng->e_kill_at = 0;
	counting.f_land = forge_gitea.f_land;
	if (eng->e_commits == 0)
		edge();
	ck_assert_int_eq(eng->e_commits, 1);
	/* Who died before the merge saw the target move: tested before. */
	if (eng->e_untested == 0)
		landed_as(strcmp(eng->e_merged, oid_h_ff) == 0 ? oid_t :
		    oid_t2, eng->e_merged, eng->e_merged);
	else
		landed_as(oid_t2, oid_h_ff, NULL);
	fs_stop();
}
END_TEST

static void
by_hand(const char *how)
{
	char body[128];

	(void)snprintf(body, sizeof(body), "{\"Do\":\"%s\"}", how);
	ck_assert_int_eq(fs_call("tok-boss", "POST", API "/pulls/1/merge",
	    body, NULL), 200);
}

START_TEST(a_merge_by_hand_needs_a_pass_and_is_adopted)
{
	begin_by(_i);
	by_hand(method);
	(void)strlcpy(eng->e_red_gate, MERGEABLE, sizeof(eng->e_red_gate));
	eng->e_red_verdict = GATE_FAIL;
	edge();
	ck_assert_int_eq(eng->e_commits, 0);
	ck_assert_int_eq(eng->e_verdict, GATE_FAIL);
	eng->e_red_gate[0] = '\0';
	edge();
	landed_as(oid_t, oid_h_ff, oid_h_ff);
	fs_stop();
}
END_TEST

/* The branch is deleted after the merge, as many a forge does by itself. */
START_TEST(a_merged_branch_may_be_gone)
{
	begin_by(_i);
	by_hand(method);
	forge_set(BRANCH, "");
	edge();
	landed_as(oid_t, oid_h_ff, oid_h_ff);
	fs_stop();
}
END_TEST

START_TEST(a_merge_of_another_head_is_not_ours)
{
	char other[41];

	begin_by(_i);
	make_commit(oid_h_ff, "c", "something else\n", other);
	forge_set(BRANCH, other);
	by_hand(method);
	edge();
	ck_assert_int_eq(eng->e_commits, 0);
	ck_assert_int_eq(eng->e_verdict, GATE_ERROR);
	ck_assert_int_eq(eng->e_cause, CAUSE_MOVED);
	ck_assert_str_eq(eng->e_landed, "");
	fs_stop();
}
END_TEST

/* Somebody pushes to the branch and merges it between our look and merge. */
static enum forge_result
usurped_land(struct worker *w, const char *target, const char *new,
    const char *old, char *err, size_t errlen)
{
	char other[41];

	make_commit(oid_h_ff, "c", "something else\n", other);
	forge_set(BRANCH, other);
	by_hand(method);
	(void)snprintf(err, errlen, "the answer is lost");
	return (FORGE_UNKNOWN);
}

START_TEST(a_merge_of_another_head_in_the_last_moment_is_not_ours)
{
	begin_by(_i);
	counting.f_land = usurped_land;
	edge();
	ck_assert_int_eq(eng->e_commits, 0);
	ck_assert_int_eq(eng->e_verdict, GATE_ERROR);
	ck_assert_str_eq(eng->e_landed, "");
	ck_assert_ptr_nonnull(strstr(eng->e_reason, "the gates judged"));
	fs_stop();
}
END_TEST

START_TEST(a_target_that_has_the_branch_without_a_merge_is_asked_about)
{
	char other[41], main_is[41];

	begin_by(_i);
	(void)strlcpy(main_is, oid_h_ff, sizeof(main_is));
	if (_i > 0) {
		/* Its tree as another commit: a squash not noted yet. */
		make_commit(oid_t, "c", "not yet\n", other);
		make_commit(other, "c", "feature\n", main_is);
	}
	forge_set("main", main_is);
	edge();
	ck_assert_int_eq(eng->e_commits, 0);
	ck_assert_int_eq(eng->e_verdict, GATE_ERROR);
	ck_assert_msg(strstr(eng->e_reason, "merged by hand") != NULL, "%s",
	    eng->e_reason);
	ck_assert_str_eq(forge_get("main"), main_is);
	fs_stop();
}
END_TEST

START_TEST(a_method_that_the_forge_refuses_lands_nothing)
{
	begin_by(_i);
	ck_assert_int_eq(fs_call("tok-boss", "POST", "/_standin/repo",
	    "{\"repo\":\"" FS_REPO "\",\"styles\":[\"rebase-merge\"]}", NULL),
	    200);
	edge();
	ck_assert_int_eq(eng->e_commits, 0);
	ck_assert_int_eq(eng->e_verdict, GATE_ERROR);
	ck_assert_msg(strstr(eng->e_reason, "merge style") != NULL, "%s",
	    eng->e_reason);
	ck_assert_str_eq(forge_get("main"), oid_t);
	fs_stop();
}
END_TEST

START_TEST(what_has_landed_is_not_cancelled)
{
	/* First a squash, which the target does not tell. */
	begin_by(_i + 1);
	edge();
	landed_as(oid_t, oid_h_ff, oid_h_ff);
	eng->e_commits = eng->e_ends = 0;
	go.work = "close";
	go.commit = oid_h_ff;
	ck_assert_int_eq(run_worker(), 0);
	ck_assert_int_eq(eng->e_commits, 0);
	ck_assert_int_eq(eng->e_verdict, GATE_FAIL);
	ck_assert_ptr_nonnull(strstr(eng->e_reason, "cannot be cancelled"));
	ck_assert_str_eq(forge_get(BRANCH), oid_h_ff);
	fs_stop();
}
END_TEST

/*
 * Its commits one by one conflict with the target, all of them together do not:
 * the merge was tested, and cannot be rebased.
 */
START_TEST(a_rebase_that_conflicts_lands_nothing)
{
	char first[41], second[41];

	begin("0");
	make_commit(oid_t, "a", "1\ntwo\n3\n", first);
	make_commit(first, "a", "1\n2\n3\n", second);
	make_commit(second, "c", "feature\n", oid_h_ff);
	make_commit(oid_t, "a", "1\nzwei\n3\n", second);
	publish();
	ck_assert_int_eq(eng->e_verdict, GATE_PASS);
	forge_set("main", second);
	option("merge_method=rebase");
	edge();
	ck_assert_int_eq(eng->e_commits, 0);
	ck_assert_int_eq(eng->e_verdict, GATE_ERROR);
	first[7] = '\0';
	ck_assert_msg(strstr(eng->e_reason, first) != NULL &&
	    strstr(eng->e_reason, " in: a. ") != NULL &&
	    strstr(eng->e_reason, "set merge-method squash") != NULL &&
	    strstr(eng->e_reason, "HTTP") == NULL, "%s", eng->e_reason);
	ck_assert_str_eq(forge_get("main"), second);
	/* The same by squash. */
	option("merge_method=squash");
	edge();
	ck_assert_msg(eng->e_commits == 1, "%s", eng->e_reason);
	ck_assert_int_eq(eng->e_untested, 0);
	fs_stop();
}
END_TEST

/* Nothing conflicts here: whatever the forge means, a person looks. */
START_TEST(a_conflict_that_only_the_forge_finds_is_for_a_person)
{
	begin_by(_i);
	fs_fault("{\"match\":\"" MERGE "\",\"kind\":\"status\",\"status\":"
	    "409,\"times\":-1,\"body\":\"{\\\"Style\\\":\\\"x\\\",\\\"StdOut"
	    "\\\":\\\"\\\",\\\"StdErr\\\":\\\"\\\",\\\"Err\\\":{}}\"}");
	edge();
	ck_assert_int_eq(eng->e_commits, 0);
	ck_assert_int_eq(eng->e_verdict, GATE_ERROR);
	ck_assert_msg(strstr(eng->e_reason, "orchctl retry " TASK) != NULL &&
	    strstr(eng->e_reason, "409") == NULL, "%s", eng->e_reason);
	ck_assert_str_eq(forge_get("main"), oid_t);
	fs_stop();
}
END_TEST

/* Somebody pushes what conflicts between the last look and the merge. */
static enum forge_result
crossed_land(struct worker *w, const char *target, const char *new,
    const char *old, char *err, size_t errlen)
{
	forge_set("main", oid_clash);
	return (forge_gitea.f_land(w, target, new, old, err, errlen));
}

START_TEST(a_conflict_goes_back_to_the_developer_with_its_files)
{
	char other[41];

	begin_by(_i);
	make_commit(oid_t, "c", "somebody else's\n", other);
	(void)strlcpy(oid_clash, other, sizeof(oid_clash));
	counting.f_land = crossed_land;
	edge();
	ck_assert_int_eq(eng->e_commits, 0);
	ck_assert_msg(eng->e_verdict == GATE_FAIL, "%s", eng->e_reason);
	ck_assert_int_eq(eng->e_cause, CAUSE_CONFLICT);
	ck_assert_msg(strstr(eng->e_reason, "in: c") != NULL, "%s",
	    eng->e_reason);
	ck_assert_str_eq(forge_get("main"), other);
	fs_stop();
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("finalizerd landing");
	TCase *tc = tcase_create("landing");
	SRunner *sr;
	int failed;

	slow = getenv("SLOW") != NULL;
	(void)curl_global_init(CURL_GLOBAL_DEFAULT);
	tcase_add_unchecked_fixture(tc, world_make, world_remove);
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, one_merge_whatever_is_lost, 0,
	    few(2 * FAULTS, FAULTS));
	tcase_add_loop_test(tc, one_merge_wherever_a_worker_dies, 0,
	    few(2 * DEATHS, DEATHS / 2));
	tcase_add_loop_test(tc,
	    a_branch_that_is_behind_lands_with_the_tested_tree, 0, NMETHODS);
	tcase_add_loop_test(tc, a_tree_that_nobody_tested_is_told_and_tested,
	    0, NMETHODS);
	tcase_add_loop_test(tc,
	    a_tree_that_nobody_tested_and_is_red_goes_no_further, 0,
	    NMETHODS);
	tcase_add_loop_test(tc,
	    an_untested_tree_is_found_out_wherever_a_worker_dies, 0,
	    few(DEATHS, 6));
	tcase_add_loop_test(tc, a_merge_by_hand_needs_a_pass_and_is_adopted,
	    0, NMETHODS);
	tcase_add_loop_test(tc, a_merged_branch_may_be_gone, 0, few(NMETHODS, 1));
	tcase_add_loop_test(tc, a_merge_of_another_head_is_not_ours, 0,
	    few(NMETHODS, 1));
	tcase_add_loop_test(tc,
	    a_merge_of_another_head_in_the_last_moment_is_not_ours, 0,
	    few(NMETHODS, 1));
	tcase_add_loop_test(tc,
	    a_target_that_has_the_branch_without_a_merge_is_asked_about, 0,
	    few(NMETHODS, 2));
	tcase_add_loop_test(tc,
	    a_method_that_the_forge_refuses_lands_nothing, 0, few(NMETHODS, 1));
	tcase_add_loop_test(tc, what_has_landed_is_not_cancelled, 0,
	    few(NMETHODS, 1));
	tcase_add_test(tc, a_rebase_that_conflicts_lands_nothing);
	tcase_add_loop_test(tc,
	    a_conflict_that_only_the_forge_finds_is_for_a_person, 1, 2);
	tcase_add_loop_test(tc,
	    a_conflict_goes_back_to_the_developer_with_its_files, 0, few(NMETHODS, 2));
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed == 0 ? 0 : 1);
}
