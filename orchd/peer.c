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

#include <sys/socket.h>

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bsd/string.h>

#include "libcommon/log.h"
#include "engine.h"
#include "pass.h"
#include "peer.h"
#include "runs.h"

#define PRIO_PEERS	1
#define CONTROL_MAX	32	/* connections of people at one time */
#define STRANGERS_MAX	128	/* on engine.sock without a HELLO yet */
#define HELLO_TICKS	10	/* seconds until a HELLO must have come */

static struct peer	*peers;
static uint32_t		 last_id;

struct chan *
peer_chan(uint32_t id)
{
	struct peer *p;

	if (id == 0)
		return (eng.e_parent);
	for (p = peers; p != NULL; p = p->p_next)
		if (p->p_id == id)
			return (p->p_chan);
	return (NULL);
}

struct peer *
peer_of_run(uint64_t run)
{
	struct peer *p;

	for (p = peers; p != NULL; p = p->p_next)
		if (p->p_hello && p->p_run == run && run != 0)
			return (p);
	return (NULL);
}

struct peer *
peer_of_role(enum orch_role role)
{
	struct peer *p;

	for (p = peers; p != NULL; p = p->p_next)
		if (p->p_hello && p->p_role == role)
			return (p);
	return (NULL);
}

unsigned int
peer_count(enum orch_role role)
{
	struct peer *p;
	unsigned int n = 0;

	for (p = peers; p != NULL; p = p->p_next)
		n += p->p_role == role;
	return (n);
}

int
peer_stop_run(uint64_t run, const char *reason)
{
	struct peer *p = peer_of_run(run);
	struct orch_run_stop stop = { .reason = reason };

	if (p == NULL)
		return (0);
	pass_send(p->p_id, ORCH_run_stop, 0, &stop, -1);
	return (1);
}

static void
peer_free(struct peer *p)
{
	struct peer **pp;

	for (pp = &peers; *pp != NULL; pp = &(*pp)->p_next) {
		if (*pp == p) {
			*pp = p->p_next;
			break;
		}
	}
	chan_free(p->p_chan);
	free(p);
}

static void
peer_ended(struct chan *c, const char *why, void *arg)
{
	struct peer *p = arg;
	uint64_t run = p->p_hello ? p->p_run : 0;

	if (strcmp(why, "end of file") != 0 &&
	    strcmp(why, strerror(ECONNRESET)) != 0)
		log_warnx("%s: connection ended: %s",
		    orch_role_name(p->p_role), why);
	peer_free(p);
	if (run != 0)
		run_disconnected(run);
}

void
peer_drop(uint32_t id, const char *why)
{
	struct peer *p;

	for (p = peers; p != NULL; p = p->p_next)
		if (p->p_id == id)
			break;
	if (p != NULL)
		peer_ended(p->p_chan, why, p);
}

void
peers_tick(void)
{
	struct peer *p, *next;

	for (p = peers; p != NULL; p = next) {
		next = p->p_next;
		if (!p->p_hello && ++p->p_ticks > HELLO_TICKS)
			peer_ended(p->p_chan, "no HELLO", p);
	}
}

static unsigned int
strangers(void)
{
	struct peer *p;
	unsigned int n = 0;

	for (p = peers; p != NULL; p = p->p_next)
		n += !p->p_hello;
	return (n);
}

static void
refuse(struct peer *p, uint32_t id, const char *reason)
{
	struct orch_hello_no no = { .reason = reason };

	log_info("%s: refused: %s", orch_role_name(p->p_role), reason);
	(void)chan_send(p->p_chan, ORCH_hello_no, id, &no, -1);
	(void)chan_flush(p->p_chan, 100);
	peer_free(p);
}

/* A new generation of a daemon replaces the old one's connection. */
static void
drop_older(struct peer *p)
{
	struct peer *o, *next;

	for (o = peers; o != NULL; o = next) {
		next = o->p_next;
		if (o == p || !o->p_hello)
			continue;
		if (p->p_run != 0 ? o->p_run == p->p_run :
		    (o->p_role == p->p_role && p->p_role != ROLE_CTL))
			peer_free(o);
	}
}

static const char *
check_version(const struct peer *p, const struct orch_hello *h)
{
	if (h->major != ORCH_PROTO_MAJOR)
		return ("another major version of the protocol");
	if (p->p_role != ROLE_RUNNER && p->p_role != ROLE_WORKER)
		return (h->minor == ORCH_PROTO_MINOR ? NULL :
		    "another version of the protocol: all programs of orchd "
		    "must come from one installation");
	return (orch_minor_spoken(ORCH_PROTO_MINOR, h->minor) ? NULL :
	    "a version of the protocol that is too old or new");
}

static void
on_hello(struct peer *p, uint32_t id, const struct orch_hello *h)
{
	struct orch_hello_ok ok = { ORCH_PROTO_MINOR, (uint64_t)eng_now() };
	const char *why;

	/* Who comes through engine.sock says which of two it is. */
	if (p->p_role == ROLE_RUNNER && h->role == ROLE_WORKER)
		p->p_role = ROLE_WORKER;
	if (p->p_hello)
		why = "a second HELLO";
	else if (h->role != p->p_role)
		why = "it says to be somebody else";
	else if ((p->p_role == ROLE_RUNNER || p->p_role == ROLE_WORKER))
		why = run_hello(p, h);
	else if (h->generation != p->p_generation && p->p_role != ROLE_CTL)
		why = "an older generation";
	else
		why = NULL;
	if (why == NULL)
		why = check_version(p, h);
	if (why != NULL) {
		refuse(p, id, why);
		return;
	}
	p->p_hello = 1;
	/* Only who has shown a run's key speaks for that run. */
	if (p->p_role == ROLE_RUNNER || p->p_role == ROLE_WORKER)
		p->p_run = h->run;
	drop_older(p);
	chan_set_senders(p->p_chan, 1U << p->p_role);
	if (h->minor != ORCH_PROTO_MINOR) {
		log_info("%s (run %llu): speaks version %u.%u of the "
		    "protocol: it outlived an upgrade",
		    orch_role_name(p->p_role), (unsigned long long)p->p_run,
		    h->major, h->minor);
		chan_set_lenient(p->p_chan);
	}
	(void)chan_send(p->p_chan, ORCH_hello_ok, id, &ok, -1);
	if (p->p_run != 0)
		run_connected(p);
}

static const struct peer_rule *
rule_of(const struct peer *p, unsigned int type)
{
	size_t i;

	for (i = 0; i < peer_nrules; i++)
		if (peer_rules[i].pr_type == type &&
		    (peer_rules[i].pr_from & 1U << p->p_role) != 0)
			return (&peer_rules[i]);
	return (NULL);
}

static void
peer_message(struct chan *c, const struct orch_header *h,
    const union orch_any *any, int *fd, void *arg)
{
	const struct peer_rule *r;
	struct peer *p = arg;
	uint32_t peer = p->p_id;
	int ok;

	if (h->h_type == ORCH_hello) {
		on_hello(p, h->h_id, &any->hello);
		return;
	}
	if (h->h_type == ORCH_ping) {
		(void)chan_send(c, ORCH_pong, h->h_id, any, -1);
		return;
	}
	if (!p->p_hello || (r = rule_of(p, h->h_type)) == NULL) {
		log_warnx("%s: message %s is not its to send",
		    orch_role_name(p->p_role), orch_msg(h->h_type)->m_name);
		peer_ended(c, "forbidden message", p);
		return;
	}
	if (pass_enter() == -1) {
		pass_retry(peer, h->h_type, h->h_id);
		return;
	}
	pass_asked_by(peer, h->h_type, h->h_id);
	ok = r->pr_handler(p, h->h_id, any, fd) == 0;
	if (!ok)
		log_warnx("%s (run %llu): message %s could not be dealt "
		    "with, it shall come again", orch_role_name(p->p_role),
		    (unsigned long long)p->p_run,
		    orch_msg(h->h_type)->m_name);
	if (pass_leave(ok) == 0 && !ok)
		pass_retry(peer, h->h_type, h->h_id);
}

static struct peer *
peer_new(int sock, enum orch_role role, uint32_t senders)
{
	struct peer *p;

	if ((p = calloc(1, sizeof(*p))) == NULL ||
	    (p->p_chan = chan_new(eng.e_base, sock, PRIO_PEERS, senders,
	    peer_message, peer_ended, p)) == NULL) {
		log_warn("peer");
		free(p);
		close(sock);
		return (NULL);
	}
	p->p_id = ++last_id;
	p->p_role = role;
	p->p_reloads = eng.e_reloads;
	p->p_next = peers;
	peers = p;
	return (p);
}

/* Whoever may act: this user, and root.  Others are told nothing. */
static int
control_user(int sock, char *user, size_t len)
{
	struct ucred cred;
	socklen_t n = sizeof(cred);
	struct passwd *pw;

	if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &cred, &n) == -1)
		return (-1);
	if (cred.uid != geteuid() && cred.uid != 0)
		return (-1);
	if ((pw = getpwuid(cred.uid)) != NULL)
		strlcpy(user, pw->pw_name, len);
	else
		snprintf(user, len, "uid %u", cred.uid);
	return (0);
}

void
peer_accept(int sock, int control)
{
	struct peer *p;
	struct ident id;
	char user[32] = "";

	if (control && (peer_count(ROLE_CTL) >= CONTROL_MAX ||
	    control_user(sock, user, sizeof(user)) == -1)) {
		close(sock);
		return;
	}
	/* The identity is taken now, while the connecting process is there. */
	if (!control && (strangers() >= STRANGERS_MAX ||
	    ident_of_peer(sock, &id, NULL) == -1)) {
		close(sock);
		return;
	}
	if ((p = peer_new(sock, control ? ROLE_CTL : ROLE_RUNNER,
	    control ? FROM_CTL : FROM_RUNS)) == NULL)
		return;
	strlcpy(p->p_user, user, sizeof(p->p_user));
	if (!control)
		p->p_ident = id;
}

void
peer_daemon(int sock, enum orch_role role, uint32_t generation)
{
	struct peer *p;

	if (role >= ROLE__MAX || ((1U << role) & FROM_DAEMONS) == 0) {
		close(sock);
		return;
	}
	if ((p = peer_new(sock, role, 1U << role)) != NULL)
		p->p_generation = generation;
}
