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

#ifndef COMMON_REDACT_H
#define COMMON_REDACT_H

#include <stddef.h>

/*
 * Known secret values and token-shaped strings never reach a log, a database
 * row, an alert or a page: each writer passes its text through redact().
 */

/*
 * Makes a secret known (at least 6 bytes; shorter ones are refused with
 * EINVAL, since they would redact ordinary words).  Its hex, URL-encoded and
 * base64 forms (all three alignments) are found too; of a value with several
 * lines each line of 6 bytes or more.  The value is copied into locked memory
 * that is not dumped.  Returns 0, or -1 with errno EINVAL or ENOMEM.
 */
int	log_redact_add(const char *secret);

/* Forgets all known secrets and overwrites them. */
void	log_redact_clear(void);

/*
 * Replaces, in place, every known secret and token-shaped string in the len
 * bytes of buf by "[redacted]" (by asterisks where the match is shorter than
 * that), so that the text never grows.  Returns the new length.  Does not
 * need or write a NUL.
 */
size_t	redact(char *buf, size_t len);

/*
 * For text that was cut at its end: like redact(), and also replaces a
 * beginning of a known secret (3 bytes or more) that stands at the very end.
 */
size_t	redact_cut(char *buf, size_t len);

/* A redacted copy of s, to be freed by the caller; NULL with ENOMEM. */
char	*redact_dup(const char *s);

#endif
