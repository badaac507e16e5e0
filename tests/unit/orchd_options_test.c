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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "orchd/options.h"

static char	 why[200];

static int
set(enum option o, struct option_value *v, const char *text)
{
	char	*copy = strdup(text), *texts[1];
	int	 rv;

	texts[0] = copy;
	rv = option_set(o, v, texts, 1, why, sizeof(why));
	free(copy);
	return (rv);
}

START_TEST(each_option_has_a_default_in_its_range)
{
	struct option_value	 v;
	size_t			 i;

	for (i = 0; i < OPT_MAX; i++) {
		memset(&v, 0, sizeof(v));
		option_set_default((enum option)i, &v);
		ck_assert_int_eq(v.ov_set, 0);
		option_clear(&v);
	}
}
END_TEST

START_TEST(each_keyword_is_found_and_each_environment_name_is_its_upper_case)
{
	const struct option_def	*d;
	const char		*p, *e;
	size_t			 i;

	for (i = 0; i < OPT_MAX; i++) {
		d = option_def((enum option)i);
		ck_assert_int_eq(option_lookup(d->od_name), (int)i);
		ck_assert_int_eq(strncmp(d->od_env, "ORCH_", 5), 0);
		e = d->od_env + 5;
		ck_assert_uint_eq(strlen(e), strlen(d->od_name));
		for (p = d->od_name; *p != '\0'; p++, e++)
			ck_assert(*p == *e || *p - 'a' == *e - 'A');
	}
	ck_assert_int_eq(option_lookup("reaper_intervl_s"), OPT_MAX);
}
END_TEST

START_TEST(numbers_out_of_range_or_with_signs_are_refused)
{
	static const char *const bad[] = { "0", "257", "-1", "+1", " 1",
	    "1 ", "", "0x1", "1.0", "99999999999999999999", "many" };
	struct option_value	 v = { .ov_int = 7 };
	size_t			 i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_int_eq(set(OPT_MAX_CONCURRENCY, &v, bad[i]), -1);
		ck_assert_ptr_nonnull(strstr(why, "from 1 to 256"));
		ck_assert_int_eq(v.ov_set, 0);
	}
	ck_assert_int_eq(set(OPT_MAX_CONCURRENCY, &v, "256"), 0);
	ck_assert_int_eq(v.ov_int, 256);
	ck_assert_int_eq(v.ov_set, 1);
}
END_TEST

START_TEST(ratios_are_decimal_and_bounded)
{
	static const char *const bad[] = { "1.1", "-0.1", "nan", "inf",
	    "0x1p-1", "1e-1", ".", "", "0.2.3", "1,0" };
	struct option_value	 v = { 0 };
	size_t			 i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_int_eq(set(OPT_POST_DEPLOY_FAIL_RATIO, &v, bad[i]),
		    -1);
	ck_assert_int_eq(set(OPT_POST_DEPLOY_FAIL_RATIO, &v, "0.25"), 0);
	ck_assert(v.ov_ratio > 0.2499 && v.ov_ratio < 0.2501);
}
END_TEST

START_TEST(a_bool_is_yes_or_no_and_nothing_like_it)
{
	struct option_value	 v = { 0 };

	ck_assert_int_eq(set(OPT_REAPER_ENABLED, &v, "Yes"), -1);
	ck_assert_int_eq(set(OPT_REAPER_ENABLED, &v, "2"), -1);
	ck_assert_int_eq(set(OPT_REAPER_ENABLED, &v, "on"), 0);
	ck_assert_int_eq(v.ov_int, 1);
	ck_assert_int_eq(set(OPT_REAPER_ENABLED, &v, "no"), 0);
	ck_assert_int_eq(v.ov_int, 0);
}
END_TEST

START_TEST(a_single_value_refuses_two)
{
	struct option_value	 v = { 0 };
	char			 a[] = "1", b[] = "2", *two[] = { a, b };

	ck_assert_int_eq(option_set(OPT_SERIAL_LIMIT, &v, two, 2, why,
	    sizeof(why)), -1);
	ck_assert_str_eq(why, "one value is expected, not 2");
}
END_TEST

START_TEST(an_environment_list_is_split_at_blanks_and_commas)
{
	struct option_value	 v = { 0 };

	ck_assert_int_eq(option_set_env(OPT_WATCH_PROC_PATTERNS, &v,
	    "a b,,c ", why, sizeof(why)), 0);
	ck_assert_uint_eq(v.ov_list.sl_n, 3);
	ck_assert_str_eq(v.ov_list.sl_v[2], "c");
	ck_assert_ptr_null(v.ov_list.sl_v[3]);
	ck_assert(strlist_has(&v.ov_list, "b"));
	ck_assert(!strlist_has(&v.ov_list, "d"));
	ck_assert_int_eq(option_set_env(OPT_WATCH_PROC_PATTERNS, &v, "", why,
	    sizeof(why)), 0);
	ck_assert_uint_eq(v.ov_list.sl_n, 0);
	option_clear(&v);
}
END_TEST

/* Every line of the table stands in the file, in the table's order. */
static void
compare_table(enum option_form form, const char *path)
{
	char	 line[512], want[512];
	char	*table = NULL, *p, *nl;
	size_t	 len = 0;
	FILE	*fp, *mem = open_memstream(&table, &len);
	int	 found;

	option_print_table(form, mem);
	fclose(mem);
	ck_assert_ptr_nonnull(fp = fopen(path, "r"));
	for (p = table; *p != '\0'; p = nl + 1) {
		nl = strchr(p, '\n');
		snprintf(want, sizeof(want), "%.*s\n", (int)(nl - p), p);
		found = 0;
		while (!found && fgets(line, sizeof(line), fp) != NULL)
			found = strcmp(line, want) == 0;
		ck_assert_msg(found, "%s lacks, at its place: %s", path, want);
	}
	fclose(fp);
	free(table);
}

START_TEST(the_example_configuration_lists_every_option_and_default)
{
	compare_table(OPTION_FORM_CONF, "etc/orchd.conf.example");
}
END_TEST

START_TEST(the_example_environment_lists_every_option_and_default)
{
	compare_table(OPTION_FORM_ENV, "etc/orchd.env.example");
}
END_TEST

START_TEST(the_manual_page_lists_every_option_and_default)
{
	compare_table(OPTION_FORM_MDOC, "man/orchd.conf.5");
}
END_TEST

static Suite *
suite(void)
{
	Suite	*s = suite_create("options");
	TCase	*tc = tcase_create("options");

	tcase_add_test(tc, each_option_has_a_default_in_its_range);
	tcase_add_test(tc,
	    each_keyword_is_found_and_each_environment_name_is_its_upper_case);
	tcase_add_test(tc, numbers_out_of_range_or_with_signs_are_refused);
	tcase_add_test(tc, ratios_are_decimal_and_bounded);
	tcase_add_test(tc, a_bool_is_yes_or_no_and_nothing_like_it);
	tcase_add_test(tc, a_single_value_refuses_two);
	tcase_add_test(tc, an_environment_list_is_split_at_blanks_and_commas);
	tcase_add_test(tc,
	    the_example_configuration_lists_every_option_and_default);
	tcase_add_test(tc,
	    the_example_environment_lists_every_option_and_default);
	tcase_add_test(tc, the_manual_page_lists_every_option_and_default);
	suite_add_tcase(s, tc);
	return (s);
}

int
main(void)
{
	SRunner	*sr = srunner_create(suite());
	int	 failed;

	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed > 0);
}
