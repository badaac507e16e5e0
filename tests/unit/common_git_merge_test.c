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

#include "git_fixture.h"
#include "libcommon/git_merge.h"
#include "libcommon/git_tree.h"
#include "libcommon/git_writer.h"

#define ERR	fx_err, sizeof(fx_err)
#define ITEM	"docs/work-items/D-1/"

static char target[GIT_OID_SIZE], head[GIT_OID_SIZE];
static char out[GIT_OID_SIZE];
static struct git_list gl;

/* A branch and a main that went apart; each wrote one file. */
static void
diverge(const char *ours, const char *ours_text, const char *theirs,
    const char *theirs_text)
{
	fx_open();
	fx_git("checkout", "-q", "-b", "work");
	fx_file(ours, ours_text);
	fx_commit("Work", head);
	fx_push("work");
	fx_git("checkout", "-q", "main");
	fx_file(theirs, theirs_text);
	fx_commit("Other", target);
	fx_push("main");
}

START_TEST(merge_without_conflict_has_both_changes)
{
	char *buf, again[GIT_OID_SIZE];
	size_t len;
	int yes;

	diverge("b", "b\n", "c", "c\n");
	ck_assert_int_eq(git_make_merge(&fx_repo, target, head, "Merge", out,
	    &gl, ERR), GIT_OK);
	ck_assert_str_ne(out, head);
	ck_assert_int_eq(git_is_ancestor(&fx_repo, target, out, &yes, ERR),
	    GIT_OK);
	ck_assert_int_eq(yes, 1);
	ck_assert_int_eq(git_show_file(&fx_repo, out, "b", 10, &buf, &len,
	    ERR), GIT_OK);
	free(buf);
	ck_assert_int_eq(git_show_file(&fx_repo, out, "c", 10, &buf, &len,
	    ERR), GIT_OK);
	free(buf);
	/* Later, by another worker: the same commit. */
	sleep(1);
	ck_assert_int_eq(git_make_merge(&fx_repo, target, head, "Merge",
	    again, &gl, ERR), GIT_OK);
	ck_assert_str_eq(out, again);
	fx_close();
}
END_TEST

START_TEST(branch_that_contains_the_target_is_not_merged)
{
	fx_open();
	ck_assert_int_eq(git_resolve(&fx_repo, "main", target, ERR), GIT_OK);
	fx_commit("Ahead", head);
	fx_push("work");
	ck_assert_int_eq(git_make_merge(&fx_repo, target, head, "Merge", out,
	    &gl, ERR), GIT_OK);
	ck_assert_str_eq(out, head);
	fx_close();
}
END_TEST

START_TEST(conflict_names_each_file_once)
{
	diverge("README", "ours\n", "README", "theirs\n");
	ck_assert_int_eq(git_make_merge(&fx_repo, target, head, "Merge", out,
	    &gl, ERR), GIT_CONFLICT);
	ck_assert_uint_eq(gl.gl_n, 1);
	ck_assert_str_eq(gl.gl_item[0].ge_path, "README");
	ck_assert_str_eq(out, "");
	git_list_free(&gl);
	fx_close();
}
END_TEST

START_TEST(unknown_commit_is_not_a_conflict)
{
	char tree[GIT_OID_SIZE];

	diverge("b", "b\n", "c", "c\n");
	ck_assert_int_eq(git_merge_tree(&fx_repo, head,
	    "1234567890123456789012345678901234567890", tree, &gl, ERR),
	    GIT_NOTFOUND);
	ck_assert_int_eq(git_merge_tree(&fx_repo, "work", "main", tree, &gl,
	    ERR), GIT_REFUSED);
	fx_close();
}
END_TEST

START_TEST(unrelated_histories_are_an_error_not_a_conflict)
{
	char tree[GIT_OID_SIZE];

	diverge("b", "b\n", "c", "c\n");
	fx_git("checkout", "-q", "--orphan", "island");
	fx_commit("Island", head);
	fx_push("island");
	ck_assert_int_eq(git_merge_tree(&fx_repo, head, target, tree, &gl,
	    ERR), GIT_ERR);
	ck_assert_ptr_nonnull(strstr(fx_err, "unrelated"));
	fx_close();
}
END_TEST

START_TEST(merge_driver_named_in_the_tree_does_not_run)
{
	char text[256];

	fx_open();
	fx_file(".gitattributes", "* merge=evil filter=evil diff=evil\n");
	fx_commit("Attributes", head);
	fx_push("main");
	fx_git("checkout", "-q", "-b", "work");
	fx_file("README", "zero\none\ntwo\nthree\n");
	fx_commit("Work", head);
	fx_push("work");
	fx_git("checkout", "-q", "main");
	fx_file("README", "one\ntwo\nthree\nfour\n");
	fx_commit("Other", target);
	fx_push("main");
	/* Only a configuration could name its command; ours does not. */
	snprintf(text, sizeof(text), "touch %s/mark", fx_dir);
	setenv("GIT_CONFIG_COUNT", "1", 1);
	setenv("GIT_CONFIG_KEY_0", "merge.evil.driver", 1);
	setenv("GIT_CONFIG_VALUE_0", text, 1);
	ck_assert_int_eq(git_make_merge(&fx_repo, target, head, "Merge", out,
	    &gl, ERR), GIT_OK);
	ck_assert_int_eq(access(fx_path("mark"), F_OK), -1);
	unsetenv("GIT_CONFIG_COUNT");
	git_list_free(&gl);
	fx_close();
}
END_TEST

START_TEST(code_tree_ignores_own_artifacts_only)
{
	char a[GIT_OID_SIZE], b[GIT_OID_SIZE], c[GIT_OID_SIZE];
	char d[GIT_OID_SIZE];

	fx_open();
	ck_assert_int_eq(git_resolve(&fx_repo, "main", head, ERR), GIT_OK);
	ck_assert_int_eq(git_code_tree(&fx_repo, head, "D-1", a, ERR),
	    GIT_OK);
	ck_assert_int_eq(git_tree_of(&fx_repo, head, out, ERR), GIT_OK);
	ck_assert_str_eq(a, out);
	fx_file(ITEM "12-review.md", "x\n");
	fx_commit("Artifact", head);
	fx_push("work");
	ck_assert_int_eq(git_code_tree(&fx_repo, head, "D-1", b, ERR),
	    GIT_OK);
	ck_assert_str_eq(a, b);
	ck_assert_int_eq(git_code_tree(&fx_repo, head, "D-2", c, ERR),
	    GIT_OK);
	ck_assert_str_ne(a, c);
	fx_file("src/a.c", "int other;\n");
	fx_commit("Code", head);
	fx_push("work");
	ck_assert_int_eq(git_code_tree(&fx_repo, head, "D-1", d, ERR),
	    GIT_OK);
	ck_assert_str_ne(a, d);
	ck_assert_int_eq(git_code_tree(&fx_repo, head, "../x", d, ERR),
	    GIT_REFUSED);
	ck_assert_uint_eq(fx_count("orchd-tmp"), 0);
	fx_close();
}
END_TEST

START_TEST(patch_id_survives_a_merge_of_the_target)
{
	char a[GIT_OID_SIZE], b[GIT_OID_SIZE], c[GIT_OID_SIZE];

	diverge("b", "b\n", "c", "c\n");
	ck_assert_int_eq(git_patch_id(&fx_repo, target, head, a, ERR),
	    GIT_OK);
	ck_assert_int_eq(git_make_merge(&fx_repo, target, head, "Merge", out,
	    &gl, ERR), GIT_OK);
	ck_assert_int_eq(git_patch_id(&fx_repo, target, out, b, ERR),
	    GIT_OK);
	ck_assert_str_eq(a, b);
	ck_assert_int_eq(git_patch_id(&fx_repo, target, target, c, ERR),
	    GIT_OK);
	ck_assert_str_eq(c, GIT_ZERO_OID);
	fx_git("checkout", "-q", "work");
	fx_file("b", "changed\n");
	fx_commit("Changed", head);
	fx_push("work");
	ck_assert_int_eq(git_patch_id(&fx_repo, target, head, c, ERR),
	    GIT_OK);
	ck_assert_str_ne(a, c);
	fx_close();
}
END_TEST

/* The patch id of main..work when work writes these bytes to a file. */
static void
patch_of(const void *data, size_t len, mode_t mode, char id[GIT_OID_SIZE])
{
	char main[GIT_OID_SIZE], path[256];

	fx_open();
	ck_assert_int_eq(git_resolve(&fx_repo, "main", main, ERR), GIT_OK);
	snprintf(path, sizeof(path), "%s/data", fx_src);
	fx_put(path, data, len);
	ck_assert_int_eq(chmod(path, mode), 0);
	fx_commit("Data", head);
	fx_push("work");
	ck_assert_int_eq(git_patch_id(&fx_repo, main, head, id, ERR),
	    GIT_OK);
	fx_close();
}

START_TEST(patch_id_sees_bytes_that_are_no_text_and_modes)
{
	char a[GIT_OID_SIZE], b[GIT_OID_SIZE], c[GIT_OID_SIZE];

	patch_of("x\0y", 3, 0644, a);
	patch_of("x\0z", 3, 0644, b);
	patch_of("x\0y", 3, 0755, c);
	ck_assert_str_ne(a, b);
	ck_assert_str_ne(a, c);
	patch_of("x\0y", 3, 0644, b);
	ck_assert_str_eq(a, b);
}
END_TEST

START_TEST(patch_id_moves_when_the_target_changes_the_lines_around)
{
	char a[GIT_OID_SIZE], b[GIT_OID_SIZE];

	/* README is one, two, three: no conflict, but another patch. */
	diverge("README", "one\ntwo\n3\n", "README", "1\ntwo\nthree\n");
	ck_assert_int_eq(git_patch_id(&fx_repo, target, head, a, ERR),
	    GIT_OK);
	ck_assert_int_eq(git_make_merge(&fx_repo, target, head, "Merge", out,
	    &gl, ERR), GIT_OK);
	ck_assert_int_eq(git_patch_id(&fx_repo, target, out, b, ERR),
	    GIT_OK);
	ck_assert_str_ne(a, b);
	fx_close();
}
END_TEST

START_TEST(artifact_hash_moves_with_its_role_only)
{
	char a[SHA256_HEX_SIZE], b[SHA256_HEX_SIZE], c[SHA256_HEX_SIZE];

	fx_open();
	fx_file(ITEM "01-brd.md", "x\n");
	fx_commit("Analysis", head);
	fx_push("work");
	ck_assert_int_eq(git_artifact_hash(&fx_repo, head, "D-1", "analyst",
	    a, ERR), GIT_OK);
	fx_file(ITEM "06-adr/ADR-1.md", "x\n");
	fx_commit("Architecture", head);
	fx_push("work");
	ck_assert_int_eq(git_artifact_hash(&fx_repo, head, "D-1", "analyst",
	    b, ERR), GIT_OK);
	ck_assert_str_eq(a, b);
	fx_file(ITEM "01-brd.md", "y\n");
	fx_commit("Changed", head);
	fx_push("work");
	ck_assert_int_eq(git_artifact_hash(&fx_repo, head, "D-1", "analyst",
	    c, ERR), GIT_OK);
	ck_assert_str_ne(a, c);
	fx_close();
}
END_TEST

START_TEST(writer_table_holds)
{
	static const char *const prefixes[] = { "docs/arch/", "api", NULL };
	static const struct {
		const char	*role, *path;
		int		 may;
	} rows[] = {
		{ "analyst", ITEM "00-business-request.md", 1 },
		{ "analyst", ITEM "04-test-plan.yaml", 1 },
		{ "analyst", ITEM "06-adr/ADR-1.md", 0 },
		{ "analyst", ITEM "notes.md", 0 },
		{ "analyst", "src/a.c", 0 },
		{ "analyst", "docs/work-items/D-2/01-brd.md", 0 },
		{ "analyst", "docs/work-items/D-11/01-brd.md", 0 },
		{ "architect", ITEM "06-adr/ADR-1.md", 1 },
		{ "architect", ITEM "10-tech-risks.md", 1 },
		{ "architect", ITEM "12-review.md", 0 },
		{ "architect", "docs/arch/x.md", 1 },
		{ "architect", "docs/architecture.md", 0 },
		{ "architect", "api", 1 },
		{ "architect", "src/a.c", 0 },
		{ "developer", "src/a.c", 1 },
		{ "developer", "docs/x.md", 1 },
		{ "developer", ITEM "12-review.md", 0 },
		{ "developer", ITEM "notes.md", 0 },
		{ "developer", "docs/work-items/D-2/01-brd.md", 0 },
		{ "developer", "docs/work-items", 0 },
		{ "developer", "docs/work-items/D-1", 0 },
		{ "reviewer", ITEM "12-review.md", 1 },
		{ "reviewer", ITEM "13-test-report.md", 0 },
		{ "reviewer", "src/a.c", 0 },
		{ "tester", ITEM "13-test-report.md", 1 },
		{ "tester", ITEM "12-review.md", 0 },
		{ "deployer", ITEM "15-staging-log.md", 1 },
		{ "deployer", ITEM "14-deploy-log.md", 0 },
		{ "deployer", ITEM "16-post-deploy-log.md", 0 },
		{ "nobody", "src/a.c", 0 },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ck_assert_msg(git_role_may_write(rows[i].role, "D-1",
		    prefixes, rows[i].path) == rows[i].may, "%s %s",
		    rows[i].role, rows[i].path);
}
END_TEST

static enum git_result
changed(const char *base, const char *role, char path[256])
{
	return (git_changed_by_role(&fx_repo, base, head, target, "D-1",
	    role, NULL, path, 256, ERR));
}

START_TEST(reviewer_who_changes_code_is_refused_with_the_path)
{
	char path[256], base[GIT_OID_SIZE];

	fx_open();
	ck_assert_int_eq(git_resolve(&fx_repo, "main", base, ERR), GIT_OK);
	memcpy(target, base, sizeof(target));
	fx_file(ITEM "12-review.md", "x\n");
	fx_commit("Review", head);
	fx_push("work");
	ck_assert_int_eq(changed(base, "reviewer", path), GIT_OK);
	ck_assert_int_eq(changed(base, "developer", path), GIT_REFUSED);
	ck_assert_str_eq(path, ITEM "12-review.md");
	fx_file("src/a.c", "int mine;\n");
	fx_commit("And code", head);
	fx_push("work");
	ck_assert_int_eq(changed(base, "reviewer", path), GIT_REFUSED);
	ck_assert_str_eq(path, "src/a.c");
	fx_close();
}
END_TEST

START_TEST(developer_may_merge_the_target_and_nothing_hides_in_it)
{
	char path[256], base[GIT_OID_SIZE];

	diverge("src/b.c", "int b;\n", "docs/work-items/D-2/01-brd.md",
	    "other\n");
	memcpy(base, head, sizeof(base));
	fx_git("checkout", "-q", "work");
	fx_git("merge", "-q", "-m", "Merge main", "main");
	fx_commit("Work on", head);
	fx_push("work");
	ck_assert_int_eq(changed(base, "developer", path), GIT_OK);
	/* Only the developer may. */
	ck_assert_int_eq(changed(base, "tester", path), GIT_REFUSED);
	/* The other item's file with one byte more is his own change. */
	fx_file("docs/work-items/D-2/01-brd.md", "other!\n");
	fx_commit("Hidden", head);
	fx_push("work");
	ck_assert_int_eq(changed(base, "developer", path), GIT_REFUSED);
	ck_assert_str_eq(path, "docs/work-items/D-2/01-brd.md");
	fx_close();
}
END_TEST

START_TEST(developer_may_not_remove_the_review)
{
	char path[256], base[GIT_OID_SIZE];

	fx_open();
	ck_assert_int_eq(git_resolve(&fx_repo, "main", target, ERR), GIT_OK);
	fx_file(ITEM "12-review.md", "x\n");
	fx_commit("Review", base);
	fx_git("rm", "-q", ITEM "12-review.md");
	fx_commit("Gone", head);
	fx_push("work");
	ck_assert_int_eq(changed(base, "developer", path), GIT_REFUSED);
	ck_assert_ptr_nonnull(strstr(fx_err, "remove"));
	fx_close();
}
END_TEST

START_TEST(empty_merge_by_another_role_is_refused)
{
	char path[256], base[GIT_OID_SIZE];

	diverge("src/b.c", "int b;\n", "c", "c\n");
	memcpy(base, head, sizeof(base));
	fx_git("checkout", "-q", "work");
	fx_git("merge", "-q", "-s", "ours", "-m", "Merge", "main");
	fx_commit("Nothing", head);
	fx_push("work");
	ck_assert_int_eq(changed(base, "reviewer", path), GIT_REFUSED);
	ck_assert_ptr_nonnull(strstr(fx_err, "merge"));
	fx_close();
}
END_TEST

FX_MAIN("git_merge",
    merge_without_conflict_has_both_changes,
    branch_that_contains_the_target_is_not_merged,
    conflict_names_each_file_once,
    unknown_commit_is_not_a_conflict,
    unrelated_histories_are_an_error_not_a_conflict,
    merge_driver_named_in_the_tree_does_not_run,
    code_tree_ignores_own_artifacts_only,
    patch_id_survives_a_merge_of_the_target,
    patch_id_sees_bytes_that_are_no_text_and_modes,
    patch_id_moves_when_the_target_changes_the_lines_around,
    artifact_hash_moves_with_its_role_only,
    writer_table_holds,
    reviewer_who_changes_code_is_refused_with_the_path,
    developer_may_merge_the_target_and_nothing_hides_in_it,
    developer_may_not_remove_the_review,
    empty_merge_by_another_role_is_refused)
