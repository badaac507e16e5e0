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


/* The table of orchd-proto(7), from the compiled catalogue. */

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "proto/mdoc.h"
#include "proto/proto.h"

#define WIDTH 76

/* Text in lines of WIDTH; an mdoc line does not begin with a dot. */
struct fill {
	FILE	*f_out;
	size_t	 f_col;
};

static void
fill_word(struct fill *f, const char *word, size_t len)
{
	if (f->f_col > 0 && f->f_col + 1 + len > WIDTH) {
		fputc('\n', f->f_out);
		f->f_col = 0;
	}
	if (f->f_col > 0) {
		fputc(' ', f->f_out);
		f->f_col++;
	}
	fwrite(word, 1, len, f->f_out);
	f->f_col += len;
}

static void
fill_text(struct fill *f, const char *text)
{
	size_t len;

	for (; *text != '\0'; text += len) {
		text += strspn(text, " ");
		if ((len = strcspn(text, " ")) > 0)
			fill_word(f, text, len);
	}
}

static void
fill_end(struct fill *f)
{
	if (f->f_col > 0)
		fputc('\n', f->f_out);
	f->f_col = 0;
}

/* What it is, as a sentence. */
static void
print_doc(struct fill *f, const char *doc)
{
	size_t len = strlen(doc);
	char text[512];

	if (snprintf(text, sizeof(text), "%s%s", doc,
	    len > 0 && doc[len - 1] == '?' ? "" : ".") >= (int)sizeof(text))
		return;
	text[0] = (char)toupper((unsigned char)text[0]);
	fill_text(f, text);
	fill_end(f);
}

static void
print_senders(struct fill *f, const struct orch_msg *m)
{
	const char *with = m->m_fd == FD_NONE ? "" : m->m_fd == FD_ONE ?
	    ", with a descriptor" : ", perhaps with a descriptor";
	char text[256] = "Sent by";
	size_t n = strlen(text);
	unsigned int r, left = m->m_from;

	if (m->m_from == FROM_ALL || m->m_from == FROM_PEERS) {
		n += (size_t)snprintf(text + n, sizeof(text) - n, " %s",
		    left == FROM_ALL ? "everybody" : "every peer");
		left = 0;
	}
	for (r = 0; left != 0 && n < sizeof(text); r++) {
		if ((left & 1U << r) == 0)
			continue;
		left &= ~(1U << r);
		n += (size_t)snprintf(text + n, sizeof(text) - n, " %s%s",
		    orch_role_name(r), left == 0 ? "" : ",");
	}
	if (n < sizeof(text))
		snprintf(text + n, sizeof(text) - n, "%s.", with);
	fill_text(f, text);
	fill_end(f);
}

static void
print_field(struct fill *f, const struct orch_field *fd, int last)
{
	static const char *const names[] = { [FT_U8] = "u8",
	    [FT_U32] = "u32", [FT_U64] = "u64", [FT_I32] = "i32",
	    [FT_I64] = "i64", [FT_STR] = "text", [FT_BLOB] = "bytes",
	    [FT_STRS] = "list" };
	char text[96];

	if (fd->f_type < FT_STR)
		snprintf(text, sizeof(text), "%s\\~%s%s", fd->f_name,
		    names[fd->f_type], last ? "" : ",");
	else
		snprintf(text, sizeof(text), "%s\\~%s\\~%zu%s", fd->f_name,
		    names[fd->f_type], fd->f_max, last ? "" : ",");
	fill_text(f, text);
}

static void
print_message(FILE *out, const struct orch_msg *m)
{
	struct fill f = { out, 0 };
	size_t i;

	fprintf(out, ".It %u Sy %s\n", m->m_type, m->m_name);
	print_doc(&f, m->m_doc);
	print_senders(&f, m);
	fprintf(out, ".br\n");
	for (i = 0; i < m->m_nfields; i++)
		print_field(&f, &m->m_fields[i], i + 1 == m->m_nfields);
	fill_end(&f);
}

static void
print_names(FILE *out, const char *what, const char *(*name)(unsigned int),
    unsigned int n)
{
	struct fill f = { out, 0 };
	char text[64];
	unsigned int i;

	fprintf(out, ".It %s\n", what);
	for (i = 0; i < n; i++) {
		snprintf(text, sizeof(text), "%u\\~%s%s", i, name(i),
		    i + 1 == n ? "" : ",");
		fill_text(&f, text);
	}
	fill_end(&f);
}

void
orch_print_mdoc(FILE *out)
{
	unsigned int t;

	fprintf(out, ".Bl -tag -width Ds\n");
	for (t = 0; t < ORCH_TYPE_MAX; t++)
		if (orch_msg(t) != NULL)
			print_message(out, orch_msg(t));
	fprintf(out, ".El\n.Ss Values\n.Bl -tag -width Ds\n");
	print_names(out, "role", orch_role_name, ROLE__MAX);
	print_names(out, "kind", orch_kind_name, KIND__MAX);
	print_names(out, "result", orch_result_name, RES__MAX);
	print_names(out, "cause", orch_cause_name, CAUSE__MAX);
	print_names(out, "state of an effect", orch_effect_name,
	    EFFECT_FAILED + 1);
	fprintf(out, ".El\n");
}
