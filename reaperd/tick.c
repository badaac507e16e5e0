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

#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include "libcommon/log.h"

#include "reaperd.h"

/* An age that was said, and when: it grows by itself from then on. */
struct age {
	uint64_t	 a_s;
	struct monotime	 a_at;		/* not set: nothing was said */
};

struct seen {
	uint64_t	 s_run;
	char		 s_text[IDENT_TEXT_MAX];
	uint32_t	 s_ticks;	/* in a row, found gone */
	int		 s_doubt;	/* the alert is up */
	int		 s_now;		/* seen in this tick */
	struct age	 s_held;
	struct age	 s_stamped;
};

static struct seen	*seen;
static size_t		 nseen, room;

void
tick_begin(void)
{
	size_t i;

	for (i = 0; i < nseen; i++)
		seen[i].s_now = 0;
}

/* A run with another identity than before is another process: start anew. */
static struct seen *
tick_find(uint64_t run, const char *text)
{
	struct seen *s;
	size_t i;

	for (i = 0; i < nseen; i++) {
		if (seen[i].s_run != run)
			continue;
		if (strcmp(seen[i].s_text, text) != 0) {
			seen[i].s_ticks = 0;
			memset(&seen[i].s_held, 0, sizeof(seen[i].s_held));
			memset(&seen[i].s_stamped, 0,
			    sizeof(seen[i].s_stamped));
			(void)strlcpy(seen[i].s_text, text,
			    sizeof(seen[i].s_text));
		}
		return (&seen[i]);
	}
	if (nseen == room) {
		if ((s = reallocarray(seen, room + 64, sizeof(*s))) == NULL)
			return (NULL);
		seen = s;
		room += 64;
	}
	s = &seen[nseen++];
	memset(s, 0, sizeof(*s));
	s->s_run = run;
	(void)strlcpy(s->s_text, text, sizeof(s->s_text));
	return (s);
}

enum verdict_now
tick_see(uint64_t run, const char *text, enum look look, uint32_t dead_ticks,
    uint32_t *ticks)
{
	struct seen *s;
	int doubt;

	if ((s = tick_find(run, text)) == NULL) {
		log_warn("run %llu", (unsigned long long)run);
		return (NOW_NOTHING);
	}
	s->s_now = 1;
	doubt = s->s_doubt;
	s->s_doubt = look == LOOK_UNKNOWN;
	s->s_ticks = look == LOOK_DEAD || look == LOOK_GONE ? s->s_ticks + 1 :
	    0;
	*ticks = s->s_ticks;
	switch (look) {
	case LOOK_DEAD:
		return (NOW_DEAD);
	case LOOK_GONE:
		if (s->s_ticks >= dead_ticks)
			return (NOW_DEAD);
		break;
	case LOOK_UNKNOWN:
		return (doubt ? NOW_NOTHING : NOW_DOUBT);
	case LOOK_ALIVE:
		break;
	}
	return (doubt ? NOW_SURE : NOW_NOTHING);
}

/* The smaller of what is said now and what was said before, grown. */
static uint64_t
age_of(struct age *a, struct monotime now, uint64_t said)
{
	uint64_t grown;

	if (a->a_at.mt_ns != 0) {
		grown = a->a_s + (uint64_t)(monotime_sub_ms(now, a->a_at) /
		    1000);
		if (grown < said)
			return (grown);
	}
	a->a_s = said;
	a->a_at = now;
	return (said);
}

void
tick_ages(uint64_t run, const char *text, struct monotime now,
    uint64_t *held_s, uint64_t *stamped_s)
{
	struct seen *s;

	if ((s = tick_find(run, text)) == NULL)
		return;
	*held_s = age_of(&s->s_held, now, *held_s);
	*stamped_s = age_of(&s->s_stamped, now, *stamped_s);
}

unsigned int
tick_tier(const struct orch_live *l, uint64_t grace_s, uint64_t max_s)
{
	if (l->held_s >= max_s)
		return (3);
	return (l->stamped && l->stamped_s >= grace_s ? 2 : 0);
}

void
tick_end(void (*clear)(uint64_t run))
{
	size_t i, keep = 0;

	for (i = 0; i < nseen; i++) {
		if (seen[i].s_now)
			seen[keep++] = seen[i];
		else if (seen[i].s_doubt)
			clear(seen[i].s_run);
	}
	nseen = keep;
}

void
tick_reset(void)
{
	free(seen);
	seen = NULL;
	nseen = room = 0;
}
