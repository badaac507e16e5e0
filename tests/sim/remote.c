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

#include "libcommon/git_remote.h"

#include "sim.h"

/*
 * The world has one forge, the local one: nobody reaches for a repository
 * elsewhere, and who does ends the simulation.
 */

enum git_result
git_remote_head(const struct git_repo *repo, const struct git_remote *gr,
    const char *branch, char oid[GIT_OID_SIZE], char *err, size_t errlen)
{
	broken("%s of %s is looked at", branch, gr->gr_url);
	return (GIT_ERR);
}

enum git_result
git_remote_fetch(const struct git_repo *repo, const struct git_remote *gr,
    const char *branch, char *err, size_t errlen)
{
	broken("%s is fetched from", gr->gr_url);
	return (GIT_ERR);
}

enum git_result
git_remote_push(const struct git_repo *repo, const struct git_remote *gr,
    const char *branch, const char *new, const char *old, char *err,
    size_t errlen)
{
	broken("%s of %s is pushed to", branch, gr->gr_url);
	return (GIT_ERR);
}

int
git_remote_header(const char *token, char *buf, size_t len)
{
	broken("a token is shown by git");
	return (-1);
}
