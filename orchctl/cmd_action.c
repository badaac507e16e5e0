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
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "libcommon/monotime.h"
#include "proto/proto.h"

#include "orchctl.h"

#define TEXT_MAX	65536		/* orchd-proto(7), action */
#define STOP_WAIT_MS	60000

/* -m text, kept to what a message may carry. */
static int
take_text(struct ctx *c, const char *arg, const char **text)
{
	if (strlen(arg) > TEXT_MAX) {
		complain("%s: the text is longer than %d KiB",
		    c->c_verb->v_name, TEXT_MAX / 1024);
		return (-1);
	}
	*text = arg;
	return (0);
}

/* cancel, retry: [-m text] task */
enum ctl_exit
cmd_task(struct ctx *c, int argc, char **argv)
{
	struct orch_action act;
	int ch;

	memset(&act, 0, sizeof(act));
	act.verb = c->c_verb->v_name;
	while ((ch = verb_getopt(c, argc, argv, "m:")) != -1) {
		if (ch != 'm')
			return (usage_verb(c->c_verb));
		if (take_text(c, optarg, &act.text) == -1)
			return (CTL_REFUSED);
	}
	if (argc - optind != 1)
		return (usage_verb(c->c_verb));
	act.task = argv[optind];
	return (ask_action(c, &act, NULL));
}

/* task task ...: the first waits for the others */
enum ctl_exit
cmd_depend(struct ctx *c, int argc, char **argv)
{
	char args[32][128];
	const char *list[33] = { NULL };
	struct orch_action act;
	int i, n;

	if (verb_getopt(c, argc, argv, "") != -1 || argc - optind < 2 ||
	    argc - optind > 33)
		return (usage_verb(c->c_verb));
	memset(&act, 0, sizeof(act));
	act.verb = "depend";
	act.task = argv[optind++];
	for (i = 0; optind < argc; i++, optind++) {
		n = snprintf(args[i], sizeof(args[i]), "depends=%s",
		    argv[optind]);
		if (n < 0 || (size_t)n >= sizeof(args[i])) {
			complain("depend: \"%s\" is no task", argv[optind]);
			return (CTL_REFUSED);
		}
		list[i] = args[i];
	}
	act.args.l_argv = list;
	return (ask_action(c, &act, NULL));
}

/* effect settle -r text task key outcome */
enum ctl_exit
effect_settle(struct ctx *c, char **argv, const char *reason)
{
	char key[300], outcome[64];
	const char *list[] = { "settle", key, outcome, NULL };
	struct orch_action act;

	memset(&act, 0, sizeof(act));
	act.verb = "effect";
	act.task = argv[0];
	if (snprintf(key, sizeof(key), "key=%s", argv[1]) >=
	    (int)sizeof(key) || snprintf(outcome, sizeof(outcome),
	    "outcome=%s", argv[2]) >= (int)sizeof(outcome)) {
		complain("effect: no key or outcome is as long as that");
		return (CTL_REFUSED);
	}
	if (take_text(c, reason, &act.text) == -1)
		return (CTL_REFUSED);
	act.args.l_argv = list;
	return (ask_action(c, &act, NULL));
}

/* resume [-c commit] [-p project] -r text deploy | merge */
enum ctl_exit
cmd_resume(struct ctx *c, int argc, char **argv)
{
	char project[80] = "project=", lane[32];
	const char *list[] = { lane, project, NULL };
	struct orch_action act;
	int ch;

	memset(&act, 0, sizeof(act));
	act.verb = "resume";
	while ((ch = verb_getopt(c, argc, argv, "c:p:r:")) != -1) {
		if (ch == 'c')
			act.commit = optarg;
		else if (ch == 'p' && strlen(optarg) <= 64)
			(void)snprintf(project, sizeof(project),
			    "project=%s", optarg);
		else if (ch != 'r' || take_text(c, optarg, &act.text) == -1)
			return (usage_verb(c->c_verb));
	}
	if (argc - optind != 1 || act.text == NULL ||
	    strlen(argv[optind]) > 16 ||
	    (act.commit != NULL && strlen(act.commit) > 40))
		return (usage_verb(c->c_verb));
	(void)snprintf(lane, sizeof(lane), "lane=%s", argv[optind]);
	act.args.l_argv = list;
	return (ask_action(c, &act, NULL));
}

/* Wait for orchd to close the connection: its engine has ended then. */
static void
wait_end(struct ctx *c)
{
	struct pollfd pfd = { .fd = c->c_client.cl_fd, .events = POLLIN };
	struct monotime end = monotime_add_ms(monotime_now(), STOP_WAIT_MS);
	char buf[256];
	int64_t left;
	ssize_t n;

	while ((left = monotime_sub_ms(end, monotime_now())) > 0) {
		if (poll(&pfd, 1, (int)left) == -1 && errno != EINTR)
			return;
		n = read(pfd.fd, buf, sizeof(buf));
		if (n == 0 || (n == -1 && errno != EAGAIN && errno != EINTR))
			return;
	}
	complain("orchd is still ending its agents; it goes on doing so");
}

/* reload, restart, shutdown */
enum ctl_exit
cmd_manage(struct ctx *c, int argc, char **argv)
{
	struct orch_action act;
	enum ctl_exit res;

	if (verb_getopt(c, argc, argv, "") != -1 || optind != argc)
		return (usage_verb(c->c_verb));
	memset(&act, 0, sizeof(act));
	act.verb = c->c_verb->v_name;
	/* After an upgrade the old engine is told so by the new orchctl. */
	c->c_client.cl_older = 1;
	res = ask_action(c, &act, NULL);
	if (res == CTL_OK && strcmp(act.verb, "shutdown") == 0)
		wait_end(c);
	return (res);
}

/* lease | lease release [-f] task */
enum ctl_exit
cmd_lease(struct ctx *c, int argc, char **argv)
{
	const char *list[3] = { "release", NULL, NULL };
	struct orch_action act;
	struct answer a;
	json_t *doc;
	enum ctl_exit res;
	int ch;

	while ((ch = verb_getopt(c, argc, argv, "f")) != -1) {
		if (ch != 'f')
			return (usage_verb(c->c_verb));
		list[1] = "force";
	}
	if (argc - optind == 2 && strcmp(argv[optind], "release") == 0) {
		memset(&act, 0, sizeof(act));
		act.verb = "lease";
		act.task = argv[optind + 1];
		act.args.l_argv = list;
		return (ask_action(c, &act, NULL));
	}
	if (argc != optind || list[1] != NULL)
		return (usage_verb(c->c_verb));
	if ((res = ask_json(c, "lease", NULL, NULL, &doc, &a)) != CTL_OK)
		return (res);
	if (c->c_json)
		json_write(c->c_out.o_fp, a.a_json, a.a_jsonlen);
	else if (!c->c_quiet)
		render_leases(&c->c_out, doc);
	answer_free(&a);
	json_decref(doc);
	return (CTL_OK);
}
