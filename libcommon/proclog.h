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

#ifndef COMMON_PROCLOG_H
#define COMMON_PROCLOG_H

#include <stddef.h>
#include <stdint.h>

#include "libcommon/proctree.h"

/*
 * The reader of a command's output: whole lines, redacted, capped, escaped,
 * with memory that does not grow with the output.
 */
struct proclog;

/* Takes fd, limits and line_cb from opts; NULL with ENOMEM. */
struct proclog	*proclog_new(const struct proctree_opts *);

/* len bytes of stream 1 or 2, cut anywhere. */
void		 proclog_feed(struct proclog *, int stream, const char *,
		    size_t len);

/*
 * Ends both streams: last lines without line end, the line about what was
 * dropped; fills log_bytes, log_dropped and tail.
 */
void		 proclog_finish(struct proclog *, struct proctree_result *);

/* Frees it, without writing anything.  NULL is allowed. */
void		 proclog_free(struct proclog *);

#endif
