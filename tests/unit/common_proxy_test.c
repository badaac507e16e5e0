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
#include <sys/socket.h>

#include <netinet/in.h>

#include <check.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libcommon/fsutil.h"
#include "libcommon/proctree.h"
#include "libcommon/proxy.h"
#include "libcommon/sandbox.h"
#include "libcommon/shim.h"

static char			 self[PATH_MAX];
static char			 dir[64], sock[96];
static struct event_base	*base;
static struct evconnlistener	*upstream;
static int			 port;

/* What stands outside: it greets and hangs up. */
static void
greet(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *sa,
    int len, void *arg)
{
	ck_assert_int_eq((int)write(fd, "HELLO\n", 6), 6);
	close(fd);
}

static void
setup(void)
{
	struct sockaddr_in	 sin;
	socklen_t		 len = sizeof(sin);

	(void)snprintf(dir, sizeof(dir), "/tmp/orchd-proxy-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	(void)snprintf(sock, sizeof(sock), "%s/proxy.sock", dir);
	base = event_base_new();
	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	upstream = evconnlistener_new_bind(base, greet, NULL,
	    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 8,
	    (struct sockaddr *)&sin, (int)sizeof(sin));
	ck_assert_ptr_nonnull(upstream);
	ck_assert_int_eq(getsockname(evconnlistener_get_fd(upstream),
	    (struct sockaddr *)&sin, &len), 0);
	port = ntohs(sin.sin_port);
}

static void
teardown(void)
{
	evconnlistener_free(upstream);
	event_base_free(base);
	ck_assert_int_eq(fs_remove_tree(AT_FDCWD, dir, NULL, 0), 0);
}

static void
on_done(struct proctree *pt, const struct proctree_result *res, void *arg)
{
	*(struct proctree_result *)arg = *res;
	proctree_free(pt);
	(void)event_base_loopbreak(base);
}

/* Sends request (a printf(1) format) from inside the box; *res has the rest. */
static void
from_box(const char *host, const char *request, struct proctree_result *res)
{
	const char		*hosts[] = { host, NULL };
	char			 script[1024], err[256];
	const char *const	 argv[] = { "bash", "-c", script, NULL };
	const char *const	 env[] = { "PATH=/usr/bin:/bin", NULL };
	struct sandbox_opts	 so;
	struct proctree_opts	 o = PROCTREE_OPTS_INIT;
	struct proctree_fd	 fd;
	struct proxy		*px;
	char			**av;
	int			 sv[2];

	(void)snprintf(script, sizeof(script), "exec 3<>/dev/tcp/127.0.0.1/"
	    "3128; printf '%s' >&3; cat <&3", request);
	memset(&so, 0, sizeof(so));
	so.workdir = dir;
	so.shim = self;
	so.net = SANDBOX_NET_ALLOW;
	so.proxy_sock = sock;
	px = proxy_start(base, sock, hosts, err, sizeof(err));
	ck_assert_msg(px != NULL, "%s", err);
	ck_assert_msg(sandbox_wrap(&so, argv, &av, err, sizeof(err)) == 0,
	    "%s", err);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
	    sv), 0);
	ck_assert_int_eq((int)write(sv[0], "G", 1), 1);
	fd.src = sv[1];
	fd.dst = 3;
	o.argv = (const char *const *)av;
	o.envp = env;
	o.timeout_ms = 20000;
	o.pass_fds = &fd;
	o.npass_fds = 1;
	ck_assert_ptr_nonnull(proctree_start(base, &o, on_done, res, err,
	    sizeof(err)));
	(void)event_base_dispatch(base);
	close(sv[0]);
	close(sv[1]);
	sandbox_argv_free(av);
	proxy_free(px);
	ck_assert_int_eq(access(sock, F_OK), -1);
}

static void
expect(const char *host, const char *request, const char *what)
{
	struct proctree_result	 res;

	from_box(host, request, &res);
	ck_assert_msg(strstr(res.tail, what) != NULL, "%s: %s", request,
	    res.tail);
}

START_TEST(listed_host_passes)
{
	char	 host[64], request[128];

	(void)snprintf(host, sizeof(host), "localhost:%d", port);
	(void)snprintf(request, sizeof(request), "CONNECT LOCALHOST:%d "
	    "HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n", port);
	expect(host, request, "200 Connection established\n\nHELLO\n");
}
END_TEST

START_TEST(other_host_port_or_method_is_403)
{
	char	 host[64], request[128];

	(void)snprintf(host, sizeof(host), "localhost:%d", port);
	(void)snprintf(request, sizeof(request),
	    "CONNECT 127.0.0.1:%d HTTP/1.1\\r\\n\\r\\n", port);
	expect(host, request, "403 Forbidden");
	expect(host, "CONNECT localhost:22 HTTP/1.1\\r\\n\\r\\n",
	    "403 Forbidden");
	(void)snprintf(request, sizeof(request),
	    "GET http://localhost:%d/ HTTP/1.1\\r\\n\\r\\n", port);
	expect(host, request, "403 Forbidden");
	(void)snprintf(request, sizeof(request),
	    "CONNECT evil.localhost:%d HTTP/1.1\\r\\n\\r\\n", port);
	expect(host, request, "403 Forbidden");
}
END_TEST

START_TEST(subdomains_need_the_star)
{
	expect("*.example.org", "CONNECT example.org:443 HTTP/1.1\\r\\n\\r\\n",
	    "403 Forbidden");
	expect("*.example.org",
	    "CONNECT badexample.org:443 HTTP/1.1\\r\\n\\r\\n",
	    "403 Forbidden");
}
END_TEST

START_TEST(garbage_is_answered)
{
	expect("localhost", "HELLO\\r\\n\\r\\n", "400 Bad Request");
	expect("localhost", "CONNECT localhost:443\\0 HTTP/1.1\\r\\n\\r\\n",
	    "400 Bad Request");
	expect("localhost", "CONNECT localhost:1 HTTP/1.1\\r\\n\\r\\n",
	    "403 Forbidden");
}
END_TEST

START_TEST(refused_connection_is_502)
{
	expect("localhost:1", "CONNECT localhost:1 HTTP/1.1\\r\\n\\r\\n",
	    "502 Bad Gateway");
}
END_TEST

START_TEST(bad_host_in_the_list_is_refused)
{
	const char	*hosts[] = { "ok.example.org", "a b", NULL };
	char		 err[256];

	ck_assert_ptr_null(proxy_start(base, sock, hosts, err, sizeof(err)));
	ck_assert_ptr_nonnull(strstr(err, "\"a b\" is no host name"));
}
END_TEST

int
main(int argc, char **argv)
{
	Suite	*s = suite_create("proxy");
	TCase	*t = tcase_create("proxy");
	SRunner	*r;
	ssize_t	 n;
	int	 failed;

	if (argc > 1 && strcmp(argv[1], "-S") == 0)
		return (shim_main(argc, argv));
	if ((n = readlink("/proc/self/exe", self, sizeof(self) - 1)) == -1)
		return (1);
	self[n] = '\0';
	r = srunner_create(s);
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, listed_host_passes);
	tcase_add_test(t, other_host_port_or_method_is_403);
	tcase_add_test(t, subdomains_need_the_star);
	tcase_add_test(t, garbage_is_answered);
	tcase_add_test(t, refused_connection_is_502);
	tcase_add_test(t, bad_host_in_the_list_is_refused);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return (failed == 0 ? 0 : 1);
}
