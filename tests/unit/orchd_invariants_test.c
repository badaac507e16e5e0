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


/* The check of a database: each broken rule is found, a sound one is not. */

#include "engine_play.h"

/* What breaks a database of one task that is done, and words of the rule. */
static const struct {
	const char	*sql;
	const char	*rule;
} breaks[] = {
	{ "UPDATE task SET stage = 'review'", "chain that ends in its stage" },
	{ "UPDATE task SET stage_seq = stage_seq + 1", "chain that ends" },
	{ "DELETE FROM transition WHERE seq = 4",
	    "begins where the last one ended" },
	{ "INSERT INTO transition SELECT NULL, task, 100, 'done', "
	    "'development', actor, epoch, reason, at FROM transition LIMIT 1",
	    "nothing leaves done or cancelled" },
	{ "UPDATE transition SET epoch = 0 WHERE seq = 5",
	    "never go down" },
	{ "INSERT INTO lease (task, run, epoch, work, since) SELECT task, id, 1, 'publish', 1 FROM run "
	    "LIMIT 1", "a lease belongs to a live run" },
	{ "INSERT INTO merge_lease SELECT 'tally', id, 1, 1 FROM task",
	    "held under its task's lease" },
	{ "INSERT INTO effect SELECT NULL, task, name, substr(key, 1, "
	    "length(key) - 1) || 'f', class, state, epoch, evidence, at FROM "
	    "effect WHERE name = 'merge'", "a round merges once" },
	{ "INSERT INTO deploy SELECT NULL, task, project, 99, 'k', job, "
	    "revision, tree, previous, 0, '', 1, 1, kind, doubt_at FROM "
	    "deploy",
	    "deployed once" },
	{ "INSERT INTO quarantine (task, project, commit_id, previous, reason, "
	    "after, at) SELECT task, project, revision, '', '', id - 1, 1 "
	    "FROM deploy", "in quarantine is not deployed" },
	{ "INSERT INTO untested SELECT project, task, revision, revision, 1 "
	    "FROM deploy", "nobody has tested is not deployed" },
	{ "UPDATE deploy SET kind = 'rollback'",
	    "a rollback is of a commit in quarantine" },
	{ "DELETE FROM effect WHERE name = 'merge'",
	    "what is done was merged" },
	{ "UPDATE task SET landed = ''", "what is done was merged" },
	{ "UPDATE deploy SET exit_code = 1", "both rolled back and done" },
	{ "UPDATE job SET status = 'running' WHERE id = 1",
	    "a running job has one live run" },
	{ "UPDATE run SET status = 'running' WHERE id = 1",
	    "belongs to a running job" },
	{ "UPDATE gate_result SET commit_id = 'abc'",
	    "names the commit that it judged" },
	{ "UPDATE approval SET commit_id = ''",
	    "names the landed commit" },
};

static void
setup(void)
{
	fx_open("", "");
	fx_task_in("done");
	while (fx_step())
		continue;
}

static char *
check(int *bad)
{
	static char text[8192];
	FILE *fp = fmemopen(text, sizeof(text), "w");

	memset(text, 0, sizeof(text));
	*bad = store_check(eng.e_store, fp);
	fclose(fp);
	return (text);
}

START_TEST(a_task_that_was_played_to_its_end_is_sound)
{
	int bad;

	ck_assert_str_eq(check(&bad), "");
	ck_assert_int_eq(bad, 0);
}
END_TEST

START_TEST(each_broken_rule_is_found_and_named)
{
	char *text;
	int bad;

	fx_sql("DROP TRIGGER transition_no_update; "
	    "DROP TRIGGER transition_no_delete");
	fx_sql("%s", breaks[_i].sql);
	text = check(&bad);
	ck_assert_int_eq(bad, 1);
	ck_assert_msg(strstr(text, breaks[_i].rule) != NULL, "not said: %s\n"
	    "but: %s", breaks[_i].rule, text);
	ck_assert_msg(strstr(text, "cannot check") == NULL, "%s", text);
}
END_TEST

int
main(void)
{
	Suite *su = suite_create("invariants");
	TCase *tc = tcase_create("invariants");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, fx_close);
	tcase_add_test(tc, a_task_that_was_played_to_its_end_is_sound);
	tcase_add_loop_test(tc, each_broken_rule_is_found_and_named, 0,
	    (int)(sizeof(breaks) / sizeof(breaks[0])));
	suite_add_tcase(su, tc);
	fx_main_exit(su);
}
