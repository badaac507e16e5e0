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

/* Sockets that a service manager passes along. */

#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <check.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "orchd/parent.h"

static struct conf_listen lines[4];
static char path[] = "/etc/orchd.conf";
static struct conf cf = { .cf_path = path, .cf_listen = lines };
static char err[512];

/* A socket on an address, listening or not; port 0: any. */
static int
tcp(const char *addr, uint16_t port, int listening)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
	    .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_eq(inet_pton(AF_INET, addr, &sin.sin_addr), 1);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	if (listening)
		ck_assert_int_eq(listen(fd, 4), 0);
	return (fd);
}

static uint16_t
port_of(int fd)
{
	struct sockaddr_in sin;
	socklen_t len = sizeof(sin);

	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	return (ntohs(sin.sin_port));
}

/* The next listen line. */
static void
line(enum conf_listen_role role, const char *addr, uint16_t port)
{
	struct conf_listen *li = &lines[cf.cf_nlisten++];
	struct sockaddr_in sin = { .sin_family = AF_INET,
	    .sin_port = htons(port) };

	memset(li, 0, sizeof(*li));
	ck_assert_int_eq(inet_pton(AF_INET, addr, &sin.sin_addr), 1);
	memcpy(&li->li_sa, &sin, sizeof(sin));
	li->li_role = role;
	li->li_port = port;
	li->li_loc.cl_file = path;
	li->li_loc.cl_line = 7;
}

static void
passed(int fd, const char *name)
{
	ck_assert_msg(passed_add(fd, name, err, sizeof(err)) == 0, "%s", err);
}

static void
setup(void)
{
	free(par.p_passed);
	memset(&par, 0, sizeof(par));
	cf.cf_nlisten = 0;
}

START_TEST(a_line_gets_the_socket_of_its_address)
{
	int a = tcp("127.0.0.1", 0, 1), b = tcp("127.0.0.1", 0, 1), fds[4];

	passed(a, "orchd.socket");
	passed(b, "orchd.socket");
	line(CONF_LISTEN_PAGE, "127.0.0.1", port_of(b));
	line(CONF_LISTEN_WEBHOOK, "127.0.0.1", 1);
	line(CONF_LISTEN_WEBHOOK, "127.0.0.1", port_of(a));
	ck_assert_int_eq(passed_match(&cf, fds, err, sizeof(err)), 0);
	ck_assert_int_eq(fds[0], b);
	ck_assert_int_eq(fds[1], -1);
	ck_assert_int_eq(fds[2], a);
	ck_assert(passed_is(a) && passed_is(b) && !passed_is(0));
	ck_assert_int_eq(fcntl(a, F_GETFD), FD_CLOEXEC);
}
END_TEST

START_TEST(the_name_stands_in_for_the_address_and_never_before_it)
{
	int a = tcp("127.0.0.1", 0, 1), b = tcp("127.0.0.1", 0, 1), fds[4];

	passed(a, "webhook");
	passed(b, "webhook");
	line(CONF_LISTEN_PAGE, "127.0.0.1", 1);
	line(CONF_LISTEN_WEBHOOK, "127.0.0.1", port_of(b));
	line(CONF_LISTEN_WEBHOOK, "127.0.0.1", 2);
	ck_assert_int_eq(passed_match(&cf, fds, err, sizeof(err)), 0);
	ck_assert_int_eq(fds[0], -1);
	ck_assert_int_eq(fds[1], b);
	ck_assert_int_eq(fds[2], a);
}
END_TEST

START_TEST(one_that_is_for_no_line_is_refused_in_words)
{
	int a = tcp("127.0.0.1", 0, 1), fds[4];
	char want[64];

	passed(a, "orchd.socket");
	line(CONF_LISTEN_WEBHOOK, "127.0.0.1", 2);
	ck_assert_int_eq(passed_match(&cf, fds, err, sizeof(err)), -1);
	(void)snprintf(want, sizeof(want), "127.0.0.1 port %u",
	    (unsigned int)port_of(a));
	ck_assert_ptr_nonnull(strstr(err, want));
	ck_assert_ptr_nonnull(strstr(err, "orchd.socket"));
	ck_assert_ptr_nonnull(strstr(err, "no listen line"));
	/* The page's line is not for what is called webhook. */
	setup();
	passed(a, "webhook");
	line(CONF_LISTEN_PAGE, "127.0.0.1", 2);
	ck_assert_int_eq(passed_match(&cf, fds, err, sizeof(err)), -1);
}
END_TEST

START_TEST(a_name_that_contradicts_its_line_is_refused)
{
	int a = tcp("127.0.0.1", 0, 1), fds[4];

	passed(a, "page");
	line(CONF_LISTEN_WEBHOOK, "127.0.0.1", port_of(a));
	ck_assert_int_eq(passed_match(&cf, fds, err, sizeof(err)), -1);
	ck_assert_ptr_nonnull(strstr(err, "/etc/orchd.conf:7: "));
	ck_assert_ptr_nonnull(strstr(err, "named page"));
}
END_TEST

START_TEST(what_cannot_be_listened_on_is_refused)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int un = socket(AF_UNIX, SOCK_STREAM, 0), pair[2];

	ck_assert_int_eq(bind(un, (struct sockaddr *)&sun,
	    sizeof(sa_family_t)), 0);
	ck_assert_int_eq(listen(un, 1), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	ck_assert_int_eq(passed_add(un, "a", err, sizeof(err)), -1);
	ck_assert_int_eq(passed_add(pair[0], "b", err, sizeof(err)), -1);
	ck_assert_int_eq(passed_add(tcp("127.0.0.1", 0, 0), "c", err,
	    sizeof(err)), -1);
	ck_assert_int_eq(passed_add(socket(AF_INET, SOCK_DGRAM, 0), "d", err,
	    sizeof(err)), -1);
	ck_assert_int_eq(passed_add(open("/dev/null", O_RDONLY), "e", err,
	    sizeof(err)), -1);
	ck_assert_int_eq(passed_add(999, "closed", err, sizeof(err)), -1);
	ck_assert_ptr_nonnull(strstr(err, "descriptor 999 (closed)"));
	ck_assert_uint_eq(par.p_npassed, 0);
}
END_TEST

/* The environment as systemd makes it. */
static void
environment(long pid, const char *n, const char *names)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%ld", pid);
	setenv("LISTEN_PID", text, 1);
	setenv("LISTEN_FDS", n, 1);
	setenv("LISTEN_FDNAMES", names, 1);
}

/* In a process of its own: descriptors 3 and 4 belong to others here. */
static int
takes_two(int a, int b)
{
	if (dup2(a, 3) != 3 || dup2(b, 4) != 4)
		return (1);
	environment(getpid(), "2", "webhook:page");
	if (passed_take() == -1 || par.p_npassed != 2)
		return (2);
	if (par.p_passed[0].pa_fd != 3 || par.p_passed[1].pa_fd != 4 ||
	    strcmp(par.p_passed[0].pa_name, "webhook") != 0 ||
	    strcmp(par.p_passed[1].pa_name, "page") != 0)
		return (3);
	if (getenv("LISTEN_PID") != NULL || getenv("LISTEN_FDS") != NULL ||
	    getenv("LISTEN_FDNAMES") != NULL)
		return (4);
	return (0);
}

START_TEST(the_environment_says_which_and_is_cleared)
{
	int a = fcntl(tcp("127.0.0.1", 0, 1), F_DUPFD, 20);
	int b = fcntl(tcp("127.0.0.1", 0, 1), F_DUPFD, 20), status;
	pid_t pid;

	if ((pid = fork()) == 0)
		_exit(takes_two(a, b));
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(what_was_meant_for_another_process_is_not_taken)
{
	environment(getppid(), "1", "webhook");
	ck_assert_int_eq(passed_take(), 0);
	ck_assert_uint_eq(par.p_npassed, 0);
	ck_assert_ptr_null(getenv("LISTEN_FDS"));
	ck_assert_int_eq(passed_take(), 0);
}
END_TEST

START_TEST(nonsense_in_the_environment_is_refused)
{
	environment(getpid(), "-1", "");
	ck_assert_int_eq(passed_take(), -1);
	environment(getpid(), "33", "");
	ck_assert_int_eq(passed_take(), -1);
	environment(getpid(), "x", "");
	ck_assert_int_eq(passed_take(), -1);
	setenv("LISTEN_PID", "me", 1);
	setenv("LISTEN_FDS", "1", 1);
	ck_assert_int_eq(passed_take(), -1);
}
END_TEST

START_TEST(loopback_is_what_the_socket_says)
{
	int six = socket(AF_INET6, SOCK_STREAM, 0);
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6,
	    .sin6_addr = IN6ADDR_LOOPBACK_INIT };

	ck_assert(passed_is_loopback(tcp("127.0.0.1", 0, 1)));
	ck_assert(passed_is_loopback(tcp("127.8.9.1", 0, 1)));
	ck_assert(!passed_is_loopback(tcp("0.0.0.0", 0, 1)));
	ck_assert(!passed_is_loopback(-1));
	if (six != -1 && bind(six, (struct sockaddr *)&sin6,
	    sizeof(sin6)) == 0)
		ck_assert(passed_is_loopback(six));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("orchd_passed");
	TCase *tc = tcase_create("passed");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, a_line_gets_the_socket_of_its_address);
	tcase_add_test(tc,
	    the_name_stands_in_for_the_address_and_never_before_it);
	tcase_add_test(tc, one_that_is_for_no_line_is_refused_in_words);
	tcase_add_test(tc, a_name_that_contradicts_its_line_is_refused);
	tcase_add_test(tc, what_cannot_be_listened_on_is_refused);
	tcase_add_test(tc, the_environment_says_which_and_is_cleared);
	tcase_add_test(tc, what_was_meant_for_another_process_is_not_taken);
	tcase_add_test(tc, nonsense_in_the_environment_is_refused);
	tcase_add_test(tc, loopback_is_what_the_socket_says);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed != 0);
}
