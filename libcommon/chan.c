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

#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bsd/string.h>

#include "libcommon/chan.h"
#include "libcommon/log.h"

#define QUEUE_MAX	(8U << 20)	/* bytes that may wait to be written */
#define FDS_MAX		2	/* of the frame that is read, and of the next */

struct out_frame {
	struct out_frame	*of_next;
	uint8_t			*of_data;
	size_t			 of_len;
	size_t			 of_off;
	int			 of_fd;
};

struct chan {
	int			 c_sock;
	uint32_t		 c_senders;
	int			 c_decode;	/* ORCH_EXACT, ORCH_LENIENT */
	uint32_t		 c_next_id;
	struct event		*c_read;
	struct event		*c_write;
	chan_msg_cb		 c_on_msg;
	chan_end_cb		 c_on_end;
	void			*c_arg;
	uint8_t			*c_buf;
	size_t			 c_len;
	size_t			 c_size;
	int			 c_fds[FDS_MAX];
	size_t			 c_nfds;
	struct out_frame	*c_out;
	struct out_frame	**c_tail;
	size_t			 c_queued;
	int			*c_freed;	/* set while callbacks run */
};

static void	chan_read_cb(int, short, void *);
static void	chan_write_cb(int, short, void *);

static void
chan_end(struct chan *c, const char *why)
{
	event_del(c->c_read);
	event_del(c->c_write);
	c->c_on_end(c, why, c->c_arg);
}

struct chan *
chan_new(struct event_base *base, int sock, int prio, uint32_t senders,
    chan_msg_cb on_msg, chan_end_cb on_end, void *arg)
{
	struct chan *c;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		return (NULL);
	c->c_sock = sock;
	c->c_senders = senders;
	c->c_on_msg = on_msg;
	c->c_on_end = on_end;
	c->c_arg = arg;
	c->c_tail = &c->c_out;
	if (evutil_make_socket_nonblocking(sock) == -1 ||
	    (c->c_read = event_new(base, sock, EV_READ | EV_PERSIST,
	    chan_read_cb, c)) == NULL ||
	    (c->c_write = event_new(base, sock, EV_WRITE, chan_write_cb,
	    c)) == NULL)
		goto fail;
	(void)event_priority_set(c->c_read, prio);
	(void)event_priority_set(c->c_write, prio);
	if (event_add(c->c_read, NULL) == -1)
		goto fail;
	return (c);
fail:
	if (c->c_read != NULL)
		event_free(c->c_read);
	if (c->c_write != NULL)
		event_free(c->c_write);
	free(c);
	return (NULL);
}

static void
out_frame_free(struct out_frame *of)
{
	if (of->of_fd != -1)
		close(of->of_fd);
	free(of->of_data);
	free(of);
}

void
chan_free(struct chan *c)
{
	struct out_frame *of;
	size_t i;

	if (c == NULL)
		return;
	if (c->c_freed != NULL)
		*c->c_freed = 1;
	event_free(c->c_read);
	event_free(c->c_write);
	while ((of = c->c_out) != NULL) {
		c->c_out = of->of_next;
		out_frame_free(of);
	}
	for (i = 0; i < c->c_nfds; i++)
		close(c->c_fds[i]);
	close(c->c_sock);
	free(c->c_buf);
	free(c);
}

void
chan_set_senders(struct chan *c, uint32_t senders)
{
	c->c_senders = senders;
}

void
chan_set_lenient(struct chan *c)
{
	c->c_decode = ORCH_LENIENT;
}

uint32_t
chan_id(struct chan *c)
{
	if (++c->c_next_id == 0)
		c->c_next_id = 1;
	return (c->c_next_id);
}

int
chan_fd(const struct chan *c)
{
	return (c->c_sock);
}

void
chan_pause(struct chan *c, int paused)
{
	if (paused)
		event_del(c->c_read);
	else
		event_add(c->c_read, NULL);
}

/* One sendmsg(2); the descriptor goes along with the first byte. */
static ssize_t
send_some(int sock, const uint8_t *data, size_t len, int fd)
{
	union {
		struct cmsghdr	hdr;
		char		buf[CMSG_SPACE(sizeof(int))];
	} cm;
	struct iovec iov = { .iov_base = (void *)(uintptr_t)data,
	    .iov_len = len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (fd != -1) {
		memset(&cm, 0, sizeof(cm));
		msg.msg_control = &cm;
		msg.msg_controllen = sizeof(cm.buf);
		cm.hdr.cmsg_len = CMSG_LEN(sizeof(int));
		cm.hdr.cmsg_level = SOL_SOCKET;
		cm.hdr.cmsg_type = SCM_RIGHTS;
		memcpy(CMSG_DATA(&cm.hdr), &fd, sizeof(fd));
	}
	return (sendmsg(sock, &msg, MSG_NOSIGNAL));
}

/*
 * One recvmsg(2) of bytes and descriptors; returns as recv(2).  Descriptors
 * beyond room are closed and count as a broken rule (EPROTO).
 */
static ssize_t
recv_some(int sock, uint8_t *data, size_t len, int *fds, size_t *nfds,
    size_t room)
{
	union {
		struct cmsghdr	hdr;
		char		buf[CMSG_SPACE(sizeof(int) * FDS_MAX)];
	} cm;
	struct iovec iov = { .iov_base = data, .iov_len = len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
	    .msg_control = &cm, .msg_controllen = sizeof(cm.buf) };
	struct cmsghdr *h;
	ssize_t n;
	size_t i, got;
	int fd, over = 0;

	if ((n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC)) == -1)
		return (-1);
	for (h = CMSG_FIRSTHDR(&msg); h != NULL; h = CMSG_NXTHDR(&msg, h)) {
		if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
			continue;
		got = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < got; i++) {
			memcpy(&fd, CMSG_DATA(h) + i * sizeof(int),
			    sizeof(fd));
			if (*nfds < room)
				fds[(*nfds)++] = fd;
			else {
				close(fd);
				over = 1;
			}
		}
	}
	if (over || (msg.msg_flags & MSG_CTRUNC)) {
		errno = EPROTO;
		return (-1);
	}
	return (n);
}

/* Write what the socket takes.  0: all or for now; -1: the socket is dead. */
static int
chan_write(struct chan *c)
{
	struct out_frame *of;
	ssize_t n;

	while ((of = c->c_out) != NULL) {
		n = send_some(c->c_sock, of->of_data + of->of_off,
		    of->of_len - of->of_off, of->of_fd);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return (errno == EAGAIN || errno == EWOULDBLOCK ?
			    0 : -1);
		if (of->of_fd != -1) {
			close(of->of_fd);
			of->of_fd = -1;
		}
		of->of_off += (size_t)n;
		c->c_queued -= (size_t)n;
		if (of->of_off < of->of_len)
			continue;
		if ((c->c_out = of->of_next) == NULL)
			c->c_tail = &c->c_out;
		out_frame_free(of);
	}
	return (0);
}

static void
chan_write_cb(int fd, short what, void *arg)
{
	struct chan *c = arg;

	/* A dead socket is seen by the reader, with what is left to read. */
	if (chan_write(c) == 0 && c->c_out != NULL)
		event_add(c->c_write, NULL);
}

int
chan_send_frame(struct chan *c, uint8_t *frame, size_t len, int fd)
{
	struct out_frame *of;

	if (c->c_queued + len > QUEUE_MAX) {
		errno = ENOBUFS;
		goto fail;
	}
	if ((of = calloc(1, sizeof(*of))) == NULL)
		goto fail;
	if (fd != -1)
		orch_frame_flags(frame, ORCH_WITH_FD);
	of->of_data = frame;
	of->of_len = len;
	of->of_fd = fd;
	*c->c_tail = of;
	c->c_tail = &of->of_next;
	c->c_queued += len;
	return (event_add(c->c_write, NULL));
fail:
	if (fd != -1)
		close(fd);
	free(frame);
	return (-1);
}

int
chan_send(struct chan *c, unsigned int type, uint32_t id, const void *msg,
    int fd)
{
	const char *field;
	uint8_t *frame;
	size_t len;
	int copy = -1;

	if (orch_encode(type, id, msg, &frame, &len, &field) == -1) {
		log_warn("channel: %s: field %s", orch_msg(type) == NULL ?
		    "?" : orch_msg(type)->m_name, field);
		return (-1);
	}
	if (fd != -1 && (copy = fcntl(fd, F_DUPFD_CLOEXEC, 4)) == -1) {
		free(frame);
		return (-1);
	}
	return (chan_send_frame(c, frame, len, copy));
}

static long long
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((long long)ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

/* Wait for the socket; 0 ready, -1 with ETIMEDOUT.  until -1: no limit. */
static int
wait_for(int sock, short what, long long until)
{
	struct pollfd pfd = { .fd = sock, .events = what };
	long long left = -1;
	int n;

	for (;;) {
		if (until != -1 && (left = until - now_ms()) < 0)
			left = 0;
		if ((n = poll(&pfd, 1, (int)left)) > 0)
			return (0);
		if (n == -1 && errno != EINTR)
			return (-1);
		if (n == 0) {
			errno = ETIMEDOUT;
			return (-1);
		}
	}
}

int
chan_flush(struct chan *c, int ms)
{
	long long until = now_ms() + ms;

	while (c->c_out != NULL) {
		if (chan_write(c) == -1)
			return (-1);
		if (c->c_out != NULL &&
		    wait_for(c->c_sock, POLLOUT, until) == -1)
			return (-1);
	}
	return (0);
}

/*
 * A greeting tells the version, so it is read across versions: fields of
 * another minor do not hide which minor that is.
 */
static int
greeting_of_another(unsigned int type, const union orch_any *any)
{
	switch (type) {
	case ORCH_hello:
		return (any->hello.major != ORCH_PROTO_MAJOR ||
		    any->hello.minor != ORCH_PROTO_MINOR);
	case ORCH_hello_ok:
		return (any->hello_ok.minor != ORCH_PROTO_MINOR);
	default:
		return (type == ORCH_hello_no);
	}
}

static int
frame_decode(int flags, const struct orch_header *h, const uint8_t *payload,
    union orch_any *any, const char **field)
{
	size_t len = h->h_len - ORCH_HEADER_SIZE;
	const char *ignored;

	if (orch_decode(h->h_type, payload, len, flags, any, field) == 0)
		return (0);
	if ((h->h_type == ORCH_hello || h->h_type == ORCH_hello_ok ||
	    h->h_type == ORCH_hello_no) && orch_decode(h->h_type, payload, len,
	    ORCH_LENIENT, any, &ignored) == 0 &&
	    greeting_of_another(h->h_type, any))
		return (0);
	return (-1);
}

/*
 * Check one frame against the catalogue and the sender, and decode it.
 * NULL, or why it breaks the rules.
 */
static const char *
frame_check(uint32_t senders, int flags, const struct orch_header *h,
    const uint8_t *payload, int has_fd, union orch_any *any, char *why,
    size_t whylen)
{
	int announced = (h->h_flags & ORCH_WITH_FD) != 0;
	const struct orch_msg *m;
	const char *field;

	if ((m = orch_msg(h->h_type)) == NULL)
		snprintf(why, whylen, "unknown message type %u", h->h_type);
	else if ((m->m_from & senders) == 0)
		snprintf(why, whylen, "message %s is not its to send",
		    m->m_name);
	else if (announced != has_fd)
		snprintf(why, whylen, "message %s: its descriptor %s",
		    m->m_name, has_fd ? "was not announced" : "did not come");
	else if ((m->m_fd == FD_NONE && has_fd) ||
	    (m->m_fd == FD_ONE && !has_fd))
		snprintf(why, whylen, "message %s %s a descriptor", m->m_name,
		    has_fd ? "with" : "without");
	else if (frame_decode(flags, h, payload, any, &field) == -1)
		snprintf(why, whylen, "message %s: bad field %s", m->m_name,
		    field);
	else
		return (NULL);
	return (why);
}

/* The descriptor of this frame, or -1.  It came with the frame's first byte. */
static int
take_fd(const struct orch_header *h, int *fds, size_t *nfds)
{
	int fd;

	if (*nfds == 0 || (h->h_flags & ORCH_WITH_FD) == 0)
		return (-1);
	fd = fds[0];
	memmove(fds, fds + 1, --*nfds * sizeof(*fds));
	return (fd);
}

/* Is there a descriptor that belongs to no frame, read or begun? */
static int
stray_fd(const struct chan *c, size_t off)
{
	struct orch_header h;
	size_t left = c->c_len - off, want = left > 0;

	if (left >= ORCH_HEADER_SIZE &&
	    orch_header_get(c->c_buf + off, &h) == 0)
		want = (h.h_flags & ORCH_WITH_FD) != 0;
	return (c->c_nfds > want);
}

/* Handle the frames in the buffer; -1 when the channel is gone. */
static int
chan_frames(struct chan *c)
{
	struct orch_header h;
	union orch_any any;
	char why[160];
	const char *bad;
	size_t off = 0;
	int fd, freed = 0;

	while (c->c_len - off >= ORCH_HEADER_SIZE) {
		if (orch_header_get(c->c_buf + off, &h) == -1) {
			chan_end(c, "bad frame header");
			return (-1);
		}
		if (c->c_len - off < h.h_len)
			break;
		fd = take_fd(&h, c->c_fds, &c->c_nfds);
		bad = frame_check(c->c_senders, c->c_decode, &h,
		    c->c_buf + off + ORCH_HEADER_SIZE, fd != -1, &any, why,
		    sizeof(why));
		if (bad != NULL) {
			if (fd != -1)
				close(fd);
			chan_end(c, bad);
			return (-1);
		}
		if (h.h_type == ORCH_hello_ok &&
		    any.hello_ok.minor != ORCH_PROTO_MINOR)
			chan_set_lenient(c);
		c->c_freed = &freed;
		c->c_on_msg(c, &h, &any, &fd, c->c_arg);
		if (fd != -1)
			close(fd);
		if (freed)
			return (-1);
		c->c_freed = NULL;
		off += h.h_len;
	}
	if (stray_fd(c, off)) {
		chan_end(c, "a descriptor that no message announces");
		return (-1);
	}
	memmove(c->c_buf, c->c_buf + off, c->c_len - off);
	c->c_len -= off;
	return (0);
}

/* Room for the frame that is being read, and a little more. */
static int
chan_room(struct chan *c)
{
	struct orch_header h;
	size_t want = 16384;
	uint8_t *p;

	if (c->c_len >= ORCH_HEADER_SIZE &&
	    orch_header_get(c->c_buf, &h) == 0 && h.h_len > want)
		want = h.h_len;
	if (c->c_size >= want && c->c_size > c->c_len)
		return (0);
	if (want <= c->c_len)
		want = c->c_len + 16384;
	if ((p = realloc(c->c_buf, want)) == NULL)
		return (-1);
	c->c_buf = p;
	c->c_size = want;
	return (0);
}

static void
chan_read_cb(int fd, short what, void *arg)
{
	struct chan *c = arg;
	ssize_t n;

	if (chan_room(c) == -1) {
		chan_end(c, "out of memory");
		return;
	}
	n = recv_some(c->c_sock, c->c_buf + c->c_len, c->c_size - c->c_len,
	    c->c_fds, &c->c_nfds, c->c_nfds < FDS_MAX ? c->c_nfds + 1 :
	    FDS_MAX);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n == -1) {
		chan_end(c, errno == EPROTO ? "more descriptors than a message "
		    "may have" : strerror(errno));
		return;
	}
	if (n == 0) {
		chan_end(c, "end of file");
		return;
	}
	c->c_len += (size_t)n;
	(void)chan_frames(c);
}

int
chan_write_one(int sock, unsigned int type, uint32_t id, const void *msg,
    int fd, int ms)
{
	long long until = ms < 0 ? -1 : now_ms() + ms;
	const char *field;
	uint8_t *frame;
	size_t len, off = 0;
	ssize_t n;
	int ret = -1;

	if (orch_encode(type, id, msg, &frame, &len, &field) == -1)
		return (-1);
	if (fd != -1)
		orch_frame_flags(frame, ORCH_WITH_FD);
	while (off < len) {
		n = send_some(sock, frame + off, len - off, fd);
		if (n == -1 && (errno == EAGAIN || errno == EINTR)) {
			if (wait_for(sock, POLLOUT, until) == -1)
				goto done;
			continue;
		}
		if (n == -1)
			goto done;
		fd = -1;
		off += (size_t)n;
	}
	ret = 0;
done:
	free(frame);
	return (ret);
}

/* Read exactly len bytes; descriptors that come along are collected. */
static int
read_full(int sock, uint8_t *data, size_t len, int *fds, size_t *nfds,
    long long until)
{
	size_t off = 0;
	ssize_t n;

	while (off < len) {
		n = recv_some(sock, data + off, len - off, fds, nfds, 1);
		if (n == 0) {
			errno = ECONNRESET;
			return (-1);
		}
		if (n > 0) {
			off += (size_t)n;
			continue;
		}
		if (errno != EAGAIN && errno != EINTR)
			return (-1);
		if (wait_for(sock, POLLIN, until) == -1)
			return (-1);
	}
	return (0);
}

int
chan_read_flags(int sock, uint32_t senders, int flags, struct orch_header *h,
    union orch_any *msg, uint8_t **frame, int *fd, int ms)
{
	long long until = ms < 0 ? -1 : now_ms() + ms;
	uint8_t head[ORCH_HEADER_SIZE];
	char why[160];
	size_t nfds = 0;
	int got = -1;

	*frame = NULL;
	*fd = -1;
	if (read_full(sock, head, sizeof(head), &got, &nfds, until) == -1)
		goto fail;
	errno = EBADMSG;
	if (orch_header_get(head, h) == -1 ||
	    (*frame = malloc(h->h_len)) == NULL)
		goto fail;
	if (read_full(sock, *frame, h->h_len - sizeof(head), &got, &nfds,
	    until) == -1)
		goto fail;
	if (frame_check(senders, flags, h, *frame, nfds == 1, msg, why,
	    sizeof(why)) != NULL) {
		log_warnx("channel: %s", why);
		errno = EBADMSG;
		goto fail;
	}
	*fd = got;
	return (0);
fail:
	if (nfds == 1)
		close(got);
	free(*frame);
	*frame = NULL;
	return (-1);
}

int
chan_read_one(int sock, uint32_t senders, struct orch_header *h,
    union orch_any *msg, uint8_t **frame, int *fd, int ms)
{
	return (chan_read_flags(sock, senders, ORCH_EXACT, h, msg, frame, fd,
	    ms));
}

int
chan_connect(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int sock, saved;

	if (strlcpy(sun.sun_path, path, sizeof(sun.sun_path)) >=
	    sizeof(sun.sun_path)) {
		errno = ENAMETOOLONG;
		return (-1);
	}
	if ((sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1)
		return (-1);
	if (connect(sock, (const struct sockaddr *)(const void *)&sun,
	    sizeof(sun)) == -1 || evutil_make_socket_nonblocking(sock) == -1) {
		saved = errno;
		close(sock);
		errno = saved;
		return (-1);
	}
	return (sock);
}
