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


/* orchd-proto(7) says what the catalogue says. */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/mdoc.h"
#include "proto/proto.h"

#define PAGE	"man/orchd-proto.7"
#define BEGIN	".\\\" BEGIN messages.def\n"
#define END	".\\\" END messages.def\n"

static char *
table(void)
{
	char *text = NULL;
	size_t len = 0;
	FILE *fp;

	ck_assert_ptr_nonnull(fp = open_memstream(&text, &len));
	orch_print_mdoc(fp);
	ck_assert_int_eq(fclose(fp), 0);
	return (text);
}

static char *
page(void)
{
	char *text = calloc(1, 262144);
	size_t n;
	FILE *fp;

	ck_assert_ptr_nonnull(text);
	ck_assert_msg((fp = fopen(PAGE, "r")) != NULL, "no %s", PAGE);
	n = fread(text, 1, 262143, fp);
	ck_assert_uint_gt(n, 0);
	ck_assert_uint_lt(n, 262143);
	fclose(fp);
	return (text);
}

START_TEST(the_manuals_table_is_the_catalogue)
{
	char *want = table(), *text = page(), *begin, *end;

	ck_assert_ptr_nonnull(begin = strstr(text, BEGIN));
	begin += strlen(BEGIN);
	ck_assert_ptr_nonnull(end = strstr(begin, END));
	*end = '\0';
	ck_assert_msg(strcmp(begin, want) == 0,
	    "%s is not that of proto/messages.def: make proto-table", PAGE);
	free(want);
	free(text);
}
END_TEST

START_TEST(the_manual_names_the_version)
{
	char *text = page(), want[64];

	snprintf(want, sizeof(want), "The version is %d.%d.",
	    ORCH_PROTO_MAJOR, ORCH_PROTO_MINOR);
	ck_assert_msg(strstr(text, want) != NULL, "not in %s: %s", PAGE,
	    want);
	free(text);
}
END_TEST

START_TEST(each_message_and_field_is_in_the_table)
{
	char *text = table(), want[96], *entry;
	const struct orch_msg *m;
	unsigned int t;
	size_t i;

	for (t = 0; t < ORCH_TYPE_MAX; t++) {
		if ((m = orch_msg(t)) == NULL)
			continue;
		snprintf(want, sizeof(want), ".It %u Sy %s\n", t, m->m_name);
		ck_assert_msg((entry = strstr(text, want)) != NULL, "%s",
		    want);
		for (i = 0; i < m->m_nfields; i++) {
			snprintf(want, sizeof(want), "%s\\~",
			    m->m_fields[i].f_name);
			ck_assert_msg(strstr(entry, want) != NULL, "%s.%s",
			    m->m_name, m->m_fields[i].f_name);
		}
	}
	free(text);
}
END_TEST

/* mandoc wants lines of 80 at most, none with a control character first. */
START_TEST(no_line_is_long_or_a_macro_by_accident)
{
	char *text = table(), *line, *end;

	for (line = text; (end = strchr(line, '\n')) != NULL;
	    line = end + 1) {
		*end = '\0';
		ck_assert_msg(strlen(line) <= 80, "%s", line);
		ck_assert_msg(line[0] != '\'' && line[0] != '\0', "%s", line);
		if (line[0] == '.')
			ck_assert_msg(strncmp(line, ".It ", 4) == 0 ||
			    strncmp(line, ".Bl ", 4) == 0 ||
			    strncmp(line, ".Ss ", 4) == 0 ||
			    strcmp(line, ".El") == 0 ||
			    strcmp(line, ".br") == 0, "%s", line);
	}
	free(text);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("proto mdoc");
	TCase *tc = tcase_create("mdoc");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, the_manuals_table_is_the_catalogue);
	tcase_add_test(tc, the_manual_names_the_version);
	tcase_add_test(tc, each_message_and_field_is_in_the_table);
	tcase_add_test(tc, no_line_is_long_or_a_macro_by_accident);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed == 0 ? 0 : 1);
}
