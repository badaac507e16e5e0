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

#ifndef ORCHD_GIT_BUNDLE_HEAD_H
#define ORCHD_GIT_BUNDLE_HEAD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "libcommon/git.h"

#define GIT_BUNDLE_HEAD_MAX	(64U << 10)	/* bytes of the text head */
#define GIT_BUNDLE_PREREQ_MAX	64U

struct git_bundle_head {
	char		bh_tip[GIT_OID_SIZE];
	char		bh_prereq[GIT_BUNDLE_PREREQ_MAX][GIT_OID_SIZE];
	size_t		bh_nprereq;
	off_t		bh_pack;	/* where the pack begins */
	uint32_t	bh_nobjects;	/* what the pack's head claims */
};

/*
 * Read the text head of a bundle (gitformat-bundle(5), version 2) and the
 * pack's first 12 bytes behind it from `len' bytes of the file's beginning.
 * Exactly one reference line, named `ref', is accepted.  0, or -1 with a
 * sentence, escaped, in `why'.
 */
int git_bundle_head_parse(const char *buf, size_t len, const char *ref,
    struct git_bundle_head *, char *why, size_t);

#endif
