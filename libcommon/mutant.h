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

#ifndef COMMON_MUTANT_H
#define COMMON_MUTANT_H

/*
 * Rules that a test takes away, one at a time, to see that another test
 * notices.  MUTANT(NAME) is the constant 0, and the compiler drops what
 * depends on it, unless the object is compiled with -DMUTANT_NAME, which only
 * tests/mutation/run.sh does: no rule of the Makefile may (tests/lint.sh).
 *
 *   NO_STAGE_CAS	BEGIN and a move do not compare stage and sequence
 *   NO_EPOCH		any epoch counts, a released one too
 *   NO_LEASE		who asks gets the lease, whoever owns it
 *   NO_DRAIN		a dead worker's children are not waited for
 *   NO_HOOK_DRAIN	nor is a dead wrapper's hook
 *   NO_KILL		a release neither kills nor waits for the end
 *   NO_RECHECK		what reaperd says is believed
 *   NO_IDENTITY	a process is its pid
 *   NO_PROBE		an effect is done without looking before and after
 *   NO_CANCEL_PROBE	a cancel does not look whether it has landed
 *   NO_TARGET_CAS	the target moves whatever it holds now
 *   NO_FULL		a commit does not wait for the disk
 *
 * A conditional on it is one line at the place of the rule.
 */
#define MUTANT_PICK(a, b, ...)	b
#define MUTANT_SET(...)		MUTANT_PICK(__VA_ARGS__)
#define MUTANT_1		0,
#define MUTANT_CAT(set)		MUTANT_##set
#define MUTANT_ON(set, yes, no)	MUTANT_SET(MUTANT_CAT(set) yes, no, 0)

/* `yes' where that rule is taken away, else `no'; each may be a literal. */
#define MUTANT_OR(name, yes, no)	MUTANT_ON(MUTANT_##name, yes, no)

/* 1 where that rule is taken away, else 0. */
#define MUTANT(name)		MUTANT_OR(name, 1, 0)

#endif
