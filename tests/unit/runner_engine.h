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

#ifndef TESTS_RUNNER_ENGINE_H
#define TESTS_RUNNER_ENGINE_H

/*
 * A small engine for tests of the runner: a Unix socket on which this process
 * speaks the protocol, a mirror with one commit, and a runner in a child.
 */

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "libcommon/chan.h"
#include "libcommon/fsutil.h"
#include "libcommon/git.h"
#include "libcommon/git_run.h"
#include "libcommon/sandbox.h"
#include "libcommon/shim.h"
#include "runner/runner.h"

#define TE_WAIT		30000	/* ms for any one message */

struct te {
	char			 dir[64];
	char			 sock[96];
	char			 mirror[96];
	char			 work[96];
	char			 ws[96];
	char			 log[96];
	char			 self[PATH_MAX];
	char			 head[41];
	int			 lfd;
	int			 fd;
	pid_t			 pid;
	struct orch_run_spec	 spec;
	struct orch_run_go	 go;
	uint8_t			 key[32];
	/* what the runner said */
	int			 exit_seen;
	struct orch_run_exit	 exit;
	struct orch_run_done	 done;
	uint8_t			*frame;
	int			 bundle;
};

/* The test program is the shim as well. */
static inline int
te_inside(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "-S") == 0)
		return (shim_main(argc, argv));
	if (argc > 1 && strcmp(argv[1], "-W") == 0)
		return (inside_patient(argv + 2));
	if (argc > 1 && strcmp(argv[1], "-D") == 0)
		return (deliver_inside(argc - 1, argv + 1));
	if (argc > 1 && strcmp(argv[1], "-G") == 0)
		return (staging_inside(argc - 1, argv + 1));
	return (-1);
}

static inline void
te_git(const char *dir, const char *const *argv, char *out, size_t len)
{
	char err[256];
	struct git_cmd gc = { .gc_dir = dir, .gc_argv = argv };
	struct git_out go;

	ck_assert_msg(git_run(&gc, &go, err, sizeof(err)) == 0, "%s", err);
	ck_assert_msg(go.go_exit == 0, "git %s: %s", argv[0], go.go_said);
	if (out != NULL) {
		(void)snprintf(out, len, "%s", go.go_out);
		out[strcspn(out, "\n")] = '\0';
	}
	git_out_free(&go);
}

/* A commit with these files on top of parent (NULL: none); moves main. */
static inline void
te_commit(struct te *te, const char *branch, const char *parent,
    const struct git_file *files, size_t n, char out[41])
{
	struct git_repo repo;
	struct git_who who = { "test", "test@example.invalid", 1700000000 };
	char err[256], ref[128];

	ck_assert_int_eq(git_open(&repo, te->mirror, err, sizeof(err)),
	    GIT_OK);
	ck_assert_msg(git_write_files_commit(&repo, parent, files, n, "test",
	    &who, out, err, sizeof(err)) == GIT_OK, "%s", err);
	(void)snprintf(ref, sizeof(ref), "refs/heads/%s", branch);
	ck_assert_msg(git_update_ref(&repo, ref, out, parent != NULL &&
	    strcmp(branch, "main") == 0 ? parent : GIT_ZERO_OID, err,
	    sizeof(err)) == GIT_OK, "%s", err);
}

static inline void
te_listen(struct te *te)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	(void)unlink(te->sock);
	te->lfd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(te->lfd, 0);
	(void)snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", te->sock);
	ck_assert_int_eq(bind(te->lfd, (struct sockaddr *)&sun, sizeof(sun)),
	    0);
	ck_assert_int_eq(listen(te->lfd, 4), 0);
}

static inline void
te_open(struct te *te, enum orch_kind kind)
{
	const char *const init[] = { "init", "-q", "--bare", "-b", "main",
	    NULL, NULL };
	const char *argv[7];
	const struct git_file readme = { "README", "hello\n", 6 };

	memset(te, 0, sizeof(*te));
	te->lfd = te->fd = te->bundle = -1;
	(void)snprintf(te->dir, sizeof(te->dir), "/tmp/orchd-runner-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(te->dir));
	(void)snprintf(te->sock, sizeof(te->sock), "%s/s", te->dir);
	(void)snprintf(te->mirror, sizeof(te->mirror), "%s/m.git", te->dir);
	(void)snprintf(te->ws, sizeof(te->ws), "%s/ws", te->dir);
	(void)snprintf(te->work, sizeof(te->work), "%s/ws/7", te->dir);
	(void)snprintf(te->log, sizeof(te->log), "%s/log", te->dir);
	ck_assert(realpath("/proc/self/exe", te->self) != NULL);
	memcpy(argv, init, sizeof(init));
	argv[5] = te->mirror;
	te_git(NULL, argv, NULL, 0);
	te_commit(te, "main", NULL, &readme, 1, te->head);
	ck_assert_int_eq(fs_mkdir_p(te->ws, 0755), 0);
	memset(te->key, 7, sizeof(te->key));
	te->spec.run = 7;
	te->spec.kind = (uint8_t)kind;
	te->spec.key.b_data = te->key;
	te->spec.key.b_len = sizeof(te->key);
	te->spec.socket = te->sock;
	te->spec.project = "tally";
	te->spec.mirror = te->mirror;
	te->spec.workroot = te->work;
	te->spec.self = te->self;
	te->spec.timeout_s = 20;
	te->spec.grace_s = 1;
	te->spec.sandbox = SANDBOX_BWRAP;
	te->spec.log_max = 1 << 20;
	te->go.run = 7;
	te->go.task = "T-1";
	te->go.title = "A \"title\"";
	te->go.stage = "development";
	te->go.role = "developer";
	te->go.branch = "feature/T-1-x";
	te->go.target = "main";
	te->go.base = te->go.head = te->go.commit = te->head;
	te_listen(te);
}

/* Start a runner as the parent would: RUN_SPEC through the codec. */
static inline void
te_start(struct te *te)
{
	static union orch_any msg;
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	const char *field = "";
	uint8_t *frame;
	size_t len;
	int log, rc;

	ck_assert_msg(orch_encode(ORCH_run_spec, 1, &te->spec, &frame, &len,
	    &field) == 0, "%s", field);
	ck_assert_int_eq(orch_decode(ORCH_run_spec, frame + ORCH_HEADER_SIZE,
	    len - ORCH_HEADER_SIZE, ORCH_EXACT, &msg, &field), 0);
	log = open(te->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	ck_assert_int_ge(log, 0);
	if ((te->pid = fork()) == 0) {
		close(te->lfd);
		(void)dup2(log, STDERR_FILENO);
		(void)sigaction(SIGPIPE, &ignore, NULL);
		rc = run_serve(&msg.run_spec, log);
		free(frame);
		close(log);
		exit(rc);
	}
	close(log);
	free(frame);
}

/* Accept, HELLO, HELLO_OK, GO. */
static inline void
te_accept(struct te *te, int go)
{
	struct orch_hello_ok ok = { .minor = ORCH_PROTO_MINOR };
	struct orch_header hdr;
	union orch_any msg;
	uint8_t *frame;
	int fd = -1;

	te->fd = accept4(te->lfd, NULL, NULL, SOCK_CLOEXEC);
	ck_assert_int_ge(te->fd, 0);
	ck_assert_int_eq(chan_read_one(te->fd, FROM_RUNNER, &hdr, &msg, &frame,
	    &fd, TE_WAIT), 0);
	ck_assert_int_eq(hdr.h_type, ORCH_hello);
	ck_assert_uint_eq(msg.hello.run, 7);
	ck_assert_uint_eq(msg.hello.role, ROLE_RUNNER);
	ck_assert_uint_eq(msg.hello.key.b_len, 32);
	ck_assert_mem_eq(msg.hello.key.b_data, te->key, 32);
	ck_assert_str_ne(msg.hello.ident, "");
	ck_assert_int_eq(chan_write_one(te->fd, ORCH_hello_ok, hdr.h_id, &ok,
	    -1, TE_WAIT), 0);
	free(frame);
	if (go)
		ck_assert_int_eq(chan_write_one(te->fd, ORCH_run_go, 5,
		    &te->go, te->bundle, TE_WAIT), 0);
}

static inline void
te_ack(struct te *te, uint32_t id, enum orch_result res)
{
	struct orch_ack ack = { .result = (uint8_t)res, .text = "" };

	ck_assert_int_eq(chan_write_one(te->fd, ORCH_ack, id, &ack, -1,
	    TE_WAIT), 0);
}

/* Read one message; its frame replaces the last one. */
static inline unsigned int
te_read(struct te *te, struct orch_header *hdr, union orch_any *msg)
{
	int fd = -1;

	free(te->frame);
	te->frame = NULL;
	ck_assert_msg(chan_read_one(te->fd, FROM_RUNNER, hdr, msg, &te->frame,
	    &fd, TE_WAIT) == 0, "no message of the runner: %s",
	    strerror(errno));
	if (fd != -1) {
		if (te->bundle != -1)
			close(te->bundle);
		te->bundle = fd;
	}
	return (hdr->h_type);
}

/* Read RUN_EXIT and RUN_DONE and acknowledge both. */
static inline void
te_results(struct te *te)
{
	struct orch_header hdr;
	union orch_any msg;
	unsigned int type;

	if (te->bundle != -1)
		close(te->bundle);
	te->bundle = -1;
	for (;;) {
		type = te_read(te, &hdr, &msg);
		if (type == ORCH_run_session)
			continue;
		if (type == ORCH_run_exit) {
			te->exit_seen++;
			te->exit = msg.run_exit;
			te_ack(te, hdr.h_id, RES_OK);
			continue;
		}
		ck_assert_uint_eq(type, ORCH_run_done);
		te->done = msg.run_done;
		te_ack(te, hdr.h_id, RES_OK);
		return;
	}
}

/* The runner's exit status. */
static inline int
te_wait(struct te *te)
{
	int status;

	ck_assert_int_eq(waitpid(te->pid, &status, 0), te->pid);
	te->pid = 0;
	return (WIFEXITED(status) ? WEXITSTATUS(status) : 128);
}

/* The whole of it: start, go, results, end. */
static inline void
te_run(struct te *te)
{
	te_start(te);
	te_accept(te, 1);
	te_results(te);
	ck_assert_int_eq(te_wait(te), 0);
}

static inline int
te_exists(const struct te *te, const char *name)
{
	char path[256];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/%s", te->dir, name);
	return (lstat(path, &st) == 0);
}

/* Does the log have this text? */
static inline int
te_logged(const struct te *te, const char *text)
{
	char *buf;
	size_t len;
	int found;

	ck_assert_int_eq(fs_read_file(te->log, 64 << 20, &buf, &len), 0);
	found = strstr(buf, text) != NULL;
	free(buf);
	return (found);
}

/*
 * A long sleep that no other test on this machine has: fractions of a second
 * tell it apart.
 */
static inline const char *
te_sleep(void)
{
	static char text[32];

	(void)snprintf(text, sizeof(text), "sleep 4700.%07ld", (long)getpid());
	return (text);
}

/* The script with each SLEEP in it replaced by te_sleep(), until the next. */
static inline const char *
te_script(const char *script)
{
	static char text[256];
	const char *at;
	size_t n = 0;

	for (; (at = strstr(script, "SLEEP")) != NULL; script = at + 5) {
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%.*s%s",
		    (int)(at - script), script, te_sleep());
		ck_assert_uint_lt(n, sizeof(text));
	}
	n += (size_t)snprintf(text + n, sizeof(text) - n, "%s", script);
	ck_assert_uint_lt(n, sizeof(text));
	return (text);
}

/* Does the command line of this process have te_sleep() in it? */
static inline int
te_sleeps(const char *pid)
{
	char path[300], buf[4096];
	ssize_t n, i;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%s/cmdline", pid);
	if ((fd = open(path, O_RDONLY)) == -1)
		return (0);
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	for (i = 0; i < n; i++)
		if (buf[i] == '\0')
			buf[i] = ' ';
	buf[n > 0 ? n : 0] = '\0';
	return (strstr(buf, te_sleep()) != NULL);
}

/* How many processes have te_sleep() in their command line? */
static inline int
te_sleepers(void)
{
	struct dirent *de;
	DIR *d;
	int found = 0;

	ck_assert_ptr_nonnull(d = opendir("/proc"));
	while ((de = readdir(d)) != NULL)
		if (de->d_name[0] >= '1' && de->d_name[0] <= '9')
			found += te_sleeps(de->d_name);
	closedir(d);
	return (found);
}

static inline void
te_close(struct te *te)
{
	char err[256];

	if (te->pid > 0) {
		kill(te->pid, SIGKILL);
		(void)te_wait(te);
	}
	if (te->fd != -1)
		close(te->fd);
	close(te->lfd);
	if (te->bundle != -1)
		close(te->bundle);
	free(te->frame);
	ck_assert_msg(fs_remove_tree(AT_FDCWD, te->dir, err,
	    sizeof(err)) == 0, "%s", err);
}

#define STRS_OF(...) \
	{ .l_argv = (const char *const []){ __VA_ARGS__, NULL } }

#endif
