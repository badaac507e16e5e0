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
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bsd/stdlib.h>
#include <bsd/string.h>

#include "libcommon/log.h"

#include "parent.h"

#define BACKOFF_MIN_MS	100
#define BACKOFF_MAX_MS	60000
#define ENGINE_BACKOFF_MAX_MS 1500
#define LIVED_MS	60000	/* a life that makes up for crashes */
#define STOP_MS		5000	/* between TERM and KILL */
#define PINGS_MAX	6	/* of 10 s each */

struct child_def {
	const char	*cd_name;
	const char	*cd_program;	/* NULL: this one, with -E */
	enum orch_role	 cd_role;
};

static const struct child_def defs[CH_MAX] = {
	[CH_ENGINE] = { "engine", NULL, ROLE_ENGINE },
	[CH_RECONCILED] = { "reconciled", "reconciled", ROLE_RECONCILED },
	[CH_FINALIZERD] = { "finalizerd", "finalizerd", ROLE_FINALIZERD },
	[CH_WEBHOOK] = { "webhookd", "webhookd", ROLE_WEBHOOK },
	[CH_PAGE] = { "webhookd page", "webhookd", ROLE_PAGE },
	[CH_REAPERD] = { "reaperd", "reaperd", ROLE_REAPERD },
};

static void	child_message(struct chan *, const struct orch_header *,
		    const union orch_any *, int *, void *);
static void	child_chan_end(struct chan *, const char *, void *);
static void	renew_next(void);
static void	stop_next(void);

static enum child_id
child_id(const struct child *c)
{
	return ((enum child_id)(c - par.p_child));
}

const char *
child_name(const struct child *c)
{
	return (defs[child_id(c)].cd_name);
}

uint32_t
child_backoff(uint32_t last_ms, uint64_t lived_ms)
{
	uint32_t	 ms;

	if (last_ms == 0 || lived_ms >= LIVED_MS)
		return (BACKOFF_MIN_MS);
	ms = last_ms > BACKOFF_MAX_MS / 2 ? BACKOFF_MAX_MS : last_ms * 2;
	return (ms < BACKOFF_MIN_MS ? BACKOFF_MIN_MS : ms);
}

/* Does the configuration ask for it? */
static int
child_wanted(enum child_id id)
{
	size_t	 i;

	if (id != CH_WEBHOOK && id != CH_PAGE)
		return (1);
	for (i = 0; i < par.p_nlisten; i++)
		if (par.p_listen[i].l_role == (id == CH_WEBHOOK ?
		    CONF_LISTEN_WEBHOOK : CONF_LISTEN_PAGE))
			return (1);
	return (0);
}

int
children_protected(pid_t pid)
{
	size_t	 i;

	if (pid == getpid())
		return (1);
	for (i = 0; i < CH_MAX; i++)
		if (par.p_child[i].c_pid == pid)
			return (1);
	return (0);
}

void
engine_send(unsigned int type, uint32_t id, const void *msg, int fd)
{
	struct child	*c = &par.p_child[CH_ENGINE];

	if (c->c_chan == NULL)
		log_debug("engine is away: %s is not sent",
		    orch_msg(type)->m_name);
	else if (chan_send(c->c_chan, type, id, msg, fd) == -1)
		log_warn("engine: %s", orch_msg(type)->m_name);
}

int
engine_send_conf(void)
{
	struct orch_conf	 m = { .generation = par.p_conf_generation };
	static const char *const none[] = { NULL };
	struct strlist		 certs = { NULL, 0 };
	char			 readers[65], admins[65];
	FILE			*fp;
	int			 fd, rv = -1;

	secret_hash(par.p_conf->cf_read_token, "read", readers);
	secret_hash(par.p_conf->cf_admin_token, "admin", admins);
	m.read_token = readers;
	m.admin_token = admins;
	if ((fd = memfd_create("orchd.conf", MFD_CLOEXEC)) == -1)
		return (-1);
	if ((fp = fdopen(fd, "w")) == NULL) {
		close(fd);
		return (-1);
	}
	if (conf_print(par.p_conf, fp) == 0) {
		hand_certificates(&certs);
		m.certificates.l_argv = certs.sl_n == 0 ? none :
		    (const char *const *)certs.sl_v;
		engine_send(ORCH_conf, 0, &m, fd);
		strlist_free(&certs);
		rv = 0;
	}
	fclose(fp);
	return (rv);
}

/* A timer that calls cb once; made on first use. */
static void
timer_set(struct event **ev, event_callback_fn cb, void *arg, uint32_t ms)
{
	struct timeval	 tv;

	tv.tv_sec = (time_t)(ms / 1000);
	tv.tv_usec = (suseconds_t)(ms % 1000) * 1000;
	if (*ev == NULL && (*ev = evtimer_new(par.p_base, cb, arg)) == NULL)
		fatalx("timer");
	(void)evtimer_add(*ev, &tv);
}

static void
restart_cb(int fd, short what, void *arg)
{
	children_start();
}

/* Never with pid 0: that would be our own process group. */
static void
child_signal(const struct child *c, int sig)
{
	if (c->c_pid > 1)
		(void)kill(c->c_pid, sig);
}

static void
kill_cb(int fd, short what, void *arg)
{
	struct child	*c = arg;

	if (c->c_pid == 0)
		return;
	log_warnx("%s (pid %d) does not end, killed", child_name(c),
	    (int)c->c_pid);
	child_signal(c, SIGKILL);
}

/* Ask one to end; KILL follows when it does not. */
static void
child_term(struct child *c)
{
	c->c_stopping = c->c_asked = 1;
	child_signal(c, SIGTERM);
	/* A stopped process cannot act on TERM. */
	child_signal(c, SIGCONT);
	timer_set(&c->c_kill, kill_cb, c, STOP_MS);
}

/* Fork, exec, and a channel on descriptor 3 of the new process. */
static int
child_spawn(struct child *c)
{
	const struct child_def	*d = &defs[child_id(c)];
	char			 path[PATH_MAX], title[PATH_MAX];
	const char		*argv[4];
	int			 sv[2], n = 0, rv;
	uint32_t		 from;

	if (d->cd_program == NULL)
		strlcpy(path, par.p_self, sizeof(path));
	else if (parent_find_program(par.p_self, d->cd_program, path,
	    sizeof(path)) == -1) {
		log_warnx("%s: there is no program %s", d->cd_name, path);
		return (-1);
	}
	/* ps(1) tells which orchd a process belongs to. */
	snprintf(title, sizeof(title), "%s: %s", d->cd_name,
	    par.p_conf->cf_state);
	argv[n++] = title;
	if (d->cd_program == NULL)
		argv[n++] = "-E";
	if (par.p_debug)
		argv[n++] = "-d";
	argv[n] = NULL;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) == -1) {
		log_warn("%s", d->cd_name);
		return (-1);
	}
	rv = parent_exec(path, (char *const *)(uintptr_t)argv, sv[1], -1,
	    &c->c_pid);
	close(sv[1]);
	if (rv == -1) {
		log_warn("%s: %s", d->cd_name, path);
		close(sv[0]);
		c->c_pid = 0;
		return (-1);
	}
	from = 1U << d->cd_role;
	if ((c->c_chan = chan_new(par.p_base, sv[0], 1, from, child_message,
	    child_chan_end, c)) == NULL)
		fatal("%s: channel", d->cd_name);
	c->c_started_ms = parent_now_ms();
	c->c_ready = c->c_stopping = c->c_asked = 0;
	c->c_pings = 0;
	log_debug("%s: pid %d", d->cd_name, (int)c->c_pid);
	return (0);
}

/*
 * A fresh connection between a daemon and the engine: the engine gets its
 * end and learns who is at the other one.
 */
static int
connect_engine(const struct child *c, uint32_t *generation)
{
	struct orch_peer	 m;
	int			 sv[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) == -1) {
		log_warn("%s: connection to the engine", child_name(c));
		return (-1);
	}
	*generation = ++par.p_next_generation;
	memset(&m, 0, sizeof(m));
	m.role = (uint8_t)defs[child_id(c)].cd_role;
	m.generation = *generation;
	m.pid = c->c_pid;
	engine_send(ORCH_peer, 0, &m, sv[1]);
	close(sv[1]);
	return (sv[0]);
}

void
child_send(struct child *c, unsigned int type, const void *msg, int fd)
{
	if (chan_send(c->c_chan, type, 0, msg, fd) == -1)
		log_warn("%s: %s", child_name(c), orch_msg(type)->m_name);
}

static void
send_start(struct child *c)
{
	struct orch_child_start	 m;
	struct strlist		 opts = { NULL, 0 };
	int			 fd;

	memset(&m, 0, sizeof(m));
	if ((fd = connect_engine(c, &m.generation)) == -1)
		return;
	m.role = (uint8_t)defs[child_id(c)].cd_role;
	m.name = child_name(c);
	hand_options(&opts);
	m.options.l_argv = (const char *const *)opts.sl_v;
	child_send(c, ORCH_child_start, &m, fd);
	strlist_free(&opts);
	close(fd);
}

static void
daemon_begin(struct child *c)
{
	struct orch_child_go	 go;

	if (child_spawn(c) == -1)
		return;
	send_start(c);
	hand_over(c, child_id(c));
	memset(&go, 0, sizeof(go));
	go.role = (uint8_t)defs[child_id(c)].cd_role;
	child_send(c, ORCH_child_go, &go, -1);
}

static void
engine_begin(struct child *c)
{
	struct orch_listen	 l;
	struct orch_engine_go	 go;
	char			 dir[PATH_MAX];

	if (child_spawn(c) == -1)
		return;
	if (engine_send_conf() == -1)
		log_warn("engine: configuration");
	l.name = "engine.sock";
	child_send(c, ORCH_listen, &l, par.p_engine_sock);
	l.name = "control.sock";
	child_send(c, ORCH_listen, &l, par.p_control_sock);
	snprintf(dir, sizeof(dir), "%s", par.p_self);
	*strrchr(dir, '/') = '\0';
	go.self_dir = dir;
	child_send(c, ORCH_engine_go, &go, -1);
}

/* Is everybody before this one serving, or known to be in trouble? */
static int
others_settled(enum child_id id)
{
	const struct child	*c;
	size_t			 i;

	for (i = 0; i < (size_t)id; i++) {
		c = &par.p_child[i];
		if (child_wanted((enum child_id)i) && !c->c_ready &&
		    c->c_restarts == 0)
			return (0);
	}
	return (1);
}

static void
schedule(struct child *c)
{
	uint32_t	 ms = c->c_backoff_ms;

	/* Without the engine nobody gets an answer. */
	if (child_id(c) == CH_ENGINE && ms > ENGINE_BACKOFF_MAX_MS)
		ms = ENGINE_BACKOFF_MAX_MS;
	timer_set(&c->c_restart, restart_cb, c, ms +
	    arc4random_uniform(ms / 4 + 1));
}

void
children_start(void)
{
	struct child	*c;
	size_t		 i;

	if (par.p_phase != PHASE_SERVE)
		return;
	for (i = 0; i < CH_MAX; i++) {
		c = &par.p_child[i];
		if (c->c_pid != 0 || !child_wanted((enum child_id)i) ||
		    (c->c_restart != NULL &&
		    evtimer_pending(c->c_restart, NULL)))
			continue;
		if (i != CH_ENGINE && !par.p_child[CH_ENGINE].c_ready)
			return;
		if (i == CH_REAPERD && !others_settled(CH_REAPERD))
			return;
		if (i == CH_ENGINE)
			engine_begin(c);
		else
			daemon_begin(c);
		if (c->c_pid == 0) {
			c->c_restarts++;
			c->c_backoff_ms = child_backoff(c->c_backoff_ms, 0);
			schedule(c);
		}
	}
}

/* The new engine is up: living daemons get a connection to it. */
static void
reconnect_daemons(void)
{
	struct orch_child_engine m;
	struct child		*c;
	size_t			 i;
	int			 fd;

	for (i = CH_ENGINE + 1; i < CH_MAX; i++) {
		c = &par.p_child[i];
		if (c->c_chan == NULL || c->c_stopping)
			continue;
		if ((fd = connect_engine(c, &m.generation)) == -1)
			continue;
		child_send(c, ORCH_child_engine, &m, fd);
		close(fd);
	}
}

static void
child_is_ready(struct child *c)
{
	c->c_ready = 1;
	log_info("%s is ready (pid %d)", child_name(c), (int)c->c_pid);
	if (child_id(c) == CH_ENGINE)
		reconnect_daemons();
	if (c->c_renewing) {
		c->c_renewing = 0;
		renew_next();
	}
	children_start();
	parent_child_ready();
}

static void
child_message(struct chan *ch, const struct orch_header *h,
    const union orch_any *any, int *fd, void *arg)
{
	struct child	*c = arg;

	switch (h->h_type) {
	case ORCH_pong:
		c->c_pings = 0;
		break;
	case ORCH_ping:
		(void)chan_send(ch, ORCH_pong, h->h_id, any, -1);
		break;
	case ORCH_child_ready:
		if (!c->c_ready)
			child_is_ready(c);
		break;
	default:
		if (child_id(c) == CH_ENGINE)
			parent_on_engine(h, any);
		else
			log_warnx("%s sends %s, ignored", child_name(c),
			    orch_msg(h->h_type)->m_name);
	}
}

/* It ends, or it broke the rules: then it is made to end. */
static void
child_chan_end(struct chan *ch, const char *why, void *arg)
{
	struct child	*c = arg;

	log_debug("%s: channel: %s", child_name(c), why);
	chan_free(ch);
	c->c_chan = NULL;
	if (c->c_pid != 0 && !c->c_stopping) {
		c->c_stopping = 1;
		timer_set(&c->c_kill, kill_cb, c, 1000);
	}
}

/* Its own list of calls ended it; whose fault that is, a person must see. */
static void
log_sandbox_end(const struct child *c, pid_t pid)
{
	log_warnx("%s (pid %d) was killed by its own sandbox (SIGSYS): it "
	    "made a system call that it has no use for; the kernel's log "
	    "(journalctl -k, or dmesg) tells which, in a line with type=1326, "
	    "pid=%d and syscall=; after an update of the C library, libevent "
	    "or OpenSSL go back to the one before and report that line; "
	    "without one, take it for an attack: look in this log for what "
	    "came just before", child_name(c), (int)pid, (int)pid);
}

static void
log_end(const struct child *c, pid_t pid, int status)
{
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		log_sandbox_end(c, pid);
	else if (WIFSIGNALED(status))
		log_warnx("%s (pid %d) ended by signal %d", child_name(c),
		    (int)pid, WTERMSIG(status));
	else if (par.p_phase == PHASE_SERVE && !c->c_renewing)
		log_warnx("%s (pid %d) ended with status %d", child_name(c),
		    (int)pid, WEXITSTATUS(status));
}

/* Five crashes in a minute are worth an alert. */
static void
note_crash(struct child *c)
{
	struct orch_daemon_down	 m;
	uint64_t		 now = parent_now_ms(), first;

	memmove(c->c_crash_ms, c->c_crash_ms + 1,
	    sizeof(c->c_crash_ms) - sizeof(c->c_crash_ms[0]));
	c->c_crash_ms[CRASH_WINDOW - 1] = now;
	first = c->c_crash_ms[0];
	if (first == 0 || now - first > LIVED_MS)
		return;
	log_warnx("%s crashed %d times in a minute", child_name(c),
	    CRASH_WINDOW);
	m.name = child_name(c);
	m.restarts = c->c_restarts;
	m.retry_ms = c->c_backoff_ms;
	engine_send(ORCH_daemon_down, 0, &m, -1);
}

/* The first engine ends by itself before it served: it has said why. */
static int
refused_to_start(const struct child *c, int status)
{
	return (child_id(c) == CH_ENGINE && !par.p_announced && !c->c_ready &&
	    WIFEXITED(status) && WEXITSTATUS(status) != 0);
}

static void
child_clear(struct child *c)
{
	if (c->c_chan != NULL) {
		chan_free(c->c_chan);
		c->c_chan = NULL;
	}
	if (c->c_kill != NULL)
		evtimer_del(c->c_kill);
	c->c_pid = 0;
	c->c_ready = c->c_stopping = c->c_asked = 0;
}

/* One ended while we serve: start it again, at once when we replace it. */
static void
child_again(struct child *c, int asked, uint64_t lived)
{
	if (c->c_renewing && asked && child_wanted(child_id(c))) {
		children_start();
		return;
	}
	if (!asked) {
		c->c_restarts++;
		c->c_backoff_ms = child_backoff(c->c_backoff_ms, lived);
		note_crash(c);
		schedule(c);
	}
	if (c->c_renewing) {
		c->c_renewing = 0;
		renew_next();
	}
	children_start();
}

int
children_reaped(pid_t pid, int status)
{
	struct child	*c;
	uint64_t	 lived;
	size_t		 i;
	int		 refused, asked;

	for (i = 0; i < CH_MAX; i++)
		if (par.p_child[i].c_pid == pid)
			break;
	if (i == CH_MAX)
		return (0);
	c = &par.p_child[i];
	log_end(c, pid, status);
	refused = refused_to_start(c, status);
	lived = parent_now_ms() - c->c_started_ms;
	asked = c->c_asked;
	child_clear(c);
	if (par.p_phase == PHASE_QUIESCE && i == CH_ENGINE) {
		parent_stop(PHASE_STOP, 0);
		return (1);
	}
	if (par.p_phase == PHASE_STOP || par.p_phase == PHASE_REEXEC) {
		stop_next();
		return (1);
	}
	if (refused) {
		log_warnx("the engine cannot serve; orchd ends");
		parent_stop(PHASE_STOP, 1);
		return (1);
	}
	child_again(c, asked, lived);
	return (1);
}

static void
stop_next(void)
{
	size_t	 i;

	for (i = CH_MAX; i-- > 0;) {
		if (par.p_child[i].c_pid == 0)
			continue;
		if (!par.p_child[i].c_asked)
			child_term(&par.p_child[i]);
		return;
	}
	parent_stopped();
}

void
children_stop(void)
{
	size_t	 i;

	for (i = 0; i < CH_MAX; i++)
		if (par.p_child[i].c_restart != NULL)
			evtimer_del(par.p_child[i].c_restart);
	stop_next();
}

static void
renew_next(void)
{
	struct child	*c;
	size_t		 i;

	for (i = 0; i < CH_MAX; i++)
		if (par.p_child[i].c_renewing)
			return;
	for (i = 0; i < CH_MAX; i++) {
		c = &par.p_child[i];
		if (!c->c_renew)
			continue;
		c->c_renew = 0;
		if (c->c_pid == 0 || c->c_stopping)
			continue;
		c->c_renewing = 1;
		child_term(c);
		return;
	}
}

void
children_renew(void)
{
	size_t	 i;

	for (i = CH_ENGINE + 1; i < CH_MAX; i++)
		par.p_child[i].c_renew = par.p_child[i].c_pid != 0;
	renew_next();
	children_start();
}

void
children_ping(void)
{
	struct orch_ping	 m = { .nonce = parent_now_ms() };
	struct child		*c;
	size_t			 i;

	for (i = 0; i < CH_MAX; i++) {
		c = &par.p_child[i];
		if (c->c_pid == 0 || c->c_chan == NULL || c->c_stopping)
			continue;
		if (c->c_pings >= PINGS_MAX) {
			log_warnx("%s (pid %d) has not answered for a minute, "
			    "killed", child_name(c), (int)c->c_pid);
			child_signal(c, SIGKILL);
			continue;
		}
		c->c_pings++;
		(void)chan_send(c->c_chan, ORCH_ping, 0, &m, -1);
	}
}
