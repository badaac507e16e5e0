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

#include <check.h>
#include <stdlib.h>

#include "libcommon/carry.h"

START_TEST(only_what_speaks_of_the_message_refuses_it)
{
	static const struct {
		long		status;
		int64_t		wait_s;
		enum carry	is;
	} all[] = {
		{ 200, 0, CARRY_TAKEN }, { 204, 0, CARRY_TAKEN },
		{ 400, 0, CARRY_REFUSED }, { 413, 0, CARRY_REFUSED },
		{ 422, 0, CARRY_REFUSED },
		{ 401, 0, CARRY_DENIED }, { 403, 0, CARRY_DENIED },
		{ 404, 0, CARRY_DENIED }, { 410, 0, CARRY_DENIED },
		{ 302, 0, CARRY_DENIED }, { 409, 0, CARRY_DENIED },
		{ 0, 0, CARRY_LATER }, { 408, 0, CARRY_LATER },
		{ 425, 0, CARRY_LATER }, { 429, 1, CARRY_LATER },
		{ 429, 0, CARRY_LATER },
		{ 500, 0, CARRY_LATER }, { 503, 0, CARRY_LATER },
		{ 503, 900, CARRY_LATER }, { 403, 1, CARRY_LATER },
	};
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		ck_assert_msg(carry_judge(all[i].status, all[i].wait_s) ==
		    all[i].is, "%ld", all[i].status);
}
END_TEST

START_TEST(a_pause_doubles_up_to_its_bound_and_is_never_less_than_asked_for)
{
	ck_assert_int_eq(carry_pause_ms(0, 5000, 30000, 0), 5000);
	ck_assert_int_eq(carry_pause_ms(5000, 5000, 30000, 0), 10000);
	ck_assert_int_eq(carry_pause_ms(20000, 5000, 30000, 0), 30000);
	ck_assert_int_eq(carry_pause_ms(30000, 5000, 30000, 0), 30000);
	ck_assert_int_eq(carry_pause_ms(0, 5000, 30000, 900), 900000);
	ck_assert_int_eq(carry_pause_ms(900000, 5000, 30000, 1), 30000);
	ck_assert_int_eq(carry_pause_ms(0, 5000, 3000, 0), 3000);
}
END_TEST

START_TEST(those_who_wait_come_back_at_different_moments)
{
	int64_t ms, least = INT64_MAX, most = 0;
	int i;

	for (i = 0; i < 200; i++) {
		ms = carry_spread_ms(10000);
		least = ms < least ? ms : least;
		most = ms > most ? ms : most;
	}
	ck_assert_int_ge(least, 10000);
	ck_assert_int_le(most, 12500);
	ck_assert_int_gt(most, least);
	ck_assert_int_eq(carry_spread_ms(0), 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("common carry");
	TCase *tc = tcase_create("carry");
	SRunner *sr;
	int bad;

	tcase_add_test(tc, only_what_speaks_of_the_message_refuses_it);
	tcase_add_test(tc,
	    a_pause_doubles_up_to_its_bound_and_is_never_less_than_asked_for);
	tcase_add_test(tc, those_who_wait_come_back_at_different_moments);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	bad = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (bad == 0 ? 0 : 1);
}
