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

#include <sys/socket.h>

#include <arpa/inet.h>
#include <bsd/string.h>
#include <netinet/in.h>
#include <string.h>

#include "addr.h"

static const uint8_t mapped[12] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff
};

void
addr_from_sockaddr(struct addr *ad, const struct sockaddr *sa)
{
	struct sockaddr_in sin;
	struct sockaddr_in6 sin6;
	const void *src;
	int af = sa->sa_family;

	memset(ad, 0, sizeof(*ad));
	if (af == AF_INET) {
		memcpy(&sin, sa, sizeof(sin));
		memcpy(ad->ad_key, mapped, sizeof(mapped));
		memcpy(ad->ad_key + 12, &sin.sin_addr, 4);
	} else if (af == AF_INET6) {
		memcpy(&sin6, sa, sizeof(sin6));
		memcpy(ad->ad_key, &sin6.sin6_addr, 16);
	} else {
		(void)strlcpy(ad->ad_text, "local", sizeof(ad->ad_text));
		return;
	}
	src = ad->ad_key;
	if (memcmp(ad->ad_key, mapped, sizeof(mapped)) == 0) {
		af = AF_INET;
		src = ad->ad_key + 12;
	}
	if (inet_ntop(af, src, ad->ad_text, sizeof(ad->ad_text)) == NULL)
		(void)strlcpy(ad->ad_text, "unknown", sizeof(ad->ad_text));
	if (af == AF_INET6)
		memset(ad->ad_key + 8, 0, 8);
}

int
addr_same(const struct addr *a, const struct addr *b)
{
	return (memcmp(a->ad_key, b->ad_key, sizeof(a->ad_key)) == 0);
}
