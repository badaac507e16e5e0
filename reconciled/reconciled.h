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

#ifndef RECONCILED_H
#define RECONCILED_H

#include <stddef.h>
#include <stdint.h>

#include <bsd/sys/queue.h>

#include "proto/proto.h"

/* drift.c: tasks whose gate turned green without an event (F-1) */

/*
 * Start asking every reconcile_interval_s, unless reconcile_enabled is no.  -1
 * when there is no memory.
 */
int	 drift_start(void);

/* Stop asking. */
void	 drift_stop(void);

/* The engine is there (again): an older list will not be ended any more. */
void	 drift_engine_up(void);

/* One row of the answer to candidates: the engine is asked to look at it. */
void	 drift_candidate(const struct orch_candidate *);

/* An ack; 1 when it answered one of our advances, else 0. */
int	 drift_ack(uint32_t id, const struct orch_ack *);

/* tell.c: what the engine is told, kept until it has answered */

/*
 * Tell the engine; the message is copied.  What it cannot store is told again,
 * what was under way when it went too.  -1: it does not fit into a message, or
 * no memory (logged).
 */
int	 tell(unsigned int type, const void *msg);

/*
 * Raise or clear an alert by tell().  The subject is cut at 127 bytes, the text
 * at 1022.
 */
void	 tell_notice(const char *kind, const char *subject, int on,
	    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Messages that the engine has not answered yet. */
size_t	 tell_waiting(void);

/* The engine is there (again): all that it has not answered is told. */
void	 tell_engine_up(void);

/* An ack; 1 when it answered one of these, else 0. */
int	 tell_ack(uint32_t id, const struct orch_ack *);

/* Forget them all. */
void	 tell_stop(void);

/* remote.c: requests to a server, one key at a time */

/*
 * One key at one server.  Requests wait for its rate; after failures in a row
 * of one server its requests fail at once until a pause has passed, which one
 * request then probes (a circuit breaker), with the alert remote_down.
 */
struct remote;

/* How often a key may ask, and who is asked for the words of a refusal. */
struct remote_kind {
	unsigned int	 rk_per_minute;
	unsigned int	 rk_burst;	/* so many at once */
	unsigned int	 rk_most;	/* so many at the same time */
	/* The sentence of an error's body, escaped; NULL: the status alone. */
	void	(*rk_said)(long status, const char *body, size_t len,
		    char *buf, size_t buflen);
	/* Seconds to wait that an error's body names, or -1; may be NULL. */
	int64_t	(*rk_wait)(const char *body, size_t len);
};

/* Who goes first where several wait for the rate. */
enum remote_prio {
	REMOTE_FIRST,		/* a hint: a person may have decided */
	REMOTE_NOW,		/* a message */
	REMOTE_LATER		/* a poll: leaves some of the rate to others */
};

/* How a request ended. */
enum remote_end {
	REMOTE_OK,		/* 2xx */
	REMOTE_REFUSED,		/* another answer, the server is well; or the
				 * request cannot be made; or 2xx with more
				 * than fits */
	REMOTE_DOWN		/* no answer, 5xx, 429 too often, another with
				 * Retry-After, or paused */
};

/* What came back; it dies with the call. */
struct remote_answer {
	enum remote_end	 ra_end;
	int		 ra_asked;	/* 0: it was left alone */
	long		 ra_status;	/* or 0 */
	const char	*ra_body;	/* never NULL */
	size_t		 ra_len;
	int64_t		 ra_total;	/* X-Total-Count, or -1 */
	const char	*ra_why;	/* when it is not OK, for people */
};

/* Called once with the answer, from the loop. */
typedef void (*remote_cb)(const struct remote_answer *, void *arg);

#define REMOTE_HEADERS	4	/* of a request, besides the key's */

/* A request. */
struct remote_ask {
	enum remote_prio ask_prio;
	const char	*ask_method;
	const char	*ask_url;
	const char	*ask_body;	/* JSON, or NULL */
	const char	*ask_headers[REMOTE_HEADERS];	/* NULL: no more */
};

/* What a test may shorten; milliseconds. */
struct remote_times {
	int64_t	rt_pause_ms;		/* the first pause */
	int64_t	rt_pause_max_ms;
	uint32_t rt_timeout_ms;		/* of a request */
};
extern struct remote_times remote_times;

/* Before anything else.  -1 when there is no memory. */
int	 remote_start(void);

/* End: what is under way is told as REMOTE_DOWN. */
void	 remote_stop(void);

/*
 * The key at the server of url; auth is its header, or "".  The same one twice
 * is one.  kind is not copied.  NULL: no memory, or no http address.
 */
struct remote *remote_get(const char *url, const char *auth,
	    const struct remote_kind *);

/* It is not needed any more; requests under way end as they end. */
void	 remote_put(struct remote *);

/*
 * Ask; what is passed is copied.  The callback comes once, from the loop and
 * never from inside this call.  -1: no memory (logged); then no callback.
 */
int	 remote_ask(struct remote *, const struct remote_ask *, remote_cb,
	    void *arg);

/*
 * The time to the next poll: up to a tenth more than ms (at most a month), so
 * that those who poll the same server come apart, also after it was away.
 */
int64_t	 poll_jitter(int64_t ms);

/* project.c: what the configuration says of remote projects and messengers */

struct tracker;
struct forge;

/* A project that the parent gave, with what of it is elsewhere. */
struct project {
	TAILQ_ENTRY(project) p_entry;
	unsigned int	 p_refs;
	int		 p_gone;	/* it ends: say nothing */
	char		*p_name;
	char		*p_target;	/* branch */
	char		*p_forge_url;	/* "": no remote forge */
	char		*p_repo;
	char		*p_tracker_url;	/* "": no remote tracker */
	char		*p_workspace;
	char		*p_tracker_id;	/* the project's UUID there */
	char		*p_rejected;	/* how that status is called there */
	char		*p_analyse;	/* and "To Analyse" */
	char		*p_renamed;	/* "Own=Name" lines of statuses */
	char		*p_token;	/* of the forge, or "" */
	char		*p_key;		/* of the tracker, or "" */
	unsigned int	 p_forge_poll_s;	/* 0: only when told to look */
	struct tracker	*p_tracker;
	struct forge	*p_forge;
};

/* One who is told, by a way that is remote. */
struct messenger {
	TAILQ_ENTRY(messenger) me_entry;
	char		*me_dest;	/* "notify:NAME" */
	char		*me_kind;	/* "telegram" or "webhook" */
	char		*me_to;		/* chat or address */
	char		*me_secret;
	int		 me_refused;	/* the alert is raised */
	int		 me_worked;	/* something was taken */
	struct remote	*me_remote;
};

TAILQ_HEAD(projects, project);
TAILQ_HEAD(messengers, messenger);
extern struct projects projects;
extern struct messengers messengers;

/* A project of the parent: copied, and kept until all is given. */
void	 project_given(const struct orch_child_project *);

/*
 * A secret of the parent, likewise: the key of "forge:PROJECT" or
 * "tracker:PROJECT", or "KIND TO SECRET" of "notify:NAME".
 */
void	 project_secret(const char *name, const char *value);

/*
 * Everything is given: begin with each.  -1 when the forge or the tracker of
 * one cannot be asked; the others work.
 */
int	 project_start(void);

/* The project of that name; NULL when nothing of it is remote. */
struct project *project_find(const char *name);

/* Keep it while a request is under way; returns it. */
struct project *project_ref(struct project *);

/* Give it back; the last one frees it. */
void	 project_unref(struct project *);

/*
 * Raise or clear the alert remote_refused of the project's "tracker" or
 * "forge": something that waiting does not cure.
 */
void	 project_notice(const struct project *, const char *what, int on,
	    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* The messenger of "notify:NAME"; NULL when there is none. */
struct messenger *messenger_find(const char *dest);

/* Forget all. */
void	 project_stop(void);

/* tracker.c: a project at Plane (F-2) */

/*
 * Start its poll; the tracker belongs to the project.  -1 when there is no
 * memory, or no usable address or key.
 */
int	 tracker_start(struct project *);

/* Stop it and free it; requests under way keep the project only. */
void	 tracker_stop(struct project *);

/* Everything is to be told again, and soon. */
void	 tracker_engine_up(struct project *);

/* Look at one item now; NULL: at all.  Without a tracker nothing is done. */
void	 tracker_look(struct project *, const char *item);

/*
 * Carry a row of the outbox to the tracker; the end comes as outbox_settle().
 * kind is "status", "comment", or "item": a new one, of the text's first line
 * and the rest.
 */
void	 tracker_deliver(struct project *, uint64_t row, const char *kind,
	    const char *item, const char *key, const char *text);

/* forge.c: a project at Gitea or Forgejo (F-4) */

/*
 * Make its forge, which belongs to the project and is asked when the engine is
 * there.  -1 when there is no memory, or no usable address or key.
 */
int	 forge_start(struct project *);

/* Stop it and free it; requests under way keep the project only. */
void	 forge_stop(struct project *);

/* Everything is to be told again: a round begins now, or after this one. */
void	 forge_engine_up(struct project *);

/* Look at all that is watched, soon.  Without a forge nothing is done. */
void	 forge_look(struct project *);

/* A row of the answer with this id to watch_list; copied. */
void	 forge_watch(uint32_t id, const struct orch_watch *);

/* An ack in place of rows; 1 when it was one. */
int	 forge_ack(uint32_t id, const struct orch_ack *);

/* notify.c: messages to people */

/* Carry a row to a messenger; the end comes as outbox_settle(). */
void	 notify_deliver(struct messenger *, uint64_t row, const char *kind,
	    const char *task, const char *key, const char *text);

/* The limits of a kind of messenger, static; NULL: there is no such kind. */
const struct remote_kind *notify_kind(const char *kind);

/* A Telegram bot's address, before "/METHOD"; a secret.  -1: too long. */
int	 notify_address(const struct messenger *, char *buf, size_t len);

/* The address whose server it is, for remote_get(); as long as it. */
const char *notify_server(const struct messenger *);

/* doctor.c: what orchd needs elsewhere, tried (orchctl doctor remote) */

/*
 * Try every right at forges and trackers to read, and every messenger; the
 * rows go to the engine with that id.
 */
void	 doctor_remotes(uint32_t id, const struct orch_doctor_ask *);

/* outbox.c: carry messages to trackers and people */

/* Start asking every poll_interval_s.  -1 when there is no memory. */
int	 outbox_start(void);

/* Stop asking; what is not delivered stays with the engine. */
void	 outbox_stop(void);

/* The engine is there (again): an older list will not be ended any more. */
void	 outbox_engine_up(void);

/* One row of the answer with this id to outbox_next; copied. */
void	 outbox_row(uint32_t id, const struct orch_outbox_row *);

/* An ack; 1 when it answered a delivery or its record, else 0. */
int	 outbox_ack(uint32_t id, const struct orch_ack *);

/*
 * How the delivery of a row ended, with the reason unless it is ok; a row that
 * is not at hand is ignored.
 */
void	 outbox_settle(uint64_t row, int ok, const char *error);

/* The same where it was not taken and will not be, as far as anybody knows. */
void	 outbox_refuse(uint64_t row, enum orch_outbox_refused,
	    const char *error);

/* A row is delivered: it made this item, or had made it before. */
void	 outbox_made(uint64_t row, const char *item);

/*
 * The end of a row that was not tried, because its server is left alone: that
 * is no failure of it, and it is listed again.
 */
void	 outbox_later(uint64_t row);

/* wire.c: what the daemon does with its parent's and the engine's messages */

struct daemon_ops;
extern const struct daemon_ops reconciled_ops;

/* text.c: small things */

/*
 * A copy of at most max - 1 bytes that ends at a whole UTF-8 character.  The
 * caller frees it; NULL: no memory.
 */
char	*text_cut(const char *, size_t max);

/*
 * A copy that is UTF-8 and has no control characters but tab and line end;
 * what else there was is a question mark.  The caller frees it; NULL: no
 * memory.
 */
char	*text_clean(const char *);

/* Cut UTF-8 in place so that it is at most so many UTF-16 units long. */
void	 text_cut_utf16(char *, size_t units);

#endif
