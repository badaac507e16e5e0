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

/* What the reaper says of a run from tick to tick, and how it looks. */

#include <sys/wait.h>

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reaperd/reaperd.h"

static uint64_t cleared;

static void
clear(uint64_t run)
{
	cleared = run;
}

static enum verdict_now
see(uint64_t run, const char *text, enum look look)
{
	enum verdict_now v;
	uint32_t ticks;

	tick_begin();
	v = tick_see(run, text, look, 2, &ticks);
	tick_end(clear);
	return (v);
}

START_TEST(alive_says_nothing)
{
	tick_reset();
	ck_assert_int_eq(see(1, "a", LOOK_ALIVE), NOW_NOTHING);
	ck_assert_int_eq(see(1, "a", LOOK_ALIVE), NOW_NOTHING);
}
END_TEST

START_TEST(kernel_evidence_counts_at_once)
{
	tick_reset();
	ck_assert_int_eq(see(1, "a", LOOK_DEAD), NOW_DEAD);
}
END_TEST

START_TEST(proc_evidence_needs_consecutive_ticks)
{
	tick_reset();
	ck_assert_int_eq(see(1, "a", LOOK_GONE), NOW_NOTHING);
	ck_assert_int_eq(see(1, "a", LOOK_ALIVE), NOW_NOTHING);
	ck_assert_int_eq(see(1, "a", LOOK_GONE), NOW_NOTHING);
	ck_assert_int_eq(see(1, "a", LOOK_GONE), NOW_DEAD);
}
END_TEST

START_TEST(new_identity_starts_anew)
{
	tick_reset();
	ck_assert_int_eq(see(1, "a", LOOK_GONE), NOW_NOTHING);
	ck_assert_int_eq(see(1, "b", LOOK_GONE), NOW_NOTHING);
}
END_TEST

START_TEST(absent_run_is_forgotten)
{
	tick_reset();
	ck_assert_int_eq(see(1, "a", LOOK_GONE), NOW_NOTHING);
	ck_assert_int_eq(see(2, "c", LOOK_ALIVE), NOW_NOTHING);
	ck_assert_int_eq(see(1, "a", LOOK_GONE), NOW_NOTHING);
}
END_TEST

START_TEST(unknown_alerts_once_and_never_kills)
{
	tick_reset();
	cleared = 0;
	ck_assert_int_eq(see(1, "a", LOOK_UNKNOWN), NOW_DOUBT);
	ck_assert_int_eq(see(1, "a", LOOK_UNKNOWN), NOW_NOTHING);
	ck_assert_int_eq(see(1, "a", LOOK_UNKNOWN), NOW_NOTHING);
	ck_assert_int_eq(see(1, "a", LOOK_ALIVE), NOW_SURE);
	ck_assert_int_eq(see(1, "a", LOOK_UNKNOWN), NOW_DOUBT);
	ck_assert_int_eq(see(2, "b", LOOK_ALIVE), NOW_NOTHING);
	ck_assert_uint_eq(cleared, 1);
}
END_TEST

START_TEST(many_runs_are_kept_apart)
{
	uint64_t run;
	uint32_t ticks;
	int i;

	tick_reset();
	for (i = 1; i <= 2; i++) {
		tick_begin();
		for (run = 1; run <= 200; run++)
			ck_assert_int_eq(tick_see(run, "x", run == 150 ?
			    LOOK_GONE : LOOK_ALIVE, 2, &ticks),
			    run == 150 && i == 2 ? NOW_DEAD : NOW_NOTHING);
		tick_end(clear);
	}
}
END_TEST

/* What the engine says of one run at a monotonic second. */
static uint64_t
held(const char *text, int64_t s, uint64_t said)
{
	struct monotime now = { s * 1000000000LL };
	uint64_t held_s = said, stamped_s = said;

	tick_ages(1, text, now, &held_s, &stamped_s);
	ck_assert_uint_eq(held_s, stamped_s);
	return (held_s);
}

START_TEST(a_clock_that_jumps_makes_no_run_old)
{
	tick_reset();
	ck_assert_uint_eq(held("a", 1000, 10), 10);
	ck_assert_uint_eq(held("a", 1060, 70), 70);
	/* The wall clock is set a day on. */
	ck_assert_uint_eq(held("a", 1120, 86530), 130);
	ck_assert_uint_eq(held("a", 1180, 86590), 190);
	/* A later grant, or a clock that was set back, counts from there. */
	ck_assert_uint_eq(held("a", 1240, 5), 5);
	ck_assert_uint_eq(held("a", 1300, 65), 65);
	/* Another process under that number has an age of its own. */
	ck_assert_uint_eq(held("b", 1360, 900), 900);
	tick_reset();
}
END_TEST

START_TEST(tiers_begin_at_their_limits)
{
	struct orch_live l = { .held_s = 7199, .stamped_s = 9999 };

	ck_assert_uint_eq(tick_tier(&l, 300, 7200), 0);
	l.held_s = 7200;
	ck_assert_uint_eq(tick_tier(&l, 300, 7200), 3);
	l.held_s = 10;
	l.stamped = 1;
	l.stamped_s = 299;
	ck_assert_uint_eq(tick_tier(&l, 300, 7200), 0);
	l.stamped_s = 300;
	ck_assert_uint_eq(tick_tier(&l, 300, 7200), 2);
	/* The ceiling counts whatever the marks say. */
	l.held_s = 7200;
	ck_assert_uint_eq(tick_tier(&l, 300, 7200), 3);
}
END_TEST

START_TEST(look_self_is_alive)
{
	struct ident id;
	char why[128];

	ck_assert_int_eq(ident_self(&id), 0);
	ck_assert_int_eq(look_at(&id, &ident_world_real, why, sizeof(why)),
	    LOOK_ALIVE);
}
END_TEST

static pid_t
sleeper(struct ident *id)
{
	pid_t pid;

	ck_assert_int_ne(pid = fork(), -1);
	if (pid == 0) {
		pause();
		_exit(0);
	}
	ck_assert_int_eq(ident_of_pid(pid, id), 0);
	return (pid);
}

START_TEST(look_stopped_is_alive)
{
	struct ident id;
	char why[128];
	pid_t pid = sleeper(&id);

	ck_assert_int_eq(kill(pid, SIGSTOP), 0);
	ck_assert_int_eq(waitpid(pid, NULL, WUNTRACED), pid);
	ck_assert_int_eq(look_at(&id, &ident_world_real, why, sizeof(why)),
	    LOOK_ALIVE);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}
END_TEST

START_TEST(look_zombie_and_reaped_are_dead)
{
	struct ident id;
	siginfo_t si;
	char why[128];
	pid_t pid = sleeper(&id);

	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT), 0);
	ck_assert_int_eq(look_at(&id, &ident_world_real, why, sizeof(why)),
	    LOOK_DEAD);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert_int_eq(look_at(&id, &ident_world_real, why, sizeof(why)),
	    LOOK_DEAD);
}
END_TEST

/* Its start time differs: only /proc says that the pid is another's. */
START_TEST(look_reused_pid_is_weak_evidence)
{
	struct ident id;
	char why[128];

	ck_assert_int_eq(ident_self(&id), 0);
	id.id_start_time--;
	id.id_pidfd_ino = 0;
	ck_assert_int_eq(look_at(&id, &ident_world_real, why, sizeof(why)),
	    LOOK_GONE);
}
END_TEST

static int
no_pidfd(void *arg, int32_t pid)
{
	errno = EMFILE;
	return (-1);
}

START_TEST(look_without_descriptors_is_unknown)
{
	struct ident_world w = ident_world_real;
	struct ident id;
	char why[128];

	w.iw_pidfd_open = no_pidfd;
	ck_assert_int_eq(ident_self(&id), 0);
	ck_assert_int_eq(look_at(&id, &w, why, sizeof(why)), LOOK_UNKNOWN);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("reaperd");
	TCase *tc = tcase_create("reaperd");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, alive_says_nothing);
	tcase_add_test(tc, kernel_evidence_counts_at_once);
	tcase_add_test(tc, proc_evidence_needs_consecutive_ticks);
	tcase_add_test(tc, new_identity_starts_anew);
	tcase_add_test(tc, absent_run_is_forgotten);
	tcase_add_test(tc, unknown_alerts_once_and_never_kills);
	tcase_add_test(tc, many_runs_are_kept_apart);
	tcase_add_test(tc, a_clock_that_jumps_makes_no_run_old);
	tcase_add_test(tc, tiers_begin_at_their_limits);
	tcase_add_test(tc, look_self_is_alive);
	tcase_add_test(tc, look_stopped_is_alive);
	tcase_add_test(tc, look_zombie_and_reaped_are_dead);
	tcase_add_test(tc, look_reused_pid_is_weak_evidence);
	tcase_add_test(tc, look_without_descriptors_is_unknown);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed == 0 ? 0 : 1);
}
