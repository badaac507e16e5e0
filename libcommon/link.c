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
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bsd/string.h>

#include "libcommon/chan.h"
#include "libcommon/ident.h"
#include "libcommon/link.h"
#include "libcommon/log.h"

#define RETRY_MIN_MS	50
#define RETRY_MAX_MS	250
#define HELLO_WAIT_MS	10000
#define HELLO_ID	1	/* requests have the numbers after it */

struct link {
	char			 l_path[108];
	enum orch_role		 l_role;
	uint64_t		 l_run;
	uint8_t			 l_key[32];
	int			 l_sock;
	uint32_t		 l_next_id;	/* never used twice */
	int			 l_decode;	/* ORCH_LENIENT: other minor */
	int			 l_cancelled;
	int			 l_refused;	/* by hello_no: for good */
	char			 l_reason[256];
	uint8_t			*l_frame;	/* the last answer's */
	uint8_t			*l_go_frame;
	struct orch_run_go	 l_go;
	int			 l_have_go;
	int			 l_go_fd;
};

struct link *
link_new(const char *path, enum orch_role role, uint64_t run,
    const uint8_t key[32])
{
	struct link *l;

	if ((l = calloc(1, sizeof(*l))) == NULL)
		return (NULL);
	if (strlcpy(l->l_path, path, sizeof(l->l_path)) >=
	    sizeof(l->l_path)) {
		free(l);
		errno = ENAMETOOLONG;
		return (NULL);
	}
	l->l_role = role;
	l->l_run = run;
	memcpy(l->l_key, key, sizeof(l->l_key));
	l->l_sock = l->l_go_fd = -1;
	l->l_next_id = HELLO_ID;
	return (l);
}

static void
link_close(struct link *l)
{
	if (l->l_sock != -1)
		close(l->l_sock);
	l->l_sock = -1;
}

void
link_free(struct link *l)
{
	if (l == NULL)
		return;
	link_close(l);
	if (l->l_go_fd != -1)
		close(l->l_go_fd);
	explicit_bzero(l->l_key, sizeof(l->l_key));
	free(l->l_frame);
	free(l->l_go_frame);
	free(l);
}

const char *
link_reason(const struct link *l)
{
	return (l->l_reason);
}

static int
link_cancel(struct link *l, const char *reason)
{
	l->l_cancelled = 1;
	strlcpy(l->l_reason, reason, sizeof(l->l_reason));
	errno = ECANCELED;
	return (-1);
}

/*
 * Take a message that comes unasked: run_go is kept (once), run_stop cancels,
 * ping is answered.  1 when it was one of these, 0 when not, -1 cancelled.
 */
static int
link_unasked(struct link *l, const struct orch_header *h,
    const union orch_any *any, uint8_t **frame, int *fd)
{
	switch (h->h_type) {
	case ORCH_run_go:
		if (l->l_have_go)
			return (1);
		l->l_go = any->run_go;
		l->l_go_frame = *frame;
		l->l_go_fd = *fd;
		l->l_have_go = 1;
		*frame = NULL;
		*fd = -1;
		return (1);
	case ORCH_run_stop:
		return (link_cancel(l, any->run_stop.reason));
	case ORCH_hello_no:
		l->l_refused = 1;
		return (link_cancel(l, any->hello_no.reason));
	case ORCH_ping:
		(void)chan_write_one(l->l_sock, ORCH_pong, h->h_id, any, -1,
		    HELLO_WAIT_MS);
		return (1);
	default:
		return (0);
	}
}

static int
link_get(struct link *l, struct orch_header *h, union orch_any *any,
    uint8_t **frame, int *fd, int ms)
{
	return (chan_read_flags(l->l_sock, FROM_ENGINE, l->l_decode, h, any,
	    frame, fd, ms));
}

/* Read until a message of type want with this id; others are taken. */
static int
link_read(struct link *l, unsigned int want, uint32_t id,
    union orch_any *any, int ms)
{
	struct orch_header h;
	uint8_t *frame;
	int fd, how, done;

	for (;;) {
		if (link_get(l, &h, any, &frame, &fd, ms) == -1)
			return (-1);
		how = link_unasked(l, &h, any, &frame, &fd);
		done = how == 0 && h.h_type == want && h.h_id == id;
		if (fd != -1)
			close(fd);
		if (how == -1) {
			free(frame);
			errno = ECANCELED;
			return (-1);
		}
		if (done) {
			free(l->l_frame);
			l->l_frame = frame;
			return (0);
		}
		free(frame);
	}
}

static int
link_hello(struct link *l)
{
	struct orch_hello hello;
	struct ident self;
	char text[IDENT_TEXT_MAX];
	union orch_any any;

	if (ident_self(&self) == -1 ||
	    ident_format(&self, text, sizeof(text)) == -1)
		return (-1);
	memset(&hello, 0, sizeof(hello));
	hello.major = ORCH_PROTO_MAJOR;
	hello.minor = ORCH_PROTO_MINOR;
	hello.role = (uint8_t)l->l_role;
	hello.run = l->l_run;
	hello.key.b_data = l->l_key;
	hello.key.b_len = sizeof(l->l_key);
	hello.ident = text;
	if (chan_write_one(l->l_sock, ORCH_hello, HELLO_ID, &hello, -1,
	    HELLO_WAIT_MS) == -1)
		return (-1);
	if (link_read(l, ORCH_hello_ok, HELLO_ID, &any, HELLO_WAIT_MS) == -1)
		return (-1);
	l->l_decode = any.hello_ok.minor == ORCH_PROTO_MINOR ? ORCH_EXACT :
	    ORCH_LENIENT;
	return (0);
}

static void
sleep_ms(unsigned int ms)
{
	struct timespec ts = { ms / 1000, (long)(ms % 1000) * 1000000 };

	nanosleep(&ts, NULL);
}

/* An engine that takes us and drops us is not asked without a pause. */
static void
link_lost(struct link *l)
{
	link_close(l);
	sleep_ms(RETRY_MIN_MS);
}

/* Connect and say HELLO until the engine answers; -1 only when cancelled. */
static int
link_connect(struct link *l)
{
	unsigned int wait = RETRY_MIN_MS;

	while (l->l_sock == -1) {
		if ((l->l_sock = chan_connect(l->l_path)) != -1 &&
		    link_hello(l) == 0)
			return (0);
		link_close(l);
		if (l->l_cancelled) {
			errno = ECANCELED;
			return (-1);
		}
		sleep_ms(wait);
		if ((wait *= 2) > RETRY_MAX_MS)
			wait = RETRY_MAX_MS;
	}
	return (0);
}

int
link_wait_go(struct link *l, struct orch_run_go *go, int *fd)
{
	struct orch_header h;
	union orch_any any;
	uint8_t *frame;
	int got;

	while (!l->l_have_go) {
		if (link_connect(l) == -1)
			return (-1);
		if (l->l_have_go)
			break;
		if (link_get(l, &h, &any, &frame, &got, -1) == -1) {
			link_lost(l);
			continue;
		}
		if (link_unasked(l, &h, &any, &frame, &got) == -1) {
			free(frame);
			errno = ECANCELED;
			return (-1);
		}
		if (got != -1)
			close(got);
		free(frame);
	}
	*go = l->l_go;
	*fd = l->l_go_fd;
	l->l_go_fd = -1;
	return (0);
}

int
link_resume(struct link *l)
{
	if (l->l_refused) {
		errno = ECANCELED;
		return (-1);
	}
	l->l_cancelled = 0;
	return (0);
}

int
link_call(struct link *l, unsigned int type, const void *msg, int fd,
    unsigned int want, union orch_any *answer)
{
	uint32_t id;

	for (;;) {
		if (l->l_cancelled || link_connect(l) == -1) {
			errno = ECANCELED;
			return (-1);
		}
		id = ++l->l_next_id;
		if (chan_write_one(l->l_sock, type, id, msg, fd, -1) == 0 &&
		    link_read(l, want, id, answer, -1) == 0) {
			/* Each answer to a request begins with its result. */
			if (answer->ack.result != RES_RETRY)
				return (0);
			sleep_ms(RETRY_MAX_MS * 4);
			continue;
		}
		if (l->l_cancelled || errno == EMSGSIZE)
			return (-1);
		log_debug("engine: %s, asking again", strerror(errno));
		link_lost(l);
	}
}

int
link_stopped(struct link *l)
{
	struct pollfd pfd = { .fd = l->l_sock, .events = POLLIN };
	struct orch_header h;
	union orch_any any;
	uint8_t *frame;
	int fd;

	/* One try: who only waits shall hear of a stop after a restart too. */
	if (!l->l_cancelled && l->l_sock == -1) {
		if ((l->l_sock = chan_connect(l->l_path)) != -1 &&
		    link_hello(l) == -1)
			link_close(l);
		pfd.fd = l->l_sock;
	}
	while (!l->l_cancelled && l->l_sock != -1 && poll(&pfd, 1, 0) == 1) {
		if (link_get(l, &h, &any, &frame, &fd, HELLO_WAIT_MS) == -1) {
			link_close(l);
			break;
		}
		(void)link_unasked(l, &h, &any, &frame, &fd);
		if (fd != -1)
			close(fd);
		free(frame);
	}
	return (l->l_cancelled);
}
