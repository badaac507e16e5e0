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

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "orchd/manage.h"
#include "orchd/pass.h"
#include "orchd/peer.h"
#include "sim.h"

/*
 * The engine's life.  Death of a program is the loss of its memory: the
 * writable data of its objects lie in a section of their own, of which a copy
 * was kept at start.  Its database keeps what was committed.
 */

#define MEMORY(name)							\
	extern char __start_m_##name[], __stop_m_##name[];
MEMORY(orchd)
MEMORY(reaperd)
MEMORY(reconciled)
MEMORY(finalizerd)

static struct image {
	char	*im_from;
	char	*im_to;
	char	*im_copy;
} images[OWN__MAX] = {
	[OWN_ENGINE] = { __start_m_orchd, __stop_m_orchd, NULL },
	[OWN_REAPERD] = { __start_m_reaperd, __stop_m_reaperd, NULL },
	[OWN_RECONCILED] = { __start_m_reconciled, __stop_m_reconciled,
	    NULL },
	[OWN_FINALIZERD] = { __start_m_finalizerd, __stop_m_finalizerd,
	    NULL },
};

static struct store *store;
static struct conf *conf;

/* What a program that dies had allocated is not freed by anybody. */
const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
	return ("detect_leaks=0");
}

/* Redzones of a sanitizer lie between the variables. */
static void __attribute__((no_sanitize("address")))
copy(char *to, const char *from, size_t len)
{
	volatile uint64_t *t = (volatile uint64_t *)(void *)to;
	const uint64_t *f = (const uint64_t *)(const void *)from;
	size_t i;

	for (i = 0; i < len / 8; i++)
		if (t[i] != f[i])
			t[i] = f[i];
}

void
engine_image(void)
{
	struct image *im;

	for (im = images; im < images + OWN__MAX; im++) {
		if ((im->im_copy = malloc((size_t)(im->im_to - im->im_from) +
		    8)) == NULL)
			abort();
		copy(im->im_copy, im->im_from, (size_t)(im->im_to -
		    im->im_from));
	}
}

void
memory_fresh(enum owner who)
{
	struct image *im = &images[who];

	events_forget(who);
	copy(im->im_from, im->im_copy, (size_t)(im->im_to - im->im_from));
}

/* --- configuration and database ---------------------------------------- */

static const char conf_text[] =
    "state \"/sim\"\nruntime \"/sim/run\"\n"
    "max_concurrency 3\nmax_gate_runs 4\n"
    "reaper_dead_ticks 2\n"
    "agent analyst { command \"sh\" }\n"
    "agent architect { command \"sh\" }\n"
    "agent developer { command \"sh\" }\n"
    "agent reviewer { command \"sh\" }\n"
    "agent tester { command \"sh\" }\n"
    "project tally {\n\tprefix DEMO\n\tforge local from \".\"\n"
    "\ttracker local\n\ttest \"make\"\n\tserial_limit 9\n"
    "\tstaging check \"true\"\n\tsecurity \"true\"\n"
    "\tdeploy hook \"true\"\n\trollback hook \"true\"\n"
    "\tpost_deploy_auto_rollback yes\n"
    "\tpost_deploy_interval_s 1\n\tpost_deploy_window_s 4\n"
    "\tpost_deploy_base_url \"http://127.0.0.1:1/\"\n}\n";

static void
conf_once(void)
{
	char *said = NULL;
	size_t len = 0;
	FILE *err;
	int fd;

	if (conf != NULL)
		return;
	err = open_memstream(&said, &len);
	fd = memfd_create("conf", MFD_CLOEXEC);
	if (err == NULL || write(fd, conf_text, strlen(conf_text)) !=
	    (ssize_t)strlen(conf_text))
		abort();
	(void)conf_parse_fd(fd, "sim.conf", CONF_QUIET, &conf, err);
	(void)fclose(err);
	(void)close(fd);
	if (conf == NULL)
		broken("%s", said);
	free(said);
}

static int64_t
clock_now(void)
{
	return (w.now);
}

static int committed;

static int
commit_hook(void *arg)
{
	committed = 1;
	return (0);
}

void
engine_first(void)
{
	char err[512];

	conf_once();
	if ((store = store_open(":memory:", err, sizeof(err))) == NULL)
		broken("%s", err);
	/* So that a second worker can be started by mistake. */
	if (sqlite3_exec(store_db(store), "DROP INDEX job_one_transition",
	    NULL, NULL, NULL) != SQLITE_OK)
		broken("%s", sqlite3_errmsg(store_db(store)));
	(void)sqlite3_commit_hook(store_db(store), commit_hook, NULL);
	check_reset();
	eng.e_store = store;
}

/* --- its life ---------------------------------------------------------- */

#define TICK_MS	1000

static void
tick_cb(int fd, short what, void *arg)
{
	w.ticks++;
	peers_tick();
	(void)engine_look(0);
}

void
engine_start(void)
{
	static struct timeval tv = { TICK_MS / 1000, 0 };

	TRACE("the engine starts");
	owner = OWN_ENGINE;
	memory_fresh(OWN_ENGINE);
	eng.e_clock = clock_now;
	eng.e_world = &sim_world;
	eng.e_base = (struct event_base *)(void *)&store;
	eng.e_store = store;
	eng.e_conf = conf;
	eng.e_started_at = w.now;
	if (pass_init() == -1)
		abort();
	w.parent = conn_new(FAR_PARENT, ROLE_PARENT, NULL);
	manage_open(conn_fd(w.parent));
	w.engine_up = 1;
	if (engine_look(1) == -1)
		broken("the engine cannot recover");
	(void)event_add(event_new(eng.e_base, -1, EV_PERSIST, tick_cb, NULL),
	    &tv);
	manage_ready();
	daemons_connect();
}

void
engine_die(void)
{
	TRACE("the engine dies%s", engine_busy() ? " before its commit" : "");
	if (engine_busy())
		n.crashes_before_commit++;
	(void)sqlite3_exec(store_db(store), "ROLLBACK", NULL, NULL, NULL);
	committed = 0;
	conns_engine_died();
	w.parent = NULL;
	w.engine_up = 0;
	memory_fresh(OWN_ENGINE);
	eng.e_store = store;	/* for the checks */
	eng.e_clock = clock_now;
	n.engine_crashes++;
}

void
engine_end(void)
{
	store_close(store);
	store = NULL;
}

int
engine_busy(void)
{
	return (!sqlite3_get_autocommit(store_db(store)));
}

/* After each step: has something become durable? */
void
engine_ticks(void)
{
	if (!committed || engine_busy())
		return;
	committed = 0;
	check_commit();
}
