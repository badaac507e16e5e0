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

/*
 * Take the options of a verb that has none of its own and at most max words;
 * *word is the first one or NULL.
 */
static enum ctl_exit
words(struct ctx *c, int argc, char **argv, int min, int max,
    const char **word)
{
	if (verb_getopt(c, argc, argv, "") != -1)
		return (usage_verb(c->c_verb));
	argc -= optind;
	if (argc < min || argc > max)
		return (usage_verb(c->c_verb));
	*word = argc > 0 ? argv[optind] : NULL;
	return (CTL_OK);
}

/* Ask, and print the answer as it is with -j.  *doc stays NULL then. */
static enum ctl_exit
query(struct ctx *c, const char *verb, const char *object,
    const char *const *args, json_t **doc)
{
	struct answer a;
	enum ctl_exit res;

	if ((res = ask_json(c, verb, object, args, doc, &a)) != CTL_OK)
		return (res);
	if (c->c_json)
		json_write(c->c_out.o_fp, a.a_json, a.a_jsonlen);
	answer_free(&a);
	return (CTL_OK);
}

/* A question that one renderer answers. */
static enum ctl_exit
simple(struct ctx *c, const char *verb, const char *object,
    const char *const *args, void (*render)(struct out *, const json_t *))
{
	json_t *doc;
	enum ctl_exit res;

	if ((res = query(c, verb, object, args, &doc)) != CTL_OK)
		return (res);
	if (!c->c_json && !c->c_quiet)
		render(&c->c_out, doc);
	json_decref(doc);
	return (CTL_OK);
}

enum ctl_exit
cmd_status(struct ctx *c, int argc, char **argv)
{
	static const char *const all[] = { "all", NULL };
	const char *const *args = NULL;
	int ch;

	while ((ch = verb_getopt(c, argc, argv, "a")) != -1) {
		if (ch != 'a')
			return (usage_verb(c->c_verb));
		args = all;
	}
	if (argc != optind)
		return (usage_verb(c->c_verb));
	return (simple(c, "status", NULL, args, render_status));
}

enum ctl_exit
cmd_show(struct ctx *c, int argc, char **argv)
{
	const char *id;
	enum ctl_exit res;

	if ((res = words(c, argc, argv, 1, 1, &id)) != CTL_OK)
		return (res);
	return (simple(c, "show", id, NULL, render_show));
}

enum ctl_exit
cmd_why(struct ctx *c, int argc, char **argv)
{
	const char *id;
	enum ctl_exit res;

	if ((res = words(c, argc, argv, 1, 1, &id)) != CTL_OK)
		return (res);
	return (simple(c, "why", id, NULL, render_why));
}

/* queue | queue retry|drop destination: of messages that are parked */
enum ctl_exit
cmd_queue(struct ctx *c, int argc, char **argv)
{
	char dest[160];
	const char *word, *list[] = { NULL, dest, NULL };
	struct orch_action act;
	enum ctl_exit res;

	if ((res = words(c, argc, argv, 0, 2, &word)) != CTL_OK)
		return (res);
	if (word != NULL) {
		/* It changes something: written in full. */
		if (argc - optind != 2 || (strcmp(word, "retry") != 0 &&
		    strcmp(word, "drop") != 0))
			return (usage_verb(c->c_verb));
		list[0] = word;
		if (snprintf(dest, sizeof(dest), "dest=%s",
		    argv[optind + 1]) >= (int)sizeof(dest)) {
			complain("queue: no destination has so long a name");
			return (CTL_REFUSED);
		}
		memset(&act, 0, sizeof(act));
		act.verb = "queue";
		act.args.l_argv = list;
		return (ask_action(c, &act, NULL));
	}
	return (simple(c, "queue", NULL, NULL, render_queue));
}

static void
render_history_doc(struct out *o, const json_t *doc)
{
	render_history(o, jlist(doc, "history"), 0);
}

enum ctl_exit
cmd_history(struct ctx *c, int argc, char **argv)
{
	const char *id;
	enum ctl_exit res;

	if ((res = words(c, argc, argv, 1, 1, &id)) != CTL_OK)
		return (res);
	return (simple(c, "history", id, NULL, render_history_doc));
}

/* Print a part of a document of the engine as one of its own. */
static void
print_part(struct ctx *c, json_t *part)
{
	char *s = json_dumps(part, JSON_INDENT(2));

	if (s != NULL)
		json_write(c->c_out.o_fp, s, strlen(s));
	free(s);
}

/* Print one part of a document, as JSON or for people; takes the part over. */
static void
show_part(struct ctx *c, json_t *part,
    void (*render)(struct out *, const json_t *))
{
	if (c->c_json)
		print_part(c, part);
	else if (!c->c_quiet)
		render(&c->c_out, part);
	json_decref(part);
}

/* The effect of this number among those that are not done; NULL: none. */
static json_t *
open_effect(struct ctx *c, const char *number, enum ctl_exit *res)
{
	json_t *doc, *e, *hit = NULL;
	char buf[32];
	size_t i;

	if ((*res = ask_json(c, "effect", NULL, NULL, &doc, NULL)) != CTL_OK)
		return (NULL);
	json_array_foreach(jlist(doc, "effects"), i, e)
		if (strcmp(jshow(e, "id", buf, sizeof(buf)), number) == 0)
			hit = json_incref(e);
	json_decref(doc);
	return (hit);
}

/* Nothing: those that are not done.  A task: all of it.  A number: either. */
enum ctl_exit
cmd_effect(struct ctx *c, int argc, char **argv)
{
	enum ctl_exit res;
	const char *word, *reason = NULL;
	json_t *doc, *hit;
	int ch;

	while ((ch = verb_getopt(c, argc, argv, "r:")) != -1) {
		if (ch != 'r')
			return (usage_verb(c->c_verb));
		reason = optarg;
	}
	if (optind < argc && strcmp(argv[optind], "settle") == 0)
		return (argc - optind == 4 && reason != NULL ?
		    effect_settle(c, argv + optind + 1, reason) :
		    usage_verb(c->c_verb));
	if (reason != NULL)
		return (usage_verb(c->c_verb));
	/* "effect show 731" is how people say it. */
	if (optind < argc && strcmp(argv[optind], "show") == 0)
		optind++;
	if (argc - optind > 1)
		return (usage_verb(c->c_verb));
	if ((word = argv[optind]) == NULL)
		return (simple(c, "effect", NULL, NULL, render_effects));
	if (strspn(word, "0123456789") == strlen(word)) {
		hit = open_effect(c, word, &res);
		if (res != CTL_OK)
			return (res);
		if (hit != NULL) {
			show_part(c, hit, render_effects);
			return (CTL_OK);
		}
	}
	if ((res = ask_json(c, "show", word, NULL, &doc, NULL)) != CTL_OK)
		return (res);
	show_part(c, json_pack("{s:s, s:O?}", "id", jstr(doc, "id"),
	    "effects", json_object_get(doc, "effects")), render_effects);
	json_decref(doc);
	return (CTL_OK);
}

enum ctl_exit
cmd_alert(struct ctx *c, int argc, char **argv)
{
	const char *none;
	enum ctl_exit res;

	if ((res = words(c, argc, argv, 0, 0, &none)) != CTL_OK)
		return (res);
	return (simple(c, "alert", NULL, NULL, render_alerts));
}

enum ctl_exit
cmd_check(struct ctx *c, int argc, char **argv)
{
	const char *none;
	json_t *doc;
	enum ctl_exit res;

	if ((res = words(c, argc, argv, 0, 0, &none)) != CTL_OK ||
	    (res = query(c, "check", NULL, NULL, &doc)) != CTL_OK)
		return (res);
	if (!jbool(doc, "ok"))
		res = CTL_REFUSED;
	if (!c->c_json && !(c->c_quiet && res == CTL_OK))
		render_check(&c->c_out, doc);
	json_decref(doc);
	return (res);
}

/* The jobs of the queue, of one task or with one number. */
static json_t *
pick_jobs(const json_t *doc, const char *filter)
{
	json_t *part = json_pack("{s:[]}", "jobs"), *job;
	char buf[32];
	size_t i;

	json_array_foreach(jlist(doc, "jobs"), i, job)
		if (filter == NULL || same_task(jstr(job, "task"), filter) ||
		    strcmp(jshow(job, "id", buf, sizeof(buf)), filter) == 0)
			json_array_append(json_object_get(part, "jobs"), job);
	return (part);
}

enum ctl_exit
cmd_job(struct ctx *c, int argc, char **argv)
{
	const char *filter;
	json_t *doc, *picked;
	enum ctl_exit res;

	if ((res = words(c, argc, argv, 0, 1, &filter)) != CTL_OK ||
	    (res = ask_json(c, "queue", NULL, NULL, &doc, NULL)) != CTL_OK)
		return (res);
	picked = pick_jobs(doc, filter);
	json_decref(doc);
	/* A task without jobs is one thing, no such task another. */
	if (filter != NULL && filter[strspn(filter, "0123456789")] != '\0' &&
	    json_array_size(jlist(picked, "jobs")) == 0) {
		res = ask_json(c, "why", filter, NULL, &doc, NULL);
		json_decref(doc);
		if (res != CTL_OK) {
			json_decref(picked);
			return (res);
		}
	}
	show_part(c, picked, render_jobs);
	return (CTL_OK);
}

enum ctl_exit
cmd_gate(struct ctx *c, int argc, char **argv)
{
	const char *id;
	enum ctl_exit res;

	if ((res = words(c, argc, argv, 1, 1, &id)) != CTL_OK)
		return (res);
	return (simple(c, "gate", id, NULL, render_gates));
}
