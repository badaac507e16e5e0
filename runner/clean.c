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

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "libcommon/fsutil.h"
#include "runner.h"

/* A number as a name: nothing else can be a run's folder. */
static int
is_run(const char *s)
{
	const char *bad = NULL;

	if (s == NULL || s[0] < '1' || s[0] > '9')
		return (0);
	(void)strtonum(s, 1, INT64_MAX, &bad);
	return (bad == NULL);
}

/*
 * The folder of all workspaces: `workroot' itself, or its parent where
 * `workroot' is this run's own.
 */
static int
clean_open(const struct run *r)
{
	char path[RUN_PATH_MAX], *slash;

	if (strlcpy(path, r->r_spec->workroot, sizeof(path)) >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return (-1);
	}
	if ((slash = strrchr(path, '/')) != NULL && slash != path &&
	    is_run(slash + 1))
		*slash = '\0';
	return (open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

static void
clean_start(struct run *r)
{
	const char *dir = run_option(r, "dir");
	char err[512];
	int fd;

	if (!is_run(dir))
		run_result(r, GATE_ERROR, CAUSE_INFRA, "clean: \"%s\" is no "
		    "run's folder", dir == NULL ? "" : dir);
	else if ((fd = clean_open(r)) == -1)
		run_result(r, GATE_ERROR, CAUSE_INFRA, "clean: %s: %s",
		    r->r_spec->workroot, strerror(errno));
	else {
		if (fs_remove_tree(fd, dir, err, sizeof(err)) == -1)
			run_result(r, GATE_FAIL, CAUSE_INFRA,
			    "clean: something of run %s stays: %s", dir, err);
		else
			run_result(r, GATE_PASS, CAUSE_NONE,
			    "workspace of run %s removed", dir);
		close(fd);
	}
	run_finish(r);
}

const struct kind kind_clean = {
	.k_kind = KIND_CLEAN,
	.k_name = "clean",
	.k_start = clean_start
};
