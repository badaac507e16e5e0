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

#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "orchctl.h"

/* A reader that goes away must not end us in the middle of a request. */
static void
ignore_pipe(void)
{
	struct sigaction sa = { .sa_handler = SIG_IGN };

	sigaction(SIGPIPE, &sa, NULL);
}

/* Options before the verb; -1 when the usage has been printed. */
static int
take_options(struct ctx *c, int argc, char **argv)
{
	int ch;

	while ((ch = getopt(argc, argv, "+hjqs:")) != -1) {
		if (ch == 'h') {
			usage_all(stdout);
			return (CTL_OK);
		}
		if (!common_option(c, ch)) {
			usage_all(stderr);
			return (CTL_REFUSED);
		}
	}
	if (optind < argc)
		return (-1);
	usage_all(stderr);
	return (CTL_REFUSED);
}

int
main(int argc, char **argv)
{
	struct ctx c;
	enum lookup found;
	int res;

	memset(&c, 0, sizeof(c));
	c.c_client.cl_fd = -1;
	setlocale(LC_ALL, "");
	ignore_pipe();
	out_init(&c.c_out, stdout);
	c.c_socket = client_default_socket();
	if ((res = take_options(&c, argc, argv)) != -1)
		return (res);
	found = verb_find(argv[optind], &c.c_verb);
	if (found != LOOKUP_OK) {
		verb_explain(argv[optind], found, c.c_verb);
		return (CTL_REFUSED);
	}
	argc -= optind;
	argv += optind;
	optind = 0;
	res = (int)c.c_verb->v_run(&c, argc, argv);
	client_close(&c.c_client);
	if (fflush(stdout) == EOF || ferror(stdout))
		return (res == CTL_OK ? CTL_REFUSED : res);
	return (res);
}
