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

#ifndef ORCHD_SDNOTIFY_H
#define ORCHD_SDNOTIFY_H

#include <stdint.h>

/*
 * Tell the service manager a state such as "READY=1" (sd_notify(3), its
 * documented datagram protocol).  Without NOTIFY_SOCKET nothing happens.
 * 0, or -1 with errno when it could not be sent.
 */
int	 sd_tell(const char *state);

/*
 * The same before a restart in place or a reload, which ends with READY=1:
 * RELOADING=1 with the time that it asks for, and a status of one line.
 */
int	 sd_tell_reloading(const char *status);

/*
 * How often the service manager wants to hear WATCHDOG=1, in milliseconds
 * (half of WATCHDOG_USEC); 0: it does not.
 */
uint32_t sd_watchdog_ms(void);

#endif
