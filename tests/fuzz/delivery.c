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

/*
 * A signed delivery with arbitrary bytes as its body.  The first byte chooses
 * the sender, the form and the event header.  Oracles: without the signature it
 * is 401; with it, it is taken or refused as malformed; what is taken is what
 * was signed, of a kind that is known, with names and an id within limits.
 *
 * Without libFuzzer it is a program that runs the files that it is given.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/sha256.h"
#include "webhookd/gitea.h"
#include "webhookd/http.h"
#include "webhookd/plane.h"
#include "replay.h"

#define FUZZ_SECRET	"secret"

static const char *const fuzz_events[] = { "push", "create", "delete",
    "pull_request", "pull_request_approved", "issue_comment", "status",
    "workflow_run" };

static int
fuzz_judge(uint8_t how, const char *sig, const uint8_t *body, size_t len,
    struct delivery *dl)
{
	struct delivery_conf conf = { .dc_secrets = { FUZZ_SECRET },
	    .dc_form = 1 };
	struct http_head head;
	char text[1024];
	const char *why;
	int n;

	n = snprintf(text, sizeof(text), "POST / HTTP/1.1\r\nHost: h\r\n"
	    "Content-Type: %s\r\nContent-Length: 1\r\nX-Gitea-Event: %s\r\n"
	    "X-Gitea-Signature: %s\r\nX-Plane-Signature: %s\r\n\r\n",
	    (how & 2) != 0 ? "application/x-www-form-urlencoded" :
	    "application/json", fuzz_events[how >> 2 & 7], sig, sig);
	if (n < 0 || http_parse_head((const uint8_t *)text, (size_t)n,
	    &head) != HTTP_DONE)
		abort();
	return ((how & 1) != 0 ?
	    plane_judge(&conf, &head, body, len, dl, &why) :
	    gitea_judge(&conf, &head, body, len, dl, &why));
}

/* What is signed: the body, or what a form has in its one field. */
static int
fuzz_sign(uint8_t how, const uint8_t *body, size_t len,
    char mac[SHA256_HEX_SIZE])
{
	char *payload = NULL;
	size_t n = len;
	int rv;

	if ((how & 2) != 0 &&
	    (payload = gitea_form_payload(body, len, &n)) == NULL)
		return (-1);
	rv = hmac_sha256_hex(FUZZ_SECRET, strlen(FUZZ_SECRET), payload !=
	    NULL ? (const void *)payload : body, n, mac);
	free(payload);
	return (rv);
}

static void
fuzz_check(const struct delivery *dl, uint8_t how, const uint8_t *body,
    size_t len)
{
	if (dl->dl_kind == NULL || dl->dl_kind[0] == '\0' ||
	    strlen(dl->dl_project) > DELIVERY_NAME_MAX ||
	    strlen(dl->dl_object) > DELIVERY_NAME_MAX ||
	    strlen(dl->dl_sha256) != 64 || dl->dl_id[0] == '\0' ||
	    strlen(dl->dl_id) > DELIVERY_ID_MAX || dl->dl_body == NULL ||
	    dl->dl_body[dl->dl_len] != '\0')
		abort();
	if ((how & 2) == 0 && (dl->dl_len != len ||
	    memcmp(dl->dl_body, body, len) != 0))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct delivery dl;
	char mac[SHA256_HEX_SIZE];
	uint8_t how;
	int status;

	if (size == 0)
		return (0);
	how = *data++;
	size--;
	if (fuzz_judge(how, "", data, size, &dl) == 0)
		abort();
	if (fuzz_sign(how, data, size, mac) == -1)
		return (0);
	status = fuzz_judge(how, mac, data, size, &dl);
	if (status == 0)
		fuzz_check(&dl, how, data, size);
	else if (status != 400 && !(status == 415 && (how & 3) == 3))
		abort();
	delivery_free(&dl);
	return (0);
}
