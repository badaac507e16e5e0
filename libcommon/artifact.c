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

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include "libcommon/frontmatter.h"
#include "libcommon/git_run.h"
#include "libcommon/git_tree.h"
#include "artifact.h"

#define FILE_MAX	(1U << 20)

/* One check: where it looks, and the file that is being read. */
struct check {
	const struct git_repo	*ck_repo;
	const char		*ck_commit;
	const char		*ck_item;
	struct artifact_verdict	*ck_av;
	char			 ck_path[256];
	char			*ck_buf;
	size_t			 ck_len;
	struct fm		 ck_fm;
};

/* A judgement of one word in the front matter. */
struct judgement {
	const char	*jd_file;
	const char	*jd_key;
	const char	*jd_good;
	const char	*jd_bad;
	const char	*jd_also[4];	/* more keys that must be there */
};

static int end(struct check *, enum artifact_kind, unsigned int,
    const char *, ...) __attribute__((format(printf, 4, 5)));

/*
 * Set the result; always -1, for `return (end(...))'.  A line makes the
 * reason begin with file:line.
 */
static int
end(struct check *ck, enum artifact_kind kind, unsigned int line,
    const char *fmt, ...)
{
	static const enum gate_verdict verdict[] = {
		[ARTIFACT_OK] = GATE_PASS,
		[ARTIFACT_NEGATIVE] = GATE_FAIL,
		[ARTIFACT_ABSENT] = GATE_FAIL,
		[ARTIFACT_BAD] = GATE_FAIL,
		[ARTIFACT_ERROR] = GATE_ERROR,
	};
	char text[600], where[300] = "";
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (line > 0)
		snprintf(where, sizeof(where), "%s:%u: ", ck->ck_path, line);
	ck->ck_av->kind = kind;
	ck->ck_av->verdict = verdict[kind];
	snprintf(ck->ck_av->reason, sizeof(ck->ck_av->reason),
	    "%s%s (commit %.7s)", where, text, ck->ck_commit);
	return (-1);
}

int
artifact_path(char *dst, size_t dstlen, const char *item_id,
    const char *name)
{
	int n;

	n = snprintf(dst, dstlen, "docs/work-items/%s/%s", item_id, name);
	return (n < 0 || (size_t)n >= dstlen ? -1 : 0);
}

static int
begin(struct check *ck, const struct git_repo *repo, const char *commit,
    const char *item_id, struct artifact_verdict *av)
{
	memset(ck, 0, sizeof(*ck));
	memset(av, 0, sizeof(*av));
	ck->ck_repo = repo;
	ck->ck_commit = git_oid_valid(commit) ? commit : "?";
	ck->ck_item = item_id;
	ck->ck_av = av;
	if (!git_oid_valid(commit) || !item_id_valid(item_id))
		return (end(ck, ARTIFACT_ERROR, 0, "the commit or the work "
		    "item to judge is not valid"));
	return (0);
}

static void
close_file(struct check *ck)
{
	fm_free(&ck->ck_fm);
	free(ck->ck_buf);
	ck->ck_buf = NULL;
	ck->ck_len = 0;
}

static int
open_file(struct check *ck, const char *name)
{
	char err[300];

	if (artifact_path(ck->ck_path, sizeof(ck->ck_path), ck->ck_item,
	    name) == -1)
		return (end(ck, ARTIFACT_ERROR, 0, "%s: path is too long",
		    name));
	switch (git_show_file(ck->ck_repo, ck->ck_commit, ck->ck_path,
	    FILE_MAX, &ck->ck_buf, &ck->ck_len, err, sizeof(err))) {
	case GIT_OK:
		return (0);
	case GIT_NOTFOUND:
		return (end(ck, ARTIFACT_ABSENT, 0, "%s is missing",
		    ck->ck_path));
	case GIT_REFUSED:
		return (end(ck, ARTIFACT_BAD, 0, "%s", err));
	default:
		return (end(ck, ARTIFACT_ERROR, 0, "%s", err));
	}
}

static int
blank(const char *buf, size_t len)
{
	size_t i = len >= 3 && memcmp(buf, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

	for (; i < len; i++)
		if (strchr(" \t\r\n", buf[i]) == NULL)
			return (0);
	return (1);
}

/* --- analysis --- */

static int
check_test(struct check *ck, const struct fm_node *test, size_t n)
{
	static const char *const keys[] = { "id", "type", "description" };
	const struct fm_node *value;
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		value = fm_map_get(test, keys[i]);
		if (value == NULL)
			return (end(ck, ARTIFACT_BAD, test->fn_line,
			    "test %zu has no key \"%s\"", n, keys[i]));
		if (value->fn_kind != FM_SCALAR ||
		    blank(value->fn_text, strlen(value->fn_text)))
			return (end(ck, ARTIFACT_BAD, value->fn_line,
			    "\"%s\" of test %zu is empty or not a text",
			    keys[i], n));
	}
	return (0);
}

static int
check_plan(struct check *ck, size_t *ntests)
{
	const struct fm_node *tests;
	struct fm_error fe;
	size_t i;

	if (open_file(ck, "04-test-plan.yaml") == -1)
		return (-1);
	if (fm_parse_yaml(ck->ck_buf, ck->ck_len, &ck->ck_fm, &fe) == -1)
		return (end(ck, ARTIFACT_BAD, fe.fe_line, "%s",
		    fe.fe_text));
	tests = &ck->ck_fm.fm_root;
	if (tests->fn_kind == FM_MAP)
		tests = fm_map_get(tests, "tests");
	if (tests == NULL || tests->fn_kind != FM_LIST || tests->fn_n == 0)
		return (end(ck, ARTIFACT_BAD,
		    tests != NULL ? tests->fn_line : 1, "no list \"tests\" "
		    "with at least one test (id, type, description)"));
	for (i = 0; i < tests->fn_n; i++)
		if (check_test(ck, &tests->fn_item[i], i + 1) == -1)
			return (-1);
	*ntests = tests->fn_n;
	return (0);
}

void
artifact_check_analysis(const struct git_repo *repo, const char *commit,
    const char *item_id, struct artifact_verdict *av)
{
	static const char *const names[] = { "00-business-request.md",
	    "01-brd.md", "02-trz.md", "03-acceptance-criteria.md" };
	struct check ck;
	size_t i, ntests = 0;

	if (begin(&ck, repo, commit, item_id, av) == -1)
		return;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (open_file(&ck, names[i]) == -1)
			return;
		if (blank(ck.ck_buf, ck.ck_len)) {
			end(&ck, ARTIFACT_BAD, 1, "the file is empty");
			close_file(&ck);
			return;
		}
		close_file(&ck);
	}
	if (check_plan(&ck, &ntests) == 0)
		end(&ck, ARTIFACT_OK, 0, "00 to 04 are there, %zu test%s "
		    "planned", ntests, ntests == 1 ? "" : "s");
	close_file(&ck);
}

/* --- architecture --- */

/* Does the text at `p' begin with this word, in any case? */
static int
has_word(const char *p, const char *word)
{
	return (strncasecmp(p, word, strlen(word)) == 0);
}

/*
 * A line "Status: accepted", with the marks that Markdown puts around it,
 * or a heading "Status" (the text then stands below it).
 */
static int
status_line(const char *p)
{
	int heading;

	p += strspn(p, " \t");
	heading = *p == '#';
	p += strspn(p, "#-*_> \t");
	if (!has_word(p, "status"))
		return (0);
	p += strlen("status");
	p += strspn(p, "*_ \t");
	if (*p == ':')
		p += 1 + strspn(p + 1, "*_ \t\r");
	else if (!heading)
		return (0);
	else
		return (*p == '\0' || *p == '\r' || *p == '-');
	return (heading || *p != '\0');
}

static int
has_status(char *text)
{
	char *line, *next = text;

	while ((line = strsep(&next, "\n")) != NULL)
		if (status_line(line))
			return (1);
	return (0);
}

static int
is_adr(const char *path)
{
	const char *name = strrchr(path, '/');
	size_t n;

	if (name == NULL || strncmp(++name, "ADR-", 4) != 0)
		return (0);
	n = strlen(name);
	return (n > 7 && strcmp(name + n - 3, ".md") == 0);
}

/* 1: has a status line, 0: has none, -1: the verdict is set. */
static int
check_adr(struct check *ck, const char *path)
{
	const char *name;
	int r;

	/* Back from the tree's path to one that is relative to the item. */
	name = strstr(path, "/06-adr/");
	if (name == NULL || open_file(ck, name + 1) == -1)
		return (-1);
	r = has_status(ck->ck_buf);
	close_file(ck);
	return (r);
}

void
artifact_check_architecture(const struct git_repo *repo, const char *commit,
    const char *item_id, struct artifact_verdict *av)
{
	struct git_list gl;
	struct check ck;
	char dir[160], err[300];
	size_t i, nadr = 0;
	int r = 0;

	if (begin(&ck, repo, commit, item_id, av) == -1)
		return;
	(void)artifact_path(dir, sizeof(dir), item_id, "06-adr");
	if (git_list_tree(repo, commit, dir, &gl, err,
	    sizeof(err)) != GIT_OK) {
		end(&ck, ARTIFACT_ERROR, 0, "%s", err);
		goto done;
	}
	for (i = 0; i < gl.gl_n && r == 0; i++) {
		if (!is_adr(gl.gl_item[i].ge_path))
			continue;
		nadr++;
		r = check_adr(&ck, gl.gl_item[i].ge_path);
	}
	if (nadr == 0)
		end(&ck, ARTIFACT_ABSENT, 0, "%s/ADR-*.md is missing", dir);
	else if (r == 0)
		end(&ck, ARTIFACT_BAD, 1, "no line \"Status: ...\" in it%s",
		    nadr > 1 ? " or in any other ADR" : "");
	else if (r == 1)
		end(&ck, ARTIFACT_OK, 0, "%s has a status line",
		    ck.ck_path);
done:
	git_list_free(&gl);
}

/* --- judgements: 12, 13 and 15 --- */

static int
need(struct check *ck, const char *key, const char **value,
    unsigned int *line)
{
	if (fm_get(&ck->ck_fm, key) == NULL)
		return (end(ck, ARTIFACT_BAD, ck->ck_fm.fm_body_line - 1,
		    "key \"%s\" is missing in the front matter", key));
	*value = fm_text(&ck->ck_fm, key, line);
	/* Not every deployment has a URL; every other key has a value. */
	if (*value == NULL ||
	    (**value == '\0' && strcmp(key, "base_url") != 0))
		return (end(ck, ARTIFACT_BAD, *line, "key \"%s\" is empty or "
		    "not a text", key));
	return (0);
}

static int
check_keys(struct check *ck, const struct judgement *jd)
{
	const char *value;
	char shown[100];
	unsigned int line = 1;
	size_t i;

	for (i = 0; i < sizeof(jd->jd_also) / sizeof(jd->jd_also[0]); i++) {
		if (jd->jd_also[i] == NULL)
			break;
		if (need(ck, jd->jd_also[i], &value, &line) == -1)
			return (-1);
		if (strcmp(jd->jd_also[i], "work_item_id") != 0 ||
		    strcmp(value, ck->ck_item) == 0)
			continue;
		git_escape(shown, sizeof(shown), value, strlen(value));
		return (end(ck, ARTIFACT_BAD, line, "work_item_id \"%s\" is "
		    "not %s", shown, ck->ck_item));
	}
	return (0);
}

/* The commit that the artifact is about, in full. */
static int
named_commit(struct check *ck, char oid[GIT_OID_SIZE], unsigned int *line)
{
	const char *value;
	char shown[100], err[300];
	size_t n;

	if (need(ck, "commit", &value, line) == -1)
		return (-1);
	n = strlen(value);
	if (n < 7 || n > 40 || strspn(value, "0123456789abcdef") != n) {
		git_escape(shown, sizeof(shown), value, n);
		return (end(ck, ARTIFACT_BAD, *line, "commit \"%s\" is not a "
		    "commit id of 7 to 40 digits", shown));
	}
	switch (git_resolve(ck->ck_repo, value, oid, err, sizeof(err))) {
	case GIT_OK:
		return (0);
	case GIT_ERR:
		return (end(ck, ARTIFACT_ERROR, 0, "%s", err));
	default:
		return (end(ck, ARTIFACT_BAD, *line, "commit %s is not in "
		    "this repository", value));
	}
}

/* A verdict belongs to its code tree. */
static int
check_bound(struct check *ck)
{
	char oid[GIT_OID_SIZE], is[GIT_OID_SIZE], about[GIT_OID_SIZE];
	char err[300];
	unsigned int line = 1;

	if (named_commit(ck, oid, &line) == -1)
		return (-1);
	if (git_code_tree(ck->ck_repo, ck->ck_commit, ck->ck_item, is, err,
	    sizeof(err)) != GIT_OK || git_code_tree(ck->ck_repo, oid,
	    ck->ck_item, about, err, sizeof(err)) != GIT_OK)
		return (end(ck, ARTIFACT_ERROR, 0, "%s", err));
	if (strcmp(is, about) != 0)
		return (end(ck, ARTIFACT_ABSENT, line, "it is about commit "
		    "%.7s, whose code is another one; it counts as missing",
		    oid));
	return (0);
}

static int
keep_body(struct check *ck)
{
	const struct fm *fm = &ck->ck_fm;

	ck->ck_av->body = strndup(ck->ck_buf + fm->fm_body,
	    ck->ck_len - fm->fm_body);
	ck->ck_av->body_line = fm->fm_body_line;
	if (ck->ck_av->body == NULL)
		return (end(ck, ARTIFACT_ERROR, 0, "out of memory"));
	return (0);
}

static void
judge(struct check *ck, const struct judgement *jd)
{
	struct fm_error fe;
	const char *word;
	char shown[100];
	unsigned int line = 1;

	if (open_file(ck, jd->jd_file) == -1)
		return;
	if (fm_parse(ck->ck_buf, ck->ck_len, &ck->ck_fm, &fe) == -1)
		end(ck, ARTIFACT_BAD, fe.fe_line, "%s", fe.fe_text);
	else if (need(ck, jd->jd_key, &word, &line) == -1)
		;
	else if (strcmp(word, jd->jd_good) != 0 &&
	    strcmp(word, jd->jd_bad) != 0) {
		git_escape(shown, sizeof(shown), word, strlen(word));
		end(ck, ARTIFACT_BAD, line, "%s \"%s\" is neither %s nor %s",
		    jd->jd_key, shown, jd->jd_good, jd->jd_bad);
	} else if (check_keys(ck, jd) == 0 && check_bound(ck) == 0 &&
	    keep_body(ck) == 0)
		end(ck, strcmp(word, jd->jd_good) == 0 ? ARTIFACT_OK :
		    ARTIFACT_NEGATIVE, line, "%s %s", jd->jd_key, word);
	close_file(ck);
}

void
artifact_check_review(const struct git_repo *repo, const char *commit,
    const char *item_id, struct artifact_verdict *av)
{
	static const struct judgement jd = { "12-review.md", "verdict",
	    "APPROVED", "REQUEST_CHANGES",
	    { "type", "work_item_id", "version", NULL } };
	struct check ck;

	if (begin(&ck, repo, commit, item_id, av) == 0)
		judge(&ck, &jd);
}

void
artifact_check_tests(const struct git_repo *repo, const char *commit,
    const char *item_id, struct artifact_verdict *av)
{
	static const struct judgement jd = { "13-test-report.md", "result",
	    "PASS", "FAIL", { "type", "work_item_id", NULL, NULL } };
	struct check ck;

	if (begin(&ck, repo, commit, item_id, av) == 0)
		judge(&ck, &jd);
}

void
artifact_check_staging(const struct git_repo *repo, const char *commit,
    const char *item_id, struct artifact_verdict *av)
{
	static const struct judgement jd = { "15-staging-log.md",
	    "staging_status", "SUCCESS", "FAILED",
	    { "timestamp", "base_url", NULL, NULL } };
	struct check ck;

	if (begin(&ck, repo, commit, item_id, av) == -1)
		return;
	judge(&ck, &jd);
	/* Nobody has to write it: what was measured stands alone. */
	if (av->kind == ARTIFACT_ABSENT)
		av->verdict = GATE_PASS;
}

void
artifact_verdict_free(struct artifact_verdict *av)
{
	free(av->body);
	av->body = NULL;
}
