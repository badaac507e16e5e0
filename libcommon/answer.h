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

#ifndef LIBCOMMON_ANSWER_H
#define LIBCOMMON_ANSWER_H

/* JSON that a server answered, and JSON that is sent to one. */

#include <stddef.h>

#include <jansson.h>

/*
 * Read an answer; a key twice is refused.  A new reference, or NULL with what
 * is wrong in err.
 */
json_t	*answer_read(const char *body, size_t len, char *err, size_t errlen);

/*
 * A text of an object into buf; absent or null is "".  0; 1: its end did not
 * fit and is left out; -1: it is no text, or has a NUL.  err says so for both.
 */
int	 answer_text(json_t *obj, const char *name, char *buf, size_t len,
	    char *err, size_t errlen);

/* Its text, which the caller frees; the object is consumed.  NULL: none. */
char	*answer_write(json_t *);

/*
 * The sentence of an error's body, from the first of these members that has
 * one (NULL ends them), escaped, behind the status; never empty.
 */
void	 answer_said(long status, const char *body, size_t len,
	    const char *const *names, char *buf, size_t buflen);

#endif
