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
#include <string.h>

#include <bsd/string.h>

#include "finalizerd/finalizerd.h"
#include "sim.h"

/*
 * The bodies of the processes that run something.  A transition worker is the
 * real one, from reading its description to RUN_DONE; runners are modelled,
 * over the workers' link to the engine.
 */

#define NHOOKS	64

struct hook {
	uint64_t	h_run;
	char		h_commit[OID];
	int		h_ended;
	int		h_code;
};
static struct hook hooks[NHOOKS];

/* Work for so long; 1 when it was asked to end. */
static int
work(struct link *l, int64_t ms)
{
	int64_t until = w.now + ms, left;

	while ((left = until - w.now) > 0) {
		if (link_stopped(l))
			return (1);
		nap(w.cur->p_conn == NULL && left > 1000 ? 1000 : left, 1);
	}
	return (link_stopped(l));
}

/* Mostly seconds, sometimes beyond every grace and ceiling. */
static int64_t
work_time(void)
{
	unsigned int k = w.fair ? rnd(90) : rnd(100);

	if (k < 60)
		return (rnd(500));
	if (k < 90)
		return (rnd(8000));
	if (k < 98)
		return (rnd(120000));
	n.slow++;
	return (rnd(20000000));
}

static void
tell_exit(struct link *l, int code)
{
	struct orch_run_exit x = { .run = w.cur->p_run, .code = code };
	union orch_any any;

	(void)link_call(l, ORCH_run_exit, &x, -1, ORCH_ack, &any);
}

/* Stopped or not, it ends honestly. */
static void
tell_done(struct link *l, struct orch_run_done *d, int fd)
{
	union orch_any any;

	d->run = w.cur->p_run;
	while (link_call(l, ORCH_run_done, d, fd, ORCH_ack, &any) == -1)
		if (link_resume(l) == -1)
			return;
}

static void
stopped(struct link *l, struct orch_run_done *d)
{
	d->verdict = GATE_ERROR;
	d->cause = CAUSE_STOPPED;
	d->reason = "stopped";
	(void)link_resume(l);
}

static void
body_agent(struct link *l, const struct orch_run_go *go)
{
	struct orch_run_done d = { .verdict = GATE_PASS };
	char from[OID];
	int fd = VFD_BUNDLE;

	if (go->head[0] != '\0')
		(void)strlcpy(from, go->head, sizeof(from));
	else
		repo_target(from);
	d.tree = from;
	if (work(l, work_time())) {
		stopped(l, &d);
		fd = -1;
	} else if (chaos(400)) {
		static const enum orch_cause causes[] = { CAUSE_TIMEOUT,
		    CAUSE_TRANSIENT, CAUSE_NO_COMMIT, CAUSE_INFRA };

		d.verdict = GATE_FAIL;
		d.cause = (uint8_t)causes[rnd(4)];
		d.reason = "as it happens";
		fd = -1;
	}
	tell_exit(l, d.verdict == GATE_PASS ? 0 : 1);
	tell_done(l, &d, fd);
}

static void
body_import(struct link *l, const struct orch_run_go *go)
{
	struct orch_run_done d = { .verdict = GATE_PASS };
	char commit[OID] = "";

	if (work(l, rnd(3000))) {
		stopped(l, &d);
	} else if (chaos(200)) {
		d.verdict = rnd(2) == 0 ? GATE_FAIL : GATE_ERROR;
		d.cause = d.verdict == GATE_FAIL ? CAUSE_FORBIDDEN_PATH :
		    CAUSE_INFRA;
		d.reason = "as it happens";
	} else {
		/* Only the developer changes the code tree. */
		repo_commit(go->base, "", strcmp(go->role, "developer") == 0 ?
		    "" : repo_tree(go->base), commit);
		d.commit = commit;
		d.tree = repo_tree(commit);
	}
	tell_done(l, &d, -1);
}

static void
body_gate(struct link *l, const struct orch_run_go *go)
{
	struct orch_run_done d = { .verdict = GATE_PASS };

	d.commit = go->commit;
	d.tree = repo_tree(go->commit);
	if (work(l, work_time()))
		stopped(l, &d);
	else if (chaos(350)) {
		d.verdict = rnd(3) == 0 ? GATE_ERROR : GATE_FAIL;
		d.cause = d.verdict == GATE_ERROR ? CAUSE_INFRA : CAUSE_RED;
		d.reason = "as it happens";
	}
	tell_done(l, &d, -1);
}

static void
body_clean(struct link *l)
{
	struct orch_run_done d = { .verdict = GATE_PASS };

	(void)work(l, rnd(2000));
	tell_done(l, &d, -1);
}

/* --- the hook and its wrapper ------------------------------------------ */

static struct hook *
hook_of(uint64_t run)
{
	return (&hooks[run % NHOOKS]);
}

/* The deployment: what counts is that it happens once. */
static void
body_hook(void *arg)
{
	struct hook *h = hook_of(w.cur->p_run);

	nap(work_time() / 4, 0);
	check_hook_act(w.cur);
	h->h_code = chaos(800) ? 1 + (int)rnd(2) : 0;
	h->h_ended = 1;
	n.hook_failed += h->h_code != 0;
}

/* Its wrapper, where that lives, sees that it was killed. */
void
hook_gone(uint64_t run)
{
	struct hook *h = hook_of(run);

	if (h->h_ended)
		return;
	h->h_ended = 1;
	h->h_code = 137;
}

/* The hook is there, and who it is on record, in one moment. */
static void
hook_begin(const char *path, const char *commit)
{
	struct hook *h = hook_of(w.cur->p_run);
	char text[IDENT_TEXT_MAX], file[80];
	struct proc *p = proc_new();
	struct ident id;

	memset(h, 0, sizeof(*h));
	h->h_run = w.cur->p_run;
	(void)strlcpy(h->h_commit, commit, sizeof(h->h_commit));
	p->p_run = w.cur->p_run;
	p->p_kind = KIND_HOOK;
	p->p_hook = 1;
	(void)strlcpy(p->p_task, w.cur->p_task, sizeof(p->p_task));
	(void)strlcpy(p->p_commit, commit, sizeof(p->p_commit));
	(void)strlcpy(p->p_gate, w.cur->p_gate, sizeof(p->p_gate));
	p->p_co = co_new(body_hook, p);
	proc_ident(p, &id);
	memset(id.id_incarnation, 0, sizeof(id.id_incarnation));
	(void)ident_format(&id, text, sizeof(text));
	(void)snprintf(file, sizeof(file), "%.60s.session", path);
	file_put(file, text);
	TRACE("the hook of run %llu is [%d]", (unsigned long long)p->p_run,
	    (int)p->p_pid);
	check_hook_start(w.cur, commit);
	w.critical = w.cur;
}

static int
hook_result(const char *path, int *code)
{
	const char *text = file_get(path);

	if (text == NULL)
		return (-1);
	*code = (int)strtol(text + 5, NULL, 10);
	return (0);
}

static void
hook_report(struct link *l, int code)
{
	struct orch_run_done d = { .verdict = code == 0 ? GATE_PASS :
	    GATE_FAIL, .cause = code == 0 ? CAUSE_NONE : CAUSE_RED,
	    .reason = "the hook has ended" };

	tell_exit(l, code);
	tell_done(l, &d, -1);
}

static void
body_wrapper(struct link *l, const struct orch_run_go *go)
{
	struct orch_run_done d = { .verdict = GATE_ERROR,
	    .cause = CAUSE_INFRA, .reason = "started before" };
	char path[64], started[80], line[32];
	struct hook *h = hook_of(w.cur->p_run);
	int code;

	(void)snprintf(path, sizeof(path), "/sim/result/%llu",
	    (unsigned long long)w.cur->p_run);
	(void)snprintf(started, sizeof(started), "%s.started", path);
	if (file_get(started) != NULL) {
		if (hook_result(path, &code) == 0)
			hook_report(l, code);
		else
			tell_done(l, &d, -1);
		return;
	}
	file_put(started, "started");
	nap(0, 0);
	hook_begin(path, go->commit);
	while (!h->h_ended) {
		nap(500, 0);
		/* A stop is no reason to end it. */
		if (link_stopped(l))
			(void)link_resume(l);
	}
	(void)snprintf(line, sizeof(line), "exit %d\n", h->h_code);
	file_put(path, line);
	nap(0, 0);
	hook_report(l, h->h_code);
}

/* --- all of them ------------------------------------------------------- */

static void
body_runner(void)
{
	struct link *l;
	struct orch_run_go go;
	int fd;

	if ((l = link_new("/sim/run/engine.sock", ROLE_RUNNER,
	    w.cur->p_run, w.cur->p_key)) == NULL)
		abort();
	if (link_wait_go(l, &go, &fd) == -1) {
		if (link_resume(l) == 0) {
			struct orch_run_done d = { .verdict = GATE_ERROR };

			stopped(l, &d);
			tell_done(l, &d, -1);
		} else
			n.second_refused += (uint64_t)w.cur->p_second;
	} else if (w.cur->p_kind == KIND_AGENT)
		body_agent(l, &go);
	else if (w.cur->p_kind == KIND_IMPORT)
		body_import(l, &go);
	else if (w.cur->p_kind == KIND_GATE)
		body_gate(l, &go);
	else if (w.cur->p_kind == KIND_HOOK)
		body_wrapper(l, &go);
	else
		body_clean(l);
	link_free(l);
}

void
run_body(void *arg)
{
	nap(0, 0);
	if (w.cur->p_kind == KIND_TRANSITION || w.cur->p_kind == KIND_MONITOR)
		n.second_refused += worker_main() != 0 && w.cur->p_second;
	else
		body_runner();
}

/* What finalizerd's monitor sees of production: some deploys were no good. */
enum http_probe	 http_probe(const char *, long, char *, size_t);

enum http_probe
http_probe(const char *url, long ms, char *why, size_t len)
{
	int bad = !w.fair && w.cur->p_inc[0] < 64;

	(void)strlcpy(why, bad ? "500" : "200", len);
	return (bad ? HTTP_BAD : HTTP_GOOD);
}

int	 curl_global_init(long);
void	 curl_global_cleanup(void);

int
curl_global_init(long flags)
{
	return (0);
}

void
curl_global_cleanup(void)
{
}
