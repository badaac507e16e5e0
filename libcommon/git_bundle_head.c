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

#include <stdio.h>
#include <string.h>

#include <bsd/string.h>

#include "libcommon/git_run.h"
#include "git_bundle_head.h"

#define MAGIC	"# v2 git bundle\n"

static int
take_oid(const char *p, size_t left, char oid[GIT_OID_SIZE])
{
	if (left < GIT_OID_SIZE - 1)
		return (-1);
	memcpy(oid, p, GIT_OID_SIZE - 1);
	oid[GIT_OID_SIZE - 1] = '\0';
	return (git_oid_valid(oid) ? 0 : -1);
}

static int
take_prereq(const char *line, size_t n, struct git_bundle_head *bh, char *why,
    size_t whylen)
{
	if (bh->bh_nprereq >= GIT_BUNDLE_PREREQ_MAX) {
		snprintf(why, whylen, "more than %u prerequisites",
		    GIT_BUNDLE_PREREQ_MAX);
		return (-1);
	}
	/* A comment may follow the id; it is nobody's business. */
	if (take_oid(line + 1, n - 1, bh->bh_prereq[bh->bh_nprereq]) == -1 ||
	    (n > GIT_OID_SIZE && line[GIT_OID_SIZE] != ' ')) {
		snprintf(why, whylen, "a prerequisite that is no object id");
		return (-1);
	}
	bh->bh_nprereq++;
	return (0);
}

static int
take_ref(const char *line, size_t n, const char *ref,
    struct git_bundle_head *bh, char *why, size_t whylen)
{
	char shown[128];

	if (bh->bh_tip[0] != '\0') {
		snprintf(why, whylen, "more than one reference; only %s is "
		    "taken", ref);
		return (-1);
	}
	if (take_oid(line, n, bh->bh_tip) == -1 || n < GIT_OID_SIZE ||
	    line[GIT_OID_SIZE - 1] != ' ') {
		snprintf(why, whylen, "a reference line that is malformed");
		return (-1);
	}
	line += GIT_OID_SIZE;
	n -= GIT_OID_SIZE;
	if (n == strlen(ref) && memcmp(line, ref, n) == 0)
		return (0);
	git_escape(shown, sizeof(shown), line, n);
	snprintf(why, whylen, "reference %s; only %s is taken", shown, ref);
	return (-1);
}

static uint32_t
be32(const char *p)
{
	const unsigned char *u = (const unsigned char *)p;

	return ((uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 |
	    (uint32_t)u[2] << 8 | (uint32_t)u[3]);
}

/* "PACK", version 2 or 3, number of objects (gitformat-pack(5)). */
static int
take_pack(const char *p, size_t left, struct git_bundle_head *bh, char *why,
    size_t whylen)
{
	uint32_t version;

	if (left < 12 || memcmp(p, "PACK", 4) != 0) {
		snprintf(why, whylen, "no pack behind its head");
		return (-1);
	}
	version = be32(p + 4);
	bh->bh_nobjects = be32(p + 8);
	if (version == 2 || version == 3)
		return (0);
	snprintf(why, whylen, "pack version %u", version);
	return (-1);
}

int
git_bundle_head_parse(const char *buf, size_t len, const char *ref,
    struct git_bundle_head *bh, char *why, size_t whylen)
{
	const char *p = buf, *end = buf + len, *nl;
	size_t n;
	int r;

	memset(bh, 0, sizeof(*bh));
	n = sizeof(MAGIC) - 1;
	if (len < n || memcmp(p, MAGIC, n) != 0) {
		snprintf(why, whylen, "it does not begin as a version 2 git "
		    "bundle");
		return (-1);
	}
	for (p += n;; p = nl + 1) {
		if ((nl = memchr(p, '\n', (size_t)(end - p))) == NULL) {
			snprintf(why, whylen, "its head is cut off or longer "
			    "than %u bytes", GIT_BUNDLE_HEAD_MAX);
			return (-1);
		}
		n = (size_t)(nl - p);
		if (n == 0)
			break;
		r = p[0] == '-' ? take_prereq(p, n, bh, why, whylen) :
		    take_ref(p, n, ref, bh, why, whylen);
		if (r == -1)
			return (-1);
	}
	if (bh->bh_tip[0] == '\0') {
		snprintf(why, whylen, "no reference; %s is expected", ref);
		return (-1);
	}
	p = nl + 1;
	bh->bh_pack = (off_t)(p - buf);
	return (take_pack(p, (size_t)(end - p), bh, why, whylen));
}
