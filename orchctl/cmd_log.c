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

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "libcommon/monotime.h"

#include "orchctl.h"

#define LOOK_MS		200		/* between two looks at the file */
#define ASK_EVERY	5		/* looks between two questions */
#define AWAY_MS		60000		/* how long orchd may be away */

struct follow {
	struct ctx	*f_ctx;
	const char	*f_object;
	struct logview	 f_view;
	int64_t		 f_run;
	int		 f_fd;
	int		 f_running;
	struct monotime	 f_away;	/* since then nobody answers */
};

static int
follow_copy(struct follow *f)
{
	FILE *fp = f->f_ctx->c_out.o_fp;

	if (logview_copy(&f->f_view, f->f_fd, fp) == -1) {
		complain("the log of run %lld: %s", (long long)f->f_run,
		    strerror(errno));
		return (-1);
	}
	return (fflush(fp) == EOF ? -1 : 0);
}

/* The answer names a later run of the task: go on with that one. */
static void
follow_switch(struct follow *f, struct answer *a, const json_t *doc)
{
	struct out *o = &f->f_ctx->c_out;

	follow_copy(f);
	logview_end(&f->f_view, o->o_fp);
	memset(&f->f_view, 0, sizeof(f->f_view));
	close(f->f_fd);
	f->f_fd = a->a_fd;
	a->a_fd = -1;
	f->f_run = jint(doc, "run", -1);
	out_put(o, SHADE_DIM, "==> run %lld, %s <==", (long long)f->f_run,
	    jstr(doc, "kind"));
	out_nl(o);
}

/*
 * Does the run still run?  The run itself does not need orchd: while orchd is
 * away the log is followed on.
 */
static enum ctl_exit
follow_ask(struct follow *f)
{
	struct client *cl = &f->f_ctx->c_client;
	struct answer a;
	json_t *doc;

	if ((cl->cl_fd == -1 && client_open(cl, f->f_ctx->c_socket) !=
	    CTL_OK) || client_query(cl, "log", f->f_object, NULL, &a) !=
	    CTL_OK) {
		struct monotime now = monotime_now();

		if (f->f_away.mt_ns == 0)
			f->f_away = now;
		if (monotime_sub_ms(now, f->f_away) < AWAY_MS)
			return (CTL_OK);
		complain("%s", cl->cl_err);
		return (CTL_UNREACHED);
	}
	f->f_away.mt_ns = 0;
	doc = a.a_result == RES_OK ? ask_parse(&a, "log") : NULL;
	f->f_running = jbool(doc, "running");
	if (doc != NULL && a.a_fd != -1 && jint(doc, "run", -1) != f->f_run)
		follow_switch(f, &a, doc);
	json_decref(doc);
	answer_free(&a);
	return (CTL_OK);
}

static enum ctl_exit
follow_loop(struct follow *f)
{
	struct timespec pause = { .tv_nsec = LOOK_MS * 1000000L };
	enum ctl_exit res;
	int looks = 0;

	while (f->f_running) {
		nanosleep(&pause, NULL);
		if (++looks % ASK_EVERY == 0 &&
		    (res = follow_ask(f)) != CTL_OK)
			return (res);
		if (follow_copy(f) == -1)
			return (CTL_REFUSED);
	}
	return (CTL_OK);
}

static enum ctl_exit
show_log(struct ctx *c, const char *object, int fd, const json_t *doc,
    int follow)
{
	struct follow f;
	enum ctl_exit res = CTL_OK;

	memset(&f, 0, sizeof(f));
	f.f_ctx = c;
	f.f_object = object;
	f.f_fd = fd;
	f.f_run = jint(doc, "run", -1);
	f.f_running = follow && jbool(doc, "running");
	if (follow_copy(&f) == -1)
		res = CTL_REFUSED;
	else if (f.f_running)
		res = follow_loop(&f);
	logview_end(&f.f_view, c->c_out.o_fp);
	close(f.f_fd);
	return (res);
}

enum ctl_exit
cmd_log(struct ctx *c, int argc, char **argv)
{
	struct answer a;
	json_t *doc;
	enum ctl_exit res;
	int ch, follow = 0, fd;

	while ((ch = verb_getopt(c, argc, argv, "f")) != -1) {
		if (ch != 'f')
			return (usage_verb(c->c_verb));
		follow = 1;
	}
	if (argc - optind != 1)
		return (usage_verb(c->c_verb));
	res = ask_json(c, "log", argv[optind], NULL, &doc, &a);
	if (res != CTL_OK)
		return (res);
	fd = a.a_fd;
	a.a_fd = -1;
	if (c->c_json)
		json_write(c->c_out.o_fp, a.a_json, a.a_jsonlen);
	else if (fd == -1) {
		complain("there is no log of %s: it has not begun, or its "
		    "days are over (log_keep_days)", argv[optind]);
		res = CTL_REFUSED;
	} else {
		res = show_log(c, argv[optind], fd, doc, follow);
		fd = -1;
	}
	if (fd != -1)
		close(fd);
	json_decref(doc);
	answer_free(&a);
	return (res);
}
