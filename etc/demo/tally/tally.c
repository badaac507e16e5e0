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

/* tally: count the lines, words and bytes of text. */

#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "count.h"
#include "serve.h"
#include "version.h"

static int	 lines_only;

static void
usage(void)
{
	fprintf(stderr, "usage: tally [-l] [file ...]\n"
	    "       tally -V\n"
	    "       tally serve port\n"
	    "       tally health port\n");
	exit(2);
}

static int
port_number(const char *s)
{
	char	*end;
	long	 n;

	errno = 0;
	n = strtol(s, &end, 10);
	if (errno != 0 || end == s || *end != '\0' || n < 0 || n > 65535)
		errx(2, "%s: not a port number (0 to 65535)", s);
	return ((int)n);
}

static void
print_count(const struct count *ct, const char *name)
{
	printf("%" PRIu64, ct->ct_lines);
	if (!lines_only)
		printf(" %" PRIu64 " %" PRIu64, ct->ct_words, ct->ct_bytes);
	printf("%s%s\n", name != NULL ? " " : "", name != NULL ? name : "");
}

static int
tally_stream(FILE *fp, const char *name, int named)
{
	struct count	 ct;

	memset(&ct, 0, sizeof(ct));
	if (count_stream(fp, name, &ct) == -1)
		return (-1);
	print_count(&ct, named ? name : NULL);
	return (0);
}

static int
tally_file(const char *name)
{
	FILE	*fp;
	int	 res;

	if ((fp = fopen(name, "r")) == NULL) {
		warn("%s", name);
		return (-1);
	}
	res = tally_stream(fp, name, 1);
	(void)fclose(fp);
	return (res);
}
int
main(int argc, char *argv[])
{
	int	 ch, i, bad = 0;

	if (argc == 3 && strcmp(argv[1], "serve") == 0)
		return (serve(port_number(argv[2])) == -1);
	if (argc == 3 && strcmp(argv[1], "health") == 0)
		return (health(port_number(argv[2])) == -1);
	while ((ch = getopt(argc, argv, "lV")) != -1) {
		switch (ch) {
		case 'l':
			lines_only = 1;
			break;
		case 'V':
			printf("tally %s (%s)\n", TALLY_VERSION,
			    TALLY_REVISION);
			return (0);
		default:
			usage();
		}
	}
	if (optind == argc)
		bad = tally_stream(stdin, "stdin", 0) == -1;
	for (i = optind; i < argc; i++)
		bad |= tally_file(argv[i]) == -1;
	if (fflush(stdout) == EOF)
		err(1, "stdout");
	return (bad);
}
