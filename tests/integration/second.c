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

/*
 * second: start a transition worker by hand, for a run that is another's.
 *
 *   second finalizerd engine.sock run
 *
 * Gives the program the description of a run as orchd's parent does, with a
 * key that was made up, and waits for it to end.  Its exit status is that of
 * the worker, 125 for trouble of its own, 124 when the worker does not end.
 */

#include <sys/socket.h>
#include <sys/wait.h>

#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bsd/stdlib.h>

#include "libcommon/chan.h"
#include "proto/proto.h"

#define WAIT_S	20
#define TROUBLE	125
#define TOO_LATE 124

static pid_t
start(const char *program, int *sock)
{
	int sv[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) == -1 ||
	    (pid = fork()) == -1)
		err(TROUBLE, "second");
	if (pid == 0) {
		if (dup2(sv[1], 3) == -1)
			_exit(126);
		(void)execl(program, "finalizerd", "-w", (char *)NULL);
		_exit(127);
	}
	close(sv[1]);
	*sock = sv[0];
	return (pid);
}

int
main(int argc, char *argv[])
{
	static uint8_t key[32];
	struct orch_run_spec spec = { .kind = KIND_TRANSITION,
	    .key = { key, sizeof(key) }, .project = "sample",
	    .mirror = "/nonexistent", .workroot = "/nonexistent",
	    .self = "/nonexistent" };
	static const struct timespec pause = { 0, 100000000 };
	const char *bad;
	int sock, status, i;
	pid_t pid;

	if (argc != 4)
		errx(TROUBLE, "usage: second finalizerd engine.sock run");
	spec.socket = argv[2];
	spec.run = (uint64_t)strtonum(argv[3], 1, INT64_MAX, &bad);
	if (bad != NULL)
		errx(TROUBLE, "run %s: %s", argv[3], bad);
	arc4random_buf(key, sizeof(key));
	pid = start(argv[1], &sock);
	/* The log's descriptor comes along; ours will do. */
	if (chan_write_one(sock, ORCH_run_spec, 0, &spec, 2, 5000) == -1)
		err(TROUBLE, "run_spec");
	for (i = 0; i < WAIT_S * 10; i++) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return (WIFEXITED(status) ? WEXITSTATUS(status) :
			    TROUBLE);
		(void)nanosleep(&pause, NULL);
	}
	(void)kill(pid, SIGKILL);
	return (TOO_LATE);
}
