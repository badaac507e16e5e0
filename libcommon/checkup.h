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

#ifndef LIBCOMMON_CHECKUP_H
#define LIBCOMMON_CHECKUP_H

/*
 * The doctor's trials of a server elsewhere: requests one after the other,
 * each answer judged in words that say what to do.  No request has a lasting
 * effect over there: they read, or they are such that the server refuses them
 * for their content after it has looked at the right to send them.  What is
 * found goes to the engine as rows (doctor_row) of a daemon.
 */

#include <stddef.h>
#include <stdint.h>

#include <bsd/sys/queue.h>

#include "proto/proto.h"

#include "http.h"
#include "plane.h"

#define CHECKUP_URL	2400
#define CHECKUP_HEADER	4400	/* a token has at most 4096 bytes */

struct checkup;
struct checkup_ask;

/* What a step sends. */
struct checkup_request {
	const char	*cr_method;	/* "GET" when it is not set */
	const char	*cr_body;	/* JSON, or NULL */
	int		 cr_connect;	/* connect and TLS only */
	char		 cr_url[CHECKUP_URL];
	char		 cr_header[CHECKUP_HEADER];	/* or "" */
};

enum checkup_next {
	CHECKUP_ON,		/* the next step */
	CHECKUP_SKIP,		/* of cs_make: not this one; the next */
	CHECKUP_END		/* what follows makes no sense any more */
};

/* One request of a trial; a table of them ends with cs_what NULL. */
struct checkup_step {
	const char	*cs_what;	/* of its row; of no answer, too */
	enum checkup_next (*cs_make)(struct checkup *,
			    struct checkup_request *);
	/* A whole answer that is no redirect, not 429 and not 5xx. */
	enum checkup_next (*cs_judge)(struct checkup *,
			    const struct http_reply *);
};

/* The trial of one server with one token. */
struct checkup {
	TAILQ_ENTRY(checkup)	 ck_entry;
	struct checkup_ask	*ck_ask;
	const struct checkup_step *ck_step;
	/* Copied by checkup_new(); what is not needed may be NULL, then "". */
	char			*ck_project;
	char			*ck_subject;	/* "forge, to read", ... */
	char			*ck_url;	/* of the server */
	char			*ck_token;
	char			*ck_place;	/* repository, workspace */
	char			*ck_part;	/* target branch, project */
	char			*ck_method;	/* of its merges, or "" */
	char			*ck_renamed;	/* lines "Own=Name" */
	/* What steps have learned. */
	int			 ck_dated;	/* its clock was judged */
	int			 ck_admin;
	int			 ck_forgejo;
	unsigned int		 ck_version;	/* major * 1000 + minor */
	char			 ck_me[128];
	struct plane_states	 ck_states;
	struct plane_cursor	 ck_cursor;
};

/* The words of a trial, for checkup_new(). */
struct checkup_of {
	const char	*co_project;
	const char	*co_subject;
	const char	*co_url;
	const char	*co_token;
	const char	*co_place;
	const char	*co_part;
	const char	*co_renamed;
	const char	*co_method;	/* how merges land there, or NULL */
};

/*
 * Begin the answer to a doctor_ask with that correlation id; all of it ends
 * within so many milliseconds.  NULL: no memory.
 */
struct checkup_ask *checkup_begin(uint32_t id, uint32_t within_ms);

/* Add a trial; -1: no memory. */
int	 checkup_add(struct checkup_ask *, const struct checkup_of *,
	    const struct checkup_step *);

/* Start them all; the last row goes when the last one has ended. */
void	 checkup_go(struct checkup_ask *);

/* Forget all that is under way: the daemon ends. */
void	 checkup_stop(void);

/* Send a row of what was found. */
void	 checkup_say(const struct checkup *, enum orch_finding,
	    const char *what, const char *fmt, ...)
	    __attribute__((format(printf, 4, 5)));

/* A status that a step does not know: FAIL with the server's sentence. */
enum checkup_next checkup_odd(const struct checkup *, const char *what,
	    const struct http_reply *, const char *hint);

/* checkup_gitea.c: a repository at Gitea or Forgejo */

/* What reconciled needs: place the repository, part the target branch. */
extern const struct checkup_step checkup_forge_read[];

/* What finalizerd and its workers need. */
extern const struct checkup_step checkup_forge_write[];

/* checkup_plane.c: a project at Plane; place the workspace, part its id */
extern const struct checkup_step checkup_tracker[];

/* A status of a project, and the group of Plane that it belongs in. */
struct checkup_status {
	const char	*st_name;	/* as orchd calls it */
	const char	*st_group;
	const char	*st_use;	/* what happens without it */
};

/* All statuses, ended by one with st_name NULL. */
extern const struct checkup_status checkup_statuses[];

#endif
