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


#ifndef ORCHD_SETTLE_H
#define ORCHD_SETTLE_H

#include <stddef.h>

#include "proto/roles.h"
#include "task.h"

/*
 * An operator says how an effect ended that nobody can tell the end of:
 * outcome is done, failed or retry.  Refused while somebody is inside the
 * task's lease, and for an effect that is not in doubt.  said gets the
 * sentence for the operator; RES_RETRY: the database failed.
 */
enum orch_result effect_settle(const struct task *, const char *key,
		    const char *outcome, const char *by, const char *reason,
		    char *said, size_t len);

#endif
