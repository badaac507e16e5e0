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

#include <stdio.h>
#include <string.h>

#include <bsd/string.h>

#include "libcommon/esc.h"
#include "libcommon/log.h"

#include "admin.h"
#include "engine.h"
#include "lease.h"
#include "query.h"
#include "task.h"
#include "token.h"

/* Is it "lease release [force]"?  Nothing else is for the page. */
static int
is_release(const struct orch_action *m, int *force)
{
	const char *s = NULL;
	int release = 0;

	*force = 0;
	if (strcmp(m->verb, "lease") != 0)
		return (0);
	while ((s = orch_strs_next(&m->args, s)) != NULL) {
		if (strcmp(s, "release") == 0)
			release = 1;
		else if (strcmp(s, "force") == 0)
			*force = 1;
		else
			return (0);
	}
	return (release);
}

/* The token was judged before anything of the request was looked up. */
static int
release(struct peer *p, uint32_t id, const char *item, int force,
    const char *by)
{
	char said[512] = "";
	enum orch_result res;
	enum store_res found;
	struct task t;

	found = task_resolve(item, &t);
	if (found == STORE_NONE || found == STORE_EXISTS) {
		snprintf(said, sizeof(said), found == STORE_EXISTS ?
		    "more than one task is called %s: say its prefix too" :
		    "there is no task %s", item);
		answer(p, id, RES_NOTFOUND, said, NULL, -1);
		return (0);
	}
	if (found != STORE_OK)
		return (-1);
	res = lease_release(&t, force, by, said, sizeof(said));
	if (res == RES_RETRY)
		return (-1);
	/* For who asks by HTTP, RES_DENIED is about the token. */
	if (res == RES_DENIED) {
		res = RES_REFUSED;
		(void)strlcat(said, ", and so does force=1", sizeof(said));
	}
	answer(p, id, res, said, NULL, -1);
	return (0);
}

int
on_page_action(struct peer *p, uint32_t id, const union orch_any *any,
    int *fd)
{
	const struct orch_action *m = &any->action;
	char from[96], by[128];
	int force;

	if (esc(from, sizeof(from), m->text) == -1 || from[0] == '\0')
		snprintf(from, sizeof(from), "an unknown address");
	snprintf(by, sizeof(by), "an administrator at %s", from);
	if (!is_release(m, &force)) {
		log_warnx("page: action \"%.32s\" is not its to ask",
		    m->verb);
		answer(p, id, RES_DENIED, "the page may release leases and "
		    "nothing else", NULL, -1);
		return (0);
	}
	if (!token_admin_exists()) {
		answer(p, id, RES_NOTFOUND, "there is no admin token: name "
		    "one with \"admin token file\" in orchd.conf, or use "
		    "orchctl lease release", NULL, -1);
		return (0);
	}
	if (!token_administers(m->token)) {
		log_warnx("page: %s from %s, nothing was done",
		    m->token[0] == '\0' ? "no admin token" :
		    "a wrong admin token", from);
		store_count(eng.e_store, "admin_refused", 1);
		answer(p, id, RES_DENIED, "a wrong token", NULL, -1);
		return (0);
	}
	return (release(p, id, m->task, force, by));
}
