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

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "runner/runner.h"

static struct usage *u;
static struct usage_verdict uv;

static void
start(enum agent_format f)
{
	u = usage_new(f, NULL);
	ck_assert_ptr_nonnull(u);
}

static void
line(int stream, const char *s)
{
	usage_line(u, stream, s, strlen(s));
}

static void
end(int code)
{
	usage_judge(u, code, &uv);
	usage_free(u);
}

START_TEST(claude_result_is_read)
{
	start(FORMAT_CLAUDE);
	line(1, "{\"type\":\"system\",\"subtype\":\"init\",\"session_id\":"
	    "\"s-1\"}");
	ck_assert_str_eq(usage_session(u), "s-1");
	line(1, "{\"type\":\"result\",\"subtype\":\"success\",\"is_error\":"
	    "false,\"result\":\"ok\",\"session_id\":\"s-1\","
	    "\"total_cost_usd\":0.123456,\"usage\":{\"input_tokens\":10,"
	    "\"cache_creation_input_tokens\":5,\"cache_read_input_tokens\":1,"
	    "\"output_tokens\":7},\"permission_denials\":[]}");
	end(0);
	ck_assert_int_eq(uv.uv_ok, 1);
	ck_assert_uint_eq(uv.uv_tokens_in, 16);
	ck_assert_uint_eq(uv.uv_tokens_out, 7);
	ck_assert_uint_eq(uv.uv_cost_micros, 123456);
}
END_TEST

/* Claude Code 2.1.197 with --output-format json and --verbose. */
START_TEST(claude_array_is_read)
{
	start(FORMAT_CLAUDE);
	line(1, "[{\"type\":\"system\",\"subtype\":\"init\",\"session_id\":"
	    "\"s-1\"},{\"type\":\"assistant\"},{\"type\":\"result\","
	    "\"is_error\":false,\"result\":\"ok\",\"usage\":{"
	    "\"input_tokens\":10,\"output_tokens\":7}}]");
	end(0);
	ck_assert_int_eq(uv.uv_ok, 1);
	ck_assert_str_eq(uv.uv_session, "s-1");
	ck_assert_uint_eq(uv.uv_tokens_out, 7);
	start(FORMAT_CLAUDE);
	line(1, "[[{\"type\":\"result\",\"is_error\":false}],7,null,[]]");
	end(0);
	ck_assert_int_eq(uv.uv_ok, 0);
}
END_TEST

/* An API failure: subtype success, is_error true, exit code 1. */
START_TEST(claude_subtype_success_is_not_success)
{
	start(FORMAT_CLAUDE);
	line(1, "{\"type\":\"result\",\"subtype\":\"success\",\"is_error\":"
	    "true,\"api_error_status\":529,\"result\":\"API Error: "
	    "Overloaded\",\"session_id\":\"s\",\"total_cost_usd\":0}");
	end(0);
	ck_assert_int_eq(uv.uv_ok, 0);
	ck_assert_int_eq(uv.uv_cause, CAUSE_TRANSIENT);
	ck_assert_ptr_nonnull(strstr(uv.uv_reason, "Overloaded"));
}
END_TEST

START_TEST(claude_limit_is_quota)
{
	start(FORMAT_CLAUDE);
	line(1, "{\"type\":\"result\",\"subtype\":\"success\",\"is_error\":"
	    "true,\"api_error_status\":429,\"result\":\"Claude usage limit "
	    "reached\"}");
	end(1);
	ck_assert_int_eq(uv.uv_cause, CAUSE_QUOTA);
}
END_TEST

START_TEST(claude_turn_limit_names_its_error)
{
	start(FORMAT_CLAUDE);
	line(1, "{\"type\":\"result\",\"subtype\":\"error_max_turns\","
	    "\"is_error\":true,\"errors\":[\"Reached maximum number of turns "
	    "(3)\"]}");
	end(1);
	ck_assert_int_eq(uv.uv_cause, CAUSE_RED);
	ck_assert_ptr_nonnull(strstr(uv.uv_reason, "maximum number of turns"));
}
END_TEST

START_TEST(claude_usage_0_is_corrected_by_model_usage)
{
	start(FORMAT_CLAUDE);
	line(1, "{\"type\":\"result\",\"is_error\":false,\"usage\":"
	    "{\"input_tokens\":0,\"output_tokens\":0},\"modelUsage\":{\"m\":"
	    "{\"inputTokens\":3,\"outputTokens\":4,\"cacheReadInputTokens\":"
	    "10,\"cacheCreationInputTokens\":20}}}");
	end(0);
	ck_assert_uint_eq(uv.uv_tokens_in, 33);
	ck_assert_uint_eq(uv.uv_tokens_out, 4);
}
END_TEST

START_TEST(claude_exit_0_without_result_fails)
{
	start(FORMAT_CLAUDE);
	line(1, "{\"type\":\"assistant\",\"session_id\":\"s\"}");
	end(0);
	ck_assert_int_eq(uv.uv_ok, 0);
	ck_assert_ptr_nonnull(strstr(uv.uv_reason, "without a result"));
	start(FORMAT_CLAUDE);
	end(143);
	ck_assert_int_eq(uv.uv_ok, 0);
}
END_TEST

START_TEST(claude_refused_tools_are_said)
{
	start(FORMAT_CLAUDE);
	line(1, "{\"type\":\"result\",\"is_error\":false,\"result\":\"\","
	    "\"permission_denials\":[{\"tool_name\":\"Bash\"},{}]}");
	end(0);
	ck_assert_int_eq(uv.uv_ok, 1);
	ck_assert_ptr_nonnull(strstr(uv.uv_reason, "2 tool uses"));
}
END_TEST

START_TEST(codex_needs_a_completed_turn)
{
	start(FORMAT_CODEX);
	line(1, "{\"type\":\"thread.started\",\"thread_id\":\"t-1\"}");
	line(1, "{\"type\":\"error\",\"message\":\"Reconnecting... 1/5\"}");
	line(1, "{\"type\":\"item.completed\",\"item\":{\"type\":\"error\"}}");
	line(1, "{\"type\":\"turn.completed\",\"usage\":{\"input_tokens\":100,"
	    "\"cached_input_tokens\":50,\"output_tokens\":9}}");
	end(0);
	ck_assert_int_eq(uv.uv_ok, 1);
	ck_assert_str_eq(uv.uv_session, "t-1");
	ck_assert_uint_eq(uv.uv_tokens_in, 100);
	start(FORMAT_CODEX);
	line(1, "{\"type\":\"thread.started\",\"thread_id\":\"t-1\"}");
	end(0);
	ck_assert_int_eq(uv.uv_ok, 0);
}
END_TEST

START_TEST(codex_overload_is_transient)
{
	start(FORMAT_CODEX);
	line(1, "{\"type\":\"turn.failed\",\"error\":{\"message\":\"Selected "
	    "model is at capacity\"}}");
	end(1);
	ck_assert_int_eq(uv.uv_cause, CAUSE_TRANSIENT);
}
END_TEST

START_TEST(gemini_document_over_many_lines)
{
	start(FORMAT_GEMINI);
	line(1, "Loaded cached credentials.");
	line(1, "{");
	line(1, "  \"session_id\": \"g-1\",");
	line(1, "  \"response\": \"done\",");
	line(1, "  \"stats\": {\"models\": {\"m\": {\"tokens\": "
	    "{\"prompt\": 11, \"candidates\": 2, \"thoughts\": 3}}}}");
	line(1, "}");
	end(0);
	ck_assert_msg(uv.uv_ok == 1, "%s", uv.uv_reason);
	ck_assert_uint_eq(uv.uv_tokens_in, 11);
	ck_assert_uint_eq(uv.uv_tokens_out, 5);
	ck_assert_str_eq(uv.uv_session, "g-1");
}
END_TEST

/* After SIGTERM it can exit 0 with nothing on stdout. */
START_TEST(gemini_exit_0_with_nothing_fails)
{
	start(FORMAT_GEMINI);
	end(0);
	ck_assert_int_eq(uv.uv_ok, 0);
	start(FORMAT_GEMINI);
	line(1, "{\"session_id\":\"x\",\"error\":{\"message\":\"empty "
	    "stream\"}}");
	end(0);
	ck_assert_int_eq(uv.uv_ok, 0);
}
END_TEST

START_TEST(gemini_exit_code_is_an_http_status)
{
	start(FORMAT_GEMINI);
	end(429 & 255);
	ck_assert_int_eq(uv.uv_cause, CAUSE_TRANSIENT);
	start(FORMAT_GEMINI);
	line(2, "noise");
	line(2, "{\"session_id\":\"x\",\"error\":{\"type\":\"Error\","
	    "\"message\":\"API key not valid\",\"code\":400}}");
	end(400 & 255);
	ck_assert_int_eq(uv.uv_cause, CAUSE_RED);
	ck_assert_ptr_nonnull(strstr(uv.uv_reason, "API key not valid"));
}
END_TEST

START_TEST(any_command_goes_by_exit_code_and_patterns)
{
	static const char data[] = "net(work)? down\0broken[(";
	struct orch_strs l = { .l_data = data, .l_len = sizeof(data),
	    .l_n = 2 };

	start(FORMAT_NONE);
	line(1, "{\"type\":\"result\",\"is_error\":true}");
	end(0);
	ck_assert_int_eq(uv.uv_ok, 1);
	start(FORMAT_NONE);
	line(1, "connection reset, overloaded");
	end(1);
	ck_assert_int_eq(uv.uv_cause, CAUSE_RED);
	u = usage_new(FORMAT_NONE, &l);
	line(2, "the network down again");
	end(1);
	ck_assert_int_eq(uv.uv_cause, CAUSE_TRANSIENT);
}
END_TEST

/* As end(), and what it said last. */
static const char *
end_last(int code, char *last, size_t len)
{
	usage_judge(u, code, &uv);
	usage_last(u, last, len);
	usage_free(u);
	return (last);
}

/* Shortened from what the programs print; raw JSON is not for people. */
START_TEST(last_words_are_the_agents_message)
{
	char last[600];

	start(FORMAT_CLAUDE);
	line(1, "{\"type\":\"assistant\",\"message\":{\"id\":\"msg_97a6\"}}");
	line(1, "{\"type\":\"result\",\"subtype\":\"success\",\"is_error\":"
	    "false,\"result\":\"I could\\nnot commit.\"}");
	ck_assert_str_eq(end_last(0, last, sizeof(last)),
	    "I could\\nnot commit.");
	start(FORMAT_CODEX);	/* 0.169.0 behind a proxy without WebSockets */
	line(1, "{\"type\":\"error\",\"message\":\"Reconnecting... 2/5\"}");
	line(1, "{\"type\":\"item.completed\",\"item\":{\"id\":\"item_0\","
	    "\"type\":\"error\",\"message\":\"Falling back\"}}");
	line(1, "{\"type\":\"item.completed\",\"item\":{\"id\":\"item_1\","
	    "\"type\":\"agent_message\",\"text\":\"All done.\"}}");
	line(1, "{\"type\":\"turn.completed\",\"usage\":{}}");
	ck_assert_str_eq(end_last(0, last, sizeof(last)), "All done.");
	ck_assert_int_eq(uv.uv_ok, 1);
	start(FORMAT_GEMINI);
	line(1, "{");
	line(1, "  \"session_id\": \"32a8db1a\",");
	line(1, "  \"response\": \"Nothing to do.\"");
	line(1, "}");
	ck_assert_str_eq(end_last(0, last, sizeof(last)), "Nothing to do.");
}
END_TEST

/* Node.js 20 ends a trace with its version; Gemini CLI 0.61.0 at a login. */
START_TEST(last_words_are_the_line_of_the_error)
{
	static const char why[] = "Error: Missing optional dependency "
	    "@openai/codex-linux-x64. Reinstall Codex: npm install -g "
	    "@openai/codex@latest";
	char last[600];

	start(FORMAT_CODEX);
	line(2, "file:///opt/codex/node_modules/.bin/codex:108");
	line(2, "  throw new Error(");
	line(2, "        ^");
	line(2, why);
	line(2, "    at findCodexExecutable (file:///opt/codex:108:9)");
	line(2, "Node.js v20.20.2");
	ck_assert_str_eq(end_last(1, last, sizeof(last)), why);
	start(FORMAT_GEMINI);
	line(2, "YOLO mode is enabled.");
	line(2, "{");
	line(2, "  \"error\": {");
	line(2, "    \"message\": \"Invalid auth method selected.\",");
	line(2, "    \"code\": 41");
	line(2, "  }");
	line(2, "}");
	ck_assert_str_eq(end_last(41, last, sizeof(last)),
	    "Invalid auth method selected.");
	ck_assert_ptr_nonnull(strstr(uv.uv_reason, "Invalid auth method"));
	start(FORMAT_NONE);
	line(1, "Error: of no matter");
	line(1, "the end");
	ck_assert_str_eq(end_last(1, last, sizeof(last)),
	    "Error: of no matter | the end");
}
END_TEST

/*
 * The words of the last line of Claude Code 2.1.197, Codex 0.169.0 and Gemini
 * CLI 0.61.0, recorded in front of a stand-in that answered as the providers
 * do at a limit, shortened to the fields that are read.
 */
START_TEST(limits_are_told_apart)
{
	static const struct {
		enum agent_format f;
		enum orch_cause	 cause;
		int		 stream, code;
		const char	*line;
	} said[] = {
		{ FORMAT_CLAUDE, CAUSE_QUOTA, 1, 1, "{\"type\":\"result\","
		    "\"subtype\":\"success\",\"is_error\":true,"
		    "\"api_error_status\":400,\"result\":\"Credit balance "
		    "is too low\"}" },
		{ FORMAT_CLAUDE, CAUSE_TRANSIENT, 1, 1, "{\"type\":\"result"
		    "\",\"is_error\":true,\"api_error_status\":429,"
		    "\"result\":\"API Error: Request rejected (429) - This "
		    "request would exceed your account's rate limit. Please "
		    "try again later.\"}" },
		{ FORMAT_CLAUDE, CAUSE_RED, 1, 1, "{\"type\":\"result\","
		    "\"is_error\":true,\"api_error_status\":null,"
		    "\"result\":\"Not logged in - Please run /login\"}" },
		{ FORMAT_CODEX, CAUSE_QUOTA, 1, 1, "{\"type\":\"turn.failed"
		    "\",\"error\":{\"message\":\"Quota exceeded. Check your "
		    "plan and billing details.\"}}" },
		{ FORMAT_CODEX, CAUSE_QUOTA, 1, 1, "{\"type\":\"turn.failed"
		    "\",\"error\":{\"message\":\"You\u2019ve hit your usage "
		    "limit. Upgrade to Pro, or try again at 6:13 AM.\"}}" },
		{ FORMAT_CODEX, CAUSE_TRANSIENT, 1, 1, "{\"type\":"
		    "\"turn.failed\",\"error\":{\"message\":\"exceeded retry "
		    "limit, last status: 429 Too Many Requests\"}}" },
		{ FORMAT_CODEX, CAUSE_RED, 1, 1, "{\"type\":\"turn.failed"
		    "\",\"error\":{\"message\":\"unexpected status 401 "
		    "Unauthorized: Incorrect API key provided: dummy.\"}}" },
		{ FORMAT_GEMINI, CAUSE_QUOTA, 2, 173, "{\"error\":{\"type\":"
		    "\"Error\",\"message\":\"You have exhausted your daily "
		    "quota on this model.\",\"code\":429}}" },
	};
	size_t i;

	for (i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
		start(said[i].f);
		line(said[i].stream, said[i].line);
		end(said[i].code);
		ck_assert_int_eq(uv.uv_ok, 0);
		ck_assert_msg(uv.uv_cause == said[i].cause, "%zu: cause %d: %s",
		    i, (int)uv.uv_cause, uv.uv_reason);
	}
}
END_TEST

/* As OpenCode 1.18.33 prints it with --format json, shortened. */
START_TEST(opencode_steps_are_added_up)
{
	start(FORMAT_OPENCODE);
	line(1, "{\"type\":\"step_start\",\"sessionID\":\"ses_df95\","
	    "\"part\":{\"type\":\"step-start\"}}");
	ck_assert_str_eq(usage_session(u), "ses_df95");
	line(1, "{\"type\":\"step_finish\",\"sessionID\":\"ses_df95\","
	    "\"part\":{\"reason\":\"tool-calls\",\"type\":\"step-finish\","
	    "\"tokens\":{\"total\":6577,\"input\":1200,\"output\":77,"
	    "\"reasoning\":3,\"cache\":{\"write\":300,\"read\":5000}},"
	    "\"cost\":0.00738}}");
	line(1, "{\"type\":\"text\",\"part\":{\"text\":\"All done.\"}}");
	line(1, "{\"type\":\"step_finish\",\"part\":{\"reason\":\"stop\","
	    "\"tokens\":{\"input\":1,\"output\":2,\"cache\":{}},"
	    "\"cost\":0.001}}");
	end(0);
	ck_assert_int_eq(uv.uv_ok, 1);
	ck_assert_uint_eq(uv.uv_tokens_in, 6501);
	ck_assert_uint_eq(uv.uv_tokens_out, 82);
	ck_assert_uint_eq(uv.uv_cost_micros, 8380);
}
END_TEST

START_TEST(opencode_needs_a_last_step)
{
	start(FORMAT_OPENCODE);
	line(1, "{\"type\":\"step_finish\",\"part\":{\"reason\":"
	    "\"tool-calls\"}}");
	end(0);
	ck_assert_int_eq(uv.uv_ok, 0);
	start(FORMAT_OPENCODE);
	line(1, "{\"type\":\"step_finish\",\"part\":{\"reason\":"
	    "\"length\"}}");
	end(0);
	ck_assert_int_eq(uv.uv_ok, 0);
	start(FORMAT_OPENCODE);
	line(1, "{\"type\":\"error\",\"sessionID\":\"ses_1\",\"error\":{"
	    "\"name\":\"APIError\",\"data\":{\"message\":\"Your credit "
	    "balance is too low to access the Anthropic API.\","
	    "\"statusCode\":400,\"isRetryable\":false}}}");
	end(1);
	ck_assert_int_eq(uv.uv_cause, CAUSE_QUOTA);
	ck_assert_ptr_nonnull(strstr(uv.uv_reason,
	    "OpenCode failed: Your credit balance"));
}
END_TEST

START_TEST(gemini_error_in_an_error_is_read)
{
	start(FORMAT_GEMINI);
	line(2, "{\"error\":{\"type\":\"Error\",\"message\":\"{\\\"error\\\":"
	    "{\\\"code\\\":400,\\\"message\\\":\\\"API key not valid.\\\","
	    "\\\"status\\\":\\\"INVALID_ARGUMENT\\\"}}\",\"code\":400}}");
	end(144);
	ck_assert_str_eq(uv.uv_reason,
	    "Gemini CLI failed: API key not valid. (exit code 144)");
}
END_TEST

START_TEST(hostile_json_is_survived)
{
	static char deep[100001];

	memset(deep, '[', sizeof(deep) - 1);
	memcpy(deep, "{\"a\":", 5);
	start(FORMAT_CLAUDE);
	line(1, deep);
	line(1, "{\"type\":\"result\",\"is_error\":false,\"usage\":[],"
	    "\"total_cost_usd\":-1e300,\"session_id\":\"../../x\"}");
	line(1, "{\"type\":7,\"session_id\":{}}");
	line(1, "{}");
	end(0);
	ck_assert_uint_eq(uv.uv_cost_micros, 0);
	ck_assert_str_eq(uv.uv_session, "");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("runner_usage");
	TCase *tc = tcase_create("usage");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, claude_result_is_read);
	tcase_add_test(tc, claude_array_is_read);
	tcase_add_test(tc, claude_subtype_success_is_not_success);
	tcase_add_test(tc, claude_limit_is_quota);
	tcase_add_test(tc, claude_turn_limit_names_its_error);
	tcase_add_test(tc, claude_usage_0_is_corrected_by_model_usage);
	tcase_add_test(tc, claude_exit_0_without_result_fails);
	tcase_add_test(tc, claude_refused_tools_are_said);
	tcase_add_test(tc, codex_needs_a_completed_turn);
	tcase_add_test(tc, codex_overload_is_transient);
	tcase_add_test(tc, gemini_document_over_many_lines);
	tcase_add_test(tc, gemini_exit_0_with_nothing_fails);
	tcase_add_test(tc, gemini_exit_code_is_an_http_status);
	tcase_add_test(tc, any_command_goes_by_exit_code_and_patterns);
	tcase_add_test(tc, last_words_are_the_agents_message);
	tcase_add_test(tc, last_words_are_the_line_of_the_error);
	tcase_add_test(tc, limits_are_told_apart);
	tcase_add_test(tc, opencode_steps_are_added_up);
	tcase_add_test(tc, opencode_needs_a_last_step);
	tcase_add_test(tc, gemini_error_in_an_error_is_read);
	tcase_add_test(tc, hostile_json_is_survived);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed == 0 ? 0 : 1);
}
