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

#ifndef ORCHD_HOOKSTATE_H
#define ORCHD_HOOKSTATE_H

#include <stdint.h>

/*
 * Is the deploy hook of a run proven to be over: its wrapper dead, and
 * so is the hook?  A hook whose wrapper was killed goes on; while it may still
 * act its deploy has not failed.  Past deploy_timeout_s a hook without its
 * wrapper is killed, for the next look to find it dead.
 */
int	 hook_is_over(int64_t run);

/*
 * Was the wrapper of this run killed between its start record and the hook's
 * identity, so that nobody can prove the hook dead?  It stays so until the
 * deploy's time limit, or until an operator settles it.
 */
int	 hook_in_doubt(int64_t run);

#endif
