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

/* What comes in from a forge elsewhere. */

#include "orchd/query.h"

#include "engine_intake.h"

/* --- CI ------------------------------------------------------------------- */

START_TEST(green_ci_of_the_head_is_the_gate_of_development)
{
	char *head;

	developed();
	ck_assert_int_eq(fx_int("SELECT count(*) FROM run WHERE gate = "
	    "'check_tests_local'"), 0);
	ck_assert_int_eq(ci(CI_GREEN,
	    "00000000000000000000000000000000000000ff", ""), RES_OK);
	head = strdup(fx_task(KEY, "head"));
	ck_assert_int_eq(ci(CI_PENDING, head, ""), RES_OK);
	ck_assert_str_eq(fx_task(KEY, "stage"), "development");
	ck_assert_int_eq(ci(CI_GREEN, head, ""), RES_OK);
	ck_assert_str_eq(fx_task(KEY, "stage"), "review");
	ck_assert_str_eq(fx_str("SELECT verdict || commit_id FROM gate_result "
	    "WHERE gate = 'check_ci_green'"), fx_str("SELECT 'pass%s'",
	    head));
	ck_assert_int_eq(ci(CI_GREEN, head, ""), RES_OK);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM gate_result WHERE "
	    "gate = 'check_ci_green'"), 1);
	free(head);
}
END_TEST

START_TEST(red_ci_is_the_developers_feedback)
{
	unsigned int n;

	developed();
	n = fx.agents;
	ck_assert_int_eq(ci(CI_RED, fx_task(KEY, "head"),
	    "build/test failed: http://ci.test/7"), RES_OK);
	ck_assert_ptr_nonnull(strstr(fx_task(KEY, "feedback"),
	    "http://ci.test/7"));
	ck_assert_int_eq(fx_task_int(KEY, "rework"), 1);
	play_all();
	ck_assert_uint_eq(fx.agents, n + 1);
	ck_assert_str_eq(fx_task(KEY, "waits"), "ci");
}
END_TEST

START_TEST(ci_that_is_green_after_all_lets_a_parked_task_go_on)
{
	fx_conf("max_developer_retries 0", "");
	developed();
	ck_assert_int_eq(ci(CI_RED, fx_task(KEY, "head"), "x"), RES_OK);
	ck_assert_str_eq(fx_task(KEY, "parked"), "needs_input");
	ck_assert_int_eq(ci(CI_GREEN, fx_task(KEY, "head"), ""), RES_OK);
	ck_assert_str_eq(fx_task(KEY, "stage"), "development");
	ck_assert_int_eq(fx_act("retry", KEY, ""), RES_OK);
	ck_assert_str_eq(fx_task(KEY, "stage"), "review");
}
END_TEST

START_TEST(ci_that_says_nothing_is_told_and_waited_for)
{
	developed();
	fx_tick(899000);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM alert WHERE kind = "
	    "'ci_silent'"), 0);
	fx_tick(11000);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM alert WHERE kind = "
	    "'ci_silent' AND cleared_at IS NULL"), 1);
	ck_assert_str_eq(fx_task(KEY, "stage"), "development");
	ck_assert_int_eq(ci(CI_GREEN, fx_task(KEY, "head"), ""), RES_OK);
	ck_assert_str_eq(fx_task(KEY, "stage"), "review");
	ck_assert_int_eq(fx_int("SELECT count(*) FROM alert WHERE kind = "
	    "'ci_silent' AND cleared_at IS NULL"), 0);
}
END_TEST

START_TEST(ci_that_has_begun_is_waited_for_from_its_last_word)
{
	developed();
	fx_tick(800000);
	ck_assert_int_eq(ci(CI_PENDING, fx_task(KEY, "head"), ""), RES_OK);
	fx_tick(800000);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM alert WHERE kind = "
	    "'ci_silent'"), 0);
	fx_tick(111000);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM alert WHERE kind = "
	    "'ci_silent' AND text LIKE '%%is not through%%'"), 1);
	ck_assert_str_eq(fx_task(KEY, "stage"), "development");
}
END_TEST

START_TEST(a_project_without_ci_is_tested_here)
{
	fx_conf("", "ci none");
	asked();
	ck_assert_int_eq(item("Approved", ""), RES_OK);
	fx_play_until(KEY, "review");
	ck_assert_int_eq(fx_int("SELECT count(*) FROM gate_result WHERE "
	    "gate = 'check_tests_local'"), 1);
}
END_TEST

/* --- what stands still (F-1) ---------------------------------------------- */

/* CI was green, and nobody heard of it. */
static void
drifted(void)
{
	developed();
	fx_sql("INSERT INTO ci SELECT project, head, %d, '', 0 FROM task",
	    CI_GREEN);
	fx.ms += 700000;
}

static enum orch_result
advance(void)
{
	struct orch_advance a = { .task = KEY, .stage = "development",
	    .seq = (uint64_t)fx_task_int(KEY, "stage_seq"),
	    .reason = "F-1: nothing moved it for 700 s" };

	return (fx_result(seer, ORCH_advance, &a));
}

/* How many tasks are said to stand still. */
static unsigned int
standing(void)
{
	struct orch_candidates c = { .most = 10 };
	struct fx_msg m;
	unsigned int n = 0;

	fx_ask(seer, ORCH_candidates, &c, -1, &m);
	while (!m.any.candidate.last) {
		n++;
		fx_free(&m);
		ck_assert(fx_read(seer, &m));
	}
	fx_free(&m);
	return (n);
}

START_TEST(what_stood_still_is_moved_and_the_tracker_told)
{
	drifted();
	ck_assert_uint_eq(standing(), 1);
	ck_assert_int_eq(advance(), RES_OK);
	ck_assert_str_eq(fx_task(KEY, "stage"), "review");
	ck_assert_int_eq(fx_int("SELECT count(*) FROM outbox WHERE key LIKE "
	    "'unblock:" KEY ":%%' AND text LIKE '%%development%%700 s'"), 1);
}
END_TEST

START_TEST(what_stood_still_is_moved_without_a_word_if_so_wanted)
{
	fx_conf("", "reconcile_notify_unblock no");
	drifted();
	ck_assert_int_eq(advance(), RES_OK);
	ck_assert_str_eq(fx_task(KEY, "stage"), "review");
	ck_assert_int_eq(fx_int("SELECT count(*) FROM outbox WHERE key LIKE "
	    "'unblock:%%'"), 0);
}
END_TEST

START_TEST(what_is_blocked_in_the_tracker_is_not_moved)
{
	drifted();
	ck_assert_int_eq(item("Blocked", ""), RES_OK);
	ck_assert_uint_eq(standing(), 0);
	ck_assert_int_eq(advance(), RES_REFUSED);
	/* It goes on here, and there it stays as it was. */
	fx_sql("UPDATE task SET parked = '', parked_reason = ''");
	fx_sql("UPDATE outbox SET state = 'done'");
	ck_assert_uint_eq(standing(), 0);
	ck_assert_int_eq(advance(), RES_REFUSED);
	ck_assert_str_eq(fx_task(KEY, "stage"), "development");
	fx_sql("UPDATE task SET item_status = 'Needs Input'");
	ck_assert_int_eq(advance(), RES_REFUSED);
	/* What we have set since is not there yet: a dead tracker. */
	fx_sql("UPDATE outbox SET state = 'pending' WHERE kind = 'status'");
	ck_assert_uint_eq(standing(), 1);
	fx_sql("UPDATE outbox SET state = 'done'");
	fx_conf("", "reconcile_skip_blocked_enabled no");
	ck_assert_uint_eq(standing(), 1);
	ck_assert_int_eq(advance(), RES_OK);
	ck_assert_str_eq(fx_task(KEY, "stage"), "review");
}
END_TEST

START_TEST(what_a_person_is_to_decide_is_not_moved)
{
	struct orch_advance a = { .task = KEY, .stage = "analysis" };

	asked();
	fx.ms += 700000;
	a.seq = (uint64_t)fx_task_int(KEY, "stage_seq");
	ck_assert_uint_eq(standing(), 0);
	ck_assert_int_eq(fx_result(seer, ORCH_advance, &a), RES_REFUSED);
	ck_assert_str_eq(fx_task(KEY, "stage"), "analysis");
}
END_TEST

/* --- pull requests and reviews -------------------------------------------- */

static enum orch_result
pull_as(uint64_t number, enum orch_pull_state state, const char *landed)
{
	struct orch_pull_seen m = { "tally", fx_task(KEY, "branch"), number,
	    (uint8_t)state, fx_task(KEY, "head"), landed, "http://f/12" };

	return (fx_result(seer, ORCH_pull_seen, &m));
}

static enum orch_result
pull(enum orch_pull_state state, const char *landed)
{
	return (pull_as(12, state, landed));
}

static unsigned int reviews;

/* Review 70, and so on, says that now (enum orch_review). */
static enum orch_result
review(int approved, const char *commit, const char *text)
{
	struct orch_review_seen m = { .project = "tally",
	    .branch = fx_task(KEY, "branch"), .review = reviews,
	    .author = "carol", .approved = (uint8_t)approved,
	    .commit = commit, .text = text };

	return (fx_result(seer, ORCH_review_seen, &m));
}

/* In review: the reviewer is through, and a person is asked. */
static void
in_review(void)
{
	fx_conf("serial_limit 10", "review approval required\nci none");
	asked();
	ck_assert_int_eq(item("Approved", ""), RES_OK);
	play_all();
	ck_assert_str_eq(fx_task(KEY, "asked_gate"),
	    "check_review_approved");
	reviews = 70;
}

START_TEST(a_pull_request_closed_by_hand_parks_until_it_is_open_again)
{
	struct orch_watch_list wl = { "tally", 10 };
	struct fx_msg m;
	unsigned int n;

	developed();
	ck_assert_int_eq(pull(PULL_IS_OPEN, ""), RES_OK);
	ck_assert_str_eq(fx_task(KEY, "parked"), "");
	ck_assert_int_eq(pull(PULL_IS_CLOSED, ""), RES_OK);
	ck_assert_str_eq(fx_task(KEY, "parked"), "needs_input");
	ck_assert_ptr_nonnull(strstr(fx_task(KEY, "parked_reason"),
	    "pull request 12"));
	/* Nothing goes on with it, whatever a person says here. */
	ck_assert_int_eq(fx_act("retry", KEY, ""), RES_OK);
	n = fx.agents;
	ck_assert_int_eq(ci(CI_RED, fx_task(KEY, "head"), "x"), RES_OK);
	play_all();
	ck_assert_str_eq(fx_task(KEY, "parked"), "needs_input");
	ck_assert_uint_eq(fx.agents, n);
	ck_assert_int_eq(pull(PULL_IS_OPEN, ""), RES_OK);
	ck_assert_str_eq(fx_task(KEY, "parked"), "");
	fx_ask(seer, ORCH_watch_list, &wl, -1, &m);
	ck_assert_uint_eq(m.any.watch.pull, 12);
	fx_free(&m);
}
END_TEST

/* And a person can end it: orchd has merged nothing of it. */
START_TEST(a_merge_by_hand_before_its_gates_parks)
{
	const struct orch_strs *o;
	struct fx_spawn s;
	struct fx_msg go;
	int sock;

	developed();
	ck_assert_int_eq(pull(PULL_IS_MERGED, fx_task(KEY, "head")), RES_OK);
	ck_assert_str_eq(fx_task(KEY, "parked"), "needs_input");
	ck_assert_str_eq(fx_task(KEY, "stage"), "development");
	ck_assert_ptr_null(strstr(fx_task(KEY, "why"), "orchctl retry"));
	ck_assert_int_eq(fx_act("cancel", KEY, ""), RES_OK);
	fx_expect(&s, KIND_TRANSITION, "close");
	sock = fx_connect_run(&s, &go);
	o = &go.any.run_go.options;
	ck_assert_ptr_nonnull(memmem(o->l_data, o->l_len, "outside=1", 10));
	fx_free(&go);
	fx_leave(sock);
}
END_TEST

START_TEST(a_merge_by_hand_in_the_last_stage_is_for_the_edge)
{
	fx_conf("serial_limit 10", "ci none");
	asked();
	ck_assert_int_eq(item("Approved", ""), RES_OK);
	fx_play_until(KEY, "deploy-staging");
	ck_assert_int_eq(pull(PULL_IS_MERGED, fx_task(KEY, "head")), RES_OK);
	ck_assert_str_eq(fx_task(KEY, "parked"), "");
	ck_assert_int_eq(fx_int("SELECT count(*) FROM job WHERE work = "
	    "'edge'"), 1);
}
END_TEST

static uint64_t	told_pull;	/* the pull request of its run_go */

/* Item 7's worker of that work, inside its transition. */
static int
inside(const char *work, uint64_t *epoch)
{
	struct fx_spawn s;
	struct fx_msg m;
	int sock;

	do {
		ck_assert_msg(fx_spawned(&s), "no %s", work);
		if (strcmp(s.work, work) != 0)
			fx_play_spawn(&s);
	} while (strcmp(s.work, work) != 0);
	sock = fx_connect_run(&s, &m);
	told_pull = m.any.run_go.pull;
	*epoch = fx_begin(sock, &m.any.run_go);
	ck_assert_uint_ne(*epoch, 0);
	fx_free(&m);
	return (sock);
}

START_TEST(a_merge_by_hand_asks_the_owner_of_the_edge_to_end)
{
	struct orch_end end = { .verdict = GATE_ERROR,
	    .cause = CAUSE_STOPPED, .reason = "stopped" };
	struct fx_spawn s;
	struct fx_msg m;
	int sock;

	fx_conf("serial_limit 10", "ci none");
	asked();
	ck_assert_int_eq(item("Approved", ""), RES_OK);
	sock = inside("edge", &end.epoch);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM merge_lease"), 1);
	/* It is open: nothing to give back. */
	ck_assert_int_eq(pull(PULL_IS_OPEN, ""), RES_OK);
	ck_assert_int_eq(fx_read(sock, &m), 0);
	ck_assert_int_eq(pull(PULL_IS_MERGED, fx_task(KEY, "head")), RES_OK);
	ck_assert(fx_read(sock, &m));
	ck_assert_uint_eq(m.h.h_type, ORCH_run_stop);
	ck_assert_ptr_nonnull(strstr(m.any.run_stop.reason, "merged"));
	fx_free(&m);
	/* It is not robbed: until it has ended the lease is its own. */
	ck_assert_int_eq(fx_int("SELECT epoch FROM lease"),
	    (int64_t)end.epoch);
	ck_assert_int_eq(fx_result(sock, ORCH_end, &end), RES_OK);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM lease"), 0);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM merge_lease"), 0);
	ck_assert_str_eq(fx_task(KEY, "parked"), "");
	fx_tick(5000);
	fx_expect(&s, KIND_TRANSITION, "edge");
}
END_TEST

/* It need not look through all that are open. */
START_TEST(an_edge_is_told_its_pull_request)
{
	uint64_t epoch;

	fx_conf("serial_limit 10", "ci none");
	asked();
	ck_assert_int_eq(pull(PULL_IS_OPEN, ""), RES_OK);
	ck_assert_int_eq(item("Approved", ""), RES_OK);
	(void)inside("edge", &epoch);
	ck_assert_uint_eq(told_pull, 12);
}
END_TEST

START_TEST(its_own_merge_lets_the_owner_of_the_edge_end_by_itself)
{
	struct orch_effect e = { .name = "merge", .class = CLASS_CAS };
	struct fx_msg m;
	char key[128];
	int sock;

	fx_conf("serial_limit 10", "ci none");
	asked();
	ck_assert_int_eq(item("Approved", ""), RES_OK);
	sock = inside("edge", &e.epoch);
	/* The gate first, as the journal wants it. */
	fx_sql("INSERT INTO gate_result (task, round, stage_seq, gate, "
	    "commit_id, tree, verdict, started_at) SELECT id, round, "
	    "stage_seq, 'check_branch_mergeable', head, tree, 'pass', 0 "
	    "FROM task");
	snprintf(key, sizeof(key), "merge:%s:r0:%s", KEY,
	    fx_task(KEY, "head"));
	e.key = key;
	ck_assert_int_eq(fx_result(sock, ORCH_effect, &e), RES_OK);
	ck_assert_int_eq(pull(PULL_IS_MERGED, fx_task(KEY, "head")), RES_OK);
	ck_assert_int_eq(fx_read(sock, &m), 0);
}
END_TEST

/* What `show' says of the pull request. */
static const char *
shown(const char *field)
{
	static char text[300];
	struct task t;
	json_t *j, *v;

	ck_assert_int_eq(task_by_key(KEY, &t), STORE_OK);
	j = query_show(&t);
	v = json_object_get(json_object_get(j, "pull"), field);
	if (json_is_integer(v))
		snprintf(text, sizeof(text), "%lld",
		    (long long)json_integer_value(v));
	else
		strlcpy(text, json_is_string(v) ? json_string_value(v) : "",
		    sizeof(text));
	json_decref(j);
	return (text);
}

START_TEST(a_pull_request_has_the_number_of_its_forge)
{
	struct orch_watch_list wl = { "tally", 10 };
	struct orch_pull p = { .op = PULL_OPEN, .title = "t", .landed = "",
	    .page = "http://forge.test/Acme/Tally/pulls/31", .number = 31 };
	struct fx_msg m;
	char branch[300], head[ID_HEX];
	int sock;

	ck_assert_int_eq(item("To Analyse", ""), RES_OK);
	sock = inside("publish", &p.epoch);
	strlcpy(branch, fx_task(KEY, "branch"), sizeof(branch));
	strlcpy(head, fx_task(KEY, "head"), sizeof(head));
	p.branch = branch;
	p.head = head;
	fx_ask(sock, ORCH_pull, &p, -1, &m);
	ck_assert_int_eq(m.any.pull_answer.result, RES_OK);
	fx_free(&m);
	ck_assert_str_eq(shown("number"), "31");
	ck_assert_str_eq(shown("state"), "open");
	ck_assert_str_eq(shown("page"), p.page);
	/* Messages to the forge and polls go by it at once. */
	fx_ask(seer, ORCH_watch_list, &wl, -1, &m);
	ck_assert_uint_eq(m.any.watch.pull, 31);
	fx_free(&m);
	ck_assert(fx_read(seer, &m));
	fx_free(&m);
	/* A push says nothing of what a person does with it meanwhile. */
	p.op = PULL_UPDATE;
	p.number = 0;
	p.page = "";
	ck_assert_int_eq(pull_as(31, PULL_IS_CLOSED, ""), RES_OK);
	fx_ask(sock, ORCH_pull, &p, -1, &m);
	fx_free(&m);
	ck_assert_str_eq(shown("state"), "closed");
	ck_assert_int_eq(pull_as(31, PULL_IS_OPEN, ""), RES_OK);
	ck_assert_str_eq(shown("state"), "open");
	/* Merged by our own worker: known before anybody has looked. */
	p.op = PULL_MERGED;
	p.landed = head;
	fx_ask(sock, ORCH_pull, &p, -1, &m);
	fx_free(&m);
	ck_assert_str_eq(shown("number"), "31");
	ck_assert_str_eq(shown("state"), "merged");
}
END_TEST

START_TEST(an_approval_at_the_forge_is_for_the_code_that_was_reviewed)
{
	in_review();
	ck_assert_int_eq(review(1,
	    "00000000000000000000000000000000000000ee", ""), RES_DUPLICATE);
	ck_assert_str_eq(fx_task(KEY, "stage"), "review");
	/* The developer's commit: the same code as the reviewer's. */
	ck_assert_int_eq(review(1, fx_str("SELECT commit_id FROM gate_result "
	    "WHERE gate = 'check_tests_local'"), "fine"), RES_OK);
	ck_assert_str_eq(fx_task(KEY, "stage"), "testing");
	ck_assert_str_eq(fx_str("SELECT actor FROM approval "
	    "ORDER BY id DESC"), "carol at the forge");
	/* Told again, as after a restart: it is one. */
	CHANGES_NOTHING(review(1, fx_task(KEY, "head"), "fine"));
}
END_TEST

START_TEST(changes_requested_at_the_forge_are_one_round_by_a_person)
{
	char *head;

	in_review();
	head = strdup(fx_task(KEY, "head"));
	ck_assert_int_eq(review(0, head, "rename it"), RES_OK);
	ck_assert_str_eq(fx_task(KEY, "stage"), "development");
	ck_assert_int_eq(fx_task_int(KEY, "round"), 1);
	ck_assert_int_eq(fx_task_int(KEY, "rework"), 0);
	ck_assert_ptr_nonnull(strstr(fx_task(KEY, "feedback"), "rename it"));
	CHANGES_NOTHING(review(0, head, "rename it") == RES_DUPLICATE ?
	    RES_OK : RES_DENIED);
	play_all();
	ck_assert_str_eq(fx_task(KEY, "stage"), "review");
	/* Of the old code. */
	CHANGES_NOTHING(review(0, head, "rename it") == RES_DUPLICATE ?
	    RES_OK : RES_DENIED);
	free(head);
}
END_TEST

START_TEST(changes_requested_wait_for_whoever_is_inside_the_edge)
{
	struct fx_spawn s;
	struct fx_msg m;
	int sock;

	in_review();
	ck_assert_int_eq(review(1, fx_task(KEY, "head"), ""), RES_OK);
	reviews++;
	while (fx_spawned(&s) && strcmp(s.work, "edge") != 0)
		fx_play_spawn(&s);
	ck_assert_str_eq(s.work, "edge");
	sock = fx_connect_run(&s, &m);
	ck_assert(fx_begin(sock, &m.any.run_go) != 0);
	fx_free(&m);
	CHANGES_NOTHING(review(0, fx_task(KEY, "head"), "no") == RES_RETRY ?
	    RES_OK : RES_DENIED);
}
END_TEST

START_TEST(an_approval_that_is_dismissed_lets_nothing_land)
{
	char *head;
	int i;

	in_review();
	head = strdup(fx_task(KEY, "head"));
	/* Nobody has heard of it as an approval. */
	CHANGES_NOTHING(review(REVIEW_DISMISSED, head, ""));
	ck_assert_int_eq(review(REVIEW_APPROVED, head, "fine"), RES_OK);
	ck_assert_str_eq(fx_task(KEY, "stage"), "testing");
	ck_assert_int_eq(review(REVIEW_DISMISSED, head, "fine"), RES_OK);
	ck_assert_int_eq(fx_int("SELECT void FROM approval WHERE review = "
	    "70"), 1);
	CHANGES_NOTHING(review(REVIEW_DISMISSED, head, "fine"));
	for (i = 0; i < 40 && strcmp(fx_task(KEY, "stage"), "development") !=
	    0 && fx_step(); i++)
		ck_assert_str_ne(fx_task(KEY, "stage"), "deploy");
	ck_assert_str_eq(fx_task(KEY, "stage"), "development");
	ck_assert_ptr_nonnull(strstr(fx_task(KEY, "feedback"),
	    "check_review_approved"));
	ck_assert_uint_eq(fx.merges, 0);
	free(head);
}
END_TEST

/* All approvals of the pull request, as reconciled has read them. */
static enum orch_result
there(const char *id)
{
	const char *const ids[] = { id, NULL };
	struct orch_reviews_there m = { .project = "tally",
	    .branch = fx_task(KEY, "branch"), .ids.l_argv = ids };

	return (fx_result(seer, ORCH_reviews_there, &m));
}

/* What orchctl why says of it. */
static const char *
why(void)
{
	static char buf[2600];
	const char *waits;
	struct task t;

	ck_assert_int_eq(task_by_key(KEY, &t), STORE_OK);
	task_why(&t, buf, sizeof(buf), &waits);
	return (buf);
}

START_TEST(an_approval_that_is_deleted_lets_nothing_land)
{
	char *head;
	int i;

	in_review();
	head = strdup(fx_task(KEY, "head"));
	ck_assert_int_eq(review(REVIEW_APPROVED, head, "fine"), RES_OK);
	ck_assert_str_eq(fx_task(KEY, "stage"), "testing");
	CHANGES_NOTHING(there("70"));
	ck_assert_ptr_null(strstr(why(), "withdrawn"));
	ck_assert_int_eq(there("71"), RES_OK);
	ck_assert_int_eq(fx_int("SELECT void FROM approval WHERE review = "
	    "70"), 1);
	ck_assert_ptr_nonnull(strstr(why(), "by carol at the forge was "
	    "withdrawn: it is not merged until somebody approves again"));
	ck_assert_int_eq(fx_int("SELECT count(*) FROM outbox WHERE dest = "
	    "'tracker' AND key LIKE 'withdrawn:" KEY ":70:%%'"), 1);
	CHANGES_NOTHING(there("71"));
	/* There after all, as when a page had moved: it counts again. */
	if (_i == 1) {
		ck_assert_int_eq(review(REVIEW_APPROVED, head, "fine"),
		    RES_OK);
		ck_assert_ptr_null(strstr(why(), "withdrawn"));
		fx_play_until(KEY, "deploy");
	} else {
		for (i = 0; i < 40 && strcmp(fx_task(KEY, "stage"),
		    "development") != 0 && fx_step(); i++)
			ck_assert_str_ne(fx_task(KEY, "stage"), "deploy");
		ck_assert_str_eq(fx_task(KEY, "stage"), "development");
		ck_assert_ptr_nonnull(strstr(fx_task(KEY, "feedback"),
		    "by carol at the forge was withdrawn"));
		ck_assert_uint_eq(fx.merges, 0);
	}
	free(head);
}
END_TEST

/* Between its gates and its merge; one that was begun is looked at. */
START_TEST(an_edge_whose_approval_is_withdrawn_does_not_merge)
{
	struct orch_effect e = { .name = "merge", .class = CLASS_CAS };
	struct fx_msg go, m;
	struct fx_spawn s;
	char key[128];
	int sock;

	in_review();
	ck_assert_int_eq(review(1, fx_task(KEY, "head"), ""), RES_OK);
	while (fx_spawned(&s) && strcmp(s.work, "edge") != 0)
		fx_play_spawn(&s);
	ck_assert_str_eq(s.work, "edge");
	sock = fx_connect_run(&s, &go);
	e.epoch = fx_begin(sock, &go.any.run_go);
	snprintf(key, sizeof(key), "merge:" KEY ":r%u:%s",
	    go.any.run_go.round, go.any.run_go.head);
	e.key = key;
	fx_sql("INSERT INTO gate_result (task, round, stage_seq, gate, "
	    "commit_id, verdict, started_at) SELECT id, round, stage_seq, "
	    "'check_branch_mergeable', head, 'pass', 1 FROM task");
	if (_i == 1) {
		fx_ask(sock, ORCH_effect, &e, -1, &m);
		ck_assert_int_eq(m.any.effect_answer.result, RES_OK);
		fx_free(&m);
	}
	ck_assert_int_eq(there(NULL), RES_OK);
	fx_ask(sock, ORCH_effect, &e, -1, &m);
	if (_i == 1)
		ck_assert_int_eq(m.any.effect_answer.result, RES_OK);
	else {
		ck_assert_int_eq(m.any.effect_answer.result, RES_REFUSED);
		ck_assert_ptr_nonnull(strstr(m.any.effect_answer.text,
		    "by carol at the forge was withdrawn"));
	}
	fx_free(&m);
	fx_free(&go);
}
END_TEST

START_TEST(a_dismissal_that_is_taken_back_approves_again)
{
	in_review();
	ck_assert_int_eq(review(REVIEW_APPROVED, fx_task(KEY, "head"), ""),
	    RES_OK);
	ck_assert_int_eq(review(REVIEW_DISMISSED, fx_task(KEY, "head"), ""),
	    RES_OK);
	ck_assert_int_eq(review(REVIEW_APPROVED, fx_task(KEY, "head"), ""),
	    RES_OK);
	ck_assert_str_eq(fx_str("SELECT group_concat(void) FROM approval "
	    "WHERE review = 70"), "1,0");
	fx_play_until(KEY, "deploy");
}
END_TEST

START_TEST(a_review_of_our_own_counts_for_nothing)
{
	struct orch_review_seen m = { .project = "tally", .review = 1,
	    .author = "orchd", .approved = 1, .own = 1 };

	in_review();
	m.branch = fx_task(KEY, "branch");
	m.commit = fx_task(KEY, "head");
	CHANGES_NOTHING(fx_result(seer, ORCH_review_seen, &m) ==
	    RES_REFUSED ? RES_OK : RES_DENIED);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("seen");
	TCase *tc = tcase_create("seen");

	tcase_add_checked_fixture(tc, setup, fx_close);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, green_ci_of_the_head_is_the_gate_of_development);
	tcase_add_test(tc, red_ci_is_the_developers_feedback);
	tcase_add_test(tc, ci_that_is_green_after_all_lets_a_parked_task_go_on);
	tcase_add_test(tc, ci_that_says_nothing_is_told_and_waited_for);
	tcase_add_test(tc, ci_that_has_begun_is_waited_for_from_its_last_word);
	tcase_add_test(tc, a_project_without_ci_is_tested_here);
	tcase_add_test(tc, what_stood_still_is_moved_and_the_tracker_told);
	tcase_add_test(tc,
	    what_stood_still_is_moved_without_a_word_if_so_wanted);
	tcase_add_test(tc, what_is_blocked_in_the_tracker_is_not_moved);
	tcase_add_test(tc, what_a_person_is_to_decide_is_not_moved);
	tcase_add_test(tc,
	    a_pull_request_closed_by_hand_parks_until_it_is_open_again);
	tcase_add_test(tc, a_merge_by_hand_before_its_gates_parks);
	tcase_add_test(tc, a_merge_by_hand_in_the_last_stage_is_for_the_edge);
	tcase_add_test(tc,
	    a_merge_by_hand_asks_the_owner_of_the_edge_to_end);
	tcase_add_test(tc, an_edge_is_told_its_pull_request);
	tcase_add_test(tc,
	    its_own_merge_lets_the_owner_of_the_edge_end_by_itself);
	tcase_add_test(tc, a_pull_request_has_the_number_of_its_forge);
	tcase_add_test(tc,
	    an_approval_at_the_forge_is_for_the_code_that_was_reviewed);
	tcase_add_test(tc,
	    changes_requested_at_the_forge_are_one_round_by_a_person);
	tcase_add_test(tc, changes_requested_wait_for_whoever_is_inside_the_edge);
	tcase_add_test(tc, an_approval_that_is_dismissed_lets_nothing_land);
	tcase_add_test(tc, a_dismissal_that_is_taken_back_approves_again);
	tcase_add_loop_test(tc,
	    an_approval_that_is_deleted_lets_nothing_land, 0, 2);
	tcase_add_loop_test(tc,
	    an_edge_whose_approval_is_withdrawn_does_not_merge, 0, 2);
	tcase_add_test(tc, a_review_of_our_own_counts_for_nothing);
	suite_add_tcase(s, tc);
	fx_main_exit(s);
}
