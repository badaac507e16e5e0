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

/* The monitor's verdict, one HTTP probe, and the hook's result file. */

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "finalizerd/finalizerd.h"
#include "libcommon/fsutil.h"

static char dir[] = "/tmp/orchd-monitor.XXXXXX";
static char file[64];

static void
setup(void)
{
	ck_assert_ptr_nonnull(mkdtemp(dir));
	(void)snprintf(file, sizeof(file), "%s/result", dir);
}

static void
teardown(void)
{
	(void)fs_remove_tree(AT_FDCWD, dir, NULL, 0);
}

START_TEST(judge_healthy)
{
	ck_assert_int_eq(monitor_judge(6, 6, 0, 0.2), GATE_PASS);
	ck_assert_int_eq(monitor_judge(10, 10, 2, 0.2), GATE_PASS);
	ck_assert_int_eq(monitor_judge(1, 1, 0, 0.2), GATE_PASS);
}
END_TEST

START_TEST(judge_degraded_above_the_ratio)
{
	ck_assert_int_eq(monitor_judge(10, 10, 3, 0.2), GATE_FAIL);
	ck_assert_int_eq(monitor_judge(6, 6, 6, 0.2), GATE_FAIL);
	ck_assert_int_eq(monitor_judge(6, 6, 1, 0), GATE_FAIL);
}
END_TEST

START_TEST(judge_too_few_is_inconclusive)
{
	ck_assert_int_eq(monitor_judge(6, 0, 0, 0.2), GATE_WAIT);
	ck_assert_int_eq(monitor_judge(6, 2, 0, 0.2), GATE_WAIT);
	ck_assert_int_eq(monitor_judge(20, 9, 9, 0.2), GATE_WAIT);
}
END_TEST

/* Answer one connection with text and go. */
static pid_t
serve(const char *text, char *url, size_t len)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t n = sizeof(sin);
	char buf[1024];
	ssize_t got;
	pid_t pid;
	int s, c;

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_ne(s = socket(AF_INET, SOCK_STREAM, 0), -1);
	ck_assert_int_eq(bind(s, (struct sockaddr *)&sin, sizeof(sin)), 0);
	ck_assert_int_eq(listen(s, 1), 0);
	ck_assert_int_eq(getsockname(s, (struct sockaddr *)&sin, &n), 0);
	(void)snprintf(url, len, "http://127.0.0.1:%u/health",
	    ntohs(sin.sin_port));
	if ((pid = fork()) == 0) {
		c = accept(s, NULL, NULL);
		got = read(c, buf, sizeof(buf));
		if (text == NULL)
			sleep(5);
		else if (got > 0)
			got = write(c, text, strlen(text));
		_exit(got > 0 ? 0 : 1);
	}
	close(s);
	return (pid);
}

static enum http_probe
probe_answer(const char *text, char *why, size_t len)
{
	enum http_probe r;
	char url[64];
	pid_t pid;

	pid = serve(text, url, sizeof(url));
	r = http_probe(url, 300, why, len);
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	return (r);
}

START_TEST(probe_200_is_good)
{
	char why[200];

	ck_assert_int_eq(probe_answer("HTTP/1.0 200 OK\r\n\r\nok\n", why,
	    sizeof(why)), HTTP_GOOD);
	ck_assert_str_eq(why, "200");
}
END_TEST

START_TEST(probe_500_is_bad)
{
	char why[200];

	ck_assert_int_eq(probe_answer("HTTP/1.0 500 No\r\n\r\n", why,
	    sizeof(why)), HTTP_BAD);
	ck_assert_str_eq(why, "500");
}
END_TEST

START_TEST(probe_silence_is_bad)
{
	char why[200];

	ck_assert_int_eq(probe_answer(NULL, why, sizeof(why)), HTTP_BAD);
}
END_TEST

START_TEST(probe_refused_connection_is_bad)
{
	char why[200], url[64];
	pid_t pid;

	pid = serve("x", url, sizeof(url));
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	ck_assert_int_eq(http_probe(url, 300, why, sizeof(why)), HTTP_BAD);
}
END_TEST

START_TEST(probe_that_cannot_be_made_counts_apart)
{
	char why[200];

	ck_assert_int_eq(http_probe("file:///etc/passwd", 300, why,
	    sizeof(why)), HTTP_NOT_MADE);
	ck_assert_int_eq(http_probe("http://no.such.host.invalid/", 300, why,
	    sizeof(why)), HTTP_NOT_MADE);
}
END_TEST

static enum hook_result
read_text(const char *text, int *code)
{
	char why[200];

	if (text == NULL)
		(void)unlink(file);
	else
		ck_assert_int_eq(fs_write_atomic(AT_FDCWD, file, text,
		    strlen(text), 0600), 0);
	*code = -1;
	return (hook_result_read(file, code, why, sizeof(why)));
}

START_TEST(result_is_read)
{
	int code;

	ck_assert_int_eq(read_text("exit 0\n", &code), HOOK_ENDED);
	ck_assert_int_eq(code, 0);
	ck_assert_int_eq(read_text("exit 2\n", &code), HOOK_ENDED);
	ck_assert_int_eq(code, 2);
}
END_TEST

START_TEST(result_absent_is_none)
{
	int code;

	ck_assert_int_eq(read_text(NULL, &code), HOOK_NONE);
}
END_TEST

START_TEST(result_of_another_form_is_refused)
{
	static const char *const bad[] = { "", "0\n", "exit 0", "exit -1\n",
	    "exit 256\n", "exit 0\nexit 1\n", "exit  0\n", "exit 0x\n",
	    "exit \n" };
	size_t i;
	int code;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_int_eq(read_text(bad[i], &code), HOOK_BAD);
		ck_assert_int_eq(code, -1);
	}
}
END_TEST

START_TEST(result_behind_a_link_is_refused)
{
	char why[200];
	int code;

	(void)read_text(NULL, &code);
	ck_assert_int_eq(symlink("/etc/hostname", file), 0);
	ck_assert_int_eq(hook_result_read(file, &code, why, sizeof(why)),
	    HOOK_BAD);
	(void)unlink(file);
	ck_assert_int_eq(mkfifo(file, 0600), 0);
	ck_assert_int_eq(hook_result_read(file, &code, why, sizeof(why)),
	    HOOK_BAD);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("finalizerd monitor");
	TCase *tc = tcase_create("monitor");
	SRunner *sr;
	int failed;

	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, judge_healthy);
	tcase_add_test(tc, judge_degraded_above_the_ratio);
	tcase_add_test(tc, judge_too_few_is_inconclusive);
	tcase_add_test(tc, probe_200_is_good);
	tcase_add_test(tc, probe_500_is_bad);
	tcase_add_test(tc, probe_silence_is_bad);
	tcase_add_test(tc, probe_refused_connection_is_bad);
	tcase_add_test(tc, probe_that_cannot_be_made_counts_apart);
	tcase_add_test(tc, result_is_read);
	tcase_add_test(tc, result_absent_is_none);
	tcase_add_test(tc, result_of_another_form_is_refused);
	tcase_add_test(tc, result_behind_a_link_is_refused);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed == 0 ? 0 : 1);
}
