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

#ifndef ORCHD_ARTIFACT_H
#define ORCHD_ARTIFACT_H

#include <stddef.h>
#include <stdint.h>

#include "libcommon/git.h"
#include "libcommon/verdict.h"

/* Why a gate over artifacts is as it is: it decides the route. */
enum artifact_kind {
	ARTIFACT_OK,		/* pass */
	ARTIFACT_NEGATIVE,	/* valid REQUEST_CHANGES, FAIL or FAILED */
	ARTIFACT_ABSENT,	/* not there, or about another code tree */
	ARTIFACT_BAD,		/* malformed: its own role runs again */
	ARTIFACT_ERROR		/* git could not read the repository */
};

struct artifact_verdict {
	enum gate_verdict	 verdict;
	enum artifact_kind	 kind;
	char			 reason[1024];	/* names file:line */
	char			*body;		/* findings, or NULL */
	unsigned int		 body_line;	/* its first line */
};

/*
 * The pure checks of what is committed at `commit'.  Each
 * fills the verdict, which the caller frees with artifact_verdict_free().
 * A missing artifact is GATE_FAIL with ARTIFACT_ABSENT.
 */

/* 00 to 03 not empty; 04 is YAML with a test of id, type, description. */
void artifact_check_analysis(const struct git_repo *, const char *commit,
    const char *item_id, struct artifact_verdict *);

/* At least one 06-adr/ADR-*.md with a status line. */
void artifact_check_architecture(const struct git_repo *,
    const char *commit, const char *item_id, struct artifact_verdict *);

/*
 * 12-review.md: APPROVED or REQUEST_CHANGES.  Its key `commit' (the head
 * named in the task file, at least 7 digits) must have the same code tree
 * as `commit'; with another one it counts as absent.
 */
void artifact_check_review(const struct git_repo *, const char *commit,
    const char *item_id, struct artifact_verdict *);

/* 13-test-report.md: PASS or FAIL; `commit' as above. */
void artifact_check_tests(const struct git_repo *, const char *commit,
    const char *item_id, struct artifact_verdict *);

/*
 * 15-staging-log.md as a deployer wrote it: SUCCESS or FAILED.  The file is
 * optional (ARTIFACT_ABSENT with GATE_PASS when it is not there or is about
 * another code tree), and it can only make the measured result worse.
 */
void artifact_check_staging(const struct git_repo *, const char *commit,
    const char *item_id, struct artifact_verdict *);

/* Free the findings. */
void artifact_verdict_free(struct artifact_verdict *);

/*
 * The path of an artifact: "docs/work-items/<ID>/<name>".  0, or -1 when it
 * does not fit.
 */
int artifact_path(char *dst, size_t dstlen, const char *item_id,
    const char *name);

/* --- writers (artifact_write.c); text as `body' may be NULL --- */

struct artifact_deploy {
	const char	*ad_item;
	const char	*ad_commit;
	int		 ad_success;
	int		 ad_hook_exit;
	const char	*ad_deployed_by;
	const char	*ad_body;
};

struct artifact_staging {
	const char	*as_item;
	const char	*as_commit;
	int		 as_success;
	int64_t		 as_when;	/* seconds since 1970 */
	const char	*as_base_url;	/* "" when there is none */
	const char *const *as_waived;	/* ids, ends with NULL; may be NULL */
	const char	*as_body;
};

struct artifact_monitor {
	const char	*am_item;
	const char	*am_commit;
	const char	*am_status;	/* HEALTHY DEGRADED INCONCLUSIVE */
	const char	*am_action;	/* NONE ALERT_ONLY ROLLBACK */
	uint32_t	 am_window_s;
	uint32_t	 am_checks_total;
	uint32_t	 am_checks_failed;
	const char	*am_body;
};

/*
 * The text of 14-deploy-log.md, 15-staging-log.md, 16-post-deploy-log.md:
 * front matter with every value quoted, then the body.  The caller frees
 * it; NULL when out of memory or, for 16, on a word that is not listed.
 */
char *artifact_format_deploy_log(const struct artifact_deploy *);
char *artifact_format_staging_log(const struct artifact_staging *);
char *artifact_format_post_deploy_log(const struct artifact_monitor *);

#endif
