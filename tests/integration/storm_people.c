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

/*
 * The people of the storm: they ask all the time what is asked of them, and
 * never doubt.  A lost answer is nothing to them: they ask again.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bsd/stdlib.h>

#include "orchctl/orchctl.h"
#include "storm.h"

#define ANSWER_MS	2000	/* a stopped engine does not answer */
#define RELEASE_ONE_IN	150	/* looks at an item; few find a lease */

static struct client	 client = { .cl_fd = -1, .cl_ms = ANSWER_MS };

static const char *
text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return (s == NULL ? "" : s);
}

/* One question; NULL when nobody answers. */
static json_t *
ask(const char *verb, const char *object)
{
	struct answer a;
	json_t *doc;

	if (client.cl_fd == -1 || client_query(&client, verb, object, NULL,
	    &a) != CTL_OK)
		return (NULL);
	doc = a.a_result == RES_OK ? json_loadb(a.a_json, a.a_jsonlen, 0,
	    NULL) : NULL;
	answer_free(&a);
	return (doc);
}

/* One action; 1 when it was accepted. */
static int
act(const struct orch_action *m)
{
	struct answer a;
	int ok;

	if (client.cl_fd == -1 || client_action(&client, m, &a) != CTL_OK)
		return (0);
	ok = a.a_result == RES_OK;
	answer_free(&a);
	return (ok);
}

static void
submit(struct storm_shared *sh)
{
	char title[64];
	const char *args[] = { "project=sample", title, NULL };
	struct orch_action m = { .verb = "submit",
	    .text = "Write the word that the title says.\n",
	    .args = { .l_argv = args } };
	int n = ++sh->sh_submitted;

	/* When the answer is lost nobody knows: its number is used up. */
	(void)snprintf(title, sizeof(title), "title=Storm%d becomes word%d",
	    n, n);
	(void)act(&m);
}

/* Say yes to what is asked now. */
static void
decide(const char *id)
{
	struct orch_action m = { .task = id };
	json_t *doc = ask("show", id);

	if (doc == NULL)
		return;
	m.stage = text_of(doc, "stage");
	m.seq = (uint64_t)json_integer_value(json_object_get(doc,
	    "stage_seq"));
	m.commit = text_of(doc, "asked_commit");
	m.verb = strcmp(m.stage, "deploy") == 0 ? "confirm" : "approve";
	(void)act(&m);
	json_decref(doc);
}

/* An operator who cannot wait; without a lease it is refused. */
static void
release(struct storm_shared *sh, const char *id)
{
	const char *args[] = { "release", "force", NULL };
	struct orch_action m = { .verb = "lease", .task = id,
	    .args = { .l_argv = args } };

	sh->sh_released += act(&m);
}

static void
look_at(struct storm_shared *sh, const json_t *task)
{
	const char *id = text_of(task, "id");
	struct orch_action m = { .verb = "retry", .task = id };

	if (json_is_true(json_object_get(task, "parked")))
		sh->sh_retried += act(&m);
	else if (strcmp(text_of(task, "waits"), "person") == 0)
		decide(id);
	else if (sh->sh_more && arc4random_uniform(RELEASE_ONE_IN) == 0)
		release(sh, id);
}

static void
look(struct storm_shared *sh, int most)
{
	json_t *doc = ask("status", NULL), *tasks;
	size_t i, n;
	int late = 0, more = sh->sh_more;

	if (doc == NULL)
		return;
	tasks = json_object_get(doc, "tasks");
	n = json_array_size(tasks);
	sh->sh_open = (int)n;
	for (i = 0; i < n; i++) {
		look_at(sh, json_array_get(tasks, i));
		late += strncmp(text_of(json_array_get(tasks, i), "stage"),
		    "deploy", 6) == 0;
	}
	sh->sh_late = late;
	json_decref(doc);
	if (more && n < (size_t)most)
		submit(sh);
	else
		sh->sh_rest = !more && n == 0;
}

void
storm_people(struct storm_shared *sh, const char *sock, int most)
{
	static const struct timespec pause = { 0, 60000000 };

	for (;;) {
		if (client.cl_fd == -1 && client_open(&client, sock) !=
		    CTL_OK)
			client.cl_fd = -1;
		look(sh, most);
		(void)nanosleep(&pause, NULL);
	}
}
