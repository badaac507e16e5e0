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

#include "tests/unit/orchctl_fake.h"

/* Feed a file in two pieces, cut at at, and return what was shown. */
static char *
shown(const char *text, size_t at)
{
	struct logview lv;
	char *out = NULL;
	size_t len = 0;
	FILE *file = tmpfile(), *fp = open_memstream(&out, &len);
	int fd = fileno(file);

	memset(&lv, 0, sizeof(lv));
	ck_assert_int_ge(pwrite(fd, text, at, 0), 0);
	ck_assert_int_eq(logview_copy(&lv, fd, fp), 0);
	ck_assert_int_ge(pwrite(fd, text + at, strlen(text) - at, (off_t)at),
	    0);
	ck_assert_int_eq(logview_copy(&lv, fd, fp), 0);
	logview_end(&lv, fp);
	fclose(fp);
	fclose(file);
	return (out);
}

START_TEST(log_is_shown_alike_wherever_it_was_cut)
{
	const char *text = "a\tb grün\r\n\033[31mred\xff \xe6\x97\xa5\n"
	    "50 %\r100 %\n\xc2\x9b end";
	const char *want = "a\tb grün\n\\x1b[31mred\\xff \xe6\x97\xa5\n"
	    "50 %\\r100 %\n\\x9b end";
	size_t i;
	char *got;

	/* How a C1 control is written is esc's business: take its word. */
	got = shown(text, 0);
	ck_assert_int_eq(strncmp(got, want, strlen("a\tb grün\n\\x1b[31m")),
	    0);
	ck_assert_ptr_null(strchr(got, '\033'));
	ck_assert_ptr_null(strstr(got, "\xc2\x9b"));
	ck_assert_ptr_nonnull(strstr(got, "red\\xff \xe6\x97\xa5\n"));
	ck_assert_ptr_nonnull(strstr(got, "50 %\\r100 %\n"));
	for (i = 1; i <= strlen(text); i++) {
		char *other = shown(text, i);

		ck_assert_msg(strcmp(got, other) == 0, "cut at %zu: %s", i,
		    other);
		free(other);
	}
	free(got);
}
END_TEST

START_TEST(log_that_ends_in_the_middle_of_a_character_is_shown)
{
	char *got = shown("x\xe6\x97", 3);

	ck_assert_str_eq(got, "x\\xe6\\x97");
	free(got);
}
END_TEST

START_TEST(log_longer_than_a_buffer_is_whole)
{
	size_t n = 100000, i;
	char *text = malloc(n + 1), *got;

	for (i = 0; i < n; i++)
		text[i] = i % 80 == 79 ? '\n' : 'x';
	text[n] = '\0';
	got = shown(text, n / 2);
	ck_assert_str_eq(got, text);
	free(got);
	free(text);
}
END_TEST

START_TEST(log_that_cannot_be_read_is_an_error)
{
	struct logview lv;

	memset(&lv, 0, sizeof(lv));
	ck_assert_int_eq(logview_copy(&lv, -1, stdout), -1);
}
END_TEST

static void
fill(TCase *t)
{
	tcase_add_test(t, log_is_shown_alike_wherever_it_was_cut);
	tcase_add_test(t,
	    log_that_ends_in_the_middle_of_a_character_is_shown);
	tcase_add_test(t, log_longer_than_a_buffer_is_whole);
	tcase_add_test(t, log_that_cannot_be_read_is_an_error);
}

int
main(void)
{
	return (run_suite("orchctl_log", fill));
}
