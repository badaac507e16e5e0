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

/*
 * What reaperd says to the engine of what the engine tells it: the program
 * itself, with its connection replaced.
 */

#include <sys/wait.h>

#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define main reaperd_main
int	reaperd_main(int, char **);
#include "reaperd/main.c"
#undef main

static const struct daemon_ops *ops;
static const char *enabled = "yes";
static struct event_base *base;
static unsigned int nsaid;
static unsigned int said_type;
static struct orch_dead said;

/* --- the connection ------------------------------------------------------- */

int
daemon_run(const struct daemon_ops *o, int argc, char **argv)
{
	ops = o;
	return (0);
}

struct event_base *
daemon_base(void)
{
	return (base);
}

int
daemon_connected(void)
{
	return (1);
}

int
daemon_send(unsigned int type, const void *msg, uint32_t *id)
{
	nsaid++;
	said_type = type;
	if (type == ORCH_dead)
		memcpy(&said, msg, sizeof(said));
	return (0);
}

const char *
daemon_option(const char *name, const char *dflt)
{
	return (strcmp(name, "reaper_enabled") == 0 ? enabled : dflt);
}

long long
daemon_option_num(const char *name, long long min, long long max,
    long long dflt)
{
	return (strcmp(name, "reaper_finalize_grace_s") == 0 ? 20 :
	    strcmp(name, "reaper_max_running_s") == 0 ? 1200 : dflt);
}

/* --- the tests ------------------------------------------------------------ */

static void
setup(void)
{
	ck_assert_ptr_nonnull(base = event_base_new());
	ck_assert_int_eq(reaperd_main(0, NULL), 0);
	ck_assert_int_eq(ops->d_setup(ROLE_REAPERD), 0);
}

static void
teardown(void)
{
	ops->d_shutdown();
	event_base_free(base);
}

/* One run of this process, as the engine lists it; what is said of it. */
static unsigned int
tier_of(const struct ident *id, uint64_t held_s, int stamped,
    uint64_t stamped_s)
{
	struct orch_header h = { .h_type = ORCH_live };
	char text[IDENT_TEXT_MAX];
	union orch_any any;

	ck_assert_int_eq(ident_format(id, text, sizeof(text)), 0);
	memset(&any, 0, sizeof(any));
	any.live.run = 7;
	any.live.ident = text;
	any.live.connected = 1;
	any.live.held_s = held_s;
	any.live.stamped = (uint8_t)stamped;
	any.live.stamped_s = stamped_s;
	any.live.last = 1;
	nsaid = 0;
	tick_reset();
	ops->d_message(&h, &any, NULL);
	ck_assert_uint_le(nsaid, 1);
	if (nsaid == 0)
		return (0);
	ck_assert_uint_eq(said_type, ORCH_dead);
	ck_assert_uint_eq(said.run, 7);
	return (said.tier);
}

START_TEST(a_living_run_is_named_when_it_is_overdue_and_not_before)
{
	struct ident id;

	ck_assert_int_eq(ident_self(&id), 0);
	ck_assert_uint_eq(tier_of(&id, 1199, 0, 0), 0);
	ck_assert_uint_eq(tier_of(&id, 1200, 0, 0), 3);
	ck_assert_uint_eq(said.verdict, IDENT_ALIVE);
	ck_assert_uint_eq(tier_of(&id, 100, 1, 19), 0);
	ck_assert_uint_eq(tier_of(&id, 100, 1, 20), 2);
	ck_assert_uint_eq(said.verdict, IDENT_ALIVE);
	ck_assert_uint_eq(tier_of(&id, 1200, 1, 1000), 3);
	/* The ceiling of a hook does not count. */
	ck_assert_uint_eq(tier_of(&id, 0, 0, 0), 0);
}
END_TEST

START_TEST(what_is_dead_is_of_tier_1_however_old)
{
	struct ident id;
	pid_t pid;

	ck_assert_int_ne(pid = fork(), -1);
	if (pid == 0)
		for (;;)
			pause();
	ck_assert_int_eq(ident_of_pid(pid, &id), 0);
	/* A stopped one is old like any other. */
	ck_assert_int_eq(kill(pid, SIGSTOP), 0);
	ck_assert_int_eq(waitpid(pid, NULL, WUNTRACED), pid);
	ck_assert_uint_eq(tier_of(&id, 1200, 0, 0), 3);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert_uint_eq(tier_of(&id, 1200, 1, 1000), 1);
	ck_assert_uint_eq(said.verdict, IDENT_DEAD);
}
END_TEST

START_TEST(switched_off_it_asks_for_nothing)
{
	nsaid = 0;
	ops->d_engine_up();
	ck_assert_uint_eq(nsaid, 1);
	ck_assert_uint_eq(said_type, ORCH_live_list);
	ops->d_shutdown();
	enabled = "no";
	ck_assert_int_eq(ops->d_setup(ROLE_REAPERD), 0);
	nsaid = 0;
	ops->d_engine_up();
	ck_assert_int_eq(event_base_loop(base, EVLOOP_NONBLOCK), 1);
	ck_assert_uint_eq(nsaid, 0);
}
END_TEST

int
main(void)
{
	Suite *su = suite_create("reaperd main");
	TCase *tc = tcase_create("main");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc,
	    a_living_run_is_named_when_it_is_overdue_and_not_before);
	tcase_add_test(tc, what_is_dead_is_of_tier_1_however_old);
	tcase_add_test(tc, switched_off_it_asks_for_nothing);
	suite_add_tcase(su, tc);
	sr = srunner_create(su);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}
