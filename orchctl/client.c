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

#include <sys/stat.h>

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "libcommon/chan.h"
#include "proto/proto.h"

#include "orchctl.h"

#define SOCKET_HERE	"run/control.sock"
#define SOCKET_SYSTEM	"/run/orchd/control.sock"
#define ANSWER_MAX	(64U << 20)	/* bytes of all parts of an answer */
#define HELLO_MS	10000
#define QUERY_TRIES	5

const char *
client_default_socket(void)
{
	const char *env = getenv("ORCHD_SOCKET");
	struct stat st;

	if (env != NULL && *env != '\0')
		return (env);
	if (stat(SOCKET_HERE, &st) == 0 && S_ISSOCK(st.st_mode))
		return (SOCKET_HERE);
	return (SOCKET_SYSTEM);
}

static void client_fail(struct client *, const char *, ...)
    __attribute__((format(printf, 2, 3)));

static void
client_fail(struct client *cl, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(cl->cl_err, sizeof(cl->cl_err), fmt, ap);
	va_end(ap);
}

/* strerror in the middle of a sentence. */
static const char *
why(int error)
{
	static char buf[128];

	snprintf(buf, sizeof(buf), "%s", strerror(error));
	buf[0] = (char)tolower((unsigned char)buf[0]);
	return (buf);
}

static const char *
connect_hint(int error)
{
	switch (error) {
	case EACCES:
	case EPERM:
		return ("the groups _orchd and orchd-admin may use it");
	case ENAMETOOLONG:
		return ("a socket's path has at most 107 bytes");
	default:
		return ("is it running? orchd -f orchd.conf");
	}
}

/* Read one message of the engine; the caller frees *frame. */
static enum ctl_exit
client_read(struct client *cl, struct orch_header *h, union orch_any *msg,
    uint8_t **frame, int *fd, int ms)
{
	*frame = NULL;
	*fd = -1;
	if (chan_read_flags(cl->cl_fd, FROM_ENGINE, cl->cl_minor ==
	    ORCH_PROTO_MINOR ? ORCH_EXACT : ORCH_LENIENT, h, msg, frame, fd,
	    ms) == 0)
		return (CTL_OK);
	if (errno == ETIMEDOUT)
		client_fail(cl, "orchd did not answer within %d s", ms / 1000);
	else if (errno == ECONNRESET)
		client_fail(cl, "orchd closed the connection");
	else
		client_fail(cl, "cannot read orchd's answer: %s", why(errno));
	return (CTL_UNREACHED);
}

/* Says HELLO; *version is set when another minor might be taken. */
static enum ctl_exit
client_hello(struct client *cl, int *version)
{
	struct orch_hello hello;
	struct orch_header h;
	union orch_any msg;
	uint8_t *frame;
	enum ctl_exit res;
	int fd;

	memset(&hello, 0, sizeof(hello));
	hello.major = ORCH_PROTO_MAJOR;
	hello.minor = cl->cl_minor;
	hello.role = ROLE_CTL;
	*version = 0;
	if (chan_write_one(cl->cl_fd, ORCH_hello, 1, &hello, -1,
	    HELLO_MS) == -1) {
		client_fail(cl, "cannot greet orchd: %s", why(errno));
		return (CTL_UNREACHED);
	}
	res = client_read(cl, &h, &msg, &frame, &fd,
	    cl->cl_ms < HELLO_MS ? cl->cl_ms : HELLO_MS);
	if (res == CTL_OK && h.h_type == ORCH_hello_no) {
		client_fail(cl, "orchd refuses: %s", msg.hello_no.reason);
		*version = strstr(msg.hello_no.reason,
		    "another version of the protocol") != NULL;
		res = CTL_REFUSED;
	} else if (res == CTL_OK && h.h_type != ORCH_hello_ok) {
		client_fail(cl, "orchd answered a greeting with message %u",
		    (unsigned int)h.h_type);
		res = CTL_UNREACHED;
	}
	if (fd != -1)
		close(fd);
	free(frame);
	return (res);
}

/* Connect and greet in cl_minor. */
static enum ctl_exit
client_try(struct client *cl, const char *path, int *version)
{
	enum ctl_exit res;
	int error;

	*version = 0;
	if ((cl->cl_fd = chan_connect(path)) == -1) {
		error = errno;
		client_fail(cl, "no orchd at %s: %s (%s)", path, why(error),
		    connect_hint(error));
		return (CTL_UNREACHED);
	}
	if ((res = client_hello(cl, version)) != CTL_OK)
		client_close(cl);
	return (res);
}

enum ctl_exit
client_open(struct client *cl, const char *path)
{
	char first[sizeof(cl->cl_err)];
	enum ctl_exit res;
	int version;

	cl->cl_id = 1;
	if (cl->cl_ms == 0)
		cl->cl_ms = 60000;
	cl->cl_minor = ORCH_PROTO_MINOR;
	res = client_try(cl, path, &version);
	memcpy(first, cl->cl_err, sizeof(first));
	while (res == CTL_REFUSED && version && cl->cl_older &&
	    cl->cl_minor > 0 && orch_minor_spoken(ORCH_PROTO_MINOR,
	    cl->cl_minor - 1)) {
		cl->cl_minor--;
		res = client_try(cl, path, &version);
	}
	if (res != CTL_OK)
		memcpy(cl->cl_err, first, sizeof(first));
	return (res);
}

void
client_close(struct client *cl)
{
	if (cl->cl_fd != -1)
		close(cl->cl_fd);
	cl->cl_fd = -1;
}

void
answer_free(struct answer *a)
{
	free(a->a_text);
	free(a->a_json);
	if (a->a_fd != -1)
		close(a->a_fd);
	a->a_text = a->a_json = NULL;
	a->a_fd = -1;
}

/* Take one part of an answer over. */
static enum ctl_exit
answer_add(struct client *cl, struct answer *a, const struct orch_answer *m,
    int *fd)
{
	char *json, *text = NULL;

	if (m->json.b_len > ANSWER_MAX - a->a_jsonlen) {
		client_fail(cl, "orchd's answer is longer than %u MiB",
		    ANSWER_MAX >> 20);
		return (CTL_UNREACHED);
	}
	json = realloc(a->a_json, a->a_jsonlen + m->json.b_len + 1);
	if (json == NULL || (text = strdup(m->text)) == NULL) {
		if (json != NULL)
			a->a_json = json;
		client_fail(cl, "out of memory");
		return (CTL_UNREACHED);
	}
	if (m->json.b_len > 0)
		memcpy(json + a->a_jsonlen, m->json.b_data, m->json.b_len);
	a->a_json = json;
	a->a_jsonlen += m->json.b_len;
	a->a_json[a->a_jsonlen] = '\0';
	free(a->a_text);
	a->a_text = text;
	a->a_result = m->result;
	if (*fd != -1 && a->a_fd == -1) {
		a->a_fd = *fd;
		*fd = -1;
	}
	return (CTL_OK);
}

/* All parts of the answer to request id; a ping meanwhile is passed over. */
static enum ctl_exit
client_answer(struct client *cl, uint32_t id, struct answer *a)
{
	struct orch_header h;
	union orch_any msg;
	uint8_t *frame;
	enum ctl_exit res;
	int fd, more = 1;

	while (more) {
		if ((res = client_read(cl, &h, &msg, &frame, &fd,
		    cl->cl_ms)) != CTL_OK)
			return (res);
		if (h.h_type == ORCH_answer && h.h_id == id) {
			res = answer_add(cl, a, &msg.answer, &fd);
			more = msg.answer.more;
		} else if (h.h_type == ORCH_ack && h.h_id == id) {
			struct orch_answer m = { .result = msg.ack.result,
			    .text = msg.ack.text };

			res = answer_add(cl, a, &m, &fd);
			more = 0;
		}
		if (fd != -1)
			close(fd);
		free(frame);
		if (res != CTL_OK)
			return (res);
	}
	return (CTL_OK);
}

static enum ctl_exit
client_call(struct client *cl, unsigned int type, const void *msg,
    struct answer *a)
{
	enum ctl_exit res;
	uint32_t id = ++cl->cl_id;

	memset(a, 0, sizeof(*a));
	a->a_fd = -1;
	if (chan_write_one(cl->cl_fd, type, id, msg, -1, cl->cl_ms) == -1) {
		if (errno == EMSGSIZE) {
			client_fail(cl, "a part of the request is too long "
			    "(orchd-proto(7) has the limits)");
			return (CTL_REFUSED);
		}
		client_fail(cl, "the connection to orchd is lost: %s",
		    why(errno));
		client_close(cl);
		return (CTL_UNREACHED);
	}
	if ((res = client_answer(cl, id, a)) != CTL_OK) {
		answer_free(a);
		client_close(cl);
	}
	return (res);
}

enum ctl_exit
client_query(struct client *cl, const char *verb, const char *object,
    const char *const *args, struct answer *a)
{
	static const char *const none[] = { NULL };
	static const struct timespec pause = { 0, 100000000 };
	enum ctl_exit res;
	struct orch_query q;
	int i;

	memset(&q, 0, sizeof(q));
	q.verb = verb;
	q.object = object == NULL ? "" : object;
	q.args.l_argv = args == NULL ? none : args;
	/* A question that shared its pass with a write that found no room. */
	for (i = 0; (res = client_call(cl, ORCH_query, &q, a)) == CTL_OK &&
	    a->a_result == RES_RETRY && i < QUERY_TRIES; i++) {
		answer_free(a);
		(void)nanosleep(&pause, NULL);
	}
	return (res);
}

enum ctl_exit
client_action(struct client *cl, const struct orch_action *act,
    struct answer *a)
{
	static const char *const none[] = { NULL };
	struct orch_action m = *act;

	if (m.args.l_argv == NULL)
		m.args.l_argv = none;
	return (client_call(cl, ORCH_action, &m, a));
}
