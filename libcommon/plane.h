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

#ifndef LIBCOMMON_PLANE_H
#define LIBCOMMON_PLANE_H

/*
 * The words of Plane's REST interface (/api/v1): addresses, bodies of
 * requests, and what answers mean.  Nothing here opens a connection.  Written
 * from the sources of Plane 0.23 to 1.3.1.
 */

#include <stddef.h>
#include <stdint.h>

#define PLANE_ID	37		/* a UUID with NUL */
#define PLANE_NAME	256
#define PLANE_STATES	64		/* states of a project that are kept */
#define PLANE_PAGE	100		/* rows a page: what the docs allow */
#define PLANE_CURSOR	64
#define PLANE_KEY	128		/* of a comment of ours, with NUL */

/* 8-4-4-4-12 hex digits: 1, else 0. */
int	 plane_id_valid(const char *);

/*
 * An address below a project: BASE/api/v1/workspaces/SLUG/projects/ID/, then
 * what fmt makes of its arguments, which must be escaped already.  Every path
 * of Plane ends with a slash.  0; -1 when it does not fit, the slug is not of
 * [A-Za-z0-9_-] or the project no UUID.
 */
int	 plane_url(char *buf, size_t len, const char *base, const char *slug,
	    const char *project, const char *fmt, ...)
	    __attribute__((format(printf, 6, 7)));

/* BASE/api/v1/users/me/, who the key belongs to.  0; -1: does not fit. */
int	 plane_me_url(char *buf, size_t len, const char *base);

/*
 * The "id" of an answer that is one object: of a user, of a new comment.  0;
 * -1 with what is wrong in err.
 */
int	 plane_object_id(const char *body, size_t len, char id[PLANE_ID],
	    char *err, size_t errlen);

/* The header of a key: "X-API-Key: K".  0; -1: does not fit. */
int	 plane_auth(char *buf, size_t len, const char *key);

struct plane_state {
	char	ps_id[PLANE_ID];
	char	ps_name[PLANE_NAME];
	char	ps_group[16];	/* of a state: "started", ... */
};

struct plane_states {
	struct plane_state	 pt_state[PLANE_STATES];
	size_t			 pt_n;
};

/*
 * Where a list goes on.  next_cursor is always set, so only next_page_results
 * tells whether there is more: pc_next is "" at the end.
 */
struct plane_cursor {
	char	pc_next[PLANE_CURSOR];
};

/* Add one page of .../states/.  0; -1 with what is wrong in err. */
int	 plane_states_add(struct plane_states *, struct plane_cursor *,
	    const char *body, size_t len, char *err, size_t errlen);

/* The id of the state of exactly that name; NULL when there is none. */
const char *plane_state_id(const struct plane_states *, const char *name);

/* The name of a state; NULL when it is unknown. */
const char *plane_state_name(const struct plane_states *, const char *id);

/* The labels, or the members, of a project; all zero is an empty list. */
struct plane_labels {
	struct plane_state	*pl_label;
	size_t			 pl_n;
};

/* Add one page of .../labels/; more than a thousand are left out.  0; -1. */
int	 plane_labels_add(struct plane_labels *, struct plane_cursor *,
	    const char *body, size_t len, char *err, size_t errlen);

/*
 * Add the members of a project: what .../members/ answers, a list without
 * pages, with the names that they show.  0; -1.
 */
int	 plane_members_add(struct plane_labels *, const char *body,
	    size_t len, char *err, size_t errlen);

/* The name of a label or member; NULL when it is unknown. */
const char *plane_label_name(const struct plane_labels *, const char *id);

/* Forget them all. */
void	 plane_labels_free(struct plane_labels *);

/* A work item as REST gives it. */
struct plane_item {
	char		 pi_id[PLANE_ID];
	uint64_t	 pi_number;		/* sequence_id: ORCH-421 */
	char		 pi_name[PLANE_NAME * 2];
	char		 pi_state[PLANE_ID];
	char		 pi_author[PLANE_ID];	/* created_by */
	char		 pi_editor[PLANE_ID];	/* updated_by, or "" */
	char		 pi_changed[40];	/* updated_at, as it stands */
	char		 pi_labels[16][PLANE_ID];
	size_t		 pi_nlabels;
	char		*pi_text;		/* description, as plain text */
};

/* Read one item; plane_item_free() takes its text.  0; -1 with err. */
int	 plane_item_read(const char *body, size_t len, struct plane_item *,
	    char *err, size_t errlen);

/*
 * Call fn for each item of one page of .../work-items/; an item that cannot
 * be read is told by fn(NULL, what is wrong, arg) and does not stop the
 * others.  0; -1 with err when it is no page at all.
 */
int	 plane_items_each(const char *body, size_t len,
	    struct plane_cursor *, void (*fn)(const struct plane_item *,
	    const char *wrong, void *arg), void *arg, char *err,
	    size_t errlen);

void	 plane_item_free(struct plane_item *);

/* The last words of a person on an item, and our last question there. */
struct plane_words {
	char		*pw_text;	/* plain; NULL: none */
	int64_t		 pw_at_ms;	/* when they were written */
	char		 pw_asked[PLANE_KEY];	/* the question's key, or "" */
	int64_t		 pw_asked_ms;
};

/*
 * Add a page of .../comments/: the newest comment that is not of self, and the
 * newest of self whose key begins with ask.  Both times are the tracker's own,
 * so that no two clocks are compared.  0; -1 with err.
 */
int	 plane_words_add(struct plane_words *, const char *body, size_t len,
	    const char *self, const char *ask, struct plane_cursor *,
	    char *err, size_t errlen);

/* The words, unless they are older than that question; else "". */
const char *plane_words_said(const struct plane_words *);

/* Free the text. */
void	 plane_words_free(struct plane_words *);

/* Bodies of requests; the caller frees them.  NULL: out of memory. */
char	*plane_state_body(const char *state);

/*
 * A comment: the text escaped, lines kept; key makes it found again, since a
 * second one with the same key is answered 409 with the first one's id.
 */
char	*plane_comment_body(const char *text, const char *key);

/*
 * A new item; state NULL: the project's first one.  The text is as that of a
 * comment, and a second item with the same key is answered 409 with the id of
 * the first.
 */
char	*plane_item_body(const char *name, const char *text,
	    const char *state, const char *key);

/* The sentence of an error's body, escaped; never empty. */
void	 plane_said(long status, const char *body, size_t len, char *buf,
	    size_t buflen);

/*
 * Plain text of a piece of HTML: tags are dropped, the end of a block is a
 * line end, entities are their characters.  The caller frees it; NULL: out of
 * memory.
 */
char	*html_text(const char *html);

#endif
