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

#include <bsd/stdlib.h>
#include <bsd/string.h>

#include "libcommon/log.h"
#include "engine.h"
#include "events.h"
#include "intake.h"
#include "pass.h"
#include "query.h"

#define LIST_DEFAULT	50
#define LIST_MAX	1000

void
event_count(const char *source, const char *result)
{
	char name[64];

	snprintf(name, sizeof(name), "event %s %s", source, result);
	store_count(eng.e_store, name, 1);
}

/* The value of NAME=value among the arguments, or "". */
static const char *
value_of(const struct orch_strs *args, const char *name)
{
	size_t n = strlen(name);
	const char *s = NULL;

	while ((s = orch_strs_next(args, s)) != NULL)
		if (strncmp(s, name, n) == 0 && s[n] == '=')
			return (s + n + 1);
	return ("");
}

static json_t *
one_event(sqlite3_stmt *q)
{
	return (json_pack("{s:I, s:s, s:o, s:o, s:o, s:o, s:s, s:s, s:I, "
	    "s:o, s:I, s:s}", "id", (json_int_t)col_int(q, 0), "source",
	    col_text(q, 1), "kind", json_text(col_text(q, 2)), "delivery",
	    json_text(col_text(q, 3)), "about", json_text(col_text(q, 4)),
	    "object", json_text(col_text(q, 5)), "project", col_text(q, 6),
	    "state", col_text(q, 7), "bytes", (json_int_t)col_int(q, 8), "at",
	    json_time(col_int(q, 9)), "replays",
	    (json_int_t)col_int(q, 10), "task", col_text(q, 11)));
}

static json_t *
list(const struct orch_strs *args, int64_t most)
{
	json_t *l = json_array();
	sqlite3_stmt *q;

	q = store_bind(eng.e_store, Q_EVENTS, "sssi",
	    value_of(args, "source"), value_of(args, "project"),
	    value_of(args, "state"), most);
	while (store_step(eng.e_store, q) == STORE_OK)
		json_array_append_new(l, one_event(q));
	return (json_pack("{s:o}", "events", l));
}

static int
is_one_of(const char *word, const char *const *words)
{
	for (; *words != NULL; words++)
		if (strcmp(word, *words) == 0)
			return (1);
	return (word[0] == '\0');
}

/* A filter that nothing can pass is a mistake: 1, and it is said. */
static int
wrong_filter(const struct orch_strs *args, char *said, size_t len)
{
	static const char *const sources[] = { "gitea", "plane", NULL };
	static const char *const states[] = { "told", "kept", "ignored",
	    NULL };
	const char *source = value_of(args, "source");
	const char *state = value_of(args, "state");
	const char *project = value_of(args, "project");

	if (!is_one_of(source, sources))
		snprintf(said, len, "there is no source %.64s (gitea, plane)",
		    source);
	else if (!is_one_of(state, states))
		snprintf(said, len, "there is no state %.64s (told, kept, "
		    "ignored)", state);
	else if (project[0] != '\0' && eng_project(project) == NULL)
		snprintf(said, len, "there is no project %.64s in the "
		    "configuration", project);
	else
		return (0);
	return (1);
}

static void
query_list(struct peer *p, uint32_t id, const struct orch_strs *args)
{
	const char *most = value_of(args, "most"), *bad = NULL;
	char text[256];
	int64_t n = LIST_DEFAULT;

	if (most[0] != '\0')
		n = strtonum(most, 1, LIST_MAX, &bad);
	if (bad != NULL) {
		snprintf(text, sizeof(text), "%.32s is %s as a number of "
		    "deliveries (1 to %d)", most, bad, LIST_MAX);
		answer(p, id, RES_REFUSED, text, NULL, -1);
		return;
	}
	if (wrong_filter(args, text, sizeof(text)))
		answer(p, id, RES_REFUSED, text, NULL, -1);
	else
		answer(p, id, RES_OK, "", list(args, n), -1);
}

/* By its number, or by what its source calls it; 0: there is none. */
static int64_t
find(const char *word)
{
	const char *bad;
	int64_t n = strtonum(word, 1, INT64_MAX, &bad);

	return (store_int(eng.e_store, 0, Q_EVENT_FIND, "is",
	    bad == NULL ? n : (int64_t)0, word));
}

static json_t *
replays(int64_t event)
{
	json_t *l = json_array();
	sqlite3_stmt *q;

	q = store_bind(eng.e_store, Q_REPLAYS, "i", event);
	while (store_step(eng.e_store, q) == STORE_OK)
		json_array_append_new(l, json_pack("{s:o, s:s, s:o}", "actor",
		    json_text(col_text(q, 0)), "state", col_text(q, 1), "at",
		    json_time(col_int(q, 2))));
	return (l);
}

/* All of one delivery; its body is the text that was signed. */
static json_t *
one(int64_t event)
{
	json_t *doc = NULL;
	sqlite3_stmt *q;
	char *body;

	q = store_bind(eng.e_store, Q_EVENT_GET, "i", event);
	if (store_step(eng.e_store, q) == STORE_OK) {
		body = strndup(sqlite3_column_bytes(q, 13) == 0 ? "" :
		    sqlite3_column_blob(q, 13),
		    (size_t)sqlite3_column_bytes(q, 13));
		if (body != NULL && (doc = one_event(q)) != NULL) {
			json_object_set_new(doc, "sha256",
			    json_string(col_text(q, 12)));
			json_object_set_new(doc, "body", json_text(body));
		}
		free(body);
	}
	sqlite3_reset(q);
	if (doc != NULL)
		json_object_set_new(doc, "replayed", replays(event));
	return (doc);
}

static enum orch_result
not_found(const char *word, char *said, size_t len)
{
	snprintf(said, len, "there is no delivery %.128s: its number is in "
	    "orchctl event, and after log_keep_days (%lld) it is forgotten",
	    word, (long long)conf_int(eng.e_conf, NULL, OPT_LOG_KEEP_DAYS));
	return (RES_NOTFOUND);
}

void
query_event(struct peer *p, uint32_t id, const struct orch_query *m)
{
	char said[512];
	int64_t event;

	/* Bodies hold what people write elsewhere: not for pages. */
	if (p->p_role != ROLE_CTL)
		answer(p, id, RES_DENIED, "only orchctl reads deliveries",
		    NULL, -1);
	else if (m->object[0] == '\0')
		query_list(p, id, &m->args);
	else if ((event = find(m->object)) == 0)
		answer(p, id, not_found(m->object, said, sizeof(said)), said,
		    NULL, -1);
	else
		answer(p, id, RES_OK, "", one(event), -1);
}

static void
say_what(int64_t event, const struct orch_event *m, const char *task,
    const char *state, char *said, size_t len)
{
	const char *what = task[0] != '\0' ? task : m->object[0] != '\0' ?
	    m->object : m->project;

	if (m->project[0] == '\0')
		snprintf(said, len, "delivery %lld (%s) is about no "
		    "repository or tracker project: nothing follows",
		    (long long)event, m->kind);
	else if (strcmp(state, "ignored") == 0)
		snprintf(said, len, "delivery %lld is about %s, which no "
		    "project of the configuration is: nothing follows",
		    (long long)event, m->project);
	else
		snprintf(said, len, strcmp(state, "told") == 0 ?
		    "%s, of which delivery %lld told, is looked at now" :
		    "%s, of which delivery %lld told, is looked at by the "
		    "next poll: reconciled is not there now", what,
		    (long long)event);
}

/* What the row says of it, in the form in which it came in. */
static enum orch_result
again(int64_t event, const char *user, char *said, size_t len)
{
	struct orch_event m = { .body = { NULL, 0 } };
	char text[4][260], about[260], task[65];
	const char *project, *state;
	sqlite3_stmt *q;
	size_t i;

	q = store_bind(eng.e_store, Q_EVENT_GET, "i", event);
	if (store_step(eng.e_store, q) != STORE_OK)
		return (RES_RETRY);
	for (i = 0; i < 4; i++)
		strlcpy(text[i], col_text(q, (int)i + (i < 3 ? 1 : 2)),
		    sizeof(text[i]));
	strlcpy(about, col_text(q, 4), sizeof(about));
	strlcpy(task, col_text(q, 11), sizeof(task));
	sqlite3_reset(q);
	m.source = text[0];
	m.kind = text[1];
	m.delivery = text[2];
	m.object = text[3];
	m.project = about;
	state = event_look(&m, &project);
	if (store_run_one(eng.e_store, Q_EVENT_STATE, "ssi", project, state,
	    event) != STORE_OK || store_run(eng.e_store, Q_REPLAY_ADD, "issi",
	    event, user, state, eng_now()) != STORE_OK)
		return (RES_RETRY);
	event_count(m.source, "replayed");
	log_info("%s delivery %s (%lld): replayed by %s: %s", m.source,
	    m.delivery, (long long)event, user, state);
	say_what(event, &m, task, state, said, len);
	return (RES_OK);
}

enum orch_result
event_replay(const char *word, const char *user, char *said, size_t len)
{
	int64_t event = find(word);

	if (event == 0)
		return (not_found(word, said, len));
	return (again(event, user, said, len));
}
