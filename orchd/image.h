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


#ifndef ORCHD_IMAGE_H
#define ORCHD_IMAGE_H

#include "proto/proto.h"
#include "task.h"

/* The gates' names, which two modules know. */
#define IMAGE_FRESH	"check_staging_image_fresh"
#define IMAGE_BUILD	"image-build"

/*
 * Is what staging serves built from the code tree of this commit?  The
 * verdict is put on record and into the answer; its reason is valid until the
 * next call.  -1: the database failed.
 */
int	 image_fresh(const struct task *, const char *commit,
	    struct orch_gate_answer *);

/* Has a worker with this epoch the intent to build for this commit? */
int	 image_intended(const struct task *, const char *commit,
	    uint64_t epoch);

#endif
