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

#ifndef PROTO_PROTO_H
#define PROTO_PROTO_H

#include <stddef.h>
#include <stdint.h>

#include "proto/roles.h"

#define ORCH_PROTO_MAJOR	1
#define ORCH_PROTO_MINOR	1
#define ORCH_MINORS_BACK	2	/* of runs that outlived an upgrade */
#define ORCH_HEADER_SIZE	12
#define ORCH_WITH_FD		1	/* a descriptor comes with this frame */
#define ORCH_FRAME_MAX		(2U << 20)	/* header and payload */
#define ORCH_STRS_MAX		65536U		/* bytes of one list */

/* The header of each frame, in host order; 12 bytes on the wire. */
struct orch_header {
	uint32_t	h_len;		/* of the whole frame */
	uint16_t	h_type;
	uint16_t	h_flags;	/* ORCH_WITH_FD, others must be 0 */
	uint32_t	h_id;		/* correlation id */
};

/* Bytes inside a decoded frame: valid as long as the frame is. */
struct orch_blob {
	const uint8_t	*b_data;
	size_t		 b_len;
};

/*
 * A list of texts.  To send: l_argv, NULL-terminated, l_data NULL.  Decoded:
 * l_n texts one after the other, each with its NUL; walk with orch_strs_next.
 */
struct orch_strs {
	const char *const *l_argv;
	const char	*l_data;
	size_t		 l_len;
	uint32_t	 l_n;
};

/* One structure a message; texts point into the frame, never NULL. */
#define U8(m, f)	uint8_t f;
#define U32(m, f)	uint32_t f;
#define U64(m, f)	uint64_t f;
#define I32(m, f)	int32_t f;
#define I64(m, f)	int64_t f;
#define STR(m, f, max)	const char *f;
#define BLOB(m, f, max)	struct orch_blob f;
#define STRS(m, f, max)	struct orch_strs f;
#define MSG(n, num, from, fd, fields, doc) struct orch_##n { fields };
#include "proto/messages.def"
#undef MSG

enum orch_type {
	ORCH_none,
#define MSG(n, num, from, fd, fields, doc) ORCH_##n = num,
#include "proto/messages.def"
#undef MSG
	ORCH_TYPE_MAX = 160
};

/* Large enough and aligned for each decoded message. */
union orch_any {
#define MSG(n, num, from, fd, fields, doc) struct orch_##n n;
#include "proto/messages.def"
#undef MSG
};
#undef U8
#undef U32
#undef U64
#undef I32
#undef I64
#undef STR
#undef BLOB
#undef STRS

enum orch_ftype { FT_U8, FT_U32, FT_U64, FT_I32, FT_I64, FT_STR, FT_BLOB,
	FT_STRS };

struct orch_field {
	const char	*f_name;
	enum orch_ftype	 f_type;
	size_t		 f_off;
	size_t		 f_max;
};

/* One row of the catalogue. */
struct orch_msg {
	const char	*m_name;
	const char	*m_doc;
	const struct orch_field *m_fields;
	size_t		 m_nfields;
	size_t		 m_size;	/* of the structure */
	uint32_t	 m_from;	/* FROM_* mask */
	enum orch_fd	 m_fd;
	uint16_t	 m_type;
};

enum orch_decode_flags {
	ORCH_EXACT = 0,
	ORCH_LENIENT = 1	/* of another minor: trailing fields may be
				   absent (then 0, "") or unknown (skipped) */
};

/* The catalogue's row of a type, or NULL for a type that does not exist. */
const struct orch_msg	*orch_msg(unsigned int type);

/*
 * Does an engine of minor version ours speak with a run of minor theirs (0 no,
 * 1 yes)?  With its own and the two before; never with a newer one.
 */
int	 orch_minor_spoken(uint32_t ours, uint32_t theirs);

/* Read a header from 12 bytes: -1 when length or flags are out of bounds. */
int	 orch_header_get(const uint8_t p[ORCH_HEADER_SIZE],
	    struct orch_header *);

/* Set the flags of an encoded frame. */
void	 orch_frame_flags(uint8_t *frame, uint16_t flags);

/*
 * Encode msg (struct orch_<name> of this type; NULL texts count as "") as a
 * whole frame.  On success *frame is allocated (the caller frees) and *len its
 * size.  -1 with errno EMSGSIZE (a field above its limit, in *field its name),
 * EINVAL (unknown type, NUL in nothing) or ENOMEM.
 */
int	 orch_encode(unsigned int type, uint32_t id, const void *msg,
	    uint8_t **frame, size_t *len, const char **field);

/*
 * Decode a payload into msg (union orch_any, or the type's structure).  Reads
 * nothing outside [payload, payload + len), allocates nothing; texts point
 * into the payload.  Each text is checked for its limit and its NUL.  -1 with
 * errno EBADMSG, in *field the name of the first bad field.
 */
int	 orch_decode(unsigned int type, const uint8_t *payload, size_t len,
	    int flags, void *msg, const char **field);

/* The next text of a decoded list after cur (NULL: the first), NULL at end. */
const char *orch_strs_next(const struct orch_strs *, const char *cur);

/*
 * An argv of a decoded list: one allocation, NULL-terminated, texts still in
 * the frame.  The caller frees it.  NULL with errno ENOMEM.
 */
const char **orch_strs_argv(const struct orch_strs *);

/*
 * Print a message in one line as "name field=value ...", escaped and cut, with
 * keys and secrets as "<n bytes>".  Always terminates buf; returns buf.
 */
char	*orch_print(unsigned int type, const void *msg, char *buf, size_t len);

/* A role's name for logs, "?" for an unknown value; so the next four. */
const char *orch_role_name(unsigned int role);

/* A run's kind, as in the database. */
const char *orch_kind_name(unsigned int kind);

/* The kind of that name, KIND_NONE for an unknown one. */
enum orch_kind orch_kind_lookup(const char *name);

/* An answer's result. */
const char *orch_result_name(unsigned int result);

/* Why something is not a pass. */
const char *orch_cause_name(unsigned int cause);

/* A journal row's state, as in the database. */
const char *orch_effect_name(unsigned int state);

#endif
