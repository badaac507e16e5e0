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
 * Everything ends at one moment, before or after a message was heard, and the
 * next engine takes it up: for each moment of a task's whole way.
 */

#include "engine_play.h"

/* What the test's ends of the connections held is lost by longjmp. */
const char	*__lsan_default_options(void);

const char *
__lsan_default_options(void)
{
	return ("detect_leaks=0");
}

#define MOMENTS	100	/* more than there are */

static void
setup(void)
{
	fx_open("", "");
}

/* One of three at a time; all of them where the environment asks. */
static int
is_left_out(int moment)
{
	return (getenv("ORCHD_TEST_ALL") == NULL && moment % 3 != 0);
}

START_TEST(a_crash_at_any_moment_merges_and_deploys_nothing_twice)
{
	if (is_left_out(_i))
		return;
	fx.at = (unsigned int)_i + 1;
	if (setjmp(fx.crashed) == 0)
		ck_assert_int_eq(fx_submit("tally", NULL), RES_OK);
	else
		fx_tick(60000);
	fx_play_until("DEMO-1", "done");
	ck_assert_str_eq(fx_task("DEMO-1", "stage"), "done");
	/* A hook that died without a result costs a round, with its merge. */
	ck_assert_int_eq(fx.merges, 1 + fx_task_int("DEMO-1", "round"));
	ck_assert_int_le(fx_task_int("DEMO-1", "round"), 1);
	/* No crash is rework; a person's confirmation sets it to 0. */
	ck_assert_int_le(fx_task_int("DEMO-1", "rework"),
	    fx_task_int("DEMO-1", "round"));
	fx_sound();
}
END_TEST

START_TEST(there_are_not_more_moments_than_are_tried)
{
	fx_task_in("done");
	ck_assert_uint_le(fx.point, MOMENTS);
	ck_assert_uint_gt(fx.point, MOMENTS - 20);
}
END_TEST

#define ROLLBACK	"\trollback hook \"true\"\n"			\
			"\tpost_deploy_auto_rollback yes\n"		\
			"\tpost_deploy_base_url \"http://127.0.0.1:1/\""
#define LAST	130	/* moments until a rollback is recorded, and more */

/* Production is found degraded; play until what follows is recorded. */
static void
play_rollback(void)
{
	int i;

	fx.script = (struct fx_script){ "monitor", -1, GATE_FAIL, CAUSE_RED };
	for (i = 0; i < 40 && fx_int("SELECT count(*) FROM quarantine WHERE "
	    "state = 'recorded'") == 0; i++) {
		fx_play_until("DEMO-1", "done");
		while (fx_step() && fx_int("SELECT count(*) FROM quarantine "
		    "WHERE state = 'recorded'") == 0)
			continue;
	}
}

START_TEST(a_crash_at_any_moment_rolls_back_nothing_twice)
{
	unsigned int hooks;

	fx_conf("", ROLLBACK);
	fx.at = (unsigned int)_i + 1;
	if (setjmp(fx.crashed) == 0)
		ck_assert_int_eq(fx_submit("tally", NULL), RES_OK);
	else
		fx_tick(60000);
	play_rollback();
	ck_assert_str_eq(fx_str("SELECT state FROM quarantine"), "recorded");
	ck_assert_str_eq(fx_task("DEMO-1", "stage"), "done");
	/* Each hook's start is a row, and no commit was served twice. */
	ck_assert_int_eq(fx_int("SELECT count(*) FROM deploy WHERE kind = "
	    "'rollback'"), 1);
	hooks = 2 + (unsigned int)fx_task_int("DEMO-1", "round");
	if (fx_int("SELECT exit_code FROM deploy WHERE kind = 'rollback'"))
		ck_assert_uint_le(fx.deploys, hooks);
	else
		ck_assert_uint_eq(fx.deploys, hooks);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM task WHERE key LIKE "
	    "'%%-f1'"), 1);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM record WHERE task = 1 "
	    "AND name LIKE '16%%' AND text LIKE '%%ROLLBACK%%The rollback "
	    "to%%'"), 1);
	fx_sound();
}
END_TEST

START_TEST(a_rollback_has_no_more_moments_than_are_tried)
{
	fx_conf("", ROLLBACK);
	ck_assert_int_eq(fx_submit("tally", NULL), RES_OK);
	play_rollback();
	ck_assert_uint_le(fx.point, LAST);
	ck_assert_uint_gt(fx.point, LAST - 25);
}
END_TEST

int
main(void)
{
	Suite *su = suite_create("crash");
	TCase *tc = tcase_create("crash");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, fx_close);
	tcase_add_test(tc, there_are_not_more_moments_than_are_tried);
	tcase_add_loop_test(tc,
	    a_crash_at_any_moment_merges_and_deploys_nothing_twice, 0,
	    MOMENTS);
	tcase_add_test(tc, a_rollback_has_no_more_moments_than_are_tried);
	tcase_add_loop_test(tc,
	    a_crash_at_any_moment_rolls_back_nothing_twice, MOMENTS - 15,
	    LAST);
	suite_add_tcase(su, tc);
	fx_main_exit(su);
}
