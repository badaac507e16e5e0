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
 * The switches of ownership: off is the behaviour without
 * the mechanism, and what section 4 calls safety stays.
 */

#include <jansson.h>

#include "engine_owner.h"

static struct fx_spawn	 s, s2;
static struct fx_msg	 go, go2;
static int		 sock, sock2;
static uint64_t		 epoch;

static void
setup(void)
{
	fx_open("", "");
	go.fd = go2.fd = -1;
}

static void
teardown(void)
{
	fx_free(&go);
	fx_free(&go2);
	fx_close();
}

static void
owner(const char *stage, const char *work)
{
	sock = fx_worker_in(stage, work, &s, &go);
	epoch = fx_begin(sock, &go.any.run_go);
	ck_assert_uint_gt(epoch, 0);
}

static enum orch_result
end_with(int who, uint64_t e)
{
	struct orch_end end = { .epoch = e, .verdict = GATE_ERROR,
	    .cause = CAUSE_INFRA, .gate = "", .reason = "test", .head = "" };

	return (fx_result(who, ORCH_end, &end));
}

static void
intent(enum orch_class class)
{
	struct orch_effect e = { .epoch = epoch, .name = class == CLASS_CAS ?
	    "push" : "deploy-start", .key = "key:DEMO-1:x",
	    .class = (uint8_t)class };

	ck_assert_int_eq(fx_result(sock, ORCH_effect, &e), RES_OK);
}

static const struct {
	const char	*conf;
	int		 on;
} leases[] = {
	{ "transition_lease_enabled no", 0 },
	{ "transition_lease_repos other", 0 },
	{ "transition_lease_repos tally", 1 },
	{ "", 1 },
};

START_TEST(without_leases_the_second_takes_over_and_the_first_is_fenced)
{
	uint64_t epoch2;

	fx_conf(leases[_i].conf, "");
	owner("analysis", "publish");
	fx_second_worker(&s2, &sock2, &go2);
	epoch2 = fx_begin(sock2, &go2.any.run_go);
	ck_assert_int_eq(epoch2 != 0, !leases[_i].on);
	if (leases[_i].on) {
		ck_assert_int_eq(end_with(sock, epoch), RES_OK);
		return;
	}
	ck_assert_uint_gt(epoch2, epoch);
	ck_assert_int_eq(end_with(sock, epoch), RES_FENCED);
	ck_assert_int_eq(end_with(sock, epoch2), RES_FENCED);
	ck_assert_int_eq(fx_int("SELECT run FROM lease"), (int64_t)s2.run);
	ck_assert_int_eq(end_with(sock2, epoch2), RES_OK);
}
END_TEST

START_TEST(not_even_without_leases_does_anybody_enter_an_open_effect)
{
	fx_conf("transition_lease_enabled no", "");
	owner("analysis", "publish");
	intent(_i == 0 ? CLASS_PROBE : CLASS_CAS);
	fx_second_worker(&s2, &sock2, &go2);
	ck_assert_uint_eq(fx_begin(sock2, &go2.any.run_go), 0);
	ck_assert_int_eq(fx_int("SELECT run FROM lease"), (int64_t)s.run);
	ck_assert_int_eq(end_with(sock, epoch), RES_OK);
}
END_TEST

static int
never_drained(void *arg, const struct ident *id)
{
	return (0);
}

START_TEST(without_leases_only_an_open_effect_waits_for_a_dead_ones_children)
{
	static struct ident_world world;

	world = fx_world;
	world.iw_drained = never_drained;
	eng.e_world = &world;
	fx_conf(_i < 2 ? "transition_lease_enabled no" : "", "");
	owner("analysis", "publish");
	if (_i == 1)
		intent(CLASS_PROBE);
	fx_dies(s.run, sock);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM lease"), _i != 0);
	fx_tick(86400000);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM lease"), _i != 0);
	fx_sound();
}
END_TEST

START_TEST(without_reclaim_a_dead_owners_lease_waits_for_a_person)
{
	static const char *const args[] = { "release", NULL };
	struct orch_action act = { .verb = "lease", .task = "DEMO-1",
	    .args = { .l_argv = args }, .stage = "", .commit = "",
	    .text = "" };

	fx_conf("lease_reclaim_enabled no", "");
	owner("analysis", "publish");
	fx_dies(s.run, sock);
	fx_tick(86400000);
	fx_tick(86400000);
	ck_assert_int_eq(fx_int("SELECT epoch FROM lease"), (int64_t)epoch);
	ck_assert_int_eq(fx_spawned(&s2), 0);
	ck_assert_int_eq(fx_int("SELECT count FROM alert WHERE kind = "
	    "'lease_orphan' AND cleared_at IS NULL"), 1);
	fx_sound();
	/* No force is needed: it is dead. */
	ck_assert_msg(fx_act_full(&act) == RES_OK, "%s", fx_said);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM lease"), 0);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM alert WHERE kind = "
	    "'lease_orphan' AND cleared_at IS NULL"), 0);
	fx_tick(60000);
	fx_expect(&s2, KIND_TRANSITION, "publish");
	sock2 = fx_connect_run(&s2, &go2);
	ck_assert_uint_gt(fx_begin(sock2, &go2.any.run_go), epoch);
	fx_sound();
}
END_TEST

/* The edge's re-test is asked for; its verdict, or -1 while it runs. */
static int
retest(void)
{
	struct orch_gate g = { .epoch = epoch,
	    .gate = "check_branch_mergeable", .commit = go.any.run_go.head };
	struct fx_msg m;
	int verdict;

	ck_assert_int_eq(chan_write_one(sock, ORCH_gate, 77, &g, -1,
	    FX_WAIT), 0);
	if (!fx_read(sock, &m))
		return (-1);
	ck_assert_uint_eq(m.h.h_type, ORCH_gate_answer);
	verdict = m.any.gate_answer.verdict;
	strlcpy(fx_said, m.any.gate_answer.reason, sizeof(fx_said));
	fx_free(&m);
	return (verdict);
}

static const struct {
	const char	*conf;
	int		 on;
} gates[] = {
	{ "merge_gate_enabled no", 0 },
	{ "merge_gate_repos other", 0 },
	{ "merge_gate_repos tally", 1 },
	{ "", 1 },
};

#define NO_SKIP	"\nmerge_retest_skip_when_current_enabled no"

START_TEST(without_the_merge_gate_nothing_is_tested_again_and_it_says_so)
{
	struct orch_effect e = { .name = "merge", .class = CLASS_CAS };
	struct orch_landed l = { .tree =
	    "00000000000000000000000000000000000000aa", .previous =
	    "00000000000000000000000000000000000000bb", .coverage = "" };
	char conf[128], key[128];

	snprintf(conf, sizeof(conf), "%s" NO_SKIP, gates[_i].conf);
	fx_conf(conf, "");
	owner("deploy-staging", "edge");
	ck_assert_int_eq(fx_int("SELECT count(*) FROM merge_lease"),
	    gates[_i].on);
	ck_assert_int_eq(retest(), gates[_i].on ? -1 : GATE_PASS);
	ck_assert_int_eq(fx_spawned(&s2), gates[_i].on);
	if (gates[_i].on)
		return;
	ck_assert_msg(strstr(fx_said, "not tested") != NULL, "%s", fx_said);
	/* Asked again it says the same, and it lands by the same rules. */
	ck_assert_int_eq(retest(), GATE_PASS);
	l.epoch = e.epoch = epoch;
	l.commit = go.any.run_go.head;
	ck_assert_int_eq(fx_result(sock, ORCH_landed, &l), RES_REFUSED);
	snprintf(key, sizeof(key), "merge:DEMO-1:r0:%s", go.any.run_go.head);
	fx_effect(sock, epoch, "merge", key, CLASS_CAS);
	ck_assert_int_eq(fx_result(sock, ORCH_landed, &l), RES_OK);
	fx_sound();
}
END_TEST

START_TEST(what_was_let_through_untested_does_not_count_when_the_gate_is_on)
{
	fx_conf("merge_gate_enabled no" NO_SKIP, "");
	owner("deploy-staging", "edge");
	ck_assert_int_eq(retest(), GATE_PASS);
	fx_conf("merge_gate_enabled yes" NO_SKIP, "");
	ck_assert_int_eq(retest(), -1);
	fx_expect(&s2, KIND_GATE, "check_branch_mergeable");
	ck_assert_int_eq(fx_int("SELECT value FROM counter WHERE name = "
	    "'retest'"), 1);
}
END_TEST

START_TEST(without_the_merge_gate_two_tasks_of_a_project_may_land_at_once)
{
	char conf[160];

	snprintf(conf, sizeof(conf), "serial_limit 2\nmax_concurrency 2\n"
	    "max_gate_runs 4\nmerge_gate_enabled %s", _i ? "yes" : "no");
	fx_conf(conf, "");
	owner("deploy-staging", "edge");
	ck_assert_int_eq(fx_submit("tally", NULL), RES_OK);
	fx_play_until("DEMO-2", "deploy");
	ck_assert_str_eq(fx_task("DEMO-2", "stage"), _i ? "deploy-staging" :
	    "deploy");
	ck_assert_int_eq(fx_int("SELECT run FROM lease"), (int64_t)s.run);
}
END_TEST

/* Exactly these members, in any order (section 12). */
static void
has_members(const json_t *queue, const char *block, const char *names)
{
	const json_t *b = json_object_get(queue, block);
	char all[512];
	size_t n = 0;
	char *name, *rest = all;

	ck_assert_msg(json_is_object(b), "no block %s", block);
	strlcpy(all, names, sizeof(all));
	while ((name = strsep(&rest, " ")) != NULL) {
		ck_assert_msg(json_object_get(b, name) != NULL,
		    "%s has no %s", block, name);
		n++;
	}
	ck_assert_msg(json_object_size(b) >= n, "%s", block);
}

static json_t *
queue_block(void)
{
	struct orch_query q = { .verb = "queue", .object = "", .token = "" };
	int ctl = fx_connect(ROLE_CTL);
	json_t *json;
	struct fx_msg m;

	fx_ask(ctl, ORCH_query, &q, -1, &m);
	ck_assert_uint_eq(m.any.answer.result, RES_OK);
	json = json_loadb((const char *)m.any.answer.json.b_data,
	    m.any.answer.json.b_len, 0, NULL);
	fx_free(&m);
	close(ctl);
	ck_assert_ptr_nonnull(json);
	return (json);
}

START_TEST(the_queue_has_the_blocks_of_the_reaper_the_leases_and_the_gate)
{
	json_t *queue, *last;
	int64_t job;

	owner("deploy-staging", "edge");
	job = fx_int("SELECT id FROM job WHERE work = 'edge'");
	queue = queue_block();
	has_members(queue, "reaper", "enabled interval last_run_ts "
	    "reaped_total last_reaped lease_reclaimed_total "
	    "finalizer_liveness_enabled finalizer_defers_total "
	    "finalizer_owned");
	has_members(queue, "transition_lease", "enabled held granted_total "
	    "refused_total reclaimed_total forced_total");
	has_members(queue, "merge_gate", "enabled held waiting retest_total "
	    "skipped_total red_total conflict_total timeout_total "
	    "infra_retry_total");
	ck_assert(json_is_null(json_object_get(json_object_get(queue,
	    "reaper"), "last_reaped")));
	json_decref(queue);
	/* Reaped: what became of it, also after a restart of the engine. */
	sock2 = fx_connect(ROLE_REAPERD);
	fx.ms += 7200000;
	(void)fx_reaper_says(sock2, s.run, 3);
	ck_assert_int_eq(fx_told_to_kill(s.run), 1);
	fx_dies(s.run, sock);
	fx_reopen();
	queue = queue_block();
	last = json_object_get(json_object_get(queue, "reaper"),
	    "last_reaped");
	ck_assert_int_eq(json_integer_value(json_object_get(last, "job_id")),
	    job);
	ck_assert_str_eq(json_string_value(json_object_get(last, "agent")),
	    "edge");
	ck_assert_str_eq(json_string_value(json_object_get(last, "outcome")),
	    "requeued");
	ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(
	    queue, "reaper"), "reaped_total")), 1);
	ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(
	    queue, "transition_lease"), "forced_total")), 1);
	json_decref(queue);
}
END_TEST

int
main(void)
{
	Suite *su = suite_create("switch");
	TCase *tc = tcase_create("switch");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc,
	    without_leases_the_second_takes_over_and_the_first_is_fenced, 0,
	    (int)(sizeof(leases) / sizeof(leases[0])));
	tcase_add_loop_test(tc,
	    not_even_without_leases_does_anybody_enter_an_open_effect, 0, 2);
	tcase_add_loop_test(tc,
	    without_leases_only_an_open_effect_waits_for_a_dead_ones_children,
	    0, 3);
	tcase_add_test(tc,
	    without_reclaim_a_dead_owners_lease_waits_for_a_person);
	tcase_add_loop_test(tc,
	    without_the_merge_gate_nothing_is_tested_again_and_it_says_so, 0,
	    (int)(sizeof(gates) / sizeof(gates[0])));
	tcase_add_test(tc,
	    what_was_let_through_untested_does_not_count_when_the_gate_is_on);
	tcase_add_loop_test(tc,
	    without_the_merge_gate_two_tasks_of_a_project_may_land_at_once, 0,
	    2);
	tcase_add_test(tc,
	    the_queue_has_the_blocks_of_the_reaper_the_leases_and_the_gate);
	suite_add_tcase(su, tc);
	fx_main_exit(su);
}
