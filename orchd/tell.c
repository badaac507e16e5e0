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
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include "libcommon/git.h"
#include "libcommon/log.h"
#include "engine.h"
#include "tell.h"

#define HEAD_MAX	1500	/* of a long text: how it begins */
#define TAIL_MAX	2500	/* and how it ends */
#define PAGE_MAX	520
#define CODE		"    "	/* begins a line of code in Markdown */

static int
has_forge(const struct task *t)
{
	const struct conf_project *cp = eng_project(t->t_project);

	return (cp != NULL && cp->cp_forge == CONF_FORGE_GITEA);
}

static int
has_tracker(const struct task *t)
{
	const struct conf_project *cp = eng_project(t->t_project);

	return (cp != NULL && cp->cp_tracker == CONF_TRACKER_PLANE);
}

/* The address of the task's pull request, or "". */
static void
page_of(const struct task *t, char buf[PAGE_MAX])
{
	sqlite3_stmt *q;

	buf[0] = '\0';
	if (t->t_branch[0] == '\0')
		return;
	q = store_bind(eng.e_store, Q_PULL_PAGE, "ss", t->t_project,
	    t->t_branch);
	if (store_step(eng.e_store, q) == STORE_OK)
		strlcpy(buf, col_text(q, 0), PAGE_MAX);
	sqlite3_reset(q);
}

/*
 * What a question is about: the pull request, or before there is one the
 * item's artifacts at that commit, as the forge shows them.
 */
static void
subject_of(const struct task *t, const char *commit, char buf[PAGE_MAX])
{
	const struct conf_project *cp = eng_project(t->t_project);

	page_of(t, buf);
	if (buf[0] == '\0' && has_forge(t) && commit[0] != '\0')
		snprintf(buf, PAGE_MAX, "%s%s%s/src/commit/%s/docs/work-items/"
		    "%s", cp->cp_forge_url, cp->cp_forge_url[strlen(
		    cp->cp_forge_url) - 1] == '/' ? "" : "/",
		    cp->cp_forge_repo, commit, t->t_key);
}

/* --- how a person answers ------------------------------------------------- */

void
tell_how(const struct task *t, const char *verb, enum conf_status yes,
    char *buf, size_t len)
{
	const struct conf_project *cp = eng_project(t->t_project);

	if (!has_tracker(t))
		snprintf(buf, len, "orchctl %s %s", verb, t->t_key);
	else if (yes == CONF_STATUS_APPROVED)
		snprintf(buf, len, "status \"%s\" (or \"%s\", with a comment), "
		    "or orchctl %s %s", conf_status_name(cp, yes),
		    conf_status_name(cp, CONF_STATUS_REJECTED), verb,
		    t->t_key);
	else
		snprintf(buf, len, "status \"%s\", or orchctl %s %s",
		    conf_status_name(cp, yes), verb, t->t_key);
}

void
tell_way_on(const struct task *t, const char *reason, char *buf, size_t len)
{
	size_t n = strlen(reason), room;
	char how[700];

	tell_how(t, "retry", CONF_STATUS_IN_PROGRESS, how, sizeof(how));
	room = len - strlen(how) - sizeof(". To go on: ");
	/* What to do stays; a character is not cut. */
	if (n > room)
		for (n = room; n > 0 && ((unsigned char)reason[n] & 0xc0) ==
		    0x80; n--)
			;
	while (n > 0 && reason[n - 1] == '.')
		n--;
	/* A request that is closed or merged: retry does not open it. */
	if (strstr(reason, "orchctl cancel ") != NULL)
		strlcpy(buf, reason, len);
	else
		snprintf(buf, len, "%.*s. To go on: %s", (int)n, reason, how);
}

/* --- people --------------------------------------------------------------- */

int
tell_anybody(void)
{
	return (eng.e_conf != NULL && eng.e_conf->cf_nnotify > 0);
}

enum store_res
tell_people(const struct task *t, const char *kind, const char *key,
    const char *text)
{
	char dest[64], name[192], page[PAGE_MAX] = "", words[4096];
	struct outbox_msg om = { .om_dest = dest, .om_task = t,
	    .om_kind = kind, .om_key = name, .om_text = words };
	enum store_res res;
	size_t i;

	if (!tell_anybody())
		return (STORE_OK);
	if (t != NULL) {
		page_of(t, page);
		snprintf(words, sizeof(words), "%.2900s\n%s: %.500s%s%s",
		    text, t->t_key, t->t_title, page[0] != '\0' ? "\n" : "",
		    page);
	} else
		strlcpy(words, text, sizeof(words));
	for (i = 0; i < eng.e_conf->cf_nnotify; i++) {
		snprintf(dest, sizeof(dest), "notify:%s",
		    eng.e_conf->cf_notify[i].cn_name);
		snprintf(name, sizeof(name), "%s@%s", key,
		    eng.e_conf->cf_notify[i].cn_name);
		if ((res = outbox_put(&om)) != STORE_OK)
			return (res);
	}
	return (STORE_OK);
}

/* --- the pull request ----------------------------------------------------- */

static enum store_res
forge_put(const struct task *t, const char *kind, const char *key,
    const char *text, const char *commit)
{
	char dest[80];
	struct outbox_msg om = { .om_dest = dest, .om_task = t,
	    .om_kind = kind, .om_key = key, .om_text = text,
	    .om_branch = t->t_branch, .om_commit = commit };

	snprintf(dest, sizeof(dest), "forge:%s", t->t_project);
	return (outbox_put(&om));
}

/* Is there a pull request, or will there be one of what is published? */
static int
has_pull(const struct task *t)
{
	return (has_forge(t) && t->t_branch[0] != '\0' &&
	    t->t_published[0] != '\0' && t->t_stage >= STAGE_DEVELOPMENT);
}

/*
 * Append text, as a block of code where its lines begin so: then nothing in it
 * is a link, a mention of somebody or a marker, whatever an agent wrote.
 */
static void
quote(FILE *fp, const char *before, const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (i == 0 || text[i - 1] == '\n')
			fputs(before, fp);
		if (len - i >= 4 && strncmp(text + i, "<!--", 4) == 0) {
			fputs("<! --", fp);
			i += 3;
		} else if (text[i] != '\r')	/* another end of line */
			fputc(text[i], fp);
	}
	if (len > 0 && text[len - 1] != '\n')
		fputc('\n', fp);
}

/* How a long text begins and ends, in whole lines where it has any. */
static void
excerpt(FILE *fp, const char *before, const char *text)
{
	size_t len = strlen(text), head = HEAD_MAX, tail;
	const char *nl;

	if (len <= HEAD_MAX + TAIL_MAX) {
		quote(fp, before, text, len);
		return;
	}
	while (head > 0 && text[head - 1] != '\n')
		head--;
	tail = len - TAIL_MAX;
	if ((nl = strchr(text + tail, '\n')) != NULL && nl[1] != '\0')
		tail = (size_t)(nl + 1 - text);
	quote(fp, before, text, head);
	fprintf(fp, "%s[%zu bytes are left out]\n", before, tail - head);
	quote(fp, before, text + tail, len - tail);
}

/* A comment: a line of ours, and what somebody else has said. */
static enum store_res
pull_comment(const struct task *t, const char *key, const char *line,
    const char *reason, const char *text)
{
	enum store_res res;
	char *all = NULL;
	size_t len = 0;
	FILE *fp;

	if (!has_pull(t))
		return (STORE_OK);
	if ((fp = open_memstream(&all, &len)) == NULL)
		fatal("comment");
	fprintf(fp, "**%s** %s\n\n", t->t_key, line);
	quote(fp, CODE, reason, strlen(reason));
	if (text != NULL && text[strspn(text, " \t\r\n")] != '\0') {
		fputs("    \n", fp);
		excerpt(fp, CODE, text);
	}
	if (fclose(fp) != 0)
		fatal("comment");
	res = forge_put(t, "comment", key, all, "");
	free(all);
	return (res);
}

enum store_res
tell_findings(int64_t task, const char *reason, const char *text)
{
	char key[160];
	struct task t;
	enum store_res res;

	if ((res = task_get(task, &t)) != STORE_OK)
		return (res);
	/* A move back has its row of its own, with another number. */
	snprintf(key, sizeof(key), "findings:%s:%lld:%lld", t.t_key,
	    (long long)t.t_seq, (long long)eng_now());
	return (pull_comment(&t, key, "goes back to be corrected:", reason,
	    text));
}

enum store_res
tell_parked(const struct task *t, const char *reason)
{
	char key[160], here[180], words[2300], text[2400];
	enum store_res res;

	snprintf(key, sizeof(key), "parked:%s:%lld:%lld", t->t_key,
	    (long long)t->t_seq, (long long)eng_now());
	if ((res = pull_comment(t, key, "is parked, a person has to look:",
	    reason, NULL)) != STORE_OK || !has_tracker(t))
		return (res);
	tell_way_on(t, reason, words, sizeof(words));
	snprintf(text, sizeof(text), "is parked: %s", words);
	snprintf(here, sizeof(here), "%s@tracker", key);
	return (outbox_add("tracker", t, "comment", here, text));
}

/* --- statuses of commits -------------------------------------------------- */

/* Only what the forge has: it knows nothing of another commit. */
static int
forge_has(const struct task *t, const char *commit)
{
	return (has_forge(t) && git_oid_valid(commit) &&
	    (strcmp(commit, t->t_published) == 0 ||
	    strcmp(commit, t->t_landed) == 0));
}

static enum store_res
status_put(const struct task *t, const char *key, const char *state,
    const char *gate, const char *commit, const char *what)
{
	char text[512], line[256];

	strlcpy(line, what, sizeof(line));
	line[strcspn(line, "\n")] = '\0';
	snprintf(text, sizeof(text), "%s orchd/%s\n%s", state, gate, line);
	return (forge_put(t, "status", key, text, commit));
}

enum store_res
tell_gate_runs(const struct task *t, const char *gate, const char *commit,
    int64_t job)
{
	char key[64];

	if (!forge_has(t, commit))
		return (STORE_OK);
	snprintf(key, sizeof(key), "gate-job:%lld", (long long)job);
	return (status_put(t, key, "pending", gate, commit,
	    "being evaluated"));
}

static const char *
state_of(const char *verdict)
{
	if (strcmp(verdict, "pass") == 0)
		return ("success");
	if (strcmp(verdict, "fail") == 0)
		return ("failure");
	return (strcmp(verdict, "wait") == 0 ? "pending" : "error");
}

enum store_res
tell_gates(int64_t task, const char *commit)
{
	enum store_res res;
	sqlite3_stmt *q;
	struct task t;
	char key[64];

	if ((res = task_get(task, &t)) != STORE_OK || !forge_has(&t, commit))
		return (res);
	q = store_bind(eng.e_store, Q_GATES_AT_COMMIT, "is", task, commit);
	while (res == STORE_OK && store_step(eng.e_store, q) == STORE_OK) {
		/* CI speaks for itself there. */
		if (strcmp(col_text(q, 1), "check_ci_green") == 0)
			continue;
		snprintf(key, sizeof(key), "gate:%lld",
		    (long long)col_int(q, 0));
		res = status_put(&t, key, state_of(col_text(q, 2)),
		    col_text(q, 1), commit, col_text(q, 3));
	}
	sqlite3_reset(q);
	return (res);
}

/* --- the tracker ---------------------------------------------------------- */

/* What a page of ours would show beside it, where people look elsewhere. */
static void
state_of_task(const struct transition *tr, const struct task *t, char *buf,
    size_t len)
{
	const char *commit = t->t_landed[0] != '\0' ? t->t_landed : t->t_head;
	char page[PAGE_MAX];
	int n;

	buf[0] = '\0';
	if (!has_tracker(t))
		return;
	n = snprintf(buf, len, "\nstage %s, round %lld%s%.12s",
	    stage_name(tr->tr_to), (long long)t->t_round + tr->tr_backward,
	    commit[0] != '\0' ? ", commit " : "", commit);
	page_of(t, page);
	if (page[0] != '\0' && n > 0 && (size_t)n < len)
		snprintf(buf + n, len - (size_t)n, "\n%s", page);
}

static enum store_res
tracker_move(const struct transition *tr, const struct task *t)
{
	char key[128], text[3000], state[800];

	snprintf(key, sizeof(key), "move:%s:%lld", t->t_key,
	    (long long)tr->tr_seq + 1);
	state_of_task(tr, t, state, sizeof(state));
	snprintf(text, sizeof(text), "%s -> %s: %.2000s%s",
	    stage_name(tr->tr_from), stage_name(tr->tr_to), tr->tr_reason,
	    state);
	return (outbox_add("tracker", t, "comment", key, text));
}

void
tell_question_key(const struct task *t, const char *commit, char *buf,
    size_t len)
{
	snprintf(buf, len, "ask:%s:%lld:%s", t->t_key, (long long)t->t_seq,
	    commit);
}

enum store_res
tell_question(const struct task *t, const char *commit, const char *text)
{
	char key[160], page[PAGE_MAX], words[1300];
	enum store_res res;
	const char *nl;

	tell_question_key(t, commit, key, sizeof(key));
	subject_of(t, commit, page);
	nl = page[0] != '\0' ? "\n" : "";
	snprintf(words, sizeof(words), "%.600s%s%s", text, nl, page);
	if ((res = outbox_add("tracker", t, "comment", key, words)) !=
	    STORE_OK)
		return (res);
	snprintf(words, sizeof(words), "%s %.600s%s%s", t->t_key, text, nl,
	    page);
	return (tell_people(t, "question", key, words));
}

/* A comment with what was found, for trackers that cannot show it else. */
static enum store_res
attach(const struct task *t, const char *key, const char *line,
    const char *text)
{
	enum store_res res;
	char *all;

	if (!has_tracker(t) || text[strspn(text, " \t\r\n")] == '\0')
		return (STORE_OK);
	if (asprintf(&all, "%s\n\n%s", line, text) == -1)
		fatal("comment");
	res = outbox_add("tracker", t, "comment", key, all);
	free(all);
	return (res);
}

static char *
excerpt_of(const char *text)
{
	char *some = NULL;
	size_t len = 0;
	FILE *fp;

	if ((fp = open_memstream(&some, &len)) == NULL)
		fatal("comment");
	excerpt(fp, "", text);
	if (fclose(fp) != 0)
		fatal("comment");
	return (some);
}

enum store_res
tell_verdict(const struct task *t, int64_t id, const char *gate,
    const char *verdict, const char *commit, const char *reason,
    const char *text)
{
	const int review = strcmp(gate, "check_reviewer_verdict") == 0;
	char key[64], line[2400], *some = NULL;
	enum store_res res;

	if (!review && strcmp(gate, "check_tests_passed") != 0 &&
	    strcmp(verdict, "pass") == 0)
		return (STORE_OK);
	snprintf(key, sizeof(key), "verdict:%lld", (long long)id);
	snprintf(line, sizeof(line), "%s: %s at %.12s: %.2000s", gate,
	    verdict, commit, reason);
	/* Of a log only how it begins and ends. */
	if (!review)
		some = excerpt_of(text);
	res = attach(t, key, line, review ? text : some);
	free(some);
	return (res);
}

enum store_res
tell_record(const struct task *t, const char *name, const char *text)
{
	char key[192];

	snprintf(key, sizeof(key), "record:%s:%lld:%s", t->t_key,
	    (long long)t->t_round, name);
	return (attach(t, key, name, text));
}

/* --- a move --------------------------------------------------------------- */

/* Merged, deployed, taken back: what people at the forge want to know. */
static enum store_res
pull_move(const struct transition *tr, const struct task *t)
{
	const char *line = NULL;
	char key[128], merged[128];

	if (tr->tr_to == STAGE_DEPLOY) {
		snprintf(merged, sizeof(merged), "is merged as %s:",
		    t->t_landed);
		line = merged;
	} else if (tr->tr_to == STAGE_DONE)
		line = "is deployed:";
	else if (tr->tr_to == STAGE_CANCELLED)
		line = "is cancelled:";
	else if (tr->tr_from == STAGE_DEPLOY)
		line = "was not deployed and goes back to development:";
	if (line == NULL)
		return (STORE_OK);
	snprintf(key, sizeof(key), "pull-move:%s:%lld", t->t_key,
	    (long long)tr->tr_seq + 1);
	return (pull_comment(t, key, line, tr->tr_reason, NULL));
}

enum store_res
tell_move(const struct transition *tr, const struct task *t)
{
	enum store_res res;
	char key[128], text[2300];

	if ((res = tracker_move(tr, t)) != STORE_OK ||
	    (res = pull_move(tr, t)) != STORE_OK ||
	    !stage_is_terminal(tr->tr_to))
		return (res);
	snprintf(key, sizeof(key), "end:%s:%lld", t->t_key,
	    (long long)tr->tr_seq + 1);
	snprintf(text, sizeof(text), "%s is %s: %.2000s", t->t_key,
	    stage_name(tr->tr_to), tr->tr_reason);
	return (tell_people(t, "end", key, text));
}
