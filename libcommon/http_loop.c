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

#include <stdlib.h>

#include <event2/event.h>

#include "log.h"
#include "http_int.h"

/* libcurl's multi interface on libevent: curl asks, the loop watches. */

#define ANSWERS_MAX	16	/* of one host at the same time */

struct http_loop {
	struct event_base	*hl_base;
	CURLM			*hl_multi;
	struct event		*hl_timer;
	struct http_call	*hl_calls;
	unsigned int		 hl_busy;
};

static void
unlink_call(struct http_loop *hl, struct http_call *hc)
{
	struct http_call **p;

	for (p = &hl->hl_calls; *p != NULL; p = &(*p)->hc_next)
		if (*p == hc) {
			*p = hc->hc_next;
			hl->hl_busy--;
			return;
		}
}

/* Tell of each request that has ended; a callback may begin new ones. */
static void
collect(struct http_loop *hl)
{
	struct http_call *hc;
	CURLMsg *m;
	CURLcode rc;
	int left;

	while ((m = curl_multi_info_read(hl->hl_multi, &left)) != NULL) {
		if (m->msg != CURLMSG_DONE || curl_easy_getinfo(
		    m->easy_handle, CURLINFO_PRIVATE, &hc) != CURLE_OK)
			continue;
		rc = m->data.result;
		(void)curl_multi_remove_handle(hl->hl_multi, hc->hc_curl);
		unlink_call(hl, hc);
		http_call_end(hc, rc);
		hc->hc_cb(&hc->hc_reply, hc->hc_arg);
		http_reply_free(&hc->hc_reply);
		http_call_free(hc);
	}
}

static void
act(struct http_loop *hl, curl_socket_t fd, int what)
{
	int running;

	(void)curl_multi_socket_action(hl->hl_multi, fd, what, &running);
	collect(hl);
}

static void
socket_cb(int fd, short what, void *arg)
{
	act(arg, fd, (what & EV_READ ? CURL_CSELECT_IN : 0) |
	    (what & EV_WRITE ? CURL_CSELECT_OUT : 0));
}

static void
timer_cb(int fd, short what, void *arg)
{
	act(arg, CURL_SOCKET_TIMEOUT, 0);
}

/* curl wants another socket watched, or none any more. */
static int
watch_cb(CURL *c, curl_socket_t fd, int what, void *arg, void *watched)
{
	struct http_loop *hl = arg;
	struct event *ev = watched;

	if (ev != NULL)
		event_free(ev);
	ev = NULL;
	if (what != CURL_POLL_REMOVE && ((ev = event_new(hl->hl_base, fd,
	    (short)((what & CURL_POLL_IN ? EV_READ : 0) |
	    (what & CURL_POLL_OUT ? EV_WRITE : 0) | EV_PERSIST), socket_cb,
	    hl)) == NULL || event_add(ev, NULL) == -1))
		fatalx("event loop");
	(void)curl_multi_assign(hl->hl_multi, fd, ev);
	return (0);
}

static int
timeout_cb(CURLM *m, long ms, void *arg)
{
	struct http_loop *hl = arg;
	struct timeval tv = { ms / 1000, (ms % 1000) * 1000 };

	if (ms < 0)
		(void)event_del(hl->hl_timer);
	else if (event_add(hl->hl_timer, &tv) == -1)
		return (-1);
	return (0);
}

struct http_loop *
http_loop_new(struct event_base *base)
{
	struct http_loop *hl;

	if ((hl = calloc(1, sizeof(*hl))) == NULL)
		return (NULL);
	hl->hl_base = base;
	if ((hl->hl_multi = curl_multi_init()) == NULL ||
	    (hl->hl_timer = evtimer_new(base, timer_cb, hl)) == NULL ||
	    curl_multi_setopt(hl->hl_multi, CURLMOPT_SOCKETFUNCTION,
	    watch_cb) != CURLM_OK ||
	    curl_multi_setopt(hl->hl_multi, CURLMOPT_SOCKETDATA, hl) !=
	    CURLM_OK ||
	    curl_multi_setopt(hl->hl_multi, CURLMOPT_TIMERFUNCTION,
	    timeout_cb) != CURLM_OK ||
	    curl_multi_setopt(hl->hl_multi, CURLMOPT_TIMERDATA, hl) !=
	    CURLM_OK ||
	    curl_multi_setopt(hl->hl_multi, CURLMOPT_MAX_HOST_CONNECTIONS,
	    (long)ANSWERS_MAX) != CURLM_OK) {
		http_loop_free(hl);
		return (NULL);
	}
	return (hl);
}

void
http_loop_free(struct http_loop *hl)
{
	struct http_call *hc;

	if (hl == NULL)
		return;
	while ((hc = hl->hl_calls) != NULL) {
		hl->hl_calls = hc->hc_next;
		(void)curl_multi_remove_handle(hl->hl_multi, hc->hc_curl);
		http_reply_free(&hc->hc_reply);
		http_call_free(hc);
	}
	if (hl->hl_multi != NULL)
		(void)curl_multi_cleanup(hl->hl_multi);
	if (hl->hl_timer != NULL)
		event_free(hl->hl_timer);
	free(hl);
}

int
http_loop_send(struct http_loop *hl, const struct http_request *hr,
    http_cb cb, void *arg)
{
	struct http_call *hc;

	if ((hc = http_call_new(hr)) == NULL)
		return (-1);
	hc->hc_cb = cb;
	hc->hc_arg = arg;
	if (curl_multi_add_handle(hl->hl_multi, hc->hc_curl) != CURLM_OK) {
		http_call_free(hc);
		return (-1);
	}
	hc->hc_next = hl->hl_calls;
	hl->hl_calls = hc;
	hl->hl_busy++;
	return (0);
}

unsigned int
http_loop_busy(const struct http_loop *hl)
{
	return (hl->hl_busy);
}
