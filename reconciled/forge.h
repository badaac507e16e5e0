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

#ifndef RECONCILED_FORGE_H
#define RECONCILED_FORGE_H

/* What forge.c and forge_review.c share. */

#include <stddef.h>
#include <stdint.h>

#include <bsd/sys/queue.h>

#include "libcommon/gitea.h"

#include "reconciled.h"

#define PAGES_MOST	100U

struct event;

/* A branch of the round. */
struct watched {
	TAILQ_ENTRY(watched) wa_entry;
	char		*wa_branch;
	char		*wa_head;
	uint64_t	 wa_pull;
	int		 wa_found;
	struct gitea_pull wa_gp;
};

/* What the engine was told: of a pull request, a review or a commit. */
struct fact {
	TAILQ_ENTRY(fact) fa_entry;
	char		*fa_key;
	char		*fa_value;
	unsigned int	 fa_round;	/* the last that saw it */
};

struct forge {
	struct project	*fg_project;
	struct remote	*fg_remote;
	struct event	*fg_ev;
	char		 fg_me[GITEA_LOGIN];
	int		 fg_me_known;	/* or asked in vain */
	int		 fg_busy;	/* a round is under way */
	int		 fg_again;
	int		 fg_soon;	/* the timer is set for a hint */
	int		 fg_failed;	/* something of it could not be read */
	int		 fg_refused;	/* the alert is raised */
	int		 fg_worked;	/* a whole round was read once */
	int		 fg_read;	/* this one has all pull requests */
	uint32_t	 fg_list;	/* watch_list under way: its id */
	unsigned int	 fg_page;
	unsigned int	 fg_limit;	/* rows of a page */
	int64_t		 fg_rows;
	unsigned int	 fg_open;	/* requests under way */
	unsigned int	 fg_round;
	TAILQ_HEAD(, watched) fg_watched;
	TAILQ_HEAD(, fact) fg_facts;
};

/* A list of one pull request, or of one commit, page by page. */
struct reading {
	struct project	*rd_project;
	uint64_t	 rd_pull;
	char		*rd_branch;
	char		 rd_author[GITEA_LOGIN];	/* who opened it */
	char		 rd_commit[GITEA_ID];
	unsigned int	 rd_page;
	int64_t		 rd_rows;
	char		(*rd_ids)[24];	/* of approvals */
	size_t		 rd_nids;
	struct gitea_checks rd_checks;
	char		 rd_text[4096];
	/* Take a page in; 1 when another one is to be asked for. */
	int		(*rd_take)(struct forge *, struct reading *,
			    const struct remote_answer *);
	void		(*rd_ask)(struct forge *, struct reading *);
};

/* forge.c */

/* Ask below the repository's address; the request counts for the round.  -1. */
int	 forge_ask(struct forge *, remote_cb, void *arg, const char *tail);

/* A request of the round has ended; the last one ends the round. */
void	 forge_asked(struct forge *);

/* What cannot be read: say why.  A refusal does not go away by waiting. */
void	 forge_not_read(struct forge *, const struct remote_answer *,
	    const char *what);

/* What came is not what a forge answers: an alert until a round is whole. */
void	 forge_not_understood(struct forge *, const char *what,
	    const char *why);

/* 1 when the engine has to be told; it is noted as told. */
int	 fact_is_new(struct forge *, const char *key, const char *value);

/* It was not told after all. */
void	 fact_forget(struct forge *, const char *key);

/*
 * Forget those whose key begins so and that this round has not seen: should one
 * come back it is told anew.
 */
void	 facts_gone(struct forge *, const char *prefix);

/* Begin to read something of a branch, page by page; NULL: no memory. */
struct reading *reading_new(struct forge *, const char *branch);
void	 reading_free(struct reading *);

/* One page has come, whatever is read. */
void	 reading_cb(const struct remote_answer *, void *arg);

/*
 * Is there another page?  The server counts; else one with less than limit
 * rows ends it.
 */
int	 more_pages(int64_t *seen, size_t rows, size_t limit, int64_t total);

/* forge_review.c */

/* Read the reviews of a pull request of that branch. */
void	 reviews_read(struct forge *, const char *branch,
	    const struct gitea_pull *);

#endif
