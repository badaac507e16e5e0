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
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bsd/stdlib.h>
#include <bsd/string.h>

#include <curl/curl.h>

#include "libcommon/chan.h"
#include "libcommon/log.h"
#include "libcommon/redact.h"
#include "libcommon/seccomp.h"

#include "finalizerd.h"

#define PARENT_FD	3
#define SPEC_WAIT_MS	10000
#define SWEEP_AGE_S	120	/* more than any git command of ours lives */

/* The works that run_go may name. */
static const struct work {
	const char	*wk_name;
	enum step	(*wk_run)(struct worker *);
	int		 wk_lease;	/* acts under the transition lease */
} works[] = {
	{ "publish", publish_run, 1 },
	{ "edge", edge_run, 1 },
	{ "deploy", deploy_run, 1 },
	{ "finish", finish_run, 1 },
	{ "close", close_run, 1 },
	{ "rollback", rollback_run, 1 },
	{ "record", record_run, 1 },
	{ "monitor", monitor_run, 0 },
	{ "fetch", fetch_run, 0 },
};

void
worker_pause(unsigned int ms)
{
	struct timespec ts = { ms / 1000, (long)(ms % 1000) * 1000000 };

	(void)nanosleep(&ts, NULL);
}

static void __attribute__((format(printf, 5, 0)))
worker_outcome(struct worker *w, enum gate_verdict verdict,
    enum orch_cause cause, const char *gate, const char *fmt, va_list ap)
{
	struct outcome *o = &w->w_out;

	o->o_verdict = verdict;
	o->o_cause = cause;
	(void)strlcpy(o->o_gate, gate, sizeof(o->o_gate));
	/* A long reason loses its end, never the message. */
	(void)vsnprintf(o->o_reason, sizeof(o->o_reason), fmt, ap);
}

enum step
worker_end(struct worker *w, enum gate_verdict verdict,
    enum orch_cause cause, const char *gate, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	worker_outcome(w, verdict, cause, gate, fmt, ap);
	va_end(ap);
	return (STEP_END);
}

enum step
worker_lost(struct worker *w, enum orch_cause cause, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	worker_outcome(w, GATE_ERROR, cause, "", fmt, ap);
	va_end(ap);
	return (STEP_LOST);
}

const char *
worker_option(const struct worker *w, const char *name, const char *dflt)
{
	const char *s;
	size_t len = strlen(name);

	for (s = orch_strs_next(&w->w_go->options, NULL); s != NULL;
	    s = orch_strs_next(&w->w_go->options, s))
		if (strncmp(s, name, len) == 0 && s[len] == '=')
			return (s + len + 1);
	return (dflt);
}

long long
worker_option_num(const struct worker *w, const char *name, long long min,
    long long max, long long dflt)
{
	const char *s, *err;
	long long n;

	if ((s = worker_option(w, name, NULL)) == NULL)
		return (dflt);
	n = strtonum(s, min, max, &err);
	if (err != NULL) {
		log_warnx("option %s=%s is %s: %lld is used", name, s, err,
		    dflt);
		return (dflt);
	}
	return (n);
}

static enum step
worker_work(struct worker *w, const struct work *wk)
{
	char err[256];
	enum step r;

	if (git_open(&w->w_repo, w->w_spec->mirror, err, sizeof(err)) !=
	    GIT_OK)
		r = worker_end(w, GATE_ERROR, CAUSE_INFRA, "", "%s", err);
	else {
		if (git_sweep(&w->w_repo, SWEEP_AGE_S, err, sizeof(err)) !=
		    GIT_OK)
			log_warnx("%s: sweep: %s", w->w_spec->mirror, err);
		r = wk->wk_run(w);
	}
	return (r);
}

/* BEGIN, the work, END; what is left over goes with RUN_DONE. */
static enum step
worker_leased(struct worker *w, const struct work *wk)
{
	enum step r;

	if ((r = wire_begin(w)) != STEP_NEXT)
		return (r);
	r = worker_work(w, wk);
	if (r != STEP_LEFT && r != STEP_LOST)
		wire_end(w);
	return (r);
}

int
worker_run(struct worker *w)
{
	const struct work *wk = NULL;
	size_t i;
	int rv;

	for (i = 0; i < sizeof(works) / sizeof(works[0]); i++)
		if (strcmp(works[i].wk_name, w->w_go->work) == 0)
			wk = &works[i];
	if (wk == NULL)
		(void)worker_lost(w, CAUSE_INFRA, "work \"%s\" is not known "
		    "to this finalizerd", w->w_go->work);
	else if (wk->wk_lease)
		(void)worker_leased(w, wk);
	else
		(void)worker_work(w, wk);
	log_info("task %s: %s: %s%s%s", w->w_go->task, w->w_go->work,
	    gate_verdict_name(w->w_out.o_verdict),
	    w->w_out.o_reason[0] != '\0' ? ": " : "", w->w_out.o_reason);
	rv = wire_done(w);
	free(w->w_out.o_text);
	w->w_out.o_text = NULL;
	return (rv);
}

/* The first message on descriptor 3; *frame holds its texts. */
static int
worker_spec(union orch_any *spec, uint8_t **frame)
{
	struct orch_header h;
	int fd = -1;

	if (chan_read_one(PARENT_FD, FROM_PARENT, &h, spec, frame, &fd,
	    SPEC_WAIT_MS) == -1) {
		log_warn("no run_spec on descriptor 3 (finalizerd -w is "
		    "started by orchd)");
		return (-1);
	}
	if (h.h_type != ORCH_run_spec || spec->run_spec.key.b_len != 32) {
		log_warnx("message %u on descriptor 3 is no run_spec",
		    h.h_type);
		return (-1);
	}
	/* From here on the run's log is where records go. */
	if (fd != -1) {
		(void)dup2(fd, STDERR_FILENO);
		close(fd);
	}
	close(PARENT_FD);
	return (0);
}

static int
worker_go(struct worker *w)
{
	struct orch_run_go go;
	int fd;

	if (link_wait_go(w->w_link, &go, &fd) == -1) {
		log_warnx("no run_go: %s", link_reason(w->w_link));
		return (1);
	}
	if (fd != -1)
		close(fd);
	w->w_go = &go;
	return (worker_run(w) == -1 ? 1 : 0);
}

static void
worker_prepare(uint64_t run)
{
	struct sigaction sa;
	char name[32];

	(void)snprintf(name, sizeof(name), "finalizerd %" PRIu64, run);
	log_setprocname(name);
	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = SIG_IGN;
	(void)sigaction(SIGPIPE, &sa, NULL);
	(void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* -1: this finalizerd does not know it. */
static int
worker_forge(struct worker *w)
{
	const char *name = w->w_spec->forge;

	if (name[0] == '\0' || strcmp(name, forge_local.f_name) == 0)
		w->w_forge = &forge_local;
	else if (strcmp(name, forge_gitea.f_name) == 0)
		w->w_forge = &forge_gitea;
	else {
		log_warnx("forge %s is not known to this finalizerd", name);
		return (-1);
	}
	if (w->w_spec->token[0] != '\0')
		(void)log_redact_add(w->w_spec->token);
	return (0);
}

int
worker_main(void)
{
	struct worker w;
	union orch_any spec;
	uint8_t *frame = NULL;
	char err[256];
	int rv = 1;

	log_init("finalizerd -w", 0);
	if (worker_spec(&spec, &frame) == -1)
		return (1);
	memset(&w, 0, sizeof(w));
	w.w_spec = &spec.run_spec;
	worker_prepare(spec.run_spec.run);
	if (worker_forge(&w) == -1)
		goto done;
	if (sandbox_enter(ROLE_FINALIZERD, err, sizeof(err)) == -1) {
		log_warnx("%s", err);
		goto done;
	}
	w.w_link = link_new(spec.run_spec.socket, ROLE_WORKER,
	    spec.run_spec.run, spec.run_spec.key.b_data);
	if (w.w_link == NULL) {
		log_warn("%s", spec.run_spec.socket);
		goto done;
	}
	rv = worker_go(&w);
done:
	link_free(w.w_link);
	free(frame);
	curl_global_cleanup();
	return (rv);
}
