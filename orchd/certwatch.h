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

#ifndef ORCHD_CERTWATCH_H
#define ORCHD_CERTWATCH_H

#include "proto/proto.h"

/*
 * Certificates that are served come to their end, and then every sender is
 * refused: people hear of it CERTIFICATE_SOON_DAYS before.  The parent, who
 * reads the files, says with each configuration until when they are good.
 */

/*
 * The certificates of a configuration: "END FILE" each, END in seconds since
 * 1970.  They take the place of those before, and are looked at next.
 */
void	 certwatch_take(const struct orch_strs *);

/*
 * Once a day and after each configuration: raise the alert "certificate" of
 * each file whose certificate ends soon or has ended, and clear that of each
 * that is served no longer or was renewed.  -1: the database failed.
 */
int	 certwatch_look(void);

#endif
