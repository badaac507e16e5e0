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

#include <signal.h>

#include "git_fixture.h"
#include "libcommon/git_lock.h"

#define ERR	fx_err, sizeof(fx_err)

static char first[GIT_OID_SIZE];

static void
open_with_branch(void)
{
	fx_open();
	fx_commit("Second", first);
	fx_push("main");
}

/* What a git that was killed leaves: a lock, with its new value or empty. */
static void
leave_lock(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s.lock", fx_bare, name);
	fx_put(path, first, 40);
}

static int
is_there(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s.lock", fx_bare, name);
	return (access(path, F_OK) == 0);
}

/* A git at work in a folder, until its input ends; how it is named there. */
static pid_t
living_git(const char *cwd, const char *dir, int *in)
{
	int p[2];
	pid_t pid;

	ck_assert_int_eq(pipe(p), 0);
	if ((pid = fork()) == 0) {
		dup2(p[0], 0);
		close(p[1]);
		if (chdir(cwd) == -1)
			_exit(126);
		if (dir == NULL)
			execlp("git", "git", "cat-file", "--batch",
			    (char *)NULL);
		execlp("git", "git", "--git-dir", dir, "cat-file", "--batch",
		    (char *)NULL);
		_exit(127);
	}
	close(p[0]);
	*in = p[1];
	usleep(200000);
	return (pid);
}

static void
end(pid_t pid, int in)
{
	close(in);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

START_TEST(a_lock_without_a_holder_is_removed_and_the_change_is_made)
{
	char now[GIT_OID_SIZE];

	open_with_branch();
	(void)mkdir(fx_path("mirror.git/refs/orchd"), 0755);
	(void)mkdir(fx_path("mirror.git/refs/orchd/task"), 0755);
	leave_lock("refs/orchd/task/DEMO-1");
	ck_assert_msg(git_update_ref(&fx_repo, "refs/orchd/task/DEMO-1",
	    first, GIT_ZERO_OID, ERR) == GIT_OK, "%s", fx_err);
	ck_assert_int_eq(git_read_ref(&fx_repo, "refs/orchd/task/DEMO-1",
	    now, ERR), GIT_OK);
	ck_assert_str_eq(now, first);
	ck_assert(!is_there("refs/orchd/task/DEMO-1"));
	fx_close();
}
END_TEST

START_TEST(a_lock_of_all_packed_references_is_removed_too)
{
	open_with_branch();
	leave_lock("packed-refs");
	ck_assert_msg(git_delete_ref(&fx_repo, "refs/heads/main", first,
	    ERR) == GIT_OK, "%s", fx_err);
	ck_assert(!is_there("packed-refs"));
	fx_close();
}
END_TEST

/* Its arguments name the repository, or it stands in it. */
START_TEST(a_lock_stays_while_a_git_lives_in_that_repository)
{
	int in;
	pid_t pid;

	open_with_branch();
	pid = _i == 0 ? living_git("/", fx_bare, &in) :
	    living_git(fx_bare, NULL, &in);
	leave_lock("refs/heads/main");
	/* A stopped one lives. */
	kill(pid, SIGSTOP);
	ck_assert_int_eq(git_delete_ref(&fx_repo, "refs/heads/main", first,
	    ERR), GIT_ERR);
	ck_assert(is_there("refs/heads/main"));
	kill(pid, SIGCONT);
	end(pid, in);
	ck_assert_int_eq(git_delete_ref(&fx_repo, "refs/heads/main", first,
	    ERR), GIT_OK);
	fx_close();
}
END_TEST

START_TEST(a_git_in_another_repository_holds_nothing_here)
{
	int in;
	pid_t pid;

	open_with_branch();
	pid = living_git(fx_src, NULL, &in);
	leave_lock("refs/heads/main");
	ck_assert_int_eq(git_delete_ref(&fx_repo, "refs/heads/main", first,
	    ERR), GIT_OK);
	end(pid, in);
	fx_close();
}
END_TEST

/* Others are at work all the time; they came after the lock. */
START_TEST(a_git_that_came_after_the_lock_does_not_hold_it)
{
	pid_t pid;
	int in;

	open_with_branch();
	leave_lock("refs/heads/main");
	if ((pid = fork()) == 0) {
		usleep(400000);
		pid = living_git("/", fx_bare, &in);
		sleep(3);
		end(pid, in);
		_exit(0);
	}
	ck_assert_int_eq(git_delete_ref(&fx_repo, "refs/heads/main", first,
	    ERR), GIT_OK);
	/* It lives still: that is what made it hard. */
	ck_assert_int_eq(waitpid(pid, NULL, WNOHANG), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	fx_close();
}
END_TEST

START_TEST(what_is_no_lock_is_left_alone)
{
	open_with_branch();
	ck_assert_int_eq(git_lock_gone(fx_bare, "refs/heads/main"), 0);
	ck_assert_int_eq(symlink("/etc/passwd",
	    fx_path("mirror.git/refs/heads/main.lock")), 0);
	ck_assert_int_eq(git_lock_gone(fx_bare, "refs/heads/main"), 0);
	ck_assert(is_there("refs/heads/main"));
	ck_assert_int_eq(git_lock_gone("/nonexistent", "refs/heads/main"),
	    0);
	fx_close();
}
END_TEST

int
main(void)
{
	Suite *su = suite_create("git_lock");
	TCase *tc = tcase_create("git_lock");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc,
	    a_lock_without_a_holder_is_removed_and_the_change_is_made);
	tcase_add_test(tc, a_lock_of_all_packed_references_is_removed_too);
	tcase_add_loop_test(tc,
	    a_lock_stays_while_a_git_lives_in_that_repository, 0, 2);
	tcase_add_test(tc, a_git_in_another_repository_holds_nothing_here);
	tcase_add_test(tc, a_git_that_came_after_the_lock_does_not_hold_it);
	tcase_add_test(tc, what_is_no_lock_is_left_alone);
	suite_add_tcase(su, tc);
	sr = srunner_create(su);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed ? EXIT_FAILURE : EXIT_SUCCESS);
}
