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

#include <sys/types.h>
#include <sys/stat.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libcommon/fsutil.h"

static char	 dir[64];

static void
setup(void)
{
	(void)snprintf(dir, sizeof(dir), "/tmp/orchd-fs-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(chdir(dir), 0);
}

static void
teardown(void)
{
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_eq(fs_remove_tree(AT_FDCWD, dir, NULL, 0), 0);
	ck_assert_int_eq(access(dir, F_OK), -1);
}

static void
put(const char *name, const char *text)
{
	ck_assert_int_eq(fs_write_atomic(AT_FDCWD, name, text, strlen(text),
	    0640), 0);
}

START_TEST(write_atomic_replaces_and_leaves_no_temporary)
{
	struct stat	 st;
	char		*buf;
	size_t		 len;

	put("a", "one");
	put("a", "two");
	ck_assert_int_eq(fs_read_file("a", 3, &buf, &len), 0);
	ck_assert_str_eq(buf, "two");
	free(buf);
	ck_assert_int_eq(stat("a", &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0640);
	ck_assert_int_eq(unlink("a"), 0);
	ck_assert_int_eq(rmdir(dir), 0);	/* so nothing else is there */
	ck_assert_int_eq(mkdir(dir, 0700), 0);
}
END_TEST

START_TEST(write_atomic_failure_removes_the_temporary)
{
	ck_assert_int_eq(mkdir("d", 0755), 0);
	put("d/x", "");
	ck_assert_int_eq(fs_write_atomic(AT_FDCWD, "d", "x", 1, 0600), -1);
	ck_assert_int_eq(unlink("d/x"), 0);
	ck_assert_int_eq(rmdir("d"), 0);
	ck_assert_int_eq(rmdir(dir), 0);
	ck_assert_int_eq(mkdir(dir, 0700), 0);
}
END_TEST

START_TEST(read_file_refuses_link_fifo_folder_and_too_long)
{
	char	*buf;
	size_t	 len;

	put("a", "12345");
	ck_assert_int_eq(symlink("a", "l"), 0);
	ck_assert_int_eq(mkfifo("f", 0600), 0);
	ck_assert_int_eq(fs_read_file("l", 10, &buf, &len), -1);
	ck_assert_int_eq(errno, ELOOP);
	ck_assert_int_eq(fs_read_file("f", 10, &buf, &len), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(fs_read_file(".", 10, &buf, &len), -1);
	ck_assert_int_eq(errno, EISDIR);
	ck_assert_int_eq(fs_read_file("a", 4, &buf, &len), -1);
	ck_assert_int_eq(errno, EFBIG);
	ck_assert_int_eq(fs_read_file("/proc/self/status", 100, &buf, &len),
	    -1);
	ck_assert_int_eq(errno, EFBIG);
	ck_assert_int_eq(fs_read_file("none", 4, &buf, &len), -1);
	ck_assert_int_eq(errno, ENOENT);
}
END_TEST

START_TEST(mkdir_p_makes_parents_and_refuses_a_file)
{
	ck_assert_int_eq(fs_mkdir_p("a/b/c/", 0700), 0);
	ck_assert_int_eq(fs_mkdir_p("a/b/c", 0700), 0);
	put("file", "");
	ck_assert_int_eq(fs_mkdir_p("file", 0700), -1);
	ck_assert_int_eq(errno, ENOTDIR);
	ck_assert_int_eq(fs_mkdir_p("file/x", 0700), -1);
	ck_assert_int_eq(errno, ENOTDIR);
	ck_assert_int_eq(fs_mkdir_p("", 0700), -1);
}
END_TEST

START_TEST(remove_tree_never_follows_a_link)
{
	ck_assert_int_eq(fs_mkdir_p("out/side", 0755), 0);
	put("out/side/keep", "x");
	ck_assert_int_eq(fs_mkdir_p("t/deep/er", 0755), 0);
	ck_assert_int_eq(symlink("../../out", "t/deep/link"), 0);
	ck_assert_int_eq(symlink("../out", "t/link"), 0);
	ck_assert_int_eq(symlink("/", "t/deep/er/root"), 0);
	ck_assert_int_eq(fs_remove_tree(AT_FDCWD, "t", NULL, 0), 0);
	ck_assert_int_eq(access("t", F_OK), -1);
	ck_assert_int_eq(access("out/side/keep", F_OK), 0);
	/* A link itself: the link goes, not what it names. */
	ck_assert_int_eq(symlink("out", "l"), 0);
	ck_assert_int_eq(fs_remove_tree(AT_FDCWD, "l", NULL, 0), 0);
	ck_assert_int_eq(access("out/side/keep", F_OK), 0);
}
END_TEST

START_TEST(remove_tree_of_4000_levels)
{
	const char	*name = "a-folder-with-a-name-that-is-not-short-at-all";
	int		 i, fd, next;

	ck_assert_int_eq(mkdir("t", 0755), 0);
	fd = open("t", O_RDONLY | O_DIRECTORY);
	for (i = 0; i < 4000; i++) {
		ck_assert_int_eq(mkdirat(fd, name, 0755), 0);
		next = openat(fd, name, O_RDONLY | O_DIRECTORY);
		ck_assert_int_ne(next, -1);
		close(fd);
		fd = next;
	}
	close(fd);
	ck_assert_int_eq(fs_remove_tree(AT_FDCWD, "t", NULL, 0), 0);
	ck_assert_int_eq(access("t", F_OK), -1);
}
END_TEST

START_TEST(remove_tree_of_what_an_agent_may_leave)
{
	char	 name[64];
	int	 i, fd;

	ck_assert_int_eq(fs_mkdir_p("t/denied/inner/most", 0755), 0);
	put("t/denied/inner/most/x", "x");
	put("t/denied/.orchd-rm-0", "taken");
	ck_assert_int_eq(fs_mkdir_p("t/.orchd-rm-1/full/of", 0755), 0);
	ck_assert_int_eq(mkfifo("t/fifo", 0), 0);
	put("t/new\nline\033[2J", "");
	for (i = 0; i < 3000; i++) {
		(void)snprintf(name, sizeof(name), "t/denied/f%d", i);
		fd = open(name, O_WRONLY | O_CREAT, 04755);
		ck_assert_int_ne(fd, -1);
		close(fd);
	}
	ck_assert_int_eq(chmod("t/denied/inner/most", 0), 0);
	ck_assert_int_eq(chmod("t/denied/inner", 0111), 0);
	ck_assert_int_eq(chmod("t/denied", 0444), 0);
	ck_assert_int_eq(chmod("t", 0555), 0);
	ck_assert_int_eq(fs_remove_tree(AT_FDCWD, "t", NULL, 0), 0);
	ck_assert_int_eq(access("t", F_OK), -1);
}
END_TEST

START_TEST(remove_tree_names_what_stayed)
{
	char	 err[256] = "";

	ck_assert_int_eq(fs_remove_tree(AT_FDCWD, "none", err, sizeof(err)),
	    0);
	put("file", "");
	ck_assert_int_eq(fs_remove_tree(AT_FDCWD, "file/\nx", err,
	    sizeof(err)), -1);
	ck_assert_int_eq(errno, ENOTDIR);
	ck_assert_str_eq(err, "cannot remove file/\\nx: Not a directory");
	ck_assert_int_eq(fs_remove_tree(AT_FDCWD, "/proc/self/task", err,
	    sizeof(err)), -1);
	ck_assert_ptr_nonnull(strstr(err, "cannot remove "));
}
END_TEST

START_TEST(free_bytes_are_told)
{
	uint64_t	 n = 0;

	ck_assert_int_eq(fs_free_bytes(".", &n), 0);
	ck_assert(n > 0);
	ck_assert_int_eq(fs_free_bytes("none", &n), -1);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("fsutil");
	TCase	*t = tcase_create("fsutil");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_set_timeout(t, 30);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, write_atomic_replaces_and_leaves_no_temporary);
	tcase_add_test(t, write_atomic_failure_removes_the_temporary);
	tcase_add_test(t, read_file_refuses_link_fifo_folder_and_too_long);
	tcase_add_test(t, mkdir_p_makes_parents_and_refuses_a_file);
	tcase_add_test(t, remove_tree_never_follows_a_link);
	tcase_add_test(t, remove_tree_of_4000_levels);
	tcase_add_test(t, remove_tree_of_what_an_agent_may_leave);
	tcase_add_test(t, remove_tree_names_what_stayed);
	tcase_add_test(t, free_bytes_are_told);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return (failed == 0 ? 0 : 1);
}
