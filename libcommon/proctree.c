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

#include <sys/types.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "monotime.h"
#include "proclog.h"
#include "procspawn.h"
#include "procsweep.h"
#include "proctree.h"

#define GRACE_MS	5000	/* default of grace_ms */
#define SWEEP_MS	10	/* between two looks at what is left */
#define GRACE_STEP_MS	50	/* the same while grace runs */
#define KILL_MS		10000	/* then what is left cannot be killed */
#define DRAIN_MS	1000	/* for output after the end */
#define TREES_MAX	64
#define READ_MAX	(64 * 1024)

enum pt_state {
	PT_RUN,			/* the leader runs, within its time */
	PT_TERM,		/* TERM was sent, grace runs */
	PT_KILL,		/* KILL is sent until nothing lives */
	PT_DRAIN,		/* all ended; the rest of the output */
	PT_DONE
};

struct proctree {
	struct event_base	*pt_base;
	enum pt_state		 pt_state;
	struct procspawn	 pt_sp;
	int			 pt_exited;	/* leader ended, not reaped */
	int			 pt_keep;
	uint32_t		 pt_grace_ms;
	struct monotime		 pt_began;
	struct monotime		 pt_state_since;
	struct event		*pt_ev_out;
	struct event		*pt_ev_err;
	struct event		*pt_ev_exit;
	struct event		*pt_ev_timer;
	struct proclog		*pt_log;
	struct proctree_result	 pt_res;
	proctree_done_cb	 pt_done;
	void			*pt_arg;
};

/* Trees of this process that have not ended, to tell whose an orphan is. */
static struct proctree	*trees[TREES_MAX];
static size_t		 ntrees;
static int		 strays_kept;	/* a hook left a deployment here */

static int
tree_register(struct proctree *pt)
{
	if (ntrees == TREES_MAX) {
		errno = EAGAIN;
		return (-1);
	}
	trees[ntrees++] = pt;
	return (0);
}

static void
tree_unregister(struct proctree *pt)
{
	size_t	 i;

	for (i = 0; i < ntrees; i++)
		if (trees[i] == pt) {
			trees[i] = trees[--ntrees];
			return;
		}
}

/* Sends sig (0: nothing) to all members and returns how many still live. */
static int
tree_sweep(struct proctree *pt, int sig)
{
	struct procsweep	 ps;
	pid_t			 others[TREES_MAX];
	size_t			 i, nrunning = 0;

	memset(&ps, 0, sizeof(ps));
	ps.ps_leader = pt->pt_sp.sp_pid;
	ps.ps_others = others;
	for (i = 0; i < ntrees; i++)
		if (trees[i] != pt) {
			others[ps.ps_nothers++] = trees[i]->pt_sp.sp_pid;
			nrunning += trees[i]->pt_state < PT_DRAIN;
		}
	ps.ps_strays = nrunning == 0 && !strays_kept;
	return (procsweep_signal(&ps, sig));
}

static void
timer_set(struct proctree *pt, uint32_t ms)
{
	struct timeval	 tv;

	tv.tv_sec = ms / 1000;
	tv.tv_usec = (suseconds_t)(ms % 1000) * 1000;
	if (evtimer_add(pt->pt_ev_timer, &tv) == -1)
		event_active(pt->pt_ev_timer, EV_TIMEOUT, 0);
}

static void
state_set(struct proctree *pt, enum pt_state s)
{
	pt->pt_state = s;
	pt->pt_state_since = monotime_now();
}

static uint32_t
state_age_ms(const struct proctree *pt)
{
	return ((uint32_t)monotime_sub_ms(monotime_now(),
	    pt->pt_state_since));
}

/* Takes the leader's status and leaves it a zombie: its number stays ours. */
static int
leader_status(struct proctree *pt)
{
	siginfo_t	 si;

	memset(&si, 0, sizeof(si));
	if (pt->pt_exited)
		return (1);
	/* ECHILD: somebody took the status; that it ended is all we know. */
	if (waitid(P_PID, (id_t)pt->pt_sp.sp_pid, &si,
	    WEXITED | WNOHANG | WNOWAIT) == -1) {
		if (errno != ECHILD)
			return (0);
	} else if (si.si_pid == 0)
		return (0);
	pt->pt_exited = 1;
	pt->pt_res.duration_ms = (uint64_t)monotime_sub_ms(monotime_now(),
	    pt->pt_began);
	if (si.si_code == CLD_EXITED)
		pt->pt_res.exit_code = si.si_status;
	else
		pt->pt_res.sig = si.si_status;
	if (pt->pt_res.exec_failed)
		pt->pt_res.exit_code = -1;
	return (1);
}

static void
leader_reap(struct proctree *pt)
{
	if (pt->pt_exited)
		while (waitpid(pt->pt_sp.sp_pid, NULL, 0) == -1 &&
		    errno == EINTR)
			continue;
}

static void
out_close(struct event **ev, int *fd)
{
	if (*ev != NULL)
		event_free(*ev);
	*ev = NULL;
	if (*fd != -1)
		close(*fd);
	*fd = -1;
}

static void
tree_close(struct proctree *pt)
{
	out_close(&pt->pt_ev_out, &pt->pt_sp.sp_out);
	out_close(&pt->pt_ev_err, &pt->pt_sp.sp_err);
	out_close(&pt->pt_ev_exit, &pt->pt_sp.sp_pidfd);
	if (pt->pt_ev_timer != NULL)
		event_free(pt->pt_ev_timer);
	pt->pt_ev_timer = NULL;
}

static void
tree_done(struct proctree *pt)
{
	tree_close(pt);
	leader_reap(pt);
	tree_unregister(pt);
	proclog_finish(pt->pt_log, &pt->pt_res);
	state_set(pt, PT_DONE);
	/* It may free pt: nothing after this. */
	pt->pt_done(pt, &pt->pt_res, pt->pt_arg);
}

static void
drain_begin(struct proctree *pt)
{
	state_set(pt, PT_DRAIN);
	timer_set(pt, pt->pt_sp.sp_out == -1 && pt->pt_sp.sp_err == -1 ?
	    0 : DRAIN_MS);
}

/*
 * One look.  While grace runs nobody is killed; afterwards all are, again and
 * again, since a look can miss what was forked during it.
 */
static void
end_step(struct proctree *pt)
{
	int	 n;

	if (pt->pt_state == PT_TERM && state_age_ms(pt) >= pt->pt_grace_ms)
		state_set(pt, PT_KILL);
	n = tree_sweep(pt, pt->pt_state == PT_KILL ? SIGKILL : 0);
	if (leader_status(pt) && n == 0) {
		drain_begin(pt);
		return;
	}
	if (pt->pt_state == PT_KILL && state_age_ms(pt) >= KILL_MS) {
		pt->pt_res.left = n > 0 ? n : 1;
		drain_begin(pt);
		return;
	}
	timer_set(pt, pt->pt_state == PT_KILL ? SWEEP_MS : GRACE_STEP_MS);
}

static void
term_begin(struct proctree *pt)
{
	state_set(pt, PT_TERM);
	(void)tree_sweep(pt, SIGTERM);
	timer_set(pt, SWEEP_MS);
}

static void
timer_cb(int fd, short what, void *arg)
{
	struct proctree	*pt = arg;

	switch (pt->pt_state) {
	case PT_RUN:
		if (leader_status(pt))
			return;		/* its end is about to be seen */
		pt->pt_res.timed_out = 1;
		term_begin(pt);
		return;
	case PT_TERM:
	case PT_KILL:
		end_step(pt);
		return;
	case PT_DRAIN:
		tree_done(pt);
		return;
	case PT_DONE:
		return;
	}
}

static void
exit_cb(int fd, short what, void *arg)
{
	struct proctree	*pt = arg;

	if (!leader_status(pt))
		return;
	event_free(pt->pt_ev_exit);
	pt->pt_ev_exit = NULL;
	if (pt->pt_state == PT_DRAIN || pt->pt_state == PT_DONE)
		return;
	if (pt->pt_state == PT_RUN && pt->pt_keep) {
		strays_kept = 1;
		drain_begin(pt);
		return;
	}
	if (pt->pt_state == PT_RUN)
		state_set(pt, PT_KILL);
	end_step(pt);
}

static void
read_out(struct proctree *pt, struct event **ev, int *fd, int stream)
{
	static char	 buf[READ_MAX];
	ssize_t		 n;

	n = read(*fd, buf, sizeof(buf));
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0) {
		proclog_feed(pt->pt_log, stream, buf, (size_t)n);
		return;
	}
	out_close(ev, fd);
	if (pt->pt_state == PT_DRAIN)
		drain_begin(pt);	/* at once, if it was the last */
}

static void
out_cb(int fd, short what, void *arg)
{
	struct proctree	*pt = arg;

	read_out(pt, &pt->pt_ev_out, &pt->pt_sp.sp_out, 1);
}

static void
err_cb(int fd, short what, void *arg)
{
	struct proctree	*pt = arg;

	read_out(pt, &pt->pt_ev_err, &pt->pt_sp.sp_err, 2);
}

static int
add_events(struct proctree *pt)
{
	pt->pt_ev_out = event_new(pt->pt_base, pt->pt_sp.sp_out,
	    EV_READ | EV_PERSIST, out_cb, pt);
	pt->pt_ev_err = event_new(pt->pt_base, pt->pt_sp.sp_err,
	    EV_READ | EV_PERSIST, err_cb, pt);
	pt->pt_ev_exit = event_new(pt->pt_base, pt->pt_sp.sp_pidfd,
	    EV_READ | EV_PERSIST, exit_cb, pt);
	pt->pt_ev_timer = evtimer_new(pt->pt_base, timer_cb, pt);
	if (pt->pt_ev_out == NULL || pt->pt_ev_err == NULL ||
	    pt->pt_ev_exit == NULL || pt->pt_ev_timer == NULL ||
	    event_add(pt->pt_ev_out, NULL) == -1 ||
	    event_add(pt->pt_ev_err, NULL) == -1 ||
	    event_add(pt->pt_ev_exit, NULL) == -1)
		return (-1);
	return (0);
}

/* Everything dead now, without a loop of events. */
static void
tree_kill_now(struct proctree *pt)
{
	struct timespec	 pause = { 0, SWEEP_MS * 1000000L };
	int		 i;

	for (i = 0; i < KILL_MS / SWEEP_MS; i++) {
		if (tree_sweep(pt, SIGKILL) == 0 && leader_status(pt))
			break;
		(void)nanosleep(&pause, NULL);
	}
	leader_reap(pt);
}

static struct proctree *
tree_new(struct event_base *base, const struct proctree_opts *o,
    proctree_done_cb done, void *arg)
{
	struct proctree	*pt;

	if ((pt = calloc(1, sizeof(*pt))) == NULL)
		return (NULL);
	pt->pt_base = base;
	pt->pt_keep = o->keep_children;
	pt->pt_grace_ms = o->grace_ms != 0 ? o->grace_ms : GRACE_MS;
	pt->pt_done = done;
	pt->pt_arg = arg;
	pt->pt_res.exit_code = -1;
	pt->pt_sp.sp_pidfd = pt->pt_sp.sp_out = pt->pt_sp.sp_err = -1;
	if ((pt->pt_log = proclog_new(o)) == NULL) {
		free(pt);
		return (NULL);
	}
	return (pt);
}

struct proctree *
proctree_start(struct event_base *base, const struct proctree_opts *o,
    proctree_done_cb done, void *arg, char *err, size_t errlen)
{
	struct proctree	*pt;
	const char	*what = "memory";
	int		 saved;

	if ((pt = tree_new(base, o, done, arg)) == NULL)
		goto fail;
	what = "subreaper";
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == -1)
		goto fail;
	pt->pt_began = pt->pt_state_since = monotime_now();
	what = "process";
	if (procspawn(o, &pt->pt_sp) == -1)
		goto fail;
	what = "more than 64 commands at once";
	if (tree_register(pt) == -1)
		goto kill;
	pt->pt_res.exec_failed = pt->pt_sp.sp_exec_errno;
	what = "events";
	if (add_events(pt) == -1)
		goto kill;
	if (o->timeout_ms != 0)
		timer_set(pt, o->timeout_ms);
	return (pt);
kill:
	saved = errno;
	tree_kill_now(pt);
	errno = saved;
fail:
	saved = errno;
	if (err != NULL)
		(void)snprintf(err, errlen, "cannot start %s: %s: %s",
		    o->argv != NULL && o->argv[0] != NULL ? o->argv[0] :
		    "a command without a name", what, strerror(saved));
	if (pt != NULL) {
		tree_unregister(pt);
		tree_close(pt);
		proclog_free(pt->pt_log);
		free(pt);
	}
	errno = saved;
	return (NULL);
}

void
proctree_end(struct proctree *pt)
{
	if (pt->pt_state != PT_RUN)
		return;
	pt->pt_res.ended = 1;
	term_begin(pt);
}

void
proctree_free(struct proctree *pt)
{
	if (pt == NULL)
		return;
	if (pt->pt_state != PT_DONE) {
		if (pt->pt_state == PT_DRAIN)
			leader_reap(pt);
		else
			tree_kill_now(pt);
		tree_unregister(pt);
		tree_close(pt);
	}
	proclog_free(pt->pt_log);
	free(pt);
}

pid_t
proctree_pid(const struct proctree *pt)
{
	return (pt->pt_sp.sp_pid);
}

static void
run_done(struct proctree *pt, const struct proctree_result *res, void *arg)
{
	struct proctree_result	*out = arg;

	*out = *res;
	(void)event_base_loopbreak(pt->pt_base);
}

int
proctree_run(const struct proctree_opts *o, struct proctree_result *res)
{
	struct event_base	*base;
	struct proctree		*pt;
	int			 saved;

	memset(res, 0, sizeof(*res));
	res->exit_code = -1;
	if ((base = event_base_new()) == NULL) {
		errno = ENOMEM;
		return (-1);
	}
	pt = proctree_start(base, o, run_done, res, NULL, 0);
	saved = errno;
	if (pt != NULL)
		(void)event_base_dispatch(base);
	proctree_free(pt);
	event_base_free(base);
	errno = saved;
	return (pt != NULL ? 0 : -1);
}
