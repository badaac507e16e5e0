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

#include <bsd/string.h>

#include "engine.h"
#include "landing.h"
#include "pass.h"
#include "runs.h"

/* RUN_GO: what the engine knows of a run, beside the configuration. */

/* Ports of a workspace: a range of its own below the ephemeral. */
#define PORT_BASE	20000
#define PORT_RANGE	20
#define PORT_SLOTS	500

#define NOPTIONS	8

struct go_texts {
	char		 request[262145];
	char		 feedback[65537];
	char		 branch[257];
	char		 author[128];
	char		 options[NOPTIONS][128];
	const char	*list[NOPTIONS + 1];
	size_t		 n;
};

static void
add_option(struct go_texts *x, const char *name, const char *value)
{
	if (x->n >= NOPTIONS)
		return;
	snprintf(x->options[x->n], sizeof(x->options[0]), "%s=%s", name,
	    value);
	x->list[x->n] = x->options[x->n];
	x->n++;
}

static void
add_number(struct go_texts *x, const char *name, int64_t v)
{
	char buf[32];

	snprintf(buf, sizeof(buf), "%lld", (long long)v);
	add_option(x, name, buf);
}

static void
edge_options(struct go_texts *x, const struct conf_project *cp)
{
	static const struct {
		const char	*name;
		enum conf_cmd	 cmd;
	} cmds[] = {
		{ "staging", CONF_CMD_STAGING_CHECK },
		{ "security", CONF_CMD_SECURITY },
		{ "coverage", CONF_CMD_COVERAGE },
		{ "image", CONF_CMD_IMAGE_BUILD },
	};
	size_t i;

	for (i = 0; i < sizeof(cmds) / sizeof(cmds[0]); i++)
		add_number(x, cmds[i].name,
		    cp->cp_cmd[cmds[i].cmd].cc_argv.sl_n > 0);
	add_number(x, "retest", conf_merge_gate_on(eng.e_conf, cp));
	add_number(x, "ci_wait_timeout_s", conf_int(eng.e_conf, cp,
	    OPT_CI_WAIT_TIMEOUT_S));
	add_number(x, "merge_infra_max_retries", conf_int(eng.e_conf, cp,
	    OPT_MERGE_INFRA_MAX_RETRIES));
}

static void
monitor_options(struct go_texts *x, const struct conf_project *cp)
{
	char ratio[32];

	add_number(x, "interval_s", conf_int(eng.e_conf, cp,
	    OPT_POST_DEPLOY_INTERVAL_S));
	add_number(x, "window_s", conf_int(eng.e_conf, cp,
	    OPT_POST_DEPLOY_WINDOW_S));
	snprintf(ratio, sizeof(ratio), "%g", conf_ratio(eng.e_conf, cp,
	    OPT_POST_DEPLOY_FAIL_RATIO));
	add_option(x, "fail_ratio", ratio);
}

static void
kind_options(struct go_texts *x, const struct run *r, const struct task *t,
    const struct job *j, const struct conf_project *cp)
{
	if (r->r_kind == KIND_IMPORT)
		add_number(x, "author_run", j->j_for_run);
	if (r->r_kind == KIND_CLEAN)
		add_option(x, "dir", j->j_args + strcspn(j->j_args, "=") + 1);
	if (r->r_kind == KIND_MONITOR)
		monitor_options(x, cp);
	if (strcmp(r->r_gate, "check_staging_status") == 0)
		add_number(x, "infra_tolerance", conf_bool(eng.e_conf, cp,
		    OPT_STAGING_INFRA_TOLERANCE_ENABLED));
	if (strcmp(r->r_work, "edge") == 0)
		edge_options(x, cp);
	if ((strcmp(r->r_work, "edge") == 0 || strcmp(r->r_work, "close") ==
	    0) && landing_is_made_there(t))
		add_option(x, "merge_method", conf_merge_name(cp->cp_merge));
	/* No worker of it has begun a merge: what landed is a person's. */
	if (strcmp(r->r_work, "close") == 0)
		add_number(x, "outside", t->t_stage < STAGE_DEPLOY_STAGING &&
		    store_int(eng.e_store, 1, Q_MERGE_BEGUN, "i", t->t_id) ==
		    0);
	if (strcmp(r->r_work, "finish") == 0)
		add_number(x, "exit", store_int(eng.e_store, -1,
		    Q_DEPLOY_CODE, "ii", t->t_id, t->t_seq));
}

/* The branch of the task: fixed when its first agent of a branch starts. */
static int
fix_branch(const struct task *t, struct go_texts *x)
{
	if (t->t_branch[0] != '\0') {
		strlcpy(x->branch, t->t_branch, sizeof(x->branch));
		return (0);
	}
	task_branch(t, store_int(eng.e_store, 0, Q_TASK_BRANCH_ROUND, "i",
	    t->t_id), x->branch, sizeof(x->branch));
	return (store_run_one(eng.e_store, Q_TASK_BRANCH, "si", x->branch,
	    t->t_id) == STORE_OK ? 0 : -1);
}

static void
read_texts(const struct task *t, struct go_texts *x)
{
	sqlite3_stmt *q;

	q = store_bind(eng.e_store, Q_TASK_TEXTS, "i", t->t_id);
	if (store_step(eng.e_store, q) == STORE_OK) {
		strlcpy(x->request, col_text(q, 0), sizeof(x->request));
		strlcpy(x->feedback, col_text(q, 1), sizeof(x->feedback));
		strlcpy(x->author, col_text(q, 2), sizeof(x->author));
	}
	sqlite3_reset(q);
}

/* What the work "record" commits. */
static void
read_record(const struct task *t, struct go_texts *x)
{
	sqlite3_stmt *q;

	q = store_bind(eng.e_store, Q_RECORD_TEXT, "iis", t->t_id, t->t_round,
	    "16-post-deploy-log.md");
	if (store_step(eng.e_store, q) == STORE_OK)
		strlcpy(x->feedback, col_text(q, 0), sizeof(x->feedback));
	sqlite3_reset(q);
}

static void
fill(struct orch_run_go *go, const struct run *r, const struct task *t,
    const struct job *j, const struct conf_project *cp, struct go_texts *x)
{
	memset(go, 0, sizeof(*go));
	go->run = (uint64_t)r->r_id;
	go->task = t->t_key;
	go->title = t->t_title;
	go->stage = stage_name(t->t_stage);
	go->seq = (uint64_t)r->r_seq;
	go->round = (uint32_t)t->t_round;
	go->role = r->r_role;
	go->gate = r->r_gate;
	go->work = r->r_work;
	go->branch = x->branch;
	go->target = cp->cp_target;
	go->author = x->author;
	go->base = r->r_base;
	go->head = t->t_head;
	go->commit = r->r_kind == KIND_GATE ? j->j_commit : t->t_published;
	go->tree = t->t_tree;
	if (t->t_stage == STAGE_DEPLOY || t->t_stage == STAGE_DONE) {
		go->commit = t->t_landed;
		go->tree = t->t_landed_tree;
		go->base = t->t_previous;
	}
	if (r->r_kind == KIND_HOOK)
		go->commit = j->j_commit;
	/* A forge elsewhere: not looked for among all that are open. */
	if (strcmp(r->r_work, "edge") == 0)
		go->pull = (uint64_t)store_int(eng.e_store, 0, Q_PULL_SEEN,
		    "ss", t->t_project, go->branch);
	go->request.b_data = (const uint8_t *)x->request;
	go->request.b_len = strlen(x->request);
	go->feedback.b_data = (const uint8_t *)x->feedback;
	go->feedback.b_len = strlen(x->feedback);
	go->port_base = (uint32_t)(PORT_BASE + PORT_RANGE *
	    (r->r_id % PORT_SLOTS));
	go->options.l_argv = x->list;
}

int
run_send_go(struct peer *p, const struct run *r)
{
	static struct go_texts x;
	const struct conf_project *cp;
	struct orch_run_go go;
	struct task t;
	struct job j;
	int fd = -1;

	memset(&x, 0, sizeof(x));
	if (task_get(r->r_task, &t) != STORE_OK ||
	    job_get(r->r_job, &j) != STORE_OK)
		return (-1);
	/* It goes on with what it was told before (see run_hello). */
	if ((cp = eng_project(t.t_project)) == NULL)
		return (0);
	if (r->r_kind == KIND_IMPORT && (fd = bundle_fd(j.j_for_run)) == -1)
		return (0);	/* the agent's runner will send it */
	if (fix_branch(&t, &x) == -1)
		return (-1);
	if (r->r_kind == KIND_AGENT)
		read_texts(&t, &x);
	if (strcmp(r->r_work, "record") == 0)
		read_record(&t, &x);
	kind_options(&x, r, &t, &j, cp);
	fill(&go, r, &t, &j, cp, &x);
	if (store_run(eng.e_store, Q_RUN_GO, "ii", eng_now(), r->r_id) !=
	    STORE_OK)
		return (-1);
	pass_send(p->p_id, ORCH_run_go, 0, &go, fd);
	return (0);
}
