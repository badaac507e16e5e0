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


#ifndef PROTO_EFFECTS_H
#define PROTO_EFFECTS_H

#include <stddef.h>

#include "proto/roles.h"

/* One effect of proto/effects.def. */
struct orch_effect_kind {
	const char	*ek_name;
	enum orch_class	 ek_class;
	const char	*ek_quiesce;
};

/* All of them, and how many there are. */
extern const struct orch_effect_kind orch_effect_kinds[];
extern const size_t orch_effect_nkinds;

/* The effect of that name; NULL: there is none. */
const struct orch_effect_kind *orch_effect_find(const char *name);

#endif
