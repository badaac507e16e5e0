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

#include <signal.h>
#include <string.h>

#include <bsd/string.h>

#include "sim.h"

/*
 * The parent, modelled: it starts what the engine asks for, some time later,
 * kills whom it names when that is still the same process, and tells of ends.
 * What it was asked dies with it.
 */

#define NORDERS	256

struct order {
	int		 o_used;
	int		 o_kill;
	int		 o_second;
	int64_t		 o_until;
	uint64_t	 o_run;
	int		 o_sig;
	char		 o_ident[IDENT_TEXT_MAX];
	enum orch_kind	 o_kind;
	uint8_t		 o_key[32];
	char		 o_task[65];
	char		 o_gate[65];
	char		 o_role[33];
};
static struct order orders[NORDERS];

void
parent_reset(void)
{
	memset(orders, 0, sizeof(orders));
}

static struct order *
order_new(void)
{
	size_t i;

	for (i = 0; i < NORDERS; i++)
		if (!orders[i].o_used) {
			memset(&orders[i], 0, sizeof(orders[i]));
			orders[i].o_used = 1;
			orders[i].o_until = w.now + rnd_delay();
			return (&orders[i]);
		}
	broken("the parent has too many orders");
}

static void
hears_spawn(const struct orch_spawn *m)
{
	struct order *o = order_new();

	o->o_run = m->run;
	o->o_kind = (enum orch_kind)m->kind;
	if (m->key.b_len == 32)
		memcpy(o->o_key, m->key.b_data, 32);
	(void)strlcpy(o->o_task, m->work_item, sizeof(o->o_task));
	(void)strlcpy(o->o_gate, m->gate, sizeof(o->o_gate));
	(void)strlcpy(o->o_role, m->role, sizeof(o->o_role));
	/* Nobody knows why, but it is started twice. */
	if (chaos(60)) {
		struct order *again = order_new();
		int64_t until = again->o_until;

		*again = *o;
		again->o_until = until;
		again->o_second = 1;
	}
}

static void
hears_kill(const struct orch_kill *m)
{
	struct order *o = order_new();

	o->o_kill = 1;
	o->o_run = m->run;
	o->o_sig = m->sig;
	(void)strlcpy(o->o_ident, m->ident, sizeof(o->o_ident));
}

void
parent_hears(unsigned int type, const union orch_any *any)
{
	if (type == ORCH_spawn)
		hears_spawn(&any->spawn);
	else if (type == ORCH_kill)
		hears_kill(&any->kill);
}

size_t
spawns_enabled(void **items, size_t max)
{
	size_t i, k = 0;

	for (i = 0; i < NORDERS && k < max; i++) {
		if (!orders[i].o_used)
			continue;
		if (orders[i].o_until <= w.now)
			items[k++] = &orders[i];
		else
			due_at(orders[i].o_until);
	}
	return (k);
}

static void
tell_spawned(const struct order *o, const struct proc *p, const char *error)
{
	char text[IDENT_TEXT_MAX] = "";
	struct orch_spawned m = { .run = o->o_run, .ident = text,
	    .error = error };
	struct ident id;

	if (w.parent == NULL)
		return;
	if (p != NULL) {
		proc_ident(p, &id);
		memset(id.id_incarnation, 0, sizeof(id.id_incarnation));
		(void)ident_format(&id, text, sizeof(text));
		m.pid = p->p_pid;
	}
	(void)conn_say(w.parent, ORCH_spawned, &m, -1);
}

static void
do_spawn(const struct order *o)
{
	struct proc *p;

	if (!o->o_second && chaos(50)) {
		n.spawns_lost++;
		if (rnd(2) == 0)
			tell_spawned(o, NULL, "fork: no process is free");
		return;
	}
	p = proc_new();
	p->p_run = o->o_run;
	p->p_kind = o->o_kind;
	memcpy(p->p_key, o->o_key, sizeof(p->p_key));
	(void)strlcpy(p->p_task, o->o_task, sizeof(p->p_task));
	(void)strlcpy(p->p_gate, o->o_gate, sizeof(p->p_gate));
	(void)strlcpy(p->p_role, o->o_role, sizeof(p->p_role));
	p->p_second = o->o_second;
	p->p_co = co_new(run_body, p);
	n.second_processes += (uint64_t)o->o_second;
	TRACE("run %llu (%s %s%s of %s) is [%d]%s",
	    (unsigned long long)p->p_run, orch_kind_name(p->p_kind),
	    p->p_role, p->p_gate, p->p_task, (int)p->p_pid,
	    o->o_second ? ", a second one" : "");
	if (!o->o_second)
		tell_spawned(o, p, "");
}

static void
do_kill(const struct order *o)
{
	struct proc *p = proc_of_ident(o->o_ident);
	struct orch_killed m = { .run = o->o_run };

	if (p == NULL || w.hidden || w.pidns != 4026531836)
		m.error = p == NULL ? 3 : 11;
	else if (o->o_sig == SIGKILL) {
		n.kills++;
		proc_die(p);
	}
	if (w.parent != NULL)
		(void)conn_say(w.parent, ORCH_killed, &m, -1);
}

void
spawn_go(void *item)
{
	struct order *o = item, done = *o;

	trace_mix(7, o->o_run);
	o->o_used = 0;
	if (done.o_kill)
		do_kill(&done);
	else
		do_spawn(&done);
}

void
parent_exited(const struct proc *p)
{
	struct orch_exited m = { .pid = p->p_pid, .run = p->p_run };

	if (w.parent != NULL && !p->p_hook && !chaos(2000))
		(void)conn_say(w.parent, ORCH_exited, &m, -1);
}

void
parent_die(void)
{
	TRACE("the parent dies");
	n.parent_deaths++;
	w.parent_up = 0;
	parent_reset();
	if (w.engine_up)
		engine_die();
	daemon_die(OWN_REAPERD);
	daemon_die(OWN_RECONCILED);
	daemon_die(OWN_FINALIZERD);
	conns_refuse();
	w.engine_at = INT64_MAX;
	w.parent_at = w.now + 1000 + rnd_delay();
}

void
parent_start(void)
{
	TRACE("the parent starts");
	w.parent_up = 1;
	w.engine_at = w.now;
}

/* What a process reads on descriptor 3: all of it from the configuration. */
void	 parent_spec(uint8_t **, union orch_any *);

void
parent_spec(uint8_t **frame, union orch_any *any)
{
	static char result[64];
	static const char *const none = "";
	const struct orch_msg *row = orch_msg(ORCH_run_spec);
	struct orch_run_spec *m = &any->run_spec;
	size_t i;

	*frame = NULL;
	memset(any, 0, sizeof(*any));
	for (i = 0; i < row->m_nfields; i++)
		if (row->m_fields[i].f_type == FT_STR)
			memcpy((uint8_t *)m + row->m_fields[i].f_off,
			    &none, sizeof(none));
	m->run = w.cur->p_run;
	m->kind = (uint8_t)w.cur->p_kind;
	m->key.b_data = w.cur->p_key;
	m->key.b_len = 32;
	m->socket = "/sim/run/engine.sock";
	m->project = "tally";
	m->mirror = "/sim/mirror/tally.git";
	m->records = "orchd/records";
	m->probe_url = "http://127.0.0.1:1/";
	(void)snprintf(result, sizeof(result), "/sim/result/%llu",
	    (unsigned long long)w.cur->p_run);
	m->result_file = result;
}
