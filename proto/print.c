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

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "proto/proto.h"

/* How much of one text a log line shows. */
#define SHOW_MAX 64

struct out {
	char	*o_buf;
	size_t	 o_len;
	size_t	 o_off;
};

static void __attribute__((format(printf, 2, 3)))
out_printf(struct out *o, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (o->o_off + 1 >= o->o_len)
		return;
	va_start(ap, fmt);
	n = vsnprintf(o->o_buf + o->o_off, o->o_len - o->o_off, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	o->o_off += (size_t)n;
	if (o->o_off >= o->o_len)
		o->o_off = o->o_len - 1;
}

static void
out_text(struct out *o, const char *s)
{
	size_t i;

	out_printf(o, "\"");
	for (i = 0; s[i] != '\0' && i < SHOW_MAX; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c < 0x20 || c >= 0x7f || c == '"' || c == '\\')
			out_printf(o, "\\%03o", c);
		else
			out_printf(o, "%c", c);
	}
	out_printf(o, "%s\"", s[i] != '\0' ? "..." : "");
}

/* Texts that may hold a secret: shown by their length only. */
static int
is_secret(const struct orch_field *f)
{
	size_t n = strlen(f->f_name);

	return ((n >= 5 && strcmp(f->f_name + n - 5, "token") == 0) ||
	    strcmp(f->f_name, "value") == 0);
}

static void
out_field(struct out *o, const struct orch_field *f, const void *msg)
{
	const void *p = (const uint8_t *)msg + f->f_off;
	const char *s;

	out_printf(o, " %s=", f->f_name);
	switch (f->f_type) {
	case FT_U8:
		out_printf(o, "%u", *(const uint8_t *)p);
		break;
	case FT_U32:
		out_printf(o, "%" PRIu32, *(const uint32_t *)p);
		break;
	case FT_U64:
		out_printf(o, "%" PRIu64, *(const uint64_t *)p);
		break;
	case FT_I32:
		out_printf(o, "%" PRId32, *(const int32_t *)p);
		break;
	case FT_I64:
		out_printf(o, "%" PRId64, *(const int64_t *)p);
		break;
	case FT_STR:
		if ((s = *(const char *const *)p) == NULL)
			s = "";
		if (is_secret(f))
			out_printf(o, "<%zu bytes>", strlen(s));
		else
			out_text(o, s);
		break;
	case FT_BLOB:
		out_printf(o, "<%zu bytes>",
		    ((const struct orch_blob *)p)->b_len);
		break;
	case FT_STRS:
		out_printf(o, "<%" PRIu32 " texts>",
		    ((const struct orch_strs *)p)->l_n);
		break;
	}
}

char *
orch_print(unsigned int type, const void *msg, char *buf, size_t len)
{
	const struct orch_msg *m = orch_msg(type);
	struct out o = { buf, len, 0 };
	size_t i;

	if (len == 0)
		return (buf);
	buf[0] = '\0';
	if (m == NULL) {
		out_printf(&o, "type %u", type);
		return (buf);
	}
	out_printf(&o, "%s", m->m_name);
	for (i = 0; i < m->m_nfields; i++)
		out_field(&o, &m->m_fields[i], msg);
	return (buf);
}

#define NAMES(function, ...)						\
const char *								\
function(unsigned int v)						\
{									\
	static const char *const names[] = { __VA_ARGS__ };		\
									\
	return (v < sizeof(names) / sizeof(names[0]) ? names[v] : "?");	\
}

NAMES(orch_role_name, [ROLE_NONE] = "nobody", [ROLE_PARENT] = "orchd",
    [ROLE_ENGINE] = "engine", [ROLE_WEBHOOK] = "webhookd",
    [ROLE_PAGE] = "page", [ROLE_RECONCILED] = "reconciled",
    [ROLE_FINALIZERD] = "finalizerd", [ROLE_REAPERD] = "reaperd",
    [ROLE_RUNNER] = "runner", [ROLE_WORKER] = "worker",
    [ROLE_CTL] = "orchctl")

NAMES(orch_kind_name, [KIND_NONE] = "none", [KIND_AGENT] = "agent",
    [KIND_GATE] = "gate", [KIND_IMPORT] = "import", [KIND_CLEAN] = "clean",
    [KIND_TRANSITION] = "transition", [KIND_HOOK] = "hook",
    [KIND_MONITOR] = "monitor", [KIND_EXEC] = "exec")

NAMES(orch_result_name, [RES_OK] = "ok", [RES_STALE] = "stale",
    [RES_DENIED] = "denied", [RES_FENCED] = "fenced",
    [RES_REFUSED] = "refused", [RES_NOTFOUND] = "not found",
    [RES_DUPLICATE] = "duplicate", [RES_RETRY] = "retry")

NAMES(orch_cause_name, [CAUSE_NONE] = "none", [CAUSE_RED] = "red",
    [CAUSE_CONFLICT] = "conflict", [CAUSE_TIMEOUT] = "timeout",
    [CAUSE_BUSY] = "lock-busy", [CAUSE_INFRA] = "infrastructure",
    [CAUSE_NO_COMMIT] = "no commit", [CAUSE_BAD_ARTIFACT] = "bad artifact",
    [CAUSE_TRANSIENT] = "transient", [CAUSE_SANDBOX] = "sandbox",
    [CAUSE_EXEC] = "not started", [CAUSE_STOPPED] = "stopped",
    [CAUSE_FORBIDDEN_PATH] = "forbidden path", [CAUSE_MOVED] = "moved",
    [CAUSE_QUOTA] = "quota")

NAMES(orch_effect_name, [EFFECT_NONE] = "none", [EFFECT_INTENT] = "intent",
    [EFFECT_DONE] = "done", [EFFECT_CONFLICT] = "conflict",
    [EFFECT_FAILED] = "failed")

enum orch_kind
orch_kind_lookup(const char *name)
{
	unsigned int k;

	for (k = KIND_NONE; k < KIND__MAX; k++)
		if (strcmp(orch_kind_name(k), name) == 0)
			return ((enum orch_kind)k);
	return (KIND_NONE);
}
