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
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "libcommon/esc.h"
#include "libcommon/fsutil.h"
#include "libcommon/git.h"
#include "runner.h"

#define REPORT_MAX	(4U << 20)
#define IMAGE_MAX	4096
#define ID_MAX		120

static void
report_id(struct report *rp, const char *s, size_t len)
{
	char raw[ID_MAX + 1], id[ID_MAX * 2];
	size_t i;

	while (len > 0 && (isspace((unsigned char)*s) || *s == '"' ||
	    *s == '\'')) {
		s++;
		len--;
	}
	while (len > 0 && (isspace((unsigned char)s[len - 1]) ||
	    s[len - 1] == '"' || s[len - 1] == '\''))
		len--;
	if (len == 0 || rp->rp_nids == RUN_ITEMS_MAX)
		return;
	if (len > ID_MAX)
		len = ID_MAX;
	memcpy(raw, s, len);
	raw[len] = '\0';
	(void)esc(id, sizeof(id), raw);
	for (i = 0; i < rp->rp_nids; i++)
		if (strcmp(rp->rp_ids[i], id) == 0)
			return;
	if ((rp->rp_ids[rp->rp_nids] = strdup(id)) != NULL)
		rp->rp_nids++;
}

/* `failed: [a, b]', or `failed: a b'. */
static void
report_list(struct report *rp, const char *s, size_t len)
{
	const char *end = s + len, *p;
	const char *sep;

	rp->rp_list = 1;
	while (s < end && isspace((unsigned char)*s))
		s++;
	sep = s < end && *s == '[' ? "," : " \t,";
	if (s < end && *s == '[')
		s++;
	if (end > s && memchr(s, ']', (size_t)(end - s)) != NULL)
		end = memchr(s, ']', (size_t)(end - s));
	for (; s < end; s = p + 1) {
		for (p = s; p < end && strchr(sep, *p) == NULL; p++)
			;
		report_id(rp, s, (size_t)(p - s));
	}
	rp->rp_failed = (unsigned int)rp->rp_nids;
}

/* Does a TAP line end in this directive?  "# skip", "# TODO reason" */
static int
has_directive(const char *s, size_t len, const char *word)
{
	const char *hash = memrchr(s, '#', len);
	size_t n = strlen(word);

	if (hash == NULL)
		return (0);
	for (hash++; hash < s + len && isspace((unsigned char)*hash); hash++)
		;
	return ((size_t)(s + len - hash) >= n &&
	    strncasecmp(hash, word, n) == 0);
}

/* The rest of "ok 3 - name" behind the word: its id is name, or number. */
static void
report_test(struct report *rp, int ok, const char *s, size_t len)
{
	const char *num, *end = s + len;

	if (has_directive(s, len, "skip")) {
		rp->rp_skipped++;
		return;
	}
	rp->rp_tests++;
	if (ok || has_directive(s, len, "todo"))
		return;
	rp->rp_failed++;
	while (s < end && isspace((unsigned char)*s))
		s++;
	for (num = s; s < end && isdigit((unsigned char)*s); s++)
		;
	while (s < end && (isspace((unsigned char)*s) || *s == '-'))
		s++;
	if (s < end)
		report_id(rp, s, (size_t)(end - s));
	else
		report_id(rp, num, (size_t)(end - num));
}

static int
starts(const char *s, size_t len, const char *word)
{
	size_t n = strlen(word);

	return (len >= n && memcmp(s, word, n) == 0 && (len == n ||
	    isspace((unsigned char)s[n]) || word[n - 1] == ':' ||
	    word[n - 1] == '!'));
}

/* 1 when the line was one of a report's. */
static int
report_line(struct report *rp, const char *s, size_t len)
{
	if (starts(s, len, "ok"))
		report_test(rp, 1, s + 2, len - 2);
	else if (starts(s, len, "not ok"))
		report_test(rp, 0, s + 6, len - 6);
	else if (starts(s, len, "failed:"))
		report_list(rp, s + 7, len - 7);
	else if (starts(s, len, "Bail out!")) {
		rp->rp_tests++;
		rp->rp_failed++;
		report_id(rp, s, len);
	} else
		return (len > 3 && memcmp(s, "1..", 3) == 0 &&
		    isdigit((unsigned char)s[3]));
	return (1);
}

int
report_parse(const char *buf, size_t len, struct report *rp, char *err,
    size_t errlen)
{
	const char *end = buf + len, *nl;
	size_t n;
	int seen = 0;

	memset(rp, 0, sizeof(*rp));
	for (; buf < end; buf = nl + 1) {
		if ((nl = memchr(buf, '\n', (size_t)(end - buf))) == NULL)
			nl = end;
		n = (size_t)(nl - buf);
		if (n > 0 && buf[n - 1] == '\r')
			n--;
		seen |= report_line(rp, buf, n);
	}
	if (seen)
		return (0);
	(void)strlcpy(err, "the report is neither TAP nor a line `failed:'",
	    errlen);
	errno = EINVAL;
	return (-1);
}

void
report_free(struct report *rp)
{
	while (rp->rp_nids > 0)
		free(rp->rp_ids[--rp->rp_nids]);
	memset(rp, 0, sizeof(*rp));
}

int
report_read(const char *path, struct report *rp, char *err, size_t errlen)
{
	char *buf;
	size_t len;
	int rc, save;

	memset(rp, 0, sizeof(*rp));
	if (fs_read_file(path, REPORT_MAX, &buf, &len) == -1) {
		save = errno;
		(void)snprintf(err, errlen, "no report in ORCH_REPORT_FILE: "
		    "%s", strerror(errno));
		errno = save;
		return (-1);
	}
	if (len == 0) {
		free(buf);
		(void)strlcpy(err, "the report in ORCH_REPORT_FILE is empty",
		    errlen);
		errno = ENOENT;
		return (-1);
	}
	rc = report_parse(buf, len, rp, err, errlen);
	free(buf);
	return (rc);
}

/* The value of "word HEX" in a line: 1 and its 40 digits, else 0. */
static int
image_line(const char *s, size_t len, const char *word, char oid[41])
{
	size_t n = strlen(word);

	if (len != n + 41 || strncmp(s, word, n) != 0 || s[n] != ' ')
		return (0);
	memcpy(oid, s + n + 1, 40);
	oid[40] = '\0';
	return (1);
}

int
image_read(const char *path, char commit[41], char tree[41])
{
	char *buf;
	const char *s, *end;
	size_t len, n;
	int commits = 0, trees = 0;

	commit[0] = tree[0] = '\0';
	if (fs_read_file(path, IMAGE_MAX, &buf, &len) == -1)
		return (-1);
	for (s = buf, end = buf + len; s < end; s += n + 1) {
		n = strcspn(s, "\n");
		commits += image_line(s, n, "commit", commit);
		trees += image_line(s, n, "tree", tree);
	}
	free(buf);
	if (commits == 1 && trees == 1 && git_oid_valid(commit) &&
	    git_oid_valid(tree))
		return (0);
	commit[0] = tree[0] = '\0';
	return (-1);
}

/* The number that ends at p, or -1. */
static double
percent_before(const char *text, const char *p)
{
	const char *s = p;
	char *end;
	double d;

	while (s > text && (s[-1] == ' ' || s[-1] == '\t'))
		s--;
	while (s > text && (isdigit((unsigned char)s[-1]) || s[-1] == '.'))
		s--;
	if (!isdigit((unsigned char)*s) || (s > text && s[-1] == '-'))
		return (-1);
	d = strtod(s, &end);
	while (end < p && (*end == ' ' || *end == '\t'))
		end++;
	return (end != p || d > 100 ? -1 : d);
}

/* A last line that is a number alone, or -1. */
static double
percent_line(const char *text)
{
	size_t len = strlen(text);
	const char *s, *end;

	while (len > 0 && isspace((unsigned char)text[len - 1]))
		len--;
	end = text + len;
	for (s = end; s > text && s[-1] != '\n'; s--)
		if (!isdigit((unsigned char)s[-1]) && s[-1] != '.')
			return (-1);
	return (percent_before(text, end));
}

int
report_percent(const char *text, char *dst, size_t dstlen)
{
	const char *p;
	double d, last = -1;

	for (p = strchr(text, '%'); p != NULL; p = strchr(p + 1, '%'))
		if ((d = percent_before(text, p)) >= 0)
			last = d;
	if (last < 0)
		last = percent_line(text);
	if (last < 0)
		return (-1);
	return (snprintf(dst, dstlen, "%.2f", last) < (int)dstlen ? 0 : -1);
}
