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

#include <bsd/stdlib.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/proto.h"

#include "orchctl.h"

#define TEXT_MAX	65536		/* orchd-proto(7), action */
#define TITLE_MAX	200
#define ARGS_MAX	32

struct request {
	const char	*rq_file;
	const char	*rq_title;
	char		*rq_text;	/* allocated */
	char		*rq_args[ARGS_MAX + 1];
	size_t		 rq_nargs;
};

static void
request_free(struct request *rq)
{
	size_t i;

	for (i = 0; i < rq->rq_nargs; i++)
		free(rq->rq_args[i]);
	free(rq->rq_text);
}

static int
add_arg(struct request *rq, const char *key, const char *value)
{
	if (rq->rq_nargs == ARGS_MAX) {
		complain("submit: more than %d details", ARGS_MAX);
		return (-1);
	}
	if (asprintf(&rq->rq_args[rq->rq_nargs], "%s=%s", key, value) == -1) {
		complain("out of memory");
		return (-1);
	}
	rq->rq_nargs++;
	return (0);
}

/* Read at most TEXT_MAX bytes of text. */
static int
read_text(int fd, const char *name, char **text)
{
	char *buf;
	size_t len = 0;
	ssize_t n = 1;

	if ((buf = malloc(TEXT_MAX + 2)) == NULL)
		return (-1);
	while (len <= TEXT_MAX && n != 0) {
		n = read(fd, buf + len, TEXT_MAX + 1 - len);
		if (n == -1 && errno != EINTR) {
			complain("%s: %s", name, strerror(errno));
			goto fail;
		}
		len += n > 0 ? (size_t)n : 0;
	}
	if (len > TEXT_MAX) {
		complain("%s: a request has at most %d KiB", name,
		    TEXT_MAX / 1024);
		goto fail;
	}
	if (memchr(buf, '\0', len) != NULL) {
		complain("%s: it holds a NUL byte, so it is no text", name);
		goto fail;
	}
	buf[len] = '\0';
	*text = buf;
	return (0);
fail:
	free(buf);
	return (-1);
}

static int
read_request(struct request *rq)
{
	int fd, res;

	if (strcmp(rq->rq_file, "-") == 0)
		return (read_text(STDIN_FILENO, "stdin", &rq->rq_text));
	if ((fd = open(rq->rq_file, O_RDONLY | O_CLOEXEC)) == -1) {
		complain("%s: %s", rq->rq_file, strerror(errno));
		return (-1);
	}
	res = read_text(fd, rq->rq_file, &rq->rq_text);
	close(fd);
	return (res);
}

/* Without -t the first line of the request is the title. */
static int
add_title(struct request *rq)
{
	const char *p;
	char title[TITLE_MAX + 1];
	size_t n;

	if (rq->rq_title != NULL)
		return (add_arg(rq, "title", rq->rq_title));
	p = rq->rq_text + strspn(rq->rq_text, "# \t\r\n");
	n = strcspn(p, "\r\n");
	if (n == 0) {
		complain("submit: a title is missing (-t, or the first line "
		    "of the request)");
		return (-1);
	}
	if (n > TITLE_MAX) {
		complain("submit: the first line is too long for a title; "
		    "give one with -t");
		return (-1);
	}
	memcpy(title, p, n);
	title[n] = '\0';
	return (add_arg(rq, "title", title));
}

static int
take_option(struct ctx *c, struct request *rq, int ch)
{
	const char *err;

	switch (ch) {
	case 'd':
		return (add_arg(rq, "depends", optarg));
	case 'F':
		rq->rq_file = optarg;
		return (0);
	case 'm':
		free(rq->rq_text);
		return ((rq->rq_text = strdup(optarg)) == NULL ? -1 : 0);
	case 'n':
		strtonum(optarg, -1000000, 1000000, &err);
		if (err == NULL)
			return (add_arg(rq, "priority", optarg));
		complain("submit: priority \"%s\" is %s", optarg, err);
		return (-1);
	case 'p':
		return (add_arg(rq, "project", optarg));
	case 't':
		rq->rq_title = optarg;
		return (0);
	default:
		usage_verb(c->c_verb);
		return (-1);
	}
}

/* Options, then text and title: 0 when the request is whole. */
static int
make_request(struct ctx *c, struct request *rq, int argc, char **argv)
{
	int ch;

	while ((ch = verb_getopt(c, argc, argv, "d:F:m:n:p:t:")) != -1)
		if (take_option(c, rq, ch) == -1)
			return (-1);
	if (optind != argc || (rq->rq_file != NULL && rq->rq_text != NULL)) {
		usage_verb(c->c_verb);
		return (-1);
	}
	if (rq->rq_file != NULL && read_request(rq) == -1)
		return (-1);
	if (rq->rq_text == NULL && (rq->rq_text = strdup("")) == NULL)
		return (-1);
	return (add_title(rq));
}

enum ctl_exit
cmd_submit(struct ctx *c, int argc, char **argv)
{
	struct request rq;
	struct orch_action act;
	json_t *doc = NULL;
	enum ctl_exit res = CTL_REFUSED;

	memset(&rq, 0, sizeof(rq));
	memset(&act, 0, sizeof(act));
	if (make_request(c, &rq, argc, argv) == -1)
		goto done;
	act.verb = "submit";
	act.text = rq.rq_text;
	act.args.l_argv = (const char *const *)rq.rq_args;
	res = ask_action(c, &act, &doc);
	/* The new task's id is the result: scripts need it. */
	if (res == CTL_OK && !c->c_json && (c->c_quiet || !c->c_out.o_tty)) {
		out_put(&c->c_out, SHADE_NONE, "%s", jstr(doc, "id"));
		out_nl(&c->c_out);
	}
done:
	json_decref(doc);
	request_free(&rq);
	return (res);
}
