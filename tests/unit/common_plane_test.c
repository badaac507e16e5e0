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

/* What Plane answers, read from recorded answers, and what is sent to it. */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/fsutil.h"
#include "libcommon/isotime.h"
#include "libcommon/plane.h"

#define DIR	"tests/fixtures/plane/"
#define PROJECT	"4af68566-94a4-4eb3-94aa-50dc9427067b"
#define PERSON	"16c61a3a-512a-48ac-b0be-b6b46fe6f430"

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

START_TEST(states_are_found_by_their_exact_name)
{
	struct plane_states pt = { .pt_n = 0 };
	struct plane_cursor pc;
	const char *id;

	load("api-states-list");
	ck_assert_int_eq(plane_states_add(&pt, &pc, body, len, err,
	    sizeof(err)), 0);
	ck_assert_uint_eq(pt.pt_n, 5);
	id = plane_state_id(&pt, "Backlog");
	ck_assert_str_eq(id, "7c8b1d3e-0a55-4a0c-8f52-0d1a6b9f2e01");
	ck_assert_str_eq(plane_state_name(&pt, id), "Backlog");
	ck_assert_ptr_null(plane_state_id(&pt, "backlog"));
	ck_assert_ptr_null(plane_state_id(&pt, "Confirm Deploy"));
	ck_assert_ptr_null(plane_state_name(&pt, PERSON));
}
END_TEST

/* The cursor is always there: only next_page_results ends a list. */
START_TEST(a_list_ends_where_it_says_so)
{
	struct plane_states pt = { .pt_n = 0 };
	struct plane_cursor pc;

	load("api-states-list");
	ck_assert_int_eq(plane_states_add(&pt, &pc, body, len, err,
	    sizeof(err)), 0);
	ck_assert_str_eq(pc.pc_next, "");
	load("api-states-list-page3");
	ck_assert_int_eq(plane_states_add(&pt, &pc, body, len, err,
	    sizeof(err)), 0);
	ck_assert_str_eq(pc.pc_next, "");
	text("{\"results\":[],\"next_page_results\":true,\"next_cursor\":"
	    "\"2:1:0\"}");
	ck_assert_int_eq(plane_states_add(&pt, &pc, body, len, err,
	    sizeof(err)), 0);
	ck_assert_str_eq(pc.pc_next, "2:1:0");
	text("{\"results\":[],\"next_page_results\":true,\"next_cursor\":"
	    "\"2&x=1\"}");
	ck_assert_int_eq(plane_states_add(&pt, &pc, body, len, err,
	    sizeof(err)), -1);
	text("{\"results\":[]}");
	ck_assert_int_eq(plane_states_add(&pt, &pc, body, len, err,
	    sizeof(err)), -1);
}
END_TEST

START_TEST(an_item_is_read)
{
	struct plane_item pi;

	load("api-work-item");
	ck_assert_int_eq(plane_item_read(body, len, &pi, err, sizeof(err)),
	    0);
	ck_assert_str_eq(pi.pi_id, "e1c25c66-5bb8-465e-a818-92a483423443");
	ck_assert_uint_eq(pi.pi_number, 421);
	ck_assert_str_eq(pi.pi_name, "First Issue");
	ck_assert_str_eq(pi.pi_state, "067b88e5-304b-4221-ba09-94340dcc36e5");
	ck_assert_str_eq(pi.pi_author, PERSON);
	ck_assert_str_eq(pi.pi_editor, PERSON);
	ck_assert_str_eq(pi.pi_changed, "2026-05-20T08:12:31.004117Z");
	ck_assert_str_eq(pi.pi_text, "Do the thing");
	ck_assert_uint_eq(pi.pi_nlabels, 1);
	plane_item_free(&pi);
	load("api-issue--docs2025");
	ck_assert_int_eq(plane_item_read(body, len, &pi, err, sizeof(err)),
	    0);
	plane_item_free(&pi);
}
END_TEST

START_TEST(what_is_no_item_is_refused)
{
	static const char *const bad[] = { "", "{}", "[]", "null",
	    "{\"sequence_id\":\"1\"}", "{\"sequence_id\":0}",
	    "{\"sequence_id\":1,\"id\":\"x\"}",
	    "{\"sequence_id\":1,\"id\":\"" PERSON "\"}",
	    "{\"sequence_id\":1,\"id\":\"" PERSON "\",\"state\":{}}",
	    "{\"sequence_id\":1,\"id\":\"" PERSON "\",\"state\":\"" PERSON
	    "\",\"labels\":[1]}" };
	struct plane_item pi;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err[0] = '\0';
		ck_assert_msg(plane_item_read(bad[i], strlen(bad[i]), &pi,
		    err, sizeof(err)) == -1, "%s", bad[i]);
		ck_assert_str_ne(err, "");
		plane_item_free(&pi);
	}
}
END_TEST

static unsigned int good, wrong;

static void
count(const struct plane_item *pi, const char *why, void *arg)
{
	if (pi != NULL)
		good++;
	else
		wrong += why[0] != '\0';
}

START_TEST(one_bad_item_stops_no_other)
{
	struct plane_cursor pc;

	text("{\"next_page_results\":false,\"next_cursor\":\"9:9:9\","
	    "\"results\":[{\"sequence_id\":1,\"id\":\"" PERSON "\",\"state\":"
	    "\"" PERSON "\"},{\"sequence_id\":2},{\"sequence_id\":3,\"id\":\""
	    PERSON "\",\"state\":\"" PERSON "\"}]}");
	ck_assert_int_eq(plane_items_each(body, len, &pc, count, NULL, err,
	    sizeof(err)), 0);
	ck_assert_uint_eq(good, 2);
	ck_assert_uint_eq(wrong, 1);
	ck_assert_int_eq(plane_items_each("{}", 2, &pc, count, NULL, err,
	    sizeof(err)), -1);
}
END_TEST

START_TEST(the_last_words_of_a_person_count)
{
	struct plane_words pw = { .pw_text = NULL };
	struct plane_cursor pc;

#define COMMENT(who, at, html) "{\"actor\":\"" who "\",\"created_at\":\"" at \
	"\",\"comment_html\":\"" html "\"}"
#define ORCHD "00000000-0000-4000-8000-000000000001"
	text("{\"next_page_results\":false,\"results\":["
	    COMMENT(PERSON, "2026-05-01T10:00:00Z", "<p>old</p>") ","
	    COMMENT(PERSON, "2026-05-02T10:00:00Z", "<p>name &lt;a&gt;</p>"
	    "<p>second</p>") ","
	    COMMENT(ORCHD, "2026-05-03T10:00:00Z", "<p>mine</p>") "]}");
	ck_assert_int_eq(plane_words_add(&pw, body, len, ORCHD, "ask:", &pc,
	    err, sizeof(err)), 0);
	ck_assert_str_eq(plane_words_said(&pw), "name <a>\nsecond");
	ck_assert_int_eq(pw.pw_at_ms, 1777716000000);
	ck_assert_str_eq(pw.pw_asked, "");
	plane_words_free(&pw);
	ck_assert_str_eq(plane_words_said(&pw), "");
}
END_TEST

/* Whatever the order, the page and the zone. */
START_TEST(words_that_are_older_than_our_question_do_not_count)
{
	struct plane_words pw = { .pw_text = NULL };
	struct plane_cursor pc;

#define ASK(key, at) "{\"actor\":\"" ORCHD "\",\"created_at\":\"" at	\
	"\",\"comment_html\":\"<p>?</p>\",\"external_id\":\"" key "\"}"
	text("{\"next_page_results\":false,\"results\":["
	    ASK("ask:7:1@5", "2026-05-02T10:00:00Z") ","
	    ASK("move:7:9", "2026-05-04T10:00:00Z") ","
	    COMMENT(PERSON, "2026-05-02T11:59:00+02:00", "<p>old</p>") "]}");
	ck_assert_int_eq(plane_words_add(&pw, body, len, ORCHD, "ask:", &pc,
	    err, sizeof(err)), 0);
	ck_assert_str_eq(pw.pw_asked, "ask:7:1@5");
	ck_assert_str_eq(plane_words_said(&pw), "");
	text("{\"next_page_results\":false,\"results\":["
	    COMMENT(PERSON, "2026-05-03T10:00:00Z", "<p>no</p>") "]}");
	ck_assert_int_eq(plane_words_add(&pw, body, len, ORCHD, "ask:", &pc,
	    err, sizeof(err)), 0);
	ck_assert_str_eq(plane_words_said(&pw), "no");
	/* A later question wants later words. */
	text("{\"next_page_results\":false,\"results\":["
	    ASK("ask:7:2@6", "2026-05-03T10:00:01Z") ","
	    COMMENT(PERSON, "2026-05-02T10:00:00Z", "<p>x</p>") "]}");
	ck_assert_int_eq(plane_words_add(&pw, body, len, ORCHD, "ask:", &pc,
	    err, sizeof(err)), 0);
	ck_assert_str_eq(pw.pw_asked, "ask:7:2@6");
	ck_assert_str_eq(plane_words_said(&pw), "");
	plane_words_free(&pw);
}
END_TEST

START_TEST(a_comment_cannot_break_out_and_has_its_key)
{
	char *s = plane_comment_body("a <b> & \"c\"\nd", "move:ORCH-1:7");

	ck_assert_str_eq(s, "{\"comment_html\":\"<p>a &lt;b&gt; &amp; "
	    "&quot;c&quot;<br>d</p>\",\"external_id\":\"move:ORCH-1:7\","
	    "\"external_source\":\"orchd\"}");
	free(s);
	s = plane_state_body(PERSON);
	ck_assert_str_eq(s, "{\"state\":\"" PERSON "\"}");
	free(s);
}
END_TEST

START_TEST(html_becomes_text)
{
	static const struct {
		const char *html, *text;
	} rows[] = {
		{ "", "" },
		{ "<p>a</p><p>b</p>", "a\nb" },
		{ "<ul><li>one</li><li><b>two</b></li></ul>", "one\ntwo" },
		{ "a<br/>b<BR>c", "a\nb\nc" },
		{ "&amp;lt; &#228;&#x20ac; &nbsp;x", "&lt; \xc3\xa4\xe2\x82"
		    "\xac  x" },
		{ "&nothing; &#0; &#xd800; &", "&nothing; &#0; &#xd800; &" },
		{ "1 < 2", "1 < 2" },
		{ "<script>x</script>y", "xy" },
		{ "<p", "<p" },
	};
	size_t i;
	char *s;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		s = html_text(rows[i].html);
		ck_assert_str_eq(s, rows[i].text);
		free(s);
	}
}
END_TEST

/* Anybody can hand in such a text; it must not take an hour to read. */
START_TEST(a_long_text_of_beginnings_is_read_in_one_go)
{
	static const char begins[] = "&<";
	const size_t n = 4U << 20;	/* as long as Plane takes them */
	char *html = malloc(n + 1), *s;
	size_t i;

	for (i = 0; begins[i] != '\0'; i++) {
		memset(html, begins[i], n);
		html[n] = '\0';
		s = html_text(html);
		ck_assert_uint_eq(strlen(s), n);
		free(s);
	}
	free(html);
}
END_TEST

START_TEST(addresses_are_of_that_project_only)
{
	char url[200];

	ck_assert_int_eq(plane_url(url, sizeof(url), "https://plane/",
	    "acme", PROJECT, "work-items/?per_page=%d", 100), 0);
	ck_assert_str_eq(url, "https://plane/api/v1/workspaces/acme/projects/"
	    PROJECT "/work-items/?per_page=100");
	ck_assert_int_eq(plane_url(url, sizeof(url), "https://p", "a/b",
	    PROJECT, "x/"), -1);
	ck_assert_int_eq(plane_url(url, sizeof(url), "https://p", "",
	    PROJECT, "x/"), -1);
	ck_assert_int_eq(plane_url(url, sizeof(url), "https://p", "acme",
	    "../..", "x/"), -1);
	ck_assert_int_eq(plane_url(url, 40, "https://p", "acme", PROJECT,
	    "x/"), -1);
}
END_TEST

START_TEST(errors_have_their_sentence)
{
	static const struct {
		const char *file, *words;
		long status;
	} rows[] = {
		{ "api-error-400-state", "HTTP 400", 400 },
		{ "api-error-401-nokey", "HTTP 401: ", 401 },
		{ "api-error-403-perm", "HTTP 403: ", 403 },
		{ "api-error-404", "HTTP 404: The requested resource", 404 },
		{ "api-error-409-external", "HTTP 409: Issue with", 409 },
		{ "api-error-429", "HTTP 429: RATE_LIMIT", 429 },
	};
	char said[200];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		load(rows[i].file);
		plane_said(rows[i].status, body, len, said, sizeof(said));
		ck_assert_msg(strncmp(said, rows[i].words,
		    strlen(rows[i].words)) == 0, "%s", said);
	}
}
END_TEST

START_TEST(a_time_counts_its_zone)
{
	static const char *const bad[] = { "", "2026-05-20", "2026-05-20T08:12",
	    "2026-05-20T08:12:31", "2026-13-20T08:12:31Z",
	    "2026-05-20T08:12:31+0530", "2026-05-20T08:12:31Zx",
	    "1969-05-20T08:12:31Z", "2026-05-20T08:12:31+05:99" };
	int64_t a, b;
	size_t i;

	ck_assert_int_eq(isotime_ms("2026-05-20T08:12:31.004117Z", &a), 0);
	ck_assert_int_eq(a, 1779264751004);
	ck_assert_int_eq(isotime_ms("2026-05-20T13:42:31.004117+05:30", &b),
	    0);
	ck_assert_int_eq(a, b);
	ck_assert_int_eq(isotime_ms("2026-05-20T00:12:31-08:00", &b), 0);
	ck_assert_int_eq(b, a - 4);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(isotime_ms(bad[i], &b) == -1, "%s", bad[i]);
}
END_TEST

START_TEST(who_the_key_belongs_to_is_read)
{
	char url[100], id[PLANE_ID];

	ck_assert_int_eq(plane_me_url(url, sizeof(url), "https://p.test//"),
	    0);
	ck_assert_str_eq(url, "https://p.test/api/v1/users/me/");
	ck_assert_int_eq(plane_me_url(url, 20, "https://p.test"), -1);
	text("{\"id\":\"" PERSON "\",\"display_name\":\"bot\"}");
	ck_assert_int_eq(plane_object_id(body, len, id, err, sizeof(err)), 0);
	ck_assert_str_eq(id, PERSON);
	text("{\"id\":\"7\"}");
	ck_assert_int_eq(plane_object_id(body, len, id, err, sizeof(err)),
	    -1);
	text("<html>log in</html>");
	ck_assert_int_eq(plane_object_id(body, len, id, err, sizeof(err)),
	    -1);
	load("api-comment-created");
	ck_assert_int_eq(plane_object_id(body, len, id, err, sizeof(err)), 0);
}
END_TEST

/* Who has no name there is shown by the id. */
START_TEST(members_have_names_where_they_have_one)
{
	struct plane_labels pl = { NULL, 0 };

	text("[{\"id\":\"" PERSON "\",\"display_name\":\"anna\"},"
	    "{\"id\":\"" PROJECT "\",\"display_name\":\"\"},"
	    "{\"id\":7,\"display_name\":\"x\"},{\"display_name\":7},1]");
	ck_assert_int_eq(plane_members_add(&pl, body, len, err,
	    sizeof(err)), 0);
	ck_assert_uint_eq(pl.pl_n, 1);
	ck_assert_str_eq(plane_label_name(&pl, PERSON), "anna");
	ck_assert_ptr_null(plane_label_name(&pl, PROJECT));
	text("{\"detail\":\"no\"}");
	ck_assert_int_eq(plane_members_add(&pl, body, len, err,
	    sizeof(err)), 0);
	ck_assert_uint_eq(pl.pl_n, 1);
	text("<html>");
	ck_assert_int_eq(plane_members_add(&pl, body, len, err,
	    sizeof(err)), -1);
	plane_labels_free(&pl);
}
END_TEST

START_TEST(labels_have_names)
{
	struct plane_labels pl = { NULL, 0 };
	struct plane_cursor pc;

	text("{\"results\":[{\"id\":\"" PERSON "\",\"name\":\"ai\"},"
	    "{\"id\":\"" PROJECT "\",\"name\":\"bug\"}],"
	    "\"next_page_results\":false,\"next_cursor\":\"100:1:0\"}");
	ck_assert_int_eq(plane_labels_add(&pl, &pc, body, len, err,
	    sizeof(err)), 0);
	ck_assert_str_eq(pc.pc_next, "");
	ck_assert_int_eq(plane_labels_add(&pl, &pc, body, len, err,
	    sizeof(err)), 0);
	ck_assert_uint_eq(pl.pl_n, 4);
	ck_assert_str_eq(plane_label_name(&pl, PROJECT), "bug");
	ck_assert_ptr_null(plane_label_name(&pl, "x"));
	plane_labels_free(&pl);
	ck_assert_ptr_null(plane_label_name(&pl, PROJECT));
}
END_TEST

int
main(void)
{
	Suite *su = suite_create("plane");
	TCase *tc = tcase_create("plane");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, states_are_found_by_their_exact_name);
	tcase_add_test(tc, a_list_ends_where_it_says_so);
	tcase_add_test(tc, an_item_is_read);
	tcase_add_test(tc, what_is_no_item_is_refused);
	tcase_add_test(tc, one_bad_item_stops_no_other);
	tcase_add_test(tc, the_last_words_of_a_person_count);
	tcase_add_test(tc,
	    words_that_are_older_than_our_question_do_not_count);
	tcase_add_test(tc, a_comment_cannot_break_out_and_has_its_key);
	tcase_add_test(tc, html_becomes_text);
	tcase_add_test(tc, a_long_text_of_beginnings_is_read_in_one_go);
	tcase_add_test(tc, addresses_are_of_that_project_only);
	tcase_add_test(tc, errors_have_their_sentence);
	tcase_add_test(tc, a_time_counts_its_zone);
	tcase_add_test(tc, who_the_key_belongs_to_is_read);
	tcase_add_test(tc, labels_have_names);
	tcase_add_test(tc, members_have_names_where_they_have_one);
	suite_add_tcase(su, tc);
	sr = srunner_create(su);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed == 0 ? 0 : 1);
}
