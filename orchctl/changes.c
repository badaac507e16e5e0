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

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "orchctl.h"

struct seen {
	char		*se_id;
	int64_t		 se_seq;
	int		 se_terminal;
	int		 se_cancelled;
	char		 se_waits[32];
	int		 se_present;	/* in the document of this look */
	size_t		 se_rows;
	json_t		*se_task;	/* as it was last seen */
	struct seen	*se_next;
};

struct changes {
	struct seen	*ch_head;
	struct seen	**ch_tail;
};

struct changes *
changes_new(void)
{
	struct changes *ch = calloc(1, sizeof(*ch));

	if (ch != NULL)
		ch->ch_tail = &ch->ch_head;
	return (ch);
}

void
changes_free(struct changes *ch)
{
	struct seen *s;

	while (ch != NULL && (s = ch->ch_head) != NULL) {
		ch->ch_head = s->se_next;
		json_decref(s->se_task);
		free(s->se_id);
		free(s);
	}
	free(ch);
}

static int
wanted(const char *id, const char *const *ids)
{
	size_t i;

	for (i = 0; ids[i] != NULL; i++)
		if (same_task(id, ids[i]))
			return (1);
	return (i == 0);
}

static struct seen *
seen_find(const struct changes *ch, const char *id)
{
	struct seen *s;

	for (s = ch->ch_head; s != NULL; s = s->se_next)
		if (strcmp(s->se_id, id) == 0)
			return (s);
	return (NULL);
}

/* A new record, with the sequence number -1. */
static struct seen *
seen_new(struct changes *ch, const char *id)
{
	struct seen *s;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		return (NULL);
	if ((s->se_id = strdup(id)) == NULL) {
		free(s);
		return (NULL);
	}
	s->se_seq = -1;
	s->se_rows = SIZE_MAX;
	*ch->ch_tail = s;
	ch->ch_tail = &s->se_next;
	return (s);
}

/*
 * The record of a task that is to be watched.  Where none was named, a task
 * that had ended before we looked is not.
 */
static struct seen *
seen_get(struct changes *ch, const json_t *task, const char *const *ids)
{
	const char *id = jstr(task, "id");
	struct seen *s = seen_find(ch, id);

	if (s != NULL || !wanted(id, ids) ||
	    (ids[0] == NULL && stage_terminal(jstr(task, "stage"))))
		return (s);
	return (seen_new(ch, id));
}

static size_t
feed_one(struct seen *s, json_t *task, const struct change_ops *ops,
    void *arg)
{
	const char *stage = jstr(task, "stage"), *waits = jstr(task, "waits");
	int64_t seq = jint(task, "stage_seq", 0);
	char key[sizeof(s->se_waits)];
	size_t calls = 0, n;

	json_decref(s->se_task);
	s->se_task = json_incref(task);
	s->se_present = 1;
	s->se_terminal = stage_terminal(stage);
	s->se_cancelled = strcmp(stage, "cancelled") == 0;
	if (seq != s->se_seq) {
		s->se_waits[0] = '\0';
		ops->moved(task, &s->se_rows, arg);
		calls++;
	}
	s->se_seq = seq;
	if (jbool(task, "parked"))
		waits = "parked";
	if ((n = strlen(waits)) >= sizeof(key))
		n = sizeof(key) - 1;
	memcpy(key, waits, n);
	key[n] = '\0';
	if (strcmp(key, s->se_waits) != 0) {
		memcpy(s->se_waits, key, sizeof(key));
		if (n > 0 && !s->se_terminal) {
			ops->waits(task, arg);
			calls++;
		}
	}
	return (calls);
}

size_t
changes_feed(struct changes *ch, const json_t *status, int all,
    const char *const *ids, const struct change_ops *ops, void *arg)
{
	json_t *task;
	struct seen *s;
	size_t i, calls = 0;

	for (s = ch->ch_head; s != NULL; s = s->se_next)
		s->se_present = 0;
	json_array_foreach(jlist(status, "tasks"), i, task)
		if ((s = seen_get(ch, task, ids)) != NULL)
			calls += feed_one(s, task, ops, arg);
	/* What is in no list any more has ended. */
	for (s = ch->ch_head; s != NULL; s = s->se_next)
		s->se_terminal |= all && !s->se_present;
	return (calls);
}

int
changes_missing(const struct changes *ch)
{
	const struct seen *s;

	for (s = ch->ch_head; s != NULL; s = s->se_next)
		if (!s->se_present && !s->se_terminal)
			return (1);
	return (0);
}

const json_t *
changes_task(const struct changes *ch, size_t i)
{
	const struct seen *s;

	for (s = ch->ch_head; s != NULL && i > 0; s = s->se_next)
		i--;
	return (s == NULL ? NULL : s->se_task);
}

int
changes_finished(const struct changes *ch, int *cancelled)
{
	const struct seen *s;

	*cancelled = 0;
	for (s = ch->ch_head; s != NULL; s = s->se_next) {
		if (!s->se_terminal)
			return (0);
		*cancelled |= s->se_cancelled;
	}
	return (1);
}
