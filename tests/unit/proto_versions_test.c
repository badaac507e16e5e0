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

/*
 * What runners and workers of an earlier version say and understand.  They
 * outlive an upgrade: an engine that cannot talk to them loses their work.
 */

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto_fill.h"

/*
 * Version 1.0, as it was: what is said between the engine and its runs, word
 * for word.  This table is never changed; a later version may add fields after
 * these, and add messages.
 */
static const struct frozen {
	const char	*z_name;
	unsigned int	 z_type;
	enum orch_fd	 z_fd;
	const char	*z_fields;	/* type, name and limit, in wire order */
} v1_0[] = {
	{ "hello", 1, FD_NONE,
	    "U32 major, U32 minor, U8 role, U64 run, BLOB key 32, "
	    "STR ident 192, U32 generation" },
	{ "hello_ok", 2, FD_NONE,
	    "U32 minor, U64 now_ms" },
	{ "hello_no", 3, FD_NONE,
	    "STR reason 256" },
	{ "ping", 4, FD_NONE,
	    "U64 nonce" },
	{ "pong", 5, FD_NONE,
	    "U64 nonce" },
	{ "ack", 6, FD_NONE,
	    "U8 result, STR text 1024" },
	{ "run_spec", 26, FD_ONE,
	    "U64 run, U8 kind, BLOB key 32, STR socket 107, "
	    "STR project 64, STR mirror 1024, STR workroot 1024, "
	    "STR self 1024, STRS argv 128, STRS argv2 128, STRS env 128, "
	    "U32 timeout_s, U32 grace_s, U8 sandbox, U8 net, "
	    "STRS hosts 256, STRS ro_binds 64, U64 mem_max, "
	    "U32 nproc_max, U64 log_max, U8 result, U8 report, "
	    "STRS transient 64, STRS known_infra 256, STRS writes 64, "
	    "STR prompt 65536, U32 timeout2_s, STR result_file 1024, "
	    "STR probe_url 1024, STR records 256" },
	{ "run_go", 60, FD_MAY,
	    "U64 run, STR task 64, STR title 512, STR stage 32, U64 seq, "
	    "U32 round, STR role 32, STR gate 64, STR work 32, "
	    "STR branch 256, STR target 256, STR base 40, STR head 40, "
	    "STR commit 40, STR tree 40, U64 pull, STR author 128, "
	    "BLOB request 262144, BLOB feedback 131072, STRS env 64, "
	    "U32 port_base, STR session 128, STRS options 64" },
	{ "run_exit", 61, FD_NONE,
	    "U64 run, I32 code, I32 sig, U8 timed_out, U64 duration_ms" },
	{ "run_done", 62, FD_MAY,
	    "U64 run, U8 verdict, U8 cause, STR reason 2048, "
	    "STR commit 40, STR tree 40, U64 duration_ms, U64 tokens_in, "
	    "U64 tokens_out, U64 cost_micros, STR session 128, "
	    "BLOB text 65536, STRS items 256" },
	{ "run_stop", 63, FD_NONE,
	    "STR reason 256" },
	{ "run_session", 64, FD_NONE,
	    "U64 run, STR session 128" },
	{ "begin", 80, FD_NONE,
	    "U64 run, STR task 64, STR stage 32, U64 seq" },
	{ "grant", 81, FD_NONE,
	    "U8 result, U64 epoch, STR text 512" },
	{ "gate", 82, FD_NONE,
	    "U64 epoch, STR gate 64, STR commit 40" },
	{ "gate_answer", 83, FD_NONE,
	    "U8 result, U8 verdict, U8 cause, STR reason 2048, "
	    "STR tree 40, U64 at_ms" },
	{ "effect", 84, FD_NONE,
	    "U64 epoch, STR name 32, STR key 256, U8 class" },
	{ "effect_answer", 85, FD_NONE,
	    "U8 result, U8 state, STR evidence 1024, STR text 512" },
	{ "effect_done", 86, FD_NONE,
	    "U64 epoch, STR key 256, U8 state, STR evidence 1024" },
	{ "pull", 88, FD_NONE,
	    "U64 epoch, U8 op, STR branch 256, STR head 40, "
	    "STR landed 40, STR title 512" },
	{ "pull_answer", 89, FD_NONE,
	    "U8 result, U64 number, U8 state, STR text 512" },
	{ "landed", 90, FD_NONE,
	    "U64 epoch, STR commit 40, STR tree 40, STR previous 40, "
	    "STR coverage 16" },
	{ "hook_start", 92, FD_NONE,
	    "U64 epoch, STR key 256, STR revision 40, STR tree 40, "
	    "STR previous 40" },
	{ "record", 93, FD_NONE,
	    "U64 epoch, STR name 64, BLOB text 65536" },
	{ "commit", 94, FD_NONE,
	    "U64 epoch, STR from 32, U64 seq, STR to 32, STR reason 1024" },
	{ "end", 95, FD_NONE,
	    "U64 epoch, U8 verdict, U8 cause, STR gate 64, "
	    "STR reason 2048, STR head 40" },
	{ "abort", 96, FD_NONE,
	    "U64 epoch, STR reason 1024" },
};
#define NFROZEN	(sizeof(v1_0) / sizeof(v1_0[0]))

static struct raw raw;

/* The fields of today's message, as in the table above. */
static char *
fields_now(const struct orch_msg *m)
{
	static const char *const types[] = {
		[FT_U8] = "U8", [FT_U32] = "U32", [FT_U64] = "U64",
		[FT_I32] = "I32", [FT_I64] = "I64", [FT_STR] = "STR",
		[FT_BLOB] = "BLOB", [FT_STRS] = "STRS"
	};
	const struct orch_field *f;
	char *text = NULL;
	size_t i, size;
	FILE *fp;

	ck_assert_ptr_nonnull(fp = open_memstream(&text, &size));
	for (i = 0; i < m->m_nfields; i++) {
		f = &m->m_fields[i];
		fprintf(fp, "%s%s %s", i == 0 ? "" : ", ", types[f->f_type],
		    f->f_name);
		if (f->f_type >= FT_STR)
			fprintf(fp, " %zu", f->f_max);
	}
	ck_assert_int_eq(fclose(fp), 0);
	return (text);
}

static size_t
nfields(const struct frozen *z)
{
	const char *p;
	size_t n = 1;

	for (p = z->z_fields; (p = strchr(p, ',')) != NULL; p++)
		n++;
	return (n);
}

START_TEST(what_runs_say_and_hear_has_only_gained_fields)
{
	const struct orch_msg *m;
	char *now;
	size_t i, len;

	for (i = 0; i < NFROZEN; i++) {
		ck_assert_ptr_nonnull(m = orch_msg(v1_0[i].z_type));
		ck_assert_str_eq(m->m_name, v1_0[i].z_name);
		ck_assert_msg(m->m_fd == v1_0[i].z_fd ||
		    (m->m_fd == FD_MAY && (m->m_from & FROM_RUNS) != 0),
		    "%s: its descriptor", m->m_name);
		now = fields_now(m);
		len = strlen(v1_0[i].z_fields);
		ck_assert_msg(strncmp(now, v1_0[i].z_fields, len) == 0 &&
		    (now[len] == '\0' || now[len] == ','),
		    "%s was: %s\nand is: %s", m->m_name, v1_0[i].z_fields,
		    now);
		free(now);
	}
}
END_TEST

/* A new message to a run is one that an old run ends its connection for. */
START_TEST(an_old_run_hears_no_message_that_it_does_not_know)
{
	const struct orch_msg *m;
	unsigned int t;
	size_t i;

	for (t = 60; t < 100; t++) {
		if ((m = orch_msg(t)) == NULL ||
		    (m->m_from & FROM_ENGINE) == 0)
			continue;
		for (i = 0; i < NFROZEN; i++)
			if (v1_0[i].z_type == t)
				break;
		ck_assert_msg(i < NFROZEN, "%s is not of version 1.0: send it "
		    "to newer runs only, and say so here", m->m_name);
	}
}
END_TEST

/* Is everything from this field on empty, and nothing of it NULL? */
static int
empty_from(const struct orch_msg *m, size_t from, const union orch_any *any)
{
	const uint8_t *p = (const uint8_t *)any;
	const struct orch_field *f;
	const char *text;
	uint64_t zero[4] = { 0 };
	size_t i;

	for (i = from; i < m->m_nfields; i++) {
		f = &m->m_fields[i];
		if (f->f_type == FT_STR) {
			memcpy(&text, p + f->f_off, sizeof(text));
			if (text == NULL || *text != '\0')
				return (0);
		} else if (memcmp(p + f->f_off, zero, f->f_type == FT_U8 ? 1 :
		    f->f_type == FT_U32 || f->f_type == FT_I32 ? 4 : 8) != 0)
			return (0);
	}
	return (1);
}

START_TEST(what_a_run_of_1_0_says_is_read_with_the_rest_empty)
{
	const struct orch_msg *m;
	union orch_any any;
	const char *field;
	uint8_t *copy;
	size_t i, k, n;

	for (i = 0; i < NFROZEN; i++) {
		m = orch_msg(v1_0[i].z_type);
		raw.r_len = 0;
		n = nfields(&v1_0[i]);
		for (k = 0; k < n; k++)
			raw_field(&raw, &m->m_fields[k], FILL_SMALL);
		/* Of its own size, so that a sanitizer sees each byte more. */
		ck_assert_ptr_nonnull(copy = malloc(raw.r_len));
		memcpy(copy, raw.r_p, raw.r_len);
		memset(&any, 0xff, sizeof(any));
		ck_assert_msg(orch_decode(m->m_type, copy, raw.r_len,
		    ORCH_LENIENT, &any, &field) == 0, "%s: %s", m->m_name,
		    field);
		ck_assert_msg(empty_from(m, n, &any), "%s", m->m_name);
		free(copy);
	}
}
END_TEST

START_TEST(the_last_two_minors_are_understood_and_no_other)
{
	static const struct {
		uint32_t	ours, theirs;
		int		yes;
	} t[] = {
		{ 0, 0, 1 }, { 0, 1, 0 },
		{ 1, 0, 1 }, { 1, 1, 1 }, { 1, 2, 0 },
		{ 2, 0, 1 }, { 2, 1, 1 }, { 2, 2, 1 }, { 2, 3, 0 },
		{ 3, 0, 0 }, { 3, 1, 1 }, { 3, 2, 1 }, { 3, 3, 1 },
		{ 3, 4, 0 }, { 9, 6, 0 }, { 9, 7, 1 },
		{ 0, UINT32_MAX, 0 }, { 1, UINT32_MAX, 0 },
		{ UINT32_MAX, 0, 0 }, { UINT32_MAX, UINT32_MAX - 2, 1 }
	};
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		ck_assert_msg(orch_minor_spoken(t[i].ours, t[i].theirs) ==
		    t[i].yes, "1.%u with a run of 1.%u", t[i].ours,
		    t[i].theirs);
}
END_TEST

/* With one version there would be nothing to adopt across. */
START_TEST(this_version_is_later_than_the_first)
{
	ck_assert_int_eq(ORCH_PROTO_MAJOR, 1);
	ck_assert_int_ge(ORCH_PROTO_MINOR, 1);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("proto versions");
	TCase *tc = tcase_create("versions");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, what_runs_say_and_hear_has_only_gained_fields);
	tcase_add_test(tc, an_old_run_hears_no_message_that_it_does_not_know);
	tcase_add_test(tc, what_a_run_of_1_0_says_is_read_with_the_rest_empty);
	tcase_add_test(tc, the_last_two_minors_are_understood_and_no_other);
	tcase_add_test(tc, this_version_is_later_than_the_first);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	free(raw.r_p);
	return (failed == 0 ? 0 : 1);
}
