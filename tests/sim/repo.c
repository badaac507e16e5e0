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

#include "libcommon/git.h"
#include "libcommon/git_merge.h"
#include "libcommon/git_run.h"
#include "libcommon/git_tree.h"
#include "sim.h"

/*
 * The outside world: repositories of commits with parents and trees, and of
 * references that move by compare-and-swap.  Reading is a moment; writing is
 * the act of a child of the worker, which lands later, also after the worker's
 * death, or fails, or lands although it seems to have failed.
 *
 * A commit's id begins with its number, so that none has to be searched for.
 */

#define NCOMMITS	8192
#define NREFS		512
#define NACTS		64
#define NRECORDS	2048

struct commit {
	char		co_id[OID];
	char		co_tree[OID];
	int		co_parent[2];	/* -1 none */
	int		co_file;	/* its records, -1 none */
	unsigned int	co_seen;
};

struct ref {
	char		rf_name[160];	/* PROJECT:refs/... */
	int		rf_commit;	/* -1: it does not exist */
};

struct record {
	char		rc_path[160];
	char		*rc_text;
};

struct act {
	int		 a_used;
	struct proc	*a_proc;
	uint64_t	 a_start;	/* of the process: its slot may change */
	char		 a_ref[160];
	char		 a_new[OID];	/* "" deletes */
	char		 a_old[OID];
	int64_t		 a_until;
	enum git_result	*a_result;	/* while its process lives */
	char		*a_err;
	size_t		 a_errlen;
};

static struct commit commits[NCOMMITS];
static int ncommits, ntrees;
static struct ref refs[NREFS];
static size_t nrefs;
static struct act acts[NACTS];
static struct record records[NRECORDS];
static int nrecords;
static unsigned int seen;
static int others[2];

static int
commit_of(const char *id)
{
	char head[9];
	long k;

	(void)strlcpy(head, id, sizeof(head));
	k = strtol(head, NULL, 16) - 1;
	return (k < 0 || k >= ncommits ? -1 : (int)k);
}

static int
commit_new(int a, int b, const char *tree)
{
	struct commit *c = &commits[ncommits];
	uint64_t hi = rnd64(), lo = rnd64();

	if (ncommits == NCOMMITS)
		broken("too many commits");
	(void)snprintf(c->co_id, OID, "%08x%016llx%016llx", ncommits + 1,
	    (unsigned long long)hi, (unsigned long long)lo);
	if (tree[0] == '\0')
		(void)snprintf(c->co_tree, OID, "%040x", ++ntrees + 0xb0000);
	else
		(void)strlcpy(c->co_tree, tree, OID);
	c->co_parent[0] = a;
	c->co_parent[1] = b;
	c->co_file = -1;
	c->co_seen = 0;
	return (ncommits++);
}

/* Is part whole or one of its ancestors?  Parents have smaller numbers. */
static int
contains(int whole, int part)
{
	int stack[256], top = 0, i, k;

	if (part < 0)
		return (1);
	seen++;
	stack[top++] = whole;
	while (top > 0) {
		k = stack[--top];
		if (k == part)
			return (1);
		for (i = 0; i < 2; i++) {
			int p = commits[k].co_parent[i];

			if (p < part || commits[p].co_seen == seen)
				continue;
			commits[p].co_seen = seen;
			if (top == 256)
				broken("a history that is too wide");
			stack[top++] = p;
		}
	}
	return (0);
}

static struct ref *
ref_of(const char *repo, const char *name)
{
	char full[160];
	size_t i;

	(void)snprintf(full, sizeof(full), "%s:%s", repo, name);
	for (i = 0; i < nrefs; i++)
		if (strcmp(refs[i].rf_name, full) == 0)
			return (&refs[i]);
	if (nrefs == NREFS)
		broken("too many references");
	(void)strlcpy(refs[nrefs].rf_name, full, sizeof(full));
	refs[nrefs].rf_commit = -1;
	return (&refs[nrefs++]);
}

static const char mirror[] = "/sim/mirror/tally.git";

void
repo_reset(void)
{
	while (nrecords > 0)
		free(records[--nrecords].rc_text);
	ncommits = ntrees = 0;
	nrefs = 0;
	seen = 0;
	memset(acts, 0, sizeof(acts));
	ref_of(mirror, "refs/heads/main")->rf_commit = commit_new(-1, -1, "");
	others[0] = others[1] = -1;
}

void
repo_commit(const char *parent, const char *parent2, const char *tree,
    char out[OID])
{
	int k = commit_new(commit_of(parent), parent2[0] == '\0' ? -1 :
	    commit_of(parent2), tree);

	(void)strlcpy(out, commits[k].co_id, OID);
}

void
repo_target(char out[OID])
{
	(void)strlcpy(out, commits[ref_of(mirror,
	    "refs/heads/main")->rf_commit].co_id, OID);
}

void
repo_branch(const char *branch, const char *task, const char *head)
{
	char name[128];

	(void)snprintf(name, sizeof(name), "refs/heads/%s", branch);
	ref_of(mirror, name)->rf_commit = commit_of(head);
	(void)snprintf(name, sizeof(name), "refs/orchd/task/%s", task);
	ref_of(mirror, name)->rf_commit = commit_of(head);
}

const char *
repo_tree(const char *commit)
{
	int k = commit_of(commit);

	return (k == -1 ? "" : commits[k].co_tree);
}

int
repo_has(const char *whole, const char *part)
{
	int a = commit_of(whole), b = commit_of(part);

	return (a != -1 && b != -1 && contains(a, b));
}

void
repo_push_other(void)
{
	struct ref *t = ref_of(mirror, "refs/heads/main");

	/* What was theirs must be there still. */
	if (others[0] != -1 && !contains(t->rf_commit, others[0]))
		broken("a push of somebody else is not in the target any "
		    "more");
	t->rf_commit = commit_new(t->rf_commit, -1, "");
	others[0] = t->rf_commit;
	n.pushes_by_others++;
	TRACE("somebody else pushes %.12s",
	    commits[t->rf_commit].co_id);
}

/* --- the acts of children ---------------------------------------------- */

static enum git_result
act_land(struct act *a)
{
	char *name = strchr(a->a_ref, ':');
	struct ref *r;
	const char *now;

	*name = '\0';
	r = ref_of(a->a_ref, name + 1);
	*name = ':';
	now = r->rf_commit == -1 ? GIT_ZERO_OID :
	    commits[r->rf_commit].co_id;
	if (strcmp(now, a->a_old) != 0)
		return (GIT_STALE);
	if (strcmp(name, ":refs/heads/main") == 0) {
		check_landed(a->a_proc->p_start == a->a_start ? a->a_proc :
		    NULL, now, a->a_new);
		n.merges++;
		n.merges_in_trouble += !w.fair;
	}
	r->rf_commit = a->a_new[0] == '\0' ? -1 : commit_of(a->a_new);
	return (GIT_OK);
}

static int
leader_lives(const struct act *a)
{
	return (a->a_proc->p_start == a->a_start &&
	    (a->a_proc->p_life == ALIVE || a->a_proc->p_life == STOPPED));
}

size_t
acts_enabled(void **items, size_t max)
{
	size_t i, k = 0;

	for (i = 0; i < NACTS && k < max; i++) {
		if (!acts[i].a_used)
			continue;
		if (acts[i].a_until <= w.now)
			items[k++] = &acts[i];
		else
			due_at(acts[i].a_until);
	}
	return (k);
}

void
act_go(void *item)
{
	struct act *a = item;
	enum git_result r = GIT_ERR;
	int alive = leader_lives(a);

	trace_mix(6, (uint64_t)(a - acts));
	if (!alive)
		n.late_children++;
	if (chaos(200))
		n.acts_lost++;
	else
		r = act_land(a);
	TRACE("git of [%d]%s: %s to %.12s: %s", (int)a->a_proc->p_pid,
	    alive ? "" : " (its worker is dead)", a->a_ref, a->a_new,
	    r == GIT_OK ? "done" : r == GIT_STALE ? "stale" : "failed");
	a->a_used = 0;
	a->a_proc->p_kids--;
	if (!alive)
		return;
	/* It has happened, but its worker hears of an error. */
	if (r == GIT_OK && chaos(200)) {
		n.acts_lost++;
		r = GIT_ERR;
	}
	n.stale_landings += r == GIT_STALE;
	*a->a_result = r;
	if (r != GIT_OK)
		(void)snprintf(a->a_err, a->a_errlen, "git: %s",
		    r == GIT_STALE ? "somebody else was first" : "no answer");
	a->a_proc->p_acting = 0;
	a->a_proc->p_until = w.now;
}

void
acts_reboot(void)
{
	memset(acts, 0, sizeof(acts));
}

static enum git_result
act(const struct git_repo *repo, const char *ref, const char *new,
    const char *old, char *err, size_t errlen)
{
	enum git_result r = GIT_ERR;
	struct act *a;
	size_t i;

	nap(0, 0);
	for (i = 0; i < NACTS && acts[i].a_used; i++)
		continue;
	if (i == NACTS)
		broken("too many children");
	a = &acts[i];
	a->a_used = 1;
	a->a_proc = w.cur;
	a->a_start = w.cur->p_start;
	(void)snprintf(a->a_ref, sizeof(a->a_ref), "%.60s:%.90s", repo->path,
	    ref);
	(void)strlcpy(a->a_new, new, OID);
	(void)strlcpy(a->a_old, old, OID);
	a->a_until = w.now + rnd_delay();
	a->a_result = &r;
	a->a_err = err;
	a->a_errlen = errlen;
	w.cur->p_kids++;
	w.cur->p_acting = 1;
	if (strcmp(ref, "refs/heads/main") == 0)
		w.critical = w.cur;
	nap(-1, 0);
	return (r);
}

/* --- libcommon/git.h --------------------------------------------------- */

enum git_result
git_open(struct git_repo *r, const char *path, char *err, size_t len)
{
	(void)strlcpy(r->path, path, sizeof(r->path));
	return (GIT_OK);
}

enum git_result
git_sweep(const struct git_repo *r, unsigned int age_s, char *err, size_t len)
{
	return (GIT_OK);
}

/* Each look at the world takes a moment, and may fail. */
static int
look_fails(char *err, size_t len)
{
	nap(0, 0);
	if (!chaos(40))
		return (0);
	(void)snprintf(err, len, "git: no answer");
	return (1);
}

enum git_result
git_read_ref(const struct git_repo *repo, const char *ref, char out[OID],
    char *err, size_t len)
{
	const struct ref *r;

	if (look_fails(err, len))
		return (GIT_ERR);
	if ((r = ref_of(repo->path, ref))->rf_commit == -1) {
		(void)snprintf(err, len, "%s does not exist", ref);
		return (GIT_NOTFOUND);
	}
	(void)strlcpy(out, commits[r->rf_commit].co_id, OID);
	return (GIT_OK);
}

enum git_result
git_update_ref(const struct git_repo *repo, const char *ref, const char *new,
    const char *old, char *err, size_t len)
{
	return (act(repo, ref, new, old, err, len));
}

enum git_result
git_delete_ref(const struct git_repo *repo, const char *ref, const char *old,
    char *err, size_t len)
{
	return (act(repo, ref, "", old, err, len));
}

enum git_result
git_is_ancestor(const struct git_repo *repo, const char *a, const char *b,
    int *yes, char *err, size_t len)
{
	int x = commit_of(a), y = commit_of(b);

	if (look_fails(err, len))
		return (GIT_ERR);
	if (x == -1 || y == -1) {
		(void)snprintf(err, len, "no such commit");
		return (GIT_ERR);
	}
	*yes = contains(y, x);
	return (GIT_OK);
}

enum git_result
git_tree_of(const struct git_repo *repo, const char *commit, char out[OID],
    char *err, size_t len)
{
	int k = commit_of(commit);

	if (look_fails(err, len) || k == -1)
		return (GIT_ERR);
	(void)strlcpy(out, commits[k].co_tree, OID);
	return (GIT_OK);
}

/* The same two commits always conflict, or always make the same commit. */
enum git_result
git_make_merge(const struct git_repo *repo, const char *target,
    const char *head, const char *message, char out[OID],
    struct git_list *conflicts, char *err, size_t len)
{
	int t = commit_of(target), h = commit_of(head), i;

	memset(conflicts, 0, sizeof(*conflicts));
	if (look_fails(err, len) || t == -1 || h == -1)
		return (GIT_ERR);
	if (contains(h, t)) {
		(void)strlcpy(out, head, OID);
		return (GIT_OK);
	}
	if ((unsigned int)(t * 31 + h) * 2654435761U >> 28 == 0) {
		(void)snprintf(err, len, "conflict");
		return (GIT_CONFLICT);
	}
	for (i = h + 1; i < ncommits; i++)
		if (commits[i].co_parent[0] == h && commits[i].co_parent[1] ==
		    t)
			break;
	if (i == ncommits) {
		i = commit_new(h, t, "");
		n.merge_commits++;
	}
	(void)strlcpy(out, commits[i].co_id, OID);
	return (GIT_OK);
}

/* Here no forge calls anything a conflict. */
enum git_result
git_replay(const struct git_repo *repo, const char *target, const char *head,
    char commit[OID], struct git_list *conflicts, char *err, size_t len)
{
	memset(conflicts, 0, sizeof(*conflicts));
	commit[0] = '\0';
	return (GIT_OK);
}

void
git_list_free(struct git_list *list)
{
	memset(list, 0, sizeof(*list));
}

void
git_escape(char *dst, size_t dstlen, const char *src, size_t srclen)
{
	(void)snprintf(dst, dstlen, "%.*s", (int)srclen, src);
}

enum git_result
git_show_file(const struct git_repo *repo, const char *commit,
    const char *path, size_t max, char **buf, size_t *len, char *err,
    size_t errlen)
{
	int k = commit_of(commit);

	if (look_fails(err, errlen))
		return (GIT_ERR);
	for (; k != -1; k = commits[k].co_parent[0]) {
		const struct record *r = &records[commits[k].co_file < 0 ? 0 :
		    commits[k].co_file];

		if (commits[k].co_file < 0 || strcmp(r->rc_path, path) != 0)
			continue;
		*len = strlen(r->rc_text);
		if ((*buf = strdup(r->rc_text)) == NULL)
			abort();
		return (GIT_OK);
	}
	(void)snprintf(err, errlen, "no such path");
	return (GIT_NOTFOUND);
}

enum git_result
git_write_files_commit(const struct git_repo *repo, const char *parent,
    const struct git_file *files, size_t nfiles, const char *message,
    const struct git_who *who, char out[OID], char *err, size_t len)
{
	struct record *r;
	int k;

	if (look_fails(err, len))
		return (GIT_ERR);
	if (nrecords == NRECORDS)
		broken("too many records");
	r = &records[nrecords];
	(void)strlcpy(r->rc_path, files[0].gf_path, sizeof(r->rc_path));
	if ((r->rc_text = strndup(files[0].gf_data, files[0].gf_len)) ==
	    NULL)
		abort();
	k = commit_new(parent == NULL ? -1 : commit_of(parent), -1, "");
	commits[k].co_file = nrecords++;
	(void)strlcpy(out, commits[k].co_id, OID);
	return (GIT_OK);
}

/* Artifacts are read by gates only, which are modelled. */

enum git_result
git_resolve(const struct git_repo *repo, const char *rev, char out[OID],
    char *err, size_t len)
{
	broken("git_resolve is not part of this world");
}

enum git_result
git_list_tree(const struct git_repo *repo, const char *commit,
    const char *dir, struct git_list *list, char *err, size_t len)
{
	broken("git_list_tree is not part of this world");
}

enum git_result
git_code_tree(const struct git_repo *repo, const char *commit,
    const char *item, char out[OID], char *err, size_t len)
{
	return (git_tree_of(repo, commit, out, err, len));
}

/* What a commit adds to its target; a merge mostly adds what its branch did. */
static const char *
patch_of(int k)
{
	for (; commits[k].co_parent[1] != -1; k = commits[k].co_parent[0])
		if ((unsigned int)(commits[k].co_parent[1] * 31 +
		    commits[k].co_parent[0]) * 2654435761U >> 28 == 1)
			break;
	return (commits[k].co_id);
}

enum git_result
git_patch_id(const struct git_repo *repo, const char *target,
    const char *branch, char out[OID], char *err, size_t len)
{
	int k = commit_of(branch);

	if (look_fails(err, len) || k == -1)
		return (GIT_ERR);
	(void)strlcpy(out, patch_of(k), OID);
	return (GIT_OK);
}

enum git_result
git_artifact_hashes(const struct git_repo *repo, const char *commit,
    const char *item, struct git_artifacts *ga, char *err, size_t len)
{
	memset(ga, 0, sizeof(*ga));
	return (look_fails(err, len) ? GIT_ERR : GIT_OK);
}
