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

/* What the page may have done: a lease released, with the right token. */

#include "libcommon/sha256.h"
#include "orchd/parent.h"
#include "orchd/token.h"

#include "engine_play.h"

#define TOKEN	"correct-horse-battery"

static void
setup(void)
{
	char hex[65];

	fx_open("", "");
	ck_assert_int_eq(sha256_hex(TOKEN, strlen(TOKEN), hex), 0);
	token_take("", hex);
}

/* The page asks for this; fx_said is the sentence of the answer. */
static enum orch_result
page_asks(const char *verb, const char *item, const char *token,
    const char *arg1, const char *arg2)
{
	const char *const args[] = { arg1, arg2, NULL };
	struct orch_action act = { .verb = verb, .task = item, .stage = "",
	    .commit = "", .text = "192.0.2.7", .args = { .l_argv = args },
	    .token = token };
	enum orch_result res;
	struct fx_msg m;
	int page = fx_connect(ROLE_PAGE);

	fx_ask(page, ORCH_action, &act, -1, &m);
	ck_assert_uint_eq(m.h.h_type, ORCH_answer);
	res = m.any.answer.result;
	strlcpy(fx_said, m.any.answer.text, sizeof(fx_said));
	fx_free(&m);
	close(page);
	fx_pump();
	ck_assert_ptr_null(strstr(fx_said, TOKEN));
	return (res);
}

static enum orch_result
release(const char *token, int force)
{
	return (page_asks("lease", "DEMO-1", token, "release",
	    force ? "force" : NULL));
}

/* A worker inside its lease, as virtual process 1 in this state of life. */
static int
owner(struct fx_spawn *s, enum fx_life life)
{
	char ident[IDENT_TEXT_MAX];
	struct fx_msg go;
	int sock;

	sock = fx_worker_in("analysis", "publish", s, &go);
	ck_assert_uint_gt(fx_begin(sock, &go.any.run_go), 0);
	fx_free(&go);
	fx.life[1] = FX_ALIVE;
	fx_ident(1, ident);
	fx.life[1] = life;
	fx_sql("UPDATE run SET ident = '%s' WHERE id = %llu", ident,
	    (unsigned long long)s->run);
	return (sock);
}

/* All rows but the counters, which a refusal may raise. */
static char *
rows(void)
{
	char *all;

	fx_sql("DELETE FROM counter");
	all = fx_dump();
	ck_assert_ptr_null(strstr(all, TOKEN));
	return (all);
}

START_TEST(without_the_token_nothing_is_done_and_it_is_counted)
{
	static const char *const wrong[] = { "", "x", TOKEN "x",
	    "correct-horse-batter", "CORRECT-HORSE-BATTERY" };
	char *before, *after;
	struct fx_spawn s;
	size_t i;

	(void)owner(&s, FX_ALIVE);
	before = rows();
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		ck_assert_int_eq(release(wrong[i], 1), RES_DENIED);
		ck_assert_ptr_null(strstr(fx_said, "DEMO"));
	}
	ck_assert_int_eq(fx_int("SELECT value FROM counter WHERE name = "
	    "'admin_refused'"), (int64_t)i);
	/* Not even whether there is such an item. */
	ck_assert_int_eq(page_asks("lease", "NONE-9", "x", "release", NULL),
	    RES_DENIED);
	after = rows();
	ck_assert_str_eq(before, after);
	free(before);
	free(after);
}
END_TEST

START_TEST(without_a_configured_token_none_is_right)
{
	struct fx_spawn s;

	(void)owner(&s, FX_ALIVE);
	token_take("", "");
	ck_assert_int_eq(release(TOKEN, 1), RES_NOTFOUND);
	ck_assert_ptr_nonnull(strstr(fx_said, "admin token file"));
	ck_assert_int_eq(release("", 1), RES_NOTFOUND);
	ck_assert_int_eq(fx_int("SELECT run FROM lease"), (int64_t)s.run);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM counter WHERE name = "
	    "'lease_forced'"), 0);
}
END_TEST

START_TEST(a_living_owner_is_named_and_ended_by_force_alone)
{
	struct fx_spawn s;
	struct fx_msg kill;
	char name[32];
	int64_t epoch;

	(void)owner(&s, FX_ALIVE);
	epoch = fx_int("SELECT epoch FROM lease");
	ck_assert_int_eq(release(TOKEN, 0), RES_REFUSED);
	snprintf(name, sizeof(name), "run %llu", (unsigned long long)s.run);
	ck_assert_msg(strstr(fx_said, name) != NULL, "%s", fx_said);
	ck_assert_msg(strstr(fx_said, "force=1") != NULL, "%s", fx_said);
	ck_assert_int_eq(fx_int("SELECT epoch FROM lease"), epoch);
	ck_assert_int_eq(fx_read(fx.parent, &kill), 0);
	ck_assert_int_eq(release(TOKEN, 1), RES_OK);
	ck_assert_int_eq(fx_read(fx.parent, &kill), 1);
	ck_assert_uint_eq(kill.h.h_type, ORCH_kill);
	ck_assert_uint_eq(kill.any.kill.run, s.run);
	fx_free(&kill);
	ck_assert_int_gt(fx_int("SELECT epoch FROM lease"), epoch);
	fx_sound();
}
END_TEST

/* An owner that nobody can tell of is no dead one. */
START_TEST(an_unknown_owner_counts_as_alive)
{
	struct fx_spawn s;

	(void)owner(&s, FX_HIDDEN);
	ck_assert_int_eq(release(TOKEN, 0), RES_REFUSED);
	ck_assert_int_eq(fx_int("SELECT run FROM lease"), (int64_t)s.run);
}
END_TEST

START_TEST(a_dead_owners_lease_is_released_without_force)
{
	struct fx_spawn s;
	int sock;

	sock = owner(&s, FX_GONE);
	ck_assert_int_eq(release(TOKEN, 0), RES_OK);
	ck_assert_int_eq(fx_int("SELECT count(*) FROM lease"), 0);
	fx_sound();
	/* Once: there is nothing left to release. */
	ck_assert_int_eq(release(TOKEN, 0), RES_REFUSED);
	close(sock);
}
END_TEST

START_TEST(an_unknown_item_is_not_found)
{
	ck_assert_int_eq(page_asks("lease", "DEMO-1", TOKEN, "release", NULL),
	    RES_NOTFOUND);
	ck_assert_ptr_nonnull(strstr(fx_said, "DEMO-1"));
	ck_assert_int_eq(page_asks("lease", "", TOKEN, "release", NULL),
	    RES_NOTFOUND);
}
END_TEST

START_TEST(the_page_may_do_nothing_else)
{
	static const char *const verbs[] = { "submit", "depend", "approve",
	    "reject", "confirm", "retry", "cancel", "reload", "restart",
	    "shutdown", "effect", "status", "", "leas", "lease release" };
	char *before, *after;
	struct fx_spawn s;
	size_t i;

	(void)owner(&s, FX_ALIVE);
	before = rows();
	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		ck_assert_msg(page_asks(verbs[i], "DEMO-1", TOKEN, "release",
		    "force") == RES_DENIED, "%s: %s", verbs[i], fx_said);
		ck_assert_ptr_nonnull(strstr(fx_said, "nothing else"));
	}
	ck_assert_int_eq(page_asks("lease", "DEMO-1", TOKEN, NULL, NULL),
	    RES_DENIED);
	ck_assert_int_eq(page_asks("lease", "DEMO-1", TOKEN, "force", NULL),
	    RES_DENIED);
	ck_assert_int_eq(page_asks("lease", "DEMO-1", TOKEN, "release",
	    "effect"), RES_DENIED);
	after = rows();
	ck_assert_str_eq(before, after);
	free(before);
	free(after);
}
END_TEST

START_TEST(nobody_else_has_this_way)
{
	size_t i;
	uint32_t may = 0;

	for (i = 0; i < peer_nrules; i++)
		if (peer_rules[i].pr_type == ORCH_action)
			may |= peer_rules[i].pr_from;
	ck_assert_uint_eq(may, FROM_CTL | FROM_PAGE);
}
END_TEST

/* Reads need the readers' token, orders the administrator's: never swapped. */
START_TEST(the_two_tokens_are_two)
{
	char read[65], admin[65];

	ck_assert_int_eq(sha256_hex("reader", 6, read), 0);
	ck_assert_int_eq(sha256_hex("admin", 5, admin), 0);
	token_take(read, admin);
	ck_assert(token_reads("reader") && !token_reads("admin"));
	ck_assert(token_administers("admin") && !token_administers("reader"));
	ck_assert(token_admin_exists());
	token_take(read, "");
	ck_assert(!token_administers("admin") && !token_administers(""));
	ck_assert(!token_admin_exists());
	/* What is no hash is no token. */
	token_take("short", "short");
	ck_assert(!token_reads("short") && !token_admin_exists());
}
END_TEST

static void
put_file(const char *path, const char *text)
{
	FILE *fp = fopen(path, "w");

	ck_assert_ptr_nonnull(fp);
	fputs(text, fp);
	fclose(fp);
	ck_assert_int_eq(chmod(path, 0600), 0);
}

START_TEST(the_hash_is_of_the_line_alone)
{
	char path[128], hex[65], want[65];

	snprintf(path, sizeof(path), "%s/admin.token", fx.dir);
	ck_assert_int_eq(sha256_hex(TOKEN, strlen(TOKEN), want), 0);
	put_file(path, TOKEN "\n");
	secret_hash(path, "admin", hex);
	ck_assert_str_eq(hex, want);
	put_file(path, TOKEN "\r\n");
	secret_hash(path, "admin", hex);
	ck_assert_str_eq(hex, want);
	put_file(path, "");
	secret_hash(path, "admin", hex);
	ck_assert_str_eq(hex, "");
	ck_assert_int_eq(unlink(path), 0);
	secret_hash(path, "admin", hex);
	ck_assert_str_eq(hex, "");
	secret_hash(NULL, "admin", hex);
	ck_assert_str_eq(hex, "");
}
END_TEST

int
main(void)
{
	Suite *su = suite_create("orchd_admin");
	TCase *tc = tcase_create("admin");

	tcase_add_checked_fixture(tc, setup, fx_close);
	tcase_add_test(tc,
	    without_the_token_nothing_is_done_and_it_is_counted);
	tcase_add_test(tc, without_a_configured_token_none_is_right);
	tcase_add_test(tc, a_living_owner_is_named_and_ended_by_force_alone);
	tcase_add_test(tc, an_unknown_owner_counts_as_alive);
	tcase_add_test(tc, a_dead_owners_lease_is_released_without_force);
	tcase_add_test(tc, an_unknown_item_is_not_found);
	tcase_add_test(tc, the_page_may_do_nothing_else);
	tcase_add_test(tc, nobody_else_has_this_way);
	tcase_add_test(tc, the_two_tokens_are_two);
	tcase_add_test(tc, the_hash_is_of_the_line_alone);
	suite_add_tcase(su, tc);
	fx_main_exit(su);
}
