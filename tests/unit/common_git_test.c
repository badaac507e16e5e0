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

#include <time.h>

#include "git_fixture.h"
#include "libcommon/git_run.h"

#define ERR	fx_err, sizeof(fx_err)

START_TEST(branch_names_of_security_table_are_refused)
{
	static const char *const bad[] = { "`id`", "a;id", "a|b", "{curl,x}",
	    "a'b", "a\"b", "a&b", "a>b", "a..b", "a b", "a~1", "a^", "a:b",
	    ".a", "a.lock", "a//b", "@{1}", "HEAD", "a\033b", "a\nb",
	    "refs/heads/x", "@", "", "/a", "a/", "-a", "a.", "x/.b",
	    "x.lock/y", "deadbeef", "a\\b", "$(id)", "a*", "a?", "\303\244" };
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(!git_branch_valid(bad[i]), "%s", bad[i]);
}
END_TEST

START_TEST(usual_branch_names_are_taken)
{
	char longest[202];

	ck_assert_int_eq(git_branch_valid("main"), 1);
	ck_assert_int_eq(git_branch_valid("feature/ORCH-1-a_b.c"), 1);
	ck_assert_int_eq(git_branch_valid("orchd/records"), 1);
	memset(longest, 'x', sizeof(longest));
	longest[200] = '\0';
	ck_assert_int_eq(git_branch_valid(longest), 1);
	longest[200] = 'x';
	longest[201] = '\0';
	ck_assert_int_eq(git_branch_valid(longest), 0);
}
END_TEST

START_TEST(item_ids_of_security_table_are_refused)
{
	static const char *const bad[] = { "../../etc/passwd", "..", ".", "",
	    "/abs", "a/b", "-rf", "DEMO-1\n", "a b", "_x", "a\"", "a;b" };
	char longest[66];
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(!item_id_valid(bad[i]), "%s", bad[i]);
	ck_assert_int_eq(item_id_valid("DEMO-1"), 1);
	ck_assert_int_eq(item_id_valid("CON"), 1);
	memset(longest, 'x', sizeof(longest));
	longest[64] = '\0';
	ck_assert_int_eq(item_id_valid(longest), 1);
	longest[64] = 'x';
	longest[65] = '\0';
	ck_assert_int_eq(item_id_valid(longest), 0);
}
END_TEST

START_TEST(paths_that_leave_the_tree_are_refused)
{
	ck_assert_int_eq(git_path_valid("docs/a.md"), 1);
	ck_assert_int_eq(git_path_valid("/etc/passwd"), 0);
	ck_assert_int_eq(git_path_valid("a/../b"), 0);
	ck_assert_int_eq(git_path_valid("./a"), 0);
	ck_assert_int_eq(git_path_valid("a//b"), 0);
	ck_assert_int_eq(git_path_valid(""), 0);
}
END_TEST

START_TEST(references_outside_heads_and_orchd_are_refused)
{
	ck_assert_int_eq(git_ref_valid("refs/heads/main"), 1);
	ck_assert_int_eq(git_ref_valid("refs/orchd/in/0123456789abcdef"), 1);
	ck_assert_int_eq(git_ref_valid("refs/tags/v1"), 0);
	ck_assert_int_eq(git_ref_valid("HEAD"), 0);
	ck_assert_int_eq(git_ref_valid("refs/orchd/../heads/main"), 0);
	ck_assert_int_eq(git_ref_valid("refs/orchd/a b"), 0);
	ck_assert_int_eq(git_ref_valid("refs/orchd/"), 0);
}
END_TEST

START_TEST(mirror_has_the_branches_and_the_head_of_its_source)
{
	char oid[GIT_OID_SIZE], head[64];

	fx_open();
	fx_git("checkout", "-q", "-b", "other");
	fx_git("tag", "v1");
	ck_assert_int_eq(git_init_mirror(fx_path("m2.git"), fx_src, ERR),
	    GIT_OK);
	ck_assert_int_eq(git_open(&fx_repo, fx_path("m2.git"), ERR), GIT_OK);
	ck_assert_int_eq(git_read_ref(&fx_repo, "refs/heads/main", oid, ERR),
	    GIT_OK);
	ck_assert_int_eq(git_read_ref(&fx_repo, "refs/heads/other", oid,
	    ERR), GIT_OK);
	fx_get(fx_path("m2.git/HEAD"), head, sizeof(head));
	ck_assert_str_eq(head, "ref: refs/heads/other\n");
	ck_assert_int_eq(access(fx_path("m2.git/hooks"), F_OK), -1);
	ck_assert_int_eq(access(fx_path("m2.git/trust.conf"), F_OK), -1);
	ck_assert_int_eq(access(fx_path("m2.git/refs/tags/v1"), F_OK), -1);
	fx_close();
}
END_TEST

START_TEST(mirror_is_refused_over_another_and_leaves_no_half)
{
	char before[4096], after[4096];

	fx_open();
	fx_refs(before, sizeof(before));
	ck_assert_int_eq(git_init_mirror(fx_bare, fx_src, ERR), GIT_REFUSED);
	fx_refs(after, sizeof(after));
	ck_assert_str_eq(before, after);
	ck_assert_int_eq(mkdir(fx_path("empty"), 0755), 0);
	ck_assert_int_eq(git_init_mirror(fx_path("m2.git"), fx_path("empty"),
	    ERR), GIT_ERR);
	ck_assert_int_eq(access(fx_path("m2.git"), F_OK), -1);
	ck_assert_int_eq(git_init_mirror(fx_path("m2.git"), "relative", ERR),
	    GIT_REFUSED);
	ck_assert_int_eq(fx_exec(fx_dir, NULL, NULL, (const char *const[]){
	    "git", "init", "-q", "empty", NULL }), 0);
	ck_assert_int_eq(git_init_mirror(fx_path("m2.git"), fx_path("empty"),
	    ERR), GIT_ERR);
	ck_assert_ptr_nonnull(strstr(fx_err, "no commit"));
	fx_close();
}
END_TEST

START_TEST(source_of_another_user_is_taken_when_named)
{
	char git[256];

	fx_open();
	if (geteuid() != 0)
		goto done;	/* only root can give a folder away */
	snprintf(git, sizeof(git), "%s/.git", fx_src);
	ck_assert_int_eq(chown(fx_src, 12345, 12345), 0);
	ck_assert_int_eq(chown(git, 12345, 12345), 0);
	ck_assert_msg(git_init_mirror(fx_path("m2.git"), fx_src, ERR) ==
	    GIT_OK, "%s", fx_err);
done:
	fx_close();
}
END_TEST

START_TEST(open_refuses_what_is_not_bare)
{
	struct git_repo r;

	fx_open();
	ck_assert_int_eq(git_open(&r, fx_path("none"), ERR), GIT_NOTFOUND);
	ck_assert_int_eq(git_open(&r, "relative", ERR), GIT_REFUSED);
	ck_assert_int_eq(git_open(&r, fx_path("src/.git"), ERR),
	    GIT_REFUSED);
	fx_close();
}
END_TEST

START_TEST(environment_of_the_caller_does_not_reach_git)
{
	char oid[GIT_OID_SIZE], mark[128];

	fx_open();
	snprintf(mark, sizeof(mark), "%s/mark", fx_dir);
	setenv("GIT_CONFIG_COUNT", "1", 1);
	setenv("GIT_CONFIG_KEY_0", "core.bare", 1);
	setenv("GIT_CONFIG_VALUE_0", "false", 1);
	setenv("GIT_DIR", "/nonexistent", 1);
	setenv("GIT_OBJECT_DIRECTORY", "/nonexistent", 1);
	setenv("GIT_TRACE", mark, 1);
	ck_assert_int_eq(git_open(&fx_repo, fx_bare, ERR), GIT_OK);
	ck_assert_int_eq(git_resolve(&fx_repo, "main", oid, ERR), GIT_OK);
	ck_assert_int_eq(access(mark, F_OK), -1);
	unsetenv("GIT_DIR");
	unsetenv("GIT_TRACE");
	fx_close();
}
END_TEST

START_TEST(hook_planted_in_the_mirror_does_not_run)
{
	char oid[GIT_OID_SIZE], hook[256], text[256];

	fx_open();
	/* The mirror's own configuration says it too; that may go. */
	fx_git("--git-dir", fx_bare, "config", "--unset", "core.hooksPath");
	snprintf(hook, sizeof(hook), "%s/hooks", fx_bare);
	ck_assert_int_eq(mkdir(hook, 0755), 0);
	snprintf(hook, sizeof(hook), "%s/hooks/reference-transaction",
	    fx_bare);
	snprintf(text, sizeof(text), "#!/bin/sh\n: > %s/mark\n", fx_dir);
	fx_put(hook, text, strlen(text));
	ck_assert_int_eq(chmod(hook, 0755), 0);
	ck_assert_int_eq(git_resolve(&fx_repo, "main", oid, ERR), GIT_OK);
	ck_assert_int_eq(git_update_ref(&fx_repo, "refs/heads/x", oid,
	    GIT_ZERO_OID, ERR), GIT_OK);
	ck_assert_int_eq(access(fx_path("mark"), F_OK), -1);
	fx_close();
}
END_TEST

START_TEST(resolve_takes_short_ids_and_tells_what_is_not_there)
{
	char a[GIT_OID_SIZE], b[GIT_OID_SIZE], cut[8];

	fx_open();
	ck_assert_int_eq(git_resolve(&fx_repo, "main", a, ERR), GIT_OK);
	snprintf(cut, sizeof(cut), "%.7s", a);
	ck_assert_int_eq(git_resolve(&fx_repo, cut, b, ERR), GIT_OK);
	ck_assert_str_eq(a, b);
	ck_assert_int_eq(git_resolve(&fx_repo, "nobranch", b, ERR),
	    GIT_NOTFOUND);
	ck_assert_int_eq(git_resolve(&fx_repo, "main~1", b, ERR),
	    GIT_REFUSED);
	ck_assert_int_eq(git_resolve(&fx_repo, "--all", b, ERR),
	    GIT_REFUSED);
	ck_assert_int_eq(git_resolve(&fx_repo, ":/First", b, ERR),
	    GIT_REFUSED);
	fx_close();
}
END_TEST

START_TEST(resolve_does_not_take_a_branch_for_an_object_id)
{
	char oid[GIT_OID_SIZE];

	fx_open();
	fx_git("branch", "abcdef1");
	fx_git("push", "-q", fx_bare, "abcdef1");
	ck_assert_int_eq(git_resolve(&fx_repo, "abcdef1", oid, ERR),
	    GIT_NOTFOUND);
	fx_close();
}
END_TEST

START_TEST(update_ref_stale_old_value_changes_nothing)
{
	char a[GIT_OID_SIZE], b[GIT_OID_SIZE], now[GIT_OID_SIZE];

	fx_open();
	ck_assert_int_eq(git_resolve(&fx_repo, "main", a, ERR), GIT_OK);
	fx_file("x", "x\n");
	fx_commit("Second", b);
	fx_push("next");
	ck_assert_int_eq(git_update_ref(&fx_repo, "refs/heads/main", a, b,
	    ERR), GIT_STALE);
	ck_assert_int_eq(git_update_ref(&fx_repo, "refs/heads/main", b,
	    GIT_ZERO_OID, ERR), GIT_STALE);
	ck_assert_int_eq(git_read_ref(&fx_repo, "refs/heads/main", now, ERR),
	    GIT_OK);
	ck_assert_str_eq(now, a);
	ck_assert_int_eq(git_update_ref(&fx_repo, "refs/heads/main", b, a,
	    ERR), GIT_OK);
	ck_assert_int_eq(git_update_ref(&fx_repo, "refs/heads/none", b, a,
	    ERR), GIT_STALE);
	fx_close();
}
END_TEST

START_TEST(update_ref_refuses_zeros_and_missing_objects)
{
	char a[GIT_OID_SIZE];

	fx_open();
	ck_assert_int_eq(git_resolve(&fx_repo, "main", a, ERR), GIT_OK);
	ck_assert_int_eq(git_update_ref(&fx_repo, "refs/heads/main",
	    GIT_ZERO_OID, a, ERR), GIT_REFUSED);
	ck_assert_int_eq(git_update_ref(&fx_repo, "refs/heads/new",
	    "1234567890123456789012345678901234567890", GIT_ZERO_OID, ERR),
	    GIT_ERR);
	ck_assert_int_eq(git_update_ref(&fx_repo, "refs/heads/a;b", a,
	    GIT_ZERO_OID, ERR), GIT_REFUSED);
	fx_close();
}
END_TEST

START_TEST(delete_ref_stale_old_value_changes_nothing)
{
	char a[GIT_OID_SIZE], b[GIT_OID_SIZE];

	fx_open();
	fx_file("x", "x\n");
	fx_commit("Second", b);
	fx_push("gone");
	ck_assert_int_eq(git_resolve(&fx_repo, "main", a, ERR), GIT_OK);
	ck_assert_int_eq(git_delete_ref(&fx_repo, "refs/heads/gone", a, ERR),
	    GIT_STALE);
	ck_assert_int_eq(git_delete_ref(&fx_repo, "refs/heads/gone", b, ERR),
	    GIT_OK);
	ck_assert_int_eq(git_delete_ref(&fx_repo, "refs/heads/gone", b, ERR),
	    GIT_STALE);
	fx_close();
}
END_TEST

START_TEST(read_ref_does_not_answer_with_what_lies_below)
{
	char a[GIT_OID_SIZE], oid[GIT_OID_SIZE];

	fx_open();
	ck_assert_int_eq(git_resolve(&fx_repo, "main", a, ERR), GIT_OK);
	ck_assert_int_eq(git_update_ref(&fx_repo, "refs/heads/top/below", a,
	    GIT_ZERO_OID, ERR), GIT_OK);
	ck_assert_int_eq(git_read_ref(&fx_repo, "refs/heads/top", oid, ERR),
	    GIT_NOTFOUND);
	fx_close();
}
END_TEST

START_TEST(sweep_frees_a_lock_that_a_killed_git_left)
{
	char a[GIT_OID_SIZE], lock[256], dir[GIT_TMP_MAX];

	fx_open();
	ck_assert_int_eq(git_resolve(&fx_repo, "main", a, ERR), GIT_OK);
	snprintf(lock, sizeof(lock), "%s/refs/heads/x.lock", fx_bare);
	fx_put(lock, "", 0);
	ck_assert_int_eq(git_tmp_make(&fx_repo, dir, ERR), GIT_OK);
	ck_assert_int_eq(git_sweep(&fx_repo, 120, ERR), GIT_OK);
	ck_assert_int_eq(access(lock, F_OK), 0);
	ck_assert_int_eq(access(dir, F_OK), 0);
	sleep(2);
	ck_assert_int_eq(git_sweep(&fx_repo, 1, ERR), GIT_OK);
	ck_assert_int_eq(access(lock, F_OK), -1);
	ck_assert_int_eq(access(dir, F_OK), -1);
	ck_assert_int_eq(git_update_ref(&fx_repo, "refs/heads/x", a,
	    GIT_ZERO_OID, ERR), GIT_OK);
	fx_close();
}
END_TEST

START_TEST(ancestry_and_count)
{
	char a[GIT_OID_SIZE], b[GIT_OID_SIZE], m[GIT_OID_SIZE];
	uint64_t n;
	int yes;

	fx_open();
	ck_assert_int_eq(git_resolve(&fx_repo, "main", a, ERR), GIT_OK);
	fx_commit("Second", b);
	fx_commit("Third", b);
	fx_push("next");
	ck_assert_int_eq(git_is_ancestor(&fx_repo, a, b, &yes, ERR), GIT_OK);
	ck_assert_int_eq(yes, 1);
	ck_assert_int_eq(git_is_ancestor(&fx_repo, b, a, &yes, ERR), GIT_OK);
	ck_assert_int_eq(yes, 0);
	ck_assert_int_eq(git_rev_count(&fx_repo, a, b, &n, ERR), GIT_OK);
	ck_assert_uint_eq(n, 2);
	ck_assert_int_eq(git_rev_count(&fx_repo, NULL, b, &n, ERR), GIT_OK);
	ck_assert_uint_eq(n, 3);
	ck_assert_int_eq(git_merge_base(&fx_repo, a, b, m, ERR), GIT_OK);
	ck_assert_str_eq(m, a);
	ck_assert_int_eq(git_is_ancestor(&fx_repo,
	    "1234567890123456789012345678901234567890", a, &yes, ERR),
	    GIT_ERR);
	fx_close();
}
END_TEST

START_TEST(show_file_refuses_links_folders_and_long_files)
{
	char a[GIT_OID_SIZE], path[256], *buf;
	size_t len;

	fx_open();
	snprintf(path, sizeof(path), "%s/link", fx_src);
	ck_assert_int_eq(symlink("/etc/passwd", path), 0);
	fx_commit("Link", a);
	fx_push("next");
	ck_assert_int_eq(git_show_file(&fx_repo, a, "README", 14, &buf, &len,
	    ERR), GIT_OK);
	ck_assert_str_eq(buf, "one\ntwo\nthree\n");
	ck_assert_uint_eq(len, 14);
	free(buf);
	ck_assert_int_eq(git_show_file(&fx_repo, a, "README", 13, &buf, &len,
	    ERR), GIT_REFUSED);
	ck_assert_int_eq(git_show_file(&fx_repo, a, "link", 100, &buf, &len,
	    ERR), GIT_REFUSED);
	ck_assert_int_eq(git_show_file(&fx_repo, a, "src", 100, &buf, &len,
	    ERR), GIT_REFUSED);
	ck_assert_int_eq(git_show_file(&fx_repo, a, "none", 100, &buf, &len,
	    ERR), GIT_NOTFOUND);
	ck_assert_int_eq(git_show_file(&fx_repo, a, "../x", 100, &buf, &len,
	    ERR), GIT_REFUSED);
	ck_assert_int_eq(git_show_file(&fx_repo, a, "*", 100, &buf, &len,
	    ERR), GIT_NOTFOUND);
	fx_close();
}
END_TEST

START_TEST(lists_and_diffs_keep_odd_names)
{
	char a[GIT_OID_SIZE], b[GIT_OID_SIZE];
	struct git_list gl;
	const struct git_entry *e;

	fx_open();
	ck_assert_int_eq(git_resolve(&fx_repo, "main", a, ERR), GIT_OK);
	fx_file("src/new\nline\033.c", "x\n");
	fx_git("rm", "-q", "README");
	fx_commit("Odd", b);
	fx_push("next");
	ck_assert_int_eq(git_list_tree(&fx_repo, b, "src", &gl, ERR),
	    GIT_OK);
	ck_assert_uint_eq(gl.gl_n, 2);
	ck_assert_ptr_nonnull(git_list_find(&gl, "src/new\nline\033.c"));
	git_list_free(&gl);
	ck_assert_int_eq(git_list_tree(&fx_repo, b, "none", &gl, ERR),
	    GIT_OK);
	ck_assert_uint_eq(gl.gl_n, 0);
	ck_assert_int_eq(git_list_tree(&fx_repo, a, "", &gl, ERR), GIT_OK);
	ck_assert_uint_eq(gl.gl_n, 2);
	git_list_free(&gl);
	ck_assert_int_eq(git_diff_paths(&fx_repo, a, b, &gl, ERR), GIT_OK);
	ck_assert_uint_eq(gl.gl_n, 2);
	e = git_list_find(&gl, "README");
	ck_assert_ptr_nonnull(e);
	ck_assert_uint_eq(e->ge_mode, 0);
	ck_assert_uint_eq(e->ge_old_mode, 0100644);
	git_list_free(&gl);
	fx_close();
}
END_TEST

START_TEST(written_commit_is_the_same_when_repeated)
{
	static const struct git_who who = { "orchd", "o@h", 1700000000 };
	const struct git_file files[] = {
		{ "docs/work-items/D-1/14-deploy-log.md", "hello\n", 6 },
		{ "README", NULL, 0 },
	};
	char a[GIT_OID_SIZE], b[GIT_OID_SIZE], c[GIT_OID_SIZE], *buf;
	size_t len;

	fx_open();
	ck_assert_int_eq(git_resolve(&fx_repo, "main", a, ERR), GIT_OK);
	ck_assert_int_eq(git_write_files_commit(&fx_repo, a, files, 2, "Log",
	    &who, b, ERR), GIT_OK);
	ck_assert_int_eq(git_write_files_commit(&fx_repo, a, files, 2, "Log",
	    &who, c, ERR), GIT_OK);
	ck_assert_str_eq(b, c);
	ck_assert_int_eq(git_show_file(&fx_repo, b, files[0].gf_path, 100,
	    &buf, &len, ERR), GIT_OK);
	ck_assert_str_eq(buf, "hello\n");
	free(buf);
	ck_assert_int_eq(git_show_file(&fx_repo, b, "README", 100, &buf,
	    &len, ERR), GIT_NOTFOUND);
	/* An orphan: the records branch's first commit. */
	ck_assert_int_eq(git_write_files_commit(&fx_repo, NULL, files, 1,
	    "Log", &who, c, ERR), GIT_OK);
	ck_assert_uint_eq(fx_count("orchd-tmp"), 0);
	fx_close();
}
END_TEST

START_TEST(commit_refuses_forged_identities_and_long_messages)
{
	static const struct git_who bad = { "x <root@h>\nparent", "o@h", 1 };
	static const struct git_who ok = { "orchd", "o@h", 1 };
	const char *const none[] = { NULL };
	char tree[GIT_OID_SIZE], a[GIT_OID_SIZE], *big;

	fx_open();
	ck_assert_int_eq(git_resolve(&fx_repo, "main", a, ERR), GIT_OK);
	ck_assert_int_eq(git_tree_of(&fx_repo, a, tree, ERR), GIT_OK);
	ck_assert_int_eq(git_commit_tree(&fx_repo, tree, none, "m", &bad,
	    &ok, a, ERR), GIT_REFUSED);
	ck_assert_ptr_nonnull(big = malloc(GIT_MSG_MAX + 2));
	memset(big, 'x', GIT_MSG_MAX + 1);
	big[GIT_MSG_MAX + 1] = '\0';
	ck_assert_int_eq(git_commit_tree(&fx_repo, tree, none, big, &ok, &ok,
	    a, ERR), GIT_REFUSED);
	free(big);
	fx_close();
}
END_TEST

START_TEST(command_past_its_time_or_bound_is_ended)
{
	static const char *const slow[] = { "-c", "alias.z=!sleep 30", "z",
	    NULL };
	static const char *const loud[] = { "-c", "alias.z=!yes", "z", NULL };
	struct git_cmd gc;
	struct git_out go;
	time_t t0 = time(NULL);

	fx_open();
	memset(&gc, 0, sizeof(gc));
	gc.gc_dir = fx_bare;
	gc.gc_argv = slow;
	gc.gc_timeout_ms = 200;
	ck_assert_int_eq(git_run(&gc, &go, ERR), -1);
	ck_assert_int_eq(go.go_timedout, 1);
	gc.gc_argv = loud;
	gc.gc_timeout_ms = 20000;
	gc.gc_outmax = 1000;
	ck_assert_int_eq(git_run(&gc, &go, ERR), -1);
	ck_assert_int_eq(go.go_toobig, 1);
	ck_assert_int_lt(time(NULL) - t0, 10);
	fx_close();
}
END_TEST

START_TEST(what_git_says_is_escaped)
{
	char out[64];

	git_escape(out, sizeof(out), "a\033[2J\rb\nsecond", 14);
	ck_assert_ptr_null(strchr(out, '\033'));
	ck_assert_ptr_null(strchr(out, '\r'));
	ck_assert_ptr_null(strstr(out, "second"));
	ck_assert_int_eq(out[0], 'a');
}
END_TEST

FX_MAIN("git",
    branch_names_of_security_table_are_refused,
    usual_branch_names_are_taken,
    item_ids_of_security_table_are_refused,
    paths_that_leave_the_tree_are_refused,
    references_outside_heads_and_orchd_are_refused,
    mirror_has_the_branches_and_the_head_of_its_source,
    mirror_is_refused_over_another_and_leaves_no_half,
    source_of_another_user_is_taken_when_named,
    open_refuses_what_is_not_bare,
    environment_of_the_caller_does_not_reach_git,
    hook_planted_in_the_mirror_does_not_run,
    resolve_takes_short_ids_and_tells_what_is_not_there,
    resolve_does_not_take_a_branch_for_an_object_id,
    update_ref_stale_old_value_changes_nothing,
    update_ref_refuses_zeros_and_missing_objects,
    delete_ref_stale_old_value_changes_nothing,
    read_ref_does_not_answer_with_what_lies_below,
    sweep_frees_a_lock_that_a_killed_git_left,
    ancestry_and_count,
    show_file_refuses_links_folders_and_long_files,
    lists_and_diffs_keep_odd_names,
    written_commit_is_the_same_when_repeated,
    commit_refuses_forged_identities_and_long_messages,
    command_past_its_time_or_bound_is_ended,
    what_git_says_is_escaped)
