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

/* The record of a deploy hook's start, and what it proves. */

#include "engine_play.h"

static void
setup(void)
{
	fx_open("", "");
}

/*
 * A wrapper that had its GO, left this start record and died; its run's
 * number.
 */
static uint64_t
dead_wrapper(const char *record)
{
	struct fx_spawn s, h;
	struct fx_msg go;
	char path[1200], ident[IDENT_TEXT_MAX];
	int sock;

	fx_task_in("deploy");
	while (fx_step())
		continue;
	ck_assert_int_eq(fx_act("confirm", "DEMO-1", ""), RES_OK);
	fx_expect(&s, KIND_TRANSITION, "deploy");
	fx_play_worker(&s);
	fx_expect(&h, KIND_HOOK, "");
	sock = fx_connect_run(&h, &go);
	fx_free(&go);
	snprintf(path, sizeof(path), "%s/result", eng.e_conf->cf_state);
	(void)mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/result/%llu.started",
	    eng.e_conf->cf_state, (unsigned long long)h.run);
	ck_assert_int_eq(fs_write_atomic(AT_FDCWD, path, record,
	    strlen(record), 0644), 0);
	fx_leave(sock);
	fx.life[1] = FX_GONE;
	fx_ident(1, ident);
	fx_sql("UPDATE run SET ident = '%s' WHERE id = %llu", ident,
	    (unsigned long long)h.run);
	fx_tick(1000);
	ck_assert_str_eq(fx_str("SELECT status FROM run WHERE id = %llu",
	    (unsigned long long)h.run), "lost");
	return (h.run);
}

START_TEST(a_hook_that_was_held_is_over_with_its_wrapper)
{
	(void)dead_wrapper("run 1 held\n");
	ck_assert_int_eq(fx_deploy_result(), 1);
	ck_assert_int_eq(fx_int("SELECT exit_code FROM deploy"), 255);
	fx_play_until("DEMO-1", "development");
	ck_assert_str_eq(fx_task("DEMO-1", "stage"), "development");
	fx_sound();
}
END_TEST

START_TEST(a_hook_that_may_have_begun_is_not_over_with_its_wrapper)
{
	struct orch_deploy_result r = { .code = 255, .evidence = "dead" };

	r.run = dead_wrapper("run 1\n");
	ck_assert_int_eq(fx_result(fx_connect(ROLE_FINALIZERD),
	    ORCH_deploy_result, &r), RES_DENIED);
	ck_assert_int_eq(fx_int("SELECT exit_code IS NULL FROM deploy"), 1);
	ck_assert_str_eq(fx_task("DEMO-1", "stage"), "deploy");
	fx_sound();
}
END_TEST

int
main(void)
{
	Suite *su = suite_create("held");
	TCase *tc = tcase_create("held");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, fx_close);
	tcase_add_test(tc, a_hook_that_was_held_is_over_with_its_wrapper);
	tcase_add_test(tc,
	    a_hook_that_may_have_begun_is_not_over_with_its_wrapper);
	suite_add_tcase(su, tc);
	fx_main_exit(su);
}
