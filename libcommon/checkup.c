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
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <bsd/stdlib.h>
#include <bsd/string.h>

#include <curl/curl.h>

#include "answer.h"
#include "checkup.h"
#include "daemon.h"
#include "log.h"
#include "monotime.h"

#define SKEW_S		60	/* a clock may be wrong by so much */
#define ANSWER_MAX	(2U << 20)

/* The trials of one question of the engine. */
struct checkup_ask {
	TAILQ_ENTRY(checkup_ask) ca_entry;
	TAILQ_HEAD(checkup_trials, checkup) ca_trials; /* that have not ended */
	uint32_t		 ca_id;
	uint32_t		 ca_within_ms;
	struct monotime		 ca_until;
};

static TAILQ_HEAD(, checkup_ask) asks = TAILQ_HEAD_INITIALIZER(asks);
static struct http_loop *loop;

static void	 step_go(struct checkup *);

static void
row_send(const struct checkup_ask *ca, const struct orch_doctor_row *m)
{
	if (daemon_answer(ORCH_doctor_row, ca->ca_id, m) == -1 &&
	    errno != ENOTCONN)
		log_warn("doctor_row");
}

void
checkup_say(const struct checkup *ck, enum orch_finding found,
    const char *what, const char *fmt, ...)
{
	char text[1024];
	struct orch_doctor_row m = { .project = ck->ck_project,
	    .subject = ck->ck_subject, .what = what,
	    .verdict = (uint8_t)found, .text = text };
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	row_send(ck->ck_ask, &m);
}

enum checkup_next
checkup_odd(const struct checkup *ck, const char *what,
    const struct http_reply *hp, const char *hint)
{
	static const char *const names[] = { "message", "error", "detail",
	    "description", "error_message", NULL };
	char said[300];

	answer_said(hp->hp_status, hp->hp_body, hp->hp_len, names, said,
	    sizeof(said));
	checkup_say(ck, FOUND_FAIL, what, "%s; %s", said, hint);
	return (CHECKUP_END);
}

/* --- one trial ------------------------------------------------------------ */

static void
trial_free(struct checkup *ck)
{
	free(ck->ck_project);
	free(ck->ck_subject);
	/* The address of a messenger may hold its token. */
	if (ck->ck_url != NULL)
		freezero(ck->ck_url, strlen(ck->ck_url));
	if (ck->ck_token != NULL)
		freezero(ck->ck_token, strlen(ck->ck_token));
	free(ck->ck_place);
	free(ck->ck_part);
	free(ck->ck_method);
	free(ck->ck_renamed);
	free(ck);
}

static void
ask_free(struct checkup_ask *ca)
{
	struct checkup *ck;

	while ((ck = TAILQ_FIRST(&ca->ca_trials)) != NULL) {
		TAILQ_REMOVE(&ca->ca_trials, ck, ck_entry);
		trial_free(ck);
	}
	TAILQ_REMOVE(&asks, ca, ca_entry);
	free(ca);
}

static void
ask_end(struct checkup_ask *ca)
{
	struct orch_doctor_row m = { .last = 1, .project = "", .subject = "",
	    .what = "", .text = "" };

	row_send(ca, &m);
	ask_free(ca);
}

static void
trial_end(struct checkup *ck)
{
	struct checkup_ask *ca = ck->ck_ask;

	TAILQ_REMOVE(&ca->ca_trials, ck, ck_entry);
	trial_free(ck);
	if (TAILQ_EMPTY(&ca->ca_trials))
		ask_end(ca);
}

/* Tokens and signatures are judged by the time: say when a clock is wrong. */
static void
clock_judge(struct checkup *ck, const struct http_reply *hp)
{
	time_t there, now = time(NULL);
	long long off;

	if (ck->ck_dated || hp->hp_date[0] == '\0' ||
	    (there = curl_getdate(hp->hp_date, NULL)) == -1)
		return;
	ck->ck_dated = 1;
	off = (long long)there - (long long)now;
	if (off > SKEW_S || off < -SKEW_S)
		checkup_say(ck, FOUND_WARN, "clock", "its clock is %lld s %s "
		    "that of this host; set both by NTP: what people decide "
		    "is compared with the time of the question",
		    off > 0 ? off : -off, off > 0 ? "ahead of" : "behind");
}

/* scheme://host:port: of an address that may hold a token, for people. */
static const char *
origin(const char *url, char *buf, size_t len)
{
	const char *host = strstr(url, "://");
	size_t n;

	host = host == NULL ? url : host + 3;
	n = (size_t)(host - url) + strcspn(host, "/?#");
	(void)snprintf(buf, len, "%.*s", (int)n, url);
	return (buf);
}

static void
no_answer(struct checkup *ck, const struct http_reply *hp)
{
	char host[300];

	(void)origin(ck->ck_url, host, sizeof(host));
	if (strstr(hp->hp_err, "timed out") != NULL)
		checkup_say(ck, FOUND_FAIL, ck->ck_step->cs_what, "%s: no "
		    "answer within %u s; does it run, and does a firewall "
		    "let this host reach it?", host,
		    ck->ck_ask->ca_within_ms / 1000);
	else if (strstr(hp->hp_err, "certificate") != NULL)
		checkup_say(ck, FOUND_FAIL, ck->ck_step->cs_what, "%s: %s; "
		    "add the authority that signed its certificate to this "
		    "host's (update-ca-certificates(8))", host, hp->hp_err);
	else if (strstr(hp->hp_err, "SSL") != NULL ||
	    strstr(hp->hp_err, "TLS") != NULL)
		checkup_say(ck, FOUND_FAIL, ck->ck_step->cs_what, "%s: %s; "
		    "does it speak TLS there?", host, hp->hp_err);
	else
		checkup_say(ck, FOUND_FAIL, ck->ck_step->cs_what, "%s cannot "
		    "be reached: %s; see the address in orchd.conf", host,
		    hp->hp_err);
}

/* Answers that mean the same for every step.  1 when it was one. */
static int
judge_any(struct checkup *ck, const struct http_reply *hp)
{
	const char *what = ck->ck_step->cs_what;

	if (hp->hp_end != HTTP_ANSWERED) {
		no_answer(ck, hp);
		return (1);
	}
	if (hp->hp_status >= 300 && hp->hp_status < 400)
		(void)checkup_odd(ck, what, hp, "it leads to another address, "
		    "which orchd never follows with a token: write that one "
		    "into orchd.conf");
	else if (hp->hp_status == 429)
		(void)checkup_odd(ck, what, hp, "the token's limit is used "
		    "up: wait a minute and try again; who else uses it?");
	else if (hp->hp_status >= 500)
		(void)checkup_odd(ck, what, hp, "the server has a fault of "
		    "its own: see its log");
	else
		return (0);
	return (1);
}

static void
reply_cb(const struct http_reply *hp, void *arg)
{
	struct checkup *ck = arg;

	if (hp->hp_end == HTTP_ANSWERED)
		clock_judge(ck, hp);
	if (judge_any(ck, hp) || ck->ck_step->cs_judge(ck, hp) ==
	    CHECKUP_END) {
		trial_end(ck);
		return;
	}
	ck->ck_step++;
	step_go(ck);
}

static int
request_send(struct checkup *ck, const struct checkup_request *cr,
    uint32_t ms)
{
	const char *headers[3];
	struct http_request hr = { .hr_method = cr->cr_method,
	    .hr_url = cr->cr_url, .hr_headers = headers,
	    .hr_body = cr->cr_body, .hr_len = cr->cr_body == NULL ? 0 :
	    strlen(cr->cr_body), .hr_timeout_ms = ms, .hr_max = ANSWER_MAX,
	    .hr_connect = cr->cr_connect };
	size_t n = 0;

	/* What does not fit was left empty. */
	if (cr->cr_url[0] == '\0')
		return (-1);
	if (cr->cr_header[0] != '\0')
		headers[n++] = cr->cr_header;
	if (cr->cr_body != NULL)
		headers[n++] = "Content-Type: application/json";
	headers[n] = NULL;
	return (http_loop_send(loop, &hr, reply_cb, ck));
}

/* The first step that is not left out, or the end. */
static void
step_go(struct checkup *ck)
{
	struct checkup_request cr;
	enum checkup_next next = CHECKUP_SKIP;
	int64_t left;

	for (; ck->ck_step->cs_what != NULL; ck->ck_step++) {
		memset(&cr, 0, sizeof(cr));
		cr.cr_method = "GET";
		if ((next = ck->ck_step->cs_make(ck, &cr)) != CHECKUP_SKIP)
			break;
	}
	left = monotime_sub_ms(ck->ck_ask->ca_until, monotime_now());
	if (ck->ck_step->cs_what == NULL || next == CHECKUP_END)
		trial_end(ck);
	else if (request_send(ck, &cr, left > 1 ? (uint32_t)left : 1) == -1) {
		checkup_say(ck, FOUND_FAIL, ck->ck_step->cs_what, "no request "
		    "can be made of its address and token in orchd.conf");
		trial_end(ck);
	}
	explicit_bzero(&cr, sizeof(cr));
}

/* --- all of them ---------------------------------------------------------- */

struct checkup_ask *
checkup_begin(uint32_t id, uint32_t within_ms)
{
	struct checkup_ask *ca;

	if (loop == NULL && (loop = http_loop_new(daemon_base())) == NULL)
		return (NULL);
	if ((ca = calloc(1, sizeof(*ca))) == NULL)
		return (NULL);
	TAILQ_INIT(&ca->ca_trials);
	ca->ca_id = id;
	ca->ca_within_ms = within_ms;
	ca->ca_until = monotime_add_ms(monotime_now(), within_ms);
	TAILQ_INSERT_TAIL(&asks, ca, ca_entry);
	return (ca);
}

static char *
copy(const char *s)
{
	return (strdup(s == NULL ? "" : s));
}

int
checkup_add(struct checkup_ask *ca, const struct checkup_of *co,
    const struct checkup_step *steps)
{
	struct checkup *ck;

	if ((ck = calloc(1, sizeof(*ck))) == NULL)
		return (-1);
	ck->ck_ask = ca;
	ck->ck_step = steps;
	if ((ck->ck_project = copy(co->co_project)) == NULL ||
	    (ck->ck_subject = copy(co->co_subject)) == NULL ||
	    (ck->ck_url = copy(co->co_url)) == NULL ||
	    (ck->ck_token = copy(co->co_token)) == NULL ||
	    (ck->ck_place = copy(co->co_place)) == NULL ||
	    (ck->ck_part = copy(co->co_part)) == NULL ||
	    (ck->ck_method = copy(co->co_method)) == NULL ||
	    (ck->ck_renamed = copy(co->co_renamed)) == NULL) {
		trial_free(ck);
		return (-1);
	}
	TAILQ_INSERT_TAIL(&ca->ca_trials, ck, ck_entry);
	return (0);
}

void
checkup_go(struct checkup_ask *ca)
{
	struct checkup *ck, *next, *last;

	if (TAILQ_EMPTY(&ca->ca_trials)) {
		ask_end(ca);
		return;
	}
	/* The end of the last one frees the ask: look no further then. */
	last = TAILQ_LAST(&ca->ca_trials, checkup_trials);
	for (ck = TAILQ_FIRST(&ca->ca_trials); ck != NULL; ck = next) {
		next = ck == last ? NULL : TAILQ_NEXT(ck, ck_entry);
		step_go(ck);
	}
}

void
checkup_stop(void)
{
	struct checkup_ask *ca;

	http_loop_free(loop);
	loop = NULL;
	while ((ca = TAILQ_FIRST(&asks)) != NULL)
		ask_free(ca);
}
