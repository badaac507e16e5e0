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

#ifndef ORCHD_ACTION_H
#define ORCHD_ACTION_H

#include "conf.h"
#include "peer.h"
#include "task.h"

/* What people do through orchctl: each is one request, answered once. */
int	 on_action(struct peer *, uint32_t, const union orch_any *, int *);

/* What became of an action, in a sentence for people. */
struct action_said {
	enum orch_result as_result;
	char		 as_text[2048];
};

/*
 * The same from elsewhere than orchctl: what verb does to the task as it is
 * now, about the commit that is asked about now.  -1: the database failed.
 */
int	 action_now(const char *verb, const struct task *, const char *user,
	    const char *text, struct action_said *);

/* Tell the agents and gates of a task that are connected to end. */
int	 task_stop_runs(const struct task *, const char *why);

/* A task to be made; texts are checked by the caller. */
struct task_new {
	const struct conf_project *tn_project;
	int64_t		 tn_number;	/* 0: the next one */
	int64_t		 tn_try;	/* of the same item; 0: the first */
	const char	*tn_title;
	const char	*tn_text;
	const char	*tn_user;
	const char	*tn_item;	/* of a tracker elsewhere, or "" */
	int64_t		 tn_priority;
};

/*
 * Make it.  1: there is a task of that number already (it is filled in and
 * nothing is changed); -1: the database failed.
 */
int	 task_submit(const struct task_new *, struct task *);

#endif
