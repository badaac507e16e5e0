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

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "doctor.h"
#include "engine.h"
#include "events.h"
#include "metrics.h"
#include "pass.h"
#include "query.h"
#include "runs.h"
#include "token.h"

#define PART_MAX	(512U << 10)	/* of an answer in parts */

json_t *
json_time(int64_t ms)
{
	char buf[32];
	struct tm tm;
	time_t s = (time_t)(ms / 1000);

	if (ms == 0 || gmtime_r(&s, &tm) == NULL ||
	    strftime(buf, sizeof(buf), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		return (json_null());
	return (json_string(buf));
}

json_t *
json_text(const char *s)
{
	json_t *j = json_string(s);
	char *copy, *p;

	if (j != NULL)
		return (j);
	/* Not UTF-8: keep what is ASCII. */
	if ((copy = strdup(s)) == NULL)
		return (NULL);
	for (p = copy; *p != '\0'; p++)
		if ((unsigned char)*p >= 0x80)
			*p = '?';
	j = json_string(copy);
	free(copy);
	return (j);
}

void
answer(struct peer *p, uint32_t id, enum orch_result res, const char *text,
    json_t *json, int fd)
{
	struct orch_answer a;
	char *dump = NULL;
	size_t len = 0, off = 0;

	if (json != NULL)
		dump = json_dumps(json, JSON_COMPACT | JSON_ENSURE_ASCII);
	json_decref(json);
	len = dump == NULL ? 0 : strlen(dump);
	do {
		memset(&a, 0, sizeof(a));
		a.result = (uint8_t)res;
		a.text = text;
		a.json.b_data = (const uint8_t *)dump + off;
		a.json.b_len = len - off > PART_MAX ? PART_MAX : len - off;
		off += a.json.b_len;
		a.more = off < len;
		pass_send(p->p_id, ORCH_answer, id, &a, a.more ? -1 : fd);
	} while (off < len);
	free(dump);
}

static json_t *
query_why(const struct task *t)
{
	char why[2400];
	const char *waits;

	task_why(t, why, sizeof(why), &waits);
	return (json_pack("{s:s, s:o, s:s}", "id", t->t_key, "why",
	    json_text(why), "waits", waits));
}

static json_t *
query_check(void)
{
	json_t *problems = json_array();
	char *text = NULL, *line, *save;
	size_t len = 0;
	FILE *f;
	int bad;

	if ((f = open_memstream(&text, &len)) == NULL)
		return (NULL);
	bad = store_check(eng.e_store, f);
	fclose(f);
	for (line = text; (save = strchr(line, '\n')) != NULL;
	    line = save + 1) {
		*save = '\0';
		json_array_append_new(problems, json_text(line));
	}
	free(text);
	return (json_pack("{s:b, s:o}", "ok", bad == 0, "problems",
	    problems));
}

/* A log travels as a descriptor: of a run's number, or of a task's last. */
static void
query_log(struct peer *p, uint32_t id, const char *object)
{
	char path[1200];
	struct task t;
	struct run r;
	int64_t run = 0;
	int fd;

	if (task_by_key(object, &t) == STORE_OK)
		run = store_int(eng.e_store, 0, Q_RUN_LAST_OF_TASK, "i",
		    t.t_id);
	else
		run = strtoll(object, NULL, 10);
	if (run <= 0 || run_get(run, &r) != STORE_OK) {
		answer(p, id, RES_NOTFOUND, "no such run, and no task of that "
		    "name that has one", NULL, -1);
		return;
	}
	snprintf(path, sizeof(path), "%s/log/%lld.log", eng.e_conf->cf_state,
	    (long long)run);
	if ((fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)) == -1) {
		answer(p, id, RES_NOTFOUND, "its log is gone", NULL, -1);
		return;
	}
	answer(p, id, RES_OK, "", json_pack("{s:I, s:s, s:b}", "run",
	    (json_int_t)run, "kind", orch_kind_name((unsigned)r.r_kind),
	    "running", run_is_live(&r)), fd);
	close(fd);
}

static int
has_arg(const struct orch_strs *args, const char *word)
{
	const char *s = NULL;

	while ((s = orch_strs_next(args, s)) != NULL)
		if (strcmp(s, word) == 0)
			return (1);
	return (0);
}

/* Questions about everything. */
static json_t *
ask_all(const struct orch_query *m)
{
	if (strcmp(m->verb, "status") == 0)
		return (query_status(has_arg(&m->args, "all")));
	if (strcmp(m->verb, "queue") == 0)
		return (query_queue());
	if (strcmp(m->verb, "check") == 0)
		return (query_check());
	if (strcmp(m->verb, "lease") == 0)
		return (query_leases());
	if (strcmp(m->verb, "effect") == 0)
		return (query_effects());
	if (strcmp(m->verb, "alert") == 0)
		return (query_alerts());
	if (strcmp(m->verb, "metrics") == 0)
		return (metrics_document());
	if (strcmp(m->verb, "health") == 0)
		return (json_pack("{s:s, s:I}", "status", "ok", "started",
		    (json_int_t)(eng.e_started_at / 1000)));
	return (NULL);
}

/* Questions about one task. */
static json_t *
ask_task(const char *verb, const struct task *t)
{
	if (strcmp(verb, "show") == 0)
		return (query_show(t));
	if (strcmp(verb, "history") == 0)
		return (query_history(t));
	if (strcmp(verb, "why") == 0)
		return (query_why(t));
	if (strcmp(verb, "gate") == 0)
		return (query_gates(t));
	return (NULL);
}

static int
is_task_verb(const char *verb)
{
	return (strcmp(verb, "show") == 0 || strcmp(verb, "history") == 0 ||
	    strcmp(verb, "why") == 0 || strcmp(verb, "gate") == 0);
}

/* Who faces the internet sees health only. */
static int
may_ask(const struct peer *p, const struct orch_query *m)
{
	if (p->p_role == ROLE_WEBHOOK)
		return (strcmp(m->verb, "health") == 0);
	if (p->p_role == ROLE_PAGE)
		return (m->loopback || strcmp(m->verb, "health") == 0 ||
		    token_reads(m->token));
	return (1);
}

/* It makes others ask servers elsewhere: people only, one at a time. */
static void
query_doctor(struct peer *p, uint32_t id, const char *word)
{
	const struct conf_project *cp;
	char text[256];

	if (p->p_role != ROLE_CTL) {
		answer(p, id, RES_DENIED, "only orchctl asks for a doctor",
		    NULL, -1);
		return;
	}
	if (word[0] == '\0') {
		doctor_begin(p, id, "");
		return;
	}
	if ((cp = conf_project_by_name(eng.e_conf, word)) == NULL &&
	    (cp = conf_project_by_prefix(eng.e_conf, word)) == NULL) {
		snprintf(text, sizeof(text), "there is no project %s", word);
		answer(p, id, RES_NOTFOUND, text, NULL, -1);
		return;
	}
	doctor_begin(p, id, cp->cp_name);
}

int
on_query(struct peer *p, uint32_t id, const union orch_any *any, int *fd)
{
	const struct orch_query *m = &any->query;
	char text[256];
	struct task t;
	enum store_res res;
	json_t *j;

	if (!may_ask(p, m)) {
		answer(p, id, RES_DENIED, "a read token is needed", NULL, -1);
		return (0);
	}
	if (strcmp(m->verb, "event") == 0) {
		query_event(p, id, m);
		return (0);
	}
	if (strcmp(m->verb, "log") == 0) {
		query_log(p, id, m->object);
		return (0);
	}
	if (strcmp(m->verb, "doctor") == 0) {
		query_doctor(p, id, m->object);
		return (0);
	}
	if (is_task_verb(m->verb)) {
		if ((res = task_resolve(m->object, &t)) != STORE_OK) {
			snprintf(text, sizeof(text), res == STORE_EXISTS ?
			    "more than one task is called %s: say its prefix "
			    "too" : m->object[0] == '\0' ? "which task?%s" :
			    "there is no task %s", m->object);
			answer(p, id, RES_NOTFOUND, text, NULL, -1);
			return (0);
		}
		j = ask_task(m->verb, &t);
	} else
		j = ask_all(m);
	if (j == NULL) {
		answer(p, id, RES_REFUSED, "there is no such question", NULL,
		    -1);
		return (0);
	}
	answer(p, id, RES_OK, "", j, -1);
	return (0);
}
