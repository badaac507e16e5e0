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

/* The engine's part of a doctor: whom it asks, and what it makes of it. */

#define FX_TALLY							\
	"\tforge gitea \"http://forge.test\" repo \"Acme/Tally\""	\
	" read token file \"/r\" write token file \"/w\"\n"		\
	"\ttracker plane \"http://plane.test\" workspace \"acme\""	\
	" project \"9d7b2d6e-0d0b-4a0e-9c64-9c1a41a7c001\""		\
	" token file \"/t\"\n"

#include <jansson.h>

#include "engine_play.h"

#include "libcommon/checkup.h"
#include "orchd/doctor.h"

#define HOOKS "listen webhook on 127.0.0.1 port 8180\n"		\
	"webhook gitea secret file \"/g\"\nwebhook plane secret file \"/p\""

static int seer, fin, ctl;
static uint32_t asked_id;	/* by which the daemons were asked */
static json_t *said;		/* the answer */

static void
setup(void)
{
	fx_open(HOOKS, "");
	seer = fx_connect(ROLE_RECONCILED);
	fin = fx_connect(ROLE_FINALIZERD);
	ctl = fx_connect(ROLE_CTL);
}

static void
teardown(void)
{
	json_decref(said);
	fx_close();
}

static void
ask(int sock, uint32_t id, const char *project)
{
	struct orch_query m = { .verb = "doctor", .object = project };

	ck_assert_int_eq(chan_write_one(sock, ORCH_query, id, &m, -1,
	    FX_WAIT), 0);
	fx_pump();
}

/* This daemon is asked to try that project. */
static void
is_asked(int sock, const char *project)
{
	struct fx_msg m;

	ck_assert_msg(fx_read(sock, &m), "nobody is asked");
	ck_assert_uint_eq(m.h.h_type, ORCH_doctor_ask);
	ck_assert_str_eq(m.any.doctor_ask.project, project);
	ck_assert_uint_gt(m.any.doctor_ask.within_ms, 0);
	ck_assert_uint_lt(m.any.doctor_ask.within_ms, DOCTOR_LIMIT_MS);
	asked_id = m.h.h_id;
	fx_free(&m);
}

static void
row(int sock, const char *subject, const char *what, unsigned int verdict,
    const char *words, int last)
{
	struct orch_doctor_row m = { .last = (uint8_t)last,
	    .project = what[0] == '\0' ? "" : "tally", .subject = subject,
	    .what = what, .verdict = (uint8_t)verdict, .text = words };

	ck_assert_int_eq(chan_write_one(sock, ORCH_doctor_row, asked_id, &m,
	    -1, FX_WAIT), 0);
	fx_pump();
}

static void
end(int sock)
{
	row(sock, "", "", 0, "", 1);
}

/* The answer to a person: its result, and its JSON in said. */
static enum orch_result
answered(int sock)
{
	enum orch_result res;
	struct fx_msg m;

	ck_assert_msg(fx_read(sock, &m), "there is no answer");
	ck_assert_uint_eq(m.h.h_type, ORCH_answer);
	res = m.any.answer.result;
	(void)strlcpy(fx_said, m.any.answer.text, sizeof(fx_said));
	json_decref(said);
	said = json_loadb((const char *)m.any.answer.json.b_data,
	    m.any.answer.json.b_len, 0, NULL);
	fx_free(&m);
	return (res);
}

static int
is_silent(int sock)
{
	struct fx_msg m;
	int there = fx_read(sock, &m);

	if (there)
		fx_free(&m);
	return (!there);
}

static const char *
cell(size_t i, const char *name)
{
	const char *s = json_string_value(json_object_get(json_array_get(
	    json_object_get(said, "rows"), i), name));

	ck_assert_msg(s != NULL, "row %zu has no %s", i, name);
	return (s);
}

static size_t
rows(void)
{
	return (json_array_size(json_object_get(said, "rows")));
}

START_TEST(rows_come_together_in_the_order_of_places)
{
	static const char *const order[] = { "forge, to read", "server",
	    "forge, to read", "token", "forge, to write", "push", "tracker",
	    "key", "tracker", "project", "deliveries", "gitea", "deliveries",
	    "plane" };
	size_t i;

	ask(ctl, 9, "");
	is_asked(seer, "");
	is_asked(fin, "");
	row(seer, "tracker", "key", FOUND_OK, "x", 0);
	row(seer, "forge, to read", "server", FOUND_OK, "x", 0);
	row(seer, "tracker", "project", FOUND_OK, "x", 0);
	row(fin, "forge, to write", "push", FOUND_OK, "x", 0);
	row(seer, "forge, to read", "token", FOUND_OK, "x", 0);
	end(seer);
	ck_assert(is_silent(ctl));
	end(fin);
	ck_assert_int_eq(answered(ctl), RES_OK);
	ck_assert(json_is_true(json_object_get(said, "ok")));
	ck_assert_uint_eq(rows(), 7);
	for (i = 0; i < 7; i++) {
		ck_assert_str_eq(cell(i, "subject"), order[2 * i]);
		ck_assert_str_eq(cell(i, "what"), order[2 * i + 1]);
		ck_assert_str_eq(cell(i, "project"), "tally");
	}
	ck_assert_str_eq(cell(2, "by"), "finalizerd");
}
END_TEST

START_TEST(one_failure_makes_all_of_it_fail)
{
	ask(ctl, 9, "tally");
	is_asked(seer, "tally");
	is_asked(fin, "tally");
	row(seer, "tracker", "key", FOUND_WARN, "hm", 0);
	row(fin, "forge, to write", "push", FOUND_FAIL, "no", 0);
	end(fin);
	end(seer);
	ck_assert_int_eq(answered(ctl), RES_OK);
	ck_assert(json_is_false(json_object_get(said, "ok")));
	ck_assert_str_eq(cell(0, "verdict"), "fail");
	ck_assert_str_eq(cell(0, "text"), "no");
	ck_assert_str_eq(cell(1, "verdict"), "warn");
}
END_TEST

START_TEST(deliveries_say_whether_they_come)
{
	struct orch_event e = { .source = "gitea", .delivery = "d",
	    .kind = "push", .sha256 = "0", .body = { (const uint8_t *)"{}",
	    2 }, .project = "acme/tally" };
	int hook = fx_connect(ROLE_WEBHOOK);
	struct fx_msg m;

	ck_assert_int_eq(fx_result(hook, ORCH_event, &e), RES_OK);
	ck_assert(fx_read(seer, &m));	/* look */
	fx_free(&m);
	fx.ms += 5000;
	ask(ctl, 9, "");
	is_asked(seer, "");
	is_asked(fin, "");
	end(seer);
	end(fin);
	ck_assert_int_eq(answered(ctl), RES_OK);
	ck_assert_uint_eq(rows(), 2);
	ck_assert_str_eq(cell(0, "verdict"), "ok");
	ck_assert_ptr_nonnull(strstr(cell(0, "text"), "5 s ago"));
	ck_assert_str_eq(cell(1, "verdict"), "warn");
	ck_assert_ptr_nonnull(strstr(cell(1, "text"), "is on record"));
	/* Without a receiver there is nothing to come. */
	fx_conf("", "");
	ask(ctl, 10, "");
	is_asked(seer, "");
	is_asked(fin, "");
	end(seer);
	end(fin);
	ck_assert_int_eq(answered(ctl), RES_OK);
	ck_assert_str_eq(cell(0, "verdict"), "warn");
	ck_assert_ptr_nonnull(strstr(cell(0, "text"), "listen webhook"));
}
END_TEST

START_TEST(projects_are_named_and_local_ones_have_nothing)
{
	ask(ctl, 9, "nowhere");
	ck_assert_int_eq(answered(ctl), RES_NOTFOUND);
	ck_assert_ptr_nonnull(strstr(fx_said, "nowhere"));
	ask(ctl, 10, "other");
	ck_assert_int_eq(answered(ctl), RES_OK);
	ck_assert_uint_eq(rows(), 0);
	ck_assert(is_silent(seer));
	ask(ctl, 11, "DEMO");
	is_asked(seer, "tally");
	is_asked(fin, "tally");
}
END_TEST

/* Messengers are tried with all projects, also where none is remote. */
START_TEST(messengers_are_tried_without_a_remote_project)
{
	ask(ctl, 9, "");
	is_asked(seer, "");
	is_asked(fin, "");
	end(seer);
	end(fin);
	ck_assert_int_eq(answered(ctl), RES_OK);
	fx_conf("notify n telegram chat \"1\" token file \"/n\"", "");
	eng.e_conf->cf_projects[0].cp_forge = CONF_FORGE_LOCAL;
	eng.e_conf->cf_projects[0].cp_tracker = CONF_TRACKER_LOCAL;
	ask(ctl, 10, "");
	is_asked(seer, "");
	ck_assert(is_silent(fin));
	end(seer);
	ck_assert_int_eq(answered(ctl), RES_OK);
}
END_TEST

START_TEST(a_daemon_without_an_answer_is_a_failure)
{
	ask(ctl, 9, "");
	is_asked(seer, "");
	row(seer, "tracker", "key", FOUND_OK, "x", 0);
	end(seer);
	fx.ms += DOCTOR_LIMIT_MS - 1;
	doctor_tick();
	ck_assert(is_silent(ctl));
	fx.ms += 1;
	doctor_tick();
	ck_assert_int_eq(answered(ctl), RES_OK);
	ck_assert(json_is_false(json_object_get(said, "ok")));
	ck_assert_uint_eq(rows(), 4);
	ck_assert_str_eq(cell(3, "subject"), "finalizerd");
	ck_assert_ptr_nonnull(strstr(cell(3, "text"), "no answer within"));
	/* What it says now is of no use any more. */
	end(fin);
	ck_assert(is_silent(ctl));
	/* One that is not there at all. */
	fx_leave(fin);
	ask(ctl, 10, "");
	is_asked(seer, "");
	end(seer);
	ck_assert(is_silent(ctl));
	fx.ms += DOCTOR_LIMIT_MS;
	doctor_tick();
	ck_assert_int_eq(answered(ctl), RES_OK);
	ck_assert_ptr_nonnull(strstr(cell(2, "text"), "is not there"));
}
END_TEST

START_TEST(a_daemon_that_was_replaced_is_asked_again)
{
	ask(ctl, 9, "");
	is_asked(seer, "");
	is_asked(fin, "");
	row(seer, "tracker", "key", FOUND_FAIL, "the old key", 0);
	fx_leave(seer);
	seer = fx_connect(ROLE_RECONCILED);
	fx.ms += 1000;
	doctor_tick();
	is_asked(seer, "");
	row(seer, "tracker", "key", FOUND_OK, "the new key", 0);
	end(seer);
	doctor_tick();
	ck_assert(is_silent(fin));	/* it was asked */
	end(fin);
	ck_assert_int_eq(answered(ctl), RES_OK);
	ck_assert_uint_eq(rows(), 3);
	ck_assert_str_eq(cell(0, "text"), "the new key");
}
END_TEST

START_TEST(a_daemon_that_a_reload_is_about_to_replace_is_not_asked)
{
	eng.e_reloads++;
	ask(ctl, 9, "");
	ck_assert(is_silent(seer));
	ck_assert(is_silent(fin));
	fx_leave(seer);
	fx_leave(fin);
	seer = fx_connect(ROLE_RECONCILED);
	fin = fx_connect(ROLE_FINALIZERD);
	fx.ms += 1000;
	doctor_tick();
	is_asked(seer, "");
	is_asked(fin, "");
	end(seer);
	end(fin);
	ck_assert_int_eq(answered(ctl), RES_OK);
}
END_TEST

START_TEST(there_is_one_doctor_at_a_time)
{
	int other = fx_connect(ROLE_CTL);

	ask(ctl, 9, "");
	is_asked(seer, "");
	is_asked(fin, "");
	ask(other, 10, "");
	ck_assert_int_eq(answered(other), RES_REFUSED);
	ck_assert_ptr_nonnull(strstr(fx_said, "another doctor"));
	/* Unless nobody waits for it any more; its rows are not the next's. */
	fx_leave(ctl);
	row(seer, "tracker", "key", FOUND_FAIL, "of the first", 0);
	ask(other, 11, "");
	row(seer, "tracker", "key", FOUND_FAIL, "of the first", 0);
	is_asked(seer, "");
	is_asked(fin, "");
	end(seer);
	end(fin);
	ck_assert_int_eq(answered(other), RES_OK);
	ck_assert_uint_eq(rows(), 2);
}
END_TEST

/* What the doctor looks for in a tracker is what the engine sets there. */
START_TEST(its_statuses_are_those_of_the_configuration)
{
	const struct checkup_status *st;
	size_t i, n = 0;

	for (st = checkup_statuses; st->st_name != NULL; st++) {
		for (i = 0; i < CONF_STATUS_MAX; i++)
			if (strcmp(st->st_name, conf_status_name(NULL,
			    (enum conf_status)i)) == 0)
				break;
		ck_assert_msg(i < CONF_STATUS_MAX, "%s", st->st_name);
		n++;
	}
	ck_assert_uint_eq(n, CONF_STATUS_MAX);
}
END_TEST

START_TEST(only_orchctl_asks)
{
	int page = fx_connect(ROLE_PAGE);
	struct orch_query m = { .verb = "doctor", .loopback = 1 };
	struct fx_msg got;

	fx_ask(page, ORCH_query, &m, -1, &got);
	ck_assert_int_eq(got.any.answer.result, RES_DENIED);
	fx_free(&got);
	ck_assert(is_silent(seer));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("doctor");
	TCase *tc = tcase_create("doctor");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, rows_come_together_in_the_order_of_places);
	tcase_add_test(tc, one_failure_makes_all_of_it_fail);
	tcase_add_test(tc, deliveries_say_whether_they_come);
	tcase_add_test(tc, projects_are_named_and_local_ones_have_nothing);
	tcase_add_test(tc, messengers_are_tried_without_a_remote_project);
	tcase_add_test(tc, a_daemon_without_an_answer_is_a_failure);
	tcase_add_test(tc, a_daemon_that_was_replaced_is_asked_again);
	tcase_add_test(tc,
	    a_daemon_that_a_reload_is_about_to_replace_is_not_asked);
	tcase_add_test(tc, there_is_one_doctor_at_a_time);
	tcase_add_test(tc, its_statuses_are_those_of_the_configuration);
	tcase_add_test(tc, only_orchctl_asks);
	suite_add_tcase(s, tc);
	fx_main_exit(s);
}
