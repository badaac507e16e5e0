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

#ifndef ORCHD_MANAGE_H
#define ORCHD_MANAGE_H

/* The engine's side of descriptor 3: the parent. */

#include <stdint.h>

#include "proto/proto.h"

/* Ask the parent to reload, restart or shut down; a person waits. */
void	 manage_ask(enum orch_manage_verb, uint32_t peer, uint32_t id);

/* Say READY to the parent. */
void	 manage_ready(void);

/* Take over descriptor 3 once the start-up messages were read. */
void	 manage_open(int fd);

/* Every second: the alert of a daemon that goes on again is over.  -1. */
int	 daemons_look(void);

#endif
