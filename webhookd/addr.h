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

#ifndef WEBHOOKD_ADDR_H
#define WEBHOOKD_ADDR_H

#include <sys/socket.h>

#include <netinet/in.h>

#include <stdint.h>

/* Who is at the other end, for the limit per address and for the log. */
struct addr {
	uint8_t	ad_key[16];	/* IPv4 mapped, or the IPv6 /64 */
	char	ad_text[INET6_ADDRSTRLEN];
};

/*
 * From what accept(2) gave.  IPv4 addresses count one by one, IPv6 addresses
 * by their /64, since a host is free to choose the rest.  A mapped IPv4
 * address counts as the IPv4 address.  Other families count as one address.
 */
void	addr_from_sockaddr(struct addr *, const struct sockaddr *);

/* True if both count as the same address. */
int	addr_same(const struct addr *, const struct addr *);

#endif
