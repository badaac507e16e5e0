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

/* What comes in from a forge and a tracker elsewhere. */

#define UUID	"9d7b2d6e-0d0b-4a0e-9c64-9c1a41a7c001"
#define FX_TALLY							\
	"\tforge gitea \"http://forge.test\" repo \"Acme/Tally\""	\
	" read token file \"/r\" write token file \"/w\"\n"		\
	"\ttracker plane \"http://plane.test\" workspace \"acme\""	\
	" project \"" UUID "\" token file \"/t\"\n"

#include "engine_play.h"

static int hook, seer;

static void
setup(void)
{
	fx_open("serial_limit 10\nmax_concurrency 10", "");
	hook = fx_connect(ROLE_WEBHOOK);
	seer = fx_connect(ROLE_RECONCILED);
}

/* --- deliveries ----------------------------------------------------------- */

/* Deliver; the answer. */
static enum orch_result
deliver(const char *source, const char *kind, const char *project,
    const char *object)
{
	static unsigned int n;
	char id[16], hash[65];
	struct orch_event e = { .source = source, .delivery = id,
	    .kind = kind, .sha256 = hash, .body = { (const uint8_t *)"{}", 2 },
	    .project = project, .object = object };

	snprintf(id, sizeof(id), "d%u", ++n);
	snprintf(hash, sizeof(hash), "%064u", n);
	return (fx_result(hook, ORCH_event, &e));
}

/* reconciled is told to look at this, and at nothing else. */
static void
looks(enum orch_look_what what, const char *object)
{
	struct fx_msg m;

	ck_assert_msg(fx_read(seer, &m), "nobody looks at %s", object);
	ck_assert_uint_eq(m.h.h_type, ORCH_look);
	ck_assert_str_eq(m.any.look.project, "tally");
	ck_assert_uint_eq(m.any.look.what, what);
	ck_assert_str_eq(m.any.look.object, object);
	fx_free(&m);
	ck_assert_int_eq(fx_read(seer, &m), 0);
}

START_TEST(a_delivery_has_its_object_looked_at)
{
	ck_assert_int_eq(deliver("gitea", "push", "acme/tally", "main"),
	    RES_OK);
	looks(LOOK_BRANCH, "main");
	ck_assert_int_eq(deliver("gitea", "status", "Acme/Tally", "abc"),
	    RES_OK);
	looks(LOOK_COMMIT, "abc");
	ck_assert_int_eq(deliver("gitea", "workflow_run", "Acme/Tally", ""),
	    RES_OK);
	looks(LOOK_BRANCH, "");
	ck_assert_int_eq(deliver("plane", "issue", UUID, "i-1"), RES_OK);
	looks(LOOK_ITEM, "i-1");
}
END_TEST

START_TEST(a_delivery_of_no_project_is_stored_and_ignored)
{
	struct fx_msg m;

	ck_assert_int_eq(deliver("gitea", "push", "acme/other", "main"),
	    RES_REFUSED);
	ck_assert_int_eq(deliver("plane", "issue",
	    "00000000-0000-4000-8000-000000000000", "i"), RES_REFUSED);
	/* What one source calls it is no name of the other. */
	ck_assert_int_eq(deliver("plane", "issue", "Acme/Tally", "i"),
	    RES_REFUSED);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM event"), 3);
	ck_assert_int_eq(fx_read(seer, &m), 0);
}
END_TEST

START_TEST(hints_about_the_same_in_one_pass_are_one)
{
	struct orch_event e = { .source = "plane", .kind = "issue",
	    .body = { (const uint8_t *)"{}", 2 }, .project = UUID,
	    .object = "i-1" };
	char id[8], hash[65];
	unsigned int i;

	for (i = 0; i < 5; i++) {
		snprintf(id, sizeof(id), "p%u", i);
		snprintf(hash, sizeof(hash), "%063ua", i);
		e.delivery = id;
		e.sha256 = hash;
		ck_assert_int_eq(chan_write_one(hook, ORCH_event, 500 + i, &e,
		    -1, FX_WAIT), 0);
	}
	looks(LOOK_ITEM, "i-1");
	ck_assert_int_eq(fx_int("SELECT count(*) FROM event"), 5);
}
END_TEST

START_TEST(without_reconciled_a_delivery_is_stored)
{
	close(seer);
	fx_pump();
	ck_assert_int_eq(deliver("plane", "issue", UUID, "i-1"), RES_OK);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM event"), 1);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("intake");
	TCase *tc = tcase_create("intake");

	tcase_add_checked_fixture(tc, setup, fx_close);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_delivery_has_its_object_looked_at);
	tcase_add_test(tc, a_delivery_of_no_project_is_stored_and_ignored);
	tcase_add_test(tc, hints_about_the_same_in_one_pass_are_one);
	tcase_add_test(tc, without_reconciled_a_delivery_is_stored);
	suite_add_tcase(s, tc);
	fx_main_exit(s);
}
