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

#include "libcommon/log.h"
#include "libcommon/verdict.h"
#include "engine.h"
#include "image.h"

/*
 * The artifact that staging serves says what it was built from, in
 * ORCH_IMAGE_FILE: it must be the code tree that lands.
 */

static void
text_of(enum stmt which, const char *project, const char *gate,
    char commit[ID_HEX], char tree[ID_HEX])
{
	sqlite3_stmt *q;

	commit[0] = tree[0] = '\0';
	q = store_bind(eng.e_store, which, "ss", project, gate);
	if (store_step(eng.e_store, q) == STORE_OK) {
		strlcpy(commit, col_text(q, 0), ID_HEX);
		strlcpy(tree, col_text(q, 1), ID_HEX);
	}
	sqlite3_reset(q);
}

/* The code tree of this commit, "" when nothing was evaluated there yet. */
static void
tree_of(const struct task *t, const char *commit, char tree[ID_HEX])
{
	sqlite3_stmt *q;

	strlcpy(tree, strcmp(commit, t->t_head) == 0 ? t->t_tree : "",
	    ID_HEX);
	q = store_bind(eng.e_store, Q_TREE_OF_COMMIT, "is", t->t_id, commit);
	if (store_step(eng.e_store, q) == STORE_OK)
		strlcpy(tree, col_text(q, 0), ID_HEX);
	sqlite3_reset(q);
}

/* Which command's word counts: the check's, where there is one. */
static const char *
speaker(const struct task *t)
{
	const struct conf_project *cp = eng_project(t->t_project);

	return (cp != NULL &&
	    cp->cp_cmd[CONF_CMD_STAGING_CHECK].cc_argv.sl_n > 0 ?
	    "check_staging_status" : IMAGE_BUILD);
}

static void
judge(const struct task *t, const char *commit, struct orch_gate_answer *a,
    const char *want, char *reason, size_t len)
{
	char got_commit[ID_HEX], got[ID_HEX];

	text_of(Q_IMAGE_LAST, t->t_project, speaker(t), got_commit, got);
	a->verdict = GATE_ERROR;
	if (want[0] == '\0') {
		/* Its build will say it. */
		a->cause = CAUSE_BAD_ARTIFACT;
		snprintf(reason, len, "no code tree of %.12s is on record",
		    commit);
	} else if (got[0] == '\0') {
		a->cause = CAUSE_BAD_ARTIFACT;
		snprintf(reason, len, "nobody says what staging serves: %s "
		    "wrote no lines \"commit\" and \"tree\" to "
		    "ORCH_IMAGE_FILE", strcmp(speaker(t), IMAGE_BUILD) == 0 ?
		    "the image build" : "the staging commands");
	} else if (strcmp(got, want) != 0) {
		a->verdict = GATE_FAIL;
		a->cause = CAUSE_RED;
		snprintf(reason, len, "staging serves %.12s with code tree "
		    "%.12s; what lands, %.12s, has %.12s", got_commit, got,
		    commit, want);
	} else {
		a->verdict = GATE_PASS;
		a->cause = CAUSE_NONE;
		snprintf(reason, len, "staging serves code tree %.12s",
		    want);
	}
}

int
image_fresh(const struct task *t, const char *commit,
    struct orch_gate_answer *a)
{
	static char reason[512], want[ID_HEX];

	tree_of(t, commit, want);
	judge(t, commit, a, want, reason, sizeof(reason));
	a->reason = reason;
	a->tree = want;
	a->at_ms = (uint64_t)eng_now();
	log_info("task %s: " IMAGE_FRESH ": %s: %s", t->t_key,
	    gate_verdict_name(a->verdict), reason);
	return (store_run(eng.e_store, Q_GATE_ADD, "iiissssisiiiss", t->t_id,
	    t->t_round, t->t_seq, IMAGE_FRESH, commit, want,
	    gate_verdict_name(a->verdict), (int64_t)a->cause, reason,
	    (int64_t)0, eng_now(), (int64_t)0, "", "") == STORE_OK ? 0 : -1);
}

int
image_intended(const struct task *t, const char *commit, uint64_t epoch)
{
	char key[256];

	snprintf(key, sizeof(key), "image:%s:r%lld:%s", t->t_key,
	    (long long)t->t_round, commit);
	return (store_int(eng.e_store, 0, Q_EFFECT_IS, "siis", key, t->t_id,
	    (int64_t)epoch, "intent") > 0);
}
