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

#ifndef ORCHD_GIT_TMP_H
#define ORCHD_GIT_TMP_H

#include <stddef.h>

#include "libcommon/git.h"

/*
 * A new private folder below <repository>/orchd-tmp, on the repository's
 * own file system so that its content can be renamed into place.
 * `path' takes GIT_TMP_MAX bytes.  GIT_OK or GIT_ERR.
 */
#define GIT_TMP_MAX	(GIT_REPO_MAX + 64)
enum git_result git_tmp_make(const struct git_repo *, char *path, char *err,
    size_t);

/* Remove such a folder with all in it; never follows a link. */
void git_tmp_remove(const char *path);

#endif
