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

/* Every message of the catalogue through encoder and decoder. */

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto_fill.h"

/* The catalogue's number of every message, once. */
static const struct {
	const char	*n_name;
	unsigned int	 n_num;
	const char	*n_fields;
} numbers[] = {
#define MSG(n, num, from, fd, fields, doc) { #n, num, #fields },
#include "proto/messages.def"
#undef MSG
};
#define NNUMBERS (sizeof(numbers) / sizeof(numbers[0]))

static struct raw raw;

/* Walk the catalogue: the message after m (NULL: the first), NULL at end. */
static const struct orch_msg *
next_msg(const struct orch_msg *m)
{
	unsigned int t = m == NULL ? 1 : m->m_type + 1U;

	for (; t < ORCH_TYPE_MAX; t++)
		if (orch_msg(t) != NULL)
			return (orch_msg(t));
	return (NULL);
}

static int
decode(unsigned int type, size_t len, int flags, union orch_any *any,
    const char **field)
{
	/* Of exactly that size, so that a sanitizer sees one byte too far. */
	uint8_t *copy = malloc(len == 0 ? 1 : len);
	int ret;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, raw.r_p + ORCH_HEADER_SIZE, len);
	ret = orch_decode(type, len == 0 ? copy + 1 : copy, len, flags, any,
	    field);
	free(copy);
	return (ret);
}

static int
refused(unsigned int type, size_t len, int flags, const char *want)
{
	union orch_any any;
	const char *field;

	errno = 0;
	if (decode(type, len, flags, &any, &field) != -1 || errno != EBADMSG)
		return (0);
	return (want == NULL || strcmp(want, field) == 0);
}

static size_t
payload(void)
{
	return (raw.r_len - ORCH_HEADER_SIZE);
}

/* What is decoded is encoded to the same bytes again. */
static void
check_round_trip(unsigned int type, enum fill fill)
{
	union orch_any any;
	const char *field = NULL;
	uint8_t *frame;
	size_t len;

	raw_message(&raw, type, 0x01020304, fill);
	ck_assert_msg(orch_decode(type, raw.r_p + ORCH_HEADER_SIZE, payload(),
	    ORCH_EXACT, &any, &field) == 0, "type %u: field %s", type, field);
	ck_assert_msg(orch_encode(type, 0x01020304, &any, &frame, &len,
	    &field) == 0, "type %u: field %s", type, field);
	ck_assert_uint_eq(len, raw.r_len);
	ck_assert_msg(memcmp(frame, raw.r_p, len) == 0, "type %u", type);
	free(frame);
}

START_TEST(each_message_round_trips)
{
	const struct orch_msg *m;
	unsigned int t, n = 0;

	for (m = NULL; (m = next_msg(m)) != NULL;) {
		t = m->m_type;
		check_round_trip(t, FILL_EMPTY);
		check_round_trip(t, FILL_SMALL);
		check_round_trip(t, FILL_MAX);
		n++;
	}
	ck_assert_uint_eq(n, NNUMBERS);
}
END_TEST

/* The structure's members are what the bytes say: one message by hand. */
START_TEST(fields_go_where_they_belong)
{
	const char *const argv[] = { "a", "", "c d", NULL };
	const uint8_t key[3] = { 0, 1, 0xff };
	struct orch_child_start s;
	struct orch_spawned d;
	struct orch_hello h;
	union orch_any any;
	const char *field, **got;
	uint8_t *frame;
	size_t len;

	memset(&s, 0, sizeof(s));
	s.role = ROLE_REAPERD;
	s.generation = 0x01020304;
	s.name = "reaperd";
	s.options.l_argv = argv;
	ck_assert_int_eq(orch_encode(ORCH_child_start, 7, &s, &frame, &len,
	    &field), 0);
	ck_assert_uint_eq(len, 12 + 1 + 4 + 4 + 8 + 8 + 7);
	ck_assert_int_eq(memcmp(frame, "\0\0\0\x2c\0\x14\0\0\0\0\0\x07"
	    "\x07" "\1\2\3\4" "\0\0\0\x07" "reaperd\0" "\0\0\0\3"
	    "\0\0\0\7" "a\0\0c d\0", len), 0);
	ck_assert_int_eq(orch_decode(ORCH_child_start, frame + 12, len - 12,
	    0, &any, &field), 0);
	ck_assert_uint_eq(any.child_start.role, ROLE_REAPERD);
	ck_assert_uint_eq(any.child_start.generation, 0x01020304);
	ck_assert_str_eq(any.child_start.name, "reaperd");
	ck_assert_ptr_nonnull(got = orch_strs_argv(&any.child_start.options));
	ck_assert_str_eq(got[0], "a");
	ck_assert_str_eq(got[1], "");
	ck_assert_str_eq(got[2], "c d");
	ck_assert_ptr_null(got[3]);
	free(got);
	free(frame);

	memset(&d, 0, sizeof(d));
	d.run = 0x8000000000000001;
	d.pid = -2;
	ck_assert_int_eq(orch_encode(ORCH_spawned, 0, &d, &frame, &len,
	    &field), 0);
	ck_assert_int_eq(orch_decode(ORCH_spawned, frame + 12, len - 12, 0,
	    &any, &field), 0);
	ck_assert(any.spawned.run == 0x8000000000000001);
	ck_assert_int_eq(any.spawned.pid, -2);
	ck_assert_str_eq(any.spawned.error, "");
	free(frame);

	memset(&h, 0, sizeof(h));
	h.key = (struct orch_blob){ key, sizeof(key) };
	ck_assert_int_eq(orch_encode(ORCH_hello, 0, &h, &frame, &len,
	    &field), 0);
	ck_assert_int_eq(orch_decode(ORCH_hello, frame + 12, len - 12, 0,
	    &any, &field), 0);
	ck_assert_uint_eq(any.hello.key.b_len, 3);
	ck_assert_int_eq(memcmp(any.hello.key.b_data, key, 3), 0);
	free(frame);
}
END_TEST

START_TEST(each_number_and_name_is_used_once)
{
	const struct orch_msg *m;
	size_t i, k;

	for (i = 0; i < NNUMBERS; i++) {
		ck_assert_uint_gt(numbers[i].n_num, 0);
		ck_assert_uint_lt(numbers[i].n_num, ORCH_TYPE_MAX);
		ck_assert_ptr_nonnull(m = orch_msg(numbers[i].n_num));
		ck_assert_str_eq(m->m_name, numbers[i].n_name);
		ck_assert_uint_eq(m->m_type, numbers[i].n_num);
		for (k = 0; k < i; k++) {
			ck_assert_uint_ne(numbers[i].n_num, numbers[k].n_num);
			ck_assert_str_ne(numbers[i].n_name,
			    numbers[k].n_name);
		}
	}
	ck_assert_ptr_null(orch_msg(0));
	ck_assert_ptr_null(orch_msg(7));
	ck_assert_ptr_null(orch_msg(ORCH_TYPE_MAX));
	ck_assert_ptr_null(orch_msg(65535));
}
END_TEST

/*
 * MSG names its message again in each field: a row copied from another one
 * would describe that one's structure.
 */
START_TEST(each_field_names_its_own_message)
{
	const char *p;
	char want[64];
	size_t i, len;

	for (i = 0; i < NNUMBERS; i++) {
		len = (size_t)snprintf(want, sizeof(want), "(%s, ",
		    numbers[i].n_name);
		for (p = numbers[i].n_fields; (p = strchr(p, '(')) != NULL;
		    p++)
			ck_assert_msg(strncmp(p, want, len) == 0, "%s: %.40s",
			    numbers[i].n_name, p);
	}
}
END_TEST

static const struct {
	unsigned int	 p_request;
	unsigned int	 p_answer;
} pairs[] = {
	{ ORCH_run_exit, ORCH_ack }, { ORCH_run_done, ORCH_ack },
	{ ORCH_begin, ORCH_grant }, { ORCH_gate, ORCH_gate_answer },
	{ ORCH_effect, ORCH_effect_answer }, { ORCH_effect_done, ORCH_ack },
	{ ORCH_pull, ORCH_pull_answer }, { ORCH_landed, ORCH_ack },
	{ ORCH_hook_start, ORCH_ack }, { ORCH_record, ORCH_ack },
	{ ORCH_commit, ORCH_ack }, { ORCH_end, ORCH_ack },
	{ ORCH_abort, ORCH_ack }, { ORCH_event, ORCH_event_answer },
	{ ORCH_query, ORCH_answer }, { ORCH_action, ORCH_answer },
};

/*
 * Whoever repeats a request reads the answer's result without knowing its
 * type; and only the engine answers, so that no peer can answer another.
 */
START_TEST(each_answer_begins_with_its_result)
{
	const struct orch_msg *q, *a;
	size_t i;

	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		q = orch_msg(pairs[i].p_request);
		a = orch_msg(pairs[i].p_answer);
		ck_assert_uint_eq(q->m_from & FROM_ENGINE, 0);
		ck_assert_uint_ne(a->m_from & FROM_ENGINE, 0);
		if (a->m_type != ORCH_ack)
			ck_assert_uint_eq(a->m_from, FROM_ENGINE);
		ck_assert_str_eq(a->m_fields[0].f_name, "result");
		ck_assert_int_eq(a->m_fields[0].f_type, FT_U8);
		ck_assert_uint_eq(a->m_fields[0].f_off, 0);
	}
}
END_TEST

/* Whatever the engine or a person's side sends is not a run's to send. */
START_TEST(no_message_has_no_sender_or_too_many)
{
	const struct orch_msg *m;
	unsigned int t;

	for (m = NULL; (m = next_msg(m)) != NULL;) {
		t = m->m_type;
		ck_assert_msg(m->m_from != 0 && (m->m_from & ~FROM_ALL) == 0,
		    "%s", m->m_name);
		if (t == ORCH_ping || t == ORCH_pong || t == ORCH_ack ||
		    t == ORCH_child_ready)
			continue;
		if (m->m_from & FROM_ENGINE)
			ck_assert_msg(m->m_from == FROM_ENGINE, "%s",
			    m->m_name);
		if (m->m_from & FROM_PARENT)
			ck_assert_msg(m->m_from == FROM_PARENT, "%s",
			    m->m_name);
	}
	/* What faces the internet cannot approve, release or move. */
	for (m = NULL; (m = next_msg(m)) != NULL;) {
		t = m->m_type;
		if (m->m_from & FROM_WEBHOOK)
			ck_assert_msg(t == ORCH_hello || t == ORCH_ping ||
			    t == ORCH_pong || t == ORCH_ack ||
			    t == ORCH_child_ready || t == ORCH_notice ||
			    t == ORCH_event || t == ORCH_query, "%s",
			    m->m_name);
	}
}
END_TEST

/* Field f of a message larger than allowed, the others empty. */
static void
raw_oversized(const struct orch_msg *m, const struct orch_field *f, int bytes)
{
	size_t i;

	raw.r_len = 0;
	raw_header(&raw, m->m_type, 0);
	for (i = 0; i < m->m_nfields; i++) {
		if (&m->m_fields[i] != f)
			raw_field(&raw, &m->m_fields[i], FILL_EMPTY);
		else if (f->f_type == FT_STR)
			raw_str(&raw, f->f_max + 1);
		else if (f->f_type == FT_BLOB)
			raw_blob(&raw, f->f_max + 1);
		else if (bytes)
			raw_strs(&raw, 1, ORCH_STRS_MAX + 1);
		else
			raw_strs(&raw, f->f_max + 1, 0);
	}
	raw_end(&raw);
}

START_TEST(decoder_refuses_each_field_above_its_limit)
{
	const struct orch_msg *m;
	const struct orch_field *f;
	unsigned int t;
	size_t i;

	for (m = NULL; (m = next_msg(m)) != NULL;) {
		t = m->m_type;
		for (i = 0; i < m->m_nfields; i++) {
			f = &m->m_fields[i];
			if (f->f_type < FT_STR)
				continue;
			raw_oversized(m, f, 0);
			ck_assert_msg(refused(t, payload(), ORCH_EXACT,
			    f->f_name), "%s.%s", m->m_name, f->f_name);
			ck_assert(refused(t, payload(), ORCH_LENIENT,
			    f->f_name));
			if (f->f_type != FT_STRS)
				continue;
			raw_oversized(m, f, 1);
			ck_assert_msg(refused(t, payload(), ORCH_EXACT,
			    f->f_name), "%s.%s", m->m_name, f->f_name);
		}
	}
}
END_TEST

static char *
text_of(size_t len)
{
	char *s = malloc(len + 1);

	ck_assert_ptr_nonnull(s);
	memset(s, 'x', len);
	s[len] = '\0';
	return (s);
}

/* Encode with one field of n units; the result's errno, 0 when it went. */
static int
encode_sized(const struct orch_msg *m, const struct orch_field *f, size_t n,
    const char **field)
{
	const char **argv = NULL;
	union orch_any any;
	uint8_t *p = (uint8_t *)&any + f->f_off, *frame;
	char *text = text_of(f->f_type == FT_STRS ? 1 : n);
	size_t len, i;
	int ret;

	memset(&any, 0, sizeof(any));
	if (f->f_type == FT_STR)
		memcpy(p, &text, sizeof(text));
	else if (f->f_type == FT_BLOB)
		*(struct orch_blob *)(void *)p = (struct orch_blob){
		    (uint8_t *)text, n };
	else {
		ck_assert_ptr_nonnull(argv = calloc(n + 1, sizeof(*argv)));
		for (i = 0; i < n; i++)
			argv[i] = text;
		((struct orch_strs *)(void *)p)->l_argv = argv;
	}
	errno = 0;
	ret = orch_encode(m->m_type, 1, &any, &frame, &len, field);
	ck_assert(ret == 0 || (ret == -1 && frame == NULL && errno != 0));
	ret = ret == 0 ? 0 : errno;
	free(frame);
	free(argv);
	free(text);
	return (ret);
}

START_TEST(encoder_refuses_each_field_above_its_limit)
{
	const struct orch_msg *m;
	const struct orch_field *f;
	const char *field;
	size_t i;

	for (m = NULL; (m = next_msg(m)) != NULL;) {
		for (i = 0; i < m->m_nfields; i++) {
			f = &m->m_fields[i];
			if (f->f_type < FT_STR)
				continue;
			ck_assert_int_eq(encode_sized(m, f, f->f_max, &field),
			    0);
			ck_assert_int_eq(encode_sized(m, f, f->f_max + 1,
			    &field), EMSGSIZE);
			ck_assert_str_eq(field, f->f_name);
		}
	}
}
END_TEST

START_TEST(encoder_refuses_a_list_of_too_many_bytes)
{
	struct orch_child_start s;
	const char *argv[2] = { NULL, NULL }, *field;
	uint8_t *frame;
	size_t len;
	char *text;

	memset(&s, 0, sizeof(s));
	s.options.l_argv = argv;
	argv[0] = text = text_of(ORCH_STRS_MAX - 1);
	ck_assert_int_eq(orch_encode(ORCH_child_start, 1, &s, &frame, &len,
	    &field), 0);
	free(frame);
	free(text);
	argv[0] = text = text_of(ORCH_STRS_MAX);
	ck_assert_int_eq(orch_encode(ORCH_child_start, 1, &s, &frame, &len,
	    &field), -1);
	ck_assert_int_eq(errno, EMSGSIZE);
	ck_assert_str_eq(field, "options");
	free(text);
}
END_TEST

START_TEST(every_truncation_is_refused)
{
	const struct orch_msg *m;
	unsigned int t;
	size_t n;

	for (m = NULL; (m = next_msg(m)) != NULL;) {
		t = m->m_type;
		raw_message(&raw, t, 1, FILL_SMALL);
		for (n = 0; n < payload(); n++)
			ck_assert_msg(refused(t, n, ORCH_EXACT, NULL),
			    "%s: %zu of %zu bytes", m->m_name, n, payload());
	}
}
END_TEST

START_TEST(trailing_bytes_are_refused)
{
	const struct orch_msg *m;
	union orch_any any;
	const char *field;
	unsigned int t;

	for (m = NULL; (m = next_msg(m)) != NULL;) {
		t = m->m_type;
		raw_message(&raw, t, 1, FILL_SMALL);
		raw_int(&raw, 0, 1);
		ck_assert_msg(refused(t, payload(), ORCH_EXACT, "end"), "%s",
		    m->m_name);
		ck_assert_int_eq(decode(t, payload(), ORCH_LENIENT, &any,
		    &field), 0);
	}
}
END_TEST

/* What another minor may leave out: whole fields at the end, nothing else. */
START_TEST(lenient_takes_only_whole_fields)
{
	const struct orch_msg *m;
	union orch_any any;
	const char *field;
	unsigned int t;
	size_t i, n, ends[64], k;

	for (m = NULL; (m = next_msg(m)) != NULL;) {
		t = m->m_type;
		raw_message(&raw, t, 1, FILL_SMALL);
		raw.r_len = ORCH_HEADER_SIZE;
		for (i = 0; i < m->m_nfields; i++) {
			ends[i] = payload();
			raw_field(&raw, &m->m_fields[i], FILL_SMALL);
		}
		for (n = 0, k = 0; n < payload(); n++) {
			if (k < m->m_nfields && n == ends[k]) {
				k++;
				ck_assert_int_eq(decode(t, n, ORCH_LENIENT,
				    &any, &field), 0);
			} else
				ck_assert_msg(refused(t, n, ORCH_LENIENT,
				    NULL), "%s: %zu", m->m_name, n);
		}
	}
}
END_TEST

START_TEST(absent_fields_are_empty_never_null)
{
	struct orch_run_done *d;
	union orch_any any;
	const char *field;

	memset(&any, 0xff, sizeof(any));
	raw.r_len = 0;
	raw_header(&raw, ORCH_run_done, 0);
	raw_int(&raw, 9, 8);
	ck_assert_int_eq(decode(ORCH_run_done, payload(), ORCH_LENIENT, &any,
	    &field), 0);
	d = &any.run_done;
	ck_assert_uint_eq(d->run, 9);
	ck_assert_uint_eq(d->verdict, 0);
	ck_assert_str_eq(d->reason, "");
	ck_assert_str_eq(d->session, "");
	ck_assert_uint_eq(d->text.b_len, 0);
	ck_assert_ptr_null(orch_strs_next(&d->items, NULL));
}
END_TEST

/* ack: result at 0, length of text at 1, the text at 5. */
START_TEST(texts_that_lie_are_refused)
{
	static const uint32_t lies[] = { 0, 2, 4, 5, 1024, 1025, 0x7fffffff,
	    0x80000000, 0xfffffff0, 0xffffffff };
	uint8_t *p;
	size_t i, k;

	raw_message(&raw, ORCH_ack, 1, FILL_SMALL);
	p = raw.r_p + ORCH_HEADER_SIZE;
	for (i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		for (k = 0; k < 4; k++)
			p[1 + k] = (uint8_t)(lies[i] >> (24 - 8 * k));
		ck_assert_msg(refused(ORCH_ack, payload(), ORCH_EXACT,
		    lies[i] == 0 || lies[i] == 2 ? NULL : "text"), "%x",
		    lies[i]);
	}
	raw_message(&raw, ORCH_ack, 1, FILL_SMALL);
	p = raw.r_p + ORCH_HEADER_SIZE;
	p[5 + 3] = 'x';			/* no NUL */
	ck_assert(refused(ORCH_ack, payload(), ORCH_EXACT, "text"));
	p[5 + 3] = 0;
	p[5 + 1] = 0;			/* one inside */
	ck_assert(refused(ORCH_ack, payload(), ORCH_EXACT, "text"));
	p[5 + 1] = 'b';
	ck_assert(!refused(ORCH_ack, payload(), ORCH_EXACT, NULL));
}
END_TEST

/* A list with this count, this many bytes, and this data. */
static int
list_refused(uint32_t n, uint32_t bytes, const char *data, size_t len)
{
	raw.r_len = 0;
	raw_header(&raw, ORCH_child_start, 1);
	raw_int(&raw, 0, 1);
	raw_int(&raw, 0, 4);
	raw_int(&raw, 0, 4 + 1);	/* the empty name */
	raw_int(&raw, n, 4);
	raw_int(&raw, bytes, 4);
	memcpy(raw_more(&raw, len), data, len);
	return (refused(ORCH_child_start, payload(), ORCH_EXACT, NULL));
}

START_TEST(lists_that_lie_are_refused)
{
	ck_assert(!list_refused(0, 0, "", 0));
	ck_assert(!list_refused(1, 1, "\0", 1));
	ck_assert(!list_refused(2, 4, "a\0b\0", 4));
	ck_assert(list_refused(1, 4, "a\0b\0", 4));
	ck_assert(list_refused(3, 4, "a\0b\0", 4));
	ck_assert(list_refused(0, 1, "\0", 1));
	ck_assert(list_refused(1, 0, "", 0));
	ck_assert(list_refused(1, 3, "a\0b", 3));
	ck_assert(list_refused(0, 1, "a", 1));
	ck_assert(list_refused(2, 5, "a\0b\0", 4));
	ck_assert(list_refused(2, 0xffffffff, "a\0b\0", 4));
	ck_assert(list_refused(0xffffffff, 4, "a\0b\0", 4));
	ck_assert(list_refused(0x40000001, 4, "a\0b\0", 4));
}
END_TEST

START_TEST(headers_that_lie_are_refused)
{
	struct orch_header h;
	uint8_t p[ORCH_HEADER_SIZE] = { 0, 0, 0, 12, 0, 6, 0, 1, 1, 2, 3, 4 };

	ck_assert_int_eq(orch_header_get(p, &h), 0);
	ck_assert_uint_eq(h.h_len, 12);
	ck_assert_uint_eq(h.h_type, ORCH_ack);
	ck_assert_uint_eq(h.h_flags, ORCH_WITH_FD);
	ck_assert_uint_eq(h.h_id, 0x01020304);
	p[3] = 11;
	ck_assert_int_eq(orch_header_get(p, &h), -1);
	p[3] = 0;
	ck_assert_int_eq(orch_header_get(p, &h), -1);
	p[1] = 0x20;
	ck_assert_int_eq(orch_header_get(p, &h), 0);
	ck_assert_uint_eq(h.h_len, ORCH_FRAME_MAX);
	p[3] = 1;
	ck_assert_int_eq(orch_header_get(p, &h), -1);
	memset(p, 0xff, 4);
	ck_assert_int_eq(orch_header_get(p, &h), -1);
	memcpy(p, "\0\0\0\xc", 4);
	p[7] = 3;			/* a flag that nobody knows */
	ck_assert_int_eq(orch_header_get(p, &h), -1);
	p[7] = 0;
	p[6] = 0x80;
	ck_assert_int_eq(orch_header_get(p, &h), -1);
}
END_TEST

START_TEST(unknown_types_are_refused)
{
	static const unsigned int types[] = { 0, 7, 87, 91, 159, 160, 65535 };
	union orch_any any;
	const char *field;
	uint8_t *frame;
	size_t i, len;

	memset(&any, 0, sizeof(any));
	raw_message(&raw, ORCH_ack, 0, FILL_SMALL);
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		ck_assert(refused(types[i], payload(), ORCH_EXACT, "type"));
		errno = 0;
		ck_assert_int_eq(orch_encode(types[i], 0, &any, &frame, &len,
		    &field), -1);
		ck_assert_int_eq(errno, EINVAL);
		ck_assert_ptr_null(frame);
	}
}
END_TEST

/* An encoded message is one that decodes, and it fits a frame. */
START_TEST(the_largest_message_fits_a_frame)
{
	const struct orch_msg *m;
	unsigned int t;

	for (m = NULL; (m = next_msg(m)) != NULL;) {
		t = m->m_type;
		raw_message(&raw, t, 0, FILL_MAX);
		ck_assert_msg(raw.r_len <= ORCH_FRAME_MAX, "%s: %zu bytes",
		    m->m_name, raw.r_len);
	}
}
END_TEST

START_TEST(printing_hides_what_is_secret)
{
	struct orch_child_secret s = { .name = "hook", .value = "s3cret!" };
	struct orch_query q = { .verb = "status", .token = "s3cret!" };
	const uint8_t key[] = "s3cret!";
	struct orch_hello h;
	char buf[512];

	memset(&h, 0, sizeof(h));
	h.key = (struct orch_blob){ key, 7 };
	ck_assert_ptr_null(strstr(orch_print(ORCH_child_secret, &s, buf,
	    sizeof(buf)), "s3cret"));
	ck_assert_ptr_nonnull(strstr(buf, "name=\"hook\""));
	ck_assert_ptr_null(strstr(orch_print(ORCH_query, &q, buf,
	    sizeof(buf)), "s3cret"));
	ck_assert_ptr_null(strstr(orch_print(ORCH_hello, &h, buf,
	    sizeof(buf)), "s3cret"));
}
END_TEST

START_TEST(printing_escapes_and_always_ends)
{
	struct orch_ack a = { RES_REFUSED, "a\nb\033[2J\"\\\377" };
	const struct orch_msg *m;
	union orch_any any;
	char buf[4096];
	const char *field;
	unsigned int t;
	size_t n;

	orch_print(ORCH_ack, &a, buf, sizeof(buf));
	ck_assert_str_eq(buf, "ack result=4 "
	    "text=\"a\\012b\\033[2J\\042\\134\\377\"");
	for (m = NULL; (m = next_msg(m)) != NULL;) {
		t = m->m_type;
		raw_message(&raw, t, 0, FILL_MAX);
		ck_assert_int_eq(orch_decode(t, raw.r_p + ORCH_HEADER_SIZE,
		    payload(), 0, &any, &field), 0);
		for (n = 1; n < sizeof(buf); n += n < 64 ? 1 : 500) {
			memset(buf, 'Z', sizeof(buf));
			orch_print(t, &any, buf, n);
			ck_assert_ptr_nonnull(memchr(buf, '\0', n));
			ck_assert_int_eq(buf[n], 'Z');
		}
	}
	ck_assert_str_eq(orch_print(159, &any, buf, sizeof(buf)), "type 159");
}
END_TEST

START_TEST(each_value_has_a_name_and_no_other)
{
	unsigned int i;

	for (i = 0; i < ROLE__MAX; i++)
		ck_assert_str_ne(orch_role_name(i), "?");
	for (i = 0; i < KIND__MAX; i++)
		ck_assert_str_ne(orch_kind_name(i), "?");
	for (i = 0; i < RES__MAX; i++)
		ck_assert_str_ne(orch_result_name(i), "?");
	for (i = 0; i < CAUSE__MAX; i++)
		ck_assert_str_ne(orch_cause_name(i), "?");
	ck_assert_str_eq(orch_role_name(ROLE__MAX), "?");
	ck_assert_str_eq(orch_kind_name(KIND__MAX), "?");
	ck_assert_str_eq(orch_result_name(RES__MAX), "?");
	ck_assert_str_eq(orch_cause_name(CAUSE__MAX), "?");
	ck_assert_str_eq(orch_effect_name(EFFECT_FAILED + 1), "?");
	ck_assert_str_eq(orch_effect_name(255), "?");
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, each_message_round_trips);
	tcase_add_test(tc, fields_go_where_they_belong);
	tcase_add_test(tc, each_number_and_name_is_used_once);
	tcase_add_test(tc, each_field_names_its_own_message);
	tcase_add_test(tc, each_answer_begins_with_its_result);
	tcase_add_test(tc, no_message_has_no_sender_or_too_many);
	tcase_add_test(tc, decoder_refuses_each_field_above_its_limit);
	tcase_add_test(tc, encoder_refuses_each_field_above_its_limit);
	tcase_add_test(tc, encoder_refuses_a_list_of_too_many_bytes);
	tcase_add_test(tc, every_truncation_is_refused);
	tcase_add_test(tc, trailing_bytes_are_refused);
	tcase_add_test(tc, lenient_takes_only_whole_fields);
	tcase_add_test(tc, absent_fields_are_empty_never_null);
	tcase_add_test(tc, texts_that_lie_are_refused);
	tcase_add_test(tc, lists_that_lie_are_refused);
	tcase_add_test(tc, headers_that_lie_are_refused);
	tcase_add_test(tc, unknown_types_are_refused);
	tcase_add_test(tc, the_largest_message_fits_a_frame);
	tcase_add_test(tc, printing_hides_what_is_secret);
	tcase_add_test(tc, printing_escapes_and_always_ends);
	tcase_add_test(tc, each_value_has_a_name_and_no_other);
}

int
main(void)
{
	Suite *s = suite_create("proto codec");
	TCase *tc = tcase_create("codec");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 30);
	add_tests(tc);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	free(raw.r_p);
	return (failed == 0 ? 0 : 1);
}
