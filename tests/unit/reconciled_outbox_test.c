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

/* The reconciler's two duties, with a daemon that only notes what is sent. */

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include <event2/event.h>

#include "libcommon/daemon.h"
#include "reconciled/reconciled.h"

#define SENT_MAX	32

static struct sent {
	unsigned int	s_type;
	uint32_t	s_id;
	uint64_t	s_row;
	int		s_ok;
	char		s_task[65];
	char		s_error[64];
} sent[SENT_MAX];
static size_t nsent;
static uint32_t last_id;
static uint32_t list;	/* the id of the list under way */
static int away, too_long;
static struct event_base *base;

/* --- the daemon, replaced --- */

struct event_base *
daemon_base(void)
{
	return (base);
}

int
daemon_connected(void)
{
	return (!away);
}

int
daemon_send(unsigned int type, const void *msg, uint32_t *id)
{
	const struct orch_item *item = msg;
	const struct orch_advance *adv = msg;
	const struct orch_outbox_done *done = msg;
	struct sent *s;

	if (away || (too_long && type == ORCH_item)) {
		errno = away ? ENOTCONN : EMSGSIZE;
		return (-1);
	}
	ck_assert_uint_lt(nsent, SENT_MAX);
	s = &sent[nsent++];
	memset(s, 0, sizeof(*s));
	s->s_type = type;
	s->s_id = ++last_id;
	if (id != NULL)
		*id = last_id;
	if (type == ORCH_item)
		(void)strlcpy(s->s_task, item->task, sizeof(s->s_task));
	if (type == ORCH_advance)
		(void)strlcpy(s->s_task, adv->task, sizeof(s->s_task));
	if (type == ORCH_outbox_done) {
		s->s_row = done->id;
		s->s_ok = done->ok;
		(void)strlcpy(s->s_error, done->error, sizeof(s->s_error));
	}
	return (0);
}

const char *
daemon_option(const char *name, const char *dflt)
{
	return (dflt);
}

long long
daemon_option_num(const char *name, long long min, long long max,
    long long dflt)
{
	return (3600);	/* no timer fires here */
}

int
daemon_run(const struct daemon_ops *ops, int argc, char **argv)
{
	return (1);
}

/* --- helpers --- */

static void
setup(void)
{
	base = event_base_new();
	nsent = 0;
	away = too_long = 0;
	ck_assert_int_eq(drift_start(), 0);
	ck_assert_int_eq(outbox_start(), 0);
	drift_engine_up();
	outbox_engine_up();
	ck_assert_uint_eq(nsent, 1);
	ck_assert_uint_eq(sent[0].s_type, ORCH_outbox_next);
	list = last_id;
	nsent = 0;
}

static void
teardown(void)
{
	drift_stop();
	outbox_stop();
	event_base_free(base);
}

static void
row(uint64_t id, const char *task, int last)
{
	struct orch_outbox_row m = { .last = (uint8_t)last, .id = id,
	    .dest = "tracker", .kind = "comment", .task = task,
	    .key = "k", .text = "text", .project = "", .item = "" };

	outbox_row(list, &m);
}

static void
ack_of(size_t i, enum orch_result result)
{
	struct orch_ack m = { .result = (uint8_t)result, .text = "" };

	ck_assert_int_eq(outbox_ack(sent[i].s_id, &m), 1);
}

static void
ack(enum orch_result result)
{
	ack_of(nsent - 1, result);
}

static void
expect(size_t i, unsigned int type)
{
	ck_assert_uint_lt(i, nsent);
	ck_assert_uint_eq(sent[i].s_type, type);
}

/* --- the outbox --- */

START_TEST(rows_of_tasks_are_delivered_side_by_side)
{
	row(1, "D-1", 0);
	row(2, "D-2", 0);
	row(0, "", 1);
	ck_assert_uint_eq(nsent, 2);
	expect(0, ORCH_item);
	expect(1, ORCH_item);
	ck_assert_str_eq(sent[1].s_task, "D-2");
	ack_of(0, RES_OK);
	expect(2, ORCH_outbox_done);
	ck_assert_uint_eq(sent[2].s_row, 1);
	ck_assert_int_eq(sent[2].s_ok, 1);
	ack_of(1, RES_DUPLICATE);	/* stored by a delivery of before */
	ck_assert_int_eq(sent[3].s_ok, 1);
	ack_of(2, RES_OK);
	ck_assert_uint_eq(nsent, 4);
	ack_of(3, RES_OK);
	/* The list gave something: is there more? */
	expect(4, ORCH_outbox_next);
	list = last_id;
	row(0, "", 1);
	ck_assert_uint_eq(nsent, 5);
}
END_TEST

/* One of a task at a time, however the list comes. */
START_TEST(rows_of_a_task_stay_in_order)
{
	row(1, "D-1", 0);
	row(1, "D-1", 0);
	row(2, "D-1", 1);
	ck_assert_uint_eq(nsent, 1);
	ack_of(0, RES_OK);
	ack_of(1, RES_OK);
	expect(2, ORCH_outbox_next);
	list = last_id;
	row(2, "D-1", 1);
	expect(3, ORCH_item);
}
END_TEST

START_TEST(failed_row_stops_its_task_only)
{
	row(1, "D-1", 0);
	row(2, "D-1", 0);
	row(3, "D-2", 1);
	ck_assert_uint_eq(nsent, 2);
	ack_of(0, RES_NOTFOUND);
	expect(2, ORCH_outbox_done);
	ck_assert_int_eq(sent[2].s_ok, 0);
	ck_assert_str_ne(sent[2].s_error, "");
	ack_of(2, RES_OK);
	ck_assert_str_eq(sent[1].s_task, "D-2");
	ack_of(1, RES_OK);
	ck_assert_uint_eq(sent[3].s_row, 3);
}
END_TEST

START_TEST(row_that_does_not_fit_is_recorded)
{
	too_long = 1;
	row(1, "D-1", 1);
	expect(0, ORCH_outbox_done);
	ck_assert_int_eq(sent[0].s_ok, 0);
	ack(RES_OK);
	ck_assert_uint_eq(nsent, 1);	/* and no list at once: no loop */
}
END_TEST

START_TEST(engine_that_cannot_store_is_not_a_failure)
{
	row(1, "D-1", 1);
	ack(RES_RETRY);
	ck_assert_uint_eq(nsent, 1);
}
END_TEST

START_TEST(lost_engine_starts_a_new_list)
{
	struct orch_ack late = { .result = RES_OK, .text = "" };
	uint32_t old;

	row(1, "D-1", 1);
	old = last_id;
	outbox_engine_up();
	expect(1, ORCH_outbox_next);
	list = last_id;
	ck_assert_int_eq(outbox_ack(old, &late), 0);
	ck_assert_uint_eq(nsent, 2);
}
END_TEST

START_TEST(row_nobody_asked_for_is_ignored)
{
	row(0, "", 1);
	row(9, "D-9", 1);	/* of a list that has ended */
	list = 99;
	row(9, "D-9", 1);
	ck_assert_uint_eq(nsent, 0);
}
END_TEST

/* --- drift --- */

START_TEST(each_candidate_is_advanced)
{
	struct orch_candidate c = { .task = "D-1", .stage = "review",
	    .seq = 3, .age_s = 700 };
	struct orch_candidate end = { .last = 1, .task = "", .stage = "" };
	struct orch_ack no = { .result = RES_REFUSED, .text = "parked" };

	drift_candidate(&c);
	c.task = "D-2";
	drift_candidate(&c);
	drift_candidate(&end);
	ck_assert_uint_eq(nsent, 2);
	expect(0, ORCH_advance);
	ck_assert_str_eq(sent[0].s_task, "D-1");
	ck_assert_str_eq(sent[1].s_task, "D-2");
	ck_assert_int_eq(drift_ack(sent[0].s_id, &no), 1);
	ck_assert_int_eq(drift_ack(sent[0].s_id, &no), 0);
	ck_assert_int_eq(drift_ack(sent[1].s_id, &no), 1);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("reconciled");
	TCase *tc = tcase_create("reconciled");
	SRunner *sr;
	int bad;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, rows_of_tasks_are_delivered_side_by_side);
	tcase_add_test(tc, rows_of_a_task_stay_in_order);
	tcase_add_test(tc, failed_row_stops_its_task_only);
	tcase_add_test(tc, row_that_does_not_fit_is_recorded);
	tcase_add_test(tc, engine_that_cannot_store_is_not_a_failure);
	tcase_add_test(tc, lost_engine_starts_a_new_list);
	tcase_add_test(tc, row_nobody_asked_for_is_ignored);
	tcase_add_test(tc, each_candidate_is_advanced);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	bad = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (bad == 0 ? 0 : 1);
}
