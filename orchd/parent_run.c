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

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bsd/stdlib.h>
#include <bsd/string.h>

#include "libcommon/ident.h"
#include "libcommon/log.h"

#include "parent.h"

/* Runs: one process each, in a session of its own, with one descriptor. */

static struct run_proc *
run_add(pid_t pid, uint64_t run)
{
	struct run_proc	*rp;

	if ((rp = calloc(1, sizeof(*rp))) == NULL)
		fatalx("out of memory");
	rp->rp_pid = pid;
	rp->rp_run = run;
	rp->rp_next = par.p_runs;
	par.p_runs = rp;
	return (rp);
}

void
run_remember(pid_t pid, uint64_t run)
{
	(void)run_add(pid, run);
}

static void
run_chan_message(struct chan *c, const struct orch_header *h,
    const union orch_any *any, int *fd, void *arg)
{
	/* It has nothing to say here: it speaks to the engine. */
}

static void
run_chan_end(struct chan *c, const char *why, void *arg)
{
	struct run_proc	*rp = arg;

	chan_free(c);
	rp->rp_chan = NULL;
}

static int
open_log(uint64_t run, char *err, size_t errlen)
{
	char	 path[PATH_MAX];
	int	 fd;

	snprintf(path, sizeof(path), "%s/log/%llu.log", par.p_conf->cf_state,
	    (unsigned long long)run);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC,
	    0600);
	if (fd == -1)
		snprintf(err, errlen, "log %.300s: %s", path,
		    strerror(errno));
	return (fd);
}

/* Start the process and send it its description. */
static struct run_proc *
start(const struct run_plan *rl, int logfd, char *err, size_t errlen)
{
	const char	*path, *argv[3] = { NULL, NULL, NULL };
	char		 title[PATH_MAX];
	struct run_proc	*rp;
	struct chan	*c;
	pid_t		 pid;
	int		 sv[2];

	path = run_plan_is_worker(rl) ? par.p_worker : par.p_runner;
	snprintf(title, sizeof(title), "%s: run %" PRIu64 " of %s",
	    run_plan_is_worker(rl) ? "finalizerd" : "runner",
	    run_plan_spec(rl)->run, par.p_conf->cf_state);
	argv[0] = title;
	argv[1] = run_plan_is_worker(rl) ? "-w" : NULL;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) == -1) {
		snprintf(err, errlen, "socketpair: %s", strerror(errno));
		return (NULL);
	}
	if (parent_exec(path, (char *const *)(uintptr_t)argv, sv[1], logfd,
	    &pid) == -1) {
		snprintf(err, errlen, "%.300s: %s", path,
		    strerror(errno));
		close(sv[0]);
		close(sv[1]);
		return (NULL);
	}
	close(sv[1]);
	rp = run_add(pid, run_plan_spec(rl)->run);
	c = chan_new(par.p_base, sv[0], 1, FROM_RUNS, run_chan_message,
	    run_chan_end, rp);
	if (c == NULL) {
		snprintf(err, errlen, "channel: %s", strerror(errno));
		close(sv[0]);
		return (NULL);
	}
	rp->rp_chan = c;
	if (chan_send(c, ORCH_run_spec, 0, run_plan_spec(rl), logfd) == -1) {
		snprintf(err, errlen, "run_spec: %s", errno == EMSGSIZE ?
		    "the configuration says more than one message holds" :
		    strerror(errno));
		(void)kill(pid, SIGKILL);
		return (NULL);
	}
	return (rp);
}

/* 0 and the identity of the new process, or -1 and why not. */
static int
spawn(const struct orch_spawn *rq, struct orch_spawned *answer, char *ident,
    char *err, size_t errlen)
{
	char		 prompts[PATH_MAX];
	struct run_paths pa = { par.p_runner, prompts, &par.p_env };
	struct run_plan	*rl;
	struct run_proc	*rp = NULL;
	struct ident	 id;
	int		 logfd = -1;

	parent_prompts(prompts, sizeof(prompts));
	if ((rl = run_plan_new(par.p_conf, &pa, rq, err, errlen)) == NULL)
		return (-1);
	if ((logfd = open_log(rq->run, err, errlen)) != -1)
		rp = start(rl, logfd, err, errlen);
	if (logfd != -1)
		close(logfd);
	run_plan_free(rl);
	if (rp == NULL)
		return (-1);
	answer->pid = rp->rp_pid;
	/* It may have ended already; then the engine hears of that too. */
	if (ident_of_pid(rp->rp_pid, &id) == -1 ||
	    ident_format(&id, ident, IDENT_TEXT_MAX) == -1)
		ident[0] = '\0';
	return (0);
}

void
run_spawn(uint32_t id, const struct orch_spawn *rq)
{
	struct orch_spawned	 answer;
	char			 err[512] = "", ident[IDENT_TEXT_MAX] = "";

	memset(&answer, 0, sizeof(answer));
	answer.run = rq->run;
	/* What an agent has handed in is still taken over. */
	if (par.p_phase != PHASE_SERVE && (par.p_phase != PHASE_QUIESCE ||
	    rq->kind != KIND_IMPORT))
		snprintf(err, sizeof(err), "orchd is ending");
	else if (spawn(rq, &answer, ident, err, sizeof(err)) == -1)
		log_warnx("run %llu: %s", (unsigned long long)rq->run, err);
	else
		log_debug("run %llu: %s, pid %d", (unsigned long long)rq->run,
		    orch_kind_name(rq->kind), (int)answer.pid);
	answer.ident = ident;
	answer.error = err;
	engine_send(ORCH_spawned, id, &answer, -1);
}

void
run_reaped(pid_t pid, int status)
{
	struct orch_exited	 m;
	struct run_proc		**rpp, *rp;

	for (rpp = &par.p_runs; (rp = *rpp) != NULL; rpp = &rp->rp_next)
		if (rp->rp_pid == pid)
			break;
	if (rp == NULL)
		return;		/* an orphan that came to us */
	*rpp = rp->rp_next;
	memset(&m, 0, sizeof(m));
	m.pid = pid;
	m.run = rp->rp_run;
	m.status = status;
	log_debug("run %llu: pid %d ended, status 0x%x",
	    (unsigned long long)rp->rp_run, (int)pid, (unsigned int)status);
	if (rp->rp_chan != NULL)
		chan_free(rp->rp_chan);
	free(rp);
	engine_send(ORCH_exited, 0, &m, -1);
	run_sweep();
}

static int
is_known(pid_t pid)
{
	const struct run_proc	*rp;

	if (children_protected(pid))
		return (1);
	for (rp = par.p_runs; rp != NULL; rp = rp->rp_next)
		if (rp->rp_pid == pid)
			return (1);
	return (0);
}

/* Does a process carry no_new_privs?  0 also when nobody can tell. */
static int
no_new_privs(pid_t pid)
{
	char	 path[64], line[256];
	FILE	*fp;
	int	 v = 0;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	if ((fp = fopen(path, "re")) == NULL)
		return (0);
	while (fgets(line, sizeof(line), fp) != NULL)
		if (strncmp(line, "NoNewPrivs:", 11) == 0) {
			v = strchr(line, '1') != NULL;
			break;
		}
	fclose(fp);
	return (v);
}

/*
 * Agents and gates carry no_new_privs, hooks never do.  One that became our
 * child has lost its runner.  Pids of our own children cannot be reused
 * before we reap them, so a plain kill hits nobody else.
 */
void
run_sweep(void)
{
	char		 path[64], word[32];
	const char	*errstr;
	FILE		*fp;
	pid_t		 pid;

	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 0)
		return;
	snprintf(path, sizeof(path), "/proc/self/task/%d/children",
	    (int)getpid());
	if ((fp = fopen(path, "re")) == NULL)
		return;
	while (fscanf(fp, "%31s", word) == 1) {
		pid = (pid_t)strtonum(word, 2, INT32_MAX, &errstr);
		if (errstr != NULL || is_known(pid) || !no_new_privs(pid))
			continue;
		log_warnx("process %d lost its runner, killed", (int)pid);
		(void)kill(pid, SIGKILL);
	}
	fclose(fp);
}
