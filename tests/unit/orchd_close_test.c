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


/* What a cancel that came too late ends in. */

#include "engine_play.h"

static struct fx_spawn	s;
static struct fx_msg	go;
static int		sock;

static void
setup(void)
{
	fx_open("", "");
}

static enum orch_result
end(uint64_t epoch, enum gate_verdict verdict, enum orch_cause cause)
{
	struct orch_end e = { .epoch = epoch, .verdict = (uint8_t)verdict,
	    .cause = (uint8_t)cause, .gate = "", .reason = "main contains it",
	    .head = "" };

	return (fx_result(sock, ORCH_end, &e));
}

/* The edge is inside when a person cancels; what follows is close. */
static uint64_t
cancelled_edge(void)
{
	uint64_t epoch;

	sock = fx_worker_in("deploy-staging", "edge", &s, &go);
	epoch = fx_begin(sock, &go.any.run_go);
	ck_assert_int_eq(fx_act("cancel", "DEMO-1", ""), RES_OK);
	ck_assert_int_eq(end(epoch, GATE_ERROR, CAUSE_STOPPED), RES_OK);
	fx_free(&go);
	fx_leave(sock);
	fx_expect(&s, KIND_TRANSITION, "close");
	sock = fx_connect_run(&s, &go);
	return (fx_begin(sock, &go.any.run_go));
}

START_TEST(what_has_landed_is_not_cancelled_and_goes_on)
{
	uint64_t epoch = cancelled_edge();

	ck_assert_int_eq(end(epoch, GATE_FAIL, CAUSE_MOVED), RES_OK);
	ck_assert_str_eq(fx_task("DEMO-1", "stage"), "deploy-staging");
	ck_assert_int_eq(fx_int("SELECT count(*) FROM task WHERE "
	    "cancel_requested_at IS NOT NULL"), 0);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM outbox WHERE text = "
	    "'not cancelled: main contains it'"), 1);
	fx_expect(&s, KIND_TRANSITION, "edge");
}
END_TEST

START_TEST(a_close_that_cannot_be_done_comes_again_and_not_at_once)
{
	uint64_t epoch = cancelled_edge();
	int i;

	/* Far more often than retries are granted: it waits each time. */
	for (i = 0; i < 12; i++) {
		ck_assert_int_eq(end(epoch, GATE_ERROR, CAUSE_INFRA), RES_OK);
		fx_free(&go);
		fx_leave(sock);
		ck_assert_msg(!fx_spawned(&s), "close runs at once, try %d",
		    i);
		ck_assert_int_eq(fx_int("SELECT count(*) FROM task WHERE "
		    "cancel_requested_at IS NOT NULL"), 1);
		fx_tick(800000);
		fx_expect(&s, KIND_TRANSITION, "close");
		sock = fx_connect_run(&s, &go);
		epoch = fx_begin(sock, &go.any.run_go);
	}
}
END_TEST

int
main(void)
{
	Suite *su = suite_create("close");
	TCase *tc = tcase_create("close");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, fx_close);
	tcase_add_test(tc, what_has_landed_is_not_cancelled_and_goes_on);
	tcase_add_test(tc,
	    a_close_that_cannot_be_done_comes_again_and_not_at_once);
	suite_add_tcase(su, tc);
	fx_main_exit(su);
}
