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

#ifndef LIBCOMMON_GITEA_H
#define LIBCOMMON_GITEA_H

/*
 * The words of Gitea's and Forgejo's REST interface (/api/v1): addresses,
 * bodies of requests, and what answers mean.  Nothing here opens a
 * connection.  Written from the servers' sources, Gitea 1.22 to 1.27 and
 * Forgejo 9 to 17; where versions differ the comment says how.
 */

#include <stddef.h>
#include <stdint.h>

#define GITEA_ID	65		/* a commit id, SHA-1 or SHA-256, NUL */
#define GITEA_NAME	256		/* a branch or an address, with NUL */
#define GITEA_LOGIN	128		/* a user's name, with NUL */
#define GITEA_PAGE	50		/* rows a page: the servers' maximum */

/*
 * An address below a repository: BASE/api/v1/repos/OWNER/NAME, then what fmt
 * makes of its arguments, which must be escaped already (http_escape).  repo
 * is "owner/name".  0; -1 when it does not fit or repo is not of that form.
 */
int	 gitea_url(char *buf, size_t len, const char *base, const char *repo,
	    const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* The header of a token: "Authorization: token T".  0; -1: does not fit. */
int	 gitea_auth(char *buf, size_t len, const char *token);

enum gitea_state { GITEA_OPEN, GITEA_CLOSED, GITEA_MERGED };

struct gitea_pull {
	uint64_t	 gp_number;
	enum gitea_state gp_state;
	char		 gp_branch[GITEA_NAME];	/* of the head */
	char		 gp_head[GITEA_ID];
	char		 gp_target[GITEA_NAME];
	char		 gp_landed[GITEA_ID];	/* merged: the commit, or "" */
	char		 gp_page[GITEA_NAME];	/* for people */
	char		 gp_author[GITEA_LOGIN];	/* who opened it */
	int		 gp_foreign;		/* the head is another repo's */
};

/*
 * Read one pull request.  The branch comes from head.label when the branch is
 * gone (then head.ref is refs/pull/N/head).  0; -1 with what is wrong in err.
 */
int	 gitea_pull_read(const char *body, size_t len, struct gitea_pull *,
	    char *err, size_t errlen);

/*
 * Look through one page of a list for the pull request of a branch onto a
 * target in the same repository; servers ignore most filters, so each row is
 * compared, and one that cannot be read is somebody else's: outsiders open
 * them too.  *rows gets the length of the page.  1 found, 0 not on this page,
 * -1 with err when it is no list of objects.
 */
int	 gitea_pulls_find(const char *body, size_t len, const char *branch,
	    const char *target, struct gitea_pull *, size_t *rows, char *err,
	    size_t errlen);

/*
 * Call fn for each pull request of one page of a list, leaving out those that
 * cannot be read; *rows gets the length of the page.  0; -1 with err when it
 * is no list.
 */
int	 gitea_pulls_each(const char *body, size_t len, size_t *rows,
	    void (*fn)(const struct gitea_pull *, void *arg), void *arg,
	    char *err, size_t errlen);

/* BASE/api/v1/user, who the token belongs to.  0; -1: does not fit. */
int	 gitea_me_url(char *buf, size_t len, const char *base);

/* BASE/api/v1/version, which server it is.  0; -1: does not fit. */
int	 gitea_version_url(char *buf, size_t len, const char *base);

/* The "login" of that answer.  0; -1 with err. */
int	 gitea_me_read(const char *body, size_t len, char login[GITEA_LOGIN],
	    char *err, size_t errlen);

/* What a person said of a pull request. */
struct gitea_review {
	uint64_t	 gr_id;
	int		 gr_approved;	/* 1 approved, 0 wants changes */
	int		 gr_dismissed;	/* it counts no more */
	unsigned int	 gr_comments;	/* at lines of the code */
	char		 gr_author[GITEA_LOGIN];
	char		 gr_commit[GITEA_ID];
	int64_t		 gr_at_ms;	/* since 1970, or 0 */
	const char	*gr_text;	/* dies with the call */
};

/*
 * Call fn for each review of one page of .../pulls/N/reviews that approves or
 * wants changes; comments, drafts and requests are left out, and so is what
 * the server does not call official: the word of somebody who may not write
 * there.  *rows gets the length of the page.  0; -1 with err.
 */
int	 gitea_reviews_each(const char *body, size_t len, size_t *rows,
	    void (*fn)(const struct gitea_review *, void *arg), void *arg,
	    char *err, size_t errlen);

/*
 * Append a line "path:line: words" for each comment of .../reviews/ID/comments
 * that nobody has resolved to the text in buf, as far as whole ones fit.
 */
void	 gitea_review_words(const char *body, size_t len, char *buf,
	    size_t buflen);

/*
 * The body that opens a pull request.  The caller frees it, as all bodies;
 * NULL: out of memory.
 */
char	*gitea_pull_body(const char *branch, const char *target,
	    const char *title, const char *text);

/* The body that merges, if head is what the server has too. */
char	*gitea_merge_body(const char *method, const char *head);

/* The body that sets a commit's status: pending, success, error, failure. */
char	*gitea_status_body(const char *state, const char *context,
	    const char *description, const char *page);

/* The body of a comment. */
char	*gitea_comment_body(const char *text);

/*
 * Does one of these comments hold the text?  Servers give the comments of a
 * pull request on one page.  1 or 0; -1 with err when it is no list.
 */
int	 gitea_comments_have(const char *body, size_t len, const char *text,
	    char *err, size_t errlen);

/* What the answer to a merge means. */
enum gitea_merge {
	GITEA_MERGE_DONE,	/* 200; or merged already: look all the same */
	GITEA_MERGE_LATER,	/* a check of the server still runs */
	GITEA_MERGE_BLOCKED,	/* protection wants checks or approvals */
	GITEA_MERGE_STALE,	/* head or target moved: read both again */
	GITEA_MERGE_CONFLICT,	/* so it says: read both again, too */
	GITEA_MERGE_NO,		/* closed, unknown, method not allowed */
	GITEA_MERGE_UNKNOWN	/* may have happened: look */
};

/*
 * Judge status and body of POST .../merge; said gets the server's sentence.
 * Any answer may hide a merge whose branch deletion failed: the caller reads
 * pull request and target before it believes anything but MERGE_STALE of a
 * head out of date.
 */
enum gitea_merge gitea_merge_answer(long status, const char *body,
	    size_t len, char *said, size_t saidlen);

enum gitea_ci {
	GITEA_CI_NONE,		/* nobody has said anything: never success */
	GITEA_CI_PENDING,
	GITEA_CI_GREEN,
	GITEA_CI_RED
};

/* What the statuses of a commit say together, over all pages. */
struct gitea_checks {
	size_t		 gc_seen;
	size_t		 gc_total;	/* the server's count */
	unsigned int	 gc_green, gc_red, gc_pending;
	char		 gc_first_red[128];	/* its context */
};

/*
 * Add one page of GET .../commits/{sha}/status to the sum; all is its
 * X-Total-Count, or -1, for what the body calls total_count is the length of
 * that page alone.  Left out are the contexts that begin with own (orchd's
 * own; NULL: none).  The combined state of the server is not used: what it
 * makes of warnings, and of none at all, differs by version.  A warning
 * counts as red, as in 1.26.  0; -1 with err.
 */
int	 gitea_checks_add(struct gitea_checks *, const char *body, size_t len,
	    int64_t all, const char *own, char *err, size_t errlen);

/*
 * Append a line "context: description (link)" for each failing status of such
 * a page to the text in buf, as far as whole lines fit; own as above.
 */
void	 gitea_checks_text(const char *body, size_t len, const char *own,
	    char *buf, size_t buflen);

/* The judgement; PENDING while pages are missing. */
enum gitea_ci gitea_checks_state(const struct gitea_checks *);

/* The sentence of an error's body ("message"), escaped; never empty. */
void	 gitea_said(long status, const char *body, size_t len, char *buf,
	    size_t buflen);

#endif
