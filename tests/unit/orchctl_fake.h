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

#ifndef ORCHCTL_FAKE_H
#define ORCHCTL_FAKE_H

/*
 * For the tests of orchctl: text captured in memory, and an engine that is a
 * child process, answers from a script and writes down what it was asked.
 */

#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <bsd/string.h>
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libcommon/chan.h"
#include "orchctl/orchctl.h"
#include "proto/proto.h"

struct captured {
	struct out	 out;
	char		*text;
	size_t		 len;
};

static inline void
capture(struct captured *cap, int width)
{
	memset(cap, 0, sizeof(*cap));
	cap->out.o_fp = open_memstream(&cap->text, &cap->len);
	ck_assert_ptr_nonnull(cap->out.o_fp);
	cap->out.o_width = width;
	cap->out.o_utf8 = 1;
	cap->out.o_now = 1763000000;	/* 2025-11-13T02:13:20Z */
}

static inline const char *
captured(struct captured *cap)
{
	ck_assert_int_eq(fflush(cap->out.o_fp), 0);
	return (cap->text);
}

static inline void
capture_end(struct captured *cap)
{
	fclose(cap->out.o_fp);
	free(cap->text);
}

static inline json_t *
parse(const char *text)
{
	json_error_t err;
	json_t *doc = json_loads(text, 0, &err);

	ck_assert_msg(doc != NULL, "%s: %s", text, err.text);
	return (doc);
}

/* One answer of the script. */
struct reply {
	uint8_t		 result;
	const char	*text;
	const char	*json;
	const char	*file;		/* its descriptor comes along */
	size_t		 parts;		/* how many pieces; 0 is one */
	int		 hang_up;	/* close instead */
};

struct engine {
	char		 dir[64];
	char		 path[96];
	char		 asked[96];	/* what it was asked, a line each */
	pid_t		 pid;
};

static inline void
fake_note(FILE *fp, const struct orch_header *h, const union orch_any *m)
{
	const struct orch_strs *args = NULL;
	const char *s = NULL;

	if (h->h_type == ORCH_hello)
		fprintf(fp, "hello role=%u minor=%u", m->hello.role,
		    m->hello.minor);
	else if (h->h_type == ORCH_query) {
		fprintf(fp, "query verb=%s object=%s", m->query.verb,
		    m->query.object);
		args = &m->query.args;
	} else if (h->h_type == ORCH_action) {
		fprintf(fp, "action verb=%s task=%s stage=%s seq=%u commit=%s "
		    "text=%zu", m->action.verb, m->action.task,
		    m->action.stage, (unsigned int)m->action.seq,
		    m->action.commit, strlen(m->action.text));
		args = &m->action.args;
	}
	while (args != NULL && (s = orch_strs_next(args, s)) != NULL)
		fprintf(fp, " [%s]", s);
	fputc('\n', fp);
	fflush(fp);
}

static inline void
fake_answer(int s, uint32_t id, const struct reply *r)
{
	struct orch_answer m;
	size_t i, parts = r->parts == 0 ? 1 : r->parts;
	size_t len = r->json == NULL ? 0 : strlen(r->json);
	FILE *fp = r->file == NULL ? NULL : fopen(r->file, "r");

	for (i = 0; i < parts; i++) {
		memset(&m, 0, sizeof(m));
		m.result = r->result;
		m.more = i + 1 < parts;
		m.text = r->text;
		m.json.b_data = (const uint8_t *)r->json + len * i / parts;
		m.json.b_len = len * (i + 1) / parts - len * i / parts;
		chan_write_one(s, ORCH_answer, id, &m,
		    i == 0 && fp != NULL ? fileno(fp) : -1, 5000);
	}
	if (fp != NULL)
		fclose(fp);
}

static inline void
fake_serve(int s, const struct reply *replies, size_t n, const char *refuse,
    FILE *asked)
{
	static size_t next;
	struct orch_header h;
	struct orch_hello_ok ok = { 0, 0 };
	struct orch_hello_no no = { refuse };
	union orch_any msg;
	uint8_t *frame;
	int fd;

	while (chan_read_one(s, FROM_CTL, &h, &msg, &frame, &fd, 5000) == 0) {
		fake_note(asked, &h, &msg);
		free(frame);
		if (h.h_type == ORCH_hello && refuse != NULL)
			chan_write_one(s, ORCH_hello_no, h.h_id, &no, -1,
			    5000);
		else if (h.h_type == ORCH_hello)
			chan_write_one(s, ORCH_hello_ok, h.h_id, &ok, -1,
			    5000);
		else if (next == n || replies[next++].hang_up)
			return;
		else
			fake_answer(s, h.h_id, &replies[next - 1]);
	}
}

/* Start an engine that gives n answers, one after the other. */
static inline void
engine_start(struct engine *e, const struct reply *replies, size_t n,
    const char *refuse)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	FILE *asked;
	int l, s;

	snprintf(e->dir, sizeof(e->dir), "/tmp/orchctl-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(e->dir));
	snprintf(e->path, sizeof(e->path), "%s/control.sock", e->dir);
	snprintf(e->asked, sizeof(e->asked), "%s/asked", e->dir);
	memcpy(sun.sun_path, e->path, strlen(e->path) + 1);
	ck_assert_int_ge(l = socket(AF_UNIX, SOCK_STREAM, 0), 0);
	ck_assert_int_eq(bind(l, (struct sockaddr *)&sun, sizeof(sun)), 0);
	ck_assert_int_eq(listen(l, 5), 0);
	ck_assert_int_ge(e->pid = fork(), 0);
	if (e->pid == 0) {
		asked = fopen(e->asked, "w");
		while (asked != NULL && (s = accept(l, NULL, NULL)) != -1) {
			fake_serve(s, replies, n, refuse, asked);
			close(s);
		}
		_exit(0);
	}
	close(l);
}

/* End it; true when it was asked a line that holds each of the texts. */
static inline int
engine_asked(struct engine *e, const char *one, const char *two)
{
	char line[4096];
	FILE *fp = fopen(e->asked, "r");
	int found = 0;

	ck_assert_ptr_nonnull(fp);
	while (fgets(line, sizeof(line), fp) != NULL)
		found |= strstr(line, one) != NULL &&
		    strstr(line, two) != NULL;
	fclose(fp);
	return (found);
}

static inline void
engine_end(struct engine *e)
{
	kill(e->pid, SIGKILL);
	waitpid(e->pid, NULL, 0);
	unlink(e->path);
	unlink(e->asked);
	ck_assert_int_eq(rmdir(e->dir), 0);
}

/* Run a verb as main() would, its text for people captured. */
static inline enum ctl_exit
run_verb(struct captured *cap, const char *path, const char *const *args)
{
	struct ctx c;
	const char *argv[16];
	enum ctl_exit res;
	int argc;

	memset(&c, 0, sizeof(c));
	c.c_client.cl_fd = -1;
	c.c_socket = path;
	c.c_out = cap->out;
	for (argc = 0; args[argc] != NULL && argc < 15; argc++)
		argv[argc] = args[argc];
	argv[argc] = NULL;
	ck_assert_int_eq(verb_find(argv[0], &c.c_verb), LOOKUP_OK);
	optind = 0;
	res = c.c_verb->v_run(&c, argc, (char **)(uintptr_t)argv);
	client_close(&c.c_client);
	return (res);
}

static inline int
run_suite(const char *name, void (*fill)(TCase *))
{
	Suite *s = suite_create(name);
	TCase *t = tcase_create(name);
	SRunner *r;
	int failed;

	fill(t);
	tcase_set_timeout(t, 20);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return (failed == 0 ? 0 : 1);
}

#endif
