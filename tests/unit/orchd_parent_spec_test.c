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

#include <sys/mman.h>
#include <sys/stat.h>

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libcommon/sandbox.h"
#include "orchd/parent.h"

#define HEX	"0123456789abcdef0123456789abcdef01234567"

static const uint8_t	 key[32] = { 1 };
static struct conf	*cf;
static struct strlist	 shell;
static char		 err[512];
static char		 secret[] = "/tmp/orchd-spec-XXXXXX";

static void
setup(void)
{
	char	 text[4096];
	int	 fd;

	ck_assert_int_ge(fd = mkstemp(secret), 0);
	ck_assert_int_eq(write(fd, "s3cret-value\n", 13), 13);
	close(fd);
	snprintf(text, sizeof(text), "state \"/s\"\nruntime \"/r\"\n"
	    "kill_grace_s 7\nnotify pager exec \"/bin/page\" \"-x\"\n"
	    "agent analyst { command \"an\" }\n"
	    "agent architect { command \"ar\" }\n"
	    "agent developer { command \"dev\" \"-p\"; timeout 50; memory 2\n"
	    "\tprocesses 9; network allow { \"h.example\" }; result codex\n"
	    "\ttransient \"x\"; sandbox landlock; bind \"/b\"\n"
	    "\tenv { KEY file \"%s\"; LIT \"v\"; SHELLED } }\n"
	    "agent reviewer { command \"re\" }\n"
	    "agent tester { command \"te\"; prompt file \"/nowhere\" }\n"
	    "project tally {\n\tprefix DEMO\n\tforge local from \".\"\n"
	    "\ttracker local\n\ttest report \"make\" \"check\"\n"
	    "\tcoverage \"cov\"\n\tstaging deploy \"sd\"\n"
	    "\tstaging check \"sc\"\n\tstaging network open\n"
	    "\tstaging known-infra { k }\n\tsecurity \"sec\"\n"
	    "\tgate lint in review command \"li\"\n"
	    "\tarchitect writes \"docs/\"\n"
	    "\tdeploy hook \"/hook\" \"a\"\n"
	    "\tpost_deploy_base_url \"http://h/\"\n"
	    "\ttest_timeout_s 11\n\tmerge_retest_timeout_s 12\n"
	    "\tstaging_check_timeout_s 21\n}\n", secret);
	ck_assert_int_ge(fd = memfd_create("c", 0), 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (int)strlen(text));
	ck_assert_int_eq(conf_parse_fd(fd, "t", CONF_QUIET, &cf, stderr), 0);
	close(fd);
	strlist_add(&shell, "SHELLED=from the shell");
	strlist_add(&shell, "SHELLED2=not this");
}

static void
teardown(void)
{
	conf_free(cf);
	strlist_free(&shell);
	unlink(secret);
}

static struct orch_spawn
request(enum orch_kind kind, const char *role, const char *gate)
{
	struct orch_spawn	 rq;

	memset(&rq, 0, sizeof(rq));
	rq.run = 42;
	rq.kind = (uint8_t)kind;
	rq.project = "tally";
	rq.role = role;
	rq.gate = gate;
	rq.key.b_data = key;
	rq.key.b_len = sizeof(key);
	rq.work_item = "DEMO-1";
	rq.revision = rq.tree = rq.previous = rq.image = "";
	return (rq);
}

static struct run_plan *
plan(const struct orch_spawn *rq)
{
	struct run_paths	 pa = { "/bin/runner", "/prompts", &shell };

	err[0] = '\0';
	return (run_plan_new(cf, &pa, rq, err, sizeof(err)));
}

static void
refused(const struct orch_spawn *rq, const char *why)
{
	ck_assert_ptr_null(plan(rq));
	ck_assert_msg(strstr(err, why) != NULL, "\"%s\" instead of \"%s\"",
	    err, why);
}

START_TEST(an_agent_gets_what_its_block_says_and_no_more)
{
	struct orch_spawn		 rq = request(KIND_AGENT,
					    "developer", "");
	const struct orch_run_spec	*sp;
	struct run_plan			*rl;

	ck_assert_msg((rl = plan(&rq)) != NULL, "%s", err);
	ck_assert(!run_plan_is_worker(rl));
	sp = run_plan_spec(rl);
	ck_assert_uint_eq(sp->run, 42);
	ck_assert_str_eq(sp->socket, "/r/engine.sock");
	ck_assert_str_eq(sp->mirror, "/s/mirror/tally.git");
	ck_assert_str_eq(sp->workroot, "/s/ws/42");
	ck_assert_str_eq(sp->self, "/bin/runner");
	ck_assert_str_eq(sp->argv.l_argv[0], "dev");
	ck_assert_str_eq(sp->argv.l_argv[1], "-p");
	ck_assert_ptr_null(sp->argv.l_argv[2]);
	ck_assert_str_eq(sp->env.l_argv[0], "KEY=s3cret-value");
	ck_assert_str_eq(sp->env.l_argv[1], "LIT=v");
	ck_assert_str_eq(sp->env.l_argv[2], "SHELLED=from the shell");
	ck_assert_ptr_null(sp->env.l_argv[3]);
	ck_assert_uint_eq(sp->timeout_s, 50);
	ck_assert_uint_eq(sp->grace_s, 7);
	ck_assert_uint_eq(sp->mem_max, 2 << 20);
	ck_assert_uint_eq(sp->nproc_max, 9);
	ck_assert_uint_eq(sp->sandbox, SANDBOX_LANDLOCK);
	ck_assert_uint_eq(sp->net, SANDBOX_NET_ALLOW);
	ck_assert_str_eq(sp->hosts.l_argv[0], "h.example");
	ck_assert_str_eq(sp->ro_binds.l_argv[0], "/b");
	ck_assert_uint_eq(sp->result, 2);
	run_plan_free(rl);
}
END_TEST

START_TEST(an_agent_without_its_secret_prompt_or_variable_is_refused)
{
	struct orch_spawn	 rq = request(KIND_AGENT, "tester", "");

	refused(&rq, "prompt \"/nowhere\": No such file or directory");
	rq.role = "developer";
	strlist_free(&shell);
	refused(&rq, "agent developer: env SHELLED: orchd was started without "
	    "this variable");
	unlink(secret);
	refused(&rq, "secret file \"/tmp/orchd-spec-");
}
END_TEST

/* Its project, if any, is the message's business and not its box's. */
START_TEST(a_message_gets_its_command_and_no_project)
{
	struct orch_spawn		 rq = request(KIND_EXEC, "", "pager");
	const struct orch_run_spec	*sp;
	struct run_plan			*rl;

	rq.project = rq.work_item = "";
	ck_assert_msg((rl = plan(&rq)) != NULL, "%s", err);
	ck_assert(!run_plan_is_worker(rl));
	sp = run_plan_spec(rl);
	ck_assert_str_eq(sp->argv.l_argv[0], "/bin/page");
	ck_assert_str_eq(sp->argv.l_argv[1], "-x");
	ck_assert_ptr_null(sp->argv.l_argv[2]);
	ck_assert_ptr_null(sp->env.l_argv[0]);
	ck_assert_str_eq(sp->mirror, "");
	ck_assert_str_eq(sp->project, "");
	ck_assert_uint_eq(sp->net, SANDBOX_NET_OPEN);
	ck_assert_uint_eq(sp->timeout_s, CONF_EXEC_LIMIT_S);
	ck_assert_str_eq(sp->token == NULL ? "" : sp->token, "");
	run_plan_free(rl);
}
END_TEST

START_TEST(names_that_the_configuration_lacks_are_refused)
{
	struct orch_spawn	 rq = request(KIND_AGENT, "deployer", "");

	refused(&rq, "project tally has no agent \"deployer\"");
	rq.role = "../developer";
	refused(&rq, "project tally has no agent \"../developer\"");
	rq = request(KIND_GATE, "", "check_image");
	refused(&rq, "project tally has no gate \"check_image\"");
	rq.project = "other";
	refused(&rq, "project \"other\" is not in the configuration");
	rq = request(KIND_EXEC, "", "chat");
	refused(&rq, "no notify exec line is called \"chat\"");
	rq = request(KIND_HOOK, "", "rollback");
	rq.revision = HEX;
	refused(&rq, "project tally has no rollback hook");
}
END_TEST

START_TEST(texts_that_break_their_pattern_are_refused)
{
	struct orch_spawn	 rq = request(KIND_HOOK, "", "");

	refused(&rq, "hook without work item or revision");
	rq.revision = "HEAD";
	refused(&rq, "malformed: revision");
	rq.revision = HEX;
	rq.tree = "0123";
	refused(&rq, "malformed: tree");
	rq.tree = HEX;
	rq.previous = HEX "0";
	refused(&rq, "malformed: previous revision");
	rq.previous = "";
	rq.image = "a image";
	refused(&rq, "malformed: image");
	rq.image = "--privileged";
	refused(&rq, "malformed: image");
	rq.image = "";
	rq.work_item = "../DEMO-1";
	refused(&rq, "malformed: work item");
	rq.work_item = "DEMO-1";
	rq.key.b_len = 31;
	refused(&rq, "malformed: key");
	rq.key.b_len = 32;
	rq.run = 0;
	refused(&rq, "malformed: run");
}
END_TEST

START_TEST(a_hook_gets_its_contract_as_environment_only)
{
	static const char *const want[] = {
		"ORCH_WORK_ITEM=DEMO-1", ("ORCH_EXPECTED_REVISION=" HEX),
		"ORCH_EXPECTED_TREE=", "ORCH_PREVIOUS_REVISION=",
		"ORCH_SOURCE_IMAGE=reg.example/a:1",
		"ORCH_MIRROR=/s/mirror/tally.git",
		"ORCH_RESULT_FILE=/s/result/42",
	};
	struct orch_spawn		 rq = request(KIND_HOOK, "", "");
	const struct orch_run_spec	*sp;
	struct run_plan			*rl;
	size_t				 i;

	rq.revision = HEX;
	rq.image = "reg.example/a:1";
	ck_assert_msg((rl = plan(&rq)) != NULL, "%s", err);
	sp = run_plan_spec(rl);
	ck_assert_str_eq(sp->argv.l_argv[0], "/hook");
	ck_assert_str_eq(sp->argv.l_argv[1], "a");
	ck_assert_ptr_null(sp->argv.l_argv[2]);
	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		ck_assert_str_eq(sp->env.l_argv[i], want[i]);
	ck_assert_ptr_null(sp->env.l_argv[i]);
	ck_assert_str_eq(sp->result_file, "/s/result/42");
	ck_assert_uint_eq(sp->timeout_s, 1800);
	run_plan_free(rl);
}
END_TEST

START_TEST(each_gate_has_its_command_limit_and_network)
{
	static const struct {
		const char	*gate;
		const char	*argv;
		uint32_t	 limit;
		int		 report;
		int		 net;
	} rows[] = {
		{ "check_tests_local", "make", 11, 1, SANDBOX_NET_NONE },
		{ "check_tests_passed", "make", 11, 1, SANDBOX_NET_NONE },
		{ "check_branch_mergeable", "make", 12, 1, SANDBOX_NET_NONE },
		{ "check_coverage", "cov", 900, 0, SANDBOX_NET_NONE },
		{ "check_security", "sec", 300, 0, SANDBOX_NET_NONE },
		{ "check_staging_status", "sd", 11, 0, SANDBOX_NET_OPEN },
		{ "lint", "li", 11, 0, SANDBOX_NET_NONE },
		{ "check_reviewer_verdict", NULL, 600, 0, SANDBOX_NET_NONE },
	};
	struct orch_spawn		 rq;
	const struct orch_run_spec	*sp;
	struct run_plan			*rl;
	size_t				 i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		rq = request(KIND_GATE, "", rows[i].gate);
		ck_assert_msg((rl = plan(&rq)) != NULL, "%s", err);
		sp = run_plan_spec(rl);
		if (rows[i].argv != NULL)
			ck_assert_str_eq(sp->argv.l_argv[0], rows[i].argv);
		else
			ck_assert_ptr_null(sp->argv.l_argv[0]);
		ck_assert_uint_eq(sp->timeout_s, rows[i].limit);
		ck_assert_int_eq(sp->report, rows[i].report);
		ck_assert_int_eq(sp->net, rows[i].net);
		/* No gate sees an agent's secret. */
		ck_assert_ptr_null(sp->env.l_argv[0]);
		run_plan_free(rl);
	}
}
END_TEST

START_TEST(staging_deploy_and_check_share_one_limit)
{
	struct orch_spawn		 rq = request(KIND_GATE, "",
					    "check_staging_status");
	const struct orch_run_spec	*sp;
	struct run_plan			*rl;

	ck_assert_msg((rl = plan(&rq)) != NULL, "%s", err);
	sp = run_plan_spec(rl);
	ck_assert_str_eq(sp->argv2.l_argv[0], "sc");
	ck_assert_uint_eq(sp->timeout_s + sp->timeout2_s, 21);
	ck_assert_str_eq(sp->known_infra.l_argv[0], "k");
	run_plan_free(rl);
}
END_TEST

START_TEST(workers_and_imports_get_no_command)
{
	struct orch_spawn		 rq = request(KIND_TRANSITION, "", "");
	const struct orch_run_spec	*sp;
	struct run_plan			*rl;

	ck_assert_msg((rl = plan(&rq)) != NULL, "%s", err);
	ck_assert(run_plan_is_worker(rl));
	sp = run_plan_spec(rl);
	ck_assert_ptr_null(sp->argv.l_argv[0]);
	ck_assert_str_eq(sp->records, "orchd/records");
	ck_assert_str_eq(sp->probe_url, "http://h/");
	run_plan_free(rl);
	rq = request(KIND_IMPORT, "developer", "");
	ck_assert_msg((rl = plan(&rq)) != NULL, "%s", err);
	ck_assert(!run_plan_is_worker(rl));
	sp = run_plan_spec(rl);
	ck_assert_ptr_null(sp->argv.l_argv[0]);
	ck_assert_ptr_null(sp->env.l_argv[0]);
	ck_assert_str_eq(sp->writes.l_argv[0], "docs/");
	run_plan_free(rl);
}
END_TEST

START_TEST(a_secret_with_nul_too_long_or_empty_is_refused)
{
	char	*s, text[5000];
	int	 fd = open(secret, O_WRONLY | O_TRUNC);

	ck_assert_ptr_null(secret_read(secret, err, sizeof(err)));
	ck_assert_ptr_nonnull(strstr(err, "is empty"));
	ck_assert_int_eq(write(fd, "a\0b", 3), 3);
	ck_assert_ptr_null(secret_read(secret, err, sizeof(err)));
	ck_assert_ptr_nonnull(strstr(err, "has a NUL byte"));
	memset(text, 'x', sizeof(text));
	ck_assert_int_eq(pwrite(fd, text, 4096, 0), 4096);
	ck_assert_ptr_null(secret_read(secret, err, sizeof(err)));
	ck_assert_ptr_nonnull(strstr(err, "longer than 4095 bytes"));
	ck_assert_int_eq(ftruncate(fd, 4095), 0);
	ck_assert_ptr_nonnull(s = secret_read(secret, err, sizeof(err)));
	ck_assert_uint_eq(strlen(s), 4095);
	secret_free(s);
	close(fd);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("parent_spec");
	TCase	*tc = tcase_create("parent_spec");
	SRunner	*sr;
	int	 failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, an_agent_gets_what_its_block_says_and_no_more);
	tcase_add_test(tc,
	    an_agent_without_its_secret_prompt_or_variable_is_refused);
	tcase_add_test(tc, a_message_gets_its_command_and_no_project);
	tcase_add_test(tc, names_that_the_configuration_lacks_are_refused);
	tcase_add_test(tc, texts_that_break_their_pattern_are_refused);
	tcase_add_test(tc, a_hook_gets_its_contract_as_environment_only);
	tcase_add_test(tc, each_gate_has_its_command_limit_and_network);
	tcase_add_test(tc, staging_deploy_and_check_share_one_limit);
	tcase_add_test(tc, workers_and_imports_get_no_command);
	tcase_add_test(tc, a_secret_with_nul_too_long_or_empty_is_refused);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed > 0);
}
