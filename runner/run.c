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

#include <sys/wait.h>

#include <bsd/string.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "libcommon/log.h"
#include "libcommon/redact.h"
#include "runner.h"

static const struct kind *const kinds[] = {
	&kind_agent, &kind_gate, &kind_import, &kind_clean, &kind_hook,
	&kind_exec
};

const struct kind *
run_kind(unsigned int kind)
{
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i]->k_kind == (enum orch_kind)kind)
			return (kinds[i]);
	return (NULL);
}

void
run_result(struct run *r, enum gate_verdict verdict, enum orch_cause cause,
    const char *fmt, ...)
{
	va_list ap;
	size_t len;

	r->r_res.rs_verdict = verdict;
	r->r_res.rs_cause = cause;
	va_start(ap, fmt);
	(void)vsnprintf(r->r_res.rs_reason, sizeof(r->r_res.rs_reason), fmt,
	    ap);
	va_end(ap);
	len = redact_cut(r->r_res.rs_reason, strlen(r->r_res.rs_reason));
	r->r_res.rs_reason[len] = '\0';
}

void
run_text(struct run *r, const char *text, size_t len)
{
	char *p;

	if (len > RUN_TEXT_MAX) {
		text += len - RUN_TEXT_MAX;
		len = RUN_TEXT_MAX;
	}
	if ((p = malloc(len + 1)) == NULL) {
		log_warn("the run's text");
		return;
	}
	memcpy(p, text, len);
	p[len] = '\0';
	free(r->r_res.rs_text);
	r->r_res.rs_text = p;
	r->r_res.rs_textlen = redact(p, len);
}

void
run_item(struct run *r, const char *word)
{
	struct result *rs = &r->r_res;

	if (rs->rs_nitems < RUN_ITEMS_MAX &&
	    (rs->rs_items[rs->rs_nitems] = strndup(word, 200)) != NULL)
		rs->rs_nitems++;
}

const char *
run_option(const struct run *r, const char *name)
{
	const char *s = NULL;
	size_t len = strlen(name);

	while ((s = orch_strs_next(&r->r_go.options, s)) != NULL)
		if (strncmp(s, name, len) == 0 && s[len] == '=')
			return (s + len + 1);
	return (NULL);
}

void
run_session_known(struct run *r, const char *id)
{
	static struct orch_run_session said;

	if (strlcpy(r->r_res.rs_session, id, sizeof(r->r_res.rs_session)) >=
	    sizeof(r->r_res.rs_session)) {
		r->r_res.rs_session[0] = '\0';
		return;
	}
	said.run = r->r_spec->run;
	said.session = r->r_res.rs_session;
	session_tell(r->r_session, ORCH_run_session, &said);
}

static void
stamped_cb(void *arg)
{
	struct run *r = arg;

	r->r_stamped(r);
}

void
run_stamp(struct run *r, const struct proctree_result *pr,
    void (*next)(struct run *))
{
	r->r_exit.run = r->r_spec->run;
	r->r_exit.code = pr->exit_code;
	r->r_exit.sig = pr->sig;
	r->r_exit.timed_out = pr->timed_out != 0;
	r->r_exit.duration_ms = pr->duration_ms;
	r->r_res.rs_duration_ms = pr->duration_ms;
	r->r_stamped = next;
	session_request(r->r_session, ORCH_run_exit, &r->r_exit, -1,
	    stamped_cb);
}

static void
done_cb(void *arg)
{
	struct run *r = arg;

	r->r_status = 0;
	event_base_loopbreak(r->r_base);
}

static void
run_log_end(const struct run *r)
{
	const struct result *rs = &r->r_res;

	if (rs->rs_reason[0] != '\0')
		log_info("%s ends: %s: %s", r->r_kind->k_name,
		    gate_verdict_name(rs->rs_verdict), rs->rs_reason);
	else
		log_info("%s ends: %s", r->r_kind->k_name,
		    gate_verdict_name(rs->rs_verdict));
}

void
run_finish(struct run *r)
{
	struct orch_run_done *d = &r->r_done;
	struct result *rs = &r->r_res;

	if (r->r_finished)
		return;
	r->r_finished = 1;
	run_log_end(r);
	d->run = r->r_spec->run;
	d->verdict = (uint8_t)rs->rs_verdict;
	d->cause = (uint8_t)rs->rs_cause;
	d->reason = rs->rs_reason;
	d->commit = rs->rs_commit;
	d->tree = rs->rs_tree;
	d->image_commit = rs->rs_image_commit;
	d->image_tree = rs->rs_image_tree;
	d->duration_ms = rs->rs_duration_ms;
	d->tokens_in = rs->rs_tokens_in;
	d->tokens_out = rs->rs_tokens_out;
	d->cost_micros = rs->rs_cost_micros;
	d->session = rs->rs_session;
	d->text.b_data = (const uint8_t *)rs->rs_text;
	d->text.b_len = rs->rs_textlen;
	d->items.l_argv = (const char *const *)rs->rs_items;
	d->artifacts.l_argv = rs->rs_artifacts.ga_list;
	session_request(r->r_session, ORCH_run_done, d, rs->rs_fd, done_cb);
}

static void
run_stop(struct run *r, const char *reason)
{
	if (r->r_stopping || r->r_finished)
		return;
	r->r_stopping = 1;
	(void)strlcpy(r->r_why, reason, sizeof(r->r_why));
	log_info("asked to end: %s", reason);
	if (!r->r_going) {
		run_result(r, GATE_ERROR, CAUSE_STOPPED,
		    "stopped before it began: %s", reason);
		run_finish(r);
	} else if (r->r_kind->k_stop != NULL)
		r->r_kind->k_stop(r);
}

/* What GO says lives in a frame of its own from now on. */
static int
run_keep_go(struct run *r, const struct orch_run_go *go)
{
	const char *field;
	size_t len;

	if (orch_encode(ORCH_run_go, 1, go, &r->r_go_frame, &len,
	    &field) == -1 ||
	    orch_decode(ORCH_run_go, r->r_go_frame + ORCH_HEADER_SIZE,
	    len - ORCH_HEADER_SIZE, ORCH_EXACT, &r->r_go, &field) == -1)
		return (-1);
	return (0);
}

static void
on_go(void *arg, const struct orch_run_go *go, int *fd)
{
	struct run *r = arg;

	if (r->r_finished)
		return;
	r->r_going = 1;
	if (run_keep_go(r, go) == -1) {
		run_result(r, GATE_ERROR, CAUSE_INFRA, "go: %s",
		    strerror(errno));
		run_finish(r);
		return;
	}
	r->r_go_fd = *fd;
	*fd = -1;
	log_info("%s of %s begins%s%s", r->r_kind->k_name,
	    GIVEN(r->r_go.task) ? r->r_go.task : "orchd",
	    GIVEN(r->r_go.gate) ? ": " : "", r->r_go.gate);
	r->r_kind->k_start(r);
}

static void
on_stop(void *arg, const char *reason)
{
	run_stop(arg, reason);
}

/*
 * This run is not known any more: end the agent and ourselves.  A deploy hook
 * that has begun goes on to its end, since its effect cannot be taken back.
 */
static void
on_refused(void *arg, const char *reason)
{
	struct run *r = arg;

	log_warnx("the engine refuses this run: %s", reason);
	if (r->r_hold)
		return;		/* it will refuse again after the effect */
	event_base_loopbreak(r->r_base);
}

static void
signal_cb(evutil_socket_t sig, short what, void *arg)
{
	char why[64];

	(void)snprintf(why, sizeof(why), "signal %s", sigabbrev_np((int)sig));
	run_stop(arg, why);
}

static const struct session_ops ops = { on_go, on_stop, on_refused };

static void
run_free(struct run *r)
{
	size_t i;

	for (i = 0; i < r->r_res.rs_nitems; i++)
		free(r->r_res.rs_items[i]);
	free(r->r_res.rs_text);
	if (r->r_res.rs_fd != -1)
		close(r->r_res.rs_fd);
	if (r->r_go_fd != -1)
		close(r->r_go_fd);
	free(r->r_go_frame);
}

static int
run_loop(struct run *r)
{
	struct event *term, *intr;

	term = evsignal_new(r->r_base, SIGTERM, signal_cb, r);
	intr = evsignal_new(r->r_base, SIGINT, signal_cb, r);
	if (term == NULL || intr == NULL || evsignal_add(term, NULL) == -1 ||
	    evsignal_add(intr, NULL) == -1 || (r->r_session =
	    session_new(r->r_base, r->r_spec, &ops, r)) == NULL) {
		log_warn("start");
		return (1);
	}
	if (event_base_dispatch(r->r_base) == -1)
		log_warn("event loop");
	session_free(r->r_session);
	event_free(term);
	event_free(intr);
	return (r->r_status);
}

int
run_serve(const struct orch_run_spec *spec, int log)
{
	struct run r;
	int status;

	memset(&r, 0, sizeof(r));
	r.r_spec = spec;
	r.r_log = log;
	r.r_go_fd = r.r_res.rs_fd = -1;
	r.r_status = 1;
	if ((r.r_kind = run_kind(spec->kind)) == NULL) {
		log_warnx("run_spec: kind %s is not a runner's",
		    orch_kind_name(spec->kind));
		return (1);
	}
	env_redact(spec);
	if ((r.r_base = event_base_new()) == NULL) {
		log_warnx("event_base_new failed");
		return (1);
	}
	status = run_loop(&r);
	ws_checkout_end();
	deliver_end();
	if (r.r_kind->k_end != NULL)
		r.r_kind->k_end(&r);
	if (r.r_kind->k_workspace)
		ws_remove(&r);
	event_base_free(r.r_base);
	run_free(&r);
	return (status);
}
