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
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "orchctl.h"

/* event replay number: as if it came now. */
static enum ctl_exit
replay(struct ctx *c, const char *word)
{
	char event[160];
	const char *list[] = { "replay", event, NULL };
	struct orch_action act;
	int n;

	n = snprintf(event, sizeof(event), "event=%s", word);
	if (n < 0 || (size_t)n >= sizeof(event)) {
		complain("event: \"%s\" is no delivery", word);
		return (CTL_REFUSED);
	}
	memset(&act, 0, sizeof(act));
	act.verb = "event";
	act.args.l_argv = list;
	return (ask_action(c, &act, NULL));
}

static enum ctl_exit
ask(struct ctx *c, const char *word, const char *const *args,
    void (*render)(struct out *, const json_t *))
{
	struct answer a;
	enum ctl_exit res;
	json_t *doc;

	if ((res = ask_json(c, "event", word, args, &doc, &a)) != CTL_OK)
		return (res);
	if (c->c_json)
		json_write(c->c_out.o_fp, a.a_json, a.a_jsonlen);
	else if (!c->c_quiet)
		render(&c->c_out, doc);
	answer_free(&a);
	json_decref(doc);
	return (CTL_OK);
}

/* event [-n number] [-p project] [-S source] [-t state] | show x | replay x */
enum ctl_exit
cmd_event(struct ctx *c, int argc, char **argv)
{
	static const struct {
		char		 opt;
		const char	*name;
	} opts[] = { { 'n', "most" }, { 'p', "project" }, { 'S', "source" },
	    { 't', "state" } };
	char args[4][96];
	const char *list[5] = { NULL };
	size_t i, n = 0;
	int ch, len;

	while ((ch = verb_getopt(c, argc, argv, "n:p:S:t:")) != -1) {
		for (i = 0; i < 4 && opts[i].opt != ch; i++)
			continue;
		if (i == 4 || n == 4)
			return (usage_verb(c->c_verb));
		len = snprintf(args[n], sizeof(args[n]), "%s=%s",
		    opts[i].name, optarg);
		if (len < 0 || (size_t)len >= sizeof(args[n])) {
			complain("event: -%c %s: too long", ch, optarg);
			return (CTL_REFUSED);
		}
		list[n] = args[n];
		n++;
	}
	if (optind == argc)
		return (ask(c, NULL, list, render_events));
	if (argc - optind != 2 || n > 0)
		return (usage_verb(c->c_verb));
	if (strcmp(argv[optind], "show") == 0)
		return (ask(c, argv[optind + 1], NULL, render_event));
	/* It changes something: written in full. */
	if (strcmp(argv[optind], "replay") == 0)
		return (replay(c, argv[optind + 1]));
	return (usage_verb(c->c_verb));
}
