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

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "proto/proto.h"

#include "orchctl.h"

/* A commit id, possibly shortened. */
static int
is_commit(const char *s)
{
	size_t n = strlen(s);

	return (n >= 7 && n <= 40 && strspn(s, "0123456789abcdef") == n);
}

/*
 * The commit that is decided on: the one asked about, or what the person
 * named.  A shortened id is completed only by the one asked about; anything
 * else goes to the engine as it is, which refuses it.
 */
static const char *
pick_commit(const json_t *doc, const char *named)
{
	const char *asked = jstr(doc, "asked_commit");

	if (named == NULL || strncmp(asked, named, strlen(named)) == 0)
		return (asked);
	return (named);
}

/* Options and the task of approve, reject and confirm. */
static enum ctl_exit
decide_args(struct ctx *c, int argc, char **argv, struct orch_action *act,
    const char **commit)
{
	int ch;

	*commit = NULL;
	while ((ch = verb_getopt(c, argc, argv, "c:m:")) != -1) {
		if (ch == 'c')
			*commit = optarg;
		else if (ch == 'm')
			act->text = optarg;
		else
			return (usage_verb(c->c_verb));
	}
	if (argc - optind != 1)
		return (usage_verb(c->c_verb));
	if (*commit != NULL && !is_commit(*commit)) {
		complain("\"%s\" is no commit id (7 to 40 of 0-9a-f)",
		    *commit);
		return (CTL_REFUSED);
	}
	/* The agent that runs again gets the reason: without one, no use. */
	if (strcmp(act->verb, "reject") == 0 &&
	    (act->text == NULL || *act->text == '\0')) {
		complain("reject: say why with -m, the next run reads it");
		return (usage_verb(c->c_verb));
	}
	act->task = argv[optind];
	return (CTL_OK);
}

/*
 * A decision names the task, its stage and sequence number and the commit
 * that the request named: what moved meanwhile is refused.
 */
enum ctl_exit
cmd_decide(struct ctx *c, int argc, char **argv)
{
	struct orch_action act;
	const char *commit;
	json_t *doc;
	enum ctl_exit res;

	memset(&act, 0, sizeof(act));
	act.verb = c->c_verb->v_name;
	if ((res = decide_args(c, argc, argv, &act, &commit)) != CTL_OK)
		return (res);
	if ((res = ask_json(c, "show", act.task, NULL, &doc, NULL)) !=
	    CTL_OK)
		return (res);
	act.task = jstr(doc, "id");
	act.stage = jstr(doc, "stage");
	act.seq = (uint64_t)jint(doc, "stage_seq", 0);
	act.commit = pick_commit(doc, commit);
	res = ask_action(c, &act, NULL);
	json_decref(doc);
	return (res);
}
