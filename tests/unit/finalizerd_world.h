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

#ifndef TESTS_FINALIZERD_WORLD_H
#define TESTS_FINALIZERD_WORLD_H

/*
 * What a transition worker is tried in: an engine in shared memory that
 * survives its workers and counts, a link that ends the worker at a chosen
 * message, and a repository.
 */

#include <sys/mman.h>
#include <sys/wait.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bsd/string.h>

#include "finalizerd/finalizerd.h"
#include "libcommon/fsutil.h"
#include "libcommon/git_run.h"
#define KILLED		99
#define EFFECTS_MAX	16
#define TASK		"DEMO-1"
#define BRANCH		"feature/DEMO-1-x"

struct journal {
	char	j_key[256];
	char	j_name[32];
	char	j_evidence[600];
	int	j_state;
};

/* The engine: survives the worker. */
static struct engine {
	unsigned int	e_calls, e_kill_at;
	int		e_kill_after;	/* after it was stored, else before */
	uint64_t	e_epoch;
	struct journal	e_journal[EFFECTS_MAX];
	size_t		e_njournal;
	int		e_pull, e_pull_opens;
	int		e_hooks, e_lands, e_deletes, e_gates;
	int		e_commits, e_ends, e_dones, e_records;
	int		e_verdict, e_cause;
	uint32_t	e_wait_s;
	int		e_stop_at, e_stopped, e_fence, e_refuse, e_stale;
	char		e_coverage[16];
	char		e_to[32], e_reason[2048], e_end_head[41];
	char		e_end_tree[41], e_patch[41], e_patch_judged[41];
	unsigned int	e_artifacts;
	char		e_landed[41], e_previous[41], e_tree[41];
	char		e_merged[41], e_tested[41];
	int		e_untested;	/* so often it was said to be */
	char		e_pull_head[41];
	uint64_t	e_pull_there;
	char		e_pull_page[513];
	char		e_red_gate[64];
	char		e_hook_key[256];
	char		e_built[41];	/* the image of this commit */
	char		e_staged[41];	/* what staging serves */
	int		e_builds, e_build_verdict, e_staging_lies, e_waits;
	int		e_red_verdict;
	uint64_t	e_gate_ms;	/* when gates are measured */
	int		e_move_target;	/* so often, at each merge gate */
	char		e_moved_to[41];
} *eng;

static char dir[] = "/tmp/orchd-finalizerd.XXXXXX";
static struct git_repo repo;
static char oid_t[41], oid_t2[41], oid_h[41], oid_h_ff[41], oid_clash[41];
static char oid_near_t[41], oid_near_h[41];	/* two lines of one place */
static struct orch_run_spec spec;
static struct orch_run_go go;
static struct forge counting;

/* --- the link, replaced --- */

struct link { int unused; };

struct link *
link_new(const char *path, enum orch_role role, uint64_t run,
    const uint8_t key[32])
{
	return (NULL);
}

void
link_free(struct link *l)
{
}

int
link_wait_go(struct link *l, struct orch_run_go *g, int *fd)
{
	return (-1);
}

int
link_stopped(struct link *l)
{
	return (eng->e_stopped);
}

int
link_resume(struct link *l)
{
	return (0);
}

const char *
link_reason(const struct link *l)
{
	return ("cancelled by the operator");
}

static void set_ref(const char *, const char *);

static struct journal *
journal_find(const char *key)
{
	size_t i;

	for (i = 0; i < eng->e_njournal; i++)
		if (strcmp(eng->e_journal[i].j_key, key) == 0)
			return (&eng->e_journal[i]);
	return (NULL);
}

static void
on_effect(const struct orch_effect *m, struct orch_effect_answer *a)
{
	struct journal *j = journal_find(m->key);

	a->result = RES_OK;
	if (j == NULL) {
		ck_assert_uint_lt(eng->e_njournal, EFFECTS_MAX);
		j = &eng->e_journal[eng->e_njournal++];
		(void)strlcpy(j->j_key, m->key, sizeof(j->j_key));
		(void)strlcpy(j->j_name, m->name, sizeof(j->j_name));
		a->state = EFFECT_NONE;
		j->j_state = EFFECT_INTENT;
		return;
	}
	a->state = (uint8_t)j->j_state;
	a->evidence = j->j_evidence;
}

/* What the engine itself says of the artifact; 1 when it was asked. */
static int
on_image(const struct orch_gate *m, struct orch_gate_answer *a)
{
	if (strcmp(m->gate, "check_staging_image_fresh") == 0) {
		a->reason = "staging serves something";
		if (strcmp(eng->e_staged, m->commit) != 0) {
			a->verdict = GATE_FAIL;
			a->cause = CAUSE_RED;
		}
		if (strcmp(m->gate, eng->e_red_gate) == 0) {
			a->verdict = (uint8_t)eng->e_red_verdict;
			a->cause = CAUSE_RED;
		}
		return (1);
	}
	if (strcmp(m->gate, "image-build") != 0)
		return (0);
	a->reason = "exit code 0";
	if (strcmp(eng->e_built, m->commit) == 0)
		return (1);
	if (m->look != LOOK_NO) {
		a->result = RES_NOTFOUND;
		return (1);
	}
	eng->e_builds++;
	a->verdict = (uint8_t)eng->e_build_verdict;
	if (a->verdict == GATE_PASS)
		(void)strlcpy(eng->e_built, m->commit, sizeof(eng->e_built));
	else {
		a->cause = CAUSE_RED;
		a->reason = "exit code 7";
	}
	return (1);
}

static void
on_gate(const struct orch_gate *m, struct orch_gate_answer *a)
{
	a->result = RES_OK;
	a->verdict = GATE_PASS;
	a->at_ms = eng->e_gate_ms;
	if (on_image(m, a))
		return;
	eng->e_gates++;
	if (strcmp(m->gate, "check_staging_status") == 0 &&
	    !eng->e_staging_lies)
		(void)strlcpy(eng->e_staged, m->commit,
		    sizeof(eng->e_staged));
	a->reason = strcmp(m->gate, "check_coverage") == 0 ?
	    "coverage 83.2 %" : "ok";
	if (strcmp(m->gate, eng->e_red_gate) == 0) {
		if (eng->e_waits > 0 && --eng->e_waits == 0)
			eng->e_red_gate[0] = '\0';
		a->verdict = (uint8_t)eng->e_red_verdict;
		a->cause = CAUSE_RED;
		a->reason = "3 tests failed";
	}
	if (strcmp(m->gate, "check_branch_mergeable") == 0 &&
	    eng->e_move_target > 0) {
		eng->e_move_target--;
		set_ref("refs/heads/main", eng->e_moved_to);
	}
}

static void
on_pull(const struct orch_pull *m, struct orch_pull_answer *a)
{
	a->result = RES_OK;
	a->number = 7;
	if (m->number > 0) {
		eng->e_pull_there = m->number;
		(void)strlcpy(eng->e_pull_page, m->page,
		    sizeof(eng->e_pull_page));
	}
	switch (m->op) {
	case PULL_OPEN:
		if (eng->e_pull != PULL_IS_OPEN)
			eng->e_pull_opens++;
		eng->e_pull = PULL_IS_OPEN;
		break;
	case PULL_UPDATE:
		(void)strlcpy(eng->e_pull_head, m->head,
		    sizeof(eng->e_pull_head));
		break;
	case PULL_MERGED:
		eng->e_pull = PULL_IS_MERGED;
		break;
	case PULL_CLOSE:
		eng->e_pull = PULL_IS_CLOSED;
		break;
	}
	a->state = (uint8_t)eng->e_pull;
}

static uint8_t
on_hook_start(const struct orch_hook_start *m)
{
	if (eng->e_hooks > 0 && strcmp(eng->e_hook_key, m->key) == 0)
		return (RES_DUPLICATE);
	(void)strlcpy(eng->e_hook_key, m->key, sizeof(eng->e_hook_key));
	(void)strlcpy(eng->e_landed, m->revision, sizeof(eng->e_landed));
	eng->e_hooks++;
	return (RES_OK);
}

static void
on_commit(const struct orch_commit *m)
{
	eng->e_commits++;
	(void)strlcpy(eng->e_to, m->to, sizeof(eng->e_to));
	(void)strlcpy(eng->e_reason, m->reason, sizeof(eng->e_reason));
}

static void
on_landed(const struct orch_landed *m)
{
	(void)strlcpy(eng->e_landed, m->commit, sizeof(eng->e_landed));
	(void)strlcpy(eng->e_tree, m->tree, sizeof(eng->e_tree));
	(void)strlcpy(eng->e_previous, m->previous, sizeof(eng->e_previous));
	(void)strlcpy(eng->e_coverage, m->coverage, sizeof(eng->e_coverage));
	(void)strlcpy(eng->e_merged, m->merged, sizeof(eng->e_merged));
	(void)strlcpy(eng->e_tested, m->tested, sizeof(eng->e_tested));
	eng->e_untested += m->merged[0] != '\0' && m->tested[0] == '\0';
}

static void
on_end(const struct orch_end *m)
{
	eng->e_ends++;
	eng->e_wait_s = m->wait_s;
	eng->e_verdict = m->verdict;
	eng->e_cause = m->cause;
	(void)strlcpy(eng->e_reason, m->reason, sizeof(eng->e_reason));
	(void)strlcpy(eng->e_end_head, m->head, sizeof(eng->e_end_head));
	(void)strlcpy(eng->e_end_tree, m->tree, sizeof(eng->e_end_tree));
	(void)strlcpy(eng->e_patch, m->patch, sizeof(eng->e_patch));
	(void)strlcpy(eng->e_patch_judged, m->patch_judged,
	    sizeof(eng->e_patch_judged));
	for (eng->e_artifacts = 0; m->artifacts.l_argv != NULL &&
	    m->artifacts.l_argv[eng->e_artifacts] != NULL;)
		eng->e_artifacts++;
}

static void
on_done(const struct orch_run_done *m)
{
	eng->e_dones++;
	eng->e_verdict = m->verdict;
	eng->e_cause = m->cause;
	if (eng->e_ends == 0)
		(void)strlcpy(eng->e_reason, m->reason,
		    sizeof(eng->e_reason));
}

static void
engine_handle(unsigned int type, const void *msg, union orch_any *a)
{
	const struct orch_effect_done *done = msg;
	struct journal *j;

	memset(a, 0, sizeof(*a));
	a->ack.text = "";
	switch (type) {
	case ORCH_begin:
		a->grant.epoch = ++eng->e_epoch;
		a->grant.text = "";
		break;
	case ORCH_gate:
		a->gate_answer.tree = "";
		on_gate(msg, &a->gate_answer);
		break;
	case ORCH_effect:
		a->effect_answer.text = a->effect_answer.evidence = "";
		on_effect(msg, &a->effect_answer);
		break;
	case ORCH_effect_done:
		ck_assert_uint_eq(done->epoch, eng->e_epoch);
		j = journal_find(done->key);
		ck_assert_ptr_nonnull(j);
		j->j_state = done->state;
		(void)strlcpy(j->j_evidence, done->evidence,
		    sizeof(j->j_evidence));
		break;
	case ORCH_pull:
		a->pull_answer.text = "";
		on_pull(msg, &a->pull_answer);
		break;
	case ORCH_hook_start:
		a->ack.result = on_hook_start(msg);
		break;
	case ORCH_record:
		eng->e_records++;
		break;
	case ORCH_landed:
		on_landed(msg);
		break;
	case ORCH_commit:
		on_commit(msg);
		a->ack.result = eng->e_stale ? RES_STALE : RES_OK;
		break;
	case ORCH_end:
		on_end(msg);
		break;
	case ORCH_run_done:
		on_done(msg);
		break;
	default:
		ck_abort_msg("message %u", type);
	}
}

int
link_call(struct link *l, unsigned int type, const void *msg, int fd,
    unsigned int want, union orch_any *answer)
{
	unsigned int n = ++eng->e_calls;

	if ((int)n == eng->e_stop_at) {
		eng->e_stopped = 1;
		errno = ECANCELED;
		return (-1);
	}
	if (n == eng->e_kill_at && !eng->e_kill_after)
		_exit(KILLED);
	if ((eng->e_fence || eng->e_refuse) && type == ORCH_effect) {
		memset(answer, 0, sizeof(*answer));
		answer->effect_answer.result = eng->e_fence ? RES_FENCED :
		    RES_REFUSED;
		answer->effect_answer.text = "epoch 1 is over";
		answer->effect_answer.evidence = "";
		return (0);
	}
	engine_handle(type, msg, answer);
	if (n == eng->e_kill_at && eng->e_kill_after)
		_exit(KILLED);
	return (0);
}

/* --- the world --- */

static enum forge_result
counted_land(struct worker *w, const char *target, const char *new,
    const char *old, char *err, size_t len)
{
	enum forge_result r;

	r = forge_local.f_land(w, target, new, old, err, len);
	eng->e_lands += r == FORGE_OK;
	return (r);
}

static enum forge_result
counted_delete(struct worker *w, const char *branch, const char *old,
    char *err, size_t len)
{
	enum forge_result r;

	r = forge_local.f_delete(w, branch, old, err, len);
	eng->e_deletes += r == FORGE_OK;
	return (r);
}

static void
git_ok(const char *const *argv, const char *gitdir)
{
	struct git_cmd cmd = { .gc_dir = gitdir, .gc_argv = argv };
	struct git_out out;
	char err[256];

	ck_assert_msg(git_run(&cmd, &out, err, sizeof(err)) == 0, "%s", err);
	ck_assert_msg(out.go_exit == 0, "%s", out.go_said);
	git_out_free(&out);
}

static void
make_commit(const char *parent, const char *path, const char *text,
    char out[41])
{
	struct git_who who = { "t", "t@example.org", 1700000000 };
	struct git_file file = { path, text, strlen(text) };
	char err[256];

	ck_assert_msg(git_write_files_commit(&repo, parent, &file, 1, "m\n",
	    &who, out, err, sizeof(err)) == GIT_OK, "%s", err);
}

/* oid "" removes it. */
static void
set_ref(const char *ref, const char *oid)
{
	char now[41], err[256];
	enum git_result r;

	r = git_read_ref(&repo, ref, now, err, sizeof(err));
	if (r == GIT_NOTFOUND) {
		if (oid[0] == '\0')
			return;
		r = git_update_ref(&repo, ref, oid, GIT_ZERO_OID, err,
		    sizeof(err));
	} else if (strcmp(now, oid) != 0)
		r = oid[0] == '\0' ? git_delete_ref(&repo, ref, now, err,
		    sizeof(err)) : git_update_ref(&repo, ref, oid, now, err,
		    sizeof(err));
	ck_assert_msg(r == GIT_OK, "%s: %s", ref, err);
}

static const char *
get_ref(const char *ref)
{
	static char oid[41];
	char err[256];

	if (git_read_ref(&repo, ref, oid, err, sizeof(err)) != GIT_OK)
		return ("");
	return (oid);
}

static void
world_make(void)
{
	static char path[64];
	const char *init[] = { "init", "-q", "--bare", path, NULL };
	char base[41];
	char err[256];

	eng = mmap(NULL, sizeof(*eng), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(eng, MAP_FAILED);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/m.git", dir);
	git_ok(init, NULL);
	ck_assert_msg(git_open(&repo, path, err, sizeof(err)) == GIT_OK, "%s",
	    err);
	make_commit(NULL, "a", "1\n2\n3\n", base);
	make_commit(base, "b", "new on main\n", oid_t);
	make_commit(oid_t, "d", "later on main\n", oid_t2);
	make_commit(base, "c", "feature\n", oid_h);
	make_commit(oid_t, "c", "feature\n", oid_h_ff);
	make_commit(base, "b", "clash\n", oid_clash);
	make_commit(base, "a", "one\n2\n3\n", oid_near_t);
	make_commit(base, "a", "1\n2\nthree\n", oid_near_h);
	counting = forge_local;
	counting.f_land = counted_land;
	counting.f_delete = counted_delete;
	spec.mirror = repo.path;
	spec.records = "orchd/records";
	spec.probe_url = "";
}

static void
world_remove(void)
{
	char err[256];

	(void)fs_remove_tree(AT_FDCWD, dir, err, sizeof(err));
}

/* Everything as before the work: target T, no marks, an empty journal. */
static void
world_reset(const char *head)
{
	memset(eng, 0, sizeof(*eng));
	set_ref("refs/heads/main", oid_t);
	set_ref("refs/heads/" BRANCH, head);
	set_ref("refs/heads/orchd/records", "");
	set_ref("refs/orchd/land-tip/" TASK, "");
	set_ref("refs/orchd/land-from/" TASK, "");
	set_ref("refs/orchd/task/" TASK, "");
	set_ref("refs/orchd/keep/" TASK, "");
	memset(&go, 0, sizeof(go));
	go.run = 5;
	go.task = TASK;
	go.title = "A title";
	go.branch = BRANCH;
	go.target = "main";
	go.base = go.commit = go.tree = go.head = "";
	go.gate = go.role = go.author = "";
	go.seq = 9;
	go.options.l_data = "";
}

static void
worker_child(void)
{
	struct worker w;

	memset(&w, 0, sizeof(w));
	w.w_spec = &spec;
	w.w_go = &go;
	w.w_forge = &counting;
	_exit(worker_run(&w) == 0 ? 0 : 1);
}

/* Run one worker; its exit status. */
static int
run_worker(void)
{
	int status;
	pid_t pid;

	eng->e_calls = 0;
	(void)fflush(NULL);
	pid = fork();
	ck_assert_int_ne(pid, -1);
	if (pid == 0)
		worker_child();
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	return (WEXITSTATUS(status));
}

#endif
