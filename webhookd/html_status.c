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

#include <event2/buffer.h>
#include <jansson.h>
#include <stddef.h>
#include <string.h>

#include "html.h"
#include "html_int.h"

/* The pipeline from left to right; terminal stages are not on this page. */
static const char *const stages[] = {
	"created", "analysis", "architecture", "development", "review",
	"testing", "deploy-staging", "deploy"
};
#define NSTAGES	(sizeof(stages) / sizeof(stages[0]))

static size_t
stage_index(const char *name)
{
	size_t i;

	for (i = 0; name != NULL && i < NSTAGES; i++)
		if (strcmp(stages[i], name) == 0)
			return (i);
	return (NSTAGES);
}

static const char *
text(json_t *obj, const char *key)
{
	return (json_string_value(json_object_get(obj, key)));
}

/* One figure: a value, what it is of, and its name. */
static void
figure(struct evbuffer *out, json_t *totals, const char *key, const char *of,
    const char *name)
{
	json_t *v = json_object_get(totals, key);
	int alarm = strcmp(key, "alerts") == 0 && json_integer_value(v) > 0;

	(void)evbuffer_add_printf(out, "<div%s><dt>%s</dt><dd>",
	    alarm ? " class=\"alarm\"" : "", name);
	html_value(out, v);
	if (of != NULL && json_object_get(totals, of) != NULL) {
		html_raw(out, strcmp(of, "queue_later") == 0 ?
		    " <small>later " : " <small>of ");
		html_value(out, json_object_get(totals, of));
		html_raw(out, "</small>");
	}
	if (alarm)
		html_raw(out, " <small><code>orchctl alert</code></small>");
	html_raw(out, "</dd></div>");
}

static void
figures(struct evbuffer *out, json_t *totals)
{
	html_raw(out, "<dl class=\"figures\">");
	figure(out, totals, "agents_running", "agents_max", "Agents");
	figure(out, totals, "queue_ready", "queue_later", "Queue, ready");
	figure(out, totals, "leases", NULL, "Leases");
	figure(out, totals, "outbox", NULL, "Outbox");
	figure(out, totals, "alerts", NULL, "Alerts");
	html_raw(out, "</dl>\n");
}

/* The pipeline with the number of tasks in each stage. */
static void
pipeline(struct evbuffer *out, json_t *tasks)
{
	size_t count[NSTAGES + 1] = { 0 };
	json_t *task;
	size_t i;

	json_array_foreach(tasks, i, task)
		count[stage_index(text(task, "stage"))]++;
	html_raw(out, "<ol class=\"pipeline\" aria-label=\"Tasks in each "
	    "stage\">");
	for (i = 0; i < NSTAGES; i++)
		(void)evbuffer_add_printf(out, "<li%s><b>%zu</b> %s</li>",
		    count[i] > 0 ? " class=\"on\"" : "", count[i], stages[i]);
	html_raw(out, "</ol>\n");
}

/*
 * Does it wait for a person?  By the member that says so, else by the way the
 * sentence of "why" is worded.
 */
static int
needs_person(json_t *task)
{
	const char *s = text(task, "why");

	if (json_is_true(json_object_get(task, "parked")) ||
	    json_is_true(json_object_get(task, "needs_person")))
		return (1);
	return (s != NULL && (strstr(s, "waits for a person") != NULL ||
	    strstr(s, "waits for you") != NULL ||
	    strstr(s, "needs you") != NULL || strstr(s, "parked") != NULL));
}

static void
age_cell(struct evbuffer *out, json_t *task)
{
	json_t *age = json_object_get(task, "age_s");
	char span[32];

	html_raw(out, "<td class=\"num\" title=\"");
	html_member(out, "since", json_object_get(task, "since"));
	html_raw(out, "\">");
	if (json_is_integer(age)) {
		html_span(span, sizeof(span), json_integer_value(age));
		html_text(out, span);
	} else
		html_raw(out, "-");
	html_raw(out, "</td>");
}

static void
stage_cell(struct evbuffer *out, json_t *task)
{
	size_t i, at = stage_index(text(task, "stage"));

	html_raw(out, "<td><span class=\"stage\">");
	html_value(out, json_object_get(task, "stage"));
	html_raw(out, "</span><span class=\"bar\" aria-hidden=\"true\">");
	for (i = 0; i < NSTAGES && at < NSTAGES; i++)
		html_raw(out, i < at ? "<i class=\"past\"></i>" :
		    i == at ? "<i class=\"now\"></i>" : "<i></i>");
	html_raw(out, "</span></td>");
}

/* The sentence of "why", without the id that begins the row already. */
static void
why(struct evbuffer *out, json_t *task)
{
	const char *sentence = text(task, "why"), *id = text(task, "id");
	size_t n = id != NULL ? strlen(id) : 0;

	if (n > 0 && sentence != NULL && strncmp(sentence, id, n) == 0 &&
	    sentence[n] == ' ')
		html_text(out, sentence + n + 1);
	else
		html_value(out, json_object_get(task, "why"));
}

/* A link out of the page, in words; only where HTTP leads. */
static void
page_link(struct evbuffer *out, json_t *task, const char *key,
    const char *words)
{
	const char *url = text(task, key);

	if (url == NULL || (strncmp(url, "https://", 8) != 0 &&
	    strncmp(url, "http://", 7) != 0))
		return;
	html_raw(out, " <a rel=\"noreferrer noopener\" href=\"");
	html_text(out, url);
	(void)evbuffer_add_printf(out, "\">%s</a>", words);
}

static void
task_row(struct evbuffer *out, json_t *task)
{
	int person = needs_person(task);

	html_raw(out, person ? "<tr class=\"person\">" : "<tr>");
	html_raw(out, "<th scope=\"row\"><b>");
	html_value(out, json_object_get(task, "id"));
	html_raw(out, "</b><span class=\"title\">");
	html_value(out, json_object_get(task, "title"));
	html_raw(out, "</span><span class=\"quiet\">");
	html_value(out, json_object_get(task, "project"));
	page_link(out, task, "item_page", "item");
	page_link(out, task, "pull_page", "pull request");
	html_raw(out, "</span></th>");
	stage_cell(out, task);
	html_raw(out, "<td class=\"num\">");
	html_value(out, json_object_get(task, "round"));
	html_raw(out, "</td>");
	age_cell(out, task);
	html_raw(out, "<td>");
	if (person)
		html_raw(out, "<span class=\"tag\">needs a person</span> ");
	why(out, task);
	html_raw(out, "</td></tr>\n");
}

void
html_status(struct evbuffer *out, json_t *root)
{
	json_t *tasks = json_object_get(root, "tasks"), *task;
	size_t i;

	figures(out, json_object_get(root, "totals"));
	pipeline(out, tasks);
	if (json_array_size(tasks) == 0) {
		html_raw(out, "<p class=\"empty\">No task is on its way. "
		    "Start one: <code>orchctl submit</code><br>"
		    "What ran last is on the page of the "
		    "<a href=\"/queue\">queue</a>.</p>\n");
		return;
	}
	html_raw(out, "<div class=\"scroll\"><table class=\"tasks\"><thead>"
	    "<tr><th scope=\"col\">Task</th><th scope=\"col\">Stage</th>"
	    "<th scope=\"col\" class=\"num\">Round</th>"
	    "<th scope=\"col\" class=\"num\">Age</th>"
	    "<th scope=\"col\">What it waits for</th></tr></thead><tbody>\n");
	json_array_foreach(tasks, i, task)
		task_row(out, task);
	html_raw(out, "</tbody></table></div>\n");
}
