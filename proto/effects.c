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


#include <string.h>

#include "proto/effects.h"

#define EFFECT(name, class, quiesce) { name, class, quiesce },
const struct orch_effect_kind orch_effect_kinds[] = {
#include "proto/effects.def"
};
#undef EFFECT

const size_t orch_effect_nkinds = sizeof(orch_effect_kinds) /
    sizeof(orch_effect_kinds[0]);

const struct orch_effect_kind *
orch_effect_find(const char *name)
{
	size_t i;

	for (i = 0; i < orch_effect_nkinds; i++)
		if (strcmp(orch_effect_kinds[i].ek_name, name) == 0)
			return (&orch_effect_kinds[i]);
	return (NULL);
}
