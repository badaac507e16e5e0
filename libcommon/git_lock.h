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

#ifndef COMMON_GIT_LOCK_H
#define COMMON_GIT_LOCK_H

/*
 * git locks a reference by creating FILE.lock beside it.  A git that was
 * killed at that moment, or a machine that lost its power, leaves the lock
 * behind, and the reference could never be changed again.
 *
 * After a change of `ref' in the bare repository `dir' has failed: look
 * whether a lock is in its way.  Returns 1 when it is worth trying again,
 * because the lock has gone, or because it was removed here; 0 when there is
 * none, or when it may have a living holder.
 *
 * Time alone removes no lock: it must have been the same for a second, and no
 * process may live that is a git in this repository and older than the first
 * look (one whose repository cannot be seen counts).  Who removes one excludes
 * others who would by flock(2) on the folder, so that never a younger lock is
 * removed.
 * What a killed git had begun under its lock has not happened: the change is
 * the renaming of the lock.
 */
int	git_lock_gone(const char *dir, const char *ref);

#endif
