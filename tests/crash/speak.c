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


#include <sys/mman.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bsd/string.h>

#include "actor.h"
#include "libcommon/chan.h"
#include "libcommon/ident.h"
#include "libcommon/sha256.h"

/* What each actor says next, made of its state: the same when said again. */

/* An id that the same work makes again: of what it starts from. */
static void
make_id(char id[ID_ROOM], const char *kind, const struct actor *a)
{
	char text[256], hex[65];

	snprintf(text, sizeof(text), "%s %s %u %s", kind, a->a_role,
	    a->a_round, a->a_base);
	sha256_hex(text, strlen(text), hex);
	strlcpy(id, hex, ID_ROOM);
}

static int
say(struct actor *a, unsigned int type, const void *msg, int fd)
{
	return (chan_write_one(a->a_sock, type, 7, msg, fd, WAIT_MS));
}

/* Connect where needed, and who one is. */
static int
greet(struct scene *c, struct actor *a)
{
	struct orch_hello h = { .major = ORCH_PROTO_MAJOR,
	    .minor = ORCH_PROTO_MINOR, .generation = a->a_generation };
	char path[128], text[IDENT_TEXT_MAX];
	struct ident self;

	snprintf(path, sizeof(path), "%s/%s.sock", c->c_dir,
	    a->a_sort == SORT_PERSON ? "control" : "engine");
	if (a->a_sock == -1)
		a->a_sock = who_connects(c->c_out, a->a_run.w_run, path);
	who_is(c->c_out, a->a_run.w_run, &self);
	if (ident_format(&self, text, sizeof(text)) == -1)
		_exit(WORLD_FAULT);
	h.ident = text;
	h.role = ROLE_CTL;
	if (a->a_sort == SORT_DAEMON)
		h.role = (uint8_t)a->a_role_of;
	if (a->a_sort == SORT_RUN) {
		h.role = a->a_run.w_kind == KIND_TRANSITION ? ROLE_WORKER :
		    ROLE_RUNNER;
		h.run = a->a_run.w_run;
		h.key.b_data = a->a_run.w_key;
		h.key.b_len = sizeof(a->a_run.w_key);
	}
	return (say(a, ORCH_hello, &h, -1));
}

/* A file of the deploy hook's wrapper. */
static void
leave_file(const struct scene *c, uint64_t run, const char *ext,
    const char *text)
{
	char path[160];
	int fd;

	snprintf(path, sizeof(path), "%s/result/%llu.%s", c->c_dir,
	    (unsigned long long)run, ext);
	if ((fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
	    0600)) == -1 || write(fd, text, strlen(text)) == -1)
		_exit(WORLD_FAULT);
	close(fd);
}

/* The hook starts: its record first; it ends within one turn. */
static void
hook_go(struct scene *c, struct actor *a)
{
	struct outside *o = c->c_out;
	char text[IDENT_TEXT_MAX], key[200];
	struct ident self;
	struct applied *p;
	struct hook *h;

	if (hook_of(o, a->a_run.w_run) != NULL)
		return;
	who_is(o, a->a_run.w_run, &self);
	if (o->o_nhooks == HOOKS ||
	    ident_format(&self, text, sizeof(text)) == -1)
		_exit(WORLD_FAULT);
	leave_file(c, a->a_run.w_run, "started", "");
	leave_file(c, a->a_run.w_run, "session", text);
	snprintf(key, sizeof(key), "hook:%s", a->a_commit);
	if ((p = applied_find(o, key)) != NULL)
		p->a_times++;
	else
		apply(c, "hook", key);
	h = &o->o_hooks[o->o_nhooks++];
	memset(h, 0, sizeof(*h));
	h->h_run = a->a_run.w_run;
	strlcpy(h->h_revision, a->a_commit, sizeof(h->h_revision));
	h->h_code = a->a_verdict == GATE_PASS ? 0 : 1;
}

static int
say_done(struct scene *c, struct actor *a)
{
	struct orch_run_done d = { .run = a->a_run.w_run,
	    .verdict = (uint8_t)a->a_verdict, .cause = (uint8_t)a->a_cause,
	    .reason = a->a_verdict == GATE_PASS ? "" : "as the test says" };
	char commit[ID_ROOM], tree[ID_ROOM];
	int fd = -1, ret;

	strlcpy(commit, a->a_commit, sizeof(commit));
	strlcpy(tree, a->a_tree, sizeof(tree));
	if (a->a_run.w_kind == KIND_AGENT) {
		d.tree = "00000000000000000000000000000000000000b5";
		if (a->a_verdict == GATE_PASS &&
		    (fd = memfd_create("bundle", MFD_CLOEXEC)) == -1)
			_exit(WORLD_FAULT);
	} else {
		if (a->a_run.w_kind == KIND_IMPORT) {
			make_id(commit, "commit", a);
			if (tree[0] == '\0' || strcmp(a->a_role,
			    "developer") == 0)
				make_id(tree, "tree", a);
		}
		d.commit = commit;
		d.tree = tree;
	}
	ret = say(a, ORCH_run_done, &d, fd);
	if (fd != -1)
		close(fd);
	return (ret);
}

static int
say_exit(struct scene *c, struct actor *a)
{
	struct orch_run_exit x = { .run = a->a_run.w_run,
	    .code = a->a_verdict == GATE_PASS ? 0 : 1 };

	/* The exit code is on disk before anybody is told. */
	if (a->a_run.w_kind == KIND_HOOK) {
		hook_go(c, a);
		hook_of(c->c_out, a->a_run.w_run)->h_ended = 1;
	}
	return (say(a, ORCH_run_exit, &x, -1));
}

static int
say_effect(struct scene *c, struct actor *a)
{
	struct orch_effect e = { a->a_epoch, work_of(a)->w_effect,
	    a->a_key, strcmp(a->a_work, "deploy") == 0 ? CLASS_PROBE :
	    CLASS_CAS };

	if (strcmp(a->a_work, "deploy") == 0)
		snprintf(a->a_key, sizeof(a->a_key), "deploy:%s:%s", TASK,
		    a->a_commit);
	else
		snprintf(a->a_key, sizeof(a->a_key), "%s:%s:r%u:%s", e.name,
		    TASK, a->a_round, a->a_head);
	return (say(a, ORCH_effect, &e, -1));
}

static int
say_pull(struct actor *a)
{
	struct orch_pull p = { .epoch = a->a_epoch, .branch = a->a_branch,
	    .head = a->a_head, .title = "Count words", .op = PULL_OPEN };

	if (strcmp(a->a_work, "edge") == 0) {
		p.op = PULL_MERGED;
		p.landed = a->a_head;
	} else if (strcmp(a->a_work, "close") == 0)
		p.op = PULL_CLOSE;
	return (say(a, ORCH_pull, &p, -1));
}

static int
say_commit(struct scene *c, struct actor *a)
{
	struct orch_commit m = { a->a_epoch, a->a_stage, a->a_seq, goes_to(a),
	    "as it should" };

	/* Once with what was true a stage ago. */
	if (c->c_script->s_stale && !c->c_out->o_erred)
		m.seq--;
	return (say(a, ORCH_commit, &m, -1));
}

/* END; a red gate ends the edge. */
static int
say_end(struct actor *a)
{
	struct orch_end e = { .epoch = a->a_epoch,
	    .verdict = (uint8_t)a->a_verdict, .cause = (uint8_t)a->a_cause,
	    .gate = "", .reason = "" };

	if (a->a_verdict != GATE_PASS) {
		e.gate = "check_branch_mergeable";
		e.reason = "as the test says";
	} else if (strcmp(a->a_work, "publish") == 0)
		e.head = a->a_head;
	return (say(a, ORCH_end, &e, -1));
}

/* The first of its kind hangs until it is killed. */
static int
hangs(struct scene *c, const struct actor *a)
{
	const char *work = c->c_script->s_hangs;

	if (work == NULL || strcmp(work, a->a_work) != 0 ||
	    c->c_out->o_nkilled > 0)
		return (0);
	c->c_out->o_hangs = a->a_run.w_run;
	return (1);
}

static int
say_work(struct scene *c, struct actor *a)
{
	struct orch_begin b = { a->a_run.w_run, TASK, a->a_stage, a->a_seq };
	struct orch_gate g = { a->a_epoch, "check_branch_mergeable",
	    a->a_head, LOOK_NO };
	struct orch_effect_done ed = { a->a_epoch, a->a_key, EFFECT_DONE,
	    "seen" };
	struct orch_landed l = { a->a_epoch, a->a_head,
	    "00000000000000000000000000000000000000aa",
	    "00000000000000000000000000000000000000bb", "", "", "" };
	struct orch_hook_start h = { a->a_epoch, a->a_key, a->a_commit,
	    a->a_tree, a->a_base };
	struct orch_record r = { a->a_epoch, "14-deploy-log.md",
	    { (const uint8_t *)"log", 3 } };

	/* Inside, and it says no more. */
	if (work_of(a)->w_steps[a->a_step] == EFFECT && hangs(c, a))
		return (1);
	switch (work_of(a)->w_steps[a->a_step]) {
	case BEGIN:
		return (say(a, ORCH_begin, &b, -1));
	case GATE:
		return (say(a, ORCH_gate, &g, -1));
	case EFFECT:
		return (say_effect(c, a));
	case EFFECT_SAID:
		return (say(a, ORCH_effect_done, &ed, -1));
	case PULL:
		return (say_pull(a));
	case RECORD:
		return (say(a, ORCH_record, &r, -1));
	case HOOK:
		return (say(a, ORCH_hook_start, &h, -1));
	case LANDED:
		return (say(a, ORCH_landed, &l, -1));
	case COMMIT:
		return (say_commit(c, a));
	case END:
		return (say_end(a));
	default:
		return (say_done(c, a));
	}
}

static int
say_run(struct scene *c, struct actor *a)
{
	/* Whoever is to be cancelled works until somebody stops him. */
	if (a->a_run.w_kind == KIND_AGENT && c->c_script->s_cancel) {
		if (!a->a_stopped)
			return (1);
		a->a_verdict = GATE_ERROR;
		a->a_cause = CAUSE_STOPPED;
	}
	if (a->a_run.w_kind == KIND_TRANSITION && a->a_work[0] != '\0')
		return (say_work(c, a));
	if (a->a_step == 0 && (a->a_run.w_kind == KIND_AGENT ||
	    a->a_run.w_kind == KIND_HOOK))
		return (say_exit(c, a));
	return (say_done(c, a));
}

static int
say_action(struct scene *c, struct actor *a)
{
	const struct shown *s = &c->c_out->o_shown;
	static const char *args[] = { "project=tally", "title=Count words",
	    NULL };
	static const char *lease[] = { "release", "force", NULL };
	struct orch_action act = { .verb = a->a_verb, .text = "please" };

	if (strcmp(a->a_verb, "submit") == 0)
		act.args.l_argv = args;
	else {
		if (strcmp(a->a_verb, "lease") == 0)
			act.args.l_argv = lease;
		act.task = TASK;
		act.stage = s->s_stage;
		act.seq = (uint64_t)s->s_seq;
		act.commit = s->s_asked_commit;
		strlcpy(a->a_commit, s->s_asked_commit, sizeof(a->a_commit));
	}
	return (say(a, ORCH_action, &act, -1));
}

static int
say_daemon(struct actor *a)
{
	struct orch_deploy_list l = { 16 };
	struct orch_deploy_result r = { a->a_hook, a->a_code, "file" };
	struct orch_live_list live = { 16 };
	struct orch_dead d = { .run = a->a_hook, .ident = a->a_dead,
	    .tier = 3, .evidence = "past the ceiling" };

	if (a->a_role_of == ROLE_REAPERD)
		return (a->a_step == 0 ? say(a, ORCH_live_list, &live, -1) :
		    say(a, ORCH_dead, &d, -1));

	return (a->a_step == 0 ? say(a, ORCH_deploy_list, &l, -1) :
	    say(a, ORCH_deploy_result, &r, -1));
}

/* 1: said; 0: nothing to say now. */
int
actor_speak(struct scene *c, struct actor *a)
{
	int ret;

	if (a->a_sort == SORT_NONE)
		return (0);
	if (!a->a_known) {
		/* Whoever has said HELLO waits for its answer. */
		if (a->a_sort == SORT_DAEMON ? !a->a_due : a->a_sock != -1)
			return (0);
		a->a_due = 0;
		return (greet(c, a) == 0);
	}
	if (!a->a_due || (a->a_sort == SORT_RUN && !a->a_started))
		return (0);
	if (a->a_sort == SORT_RUN)
		ret = say_run(c, a);
	else
		ret = a->a_sort == SORT_PERSON ? say_action(c, a) :
		    say_daemon(a);
	if (ret == 1)
		return (0);
	a->a_due = 0;
	return (1);
}

