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

#include <locale.h>

#include "tests/unit/orchctl_fake.h"

#define STATUS "{\"schema_version\":1,\"tasks\":[" \
	"{\"id\":\"ORCH-119\",\"project\":\"orch\",\"title\":\"Fast\"," \
	"\"stage\":\"development\",\"stage_seq\":4,\"round\":2," \
	"\"age_s\":660,\"why\":\"ORCH-119 runs: developer, round 2 of 3\"," \
	"\"waits\":\"run\"}," \
	"{\"id\":\"ORCH-114\",\"title\":\"Slow\",\"stage\":\"analysis\"," \
	"\"age_s\":7200,\"why\":\"ORCH-114 waits for a person: approve\"," \
	"\"waits\":\"person\"}]," \
	"\"totals\":{\"agents_running\":1,\"agents_max\":2," \
	"\"queue_ready\":3,\"queue_later\":1,\"leases\":1,\"outbox\":0," \
	"\"alerts\":1}}"

typedef void (*renderer)(struct out *, const json_t *);

static char *
rendered(renderer render, const char *json, int width)
{
	struct captured cap;
	json_t *doc = parse(json);
	char *copy;

	capture(&cap, width);
	render(&cap.out, doc);
	json_decref(doc);
	copy = strdup(captured(&cap));
	capture_end(&cap);
	return (copy);
}

static void
has(const char *text, const char *want)
{
	ck_assert_msg(strstr(text, want) != NULL, "no \"%s\" in:\n%s", want,
	    text);
}

START_TEST(status_is_a_table_with_totals)
{
	char *s = rendered(render_status, STATUS, 0);

	ck_assert_str_eq(s,
	    "TASK      STAGE           AGE  TITLE  WHAT\n"
	    "ORCH-119  development  11 min  Fast   runs: developer, "
	    "round 2 of 3\n"
	    "ORCH-114  analysis        2 h  Slow   waits for a person: "
	    "approve\n\n"
	    "agents 1 of 2   queue 3 ready, 1 later   leases 1   outbox 0   "
	    "alerts 1\n");
	free(s);
}
END_TEST

/* A history whose reason is wider than the terminal. */
static void
long_reason(struct captured *cap, int width)
{
	json_t *doc = parse("[{\"from\":\"review\",\"to\":\"testing\","
	    "\"epoch\":7,\"actor\":\"engine\",\"reason\":\"all gates passed: "
	    "one two three four five six seven eight\"}]");

	capture(cap, width);
	render_history(&cap->out, doc, 0);
	json_decref(doc);
}

START_TEST(a_long_reason_goes_on_in_its_column)
{
	struct captured cap;

	long_reason(&cap, 80);
	has(captured(&cap),
	    "-     review → testing      7  engine  "
	    "all gates passed: one two "
	    "three four five\n"
	    "                                       six seven eight\n");
	ck_assert_ptr_null(strstr(captured(&cap), "…"));
	capture_end(&cap);
}
END_TEST

START_TEST(a_long_reason_without_room_goes_below_its_row)
{
	struct captured cap;

	long_reason(&cap, 60);
	has(captured(&cap),
	    "WHEN  MOVE              EPOCH  BY\n"
	    "-     review → testing      7  engine\n"
	    "    all gates passed: one two three four five six seven\n"
	    "    eight\n");
	capture_end(&cap);
}
END_TEST

START_TEST(status_fits_a_narrow_terminal)
{
	char *s = rendered(render_status, STATUS, 50), *line, *next;

	for (line = s; (next = strchr(line, '\n')) != NULL; line = next + 1) {
		*next = '\0';
		if (strncmp(line, "agents", 6) != 0)
			ck_assert_uint_lt(text_width(line), 50);
	}
	free(s);
}
END_TEST

START_TEST(status_cannot_drive_a_terminal)
{
	char *s = rendered(render_status, "{\"tasks\":[{\"id\":\"X-1\","
	    "\"title\":\"a\\u001b[2J\\nb\\u009b\\u202e\\r\"}]}", 0);

	has(s, "a\\x1b[2J\\nb");
	ck_assert_ptr_null(strchr(s, '\033'));
	ck_assert_ptr_null(strchr(s, '\r'));
	ck_assert_ptr_null(strstr(s, "\xc2\x9b"));
	ck_assert_ptr_null(strstr(s, "\xe2\x80\xae"));
	free(s);
}
END_TEST

START_TEST(empty_documents_are_rendered)
{
	const renderer all[] = { render_status, render_show, render_gates,
	    render_why, render_queue, render_leases, render_effects,
	    render_alerts, render_check, render_doctor };
	const char *const docs[] = { "{}", "[]", "{\"tasks\":[null,1,{}],"
	    "\"totals\":[],\"gates\":[null],\"runs\":[{}],\"history\":[7],"
	    "\"effects\":[{}],\"approvals\":[{}],\"comments\":[[]],"
	    "\"records\":[{}],\"alerts\":[null,\"x\"],\"held\":[{}],"
	    "\"merge\":[0],\"jobs\":[{}],\"problems\":[{},null],\"pull\":1,"
	    "\"why\":5}" };
	size_t i, j;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		for (j = 0; j < 3; j++)
			free(rendered(all[i], docs[j], 30));
}
END_TEST

#define SHOW "{\"id\":\"ORCH-115\",\"title\":\"Reject\"," \
	"\"stage\":\"analysis\",\"stage_seq\":9,\"round\":1,\"rework\":2," \
	"\"branch\":\"feature/ORCH-115-reject\"," \
	"\"head\":\"9e01d2c0000\",\"published\":\"9e01d2c0000\"," \
	"\"pull\":{\"number\":131,\"state\":\"open\"}," \
	"\"asked_gate\":\"check_analysis_approved\"," \
	"\"asked_commit\":\"9e01d2c0000\",\"asked_path\":\"docs/01-brd.md\"," \
	"\"parked\":false,\"why\":\"ORCH-115 waits for a person\"," \
	"\"waits\":\"person\",\"request\":\"# Do\\n\\nthis\"," \
	"\"gates\":[{\"gate\":\"g1\",\"verdict\":\"fail\",\"commit\":\"aa\"," \
	"\"reason\":\"old\"},{\"gate\":\"g1\",\"verdict\":\"error\"," \
	"\"commit\":\"bb\",\"reason\":\"cannot run: exit 127\"}]," \
	"\"runs\":[{\"id\":17,\"kind\":\"agent\",\"role\":\"developer\"," \
	"\"status\":\"failed\",\"exit_code\":3,\"attempt\":2," \
	"\"reason\":\"hung\",\"cost_micros\":3120000," \
	"\"started\":\"2025-11-13T01:00:00Z\"," \
	"\"ended\":\"2025-11-13T01:48:00Z\"}]," \
	"\"history\":[{\"seq\":1,\"from\":\"created\",\"to\":\"analysis\"," \
	"\"actor\":\"engine\",\"epoch\":1,\"reason\":\"asked\"," \
	"\"at\":\"2025-11-13T02:00:00Z\"}]," \
	"\"effects\":[{\"name\":\"push\",\"state\":\"intent\"}]," \
	"\"alerts\":[{\"kind\":\"proc\",\"text\":\"left over\"}]}"

START_TEST(show_says_what_is_asked_and_what_failed)
{
	char *s = rendered(render_show, SHOW, 0);

	has(s, "ORCH-115  Reject\n");
	has(s, "analysis (seq 9), round 1, rework 2");
	has(s, "feature/ORCH-115-reject at 9e01d2c, PR 131 open");
	has(s, "check_analysis_approved at 9e01d2c: docs/01-brd.md");
	has(s, "orchctl approve ORCH-115");
	has(s, "g1 error at bb: cannot run: exit 127");
	ck_assert_ptr_null(strstr(s, "old"));
	has(s, "1 in all, 48 min, 3.12 USD");
	has(s, "agent developer, try 2  failed, exit 3  hung");
	has(s, "created → analysis");
	has(s, "push intent");
	has(s, "proc: left over");
	has(s, "  # Do\n\n  this\n");
	free(s);
}
END_TEST

START_TEST(show_tells_of_a_head_that_is_not_published)
{
	char *s = rendered(render_show, "{\"id\":\"A-1\",\"branch\":\"b\","
	    "\"head\":\"1111111aa\",\"published\":\"2222222aa\"}", 0);

	has(s, "b at 1111111 (published: 2222222)");
	free(s);
}
END_TEST

START_TEST(arrows_are_plain_where_utf8_is_not)
{
	struct captured cap;
	json_t *doc = parse("[{\"from\":\"a\",\"to\":\"b\"}]");

	capture(&cap, 0);
	cap.out.o_utf8 = 0;
	render_history(&cap.out, doc, 0);
	has(captured(&cap), "a -> b");
	json_decref(doc);
	capture_end(&cap);
}
END_TEST

START_TEST(colours_end_where_they_begin)
{
	struct captured cap;

	capture(&cap, 0);
	cap.out.o_colour = 1;
	out_put(&cap.out, SHADE_BAD, "red\033[0m");
	ck_assert_str_eq(captured(&cap), "\033[31mred\\x1b[0m\033[0m");
	capture_end(&cap);
}
END_TEST

START_TEST(queue_shows_jobs_and_blocks)
{
	char *s = rendered(render_queue, "{\"jobs\":[{\"id\":4,\"task\":"
	    "\"A-1\",\"kind\":\"gate\",\"gate\":\"check_tests_local\","
	    "\"status\":\"queued\",\"attempt\":1,\"available_in_s\":70,"
	    "\"age_s\":5}],\"reaper\":{\"enabled\":false,\"reaped_total\":2,"
	    "\"last_run_ts\":0,"
	    "\"last_reaped\":{}},\"counts\":{\"queued\":1},\"recent\":"
	    "[{\"id\":3,\"task\":\"A-1\",\"kind\":\"transition\",\"role\":\"\","
	    "\"gate\":\"\",\"work\":\"publish\",\"status\":\"done\"}],"
	    "\"outbox\":{\"enabled\":true,\"pending\":2,\"destinations\":"
	    "[{\"dest\":\"notify:ops\",\"pending\":2,\"parked\":1,"
	    "\"oldest_age_s\":70,\"error\":\"HTTP 503\"}]}}", 0);

	has(s, "notify:ops     2       1   1 min  HTTP 503\n");
	has(s, "4  A-1   gate check_tests_local  queued    1  5 s   1 min\n");
	has(s, "reaper            off  reaped_total 2  last_run_ts never\n");
	has(s, "3  A-1   transition publish  done");
	has(s, "counts            queued 1\n");
	free(s);
}
END_TEST

START_TEST(check_lists_each_problem)
{
	char *s = rendered(render_check, "{\"ok\":false,\"problems\":"
	    "[\"row 7\",{\"text\":\"row 8\"}]}", 0);

	has(s, "row 7");
	has(s, "row 8");
	has(s, "2 problems");
	free(s);
}
END_TEST

START_TEST(a_doctor_says_a_line_each_and_their_sum)
{
	char *s = rendered(render_doctor, "{\"ok\":false,\"rows\":["
	    "{\"project\":\"app\",\"subject\":\"tracker\",\"what\":"
	    "\"key\",\"verdict\":\"ok\",\"text\":\"of orchd\"},"
	    "{\"project\":\"\",\"subject\":\"notify:a\",\"what\":"
	    "\"chat\",\"verdict\":\"fail\",\"text\":\"bad\\u001b[31m\"}]}",
	    0);

	has(s, "app: tracker\n  ok  key  of orchd\n");
	has(s, "notify:a\n  FAIL  chat  bad\\x1b[31m\n");
	has(s, "1 ok, 0 to look at, 1 failed");
	free(s);
	s = rendered(render_doctor, "{\"ok\":true,\"rows\":[]}", 0);
	has(s, "nothing to try");
	free(s);
}
END_TEST

START_TEST(effects_come_alone_or_as_a_list)
{
	char *a = rendered(render_effects, "{\"id\":731,\"name\":\"merge\","
	    "\"state\":\"done\",\"key\":\"merge:A-1\"}", 0);
	char *b = rendered(render_effects, "{\"effects\":[{\"id\":731,"
	    "\"name\":\"merge\",\"state\":\"done\",\"key\":\"merge:A-1\"}]}",
	    0);

	has(a, "merge:A-1");
	ck_assert_str_eq(a, b);
	free(a);
	free(b);
}
END_TEST

START_TEST(a_task_shows_what_it_waited_for)
{
	char *s = rendered(render_show, "{\"id\":\"A-1\",\"stage\":"
	    "\"review\",\"waited_s\":{\"person\":7200,\"capacity\":4,"
	    "\"ci\":0}}", 0);

	has(s, "waited");
	has(s, "4 s for capacity, 2 h for person\n");
	ck_assert_ptr_null(strstr(s, "for ci"));
	free(s);
}
END_TEST

#define EVENT	"{\"id\":7,\"source\":\"gitea\",\"kind\":\"push\"," \
	"\"delivery\":\"d-1\",\"about\":\"acme/web\",\"object\":" \
	"\"main\",\"project\":\"web\",\"state\":\"told\",\"bytes\":9," \
	"\"replays\":1"

START_TEST(deliveries_are_listed_with_what_they_are_about)
{
	char *s = rendered(render_events, "{\"events\":[" EVENT "},"
	    "{\"id\":8,\"source\":\"plane\",\"about\":\"u-1\","
	    "\"state\":\"ignored\",\"object\":\"\"},"
	    "{\"id\":9,\"source\":\"plane\",\"about\":\"u-1\","
	    "\"state\":\"told\",\"object\":\"u-2\",\"task\":\"A-12\"},"
	    "{\"id\":10,\"source\":\"gitea\",\"about\":\"other/repo\","
	    "\"state\":\"ignored\",\"object\":\"master\",\"project\":\"\"}]}",
	    0);

	has(s, "other/repo (master)");
	has(s, "A-12 (u-2)");
	has(s, "REPLAYS");
	has(s, "main");
	has(s, "u-1");
	free(s);
	s = rendered(render_events, "{\"events\":[]}", 0);
	has(s, "no such deliveries");
	free(s);
}
END_TEST

/* What somebody wrote elsewhere is laid out, and never obeyed. */
START_TEST(a_delivery_is_laid_out_with_visible_escapes)
{
	char *s = rendered(render_event, EVENT ",\"body\":\"{\\\"a\\\":"
	    "{\\\"b\\\":\\\"\\\\u001b[31m\\\\u202ered\\\"}}\","
	    "\"replayed\":[{\"actor\":\"ann\",\"state\":\"kept\"}]}", 0);

	has(s, "  {\n    \"a\": {\n      \"b\": ");
	has(s, "u001B[31m");
	has(s, "\\u202ered");
	has(s, "by ann: kept");
	ck_assert_ptr_null(strchr(s, '\033'));
	ck_assert_ptr_null(strstr(s, "\xe2\x80\xae"));
	free(s);
	/* What is no JSON is shown as it is. */
	s = rendered(render_event, EVENT ",\"body\":\"payload=\\u001b[2J\"}",
	    0);
	has(s, "payload=\\x1b[2J");
	ck_assert_ptr_null(strchr(s, '\033'));
	free(s);
}
END_TEST

START_TEST(a_task_is_the_one_that_was_typed)
{
	ck_assert(same_task("ORCH-115", "ORCH-115"));
	ck_assert(same_task("ORCH-115", "orch-115"));
	ck_assert(same_task("ORCH-115", "115"));
	ck_assert(!same_task("ORCH-115", "15"));
	ck_assert(!same_task("ORCH-115", ""));
	ck_assert(!same_task("ORCH-115-f1", "115"));
}
END_TEST

START_TEST(long_sentences_are_wrapped_at_spaces)
{
	struct captured cap;

	capture(&cap, 40);
	out_wrap(&cap.out, SHADE_NONE, 4, "one two three four five six "
	    "seven eight nine");
	ck_assert_str_eq(captured(&cap), "one two three four five six seven\n"
	    "    eight nine\n");
	capture_end(&cap);
}
END_TEST

static void
fill(TCase *t)
{
	tcase_add_test(t, status_is_a_table_with_totals);
	tcase_add_test(t, a_long_reason_goes_on_in_its_column);
	tcase_add_test(t, a_long_reason_without_room_goes_below_its_row);
	tcase_add_test(t, status_fits_a_narrow_terminal);
	tcase_add_test(t, status_cannot_drive_a_terminal);
	tcase_add_test(t, empty_documents_are_rendered);
	tcase_add_test(t, show_says_what_is_asked_and_what_failed);
	tcase_add_test(t, show_tells_of_a_head_that_is_not_published);
	tcase_add_test(t, arrows_are_plain_where_utf8_is_not);
	tcase_add_test(t, colours_end_where_they_begin);
	tcase_add_test(t, queue_shows_jobs_and_blocks);
	tcase_add_test(t, check_lists_each_problem);
	tcase_add_test(t, a_doctor_says_a_line_each_and_their_sum);
	tcase_add_test(t, effects_come_alone_or_as_a_list);
	tcase_add_test(t, a_task_shows_what_it_waited_for);
	tcase_add_test(t, deliveries_are_listed_with_what_they_are_about);
	tcase_add_test(t, a_delivery_is_laid_out_with_visible_escapes);
	tcase_add_test(t, a_task_is_the_one_that_was_typed);
	tcase_add_test(t, long_sentences_are_wrapped_at_spaces);
}

int
main(void)
{
	setlocale(LC_ALL, "C.UTF-8");
	setenv("TZ", "UTC", 1);
	return (run_suite("orchctl_render", fill));
}
