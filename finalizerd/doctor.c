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

#include <string.h>

#include "libcommon/checkup.h"
#include "libcommon/log.h"

#include "finalizerd.h"

struct wanted {
	struct checkup_ask	*wa_ask;
	const char		*wa_project;	/* "": all */
};

static void
forge_add(const struct checkup_of *co, void *arg)
{
	struct wanted *wa = arg;

	if (wa->wa_project[0] != '\0' &&
	    strcmp(co->co_project, wa->wa_project) != 0)
		return;
	if (checkup_add(wa->wa_ask, co, checkup_forge_write) == -1)
		log_warn("doctor: project %s", co->co_project);
}

void
doctor_forges(uint32_t id, const struct orch_doctor_ask *m)
{
	struct wanted wa = { checkup_begin(id, m->within_ms), m->project };

	if (wa.wa_ask == NULL) {
		/* The engine says that there was no answer. */
		log_warnx("doctor: no memory");
		return;
	}
	post_each(forge_add, &wa);
	checkup_go(wa.wa_ask);
}
