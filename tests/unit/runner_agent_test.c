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

#include "libcommon/git_bundle.h"
#include "runner_engine.h"

/* An agent in one line of shell, as its command line would have it. */
static void
sh_agent(struct te *te, const char *script)
{
	static const char *argv[4];

	argv[0] = "/bin/sh";
	argv[1] = "-c";
	argv[2] = script;
	argv[3] = NULL;
	te->spec.argv.l_argv = argv;
}

static void
run_agent(struct te *te, const char *script)
{
	te_open(te, KIND_AGENT);
	sh_agent(te, script);
	te_run(te);
}

START_TEST(agent_work_leaves_as_a_bundle)
{
	struct te te;
	struct git_repo repo;
	struct git_bundle_opts gb;
	struct git_bundle_result res;
	char err[256], *buf;
	size_t len;

	run_agent(&te, "echo work >new.txt && git add new.txt && "
	    "git commit -q -m 'by hand' && echo rest >rest.txt");
	ck_assert_msg(te.done.verdict == GATE_PASS, "%s", te.done.reason);
	ck_assert_int_eq(te.exit_seen, 1);
	ck_assert_int_eq(te.exit.code, 0);
	ck_assert_int_ge(te.bundle, 0);
	ck_assert_uint_eq(strlen(te.done.commit), 40);
	ck_assert_str_ne(te.done.commit, te.head);
	ck_assert_int_eq(git_open(&repo, te.mirror, err, sizeof(err)), GIT_OK);
	memset(&gb, 0, sizeof(gb));
	gb.gb_ref = "refs/heads/feature/T-1-x";
	gb.gb_base = te.head;
	gb.gb_run_ref = "refs/orchd/in/7";
	ck_assert_msg(git_bundle_import(&repo, te.bundle, &gb, &res) ==
	    GIT_BUNDLE_OK, "%s", res.gb_reason);
	ck_assert_str_eq(res.gb_tip, te.done.commit);
	ck_assert_int_eq(git_show_file(&repo, res.gb_tip, "rest.txt", 100,
	    &buf, &len, err, sizeof(err)), GIT_OK);
	ck_assert_str_eq(buf, "rest\n");
	free(buf);
	ck_assert(!te_exists(&te, "ws/7"));
	te_close(&te);
}
END_TEST

START_TEST(task_without_head_starts_at_the_target)
{
	struct te te;

	te_open(&te, KIND_AGENT);
	te.go.head = te.go.base = "";
	sh_agent(&te, "test \"$ORCH_HEAD\" = \"$(git rev-parse HEAD)\" && "
	    "grep -q \"^base: $ORCH_HEAD\" \"$ORCH_TASK_FILE\" && echo x >x");
	te_run(&te);
	ck_assert_msg(te.done.verdict == GATE_PASS, "%s", te.done.reason);
	ck_assert_str_eq(te.done.tree, te.head);
	te_close(&te);
	te_open(&te, KIND_AGENT);
	te.go.head = "";
	te.go.target = "nowhere";
	sh_agent(&te, "echo x >x");
	te_run(&te);
	ck_assert_int_eq(te.done.verdict, GATE_ERROR);
	ck_assert_ptr_nonnull(strstr(te.done.reason, "nowhere"));
	te_close(&te);
}
END_TEST

static void
import_bundle(struct te *te, struct git_bundle_result *res)
{
	struct git_repo repo;
	struct git_bundle_opts gb;
	char err[256];

	ck_assert_int_eq(git_open(&repo, te->mirror, err, sizeof(err)),
	    GIT_OK);
	memset(&gb, 0, sizeof(gb));
	gb.gb_ref = "refs/heads/feature/T-1-x";
	gb.gb_base = te->head;
	gb.gb_run_ref = "refs/orchd/in/7";
	ck_assert_int_eq(git_bundle_import(&repo, te->bundle, &gb, res),
	    GIT_BUNDLE_OK);
}

START_TEST(leftovers_name_role_and_run)
{
	struct te te;
	struct git_bundle_result res;
	const char *argv[] = { "log", "-1", "--format=%an %s %(trailers)",
	    NULL, NULL };
	char line[256];

	run_agent(&te, "echo rest >rest.txt");
	ck_assert_int_eq(te.done.verdict, GATE_PASS);
	import_bundle(&te, &res);
	argv[3] = res.gb_tip;
	te_git(te.mirror, argv, line, sizeof(line));
	ck_assert_str_eq(line,
	    "developer Commit what the developer left Run-Id: 7");
	te_close(&te);
}
END_TEST

START_TEST(environment_and_task_file_are_exact)
{
	struct te te;
	const char *request = "Do it\xe2\x80\xae now\n## Earlier findings\n";

	te_open(&te, KIND_AGENT);
	te.go.request.b_data = (const uint8_t *)request;
	te.go.request.b_len = strlen(request);
	te.go.feedback.b_data = (const uint8_t *)"test 3 failed\n";
	te.go.feedback.b_len = 14;
	te.go.port_base = 41000;
	te.spec.prompt = "You are the developer.";
	te.spec.env = (struct orch_strs)STRS_OF("API_KEY=sekret-value-1");
	setenv("LEAK", "from-the-runner", 1);
	sh_agent(&te, "env | sort >env.txt; cat \"$ORCH_TASK_FILE\" >task.txt;"
	    "test -w \"$ORCH_TASK_FILE\" && echo bad; "
	    "grep -q '^API_KEY=sekret' env.txt || exit 3;"
	    "grep -q LEAK env.txt && exit 4;"
	    "grep -q '^ORCH_PORT_BASE=41000' env.txt || exit 5;"
	    "grep -q '^ORCH_WORK_ITEM=T-1$' env.txt || exit 6;"
	    "grep -q '^title: \"A ..title..\"$' task.txt || exit 7;"
	    "grep -q '^> Do it now$' task.txt || exit 8;"
	    "test $(grep -c '^## Earlier findings$' task.txt) = 1 || exit 9;"
	    "grep -q '^> test 3 failed$' task.txt || exit 10;"
	    "grep -q '^You are the developer' task.txt || exit 11;"
	    "touch \"$HOME/x\" \"$TMPDIR/y\" || exit 12;"
	    "echo the key is $API_KEY; rm env.txt");
	te_run(&te);
	ck_assert_msg(te.done.verdict == GATE_PASS, "%s", te.done.reason);
	ck_assert(!te_logged(&te, "sekret-value-1"));
	ck_assert(te_logged(&te, "the key is [redacted]"));
	te_close(&te);
}
END_TEST

START_TEST(exit_0_without_work_fails)
{
	struct te te;

	run_agent(&te, "echo all done, everything works");
	ck_assert_int_eq(te.done.verdict, GATE_FAIL);
	ck_assert_int_eq(te.done.cause, CAUSE_NO_COMMIT);
	ck_assert_int_eq(te.bundle, -1);
	ck_assert_ptr_nonnull(strstr(te.done.reason, "left no commit"));
	ck_assert_ptr_nonnull(strstr(te.done.reason, "all done"));
	te_close(&te);
}
END_TEST

START_TEST(exit_code_is_stamped_and_named)
{
	struct te te;

	run_agent(&te, "echo my reason >&2; exit 7");
	ck_assert_int_eq(te.exit.code, 7);
	ck_assert_int_eq(te.done.verdict, GATE_FAIL);
	ck_assert_int_eq(te.done.cause, CAUSE_RED);
	ck_assert_ptr_nonnull(strstr(te.done.reason, "exit code 7"));
	ck_assert_ptr_nonnull(strstr(te.done.reason, "my reason"));
	te_close(&te);
}
END_TEST

START_TEST(configured_pattern_makes_it_transient)
{
	struct te te;

	te_open(&te, KIND_AGENT);
	te.spec.transient = (struct orch_strs)STRS_OF("mod[a-z]* is busy");
	sh_agent(&te, "echo the model is busy; exit 1");
	te_run(&te);
	ck_assert_int_eq(te.done.cause, CAUSE_TRANSIENT);
	te_close(&te);
}
END_TEST

START_TEST(missing_command_is_named)
{
	struct te te;

	te_open(&te, KIND_AGENT);
	te.spec.argv = (struct orch_strs)STRS_OF("claudee-not-there");
	te_run(&te);
	ck_assert_int_eq(te.done.verdict, GATE_FAIL);
	ck_assert_int_eq(te.done.cause, CAUSE_EXEC);
	ck_assert_ptr_nonnull(strstr(te.done.reason, "claudee-not-there"));
	te_close(&te);
}
END_TEST

START_TEST(hanging_agent_ends_at_its_limit)
{
	struct te te;

	te_open(&te, KIND_AGENT);
	te.spec.timeout_s = 1;
	sh_agent(&te, te_script("trap '' TERM; SLEEP & SLEEP"));
	te_run(&te);
	ck_assert_int_eq(te.done.verdict, GATE_FAIL);
	ck_assert_int_eq(te.done.cause, CAUSE_TIMEOUT);
	ck_assert_uint_eq(te.exit.timed_out, 1);
	ck_assert_ptr_nonnull(strstr(te.done.reason, "1 s"));
	ck_assert_int_eq(te_sleepers(), 0);
	te_close(&te);
}
END_TEST

START_TEST(flood_is_cut_and_said)
{
	struct te te;
	struct stat st;

	te_open(&te, KIND_AGENT);
	te.spec.log_max = 100000;
	sh_agent(&te, "head -c 30000000 /dev/zero | tr '\\0' x; yes flood | "
	    "head -n 400000; exit 1");
	te_run(&te);
	ck_assert_int_eq(te.done.verdict, GATE_FAIL);
	ck_assert_ptr_nonnull(strstr(te.done.reason, "log reached the limit"));
	ck_assert_int_eq(stat(te.log, &st), 0);
	ck_assert_int_lt(st.st_size, 200000);
	te_close(&te);
}
END_TEST

START_TEST(daemonised_child_does_not_survive)
{
	struct te te;

	run_agent(&te, te_script("(setsid sh -c 'SLEEP' >/dev/null 2>&1 &) ; "
	    "echo x >x"));
	ck_assert_int_eq(te.done.verdict, GATE_PASS);
	ck_assert_int_eq(te_sleepers(), 0);
	te_close(&te);
}
END_TEST

/* What is planted may run inside the box; it never reaches outside. */
START_TEST(planted_git_configuration_stays_inside)
{
	struct te te;
	char script[2048];

	te_open(&te, KIND_AGENT);
	ck_assert_int_lt(snprintf(script, sizeof(script),
	    "P='touch %s/canary'; mkdir -p .git/hooks; "
	    "for h in pre-commit commit-msg post-commit post-checkout "
	    "reference-transaction pre-auto-gc; do "
	    "printf '#!/bin/sh\\n%%s\\n' \"$P\" >.git/hooks/$h; "
	    "chmod +x .git/hooks/$h; done; "
	    "git config core.fsmonitor \"$P\"; "
	    "git config filter.x.clean \"$P; cat\"; "
	    "git config filter.x.smudge \"$P; cat\"; "
	    "git config diff.external \"$P\"; "
	    "git config core.pager \"$P\"; "
	    "git config core.editor \"$P\"; "
	    "git config gpg.program \"$P\"; git config commit.gpgSign true; "
	    "git config core.sshCommand \"$P\"; "
	    "git config alias.bundle \"!$P\"; "
	    "git config uploadpack.packObjectsHook \"$P\"; "
	    "echo '* filter=x' >.gitattributes; echo planted >planted",
	    te.dir), (int)sizeof(script));
	sh_agent(&te, script);
	te_run(&te);
	ck_assert_msg(te.done.verdict == GATE_PASS, "%s", te.done.reason);
	ck_assert_int_ge(te.bundle, 0);
	ck_assert(!te_exists(&te, "canary"));
	te_close(&te);
}
END_TEST

START_TEST(mirror_is_read_only_for_the_agent)
{
	struct te te;
	char script[512];

	te_open(&te, KIND_AGENT);
	(void)snprintf(script, sizeof(script), "touch %s/refs/heads/evil && "
	    "exit 3; touch %s/canary 2>/dev/null && test -e %s/log && exit 4; "
	    "echo x >x", te.mirror, te.dir, te.dir);
	sh_agent(&te, script);
	te_run(&te);
	ck_assert_msg(te.done.verdict == GATE_PASS, "%s", te.done.reason);
	ck_assert(!te_exists(&te, "canary"));
	ck_assert(!te_exists(&te, "m.git/refs/heads/evil"));
	te_close(&te);
}
END_TEST

START_TEST(no_network_by_default)
{
	struct te te;

	run_agent(&te, "test \"$(ls /sys/class/net 2>/dev/null | grep -v lo)\" "
	    "&& exit 3; grep -qv '^ *lo:' /proc/net/dev || true; "
	    "test $(grep -c : /proc/net/dev) = 1 || exit 4; echo x >x");
	ck_assert_msg(te.done.verdict == GATE_PASS, "%s", te.done.reason);
	te_close(&te);
}
END_TEST

START_TEST(branch_that_is_gone_is_said)
{
	struct te te;

	run_agent(&te, "git checkout -q --detach && git branch -q -D "
	    "feature/T-1-x");
	ck_assert_int_eq(te.done.verdict, GATE_FAIL);
	ck_assert_int_eq(te.bundle, -1);
	ck_assert_ptr_nonnull(strstr(te.done.reason, "feature/T-1-x is gone"));
	te_close(&te);
}
END_TEST

START_TEST(bundle_place_as_symlink_is_not_followed)
{
	struct te te;

	run_agent(&te, "out=$(dirname \"$ORCH_TASK_FILE\")/out; "
	    "ln -s /etc/passwd \"$out/bundle\"; rm -rf .git");
	ck_assert_int_eq(te.done.verdict, GATE_FAIL);
	ck_assert_int_eq(te.bundle, -1);
	te_close(&te);
}
END_TEST

START_TEST(stop_ends_it_gracefully)
{
	struct te te;
	struct orch_run_stop stop = { .reason = "shutdown" };
	struct timespec ts = { 0, 400000000 };

	te_open(&te, KIND_AGENT);
	sh_agent(&te, te_sleep());
	te_start(&te);
	te_accept(&te, 1);
	nanosleep(&ts, NULL);
	ck_assert_int_eq(chan_write_one(te.fd, ORCH_run_stop, 9, &stop, -1,
	    TE_WAIT), 0);
	te_results(&te);
	ck_assert_int_eq(te.done.verdict, GATE_ERROR);
	ck_assert_int_eq(te.done.cause, CAUSE_STOPPED);
	ck_assert_int_eq(te_wait(&te), 0);
	ck_assert_int_eq(te_sleepers(), 0);
	te_close(&te);
}
END_TEST

/* SIGTERM reaches the agent inside its sandbox, and it has time to end. */
START_TEST(stop_gives_the_agent_time)
{
	struct te te;
	struct orch_run_stop stop = { .reason = "shutdown" };
	struct timespec ts = { 0, 100000000 };
	int i;

	te_open(&te, KIND_AGENT);
	te.spec.grace_s = 5;
	sh_agent(&te, "trap 'sleep 0.3; echo saved my work; exit 0' TERM; "
	    "echo ready; while :; do sleep 0.1; done");
	te_start(&te);
	te_accept(&te, 1);
	for (i = 0; i < 100 && !te_logged(&te, "ready"); i++)
		nanosleep(&ts, NULL);
	ck_assert_int_eq(chan_write_one(te.fd, ORCH_run_stop, 9, &stop, -1,
	    TE_WAIT), 0);
	te_results(&te);
	ck_assert_int_eq(te.done.cause, CAUSE_STOPPED);
	ck_assert(te_logged(&te, "saved my work"));
	ck_assert_int_eq(te_wait(&te), 0);
	te_close(&te);
}
END_TEST

START_TEST(refused_run_starts_nothing)
{
	struct te te;
	struct orch_hello_no no = { .reason = "the key is void" };
	struct orch_header hdr;
	union orch_any msg;

	te_open(&te, KIND_AGENT);
	sh_agent(&te, "echo x >x");
	te_start(&te);
	te.fd = accept4(te.lfd, NULL, NULL, SOCK_CLOEXEC);
	ck_assert_uint_eq(te_read(&te, &hdr, &msg), ORCH_hello);
	ck_assert_int_eq(chan_write_one(te.fd, ORCH_hello_no, hdr.h_id, &no,
	    -1, TE_WAIT), 0);
	ck_assert_int_eq(te_wait(&te), 1);
	ck_assert(te_logged(&te, "the key is void"));
	te_close(&te);
}
END_TEST

/* The engine dies after GO and again before it acknowledged the result. */
START_TEST(runner_outlives_engines_and_repeats)
{
	struct te te;
	struct orch_header hdr;
	union orch_any msg;
	unsigned int type;

	te_open(&te, KIND_AGENT);
	sh_agent(&te, "sleep 0.3; echo x >x; echo once >>\"$HOME/../count\"");
	te_start(&te);
	te_accept(&te, 1);
	close(te.fd);
	te_accept(&te, 1);	/* GO again: nothing starts twice */
	while ((type = te_read(&te, &hdr, &msg)) != ORCH_run_exit)
		ck_assert_uint_eq(type, ORCH_run_session);
	close(te.fd);		/* not acknowledged */
	te_accept(&te, 0);
	ck_assert_uint_eq(te_read(&te, &hdr, &msg), ORCH_run_exit);
	te_ack(&te, hdr.h_id, RES_RETRY);
	ck_assert_uint_eq(te_read(&te, &hdr, &msg), ORCH_run_exit);
	te_ack(&te, hdr.h_id, RES_OK);
	ck_assert_uint_eq(te_read(&te, &hdr, &msg), ORCH_run_done);
	ck_assert(te_exists(&te, "ws/7/clone"));
	close(te.fd);
	te_accept(&te, 0);
	te_results(&te);
	ck_assert_int_eq(te.done.verdict, GATE_PASS);
	ck_assert_int_ge(te.bundle, 0);
	ck_assert_int_eq(te_wait(&te), 0);
	te_close(&te);
}
END_TEST

/* kill -9 of the runner: nothing of the agent survives. */
START_TEST(killed_runner_leaves_no_agent)
{
	struct te te;
	struct timespec ts = { 0, 100000000 };
	int i;

	te_open(&te, KIND_AGENT);
	sh_agent(&te, te_script("SLEEP & SLEEP"));
	te_start(&te);
	te_accept(&te, 1);
	for (i = 0; i < 100 && te_sleepers() < 2; i++)
		nanosleep(&ts, NULL);
	ck_assert_int_ge(te_sleepers(), 2);
	kill(te.pid, SIGKILL);
	(void)te_wait(&te);
	for (i = 0; i < 50 && te_sleepers() > 0; i++)
		nanosleep(&ts, NULL);
	ck_assert_int_eq(te_sleepers(), 0);
	te_close(&te);
}
END_TEST

START_TEST(sandbox_that_cannot_be_made_starts_nothing)
{
	struct te te;

	te_open(&te, KIND_AGENT);
	sh_agent(&te, "echo x >x");
	te.spec.self = "/nonexistent/runner";
	te_run(&te);
	ck_assert_int_eq(te.done.cause, CAUSE_SANDBOX);
	ck_assert_ptr_nonnull(strstr(te.done.reason, "Nothing was started"));
	ck_assert_int_eq(te.exit_seen, 0);
	te_close(&te);
}
END_TEST

START_TEST(go_without_usable_names_is_refused)
{
	struct te te;

	te_open(&te, KIND_AGENT);
	sh_agent(&te, "echo x >x");
	te.go.branch = "a..b";
	te_run(&te);
	ck_assert_int_eq(te.done.verdict, GATE_ERROR);
	ck_assert_ptr_nonnull(strstr(te.done.reason, "a..b"));
	te_close(&te);
}
END_TEST

START_TEST(prompt_and_session_are_whole_words)
{
	struct te te;

	te_open(&te, KIND_AGENT);
	te.spec.prompt = "PROMPT-TEXT";
	te.spec.argv = (struct orch_strs)STRS_OF("/bin/sh", "-c",
	    "case $1 in *PROMPT-TEXT*) ;; *) exit 3;; esac; "
	    "case $1 in *\"$2:\"*) ;; *) exit 8;; esac; "
	    "test -f \"$2\" || exit 4; test ${#3} = 36 || exit 5; "
	    "test \"$4\" = 'x{task}' || exit 6; echo x >x", "sh", "{prompt}",
	    "{task}", "{session}", "x{task}");
	te_run(&te);
	ck_assert_msg(te.done.verdict == GATE_PASS, "%s", te.done.reason);
	ck_assert_uint_eq(strlen(te.done.session), 36);
	te_close(&te);
}
END_TEST

/* Claude Code, Codex, Gemini CLI and OpenCode take "---" for an option. */
START_TEST(prompt_is_no_option)
{
	struct te te;

	te_open(&te, KIND_AGENT);
	te.spec.argv = (struct orch_strs)STRS_OF("/bin/sh", "-c",
	    "case $1 in -*) exit 3;; esac; case $1 in *'\n---\nid: '*) ;; "
	    "*) exit 4;; esac; echo x >x", "sh", "{prompt}");
	te_run(&te);
	ck_assert_msg(te.done.verdict == GATE_PASS, "%s", te.done.reason);
	te_close(&te);
}
END_TEST

/* Codex ends at once when an argument is no UTF-8. */
START_TEST(long_prompt_is_cut_between_characters)
{
	static uint8_t request[200000];
	struct te te;
	size_t i;

	for (i = 0; i + 1 < sizeof(request); i += 2)
		memcpy(request + i, "\xc3\xa9", 2);
	for (i = 0; i < 2; i++) {
		te_open(&te, KIND_AGENT);
		te.go.request.b_data = request;
		te.go.request.b_len = sizeof(request);
		te.spec.prompt = i == 0 ? "P" : "PP";
		te.spec.argv = (struct orch_strs)STRS_OF("/bin/sh", "-c",
		    "printf %s \"$1\" | iconv -f UTF-8 -t UTF-8 >/dev/null || "
		    "exit 3; case $1 in *'[cut here: '*) ;; *) exit 4;; esac; "
		    "echo x >x", "sh", "{prompt}");
		te_run(&te);
		ck_assert_msg(te.done.verdict == GATE_PASS, "%s",
		    te.done.reason);
		te_close(&te);
	}
}
END_TEST

/* The weaker levels, by word only, deliver too. */
START_TEST(other_levels_deliver)
{
	struct te te;

	te_open(&te, KIND_AGENT);
	te.spec.sandbox = SANDBOX_NONE;
	sh_agent(&te, "touch \"$HOME/x\" \"$TMPDIR/y\" && echo x >x");
	te_run(&te);
	ck_assert_msg(te.done.verdict == GATE_PASS, "%s", te.done.reason);
	te_close(&te);
	if (sandbox_landlock_abi() < 6)
		return;
	te_open(&te, KIND_AGENT);
	te.spec.sandbox = SANDBOX_LANDLOCK;
	sh_agent(&te, "touch \"$HOME/x\" && echo x >x");
	te_run(&te);
	ck_assert_msg(te.done.verdict == GATE_PASS, "%s", te.done.reason);
	te_close(&te);
}
END_TEST

START_TEST(unlisted_host_is_refused_by_the_proxy)
{
	struct te te;

	te_open(&te, KIND_AGENT);
	te.spec.net = SANDBOX_NET_ALLOW;
	te.spec.hosts = (struct orch_strs)STRS_OF("api.example");
	te.spec.argv = (struct orch_strs)STRS_OF("/bin/bash", "-c",
	    "test \"$https_proxy\" = " SANDBOX_PROXY_URL " || exit 3; "
	    "exec 5<>/dev/tcp/127.0.0.1/3128 || exit 4; "
	    "printf 'CONNECT evil.example:443 HTTP/1.1\\r\\n"
	    "Host: evil.example:443\\r\\n\\r\\n' >&5; "
	    "read -r line <&5; echo \"got $line\"; "
	    "case $line in *403*) ;; *) exit 5;; esac; echo x >x");
	te_run(&te);
	ck_assert_msg(te.done.verdict == GATE_PASS, "%s", te.done.reason);
	te_close(&te);
}
END_TEST

/* Codex waits for its provider until the time limit, and does not name it. */
START_TEST(reason_names_the_host_that_was_refused)
{
	struct te te;

	te_open(&te, KIND_AGENT);
	te.spec.net = SANDBOX_NET_ALLOW;
	te.spec.hosts = (struct orch_strs)STRS_OF("api.example");
	te.spec.argv = (struct orch_strs)STRS_OF("/bin/bash", "-c",
	    "for h in play.evil.example evil.example evil.example; do "
	    "exec 5<>/dev/tcp/127.0.0.1/3128 || exit 4; "
	    "printf \"CONNECT $h:443 HTTP/1.1\\r\\n\\r\\n\" >&5; "
	    "read -r line <&5; done; echo waiting; exit 3");
	te_run(&te);
	ck_assert_int_eq(te.done.verdict, GATE_FAIL);
	ck_assert_msg(strstr(te.done.reason, "refused: play.evil.example:443, "
	    "evil.example:443)") != NULL, "%s", te.done.reason);
	ck_assert_ptr_nonnull(strstr(te.done.reason, "waiting"));
	te_close(&te);
}
END_TEST

/* As Claude Code does when a task of its own asks for isolation. */
START_TEST(worktree_in_the_clone_is_left_behind)
{
	struct te te;
	struct git_bundle_result res;
	const char *argv[] = { "diff", "--name-only", NULL, NULL, NULL };
	char line[256];

	run_agent(&te, "git worktree add -q -b side .claude/worktrees/a && "
	    "echo x >.claude/worktrees/a/x && git worktree add -q -b other "
	    "\"$HOME/b\" && echo rest >rest.txt");
	ck_assert_msg(te.done.verdict == GATE_PASS, "%s", te.done.reason);
	import_bundle(&te, &res);
	argv[2] = te.head;
	argv[3] = res.gb_tip;
	te_git(te.mirror, argv, line, sizeof(line));
	ck_assert_str_eq(line, "rest.txt");
	te_close(&te);
}
END_TEST

START_TEST(deployer_needs_no_commit)
{
	struct te te;

	te_open(&te, KIND_AGENT);
	te.go.role = "deployer";
	sh_agent(&te, "true");
	te_run(&te);
	ck_assert_int_eq(te.done.verdict, GATE_PASS);
	ck_assert_str_eq(te.done.commit, te.head);
	te_close(&te);
}
END_TEST

int
main(int argc, char **argv)
{
	Suite *s;
	TCase *tc;
	SRunner *sr;
	int rc;

	if ((rc = te_inside(argc, argv)) != -1)
		return (rc);
	s = suite_create("runner_agent");
	tc = tcase_create("agent");
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, agent_work_leaves_as_a_bundle);
	tcase_add_test(tc, task_without_head_starts_at_the_target);
	tcase_add_test(tc, leftovers_name_role_and_run);
	tcase_add_test(tc, environment_and_task_file_are_exact);
	tcase_add_test(tc, exit_0_without_work_fails);
	tcase_add_test(tc, exit_code_is_stamped_and_named);
	tcase_add_test(tc, configured_pattern_makes_it_transient);
	tcase_add_test(tc, missing_command_is_named);
	tcase_add_test(tc, hanging_agent_ends_at_its_limit);
	tcase_add_test(tc, flood_is_cut_and_said);
	tcase_add_test(tc, daemonised_child_does_not_survive);
	tcase_add_test(tc, planted_git_configuration_stays_inside);
	tcase_add_test(tc, mirror_is_read_only_for_the_agent);
	tcase_add_test(tc, no_network_by_default);
	tcase_add_test(tc, branch_that_is_gone_is_said);
	tcase_add_test(tc, bundle_place_as_symlink_is_not_followed);
	tcase_add_test(tc, stop_ends_it_gracefully);
	tcase_add_test(tc, stop_gives_the_agent_time);
	tcase_add_test(tc, refused_run_starts_nothing);
	tcase_add_test(tc, runner_outlives_engines_and_repeats);
	tcase_add_test(tc, killed_runner_leaves_no_agent);
	tcase_add_test(tc, sandbox_that_cannot_be_made_starts_nothing);
	tcase_add_test(tc, go_without_usable_names_is_refused);
	tcase_add_test(tc, prompt_and_session_are_whole_words);
	tcase_add_test(tc, prompt_is_no_option);
	tcase_add_test(tc, long_prompt_is_cut_between_characters);
	tcase_add_test(tc, other_levels_deliver);
	tcase_add_test(tc, unlisted_host_is_refused_by_the_proxy);
	tcase_add_test(tc, reason_names_the_host_that_was_refused);
	tcase_add_test(tc, worktree_in_the_clone_is_left_behind);
	tcase_add_test(tc, deployer_needs_no_commit);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	rc = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (rc == 0 ? 0 : 1);
}
