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

#include <errno.h>
#include <fcntl.h>
#include <locale.h>

#include "tests/unit/orchctl_fake.h"

#define SHOW	"{\"id\":\"DEMO-1\",\"stage\":\"analysis\",\"stage_seq\":3," \
	"\"asked_gate\":\"check_analysis_approved\",\"asked_commit\":" \
	"\"4f1c2e9aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}"

static const char *const approve[] = { "approve", "1", NULL };
static const char *const status[] = { "status", NULL };
static const char *const status_j[] = { "status", "-j", NULL };

/* Run args against one script of answers; the text for people in cap. */
static enum ctl_exit
scripted(struct engine *e, struct captured *cap, const struct reply *r,
    size_t n, const char *const *args)
{
	capture(cap, 0);
	engine_start(e, r, n, NULL);
	return (run_verb(cap, e->path, args));
}

START_TEST(nobody_there_is_unreached)
{
	struct captured cap;

	capture(&cap, 0);
	ck_assert_int_eq(run_verb(&cap, "/nonexistent/control.sock", status),
	    CTL_UNREACHED);
	ck_assert_str_eq(captured(&cap), "");
	capture_end(&cap);
}
END_TEST

START_TEST(error_names_socket_and_what_to_do)
{
	struct client cl = { .cl_fd = -1 };

	ck_assert_int_eq(client_open(&cl, "/nonexistent/c.sock"),
	    CTL_UNREACHED);
	ck_assert_str_eq(cl.cl_err, "no orchd at /nonexistent/c.sock: no such "
	    "file or directory (is it running? orchd -f orchd.conf)");
}
END_TEST

START_TEST(hello_no_is_refused_with_the_reason)
{
	struct client cl = { .cl_fd = -1 };
	struct engine e;

	engine_start(&e, NULL, 0, "you are not in orchd-admin");
	ck_assert_int_eq(client_open(&cl, e.path), CTL_REFUSED);
	ck_assert_str_eq(cl.cl_err,
	    "orchd refuses: you are not in orchd-admin");
	ck_assert_int_eq(cl.cl_fd, -1);
	ck_assert(engine_asked(&e, "hello", "role=10"));
	engine_end(&e);
}
END_TEST

/* An upgrade: new programs are installed, the old engine still serves. */
START_TEST(restart_and_shutdown_alone_are_said_in_an_older_version)
{
	static const char *const restart[] = { "restart", NULL };
	static const char *const look[] = { "status", NULL };
	struct captured cap;
	struct engine e;

	engine_start(&e, NULL, 0, "another version of the protocol: all");
	capture(&cap, 0);
	ck_assert_int_eq(run_verb(&cap, e.path, look), CTL_REFUSED);
	capture_end(&cap);
	ck_assert(!engine_asked(&e, "hello", "minor=0"));
	capture(&cap, 0);
	ck_assert_int_eq(run_verb(&cap, e.path, restart), CTL_REFUSED);
	capture_end(&cap);
	ck_assert(engine_asked(&e, "hello", "minor=0"));
	ck_assert(engine_asked(&e, "hello", "minor=1"));
	engine_end(&e);
	/* Refused for another reason, it is not asked twice. */
	engine_start(&e, NULL, 0, "you are not in orchd-admin");
	capture(&cap, 0);
	ck_assert_int_eq(run_verb(&cap, e.path, restart), CTL_REFUSED);
	capture_end(&cap);
	ck_assert(!engine_asked(&e, "hello", "minor=0"));
	engine_end(&e);
}
END_TEST

START_TEST(lost_connection_is_unreached)
{
	const struct reply r = { .hang_up = 1 };
	struct captured cap;
	struct engine e;

	ck_assert_int_eq(scripted(&e, &cap, &r, 1, status), CTL_UNREACHED);
	engine_end(&e);
	capture_end(&cap);
}
END_TEST

START_TEST(answer_in_parts_is_one_document)
{
	const struct reply r = { .json = "{\"tasks\":[{\"id\":\"DEMO-1\"}]}",
	    .parts = 7 };
	struct captured cap;
	struct engine e;

	ck_assert_int_eq(scripted(&e, &cap, &r, 1, status_j), CTL_OK);
	ck_assert_str_eq(captured(&cap),
	    "{\"tasks\":[{\"id\":\"DEMO-1\"}]}\n");
	engine_end(&e);
	capture_end(&cap);
}
END_TEST

START_TEST(answer_that_is_no_json_is_refused)
{
	const struct reply r = { .json = "{\"tasks\":[" };
	struct captured cap;
	struct engine e;

	ck_assert_int_eq(scripted(&e, &cap, &r, 1, status), CTL_REFUSED);
	ck_assert_str_eq(captured(&cap), "");
	engine_end(&e);
	capture_end(&cap);
}
END_TEST

START_TEST(status_asks_for_all_tasks_only_with_a)
{
	const struct reply r[] = { { .json = "{}" }, { .json = "{}" } };
	const char *const all[] = { "status", "-a", NULL };
	struct captured cap;
	struct engine e;

	ck_assert_int_eq(scripted(&e, &cap, r, 2, status), CTL_OK);
	ck_assert(!engine_asked(&e, "query", "all"));
	ck_assert_int_eq(run_verb(&cap, e.path, all), CTL_OK);
	ck_assert(engine_asked(&e, "query", "[all]"));
	engine_end(&e);
	capture_end(&cap);
}
END_TEST

START_TEST(decision_names_task_stage_seq_and_the_commit_asked_about)
{
	const struct reply r[] = { { .json = SHOW }, { .text = "approved" } };
	struct captured cap;
	struct engine e;

	ck_assert_int_eq(scripted(&e, &cap, r, 2, approve), CTL_OK);
	ck_assert(engine_asked(&e, "query", "verb=show object=1"));
	ck_assert(engine_asked(&e, "action verb=approve task=DEMO-1 "
	    "stage=analysis seq=3",
	    "commit=4f1c2e9aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
	ck_assert_str_eq(captured(&cap), "");	/* not a terminal: silence */
	engine_end(&e);
	capture_end(&cap);
}
END_TEST

START_TEST(decision_on_another_commit_is_sent_as_typed)
{
	const struct reply r[] = { { .json = SHOW },
	    { .result = RES_REFUSED, .text = "that is not asked about" } };
	const char *const args[] = { "confirm", "-c", "beefbeef", "DEMO-1",
	    NULL };
	struct captured cap;
	struct engine e;

	ck_assert_int_eq(scripted(&e, &cap, r, 2, args), CTL_REFUSED);
	ck_assert(engine_asked(&e, "verb=confirm", "commit=beefbeef"));
	engine_end(&e);
	capture_end(&cap);
}
END_TEST

START_TEST(decision_with_a_shortened_commit_is_completed)
{
	const struct reply r[] = { { .json = SHOW }, { .text = "" } };
	const char *const args[] = { "approve", "-c", "4f1c2e9", "1", NULL };
	struct captured cap;
	struct engine e;

	ck_assert_int_eq(scripted(&e, &cap, r, 2, args), CTL_OK);
	ck_assert(engine_asked(&e, "action", "commit=4f1c2e9aaa"));
	engine_end(&e);
	capture_end(&cap);
}
END_TEST

START_TEST(decision_with_a_commit_that_is_none_is_not_sent)
{
	const char *const bad[] = { "HEAD", "4f1c2e", "4F1C2E9", "",
	    "4f1c2e9aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };
	struct captured cap;
	size_t i;

	capture(&cap, 0);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char *const args[] = { "approve", "-c", bad[i], "1",
		    NULL };

		ck_assert_int_eq(run_verb(&cap, "/nonexistent", args),
		    CTL_REFUSED);
	}
	capture_end(&cap);
}
END_TEST

START_TEST(reject_without_a_reason_is_not_sent)
{
	const char *const args[] = { "reject", "1", NULL };
	struct captured cap;

	capture(&cap, 0);
	/* Nobody serves there: it would be 2 if it had tried. */
	ck_assert_int_eq(run_verb(&cap, "/nonexistent", args), CTL_REFUSED);
	capture_end(&cap);
}
END_TEST

START_TEST(repeated_action_is_success)
{
	const struct reply r[] = { { .json = SHOW },
	    { .result = RES_DUPLICATE, .text = "already-initiated" } };
	struct captured cap;
	struct engine e;

	ck_assert_int_eq(scripted(&e, &cap, r, 2, approve), CTL_OK);
	/* And not silent anywhere, since nothing was done. */
	ck_assert_str_eq(captured(&cap), "already-initiated\n");
	engine_end(&e);
	capture_end(&cap);
}
END_TEST

/* What nobody has parked is none to try again; both words are written out. */
START_TEST(messages_are_tried_again_or_dropped_in_full)
{
	static const char *const args[][4] = {
		{ "queue", "retry", "notify:ops", NULL },
		{ "queue", "drop", "notify:ops", NULL },
		{ "queue", "dro", "notify:ops", NULL },
		{ "queue", "drop", NULL, NULL },
	};
	const struct reply r = { .result = RES_DUPLICATE,
	    .text = "no message to notify:ops is parked" };
	struct captured cap;
	struct engine e;

	ck_assert_int_eq(scripted(&e, &cap, &r, _i < 2 ? 1 : 0, args[_i]), _i < 2 ?
	    CTL_OK : CTL_REFUSED);
	ck_assert_str_eq(captured(&cap), _i < 2 ?
	    "no message to notify:ops is parked\n" : "");
	ck_assert(_i >= 2 || engine_asked(&e, args[_i][1],
	    "dest=notify:ops"));
	engine_end(&e);
	capture_end(&cap);
}
END_TEST

START_TEST(action_says_a_sentence_on_a_terminal)
{
	const struct reply r = { .text = "DEMO-1 goes on\033[2J" };
	const char *const args[] = { "retry", "1", NULL };
	struct captured cap;
	struct engine e;

	capture(&cap, 0);
	cap.out.o_tty = 1;
	engine_start(&e, &r, 1, NULL);
	ck_assert_int_eq(run_verb(&cap, e.path, args), CTL_OK);
	ck_assert_str_eq(captured(&cap), "DEMO-1 goes on\\x1b[2J\n");
	engine_end(&e);
	capture_end(&cap);
}
END_TEST

START_TEST(refusal_with_j_is_a_document_too)
{
	const struct reply r = { .result = RES_NOTFOUND, .text = "no \"X\"" };
	const char *const args[] = { "show", "-j", "X", NULL };
	struct captured cap;
	struct engine e;

	ck_assert_int_eq(scripted(&e, &cap, &r, 1, args), CTL_REFUSED);
	json_decref(parse(captured(&cap)));
	engine_end(&e);
	capture_end(&cap);
}
END_TEST

START_TEST(submit_sends_its_details_and_prints_the_number)
{
	const struct reply r = { .json = "{\"id\":\"DEMO-7\"}" };
	const char *const args[] = { "submit", "-p", "tally", "-n", "5", "-d",
	    "DEMO-1", "-m", "# Count words\n\nper line", NULL };
	struct captured cap;
	struct engine e;

	ck_assert_int_eq(scripted(&e, &cap, &r, 1, args), CTL_OK);
	ck_assert(engine_asked(&e, "verb=submit", "[title=Count words]"));
	ck_assert(engine_asked(&e, "[project=tally]", "[priority=5]"));
	ck_assert(engine_asked(&e, "[depends=DEMO-1]", "text=23"));
	ck_assert_str_eq(captured(&cap), "DEMO-7\n");
	engine_end(&e);
	capture_end(&cap);
}
END_TEST

/* A verb that is refused before anybody is asked. */
static void
not_sent(const char *const *args)
{
	struct captured cap;

	capture(&cap, 0);
	ck_assert_int_eq(run_verb(&cap, "/nonexistent", args), CTL_REFUSED);
	capture_end(&cap);
}

START_TEST(submit_refuses_what_is_no_request)
{
	static char big[70000];
	const char *const none[] = { "submit", NULL };
	const char *const both[] = { "submit", "-F", "x", "-m", "y", NULL };
	const char *const prio[] = { "submit", "-n", "high", "-t", "T", NULL };
	const char *const gone[] = { "submit", "-F", "/nonexistent", NULL };
	const char *const word[] = { "submit", "-t", "T", "word", NULL };
	const char *const zero[] = { "submit", "-t", "T", "-F", "/dev/zero",
	    NULL };
	const char *const line[] = { "submit", "-m", big, NULL };

	memset(big, 'x', sizeof(big) - 1);
	not_sent(none);
	not_sent(both);
	not_sent(prio);
	not_sent(gone);
	not_sent(word);
	not_sent(zero);
	not_sent(line);
}
END_TEST

START_TEST(submit_text_beyond_the_limit_is_refused_not_cut)
{
	static char big[70000];
	const char *const args[] = { "submit", "-t", "T", "-m", big, NULL };
	struct captured cap;
	struct engine e;

	memset(big, 'x', sizeof(big) - 1);
	ck_assert_int_eq(scripted(&e, &cap, NULL, 0, args), CTL_REFUSED);
	ck_assert(!engine_asked(&e, "action", ""));
	engine_end(&e);
	capture_end(&cap);
}
END_TEST

START_TEST(check_with_problems_fails)
{
	const struct reply r[] = {
	    { .json = "{\"ok\":false,\"problems\":[\"row 7\"]}" },
	    { .json = "{\"ok\":true,\"problems\":[]}" } };
	const char *const args[] = { "check", NULL };
	struct captured cap;
	struct engine e;

	ck_assert_int_eq(scripted(&e, &cap, r, 2, args), CTL_REFUSED);
	ck_assert_ptr_nonnull(strstr(captured(&cap), "row 7"));
	ck_assert_int_eq(run_verb(&cap, e.path, args), CTL_OK);
	engine_end(&e);
	capture_end(&cap);
}
END_TEST

START_TEST(a_doctor_that_finds_a_failure_fails)
{
	const struct reply r[] = {
	    { .json = "{\"ok\":false,\"rows\":[{\"project\":\"\","
	    "\"subject\":\"notify:ops\",\"what\":\"chat\",\"verdict\":"
	    "\"fail\",\"text\":\"it is not there\"}]}" },
	    { .json = "{\"ok\":true,\"rows\":[]}" } };
	const char *const args[] = { "doctor", "remote", "app", NULL };
	const char *const house[] = { "doctor", "house", NULL };
	struct captured cap;
	struct engine e;

	ck_assert_int_eq(scripted(&e, &cap, r, 2, args), CTL_REFUSED);
	ck_assert_ptr_nonnull(strstr(captured(&cap), "FAIL"));
	ck_assert_ptr_nonnull(strstr(captured(&cap), "it is not there"));
	ck_assert_int_eq(run_verb(&cap, e.path, args), CTL_OK);
	ck_assert(engine_asked(&e, "query", "object=app"));
	ck_assert_int_eq(run_verb(&cap, e.path, house), CTL_REFUSED);
	engine_end(&e);
	capture_end(&cap);
}
END_TEST

START_TEST(job_and_gate_are_parts_of_documents)
{
	const struct reply r[] = {
	    { .json = "{\"jobs\":[{\"id\":1,\"task\":\"A-1\"},"
	    "{\"id\":2,\"task\":\"A-2\"}]}" },
	    { .json = "{\"id\":\"A-2\",\"gates\":[{\"gate\":\"g\"}]}" } };
	const char *const job[] = { "job", "-j", "A-2", NULL };
	const char *const gate[] = { "gate", "-j", "2", NULL };
	struct captured cap;
	struct engine e;
	json_t *d;

	ck_assert_int_eq(scripted(&e, &cap, r, 2, job), CTL_OK);
	d = parse(captured(&cap));
	ck_assert_uint_eq(json_array_size(jlist(d, "jobs")), 1);
	json_decref(d);
	capture_end(&cap);
	capture(&cap, 0);
	ck_assert_int_eq(run_verb(&cap, e.path, gate), CTL_OK);
	d = parse(captured(&cap));
	ck_assert_uint_eq(json_array_size(jlist(d, "gates")), 1);
	json_decref(d);
	ck_assert(engine_asked(&e, "query", "verb=gate object=2"));
	engine_end(&e);
	capture_end(&cap);
}
END_TEST

#define OPEN	"{\"effects\":[{\"id\":731,\"name\":\"merge\"," \
	"\"state\":\"intent\"}]}"

START_TEST(effect_number_is_an_open_one_first_then_a_task)
{
	const struct reply r[] = { { .json = OPEN }, { .json = OPEN },
	    { .json = "{\"id\":\"A-7\",\"effects\":[{\"id\":1},"
	    "{\"id\":2}]}" } };
	const char *const one[] = { "effect", "show", "731", "-j", NULL };
	const char *const task[] = { "effect", "7", "-j", NULL };
	struct captured cap;
	struct engine e;
	json_t *d;

	ck_assert_int_eq(scripted(&e, &cap, r, 3, one), CTL_OK);
	d = parse(captured(&cap));
	ck_assert_int_eq(jint(d, "id", 0), 731);
	json_decref(d);
	capture_end(&cap);
	capture(&cap, 0);
	ck_assert_int_eq(run_verb(&cap, e.path, task), CTL_OK);
	d = parse(captured(&cap));
	ck_assert_uint_eq(json_array_size(jlist(d, "effects")), 2);
	json_decref(d);
	engine_end(&e);
	capture_end(&cap);
}
END_TEST

START_TEST(an_effect_is_settled_with_its_key_outcome_and_reason)
{
	const struct reply r[] = { { .text = "" } };
	const char *const good[] = { "effect", "settle", "A-1",
	    "deploy:A-1:c", "done", "-r", "it serves", NULL };
	const char *const bad[][7] = {
		{ "effect", "settle", NULL },
		{ "effect", "settle", "A-1", "k", "done", NULL },
		{ "effect", "settle", "A-1", "done", "-r", "x", NULL },
		{ "effect", "A-1", "-r", "x", NULL },
	};
	struct captured cap;
	struct engine e;
	size_t i;

	ck_assert_int_eq(scripted(&e, &cap, r, 1, good), CTL_OK);
	ck_assert(engine_asked(&e, "verb=effect task=A-1", "settle"));
	ck_assert(engine_asked(&e, "verb=effect", "key=deploy:A-1:c"));
	ck_assert(engine_asked(&e, "verb=effect", "outcome=done"));
	ck_assert(engine_asked(&e, "verb=effect", "text=9 "));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_int_eq(run_verb(&cap, e.path, bad[i]),
		    CTL_REFUSED);
	engine_end(&e);
	capture_end(&cap);
}
END_TEST

START_TEST(deploys_are_resumed_in_full_and_with_a_reason)
{
	const struct reply r[] = { { .text = "" } };
	const char *const good[] = { "resume", "-p", "tally", "-c",
	    "0123456", "-r", "mended", "deploy", NULL };
	const char *const bad[][6] = {
		{ "resume", "deploy", NULL },
		{ "resume", "-r", "mended", NULL },
	};
	struct captured cap;
	struct engine e;
	size_t i;

	ck_assert_int_eq(scripted(&e, &cap, r, 1, good), CTL_OK);
	ck_assert(engine_asked(&e, "verb=resume", "lane=deploy"));
	ck_assert(engine_asked(&e, "verb=resume", "project=tally"));
	ck_assert(engine_asked(&e, "verb=resume", "commit=0123456"));
	ck_assert(engine_asked(&e, "verb=resume", "text=6 "));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_int_eq(run_verb(&cap, e.path, bad[i]),
		    CTL_REFUSED);
	engine_end(&e);
	capture_end(&cap);
}
END_TEST

START_TEST(lease_is_released_by_force_only_with_f)
{
	const struct reply r[] = { { .text = "" }, { .text = "" } };
	const char *const soft[] = { "lease", "release", "A-1", NULL };
	const char *const hard[] = { "lease", "-f", "release", "A-1", NULL };
	struct captured cap;
	struct engine e;

	ck_assert_int_eq(scripted(&e, &cap, r, 2, soft), CTL_OK);
	ck_assert(engine_asked(&e, "verb=lease task=A-1", "release"));
	ck_assert(!engine_asked(&e, "verb=lease", "force"));
	ck_assert_int_eq(run_verb(&cap, e.path, hard), CTL_OK);
	ck_assert(engine_asked(&e, "verb=lease", "force"));
	engine_end(&e);
	capture_end(&cap);
}
END_TEST

START_TEST(log_is_followed_to_its_end_and_to_the_next_run)
{
	char one[] = "/tmp/orchctl-log-XXXXXX";
	char two[] = "/tmp/orchctl-log-XXXXXX";
	const struct reply r[] = {
	    { .json = "{\"run\":1,\"kind\":\"agent\",\"running\":true}",
	    .file = one },
	    { .json = "{\"run\":2,\"kind\":\"gate\",\"running\":false}",
	    .file = two } };
	const char *const args[] = { "log", "-f", "A-1", NULL };
	struct captured cap;
	struct engine e;
	int a = mkstemp(one), b = mkstemp(two);

	ck_assert_int_eq(write(a, "first\033\n", 7), 7);
	ck_assert_int_eq(write(b, "second\n", 7), 7);
	ck_assert_int_eq(scripted(&e, &cap, r, 2, args), CTL_OK);
	ck_assert_str_eq(captured(&cap),
	    "first\\x1b\n==> run 2, gate <==\nsecond\n");
	unlink(one);
	unlink(two);
	close(a);
	close(b);
	engine_end(&e);
	capture_end(&cap);
}
END_TEST

START_TEST(log_without_a_file_is_refused)
{
	const struct reply r = { .json = "{\"run\":1,\"running\":false}" };
	const char *const args[] = { "log", "A-1", NULL };
	struct captured cap;
	struct engine e;

	ck_assert_int_eq(scripted(&e, &cap, &r, 1, args), CTL_REFUSED);
	engine_end(&e);
	capture_end(&cap);
}
END_TEST

START_TEST(socket_is_named_by_the_environment_first)
{
	setenv("ORCHD_SOCKET", "/x/y.sock", 1);
	ck_assert_str_eq(client_default_socket(), "/x/y.sock");
	unsetenv("ORCHD_SOCKET");
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_str_eq(client_default_socket(), "/run/orchd/control.sock");
}
END_TEST

static void
fill(TCase *t)
{
	tcase_add_test(t, nobody_there_is_unreached);
	tcase_add_test(t, error_names_socket_and_what_to_do);
	tcase_add_test(t, hello_no_is_refused_with_the_reason);
	tcase_add_test(t,
	    restart_and_shutdown_alone_are_said_in_an_older_version);
	tcase_add_test(t, lost_connection_is_unreached);
	tcase_add_test(t, answer_in_parts_is_one_document);
	tcase_add_test(t, answer_that_is_no_json_is_refused);
	tcase_add_test(t, status_asks_for_all_tasks_only_with_a);
	tcase_add_test(t,
	    decision_names_task_stage_seq_and_the_commit_asked_about);
	tcase_add_test(t, decision_on_another_commit_is_sent_as_typed);
	tcase_add_test(t, decision_with_a_shortened_commit_is_completed);
	tcase_add_test(t, decision_with_a_commit_that_is_none_is_not_sent);
	tcase_add_test(t, reject_without_a_reason_is_not_sent);
	tcase_add_test(t, repeated_action_is_success);
	tcase_add_loop_test(t, messages_are_tried_again_or_dropped_in_full, 0,
	    4);
	tcase_add_test(t, action_says_a_sentence_on_a_terminal);
	tcase_add_test(t, refusal_with_j_is_a_document_too);
	tcase_add_test(t, submit_sends_its_details_and_prints_the_number);
	tcase_add_test(t, submit_refuses_what_is_no_request);
	tcase_add_test(t, submit_text_beyond_the_limit_is_refused_not_cut);
	tcase_add_test(t, check_with_problems_fails);
	tcase_add_test(t, a_doctor_that_finds_a_failure_fails);
	tcase_add_test(t, job_and_gate_are_parts_of_documents);
	tcase_add_test(t, effect_number_is_an_open_one_first_then_a_task);
	tcase_add_test(t,
	    an_effect_is_settled_with_its_key_outcome_and_reason);
	tcase_add_test(t, deploys_are_resumed_in_full_and_with_a_reason);
	tcase_add_test(t, lease_is_released_by_force_only_with_f);
	tcase_add_test(t, log_is_followed_to_its_end_and_to_the_next_run);
	tcase_add_test(t, log_without_a_file_is_refused);
	tcase_add_test(t, socket_is_named_by_the_environment_first);
}

int
main(void)
{
	setlocale(LC_ALL, "C.UTF-8");
	return (run_suite("orchctl_client", fill));
}
