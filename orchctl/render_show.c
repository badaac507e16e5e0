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

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "orchctl.h"

#define LABEL	10		/* columns of the names on the left */

static void
label(struct out *o, const char *name)
{
	out_put(o, SHADE_DIM, "%-*s", LABEL, name);
}

/* A labelled sentence, when there is one. */
static void
field(struct out *o, const char *name, enum shade shade, const char *text)
{
	if (*text == '\0')
		return;
	label(o, name);
	out_wrap(o, shade, LABEL, text);
}

static void
show_head(struct out *o, const json_t *doc)
{
	out_put(o, SHADE_BOLD, "%s", jstr(doc, "id"));
	out_put(o, SHADE_NONE, "  %s", jstr(doc, "title"));
	out_nl(o);
	label(o, "stage");
	out_put(o, SHADE_BOLD, "%s", jstr(doc, "stage"));
	out_put(o, SHADE_NONE, " (seq %" PRId64 "), round %" PRId64
	    ", rework %" PRId64, jint(doc, "stage_seq", 0),
	    jint(doc, "round", 0), jint(doc, "rework", 0));
	if (jbool(doc, "cancel_requested"))
		out_put(o, SHADE_BAD, ", is being cancelled");
	out_nl(o);
}

static void
show_branch(struct out *o, const json_t *doc)
{
	const json_t *pull = json_object_get(doc, "pull");
	const char *head = jstr(doc, "head"), *pub = jstr(doc, "published");

	if (*jstr(doc, "branch") == '\0')
		return;
	label(o, "branch");
	out_put(o, SHADE_NONE, "%s", jstr(doc, "branch"));
	if (*head != '\0')
		out_put(o, SHADE_NONE, " at %s", short_id(head));
	if (*head != '\0' && strcmp(head, pub) != 0)
		out_put(o, SHADE_WARN, " (published: %s)",
		    *pub == '\0' ? "no" : short_id(pub));
	if (json_is_object(pull))
		out_put(o, SHADE_NONE, ", PR %" PRId64 " %s",
		    jint(pull, "number", 0), jstr(pull, "state"));
	if (json_is_object(pull) && *jstr(pull, "page") != '\0')
		out_put(o, SHADE_NONE, ", %s", jstr(pull, "page"));
	out_nl(o);
}

static void
show_asked(struct out *o, const json_t *doc)
{
	const char *gate = jstr(doc, "asked_gate");
	const char *path = jstr(doc, "asked_path");

	if (*gate == '\0')
		return;
	label(o, "asks");
	out_put(o, SHADE_WARN, "%s at %s", gate,
	    short_id(jstr(doc, "asked_commit")));
	if (*path != '\0')
		out_put(o, SHADE_NONE, ": %s", path);
	out_nl(o);
	out_put(o, SHADE_NONE, "%*sorchctl %s %s", LABEL, "",
	    strcmp(jstr(doc, "stage"), "deploy") == 0 ? "confirm" : "approve",
	    jstr(doc, "id"));
	out_nl(o);
}

/* Is there a later result of the same gate? */
static int
superseded(const json_t *gates, size_t at)
{
	const char *name = jstr(json_array_get(gates, at), "gate");
	size_t i;

	for (i = at + 1; i < json_array_size(gates); i++)
		if (strcmp(jstr(json_array_get(gates, i), "gate"), name) == 0)
			return (1);
	return (0);
}

/* The last result of each gate; what is not green says why. */
static void
show_gates(struct out *o, const json_t *doc)
{
	const json_t *gates = jlist(doc, "gates"), *g;
	const char *verdict, *name = "gates";
	char buf[1024];
	size_t i;

	json_array_foreach(gates, i, g) {
		if (superseded(gates, i))
			continue;
		verdict = jstr(g, "verdict");
		snprintf(buf, sizeof(buf), "%s %s at %s%s%s", jstr(g, "gate"),
		    verdict, short_id(jstr(g, "commit")),
		    *jstr(g, "reason") == '\0' ? "" : ": ",
		    jstr(g, "reason"));
		field(o, name, strcmp(verdict, "pass") == 0 ? SHADE_NONE :
		    strcmp(verdict, "wait") == 0 ? SHADE_WARN : SHADE_BAD,
		    buf);
		name = "";
	}
}

static void
show_usage(struct out *o, const json_t *runs)
{
	int64_t ms = 0, cost = 0, tokens = 0;
	time_t from, to;
	const json_t *r;
	char span[32], money[32];
	size_t i;

	json_array_foreach(runs, i, r) {
		from = stamp_parse(r, "started");
		to = stamp_parse(r, "ended");
		if (from != -1 && to != -1)
			ms += (int64_t)(to - from) * 1000;
		cost += jint(r, "cost_micros", 0);
		tokens += jint(r, "tokens_in", 0) + jint(r, "tokens_out", 0);
	}
	out_put(o, SHADE_NONE, "%zu in all, %s", json_array_size(runs),
	    human_span(ms / 1000, span, sizeof(span)));
	if (tokens > 0)
		out_put(o, SHADE_NONE, ", %" PRId64 " tokens", tokens);
	if (cost > 0)
		out_put(o, SHADE_NONE, ", %s", human_cost(cost, money,
		    sizeof(money)));
	out_nl(o);
}

/* How a run ended, or that it did not. */
static void
run_end(const json_t *r, char *buf, size_t len)
{
	const char *bad = strcmp(jstr(r, "status"), "failed") == 0 ?
	    "failed, " : "";

	if (jbool(r, "timed_out"))
		snprintf(buf, len, "%sout of time", bad);
	else if (jint(r, "signal", 0) != 0)
		snprintf(buf, len, "%ssignal %" PRId64, bad,
		    jint(r, "signal", 0));
	else if (json_is_integer(json_object_get(r, "exit_code")))
		snprintf(buf, len, "%sexit %" PRId64, bad,
		    jint(r, "exit_code", 0));
	else
		snprintf(buf, len, "%s", jstr(r, "status"));
}

static void
run_row(struct out *o, struct table *t, const json_t *r)
{
	const char *status = jstr(r, "status"), *who = jwho(r);
	int64_t attempt = jint(r, "attempt", 1);
	char buf[32];

	table_cell(t, SHADE_NONE, jshow(r, "id", buf, sizeof(buf)));
	human_clock(o->o_now, stamp_parse(r, "started"), buf, sizeof(buf));
	table_cell(t, SHADE_DIM, buf);
	buf[0] = '\0';
	if (attempt > 1)
		snprintf(buf, sizeof(buf), ", try %" PRId64, attempt);
	table_cellf(t, SHADE_NONE, "%s%s%s%s", jstr(r, "kind"),
	    *who == '\0' ? "" : " ", who, buf);
	run_end(r, buf, sizeof(buf));
	table_cell(t, strcmp(status, "failed") == 0 ? SHADE_BAD :
	    strcmp(status, "running") == 0 ? SHADE_GOOD : SHADE_NONE, buf);
	table_cell(t, SHADE_NONE, jstr(r, "reason"));
}

static void
show_runs(struct out *o, const json_t *doc)
{
	static const struct column cols[] = {
		{ "RUN", COL_RIGHT }, { "STARTED", 0 }, { "WHAT", 0 },
		{ "END", 0 }, { "REASON", COL_FLEX }
	};
	const json_t *runs = jlist(doc, "runs"), *r;
	struct table *t;
	size_t i;

	if (json_array_size(runs) == 0)
		return;
	label(o, "runs");
	show_usage(o, runs);
	t = table_new(cols, 5);
	json_array_foreach(runs, i, r)
		run_row(o, t, r);
	table_print(o, t, 2, 0);
	table_free(t);
}

static void
show_effects(struct out *o, const json_t *doc)
{
	const json_t *e;
	const char *state, *name = "effects";
	char buf[1280], brief[1280];
	size_t i;

	json_array_foreach(jlist(doc, "effects"), i, e) {
		state = jstr(e, "state");
		snprintf(buf, sizeof(buf), "%s %s%s%s", jstr(e, "name"), state,
		    *jstr(e, "evidence") == '\0' ? "" : ": ",
		    jstr(e, "evidence"));
		field(o, name, strcmp(state, "done") == 0 ? SHADE_NONE :
		    SHADE_WARN, human_ids(buf, brief, sizeof(brief)));
		name = "";
	}
}

/* Decisions and comments: who said what, when. */
static void
show_voices(struct out *o, const json_t *doc, const char *key,
    const char *name, const char *who)
{
	const json_t *v;
	const char *text, *decision;
	char when[32], buf[1280];
	size_t i;

	json_array_foreach(jlist(doc, key), i, v) {
		text = jstr(v, "text");
		decision = jstr(v, "decision");
		human_clock(o->o_now, stamp_parse(v, "at"), when,
		    sizeof(when));
		snprintf(buf, sizeof(buf), "%s %s%s%s%s%s%s%s", when,
		    jstr(v, who), *decision == '\0' ? "" : " ", decision,
		    *decision == '\0' ? "" : " ", jstr(v, "gate"),
		    *text == '\0' ? "" : ": ", text);
		field(o, name, SHADE_NONE, buf);
		name = "";
	}
}

/* What the sentence above says already is not repeated. */
static void
show_alerts(struct out *o, const json_t *doc)
{
	const char *name = "alerts";
	const json_t *a;
	char buf[1280];
	size_t i;

	json_array_foreach(jlist(doc, "alerts"), i, a) {
		if (jbool(doc, "parked") &&
		    strcmp(jstr(a, "kind"), "parked") == 0)
			continue;
		if (json_is_string(a))
			snprintf(buf, sizeof(buf), "%s", json_string_value(a));
		else
			snprintf(buf, sizeof(buf), "%s: %s", jstr(a, "kind"),
			    jstr(a, "text"));
		field(o, name, SHADE_BAD, buf);
		name = "";
	}
}

static void
show_records(struct out *o, const json_t *doc)
{
	const json_t *r;
	char when[32];
	size_t i;

	json_array_foreach(jlist(doc, "records"), i, r) {
		human_clock(o->o_now, stamp_parse(r, "at"), when,
		    sizeof(when));
		label(o, i == 0 ? "records" : "");
		out_put(o, SHADE_NONE, "%s %s", when, jstr(r, "name"));
		out_nl(o);
		out_text(o, LABEL + 2, jstr(r, "text"));
	}
}

/* How long it has waited until now, by what for. */
static void
show_waited(struct out *o, const json_t *doc)
{
	static const char *const names[] = { "capacity", "person", "ci",
	    "freeze", "parked", "retry" };
	const json_t *w = json_object_get(doc, "waited_s");
	char span[32];
	size_t i, n = 0;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (jint(w, names[i], 0) <= 0)
			continue;
		if (n++ == 0)
			label(o, "waited");
		out_put(o, SHADE_NONE, "%s%s for %s", n > 1 ? ", " : "",
		    human_span(jint(w, names[i], 0), span, sizeof(span)),
		    names[i]);
	}
	if (n > 0)
		out_nl(o);
}

static void
show_timeline(struct out *o, const json_t *doc)
{
	out_put(o, SHADE_DIM, "timeline");
	out_nl(o);
	render_history(o, jlist(doc, "history"), 2);
}

void
render_show(struct out *o, const json_t *doc)
{
	const char *parked = jstr(doc, "parked_reason");

	show_head(o, doc);
	show_branch(o, doc);
	if (jbool(doc, "parked") && strstr(jstr(doc, "why"), parked) == NULL)
		field(o, "parked", SHADE_BAD, parked);
	field(o, "now", status_shade(doc), status_what(doc));
	show_asked(o, doc);
	show_waited(o, doc);
	show_alerts(o, doc);
	show_gates(o, doc);
	show_timeline(o, doc);
	show_runs(o, doc);
	show_effects(o, doc);
	show_voices(o, doc, "approvals", "decisions", "actor");
	show_voices(o, doc, "comments", "comments", "author");
	show_records(o, doc);
	if (*jstr(doc, "request") != '\0') {
		out_put(o, SHADE_DIM, "request");
		out_nl(o);
		out_text(o, 2, jstr(doc, "request"));
	}
}
