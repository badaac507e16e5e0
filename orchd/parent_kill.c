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

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "libcommon/ident.h"
#include "libcommon/log.h"

#include "parent.h"

/* What the engine may ask for: to end, to stop and to go on. */
static int
signal_allowed(int sig)
{
	return (sig == 0 || sig == SIGTERM || sig == SIGKILL ||
	    sig == SIGINT || sig == SIGSTOP || sig == SIGCONT);
}

static int
kill_checked(const struct orch_kill *k)
{
	struct ident	 id;

	if (!signal_allowed(k->sig) || ident_parse(k->ident, &id) == -1)
		return (EINVAL);
	if (id.id_pid <= 1 || children_protected(id.id_pid))
		return (EPERM);
	return (ident_kill(&id, k->sig) == -1 ? errno : 0);
}

void
parent_kill(uint32_t id, const struct orch_kill *k)
{
	struct orch_killed	 answer;

	memset(&answer, 0, sizeof(answer));
	answer.run = k->run;
	answer.error = kill_checked(k);
	if (answer.error == EINVAL || answer.error == EPERM)
		log_warnx("run %llu: the engine asks for signal %d, refused",
		    (unsigned long long)k->run, k->sig);
	engine_send(ORCH_killed, id, &answer, -1);
}
