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

#include "verdict.h"

static const char *const names[GATE_VERDICT_MAX] = {
	[GATE_PASS] = "pass",
	[GATE_FAIL] = "fail",
	[GATE_WAIT] = "wait",
	[GATE_ERROR] = "error",
};

const char *
gate_verdict_name(enum gate_verdict v)
{
	if ((unsigned int)v >= GATE_VERDICT_MAX)
		return ("?");
	return (names[v]);
}

int
gate_verdict_parse(const char *name, enum gate_verdict *v)
{
	unsigned int i;

	for (i = 0; i < GATE_VERDICT_MAX; i++) {
		if (strcmp(name, names[i]) == 0) {
			*v = (enum gate_verdict)i;
			return (0);
		}
	}
	return (-1);
}
