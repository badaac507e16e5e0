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

#ifndef ORCHD_TOKEN_H
#define ORCHD_TOKEN_H

/*
 * The tokens of people who come over HTTP.  The engine has their SHA-256 in
 * hex, from the parent and together with the configuration; never the tokens.
 */

/* Take the hashes; "" is for a token that is not configured. */
void	 token_take(const char *read, const char *admin);

/* Is this the token of the page's readers? */
int	 token_reads(const char *token);

/* Is there an administrator's token? */
int	 token_admin_exists(void);

/* Is this the administrator's?  In a time that does not depend on it. */
int	 token_administers(const char *token);

#endif
