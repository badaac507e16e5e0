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

#include "orchctl/watch.h"

struct heard {
	char	text[512];
};

static void
moved(const json_t *task, size_t *rows, void *arg)
{
	struct heard *h = arg;
	char line[128];

	snprintf(line, sizeof(line), "%s>%s%s ", jstr(task, "id"),
	    jstr(task, "stage"), *rows == SIZE_MAX ? "!" : "");
	strlcat(h->text, line, sizeof(h->text));
	*rows = 0;
}

static void
waits(const json_t *task, void *arg)
{
	struct heard *h = arg;
	char line[128];

	snprintf(line, sizeof(line), "%s?%s ", jstr(task, "id"),
	    jbool(task, "parked") ? "parked" : jstr(task, "waits"));
	strlcat(h->text, line, sizeof(h->text));
}

static const struct change_ops ops = { moved, waits };
static const char *const everything[] = { NULL };

static const char *
feed(struct changes *ch, const char *json, const char *const *ids)
{
	static struct heard h;
	json_t *doc = parse(json);

	h.text[0] = '\0';
	changes_feed(ch, doc, 1, ids, &ops, &h);
	json_decref(doc);
	return (h.text);
}

#define TASK(id, stage, seq, waits) "{\"id\":\"" id "\",\"stage\":\"" stage \
	"\",\"stage_seq\":" seq ",\"waits\":\"" waits "\"}"
#define TASKS(t) "{\"tasks\":[" t "]}"

START_TEST(only_changes_are_told)
{
	struct changes *ch = changes_new();
	int cancelled;

	ck_assert_str_eq(feed(ch, TASKS(TASK("A-1", "analysis", "1", "run")),
	    everything), "A-1>analysis! A-1?run ");
	ck_assert_str_eq(feed(ch, TASKS(TASK("A-1", "analysis", "1", "run")),
	    everything), "");
	ck_assert_str_eq(feed(ch, TASKS(TASK("A-1", "analysis", "1",
	    "person")), everything), "A-1?person ");
	ck_assert_str_eq(feed(ch, TASKS(TASK("A-1", "review", "3", "person")),
	    everything), "A-1>review A-1?person ");
	ck_assert_int_eq(changes_finished(ch, &cancelled), 0);
	ck_assert_str_eq(feed(ch, TASKS(TASK("A-1", "done", "9", "person")),
	    everything), "A-1>done ");
	ck_assert_int_eq(changes_finished(ch, &cancelled), 1);
	ck_assert_int_eq(cancelled, 0);
	changes_free(ch);
}
END_TEST

START_TEST(parking_is_a_change_though_the_stage_stays)
{
	struct changes *ch = changes_new();

	feed(ch, TASKS(TASK("A-1", "review", "1", "run")), everything);
	ck_assert_str_eq(feed(ch, TASKS("{\"id\":\"A-1\",\"stage\":\"review\","
	    "\"stage_seq\":1,\"waits\":\"run\",\"parked\":true}"),
	    everything), "A-1?parked ");
	changes_free(ch);
}
END_TEST

START_TEST(only_tasks_that_were_named_are_watched)
{
	struct changes *ch = changes_new();
	const char *const ids[] = { "2", NULL };
	int cancelled;

	ck_assert_str_eq(feed(ch, TASKS(TASK("A-1", "analysis", "1", "run")
	    "," TASK("A-2", "cancelled", "4", "")), ids), "A-2>cancelled! ");
	ck_assert_int_eq(changes_finished(ch, &cancelled), 1);
	ck_assert_int_eq(cancelled, 1);
	changes_free(ch);
}
END_TEST

START_TEST(task_that_had_ended_before_is_not_watched_unless_named)
{
	struct changes *ch = changes_new();
	const char *const ids[] = { "A-1", NULL };
	int cancelled;

	ck_assert_str_eq(feed(ch, TASKS(TASK("A-1", "done", "8", "")),
	    everything), "");
	ck_assert_ptr_null(changes_task(ch, 0));
	ck_assert_str_eq(feed(ch, TASKS(TASK("A-1", "done", "8", "")), ids),
	    "A-1>done! ");
	ck_assert_int_eq(changes_finished(ch, &cancelled), 1);
	changes_free(ch);
}
END_TEST

START_TEST(task_that_left_the_list_is_asked_for)
{
	struct changes *ch = changes_new();
	json_t *none = parse(TASKS(""));
	struct heard h = { "" };
	int cancelled;

	feed(ch, TASKS(TASK("A-1", "deploy", "7", "run")), everything);
	ck_assert_int_eq(changes_missing(ch), 0);
	changes_feed(ch, none, 0, everything, &ops, &h);
	ck_assert_int_eq(changes_missing(ch), 1);
	ck_assert_int_eq(changes_finished(ch, &cancelled), 0);
	changes_feed(ch, none, 1, everything, &ops, &h);
	ck_assert_int_eq(changes_missing(ch), 0);
	ck_assert_int_eq(changes_finished(ch, &cancelled), 1);
	json_decref(none);
	changes_free(ch);
}
END_TEST

START_TEST(move_is_one_line)
{
	struct captured cap;
	json_t *task = parse("{\"id\":\"DEMO-1\",\"round\":1}");
	json_t *back = parse("{\"from\":\"review\",\"to\":\"development\","
	    "\"reason\":\"REQUEST_CHANGES \\\"no\\ntest\\\"\"}");
	json_t *on = parse("{\"from\":\"architecture\","
	    "\"to\":\"development\"}");

	capture(&cap, 0);
	watch_put_move(&cap.out, task, back);
	watch_put_move(&cap.out, task, on);
	ck_assert_str_eq(captured(&cap), "DEMO-1  review → "
	    "development (round 1)  REQUEST_CHANGES \"no\\ntest\"\n"
	    "DEMO-1  architecture → development\n");
	capture_end(&cap);
	json_decref(task);
	json_decref(back);
	json_decref(on);
}
END_TEST

START_TEST(marks_show_the_place_in_the_pipeline)
{
	struct captured cap;
	json_t *at = parse("{\"stage\":\"review\"}");
	json_t *end = parse("{\"stage\":\"done\"}");
	json_t *off = parse("{\"stage\":\"cancelled\"}");
	char b[64];

	capture(&cap, 0);
	cap.out.o_utf8 = 0;
	stage_marks(&cap.out, at, b, sizeof(b));
	ck_assert_str_eq(b, "###>....");
	stage_marks(&cap.out, end, b, sizeof(b));
	ck_assert_str_eq(b, "########");
	stage_marks(&cap.out, off, b, sizeof(b));
	ck_assert_str_eq(b, "");
	capture_end(&cap);
	json_decref(at);
	json_decref(end);
	json_decref(off);
}
END_TEST

/* The picture of ten tasks on a screen of so many lines. */
static size_t
picture_lines(int height)
{
	struct captured cap;
	struct watch w;
	const char *p;
	char id[16];
	size_t n = 0;
	int i;

	memset(&w, 0, sizeof(w));
	w.w_ids = everything;
	w.w_status = parse("{\"totals\":{}}");
	w.w_changes = changes_new();
	for (i = 0; i < 10; i++) {
		json_t *doc = json_pack("{s:[{s:s}]}", "tasks", "id",
		    (snprintf(id, sizeof(id), "A-%d", i), id));
		struct heard h = { "" };

		changes_feed(w.w_changes, doc, 0, everything, &ops, &h);
		json_decref(doc);
	}
	capture(&cap, 80);
	cap.out.o_height = height;
	screen_picture(&cap.out, &w);
	for (p = captured(&cap); (p = strchr(p, '\n')) != NULL; p++)
		n++;
	capture_end(&cap);
	changes_free(w.w_changes);
	json_decref(w.w_status);
	return (n);
}

START_TEST(picture_is_never_higher_than_the_screen)
{
	ck_assert_uint_eq(picture_lines(24), 14);
	ck_assert_uint_lt(picture_lines(12), 12);
	ck_assert_uint_lt(picture_lines(8), 8);
}
END_TEST

START_TEST(watch_tells_each_move_and_ends_with_the_task)
{
	const struct reply r[] = {
	    { .json = TASKS(TASK("A-1", "review", "5", "run")) },
	    { .json = "{\"history\":[{\"from\":\"x\",\"to\":\"review\"}]}" },
	    { .json = TASKS(TASK("A-1", "done", "7", "")) },
	    { .json = "{\"history\":[{\"from\":\"x\",\"to\":\"review\"},"
	    "{\"from\":\"review\",\"to\":\"testing\",\"reason\":\"ok\"},"
	    "{\"from\":\"testing\",\"to\":\"done\"}]}" } };
	const char *const args[] = { "watch", "-x", "1", NULL };
	struct captured cap;
	struct engine e;

	capture(&cap, 0);
	engine_start(&e, r, 4, NULL);
	ck_assert_int_eq(run_verb(&cap, e.path, args), CTL_OK);
	ck_assert_str_eq(captured(&cap), "A-1    review\n"
	    "A-1  review → testing  ok\nA-1  testing → done\n");
	engine_end(&e);
	capture_end(&cap);
}
END_TEST

START_TEST(watch_of_a_task_that_is_not_there_is_refused)
{
	const struct reply r = { .json = TASKS(TASK("A-1", "done", "5", "")) };
	const char *const args[] = { "watch", "-x", "A-2", NULL };
	struct captured cap;
	struct engine e;

	capture(&cap, 0);
	engine_start(&e, &r, 1, NULL);
	ck_assert_int_eq(run_verb(&cap, e.path, args), CTL_REFUSED);
	ck_assert_str_eq(captured(&cap), "");
	engine_end(&e);
	capture_end(&cap);
}
END_TEST

START_TEST(watch_survives_an_engine_that_is_replaced)
{
	const struct reply r[] = {
	    { .json = TASKS(TASK("A-1", "review", "5", "run")) },
	    { .json = "{\"history\":[]}" },
	    { .hang_up = 1 },
	    { .json = TASKS(TASK("A-1", "cancelled", "6", "")) },
	    { .json = "{\"history\":[{\"from\":\"review\","
	    "\"to\":\"cancelled\"}]}" } };
	const char *const args[] = { "watch", "-x", NULL };
	struct captured cap;
	struct engine e;

	capture(&cap, 0);
	engine_start(&e, r, 5, NULL);
	ck_assert_int_eq(run_verb(&cap, e.path, args), CTL_REFUSED);
	ck_assert_ptr_nonnull(strstr(captured(&cap), "trying again\n"
	    "orchd answers again\nA-1  review → cancelled\n"));
	engine_end(&e);
	capture_end(&cap);
}
END_TEST

static void
fill(TCase *t)
{
	tcase_add_test(t, only_changes_are_told);
	tcase_add_test(t, parking_is_a_change_though_the_stage_stays);
	tcase_add_test(t, only_tasks_that_were_named_are_watched);
	tcase_add_test(t,
	    task_that_had_ended_before_is_not_watched_unless_named);
	tcase_add_test(t, task_that_left_the_list_is_asked_for);
	tcase_add_test(t, move_is_one_line);
	tcase_add_test(t, marks_show_the_place_in_the_pipeline);
	tcase_add_test(t, picture_is_never_higher_than_the_screen);
	tcase_add_test(t, watch_tells_each_move_and_ends_with_the_task);
	tcase_add_test(t, watch_of_a_task_that_is_not_there_is_refused);
	tcase_add_test(t, watch_survives_an_engine_that_is_replaced);
}

int
main(void)
{
	setlocale(LC_ALL, "C.UTF-8");
	return (run_suite("orchctl_watch", fill));
}
