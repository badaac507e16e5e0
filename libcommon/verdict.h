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

#ifndef ORCHD_VERDICT_H
#define ORCHD_VERDICT_H

/*
 * The four results of a gate.  GATE_ERROR means that the gate could not
 * run: it never passes and is never the developer's fault.
 */
enum gate_verdict {
	GATE_PASS,
	GATE_FAIL,
	GATE_WAIT,
	GATE_ERROR,
	GATE_VERDICT_MAX
};

/* The name as it is stored and shown: "pass" ...; "?" outside the enum. */
const char *gate_verdict_name(enum gate_verdict);

/* The verdict of a name.  0, or -1 when there is none of that name. */
int gate_verdict_parse(const char *name, enum gate_verdict *);

#endif
