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

#include <errno.h>
#include <string.h>

#include "reaperd.h"

/*
 * The world with a witness: it notes whether the kernel itself said that the
 * process is gone (no such process, or a pidfd that became readable).  All
 * other proofs of death compare what /proc says with what was stored.
 */
struct witness {
	const struct ident_world *wi_real;
	int			  wi_kernel;
};

static int
see_boot_id(void *arg, char id[37])
{
	struct witness *wi = arg;

	return (wi->wi_real->iw_boot_id(wi->wi_real->iw_arg, id));
}

static int
see_pidns(void *arg, uint64_t *ino)
{
	struct witness *wi = arg;

	return (wi->wi_real->iw_pidns(wi->wi_real->iw_arg, ino));
}

static int
see_pidfd_open(void *arg, int32_t pid)
{
	struct witness *wi = arg;
	int fd;

	fd = wi->wi_real->iw_pidfd_open(wi->wi_real->iw_arg, pid);
	if (fd == -1 && errno == ESRCH)
		wi->wi_kernel = 1;
	return (fd);
}

static int
see_pidfd_ino(void *arg, int fd, uint64_t *ino)
{
	struct witness *wi = arg;

	return (wi->wi_real->iw_pidfd_ino(wi->wi_real->iw_arg, fd, ino));
}

static int
see_start_time(void *arg, int32_t pid, uint64_t *start)
{
	struct witness *wi = arg;

	return (wi->wi_real->iw_start_time(wi->wi_real->iw_arg, pid, start));
}

static int
see_pidfd_ended(void *arg, int fd)
{
	struct witness *wi = arg;
	int ended;

	ended = wi->wi_real->iw_pidfd_ended(wi->wi_real->iw_arg, fd);
	if (ended == 1)
		wi->wi_kernel = 1;
	return (ended);
}

static void
see_close(void *arg, int fd)
{
	struct witness *wi = arg;

	wi->wi_real->iw_close(wi->wi_real->iw_arg, fd);
}

enum look
look_at(const struct ident *id, const struct ident_world *real, char *why,
    size_t whylen)
{
	struct witness wi = { real, 0 };
	struct ident_world world = {
		.iw_arg = &wi,
		.iw_boot_id = see_boot_id,
		.iw_pidns = see_pidns,
		.iw_pidfd_open = see_pidfd_open,
		.iw_pidfd_ino = see_pidfd_ino,
		.iw_start_time = see_start_time,
		.iw_pidfd_ended = see_pidfd_ended,
		.iw_close = see_close,
	};

	switch (ident_check(id, &world, why, whylen)) {
	case IDENT_ALIVE:
		return (LOOK_ALIVE);
	case IDENT_DEAD:
		return (wi.wi_kernel ? LOOK_DEAD : LOOK_GONE);
	case IDENT_UNKNOWN:
		break;
	}
	return (LOOK_UNKNOWN);
}
