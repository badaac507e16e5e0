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

#ifndef LIBCOMMON_CHAN_H
#define LIBCOMMON_CHAN_H

/*
 * A message channel over a Unix stream socket on a libevent loop: whole
 * frames in, whole frames out, descriptors by SCM_RIGHTS.
 */

#include <event2/event.h>

#include "proto/proto.h"

struct chan;

/*
 * A message has come: msg is decoded and lives until the callback returns.
 * *fd is the descriptor that came along, or -1; who keeps it sets *fd to -1,
 * otherwise it is closed.  The callback may free the channel.
 */
typedef void (*chan_msg_cb)(struct chan *, const struct orch_header *,
    const union orch_any *msg, int *fd, void *arg);

/*
 * The channel has ended: end of file (why "end of file"), an error, or a
 * message that breaks the rules.  Called once; the callback frees the channel.
 */
typedef void (*chan_end_cb)(struct chan *, const char *why, void *arg);

/*
 * Make a channel on sock, which it then owns and makes non-blocking.  senders
 * is the FROM_* mask of the roles that the other side may have: a message that
 * none of them may send, or with a descriptor that the catalogue does not
 * allow (or without one that it demands), ends the channel.  prio is the
 * libevent priority.  NULL with errno.
 */
struct chan *chan_new(struct event_base *, int sock, int prio,
	    uint32_t senders, chan_msg_cb, chan_end_cb, void *arg);

/* Close and free; queued frames that could not be written are lost. */
void	 chan_free(struct chan *);

/* Change who the other side may be, once HELLO said it (FROM_* mask). */
void	 chan_set_senders(struct chan *, uint32_t senders);

/*
 * Accept messages of another minor from now on (ORCH_LENIENT).  Happens by
 * itself when a hello_ok says that the engine has another minor.
 */
void	 chan_set_lenient(struct chan *);

/*
 * Queue a message; it is written when the socket takes it.  fd (or -1) goes
 * along; the channel duplicates it, the caller keeps its own.  -1 with errno:
 * EMSGSIZE (a field is too long), ENOBUFS (the other side does not read: more
 * than 8 MiB wait), ENOMEM, EMFILE.
 */
int	 chan_send(struct chan *, unsigned int type, uint32_t id,
	    const void *msg, int fd);

/*
 * The same with a frame that orch_encode made: the channel takes frame and fd
 * over, also when it fails.
 */
int	 chan_send_frame(struct chan *, uint8_t *frame, size_t len, int fd);

/* A fresh correlation id for a request; never 0. */
uint32_t chan_id(struct chan *);

/* Stop and go on reading (back-pressure). */
void	 chan_pause(struct chan *, int paused);

/* Write what is queued, blocking for at most ms; 0 when all is written. */
int	 chan_flush(struct chan *, int ms);

/* The socket, for SO_PEERCRED and the like.  Do not read or write it. */
int	 chan_fd(const struct chan *);

/*
 * Blocking forms for start-up and simple clients, with a limit in
 * milliseconds for the whole message (-1: none).  chan_read_one allocates
 * *frame, in which msg's texts live: the caller frees it.  -1 with errno
 * (ETIMEDOUT, ECONNRESET at end of file, EBADMSG).
 */
int	 chan_write_one(int sock, unsigned int type, uint32_t id,
	    const void *msg, int fd, int ms);
int	 chan_read_one(int sock, uint32_t senders, struct orch_header *,
	    union orch_any *msg, uint8_t **frame, int *fd, int ms);

/* chan_read_one with ORCH_EXACT or ORCH_LENIENT, for runs. */
int	 chan_read_flags(int sock, uint32_t senders, int flags,
	    struct orch_header *, union orch_any *msg, uint8_t **frame,
	    int *fd, int ms);

/*
 * Connect to a Unix stream socket (CLOEXEC, non-blocking afterwards).  The
 * path is at most 107 bytes.  -1 with errno.
 */
int	 chan_connect(const char *path);

#endif
