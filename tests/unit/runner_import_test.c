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

/* Who may change what: a bundle that does more is refused whole. */

#include "runner_engine.h"

#define OWN	"docs/work-items/T-1/"
#define FILE(path) "M 100644 inline " path "\ndata 4\nnew\n\n"
#define MODE(mode, path) "M " mode " inline " path "\ndata 4\nold\n\n"
#define GONE(path) "D " path "\n"
#define MOVE(from, to) "R " from " " to "\n"

/* What there is before each run. */
static const char *const before[] = { "README", "src/a.c", "docs/arch/x.md",
	OWN "00-business-request.md", OWN "01-brd.md", OWN "02-trz.md",
	OWN "03-acceptance-criteria.md", OWN "04-test-plan.yaml",
	OWN "06-adr/ADR-001.md", OWN "10-tech-risks.md", OWN "12-review.md",
	OWN "13-test-report.md", OWN "14-deploy-log.md",
	OWN "15-staging-log.md", OWN "16-post-deploy-log.md",
	"docs/work-items/T-2/01-brd.md" };
#define NBEFORE	(sizeof(before) / sizeof(before[0]))

static const struct {
	const char	*role;
	const char	*change;
	const char	*path;		/* that is named; NULL: it is taken */
} cases[] = {
	/* Each artifact has one writer, who may also take it back. */
	{ "analyst", FILE(OWN "00-business-request.md") FILE(OWN "01-brd.md")
	    FILE(OWN "02-trz.md") FILE(OWN "03-acceptance-criteria.md")
	    GONE(OWN "04-test-plan.yaml"), NULL },
	{ "architect", FILE(OWN "06-adr/ADR-002.md")
	    FILE(OWN "07-infra-requirements.md")
	    FILE(OWN "08-data-requirements.md") GONE(OWN "10-tech-risks.md"),
	    NULL },
	{ "reviewer", FILE(OWN "12-review.md"), NULL },
	{ "tester", GONE(OWN "13-test-report.md"), NULL },
	{ "deployer", FILE(OWN "15-staging-log.md"), NULL },
	{ "developer", FILE("src/b.c") GONE("src/a.c") FILE("docs/x.md"),
	    NULL },
	{ "developer", MODE("100755", "src/a.c") MODE("120000", "link"),
	    NULL },
	{ "architect", FILE("docs/arch/y.md") GONE("docs/arch/x.md"), NULL },
	/* Everybody else's. */
	{ "analyst", FILE(OWN "06-adr/ADR-001.md"), OWN "06-adr/ADR-001.md" },
	{ "architect", FILE(OWN "01-brd.md"), OWN "01-brd.md" },
	{ "developer", FILE(OWN "01-brd.md"), OWN "01-brd.md" },
	{ "developer", FILE(OWN "12-review.md"), OWN "12-review.md" },
	{ "developer", FILE(OWN "13-test-report.md"), OWN
	    "13-test-report.md" },
	{ "reviewer", FILE(OWN "13-test-report.md"), OWN
	    "13-test-report.md" },
	{ "tester", FILE(OWN "12-review.md"), OWN "12-review.md" },
	{ "reviewer", FILE("docs/work-items/T-2/12-review.md"),
	    "docs/work-items/T-2/12-review.md" },
	{ "reviewer", FILE(OWN "notes.md"), OWN "notes.md" },
	/* 14 and 16 are orchd's. */
	{ "deployer", FILE(OWN "14-deploy-log.md"), OWN "14-deploy-log.md" },
	{ "deployer", FILE(OWN "16-post-deploy-log.md"), OWN
	    "16-post-deploy-log.md" },
	{ "developer", GONE(OWN "14-deploy-log.md"), OWN
	    "14-deploy-log.md" },
	/* Code is the developer's, in whatever way it is changed. */
	{ "analyst", FILE("src/b.c"), "src/b.c" },
	{ "architect", FILE("src/b.c"), "src/b.c" },
	{ "architect", FILE("docs/architecture.md"), "docs/architecture.md" },
	{ "reviewer", FILE(OWN "12-review.md") FILE("src/a.c"), "src/a.c" },
	{ "reviewer", GONE("src/a.c"), "src/a.c" },
	{ "reviewer", MODE("100755", "src/a.c"), "src/a.c" },
	{ "tester", MODE("120000", "src/a.c"), "src/a.c" },
	{ "tester", MOVE("src/a.c", "src/c.c"), "src/a.c" },
	{ "tester", MOVE("src/a.c", OWN "13-test-report.md"), "src/a.c" },
	{ "deployer", FILE("README"), "README" },
	/* Removals and renames of artifacts, the folder as another thing. */
	{ "developer", GONE(OWN "12-review.md"), OWN "12-review.md" },
	{ "reviewer", MOVE(OWN "13-test-report.md", OWN "12-review.md"), OWN
	    "13-test-report.md" },
	{ "tester", GONE(OWN "12-review.md"), OWN "12-review.md" },
	{ "developer", GONE("docs/work-items/T-1"), OWN
	    "00-business-request.md" },
	{ "developer", GONE("docs") MODE("120000", "docs"), OWN
	    "00-business-request.md" },
	{ "reviewer", GONE("docs/work-items/T-1")
	    MODE("120000", "docs/work-items/T-1"), "docs/work-items/T-1" },
	/* The same folder in other letters is nobody's code. */
	{ "developer", FILE("docs/Work-Items/T-1/12-review.md"),
	    "docs/Work-Items/T-1/12-review.md" },
	{ "developer", FILE("DOCS/work-items/x"), "DOCS/work-items/x" },
	{ "reviewer", FILE("docs/work-items/t-1/12-review.md"),
	    "docs/work-items/t-1/12-review.md" },
	{ "somebody", FILE("src/b.c"), "src/b.c" },
};
#define NCASES	(sizeof(cases) / sizeof(cases[0]))

static void
fast_import(struct te *te, const char *text)
{
	const char *const argv[] = { "fast-import", "--quiet", NULL };
	struct git_cmd gc = { .gc_dir = te->mirror, .gc_argv = argv,
	    .gc_in = text, .gc_inlen = strlen(text) };
	struct git_out out;
	char err[256];

	ck_assert_msg(git_run(&gc, &out, err, sizeof(err)) == 0, "%s", err);
	ck_assert_msg(out.go_exit == 0, "%s", out.go_said);
	git_out_free(&out);
}

/* The files that every role finds, on main. */
static void
fill(struct te *te)
{
	struct git_file files[NBEFORE];
	char first[41];
	size_t i;

	for (i = 0; i < NBEFORE; i++)
		files[i] = (struct git_file){ before[i], "old\n", 4 };
	memcpy(first, te->head, sizeof(first));
	te_commit(te, "main", first, files, NBEFORE, te->head);
	te->go.base = te->go.head = te->head;
}

/* A bundle of one commit of this change, for the import of this role. */
static void
hand_in(struct te *te, const char *role, const char *change)
{
	static const char *const options[] = { "author_run=5", NULL };
	static const char *const writes[] = { "docs/arch/", NULL };
	const char *drop[] = { "update-ref", "-d", "refs/heads/feature/T-1-x",
	    NULL };
	char file[128], range[64], text[4096];
	const char *argv[] = { "bundle", "create", "-q", file,
	    "refs/heads/feature/T-1-x", range, NULL };

	(void)snprintf(text, sizeof(text), "commit refs/heads/feature/T-1-x\n"
	    "committer t <t@example.invalid> 1700000000 +0000\ndata 2\nx\n"
	    "from %s\n%s\n", te->head, change);
	fast_import(te, text);
	(void)snprintf(file, sizeof(file), "%s/b", te->dir);
	(void)snprintf(range, sizeof(range), "^%s", te->head);
	te_git(te->mirror, argv, NULL, 0);
	te_git(te->mirror, drop, NULL, 0);
	te->bundle = open(file, O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(te->bundle, 0);
	te->go.role = role;
	te->go.options.l_argv = options;
	te->spec.writes.l_argv = writes;
}

static int
is_imported(struct te *te)
{
	struct git_repo repo;
	char err[256], at[41];

	ck_assert_int_eq(git_open(&repo, te->mirror, err, sizeof(err)), GIT_OK);
	return (git_read_ref(&repo, "refs/orchd/in/5", at, err,
	    sizeof(err)) == GIT_OK);
}

START_TEST(a_bundle_is_taken_or_refused_by_who_may_change_what)
{
	const char *s;
	struct te te;

	te_open(&te, KIND_IMPORT);
	fill(&te);
	hand_in(&te, cases[_i].role, cases[_i].change);
	te_run(&te);
	if (cases[_i].path == NULL) {
		ck_assert_msg(te.done.verdict == GATE_PASS, "%s",
		    te.done.reason);
		ck_assert(is_imported(&te));
		ck_assert_uint_eq(te.done.artifacts.l_n, GIT_ARTIFACT_ROLES);
	} else {
		ck_assert_msg(te.done.verdict == GATE_FAIL &&
		    te.done.cause == CAUSE_FORBIDDEN_PATH, "%s %s: %s",
		    cases[_i].role, cases[_i].path, te.done.reason);
		s = orch_strs_next(&te.done.items, NULL);
		ck_assert_ptr_nonnull(s);
		ck_assert_str_eq(s, cases[_i].path);
		ck_assert(!is_imported(&te));
		ck_assert_str_eq(te.done.commit, "");
	}
	te_close(&te);
}
END_TEST

START_TEST(a_submodule_is_nobodys_to_add)
{
	char change[128];
	struct te te;

	te_open(&te, KIND_IMPORT);
	fill(&te);
	(void)snprintf(change, sizeof(change), "M 160000 %s src/sub\n",
	    te.head);
	hand_in(&te, "developer", change);
	te_run(&te);
	ck_assert_int_eq(te.done.verdict, GATE_FAIL);
	ck_assert_int_eq(te.done.cause, CAUSE_BAD_ARTIFACT);
	ck_assert_ptr_nonnull(strstr(te.done.reason, "submodule"));
	ck_assert(!is_imported(&te));
	te_close(&te);
}
END_TEST

/* The hashes that an import of this change reports. */
static void
hashes(const char *role, const char *change, char list[GIT_ARTIFACT_ROLES][128],
    char tree[41])
{
	const char *s = NULL;
	struct te te;
	size_t i;

	te_open(&te, KIND_IMPORT);
	fill(&te);
	hand_in(&te, role, change);
	te_run(&te);
	ck_assert_int_eq(te.done.verdict, GATE_PASS);
	for (i = 0; i < GIT_ARTIFACT_ROLES; i++) {
		s = orch_strs_next(&te.done.artifacts, s);
		ck_assert_ptr_nonnull(s);
		(void)snprintf(list[i], 128, "%s", s);
	}
	(void)snprintf(tree, 41, "%s", te.done.tree);
	te_close(&te);
}

START_TEST(an_import_says_the_code_tree_and_each_roles_artifacts)
{
	char a[GIT_ARTIFACT_ROLES][128], b[GIT_ARTIFACT_ROLES][128];
	char tree_a[41], tree_b[41];
	size_t i;

	hashes("reviewer", FILE(OWN "12-review.md"), a, tree_a);
	hashes("reviewer", MODE("100755", OWN "12-review.md"), b, tree_b);
	/* Only the reviewer's has changed, and no code. */
	ck_assert_str_eq(tree_a, tree_b);
	for (i = 0; i < GIT_ARTIFACT_ROLES; i++)
		ck_assert_int_eq(strcmp(a[i], b[i]) == 0,
		    strncmp(a[i], "reviewer=", 9) != 0);
	hashes("developer", FILE("src/b.c"), b, tree_b);
	ck_assert_str_ne(tree_a, tree_b);
}
END_TEST

int
main(int argc, char **argv)
{
	Suite *s = suite_create("import");
	TCase *tc = tcase_create("import");
	SRunner *sr;
	int failed, rc;

	if ((rc = te_inside(argc, argv)) != -1)
		return (rc);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc,
	    a_bundle_is_taken_or_refused_by_who_may_change_what, 0,
	    (int)NCASES);
	tcase_add_test(tc, a_submodule_is_nobodys_to_add);
	tcase_add_test(tc,
	    an_import_says_the_code_tree_and_each_roles_artifacts);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}
