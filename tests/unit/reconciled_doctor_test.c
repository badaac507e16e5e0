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
 * The doctor's trials: each right that is missing is found and named, with
 * what to do; nothing but harmless requests is sent.
 */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <time.h>
#include <unistd.h>

#include "reconciled_world.h"

#include "libcommon/checkup.h"

#define API	"/api/v1/repos/acme/app"
#define UUID	"6f1e3b52-0b0e-4d3c-9f57-0c2a5f5d7a11"
#define P	"/api/v1/workspaces/team/projects/" UUID
#define NOBODY	"00000000-0000-0000-0000-000000000000"
#define STATE(n, name, group) "{\"id\":\"" #n "0000000-0000-4000-8000-"\
	"000000000000\",\"name\":\"" name "\",\"group\":\"" group "\"}"
#define PAGE(rows) "{\"results\":[" rows "],\"next_page_results\":false,"\
	"\"next_cursor\":\"100:1:0\"}"
#define STATES STATE(1, "To Analyse", "unstarted") ","\
	STATE(2, "In Progress", "started") ","\
	STATE(3, "In Review", "started") "," STATE(4, "Needs Input", "started")\
	"," STATE(5, "Blocked", "started") "," STATE(6, "Approved", "started")\
	"," STATE(7, "Rejected", "started") ","\
	STATE(8, "Confirm Deploy", "started") ","\
	STATE(9, "Done", "completed") "," STATE(a, "Cancelled", "cancelled")

#define ROWS_MAX	100

static struct found {
	uint32_t	 f_id;
	int		 f_last;
	unsigned int	 f_verdict;
	char		 f_project[65], f_subject[81], f_what[65];
	char		 f_text[1025];
} found[ROWS_MAX];
static size_t nfound;

int
daemon_answer(unsigned int type, uint32_t id, const void *msg)
{
	const struct orch_doctor_row *m = msg;
	struct found *f = &found[nfound++];

	ck_assert_uint_eq(type, ORCH_doctor_row);
	ck_assert_uint_le(nfound, ROWS_MAX);
	f->f_id = id;
	f->f_last = m->last;
	f->f_verdict = m->verdict;
	(void)strlcpy(f->f_project, m->project, sizeof(f->f_project));
	(void)strlcpy(f->f_subject, m->subject, sizeof(f->f_subject));
	(void)strlcpy(f->f_what, m->what, sizeof(f->f_what));
	(void)strlcpy(f->f_text, m->text, sizeof(f->f_text));
	return (0);
}

/* The row of a subject; NULL when there is none. */
static const struct found *
row(const char *subject, const char *what)
{
	size_t i;

	for (i = 0; i < nfound; i++)
		if (strcmp(found[i].f_subject, subject) == 0 &&
		    strcmp(found[i].f_what, what) == 0)
			return (&found[i]);
	return (NULL);
}

static void
finds(const char *subject, const char *what, unsigned int verdict,
    const char *words)
{
	const struct found *f = row(subject, what);

	ck_assert_msg(f != NULL, "no row %s: %s", subject, what);
	ck_assert_msg(f->f_verdict == verdict, "%s: %s: %u: %s", subject,
	    what, f->f_verdict, f->f_text);
	ck_assert_msg(strstr(f->f_text, words) != NULL, "%s: %s: %s", subject,
	    what, f->f_text);
}

static size_t
count(unsigned int verdict)
{
	size_t i, n = 0;

	for (i = 0; i < nfound; i++)
		n += !found[i].f_last && found[i].f_verdict == verdict;
	return (n);
}

/* Nothing more comes, and no token is in what came. */
static void
ended(uint32_t id)
{
	size_t i;

	RUN_UNTIL(nfound > 0 && found[nfound - 1].f_last);
	for (i = 0; i < nfound; i++) {
		ck_assert_uint_eq(found[i].f_id, id);
		ck_assert_int_eq(found[i].f_last, i == nfound - 1);
		ck_assert_ptr_null(strstr(found[i].f_text, "token-0"));
	}
}

static void
ask(const char *project)
{
	struct orch_doctor_ask m = { .project = project, .within_ms = 4000 };

	nfound = 0;
	forget_asked();
	doctor_remotes(17, &m);
	ended(17);
}

/* How the project lands, or NULL. */
static const char *method;

/* The same of one table of trials alone. */
static void
try(const struct checkup_step *steps, const char *url, uint32_t ms)
{
	struct checkup_of co = { "app", "it", url, "token-0", "acme/app",
	    "main", NULL, method };
	struct checkup_ask *ca = checkup_begin(5, ms);

	nfound = 0;
	forget_asked();
	ck_assert_int_eq(checkup_add(ca, &co, steps), 0);
	checkup_go(ca);
	ended(5);
}

static void
well(void)
{
	answer("GET /api/v1/version", 200, "{\"version\":\"1.26.1\"}");
	answer("GET /api/v1/user", 200, "{\"login\":\"orchd\"}");
	answer("GET " API, 200, "{\"permissions\":{\"admin\":true,"
	    "\"push\":true,\"pull\":true},\"archived\":false,"
	    "\"has_pull_requests\":true,"
	    "\"allow_fast_forward_only_merge\":true}");
	answer("GET " API "/pulls?state=open&limit=1", 200, "[]");
	answer("GET " API "/commits/main/status", 200, "{\"state\":\"\"}");
	answer("GET " API "/hooks", 200, "[{\"active\":true,\"events\":["
	    "\"push\",\"pull_request\",\"pull_request_review\",\"status\"],"
	    "\"config\":{\"url\":\"https://o.example/webhook/gitea\"}}]");
	answer("GET " API "/branches/main", 200,
	    "{\"name\":\"main\",\"user_can_merge\":true}");
	answer("GET /acme/app.git/info/refs?service=git-receive-pack", 200,
	    "001f# service=git-receive-pack\n");
	answer("POST " API "/pulls", 422, "{\"message\":\"[Head]: "
	    "Required\"}");
	answer("POST " API "/issues/0/comments", 422,
	    "{\"message\":\"[Body]: Required\"}");
	answer("GET " API "/branch_protections", 200, "[]");
	answer("GET /api/v1/users/me/", 200, "{\"id\":\"" UUID "\","
	    "\"display_name\":\"orchd\"}");
	answer("GET " P "/", 200, "{\"identifier\":\"APP\"}");
	answer("GET " P "/states/", 200, PAGE(STATES ","
	    STATE(b, "Halt", "cancelled")));
	answer("GET " P "/labels/", 200, PAGE(""));
	answer("GET " P "/issues/", 200, PAGE(""));
	answer("PATCH " P "/issues/" NOBODY "/", 404,
	    "{\"error\":\"The requested resource does not exist.\"}");
}

static void
setup(void)
{
	static const char *const renamed[] = { "Stop=Halt", NULL };
	struct orch_child_project m = { .name = "app", .prefix = "APP",
	    .target = "main", .forge = "gitea", .forge_url = server_url,
	    .forge_repo = "acme/app", .tracker = "plane",
	    .tracker_url = server_url, .workspace = "team",
	    .tracker_project = UUID };
	char line[200];

	m.statuses.l_argv = renamed;
	world_setup();
	/* Its polls are none of this; the engine never comes. */
	away = 1;
	well();
	give_project(&m);
	project_secret("forge:app", "token-0");
	project_secret("tracker:app", "token-0");
	snprintf(line, sizeof(line), "telegram -100 %s/bottoken-0",
	    server_url);
	project_secret("notify:ops", line);
	snprintf(line, sizeof(line), "webhook %s/in secret", server_url);
	project_secret("notify:hook", line);
	ck_assert_int_eq(project_start(), 0);
	answer("GET /bottoken-0/getMe", 200, "{\"ok\":true,\"result\":{"
	    "\"id\":7,\"username\":\"orchd_bot\"}}");
	answer("GET /bottoken-0/getChat?", 200, "{\"ok\":true,\"result\":{"
	    "\"id\":-100,\"type\":\"group\"}}");
	answer("GET /bottoken-0/getChatMember?", 200, "{\"ok\":true,"
	    "\"result\":{\"status\":\"member\"}}");
}

static void
teardown(void)
{
	checkup_stop();
	world_teardown();
}

/* --- all is well ---------------------------------------------------------- */

START_TEST(with_every_right_all_is_well)
{
	ask("");
	ck_assert_uint_eq(count(FOUND_FAIL), 0);
	ck_assert_uint_eq(count(FOUND_WARN), 0);
	finds("forge, to read", "server", FOUND_OK, "Gitea 1.26.1");
	finds("forge, to read", "token", FOUND_OK, "the user orchd");
	finds("forge, to read", "hook", FOUND_OK, "/webhook/gitea");
	finds("tracker", "key", FOUND_OK, "the user orchd");
	finds("tracker", "status Stop", FOUND_OK, "Halt");
	finds("tracker", "changes", FOUND_OK, "");
	finds("notify:ops", "token", FOUND_OK, "@orchd_bot");
	finds("notify:ops", "member", FOUND_OK, "member");
	finds("notify:hook", "server", FOUND_OK, "takes connections");
	/* A project alone is asked for without the messengers. */
	ask("app");
	ck_assert_ptr_null(row("notify:ops", "token"));
	ck_assert_ptr_nonnull(row("tracker", "key"));
	ask("other");
	ck_assert_uint_eq(nfound, 1);
}
END_TEST

/* What is sent changes nothing, whatever the server makes of it. */
START_TEST(only_what_is_harmless_is_sent)
{
	size_t i, written = 0;

	ask("");
	for (i = 0; i < nasked; i++) {
		ck_assert_ptr_null(strstr(asked[i].a_line, "/in"));
		if (strncmp(asked[i].a_line, "GET ", 4) == 0)
			continue;
		written++;
		ck_assert_str_eq(asked[i].a_line, "PATCH " P "/issues/" NOBODY
		    "/");
		ck_assert_str_eq(asked[i].a_body, "{}");
	}
	ck_assert_uint_eq(written, 1);
	try(checkup_forge_write, server_url, 4000);
	ck_assert_uint_eq(count(FOUND_OK), 7);
	ck_assert_uint_eq(nfound, 8);
	for (i = 0; i < nasked; i++) {
		if (strncmp(asked[i].a_line, "GET ", 4) == 0)
			continue;
		written++;
		ck_assert(strcmp(asked[i].a_line, "POST " API "/pulls") == 0 ||
		    strcmp(asked[i].a_line, "POST " API "/issues/0/comments")
		    == 0);
		ck_assert_str_eq(asked[i].a_body, "{}");
	}
	ck_assert_uint_eq(written, 3);
	ck_assert_ptr_nonnull(strstr(asked_last("GET /acme/app.git")->
	    a_headers, "Authorization: Basic "));
}
END_TEST

/* --- what is missing ------------------------------------------------------ */

static const struct fault {
	const char	*fa_match;	/* this request is answered so */
	int		 fa_status;
	const char	*fa_body;
	const char	*fa_subject, *fa_what;
	unsigned int	 fa_verdict;
	const char	*fa_words;
} faults[] = {
	{ "GET /api/v1/version", 404, "", "forge, to read", "server",
	    FOUND_FAIL, "without /api/v1" },
	{ "GET /api/v1/version", 401, "{\"message\":\"invalid\"}",
	    "forge, to read", "token", FOUND_FAIL,
	    "HTTP 401: invalid; the server does not know this token" },
	{ "GET /api/v1/version", 200, "<html>", "forge, to read", "server",
	    FOUND_FAIL, "no JSON" },
	{ "GET /api/v1/version", 200, "{\"version\":\"1.20.5\"}",
	    "forge, to read", "server", FOUND_WARN, "older" },
	{ "GET /api/v1/version", 200, "{\"version\":\"8.0.3+gitea-1.22.0\"}",
	    "forge, to read", "server", FOUND_WARN, "Forgejo 8.0.3" },
	{ "GET /api/v1/user", 403, "{\"message\":\"scope\"}",
	    "forge, to read", "token", FOUND_FAIL,
	    "scopes read:repository and read:user" },
	{ "GET " API, 404, "", "forge, to read", "repository", FOUND_FAIL,
	    "Collaborators" },
	{ "GET " API "/pulls?", 404, "", "forge, to read", "pull requests",
	    FOUND_FAIL, "HTTP 404" },
	{ "GET " API "/commits/", 404, "", "forge, to read", "ci",
	    FOUND_FAIL, "there is no branch main" },
	{ "GET " API "/hooks", 403, "", "forge, to read", "hook", FOUND_WARN,
	    "only an administrator" },
	{ "GET " API "/hooks", 200, "[]", "forge, to read", "hook",
	    FOUND_WARN, "none leads to" },
	{ "GET " API "/hooks", 200, "[{\"active\":true,\"events\":[],"
	    "\"config\":{\"url\":\"https://o/webhook/gitea-other\"}}]",
	    "forge, to read", "hook", FOUND_WARN, "none leads to" },
	{ "GET " API "/hooks", 200, "[{\"active\":false,\"events\":[\"push\","
	    "\"pull_request\",\"pull_request_review\",\"status\"],"
	    "\"config\":{\"url\":\"https://o/webhook/gitea\"}}]",
	    "forge, to read", "hook", FOUND_WARN, "switched off" },
	{ "GET " API "/hooks", 200, "[{\"active\":true,\"events\":[\"push\"],"
	    "\"config\":{\"url\":\"https://o/webhook/gitea\"}}]",
	    "forge, to read", "hook", FOUND_WARN, "does not send "
	    "pull_request, pull_request_review_approved, "
	    "pull_request_review_rejected, status" },
	{ "GET /api/v1/users/me/", 403, "{\"detail\":\"Given API token is "
	    "not valid\"}", "tracker", "key", FOUND_FAIL,
	    "not valid; Plane does not know this key" },
	{ "GET " P "/", 403, "{\"detail\":\"no\"}", "tracker", "project",
	    FOUND_FAIL, "Member" },
	{ "GET " P "/states/", 200, PAGE(STATES), "tracker", "status Stop",
	    FOUND_FAIL, "\"Halt\" is missing" },
	{ "GET " P "/states/", 200, PAGE(STATES ","
	    STATE(b, "halt", "cancelled")), "tracker", "status Stop",
	    FOUND_FAIL, "there is \"halt\", but \"Halt\" is missing" },
	{ "GET " P "/states/", 200, PAGE(STATES ","
	    STATE(b, "Halt", "started")), "tracker", "status Stop",
	    FOUND_WARN, "group started" },
	{ "GET " P "/states/", 200, "[]", "tracker", "statuses", FOUND_FAIL,
	    "cannot be read" },
	{ "GET " P "/labels/", 403, "", "tracker", "labels", FOUND_FAIL,
	    "HTTP 403" },
	{ "GET " P "/issues/", 403, "", "tracker", "items", FOUND_FAIL,
	    "HTTP 403" },
	{ "PATCH " P "/issues/", 403, "{\"detail\":\"no\"}", "tracker",
	    "changes", FOUND_FAIL, "Guest" },
	{ "GET /bottoken-0/getMe", 401, "{\"ok\":false,\"description\":"
	    "\"Unauthorized\"}", "notify:ops", "token", FOUND_FAIL,
	    "Unauthorized; the bot's token is wrong" },
	{ "GET /bottoken-0/getChat?", 400, "{\"ok\":false,\"description\":"
	    "\"Bad Request: chat not found\"}", "notify:ops", "chat",
	    FOUND_FAIL, "chat not found; write /start" },
	{ "GET /bottoken-0/getChatMember?", 200, "{\"ok\":true,\"result\":{"
	    "\"status\":\"left\"}}", "notify:ops", "member", FOUND_FAIL,
	    "not in the chat" },
	{ "GET /bottoken-0/getChatMember?", 200, "{\"ok\":true,\"result\":{"
	    "\"status\":\"administrator\",\"can_post_messages\":false}}",
	    "notify:ops", "member", FOUND_FAIL, "may not write" },
	{ "GET /api/v1/version", 301, "", "forge, to read", "server",
	    FOUND_FAIL, "never follows" },
	{ "GET /api/v1/version", 502, "", "forge, to read", "server",
	    FOUND_FAIL, "see its log" },
	{ "GET /api/v1/users/me/", 429, "{\"error_message\":\"RATE\"}",
	    "tracker", "key", FOUND_FAIL, "limit is used up" },
	{ "GET /api/v1/users/me/", 0, "", "tracker", "key", FOUND_FAIL,
	    "cannot be reached" },
};

/* Also that nothing else is wrong then but what hangs on it. */
START_TEST(each_fault_has_its_line)
{
	const struct fault *fa = &faults[_i];
	size_t i;

	answer(fa->fa_match, fa->fa_status, fa->fa_body);
	/* What is longer than it is answered as before. */
	if (strcmp(fa->fa_match, "GET " API) == 0)
		canned[ncanned - 1].c_times = 1;
	if (strcmp(fa->fa_match, "GET /api/v1/user") == 0)
		answer("GET /api/v1/users/me/", 200, "{\"id\":\"" UUID
		    "\"}");
	ask("");
	finds(fa->fa_subject, fa->fa_what, fa->fa_verdict, fa->fa_words);
	for (i = 0; i < nfound; i++)
		ck_assert_msg(found[i].f_verdict == FOUND_OK ||
		    strcmp(found[i].f_subject, fa->fa_subject) == 0,
		    "%s: %s", found[i].f_subject, found[i].f_text);
}
END_TEST

#define REPO(more) "{\"permissions\":{\"admin\":true,\"push\":true}," more "}"

static const struct fault written[] = {
	{ "GET " API, 401, "{\"message\":\"x\"}", NULL, "token", FOUND_FAIL,
	    "does not know" },
	{ "GET " API, 200, "{\"permissions\":{\"push\":false}}", NULL,
	    "repository", FOUND_FAIL, "may only read" },
	{ "GET " API, 200, REPO("\"archived\":true"), NULL, "repository",
	    FOUND_FAIL, "archived" },
	{ "GET " API, 200, REPO("\"empty\":true"), NULL, "repository",
	    FOUND_FAIL, "first commit to main" },
	{ "GET " API, 200, REPO("\"has_pull_requests\":false"), NULL,
	    "repository", FOUND_FAIL, "switched off" },
	{ "GET " API, 200, REPO("\"allow_fast_forward_only_merge\":false"),
	    NULL, "merge style", FOUND_FAIL, "Fast-forward only" },
	{ "GET " API "/branches/main", 404, "", NULL, "target", FOUND_FAIL,
	    "no branch main" },
	{ "GET " API "/branches/main", 200, "{\"user_can_merge\":false}",
	    NULL, "target", FOUND_FAIL, "merge allowlist" },
	{ "GET " API "/branches/main", 200, "{\"user_can_merge\":true,"
	    "\"required_approvals\":2}", NULL, "target", FOUND_WARN,
	    "2 approval" },
	{ "GET /acme/app.git/", 403, "", NULL, "push", FOUND_FAIL,
	    "write:repository" },
	{ "POST " API "/pulls", 403, "{\"message\":\"scope\"}", NULL,
	    "pull requests", FOUND_FAIL, "write:repository, write:issue" },
	{ "POST " API "/pulls", 201, "{}", NULL, "pull requests", FOUND_FAIL,
	    "HTTP 201" },
	{ "POST " API "/issues/", 403, "{\"message\":\"scope\"}", NULL,
	    "comments", FOUND_FAIL, "write:issue" },
	{ "GET " API "/branch_protections", 200, "[{\"rule_name\":\"main\"},"
	    "{\"rule_name\":\"**\"}]", NULL, "own branches", FOUND_FAIL,
	    "\"**\"" },
	{ "GET " API "/branch_protections", 200, "[{\"rule_name\":\"*\"},"
	    "{\"rule_name\":\"release/*\"}]", NULL, "own branches", FOUND_OK,
	    "no protection" },
};

START_TEST(each_fault_of_writing_has_its_line)
{
	const struct fault *fa = &written[_i];

	answer(fa->fa_match, fa->fa_status, fa->fa_body);
	if (strcmp(fa->fa_match, "GET " API) == 0)
		canned[ncanned - 1].c_times = 1;
	try(checkup_forge_write, server_url, 4000);
	finds("it", fa->fa_what, fa->fa_verdict, fa->fa_words);
}
END_TEST

START_TEST(the_merge_style_is_that_of_the_configuration)
{
	static const struct {
		const char	*name;
		const char	*off;
	} styles[] = {
		{ "merge", REPO("\"allow_merge_commits\":false") },
		{ "squash", REPO("\"allow_squash_merge\":false") },
		{ "rebase", REPO("\"allow_rebase\":false") },
	};

	method = styles[_i].name;
	answer("GET " API, 200, styles[_i].off)->c_times = 1;
	try(checkup_forge_write, server_url, 4000);
	finds("it", "merge style", FOUND_FAIL, method);
	answer("GET " API, 200, REPO("\"allow_fast_forward_only_merge\":"
	    "false"))->c_times = 1;
	try(checkup_forge_write, server_url, 4000);
	finds("it", "merge style", FOUND_OK, method);
	method = NULL;
}
END_TEST

START_TEST(rules_are_read_by_administrators_only)
{
	answer("GET " API, 200, "{\"permissions\":{\"push\":true}}")->c_times =
	    1;
	try(checkup_forge_write, server_url, 4000);
	ck_assert_uint_eq(count_asked("GET " API "/branch_protections"), 0);
	ck_assert_uint_eq(count(FOUND_OK), 6);
}
END_TEST

START_TEST(a_wrong_clock_is_said_once)
{
	size_t i, n = 0;
	time_t then = time(NULL) - 600;
	char date[64];
	struct tm tm;

	ck_assert_ptr_nonnull(gmtime_r(&then, &tm));
	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	for (i = 0; i < ncanned; i++)
		answer_header(&canned[i], "Date", date);
	ask("app");
	finds("tracker", "clock", FOUND_WARN, "behind");
	for (i = 0; i < nfound; i++)
		n += strcmp(found[i].f_what, "clock") == 0;
	ck_assert_uint_eq(n, 2);	/* of two servers */
}
END_TEST

START_TEST(a_rate_that_is_used_up_is_said)
{
	answer_header(answer("GET /api/v1/users/me/", 200, "{\"id\":\"" UUID
	    "\"}"), "X-RateLimit-Remaining", "3");
	ask("app");
	finds("tracker", "rate", FOUND_WARN, "only 3 requests");
	finds("tracker", "changes", FOUND_OK, "");
}
END_TEST

/* --- servers that are gone ------------------------------------------------ */

/* An address at which nobody answers; listening: connections are taken. */
static int
deaf(char url[64], int listening)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(sin);
	int sock = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_eq(bind(sock, (struct sockaddr *)&sin, len), 0);
	if (listening)
		ck_assert_int_eq(listen(sock, 8), 0);
	ck_assert_int_eq(getsockname(sock, (struct sockaddr *)&sin, &len), 0);
	snprintf(url, 64, "http://127.0.0.1:%u", ntohs(sin.sin_port));
	return (sock);
}

START_TEST(a_server_that_hangs_is_a_line_and_no_wait)
{
	struct monotime began = monotime_now();
	char url[64];
	int sock = deaf(url, 1);

	try(checkup_forge_read, url, 1000);
	finds("it", "server", FOUND_FAIL, "no answer within 1 s");
	ck_assert_uint_eq(nfound, 2);
	ck_assert_int_lt(monotime_sub_ms(monotime_now(), began), 4000);
	close(sock);
}
END_TEST

START_TEST(a_server_that_is_dead_is_a_line)
{
	char url[64];
	int sock = deaf(url, 0);

	try(checkup_forge_write, url, 4000);
	finds("it", "repository", FOUND_FAIL, "cannot be reached");
	ck_assert_uint_eq(nfound, 2);
	close(sock);
}
END_TEST

START_TEST(a_server_without_tls_is_a_line)
{
	char url[80];

	snprintf(url, sizeof(url), "https%s", server_url + 4);
	try(checkup_forge_read, url, 4000);
	finds("it", "server", FOUND_FAIL, "does it speak TLS there?");
	ck_assert_uint_eq(nasked, 0);
}
END_TEST

START_TEST(an_address_that_cannot_be_is_a_line)
{
	char url[3000];

	memset(url, 'a', sizeof(url) - 1);
	memcpy(url, "http://", 7);
	url[sizeof(url) - 1] = '\0';
	try(checkup_forge_read, url, 4000);
	finds("it", "server", FOUND_FAIL, "no request can be made");
	ck_assert_uint_eq(nasked, 0);
}
END_TEST

/* The trials of one question do not end those of another. */
START_TEST(an_end_in_the_middle_forgets_all)
{
	struct orch_doctor_ask m = { .project = "", .within_ms = 4000 };

	nfound = 0;
	doctor_remotes(1, &m);
	doctor_remotes(2, &m);
	RUN_UNTIL(nfound > 4);
	checkup_stop();
	quiet();
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("doctor");
	TCase *tc = tcase_create("doctor");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, with_every_right_all_is_well);
	tcase_add_test(tc, only_what_is_harmless_is_sent);
	tcase_add_loop_test(tc, each_fault_has_its_line, 0,
	    (int)(sizeof(faults) / sizeof(faults[0])));
	tcase_add_loop_test(tc,
	    the_merge_style_is_that_of_the_configuration, 0, 3);
	tcase_add_loop_test(tc, each_fault_of_writing_has_its_line, 0,
	    (int)(sizeof(written) / sizeof(written[0])));
	tcase_add_test(tc, rules_are_read_by_administrators_only);
	tcase_add_test(tc, a_wrong_clock_is_said_once);
	tcase_add_test(tc, a_rate_that_is_used_up_is_said);
	tcase_add_test(tc, a_server_that_hangs_is_a_line_and_no_wait);
	tcase_add_test(tc, a_server_that_is_dead_is_a_line);
	tcase_add_test(tc, a_server_without_tls_is_a_line);
	tcase_add_test(tc, an_address_that_cannot_be_is_a_line);
	tcase_add_test(tc, an_end_in_the_middle_forgets_all);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed == 0 ? 0 : 1);
}
