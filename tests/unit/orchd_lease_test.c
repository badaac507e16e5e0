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


/* Who owns a transition: compare-and-swap, leases, epochs. */

#include <sys/wait.h>

#include <signal.h>

#include "orchd/lease.h"

#include "engine_owner.h"

static void
setup(void)
{
	fx_open("", "");
}

/* One transition in a pass of its own; its result. */
static enum store_res
move(enum stage from, int64_t seq, enum stage to, int64_t epoch)
{
	struct transition tr = { .tr_task = 1, .tr_from = from,
	    .tr_seq = seq, .tr_to = to, .tr_backward = to ==
	    STAGE_DEVELOPMENT && from > to, .tr_actor = { "test", epoch },
	    .tr_reason = "why", .tr_feedback = NULL };
	enum store_res res;

	ck_assert_int_eq(pass_enter(), 0);
	res = transition_commit(&tr);
	(void)pass_leave(res == STORE_OK);
	pass_commit();
	return (res);
}

START_TEST(a_stale_stage_or_sequence_changes_nothing_anywhere)
{
	char *before, *after;
	int64_t seq;
	int from, to;

	fx_task_in("review");
	seq = fx_task_int("DEMO-1", "stage_seq");
	before = fx_dump();
	for (from = 0; from < STAGE_MAX; from++)
		for (to = 0; to < STAGE_MAX; to++) {
			/* Another stage, a past and a future sequence. */
			if (from != STAGE_REVIEW)
				ck_assert_int_ne(move((enum stage)from, seq,
				    (enum stage)to, 0), STORE_OK);
			ck_assert_int_ne(move((enum stage)from, seq - 1,
			    (enum stage)to, 0), STORE_OK);
			ck_assert_int_ne(move((enum stage)from, seq + 1,
			    (enum stage)to, 0), STORE_OK);
		}
	ck_assert_int_eq(move(STAGE_TESTING, seq, STAGE_DEPLOY_STAGING, 0),
	    STORE_STALE);
	after = fx_dump();
	ck_assert_str_eq(before, after);
	free(before);
	free(after);
}
END_TEST

START_TEST(no_edge_outside_the_table_is_taken_whoever_asks)
{
	char *before, *after;
	int64_t seq;
	int to;

	fx_task_in("review");
	seq = fx_task_int("DEMO-1", "stage_seq");
	before = fx_dump();
	for (to = 0; to < STAGE_MAX; to++)
		if (to != STAGE_TESTING && to != STAGE_DEVELOPMENT &&
		    to != STAGE_CANCELLED)
			ck_assert_int_eq(move(STAGE_REVIEW, seq,
			    (enum stage)to, 0), STORE_FAIL);
	after = fx_dump();
	ck_assert_str_eq(before, after);
	free(before);
	free(after);
	ck_assert_int_eq(move(STAGE_REVIEW, seq, STAGE_TESTING, 0), STORE_OK);
	/* The same again is a lost race. */
	ck_assert_int_eq(move(STAGE_REVIEW, seq, STAGE_TESTING, 0),
	    STORE_STALE);
}
END_TEST

START_TEST(an_older_epoch_moves_nothing)
{
	char *before, *after;
	int64_t seq, epoch;

	fx_task_in("review");
	seq = fx_task_int("DEMO-1", "stage_seq");
	epoch = fx_task_int("DEMO-1", "epoch");
	before = fx_dump();
	ck_assert_int_eq(move(STAGE_REVIEW, seq, STAGE_TESTING, epoch - 1),
	    STORE_STALE);
	after = fx_dump();
	ck_assert_str_eq(before, after);
	free(before);
	free(after);
	ck_assert_int_eq(move(STAGE_REVIEW, seq, STAGE_TESTING, epoch),
	    STORE_OK);
}
END_TEST

START_TEST(a_move_is_history_comment_and_counters_in_one)
{
	int64_t seq, round, epoch;

	fx_task_in("review");
	seq = fx_task_int("DEMO-1", "stage_seq");
	round = fx_task_int("DEMO-1", "round");
	epoch = fx_task_int("DEMO-1", "epoch");
	ck_assert_int_eq(move(STAGE_REVIEW, seq, STAGE_DEVELOPMENT, 0),
	    STORE_OK);
	ck_assert_int_eq(fx_task_int("DEMO-1", "stage_seq"), seq + 1);
	ck_assert_int_eq(fx_task_int("DEMO-1", "round"), round + 1);
	ck_assert_int_eq(fx_task_int("DEMO-1", "rework"), 1);
	ck_assert_int_eq(fx_task_int("DEMO-1", "epoch"), epoch + 1);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM transition WHERE seq = "
	    "%lld AND from_stage = 'review' AND to_stage = 'development' AND "
	    "actor = 'test' AND reason = 'why' AND epoch = %lld",
	    (long long)seq + 1, (long long)epoch + 1), 1);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM outbox WHERE key = "
	    "'move:DEMO-1:%lld'", (long long)seq + 1), 1);
}
END_TEST

START_TEST(a_second_worker_is_refused_with_the_owners_name)
{
	struct fx_spawn s, s2;
	struct fx_msg go, go2;
	int sock, sock2;
	char owner[32];

	sock = fx_worker_in("analysis", "publish", &s, &go);
	ck_assert_uint_gt(fx_begin(sock, &go.any.run_go), 0);
	fx_second_worker(&s2, &sock2, &go2);
	ck_assert_uint_eq(fx_begin(sock2, &go2.any.run_go), 0);
	snprintf(owner, sizeof(owner), "run %llu", (unsigned long long)s.run);
	ck_assert_msg(strstr(fx_said, owner) != NULL, "%s", fx_said);
	ck_assert_int_eq(fx_int("SELECT run FROM lease"), (int64_t)s.run);
	fx_free(&go);
	fx_free(&go2);
}
END_TEST

START_TEST(a_second_worker_is_refused_while_the_owner_may_live)
{
	struct fx_spawn s, s2;
	struct fx_msg go, go2;
	int sock, sock2;

	sock = fx_worker_in("analysis", "publish", &s, &go);
	ck_assert_uint_gt(fx_begin(sock, &go.any.run_go), 0);
	fx_second_worker(&s2, &sock2, &go2);
	fx_owner_is(s.run, _i == 0 ? FX_HIDDEN : FX_ALIVE);
	ck_assert_uint_eq(fx_begin(sock2, &go2.any.run_go), 0);
	ck_assert_int_eq(fx_int("SELECT run FROM lease"), (int64_t)s.run);
	fx_free(&go);
	fx_free(&go2);
}
END_TEST

START_TEST(the_same_worker_gets_its_lease_again_with_the_same_epoch)
{
	struct fx_spawn s;
	struct fx_msg go;
	uint64_t epoch;
	int sock;

	sock = fx_worker_in("analysis", "publish", &s, &go);
	epoch = fx_begin(sock, &go.any.run_go);
	ck_assert_uint_gt(epoch, 0);
	ck_assert_uint_eq(fx_begin(sock, &go.any.run_go), epoch);
	fx_free(&go);
	/* Cut off and back again: still its lease. */
	close(sock);
	fx_tick(1000);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM lease"), 1);
	sock = fx_connect_run(&s, &go);
	ck_assert_uint_eq(fx_begin(sock, &go.any.run_go), epoch);
	fx_free(&go);
}
END_TEST

/* What a person says of a lease: release, and perhaps force. */
static enum orch_result
release(int force)
{
	const char *const args[] = { "release", force ? "force" : NULL, NULL };
	struct orch_action act;

	memset(&act, 0, sizeof(act));
	act.verb = "lease";
	act.task = "DEMO-1";
	act.args.l_argv = args;
	return (fx_act_full(&act));
}

START_TEST(a_living_owner_keeps_its_lease_unless_forced)
{
	struct orch_end end = { .verdict = GATE_ERROR, .gate = "",
	    .reason = "late", .head = "" };
	struct fx_spawn s;
	struct fx_msg go, kill;
	uint64_t epoch;
	int sock;

	sock = fx_worker_in("analysis", "publish", &s, &go);
	ck_assert_int_eq(release(0), RES_REFUSED);	/* nobody has it */
	epoch = fx_begin(sock, &go.any.run_go);
	ck_assert_uint_gt(epoch, 0);
	ck_assert_int_eq(release(0), RES_DENIED);
	ck_assert_int_eq(fx_int("SELECT epoch FROM lease"), (int64_t)epoch);
	/* By force: fenced at once, but the row stays while it may act. */
	ck_assert_int_eq(release(1), RES_OK);
	ck_assert_int_eq(fx_read(fx.parent, &kill), 1);
	ck_assert_uint_eq(kill.h.h_type, ORCH_kill);
	ck_assert_uint_eq(kill.any.kill.run, s.run);
	fx_free(&kill);
	ck_assert_int_eq(fx_int("SELECT run FROM lease"), (int64_t)s.run);
	ck_assert_int_gt(fx_int("SELECT epoch FROM lease"), (int64_t)epoch);
	end.epoch = epoch;
	ck_assert_int_eq(fx_result(sock, ORCH_end, &end), RES_FENCED);
	end.epoch = epoch + 1;
	ck_assert_int_eq(fx_result(sock, ORCH_end, &end), RES_FENCED);
	ck_assert_uint_eq(fx_begin(sock, &go.any.run_go), 0);
	fx_sound();
	/* Its death frees the task, and its work is taken up again. */
	fx_free(&go);
	close(sock);
	fx_pump();
	fx_owner_is(s.run, FX_GONE);
	fx_tick(1000);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM lease"), 0);
	fx_tick(60000);
	ck_assert_int_eq(fx_spawned(&s), 1);
	sock = fx_connect_run(&s, &go);
	ck_assert_uint_gt(fx_begin(sock, &go.any.run_go), epoch + 1);
	fx_free(&go);
	fx_sound();
}
END_TEST

static const struct {
	enum fx_life	life;
	int		reused;
	int		lost;
} lives[] = {
	{ FX_GONE, 0, 1 }, { FX_ZOMBIE, 0, 1 }, { FX_ALIVE, 1, 1 },
	{ FX_ALIVE, 0, 0 }, { FX_HIDDEN, 0, 0 },
};

START_TEST(only_a_proven_death_takes_a_lease_away)
{
	struct fx_spawn s;
	struct fx_msg go;
	uint64_t epoch;
	int sock;

	sock = fx_worker_in("analysis", "publish", &s, &go);
	epoch = fx_begin(sock, &go.any.run_go);
	fx_free(&go);
	close(sock);
	fx_pump();
	fx_owner_is(s.run, lives[_i].life);
	if (lives[_i].reused)
		fx.start[1]++;
	fx_tick(1);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM lease"),
	    !lives[_i].lost);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM alert WHERE kind = "
	    "'identity'"), lives[_i].life == FX_HIDDEN);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM alert WHERE kind = "
	    "'lease_reclaimed'"), lives[_i].lost);
	/* Time alone never does. */
	fx_tick(100LL * 86400 * 1000);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM lease"),
	    !lives[_i].lost);
	if (!lives[_i].lost)
		return;
	/* Its successor has a higher epoch. */
	ck_assert_int_eq(fx_spawned(&s), 1);
	sock = fx_connect_run(&s, &go);
	ck_assert_uint_gt(fx_begin(sock, &go.any.run_go), epoch);
	fx_free(&go);
	fx_sound();
}
END_TEST

/* A session of its own with a member that outlives its leader. */
static pid_t
undrained(char ident[IDENT_TEXT_MAX], pid_t *member)
{
	struct ident id;
	int pipefd[2];
	pid_t leader;

	ck_assert_int_eq(pipe(pipefd), 0);
	if ((leader = fork()) == 0) {
		(void)setsid();
		if ((*member = fork()) == 0) {
			for (;;)
				pause();
		}
		(void)!write(pipefd[1], member, sizeof(*member));
		for (;;)
			pause();
	}
	ck_assert_int_eq(read(pipefd[0], member, sizeof(*member)),
	    (int)sizeof(*member));
	ck_assert_int_eq(ident_of_pid(leader, &id), 0);
	ck_assert_int_eq(ident_format(&id, ident, IDENT_TEXT_MAX), 0);
	kill(leader, SIGKILL);
	ck_assert_int_eq(waitpid(leader, NULL, 0), leader);
	close(pipefd[0]);
	close(pipefd[1]);
	return (leader);
}

START_TEST(a_dead_owner_that_is_not_drained_keeps_its_lease)
{
	char ident[IDENT_TEXT_MAX];
	struct fx_spawn s;
	struct fx_msg go;
	pid_t member = -1;
	int sock, i;

	sock = fx_worker_in("analysis", "publish", &s, &go);
	ck_assert_uint_gt(fx_begin(sock, &go.any.run_go), 0);
	fx_free(&go);
	close(sock);
	fx_pump();
	(void)undrained(ident, &member);
	fx_sql("UPDATE run SET ident = '%s' WHERE id = %llu", ident,
	    (unsigned long long)s.run);
	fx_tick(60000);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM lease"), 1);
	ck_assert_int_eq(fx_spawned(&s), 0);
	kill(member, SIGKILL);
	for (i = 0; i < 100 && fx_int("SELECT count(*) FROM lease") == 1;
	    i++) {
		usleep(20000);
		fx_tick(1000);
	}
	ck_assert_int_eq(fx_int("SELECT count(*) FROM lease"), 0);
	fx_sound();
}
END_TEST

/* Every message of a worker that carries an epoch, with this one. */
static void
each_message(int sock, uint64_t epoch, enum orch_result want)
{
	const char *id = "0123456789012345678901234567890123456789";
	struct orch_gate gate = { epoch, "check_branch_mergeable", id,
	    LOOK_NO };
	struct orch_effect effect = { epoch, "push", "k", CLASS_CAS };
	struct orch_effect_done done = { epoch, "k", EFFECT_DONE, "e" };
	struct orch_pull pull = { epoch, PULL_OPEN, "b", id, "", "t", 0,
	    "" };
	struct orch_landed landed = { epoch, id, id, id, "", "", "" };
	struct orch_hook_start hook = { epoch, "k", id, id, id };
	struct orch_record record = { epoch, "14-deploy-log.md",
	    { (const uint8_t *)"x", 1 } };
	struct orch_commit commit = { epoch, "analysis", 2, "cancelled",
	    "r" };
	struct orch_end end = { .epoch = epoch, .verdict = GATE_PASS,
	    .head = id };
	struct orch_abort abrt = { epoch, "r" };
	const struct {
		unsigned int	 type;
		const void	*msg;
	} all[] = {
		{ ORCH_gate, &gate }, { ORCH_effect, &effect },
		{ ORCH_effect_done, &done }, { ORCH_pull, &pull },
		{ ORCH_landed, &landed }, { ORCH_hook_start, &hook },
		{ ORCH_record, &record }, { ORCH_commit, &commit },
		{ ORCH_end, &end }, { ORCH_abort, &abrt },
	};
	size_t i, k;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		ck_assert_msg(fx_result(sock, all[i].type, all[i].msg) ==
		    want, "%s", orch_msg(all[i].type)->m_name);
	/* All that the table lets a worker alone say, but BEGIN. */
	for (i = 0; i < peer_nrules; i++) {
		if (peer_rules[i].pr_from != FROM_WORKER ||
		    peer_rules[i].pr_type == ORCH_begin)
			continue;
		for (k = 0; k < sizeof(all) / sizeof(all[0]); k++)
			if (all[k].type == peer_rules[i].pr_type)
				break;
		ck_assert_msg(k < sizeof(all) / sizeof(all[0]), "%s is not "
		    "tried", orch_msg(peer_rules[i].pr_type)->m_name);
	}
}

START_TEST(another_epoch_is_fenced_in_every_message_and_changes_nothing)
{
	char *before, *after;
	struct fx_spawn s;
	struct fx_msg go;
	uint64_t epoch;
	int sock;

	sock = fx_worker_in("analysis", "publish", &s, &go);
	/* Without any lease. */
	before = fx_dump();
	each_message(sock, 1, RES_FENCED);
	each_message(sock, 0, RES_FENCED);
	after = fx_dump();
	ck_assert_str_eq(before, after);
	free(before);
	free(after);
	epoch = fx_begin(sock, &go.any.run_go);
	ck_assert_uint_gt(epoch, 1);
	fx_free(&go);
	before = fx_dump();
	each_message(sock, epoch - 1, RES_FENCED);
	each_message(sock, epoch + 1, RES_FENCED);
	each_message(sock, UINT64_MAX, RES_FENCED);
	after = fx_dump();
	ck_assert_str_eq(before, after);
	free(before);
	free(after);
}
END_TEST

START_TEST(an_owner_whose_lease_was_given_to_another_is_fenced)
{
	struct fx_spawn s, s2;
	struct fx_msg go, go2;
	uint64_t epoch, epoch2;
	int sock, sock2;

	sock = fx_worker_in("analysis", "publish", &s, &go);
	epoch = fx_begin(sock, &go.any.run_go);
	fx_second_worker(&s2, &sock2, &go2);
	/* The first counts as dead, though it still speaks. */
	fx_owner_is(s.run, FX_GONE);
	epoch2 = fx_begin(sock2, &go2.any.run_go);
	ck_assert_uint_gt(epoch2, epoch);
	each_message(sock, epoch, RES_FENCED);
	each_message(sock, epoch2, RES_FENCED);
	ck_assert_int_eq(fx_int("SELECT run FROM lease"), (int64_t)s2.run);
	fx_free(&go);
	fx_free(&go2);
}
END_TEST

START_TEST(begin_for_a_stage_that_has_moved_is_lost)
{
	struct orch_begin b;
	struct fx_spawn s;
	struct fx_msg go;
	int sock;

	sock = fx_worker_in("analysis", "publish", &s, &go);
	b = (struct orch_begin){ s.run, "DEMO-1", "analysis",
	    go.any.run_go.seq + 1 };
	ck_assert_int_eq(fx_result(sock, ORCH_begin, &b), RES_STALE);
	b.seq--;
	b.stage = "review";
	ck_assert_int_eq(fx_result(sock, ORCH_begin, &b), RES_STALE);
	b.stage = "analysis";
	b.task = "DEMO-2";
	ck_assert_int_eq(fx_result(sock, ORCH_begin, &b), RES_STALE);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM lease"), 0);
	fx_free(&go);
}
END_TEST

START_TEST(one_repository_lands_one_task_at_a_time)
{
	struct fx_spawn s;
	struct fx_msg go;
	int sock;

	fx_conf("serial_limit 2\nmax_concurrency 2\nmax_gate_runs 4", "");
	ck_assert_int_eq(fx_submit("tally", NULL), RES_OK);
	fx_play_until("DEMO-1", "deploy-staging");
	sock = -1;
	while (fx_spawned(&s)) {
		if (strcmp(s.work, "edge") == 0) {
			sock = fx_connect_run(&s, &go);
			break;
		}
		fx_play_spawn(&s);
	}
	ck_assert_uint_gt(fx_begin(sock, &go.any.run_go), 0);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM merge_lease"), 1);
	ck_assert_int_eq(fx_submit("tally", NULL), RES_OK);
	fx_play_until("DEMO-2", "deploy");
	/* It has come as far as its own edge, which waits unclaimed. */
	ck_assert_str_eq(fx_task("DEMO-2", "stage"), "deploy-staging");
	ck_assert_str_eq(fx_str("SELECT status FROM job WHERE work = 'edge' "
	    "AND task = 2"), "queued");
	ck_assert_int_eq(fx_int("SELECT count(*) FROM lease"), 1);
	fx_free(&go);
	fx_sound();
}
END_TEST

int
main(void)
{
	Suite *su = suite_create("lease");
	TCase *tc = tcase_create("lease");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, fx_close);
	tcase_add_test(tc,
	    a_stale_stage_or_sequence_changes_nothing_anywhere);
	tcase_add_test(tc, no_edge_outside_the_table_is_taken_whoever_asks);
	tcase_add_test(tc, an_older_epoch_moves_nothing);
	tcase_add_test(tc, a_move_is_history_comment_and_counters_in_one);
	tcase_add_test(tc, a_second_worker_is_refused_with_the_owners_name);
	tcase_add_loop_test(tc,
	    a_second_worker_is_refused_while_the_owner_may_live, 0, 2);
	tcase_add_test(tc,
	    the_same_worker_gets_its_lease_again_with_the_same_epoch);
	tcase_add_test(tc,
	    a_living_owner_keeps_its_lease_unless_forced);
	tcase_add_loop_test(tc, only_a_proven_death_takes_a_lease_away, 0,
	    (int)(sizeof(lives) / sizeof(lives[0])));
	tcase_add_test(tc,
	    a_dead_owner_that_is_not_drained_keeps_its_lease);
	tcase_add_test(tc,
	    another_epoch_is_fenced_in_every_message_and_changes_nothing);
	tcase_add_test(tc,
	    an_owner_whose_lease_was_given_to_another_is_fenced);
	tcase_add_test(tc, begin_for_a_stage_that_has_moved_is_lost);
	tcase_add_test(tc, one_repository_lands_one_task_at_a_time);
	suite_add_tcase(su, tc);
	fx_main_exit(su);
}
