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

#ifndef ORCHD_GIT_BUNDLE_H
#define ORCHD_GIT_BUNDLE_H

#include <stddef.h>
#include <stdint.h>

#include "libcommon/git.h"

struct git_bundle_opts {
	const char	*gb_ref;	/* the only name it may hold */
	const char	*gb_base;	/* commit that the agent started from */
	const char	*gb_run_ref;	/* to make: refs/orchd/in/<run> */
	uint64_t	 gb_max_bytes;	/* of the bundle; 0: 256 MiB */
	uint64_t	 gb_max_object;	/* of one object; 0: 64 MiB */
	uint32_t	 gb_max_objects;/* 0: 200,000 */
	uint32_t	 gb_timeout_ms;	/* of each step; 0: 120,000 */
};

enum git_bundle_verdict {
	GIT_BUNDLE_OK,			/* imported, gb_run_ref is the tip */
	GIT_BUNDLE_NOCOMMIT,		/* no bundle, or its tip is the base */
	GIT_BUNDLE_REFUSED,		/* the agent's fault: see reason */
	GIT_BUNDLE_ERR			/* our own: disk, git, a race */
};

struct git_bundle_result {
	char	gb_tip[GIT_OID_SIZE];	/* OK: the tip; NOCOMMIT: the base */
	char	gb_reason[512];		/* a sentence, escaped; empty on OK */
};

/*
 * Take an agent's bundle (version 2) into a mirror.  `fd' is a regular file
 * that is read from its beginning, or -1 when the agent left no bundle; its
 * content is hostile.  Nothing of it reaches the mirror before every check
 * has passed, and no reference but gb_run_ref is ever touched.  Repeating
 * an import that was cut off is safe.
 */
enum git_bundle_verdict git_bundle_import(const struct git_repo *, int fd,
    const struct git_bundle_opts *, struct git_bundle_result *);

#endif
