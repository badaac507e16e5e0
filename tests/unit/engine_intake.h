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

#ifndef TESTS_ENGINE_INTAKE_H
#define TESTS_ENGINE_INTAKE_H

/* A project whose code and items are elsewhere, and who tells of them. */

#define UUID	"9d7b2d6e-0d0b-4a0e-9c64-9c1a41a7c001"
#define FX_TALLY							\
	"\tforge gitea \"http://forge.test\" repo \"Acme/Tally\""	\
	" read token file \"/r\" write token file \"/w\"\n"		\
	"\ttracker plane \"http://plane.test\" workspace \"acme\""	\
	" project \"" UUID "\" token file \"/t\"\n"

#include "engine_play.h"

/* webhookd, and reconciled. */
static int hook, seer;

static void
setup(void)
{
	fx_open("serial_limit 10\nmax_concurrency 10", "");
	hook = fx_connect(ROLE_WEBHOOK);
	seer = fx_connect(ROLE_RECONCILED);
}

#define ITEM	"0f6f3c1e-4a52-4b0c-9c0b-6a8a2d1f0007"
#define KEY	"DEMO-7"

static struct orch_tracker_item seven;

/* Item 7 is now so, set a second later than before. */
__attribute__((unused)) static enum orch_result
item(const char *status, const char *comment)
{
	static const char *const none[] = { NULL };

	fx.ms += 1000;
	if (seven.item == NULL || fx.dir[0] == '\0') {
		seven.project = "tally";
		seven.item = ITEM;
		seven.number = 7;
		seven.title = "Count words";
		seven.text = "please";
		seven.author = "ann";
		seven.editor = "bob";
		seven.editor_name = "";
		seven.labels.l_argv = none;
	}
	seven.status = status;
	seven.comment = comment;
	seven.comment_ms = (uint64_t)fx.ms;
	seven.asked = "";
	seven.changed_ms = (uint64_t)fx.ms;
	return (fx_result(seer, ORCH_tracker_item, &seven));
}

__attribute__((unused)) static enum orch_result
same_again(void)
{
	return (fx_result(seer, ORCH_tracker_item, &seven));
}

/* We have set it so ourselves. */
__attribute__((unused)) static void
ours(const char *status)
{
	seven.own = 1;
	ck_assert_int_eq(item(status, ""), RES_OK);
	seven.own = 0;
}

/* Nothing of what is stored changes by it. */
#define CHANGES_NOTHING(what) do {					\
	char *before_ = fx_dump(), *after_;				\
	ck_assert_int_eq(what, RES_OK);					\
	after_ = fx_dump();						\
	ck_assert_str_eq(before_, after_);				\
	free(before_);							\
	free(after_);							\
} while (0)

/* What a person did counts as remembered, and changes nothing else. */
__attribute__((unused)) static void
ignored(const char *status)
{
	char *was = strdup(fx_str("SELECT stage || stage_seq || parked || "
	    "ifnull(cancel_requested_at, 0) || rework FROM task"));
	int64_t jobs = fx_int("SELECT count(*) FROM job");
	int64_t said = fx_int("SELECT count(*) FROM approval");

	ck_assert_int_eq(item(status, ""), RES_OK);
	ck_assert_str_eq(was, fx_str("SELECT stage || stage_seq || parked || "
	    "ifnull(cancel_requested_at, 0) || rework FROM task"));
	ck_assert_int_eq(fx_int("SELECT count(*) FROM job"), jobs);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM approval"), said);
	free(was);
}

/* Until a person is asked. */
static void
play(void)
{
	struct fx_spawn s;

	while (fx_task(KEY, "asked_gate")[0] == '\0' && fx_spawned(&s))
		fx_play_spawn(&s);
}

/* Item 7 as a task that asks for the approval of its analysis. */
__attribute__((unused)) static void
asked(void)
{
	ck_assert_int_eq(item("To Analyse", ""), RES_OK);
	play();
	ck_assert_str_eq(fx_task(KEY, "asked_gate"),
	    "check_analysis_approved");
}

/* All that can be done until nothing is started any more. */
__attribute__((unused)) static void
play_all(void)
{
	struct fx_spawn s;

	while (fx_spawned(&s))
		fx_play_spawn(&s);
}

/* Item 7 in development, its work published. */
__attribute__((unused)) static void
developed(void)
{
	asked();
	ck_assert_int_eq(item("Approved", ""), RES_OK);
	play_all();
	ck_assert_str_eq(fx_task(KEY, "stage"), "development");
	ck_assert_str_eq(fx_task(KEY, "waits"), "ci");
}

__attribute__((unused)) static enum orch_result
ci(enum orch_ci state, const char *commit, const char *text)
{
	struct orch_ci_seen m = { "tally", commit, (uint8_t)state, 1, text };

	return (fx_result(seer, ORCH_ci_seen, &m));
}

#endif
