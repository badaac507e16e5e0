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
#include <stdlib.h>
#include <string.h>

#include <bsd/stdlib.h>
#include <bsd/string.h>

#include <event2/event.h>

#include "libcommon/carry.h"
#include "libcommon/daemon.h"
#include "libcommon/http.h"
#include "libcommon/log.h"
#include "libcommon/monotime.h"

#include "reconciled.h"

#define FAILURES	5	/* in a row, then its server is left alone */
#define PAUSE_MS	5000
#define PAUSE_MAX_MS	30000	/* people wait for their decisions */
#define TRIES_429	3U
#define ANSWER_MAX	(32U << 20)	/* a page of items with long texts */
#define RESERVE		3	/* of the rate, which a poll leaves */

struct remote_times remote_times = { PAUSE_MS, PAUSE_MAX_MS, HTTP_TIMEOUT_MS };

struct host {
	LIST_ENTRY(host) ho_entry;
	char		*ho_name;	/* scheme://host:port */
	unsigned int	 ho_refs;
	unsigned int	 ho_failed;	/* in a row */
	int		 ho_open;	/* the circuit: nothing goes through */
	int		 ho_probing;
	int		 ho_worked;	/* once, since the start */
	int64_t		 ho_pause_ms;
	struct monotime	 ho_until;	/* of the circuit */
	struct monotime	 ho_not_before;	/* a 503 said so, to all keys */
};

struct ask {
	TAILQ_ENTRY(ask) as_entry;
	struct remote	*as_remote;
	remote_cb	 as_cb;
	void		*as_arg;
	unsigned int	 as_tries;
	int		 as_probe;
	enum remote_prio as_prio;
	char		*as_method;
	char		*as_url;
	char		*as_body;
	char		*as_headers[REMOTE_HEADERS];
};
TAILQ_HEAD(asks, ask);

struct remote {
	LIST_ENTRY(remote) rm_entry;
	struct host	*rm_host;
	char		*rm_auth;
	const struct remote_kind *rm_kind;
	unsigned int	 rm_refs;	/* owners, and requests */
	struct asks	 rm_queue;	/* the most urgent first */
	struct asks	 rm_out;
	unsigned int	 rm_nout;
	double		 rm_tokens;
	struct monotime	 rm_filled;
	struct monotime	 rm_not_before;	/* a 429 said so */
	struct event	*rm_ev;
};

static LIST_HEAD(, host)	 hosts = LIST_HEAD_INITIALIZER(hosts);
static LIST_HEAD(, remote)	 remotes = LIST_HEAD_INITIALIZER(remotes);
static struct http_loop		*loop;

static void	 pump(struct remote *);

int
remote_start(void)
{
	loop = http_loop_new(daemon_base());
	return (loop == NULL ? -1 : 0);
}

/* --- hosts ---------------------------------------------------------------- */

/* scheme://host:port of an address; NULL: no such address, or no memory. */
static char *
origin(const char *url)
{
	const char *p = strstr(url, "://");

	if (p == NULL || (strncmp(url, "http://", 7) != 0 &&
	    strncmp(url, "https://", 8) != 0))
		return (NULL);
	p += 3;
	return (strndup(url, (size_t)(p - url) + strcspn(p, "/?#")));
}

static struct host *
host_get(const char *url)
{
	struct host *ho;
	char *name;

	if ((name = origin(url)) == NULL)
		return (NULL);
	LIST_FOREACH(ho, &hosts, ho_entry)
		if (strcmp(ho->ho_name, name) == 0) {
			free(name);
			ho->ho_refs++;
			return (ho);
		}
	if ((ho = calloc(1, sizeof(*ho))) == NULL) {
		free(name);
		return (NULL);
	}
	ho->ho_name = name;
	ho->ho_refs = 1;
	LIST_INSERT_HEAD(&hosts, ho, ho_entry);
	return (ho);
}

static void
host_put(struct host *ho)
{
	if (--ho->ho_refs > 0)
		return;
	/* Nobody asks it any more, so nobody would see it come back. */
	if (ho->ho_open)
		tell_notice("remote_down", ho->ho_name, 0, "%s is not asked "
		    "any more", ho->ho_name);
	LIST_REMOVE(ho, ho_entry);
	free(ho->ho_name);
	free(ho);
}

static void
host_works(struct host *ho)
{
	if (ho->ho_open)
		log_info("%s answers again", ho->ho_name);
	/* An alert may be left of a process before this one. */
	if (ho->ho_open || !ho->ho_worked)
		tell_notice("remote_down", ho->ho_name, 0, "%s answers",
		    ho->ho_name);
	ho->ho_worked = 1;
	ho->ho_open = 0;
	ho->ho_failed = 0;
	ho->ho_pause_ms = 0;
}

/* After failures in a row: a pause, twice as long each time. */
static void
host_failed(struct host *ho, int probe, const char *why, int64_t wait_s)
{
	ho->ho_failed++;
	if (ho->ho_open ? !probe : ho->ho_failed < FAILURES)
		return;
	ho->ho_pause_ms = carry_pause_ms(ho->ho_pause_ms,
	    remote_times.rt_pause_ms, remote_times.rt_pause_max_ms, wait_s);
	ho->ho_until = monotime_add_ms(monotime_now(),
	    carry_spread_ms(ho->ho_pause_ms));
	if (!ho->ho_open) {
		log_warnx("%s: %s; it is left alone for %lld s", ho->ho_name,
		    why, (long long)(ho->ho_pause_ms / 1000));
		tell_notice("remote_down", ho->ho_name, 1, "%s failed %u "
		    "times in a row: %s; messages to it wait, other projects "
		    "go on; it is tried again by itself", ho->ho_name,
		    ho->ho_failed, why);
	}
	ho->ho_open = 1;
}

/* --- remotes -------------------------------------------------------------- */

static void
pump_cb(evutil_socket_t fd, short what, void *arg)
{
	pump(arg);
}

static void
pump_in(struct remote *rm, int64_t ms)
{
	struct timeval tv;

	if (ms < 0)
		ms = 0;
	tv.tv_sec = (time_t)(ms / 1000);
	tv.tv_usec = (suseconds_t)(ms % 1000 * 1000);
	if (event_add(rm->rm_ev, &tv) == -1)
		fatalx("event loop");
}

struct remote *
remote_get(const char *url, const char *auth, const struct remote_kind *rk)
{
	struct remote *rm;
	struct host *ho;

	if ((ho = host_get(url)) == NULL)
		return (NULL);
	LIST_FOREACH(rm, &remotes, rm_entry)
		if (rm->rm_host == ho && rm->rm_kind == rk &&
		    strcmp(rm->rm_auth, auth) == 0) {
			host_put(ho);
			rm->rm_refs++;
			return (rm);
		}
	if ((rm = calloc(1, sizeof(*rm))) == NULL)
		goto bad;
	if ((rm->rm_auth = strdup(auth)) == NULL || (rm->rm_ev = evtimer_new(
	    daemon_base(), pump_cb, rm)) == NULL)
		goto bad;
	rm->rm_host = ho;
	rm->rm_kind = rk;
	rm->rm_refs = 1;
	rm->rm_tokens = rk->rk_burst;
	rm->rm_filled = monotime_now();
	TAILQ_INIT(&rm->rm_queue);
	TAILQ_INIT(&rm->rm_out);
	LIST_INSERT_HEAD(&remotes, rm, rm_entry);
	return (rm);
bad:
	if (rm != NULL)
		free(rm->rm_auth);
	free(rm);
	host_put(ho);
	return (NULL);
}

void
remote_put(struct remote *rm)
{
	if (rm == NULL || --rm->rm_refs > 0)
		return;
	LIST_REMOVE(rm, rm_entry);
	event_free(rm->rm_ev);
	host_put(rm->rm_host);
	freezero(rm->rm_auth, strlen(rm->rm_auth));
	free(rm);
}

/* --- requests ------------------------------------------------------------- */

static void
ask_free(struct ask *as)
{
	size_t i;

	for (i = 0; i < REMOTE_HEADERS; i++)
		free(as->as_headers[i]);
	free(as->as_method);
	/* An address may hold a token. */
	if (as->as_url != NULL)
		freezero(as->as_url, strlen(as->as_url));
	free(as->as_body);
	free(as);
}

static int
copied(char **to, const char *from)
{
	return (from == NULL || (*to = strdup(from)) != NULL);
}

static struct ask *
ask_copy(const struct remote_ask *want)
{
	struct ask *as;
	size_t i;
	int ok;

	if ((as = calloc(1, sizeof(*as))) == NULL)
		return (NULL);
	as->as_prio = want->ask_prio;
	ok = copied(&as->as_method, want->ask_method) &&
	    copied(&as->as_url, want->ask_url) &&
	    copied(&as->as_body, want->ask_body);
	for (i = 0; ok && i < REMOTE_HEADERS; i++)
		ok = copied(&as->as_headers[i], want->ask_headers[i]);
	if (!ok) {
		ask_free(as);
		return (NULL);
	}
	return (as);
}

static void
enqueue(struct remote *rm, struct ask *as)
{
	struct ask *other;

	TAILQ_FOREACH(other, &rm->rm_queue, as_entry)
		if (other->as_prio > as->as_prio) {
			TAILQ_INSERT_BEFORE(other, as, as_entry);
			return;
		}
	TAILQ_INSERT_TAIL(&rm->rm_queue, as, as_entry);
}

int
remote_ask(struct remote *rm, const struct remote_ask *want, remote_cb cb,
    void *arg)
{
	struct ask *as;

	if (loop == NULL || (as = ask_copy(want)) == NULL) {
		log_warnx("%s: a request cannot be made", rm->rm_host->ho_name);
		return (-1);
	}
	as->as_remote = rm;
	as->as_cb = cb;
	as->as_arg = arg;
	rm->rm_refs++;
	enqueue(rm, as);
	pump_in(rm, 0);
	return (0);
}

/* It is neither queued nor out any more: tell how it ended. */
static void
ask_end(struct ask *as, enum remote_end end, const struct http_reply *hp,
    const char *why)
{
	struct remote_answer ra = { .ra_end = end,
	    .ra_asked = as->as_tries > 0, .ra_body = "",
	    .ra_total = -1, .ra_why = why };
	struct remote *rm = as->as_remote;

	if (hp != NULL) {
		ra.ra_status = hp->hp_status;
		ra.ra_len = hp->hp_len;
		ra.ra_total = hp->hp_total;
		if (hp->hp_body != NULL)
			ra.ra_body = hp->hp_body;
	}
	as->as_cb(&ra, as->as_arg);
	ask_free(as);
	remote_put(rm);
}

/* What the answer says of the rate. */
static void
rate_note(struct remote *rm, const struct http_reply *hp)
{
	const unsigned int burst = rm->rm_kind->rk_burst;

	if (hp->hp_remaining < 0)
		return;
	/* Others use the key too, or the server allows far more than ours. */
	if (rm->rm_tokens > (double)hp->hp_remaining)
		rm->rm_tokens = (double)hp->hp_remaining;
	else if (hp->hp_remaining > 2 * (int64_t)rm->rm_kind->rk_per_minute)
		rm->rm_tokens = burst;
}

static void
later_of(struct monotime *when, int64_t wait_s)
{
	struct monotime until = monotime_add_ms(monotime_now(),
	    wait_s * 1000);

	if (monotime_cmp(until, *when) > 0)
		*when = until;
}

/* 429: nothing more with this key for a while.  1: tried again then. */
static int
too_many(struct remote *rm, struct ask *as, int64_t wait_s)
{
	/* One answer of several that were out counts. */
	if (monotime_cmp(rm->rm_not_before, monotime_now()) < 0)
		host_failed(rm->rm_host, as->as_probe, "too many requests",
		    wait_s);
	later_of(&rm->rm_not_before, wait_s);
	if (as->as_tries >= TRIES_429 || rm->rm_host->ho_open)
		return (0);
	TAILQ_INSERT_HEAD(&rm->rm_queue, as, as_entry);
	return (1);
}

/* Seconds that the server wants to be left alone, by head or body; or 0. */
static int64_t
wait_of(const struct remote *rm, const struct http_reply *hp)
{
	return (http_wait_s(hp, rm->rm_kind->rk_wait == NULL ||
	    hp->hp_body == NULL ? -1 : rm->rm_kind->rk_wait(hp->hp_body,
	    hp->hp_len)));
}

/* It cannot answer; what acted all the same is found at the next try. */
static void
unable(struct remote *rm, struct ask *as, const struct http_reply *hp,
    const char *why, int64_t wait_s)
{
	host_failed(rm->rm_host, as->as_probe, why, wait_s);
	/* Others may be let through by another key. */
	later_of(hp->hp_status == 403 ? &rm->rm_not_before :
	    &rm->rm_host->ho_not_before, wait_s);
	ask_end(as, REMOTE_DOWN, hp, why);
}

static void
answered(struct ask *as, const struct http_reply *hp)
{
	struct remote *rm = as->as_remote;
	const int64_t wait_s = wait_of(rm, hp);
	char why[256];

	if (hp->hp_end != HTTP_ANSWERED) {
		(void)snprintf(why, sizeof(why), "%s", hp->hp_err);
		/* It works, and would say the same again. */
		if (hp->hp_toobig) {
			host_works(rm->rm_host);
			ask_end(as, REMOTE_REFUSED, hp, why);
			return;
		}
		host_failed(rm->rm_host, as->as_probe, why, 0);
		ask_end(as, REMOTE_DOWN, NULL, why);
		return;
	}
	(void)snprintf(why, sizeof(why), "HTTP %ld", hp->hp_status);
	if (rm->rm_kind->rk_said != NULL)
		rm->rm_kind->rk_said(hp->hp_status, hp->hp_body, hp->hp_len,
		    why, sizeof(why));
	if (hp->hp_status == 429) {
		if (!too_many(rm, as, wait_s))
			ask_end(as, REMOTE_DOWN, hp, why);
	} else if (hp->hp_status >= 500 || wait_s > 0)
		unable(rm, as, hp, why, wait_s);
	else {
		host_works(rm->rm_host);
		rate_note(rm, hp);
		ask_end(as, hp->hp_status >= 200 && hp->hp_status < 300 ?
		    REMOTE_OK : REMOTE_REFUSED, hp, why);
	}
}

static void
reply_cb(const struct http_reply *hp, void *arg)
{
	struct ask *as = arg;
	struct remote *rm = as->as_remote, *other;
	struct host *ho = rm->rm_host;

	rm->rm_refs++;
	TAILQ_REMOVE(&rm->rm_out, as, as_entry);
	rm->rm_nout--;
	if (as->as_probe)
		ho->ho_probing = 0;
	answered(as, hp);
	LIST_FOREACH(other, &remotes, rm_entry)
		if (other->rm_host == ho && !TAILQ_EMPTY(&other->rm_queue))
			pump_in(other, 0);
	remote_put(rm);
}

static void
send_out(struct remote *rm, struct ask *as)
{
	const char *headers[REMOTE_HEADERS + 3];
	struct http_request hr = { .hr_method = as->as_method,
	    .hr_url = as->as_url, .hr_headers = headers,
	    .hr_body = as->as_body,
	    .hr_len = as->as_body == NULL ? 0 : strlen(as->as_body),
	    .hr_timeout_ms = remote_times.rt_timeout_ms,
	    .hr_max = ANSWER_MAX };
	size_t i, n = 0;

	if (rm->rm_auth[0] != '\0')
		headers[n++] = rm->rm_auth;
	if (as->as_body != NULL)
		headers[n++] = "Content-Type: application/json";
	for (i = 0; i < REMOTE_HEADERS && as->as_headers[i] != NULL; i++)
		headers[n++] = as->as_headers[i];
	headers[n] = NULL;
	TAILQ_REMOVE(&rm->rm_queue, as, as_entry);
	as->as_tries++;
	if (http_loop_send(loop, &hr, reply_cb, as) == -1) {
		ask_end(as, REMOTE_REFUSED, NULL, "the request cannot be made");
		return;
	}
	as->as_probe = rm->rm_host->ho_open;
	rm->rm_host->ho_probing |= as->as_probe;
	TAILQ_INSERT_TAIL(&rm->rm_out, as, as_entry);
	rm->rm_nout++;
}

static void
tokens_fill(struct remote *rm)
{
	struct monotime now = monotime_now();
	int64_t ms = monotime_sub_ms(now, rm->rm_filled);

	if (ms <= 0)
		return;
	rm->rm_tokens += (double)ms * rm->rm_kind->rk_per_minute / 60000.0;
	if (rm->rm_tokens > rm->rm_kind->rk_burst)
		rm->rm_tokens = rm->rm_kind->rk_burst;
	rm->rm_filled = now;
}

/* May the first of the queue go?  0; else the milliseconds until; -1 never. */
static int64_t
must_wait(struct remote *rm, const struct ask *as)
{
	struct host *ho = rm->rm_host;
	struct monotime now = monotime_now();
	double need = as->as_prio == REMOTE_LATER ? 1 + RESERVE : 1;

	if (ho->ho_open && monotime_cmp(now, ho->ho_until) < 0)
		return (-1);
	if (monotime_cmp(now, rm->rm_not_before) < 0)
		return (monotime_sub_ms(rm->rm_not_before, now) + 1);
	if (monotime_cmp(now, ho->ho_not_before) < 0)
		return (monotime_sub_ms(ho->ho_not_before, now) + 1);
	tokens_fill(rm);
	if (need > rm->rm_kind->rk_burst)
		need = rm->rm_kind->rk_burst;
	if (rm->rm_tokens >= need)
		return (0);
	return ((int64_t)((need - rm->rm_tokens) * 60000.0 /
	    rm->rm_kind->rk_per_minute) + 1);
}

/* The server is left alone: what waits for it ends now. */
static void
refuse_all(struct remote *rm)
{
	char why[200];
	struct ask *as;
	unsigned int n = 0;

	(void)snprintf(why, sizeof(why), "%s does not work; it is tried "
	    "again later", rm->rm_host->ho_name);
	/* What the callbacks ask for anew waits for the next turn. */
	TAILQ_FOREACH(as, &rm->rm_queue, as_entry)
		n++;
	for (; n > 0 && (as = TAILQ_FIRST(&rm->rm_queue)) != NULL; n--) {
		TAILQ_REMOVE(&rm->rm_queue, as, as_entry);
		ask_end(as, REMOTE_DOWN, NULL, why);
	}
}

static void
pump(struct remote *rm)
{
	struct ask *as;
	int64_t ms;

	rm->rm_refs++;
	while ((as = TAILQ_FIRST(&rm->rm_queue)) != NULL &&
	    rm->rm_nout < rm->rm_kind->rk_most && !rm->rm_host->ho_probing) {
		if ((ms = must_wait(rm, as)) == -1) {
			refuse_all(rm);
			break;
		}
		if (ms > 0) {
			pump_in(rm, ms);
			break;
		}
		rm->rm_tokens -= 1;
		send_out(rm, as);
	}
	remote_put(rm);
}

static void
end_queue(struct asks *q)
{
	struct ask *as;

	while ((as = TAILQ_FIRST(q)) != NULL) {
		TAILQ_REMOVE(q, as, as_entry);
		ask_end(as, REMOTE_DOWN, NULL, "ending");
	}
}

int64_t
poll_jitter(int64_t ms)
{
	return (ms + (int64_t)arc4random_uniform((uint32_t)(ms / 10 + 1)));
}

void
remote_stop(void)
{
	struct remote *rm, *next;

	http_loop_free(loop);
	loop = NULL;
	for (rm = LIST_FIRST(&remotes); rm != NULL; rm = next) {
		rm->rm_refs++;
		end_queue(&rm->rm_out);
		end_queue(&rm->rm_queue);
		next = LIST_NEXT(rm, rm_entry);
		remote_put(rm);
	}
}
