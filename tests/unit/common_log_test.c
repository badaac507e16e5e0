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

#include <sys/types.h>
#include <sys/mman.h>

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libcommon/esc.h"
#include "libcommon/log.h"
#include "libcommon/monotime.h"
#include "libcommon/redact.h"

static int	 saved = -1, file = -1;

/* From here on stderr is a file. */
static void
capture(void)
{
	(void)unsetenv("JOURNAL_STREAM");
	saved = dup(2);
	file = memfd_create("stderr", 0);
	ck_assert_int_ne(file, -1);
	ck_assert_int_eq(dup2(file, 2), 2);
}

/* Back, and what was written. */
static void
captured(char *buf, size_t len)
{
	ssize_t	 n;

	ck_assert_int_eq(dup2(saved, 2), 2);
	n = pread(file, buf, len - 1, 0);
	ck_assert_int_ge(n, 0);
	buf[n] = '\0';
	close(saved);
	close(file);
}

static void
esc_is(const char *in, const char *out)
{
	char	 buf[256];

	ck_assert_int_eq(esc(buf, sizeof(buf), in), 0);
	ck_assert_str_eq(buf, out);
}

START_TEST(esc_shows_what_a_terminal_would_obey)
{
	esc_is("a\033[2Jb", "a\\x1b[2Jb");
	esc_is("\r\n\t\a\177", "\\r\\n\\t\\x07\\x7f");
	esc_is("\302\2336n", "\\u009b6n");		/* C1 CSI */
	esc_is("\2336n", "\\x9b6n");			/* the same, raw */
	esc_is("a\342\200\256b", "a\\u202eb");		/* right to left */
	esc_is("\342\200\250", "\\u2028");		/* line separator */
}
END_TEST

START_TEST(esc_keeps_valid_utf8_and_shows_the_rest)
{
	esc_is("gr\303\274n \342\202\254 \360\237\230\200",
	    "gr\303\274n \342\202\254 \360\237\230\200");
	esc_is("\300\257", "\\xc0\\xaf");		/* overlong */
	esc_is("\355\240\200", "\\xed\\xa0\\x80");	/* surrogate */
	esc_is("\364\220\200\200", "\\xf4\\x90\\x80\\x80");
	esc_is("\342\202", "\\xe2\\x82");		/* cut */
	esc_is("back\\slash", "back\\slash");
}
END_TEST

START_TEST(esc_cuts_between_characters)
{
	char	 buf[6];

	ck_assert_int_eq(esc(buf, sizeof(buf), "abc\033d"), -1);
	ck_assert_str_eq(buf, "abc");
	ck_assert_int_eq(esc(buf, 4, "ab\342\202\254"), -1);
	ck_assert_str_eq(buf, "ab");
}
END_TEST

START_TEST(log_record_is_one_line)
{
	char	 buf[1024];

	log_init("test", 0);
	capture();
	log_info("job 1: %s", "x\n2026-11-22 orchd: lease granted\033[2J");
	log_debug("not shown");
	captured(buf, sizeof(buf));
	ck_assert_ptr_eq(strchr(buf, '\n'), buf + strlen(buf) - 1);
	ck_assert_ptr_nonnull(strstr(buf, " test["));
	ck_assert_ptr_nonnull(strstr(buf,
	    "job 1: x\\n2026-11-22 orchd: lease granted\\x1b[2J\n"));
	ck_assert_int_eq(buf[10], 'T');		/* 2026-11-22T... */
	ck_assert_int_eq(buf[23], 'Z');
}
END_TEST

START_TEST(log_keeps_errno_and_appends_it)
{
	char	 buf[1024];

	capture();
	errno = ENOSPC;
	log_warn("state");
	ck_assert_int_eq(errno, ENOSPC);
	log_warnx("plain");
	ck_assert_int_eq(errno, ENOSPC);
	captured(buf, sizeof(buf));
	ck_assert_ptr_nonnull(strstr(buf, "state: No space left on device\n"));
	ck_assert_ptr_nonnull(strstr(buf, "plain\n"));
}
END_TEST

START_TEST(log_under_a_journal_has_priority_and_no_time)
{
	char	 buf[1024];

	capture();
	(void)setenv("JOURNAL_STREAM", "8:1", 1);
	log_warnx("w");
	log_info("i");
	captured(buf, sizeof(buf));
	ck_assert_str_eq(buf, "<4>w\n<6>i\n");
}
END_TEST

START_TEST(log_redacts_and_survives_a_huge_record)
{
	static char	 big[20000];
	char		 buf[16384];

	ck_assert_int_eq(log_redact_add("correct horse battery"), 0);
	memset(big, 'x', sizeof(big) - 1);
	capture();
	log_info("key correct horse battery!");
	log_info("%s", big);
	captured(buf, sizeof(buf));
	log_redact_clear();
	ck_assert_ptr_nonnull(strstr(buf, "key [redacted]!\n"));
	ck_assert_int_eq(buf[strlen(buf) - 1], '\n');
}
END_TEST

START_TEST(fatal_exits_1_and_says_so)
{
	fatalx("cannot go on");
}
END_TEST

static void
redact_is(const char *in, const char *out)
{
	char	*p = redact_dup(in);

	ck_assert_ptr_nonnull(p);
	ck_assert_str_eq(p, out);
	free(p);
}

START_TEST(redact_known_value_in_every_encoding)
{
	ck_assert_int_eq(log_redact_add("p@ss/word+42"), 0);
	redact_is("a p@ss/word+42 b", "a [redacted] b");
	redact_is("a p%40ss%2Fword%2B42 b", "a [redacted] b");
	redact_is("a p%40ss%2fword%2b42 b", "a [redacted] b");
	redact_is("a 704073732f776f72642b3432 b", "a [redacted] b");
	redact_is("a 704073732F776F72642B3432 b", "a [redacted] b");
	/* base64 of the value, "x:" or "me:" before it, "." behind */
	redact_is("cEBzcy93b3JkKzQy", "[redacted]");
	redact_is("eDpwQHNzL3dvcmQrNDIu", "eDp[redacted]Iu");
	redact_is("bWU6cEBzcy93b3JkKzQyLg==", "bWU6[redacted]Lg==");
	log_redact_clear();
	redact_is("a p@ss/word+42 b", "a p@ss/word+42 b");
}
END_TEST

START_TEST(redact_refuses_a_short_secret)
{
	errno = 0;
	ck_assert_int_eq(log_redact_add("short"), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(log_redact_add(""), -1);
	ck_assert_int_eq(log_redact_add("sixsix"), 0);
	redact_is("sixsix", "******");
	log_redact_clear();
}
END_TEST

START_TEST(redact_each_line_of_a_key)
{
	ck_assert_int_eq(log_redact_add("-----BEGIN\r\nMIIabcdef\nshrt\n"), 0);
	redact_is("x MIIabcdef y", "x ********* y");
	log_redact_clear();
}
END_TEST

START_TEST(redact_token_shapes)
{
	redact_is("sk-ant-api03-AAAAbbbbCCCCdddd_-x.", "[redacted].");
	redact_is("ghp_0123456789abcdefghijABCDEFGHIJ", "[redacted]");
	redact_is("plane_api_0123456789abcdef0123", "[redacted]");
	redact_is("AKIAABCDEFGHIJKLMNOP", "[redacted]");
	redact_is("/bot123456789:AAbbCCddEEffGGhhIIjjKKllMMnnOOppQQr/send",
	    "/[redacted]/send");
	redact_is("https://tok3n:x@host/p", "https://*******@host/p");
	redact_is("Authorization: token 0123456789",
	    "Authorization:[redacted]");
}
END_TEST

START_TEST(redact_leaves_ordinary_text)
{
	redact_is("task-ant-hill sk-ant ghp_ AKIA",
	    "task-ant-hill sk-ant ghp_ AKIA");
	redact_is("https://host/a@b", "https://host/a@b");
	redact_is("robot12:34 at 12:30:15", "robot12:34 at 12:30:15");
	redact_is("4f1c2e94f1c2e94f1c2e94f1c2e94f1c2e94f1c2",
	    "4f1c2e94f1c2e94f1c2e94f1c2e94f1c2e94f1c2");
}
END_TEST

START_TEST(redact_cut_hides_a_beginning)
{
	char	 buf[] = "the key is hunter2hun";
	size_t	 n;

	ck_assert_int_eq(log_redact_add("hunter2hunter2"), 0);
	n = redact_cut(buf, strlen(buf));
	buf[n] = '\0';
	ck_assert_str_eq(buf, "the key is [redacted]");
	log_redact_clear();
}
END_TEST

START_TEST(monotime_counts_and_saturates)
{
	struct monotime	 a = monotime_now(), b = monotime_add_ms(a, 1500);
	struct monotime	 end = { INT64_MAX - 1 }, begin = { INT64_MIN + 1 };

	ck_assert_int_eq((int)monotime_sub_ms(b, a), 1500);
	ck_assert_int_eq((int)monotime_sub_ms(a, b), -1500);
	ck_assert_int_eq(monotime_cmp(a, b), -1);
	ck_assert_int_eq(monotime_cmp(b, a), 1);
	ck_assert_int_eq(monotime_cmp(a, a), 0);
	ck_assert(monotime_add_ms(end, 1).mt_ns == INT64_MAX);
	ck_assert(monotime_add_ms(begin, -1).mt_ns == INT64_MIN);
	ck_assert(monotime_add_ms(a, INT64_MAX).mt_ns == INT64_MAX);
	ck_assert(monotime_sub_ms(end, begin) == INT64_MAX / 1000000);
	ck_assert(monotime_cmp(monotime_now(), a) >= 0);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("log");
	TCase	*t = tcase_create("log");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_test(t, esc_shows_what_a_terminal_would_obey);
	tcase_add_test(t, esc_keeps_valid_utf8_and_shows_the_rest);
	tcase_add_test(t, esc_cuts_between_characters);
	tcase_add_test(t, log_record_is_one_line);
	tcase_add_test(t, log_keeps_errno_and_appends_it);
	tcase_add_test(t, log_under_a_journal_has_priority_and_no_time);
	tcase_add_test(t, log_redacts_and_survives_a_huge_record);
	tcase_add_exit_test(t, fatal_exits_1_and_says_so, 1);
	tcase_add_test(t, redact_known_value_in_every_encoding);
	tcase_add_test(t, redact_refuses_a_short_secret);
	tcase_add_test(t, redact_each_line_of_a_key);
	tcase_add_test(t, redact_token_shapes);
	tcase_add_test(t, redact_leaves_ordinary_text);
	tcase_add_test(t, redact_cut_hides_a_beginning);
	tcase_add_test(t, monotime_counts_and_saturates);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return (failed == 0 ? 0 : 1);
}
