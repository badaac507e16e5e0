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

#include "orchd/conf.h"

#define AGENTS								\
	"agent analyst { command \"sh\" }\n"				\
	"agent architect { command \"sh\" }\n"				\
	"agent developer { command \"sh\" \"a\"; timeout 50; memory 9 }\n" \
	"agent reviewer { command \"sh\" }\n"				\
	"agent tester { command \"sh\" }\n"
#define PROJECT_OPEN							\
	"project tally {\n\tprefix DEMO\n\tforge local from \".\"\n"	\
	"\ttracker local\n\ttest \"make\"\n\tdeploy hook \"true\"\n"
#define PROJECT	PROJECT_OPEN "}\n"

static char	*said;		/* what the last parse wrote */

/* Parse a text that is called NAME; NULL when it is refused. */
static struct conf *
parse(const char *name, const char *text, int flags)
{
	struct conf	*cf = NULL;
	size_t		 len = 0;
	FILE		*err;
	int		 fd = memfd_create("conf", MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (int)strlen(text));
	free(said);
	said = NULL;
	err = open_memstream(&said, &len);
	if (conf_parse_fd(fd, name, flags, &cf, err) == -1)
		ck_assert_ptr_null(cf);
	fclose(err);
	close(fd);
	return (cf);
}

static char *
print(const struct conf *cf)
{
	char	*text = NULL;
	size_t	 len = 0;
	FILE	*fp = open_memstream(&text, &len);

	ck_assert_int_eq(conf_print(cf, fp), 0);
	fclose(fp);
	return (text);
}

static void
refuse(const char *text, const char *reason)
{
	ck_assert_ptr_null(parse("t.conf", text, 0));
	ck_assert_msg(strstr(said, reason) != NULL, "not said: %s\nbut: %s",
	    reason, said);
}

START_TEST(the_printed_form_parses_to_the_same)
{
	static const char	 text[] = "watch_proc_patterns { }\n" AGENTS
	    PROJECT_OPEN
	    "\tcoverage_tolerance 0.125\n"
	    "\ttest_timeout_s 3\n"
	    "\tstatus { \"Done\" \"A \\\"quoted\\\" \\\\ name\" }\n"
	    "\tgate g in review command report \"a\\nb\" \"\"\n"
	    "\tagent tester { env { A \"\"; B file \"x\"; C } }\n}\n";
	struct conf		*a, *b;
	char			*first, *second;

	ck_assert_ptr_nonnull(a = parse("/d/a.conf", text, CONF_QUIET));
	first = print(a);
	ck_assert_ptr_nonnull(b = parse("/other/b.conf", first, CONF_QUIET));
	second = print(b);
	ck_assert_str_eq(first, second);
	ck_assert_str_eq(b->cf_projects[0].cp_status[CONF_STATUS_DONE],
	    "A \"quoted\" \\ name");
	ck_assert_str_eq(b->cf_projects[0].cp_gates[0].cg_cmd.cc_argv.sl_v[0],
	    "a\nb");
	ck_assert_uint_eq(conf_list(b, NULL, OPT_WATCH_PROC_PATTERNS)->sl_n,
	    0);
	free(first);
	free(second);
	conf_free(a);
	conf_free(b);
}
END_TEST

START_TEST(project_over_environment_over_file_over_default)
{
	static const char	 text[] = "serial_limit 2\nmax_attempts 3\n"
	    AGENTS PROJECT_OPEN "\tmax_attempts 5\n}\n";
	const struct conf_project *cp;
	struct conf		*cf;

	setenv("ORCH_MAX_ATTEMPTS", "4", 1);
	setenv("ORCH_TRANSIENT_MAX", "9", 1);
	ck_assert_ptr_nonnull(cf = parse("t", text, CONF_ENVIRON));
	cp = conf_project_by_name(cf, "tally");
	ck_assert_int_eq(conf_int(cf, cp, OPT_MAX_ATTEMPTS), 5);
	ck_assert_int_eq(conf_int(cf, NULL, OPT_MAX_ATTEMPTS), 4);
	ck_assert_int_eq(conf_int(cf, cp, OPT_TRANSIENT_MAX), 9);
	ck_assert_int_eq(conf_int(cf, cp, OPT_SERIAL_LIMIT), 2);
	ck_assert_int_eq(conf_int(cf, cp, OPT_KILL_GRACE_S), 10);
	conf_free(cf);
	/* The engine reads the printed form without the environment. */
	ck_assert_ptr_nonnull(cf = parse("t", text, 0));
	ck_assert_int_eq(conf_int(cf, NULL, OPT_MAX_ATTEMPTS), 3);
	conf_free(cf);
	setenv("ORCH_MAX_ATTEMPTS", "four", 1);
	ck_assert_ptr_null(parse("t", text, CONF_ENVIRON));
	ck_assert_str_eq(said, "environment: ORCH_MAX_ATTEMPTS: \"four\" is "
	    "not a whole number from 1 to 100\n");
}
END_TEST

START_TEST(a_project_agent_inherits_what_it_does_not_say)
{
	const struct conf_agent	*ca, *global;
	const struct conf_project *cp;
	struct conf		*cf;

	ck_assert_ptr_nonnull(cf = parse("t", AGENTS PROJECT_OPEN
	    "\tagent developer { timeout 70; network open }\n}\n", 0));
	cp = &cf->cf_projects[0];
	ca = conf_agent_for(cf, cp, CONF_ROLE_DEVELOPER);
	global = conf_agent_for(cf, NULL, CONF_ROLE_DEVELOPER);
	ck_assert_ptr_ne(ca, global);
	ck_assert_int_eq(conf_agent_timeout(cf, cp, ca), 70);
	ck_assert_int_eq(conf_agent_timeout(cf, cp, global), 50);
	ck_assert_str_eq(ca->ca_command.sl_v[1], "a");
	ck_assert_int_eq(ca->ca_memory_mb, 9);
	ck_assert_int_eq(ca->ca_net, CONF_NET_OPEN);
	ck_assert_int_eq(global->ca_net, CONF_NET_NONE);
	ck_assert_uint_eq(ca->ca_index, 5);
	ck_assert_ptr_eq(cf->cf_agents[5], ca);
	ca = conf_agent_for(cf, cp, CONF_ROLE_TESTER);
	ck_assert_int_eq(conf_agent_timeout(cf, cp, ca), 3600);
	ck_assert_ptr_null(conf_agent_for(cf, cp, CONF_ROLE_DEPLOYER));
	conf_free(cf);
}
END_TEST

START_TEST(paths_count_from_the_folder_of_the_file)
{
	struct conf	*cf;
	char		*cwd = getcwd(NULL, 0), want[4200];

	ck_assert_ptr_nonnull(cf = parse("/etc/x/t.conf", "state \"s\"\n"
	    "runtime \"/r\"\n" AGENTS PROJECT_OPEN "\tagent tester { command "
	    "\"./bin/t\" \"./arg\" }\n}\n", 0));
	ck_assert_str_eq(cf->cf_state, "/etc/x/s");
	ck_assert_str_eq(cf->cf_runtime, "/r");
	ck_assert_str_eq(conf_agent_for(cf, &cf->cf_projects[0],
	    CONF_ROLE_TESTER)->ca_command.sl_v[0], "/etc/x/bin/t");
	ck_assert_str_eq(conf_agent_for(cf, &cf->cf_projects[0],
	    CONF_ROLE_TESTER)->ca_command.sl_v[1], "./arg");
	/* A program without a slash is looked up where it runs. */
	ck_assert_str_eq(cf->cf_projects[0].cp_cmd[CONF_CMD_DEPLOY_HOOK].
	    cc_argv.sl_v[0], "true");
	conf_free(cf);
	ck_assert_ptr_nonnull(cf = parse("t.conf", "state \"s\"\n" AGENTS
	    PROJECT, 0));
	snprintf(want, sizeof(want), "%s/s", cwd);
	ck_assert_str_eq(cf->cf_state, want);
	conf_free(cf);
	free(cwd);
}
END_TEST

START_TEST(all_faults_come_in_one_run_in_the_order_of_lines)
{
	const char	*a, *b, *c;

	refuse("max_attempts x\n" AGENTS PROJECT "serial_limt 3\n"
	    "transient_max y\n", "t.conf:1: max_attempts: \"x\"");
	a = strstr(said, "t.conf:1:");
	b = strstr(said, "t.conf:14: \"serial_limt\" is not known here");
	c = strstr(said, "t.conf:15: transient_max: \"y\"");
	ck_assert(a != NULL && b != NULL && c != NULL && a < b && b < c);
}
END_TEST

START_TEST(an_unknown_forge_names_what_is_possible)
{
	refuse(AGENTS "project tally {\n\tprefix DEMO\n\tforge \"giteaa\"\n"
	    "}\n", "t.conf:8: project \"tally\": forge \"giteaa\" is not "
	    "known (gitea, local)");
}
END_TEST

START_TEST(a_fault_says_one_line_whatever_the_text_holds)
{
	refuse("\"a\\nfatal: b\" 1\n" AGENTS PROJECT,
	    "t.conf:1: \"a\\x0afatal: b\" is not known here");
}
END_TEST

START_TEST(a_limit_above_the_ceiling_is_refused_with_its_numbers)
{
	refuse("reaper_max_running_s 7200\nagent_timeout_s 6900\n"
	    "watch_proc_age_s 7000\n" AGENTS PROJECT, "reaper_max_running_s "
	    "7200 (t.conf:1) has to be greater than 7200: timeout 6900 of "
	    "agent analyst (t.conf:4) + reaper_finalize_grace_s 300");
	refuse("reaper_max_running_s 6600\n" AGENTS PROJECT,
	    "reaper_max_running_s 6600 (t.conf:1) has to be greater than "
	    "6600");
	refuse("watch_proc_age_s 3600\n" AGENTS PROJECT, "watch_proc_age_s "
	    "3600 (t.conf:1) has to be greater than timeout 3600 of agent "
	    "analyst");
}
END_TEST

/* Every limit that is refused at the value and taken one below or above. */
static const struct {
	const char	*global;
	const char	*project;
	const char	*said;		/* NULL: it is taken */
} limits[] = {
	/* 300 + 2 x 900 + 900 + 900 + 2 x 600 + 1200 + 300 = 6600 */
	{ "reaper_max_running_s 6601", "", NULL },
	{ "reaper_max_running_s 6600", "", "6600 (t.conf:1) has to be greater "
	    "than 6600: security_timeout_s 300 + 2 x merge_" },
	{ "reaper_max_running_s 6601", "staging_check_timeout_s 601",
	    "6602: security_timeout_s 300 + 2 x merge_retest_timeout_s 900 + "
	    "coverage_run_timeout_s 900 + image_build_timeout_s 900 + "
	    "2 x staging_check_timeout_s 601 (t.conf:" },
	{ "reaper_max_running_s 6601", "security_timeout_s 301",
	    "6601: security_timeout_s 301 (t.conf:" },
	{ "reaper_max_running_s 6601\nreaper_finalize_grace_s 301", "",
	    "6601: security_timeout_s 300" },
	{ "watch_proc_age_s 6000", "test_timeout_s 5900", NULL },
	{ "watch_proc_age_s 9000\nreaper_max_running_s 7000", "test_timeout_s "
	    "6700", "7000 (t.conf:2) has to be greater than 7000: "
	    "test_timeout_s 6700 (t.conf:" },
	{ "watch_proc_age_s 9000", "deploy_timeout_s 6899", NULL },
	{ "watch_proc_age_s 9000", "deploy_timeout_s 6900",
	    "7200 has to be greater than 7200: deploy_timeout_s 6900 (t.conf:"
	    },
	{ "", "gate g in deploy-staging command \"a\"", "7500: security" },
	{ "", "post_deploy_window_s 9000", NULL },
	{ "", "post_deploy_window_s 9000\npost_deploy_base_url "
	    "\"http://127.0.0.1/\"", "9300: post_deploy_window_s 9000 "
	    "(t.conf:" },
	{ "watch_proc_age_s 3601", "", NULL },
	{ "watch_proc_age_s 3601", "security_timeout_s 3601",
	    "watch_proc_age_s 3601 (t.conf:1) has to be greater than "
	    "security_timeout_s 3601 (t.conf:" },
	{ "watch_proc_age_s 3601", "test_timeout_s 3601", "than "
	    "test_timeout_s 3601 (t.conf:" },
	{ "watch_proc_age_s 3601", "merge_retest_timeout_s 3601", "than "
	    "merge_retest_timeout_s 3601 (t.conf:" },
	{ "watch_proc_age_s 3601", "coverage_run_timeout_s 3601", "than "
	    "coverage_run_timeout_s 3601 (t.conf:" },
	{ "watch_proc_age_s 3601", "image_build_timeout_s 3601", "than "
	    "image_build_timeout_s 3601 (t.conf:" },
	{ "watch_proc_age_s 3601", "staging_check_timeout_s 3601", "than "
	    "staging_check_timeout_s 3601 (t.conf:" },
	{ "watch_proc_age_s 3601", "deploy_timeout_s 3601", "than "
	    "deploy_timeout_s 3601 (t.conf:" },
	{ "agent_timeout_s 10\ntest_timeout_s 10\nsecurity_timeout_s 10\n"
	    "merge_retest_timeout_s 10\ncoverage_run_timeout_s 10\n"
	    "image_build_timeout_s 10\nstaging_check_timeout_s 10\n"
	    "ci_wait_timeout_s 10\ndeploy_timeout_s 10\n"
	    "reaper_max_running_s 900", "", "900 (t.conf:10) has to be "
	    "greater than 900: 600 of an import" },
};

START_TEST(every_sum_of_limits_is_refused_at_the_ceiling_and_not_below)
{
	char text[4096];
	struct conf *cf;

	snprintf(text, sizeof(text), "%s\n" AGENTS PROJECT_OPEN "%s\n}\n",
	    limits[_i].global, limits[_i].project);
	if (limits[_i].said != NULL) {
		refuse(text, limits[_i].said);
		return;
	}
	cf = parse("t.conf", text, 0);
	ck_assert_msg(cf != NULL, "%s", said);
	conf_free(cf);
}
END_TEST

START_TEST(own_gates_of_the_edge_count_in_the_sum)
{
	refuse(AGENTS PROJECT_OPEN "\tgate g in deploy-staging command \"a\"\n"
	    "}\n", "+ 1 own gates x test_timeout_s 900");
}
END_TEST

START_TEST(a_socket_path_of_107_bytes_is_the_longest)
{
	char		 text[1024], path[120];
	struct conf	*cf;

	memset(path, 'r', sizeof(path));
	path[0] = '/';
	path[107 - 13] = '\0';
	snprintf(text, sizeof(text), "runtime \"%s\"\n" AGENTS PROJECT, path);
	ck_assert_ptr_nonnull(cf = parse("t.conf", text, 0));
	conf_free(cf);
	path[107 - 13] = 'r';
	path[108 - 13] = '\0';
	snprintf(text, sizeof(text), "runtime \"%s\"\n" AGENTS PROJECT, path);
	refuse(text, "has 108 bytes, a socket's may have 107");
}
END_TEST

START_TEST(fifo_folder_nul_and_size_are_refused)
{
	char		 tmp[] = "/tmp/orchd-conf-XXXXXX", name[80];
	struct conf	*cf;
	size_t		 len = 0;
	char		*text = NULL;
	FILE		*err = open_memstream(&text, &len), *fp;

	ck_assert_ptr_nonnull(mkdtemp(tmp));
	snprintf(name, sizeof(name), "%s/fifo", tmp);
	ck_assert_int_eq(mkfifo(name, 0600), 0);
	ck_assert_int_eq(conf_parse_file(name, 0, &cf, err), -1);
	unlink(name);
	ck_assert_int_eq(conf_parse_file(tmp, 0, &cf, err), -1);
	ck_assert_int_eq(conf_parse_file(name, 0, &cf, err), -1);
	fp = fopen(name, "w");
	ck_assert_int_eq(ftruncate(fileno(fp), 1024 * 1024 + 1), 0);
	fclose(fp);
	ck_assert_int_eq(conf_parse_file(name, 0, &cf, err), -1);
	ck_assert_int_eq(truncate(name, 10), 0);
	ck_assert_int_eq(conf_parse_file(name, 0, &cf, err), -1);
	unlink(name);
	rmdir(tmp);
	fclose(err);
	ck_assert_ptr_nonnull(strstr(text, "fifo: is not a regular file\n"));
	ck_assert_ptr_nonnull(strstr(text, ": is a directory\n"));
	ck_assert_ptr_nonnull(strstr(text, ": No such file or directory\n"));
	ck_assert_ptr_nonnull(strstr(text, ": is larger than 1 MiB\n"));
	ck_assert_ptr_nonnull(strstr(text, ": has a NUL byte"));
	free(text);
}
END_TEST

START_TEST(a_secret_that_others_can_write_is_refused)
{
	char		 tmp[] = "/tmp/orchd-conf-XXXXXX", text[2048];
	struct conf	*cf;
	int		 fd = mkstemp(tmp);

	ck_assert_int_eq(write(fd, "s\n", 2), 2);
	snprintf(text, sizeof(text), "webhook gitea secret file \"%s\"\n"
	    "admin token file \"%s\"\n" AGENTS PROJECT, tmp, tmp);
	ck_assert_ptr_nonnull(cf = parse("t.conf", text, CONF_FILES));
	ck_assert_str_eq(cf->cf_secret[CONF_SOURCE_GITEA].sl_v[0], tmp);
	conf_free(cf);
	ck_assert_int_eq(fchmod(fd, 0622), 0);
	ck_assert_ptr_null(parse("t.conf", text, CONF_FILES));
	ck_assert_ptr_nonnull(strstr(said, "t.conf:1: secret file"));
	ck_assert_ptr_nonnull(strstr(said, "t.conf:2: admin token file"));
	ck_assert_ptr_nonnull(strstr(said, "can be written by others (mode "
	    "0622): chmod 600"));
	unlink(tmp);
	ck_assert_ptr_null(parse("t.conf", text, CONF_FILES));
	/* Without the flag nobody looks: the engine may not. */
	ck_assert_ptr_nonnull(cf = parse("t.conf", text, 0));
	conf_free(cf);
	close(fd);
}
END_TEST

START_TEST(a_secret_of_two_lines_is_refused)
{
	char		 tmp[] = "/tmp/orchd-conf-XXXXXX", text[2048];
	struct conf	*cf;
	int		 fd = mkstemp(tmp);

	snprintf(text, sizeof(text), "webhook gitea secret file \"%s\"\n"
	    "admin token file \"%s\"\n" AGENTS PROJECT, tmp, tmp);
	ck_assert_int_eq(write(fd, "s\n\n", 3), 3);
	ck_assert_ptr_null(parse("t.conf", text, CONF_FILES));
	ck_assert_ptr_nonnull(strstr(said, "t.conf:1: secret file"));
	ck_assert_ptr_nonnull(strstr(said, "t.conf:2: admin token file"));
	ck_assert_ptr_nonnull(strstr(said, "has more than one line"));
	ck_assert_int_eq(ftruncate(fd, 2), 0);
	ck_assert_ptr_nonnull(cf = parse("t.conf", text, CONF_FILES));
	conf_free(cf);
	unlink(tmp);
	close(fd);
}
END_TEST

START_TEST(a_webhook_secret_of_15_bytes_gets_a_warning)
{
	char		 tmp[] = "/tmp/orchd-conf-XXXXXX", text[2048];
	struct conf	*cf;
	int		 fd = mkstemp(tmp);

	snprintf(text, sizeof(text), "listen webhook on 127.0.0.1 port 1\n"
	    "webhook plane secret file \"%s\"\n" AGENTS PROJECT, tmp);
	ck_assert_int_eq(write(fd, "123456789012345\r\n", 17), 17);
	ck_assert_ptr_nonnull(cf = parse("t.conf", text, CONF_FILES));
	conf_free(cf);
	ck_assert_ptr_nonnull(strstr(said, "t.conf:2: warning: secret file"));
	ck_assert_ptr_nonnull(strstr(said, "has 15 bytes"));
	/* Who may not read the files says nothing of them. */
	ck_assert_ptr_nonnull(cf = parse("t.conf", text, 0));
	conf_free(cf);
	ck_assert_str_eq(said, "");
	ck_assert_int_eq(pwrite(fd, "6\n", 2, 15), 2);
	ck_assert_ptr_nonnull(cf = parse("t.conf", text, CONF_FILES));
	conf_free(cf);
	ck_assert_ptr_null(strstr(said, "bytes"));
	unlink(tmp);
	close(fd);
}
END_TEST

START_TEST(only_a_plain_receiver_that_others_reach_gets_a_warning)
{
	struct conf	*cf;

	ck_assert_ptr_nonnull(cf = parse("t.conf", "listen webhook on [::1] "
	    "port 1\nlisten webhook on 127.0.0.2 port 2\n" AGENTS PROJECT,
	    0));
	conf_free(cf);
	ck_assert_str_eq(said, "");
	ck_assert_ptr_nonnull(cf = parse("t.conf", "listen webhook on [::] "
	    "port 1 tls certificate file \"c\" key file \"k\"\nlisten "
	    "webhook on [::] port 2\n" AGENTS PROJECT, 0));
	conf_free(cf);
	ck_assert_ptr_null(strstr(said, "t.conf:1"));
	ck_assert_ptr_nonnull(strstr(said, "t.conf:2: warning: webhooks come "
	    "to :: port 2 in plain text"));
}
END_TEST

/* The address of a forge, with a repository acme/tally. */
static char *
forge_at(const char *url)
{
	static char	 text[2048];

	snprintf(text, sizeof(text), AGENTS "project tally {\n\tprefix DEMO\n"
	    "\tforge gitea \"%s\" repo \"acme/tally\" read token file \"r\" "
	    "write token file \"w\"\n\ttracker local\n\ttest \"make\"\n"
	    "\tdeploy hook \"true\"\n}\n", url);
	return (text);
}

START_TEST(a_forge_is_its_server_without_the_repository)
{
	static const char *const bad[] = { "https://g/acme/tally",
	    "https://g/acme/tally/", "https://g/a/acme/Tally.git",
	    "https://g/api/v1//" };
	static const char *const good[] = { "https://g", "https://g/",
	    "https://g/forge", "https://g/acme", "https://tally/api" };
	struct conf	*cf;
	size_t		 i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refuse(forge_at(bad[i]), "is more than the server");
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ck_assert_msg((cf = parse("t.conf", forge_at(good[i]), 0)) !=
		    NULL, "%s: %s", good[i], said);
		conf_free(cf);
		ck_assert_str_eq(said, "");
	}
	ck_assert_ptr_nonnull(cf = parse("t.conf", forge_at("https://g/b/c/"),
	    0));
	conf_free(cf);
	ck_assert_ptr_nonnull(strstr(said, "t.conf:6: warning: project "
	    "\"tally\": forge gitea \"https://g/b/c/\": the repository is "
	    "looked for at https://g/b/c/acme/tally.git"));
}
END_TEST

START_TEST(a_missing_role_is_refused_but_not_the_deployer)
{
	struct conf	*cf;

	refuse("agent analyst { command \"a\" }\n" PROJECT, "there is no "
	    "agent architect, neither here nor globally");
	ck_assert_ptr_null(strstr(said, "no agent deployer"));
	ck_assert_ptr_nonnull(cf = parse("t.conf", AGENTS PROJECT, 0));
	conf_free(cf);
}
END_TEST

START_TEST(the_nearest_grace_counts)
{
	const struct conf_project *cp;
	struct conf		*cf;

	ck_assert_ptr_nonnull(cf = parse("t", "reconcile_grace_s 5\n"
	    "reconcile_grace { review 7 testing 8 }\n" AGENTS PROJECT_OPEN
	    "\treconcile_grace { review 9 }\n}\n", 0));
	cp = &cf->cf_projects[0];
	ck_assert_int_eq(conf_grace_s(cf, cp, "review"), 9);
	ck_assert_int_eq(conf_grace_s(cf, cp, "testing"), 8);
	ck_assert_int_eq(conf_grace_s(cf, cp, "development"), 5);
	ck_assert_int_eq(conf_grace_s(cf, NULL, "review"), 7);
	conf_free(cf);
}
END_TEST

START_TEST(switches_with_lists_are_off_for_other_projects)
{
	struct conf	*cf;

	ck_assert_ptr_nonnull(cf = parse("t", "merge_gate_repos tally\n"
	    "transition_lease_enabled no\n" AGENTS PROJECT "project other {\n"
	    "prefix OT\nforge local from \".\"\ntracker local\ntest \"a\"\n"
	    "deploy hook \"true\"\n}\n", 0));
	ck_assert(conf_merge_gate_on(cf, &cf->cf_projects[0]));
	ck_assert(!conf_merge_gate_on(cf, &cf->cf_projects[1]));
	ck_assert(!conf_transition_lease_on(cf, &cf->cf_projects[0]));
	conf_free(cf);
	refuse("merge_gate_repos tall\n" AGENTS PROJECT, "t.conf:1: "
	    "merge_gate_repos: there is no project \"tall\"");
}
END_TEST

/* A project at Plane, with these names. */
static char *
called(const char *status)
{
	static char	 text[2048];

	snprintf(text, sizeof(text), AGENTS "project tally {\n\tprefix DEMO\n"
	    "\tforge local from \"repo\"\n\ttracker plane \"http://p.test\" "
	    "workspace \"w\" project \"6f1e3b52-0b0e-4d3c-9f57-0c2a5f5d7a11\""
	    " token file \"k\"\n\ttest \"make\"\n\tdeploy hook \"true\"\n"
	    "\tstatus { %s }\n}\n", status);
	return (text);
}

START_TEST(a_persons_status_has_a_name_of_its_own)
{
	static const char *const well[] = {
		"\"Approved\" \"Rejected\" \"Rejected\" \"Approved\"",
		"\"Stop\" \"Cancelled\"", "\"Stop\" \"Done\"",
		"\"Blocked\" \"On Hold\" \"Needs Input\" \"On Hold\"",
		"\"In Review\" \"In Progress\"",
	}, *const bad[] = {
		"\"Approved\" \"Done\"", "\"Approved\" \"In Review\"",
		"\"Approved\" \"OK\" \"Confirm Deploy\" \"OK\"",
		"\"Stop\" \"Rejected\"", "\"To Analyse\" \"In Progress\"",
		"\"Blocked\" \"In Progress\"", "\"Stop\" \"Blocked\"",
	};
	struct conf	*cf;
	size_t		 i;

	for (i = 0; i < sizeof(well) / sizeof(well[0]); i++) {
		ck_assert_ptr_nonnull(cf = parse("t.conf", called(well[i]),
		    0));
		conf_free(cf);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_ptr_null(parse("t.conf", called(bad[i]), 0));
		ck_assert_ptr_nonnull(strstr(said, "are both called"));
	}
	refuse(called(bad[2]), "status: \"Approved\" and \"Confirm Deploy\" "
	    "are both called \"OK\"");
}
END_TEST

START_TEST(no_prefix_of_a_configuration_crashes_the_reader)
{
	static const char	 text[] = "x = \"y\"\nstate $x\n"
	    "listen page on [::1] port 80\nreconcile_grace { review 5 }\n"
	    "agent developer { command \"a\\\"\" env { A file \"b\"; C } "
	    "network allow { \"h\" } }\nproject p { prefix P; "
	    "staging known-infra { a } status { \"Done\" \"x\" } "
	    "gate g in review command \"x\" }\n";
	char			 part[sizeof(text)];
	size_t			 i;

	for (i = 0; i < sizeof(text); i++) {
		memcpy(part, text, i);
		part[i] = '\0';
		ck_assert_ptr_null(parse("t.conf", part, 0));
		ck_assert_ptr_nonnull(strstr(said, "t.conf:"));
	}
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("conf");
	TCase	*tc = tcase_create("conf");
	SRunner	*sr;
	int	 failed;

	tcase_add_test(tc, the_printed_form_parses_to_the_same);
	tcase_add_test(tc, project_over_environment_over_file_over_default);
	tcase_add_test(tc, a_project_agent_inherits_what_it_does_not_say);
	tcase_add_test(tc, paths_count_from_the_folder_of_the_file);
	tcase_add_test(tc, all_faults_come_in_one_run_in_the_order_of_lines);
	tcase_add_test(tc, an_unknown_forge_names_what_is_possible);
	tcase_add_test(tc, a_fault_says_one_line_whatever_the_text_holds);
	tcase_add_test(tc,
	    a_limit_above_the_ceiling_is_refused_with_its_numbers);
	tcase_add_test(tc, own_gates_of_the_edge_count_in_the_sum);
	tcase_add_loop_test(tc,
	    every_sum_of_limits_is_refused_at_the_ceiling_and_not_below, 0,
	    (int)(sizeof(limits) / sizeof(limits[0])));
	tcase_add_test(tc, a_socket_path_of_107_bytes_is_the_longest);
	tcase_add_test(tc, fifo_folder_nul_and_size_are_refused);
	tcase_add_test(tc, a_secret_that_others_can_write_is_refused);
	tcase_add_test(tc, a_secret_of_two_lines_is_refused);
	tcase_add_test(tc, a_webhook_secret_of_15_bytes_gets_a_warning);
	tcase_add_test(tc,
	    only_a_plain_receiver_that_others_reach_gets_a_warning);
	tcase_add_test(tc, a_forge_is_its_server_without_the_repository);
	tcase_add_test(tc, a_missing_role_is_refused_but_not_the_deployer);
	tcase_add_test(tc, the_nearest_grace_counts);
	tcase_add_test(tc, switches_with_lists_are_off_for_other_projects);
	tcase_add_test(tc, a_persons_status_has_a_name_of_its_own);
	tcase_add_test(tc, no_prefix_of_a_configuration_crashes_the_reader);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed > 0);
}
