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

#ifndef ORCHD_GIT_REMOTE_H
#define ORCHD_GIT_REMOTE_H

#include <stdint.h>

#include "libcommon/git.h"

/*
 * A repository that is reached by http or https.  The token reaches git by
 * its environment alone: it is in no argument and in no file.  No redirect is
 * followed, and no other protocol is spoken.
 */
struct git_remote {
	const char	*gr_url;	/* http(s)://HOST/..., without a user */
	const char	*gr_token;	/* "": none is sent */
	uint32_t	 gr_timeout_ms;	/* of one command; 0: by its kind */
};

/*
 * What a branch holds over there.  GIT_NOTFOUND: there is none; GIT_REFUSED:
 * as with git_remote_fetch(); GIT_ERR: no answer, or none that can be
 * understood.
 */
enum git_result git_remote_head(const struct git_repo *,
    const struct git_remote *, const char *branch, char oid[GIT_OID_SIZE],
    char *err, size_t errlen);

/*
 * Fetch a branch into refs/heads/ of the mirror, or with branch NULL all of
 * them; then those that are gone over there go here too.  The mirror follows,
 * also backwards.  GIT_NOTFOUND: there is no such branch; GIT_REFUSED: the
 * server answers that there is no such repository, that it has moved, or not
 * for this token (3xx, 401, 403, 404); GIT_ERR: no answer, or a fault of the
 * server.
 */
enum git_result git_remote_fetch(const struct git_repo *,
    const struct git_remote *, const char *branch, char *err,
    size_t errlen);

/*
 * Move a branch over there from old to new: old "" makes it, new "" deletes
 * it.  The other side compares old (a lease), so that nothing is overwritten
 * that the caller has not seen; whether new contains old is the caller's to
 * know.  GIT_STALE: it did not hold old, and nothing has changed;
 * GIT_REFUSED: the server refuses the change, the repository or the token;
 * GIT_ERR: in doubt.  Also GIT_OK
 * when it held new already.
 */
enum git_result git_remote_push(const struct git_repo *,
    const struct git_remote *, const char *branch, const char *new,
    const char *old, char *err, size_t errlen);

/*
 * The header by which git shows a token: "Authorization: Basic ...", the token
 * as the user's name.  0; -1: it does not fit.
 */
int	 git_remote_header(const char *token, char *buf, size_t len);

#endif
