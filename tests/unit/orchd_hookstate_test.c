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

/* When a deploy whose wrapper is dead may be judged. */

#include "engine_play.h"

#define HOOK	2	/* the virtual process of the deploy hook */

static void
setup(void)
{
	fx_open("", "");
}

/* What finalizerd is told of the one deploy without an end. */
static int
hook_state(void)
{
	static int sock = -1;
	struct orch_deploy_list l = { .most = 9 };
	struct fx_msg m;
	int state = -1;

	if (sock == -1)
		sock = fx_connect(ROLE_FINALIZERD);
	fx_ask(sock, ORCH_deploy_list, &l, -1, &m);
	while (!m.any.deploy_row.last) {
		state = m.any.deploy_row.hook_state;
		fx_free(&m);
		ck_assert(fx_read(sock, &m));
	}
	fx_free(&m);
	return (state);
}

/* A deploy of which the wrapper is dead and left the identity of its hook. */
static void
wrapper_dies(void)
{
	char path[300], who[IDENT_TEXT_MAX];
	struct fx_spawn s, h;
	struct fx_msg go;
	FILE *fp;
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
	snprintf(path, sizeof(path), "%s/result/%llu.session",
	    eng.e_conf->cf_state, (unsigned long long)h.run);
	fx_ident(HOOK, who);
	ck_assert_ptr_nonnull(fp = fopen(path, "w"));
	ck_assert_int_ge(fputs(who, fp), 0);
	ck_assert_int_eq(fclose(fp), 0);
	fx_leave(sock);
	fx_sql("UPDATE run SET ident = '' WHERE id = %llu",
	    (unsigned long long)h.run);
	fx_tick(30000);
}

START_TEST(a_hook_that_lives_is_waited_for)
{
	fx.life[HOOK] = FX_ALIVE;
	wrapper_dies();
	ck_assert_int_eq(hook_state(), 0);
	fx.life[HOOK] = FX_HIDDEN;
	ck_assert_int_eq(hook_state(), 0);
	fx.life[HOOK] = FX_GONE;
	ck_assert_int_eq(hook_state(), 1);
}
END_TEST

int
main(void)
{
	Suite *su = suite_create("hookstate");
	TCase *tc = tcase_create("hookstate");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, fx_close);
	tcase_add_test(tc, a_hook_that_lives_is_waited_for);
	suite_add_tcase(su, tc);
	fx_main_exit(su);
}
