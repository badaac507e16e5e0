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

#ifndef ORCHD_GIT_WRITER_H
#define ORCHD_GIT_WRITER_H

#include <stddef.h>

#include "libcommon/git.h"

/*
 * What a role may write: 1 or 0.  `path' is relative to the root of the
 * tree; `prefixes' (NULL, or ends with NULL) are the paths of `architect
 * writes'.  The analyst has 00 to 04, the architect 06 to 10 and the
 * prefixes, the developer all outside docs/work-items/, the reviewer 12, the
 * tester 13, the deployer 15.
 */
int git_role_may_write(const char *role, const char *item_id,
    const char *const *prefixes, const char *path);

/*
 * Check what a run changed from `base' to `tip' against the table above.
 * The developer may merge the target: what then equals `target' (NULL: no
 * merges) is not his change.  GIT_OK: all allowed.  GIT_REFUSED: `err' is a
 * sentence and `path' the first offending path, escaped.
 */
enum git_result git_changed_by_role(const struct git_repo *,
    const char *base, const char *tip, const char *target,
    const char *item_id, const char *role, const char *const *prefixes,
    char *path, size_t pathlen, char *err, size_t);

#endif
