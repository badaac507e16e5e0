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

#ifndef ORCHD_TELL_H
#define ORCHD_TELL_H

/*
 * Who is told what, as rows of the outbox in the transaction under way: the
 * item's tracker, the pull request where its forge is elsewhere, and people
 * (notify).  Few and useful: where it stands, what is asked, what went wrong.
 */

#include "conf.h"
#include "outbox.h"
#include "store.h"
#include "task.h"

/* Is anybody configured to be told? */
int		 tell_anybody(void);

/*
 * Tell all of notify; task may be NULL.  kind is a word for programs: alert,
 * recovery, question, end.  key makes the message unique.
 */
enum store_res	 tell_people(const struct task *, const char *kind,
		    const char *key, const char *text);

/*
 * A move that is being committed.  t is the task as it was before.  To the
 * tracker always; to the pull request what became of its code; to people the
 * end.
 */
enum store_res	 tell_move(const struct transition *, const struct task *t);

/*
 * The key of a question about that commit.  It begins with "ask:", by which
 * reconciled knows the question again in the tracker.
 */
void		 tell_question_key(const struct task *, const char *commit,
		    char *buf, size_t);

/* A person is asked: to the tracker and to people. */
enum store_res	 tell_question(const struct task *, const char *commit,
		    const char *text);

/*
 * How a person says it, by orchctl and, where the tracker is elsewhere, by the
 * status there.
 */
void		 tell_how(const struct task *, const char *verb,
		    enum conf_status yes, char *buf, size_t len);

/*
 * Why a task is parked, and how it goes on unless that is said by orchctl
 * cancel in the reason, in two sentences; of the first one
 * there is as much as fits.  len is 1000 or more.
 */
void		 tell_way_on(const struct task *, const char *reason, char *buf,
		    size_t len);

/*
 * Something is to be corrected: why, and what a log or a reviewer says; to the
 * pull request.
 */
enum store_res	 tell_findings(int64_t task, const char *reason,
		    const char *text);

/*
 * It is parked, and why; to the pull request, and to a tracker elsewhere, which
 * shows no more than a status.  The alert tells people.
 */
enum store_res	 tell_parked(const struct task *, const char *reason);

/* A gate is about to be evaluated there: a status of the commit. */
enum store_res	 tell_gate_runs(const struct task *, const char *gate,
		    const char *commit, int64_t job);

/*
 * What gates have said of a commit: statuses of it, once the forge has it.
 * Said again it changes nothing.
 */
enum store_res	 tell_gates(int64_t task, const char *commit);

/*
 * What a gate has read or measured, id its row: where the tracker is elsewhere
 * and cannot show it, a comment.  Of what passed only review and test report.
 */
enum store_res	 tell_verdict(const struct task *, int64_t id,
		    const char *gate, const char *verdict,
		    const char *commit, const char *reason, const char *text);

/* The same for a record of a deploy (artifacts 14 to 16). */
enum store_res	 tell_record(const struct task *, const char *name,
		    const char *text);

#endif
