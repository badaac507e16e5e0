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

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine.h"
#include "pass.h"
#include "runs.h"

/*
 * Bundles are descriptors: they live as long as the engine.  After a crash
 * the agent's runner, which waits for its answer, sends its bundle again.
 */
struct bundle {
	struct bundle	*b_next;
	int64_t		 b_run;
	uint32_t	 b_peer;
	uint32_t	 b_id;
	int		 b_fd;
};
static struct bundle *bundles;

static struct bundle **
bundle_find(int64_t run)
{
	struct bundle **bp;

	for (bp = &bundles; *bp != NULL; bp = &(*bp)->b_next)
		if ((*bp)->b_run == run)
			break;
	return (bp);
}

void
bundle_put(int64_t run, uint32_t peer, uint32_t id, int fd)
{
	struct bundle *b;

	bundle_drop(run);
	if ((b = calloc(1, sizeof(*b))) == NULL) {
		close(fd);
		return;
	}
	b->b_run = run;
	b->b_peer = peer;
	b->b_id = id;
	b->b_fd = fd;
	b->b_next = bundles;
	bundles = b;
}

int
bundle_fd(int64_t run)
{
	struct bundle *b = *bundle_find(run);

	return (b == NULL ? -1 : b->b_fd);
}

void
bundle_drop(int64_t run)
{
	struct bundle **bp = bundle_find(run), *b = *bp;

	if (b == NULL)
		return;
	*bp = b->b_next;
	close(b->b_fd);
	free(b);
}

void
bundle_settle(int64_t run, enum orch_result result)
{
	struct bundle *b = *bundle_find(run);
	struct orch_ack ack = { (uint8_t)result, "" };

	if (b == NULL)
		return;
	/* Kept until the runner goes: the pass may yet be taken back. */
	pass_send(b->b_peer, ORCH_ack, b->b_id, &ack, -1);
}
