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

#include <locale.h>

#include "tests/unit/orchctl_fake.h"

START_TEST(span_says_seconds_minutes_hours_days)
{
	char b[32];

	ck_assert_str_eq(human_span(-5, b, sizeof(b)), "0 s");
	ck_assert_str_eq(human_span(4, b, sizeof(b)), "4 s");
	ck_assert_str_eq(human_span(59, b, sizeof(b)), "59 s");
	ck_assert_str_eq(human_span(11 * 60 + 59, b, sizeof(b)), "11 min");
	ck_assert_str_eq(human_span(89 * 60, b, sizeof(b)), "89 min");
	ck_assert_str_eq(human_span(2 * 3600 + 3599, b, sizeof(b)), "2 h");
	ck_assert_str_eq(human_span(47 * 3600, b, sizeof(b)), "47 h");
	ck_assert_str_eq(human_span(3 * 86400, b, sizeof(b)), "3 d");
}
END_TEST

START_TEST(milliseconds_keep_one_decimal_below_ten_seconds)
{
	char b[32];

	ck_assert_str_eq(human_ms(849, b, sizeof(b)), "0.8 s");
	ck_assert_str_eq(human_ms(9999, b, sizeof(b)), "9.9 s");
	ck_assert_str_eq(human_ms(48 * 60000, b, sizeof(b)), "48 min");
}
END_TEST

START_TEST(cost_is_rounded_to_cents)
{
	char b[32];

	ck_assert_str_eq(human_cost(3124999, b, sizeof(b)), "3.12 USD");
	ck_assert_str_eq(human_cost(3125000, b, sizeof(b)), "3.13 USD");
	ck_assert_str_eq(human_cost(5, b, sizeof(b)), "0.00 USD");
}
END_TEST

START_TEST(stamp_reads_rfc3339_with_zone_and_fraction)
{
	json_t *d = parse("{\"z\":\"2025-11-13T02:13:20Z\","
	    "\"f\":\"2025-11-13T02:13:20.123456Z\","
	    "\"o\":\"2025-11-13T04:13:20+02:00\","
	    "\"s\":1763000000,\"ms\":1763000000000}");

	ck_assert_int_eq(stamp_parse(d, "z"), 1763000000);
	ck_assert_int_eq(stamp_parse(d, "f"), 1763000000);
	ck_assert_int_eq(stamp_parse(d, "o"), 1763000000);
	ck_assert_int_eq(stamp_parse(d, "s"), 1763000000);
	ck_assert_int_eq(stamp_parse(d, "ms"), 1763000000);
	json_decref(d);
}
END_TEST

START_TEST(stamp_refuses_what_is_no_time)
{
	json_t *d = parse("{\"a\":\"yesterday\",\"b\":null,"
	    "\"c\":\"2025-11-13T02:13:20\",\"d\":\"2025-11-13T02:13:20Zx\","
	    "\"e\":\"2025-11-13T02:13:20+99:00\"}");
	const char *const keys[] = { "a", "b", "c", "d", "e", "missing" };
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		ck_assert_int_eq(stamp_parse(d, keys[i]), -1);
	json_decref(d);
}
END_TEST

START_TEST(clock_shows_the_day_only_when_it_is_another)
{
	char b[32];

	ck_assert_str_eq(human_clock(1763000000, 1763000000 - 60, b,
	    sizeof(b)), "02:12:20");
	ck_assert_str_eq(human_clock(1763000000, 1763000000 - 86400, b,
	    sizeof(b)), "11-12 02:13");
	ck_assert_str_eq(human_clock(1763000000, -1, b, sizeof(b)), "-");
}
END_TEST

START_TEST(width_counts_columns_not_bytes)
{
	ck_assert_uint_eq(text_width("abc"), 3);
	ck_assert_uint_eq(text_width("grün"), 4);
	ck_assert_uint_eq(text_width("日本"), 4);
	ck_assert_uint_eq(text_width("e\xcc\x81"), 1);	/* combining */
	ck_assert_uint_eq(text_width("\xff"), 1);
}
END_TEST

START_TEST(fit_never_cuts_a_character)
{
	size_t used;

	ck_assert_uint_eq(text_fit("日本", 3, &used), 3);
	ck_assert_uint_eq(used, 2);
	ck_assert_uint_eq(text_fit("grün", 3, &used), 4);
	ck_assert_uint_eq(text_fit("", 3, &used), 0);
}
END_TEST

START_TEST(whole_ids_are_cut_and_other_words_are_not)
{
	static const char id[] = "48b8f624816562505d3f4b1c92c9817491c684c5";
	char text[128], buf[128];

	snprintf(text, sizeof(text), "face is %s, at %.12s", id, id);
	ck_assert_str_eq(human_ids(text, buf, sizeof(buf)),
	    "face is 48b8f62, at 48b8f6248165");
	ck_assert_str_eq(human_ids(text, buf, 11), "face is 48");
	ck_assert_str_eq(human_ids("", buf, sizeof(buf)), "");
}
END_TEST

START_TEST(short_id_shows_nothing_as_a_dash)
{
	ck_assert_str_eq(short_id("4f1c2e9aabbcc"), "4f1c2e9");
	ck_assert_str_eq(short_id(""), "-");
	ck_assert_str_eq(short_id(NULL), "-");
}
END_TEST

static void
fill(TCase *t)
{
	tcase_add_test(t, span_says_seconds_minutes_hours_days);
	tcase_add_test(t, milliseconds_keep_one_decimal_below_ten_seconds);
	tcase_add_test(t, cost_is_rounded_to_cents);
	tcase_add_test(t, stamp_reads_rfc3339_with_zone_and_fraction);
	tcase_add_test(t, stamp_refuses_what_is_no_time);
	tcase_add_test(t, clock_shows_the_day_only_when_it_is_another);
	tcase_add_test(t, width_counts_columns_not_bytes);
	tcase_add_test(t, fit_never_cuts_a_character);
	tcase_add_test(t, whole_ids_are_cut_and_other_words_are_not);
	tcase_add_test(t, short_id_shows_nothing_as_a_dash);
}

int
main(void)
{
	setlocale(LC_ALL, "C.UTF-8");
	setenv("TZ", "UTC", 1);
	return (run_suite("orchctl_human", fill));
}
