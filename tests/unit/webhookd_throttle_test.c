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

/* How long who shows wrong tokens has to wait. */

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "webhookd/throttle.h"

static struct throttle th;
static struct monotime now;

static void
setup(void)
{
	memset(&th, 0, sizeof(th));
	now = monotime_now();
}

static struct addr
source(unsigned int n)
{
	struct addr ad;

	memset(&ad, 0, sizeof(ad));
	memcpy(ad.ad_key + 8, &n, sizeof(n));
	return (ad);
}

static void
wrong(const struct addr *ad, int times)
{
	while (times-- > 0)
		throttle_try(&th, ad, now);
}

static void
later(int64_t ms)
{
	now = monotime_add_ms(now, ms);
}

START_TEST(some_mistakes_are_free)
{
	struct addr a = source(1);
	int i;

	for (i = 0; i < THROTTLE_FREE; i++) {
		ck_assert_uint_eq(throttle_wait(&th, &a, now), 0);
		wrong(&a, 1);
	}
	ck_assert_uint_eq(throttle_wait(&th, &a, now), 1);
}
END_TEST

START_TEST(each_more_makes_the_pause_twice_as_long_up_to_a_minute)
{
	static const uint32_t want[] = { 1, 2, 4, 8, 16, 32, 60, 60, 60 };
	struct addr a = source(1);
	size_t i;

	wrong(&a, THROTTLE_FREE);
	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		ck_assert_uint_eq(throttle_wait(&th, &a, now), want[i]);
		later(1000 * want[i] - 1);
		ck_assert_uint_eq(throttle_wait(&th, &a, now), 1);
		later(1);
		ck_assert_uint_eq(throttle_wait(&th, &a, now), 0);
		wrong(&a, 1);
	}
	/* However often: no shift too far, no number that runs over. */
	wrong(&a, 100000);
	ck_assert_uint_eq(throttle_wait(&th, &a, now), THROTTLE_MAX_S);
}
END_TEST

START_TEST(other_sources_are_not_held_up)
{
	struct addr a = source(1), b = source(2);

	wrong(&a, 20);
	ck_assert_uint_eq(throttle_wait(&th, &b, now), 0);
	throttle_right(&th, &b);
	throttle_undo(&th, &b);
	ck_assert_uint_eq(throttle_wait(&th, &a, now), THROTTLE_MAX_S);
}
END_TEST

START_TEST(the_right_token_and_time_are_forgiving)
{
	struct addr a = source(1);

	wrong(&a, THROTTLE_FREE);
	throttle_right(&th, &a);
	wrong(&a, THROTTLE_FREE - 1);
	ck_assert_uint_eq(throttle_wait(&th, &a, now), 0);
	wrong(&a, 5);
	later(1000 * THROTTLE_FORGET_S + 1);
	wrong(&a, 1);
	ck_assert_uint_eq(throttle_wait(&th, &a, now), 0);
}
END_TEST

START_TEST(what_was_not_judged_does_not_count)
{
	struct addr a = source(1);
	int i;

	for (i = 0; i < 3 * THROTTLE_FREE; i++) {
		wrong(&a, 1);
		throttle_undo(&th, &a);
	}
	ck_assert_uint_eq(throttle_wait(&th, &a, now), 0);
	throttle_undo(&th, &a);
	wrong(&a, THROTTLE_FREE);
	ck_assert_uint_eq(throttle_wait(&th, &a, now), 1);
}
END_TEST

START_TEST(a_full_table_forgets_the_longest_silent)
{
	struct addr a = source(0), b = source(1), c;
	unsigned int i;

	wrong(&a, 20);
	later(1);
	wrong(&b, 20);
	for (i = 2; i < THROTTLE_SOURCES + 1; i++) {
		later(1);
		c = source(i);
		wrong(&c, 1);
	}
	ck_assert_uint_eq(throttle_wait(&th, &a, now), 0);
	ck_assert_uint_gt(throttle_wait(&th, &b, now), 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("webhookd_throttle");
	TCase *tc = tcase_create("throttle");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, some_mistakes_are_free);
	tcase_add_test(tc,
	    each_more_makes_the_pause_twice_as_long_up_to_a_minute);
	tcase_add_test(tc, other_sources_are_not_held_up);
	tcase_add_test(tc, the_right_token_and_time_are_forgiving);
	tcase_add_test(tc, what_was_not_judged_does_not_count);
	tcase_add_test(tc, a_full_table_forgets_the_longest_silent);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed != 0);
}
