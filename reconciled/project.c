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

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <bsd/stdlib.h>
#include <bsd/string.h>

#include "libcommon/daemon.h"
#include "libcommon/log.h"
#include "libcommon/redact.h"

#include "reconciled.h"

/*
 * The table of remote projects and of messengers.  What the parent hands over
 * is collected first and begins as a whole: a project may come before its key.
 */

struct secret {
	TAILQ_ENTRY(secret) se_entry;
	char	*se_name;
	char	*se_value;
};

struct projects projects = TAILQ_HEAD_INITIALIZER(projects);
struct messengers messengers = TAILQ_HEAD_INITIALIZER(messengers);

static TAILQ_HEAD(, secret) secrets = TAILQ_HEAD_INITIALIZER(secrets);

static void
erase(char *s)
{
	if (s != NULL)
		freezero(s, strlen(s));
}

static void
project_free(struct project *p)
{
	free(p->p_name);
	free(p->p_target);
	free(p->p_forge_url);
	free(p->p_repo);
	free(p->p_tracker_url);
	free(p->p_workspace);
	free(p->p_tracker_id);
	free(p->p_rejected);
	free(p->p_analyse);
	free(p->p_renamed);
	erase(p->p_token);
	erase(p->p_key);
	free(p);
}

struct project *
project_ref(struct project *p)
{
	p->p_refs++;
	return (p);
}

void
project_unref(struct project *p)
{
	if (--p->p_refs == 0)
		project_free(p);
}

/* The value of NAME=value in a list; NULL when it is not there. */
static const char *
listed(const struct orch_strs *l, const char *name)
{
	const char *s = NULL;
	size_t n = strlen(name);

	while ((s = orch_strs_next(l, s)) != NULL)
		if (strncasecmp(s, name, n) == 0 && s[n] == '=')
			return (s + n + 1);
	return (NULL);
}

/* An option of the project, or else the global one. */
static const char *
option(const struct orch_child_project *m, const char *name, const char *dflt)
{
	const char *v = listed(&m->options, name);

	return (v != NULL ? v : daemon_option(name, dflt));
}

static unsigned int
poll_interval(const struct orch_child_project *m)
{
	const char *err;
	long long n;

	if (strcmp(option(m, "forge_poll_enabled", "yes"), "no") == 0)
		return (0);
	n = strtonum(option(m, "forge_poll_interval_s", "60"), 1, 86400,
	    &err);
	return (err == NULL ? (unsigned int)n : 60);
}

/* One line for each text of a list; NULL: no memory. */
static char *
lines(const struct orch_strs *l)
{
	const char *s = NULL;
	char *text = strdup(""), *more;

	while (text != NULL && (s = orch_strs_next(l, s)) != NULL) {
		if (asprintf(&more, "%s%s\n", text, s) == -1)
			more = NULL;
		free(text);
		text = more;
	}
	return (text);
}

void
project_given(const struct orch_child_project *m)
{
	const int forge = strcmp(m->forge, "gitea") == 0;
	const int tracker = strcmp(m->tracker, "plane") == 0;
	const char *rejected = listed(&m->statuses, "Rejected");
	const char *analyse = listed(&m->statuses, "To Analyse");
	struct project *p;

	if ((p = calloc(1, sizeof(*p))) == NULL)
		fatal("project");
	p->p_refs = 1;
	p->p_forge_poll_s = poll_interval(m);
	if ((p->p_name = strdup(m->name)) == NULL ||
	    (p->p_target = strdup(m->target)) == NULL ||
	    (p->p_forge_url = strdup(forge ? m->forge_url : "")) == NULL ||
	    (p->p_repo = strdup(m->forge_repo)) == NULL ||
	    (p->p_tracker_url = strdup(tracker ? m->tracker_url : "")) ==
	    NULL || (p->p_workspace = strdup(m->workspace)) == NULL ||
	    (p->p_tracker_id = strdup(m->tracker_project)) == NULL ||
	    (p->p_rejected = strdup(rejected != NULL ? rejected :
	    "Rejected")) == NULL ||
	    (p->p_analyse = strdup(analyse != NULL ? analyse :
	    "To Analyse")) == NULL ||
	    (p->p_renamed = lines(&m->statuses)) == NULL)
		fatal("project");
	TAILQ_INSERT_TAIL(&projects, p, p_entry);
}

void
project_secret(const char *name, const char *value)
{
	struct secret *se;

	if ((se = calloc(1, sizeof(*se))) == NULL ||
	    (se->se_name = strdup(name)) == NULL ||
	    (se->se_value = strdup(value)) == NULL)
		fatal("secret");
	TAILQ_INSERT_TAIL(&secrets, se, se_entry);
}

static const char *
secret_of(const char *what, const char *name)
{
	struct secret *se;
	size_t n = strlen(what);

	TAILQ_FOREACH(se, &secrets, se_entry)
		if (strncmp(se->se_name, what, n) == 0 &&
		    se->se_name[n] == ':' &&
		    strcmp(se->se_name + n + 1, name) == 0)
			return (se->se_value);
	return ("");
}

struct project *
project_find(const char *name)
{
	struct project *p;

	TAILQ_FOREACH(p, &projects, p_entry)
		if (strcmp(p->p_name, name) == 0)
			return (p);
	return (NULL);
}

static void
project_end(struct project *p)
{
	p->p_gone = 1;
	tracker_stop(p);
	forge_stop(p);
	TAILQ_REMOVE(&projects, p, p_entry);
	project_unref(p);
}

/* Of one that cannot be asked the rest works; 0, or -1. */
static int
project_begin(struct project *p)
{
	if ((p->p_token = strdup(secret_of("forge", p->p_name))) == NULL ||
	    (p->p_key = strdup(secret_of("tracker", p->p_name))) == NULL)
		fatal("project");
	if (p->p_tracker_url[0] != '\0' && tracker_start(p) == -1)
		return (-1);
	if (p->p_forge_url[0] != '\0' && forge_start(p) == -1)
		return (-1);
	return (0);
}

void
project_notice(const struct project *p, const char *what, int on,
    const char *fmt, ...)
{
	char subject[128], text[700];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)snprintf(subject, sizeof(subject), "%s: %s", p->p_name, what);
	tell_notice("remote_refused", subject, on, "project %s: its %s: %s",
	    p->p_name, what, text);
}

/* --- messengers ----------------------------------------------------------- */

static void
messenger_free(struct messenger *me)
{
	remote_put(me->me_remote);
	free(me->me_dest);
	free(me->me_kind);
	erase(me->me_to);
	erase(me->me_secret);
	free(me);
}

struct messenger *
messenger_find(const char *dest)
{
	struct messenger *me;

	TAILQ_FOREACH(me, &messengers, me_entry)
		if (strcmp(me->me_dest, dest) == 0)
			return (me);
	return (NULL);
}

/* "KIND TO SECRET" */
static struct messenger *
messenger_new(const char *dest, const char *value)
{
	const char *to = strchr(value, ' '), *secret, *token;
	const struct remote_kind *rk;
	struct messenger *me;

	if (to == NULL || (secret = strchr(to + 1, ' ')) == NULL) {
		log_warnx("%s: the parent does not say how", dest);
		return (NULL);
	}
	if ((me = calloc(1, sizeof(*me))) == NULL ||
	    (me->me_dest = strdup(dest)) == NULL ||
	    (me->me_kind = strndup(value, (size_t)(to - value))) == NULL ||
	    (me->me_to = strndup(to + 1, (size_t)(secret - to - 1))) ==
	    NULL || (me->me_secret = strdup(secret + 1)) == NULL)
		fatal("messenger");
	(void)log_redact_add(me->me_secret);
	/* An address with a token: the token alone must not be shown too. */
	if ((token = strstr(me->me_secret, "/bot")) != NULL)
		(void)log_redact_add(token + 4);
	if ((rk = notify_kind(me->me_kind)) == NULL || (me->me_remote =
	    remote_get(notify_server(me), "", rk)) == NULL) {
		log_warnx("%s: \"%s\" is not known here", dest, me->me_kind);
		messenger_free(me);
		return (NULL);
	}
	return (me);
}

static void
secrets_clear(void)
{
	struct secret *se;

	while ((se = TAILQ_FIRST(&secrets)) != NULL) {
		TAILQ_REMOVE(&secrets, se, se_entry);
		free(se->se_name);
		erase(se->se_value);
		free(se);
	}
}

int
project_start(void)
{
	struct messenger *me;
	struct project *p;
	struct secret *se;
	int r = 0;

	TAILQ_FOREACH(p, &projects, p_entry)
		if (project_begin(p) == -1)
			r = -1;
	TAILQ_FOREACH(se, &secrets, se_entry)
		if (strncmp(se->se_name, "notify:", 7) == 0 &&
		    (me = messenger_new(se->se_name, se->se_value)) != NULL)
			TAILQ_INSERT_TAIL(&messengers, me, me_entry);
	secrets_clear();
	return (r);
}

void
project_stop(void)
{
	struct messenger *me;
	struct project *p;

	while ((p = TAILQ_FIRST(&projects)) != NULL)
		project_end(p);
	while ((me = TAILQ_FIRST(&messengers)) != NULL) {
		TAILQ_REMOVE(&messengers, me, me_entry);
		messenger_free(me);
	}
	secrets_clear();
}
