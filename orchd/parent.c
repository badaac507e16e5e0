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
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bsd/string.h>

#include "libcommon/log.h"
#include "libcommon/redact.h"

#include "parent.h"
#include "sdnotify.h"

#define PING_S		10
#define QUIESCE_MORE_S	15	/* beyond kill_grace_s */

struct parent par;

static struct event	*quiesce_timer;

uint64_t
parent_now_ms(void)
{
	struct timespec	 ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return ((uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000);
}

void
parent_prompts(char *buf, size_t len)
{
	char	 dir[PATH_MAX];

	strlcpy(dir, par.p_self, sizeof(dir));
	*strrchr(dir, '/') = '\0';
	/* Installed, else the source tree above a build tree. */
	if (snprintf(buf, len, "%s/../share/orchd/agents", dir) < (int)len &&
	    access(buf, R_OK) == 0)
		return;
	if (snprintf(buf, len, "%s/../../etc/agents", dir) >= (int)len)
		buf[0] = '\0';
}

/* The path of this program: that of a newer one after an upgrade. */
static int
find_self(void)
{
	static const char	 gone[] = " (deleted)";
	ssize_t			 n;
	size_t			 len;

	n = readlink("/proc/self/exe", par.p_self, sizeof(par.p_self) - 1);
	if (n <= 0) {
		log_warn("/proc/self/exe");
		return (-1);
	}
	par.p_self[n] = '\0';
	len = strlen(par.p_self);
	if (len > sizeof(gone) && strcmp(par.p_self + len - sizeof(gone) + 1,
	    gone) == 0)
		par.p_self[len - sizeof(gone) + 1] = '\0';
	return (0);
}

/* All programs have to be there before anything is started. */
static int
find_programs(void)
{
	static const char *const daemons[] = {
		"reconciled", "webhookd", "reaperd",
	};
	char			 path[PATH_MAX];
	size_t			 i;
	int			 rv = 0;

	if (find_self() == -1)
		return (-1);
	if (parent_find_program(par.p_self, "runner", par.p_runner,
	    sizeof(par.p_runner)) == -1) {
		log_warnx("there is no program %s", par.p_runner);
		rv = -1;
	}
	if (parent_find_program(par.p_self, "finalizerd", par.p_worker,
	    sizeof(par.p_worker)) == -1) {
		log_warnx("there is no program %s", par.p_worker);
		rv = -1;
	}
	for (i = 0; i < sizeof(daemons) / sizeof(daemons[0]); i++)
		if (parent_find_program(par.p_self, daemons[i], path,
		    sizeof(path)) == -1) {
			log_warnx("there is no program %s", path);
			rv = -1;
		}
	return (rv);
}

/*
 * Variables that agents get from the starting shell leave our environment:
 * nothing that we start inherits them by accident.
 */
static void
take_variables(const struct conf *cf)
{
	const struct conf_env	*ce;
	const char		*value;
	char			*line;
	size_t			 i, j;

	for (i = 0; i < cf->cf_nagents; i++)
		for (j = 0; j < cf->cf_agents[i]->ca_nenv; j++) {
			ce = &cf->cf_agents[i]->ca_env[j];
			if (ce->ce_kind != CONF_ENV_PASS ||
			    (value = getenv(ce->ce_name)) == NULL)
				continue;
			(void)log_redact_add(value);
			if (asprintf(&line, "%s=%s", ce->ce_name,
			    value) == -1)
				fatalx("out of memory");
			if (!strlist_has(&par.p_env, line))
				strlist_add(&par.p_env, line);
			secret_free(line);
		}
	for (i = 0; i < par.p_env.sl_n; i++) {
		if ((line = strdup(par.p_env.sl_v[i])) == NULL)
			fatalx("out of memory");
		line[strcspn(line, "=")] = '\0';
		/* PATH and the like stay: our own programs need them. */
		if (strcmp(line, "PATH") != 0 && strcmp(line, "HOME") != 0)
			(void)unsetenv(line);
		secret_free(line);
	}
}

static void
answer_managed(uint32_t id, enum orch_result result, const char *text)
{
	struct orch_managed	 m;

	m.result = (uint8_t)result;
	m.text = text;
	engine_send(ORCH_managed, id, &m, -1);
}

void
parent_stop(enum parent_phase phase, int status)
{
	if (par.p_phase == PHASE_STOP || par.p_phase == PHASE_REEXEC)
		return;
	par.p_phase = phase;
	par.p_status = status;
	if (quiesce_timer != NULL)
		evtimer_del(quiesce_timer);
	children_stop();
}

static void
quiesce_late(int fd, short what, void *arg)
{
	log_warnx("agents have not ended in time; orchd ends without them");
	parent_stop(PHASE_STOP, 0);
}

/* Agents end gracefully first; a second request does not wait for them. */
static void
shutdown_begin(void)
{
	struct orch_quiesce	 m = { .verb = MANAGE_SHUTDOWN };
	struct timeval		 tv = { 0, 0 };

	if (par.p_phase == PHASE_QUIESCE) {
		parent_stop(PHASE_STOP, 0);
		return;
	}
	if (par.p_phase != PHASE_SERVE)
		return;
	log_info("shutting down");
	(void)sd_tell("STOPPING=1\nSTATUS=agents end");
	if (!par.p_child[CH_ENGINE].c_ready) {
		parent_stop(PHASE_STOP, 0);
		return;
	}
	par.p_phase = PHASE_QUIESCE;
	engine_send(ORCH_quiesce, 0, &m, -1);
	tv.tv_sec = (time_t)conf_int(par.p_conf, NULL, OPT_KILL_GRACE_S) +
	    QUIESCE_MORE_S;
	if (quiesce_timer == NULL && (quiesce_timer =
	    evtimer_new(par.p_base, quiesce_late, NULL)) == NULL)
		fatalx("timer");
	(void)evtimer_add(quiesce_timer, &tv);
}

/* A new image has to be able to start before the old one gives up. */
static int
restart_possible(char *text, size_t len)
{
	struct conf	*cf;
	char		*said = NULL;
	size_t		 size = 0;
	FILE		*fp;
	int		 rv;

	if (access(par.p_self, X_OK) == -1) {
		snprintf(text, len, "%.500s: %s", par.p_self,
		    strerror(errno));
		return (-1);
	}
	if ((fp = open_memstream(&said, &size)) == NULL)
		fatal("restart");
	rv = conf_parse_file(par.p_conf_path, CONF_ENVIRON | CONF_FILES |
	    CONF_QUIET, &cf, fp);
	fclose(fp);
	if (rv == 0) {
		rv = parent_same_folders(cf, text, len) == -1 ||
		    listen_kept(cf, text, len) == -1 ? -1 : 0;
		conf_free(cf);
	} else
		parent_faults(text, len, said);
	free(said);
	return (rv == -1 ? -1 : parent_try_image(par.p_self, par.p_conf_path,
	    text, len));
}

/* The service manager hears that it began and that it ended, either way. */
static int
reload(char *text, size_t len)
{
	int	 rv;

	(void)sd_tell_reloading("reading the configuration");
	rv = parent_reload(text, len);
	(void)sd_tell("READY=1\nSTATUS=serving");
	return (rv);
}

static void
on_manage(uint32_t id, unsigned int verb)
{
	char	 text[4096] = "";

	switch (verb) {
	case MANAGE_RELOAD:
		if (reload(text, sizeof(text)) == -1)
			answer_managed(id, RES_REFUSED, text);
		else
			answer_managed(id, RES_OK, "");
		break;
	case MANAGE_RESTART:
		if (restart_possible(text, sizeof(text)) == -1) {
			answer_managed(id, RES_REFUSED, text);
			break;
		}
		answer_managed(id, RES_OK, "");
		if (par.p_child[CH_ENGINE].c_chan != NULL)
			(void)chan_flush(par.p_child[CH_ENGINE].c_chan, 500);
		log_info("restarting in place");
		(void)sd_tell_reloading("restarting");
		par.p_announced = 0;
		parent_stop(PHASE_REEXEC, 0);
		break;
	case MANAGE_SHUTDOWN:
		answer_managed(id, RES_OK, "");
		shutdown_begin();
		break;
	default:
		answer_managed(id, RES_REFUSED, "unknown request");
	}
}

void
parent_on_engine(const struct orch_header *h, const union orch_any *any)
{
	switch (h->h_type) {
	case ORCH_spawn:
		run_spawn(h->h_id, &any->spawn);
		break;
	case ORCH_kill:
		parent_kill(h->h_id, &any->kill);
		break;
	case ORCH_manage:
		on_manage(h->h_id, any->manage.verb);
		break;
	case ORCH_quiesced:
		if (any->quiesced.left > 0)
			log_warnx("%u runs go on without orchd",
			    any->quiesced.left);
		if (par.p_phase == PHASE_QUIESCE)
			parent_stop(PHASE_STOP, 0);
		break;
	default:
		log_warnx("engine sends %s, ignored",
		    orch_msg(h->h_type)->m_name);
	}
}

/* Exec ourselves; only a failure returns. */
static void
reexec(void)
{
	if (state_save() == -1) {
		log_warn("restart: what has to survive");
		return;
	}
	(void)execv(par.p_self, par.p_argv);
	log_warn("restart: %s", par.p_self);
	unsetenv("ORCHD_STATE_FD");
}

void
parent_stopped(void)
{
	if (par.p_phase == PHASE_REEXEC) {
		reexec();
		/* The old image still serves. */
		par.p_phase = PHASE_SERVE;
		children_start();
		return;
	}
	event_base_loopbreak(par.p_base);
}

static void
announce(void)
{
	size_t	 i;

	if (par.p_announced)
		return;
	/* reaperd is the last to come. */
	for (i = 0; i < CH_MAX; i++)
		if (par.p_child[i].c_pid != 0 && !par.p_child[i].c_ready)
			return;
	if (!par.p_child[CH_REAPERD].c_ready)
		return;
	par.p_announced = 1;
	log_info("serving: %zu project%s, control socket %s/control.sock",
	    par.p_conf->cf_nprojects, par.p_conf->cf_nprojects == 1 ? "" :
	    "s", par.p_conf->cf_runtime);
	(void)sd_tell("READY=1\nSTATUS=serving");
}

void
parent_child_ready(void)
{
	announce();
}

static void
reap_cb(int sig, short what, void *arg)
{
	pid_t	 pid;
	int	 status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (!children_reaped(pid, status))
			run_reaped(pid, status);
}

static void
end_cb(int sig, short what, void *arg)
{
	shutdown_begin();
}

static void
hup_cb(int sig, short what, void *arg)
{
	char	 text[4096], *p = text, *line;

	if (par.p_phase != PHASE_SERVE ||
	    reload(text, sizeof(text)) == 0)
		return;
	log_warnx("reload refused, the old configuration stays");
	while ((line = strsep(&p, "\n")) != NULL)
		if (*line != '\0')
			log_warnx("%s", line);
}

static void
tick_cb(int fd, short what, void *arg)
{
	children_ping();
	run_sweep();
}

static void
watchdog_cb(int fd, short what, void *arg)
{
	(void)sd_tell("WATCHDOG=1");
}

static void
every(uint32_t ms, event_callback_fn cb)
{
	struct timeval	 tv;
	struct event	*ev;

	tv.tv_sec = (time_t)(ms / 1000);
	tv.tv_usec = (suseconds_t)(ms % 1000) * 1000;
	ev = event_new(par.p_base, -1, EV_PERSIST, cb, NULL);
	if (ev == NULL || event_add(ev, &tv) == -1)
		fatalx("timer");
}

static void
events(void)
{
	static const struct {
		int			 sig;
		event_callback_fn	 cb;
	} sigs[] = {
		{ SIGCHLD, reap_cb }, { SIGTERM, end_cb }, { SIGINT, end_cb },
		{ SIGHUP, hup_cb },
	};
	struct sigaction	 ignore = { .sa_handler = SIG_IGN };
	struct event		*ev;
	size_t			 i;

	(void)sigaction(SIGPIPE, &ignore, NULL);
	for (i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++)
		if ((ev = evsignal_new(par.p_base, sigs[i].sig, sigs[i].cb,
		    NULL)) == NULL || event_add(ev, NULL) == -1)
			fatalx("signals");
	every(PING_S * 1000, tick_cb);
	if (sd_watchdog_ms() > 0)
		every(sd_watchdog_ms(), watchdog_cb);
}

static int
acquire(void)
{
	struct listener	*l;
	char		 err[512];
	size_t		 n;

	if (listen_folders(par.p_conf) == -1 ||
	    listen_sockets(par.p_conf) == -1)
		return (-1);
	if (listen_open(par.p_conf, &l, &n, err, sizeof(err)) == -1) {
		log_warnx("%s", err);
		return (-1);
	}
	listen_replace(l, n);
	listen_mirrors(par.p_conf);
	return (0);
}

static void
let_go(void)
{
	char	 path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/engine.sock",
	    par.p_conf->cf_runtime);
	(void)unlink(path);
	snprintf(path, sizeof(path), "%s/control.sock",
	    par.p_conf->cf_runtime);
	(void)unlink(path);
	conf_free(par.p_conf);
}

static void
begin(const char *conf_path, int debug, char **argv)
{
	memset(&par, 0, sizeof(par));
	par.p_conf_path = conf_path;
	par.p_debug = debug;
	par.p_argv = argv;
	par.p_lock = par.p_runtime_lock = -1;
	par.p_engine_sock = par.p_control_sock = -1;
	par.p_conf_generation = 1;
	umask(077);
}

int
parent_main(const char *conf_path, int debug, char **argv)
{
	log_init("orchd", debug);
	if (geteuid() == 0) {
		log_warnx("started as root: this version runs as a user of "
		    "its own, without privileges: start it as that user, see "
		    "orchd(8)");
		return (1);
	}
	begin(conf_path, debug, argv);
	if (passed_take() == -1)
		return (1);
	if (conf_parse_file(conf_path, CONF_ENVIRON | CONF_FILES,
	    &par.p_conf, stderr) == -1)
		return (1);
	if (state_restore() == -1) {
		log_warnx("restart: what the old image left is unusable");
		return (1);
	}
	take_variables(par.p_conf);
	if (find_programs() == -1 || acquire() == -1)
		return (1);
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == -1)
		log_warn("subreaper");
	if ((par.p_base = event_base_new()) == NULL ||
	    event_base_priority_init(par.p_base, 3) == -1)
		fatalx("event loop");
	events();
	children_start();
	/* What ended while the old image gave way to this one. */
	reap_cb(SIGCHLD, EV_SIGNAL, NULL);
	event_base_dispatch(par.p_base);
	let_go();
	log_info("orchd ends");
	return (par.p_status);
}
