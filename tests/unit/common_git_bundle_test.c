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
#include "libcommon/git_bundle.h"

#define ERR	fx_err, sizeof(fx_err)
#define BRANCH	"feature/D-1-x"
#define REF	"refs/heads/" BRANCH
#define RUN	"refs/orchd/in/run7"

/* What the agent started from, what it made, and the import's answer. */
static char base[GIT_OID_SIZE], tip[GIT_OID_SIZE];
static struct git_bundle_result res;
static char refs_before[8192];
static size_t packs_before;

static void
begin(void)
{
	fx_open();
	ck_assert_int_eq(git_resolve(&fx_repo, "main", base, ERR), GIT_OK);
	fx_git("checkout", "-q", "-b", BRANCH);
	fx_file("src/b.c", "int b;\n");
	fx_commit("Work", tip);
}

static enum git_bundle_verdict
import_with(const char *name, uint64_t max_bytes, uint64_t max_object)
{
	struct git_bundle_opts o = { REF, base, RUN, max_bytes, max_object,
	    0, 0 };
	enum git_bundle_verdict v;
	int fd;

	fx_refs(refs_before, sizeof(refs_before));
	packs_before = fx_count("objects");
	ck_assert_int_ne(fd = open(fx_path(name), O_RDONLY), -1);
	v = git_bundle_import(&fx_repo, fd, &o, &res);
	close(fd);
	return (v);
}

static enum git_bundle_verdict
import(const char *name)
{
	return (import_with(name, 0, 0));
}

/* Refused with this word, and the mirror is as it was, to the file. */
static void
is_refused(enum git_bundle_verdict v, const char *word)
{
	char after[8192];

	ck_assert_msg(v == GIT_BUNDLE_REFUSED, "verdict %d: %s", (int)v,
	    res.gb_reason);
	ck_assert_msg(strstr(res.gb_reason, word) != NULL, "%s",
	    res.gb_reason);
	fx_refs(after, sizeof(after));
	ck_assert_str_eq(refs_before, after);
	ck_assert_uint_eq(fx_count("objects"), packs_before);
	ck_assert_uint_eq(fx_count("orchd-tmp"), 0);
	ck_assert_str_eq(res.gb_tip, "");
}

static void
make_bundle(const char *name, const char *range)
{
	fx_git("bundle", "create", "-q", fx_path(name), range);
}

/* A bundle by hand: any head, and a pack of exactly the listed objects. */
static void
make_by_hand(const char *name, const char *head, const char *objects)
{
	static char pack[1 << 20];
	size_t n;
	FILE *f;

	fx_put(fx_path("list"), objects, strlen(objects));
	fx_git_io(fx_path("list"), fx_path("pack"), "pack-objects", "-q",
	    "--stdout");
	n = fx_get(fx_path("pack"), pack, sizeof(pack));
	ck_assert_ptr_nonnull(f = fopen(fx_path(name), "w"));
	fputs(head, f);
	fwrite(pack, 1, n, f);
	fclose(f);
}

/* The same with the usual head for one tip on `base'. */
static void
make_for_tip(const char *name, const char *oid, const char *objects)
{
	char head[512];

	snprintf(head, sizeof(head), "# v2 git bundle\n-%s\n%s " REF "\n\n",
	    base, oid);
	make_by_hand(name, head, objects);
}

/* An object from text: its id. */
static void
make_object(const char *type, const char *text, size_t len,
    char oid[GIT_OID_SIZE])
{
	char line[64];

	fx_put(fx_path("text"), text, len);
	fx_line(line, "hash-object", "-w", "-t", type, "--literally",
	    fx_path("text"));
	memcpy(oid, line, GIT_OID_SIZE);
}

/* A tree of one entry made by hand, and a commit of it on `base'. */
static void
commit_of_entry(const char *entry, char tree[GIT_OID_SIZE],
    char commit[GIT_OID_SIZE])
{
	char line[64];

	fx_put(fx_path("entry"), entry, strlen(entry));
	fx_git_io(fx_path("entry"), fx_path("out"), "mktree", "--missing");
	fx_get(fx_path("out"), line, sizeof(line));
	memcpy(tree, line, GIT_OID_SIZE - 1);
	tree[GIT_OID_SIZE - 1] = '\0';
	fx_line(line, "commit-tree", tree, "-p", base, "-m", "Hostile");
	memcpy(commit, line, GIT_OID_SIZE);
}

START_TEST(honest_bundle_is_imported_to_the_run_reference_only)
{
	char oid[GIT_OID_SIZE], main_oid[GIT_OID_SIZE];

	begin();
	make_bundle("b", "main.." REF);
	ck_assert_msg(import("b") == GIT_BUNDLE_OK, "%s", res.gb_reason);
	ck_assert_str_eq(res.gb_tip, tip);
	ck_assert_int_eq(git_read_ref(&fx_repo, RUN, oid, ERR), GIT_OK);
	ck_assert_str_eq(oid, tip);
	ck_assert_int_eq(git_read_ref(&fx_repo, REF, oid, ERR),
	    GIT_NOTFOUND);
	ck_assert_int_eq(git_resolve(&fx_repo, "main", main_oid, ERR),
	    GIT_OK);
	ck_assert_str_eq(main_oid, base);
	ck_assert_int_eq(fx_exec(fx_bare, NULL, NULL, (const char *const[]){
	    "git", "fsck", "--full", "--strict", NULL }), 0);
	ck_assert_uint_eq(fx_count("orchd-tmp"), 0);
	/* Cut off after the reference was set, and repeated. */
	ck_assert_int_eq(import("b"), GIT_BUNDLE_OK);
	fx_close();
}
END_TEST

START_TEST(run_reference_with_another_commit_is_not_overwritten)
{
	char oid[GIT_OID_SIZE];

	begin();
	make_bundle("b", "main.." REF);
	ck_assert_int_eq(git_update_ref(&fx_repo, RUN, base, GIT_ZERO_OID,
	    ERR), GIT_OK);
	ck_assert_int_eq(import("b"), GIT_BUNDLE_ERR);
	ck_assert_int_eq(git_read_ref(&fx_repo, RUN, oid, ERR), GIT_OK);
	ck_assert_str_eq(oid, base);
	fx_close();
}
END_TEST

START_TEST(no_bundle_and_tip_at_base_are_no_commit)
{
	struct git_bundle_opts o = { REF, base, RUN, 0, 0, 0, 0 };
	char head[256];

	begin();
	ck_assert_int_eq(git_bundle_import(&fx_repo, -1, &o, &res),
	    GIT_BUNDLE_NOCOMMIT);
	ck_assert_str_eq(res.gb_tip, base);
	snprintf(head, sizeof(head), "# v2 git bundle\n%s " REF "\n\n",
	    base);
	make_by_hand("b", head, "");
	ck_assert_int_eq(import("b"), GIT_BUNDLE_NOCOMMIT);
	fx_close();
}
END_TEST

START_TEST(truncated_bundle_is_refused_at_every_part)
{
	char buf[65536];
	size_t n, cut[5], i;

	begin();
	make_bundle("b", "main.." REF);
	n = fx_get(fx_path("b"), buf, sizeof(buf));
	cut[0] = 0;
	cut[1] = 10;
	cut[2] = 60;
	cut[3] = n / 2;
	cut[4] = n - 1;
	for (i = 0; i < 5; i++) {
		fx_put(fx_path("cut"), buf, cut[i]);
		is_refused(import("cut"), "bundle refused: ");
	}
	fx_close();
}
END_TEST

START_TEST(flipped_byte_in_the_pack_is_refused)
{
	char buf[65536];
	size_t n;

	begin();
	make_bundle("b", "main.." REF);
	n = fx_get(fx_path("b"), buf, sizeof(buf));
	buf[n - 30] ^= 0x55;
	fx_put(fx_path("b"), buf, n);
	is_refused(import("b"), "bundle refused: ");
	fx_close();
}
END_TEST

START_TEST(wrong_magic_is_refused)
{
	begin();
	fx_put(fx_path("b"), "# v3 git bundle\n@filter=x\n\nPACK", 31);
	is_refused(import("b"), "version 2");
	fx_put(fx_path("b"), "PACK\0\0\0\2\0\0\0\0", 12);
	is_refused(import("b"), "version 2");
	fx_close();
}
END_TEST

START_TEST(second_reference_is_refused)
{
	begin();
	fx_git("branch", "extra");
	fx_git("bundle", "create", "-q", fx_path("b"), "main..extra", REF);
	is_refused(import("b"), "bundle refused: ");
	fx_close();
}
END_TEST

START_TEST(reference_named_main_is_refused)
{
	char head[256];

	begin();
	fx_git("checkout", "-q", "-B", "main");
	snprintf(head, sizeof(head), "%s..main", base);
	make_bundle("b", head);
	is_refused(import("b"), "refs/heads/main");
	fx_close();
}
END_TEST

START_TEST(reference_with_terminal_bytes_is_shown_escaped)
{
	char head[256];

	begin();
	snprintf(head, sizeof(head), "# v2 git bundle\n%s refs/\033[2Jx\n\n",
	    tip);
	make_by_hand("b", head, "");
	is_refused(import("b"), "only " REF);
	ck_assert_ptr_null(strchr(res.gb_reason, '\033'));
	fx_close();
}
END_TEST

START_TEST(very_many_references_and_prerequisites_are_refused)
{
	FILE *f;
	int i;

	begin();
	ck_assert_ptr_nonnull(f = fopen(fx_path("b"), "w"));
	fputs("# v2 git bundle\n", f);
	for (i = 0; i < 100000; i++)
		fprintf(f, "%s refs/heads/x%d\n", tip, i);
	fputs("\nPACK", f);
	fclose(f);
	is_refused(import("b"), "bundle refused: ");
	ck_assert_ptr_nonnull(f = fopen(fx_path("b"), "w"));
	fputs("# v2 git bundle\n", f);
	for (i = 0; i < 100000; i++)
		fprintf(f, "-%s\n", base);
	fputs("\nPACK", f);
	fclose(f);
	is_refused(import("b"), "prerequisites");
	fx_close();
}
END_TEST

START_TEST(prerequisite_that_the_mirror_lacks_is_refused)
{
	char range[128];

	begin();
	snprintf(range, sizeof(range), "%s", tip);
	fx_commit("More", tip);
	fx_git("bundle", "create", "-q", fx_path("b"), REF, "^HEAD~1");
	is_refused(import("b"), "prerequisite");
	fx_close();
}
END_TEST

START_TEST(oversized_bundle_object_and_count_are_refused)
{
	static char big[300000];

	begin();
	memset(big, 'x', sizeof(big) - 1);
	fx_file("big", big);
	fx_commit("Big", tip);
	make_bundle("b", "main.." REF);
	is_refused(import_with("b", 100, 0), "at most 100");
	/* The pack is small: what it would become is counted. */
	is_refused(import_with("b", 0, 299998), "299999 bytes");
	ck_assert_int_eq(import_with("b", 0, 299999), GIT_BUNDLE_OK);
	fx_close();
}
END_TEST

START_TEST(claimed_object_count_is_refused_before_git_sees_it)
{
	char head[256];
	FILE *f;

	begin();
	snprintf(head, sizeof(head), "# v2 git bundle\n%s " REF "\n\n", tip);
	ck_assert_ptr_nonnull(f = fopen(fx_path("b"), "w"));
	fputs(head, f);
	fwrite("PACK\0\0\0\2\377\377\377\377", 1, 12, f);
	fclose(f);
	is_refused(import("b"), "4294967295 objects");
	fx_close();
}
END_TEST

START_TEST(tree_entry_named_dot_git_is_refused)
{
	char blob[GIT_OID_SIZE], tree[GIT_OID_SIZE], commit[GIT_OID_SIZE];
	static const char *const names[] = { ".git", ".GIT", "git~1" };
	char text[256];
	size_t i;

	begin();
	make_object("blob", "evil\n", 5, blob);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(text, sizeof(text), "100644 blob %s\t%s\n", blob,
		    names[i]);
		commit_of_entry(text, tree, commit);
		snprintf(text, sizeof(text), "%s\n%s\n%s\n", commit, tree,
		    blob);
		make_for_tip("b", commit, text);
		is_refused(import("b"), "bundle refused: ");
	}
	fx_close();
}
END_TEST

START_TEST(tree_entry_that_climbs_is_refused)
{
	char tree[GIT_OID_SIZE], commit[GIT_OID_SIZE], blob[GIT_OID_SIZE];
	char text[256], raw[64];
	size_t n, i;
	unsigned int byte;

	begin();
	make_object("blob", "evil\n", 5, blob);
	n = (size_t)snprintf(raw, sizeof(raw), "100644 ..") + 1;
	for (i = 0; i < 20; i++) {
		sscanf(blob + 2 * i, "%2x", &byte);
		raw[n++] = (char)byte;
	}
	make_object("tree", raw, n, tree);
	n = (size_t)snprintf(text, sizeof(text), "tree %s\nparent %s\nauthor "
	    "a <a@b> 1 +0000\ncommitter a <a@b> 1 +0000\n\nx\n", tree, base);
	make_object("commit", text, n, commit);
	snprintf(text, sizeof(text), "%s\n%s\n%s\n", commit, tree, blob);
	make_for_tip("b", commit, text);
	is_refused(import("b"), "bundle refused: ");
	fx_close();
}
END_TEST

START_TEST(submodule_is_refused_and_symbolic_link_is_taken)
{
	char path[256], entry[128];

	begin();
	snprintf(path, sizeof(path), "%s/up", fx_src);
	ck_assert_int_eq(symlink("../../..", path), 0);
	fx_commit("Link", tip);
	make_bundle("b", "main.." REF);
	ck_assert_msg(import("b") == GIT_BUNDLE_OK, "%s", res.gb_reason);
	snprintf(entry, sizeof(entry), "160000,%s,sub", base);
	fx_git("update-index", "--add", "--cacheinfo", entry);
	fx_git("commit", "-q", "-m", "Sub");
	make_bundle("b", "main.." REF);
	is_refused(import("b"), "sub: submodules");
	fx_close();
}
END_TEST

START_TEST(missing_objects_are_refused)
{
	char tree[64], list[256];

	begin();
	fx_line(tree, "rev-parse", "HEAD^{tree}");
	snprintf(list, sizeof(list), "%s\n%s\n", tip, tree);
	make_for_tip("b", tip, list);
	is_refused(import("b"), "did not receive expected object");
	fx_close();
}
END_TEST

START_TEST(tip_that_is_a_tag_or_a_blob_is_refused)
{
	char blob[GIT_OID_SIZE], tag[64], list[256];

	begin();
	make_object("blob", "evil\n", 5, blob);
	snprintf(list, sizeof(list), "%s\n", blob);
	make_for_tip("b", blob, list);
	is_refused(import("b"), "bundle refused: ");
	fx_git("tag", "-a", "-m", "t", "t");
	fx_line(tag, "rev-parse", "refs/tags/t");
	snprintf(list, sizeof(list), "%s\n", tag);
	make_for_tip("b", tag, list);
	is_refused(import("b"), "bundle refused: ");
	fx_close();
}
END_TEST

START_TEST(tip_of_another_task_that_the_mirror_has_is_refused)
{
	char other[GIT_OID_SIZE], head[256];

	begin();
	fx_git("checkout", "-q", "--orphan", "other");
	fx_commit("Other task", other);
	fx_push("other");
	snprintf(head, sizeof(head), "# v2 git bundle\n%s " REF "\n\n",
	    other);
	make_by_hand("b", head, "");
	is_refused(import("b"), "does not descend");
	fx_close();
}
END_TEST

START_TEST(history_that_was_rewritten_below_the_base_is_refused)
{
	char oid[GIT_OID_SIZE];

	begin();
	fx_push("main");
	memcpy(base, tip, sizeof(base));
	fx_git("reset", "-q", "--hard", "HEAD~1");
	fx_file("c", "c\n");
	fx_commit("Instead", oid);
	make_bundle("b", "HEAD~1.." REF);
	is_refused(import("b"), "does not descend");
	fx_close();
}
END_TEST

START_TEST(commit_message_too_long_or_with_nul_is_refused)
{
	static char big[100000];
	char text[512], tree[64], commit[GIT_OID_SIZE], list[128];
	int n;

	begin();
	memset(big, 'm', sizeof(big) - 1);
	fx_put(fx_path("msg"), big, strlen(big));
	fx_git("commit", "-q", "--allow-empty", "-F", fx_path("msg"));
	make_bundle("b", "main.." REF);
	is_refused(import("b"), "message");
	fx_line(tree, "rev-parse", "main^{tree}");
	n = snprintf(text, sizeof(text), "tree %s\nparent %s\nauthor a <a@b>"
	    " 1 +0000\ncommitter a <a@b> 1 +0000\n\nx%cy\n", tree, base,
	    '\0');
	make_object("commit", text, (size_t)n, commit);
	snprintf(list, sizeof(list), "%s\n", commit);
	make_for_tip("b", commit, list);
	is_refused(import("b"), "bundle refused: ");
	fx_close();
}
END_TEST

START_TEST(fifo_instead_of_a_bundle_is_refused)
{
	struct git_bundle_opts o = { REF, base, RUN, 0, 0, 0, 0 };
	int p[2];

	begin();
	ck_assert_int_eq(pipe(p), 0);
	fx_refs(refs_before, sizeof(refs_before));
	packs_before = fx_count("objects");
	is_refused(git_bundle_import(&fx_repo, p[0], &o, &res),
	    "regular file");
	fx_close();
}
END_TEST

START_TEST(trusted_reference_is_never_a_run_reference)
{
	struct git_bundle_opts o = { REF, base, "refs/heads/main", 0, 0, 0,
	    0 };
	int fd;

	begin();
	make_bundle("b", "main.." REF);
	ck_assert_int_ne(fd = open(fx_path("b"), O_RDONLY), -1);
	ck_assert_int_eq(git_bundle_import(&fx_repo, fd, &o, &res),
	    GIT_BUNDLE_ERR);
	close(fd);
	fx_close();
}
END_TEST

FX_MAIN("git_bundle",
    honest_bundle_is_imported_to_the_run_reference_only,
    run_reference_with_another_commit_is_not_overwritten,
    no_bundle_and_tip_at_base_are_no_commit,
    truncated_bundle_is_refused_at_every_part,
    flipped_byte_in_the_pack_is_refused,
    wrong_magic_is_refused,
    second_reference_is_refused,
    reference_named_main_is_refused,
    reference_with_terminal_bytes_is_shown_escaped,
    very_many_references_and_prerequisites_are_refused,
    prerequisite_that_the_mirror_lacks_is_refused,
    oversized_bundle_object_and_count_are_refused,
    claimed_object_count_is_refused_before_git_sees_it,
    tree_entry_named_dot_git_is_refused,
    tree_entry_that_climbs_is_refused,
    submodule_is_refused_and_symbolic_link_is_taken,
    missing_objects_are_refused,
    tip_that_is_a_tag_or_a_blob_is_refused,
    tip_of_another_task_that_the_mirror_has_is_refused,
    history_that_was_rewritten_below_the_base_is_refused,
    commit_message_too_long_or_with_nul_is_refused,
    fifo_instead_of_a_bundle_is_refused,
    trusted_reference_is_never_a_run_reference)
