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

#ifndef RECONCILED_ITEMS_H
#define RECONCILED_ITEMS_H

/* A tracker with two items, and a project of it (reconciled_world.h). */

#include "reconciled_world.h"
#include "reconciled/tracker.h"

#define ME	"00000000-0000-4000-8000-000000000001"
#define BOSS	"00000000-0000-4000-8000-000000000002"
#define PID	"00000000-0000-4000-8000-0000000000aa"
#define LATER	"00000000-0000-4000-8000-0000000000b1"
#define TOANA	"00000000-0000-4000-8000-0000000000b2"
#define REVIEW	"00000000-0000-4000-8000-0000000000b3"
#define REJECT	"00000000-0000-4000-8000-0000000000b4"
#define LABEL	"00000000-0000-4000-8000-0000000000c1"
#define ITEM1	"00000000-0000-4000-8000-0000000000d1"
#define ITEM2	"00000000-0000-4000-8000-0000000000d2"
#define API	"/api/v1/workspaces/team/projects/" PID "/"
#define ITEMS	"GET " API "work-items/?order_by"
#define ONE	"GET " API "work-items/" ITEM1 "/"
#define SAY	"POST " API "work-items/" ITEM1 "/comments/"
#define SET	"PATCH " API "work-items/" ITEM1 "/"

#define STATE(id, name)	"{\"id\":\"" id "\",\"name\":\"" name "\"}"
#define PAGE(rows)	"{\"results\":[" rows "],\"next_page_results\":false,"\
			"\"next_cursor\":\"100:1:0\"}"
#define ROW(id, n, state, who, second) "{\"id\":\"" id "\",\"sequence_id\":" n\
	",\"name\":\"An item\",\"state\":\"" state "\",\"created_by\":\"" BOSS\
	"\",\"updated_by\":\"" who "\",\"labels\":[\"" LABEL "\"],"\
	"\"description_html\":\"<p>Do &amp; <b>be</b></p>\","\
	"\"updated_at\":\"2026-11-22T12:00:" second ".5+02:00\"}"

static void
child_project(const char *key)
{
	static const char *const statuses[] = { "Done=Fertig",
	    "Rejected=Nein", NULL };
	struct orch_child_project m = { .name = "web", .prefix = "WEB",
	    .target = "main", .forge = "local", .forge_url = "",
	    .forge_repo = "", .tracker = "plane", .tracker_url = server_url,
	    .workspace = "team", .tracker_project = PID };

	m.statuses.l_argv = statuses;
	give_project(&m);
	project_secret("tracker:web", key);
	ck_assert_int_eq(project_start(), 0);
}

static void
names_answer(void)
{
	answer("GET " API "work-items/?per_page=1", 200, PAGE(""));
	answer("GET /api/v1/users/me/", 200, "{\"id\":\"" ME "\"}");
	answer("GET " API "states/", 200, PAGE(STATE(LATER, "Todo") ","
	    STATE(TOANA, "To Analyse") "," STATE(REVIEW, "In Review") ","
	    STATE(REJECT, "Nein") "," STATE(ITEM1, "Approved") ","
	    STATE(ITEM2, "Confirm Deploy")));
	answer("GET " API "labels/", 200, PAGE(STATE(LABEL, "ai")));
	answer("GET " API "members/", 200, "[{\"id\":\"" ME "\","
	    "\"display_name\":\"robot\"}]");
}

static void
setup(void)
{
	world_setup();
	generous = 1;
	names_answer();
	answer(ITEMS, 200, PAGE(ROW(ITEM2, "2", LATER, BOSS, "02") ","
	    ROW(ITEM1, "1", TOANA, ME, "01")));
	child_project("key-one");
}

__attribute__((unused)) static struct project *
web(void)
{
	return (project_find("web"));
}

/* The first poll is through. */
__attribute__((unused)) static void
started(void)
{
	RUN_UNTIL(count_sent(ORCH_tracker_item) == 2);
	quiet();
	forget_sent();
	forget_asked();
}

__attribute__((unused)) static void
deliver(uint64_t row, const char *task, const char *kind, const char *text)
{
	struct orch_outbox_row m = { .last = 1, .id = row, .dest = "tracker",
	    .kind = kind, .task = task, .key = "key:1", .text = text,
	    .project = "web", .item = ITEM1 };

	turn();
	outbox_engine_up();
	outbox_row(outbox_list("tracker"), &m);
}

#endif
