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
#include <sys/stat.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libcommon/chan.h"
#include "libcommon/log.h"
#include "libcommon/shim.h"
#include "runner.h"

#define PARENT_FD	3
#define SPEC_MS		10000	/* the parent sends RUN_SPEC at once */

static int
usage(void)
{
	fprintf(stderr, "usage: runner\n"
	    "It is started by orchd, with a socket on descriptor 3.\n");
	return (1);
}

/* Our own programs in and around the sandbox; -1: it is none of them. */
static int
inside_main(int argc, char **argv)
{
	if (argc < 2)
		return (-1);
	if (strcmp(argv[1], "-S") == 0)
		return (shim_main(argc, argv));
	if (strcmp(argv[1], "-W") == 0)
		return (inside_patient(argv + 2));
	if (strcmp(argv[1], "-D") == 0)
		return (deliver_inside(argc - 1, argv + 1));
	if (strcmp(argv[1], "-G") == 0)
		return (staging_inside(argc - 1, argv + 1));
	return (-1);
}

/* The log's descriptor becomes stderr too, so that reasons stand there. */
static void
adopt_log(int log)
{
	struct sigaction sa;

	if (log != -1 && dup2(log, STDERR_FILENO) == -1)
		log_warn("log");
	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &sa, NULL);
	umask(022);
}

int
main(int argc, char **argv)
{
	struct orch_header hdr;
	union orch_any msg;
	struct stat st;
	uint8_t *frame = NULL;
	char name[32];
	int log = -1, status;

	if ((status = inside_main(argc, argv)) != -1)
		return (status);
	log_init("runner", 0);
	if (argc != 1)
		return (usage());
	if (fstat(PARENT_FD, &st) == -1 || !S_ISSOCK(st.st_mode))
		return (usage());
	if (chan_read_one(PARENT_FD, FROM_PARENT, &hdr, &msg, &frame, &log,
	    SPEC_MS) == -1) {
		log_warn("no run_spec from the parent");
		return (1);
	}
	if (hdr.h_type != ORCH_run_spec) {
		log_warnx("the parent sent message %u instead of run_spec",
		    hdr.h_type);
		return (1);
	}
	close(PARENT_FD);
	adopt_log(log);
	if (snprintf(name, sizeof(name), "runner %llu",
	    (unsigned long long)msg.run_spec.run) < (int)sizeof(name))
		log_setprocname(name);
	status = run_serve(&msg.run_spec, log);
	explicit_bzero(frame, hdr.h_len);
	free(frame);
	return (status);
}
