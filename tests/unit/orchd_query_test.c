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

/* What /queue, /status and /health say, under names that are kept. */

#include "engine_fixture.h"
#include "engine_play.h"
#include "orchd/query.h"

static json_t *doc;

static void
setup(void)
{
	doc = NULL;
	fx_open("", "");
}

static void
teardown(void)
{
	json_decref(doc);
	fx_close();
}

static void
ask(json_t *(*question)(void))
{
	json_decref(doc);
	fx_pump();
	ck_assert_int_eq(pass_enter(), 0);
	doc = question();
	ck_assert_int_eq(pass_leave(1), 0);
	ck_assert_ptr_nonnull(doc);
}

static json_t *
member(const char *block, const char *name)
{
	json_t *o = block[0] == '\0' ? doc : json_object_get(doc, block);
	json_t *v = json_object_get(o, name);

	ck_assert_msg(v != NULL, "no %s in %s", name, block);
	return (v);
}

static int64_t
value(const char *block, const char *name)
{
	json_t *v = member(block, name);

	return (json_is_boolean(v) ? json_is_true(v) : json_integer_value(v));
}

/* Every name of a block: b a truth, i a number, l a list, o an object. */
static const struct {
	const char	*block, *names;
} blocks[] = {
	{ "", "schema_version:i counts:o max_concurrency:i poll_interval:i "
	    "jobs:l recent:l reaper:o transition_lease:o merge_gate:o "
	    "reconcile:o post_deploy:o stop:o resilience:o outbox:o "
	    "budget:o" },
	{ "counts", "queued:i running:i done:i failed:i cancelled:i" },
	{ "reaper", "enabled:b interval:i last_run_ts:i reaped_total:i "
	    "last_reaped:n lease_reclaimed_total:i "
	    "finalizer_liveness_enabled:b finalizer_defers_total:i "
	    "finalizer_owned:i" },
	{ "transition_lease", "enabled:b held:l granted_total:i "
	    "refused_total:i reclaimed_total:i forced_total:i" },
	{ "merge_gate", "enabled:b held:l waiting:i retest_total:i "
	    "skipped_total:i red_total:i conflict_total:i timeout_total:i "
	    "infra_retry_total:i" },
	{ "reconcile", "enabled:b last_run_ts:i advanced_total:i "
	    "skipped_total:i replayed_total:i" },
	{ "post_deploy", "enabled:b monitoring:i quarantine:l "
	    "healthy_total:i degraded_total:i rolled_back_total:i" },
	{ "stop", "enabled:b pending:i cancelled_total:i" },
	{ "resilience", "enabled:b remote_down:i transient_total:i "
	    "quota_breaker:o" },
	{ "outbox", "enabled:b pending:i parked:i oldest_age_s:i "
	    "delivered_total:i destinations:l" },
	{ "budget", "enabled:b tokens_in_total:i tokens_out_total:i "
	    "cost_micros_total:i" },
};

static int
has_type(const json_t *v, char type)
{
	switch (type) {
	case 'b':
		return (json_is_boolean(v));
	case 'i':
		return (json_is_integer(v));
	case 'l':
		return (json_is_array(v));
	case 'n':
		return (json_is_null(v) || json_is_object(v));
	default:
		return (json_is_object(v));
	}
}

static void
check_names(void)
{
	char names[512], *p, *word, *type;
	size_t i;

	for (i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
		strlcpy(names, blocks[i].names, sizeof(names));
		for (p = names; (word = strsep(&p, " ")) != NULL; ) {
			ck_assert_ptr_nonnull(type = strchr(word, ':'));
			*type = '\0';
			ck_assert_msg(has_type(member(blocks[i].block, word),
			    type[1]), "%s.%s is not of type %s",
			    blocks[i].block, word, type + 1);
		}
	}
}

START_TEST(the_queue_has_every_published_name)
{
	ask(query_queue);
	check_names();
	ck_assert_int_eq(value("", "schema_version"), 1);
	fx_task_in("done");
	ask(query_queue);
	check_names();
	ck_assert_uint_eq(json_array_size(json_object_get(doc, "recent")), 10);
	ck_assert_int_gt(value("transition_lease", "granted_total"), 0);
}
END_TEST

START_TEST(a_lease_is_shown_with_its_owner)
{
	static const char *const names[] = { "task", "owner", "epoch", "since",
	    "gate" };
	struct fx_spawn s;
	struct fx_msg go;
	json_t *held;
	size_t i;
	int sock;

	sock = fx_worker_in("deploy-staging", "edge", &s, &go);
	ck_assert_uint_ne(fx_begin(sock, &go.any.run_go), 0);
	fx_free(&go);
	ask(query_queue);
	held = json_array_get(member("transition_lease", "held"), 0);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		ck_assert_msg(json_object_get(held, names[i]) != NULL, "%s",
		    names[i]);
	close(sock);
}
END_TEST

/* What is not built, or is switched off, does not say that it is on. */
START_TEST(a_block_says_whether_its_mechanism_is_on)
{
	ask(query_queue);
	ck_assert_int_eq(value("budget", "enabled"), 0);
	ck_assert_int_eq(value("stop", "enabled"), 1);
	ck_assert(json_is_false(json_object_get(member("resilience",
	    "quota_breaker"), "enabled")));
	fx_conf("stop_status_enabled no\npost_deploy_enabled no\n"
	    "reconcile_enabled no\nmerge_gate_enabled no\n"
	    "transition_lease_enabled no\nreaper_enabled no", "");
	ask(query_queue);
	ck_assert_int_eq(value("stop", "enabled"), 0);
	ck_assert_int_eq(value("post_deploy", "enabled"), 0);
	ck_assert_int_eq(value("reconcile", "enabled"), 0);
	ck_assert_int_eq(value("merge_gate", "enabled"), 0);
	ck_assert_int_eq(value("transition_lease", "enabled"), 0);
	ck_assert_int_eq(value("reaper", "enabled"), 0);
}
END_TEST

START_TEST(gauges_and_totals_are_of_the_database)
{
	ck_assert_int_eq(fx_submit("tally", NULL), RES_OK);
	while (fx_task("DEMO-1", "asked_gate")[0] == '\0')
		ck_assert_int_eq(fx_step(), 1);
	fx_sql("INSERT INTO outbox (dest, task, kind, key, text, "
	    "available_at, at) VALUES ('x', 1, 'comment', 'k1', 't', 0, %lld)",
	    (long long)fx.ms - 90000);
	fx_sql("INSERT INTO outbox (dest, task, kind, key, text, state, "
	    "available_at, at) VALUES ('x', 1, 'comment', 'k2', 't', "
	    "'parked', 0, 0)");
	fx_sql("UPDATE outbox SET state = 'done' WHERE dest <> 'x'");
	fx_sql("UPDATE run SET tokens_in = 0, tokens_out = 0, "
	    "cost_micros = 0");
	fx_sql("UPDATE run SET tokens_in = 7, tokens_out = 5, "
	    "cost_micros = 3 WHERE id = 1");
	fx_sql("UPDATE job SET transient = 2 WHERE id = 1");
	ask(query_queue);
	ck_assert_int_eq(value("outbox", "pending"), 1);
	ck_assert_int_eq(value("outbox", "parked"), 1);
	ck_assert_int_eq(value("outbox", "oldest_age_s"), 90);
	ck_assert_int_eq(value("outbox", "delivered_total"), fx_int("SELECT "
	    "count(*) FROM outbox WHERE state = 'done'"));
	ck_assert_uint_eq(json_array_size(member("outbox", "destinations")),
	    1);
	ck_assert_str_eq(json_string_value(json_object_get(json_array_get(
	    member("outbox", "destinations"), 0), "dest")), "x");
	ck_assert_int_eq(value("budget", "tokens_in_total"), 7);
	ck_assert_int_eq(value("budget", "tokens_out_total"), 5);
	ck_assert_int_eq(value("budget", "cost_micros_total"), 3);
	ck_assert_int_eq(value("resilience", "transient_total"), 2);
	ck_assert_int_eq(fx_act("cancel", "DEMO-1", ""), RES_OK);
	ask(query_queue);
	ck_assert_int_eq(value("stop", "pending"), 1);
	ck_assert_int_eq(value("stop", "cancelled_total"), 0);
	fx_play_until("DEMO-1", "cancelled");
	ask(query_queue);
	ck_assert_int_eq(value("stop", "pending"), 0);
	ck_assert_int_eq(value("stop", "cancelled_total"), 1);
}
END_TEST

static json_t *
open_tasks(void)
{
	return (query_status(0));
}

START_TEST(the_status_has_what_is_not_terminal_and_why)
{
	json_t *first;

	fx_task_in("done");
	ck_assert_int_eq(fx_submit("tally", NULL), RES_OK);
	ask(open_tasks);
	ck_assert_uint_eq(json_array_size(member("", "tasks")), 1);
	first = json_array_get(member("", "tasks"), 0);
	ck_assert_str_eq(json_string_value(json_object_get(first, "id")),
	    "DEMO-2");
	ck_assert_ptr_nonnull(strstr(json_string_value(json_object_get(first,
	    "why")), "DEMO-2 "));
	ck_assert_int_eq(value("", "schema_version"), 1);
	ck_assert_int_eq(value("totals", "agents_running"), 1);
}
END_TEST

/* A task's own waiting time, by what for. */
START_TEST(a_task_says_how_long_it_has_waited)
{
	struct task t;

	ck_assert_int_eq(fx_submit("tally", NULL), RES_OK);
	while (fx_task("DEMO-1", "asked_gate")[0] == '\0')
		ck_assert_int_eq(fx_step(), 1);
	fx_tick(60000);
	ck_assert_int_eq(pass_enter(), 0);
	ck_assert_int_eq(task_by_key("DEMO-1", &t), STORE_OK);
	doc = query_show(&t);
	ck_assert_int_eq(pass_leave(1), 0);
	ck_assert_int_eq(value("waited_s", "person"), 60);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("orchd_query");
	TCase *tc = tcase_create("query");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, the_queue_has_every_published_name);
	tcase_add_test(tc, a_lease_is_shown_with_its_owner);
	tcase_add_test(tc, a_block_says_whether_its_mechanism_is_on);
	tcase_add_test(tc, gauges_and_totals_are_of_the_database);
	tcase_add_test(tc, the_status_has_what_is_not_terminal_and_why);
	tcase_add_test(tc, a_task_says_how_long_it_has_waited);
	suite_add_tcase(s, tc);
	fx_main_exit(s);
}
