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

#ifndef ORCHD_PASS_H
#define ORCHD_PASS_H

/*
 * Group commit.  All requests that one turn of the loop reads share one
 * transaction; each has a savepoint of its own.  What they want to send leaves
 * after COMMIT has returned, never before.
 */

#include <stddef.h>
#include <stdint.h>

#include "proto/proto.h"

/* Prepare; the loop must have three priorities. */
int	 pass_init(void);

/*
 * Begin a request: opens the transaction when none is open, and a savepoint.
 * -1: the database takes no writes now.
 */
int	 pass_enter(void);

/*
 * End a request.  ok 0 takes back everything that it did, with what it
 * wanted to send.  -1: SQLite rolled back the whole pass; nothing of it counts
 * and every request of it was answered RES_RETRY.
 */
int	 pass_leave(int ok);

/* Remember whom to answer RES_RETRY when the pass is lost. */
void	 pass_asked_by(uint32_t peer, unsigned int type, uint32_t id);

/*
 * Send after the commit.  peer 0 is the parent.  fd (or -1) is duplicated.
 */
void	 pass_send(uint32_t peer, unsigned int type, uint32_t id,
	    const void *msg, int fd);

/*
 * One item of several inside a request: when fn answers -1, what it did is
 * taken back and the others go on.  Its answer; -1 also when SQLite rolled
 * back the whole pass (then store_lost() says so and the caller gives up).
 */
int	 pass_try(int (*fn)(void *), void *arg);

/* Commit now: at a bound, or before the engine ends. */
void	 pass_commit(void);

/* A number for each pass, for what is remembered of this one only. */
uint64_t pass_number(void);

/* Answer a request that cannot be stored now. */
void	 pass_retry(uint32_t peer, unsigned int type, uint32_t id);

#endif
