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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf.h"
#include "engine.h"
#include "parent.h"

static const char *path = "/etc/orchd.conf";

static void usage(void) __attribute__((noreturn));

static void
usage(void)
{
	fprintf(stderr, "usage: orchd [-dnv] [-C database] [-f file] "
	    "[-o conf | env | mdoc]\n");
	exit(1);
}

/* -n: check; with -v print the canonical form too. */
static int
check_only(int verbose)
{
	struct conf	*cf;

	if (conf_parse_file(path, CONF_ENVIRON | CONF_FILES, &cf,
	    stderr) == -1)
		return (1);
	if (verbose && conf_print(cf, stdout) == -1) {
		fprintf(stderr, "orchd: standard output: %s\n",
		    strerror(errno));
		conf_free(cf);
		return (1);
	}
	if (!verbose)
		fprintf(stderr, "configuration OK\n");
	conf_free(cf);
	return (0);
}

/* -o: the table of options, for the examples and the manual page. */
static int
print_options(const char *form)
{
	if (strcmp(form, "conf") == 0)
		option_print_table(OPTION_FORM_CONF, stdout);
	else if (strcmp(form, "env") == 0)
		option_print_table(OPTION_FORM_ENV, stdout);
	else if (strcmp(form, "mdoc") == 0)
		option_print_table(OPTION_FORM_MDOC, stdout);
	else
		usage();
	return (fflush(stdout) == EOF);
}

int
main(int argc, char *argv[])
{
	const char	*database = NULL;
	int		 ch, noaction = 0, verbose = 0, debug = 0, engine = 0;

	while ((ch = getopt(argc, argv, "C:dEf:no:v")) != -1)
		switch (ch) {
		case 'C':
			database = optarg;
			break;
		case 'd':
			debug = 1;
			break;
		case 'E':
			engine = 1;
			break;
		case 'f':
			path = optarg;
			break;
		case 'n':
			noaction = 1;
			break;
		case 'o':
			return (print_options(optarg));
		case 'v':
			verbose = 1;
			break;
		default:
			usage();
		}
	if (optind != argc)
		usage();
	if (engine)
		return (engine_main(debug));
	if (database != NULL)
		return (engine_check_database(database, stdout));
	if (noaction)
		return (check_only(verbose));
	return (parent_main(path, debug, argv));
}
