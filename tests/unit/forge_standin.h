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

#ifndef TESTS_FORGE_STANDIN_H
#define TESTS_FORGE_STANDIN_H

/*
 * The forge of tests/standin, with one repository and one user who may write.
 * A case calls fs_start() first and fs_stop() last.
 */

#include <sys/wait.h>

#include <check.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "libcommon/git_tmp.h"
#include "libcommon/http.h"

#define FS		static __attribute__((unused))
#define FS_TOKEN	"tok-0123456789abcdef"
#define FS_REPO		"acme/demo"

static char fs_dir[64], fs_base[64], fs_git[128];
static pid_t fs_pid;

FS void
fs_pause(unsigned int ms)
{
	struct timespec ts = { ms / 1000, (long)(ms % 1000) * 1000000 };

	nanosleep(&ts, NULL);
}

FS void
fs_exec(const char *version, const char *check, const char *ready)
{
	char root[128];
	const char *const argv[] = { "python3", "tests/standin/forge.py",
	    "--root", root, "--version", version, "--check", check,
	    "--user", "bot:" FS_TOKEN ":write", "--user",
	    "boss:tok-boss:read,write,admin", "--repo", FS_REPO, "--ready",
	    ready, NULL };

	(void)snprintf(root, sizeof(root), "%s/root", fs_dir);
	if (freopen("/dev/null", "w", stdout) == NULL)
		_exit(126);
	execvp(argv[0], (char *const *)(uintptr_t)argv);
	_exit(127);
}

/* Start it and wait until it listens; check: seconds of a conflict check. */
FS void
fs_start(const char *version, const char *check)
{
	char ready[128];
	FILE *f = NULL;
	int i;

	(void)snprintf(fs_dir, sizeof(fs_dir), "/tmp/orchd-forge-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(fs_dir));
	(void)snprintf(ready, sizeof(ready), "%s/ready", fs_dir);
	(void)fflush(NULL);
	if ((fs_pid = fork()) == 0)
		fs_exec(version, check, ready);
	ck_assert_int_ne(fs_pid, -1);
	for (i = 0; i < 600 && (f = fopen(ready, "r")) == NULL; i++)
		fs_pause(50);
	ck_assert_ptr_nonnull(f);
	ck_assert_ptr_nonnull(fgets(fs_base, sizeof(fs_base), f));
	fclose(f);
	fs_base[strcspn(fs_base, "\n")] = '\0';
	if (fs_base[strlen(fs_base) - 1] == '/')
		fs_base[strlen(fs_base) - 1] = '\0';
	(void)snprintf(fs_git, sizeof(fs_git), "%s/%s.git", fs_base, FS_REPO);
}

FS void
fs_stop(void)
{
	(void)kill(fs_pid, SIGKILL);
	(void)waitpid(fs_pid, NULL, 0);
	git_tmp_remove(fs_dir);
}

/* Ask it; the answer's body lives until the next call.  Its status. */
FS long
fs_call(const char *token, const char *method, const char *path,
    const char *body, const char **answer)
{
	static struct http_reply hp;
	char url[512], auth[128];
	const char *const headers[] = { auth, "Content-Type: application/json",
	    NULL };
	struct http_request hr = { .hr_method = method, .hr_url = url,
	    .hr_headers = headers, .hr_body = body,
	    .hr_len = body == NULL ? 0 : strlen(body), .hr_max = 32U << 20 };

	(void)snprintf(url, sizeof(url), "%s%s", fs_base, path);
	(void)snprintf(auth, sizeof(auth), "Authorization: token %s", token);
	http_reply_free(&hp);
	ck_assert_msg(http_do(&hr, &hp) == 0, "%s: %s", path, hp.hp_err);
	if (answer != NULL)
		*answer = hp.hp_body != NULL ? hp.hp_body : "";
	return (hp.hp_status);
}

/* Order a fault; members of its JSON. */
FS void
fs_fault(const char *json)
{
	ck_assert_int_lt(fs_call("tok-boss", "POST", "/_standin/faults", json,
	    NULL), 300);
}

/* How often a text occurs in what the stand-in says of itself. */
FS unsigned int
fs_count(const char *path, const char *text)
{
	const char *p;
	unsigned int n = 0;

	ck_assert_int_eq(fs_call("tok-boss", "GET", path, NULL, &p), 200);
	for (; (p = strstr(p, text)) != NULL; p += strlen(text))
		n++;
	return (n);
}

#endif
