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

#include <bsd/string.h>
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "libcommon/esc.h"
#include "libcommon/log.h"
#include "runner.h"

/*
 * The formats are those of Claude Code 2.1, Codex 0.169, Gemini CLI 0.61 and
 * OpenCode 1.18 as recorded from the programs.  An exit code of 0 alone proves
 * nothing: each has a way to end so without having worked.
 */

#define OUTPUT_MAX	(1U << 20)	/* kept of a result over many lines */
#define PATTERNS_MAX	64

struct usage {
	enum agent_format	 us_format;
	regex_t			 us_re[PATTERNS_MAX];
	size_t			 us_nre;
	struct text		 us_out;	/* gemini: the JSON document */
	struct tail		 us_said;	/* where patterns may match */
	uint64_t		 us_in, us_outp, us_micros;
	char			 us_session[129];
	int			 us_result;	/* a final result was seen */
	int			 us_error;	/* and it is an error */
	int			 us_status;	/* HTTP status it names, or 0 */
	size_t			 us_denied;	/* tool uses refused */
	char			 us_text[400];	/* of the error */
	char			 us_words[400];	/* the agent's last message */
};

/* Words of a provider's limit; the match ignores case. */
static const char *const quota_words[] = {
	"usage limit", "limit reached", "hit your limit", "insufficient_quota",
	"exceeded your current quota", "credit balance is too low",
	"RESOURCE_EXHAUSTED", "quota exceeded", "exhausted your"
};

/* Words of trouble that passes. */
static const char *const transient_words[] = {
	"overloaded", "rate limit", "rate_limit", "too many requests",
	"at capacity", "stream disconnected", "connection reset",
	"connection refused", "connection error", "temporarily unavailable",
	"service unavailable", "internal server error", "bad gateway",
	"gateway timeout", "request timed out", "ECONNRESET", "ETIMEDOUT",
	"ENOTFOUND", "EAI_AGAIN", "fetch failed", "network error"
};

struct usage *
usage_new(enum agent_format format, const struct orch_strs *transient)
{
	struct usage *u;
	const char *s = NULL;

	if ((u = calloc(1, sizeof(*u))) == NULL)
		return (NULL);
	u->us_format = format < FORMAT__MAX ? format : FORMAT_NONE;
	while (transient != NULL &&
	    (s = orch_strs_next(transient, s)) != NULL) {
		if (u->us_nre == PATTERNS_MAX ||
		    regcomp(&u->us_re[u->us_nre], s,
		    REG_EXTENDED | REG_NOSUB) != 0)
			log_warnx("transient \"%s\": not a usable pattern", s);
		else
			u->us_nre++;
	}
	return (u);
}

void
usage_free(struct usage *u)
{
	if (u == NULL)
		return;
	while (u->us_nre > 0)
		regfree(&u->us_re[--u->us_nre]);
	free(u->us_out.tx_buf);
	tail_free(&u->us_said);
	free(u);
}

const char *
usage_session(const struct usage *u)
{
	return (u->us_session);
}

/* A number of tokens; anything else counts 0. */
static uint64_t
count(const json_t *o, const char *key)
{
	json_int_t n = json_integer_value(json_object_get(o, key));

	return (n > 0 ? (uint64_t)n : 0);
}

static void
set_session(struct usage *u, const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));
	size_t i;

	if (s == NULL || s[0] == '\0' || strlen(s) >= sizeof(u->us_session))
		return;
	for (i = 0; s[i] != '\0'; i++)
		if (!isalnum((unsigned char)s[i]) &&
		    strchr("._-:", s[i]) == NULL)
			return;
	(void)strlcpy(u->us_session, s, sizeof(u->us_session));
}

static void
set_text(struct usage *u, const char *s)
{
	if (s != NULL)
		(void)esc(u->us_text, sizeof(u->us_text), s);
}

static void
set_words(struct usage *u, const char *s)
{
	if (s != NULL && s[0] != '\0')
		(void)esc(u->us_words, sizeof(u->us_words), s);
}

/* Gemini CLI shows some errors as the provider's JSON: take its message. */
static void
set_inner(struct usage *u, const char *s)
{
	const char *m;
	json_t *o;

	if (s == NULL || s[0] != '{' || (o = json_loads(s, 0, NULL)) == NULL)
		return;
	m = json_string_value(json_object_get(json_object_get(o, "error"),
	    "message"));
	if (m != NULL && m[0] != '\0')
		set_text(u, m);
	json_decref(o);
}

/* An error is a text or an object with a message. */
static void
set_error(struct usage *u, const json_t *e)
{
	const json_t *code;

	u->us_error = 1;
	if (json_is_string(e)) {
		set_text(u, json_string_value(e));
		return;
	}
	set_text(u, json_string_value(json_object_get(e, "message")));
	set_inner(u, json_string_value(json_object_get(e, "message")));
	code = json_object_get(e, "code");
	if (code == NULL)
		code = json_object_get(e, "statusCode");
	if (json_integer_value(code) >= 400 && json_integer_value(code) < 600)
		u->us_status = (int)json_integer_value(code);
}

/*
 * modelUsage first: after a stream that was cut, `usage' is 0 and modelUsage
 * is right.
 */
static void
claude_tokens(struct usage *u, const json_t *o)
{
	const json_t *all = json_object_get(o, "usage");
	const char *model;
	json_t *m, *models = json_object_get(o, "modelUsage");

	if (json_object_size(models) == 0) {
		u->us_in = count(all, "input_tokens") +
		    count(all, "cache_creation_input_tokens") +
		    count(all, "cache_read_input_tokens");
		u->us_outp = count(all, "output_tokens");
		return;
	}
	u->us_in = u->us_outp = 0;
	json_object_foreach(models, model, m) {
		u->us_in += count(m, "inputTokens") +
		    count(m, "cacheCreationInputTokens") +
		    count(m, "cacheReadInputTokens");
		u->us_outp += count(m, "outputTokens");
	}
}

/* `subtype' says "success" even when the API failed: only is_error counts. */
static void
claude_line(struct usage *u, const json_t *o)
{
	const char *type = json_string_value(json_object_get(o, "type"));
	const json_t *st;
	double usd;

	set_session(u, o, "session_id");
	if (type == NULL || strcmp(type, "result") != 0)
		return;
	u->us_result = 1;
	u->us_error = !json_is_false(json_object_get(o, "is_error"));
	u->us_denied = json_array_size(json_object_get(o,
	    "permission_denials"));
	claude_tokens(u, o);
	usd = json_number_value(json_object_get(o, "total_cost_usd"));
	if (usd > 0 && usd < 1e9)
		u->us_micros = (uint64_t)llround(usd * 1e6);
	if (!u->us_error) {
		set_words(u, json_string_value(json_object_get(o, "result")));
		return;
	}
	set_text(u, json_string_value(json_object_get(o, "subtype")));
	set_text(u, json_string_value(json_array_get(json_object_get(o,
	    "errors"), 0)));
	set_text(u, json_string_value(json_object_get(o, "result")));
	st = json_object_get(o, "api_error_status");
	if (json_is_integer(st))
		u->us_status = (int)json_integer_value(st);
}

/*
 * An item of type error and a top-level "Reconnecting..." are not final; only
 * turn.completed and turn.failed are.  The last usage counts: it is the
 * thread's, so a resumed session reports its earlier turns again.
 */
static void
codex_line(struct usage *u, const json_t *o)
{
	const char *type = json_string_value(json_object_get(o, "type"));
	const json_t *use = json_object_get(o, "usage");
	const json_t *item = json_object_get(o, "item");

	if (type == NULL)
		return;
	if (strcmp(type, "thread.started") == 0)
		set_session(u, o, "thread_id");
	else if (strcmp(type, "item.completed") == 0)
		set_words(u, json_string_value(json_object_get(item, "text")));
	else if (strcmp(type, "turn.completed") == 0) {
		u->us_result = 1;
		u->us_error = 0;
		u->us_text[0] = '\0';	/* it did reconnect */
		u->us_in = count(use, "input_tokens");
		u->us_outp = count(use, "output_tokens");
	} else if (strcmp(type, "turn.failed") == 0) {
		u->us_result = 1;
		set_error(u, json_object_get(o, "error"));
	} else if (strcmp(type, "error") == 0)
		set_text(u, json_string_value(json_object_get(o, "message")));
}

static void
gemini_stats(struct usage *u, const json_t *stats)
{
	const json_t *t;
	const char *name;
	json_t *m, *models = json_object_get(stats, "models");

	if (json_object_size(models) == 0) {
		u->us_in = count(stats, "input_tokens");
		u->us_outp = count(stats, "output_tokens");
		return;
	}
	u->us_in = u->us_outp = 0;
	json_object_foreach(models, name, m) {
		t = json_object_get(m, "tokens");
		u->us_in += count(t, "prompt");
		u->us_outp += count(t, "candidates") + count(t, "thoughts");
	}
}

/* The one object of json mode, or a line of stream-json. */
static void
gemini_object(struct usage *u, const json_t *o)
{
	const char *type = json_string_value(json_object_get(o, "type"));
	const char *st = json_string_value(json_object_get(o, "status"));
	const json_t *err = json_object_get(o, "error");

	set_session(u, o, "session_id");
	if (type != NULL && strcmp(type, "result") != 0)
		return;
	if (err != NULL && !json_is_null(err)) {
		u->us_result = 1;
		set_error(u, err);
		return;
	}
	if (type == NULL && json_object_get(o, "response") == NULL)
		return;
	u->us_result = 1;
	u->us_error = st != NULL && strcmp(st, "success") != 0;
	set_words(u, json_string_value(json_object_get(o, "response")));
	gemini_stats(u, json_object_get(o, "stats"));
}

/*
 * Each step tells its own tokens and cost; the last one that stops, and not for
 * a tool, is the result.  A final error is a line of its own, with exit code 1.
 */
static void
opencode_line(struct usage *u, const json_t *o)
{
	const char *type = json_string_value(json_object_get(o, "type"));
	const json_t *part = json_object_get(o, "part");
	const json_t *err = json_object_get(o, "error");
	const json_t *t = json_object_get(part, "tokens");
	const json_t *cache = json_object_get(t, "cache");
	const char *why;
	double usd;

	set_session(u, o, "sessionID");
	if (type != NULL && strcmp(type, "text") == 0)
		set_words(u, json_string_value(json_object_get(part, "text")));
	else if (type != NULL && strcmp(type, "error") == 0) {
		u->us_result = 1;
		set_text(u, json_string_value(json_object_get(err, "name")));
		set_error(u, json_object_get(err, "data"));
	}
	if (type == NULL || strcmp(type, "step_finish") != 0)
		return;
	why = json_string_value(json_object_get(part, "reason"));
	u->us_result = why != NULL && strcmp(why, "tool-calls") != 0;
	u->us_error = why == NULL || strcmp(why, "stop") != 0;
	u->us_in += count(t, "input") + count(cache, "read") +
	    count(cache, "write");
	u->us_outp += count(t, "output") + count(t, "reasoning");
	usd = json_number_value(json_object_get(part, "cost"));
	if (usd > 0 && usd < 1e6)
		u->us_micros += (uint64_t)llround(usd * 1e6);
}

static void
usage_object(struct usage *u, const json_t *o)
{
	switch (u->us_format) {
	case FORMAT_CLAUDE:
		claude_line(u, o);
		break;
	case FORMAT_CODEX:
		codex_line(u, o);
		break;
	case FORMAT_GEMINI:
		gemini_object(u, o);
		break;
	case FORMAT_OPENCODE:
		opencode_line(u, o);
		break;
	case FORMAT_NONE:
	case FORMAT__MAX:
		break;
	}
}

void
usage_line(struct usage *u, int stream, const char *line, size_t len)
{
	json_error_t je;
	json_t *o, *one;
	size_t i;

	if (u->us_format != FORMAT_NONE && stream == 1 && len > 1 &&
	    (line[0] == '{' || line[0] == '[') &&
	    (o = json_loadb(line, len, 0, &je)) != NULL) {
		/* Claude Code's json with --verbose is one array of all. */
		json_array_foreach(o, i, one)
			usage_object(u, one);
		if (json_is_object(o))
			usage_object(u, o);
		json_decref(o);
		return;
	}
	/* Gemini prints its object over many lines, errors on stderr. */
	if (u->us_format == FORMAT_GEMINI &&
	    u->us_out.tx_len + len < OUTPUT_MAX) {
		text_add(&u->us_out, line, len);
		text_add(&u->us_out, "\n", 1);
	}
	tail_add(&u->us_said, line, len);
}

/* The last object in what was printed over several lines. */
static void
usage_document(struct usage *u)
{
	const char *p = u->us_out.tx_buf, *end;
	json_error_t je;
	json_t *o;

	if (u->us_format != FORMAT_GEMINI || p == NULL)
		return;
	end = p + u->us_out.tx_len;
	for (; p < end; p++) {
		if (*p != '{' || (p > u->us_out.tx_buf && p[-1] != '\n'))
			continue;
		if ((o = json_loadb(p, (size_t)(end - p),
		    JSON_DISABLE_EOF_CHECK, &je)) != NULL) {
			usage_object(u, o);
			json_decref(o);
			p += je.position > 0 ? je.position - 1 : 0;
		}
	}
}

/* "Error: ...", "Error [CODE]: ...", "error: ...": not a line of a trace. */
static int
names_error(const char *p, size_t len)
{
	const char *e = memmem(p, len, "rror", 4);

	return (e != NULL && p[0] != ' ' && p[0] != '\t' &&
	    memmem(e, len - (size_t)(e - p), ": ", 2) != NULL);
}

void
usage_last(const struct usage *u, char *dst, size_t len)
{
	const char *p = u->us_said.tl_buf, *nl, *end;

	dst[0] = '\0';
	if (u->us_text[0] != '\0' || u->us_words[0] != '\0') {
		(void)strlcpy(dst, u->us_text[0] != '\0' ? u->us_text :
		    u->us_words, len);
		return;
	}
	end = p == NULL ? NULL : p + u->us_said.tl_len;
	for (; u->us_format != FORMAT_NONE && p < end; p = nl + 1) {
		if ((nl = memchr(p, '\n', (size_t)(end - p))) == NULL)
			break;
		if (names_error(p, (size_t)(nl - p)))
			(void)snprintf(dst, len, "%.*s", (int)(nl - p), p);
	}
	if (dst[0] == '\0')
		tail_last(&u->us_said, 3, dst, len);
}

static int
any_word(const char *const *word, size_t n, const char *s)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcasestr(s, word[i]) != NULL)
			return (1);
	return (0);
}

#define ANY_WORD(w, s)	any_word(w, sizeof(w) / sizeof((w)[0]), s)

static int
configured(const struct usage *u, const char *line)
{
	size_t i;

	for (i = 0; i < u->us_nre; i++)
		if (regexec(&u->us_re[i], line, 0, NULL, 0) == 0)
			return (1);
	return (0);
}

/* Why did it fail?  The agent's own words come last and never first. */
static enum orch_cause
classify_text(const struct usage *u, const char *s)
{
	if (configured(u, s))
		return (CAUSE_TRANSIENT);
	if (u->us_format == FORMAT_NONE)
		return (CAUSE_NONE);
	if (ANY_WORD(quota_words, s))
		return (CAUSE_QUOTA);
	if (ANY_WORD(transient_words, s))
		return (CAUSE_TRANSIENT);
	return (CAUSE_NONE);
}

static enum orch_cause
classify_lines(struct usage *u)
{
	enum orch_cause c, found = CAUSE_NONE;
	struct tail *t = &u->us_said;
	char *p = t->tl_buf, *nl, *end;

	if (p == NULL)
		return (CAUSE_NONE);
	for (end = p + t->tl_len; p < end; p = nl + 1) {
		if ((nl = memchr(p, '\n', (size_t)(end - p))) == NULL)
			break;
		*nl = '\0';
		if ((c = classify_text(u, p)) != CAUSE_NONE)
			found = c;
		*nl = '\n';
	}
	return (found);
}

/* Gemini's exit code of an API error is the HTTP status, its low byte. */
static int
usage_status(const struct usage *u, int code)
{
	static const int known[] = { 408, 429, 500, 502, 503, 504, 529 };
	size_t i;

	if (u->us_status != 0 || u->us_format != FORMAT_GEMINI)
		return (u->us_status);
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (code == (known[i] & 255))
			return (known[i]);
	return (0);
}

static enum orch_cause
classify(struct usage *u, int code)
{
	enum orch_cause c = classify_text(u, u->us_text);
	int st = usage_status(u, code);

	if (c == CAUSE_NONE && (st == 408 || st == 429 || st >= 500))
		c = CAUSE_TRANSIENT;
	if (c == CAUSE_NONE)
		c = classify_lines(u);
	return (c == CAUSE_NONE ? CAUSE_RED : c);
}

static void
usage_reason(const struct usage *u, int code, struct usage_verdict *uv)
{
	static const char *const program[] = {
		[FORMAT_NONE] = "", [FORMAT_CLAUDE] = "Claude Code",
		[FORMAT_CODEX] = "Codex", [FORMAT_GEMINI] = "Gemini CLI",
		[FORMAT_OPENCODE] = "OpenCode"
	};

	if (u->us_format == FORMAT_NONE)
		return;		/* the box says it */
	if (u->us_text[0] != '\0')
		(void)snprintf(uv->uv_reason, sizeof(uv->uv_reason),
		    "%s failed: %s (exit code %d)", program[u->us_format],
		    u->us_text, code);
	else if (!u->us_result)
		(void)snprintf(uv->uv_reason, sizeof(uv->uv_reason),
		    "%s ended with exit code %d without a result",
		    program[u->us_format], code);
}

void
usage_judge(struct usage *u, int code, struct usage_verdict *uv)
{
	memset(uv, 0, sizeof(*uv));
	usage_document(u);
	uv->uv_tokens_in = u->us_in;
	uv->uv_tokens_out = u->us_outp;
	uv->uv_cost_micros = u->us_micros;
	(void)strlcpy(uv->uv_session, u->us_session, sizeof(uv->uv_session));
	uv->uv_ok = code == 0 && (u->us_format == FORMAT_NONE ||
	    (u->us_result && !u->us_error));
	if (!uv->uv_ok) {
		uv->uv_cause = classify(u, code);
		usage_reason(u, code, uv);
	} else if (u->us_denied > 0)
		(void)snprintf(uv->uv_reason, sizeof(uv->uv_reason),
		    "%zu tool uses were refused by the agent's own "
		    "permissions", u->us_denied);
}
