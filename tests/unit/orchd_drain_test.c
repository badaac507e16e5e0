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


/* When nothing that a dead owner started can still act. */

#include <sys/resource.h>
#include <sys/wait.h>

#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "orchd/drain.h"

/* A session's leader and a child of it; *child may be NULL. */
static pid_t
session(struct ident *id, pid_t *child)
{
	pid_t pid, other = 0;
	int p[2];

	ck_assert_int_eq(pipe(p), 0);
	if ((pid = fork()) == 0) {
		(void)setsid();
		/* A test that fails leaves them; not for ever. */
		alarm(60);
		if (child != NULL && (other = fork()) == 0) {
			alarm(60);
			for (;;)
				pause();
		}
		(void)!write(p[1], &other, sizeof(other));
		for (;;)
			pause();
	}
	ck_assert_int_ne(pid, -1);
	ck_assert_int_eq(read(p[0], &other, sizeof(other)), sizeof(other));
	close(p[0]);
	close(p[1]);
	if (child != NULL)
		*child = other;
	ck_assert_int_eq(ident_of_pid(pid, id), 0);
	return (pid);
}

static void
end(pid_t pid)
{
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

START_TEST(a_child_that_outlived_its_owner_can_still_act)
{
	struct ident id;
	pid_t child, pid = session(&id, &child);
	int i;

	ck_assert_int_eq(drained(&id), 0);
	end(pid);
	ck_assert_int_eq(drained(&id), 0);
	/* Another collects it: a zombie acts no more either. */
	ck_assert_int_eq(kill(child, SIGKILL), 0);
	for (i = 0; i < 100 && !drained(&id); i++)
		usleep(10000);
	ck_assert_int_eq(drained(&id), 1);
}
END_TEST

START_TEST(a_pid_that_is_anothers_now_holds_nothing)
{
	struct ident id;
	pid_t pid = session(&id, NULL);

	ck_assert_int_eq(drained(&id), 0);
	id.id_start_time--;
	ck_assert_int_eq(drained(&id), 1);
	end(pid);
}
END_TEST

START_TEST(after_a_reboot_nothing_is_left)
{
	struct ident id;
	pid_t pid = session(&id, NULL);

	id.id_boot_id[0] = id.id_boot_id[0] == '0' ? '1' : '0';
	ck_assert_int_eq(drained(&id), 1);
	end(pid);
}
END_TEST

/* What nobody can look at is not taken for gone. */
START_TEST(without_descriptors_nothing_is_drained)
{
	struct rlimit rl;
	struct ident id;
	pid_t child, pid = session(&id, &child);
	int fd, more;

	end(pid);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &rl), 0);
	ck_assert_int_ne(fd = dup(0), -1);
	close(fd);
	for (more = 0; more < 3; more++) {
		rl.rlim_cur = (rlim_t)(fd + more);
		ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &rl), 0);
		ck_assert_msg(drained(&id) == 0, "%d", more);
	}
	ck_assert_int_eq(kill(child, SIGKILL), 0);
	while (!drained(&id))
		usleep(10000);
	rl.rlim_cur = (rlim_t)fd + 1;	/* now it is gone, but who knows? */
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &rl), 0);
	ck_assert_int_eq(drained(&id), 0);
}
END_TEST

int
main(void)
{
	Suite *su = suite_create("drain");
	TCase *tc = tcase_create("drain");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, a_child_that_outlived_its_owner_can_still_act);
	tcase_add_test(tc, a_pid_that_is_anothers_now_holds_nothing);
	tcase_add_test(tc, after_a_reboot_nothing_is_left);
	tcase_add_test(tc, without_descriptors_nothing_is_drained);
	suite_add_tcase(su, tc);
	sr = srunner_create(su);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}
