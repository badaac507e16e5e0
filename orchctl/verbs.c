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

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "orchctl.h"

const struct verb verbs[] = {
	{ "alert", "", "alerts that are raised", 0, cmd_alert },
	{ "approve", "[-c commit] [-m text] task",
	    "approve what a task asks for", VERB_FULL, cmd_decide },
	{ "cancel", "[-m text] task", "end a task for good", VERB_FULL,
	    cmd_task },
	{ "check", "", "verify the database and its invariants", 0,
	    cmd_check },
	{ "confirm", "[-c commit] [-m text] task",
	    "start the production deploy of a task", VERB_FULL, cmd_decide },
	{ "depend", "task task ...", "make the first wait for the others", 0,
	    cmd_depend },
	{ "doctor", "remote [project]",
	    "try what orchd needs at servers elsewhere", 0, cmd_doctor },
	{ "effect", "[task | number | settle -r text task key outcome]",
	    "irreversible effects on record", 0, cmd_effect },
	{ "event", "[-n number] [-p project] [-S source] [-t state] "
	    "[show event | replay event]", "what webhooks brought", 0,
	    cmd_event },
	{ "gate", "task", "gate results of a task", 0, cmd_gate },
	{ "history", "task", "every move of a task", 0, cmd_history },
	{ "job", "[task | number]", "jobs that run or wait", 0, cmd_job },
	{ "lease", "[release [-f] task]", "who is inside a transition", 0,
	    cmd_lease },
	{ "log", "[-f] task | run", "the log of a run", 0, cmd_log },
	{ "queue", "[retry destination | drop destination]",
	    "jobs, limits and counters", 0, cmd_queue },
	{ "reject", "[-c commit] -m text task",
	    "refuse what a task asks for", VERB_FULL, cmd_decide },
	{ "reload", "", "read the configuration again", 0, cmd_manage },
	{ "restart", "", "replace orchd in place, runs go on", VERB_FULL,
	    cmd_manage },
	{ "resume", "[-c commit] [-p project] -r text deploy | merge",
	    "let frozen deploys or merges go on", VERB_FULL, cmd_resume },
	{ "retry", "[-m text] task", "let a parked task go on", 0, cmd_task },
	{ "show", "task", "everything about one task", 0, cmd_show },
	{ "shutdown", "", "end agents gracefully and stop orchd", VERB_FULL,
	    cmd_manage },
	{ "status", "[-a]", "all tasks, one line each", 0, cmd_status },
	{ "submit", "[-d task] [-F file | -m text] [-n priority] "
	    "[-p project] [-t title]", "hand in a new work item", 0,
	    cmd_submit },
	{ "watch", "[-x] [task ...]", "watch tasks move", 0, cmd_watch },
	{ "why", "task", "what a task waits for, in a sentence", 0, cmd_why },
	{ NULL, NULL, NULL, 0, NULL }
};

enum lookup
verb_find(const char *word, const struct verb **found)
{
	const struct verb *v, *hit = NULL;
	size_t len = strlen(word);
	int hits = 0;

	*found = NULL;
	for (v = verbs; v->v_name != NULL; v++) {
		if (strncmp(v->v_name, word, len) != 0)
			continue;
		if (v->v_name[len] == '\0') {
			*found = v;
			return (LOOKUP_OK);
		}
		hit = v;
		hits++;
	}
	if (hits == 0 || len == 0)
		return (LOOKUP_UNKNOWN);
	if (hits > 1)
		return (LOOKUP_AMBIGUOUS);
	*found = hit;
	return (hit->v_flags & VERB_FULL ? LOOKUP_FULL : LOOKUP_OK);
}

/* The verbs that begin with word, or all where none does, as "a, b, c". */
static void
possible(const char *word, char *buf, size_t len)
{
	const struct verb *v;
	size_t n = strlen(word), off = 0;
	int part;

	buf[0] = '\0';
	for (v = verbs; v->v_name != NULL && off < len; v++) {
		if (strncmp(v->v_name, word, n) != 0)
			continue;
		part = snprintf(buf + off, len - off, "%s%s",
		    off == 0 ? "" : ", ", v->v_name);
		if (part < 0)
			break;
		off += (size_t)part;
	}
	if (off == 0 && n > 0)
		possible("", buf, len);
}

void
verb_explain(const char *word, enum lookup res, const struct verb *v)
{
	char list[512];

	possible(word, list, sizeof(list));
	if (res == LOOKUP_FULL)
		complain("\"%s\": %s must be written in full", word,
		    v->v_name);
	else if (res == LOOKUP_AMBIGUOUS)
		complain("\"%s\" could be %s", word, list);
	else
		complain("\"%s\" is not a verb (%s)", word, list);
}

void
usage_all(FILE *fp)
{
	const struct verb *v;
	char line[256];

	fprintf(fp, "usage: orchctl [-jq] [-s socket] verb [argument ...]\n");
	for (v = verbs; v->v_name != NULL; v++) {
		snprintf(line, sizeof(line), "%s %s", v->v_name, v->v_args);
		if (strlen(line) > 36)
			fprintf(fp, "    %s\n    %-36s  %s\n", line, "",
			    v->v_help);
		else
			fprintf(fp, "    %-36s  %s\n", line, v->v_help);
	}
}

enum ctl_exit
usage_verb(const struct verb *v)
{
	fprintf(stderr, "usage: orchctl %s%s%s\n", v->v_name,
	    *v->v_args == '\0' ? "" : " ", v->v_args);
	return (CTL_REFUSED);
}

int
common_option(struct ctx *c, int ch)
{
	switch (ch) {
	case 'j':
		c->c_json = 1;
		return (1);
	case 'q':
		c->c_quiet = 1;
		return (1);
	case 's':
		c->c_socket = optarg;
		return (1);
	default:
		return (0);
	}
}

int
verb_getopt(struct ctx *c, int argc, char **argv, const char *opts)
{
	char all[32];
	int ch, n;

	n = snprintf(all, sizeof(all), ":jqs:%s", opts);
	if (n < 0 || (size_t)n >= sizeof(all))
		return ('?');
	for (;;) {
		ch = getopt(argc, argv, all);
		if (common_option(c, ch))
			continue;
		switch (ch) {
		case ':':
			complain("%s: -%c needs a value", c->c_verb->v_name,
			    optopt);
			return ('?');
		case '?':
			complain("%s: -%c is not an option of it",
			    c->c_verb->v_name, optopt);
			return ('?');
		default:
			return (ch);
		}
	}
}

void
complain(const char *fmt, ...)
{
	va_list ap;
	char *raw = NULL, *safe = NULL;

	va_start(ap, fmt);
	if (vasprintf(&raw, fmt, ap) == -1)
		raw = NULL;
	va_end(ap);
	if (raw != NULL)
		safe = escaped(raw);
	fprintf(stderr, "orchctl: %s\n", safe == NULL ? "out of memory" :
	    safe);
	free(safe);
	free(raw);
}
