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
#include <strings.h>

#include <bsd/string.h>

#include "libcommon/log.h"
#include "engine.h"
#include "events.h"
#include "intake.h"
#include "pass.h"
#include "task.h"

#define LOOKS		32	/* remembered of a pass */
#define WATCH_MAX	1000

struct hint {
	char	 h_project[65];
	uint8_t	 h_what;
	char	 h_object[257];
};

/* What reconciled was told in this pass. */
static struct {
	uint64_t	pass;
	size_t		n;
	struct hint	hints[LOOKS];
} told;

/* Of which project a delivery is, by what its source calls it. */
static const struct conf_project *
project_of(const struct orch_event *m)
{
	const struct conf_project *cp;
	size_t i;

	for (i = 0; i < eng.e_conf->cf_nprojects; i++) {
		cp = &eng.e_conf->cf_projects[i];
		if (strcmp(m->source, "gitea") == 0 &&
		    cp->cp_forge == CONF_FORGE_GITEA &&
		    strcasecmp(cp->cp_forge_repo, m->project) == 0)
			return (cp);
		if (strcmp(m->source, "plane") == 0 &&
		    cp->cp_tracker == CONF_TRACKER_PLANE &&
		    strcasecmp(cp->cp_tracker_project, m->project) == 0)
			return (cp);
	}
	return (NULL);
}

static uint8_t
what_of(const struct orch_event *m)
{
	static const char *const of_commits[] = { "status", "workflow_run",
	    "workflow_job", "action_run" };
	size_t i;

	if (strcmp(m->source, "plane") == 0)
		return (LOOK_ITEM);
	if (m->object[0] == '\0')
		return (LOOK_BRANCH);
	for (i = 0; i < sizeof(of_commits) / sizeof(of_commits[0]); i++)
		if (strcmp(m->kind, of_commits[i]) == 0)
			return (LOOK_COMMIT);
	return (LOOK_BRANCH);
}

/* Was this said in this pass already?  If not, it is now. */
static int
is_told(const struct hint *h)
{
	size_t i;

	if (told.pass != pass_number()) {
		told.pass = pass_number();
		told.n = 0;
	}
	for (i = 0; i < told.n; i++)
		if (told.hints[i].h_what == h->h_what &&
		    strcmp(told.hints[i].h_project, h->h_project) == 0 &&
		    strcmp(told.hints[i].h_object, h->h_object) == 0)
			return (1);
	if (told.n < LOOKS)
		told.hints[told.n++] = *h;
	return (0);
}

/* Nobody there to look (-1): the next poll does. */
static int
have_looked(const struct conf_project *cp, const struct orch_event *m)
{
	struct peer *p = peer_of_role(ROLE_RECONCILED);
	struct hint h = { .h_what = what_of(m) };
	struct orch_look look = { h.h_project, h.h_what, h.h_object };

	if (p == NULL)
		return (-1);
	strlcpy(h.h_project, cp->cp_name, sizeof(h.h_project));
	strlcpy(h.h_object, m->object, sizeof(h.h_object));
	if (!is_told(&h))
		pass_send(p->p_id, ORCH_look, 0, &look, -1);
	return (0);
}

const char *
event_look(const struct orch_event *m, const char **project)
{
	const struct conf_project *cp = m->project[0] == '\0' ? NULL :
	    project_of(m);

	*project = cp == NULL ? "" : cp->cp_name;
	if (cp == NULL && m->project[0] != '\0')
		log_info("%s delivery %s is about %s, which no project is: "
		    "ignored", m->source, m->delivery, m->project);
	return (cp == NULL ? "ignored" : have_looked(cp, m) == 0 ? "told" :
	    "kept");
}

/* Stored once: by delivery id, and by the body that alone is signed. */
int
on_event(struct peer *p, uint32_t id, const union orch_any *any, int *fd)
{
	const struct orch_event *m = &any->event;
	struct orch_event_answer a = { RES_OK };
	const char *project, *state;
	enum store_res res;

	/* Also for one that is sent again: the first hint may be lost. */
	state = event_look(m, &project);
	res = store_run(eng.e_store, Q_EVENT_ADD, "ssssbissss", m->source,
	    m->delivery, m->kind, m->sha256, m->body.b_data, m->body.b_len,
	    eng_now(), m->project, m->object, project, state);
	if (res == STORE_EXISTS)
		a.result = RES_DUPLICATE;
	else if (res != STORE_OK)
		return (-1);
	else if (project[0] == '\0' && m->project[0] != '\0')
		a.result = RES_REFUSED;
	event_count(m->source, res == STORE_EXISTS ? "double" : state);
	pass_send(p->p_id, ORCH_event_answer, id, &a, -1);
	return (0);
}

int
on_watch_list(struct peer *p, uint32_t id, const union orch_any *any,
    int *fd)
{
	const struct orch_watch_list *m = &any->watch_list;
	struct orch_watch one, end = { .last = 1 };
	uint32_t most = m->most < WATCH_MAX ? m->most : WATCH_MAX;
	sqlite3_stmt *q;

	q = store_bind(eng.e_store, Q_WATCHED, "si", m->project,
	    (int64_t)most);
	while (store_step(eng.e_store, q) == STORE_OK) {
		memset(&one, 0, sizeof(one));
		one.task = col_text(q, 0);
		one.item = col_text(q, 1);
		one.stage = col_text(q, 2);
		one.branch = col_text(q, 3);
		one.head = col_text(q, 4);
		one.pull = (uint64_t)col_int(q, 5);
		pass_send(p->p_id, ORCH_watch, id, &one, -1);
	}
	sqlite3_reset(q);
	pass_send(p->p_id, ORCH_watch, id, &end, -1);
	return (0);
}
