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
#include <sys/resource.h>

#include <bsd/string.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libcommon/daemon.h"
#include "libcommon/log.h"
#include "libcommon/sha256.h"
#include "libcommon/tls.h"

#include "ask.h"
#include "server.h"
#include "site.h"

#define LISTENERS_MAX	16
#define SOURCES		2
#define HOLD_MS		3000
#define DRAIN_MS	4000	/* of the time that the parent waits */
#define FDS_SPARE	32	/* beside the connections */
#define BODY_MAX_KB	1024	/* of struct orch_event */
#define SECRET_MAX	4096	/* of struct orch_child_secret */

static struct {
	struct site	 site;
	struct server	*server;
	int		 fds[LISTENERS_MAX];
	int		 loopback[LISTENERS_MAX];
	SSL_CTX		*tls[LISTENERS_MAX];	/* NULL: plain */
	size_t		 nfds;
	char		 secrets[SOURCES][DELIVERY_SECRETS_MAX]
			    [SECRET_MAX + 1];
} me;

static const char *const sources[SOURCES] = { "gitea", "plane" };

/* One whose certificate is unusable is not served, and never in plain. */
static void
on_listen(const struct orch_child_listen *m, int fd)
{
	SSL_CTX *tls = NULL;
	char why[256];

	if (me.nfds == LISTENERS_MAX) {
		log_warnx("listener %s: more than %d, not served", m->name,
		    LISTENERS_MAX);
		(void)close(fd);
		return;
	}
	if (m->cert.b_len > 0 && (tls = tls_server(m->cert.b_data,
	    m->cert.b_len, m->key.b_data, m->key.b_len, why,
	    sizeof(why))) == NULL) {
		log_warnx("listener %s is not served: %s", m->name, why);
		(void)close(fd);
		return;
	}
	me.fds[me.nfds] = fd;
	me.tls[me.nfds] = tls;
	me.loopback[me.nfds++] = m->loopback;
}

/* "gitea.0" is the current secret, "gitea.1" the one before it. */
static char *
secret_slot(const char *name)
{
	char own[16];
	size_t i, j;

	for (i = 0; i < SOURCES; i++)
		for (j = 0; j < DELIVERY_SECRETS_MAX; j++) {
			snprintf(own, sizeof(own), "%s.%zu", sources[i], j);
			if (strcmp(name, own) == 0)
				return (me.secrets[i][j]);
		}
	return (NULL);
}

static void
on_secret(const char *name, const char *value)
{
	char *slot;

	if ((slot = secret_slot(name)) == NULL) {
		log_debug("secret %s is not for this process", name);
		return;
	}
	/* Best effort: the limit of locked memory may be small. */
	(void)mlock(me.secrets, sizeof(me.secrets));
	if (strlcpy(slot, value, SECRET_MAX + 1) > SECRET_MAX)
		fatalx("secret %s is too long", name);
	if (*slot == '\0')
		log_warnx("secret %s is empty and not used", name);
}

/* As many connections as the descriptors allow, at most the default. */
static void
limit_conns(struct server_limits *sl)
{
	struct rlimit rl;
	rlim_t want = sl->sl_conns + FDS_SPARE;

	if (getrlimit(RLIMIT_NOFILE, &rl) == -1)
		return;
	if (rl.rlim_cur < want) {
		rl.rlim_cur = rl.rlim_max < want ? rl.rlim_max : want;
		(void)setrlimit(RLIMIT_NOFILE, &rl);
		if (getrlimit(RLIMIT_NOFILE, &rl) == -1)
			return;
	}
	if (rl.rlim_cur < want) {
		sl->sl_conns = rl.rlim_cur > 2 * FDS_SPARE ?
		    (size_t)rl.rlim_cur - FDS_SPARE : FDS_SPARE;
		log_warnx("only %zu connections: the limit of open files is "
		    "%llu", sl->sl_conns, (unsigned long long)rl.rlim_cur);
	}
}

/*
 * While files can still be opened: the hash of JSON objects is seeded, and
 * OpenSSL reads its configuration, at the first thing that it is asked.
 */
static int
warm_up(void)
{
	char sum[SHA256_HEX_SIZE];
	size_t seed = 0;

	if (random_bytes(&seed, sizeof(seed)) == -1) {
		log_warn("random");
		return (-1);
	}
	json_object_seed(seed | 1);
	if (hmac_sha256_hex("", 0, "", 0, sum) == -1) {
		log_warnx("OpenSSL makes no HMAC of SHA-256: is its "
		    "configuration (openssl.cnf) right?");
		return (-1);
	}
	return (0);
}

static int
on_setup(enum orch_role role)
{
	struct server_limits sl;
	size_t i;

	server_limits_default(&sl);
	limit_conns(&sl);
	sl.sl_body = 1024 * (size_t)daemon_option_num("webhook_body_max_kb",
	    1, BODY_MAX_KB, BODY_MAX_KB);
	me.site.st_role = role;
	me.site.st_gitea.dc_form = strcmp(daemon_option("webhook_form_enabled",
	    "no"), "yes") == 0;
	for (i = 0; i < DELIVERY_SECRETS_MAX; i++) {
		me.site.st_gitea.dc_secrets[i] = me.secrets[0][i];
		me.site.st_plane.dc_secrets[i] = me.secrets[1][i];
	}
	for (i = 0; role == ROLE_WEBHOOK && i < SOURCES; i++)
		if (me.secrets[i][0][0] == '\0')
			log_info("no secret for %s: its deliveries are "
			    "refused", sources[i]);
	if (warm_up() == -1)
		return (-1);
	me.site.st_asks = asks_new(daemon_base(), HOLD_MS, daemon_send);
	me.server = server_new(daemon_base(), role, &sl, site_request,
	    &me.site);
	if (me.site.st_asks == NULL || me.server == NULL) {
		log_warn("start");
		return (-1);
	}
	for (i = 0; i < me.nfds; i++)
		if (server_listen(me.server, me.fds[i], me.loopback[i],
		    me.tls[i]) == -1) {
			log_warn("listener");
			return (-1);
		}
	return (0);
}

static void
on_engine_up(void)
{
	asks_engine_up(me.site.st_asks);
}

static void
on_message(const struct orch_header *h, const union orch_any *any, int *fd)
{
	/* Late answers are normal: their client is gone or was told 503. */
	if (!asks_message(me.site.st_asks, h, any))
		log_debug("engine: message %u that nobody waits for",
		    (unsigned int)h->h_type);
}

static void
drain_late(evutil_socket_t fd, short what, void *arg)
{
	log_info("%zu connections are not finished in time",
	    server_nconns(me.server));
	daemon_stop();
}

/* Replaced or ended: whoever is being served gets an answer first. */
static void
on_drain(void)
{
	struct timeval tv = { DRAIN_MS / 1000, 0 };

	if (event_base_once(daemon_base(), -1, EV_TIMEOUT, drain_late, NULL,
	    &tv) == -1)
		daemon_stop();
	else
		server_drain(me.server, daemon_stop);
}

static void
on_shutdown(void)
{
	size_t i;

	server_free(me.server);
	for (i = 0; i < me.nfds; i++)
		SSL_CTX_free(me.tls[i]);
	asks_free(me.site.st_asks);
	explicit_bzero(me.secrets, sizeof(me.secrets));
}

int
main(int argc, char **argv)
{
	static const struct daemon_ops ops = {
		.d_name = "webhookd",
		.d_roles = FROM_WEBHOOK | FROM_PAGE,
		.d_listen = on_listen,
		.d_secret = on_secret,
		.d_setup = on_setup,
		.d_engine_up = on_engine_up,
		.d_message = on_message,
		.d_shutdown = on_shutdown,
		.d_drain = on_drain,
	};

	return (daemon_run(&ops, argc, argv));
}
