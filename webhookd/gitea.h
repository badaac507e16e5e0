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

#ifndef WEBHOOKD_GITEA_H
#define WEBHOOKD_GITEA_H

#include <stddef.h>
#include <stdint.h>

#include "delivery.h"

/*
 * Judge a POST to the Gitea (or Forgejo) receiver.  Returns 0 and fills *dl,
 * whose body the caller frees with delivery_free(); or the status to answer
 * (415 content type, 401 signature, 400 the rest, 500 no memory) with a
 * constant text for the log in *why.
 *
 * The signature is HMAC-SHA256 in lower-case hex over the raw body, for form
 * deliveries over the decoded value of "payload".  Every fault of the
 * signature costs the same work and gives the same answer.
 *
 * Event headers and delivery id are not signed.  The kind therefore comes from
 * the shape of the signed body: push, create, delete, pull_request,
 * pull_request_sync, _label, _assign, _milestone, _review_request,
 * _review_approved, _review_rejected, _review_comment, pull_request_comment,
 * issue_comment, issues, status, workflow_run, workflow_job, action_run, or
 * unknown.  A header that says otherwise is 400.  The object is a branch, or
 * for status, workflow and action kinds a commit.
 */
int	 gitea_judge(const struct delivery_conf *, const struct http_head *,
	    const uint8_t *body, size_t len, struct delivery *dl,
	    const char **why);

/*
 * Decode a form body that has exactly one field, "payload".  Returns a
 * NUL-terminated allocation of *outlen bytes (the caller frees), or NULL when
 * the form is anything else, with errno ENOMEM or EINVAL.
 */
char	*gitea_form_payload(const uint8_t *body, size_t len, size_t *outlen);

#endif
