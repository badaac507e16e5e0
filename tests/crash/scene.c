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
#include <sys/un.h>
#include <sys/wait.h>

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bsd/string.h>

#include "tour.h"

/* One case: turns of the world and its engines, until the goal is reached. */

#define TURNS		4000
#define IDLE_TURNS	300	/* without anything but time going by */
#define STEP_MS		20000
#define CEILING_MS	7200000	/* reaper_max_running_s */
#define REFUSALS	20	/* until somebody makes room on the disk */

static pid_t	engine_pid;

void
blame(struct outside *o, enum fault fault, const char *fmt, ...)
{
	va_list ap;

	if (o->o_fault != FAULT_NONE)
		return;
	o->o_fault = fault;
	va_start(ap, fmt);
	(void)vsnprintf(o->o_said, sizeof(o->o_said), fmt, ap);
	va_end(ap);
}

void
fact(struct outside *o, const char *fmt, ...)
{
	va_list ap;

	if (o->o_nfacts == FACTS)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(o->o_facts[o->o_nfacts++], sizeof(o->o_facts[0]),
	    fmt, ap);
	va_end(ap);
}

static void __attribute__((noreturn))
end_world(int status)
{
	if (engine_pid > 0) {
		(void)kill(engine_pid, SIGKILL);
		(void)waitpid(engine_pid, NULL, 0);
	}
	_exit(status);
}

static int
listen_at(const struct scene *c, const char *name)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd;

	snprintf(un.sun_path, sizeof(un.sun_path), "%s/%s.sock", c->c_dir,
	    name);
	(void)unlink(un.sun_path);
	if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC |
	    SOCK_NONBLOCK, 0)) == -1 || bind(fd, (struct sockaddr *)&un,
	    sizeof(un)) == -1 || listen(fd, 64) == -1)
		end_world(WORLD_FAULT);
	return (fd);
}

static void
start_engine(struct scene *c)
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
	    c->c_parent) == -1 || socketpair(AF_UNIX, SOCK_STREAM |
	    SOCK_CLOEXEC, 0, c->c_orders) == -1)
		end_world(WORLD_FAULT);
	if ((engine_pid = fork()) == -1)
		end_world(WORLD_FAULT);
	if (engine_pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(c->c_parent[0]);
		close(c->c_orders[0]);
		engine_run(c);
	}
	close(c->c_parent[1]);
	close(c->c_orders[1]);
}

/* May an engine with this plan end by itself? */
static int
may_give_up(const struct outside *o)
{
	unsigned int n = o->o_engines - 1;

	return (n < CRASHES && o->o_plan[n].p_mode >= SHIM_IOERR);
}

/* The engine is gone: the next one starts, or the world is dark as well. */
static void
engine_ended(struct scene *c)
{
	struct outside *o = c->c_out;
	int status;

	(void)waitpid(engine_pid, &status, 0);
	engine_pid = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == SHIM_DEAD) {
		o->o_crashes++;
		if (o->o_plan[o->o_engines - 1].p_mode == SHIM_POWER)
			end_world(WORLD_DARK);
	} else if (o->o_fault != FAULT_NONE)
		end_world(WORLD_FAULT);
	else if (may_give_up(o))
		o->o_crashes++;
	else {
		blame(o, FAULT_OTHER, "the engine ended by itself (status "
		    "%#x)", (unsigned int)status);
		end_world(WORLD_FAULT);
	}
	close(c->c_parent[0]);
	close(c->c_orders[0]);
	actors_cut();
	start_engine(c);
}

static struct outside before;	/* the order that is carried out */

/* Let the engine work; 0: it is another one now. */
static int
order(struct scene *c, char what)
{
	char answer;

	if (c->c_tour != NULL)
		before = *c->c_out;
	if (write(c->c_orders[0], &what, 1) == 1 &&
	    read(c->c_orders[0], &answer, 1) == 1) {
		if (c->c_tour != NULL)
			tour_go_on(c, &before);
		return (1);
	}
	engine_ended(c);
	return (0);
}

static int
goal_reached(const struct scene *c, int64_t from)
{
	const struct shown *s = &c->c_out->o_shown;

	if (strcmp(c->c_script->s_goal, "parked") == 0)
		return (s->s_parked[0] != '\0');
	return (s->s_seq > from && strcmp(s->s_stage,
	    c->c_script->s_goal) == 0);
}

/* Somebody waits inside for being ended by them. */
static int
wanted_by(const struct scene *c, const char *who)
{
	return (c->c_out->o_hangs != 0 && c->c_out->o_nkilled == 0 &&
	    strcmp(c->c_script->s_ends, who) == 0);
}

/* What a person would do now, or NULL. */
static const char *
wish(const struct scene *c)
{
	struct outside *o = c->c_out;
	const struct shown *s = &o->o_shown;

	if (!s->s_there)
		return ("submit");
	if (wanted_by(c, "person"))
		return ("lease");
	if (c->c_script->s_cancel)
		return (s->s_cancel ? NULL : "cancel");
	if (s->s_parked[0] != '\0') {
		o->o_healed = c->c_script->s_retry;
		return (c->c_script->s_retry ? "retry" : NULL);
	}
	if (s->s_asked[0] == '\0' || s->s_deploys > 0)
		return (NULL);
	if (o->o_asked[0] == '\0')
		strlcpy(o->o_asked, s->s_asked_commit, sizeof(o->o_asked));
	if (c->c_script->s_reject && strcmp(o->o_asked,
	    s->s_asked_commit) == 0)
		return ("reject");
	return (strcmp(s->s_stage, "deploy") == 0 ? "confirm" : "approve");
}

static void
take_up(struct scene *c)
{
	struct outside *o = c->c_out;
	unsigned int i, n = o->o_nwanted;

	o->o_nwanted = 0;
	for (i = 0; i < n; i++)
		actor_run(c, &o->o_wanted[i]);
}

/* Nobody has anything to say: a person or finalizerd, or time goes by. */
static void
idle(struct scene *c)
{
	const char *verb = wish(c);
	static int patience;

	/* Nobody asks twice without having waited. */
	if (verb != NULL && !actor_is_there('p') && (patience ^= 1)) {
		actor_person(c, verb);
		return;
	}
	if (c->c_out->o_shown.s_deploys > 0 && !actor_is_there('d'))
		actor_daemon(c, ROLE_FINALIZERD);
	if (wanted_by(c, "reaper") && !actor_is_there('d')) {
		c->c_out->o_ms += CEILING_MS;
		actor_daemon(c, ROLE_REAPERD);
	}
	c->c_out->o_ms += STEP_MS;
	(void)order(c, 't');
}

static void
play(struct scene *c)
{
	int turn, quiet = 0, n, goal = 0;
	unsigned int no = 0;

	for (turn = 0; turn < TURNS && quiet < IDLE_TURNS; turn++) {
		n = actors_speak(c);
		if (!order(c, 's'))
			continue;
		n += actors_listen(c);
		goal = goal_reached(c, c->c_out->o_from);
		if (!goal && c->c_out->o_nwanted > 0) {
			take_up(c);
			n++;
		}
		quiet = n > 0 ? 0 : quiet + 1;
		if ((no += actors_refused()) > REFUSALS ||
		    quiet % REFUSALS == REFUSALS - 1) {
			no = 0;
			(void)order(c, 'h');
		}
		if (n > 0)
			continue;
		if (!goal || actors_busy())
			idle(c);
		else if (order(c, 'q'))
			return;
	}
	blame(c->c_out, FAULT_OTHER, "it does not reach %s: stage %s, "
	    "parked \"%s\"", c->c_script->s_goal, c->c_out->o_shown.s_stage,
	    c->c_out->o_shown.s_parked);
	end_world(WORLD_FAULT);
}

static void
begin(struct scene *c)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	c->c_listen[0] = listen_at(c, "engine");
	c->c_listen[1] = listen_at(c, "control");
	start_engine(c);
}

static void __attribute__((noreturn))
play_on(struct scene *c)
{
	play(c);
	(void)waitpid(engine_pid, NULL, 0);
	_exit(c->c_out->o_fault == FAULT_NONE ? WORLD_END : WORLD_FAULT);
}

void
world_run(struct scene *c)
{
	(void)sigaction(SIGPIPE, &(struct sigaction){ .sa_handler = SIG_IGN },
	    NULL);
	begin(c);
	play_on(c);
}

/* Does the first engine go on? */
static void
find_out(struct scene *c)
{
	char answer;
	int status;

	if (c->c_known == NULL || read(c->c_orders[0], &answer, 1) == 1)
		status = WORLD_END;
	else if (waitpid(engine_pid, &status, 0) != -1 && WIFEXITED(status)) {
		engine_pid = 0;
		status = WEXITSTATUS(status);
	} else
		status = WORLD_FAULT;
	if (c->c_tour != NULL && c->c_known != NULL)
		tour_go_on(c, &before);
	c->c_known = NULL;
	if (status == WORLD_END)
		return;
	if (status != WORLD_SAME)
		blame(c->c_out, FAULT_OTHER, "the engine does not start");
	end_world(status);
}

void
world_again(struct scene *c, uint64_t *known, enum shim_mode mode)
{
	/* Who wants to read of it plays it alone (crash -r). */
	(void)!freopen("/dev/null", "w", stderr);
	close(c->c_listen[0]);
	close(c->c_listen[1]);
	close(c->c_parent[0]);
	close(c->c_orders[0]);
	actors_cut();
	if (mode == SHIM_POWER) {
		actors_forget();
		c->c_out->o_nwanted = 0;
		c->c_out->o_boot++;
		c->c_out->o_hangs = 0;
	}
	before = *c->c_out;
	c->c_known = known;
	c->c_end = mode;
	begin(c);
	find_out(c);
	play_on(c);
}
