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

#ifndef WEBHOOKD_DELIVERY_H
#define WEBHOOKD_DELIVERY_H

/* What the receivers of all providers share: signature, id and digest. */

#include <stddef.h>
#include <stdint.h>

#include "http.h"

#define DELIVERY_SECRETS_MAX	2	/* the current one and the one before */
#define DELIVERY_ID_MAX		128
#define DELIVERY_NAME_MAX	256	/* of a project, of an object */

/* What a source is configured with. */
struct delivery_conf {
	const char	*dc_secrets[DELIVERY_SECRETS_MAX];	/* NULL: none */
	int		 dc_form;	/* accept form deliveries */
};

/*
 * An authentic delivery, as one internal event: of which repository or
 * project of the source, and about what in it (a branch, a commit, an item),
 * both "" where the kind has none.
 */
struct delivery {
	char		 dl_id[DELIVERY_ID_MAX + 1];
	char		 dl_sha256[65];	/* of dl_body */
	const char	*dl_kind;	/* constant */
	char		 dl_project[DELIVERY_NAME_MAX + 1];
	char		 dl_object[DELIVERY_NAME_MAX + 1];
	char		*dl_body;	/* JSON, NUL-terminated; owned */
	size_t		 dl_len;
};

enum body_type { BODY_JSON, BODY_FORM, BODY_OTHER };

/* The media type of a request, without its parameters. */
enum body_type	 delivery_type(const struct http_head *);

/*
 * 1 if one of the secrets made the signature in that header: HMAC-SHA256 in
 * lower-case hex over the bytes.  All secrets are tried; every fault of the
 * signature costs the same work.
 */
int		 delivery_signed(const struct delivery_conf *,
		    const struct http_head *, const char *header,
		    const char *body, size_t len);

/*
 * Digest and id.  The id comes from the header, which is not signed: it is
 * compared and shown, never trusted; without it the id is "sha256-" and the
 * digest.  0, or -1: it is no id.
 */
int		 delivery_name(const struct http_head *, const char *header,
		    struct delivery *);

/* Copy a text that may be NULL; 0, or -1 when it is too long. */
int		 delivery_text(char buf[DELIVERY_NAME_MAX + 1],
		    const char *text);

/* Free the body; safe on a zeroed structure. */
void		 delivery_free(struct delivery *);

#endif
