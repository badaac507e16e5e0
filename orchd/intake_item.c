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

#include "libcommon/esc.h"
#include "libcommon/log.h"
#include "action.h"
#include "engine.h"
#include "intake.h"
#include "notice.h"
#include "outbox.h"
#include "pass.h"
#include "queue.h"
#include "task.h"
#include "tell.h"

/* What people set in a tracker elsewhere (R-55, R-95). */

#define TITLE_MAX	500
#define USER_MAX	64
#define CLOCKS_MS	60000	/* that two clocks may differ */

/* An item as it was seen, and its task. */
struct item {
	const struct orch_tracker_item *i_msg;
	const struct conf_project *i_project;
	struct task	 i_task;
	char		 i_title[TITLE_MAX + 1];
	char		 i_user[USER_MAX + 16];
	int64_t		 i_changed;
	int		 i_later;	/* it is to be told again */
};

/* Length of the character at s; a byte that begins none is one. */
static size_t
utf8_len(const char *s)
{
	unsigned char c = (unsigned char)*s;
	size_t i, n = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 1;

	for (i = 1; i < n; i++)
		if (((unsigned char)s[i] & 0xc0) != 0x80)
			return (1);
	return (n);
}

/* One line that a terminal can show as it is; the rest is left out. */
static void
clean_title(char *buf, size_t len, const char *title)
{
	char one[8], shown[64];
	size_t n = 0, k;

	for (; *title != '\0'; title += k) {
		k = utf8_len(title);
		memcpy(one, title, k);
		one[k] = '\0';
		if (esc(shown, sizeof(shown), one) != 0 ||
		    strcmp(shown, one) != 0)
			strlcpy(one, " ", sizeof(one));
		if (one[0] == ' ' && (n == 0 || buf[n - 1] == ' '))
			continue;
		if (n + strlen(one) >= len)
			break;
		memcpy(buf + n, one, strlen(one));
		n += strlen(one);
	}
	while (n > 0 && buf[n - 1] == ' ')
		n--;
	buf[n] = '\0';
}

static int
status_is(const struct item *it, enum conf_status s)
{
	return (strcmp(it->i_msg->status, conf_status_name(it->i_project,
	    s)) == 0);
}

/* A change that no delivery told of, by the clocks of both, is a poll's. */
static void
item_count(const struct item *it)
{
	if (store_int(eng.e_store, 0, Q_EVENT_TOLD, "is",
	    it->i_changed - CLOCKS_MS, it->i_msg->item) == 0)
		store_count(eng.e_store, "reconcile_replayed", 1);
}

/* Does this author, or one of these labels, start work (R-95)? */
static int
is_trusted(const struct item *it)
{
	const struct conf_project *cp = it->i_project;
	const char *label = NULL;
	size_t i;

	if (cp->cp_intake_authors.sl_n == 0 && cp->cp_intake_labels.sl_n == 0)
		return (1);
	for (i = 0; i < cp->cp_intake_authors.sl_n; i++)
		if (strcmp(cp->cp_intake_authors.sl_v[i],
		    it->i_msg->author) == 0)
			return (1);
	while ((label = orch_strs_next(&it->i_msg->labels, label)) != NULL)
		for (i = 0; i < cp->cp_intake_labels.sl_n; i++)
			if (strcmp(cp->cp_intake_labels.sl_v[i], label) == 0)
				return (1);
	return (0);
}

static int
item_remember(const struct item *it)
{
	return (store_run_one(eng.e_store, Q_ITEM_SEEN, "sii",
	    it->i_msg->status, it->i_changed, it->i_task.t_id) == STORE_OK ?
	    0 : -1);
}

static void
item_ignored(const struct item *it, const char *why)
{
	log_info("project %s: item %s (%s-%llu) is \"%s\": %s",
	    it->i_project->cp_name, it->i_msg->item,
	    it->i_project->cp_prefix, (unsigned long long)it->i_msg->number,
	    it->i_msg->status, why);
}

/* May a task be begun for it?  If not, the log says why. */
static int
may_begin(const struct item *it)
{
	if (!is_trusted(it))
		item_ignored(it, "neither its author nor a label of it starts "
		    "work (intake)");
	else if (it->i_msg->number == 0 || it->i_title[0] == '\0')
		item_ignored(it, "it has no number or no title");
	else
		return (1);
	return (0);
}

/* Make its task, the nth of this item. */
static int
item_begin(struct item *it, int64_t nth)
{
	struct task_new n = { .tn_project = it->i_project,
	    .tn_number = (int64_t)it->i_msg->number, .tn_try = nth,
	    .tn_title = it->i_title, .tn_text = it->i_msg->text,
	    .tn_user = it->i_msg->author, .tn_item = it->i_msg->item };
	int r;

	if ((r = task_submit(&n, &it->i_task)) == -1)
		return (-1);
	if (r == 1) {
		item_ignored(it, "there is another task of that key");
		return (alert_raise("intake", it->i_task.t_key, "the tracker's "
		    "item of that number cannot start: orchd has the task %s "
		    "of another item already. Open a new item; where the "
		    "tracker's project was made anew, give it another prefix "
		    "in orchd.conf", it->i_task.t_key) == STORE_OK ? 0 : -1);
	}
	item_count(it);
	log_info("task %s: begun by %s",
	    it->i_task.t_key, it->i_user);
	if (item_remember(it) == -1 || task_drive(it->i_task.t_id) == -1 ||
	    queue_kick() == -1)
		return (-1);
	return (0);
}

/* An item that no task is of: "To Analyse" makes one. */
static int
item_new(struct item *it)
{
	char key[65];

	if (!status_is(it, CONF_STATUS_TO_ANALYSE)) {
		/* Nobody wants it to start any more. */
		snprintf(key, sizeof(key), "%s-%llu",
		    it->i_project->cp_prefix,
		    (unsigned long long)it->i_msg->number);
		return (alert_clear("intake", key) == STORE_OK ? 0 : -1);
	}
	return (may_begin(it) ? item_begin(it, 1) : 0);
}

/* A comment on the item, once for each time that a person has set it. */
static int
item_say(const struct item *it, const char *what, const char *text)
{
	char key[128];

	snprintf(key, sizeof(key), "%s:%s:%lld", what, it->i_task.t_key,
	    (long long)it->i_changed);
	return (outbox_add("tracker", &it->i_task, "comment", key, text) ==
	    STORE_OK ? 0 : -1);
}

/*
 * A cancelled task leaves its item to another one, which begins afresh.  It
 * keeps its key, since the journal, the branch that is kept and the comments
 * go by it; the other one has a key of its own (R-54).
 */
static int
item_restart(struct item *it)
{
	const struct task old = it->i_task;
	int64_t tries = store_int(eng.e_store, 1, Q_ITEM_TRIES, "ss",
	    it->i_project->cp_name, it->i_msg->item);
	char text[256];

	if (!may_begin(it))
		return (0);
	if (store_run_one(eng.e_store, Q_ITEM_LEAVE, "i", old.t_id) !=
	    STORE_OK || store_run(eng.e_store, Q_ITEM_STATUS_DROP, "i",
	    old.t_id) != STORE_OK || item_begin(it, tries + 1) == -1)
		return (-1);
	snprintf(text, sizeof(text), "begins again as %s; what was done as %s "
	    "is kept under that name", it->i_task.t_key, old.t_key);
	return (item_say(it, "again", text));
}

/* The same action as at orchctl, with its answer. */
static int
item_act_said(const struct item *it, const char *verb, const char *text,
    struct action_said *said)
{
	memset(said, 0, sizeof(*said));
	if (action_now(verb, &it->i_task, it->i_user, text, said) == -1)
		return (-1);
	log_info("task %s: \"%s\" in the tracker: %s", it->i_task.t_key,
	    it->i_msg->status, said->as_text);
	return (0);
}

/* A refusal is for the log. */
static int
item_act(const struct item *it, const char *verb, const char *text)
{
	struct action_said said;

	return (item_act_said(it, verb, text, &said));
}

/*
 * Was it set after what is asked now?  It was when it took the place of the
 * status that we had set for the question; else the clocks have to say it.
 */
static int
is_answer(const struct item *it, const char *old)
{
	const struct task *t = &it->i_task;

	return (t->t_asked_gate[0] == '\0' ||
	    it->i_changed > t->t_asked_at || (strcmp(old, conf_status_name(
	    it->i_project, CONF_STATUS_IN_REVIEW)) == 0 &&
	    store_int(eng.e_store, 0, Q_ITEM_STATUS_DUE, "i", t->t_id) ==
	    0));
}

/*
 * Are there words that are about what is asked now?  The tracker has stamped
 * both our question and the comment, and reconciled tells no comment that is
 * older than the last question there: no clock of ours is needed.  Only where
 * that is not this question, as when its message waits, is the comment's time
 * compared with ours; a tracker that is behind then loses words, which are
 * asked for again, but never are those of an earlier question taken.
 */
static int
has_words(const struct item *it)
{
	const struct orch_tracker_item *m = it->i_msg;
	const struct task *t = &it->i_task;
	char key[160];

	if (m->comment[strspn(m->comment, " \t\r\n")] == '\0')
		return (0);
	/* At the tracker its time of storage follows. */
	tell_question_key(t, t->t_asked_commit, key, sizeof(key));
	strlcat(key, "@", sizeof(key));
	return (strncmp(m->asked, key, strlen(key)) == 0 ||
	    (int64_t)m->comment_ms >= t->t_asked_at);
}

/* Whoever gave no words is told where to write them. */
static int
item_reject(const struct item *it)
{
	const char *status = it->i_msg->status;
	const int words = has_words(it);
	struct action_said said;
	char text[1024];

	snprintf(text, sizeof(text), "Set to \"%.256s\" in the tracker, "
	    "without words: no comment there is newer than the question.",
	    status);
	if (item_act_said(it, "reject", words ? it->i_msg->comment : text,
	    &said) == -1)
		return (-1);
	if (words || said.as_result != RES_OK)
		return (0);
	snprintf(text, sizeof(text), "\"%.256s\" without words: no comment "
	    "is newer than the question, so what is done again now is done "
	    "without knowing why. When it is asked about, write here what is "
	    "wrong and set \"%.256s\" after that, or: orchctl reject -m TEXT "
	    "%s", status, status, it->i_task.t_key);
	return (item_say(it, "words", text));
}

/*
 * A decision is about what is asked now: one that was set before the question
 * was is about something else.
 */
static int
item_decide(const struct item *it, const char *verb, const char *old)
{
	if (!is_answer(it, old)) {
		item_ignored(it, "it was set before what is asked now");
		return (0);
	}
	return (strcmp(verb, "reject") == 0 ? item_reject(it) :
	    item_act(it, verb, it->i_msg->comment));
}

/* "To Analyse", while it is analysed: once more. */
static int
item_analyse(const struct item *it)
{
	const struct task *t = &it->i_task;

	if (t->t_parked[0] != '\0' && item_act(it, "retry", "") == -1)
		return (-1);
	log_info("task %s: analysed again, set by %s", t->t_key, it->i_user);
	if (store_run_one(eng.e_store, Q_ITEM_TEXT, "ssi", it->i_title,
	    it->i_msg->text, t->t_id) != STORE_OK ||
	    store_run_one(eng.e_store, Q_TASK_RERUN, "iii", (int64_t)0,
	    t->t_id, t->t_seq) != STORE_OK)
		return (-1);
	return (task_drive(t->t_id) == -1 ? -1 : queue_kick());
}

/* "To Analyse" of an item that a task is of (R-54, R-55). */
static int
item_again(struct item *it)
{
	const struct task *t = &it->i_task;
	char text[128];

	switch (t->t_stage) {
	case STAGE_ANALYSIS:
		return (item_analyse(it));
	case STAGE_CANCELLED:
		return (item_restart(it));
	case STAGE_DONE:
		item_ignored(it, "its task is done: open a new item");
		snprintf(text, sizeof(text), "%s is done and stays so: open a "
		    "new item for what is left to do", t->t_key);
		return (item_say(it, "ended", text));
	default:
		item_ignored(it, "its task is under way already");
		return (0);
	}
}

/* What is merged cannot be stopped any more: whoever tries it is told. */
static int
item_stop(const struct item *it)
{
	struct action_said said;

	if (!conf_bool(eng.e_conf, it->i_project, OPT_STOP_STATUS_ENABLED)) {
		item_ignored(it, "stop_status_enabled is no");
		return (0);
	}
	if (item_act_said(it, "cancel", "", &said) == -1)
		return (-1);
	return (said.as_result != RES_REFUSED ? 0 : item_say(it, "stop",
	    said.as_text));
}

/* Blocked and Needs Input, set by a person: nothing until they say so. */
static int
item_park(const struct item *it, const char *how)
{
	const struct task *t = &it->i_task;
	char why[512];

	if (stage_is_terminal(t->t_stage) || t->t_parked[0] != '\0') {
		item_ignored(it, t->t_parked[0] != '\0' ?
		    "its task is parked already" : "its task has ended");
		return (0);
	}
	snprintf(why, sizeof(why), "set to \"%s\" by %s", it->i_msg->status,
	    it->i_user);
	if (task_park(t, how, why) != STORE_OK)
		return (-1);
	return (task_drive(t->t_id));
}

static int
item_do(struct item *it, const char *old)
{
	if (status_is(it, CONF_STATUS_TO_ANALYSE))
		return (item_again(it));
	if (status_is(it, CONF_STATUS_APPROVED))
		return (item_decide(it, "approve", old));
	if (status_is(it, CONF_STATUS_REJECTED))
		return (item_decide(it, "reject", old));
	if (status_is(it, CONF_STATUS_CONFIRM_DEPLOY))
		return (item_decide(it, "confirm", old));
	if (status_is(it, CONF_STATUS_STOP))
		return (item_stop(it));
	if (status_is(it, CONF_STATUS_BLOCKED))
		return (item_park(it, "blocked"));
	if (status_is(it, CONF_STATUS_NEEDS_INPUT))
		return (item_park(it, "needs_input"));
	if (status_is(it, CONF_STATUS_IN_PROGRESS) &&
	    it->i_task.t_parked[0] != '\0')
		return (item_act(it, "retry", ""));
	return (0);
}

/*
 * Set by the user whose key orchd has.  orchd itself sets none of these: a
 * person did, who waits for something that will not come.
 */
static int
item_own(const struct item *it)
{
	static const enum conf_status of_people[] = { CONF_STATUS_APPROVED,
	    CONF_STATUS_REJECTED, CONF_STATUS_CONFIRM_DEPLOY,
	    CONF_STATUS_STOP };
	const size_t n = sizeof(of_people) / sizeof(of_people[0]);
	char text[512];
	size_t i;

	for (i = 0; i < n && !status_is(it, of_people[i]); i++)
		;
	if (i == n || stage_is_terminal(it->i_task.t_stage))
		return (0);
	item_ignored(it, "it was set by the user of orchd's own key");
	snprintf(text, sizeof(text), "\"%.256s\" was set by the user whose "
	    "key orchd has, so it is no person's word and changes nothing: "
	    "set it as another user", it->i_msg->status);
	return (item_say(it, "own", text));
}

/* The status that was acted on last, and when it was set. */
static enum store_res
item_task(struct item *it, char *old, size_t len, int64_t *ms)
{
	enum store_res res;
	sqlite3_stmt *q;
	int64_t id = 0;

	q = store_bind(eng.e_store, Q_ITEM_TASK, "ss",
	    it->i_project->cp_name, it->i_msg->item);
	if ((res = store_step(eng.e_store, q)) == STORE_OK) {
		id = col_int(q, 0);
		strlcpy(old, col_text(q, 1), len);
		*ms = col_int(q, 2);
	}
	sqlite3_reset(q);
	return (res == STORE_OK ? task_get(id, &it->i_task) : res);
}

/*
 * What acts is that the status has changed: an item whose words or labels
 * somebody edits decides nothing anew, nor does an older state of it.  What we
 * set ourselves is noted, so that the same status of a person counts again.
 */
static int
item_seen(struct item *it)
{
	char old[257] = "";
	int64_t ms = 0;

	switch (item_task(it, old, sizeof(old), &ms)) {
	case STORE_OK:
		break;
	case STORE_NONE:
		return (it->i_msg->own ? 0 : item_new(it));
	default:
		return (-1);
	}
	if (it->i_changed < ms || (it->i_changed == ms &&
	    strcmp(old, it->i_msg->status) == 0))
		return (0);
	if (strcmp(old, it->i_msg->status) == 0)
		return (item_remember(it));
	/* Afresh, once the cancelled one has ended. */
	if (!it->i_msg->own && status_is(it, CONF_STATUS_TO_ANALYSE) &&
	    it->i_task.t_cancel_at != 0 &&
	    !stage_is_terminal(it->i_task.t_stage)) {
		it->i_later = 1;
		return (0);
	}
	if (item_remember(it) == -1)
		return (-1);
	if (it->i_msg->own)
		return (item_own(it));
	item_count(it);
	return (item_do(it, old));
}

int
item_made(int64_t row, const char *item)
{
	enum store_res res;

	res = store_run(eng.e_store, Q_ITEM_MADE, "si", item, row);
	if (res == STORE_EXISTS) {
		log_warnx("item %s has a task of its own already", item);
		return (0);
	}
	if (res == STORE_OK)
		log_info("outbox %lld: made item %s", (long long)row, item);
	return (res == STORE_OK ? 0 : -1);
}

/* Names are chosen by people: the id's beginning tells who it is. */
static void
name_editor(struct item *it)
{
	const char *id = it->i_msg->editor[0] != '\0' ? it->i_msg->editor :
	    "somebody";
	char name[USER_MAX - 16];

	clean_title(name, sizeof(name), it->i_msg->editor_name);
	if (name[0] != '\0')
		snprintf(it->i_user, sizeof(it->i_user), "%s (%.8s) in the "
		    "tracker", name, id);
	else
		snprintf(it->i_user, sizeof(it->i_user), "%.*s in the "
		    "tracker", USER_MAX - 1, id);
}

int
on_tracker_item(struct peer *p, uint32_t id, const union orch_any *any,
    int *fd)
{
	const struct orch_tracker_item *m = &any->tracker_item;
	struct orch_ack ack = { RES_OK, "" };
	struct item it;

	memset(&it, 0, sizeof(it));
	it.i_msg = m;
	it.i_project = eng_project(m->project);
	it.i_changed = (int64_t)m->changed_ms;
	clean_title(it.i_title, sizeof(it.i_title), m->title);
	name_editor(&it);
	if (it.i_project == NULL || it.i_project->cp_tracker !=
	    CONF_TRACKER_PLANE || m->item[0] == '\0') {
		ack.result = RES_REFUSED;
		ack.text = "no project has its items there";
	} else if (item_seen(&it) == -1)
		return (-1);
	if (it.i_later) {
		ack.result = RES_RETRY;
		ack.text = "its task is being cancelled";
	}
	pass_send(p->p_id, ORCH_ack, id, &ack, -1);
	return (0);
}
