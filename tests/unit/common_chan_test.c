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

/* A channel on one end of a socketpair, raw bytes on the other. */

#include <sys/socket.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "libcommon/chan.h"
#include "libcommon/log.h"
#include "proto_fill.h"

#define NFDS	64

static struct event_base *base;
static struct chan *chan;
static int peer = -1;		/* the other end */
static struct raw raw;

/* What the callbacks saw. */
static unsigned int nmsgs, nends;
static unsigned int types[64];
static uint32_t ids[64];
static int kept_fd = -1;
static char end_why[200];
static enum { KEEP_NONE, KEEP_FD, FREE_CHAN, SEND_BACK } how;

static void
on_msg(struct chan *c, const struct orch_header *h, const union orch_any *any,
    int *fd, void *arg)
{
	ck_assert_ptr_eq(arg, &nmsgs);
	if (nmsgs < 64) {
		types[nmsgs] = h->h_type;
		ids[nmsgs] = h->h_id;
	}
	nmsgs++;
	if (how == KEEP_FD && *fd != -1) {
		kept_fd = *fd;
		*fd = -1;
	} else if (how == FREE_CHAN) {
		chan_free(c);
		chan = NULL;
	} else if (how == SEND_BACK)
		ck_assert_int_eq(chan_send(c, ORCH_pong, h->h_id, any, -1),
		    0);
}

static void
on_end(struct chan *c, const char *why, void *arg)
{
	nends++;
	snprintf(end_why, sizeof(end_why), "%s", why);
	chan_free(c);
	chan = NULL;
}

static void
setup(void)
{
	int sv[2];

	log_init("chan", 0);
	ck_assert_ptr_nonnull(base = event_base_new());
	ck_assert_int_eq(event_base_priority_init(base, 3), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
	    sv), 0);
	peer = sv[1];
	ck_assert_ptr_nonnull(chan = chan_new(base, sv[0], 1, FROM_PARENT |
	    FROM_ENGINE, on_msg, on_end, &nmsgs));
	nmsgs = nends = 0;
	end_why[0] = '\0';
	how = KEEP_NONE;
	kept_fd = -1;
}

static void
teardown(void)
{
	chan_free(chan);
	chan = NULL;
	if (kept_fd != -1)
		close(kept_fd);
	if (peer != -1)
		close(peer);
	event_base_free(base);
	free(raw.r_p);
	memset(&raw, 0, sizeof(raw));
}

/* Let the loop handle what is ready. */
static void
turn(void)
{
	int i;

	for (i = 0; i < 4; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
}

/* Write bytes with n descriptors of /dev/null. */
static void
put(const void *data, size_t len, int n)
{
	union {
		struct cmsghdr	hdr;
		char		buf[CMSG_SPACE(sizeof(int) * NFDS)];
	} cm;
	struct iovec iov = { (void *)(uintptr_t)data, len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	int fds[NFDS], i;

	ck_assert_int_le(n, NFDS);
	if (n > 0) {
		memset(&cm, 0, sizeof(cm));
		for (i = 0; i < n; i++)
			ck_assert_int_ne(fds[i] = open("/dev/null", O_RDONLY |
			    O_CLOEXEC), -1);
		msg.msg_control = &cm;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)n);
		cm.hdr.cmsg_len = CMSG_LEN(sizeof(int) * (size_t)n);
		cm.hdr.cmsg_level = SOL_SOCKET;
		cm.hdr.cmsg_type = SCM_RIGHTS;
		memcpy(CMSG_DATA(&cm.hdr), fds, sizeof(int) * (size_t)n);
	}
	ck_assert_int_eq(sendmsg(peer, &msg, MSG_NOSIGNAL), (ssize_t)len);
	for (i = 0; i < n; i++)
		close(fds[i]);
}

static void
set_flag(struct raw *r, uint8_t flag)
{
	r->r_p[7] = flag;
}

static unsigned int
open_fds(void)
{
	unsigned int n = 0;
	int i;

	for (i = 0; i < 256; i++)
		n += fcntl(i, F_GETFD) != -1;
	return (n);
}

START_TEST(frames_come_whole)
{
	raw_message(&raw, ORCH_ping, 42, FILL_SMALL);
	put(raw.r_p, raw.r_len, 0);
	turn();
	ck_assert_uint_eq(nmsgs, 1);
	ck_assert_uint_eq(types[0], ORCH_ping);
	ck_assert_uint_eq(ids[0], 42);
	ck_assert_uint_eq(nends, 0);
}
END_TEST

START_TEST(two_frames_in_one_read_and_a_half)
{
	struct raw both = { NULL, 0, 0 };

	raw_message(&raw, ORCH_ping, 1, FILL_SMALL);
	memcpy(raw_more(&both, raw.r_len), raw.r_p, raw.r_len);
	raw_message(&raw, ORCH_ack, 2, FILL_SMALL);
	memcpy(raw_more(&both, raw.r_len), raw.r_p, raw.r_len);
	raw_message(&raw, ORCH_pong, 3, FILL_SMALL);
	memcpy(raw_more(&both, 9), raw.r_p, 9);
	put(both.r_p, both.r_len, 0);
	turn();
	ck_assert_uint_eq(nmsgs, 2);
	put(raw.r_p + 9, raw.r_len - 9, 0);
	turn();
	ck_assert_uint_eq(nmsgs, 3);
	ck_assert_uint_eq(types[1], ORCH_ack);
	ck_assert_uint_eq(types[2], ORCH_pong);
	ck_assert_uint_eq(ids[2], 3);
	free(both.r_p);
}
END_TEST

START_TEST(a_frame_byte_by_byte)
{
	size_t i;

	raw_message(&raw, ORCH_ack, 5, FILL_SMALL);
	for (i = 0; i < raw.r_len; i++) {
		ck_assert_uint_eq(nmsgs, 0);
		put(raw.r_p + i, 1, 0);
		turn();
	}
	ck_assert_uint_eq(nmsgs, 1);
	ck_assert_uint_eq(nends, 0);
}
END_TEST

/* The largest message, through a socket buffer that is smaller. */
START_TEST(a_large_frame_in_many_reads)
{
	size_t off = 0;
	ssize_t n;

	raw_message(&raw, ORCH_run_go, 5, FILL_MAX);
	ck_assert_int_eq(fcntl(peer, F_SETFL, O_NONBLOCK), 0);
	while (off < raw.r_len) {
		n = write(peer, raw.r_p + off, raw.r_len - off);
		if (n > 0)
			off += (size_t)n;
		turn();
	}
	turn();
	ck_assert_uint_eq(nmsgs, 1);
	ck_assert_uint_eq(types[0], ORCH_run_go);
}
END_TEST

START_TEST(end_of_file_ends_once)
{
	raw_message(&raw, ORCH_ping, 1, FILL_SMALL);
	put(raw.r_p, raw.r_len - 1, 0);
	close(peer);
	peer = -1;
	turn();
	ck_assert_uint_eq(nmsgs, 0);
	ck_assert_uint_eq(nends, 1);
	ck_assert_str_eq(end_why, "end of file");
}
END_TEST

/* What was read before the end is handled before the end. */
START_TEST(last_words_are_heard)
{
	raw_message(&raw, ORCH_ping, 1, FILL_SMALL);
	put(raw.r_p, raw.r_len, 0);
	close(peer);
	peer = -1;
	turn();
	ck_assert_uint_eq(nmsgs, 1);
	ck_assert_uint_eq(nends, 1);
}
END_TEST

static void
expect_end(const char *why)
{
	turn();
	ck_assert_uint_eq(nends, 1);
	ck_assert_msg(strstr(end_why, why) != NULL, "%s", end_why);
	ck_assert_ptr_null(chan);
}

START_TEST(a_bad_header_ends_it)
{
	put("\0\0\0\xb\0\4\0\0\0\0\0\0", 12, 0);
	expect_end("bad frame header");
}
END_TEST

/* Nothing is allocated for a length that is out of bounds. */
START_TEST(a_huge_length_ends_it_at_once)
{
	put("\xff\xff\xff\xff\0\4\0\0\0\0\0\0", 12, 0);
	expect_end("bad frame header");
}
END_TEST

START_TEST(an_unknown_type_ends_it)
{
	put("\0\0\0\xc\0\x07\0\0\0\0\0\0", 12, 0);
	expect_end("unknown message type 7");
}
END_TEST

START_TEST(a_message_of_another_sender_ends_it)
{
	raw_message(&raw, ORCH_begin, 1, FILL_SMALL);
	put(raw.r_p, raw.r_len, 0);
	expect_end("message begin is not its to send");
	ck_assert_uint_eq(nmsgs, 0);
}
END_TEST

START_TEST(senders_may_be_narrowed)
{
	raw_message(&raw, ORCH_child_go, 1, FILL_SMALL);
	put(raw.r_p, raw.r_len, 0);
	turn();
	ck_assert_uint_eq(nmsgs, 1);
	chan_set_senders(chan, FROM_ENGINE);
	put(raw.r_p, raw.r_len, 0);
	expect_end("message child_go is not its to send");
	ck_assert_uint_eq(nmsgs, 1);
}
END_TEST

START_TEST(a_bad_field_ends_it_by_name)
{
	raw_message(&raw, ORCH_ack, 1, FILL_SMALL);
	raw.r_p[raw.r_len - 1] = 'x';
	put(raw.r_p, raw.r_len, 0);
	expect_end("message ack: bad field text");
}
END_TEST

START_TEST(frames_after_a_bad_one_are_not_handled)
{
	struct raw both = { NULL, 0, 0 };

	raw_message(&raw, ORCH_begin, 1, FILL_SMALL);
	memcpy(raw_more(&both, raw.r_len), raw.r_p, raw.r_len);
	raw_message(&raw, ORCH_ping, 2, FILL_SMALL);
	memcpy(raw_more(&both, raw.r_len), raw.r_p, raw.r_len);
	put(both.r_p, both.r_len, 0);
	expect_end("begin");
	ck_assert_uint_eq(nmsgs, 0);
	free(both.r_p);
}
END_TEST

START_TEST(a_descriptor_comes_along)
{
	unsigned int before = open_fds();

	how = KEEP_FD;
	raw_message(&raw, ORCH_child_engine, 1, FILL_SMALL);
	set_flag(&raw, ORCH_WITH_FD);
	put(raw.r_p, raw.r_len, 1);
	turn();
	ck_assert_uint_eq(nmsgs, 1);
	ck_assert_int_ne(kept_fd, -1);
	ck_assert_int_eq(fcntl(kept_fd, F_GETFD), FD_CLOEXEC);
	ck_assert_uint_eq(open_fds(), before + 1);
}
END_TEST

START_TEST(a_descriptor_that_nobody_keeps_is_closed)
{
	unsigned int before = open_fds();

	raw_message(&raw, ORCH_child_engine, 1, FILL_SMALL);
	set_flag(&raw, ORCH_WITH_FD);
	put(raw.r_p, raw.r_len, 1);
	turn();
	ck_assert_uint_eq(nmsgs, 1);
	ck_assert_uint_eq(open_fds(), before);
}
END_TEST

START_TEST(a_missing_descriptor_ends_it)
{
	raw_message(&raw, ORCH_child_engine, 1, FILL_SMALL);
	put(raw.r_p, raw.r_len, 0);
	expect_end("message child_engine without a descriptor");
}
END_TEST

START_TEST(an_announced_descriptor_that_does_not_come_ends_it)
{
	/* run_go may have one: not having it is right, but not announced. */
	raw_message(&raw, ORCH_run_go, 1, FILL_SMALL);
	put(raw.r_p, raw.r_len, 0);
	turn();
	ck_assert_uint_eq(nmsgs, 1);
	set_flag(&raw, ORCH_WITH_FD);
	put(raw.r_p, raw.r_len, 0);
	expect_end("message run_go: its descriptor did not come");
	ck_assert_uint_eq(nmsgs, 1);
}
END_TEST

START_TEST(an_unexpected_descriptor_ends_it)
{
	unsigned int before = open_fds();

	raw_message(&raw, ORCH_ping, 1, FILL_SMALL);
	set_flag(&raw, ORCH_WITH_FD);
	put(raw.r_p, raw.r_len, 1);
	expect_end("message ping with a descriptor");
	ck_assert_uint_eq(open_fds(), before - 1);	/* the socket */
}
END_TEST

/* Or it would be taken for the next message's. */
START_TEST(an_unannounced_descriptor_ends_it)
{
	unsigned int before = open_fds();

	raw_message(&raw, ORCH_ping, 1, FILL_SMALL);
	put(raw.r_p, raw.r_len, 1);
	expect_end("a descriptor that no message announces");
	ck_assert_uint_eq(open_fds(), before - 1);
}
END_TEST

START_TEST(an_unannounced_descriptor_in_half_a_frame_ends_it)
{
	raw_message(&raw, ORCH_ack, 1, FILL_SMALL);
	put(raw.r_p, 5, 0);
	put(raw.r_p + 5, raw.r_len - 6, 1);
	expect_end("a descriptor that no message announces");
	ck_assert_uint_eq(nmsgs, 0);
}
END_TEST

START_TEST(two_descriptors_end_it)
{
	unsigned int before = open_fds();

	how = KEEP_FD;
	raw_message(&raw, ORCH_child_engine, 1, FILL_SMALL);
	set_flag(&raw, ORCH_WITH_FD);
	put(raw.r_p, raw.r_len, 2);
	expect_end("descriptor");
	ck_assert_uint_eq(nmsgs, 0);
	ck_assert_uint_eq(open_fds(), before - 1);
}
END_TEST

START_TEST(many_descriptors_end_it_and_leak_none)
{
	unsigned int before = open_fds();

	raw_message(&raw, ORCH_child_engine, 1, FILL_SMALL);
	set_flag(&raw, ORCH_WITH_FD);
	put(raw.r_p, raw.r_len, NFDS);
	expect_end("more descriptors than a message may have");
	ck_assert_uint_eq(open_fds(), before - 1);
}
END_TEST

/* Each frame gets its own, however the bytes are cut. */
START_TEST(descriptors_keep_their_order)
{
	int i;

	how = KEEP_FD;
	raw_message(&raw, ORCH_child_engine, 1, FILL_SMALL);
	set_flag(&raw, ORCH_WITH_FD);
	for (i = 0; i < 8; i++) {
		put(raw.r_p, 3, 1);
		if (i % 2 == 0)
			turn();
		put(raw.r_p + 3, raw.r_len - 3, 0);
		if (i % 3 == 0)
			turn();
		if (i % 2 == 1)
			continue;
		turn();
		ck_assert_uint_eq(nmsgs, (unsigned int)i + 1);
		close(kept_fd);
		kept_fd = -1;
	}
	turn();
	ck_assert_uint_eq(nmsgs, 8);
	ck_assert_uint_eq(nends, 0);
}
END_TEST

/* A descriptor of half a frame is closed with the channel. */
START_TEST(half_a_frame_with_a_descriptor_leaks_nothing)
{
	unsigned int before = open_fds();

	raw_message(&raw, ORCH_child_engine, 1, FILL_SMALL);
	set_flag(&raw, ORCH_WITH_FD);
	put(raw.r_p, raw.r_len - 1, 1);
	turn();
	ck_assert_uint_eq(open_fds(), before + 1);
	close(peer);
	peer = -1;
	expect_end("end of file");
	ck_assert_uint_eq(open_fds(), before - 2);
}
END_TEST

START_TEST(freed_inside_its_callback)
{
	int i;

	how = FREE_CHAN;
	raw_message(&raw, ORCH_ping, 1, FILL_SMALL);
	for (i = 0; i < 3; i++)
		put(raw.r_p, raw.r_len, 0);
	turn();
	ck_assert_uint_eq(nmsgs, 1);
	ck_assert_uint_eq(nends, 0);
	ck_assert_ptr_null(chan);
}
END_TEST

START_TEST(freed_with_frames_that_wait)
{
	struct orch_child_engine m = { 1 };
	unsigned int before = open_fds();
	int i, fd;

	ck_assert_int_ne(fd = open("/dev/null", O_RDONLY), -1);
	for (i = 0; i < 5; i++)
		ck_assert_int_eq(chan_send(chan, ORCH_child_engine, 1, &m,
		    fd), 0);
	ck_assert_uint_eq(open_fds(), before + 6);
	chan_free(chan);
	chan = NULL;
	close(fd);
	ck_assert_uint_eq(open_fds(), before - 1);
}
END_TEST

START_TEST(sends_in_order_and_answers)
{
	struct orch_header h;
	union orch_any any;
	uint8_t *frame;
	int fd, i;

	how = SEND_BACK;
	for (i = 0; i < 3; i++) {
		raw_message(&raw, ORCH_ping, (uint32_t)i + 1, FILL_SMALL);
		put(raw.r_p, raw.r_len, 0);
	}
	turn();
	for (i = 0; i < 3; i++) {
		ck_assert_int_eq(chan_read_one(peer, FROM_ENGINE, &h, &any,
		    &frame, &fd, 1000), 0);
		ck_assert_uint_eq(h.h_type, ORCH_pong);
		ck_assert_uint_eq(h.h_id, (uint32_t)i + 1);
		free(frame);
	}
}
END_TEST

START_TEST(a_sent_descriptor_is_a_copy)
{
	struct orch_child_engine m = { 1 };
	struct orch_header h;
	union orch_any any;
	uint8_t *frame;
	int fd, got;

	ck_assert_int_ne(fd = open("/dev/null", O_RDONLY), -1);
	ck_assert_int_eq(chan_send(chan, ORCH_child_engine, 9, &m, fd), 0);
	ck_assert_int_ne(fcntl(fd, F_GETFD), -1);
	close(fd);
	ck_assert_int_eq(chan_flush(chan, 1000), 0);
	ck_assert_int_eq(chan_read_one(peer, FROM_PARENT, &h, &any, &frame,
	    &got, 1000), 0);
	ck_assert_uint_eq(h.h_flags, ORCH_WITH_FD);
	ck_assert_int_eq(fcntl(got, F_GETFD), FD_CLOEXEC);
	close(got);
	free(frame);
}
END_TEST

/* Nobody reads: the queue is bounded, the writer never waits. */
START_TEST(a_peer_that_does_not_read_is_bounded)
{
	static uint8_t text[1 << 20];
	struct orch_answer a = { .json = { text, sizeof(text) } };
	int n = 0;

	while (chan_send(chan, ORCH_answer, 1, &a, -1) == 0) {
		turn();
		ck_assert_int_lt(++n, 20);
	}
	ck_assert_int_eq(errno, ENOBUFS);
	ck_assert_int_ge(n, 7);
	/* It is not the end: once it reads, there is room again. */
	ck_assert_int_eq(chan_flush(chan, 20), -1);
	ck_assert_int_eq(errno, ETIMEDOUT);
	ck_assert_uint_eq(nends, 0);
}
END_TEST

START_TEST(room_comes_back_when_the_peer_reads)
{
	static uint8_t text[1 << 20], sink[1 << 16];
	struct orch_answer a = { .json = { text, sizeof(text) } };

	while (chan_send(chan, ORCH_answer, 1, &a, -1) == 0)
		turn();
	ck_assert_int_eq(fcntl(peer, F_SETFL, O_NONBLOCK), 0);
	while (read(peer, sink, sizeof(sink)) > 0)
		turn();
	ck_assert_int_eq(chan_send(chan, ORCH_answer, 1, &a, -1), 0);
}
END_TEST

START_TEST(a_field_too_long_is_not_sent)
{
	char text[1026];
	struct orch_ack a = { 0, text };

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	ck_assert_int_eq(chan_send(chan, ORCH_ack, 1, &a, -1), -1);
	ck_assert_int_eq(errno, EMSGSIZE);
	ck_assert_int_eq(chan_send(chan, 7, 1, &a, -1), -1);
	ck_assert_int_eq(errno, EINVAL);
	turn();
	ck_assert_uint_eq(nends, 0);
}
END_TEST

START_TEST(a_paused_channel_reads_nothing)
{
	raw_message(&raw, ORCH_ping, 1, FILL_SMALL);
	chan_pause(chan, 1);
	put(raw.r_p, raw.r_len, 0);
	turn();
	ck_assert_uint_eq(nmsgs, 0);
	chan_pause(chan, 0);
	turn();
	ck_assert_uint_eq(nmsgs, 1);
}
END_TEST

START_TEST(correlation_ids_are_never_0)
{
	uint32_t a = chan_id(chan), b = chan_id(chan);

	ck_assert_uint_ne(a, 0);
	ck_assert_uint_ne(a, b);
}
END_TEST

/* A message with a field that this version does not know. */
static void
longer(unsigned int type, uint32_t minor)
{
	raw.r_len = 0;
	raw_header(&raw, type, 1);
	if (type == ORCH_hello_ok) {
		raw_int(&raw, minor, 4);
		raw_int(&raw, 0, 8);
	} else
		raw_int(&raw, 77, 8);
	raw_str(&raw, 5);
	raw_end(&raw);
}

/* An engine of another minor says so in HELLO_OK; from then on it may. */
START_TEST(another_minor_may_add_fields_after_hello_ok)
{
	longer(ORCH_hello_ok, ORCH_PROTO_MINOR + 1);
	put(raw.r_p, raw.r_len, 0);
	turn();
	ck_assert_uint_eq(nmsgs, 1);
	longer(ORCH_ping, 0);
	put(raw.r_p, raw.r_len, 0);
	turn();
	ck_assert_uint_eq(nmsgs, 2);
	ck_assert_uint_eq(nends, 0);
}
END_TEST

START_TEST(the_same_minor_may_not)
{
	longer(ORCH_hello_ok, ORCH_PROTO_MINOR);
	put(raw.r_p, raw.r_len, 0);
	expect_end("message hello_ok: bad field end");
}
END_TEST

START_TEST(no_field_is_added_before_hello_ok)
{
	longer(ORCH_ping, 0);
	put(raw.r_p, raw.r_len, 0);
	expect_end("message ping: bad field end");
}
END_TEST

/* --- the blocking forms --------------------------------------------------- */

static int
read_peer(int sock, uint32_t senders, int ms, unsigned int *type)
{
	struct orch_header h;
	union orch_any any;
	uint8_t *frame;
	int fd, ret;

	ret = chan_read_one(sock, senders, &h, &any, &frame, &fd, ms);
	if (ret == -1)
		ck_assert(frame == NULL && fd == -1);
	if (fd != -1)
		close(fd);
	free(frame);
	*type = ret == 0 ? h.h_type : 0;
	return (ret);
}

START_TEST(read_one_has_a_limit)
{
	unsigned int type;

	/* Half a frame, and then nothing: the limit is for the whole. */
	raw_message(&raw, ORCH_ping, 1, FILL_SMALL);
	put(raw.r_p, raw.r_len - 1, 0);
	ck_assert_int_eq(read_peer(chan_fd(chan), FROM_ENGINE, 50, &type),
	    -1);
	ck_assert_int_eq(errno, ETIMEDOUT);
}
END_TEST

START_TEST(read_one_says_why_not)
{
	unsigned int type, before = open_fds();
	int sock = chan_fd(chan);

	raw_message(&raw, ORCH_begin, 1, FILL_SMALL);
	put(raw.r_p, raw.r_len, 0);
	ck_assert_int_eq(read_peer(sock, FROM_ENGINE, 1000, &type), -1);
	ck_assert_int_eq(errno, EBADMSG);
	raw_message(&raw, ORCH_child_engine, 1, FILL_SMALL);
	put(raw.r_p, raw.r_len, 1);		/* not announced */
	ck_assert_int_eq(read_peer(sock, FROM_PARENT, 1000, &type), -1);
	ck_assert_int_eq(errno, EBADMSG);
	set_flag(&raw, ORCH_WITH_FD);
	put(raw.r_p, raw.r_len, 0);		/* did not come */
	ck_assert_int_eq(read_peer(sock, FROM_PARENT, 1000, &type), -1);
	ck_assert_int_eq(errno, EBADMSG);
	put(raw.r_p, raw.r_len, 1);
	ck_assert_int_eq(read_peer(sock, FROM_PARENT, 1000, &type), 0);
	ck_assert_uint_eq(type, ORCH_child_engine);
	put(raw.r_p, raw.r_len, 2);
	ck_assert_int_eq(read_peer(sock, FROM_PARENT, 1000, &type), -1);
	ck_assert_uint_eq(open_fds(), before);
	close(peer);
	peer = -1;
	turn();
	ck_assert_uint_eq(nends, 1);
}
END_TEST

START_TEST(read_one_sees_the_end)
{
	unsigned int type;

	raw_message(&raw, ORCH_ping, 1, FILL_SMALL);
	put(raw.r_p, raw.r_len - 1, 0);
	close(peer);
	peer = -1;
	ck_assert_int_eq(read_peer(chan_fd(chan), FROM_ENGINE, -1, &type),
	    -1);
	ck_assert_int_eq(errno, ECONNRESET);
}
END_TEST

START_TEST(write_one_has_a_limit)
{
	static uint8_t text[1 << 20];
	struct orch_answer a = { .json = { text, sizeof(text) } };

	ck_assert_int_eq(fcntl(peer, F_SETFL, O_NONBLOCK), 0);
	ck_assert_int_eq(chan_write_one(peer, ORCH_answer, 1, &a, -1, 50),
	    -1);
	ck_assert_int_eq(errno, ETIMEDOUT);
}
END_TEST

START_TEST(connect_says_why_not)
{
	char path[200];

	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	ck_assert_int_eq(chan_connect(path), -1);
	ck_assert_int_eq(errno, ENAMETOOLONG);
	ck_assert_int_eq(chan_connect("/nonexistent/engine.sock"), -1);
	ck_assert_int_eq(errno, ENOENT);
}
END_TEST

static void
add_reading(TCase *tc)
{
	tcase_add_test(tc, frames_come_whole);
	tcase_add_test(tc, two_frames_in_one_read_and_a_half);
	tcase_add_test(tc, a_frame_byte_by_byte);
	tcase_add_test(tc, a_large_frame_in_many_reads);
	tcase_add_test(tc, end_of_file_ends_once);
	tcase_add_test(tc, last_words_are_heard);
	tcase_add_test(tc, a_bad_header_ends_it);
	tcase_add_test(tc, a_huge_length_ends_it_at_once);
	tcase_add_test(tc, an_unknown_type_ends_it);
	tcase_add_test(tc, a_message_of_another_sender_ends_it);
	tcase_add_test(tc, senders_may_be_narrowed);
	tcase_add_test(tc, a_bad_field_ends_it_by_name);
	tcase_add_test(tc, frames_after_a_bad_one_are_not_handled);
	tcase_add_test(tc, a_paused_channel_reads_nothing);
	tcase_add_test(tc, another_minor_may_add_fields_after_hello_ok);
	tcase_add_test(tc, the_same_minor_may_not);
	tcase_add_test(tc, no_field_is_added_before_hello_ok);
}

static void
add_descriptors(TCase *tc)
{
	tcase_add_test(tc, a_descriptor_comes_along);
	tcase_add_test(tc, a_descriptor_that_nobody_keeps_is_closed);
	tcase_add_test(tc, a_missing_descriptor_ends_it);
	tcase_add_test(tc,
	    an_announced_descriptor_that_does_not_come_ends_it);
	tcase_add_test(tc, an_unexpected_descriptor_ends_it);
	tcase_add_test(tc, an_unannounced_descriptor_ends_it);
	tcase_add_test(tc, an_unannounced_descriptor_in_half_a_frame_ends_it);
	tcase_add_test(tc, two_descriptors_end_it);
	tcase_add_test(tc, many_descriptors_end_it_and_leak_none);
	tcase_add_test(tc, descriptors_keep_their_order);
	tcase_add_test(tc, half_a_frame_with_a_descriptor_leaks_nothing);
	tcase_add_test(tc, a_sent_descriptor_is_a_copy);
}

static void
add_rest(TCase *tc)
{
	tcase_add_test(tc, freed_inside_its_callback);
	tcase_add_test(tc, freed_with_frames_that_wait);
	tcase_add_test(tc, sends_in_order_and_answers);
	tcase_add_test(tc, a_peer_that_does_not_read_is_bounded);
	tcase_add_test(tc, room_comes_back_when_the_peer_reads);
	tcase_add_test(tc, a_field_too_long_is_not_sent);
	tcase_add_test(tc, correlation_ids_are_never_0);
	tcase_add_test(tc, read_one_has_a_limit);
	tcase_add_test(tc, read_one_says_why_not);
	tcase_add_test(tc, read_one_sees_the_end);
	tcase_add_test(tc, write_one_has_a_limit);
	tcase_add_test(tc, connect_says_why_not);
}

int
main(void)
{
	Suite *s = suite_create("common chan");
	TCase *tc = tcase_create("chan");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 20);
	add_reading(tc);
	add_descriptors(tc);
	add_rest(tc);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed == 0 ? 0 : 1);
}
