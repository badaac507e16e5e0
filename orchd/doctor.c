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

#include "libcommon/log.h"
#include "doctor.h"
#include "engine.h"
#include "pass.h"
#include "query.h"

#define WITHIN_MS	15000	/* of a daemon, which tells of silence itself */
#define ROWS_MAX	4000

/* One at a time: each costs servers of other people a dozen requests. */
static struct {
	uint32_t	 d_id;		/* of the question to daemons; or 0 */
	uint32_t	 d_next;
	uint32_t	 d_peer;	/* who asked, and by which id */
	uint32_t	 d_query;
	uint32_t	 d_from;	/* roles that have not ended */
	uint32_t	 d_asked[ROLE__MAX];	/* the peer of each, or 0 */
	char		 d_project[65];
	int64_t		 d_until;
	json_t		*d_rows;
} doctor;

static const char *
finding_name(unsigned int verdict)
{
	switch (verdict) {
	case FOUND_OK:
		return ("ok");
	case FOUND_WARN:
		return ("warn");
	default:
		return ("fail");
	}
}

/* Where a row stands: projects as in the configuration, forges first. */
static size_t
place(const json_t *row)
{
	static const char *const subjects[] = { "forge, to read",
	    "forge, to write", "tracker", "deliveries" };
	const size_t n = sizeof(subjects) / sizeof(subjects[0]);
	const char *project = json_string_value(json_object_get(row,
	    "project"));
	const char *subject = json_string_value(json_object_get(row,
	    "subject"));
	size_t i, j;

	for (i = 0; i < eng.e_conf->cf_nprojects; i++)
		if (strcmp(eng.e_conf->cf_projects[i].cp_name, project) == 0)
			break;
	for (j = 0; j < n; j++)
		if (strcmp(subjects[j], subject) == 0)
			break;
	return (i * (n + 1) + j);
}

static int
is_before(const json_t *a, const json_t *b)
{
	size_t pa = place(a), pb = place(b);

	return (pa != pb ? pa < pb : strcmp(json_string_value(
	    json_object_get(a, "subject")), json_string_value(
	    json_object_get(b, "subject"))) < 0);
}

/* Rows of one subject stand together, in the order of their trials. */
static void
row_add(enum orch_role by, const char *project, const char *subject,
    const char *what, unsigned int verdict, const char *text)
{
	size_t i = json_array_size(doctor.d_rows);
	json_t *row;

	if (i >= ROWS_MAX)
		return;
	row = json_pack("{s:o, s:o, s:o, s:s, s:o, s:s}", "project",
	    json_text(project), "subject", json_text(subject), "what",
	    json_text(what), "verdict", finding_name(verdict), "text",
	    json_text(text), "by", orch_role_name(by));
	if (row == NULL)
		return;
	while (i > 0 && is_before(row, json_array_get(doctor.d_rows, i - 1)))
		i--;
	json_array_insert_new(doctor.d_rows, i, row);
}

static int
is_remote(const struct conf_project *cp)
{
	return (cp->cp_forge == CONF_FORGE_GITEA ||
	    cp->cp_tracker == CONF_TRACKER_PLANE);
}

/* --- what the engine knows itself ----------------------------------------- */

static int
is_listening(void)
{
	size_t i;

	for (i = 0; i < eng.e_conf->cf_nlisten; i++)
		if (eng.e_conf->cf_listen[i].li_role == CONF_LISTEN_WEBHOOK)
			return (1);
	return (0);
}

/* Does what the source sends arrive here? */
static void
deliveries(const struct conf_project *cp, enum conf_source source,
    const char *name)
{
	int64_t last = store_int(eng.e_store, 0, Q_EVENT_LAST, "s", name);
	char text[300];

	if (!is_listening() || eng.e_conf->cf_secret[source].sl_n == 0)
		(void)snprintf(text, sizeof(text), "orchd takes none of %s: "
		    "\"%s%s%s\" is not in orchd.conf; changes are seen by "
		    "polling only", name, is_listening() ? "webhook " :
		    "listen webhook", is_listening() ? name : "",
		    is_listening() ? " secret file" : "");
	else if (last == 0)
		(void)snprintf(text, sizeof(text), "none of %s is on record: "
		    "%s and look at orchctl event; until then changes are "
		    "seen by polling only", name, source ==
		    CONF_SOURCE_PLANE ? "change an item there" :
		    "send a test from its settings");
	else {
		(void)snprintf(text, sizeof(text), "the last one of %s came "
		    "%lld s ago", name, (long long)(eng_now() - last) / 1000);
		row_add(ROLE_ENGINE, cp->cp_name, "deliveries", name,
		    FOUND_OK, text);
		return;
	}
	row_add(ROLE_ENGINE, cp->cp_name, "deliveries", name, FOUND_WARN,
	    text);
}

static void
own_rows(const struct conf_project *cp)
{
	if (cp->cp_forge == CONF_FORGE_GITEA)
		deliveries(cp, CONF_SOURCE_GITEA, "gitea");
	if (cp->cp_tracker == CONF_TRACKER_PLANE)
		deliveries(cp, CONF_SOURCE_PLANE, "plane");
}

/* --- the daemons ---------------------------------------------------------- */

static const enum orch_role daemons[] = { ROLE_RECONCILED, ROLE_FINALIZERD };
#define DAEMONS	(sizeof(daemons) / sizeof(daemons[0]))

static void
daemon_missing(enum orch_role role)
{
	char text[300];

	(void)snprintf(text, sizeof(text), "%s %s: what it holds the tokens "
	    "for was not tried to the end; see orchd's log",
	    orch_role_name(role), peer_of_role(role) == NULL ? "is not there"
	    : "gave no answer within 20 s");
	row_add(role, "", orch_role_name(role), "answer", FOUND_FAIL, text);
}

static void
rows_drop(enum orch_role by)
{
	size_t i = json_array_size(doctor.d_rows);

	while (i-- > 0)
		if (strcmp(json_string_value(json_object_get(json_array_get(
		    doctor.d_rows, i), "by")), orch_role_name(by)) == 0)
			json_array_remove(doctor.d_rows, i);
}

/*
 * Ask it, also a later process of it: a reload replaces them all, and what it
 * is about to replace holds the tokens of before.
 */
static void
daemon_ask(enum orch_role role)
{
	struct orch_doctor_ask m = { .project = doctor.d_project,
	    .within_ms = WITHIN_MS };
	struct peer *p = peer_of_role(role);

	if ((doctor.d_from & 1U << role) == 0 || p == NULL ||
	    p->p_reloads != eng.e_reloads || doctor.d_asked[role] == p->p_id)
		return;
	rows_drop(role);
	doctor.d_asked[role] = p->p_id;
	pass_send(p->p_id, ORCH_doctor_ask, doctor.d_id, &m, -1);
}

static void
doctor_end(void)
{
	struct peer p = { .p_id = doctor.d_peer };
	json_t *row;
	int ok = 1;
	size_t i;

	json_array_foreach(doctor.d_rows, i, row)
		if (strcmp(json_string_value(json_object_get(row,
		    "verdict")), "fail") == 0)
			ok = 0;
	answer(&p, doctor.d_query, RES_OK, "", json_pack("{s:b, s:o}", "ok",
	    ok, "rows", doctor.d_rows), -1);
	doctor.d_rows = NULL;
	doctor.d_id = 0;
}

int
on_doctor_row(struct peer *p, uint32_t id, const union orch_any *any,
    int *fd)
{
	const struct orch_doctor_row *m = &any->doctor_row;

	/* Of one that has ended meanwhile. */
	if (id != doctor.d_id || doctor.d_asked[p->p_role] != p->p_id ||
	    (doctor.d_from & 1U << p->p_role) == 0)
		return (0);
	if (m->what[0] != '\0')
		row_add(p->p_role, m->project, m->subject, m->what,
		    m->verdict, m->text);
	if (m->last)
		doctor.d_from &= ~(1U << p->p_role);
	if (doctor.d_from == 0)
		doctor_end();
	return (0);
}

void
doctor_tick(void)
{
	size_t i;

	if (doctor.d_id == 0 || pass_enter() == -1)
		return;
	for (i = 0; i < DAEMONS; i++)
		daemon_ask(daemons[i]);
	if (eng_now() >= doctor.d_until) {
		for (i = 0; i < DAEMONS; i++)
			if (doctor.d_from & 1U << daemons[i])
				daemon_missing(daemons[i]);
		doctor_end();
	}
	(void)pass_leave(1);
}

void
doctor_begin(struct peer *p, uint32_t id, const char *project)
{
	const struct conf_project *cp;
	int forges = 0, any = 0;
	size_t i;

	/* Who asked may have gone away. */
	if (doctor.d_id != 0 && peer_chan(doctor.d_peer) == NULL)
		doctor_end();
	if (doctor.d_id != 0 || (doctor.d_rows = json_array()) == NULL) {
		answer(p, id, RES_REFUSED, "another doctor is at work: try "
		    "again in 20 seconds", NULL, -1);
		return;
	}
	if (++doctor.d_next == 0)
		doctor.d_next = 1;
	doctor.d_id = doctor.d_next;
	doctor.d_peer = p->p_id;
	doctor.d_query = id;
	doctor.d_from = 0;
	memset(doctor.d_asked, 0, sizeof(doctor.d_asked));
	(void)strlcpy(doctor.d_project, project, sizeof(doctor.d_project));
	doctor.d_until = eng_now() + DOCTOR_LIMIT_MS;
	for (i = 0; i < eng.e_conf->cf_nprojects; i++) {
		cp = &eng.e_conf->cf_projects[i];
		if (!is_remote(cp) || (project[0] != '\0' &&
		    strcmp(cp->cp_name, project) != 0))
			continue;
		any = 1;
		forges |= cp->cp_forge == CONF_FORGE_GITEA;
		own_rows(cp);
	}
	if (any || (project[0] == '\0' && eng.e_conf->cf_nnotify > 0))
		doctor.d_from |= FROM_RECONCILED;
	if (forges)
		doctor.d_from |= FROM_FINALIZERD;
	for (i = 0; i < DAEMONS; i++)
		daemon_ask(daemons[i]);
	if (doctor.d_from == 0)
		doctor_end();
}
