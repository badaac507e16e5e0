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
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/git.h"
#include "libcommon/git_bundle.h"
#include "libcommon/git_tree.h"
#include "libcommon/git_writer.h"
#include "runner.h"

/*
 * An agent's commits enter the mirror: pack bytes are checked, nothing of
 * their content is executed.  This runs as the user that owns the mirror.
 */

#define BUNDLE_MAX	(256ULL << 20)

struct import {
	struct git_repo	 im_repo;
	char		 im_branch[300];	/* the only name in the head */
	char		 im_ref[64];	/* refs/orchd/in/<agent's run> */
	struct git_bundle_result im_res;
};

static int
import_open(struct run *r, struct import *im)
{
	const char *author = run_option(r, "author_run");
	const char *bad = NULL;
	char err[512];

	if (author == NULL || (strtonum(author, 1, INT64_MAX, &bad), bad))
		(void)snprintf(err, sizeof(err), "go names no author_run");
	else if (!git_branch_valid(r->r_go.branch) ||
	    !git_oid_valid(r->r_go.base) || !item_id_valid(r->r_go.task))
		(void)snprintf(err, sizeof(err), "go names no usable task, "
		    "branch and base");
	else if (snprintf(im->im_ref, sizeof(im->im_ref), "refs/orchd/in/%s",
	    author) >= (int)sizeof(im->im_ref) ||
	    snprintf(im->im_branch, sizeof(im->im_branch), "refs/heads/%s",
	    r->r_go.branch) >= (int)sizeof(im->im_branch))
		(void)snprintf(err, sizeof(err), "a name is too long");
	else if (git_open(&im->im_repo, r->r_spec->mirror, err,
	    sizeof(err)) == GIT_OK)
		return (0);
	run_result(r, GATE_ERROR, CAUSE_INFRA, "import: %s", err);
	return (-1);
}

/* Of a task without a head the base is a commit of the target, no other. */
static int
import_base(struct run *r, struct import *im)
{
	char err[512], ref[300], target[GIT_OID_SIZE];
	int yes = 0;

	if (GIVEN(r->r_go.head))
		return (0);
	(void)snprintf(ref, sizeof(ref), "refs/heads/%s", r->r_go.target);
	if (git_read_ref(&im->im_repo, ref, target, err, sizeof(err)) !=
	    GIT_OK || git_is_ancestor(&im->im_repo, r->r_go.base, target,
	    &yes, err, sizeof(err)) != GIT_OK)
		run_result(r, GATE_ERROR, CAUSE_INFRA, "import: %s", err);
	else if (!yes)
		run_result(r, GATE_FAIL, CAUSE_BAD_ARTIFACT, "import: %.12s "
		    "is no commit of %s", r->r_go.base, r->r_go.target);
	return (yes ? 0 : -1);
}

static int
import_bundle(struct run *r, struct import *im)
{
	struct git_bundle_opts gb;

	memset(&gb, 0, sizeof(gb));
	gb.gb_ref = im->im_branch;
	gb.gb_base = r->r_go.base;
	gb.gb_run_ref = im->im_ref;
	gb.gb_max_bytes = BUNDLE_MAX;
	switch (git_bundle_import(&im->im_repo, r->r_go_fd, &gb,
	    &im->im_res)) {
	case GIT_BUNDLE_OK:
		return (0);
	case GIT_BUNDLE_NOCOMMIT:
		run_result(r, GATE_FAIL, CAUSE_NO_COMMIT, "%s: no commit on "
		    "%s", r->r_go.role, r->r_go.branch);
		break;
	case GIT_BUNDLE_REFUSED:
		run_result(r, GATE_FAIL, CAUSE_BAD_ARTIFACT, "%s: the bundle "
		    "was refused: %s", r->r_go.role, im->im_res.gb_reason);
		break;
	case GIT_BUNDLE_ERR:
		run_result(r, GATE_ERROR, CAUSE_INFRA, "import: %s",
		    im->im_res.gb_reason);
		break;
	}
	return (-1);
}

/* who may change what.  What is refused does not stay under a name. */
static int
import_paths(struct run *r, struct import *im)
{
	char err[512], drop[256], path[256], target[GIT_OID_SIZE] = "";
	const char **writes;
	enum git_result res;

	(void)snprintf(path, sizeof(path), "refs/heads/%s", r->r_go.target);
	if (GIVEN(r->r_go.target) && git_read_ref(&im->im_repo, path, target,
	    err, sizeof(err)) != GIT_OK)
		target[0] = '\0';
	if ((writes = orch_strs_argv(&r->r_spec->writes)) == NULL) {
		run_result(r, GATE_ERROR, CAUSE_INFRA, "import: %s",
		    strerror(errno));
		return (-1);
	}
	res = git_changed_by_role(&im->im_repo, r->r_go.base,
	    im->im_res.gb_tip, GIVEN(target) ? target : NULL, r->r_go.task,
	    r->r_go.role, writes, path, sizeof(path), err, sizeof(err));
	free(writes);
	if (res == GIT_OK)
		return (0);
	if (res == GIT_REFUSED) {
		run_result(r, GATE_FAIL, CAUSE_FORBIDDEN_PATH, "%s: %s",
		    r->r_go.role, err);
		run_item(r, path);
	} else
		run_result(r, GATE_ERROR, CAUSE_INFRA, "import: %s", err);
	(void)git_delete_ref(&im->im_repo, im->im_ref, im->im_res.gb_tip,
	    drop, sizeof(drop));
	return (-1);
}

static void
import_start(struct run *r)
{
	struct import im;
	char err[512];

	memset(&im, 0, sizeof(im));
	if (import_open(r, &im) == -1 || import_base(r, &im) == -1 ||
	    import_bundle(r, &im) == -1 ||
	    import_paths(r, &im) == -1) {
		run_finish(r);
		return;
	}
	if (git_code_tree(&im.im_repo, im.im_res.gb_tip, r->r_go.task,
	    r->r_res.rs_tree, err, sizeof(err)) != GIT_OK ||
	    git_artifact_hashes(&im.im_repo, im.im_res.gb_tip, r->r_go.task,
	    &r->r_res.rs_artifacts, err, sizeof(err)) != GIT_OK)
		run_result(r, GATE_ERROR, CAUSE_INFRA, "import: %s", err);
	else {
		run_result(r, GATE_PASS, CAUSE_NONE, "%s", "");
		memcpy(r->r_res.rs_commit, im.im_res.gb_tip,
		    sizeof(r->r_res.rs_commit));
	}
	run_finish(r);
}

const struct kind kind_import = {
	.k_kind = KIND_IMPORT,
	.k_name = "import",
	.k_start = import_start
};
