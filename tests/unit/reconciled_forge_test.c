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

/* A project at Gitea: pull requests, reviews and CI, by polling (F-4). */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>

#include "reconciled_world.h"

#define SHA1	"1111111111111111111111111111111111111111"
#define SHA2	"2222222222222222222222222222222222222222"
#define SHA3	"3333333333333333333333333333333333333333"
#define API	"/api/v1/repos/acme/app"
#define PULLS	"GET " API "/pulls?state=open"
#define STATUS(sha) "GET " API "/commits/" sha "/status"

#define PULL(n, branch, target, sha, state, more) "{\"number\":" #n ","\
	"\"state\":\"" state "\",\"user\":{\"login\":\"orchd\"},"\
	"\"html_url\":\"http://f/pulls/" #n "\","\
	"\"head\":{\"ref\":\"" branch "\",\"label\":\"" branch "\","\
	"\"sha\":\"" sha "\",\"repo_id\":1},\"base\":{\"ref\":\"" target "\","\
	"\"repo_id\":1}" more "}"
#define REVIEW(id, state, who) REVIEW_SO(id, state, who, "")
#define REVIEW_SO(id, state, who, more) "{\"id\":" #id ",\"state\":\"" state "\","\
	"\"user\":{\"login\":\"" who "\"},\"commit_id\":\"" SHA1 "\","\
	"\"body\":\"words\",\"submitted_at\":\"2026-11-22T12:00:00Z\","\
	"\"official\":true" more "}"
#define CHECK(context, state) "{\"context\":\"" context "\",\"status\":\""\
	state "\",\"description\":\"d\",\"target_url\":\"http://ci/1\"}"

static void
setup(void)
{
	struct orch_child_project m = { .name = "app", .prefix = "APP",
	    .target = "main", .forge = "gitea", .forge_url = server_url,
	    .forge_repo = "acme/app", .tracker = "local" };

	world_setup();
	answer("GET /api/v1/user", 200, "{\"login\":\"reader\"}");
	answer(PULLS, 200, "[]");
	answer("GET " API "/pulls/7/reviews", 200, "[]");
	answer(STATUS(SHA1), 200, "{\"state\":\"\",\"total_count\":0,"
	    "\"statuses\":null}");
	give_project(&m);
	project_secret("forge:app", "read-token");
	ck_assert_int_eq(project_start(), 0);
}

static struct project *
app(void)
{
	return (project_find("app"));
}

static void
watch(const char *branch, const char *head, uint64_t pull, int last)
{
	struct orch_watch m = { .last = (uint8_t)last, .task = "APP-1",
	    .item = "", .stage = "review", .branch = branch, .head = head,
	    .pull = pull };
	size_t i;

	for (i = nsent; i > 0; i--)
		if (sent[i - 1].s_type == ORCH_watch_list)
			break;
	ck_assert_uint_gt(i, 0);
	ck_assert_str_eq(sent[i - 1].s_any.watch_list.project, "app");
	forge_watch(sent[i - 1].s_id, &m);
}

/* Wait for the n-th list and answer it with one branch. */
static void
round_of(size_t n, const char *branch, const char *head, uint64_t pull)
{
	RUN_UNTIL(count_sent(ORCH_watch_list) == n);
	watch(branch, head, pull, 0);
	watch("", "", 0, 1);
	quiet();
}

START_TEST(a_pull_request_is_told_once)
{
	const struct orch_pull_seen *m;

	answer(PULLS, 200, "["
	    PULL(7, "orchd/APP-1", "main", SHA1, "open", "") ","
	    PULL(6, "orchd/APP-10", "main", SHA3, "open", "") ","
	    PULL(5, "orchd/APP-1", "other", SHA3, "open", "") "]");
	round_of(1, "orchd/APP-1", SHA1, 0);
	ck_assert_ptr_nonnull(strstr(asked[0].a_headers,
	    "Authorization: token read-token\n"));
	ck_assert_uint_eq(count_sent(ORCH_pull_seen), 1);
	m = &sent_last(ORCH_pull_seen)->pull_seen;
	ck_assert_str_eq(m->project, "app");
	ck_assert_str_eq(m->branch, "orchd/APP-1");
	ck_assert_uint_eq(m->number, 7);
	ck_assert_int_eq(m->state, PULL_IS_OPEN);
	ck_assert_str_eq(m->head, SHA1);
	ck_assert_str_eq(m->page, "http://f/pulls/7");
	forge_look(app());
	round_of(2, "orchd/APP-1", SHA1, 7);
	ck_assert_uint_eq(count_sent(ORCH_pull_seen), 1);
	ck_assert_uint_eq(count_asked("GET /api/v1/user"), 1);
	/* Somebody pushed. */
	answer(PULLS, 200, "[" PULL(7, "orchd/APP-1", "main", SHA2, "open",
	    "") "]");
	answer(STATUS(SHA2), 404, "{\"message\":\"not found\"}");
	forge_look(app());
	round_of(3, "orchd/APP-1", SHA1, 7);
	ck_assert_uint_eq(count_sent(ORCH_pull_seen), 2);
	ck_assert_str_eq(sent_last(ORCH_pull_seen)->pull_seen.head, SHA2);
}
END_TEST

START_TEST(all_pages_of_open_ones_are_read)
{
	struct canned *c = answer(PULLS, 200, "[" PULL(5, "x", "main", SHA3,
	    "open", "") "]");

	answer_header(c, "X-Total-Count", "2");
	answer(PULLS "&limit=50&page=2", 200, "[" PULL(7, "orchd/APP-1",
	    "main", SHA1, "open", "") "]");
	answer_header(&canned[ncanned - 1], "X-Total-Count", "2");
	round_of(1, "orchd/APP-1", SHA1, 0);
	ck_assert_uint_eq(count_asked(PULLS), 2);
	ck_assert_uint_eq(count_sent(ORCH_pull_seen), 1);
}
END_TEST

/* Page 2 of one row each is longer than is read at once; so is all else. */
static char *
made_long(const char *line)
{
	const size_t n = 33U << 20;
	char *body;

	if (strncmp(line, PULLS, strlen(PULLS)) != 0)
		return (NULL);
	if (strstr(line, "limit=1&page=1") != NULL)
		return (strdup("[" PULL(5, "x", "main", SHA3, "open", "")
		    "]"));
	if (strstr(line, "limit=1&page=3") != NULL)
		return (strdup("[" PULL(7, "orchd/APP-1", "main", SHA1,
		    "open", "") "]"));
	if (strstr(line, "limit=1&page=4") != NULL)
		return (strdup("[]"));
	ck_assert_ptr_nonnull(body = malloc(n + 1));
	memset(body, ' ', n);
	body[n] = '\0';
	return (body);
}

/* Whoever may open one may write 32 megabytes into it. */
START_TEST(long_ones_of_others_hide_none_of_ours)
{
	const struct sigaction sa = { .sa_handler = SIG_IGN };

	/* The server writes to a client that has gone. */
	ck_assert_int_eq(sigaction(SIGPIPE, &sa, NULL), 0);
	made = made_long;
	RUN_UNTIL(count_sent(ORCH_watch_list) == 1);
	watch("orchd/APP-1", SHA1, 0, 0);
	watch("", "", 0, 1);
	RUN_UNTIL(count_sent(ORCH_pull_seen) == 1);
	ck_assert_uint_eq(sent_last(ORCH_pull_seen)->pull_seen.number, 7);
	ck_assert_uint_eq(count_alerts("remote_down", 1), 0);
	ck_assert_uint_eq(count_alerts("remote_refused", 1), 0);
}
END_TEST

/* The branch of a merged one is gone; its number is known. */
START_TEST(what_is_not_open_is_read_by_number)
{
	const struct orch_pull_seen *m;

	answer("GET " API "/pulls/7", 200, PULL(7, "refs/pull/7/head", "main",
	    SHA1, "closed", ",\"merged\":true,\"merge_commit_sha\":\"" SHA2
	    "\""));
	round_of(1, "orchd/APP-1", SHA1, 7);
	m = &sent_last(ORCH_pull_seen)->pull_seen;
	ck_assert_int_eq(m->state, PULL_IS_MERGED);
	ck_assert_str_eq(m->branch, "orchd/APP-1");
	ck_assert_str_eq(m->landed, SHA2);
	ck_assert_uint_eq(count_asked("GET " API "/pulls/7/reviews"), 0);
	answer("GET " API "/pulls/7", 200, PULL(7, "orchd/APP-1", "main",
	    SHA1, "closed", ""));
	forge_look(app());
	round_of(2, "orchd/APP-1", SHA1, 7);
	ck_assert_int_eq(sent_last(ORCH_pull_seen)->pull_seen.state,
	    PULL_IS_CLOSED);
}
END_TEST

START_TEST(reviews_of_people_are_told_once)
{
	const struct orch_review_seen *m;

	answer(PULLS, 200, "[" PULL(7, "orchd/APP-1", "main", SHA1, "open",
	    "") "]");
	answer("GET " API "/pulls/7/reviews", 200, "["
	    REVIEW(1, "COMMENT", "boss") "," REVIEW(2, "APPROVED", "reader")
	    "," REVIEW(3, "APPROVED", "orchd") ","
	    REVIEW(4, "REQUEST_CHANGES", "boss") "]");
	answer_header(&canned[ncanned - 1], "X-Total-Count", "4");
	round_of(1, "orchd/APP-1", SHA1, 0);
	ck_assert_uint_eq(count_sent(ORCH_review_seen), 3);
	m = &sent_last(ORCH_review_seen)->review_seen;
	ck_assert_uint_eq(m->review, 4);
	ck_assert_str_eq(m->branch, "orchd/APP-1");
	ck_assert_str_eq(m->author, "boss");
	ck_assert_int_eq(m->approved, 0);
	ck_assert_int_eq(m->own, 0);
	ck_assert_str_eq(m->commit, SHA1);
	ck_assert_str_eq(m->text, "words");
	ck_assert_uint_eq(m->at_ms, 1795348800000);
	m = &sent[nsent - 1].s_any.review_seen;
	forge_look(app());
	round_of(2, "orchd/APP-1", SHA1, 7);
	ck_assert_uint_eq(count_sent(ORCH_review_seen), 3);
}
END_TEST

START_TEST(a_dismissed_review_is_told_as_such)
{
	answer(PULLS, 200, "[" PULL(7, "orchd/APP-1", "main", SHA1, "open",
	    "") "]");
	answer("GET " API "/pulls/7/reviews", 200, "["
	    REVIEW(2, "APPROVED", "reader") "]");
	round_of(1, "orchd/APP-1", SHA1, 0);
	ck_assert_uint_eq(count_sent(ORCH_review_seen), 1);
	ck_assert_int_eq(sent_last(ORCH_review_seen)->review_seen.approved,
	    REVIEW_APPROVED);
	answer("GET " API "/pulls/7/reviews", 200, "["
	    REVIEW_SO(2, "APPROVED", "reader", ",\"dismissed\":true") "]");
	forge_look(app());
	round_of(2, "orchd/APP-1", SHA1, 7);
	ck_assert_uint_eq(count_sent(ORCH_review_seen), 2);
	ck_assert_int_eq(sent_last(ORCH_review_seen)->review_seen.approved,
	    REVIEW_DISMISSED);
	ck_assert_uint_eq(sent_last(ORCH_review_seen)->review_seen.review,
	    2);
}
END_TEST

/* The approvals that the engine was told of last, each with a blank. */
static const char *
approvals(void)
{
	static char all[256];
	const struct orch_strs *l =
	    &sent_last(ORCH_reviews_there)->reviews_there.ids;
	const char *id = NULL;

	all[0] = '\0';
	while ((id = orch_strs_next(l, id)) != NULL) {
		(void)strlcat(all, id, sizeof(all));
		(void)strlcat(all, " ", sizeof(all));
	}
	return (all);
}

/* What is not read to its end says nothing of what is there. */
START_TEST(an_approval_that_is_deleted_is_told)
{
	answer(PULLS, 200, "[" PULL(7, "orchd/APP-1", "main", SHA1, "open",
	    "") "]");
	answer("GET " API "/pulls/7/reviews", 200, "["
	    REVIEW(2, "APPROVED", "reader") "," REVIEW(4, "APPROVED", "boss")
	    "," REVIEW_SO(5, "APPROVED", "boss", ",\"dismissed\":true") ","
	    REVIEW(6, "REQUEST_CHANGES", "x") "]");
	round_of(1, "orchd/APP-1", SHA1, 0);
	ck_assert_uint_eq(count_sent(ORCH_reviews_there), 1);
	ck_assert_str_eq(approvals(), "2 4 ");
	ck_assert_uint_eq(count_sent(ORCH_review_seen), 4);
	forge_look(app());
	round_of(2, "orchd/APP-1", SHA1, 7);
	ck_assert_uint_eq(count_sent(ORCH_reviews_there), 1);
	answer("GET " API "/pulls/7/reviews", 503, "{}");
	forge_look(app());
	round_of(3, "orchd/APP-1", SHA1, 7);
	answer("GET " API "/pulls/7/reviews", 200, "[]");
	answer_header(&canned[ncanned - 1], "X-Total-Count", "2");
	forge_look(app());
	round_of(4, "orchd/APP-1", SHA1, 7);
	ck_assert_uint_eq(count_sent(ORCH_reviews_there), 1);
	answer("GET " API "/pulls/7/reviews", 200, "["
	    REVIEW(4, "APPROVED", "boss") "]");
	forge_look(app());
	round_of(5, "orchd/APP-1", SHA1, 7);
	ck_assert_uint_eq(count_sent(ORCH_reviews_there), 2);
	ck_assert_str_eq(approvals(), "4 ");
	ck_assert_str_eq(sent_last(ORCH_reviews_there)->reviews_there.branch,
	    "orchd/APP-1");
	/* It comes back: told like a new one. */
	answer("GET " API "/pulls/7/reviews", 200, "["
	    REVIEW(2, "APPROVED", "reader") "," REVIEW(4, "APPROVED", "boss")
	    "]");
	forge_look(app());
	round_of(6, "orchd/APP-1", SHA1, 7);
	ck_assert_str_eq(approvals(), "2 4 ");
	ck_assert_uint_eq(count_sent(ORCH_review_seen), 5);
}
END_TEST

START_TEST(changes_are_told_with_what_stands_at_the_lines)
{
	const struct orch_review_seen *m;

	answer(PULLS, 200, "[" PULL(7, "orchd/APP-1", "main", SHA1, "open",
	    "") "]");
	answer("GET " API "/pulls/7/reviews", 200, "["
	    REVIEW_SO(3, "APPROVED", "reader", ",\"comments_count\":1") ","
	    REVIEW_SO(4, "REQUEST_CHANGES", "boss",
	    ",\"comments_count\":2") "]");
	/* It cannot be read at first: then it is not told yet. */
	answer("GET " API "/pulls/7/reviews/4/comments", 200, "[{\"path\":"
	    "\"a.c\",\"position\":5,\"body\":\"not so\"}]");
	answer("GET " API "/pulls/7/reviews/4/comments", 503, "{}")->c_times =
	    1;
	round_of(1, "orchd/APP-1", SHA1, 0);
	ck_assert_uint_eq(count_sent(ORCH_review_seen), 1);
	ck_assert_uint_eq(sent_last(ORCH_review_seen)->review_seen.review,
	    3);
	forge_look(app());
	round_of(2, "orchd/APP-1", SHA1, 7);
	ck_assert_uint_eq(count_sent(ORCH_review_seen), 2);
	m = &sent_last(ORCH_review_seen)->review_seen;
	ck_assert_uint_eq(m->review, 4);
	ck_assert_str_eq(m->project, "app");
	ck_assert_str_eq(m->branch, "orchd/APP-1");
	ck_assert_str_eq(m->author, "boss");
	ck_assert_str_eq(m->commit, SHA1);
	ck_assert_str_eq(m->text, "words\na.c:5: not so");
	ck_assert_uint_eq(count_asked("GET " API
	    "/pulls/7/reviews/3/comments"), 0);
	forge_look(app());
	round_of(3, "orchd/APP-1", SHA1, 7);
	ck_assert_uint_eq(count_sent(ORCH_review_seen), 2);
}
END_TEST

START_TEST(our_own_reviews_are_marked)
{
	size_t i, own = 0;

	answer(PULLS, 200, "[" PULL(7, "orchd/APP-1", "main", SHA1, "open",
	    "") "]");
	answer("GET " API "/pulls/7/reviews", 200, "["
	    REVIEW(2, "APPROVED", "reader") "," REVIEW(3, "APPROVED",
	    "orchd") "," REVIEW(4, "APPROVED", "boss") "]");
	answer_header(&canned[ncanned - 1], "X-Total-Count", "3");
	round_of(1, "orchd/APP-1", SHA1, 0);
	for (i = 0; i < nsent; i++)
		if (sent[i].s_type == ORCH_review_seen)
			own += sent[i].s_any.review_seen.own;
	ck_assert_uint_eq(own, 2);
	ck_assert_uint_eq(count_sent(ORCH_review_seen), 3);
}
END_TEST

static const struct orch_ci_seen *
ci(void)
{
	return (&sent_last(ORCH_ci_seen)->ci_seen);
}

START_TEST(ci_is_told_when_it_changes)
{
	answer(PULLS, 200, "[" PULL(7, "orchd/APP-1", "main", SHA1, "open",
	    "") "]");
	round_of(1, "orchd/APP-1", SHA1, 0);
	ck_assert_uint_eq(count_sent(ORCH_ci_seen), 1);
	ck_assert_int_eq(ci()->state, CI_NONE);
	ck_assert_uint_eq(ci()->total, 0);
	/* Our own status is none of CI. */
	answer(STATUS(SHA1), 200, "{\"total_count\":1,\"statuses\":["
	    CHECK("orchd/review", "success") "]}");
	forge_look(app());
	round_of(2, "orchd/APP-1", SHA1, 7);
	ck_assert_uint_eq(count_sent(ORCH_ci_seen), 1);
	answer(STATUS(SHA1), 200, "{\"total_count\":2,\"statuses\":["
	    CHECK("ci/a", "success") "," CHECK("ci/b", "pending") "]}");
	forge_look(app());
	round_of(3, "orchd/APP-1", SHA1, 7);
	ck_assert_int_eq(ci()->state, CI_PENDING);
	answer(STATUS(SHA1), 200, "{\"total_count\":2,\"statuses\":["
	    CHECK("ci/a", "success") "," CHECK("ci/b", "failure") "]}");
	forge_look(app());
	round_of(4, "orchd/APP-1", SHA1, 7);
	ck_assert_int_eq(ci()->state, CI_RED);
	ck_assert_str_eq(ci()->text, "ci/b: d (http://ci/1)\n");
	ck_assert_str_eq(ci()->commit, SHA1);
	answer(STATUS(SHA1), 200, "{\"total_count\":2,\"statuses\":["
	    CHECK("ci/a", "success") "," CHECK("ci/b", "success") "]}");
	forge_look(app());
	round_of(5, "orchd/APP-1", SHA1, 7);
	ck_assert_int_eq(ci()->state, CI_GREEN);
	ck_assert_uint_eq(ci()->total, 2);
	ck_assert_uint_eq(count_sent(ORCH_ci_seen), 4);
}
END_TEST

/* Green on the first page is no green. */
START_TEST(ci_is_judged_over_all_pages)
{
	answer(PULLS, 200, "[" PULL(7, "orchd/APP-1", "main", SHA1, "open",
	    "") "]");
	/* The body counts its own page alone. */
	answer_header(answer(STATUS(SHA1), 200, "{\"total_count\":1,"
	    "\"statuses\":[" CHECK("ci/a", "success") "]}"),
	    "X-Total-Count", "2");
	answer_header(answer(STATUS(SHA1) "?limit=50&page=2", 200,
	    "{\"total_count\":1,\"statuses\":[" CHECK("ci/b", "error") "]}"),
	    "X-Total-Count", "2");
	round_of(1, "orchd/APP-1", SHA1, 0);
	ck_assert_uint_eq(count_sent(ORCH_ci_seen), 1);
	ck_assert_int_eq(ci()->state, CI_RED);
	/* The second page is missing: it stays open. */
	answer(STATUS(SHA1) "?limit=50&page=2", 200, "{\"total_count\":0,"
	    "\"statuses\":null}");
	forge_look(app());
	round_of(2, "orchd/APP-1", SHA1, 7);
	ck_assert_int_eq(ci()->state, CI_PENDING);
}
END_TEST

START_TEST(ci_is_asked_for_before_there_is_a_pull_request)
{
	round_of(1, "orchd/APP-1", SHA1, 0);
	ck_assert_uint_eq(count_sent(ORCH_ci_seen), 1);
	ck_assert_uint_eq(count_sent(ORCH_pull_seen), 0);
	/* What is no commit is not asked for. */
	forge_look(app());
	round_of(2, "orchd/APP-1", "../../../user", 0);
	ck_assert_uint_eq(count_asked("GET " API "/commits/"), 1);
}
END_TEST

START_TEST(a_burst_of_hints_is_one_round)
{
	int i;

	round_of(1, "orchd/APP-1", SHA1, 0);
	for (i = 0; i < 100; i++)
		forge_look(app());
	RUN_UNTIL(count_sent(ORCH_watch_list) == 2);
	/* And while one is under way: one more. */
	for (i = 0; i < 100; i++)
		forge_look(app());
	round_of(2, "orchd/APP-1", SHA1, 0);
	RUN_UNTIL(count_sent(ORCH_watch_list) == 3);
	watch("", "", 0, 1);
	run_for(400);
	ck_assert_uint_eq(count_sent(ORCH_watch_list), 3);
}
END_TEST

/* Hints that never stop do not put it off. */
START_TEST(a_flood_of_hints_does_not_starve_it)
{
	round_of(1, "orchd/APP-1", SHA1, 0);
	RUN_UNTIL((forge_look(app()), count_sent(ORCH_watch_list) == 2));
}
END_TEST

START_TEST(a_token_that_may_not_read_is_an_alert)
{
	const struct orch_notice *m;

	answer("GET /api/v1/user", 403, "{\"message\":\"no scope\"}");
	answer(PULLS, 404, "{\"message\":\"The target couldn't be found.\"}");
	round_of(1, "orchd/APP-1", SHA1, 0);
	m = &sent_last(ORCH_notice)->notice;
	ck_assert_str_eq(m->kind, "remote_refused");
	ck_assert_str_eq(m->subject, "app: forge");
	ck_assert_int_eq(m->on, 1);
	answer(PULLS, 200, "[]");
	forge_look(app());
	round_of(2, "orchd/APP-1", SHA1, 0);
	ck_assert_int_eq(sent_last(ORCH_notice)->notice.on, 0);
	ck_assert_uint_eq(count_alerts("remote_refused", 1), 1);
	ck_assert_uint_eq(count_alerts("remote_refused", 0), 1);
}
END_TEST

/* A proxy's page, or the wrong address: nothing says so but the body. */
START_TEST(what_cannot_be_understood_is_an_alert)
{
	answer(PULLS, 200, "<html>Welcome</html>");
	round_of(1, "orchd/APP-1", SHA1, 0);
	ck_assert_uint_eq(count_alerts("remote_refused", 1), 1);
	ck_assert_ptr_nonnull(strstr(sent_last(ORCH_notice)->notice.text,
	    "no JSON"));
	forge_look(app());
	round_of(2, "orchd/APP-1", SHA1, 0);
	ck_assert_uint_eq(count_alerts("remote_refused", 1), 1);
	/* Its task has ended; the alert does too, when it is read. */
	answer(PULLS, 200, "[]");
	forge_look(app());
	RUN_UNTIL(count_sent(ORCH_watch_list) == 3);
	watch("", "", 0, 1);
	quiet();
	ck_assert_int_eq(sent_last(ORCH_notice)->notice.on, 0);
}
END_TEST

/* Somebody has deleted the pull request: that does not come and go. */
START_TEST(an_alert_does_not_flap)
{
	size_t n;

	answer("GET " API "/pulls/7", 404, "{\"message\":\"not found\"}");
	for (n = 1; n <= 3; n++) {
		forge_look(app());
		round_of(n, "orchd/APP-1", SHA1, 7);
		ck_assert_int_eq(sent_last(ORCH_notice)->notice.on, 1);
	}
	ck_assert_uint_eq(count_alerts("remote_refused", 1), 1);
	answer("GET " API "/pulls/7", 200, "[]");
	forge_look(app());
	round_of(4, "orchd/APP-1", SHA1, 7);
	ck_assert_uint_eq(count_alerts("remote_refused", 1), 1);
	answer("GET " API "/pulls/7", 200, PULL(7, "orchd/APP-1", "main",
	    SHA1, "closed", ""));
	forge_look(app());
	round_of(5, "orchd/APP-1", SHA1, 7);
	ck_assert_int_eq(sent_last(ORCH_notice)->notice.on, 0);
}
END_TEST

START_TEST(a_token_that_is_not_known_is_an_alert_without_any_task)
{
	answer("GET /api/v1/user", 401, "{\"message\":\"invalid\"}");
	forge_look(app());
	RUN_UNTIL(count_alerts("remote_refused", 1) == 1);
	ck_assert_uint_eq(count_sent(ORCH_watch_list), 0);
	answer("GET /api/v1/user", 200, "{\"login\":\"reader\"}");
	RUN_UNTIL((forge_look(app()), count_sent(ORCH_watch_list) == 1));
	ck_assert_uint_eq(count_alerts("remote_refused", 1), 1);
	ck_assert_uint_eq(count_alerts("remote_refused", 0), 1);
}
END_TEST

/* Somebody would hear of it from the first task only. */
START_TEST(a_repository_that_is_missing_is_an_alert_without_any_task)
{
	const struct orch_notice *m;
	unsigned int n, off;

	answer(PULLS, 404, "{\"message\":\"The target couldn't be found.\"}");
	for (n = 1; n <= 2; n++) {
		forge_look(app());
		RUN_UNTIL(count_sent(ORCH_watch_list) == n);
		watch("", "", 0, 1);
		quiet();
	}
	ck_assert_uint_eq(count_alerts("remote_refused", 1), 1);
	m = &sent_last(ORCH_notice)->notice;
	ck_assert_str_eq(m->subject, "app: forge");
	ck_assert_msg(strstr(m->text, "project app") != NULL &&
	    strstr(m->text, "acme/app at http") != NULL &&
	    strstr(m->text, "HTTP 404") != NULL &&
	    strstr(m->text, "read token") != NULL, "%s", m->text);
	off = (unsigned int)count_alerts("remote_refused", 0);
	answer(PULLS, 200, "[]");
	for (; n <= 4; n++) {
		forge_look(app());
		RUN_UNTIL(count_sent(ORCH_watch_list) == n);
		watch("", "", 0, 1);
		quiet();
	}
	ck_assert_uint_eq(count_alerts("remote_refused", 0), off + 1);
	ck_assert_int_eq(sent_last(ORCH_notice)->notice.on, 0);
	/* It is known to be there: nothing is asked for nobody. */
	ck_assert_uint_eq(count_asked(PULLS), 3);
}
END_TEST

START_TEST(a_failed_round_forgets_nothing)
{
	answer(PULLS, 200, "[" PULL(7, "orchd/APP-1", "main", SHA1, "open",
	    "") "]");
	round_of(1, "orchd/APP-1", SHA1, 0);
	answer(PULLS, 500, "{}")->c_times = 1;
	forge_look(app());
	round_of(2, "orchd/APP-1", SHA1, 7);
	forge_look(app());
	round_of(3, "orchd/APP-1", SHA1, 7);
	ck_assert_uint_eq(count_sent(ORCH_pull_seen), 1);
	/* A whole round without the branch does. */
	forge_look(app());
	round_of(4, "orchd/APP-2", SHA1, 0);
	forge_look(app());
	round_of(5, "orchd/APP-1", SHA1, 7);
	ck_assert_uint_eq(count_sent(ORCH_pull_seen), 2);
}
END_TEST

START_TEST(a_new_engine_is_told_everything_again)
{
	answer(PULLS, 200, "[" PULL(7, "orchd/APP-1", "main", SHA1, "open",
	    "") "]");
	round_of(1, "orchd/APP-1", SHA1, 0);
	forge_look(app());
	RUN_UNTIL(count_sent(ORCH_watch_list) == 2);
	/* It goes with the list half told. */
	watch("orchd/APP-1", SHA1, 7, 0);
	engine_up();
	round_of(3, "orchd/APP-1", SHA1, 7);
	ck_assert_uint_eq(count_sent(ORCH_pull_seen), 2);
	ck_assert_uint_eq(count_sent(ORCH_ci_seen), 2);
}
END_TEST

START_TEST(it_may_end_while_a_forge_is_asked)
{
	round_of(1, "orchd/APP-1", SHA1, 0);
	forge_look(app());
	RUN_UNTIL(count_sent(ORCH_watch_list) == 2);
	watch("orchd/APP-1", SHA1, 7, 1);
	project_stop();
	ck_assert_ptr_null(app());
	run_for(100);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("reconciled forge");
	TCase *tc = tcase_create("forge");
	SRunner *sr;
	int bad;

	tcase_set_timeout(tc, 30);
	tcase_add_checked_fixture(tc, setup, world_teardown);
	tcase_add_test(tc, a_pull_request_is_told_once);
	tcase_add_test(tc, all_pages_of_open_ones_are_read);
	tcase_add_test(tc, long_ones_of_others_hide_none_of_ours);
	tcase_add_test(tc, what_is_not_open_is_read_by_number);
	tcase_add_test(tc, reviews_of_people_are_told_once);
	tcase_add_test(tc, a_dismissed_review_is_told_as_such);
	tcase_add_test(tc, an_approval_that_is_deleted_is_told);
	tcase_add_test(tc, changes_are_told_with_what_stands_at_the_lines);
	tcase_add_test(tc, our_own_reviews_are_marked);
	tcase_add_test(tc, ci_is_told_when_it_changes);
	tcase_add_test(tc, ci_is_judged_over_all_pages);
	tcase_add_test(tc, ci_is_asked_for_before_there_is_a_pull_request);
	tcase_add_test(tc, a_burst_of_hints_is_one_round);
	tcase_add_test(tc, a_flood_of_hints_does_not_starve_it);
	tcase_add_test(tc, a_token_that_may_not_read_is_an_alert);
	tcase_add_test(tc,
	    a_token_that_is_not_known_is_an_alert_without_any_task);
	tcase_add_test(tc,
	    a_repository_that_is_missing_is_an_alert_without_any_task);
	tcase_add_test(tc, what_cannot_be_understood_is_an_alert);
	tcase_add_test(tc, an_alert_does_not_flap);
	tcase_add_test(tc, a_failed_round_forgets_nothing);
	tcase_add_test(tc, a_new_engine_is_told_everything_again);
	tcase_add_test(tc, it_may_end_while_a_forge_is_asked);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	bad = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (bad == 0 ? 0 : 1);
}
